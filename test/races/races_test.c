/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads of the core: what one has of the table, the shelf and its bundles stays as
 * long as it uses it, whatever the other drops, replaces and brings meanwhile. Once both
 * run at once, under the thread sanitizer; once the host has one stand still wherever it
 * gives the lock back, while the other has some turns. It goes by the functions that
 * requests and frames lead to, without TLS and without lanes. TFAAS_RACES is the number
 * of turns of each.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/lambda.h"
#include "enclave/shelf.h"
#include "enclave/thread.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/random.h"
#include "test/test.h"

enum { TURNS = 3000, LAMBDAS = 2, THREADS = RIG_THREADS };

static const struct rig_lambda lambdas[LAMBDAS] = {
    {.name = "a", .version = 1, .code = "echo", .domains = {"a.example"}},
    {.name = "b", .version = 1, .code = "count", .domains = {"b.example"}}};

/* Of all threads; made before they start. */
static struct fixture_bytes bundles[LAMBDAS];
static struct tf_bundle introductions[LAMBDAS];

struct worker {
    struct tf_thread *thread;
    struct tf_channel *channel;
    uint64_t random;
    unsigned opened; /* how often a bundle was there and was read */
    unsigned brought;
    unsigned read; /* so that reading is not optimised away */
};

static uint64_t draw(struct worker *w, uint64_t below)
{
    return test_random(&w->random) % below;
}

/* All that a resident borrows: what is freed is seen here. */
static void read_all(struct worker *w, const struct tf_resident *resident)
{
    const struct tf_js_program *program = &resident->program.js;
    const struct tf_lambda *lambda = resident->now.lambda;

    for (size_t i = 0; i < program->file_count; i++) {
        size_t place = (uintptr_t)program->files[i].data - (uintptr_t)lambda->bytes;
        CHECK(place < lambda->size); /* or they were freed, perhaps in use again */
        for (size_t at = 0; at < program->files[i].size; at++) {
            w->read += program->files[i].data[at];
        }
    }
    w->read += lambda->digest[0] + lambda->bytes[lambda->size / 2];
    w->opened++;
}

/* One of the thread's open wants, or NULL. */
static const struct tf_want *pick(struct worker *w)
{
    const struct tf_wants *wants = &w->thread->wants;
    uint64_t which = wants->count == 0 ? 0 : draw(w, wants->count);

    for (size_t i = 0; i < TF_WANTS_MAX; i++) {
        if (wants->list[i].id != 0 && which-- == 0) {
            return &wants->list[i];
        }
    }
    return NULL;
}

/* The host answers one of the wants: mostly well. */
static void bring(struct worker *w)
{
    struct tf_thread *thread = w->thread;
    const struct tf_want *want = pick(w);
    struct tf_shelf *shelf = &thread->instance->shelf;

    if (want == NULL) {
        return;
    }
    size_t index = (size_t)(want->lambda->name[0] - 'a');
    index = draw(w, 8) == 0 ? (index + 1) % LAMBDAS : index; /* another one */
    struct fixture_bytes bundle = bundles[index];
    tf_lock_take(&thread->instance->lock);
    uint8_t *bytes = draw(w, 8) == 0 ? NULL : tf_shelf_alloc(shelf, bundle.size);
    tf_lock_give(&thread->instance->lock);
    if (bytes == NULL) {
        (void)!tf_want_answer(thread, want->id, NULL, 0, TF_EBUNDLE_GONE);
        return;
    }
    memcpy(bytes, bundle.data, bundle.size);
    if (tf_want_answer(thread, want->id, bytes, bundle.size, TF_OK) == TF_OK) {
        w->brought++;
        return;
    }
    tf_lock_take(&thread->instance->lock);
    tf_shared_free(bytes);
    tf_lock_give(&thread->instance->lock);
}

/* A request for a lambda, as far as its program. */
static void use(struct worker *w, const char *name)
{
    struct tf_thread *thread = w->thread;

    tf_lock_take(&thread->instance->lock);
    struct tf_entry *entry = tf_instance_find(thread->instance, name);
    tf_lock_give(&thread->instance->lock);
    struct tf_resident *resident = entry == NULL ? NULL : tf_view_entry(thread, entry);
    if (resident == NULL) {
        return;
    }
    tf_resident_use(thread, resident);
    tf_err err = tf_resident_open(thread, resident);
    if (err == TF_AGAIN) {
        (void)!tf_want_ask(thread, resident, TF_WANTS_MAX);
    } else if (err == TF_OK) {
        read_all(w, resident);
    }
}

static void replace(struct worker *w, size_t index)
{
    struct tf_instance *instance = w->thread->instance;
    struct tf_lambda *lambda = NULL;

    (void)!tf_lambda_drop(instance, lambdas[index].name);
    if (tf_lambda_make(instance, &introductions[index], &lambda) == TF_OK) {
        (void)!tf_lambda_put(instance, lambda);
    }
    tf_lock_take(&instance->lock);
    tf_lambda_release(lambda);
    tf_lock_give(&instance->lock);
}

