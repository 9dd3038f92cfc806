/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_thread.c - thread control structures and EENTER (SDM vol. 3D, TCS and EENTER).
 */
#include "host/sim.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "host/sim_offsets.h"

enum { CANONICAL_BITS = 47, TRAP_FLAG = 0x100 };

static const uint64_t rflags_clean = 0x202; /* IF, and the bit that is always 1 */

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
static_assert(offsetof(struct tf_sim, secs.size) == S_SIZE, "sim_gate.S");
static_assert(offsetof(struct tf_sim, secs.base) == S_BASE, "sim_gate.S");
static_assert(offsetof(struct tf_sim, epcm) == S_EPCM, "sim_gate.S");
static_assert(offsetof(struct tf_sim, machine.cpu.has_sgx2) == S_SGX2, "sim_gate.S");
enum { RW = SGX_SECINFO_R | SGX_SECINFO_W };
static_assert((SGX_SECINFO_REG | RW | RW << TF_SIM_MAPPED) == PAGE_ACCEPTED,
              "sim_gate.S");
static_assert(SGX_SECINFO_NEW == PAGE_PENDING, "sim_gate.S");
static_assert((SGX_SECINFO_REG | RW | SGX_SECINFO_PENDING) == PAGE_PENDING, "SDM");

int tf_sim_thread_add(struct tf_sim *sim, uint64_t offset, const struct sgx_tcs *content)
{
    if (sim->thread_count == TF_THREADS_MAX) {
        return -ENOMEM;
    }
    struct tf_sim_thread *thread = &tf_sim_threads[sim->thread_count];
    uint64_t base = sim->secs.base;
    uint64_t frame = (uint64_t)sim->secs.ssa_frame_size * TF_PAGE;
    memset(thread, 0, sizeof(*thread));
    thread->content = *content;
    thread->tcs = base + offset;
    thread->oentry = base + content->oentry;
    thread->fs_base = base + content->ofsbase;
    thread->gs_base = base + content->ogsbase;
    /* checked at each EENTER, before use */
    thread->ursp = (uint64_t *)(uintptr_t)(base + content->ossa + frame -
                                           sizeof(struct tf_sim_gprsgx) +
                                           offsetof(struct tf_sim_gprsgx, ursp));
    sim->thread_count++;
    return 0;
}

