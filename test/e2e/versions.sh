#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/versions.sh - sealed grants over time: they open after an upgrade of the image's
# ISVSVN or of the processor's CPUSVN, never after a downgrade, and on no other machine.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine=${engines[0]}
engines=("$engine")

# start_as SVN CPUSVN-BYTE: the platform with the image at this ISVSVN on a processor at this
# CPUSVN.
start_as() {
    [ -f "$work/operator.pem" ] || tf image key "$work/operator.pem" || return 1
    tf image sign "$bin/$engine.img" --key "$work/operator.pem" --out "$work/$engine.sig" \
        --prodid 1 --svn "$1" || return 1
    mkdir -p "$work/host/sim" && chmod 700 "$work/host" "$work/host/sim" || return 1
    echo "icelake-sp $(printf "$2%.0s" {1..16})" >"$work/host/sim/cpu"
    # shellcheck disable=SC2119 # no options of its own
    host_start
}

# Everything stored was given to the enclave; without its key no connection to the name
# succeeds.
serves() { admin GET /v1/workers | grep -q '"state":"serving"'; }
is_locked() { until_ok 100 serves && ! ask first /; }

need "an image at ISVSVN 2 starts" start_as 2 01
need "a publisher is set up" publisher_new
lambda first <<'JS'
exports.fetch = function () { return new Response("one"); };
JS
need "a lambda is published" publish first "$engine"
is "it answers" one ask first /
host_stop

need "the same image at ISVSVN 1" start_as 1 01
ok "does not open what 2 sealed" is_locked
host_stop
need "at 2 again" start_as 2 01
ok "the blob is still there" until_ok 50 ask first /
host_stop
need "at 3" start_as 3 01
ok "what 2 sealed opens" until_ok 50 ask first /
host_stop

need "after a microcode update (CPUSVN 2)" start_as 3 02
ok "what was sealed before opens" until_ok 50 ask first /
need "a new grant is sealed at CPUSVN 2" grant first
is "it serves" one ask first /
host_stop
need "with the old microcode" start_as 3 01
ok "what was sealed at CPUSVN 2 does not open" is_locked
host_stop

need "with the new one" start_as 3 02
ok "it does" until_ok 50 ask first /
host_stop
mv "$work/host/sim/machine.key" "$work/machine.key"
need "the store on another machine" start_as 3 02
ok "opens nothing" is_locked
host_stop
mv "$work/machine.key" "$work/host/sim/machine.key"
need "back on its own" start_as 3 02
ok "it opens" until_ok 50 ask first /
finish
