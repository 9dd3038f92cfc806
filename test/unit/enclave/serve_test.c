/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over the granted connection: framing, limits, backpressure, fairness. */
#include "lib/arena.h"
#include "test/fake/js.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n";

/* A rig in which hello has this code and these limits. */
static struct rig *serve(const char *code, const char *limits)
{
    struct rig *rig = rig_open();
    const struct rig_lambda lambda = {.name = "hello",
                                      .version = 8,
                                      .code = code,
                                      .domains = {"hello.example"},
                                      .limits = limits};
    rig_serve_hello(rig);
    if (rig_load(rig, 0, &lambda) != TF_OK) {
        abort();
    }
    return rig;
}

static int status_of(const char *text)
{
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        found++;
    }
    return found;
}

/* The status that a request gets, and whether the connection stays. */
static int ask(const char *code, const char *request, bool *is_kept)
{
    struct rig *rig = serve(code, "{\"body\":1000}");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client, request);
    int status = status_of(text);

    *is_kept = !client->is_closed;
    free(text);
    rig_close(rig);
    return status;
}

static void requests_are_refused_by_their_class(void)
{
    bool is_kept = true;

    CHECK(ask("echo", "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", &is_kept) == 421);
    CHECK(!is_kept);
    CHECK(ask("echo", "GET / HTTP/1.1\r\nHost: HELLO.example:443\r\n\r\n", &is_kept) ==
          200);
    CHECK(is_kept);
    CHECK(ask("echo", "GET / HTTP/1.1\r\n\r\n", &is_kept) == 400 && !is_kept);
    CHECK(ask("echo", "GET / HTTP/2.0\r\nHost: hello.example\r\n\r\n", &is_kept) == 505);
    CHECK(ask("echo",
              "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 3\r\n"
              "Transfer-Encoding: chunked\r\n\r\nabc",
              &is_kept) == 400 &&
          !is_kept);
    CHECK(ask("echo",
              "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 1001\r\n\r\n",
              &is_kept) == 413 &&
          !is_kept);
    CHECK(ask("echo",
              "GET / HTTP/1.1\r\nHost: hello.example\r\nConnection: close\r\n\r\n",
              &is_kept) == 200 &&
          !is_kept);
    CHECK(ask("throw", get, &is_kept) == 500 && is_kept);
    CHECK(ask("loop", get, &is_kept) == 503 && is_kept);
    CHECK(ask("big 1001", get, &is_kept) == 500 && is_kept); /* over its own limit */
}

static void an_error_tells_an_id_and_no_more(void)
{
    struct rig *rig = serve("throw", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client, get);
    char id[17] = "";
    char expected[32];

    const char *field = strstr(text, "x-tfaas-error-id: ");
    CHECK(field != NULL);
    memcpy(id, field + 18, 16);
    (void)snprintf(expected, sizeof(expected), "\r\n\r\nerror %s\n", id);
    CHECK(strstr(text, expected) != NULL);
    const struct tf_msg_event *event = (const void *)rig_last(rig, TF_MSG_EVENT)->payload;
    CHECK(event->event == TF_EVENT_LAMBDA_FAILED && event->err == TF_EEXCEPTION);
    CHECK(event->value == strtoull(id, NULL, 16));
    CHECK(rig_last(rig, TF_MSG_EVENT)->size == sizeof(*event) + 5);
    CHECK(memcmp(event + 1, "hello", 5) == 0);
    free(text);
    rig_close(rig);
}

static void every_request_gets_a_fresh_heap(void)
{
    struct rig *rig = serve("count", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");

    for (int i = 0; i < 3; i++) {
        char *text = rig_ask(rig, client, get);
        CHECK(strstr(text, "\r\n\r\n1") != NULL);
        free(text);
    }
    rig_close(rig);
}

static void a_body_may_come_in_chunks_and_in_pieces(void)
{
    static const char request[] =
        "POST / HTTP/1.1\r\nHost: hello.example\r\n"
        "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char out[4096] = "";

    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        rig_send(rig, client, request + i, 1);
    }
    (void)rig_recv(rig, client, out, sizeof(out) - 1);
    CHECK(status_of(out) == 200);
    CHECK(strstr(out, "x-method: POST\r\n") != NULL);
    CHECK(strstr(out, "\r\n\r\nhello world") != NULL);
    rig_close(rig);
}

static void expect_continue_is_answered_before_the_body(void)
{
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");

    char *text = rig_ask(rig, client,
                         "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 5\r\n"
                         "Expect: 100-continue\r\n\r\n");
    CHECK(strcmp(text, "HTTP/1.1 100 Continue\r\n\r\n") == 0);
    free(text);
    text = rig_ask(rig, client, "hello");
    CHECK(status_of(text) == 200 && strstr(text, "\r\n\r\nhello") != NULL);
    free(text);
    rig_close(rig);
}

