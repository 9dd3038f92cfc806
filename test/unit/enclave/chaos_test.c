/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An honest host in a hard time: two threads, clients that come, stall and go, lambdas
 * and grants that change under them. Nothing of that may end the enclave, mix up two
 * clients' bytes, or leave something behind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { ROUNDS = 1500, /* TFAAS_CHAOS: others */ SLOTS = 12, NAMES = 3 };

static const char *const names[NAMES] = {"a", "b", "c"};

struct visitor {
    struct rig_client *client;
    const char *name;
    unsigned asked;
    unsigned answered;
    char *text; /* of the answers so far */
    size_t size;
};

struct chaos {
    struct rig *rig;
    struct visitor visitors[SLOTS];
    uint64_t seed;
    uint64_t versions[NAMES];
};

/* xorshift64*: the same story every time. */
static unsigned roll(struct chaos *chaos, unsigned sides)
{
    chaos->seed ^= chaos->seed >> 12;
    chaos->seed ^= chaos->seed << 25;
    chaos->seed ^= chaos->seed >> 27;
    return (unsigned)((chaos->seed * 2685821657736338717u >> 33) % sides);
}

static void load(struct chaos *chaos, unsigned index)
{
    static const char *const codes[] = {"echo",   "echo",     "echo",   "big 200000",
                                        "slow 9", "nosource", "spin 20"};
    char domain[32];
    const struct rig_lambda lambda = {.name = names[index],
                                      .version = ++chaos->versions[index],
                                      .code = codes[roll(chaos, 7)],
                                      .domains = {domain}};

    (void)snprintf(domain, sizeof(domain), "%s.example", names[index]);
    if (roll(chaos, 2) == 0) { /* tried while all goes on */
        rig_offer(chaos->rig, (int)roll(chaos, 2), 1 + roll(chaos, 3), &lambda);
        return;
    }
    tf_err err = rig_load(chaos->rig, (int)roll(chaos, 2), &lambda);
    bool is_bad = strcmp(lambda.code, "nosource") == 0;
    CHECK(err == TF_EBUSY || err == (is_bad ? TF_ELAMBDA_SOURCE : TF_OK));
}

static void leave(struct chaos *chaos, struct visitor *visitor)
{
    rig_hang_up(chaos->rig, visitor->client);
    free(visitor->text);
    *visitor = (struct visitor){0};
}

static void grant(struct chaos *chaos, unsigned index)
{
    char domain[32];
    char sni[64];
    const struct rig_grant wanted = {
        .lambda = names[index], .names = {domain}, .is_upload = roll(chaos, 2) == 0};

    (void)snprintf(domain, sizeof(domain), "%s.example", names[index]);
    (void)snprintf(sni, sizeof(sni), "%s.manage.tfaas.internal", names[index]);
    struct rig_client *client = rig_connect(chaos->rig, (int)roll(chaos, 2), sni);
    if (rig_is_up(client)) {
        CHECK(rig_grant(chaos->rig, client, &wanted, NULL) == 200);
    }
    rig_hang_up(chaos->rig, client);
}

static void come(struct chaos *chaos, struct visitor *visitor)
{
    char sni[64];

    visitor->name = names[roll(chaos, NAMES)];
    (void)snprintf(sni, sizeof(sni), "%s.example", visitor->name);
    visitor->client = rig_connect(chaos->rig, (int)roll(chaos, 2), sni);
    visitor->text = calloc(1, RIG_SINK);
}

static void ask(struct chaos *chaos, struct visitor *visitor)
{
    char request[256];

    if (!rig_is_up(visitor->client)) {
        leave(chaos, visitor);
        return;
    }
    int size =
        snprintf(request, sizeof(request),
                 "POST /%u HTTP/1.1\r\nHost: %s.example\r\nContent-Length: 4\r\n\r\nbody",
                 visitor->asked++, visitor->name);
    if (roll(chaos, 3) == 0) { /* in two pieces */
        size_t first = 1 + roll(chaos, (unsigned)size - 1);
        rig_send(chaos->rig, visitor->client, request, first);
        rig_send(chaos->rig, visitor->client, request + first, (size_t)size - first);
        return;
    }
    rig_send(chaos->rig, visitor->client, request, (size_t)size);
}

/* Reads; what echoes must be this visitor's. */
static void look(struct chaos *chaos, struct visitor *visitor)
{
    char other[32];

    visitor->size = rig_recv(chaos->rig, visitor->client, visitor->text, RIG_SINK - 1);
    visitor->text[visitor->size] = '\0';
    for (unsigned i = 0; i < NAMES; i++) {
        (void)snprintf(other, sizeof(other), "x-url: https://%s.", names[i]);
        CHECK(names[i] == visitor->name || strstr(visitor->text, other) == NULL);
    }
}

static void round_of(struct chaos *chaos)
{
    struct visitor *visitor = &chaos->visitors[roll(chaos, SLOTS)];
    unsigned what = roll(chaos, 100);

    if (what < 6) {
        load(chaos, roll(chaos, NAMES));
    } else if (what < 9) {
        grant(chaos, roll(chaos, NAMES));
    } else if (what < 10) {
        (void)rig_drop(chaos->rig, (int)roll(chaos, 2), names[roll(chaos, NAMES)]);
    } else if (what < 11) {
        chaos->rig->now += roll(chaos, 100);
    } else if (visitor->client == NULL) {
        come(chaos, visitor);
    } else if (what < 15) {
        leave(chaos, visitor);
    } else if (what < 25) {
        visitor->client->is_holding = !visitor->client->is_holding;
    } else if (what < 50) {
        look(chaos, visitor);
    } else {
        ask(chaos, visitor);
    }
}

static void nothing_ends_the_enclave(void)
{
    const char *wanted = getenv("TFAAS_CHAOS");
    int rounds = wanted == NULL ? ROUNDS : atoi(wanted);
    struct chaos chaos = {.rig = rig_open(),
                          .seed = 88172645463325252u ^ (uint64_t)rounds};
    struct rig *rig = chaos.rig;

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    for (unsigned i = 0; i < NAMES; i++) {
        load(&chaos, i);
        grant(&chaos, i);
    }
    for (int i = 0; i < rounds; i++) {
        round_of(&chaos);
        if (rig->threads[0].last.exit == TF_EXIT_DEAD ||
            rig->threads[1].last.exit == TF_EXIT_DEAD) {
            (void)fprintf(stderr, "round %d: %s, %s\n", i,
                          tf_err_name(rig->threads[0].last.err),
                          tf_err_name(rig->threads[1].last.err));
            CHECK(!"the enclave ended");
            break;
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        if (chaos.visitors[i].client != NULL) {
            leave(&chaos, &chaos.visitors[i]);
        }
    }
    rig_settle(rig); /* what is tried */
    for (unsigned i = 0; i < NAMES; i++) {
        (void)rig_drop(rig, 0, names[i]);
    }
    const uint64_t from = 0;
    for (int i = 0; i < 2; i++) { /* each thread looks at the table once more */
        (void)rig_put(rig, i, TF_MSG_STATS, 1, &from, sizeof(from));
        CHECK(rig_enter(rig, i).exit == TF_EXIT_IDLE);
    }
    char *text = rig_result(rig);
    CHECK(strstr(text, "{\"lambdas\":[],") == text);
    CHECK(strstr(text, "\"connections\":0,\"held\":0,\"evicted\":") != NULL);
    free(text);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

int main(void)
{
    RUN(nothing_ends_the_enclave);
    return test_end();
}
