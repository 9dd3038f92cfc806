/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - the verb `log`: check or show an attester's transparency log (verify/tlog.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "client/keys.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "verify/dates.h"
#include "verify/tlog.h"

static const size_t LOG_FILE_MAX = (size_t)1 << 30;

struct options {
    const char *key;
    const char *keyid;
    const char *head;
    bool is_json;
};

struct summary {
    uint64_t kinds[TF_TLOG_KIND_COUNT];
    uint64_t first; /* times */
    uint64_t last;
};

static void show_grant(const struct tf_tlog_event *e)
{
    char until[TF_DATE_SIZE];

    tf_date_write((int64_t)e->not_after, until);
    (void)printf(" %s version %" PRIu64 " digest %.16s for", e->lambda, e->version,
                 e->digest);
    for (size_t i = 0; i < e->name_count; i++) {
        (void)printf(" %s", e->names[i]);
    }
    (void)printf(" until %s\n        instance %s at %s, measurement %.16s, platform %s\n"
                 "        certificate %s",
                 until, e->instance, e->machine, e->measurement,
                 e->is_simulated ? "SIMULATED" : e->platform, e->certificate);
}

static void show_line(const struct tf_tlog_line *line)
{
    const struct tf_tlog_event *e = &line->event;
    char date[TF_DATE_SIZE];

    tf_date_write((int64_t)line->time, date);
    (void)printf("%6" PRIu64 "  %s  %-13s", line->seq, date, tf_tlog_kind_name(e->kind));
    if (e->serial != 0) {
        (void)printf(" serial %" PRIu64, e->serial);
    }
    if (e->kind == TF_TLOG_INTENT) {
        show_grant(e);
    } else if (e->kind == TF_TLOG_UPDATE) {
        (void)printf(" version %" PRIu64 " digest %.16s", e->version, e->digest);
    } else if (e->kind == TF_TLOG_REFUSED) {
        (void)printf(" %s at %s", e->lambda, e->machine);
    } else if (e->kind == TF_TLOG_START || e->kind == TF_TLOG_POLICY) {
        (void)printf(" policy %.16s", e->policy);
    }
    if (e->cut != 0) {
        (void)printf(", removed %" PRIu64 " bytes of a torn line", e->cut);
    }
    (void)printf("%s%s\n", e->reason[0] == '\0' ? "" : ": ", e->reason);
}

static size_t open_intents(const struct tf_tlog *log)
{
    size_t count = 0;

    for (size_t i = 0; i < log->serial_count; i++) {
        count += !log->serials[i].is_granted && !log->serials[i].is_void;
    }
    return count;
}

static void print_json(const struct tf_tlog *log, const struct summary *s)
{
    char text[2048];
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_integer(&w, "lines", log->seq);
    tf_json_put_string(&w, "keyid", log->keyid);
    tf_json_put_hex(&w, "head", log->head, sizeof(log->head));
    tf_json_put_integer(&w, "first", s->first);
    tf_json_put_integer(&w, "last", s->last);
    tf_json_open_object(&w, "events");
    for (size_t i = 0; i < TF_TLOG_KIND_COUNT; i++) {
        tf_json_put_integer(&w, tf_tlog_kind_name((tf_tlog_kind)i), s->kinds[i]);
    }
    tf_json_close_object(&w);
    tf_json_put_integer(&w, "open", open_intents(log));
    tf_json_close_object(&w);
    if (tf_json_take(&w, NULL) == TF_OK) {
        (void)puts(text);
    }
}

static void print_summary(const struct tf_tlog *log, const struct summary *s)
{
    char first[TF_DATE_SIZE];
    char last[TF_DATE_SIZE];
    char head[2 * TF_SHA256_SIZE + 1];

    tf_date_write((int64_t)s->first, first);
    tf_date_write((int64_t)s->last, last);
    tf_hex_write(log->head, sizeof(log->head), head);
    (void)printf("good: %" PRIu64 " lines from %s to %s, signed by %s\n"
                 "grants: %" PRIu64 " intended, each with a serial of its own: %" PRIu64
                 " granted, %" PRIu64 " void, %zu open\n"
                 "refused %" PRIu64 ", leases stopped %" PRIu64 ", starts %" PRIu64
                 "\nhead: %s (note it: --head shows later that no line was dropped)\n",
                 log->seq, first, last, log->keyid, s->kinds[TF_TLOG_INTENT],
                 s->kinds[TF_TLOG_GRANTED], s->kinds[TF_TLOG_VOID], open_intents(log),
                 s->kinds[TF_TLOG_REFUSED], s->kinds[TF_TLOG_STOPPED],
                 s->kinds[TF_TLOG_START], head);
}

