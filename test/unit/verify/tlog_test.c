/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/tlog.h"

#include <stdio.h>

#include "test/fixture.h"
#include "test/test.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

enum { LOG_CAP = 64 << 10 };

/* A log in memory, written as the attester does. */
struct written {
    struct fixture_key key;
    struct tf_tlog walk;
    char text[LOG_CAP];
    size_t size;
    size_t ends[16]; /* of each line, behind its newline */
    size_t count;
};

/* @return what the reader says to the new line. */
static tf_err append(struct written *log, const struct tf_tlog_event *event)
{
    char buffer[TF_TLOG_BUFFER_SIZE];
    uint8_t signature[128];
    struct tf_tlog_line line;
    size_t size = 0;

    CHECK(tf_tlog_line_begin(&log->walk, 1000 + log->count, event, buffer, &size) ==
          TF_OK);
    size_t signature_size = fixture_sign(&log->key, buffer, size, signature);
    CHECK(tf_tlog_line_end(buffer, &size, signature, signature_size) == TF_OK);
    tf_err err = tf_tlog_feed(&log->walk, buffer + TF_TLOG_LABEL_SIZE, size, &line);
    memcpy(log->text + log->size, buffer + TF_TLOG_LABEL_SIZE, size);
    log->size += size;
    log->text[log->size++] = '\n';
    log->ends[log->count++] = log->size;
    return err;
}

static struct tf_tlog_event start_of(const struct fixture_key *key)
{
    struct tf_tlog_event e = {
        .kind = TF_TLOG_START, .policy = HEX64, .key_size = key->publisher.spki_size};
    memcpy(e.key, key->publisher.spki, e.key_size);
    return e;
}

static struct tf_tlog_event intent_of(uint64_t serial)
{
    return (struct tf_tlog_event){.kind = TF_TLOG_INTENT,
                                  .serial = serial,
                                  .lambda = "shop",
                                  .digest = HEX64,
                                  .version = 3,
                                  .names = {"shop.test", "www.shop.test"},
                                  .name_count = 2,
                                  .instance = "00112233445566778899aabbccddeeff",
                                  .machine = "127.0.0.1:8443",
                                  .measurement = HEX64,
                                  .certificate = HEX64,
                                  .not_after = 2000,
                                  .is_simulated = true};
}

static struct tf_tlog_event outcome_of(tf_tlog_kind kind, uint64_t serial)
{
    struct tf_tlog_event e = {
        .kind = kind, .serial = serial, .version = 4, .digest = HEX64};
    if (kind == TF_TLOG_VOID || kind == TF_TLOG_STOPPED) {
        (void)snprintf(e.reason, sizeof(e.reason), "grant-old");
    }
    return e;
}

/* Starts a log with its first line; free and fixture_key_close by close_log. */
static struct written *open_log(const char *kind)
{
    struct written *log = calloc(1, sizeof(*log));
    log->key = fixture_key_open(kind);
    struct tf_tlog_event start = start_of(&log->key);
    tf_tlog_init(&log->walk, log->key.publisher.keyid);
    append(log, &start);
    return log;
}

static void close_log(struct written *log)
{
    tf_tlog_wipe(&log->walk);
    fixture_key_close(&log->key);
    free(log);
}

static struct written *small_log(const char *kind)
{
    struct written *log = open_log(kind);
    struct tf_tlog_event events[] = {intent_of(7),
                                     outcome_of(TF_TLOG_GRANTED, 7),
                                     intent_of(9),
                                     outcome_of(TF_TLOG_VOID, 9),
                                     outcome_of(TF_TLOG_UPDATE, 7),
                                     {.kind = TF_TLOG_REFUSED,
                                      .lambda = "shop",
                                      .machine = "h:1",
                                      .reason = "tcb-level"},
                                     {.kind = TF_TLOG_POLICY, .policy = HEX64},
                                     outcome_of(TF_TLOG_STOPPED, 7)};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        append(log, &events[i]);
    }
    return log;
}

/* The verdict on a text: TF_OK when the walk comes to the end, else what stopped it. */
static tf_err check(const char *keyid, const char *text, size_t size, uint64_t *lines)
{
    struct tf_tlog walk;
    struct tf_tlog_line line;
    size_t at = 0;
    tf_err err = TF_OK;

    tf_tlog_init(&walk, keyid);
    while ((err = tf_tlog_next(&walk, text, size, &at, &line)) == TF_OK) {
    }
    if (lines != NULL) {
        *lines = walk.seq;
    }
    tf_tlog_wipe(&walk);
    return err == TF_AGAIN ? TF_OK : err;
}

