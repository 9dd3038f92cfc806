/* SPDX-License-Identifier: Apache-2.0 */
/* What a lambda writes to its console, and why an invocation failed, is for the publisher
 * of the lambda, and for nobody else. */
#include "enclave/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/instance.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char management[] = "hello.manage.tfaas.internal";

/* A question. NULL: the publisher's, of that connection. */
struct question {
    const char *lambda;
    const struct fixture_key *by;
    const struct rig_client *bound_to;
    uint64_t after;
};

/* @return the status. */
static int ask(struct rig *rig, const struct question *question, char **answer)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    const struct rig_client *bound_to = question->bound_to;
    const struct fixture_key *by = question->by;
    uint8_t exporter[32];
    char text[256];
    struct tf_json_writer w;

    rig_exporter(bound_to != NULL ? bound_to : client, exporter);
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "logs.v1");
    tf_json_put_string(&w, "lambda", question->lambda);
    tf_json_put_base64(&w, "exporter", exporter, sizeof(exporter));
    tf_json_put_integer(&w, "after", question->after);
    tf_json_close_object(&w);
    CHECK(tf_json_take(&w, NULL) == TF_OK);
    struct fixture_bytes envelope = fixture_envelope(by != NULL ? by : &rig->publisher,
                                                     TF_DSSE_LOGS, text, strlen(text));
    int status = rig_post(rig, client, "/v1/logs", (const char *)envelope.data, answer);
    free(envelope.data);
    rig_hang_up(rig, client);
    return status;
}

/* @return whether that is refused, with this code. */
static bool is_refused(struct rig *rig, const struct question *question, const char *code)
{
    char wanted[64];
    char *answer = NULL;
    int status = ask(rig, question, &answer);

    (void)snprintf(wanted, sizeof(wanted), "{\"error\":\"%s\"}", code);
    bool is_so = status >= 400 && strcmp(answer, wanted) == 0;
    if (!is_so) {
        (void)fprintf(stderr, "%d %s\n", status, answer);
    }
    free(answer);
    return is_so;
}

/* Posts this body `count` times. @return the last answer, on the heap. */
static char *post(struct rig *rig, const char *name, int count, const char *body,
                  size_t size)
{
    char sni[32];
    char request[2048];
    char *answer = calloc(1, RIG_SINK + 1);

    (void)snprintf(sni, sizeof(sni), "%s.example", name);
    int head =
        snprintf(request, sizeof(request),
                 "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n", sni, size);
    memcpy(request + head, body, size);
    struct rig_client *client = rig_connect(rig, 0, sni);
    for (int i = 0; i < count; i++) {
        rig_send(rig, client, request, (size_t)head + size);
        CHECK(rig_recv(rig, client, answer, RIG_SINK) > 0);
    }
    rig_hang_up(rig, client);
    return answer;
}

/* What it is told, parsed: json_decref. */
static json_t *told(struct rig *rig, const char *lambda, uint64_t after)
{
    const struct question question = {.lambda = lambda, .after = after};
    char *text = NULL;
    json_t *answer = NULL;

    CHECK(ask(rig, &question, &text) == 200);
    CHECK(tf_json_parse(text, strlen(text), &answer) == TF_OK);
    free(text);
    return answer;
}

static const json_t *line_of(const json_t *answer, size_t i)
{
    return json_array_get(json_object_get(answer, "lines"), i);
}

static size_t count_of(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "lines"));
}

static uint64_t number(const json_t *line, const char *field)
{
    return (uint64_t)json_integer_value(json_object_get(line, field));
}

static bool has(const json_t *line, const char *field, const char *value)
{
    const char *text = json_string_value(json_object_get(line, field));

    return text == NULL ? value == NULL : value != NULL && strcmp(text, value) == 0;
}

/* How many lines say this and nothing else. */
static unsigned count(struct rig *rig, const char *lambda, const char *text)
{
    unsigned found = 0;
    size_t lines = 1;

    for (uint64_t after = 0; lines != 0;) {
        json_t *answer = told(rig, lambda, after);
        lines = count_of(answer);
        for (size_t i = 0; i < lines; i++) {
            found += has(line_of(answer, i), "text", text);
            CHECK(number(line_of(answer, i), "ordinal") > after);
            after = number(line_of(answer, i), "ordinal");
        }
        json_decref(answer);
    }
    return found;
}

static void say(struct rig *rig, const char *name, int times, const char *text)
{
    free(post(rig, name, times, text, strlen(text)));
}

