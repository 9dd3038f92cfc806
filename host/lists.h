/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists.h - the publishers' revocation lists on the host: kept beside the trust
 * domain's descriptor, given to every enclave of the domain. tfaasd checks a list as the
 * enclave does, for a good answer; what counts is the enclave's word.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/admin.h"
#include "host/daemon.h"
#include "lib/descriptor.h"
#include "lib/err.h"

struct tf_worker;

/** Reads a stored descriptor. @return TF_OK, TF_ENOTFOUND, TF_EFORMAT, TF_EIO, TF_ENOMEM,
 *  TF_EDOMAIN_FORMAT. */
TF_MUST_USE tf_err tf_lists_domain(const struct tf_daemon *daemon, const char *hex,
                                   struct tf_descriptor *out);

/** PUT: checks and stores a list, hands it to the workers of the domain, and answers when
 *  all have it. */
void tf_lists_put(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                  const char *domain, const struct tf_admin_request *request);

/** GET: answers with the lists that are stored. */
void tf_lists_get(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                  const char *domain);

/** Keeps what the lists of one domain say for another one, as far as it lists their
 * signers and what they revoke. @return TF_OK; TF_ENOTFOUND (no such domain), TF_EIO, ..
 */
TF_MUST_USE tf_err tf_lists_carry(struct tf_daemon *daemon, const char *from,
                                  const char *to);

/** An enclave took a list over its management endpoint: if it is good, and not older than
 *  what there is, it is stored, and the others get it. `body` is a REVOKED packet. */
void tf_lists_keep(struct tf_worker *worker, const uint8_t *body, size_t size);
