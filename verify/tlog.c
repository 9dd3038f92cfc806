/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/tlog.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"

/* What a signature covers: this, then the line up to its signature. */
static const char LABEL[] = "tfaas log line v1\n";
static const char TAIL[] = ",\"signature\":\""; /* then base64, then "} */

_Static_assert(sizeof(LABEL) - 1 == TF_TLOG_LABEL_SIZE, "the header has its size");

enum { SIGNATURE_MAX = 128, SERIALS_FIRST = 64 };

/* A line's own fields; `signed_size` of its bytes are under the signature. */
struct line {
    uint64_t seq;
    uint64_t time;
    uint8_t prev[TF_SHA256_SIZE];
    char signer[TF_TLOG_KEYID_SIZE + 1];
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_size;
    size_t signed_size;
    struct tf_tlog_event event;
};

void tf_tlog_init(struct tf_tlog *log, const char *keyid)
{
    memset(log, 0, sizeof(*log));
    if (keyid != NULL) {
        (void)strncpy(log->keyid, keyid, sizeof(log->keyid) - 1);
    }
}

void tf_tlog_wipe(struct tf_tlog *log)
{
    free(log->serials);
    memset(log, 0, sizeof(*log));
}

void tf_tlog_want_head(struct tf_tlog *log, const uint8_t head[static TF_SHA256_SIZE])
{
    memcpy(log->wanted_head, head, TF_SHA256_SIZE);
    log->wants_head = true;
}

bool tf_tlog_has_head(const struct tf_tlog *log)
{
    return !log->wants_head || log->has_seen_head;
}

/* Where the line's signature field begins: it must be the last, so that what is signed is
 * the bytes before it and nobody has to agree on how JSON is written. */
static bool find_tail(const char *text, size_t size, size_t *at)
{
    size_t end = size - 2; /* of the base64 */

    if (size < sizeof(TAIL) + 2 || memcmp(text + end, "\"}", 2) != 0) {
        return false;
    }
    size_t begin = end;
    while (begin > 0 && text[begin - 1] != '"') {
        begin--;
    }
    if (begin < sizeof(TAIL) - 1 ||
        memcmp(text + begin - (sizeof(TAIL) - 1), TAIL, sizeof(TAIL) - 1) != 0) {
        return false;
    }
    *at = begin - (sizeof(TAIL) - 1);
    return true;
}

static bool parse(const char *text, size_t size, struct line *out)
{
    json_t *document = NULL;
    struct tf_json_fields f;

    if (size > TF_TLOG_LINE_MAX || !find_tail(text, size, &out->signed_size) ||
        tf_json_parse(text, size, &document) != TF_OK) {
        return false;
    }
    tf_json_fields_init(&f, document);
    out->seq = tf_json_integer(&f, "seq", 1, TF_JSON_INTEGER_MAX);
    out->time = tf_json_integer(&f, "time", 0, TF_JSON_INTEGER_MAX);
    tf_json_hex(&f, "prev", out->prev, sizeof(out->prev));
    bool is_good = tf_tlog_event_read(tf_json_object(&f, "event"), &out->event) == TF_OK;
    tf_json_copy(&f, "signer", out->signer, sizeof(out->signer));
    out->signature_size =
        tf_json_base64(&f, "signature", out->signature, sizeof(out->signature));
    is_good = tf_json_fields_end(&f) && is_good;
    json_decref(document);
    return is_good;
}

/* The key is that of the first line, and its hash is the id that is wanted; each later
 * start names the same. */
static bool take_key(struct tf_tlog *log, const struct line *line)
{
    const struct tf_tlog_event *e = &line->event;
    uint8_t digest[TF_SHA256_SIZE];
    char keyid[TF_TLOG_KEYID_SIZE + 1];

    if (e->kind != TF_TLOG_START) {
        return log->spki_size > 0;
    }
    tf_sha256(e->key, e->key_size, digest);
    tf_hex_write(digest, sizeof(digest), keyid);
    if (log->keyid[0] != '\0' && strcmp(keyid, log->keyid) != 0) {
        return false;
    }
    memcpy(log->keyid, keyid, sizeof(keyid));
    memcpy(log->spki, e->key, e->key_size);
    log->spki_size = e->key_size;
    return true;
}

static bool is_signed(const struct tf_tlog *log, const char *text,
                      const struct line *line)
{
    char message[TF_TLOG_BUFFER_SIZE];

    memcpy(message, LABEL, TF_TLOG_LABEL_SIZE);
    memcpy(message + TF_TLOG_LABEL_SIZE, text, line->signed_size);
    return strcmp(line->signer, log->keyid) == 0 &&
           tf_signature_check(log->spki, log->spki_size, message,
                              TF_TLOG_LABEL_SIZE + line->signed_size, line->signature,
                              line->signature_size) == TF_OK;
}

