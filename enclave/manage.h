/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage.h - the management endpoint (doc/formats.md): fresh evidence for this
 * connection, requests for certificates, grants. It believes nobody: what it gives out is
 * public, and what it takes is signed by a publisher of the domain.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enclave/js/js.h"
#include "lib/err.h"

struct tf_conn;
struct tf_manage;

/** Answers the connection's request, or has it wait for evidence. */
void tf_manage_answer(struct tf_conn *conn, struct tf_str body);

/** The host's evidence for the report of this connection; untrusted.
 *  @return TF_OK; TF_EHOST if it is no JSON object. */
TF_MUST_USE tf_err tf_manage_evidence(struct tf_conn *conn, const uint8_t *data,
                                      size_t size);

/** Wipes and frees a connection's state; NULL is fine. */
void tf_manage_close(struct tf_manage *manage);
