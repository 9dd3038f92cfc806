#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What `tfaas` does without a host: projects, keys, trust domains, policies, bundles. Exit
# statuses are those of cli/cli.h, refusals have the stable names of lib/err.c, keys are
# never overwritten, and each bad bundle that test/tools/mangle.c makes is refused with
# its own code.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh

# A temporary folder is outside of the repository: paths of the build must be absolute.
bin=$(cd "$bin" && pwd) || exit 1
root=$PWD
verbs=(init key domain ca policy quote collateral pack sign verify deploy attest grant revoke
    invoke log usage logs receipt ls rm info roll image doctor)

# exits NAME STATUS CODE ARG...: `tfaas ARG...` ends with STATUS and says CODE; - for
# nothing.
exits() {
    local title=$1 status=$2 code=$3 got
    shift 3
    cli "$@" >"$log" 2>&1 </dev/null
    got=$?
    [ "$got" = "$status" ] || echo "exit status $got, wanted $status" >>"$log"
    [ "$got" = "$status" ] && { [ "$code" = - ] || grep -qF "tfaas: $code: " "$log"; }
    count $? "$title"
}

says() { # NAME TEXT: the last command's output has TEXT
    grep -qF -e "$2" "$log"
    count $? "$1"
}

usage() {
    local verb
    exits "help" 0 - help
    for verb in "${verbs[@]}"; do
        grep -q "^  $verb " "$log" || echo "$verb is not listed" >>"$log"
        ! grep -q "$verb is not listed" "$log"
        count $? "help lists $verb"
    done
    is "help lists nothing else" "${#verbs[@]}" grep -c '^  [a-z]' <(cli help)
    for verb in "${verbs[@]}"; do
        exits "help $verb" 0 - help "$verb"
        says "help $verb shows its synopsis" "tfaas $verb "
        exits "$verb --help" 0 - "$verb" --help
    done
    exits "no verb" 2 -
    exits "an unknown verb" 2 usage frobnicate
    exits "help for an unknown verb" 2 usage help frobnicate
    exits "an unknown option" 2 usage pack p --frobnicate
    exits "an option without its value" 2 usage pack p --out
    exits "a flag with a value" 2 usage ls --json=no
    exits "--allow-sim=no is not --allow-sim" 2 usage attest x --policy p --allow-sim=no
    exits "no number" 2 usage pack p --out o --version 1x
    exits "a number over 64 bits" 2 usage pack p --out o --version 18446744073709551616
    exits "too few operands" 2 usage sign
    exits "too many operands" 2 usage verify a b --domain c
    exits "no host there" 2 io ls --host "$work/none.sock"
    says "and says what to do" "TFAAS_HOST"
    exits "no enclave there" 2 io attest x --policy "$work/policy.json" \
        --connect 127.0.0.1:1
}

# Literal lines of a manual page's source; one that is continued below is joined.
literal_lines() { # FILE
    awk '/^```/ { inside = !inside; next }
        !inside { next }
        /^ / { sub(/^ +/, " "); line = line $0; next }
        { if (line != "") print line; line = $0 }
        END { print line }' "$1"
}

# The synopses in the manuals are those of the programs, verb by verb.
manual() {
    local verb
    literal_lines "$root/doc/man/tfaas.1.scd" >"$work/synopses"
    for verb in "${verbs[@]}"; do
        is "the manual has the synopsis of $verb" "$(cli help "$verb" | sed '/^$/Q' | tr -s ' \n' ' ' | sed 's/ $//')" \
            grep "^tfaas $verb " "$work/synopses"
    done
    is "the manual has no other verb" "${#verbs[@]}" grep -c . "$work/synopses"
    is "the manual has the synopsis of tfaasd" \
        "$("$bin/tfaasd" --help | sed 's/^usage: //' | tr -s ' \n' ' ')" \
        synopsis_of_daemon
    ok "the manuals are written in scdoc" pages_build
}

synopsis_of_daemon() { literal_lines "$root/doc/man/tfaasd.8.scd" | tr -s ' \n' ' '; }

