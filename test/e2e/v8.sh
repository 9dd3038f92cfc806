#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/v8.sh - lambdas on V8 in a native runtime, beside an enclave with QuickJS: attested
# by the runtime's measurement (SIMULATED), fresh for each request, ended at their limits; the
# process dies and comes back with its grants while the neighbour serves.
# Skipped where `make v8` has not been run.
if [ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ]; then
    echo "SKIP  lambdas on V8: no runtime in ${TFAAS_BIN:-build}/v8: make v8 (needs npm once)"
    echo "1 passed, 0 failed"
    exit 0
fi
export TFAAS_ENGINES="quickjs v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

v8_pid() { admin GET /v1/workers | jq -r '.workers[] | select(.engine == "v8") | .pid'; }
v8_starts() { admin GET /v1/workers | jq -r '.workers[] | select(.engine == "v8") | .starts'; }
# never_unlocked: no thread of it is without a filter of system calls.
never_unlocked() {
    local all
    all=$(cat /proc/"$(v8_pid)"/task/*/status) && ! grep -E '^Seccomp:' <<<"$all" | grep -v 2
}
attest() { tf attest first --policy "$1" "${@:2}"; }

need "tfaasd starts with an image and a runtime" host_start
need "a publisher is set up" publisher_new
need "the publisher measures the runtime" tf image measure "$bin/v8" --json
is "as the host does" "$(jq -r .mrenclave "$work/tfaas.log")" \
    jq -rn "$(admin GET /v1/info) | .engines.v8.mrenclave"

lambda first '{"steps": 50000000}' <<'JS'
let count = 0;
exports.fetch = async function (request) {
    const path = new URL(request.url).pathname;
    if (path === "/spin") { for (;;) {} }
    if (path === "/regexp") { return new Response(/^(a+)+$/.test("a".repeat(64) + "b")); }
    if (path === "/eat") { const a = []; for (;;) { a.push(new Array(1000).fill(a.length)); } }
    if (path === "/buffers") { const a = []; for (;;) { a.push(new Uint8Array(1 << 20)); } }
    if (path === "/string") { let s = "x"; for (;;) { s += s; s.charCodeAt(1); } }
    if (path === "/flat") { return new Response("\u1234".repeat(1 << 26).charCodeAt(1)); }
    if (path === "/fatal") { return new Response("x".repeat(1 << 28).split("").length); }
    if (path === "/deep") { return (function f() { return f() + 1; })(); }
    if (path === "/what") {
        return new Response([typeof WebAssembly, typeof SharedArrayBuffer, typeof Atomics,
            typeof process, typeof require("./main.js"), Date.now() === Date.now()].join());
    }
    if (path === "/eval") { return new Response(String((() => 0).constructor("return 1")())); }
    return new Response("first " + ++count + " " + await request.text());
};
JS
lambda second <<'JS'
exports.fetch = () => new Response("second");
JS
lambda beside <<'JS'
exports.fetch = function () { return new Response("beside"); };
JS
need "a lambda is published on V8" publish first v8
need "another one too" publish second v8
need "a neighbour is published on QuickJS" publish beside quickjs
ok "all its threads are locked in" never_unlocked
ok "it is attested by its measurement" attest "$work/policy.json" --allow-sim
need "as JSON, too" attest "$work/policy.json" --allow-sim --json
is "as what it is: no enclave, simulated" "true v8" \
    jq -r '"\(.native and .simulated) \(.engine)"' "$work/tfaas.log"
fails "but not without --allow-sim" evidence-simulated attest "$work/policy.json"
tf policy new --image "$work/quickjs.sig" --domain "$work/domain.json" --sim-root host \
    --out "$work/images.json"
fails "nor by a policy that lists only images" policy-measurement attest "$work/images.json" \
    --allow-sim
is "it answers" "first 1 body" ask first / -d body
is "each request finds the state after the top level" "first 1 again" ask first / -d again
is "what the engine could do is not there" "undefined,undefined,undefined,undefined,object,true" \
    ask first /what

for path in spin regexp eat buffers string flat deep eval; do
    is "a request to /$path fails" 5 bash -c "printf '%.1s' $(status_of first "/$path")"
    is "and the next is served" "first 1 x" ask first / -d x
done
tells_why() {
    tf logs first --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim &&
        cp "$work/tfaas.log" "$work/why"
}
ok "its publisher is told why" tells_why
ok "with what was thrown" grep -q "  exception  .*EvalError: code generation" "$work/why"
ok "and what was too much" grep -q '  steps  ' "$work/why"
is "the other lambda answers, too" second ask second /

# What V8 cannot survive: an array that it cannot make.
fails "a fatal error ends the connection" "Empty reply" ask first /fatal
is "and the process, but not the neighbour" beside ask beside /
ok "the runtime comes back" until_ok 100 ask first /
is "with all its grants" second ask second /
is "as its second process" 2 v8_starts

pid=$(v8_pid)
kill -USR1 "$pid"
is "no signal wakes node's debugger" "first 1 x" ask first / -d x
ok "and it lives" test "$(v8_pid)" = "$pid"
kill -KILL "$pid"
is "killed, it takes the neighbour nothing" beside ask beside /
ok "and it comes back" until_ok 100 ask first /
ok "as another process" test "$(v8_pid)" != "$pid"

# As a confidential VM that this machine is not: nothing vouches for it, so nothing is granted.
host_stop
engines=(v8)
need "the host starts as a guest of a TEE" host_start --backend tsm
is "and does not say that it is simulated" false jq -rn "$(admin GET /v1/info) | .simulated"
ok "the runtime serves" until_ok 100 deploy first v8
fails "it gets no evidence" quote attest "$work/policy.json" --allow-sim
fails "an image is no native engine" usage "$bin/tfaasd" --state "$work/x" --listen 127.0.0.1:1 \
    --image "quickjs=$bin/quickjs.img,$work/quickjs.sig" --backend tsm
finish
