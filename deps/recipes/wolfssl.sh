# shellcheck shell=sh disable=SC2034
# wolfssl: TLS 1.3 and all cryptography of the enclave. No ASan flavour: the tests that
# are built with sanitizers link the native one.
TF_LIB=wolfssl
TF_FLAVOURS="enclave native"
cp "$TF_DEPS/wolfssl/user_settings.h" .
cp "$TF_DEPS"/wolfssl/cpuid_fixed.c "$TF_DEPS"/wolfssl/inverse.c \
    "$TF_DEPS"/wolfssl/aes_vaes.[ch] wolfcrypt/src

# AES-GCM with VAES is BoringSSL's assembly, as ring generated it. Its key schedule counts
# rounds from 9 on, wolfSSL's from 10. What old assemblers do not know stands there as bytes,
# none of which is a load that an assembler had to see in a hardened image.
sed -e 's/^#include <ring-core.*/#include <cet.h>\n.section .note.GNU-stack,"",@progbits/' \
    -e 's/^\tleal\t-20(,%r10,4)/\tleal\t-24(,%r10,4)/' \
    "$TF_SRC.also/pregenerated/aes-gcm-avx2-x86_64-elf.S" >wolfcrypt/src/aes_vaes_asm.S

# The processor's features are constants but for SHA, so that the compiler leaves out what
# they rule out, and no assembly is linked, or counted as trusted, that is for others.
sed -i '/IS_INTEL_SHA(f)/!s/^\( *#define IS_INTEL_\([A-Z0-9]*\)(f)\) .*/\1 (CPUID_\2 \& TF_CPU)/' \
    wolfssl/wolfcrypt/cpuid.h
trim() { # FILE REGEX
    awk -v drop="$2" -f "$TF_DEPS/wolfssl/trim.awk" "wolfcrypt/src/$1.S" >trimmed
    mv trimmed "wolfcrypt/src/$1.S"
}
trim sha256_asm '_Sha$'
sed -i '/^#ifndef HAVE_INTEL_AVX1/,/^#endif/d' wolfcrypt/src/sha256_asm.S
trim sp_x86_64_asm '^sp_(1024|2048|3072|4096|384|521)_|_384_|_521_|_bswap|_get_entry_64_'
trim sp_x86_64_asm '^sp_256_(mod_inv|mont_(div2|mul|sqr|reduce_order)|mul_d|get_entry_65|get_point_33)_4$'
trim sp_x86_64_asm '^sp_256_(mod_inv|mont_sqr_order)_avx2_4$'
sed -i -e '/^L_sp256_mod_inv_avx2_4_order:/,+4d' -e '/^L_sp256_mod_inv_avx2_4_/,+2d' wolfcrypt/src/sp_x86_64_asm.S
trim aes_gcm_asm '_(aesni|avx1)$'
trim fe_x25519_asm '_x64$|^fe_invert_avx2$'
sed -i 's/^\(\t\.quad\t.*\)_x64$/\1_avx2/' wolfcrypt/src/fe_x25519_asm.S
# Sums and differences in the ladder are of products, which are below 2^255 + 2^198: they need
# not be reduced for the next product, only kept below 2^256, which is 38 modulo p. That cannot
# carry a second time, and it is 6 % of the ladder, which waits for these additions.
sed -i '/^L_curve25519_avx2_bits:/,/^ *# Invert$/{
/movq\t\$0x00, %rcx$/,/andq\t%rbx, %r12$/c\
\tsbbq\t%rcx, %rcx\
\tandq\t$38, %rcx
/sbbq\t%rcx, %rcx$/,/andq\t%rbx, %r\(12\|bp\)$/c\
\tsbbq\t%rcx, %rcx\
\tandq\t$38, %rcx
}' wolfcrypt/src/fe_x25519_asm.S
[ "$(grep -c 'andq.\$38, %rcx' wolfcrypt/src/fe_x25519_asm.S)" = 8 ] # the eight in a step
# The ladder ends with an inversion, which is inverse.c's too.
sed -i '/^ *# Invert$/,/^ *movq\t168(%rsp), %rdi$/c\
\tmovq\t%rsp, %rdi\
\tmovq\t%rsp, %rsi\
\tcallq\tfe_invert_avx2@plt\
\tmovq\t168(%rsp), %rdi' wolfcrypt/src/fe_x25519_asm.S
# SHA-512 hashes little: C is fast enough. SHA-256 has a choice of its own (0005).
sed -i 's/defined(USE_INTEL_SPEEDUP)/0/' wolfcrypt/src/sha512.c wolfcrypt/src/sha256.c

for f in src/*.c wolfcrypt/src/*.c; do
    awk -f "$TF_DEPS/unused.awk" "$TF_DEPS/wolfssl/unused" "$f" >trimmed
    mv trimmed "$f"
done

# Branches through memory, which no fence can make safe, go through a register.
if [ "$TF_LVI" != off ]; then
    sed -i 's/^ *jmpq\t\*\([a-z0-9_]*_p\)(%rip)$/\tmovq\t\1(%rip), %rax\n\tjmpq\t*%rax/' \
        wolfcrypt/src/fe_x25519_asm.S
fi

# -I. finds user_settings.h. The instruction sets are named because the intrinsics in
# aes.c need them; the compiler itself stays at the x86-64 baseline elsewhere.
TF_FLAGS="-std=gnu11 -I. -DWOLFSSL_USER_SETTINGS -w"
tf_unit wolfcrypt/src/sp_x86_64.c
# The protocol runs once a connection, from memory rather than from the caches: the less of
# it there is to fetch, the better.
for f in internal tls13 ssl tls keys wolfio; do
    tf_unit src/$f.c -Os
done
tf_unit wolfcrypt/src/sha256.c
tf_unit wolfcrypt/src/aes.c -maes -mpclmul -msse4.1
tf_unit wolfcrypt/src/aes_vaes.c
# cpuid.c is replaced by cpuid_fixed.c.
for f in asn chacha chacha20_poly1305 coding cpuid_fixed curve25519 ecc ed25519 error \
    fe_operations ge_operations hash hmac inverse kdf logging memory poly1305 random sha512 \
    signature sp_int wc_encrypt wc_port wolfmath; do
    tf_unit wolfcrypt/src/$f.c
done
# aes_asm.S alone reads no settings.
for f in aes_asm aes_gcm_asm fe_x25519_asm sp_x86_64_asm; do
    tf_unit wolfcrypt/src/$f.S -DWOLFSSL_X86_64_BUILD=1
done
tf_unit wolfcrypt/src/aes_vaes_asm.S -DOPENSSL_X86_64=1
tf_unit wolfcrypt/src/sha256_asm.S -DWOLFSSL_X86_64_BUILD=1 -DNO_AVX2_SUPPORT
tf_archives
tf_headers . user_settings.h wolfcrypt/src/aes_vaes.h
tf_headers wolfssl wolfssl/*.h
tf_headers wolfssl/openssl wolfssl/openssl/*.h
tf_headers wolfssl/wolfcrypt wolfssl/wolfcrypt/*.h
