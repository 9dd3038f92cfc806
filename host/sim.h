/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.h - inside the simulator: the parts of host/sim_*.c and host/enclave_sim.c see each
 * other through this header, and tests of the simulator see its test options.
 *
 * The simulator is a CPU with SGX as far as the image can tell: it measures and checks
 * what hardware would (SDM vol. 3D), and refuses what hardware
 * refuses. It keeps no secret from the machine's owner.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/limits.h"
#include "abi/sgx.h"
#include "lib/err.h"
#include "lib/measure.h"

/** General registers in the order of GPRSGX (SDM vol. 3D), then RFLAGS. */
struct tf_sim_registers {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
};

/** One TCS and the host's state while a thread is inside it. Known to sim_gate.S. */
struct tf_sim_thread {
    uint64_t host_fs; /* bases of the host thread that is inside */
    uint64_t host_gs;
    uint64_t host_rsp;
    uint32_t host_mxcsr;
    uint32_t host_fcw;
    uint64_t fs_base; /* of the enclave thread; the GS base finds this struct again */
    uint64_t gs_base; /* 0: no such TCS */
    uint64_t oentry;  /* address */
    uint64_t tcs;     /* address */
    uint64_t *ursp;   /* URSP and URBP in the SSA frame */
    uint64_t is_inside;
    const void *extended_in; /* XSAVE area loaded before entering, or NULL */
    void *extended_out;      /* XSAVE area filled after leaving, or NULL */
    struct tf_sim_registers in;
    struct tf_sim_registers out;
    struct sgx_tcs content; /* as added; the page itself is out of reach */
    uint32_t is_busy;
} __attribute__((aligned(128)));

/** What a machine has: fused keys, versions. */
struct tf_sim_machine {
    uint8_t root[32];          /* sim_dir/machine.key */
    uint8_t report_key_id[32]; /* fresh at every start, as CR_REPORT_KEYID */
    uint8_t cpu_svn[16];
    char *root_pem; /* sim_dir/root.pem: signs simulated evidence */
    size_t root_pem_size;
};

enum tf_sim_stage { TF_SIM_CREATED = 1, TF_SIM_INITIALISED };

struct tf_sim {
    enum tf_sim_stage stage;
    struct sgx_secs secs;
    struct tf_measure measure;
    struct tf_sim_machine machine;
    uint8_t *reserved; /* all that was mapped: a page for the gate, then ELRANGE */
    size_t reserved_size;
    uint8_t *base;
    uint16_t *epcm; /* per page: SECINFO.FLAGS of EADD, 0 for no page */
    size_t page_count;
    unsigned thread_count;
    bool is_strict;
    bool is_filtered; /* seccomp is on */
    uint64_t transition_cycles;
    pthread_mutex_t lock; /* around the driver's calls: one at a time, else -EBUSY */
};

/** One enclave a process: the signal handlers must find it. Slot TF_THREADS_MAX stays
 * zero. */
extern struct tf_sim *tf_sim_active;
extern struct tf_sim_thread tf_sim_threads[TF_THREADS_MAX + 1];
extern _Thread_local struct tf_sim_thread
    *tf_sim_current; /* inside which this thread is */

/** Whether [address, address + size) lies in ELRANGE in REG pages that have all of
 * `access` (SGX_SECINFO_R, _W, _X). */
bool tf_sim_has_access(const struct tf_sim *sim, uint64_t address, uint64_t size,
                       uint64_t access);

/* --- sim_thread.c: EENTER -------------------------------------------------------------
 */

/** Notes a TCS at EADD. @return 0, -EINVAL, -ENOSPC. */
int tf_sim_thread_add(struct tf_sim *sim, uint64_t offset, const struct sgx_tcs *content);
/** EENTER; comes back after EEXIT. @return 0, -EFAULT where the CPU raises #GP or #PF. */
int tf_sim_thread_enter(struct tf_sim *sim, uint64_t offset, uint64_t *rdi,
                        uint64_t *rsi);

/* --- sim_gate.S -----------------------------------------------------------------------
 */

/** Loads thread->in, enters, fills thread->out. */
void tf_sim_eenter(struct tf_sim_thread *thread);
/** Where patched ENCLU sites arrive, and the leaf in it that traps. */
void tf_sim_gate(void);
extern const uint8_t tf_sim_gate_leaf[];
/** Where EEXIT arrives. */
extern const uint8_t tf_sim_landing[];

/* --- sim_trap.c -----------------------------------------------------------------------
 */

/** Signal stack, mask and handlers for the calling thread; seccomp once. @return 0,
 * -errno. */
int tf_sim_trap_thread_init(struct tf_sim *sim);

/* --- sim_patch.c ----------------------------------------------------------------------
 */

/** Fast mode: replaces the ENCLU sites in executable pages by calls to the gate.
 *  @return 0, -errno. */
int tf_sim_patch(struct tf_sim *sim);

/* --- sim_machine.c --------------------------------------------------------------------
 */

/** Reads the machine's keys, makes them when missing. @return 0, -errno. */
int tf_sim_machine_open(struct tf_sim_machine *machine, const char *directory);
void tf_sim_machine_wipe(struct tf_sim_machine *machine);

/* --- sim_leaf.c: EREPORT and EGETKEY --------------------------------------------------
 */

/** Executes a leaf with these registers. @return false where the CPU raises #GP. */
bool tf_sim_leaf(const struct tf_sim *sim, struct tf_sim_registers *registers);
/** The MAC of a report for `target` (SDM vol. 3D, EREPORT). */
void tf_sim_report_mac(const struct tf_sim_machine *machine,
                       const struct sgx_target_info *target,
                       const struct sgx_report *report, uint8_t mac[static 16]);
/** EGETKEY's derivation. @return SGX_SUCCESS or the CPU's code. */
uint32_t tf_sim_key(const struct tf_sim_machine *machine, const struct sgx_secs *secs,
                    const struct sgx_key_request *request, uint8_t key[static 16]);

/* --- sim_quote.c ----------------------------------------------------------------------
 */

/** The simulated quoting enclave. */
void tf_sim_target_info(struct sgx_target_info *out);
/** Checks the REPORT's MAC, signs. @return TF_OK, TF_EEVIDENCE_FORMAT, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_sim_quote(const struct tf_sim_machine *machine,
                                const struct sgx_report *report, char *out, size_t *size);

/* --- for tests ------------------------------------------------------------------------
 */

/** Makes the simulator a hostile host and an auditor. All zero: off. */
struct tf_sim_tests {
    bool fill_unmeasured; /* the first MiB of each unmeasured run gets garbage at EADD */
    bool poison_entry;   /* registers, flags, MXCSR, FCW, vectors are garbage at EENTER */
    uint64_t poison_rsp; /* RSP at EENTER; 0: the host's own. Strict mode only */
    bool audit_exit;     /* look at every register after EEXIT */
    unsigned audits;     /* how often it looked */
    unsigned violations; /* registers that were neither clean nor the host's */
    const char *violation; /* name of the last */
};
extern struct tf_sim_tests tf_sim_tests;
