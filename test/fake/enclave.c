/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fake/enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/limits.h"
#include "host/enclave.h"
#include "lib/bundle.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum { MASK = TF_RING_SIZE - 1 };

struct thread {
    uint8_t in[TF_FRAME_MAX];
    uint8_t blob[TF_BUNDLE_MAX];
    uint64_t owed_id; /* a big answer that did not fit yet */
    size_t owed;
    bool is_closing;  /* after what is owed */
    uint8_t target;   /* first byte of the TARGETINFO that it knows */
    uint64_t late_id; /* whose REPORT comes when the client has left; 0: nobody's */
};

struct tf_enclave {
    struct thread threads[2];
};

static struct tf_fake fake;
static struct tf_enclave instance;

struct tf_fake *tf_fake(void)
{
    return &fake;
}

static void copy_out(const struct tf_ring *ring, uint64_t at, void *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)to)[i] = ring->data[(at + i) & MASK];
    }
}

static void copy_in(struct tf_ring *ring, uint64_t at, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ring->data[(at + i) & MASK] = ((const uint8_t *)from)[i];
    }
}

/* Puts a frame; a NULL body is 'x' all over. */
static bool put(struct tf_ring *ring, uint32_t type, uint64_t id, const void *body,
                size_t size)
{
    struct tf_frame frame = {.type = type, .size = (uint32_t)size, .id = id};
    size_t whole = sizeof(frame) + ((size + 7) & ~(size_t)7);
    if (TF_RING_SIZE - (ring->head - ring->tail) < whole) {
        return false;
    }
    copy_in(ring, ring->head, &frame, sizeof(frame));
    for (size_t i = 0; body == NULL && i < size; i++) {
        ring->data[(ring->head + sizeof(frame) + i) & MASK] = 'x';
    }
    if (body != NULL) {
        copy_in(ring, ring->head + sizeof(frame), body, size);
    }
    ring->head += whole;
    return true;
}

static void answer(struct tf_channel *channel, uint64_t id, tf_err err, const char *json)
{
    uint8_t body[4096];
    struct tf_msg_result result = {.err = (uint32_t)err};
    memcpy(body, &result, sizeof(result));
    memcpy(body + sizeof(result), json, strlen(json));
    (void)put(&channel->out, TF_MSG_RESULT, id, body, sizeof(result) + strlen(json));
}

/* A bundle is checked as the enclave would, without a domain. */
static void load(struct tf_channel *channel, uint64_t id, const uint8_t *bytes,
                 size_t size)
{
    static uint8_t scratch[TF_BUNDLE_SCRATCH];
    static struct tf_bundle bundle;
    char json[3000];
    size_t json_size = 0;
    struct tf_json_writer w;
    tf_json_writer_init(&w, json, sizeof(json));
    tf_json_open_object(&w, NULL);
    tf_err err = tf_bundle_check(bytes, size, NULL, NULL, scratch, &bundle);
    if (err == TF_OK) {
        tf_json_put_string(&w, "name", bundle.manifest.name);
        tf_json_put_integer(&w, "version", bundle.manifest.version);
        tf_json_put_hex(&w, "digest", bundle.digest, sizeof(bundle.digest));
        tf_json_open_array(&w, "domains");
        for (size_t i = 0; i < bundle.manifest.domain_count; i++) {
            tf_json_put_string(&w, NULL, bundle.manifest.domains[i]);
        }
        tf_json_close_array(&w);
        tf_bundle_wipe(&bundle);
    }
    tf_json_close_object(&w);
    if (tf_json_take(&w, &json_size) == TF_OK) {
        answer(channel, id, err, json);
    }
}

