/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker of either kind, and whoever took it over, can still ask of the system:
 * each attempt in a process of its own. */
#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/test.h"

enum { LOCKED_OUT = 7, GOT_THROUGH = 8, NO_SANDBOX = 9 };

static pid_t parent; /* who must not be reached */
static int lent;     /* a socket that listens, as tfaasd lends it, */
static struct sockaddr_in lent_at;

static bool is_locked_in(enum tf_sandbox kind)
{
    return tf_sandbox_lower() == TF_OK && tf_sandbox_enter(kind) == TF_OK;
}

/* How `attempt` ends in a locked-in process: its exit status, or -signal. */
static int end_of(enum tf_sandbox kind, int (*attempt)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(is_locked_in(kind) ? attempt() : NO_SANDBOX);
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
    return verdict(syscall(SYS_kill, parent, 0));
}

static int signal_others_by_thread(void)
{
    return verdict(syscall(SYS_tgkill, parent, parent, 0));
}

/* The kernel sends the signal for whoever owns a descriptor's events. */
static int signal_others_by_descriptor(void)
{
    return verdict(fcntl(STDIN_FILENO, F_SETOWN, parent));
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
    (void)syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, parent, 0, 0);
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
    void *map =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return block != NULL && map != MAP_FAILED && mprotect(map, 4096, PROT_READ) == 0 &&
                   clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
                   syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) == 0
               ? 0
               : GOT_THROUGH;
}

static int ask_flags(void)
{
    return fcntl(STDERR_FILENO, F_GETFL) >= 0 ? 0 : GOT_THROUGH;
}

static int look_for_file(void)
{
    struct stat info;

    (void)stat("/etc/passwd", &info);
    return GOT_THROUGH;
}

static int make_code(void)
{
    void *map =
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return map == MAP_FAILED ? verdict(-1) : GOT_THROUGH;
}

static int turn_data_into_code(void)
{
    void *map =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return map == MAP_FAILED ? NO_SANDBOX : verdict(mprotect(map, 4096, PROT_EXEC));
}

static int go_on_after_a_refusal(void)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};

    return verdict(sigaction(SIGSYS, &ignored, NULL));
}

static int die_of_a_fault(void)
{
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return GOT_THROUGH;
}

/* As the C library does when it finds the heap or the stack overwritten. */
static int say_why_it_dies(void)
{
    char none[1];
    const struct iovec line = {none, 0};

    return writev(STDERR_FILENO, &line, 1) == 0 ? 0 : GOT_THROUGH;
}

static int have_no_powers(void)
{
    struct __user_cap_header_struct who = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2] = {{.effective = 1}};
    struct rlimit core;

    return tf_sandbox_lower() == TF_OK && syscall(SYS_capget, &who, caps) == 0 &&
                   (caps[0].effective | caps[0].permitted | caps[0].inheritable |
                    caps[1].effective | caps[1].permitted | caps[1].inheritable) == 0 &&
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                   getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0
               ? LOCKED_OUT
               : GOT_THROUGH;
}

/* Else all peers are nobody, and no bound for one of them holds (host/worker_quote.c). */
static int ask_who_is_there(void)
{
    struct sockaddr address;
    socklen_t size = sizeof(address);

    return getpeername(STDIN_FILENO, &address, &size) != 0 && errno == EPERM ? LOCKED_OUT
                                                                             : 0;
}

/* tfaasd's is the same one. And what listened before needs no connect() to connect:
 * a sendto with MSG_FASTOPEN and any address does. */
static int stop_listening(void)
{
    return verdict(shutdown(lent, SHUT_RDWR));
}

static int stop_receiving(void)
{
    return verdict(shutdown(lent, SHUT_RD));
}

static int close_orderly(void)
{
    return shutdown(lent, SHUT_WR) == 0 ? 0 : GOT_THROUGH;
}

static int connect_without_connect(void)
{
    (void)shutdown(lent, SHUT_RDWR);
    return sendto(lent, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT,
                  (const struct sockaddr *)&lent_at, sizeof(lent_at)) < 0 &&
                   errno == EISCONN
               ? LOCKED_OUT
               : GOT_THROUGH;
}

static void a_runtime_gets_no_file_no_process_no_signal(void)
{
    CHECK(end_of(TF_SANDBOX_NATIVE, open_file) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, open_old) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, remove_file) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, start_thread) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, signal_others) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, take_off) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, signal_others_by_thread) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, signal_others_by_descriptor) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, choose_a_signal) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, make_close_last) == LOCKED_OUT);
}

