/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/lane.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/enclu.h"
#include "enclave/local.h"
#include "enclave/thread.h"

static const char scheme[] = "https://";

void tf_lanes_init(struct tf_thread *thread)
{
    const struct tf_thread_page *page = thread->page;

    thread->lane_count = page->slots < TF_SLOTS_MAX ? page->slots : TF_SLOTS_MAX;
    for (size_t i = 0; i < thread->lane_count; i++) {
        struct tf_lane *lane = &thread->lanes[i];
        uint64_t memory = page->slot + i * page->slot_span;
        lane->thread = thread;
        lane->index = i;
        tf_slot_init(&lane->slot, tf_own(page, memory), (size_t)page->slot_size,
                     tf_accept);
        tf_fiber_init(&lane->fiber, tf_own(page, memory - TF_GUARD - page->slot_stack),
                      (size_t)page->slot_stack, tf_accept);
    }
}

/* https://HOST/PATH, in the heap; NULL if it is too long or there is no memory. */
static char *make_url(const struct tf_http_head *head, size_t *size)
{
    size_t at = sizeof(scheme) - 1;

    if (head->target.size > TF_URL_MAX) {
        return NULL;
    }
    *size = at + head->host.size + head->target.size;
    char *url = malloc(*size + 1);
    if (url == NULL) {
        return NULL;
    }
    memcpy(url, scheme, at);
    memcpy(url + at, head->host.data, head->host.size);
    at += head->host.size;
    memcpy(url + at, head->target.data, head->target.size);
    url[*size] = '\0';
    return url;
}

/* Tells the host, which measures, that the load that it brought the bundle for is over.
 */
static void note_load(struct tf_lane *lane)
{
    struct tf_resident *resident = lane->resident;

    if (resident->want != 0) {
        tf_emit_event(lane->thread, TF_EVENT_LOADED, lane->err, resident->want, "");
        resident->want = 0;
    }
}

/* The fiber's. What it allocates outside of the slot it has freed or handed over whenever
 * it pauses: it may not go on. */
static void run(void *user)
{
    struct tf_lane *lane = user;
    struct tf_resident *resident = lane->resident;

    lane->err = tf_resident_load(lane->thread, resident, lane->index, &lane->limits);
    note_load(lane);
    if (lane->err == TF_OK) {
        lane->is_loaded = true;
        lane->run = 0;
    }
    if (lane->err == TF_OK && lane->conn != NULL) {
        lane->err =
            tf_slot_call(&lane->slot, &resident->snapshots[lane->index], &lane->request,
                         &lane->limits, &lane->response, &lane->report);
    }
}

static void pause(void *user)
{
    struct tf_lane *lane = user;

    lane->pauses++;
    tf_fiber_pause(&lane->fiber);
}

void tf_lane_warm(struct tf_lane *lane, struct tf_resident *resident)
{
    lane->limits = tf_resident_limits(lane->thread, resident);
    lane->limits.pause = pause;
    lane->limits.user = lane;
    lane->limits.quantum = TF_QUANTUM;
    lane->response = (struct tf_js_response){0};
    lane->report = (struct tf_js_report){0};
    lane->is_loaded = false;
    lane->clock = lane->thread->now;
    lane->turn = 0;
    lane->pauses = 0;
    lane->run = 0;
    lane->resident = resident;
    tf_resident_enter(resident);
    tf_fiber_start(&lane->fiber, run, lane);
}

tf_err tf_lane_begin(struct tf_lane *lane, struct tf_conn *conn,
                     struct tf_resident *resident)
{
    const struct tf_exchange *exchange = &conn->exchange;
    const struct tf_http_head *head = &exchange->head;
    size_t size = 0;
    char *url = make_url(head, &size);

    if (url == NULL) {
        return TF_EHTTP_HEADERS;
    }
    lane->url = url;
    lane->request = (struct tf_js_request){.method = head->method,
                                           .url = {url, size},
                                           .headers = head->headers,
                                           .header_count = head->header_count,
                                           .body = exchange->given};
    lane->conn = conn;
    conn->lane = lane;
    tf_lane_warm(lane, resident);
    return TF_OK;
}

bool tf_lane_step(struct tf_lane *lane)
{
    struct tf_local *local = tf_local_self();
    uint64_t now = local->now;

    local->now = lane->clock;
    local->lane = lane;
    bool is_done = tf_fiber_resume(&lane->fiber);
    local->now = now;
    local->lane = NULL;
    return is_done;
}

void tf_lane_free(struct tf_lane *lane)
{
    struct tf_resident *resident = lane->resident;

    if (!lane->fiber.is_done) {
        tf_slot_abandon(&lane->slot);
    }
    if (lane == lane->thread->trial.lane) {
        tf_trial_end(lane->thread, lane->fiber.is_done ? lane->err : TF_EBUSY);
    }
    free(lane->url);
    lane->url = NULL;
    if (lane->conn != NULL) {
        lane->conn->lane = NULL;
        lane->conn = NULL;
    }
    lane->resident = NULL;
    tf_resident_leave(lane->thread, resident);
}

static void wipe(struct tf_lane *lane)
{
    tf_slot_wipe(&lane->slot);
    if (lane->fiber.is_ready) { /* it has run */
        tf_fiber_wipe(&lane->fiber);
    }
}

void tf_lanes_wipe(struct tf_thread *thread)
{
    for (size_t i = 0; i < thread->lane_count; i++) {
        if (thread->lanes[i].resident == NULL) {
            wipe(&thread->lanes[i]);
        }
    }
}
