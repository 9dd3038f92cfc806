/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sni.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"

enum {
    RECORD_HEADER = 5,
    RECORD_HANDSHAKE = 22,
    RECORD_MAX = 1 << 14,
    HANDSHAKE_HEADER = 4,
    CLIENT_HELLO = 1,
    EXTENSION_SERVER_NAME = 0,
    NAME_TYPE_HOST = 0
};

/* TLS is big-endian; bytes.h is not. */
static size_t read_number(struct tf_reader *r, size_t width)
{
    const uint8_t *at = tf_read_bytes(r, width);
    size_t value = 0;
    for (size_t i = 0; at != NULL && i < width; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* A vector with a length of `width` bytes, as its own reader; bad if outside [min, max].
 */
static struct tf_reader read_vector(struct tf_reader *r, size_t width, size_t min,
                                    size_t max)
{
    struct tf_reader vector;
    size_t size = read_number(r, width);
    const uint8_t *data = tf_read_bytes(r, size);
    tf_reader_init(&vector, data, data == NULL ? 0 : size);
    if (data == NULL || size < min || size > max) {
        vector.bad = true;
        r->bad = true;
    }
    return vector;
}

/* How the bytes that are there begin a ClientHello. @return TF_OK: whole, `want` bytes.
 */
static tf_err check_hello(const uint8_t *hello, size_t have, size_t *want)
{
    if (have < HANDSHAKE_HEADER) {
        return TF_AGAIN;
    }
    *want = HANDSHAKE_HEADER +
            ((size_t)hello[1] << 16 | (size_t)hello[2] << 8 | (size_t)hello[3]);
    if (hello[0] != CLIENT_HELLO) {
        return TF_EFORMAT;
    }
    if (*want > TF_SNI_PEEK_MAX - RECORD_HEADER) {
        return TF_ELIMIT;
    }
    return have >= *want ? TF_OK : TF_AGAIN;
}

/* Appends what there is of the next record. @return TF_OK, TF_AGAIN (no header yet, or
 * the record is not whole), TF_EFORMAT. */
static tf_err take_record(struct tf_reader *r, uint8_t *out, size_t *have)
{
    size_t type = read_number(r, 1);
    if (!r->bad && type != RECORD_HANDSHAKE) {
        return TF_EFORMAT; /* plain HTTP need not wait for five bytes */
    }
    size_t major = read_number(r, 1);
    (void)read_number(r, 1); /* minor: 1 or 3, and to be ignored (RFC 8446 5.1) */
    size_t fragment = read_number(r, 2);
    if (r->bad) {
        return TF_AGAIN;
    }
    if (major != 3 || fragment == 0 || fragment > RECORD_MAX) {
        return TF_EFORMAT;
    }
    size_t left = tf_reader_left(r);
    size_t part = fragment < left ? fragment : left;
    memcpy(out + *have, tf_read_bytes(r, part), part);
    *have += part;
    return part == fragment ? TF_OK : TF_AGAIN;
}

/* Joins the handshake bytes of the records up to the end of the ClientHello. */
static tf_err join(const uint8_t *bytes, size_t size, uint8_t *out, size_t *out_size)
{
    struct tf_reader r;
    tf_reader_init(&r, bytes, size);
    tf_err hello = TF_AGAIN;
    tf_err record = TF_OK;
    size_t have = 0;
    size_t want = 0;
    while (hello == TF_AGAIN && record == TF_OK) {
        record = take_record(&r, out, &have);
        hello = record == TF_EFORMAT ? record : check_hello(out, have, &want);
    }
    if (hello == TF_OK) {
        /* Nothing may follow in the record: keys change after the hello. */
        *out_size = want;
        return have == want && record == TF_OK ? TF_OK : TF_EFORMAT;
    }
    return hello == TF_AGAIN && size >= TF_SNI_PEEK_MAX ? TF_ELIMIT : hello;
}

static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* The body of a server_name extension: a list of exactly one host name. */
static tf_err parse_server_name(struct tf_reader *extension, char *name)
{
    struct tf_reader list = read_vector(extension, 2, 1, TF_SNI_PEEK_MAX);
    size_t type = read_number(&list, 1);
    struct tf_reader host = read_vector(&list, 2, 1, TF_DNS_MAX);
    size_t size = tf_reader_left(&host);
    const uint8_t *text = tf_read_bytes(&host, size);
    if (extension->bad || list.bad || host.bad || type != NAME_TYPE_HOST ||
        tf_reader_left(&list) != 0 || tf_reader_left(extension) != 0) {
        return TF_EFORMAT;
    }
    char lower[TF_DNS_MAX + 1];
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i] >= 'A' && text[i] <= 'Z' ? (uint8_t)(text[i] + 32) : text[i];
        if (!is_host_byte(c)) {
            return TF_EFORMAT;
        }
        lower[i] = (char)c;
    }
    memcpy(name, lower, size);
    name[size] = '\0';
    return TF_OK;
}

static tf_err parse_extensions(struct tf_reader *extensions, char *name)
{
    bool has_name = false;
    while (tf_reader_left(extensions) > 0) {
        size_t type = read_number(extensions, 2);
        struct tf_reader body = read_vector(extensions, 2, 0, TF_SNI_PEEK_MAX);
        if (extensions->bad) {
            return TF_EFORMAT;
        }
        if (type != EXTENSION_SERVER_NAME) {
            continue;
        }
        if (has_name) {
            return TF_EFORMAT;
        }
        tf_err err = parse_server_name(&body, name);
        if (err != TF_OK) {
            return err;
        }
        has_name = true;
    }
    return has_name ? TF_OK : TF_ENOTFOUND;
}

tf_err tf_sni_parse(const uint8_t *bytes, size_t size, char name[static TF_DNS_MAX + 1])
{
    uint8_t hello[TF_SNI_PEEK_MAX];
    size_t hello_size = 0;
    if (size > TF_SNI_PEEK_MAX) {
        size = TF_SNI_PEEK_MAX;
    }
    tf_err err = join(bytes, size, hello, &hello_size);
    if (err != TF_OK) {
        return err;
    }
    struct tf_reader r;
    tf_reader_init(&r, hello, hello_size);
    (void)tf_read_bytes(&r, HANDSHAKE_HEADER);
    (void)tf_read_bytes(&r, 2 + 32);              /* legacy_version, random */
    (void)read_vector(&r, 1, 0, 32);              /* legacy_session_id */
    (void)read_vector(&r, 2, 2, TF_SNI_PEEK_MAX); /* cipher_suites */
    (void)read_vector(&r, 1, 1, 255);             /* legacy_compression_methods */
    if (!r.bad && tf_reader_left(&r) == 0) {
        return TF_ENOTFOUND; /* before TLS 1.3, extensions may be absent */
    }
    struct tf_reader extensions = read_vector(&r, 2, 0, TF_SNI_PEEK_MAX);
    if (r.bad || extensions.bad || tf_reader_left(&r) != 0) {
        return TF_EFORMAT;
    }
    char found[TF_DNS_MAX + 1];
    err = parse_extensions(&extensions, found);
    if (err == TF_OK) {
        memcpy(name, found, strlen(found) + 1);
    }
    return err;
}
