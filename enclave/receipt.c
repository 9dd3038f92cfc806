/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/receipt.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/ed25519.h>

#include "enclave/conn.h"
#include "enclave/http_text.h"
#include "enclave/js/env.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"

enum {
    PAYLOAD_MAX = 640,
    SIGNED_MAX = PAYLOAD_MAX + 128, /* "DSSEv1", a type, two lengths */
    SIGNATURE_SIZE = 64,
    PREFIX_SIZE = TF_RECEIPT_SPKI_SIZE - ED25519_PUB_KEY_SIZE
};

_Static_assert((PAYLOAD_MAX + 2) / 3 * 4 + 1 + 88 + 1 <= TF_RECEIPT_MAX,
               "base64 of a payload, a dot, base64 of a signature");

/* --- the key --------------------------------------------------------------------- */

tf_err tf_receipt_key_make(struct tf_receipt_key *out)
{
    /* RFC 8410, section 4: what precedes the 32 bytes of the key. */
    static const uint8_t prefix[PREFIX_SIZE] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    ed25519_key key;

    tf_random(out->seed, sizeof(out->seed));
    if (wc_ed25519_init(&key) != 0) {
        return TF_EINTERNAL;
    }
    int code = wc_ed25519_import_private_only(out->seed, sizeof(out->seed), &key);
    if (code == 0) {
        memcpy(out->spki, prefix, sizeof(prefix));
        code =
            wc_ed25519_make_public(&key, out->spki + PREFIX_SIZE, ED25519_PUB_KEY_SIZE);
    }
    wc_ed25519_free(&key);
    tf_wipe(&key, sizeof(key));
    if (code != 0) {
        return TF_EINTERNAL;
    }
    tf_sha256(out->spki, sizeof(out->spki), out->id);
    return TF_OK;
}

static bool sign(const struct tf_receipt_key *by, const uint8_t *message, size_t size,
                 uint8_t signature[static SIGNATURE_SIZE])
{
    word32 signature_size = SIGNATURE_SIZE;
    ed25519_key key;

    if (wc_ed25519_init(&key) != 0) {
        return false;
    }
    /* Trusted: the public half was made from this very seed. */
    int code = wc_ed25519_import_private_key_ex(by->seed, sizeof(by->seed),
                                                by->spki + PREFIX_SIZE,
                                                ED25519_PUB_KEY_SIZE, &key, 1);
    if (code == 0) {
        code =
            wc_ed25519_sign_msg(message, (word32)size, signature, &signature_size, &key);
    }
    wc_ed25519_free(&key);
    tf_wipe(&key, sizeof(key));
    return code == 0;
}

/* BASE64(payload).BASE64(signature). @return its size, or 0. */
static size_t seal_text(const struct tf_receipt_key *by, const char *type,
                        const char *payload, size_t size, char out[static TF_RECEIPT_MAX])
{
    uint8_t message[SIGNED_MAX];
    uint8_t signature[SIGNATURE_SIZE];
    size_t message_size =
        tf_dsse_pae_write(type, payload, size, message, sizeof(message));

    if (message_size == 0 || !sign(by, message, message_size, signature)) {
        return 0;
    }
    size_t at = tf_base64_size(size);
    tf_base64_write(payload, size, out);
    out[at++] = '.';
    tf_base64_write(signature, sizeof(signature), out + at);
    return at + tf_base64_size(sizeof(signature));
}

/* --- what is signed -------------------------------------------------------------- */

static void open_payload(struct tf_json_writer *w, const struct tf_thread *thread,
                         const char *kind, const char *lambda, size_t member)
{
    const struct tf_instance *instance = thread->instance;

    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "tfaas", kind);
    tf_json_put_string(w, "lambda", lambda);
    tf_json_put_hex(w, "instance", instance->id, sizeof(instance->id));
    tf_json_put_base64(w, "key", instance->receipts.spki, TF_RECEIPT_SPKI_SIZE);
    tf_json_put_integer(w, "time", tf_anchor_said(thread, member));
}

