#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Where evidence comes from: the simulated CPU makes REPORTs for the quoting enclave of an
# AESM under a test root, its quotes reach the relying party through the enclave's channel,
# and hold under collateral of that world's PCS. Then AESM is slow, dies, comes back, is
# another one. The worker serves on meanwhile.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

fmspc=f5f5f5f5f5f5
engine=${engines[0]}

# manage PATH JSON FILE: asks the enclave as a stranger may; its answer is in FILE.
manage() {
    curl -sS --insecure --max-time 30 \
        --resolve "hello.manage.tfaas.internal:$port:127.0.0.1" -d "$2" -o "$3" \
        "https://hello.manage.tfaas.internal:$port$1"
}

# evidence FILE: over a fresh nonce.
evidence() {
    manage /v1/attest "{\"nonce\": \"$(head -c 32 /dev/urandom | base64 -w 0)\"}" "$1"
}

# serves: its one thread answers; a CSR needs no evidence.
serves() {
    manage /v1/csr '{"lambda": "hello", "names": ["hello.test"]}' "$work/csr" &&
        grep -q 'BEGIN CERTIFICATE REQUEST' "$work/csr"
}

# quote FILE: a DCAP quote, as bytes in FILE.
quote() {
    evidence "$work/answer" && jq -e '.evidence.type == "tfaas-dcap-quote.v1"' "$work/answer" &&
        jq -r .evidence.quote "$work/answer" | base64 -d >"$1"
}

refused() { # CODE: what evidence says
    evidence "$work/answer"
    cat "$work/answer"
    is_refusal "$1"
}

is_refusal() { [ "$(jq -r .error "$work/answer")" = "$1" ]; }

# judge [DATE]: what `tfaas quote verify` says of the quote in $work/quote.
judge() {
    cat "$work/quote" >"$work/judged"
    timeout 60 "$bin/tfaas" quote verify "$work/judged" --collateral "$work/collateral.json" \
        --policy "$work/dcap.json"
}

gives() { # NAME TEXT: judge says TEXT
    judge >"$log" 2>&1
    grep -qF -e "$2" "$log"
    count $? "$1"
}

logged() { grep -q "$1" "$work/tfaasd.log"; }

# binds: REPORTDATA of the quote is the SHA-256 of the claims, then zeros.
binds() {
    local claims zeros=0000000000000000000000000000000000000000000000000000000000000000
    claims=$(jq -r .claims "$work/answer" | base64 -d | sha256sum | cut -c 1-64)
    [ "$(od -An -v -tx1 -j 368 -N 64 "$work/quote" | tr -d ' \n')" = "$claims$zeros" ]
}

# fetch: `tfaas collateral` gets what judge needs.
fetch() {
    rm -f "$work/collateral.json"
    cli collateral fetch --quote "$work/quote" --policy "$work/dcap.json" \
        --collateral-service "$world_pcs/" --out "$work/collateral.json"
}

# certificate: the management endpoint's, in $work/quote, if it has evidence in it.
certificate() {
    openssl s_client -connect "127.0.0.1:$port" -servername hello.manage.tfaas.internal \
        -tls1_3 </dev/null 2>/dev/null | openssl x509 >"$work/quote"
    openssl x509 -in "$work/quote" -noout -text | grep -q '2\.23\.133\.5\.4\.9'
}

quotes_of_a_world() {
    ok "a quote comes through the channel" quote "$work/quote"
    ok "and binds the claims" binds
    ok "the world's PCS has collateral for it" world_collateral "$work/collateral.json" $fmspc
    ok "a policy for this world's root" world_policy "$work/dcap.json"
    gives "the quote holds" "verdict      GOOD"
    ok "tfaas collateral fetch" fetch
    gives "the quote holds with that" "verdict      GOOD"
    ok "the certificate carries one too (RA-TLS)" certificate
    gives "and it holds" "verdict      GOOD"
    ok "once more in the channel" quote "$work/quote"
    world_says '"status": "OutOfDate", "advisories": ["INTEL-SA-00615"]'
    world_collateral "$work/collateral.json" $fmspc
    gives "the platform falls out of date" tcb-status
    world_says '"pck_revoked": true'
    world_collateral "$work/collateral.json" $fmspc
    gives "its certificate is revoked" revoked
    world_says '"issued": "2026-01-01T00:00:00Z", "next_update": "2026-01-31T00:00:00Z"'
    world_collateral "$work/collateral.json" $fmspc
    gives "the collateral is of yesterday" collateral-expired
    world_says ''
}

get() { curl -sS --fail --max-time 10 "$world_pcs$1"; }

id_of() { get "$1" | jq -r "$2"; }

crl_of() { get "$1" | openssl crl -inform "$2" -noout -issuer; }

