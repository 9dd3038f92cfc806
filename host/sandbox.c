/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c - a list of what is allowed, as a filter of system calls (seccomp(2)) for all
 * threads, a runtime's own included, that cannot be taken off.
 */
#include "host/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/log.h"

/* What every worker needs. A descriptor comes new from recvmsg alone, from tfaasd. Each
 * request's calls come first, and whatever their arguments are: where no other filter is
 * (the simulator's), the kernel knows of these without running it. */
static const uint32_t shared[] = {
    SYS_recvfrom,          /* a client's bytes */
    SYS_sendto,            /* answers */
    SYS_epoll_wait,        /* host/worker_poll.c, */
    SYS_sched_yield,       /* which gives way */
    SYS_readv,             /* where a ring wraps */
    SYS_sendmsg,           /* likewise; to tfaasd */
    SYS_recvmsg,           /* from tfaasd, */
    SYS_pread64,           /* the files that it passes, */
    SYS_lseek,             /* and their sizes */
    SYS_epoll_ctl,         /* host/worker_conn.c */
    SYS_close,             /* likewise */
    SYS_getpeername,       /* host/worker_quote.c */
    SYS_poll,              /* for tfaasd's socket; for AESM */
    SYS_read,              /* eventfds */
    SYS_write,             /* likewise; the log */
    SYS_writev,            /* the C library's last words: a heap or stack overwritten */
    SYS_futex,             /* host/quoter.c; the C library's locks */
    SYS_munmap,            /* its memory, */
    SYS_madvise,           /* likewise */
    SYS_mremap,            /* likewise */
    SYS_brk,               /* likewise */
    SYS_sched_getaffinity, /* one arena a core */
    SYS_clock_gettime,     /* where the vDSO cannot say; */
    SYS_clock_nanosleep,   /* likewise */
    SYS_getrandom,         /* OpenSSL; names' hashes */
    SYS_getpid,            /* OpenSSL: whether it was forked; raise() */
    SYS_gettid,            /* raise() */
    SYS_rt_sigprocmask,    /* likewise */
    SYS_rt_sigreturn,      /* the simulator's handlers; V8's */
    SYS_sigaltstack,       /* V8's; sanitizers, before the end */
    SYS_restart_syscall,   /* the kernel's, after a stop */
    SYS_set_robust_list,   /* a thread that was made just before, in its first steps, */
    SYS_rseq,              /* likewise; it has SIGSYS blocked then, and would die of it */
    SYS_exit,
    SYS_exit_group,
};

static const uint32_t lean[] = {
    SYS_accept4, /* host/worker_listen.c: of the socket that tfaasd lends */
};

/* V8's memory, compiler and collector; node. */
static const uint32_t native[] = {
    SYS_mmap,           SYS_mprotect,      SYS_pkey_alloc,
    SYS_pkey_free,      SYS_pkey_mprotect, SYS_membarrier,
    SYS_fstat,          SYS_newfstatat, /* the C library's fstat */
    SYS_getsockopt,     SYS_epoll_pwait,   SYS_clock_getres,
    SYS_gettimeofday,   SYS_nanosleep,     SYS_sched_getscheduler,
    SYS_sched_getparam, SYS_getrusage,     SYS_sysinfo,
    SYS_rt_sigaction,
};

/* What an argument, an int, may be. */
struct values {
    uint32_t list[8];
    uint32_t count;
};

/* Of fcntl. Others have the kernel send any signal to any process of the user's
 * (F_SETOWN, F_SETSIG), tfaasd among them. */
static const struct values commands = {
    {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC}, 5};
/* Memory that is not executable: nothing but V8 compiles. */
static const struct values protections = {{PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE},
                                          3};
/* One's own faults, to die of them; not SIGSYS, whose handler tells of it. */
static const struct values faults = {{SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV},
                                     6};
static const struct values tsc = {{PR_SET_TSC}, 1};
/* host/worker_conn.c closes orderly. The other half of a socket that listens, which
 * tfaasd lends, would end that for all; and it could then connect (MSG_FASTOPEN). */
static const struct values halves = {{SHUT_WR}, 1};
static const struct values none = {{0}, 0};

/* A call that fails with EPERM unless one argument has one of these values. */
struct narrow {
    uint32_t number;
    uint32_t argument;
    const struct values *values;
};

static const struct narrow lean_narrow[] = {
    {SYS_mmap, 2, &protections},    {SYS_mprotect, 2, &protections},
    {SYS_rt_sigaction, 0, &faults}, {SYS_prctl, 0, &tsc}, /* host/sim_thread.c */
    {SYS_openat, 0, &none}, /* malloc looks for settings, and does without */
};

static const struct narrow native_narrow[] = {{SYS_fcntl, 1, &commands}};

static const struct narrow shared_narrow = {SYS_shutdown, 1, &halves};

/* A runtime has no reason to try these either. */
static const uint32_t deadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_fork,
    SYS_vfork,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_socket,
    SYS_connect,
    SYS_bind,
    SYS_mount,
    SYS_bpf,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_io_uring_setup,
};

