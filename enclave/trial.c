/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/trial.h"

#include <string.h>

#include "enclave/emit.h"
#include "enclave/sched.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"

enum { ANSWER_MAX = 640 }; /* a message of which each character is escaped, and more */

/* The report of the load that failed, or one that says nothing. */
static const struct tf_js_report *report_of(const struct tf_resident *resident)
{
    size_t i = 0;

    while (i + 1 < TF_SLOTS_MAX && resident->snapshots[i].err == TF_OK) {
        i++;
    }
    return &resident->snapshots[i].report;
}

/* The answer goes like what is not asked for: dropped where there is no room. */
static void answer(struct tf_thread *thread, uint64_t id,
                   const struct tf_resident *resident)
{
    const struct tf_msg_result result = {.err = TF_OK};
    char message[sizeof(resident->snapshots[0].report.message)] = "";
    char text[ANSWER_MAX];
    size_t size = 0;
    struct tf_json_writer w;

    if (resident->program.secrets == NULL) { /* the top level may throw them */
        memcpy(message, report_of(resident)->message, sizeof(message));
        tf_plain(message);
    }
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "load", tf_err_name(resident->failure));
    tf_json_put_string(&w, "message", message);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &size) == TF_OK) {
        (void)tf_emit_frame(thread, TF_MSG_RESULT, id, tf_part(&result, sizeof(result)),
                            tf_part(text, size));
    }
}

static void answer_unknown(struct tf_thread *thread, uint64_t id, tf_err err)
{
    const struct tf_msg_result result = {.err = (uint32_t)err};

    (void)tf_emit_frame(thread, TF_MSG_RESULT, id, tf_part(&result, sizeof(result)),
                        tf_part("{}", 2));
}

static struct tf_resident *find(struct tf_thread *thread, const char *text, size_t size)
{
    struct tf_instance *instance = thread->instance;
    char name[TF_NAME_MAX + 1];

    if (!tf_name_is_valid(text, size)) {
        return NULL;
    }
    memcpy(name, text, size);
    name[size] = '\0';
    tf_view_sync(thread);
    tf_lock_take(&instance->lock);
    struct tf_entry *entry = tf_instance_find(instance, name);
    tf_lock_give(&instance->lock);
    return entry == NULL ? NULL : tf_view_entry(thread, entry);
}

/* Has the top level run, if it does not yet. */
static tf_err begin(struct tf_thread *thread, struct tf_resident *resident)
{
    if (resident->trial != 0) {
        return TF_EBUSY;
    }
    tf_err err = tf_resident_open(thread, resident);
    if (err == TF_OK && resident->runs == 0 && !tf_sched_warm(thread, resident)) {
        err = TF_EBUSY;
    }
    return err;
}

tf_err tf_trial_begin(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                      size_t size)
{
    struct tf_resident *resident = find(thread, (const char *)payload, size);

    if (id == 0) {
        return TF_EHOST;
    }
    if (resident == NULL) {
        answer_unknown(thread, id, TF_ENOTFOUND);
        return TF_OK;
    }
    if (tf_resident_is_settled(resident)) {
        answer(thread, id, resident);
        return TF_OK;
    }
    tf_err err = begin(thread, resident);
    if (err == TF_OK) {
        resident->trial = id;
    } else {
        answer_unknown(thread, id, err);
    }
    return TF_OK;
}

void tf_trial_end(struct tf_thread *thread, struct tf_resident *resident, tf_err err)
{
    uint64_t id = resident->trial;

    if (id == 0) {
        return;
    }
    resident->trial = 0;
    if (tf_resident_is_settled(resident)) {
        answer(thread, id, resident);
    } else {
        answer_unknown(thread, id, err);
    }
    tf_resident_spare(thread, resident);
}
