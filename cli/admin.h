/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h - a client of tfaasd's admin API (doc/formats.md), over libcurl. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/err.h"

struct tf_admin_request {
    const char *socket; /* path of the admin socket */
    const char *method;
    const char *path; /* with query */
    const void *body;
    size_t body_size;
};

/**
 * Sends one request.
 * @param answer  the parsed JSON; owned by the caller: json_decref. Untouched on failure.
 * @return TF_OK; otherwise after a message: TF_EIO (no daemon there), or TF_EUSAGE for
 * what the host or the enclave refused (whose own code was printed).
 */
TF_MUST_USE tf_err tf_admin_call(const struct tf_admin_request *request, json_t **answer);
