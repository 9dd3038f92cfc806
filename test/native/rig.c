/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side: threads, rings, frames, lambdas. */
#include "test/native/rig.h"

#include <stdio.h>

#include "enclave/instance.h"
#include "enclave/local.h"
#include "lib/arena.h"
#include "lib/ustar.h"
#include "test/native/native.h"

enum {
    HEAP_SIZE = 32 << 20,
    SHARED_SIZE = 64 << 20,
    SLOT_SIZE = 16 << 20,
    STACK_SIZE = 512 << 10,
    SLOT_SPAN = 2 * TF_GUARD + STACK_SIZE + SLOT_SIZE,
    MASK = TF_RING_SIZE - 1
};

/* What old instances hold stays reachable, so that only true leaks are reported. */
static void *kept[4096];
static size_t kept_count;

static void *keep(void *block)
{
    if (block == NULL || kept_count == sizeof(kept) / sizeof(kept[0])) {
        abort();
    }
    kept[kept_count++] = block;
    return block;
}

void rig_thread_make(struct rig *rig, int index)
{
    struct rig_thread *thread = &rig->threads[index];

    *thread = (struct rig_thread){0};
    thread->page = keep(aligned_alloc(TF_PAGE, TF_PAGE));
    memset(thread->page, 0, TF_PAGE);
    thread->channel = keep(rig_channel_make());
    struct tf_thread_page *page = (void *)thread->page;
    void *heap = keep(aligned_alloc(TF_PAGE, HEAP_SIZE));
    page->heap = (uint64_t)(uintptr_t)tf_arena_init(heap, HEAP_SIZE);
    page->heap_size = HEAP_SIZE;
    page->shared_size = SHARED_SIZE;
    page->slot =
        (uint64_t)(uintptr_t)keep(aligned_alloc(TF_PAGE, RIG_SLOTS * SLOT_SPAN)) +
        SLOT_SPAN - SLOT_SIZE;
    page->slot_size = SLOT_SIZE;
    page->slot_span = SLOT_SPAN;
    page->slots = RIG_SLOTS;
    page->slot_stack = STACK_SIZE;
    page->index = (uint64_t)index;
}

void rig_forget(void)
{
    struct tf_instance *old = keep(malloc(sizeof(*old)));

    memcpy(old, tf_instance_self(), sizeof(*old));
    memset(tf_instance_self(), 0, sizeof(*old));
    tf_native_shared_count = 0;
}

size_t rig_shared_count(void)
{
    size_t own = 2; /* the buckets of both maps */

    for (const struct tf_entry *at = tf_list_first(&tf_instance_self()->entries);
         at != NULL; at = tf_list_next(&at->link)) {
        own++;
        for (const struct tf_link *line = at->log.lines.first; line != NULL;
             line = line->next) {
            own++;
        }
    }
    return tf_native_shared_count - own;
}

static struct rig *make(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    rig_forget();
    rig->publisher = fixture_key_open("ED25519");
    rig->attester = fixture_key_open("P-256");
    rig->stranger = fixture_key_open("ED25519");
    return rig;
}

/* With its domain as written. */
static struct rig *start(struct rig *rig)
{
    struct tf_descriptor domain;

    if (tf_descriptor_parse(rig->domain, rig->domain_size, &domain) != TF_OK) {
        abort();
    }
    memset(&tf_native_cpu, 0, sizeof(tf_native_cpu));
    tf_native_cpu.isv_svn = 1;
    tf_native_cpu.cpu_svn = 1;
    memcpy(tf_native_cpu.config_id, domain.sha256, sizeof(domain.sha256));
    rig->now = 1790000000;
    rig_thread_make(rig, 0);
    if (rig_init(rig, 0).exit != TF_EXIT_IDLE) {
        abort();
    }
    return rig;
}

/* The first `count` of publisher and stranger are the domain's. */
static struct rig *open_for(size_t count)
{
    struct rig *rig = make();
    const struct fixture_key keys[] = {rig->publisher, rig->stranger};

    rig->domain_size = fixture_domain_attested(rig->domain, sizeof(rig->domain), keys,
                                               count, &rig->attester);
    return start(rig);
}

