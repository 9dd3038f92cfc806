#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A pack of hostile lambdas, more than a thread has slots, computes as long as it may, each asked
# by several clients at a time, on the one thread that a neighbour has too. The neighbour is
# asked, again and again, until the first of the pack has ended: it must have been answered many
# times by then. So too while a top level does not end. Only counts are compared, no times.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

askers=2 least=10 # requests of each lambda of the pack; answers of the neighbour

# What computes, and how many steps take a good part of a second.
pack=("loop 300000000" "call 8000000" "churn 8000000" "sort 8000000" "regexp 30000000"
    "text 4000000" "log 8000000")
source_of() {
    case $1 in
    loop) echo 'exports.fetch = function () { for (;;) {} };' ;;
    call)
        echo 'exports.fetch = function () {
            function f(x) { return [x, 1].sort(function (a, b) { return a - b; })[0]; }
            for (var i = 0;;) { i = f(i) & 1023; }
        };'
        ;;
    churn)
        echo 'exports.fetch = function () {
            for (var a = [];;) { a = [{ before: a.length, text: "x" + a.length }]; }
        };'
        ;;
    sort) echo 'exports.fetch = function () { for (;;) { [3, 1, 2, 5, 4].sort(); } };' ;;
    regexp)
        echo 'exports.fetch = function () {
            for (;;) { /^(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"); }
        };'
        ;;
    log) echo 'exports.fetch = function () { for (;;) { console.log("x", [1]); } };' ;;
    text)
        echo 'exports.fetch = function () {
            for (;;) { JSON.parse(JSON.stringify({ list: [1, 2, 3], text: "abc" })); }
        };'
        ;;
    top) echo 'for (;;) {} exports.fetch = function () { return new Response("x"); };' ;;
    esac
}

# attack NAME...: asks each for all clients; what each gets is in $work/end.*
attack() {
    local name i
    for name in "$@"; do
        for ((i = 0; i < askers; i++)); do
            (
                case $name in
                tried-*) deploy_refused "$name" ;;
                *) status_of "$name" / --max-time 120 ;;
                esac >"$work/status.$name.$i"
                mv "$work/status.$name.$i" "$work/end.$name.$i"
            ) &
        done
    done
}

# deploy_refused NAME: prints 503 if deploying it fails for its steps.
deploy_refused() {
    "$bin/tfaas" deploy "$work/$1.tfb" --domain "$work/domain.json" --engine "$engine" 2>&1 |
        sed -n 's/^tfaas: steps: .*/503/p'
}

has_end() { compgen -G "$work/end.*" >/dev/null; }

# outlast NAME...: the neighbour is answered often while they compute, and they end.
outlast() {
    local answered asker before f
    rm -f "$work"/end.* "$work/answers"
    ask "neighbour-$engine" '/?[1-100000]' --max-time 120 -o /dev/null \
        -w '%{stderr}%{http_code}\n' 2>"$work/answers" &
    asker=$!
    until_ok 300 grep -q '^200$' "$work/answers" # it is connected; the pack will be quick
    before=$(grep -c '^200$' "$work/answers")
    attack "$@"
    until_ok 1200 has_end
    answered=$(($(grep -c '^200$' "$work/answers") - before))
    end_jobs "$asker"
    wait_for_ends $(($# * askers)) || return 1
    echo "the neighbour was answered $answered times; the pack:" | tee -a "$work/counts"
    for f in "$work"/end.*; do
        echo "$(basename "$f"): $(cat "$f")"
        [ "$(cat "$f")" = 503 ] || return 1
    done
    [ "$answered" -ge "$least" ]
}

wait_for_ends() { until_ok 1200 are_ends "$1"; }
are_ends() { [ "$(compgen -G "$work/end.*" | wc -l)" = "$1" ]; }

start_beside_untried neighbour top "$(source_of top)" '{"steps": 500000000}'
for engine in "${engines[@]}"; do
    need "$engine: the neighbour answers" ask "neighbour-$engine" /
    started=$(all_starts)
    names=()
    for row in "${pack[@]}"; do
        read -r kind steps <<<"$row"
        source_of "$kind" | lambda "$kind-$engine" "{\"steps\": $steps}"
        ok "$engine: $kind is deployed" publish "$kind-$engine" "$engine"
        names+=("$kind-$engine")
    done
    ok "$engine: one of them, and the neighbour" outlast "${names[0]}"
    ok "$engine: all of them at once, and the neighbour" outlast "${names[@]}"
    ok "$engine: while a top level without end runs, the neighbour" outlast "top-$engine"
    source_of top | lambda "tried-$engine" '{"steps": 200000000}'
    need "$engine: another is made" bundle "tried-$engine"
    ok "$engine: while that is deployed, the neighbour" outlast "tried-$engine"
    is "$engine: no worker was restarted" "$started" all_starts
    for name in "${names[@]}"; do
        ok "$engine: $name is removed" tf rm "$name"
    done
done
finish
