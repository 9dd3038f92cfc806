# shellcheck shell=sh disable=SC2034
# wolfssl: TLS 1.3 and all cryptography of the enclave. No ASan flavour: the tests that
# are built with sanitizers link the native one.
TF_LIB=wolfssl
TF_FLAVOURS="enclave native"
cp "$TF_DEPS/wolfssl/user_settings.h" .
cp "$TF_DEPS/wolfssl/cpuid_fixed.c" wolfcrypt/src/cpuid_fixed.c

# Branches through memory, which no fence can make safe, go through a register.
if [ "$TF_LVI" != off ]; then
    sed -i 's/^ *jmpq\t\*\([a-z0-9_]*_p\)(%rip)$/\tmovq\t\1(%rip), %rax\n\tjmpq\t*%rax/' \
        wolfcrypt/src/fe_x25519_asm.S
fi

# -I. finds user_settings.h. The instruction sets are named because the intrinsics in
# aes.c need them; the compiler itself stays at the x86-64 baseline elsewhere.
TF_FLAGS="-std=gnu11 -I. -DWOLFSSL_USER_SETTINGS -w"
tf_unit wolfcrypt/src/sp_x86_64.c
for f in internal tls13 ssl tls keys wolfio; do
    tf_unit src/$f.c
done
tf_unit wolfcrypt/src/aes.c -maes -mpclmul -msse4.1
# cpuid.c is replaced by cpuid_fixed.c.
for f in asn chacha chacha20_poly1305 coding cpuid_fixed curve25519 ecc ed25519 error \
    fe_operations ge_operations hash hmac kdf logging memory poly1305 random sha256 sha512 \
    signature sp_int wc_encrypt wc_port wolfmath; do
    tf_unit wolfcrypt/src/$f.c
done
# aes_asm.S alone reads no settings.
for f in aes_asm aes_gcm_asm chacha_asm fe_x25519_asm poly1305_asm sha256_asm sha512_asm \
    sp_x86_64_asm; do
    tf_unit wolfcrypt/src/$f.S -DWOLFSSL_X86_64_BUILD=1
done
tf_archives
tf_headers . user_settings.h
tf_headers wolfssl wolfssl/*.h
tf_headers wolfssl/openssl wolfssl/openssl/*.h
tf_headers wolfssl/wolfcrypt wolfssl/wolfcrypt/*.h
