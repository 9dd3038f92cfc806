/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - starts the process of a worker, for supervise.h. */
#include "host/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/version.h"
#include "host/log.h"
#include "host/tsm.h"

enum {
    FIRST_LINK = 3, /* in the child */
    SAFE_FD =
        64, /* the child's ends live above all targets, so that dup2 overwrites none */
    SOCKET_BYTES = 512 << 10,
    LAST_ARGUMENTS = 4 /* --strict, two about AESM, the end */
};

struct text {
    char image[PATH_MAX];
    char descriptor[PATH_MAX];
    char sim[PATH_MAX];
    char cycles[24];
    char idle[24];
    char memory[24];
    char poll[24];
    char links[8];
    char abi[12];
};

/* What is executed. */
struct command {
    const char *path;
    char *const *argv;
    char *const *env;
};

/* Makes the socket pairs. @return whether all are there. */
static bool make_links(struct tf_worker *worker, int child[TF_THREADS_MAX])
{
    for (unsigned i = 0; i < worker->link_count; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
            return false;
        }
        int size = SOCKET_BYTES; /* a hint: the system's bound applies */
        (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        worker->links[i].watch.fd = ends[0];
        child[i] = fcntl(ends[1], F_DUPFD_CLOEXEC, SAFE_FD);
        (void)close(ends[1]);
        if (child[i] < 0) {
            return false;
        }
    }
    return true;
}

static void write_text(const struct tf_worker *worker, struct text *out)
{
    const struct tf_options *o = &worker->daemon->options;
    (void)snprintf(out->descriptor, sizeof(out->descriptor), "%s/domains/%s.json",
                   o->state, worker->domain);
    (void)snprintf(out->sim, sizeof(out->sim), "%s/sim", o->state);
    (void)snprintf(out->cycles, sizeof(out->cycles), "%" PRIu64, o->transition_cycles);
    (void)snprintf(out->idle, sizeof(out->idle), "%" PRIu64, o->idle_seconds);
    (void)snprintf(out->memory, sizeof(out->memory), "%" PRIu64, o->memory_mib);
    (void)snprintf(out->poll, sizeof(out->poll), "%" PRIu64, o->poll_us);
    (void)snprintf(out->links, sizeof(out->links), "%u", worker->link_count);
    (void)snprintf(out->abi, sizeof(out->abi), "%d", TF_ABI_VERSION);
}

/* execve's arrays are not const, for history's sake; nothing writes through them. */
static char *arg(const char *text)
{
    char *out = NULL;
    memcpy(&out, &text, sizeof(out));
    return out;
}

/* The options about AESM at the end of a command line. */
static void add_aesm(const struct tf_options *o, char **at)
{
    const char *socket = o->is_sgx ? o->aesm : o->sim_aesm;
    if (socket != NULL) {
        *at++ = arg(o->is_sgx ? "--aesm" : "--insecure-sim-aesm");
        *at = arg(socket);
    }
}

static tf_err start(const struct tf_worker *worker, const int child[TF_THREADS_MAX],
                    const struct command *command, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attributes);
    int rc = 0;
    for (unsigned i = 0; i < worker->link_count && rc == 0; i++) {
        rc = posix_spawn_file_actions_adddup2(&files, child[i], FIRST_LINK + (int)i);
    }
    if (rc == 0) { /* who started tfaasd may have left more open */
        rc = posix_spawn_file_actions_addclosefrom_np(
            &files, FIRST_LINK + (int)worker->link_count);
    }
    /* An own process group: Ctrl-C reaches tfaasd alone, which ends its workers in order.
     */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    if (rc == 0) {
        rc = posix_spawn(pid, command->path, &files, &attributes, command->argv,
                         command->env);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc == 0 ? TF_OK : TF_EIO;
}

