#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/refused.sh - what does not load is not deployed, on any engine: who deploys it hears
# why and where, and what was there before goes on, with its grant, its key and its place in the
# store; mended, it comes under the same version. A store that holds such a bundle nevertheless
# spoils that lambda alone.
all=quickjs\ duktape\ mujs
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || all+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$all}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

limits='{"steps": 20000000, "memory": 8388608}'
says() { echo "exports.fetch = function () { return new Response(\"$1\"); };"; }

# of NAME VERSION: makes the source on stdin that version of it
of() { cp /dev/stdin "$work/$1/main.js" && tf pack "$work/$1" --version "$2" --out "$work/$1.tfb" &&
    tf sign "$work/$1.tfb" --key "$work/publisher.pem"; }

# refused NAME CODE TEXT: deploying it fails, with this, and says what to do
refused() {
    tf deploy "$work/$1.tfb" --domain "$work/domain.json" --engine "$e"
    [ $? = 1 ] && cat "$work/tfaas.log" && grep -E "^tfaas: $2: it does not load: .*$3" "$work/tfaas.log" &&
        grep -E '^  next: .*goes on, and the version is free' "$work/tfaas.log"
}

# What must not change: the store, with the sealed grants; what tfaasd lists; the certificate.
state() {
    find "$work/host/lambdas" -type f -exec sha256sum {} + | sort
    tf ls --json
    ask "app-$e" / -v -o /dev/null 2>&1 | grep -E 'start date|subject:'
    openssl s_client -connect "127.0.0.1:$port" -servername "app-$e.test" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256
}

need "the platform starts" host_start
need "a publisher" publisher_new
for e in "${engines[@]}"; do
    says one | lambda "app-$e" "$limits"
    says secret | lambda "vault-$e" "$limits"
    need "$e: two lambdas answer" eval 'publish "app-$e" "$e" && bundle "vault-$e" &&
        deploy "vault-$e" "$e" && grant "vault-$e" --secret TOKEN=hunter2'
    until_ok 50 test -e "$work/host/lambdas/vault-$e/grant.sealed"
    before=$(state)
    load_start "app-$e"
    printf 'exports.fetch = function (\n' | of "app-$e" 2
    ok "$e: what does not compile is refused" refused "app-$e" lambda-source 'SyntaxError.*main\.js'
    ok "$e: and what many forget is named" grep -E '("type": "module"|--target es5)' "$work/tfaas.log"
    printf '\n\nthrow new RangeError("red");\n' | of "app-$e" 2
    ok "$e: what throws, with its line" refused "app-$e" lambda-source 'RangeError: red.*main\.js:3'
    printf 'function f() {\n  return JSON.parse("{");\n}\nf();\n' | of "app-$e" 2
    ok "$e: what a built-in function throws, with the line of who called it" \
        refused "app-$e" lambda-source 'SyntaxError: .* at f \(main\.js:2'
    printf '\n\nnowhere();\n' | of "app-$e" 2
    ok "$e: what the engine throws, likewise" refused "app-$e" lambda-source 'ReferenceError: .*nowhere.*main\.js:3'
    echo 'exports.other = 1;' | of "app-$e" 2
    ok "$e: what has no handler" refused "app-$e" lambda-source ''
    echo 'for (;;) {}' | of "app-$e" 2
    ok "$e: what never ends" refused "app-$e" steps 'limits\.steps, 20000000'
    echo 'for (var a = [];;) { a.push(new Array(1000).join("x" + a.length)); }' | of "app-$e" 2
    ok "$e: what needs too much memory" refused "app-$e" '(memory|steps)' \
        'limits\.(memory, 8388608|steps, 20000000)'
    load_end
    is "$e: no request was lost meanwhile" "0 0" eval \
        'echo "$(lost "$work/app-$e.codes") $(lost "$work/app-$e.new.codes")"'
    is "$e: store, list and key are as before" "$before" state
    echo 'throw new Error("what is in here");' | of "vault-$e" 2
    ok "$e: of one with secrets only the code is told" eval \
        'refused "vault-$e" lambda-source "top level: more is not told" && ! grep "in here" "$work/tfaas.log"'
    echo 'throw 1;' | lambda "new-$e"
    need "$e: a new one is made" bundle "new-$e"
    ok "$e: a first version is refused likewise" refused "new-$e" lambda-source ''
    ok "$e: and is nowhere" eval '! [ -e "$work/host/lambdas/new-$e" ] && tf ls && ! grep -q "new-$e" "$work/tfaas.log"'
done
host_stop
need "tfaasd starts again" host_start
for e in "${engines[@]}"; do
    is "$e: with what it had" "one secret" eval 'echo "$(ask "app-$e" /) $(ask "vault-$e" /)"'
    says two | of "app-$e" 2
    ok "$e: mended, it is deployed under the same version" deploy "app-$e" "$e"
    is "$e: and answers, by the same grant" two ask "app-$e" /
    ok "$e: the same again is well" deploy "app-$e" "$e"
    is "$e: and answers" two ask "app-$e" /
    says one | of "app-$e" 1
    fails "$e: an older one is refused as ever" version-floor deploy "app-$e" "$e"
    says one | of "new-$e" 1
    ok "$e: so is the first one deployed" deploy "new-$e" "$e"
done
host_stop
for e in "${engines[@]}"; do
    echo 'throw new Error("as stored");' | stored "app-$e" "$limits"
done
need "tfaasd starts with a store that nobody tried" host_start
for e in "${engines[@]}"; do
    is "$e: what does not load answers nobody" 503 status_of "app-$e" /
    is "$e: its neighbour answers" secret ask "vault-$e" /
    says three | of "app-$e" 3
    ok "$e: a better version replaces it" deploy "app-$e" "$e"
    is "$e: and answers" three ask "app-$e" /
done
finish
