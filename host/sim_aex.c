/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_aex.c - asynchronous exits (SDM vol. 3D, "Enclave Exiting Events", ERESUME). The
 * interrupted state is a signal's ucontext; it goes into the SSA frame as the CPU writes
 * it, and comes back from nowhere else.
 */
#include <string.h>
#include <ucontext.h>

#include "host/sim.h"

enum {
    LEGACY_END = 416, /* of an XSAVE area; beyond: what the kernel keeps for itself */
    XSTATE_BV_AT = 512,
    EXTENDED_AT = 576,
    FCW_AT = 0,
    FCW_INITIAL = 0x37f,
    MXCSR_AT = 24,
    MXCSR_INITIAL = 0x1f80,
    MISC_SIZE = 16,
    TRAP_FLAG = 0x100,
    FLAGS_CLEARED = 0x108d5, /* CF PF AF ZF SF OF RF, by AEX */
    EXIT_HARDWARE = 3 << 8,
    EXIT_SOFTWARE = 6 << 8,
    VECTOR_BP = 3
};

static const uint32_t exit_valid = UINT32_C(1) << 31;
/* Vectors that EXITINFO always reports: DE DB BP BR UD MF AC XM. */
static const uint32_t vectors_always =
    1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 16 | 1 << 17 | 1 << 19;
static const uint32_t vectors_exinfo = 1 << TF_SIM_GP | 1 << TF_SIM_PF;

uint32_t tf_sim_exitinfo(uint64_t vector, uint32_t miscselect)
{
    uint32_t known = vectors_always | ((miscselect & 1) != 0 ? vectors_exinfo : 0);

    if (vector >= 32 || (known >> vector & 1) == 0) {
        return 0;
    }
    return exit_valid | (vector == VECTOR_BP ? EXIT_SOFTWARE : EXIT_HARDWARE) |
           (uint32_t)vector;
}

/* The frame that CSSA selects. */
static uint8_t *frame_of(const struct tf_sim_thread *thread, uint32_t cssa)
{
    const struct tf_sim *sim = tf_sim_active;
    uint64_t size = (uint64_t)sim->secs.ssa_frame_size * TF_PAGE;

    return sim->base + thread->content.ossa + cssa * size;
}

static struct tf_sim_gprsgx *registers_of(uint8_t *frame)
{
    uint64_t size = (uint64_t)tf_sim_active->secs.ssa_frame_size * TF_PAGE;

    return (struct tf_sim_gprsgx *)(void *)(frame + size - sizeof(struct tf_sim_gprsgx));
}

/* A ucontext's register, and where GPRSGX keeps it. */
static const struct {
    int from;
    size_t to;
} words[] = {{REG_RAX, 0},   {REG_RCX, 8},   {REG_RDX, 16},  {REG_RBX, 24},
             {REG_RSP, 32},  {REG_RBP, 40},  {REG_RSI, 48},  {REG_RDI, 56},
             {REG_R8, 64},   {REG_R9, 72},   {REG_R10, 80},  {REG_R11, 88},
             {REG_R12, 96},  {REG_R13, 104}, {REG_R14, 112}, {REG_R15, 120},
             {REG_EFL, 128}, {REG_RIP, 136}};
enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

/* XSAVE with XFRM, out of the kernel's XSAVE area of the signal's frame. */
static void save_extended(uint8_t *frame, const uint8_t *area)
{
    uint64_t xfrm = tf_sim_active->secs.attributes.xfrm;
    uint64_t used;

    memcpy(&used, area + XSTATE_BV_AT, sizeof(used));
    used &= xfrm;
    memset(frame, 0, EXTENDED_AT);
    memcpy(frame, area, LEGACY_END);
    memcpy(frame + XSTATE_BV_AT, &used, sizeof(used));
    memcpy(frame + EXTENDED_AT, area + EXTENDED_AT,
           tf_sim_xsave_size(xfrm) - EXTENDED_AT);
}

/* What the host finds: every component of XFRM as after reset. */
static void reset_extended(uint8_t *area)
{
    uint64_t xfrm = tf_sim_active->secs.attributes.xfrm;
    const uint16_t fcw = FCW_INITIAL;
    const uint32_t mxcsr = MXCSR_INITIAL;
    uint64_t used;

    memcpy(&used, area + XSTATE_BV_AT, sizeof(used));
    used &= ~xfrm;
    memset(area, 0, LEGACY_END);
    memcpy(area + FCW_AT, &fcw, sizeof(fcw));
    memcpy(area + MXCSR_AT, &mxcsr, sizeof(mxcsr));
    memcpy(area + XSTATE_BV_AT, &used, sizeof(used));
    memset(area + EXTENDED_AT, 0, tf_sim_xsave_size(xfrm) - EXTENDED_AT);
}

