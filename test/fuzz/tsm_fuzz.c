/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of an SEV-SNP guest's auxblob: never crashes; what is accepted is PEM
 * of three certificates or of none; nothing is written on failure. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/tsm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_true)
{
    if (!is_true) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    char pem[TF_TSM_PEM_MAX];

    memset(pem, 'x', sizeof(pem));
    tf_err err = tf_tsm_certificates(data, size, pem);
    if (err != TF_OK) {
        check(pem[0] == 'x' && pem[sizeof(pem) - 1] == 'x');
        return 0;
    }
    unsigned count = 0;
    for (const char *at = strstr(pem, begin); at != NULL; at = strstr(at + 1, begin)) {
        count++;
    }
    check(memchr(pem, '\0', sizeof(pem)) != NULL);
    check(count == 3 || (count == 0 && pem[0] == '\0'));
    return 0;
}
