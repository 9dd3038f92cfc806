/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/logs.h"

#include <string.h>

#include "enclave/conn.h"
#include "enclave/js/env.h"
#include "enclave/js/text.h"
#include "enclave/local.h"
#include "enclave/thread.h"
#include "lib/dsse.h"
#include "lib/json.h"

enum {
    QUESTION_MAX = 256,
    TAIL = 8,              /* bytes of an answer after its last line, and more */
    SHARE = 32 << 10,      /* bytes that a lambda's lines may take, and its failures */
    SMALL_SHARE = 2 << 10, /* what it keeps of each while its member's lambdas have */
    MUCH = 4 << 20         /* more than this together, of one member */
};

/* In shared memory. */
struct line {
    struct tf_link link;
    uint64_t ordinal;
    uint64_t run;  /* the ordinal of its first line; 0: nothing ran */
    uint64_t time; /* the enclave's, seconds since 1970 */
    uint64_t id;   /* of a failure */
    tf_err err;    /* the same; TF_OK: of the console */
    size_t size;
    char text[];
};

static bool is_failure(const struct line *line)
{
    return line->err != TF_OK;
}

/* Hold the lock. */
static void drop(struct tf_instance *instance, struct tf_entry *entry, struct line *line)
{
    const size_t size = sizeof(*line) + line->size;

    tf_list_remove(&entry->log.lines, &line->link);
    entry->log.held[is_failure(line)] -= size;
    instance->logged[entry->member] -= size;
    tf_wipe(line, size);
    tf_shared_free(line);
}

/* Drops the oldest of the same kind as `next`. Hold the lock. */
static void make_room(struct tf_instance *instance, struct tf_entry *entry,
                      const struct line *next)
{
    const size_t *held = &entry->log.held[is_failure(next)];
    bool is_much = instance->logged[entry->member] > MUCH / instance->domain.member_count;
    const size_t most = (is_much ? SMALL_SHARE : SHARE) - sizeof(*next) - next->size;
    struct line *line = tf_list_first(&entry->log.lines);

    while (line != NULL && *held > most) {
        struct line *after = tf_list_next(&line->link);
        if (is_failure(line) == is_failure(next)) {
            drop(instance, entry, line);
        }
        line = after;
    }
}

/* For the answer, which is JSON: no NUL, and no part of a character. */
static void clean(char *text, size_t size)
{
    bool is_bad = tf_text_scan(text, size) == TF_TEXT_BAD;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0' || (is_bad && (text[i] & 0x80) != 0)) {
            text[i] = '?';
        }
    }
}

/* @param lane  that runs; NULL: none. */
static void keep(struct tf_thread *thread, struct tf_lane *lane,
                 const struct tf_lambda *lambda, struct line *head, const char *text)
{
    struct tf_instance *instance = thread->instance;
    struct tf_entry *entry = lambda->entry;
    const size_t size = sizeof(*head) + head->size;
    struct line *line = NULL;

    head->time = tf_anchor_now(thread, lambda->member);
    tf_lock_take(&instance->lock);
    if (entry->lambda == lambda) {
        head->ordinal = ++entry->log.count;
        if (lane != NULL) {
            lane->run = lane->run == 0 ? head->ordinal : lane->run;
            head->run = lane->run;
        }
        make_room(instance, entry, head);
        line = tf_shared_alloc(size);
    }
    if (line != NULL) {
        *line = *head;
        memcpy(line->text, text, head->size);
        clean(line->text, head->size);
        tf_list_add_last(&entry->log.lines, &line->link, line);
        entry->log.held[is_failure(line)] += size;
        instance->logged[entry->member] += size;
    }
    tf_lock_give(&instance->lock);
}

void tf_logs_failure(struct tf_conn *conn, const struct tf_lambda *lambda, uint64_t id,
                     tf_err err, const char *message)
{
    struct line head = {.id = id, .err = err, .size = strlen(message)};

    keep(conn->thread, conn->lane, lambda, &head, message);
}

void tf_console(const char *text, size_t size)
{
    struct tf_lane *lane = tf_local_self()->lane;
    struct line head = {.size = size};

    if (lane != NULL) { /* not of a context that is made ahead (enclave/native/slot.h) */
        keep(lane->thread, lane, lane->resident->now.lambda, &head, text);
    }
}

