/* SPDX-License-Identifier: Apache-2.0 */
#include "host/aesm.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/helper.h"
#include "host/link.h"
#include "lib/bytes.h"

enum { /* fields of messages.proto; requests and answers have the same numbers */
       FIELD_INIT = 15,
       FIELD_QUOTE = 17,
       INIT_KEY_ID = 1,
       INIT_WITH_PUBLIC_KEY_ID = 3,
       INIT_BUFFER_SIZE = 4,
       QUOTE_REPORT = 1,
       QUOTE_KEY_ID = 2,
       QUOTE_BUFFER_SIZE = 4,
       ANSWER_CODE = 1,
       ANSWER_BYTES = 2 /* target info or quote */
};
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_MAX = 10 };
enum { /* errorCode (Intel's aesm_error.h) */
       CODE_NETWORK_BUSY = 13,
       CODE_BUSY = 18,
       CODE_BACKEND_BUSY = 19,
       CODE_KEY_NOT_INITIALISED = 42
};
enum {
    KEY_ID_SIZE = 256,
    PUBLIC_KEY_ID_SIZE = 32,
    REQUEST_MAX = 1024,
    QUOTE_HEADER = 48,
    QUOTE_FIXED = QUOTE_HEADER + SGX_REPORT_BODY_SIZE + 4, /* up to the signature data */
    QUOTE_VERSION = 3,
    QUOTE_ECDSA_P256 = 2
};

/* --- requests
 * ---------------------------------------------------------------------------
 */

/* Bounded by construction: the largest request has 432 + 256 bytes and a few headers. */
struct writer {
    uint8_t bytes[REQUEST_MAX];
    size_t size;
};

static void put_varint(struct writer *w, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) {
        w->bytes[w->size++] = (uint8_t)(value | 0x80);
    }
    w->bytes[w->size++] = (uint8_t)value;
}

static void put_number(struct writer *w, unsigned field, uint64_t value)
{
    put_varint(w, field << 3 | WIRE_VARINT);
    put_varint(w, value);
}

static void put_bytes(struct writer *w, unsigned field, const void *data, size_t size)
{
    put_varint(w, field << 3 | WIRE_BYTES);
    put_varint(w, size);
    memcpy(w->bytes + w->size, data, size);
    w->size += size;
}

/* sgx_att_key_id_t of Intel's reference quoting enclave, ECDSA P-256. */
static void put_key_id(struct writer *w, unsigned field)
{
    /* MRSIGNER of Intel's quoting enclaves, as in the QE identity that Intel signs. */
    static const uint8_t mrsigner[32] = {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e,
                                         0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a,
                                         0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b,
                                         0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff};
    uint8_t id[KEY_ID_SIZE] = {0}; /* first: u16 id 0, u16 version 0 */

    tf_store_u16(id + 4, sizeof(mrsigner));
    memcpy(id + 6, mrsigner, sizeof(mrsigner)); /* in 48 bytes */
    tf_store_u32(id + 54, 1);                   /* ISVPRODID of the quoting enclave */
    tf_store_u32(id + 154, QUOTE_ECDSA_P256);   /* behind three identifiers that are 0 */
    put_bytes(w, field, id, sizeof(id));
}

/* A frame: length, then the one field of the Request. */
static void put_frame(struct writer *w, unsigned field, const struct writer *message)
{
    w->size = 4;
    put_bytes(w, field, message->bytes, message->size);
    tf_store_u32(w->bytes, (uint32_t)(w->size - 4));
}

static void put_init(struct writer *w)
{
    struct writer m = {.size = 0};

    put_key_id(&m, INIT_KEY_ID);
    put_number(&m, INIT_WITH_PUBLIC_KEY_ID, 1); /* else AESM only tells its size */
    put_number(&m, INIT_BUFFER_SIZE, PUBLIC_KEY_ID_SIZE);
    put_frame(w, FIELD_INIT, &m);
}

