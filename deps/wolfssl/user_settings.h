/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_settings.h - how wolfSSL is built for the enclave: a TLS 1.3 server, and the
 * primitives that the enclave uses directly.
 *
 * The same settings serve the native build that unit tests link. Whoever includes a
 * wolfSSL header must define WOLFSSL_USER_SETTINGS so that it sees this file.
 */
#ifndef TF_WOLFSSL_USER_SETTINGS_H
#define TF_WOLFSSL_USER_SETTINGS_H

/* ---- What the enclave provides ------------------------------------------------------
 */

/* Assembly files include this header too, and cannot read declarations. */
#ifndef __ASSEMBLER__
/* Fills `out` with entropy for the DRBG; 0 on success. */
int tf_seed(unsigned char *out, unsigned int size);
/* The host's clock, a hint: for ticket ages and the dates in certificates made. */
long tf_insecure_time(void);
long tf_insecure_time_ms(void);
#endif
#define CUSTOM_RAND_GENERATE_SEED tf_seed
#define HAVE_GMTIME_R             /* gmtime() has a static buffer */
#define XTIME(t)                  ((time_t)tf_insecure_time())
#define XTIME_MS(t)               tf_insecure_time_ms()

/* ---- No operating system ------------------------------------------------------------
 */
/* SINGLE_THREADED drops the locks, not safety: each enclave thread has objects of its
 * own, and NO_SESSION_CACHE removes the one table that they would share. wolfSSL_Init()
 * must have returned before a second thread enters. */
#define SINGLE_THREADED
#define NO_SESSION_CACHE
#define NO_FILESYSTEM
#define WOLFSSL_USER_IO
#define NO_WRITEV
#define WOLFSSL_NO_SOCK
#define NO_STDIO_FILESYSTEM
#define NO_WOLFSSL_DIR
#define NO_DEV_RANDOM
#define NO_MAIN_DRIVER
#define WOLFSSL_IGNORE_FILE_WARN
#define NO_ERROR_STRINGS
#define NO_OLD_WC_NAMES
#define NO_OLD_SSL_NAMES

/* ---- Protocol: TLS 1.3 server, nothing older ----------------------------------------
 */
#define WOLFSSL_TLS13
#define WOLFSSL_NO_TLS12
#define NO_OLD_TLS
#define NO_WOLFSSL_CLIENT
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_SNI
#define WOLFSSL_ALWAYS_KEEP_SNI /* so that wolfSSL_SNI_GetRequest() works afterwards */
#define HAVE_ALPN
#define HAVE_SESSION_TICKET /* stateless: the ticket holds the session, encrypted */
#define HAVE_KEYING_MATERIAL
#define NO_PSK
#define WOLFSSL_NO_CLIENT_AUTH
#define NO_RESUME_SUITE_CHECK
#define NO_CLIENT_CACHE

/* ---- Algorithms ---------------------------------------------------------------------
 */
#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 only: */
#define HAVE_ECC256
#define ECC_TIMING_RESISTANT
#define HAVE_CURVE25519
#define HAVE_ED25519
#define HAVE_AESGCM
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_ONE_TIME_AUTH
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define HAVE_HKDF
#define HAVE_HASHDRBG
#define TFM_TIMING_RESISTANT
#define NO_RSA
#define NO_DH
#define NO_DSA
#define NO_DES3
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_SHA
#define NO_PWDBASED
#define NO_PKCS7
#define NO_PKCS12
#define NO_AES_CBC

/* ---- Certificates: the enclave makes keys, requests and self-signed certificates -----
 */
#define WOLFSSL_CERT_GEN
#define WOLFSSL_CERT_REQ
#define WOLFSSL_CERT_EXT
#define WOLFSSL_ALT_NAMES
#define WOLFSSL_KEY_GEN
#define HAVE_PKCS8
#define WOLFSSL_DER_TO_PEM
#define WOLFSSL_PEM_TO_DER
#define WOLFSSL_CUSTOM_OID /* the evidence extension of RA-TLS */
#define WOLFSSL_PUBLIC_ASN

/* ---- Assembly -----------------------------------------------------------------------
 */
/*
 * The processor. CPUID faults inside an enclave. So the features are constants of the
 * image: what every processor with SGX and flexible launch control has. XFRM is 7, hence
 * AVX and AVX2 but no AVX-512. The loader must refuse a processor that lacks one of these;
 * the code would stop with #UD, never go wrong.
 *
 * Coffee Lake, alone of them, has no SHA-NI, and before Ice Lake none has VAES: whether
 * they are there the host says (enclave/processor.h). It chooses between two codes that
 * compute the same, both in a time that depends on no data, and can lie only so that the
 * enclave stops.
 */
#define TF_CPU                                                                           \
    (CPUID_AVX1 | CPUID_AVX2 | CPUID_RDRAND | CPUID_RDSEED | CPUID_BMI1 | CPUID_BMI2 |   \
     CPUID_AESNI | CPUID_ADX | CPUID_MOVBE)
#define CPUID_VAES    0x01000000 /* VAES and VPCLMULQDQ; upstream has no name for them */
#define TF_CPU_HINTED (CPUID_SHA | CPUID_VAES)
#ifndef WOLFSSL_X86_64_BUILD
#define WOLFSSL_X86_64_BUILD 1
#endif
#define HAVE___UINT128_T 1
#define USE_INTEL_SPEEDUP
#define NO_CHACHA_ASM /* for clients without AES instructions: C is fast enough */
#define NO_POLY1305_ASM
#define WOLFSSL_AESNI
#define WOLFSSL_SP_MATH
#define WOLFSSL_HAVE_SP_ECC
#define WOLFSSL_SP_ASM
#define WOLFSSL_SP_X86_64
#define WOLFSSL_SP_X86_64_ASM
#define WOLFSSL_SP_NO_2048 /* RSA's */
#define WOLFSSL_SP_NO_3072

#endif
