#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `tfaas doctor` and `tfaas-worker --backend sgx`: on this machine they name what is missing;
# on a machine that is made up (--root) nothing is, then one thing at a time.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
m=$work/machine

doctor() { timeout 60 "$bin/tfaas" doctor --root "$m" --json; }

ready() { doctor | jq .ready; }

# An Ice Lake server with Debian 12. Links to /dev/null stand for devices.
machine() {
    rm -rf "$m"
    mkdir -p "$m/dev" "$m/etc" "$m/boot" "$m/proc/sys/kernel" "$m/var/run/aesmd" \
        "$m/sys/devices/system/node/node0/x86"
    cat >"$m/cpuid" <<'TXT'
0 0 1b 756e6547 6c65746e 49656e69
1 0 606a6 0 7ffefbff bfebfbff
7 0 0 f1bf27ee 40415f5e 0
12 0 b 1 0 381f
12 1 b6 0 2e7 0
12 2 70c00001 20 8c000001 f
TXT
    echo 6.1.0-40-amd64 >"$m/proc/sys/kernel/osrelease"
    echo 'root=/dev/sda1 quiet' >"$m/proc/cmdline"
    printf 'CONFIG_X86=y\nCONFIG_X86_SGX=y\n' >"$m/boot/config-6.1.0-40-amd64"
    printf 'root:x:0:\nsgx:x:%s:\n' "$(id -g)" >"$m/etc/group"
    echo 68308434944 >"$m/sys/devices/system/node/node0/x86/sgx_total_bytes"
    ln -s /dev/null "$m/dev/sgx_enclave"
    ln -s /dev/null "$m/dev/sgx_provision"
    perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' \
        "$m/var/run/aesmd/aesm.socket"
}

# lacks ID STATUS NAME: exactly that row is not ok, it has a fix, and the exit status is 1.
lacks() {
    doctor >"$log" 2>&1
    [ $? = 1 ] && [ "$(jq -r '.checks[] | select(.status != "ok") | .id' "$log" | head -n 1)" = "$1" ] &&
        [ "$(jq -r --arg id "$1" '.checks[] | select(.id == $id) | .status' "$log")" = "$2" ] &&
        [ -n "$(jq -r --arg id "$1" '.checks[] | select(.id == $id) | .fix' "$log")" ] &&
        [ "$(jq .ready "$log")" = false ]
    count $? "$3"
    machine
}

made_up() {
    machine
    ok "a machine that has all" doctor
    is "says so" true ready
    sed -i 's/^7 0 0 f1bf27ee/7 0 0 f1bf27ea/' "$m/cpuid"; lacks cpu-sgx missing "a CPU without SGX"
    sed -i 's/^12 0 b/12 0 0/' "$m/cpuid"; lacks bios missing "off in the BIOS"
    sed -i 's/40415f5e/415f5e/' "$m/cpuid"; lacks cpu-flc missing "no launch control"
    sed -i 's/^12 1 b6/12 1 36/' "$m/cpuid"; lacks cpu-kss missing "no KSS"
    sed -i 's/^12 0 b/12 0 9/' "$m/cpuid"; lacks cpu-sgx2 missing "no SGX2"
    sed -i 's/2e7/3/' "$m/cpuid"; lacks cpu-xfrm missing "no AVX inside"
    sed -i 's/f1bf27ee/f1bf26ee/' "$m/cpuid"; lacks cpu-instructions missing "no BMI2"
    sed -i '/^12 2/d' "$m/cpuid"; rm "$m"/sys/devices/system/node/node0/x86/*
    lacks epc missing "no EPC"
    mv "$m"/boot/config-6.1.0-40-amd64 "$m"/boot/config-5.19.0
    echo 5.19.0 >"$m/proc/sys/kernel/osrelease"; lacks kernel missing "Linux 5.19"
    rm "$m"/boot/*; lacks kernel-config unknown "no configuration to read"
    printf 'CONFIG_X86=y\n# CONFIG_X86_SGX is not set\n' | gzip >"$m/proc/config.gz"
    rm "$m"/boot/*; lacks kernel-config missing "CONFIG_X86_SGX off, in a packed file"
    echo 'root=/dev/sda1 nosgx' >"$m/proc/cmdline"; lacks kernel-cmdline missing "nosgx"
    rm "$m/dev/sgx_enclave"; lacks device missing "no device"
    rm "$m/dev/sgx_enclave"; touch "$m/dev/sgx_enclave"; lacks device missing "a file for a device"
    sed -i /sgx/d "$m/etc/group"; lacks group missing "no group"
    rm "$m/dev/sgx_provision"; lacks provision missing "no provisioning device"
    rm "$m"/var/run/aesmd/*; lacks aesm missing "no AESM"
}

here() {
    "$bin/tfaas-worker" --backend sgx >"$log" 2>&1
    local status=$?
    if [ -c /dev/sgx_enclave ] && ! grep -q 'no SGX here' "$log"; then
        echo "SKIP what a machine without SGX says: this one has it"
        return
    fi
    [ $status != 0 ] && grep -q '^tfaas-worker: no SGX here: ' "$log" &&
        grep -q 'tfaas doctor' "$log"
    count $? "the worker names what is missing here"
    grep 'no SGX here' "$log"
    "$bin/tfaas" doctor >"$work/here" 2>&1
    [ $? = 1 ]
    count $? "so does doctor"
    [ "$(grep -c '^missing' "$work/here")" = "$(grep -c ' fix: ' "$work/here")" ]
    count $? "with a fix for each"
    grep '^missing' "$work/here"
}

# tfaasd passes the backend on, and what the worker found comes back to who deploys.
platform() {
    [ -c /dev/sgx_enclave ] && return
    need "tfaasd for hardware starts" host_start --backend sgx
    is "and does not say SIMULATED" 0 grep -c SIMULATED "$work/tfaasd.log"
    is "nor does its admin API" false sh -c "'$bin/tfaas' info --json | jq .simulated"
    ok "a publisher" "$bin/tfaas" key new "$work/p.pem"
    ok "a domain" "$bin/tfaas" domain new --name d --publisher "$work/p.pem.pub" --out "$work/d.json"
    ok "a bundle" "$bin/tfaas" pack examples/hello --name hello --domain hello.test --out "$work/h.tfb"
    ok "signed" "$bin/tfaas" sign "$work/h.tfb" --key "$work/p.pem"
    fails "deploying says what is wrong" platform "$bin/tfaas" deploy "$work/h.tfb" \
        --domain "$work/d.json" --engine "${engines[0]}"
    host_stop
}

made_up
here
platform
finish
