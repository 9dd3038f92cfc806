/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lying host in front of the whole core: any frames, in any order, with any indexes in
 * the rings. Real bundles, sealed grants and ClientHellos are at hand, to be sent damaged
 * or whole, so that it gets past the front door. The input is a list of steps.
 */
#include <stdlib.h>
#include <string.h>

#include <sanitizer/allocator_interface.h>

#include "enclave/instance.h"
#include "enclave/local.h"
#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/ustar.h"
#include "test/native/native.h"
#include "test/native/rig.h"

enum { STEPS_MAX = 48, BLOCKS_MAX = 1 << 16, THREAD = 1 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig *rig;
static uint64_t out_tail; /* as it was left after the last entry */

/* What the host has: bundle, sealed grant, two ClientHellos, revocation list, the
 * bundle's envelope, and the bundle once more, to answer a WANT with. */
enum {
    BUNDLE,
    GRANT,
    HELLO_NAME,
    HELLO_MANAGEMENT,
    REVOCATIONS,
    ENVELOPE,
    WANTED,
    KINDS
};
static struct fixture_bytes material[KINDS];

/* --- memory: what an instance holds at the end of a run is freed here
 * ------------------- */

static const volatile void *blocks[BLOCKS_MAX]; /* open addressing by address */
static bool is_tracking;

static size_t place_of(const volatile void *block)
{
    return ((uintptr_t)block >> 4) * 0x9e3779b1u % BLOCKS_MAX;
}

/* Freed places keep this mark, so that probing goes on behind them. */
static const char gone;

static void on_malloc(const volatile void *block, size_t size)
{
    (void)size;
    if (!is_tracking || block == NULL) {
        return;
    }
    size_t at = place_of(block);
    while (blocks[at] != NULL && blocks[at] != &gone) {
        at = (at + 1) % BLOCKS_MAX;
    }
    blocks[at] = block;
}

static void on_free(const volatile void *block)
{
    if (!is_tracking || block == NULL) {
        return;
    }
    for (size_t at = place_of(block); blocks[at] != NULL; at = (at + 1) % BLOCKS_MAX) {
        if (blocks[at] == block) {
            blocks[at] = &gone;
            return;
        }
    }
}

static void free_all(void)
{
    is_tracking = false;
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        if (blocks[i] != NULL && blocks[i] != &gone) {
            free((void *)(uintptr_t)blocks[i]);
        }
        blocks[i] = NULL;
    }
}

/* --- one run
 * ---------------------------------------------------------------------------- */

static void reset(void)
{
    struct rig_thread *thread = &rig->threads[THREAD];
    struct tf_thread_page *page = (void *)thread->page;
    struct tf_arena *heap = (void *)(uintptr_t)page->heap;

    memset(tf_instance_self(), 0, sizeof(struct tf_instance));
    memset((uint8_t *)page + TF_LOCAL_OFFSET, 0, sizeof(struct tf_local));
    page->state = 0;
    (void)tf_arena_init(heap, page->heap_size);
    thread->channel->in.head = thread->channel->in.tail = 0;
    thread->channel->out.head = thread->channel->out.tail = 0;
    out_tail = 0;
    thread->is_stuck = false;
    rig->log_count = 0;
}

static uint64_t id_of(uint8_t byte)
{
    return (byte & 3) | (uint64_t)(byte >> 2 & 3) << 32;
}

static void step_frame(struct tf_reader *r)
{
    const uint8_t *head = tf_read_bytes(r, 4);
    if (head == NULL) {
        return;
    }
    size_t size = head[2] | (size_t)head[3] << 8;
    size = size < tf_reader_left(r) ? size : tf_reader_left(r);
    (void)rig_put(rig, THREAD, head[0] % (TF_MSG_WANT + 1),
                  head[1] == UINT8_MAX ? TF_ID_IDENTITY : id_of(head[1]),
                  tf_read_bytes(r, size), size);
}

/* A blob or a ClientHello, one byte of it changed if the step says so. */
static void step_material(struct tf_reader *r)
{
    const uint8_t *head = tf_read_bytes(r, 5);
    if (head == NULL) {
        return;
    }
    static const uint32_t blob_kinds[KINDS] = {[BUNDLE] = TF_BLOB_BUNDLE,
                                               [GRANT] = TF_BLOB_GRANT,
                                               [REVOCATIONS] = TF_BLOB_REVOCATIONS,
                                               [ENVELOPE] = TF_BLOB_ENVELOPE,
                                               [WANTED] = TF_BLOB_WANTED};
    const struct rig_frame *want = rig_last(rig, TF_MSG_WANT);
    uint32_t blob_kind = blob_kinds[head[0] % KINDS];
    const struct fixture_bytes *bytes = &material[head[0] % KINDS];
    uint8_t *copy = malloc(bytes->size + sizeof(struct tf_msg_blob));
    struct tf_msg_blob blob = {.kind = blob_kind, .total = bytes->size};
    uint8_t *body = copy + sizeof(blob);
    memcpy(copy, &blob, sizeof(blob));
    memcpy(body, bytes->data, bytes->size);
    body[(head[2] | (size_t)head[3] << 8) % bytes->size] ^= head[4];
    if (blob_kind == 0) {
        (void)rig_put(rig, THREAD, TF_MSG_OPEN, id_of(head[1]), NULL, 0);
        (void)rig_put(rig, THREAD, TF_MSG_DATA, id_of(head[1]), body, bytes->size);
    } else {
        bool is_answer = blob_kind == TF_BLOB_WANTED && want != NULL;
        (void)rig_put(rig, THREAD, TF_MSG_BLOB, is_answer ? want->id : head[1], copy,
                      bytes->size + sizeof(blob));
    }
    free(copy);
}

