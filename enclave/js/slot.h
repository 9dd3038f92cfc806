/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - a fresh heap for every request.
 *
 * A slot is memory at a fixed address in which the instance that runs lives. What the
 * engine and the prelude make of it, before any lambda, is a base, made once (there are
 * two, by what the lambda's files mention). A resident lambda is a snapshot, good for
 * that slot only: what its top level changed, in blocks of 64 bytes. Both are kept in the
 * thread's heap. To invoke: bring base and snapshot into the slot (nothing to do if they
 * are in it and no request ran since), zero what the last request left beyond them, call.
 * What is called again and again is kept beside them as one piece, which is copied
 * faster, and what the engine has sealed (lib/plan.h) is left out of the copy. Load and
 * call pause (js.h) also between the chunks of what is copied and zeroed.
 */
#pragma once

#include "enclave/js/js.h"

enum tf_slot_bases {
    TF_BASE_PLAIN,
    TF_BASE_URL, /* with the prelude's largest file, which most lambdas do without */
    TF_BASES
};

enum { TF_WHOLE_MAX = 256 << 10 }; /* bytes of a snapshot that may be kept as one piece */

/** What a slot holds before a lambda is loaded. */
struct tf_slot_base {
    struct tf_js *js; /* in the slot */
    uint8_t *bytes;   /* a copy, in the thread's heap; NULL: not made, or no room */
    size_t size;      /* whole blocks */
    size_t sealed;    /* from here */
    size_t unsealed;  /* to here, in whole blocks, is what the engine has sealed */
};

struct tf_slot {
    uint8_t *memory; /* slot_size bytes at a fixed address */
    size_t size;
    size_t zeroed; /* bytes from the start that `fresh` was called for */
    tf_fresh_fn fresh;
    size_t dirty; /* bytes from the start that may be non-zero now */
    struct tf_slot_base bases[TF_BASES];
    const struct tf_snapshot *in;        /* whose instance is in the slot, or NULL */
    struct tf_arena *heap;               /* the thread's, of the last load */
    const struct tf_snapshot *last;      /* that was brought in, */
    unsigned repeats;                    /* so many times one after the other */
    const struct tf_snapshot *whole_of;  /* that is kept as one piece, or NULL */
    uint8_t *whole;                      /* in `heap`: its extent; NULL: none */
    const struct tf_snapshot *sealed_of; /* for which what is sealed is there, or NULL */
    unsigned sealed_calls;               /* since that was brought in */
    bool is_clean;                       /* no request ran since it was brought in */
    bool has_arena;                      /* the memory begins with an arena */
};

struct tf_snapshot {
    uint8_t *bytes; /* in the thread's heap, `size` of them; owned */
    size_t size;
    size_t block_count; /* numbers of blocks, 4 bytes each, then the blocks */
    size_t extent;      /* bytes of the slot that it stands for */
    const struct tf_slot_base *base; /* that it differs from, */
    size_t base_size;                /* as far as this; 0: it is complete */
    struct tf_js *js;                /* address inside the slot */
    tf_err err;                      /* why there is none: the load failed with this */
    struct tf_js_report report;      /* of the load */
    bool is_reused; /* manifest "reuse": state survives requests that end well */
};

/** Prepares a slot; nothing is touched yet. @param fresh  as of tf_arena_init_fresh. */
void tf_slot_init(struct tf_slot *slot, void *memory, size_t size, tf_fresh_fn fresh);

/**
 * Loads the program into the slot's base, which is made if it was not yet, and snapshots
 * what comes of it.
 *
 * @param heap    arena that will own the bytes of base and snapshot.
 * @param memory  cap of the instance's heap, bytes.
 * @param out     filled also when the load fails: a failed load is remembered, so that a
 *                lambda with a looping top level costs its budget once, not each request.
 * @return TF_OK if `out` is usable for calls or remembers the lambda's failure; TF_ENOMEM
 *         when `heap` cannot hold the snapshot: `out->size` says how much it takes, and
 *         tf_slot_keep may try again; 0: there was no memory for the engine itself.
 */
TF_MUST_USE tf_err tf_slot_load(struct tf_slot *slot, struct tf_arena *heap,
                                const struct tf_js_program *program, size_t memory,
                                const struct tf_js_limits *limits,
                                struct tf_snapshot *out);

/**
 * Tries again to snapshot what tf_slot_load left in the slot, without running it again.
 * Nothing else may have used the slot since.
 * @return TF_OK or TF_ENOMEM, as there.
 */
TF_MUST_USE tf_err tf_slot_keep(struct tf_slot *slot, struct tf_arena *heap,
                                struct tf_snapshot *out);

/** Calls the snapshot's handler on a fresh heap. Errors as tf_js_call, or snapshot->err.
 */
TF_MUST_USE tf_err tf_slot_call(struct tf_slot *slot, struct tf_snapshot *snapshot,
                                const struct tf_js_request *request,
                                const struct tf_js_limits *limits,
                                struct tf_js_response *response,
                                struct tf_js_report *report);

/** After a load or call that paused and will not go on: gives up what is in the slot. */
void tf_slot_abandon(struct tf_slot *slot);

/** What snapshots and the like may take of a thread's heap of `heap_size` bytes, or
 * beside it. */
uint64_t tf_slot_room(uint64_t heap_size);

/** Zeroes what the last call left, which else stays until the slot is used again. Nothing
 * runs in it. */
void tf_slot_wipe(struct tf_slot *slot);

/** What a snapshot holds until it is dropped, bytes. */
size_t tf_slot_held(const struct tf_snapshot *snapshot);

/** Wipes and frees the snapshot's bytes and forgets it in the slot. */
void tf_slot_drop(struct tf_slot *slot, struct tf_arena *heap,
                  struct tf_snapshot *snapshot);
