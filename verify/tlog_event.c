/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlog_event.c - the events of a transparency log: one table says which fields a kind has
 * and what they may hold, for reading and for writing.
 */
#include "verify/tlog.h"

#include <string.h>

#include "lib/json.h"
#include "lib/names.h"

static const char *const KINDS[TF_TLOG_KIND_COUNT] = {
    [TF_TLOG_START] = "start",           [TF_TLOG_INTENT] = "intent",
    [TF_TLOG_GRANTED] = "granted",       [TF_TLOG_VOID] = "void",
    [TF_TLOG_UPDATE] = "update",         [TF_TLOG_REFUSED] = "refused",
    [TF_TLOG_STOPPED] = "lease-stopped", [TF_TLOG_POLICY] = "policy"};

/* Which kinds have a field. */
enum {
    START = 1U << TF_TLOG_START,
    INTENT = 1U << TF_TLOG_INTENT,
    GRANTED = 1U << TF_TLOG_GRANTED,
    VOIDED = 1U << TF_TLOG_VOID,
    UPDATE = 1U << TF_TLOG_UPDATE,
    REFUSED = 1U << TF_TLOG_REFUSED,
    STOPPED = 1U << TF_TLOG_STOPPED,
    POLICY = 1U << TF_TLOG_POLICY,
    OF_SERIAL = INTENT | GRANTED | VOIDED | UPDATE | STOPPED
};

struct field {
    const char *name;
    enum { INTEGER, BOOLEAN, TEXT, HEX, NAMES, KEY } type;
    unsigned kinds;
    size_t offset;
    size_t min; /* least value, or least length */
    size_t cap; /* of a text, with its NUL */
};

#define AT(field_)  offsetof(struct tf_tlog_event, field_)
#define CAP(field_) sizeof(((struct tf_tlog_event *)NULL)->field_)

static const struct field FIELDS[] = {
    {"key", KEY, START, AT(key), 1, CAP(key)},
    {"policy", HEX, START | POLICY, AT(policy), 64, CAP(policy)},
    {"cut", INTEGER, START, AT(cut), 0, 0},
    {"serial", INTEGER, OF_SERIAL, AT(serial), 1, 0},
    {"lambda", TEXT, INTENT | REFUSED, AT(lambda), 1, CAP(lambda)},
    {"digest", HEX, INTENT | UPDATE, AT(digest), 64, CAP(digest)},
    {"version", INTEGER, INTENT | UPDATE, AT(version), 1, 0},
    {"names", NAMES, INTENT, AT(names), 1, TF_DOMAINS_MAX},
    {"instance", HEX, INTENT, AT(instance), 32, CAP(instance)},
    {"machine", TEXT, INTENT | REFUSED, AT(machine), 1, CAP(machine)},
    {"platform", HEX, INTENT | REFUSED, AT(platform), 0, CAP(platform)},
    {"measurement", HEX, INTENT | REFUSED, AT(measurement), 0, CAP(measurement)},
    {"simulated", BOOLEAN, INTENT | REFUSED, AT(is_simulated), 0, 0},
    {"certificate", HEX, INTENT, AT(certificate), 64, CAP(certificate)},
    {"not_after", INTEGER, INTENT, AT(not_after), 1, 0},
    {"reason", TEXT, VOIDED | REFUSED | STOPPED, AT(reason), 1, CAP(reason)},
};
enum { FIELD_COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };

const char *tf_tlog_kind_name(tf_tlog_kind kind)
{
    return kind < TF_TLOG_KIND_COUNT ? KINDS[kind] : "unknown";
}

static bool is_hex(const char *text, size_t size)
{
    return size % 2 == 0 && strspn(text, "0123456789abcdef") == size;
}

