/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaasd: the host's daemon. It accepts connections and passes them to the worker of the
 * right enclave, supervises the workers, stores bundles and sealed blobs, and answers the
 * operator on a UNIX socket. Nothing in it is trusted by an enclave.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
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
#include "host/number.h"
#include "host/registry.h"
#include "host/roll.h"
#include "host/supervise.h"
#include "lib/err_text.h"

enum { STOP_MS = 3000, STOP_STEP_MS = 20 };

struct program {
    struct tf_daemon daemon;
    struct tf_watch signals;
    struct tf_timer stop_timer;
    uint64_t stop_at; /* loop's clock: when what is left gets killed */
};

static const char usage[] =
    "usage: tfaasd --state DIR --listen ADDR:PORT --image ENGINE=IMAGE,SIGSTRUCT...\n"
    "              [--native ENGINE=FOLDER]... [--worker PATH] [--threads N] [--strict] "
    "[--transition-cycles N]\n"
    "              [--idle-seconds N] [--memory MIB] [--poll-us N] [--backend "
    "sim|sgx|tsm]\n"
    "              [--aesm SOCKET | --insecure-sim-aesm SOCKET]\n";

/* Adds an engine of this name, if there is none yet. */
static struct tf_engine *new_engine(struct tf_options *o, const char *text)
{
    if (o->engine_count == TF_ENGINES_MAX) {
        return NULL;
    }
    struct tf_engine *engine = &o->engines[o->engine_count];
    size_t size = strlen(text);
    if (size == 0 || size >= sizeof(engine->name) || !tf_store_name_is_valid(text)) {
        return NULL;
    }
    for (size_t i = 0; i < o->engine_count; i++) {
        if (strcmp(o->engines[i].name, text) == 0) {
            return NULL; /* which of the two images was meant? */
        }
    }
    memcpy(engine->name, text, size + 1);
    o->engine_count++;
    return engine;
}

/* ENGINE=IMAGE,SIGSTRUCT; cuts the argument up in place. */
static bool add_engine(struct tf_options *o, char *text)
{
    char *image = strchr(text, '=');
    char *sigstruct = image == NULL ? NULL : strchr(image, ',');
    if (sigstruct == NULL) {
        return false;
    }
    *image = '\0';
    *sigstruct = '\0';
    struct tf_engine *engine = new_engine(o, text);
    if (engine == NULL) {
        return false;
    }
    engine->image_path = image + 1;
    engine->sigstruct_path = sigstruct + 1;
    return true;
}

/* ENGINE=FOLDER; likewise. */
static bool add_native(struct tf_options *o, char *text)
{
    char *folder = strchr(text, '=');
    if (folder == NULL) {
        return false;
    }
    *folder = '\0';
    struct tf_engine *engine = new_engine(o, text);
    if (engine == NULL) {
        return false;
    }
    engine->image_path = folder + 1;
    engine->is_native = true;
    return true;
}

static bool set_option(struct tf_options *o, int option, char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 's':
        o->state = value;
        return true;
    case 'l':
        o->listen = value;
        return true;
    case 'i':
        return add_engine(o, value);
    case 'N':
        return add_native(o, value);
    case 'w':
        free(o->worker_path);
        o->worker_path = strdup(value);
        return o->worker_path != NULL;
    case 'S':
        o->is_strict = true;
        return true;
    case 't':
        return tf_number_parse(value, 0, TF_CYCLES_MAX, &o->transition_cycles);
    case 'M':
        return tf_number_parse(value, 0, TF_MEMORY_MIB_MAX, &o->memory_mib);
    case 'I':
        return tf_number_parse(value, 1, TF_IDLE_SECONDS_MAX, &o->idle_seconds);
    case 'p':
        return tf_number_parse(value, 0, TF_POLL_US_MAX, &o->poll_us);
    case 'b':
        o->is_sgx = strcmp(value, "sgx") == 0;
        o->is_guest = strcmp(value, "tsm") == 0;
        return o->is_sgx || o->is_guest || strcmp(value, "sim") == 0;
    case 'a':
        o->aesm = value;
        return true;
    case 'A':
        o->sim_aesm = value;
        return true;
    case 'n':
        if (!tf_number_parse(value, 1, TF_THREADS_MAX, &number)) {
            return false;
        }
        o->threads = (unsigned)number;
        return true;
    default:
        return false;
    }
}

/* The worker lies beside this program unless told otherwise. */
static bool default_worker(struct tf_options *o)
{
    static const char name[] = "tfaas-worker";
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
    if (size <= 0) {
        return false;
    }
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, name, sizeof(name));
    o->worker_path = strdup(path);
    return o->worker_path != NULL;
}

static unsigned default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) {
        return 1;
    }
    return cores < TF_THREADS_MAX ? (unsigned)cores : TF_THREADS_MAX;
}

static tf_err parse_options(int argc, char **argv, struct tf_options *o)
{
    static const struct option table[] = {
        {"state", required_argument, NULL, 's'},
        {"listen", required_argument, NULL, 'l'},
        {"image", required_argument, NULL, 'i'},
        {"native", required_argument, NULL, 'N'},
        {"worker", required_argument, NULL, 'w'},
        {"threads", required_argument, NULL, 'n'},
        {"strict", no_argument, NULL, 'S'},
        {"transition-cycles", required_argument, NULL, 't'},
        {"idle-seconds", required_argument, NULL, 'I'},
        {"memory", required_argument, NULL, 'M'},
        {"poll-us", required_argument, NULL, 'p'},
        {"backend", required_argument, NULL, 'b'},
        {"aesm", required_argument, NULL, 'a'},
        {"insecure-sim-aesm", required_argument, NULL, 'A'},
        {NULL, 0, NULL, 0}};
    o->transition_cycles = 10000;
    o->idle_seconds = 60;
    o->poll_us = 100;
    o->threads = default_threads();
    int option = 0;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (!set_option(o, option, optarg)) {
            return TF_EUSAGE;
        }
    }
    if (optind != argc || o->state == NULL || o->listen == NULL || o->engine_count == 0) {
        return TF_EUSAGE;
    }
    if ((o->is_sgx ? o->sim_aesm : o->aesm) != NULL) { /* of the other backend */
        return TF_EUSAGE;
    }
    for (size_t i = 0; i < o->engine_count; i++) {
        bool is_native = o->engines[i].is_native;
        if ((o->is_sgx && is_native) || (o->is_guest && !is_native)) {
            return TF_EUSAGE; /* simulated evidence beside the hardware's */
        }
    }
    if (o->worker_path == NULL && !default_worker(o)) {
        return TF_EIO;
    }
    return TF_OK;
}

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
    return step(listen, err);
}

static bool start(struct program *p)
{
    struct tf_daemon *daemon = &p->daemon;
    struct tf_options *o = &daemon->options;
    daemon->is_simulated = !o->is_sgx && !o->is_guest;
    for (size_t i = 0; i < o->engine_count; i++) {
        if (!step(o->engines[i].is_native ? o->engines[i].image_path
                                          : o->engines[i].sigstruct_path,
                  tf_engine_identify(&o->engines[i]))) {
            return false;
        }
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
        (void)fputs(usage, stdout);
        return 0;
    }
    if (parse_options(argc, argv, &program.daemon.options) != TF_OK) {
        (void)fputs(usage, stderr);
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
