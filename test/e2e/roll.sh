#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/roll.sh - a new enclave takes over from one that serves, and no request fails:
# another measurement, another trust domain. A new one that does not come up, or that
# nobody grants, changes nothing. A lambda is updated without a new grant, as far as the
# grant covers that.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine=${engines[0]}
engines=("$engine")
trap 'clients_stop; leave' EXIT
clients=()

# another_image OUT WORD: the image with another word of four letters in one of its texts
another_image() {
    LC_ALL=C sed "s/a parameter is a pair/a parameter is a $2/" \
        "$bin/$engine.img" >"$work/$1.img" &&
        ! cmp -s "$bin/$engine.img" "$work/$1.img" &&
        tf image sign "$work/$1.img" --key "$work/operator.pem" --out "$work/$1.sig" \
            --prodid 1 --svn 2
}

# policy_for OUT DOMAIN: any of the images
policy_for() {
    tf policy new --image "$work/$engine.sig" --image "$work/new.sig" --domain "$2" \
        --sim-root host --out "$1"
}

# clients_start: four that ask without a pause, one of them on one connection, until the
# folder is gone.
clients_start() {
    rm -rf "$work/asking" "$work"/answers.*
    mkdir "$work/asking"
    local i
    for i in 1 2 3; do
        (
            while [ -d "$work/asking" ]; do
                ask first / >>"$work/answers.$i" 2>&1 || echo " failed" >>"$work/answers.$i"
                echo >>"$work/answers.$i"
            done
        ) &
        clients+=($!)
    done
    (
        while [ -d "$work/asking" ]; do
            # shellcheck disable=SC2046 # many words are meant
            ask first / $(printf 'https://first.test:%s/\n' $(yes "$port" | head -n 20)) -w '\n' \
                >>"$work/answers.4" 2>&1 || echo " failed" >>"$work/answers.4"
        done
    ) &
    clients+=($!)
}

clients_stop() {
    local pid
    rm -rf "$work/asking"
    for pid in "${clients[@]}"; do
        wait "$pid"
    done
    clients=()
}

# asked TITLE: every answer was right, and there were some
asked() {
    clients_stop
    local good bad
    good=$(cat "$work"/answers.* | grep -cx here)
    bad=$(cat "$work"/answers.* | grep -vx here | grep -c .)
    cat "$work"/answers.* | grep -vx here | head -n 5 >"$log"
    [ "$bad" = 0 ] && [ "$good" -ge 20 ]
    count $? "$1 ($good answers)"
}

mrenclaves() { admin GET /v1/workers | jq -r '[.workers[].mrenclave] | unique | join(" ")'; }
state() { cli roll --json | jq -r .state; }
is_state() { [ "$(state)" = "$1" ]; }
waiting() { cli roll --json | jq -r '.waiting | join(" ")'; }
heir_serves() {
    [ "$(admin GET /v1/workers | jq -r '[.workers[] | select(.state == "serving")] | length')" = 2 ]
}
one_worker() { [ "$(admin GET /v1/workers | jq '.workers | length')" = 1 ]; }
give() { # POLICY [ARG...]
    local policy=$1
    shift
    grant_by "$policy" first --allow-sim "$@"
}
update() { # VERSION [PACK ARG...]
    local version=$1
    shift
    tf pack "$work/first" --version "$version" --out "$work/first.tfb" "$@" &&
        tf sign "$work/first.tfb" --key "$work/publisher.pem" &&
        tf deploy "$work/first.tfb" --domain "${domain:-$work/domain.json}" --engine "$engine"
}

# shellcheck disable=SC2119 # no options of its own
need "the platform starts" host_start
need "a publisher is set up" publisher_new
lambda first <<'JS'
exports.fetch = function () { return new Response("here"); };
JS
need "a lambda is published" publish first "$engine"
is "it answers" here ask first /
before=$(mrenclaves)
is "nothing is rolled" none state

# --- an update needs no new grant, as far as the grant covers it ------------------------
clients_start
ok "version 2 is deployed under the same grant" update 2
ok "version 3 too" update 3
fails "a version without the granted name is refused" grant-domain update 4 \
    --domain other.test
fails "so is one below what was there" version-floor update 1
need "a grant for this one bundle" give "$work/policy.json" --pin
fails "holds no other" grant-lambda update 4
need "a grant for all that follow" give "$work/policy.json"
ok "holds version 4" update 4
asked "all the while every request is answered"

# --- a new one that does not come up -------------------------------------------------------
need "another image" another_image new door
need "an image with a wrong signature" cp "$work/new.sig" "$work/odd.sig"
printf 'x' | dd of="$work/odd.sig" bs=1 seek=200 conv=notrunc 2>/dev/null
clients_start
fails "a roll to it is given up" image-signature cli roll --engine "$engine" \
    --image "$work/new.img" --sigstruct "$work/odd.sig"
ok "and stays so" is_state aborted
is "because of what was wrong" image-signature eval 'cli roll --json | jq -r .why'
fails "a file that is not there" io cli roll --engine "$engine" --image "$work/none"
fails "an engine that is not there" not-found cli roll --engine mujs
fails "nothing to be given up" not-found cli roll --abort
is "the old one is the only one" "$before" mrenclaves
asked "all the while every request is answered"

# --- one that nobody grants ------------------------------------------------------------------
need "the new one is in a policy" policy_for "$work/both.json" "$work/domain.json"
clients_start
ok "a roll begins" cli roll --engine "$engine" --image "$work/new.img" \
    --sigstruct "$work/new.sig"
