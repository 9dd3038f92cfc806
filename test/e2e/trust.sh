#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who gets a certificate, and who does not: no handshake before the grant, no grant
# without a good verdict, and nothing that was not signed, attested or measured as
# promised is accepted. After each refusal the lambda that was deployed before answers as
# before.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
side='' side_port=''
trap 'side_stop; leave' EXIT

# --- what is looked at ------------------------------------------------------------------

# s_client [ARG...]: a stock TLS client's view of the lambda's domain
s_client() {
    timeout 20 openssl s_client -connect "127.0.0.1:$port" -servername "$name.test" \
        -verify_hostname "$name.test" -verify_return_error -CAfile "$work/ca.pem" "$@" \
        </dev/null 2>&1
}

sees() { # NAME TEXT [ARG...]: s_client succeeds and prints TEXT
    local title=$1 text=$2
    shift 2
    s_client "$@" >"$log" && grep -qF -e "$text" "$log"
    count $? "$title"
}

certificate() { s_client | openssl x509 -noout "$@"; }

answers() { is "$engine: $1" "shop ${2:-5}" ask "$name" /; }

attest() { cli attest "$name" --policy "${1:-$work/policy.json}" --allow-sim --json; }

verdict() { attest "$@" | verdict_of; }

give() { # [ARG...]: grants; later options go before earlier ones
    cli grant "$name" --policy "$work/policy.json" --key "$work/publisher.pem" \
        --ca-key "$work/ca.key" --ca-cert "$work/ca.pem" --allow-sim "$@"
}

hand_over() { # KEY CERT: grants in upload mode
    cli grant "$name" --policy "$work/policy.json" --key "$work/publisher.pem" \
        --tls-key "$1" --cert "$2" --allow-sim
}

is_granted() {
    cli ls --json | jq -r --arg n "$name" '.lambdas[] | select(.name == $n).granted'
}

# make_bundle VERSION TEXT OUT: a lambda that answers TEXT
make_bundle() {
    mkdir -p "$work/$name/lib"
    printf "exports.text = '%s';\n" "$2" >"$work/$name/lib/text.js"
    lambda "$name" <<'JS'
var text = require('./lib/text.js').text;
exports.fetch = function () { return new Response(text); };
JS
    cli pack "$work/$name" --version "$1" --out "$3" &&
        cli sign "$3" --key "$work/publisher.pem"
}

hand_in() { cli deploy "$1" --domain "${2:-$work/domain.json}" --engine "$engine"; }

# --- the story, on one engine -----------------------------------------------------------

before_the_grant() {
    ok "$engine: make version 5" make_bundle 5 "shop 5" "$work/$name.tfb"
    ok "$engine: deploy" hand_in "$work/$name.tfb"
    fails "$engine: no handshake before the grant" "unrecognized name" s_client
    fails "$engine: attest without --allow-sim" evidence-simulated \
        cli attest "$name" --policy "$work/policy.json"
    fails "$engine: grant without --allow-sim" evidence-simulated cli grant "$name" \
        --policy "$work/policy.json" --key "$work/publisher.pem" \
        --ca-key "$work/ca.key" --ca-cert "$work/ca.pem"
    is "$engine: nothing was granted" false is_granted
    fails "$engine: still no handshake" "unrecognized name" s_client
}

# policy_with FILTER: the policy changed by a jq filter
policy_with() {
    jq "$1" "$work/policy.json" >"$work/other-policy.json"
    verdict "$work/other-policy.json"
}

verdicts() {
    local zeros=0000000000000000000000000000000000000000000000000000000000000000
    local stranger=MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=
    is "$engine: attest with --allow-sim" "good " verdict
    is "$engine: another measurement" "bad policy-measurement" \
        policy_with ".measurements = [\"$zeros\"]"
    is "$engine: another trust domain" "bad policy-domain" policy_with \
        ".domain = \"$zeros\""
    is "$engine: another publisher" "bad policy-lambda" policy_with \
        ".publishers = [\"$zeros\"]"
    is "$engine: another simulator" "bad evidence-root" policy_with \
        ".insecure_sim_root = \"$stranger\""
    is "$engine: no simulator" "bad evidence-root" policy_with 'del(.insecure_sim_root)'
    is "$engine: the right signer" "good " policy_with \
        "del(.measurements) + {signer: \"$signer\", product: 1, min_svn: 1}"
    is "$engine: a newer security version" "bad policy-version" policy_with \
        ". + {signer: \"$signer\", product: 1, min_svn: 2}"
    is "$engine: another product" "bad policy-signer" policy_with \
        ". + {signer: \"$signer\", product: 2, min_svn: 1}"
    fails "$engine: a lambda that is not there" io cli attest "no-$name" \
        --policy "$work/policy.json" --allow-sim
}

