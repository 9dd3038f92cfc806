/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sigstruct.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lib/bytes.h"
#include "lib/rsa3.h"
#include "test/test.h"

static char key[TF_RSA3_PEM_MAX];
static size_t key_size;

/* The SECS that `sig` was made for. */
static void fill_secs(struct sgx_secs *secs, const struct sgx_sigstruct *sig)
{
    memset(secs, 0, sizeof(*secs));
    secs->attributes = sig->attributes;
    secs->miscselect = sig->miscselect;
    memcpy(secs->mrenclave, sig->enclave_hash, sizeof(secs->mrenclave));
}

static uint32_t einit(const struct sgx_sigstruct *sig)
{
    struct sgx_secs secs;
    fill_secs(&secs, sig);
    return tf_sigstruct_einit(sig, &secs);
}

static void sign(struct sgx_sigstruct *sig)
{
    uint8_t message[TF_SIGSTRUCT_SIGNED];
    struct tf_rsa3_signature rsa;
    memset(&rsa, 0, sizeof(rsa));
    tf_sigstruct_message(sig, message);
    CHECK(tf_rsa3_sign(key, key_size, message, sizeof(message), &rsa) == TF_OK);
    memcpy(sig->modulus, rsa.modulus, sizeof(rsa.modulus));
    memcpy(sig->signature, rsa.signature, sizeof(rsa.signature));
    memcpy(sig->q1, rsa.q1, sizeof(rsa.q1));
    memcpy(sig->q2, rsa.q2, sizeof(rsa.q2));
}

static void make(struct sgx_sigstruct *sig, struct sgx_secs *secs)
{
    struct tf_sigstruct_identity identity = {.prod_id = 7, .svn = 3, .date = 0x20260722};
    memset(identity.mrenclave, 0x5a, sizeof(identity.mrenclave));
    memset(secs, 0, sizeof(*secs));
    secs->attributes.flags = SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS;
    secs->attributes.xfrm = 7;
    tf_sigstruct_init(sig, secs, &identity);
    memcpy(secs->mrenclave, identity.mrenclave, sizeof(secs->mrenclave));
    sign(sig);
}

/* The fixed bytes of reference: SDM 38.13, at the offsets written there. */
static void the_layout_is_the_sdms(void)
{
    struct sgx_sigstruct sig;
    struct sgx_secs secs;
    make(&sig, &secs);
    uint8_t bytes[sizeof(sig)];
    memcpy(bytes, &sig, sizeof(sig));
    CHECK(memcmp(bytes, "\6\0\0\0\xe1\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\x22\7\x26\x20", 24) ==
          0);
    CHECK(memcmp(bytes + 24, "\1\1\0\0\x60\0\0\0\x60\0\0\0\1\0\0\0", 16) == 0);
    CHECK(bytes[512] == 3 && bytes[513] == 0);
    CHECK(memcmp(bytes + 904, "\xff\xff\xff\xff\0\0\0\0", 8) == 0);
    CHECK(bytes[928] == 0x84 && bytes[936] == 7);
    CHECK(bytes[944] == 0xff && bytes[959] == 0xff);
    CHECK(bytes[960] == 0x5a && bytes[991] == 0x5a && bytes[992] == 0);
    CHECK(bytes[1024] == 7 && bytes[1025] == 0 && bytes[1026] == 3 && bytes[1027] == 0);
}

static void our_own_signature_passes(void)
{
    struct sgx_sigstruct sig;
    struct sgx_sigstruct again;
    struct sgx_secs secs;
    make(&sig, &secs);
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_SUCCESS);
    make(&again, &secs);
    CHECK(memcmp(&sig, &again, sizeof(sig)) == 0); /* nothing random in it */
}

struct change {
    size_t at;
    uint32_t code;
    int is_resigned; /* the signer himself wrote it */
};

