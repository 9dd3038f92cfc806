/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker_process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/version.h"
#include "host/log.h"
#include "host/sandbox.h"
#include "host/worker.h"

struct process {
    const struct tf_worker_settings *settings;
    struct tf_enclave *enclave;
    struct tf_quoter *quoter;
    unsigned threads;
    char descriptor[TF_DESCRIPTOR_MAX];
    size_t descriptor_size;
    pthread_barrier_t ready; /* all threads have what they need: it is locked in */
    sem_t ended;             /* posted by each thread at its end */
    tf_err failed;           /* written before the post, by threads that fail */
};

struct start {
    struct process *process;
    unsigned index;
    pthread_t thread;
};

static tf_err read_descriptor(struct process *p)
{
    int fd = open(p->settings->descriptor_path, O_RDONLY | O_CLOEXEC);
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

/* By the last thread, for all of them; before anything from outside is looked at. */
static tf_err lock_in(struct process *p)
{
    int last = pthread_barrier_wait(&p->ready);

    if (last == PTHREAD_BARRIER_SERIAL_THREAD) {
        __atomic_store_n(&p->failed, tf_sandbox_enter(p->settings->sandbox),
                         __ATOMIC_RELEASE);
    }
    (void)pthread_barrier_wait(&p->ready);
    return __atomic_load_n(&p->failed, __ATOMIC_ACQUIRE);
}

static tf_err run_thread(struct process *p, unsigned index)
{
    struct tf_worker_thread *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return TF_ENOMEM;
    }
    pin(index);
    tf_err err = tf_worker_init(t, p->enclave, index, TF_FIRST_LINK + (int)index);
    if (err == TF_OK) {
        t->threads = p->threads;
        t->idle_seconds = p->settings->idle_seconds;
        t->memory = p->settings->memory_mib << 20;
        t->poll.most_us = p->settings->poll_us;
        err = tf_worker_quote_join(t, p->quoter);
        if (err == TF_OK) {
            err = tf_enclave_thread_init(p->enclave);
        }
        if (err == TF_OK) {
            err = lock_in(p);
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
    if (sem_init(&p->ended, 0, 0) != 0 ||
        pthread_barrier_init(&p->ready, NULL, p->threads) != 0) {
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

int tf_worker_process_run(const struct tf_worker_settings *settings)
{
    static struct process process;
    process.settings = settings;
    /* Whoever read the log may go away; that is no reason to stop serving. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* Inherited on purpose, but no further. */
    for (unsigned i = 0; i < settings->links; i++) {
        if (fcntl(TF_FIRST_LINK + (int)i, F_SETFD, FD_CLOEXEC) != 0) {
            (void)fputs("tfaas-worker: started without its links\n", stderr);
            return TF_WORKER_USAGE;
        }
    }
    tf_err err =
        settings->abi == TF_ABI_VERSION ? read_descriptor(&process) : TF_EVERSION;
    if (err == TF_OK) {
        err = tf_enclave_open(&settings->enclave, &process.enclave);
    }
    if (err == TF_OK) {
        err = tf_sandbox_lower();
    }
    if (err == TF_OK) {
        unsigned tcs = tf_enclave_threads(process.enclave);
        process.threads = tcs < settings->links ? tcs : settings->links;
        /* Not closed: it may be waiting for AESM when all else is done. */
        err = tf_quoter_open(process.enclave, process.threads, &process.quoter);
    }
    if (err == TF_OK) {
        err = run_threads(&process);
    }
    if (err != TF_OK) {
        tf_log("worker-failed", "error=%s", tf_err_name(err));
        return TF_WORKER_EXIT + (int)err;
    }
    return 0;
}