static void head_and_204_have_no_body(void)
{
    struct rig *rig = serve("big 30", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");

    char *text = rig_ask(rig, client, "HEAD / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    CHECK(strstr(text, "content-length: 30\r\n") != NULL);
    CHECK(strstr(text, "\r\n\r\n")[4] == '\0');
    free(text);
    rig_close(rig);
}

static void a_large_upload_arrives(void)
{
    enum { SIZE = 1000000 };
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *body = malloc(SIZE);
    char *out = malloc(SIZE + 1000);

    for (size_t i = 0; i < SIZE; i++) {
        body[i] = (char)('a' + i % 26);
    }
    char head[] =
        "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 1000000\r\n\r\n";
    rig_send(rig, client, head, strlen(head));
    rig_send(rig, client, body, SIZE);
    size_t size = rig_recv(rig, client, out, SIZE + 1000);
    CHECK(size > SIZE && memcmp(out + size - SIZE, body, SIZE) == 0);
    CHECK(!client->is_closed);
    free(out);
    free(body);
    rig_close(rig);
}

static void a_client_that_does_not_read_gets_its_credit_and_no_more(void)
{
    enum { SIZE = 6 << 20 };
    struct rig *rig = serve("big 6291456", "{\"body\":6291456,\"memory\":16000000}");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    struct rig_client *other = rig_connect(rig, 0, "hello.example");
    char *out = malloc(SIZE + 1000);

    rig_settle(rig);
    client->is_holding = true;
    client->received = 0;
    rig_send(rig, client, get, strlen(get));
    CHECK(client->received == 256 << 10);
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE); /* nothing to do until SENT */
    unsigned entries = rig->threads[0].entries;
    rig_send(rig, other, get, strlen(get)); /* does not hold up the others */
    CHECK(rig_recv(rig, other, out, SIZE + 1000) > SIZE);
    CHECK(rig->threads[0].entries - entries < 1000);
    client->is_holding = false;
    CHECK(rig_recv(rig, client, out, SIZE + 1000) > SIZE);
    CHECK(!client->is_closed);
    free(out);
    rig_close(rig);
}

static void a_full_ring_is_waited_for(void)
{
    enum { SIZE = 200000, CLIENTS = 12 };
    struct rig *rig = serve("big 200000", NULL);
    struct rig_client *clients[CLIENTS];
    char *out = malloc(SIZE + 1000);

    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = rig_connect(rig, 0, "hello.example");
        rig_settle(rig);
        clients[i]->is_holding = true;
    }
    rig->threads[0].is_stuck = true;
    for (int i = 0; i < CLIENTS; i++) {
        rig_send(rig, clients[i], get, strlen(get));
    }
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    rig->threads[0].is_stuck = false;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i]->is_holding = false;
        CHECK(rig_recv(rig, clients[i], out, SIZE + 1000) > SIZE);
    }
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    free(out);
    rig_close(rig);
}

static void a_pipeline_takes_turns(void)
{
    enum { REQUESTS = 100 };
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *requests = calloc(REQUESTS, sizeof(get));
    char *out = calloc(1, 1 << 20);

    for (int i = 0; i < REQUESTS; i++) {
        memcpy(requests + strlen(requests), get, sizeof(get));
    }
    rig_settle(rig);
    uint8_t bytes[8192];
    (void)SSL_write(client->ssl, requests, (int)strlen(requests));
    int size = BIO_read(client->from_client, bytes, sizeof(bytes));
    (void)rig_put(rig, 0, TF_MSG_DATA, client->id, bytes, (size_t)size);
    unsigned entries = 0;
    do {
        entries++;
    } while (rig_enter(rig, 0).exit == TF_EXIT_MORE);
    CHECK(entries >= REQUESTS / TF_PIPELINE_MAX); /* each entry does at most so many */
    (void)rig_recv(rig, client, out, (1 << 20) - 1);
    CHECK(count(out, "HTTP/1.1 200 OK\r\n") == REQUESTS);
    free(out);
    free(requests);
    rig_close(rig);
}

