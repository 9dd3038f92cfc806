/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile transparency logs. Input that begins with '{' is a log as it is. Any other is
 * texts of events, one a line: each is chained and signed here with a published key, so
 * that what is behind the signature is reached, and what is accepted must read the same
 * when it is written again.
 */
#include <stdlib.h>
#include <string.h>

#include "test/fixture.h"
#include "verify/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_log(const char *text, size_t size)
{
    struct tf_tlog walk;
    struct tf_tlog_line line;
    size_t at = 0;
    uint64_t lines = 0;

    tf_tlog_init(&walk, NULL);
    while (tf_tlog_next(&walk, text, size, &at, &line) == TF_OK) {
        if (line.seq != ++lines || line.event.kind >= TF_TLOG_KIND_COUNT) {
            __builtin_trap();
        }
    }
    tf_tlog_wipe(&walk);
}

static void write_event(const struct tf_tlog_event *event, char *out)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, TF_TLOG_LINE_MAX);
    tf_tlog_event_write(&w, NULL, event);
    if (tf_json_take(&w, NULL) != TF_OK) {
        __builtin_trap(); /* it came out of a line */
    }
}

/* Signs one event and feeds it: what the walk reads is what was written. */
static void feed_event(const struct fixture_key *key, struct tf_tlog *walk,
                       const struct tf_tlog_event *event)
{
    char buffer[TF_TLOG_BUFFER_SIZE];
    char written[TF_TLOG_LINE_MAX];
    char read[TF_TLOG_LINE_MAX];
    uint8_t signature[128];
    struct tf_tlog_line line;
    size_t size = 0;

    if (tf_tlog_line_begin(walk, 1, event, buffer, &size) != TF_OK) {
        return;
    }
    size_t signature_size = fixture_sign(key, buffer, size, signature);
    if (tf_tlog_line_end(buffer, &size, signature, signature_size) != TF_OK ||
        tf_tlog_feed(walk, buffer + TF_TLOG_LABEL_SIZE, size, &line) != TF_OK) {
        return;
    }
    write_event(event, written);
    write_event(&line.event, read);
    if (strcmp(written, read) != 0) {
        __builtin_trap();
    }
}

static void check_events(const struct fixture_key *key, const char *text, size_t size)
{
    struct tf_tlog walk;
    struct tf_tlog_event event = {.kind = TF_TLOG_START,
                                  .key_size = key->publisher.spki_size};

    memcpy(event.key, key->publisher.spki, event.key_size);
    memset(event.policy, '0', sizeof(event.policy) - 1);
    tf_tlog_init(&walk, key->publisher.keyid);
    feed_event(key, &walk, &event);
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - text);
        json_t *document = NULL;
        if (tf_json_parse(text, length, &document) == TF_OK &&
            tf_tlog_event_read(document, &event) == TF_OK) {
            feed_event(key, &walk, &event);
        }
        json_decref(document);
        text += length + (end != NULL);
        size -= length + (end != NULL);
    }
    tf_tlog_wipe(&walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture_key key;
    char *copy = malloc(size + 1); /* its end is a trap */

    if (key.key == NULL) {
        key = fixture_key_published();
    }
    memcpy(copy, data, size);
    if (size > 0 && data[0] == '{') {
        check_log(copy, size);
    } else if (size > 0) {
        check_events(&key, copy + 1, size - 1);
    }
    free(copy);
    return 0;
}
