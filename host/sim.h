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
#include "abi/sgx_load.h"
#include "lib/err.h"
#include "lib/measure.h"

/** General registers in the order of GPRSGX (SDM vol. 3D), then RFLAGS. */
struct tf_sim_registers {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
};

/** The last bytes of an SSA frame (SDM vol. 3D, GPRSGX region). */
struct tf_sim_gprsgx {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags, rip, ursp, urbp;
    uint32_t exitinfo; /* vector, type << 8, valid << 31 */
    uint8_t reserved[3];
    uint8_t aexnotify;
    uint64_t fsbase, gsbase;
};
static_assert(sizeof(struct tf_sim_gprsgx) == 184, "SDM vol. 3D, GPRSGX");
static_assert(offsetof(struct tf_sim_gprsgx, exitinfo) == 160, "SDM vol. 3D, GPRSGX");

/** What CPUID.12H says. */
struct tf_sim_cpu {
    const char *name;
    uint64_t flags; /* ATTRIBUTES that may be set, without INIT */
    uint64_t xfrm;
    uint32_t misc;
    unsigned size_bits; /* SECS.SIZE stays below 2 to this */
    bool has_sgx2;      /* EACCEPT, and RDTSC inside: else #UD */
};

/** One TCS and the host's state while a thread is inside it. Known to sim_gate.S. */
struct tf_sim_thread {
    /* Constant, in a cache line of its own: other threads, too, look for theirs here. */
    uint64_t fs_base; /* of the enclave thread; the GS base finds this struct again */
    uint64_t gs_base; /* 0: no such TCS */
    uint64_t oentry;  /* address */
    uint64_t tcs;     /* address */
    uint64_t *ursp;   /* URSP and URBP in the SSA frame */
    const void *extended_in; /* XSAVE area loaded before entering, or NULL */
    void *extended_out;      /* XSAVE area filled after leaving, or NULL */
    uint64_t spare;

    uint64_t host_fs; /* bases of the host thread that is inside */
    uint64_t host_gs;
    uint64_t host_rsp;
    uint32_t host_mxcsr;
    uint32_t host_fcw;
    uint64_t is_inside;
    struct tf_sim_registers in;
    struct tf_sim_registers out;
    struct sgx_tcs content; /* as added; the page itself is out of reach */
    uint32_t is_busy;
    uint32_t fault; /* vector + 1, if the last entry ended with an exception */
} __attribute__((aligned(128)));

/** What a machine has: fused keys, versions. */
struct tf_sim_machine {
    uint8_t root[32];          /* sim_dir/machine.key */
    uint8_t report_key_id[32]; /* fresh at every start, as CR_REPORT_KEYID */
    uint8_t cpu_svn[16];
    struct tf_sim_cpu cpu;
    uint8_t signer[32]; /* Ed25519, of sim_dir/root.pem: signs simulated evidence */
};

/** An mmap of the driver's: what EAUG asks where no page is. */
struct tf_sim_map {
    uint64_t offset;
    uint64_t size;
    unsigned access; /* SGX_SECINFO_R, _W, _X */
};

enum { TF_SIM_MAPS_MAX = 256 };

enum tf_sim_stage { TF_SIM_OPENED, TF_SIM_CREATED, TF_SIM_INITIALISED };

struct tf_sim {
    enum tf_sim_stage stage;
    struct sgx_secs secs;
    uint8_t isv_family_id[16]; /* with KSS; in the SECS, where no software sees them */
    uint8_t isv_ext_prod_id[16];
    struct tf_measure measure;
    struct tf_sim_machine machine;
    uint8_t *reserved; /* all that was mapped: a page for the gate, then ELRANGE */
    size_t reserved_size;
    uint8_t *base;
    uint16_t *epcm; /* per page: TF_SIM_PAGE, SECINFO.FLAGS of EADD or of EACCEPT, 0 for
                       no page; how a page is mapped */
    size_t page_count;
    struct tf_sim_map maps[TF_SIM_MAPS_MAX]; /* the later counts */
    unsigned map_count;
    unsigned thread_count;
    bool is_strict;
    bool is_filtered; /* seccomp is on */
    uint64_t transition_cycles;
    pthread_mutex_t lock;  /* around the driver's calls: one at a time, else -EBUSY */
    uint64_t source_start; /* mapping that the last page came from */
    uint64_t source_end;
};

