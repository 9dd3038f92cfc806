#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Clocks that lie: the host's or the attester's is turned by 400 days. Nothing is served
# longer than without that: a lease that has ended stays ended, and one that runs ends no
# later, whatever the host says the time is.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
tools/setup test || exit 1
engines=("${engines[0]}")
faketime=$(dpkg -L libfaketime | grep -m 1 'libfaketimeMT\.so')
# What the host believes the time is: its worker asks for each batch of frames. The clock
# of the host's own timers is left alone.
under=(env "LD_PRELOAD=$faketime" "FAKETIME_TIMESTAMP_FILE=$work/offset" FAKETIME_NO_CACHE=1
    FAKETIME_DONT_FAKE_MONOTONIC=1)

turn() { # OFFSET: the host's clock, such as +400d
    printf '%s\n' "$1" >"$work/offset.new" && mv "$work/offset.new" "$work/offset"
}

# ends_with TITLE OFFSET: the attester goes, the host's clock is turned; the lease ends.
ends_with() {
    ok "$1: it serves" until_ok 300 serves shop
    attester_end
    turn "$2"
    ok "$1: it serves no more when the lease has ended" until_ok 300 is_silent shop
    turn +0
    ok "$1: and not when the clock is turned back either" is_silent shop
    turn -400d
    ok "$1: nor when it is turned back further" is_silent shop
    turn +0
    ok "$1: with the attester it serves" attester_start
    ok "$1: again" until_ok 300 serves shop
}

# A clock that stands still is the one thing that an enclave cannot tell: then the number of
# requests ends the lease.
frozen() {
    attester_end
    ok "a lease of 20 requests" attester_set '.requests = 20 | .lease_seconds = 3600'
    : >"$work/attester.log"
    ok "the attester starts" attester_start
    ok "and leases" until_ok 300 grep -q event=leased "$work/attester.log"
    attester_end
    turn "$(date '+%Y-%m-%d %H:%M:%S')"
    ok "it serves" serves shop
    ok "the clock stands, and the lease ends all the same" until_ok 200 is_silent shop
    turn +0
}

# The certificates of an attester that is ahead are not valid yet: clients see that. Here
# the question is whether the instance serves.
answers() { ask shop / -f -k --max-time 5; }
no_answer() { ! answers; }

attester_ahead() {
    host_stop
    ok "the host starts" host_start
    attester_set '.requests = 0 | .lease_seconds = 6'
    ok "an attester that is 400 days ahead" attester_start \
        env "LD_PRELOAD=$faketime" FAKETIME=+400d FAKETIME_DONT_FAKE_MONOTONIC=1
    ok "leases" until_ok 300 answers
    fails "but its certificate is not valid yet" "certificate" serves shop
    attester_end
    ok "and the lease ends as soon as any" until_ok 300 no_answer
    ok "the attester with the right clock starts" attester_start
    ok "and is not believed, for it is behind" \
        until_ok 300 grep -q 'code=lease-old' "$work/attester.log"
    ok "so nothing serves" no_answer
    ok "a new instance takes over" tf roll --engine "${engines[0]}" --minutes 5
    ok "which has heard no other clock, and serves" until_ok 300 serves shop
}

turn +0
attester_shop
ok "an attester's configuration" attester_config shop
need "the attester starts" attester_start
need "the lambda serves" until_ok 300 serves shop
ends_with "400 days ahead" +400d
ends_with "400 days behind" -400d
frozen
attester_ahead
ok "the log verifies" attester_log_verify
attester_end
finish
