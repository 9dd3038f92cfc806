#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/revoke.sh - what a publisher takes back stops at once and stays stopped: a
# bundle, versions below one, a key. A key is replaced without a gap. The trust domain
# lists a root that lies in a safe, the key of every day, and the next one.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
one=${engines[0]} two=${engines[1]:-${engines[0]}}

keyid() { cli key show "$1" --json | jq -r .keyid; }
digest_of() { cli verify "$work/$1.tfb" --domain "$work/domain.json" --json | jq -r .digest; }

# domain_of_three: the publisher of lib.sh is the key of every day.
domain_of_three() {
    local key
    for key in root next stranger; do
        tf key new "$work/$key.pem" || return 1
    done
    tf domain new --name e2e --publisher "$work/root.pem.pub" \
        --publisher "$work/publisher.pem.pub" --publisher "$work/next.pem.pub" \
        --out "$work/domain.json" &&
        tf policy new --image "$work/$one.sig" --image "$work/$two.sig" \
            --domain "$work/domain.json" --sim-root host --out "$work/policy.json"
}

# revoke KEY SERIAL [ARG...]: hands a list in
revoke() {
    local key=$1 serial=$2
    shift 2
    cli revoke --key "$work/$key.pem" --serial "$serial" --domain "$work/domain.json" "$@"
}

# post NAME FILE: hands a list in at the management endpoint, as anybody can
post() {
    local name=$1.manage.tfaas.internal
    curl -sS -k --max-time 20 --resolve "$name:$port:127.0.0.1" --data-binary "@$2" \
        "https://$name:$port/v1/revocations"
}

is_granted() {
    cli ls --json | jq -e --arg n "$1" '.lambdas[] | select(.name == $n).granted' >/dev/null
}
is_shut() { ! ask "$1" / >/dev/null 2>&1; }
domain_hash() { sha256sum "$work/domain.json" | cut -d' ' -f1; }
listed() {
    admin GET "/v1/domains/$(domain_hash)/revocations" |
        jq -c '[.revocations[] | {signer, serial: .list.serial}]'
}
serves() { [ "$(admin GET /v1/workers | jq -c '[.workers[].state] | unique')" = '["serving"]' ]; }

# shellcheck disable=SC2119 # no options of its own
need "the platform starts" host_start
need "a publisher is set up" publisher_new
need "a root, the key of every day and the next one" domain_of_three
for name in first second third; do
    lambda "$name" <<'JS'
exports.fetch = function () { return new Response("here"); };
JS
done
need "first on $one" publish first "$one"
need "second on $two" publish second "$two"
need "third on $one" publish third "$one"
is "first answers" here ask first /
digest=$(digest_of first)

# --- a bundle ---------------------------------------------------------------------------
ok "its digest is revoked" revoke publisher 1 --digest "$digest" --out "$work/list1.json"
ok "no handshake any more" is_shut first
ok "the host knows" eval '! is_granted first'
fails "the bundle is not deployed again" revoked deploy first "$one"
is "second answers" here ask second /
need "a new version is deployed" release first 2 "$one"
ok "without a grant it serves nothing" is_shut first
need "it is granted" grant first
is "it answers" here ask first /

# --- versions ---------------------------------------------------------------------------
ok "versions below 3 are revoked" revoke publisher 2 --from "$work/list1.json" \
    --below first=3 --out "$work/list2.json"
ok "it stops" is_shut first
fails "version 2 is not deployed again" revoked deploy first "$one"
need "version 3 is" release first 3 "$one"
need "and granted" grant first
is "it answers" here ask first /
fails "an older list is refused" revocation-old cli revoke --list "$work/list1.json" \
    --domain "$work/domain.json"
fails "a serial is used once" revocation-old revoke publisher 2 --below third=9
fails "--from wants a higher one" usage revoke publisher 2 --from "$work/list2.json"
is "first answers as before" here ask first /

# --- who may say so -----------------------------------------------------------------------
fails "a stranger revokes nothing" revocation-signer revoke stranger 9 --below first=9
fails "nobody revokes a key before its own" revocation-signer revoke publisher 9 \
    --signer "$(keyid "$work/root.pem")"
cli revoke --key "$work/stranger.pem" --serial 9 --below first=9 --out "$work/odd.json" \
    >"$log" 2>&1
is "nor at the management endpoint" revocation-signer eval \
    'post second "$work/odd.json" | jq -r .error'
is "first answers as before" here ask first /

# --- a list that comes to one enclave reaches the others ----------------------------------
cli revoke --key "$work/root.pem" --serial 1 --below third=2 --out "$work/root1.json" \
    >"$log" 2>&1
is "a list at the management endpoint of $two" 1 eval \
    'post second "$work/root1.json" | jq .serial'
ok "stops third on $one" until_ok 50 is_shut third

# --- a key, without a gap -----------------------------------------------------------------
need "first, the same bundle, signed with the next key" tf sign "$work/first.tfb" \
    --key "$work/next.pem"
need "it is deployed" deploy first "$one"
is "and answers without a new grant" here ask first /
need "the next key grants it, for grants go with their key" grant first \
    --key "$work/next.pem"
ok "the root revokes the key of every day" revoke root 2 --from "$work/root1.json" \
    --signer "$(keyid "$work/publisher.pem")"
is "first answers" here ask first /
ok "second, which that key signed, does not" is_shut second
fails "the revoked key signs no bundle" revoked release second 2 "$two"
fails "no list" revoked revoke publisher 3 --below first=99
fails "and no grant" revoked grant first
need "the next key signs second" release second 2 "$two" next
ok "and grants it" grant second --key "$work/next.pem"
is "it answers" here ask second /

# --- a restart ------------------------------------------------------------------------------
before=$(listed)
host_stop
# shellcheck disable=SC2119
need "the platform starts again" host_start
ok "all workers serve" until_ok 100 serves
is "the lists are there" "$before" listed
is "first answers" here ask first /
is "second answers" here ask second /
ok "third does not" is_shut third
fails "and is not deployed again" revoked deploy third "$one"
fails "the revoked key is still revoked" revoked release second 3 "$two"
is "second answers as before" here ask second /
finish
