#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/neighbour.sh [SECONDS] [ROUNDS]: the p99 of a neighbour's `echo` on one connection, idle
# and while hostile lambdas of the pack (test/attack/pack/) compute on its thread without end,
# interleaved: idle, attack, idle, attack ... Server on core 0; this script, wrk and the attackers'
# clients, which wait most of the time, on core 1. About three minutes by default. As root (wrk takes
# the TLS name from the URL: a hosts file in a mount namespace). One line an engine and attack:
#   ENGINE ATTACK: p99 idle and under attack, medians over the rounds, the quantum (16,384 steps of
#   a loop), and whether p99 <= 2 x idle + quantum, and <= idle + 2 ms: `holds` or `falls short`
# Exit status 1 if a line falls short. Not part of ./check: on a busy machine it says little.
# On V8, where nobody interrupts a lambda (SECURITY.md), the attackers are in a trust domain of
# their own, hence in another process on the same core: within one process a neighbour waits.
#
#   TFAAS_ENGINES   ("quickjs duktape mujs")
#   TFAAS_ATTACKS   names of the pack
export TFAAS_ENGINES=${TFAAS_ENGINES:-quickjs duktape mujs}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../test/e2e/lib.sh"
seconds=${1:-1} rounds=${2:-3}
read -r -a attacks <<<"${TFAAS_ATTACKS:-loop-for regexp-nested-plus native-json-parse \
native-fill-typed memory-arrays recursion-caught}"
askers=4 # of each attack
short=0 hosts=$work/hosts
taskset -cp 1 $$ >/dev/null # and so what it starts, but the server

# hostile NAME ENGINE: the attack as a lambda of its own, which may run for very long
hostile() {
    awk -v n="$1" '$1 == "//#" { on = $2 == n; next } on' test/attack/pack/*.js |
        lambda "$1-$2" '{"steps": 2000000000}' || return 1
    if is_native "$2"; then publish_apart "$1-$2" "$2"; else publish "$1-$2" "$2"; fi
}

# publish_apart NAME ENGINE: in the attackers' domain
publish_apart() {
    [ -f "$work/attackers.json" ] || tf domain new --name attackers \
        --publisher "$work/publisher.pem.pub" --out "$work/attackers.json" || return 1
    # shellcheck disable=SC2046
    tf policy new $(trusted "$2") --domain "$work/attackers.json" --sim-root host \
        --out "$work/attackers.policy" && bundle "$1" &&
        tf deploy "$work/$1.tfb" --domain "$work/attackers.json" --engine "$2" &&
        grant_by "$work/attackers.policy" "$1" --allow-sim
}

# quantum ENGINE: ms of 16,384 steps, by a spinner's 100 million
quantum() {
    ask "timed-$1" / -o /dev/null -w '%{time_total}\n' --max-time 120 |
        awk '{ printf "%.2f", $1 * 1000 * 16384 / 100000000 }'
}

p99() { # NAME: in ms
    local host=$1.test
    unshare -m sh -c "mount --bind '$hosts' /etc/hosts && exec wrk -t1 -c1 \
        -d${seconds}s --latency -s bench/echo.lua https://$host:$port/" |
        awk '$1 == "99%" { v = $2; u = 1; if (v ~ /us$/) { u = 0.001 } else if (v !~ /ms$/) { u = 1000 }
            sub(/[a-z]+$/, "", v); printf "%.3f\n", v * u }'
}

attackers=()
attack() { # NAME
    local i
    for ((i = 0; i < askers; i++)); do
        ask "$1" '/?[1-100000]' --max-time 600 -o /dev/null >/dev/null 2>&1 &
        attackers+=($!)
    done
    sleep 0.3
}
attack_end() {
    end_jobs "${attackers[@]}"
    attackers=()
    sleep 0.5
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

compare() { # ENGINE ATTACK
    local i idle=() busy=() line
    for ((i = 0; i < rounds; i++)); do
        idle+=("$(p99 "neighbour-$1")")
        attack "$2-$1"
        busy+=("$(p99 "neighbour-$1")")
        attack_end
    done
    line=$(awk -v idle="$(printf '%s\n' "${idle[@]}" | median)" -v busy="$(printf '%s\n' "${busy[@]}" | median)" \
        -v q="$quantum" 'function said(is) { return is ? "holds" : "falls short" }
        BEGIN { printf "idle %.2f ms, under attack %.2f ms, quantum %.2f ms; 2 x idle + quantum: %s; idle + 2 ms: %s",
            idle, busy, q, said(busy <= 2 * idle + q), said(busy <= idle + 2) }')
    printf '%-8s %-24s %s\n' "$1" "$2" "$line"
    [[ $line != *short* ]] || short=1
}

setup() {
    local e name
    under=(taskset -c 0)
    host_start --threads 1 && publisher_new || return 1
    cp /etc/hosts "$hosts"
    for e in "${engines[@]}"; do
        lambda "neighbour-$e" <examples/echo/main.js && publish "neighbour-$e" "$e" || return 1
        echo 'exports.fetch = function () { for (;;) {} };' | lambda "timed-$e" '{"steps": 100000000}'
        publish "timed-$e" "$e" || return 1
        for name in "${attacks[@]}"; do hostile "$name" "$e" || return 1; done
        echo "127.0.0.1 neighbour-$e.test" >>"$hosts"
    done
}
setup >"$work/setup.log" 2>&1 || { cat "$work/setup.log"; exit 1; }
for e in "${engines[@]}"; do
    quantum=$(quantum "$e")
    for name in "${attacks[@]}"; do compare "$e" "$name"; done
done
exit $short
