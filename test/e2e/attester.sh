#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The life of an attester: what is deployed is granted without anybody; a restart of the host
# is served again, with another key; while the attester is down instances serve until their
# lease ends and again when it is back; what the policy no longer accepts is not served
# beyond a lease; each grant is in the log.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
engines=("${engines[0]}")
hole='' hole_pid=''
trap 'attester_end KILL; [ -z "$hole_pid" ] || kill "$hole_pid"; leave' EXIT

# A machine that takes connections and never answers must not delay the other.
silent_machine() {
    local own=$port
    free_port && hole=$port
    port=$own
    nc -l -k 127.0.0.1 "$hole" >/dev/null 2>&1 </dev/null &
    hole_pid=$!
    attester_set ".machines += [\"127.0.0.1:$hole\"]"
}

core_limit() { awk '/^Max core file size/ { print $5 }' "/proc/$1/limits"; } # PID

beginning() {
    ok "an attester's configuration" attester_config shop cart
    ok "with a machine that does not answer" silent_machine
    ok "it is checked" "$bin/tfaas-attester" --config "$work/attester.json" --check
    sed 's/"lease_seconds"/"lease_second"/' "$work/attester.json" >"$work/wrong.json"
    fails "a misspelt field is the one that is named" lease_seconds \
        "$bin/tfaas-attester" --config "$work/wrong.json" --check
    jq '.lambdas[0].secrets = "/nowhere"' "$work/attester.json" >"$work/wrong.json"
    fails "secrets that are not there" io \
        "$bin/tfaas-attester" --config "$work/wrong.json" --check
    ok "a lambda is deployed" make_lambda shop 1
    fails "nobody granted it" "unrecognized name" serves shop
    need "the attester starts" attester_start
    is "its keys get into no core file" 0 core_limit "$attester"
    need "the lambda serves, and nobody did anything" until_ok 300 serves shop
    is "a stock client gets an answer" "shop 1" ask shop /
    ok "a second lambda of the same instance" make_lambda cart 1
    ok "serves too" until_ok 300 serves cart
    is "and the first" "shop 1" ask shop /
    is "the log has two grants" 2 attester_events granted
}

updates() {
    local before
    before=$(certificate_of shop)
    ok "a new version of the first" make_lambda shop 2
    is "needs no new grant" "shop 2" ask shop /
    ok "the log notes it" until_ok 300 is_logged update 1
    is "it serves with the key it had" "$before" certificate_of shop
}

is_without() { # TEXT PATH...
    ! grep -rqF -e "$@"
}

is_logged() { [ "$(attester_events "$1")" -ge "$2" ]; }

restarts() {
    local before
    before=$(certificate_of shop)
    host_stop
    ok "the host starts again" host_start
    ok "and serves again without anybody" until_ok 300 serves shop
    ok "with another key" differs "$before" "$(certificate_of shop)"
    ok "and the other lambda too" until_ok 300 serves cart
    is "the newer version" "shop 2" ask shop /
}

# Visits are 72 s apart at least: a look finds what is missing.
returns_soon() {
    attester_end
    ok "a lease of four minutes" attester_set '.lease_seconds = 240'
    ok "the attester starts" attester_start
    ok "and leases" until_ok 300 leased_for 240
    host_stop
    ok "the host starts again" host_start
    ok "and serves long before a visit is due" until_ok 400 serves shop
    ok "and so does the other lambda" until_ok 400 serves cart
    ok "for it was missing" grep -q 'event=missing name=shop.test' "$work/attester.log"
    attester_end
    ok "a short lease again" attester_set ".lease_seconds = $lease"
    ok "the attester starts" attester_start
    ok "and leases" until_ok 300 leased_for "$lease"
}

# leased_for SECONDS: the last lease is at most so long, and more than half of that.
leased_for() {
    local left
    left=$(sed -n 's/.*event=leased.* until=\([0-9]*\).*/\1/p' "$work/attester.log" | tail -n 1)
    left=$((left - $(date +%s)))
    [ "$left" -le "$1" ] && [ "$left" -gt $(($1 / 2)) ]
}

absence() {
    local grants
    grants=$(attester_events granted)
    attester_end
    ok "the attester is gone and the lambda serves" serves shop
    ok "until the lease ends" until_ok 300 is_silent shop
    fails "no certificate, no handshake" "unrecognized name" serves shop
    need "the attester comes back" attester_start
    ok "and the lambda serves again" until_ok 300 serves shop
    is "under the grant that it had" "$grants" attester_events granted
}

falls() {
    cp "$work/policy.json" "$work/policy.good"
    jq '.measurements = [("0" * 64)]' "$work/policy.good" >"$work/policy.new"
    mv "$work/policy.new" "$work/policy.json"
    ok "a policy that no longer accepts the enclave" until_ok 300 is_silent shop
    ok "the log says so" until_ok 300 is_logged lease-stopped 2
    is "and why" policy-measurement reason_of lease-stopped
    is "and under which policy" "$(sha256sum <"$work/policy.json" | cut -d ' ' -f 1)" \
        last_policy
    ok "the attester still tries" kill -0 "$attester"
    cp "$work/policy.good" "$work/policy.new"
    mv "$work/policy.new" "$work/policy.json"
    ok "and when it accepts it again it serves" until_ok 300 serves shop
}