struct rig *rig_open(void)
{
    return open_for(1);
}

struct rig *rig_open_pair(void)
{
    return open_for(2);
}

struct rig *rig_open_shared(void)
{
    struct rig *rig = make();
    char first[1024];
    char second[1024];
    const char *const members[] = {first, second};

    fixture_shared_write(first, sizeof(first), &rig->publisher, &rig->attester);
    fixture_shared_write(second, sizeof(second), &rig->stranger, NULL);
    rig->domain_size = fixture_group_write(rig->domain, sizeof(rig->domain), members, 2);
    return start(rig);
}

void rig_log_clear(struct rig *rig)
{
    for (size_t i = 0; i < rig->log_count; i++) {
        free(rig->log[i].payload);
    }
    rig->log_count = 0;
}

static void client_free(struct rig_client *client)
{
    if (client != NULL) {
        SSL_free(client->ssl);
        free(client);
    }
}

void rig_close(struct rig *rig)
{
    for (int i = 0; i < RIG_CLIENTS; i++) {
        client_free(rig->clients[i]);
    }
    rig_log_clear(rig);
    fixture_key_close(&rig->publisher);
    fixture_key_close(&rig->attester);
    fixture_key_close(&rig->stranger);
    free(rig);
}

struct tf_core_exit rig_init(struct rig *rig, int index)
{
    struct tf_msg_init init = {.thread = (uint32_t)index,
                               .descriptor_size = (uint32_t)rig->domain_size,
                               .memory = rig->memory,
                               .shelf = rig->shelf};
    uint8_t payload[sizeof(init) + sizeof(rig->domain)];

    memset(init.target_info, 0x51, sizeof(init.target_info));
    memcpy(payload, &init, sizeof(init));
    memcpy(payload + sizeof(init), rig->domain, rig->domain_size);
    (void)rig_put(rig, index, TF_MSG_INIT, 0, payload, sizeof(init) + rig->domain_size);
    return rig_enter(rig, index);
}

/* --- rings
 * ------------------------------------------------------------------------------ */

static size_t padded(size_t size)
{
    return (size + 7) / 8 * 8;
}

static void ring_write(struct tf_ring *ring, uint64_t at, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ring->data[(at + i) & MASK] = ((const uint8_t *)data)[i];
    }
}

static void ring_read(const struct tf_ring *ring, uint64_t at, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = ring->data[(at + i) & MASK];
    }
}

bool rig_put(struct rig *rig, int index, uint32_t type, uint64_t id, const void *payload,
             size_t size)
{
    struct rig_thread *thread = &rig->threads[index];
    struct tf_ring *ring = &thread->channel->in;
    struct tf_frame frame = {type, (uint32_t)size, id};

    if (sizeof(frame) + padded(size) > TF_RING_SIZE - (ring->head - ring->tail)) {
        return false;
    }
    ring_write(ring, ring->head, &frame, sizeof(frame));
    ring_write(ring, ring->head + sizeof(frame), payload, size);
    ring->head += sizeof(frame) + padded(size);
    return true;
}

static struct rig_client *client_of(struct rig *rig, uint64_t id)
{
    for (int i = 0; i < RIG_CLIENTS; i++) {
        if (rig->clients[i] != NULL && rig->clients[i]->id == id) {
            return rig->clients[i];
        }
    }
    return NULL;
}

static void handle(struct rig *rig, struct rig_frame frame)
{
    struct rig_client *client = client_of(rig, frame.id);

    if (frame.type == TF_MSG_DATA && client != NULL) {
        (void)BIO_write(client->to_client, frame.payload, (int)frame.size);
        client->received += frame.size;
        client->unacked += frame.size;
        free(frame.payload);
        return;
    }
    if (frame.type == TF_MSG_CLOSE && client != NULL) {
        client->is_closed = true;
    }
    if (rig->log_count == RIG_LOG) {
        free(rig->log[0].payload);
        memmove(rig->log, rig->log + 1, (RIG_LOG - 1) * sizeof(rig->log[0]));
        rig->log_count--;
    }
    rig->log[rig->log_count++] = frame;
}