static void take_blob(struct thread *thread, struct tf_channel *channel,
                      const struct tf_frame *frame)
{
    struct tf_msg_blob blob;
    memcpy(&blob, thread->in, sizeof(blob));
    size_t size = frame->size - sizeof(blob);
    if (blob.total > sizeof(thread->blob) || blob.offset + size > blob.total) {
        answer(channel, frame->id, TF_ELIMIT, "{\"error\":\"limit\"}");
        return;
    }
    memcpy(thread->blob + blob.offset, thread->in + sizeof(blob), size);
    if (blob.offset + size == blob.total) {
        fake.blob_bytes += blob.total;
        if (blob.kind == TF_BLOB_BUNDLE) {
            load(channel, frame->id, thread->blob, (size_t)blob.total);
        } else {
            answer(channel, frame->id, TF_OK, "{}");
        }
    }
}

/* "REPORT" and a byte: has a REPORT over it made into evidence. */
static void make_report(const struct thread *thread, struct tf_channel *channel,
                        uint64_t id)
{
    struct sgx_report report = {.report_data = {thread->in[6]}};
    report.mac[0] = thread->target;
    (void)put(&channel->out, TF_MSG_REPORT, id, &report, sizeof(report));
    fake.reports++;
}

static void take_data(struct thread *thread, struct tf_channel *channel,
                      const struct tf_frame *frame)
{
    static const char seal[] = "SEAL ";
    if (fake.answer_size > 0) {
        thread->owed = fake.answer_size;
    } else if (frame->size == 7 && memcmp(thread->in, "REPORT", 6) == 0) {
        make_report(thread, channel, frame->id);
    } else if (frame->size == 4 && memcmp(thread->in, "LATE", 4) == 0) {
        thread->late_id = frame->id;
        fake.late++;
    } else if (frame->size > sizeof(seal) && memcmp(thread->in, seal, 5) == 0) {
        /* "SEAL name": as if a grant for that lambda had been sealed. */
        uint8_t body[128] = {0};
        uint32_t name_size = frame->size - 5;
        memcpy(body, &name_size, sizeof(name_size));
        memcpy(body + 8, thread->in + 5, name_size);
        memcpy(body + 8 + name_size, "sealed", 6);
        (void)put(&channel->out, TF_MSG_SEALED, 0, body, 8 + name_size + 6);
    } else {
        (void)put(&channel->out, TF_MSG_DATA, frame->id, thread->in, frame->size);
    }
    thread->is_closing = fake.is_closing;
    thread->owed_id = frame->id;
}

static void take(struct thread *thread, struct tf_channel *channel,
                 const struct tf_frame *frame)
{
    static const char stats[] =
        "{\"lambdas\":[],\"handshakes\":3,\"handshakes_failed\":1,\"connections\":4}";
    uint64_t sent = 0;
    switch (frame->type) {
    case TF_MSG_OPEN:
        fake.opened++;
        break;
    case TF_MSG_CLOSE:
        if (thread->late_id == frame->id) {
            make_report(thread, channel, frame->id);
        }
        fake.closed++;
        break;
    case TF_MSG_SENT:
        memcpy(&sent, thread->in, sizeof(sent));
        fake.sent += sent;
        break;
    case TF_MSG_DATA:
        take_data(thread, channel, frame);
        break;
    case TF_MSG_INIT:
        thread->target = thread->in[offsetof(struct tf_msg_init, target_info)];
        break;
    case TF_MSG_TARGET:
        thread->target = thread->in[0];
        break;
    case TF_MSG_QUOTE: /* to the client; "none" if there is none */
        (void)put(&channel->out, TF_MSG_DATA, frame->id,
                  frame->size > 0 ? (const void *)thread->in : "none",
                  frame->size > 0 ? frame->size : 4);
        break;
    case TF_MSG_BLOB:
        take_blob(thread, channel, frame);
        break;
    case TF_MSG_STATS:
        answer(channel, frame->id, TF_OK, stats);
        break;
    case TF_MSG_DROP:
        answer(channel, frame->id, TF_OK, "{}");
        break;
    default:
        break;
    }
}

