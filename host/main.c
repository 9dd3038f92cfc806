/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaasd: the host's daemon. It accepts connections and passes them to the worker of the
 * right enclave, supervises the workers, stores bundles and sealed blobs, and answers the
 * operator on a UNIX socket. Nothing in it is trusted by an enclave.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/admin.h"
#include "host/daemon.h"
#include "host/deploy.h"
#include "host/engine.h"
#include "host/gateway.h"
#include "host/log.h"
#include "host/options.h"
#include "host/registry.h"
#include "host/roll.h"
#include "host/supervise.h"
#include "lib/err_text.h"
#include "lib/version.h"

enum { STOP_MS = 3000, STOP_STEP_MS = 20 };

struct program {
    struct tf_daemon daemon;
    struct tf_watch signals;
    struct tf_timer stop_timer;
    uint64_t stop_at; /* loop's clock: when what is left gets killed */
};

static void on_stop_timer(void *user)
{
    struct program *p = user;
    struct tf_loop *loop = &p->daemon.loop;
    if (tf_supervise_is_quiet(&p->daemon) || loop->now >= p->stop_at) {
        loop->is_over = true;
        return;
    }
    tf_loop_set(loop, &p->stop_timer, STOP_STEP_MS);
}

/* Lets nothing in any more and asks the workers to end. They go before the operations:
 * a call that a worker still owes fails here, and its owner must be there to hear it. */
static void wind_down(struct tf_daemon *daemon)
{
    daemon->is_stopping = true;
    tf_gateway_close(daemon->gateway);
    tf_admin_close(daemon->admin);
    tf_roll_stop(daemon);
    tf_supervise_stop_all(daemon);
    tf_deploy_wipe(daemon);
}

static void on_signal(void *user, uint32_t events)
{
    struct program *p = user;
    struct tf_daemon *daemon = &p->daemon;
    struct signalfd_siginfo info;
    (void)events;
    if (read(p->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info) ||
        daemon->is_stopping) {
        return;
    }
    tf_log("stopping", "signal=%u", info.ssi_signo);
    wind_down(daemon);
    p->stop_at = daemon->loop.now + STOP_MS;
    p->stop_timer = (struct tf_timer){.fire = on_stop_timer, .user = p};
    tf_loop_set(&daemon->loop, &p->stop_timer, STOP_STEP_MS);
}

static tf_err watch_signals(struct program *p)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP); /* nohup ignores it, and it then never arrives */
    /* Whoever read the log may go away; that is no reason to stop serving. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        return TF_EIO;
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return TF_EIO;
    }
    p->signals = (struct tf_watch){.fd = fd, .ready = on_signal, .user = p};
    return tf_loop_watch(&p->daemon.loop, &p->signals, EPOLLIN);
}

/* As many descriptors as allowed; the workers inherit it. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* One step of the start, just done. @return whether it went well; otherwise it was said
 * why not. */
static bool step(const char *what, tf_err err)
{
    int cause = errno;
    if (err != TF_OK) {
        (void)fprintf(stderr, "tfaasd: %s: %s (%s)\n  next: %s\n", what,
                      err == TF_EIO && cause != 0 ? strerror(cause) : tf_err_text(err),
                      tf_err_name(err), tf_err_hint(err));
    }
    return err == TF_OK;
}

static bool refuse(const char *what, const char *text, const char *next)
{
    (void)fprintf(stderr, "tfaasd: %s: %s\n  next: %s\n", what, text, next);
    return false;
}

static bool open_store(struct tf_daemon *daemon)
{
    const char *state = daemon->options.state;
    tf_err err = tf_store_open(state, &daemon->store);
    if (err == TF_EUSAGE) {
        return refuse(state, "others than its owner may write to this folder",
                      "chmod 700 it, and see what is in it.");
    }
    if (err == TF_AGAIN) {
        return refuse(state, "another tfaasd uses this folder",
                      "Stop it, or choose another --state.");
    }
    return step(state, err);
}

