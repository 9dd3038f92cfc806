/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors for lib/crypto.h once more: here enclave/crypto.c is linked. */
#include "test/unit/lib/crypto_test.c"
