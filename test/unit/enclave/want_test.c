/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lambda that is introduced by its envelope alone: its bundle is asked for when it is
 * needed, and a host that lies about it, or says nothing, stops that lambda and no other.
 */
#include "enclave/want.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/instance.h"
#include "enclave/shelf.h"
#include "enclave/thread.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char get_cold[] = "GET / HTTP/1.1\r\nHost: cold.example\r\n\r\n";
static const char get_hello[] =
    "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 2\r\n\r\nhi";

static const struct rig_lambda cold = {
    .name = "cold", .version = 5, .code = "count", .domains = {"cold.example"}};

/* hello is loaded; cold is introduced; both are granted. */
static struct rig *rig_with_cold(void)
{
    struct rig *rig = rig_open();
    struct rig_grant grant = {.lambda = "cold", .names = {"cold.example"}};

    rig_serve_hello(rig);
    CHECK(rig_introduce(rig, 0, &cold) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, "cold.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
    rig_hang_up(rig, manager);
    rig_log_clear(rig);
    return rig;
}

/* The last question for a bundle; 0: there was none since the log was cleared. */
static uint64_t wanted(const struct rig *rig)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_WANT);
    return frame == NULL ? 0 : frame->id;
}

static void ask(struct rig *rig, struct rig_client *client)
{
    rig_send(rig, client, get_cold, sizeof(get_cold) - 1);
    rig_settle(rig);
}

/* What has come so far; on the heap. */
static char *answer_of(struct rig *rig, struct rig_client *client)
{
    char *text = calloc(1, 4096);
    (void)rig_recv(rig, client, text, 4095);
    return text;
}

static bool answers(struct rig *rig, struct rig_client *client, const char *start)
{
    char *text = answer_of(rig, client);
    bool is_so = strncmp(text, start, strlen(start)) == 0;
    free(text);
    return is_so;
}

static bool hello_answers(struct rig *rig)
{
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client, get_hello);
    bool is_so = strncmp(text, "HTTP/1.1 200 ", 13) == 0;
    free(text);
    rig_hang_up(rig, client);
    return is_so;
}

static bool event_was(const struct rig *rig, tf_err err)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_EVENT);
    struct tf_msg_event event = {0};

    if (frame != NULL) {
        memcpy(&event, frame->payload, sizeof(event));
    }
    return event.event == TF_EVENT_LAMBDA_FAILED && event.err == (uint32_t)err;
}

