# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# test/tools/attester.sh - sourced after test/e2e/lib.sh by stories about tfaas-attester: a
# publisher whose trust domain has an attester, its configuration, and its life. A lease is
# short, so that a story sees it end; every wait has a bound that is far away.
attester='' lease=6

# attester_publisher: as publisher_new, with an attester in the trust domain, and another.
attester_publisher() {
    publisher_new && tf key new "$work/attester.pem" && tf key new "$work/second.pem" &&
        tf domain new --name e2e --publisher "$work/publisher.pem.pub" \
            --attester "$work/attester.pem.pub" --attester "$work/second.pem.pub" \
            --out "$work/domain.json" &&
        publisher_policy
}

# attester_config NAME...: what it is to grant, by the publisher's CA.
attester_config() {
    jq -n --arg w "$work" --arg m "localhost:$port" --argjson lease "$lease" '{
        policy: "\($w)/policy.json", key: "\($w)/attester.pem", log: "\($w)/attester",
        machines: [$m], lambdas: [$ARGS.positional[] | {name: .}],
        lease_seconds: $lease, certificate_seconds: 3600,
        issuer: {type: "ca", key: "\($w)/ca.key", certificate: "\($w)/ca.pem"},
        insecure_allow_simulated: true}' --args "$@" >"$work/attester.json"
}

# attester_set FILTER: changes the configuration by a jq filter.
attester_set() {
    jq "$1" "$work/attester.json" >"$work/attester.new" &&
        mv "$work/attester.new" "$work/attester.json"
}

# attester_start [COMMAND...]: under a command such as faketime, if one is given.
attester_start() {
    "$@" "$bin/tfaas-attester" --config "$work/attester.json" \
        >>"$work/attester.log" 2>&1 </dev/null &
    attester=$!
    until_ok 100 test -s "$work/attester/log.jsonl"
}

# attester_end [SIGNAL]: ends it and waits for that.
attester_end() {
    [ -n "$attester" ] || return 0
    kill -"${1:-TERM}" "$attester" 2>/dev/null
    until_ok 100 is_gone "$attester" || kill -KILL "$attester" 2>/dev/null
    wait "$attester" 2>/dev/null
    attester=''
}

attester_log_verify() {
    "$bin/tfaas" log verify "$work/attester/log.jsonl" --key "$work/attester.pem.pub" "$@"
}

# attester_events TYPE: how many the log has.
attester_events() { attester_log_verify --json | jq --arg t "$1" '.events[$t]'; }

# serves NAME, is_silent NAME: one try; for until_ok.
serves() { ask "$1" / -f --max-time 5; }
is_silent() { ! serves "$1"; }

make_lambda() { # NAME VERSION: one that answers both, deployed
    lambda "$1" <<<"exports.fetch = function () { return new Response('$1 $2'); };"
    release "$1" "$2" "${engines[0]}"
}

# attester_shop: a platform, a publisher with an attester, and `shop`, which nobody granted
attester_shop() {
    ok "the platform starts" host_start
    ok "a publisher with an attester" attester_publisher
    ok "a lambda is deployed" make_lambda shop 1
}

# reason_of TYPE: of the last such event
reason_of() {
    jq -rs --arg t "$1" 'map(select(.event.type == $t)) | last.event.reason' \
        "$work/attester/log.jsonl"
}

certificate_of() { # NAME: the fingerprint of the certificate that it serves with
    openssl s_client -connect "127.0.0.1:$port" -servername "$1.test" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256
}

trap 'attester_end KILL; leave' EXIT
