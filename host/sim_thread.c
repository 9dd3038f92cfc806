/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_thread.c - thread control structures and EENTER (SDM vol. 3D, TCS and EENTER).
 */
#include "host/sim.h"

#include <errno.h>
#include <string.h>

#include "host/sim_offsets.h"

enum {
    XSTATE_SIZE = 16 << 10, /* more than any CPU's XSAVE area without AMX */
    XSTATE_BV = 512,        /* offset of the header in it */
    XSTATE_DATA = 160,      /* XMM0 */
    XSTATE_LEGACY_END = 416,
    XSTATE_AVX = 576, /* standard form: upper halves of YMM */
    XSTATE_AVX_END = 832,
    MXCSR_AT = 24,
    GPRSGX_SIZE = 184,
    GPRSGX_URSP = 144
};

static const uint64_t rflags_clean = 0x202;     /* IF, and the bit that is always 1 */
static const uint64_t rflags_hostile = 0x40ed7; /* AC, OF, DF, IF, SF, ZF, AF, PF, CF */
static const uint64_t rflags_ours = 0x202;      /* what may be set after EEXIT */

struct tf_sim_tests tf_sim_tests;
struct tf_sim_thread tf_sim_threads[TF_THREADS_MAX + 1];
_Thread_local struct tf_sim_thread *tf_sim_current;

#define AT(member, value)                                                                \
    static_assert(offsetof(struct tf_sim_thread, member) == (value), "sim_gate.S")
AT(host_fs, T_HOST_FS);
AT(host_gs, T_HOST_GS);
AT(host_rsp, T_HOST_RSP);
AT(host_mxcsr, T_MXCSR);
AT(host_fcw, T_FCW);
AT(fs_base, T_FS_BASE);
AT(gs_base, T_GS_BASE);
AT(oentry, T_OENTRY);
AT(tcs, T_TCS);
AT(ursp, T_URSP);
AT(is_inside, T_INSIDE);
AT(extended_in, T_XIN);
AT(extended_out, T_XOUT);
AT(in, T_IN);
AT(out, T_OUT);
AT(in.r15, T_IN + R_R15);
AT(out.rflags, T_OUT + R_FLAGS);
static_assert(sizeof(struct tf_sim_thread) == T_STRIDE, "sim_gate.S");

int tf_sim_thread_add(struct tf_sim *sim, uint64_t offset, const struct sgx_tcs *content)
{
    static const uint8_t zeros[sizeof(content->reserved)];

    if (sim->thread_count == TF_THREADS_MAX) {
        return -ENOSPC;
    }
    if (memcmp(content->reserved, zeros, sizeof(zeros)) != 0 || content->flags != 0) {
        return -EINVAL;
    }
    struct tf_sim_thread *thread = &tf_sim_threads[sim->thread_count];
    uint64_t base = (uint64_t)(uintptr_t)sim->base;
    memset(thread, 0, sizeof(*thread));
    thread->content = *content;
    thread->tcs = base + offset;
    thread->oentry = base + content->oentry;
    thread->fs_base = base + content->ofsbase;
    thread->gs_base = base + content->ogsbase;
    thread->ursp = (uint64_t *)(void *)(sim->base + content->ossa + TF_PAGE -
                                        GPRSGX_SIZE + GPRSGX_URSP);
    sim->thread_count++;
    return 0;
}

static struct tf_sim_thread *find(const struct tf_sim *sim, uint64_t offset)
{
    for (unsigned i = 0; i < sim->thread_count; i++) {
        if (tf_sim_threads[i].tcs == (uint64_t)(uintptr_t)sim->base + offset) {
            return &tf_sim_threads[i];
        }
    }
    return NULL;
}