static void the_publisher_learns_why_it_failed(void)
{
    static const char field[] = "x-tfaas-error-id: ";
    struct rig *rig = rig_open();
    char id[17];

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    json_t *answer = told(rig, "hello", 0);
    CHECK(count_of(answer) == 0 && number(answer, "version") == 1);
    json_decref(answer);
    char *failed = post(rig, "hello", 1, "a \"secret\"\n", 11);
    CHECK(strncmp(failed, "HTTP/1.1 500 ", 13) == 0);
    (void)snprintf(id, sizeof(id), "%s", strstr(failed, field) + sizeof(field) - 1);
    free(failed);
    answer = told(rig, "hello", 0);
    CHECK(count_of(answer) == 1);
    CHECK(has(line_of(answer, 0), "id", id));
    CHECK(has(line_of(answer, 0), "error", "exception"));
    CHECK(has(line_of(answer, 0), "text", "Error:\033a \"secret\"\n"));
    CHECK(number(line_of(answer, 0), "time") == rig->now);
    json_decref(answer);
    rig_close(rig);
}

static void and_what_was_written_in_order(void)
{
    static const char *const texts[] = {"info loaded", "log one", "!two", "Error: said",
                                        "warn three"};
    static const unsigned runs[] = {1, 2, 3, 3, 5};
    struct rig *rig = rig_open();

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 1, "log one");
    say(rig, "hello", 1, "!two");
    say(rig, "hello", 1, "warn three");
    json_t *answer = told(rig, "hello", 0);
    CHECK(count_of(answer) == 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK(has(line_of(answer, i), "text", texts[i]));
        CHECK(has(line_of(answer, i), "error", i == 3 ? "exception" : NULL));
        CHECK(number(line_of(answer, i), "ordinal") == i + 1);
        CHECK(number(line_of(answer, i), "run") == runs[i]);
    }
    json_decref(answer);
    answer = told(rig, "hello", 3);
    CHECK(count_of(answer) == 2 && number(line_of(answer, 0), "ordinal") == 4);
    json_decref(answer);
    answer = told(rig, "hello", 5);
    CHECK(count_of(answer) == 0);
    json_decref(answer);
    rig_close(rig);
}

static void nobody_else_does(void)
{
    struct rig *rig = rig_open();
    const struct rig_client *other = NULL;
    char *answer = NULL;

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 1, "log secret");
    CHECK(is_refused(rig, &(struct question){"hello", &rig->attester, NULL, 0},
                     "dsse-signer"));
    CHECK(is_refused(rig, &(struct question){"hello", &rig->stranger, NULL, 0},
                     "dsse-signer"));
    CHECK(is_refused(rig, &(struct question){"other", NULL, NULL, 0}, "not-found"));
    other = rig_connect(rig, 0, management);
    CHECK(is_refused(rig, &(struct question){"hello", NULL, other, 0}, "grant-channel"));
    CHECK(is_refused(rig, &(struct question){"hello", NULL, NULL, UINT64_C(1) << 53},
                     "format"));
    struct rig_client *plain = rig_connect(rig, 0, management);
    CHECK(rig_post(rig, plain, "/v1/logs", "{\"lambda\":\"hello\"}", &answer) == 400);
    free(answer);
    rig_close(rig);
}

static void a_revoked_publisher_does_not(void)
{
    struct rig *rig = rig_open_pair();
    const struct question question = {"hello", &rig->stranger, NULL, 0};
    struct tf_revocations list = {.serial = 1, .signer_count = 1};
    char *answer = NULL;

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 1, "log secret");
    CHECK(ask(rig, &question, &answer) == 200);
    free(answer);
    memcpy(list.signers[0], rig->stranger.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(is_refused(rig, &question, "revoked"));
    rig_close(rig);
}

static void who_shares_the_enclave_does_not(void)
{
    struct rig *rig = rig_open_shared();

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 1, "log secret");
    CHECK(count(rig, "hello", "log secret") == 1);
    CHECK(is_refused(rig, &(struct question){"hello", &rig->stranger, NULL, 0},
                     "not-found"));
    rig_close(rig);
}

static void what_is_no_text_is_made_one(void)
{
    static const char odd[] = "log \0 \xe2\x82\xac";
    static const char half[] = "log \x1b[31m \xe2\x82";
    struct rig *rig = rig_open();

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    free(post(rig, "hello", 1, odd, sizeof(odd) - 1));
    free(post(rig, "hello", 1, half, sizeof(half) - 1));
    CHECK(count(rig, "hello", "log ? \xe2\x82\xac") == 1);
    CHECK(count(rig, "hello", "log \x1b[31m ??") == 1);
    rig_close(rig);
}

/* Bytes of a log that this text fills to the last line that has room, and in lines. */
static void check_held(const struct rig *rig, const char *name, size_t least, size_t most)
{
    const struct tf_entry *entry = tf_instance_known(tf_instance_self(), name);

    (void)rig;
    CHECK(entry->log.held[0] > least && entry->log.held[0] <= most);
    CHECK(entry->log.held[1] > least && entry->log.held[1] <= most);
}

