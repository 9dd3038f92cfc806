/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/lists.h"

#include <stdlib.h>
#include <string.h>

#include "client/file.h"
#include "client/keys.h"
#include "client/report.h"

/* An envelope is base64 of the list and its signatures. */
enum { ENVELOPE_MAX = 2 * TF_REVOCATIONS_MAX + 4096 };

struct room {
    struct tf_revocations list;
    uint8_t scratch[TF_REVOCATIONS_SCRATCH];
};

static tf_err load_one(const char *path, const struct tf_descriptor *domain,
                       struct room *room, struct tf_lists *out)
{
    size_t at = out->count;
    size_t signer = 0;
    tf_err err = tf_file_read(path, ENVELOPE_MAX, &out->envelopes[at], &out->sizes[at]);

    if (err != TF_OK) {
        return err;
    }
    out->count++; /* the envelope is owned from here on */
    err = tf_revocations_open((const char *)out->envelopes[at], out->sizes[at], domain,
                              room->scratch, &room->list, &signer);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
        return err;
    }
    memcpy(out->keyids[at], domain->publishers[signer].keyid, sizeof(out->keyids[at]));
    out->named[at] =
        (struct tf_lease_list){.signer = out->keyids[at], .serial = room->list.serial};
    return TF_OK;
}

tf_err tf_lists_load(const struct tf_config *config, struct tf_lists *out)
{
    struct tf_descriptor domain;

    memset(out, 0, sizeof(*out));
    if (config->revocation_count == 0) {
        return TF_OK;
    }
    tf_err err = tf_descriptor_load(config->domain, &domain);
    if (err != TF_OK) {
        return err;
    }
    struct room *room = malloc(sizeof(*room));
    if (room == NULL) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < config->revocation_count && err == TF_OK; i++) {
        err = load_one(config->revocations[i], &domain, room, out);
    }
    free(room);
    if (err != TF_OK) {
        tf_lists_wipe(out);
    }
    return err;
}

void tf_lists_wipe(struct tf_lists *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        free(lists->envelopes[i]);
    }
    lists->count = 0;
}

static bool is_behind(const struct tf_verdict *v, const struct tf_lease_list *list)
{
    for (size_t i = 0; i < v->revocation_count; i++) {
        if (strcmp(v->revocations[i].signer, list->signer) == 0) {
            return v->revocations[i].serial < list->serial;
        }
    }
    return true;
}

tf_err tf_lists_post(const struct tf_lists *lists, struct tf_channel_client *channel,
                     const struct tf_verdict *verdict)
{
    tf_err err = TF_OK;

    for (size_t i = 0; i < lists->count && err == TF_OK; i++) {
        json_t *answer = NULL;
        if (is_behind(verdict, &lists->named[i])) {
            err = tf_channel_post(channel, "/v1/revocations",
                                  (const char *)lists->envelopes[i], lists->sizes[i],
                                  &answer);
        }
        json_decref(answer);
    }
    return err;
}
