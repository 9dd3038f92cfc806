/* SPDX-License-Identifier: Apache-2.0 */
#include "host/quoter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host/log.h"

enum { PLACES = 2 * TF_QUOTER_JOBS_MAX }; /* as many may have been answered */
enum job_state { JOB_FREE, JOB_WAITING, JOB_ASKED, JOB_DONE };

struct job {
    enum job_state state;
    unsigned thread;
    uint64_t order; /* the lowest is next */
    uint64_t asked_ms;
    uint64_t peer;
    uint32_t target;
    struct sgx_report report;
    struct tf_quote_answer answer;
};

struct tf_quoter {
    struct tf_enclave *enclave; /* asked by the runner alone */
    unsigned threads;
    int fds[TF_THREADS_MAX];
    pthread_t runner;
    pthread_mutex_t lock; /* around all below; never held while somebody is asked */
    pthread_cond_t changed;
    bool is_stopping;
    uint64_t last_order;
    struct job jobs[PLACES];

    struct sgx_target_info target;
    uint32_t target_number;
    bool is_target_old;            /* to be asked for again, */
    uint64_t next_ms;              /* not before; */
    unsigned wait_ms;              /* the next distance */
    bool is_away;                  /* it was logged */
    struct tf_log_limit log_limit; /* of failures, which strangers can cause */
};

static uint64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void ring(const struct tf_quoter *q, unsigned thread)
{
    const uint64_t one = 1;

    /* It fails only where the count would overflow: then it is readable already. */
    ssize_t written = write(q->fds[thread], &one, sizeof(one));
    (void)written;
}

/* Waits under the lock for a change, or until a time. */
static void wait_until(struct tf_quoter *q, uint64_t ms)
{
    struct timespec at = {.tv_sec = (time_t)(ms / 1000),
                          .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)pthread_cond_timedwait(&q->changed, &q->lock, &at);
}

/* --- for whom REPORTs are made -------------------------------------------------------
 */

static void take_target(struct tf_quoter *q, const struct sgx_target_info *target)
{
    if (q->is_away) {
        uint32_t code = 0;
        tf_log("quoting-back", "by=\"%s\"", tf_enclave_quoted_by(q->enclave, &code));
    }
    q->is_away = false;
    q->is_target_old = false;
    if (q->target_number != 0 && memcmp(&q->target, target, sizeof(*target)) == 0) {
        return;
    }
    q->target = *target;
    q->target_number++;
    for (unsigned i = 0; i < q->threads; i++) {
        ring(q, i);
    }
}

/* Under the lock, which is given back meanwhile. */
static void refresh_target(struct tf_quoter *q)
{
    struct sgx_target_info target;

    (void)pthread_mutex_unlock(&q->lock);
    tf_err err = tf_enclave_target_info(q->enclave, &target);
    (void)pthread_mutex_lock(&q->lock);
    if (err == TF_OK) {
        take_target(q, &target);
        return;
    }
    if (!q->is_away) {
        uint32_t code = 0;
        const char *by = tf_enclave_quoted_by(q->enclave, &code);
        tf_log("quoting-away", "error=%s code=%u by=\"%s\"", tf_err_name(err), code, by);
        q->is_away = true;
        q->wait_ms = TF_QUOTER_FIRST_WAIT_MS;
    }
    q->next_ms = clock_ms() + q->wait_ms;
    unsigned longer = 2 * q->wait_ms;
    q->wait_ms = longer < TF_QUOTER_WAIT_MAX_MS ? longer : TF_QUOTER_WAIT_MAX_MS;
}

/* --- questions -----------------------------------------------------------------------
 */

static bool is_worth_a_retry(tf_err err)
{
    return err == TF_ENOTFOUND || err == TF_EIO || err == TF_AGAIN;
}

/* Asks until there is an answer, without the lock; waits with it, so that the end of the
 * process need not wait. @return why there is none. */
