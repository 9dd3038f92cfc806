#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/engines.sh [SECONDS] [ROUNDS]: examples on each engine (QuickJS, Duktape and MuJS in an enclave,
# SIMULATED; V8 in a native runtime), each with a fresh heap for every request and with `"reuse": true`,
# interleaved in one run: wrk -t1 -c32, TLS 1.3, keep-alive, one thread of the worker, server on core 0,
# load on core 1. One line each, medians over the rounds: requests/s, p99 ms, CPU of the worker per request
# in us, errors; then what a fresh heap costs each engine. On a busy machine compare the CPU column. Needs
# `make all v8`; TFAAS_ENGINES names some of them. Exit status 1 if a request failed.
set -euo pipefail
seconds=${1:-3} rounds=${2:-3}
export TFAAS_ENGINES=${TFAAS_ENGINES:-quickjs duktape mujs v8}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../test/e2e/lib.sh"
examples=(echo base64 cube3d)
# shellcheck source=bench/examples.sh
. bench/examples.sh

need "tfaasd starts" host_start --threads 1 >&2
taskset -apc 0 "$daemon" >/dev/null
need "a publisher is set up" publisher_new >&2
need "the examples are published" publish_all >&2
for e in "${engines[@]}"; do taskset -apc 0 "$(worker "$e")" >/dev/null; done
names=()
for x in "${examples[@]}"; do for r in fresh reuse; do for e in "${engines[@]}"; do names+=("$x-$e-$r"); done; done; done
{ cat /etc/hosts; printf '127.0.0.1 %s.test\n' "${names[@]}"; } >"$work/hosts"
for n in "${names[@]}"; do load "$n" 1 "$port" >/dev/null; done
for _ in $(seq "$rounds"); do
    for n in "${names[@]}"; do e=${n#*-}; measured "$n" "$(worker "${e%-*}")" "$port"; done
done
printf '%-22s %12s %8s %12s %7s\n' lambda requests/s 'p99 ms' 'CPU us/req' errors
for n in "${names[@]}"; do
    median() { awk -v n="$n" -v c="$1" '$1 == n { print $c }' "$work/result" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
    printf '%-22s %12s %8s %12s %7s\n' "$n" "$(median 2)" "$(median 3)" "$(median 4)" "$(median 5)"
done
for e in "${engines[@]}"; do
    fresh=$(awk -v n="echo-$e-fresh" '$1 == n { print $4; exit }' "$work/result")
    reuse=$(awk -v n="echo-$e-reuse" '$1 == n { print $4; exit }' "$work/result")
    awk -v e="$e" -v f="$fresh" -v r="$reuse" 'BEGIN { printf "%s: a fresh heap costs echo %.1f us\n", e, f - r }'
    awk -v e="$e" '/VmRSS/ { printf "%s: %.0f MiB resident\n", e, $2 / 1024 }' "/proc/$(worker "$e")/status"
done
[ "$(awk '{ bad += $5 } END { print bad + 0 }' "$work/result")" = 0 ]
