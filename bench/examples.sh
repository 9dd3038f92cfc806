# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# bench/examples.sh - sourced after test/e2e/lib.sh by what loads the examples: $examples on
# $engines, fresh and reuse, for $seconds each.
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
load() { # NAME SECONDS PORT
    unshare -m sh -c "mount --bind '$work/hosts' /etc/hosts && exec taskset -c 1 wrk -t1 -c32 -d${2}s \
        --latency -s bench/echo.lua https://$1.test:$3/"
}
measured() { # NAME PID PORT: a line of $work/result: NAME requests/s, p99 ms, CPU us a request, errors
    local pid=$2 used out
    used=$(cpu "$pid")
    out=$(load "$1" "$seconds" "$3")
    used=$(awk -v a="$(cpu "$pid")" -v b="$used" 'BEGIN { print a - b }')
    awk -v name="$1" -v used="$used" '
        /99%/ { p = $2; v = p + 0; if (p ~ /us$/) v /= 1000; else if (p !~ /ms$/) v *= 1000 }
        /requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
        /Non-2xx/ { bad += $NF } /Socket errors/ { bad += $4 + $6 + $8 + $10 }
        END { printf "%s %.0f %.2f %.1f %d\n", name, r, v, used / n, bad }' <<<"$out" >>"$work/result"
}
