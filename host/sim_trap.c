/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_trap.c - what the CPU and the kernel report while a thread is inside: ENCLU (#UD on
 * a CPU without SGX), faults, system calls (seccomp by instruction pointer).
 *
 * A signal arrives with the enclave's FS and GS bases, so the handler's own frame must
 * not touch thread-local storage or the stack canary before it has put the host's back.
 * It finds out whether it was inside by the GS base. Signals that are not caused by the
 * instruction itself are blocked on these threads.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/sandbox.h"
#include "host/sim.h"

enum {
    SIGNAL_STACK = 256 << 10, /* EREPORT and EGETKEY run on it, in OpenSSL */
    EXIT_FAULT = 70,
    EXIT_SYSCALL = 71,
    HWCAP2_FSGSBASE_BIT = 1 << 1,
    LINE_MAX_SIZE = 256,
    ENCLU_SIZE = 3,
    TRAP_FLAG = 0x100, /* RFLAGS.TF */
    VECTOR_DB = 1
};

static const int trapped[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGSYS};
enum { TRAPPED_COUNT = sizeof(trapped) / sizeof(trapped[0]) };

static inline void read_bases(uint64_t bases[static 2])
{
    uint64_t fs;
    uint64_t gs;

    __asm__ volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(fs), "=r"(gs));
    bases[0] = fs;
    bases[1] = gs;
}

static inline void write_bases(const uint64_t bases[static 2])
{
    __asm__ volatile("wrfsbase %0\n\twrgsbase %1"
                     :
                     : "r"(bases[0]), "r"(bases[1])
                     : "memory");
}

static bool in_range(uint64_t address)
{
    const struct tf_sim *sim = tf_sim_active;
    return address - sim->secs.base < sim->secs.size;
}

/* One line, then the end of the process: the supervisor makes a new instance. */
static _Noreturn void die(const char *line, int size, int status)
{
    size_t length = size > 0 && size < LINE_MAX_SIZE ? (size_t)size : 0;

    if (write(STDERR_FILENO, line, length) < 0) {
        _exit(status);
    }
    _exit(status);
}

/* The kernel leaves AC to a handler as it was, and C is not written for it. */
static inline void clear_ac(void)
{
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t" /* the red zone */
                     "pushfq\n\t"
                     "andq $~0x40000, (%%rsp)\n\t"
                     "popfq\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     :
                     :
                     : "cc", "memory");
}

static const char *name_of(int number)
{
    switch (number) {
    case SIGILL:
        return "SIGILL";
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGTRAP:
        return "SIGTRAP";
    default:
        return "signal";
    }
}

static _Noreturn void die_of_fault(int number, const siginfo_t *info, uint64_t rip)
{
    char line[LINE_MAX_SIZE];
    uint64_t base = tf_sim_active->secs.base;
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    const char *where = in_range(address) ? "enclave offset" : "host address";

    int size =
        snprintf(line, sizeof(line),
                 "tfaas-worker: enclave killed: fault %s at offset 0x%llx (%s 0x%llx)\n",
                 name_of(number), (unsigned long long)(rip - base), where,
                 (unsigned long long)(in_range(address) ? address - base : address));
    die(line, size, EXIT_FAULT);
}

static _Noreturn void die_of_syscall(const siginfo_t *info)
{
    char line[LINE_MAX_SIZE];
    uint64_t address = (uint64_t)(uintptr_t)info->si_call_addr;

    int size = snprintf(
        line, sizeof(line),
        "tfaas-worker: enclave killed: system call from inside (number %d at "
        "offset 0x%llx)\n",
        info->si_syscall, (unsigned long long)(address - tf_sim_active->secs.base));
    die(line, size, EXIT_SYSCALL);
}

/* Whether the instruction at RIP is an ENCLU that we are to carry out. */
static bool is_enclu(uint64_t rip)
{
    static const uint8_t enclu[ENCLU_SIZE] = {0x0f, 0x01, 0xd7};

    if (rip == (uint64_t)(uintptr_t)tf_sim_gate_leaf) {
        return true;
    }
    return tf_sim_has_access(tf_sim_active, rip, ENCLU_SIZE, SGX_SECINFO_X) &&
           /* just checked */
           memcmp((const void *)(uintptr_t)rip, enclu, ENCLU_SIZE) == 0;
}