static void a_flood_takes_no_room_from_failures_or_others(void)
{
    struct rig *rig = rig_open();
    char large[1001];

    memset(large, '\1', sizeof(large) - 1); /* in JSON six times as long */
    large[sizeof(large) - 1] = '\0';
    CHECK(rig_serve(rig, "hello", "say 0", NULL) && rig_serve(rig, "b", "say 0", NULL));
    say(rig, "b", 1, "log of b");
    say(rig, "hello", 2, "!first");
    say(rig, "hello", 100, large);
    say(rig, "hello", 1, "log last");
    CHECK(count(rig, "hello", "!first") == 0 && count(rig, "hello", "log last") == 1);
    unsigned kept = count(rig, "hello", large);
    CHECK(kept >= 28 && kept <= 31);
    CHECK(count(rig, "hello", "Error: said") == 2);
    say(rig, "hello", 500, "!");
    CHECK(count(rig, "hello", "log last") == 0); /* by the lines of these */
    check_held(rig, "hello", 31 << 10, 32 << 10);
    CHECK(count(rig, "b", "log of b") == 1);
    rig_close(rig);
}

static void where_there_is_much_each_has_little(void)
{
    struct rig *rig = rig_open();
    struct tf_instance *instance = tf_instance_self();
    const size_t others = 4 << 20;

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 400, "!long ago");
    check_held(rig, "hello", 31 << 10, 32 << 10);
    instance->logged[0] += others; /* as if other lambdas had so much */
    say(rig, "hello", 1, "!now");
    check_held(rig, "hello", 1 << 10, 2 << 10);
    CHECK(count(rig, "hello", "!now") == 1);
    instance->logged[0] -= others;
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(instance->logged[0] == 0);
    rig_close(rig);
}

static void nothing_is_left_of_a_lambda_that_went(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda next = {
        .name = "hello", .version = 2, .code = "say 0", .domains = {"hello.example"}};

    CHECK(rig_serve(rig, "hello", "say 0", NULL));
    say(rig, "hello", 2, "!secret");
    CHECK(rig_load(rig, 0, &next) == TF_OK); /* a new version */
    CHECK(count(rig, "hello", "!secret") == 0);
    CHECK(count(rig, "hello", "Error: said") == 0);
    say(rig, "hello", 1, "!secret");
    json_t *answer = told(rig, "hello", 0);
    CHECK(number(answer, "version") == 2);
    CHECK(number(line_of(answer, 0), "ordinal") == 6); /* it follows the five before */
    json_decref(answer);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    answer = told(rig, "hello", 0);
    CHECK(count_of(answer) == 0);
    json_decref(answer);
    rig_close(rig);
}

/* Has the request in the ring; enters nothing. */
static void put(struct rig *rig, struct rig_client *client)
{
    uint8_t bytes[1024];
    char request[256];

    (void)snprintf(request, sizeof(request),
                   "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 7\r\n\r\nlog one",
                   SSL_get_servername(client->ssl, TLSEXT_NAMETYPE_host_name));
    (void)SSL_write(client->ssl, request, (int)strlen(request));
    int size = BIO_read(client->from_client, bytes, sizeof(bytes));
    CHECK(rig_put(rig, 0, TF_MSG_DATA, client->id, bytes, (size_t)size));
}

/* More lambdas than slots, so that some take the slots of others (enclave/sched.h). */
static void what_is_put_back_has_written_nothing(void)
{
    static const char *const names[] = {"hello", "b", "c", "d", "e", "f"};
    enum { COUNT = 6 };
    struct rig_client *clients[COUNT];
    struct rig *rig = rig_open();
    uint64_t written = 0;

    for (size_t i = 0; i < COUNT; i++) {
        char sni[32];
        CHECK(rig_serve(rig, names[i], "say 40", "{\"memory\":1048576}"));
        (void)snprintf(sni, sizeof(sni), "%s.example", names[i]);
        clients[i] = rig_connect(rig, 0, sni);
    }
    rig_settle(rig);
    for (size_t i = 0; i < COUNT; i++) {
        put(rig, clients[i]);
    }
    while (rig_enter(rig, 0).exit == TF_EXIT_MORE) {
    }
    for (size_t i = 0; i < COUNT; i++) {
        char text[512];
        CHECK(rig_recv(rig, clients[i], text, sizeof(text)) > 0);
        CHECK(count(rig, names[i], "log one") == 1);
        written += tf_instance_known(tf_instance_self(), names[i])->log.count;
    }
    CHECK(written > 2 * COUNT + RIG_SLOTS); /* so there was something to take back */
    rig_close(rig);
}

int main(void)
{
    RUN(the_publisher_learns_why_it_failed);
    RUN(and_what_was_written_in_order);
    RUN(nobody_else_does);
    RUN(a_revoked_publisher_does_not);
    RUN(who_shares_the_enclave_does_not);
    RUN(what_is_no_text_is_made_one);
    RUN(a_flood_takes_no_room_from_failures_or_others);
    RUN(where_there_is_much_each_has_little);
    RUN(nothing_is_left_of_a_lambda_that_went);
    RUN(what_is_put_back_has_written_nothing);
    return test_end();
}
