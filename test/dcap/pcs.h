/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcs.h - the part of Intel's provisioning certification service, version 4, that a
 * relying party needs, of a world with DCAP (test/dcap/world.h): TCB info, QE identity
 * and CRLs under /sgx and /tdx/certification/v4, the root's CRL where the PCS (DER) and
 * where a PCCS (hex) has it. HTTP/1.1, one request a connection. Trusts its callers.
 */
#pragma once

#include "test/dcap/world.h"

enum { PCS_ANSWER_MAX = 64 << 10 };

/** Answers a request line's target, such as "/sgx/certification/v4/qe/identity"; under
 * the world's lock. @param out  PCS_ANSWER_MAX bytes: a whole HTTP response. @return its
 *  size. */
size_t pcs_answer(struct world *w, const char *target, char *out);
