#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A host that changes its memory while the enclave reads, or looks at what lies around what
# the enclave writes. A short life of the core runs under valgrind with the enclave's own
# boundary.c: every access to host memory must be an aligned one of 8 bytes, made in
# boundary.c, and no word may be fetched twice in one entry (lackey's trace); no byte may
# leave that nobody wrote (memcheck). The same checks must find what is planted.
#   TFAAS_BIN  where the programs are (build)
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=${TFAAS_BIN:-build}
program=$bin/boundary_trace
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

verdict() { # STATUS NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
        echo "ok    $2: $(tail -n 1 "$work/log")"
    else
        failed=$((failed + 1))
        echo "FAIL  $2"
        tail -n 20 "$work/log" | sed 's/^/      | /'
    fi
}

# The code of boundary.c, from its first function to the end of its last.
range=$(nm -S "$program" | sed -n 's/^\([0-9a-f]*\) \([0-9a-f]*\) . tf_host_\(pointer\|write\)$/\1 \2/p' |
    sort | { read -r from _ && read -r last size && printf '%s %x' "$from" $((0x$last + 0x$size)); })

trace() { # ARGUMENT...: what the checker says of the run
    # shellcheck disable=SC2086
    valgrind --tool=lackey --trace-mem=yes --log-fd=1 "$program" "$@" 2>"$work/err" |
        "$bin/test/tools/trace_check" $range >"$work/log"
}

"$program" record "$work/session" >"$work/log" 2>&1
verdict $? "a session to watch"

trace replay "$work/session" && grep -q ' 0 writes of undefined' "$work/err"
verdict $? "8 bytes, aligned, once, in boundary.c"

valgrind -q --error-exitcode=9 "$program" replay "$work/session" >"$work/log" 2>&1
verdict $? "no byte leaves that nobody wrote"

trace plant byte misaligned twice poll
for found in 'width: entry 1:' 'alignment: entry 2:' 'twice: entry 3:' 'twice: entry 4:' 'place: entry 1:'; do
    grep -q "^$found" "$work/log"
    verdict $? "what is planted is found: ${found%:}"
done
# No sample is found for what it does not do.
[ "$(grep -c '^width\|^alignment\|^twice' "$work/log")" = 4 ]
verdict $? "and nothing else"

valgrind -q "$program" plant padding >"$work/log" 2>&1
grep -q 'Uninitialised byte' "$work/log" && grep -q ' 1 writes of undefined' "$work/log"
verdict $? "planted padding is found"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
