/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile receipt or statement. The input is one, or it is a payload, which is then
 * signed with a published key as both, so that what is behind the signature is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "test/fixture.h"
#include "verify/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* @return whether it is good; then all that was read is within its bounds. */
static bool open_text(const struct fixture_key *key, const char *text, size_t size)
{
    static const struct tf_receipt untouched = {.lambda = "untouched"};
    struct tf_receipt receipt = untouched;

    if (tf_receipt_open(text, size, key->publisher.keyid, &receipt) != TF_OK) {
        if (memcmp(&receipt, &untouched, sizeof(receipt)) != 0) {
            __builtin_trap();
        }
        return false;
    }
    if (!tf_name_is_valid(receipt.lambda, strlen(receipt.lambda)) ||
        strlen(receipt.instance) != 32 ||
        strcmp(receipt.key, key->publisher.keyid) != 0 ||
        (!receipt.is_usage && (receipt.serial == 0 || receipt.status > 599))) {
        __builtin_trap();
    }
    return true;
}

static bool open_signed(const struct fixture_key *key, const char *type,
                        const uint8_t *data, size_t size)
{
    char text[2 * TF_RECEIPT_TEXT_MAX];
    uint8_t message[TF_RECEIPT_TEXT_MAX];
    uint8_t signature[128];
    size_t at = tf_base64_size(size);
    size_t message_size = tf_dsse_pae_write(type, data, size, message, sizeof(message));
    size_t signature_size = fixture_sign(key, message, message_size, signature);

    tf_base64_write(data, size, text);
    text[at++] = '.';
    tf_base64_write(signature, signature_size, text + at);
    return open_text(key, text, at + tf_base64_size(signature_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture_key key;

    if (key.key == NULL) {
        key = fixture_key_published();
    }
    (void)open_text(&key, (const char *)data, size);
    if (size <= TF_RECEIPT_PAYLOAD_MAX &&
        open_signed(&key, TF_DSSE_RECEIPT, data, size) &&
        open_signed(&key, TF_DSSE_USAGE, data, size)) {
        __builtin_trap(); /* a signature is for one of them */
    }
    return 0;
}
