# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # bin, work, log, engine: of test/e2e/lib.sh and its user
#
# test/tools/host_view.sh - sourced after test/e2e/lib.sh and test/tools/tool.sh: what root on
# the host can look at, and scans of it with test/tools/keyscan.c for 32 bytes that must be
# nowhere. Set `keyscan` to that program and `engine` to the worker's.
tracers=()

worker_pid() {
    admin GET /v1/workers |
        jq -r --arg e "$engine" '[.workers[] | select(.engine == $e)][0].pid'
}
elrange() { "$bin/tfaas" image measure "$bin/$engine.img" --json | jq -r .elrange; }

# trace_start PID...: writes down, as \xNN, all that the processes and their threads write
trace_start() {
    local pid
    for pid in "$@"; do
        strace -qq -f -ff -p "$pid" -xx -s 1048576 -o "$work/trace.$pid" \
            -e trace="${trace_calls:-write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg}" \
            2>>"$work/strace.log" </dev/null &
        tracers+=($!)
        until_ok 50 is_traced "$pid" || return 1
    done
}

trace_stop() {
    local pid
    for pid in "${tracers[@]}"; do
        kill -INT "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    tracers=()
}

# All threads have a tracer.
is_traced() {
    local status
    for status in /proc/"$1"/task/*/status; do
        grep -q '^TracerPid:.*[1-9]' "$status" || return 1
    done
}

# has_written TEXT: a trace has the text among what was written
has_written() {
    local hex
    hex=$(printf %s "$1" | od -An -tx1 -v | tr -d '\n' | sed 's/ /\\x/g')
    grep -qF -e "$hex" "$work"/trace.*
}

# nowhere NAME ARG...: keyscan looks there and does not find it
nowhere() {
    local title=$1
    shift
    ok "$engine: not in $title" "$keyscan" "$@"
}

# somewhere NAME ARG...: the scanner finds a key that is there
somewhere() {
    local title=$1
    shift
    "$keyscan" "$@" >"$log" 2>&1
    [ $? = 1 ]
    count $? "$engine: the scanner finds a key in $title"
}