static void put_amounts(struct tf_json_writer *w, const struct tf_lambda_stats *stats)
{
    tf_json_put_integer(w, "steps", stats->steps);
    tf_json_put_integer(w, "peak", stats->peak);
    tf_json_put_integer(w, "in", stats->bytes_in);
    tf_json_put_integer(w, "out", stats->bytes_out);
}

static size_t write_receipt(const struct tf_thread *thread,
                            const struct tf_lambda *lambda,
                            const struct tf_invocation *done, uint64_t serial, char *out)
{
    struct tf_lambda_stats one = {0};
    char payload[PAYLOAD_MAX];
    struct tf_json_writer w;
    size_t size = 0;

    tf_stats_add(&one, done);
    tf_json_writer_init(&w, payload, sizeof(payload));
    open_payload(&w, thread, "receipt.v1", lambda->name, lambda->member);
    tf_json_put_integer(&w, "version", lambda->version);
    tf_json_put_hex(&w, "digest", lambda->digest, sizeof(lambda->digest));
    tf_json_put_integer(&w, "serial", serial);
    tf_json_put_boolean(&w, "ok", done->is_ok);
    tf_json_put_integer(&w, "status", done->status);
    put_amounts(&w, &one);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &size) != TF_OK) {
        return 0;
    }
    return seal_text(&thread->instance->receipts, TF_DSSE_RECEIPT, payload, size, out);
}

static bool is_asked(const struct tf_conn *conn)
{
    const struct tf_http_head *head = &conn->exchange.head;

    for (size_t i = 0; i < head->header_count; i++) {
        if (tf_http_is(head->headers[i].name, TF_RECEIPT_FIELD)) {
            return tf_http_is(head->headers[i].value, "1");
        }
    }
    return false;
}

bool tf_receipt_note(struct tf_thread *thread, struct tf_conn *conn,
                     const struct tf_lambda *lambda, const struct tf_invocation *done)
{
    struct tf_usage *usage = &lambda->entry->usage;
    bool has_receipt =
        conn != NULL && is_asked(conn) &&
        tf_buffer_reserve(&conn->exchange.receipt, TF_RECEIPT_MAX) == TF_OK;

    tf_stats_note(usage->shares, thread->page->index, done);
    if (has_receipt) {
        struct tf_buffer *receipt = &conn->exchange.receipt;
        uint64_t serial = __atomic_add_fetch(&usage->receipts, 1, __ATOMIC_RELEASE);
        receipt->size =
            write_receipt(thread, lambda, done, serial, (char *)receipt->data);
    }
    return has_receipt;
}

/* Of the member that has the name now; if none has, of the first that had.
 * @return NULL: this instance never had such a lambda. */
static struct tf_entry *find_entry(struct tf_instance *instance, const char *lambda)
{
    tf_lock_take(&instance->lock);
    struct tf_entry *entry = tf_instance_known(instance, lambda);
    tf_lock_give(&instance->lock);
    return entry;
}

tf_err tf_receipt_usage(struct tf_thread *thread, const char *lambda,
                        char out[static TF_RECEIPT_MAX], size_t *size)
{
    char payload[PAYLOAD_MAX];
    struct tf_json_writer w;
    size_t payload_size = 0;
    struct tf_entry *entry = find_entry(thread->instance, lambda);

    if (entry == NULL) {
        return TF_ENOTFOUND;
    }
    /* First the receipts: the invocation of each is in the sum by then. */
    uint64_t receipts = __atomic_load_n(&entry->usage.receipts, __ATOMIC_ACQUIRE);
    const struct tf_lambda_stats sum = tf_stats_sum(entry->usage.shares);
    tf_view_sync(thread);
    tf_json_writer_init(&w, payload, sizeof(payload));
    open_payload(&w, thread, "usage.v1", lambda, entry->member);
    tf_json_put_integer(&w, "receipts", receipts);
    tf_json_put_integer(&w, "ok", sum.ok);
    tf_json_put_integer(&w, "failed", sum.failed);
    put_amounts(&w, &sum);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &payload_size) != TF_OK) {
        return TF_EINTERNAL;
    }
    *size =
        seal_text(&thread->instance->receipts, TF_DSSE_USAGE, payload, payload_size, out);
    return *size == 0 ? TF_EINTERNAL : TF_OK;
}
