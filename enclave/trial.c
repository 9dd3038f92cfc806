/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/trial.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/emit.h"
#include "enclave/lambda.h"
#include "enclave/sched.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum { ANSWER_MAX = 4 << 10 };
static const uint64_t PATIENCE_NS = TF_TRIAL_SECONDS * UINT64_C(1000000000);

/* {"message": what the engine said of a load that failed, or ""}. */
static void explain(const struct tf_lane *lane, struct tf_json_writer *w)
{
    const struct tf_resident *resident = lane->resident;
    struct tf_js_report report = resident->snapshots[lane->index].report;

    if (resident->program.secrets != NULL) { /* the top level may throw them */
        report.message[0] = '\0';
    }
    tf_plain(report.message);
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "message", report.message);
    tf_json_close_object(w);
}

tf_err tf_trial_begin(struct tf_thread *thread, struct tf_lambda *lambda,
                      struct tf_bundle *bundle)
{
    struct tf_transfer *transfer = &thread->transfer;
    struct tf_trial *trial = &thread->trial;
    bool is_free = trial->lane == NULL;
    struct tf_resident *resident =
        is_free ? tf_resident_beside(thread, lambda, transfer->bytes, transfer->total)
                : NULL;

    if (resident == NULL) {
        tf_bundle_wipe(bundle);
        free(bundle);
        return is_free ? TF_ENOMEM : TF_EBUSY;
    }
    transfer->bytes = NULL;
    tf_resident_enter(resident); /* it stays until a lane has it */
    tf_err err = tf_resident_adopt(thread, resident, bundle);
    if (err == TF_OK) { /* another grant may have come since the lambda was made */
        err = tf_lambda_check_grant(lambda, resident->now.grant);
    }
    if (err == TF_OK) {
        *trial = (struct tf_trial){tf_sched_try(thread, resident), transfer->id};
        err = trial->lane == NULL ? TF_EBUSY : TF_AGAIN;
    }
    tf_resident_leave(thread, resident);
    return err;
}

void tf_trial_end(struct tf_thread *thread, tf_err err)
{
    const struct tf_trial trial = thread->trial;
    struct tf_lambda *lambda = trial.lane->resident->now.lambda;
    char text[ANSWER_MAX];
    size_t size = 0;
    struct tf_json_writer w;

    thread->trial = (struct tf_trial){0};
    tf_json_writer_init(&w, text, sizeof(text));
    if (err == TF_OK) {
        tf_lambda_describe(lambda, &w);
        err = tf_lambda_put(thread->instance, lambda);
    } else {
        explain(trial.lane, &w);
    }
    const struct tf_msg_result result = {.err = (uint32_t)err};
    if (tf_json_take(&w, &size) == TF_OK) {
        /* Dropped where there is no room: the host has not read what it got. */
        (void)tf_emit_frame(thread, TF_MSG_RESULT, trial.id,
                            tf_part(&result, sizeof(result)), tf_part(text, size));
    }
}

void tf_trial_expire(struct tf_thread *thread)
{
    struct tf_lane *lane = thread->trial.lane;

    if (thread->now < lane->clock || thread->now - lane->clock > PATIENCE_NS) {
        tf_lane_free(lane);
    }
}
