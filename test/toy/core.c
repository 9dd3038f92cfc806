/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.c - a toy instead of the real core: answers every frame with itself, and commits
 * on request what a broken or hostile enclave would. Only for test/attack/.
 */
#include "enclave/core.h"

#include <stdalign.h>
#include <string.h>

#include "enclave/enclu.h"
#include "enclave/heap.h"
#include "enclave/layout.h"
#include "enclave/local.h"
#include "enclave/panic.h"
#include "enclave/ring.h"
#include "enclave/shared.h"
#include "lib/crypto.h"
#include "test/toy/toy.h"

enum { FRESH_WORDS = 1 << 16 };

extern char tf_image_base[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));

/* Relocated at the first entry: proves that the table below is right. */
static const char *const greetings[] = {"hello", "third", "there"};
static struct tf_lock lock;
static uint64_t visits; /* of all threads, under the lock */

struct tf_thread { /* in the thread's heap, found through page->state */
    struct tf_ring_reader in;
    struct tf_ring_writer out;
};

/* snapshot.S, or blind.c. */
extern struct tf_toy_state toy_snapshot;

/* enclave/gate.S. */
uint64_t tf_enclu(uint64_t leaf, uint64_t rbx, uint64_t rcx, uint64_t rdx);

alignas(8) static uint8_t payloads[8][TF_FRAME_MAX];

void tf_wipe(void *memory, size_t size)
{
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Writes or reads one byte at an address that integers name. */
static void poke(uint64_t address)
{
    /* the point of the test */
    *(volatile uint8_t *)(uintptr_t)address = 0x90;
}

static uint8_t peek(uint64_t address)
{
    /* the point of the test */
    return *(volatile uint8_t *)(uintptr_t)address;
}

static void run_at(uint64_t address)
{
    __asm__ volatile("call *%0" : : "r"(address) : "memory");
}

/* Recursion that the compiler cannot turn into a loop; `above` never starts with 0. */
static unsigned dig(volatile uint8_t *above)
{
    volatile uint8_t here[512];

    here[0] = above[0];
    return here[0] == 0 ? 0 : dig(here) + here[0];
}

static void system_call(void)
{
    long number = 39; /* getpid */
    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
}

static void misbehave(const struct tf_thread_page *page, uint32_t type)
{
    uint64_t base = page->base;
    uint8_t byte = 1;

    switch (type) {
    case TOY_SYSCALL:
        system_call();
        break;
    case TOY_WRITE_CODE:
        poke((uint64_t)(uintptr_t)&tf_core_enter);
        break;
    case TOY_WRITE_CONSTANT:
        poke(base);
        break;
    case TOY_RUN_HEAP:
        poke(base + page->heap);
        run_at(base + page->heap);
        break;
    case TOY_RUN_STACK:
        run_at((uint64_t)(uintptr_t)&byte);
        break;
    case TOY_RUN_BASE:
        run_at(base);
        break;
    case TOY_READ_TCS: /* guard, TCS, SSA, page (abi/layout.h) */
        byte = peek(base + page->page - 2 * (uint64_t)TF_PAGE);
        break;
    case TOY_READ_HOLE:
        byte = peek(base + tf_layout.elrange - 1);
        break;
    case TOY_OVERFLOW:
        byte = (uint8_t)dig(&byte);
        break;
    case TOY_TRAP:
        tf_panic(TF_PANIC_ASSERT);
    case TOY_DIVIDE:
        __asm__ volatile("divl %1" : : "a"(1), "r"(0), "d"(0) : "cc");
        break;
    case TOY_RDTSC:
        (void)__builtin_ia32_rdtsc();
        break;
    case TOY_CPUID:
        __asm__ volatile("cpuid" : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
        break;
    case TOY_BREAK:
        __asm__ volatile("int3");
        break;
    default:
        break;
    }
}

static struct tf_toy_facts facts_now(uint64_t now)
{
    struct tf_toy_facts facts = {.now = now, .base = (uint64_t)(uintptr_t)tf_image_base};
    uint64_t flags;
    uint16_t fcw;
    uint32_t mxcsr;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    __asm__ volatile("fnstcw %0" : "=m"(fcw));
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    facts.flags = flags;
    facts.fcw = fcw;
    facts.mxcsr = mxcsr;
    facts.canary_is_set = tf_self()->canary != 0;
    const uint64_t *fresh = tf_heap_alloc(sizeof(uint64_t) * FRESH_WORDS);
    tf_lock_take(&lock);
    facts.visits = ++visits;
    const uint64_t *common = tf_shared_alloc(sizeof(uint64_t) * FRESH_WORDS);
    for (size_t i = 0; i < FRESH_WORDS; i++) {
        facts.dirt |= fresh[i] | common[i];
    }
    tf_shared_free((void *)(uintptr_t)common);
    tf_lock_give(&lock);
    tf_heap_free((void *)(uintptr_t)fresh);
    memcpy(facts.greeting, greetings[facts.visits % 3], sizeof("hello"));
    return facts;
}

/* ENCLU with operands that may be wrong; the answer is RAX and 16 bytes of what RCX of
 * EGETKEY points to. */
static struct tf_toy_key run_leaf(const struct tf_toy_leaf *given)
{
    alignas(512) static uint8_t input[1024];
    alignas(512) static uint8_t data[1024];
    alignas(512) static uint8_t output[1024];
    struct tf_toy_leaf at = *given;
    struct tf_toy_key key = {0};

    memcpy(input, given->input, sizeof(given->input));
    if (at.is_address == 0) {
        at.rbx += (uint64_t)(uintptr_t)input;
        at.rcx += (uint64_t)(uintptr_t)data;
        at.rdx += (uint64_t)(uintptr_t)output;
    }
    key.code = tf_enclu(at.leaf, at.rbx, at.rcx, at.rdx);
    memcpy(key.key, data, sizeof(key.key));
    return key;
}

/* Answers one frame. */
static tf_err answer(struct tf_thread *thread, const struct tf_thread_page *page,
                     const struct tf_frame *frame, const uint8_t *payload, uint64_t now)
{
    struct sgx_report report;
    struct sgx_key_request request;
    struct tf_toy_key key = {0};
    struct tf_toy_facts facts;

    switch (frame->type) {
    case TOY_FACTS:
        facts = facts_now(now);
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(&facts, sizeof(facts)), tf_part("", 0));
    case TOY_REPORT:
        tf_ereport((const void *)payload, payload + sizeof(struct sgx_target_info),
                   &report);
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(&report, sizeof(report)), tf_part("", 0));
    case TOY_KEY:
        memcpy(&request, payload, sizeof(request));
        key.code = tf_egetkey(&request, key.key);
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(&key, sizeof(key)), tf_part("", 0));
    case TOY_STATE:
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(&toy_snapshot, sizeof(toy_snapshot)), tf_part("", 0));
    case TOY_RUN_OUTSIDE: /* nothing but a simulator lets that happen */
        run_at(*(const uint64_t *)(const void *)payload);
        return TF_EINTERNAL;
    case TOY_LEAF:
        key = run_leaf((const void *)payload);
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(&key, sizeof(key)), tf_part("", 0));
    default:
        misbehave(page, frame->type);
        return tf_ring_put(&thread->out, frame->type, frame->id,
                           tf_part(payload, frame->size), tf_part("", 0));
    }
}

