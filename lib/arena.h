/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - a general allocator whose whole state lies inside the memory it manages.
 *
 * So an arena can be snapshotted by copying [base, base + tf_arena_used()) and restored
 * by copying it back, as long as it stays at the same address. One arena is used by one
 * thread at a time; the caller locks what it shares. Blocks are 16-byte aligned. Used for
 * the enclave's heaps and for the JavaScript slots; it calls nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

enum {
    TF_ARENA_LINE = 64,           /* bytes; what is noted of sealed blocks at once */
    TF_ARENA_SEAL_MAX = 160 << 10 /* bytes from the start, beyond which none is sealed */
};

struct tf_arena; /* lies at the start of the memory */
struct tf_plan;  /* lib/plan.h */

/**
 * Makes an empty arena in `memory`.
 *
 * @param memory  16-byte aligned, `size` bytes, owned by the caller as long as the arena
 *                is used. Its contents are ignored: what is handed out for the first time
 *                was zeroed before, and nothing else is touched.
 * @return NULL if `size` is too small (below 4096).
 */
struct tf_arena *tf_arena_init(void *memory, size_t size);

/** Makes `size` bytes at `memory`, which are used for the first time, usable zeros. */
typedef void (*tf_fresh_fn)(void *memory, size_t size);

/**
 * The same over memory that is not there until `fresh` was called for it: for whole
 * pages, each once. Memory and size are multiples of a page.
 *
 * @param ready  bytes from the start for which it was called already: tf_arena_zeroed of
 *               the arena that was there before.
 * @param fresh  kept; NULL: the memory is there, and only zeroed.
 */
struct tf_arena *tf_arena_init_fresh(void *memory, size_t size, size_t ready,
                                     tf_fresh_fn fresh);

/** Allocates `size` bytes: zeros, or what a freed block left. @return NULL when full,
 *  over the cap, or size 0. */
void *tf_arena_alloc(struct tf_arena *arena, size_t size);

/** As realloc(3); on failure returns NULL and `block` stays. */
void *tf_arena_realloc(struct tf_arena *arena, void *block, size_t size);

/**
 * Zeroes a part of what has to be zero before an allocation of `size` bytes, or before
 * `block`, if that is not NULL, gets that size: so that a large one does not take long in
 * one piece. @return whether there is more to zero.
 */
bool tf_arena_zero_ahead(struct tf_arena *arena, const void *block, size_t size);

/** Resizes a block where it is; `size` is at least 1. @return false if it would have to
 *  move: then nothing has changed. */
bool tf_arena_resize(struct tf_arena *arena, void *block, size_t size);

/** Overwrites a block's usable bytes with zeros; traps as tf_arena_free does. */
void tf_arena_wipe(struct tf_arena *arena, void *block);

/** Frees; NULL is fine. A pointer that the arena did not give is a bug: it traps. */
void tf_arena_free(struct tf_arena *arena, void *block);

/** Usable bytes of a block; 0 for NULL. */
size_t tf_arena_usable(const void *block);

/** Bytes from the arena's start to the end of the last byte ever handed out since
 *  init or the last restore: what a snapshot must copy. */
size_t tf_arena_used(const struct tf_arena *arena);

/**
 * Makes the arena's bytes say as little as they can, before they are compared or kept:
 * the end that is free is given back, and inside free blocks are the bytes that `image`
 * has there, an earlier state of `size` bytes of the same arena, and zeros beyond.
 */
void tf_arena_tidy(struct tf_arena *arena, const void *image, size_t size);

/** Has allocations follow a plan (lib/plan.h) until it is NULL again. The plan stays the
 *  caller's. */
void tf_arena_plan(struct tf_arena *arena, struct tf_plan *plan);

/** While a plan is followed: whoever has `block` will not write more into it than counts
 *  without tf_arena_unseal, nor free it. Without one: nothing. */
void tf_arena_seal(struct tf_arena *arena, const void *block);

/** Whoever sealed blocks is about to write into [at, at + size) of them even so; `at` is
 *  NULL: into any. */
void tf_arena_unseal(struct tf_arena *arena, const void *at, size_t size);

/** Whether NULL was said, since the arena was made or last brought back. */
bool tf_arena_is_unsealed(const struct tf_arena *arena);

/** Finds lines from *line on that were written to since then, if they are sealed; a line
 *  is TF_ARENA_LINE bytes, the first at the arena's start. Says nothing when all may have
 *  been.
 *  @param end  the line after them: where to look for the next ones.
 *  @return false if there are no more. */
bool tf_arena_unsealed(const struct tf_arena *arena, size_t *line, size_t *end);

/** Makes two of a used block, the first with room for `size` bytes. @return the second,
 *  or NULL if there would be none: nothing has changed. */
void *tf_arena_split(struct tf_arena *arena, void *block, size_t size);

/** Has each block be just as large as what was asked for, wherever it lies, so that who
 *  looks at tf_arena_usable does the same each time: free blocks are not split or merged,
 *  and nothing is resized in place. While it holds, free memory is used badly. */
void tf_arena_set_exact(struct tf_arena *arena, bool is_exact);

/** Has small blocks come from the arena's end, without a look at what is free before it,
 *  for the next `size` bytes, fewer than 2^32: quick, for who will restore the arena
 * soon.
 */
void tf_arena_set_ahead(struct tf_arena *arena, size_t size);

/** Bytes from the arena's start after which nothing was zeroed yet: between
 *  tf_arena_used() and here all is zero. */
size_t tf_arena_zeroed(const struct tf_arena *arena);

/** For who restores an earlier state: what holds now. */
void tf_arena_note_zeroed(struct tf_arena *arena, size_t size);

/** Caps the arena: allocations that would take it beyond `cap` bytes fail. 0: no cap. */
void tf_arena_cap(struct tf_arena *arena, size_t cap);

/** Bytes that the arena may grow to: its size or its cap. */
size_t tf_arena_limit(const struct tf_arena *arena);

/** Whether an allocation failed since init, restore or the last call of this; resets. */
int tf_arena_failed(struct tf_arena *arena);
