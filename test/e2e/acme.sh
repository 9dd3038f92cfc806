#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A public certificate for a key that never leaves the enclave: the attester has the
# enclave's CSR certified over ACME (RFC 8555) by pebble, Let's Encrypt's server for tests,
# which fetches the challenge over HTTP. Everything is on loopback: pebble asks a DNS server
# that leads every name here.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/attester.sh
. test/tools/attester.sh
tools/setup test || exit 1
engines=("${engines[0]}")
helpers=()
api='' control='' web='' dns='' mock='' # ports: pick
trap 'attester_end KILL; helpers_end; leave' EXIT

helpers_end() {
    local pid
    for pid in "${helpers[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    helpers=()
}

# helper COMMAND...: in the background, until the end
helper() {
    "$@" >>"$work/helpers.log" 2>&1 </dev/null &
    helpers+=($!)
}

pick() { # NAME: a free port, as a variable of that name
    local own=$port
    free_port && printf -v "$1" %s "$port"
    port=$own
}

pebble_start() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/api.key" -out "$work/api.pem" \
        -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
    jq -n --arg w "$work" --arg api "127.0.0.1:$api" --arg control "127.0.0.1:$control" \
        --argjson web "$web" '{pebble: {listenAddress: $api,
            managementListenAddress: $control, certificate: "\($w)/api.pem",
            privateKey: "\($w)/api.key", httpPort: $web, tlsPort: 1,
            ocspResponderURL: "", externalAccountBindingRequired: false}}' \
        >"$work/pebble.json"
    mkdir -p "$work/www/.well-known/acme-challenge"
    helper python3 -m http.server --bind 127.0.0.1 --directory "$work/www" "$web"
    helper pebble-challtestsrv -http01 '' -https01 '' -tlsalpn01 '' -defaultIPv6 '' \
        -dns01 "127.0.0.1:$dns" -management "127.0.0.1:$mock"
    helper env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 \
        pebble -config "$work/pebble.json" -dnsserver "127.0.0.1:$dns"
    until_ok 200 curl -sf --cacert "$work/api.pem" "https://localhost:$api/dir" &&
        curl -sfk "https://127.0.0.1:$control/roots/0" >"$work/root.pem"
}

acme_config() {
    attester_config shop
    openssl genrsa -out "$work/account.key" 2048 2>/dev/null
    jq --arg w "$work" --arg dir "https://localhost:$api/dir" '.issuer = {type: "acme",
        seconds: 60, command: ["acme-tiny", "--quiet", "--disable-check", "--account-key",
            "\($w)/account.key", "--csr", "{csr}", "--directory-url", $dir, "--acme-dir",
            "\($w)/www/.well-known/acme-challenge"]}' \
        "$work/attester.json" >"$work/acme.json" && mv "$work/acme.json" "$work/attester.json"
}

public() { # curl as anybody has it, but for the root that it trusts
    curl -sS --max-time 10 --cacert "$work/root.pem" \
        --resolve "shop.test:$port:127.0.0.1" "https://shop.test:$port/"
}

served_key() {
    openssl s_client -connect "127.0.0.1:$port" -servername shop.test </dev/null 2>/dev/null |
        openssl x509 -noout "$@"
}

# Private keys below the folder of this story, by the file that has them.
private_keys() {
    grep -rl -e 'PRIVATE KEY' "$work" | sed "s|$work/||" | sort | paste -s -d ' '
}

# no_file_has_it: none of those files has the key that is served
no_file_has_it() {
    local f want
    want=$(served_key -pubkey)
    [ -n "$want" ] || return 1
    for f in $(private_keys); do
        [ "$(openssl pkey -in "$work/$f" -pubout 2>/dev/null)" != "$want" ] || return 1
    done
}

pick api && pick control && pick web && pick dns && pick mock
need "pebble starts" pebble_start
attester_shop
ok "an attester that uses ACME" acme_config
need "the attester starts" attester_start env "SSL_CERT_FILE=$work/api.pem"
ok "curl trusts what it reaches" until_ok 600 public
is "and gets an answer" "shop 1" public
ok "pebble issued the certificate" grep -q 'Pebble' <(served_key -issuer)
ok "for this name" grep -q 'DNS:shop.test$' <(served_key -ext subjectAltName)
ok "for the certificate that the log has" grep -q \
    "$(served_key -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr '[:upper:]' '[:lower:]')" \
    "$work/attester/log.jsonl"
ok "no file has its key" no_file_has_it
is "and these are all the keys that were made outside" \
    "account.key api.key attester.pem ca.key host/sim/root.pem operator.pem publisher.pem second.pem" private_keys
fails "without that root curl does not" "certificate" curl -sS --max-time 10 \
    --resolve "shop.test:$port:127.0.0.1" "https://shop.test:$port/"
ok "no CSR was left behind" test -z "$(find "$work/attester" -name 'csr-*')"
ok "the log verifies" attester_log_verify
attester_end
finish
