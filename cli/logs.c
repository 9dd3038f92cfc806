/* SPDX-License-Identifier: Apache-2.0 */
/* logs.c - the verb `logs`: what a lambda wrote to its console, and why its requests
 * failed, which the enclave tells its publisher alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/attest.h"
#include "cli/cli.h"
#include "cli/collateral.h"
#include "client/channel.h"
#include "client/keys.h"
#include "client/policy.h"
#include "lib/dsse.h"
#include "lib/err_text.h"
#include "lib/json.h"

/* An instance keeps of a lambda what it tells in fewer answers; who writes faster than we
 * ask shall not keep us here. */
enum { ANSWERS_MAX = 64, FOLLOW_SECONDS = 1 };

struct options {
    const char *name;
    const char *policy;
    const char *key;
    const char *connect;
    bool allow_sim;
    bool is_followed;
    bool is_json;
    struct tf_collateral_source source;
};

struct reader {
    const struct options *options;
    struct tf_channel_client *channel;
    EVP_PKEY *key;
    uint64_t last; /* the ordinal of the last line that was shown; 0: none */
};

/* The question, good on this connection. @param out  owned by the caller: free. */
static tf_err write_question(const struct reader *reader, char **out, size_t *out_size)
{
    char text[TF_NAME_MAX + 160];
    struct tf_json_writer w;
    size_t size = 0;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "logs.v1");
    tf_json_put_string(&w, "lambda", reader->options->name);
    tf_json_put_base64(&w, "exporter", tf_channel_exporter(reader->channel),
                       TF_SHA256_SIZE);
    tf_json_put_integer(&w, "after", reader->last);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err != TF_OK) {
        (void)tf_report(TF_EUSAGE, "a lambda's name has at most %d characters",
                        (int)TF_NAME_MAX);
        return TF_EUSAGE;
    }
    return tf_envelope_make(reader->key, TF_DSSE_LOGS, text, size, out, out_size);
}

/* --- showing --------------------------------------------------------------------- */

/* What a terminal obeys, or does not show where it stands: Unicode's control characters,
 * and those of its format characters that turn, hide or join text. */
static bool is_shown(uint32_t c)
{
    static const uint32_t hidden[][2] = {
        {0, 8},           {0xa, 0x1f},      {0x7f, 0x9f},     {0xad, 0xad},
        {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (c >= hidden[i][0] && c <= hidden[i][1]) {
            return false;
        }
    }
    return true;
}

/* Bytes of the first character of valid UTF-8, which does not end here. */
static size_t decode(const char *text, uint32_t *out)
{
    const uint8_t first = (uint8_t)*text;
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *out = size == 1 ? first : first & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        *out = *out << 6 | ((uint8_t)text[i] & 0x3fU);
    }
    return size;
}

/* On lines of which only the first begins at the left: none looks like another's. */
static void show_text(const char *text)
{
    while (*text != '\0') {
        uint32_t c;
        const size_t size = decode(text, &c);
        if (c == '\n') {
            (void)fputs("\n    ", stdout);
        } else if (is_shown(c)) {
            (void)fwrite(text, 1, size, stdout);
        } else {
            (void)printf("\\u{%x}", (unsigned)c);
        }
        text += size;
    }
    (void)putchar('\n');
}

