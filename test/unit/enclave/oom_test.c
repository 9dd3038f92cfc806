/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that ends at the worst moment: a story from the bundle to a resumed session is
 * told once for each allocation in it, and that one fails (as SQLite tests itself).
 * Nothing of that may end the enclave, and the story told again must end well. Each
 * telling has a process of its own. The linker puts the functions below in the place of
 * malloc and its like (see the Makefile).
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { SECONDS_MAX = 60, CHUNK = 0x3000, STORIES_MIN = 100, STEP = 4 };

/* All of them take half a minute on a busy machine: each fourth, or with any argument
 * all. */
static long step = STEP;

static bool is_inside; /* the enclave runs, not the test around it */
static long seen;      /* allocations of the enclave */
static long failing = -1;

/* The linker chooses these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
struct tf_core_exit __real_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now);
struct tf_core_exit __wrap_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now);

static bool is_failing(void)
{
    return is_inside && seen++ == failing;
}

void *__wrap_malloc(size_t size)
{
    return is_failing() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_failing() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return is_failing() ? NULL : __real_realloc(block, size);
}

struct tf_core_exit __wrap_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now)
{
    is_inside = true;
    struct tf_core_exit done = __real_tf_core_enter(page, channel, now);
    is_inside = false;
    return done;
}

/* --- the story
 * -------------------------------------------------------------------------- */

/* A quote for the management certificate, if the enclave waits for it. */
static void attest_identity(struct rig *rig)
{
    static const char evidence[] = "{\"type\":\"tfaas-dcap-quote.v1\",\"quote\":\"%s\"}";
    static const uint8_t quote[600];
    const struct rig_frame *frame = rig_last(rig, TF_MSG_REPORT);
    char coded[1024];
    char text[sizeof(evidence) + sizeof(coded)];

    if (frame != NULL && frame->id == TF_ID_IDENTITY) {
        tf_base64_write(quote, sizeof(quote), coded);
        (void)snprintf(text, sizeof(text), evidence, coded);
        (void)rig_put(rig, 0, TF_MSG_QUOTE, TF_ID_IDENTITY, text, strlen(text));
        (void)rig_enter(rig, 0);
    }
}

/* First a grant for the store, then one that lives by a lease; both with a secret. */
static bool grant(struct rig *rig, struct rig_client *client)
{
    struct rig_grant grant = {.secrets = {{"TOKEN", "secret"}}};
    struct tf_lease_statement lease = {.lambda_count = 1};
    bool is_good = rig_is_up(client) && rig_grant(rig, client, &grant, NULL) == 200;

    grant.is_leased = true;
    is_good &= rig_is_up(client) && rig_grant(rig, client, &grant, NULL) == 200;
    lease.lambdas[0] = (struct tf_lease_lambda){"hello", rig->serial, 7};
    return is_good && rig_is_up(client) &&
           rig_lease(rig, client, &lease, NULL, NULL) == 200;
}

static bool publish(struct rig *rig)
{
    static const struct rig_lambda hello = {.name = "hello",
                                            .version = 7,
                                            .code = "echo",
                                            .domains = {"hello.example"},
                                            .limits = "{\"memory\":1048576}"};
    static const char nonce[] =
        "{\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}";
    bool is_good = rig_load(rig, 0, &hello) == TF_OK;
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");

    is_good &=
        rig_is_up(client) && rig_post(rig, client, "/v1/attest", nonce, NULL) == 200;
    rig_log_clear(rig); /* else the rig answers the same REPORT again */
    is_good &= grant(rig, client);
    rig_hang_up(rig, client);
    return is_good;
}

static bool is_answered(struct rig *rig, struct rig_client *client, const char *request)
{
    char *text = rig_ask(rig, client, request);
    bool is_good = strncmp(text, "HTTP/1.1 200", 12) == 0;

    free(text);
    return is_good;
}

/* An upload in pieces, then another request. */
static bool visit(struct rig *rig, SSL_SESSION **session)
{
    const struct rig_dial dial = {.sni = "hello.example", .session = *session};
    static char chunk[CHUNK + 8];
    struct rig_client *client = rig_dial(rig, 0, &dial);

    memset(chunk, 'y', CHUNK);
    memcpy(chunk + CHUNK, "\r\n0\r\n\r\n", 8);
    (void)is_answered(rig, client,
                      "POST /x HTTP/1.1\r\nHost: hello.example\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    (void)is_answered(rig, client, "3000\r\n");
    bool is_good =
        is_answered(rig, client, chunk) &&
        is_answered(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    if (*session == NULL) {
        *session = SSL_get1_session(client->ssl);
    }
    rig_hang_up(rig, client);
    return is_good;
}

static bool tell(struct rig *rig)
{
    SSL_SESSION *session = NULL;

    attest_identity(rig);
    bool is_good = publish(rig);

    is_good &= visit(rig, &session);
    is_good &= visit(rig, &session);
    SSL_SESSION_free(session);
    (void)rig_put(rig, 0, TF_MSG_STATS, 5, NULL, 0);
    (void)rig_enter(rig, 0);
    return is_good;
}

/* --- its tellings
 * ----------------------------------------------------------------------- */

/* Has allocation `index` fail. @return whether the enclave lives and then serves. */
static bool survives(struct rig *rig, long index)
{
    failing = index;
    seen = 0;
    (void)tell(rig);
    failing = -1;
    return rig->threads[0].last.exit != TF_EXIT_DEAD && tell(rig);
}

static bool survives_elsewhere(struct rig *rig, long index)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(SECONDS_MAX);
        _exit(survives(rig, index) ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static void any_allocation_may_fail(void)
{
    struct rig *rig = rig_open();
    long index = 0;

    /* What is made once, like caches, is made here: the count below is of what comes. */
    seen = 0;
    CHECK(tell(rig));
    long count = seen;
    rig_close(rig);
    rig = rig_open();
    CHECK(count > STORIES_MIN);
    while (index < count && CHECK(survives_elsewhere(rig, index))) {
        index += step;
    }
    if (index < count) {
        (void)fprintf(stderr, "allocation %ld of %ld\n", index, count);
    }
    rig_close(rig);
}

int main(int argc, char **argv)
{
    (void)argv;
    step = argc > 1 ? 1 : STEP;
    json_set_alloc_funcs(__wrap_malloc, free); /* a shared library: not linked with us */
    RUN(any_allocation_may_fail);
    return test_end();
}