/* Indexes and bytes of the rings that no honest host writes. */
static void step_lie(struct tf_reader *r)
{
    struct tf_channel *channel = rig->threads[THREAD].channel;
    uint64_t *const indexes[] = {&channel->in.head, &channel->in.tail, &channel->out.head,
                                 &channel->out.tail};
    const uint8_t *which = tf_read_bytes(r, 2);
    uint64_t value = tf_read_u64(r);
    if (which == NULL) {
        return;
    }
    if (which[0] % 8 < 4) {
        *indexes[which[0] % 4] =
            which[1] & 1 ? value : *indexes[which[0] % 4] + value % 4096;
    } else {
        memcpy(&channel->in.data[value % (TF_RING_SIZE - 8)], &value, sizeof(value));
    }
}

static struct tf_core_exit enter(void)
{
    struct rig_thread *thread = &rig->threads[THREAD];
    const struct tf_ring *out = &thread->channel->out;

    /* What the host did to the out ring may have made it unreadable for the rig. */
    thread->is_stuck |= out->tail != out_tail || out->head < out_tail;
    struct tf_core_exit last = rig_enter(rig, THREAD);
    out_tail = out->tail;
    return last;
}

static bool step(struct tf_reader *r)
{
    const uint8_t *kind = tf_read_bytes(r, 1);
    struct rig_thread *thread = &rig->threads[THREAD];

    switch (kind == NULL ? 2 : *kind % 6) {
    case 0:
        step_frame(r);
        return true;
    case 1:
        step_material(r);
        return true;
    case 3:
        step_lie(r);
        return true;
    case 4:
        thread->is_stuck = !thread->is_stuck;
        return true;
    case 5:
        rig->now = 1790000000 + (tf_read_u16(r) & 0x1fff) - 2000;
        return true;
    default:
        break;
    }
    struct tf_core_exit last = enter();
    if ((last.exit == TF_EXIT_DEAD) != (last.err != TF_OK)) {
        __builtin_trap();
    }
    return last.exit != TF_EXIT_DEAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_reader r;

    tf_reader_init(&r, data, size);
    reset();
    is_tracking = true;
    rig->now = 1790000000;
    bool is_alive = true;
    if (size != 0 && data[0] != 0xff) {
        is_alive = rig_init(rig, THREAD).exit != TF_EXIT_DEAD;
        out_tail = rig->threads[THREAD].channel->out.tail;
    }
    for (int i = 0; i < STEPS_MAX && is_alive && tf_reader_left(&r) != 0; i++) {
        is_alive = step(&r);
    }
    if (is_alive) {
        (void)enter();
    } else if (enter().exit != TF_EXIT_DEAD) {
        __builtin_trap(); /* an enclave that gave up stays so */
    }
    free_all();
    return 0;
}

/* --- material
 * --------------------------------------------------------------------------- */

static struct fixture_bytes client_hello(SSL_CTX *ctx, const char *name)
{
    struct fixture_bytes out = {malloc(4096), 0};
    SSL *ssl = SSL_new(ctx);
    BIO *to = BIO_new(BIO_s_mem());

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), to);
    (void)SSL_set_tlsext_host_name(ssl, name);
    (void)SSL_connect(ssl);
    out.size = (size_t)BIO_read(to, out.data, 4096);
    SSL_free(ssl);
    return out;
}

static struct fixture_bytes sealed_grant(void)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_SEALED);
    size_t head = sizeof(struct tf_msg_sealed) + strlen("hello");
    struct fixture_bytes out = {malloc(frame->size), frame->size - head};

    memcpy(out.data, frame->payload + head, out.size);
    return out;
}

/* Its first entry, in its bytes. */
static struct fixture_bytes envelope_of(struct fixture_bytes bundle)
{
    struct tf_reader r;
    struct tf_ustar_entry entry = {.size = 0};

    tf_reader_init(&r, bundle.data, bundle.size);
    if (tf_ustar_read(&r, &entry) != TF_OK) {
        abort();
    }
    return (struct fixture_bytes){bundle.data + TF_USTAR_BLOCK, entry.size};
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct rig_lambda hello = {.name = "hello",
                                     .version = 7,
                                     .code = "echo",
                                     .domains = {"hello.example", "hallo.example"}};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    (void)argc;
    (void)argv;
    rig = rig_open();
    rig_serve_hello(rig);
    material[BUNDLE] = rig_bundle(rig, &hello);
    material[WANTED] = material[BUNDLE];
    material[ENVELOPE] = envelope_of(material[BUNDLE]);
    material[GRANT] = sealed_grant();
    const struct tf_revocations list = {
        .serial = 1, .version_count = 1, .versions = {{.name = "hello", .below = 8}}};
    material[REVOCATIONS] = fixture_revocations(&rig->publisher, &list);
    material[HELLO_NAME] = client_hello(ctx, "hello.example");
    material[HELLO_MANAGEMENT] = client_hello(ctx, "hello.manage.tfaas.internal");
    SSL_CTX_free(ctx);
    rig_log_clear(rig);
    rig_forget();
    rig_thread_make(rig, THREAD);
    tf_native_cpu.is_repeatable = true;
    (void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    return 0;
}
