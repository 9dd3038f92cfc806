/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - what a publisher signs about a lambda. Strict JSON: unknown fields,
 * duplicate keys and out-of-range values are refused (doc/formats.md has the table of
 * fields).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/names.h"

struct tf_manifest_file {
    char path[TF_PATH_MAX + 1];
    uint64_t size;
    uint8_t sha256[TF_SHA256_SIZE];
};

struct tf_manifest_var {
    const char *name; /* into `json` */
    const char *value;
};

struct tf_manifest {
    char name[TF_NAME_MAX + 1]; /* [a-z0-9]([a-z0-9-]*[a-z0-9])? */
    uint64_t version;           /* 1 to 2^53 - 1 */
    char engines[4][16];        /* allowed; engine_count 0: any */
    size_t engine_count;
    char entry[TF_PATH_MAX + 1];
    bool is_module;
    bool is_reused;
    char domains[TF_DOMAINS_MAX][TF_DNS_MAX + 1]; /* lower case, no wildcard */
    size_t domain_count;
    struct tf_manifest_file *files; /* owned */
    size_t file_count;
    struct tf_manifest_var *env; /* owned; names and values belong to `json` */
    size_t env_count;
    uint64_t steps;       /* limits, defaults applied */
    uint64_t memory;      /* bytes */
    uint64_t body;        /* request and response body, bytes */
    uint64_t concurrency; /* invocations on one thread of the enclave, count */
    void *json;           /* owned: the parsed document */
};

/**
 * Parses and checks a manifest.
 * @param text  untrusted JSON, `size` bytes; not kept.
 * @return TF_OK, TF_EMANIFEST_SIZE, _JSON, _KEYS, _FIELD, TF_EBUNDLE_PATH, _DUPLICATE, or
 *         TF_ENOMEM. On success the caller ends with tf_manifest_wipe.
 */
TF_MUST_USE tf_err tf_manifest_parse(const char *text, size_t size,
                                     struct tf_manifest *out);

/** Releases what the manifest owns; fine on a zeroed struct. */
void tf_manifest_wipe(struct tf_manifest *manifest);
