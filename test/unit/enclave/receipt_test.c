/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_test.c - receipts and statements of usage as the enclave makes them and
 * verify/receipt.c reads them: nothing changed verifies, nothing is counted twice or left
 * out.
 */
#include "enclave/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/instance.h"
#include "test/native/rig.h"
#include "test/test.h"
#include "verify/receipt.h"

static void keyid(char out[static 2 * TF_SHA256_SIZE + 1])
{
    tf_hex_write(tf_instance_self()->receipts.id, TF_SHA256_SIZE, out);
}

/* The value of the answer's field, NUL-terminated in place of the line's end; or NULL. */
static char *receipt_in(char *answer)
{
    static const char name[] = "\r\ntfaas-receipt: ";
    char *value = strstr(answer, name);

    if (value == NULL) {
        return NULL;
    }
    value += sizeof(name) - 1;
    *strstr(value, "\r\n") = '\0';
    return value;
}

static tf_err open_text(const char *text, struct tf_receipt *out)
{
    char id[2 * TF_SHA256_SIZE + 1];

    keyid(id);
    return tf_receipt_open(text, strlen(text), id, out);
}

/* POSTs the body and asks for a receipt. @return the answer, on the heap. */
static char *post(struct rig *rig, struct rig_client *client, const char *body)
{
    char request[512];

    (void)snprintf(request, sizeof(request),
                   "POST / HTTP/1.1\r\nHost: hello.example\r\ntfaas-receipt: 1\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    return rig_ask(rig, client, request);
}

/* The receipt of one such request. */
static bool take(struct rig *rig, struct rig_client *client, const char *body,
                 struct tf_receipt *out)
{
    char *answer = post(rig, client, body);
    const char *text = receipt_in(answer);
    bool is_good = text != NULL && open_text(text, out) == TF_OK;

    free(answer);
    return is_good;
}

static bool take_usage(struct rig *rig, const char *lambda, struct tf_receipt *out)
{
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    char body[128];
    char *answer = NULL;

    (void)snprintf(body, sizeof(body), "{\"lambda\":\"%s\"}", lambda);
    bool is_good = rig_post(rig, client, "/v1/usage", body, &answer) == 200;
    char *text = is_good ? answer + strlen("{\"usage\":\"") : NULL;
    if (text != NULL) {
        *strchr(text, '"') = '\0';
        is_good = open_text(text, out) == TF_OK && out->is_usage;
    }
    free(answer);
    rig_hang_up(rig, client);
    return is_good;
}

static struct rig *serve(const char *code)
{
    struct rig *rig = rig_open();
    struct rig_lambda lambda = {
        .name = "hello", .version = 8, .code = code, .domains = {"hello.example"}};

    rig_serve_hello(rig);
    CHECK(rig_load(rig, 0, &lambda) == TF_OK);
    return rig;
}

static void a_receipt_says_what_ran(void)
{
    struct rig *rig = serve("echo");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    struct tf_receipt r = {0};
    char instance[33];

    tf_hex_write(tf_instance_self()->id, TF_INSTANCE_ID_SIZE, instance);
    CHECK(take(rig, client, "hello", &r));
    CHECK(!r.is_usage && strcmp(r.lambda, "hello") == 0 && r.version == 8);
    CHECK(strcmp(r.instance, instance) == 0 && r.serial == 1 && r.is_ok);
    CHECK(r.status == 200 && r.steps == 10 && r.peak > 1024);
    CHECK(r.bytes_in == 5 && r.bytes_out == 5);
    CHECK(r.time >= rig->now); /* the grant's time anchored it */
    CHECK(take(rig, client, "", &r) && r.serial == 2 && r.bytes_in == 0);
    rig_close(rig);
}

static void only_who_asks_gets_one(void)
{
    struct rig *rig = serve("echo");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    static const char *const others[] = {"", "tfaas-receipt: 0\r\n", "tfaas-receipt:\r\n",
                                         "x-tfaas-receipt: 1\r\n"};
    struct tf_receipt r = {0};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request),
                       "GET / HTTP/1.1\r\nHost: hello.example\r\n%s\r\n", others[i]);
        char *answer = rig_ask(rig, client, request);
        CHECK(strstr(answer, "200 OK") != NULL && strstr(answer, "tfaas-") == NULL);
        free(answer);
    }
    CHECK(take(rig, client, "", &r) && r.serial == 1);
    char *refused =
        rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: other\r\ntfaas-receipt: 1\r\n\r\n");
    CHECK(strstr(refused, " 421 ") != NULL && receipt_in(refused) == NULL);
    free(refused);
    CHECK(take_usage(rig, "hello", &r) && r.ok == 5 && r.receipts == 1);
    rig_close(rig);
}