/* EREPORT, EGETKEY, EACCEPT: only the operands' registers and the flags matter. */
static bool run_leaf(greg_t *registers)
{
    struct tf_sim_registers r = {
        .rax = (uint64_t)registers[REG_RAX],
        .rbx = (uint64_t)registers[REG_RBX],
        .rcx = (uint64_t)registers[REG_RCX],
        .rdx = (uint64_t)registers[REG_RDX],
        .rflags = (uint64_t)registers[REG_EFL],
    };
    if (!tf_sim_leaf(tf_sim_active, &r)) {
        return false;
    }
    registers[REG_RAX] = (greg_t)r.rax;
    registers[REG_EFL] = (greg_t)r.rflags;
    registers[REG_RIP] += ENCLU_SIZE;
    return true;
}

/* For tests: a fault leaves as the CPU lets it leave, and the vDSO's fixup takes the host
 * back to its caller. Without them the instance is over. */
static void leave_by_fault(struct tf_sim_thread *thread, ucontext_t *context,
                           const uint64_t bases[static 2])
{
    greg_t *registers = context->uc_mcontext.gregs;
    uint64_t vector = (uint64_t)registers[REG_TRAPNO];
    uint32_t exitinfo = tf_sim_exitinfo(vector, tf_sim_active->secs.miscselect);

    tf_sim_aex(thread, context, exitinfo, bases);
    thread->fault = (uint32_t)vector + 1;
    registers[REG_RIP] = (greg_t)(uintptr_t)tf_sim_landing;
}

/* The simulator's own instructions between EENTER and EEXIT. */
static bool is_gate(uint64_t rip)
{
    uint64_t jump = (uint64_t)(uintptr_t)tf_sim_active->reserved;

    return (rip >= (uint64_t)(uintptr_t)tf_sim_eenter &&
            rip < (uint64_t)(uintptr_t)tf_sim_gate_end) ||
           (jump != 0 && rip - jump < TF_PAGE);
}

/* Whether the CPU would raise #UD for what comes next, although this one runs it. */
static bool is_next_illegal(uint64_t rip)
{
    uint8_t code[TF_SIM_INSTRUCTION] = {0};

    for (size_t i = 0; i < sizeof(code); i++) {
        if (!tf_sim_has_access(tf_sim_active, rip + i, 1, SGX_SECINFO_X)) {
            break; /* the fetch will fault */
        }
        code[i] = *(const uint8_t *)(uintptr_t)(rip + i); /* just checked */
    }
    return tf_sim_is_illegal(tf_sim_active, code);
}

/* A trap of the single-step test: AEX if the next instruction is the enclave's. What is
 * the simulator's own (before OENTRY, or in the gate) only goes on. Anything else is the
 * enclave executing outside of itself, which the CPU does not allow. */
static bool step(struct tf_sim_thread *thread, const siginfo_t *info, ucontext_t *context,
                 const uint64_t bases[static 2])
{
    uint64_t rip = (uint64_t)context->uc_mcontext.gregs[REG_RIP];

    if (!in_range(rip)) {
        if (!is_gate(rip)) {
            die_of_fault(SIGSEGV, info, rip);
        }
        return true;
    }
    if (is_next_illegal(rip)) {
        die_of_fault(SIGILL, info, rip);
    }
    tf_sim_aex(thread, context, 0, bases);
    return false;
}

/* With the host's bases. @return whether the thread goes on inside. */
static __attribute__((noinline)) bool handle(int number, const siginfo_t *info,
                                             ucontext_t *context,
                                             struct tf_sim_thread *thread,
                                             const uint64_t bases[static 2])
{
    greg_t *registers = context->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)registers[REG_RIP];

    if (number == SIGSYS) {
        die_of_syscall(info);
    }
    if (number == SIGTRAP && tf_sim_tests.single_step &&
        registers[REG_TRAPNO] == VECTOR_DB) {
        return step(thread, info, context, bases);
    }
    /* #UD here; #GP on a CPU that has SGX but is not in an enclave. */
    bool is_leaf = (number == SIGILL || number == SIGSEGV) && is_enclu(rip);
    if (is_leaf && (uint32_t)registers[REG_RAX] == SGX_EEXIT) {
        registers[REG_RIP] = registers[REG_RBX];
        registers[REG_RCX] = (greg_t)(uintptr_t)tf_sim_landing; /* AEP */
        registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
        return false;
    }
    if (is_leaf && run_leaf(registers)) {
        /* The trap after a step over ENCLU would come one instruction late. */
        return !tf_sim_tests.single_step || step(thread, info, context, bases);
    }
    if (!tf_sim_tests.return_faults) {
        die_of_fault(is_leaf ? SIGSEGV : number, info, rip);
    }
    leave_by_fault(thread, context, bases);
    return false;
}

/* Outside: the ERESUME at the AEP, or the end of a single-step test.
 * @return 1 to go on inside with `bases`, 0 outside, -1 if this was no business of ours.
 */
