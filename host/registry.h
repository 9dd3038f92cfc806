/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - the deployed lambdas in tfaasd's memory, and which DNS name leads to
 * which. What is known about a bundle here was read without checking its signature: it
 * serves routing and lists, never trust.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/daemon.h"
#include "lib/err.h"

/* What an enclave thread counts for a lambda. */
struct tf_counts {
    uint64_t ok;
    uint64_t failed;
    uint64_t steps;
    uint64_t peak; /* bytes: the highest, not a sum */
    uint64_t bytes_in;
    uint64_t bytes_out;
};

/* A lambda's place in a worker. */
struct tf_seat {
    struct tf_worker *worker; /* borrowed; NULL: none */
    bool is_granted;          /* the enclave said that it would serve it */
    bool is_offered;          /* sent to the worker since it started */
    bool is_awaited;          /* of the next one: it was granted in the one before, */
    bool is_tried;            /* its code was run once there (tryout.h), */
    bool is_failing;          /* and does not load */
    uint64_t seen;            /* in which look at the worker it was listed last */
};

/* A DNS name that leads to a lambda. */
struct tf_route {
    struct tf_map_node node; /* of the registry's `routes` */
    struct tf_lambda *lambda;
};

struct tf_lambda {
    char name[TF_NAME_MAX + 1];
    char engine[TF_ENGINE_NAME_MAX];
    char domain[TF_STORE_HEX + 1]; /* the trust domain */
    char digest[TF_STORE_HEX + 1];
    char dns[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
    size_t dns_count;
    uint64_t version;
    uint64_t size;          /* of the bundle */
    uint64_t envelope_size; /* of its first entry */
    uint64_t steps;         /* limits of an invocation, and of its top level */
    uint64_t memory;        /* bytes */
    struct tf_seat seat;    /* where it is served */
    struct tf_seat next;    /* while its enclave is rolled: in the new one (roll.h) */
    struct tf_counts base;  /* of earlier instances of the worker */
    struct tf_counts last;

    /* The registry's. */
    size_t index;
    struct tf_map_node by_name;
    struct tf_map_node by_digest;
    struct tf_route routes[TF_DOMAINS_MAX];
};

/**
 * Reads name, version, digest, DNS names and limits from a bundle, signature unchecked.
 * @param bytes  untrusted. @return as tf_bundle_check; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_lambda_peek(const uint8_t *bytes, size_t size,
                                  struct tf_lambda *out);

/** Writes meta.json: where the lambda is deployed. */
TF_MUST_USE tf_err tf_lambda_save(struct tf_store *store, const struct tf_lambda *lambda);

/** The lambda's place in this worker, or NULL. */
struct tf_seat *tf_lambda_seat(struct tf_lambda *lambda, const struct tf_worker *worker);

/** Reads all stored lambdas; a damaged one is logged and skipped. */
TF_MUST_USE tf_err tf_registry_load(struct tf_registry *registry, struct tf_store *store);

/** @return the lambda of that name, or NULL. */
struct tf_lambda *tf_registry_find(const struct tf_registry *registry, const char *name);

/** @return the lambda whose bundle has this digest, or NULL. */
struct tf_lambda *tf_registry_digest(const struct tf_registry *registry,
                                     const char *digest);

/** @return the lambda that a TLS server name leads to (one of its DNS names, or
 *  NAME.manage.tfaas.internal), or NULL. */
struct tf_lambda *tf_registry_route(const struct tf_registry *registry, const char *sni);

/** Whether `lambda` may be deployed: its name is new or in the same place, and none of
 * its DNS names belongs to another. `other` gets the name that is in the way. */
bool tf_registry_is_free(const struct tf_registry *registry,
                         const struct tf_lambda *lambda, const char **other);

/** Adds a copy, or replaces the lambda of that name. @return TF_OK, TF_ELIMIT, TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_registry_put(struct tf_registry *registry,
                                   const struct tf_lambda *lambda);

/** Forgets a lambda and frees it. */
void tf_registry_remove(struct tf_registry *registry, const char *name);

/** Forgets and frees all lambdas. */
void tf_registry_wipe(struct tf_registry *registry);
