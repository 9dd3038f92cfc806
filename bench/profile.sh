#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a request of `echo` costs in instructions, counted by callgrind: the worker's loop and the
# core with one engine (bench/profile/), 16 connections, fresh heap for every request, start and
# handshakes not counted. Neither the clock nor addresses nor the machine's load move the figure. It is of user
# space only, without the gate and what the simulator does; a repeated string instruction counts
# once a word, so a copy looks dearer than it is.
#
#   bench/profile.sh report [ENGINE [BODY]]  where they go, by part and by function (quickjs, 100);
#                                            BODY may be full or resumed: a handshake for each request;
#                                            or cold: and the lambda is loaded from the store for each
#   bench/profile.sh check                   against the last rows of bench/history.csv
#   bench/profile.sh record REASON           adds rows for what is built, and why they are as they are
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${TFAAS_BIN:-build}/profile
history=${TFAAS_HISTORY:-bench/history.csv}
limit=2 # percent
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# count ENGINE BODY: leaves $dir/out.1; prints instructions and kernel calls of a request.
count() {
    local requests rounds=20 connections=16
    case $2 in
    full | resumed | cold) connections=1 ;;
    *) [ "$2" -lt 1000 ] || rounds=8 ;;
    esac
    rm -f "$dir"/out*
    requests=$("$bin/drive" "$2" $connections $rounds valgrind -q --tool=callgrind --instr-atstart=no \
        --collect-systime=yes --callgrind-out-file="$dir/out" "$bin/$1")
    echo "$requests" >"$dir/requests"
    awk -v n="$requests" '/^totals:/ { printf "%.0f %.2f\n", $2 / n, $3 / n }' "$dir/out.1"
}

# The functions of the C library that are written in assembly have no size, so callgrind does not
# know their names.
named() { # ENGINE
    nm "$bin/$1" | sed -n 's/^\([0-9a-f]*\) T \(mem[a-z]*\)$/s|???:0x\1|libc:\2|/p' >"$dir/names"
    sed -f "$dir/names" -e 's/ \[[^]]*\]$//'
}

report() { # ENGINE BODY
    local all calls n annotate=(callgrind_annotate --auto=no --threshold=100)
    read -r all calls < <(count "$1" "$2")
    n=$(cat "$dir/requests")
    echo "$1, echo $2: $all instructions a request, $calls kernel calls"
    printf '\n%9s %6s  by part\n' instr. share
    "${annotate[@]}" "$dir/out.1" 2>/dev/null | named "$1" | awk -v n="$n" -v all="$all" '
        function part(name) {
            if (name ~ /host\/|bench\//) return "host"
            if (name ~ /lib\/arena/) return "arena, of the engine and of the thread"
            if (name ~ /libc\/copy/) return "copies and zeroing"
            if (name ~ /enclave\/js|quickjs|duktape|duk_|js[a-z]*\.[ch]:|libregexp|cutils|list\.h|dtoa/) return "engine"
            if (name ~ /src\//) return "TLS"
            if (name ~ /pico|enclave\/http/) return "HTTP"
            if (name ~ /enclave\/|\.\/lib\//) return "core"
            return name ~ /mem(cpy|set|move)$/ ? "copies and zeroing" : "C library"
        }
        /^ *[0-9,]+ \(/ && !/PROGRAM TOTALS/ { gsub(",", "", $1); sum[part($NF)] += $1 }
        END { for (p in sum) printf "%9.0f %5.1f%%  %s\n", sum[p] / n, 100 * sum[p] / n / all, p }' | sort -rn
    printf '\n%9s %6s  by function, with what it calls\n' instr. share
    "${annotate[@]}" --inclusive=yes "$dir/out.1" 2>/dev/null | named "$1" | awk -v n="$n" -v all="$all" '
        /^ *[0-9,]+ \(/ && !/PROGRAM TOTALS/ { gsub(",", "", $1); printf "%9.0f %5.1f%%  %s\n", $1 / n, 100 * $1 / n / all, $NF }' |
        sed -n "1,${PROFILE_LINES:-60}p"
    printf '\n%9s %6s  by function, itself\n' instr. share
    "${annotate[@]}" "$dir/out.1" 2>/dev/null | named "$1" | awk -v n="$n" -v all="$all" '
        /^ *[0-9,]+ \(/ && !/PROGRAM TOTALS/ { gsub(",", "", $1); printf "%9.0f %5.1f%%  %s\n", $1 / n, 100 * $1 / n / all, $NF }' |
        sed -n "1,${PROFILE_LINES:-60}p"
}

engines=(quickjs duktape mujs)
figures() { # ENGINE: instructions at 100 B and at 10 KB
    local small large
    read -r small _ < <(count "$1" 100)
    read -r large _ < <(count "$1" 10240)
    echo "$small $large"
}

check() {
    local passed=0 failed=0 engine small large was_small was_large verdict
    for engine in "${engines[@]}"; do
        read -r small large < <(figures "$engine")
        read -r was_small was_large < <(awk -F, -v e="$engine" '$2 == e { last = $3 " " $4 } END { print last }' "$history")
        verdict=$(awk -v a="$small" -v b="$large" -v x="$was_small" -v y="$was_large" -v l=$limit \
            'BEGIN { print (a > 0 && b > 0 && a <= x * (1 + l / 100) && b <= y * (1 + l / 100) ? "ok" : "FAIL") }')
        printf '%-5s %s: echo 100 B %s instructions (recorded %s), 10 KB %s (%s)\n' "$verdict" "$engine" \
            "$small" "$was_small" "$large" "$was_large"
        if [ "$verdict" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
    [ "$failed" = 0 ] || echo "more than $limit % above the last row of $history: make it faster, or bench/profile.sh record REASON"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

record() { # REASON
    local engine small large commit
    commit=$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- . ':!bench/history.csv' || echo +)
    for engine in "${engines[@]}"; do
        read -r small large < <(figures "$engine")
        echo "$commit,$engine,$small,$large,${1//,/;}" | tee -a "$history"
    done
}

case ${1:-} in
report) report "${2:-quickjs}" "${3:-100}" ;;
check) check ;;
record) [ -n "${2:-}" ] || { echo "usage: bench/profile.sh record REASON" >&2; exit 2; }
    record "$2" ;;
*) echo "usage: bench/profile.sh report [ENGINE [BODY]] | check | record REASON" >&2; exit 2 ;;
esac
