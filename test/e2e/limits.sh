#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Hostile lambdas end within their limits, for the reason they should, with a plain 5xx; a
# neighbour in the same enclave answers while they run and afterwards; no worker restarts.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

limits='{"steps": 20000000, "memory": 8388608}'
long='{"steps": 800000000}' # two seconds or more

# What it does, the status it gets, the reason in the host's log (lib/err.c).
hostile=(
    "loop-top 503 steps"
    "loop-handler 503 steps"
    "loop-getter 503 steps"
    "loop-field 503 steps"
    "loop-sort 503 steps"
    "loop-native 503 steps"
    "loop-regexp 503 steps"
    "loop-jobs 503 (steps|memory)"
    "recurse 503 stack"
    "allocate 503 memory"
    "double 503 memory"
    "buffers 503 memory"
    "never 504 pending"
    "throw 500 exception"
    "nonsense 500 response"
)

# source_of KIND
source_of() {
    case $1 in
    loop-top) echo 'for (;;) {} exports.fetch = function () { return new Response("x"); };' ;;
    loop-handler) echo 'exports.fetch = function () { for (;;) {} };' ;;
    loop-getter)
        echo 'exports.handler = function () { return { get statusCode() { for (;;) {} } }; };'
        ;;
    loop-field)
        echo 'exports.handler = function () {
            return { statusCode: 200, body: "", headers: { get x() { for (;;) {} } } };
        };'
        ;;
    loop-sort)
        echo 'exports.fetch = function () {
            return [2, 1].sort(function () { for (;;) {} });
        };'
        ;;
    loop-native)
        echo 'exports.fetch = function () {
            for (;;) { Array.prototype.indexOf.call({ length: 1 << 27 }, 1); }
        };'
        ;;
    loop-regexp)
        echo 'exports.fetch = function () { /^(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"); };'
        ;;
    loop-jobs)
        echo 'exports.fetch = function () {
            return Promise.resolve().then(function again() {
                return Promise.resolve().then(again);
            });
        };'
        ;;
    recurse)
        echo 'function f(n) { return f(n + 1) + 1; }
            exports.fetch = function () { return new Response(String(f(0))); };'
        ;;
    allocate)
        echo 'exports.fetch = function () {
            var a = [];
            for (;;) { a.push([a.length, { a: a.length }]); }
        };'
        ;;
    double)
        echo 'exports.fetch = function () {
            var s = "x";
            for (;;) { s += s; }
        };'
        ;;
    buffers)
        echo 'exports.fetch = function () {
            var a = [];
            for (;;) { a.push(new Uint8Array(100000)); }
        };'
        ;;
    never) echo 'exports.fetch = function () { return new Promise(function () {}); };' ;;
    throw) echo 'exports.fetch = function () { throw new Error("secret-detail"); };' ;;
    nonsense) echo 'exports.fetch = function () { return 7; };' ;;
    esac
}

# ends NAME STATUS REASON: and the client learns nothing but an id.
ends() {
    local before status
    before=$(wc -l <"$work/tfaasd.log")
    status=$(ask "$1" / -o "$work/said" -w '%{http_code}')
    echo "status $status: $(cat "$work/said")"
    tail -n +$((before + 1)) "$work/tfaasd.log"
    [ "$status" = "$2" ] && grep -qE '^error [0-9a-f]{16}$' "$work/said" &&
        until_ok 20 was_logged $((before + 1)) "event=lambda-failed .* lambda=$1 error=$3( |\$)"
}

# tells_publisher NAME REASON: which line of its log has the id that the client got last.
tells_publisher() {
    tf logs "$1" --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim &&
        sed -n 's/^error //p' "$work/said" | grep -F -f - "$work/tfaas.log" | grep -E "  $2( |\$)"
}

was_logged() { tail -n "+$1" "$work/tfaasd.log" | grep -E "$2" >/dev/null; }

lacks() { ! grep -q "$2" "$1"; }

neighbour_answers() { [ "$(ask "hello-$engine" / --max-time 30)" = hello ]; }