last_policy() {
    jq -rs 'map(select(.event.type == "policy")) | last.event.policy' \
        "$work/attester/log.jsonl"
}

# A lambda's secrets come with the grant, and only to who was attested.
secrets() {
    attester_end
    printf '{"TOKEN": "%s"}' tfaas-e2e-secret >"$work/secrets.json"
    ok "a secret for the second lambda" attester_set \
        "(.lambdas[] | select(.name == \"cart\")).secrets = \"$work/secrets.json\""
    lambda cart <<'JS'
exports.fetch = function (request, env) { return new Response('cart ' + env.TOKEN); };
JS
    ok "a version that tells it" release cart 2 "${engines[0]}"
    host_stop
    ok "a new instance" host_start
    ok "the attester starts" attester_start
    ok "serves" until_ok 300 serves cart
    is "and has it" "cart tfaas-e2e-secret" ask cart /
    ok "the log has it not" is_without tfaas-e2e-secret "$work/attester" "$work/attester.log"
    ok "nor has the host's store" is_without tfaas-e2e-secret "$work/host" "$work/tfaasd.log"
}

# Lists are posted to instances that are behind, and a lease is of no force without them.
lists() {
    attester_end
    ok "a list that revokes what the second lambda is" tf revoke --key "$work/publisher.pem" \
        --serial 1 --below cart=3 --out "$work/list.json"
    ok "the attester has it" attester_set \
        ".revocations = [\"$work/list.json\"] | .domain = \"$work/domain.json\""
    ok "and starts" attester_start
    ok "the lambda is served no more" until_ok 300 is_silent cart
    ok "the other is" serves shop
    ok "a version that is not revoked" make_lambda cart 3
    ok "is served" until_ok 300 serves cart
}

# Another attester of the domain leaves alone what is leased, and takes over when the
# first is gone.
second_attester() {
    local pid
    jq --arg w "$work" '.key = "\($w)/second.pem" | .log = "\($w)/second"' \
        "$work/attester.json" >"$work/second.json"
    "$bin/tfaas-attester" --config "$work/second.json" >"$work/second.log" 2>&1 </dev/null &
    pid=$!
    ok "a second attester leaves the lambda alone" \
        until_ok 300 grep -q 'event=left-alone lambda=shop' "$work/second.log"
    ok "and grants nothing" is_without event=granted "$work/second.log"
    attester_end
    ok "the first is gone, and the second grants" \
        until_ok 300 grep -q 'event=granted lambda=shop' "$work/second.log"
    ok "the lambda serves" until_ok 300 serves shop
    ok "its log verifies" "$bin/tfaas" log verify "$work/second/log.jsonl" \
        --key "$work/second.pem.pub"
    kill "$pid" && wait "$pid"
    ok "the first comes back" attester_start
    ok "and the lambda serves" until_ok 300 serves shop
}

rollback() {
    ok "the host goes back to version 1" go_back
    ok "which nobody grants" until_ok 300 grep -q 'code=version-floor' "$work/attester.log"
    ok "and which does not serve" is_silent shop
}

# go_back: the bundle of before into the store of a host that is down
go_back() {
    host_stop
    make_old || return 1
    cp "$work/old.tfb" "$work/host/lambdas/shop/bundle.tfb" && host_start
}

make_old() {
    lambda shop <<'JS'
exports.fetch = function () { return new Response('shop 1'); };
JS
    tf pack "$work/shop" --version 1 --out "$work/old.tfb" &&
        tf sign "$work/old.tfb" --key "$work/publisher.pem"
}

renewals() {
    local before
    attester_end
    ok "certificates that live for half a minute" attester_set '.certificate_seconds = 30'
    host_stop
    ok "and a new instance" host_start
    ok "the attester starts" attester_start
    ok "the lambda serves" until_ok 300 serves cart
    before=$(certificate_of cart)
    ok "its certificate is renewed before it ends" until_ok 600 is_renewed cart "$before"
    is "and it serves" "cart 3" ask cart /
}

# Who noted the head of a log sees when its last lines are gone; nobody else does.
notes() {
    local file=$work/attester/log.jsonl head
    head=$(attester_log_verify --json | jq -r .head)
    ok "a head that was noted" attester_log_verify --head "$head"
    ok "the log is shown" "$bin/tfaas" log show "$file"
    fails "as another's it does not verify" log-signature "$bin/tfaas" log verify "$file" \
        --key "$work/publisher.pem.pub"
    cp "$file" "$work/whole.jsonl"
    sed -i '$d' "$file"
    ok "without its last line it is a good older log" attester_log_verify
    fails "but not to who noted the head" log-chain attester_log_verify --head "$head"
    sed '2d' "$work/whole.jsonl" >"$file"
    fails "a line out of the middle is missed" log-chain attester_log_verify
    cp "$work/whole.jsonl" "$file"
}

is_renewed() { differs "$2" "$(certificate_of "$1")"; }

ok "the platform starts" host_start
ok "a publisher with an attester" attester_publisher
beginning
updates
restarts
returns_soon
absence
falls
secrets
lists
second_attester
rollback
renewals
ok "the log verifies" attester_log_verify
attester_end
notes
kill "$hole_pid" && hole_pid=''
finish
