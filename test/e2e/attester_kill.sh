#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of the attester at random moments: its log verifies, no grant is lost and none is
# doubled, and what instances have is in the log. Each time the host restarts too, so that
# there is something to be granted.
#
#   TFAAS_KILLS  how often (10)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
engines=("${engines[0]}")
kills=${TFAAS_KILLS:-10}
names=(shop cart desk)
bad_logs=0 unknown=0 silent=0

# in_force NAME: the serial that the instance says its grant has
in_force() {
    "$bin/tfaas" attest "$1" --policy "$work/policy.json" --allow-sim --json 2>/dev/null |
        jq -r .lambda.serial
}

# is_known NAME: the log has an intent with the serial that is in force, and it was granted
is_known() {
    local serial
    serial=$(in_force "$1")
    [ "${serial:-0}" != 0 ] && jq -es --argjson s "$serial" \
        'map(select(.event.serial == $s).event.type) |
            (index("intent") != null and index("granted") != null)' \
        "$work/attester/log.jsonl" >"$log"
}

# serials: how many intents there are, and how many serials they have, and instances
serials() {
    jq -rs 'map(select(.event.type == "intent").event) |
        "\(length) \(map(.serial) | unique | length)
         \(map("\(.serial) \(.instance)") | unique | length)"' "$work/attester/log.jsonl" |
        tr -s ' \n' ' '
}

all_serve() {
    local n
    for n in "${names[@]}"; do
        serves "$n" || return 1
    done
}

log_size() { stat -c %s "$work/attester/log.jsonl"; }

# strike: ends the attester, every other time wherever it is, else while it grants: a
# moment after the log has grown.
strike() {
    local size end=$((SECONDS + 60))
    size=$(log_size)
    if ((RANDOM % 2)); then
        sleep "$(printf '0.%03d' $((RANDOM % 900)))"
    else
        while [ "$(log_size)" = "$size" ] && [ "$SECONDS" -lt "$end" ]; do :; done
        sleep "$(printf '0.%03d' $((RANDOM % 20)))"
    fi
    attester_end KILL
}

kill_once() {
    host_stop
    host_start || return 1
    strike
    # The log as it lies there, but for a line that is not whole: nobody acted on that.
    sed -n '/}$/p' "$work/attester/log.jsonl" >"$work/copy.jsonl"
    "$bin/tfaas" log verify "$work/copy.jsonl" --key "$work/attester.pem.pub" >"$log" 2>&1 ||
        bad_logs=$((bad_logs + 1))
    attester_start
    until_ok 600 all_serve || silent=$((silent + 1))
    for n in "${names[@]}"; do
        is_known "$n" || unknown=$((unknown + 1))
    done
}

is_settled() { [ "$(attester_log_verify --json | jq .open)" = 0 ]; }
is_zero() { [ "$1" = 0 ]; }
all_same() { # A B C
    [ -n "$1" ] && [ "$1" = "$2" ] && [ "$1" = "$3" ]
}

ok "the platform starts" host_start
ok "a publisher with an attester" attester_publisher
for n in "${names[@]}"; do
    lambda "$n" <<<"exports.fetch = function () { return new Response('$n'); };"
    ok "a lambda" bundle "$n"
    ok "is deployed" deploy "$n" "${engines[0]}"
done
ok "an attester's configuration" attester_config "${names[@]}"
need "the attester starts" attester_start
need "the lambdas serve" until_ok 300 all_serve
for ((i = 0; i < kills; i++)); do
    kill_once
done
ok "$kills times killed: each time the log verified" is_zero "$bad_logs"
ok "each time everything was served again" is_zero "$silent"
ok "each grant in force was in the log" is_zero "$unknown"
ok "the log verifies" attester_log_verify
# shellcheck disable=SC2046 # three numbers
ok "no serial was used twice" all_same $(serials)
ok "no intent was left open" until_ok 300 is_settled
note "$(grep -c event=resolved "$work/attester.log") grants were in the air when it was killed"
note "intents, serials, instances of serials: $(serials)"
attester_log_verify --json >&2
attester_end
finish