static tf_err ask_often(struct tf_quoter *q, struct job *job, unsigned *attempts)
{
    uint64_t deadline = job->asked_ms + TF_QUOTER_JOB_MS;
    unsigned distance = TF_QUOTER_FIRST_WAIT_MS;
    tf_err err = TF_EQUOTE;

    for (*attempts = 1;; (*attempts)++) {
        (void)pthread_mutex_unlock(&q->lock);
        err = tf_enclave_quote(q->enclave, &job->report, job->answer.evidence,
                               &job->answer.size);
        (void)pthread_mutex_lock(&q->lock);
        uint64_t next = clock_ms() + distance;
        if (!is_worth_a_retry(err) || *attempts == TF_QUOTER_ATTEMPTS_MAX ||
            next >= deadline) {
            return err;
        }
        while (clock_ms() < next && !q->is_stopping) {
            wait_until(q, next);
        }
        if (q->is_stopping) {
            return err;
        }
        distance *= 2;
    }
}

static void tell_failure(struct tf_quoter *q, tf_err err, unsigned attempts)
{
    uint32_t code = 0;
    const char *by = tf_enclave_quoted_by(q->enclave, &code);

    if (tf_log_may(&q->log_limit, clock_ms())) {
        tf_log("quote-failed", "error=%s code=%u attempts=%u by=\"%s\"", tf_err_name(err),
               attempts > 0 ? code : 0, attempts, by);
    }
}

static void serve(struct tf_quoter *q, struct job *job)
{
    unsigned attempts = 0;
    tf_err err = TF_EQUOTE;

    job->state = JOB_ASKED;
    if (clock_ms() - job->asked_ms >= TF_QUOTER_JOB_MS) {
        err = TF_AGAIN; /* those before it took all the time */
    } else if (job->target != 0 && job->target == q->target_number) {
        err = ask_often(q, job, &attempts);
    }
    if (err != TF_OK) {
        tell_failure(q, err, attempts);
        job->answer.size = 0;
        /* If it is gone we say when it is back; if it is another one now, for whom
         * REPORTs are to be made. */
        q->is_target_old = true;
    }
    job->state = JOB_DONE;
    ring(q, job->thread);
}

/* --- the queue -----------------------------------------------------------------------
 */

/* The oldest in a state, of one thread or (`thread` is TF_THREADS_MAX) of all. */
static struct job *find(struct tf_quoter *q, enum job_state state, unsigned thread)
{
    struct job *found = NULL;

    for (size_t i = 0; i < PLACES; i++) {
        struct job *job = &q->jobs[i];
        if (job->state == state && (thread == TF_THREADS_MAX || job->thread == thread) &&
            (found == NULL || job->order < found->order)) {
            found = job;
        }
    }
    return found;
}

static void *run(void *user)
{
    struct tf_quoter *q = user;

    (void)pthread_mutex_lock(&q->lock);
    while (!q->is_stopping) {
        struct job *job = find(q, JOB_WAITING, TF_THREADS_MAX);
        if (job != NULL) {
            serve(q, job);
        } else if (!q->is_target_old) {
            (void)pthread_cond_wait(&q->changed, &q->lock);
        } else if (clock_ms() >= q->next_ms) {
            refresh_target(q);
        } else {
            wait_until(q, q->next_ms);
        }
    }
    (void)pthread_mutex_unlock(&q->lock);
    return NULL;
}

static bool has_no_answer(const struct job *job)
{
    return job->state == JOB_WAITING || job->state == JOB_ASKED;
}

/* Questions without an answer; of one peer, or (NULL) of all. */
static size_t count_jobs(const struct tf_quoter *q, const uint64_t *peer)
{
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++) {
        const struct job *job = &q->jobs[i];
        count += has_no_answer(job) && (peer == NULL || job->peer == *peer);
    }
    return count;
}

/* The newest question of who has most, if that is a share larger than `share`; or NULL.
 */
static struct job *find_surplus(struct tf_quoter *q, size_t share)
{
    struct job *found = NULL;

    for (size_t i = 0; i < PLACES; i++) {
        struct job *job = &q->jobs[i];
        if (job->state != JOB_WAITING || job->peer == 0) {
            continue;
        }
        size_t count = count_jobs(q, &job->peer);
        if (count > share ||
            (found != NULL && count == share && job->order > found->order)) {
            found = job;
            share = count;
        }
    }
    return found;
}

/* Whether one more may wait: in a full queue somebody gives way who would still have as
 * many as the peer then has. */