static uint64_t xcr0(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* What EENTER checks of a TCS; the CPU raises #GP or #PF otherwise. */
static bool can_enter(const struct tf_sim *sim, const struct tf_sim_thread *thread)
{
    const struct sgx_tcs *tcs = &thread->content;
    uint64_t base = (uint64_t)(uintptr_t)sim->base;

    return sim->stage == TF_SIM_INITIALISED && tcs->ossa % TF_PAGE == 0 &&
           tcs->ofsbase % TF_PAGE == 0 && tcs->ogsbase % TF_PAGE == 0 &&
           tcs->cssa < tcs->nssa && (sim->secs.attributes.xfrm & ~xcr0()) == 0 &&
           tf_sim_has_access(sim, base + tcs->ossa, TF_PAGE,
                             SGX_SECINFO_R | SGX_SECINFO_W) &&
           tf_sim_has_access(sim, thread->oentry, 1, SGX_SECINFO_X);
}

/* What the published costs of a transition amount to (10,000 cycles is their order). */
static void burn(uint64_t cycles)
{
    uint64_t start = __builtin_ia32_rdtsc();

    while (__builtin_ia32_rdtsc() - start < cycles) {
        __builtin_ia32_pause();
    }
}

/* A hostile host's registers: nothing that an enclave could work with. */
static void poison(struct tf_sim_thread *thread, uint8_t extended[static XSTATE_SIZE])
{
    uint64_t rdi = thread->in.rdi;
    uint64_t rsi = thread->in.rsi;
    uint64_t components = 7;

    memset(&thread->in, 0xa5, sizeof(thread->in));
    thread->in.rdi = rdi;
    thread->in.rsi = rsi;
    thread->in.rsp = tf_sim_tests.poison_rsp;
    thread->in.rflags = rflags_hostile;
    memset(extended, 0, XSTATE_SIZE); /* FCW and MXCSR 0: every exception unmasked */
    memset(extended + XSTATE_DATA, 0xa5, XSTATE_LEGACY_END - XSTATE_DATA);
    memset(extended + XSTATE_AVX, 0xa5, XSTATE_AVX_END - XSTATE_AVX);
    memcpy(extended + XSTATE_BV, &components, sizeof(components));
    thread->extended_in = extended;
}

static void claim(bool is_so, const char *name)
{
    if (!is_so) {
        tf_sim_tests.violations++;
        tf_sim_tests.violation = name;
    }
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* After EEXIT: everything is the host's own value or zero, but RDI and RSI. */
static void audit(const struct tf_sim_thread *thread, const uint8_t *extended)
{
    const struct tf_sim_registers *in = &thread->in;
    const struct tf_sim_registers *out = &thread->out;
    uint32_t mxcsr;

    memcpy(&mxcsr, extended + MXCSR_AT, sizeof(mxcsr));
    tf_sim_tests.audits++;
    claim(out->rbx == (uint64_t)(uintptr_t)tf_sim_landing, "rbx");
    claim(out->rsp == (in->rsp != 0 ? in->rsp : thread->host_rsp), "rsp");
    claim(out->rbp == in->rbp, "rbp");
    claim(out->r12 == in->r12 && out->r13 == in->r13, "r12, r13");
    claim(out->r14 == in->r14 && out->r15 == in->r15, "r14, r15");
    claim(out->rdx == 0, "rdx");
    claim(out->r8 == 0 && out->r9 == 0 && out->r10 == 0 && out->r11 == 0, "r8 to r11");
    claim((out->rflags & ~rflags_ours) == 0, "rflags");
    claim(mxcsr == 0x1fbf, "mxcsr");
    claim(is_zero(extended + XSTATE_DATA, XSTATE_LEGACY_END - XSTATE_DATA), "xmm");
    /* Of everything else (AVX, AVX-512) nothing may be in use; SSE may, for MXCSR. PKRU
     * (bit 9) belongs to the process. */
    claim((extended[XSTATE_BV] & ~2) == 0, "extended state");
}

static void enter_for_test(struct tf_sim_thread *thread)
{
    static uint8_t areas[2][XSTATE_SIZE] __attribute__((aligned(64)));

    if (tf_sim_tests.poison_entry) {
        poison(thread, areas[0]);
    }
    if (tf_sim_tests.audit_exit) {
        memset(areas[1], 0, sizeof(areas[1]));
        thread->extended_out = areas[1];
    }
    tf_sim_eenter(thread);
    if (tf_sim_tests.audit_exit) {
        audit(thread, areas[1]);
    }
    thread->extended_in = NULL;
    thread->extended_out = NULL;
}

int tf_sim_thread_enter(struct tf_sim *sim, uint64_t offset, uint64_t *rdi, uint64_t *rsi)
{
    struct tf_sim_thread *thread = find(sim, offset);

    if (thread == NULL || !can_enter(sim, thread)) {
        return -EFAULT;
    }
    if (__atomic_exchange_n(&thread->is_busy, 1, __ATOMIC_ACQUIRE) != 0) {
        return -EFAULT;
    }
    burn(sim->transition_cycles);
    memset(&thread->in, 0, sizeof(thread->in));
    thread->in.rdi = *rdi;
    thread->in.rsi = *rsi;
    thread->in.rflags = rflags_clean;
    tf_sim_current = thread;
    if (tf_sim_tests.poison_entry || tf_sim_tests.audit_exit) {
        enter_for_test(thread);
    } else {
        tf_sim_eenter(thread);
    }
    *rdi = thread->out.rdi;
    *rsi = thread->out.rsi;
    __atomic_store_n(&thread->is_busy, 0, __ATOMIC_RELEASE);
    return 0;
}
