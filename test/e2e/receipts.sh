#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/receipts.sh - what invocations used, in the enclave's own word, on every engine
# that is built: the sum of the receipts is the statement of usage and the lambda's own
# count; failures are in both; nothing changed or forged verifies; lean engines take the same
# steps for the same request in every run.
#
#   TFAAS_RECEIPTS  invocations over all engines (1000; the long form has 10000)
#   TFAAS_FLIPS     bits of a receipt that are flipped, evenly spread (40; "all")
all=quickjs\ duktape\ mujs
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || all+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$all}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
total=${TFAAS_RECEIPTS:-1000} flips=${TFAAS_FLIPS:-40}
each=$((total / ${#engines[@]} / 2)) # for each of an engine's two lambdas

# collect NAME FROM TO [CURL ARG...]: as many requests on one connection; appends the
# receipts to NAME.receipts. Prints the last body.
collect() {
    local name=$1 range="$2-$3"
    shift 3
    ask "$name" "/[$range]" -H 'tfaas-receipt: 1' -D "$work/$name.heads" -o "$work/$name.body" \
        "$@" || return 1
    sed -n 's/^tfaas-receipt: //p' "$work/$name.heads" >>"$work/$name.receipts"
    cat "$work/$name.body"
}
one() { # NAME PATH [CURL ARG...]: the receipt of one request
    ask "$@" -H 'tfaas-receipt: 1' -D - -o /dev/null | tr -d '\r' | sed -n 's/^tfaas-receipt: //p'
}
attestation() { "$bin/tfaas" attest "$1" --policy "$work/policy.json" --allow-sim --json; }
usage() {
    "$bin/tfaas" usage "$1" --policy "$work/policy.json" --allow-sim --json "${@:2}"
}
verify() { "$bin/tfaas" receipt verify "$@"; }
# sum NAME: the receipts of a lambda, verified and added up, in the form of a statement.
sum() {
    attestation "$1" >"$work/$1.attested" &&
        verify "$work/$1.receipts" --attestation "$work/$1.attested" --json >"$work/$1.texts" &&
        jq -cs '{receipts: length, last: (map(.serial) | max), ok: map(select(.ok)) | length,
            failed: map(select(.ok | not)) | length, steps: map(.steps) | add,
            peak: map(.peak) | max, in: map(.in) | add, out: map(.out) | add}' "$work/$1.texts"
}
stated() {
    usage "$1" | jq -c '{receipts, last: .receipts, ok, failed, steps, peak, in, out}'
}
steps_of() { # NAME PATH
    one "$@" >"$work/one" && attestation "$1" >"$work/one.attested" &&
        verify "$work/one" --attestation "$work/one.attested" --json | jq -r .steps
}
# flip FILE BIT OUT
flip() {
    perl -e 'my ($bit, $in, $out) = @ARGV; local $/; open my $f, "<", $in or die; my $t = <$f>;
        vec($t, $bit, 1) ^= 1; open my $g, ">", $out or die; print $g $t;' "$2" "$1" "$3"
}
# none_verifies FILE KEYID: with one bit changed.
none_verifies() {
    local bits bit step
    bits=$((8 * $(stat -c %s "$1")))
    step=$((flips == 0 ? 1 : bits / flips))
    for ((bit = 0; bit < bits; bit += step)); do
        flip "$1" "$bit" "$work/flipped" || return 1
        ! verify "$work/flipped" --keyid "$2" || { echo "bit $bit"; return 1; }
    done
}
[ "$flips" != all ] || flips=0

need "tfaasd starts with ${engines[*]}" host_start
need "a publisher is set up" publisher_new

for e in "${engines[@]}"; do
    lambda "work$e" '{"steps": 3000000}' <<'JS'
exports.fetch = function (request) {
    var at = Number(new URL(request.url).pathname.slice(1)), text = "";
    if (at % 10 === 7) { throw new Error("seven"); }
    if (at === 5) { for (;;) {} }
    for (var i = 0; i < at % 100; i++) { text += "0123456789"; }
    return new Response(text, { headers: { "tfaas-receipt": "forged", "TFAAS-x": "1" } });
};
JS
    lambda "count$e" <<'JS'
var calls = 0;
exports.fetch = function () { calls++; return new Response(String(calls)); };
JS
    sed -i 's/"version"/"reuse": true, "version"/' "$work/count$e/tfaas.json"
    need "two lambdas on $e" eval 'publish "work$e" "$e" && publish "count$e" "$e"'

    is "$e: $each calls, counted by the lambda itself" "$each" collect "count$e" 1 "$each"
    is "$e: and by its enclave" "$each" eval 'usage "count$e" | jq .ok'
    is "$e: the receipts are the statement" "$(stated "count$e")" sum "count$e"
    ok "$e: as many with failures and bodies" eval \
        'collect "work$e" 1 "$each" --data-binary "a body" >/dev/null'
    is "$e: the sum of the receipts is the statement" "$(stated "work$e")" sum "work$e"
    is "$e: with $each receipts, of each serial one" "$each" eval \
        'jq .serial "$work/work$e.texts" | sort -n | uniq | wc -l'
    is "$e: failures have receipts" "$(((each + 3) / 10 + 1))" eval \
        'jq -c "select(.ok | not)" "$work/work$e.texts" | wc -l'
    is "$e: one that ran into its limit says what it took" true eval \
        'jq -s "map(select(.status == 503))[0] | .steps >= 3000000 and .out == 0" \
            "$work/work$e.texts"'
    is "$e: a request that does not ask has none" 0 eval \
        'ask "work$e" /1 -D - -o /dev/null | grep -ci "^tfaas-"'
    is "$e: nor one that the platform refuses before" 0 eval \
        'ask "work$e" /1 -X "B(D" -H "tfaas-receipt: 1" -D - -o /dev/null | grep -ci "^tfaas-"'
    is "$e: a lambda forges no receipt" 1 eval \
        'ask "work$e" /1 -H "tfaas-receipt: 1" -D - -o /dev/null | tee "$log" | grep -ci "^tfaas-"'
    is "$e: but in the statement both are" "$((each + 2)) $((each + 1))" eval \
        'usage "work$e" | jq -r "\"\(.ok + .failed) \(.receipts)\""'
done

e=${engines[0]}
head -n 1 "$work/work$e.receipts" | tr -d '\r\n' >"$work/receipt"
keyid=$(jq -r .receipts "$work/work$e.attested")
ok "a receipt verifies by its key's id" verify "$work/receipt" --keyid "$keyid"
ok "with one bit changed it does not" none_verifies "$work/receipt" "$keyid"
fails "nor under another key" receipt-key verify "$work/receipt" --keyid "${keyid//[0-7]/8}"
fails "nor twice" receipt-twice eval \
    'cat "$work/work$e.receipts" "$work/work$e.receipts" >"$work/twice"
     verify "$work/twice" --keyid "$keyid"'
fails "a statement is no receipt" receipt-signature eval \
    'usage "work$e" --out "$work/statement" >/dev/null &&
     printf "%s.%s\n" "$(cut -d. -f1 "$work/receipt")" "$(cut -d. -f2 "$work/statement")" \
        >"$work/mixed" && verify "$work/mixed" --keyid "$keyid"'
ok "a statement verifies offline" verify "$work/statement" --keyid "$keyid"
fails "usage of a lambda that is not there" connect eval \
    'usage nobody || { echo connect; false; }'
is "the host's metrics say the same" "$(usage "work$e" | jq .steps)" eval \
    'admin GET /metrics | sed -n "s/^tfaas_steps_total{function=\"work$e\"} //p"'
is "of the heap, too" "$(usage "work$e" | jq .peak)" eval \
    'admin GET /metrics | sed -n "s/^tfaas_heap_peak_bytes{function=\"work$e\"} //p"'

# --- the same request, the same steps -------------------------------------------------------
lean=()
for e in "${engines[@]}"; do is_native "$e" || lean+=("$e"); done
declare -A first
for e in "${lean[@]}"; do
    first[$e]=$(steps_of "work$e" /42)
    is "$e: the same request takes the same steps" "${first[$e]}" steps_of "work$e" /42
done
host_stop
# shellcheck disable=SC2119
need "the platform starts again" host_start
for e in "${lean[@]}"; do
    ok "$e: it serves" until_ok 100 ask "work$e" /1
    is "$e: and after a restart" "${first[$e]}" steps_of "work$e" /42
done
e=${engines[0]}
attestation "work$e" >"$work/later"
fails "old receipts are not of the new instance" receipt-key verify "$work/receipt" \
    --attestation "$work/later"
finish