static void input_that_nobody_can_use_is_bounded(void)
{
    struct rig *rig = serve("big 1000000", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");

    rig_settle(rig);
    client->is_holding = true;
    for (int i = 0; i < 12000 && !client->is_closed; i++) {
        rig_send(rig, client, get, strlen(get)); /* and never reads */
    }
    CHECK(client->is_closed);
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    rig_close(rig);
}

static void closing_is_said_on_both_sides(void)
{
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char byte;

    free(rig_ask(rig, client, get));
    (void)SSL_shutdown(client->ssl);
    rig_settle(rig);
    CHECK(client->is_closed);
    CHECK(SSL_read(client->ssl, &byte, 1) <= 0);
    CHECK((SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN) != 0);
    rig_close(rig);
}

static void a_damaged_record_ends_the_connection(void)
{
    struct rig *rig = serve("echo", NULL);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    uint8_t record[] = {0x17, 3,  3,  0,  20, 1,  2,  3,  4,  5,  6,  7, 8,
                        9,    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

    (void)rig_put(rig, 0, TF_MSG_DATA, client->id, record, sizeof(record));
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    CHECK(client->is_closed);
    rig_close(rig);
}

/* Fills the thread's heap for snapshots but for `size` bytes. */
static void leave_room(struct rig *rig, size_t size)
{
    struct tf_thread_page *page = (void *)rig->threads[0].page;
    struct tf_arena *heap = (void *)(uintptr_t)page->heap;
    void *room = tf_arena_alloc(heap, size);

    for (size_t block = 16 << 20; block > 32;) {
        block = tf_arena_alloc(heap, block) == NULL ? block / 2 : block;
    }
    tf_arena_free(heap, room);
}

static int status_at(struct rig *rig, const char *dns)
{
    char request[128];

    (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", dns);
    struct rig_client *client = rig_connect(rig, 0, dns);
    char *text = rig_ask(rig, client, request);
    int status = status_of(text);
    free(text);
    rig_hang_up(rig, client);
    return status;
}

/* Neither its own clients nor the other lambdas pay for it more than once. */
static void a_heap_that_is_too_large_is_found_out_once(void)
{
    struct rig *rig = rig_open();
    struct tf_thread_page *page = (void *)rig->threads[0].page;

    CHECK(rig_serve(rig, "light", "heavy 1000", NULL));
    CHECK(rig_serve(rig, "huge", "heavy 1000000", NULL));
    page->heap_size = 1 << 20;
    leave_room(rig, 64 << 10);
    CHECK(status_at(rig, "light.example") == 200);
    tf_fake_heavy_loads = 0;
    for (int i = 0; i < 3; i++) {
        CHECK(status_at(rig, "huge.example") == 503);
        CHECK(status_at(rig, "light.example") == 200);
    }
    CHECK(tf_fake_heavy_loads == 1);
    rig_close(rig);
}

static void others_make_way_without_a_second_run(void)
{
    struct rig *rig = rig_open();
    char name[32];

    /* The base of each slot comes to lie before the room. */
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "base%d", i);
        CHECK(rig_serve(rig, name, "count", NULL));
        (void)snprintf(name, sizeof(name), "base%d.example", i);
        CHECK(status_at(rig, name) == 200);
    }
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "l%d", i);
        CHECK(rig_serve(rig, name, "heavy 20000", NULL));
    }
    CHECK(rig_serve(rig, "large", "heavy 60000", NULL));
    leave_room(rig, 100 << 10);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "l%d.example", i);
        CHECK(status_at(rig, name) == 200);
    }
    tf_fake_heavy_loads = 0;
    CHECK(status_at(rig, "large.example") == 200);
    CHECK(tf_fake_heavy_loads == 1);
    CHECK(status_at(rig, "l3.example") == 200); /* the youngest was spared */
    CHECK(tf_fake_heavy_loads == 1);
    rig_close(rig);
}

static void many_lambdas_share_the_heap(void)
{
    enum { LAMBDAS = 20 };
    struct rig *rig = rig_open();
    char name[16];
    char dns[32];

    for (int i = 0; i < LAMBDAS; i++) {
        (void)snprintf(name, sizeof(name), "l%d", i);
        CHECK(rig_serve(rig, name, "echo", NULL));
    }
    /* Room for a few snapshots only: the oldest make way. */
    leave_room(rig, 16 << 10);
    for (int i = 0; i < 2 * LAMBDAS; i++) {
        char request[128];
        (void)snprintf(dns, sizeof(dns), "l%d.example", i % LAMBDAS);
        (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                       dns);
        struct rig_client *client = rig_connect(rig, 0, dns);
        char *text = rig_ask(rig, client, request);
        CHECK(status_of(text) == 200);
        free(text);
        rig_hang_up(rig, client);
    }
    rig_close(rig);
}

int main(void)
{
    RUN(requests_are_refused_by_their_class);
    RUN(an_error_tells_an_id_and_no_more);
    RUN(every_request_gets_a_fresh_heap);
    RUN(a_body_may_come_in_chunks_and_in_pieces);
    RUN(expect_continue_is_answered_before_the_body);
    RUN(head_and_204_have_no_body);
    RUN(a_large_upload_arrives);
    RUN(a_client_that_does_not_read_gets_its_credit_and_no_more);
    RUN(a_full_ring_is_waited_for);
    RUN(a_pipeline_takes_turns);
    RUN(input_that_nobody_can_use_is_bounded);
    RUN(closing_is_said_on_both_sides);
    RUN(a_damaged_record_ends_the_connection);
    RUN(a_heap_that_is_too_large_is_found_out_once);
    RUN(others_make_way_without_a_second_run);
    RUN(many_lambdas_share_the_heap);
    return test_end();
}