static int compare(const void *a, const void *b)
{
    const struct tf_tlog_serial *x = a;
    const struct tf_tlog_serial *y = b;

    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static struct tf_tlog_serial *find(const struct tf_tlog *log, uint64_t serial)
{
    const struct tf_tlog_serial key = {.serial = serial};

    return log->serial_count == 0
               ? NULL
               : bsearch(&key, log->serials, log->serial_count, sizeof(key), compare);
}

const struct tf_tlog_serial *tf_tlog_find(const struct tf_tlog *log, uint64_t serial)
{
    return find(log, serial);
}

static tf_err add_serial(struct tf_tlog *log, uint64_t serial)
{
    if (log->serial_count > 0 && serial <= log->serials[log->serial_count - 1].serial) {
        return TF_ELOG_SERIAL;
    }
    if (log->serial_count == log->serial_cap) {
        size_t cap = log->serial_cap == 0 ? SERIALS_FIRST : 2 * log->serial_cap;
        struct tf_tlog_serial *more = realloc(log->serials, cap * sizeof(more[0]));
        if (more == NULL) {
            return TF_ENOMEM;
        }
        log->serials = more;
        log->serial_cap = cap;
    }
    log->serials[log->serial_count++] = (struct tf_tlog_serial){.serial = serial};
    return TF_OK;
}

/* An intent has a serial of its own. What is said about it later needs the intent; a
 * grant may turn out to have arrived after it was given up, but what arrived stays
 * granted. */
static tf_err apply(struct tf_tlog *log, const struct tf_tlog_event *e)
{
    if (e->kind == TF_TLOG_START || e->kind == TF_TLOG_REFUSED ||
        e->kind == TF_TLOG_POLICY) {
        return TF_OK;
    }
    if (e->kind == TF_TLOG_INTENT) {
        return add_serial(log, e->serial);
    }
    struct tf_tlog_serial *entry = find(log, e->serial);
    if (entry == NULL || (entry->is_granted && e->kind == TF_TLOG_VOID) ||
        (!entry->is_granted &&
         (e->kind == TF_TLOG_UPDATE || e->kind == TF_TLOG_STOPPED))) {
        return TF_ELOG_SERIAL;
    }
    entry->is_granted = entry->is_granted || e->kind == TF_TLOG_GRANTED;
    entry->is_void = e->kind == TF_TLOG_VOID;
    return TF_OK;
}

tf_err tf_tlog_feed(struct tf_tlog *log, const char *line, size_t size,
                    struct tf_tlog_line *out)
{
    struct line parsed;
    struct tf_tlog next = *log;

    if (!parse(line, size, &parsed)) {
        return TF_ELOG_FORMAT;
    }
    if (parsed.seq != log->seq + 1 ||
        memcmp(parsed.prev, log->head, sizeof(parsed.prev)) != 0) {
        return TF_ELOG_CHAIN;
    }
    if (!take_key(&next, &parsed) || !is_signed(&next, line, &parsed)) {
        return TF_ELOG_SIGNATURE;
    }
    tf_err err = apply(&next, &parsed.event);
    if (err != TF_OK) {
        return err;
    }
    tf_sha256(line, size, next.head);
    next.seq = parsed.seq;
    next.has_seen_head =
        next.has_seen_head || memcmp(next.head, next.wanted_head, sizeof(next.head)) == 0;
    *log = next;
    *out = (struct tf_tlog_line){
        .seq = parsed.seq, .time = parsed.time, .event = parsed.event};
    return TF_OK;
}

tf_err tf_tlog_next(struct tf_tlog *log, const char *text, size_t size, size_t *at,
                    struct tf_tlog_line *out)
{
    if (*at == size) {
        return TF_AGAIN;
    }
    const char *end = memchr(text + *at, '\n', size - *at);
    if (end == NULL) {
        return TF_ELOG_FORMAT;
    }
    size_t length = (size_t)(end - (text + *at));
    tf_err err = tf_tlog_feed(log, text + *at, length, out);
    if (err == TF_OK) {
        *at += length + 1;
    }
    return err;
}

tf_err tf_tlog_line_begin(const struct tf_tlog *log, uint64_t time,
                          const struct tf_tlog_event *event, char *out, size_t *size)
{
    struct tf_json_writer w;
    size_t line_size = 0;

    memcpy(out, LABEL, TF_TLOG_LABEL_SIZE);
    tf_json_writer_init(&w, out + TF_TLOG_LABEL_SIZE, TF_TLOG_LINE_MAX);
    tf_json_open_object(&w, NULL);
    tf_json_put_integer(&w, "seq", log->seq + 1);
    tf_json_put_integer(&w, "time", time);
    tf_json_put_hex(&w, "prev", log->head, sizeof(log->head));
    tf_tlog_event_write(&w, "event", event);
    tf_json_put_string(&w, "signer", log->keyid);
    tf_err err = tf_json_take(&w, &line_size);
    if (err == TF_OK) {
        *size = TF_TLOG_LABEL_SIZE + line_size;
    }
    return err;
}

tf_err tf_tlog_line_end(char *out, size_t *size, const uint8_t *signature,
                        size_t signature_size)
{
    char encoded[2 * SIGNATURE_MAX];
    char *line = out + TF_TLOG_LABEL_SIZE;
    size_t at = *size - TF_TLOG_LABEL_SIZE;
    size_t encoded_size = tf_base64_size(signature_size);

    if (signature_size > SIGNATURE_MAX ||
        sizeof(TAIL) + encoded_size + 2 > TF_TLOG_LINE_MAX - at) {
        return TF_ELIMIT;
    }
    tf_base64_write(signature, signature_size, encoded);
    memcpy(line + at, TAIL, sizeof(TAIL) - 1);
    at += sizeof(TAIL) - 1;
    memcpy(line + at, encoded, encoded_size);
    at += encoded_size;
    line[at] = '"';
    line[at + 1] = '}';
    *size = at + 2;
    return TF_OK;
}
