#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/v8.sh [SECONDS] [ROUNDS]: examples on QuickJS (an enclave, SIMULATED) and on V8 (a native
# runtime), each with a fresh heap for every request and with `"reuse": true`, interleaved in one
# run: wrk -t1 -c32, TLS 1.3, keep-alive, one thread of the worker, server on core 0, load on core
# 1. One line each, medians over the rounds: requests/s, p99 ms, CPU of the worker per request in
# us, its resident MiB, errors. On a busy machine compare the CPU column. Needs `make all v8`.
set -euo pipefail
seconds=${1:-3} rounds=${2:-3}
export TFAAS_ENGINES="quickjs v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../test/e2e/lib.sh"
examples=(echo base64 cube3d)

publish_all() {
    local e x r name
    for e in "${engines[@]}"; do
        for x in "${examples[@]}"; do
            for r in fresh reuse; do
                name=$x-$e-$r
                mkdir -p "$work/$name" && cp "examples/$x/main.js" "$work/$name/"
                jq --arg n "$name" --argjson r "$([ "$r" = reuse ] && echo true || echo false)" \
                    '.name = $n | .domains = [$n + ".test"] | .reuse = $r' \
                    "examples/$x/tfaas.json" >"$work/$name/tfaas.json"
                publish "$name" "$e" || return 1
            done
        done
    done
}
worker() { admin GET /v1/workers | jq -r --arg e "$1" '.workers[] | select(.engine == $e) | .pid'; }
# User and system time of a process so far, in us.
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz }' "/proc/$1/stat"; }
# wrk takes the TLS name from the URL, so a resolver entry is needed: a private hosts file in a
# mount namespace, where the machine's own stays as it is.
load() { # NAME SECONDS
    unshare -m sh -c "mount --bind '$work/hosts' /etc/hosts && exec taskset -c 1 wrk -t1 -c32 -d${2}s \
        --latency -s bench/echo.lua https://$1.test:$port/"
}
one() { # NAME ENGINE
    local pid used out
    pid=$(worker "$2")
    used=$(cpu "$pid")
    out=$(load "$1" "$seconds")
    used=$(awk -v a="$(cpu "$pid")" -v b="$used" 'BEGIN { print a - b }')
    awk -v name="$1" -v used="$used" '
        /99%/ { p = $2; v = p + 0; if (p ~ /us$/) v /= 1000; else if (p !~ /ms$/) v *= 1000 }
        /requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
        /Non-2xx/ { bad += $NF } /Socket errors/ { bad += $4 + $6 + $8 + $10 }
        END { printf "%s %.0f %.2f %.1f %d\n", name, r, v, used / n, bad }' <<<"$out" >>"$work/result"
}

need "tfaasd starts" host_start --threads 1 >&2
taskset -apc 0 "$daemon" >/dev/null
need "a publisher is set up" publisher_new >&2
need "the examples are published" publish_all >&2
for e in "${engines[@]}"; do taskset -apc 0 "$(worker "$e")" >/dev/null; done
names=()
for x in "${examples[@]}"; do for r in fresh reuse; do for e in "${engines[@]}"; do names+=("$x-$e-$r"); done; done; done
{ cat /etc/hosts; printf '127.0.0.1 %s.test\n' "${names[@]}"; } >"$work/hosts"
for n in "${names[@]}"; do load "$n" 1 >/dev/null; done
for _ in $(seq "$rounds"); do
    for n in "${names[@]}"; do e=${n#*-}; one "$n" "${e%-*}"; done
done
printf '%-22s %12s %8s %12s %7s\n' lambda requests/s 'p99 ms' 'CPU us/req' errors
for n in "${names[@]}"; do
    median() { awk -v n="$n" -v c="$1" '$1 == n { print $c }' "$work/result" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
    printf '%-22s %12s %8s %12s %7s\n' "$n" "$(median 2)" "$(median 3)" "$(median 4)" "$(median 5)"
done
for e in "${engines[@]}"; do
    awk -v e="$e" '/VmRSS/ { printf "%s: %.0f MiB resident\n", e, $2 / 1024 }' "/proc/$(worker "$e")/status"
done
