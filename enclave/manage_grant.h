/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage_grant.h - takes a grant at the management endpoint (doc/formats.md): who signed
 * it, that it is for this connection, then the table and the host's store.
 */
#pragma once

#include "enclave/js/js.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_conn;

/**
 * Takes a DSSE envelope with a grant, untrusted. A grant that is not leased goes sealed
 * to the host's store. A request is taken up only when there is room for that.
 *
 * @param csr_key  the PEM key of this connection's last CSR, for a grant without one; or
 * empty.
 * @param answer  {"granted", "names", "not_after"}, on TF_OK.
 * @return TF_OK; TF_EGRANT_FORMAT, _SIGNER, _CHANNEL; what tf_grant_put refuses;
 * TF_ENOMEM, TF_ELIMIT, TF_ESEAL_NONE, TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_manage_grant(struct tf_conn *conn, struct tf_str csr_key,
                                   struct tf_str body, struct tf_json_writer *answer);