static void einit_checks_in_the_sdms_order(void)
{
    static const struct change changes[] = {
        {0, SGX_INVALID_SIG_STRUCT, 1},    /* HEADER */
        {16, SGX_INVALID_SIG_STRUCT, 1},   /* VENDOR */
        {20, SGX_INVALID_SIGNATURE, 0},    /* DATE */
        {24, SGX_INVALID_SIG_STRUCT, 1},   /* HEADER2 */
        {40, SGX_INVALID_SIGNATURE, 0},    /* SWDEFINED */
        {44, SGX_INVALID_SIG_STRUCT, 1},   /* reserved */
        {127, SGX_INVALID_SIG_STRUCT, 1},  /* reserved */
        {128, SGX_INVALID_SIGNATURE, 0},   /* MODULUS */
        {511, SGX_INVALID_SIGNATURE, 0},   /* MODULUS, its highest byte */
        {512, SGX_INVALID_SIG_STRUCT, 1},  /* EXPONENT */
        {516, SGX_INVALID_SIGNATURE, 0},   /* SIGNATURE */
        {900, SGX_INVALID_ATTRIBUTE, 1},   /* MISCSELECT */
        {908, SGX_INVALID_SIG_STRUCT, 1},  /* CET: reserved for us */
        {928, SGX_INVALID_ATTRIBUTE, 1},   /* ATTRIBUTES.FLAGS */
        {936, SGX_INVALID_ATTRIBUTE, 1},   /* ATTRIBUTES.XFRM */
        {960, SGX_INVALID_MEASUREMENT, 1}, /* ENCLAVEHASH */
        {992, SGX_INVALID_SIG_STRUCT, 1},  /* reserved */
        {1028, SGX_INVALID_SIG_STRUCT, 0}, /* reserved, not signed */
        {1040, SGX_INVALID_SIGNATURE, 0},  /* Q1 */
        {1424, SGX_INVALID_SIGNATURE, 0},  /* Q2 */
    };
    struct sgx_secs secs;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct sgx_sigstruct sig;
        make(&sig, &secs);
        uint8_t bytes[sizeof(sig)];
        memcpy(bytes, &sig, sizeof(sig));
        bytes[changes[i].at] ^= 0x40;
        memcpy(&sig, bytes, sizeof(sig));
        if (changes[i].is_resigned) {
            sign(&sig);
        }
        if (!CHECK(tf_sigstruct_einit(&sig, &secs) == changes[i].code)) {
            (void)fprintf(stderr, "  byte %zu\n", changes[i].at);
        }
    }
}

static void bits_outside_the_masks_may_differ(void)
{
    struct sgx_sigstruct sig;
    struct sgx_secs secs;
    make(&sig, &secs);
    sig.attribute_mask.flags = ~(uint64_t)SGX_FLAGS_DEBUG;
    sig.miscmask = ~(uint32_t)1;
    sign(&sig);
    secs.attributes.flags |= SGX_FLAGS_DEBUG;
    secs.miscselect = 1;
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_SUCCESS);
    secs.attributes.flags |= SGX_FLAGS_PROVISIONKEY;
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_INVALID_ATTRIBUTE);
}

static void a_family_id_needs_kss(void)
{
    struct sgx_sigstruct sig;
    struct sgx_secs secs;
    make(&sig, &secs);
    sig.isv_family_id[3] = 1;
    sign(&sig);
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_SUCCESS);
    sig.attributes.flags &= ~(uint64_t)SGX_FLAGS_KSS;
    secs.attributes.flags &= ~(uint64_t)SGX_FLAGS_KSS;
    sign(&sig);
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_INVALID_SIG_STRUCT);
}

/* n + S is another spelling of the same signature; the CPU's quotients do not fit it. */
static void a_signature_not_below_the_modulus_is_refused(void)
{
    struct sgx_sigstruct sig;
    struct sgx_secs secs;
    make(&sig, &secs);
    memset(sig.signature, 0xff, sizeof(sig.signature));
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_INVALID_SIGNATURE);
    memset(sig.signature, 0, sizeof(sig.signature));
    memset(sig.modulus, 0, sizeof(sig.modulus)); /* division by zero */
    CHECK(tf_sigstruct_einit(&sig, &secs) == SGX_INVALID_SIGNATURE);
}

/* A PEM private key; `bits` 0 gives an elliptic curve's. */
static size_t make_other_key(int bits, unsigned exponent, char *pem)
{
    BIGNUM *e = BN_new();
    EVP_PKEY *other = NULL;
    if (bits == 0) {
        other = EVP_EC_gen("P-256");
    } else {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        CHECK(BN_set_word(e, exponent) == 1 && EVP_PKEY_keygen_init(ctx) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1);
        CHECK(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1);
        CHECK(EVP_PKEY_generate(ctx, &other) == 1);
        EVP_PKEY_CTX_free(ctx);
    }
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PrivateKey(bio, other, NULL, NULL, 0, NULL, NULL) == 1);
    int size = BIO_read(bio, pem, TF_RSA3_PEM_MAX);
    BIO_free(bio);
    EVP_PKEY_free(other);
    BN_free(e);
    return size > 0 ? (size_t)size : 0;
}

static void other_keys_are_refused(void)
{
    static const struct {
        int bits;
        unsigned exponent;
    } kinds[] = {{0, 0}, {2048, 3}, {3072, 65537}, {3071, 3}};
    char pem[TF_RSA3_PEM_MAX];
    struct tf_rsa3_signature rsa;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t size = make_other_key(kinds[i].bits, kinds[i].exponent, pem);
        CHECK(size > 0);
        CHECK(tf_rsa3_sign(pem, size, "m", 1, &rsa) == TF_EIMAGE_KEY);
    }
    CHECK(tf_rsa3_sign("", 0, "m", 1, &rsa) == TF_EIMAGE_KEY);
    CHECK(tf_rsa3_sign("-----BEGIN PRIVATE KEY-----\n", 28, "m", 1, &rsa) ==
          TF_EIMAGE_KEY);
}