static struct tf_sim_thread *find(const struct tf_sim *sim, uint64_t address)
{
    for (unsigned i = 0; i < sim->thread_count; i++) {
        if (tf_sim_threads[i].tcs == address) {
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

static bool is_canonical(uint64_t address)
{
    return address >> CANONICAL_BITS == 0 ||
           address >> CANONICAL_BITS == (UINT64_C(1) << (64 - CANONICAL_BITS)) - 1;
}

/* What raises #GP. TCS.FLAGS: DBGOPTIN; AEXNOTIFY would need its attribute. */
static bool is_tcs_good(const struct tf_sim *sim, const struct tf_sim_thread *thread)
{
    const struct sgx_tcs *tcs = &thread->content;

    return sim->stage == TF_SIM_INITIALISED && (tcs->flags & ~UINT64_C(1)) == 0 &&
           is_canonical(thread->oentry) && is_canonical(thread->fs_base) &&
           is_canonical(thread->gs_base) && tcs->ossa % TF_PAGE == 0 &&
           tcs->ofsbase % TF_PAGE == 0 && tcs->ogsbase % TF_PAGE == 0 &&
           tcs->cssa < tcs->nssa && (sim->secs.attributes.xfrm & ~xcr0()) == 0 &&
           __atomic_load_n(&thread->is_busy, __ATOMIC_ACQUIRE) == 0;
}

unsigned tf_sim_thread_check(const struct tf_sim *sim, uint64_t address)
{
    uint64_t frame = (uint64_t)sim->secs.ssa_frame_size * TF_PAGE;
    const uint64_t mapped = (SGX_SECINFO_R | SGX_SECINFO_W) << TF_SIM_MAPPED;
    const uint64_t access = SGX_SECINFO_R | SGX_SECINFO_W | mapped;
    const uint64_t fetch = SGX_SECINFO_X | SGX_SECINFO_X << TF_SIM_MAPPED;

    if (address % TF_PAGE != 0) {
        return TF_SIM_GP;
    }
    const struct tf_sim_thread *thread = find(sim, address);
    if (thread == NULL ||
        (sim->epcm[(address - sim->secs.base) / TF_PAGE] & mapped) != mapped) {
        return TF_SIM_PF; /* no page, not a TCS, or nobody mapped it */
    }
    if (!is_tcs_good(sim, thread)) {
        return TF_SIM_GP;
    }
    uint64_t ssa = sim->secs.base + thread->content.ossa + thread->content.cssa * frame;
    if (!tf_sim_has_access(sim, ssa, frame, access)) {
        return TF_SIM_PF;
    }
    /* Not EENTER itself, but the fetch that follows it. */
    return tf_sim_has_access(sim, thread->oentry, 1, fetch) ? 0 : TF_SIM_PF;
}

/* What the published costs of a transition amount to (10,000 cycles is their order). */
static void burn(uint64_t cycles)
{
    uint64_t start = __builtin_ia32_rdtsc();

    while (__builtin_ia32_rdtsc() - start < cycles) {
        __builtin_ia32_pause();
    }
}

static void enter_for_test(struct tf_sim_thread *thread)
{
    static uint8_t areas[2][TF_SIM_EXTENDED_SIZE] __attribute__((aligned(64)));

    if (tf_sim_tests.poison_entry) {
        tf_sim_poison(thread, areas[0]);
    }
    if (tf_sim_tests.single_step) {
        thread->in.rflags |= TRAP_FLAG;
    }
    if (tf_sim_tests.audit_exit) {
        memset(areas[1], 0, sizeof(areas[1]));
        thread->extended_out = areas[1];
    }
    tf_sim_eenter(thread);
    thread->in.rflags &= ~(uint64_t)TRAP_FLAG;
    if (tf_sim_tests.audit_exit && thread->fault == 0) {
        tf_sim_audit(thread, areas[1]);
    }
    thread->extended_in = NULL;
    thread->extended_out = NULL;
}

/* RDTSC inside is #UD before SGX2; here it is SIGSEGV. */
static void allow_rdtsc(const struct tf_sim *sim, bool is_allowed)
{
    if (!sim->machine.cpu.has_sgx2) {
        (void)prctl(PR_SET_TSC, is_allowed ? PR_TSC_ENABLE : PR_TSC_SIGSEGV, 0, 0, 0);
    }
}

static bool is_test(void)
{
    return tf_sim_tests.poison_entry || tf_sim_tests.audit_exit ||
           tf_sim_tests.single_step;
}

int tf_sim_thread_enter(struct tf_sim *sim, uint64_t offset, uint64_t *rdi, uint64_t *rsi)
{
    unsigned vector = tf_sim_thread_check(sim, sim->secs.base + offset);
    struct tf_sim_thread *thread = find(sim, sim->secs.base + offset);

    /* The check looked at the TCS's state; this takes it. */
    if (vector == 0 && __atomic_exchange_n(&thread->is_busy, 1, __ATOMIC_ACQUIRE) != 0) {
        vector = TF_SIM_GP;
    }
    if (vector != 0) {
        tf_sim_tests.vector = vector;
        return -EFAULT;
    }
    burn(sim->transition_cycles);
    memset(&thread->in, 0, sizeof(thread->in));
    thread->fault = 0;
    thread->in.rdi = *rdi;
    thread->in.rsi = *rsi;
    thread->in.rflags = rflags_clean;
    tf_sim_current = thread;
    allow_rdtsc(sim, false);
    if (is_test()) {
        enter_for_test(thread);
    } else {
        tf_sim_eenter(thread);
    }
    allow_rdtsc(sim, true);
    if (thread->fault != 0) { /* CSSA is 1 now, so this TCS is used up */
        tf_sim_tests.vector = thread->fault - 1;
        return -EFAULT;
    }
    *rdi = thread->out.rdi;
    *rsi = thread->out.rsi;
    __atomic_store_n(&thread->is_busy, 0, __ATOMIC_RELEASE);
    return 0;
}
