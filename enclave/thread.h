/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - all that one thread of the enclave has: its ends of the rings, its
 * connections, its view of the lambdas, its lanes. It lies in the thread's heap and no
 * other thread touches it; what threads share is in enclave/instance.h.
 */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/layout.h"
#include "abi/limits.h"
#include "abi/sgx.h"
#include "enclave/blob.h"
#include "enclave/instance.h"
#include "enclave/lane.h"
#include "enclave/resident.h"
#include "enclave/ring.h"
#include "enclave/sched.h"
#include "enclave/stats.h"
#include "enclave/tls.h"
#include "enclave/trial.h"
#include "enclave/want.h"
#include "lib/arena.h"

struct tf_conn;
struct WOLFSSL_CTX;

struct tf_thread {
    struct tf_thread_page *page;
    struct tf_arena *heap; /* the one behind malloc */
    struct tf_instance *instance;
    uint64_t now;                  /* the host's time, ns since the epoch: a hint */
    uint64_t entries;              /* count so far */
    tf_err err;                    /* once not TF_OK: the enclave ends with it */
    bool is_started;               /* the INIT was good */
    struct sgx_target_info target; /* for whom reports are made */

    struct tf_ring_reader in;
    struct tf_ring_writer out;
    alignas(8) uint8_t frame[TF_FRAME_MAX];   /* payload of the one being worked on */
    alignas(8) uint8_t record[TF_SEALED_MAX]; /* the one that is being sent */

    struct WOLFSSL_CTX *context; /* of connections until their name is known */
    bool is_attested;            /* its certificate has evidence */
    bool asks_identity;          /* for that evidence; the QUOTE is to come */
    struct tf_conn *conns[TF_CONNS_MAX];
    uint64_t generations[TF_CONNS_MAX]; /* the lowest that the next connection may have */
    size_t ready_count;                 /* connections that can go on without new input */
    uint32_t turn;                      /* which of them goes first */

    struct tf_transfer transfer;
    struct tf_view view;
    struct tf_wants wants;
    struct tf_lane lanes[TF_SLOTS_MAX];
    size_t lane_count;
    struct tf_trial trial;
    struct tf_sched sched;
    struct tf_thread_stats stats;
};