static void what_only_an_attacker_tries_ends_a_runtime(void)
{
    CHECK(end_of(TF_SANDBOX_NATIVE, make_socket) == -SIGSYS);
    CHECK(end_of(TF_SANDBOX_NATIVE, run_program) == -SIGSYS);
    CHECK(end_of(TF_SANDBOX_NATIVE, trace_parent) == -SIGSYS);
    CHECK(end_of(TF_SANDBOX_NATIVE, call_as_x32) == -SIGSYS);
}

static void what_a_lean_worker_never_does_ends_it(void)
{
    int (*const attempts[])(void) = {
        open_old,        look_for_file,   remove_file,
        start_thread,    signal_others,   signal_others_by_descriptor,
        choose_a_signal, make_close_last, take_off,
        make_socket,     run_program,     trace_parent};

    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        CHECK(end_of(TF_SANDBOX_LEAN, attempts[i]) == TF_SANDBOX_EXIT);
    }
    CHECK(end_of(TF_SANDBOX_LEAN, call_as_x32) == -SIGSYS);
}

static void a_lean_worker_gets_no_file_no_code_and_kills_nobody(void)
{
    CHECK(end_of(TF_SANDBOX_LEAN, open_file) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, signal_others_by_thread) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, make_code) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, turn_data_into_code) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, go_on_after_a_refusal) == LOCKED_OUT);
}

static void the_socket_that_is_lent_goes_on_listening(void)
{
    socklen_t size = sizeof(lent_at);

    lent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(lent >= 0 && listen(lent, 1) == 0);
    CHECK(getsockname(lent, (struct sockaddr *)&lent_at, &size) == 0);
    CHECK(end_of(TF_SANDBOX_LEAN, stop_listening) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, stop_receiving) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, connect_without_connect) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_LEAN, close_orderly) == 0);
    CHECK(end_of(TF_SANDBOX_NATIVE, stop_listening) == LOCKED_OUT);
    CHECK(end_of(TF_SANDBOX_NATIVE, close_orderly) == 0);
    (void)close(lent);
}

static void nothing_is_left_to_inherit(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(have_no_powers());
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == LOCKED_OUT);
}

/* The line goes where the log goes. */
static void a_refusal_names_the_call(void)
{
    char line[256] = {0};
    char wanted[64];
    int ends[2];
    int status = 0;

    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        _exit(is_locked_in(TF_SANDBOX_LEAN) ? run_program() : NO_SANDBOX);
    }
    (void)close(ends[1]);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(read(ends[0], line, sizeof(line) - 1) > 0);
    (void)snprintf(wanted, sizeof(wanted), "event=system-call-refused number=%d pid=%d\n",
                   SYS_execve, (int)pid);
    CHECK(strstr(line, wanted) != NULL);
    (void)close(ends[0]);
}

static void what_a_worker_does_goes_on(void)
{
    CHECK(end_of(TF_SANDBOX_NATIVE, ask_who_is_there) == 0);
    CHECK(end_of(TF_SANDBOX_NATIVE, compute) == 0);
    CHECK(end_of(TF_SANDBOX_NATIVE, ask_flags) == 0);
    CHECK(end_of(TF_SANDBOX_LEAN, ask_who_is_there) == 0);
    CHECK(end_of(TF_SANDBOX_LEAN, compute) == 0);
    CHECK(end_of(TF_SANDBOX_LEAN, die_of_a_fault) == -SIGSEGV);
    CHECK(end_of(TF_SANDBOX_LEAN, say_why_it_dies) == 0);
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
        tf_err err = tf_sandbox_enter(TF_SANDBOX_LEAN);
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_join(thread, &was_locked);
        _exit(err == TF_OK && was_locked != NULL ? 0 : GOT_THROUGH);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    parent = getpid();
    RUN(a_runtime_gets_no_file_no_process_no_signal);
    RUN(what_only_an_attacker_tries_ends_a_runtime);
    RUN(what_a_lean_worker_never_does_ends_it);
    RUN(a_lean_worker_gets_no_file_no_code_and_kills_nobody);
    RUN(the_socket_that_is_lent_goes_on_listening);
    RUN(nothing_is_left_to_inherit);
    RUN(a_refusal_names_the_call);
    RUN(what_a_worker_does_goes_on);
    RUN(threads_that_were_there_before_are_in_it);
    return test_end();
}