grants() {
    fails "$engine: a grant for another domain" grant-domain give --names evil.test
    fails "$engine: for another one too" grant-domain give --names "$name.test" \
        --names evil.test
    fails "$engine: a grant signed by a stranger" grant-signer give \
        --key "$work/stranger.pem"
    fails "$engine: a grant for a version that is not there" grant-lambda give --floor 6
    is "$engine: nothing was granted" false is_granted
    ok "$engine: grant" give
    is "$engine: it is granted" true is_granted
    sees "$engine: TLS 1.3" "TLSv1.3" -brief
    sees "$engine: the certificate verifies" "Verification: OK" -brief
    is "$engine: the publisher's CA issued it" "issuer=CN = e2e CA" certificate -issuer
    is "$engine: for this name only" "DNS:$name.test" san
    fails "$engine: no TLS 1.2" "alert" s_client -tls1_2
    answers "a stock client gets an answer"
    invocations
    first=$(certificate -fingerprint -sha256)
    is "$engine: attest shows it is granted" true granted_claim
    ok "$engine: grant again" give
    ok "$engine: with another key" differs "$first" "$(certificate -fingerprint -sha256)"
}

invocations() {
    is "$engine: invoke" "shop 5" cli invoke "$name" --cacert "$work/ca.pem"
    is "$engine: invoke with a body" "shop 5" cli invoke "$name" --cacert "$work/ca.pem" \
        --path '/a?b=c' --data @"$work/domain.json"
    fails "$engine: invoke without its CA" io cli invoke "$name"
    fails "$engine: invoke what is not there" not-found cli invoke "no-$name"
    is "$engine: ls lists it" "$name 5 $engine true" listed
    is "$engine: info knows the image" \
        "$(cli image measure "$bin/$engine.img" --json | jq -r .mrenclave) $signer" identity
}

listed() {
    cli ls --json | jq -r --arg n "$name" '.lambdas[] | select(.name == $n) |
        "\(.name) \(.version) \(.engine) \(.granted)"'
}

identity() {
    cli info --json | jq -r --arg e "$engine" '.engines[$e] | "\(.mrenclave) \(.mrsigner)"'
}

san() { certificate -ext subjectAltName | tail -n 1 | tr -d ' '; }
granted_claim() { attest | jq .lambda.granted; }

refuse() { # KIND CODE TITLE FILE
    fails "$engine: $3 ($1)" "$2" hand_in "$4"
    answers "and the one before answers"
}

bundles() {
    each_bad_bundle "$work/$name.tfb" refuse
    ok "$engine: make version 4" make_bundle 4 "shop 4" "$work/old.tfb"
    fails "$engine: older than the floor" version-floor hand_in "$work/old.tfb"
    answers "and the one before answers"
    ok "$engine: make another version 5" make_bundle 5 "shop 5b" "$work/reused.tfb"
    fails "$engine: the same version with other content" version-reused \
        hand_in "$work/reused.tfb"
    answers "and the one before answers"
    ok "$engine: the same bundle again is no change" hand_in "$work/$name.tfb"
    answers "and it answers"
    ok "$engine: make version 6" make_bundle 6 "shop 6" "$work/$name-6.tfb"
    ok "$engine: a newer version" hand_in "$work/$name-6.tfb"
    answers "takes over, with the grant" 6
    fails "$engine: there is no way back" version-floor hand_in "$work/$name.tfb"
    answers "and the newer one answers" 6
}

restart() {
    first=$(certificate -fingerprint -sha256)
    host_stop
    ok "$engine: tfaasd starts again" host_start
    ok "$engine: it answers again without anybody" until_ok 100 ask "$name" / -f
    answers "with the newer version" 6
    is "$engine: under the same certificate" "$first" certificate -fingerprint -sha256
    fails "$engine: an old version is refused still" version-floor hand_in "$work/old.tfb"
    answers "and it answers" 6
}

leaf() { # KEY CERT DAYS: a certificate by the CA, made with openssl
    openssl req -new -key "$1" -subj "/CN=$name.test" -out "$work/leaf.csr" &&
        openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
            -days "$3" -extfile <(echo "subjectAltName=DNS:$name.test") \
            -out "$work/leaf.pem" &&
        cat "$work/leaf.pem" "$work/ca.pem" >"$2"
}

uploads() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/tls.key"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/tls2.key"
    ok "$engine: a certificate made elsewhere" leaf "$work/tls.key" "$work/tls.pem" 30
    fails "$engine: another key than the certificate's" grant-key \
        hand_over "$work/tls2.key" "$work/tls.pem"
    answers "and the grant before holds" 6
    ok "$engine: hand it over with its key" hand_over "$work/tls.key" "$work/tls.pem"
    is "$engine: it is served" "$(openssl pkey -in "$work/tls.key" -pubout)" \
        certificate -pubkey
    answers "and a stock client gets an answer" 6
    is "$engine: the key is not in the host's store" "" secret_in_store "$work/tls.key"
    openssl genpkey -algorithm ED25519 -out "$work/ed.key"
    ok "$engine: an Ed25519 certificate" leaf "$work/ed.key" "$work/ed.pem" 30
    ok "$engine: hand it over" hand_over "$work/ed.key" "$work/ed.pem"
    is "$engine: it is served" "$(openssl pkey -in "$work/ed.key" -pubout)" \
        certificate -pubkey
    ok "$engine: an expired certificate" leaf "$work/tls.key" "$work/expired.pem" -1
    fails "$engine: is not taken" grant-expired \
        hand_over "$work/tls.key" "$work/expired.pem"
}

