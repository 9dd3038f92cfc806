# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # bin, work: of test/e2e/lib.sh
#
# test/tools/tool.sh - sourced after test/e2e/lib.sh: the programs of this folder, for
# scripts.

# tool NAME: prints the path of test/tools/NAME.c as a program; `make` builds it, and
# where it did not, it is built here.
tool() {
    local made=$bin/test/tools/$1
    if [ ! -x "$made" ] || [ "test/tools/$1.c" -nt "$made" ]; then
        made=$work/$1
        [ -x "$made" ] || cc -std=c11 -D_GNU_SOURCE -O1 -I. -o "$made" "test/tools/$1.c" \
            lib/*.c -ljansson -lssl -lcrypto || return 1
    fi
    printf '%s\n' "$made"
}

# each_bad_bundle GOOD CHECK: calls CHECK KIND CODE TITLE FILE for each bad bundle that
# mangle.c can make of GOOD, which the publisher signed.
each_bad_bundle() {
    local mangle kind code title
    mangle=$(tool mangle) || return 1
    while read -r -u 3 kind code title; do
        if "$mangle" "$kind" "$1" "$work/bad-$kind.tfb" "$work/publisher.pem" >&2; then
            "$2" "$kind" "$code" "$title" "$work/bad-$kind.tfb"
        else
            "$2" "$kind" "$code" "$title" /nonexistent
        fi
    done 3< <("$mangle" list)
}