static void drain(struct rig *rig, struct rig_thread *thread)
{
    struct tf_ring *ring = &thread->channel->out;

    while (!thread->is_stuck && ring->tail != ring->head) {
        struct tf_frame frame;
        ring_read(ring, ring->tail, &frame, sizeof(frame));
        struct rig_frame out = {frame.type, frame.id, frame.size, malloc(frame.size + 1)};
        ring_read(ring, ring->tail + sizeof(frame), out.payload, frame.size);
        out.payload[frame.size] = 0;
        ring->tail += sizeof(frame) + padded(frame.size);
        handle(rig, out);
    }
}

struct tf_core_exit rig_enter(struct rig *rig, int index)
{
    struct rig_thread *thread = &rig->threads[index];

    tf_native_cpu.self = (void *)thread->page;
    rig->passed += rig->entry_ns;
    uint64_t now = rig->now * 1000000000 + rig->passed;
    tf_local_self()->now = now;
    thread->last = tf_core_enter((void *)thread->page,
                                 (tf_hostptr){(uint64_t)(uintptr_t)thread->channel}, now);
    thread->entries++;
    drain(rig, thread);
    return thread->last;
}

const struct rig_frame *rig_last(const struct rig *rig, uint32_t type)
{
    for (size_t i = rig->log_count; i > 0; i--) {
        if (rig->log[i - 1].type == type) {
            return &rig->log[i - 1];
        }
    }
    return NULL;
}

/* The answer to what was asked under this number, or NULL. */
static const struct rig_frame *answer_to(const struct rig *rig, uint64_t id)
{
    for (size_t i = rig->log_count; i > 0; i--) {
        if (rig->log[i - 1].type == TF_MSG_RESULT && rig->log[i - 1].id == id) {
            return &rig->log[i - 1];
        }
    }
    return NULL;
}

/* --- lambdas
 * ---------------------------------------------------------------------------- */

struct fixture_bytes rig_bundle(const struct rig *rig, const struct rig_lambda *lambda)
{
    struct fixture_entry file = {
        .path = "main.js", .contents = lambda->code, .size = strlen(lambda->code)};
    char text[4096];
    uint8_t digest[TF_SHA256_SIZE];
    char hex[65];
    char domains[1024] = "";

    for (int i = 0; i < 3 && lambda->domains[i] != NULL; i++) {
        (void)snprintf(domains + strlen(domains), sizeof(domains) - strlen(domains),
                       "%s\"%s\"", i == 0 ? "" : ",", lambda->domains[i]);
    }
    tf_sha256(file.contents, file.size, digest);
    tf_hex_write(digest, sizeof(digest), hex);
    int size = snprintf(
        text, sizeof(text),
        "{\"name\":\"%s\",\"version\":%llu,\"entry\":\"main.js\",\"domains\":[%s],"
        "\"limits\":%s,\"env\":%s,"
        "\"files\":[{\"path\":\"main.js\",\"size\":%zu,\"sha256\":\"%s\"}]}",
        lambda->name, (unsigned long long)lambda->version, domains,
        lambda->limits != NULL ? lambda->limits : "{}",
        lambda->env != NULL ? lambda->env : "{}", file.size, hex);
    return fixture_bundle(lambda->key != NULL ? lambda->key : &rig->publisher, text,
                          (size_t)size, &file, 1);
}

static void push_blob(struct rig *rig, int index, uint64_t id, struct fixture_bytes bytes,
                      uint32_t kind)
{
    enum { CHUNK = 7000 };
    static uint8_t payload[sizeof(struct tf_msg_blob) + CHUNK];
    const size_t size = bytes.size;

    for (size_t at = 0; at < size; at += CHUNK) {
        size_t part = size - at < CHUNK ? size - at : CHUNK;
        struct tf_msg_blob blob = {.kind = kind, .total = size, .offset = at};
        memcpy(payload, &blob, sizeof(blob));
        memcpy(payload + sizeof(blob), bytes.data + at, part);
        if (!rig_put(rig, index, TF_MSG_BLOB, id, payload, sizeof(blob) + part)) {
            abort();
        }
        (void)rig_enter(rig, index);
    }
}

