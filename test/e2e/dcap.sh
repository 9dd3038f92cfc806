#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The trust chain with evidence as hardware gives it: DCAP quotes of an AESM with a quoting
# enclave and a root of its own (test/dcap), collateral of that world's PCS. First the good
# way: attest, CSR, certificate, curl. Then each way to be wrong: refused by `tfaas attest` with
# a code of its own, in words, with what to do next, and `tfaas grant` grants nothing. (Relay
# and replay: test/attack/relay_test.sh.)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engines=("${engines[0]}")
engine=${engines[0]}
name=shop
zeros=0000000000000000000000000000000000000000000000000000000000000000

start_host() { host_start --insecure-sim-aesm "$world_aesm" "$@"; }

verdict() { world_attest "$1" "$name" --json | verdict_of; } # POLICY

is_granted() { cli ls --json | jq -r .lambdas[0].granted; }

explains() { # TITLE CODE POLICY: the screen says the code, its words, and what to do
    world_attest "$3" "$name" >"$log" 2>&1
    [ $? = 1 ] && grep -q "verdict *BAD" "$log" && grep -q "because  *$2: ." "$log" &&
        grep -q "next  *[A-Z]" "$log"
    count $? "$1: in words, exit status 1"
}

# wrong TITLE CODE POLICY: refused with this reason alone, and not granted
wrong() {
    is "$1: $2" "bad $2" verdict "$3"
    explains "$1" "$2" "$3"
    fails "$1: no grant" "$2" world_grant "$3" "$name"
    is "$1: nothing was granted" "${granted:-false}" is_granted
}

# policy_with FILTER: this world's policy, changed
policy_with() {
    world_policy "$work/other.json" "$1"
    echo "$work/other.json"
}

good_way() {
    is "attest" "good " verdict "$good"
    ok "the screen" world_attest "$good" "$name"
    ok "grant" world_grant "$good" "$name"
    granted=true
    is "curl" here ask "$name" /
    is "the key is not the host's: no simulated evidence was needed" "good " verdict "$good"
    ok "out of the cache, with the PCS gone" offline
}

# offline: a verdict out of the cache
offline() {
    world_attest "$good" "$name" >/dev/null || return 1
    world_says '"http": "error"'
    cli attest "$name" --policy "$good" --collateral-service "$world_pcs"
    local status=$?
    world_says ''
    return $status
}

wrong_enclave() {
    wrong "another measurement" policy-measurement \
        "$(policy_with ".measurements = [\"$zeros\"]")"
    local signer
    signer=$(cli image show "$work/$engine.sig" --json | jq -r .mrsigner)
    local named="del(.measurements) + {signer: \"$signer\", product: 1"
    is "the signer and its version do" "good " verdict "$(policy_with "$named, min_svn: 1}")"
    wrong "an older ISVSVN" policy-version "$(policy_with "$named, min_svn: 2}")"
    wrong "another signer of the enclave" policy-signer \
        "$(policy_with "del(.measurements) + {signer: \"$zeros\", product: 1, min_svn: 1}")"
    wrong "another domain" policy-domain "$(policy_with ".domain = \"$zeros\"")"
}

wrong_lambda() {
    local digest
    digest=$(world_attest "$good" "$name" --json | jq -r .lambda.digest)
    is "the digest that was reviewed" "good " verdict "$(policy_with ".digests = [\"$digest\"]")"
    wrong "another digest of the lambda" policy-digest \
        "$(policy_with ".digests = [\"$zeros\"]")"
    wrong "another signer of the lambda" policy-lambda \
        "$(policy_with ".publishers = [\"$zeros\"]")"
}

wrong_platform() {
    local outdated='"status": "OutOfDate", "advisories": ["INTEL-SA-00615"]' rule
    rule='.tcb = [{status: "OutOfDate", advisories: ["INTEL-SA-00615"], until: "%s"}]'
    world_says "$outdated"
    wrong "an outdated TCB" tcb-status "$good"
    # shellcheck disable=SC2059
    is "outdated within its grace" "good " \
        verdict "$(policy_with "$(printf "$rule" 2099-01-01T00:00:00Z)")"
    # shellcheck disable=SC2059
    wrong "outdated beyond its grace" tcb-grace \
        "$(policy_with "$(printf "$rule" 2026-01-01T00:00:00Z)")"
    world_says '"status": "Revoked"'
    wrong "a revoked TCB" tcb-revoked "$good"
    local ppid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
    world_says "\"ppid\": \"$ppid\""
    is "a platform on the list" "good " verdict "$(policy_with ".platforms = [\"$ppid\"]")"
    wrong "an unlisted platform" policy-platform \
        "$(policy_with ".platforms = [\"${zeros:0:32}\"]")"
    world_says '"issued": "2026-01-01T00:00:00Z", "next_update": "2026-01-31T00:00:00Z"'
    wrong "expired collateral" collateral-expired "$good"
    world_says ''
    wrong "a root that nobody vouches for" chain-root \
        "$(policy_with 'del(.insecure_allow_roots)')"
}

no_collateral() {
    fails "no service and no file" collateral-fetch cli attest "$name" --policy "$good"
    world_says '"http": "error"'
    fails "the service fails" collateral-fetch world_attest "$good" "$name"
    world_says ''
}

# Another start of the same platform: a DEBUG enclave, then simulated evidence.
other_evidence() {
    host_stop
    mv "$work/$engine.sig" "$work/kept.sig"
    ok "an image signed for a debugger" tf image sign "$bin/$engine.img" --prodid 1 --svn 1 \
        --key "$work/operator.pem" --out "$work/$engine.sig" --insecure-debug
    need "tfaasd starts" start_host
    until_ok 100 world_attest "$(policy_with '.insecure_allow_debug = true')" "$name"
    granted=$(is_granted)
    wrong "a DEBUG enclave" evidence-debug "$good"
    host_stop
    mv "$work/kept.sig" "$work/$engine.sig"
    need "tfaasd starts without AESM" host_start
    until_ok 100 tf attest "$name" --policy "$work/policy.json" --allow-sim
    granted=true # by the grant that was sealed at the good way
    wrong "simulated evidence" evidence-simulated "$work/policy.json"
    is "simulated evidence, allowed, under this policy" "bad evidence-root" \
        simulated_verdict
}

simulated_verdict() {
    world_attest "$good" "$name" --allow-sim --json | verdict_of
}

need "a world with DCAP" world_start
need "tfaasd starts with its AESM" start_host
need "a publisher" publisher_new
good=$work/dcap.json
need "a policy for this world" world_policy "$good"
lambda "$name" <<<'exports.fetch = function () { return new Response("here\n"); };'
need "a bundle" bundle "$name"
need "deployed" deploy "$name" "$engine"
granted=false
wrong "before any grant: another measurement" policy-measurement \
    "$(policy_with ".measurements = [\"$zeros\"]")"
good_way
wrong_enclave
wrong_lambda
wrong_platform
no_collateral
other_evidence
finish