static void put_quote(struct writer *w, const struct sgx_report *report)
{
    struct writer m = {.size = 0};

    put_bytes(&m, QUOTE_REPORT, report, sizeof(*report));
    put_key_id(&m, QUOTE_KEY_ID);
    put_number(&m, QUOTE_BUFFER_SIZE, TF_AESM_QUOTE_MAX);
    put_frame(w, FIELD_QUOTE, &m);
}

/* --- answers
 * ----------------------------------------------------------------------------
 */

struct field {
    uint32_t number;
    uint32_t wire;
    uint64_t value;      /* WIRE_VARINT; else the size of data */
    const uint8_t *data; /* else */
};

struct answer {
    bool has_code;
    uint32_t code;
    const uint8_t *data; /* NULL: none */
    size_t size;
};

static uint64_t read_varint(struct tf_reader *r)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_MAX; i++) {
        const uint8_t *byte = tf_read_bytes(r, 1);
        if (byte == NULL || (i == VARINT_MAX - 1 && *byte > 1)) { /* 64 bits are full */
            break;
        }
        value |= (uint64_t)(*byte & 0x7f) << (7 * i);
        if (*byte < 0x80) {
            return value;
        }
    }
    r->bad = true;
    return 0;
}

/* @return whether there was a field; groups are not in proto2's successors, nor here. */
static bool read_field(struct tf_reader *r, struct field *out)
{
    uint64_t key = read_varint(r);
    struct field f = {.number = (uint32_t)(key >> 3), .wire = key & 7};

    switch (f.wire) {
    case WIRE_VARINT:
        f.value = read_varint(r);
        break;
    case WIRE_64:
        f.value = 8;
        break;
    case WIRE_BYTES:
        f.value = read_varint(r);
        break;
    case WIRE_32:
        f.value = 4;
        break;
    default:
        r->bad = true;
        break;
    }
    if (f.wire != WIRE_VARINT) {
        f.data = tf_read_bytes(r, f.value);
    }
    *out = f;
    return !r->bad && key <= UINT32_MAX && f.number != 0;
}

/* Our two fields once each and of their type; others, of a later AESM, are passed over.
 */
static bool take_field(struct answer *a, const struct field *f)
{
    if (f->number == ANSWER_CODE) {
        bool is_good = !a->has_code && f->wire == WIRE_VARINT && f->value <= UINT32_MAX;
        a->has_code = true;
        a->code = (uint32_t)f->value;
        return is_good;
    }
    if (f->number == ANSWER_BYTES) {
        bool is_good = a->data == NULL && f->wire == WIRE_BYTES;
        a->data = f->data;
        a->size = f->value;
        return is_good;
    }
    return true;
}

/* The Response holds the one answer that was asked for, and nothing else. */
static tf_err read_answer(const uint8_t *bytes, size_t size, uint32_t number,
                          struct answer *out)
{
    struct tf_reader r;
    struct field f;
    struct answer a = {.has_code = false};

    tf_reader_init(&r, bytes, size);
    if (!read_field(&r, &f) || f.number != number || f.wire != WIRE_BYTES ||
        tf_reader_left(&r) != 0) {
        return TF_EFORMAT;
    }
    tf_reader_init(&r, f.data, f.value);
    while (tf_reader_left(&r) > 0) {
        if (!read_field(&r, &f) || !take_field(&a, &f)) {
            return TF_EFORMAT;
        }
    }
    if (!a.has_code) {
        return TF_EFORMAT;
    }
    *out = a;
    return TF_OK;
}

static tf_err judge_code(uint32_t code)
{
    switch (code) {
    case 0:
        return TF_OK;
    case CODE_NETWORK_BUSY:
    case CODE_BUSY:
    case CODE_BACKEND_BUSY:
        return TF_AGAIN;
    default:
        return TF_EQUOTE;
    }
}

tf_err tf_aesm_parse_target_info(const uint8_t *bytes, size_t size,
                                 struct sgx_target_info *out, uint32_t *code)
{
    struct answer a;

