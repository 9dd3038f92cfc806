/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/measure.h"

#include <string.h>

#include "abi/sgx_load.h"
#include "lib/bytes.h"
#include "test/test.h"

/* The answers were computed by a program in another language from the SDM's records. */

static int takes(struct tf_measure *m, const char *expected)
{
    uint8_t mrenclave[TF_SHA256_SIZE];
    char hex[2 * TF_SHA256_SIZE + 1];
    tf_measure_take(m, mrenclave);
    tf_hex_write(mrenclave, sizeof(mrenclave), hex);
    return strcmp(hex, expected) == 0;
}

static void ecreate_is_one_record(void)
{
    struct tf_measure m;
    tf_measure_ecreate(&m, 1, 0x4000000);
    CHECK(takes(&m, "f36be1607eaf9622a3c519a10cd25fc060ab793be51cc04a11644c1ee25f213a"));
}

static void eadd_follows(void)
{
    struct tf_measure m;
    tf_measure_ecreate(&m, 1, 0x4000000);
    tf_measure_eadd(&m, 0x1000, SGX_SECINFO_REG | SGX_SECINFO_R | SGX_SECINFO_X);
    CHECK(takes(&m, "448c36a3f559139a1581183746a9daa48ac807f52ae532bf3af01ef64faafd79"));
}

static void a_page_is_sixteen_eextends(void)
{
    uint8_t page[TF_PAGE];
    for (size_t i = 0; i < sizeof(page); i++) {
        page[i] = (uint8_t)(i * 7 + i / 256);
    }
    struct tf_measure m;
    tf_measure_ecreate(&m, 1, 0x4000000);
    tf_measure_eadd(&m, 0x1000, SGX_SECINFO_REG | SGX_SECINFO_R | SGX_SECINFO_X);
    tf_measure_page(&m, 0x1000, page);
    CHECK(takes(&m, "b247871740572c7b89b8957ffe443fd0f70915c3c488791ecff6c3fd9738cd78"));
}

int main(void)
{
    RUN(ecreate_is_one_record);
    RUN(eadd_follows);
    RUN(a_page_is_sixteen_eextends);
    return test_end();
}
