#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Judging vendors' evidence out of files: `tfaas quote verify` on genuine evidence, where it is
# at hand, under policies that accept and refuse it; `tfaas policy check` and `explain`.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
unset TFAAS_COLLATERAL

vectors=${TFAAS_VECTORS:-../shared/vectors}
hash=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
last=0

gives() { # NAME STATUS TEXT ARG...: ends with STATUS and says TEXT
    local title=$1 status=$2 text=$3
    shift 3
    cli "$@" >"$log" 2>&1 </dev/null
    last=$?
    [ "$last" = "$status" ] && grep -qF -e "$text" "$log"
    count $? "$title"
}

write_policy() { # FILE EXTRA: accepts the enclave and guest of two of the vectors
    cat >"$1" <<P
{"measurements":["a4f45c39dac622cb1dd32ddb35a52ec92db41d0fa88a1c911c49e59c534f61cd"],
"guests":["7348651a34b2d2d3462822e3a750ec6110125f36757c78480bbfc69cc0d21fb001a1ced3ee19747dda8f750c3bc8f876",
"f57dc09a507c6ecd82369bffb600f0003792f4d99bc26e985ec0c266fc34faf3706faf814c9e61065768a6ff917c89ae"],
"domain":"$hash","publishers":["$hash"]$2}
P
}

policies() {
    write_policy "$work/plain.json" ""
    write_policy "$work/tcb.json" ',"tcb":[{"status":"SWHardeningNeeded",
        "advisories":["INTEL-SA-00615"],"until":"2027-01-01T00:00:00Z"}],
        "snp":[{"product":"Genoa","bootloader":10,"tee":0,"snp":23,"microcode":84}]'
    write_policy "$work/open.json" ',"insecure_allow_debug":true,
        "insecure_allow_roots":["'$hash'"]'
    write_policy "$work/revoked.json" ',"tcb":[{"status":"Revoked","advisories":[]}]'
    write_policy "$work/endless.json" ',"tcb":[{"status":"OutOfDate","advisories":[]}]'
    gives "a good policy" 0 "a good policy" policy check "$work/plain.json"
    gives "explain says which enclave" 0 a4f45c39 policy explain "$work/plain.json"
    gives "and until when a status" 0 "SWHardeningNeeded until 2027-01-01T00:00:00Z" \
        policy explain "$work/tcb.json"
    gives "explain warns of a TDX guest of which only the firmware is known" 0 \
        "Without rtmr1 and rtmr2" policy explain "$work/plain.json"
    write_policy "$work/rtmrs.json" ',"rtmr1":["'"$hash${hash:0:32}"'"]'
    gives "explain says which register" 0 "RTMR1 is" policy explain "$work/rtmrs.json"
    write_policy "$work/rtmrs.json" ',"rtmr1":["'"$hash"'"]'
    gives "a register has 48 bytes" 1 rtmr1 policy check "$work/rtmrs.json"
    gives "check warns of DEBUG" 0 "INSECURE: DEBUG" policy check "$work/open.json"
    gives "explain warns of roots for tests" 0 "INSECURE: roots" policy explain \
        "$work/open.json"
    gives "a revoked TCB cannot be accepted" 1 policy-format policy check \
        "$work/revoked.json"
    gives "an old TCB not without a date" 1 policy-format policy check \
        "$work/endless.json"
    gives "which is said to be its tcb" 1 "is unknown, or its value is wrong" \
        policy check "$work/endless.json"
    gives "no file" 2 io policy check "$work/none.json"
}

dcap() { # NAME STATUS TEXT DATE ARG...
    local name=$1 status=$2 text=$3 at=$4
    shift 4
    gives "$name: $text $*" "$status" "$text" quote verify "$vectors/dcap/$name/quote.bin" \
        --collateral "$vectors/dcap/$name/collateral.json" --at "$at" "$@"
}

evidence() {
    local sgx=sgx-v3-00606a000000-automata tdx=tdx-v5-90c06f000000-google
    local snp=$vectors/snp/genoa-azure-trustee
    local then=2025-08-20T00:00:00Z
    dcap "$sgx" 1 "because    tcb-status" "$then"
    dcap "$sgx" 1 "because    tcb-status" "$then" --policy "$work/plain.json"
    dcap "$sgx" 0 "verdict      GOOD" "$then" --policy "$work/tcb.json"
    dcap "$sgx" 0 '"status":"SWHardeningNeeded"' "$then" --policy "$work/tcb.json" --json
    dcap "$sgx" 1 collateral-expired 2026-08-20T00:00:00Z --policy "$work/tcb.json"
    dcap "$tdx" 0 "verdict      GOOD" 2026-02-25T00:00:00Z --policy "$work/plain.json"
    dcap "$tdx" 2 usage 2026-02-25
    dcap tdx-v4-50806f000000-google 1 tcb-level 2023-07-01T00:00:00Z
    cat "$snp/vek.pem" "$snp/ask.pem" "$snp/ark.pem" >"$work/genoa.pem"
    gives "an SEV-SNP report" 0 "AMD Genoa" quote verify "$snp/report.bin" \
        --collateral "$work/genoa.pem" --at "$then" --policy "$work/tcb.json"
    gives "and without a minimum TCB" 1 snp-old quote verify "$snp/report.bin" \
        --collateral "$work/genoa.pem" --at "$then" --policy "$work/plain.json"
    gives "no collateral at hand" 2 collateral-fetch quote verify \
        "$vectors/dcap/$sgx/quote.bin" --at "$then"
    gives "the wrong file for it" 1 collateral-format quote verify \
        "$vectors/dcap/$sgx/quote.bin" --collateral "$work/plain.json" --at "$then"
    gives "nothing fetched for evidence that is not good" 2 collateral-fetch collateral \
        fetch --quote "$snp/report.bin" --out "$work/none"
    gives "an RA-TLS certificate of a DEBUG enclave" 1 evidence-debug quote verify \
        "$vectors/ra-tls/gramine-cert.pem" \
        --collateral "$vectors/dcap/$sgx/collateral.json" --at "$then"
}

policies
gives "a quote that is none" 1 evidence-format quote verify "$work/plain.json"
if [ -d "$vectors" ]; then
    evidence
else
    echo "SKIP  genuine evidence: no ../shared/vectors here"
fi
finish
