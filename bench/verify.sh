#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# verify.sh PROGRAM: CPU time (median of 101) and, when valgrind is there, instructions of one
# verification for each genuine quote and report. The first call also starts OpenSSL: the
# instructions are those of three calls less those of two.
set -eu
bench=$1
[ -d "${TFAAS_VECTORS:-../shared/vectors}" ] || {
    echo "SKIP  bench-verify: no ../shared/vectors here"
    exit 0
}
count() { # NAME TIMES
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
        --toggle-collect=tf_dcap_verify --toggle-collect=tf_snp_verify "$bench" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : *//p'
}
printf '%-34s %10s %14s\n' evidence median instructions
"$bench" | while read -r name ms; do
    instructions=-
    if command -v valgrind >/dev/null; then
        instructions=$(($(count "$name" 3) - $(count "$name" 2)))
    fi
    printf '%-34s %7s ms %14s\n' "$name" "$ms" "$instructions"
done