static tf_err run_image(const struct tf_worker *worker, const int child[TF_THREADS_MAX],
                        pid_t *pid)
{
    const struct tf_options *o = &worker->daemon->options;
    struct text text;
    write_text(worker, &text);
    char *argv[] = {arg("tfaas-worker"),
                    arg("--abi"),
                    text.abi,
                    arg("--image"),
                    arg(worker->engine->image_path),
                    arg("--sigstruct"),
                    arg(worker->engine->sigstruct_path),
                    arg("--config-id"),
                    arg(worker->domain),
                    arg("--descriptor"),
                    text.descriptor,
                    arg("--sim-dir"),
                    text.sim,
                    arg("--transition-cycles"),
                    text.cycles,
                    arg("--idle-seconds"),
                    text.idle,
                    arg("--memory"),
                    text.memory,
                    arg("--poll-us"),
                    text.poll,
                    arg("--links"),
                    text.links,
                    arg("--backend"),
                    arg(o->is_sgx ? "sgx" : "sim"),
                    NULL,
                    NULL,
                    NULL,
                    NULL};
    size_t count = sizeof(argv) / sizeof(argv[0]) - LAST_ARGUMENTS;
    if (o->is_strict) {
        argv[count++] = arg("--strict");
    }
    add_aesm(o, argv + count);
    const struct command command = {o->worker_path, argv, environ};
    return start(worker, child, &command, pid);
}

/* node reads its environment, so it gets none of ours; and lambdas see UTC only. */
static tf_err run_native(const struct tf_worker *worker, const int child[TF_THREADS_MAX],
                         pid_t *pid)
{
    char program[PATH_MAX];
    char script[PATH_MAX];
    const char *folder = worker->engine->image_path;
    bool is_guest = worker->daemon->options.is_guest;
    struct text text;
    write_text(worker, &text);
    (void)snprintf(program, sizeof(program), "%s/node", folder);
    (void)snprintf(script, sizeof(script), "%s/start.js", folder);
    char *const argv[] = {arg("tfaas-worker-native"),
                          arg("--no-memory-pool-share-memory-on-teardown"), /* start.js */
                          script,
                          arg("--abi"),
                          text.abi,
                          arg("--image"),
                          arg(folder),
                          arg("--config-id"),
                          arg(worker->domain),
                          arg("--descriptor"),
                          text.descriptor,
                          arg("--sim-dir"),
                          text.sim,
                          arg("--idle-seconds"),
                          text.idle,
                          arg("--memory"),
                          text.memory,
                          arg("--poll-us"),
                          text.poll,
                          arg("--links"),
                          text.links,
                          is_guest ? arg("--tsm") : NULL,
                          arg(TF_TSM_PATH),
                          NULL};
    char *const env[] = {arg("TZ=UTC"), arg("LC_ALL=C"), NULL};
    const struct command command = {program, argv, env};
    return start(worker, child, &command, pid);
}

tf_err tf_worker_spawn(struct tf_worker *worker, int *pidfd)
{
    int child[TF_THREADS_MAX];
    memset(child, -1, sizeof(child));
    for (unsigned i = 0; i < TF_THREADS_MAX; i++) {
        worker->links[i].watch.fd = -1;
    }
    pid_t pid = 0;
    tf_err err = TF_EIO;
    if (make_links(worker, child)) {
        err = worker->engine->is_native ? run_native(worker, child, &pid)
                                        : run_image(worker, child, &pid);
    }
    for (unsigned i = 0; i < worker->link_count; i++) {
        if (child[i] >= 0) {
            (void)close(child[i]);
        }
        if (err != TF_OK && worker->links[i].watch.fd >= 0) {
            (void)close(worker->links[i].watch.fd);
            worker->links[i].watch.fd = -1;
        }
    }
    if (err != TF_OK) {
        return err;
    }
    worker->pid = pid;
    *pidfd = pidfd_open(pid, 0);
    if (*pidfd < 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        for (unsigned i = 0; i < worker->link_count; i++) {
            (void)close(worker->links[i].watch.fd);
            worker->links[i].watch.fd = -1;
        }
        return TF_EIO;
    }
    return TF_OK;
}