static __attribute__((noinline)) int handle_outside(int number, ucontext_t *context,
                                                    uint64_t bases[static 2])
{
    greg_t *registers = context->uc_mcontext.gregs;
    struct tf_sim_thread *thread = tf_sim_current;

    if (number == SIGTRAP && tf_sim_tests.single_step) {
        registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
        return 0;
    }
    if (registers[REG_RIP] != (greg_t)(uintptr_t)tf_sim_aep || thread == NULL ||
        registers[REG_RAX] != SGX_ERESUME) {
        return -1;
    }
    /* What else a hostile host would try with a thread that is interrupted. */
    uint64_t rdi = 0;
    uint64_t rsi = 0;
    uint64_t offset = thread->tcs - tf_sim_active->secs.base;
    if (thread->content.cssa == thread->content.nssa &&
        tf_sim_thread_enter(tf_sim_active, offset, &rdi, &rsi) != 0 &&
        tf_sim_tests.vector == TF_SIM_GP) {
        tf_sim_tests.refusals++;
    }
    if (!tf_sim_eresume(thread, context, bases)) {
        return -1;
    }
    registers[REG_EFL] |= tf_sim_tests.single_step ? TRAP_FLAG : 0;
    return 1;
}

static inline __attribute__((always_inline)) struct tf_sim_thread *find(uint64_t gs)
{
    for (unsigned i = 0; i < TF_THREADS_MAX; i++) {
        struct tf_sim_thread *thread = &tf_sim_threads[i];
        if (gs != 0 && thread->gs_base == gs && thread->is_inside != 0) {
            return thread;
        }
    }
    return NULL;
}

__attribute__((no_stack_protector)) static void on_signal(int number, siginfo_t *info,
                                                          void *context)
{
    uint64_t bases[2];

    clear_ac();
    read_bases(bases);
    struct tf_sim_thread *thread = find(bases[1]);
    if (thread != NULL) {
        const uint64_t host[2] = {thread->host_fs, thread->host_gs};
        write_bases(host);
        if (handle(number, info, context, thread, bases)) {
            write_bases(bases);
        }
        return;
    }
    int rc = handle_outside(number, context, bases);
    if (rc > 0) {
        write_bases(bases);
    }
    if (rc < 0 && number == SIGSYS) {
        tf_sandbox_refuse(info->si_syscall);
    }
    if (rc < 0) { /* the host's own fault, or somebody's kill: let it die of it */
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
}

static int set_handlers(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    (void)sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < TRAPPED_COUNT; i++) {
        if (sigaction(trapped[i], &action, NULL) != 0) {
            return -errno;
        }
    }
    return 0;
}

static int set_signal_stack(void)
{
    void *memory = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    const stack_t stack = {.ss_sp = memory, .ss_size = SIGNAL_STACK};
    if (sigaltstack(&stack, NULL) != 0) {
        return -errno;
    }
    sigset_t blocked;
    (void)sigfillset(&blocked);
    for (unsigned i = 0; i < TRAPPED_COUNT; i++) {
        (void)sigdelset(&blocked, trapped[i]);
    }
    (void)sigdelset(&blocked, SIGABRT);
    return -pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

/* Kills the process if a system call's instruction lies in ELRANGE, which is aligned to
 * its size, a power of two: two masked comparisons. */
static int install_filter(const struct tf_sim *sim)
{
    uint64_t mask = ~(sim->secs.size - 1);
    uint64_t base = sim->secs.base;
    const uint32_t at = offsetof(struct seccomp_data, instruction_pointer);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)(mask >> 32)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(base >> 32), 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)base, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                      &program);
    if (rc != 0) { /* positive: a thread that could not be brought in line */
        return rc > 0 ? -EBUSY : -errno;
    }
    return 0;
}

/* What is needed once. The enclave's memory must not end up in a core file. */
static int set_up_process(struct tf_sim *sim)
{
    const struct rlimit none = {0, 0};

    if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) == 0) {
        (void)fprintf(stderr,
                      "tfaas-worker: the simulator needs FSGSBASE: a CPU since 2013 "
                      "(Intel) or 2017 (AMD), and Linux 5.9\n");
        return -ENODEV;
    }
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return -errno;
    }
    int rc = set_handlers();
    return rc != 0 ? rc : install_filter(sim);
}

int tf_sim_trap_thread_init(struct tf_sim *sim)
{
    int rc = 0;

    (void)pthread_mutex_lock(&sim->lock);
    if (!sim->is_filtered) {
        rc = set_up_process(sim);
        sim->is_filtered = rc == 0;
    }
    (void)pthread_mutex_unlock(&sim->lock);
    return rc != 0 ? rc : set_signal_stack();
}