/* Writes what is owed, as far as there is room. */
static bool pay(struct thread *thread, struct tf_channel *channel)
{
    while (thread->owed > 0) {
        size_t size = thread->owed < 16384 ? thread->owed : 16384;
        if (!put(&channel->out, TF_MSG_DATA, thread->owed_id, NULL, size)) {
            return false;
        }
        thread->owed -= size;
    }
    if (thread->is_closing) {
        thread->is_closing = false;
        return put(&channel->out, TF_MSG_CLOSE, thread->owed_id, NULL, 0);
    }
    return true;
}

void tf_enclave_enter(struct tf_enclave *enclave, unsigned index,
                      struct tf_channel *channel, uint64_t now_ns,
                      struct tf_enclave_exit *out)
{
    struct thread *thread = &enclave->threads[index];
    (void)now_ns;
    fake.entries++;
    out->exit = fake.is_dying ? TF_EXIT_DEAD : TF_EXIT_MORE;
    out->err = TF_EHOST;
    while (pay(thread, channel)) {
        struct tf_ring *ring = &channel->in;
        if (ring->head == ring->tail) {
            if (!fake.is_dying && !fake.is_busy) {
                out->exit = TF_EXIT_IDLE;
            }
            return;
        }
        struct tf_frame frame;
        copy_out(ring, ring->tail, &frame, sizeof(frame));
        copy_out(ring, ring->tail + sizeof(frame), thread->in, frame.size);
        ring->tail += sizeof(frame) + ((frame.size + 7U) & ~7U);
        take(thread, channel, &frame);
    }
}

tf_err tf_enclave_open(const struct tf_enclave_options *options, struct tf_enclave **out)
{
    if (access(options->image_path, R_OK) != 0) {
        return TF_EIO;
    }
    *out = &instance;
    return TF_OK;
}

unsigned tf_enclave_threads(const struct tf_enclave *enclave)
{
    (void)enclave;
    return 2;
}

bool tf_enclave_is_simulated(const struct tf_enclave *enclave)
{
    (void)enclave;
    return true;
}

void tf_enclave_identity(const struct tf_enclave *enclave, uint8_t mrenclave[static 32],
                         uint8_t mrsigner[static 32])
{
    (void)enclave;
    memset(mrenclave, 0x11, 32);
    memset(mrsigner, 0x22, 32);
}

tf_err tf_enclave_thread_init(struct tf_enclave *enclave)
{
    (void)enclave;
    return TF_OK;
}

const char *tf_enclave_quoted_by(const struct tf_enclave *enclave, uint32_t *code)
{
    (void)enclave;
    *code = 0;
    return "fake";
}

tf_err tf_enclave_target_info(struct tf_enclave *enclave, struct sgx_target_info *out)
{
    (void)enclave;
    unsigned target = __atomic_load_n(&fake.target, __ATOMIC_ACQUIRE);
    if (target == TF_FAKE_NO_TARGET) {
        return TF_ENOTFOUND;
    }
    memset(out, (int)target, sizeof(*out));
    return TF_OK;
}

tf_err tf_enclave_quote(struct tf_enclave *enclave, const struct sgx_report *report,
                        char *out, size_t *size)
{
    (void)enclave;
    (void)__atomic_add_fetch(&fake.quotes_asked, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&fake.is_quoting_slow, __ATOMIC_ACQUIRE)) {
        (void)usleep(1000);
    }
    unsigned failures = __atomic_load_n(&fake.quote_failures, __ATOMIC_ACQUIRE);
    if (failures > 0) {
        __atomic_store_n(&fake.quote_failures, failures - 1, __ATOMIC_RELEASE);
        return fake.quote_error;
    }
    if (report->mac[0] != __atomic_load_n(&fake.target, __ATOMIC_ACQUIRE)) {
        return TF_EQUOTE; /* made for somebody else */
    }
    /* Which REPORT it is for, and for whom that was made. */
    *size = (size_t)snprintf(out, TF_EVIDENCE_MAX, "{\"quote\":%u,\"for\":%u}",
                             report->report_data[0], report->mac[0]);
    return TF_OK;
}