void tf_logs_forget(struct tf_instance *instance, struct tf_entry *entry, uint64_t run)
{
    struct line *line = tf_list_first(&entry->log.lines);

    while (line != NULL) {
        struct line *after = tf_list_next(&line->link);
        if (run == 0 || line->run == run) {
            drop(instance, entry, line);
        }
        line = after;
    }
}

/* --- questions ------------------------------------------------------------------- */

struct question {
    char lambda[TF_NAME_MAX + 1];
    uint8_t exporter[TF_SHA256_SIZE];
    uint64_t after; /* the ordinal of the last line that it was told; or 0 */
};

static void take_question(struct tf_json_fields *f, void *user)
{
    struct question *out = user;

    tf_json_constant(f, "tfaas", "logs.v1");
    tf_json_copy(f, "lambda", out->lambda, sizeof(out->lambda));
    tf_json_bytes(f, "exporter", out->exporter, sizeof(out->exporter));
    out->after = tf_json_integer(f, "after", 0, TF_JSON_INTEGER_MAX);
}

static void put_line(struct tf_json_writer *w, const struct line *line)
{
    const uint64_t id = __builtin_bswap64(line->id); /* reads as the number does */

    tf_json_open_object(w, NULL);
    tf_json_put_integer(w, "ordinal", line->ordinal);
    tf_json_put_integer(w, "run", line->run);
    tf_json_put_integer(w, "time", line->time);
    if (is_failure(line)) {
        tf_json_put_hex(w, "id", &id, sizeof(id));
        tf_json_put_string(w, "error", tf_err_name(line->err));
    }
    tf_json_put_text(w, "text", line->text, line->size);
    tf_json_close_object(w);
}

/* As many as there is room for. Hold the lock. */
static void put_lines(struct tf_json_writer *w, const struct tf_entry *entry,
                      uint64_t after)
{
    const struct line *line = tf_list_first(&entry->log.lines);

    for (; line != NULL; line = tf_list_next(&line->link)) {
        const struct tf_json_writer before = *w;
        if (line->ordinal > after) {
            put_line(w, line);
        }
        if (w->bad || w->cap - w->size < TAIL) {
            *w = before;
            return;
        }
    }
}

/* Hold the lock. */
static tf_err tell(struct tf_instance *instance, const struct question *question,
                   const char *signer, struct tf_json_writer *w)
{
    const struct tf_entry *entry = tf_instance_known(instance, question->lambda);

    if (tf_revocations_have_signer(&instance->revocations, signer)) {
        return TF_EREVOKED;
    }
    if (entry == NULL ||
        entry->member != tf_descriptor_member(&instance->domain, signer)) {
        return TF_ENOTFOUND;
    }
    tf_json_open_object(w, NULL);
    tf_json_put_integer(w, "version", entry->version);
    tf_json_open_array(w, "lines");
    put_lines(w, entry, question->after);
    tf_json_close_array(w);
    tf_json_close_object(w);
    return TF_OK;
}

tf_err tf_logs_answer(struct tf_conn *conn, struct tf_str body,
                      struct tf_json_writer *answer)
{
    struct tf_instance *instance = conn->thread->instance;
    const struct tf_dsse_rule rule = {.type = TF_DSSE_LOGS,
                                      .payload_max = QUESTION_MAX,
                                      .too_large = TF_ELIMIT,
                                      .domain = &instance->domain};
    uint8_t scratch[2 * QUESTION_MAX + 256];
    struct question question;
    struct tf_dsse dsse;

    tf_err err = tf_dsse_open(body.data, body.size, &rule, scratch, &dsse);
    if (err == TF_OK) {
        err = tf_json_read((const char *)dsse.payload, dsse.payload_size, take_question,
                           &question, TF_EFORMAT);
    }
    if (err != TF_OK) {
        return err;
    }
    if (!tf_crypto_equal(question.exporter, conn->exporter, sizeof(question.exporter))) {
        return TF_EGRANT_CHANNEL;
    }
    tf_lock_take(&instance->lock);
    err = tell(instance, &question, dsse.signer, answer);
    tf_lock_give(&instance->lock);
    return err;
}
