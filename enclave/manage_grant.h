/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage_grant.h - takes a grant at the management endpoint (doc/formats.md): who signed
 * it, that it is for this connection, then the table and the host's store.
 */
#pragma once

#include <stddef.h>

#include "abi/limits.h"
#include "enclave/js/js.h"
#include "lib/err.h"

struct tf_conn;

enum { TF_MANAGE_GRANT_MAX = TF_DOMAINS_MAX * (TF_DNS_MAX + 3) + 256 };

/**
 * Takes a DSSE envelope with a grant, untrusted. A grant that is not leased goes sealed
 * to the host's store. A request is taken up only when there is room for that.
 *
 * @param csr_key  the PEM key of this connection's last CSR, for a grant without one; or
 * empty.
 * @param answer  written on success, *size bytes: JSON, no NUL.
 * @return TF_OK; TF_EGRANT_FORMAT, _SIGNER, _CHANNEL; what tf_grant_put refuses;
 * TF_ENOMEM, TF_ELIMIT, TF_ESEAL_NONE, TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_manage_grant(struct tf_conn *conn, struct tf_str csr_key,
                                   struct tf_str body,
                                   char answer[static TF_MANAGE_GRANT_MAX], size_t *size);
