/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - every fixed bound of the platform, in one place.
 *
 * Sizes are bytes unless the name says count. What exceeds a bound is refused with
 * TF_ELIMIT or the code named here; nothing is truncated silently.
 */
#pragma once

enum {
    /* Bundles and manifests. */
    TF_BUNDLE_MAX = 10 << 20,     /* a whole .tfb */
    TF_MANIFEST_MAX = 64 << 10,   /* decoded manifest; beyond: TF_EMANIFEST_SIZE */
    TF_ENVELOPE_MAX = 100 << 10,  /* tfaas.dsse: base64 of the manifest and signatures */
    TF_FILES_MAX = 256,           /* count, in a manifest */
    TF_PATH_MAX = 100,            /* ustar name field; we use no prefix field */
    TF_NAME_MAX = 63,             /* a lambda's name: a DNS label */
    TF_DOMAINS_MAX = 8,           /* DNS names of a lambda, count */
    TF_DNS_MAX = 253,             /* a DNS name */
    TF_SIGNATURES_MAX = 4,        /* in an envelope, count */
    TF_PUBLISHERS_MAX = 8,        /* keys in a domain descriptor, count */
    TF_ATTESTERS_MAX = 4,         /* likewise */
    TF_MEMBERS_MAX = 8,           /* domains that share an enclave, count */
    TF_GROUP_PUBLISHERS_MAX = 16, /* keys of all of them together, count */
    TF_GROUP_ATTESTERS_MAX = 8,   /* likewise */
    TF_DESCRIPTOR_MAX = 16 << 10,
    TF_ENV_MAX = 64, /* variables of a lambda, count */

    /* Grants. */
    TF_CHAIN_MAX = 16 << 10, /* certificate chain, PEM */
    TF_GRANT_MAX = 32 << 10, /* a grant, sealed or not */
    TF_EVIDENCE_MAX = 16 << 10,
    TF_REQUEST_JSON_MAX = 48 << 10, /* body of a management request */

    TF_LEASE_MAX = 16 << 10,   /* a lease */
    TF_SECRETS_MAX = 64,       /* variables that a grant brings, count */
    TF_SECRETS_SIZE = 8 << 10, /* their names and values, each with its NUL */

    /* Revocation lists. */
    TF_REVOKED_DIGESTS_MAX = 256, /* count */
    TF_REVOKED_VERSIONS_MAX = 64, /* count */
    TF_REVOKED_SIGNERS_MAX = 12,  /* count */
    TF_REVOCATIONS_MAX = 26 << 10,
    TF_REVOCATIONS_ENVELOPE_MAX = 38 << 10, /* base64 of a list, and signatures */

    /* One enclave instance. */
    TF_LAMBDAS_MAX = 4096,              /* deployed, count */
    TF_FLOORS_MAX = 4 * TF_LAMBDAS_MAX, /* names that it has ever heard of, count */
    TF_NAMED_MAX = 64,   /* lambdas that one lease, or one question, names, count */
    TF_THREADS_MAX = 8,  /* count */
    TF_SLOTS_MAX = 4,    /* of one thread, count */
    TF_RUNS_DEFAULT = 2, /* invocations of one lambda on one thread, count */
    TF_WANTS_MAX = 32,   /* bundles that one thread waits for, count; */
    TF_GUESSES_MAX = 16, /* lambdas that it has made ready ahead of any request, count */
    TF_WANT_SECONDS = 5, /* until the host's answer is too late */
    TF_TRIAL_SECONDS = 45, /* until what is deployed has to have loaded */
    TF_WAITING_MAX = 256,  /* requests of one lambda that wait on one thread, count */
    TF_QUANTUM = 16 << 10, /* steps of a lambda until others have their turn */
    TF_CONNS_MAX = 1024,   /* connections of one thread, count */

    /* HTTP. */
    TF_HEAD_MAX = 32 << 10, /* request line and header fields; those of an answer */
    TF_HEADERS_MAX = 100,   /* count */
    TF_URL_MAX = 16 << 10,
    TF_BODY_MAX = 6 << 20, /* request or response body: the platform's ceiling */
    TF_PIPELINE_MAX = 16,  /* requests answered for one connection in a row, count */

    /* Defaults of a manifest's "limits", and their ceilings. */
    TF_STEPS_DEFAULT = 100 * 1000 * 1000,
    TF_STEPS_MAX = 2000 * 1000 * 1000,
    TF_STEP_NS = 10, /* of CPU time, where machine code runs that counts no steps */
    TF_MEMORY_DEFAULT = 16 << 20,
    TF_MEMORY_MAX = 48 << 20,
    TF_BODY_DEFAULT = 1 << 20
};
