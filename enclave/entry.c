/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.c - the first C of every entry: is the channel where it must be, is the enclave
 * still alive; then the core works.
 */
#include "enclave/entry.h"

#include "abi/channel.h"
#include "enclave/boundary.h"
#include "enclave/core.h"
#include "enclave/enclu.h"
#include "enclave/entry_offsets.h"
#include "enclave/local.h"

static_assert(offsetof(struct tf_thread_page, self) == PAGE_SELF, "gate.S");
static_assert(offsetof(struct tf_thread_page, host_rsp) == PAGE_HOST_RSP, "gate.S");
static_assert(offsetof(struct tf_thread_page, host_rbp) == PAGE_HOST_RBP, "gate.S");
static_assert(offsetof(struct tf_thread_page, host_rcx) == PAGE_HOST_RCX, "gate.S");
static_assert(offsetof(struct tf_thread_page, started) == PAGE_STARTED, "gate.S");
static_assert(offsetof(struct tf_thread_page, canary) == PAGE_CANARY, "gate.S");
static_assert(offsetof(struct tf_thread_page, host_r12) == PAGE_HOST_R12, "gate.S");
static_assert(offsetof(struct tf_thread_page, stack_top) == PAGE_STACK_TOP, "gate.S");
static_assert(offsetof(struct tf_thread_page, page) == PAGE_OWN_OFFSET, "gate.S");
static_assert(offsetof(struct tf_thread_page, base) == PAGE_BASE, "gate.S");
static_assert(TF_EXIT_DEAD == EXIT_DEAD, "gate.S");

static struct tf_entry_exit die(tf_err err)
{
    uint32_t reason = err != TF_OK ? (uint32_t)err : (uint32_t)TF_EINTERNAL;
    __atomic_store_n(&tf_dead, reason, __ATOMIC_SEQ_CST);
    return (struct tf_entry_exit){TF_EXIT_DEAD, reason};
}

static bool is_channel_good(struct tf_thread_page *page, uint64_t channel)
{
    if (page->channel != 0) {
        return page->channel == channel;
    }
    return channel != 0 &&
           tf_host_is_outside(tf_host_pointer(channel), sizeof(struct tf_channel));
}

struct tf_entry_exit tf_entry_work(uint64_t channel, uint64_t now)
{
    struct tf_thread_page *page = tf_self();
    struct tf_local *local = tf_local_self();

    if (!is_channel_good(page, channel)) {
        return die(TF_EHOST);
    }
    page->channel = channel;
    local->now = now;
    if (local->heap == NULL) {
        local->heap =
            tf_arena_init_fresh(tf_own(page, page->heap), page->heap_size, 0, tf_accept);
    }
    if (local->heap == NULL) {
        return die(TF_ENOMEM);
    }
    struct tf_core_exit done = tf_core_enter(page, tf_host_pointer(channel), now);
    if (done.exit == TF_EXIT_DEAD) {
        return die(done.err);
    }
    return (struct tf_entry_exit){done.exit, 0};
}
