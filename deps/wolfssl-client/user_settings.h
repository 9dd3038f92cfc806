/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of wolfSSL as `make bench`'s client (bench/handshake.c): TLS 1.3 with what the
 * servers are measured with, X25519, P-256 and AES-128-GCM, as fast as upstream has them.
 * Nothing of it is in an enclave or in a program that is installed.
 */
#pragma once

/* What the client needs of the protocol. */
#define WOLFSSL_TLS13
#define WOLFSSL_TLS13_MIDDLEBOX_COMPAT /* as browsers and curl do */
#define WOLFSSL_NO_TLS12
#define NO_OLD_TLS
#define NO_WOLFSSL_SERVER
#define NO_PSK
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_SNI
#define HAVE_SESSION_TICKET
#define WOLFSSL_TICKET_NONCE_MALLOC /* rustls has longer ones */
#define HAVE_PK_CALLBACKS /* signatures are not verified: time is measured, no trust */

/* What it does without. */
#define SINGLE_THREADED
#define NO_FILESYSTEM
#define WOLFSSL_USER_IO
#define NO_MAIN_DRIVER
#define NO_ERROR_STRINGS
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

/* Algorithms, in assembly. */
#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 only: */
#define HAVE_ECC256
#define ECC_TIMING_RESISTANT
#define HAVE_CURVE25519
#define HAVE_AESGCM
#define HAVE_HKDF
#define HAVE_HASHDRBG
#ifndef WOLFSSL_X86_64_BUILD
#define WOLFSSL_X86_64_BUILD 1
#endif
#define HAVE___UINT128_T 1
#define USE_INTEL_SPEEDUP
#define WOLFSSL_AESNI
#define WOLFSSL_SP_MATH
#define WOLFSSL_HAVE_SP_ECC
#define WOLFSSL_SP_ASM
#define WOLFSSL_SP_X86_64
#define WOLFSSL_SP_X86_64_ASM
#define WOLFSSL_SP_NO_2048 /* RSA's */
#define WOLFSSL_SP_NO_3072
