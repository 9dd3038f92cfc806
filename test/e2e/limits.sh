#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Hostile lambdas end within their limits with a plain 5xx, and a neighbour in the same
# enclave answers while they run and afterwards; the worker is never restarted.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

limits='{"steps": 20000000, "memory": 8388608}'
hostile=(loop-top loop-handler loop-getter loop-tostring loop-jobs recurse allocate double
    never throw)

# source_of KIND
source_of() {
    case $1 in
    loop-top) echo 'for (;;) {} exports.fetch = function () { return new Response("x"); };' ;;
    loop-handler) echo 'exports.fetch = function () { for (;;) {} };' ;;
    loop-getter)
        echo 'exports.handler = function () { return { get statusCode() { for (;;) {} } }; };'
        ;;
    loop-tostring)
        echo 'exports.handler = function () {
            return { statusCode: 200, body: { toString: function () { for (;;) {} } },
                headers: { get x() { for (;;) {} } } };
        };'
        ;;
    loop-jobs)
        echo 'exports.fetch = function () {
            return Promise.resolve().then(function again() {
                return Promise.resolve().then(again);
            });
        };'
        ;;
    recurse) echo 'function f(n) { return f(n + 1) + 1; } exports.fetch = function () { return new Response(String(f(0))); };' ;;
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
    never) echo 'exports.fetch = function () { return new Promise(function () {}); };' ;;
    throw) echo 'exports.fetch = function () { throw new Error("secret-detail"); };' ;;
    esac
}

is_refusal() { # NAME: a plain 5xx that says nothing about the inside
    local status
    status=$(ask "$1" / -o "$work/said" -w '%{http_code}') || return 1
    echo "status $status"
    ! grep -q 'secret-detail' "$work/said" || return 1
    case $status in
    500 | 503 | 504) ;;
    *) return 1 ;;
    esac
}

neighbour_answers() { [ "$(ask "hello-$engine" /)" = hello ]; }

# The hostile one runs in the background while the neighbour is asked.
both() { # NAME
    local other result=0
    is_refusal "$1" >"$work/hostile.log" 2>&1 &
    other=$!
    sleep 0.1
    neighbour_answers || result=1
    wait "$other" || {
        cat "$work/hostile.log"
        return 1
    }
    [ "$result" = 0 ] || echo "the neighbour did not answer"
    return "$result"
}

starts() { # how often the workers were started, in all
    admin GET /v1/workers | jq '[.workers[].starts] | add'
}

ok "the platform starts" host_start
ok "a publisher" publisher_new
for engine in "${engines[@]}"; do
    lambda "hello-$engine" <<<'exports.fetch = function () { return new Response("hello"); };'
    ok "$engine: a neighbour answers" publish "hello-$engine" "$engine"
    started=$(starts)
    for kind in "${hostile[@]}"; do
        name=$kind-$engine
        source_of "$kind" | lambda "$name" "$limits"
        ok "$engine: $kind is deployed" publish "$name" "$engine"
        ok "$engine: $kind ends, the neighbour answers meanwhile" both "$name"
        ok "$engine: $kind ends a second time" is_refusal "$name"
        ok "$engine: the neighbour answers after $kind" neighbour_answers
        tf rm "$name"
    done
    is "$engine: no worker was restarted" "$started" starts
done
finish