/* What takes a thread several entries: a bundle that nobody uses goes for lack of room,
 * and comes again, elsewhere. */
static void renew(struct worker *w, size_t index)
{
    struct tf_instance *instance = w->thread->instance;
    struct tf_shelf *shelf = &instance->shelf;

    tf_lock_take(&instance->lock);
    const struct tf_entry *entry = tf_instance_find(instance, lambdas[index].name);
    if (entry != NULL && entry->lambda->bytes != NULL && entry->lambda->users == 0) {
        tf_shelf_drop(shelf, entry->lambda);
        uint8_t *bytes = tf_shelf_alloc(shelf, bundles[index].size);
        memcpy(bytes, bundles[index].data, bundles[index].size);
        tf_shelf_put(shelf, entry->lambda, bytes, bundles[index].size);
    }
    tf_lock_give(&instance->lock);
}

/* Something large comes and needs the room. */
static void press(struct worker *w)
{
    struct tf_instance *instance = w->thread->instance;

    tf_lock_take(&instance->lock);
    tf_shared_free(tf_shelf_alloc(&instance->shelf, instance->shelf.budget));
    tf_lock_give(&instance->lock);
}

static void turn(struct worker *w)
{
    struct tf_thread *thread = w->thread;
    size_t index = (size_t)draw(w, LAMBDAS);

    tf_view_sync(thread);
    switch (draw(w, 16)) {
    case 0:
        replace(w, index);
        break;
    case 1:
        press(w);
        break;
    case 2:
    case 3:
        renew(w, index);
        break;
    case 4:
        tf_view_trim(thread, NULL); /* the budget is none: all that is not needed goes */
        break;
    case 5:
    case 6:
    case 7:
        bring(w);
        break;
    default:
        use(w, lambdas[index].name);
    }
    if (tf_ring_writer_commit(&thread->out) != TF_OK) {
        abort();
    }
    w->channel->out.tail = w->channel->out.head; /* the host has read the WANTs */
}

static unsigned long turns(void)
{
    const char *text = getenv("TFAAS_RACES");

    return text == NULL ? TURNS : strtoul(text, NULL, 10);
}

static void *work(void *user)
{
    for (unsigned long i = turns(); i != 0; i--) {
        turn(user);
    }
    return NULL;
}

static void prepare(struct rig *rig)
{
    struct tf_instance *instance = tf_instance_self();

    for (size_t i = 0; i < LAMBDAS; i++) {
        uint8_t *scratch = malloc(TF_BUNDLE_SCRATCH);
        bundles[i] = rig_bundle(rig, &lambdas[i]);
        CHECK(tf_bundle_check(bundles[i].data, bundles[i].size, &instance->domain, NULL,
                              scratch, &introductions[i]) == TF_OK);
        CHECK(rig_introduce(rig, 0, &lambdas[i]) == TF_OK);
        free(scratch);
    }
    instance->shelf.budget = 2 * bundles[0].size;
}

static struct rig *open_two(struct worker workers[static THREADS])
{
    struct rig *rig = rig_open();

    rig_thread_make(rig, 1);
    CHECK(rig_init(rig, 1).exit == TF_EXIT_IDLE);
    prepare(rig);
    for (size_t i = 0; i < THREADS; i++) {
        const struct tf_thread_page *page = (void *)rig->threads[i].page;
        workers[i] = (struct worker){.thread = (void *)(uintptr_t)page->state,
                                     .channel = rig->threads[i].channel,
                                     .random = i + 1};
        workers[i].thread->view.budget = 0;
    }
    return rig;
}

static void close_two(struct rig *rig, const struct worker workers[static THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        (void)printf("thread %zu: %u times a bundle was read, %u brought, sum %u\n", i,
                     workers[i].opened, workers[i].brought, workers[i].read);
        CHECK(workers[i].opened > 0 && workers[i].brought > 0);
    }
    for (size_t i = 0; i < LAMBDAS; i++) {
        tf_bundle_wipe(&introductions[i]);
        free(bundles[i].data);
    }
    rig_close(rig);
}

static void what_a_thread_uses_stays(void)
{
    struct worker workers[THREADS];
    struct rig *rig = open_two(workers);
    pthread_t ids[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&ids[i], NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(ids[i], NULL) == 0);
    }
    close_two(rig, workers);
}

static struct worker *other; /* who has turns while one stands still */

static void others_turns(void)
{
    struct worker *w = other;

    other = NULL; /* who moves does not stand still */
    for (uint64_t i = w == NULL ? 0 : draw(w, 4); i != 0; i--) {
        turn(w);
    }
    other = w;
}

static void a_thread_stands_still_where_the_host_likes(void)
{
    struct worker workers[THREADS];
    struct rig *rig = open_two(workers);

    other = &workers[1];
    tf_native_meanwhile = others_turns;
    (void)work(&workers[0]);
    tf_native_meanwhile = NULL;
    close_two(rig, workers);
}

int main(void)
{
    RUN(what_a_thread_uses_stays);
    RUN(a_thread_stands_still_where_the_host_likes);
    return test_end();
}
