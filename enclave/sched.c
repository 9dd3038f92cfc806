/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/sched.h"

#include "enclave/conn.h"
#include "enclave/invoke.h"
#include "enclave/logs.h"
#include "enclave/thread.h"

/* What bringing in a heap and answering takes, in steps, about. */
static const uint64_t INVOCATION_STEPS = 256;

/* While nobody asks for anything, an entry may last about as long. */
static const uint64_t ENTRY_NS = UINT64_C(500) * 1000;

/* 2^20 quanta are beyond any step limit. Quanta of an entry: some kinds of work take
 * thirty times as long as others, and it may change from one to the other. */
enum { PUT_BACK_MAX = 20, ENTRY_QUANTA_MAX = 8 };

/* --- queues ---------------------------------------------------------------------- */

/* The connection that waits longest; or NULL. */
static struct tf_conn *first_of(const struct tf_queue *queue)
{
    return tf_list_first(&queue->conns);
}

static void push(struct tf_thread *thread, struct tf_queue *queue, struct tf_conn *conn)
{
    if (queue->count == 0) {
        tf_list_add_last(&thread->sched.queues, &queue->link, queue);
    }
    conn->waiting.queue = queue;
    tf_list_add_last(&queue->conns, &conn->waiting.link, conn);
    queue->count++;
    thread->sched.waiting_count++;
}

static void pull(struct tf_conn *conn)
{
    struct tf_sched *sched = &conn->thread->sched;
    struct tf_queue *queue = conn->waiting.queue;

    tf_list_remove(&queue->conns, &conn->waiting.link);
    conn->waiting.queue = NULL;
    queue->count--;
    sched->waiting_count--;
    if (queue->count == 0) {
        tf_list_remove(&sched->queues, &queue->link);
    }
}

void tf_sched_reassign(struct tf_thread *thread, struct tf_queue *queue)
{
    struct tf_conn *conn;

    while ((conn = first_of(queue)) != NULL) {
        pull(conn);
        push(thread, &thread->sched.again, conn);
    }
}

/* --- lanes ----------------------------------------------------------------------- */

static size_t count_free(const struct tf_thread *thread)
{
    size_t count = 0;

    for (size_t i = 0; i < thread->lane_count; i++) {
        count += thread->lanes[i].resident == NULL;
    }
    return count;
}

/* How often the lane's request was put back; one that is made ready for none never was,
 * and one that is tried keeps its lane. */
static unsigned put_back_of(const struct tf_lane *lane)
{
    if (lane == lane->thread->trial.lane) {
        return PUT_BACK_MAX;
    }
    return lane->conn == NULL ? 0 : lane->conn->put_back;
}

/* For a new request when no lane is free: that of one that was not put back yet, and of
 * these the one that loses least; or NULL. */
static struct tf_lane *find_for_new(struct tf_thread *thread)
{
    struct tf_lane *best = NULL;

    for (size_t i = 0; i < thread->lane_count; i++) {
        struct tf_lane *lane = &thread->lanes[i];
        if (put_back_of(lane) == 0 && (best == NULL || lane->pauses < best->pauses)) {
            best = lane;
        }
    }
    return best;
}

/* Whether the invocation has had the quanta that it may have while others wait. */
static bool is_over(const struct tf_lane *lane)
{
    unsigned times = put_back_of(lane);
    return lane->pauses >= UINT64_C(1) << (times < PUT_BACK_MAX ? times : PUT_BACK_MAX);
}

/* Lanes of what was put back. */
static size_t count_returned(const struct tf_thread *thread)
{
    size_t count = 0;

    for (size_t i = 0; i < thread->lane_count; i++) {
        count += put_back_of(&thread->lanes[i]) != 0;
    }
    return count;
}

/* For one that was put back, when at most one lane is free: that of the one that has run
 * for longest; or NULL. Those that were put back must not come to hold all. */
static struct tf_lane *find_for_returned(struct tf_thread *thread)
{
    bool may_be_more = count_returned(thread) + 1 < thread->lane_count;
    struct tf_lane *best = NULL;

    for (size_t i = 0; i < thread->lane_count; i++) {
        struct tf_lane *lane = &thread->lanes[i];
        if (lane->resident != NULL && is_over(lane) &&
            (put_back_of(lane) != 0 || may_be_more) &&
            (best == NULL || lane->pauses > best->pauses)) {
            best = lane;
        }
    }
    return best;
}

/* Whether each lane of the lambda's has got as far as the handler: its top level runs in
 * one of them at a time. */