static void a_changed_bit_never_verifies(void)
{
    struct rig *rig = serve("echo");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *answer = post(rig, client, "hello");
    char *text = receipt_in(answer);
    struct tf_receipt r = {0};

    if (CHECK(text != NULL && open_text(text, &r) == TF_OK)) {
        size_t size = strlen(text);
        char id[2 * TF_SHA256_SIZE + 1];
        size_t good = 0;
        keyid(id);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
            good += tf_receipt_open(text, size, id, &r) == TF_OK;
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        }
        CHECK(good == 0);
        for (size_t cut = 0; cut < size; cut++) {
            good += tf_receipt_open(text, cut, id, &r) == TF_OK;
        }
        CHECK(good == 0);
        CHECK(tf_receipt_open(text, size, id, &r) == TF_OK);
        id[0] = id[0] == '0' ? '1' : '0';
        CHECK(tf_receipt_open(text, size, id, &r) == TF_ERECEIPT_KEY);
    }
    free(answer);
    rig_close(rig);
}

static void failures_have_receipts(void)
{
    static const struct {
        const char *code;
        unsigned status;
        uint64_t steps;
    } rows[] = {
        {"throw", 500, 10}, {"loop", 503, TF_STEPS_DEFAULT}, {"nosource", 503, 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_open();
        const struct rig_lambda lambda = {.name = "hello",
                                          .version = 8,
                                          .code = rows[i].code,
                                          .domains = {"hello.example"}};
        rig_serve_hello(rig);
        struct rig_client *client = rig_connect_untried(rig, 0, &lambda);
        struct tf_receipt r = {0};
        CHECK(take(rig, client, "hello", &r));
        CHECK(!r.is_ok && r.status == rows[i].status && r.steps == rows[i].steps);
        CHECK(r.bytes_in == 5 && r.bytes_out == 0);
        CHECK(take_usage(rig, "hello", &r) && r.ok == 0 && r.failed == 1);
        CHECK(r.steps == rows[i].steps && r.receipts == 1);
        rig_close(rig);
    }
}

static void usage_is_the_sum_over_threads_and_versions(void)
{
    struct rig *rig = serve("echo");
    const struct rig_lambda next = {
        .name = "hello", .version = 9, .code = "throw", .domains = {"hello.example"}};
    struct tf_receipt sum = {0};
    struct tf_receipt r = {0};

    rig_thread_make(rig, 1);
    CHECK(rig_init(rig, 1).exit == TF_EXIT_IDLE);
    for (int i = 0; i < 20; i++) {
        struct rig_client *client = rig_connect(rig, i % 2, "hello.example");
        if (i == 12) {
            CHECK(rig_load(rig, 0, &next) == TF_OK);
        }
        CHECK(take(rig, client, "hello", &r) && r.serial == (uint64_t)i + 1);
        CHECK(r.version == (i < 12 ? 8 : 9));
        sum.steps += r.steps;
        sum.bytes_out += r.bytes_out;
        sum.peak = r.peak > sum.peak ? r.peak : sum.peak;
        rig_hang_up(rig, client);
    }
    CHECK(take_usage(rig, "hello", &r));
    CHECK(r.ok == 12 && r.failed == 8 && r.receipts == 20 && r.steps == sum.steps);
    CHECK(r.bytes_in == 100 && r.bytes_out == sum.bytes_out && r.peak == sum.peak);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    rig_close(rig);
}

static void usage_of_nothing_is_refused(void)
{
    struct rig *rig = serve("echo");
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    static const char *const bodies[] = {
        "{\"lambda\":\"other\"}", "{\"lambda\":\"\"}", "{\"lambda\":7}", "{}", "[]", ""};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char *answer = NULL;
        int status = rig_post(rig, client, "/v1/usage", bodies[i], &answer);
        CHECK(status == (i < 2 ? 404 : 400));
        CHECK(answer != NULL && strstr(answer, "\"error\"") != NULL);
        free(answer);
    }
    rig_close(rig);
}

static void another_start_has_another_key(void)
{
    struct rig *rig = serve("echo");
    char *answer = post(rig, rig_connect(rig, 0, "hello.example"), "hello");
    const char *text = receipt_in(answer);
    struct tf_receipt r = {0};

    CHECK(text != NULL && open_text(text, &r) == TF_OK);
    rig_close(rig);
    rig = serve("echo");
    CHECK(text != NULL && open_text(text, &r) == TF_ERECEIPT_KEY);
    free(answer);
    rig_close(rig);
}

int main(void)
{
    RUN(a_receipt_says_what_ran);
    RUN(only_who_asks_gets_one);
    RUN(a_changed_bit_never_verifies);
    RUN(failures_have_receipts);
    RUN(usage_is_the_sum_over_threads_and_versions);
    RUN(usage_of_nothing_is_refused);
    RUN(another_start_has_another_key);
    return test_end();
}