static struct tf_thread *thread_of(struct tf_thread_page *page, tf_hostptr channel)
{
    struct tf_thread *thread = page->state == 0 ? NULL : tf_own(page, page->state);

    if (thread == NULL) {
        thread = tf_heap_alloc(sizeof(*thread));
        memset(thread, 0, sizeof(*thread));
        thread->in.ring = tf_host_at(channel, offsetof(struct tf_channel, in));
        thread->out.ring = tf_host_at(channel, offsetof(struct tf_channel, out));
        page->state = (uint64_t)(uintptr_t)thread - page->base;
    }
    return thread;
}

struct tf_core_exit tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                  uint64_t now)
{
    struct tf_thread *thread = thread_of(page, channel);
    uint8_t *payload = payloads[page->index];
    struct tf_frame frame;
    tf_err err;

    while ((err = tf_ring_take(&thread->in, &frame, payload)) == TF_OK) {
        err = answer(thread, page, &frame, payload, now);
        if (err != TF_OK) {
            break;
        }
    }
    if (err == TF_AGAIN) {
        err = tf_ring_reader_commit(&thread->in);
    }
    if (err == TF_OK) {
        err = tf_ring_writer_commit(&thread->out);
    }
    return (struct tf_core_exit){err == TF_OK ? TF_EXIT_IDLE : TF_EXIT_DEAD, err};
}
