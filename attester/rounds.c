/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/rounds.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/rand.h>

#include "attester/say.h"
#include "client/channel.h"

enum {
    MACHINES_MAX = 256, /* addresses, all names together */
    JOBS_MAX = TF_CONFIG_MACHINES_MAX + MACHINES_MAX,
    TICK_MS = 100,
    LOOKS = 16, /* between two visits, about; but */
    LOOK_MIN_MS = 500,
    LOOK_MAX_MS = 10 * 1000
};

/* A name to resolve or an address to visit. */
struct job {
    struct rounds *rounds;
    char target[TF_TLOG_MACHINE_MAX + 1];
    bool is_name;
    const char *machine; /* an address: the name that it was resolved from; locked */
    bool is_busy;
    bool is_gone;            /* the name no longer leads there */
    long long due_ms;        /* of the steady clock */
    long long look_ms;       /* likewise: when to look */
    long long pause_ms;      /* until then; each visit that a look caused doubles it */
    bool is_look;            /* what runs is a look */
    struct tf_served served; /* what looks look for; the thread's while the job is busy */
};

struct rounds {
    const struct tf_attester *attester;
    pthread_mutex_t lock; /* all below */
    struct job jobs[JOBS_MAX];
    size_t count;
};

static long long now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A third of a lease, give or take a tenth of it, so that machines spread out. */
static long long interval_ms(const struct tf_config *config)
{
    uint16_t random = 0;
    long long third = (long long)config->lease_seconds * 1000 / 3;

    if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1) {
        return third;
    }
    return third - third / 10 + third / 5 * random / UINT16_MAX;
}

static long long look_pause_ms(const struct tf_config *config)
{
    long long pause = (long long)config->lease_seconds * 1000 / 3 / LOOKS;

    if (pause < LOOK_MIN_MS) {
        return LOOK_MIN_MS;
    }
    return pause < LOOK_MAX_MS ? pause : LOOK_MAX_MS;
}

/* Writes ADDR:PORT. @return whether it is one. */
static bool write_address(const struct addrinfo *a, char *out, size_t cap)
{
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];

    if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), service,
                    sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return false;
    }
    int n = snprintf(out, cap, strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host,
                     service);
    return n > 0 && (size_t)n < cap;
}

/* Where an address goes that is new: into the place of one that is gone, if there is. */
static struct job *find_room(struct rounds *r)
{
    for (size_t i = TF_CONFIG_MACHINES_MAX; i < r->count; i++) {
        if (r->jobs[i].is_gone && !r->jobs[i].is_busy) {
            return &r->jobs[i];
        }
    }
    return r->count < JOBS_MAX ? &r->jobs[r->count++] : NULL;
}

/* An address behind a name; the lock is held. */
static void add_address(struct rounds *r, const char *machine, const char *target)
{
    for (size_t i = TF_CONFIG_MACHINES_MAX; i < r->count; i++) {
        struct job *job = &r->jobs[i];
        if (strcmp(job->target, target) == 0) {
            job->machine = machine;
            job->is_gone = false;
            return;
        }
    }
    struct job *job = find_room(r);
    if (job == NULL) {
        tf_say("too-many-machines", "machine=%s", target);
        return;
    }
    *job = (struct job){.rounds = r, .machine = machine};
    (void)snprintf(job->target, sizeof(job->target), "%s", target);
}

static void take_addresses(struct rounds *r, const char *machine,
                           const struct addrinfo *list)
{
    char target[TF_TLOG_MACHINE_MAX + 1];

    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = TF_CONFIG_MACHINES_MAX; i < r->count; i++) {
        if (strcmp(r->jobs[i].machine, machine) == 0) {
            r->jobs[i].is_gone = true;
        }
    }
    for (; list != NULL; list = list->ai_next) {
        if (write_address(list, target, sizeof(target))) {
            add_address(r, machine, target);
        }
    }
    (void)pthread_mutex_unlock(&r->lock);
}

