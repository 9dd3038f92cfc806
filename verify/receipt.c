/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/receipt.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"

enum { SPKI_SIZE = 44, SIGNATURE_SIZE = 64, SIGNED_MAX = TF_RECEIPT_PAYLOAD_MAX + 128 };

static void read_hex(struct tf_json_fields *f, const char *key, char *out, size_t size)
{
    uint8_t bytes[TF_SHA256_SIZE] = {0};

    tf_json_hex(f, key, bytes, size);
    tf_hex_write(bytes, size, out);
}

static void read_one(struct tf_json_fields *f, struct tf_receipt *out)
{
    out->version = tf_json_integer(f, "version", 1, TF_JSON_INTEGER_MAX);
    read_hex(f, "digest", out->digest, TF_SHA256_SIZE);
    out->serial = tf_json_integer(f, "serial", 1, TF_JSON_INTEGER_MAX);
    out->is_ok = tf_json_boolean(f, "ok");
    out->status = tf_json_integer(f, "status", 200, 599);
}

static void read_usage(struct tf_json_fields *f, struct tf_receipt *out)
{
    out->receipts = tf_json_integer(f, "receipts", 0, TF_JSON_INTEGER_MAX);
    out->ok = tf_json_integer(f, "ok", 0, TF_JSON_INTEGER_MAX);
    out->failed = tf_json_integer(f, "failed", 0, TF_JSON_INTEGER_MAX);
}

/* A receipt, and the key that is in it. */
struct keyed {
    struct tf_receipt receipt;
    uint8_t spki[SPKI_SIZE];
};

static void read_fields(struct tf_json_fields *f, void *user)
{
    struct keyed *keyed = user;
    struct tf_receipt *out = &keyed->receipt;
    const char *kind = tf_json_string(f, "tfaas", 1, 32);

    out->is_usage = kind != NULL && strcmp(kind, "usage.v1") == 0;
    f->bad |= !out->is_usage && (kind == NULL || strcmp(kind, "receipt.v1") != 0);
    tf_json_copy(f, "lambda", out->lambda, sizeof(out->lambda));
    read_hex(f, "instance", out->instance, 16);
    tf_json_bytes(f, "key", keyed->spki, SPKI_SIZE);
    out->time = tf_json_integer(f, "time", 0, TF_TIME_MAX);
    out->steps = tf_json_integer(f, "steps", 0, TF_JSON_INTEGER_MAX);
    out->peak = tf_json_integer(f, "peak", 0, TF_JSON_INTEGER_MAX);
    out->bytes_in = tf_json_integer(f, "in", 0, TF_JSON_INTEGER_MAX);
    out->bytes_out = tf_json_integer(f, "out", 0, TF_JSON_INTEGER_MAX);
    if (out->is_usage) {
        read_usage(f, out);
    } else {
        read_one(f, out);
    }
    f->bad |= !tf_name_is_valid(out->lambda, strlen(out->lambda));
}

static bool is_signed(const struct tf_receipt *r, const uint8_t spki[static SPKI_SIZE],
                      const uint8_t signature[static SIGNATURE_SIZE])
{
    uint8_t message[SIGNED_MAX];
    size_t size =
        tf_dsse_pae_write(r->is_usage ? TF_DSSE_USAGE : TF_DSSE_RECEIPT, r->payload,
                          strlen(r->payload), message, sizeof(message));

    return size != 0 && tf_signature_check(spki, SPKI_SIZE, message, size, signature,
                                           SIGNATURE_SIZE) == TF_OK;
}

/* BASE64(payload).BASE64(signature) */
static bool split(const char *text, size_t size, struct tf_receipt *out,
                  uint8_t signature[static SIGNATURE_SIZE])
{
    const char *dot = size > TF_RECEIPT_TEXT_MAX ? NULL : memchr(text, '.', size);
    size_t payload_size = 0;
    size_t signature_size = 0;

    if (dot == NULL) {
        return false;
    }
    size_t left = size - (size_t)(dot - text) - 1;
    if (tf_base64_parse(text, (size_t)(dot - text), (uint8_t *)out->payload,
                        TF_RECEIPT_PAYLOAD_MAX, &payload_size) != TF_OK ||
        tf_base64_parse(dot + 1, left, signature, SIGNATURE_SIZE, &signature_size) !=
            TF_OK) {
        return false;
    }
    out->payload[payload_size] = '\0';
    return signature_size == SIGNATURE_SIZE && strlen(out->payload) == payload_size;
}

tf_err tf_receipt_open(const char *text, size_t size, const char *keyid,
                       struct tf_receipt *out)
{
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t digest[TF_SHA256_SIZE];
    struct keyed keyed = {.spki = {0}};
    struct tf_receipt *receipt = &keyed.receipt;

    if (!split(text, size, receipt, signature) ||
        tf_json_read(receipt->payload, strlen(receipt->payload), read_fields, &keyed,
                     TF_ERECEIPT_FORMAT) != TF_OK) {
        return TF_ERECEIPT_FORMAT;
    }
    tf_sha256(keyed.spki, sizeof(keyed.spki), digest);
    tf_hex_write(digest, sizeof(digest), receipt->key);
    if (strcmp(receipt->key, keyid) != 0) {
        return TF_ERECEIPT_KEY;
    }
    if (!is_signed(receipt, keyed.spki, signature)) {
        return TF_ERECEIPT_SIGNATURE;
    }
    *out = *receipt;
    return TF_OK;
}