/** One enclave a process: the signal handlers must find it. Slot TF_THREADS_MAX stays
 * zero. */
extern struct tf_sim *tf_sim_active;
extern struct tf_sim_thread tf_sim_threads[TF_THREADS_MAX + 1];
extern _Thread_local struct tf_sim_thread
    *tf_sim_current; /* inside which this thread is */

/* Shift, in epcm, of the access (SGX_SECINFO_R, _W, _X) that mmap gave to a page. */
enum { TF_SIM_MAPPED = 12, TF_SIM_PAGE = (1 << TF_SIM_MAPPED) - 1 };

/** Whether [address, address + size) lies in ELRANGE in REG pages that have all of
 * `access` (SGX_SECINFO_R, _W, _X; the same << TF_SIM_MAPPED: by their mapping). */
bool tf_sim_has_access(const struct tf_sim *sim, uint64_t address, uint64_t size,
                       uint64_t access);

/* --- sim_illegal.c --------------------------------------------------------------------
 */

enum { TF_SIM_INSTRUCTION = 15 }; /* bytes, at most */

/** Whether the instruction raises #UD in this enclave, on this machine.
 *  @param code  its bytes; zeros after those that can be fetched. */
bool tf_sim_is_illegal(const struct tf_sim *sim,
                       const uint8_t code[static TF_SIM_INSTRUCTION]);

/* --- sim_cpu.c ------------------------------------------------------------------------
 */

/** NULL: the machine that we simulate by default. @return NULL if there is no such. */
const struct tf_sim_cpu *tf_sim_cpu_find(const char *name);
/** ECREATE's checks. @return false where the CPU raises #GP. */
bool tf_sim_cpu_ecreate(const struct tf_sim_cpu *cpu, const struct sgx_secs *secs);
/** EADD of a TCS: sets what the CPU sets. @return false where it raises #GP. */
bool tf_sim_cpu_eadd_tcs(struct sgx_tcs *tcs);
/** Bytes of an XSAVE area with these components, standard form. */
uint64_t tf_sim_xsave_size(uint64_t xfrm);
bool tf_sim_is_zero(const void *bytes, size_t size);

/* --- sim_thread.c: EENTER -------------------------------------------------------------
 */

enum { TF_SIM_UD = 6, TF_SIM_GP = 13, TF_SIM_PF = 14 }; /* vectors */

/** Notes a TCS at EADD. @return 0, -ENOMEM (we have TF_THREADS_MAX). */
int tf_sim_thread_add(struct tf_sim *sim, uint64_t offset, const struct sgx_tcs *content);
/** EENTER's checks of the TCS at `address` (RBX). @return 0, or the vector it raises. */
unsigned tf_sim_thread_check(const struct tf_sim *sim, uint64_t address);
/** EENTER; comes back after EEXIT. @return 0; -EFAULT where EENTER, or the enclave with
 * tf_sim_tests.return_faults, ends with an exception (tf_sim_tests.vector). */
int tf_sim_thread_enter(struct tf_sim *sim, uint64_t offset, uint64_t *rdi,
                        uint64_t *rsi);

/* --- sim_aex.c: asynchronous exits ----------------------------------------------------
 */

/** AEX: what runs goes into the SSA frame, `context` becomes what the host sees, at the
 *  AEP. @param exitinfo  0 for an interrupt. @param bases  FS and GS inside. */
void tf_sim_aex(struct tf_sim_thread *thread, void *context, uint32_t exitinfo,
                const uint64_t bases[static 2]);
/** ERESUME: the other way round. @return false where the CPU raises #GP. */
bool tf_sim_eresume(struct tf_sim_thread *thread, void *context,
                    uint64_t bases[static 2]);
/** EXITINFO for a vector (SDM vol. 3D, EXITINFO); 0 where there is none. */
uint32_t tf_sim_exitinfo(uint64_t vector, uint32_t miscselect);

/* --- sim_audit.c: the hostile host and the auditor -------------------------------------
 */

enum { TF_SIM_EXTENDED_SIZE = 16 << 10 }; /* more than any XSAVE area without AMX */

/** Fills thread->in with what an enclave cannot work with, and loads `extended`. */
void tf_sim_poison(struct tf_sim_thread *thread,
                   uint8_t extended[static TF_SIM_EXTENDED_SIZE]);
