#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a person sees who asks an instance who it is: a good screen and a bad one, of a granted
# lambda under a DCAP quote. The good one has, line by line, what README.md shows; each line of
# README's bad one is of a kind that the bad one has. Both are printed.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engines=("${engines[0]}")

# labels: what stands before the values; `(next)` for what is only sometimes there
labels() { cut -c 1-13 | sed 's/ *$//' | grep .; }

# readme N: the Nth screen in README.md
readme() {
    awk -v n="$1" '/^    (lambda|platform)  / { if (!on) { screen++; on = 1 } }
        !/^    / { on = 0 } on && screen == n { print substr($0, 5) }' README.md
}

both_have_the_lines_of_readme() {
    [ "$(labels <"$work/good")" = "$(readme 1 | labels)" ]
    count $? "the good screen has the lines that README.md shows"
    readme 2 | labels | sort -u >"$work/shown"
    labels <"$work/bad" | sort -u >"$work/there"
    [ -s "$work/shown" ] && [ -z "$(comm -23 "$work/shown" "$work/there")" ]
    count $? "the bad screen has the lines that README.md shows"
}

need "a world with DCAP" world_start
need "tfaasd starts with its AESM" host_start --insecure-sim-aesm "$world_aesm"
need "a publisher" publisher_new
need "a policy for this world" world_policy "$work/dcap.json"
lambda hello <<<'exports.fetch = function () { return new Response("here\n"); };'
need "a bundle" bundle hello
need "deployed" deploy hello "${engines[0]}"
need "granted" world_grant "$work/dcap.json" hello
world_attest "$work/dcap.json" hello >"$work/good" 2>"$log"
is "a good instance: exit status" 0 echo $?
world_says '"status": "OutOfDate", "advisories": ["INTEL-SA-00615", "INTEL-SA-00828"]'
world_attest "$work/dcap.json" hello >"$work/bad" 2>"$log"
is "a bad one: exit status" 1 echo $?
cli attest hello --policy "$work/none.json" >"$log" 2>&1
is "one that cannot be judged: exit status" 2 echo $?
ok "the verdict is the last word of the good one" grep -q '^verdict *GOOD' "$work/good"
ok "the bad one says why" grep -q '^  because *tcb-status' "$work/bad"
ok "and what next" grep -q '^  next ' "$work/bad"
both_have_the_lines_of_readme
cat "$work/good"
echo
cat "$work/bad"
finish