    tf_err err = read_answer(bytes, size, FIELD_INIT, &a);
    if (err != TF_OK) {
        return err;
    }
    *code = a.code;
    err = judge_code(a.code);
    if (err != TF_OK) {
        return err;
    }
    if (a.data == NULL || a.size != sizeof(*out)) {
        return TF_EFORMAT;
    }
    memcpy(out, a.data, sizeof(*out));
    return TF_OK;
}

/* AESM fills its buffer up: the quote ends with its signature data (DCAP's sgx_quote3_t).
 */
static tf_err cut_quote(const struct answer *a, size_t *out)
{
    struct tf_reader r;

    tf_reader_init(&r, a->data, a->size);
    uint16_t version = tf_read_u16(&r);
    uint16_t key_type = tf_read_u16(&r);
    (void)tf_read_bytes(&r, QUOTE_FIXED - 2 - 2 - 4);
    uint32_t signature_size = tf_read_u32(&r);
    (void)tf_read_bytes(&r, signature_size);
    if (r.bad || signature_size == 0) {
        return TF_EQUOTE_FORMAT;
    }
    if (version != QUOTE_VERSION || key_type != QUOTE_ECDSA_P256) {
        return TF_EQUOTE_KIND;
    }
    *out = r.at;
    return TF_OK;
}

tf_err tf_aesm_parse_quote(const uint8_t *bytes, size_t size, const uint8_t **quote,
                           size_t *quote_size, uint32_t *code)
{
    struct answer a;

    tf_err err = read_answer(bytes, size, FIELD_QUOTE, &a);
    if (err != TF_OK) {
        return err;
    }
    *code = a.code;
    err = judge_code(a.code);
    if (err != TF_OK) {
        return err;
    }
    if (a.data == NULL) {
        return TF_EFORMAT;
    }
    err = cut_quote(&a, quote_size);
    if (err == TF_OK) {
        *quote = a.data;
    }
    return err;
}

/* --- the socket
 * -------------------------------------------------------------------------
 */

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* @return false once the deadline has passed. */
static bool wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int64_t left = deadline - now_ms();
        int count = left > 0 ? poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
        if (count >= 0 || errno != EINTR) {
            return count == 1;
        }
    }
}

