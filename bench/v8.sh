#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/v8.sh [SECONDS] [ROUNDS]: examples on QuickJS (an enclave, SIMULATED), on V8 (a native
# runtime), each with a fresh heap for every request and with `"reuse": true`, and on the same node
# with its own https, interleaved in one run: wrk -t1 -c32, TLS 1.3, P-256, keep-alive, one thread of
# the worker, server on core 0, load on core 1. One line each, medians over the rounds: requests/s,
# p99 ms, CPU of the worker per request in us, errors; and V8's CPU with `reuse` by node's. Then what
# each of TF_TENANTS (20) further lambdas takes of V8's worker, after one request and a rest, and
# after it has computed. On a busy machine compare CPU. Needs `make all v8`.
set -euo pipefail
seconds=${1:-3} rounds=${2:-3}
export TFAAS_ENGINES="quickjs v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../test/e2e/lib.sh"
examples=(echo base64 cube3d)
# shellcheck source=bench/examples.sh
. bench/examples.sh

declare -A node_pid node_port
nodes_start() {
    local x own=$port
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/node.key" \
        -out "$work/node.pem" -subj /CN=node.test -days 2 || return 1
    for x in "${examples[@]}"; do
        free_port || return 1
        taskset -c 0 "$bin/v8/node" bench/peers/node.mjs "examples/$x/main.js" "$port" \
            "$work/node.pem" "$work/node.key" 2>>"$work/node.log" &
        node_pid[$x]=$! node_port[$x]=$port
        until_ok 50 curl -sk "https://127.0.0.1:$port/" || return 1
    done
    port=$own
}
trap 'kill "${node_pid[@]}" 2>/dev/null; leave' EXIT
one() { # NAME ENGINE
    local pid at=$port
    if [ "$2" = node ]; then
        pid=${node_pid[${1%%-*}]} at=${node_port[${1%%-*}]}
    else
        pid=$(worker "$2")
    fi
    measured "$1" "$pid" "$at"
}

need "tfaasd starts" host_start --threads 1 >&2
taskset -apc 0 "$daemon" >/dev/null
need "a publisher is set up" publisher_new >&2
need "the examples are published" publish_all >&2
for e in "${engines[@]}"; do taskset -apc 0 "$(worker "$e")" >/dev/null; done
need "node serves them, too" nodes_start >&2
names=()
for x in "${examples[@]}"; do
    for r in fresh reuse; do for e in "${engines[@]}"; do names+=("$x-$e-$r"); done; done
    names+=("$x-node-own")
done
{ cat /etc/hosts; printf '127.0.0.1 %s.test\n' "${names[@]}"; } >"$work/hosts"
round() { for n in "${names[@]}"; do e=${n#*-}; one "$n" "${e%-*}"; done; }
round # warms up
rm "$work/result"
for _ in $(seq "$rounds"); do round; done
median() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' "$work/result" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-22s %12s %8s %12s %7s\n' lambda requests/s 'p99 ms' 'CPU us/req' errors
for n in "${names[@]}"; do
    printf '%-22s %12s %8s %12s %7s\n' "$n" "$(median "$n" 2)" "$(median "$n" 3)" "$(median "$n" 4)" "$(median "$n" 5)"
done
for x in "${examples[@]}"; do
    awk -v x="$x" -v a="$(median "$x-v8-reuse" 4)" -v b="$(median "$x-node-own" 4)" \
        'BEGIN { printf "%s: V8 with reuse takes %.2f x the CPU of node\n", x, a / b }'
done
for e in "${engines[@]}"; do
    awk -v e="$e" '/VmRSS/ { printf "%s: %.0f MiB resident\n", e, $2 / 1024 }' "/proc/$(worker "$e")/status"
done

# Memory of V8's worker, KiB.
memory() { awk '/^Pss:/ { print $2 }' "/proc/$(worker v8)/smaps_rollup"; }
tenants=${TF_TENANTS:-20}
tenant() { # EXAMPLE NUMBER PATH
    mkdir -p "$work/$1$2" && cp "examples/$1/main.js" "$work/$1$2/" &&
        jq --arg n "$1$2" '.name = $n | .domains = [$n + ".test"] | .reuse = true' \
            "examples/$1/tfaas.json" >"$work/$1$2/tfaas.json" &&
        publish "$1$2" v8 >&2 && ask "$1$2" "$3" >/dev/null
}
grow() { # EXAMPLE PATH: what each of them adds to the first three, once all have rested
    local i before=0
    for ((i = -2; i <= tenants; i++)); do
        if [ "$i" = 1 ]; then
            sleep 10
            before=$(memory)
        fi
        tenant "$1" $((i + 3)) "$2" || return 1
    done
    sleep 10
    awk -v x="$1" -v n="$tenants" -v k="$(($(memory) - before))" \
        'BEGIN { printf "%s: each of %d further lambdas on V8 takes %.2f MiB\n", x, n, k / n / 1024 }'
}
grow echo /
grow cube3d "/?n=200"
