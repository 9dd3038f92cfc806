/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/native/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "enclave/panic.h"

enum { TICK_NS = 4 * 1000 * 1000, IDLE_TICKS = 5 };

static const uint64_t GRACE_NS = UINT64_C(2000000000);

/* All watches; only grows. */
static struct tf_watch *all;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_running;
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool is_asleep; /* under sleep_lock, but for a first look */

static uint64_t now_of(clockid_t clock)
{
    struct timespec t = {0};

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* @return whether it is armed. */
static bool look(struct tf_watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    bool is_armed = watch->is_armed;
    uint64_t used = is_armed ? now_of(watch->clock) - watch->start : 0;
    if (is_armed && used > watch->limit) {
        watch->is_fired = true;
        watch->fire(watch->user); /* again: who told of the end may run a script, too */
    }
    if (is_armed && watch->is_fired && used - watch->limit > GRACE_NS) {
        (void)fputs("tfaas: a lambda does not end when told to\n", stderr);
        tf_panic(TF_PANIC_RUNAWAY);
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return is_armed;
}

static bool look_at_all(void)
{
    bool is_any = false;
    struct tf_watch *watch = __atomic_load_n(&all, __ATOMIC_ACQUIRE);

    for (; watch != NULL; watch = watch->next) {
        is_any = look(watch) || is_any;
    }
    return is_any;
}

/* Until somebody arms a watch: an idle process wakes nobody. */
static void sleep_until_woken(void)
{
    (void)pthread_mutex_lock(&sleep_lock);
    __atomic_store_n(&is_asleep, true, __ATOMIC_SEQ_CST);
    while (!look_at_all() && is_asleep) {
        (void)pthread_cond_wait(&wake, &sleep_lock);
    }
    __atomic_store_n(&is_asleep, false, __ATOMIC_SEQ_CST);
    (void)pthread_mutex_unlock(&sleep_lock);
}

static void *watch_main(void *user)
{
    const struct timespec tick = {.tv_nsec = TICK_NS};
    unsigned idle = 0;

    (void)user;
    for (;;) {
        (void)nanosleep(&tick, NULL);
        idle = look_at_all() ? 0 : idle + 1;
        if (idle >= IDLE_TICKS) {
            sleep_until_woken();
            idle = 0;
        }
    }
    return NULL;
}

static void start_once(void)
{
    pthread_t thread;
    sigset_t every;
    sigset_t before;

    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    is_running = pthread_create(&thread, NULL, watch_main, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_running) {
        (void)pthread_detach(thread);
    }
}

static struct tf_watch *make(void)
{
    struct tf_watch *watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)pthread_once(&once, start_once);
    if (watch == MAP_FAILED || !is_running ||
        pthread_getcpuclockid(pthread_self(), &watch->clock) != 0 ||
        pthread_mutex_init(&watch->lock, NULL) != 0) {
        return NULL;
    }
    watch->next = __atomic_load_n(&all, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&all, &watch->next, watch, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
    return watch;
}

struct tf_watch *tf_watch_self(void)
{
    static __thread struct tf_watch *own;

    if (own == NULL) {
        own = make();
    }
    return own;
}

void tf_watch_arm(struct tf_watch *watch, uint64_t ns, void (*fire)(void *user),
                  void *user)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->start = now_of(CLOCK_THREAD_CPUTIME_ID);
    watch->limit = ns;
    watch->fire = fire;
    watch->user = user;
    watch->is_fired = false;
    watch->is_armed = true;
    (void)pthread_mutex_unlock(&watch->lock);
    if (__atomic_load_n(&is_asleep, __ATOMIC_SEQ_CST)) {
        (void)pthread_mutex_lock(&sleep_lock);
        __atomic_store_n(&is_asleep, false, __ATOMIC_SEQ_CST);
        (void)pthread_cond_signal(&wake);
        (void)pthread_mutex_unlock(&sleep_lock);
    }
}

uint64_t tf_watch_disarm(struct tf_watch *watch, bool *is_fired)
{
    (void)pthread_mutex_lock(&watch->lock);
    uint64_t used = now_of(CLOCK_THREAD_CPUTIME_ID) - watch->start;
    *is_fired = watch->is_fired;
    watch->is_armed = false;
    (void)pthread_mutex_unlock(&watch->lock);
    return used;
}
