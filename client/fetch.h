/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h - one GET over http or https, for statements that are signed anyway: bounded in
 * time and size, redirects are not followed. What comes back is untrusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/** What to get. The caller's. */
struct tf_fetch {
    const char *url;
    const char *cacert; /* PEM that checks the server; NULL: the system's */
    size_t max;         /* bytes of body that are accepted */
};

enum { TF_FETCH_HEADER_MAX = 32 << 10 };

/** What came. Owned: end with tf_fetched_wipe. */
struct tf_fetched {
    uint8_t *body; /* a NUL follows */
    size_t size;
    char *issuer_chain; /* the header field whose name ends in Issuer-Chain, URL-encoded;
                           NULL if there is none or it is over TF_FETCH_HEADER_MAX */
};

/** Gets it. @return TF_OK for status 200; TF_ENOTFOUND for 404, without a message; else
 *  TF_EIO after a message. */
TF_MUST_USE tf_err tf_fetch(const struct tf_fetch *what, struct tf_fetched *out);
void tf_fetched_wipe(struct tf_fetched *fetched);