static bool is_past_load(const struct tf_thread *thread,
                         const struct tf_resident *resident)
{
    for (size_t i = 0; i < thread->lane_count; i++) {
        const struct tf_lane *lane = &thread->lanes[i];
        if (lane->resident == resident && !lane->is_loaded) {
            return false;
        }
    }
    return true;
}

/* Whether the lambda's next request may begin, and in whose place if no lane is free. A
 * reused heap exists once, as far as the slots allow. */
static bool may_begin(struct tf_thread *thread, const struct tf_resident *resident,
                      const struct tf_conn *conn, struct tf_lane **victim)
{
    size_t free = count_free(thread);

    *victim = NULL;
    if (resident->bundle == NULL) {
        return false; /* it is on its way */
    }
    if (resident->runs != 0) {
        return free > 1 && resident->runs < resident->now.lambda->concurrency &&
               !resident->now.lambda->is_reused && is_past_load(thread, resident);
    }
    if (conn->put_back != 0 ? free > 1 : free > 0) {
        return true;
    }
    *victim = conn->put_back != 0 ? find_for_returned(thread) : find_for_new(thread);
    return *victim != NULL;
}

/* How good a free lane is: the less has to be done to have the lambda in it. */
static int fit_of(const struct tf_lane *lane, const struct tf_resident *resident)
{
    const struct tf_snapshot *snapshot = &resident->snapshots[lane->index];

    if (lane->slot.in == snapshot) {
        return 4;
    }
    if (resident->is_loaded[lane->index]) {
        return 3;
    }
    /* Which of them a lambda gets if it may choose. */
    return resident->entry->index % lane->thread->lane_count == lane->index ? 2 : 1;
}

/* The best free lane; there is one. */
static struct tf_lane *find_lane(struct tf_thread *thread,
                                 const struct tf_resident *resident)
{
    struct tf_lane *best = NULL;
    int best_fit = 0;

    for (size_t i = 0; i < thread->lane_count; i++) {
        struct tf_lane *lane = &thread->lanes[i];
        int fit = lane->resident == NULL ? fit_of(lane, resident) : 0;
        if (fit > best_fit) {
            best = lane;
            best_fit = fit;
        }
    }
    return best;
}

/* --- running --------------------------------------------------------------------- */

/* Answers, and frees the lane. */
static void finish(struct tf_lane *lane)
{
    if (lane->conn != NULL) {
        tf_invoke_end(lane);
    }
    tf_lane_free(lane);
}

/* Its lane is for another; the connection still waits. */
static void put_back(struct tf_lane *lane)
{
    struct tf_thread *thread = lane->thread;
    struct tf_conn *conn = lane->conn;
    struct tf_queue *queue =
        lane->resident->is_retired ? &thread->sched.again : &lane->resident->queue;

    if (lane->run != 0) {
        tf_lock_take(&thread->instance->lock);
        tf_logs_forget(thread->instance, lane->resident->entry, lane->run);
        tf_lock_give(&thread->instance->lock);
    }
    tf_lane_free(lane);
    if (conn != NULL) {
        conn->put_back++;
        push(thread, queue, conn);
    }
}

/* @return whether the invocation has ended. */
static bool step(struct tf_lane *lane)
{
    struct tf_resident *resident = lane->resident;
    struct tf_sched *sched = &lane->thread->sched;
    uint64_t steps = TF_QUANTUM;

    lane->turn = ++sched->turns;
    if (sched->clock < resident->used_up) {
        sched->clock = resident->used_up;
    }
    bool is_done = tf_lane_step(lane);
    if (is_done) {
        uint64_t paused = lane->pauses * TF_QUANTUM;
        steps = lane->report.steps > paused ? lane->report.steps - paused : 0;
        steps += INVOCATION_STEPS;
    }
    resident->used_up += steps;
    sched->spent += steps;
    return is_done;
}

/* A lambda that had no lane has no claim to what it did not use meanwhile: else it would
 * hold up the others until it has caught up. */
static void catch_up(struct tf_resident *resident, const struct tf_sched *sched)
{
    if (resident->runs == 0 && resident->used_up < sched->clock) {
        resident->used_up = sched->clock;
    }
}

