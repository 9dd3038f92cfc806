#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/sharing.sh - two publishers who both say that they share get one enclave: each attests
# it under a policy of its own, grants its lambda under its own CA, and can do nothing to the
# other's. Whoever did not say so gets no group.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
trap leave EXIT
engine=${engines[0]}

cli() { timeout 60 "$bin/tfaas" "$@"; }

# of WHO: the options that name a publisher's things
policy_of() { echo "$work/$1.policy.json"; }

party() { # NAME: key, shared domain, CA
    tf key new "$work/$1.pem" &&
        tf domain new --name "$1" --publisher "$work/$1.pem.pub" --shared \
            --out "$work/$1.json" &&
        tf ca new --name "$1" --out "$work/$1.ca"
}

party_policy() { # NAME [ARG...]
    local name=$1
    shift
    # shellcheck disable=SC2046
    tf policy new $(trusted "$engine") --domain "$work/$name.json" --sim-root host "$@" \
        --out "$(policy_of "$name")"
}

make_lambda() { # NAME SIGNER TEXT
    lambda "$1" <<JS
exports.fetch = function () { return new Response("$3"); };
JS
    tf pack "$work/$1" --engine "$engine" --out "$work/$1.tfb" &&
        tf sign "$work/$1.tfb" --key "$work/$2.pem"
}

group() { # FILE MEMBER...
    local out=$1 args=()
    shift
    for member in "$@"; do args+=(--member "$work/$member.json"); done
    cli domain group "${args[@]}" --out "$out"
}

hand_in() { cli deploy "$work/$1.tfb" --domain "$work/group.json" --engine "$engine"; }

attest() { # LAMBDA POLICY
    cli attest "$1" --policy "$2" --allow-sim --json
}

verdict() { attest "$@" | jq -r '"\(.verdict) \(.reasons | join(" "))"'; }

instance() { attest "$@" | jq -r .instance; }

give() { # LAMBDA OWNER [SIGNER]: under the owner's policy and CA
    cli grant "$1" --policy "$(policy_of "$2")" --key "$work/${3:-$2}.pem" \
        --ca-key "$work/$2.ca.key" --ca-cert "$work/$2.ca.pem" --allow-sim
}

fetch() { # LAMBDA CA
    curl -sS --max-time 30 --cacert "$work/$2.ca.pem" \
        --resolve "$1.test:$port:127.0.0.1" "https://$1.test:$port/"
}

workers() { admin GET /v1/workers | jq -r '.workers | length'; }

need "the platform starts" host_start
for who in alice bob carol; do need "$who: key, domain, CA" party "$who"; done
ok "mallory does not share" tf domain new --name mallory \
    --publisher "$work/carol.pem.pub" --out "$work/mallory.json"
ok "eve has alice's key" tf domain new --name eve --shared \
    --publisher "$work/alice.pem.pub" --out "$work/eve.json"

fails "no group with one who did not opt in" domain-format \
    group "$work/no.json" alice mallory
fails "no group where two have the same key" domain-format group "$work/no.json" alice eve
fails "no group of one" usage group "$work/no.json" alice
ok "nothing was written" test ! -e "$work/no.json"
need "a group of two" group "$work/group.json" alice bob

need "alice's policy" party_policy alice --sharing
need "bob's policy" party_policy bob --sharing
ok "carol's policy" party_policy carol --sharing
fails "no policy for a group" usage cli policy new --image "$work/$engine.sig" \
    --domain "$work/group.json" --out "$work/no.json"
need "alice's lambda" make_lambda front alice "of alice"
need "bob's lambda" make_lambda back bob "of bob"
need "carol's lambda" make_lambda other carol "of carol"
need "deploy alice's" hand_in front
need "deploy bob's" hand_in back
fails "carol is in no such group" dsse-signer hand_in other
is "one enclave for both" 1 workers

is "alice attests hers" "good " verdict front "$(policy_of alice)"
is "bob attests his" "good " verdict back "$(policy_of bob)"
is "it is the same instance" "$(instance front "$(policy_of alice)")" \
    instance back "$(policy_of bob)"
is "bob's lambda is not alice's" "bad policy-lambda" verdict back "$(policy_of alice)"
is "carol's domain is not in it" "bad policy-domain policy-lambda" \
    verdict front "$(policy_of carol)"
jq 'del(.sharing)' "$(policy_of alice)" >"$work/alone.json"
is "a policy without sharing" "bad policy-domain" verdict front "$work/alone.json"
ok "the screen says that it is shared" \
    bash -c "timeout 60 '$bin/tfaas' attest front --policy '$(policy_of alice)' --allow-sim |
        grep -q 'SHARED     by 2 domains'"

fails "bob grants alice's lambda" grant-lambda give front alice bob
fails "and alice bob's" grant-lambda give back bob alice
ok "alice grants hers" give front alice
ok "bob grants his" give back bob
is "alice's answers, under her CA" "of alice" fetch front alice
is "bob's answers, under his" "of bob" fetch back bob
fails "not under the other's" "SSL certificate" fetch back alice

make_lambda front bob "of bob" || true
fails "bob takes alice's name" name-taken hand_in front
is "alice's still answers" "of alice" fetch front alice
fails "bob revokes alice's key" revocation-signer cli revoke --serial 1 \
    --signer "$(cli key show "$work/alice.pem" --json | jq -r .keyid)" \
    --key "$work/bob.pem" --domain "$work/group.json"
ok "bob revokes all versions of both names" cli revoke --serial 1 --below front=9 \
    --below back=9 --key "$work/bob.pem" --domain "$work/group.json"
fails "his is gone" "unrecognized name" fetch back bob
is "alice's answers" "of alice" fetch front alice

ok "the host is restarted" host_stop
need "it starts" host_start
ok "alice's comes back with its grant" until_ok 100 fetch front alice
is "and answers" "of alice" fetch front alice
is "again in one enclave" 1 workers
finish