static void load_extended(uint8_t *area, const uint8_t *frame)
{
    uint64_t xfrm = tf_sim_active->secs.attributes.xfrm;
    uint64_t used;
    uint64_t saved;

    memcpy(&used, area + XSTATE_BV_AT, sizeof(used));
    memcpy(&saved, frame + XSTATE_BV_AT, sizeof(saved));
    used = (used & ~xfrm) | (saved & xfrm);
    memcpy(area, frame, LEGACY_END);
    memcpy(area + XSTATE_BV_AT, &used, sizeof(used));
    memcpy(area + EXTENDED_AT, frame + EXTENDED_AT,
           tf_sim_xsave_size(xfrm) - EXTENDED_AT);
}

/* EXINFO lies right below GPRSGX: MADDR, ERRCD. */
static void save_exinfo(struct tf_sim_gprsgx *saved, const greg_t *registers)
{
    uint64_t exinfo[2] = {(uint64_t)registers[REG_CR2], (uint32_t)registers[REG_ERR]};

    static_assert(sizeof(exinfo) == MISC_SIZE, "SDM vol. 3D, EXINFO");
    memcpy((uint8_t *)saved - MISC_SIZE, exinfo, sizeof(exinfo));
}

/* The synthetic state, at the AEP (SDM vol. 3D, table "GPR, x87 Synthetic States"). */
static void show_host(const struct tf_sim_thread *thread, greg_t *registers,
                      const struct tf_sim_gprsgx *saved)
{
    greg_t flags = registers[REG_EFL] & ~(greg_t)(FLAGS_CLEARED | TRAP_FLAG);

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        registers[words[i].from] = 0;
    }
    registers[REG_RAX] = SGX_ERESUME;
    registers[REG_RBX] = (greg_t)thread->tcs;
    registers[REG_RCX] = (greg_t)(uintptr_t)tf_sim_aep;
    registers[REG_RSP] = (greg_t)saved->ursp;
    registers[REG_RBP] = (greg_t)saved->urbp;
    registers[REG_EFL] = flags;
    registers[REG_RIP] = (greg_t)(uintptr_t)tf_sim_aep;
}

void tf_sim_aex(struct tf_sim_thread *thread, void *context, uint32_t exitinfo,
                const uint64_t bases[static 2])
{
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    uint8_t *frame = frame_of(thread, thread->content.cssa);
    struct tf_sim_gprsgx *saved = registers_of(frame);

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        uint64_t value = (uint64_t)machine->gregs[words[i].from];
        memcpy((uint8_t *)saved + words[i].to, &value, sizeof(value));
    }
    saved->rflags &= ~(uint64_t)TRAP_FLAG; /* EENTER cleared it: the stepping is ours */
    saved->exitinfo = exitinfo;
    memset(saved->reserved, 0, sizeof(saved->reserved));
    saved->fsbase = bases[0];
    saved->gsbase = bases[1];
    if ((exitinfo & exit_valid) != 0 && (tf_sim_active->secs.miscselect & 1) != 0) {
        save_exinfo(saved, machine->gregs);
    }
    uint64_t offset = saved->rip - tf_sim_active->secs.base;
    if (tf_sim_tests.seen != NULL && offset < TF_SIM_SEEN) {
        tf_sim_tests.seen[offset] = 1;
    }
    save_extended(frame, (uint8_t *)machine->fpregs);
    show_host(thread, machine->gregs, saved);
    reset_extended((uint8_t *)machine->fpregs);
    thread->content.cssa++;
    tf_sim_tests.exits++;
    __atomic_store_n(&thread->is_busy, 0, __ATOMIC_RELEASE);
}

bool tf_sim_eresume(struct tf_sim_thread *thread, void *context, uint64_t bases[static 2])
{
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;

    if (thread->content.cssa == 0 ||
        __atomic_exchange_n(&thread->is_busy, 1, __ATOMIC_ACQUIRE) != 0) {
        return false;
    }
    uint8_t *frame = frame_of(thread, thread->content.cssa - 1);
    const struct tf_sim_gprsgx *saved = registers_of(frame);
    for (unsigned i = 0; i < WORD_COUNT; i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)saved + words[i].to, sizeof(value));
        machine->gregs[words[i].from] = (greg_t)value;
    }
    bases[0] = saved->fsbase;
    bases[1] = saved->gsbase;
    load_extended((uint8_t *)machine->fpregs, frame);
    thread->content.cssa--;
    return true;
}