static void the_hello_asks_and_the_request_finds_it_ready(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    const struct rig_frame *want = rig_last(rig, TF_MSG_WANT);
    const struct tf_lambda *lambda = tf_instance_find(tf_instance_self(), "cold")->lambda;

    CHECK(want != NULL && want->size == TF_SHA256_SIZE);
    CHECK(want != NULL && memcmp(want->payload, lambda->digest, want->size) == 0);
    CHECK(lambda->bytes == NULL);
    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    rig_settle(rig);
    const struct rig_frame *frame = rig_last(rig, TF_MSG_EVENT);
    struct tf_msg_event event = {0};
    CHECK(frame != NULL);
    memcpy(&event, frame->payload, sizeof(event));
    CHECK(event.event == TF_EVENT_LOADED && event.err == TF_OK); /* before any request */
    CHECK(event.value == wanted(rig));
    ask(rig, client);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

static void a_request_waits_for_its_bundle_and_no_other_does(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");

    ask(rig, client);
    CHECK(answers(rig, client, "") && !client->is_closed);
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE); /* nothing to do meanwhile */
    CHECK(hello_answers(rig));
    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

/* The host answers with `bundle`; the request fails with `err`; and then with the right
 * one the next request is answered. */
static void lie(const struct rig_lambda *bundle, tf_err err)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");

    ask(rig, client);
    CHECK(rig_bring(rig, 0, wanted(rig), bundle) == err);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 503 "));
    CHECK(event_was(rig, err));
    CHECK(hello_answers(rig));
    uint64_t first = wanted(rig);
    ask(rig, client);
    CHECK(wanted(rig) != first);
    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

static void the_store_brings_an_older_version(void)
{
    struct rig_lambda older = cold;
    older.version = 4;
    lie(&older, TF_EBUNDLE_OTHER);
}

static void the_store_brings_other_code_under_the_same_version(void)
{
    struct rig_lambda other = cold;
    other.code = "echo";
    lie(&other, TF_EBUNDLE_OTHER);
}

/* The digest is of what was signed, and a stranger can sign nothing else under it. */
static void the_store_brings_what_a_stranger_signed(void)
{
    struct fixture_key stranger = fixture_key_open("ED25519");
    struct rig_lambda forged = cold;

    forged.key = &stranger;
    forged.code = "echo";
    lie(&forged, TF_EBUNDLE_OTHER);
    fixture_key_close(&stranger);
}

/* The signed manifest is right, and a file is not what it says. */
static void the_store_brings_another_file_under_the_signed_manifest(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    struct fixture_bytes bundle = rig_bundle(rig, &cold);

    ask(rig, client);
    bundle.data[bundle.size - 3 * 512] ^= 1; /* the file's first byte */
    CHECK(rig_answer(rig, 0, wanted(rig), bundle) == TF_EBUNDLE_DIGEST);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 503 "));
    CHECK(hello_answers(rig));
    free(bundle.data);
    rig_close(rig);
}

static void the_store_has_none(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    const struct tf_msg_blob none = {.kind = TF_BLOB_WANTED};

    ask(rig, client);
    CHECK(rig_put(rig, 0, TF_MSG_BLOB, wanted(rig), &none, sizeof(none)));
    (void)rig_enter(rig, 0);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 503 "));
    CHECK(event_was(rig, TF_EBUNDLE_GONE));
    CHECK(hello_answers(rig));
    rig_close(rig);
}

static void the_store_says_nothing(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");

    ask(rig, client);
    uint64_t id = wanted(rig);
    rig->now += TF_WANT_SECONDS + 1;
    (void)rig_enter(rig, 0);
    rig_settle(rig);
    char *text = answer_of(rig, client);
    CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
    CHECK(strstr(text, "retry-after: 1\r\n") != NULL);
    free(text);
    CHECK(event_was(rig, TF_EBUNDLE_LATE));
    CHECK(rig_bring(rig, 0, id, &cold) == TF_ENOTFOUND); /* too late */
    CHECK(hello_answers(rig));
    rig_close(rig);
}

static void the_store_sends_half_and_stops(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    uint8_t chunk[sizeof(struct tf_msg_blob) + 8] = {0};
    const struct tf_msg_blob head = {.kind = TF_BLOB_WANTED, .total = 4096};

    ask(rig, client);
    memcpy(chunk, &head, sizeof(head));
    CHECK(rig_put(rig, 0, TF_MSG_BLOB, wanted(rig), chunk, sizeof(chunk)));
    (void)rig_enter(rig, 0);
    rig->now += TF_WANT_SECONDS + 1;
    (void)rig_enter(rig, 0);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 503 "));
    CHECK(hello_answers(rig));
    rig_close(rig);
}

static void nobody_asked_for_it(void)
{
    struct rig *rig = rig_with_cold();
    size_t before = rig_shared_count();

    CHECK(rig_bring(rig, 0, 99, &cold) == TF_ENOTFOUND);
    CHECK(rig_bring(rig, 0, 0, &cold) == TF_ENOTFOUND);
    CHECK(rig_shared_count() == before);
    rig_close(rig);
}

static void an_introduction_is_checked_as_a_bundle_is(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_lambda other = cold;

    other.key = &rig->stranger;
    CHECK(rig_introduce(rig, 0, &other) == TF_EDSSE_SIGNER);
    other = cold;
    other.version = 4;
    CHECK(rig_introduce(rig, 0, &other) == TF_EVERSION_FLOOR);
    other.version = 5;
    other.code = "echo";
    CHECK(rig_introduce(rig, 0, &other) == TF_EVERSION_REUSED);
    CHECK(rig_introduce(rig, 0, &cold) == TF_OK);
    CHECK(rig_load(rig, 0, &cold) == TF_OK); /* the same */
    rig_close(rig);
}

static void who_leaves_while_it_waits_leaves_nothing(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");

    ask(rig, client);
    uint64_t id = wanted(rig);
    rig_hang_up(rig, client);
    CHECK(rig_drop(rig, 0, "cold") == TF_OK); /* and the lambda goes, too */
    CHECK(rig_bring(rig, 0, id, &cold) == TF_OK);
    rig_settle(rig);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(!hello_answers(rig));
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

/* The bundle that came last, as another thread finds it that drops it for lack of room,
 * and then brings the same again: equal bytes, elsewhere. */
static void drop_and_bring(void)
{
    struct tf_instance *instance = tf_instance_self();
    struct tf_lambda *lambda = tf_list_last(&instance->shelf.idle);

    if (lambda == NULL) {
        return;
    }
    size_t size = lambda->size;
    uint8_t *copy = malloc(size);
    memcpy(copy, lambda->bytes, size);
    tf_shelf_drop(&instance->shelf, lambda);
    uint8_t *bytes = tf_shelf_alloc(&instance->shelf, size);
    memcpy(bytes, copy, size);
    tf_shelf_put(&instance->shelf, lambda, bytes, size);
    free(copy);
}

/* What was verified points into the bytes that came, so no other thread may drop them in
 * between. */
static void another_thread_drops_the_bundle_as_it_comes(void)
{
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");

    tf_native_meanwhile = drop_and_bring;
    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    ask(rig, client);
    tf_native_meanwhile = NULL;
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

/* The lambda goes and then its bundle is refused, in one entry, and the first of those
 * who wait has another request in hand, before which the thread looks at the table. */
static void the_lambda_goes_before_those_who_wait_are_refused(void)
{
    static const char name[] = "cold";
    const struct tf_msg_blob none = {.kind = TF_BLOB_WANTED};
    struct rig *rig = rig_with_cold();
    struct rig_client *clients[2];
    char twice[2 * sizeof(get_cold)];
    int size = snprintf(twice, sizeof(twice), "%s%s", get_cold, get_cold);

    for (size_t i = 0; i < 2; i++) {
        clients[i] = rig_connect(rig, 0, "cold.example");
        rig_send(rig, clients[i], twice, (size_t)size);
        rig_settle(rig);
    }
    uint64_t id = wanted(rig);
    CHECK(rig_put(rig, 0, TF_MSG_DROP, 77, name, sizeof(name) - 1));
    CHECK(rig_put(rig, 0, TF_MSG_BLOB, id, &none, sizeof(none)));
    (void)rig_enter(rig, 0);
    rig_settle(rig);
    char *text = answer_of(rig, clients[0]);
    CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
    CHECK(strstr(text, "HTTP/1.1 421 ") != NULL);
    free(text);
    CHECK(answers(rig, clients[1], "HTTP/1.1 421 ")); /* it was given out anew */
    CHECK(hello_answers(rig));
    rig_close(rig);
}

/* Lanes are wiped when a lambda goes, but not the one in which another's top level has
 * paused, for no request yet. */
static void a_lambda_goes_while_another_is_made_ready(void)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: slow.example\r\n\r\n";
    const struct rig_lambda slow = {
        .name = "slow", .version = 1, .code = "slow 9", .domains = {"slow.example"}};
    const struct rig_grant grant = {.lambda = "slow", .names = {"slow.example"}};
    struct rig *rig = rig_with_cold();

    CHECK(hello_answers(rig));
    CHECK(rig_introduce(rig, 0, &slow) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, "slow.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
    rig_hang_up(rig, manager);
    struct rig_client *client = rig_connect(rig, 0, "slow.example");
    CHECK(rig_bring(rig, 0, wanted(rig), &slow) == TF_OK);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE); /* its top level has begun */
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig->threads[0].last.exit == TF_EXIT_MORE);
    rig_settle(rig);
    rig_send(rig, client, get, sizeof(get) - 1);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

/* A lambda NAME.example by number, introduced and granted. */
static struct rig_lambda numbered(struct rig *rig, int number)
{
    static char names[64][16];
    static char dns[64][32];
    struct rig_lambda lambda = {.name = names[number], .version = 1, .code = "count"};
    struct rig_grant grant = {.lambda = names[number]};
    char manage[64];

    (void)snprintf(names[number], sizeof(names[0]), "n%d", number);
    (void)snprintf(dns[number], sizeof(dns[0]), "n%d.example", number);
    (void)snprintf(manage, sizeof(manage), "n%d.manage.tfaas.internal", number);
    lambda.domains[0] = dns[number];
    grant.names[0] = dns[number];
    CHECK(rig_introduce(rig, 0, &lambda) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, manage);
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
    rig_hang_up(rig, manager);
    return lambda;
}

/* Strangers who only say hello, to many lambdas: what requests use stays, and what is
 * kept for them is bounded. */
static void a_flood_of_hellos_evicts_no_lambda_in_use(void)
{
    enum { COUNT = 40 };
    struct rig *rig = rig_with_cold();
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    const struct tf_thread *thread = NULL;

    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    ask(rig, client);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    for (int i = 0; i < COUNT; i++) {
        struct rig_lambda lambda = numbered(rig, i);
        rig_log_clear(rig);
        struct rig_client *stranger = rig_connect(rig, 0, lambda.domains[0]);
        if (wanted(rig) != 0) {
            CHECK(rig_bring(rig, 0, wanted(rig), &lambda) == TF_OK);
        }
        rig_hang_up(rig, stranger);
    }
    const struct tf_thread_page *page = (const void *)rig->threads[0].page;
    thread = (const void *)(uintptr_t)(page->base + page->state);
    CHECK(thread->view.guess_count <= TF_GUESSES_MAX);
    rig_log_clear(rig);
    ask(rig, client);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    CHECK(wanted(rig) == 0);
    CHECK(hello_answers(rig));
    rig_close(rig);
}

/* Strangers for whom the host brings nothing: the rest is served, and the questions are
 * bounded. */
static void a_flood_of_hellos_asks_for_a_bounded_number(void)
{
    enum { COUNT = 40 };
    struct rig *rig = rig_with_cold();
    unsigned wants = 0;

    for (int i = 0; i < COUNT; i++) {
        struct rig_lambda lambda = numbered(rig, i);
        rig_log_clear(rig);
        (void)rig_connect(rig, 0, lambda.domains[0]);
        wants += wanted(rig) != 0;
    }
    CHECK(wants == TF_GUESSES_MAX);
    CHECK(hello_answers(rig));
    struct rig_client *client = rig_connect(rig, 0, "cold.example");
    ask(rig, client); /* a request asks beyond what strangers may */
    CHECK(rig_bring(rig, 0, wanted(rig), &cold) == TF_OK);
    rig_settle(rig);
    CHECK(answers(rig, client, "HTTP/1.1 200 "));
    rig_close(rig);
}

/* Requests for more lambdas than may be waited for: busy, not for ever. */
static void what_waits_for_bundles_is_bounded(void)
{
    enum { COUNT = TF_WANTS_MAX + 1 };
    struct rig *rig = rig_with_cold();
    struct rig_client *last = NULL;
    char request[64];

    for (int i = 0; i < COUNT; i++) {
        struct rig_lambda lambda = numbered(rig, i);
        last = rig_connect(rig, 0, lambda.domains[0]);
        int size = snprintf(request, sizeof(request),
                            "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", lambda.domains[0]);
        rig_send(rig, last, request, (size_t)size);
        rig_settle(rig);
    }
    char *text = answer_of(rig, last);
    CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
    CHECK(strstr(text, "retry-after: 1\r\n") != NULL);
    free(text);
    CHECK(hello_answers(rig));
    rig_close(rig);
}

/* With room for few: every lambda answers whenever it is asked, and what is kept stays
 * below the budget. */
static void more_lambdas_than_memory_are_all_served(void)
{
    enum { COUNT = 12, BUDGET = 96 << 10 };
    struct rig *rig = rig_with_cold();
    struct rig_lambda lambdas[COUNT];
    char request[64];
    unsigned loads = 0;

    rig->memory = BUDGET;
    rig->shelf = 8 << 10;
    rig_thread_make(rig, 1);
    CHECK(rig_init(rig, 1).exit == TF_EXIT_IDLE);
    for (int i = 0; i < COUNT; i++) {
        lambdas[i] = numbered(rig, i);
    }
    const struct tf_thread_page *page = (const void *)rig->threads[1].page;
    const struct tf_thread *thread = (const void *)(uintptr_t)(page->base + page->state);
    for (int i = 0; i < 3 * COUNT; i++) {
        const struct rig_lambda *lambda = &lambdas[i % COUNT];
        rig_log_clear(rig);
        struct rig_client *client = rig_connect(rig, 1, lambda->domains[0]);
        if (wanted(rig) != 0) {
            CHECK(rig_bring(rig, 1, wanted(rig), lambda) == TF_OK);
            loads++;
        }
        (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                       lambda->domains[0]);
        char *text = rig_ask(rig, client, request);
        CHECK(strncmp(text, "HTTP/1.1 200 ", 13) == 0);
        free(text);
        rig_hang_up(rig, client);
        CHECK(thread->view.held <= BUDGET);
    }
    CHECK(loads > COUNT); /* some were evicted, and came back */
    rig_close(rig);
}

int main(void)
{
    RUN(the_hello_asks_and_the_request_finds_it_ready);
    RUN(a_request_waits_for_its_bundle_and_no_other_does);
    RUN(the_store_brings_an_older_version);
    RUN(the_store_brings_other_code_under_the_same_version);
    RUN(the_store_brings_what_a_stranger_signed);
    RUN(the_store_brings_another_file_under_the_signed_manifest);
    RUN(the_store_has_none);
    RUN(the_store_says_nothing);
    RUN(the_store_sends_half_and_stops);
    RUN(nobody_asked_for_it);
    RUN(an_introduction_is_checked_as_a_bundle_is);
    RUN(who_leaves_while_it_waits_leaves_nothing);
    RUN(another_thread_drops_the_bundle_as_it_comes);
    RUN(the_lambda_goes_before_those_who_wait_are_refused);
    RUN(a_lambda_goes_while_another_is_made_ready);
    RUN(a_flood_of_hellos_evicts_no_lambda_in_use);
    RUN(a_flood_of_hellos_asks_for_a_bounded_number);
    RUN(what_waits_for_bundles_is_bounded);
    RUN(more_lambdas_than_memory_are_all_served);
    return test_end();
}
