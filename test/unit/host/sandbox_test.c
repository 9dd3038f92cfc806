/* SPDX-License-Identifier: Apache-2.0 */
/* What a native worker, and whoever took it over, can still ask of the system: each
 * attempt in a process of its own. */
#include "host/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/test.h"

enum { LOCKED_OUT = 7, GOT_THROUGH = 8, NO_SANDBOX = 9 };

/* How `attempt` ends in a locked-in process: its exit status, or -signal. */
static int end_of(int (*attempt)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(tf_native_sandbox() == TF_OK ? attempt() : NO_SANDBOX);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return NO_SANDBOX;
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int verdict(long rc)
{
    return rc < 0 && errno == EPERM ? LOCKED_OUT : GOT_THROUGH;
}

static int open_file(void)
{
    return verdict(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0));
}

static int open_old(void)
{
    return verdict(syscall(SYS_open, "/etc/passwd", O_RDONLY, 0));
}

static int remove_file(void)
{
    return verdict(syscall(SYS_unlinkat, AT_FDCWD, "/nowhere", 0));
}

static int start_thread(void)
{
    return verdict(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int signal_others(void)
{
    return verdict(syscall(SYS_kill, getppid(), 0));
}

static int signal_others_by_thread(void)
{
    return verdict(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

/* The kernel sends the signal for whoever owns a descriptor's events. */
static int signal_others_by_descriptor(void)
{
    return verdict(fcntl(STDIN_FILENO, F_SETOWN, getppid()));
}

static int choose_a_signal(void)
{
    return verdict(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
}

/* Who closes such a socket waits: tfaasd, if it was passed there. */
static int make_close_last(void)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 3600};

    return verdict(
        setsockopt(STDIN_FILENO, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

static int take_off(void)
{
    return verdict(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
}

static int make_socket(void)
{
    (void)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    return GOT_THROUGH;
}

static int run_program(void)
{
    char *const none[] = {NULL};

    (void)syscall(SYS_execve, "/bin/true", none, none);
    return GOT_THROUGH;
}

static int trace_parent(void)
{
    (void)syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0);
    return GOT_THROUGH;
}

static int call_as_x32(void)
{
    (void)syscall(0x40000000 | SYS_getpid);
    return GOT_THROUGH;
}

static int compute(void)
{
    struct timespec now;
    char *block = malloc(1 << 20);

    return block != NULL && clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
                   syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) == 0 &&
                   fcntl(STDERR_FILENO, F_GETFL) >= 0
               ? 0
               : GOT_THROUGH;
}

static void no_file_no_process_no_signal(void)
{
    CHECK(end_of(open_file) == LOCKED_OUT);
    CHECK(end_of(open_old) == LOCKED_OUT);
    CHECK(end_of(remove_file) == LOCKED_OUT);
    CHECK(end_of(start_thread) == LOCKED_OUT);
    CHECK(end_of(signal_others) == LOCKED_OUT);
    CHECK(end_of(take_off) == LOCKED_OUT);
}

static void nobody_else_is_stopped(void)
{
    CHECK(end_of(signal_others_by_thread) == LOCKED_OUT);
    CHECK(end_of(signal_others_by_descriptor) == LOCKED_OUT);
    CHECK(end_of(choose_a_signal) == LOCKED_OUT);
    CHECK(end_of(make_close_last) == LOCKED_OUT);
}

static void what_only_an_attacker_tries_ends_the_process(void)
{
    CHECK(end_of(make_socket) == -SIGSYS);
    CHECK(end_of(run_program) == -SIGSYS);
    CHECK(end_of(trace_parent) == -SIGSYS);
    CHECK(end_of(call_as_x32) == -SIGSYS);
}

/* Else all peers are nobody, and no bound for one of them holds (host/worker_quote.c). */
static int ask_who_is_there(void)
{
    struct sockaddr address;
    socklen_t size = sizeof(address);

    return getpeername(STDIN_FILENO, &address, &size) != 0 && errno == EPERM ? LOCKED_OUT
                                                                             : 0;
}

static void what_a_worker_does_goes_on(void)
{
    CHECK(end_of(ask_who_is_there) == 0);
    CHECK(end_of(compute) == 0);
}

static void *wait_then_open(void *user)
{
    (void)pthread_barrier_wait(user);
    (void)pthread_barrier_wait(user);
    return open_file() == LOCKED_OUT ? user : NULL;
}

static void threads_that_were_there_before_are_in_it(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        pthread_barrier_t barrier;
        pthread_t thread;
        void *was_locked = NULL;

        (void)pthread_barrier_init(&barrier, NULL, 2);
        if (pthread_create(&thread, NULL, wait_then_open, &barrier) != 0) {
            _exit(NO_SANDBOX);
        }
        (void)pthread_barrier_wait(&barrier);
        tf_err err = tf_native_sandbox();
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_join(thread, &was_locked);
        _exit(err == TF_OK && was_locked != NULL ? 0 : GOT_THROUGH);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    RUN(no_file_no_process_no_signal);
    RUN(nobody_else_is_stopped);
    RUN(what_only_an_attacker_tries_ends_the_process);
    RUN(what_a_worker_does_goes_on);
    RUN(threads_that_were_there_before_are_in_it);
    return test_end();
}
