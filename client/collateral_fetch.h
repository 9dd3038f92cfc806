/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collateral_fetch.h - finds what the CPU's vendor says of a platform: in a file that the
 * user gives, in the cache, or at a service (Intel's PCS or a PCCS, AMD's KDS or a
 * mirror of it; doc/formats.md, Collateral). What comes from there is untrusted, as are
 * the files: all of it is signed and is judged with the evidence. A service and whoever
 * listens learns which platform is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/collateral.h"
#include "verify/evidence.h"
#include "verify/policy.h"

/** Where to look. Strings are the caller's; NULL for what there is not. */
struct tf_collateral_source {
    const char *file;    /* this and nothing else: the JSON, or AMD's certificates */
    const char *service; /* base URL of the PCS or PCCS, or for SEV-SNP of the KDS */
    const char *cacert;  /* PEM that its TLS is checked with; NULL: the system's */
    const char *cache;   /* folder, made when it is not there */
    int64_t max_age;     /* seconds: what was fetched longer ago is fetched again, and
                            used only if that fails; 0: used until it ends; less: always
                            fetched */
};

typedef enum tf_collateral_origin {
    TF_COLLATERAL_NONE, /* none was needed, or none found: the verdict says which */
    TF_COLLATERAL_FILE,
    TF_COLLATERAL_CACHE,
    TF_COLLATERAL_SERVICE
} tf_collateral_origin;

/** What was found. Owned: end with tf_collateral_found_wipe. */
struct tf_collateral_found {
    tf_collateral_origin origin;
    int64_t fetched; /* seconds since 1970, of the cache and the service */
    bool has_intel;
    struct tf_collateral intel;
    char *text; /* it as a file (doc/formats.md, Collateral) */
    size_t text_size;
    uint8_t *snp[2]; /* AMD: of the next two */
    struct tf_bytes snp_certificates;
    struct tf_bytes snp_crl;
};

/** Whose collateral, and for whom. */
struct tf_collateral_wanted {
    const struct tf_evidence *evidence;
    const struct tf_policy *policy; /* may be NULL */
    int64_t time;                   /* seconds since 1970 */
};

/**
 * Finds it: the file; else the cache, while it is younger than max_age and the evidence
 * can be judged with it; else the service; else an older one of the cache. What was
 * fetched is kept in the cache if the evidence could be judged with it and it is not
 * older than what is there. Evidence whose own chain is not good is not worth a question.
 *
 * @return TF_OK, also if nothing was found; TF_ECOLLATERAL_FETCH, or what the file
 *         lacks, after a message.
 */
TF_MUST_USE tf_err tf_collateral_find(const struct tf_collateral_source *source,
                                      const struct tf_collateral_wanted *wanted,
                                      struct tf_collateral_found *out);
void tf_collateral_found_wipe(struct tf_collateral_found *found);
