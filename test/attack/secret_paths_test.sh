#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A host that measures time, or watches the cache, while keys are calculated with: no branch
# and no address may depend on a secret. valgrind follows what comes of one through the
# inverses of deps/wolfssl/inverse.c and both halves of X25519, and finds what is planted.
#   TFAAS_BIN  where the programs are (build)
set -u
cd "$(dirname "$0")/../.." || exit 1
program=${TFAAS_BIN:-build}/secret_paths
passed=0
failed=0

for name in $("$program"); do
    valgrind -q --error-exitcode=9 "$program" "$name" >/dev/null 2>&1
    status=$?
    case $name in
    planted-*) expected=9 claim="is found" ;;
    *) expected=0 claim="goes one way for all secrets" ;;
    esac
    if [ "$status" = "$expected" ]; then
        passed=$((passed + 1))
        echo "ok    $name $claim"
    else
        failed=$((failed + 1))
        echo "FAIL  $name: status $status, not $expected"
    fi
done
[ "$passed" -gt 3 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
