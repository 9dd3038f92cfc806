#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `make hwtest`: what a machine with SGX must show, in one go and without anything but the
# build: device, loading, entry and exit, two threads, the fault path, local attestation
# between two enclaves, sealing across a restart, a quote by AESM (where aesmd runs),
# throughput beside the simulator. Prints a table. Exit status 0: all as it must be; 1: something is not; 2: no SGX here.
#
#   HWTEST_BACKEND=sim  the same steps on the simulator, so that this script is tested too
#   HWTEST_BACKEND=port the same, through the hardware backend: below it the simulator plays
#                       the driver and the vDSO
#   TFAAS_BIN           where the programs and images are (build)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
bin=${TFAAS_BIN:-build}
backend=${HWTEST_BACKEND:-sgx}
work=$(mktemp -d "${TMPDIR:-/tmp}/tfaas-hwtest.XXXXXX") || exit 2
trap 'stop_fake; rm -rf "$work"' EXIT
# The fake ends when this script does: nobody else writes to its standard input.
mkfifo "$work/life" && exec 7<>"$work/life" || exit 2
passed=0 failed=0 fake=

row() { # STEP VERDICT FIGURE
    printf '%-36s %-8s %s\n' "$1" "$2" "$3"
}

# hw [OPTION...] STEP [ARG]: one process, one enclave, on the backend under test.
hw() {
    local flags=()
    [ "$backend" = sgx ] && flags=(--sgx)
    [ "$backend" = port ] && flags=(--sim-port)
    on "${flags[@]}" "$@"
}
on() {
    timeout 120 "$bin/test/hw/hwtest" --image "$bin/toy.img" --sigstruct "$work/toy.sig" \
        --sim-dir "$work/sim" "$@" 2>"$work/err"
}

# step NAME STATUS FIGURE: counts; a failure shows what the program said.
step() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        row "$1" ok "$3"
    else
        failed=$((failed + 1))
        row "$1" FAILED "$(head -n 1 "$work/err")"
    fi
}

sign() { # the toy image, with a key of the moment
    "$bin/tfaas" image key "$work/key.pem" &&
        "$bin/tfaas" image sign "$bin/toy.img" --key "$work/key.pem" --out "$work/toy.sig" \
            --prodid 1 --svn 2 | sed 's/mrenclave *//' >"$work/mrenclave"
}

device() {
    [ "$backend" = sgx ] || {
        row "device" - "the simulator needs none"
        return
    }
    ls -l /dev/sgx_enclave >"$work/out" 2>"$work/err"
    step "device" $? "$(cat "$work/out")"
}

loading() {
    local got
    got=$(hw load)
    step "ECREATE, EADD, EEXTEND, EINIT" $? "MRENCLAVE ${got:0:16}..."
    [ "$got" = "$(cat "$work/mrenclave")" ]
    step "MRENCLAVE as measured offline" $? equal
    got=$(hw enter)
    step "EENTER, EEXIT, clean state inside" $? "MXCSR 1fbf, FCW 37f, DF and AC clear"
    [ "$got" = "$(cat "$work/mrenclave")" ]
    step "EREPORT names the same enclave" $? equal
}

threads() {
    local got
    got=$(hw threads 2000)
    step "two threads, first entry at once" $? "$got"
}

