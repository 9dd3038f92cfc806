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

/* Moves the file read last to its place. */
static void sort_last(struct tf_lists *lists)
{
    for (size_t i = lists->count - 1; i > 0; i--) {
        struct tf_list_file *at = &lists->files[i];
        struct tf_list_file moved = at[0];
        if (at[-1].rank > moved.rank ||
            (at[-1].rank == moved.rank && at[-1].serial <= moved.serial)) {
            return;
        }
        at[0] = at[-1];
        at[-1] = moved;
    }
}

static tf_err load_one(const char *path, const struct tf_descriptor *domain,
                       struct room *room, struct tf_lists *out)
{
    struct tf_list_file *file = &out->files[out->count];
    tf_err err = tf_file_read(path, ENVELOPE_MAX, &file->envelope, &file->size);

    if (err != TF_OK) {
        return err;
    }
    out->count++; /* the envelope is owned from here on */
    err = tf_revocations_open((const char *)file->envelope, file->size, domain,
                              room->scratch, &room->list, &file->rank);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
        return err;
    }
    memcpy(file->signer, domain->publishers[file->rank].keyid, sizeof(file->signer));
    file->serial = room->list.serial;
    sort_last(out);
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
    for (size_t i = 0; i < out->count; i++) {
        out->named[i] = (struct tf_lease_list){.signer = out->files[i].signer,
                                               .serial = out->files[i].serial};
    }
    if (err != TF_OK) {
        tf_lists_wipe(out);
    }
    return err;
}

void tf_lists_wipe(struct tf_lists *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        free(lists->files[i].envelope);
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
                                  (const char *)lists->files[i].envelope,
                                  lists->files[i].size, &answer);
        }
        json_decref(answer);
    }
    return err;
}
