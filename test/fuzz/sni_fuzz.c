/* SPDX-License-Identifier: Apache-2.0 */
/* Peeked bytes of a connection: never crashes, and what it accepts is a plain host name.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/sni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[TF_DNS_MAX + 1];
    tf_err err = tf_sni_parse(data, size, name);
    if (err == TF_OK) {
        size_t length = strlen(name);
        if (length == 0 ||
            strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != length) {
            __builtin_trap();
        }
    }
    /* More bytes behind a whole ClientHello change nothing. */
    char again[TF_DNS_MAX + 1];
    for (size_t cut = size > 16 ? size - 16 : 0; cut < size; cut++) {
        tf_err part = tf_sni_parse(data, cut, again);
        if (part == TF_OK && (err != TF_OK || strcmp(name, again) != 0)) {
            __builtin_trap();
        }
    }
    return 0;
}