# What the PCS and a PCCS have beside what an SGX quote needs.
the_pcs_has_the_rest() {
    local at=/sgx/certification/v4
    is "TCB info for TDX" TDX id_of "/tdx/certification/v4/tcb?fmspc=$fmspc" .tcbInfo.id
    is "the identity of TDX's quoting enclave" TD_QE id_of /tdx/certification/v4/qe/identity \
        .enclaveIdentity.id
    is "the root's CRL, as Intel has it" "issuer=CN = Intel SGX Root CA" \
        crl_of /IntelSGXRootCA.der der
    is "the platform CA's, in PEM" "issuer=CN = Intel SGX PCK Platform CA" \
        crl_of "$at/pckcrl?ca=platform" pem
    fails "no such platform" 404 get "$at/tcb?fmspc=000000000000"
    fails "no such CA here" 404 get "$at/pckcrl?ca=processor"
    world_says '"ca": "processor", "fmspc": "00906ea10000"'
    is "another platform, of the processor CA" "issuer=CN = Intel SGX PCK Processor CA" \
        crl_of "$at/pckcrl?ca=processor&encoding=der" der
    is "with TCB info of its own" 00906ea10000 id_of "$at/tcb?fmspc=00906EA10000" .tcbInfo.fmspc
    world_says '"http": "error"'
    fails "errors on demand" 500 get "$at/qe/identity"
    world_says '"typo": 1'
    fails "what world.h does not know is no quiet nothing" 500 get "$at/qe/identity"
    world_says ''
}

attest() { world_attest "$work/dcap.json" hello; }
give() { world_grant "$work/dcap.json" hello; }

attested_by_the_client() {
    ok "tfaas attest: the world's quote is good" attest
    ok "and so is a grant" give
    is "curl is answered" hello ask hello /
    world_says '"status": "OutOfDate"'
    fails "the platform fell out of date: no new grant" tcb-status give
    is "what was granted is served" hello ask hello /
    world_says '"http": "garbage"'
    fails "the PCS talks nonsense" collateral-fetch attest
    world_says '"http": "error"'
    fails "the PCS fails" collateral-fetch attest
    world_says ''
}

another_machine() {
    local ppid=00112233445566778899aabbccddeeff
    ok "another machine in this world" world_machine other "$work/host/sim" "\"ppid\": \"$ppid\""
    host_stop
    need "its tfaasd" host_start --threads 1 --insecure-sim-aesm "$world/other.sock"
    ok "is good under the same root" attest
    world_policy "$work/dcap.json" ".platforms = [\"$ppid\"]"
    ok "and to a policy that lists it" attest
    host_stop
    need "the first machine again" start_host
    fails "which that policy does not list" policy-platform attest
    world_policy "$work/dcap.json"
}

a_slow_quote() {
    world_says '"aesm_delay_ms": 3000'
    quote "$work/quote" >"$log" 2>&1 &
    local asking=$! served
    served=0
    while ! is_gone "$asking"; do
        serves 2>/dev/null && served=$((served + 1))
    done
    wait "$asking"
    count $? "a quote that takes 3 s arrives"
    [ "$served" -ge 2 ]
    count $? "the worker's thread serves meanwhile"
    world_says ''
}

aesm_dies() {
    world_says '"aesm": "hang"'
    evidence "$work/answer" >"$log" 2>&1 &
    local asking=$!
    sleep 0.5
    world_stop KILL
    wait "$asking"
    is_refusal quote
    count $? "AESM killed in the middle of a quote: code quote"
    ok "the log names its socket" logged "event=quote-failed.*by=\"$world_aesm\""
    ok "the enclave serves" serves
    world_start
    ok "AESM comes back: the next attempt" until_ok 50 quote "$work/quote"
    ok "which the log says" until_ok 50 logged "event=quoting-back"
}

aesm_is_another_one() {
    world_says '"qe": 7'
    ok "another quoting enclave: the first REPORT is not for it" refused quote
    ok "REPORTs are made for the new one" until_ok 50 quote "$work/quote"
    world_says '"aesm": "busy"'
    ok "AESM is busy all the time" refused quote
    world_says '"aesm": "other-report"'
    ok "AESM quotes another REPORT" refused quote
    world_says ''
}

no_aesm_at_the_start() {
    host_stop
    world_stop
    need "tfaasd starts without AESM" start_host
    ok "and serves" until_ok 100 serves
    ok "attestation is refused" refused quote
    ok "the log says that AESM is away" logged "event=quoting-away.*by=\"$world_aesm\""
    world_start
    ok "AESM comes: no restart is needed" until_ok 50 quote "$work/quote"
    ok "the worker is the one that started" is_first_worker
}

is_first_worker() { [ "$(admin GET /v1/workers | jq '.workers[0].starts')" = 1 ]; }

# One thread, so that whoever waits for a quote would hold up everybody.
start_host() { host_start --threads 1 --insecure-sim-aesm "$world_aesm"; }

need "a world with DCAP" world_start
need "tfaasd starts with its AESM" start_host
need "a publisher" publisher_new
lambda hello <<'JS'
exports.fetch = function () { return new Response("hello"); };
JS
need "a bundle" bundle hello
need "deployed" deploy hello "$engine"
quotes_of_a_world
the_pcs_has_the_rest
attested_by_the_client
another_machine
a_slow_quote
aesm_dies
aesm_is_another_one
no_aesm_at_the_start
finish
