/* SPDX-License-Identifier: Apache-2.0 */
/* What AESM answers: never crashes; a quote that is accepted lies inside the answer, is
 * of the one kind, and ends where it says; nothing is written on failure. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/aesm.h"
#include "lib/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_true)
{
    if (!is_true) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sgx_target_info target;
    struct sgx_target_info before;
    const uint8_t *quote = NULL;
    size_t quote_size = 0;
    uint32_t code = 0;

    memset(&target, 0x5a, sizeof(target));
    before = target;
    tf_err err = tf_aesm_parse_target_info(data, size, &target, &code);
    check(err == TF_OK || memcmp(&target, &before, sizeof(target)) == 0);
    check((err != TF_OK || code == 0) && (err != TF_EQUOTE || code != 0));

    err = tf_aesm_parse_quote(data, size, &quote, &quote_size, &code);
    if (err != TF_OK) {
        check(quote == NULL && quote_size == 0);
        return 0;
    }
    check(code == 0 && quote >= data && quote_size > 436 && quote_size <= size &&
          (size_t)(quote - data) <= size - quote_size);
    struct tf_reader r;
    tf_reader_init(&r, quote, quote_size);
    check(tf_read_u32(&r) == (2U << 16 | 3));
    (void)tf_read_bytes(&r, 428);
    check(tf_read_u32(&r) == quote_size - 436);
    return 0;
}
