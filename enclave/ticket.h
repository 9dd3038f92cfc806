/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket.h - session tickets (RFC 8446 4.6.1), stateless: the session, encrypted under a
 * key that only the threads of this instance share. A ticket is bound to the name that
 * the client asked for and to the grant's ordinal, so it opens no other name and dies
 * with its grant. No 0-RTT.
 */
#pragma once

#include "enclave/instance.h"

struct WOLFSSL_CTX;

/** Makes the first key. Hold the lock. */
void tf_ticket_start(struct tf_instance *instance);

/** Has the connections of `ctx` give and take tickets. @return TF_OK or TF_EINTERNAL. */
TF_MUST_USE tf_err tf_ticket_use(struct WOLFSSL_CTX *ctx);