fails "one at a time" conflict cli roll --engine "$engine"
ok "the new one comes up" until_ok 100 heir_serves
is "it waits for the grant" first waiting
fails "meanwhile nothing is deployed" conflict update 5
fails "the management name leads to the new one" policy-measurement \
    cli attest first --policy "$work/policy.json" --allow-sim
asked "all the while every request is answered"
kill -KILL "$(admin GET /v1/workers | jq ".workers[] | select(.mrenclave == \"$before\").pid")"
ok "the old one dies and comes back" until_ok 100 ask first /
is "that is no reason to take over" running state
is "the grant is still awaited" first waiting
clients_start
ok "it is given up" cli roll --abort
is "so it says" aborted state
ok "the old one is alone again" until_ok 100 one_worker
is "and the same" "$before" mrenclaves
ok "the management name leads to it" cli attest first --policy "$work/policy.json" --allow-sim
asked "all the while every request is answered"

# --- one that does not load what the old one does -----------------------------------------------
# A lambda whose top level throws where the image has the new word.
picky() {
    cat <<'JS'
var word;
try { new URLSearchParams([[1]]); } catch (e) { word = e.message; }
if (/door/.test(word)) { throw new Error("no doors"); }
exports.fetch = function () { return new Response(word); };
JS
}
failing() { cli roll --json | jq -r '.failing[] | "\(.name) \(.version) \(.error)"'; }
picky | lambda picky
need "a lambda that the new one will not load" publish picky "$engine"
is "it answers" "a parameter is a pair" ask picky /
clients_start
ok "a roll to that is refused, with its name and why" eval \
    '! cli roll --engine "$engine" --image "$work/new.img" --sigstruct "$work/new.sig" >"$work/said" &&
    grep "^does not load: picky version 1: lambda-source: .*: Error: no doors .*main\.js:3" "$work/said"'
is "and is over" "aborted lambda-source" eval 'cli roll --json | jq -r "\"\(.state) \(.why)\""'
is "what is good is not listed" "picky 1 lambda-source" failing
ok "the old one is alone again" until_ok 100 one_worker
is "and the same" "$before" mrenclaves
asked "all the while every request is answered"
ok "the log has it" grep "event=roll-not-loaded lambda=picky version=1 error=lambda-source" "$work/tfaasd.log"

# --- one that takes over -----------------------------------------------------------------------
clients_start
need "a roll begins, whatever does not load" cli roll --engine "$engine" --anyway \
    --image "$work/new.img" --sigstruct "$work/new.sig"
is "that is said all the same" "picky 1 lambda-source" failing
ok "the new one comes up" until_ok 100 heir_serves
ok "it is granted" give "$work/both.json"
need "so is the one that does not load" grant_by "$work/both.json" picky --allow-sim
ok "it takes over" until_ok 50 is_state "done"
ok "the old one ends" until_ok 400 one_worker
asked "all the while every request is answered"
ok "it is another measurement" [ "$before" != "$(mrenclaves)" ]
is "it answers" here ask first /
is "what does not load answers nobody" 503 status_of picky /
ok "it is removed" tf rm picky
ok "updates go to it" update 5
ok "the list says that it is granted" eval \
    'cli ls --json | jq -e ".lambdas[0].granted" >/dev/null'

# The operator starts tfaasd with the new image from now on.
host_stop
cp "$work/$engine.sig" "$work/old.sig"
cp "$work/new.sig" "$work/$engine.sig"
mkdir "$work/images"
cp "$bin"/tfaasd "$bin"/tfaas-worker "$work/images/"
cp "$work/new.img" "$work/images/$engine.img"
bin_before=$bin
bin=$work/images
cp "$bin_before/tfaas" "$bin/"
# shellcheck disable=SC2119
need "tfaasd starts with the new image" host_start
ok "its grant is there" until_ok 100 ask first /

# --- another descriptor: a key is replaced -------------------------------------------------------
need "the next key" tf key new "$work/next.pem"
need "a trust domain with it" tf domain new --name e2e --publisher "$work/next.pem.pub" \
    --publisher "$work/publisher.pem.pub" --out "$work/domain2.json"
need "a policy for it" policy_for "$work/policy2.json" "$work/domain2.json"
cli revoke --key "$work/publisher.pem" --serial 1 --below first=2 --domain \
    "$work/domain.json" >"$log" 2>&1
clients_start
ok "a roll to it begins" cli roll --engine "$engine" --domain "$work/domain.json" \
    --to "$work/domain2.json"
ok "the new one comes up" until_ok 100 heir_serves
ok "the next key grants it" give "$work/policy2.json" --key "$work/next.pem"
ok "it takes over" until_ok 50 is_state "done"
ok "the old one ends" until_ok 400 one_worker
asked "all the while every request is answered"
domain=$work/domain2.json
ok "updates go there" update 6
hash=$(sha256sum "$domain" | cut -d' ' -f1)
is "the revocation list went along" 1 eval \
    'admin GET "/v1/domains/$hash/revocations" | jq ".revocations[0].list.serial"'
host_stop
# shellcheck disable=SC2119
need "after a restart" host_start
ok "it answers from there" until_ok 100 ask first /
is "in its trust domain" "$hash" eval 'cli ls --json | jq -r ".lambdas[0].domain"'
finish