void tf_sched_submit(struct tf_conn *conn, struct tf_resident *resident)
{
    struct tf_thread *thread = conn->thread;
    struct tf_sched *sched = &thread->sched;
    struct tf_lane *victim = NULL;

    if (resident->queue.count == 0) {
        catch_up(resident, sched);
    }
    if (sched->waiting_count == 0 && sched->spent < TF_QUANTUM &&
        may_begin(thread, resident, conn, &victim) && victim == NULL) {
        struct tf_lane *lane = find_lane(thread, resident);
        tf_err err = tf_lane_begin(lane, conn, resident);
        if (err != TF_OK) {
            tf_invoke_fail(conn, resident, err);
        } else if (step(lane)) {
            finish(lane);
        } else {
            conn->exchange.is_waiting = true;
        }
        return;
    }
    if (resident->queue.count >= TF_WAITING_MAX) {
        tf_invoke_fail(conn, resident, TF_EBUSY);
        return;
    }
    push(thread, &resident->queue, conn);
    conn->exchange.is_waiting = true;
}

void tf_sched_cancel(struct tf_conn *conn)
{
    if (conn->waiting.queue != NULL) {
        pull(conn);
    }
    if (conn->lane != NULL) {
        tf_invoke_lost(conn->lane);
        tf_lane_free(conn->lane);
    }
}

/* The connection goes on: its request is answered. */
static void resume(struct tf_conn *conn)
{
    conn->put_back = 0;
    tf_serve_resume(conn);
    tf_conn_run(conn);
}

void tf_sched_refuse(struct tf_thread *thread, struct tf_resident *resident, tf_err err)
{
    size_t count =
        resident->queue.count; /* those who come again meanwhile are not meant */
    struct tf_conn *conn;

    tf_resident_enter(resident); /* what a connection does next may retire it */
    for (; count != 0 && (conn = first_of(&resident->queue)) != NULL; count--) {
        pull(conn);
        tf_invoke_unavailable(conn, resident, err);
        resume(conn);
    }
    tf_resident_leave(thread, resident);
}

bool tf_sched_warm(struct tf_thread *thread, const struct tf_resident *resident)
{
    struct tf_sched *sched = &thread->sched;

    if (sched->warm_count >= TF_GUESSES_MAX) {
        return false;
    }
    sched->warm[sched->warm_count++] = resident->entry;
    sched->warm_entry = thread->entries;
    return true;
}

struct tf_lane *tf_sched_try(struct tf_thread *thread, struct tf_resident *resident)
{
    size_t returned = count_returned(thread);
    bool is_last = returned != 0 && returned + 1 == thread->lane_count;

    if (is_last || count_free(thread) == 0) { /* the last one is for what is new */
        struct tf_lane *victim = find_for_returned(thread);
        if (victim == NULL) {
            return NULL;
        }
        put_back(victim);
    }
    resident->used_up = thread->sched.clock;
    struct tf_lane *lane = find_lane(thread, resident);
    tf_lane_warm(lane, resident);
    return lane;
}

/* The lambda that has used least of those that may begin a request; or NULL. */
static struct tf_resident *next_to_begin(struct tf_thread *thread)
{
    struct tf_resident *best = NULL;
    struct tf_lane *victim = NULL;

    for (struct tf_queue *at = tf_list_first(&thread->sched.queues); at != NULL;
         at = tf_list_next(&at->link)) {
        struct tf_resident *resident = at->resident;
        if (resident != NULL && (best == NULL || resident->used_up < best->used_up) &&
            may_begin(thread, resident, first_of(at), &victim)) {
            best = resident;
        }
    }
    return best;
}

/* Whether `a`'s turn is before `b`'s. */
static bool is_before(const struct tf_lane *a, const struct tf_lane *b)
{
    if (a->resident->used_up != b->resident->used_up) {
        return a->resident->used_up < b->resident->used_up;
    }
    return a->turn < b->turn;
}

/* The lane that goes on next; or NULL. */
static struct tf_lane *next_to_run(struct tf_thread *thread)
{
    struct tf_lane *best = NULL;

    for (size_t i = 0; i < thread->lane_count; i++) {
        struct tf_lane *lane = &thread->lanes[i];
        if (lane->resident != NULL && (best == NULL || is_before(lane, best))) {
            best = lane;
        }
    }
    return best;
}

/* Has the lambda's next request begin. @return its lane, or NULL if it was refused. */
static struct tf_lane *begin(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_conn *conn = first_of(&resident->queue);
    struct tf_lane *victim = NULL;

    if (may_begin(thread, resident, conn, &victim) && victim != NULL) {
        put_back(victim);
    }
    pull(conn);
    catch_up(resident, &thread->sched);
    struct tf_lane *lane = find_lane(thread, resident);
    tf_err err = tf_lane_begin(lane, conn, resident);
    if (err == TF_OK) {
        return lane;
    }
    tf_invoke_fail(conn, resident, err);
    resume(conn);
    return NULL;
}