/** After EEXIT: everything is the host's own value or zero, but RDI and RSI. */
void tf_sim_audit(const struct tf_sim_thread *thread,
                  const uint8_t extended[static TF_SIM_EXTENDED_SIZE]);

/* --- sim_gate.S -----------------------------------------------------------------------
 */

/** Loads thread->in, enters, fills thread->out. */
void tf_sim_eenter(struct tf_sim_thread *thread);
/** Where patched ENCLU sites arrive, and the leaf in it that traps. */
void tf_sim_gate(void);
extern const uint8_t tf_sim_gate_leaf[];
extern const uint8_t tf_sim_gate_end[];
/** Where EEXIT arrives, and the AEP: an ERESUME. */
extern const uint8_t tf_sim_landing[];
extern const uint8_t tf_sim_aep[];

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

enum { TF_SIM_SPKI_SIZE = 44 };

/** The key that signs, and its DER SubjectPublicKeyInfo. By hand, as OpenSSL's decoders
 *  take longer to be found than an image to be measured.
 *  @return the caller's, for EVP_PKEY_free; NULL on failure. */
struct evp_pkey_st *tf_sim_machine_signer(const struct tf_sim_machine *machine,
                                          uint8_t spki[static TF_SIM_SPKI_SIZE]);

/* --- sim_leaf.c: EREPORT, EGETKEY and EACCEPT ------------------------------------------
 */

/** Executes a leaf with these registers. @return false where the CPU raises #GP. */
bool tf_sim_leaf(struct tf_sim *sim, struct tf_sim_registers *registers);
/** The MAC of a report for `target` (SDM vol. 3D, EREPORT). */
void tf_sim_report_mac(const struct tf_sim_machine *machine,
                       const struct sgx_target_info *target,
                       const struct sgx_report *report, uint8_t mac[static 16]);
/** EGETKEY's derivation. @return SGX_SUCCESS or the CPU's code. */
uint32_t tf_sim_key(const struct tf_sim *sim, const struct sgx_key_request *request,
                    uint8_t key[static 16]);

/* --- sim_quote.c ----------------------------------------------------------------------
 */

/** The simulated quoting enclave. */
void tf_sim_target_info(struct sgx_target_info *out);
/** Checks the REPORT's MAC, signs. @return TF_OK, TF_EEVIDENCE_FORMAT, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_sim_quote(const struct tf_sim_machine *machine,
                                const struct sgx_report *report, char *out, size_t *size);

/* --- sim_evidence.c -------------------------------------------------------------------
 */

/** What a simulated report speaks of. */
enum tf_sim_kind {
    TF_SIM_SGX,   /* an enclave */
    TF_SIM_NATIVE /* a core that is no enclave: MRENCLAVE measures its runtime's files */
};

/** Signs a report as it is: JSON of TF_EVIDENCE_MAX bytes at `out`.
 *  @return TF_OK, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_sim_evidence(const struct tf_sim_machine *machine,
                                   enum tf_sim_kind kind, const struct sgx_report *report,
                                   char *out, size_t *size);

/* --- for tests ------------------------------------------------------------------------
 */

enum { TF_SIM_SEEN = 64 << 10 };

/** Makes the simulator a hostile host and an auditor. All zero: off. */
struct tf_sim_tests {
    bool poison_entry; /* registers, flags, MXCSR, FCW, vectors are garbage at EENTER */
    unsigned poison_state; /* which garbage */
    uint64_t poison_rsp;   /* RSP at EENTER; 0: the host's own. Strict mode only */
    bool audit_exit;       /* look at every register after EEXIT */
    unsigned audits;       /* how often it looked */
    unsigned violations;   /* registers that were neither clean nor the host's */
    const char *violation; /* name of the last */
    bool single_step;      /* an AEX before every instruction inside */
    bool return_faults;    /* a fault inside comes back as from the vDSO, not as death */
    unsigned exits;        /* asynchronous ones */
    uint8_t *seen;         /* of the first TF_SIM_SEEN bytes: where there was an AEX */
    unsigned refusals;     /* EENTERs tried and refused (#GP) while CSSA was 1 */
    unsigned vector;       /* of the last EENTER or entry that failed */
};
extern struct tf_sim_tests tf_sim_tests;