/* Walks the whole log. @return TF_OK, or an error after a message. */
static tf_err walk(struct tf_tlog *log, const char *text, size_t size, bool is_shown,
                   struct summary *s)
{
    struct tf_tlog_line line;
    size_t at = 0;
    tf_err err = TF_OK;

    while ((err = tf_tlog_next(log, text, size, &at, &line)) == TF_OK) {
        s->kinds[line.event.kind]++;
        s->first = line.seq == 1 ? line.time : s->first;
        s->last = line.time;
        if (is_shown) {
            show_line(&line);
        }
    }
    if (err != TF_AGAIN) {
        (void)tf_report(err, "line %" PRIu64, log->seq + 1);
        return err;
    }
    if (log->seq == 0) {
        (void)tf_report(TF_ELOG_FORMAT, "the log is empty");
        return TF_ELOG_FORMAT;
    }
    if (!tf_tlog_has_head(log)) {
        (void)tf_report(TF_ELOG_CHAIN, "no line has the hash of --head: lines are missing"
                                       " at the end, or it is another log");
        return TF_ELOG_CHAIN;
    }
    return TF_OK;
}

static bool prepare(const struct options *o, struct tf_tlog *log)
{
    uint8_t spki[TF_SPKI_MAX];
    size_t spki_size = 0;
    uint8_t hash[TF_SHA256_SIZE];
    char keyid[2 * TF_SHA256_SIZE + 1];

    tf_tlog_init(log, o->keyid);
    if (o->keyid != NULL &&
        tf_hex_parse(o->keyid, strlen(o->keyid), hash, sizeof(hash)) != TF_OK) {
        (void)tf_report(TF_EUSAGE, "--keyid is 64 hex digits (tfaas key show)");
        return false;
    }
    if (o->key != NULL) {
        if (tf_spki_load(o->key, spki, &spki_size) != TF_OK) {
            return false;
        }
        tf_keyid(spki, spki_size, keyid);
        tf_tlog_init(log, keyid);
    }
    if (o->head == NULL) {
        return true;
    }
    if (tf_hex_parse(o->head, strlen(o->head), hash, sizeof(hash)) != TF_OK) {
        (void)tf_report(TF_EUSAGE,
                        "--head is 64 hex digits, as `log verify` printed them");
        return false;
    }
    tf_tlog_want_head(log, hash);
    return true;
}

static int run(const char *path, const struct options *o, bool is_shown)
{
    struct tf_tlog log;
    struct summary summary = {0};
    uint8_t *text = NULL;
    size_t size = 0;

    if (!prepare(o, &log)) {
        return TF_EXIT_USAGE;
    }
    tf_err err = tf_file_read(path, LOG_FILE_MAX, &text, &size);
    if (err == TF_OK) {
        err = walk(&log, (const char *)text, size, is_shown, &summary);
    }
    if (err == TF_OK && !is_shown) {
        if (o->is_json) {
            print_json(&log, &summary);
        } else {
            print_summary(&log, &summary);
        }
    }
    free(text);
    tf_tlog_wipe(&log);
    return tf_exit(err);
}

int tf_cmd_log(int argc, char **argv)
{
    struct options o = {0};
    const char *operands[2];
    const struct tf_option options[] = {TF_TEXT("key", &o.key),
                                        TF_TEXT("keyid", &o.keyid),
                                        TF_TEXT("head", &o.head),
                                        TF_FLAG("json", &o.is_json),
                                        {0}};

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    bool is_shown = strcmp(operands[0], "show") == 0;
    if (!is_shown && strcmp(operands[0], "verify") != 0) {
        return tf_report(TF_EUSAGE, "log verify FILE, or log show FILE");
    }
    if (!is_shown && (o.key == NULL) == (o.keyid == NULL)) {
        return tf_report(TF_EUSAGE, "whose log is it? either --key FILE.pub or --keyid");
    }
    return run(operands[1], &o, is_shown);
}
