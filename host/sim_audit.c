/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_audit.c - for tests: a hostile host's registers at EENTER, and a look at every
 * register after EEXIT.
 */
#include <string.h>

#include "host/sim.h"

enum {
    FCW_AT = 0, /* in an XSAVE area (SDM vol. 1, 13.4) */
    FSW_AT = 2,
    FTW_AT = 4,
    MXCSR_AT = 24,
    X87_AT = 32,
    XMM_AT = 160,
    LEGACY_END = 416,
    XSTATE_BV_AT = 512,
    AVX_AT = 576,
    AVX_END = 832,
    MXCSR_KNOWN = 0xffff,
    MXCSR_CLEAN = 0x1fbf,
    FSW_PENDING = 0xb8ff /* every exception flag, a stack top, the busy bit */
};

/* ID, AC, NT, OF, DF, SF, ZF, AF, PF, CF: what POPF sets in user mode, without TF. */
static const uint64_t rflags_free = 0x244cd5;
static const uint64_t rflags_always = 0x202;

/* xorshift64*: tests must be repeatable. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static void fill(uint8_t *to, size_t size, uint64_t *state)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(next(state) >> 56);
    }
}

static void poison_extended(uint8_t extended[static TF_SIM_EXTENDED_SIZE],
                            uint64_t *state)
{
    /* The first states have what is known to have hurt: all exceptions unmasked, or
     * flush-to-zero with every flag set; later ones are random. */
    static const uint32_t mxcsrs[] = {0, 0xffbf, 0xffff, 0x8040};
    static const uint16_t fcws[] = {0, 0x0c7f, 0x1f40, 0xffff};
    unsigned which = tf_sim_tests.poison_state;
    const uint64_t components = 7;
    const uint16_t fsw = FSW_PENDING;
    uint32_t mxcsr = which < 4 ? mxcsrs[which] : (uint32_t)next(state) & MXCSR_KNOWN;
    uint16_t fcw = which < 4 ? fcws[which] : (uint16_t)next(state);

    memset(extended, 0, TF_SIM_EXTENDED_SIZE);
    memcpy(extended + FCW_AT, &fcw, sizeof(fcw));
    memcpy(extended + FSW_AT, &fsw, sizeof(fsw));
    extended[FTW_AT] = 0xff; /* the x87 stack is full: MMX in use */
    memcpy(extended + MXCSR_AT, &mxcsr, sizeof(mxcsr));
    fill(extended + X87_AT, LEGACY_END - X87_AT, state);
    fill(extended + AVX_AT, AVX_END - AVX_AT, state);
    memcpy(extended + XSTATE_BV_AT, &components, sizeof(components));
}

void tf_sim_poison(struct tf_sim_thread *thread,
                   uint8_t extended[static TF_SIM_EXTENDED_SIZE])
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (tf_sim_tests.poison_state + 1);
    uint64_t rdi = thread->in.rdi;
    uint64_t rsi = thread->in.rsi;

    fill((uint8_t *)&thread->in, sizeof(thread->in), &state);
    thread->in.rdi = rdi;
    thread->in.rsi = rsi;
    thread->in.rsp = tf_sim_tests.poison_rsp;
    thread->in.rflags = tf_sim_tests.poison_state == 0 ? rflags_free : next(&state);
    thread->in.rflags = (thread->in.rflags & rflags_free) | rflags_always;
    poison_extended(extended, &state);
    thread->extended_in = extended;
}

static void claim(bool is_so, const char *name)
{
    if (!is_so) {
        tf_sim_tests.violations++;
        tf_sim_tests.violation = name;
    }
}

void tf_sim_audit(const struct tf_sim_thread *thread,
                  const uint8_t extended[static TF_SIM_EXTENDED_SIZE])
{
    const struct tf_sim_registers *in = &thread->in;
    const struct tf_sim_registers *out = &thread->out;
    uint32_t mxcsr;

    memcpy(&mxcsr, extended + MXCSR_AT, sizeof(mxcsr));
    tf_sim_tests.audits++;
    /* RAX is EEXIT's own number and RCX what EEXIT writes. */
    claim(out->rbx == (uint64_t)(uintptr_t)tf_sim_landing, "rbx");
    claim(out->rsp == (in->rsp != 0 ? in->rsp : thread->host_rsp), "rsp");
    claim(out->rbp == in->rbp, "rbp");
    claim(out->r12 == in->r12 && out->r13 == in->r13, "r12, r13");
    claim(out->r14 == in->r14 && out->r15 == in->r15, "r14, r15");
    claim(out->rdx == 0, "rdx");
    claim(out->r8 == 0 && out->r9 == 0 && out->r10 == 0 && out->r11 == 0, "r8 to r11");
    claim((out->rflags & ~rflags_always) == 0, "rflags");
    claim(mxcsr == MXCSR_CLEAN, "mxcsr");
    claim(tf_sim_is_zero(extended + XMM_AT, LEGACY_END - XMM_AT), "xmm");
    /* Of everything else (x87, AVX, AVX-512) nothing may be in use; SSE may, for MXCSR.
     * PKRU (bit 9) belongs to the process. */
    claim((extended[XSTATE_BV_AT] & ~2) == 0, "extended state");
}
