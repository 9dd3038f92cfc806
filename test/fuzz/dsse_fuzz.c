/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile envelope, opened with and without a trust domain. Who opens it under the
 * domain also opens it without one, and to the same bytes. */
#include <string.h>

#include "lib/dsse.h"
#include "test/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAYLOAD_MAX = 4096 };

static tf_err open_once(const uint8_t *data, size_t size,
                        const struct tf_descriptor *domain, struct tf_dsse *out)
{
    static uint8_t scratch[2][2 * PAYLOAD_MAX + 256];
    const struct tf_dsse_rule rule = {.type = TF_DSSE_MANIFEST,
                                      .payload_max = PAYLOAD_MAX,
                                      .too_large = TF_EMANIFEST_SIZE,
                                      .domain = domain};
    return tf_dsse_open((const char *)data, size, &rule, scratch[domain != NULL], out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_descriptor domain;
    struct tf_dsse checked;
    struct tf_dsse unchecked;
    if (tf_descriptor_parse(FIXTURE_DOMAIN, strlen(FIXTURE_DOMAIN), &domain)) {
        __builtin_trap();
    }
    tf_err err = open_once(data, size, NULL, &unchecked);
    if (err == TF_OK && unchecked.payload_size > PAYLOAD_MAX) {
        __builtin_trap();
    }
    if (open_once(data, size, &domain, &checked) == TF_OK &&
        (err != TF_OK || checked.payload_size != unchecked.payload_size ||
         memcmp(checked.digest, unchecked.digest, sizeof(checked.digest)) != 0)) {
        __builtin_trap();
    }
    return 0;
}