enum {
    SHARED_COUNT = sizeof(shared) / sizeof(shared[0]),
    LEAN_COUNT = sizeof(lean) / sizeof(lean[0]),
    NATIVE_COUNT = sizeof(native) / sizeof(native[0]),
    LEAN_NARROW_COUNT = sizeof(lean_narrow) / sizeof(lean_narrow[0]),
    NATIVE_NARROW_COUNT = sizeof(native_narrow) / sizeof(native_narrow[0]),
    DEADLY_COUNT = sizeof(deadly) / sizeof(deadly[0]),
    HEAD = 5,        /* instructions that see to the architecture */
    NARROW_MAX = 19, /* of a narrow call, at most */
    PROGRAM_MAX = 256,
    X32_BIT = 0x40000000
};
static_assert(HEAD + 2 * (SHARED_COUNT + NATIVE_COUNT + DEADLY_COUNT) +
                      NARROW_MAX * (NATIVE_NARROW_COUNT + 2) + 1 <=
                  PROGRAM_MAX,
              "size");
static_assert(HEAD + 2 * (SHARED_COUNT + LEAN_COUNT) +
                      NARROW_MAX * (LEAN_NARROW_COUNT + 2) + 1 <=
                  PROGRAM_MAX,
              "size");

/* What a kind of worker has beside `shared`, and what becomes of any other call. */
static const struct rules {
    const uint32_t *allowed;
    const struct narrow *narrow;
    uint32_t allowed_count;
    uint32_t narrow_count;
    uint32_t otherwise;
} kinds[] = {
    [TF_SANDBOX_LEAN] = {lean, lean_narrow, LEAN_COUNT, LEAN_NARROW_COUNT,
                         SECCOMP_RET_TRAP},
    [TF_SANDBOX_NATIVE] = {native, native_narrow, NATIVE_COUNT, NATIVE_NARROW_COUNT,
                           SECCOMP_RET_ERRNO | EPERM},
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short size;
};

static void add(struct program *p, struct sock_filter instruction)
{
    p->code[p->size] = instruction;
    p->size++;
}

static void give(struct program *p, uint32_t verdict)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* Two instructions a value: a jump over the verdict, and the verdict. */
static void add_list(struct program *p, const uint32_t *values, size_t count,
                     uint32_t verdict)
{
    for (size_t i = 0; i < count; i++) {
        add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1));
        give(p, verdict);
    }
}

static void add_narrow(struct program *p, const struct narrow *n)
{
    const uint32_t offset =
        (uint32_t)(offsetof(struct seccomp_data, args) + n->argument * sizeof(uint64_t));

    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n->number, 0,
                                        (uint8_t)(2 + 2 * n->values->count)));
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
    add_list(p, n->values->list, n->values->count, SECCOMP_RET_ALLOW);
    give(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Another architecture's calls, x32's among them, end the process. */
static void make(struct program *p, const struct rules *rules)
{
    const struct sock_filter head[HEAD] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct values self = {{(uint32_t)getpid()}, 1};
    const struct narrow to_self = {SYS_tgkill, 0, &self}; /* raise() */

    p->size = 0;
    for (size_t i = 0; i < HEAD; i++) {
        add(p, head[i]);
    }
    add_list(p, shared, SHARED_COUNT, SECCOMP_RET_ALLOW);
    add_list(p, rules->allowed, rules->allowed_count, SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < rules->narrow_count; i++) {
        add_narrow(p, &rules->narrow[i]);
    }
    add_narrow(p, &shared_narrow);
    add_narrow(p, &to_self);
    if (rules->otherwise != SECCOMP_RET_TRAP) {
        add_list(p, deadly, DEADLY_COUNT, SECCOMP_RET_KILL_PROCESS);
    }
    give(p, rules->otherwise);
}

_Noreturn void tf_sandbox_refuse(int number)
{
    tf_log("system-call-refused", "number=%d pid=%d", number, (int)getpid());
    _exit(TF_SANDBOX_EXIT);
}

static void on_refused(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    tf_sandbox_refuse(info->si_syscall);
}

tf_err tf_sandbox_lower(void)
{
    struct __user_cap_header_struct who = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {{0}};
    const struct rlimit no_core = {0, 0};
    const struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};

    bool is_done = syscall(SYS_capset, &who, nothing) == 0 &&
                   prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   setrlimit(RLIMIT_CORE, &no_core) == 0 &&
                   sigaction(SIGSYS, &action, NULL) == 0;
    return is_done ? TF_OK : TF_EPLATFORM;
}

tf_err tf_sandbox_enter(enum tf_sandbox kind)
{
    struct program program;

    make(&program, &kinds[kind]);
    const struct sock_fprog filter = {program.size, program.code};
    bool is_done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                   syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                           SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
    return is_done ? TF_OK : TF_EPLATFORM;
}
