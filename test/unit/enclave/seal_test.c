/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/seal.h"

#include <stdlib.h>
#include <string.h>

#include "test/native/native.h"
#include "test/test.h"

static const char secret[] = "a secret of some length";

enum { SIZE = sizeof(secret), BLOB = SIZE + TF_SEAL_OVERHEAD };

static void what_was_sealed_opens(void)
{
    uint8_t blob[BLOB];
    uint8_t again[BLOB];
    uint8_t plain[SIZE];
    size_t size = 0;

    CHECK(tf_seal(secret, SIZE, blob) == TF_OK);
    CHECK(memcmp(blob, "TFSEAL1", 8) == 0);
    CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_OK);
    CHECK(size == SIZE && memcmp(plain, secret, SIZE) == 0);
    CHECK(tf_seal(secret, SIZE, again) == TF_OK);
    CHECK(memcmp(blob + 32, again + 32, 32) != 0); /* key id */
    CHECK(memcmp(blob + 64, again + 64, 12) != 0); /* nonce */
}

static void every_changed_byte_is_noticed(void)
{
    uint8_t blob[BLOB];
    uint8_t plain[SIZE];
    size_t size = 0;

    CHECK(tf_seal(secret, SIZE, blob) == TF_OK);
    for (size_t i = 0; i < BLOB; i++) {
        for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
            blob[i] = (uint8_t)(blob[i] ^ bit);
            CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_ESEAL);
            blob[i] = (uint8_t)(blob[i] ^ bit);
        }
    }
    CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_OK);
}

static void a_blob_of_another_size_is_refused(void)
{
    uint8_t *blob = malloc(BLOB + 1);
    uint8_t plain[SIZE + 1];
    size_t size = 0;

    CHECK(tf_seal(secret, SIZE, blob) == TF_OK);
    blob[BLOB] = 0;
    CHECK(tf_unseal(blob, BLOB + 1, plain, &size) == TF_ESEAL);
    for (size_t cut = 0; cut < BLOB; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, blob, cut);
        CHECK(tf_unseal(copy, cut, plain, &size) == TF_ESEAL);
        free(copy);
    }
    free(blob);
}

static void an_older_enclave_does_not_open_it(void)
{
    uint8_t blob[BLOB];
    uint8_t plain[SIZE];
    size_t size = 0;

    tf_native_cpu.isv_svn = 5;
    CHECK(tf_seal(secret, SIZE, blob) == TF_OK);
    tf_native_cpu.isv_svn = 4;
    CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_ESEAL);
    tf_native_cpu.isv_svn = 6; /* a newer one does */
    CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_OK);
    tf_native_cpu.cpu_svn = 2;
    CHECK(tf_seal(secret, SIZE, blob) == TF_OK);
    tf_native_cpu.cpu_svn = 1;
    CHECK(tf_unseal(blob, BLOB, plain, &size) == TF_ESEAL);
}

int main(void)
{
    RUN(what_was_sealed_opens);
    RUN(every_changed_byte_is_noticed);
    RUN(a_blob_of_another_size_is_refused);
    RUN(an_older_enclave_does_not_open_it);
    return test_end();
}