/* What does not resolve now keeps the addresses that it had. */
static void resolve(struct rounds *r, const char *machine)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[TF_TLOG_MACHINE_MAX + 1];
    const char *colon = strrchr(machine, ':');
    size_t size = (size_t)(colon - machine);
    bool has_brackets = size > 2 && machine[0] == '[' && colon[-1] == ']';

    (void)snprintf(host, sizeof(host), "%.*s", (int)(has_brackets ? size - 2 : size),
                   machine + has_brackets);
    int error = getaddrinfo(host, colon + 1, &hints, &list);
    if (error != 0) {
        tf_say("not-resolved", "machine=%s", machine);
        return;
    }
    take_addresses(r, machine, list);
    freeaddrinfo(list);
}

static bool is_serving(const struct job *job)
{
    for (size_t i = 0; i < job->served.count; i++) {
        if (!tf_channel_serves(job->target, job->served.names[i])) {
            tf_say("missing", "name=%s machine=%s", job->served.names[i], job->target);
            return false;
        }
    }
    return true;
}

/* What is missing after a visit that a look caused may still be on its way back. What is
 * missing when visits are due is gone, unless all is: then the machine is down. */
static void visit(struct job *job)
{
    struct tf_served now = {0};

    tf_visit(job->rounds->attester, job->target, &now);
    if (now.count >= job->served.count || (now.count != 0 && !job->is_look)) {
        job->served = now;
    }
}

static void *run_job(void *user)
{
    struct job *job = user;
    struct rounds *r = job->rounds;

    if (job->is_name) {
        resolve(r, job->target);
    } else if (!job->is_look) {
        visit(job);
    } else if (!is_serving(job)) {
        job->pause_ms *= 2;
        visit(job);
    }
    (void)pthread_mutex_lock(&r->lock);
    job->look_ms = now_ms() + job->pause_ms;
    job->is_busy = false;
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Starts a thread for a job; the lock is held. */
static void start(struct job *job)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (pthread_attr_init(&attributes) != 0) {
        return;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    job->is_busy = pthread_create(&thread, &attributes, run_job, job) == 0;
    (void)pthread_attr_destroy(&attributes);
}

/* Starts a visit if it is due, else a look if that is; the lock is held. */
static void start_if_due(struct job *job, const struct tf_config *config)
{
    long long now = now_ms();
    bool is_due = now >= job->due_ms;

    job->is_look = !is_due && job->served.count != 0 && now >= job->look_ms;
    if (is_due) {
        job->due_ms = now + interval_ms(config);
        job->pause_ms = look_pause_ms(config);
    }
    if (is_due || job->is_look) {
        start(job);
    }
}

static void start_due(struct rounds *r)
{
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->count; i++) {
        struct job *job = &r->jobs[i];
        bool is_used = job->target[0] != '\0' && !job->is_gone;
        if (is_used && !job->is_busy) {
            start_if_due(job, r->attester->config);
        }
    }
    (void)pthread_mutex_unlock(&r->lock);
}

void tf_rounds_run(const struct tf_attester *attester, const sigset_t *stop)
{
    const struct timespec tick = {.tv_nsec = (long)TICK_MS * 1000 * 1000};
    /* Threads that outlive this function use it: it is the process's to free. */
    static struct rounds rounds;

    rounds.attester = attester;
    (void)pthread_mutex_init(&rounds.lock, NULL);
    for (size_t i = 0; i < attester->config->machine_count; i++) {
        struct job *job = &rounds.jobs[i];
        job->rounds = &rounds;
        job->is_name = true;
        (void)snprintf(job->target, sizeof(job->target), "%s",
                       attester->config->machines[i]);
    }
    rounds.count = TF_CONFIG_MACHINES_MAX;
    do {
        start_due(&rounds);
    } while (sigtimedwait(stop, NULL, &tick) < 0);
}