static bool make_room(struct tf_quoter *q, uint64_t peer)
{
    size_t own = count_jobs(q, &peer);

    if (peer != 0 && own >= TF_QUOTER_PEER_JOBS_MAX) {
        return false;
    }
    if (count_jobs(q, NULL) < TF_QUOTER_JOBS_MAX) {
        return true;
    }
    struct job *job = find_surplus(q, own + 1);
    if (job == NULL) {
        return false;
    }
    job->answer.size = 0;
    job->state = JOB_DONE;
    ring(q, job->thread);
    return true;
}

bool tf_quoter_ask(struct tf_quoter *quoter, unsigned thread, uint64_t id, uint64_t peer,
                   uint32_t target, const struct sgx_report *report)
{
    (void)pthread_mutex_lock(&quoter->lock);
    struct job *job = find(quoter, JOB_FREE, TF_THREADS_MAX);
    bool is_taken = job != NULL && make_room(quoter, peer);
    if (is_taken) {
        quoter->last_order++;
        job->state = JOB_WAITING;
        job->thread = thread;
        job->order = quoter->last_order;
        job->asked_ms = clock_ms();
        job->peer = peer;
        job->target = target;
        job->report = *report;
        job->answer.id = id;
        (void)pthread_cond_signal(&quoter->changed);
    }
    (void)pthread_mutex_unlock(&quoter->lock);
    return is_taken;
}

bool tf_quoter_take(struct tf_quoter *quoter, unsigned thread,
                    struct tf_quote_answer *out)
{
    (void)pthread_mutex_lock(&quoter->lock);
    struct job *job = find(quoter, JOB_DONE, thread);
    if (job != NULL) {
        out->id = job->answer.id;
        out->size = job->answer.size;
        memcpy(out->evidence, job->answer.evidence, job->answer.size);
        job->state = JOB_FREE;
    }
    (void)pthread_mutex_unlock(&quoter->lock);
    return job != NULL;
}

uint32_t tf_quoter_target(struct tf_quoter *quoter, struct sgx_target_info *out)
{
    (void)pthread_mutex_lock(&quoter->lock);
    *out = quoter->target;
    uint32_t number = quoter->target_number;
    (void)pthread_mutex_unlock(&quoter->lock);
    return number;
}

int tf_quoter_fd(const struct tf_quoter *quoter, unsigned thread)
{
    return quoter->fds[thread];
}

/* --- life ----------------------------------------------------------------------------
 */

static void wipe(struct tf_quoter *q)
{
    for (unsigned i = 0; i < q->threads; i++) {
        if (q->fds[i] >= 0) {
            (void)close(q->fds[i]);
        }
    }
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

static tf_err open_fds(struct tf_quoter *q)
{
    tf_err err = TF_OK;

    for (unsigned i = 0; i < q->threads; i++) {
        q->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = q->fds[i] < 0 ? TF_EIO : err;
    }
    return err;
}

tf_err tf_quoter_open(struct tf_enclave *enclave, unsigned threads,
                      struct tf_quoter **out)
{
    pthread_condattr_t attributes;
    struct tf_quoter *q = calloc(1, sizeof(*q));

    if (q == NULL) {
        return TF_ENOMEM;
    }
    q->enclave = enclave;
    q->threads = threads < TF_THREADS_MAX ? threads : TF_THREADS_MAX;
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&q->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    tf_err err = open_fds(q);
    if (err == TF_OK) {
        (void)pthread_mutex_lock(&q->lock);
        q->is_target_old = true;
        refresh_target(q);
        (void)pthread_mutex_unlock(&q->lock);
        err = pthread_create(&q->runner, NULL, run, q) == 0 ? TF_OK : TF_EIO;
    }
    if (err != TF_OK) {
        wipe(q);
        return err;
    }
    *out = q;
    return TF_OK;
}

void tf_quoter_close(struct tf_quoter *quoter)
{
    if (quoter == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&quoter->lock);
    quoter->is_stopping = true;
    (void)pthread_cond_signal(&quoter->changed);
    (void)pthread_mutex_unlock(&quoter->lock);
    (void)pthread_join(quoter->runner, NULL);
    wipe(quoter);
}