static void test_a_log_verifies(void)
{
    static const char *const kinds[] = {"ED25519", "P-256"};
    for (size_t i = 0; i < 2; i++) {
        struct written *log = small_log(kinds[i]);
        uint64_t lines = 0;
        CHECK(check(log->key.publisher.keyid, log->text, log->size, &lines) == TF_OK);
        CHECK(lines == 9 && log->count == 9);
        CHECK(check(NULL, log->text, log->size, NULL) == TF_OK);
        CHECK(tf_tlog_find(&log->walk, 7)->is_granted);
        CHECK(tf_tlog_find(&log->walk, 9)->is_void);
        CHECK(tf_tlog_find(&log->walk, 8) == NULL);
        close_log(log);
    }
}

static void write_event(const struct tf_tlog_event *event, char out[static 2048])
{
    struct tf_json_writer w;
    tf_json_writer_init(&w, out, 2048);
    tf_tlog_event_write(&w, NULL, event);
    CHECK(tf_json_take(&w, NULL) == TF_OK);
}

static void test_what_is_written_is_read(void)
{
    struct written *log = open_log("ED25519");
    struct tf_tlog walk;
    struct tf_tlog_line line;
    struct tf_tlog_event intent = intent_of(7);
    size_t at = 0;

    append(log, &intent);
    tf_tlog_init(&walk, NULL);
    CHECK(tf_tlog_next(&walk, log->text, log->size, &at, &line) == TF_OK);
    CHECK(strcmp(walk.keyid, log->key.publisher.keyid) == 0);
    CHECK(tf_tlog_next(&walk, log->text, log->size, &at, &line) == TF_OK);
    CHECK(line.seq == 2 && line.time == 1001);
    char written[2048];
    char read[2048];
    write_event(&intent, written);
    write_event(&line.event, read);
    CHECK(strcmp(written, read) == 0);
    CHECK(tf_tlog_next(&walk, log->text, log->size, &at, &line) == TF_AGAIN);
    tf_tlog_wipe(&walk);
    close_log(log);
}

static void test_attack_flip_any_bit(void)
{
    struct written *log = open_log("ED25519");
    struct tf_tlog_event events[] = {intent_of(7), outcome_of(TF_TLOG_GRANTED, 7)};
    size_t accepted = 0;
    append(log, &events[0]);
    append(log, &events[1]);
    for (size_t i = 0; i < log->size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            log->text[i] = (char)(log->text[i] ^ (1 << bit));
            accepted +=
                check(log->key.publisher.keyid, log->text, log->size, NULL) == TF_OK;
            log->text[i] = (char)(log->text[i] ^ (1 << bit));
        }
    }
    CHECK(accepted == 0);
    CHECK(check(log->key.publisher.keyid, log->text, log->size, NULL) == TF_OK);
    close_log(log);
}

static void test_attack_cut_in_the_middle(void)
{
    struct written *log = small_log("ED25519");
    size_t accepted = 0;
    for (size_t size = 1; size < log->size; size++) {
        bool is_whole = log->text[size - 1] == '\n';
        accepted += !is_whole && check(NULL, log->text, size, NULL) == TF_OK;
    }
    CHECK(accepted == 0);
    /* A line taken out. */
    memmove(log->text + log->ends[2], log->text + log->ends[3], log->size - log->ends[3]);
    CHECK(check(NULL, log->text, log->size - (log->ends[3] - log->ends[2]), NULL) ==
          TF_ELOG_CHAIN);
    close_log(log);
}

static void test_attack_swap_two_lines(void)
{
    struct written *log = small_log("ED25519");
    char *swapped = malloc(log->size);
    size_t first = log->ends[1] - log->ends[0];
    size_t second = log->ends[2] - log->ends[1];
    memcpy(swapped, log->text, log->size);
    memcpy(swapped + log->ends[0], log->text + log->ends[1], second);
    memcpy(swapped + log->ends[0] + second, log->text + log->ends[0], first);
    CHECK(check(NULL, swapped, log->size, NULL) == TF_ELOG_CHAIN);
    free(swapped);
    close_log(log);
}

static void test_attack_drop_the_last_lines(void)
{
    struct written *log = small_log("ED25519");
    struct tf_tlog walk;
    struct tf_tlog_line line;
    size_t at = 0;

    /* It is a good older log... */
    CHECK(check(log->key.publisher.keyid, log->text, log->ends[5], NULL) == TF_OK);
    /* ... for all but who noted the head. */
    tf_tlog_init(&walk, log->key.publisher.keyid);
    tf_tlog_want_head(&walk, log->walk.head);
    while (tf_tlog_next(&walk, log->text, log->ends[5], &at, &line) == TF_OK) {
    }
    CHECK(!tf_tlog_has_head(&walk));
    while (tf_tlog_next(&walk, log->text, log->size, &at, &line) == TF_OK) {
    }
    CHECK(tf_tlog_has_head(&walk));
    tf_tlog_wipe(&walk);
    close_log(log);
}

