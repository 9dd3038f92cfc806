/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h - evidence in the management certificate, in the interoperable form of
 * RA-TLS (doc/formats.md): a client that knows nothing of tfaas can tell from the
 * handshake which enclave has the key. It says nothing about when; /v1/attest does.
 *
 * The enclave asks once, beside its work, and gets the second certificate when a quote
 * comes. Until then, and on a simulator for ever, the certificate has no evidence.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_identity;
struct tf_thread;

/** Sends a REPORT about the key, unless there is evidence, somebody asked already, or it
 * is not known for whom REPORTs are made. Call when that changes. */
void tf_identity_ask(struct tf_thread *thread);

/** TF_MSG_QUOTE with the id TF_ID_IDENTITY, untrusted: evidence of another kind than a
 * quote, or none, changes nothing. @return TF_OK; TF_EHOST if this thread asked nothing.
 */
TF_MUST_USE tf_err tf_identity_quote(struct tf_thread *thread, const uint8_t *data,
                                     size_t size);
