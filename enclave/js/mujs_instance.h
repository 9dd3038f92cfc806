/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mujs_instance.h - between mujs.c (an instance's life, running, limits), mujs_native.c
 * (what scripts may call) and mujs_bytes.c (buffers and typed arrays); nobody else
 * includes it. What may throw is called inside tf_mujs_try only. Values that C keeps are
 * in the engine's registry, under the names below.
 */
#pragma once

#include <setjmp.h>

#include <mujs.h>

#include "enclave/js/js.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"

struct tf_js {
    struct tf_native native;
    struct tf_arena *arena;
    js_State *state;
    uint64_t steps;                    /* used, but for what is gone of `granted` */
    long granted;                      /* steps that the engine got last */
    uint64_t since_pause;              /* steps, and work that is none */
    size_t live;                       /* bytes that the engine has */
    size_t collect_at;                 /* live bytes from which garbage is looked for */
    const struct tf_js_limits *limits; /* of the call that runs */
    jmp_buf *escape;  /* where to when a limit is hit; NULL outside load and call */
    tf_err left;      /* why the engine was left */
    bool is_answered; /* `status` is set; "body" and "headers" are in the registry */
    bool is_failed;   /* "reason" is in the registry */
    double status;
};

/** Leaves the engine for good with `err`, if a load or call runs. */
void tf_mujs_leave(struct tf_js *js, tf_err err);

/** Memory of the instance, at least one byte; leaves the engine when there is none. */
void *tf_mujs_alloc(struct tf_js *js, size_t size);

/** Frees what tf_mujs_alloc gave; NULL is fine. */
void tf_mujs_free(struct tf_js *js, void *block);

/** Compiles a file of the prelude and pushes the function that it is. */
void tf_mujs_push_prelude(js_State *state, const struct tf_prelude *file);

/** Pushes the prelude's `native`. */
void tf_mujs_push_native(js_State *state);

/** Defines ArrayBuffer and the typed arrays. */
void tf_mujs_define_bytes(js_State *state);

/** Pushes a new ArrayBuffer, not zeroed. @return its bytes, 8-byte aligned. */
uint8_t *tf_mujs_push_buffer(js_State *state, size_t size);

/** The bytes of the ArrayBuffer at `at`. @return NULL if it is none. */
uint8_t *tf_mujs_buffer(js_State *state, int at, size_t *size);

/** The text of the string at `at` as UTF-8 where surrogates stand alone or in pairs,
 * zeros as they are; the string's own or, then freed with it, `*owned`, which is NULL
 * otherwise.
 */
struct tf_str tf_mujs_text(js_State *state, int at, char **owned);
