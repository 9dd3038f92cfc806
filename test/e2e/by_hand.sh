#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The format of bundles is open: the commands of doc/bundle-by-hand.md, cut out of that
# page, come to the same result as `tfaas verify`, with standard tools only.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh

# What only a reader of every byte sees; the page says so at its end.
unseen=' byte-padding byte-end keys '

by_hand() { bash "$work/by_hand" "$@"; }

digest() { sed -n 's/^digest *//p'; }

by_hand_digest() { by_hand "$@" | digest; }

good() { # ALGORITHM
    local key=$work/$1.pem
    ok "$1: sign" "$bin/tfaas" sign "$work/shop.tfb" --key "$key" --out "$work/$1.tfb"
    ok "$1: a good bundle is good by hand" by_hand "$work/$1.tfb" "$key.pub"
    is "$1: and has the digest of tfaas verify" \
        "$("$bin/tfaas" verify "$work/$1.tfb" --domain "$work/domain.json" --json |
            jq -r .digest)" by_hand_digest "$work/$1.tfb" "$key.pub"
}

refuse() { # KIND CODE TITLE FILE
    case $unseen in *" $1 "*) return ;; esac
    fails "by hand: $3" bad by_hand "$4" "$work/publisher.pem.pub"
}

# shellcheck disable=SC2016
sed -n '/^```sh$/,/^```$/{ /^```/d; p }' doc/bundle-by-hand.md >"$work/by_hand"
mkdir -p "$work/shop/lib"
echo 'exports.a = 1;' >"$work/shop/lib/a.js"
lambda shop <<<'exports.fetch = function () { return new Response("shop\n"); };'
ok "keys" tf key new "$work/ed25519.pem"
ok "of both kinds" tf key new "$work/p256.pem" --alg p256
ok "domain" tf domain new --name acme --publisher "$work/ed25519.pem.pub" \
    --publisher "$work/p256.pem.pub" --out "$work/domain.json"
ok "pack" tf pack "$work/shop" --out "$work/shop.tfb"
good ed25519
good p256
cp "$work/ed25519.pem" "$work/publisher.pem"
cp "$work/ed25519.pem.pub" "$work/publisher.pem.pub"
fails "by hand: not signed yet" bad by_hand "$work/shop.tfb" "$work/publisher.pem.pub"
fails "by hand: signed by the other key" bad by_hand "$work/p256.tfb" \
    "$work/publisher.pem.pub"
each_bad_bundle "$work/ed25519.tfb" refuse
finish