static void test_attack_another_key(void)
{
    struct written *log = small_log("ED25519");
    struct written *other = small_log("ED25519");
    CHECK(check(other->key.publisher.keyid, log->text, log->size, NULL) ==
          TF_ELOG_SIGNATURE);
    /* Lines of another attester, chained on: its own start names another key. */
    struct tf_tlog_event start = start_of(&other->key);
    fixture_key_close(&log->key);
    log->key = fixture_key_of(EVP_PKEY_dup(other->key.key));
    append(log, &start);
    CHECK(check(NULL, log->text, log->size, NULL) == TF_ELOG_SIGNATURE);
    close_log(log);
    close_log(other);
}

/* One more event behind a small log. */
static tf_err after(struct tf_tlog_event event)
{
    struct written *log = small_log("ED25519");
    append(log, &event);
    tf_err err = check(NULL, log->text, log->size, NULL);
    close_log(log);
    return err;
}

static void test_attack_serial_twice(void)
{
    CHECK(after(intent_of(9)) == TF_ELOG_SERIAL);
    CHECK(after(intent_of(8)) == TF_ELOG_SERIAL);
    CHECK(after(intent_of(10)) == TF_OK);
}

static void test_attack_outcome_without_intent(void)
{
    CHECK(after(outcome_of(TF_TLOG_GRANTED, 8)) == TF_ELOG_SERIAL);
    CHECK(after(outcome_of(TF_TLOG_UPDATE, 9)) == TF_ELOG_SERIAL);
    CHECK(after(outcome_of(TF_TLOG_STOPPED, 9)) == TF_ELOG_SERIAL);
}

static void test_what_was_granted_stays_granted(void)
{
    CHECK(after(outcome_of(TF_TLOG_VOID, 7)) == TF_ELOG_SERIAL);
    CHECK(after(outcome_of(TF_TLOG_GRANTED, 9)) == TF_OK); /* it arrived late */
}

static void test_a_log_begins_with_its_key(void)
{
    struct written *log = small_log("ED25519");
    struct tf_tlog walk;
    struct tf_tlog_line line;
    struct tf_tlog_event event = intent_of(1);
    char buffer[TF_TLOG_BUFFER_SIZE];
    uint8_t signature[128];
    size_t size = 0;

    tf_tlog_init(&walk, log->key.publisher.keyid);
    CHECK(tf_tlog_line_begin(&walk, 1, &event, buffer, &size) == TF_OK);
    size_t signature_size = fixture_sign(&log->key, buffer, size, signature);
    CHECK(tf_tlog_line_end(buffer, &size, signature, signature_size) == TF_OK);
    CHECK(tf_tlog_feed(&walk, buffer + TF_TLOG_LABEL_SIZE, size, &line) ==
          TF_ELOG_SIGNATURE);
    tf_tlog_wipe(&walk);
    close_log(log);
}

static void test_fields_are_strict(void)
{
    static const char *const bad[] = {
        "{\"type\":\"granted\"}",
        "{\"type\":\"granted\",\"serial\":0}",
        "{\"type\":\"granted\",\"serial\":1,\"reason\":\"x\"}",
        "{\"type\":\"void\",\"serial\":1,\"reason\":\"a b\"}",
        "{\"type\":\"void\",\"serial\":1,\"reason\":\"\"}",
        "{\"type\":\"void\",\"serial\":1,\"reason\":\"\\u001b\"}",
        "{\"type\":\"update\",\"serial\":1,\"version\":1,\"digest\":\"00\"}",
        "{\"type\":\"else\",\"serial\":1}",
        "{\"serial\":1}"};
    struct tf_tlog_event event;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *document = NULL;
        CHECK(tf_json_parse(bad[i], strlen(bad[i]), &document) == TF_OK);
        CHECK(tf_tlog_event_read(document, &event) == TF_ELOG_FORMAT);
        json_decref(document);
    }
}

int main(void)
{
    RUN(test_a_log_verifies);
    RUN(test_what_is_written_is_read);
    RUN(test_attack_flip_any_bit);
    RUN(test_attack_cut_in_the_middle);
    RUN(test_attack_swap_two_lines);
    RUN(test_attack_drop_the_last_lines);
    RUN(test_attack_another_key);
    RUN(test_attack_serial_twice);
    RUN(test_attack_outcome_without_intent);
    RUN(test_what_was_granted_stays_granted);
    RUN(test_a_log_begins_with_its_key);
    RUN(test_fields_are_strict);
    return test_end();
}
