#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The operator's side of an image: signing in one step and in two, with a key that `tfaas`
# never sees (openssl stands for the HSM), and what is refused.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
image=$bin/${engines[0]}.img
sign() { cli image sign "$image" "$@"; }
id=(--prodid 7 --svn 3 --date 20260102 --extprodid 000102030405060708090a0b0c0d0e0f
    --familyid ffeeddccbbaa99887766554433221100)

hsm() { # what the HSM does with the 256 bytes
    openssl dgst -sha256 -sign "$work/hsm.pem" -out "$2" "$1"
}

two_steps() {
    ok "a key elsewhere" openssl genrsa -3 -out "$work/hsm.pem" 3072
    ok "its public half" openssl pkey -in "$work/hsm.pem" -pubout -out "$work/hsm.pub"
    ok "step 1: the data" sign --data-out "$work/data" "${id[@]}"
    is "256 bytes" 256 stat -c %s "$work/data"
    ok "the HSM signs" hsm "$work/data" "$work/data.sig"
    ok "step 2: attach" sign --signature "$work/data.sig" --pubkey "$work/hsm.pub" \
        --out "$work/two.sig" "${id[@]}"
    ok "one step with the same key" sign --key "$work/hsm.pem" --out "$work/one.sig" "${id[@]}"
    is "the same SIGSTRUCT" "" cmp "$work/one.sig" "$work/two.sig"
    ok "show" cli image show "$work/two.sig"
    is "says what was asked for" "7 3 000102030405060708090a0b0c0d0e0f \
ffeeddccbbaa99887766554433221100" shown "$work/two.sig"
}

# A DEBUG enclave is the signer's decision, and nobody's default.
debug() {
    is "no DEBUG unless asked for" false says_debug "$work/two.sig"
    ok "sign for a debugger" sign --key "$work/hsm.pem" --out "$work/debug.sig" \
        --insecure-debug "${id[@]}"
    is "show says so" true says_debug "$work/debug.sig"
}

says_debug() { cli image show "$1" --json | jq -r .debug; }

shown() {
    cli image show "$1" --json | jq -r '"\(.prodid) \(.svn) \(.extprodid) \(.familyid)"'
}

refused() {
    local attach=(sign --signature "$work/data.sig" --pubkey "$work/hsm.pub" --out "$work/x.sig")
    fails "another svn than signed" image-signature "${attach[@]}" --prodid 7 --svn 4 \
        --date 20260102
    fails "another image than signed" image-signature cli image sign "$bin/${engines[-1]}.img" \
        --signature "$work/data.sig" --pubkey "$work/hsm.pub" --out "$work/x.sig" --date 20260101
    fails "no date in step 2" usage "${attach[@]}"
    fails "both ways at once" usage "${attach[@]}" --key "$work/hsm.pem"
    fails "svn 0" usage sign --key "$work/hsm.pem" --out "$work/x.sig" --svn 0
    fails "svn 65536" usage sign --key "$work/hsm.pem" --out "$work/x.sig" --svn 65536
    fails "a short family id" usage sign --key "$work/hsm.pem" --out "$work/x.sig" \
        --familyid 00
    ok "another key" openssl genrsa -3 -out "$work/other.pem" 3072
    openssl pkey -in "$work/other.pem" -pubout -out "$work/other.pub"
    fails "another key than signed" image-signature sign --signature "$work/data.sig" \
        --pubkey "$work/other.pub" --out "$work/x.sig" "${id[@]}"
    openssl genrsa -out "$work/f4.pem" 3072 2>"$log" # e = 65537
    openssl pkey -in "$work/f4.pem" -pubout -out "$work/f4.pub"
    fails "e = 65537" image-key sign --key "$work/f4.pem" --out "$work/x.sig"
    fails "e = 65537, two steps" image-key sign --signature "$work/data.sig" \
        --pubkey "$work/f4.pub" --out "$work/x.sig" "${id[@]}"
    openssl genrsa -3 -out "$work/small.pem" 2048 2>"$log"
    fails "2048 bits" image-key sign --key "$work/small.pem" --out "$work/x.sig"
    head -c 383 "$work/data.sig" >"$work/short"
    fails "a short signature" image-signature sign --signature "$work/short" \
        --pubkey "$work/hsm.pub" --out "$work/x.sig" "${id[@]}"
    head -c 384 /dev/zero | tr '\0' '\377' >"$work/large"
    fails "a signature above the modulus" image-signature sign --signature "$work/large" \
        --pubkey "$work/hsm.pub" --out "$work/x.sig" "${id[@]}"
    is "nothing was written" "" find "$work" -name x.sig
}

two_steps
debug
refused
finish
