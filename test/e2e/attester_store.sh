#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The host's store is the operator's: it may be copied, and it may be brought back as it was.
# A copy under a second host gets no share of the first one's lease; an old copy brings back
# no older or revoked lambda and no older grant once the attester has spoken.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
engines=("${engines[0]}")
clone='' clone_port=''
trap 'attester_end KILL; clone_stop; leave' EXIT

# on_clone COMMAND...: with the second host's address
on_clone() {
    local own=$port status
    port=$clone_port
    "$@"
    status=$?
    port=$own
    return $status
}

# clone_start: a second host on a copy of the first one's store, beside it
clone_start() {
    local own=$port
    rm -rf "$work/clone"
    cp -a "$work/host" "$work/clone" && rm -f "$work/clone/admin.sock" || return 1
    [ -n "$clone_port" ] || { free_port && clone_port=$port; }
    port=$own
    "$bin/tfaasd" --state "$work/clone" --listen "127.0.0.1:$clone_port" \
        --image "${engines[0]}=$bin/${engines[0]}.img,$work/${engines[0]}.sig" \
        >>"$work/clone.log" 2>&1 </dev/null &
    clone=$!
    until_ok 100 on_clone attested shop
}

clone_stop() {
    [ -n "$clone" ] || return 0
    kill "$clone" 2>/dev/null
    until_ok 50 is_gone "$clone" || kill -KILL "$clone" 2>/dev/null
    wait "$clone" 2>/dev/null
    clone=''
}

attested() { # NAME: it is there and good, granted or not
    tf attest "$1" --policy "$work/policy.json" --allow-sim --connect "127.0.0.1:$port"
}

claim() { # FILTER: of the first lambda
    "$bin/tfaas" attest shop --policy "$work/policy.json" --allow-sim --json \
        --connect "127.0.0.1:$port" | jq -r "$1"
}

cloning() {
    ok "a second host on a copy of the store" clone_start
    ok "the first serves" serves shop
    ok "the copy does not" on_clone is_silent shop
    is "it has no grant" "0" on_clone claim .lambda.serial
    ok "and none of the keys" differs "$(claim .instance)" "$(on_clone claim .instance)"
    attester_end
    ok "the attester is told of it" attester_set ".machines += [\"127.0.0.1:$clone_port\"]"
    ok "and starts" attester_start
    ok "now the copy serves" until_ok 300 on_clone serves shop
    ok "under a grant of its own" differs "$(claim .lambda.serial)" \
        "$(on_clone claim .lambda.serial)"
    ok "with a key of its own" differs "$(certificate_of shop)" \
        "$(on_clone certificate_of shop)"
    clone_stop
    ok "it ends, and the first serves on" serves shop
}

# back: the store as it was, under a host that starts anew
back() {
    host_stop
    rm -rf "$work/host" && cp -a "$work/before" "$work/host" && host_start
}

before() {
    host_stop
    cp -a "$work/host" "$work/before"
    host_start
}

rollback() {
    need "a copy of the store is kept" before
    ok "the first lambda serves" until_ok 300 serves shop
    ok "and the second" until_ok 300 serves cart
    ok "there is a newer version" make_lambda shop 2
    ok "which serves" until_ok 300 is_version 2
    ok "and the attester has seen it" until_ok 300 has_seen 2
    attester_end
    ok "the second lambda is revoked" tf revoke --key "$work/publisher.pem" --serial 1 \
        --below cart=2 --out "$work/list.json"
    ok "the attester has the list" attester_set \
        ".revocations = [\"$work/list.json\"] | .domain = \"$work/domain.json\""
    ok "and starts" attester_start
    ok "the second lambda is gone" until_ok 300 is_unknown cart
    attester_end
    ok "the store is brought back, and nobody is there" back
    ok "the older version is loaded" until_ok 100 attested shop
    ok "no older grant came back" is_silent shop
    ok "nor that of the revoked" is_silent cart
    need "the attester starts" attester_start
    ok "it grants no older version" until_ok 300 grep -q 'lambda=shop.*code=version-floor' \
        "$work/attester.log"
    ok "nothing serves" is_silent shop
    ok "the newer version again" tf deploy "$work/shop.tfb" --domain "$work/domain.json" \
        --engine "${engines[0]}"
    ok "serves" until_ok 300 is_version 2
    ok "the lease has brought the list: the revoked one is gone" until_ok 300 is_unknown cart
}

is_version() { [ "$(serves shop 2>/dev/null)" = "shop $1" ]; }
has_seen() { # VERSION: of the first lambda, in the log
    jq -e --argjson v "$1" 'select(.event.version == $v)' "$work/attester/log.jsonl"
}
is_unknown() { ! attested "$1"; }

need "the platform starts" host_start
need "a publisher with an attester" attester_publisher
need "a lambda" make_lambda shop 1
need "and a second" make_lambda cart 1
ok "an attester's configuration" attester_config shop cart
need "the attester starts" attester_start
need "the lambda serves" until_ok 300 serves shop
ok "and the second" until_ok 300 serves cart
cloning
rollback
ok "the log verifies" attester_log_verify
attester_end
finish
