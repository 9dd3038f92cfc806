/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - tfaasd as a whole: its options, and the parts that know each other through
 * this one struct. Everything runs on one thread, in callbacks of the loop.
 *
 *   gateway -> registry -> supervise       a connection finds its worker
 *   admin   -> deploy   -> supervise       a bundle finds its enclave, then the store
 *   admin   -> metrics  -> supervise       counters of the enclaves
 *   admin   -> roll     -> supervise       a new enclave takes over from one that serves,
 *              roll     -> tryout          if it loads what that has
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/limits.h"
#include "host/loop.h"
#include "host/store.h"
#include "lib/map.h"

enum { TF_ENGINES_MAX = 8, TF_WORKERS_MAX = 64, TF_REGISTRY_MAX = 2 * TF_LAMBDAS_MAX };

struct tf_engine {
    char name[TF_ENGINE_NAME_MAX];
    bool is_native;         /* no image: a runtime's folder at image_path */
    const char *image_path; /* borrowed from the command line */
    const char *sigstruct_path;
    uint8_t mrenclave[32]; /* as the SIGSTRUCT says; natively the runtime's measurement */
    uint8_t mrsigner[32];
};

struct tf_options {
    const char *state;
    const char *listen;
    char *worker_path; /* owned */
    struct tf_engine engines[TF_ENGINES_MAX];
    size_t engine_count;
    bool is_sgx;          /* the backend: hardware, else the simulator, */
    bool is_guest;        /* or this machine as a confidential VM: native engines only */
    const char *aesm;     /* socket, with is_sgx; NULL: AESM's own */
    const char *sim_aesm; /* for tests: the simulator's REPORTs go there. NULL: nowhere */
    bool is_strict;
    uint64_t transition_cycles;
    uint64_t idle_seconds;
    uint64_t poll_us;    /* that a worker asks before a sleep, at most; 0: none */
    uint64_t memory_mib; /* that a worker may keep of lambdas; 0: as its image sees fit */
    unsigned threads;    /* per worker */
};

struct tf_lambda;
struct tf_worker;
struct tf_gateway;
struct tf_admin;
struct tf_operation;
struct tf_roll;
struct tf_failure;

enum { TF_REGISTRY_BUCKETS = 4096 };

struct tf_registry {
    struct tf_lambda *lambdas[TF_REGISTRY_MAX]; /* owned */
    size_t count;
    struct tf_map names; /* made with the first lambda, with these buckets */
    struct tf_map digests;
    struct tf_map routes; /* by DNS name */
    struct tf_map_node *buckets[3][TF_REGISTRY_BUCKETS];
};

struct tf_daemon {
    struct tf_options options;
    struct tf_loop loop;
    struct tf_store store;
    struct tf_registry registry;
    struct tf_worker *workers[TF_WORKERS_MAX]; /* owned; never freed before the end */
    size_t worker_count;
    struct tf_gateway *gateway;      /* owned by gateway.c */
    struct tf_admin *admin;          /* owned by admin_http.c */
    struct tf_operation *operations; /* owned by deploy.c: a queue, the first runs */
    struct tf_roll *roll;            /* owned by roll.c: the last one, and those before */
    struct tf_failure *failures;     /* owned by tryout.c: of the last roll */
    bool is_simulated;
    bool is_stopping;
    uint64_t connections; /* counters for /metrics: accepted by tfaasd, */
    uint64_t direct;      /* and by a worker */
    uint64_t refused;
    char address[80]; /* what is listened on */
};