static const char *vectors_dir(char *path, size_t cap)
{
    const char *root = getenv("TFAAS_VECTORS");
    int size = snprintf(path, cap, "%s/sgx-sigstruct", root ? root : "../shared/vectors");
    return size > 0 && (size_t)size < cap ? path : "";
}

static int read_vector(const char *dir, const char *name, struct sgx_sigstruct *sig)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t size = fread(sig, 1, sizeof(*sig), file);
    (void)fclose(file);
    return size == sizeof(*sig);
}

static void check_mrsigner(const char *name, const struct sgx_sigstruct *sig)
{
    uint8_t mrsigner[32];
    char hex[65];
    tf_sigstruct_mrsigner(sig, mrsigner);
    tf_hex_write(mrsigner, sizeof(mrsigner), hex);
    if (strncmp(name, "le_prod_css", 11) ==
        0) { /* the CPU's reset IA32_SGXLEPUBKEYHASH */
        CHECK(strcmp(hex, "acb77012053e05a63d413b8bbae8fb6c"
                          "5d73b3f2996d91c43bbbf90959c0f8d4") == 0);
    }
}

static tf_err check_rsa(const struct sgx_sigstruct *sig)
{
    struct tf_rsa3_signature rsa;
    uint8_t message[TF_SIGSTRUCT_SIGNED];
    memcpy(rsa.modulus, sig->modulus, sizeof(rsa.modulus));
    memcpy(rsa.signature, sig->signature, sizeof(rsa.signature));
    memcpy(rsa.q1, sig->q1, sizeof(rsa.q1));
    memcpy(rsa.q2, sig->q2, sizeof(rsa.q2));
    tf_sigstruct_message(sig, message);
    return tf_rsa3_check(&rsa, message, sizeof(message));
}

/* Every bit of the file, one at a time: all of it is signed, one of the four numbers, or
 * reserved. @return how many changes nobody notices. */
static unsigned flips_that_pass(const struct sgx_sigstruct *sig)
{
    unsigned count = 0;
    uint8_t bytes[sizeof(*sig)];

    memcpy(bytes, sig, sizeof(bytes));
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        struct sgx_sigstruct changed;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memcpy(&changed, bytes, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        /* Not by EINIT's first check: that one refuses a debug signature as it is. */
        size_t at = bit / 8;
        int is_reserved = (at >= 908 && at < 912) || (at >= 992 && at < 1008) ||
                          (at >= 1028 && at < 1040) || (at >= 512 && at < 516);
        uint32_t code = is_reserved ? einit(&changed) : SGX_SUCCESS;
        if (code == SGX_SUCCESS && check_rsa(&changed) == TF_OK) {
            count++;
            (void)fprintf(stderr, "  bit %zu\n", bit);
        }
    }
    return count;
}

static void check_vector(const char *name, const struct sgx_sigstruct *sig)
{
    /* Bit 127 of HEADER marks a debug signature: sound, but no CPU starts it. */
    int is_debug = sig->header[15] == 0x80;
    CHECK(check_rsa(sig) == TF_OK);
    CHECK(einit(sig) == (is_debug ? SGX_INVALID_SIG_STRUCT : SGX_SUCCESS));
    check_mrsigner(name, sig);
    CHECK(flips_that_pass(sig) == 0);
}

static void sigstructs_of_production_enclaves_pass(void)
{
    char path[256];
    const char *dir = vectors_dir(path, sizeof(path));
    DIR *list = opendir(dir);
    if (list == NULL) {
        (void)fprintf(stderr, "SKIP real SIGSTRUCTs: no folder %s\n", dir);
        return;
    }
    unsigned count = 0;
    clock_t start = clock();
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        struct sgx_sigstruct sig;
        if (entry->d_name[0] != '.' && CHECK(read_vector(dir, entry->d_name, &sig))) {
            check_vector(entry->d_name, &sig);
            count++;
        }
    }
    (void)closedir(list);
    CHECK(count >= 8);
    (void)printf("%u real SIGSTRUCTs, %zu one-bit changes of each: %.1f s\n", count,
                 8 * sizeof(struct sgx_sigstruct),
                 (double)(clock() - start) / CLOCKS_PER_SEC);
}

int main(void)
{
    if (tf_rsa3_keygen(key, &key_size) != TF_OK) {
        (void)fprintf(stderr, "sigstruct_test: no key\n");
        return 1;
    }
    RUN(the_layout_is_the_sdms);
    RUN(our_own_signature_passes);
    RUN(einit_checks_in_the_sdms_order);
    RUN(bits_outside_the_masks_may_differ);
    RUN(a_family_id_needs_kss);
    RUN(a_signature_not_below_the_modulus_is_refused);
    RUN(other_keys_are_refused);
    RUN(sigstructs_of_production_enclaves_pass);
    return test_end();
}
