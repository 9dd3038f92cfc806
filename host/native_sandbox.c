/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_sandbox.c - the process after its start: memory, the sockets it was passed, the
 * clock. A list of what is allowed, as a filter of system calls (seccomp(2)) for all
 * threads, node's own included; so a script that broke out of the engine finds no file,
 * no network and no program, signals no other process, and cannot take the filter off.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/native.h"

/* What the loop, the C library and V8's memory, compiler and collector need. No new
 * descriptor comes from any of these but by recvmsg, from tfaasd. */
static const uint32_t allowed[] = {
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_write,
    SYS_writev,
    SYS_recvmsg,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_sendto,
    SYS_shutdown,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_lseek,
    SYS_getsockopt,
    SYS_getpeername,
    SYS_poll,
    SYS_epoll_wait,
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_futex,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_madvise,
    SYS_mremap,
    SYS_brk,
    SYS_pkey_alloc,
    SYS_pkey_free,
    SYS_pkey_mprotect,
    SYS_membarrier,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getscheduler,
    SYS_sched_getparam,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
};

/* Nothing here ever has a reason to try these. */
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

/* Of fcntl. Others have the kernel send any signal to any process of the user's
 * (F_SETOWN, F_SETSIG), tfaasd among them. */
static const uint32_t commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};

enum {
    ALLOWED_COUNT = sizeof(allowed) / sizeof(allowed[0]),
    DEADLY_COUNT = sizeof(deadly) / sizeof(deadly[0]),
    COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]),
    HEAD = 4,   /* instructions before the lists: architecture, number, x32 */
    NARROW = 3, /* those of a call with a list of its own, apart from the list */
    PROGRAM_SIZE = HEAD + 2 * (ALLOWED_COUNT + DEADLY_COUNT) + NARROW + 2 + NARROW +
                   2 * COMMAND_COUNT + 2,
    X32_BIT = 0x40000000
};

/* Two instructions an entry: a jump over the verdict, and the verdict. */
static size_t add_list(struct sock_filter *program, size_t at, const uint32_t *numbers,
                       size_t count, uint32_t verdict)
{
    for (size_t i = 0; i < count; i++) {
        program[at++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], 0, 1);
        program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
    }
    return at;
}

/* A call of which one argument, an int, has to be in the list. */
static size_t add_narrow(struct sock_filter *program, size_t at, uint32_t number,
                         uint32_t argument, const uint32_t *values, size_t count)
{
    const uint32_t offset =
        (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));

    program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0,
                                                 (uint8_t)(2 + 2 * count));
    program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
    at = add_list(program, at, values, count, SECCOMP_RET_ALLOW);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                                 SECCOMP_RET_ERRNO | (uint32_t)EPERM);
    return at;
}

/* @return instructions. Another architecture's calls, x32's among them, end the process.
 */
static size_t make(struct sock_filter program[static PROGRAM_SIZE])
{
    const uint32_t kill = SECCOMP_RET_KILL_PROCESS;
    const uint32_t self = (uint32_t)getpid();
    const struct sock_filter head[HEAD] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, PROGRAM_SIZE - 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, PROGRAM_SIZE - HEAD - 1, 0),
    };
    size_t at = 0;

    for (; at < HEAD; at++) {
        program[at] = head[at];
    }
    at = add_list(program, at, allowed, ALLOWED_COUNT, SECCOMP_RET_ALLOW);
    at = add_list(program, at, deadly, DEADLY_COUNT, kill);
    at = add_narrow(program, at, SYS_fcntl, 1, commands, COMMAND_COUNT);
    at = add_narrow(program, at, SYS_tgkill, 0, &self, 1); /* abort() */
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                                 SECCOMP_RET_ERRNO | (uint32_t)EPERM);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, kill);
    return at;
}

tf_err tf_native_sandbox(void)
{
    struct sock_filter program[PROGRAM_SIZE];
    const struct sock_fprog filter = {(unsigned short)make(program), program};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                &filter) != 0) {
        return TF_EPLATFORM;
    }
    return TF_OK;
}