/* A bundle is answered when it was tried. */
static tf_err send_blob(struct rig *rig, int index, uint64_t id,
                        struct fixture_bytes bytes, uint32_t kind)
{
    enum { ENTRIES = 1000 };

    push_blob(rig, index, id, bytes, kind);
    const struct rig_frame *frame = answer_to(rig, id);
    for (int i = 0; i < ENTRIES && frame == NULL; i++) {
        (void)rig_enter(rig, index);
        frame = answer_to(rig, id);
    }
    if (frame == NULL) {
        return TF_EINTERNAL;
    }
    return (tf_err)((const struct tf_msg_result *)(const void *)frame->payload)->err;
}

void rig_offer(struct rig *rig, int index, uint64_t id, const struct rig_lambda *lambda)
{
    struct fixture_bytes bundle = rig_bundle(rig, lambda);

    push_blob(rig, index, id, bundle, TF_BLOB_BUNDLE);
    free(bundle.data);
}

tf_err rig_blob(struct rig *rig, int index, uint32_t kind, const uint8_t *bytes,
                size_t size)
{
    static uint64_t id = 1000;
    struct fixture_bytes copy = {malloc(size), size};

    memcpy(copy.data, bytes, size);
    tf_err err = send_blob(rig, index, ++id, copy, kind);
    free(copy.data);
    return err;
}

tf_err rig_revoke(struct rig *rig, const struct fixture_key *by,
                  const struct tf_revocations *list)
{
    struct fixture_bytes envelope = fixture_revocations(by, list);
    tf_err err = rig_blob(rig, 0, TF_BLOB_REVOCATIONS, envelope.data, envelope.size);

    free(envelope.data);
    return err;
}

tf_err rig_introduce(struct rig *rig, int index, const struct rig_lambda *lambda)
{
    struct fixture_bytes bundle = rig_bundle(rig, lambda);
    struct tf_reader r;
    struct tf_ustar_entry envelope;

    tf_reader_init(&r, bundle.data, bundle.size);
    if (tf_ustar_read(&r, &envelope) != TF_OK) {
        abort();
    }
    tf_err err = rig_blob(rig, index, TF_BLOB_ENVELOPE, envelope.contents, envelope.size);
    free(bundle.data);
    return err;
}

tf_err rig_answer(struct rig *rig, int index, uint64_t id, struct fixture_bytes bytes)
{
    return send_blob(rig, index, id, bytes, TF_BLOB_WANTED);
}

tf_err rig_bring(struct rig *rig, int index, uint64_t id, const struct rig_lambda *lambda)
{
    struct fixture_bytes bundle = rig_bundle(rig, lambda);
    tf_err err = rig_answer(rig, index, id, bundle);

    free(bundle.data);
    return err;
}

tf_err rig_load(struct rig *rig, int index, const struct rig_lambda *lambda)
{
    struct fixture_bytes bundle = rig_bundle(rig, lambda);
    tf_err err = rig_blob(rig, index, TF_BLOB_BUNDLE, bundle.data, bundle.size);

    free(bundle.data);
    return err;
}

tf_err rig_drop(struct rig *rig, int index, const char *name)
{
    (void)rig_put(rig, index, TF_MSG_DROP, 77, name, strlen(name));
    (void)rig_enter(rig, index);
    const struct rig_frame *frame = rig_last(rig, TF_MSG_RESULT);
    return (tf_err)((const struct tf_msg_result *)(const void *)frame->payload)->err;
}

char *rig_result(const struct rig *rig)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_RESULT);
    size_t size = frame->size - sizeof(struct tf_msg_result);
    char *text = calloc(1, size + 1);

    memcpy(text, frame->payload + sizeof(struct tf_msg_result), size);
    return text;
}

bool rig_is_error(const char *json, tf_err err)
{
    char expected[64];

    (void)snprintf(expected, sizeof(expected), "\"error\":\"%s\"", tf_err_name(err));
    if (strstr(json, expected) == NULL) {
        (void)fprintf(stderr, "expected %s, got %s\n", expected, json);
        return false;
    }
    return true;
}