static void show_time(json_int_t seconds)
{
    time_t at = (time_t)seconds;
    char when[32] = "";
    struct tm parts;

    if (gmtime_r(&at, &parts) != NULL) {
        (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    (void)printf("%-20s", when);
}

/* Where the engine had no more to say than the code: what that means. */
static void show_code(tf_err err)
{
    (void)printf("%s. %s\n", tf_err_text(err), tf_err_hint(err));
}

static void show_line(const json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    const char *level = json_string_value(json_object_get(line, "level"));
    const char *code = json_string_value(json_object_get(line, "error"));
    const char *text = json_string_value(json_object_get(line, "text"));

    show_time(json_integer_value(json_object_get(line, "time")));
    (void)printf("  %6" JSON_INTEGER_FORMAT "  %-13s  ",
                 json_integer_value(json_object_get(line, "run")),
                 code != NULL ? code : level);
    if (id != NULL) {
        (void)printf("%s  ", id);
    }
    const tf_err err =
        code != NULL && strcmp(text, code) == 0 ? tf_err_find(code) : TF_ERR_COUNT;
    if (err != TF_ERR_COUNT) {
        show_code(err);
    } else {
        show_text(text);
    }
}

/* The enclave's line, whose text begins with its level if it is of the console, with that
 * as a field of its own. @return whether it is one. */
static bool part_level(json_t *line)
{
    const char *text = json_string_value(json_object_get(line, "text"));
    const char *level_end = text == NULL ? NULL : strchr(text, ' ');

    if (json_is_string(json_object_get(line, "error"))) {
        return text != NULL;
    }
    return level_end != NULL &&
           json_object_set_new(line, "level",
                               json_stringn(text, (size_t)(level_end - text))) == 0 &&
           json_object_set_new(line, "text", json_string(level_end + 1)) == 0;
}

static void show(struct reader *reader, json_t *line)
{
    const uint64_t ordinal =
        (uint64_t)json_integer_value(json_object_get(line, "ordinal"));
    const bool is_json = reader->options->is_json;

    if (ordinal <= reader->last || !part_level(line)) {
        return;
    }
    if (is_json) {
        (void)json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        (void)putchar('\n');
    } else {
        if (reader->last == 0) {
            (void)printf("%-20s  %6s  %-13s  %s\n", "TIME", "RUN", "LEVEL", "TEXT");
        }
        if (ordinal - reader->last > 1) {
            (void)printf("(%llu gone)\n",
                         (unsigned long long)(ordinal - reader->last - 1));
        }
        show_line(line);
    }
    reader->last = ordinal;
}

/* --- asking ---------------------------------------------------------------------- */

/* Asks once, and shows what is new. @param count  of lines in the answer. */
static tf_err read_once(struct reader *reader, size_t *count)
{
    json_t *answer = NULL;
    json_t *line = NULL;
    char *question = NULL;
    size_t size = 0;
    size_t i = 0;

    tf_err err = write_question(reader, &question, &size);
    if (err == TF_OK) {
        err = tf_channel_post(reader->channel, "/v1/logs", question, size, &answer);
    }
    json_array_foreach(json_object_get(answer, "lines"), i, line)
    {
        show(reader, line);
    }
    *count = i;
    json_decref(answer);
    free(question);
    return err;
}

static tf_err read_all(struct reader *reader)
{
    size_t count = 1;
    tf_err err = TF_OK;

    for (int i = 0; err == TF_OK && count != 0 && i < ANSWERS_MAX; i++) {
        err = read_once(reader, &count);
    }
    return err;
}

static tf_err run(struct reader *reader, const struct tf_policy *policy)
{
    const struct options *o = reader->options;
    const struct tf_attest_rules rules = {
        .policy = policy, .source = &o->source, .insecure_allow_simulated = o->allow_sim};
    struct tf_attestation attestation;

    tf_err err = tf_attested(reader->channel, o->name, &rules, o->is_json, &attestation);
    if (err == TF_OK) {
        err = read_all(reader);
    }
    if (err == TF_OK && reader->last == 0 && !o->is_json) {
        (void)printf("this instance knows no line of %s's console, and no failure\n",
                     o->name);
    }
    while (err == TF_OK && o->is_followed && fflush(stdout) == 0) {
        (void)sleep(FOLLOW_SECONDS);
        err = read_all(reader);
    }
    return err;
}

int tf_cmd_logs(int argc, char **argv)
{
    struct options o = {.connect = tf_default_connect(),
                        .source = tf_default_collateral()};
    const struct tf_option options[] = {
        TF_TEXT("policy", &o.policy),       TF_TEXT("key", &o.key),
        TF_FLAG("follow", &o.is_followed),  TF_TEXT("connect", &o.connect),
        TF_FLAG("allow-sim", &o.allow_sim), TF_COLLATERAL_OPTIONS(&o.source),
        TF_FLAG("json", &o.is_json),        {0}};
    struct reader reader = {.options = &o};
    struct tf_policy policy;
    int status = TF_EXIT_USAGE;

    if (!tf_options(argc, argv, options, &o.name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.policy == NULL || o.key == NULL) {
        return tf_missing("logs", o.policy == NULL ? "policy" : "key");
    }
    if (tf_policy_load(o.policy, &policy) == TF_OK) {
        reader.key = tf_key_load(o.key);
    }
    if (reader.key != NULL) {
        reader.channel = tf_channel_open(o.connect, o.name);
    }
    if (reader.channel != NULL) {
        status = tf_exit_of(run(&reader, &policy));
    }
    tf_channel_close(reader.channel);
    EVP_PKEY_free(reader.key);
    return status;
}