# Files of the host's store with a line of the key, in PEM.
secret_in_store() { grep -rlF -e "$(sed -n 2p "$1")" "$work/host"; }

removal() {
    ok "$engine: rm" cli rm "$name"
    is "$engine: it is not listed" "" is_granted
    fails "$engine: no handshake" "unrecognized name" s_client
    ok "$engine: nothing of it is stored" test ! -e "$work/host/lambdas/$name"
    fails "$engine: it cannot be removed twice" not-found cli rm "$name"
    ok "$engine: deploy it again" hand_in "$work/$name-6.tfb"
    fails "$engine: its grant did not come back" "unrecognized name" s_client
    ok "$engine: grant" give
    answers "and it answers" 6
}

# --- images -----------------------------------------------------------------------------

# side_start IMAGE SIGSTRUCT: another host, for one image
side_start() {
    local own=$port
    side_stop
    rm -rf "$work/side"
    free_port && side_port=$port
    port=$own
    "$bin/tfaasd" --state "$work/side" --listen "127.0.0.1:$side_port" \
        --image "$engine=$1,$2" >"$work/side.log" 2>&1 </dev/null &
    side=$!
    until_ok 100 side_cli info
}

side_stop() {
    [ -n "$side" ] || return 0
    kill -TERM "$side" 2>/dev/null
    until_ok 50 is_gone "$side" || kill -KILL "$side" 2>/dev/null
    wait "$side" 2>/dev/null
    side=''
}

side_cli() {
    TFAAS_HOST=$work/side/admin.sock TFAAS_CONNECT=127.0.0.1:$side_port cli "$@"
}

# flip FILE OFFSET: changes one byte
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1") || return 1
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# refused_image NAME CODE: the other host, running now, cannot take a lambda, and says why
refused_image() {
    fails "$engine: $1: no lambda is taken" "$2" side_cli deploy "$work/$name-6.tfb" \
        --domain "$work/domain.json" --engine "$engine"
}

images() {
    local text
    text=$(LC_ALL=C readelf -lW "$bin/$engine.img" |
        awk '$1 == "LOAD" && / R E / { print $2; exit }')
    cp "$bin/$engine.img" "$work/changed.img"
    ok "$engine: one byte of the image" flip "$work/changed.img" $((text + 8192))
    side_start "$work/changed.img" "$work/$engine.sig"
    refused_image "an image with one byte changed" image-measurement
    cp "$work/$engine.sig" "$work/damaged.sig"
    ok "$engine: one byte of the signature" flip "$work/damaged.sig" 600
    side_start "$bin/$engine.img" "$work/damaged.sig"
    refused_image "a SIGSTRUCT with a damaged signature" image-signature
    ok "$engine: another operator" cli image key "$work/other-$engine.pem"
    ok "$engine: signs the same image" cli image sign "$bin/$engine.img" \
        --key "$work/other-$engine.pem" --out "$work/other.sig" --prodid 1 --svn 1
    side_start "$bin/$engine.img" "$work/other.sig"
    ok "$engine: the host takes it" side_cli deploy "$work/$name-6.tfb" \
        --domain "$work/domain.json" --engine "$engine"
    jq --arg s "$signer" --arg r "$(side_cli info --json | jq -r .sim_root)" \
        '. + {signer: $s, product: 1, min_svn: 1, insecure_sim_root: $r}' \
        "$work/policy.json" >"$work/side-policy.json"
    fails "$engine: a SIGSTRUCT by another key: attest" policy-signer \
        side_cli attest "$name" --policy "$work/side-policy.json" --allow-sim
    fails "$engine: a SIGSTRUCT by another key: grant" policy-signer \
        side_cli grant "$name" --policy "$work/side-policy.json" \
        --key "$work/publisher.pem" --ca-key "$work/ca.key" --ca-cert "$work/ca.pem" \
        --allow-sim
    side_stop
    answers "and on the first host it answers" 6
}

ok "the platform starts" host_start
ok "a publisher" publisher_new
ok "a stranger's key" tf key new "$work/stranger.pem"
signer=$(cli image show "$work/${engines[0]}.sig" --json | jq -r .mrsigner)
for engine in "${engines[@]}"; do
    name=shop-$engine
    before_the_grant
    verdicts
    grants
    bundles
    restart
    uploads
    removal
    images
done
finish
