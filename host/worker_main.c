/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaas-worker: one process, one enclave instance. It opens the image, runs one thread
 * per TCS, and ends when tfaasd closes the links (0) or the enclave stops (TF_WORKER_EXIT
 * and why; tfaasd builds a new one). It is started by tfaasd, with the links as
 * descriptors 3, 4, ...
 */
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/log.h"
#include "host/number.h"
#include "host/sgx.h"
#include "host/worker.h"
#include "lib/bytes.h"

enum { FIRST_LINK = 3 };

struct options {
    struct tf_enclave_options enclave;
    const char *descriptor_path;
    uint64_t idle_seconds;
    unsigned links;
    bool is_dry;
    bool is_sim_aesm; /* the simulator's REPORTs go to an AESM */
};

struct process {
    struct options options;
    struct tf_enclave *enclave;
    struct tf_quoter *quoter;
    unsigned threads;
    char descriptor[TF_DESCRIPTOR_MAX];
    size_t descriptor_size;
    sem_t ended;   /* posted by each thread at its end */
    tf_err failed; /* written before the post, by threads that fail */
};

struct start {
    struct process *process;
    unsigned index;
    pthread_t thread;
};

static const char usage[] =
    "usage: tfaas-worker --image F --sigstruct F --config-id HEX --descriptor FILE\n"
    "                    --sim-dir DIR --links N [--strict] [--transition-cycles N]\n"
    "                    [--idle-seconds N] [--config-svn N] [--backend sim|sgx]\n"
    "                    [--aesm SOCKET | --insecure-sim-aesm SOCKET]\n"
    "       tfaas-worker --backend sgx --dry-run --image F --sigstruct F [--config-id "
    "HEX]\n"
    "Started by tfaasd; the links are descriptors 3 to 3 + N - 1. A dry run prints what\n"
    "the hardware backend would ask of the kernel, and asks nothing.\n";

static bool set_option(struct options *o, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 'i':
        o->enclave.image_path = value;
        return true;
    case 's':
        o->enclave.sigstruct_path = value;
        return true;
    case 'c':
        return tf_hex_parse(value, strlen(value), o->enclave.config_id, 32) == TF_OK;
    case 'd':
        o->descriptor_path = value;
        return true;
    case 'm':
        o->enclave.sim_dir = value;
        return true;
    case 'S':
        o->enclave.is_strict = true;
        return true;
    case 't':
        return tf_number_parse(value, 0, TF_CYCLES_MAX, &o->enclave.transition_cycles);
    case 'b':
        o->enclave.backend = strcmp(value, "sgx") == 0 ? &tf_backend_sgx : NULL;
        return o->enclave.backend != NULL || strcmp(value, "sim") == 0;
    case 'a':
    case 'A':
        o->enclave.aesm_path = value;
        o->is_sim_aesm = option == 'A';
        return true;
    case 'D':
        o->is_dry = true;
        return true;
    case 'v':
        if (!tf_number_parse(value, 0, UINT16_MAX, &number)) {
            return false;
        }
        o->enclave.config_svn = (uint16_t)number;
        return true;
    case 'I':
        return tf_number_parse(value, 1, TF_IDLE_SECONDS_MAX, &o->idle_seconds);
    case 'n':
        if (!tf_number_parse(value, 1, TF_THREADS_MAX, &number)) {
            return false;
        }
        o->links = (unsigned)number;
        return true;
    default:
        return false;
    }
}

static tf_err parse_options(int argc, char **argv, struct options *out)
{
    static const struct option table[] = {
        {"image", required_argument, NULL, 'i'},
        {"sigstruct", required_argument, NULL, 's'},
        {"config-id", required_argument, NULL, 'c'},
        {"descriptor", required_argument, NULL, 'd'},
        {"sim-dir", required_argument, NULL, 'm'},
        {"strict", no_argument, NULL, 'S'},
        {"transition-cycles", required_argument, NULL, 't'},
        {"idle-seconds", required_argument, NULL, 'I'},
        {"links", required_argument, NULL, 'n'},
        {"backend", required_argument, NULL, 'b'},
        {"config-svn", required_argument, NULL, 'v'},
        {"aesm", required_argument, NULL, 'a'},
        {"insecure-sim-aesm", required_argument, NULL, 'A'},
        {"dry-run", no_argument, NULL, 'D'},
        {NULL, 0, NULL, 0}};
    struct options o = {.enclave = {.transition_cycles = 10000}, .idle_seconds = 60};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (!set_option(&o, option, optarg)) {
            return TF_EUSAGE;
        }
    }
    bool is_sim = o.enclave.backend == NULL;
    if (optind != argc || (o.is_dry && is_sim) ||
        (o.enclave.aesm_path != NULL && o.is_sim_aesm != is_sim)) {
        return TF_EUSAGE;
    }
    *out = o;
    return TF_OK;
}

/* Whether all is there that the kind of run needs. */
static bool is_complete(const struct options *o)
{
    bool has_image = o->enclave.image_path != NULL && o->enclave.sigstruct_path != NULL;
    bool is_sim = o->enclave.backend == NULL;

    return has_image && (o->is_dry || (o->links != 0 && o->descriptor_path != NULL &&
                                       (!is_sim || o->enclave.sim_dir != NULL)));
}

