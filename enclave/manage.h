/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manage.h - the management endpoint (doc/formats.md): fresh evidence for this
 * connection, requests for certificates, grants. It believes nobody: what it gives out is
 * public, and what it takes is signed by a publisher of the domain.
 */
#pragma once

#include "enclave/js/js.h"
#include "lib/err.h"

struct tf_conn;
struct tf_manage;

/** Answers the connection's request, or has it wait for evidence. */
void tf_manage_answer(struct tf_conn *conn, struct tf_str body);

/** Answers the request that waits for evidence with the host's, untrusted: the client is
 *  told of a failure if it is no JSON object. That it ends no enclave keeps clients who
 * use up the heap from ending it, for no parser tells lack of memory reliably. */
void tf_manage_evidence(struct tf_conn *conn, struct tf_str evidence);

/** Wipes and frees a connection's state; NULL is fine. */
void tf_manage_close(struct tf_manage *manage);