static bool open_gateway(struct tf_daemon *daemon)
{
    const char *listen = daemon->options.listen;
    tf_err err = tf_gateway_open(daemon);
    if (err == TF_EUSAGE) {
        return refuse(listen, "--listen is no ADDR:PORT in numbers",
                      "Write 127.0.0.1:8443, 0.0.0.0:443 or [::]:443; names are not "
                      "resolved.");
    }
    if (err == TF_EIO && errno == EADDRINUSE) {
        return refuse(listen, "another program listens there",
                      "Stop it, or choose another --listen.");
    }
    return step(listen, err);
}

/* Looks at what workers will be started with: a deployment would find it missing. */
static bool check_engines(struct tf_options *o)
{
    for (size_t i = 0; i < o->engine_count; i++) {
        struct tf_engine *engine = &o->engines[i];
        bool is_native = engine->is_native;
        const char *program = is_native ? engine->image_path : o->worker_path;
        if (access(engine->image_path, R_OK) != 0) {
            return step(engine->image_path, TF_EIO);
        }
        if (access(program, X_OK) != 0) {
            return step(program, TF_EIO);
        }
        if (!step(is_native ? engine->image_path : engine->sigstruct_path,
                  tf_engine_identify(engine))) {
            return false;
        }
    }
    return true;
}

static bool start(struct program *p)
{
    struct tf_daemon *daemon = &p->daemon;
    struct tf_options *o = &daemon->options;
    daemon->is_simulated = !o->is_sgx && !o->is_guest;
    if (!check_engines(o)) {
        return false;
    }
    raise_limit();
    if (!open_store(daemon) || !step("event loop", tf_loop_open(&daemon->loop)) ||
        !step("signals", watch_signals(p)) ||
        !step("stored lambdas", tf_registry_load(&daemon->registry, &daemon->store)) ||
        !step("admin socket", tf_admin_open(daemon)) || !open_gateway(daemon)) {
        return false;
    }
    tf_supervise_start_all(daemon);
    return true;
}

static void finish(struct program *p)
{
    struct tf_daemon *daemon = &p->daemon;
    wind_down(daemon);
    tf_supervise_wipe(daemon);
    tf_roll_wipe(daemon);
    tf_registry_wipe(&daemon->registry);
    if (p->signals.fd >= 0) {
        (void)close(p->signals.fd);
    }
    if (daemon->loop.epoll >= 0) {
        tf_loop_close(&daemon->loop);
    }
    tf_store_close(&daemon->store);
    free(daemon->options.worker_path);
}

static void say_backend(const struct tf_options *o)
{
    (void)puts(o->is_sgx     ? "tfaasd: enclaves run on SGX hardware; quotes by AESM"
               : o->is_guest ? "tfaasd: native engines in a confidential VM; evidence by "
                               "configfs-tsm"
                             : "tfaasd: SIMULATED: enclaves run in a simulator, without "
                               "any protection from this machine's owner");
}

int main(int argc, char **argv)
{
    static struct program program = {
        .daemon = {.loop = {.epoll = -1},
                   .store = {.root = -1, .lambdas = -1, .domains = -1, .lock = -1}},
        .signals = {.fd = -1}};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(tf_options_usage, stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("tfaasd " TF_VERSION);
        return 0;
    }
    if (tf_options_parse(argc, argv, &program.daemon.options) != TF_OK) {
        (void)fputs(tf_options_usage, stderr);
        free(program.daemon.options.worker_path);
        return 2;
    }
    say_backend(&program.daemon.options);
    (void)fflush(stdout);
    bool is_good = start(&program);
    if (is_good) {
        (void)printf("tfaasd: listening on %s\n", program.daemon.address);
        (void)fflush(stdout);
        is_good = step("event loop", tf_loop_run(&program.daemon.loop));
    }
    finish(&program);
    return is_good ? 0 : 1;
}