/* Loads and takes down with nothing under it that could do anything. */
static int run_dry(const struct options *o)
{
    struct tf_sgx_dry dry;
    struct tf_enclave *enclave = NULL;
    struct tf_enclave_options options = o->enclave;

    tf_sgx_dry_init(&dry, stdout);
    options.sgx_port = &dry.port;
    tf_err err = tf_enclave_open(&options, &enclave);
    tf_enclave_close(enclave);
    if (err != TF_OK) {
        (void)fprintf(stderr, "tfaas-worker: %s: %s\n", tf_err_name(err),
                      tf_err_text(err));
        return TF_WORKER_EXIT + (int)err;
    }
    return 0;
}

static tf_err read_descriptor(struct process *p)
{
    int fd = open(p->options.descriptor_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return TF_EIO;
    }
    ssize_t got = 1;
    while (got > 0 && p->descriptor_size < sizeof(p->descriptor)) {
        got = read(fd, p->descriptor + p->descriptor_size,
                   sizeof(p->descriptor) - p->descriptor_size);
        p->descriptor_size += got > 0 ? (size_t)got : 0;
    }
    (void)close(fd);
    if (got != 0) {
        return got < 0 ? TF_EIO : TF_ELIMIT;
    }
    return TF_OK;
}

/* The core with `skip` allowed ones before it. */
static size_t find_core(const cpu_set_t *allowed, unsigned skip)
{
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, allowed) && skip-- == 0) {
            return cpu;
        }
    }
    return 0;
}

/* Thread i stays on the i-th of the cores that this process may use. */
static void pin(unsigned index)
{
    cpu_set_t allowed;
    cpu_set_t one;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2) {
        return;
    }
    CPU_ZERO(&one);
    CPU_SET(find_core(&allowed, index % (unsigned)CPU_COUNT(&allowed)), &one);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static tf_err run_thread(struct process *p, unsigned index)
{
    struct tf_worker_thread *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return TF_ENOMEM;
    }
    pin(index);
    tf_err err = tf_worker_init(t, p->enclave, index, FIRST_LINK + (int)index);
    if (err == TF_OK) {
        t->threads = p->threads;
        t->idle_seconds = p->options.idle_seconds;
        err = tf_worker_quote_join(t, p->quoter);
        if (err == TF_OK) {
            err = tf_enclave_thread_init(p->enclave);
        }
        if (err == TF_OK) {
            err = tf_worker_run(t, p->descriptor, p->descriptor_size);
        }
        tf_worker_wipe(t);
    }
    free(t);
    return err;
}

static void *thread_main(void *user)
{
    struct start *start = user;
    struct process *p = start->process;
    tf_err err = run_thread(p, start->index);
    if (err != TF_OK) {
        __atomic_store_n(&p->failed, err, __ATOMIC_RELEASE);
    }
    (void)sem_post(&p->ended);
    return NULL;
}

/* Runs all threads; returns when all ended well, or at once when one failed, since the
 * process is then of no use and its end stops the others. */
static tf_err run_threads(struct process *p)
{
    static struct start starts[TF_THREADS_MAX];
    if (sem_init(&p->ended, 0, 0) != 0) {
        return TF_EIO;
    }
    for (unsigned i = 0; i < p->threads; i++) {
        starts[i] = (struct start){.process = p, .index = i};
        if (pthread_create(&starts[i].thread, NULL, thread_main, &starts[i]) != 0) {
            return TF_EIO;
        }
    }
    for (unsigned ended = 0; ended < p->threads;) {
        if (sem_wait(&p->ended) != 0) {
            continue; /* EINTR */
        }
        ended++;
        tf_err err = __atomic_load_n(&p->failed, __ATOMIC_ACQUIRE);
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}

int main(int argc, char **argv)
{
    static struct process process;
    tf_err err = parse_options(argc, argv, &process.options);
    const struct options *o = &process.options;
    if (err == TF_OK && o->enclave.backend != NULL && !o->is_dry &&
        tf_sgx_missing(stderr) != 0) { /* before anything else can be wrong */
        return TF_WORKER_EXIT + (int)TF_EPLATFORM;
    }
    if (err != TF_OK || !is_complete(o)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (o->is_dry) {
        return run_dry(o);
    }
    /* Whoever read the log may go away; that is no reason to stop serving. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* Inherited on purpose, but no further. */
    for (unsigned i = 0; i < process.options.links; i++) {
        if (fcntl(FIRST_LINK + (int)i, F_SETFD, FD_CLOEXEC) != 0) {
            (void)fputs("tfaas-worker: started without its links\n", stderr);
            return 2;
        }
    }
    err = read_descriptor(&process);
    if (err == TF_OK) {
        err = tf_enclave_open(&process.options.enclave, &process.enclave);
    }
    if (err == TF_OK) {
        unsigned tcs = tf_enclave_threads(process.enclave);
        process.threads = tcs < process.options.links ? tcs : process.options.links;
        /* Not closed: it may be waiting for AESM when all else is done. */
        err = tf_quoter_open(process.enclave, process.threads, &process.quoter);
    }
    if (err == TF_OK) {
        err = run_threads(&process);
    }
    if (err != TF_OK) {
        tf_log("worker-failed", "error=%s", tf_err_name(err));
        /* Not exit(): other threads still run, and may be inside the enclave. */
        _exit(TF_WORKER_EXIT + (int)err);
    }
    return 0;
}