static bool send_all(int fd, const uint8_t *data, size_t size, int64_t deadline)
{
    while (size > 0) {
        ssize_t count = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            data += count;
            size -= (size_t)count;
        } else if ((errno != EAGAIN && errno != EINTR) ||
                   !wait_for(fd, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

static bool receive_all(int fd, uint8_t *data, size_t size, int64_t deadline)
{
    while (size > 0) {
        if (!wait_for(fd, POLLIN, deadline)) {
            return false;
        }
        ssize_t count = recv(fd, data, size, MSG_DONTWAIT);
        if (count > 0) {
            data += count;
            size -= (size_t)count;
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        }
    }
    return true;
}

static tf_err open_socket(const char *path, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof(address.sun_path)) {
        return TF_EUSAGE;
    }
    memcpy(address.sun_path, path, length + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return TF_EIO;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int reason = errno;
        (void)close(fd);
        if (reason == EAGAIN) { /* its backlog is full (unix(7)) */
            return TF_AGAIN;
        }
        return reason == ENOENT || reason == ECONNREFUSED ? TF_ENOTFOUND : TF_EIO;
    }
    *out = fd;
    return TF_OK;
}

/* In the process that connects: whatever comes asks for a connection. */
static void serve(int fd, const char *path)
{
    uint8_t byte;

    while (recv(fd, &byte, sizeof(byte), 0) > 0) {
        int made = -1;
        struct tf_link_head head = {.type = (uint32_t)open_socket(path, &made)};
        tf_err err = tf_link_send(fd, &head, NULL, made);
        if (made >= 0) {
            (void)close(made);
        }
        if (err != TF_OK) {
            return;
        }
    }
}

/* @param caller  that process. */
static tf_err ask_for_socket(int caller, int64_t deadline, int *out)
{
    const uint8_t byte = 0;
    uint8_t body[TF_LINK_MAX];
    struct tf_link_head head;
    int made = -1;

    if (!send_all(caller, &byte, sizeof(byte), deadline) ||
        !wait_for(caller, POLLIN, deadline) ||
        tf_link_receive(caller, &head, body, &made) != TF_OK) {
        return TF_EIO;
    }
    if (made < 0) {
        return head.type > TF_OK && head.type < TF_ERR_COUNT ? (tf_err)head.type : TF_EIO;
    }
    *out = made;
    return TF_OK;
}

tf_err tf_aesm_open(struct tf_aesm *aesm)
{
    return tf_helper_open(serve, aesm->path, &aesm->caller);
}

void tf_aesm_close(struct tf_aesm *aesm)
{
    if (aesm->caller > 0) {
        (void)close(aesm->caller);
        aesm->caller = 0;
    }
}

static tf_err receive_frame(int fd, int64_t deadline,
                            uint8_t out[static TF_AESM_FRAME_MAX], size_t *size)
{
    uint8_t length[4];
    struct tf_reader r;

    if (!receive_all(fd, length, sizeof(length), deadline)) {
        return TF_EIO;
    }
    tf_reader_init(&r, length, sizeof(length));
    *size = tf_read_u32(&r);
    if (*size > TF_AESM_FRAME_MAX) {
        return TF_ELIMIT;
    }
    return receive_all(fd, out, *size, deadline) ? TF_OK : TF_EIO;
}

static tf_err exchange(struct tf_aesm *aesm, const struct writer *request,
                       uint8_t out[static TF_AESM_FRAME_MAX], size_t *size)
{
    int64_t deadline = now_ms() + aesm->timeout_ms;
    int fd = -1;

    aesm->code = 0;
    tf_err err = aesm->caller > 0 ? ask_for_socket(aesm->caller, deadline, &fd)
                                  : open_socket(aesm->path, &fd);
    if (err != TF_OK) {
        return err;
    }
    err = send_all(fd, request->bytes, request->size, deadline)
              ? receive_frame(fd, deadline, out, size)
              : TF_EIO;
    (void)close(fd);
    return err;
}

tf_err tf_aesm_target_info(struct tf_aesm *aesm, struct sgx_target_info *out)
{
    struct writer request;
    uint8_t answer[TF_AESM_FRAME_MAX];
    size_t size = 0;

    put_init(&request);
    tf_err err = exchange(aesm, &request, answer, &size);
    return err == TF_OK ? tf_aesm_parse_target_info(answer, size, out, &aesm->code) : err;
}

static tf_err quote_once(struct tf_aesm *aesm, const struct sgx_report *report,
                         uint8_t *out, size_t cap, size_t *size)
{
    struct writer request;
    uint8_t answer[TF_AESM_FRAME_MAX];
    size_t answer_size = 0;
    const uint8_t *quote = NULL;
    size_t quote_size = 0;

    put_quote(&request, report);
    tf_err err = exchange(aesm, &request, answer, &answer_size);
    if (err == TF_OK) {
        err = tf_aesm_parse_quote(answer, answer_size, &quote, &quote_size, &aesm->code);
    }
    if (err != TF_OK) {
        return err;
    }
    if (memcmp(quote + QUOTE_HEADER, report, SGX_REPORT_BODY_SIZE) != 0) {
        return TF_EQUOTE_FORMAT;
    }
    if (quote_size > cap) {
        return TF_ELIMIT;
    }
    memcpy(out, quote, quote_size);
    *size = quote_size;
    return TF_OK;
}

tf_err tf_aesm_quote(struct tf_aesm *aesm, const struct sgx_report *report, uint8_t *out,
                     size_t cap, size_t *size)
{
    struct sgx_target_info target;

    tf_err err = quote_once(aesm, report, out, cap, size);
    if (err != TF_EQUOTE || aesm->code != CODE_KEY_NOT_INITIALISED) {
        return err;
    }
    err = tf_aesm_target_info(aesm, &target); /* only that makes AESM load its key */
    return err == TF_OK ? quote_once(aesm, report, out, cap, size) : err;
}