# meanwhile NAME: while NAME loops, six ask the neighbour. Each must be answered, and one at
# least before the loop ends: those on the loop's own thread wait for it.
meanwhile() {
    local i pids=() answered=0 early=0
    (
        status_of "$1" / >"$work/loop.status"
        touch "$work/loop.end"
    ) &
    local loop=$!
    sleep 0.2
    for i in 1 2 3 4 5 6; do
        (neighbour_answers && touch "$work/answer.$i") &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" && answered=$((answered + 1))
    done
    wait "$loop"
    for i in "$work"/answer.*; do
        [ "$i" -ot "$work/loop.end" ] && early=$((early + 1))
    done
    rm -f "$work"/answer.* "$work/loop.end"
    echo "loop: $(cat "$work/loop.status"); $answered answered, $early of them before it ended"
    [ "$(cat "$work/loop.status")" = 503 ] && [ "$answered" = 6 ] && [ "$early" != 0 ]
}

# refused NAME CODE TEXT: deploying it fails with this, and changes nothing.
refused() {
    bundle "$1" && ! deploy "$1" "$engine" && grep -E "^tfaas: $2: it does not load: $3" "$work/tfaas.log" &&
        ! tf ls | grep "^$1 "
}

# A message cannot end a line, or command a terminal.
is_plain() { ! LC_ALL=C grep -q '[^ -~]' "$work/tfaas.log"; }

# Who deploys a top level without end is refused, but an old store may hold one.
start_beside_untried hello loop-top "$(source_of loop-top)" "$limits"
need "somebody else has a key" tf key new "$work/other.pem"
for engine in "${engines[@]}"; do
    need "$engine: a neighbour answers" neighbour_answers
    started=$(all_starts)
    lambda "typo-$engine" <<<'exports.fetch = function () { return 1; '
    ok "$engine: what does not compile is told, with its line" \
        refused "typo-$engine" lambda-source "the engine.*: SyntaxError.*main\.js"
    lambda "thrown-$engine" <<<'

        throw new RangeError("\u001b[31mred\u2028\n\r");'
    ok "$engine: what is thrown is told, with its line" \
        refused "thrown-$engine" lambda-source "the engine.*: RangeError: .*main\.js:3"
    ok "$engine: and says nothing to the terminal" is_plain
    source_of loop-top | lambda "top-$engine" "$limits"
    ok "$engine: what never ends is told, with the limit" \
        refused "top-$engine" steps "its top level took all of limits.steps, 20000000"
    source_of loop-handler | lambda "long-$engine" "$long"
    ok "$engine: a long loop is deployed" publish "long-$engine" "$engine"
    ok "$engine: the neighbour answers while it loops" meanwhile "long-$engine"
    ok "$engine: the neighbour answers after it" neighbour_answers
    for row in "${hostile[@]}"; do
        read -r kind status reason <<<"$row"
        name=$kind-$engine
        if [ "$kind" != loop-top ]; then
            source_of "$kind" | lambda "$name" "$limits"
            ok "$engine: $kind is deployed" publish "$name" "$engine"
        fi
        ok "$engine: $kind ends with $status, $reason" ends "$name" "$status" "$reason"
        ok "$engine: $kind ends likewise again" ends "$name" "$status" "$reason"
        ok "$engine: its publisher is told, by the id" tells_publisher "$name" "$reason"
        [ "$kind" != throw ] || ok "$engine: and what was thrown, with its line" \
            grep -q 'Error: secret-detail .*main\.js:1' "$work/tfaas.log"
        ok "$engine: the neighbour answers after $kind" neighbour_answers
        ok "$engine: $kind is removed" tf rm "$name"
    done
    is "$engine: no worker was restarted" "$started" all_starts
    fails "$engine: others are told nothing" dsse-signer tf logs "hello-$engine" \
        --policy "$work/policy.json" --key "$work/other.pem" --allow-sim
done
ok "the host learned nothing of what was thrown" lacks "$work/tfaasd.log" secret-detail
finish