/* Those whose lambda was replaced or removed while they waited. */
static void dispatch_again(struct tf_thread *thread)
{
    struct tf_conn *conn;

    while ((conn = first_of(&thread->sched.again)) != NULL) {
        pull(conn);
        conn->exchange.is_waiting = false;
        tf_invoke_answer(conn);
        if (!conn->exchange.is_waiting) {
            resume(conn);
        }
    }
}

/* Begins to make the next lambda ready that a ClientHello has named, if there is nothing
 * else to do. @return its lane, or NULL. */
static struct tf_lane *begin_warm(struct tf_thread *thread)
{
    struct tf_sched *sched = &thread->sched;
    struct tf_resident *resident = NULL;

    while (sched->warm_count != 0 && resident == NULL &&
           sched->warm_entry != thread->entries) {
        resident = tf_view_have(thread, sched->warm[0]);
        sched->warm_count--;
        for (size_t i = 0; i < sched->warm_count; i++) {
            sched->warm[i] = sched->warm[i + 1];
        }
        if (resident != NULL &&
            (tf_resident_is_settled(resident) || resident->runs != 0 ||
             tf_resident_open(thread, resident) != TF_OK)) {
            resident = NULL;
        }
    }
    if (resident == NULL || count_free(thread) == 0) {
        return NULL;
    }
    catch_up(resident, sched);
    struct tf_lane *lane = find_lane(thread, resident);
    tf_lane_warm(lane, resident);
    return lane;
}

/* Whether a lambda that computes has to wait for the next entry: so that what was written
 * leaves first, or as this entry was no short one. It does not have to twice in a row. */
static bool gives_way(struct tf_thread *thread)
{
    struct tf_sched *sched = &thread->sched;
    uint64_t last = (sched->quanta - 1) * TF_QUANTUM;
    bool is_long =
        thread->out.head != sched->written || sched->spent > last + TF_QUANTUM / 4;

    if (!is_long || sched->gave_way + 1 == thread->entries) {
        return false;
    }
    sched->gave_way = thread->entries;
    return true;
}

/* The lane whose turn it is, with what begins now; or NULL. `is_over`: nothing is left to
 * do in this entry. */
static struct tf_lane *next_lane(struct tf_thread *thread, bool *is_over)
{
    struct tf_resident *resident = next_to_begin(thread);
    struct tf_lane *lane = next_to_run(thread);

    if (resident != NULL &&
        (lane == NULL || resident->used_up <= lane->resident->used_up)) {
        return begin(thread, resident);
    }
    if (lane == NULL) {
        lane = begin_warm(thread);
    } else if (lane->pauses != 0 && gives_way(thread)) {
        lane = NULL;
    }
    *is_over = lane == NULL;
    return lane;
}

/* Quanta for an entry when the one before had so many and took so long. */
static uint64_t quanta_after(uint64_t quanta, uint64_t took)
{
    if (took == 0) {
        return 1; /* a clock that stands still */
    }
    if (took > ENTRY_NS) {
        quanta = quanta * ENTRY_NS / took;
        return quanta == 0 ? 1 : quanta;
    }
    bool may_grow = quanta < ENTRY_QUANTA_MAX && took * (quanta + 1) <= ENTRY_NS * quanta;
    return may_grow ? quanta + 1 : quanta;
}

void tf_sched_begin(struct tf_thread *thread)
{
    struct tf_sched *sched = &thread->sched;

    if (!sched->is_asked) {
        sched->quanta = quanta_after(sched->quanta, thread->now - sched->began);
    }
    sched->is_asked = false;
    sched->began = thread->now;
    sched->written = thread->out.head;
}

void tf_sched_run(struct tf_thread *thread)
{
    struct tf_sched *sched = &thread->sched;
    bool is_over = false;

    if (sched->is_asked) {
        sched->quanta = 1;
    }
    dispatch_again(thread);
    do {
        struct tf_lane *lane = next_lane(thread, &is_over);
        struct tf_conn *conn = lane == NULL ? NULL : lane->conn;
        if (lane == NULL || !step(lane)) {
            continue;
        }
        finish(lane);
        if (conn != NULL) {
            resume(conn);
        }
    } while (!is_over && thread->err == TF_OK &&
             sched->spent < sched->quanta * TF_QUANTUM);
    sched->spent = 0;
}

bool tf_sched_has_work(const struct tf_thread *thread)
{
    const struct tf_queue *at = tf_list_first(&thread->sched.queues);

    /* What waits for the host's answer can only wait. */
    while (at != NULL && at->resident != NULL && at->resident->bundle == NULL) {
        at = tf_list_next(&at->link);
    }
    return at != NULL || thread->sched.warm_count != 0 ||
           count_free(thread) != thread->lane_count;
}