/* Printable ASCII: a log is read on terminals. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\') {
            return false;
        }
    }
    return true;
}

static bool read_text(struct tf_json_fields *f, const struct field *field, char *out)
{
    const char *text = tf_json_string(f, field->name, field->min, field->cap - 1);
    size_t size = text == NULL ? 0 : strlen(text);

    if (text == NULL || (field->type == HEX && !is_hex(text, size)) ||
        !is_plain(text, size)) {
        return false;
    }
    memcpy(out, text, size + 1);
    return true;
}

static bool read_names(struct tf_json_fields *f, const struct field *field,
                       struct tf_tlog_event *out)
{
    const json_t *list = tf_json_array(f, field->name, field->min, field->cap);

    out->name_count = json_array_size(list);
    for (size_t i = 0; i < out->name_count; i++) {
        const char *name = tf_json_string_at(list, i, 1, TF_DNS_MAX);
        if (name == NULL || !tf_dns_is_valid(name, strlen(name))) {
            return false;
        }
        memcpy(out->names[i], name, strlen(name) + 1);
    }
    return list != NULL;
}

static bool read_field(struct tf_json_fields *f, const struct field *field,
                       struct tf_tlog_event *out)
{
    char *at = (char *)out + field->offset;
    uint64_t number = 0;
    bool is_true = false;

    switch (field->type) {
    case INTEGER:
        number = tf_json_integer(f, field->name, field->min, TF_JSON_INTEGER_MAX);
        memcpy(at, &number, sizeof(number));
        return true; /* the walk knows */
    case BOOLEAN:
        is_true = tf_json_boolean(f, field->name);
        memcpy(at, &is_true, sizeof(is_true));
        return true;
    case NAMES:
        return read_names(f, field, out);
    case KEY:
        out->key_size = tf_json_base64(f, field->name, out->key, sizeof(out->key));
        return out->key_size > 0;
    case TEXT:
    case HEX:
        break;
    }
    return read_text(f, field, at);
}

static bool read_kind(struct tf_json_fields *f, tf_tlog_kind *out)
{
    const char *name = tf_json_string(f, "type", 1, TF_TLOG_REASON_MAX);

    for (size_t i = 0; name != NULL && i < TF_TLOG_KIND_COUNT; i++) {
        if (strcmp(name, KINDS[i]) == 0) {
            *out = (tf_tlog_kind)i;
            return true;
        }
    }
    return false;
}

tf_err tf_tlog_event_read(const struct json_t *object, struct tf_tlog_event *out)
{
    struct tf_json_fields f;
    struct tf_tlog_event event;

    memset(&event, 0, sizeof(event));
    tf_json_fields_init(&f, object);
    if (!read_kind(&f, &event.kind)) {
        return TF_ELOG_FORMAT;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((FIELDS[i].kinds & (1U << event.kind)) != 0 &&
            !read_field(&f, &FIELDS[i], &event)) {
            return TF_ELOG_FORMAT;
        }
    }
    if (!tf_json_fields_end(&f)) {
        return TF_ELOG_FORMAT;
    }
    *out = event;
    return TF_OK;
}

static void write_field(struct tf_json_writer *w, const struct field *field,
                        const struct tf_tlog_event *event)
{
    const char *at = (const char *)event + field->offset;
    uint64_t number = 0;

    switch (field->type) {
    case INTEGER:
        memcpy(&number, at, sizeof(number));
        tf_json_put_integer(w, field->name, number);
        return;
    case BOOLEAN:
        tf_json_put_boolean(w, field->name, *(const bool *)at);
        return;
    case NAMES:
        tf_json_open_array(w, field->name);
        for (size_t i = 0; i < event->name_count; i++) {
            tf_json_put_string(w, NULL, event->names[i]);
        }
        tf_json_close_array(w);
        return;
    case KEY:
        tf_json_put_base64(w, field->name, event->key, event->key_size);
        return;
    case TEXT:
    case HEX:
        break;
    }
    tf_json_put_string(w, field->name, at);
}

void tf_tlog_event_write(struct tf_json_writer *w, const char *key,
                         const struct tf_tlog_event *event)
{
    tf_json_open_object(w, key);
    tf_json_put_string(w, "type", tf_tlog_kind_name(event->kind));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((FIELDS[i].kinds & (1U << event->kind)) != 0) {
            write_field(w, &FIELDS[i], event);
        }
    }
    tf_json_close_object(w);
}
