/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spki.h"

#include <string.h>

/* SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING of 32 bytes } */
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING of 65 bytes }, with the 4
 * of the uncompressed point */
static const uint8_t p256_prefix[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

enum tf_spki_kind tf_spki_parse(const uint8_t *spki, size_t size, const uint8_t **key)
{
    if (size == sizeof(ed25519_prefix) + TF_ED25519_KEY_SIZE &&
        memcmp(spki, ed25519_prefix, sizeof(ed25519_prefix)) == 0) {
        *key = spki + sizeof(ed25519_prefix);
        return TF_SPKI_ED25519;
    }
    if (size == sizeof(p256_prefix) + TF_P256_POINT_SIZE - 1 &&
        memcmp(spki, p256_prefix, sizeof(p256_prefix)) == 0) {
        *key = spki + sizeof(p256_prefix) - 1;
        return TF_SPKI_P256;
    }
    return TF_SPKI_OTHER;
}
