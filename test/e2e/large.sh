#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Lambdas with the largest heaps beside small ones, on one thread: as many as a thread has
# lanes fill 40 MiB each at the same time and small ones answer meanwhile; while one spins
# with its heap full, other large ones and small ones answer; who wants more than the limit
# gets the reason, each time the same; nothing of it costs the instance.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

limits='{"steps": 400000000, "memory": 50331648}'
large=5 # more than lanes

# Arrays of numbers: QuickJS and Duktape need 16 bytes or less for each, MuJS more.
filler() { # MIB THEN
    cat <<TXT
exports.fetch = function () {
    var kept = [];
    for (var i = 0; i < $1 * 16; i++) {
        kept.push(new Uint8Array(65536));
        kept[i][i] = 1;
    }
    $2
    return new Response("kept " + kept.length);
};
TXT
}

answers() { # NAME TEXT
    local got
    got=$(ask "$1" / --max-time 60)
    echo "$1: $got"
    [ "$got" = "$2" ]
}

# All large ones and, as often, a small one at once.
together() {
    local i pids=() good=0
    for ((i = 0; i < large; i++)); do
        answers "large$i-$engine" "kept 640" &
        pids+=($!)
        answers "small-$engine" hello &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" && good=$((good + 1))
    done
    echo "$good of $((2 * large)) answered"
    [ "$good" = $((2 * large)) ]
}

# beside_a_spinner: it holds a full heap until its steps end; the others are answered before.
beside_a_spinner() {
    local i
    rm -f "$work/spun"
    (
        status_of "spin-$engine" / --max-time 60 >"$work/spin.status"
        touch "$work/spun"
    ) &
    local spinner=$!
    sleep 0.2
    answers "small-$engine" hello && touch "$work/small"
    for ((i = 0; i < 2; i++)); do
        answers "large$i-$engine" "kept 640" || touch "$work/lost"
    done
    wait "$spinner"
    echo "spinner: $(cat "$work/spin.status")"
    [ "$work/small" -ot "$work/spun" ] && [ ! -e "$work/lost" ] &&
        [ "$(cat "$work/spin.status")" = 503 ]
}

too_large() {
    local i status before
    before=$(wc -l <"$work/tfaasd.log")
    for i in 1 2 3; do
        status=$(status_of "more-$engine" / --max-time 60)
        [ "$status" = 503 ] || return 1
    done
    [ "$(tail -n "+$((before + 1))" "$work/tfaasd.log" |
        grep -c 'event=lambda-failed .*error=memory')" = 3 ]
}

need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
for engine in "${engines[@]}"; do
    is_native "$engine" && continue # its memory is V8's
    lambda "small-$engine" <<<'exports.fetch = function () { return new Response("hello"); };'
    need "$engine: a small one" publish "small-$engine" "$engine"
    for ((i = 0; i < large; i++)); do
        filler 40 "" | lambda "large$i-$engine" "$limits"
        need "$engine: large one $i" publish "large$i-$engine" "$engine"
    done
    filler 40 "for (;;) {}" | lambda "spin-$engine" "$limits"
    need "$engine: one that spins" publish "spin-$engine" "$engine"
    filler 60 "" | lambda "more-$engine" "$limits"
    need "$engine: one that wants more" publish "more-$engine" "$engine"
    started=$(all_starts)
    ok "$engine: $large large ones and small ones at once" together
    ok "$engine: beside one that spins with a full heap" beside_a_spinner
    ok "$engine: beyond the limit, the same reason each time" too_large
    is "$engine: no worker restarted" "$started" all_starts
done
host_stop
finish
