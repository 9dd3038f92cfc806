/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolate.h - what an engine offers beside js.h when its instances do not lie in an
 * arena: V8 keeps its heap itself, so an instance cannot be copied and brought back. The
 * arena given to tf_js_open is scratch memory then, the cap of the heap is `memory` of
 * the limits, and a fresh start is a new context in the same instance. For
 * enclave/native/slot.c alone.
 *
 * A step is TF_STEP_NS of CPU time of the calling thread: machine code cannot count.
 */
#pragma once

#include "enclave/js/js.h"

enum tf_js_state {
    TF_JS_FRESH, /* no request has run since the top level did */
    TF_JS_USED,  /* one has */
    TF_JS_SPENT  /* one has failed, or it rests without a context: tf_js_renew is next */
};

/** Where the engine is; TF_JS_SPENT stays until tf_js_renew. */
enum tf_js_state tf_js_state(const struct tf_js *js);

/**
 * Throws away all that scripts made and runs the top level again; needed after a call
 * that failed. A heap that was full is made anew altogether.
 * @return as tf_js_load.
 */
TF_MUST_USE tf_err tf_js_renew(struct tf_js *js, const struct tf_js_limits *limits,
                               struct tf_js_report *report);

/** Ends an instance and gives all its memory back; NULL is fine. */
void tf_js_close(struct tf_js *js);

/** Makes what the calling thread needs for any instance, tasks and watch included, by
 *  running one. @return false without memory. */
TF_MUST_USE bool tf_js_warm(void);

/**
 * Does one thing that has been put off until the calling thread has nothing else to do:
 * takes back what an instance needed that has not been called for a few seconds (garbage,
 * room to allocate in, machine code, and the context if no request has run in it), or
 * makes ahead what the next load will take, once what the last one loaded has been
 * called.
 *
 * @param now  ns, of any clock: what the host says will do.
 * @return whether there was something.
 */
bool tf_js_rest(uint64_t now);

/** Lets the engine do what it has put off, such as sweeping. Not during a call. */
void tf_js_tidy(struct tf_js *js);
