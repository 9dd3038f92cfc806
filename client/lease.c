/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lease.h"

#include <stdio.h>
#include <string.h>

#include "abi/limits.h"
#include "client/report.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/lease.h"

/* @return TF_OK; TF_ELIMIT for more than a lease can say. */
static tf_err fill(const struct tf_lease_order *o, const uint8_t *exporter,
                   struct tf_lease_statement *out)
{
    memset(out, 0, sizeof(*out));
    if (o->lambda_count > TF_NAMED_MAX || o->list_count > TF_LEASE_SIGNERS_MAX ||
        tf_hex_parse(o->instance, strlen(o->instance), out->instance,
                     sizeof(out->instance)) != TF_OK) {
        return TF_ELIMIT;
    }
    memcpy(out->exporter, exporter, sizeof(out->exporter));
    out->time = o->time;
    out->until = o->until;
    out->requests = o->requests;
    out->lambda_count = o->lambda_count;
    for (size_t i = 0; i < o->lambda_count; i++) {
        struct tf_lease_lambda *to = &out->lambdas[i];
        (void)snprintf(to->name, sizeof(to->name), "%s", o->lambdas[i].lambda);
        to->serial = o->lambdas[i].serial;
        to->version_floor = o->lambdas[i].version_floor;
    }
    out->revocation_count = o->list_count;
    for (size_t i = 0; i < o->list_count; i++) {
        struct tf_lease_revocation *to = &out->revocations[i];
        (void)snprintf(to->signer, sizeof(to->signer), "%s", o->lists[i].signer);
        to->serial = o->lists[i].serial;
    }
    return TF_OK;
}

tf_err tf_lease_send(struct tf_channel_client *channel, EVP_PKEY *signer,
                     const struct tf_lease_order *order)
{
    struct tf_lease_statement lease;
    char statement[TF_LEASE_MAX];
    size_t size = 0;
    tf_err err = fill(order, tf_channel_exporter(channel), &lease);

    if (err == TF_OK) {
        err = tf_lease_write(&lease, statement, sizeof(statement), &size);
    }
    if (err != TF_OK) {
        (void)tf_report(err, "too many lambdas for a lease");
        return err;
    }
    return tf_channel_post_signed(channel, "/v1/lease", signer, TF_DSSE_LEASE, statement,
                                  size);
}
