# shellcheck shell=sh disable=SC2034
# wolfssl-client: wolfSSL without what we changed in the enclave's, for the client that
# `make bench` measures handshakes with (bench/handshake.c).
TF_LIB=wolfssl-client
TF_FLAVOURS=native
cp "$TF_DEPS/wolfssl-client/user_settings.h" .
TF_FLAGS="-std=gnu11 -I. -DWOLFSSL_USER_SETTINGS -w"
for f in internal keys ssl tls tls13 wolfio; do
    tf_unit src/$f.c
done
tf_unit wolfcrypt/src/aes.c -maes -mpclmul -msse4.1
for f in asn coding cpuid curve25519 ecc error fe_operations hash hmac kdf logging memory \
    random sha256 signature sp_int sp_x86_64 wc_encrypt wc_port wolfmath; do
    tf_unit wolfcrypt/src/$f.c
done
# aes_asm.S alone reads no settings.
for f in aes_asm aes_gcm_asm fe_x25519_asm sha256_asm sp_x86_64_asm; do
    tf_unit wolfcrypt/src/$f.S -DWOLFSSL_X86_64_BUILD=1
done
: >"$TF_OBJ/units" # no line of it is to be trusted
tf_archives
tf_headers . user_settings.h
tf_headers wolfssl wolfssl/*.h
tf_headers wolfssl/openssl wolfssl/openssl/*.h
tf_headers wolfssl/wolfcrypt wolfssl/wolfcrypt/*.h