pages_build() {
    local page
    command -v scdoc >/dev/null || return 0 # a tool of who builds packages
    for page in "$root"/doc/man/*.scd; do
        scdoc <"$page" >/dev/null || return 1
    done
}

projects() {
    local t
    for t in fetch event module; do
        exits "init --template $t" 0 - init "$work/my-$t" --template "$t"
        exits "it packs" 0 - pack "$work/my-$t" --out "$work/my-$t.tfb"
        exits "init again overwrites nothing" 2 usage init "$work/my-$t"
    done
    exits "init without a template" 0 - init "$work/plain"
    is "is fetch" "" diff "$work/plain/main.js" "$work/my-fetch/main.js"
    exits "an unknown template" 2 usage init "$work/other" --template rust
    exits "a folder that names no lambda" 2 usage init "$work/Not_A_Name"
    exits "a folder in no folder" 2 io init "$work/no/where"
    exits "a folder without a project" 2 io pack "$work" --out "$work/none.tfb"
    says "and how to start one" "tfaas init"
}

keys() {
    local a
    for a in ed25519 p256; do
        exits "key new --alg $a" 0 - key new "$work/$a.pem" --alg "$a"
        is "only its owner reads it" 600 stat -c %a "$work/$a.pem"
        is "OpenSSL reads it and its public half" "" \
            diff <(openssl pkey -in "$work/$a.pem" -pubout) "$work/$a.pem.pub"
        is "the key's id is SHA-256 of its SubjectPublicKeyInfo" \
            "keyid $(openssl pkey -in "$work/$a.pem" -pubout -outform DER | sha256sum |
                cut -d' ' -f1)" cli key show "$work/$a.pem"
        is "and is told from that half alone" "$(cli key show "$work/$a.pem")" \
            cli key show "$work/$a.pem.pub"
        cp "$work/$a.pem" "$work/before"
        exits "a key is not overwritten" 2 usage key new "$work/$a.pem"
        is "and is as it was" "" diff "$work/before" "$work/$a.pem"
    done
    exits "another algorithm" 2 usage key new "$work/rsa.pem" --alg rsa
    ok "none was written" test ! -e "$work/rsa.pem"
    exits "a key that is none" 2 format key show "$work/plain/main.js"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$work/p384.pem"
    exits "a key on another curve" 2 format key show "$work/p384.pem"
    exits "a key in no folder" 2 io key new "$work/no/where.pem"
    exits "ca new" 0 - ca new --name "Test CA" --out "$work/ca"
    is "only its owner reads its key" 600 stat -c %a "$work/ca.key"
    ok "it verifies itself" openssl verify -x509_strict -CAfile "$work/ca.pem" \
        "$work/ca.pem"
    exits "a CA is not overwritten" 2 usage ca new --name "Test CA" --out "$work/ca"
    exits "ca new without a name" 2 usage ca new --out "$work/ca2"
}

domains() {
    local list=() i
    exits "domain new" 0 - domain new --name acme --publisher "$work/publisher.pem.pub" \
        --publisher "$work/p256.pem.pub" --out "$work/domain.json"
    says "prints the SHA-256 of the file" "domain $(sha256sum <"$work/domain.json" |
        cut -d' ' -f1)"
    ok "another one" cli domain new --name other --publisher "$work/ed25519.pem.pub" \
        --out "$work/other.json"
    exits "a bad name" 1 domain-format domain new --name A.B \
        --publisher "$work/publisher.pem.pub" --out "$work/bad.json"
    exits "a private key as publisher" 2 format domain new --name acme \
        --publisher "$work/publisher.pem" --out "$work/bad.json"
    exits "no publisher" 2 usage domain new --name acme --out "$work/bad.json"
    for ((i = 0; i < 9; i++)); do
        list+=(--publisher "$work/publisher.pem.pub")
    done
    exits "nine publishers" 1 domain-format domain new --name acme "${list[@]}" \
        --out "$work/bad.json"
    ok "nothing was written" test ! -e "$work/bad.json"
}

policies() {
    local root_key=MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=
    local e=${engines[0]} args
    exits "image key" 0 - image key "$work/operator.pem"
    exits "an image key is not overwritten" 2 usage image key "$work/operator.pem"
    exits "image sign" 0 - image sign "$bin/$e.img" --key "$work/operator.pem" \
        --out "$work/$e.sig" --prodid 1 --svn 1
    exits "image show" 0 - image show "$work/$e.sig"
    exits "an image signed with a publisher's key" 1 image-key image sign "$bin/$e.img" \
        --key "$work/publisher.pem" --out "$work/bad.sig"
    args=(policy new --image "$work/$e.sig" --domain "$work/domain.json")
    exits "policy new" 0 - "${args[@]}" --out "$work/policy.json"
    is "has the measurement" \
        "$(cli image measure "$bin/$e.img" --json | jq -r .mrenclave)" \
        jq -r '.measurements[0]' "$work/policy.json"
    is "has the domain and no simulator" "$(sha256sum <"$work/domain.json" |
        cut -d' ' -f1) null" \
        jq -r '"\(.domain) \(.insecure_sim_root)"' "$work/policy.json"
    exits "policy new with a simulator's root" 0 - "${args[@]}" --sim-root "$root_key" \
        --out "$work/policy.json"
    says "says what that is good for" SIMULATED
    exits "a root that is none" 1 policy-format "${args[@]}" --sim-root AAAA \
        --out "$work/bad.json"
    exits "the root of a host that is not there" 2 io "${args[@]}" --sim-root host \
        --host "$work/none.sock" --out "$work/bad.json"
    head -c 1807 "$work/$e.sig" >"$work/short.sig"
    exits "a SIGSTRUCT cut short" 1 image-signature policy new --image "$work/short.sig" \
        --domain "$work/domain.json" --out "$work/bad.json"
    exits "a domain that is none" 1 domain-format policy new --image "$work/$e.sig" \
        --domain "$work/policy.json" --out "$work/bad.json"
    exits "no image" 2 usage policy new --domain "$work/domain.json" \
        --out "$work/bad.json"
    ok "nothing was written" test ! -e "$work/bad.json"
}

# project JSON: a project folder with that tfaas.json and one file.
project() {
    rm -rf "$work/odd"
    mkdir -p "$work/odd"
    printf '%s' "$1" >"$work/odd/tfaas.json"
    echo 'exports.fetch = function () {};' >"$work/odd/main.js"
}

packing() {
    local good='"name": "odd", "version": 1, "entry": "main.js", "domains": ["odd.test"]'
    exits "no project there" 2 io pack "$work/none" --out "$work/bad.tfb"
    project '{'
    exits "a project that is no JSON" 1 manifest-json pack "$work/odd" \
        --out "$work/bad.tfb"
    printf '{\n  "name": "odd" "version": 1\n}' >"$work/odd/tfaas.json"
    fails "it is said where" "line 2, column 25" cli pack "$work/odd" --out "$work/bad.tfb"
    project '[]'
    exits "a project that is a list" 1 manifest-field pack "$work/odd" \
        --out "$work/bad.tfb"
    project "{$good, \"name\": \"odd\"}"
    exits "a key twice" 1 manifest-keys pack "$work/odd" --out "$work/bad.tfb"
    project "{$good, \"more\": 1}"
    exits "an unknown field" 1 manifest-field pack "$work/odd" --out "$work/bad.tfb"
    fails "which is named" more cli pack "$work/odd" --out "$work/bad.tfb"
    project "{$good, \"limits\": {\"steps\": 0}}"
    fails "a wrong value's field, too, with what it is to be" \
        '`limits` has a wrong value: it is to be an object of integers: steps (at most 2000000000)' \
        cli pack "$work/odd" --out "$work/bad.tfb"
    project "{${good/\"version\": 1, /}}"
    fails "and one that is missing" "is missing: it is to be an integer" cli pack "$work/odd" \
        --out "$work/bad.tfb"
    project "{$good, \"files\": \"main.js\"}"
    exits "files that are no list" 1 manifest-field pack "$work/odd" --out "$work/bad.tfb"
    project "{$good, \"files\": [\"../odd/main.js\"]}"
    exits "a ../ path" 1 bundle-path pack "$work/odd" --out "$work/bad.tfb"
    project "{$good, \"files\": [\"none.js\"]}"
    exits "a file that is not there" 2 io pack "$work/odd" --out "$work/bad.tfb"
    project "{$good, \"files\": [\"main.js\", \"main.js\"]}"
    exits "a file twice" 1 bundle-duplicate pack "$work/odd" --out "$work/bad.tfb"
    project "{$good}"
    ln -s /etc/hostname "$work/odd/link.js"
    exits "a symbolic link" 1 bundle-type pack "$work/odd" --out "$work/bad.tfb"
    rm "$work/odd/link.js"
    touch "$work/odd/white space.js"
    exits "an odd name" 1 bundle-path pack "$work/odd" --out "$work/bad.tfb"
    rm "$work/odd/white space.js"
    exits "a bad --name" 1 manifest-field pack "$work/odd" --name A_B \
        --out "$work/bad.tfb"
    exits "a --name that is no UTF-8" 1 manifest-field pack "$work/odd" --name $'\xff' \
        --out "$work/bad.tfb"
    exits "a bad --domain" 1 manifest-field pack "$work/odd" --domain '*.test' \
        --out "$work/bad.tfb"
    exits "no --out" 2 usage pack "$work/odd"
    ok "nothing was written" test ! -e "$work/bad.tfb"
    touch "$work/odd/.hidden" "$work/odd/old.tfb"
    ok "dot files and bundles are left out" cli pack "$work/odd" --out "$work/one.tfb"
    is "so there is one file" "tfaas.dsse main.js" list_names "$work/one.tfb"
    touch -d '2001-01-01' "$work/odd/main.js"
    chmod 600 "$work/odd/main.js"
    ok "pack again, with other times and modes" cli pack "$work/odd" --out "$work/two.tfb"
    is "the same project gives the same bytes" "" cmp "$work/one.tfb" "$work/two.tfb"
}

list_names() { tar -tf "$1" | paste -sd' '; }

signing() {
    mkdir -p "$work/shop/lib"
    echo 'exports.a = 1;' >"$work/shop/lib/a.js"
    lambda shop <<<'exports.fetch = function () { return new Response("shop\n"); };'
    ok "pack" cli pack "$work/shop" --out "$work/shop.tfb" --engine quickjs
    exits "unsigned is not good" 1 dsse-format verify "$work/shop.tfb" \
        --domain "$work/domain.json"
    exits "sign with another file's key" 2 format sign "$work/shop.tfb" \
        --key "$work/shop/main.js"
    exits "sign what is no bundle" 1 bundle-tar sign "$work/shop/main.js" \
        --key "$work/publisher.pem"
    head -c 1024 /dev/zero >"$work/empty.tfb"
    exits "sign an empty archive" 1 bundle-tar sign "$work/empty.tfb" \
        --key "$work/publisher.pem"
    exits "sign" 0 - sign "$work/shop.tfb" --key "$work/publisher.pem"
    exits "verify" 0 - verify "$work/shop.tfb" --domain "$work/domain.json" \
        --engine quickjs
    is "verify --json" "shop 1 2 $(cli key show "$work/publisher.pem" | cut -d' ' -f2)" \
        verify_json "$work/shop.tfb"
    ok "sign with P-256 into another file" cli sign "$work/shop.tfb" \
        --key "$work/p256.pem" --out "$work/p256.tfb"
    is "is good, and by that key" "shop 1 2 $(cli key show "$work/p256.pem" |
        cut -d' ' -f2)" verify_json "$work/p256.tfb"
    exits "another trust domain" 1 dsse-signer verify "$work/shop.tfb" \
        --domain "$work/other.json"
    exits "another engine" 1 manifest-engine verify "$work/shop.tfb" \
        --domain "$work/domain.json" --engine duktape
    exits "no domain there" 2 io verify "$work/shop.tfb" --domain "$work/none.json"
    exits "no bundle there" 2 io verify "$work/none.tfb" --domain "$work/domain.json"
    truncate -s $((10 * 1024 * 1024 + 1)) "$work/large.tfb"
    exits "a file over the limit" 1 limit verify "$work/large.tfb" \
        --domain "$work/domain.json"
}

verify_json() {
    cli verify "$1" --domain "$work/domain.json" --json |
        jq -r '"\(.name) \(.version) \(.files) \(.signer)"'
}

refuse() { # KIND CODE TITLE FILE
    exits "verify refuses $3 ($1: $2)" 1 "$2" verify "$4" --domain "$work/domain.json"
}

# leaves_no_core FILE: a tfaas that reads it, though the limit was another one.
leaves_no_core() (
    mkfifo "$1" && ulimit -c 1000 || exit 1
    "$bin/tfaas" policy check "$1" >/dev/null 2>&1 &
    until_ok 50 grep -q '^Max core file size  *0 ' "/proc/$!/limits"
    status=$?
    : >"$1"
    wait "$!"
    exit "$status"
)

ok "its memory gets into no core file" leaves_no_core "$work/slow"
ok "a publisher's key" cli key new "$work/publisher.pem"
projects
keys
domains
policies
usage
manual
packing
signing
each_bad_bundle "$work/shop.tfb" refuse
exits "and the good one is good" 0 - verify "$work/shop.tfb" --domain "$work/domain.json"
finish