faults() { # each in an instance of its own, while a neighbour serves
    local name number rc
    hw rate 3 >"$work/neighbour" &
    local neighbour=$!
    for name in "ud2:209" "write to code:201" "run the heap:203" "stack overflow:208"; do
        number=${name#*:}
        hw fault "$number" >/dev/null
        rc=$?
        [ $rc = 70 ] && grep -q '^tfaas-worker: enclave killed: fault' "$work/err"
        step "fault: ${name%:*}" $? "$(sed 's/tfaas-worker: //' "$work/err" | head -n 1)"
    done
    wait "$neighbour"
    step "a neighbour does not notice" $? "$(cat "$work/neighbour")"
}

# Two enclaves: one image, two CONFIGIDs (KSS), so two identities and two report keys.
attestation() {
    local target report
    target=$(hw --config 1 target) && report=$(hw --config 2 report "$target") &&
        hw --config 1 verify "$report"
    step "local attestation, 2 for 1" $? "EREPORT's MAC verifies at its target"
    ! hw --config 2 verify "$report" && grep -q "not for this enclave" "$work/err"
    step "local attestation, wrong target" $? "the MAC does not verify"
    ! hw --config 1 verify "${report:0:700}ff${report:702}" &&
        grep -q "not for this enclave" "$work/err"
    step "local attestation, forged REPORT" $? "the MAC does not verify"
}

sealing() {
    local blob
    blob=$(hw --config 1 seal) && hw --config 1 unseal "$blob"
    step "sealed, restarted, opened" $? "EGETKEY, policy MRENCLAVE and CONFIGID"
    ! hw --config 2 unseal "$blob" && grep -q "does not open" "$work/err"
    step "sealed blob in another domain" $? "does not open"
}

# fake_aesm MODE: starts it; the one before ends.
fake_aesm() {
    stop_fake
    mkdir -p "$work/world"
    printf '{"aesm": "%s"}' "$1" >"$work/world/world.json"
    rm -f "$work/aesm"
    : >"$work/fake"
    "$bin/test/dcap/fake_dcap" "$work/world" --sim "$work/sim" --socket "$work/aesm" \
        >"$work/fake" 2>&1 <"$work/life" 7>&- &
    fake=$!
    for _ in {1..100}; do
        grep -q '^ready$' "$work/fake" && return
        sleep 0.05
    done
}
stop_fake() {
    [ -z "$fake" ] || { kill "$fake" && wait "$fake"; } 2>/dev/null
    fake=
}

# On hardware by the machine's AESM. Elsewhere by one of our own, which then misbehaves.
quoting() {
    local got rc mode
    [ "$backend" = sgx ] || fake_aesm good
    got=$(hw quote "$([ "$backend" = sgx ] || echo "$work/aesm")")
    rc=$?
    if [ "$rc" = 3 ] && [ "$backend" = sgx ]; then
        row "quote by AESM" - "no AESM here"
        return
    fi
    step "quote by AESM" "$rc" "$got"
    [ "$backend" = sgx ] && return
    fake_aesm key-lost
    got=$(hw quote "$work/aesm")
    step "AESM loses its key once" $? "$got"
    for mode in busy:again,18 no-key:quote,42 short:io,0 oversized:limit,0 \
        other-field:format,0 other-report:quote-format,0; do
        fake_aesm "${mode%%:*}"
        hw quote "$work/aesm" >"$work/out"
        [ $? = 1 ] && got=${mode#*:} &&
            grep -q "AESM: ${got%,*}, errorCode ${got#*,}$" "$work/err"
        step "AESM: ${mode%%:*}" $? "$(sed 's/hwtest: AESM: //' "$work/err" | head -n 1)"
    done
    stop_fake
    hw quote "$work/nobody" >"$work/out"
    [ $? = 3 ]
    step "no AESM" $? "told apart"
}

throughput() {
    local got
    got=$(hw rate 1)
    step "throughput, $backend" $? "$got"
    got=$(on --cycles 10000 rate 1)
    step "throughput, simulator, 10000 cycles" $? "$got"
    got=$(on rate 1)
    step "throughput, simulator, no cost added" $? "$got"
}

# Without further options the worker names what is missing, or else prints its usage.
if [ "$backend" = sgx ] && "$bin/tfaas-worker" --backend sgx >"$work/out" 2>&1 ||
    grep -q 'no SGX here' "$work/out" 2>/dev/null; then
    cat "$work/out"
    echo "hwtest: no SGX here; HWTEST_BACKEND=sim runs the same steps on the simulator"
    exit 2
fi
sign || exit 2
case $backend in
sgx) where=hardware ;;
port) where="the hardware backend over the simulator (SIMULATED)" ;;
*) where="the simulator (SIMULATED)" ;;
esac
printf 'hwtest on %s, %s\n\n' "$where" "$(uname -r)"
row STEP VERDICT FIGURE
device
loading
threads
faults
attestation
sealing
quoting
throughput
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
