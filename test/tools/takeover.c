/* SPDX-License-Identifier: Apache-2.0 */
/*
 * takeover THREAD NUMBER [ARGUMENT]...: has a thread of another process make a system
 * call, as somebody who has taken that process over would; then the thread goes on. An
 * argument is a number, or @TEXT for the address of a text. The thread must be waiting in
 * a system call. Prints what the call returned, or how the process ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { ARGUMENTS_MAX = 6, TEXT_MAX = 256, TEXTS_AT = 8192 /* below the stack pointer */ };

/* Lets it run to its next stop. @return the signal that it stopped with, or -1 after
 * having said how it ended. */
static int go_on(pid_t thread, int how, int signal)
{
    int status = 0;

    if (ptrace(how, thread, NULL, (uintptr_t)signal) != 0 ||
        waitpid(thread, &status, __WALL) != thread) {
        perror("takeover");
        return -1;
    }
    if (WIFSTOPPED(status)) {
        return WSTOPSIG(status);
    }
    (void)printf(WIFEXITED(status) ? "exit %d\n" : "signal %d\n",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return -1;
}

static uint64_t put_text(pid_t thread, uint64_t at, const char *text)
{
    char copy[TEXT_MAX] = {0};
    void *target = NULL;
    const struct iovec from = {copy, sizeof(copy)};

    (void)snprintf(copy, sizeof(copy), "%s", text);
    memcpy(&target, &at, sizeof(target));
    const struct iovec to = {target, sizeof(copy)};
    return process_vm_writev(thread, &from, 1, &to, 1, 0) == (ssize_t)sizeof(copy) ? at
                                                                                   : 0;
}

static void set_arguments(pid_t thread, struct user_regs_struct *r, char **argv, int argc)
{
    unsigned long long *const places[ARGUMENTS_MAX] = {&r->rdi, &r->rsi, &r->rdx,
                                                       &r->r10, &r->r8,  &r->r9};

    for (int i = 0; i < ARGUMENTS_MAX; i++) {
        *places[i] = 0;
        if (i < argc && argv[i][0] == '@') {
            *places[i] =
                put_text(thread, r->rsp - TEXTS_AT + (uint64_t)i * TEXT_MAX, argv[i] + 1);
        } else if (i < argc) {
            *places[i] = strtoull(argv[i], NULL, 0);
        }
    }
}

/* Makes the call in place of the one that the thread waits in, which then seems to have
 * been interrupted. A refusal shows only after the call: as a signal. */
static int take_over(pid_t thread, uint64_t number, char **argv, int argc)
{
    enum { INSTRUCTION_SIZE = 2 };
    struct user_regs_struct before;
    struct user_regs_struct r;

    if (ptrace(PTRACE_GETREGS, thread, NULL, &before) != 0) {
        return 1;
    }
    before.orig_rax = UINT64_MAX; /* nothing to be started again */
    r = before;
    r.rip -= INSTRUCTION_SIZE;
    r.rax = number;
    set_arguments(thread, &r, argv, argc);
    if (ptrace(PTRACE_SETREGS, thread, NULL, &r) != 0 ||
        go_on(thread, PTRACE_SYSCALL, 0) < 0 || go_on(thread, PTRACE_SYSCALL, 0) < 0) {
        return 0;
    }
    before.rax = (unsigned long long)-EINTR;
    if (ptrace(PTRACE_GETREGS, thread, NULL, &r) != 0 ||
        ptrace(PTRACE_SETREGS, thread, NULL, &before) != 0) {
        return 1;
    }
    int stop = go_on(thread, PTRACE_SINGLESTEP, 0);
    while (stop > 0 && stop != SIGTRAP) {
        stop = go_on(thread, PTRACE_CONT, stop);
    }
    if (stop == SIGTRAP) {
        (void)printf("returned %lld\n", (long long)r.rax);
        return ptrace(PTRACE_DETACH, thread, NULL, NULL) == 0 ? 0 : 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 3) {
        (void)fputs("usage: takeover THREAD NUMBER [ARGUMENT]...\n", stderr);
        return 2;
    }
    pid_t thread = (pid_t)strtol(argv[1], NULL, 10);
    if (ptrace(PTRACE_SEIZE, thread, NULL, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 ||
        waitpid(thread, &status, __WALL) != thread) {
        perror("takeover");
        return 1;
    }
    return take_over(thread, strtoull(argv[2], NULL, 0), argv + 3, argc - 3);
}
