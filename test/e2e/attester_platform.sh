#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A platform falls out of trust: the vendor publishes new collateral, or the policy's list
# of platforms no longer has it. The attester sees it at its next visit, and within one lease
# the domain is not served from there any more. When the platform is good again it is.
# (Quotes of a fake AESM under a root of its own: test/dcap.)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
engines=("${engines[0]}")
ppid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
policy=$work/attester-policy.json

policy_is() { # FILTER
    world_policy "$work/policy.new" "$1" && mv "$work/policy.new" "$policy"
}

falls() { # TITLE CODE
    ok "$1: not served any more" until_ok 300 is_silent shop
    is "$1: $2" "$2" reason_of lease-stopped
}

recovers() { ok "$1: served again" until_ok 300 serves shop; }

need "a world with DCAP" world_start "\"ppid\": \"$ppid\""
need "tfaasd starts with its AESM" host_start --insecure-sim-aesm "$world_aesm"
need "a publisher with an attester" attester_publisher
lambda shop <<<'exports.fetch = function () { return new Response("shop"); };'
need "a lambda" bundle shop
need "is deployed" deploy shop "${engines[0]}"
ok "a policy for this platform" policy_is ".platforms = [\"$ppid\"]"
ok "an attester's configuration" attester_config shop
ok "which accepts nothing simulated" attester_set "del(.insecure_allow_simulated) |
    .policy = \"$policy\" | .collateral = {service: \"$world_pcs\",
        cache: \"$work/attester-cache\", max_age_seconds: 1}"
need "the attester starts" attester_start
need "the lambda serves" until_ok 300 serves shop
is "the log names the platform" "$ppid false" jq -rs \
    'map(select(.event.type == "intent").event) | last | "\(.platform) \(.simulated)"' \
    "$work/attester/log.jsonl"
world_says "\"ppid\": \"$ppid\", \"status\": \"Revoked\""
falls "its TCB is revoked" tcb-revoked
world_says "\"ppid\": \"$ppid\""
recovers "its TCB is good again"
world_says "\"ppid\": \"$ppid\", \"status\": \"OutOfDate\", \"advisories\": [\"INTEL-SA-00615\"]"
falls "its TCB is out of date" tcb-status
world_says "\"ppid\": \"$ppid\""
recovers "its TCB is good again"
policy_is ".platforms = [\"${ppid//a/b}\"]"
falls "it leaves the list" policy-platform
policy_is ".platforms = [\"$ppid\"]"
recovers "it is on the list again"
ok "the log verifies" attester_log_verify
attester_end
finish
