/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h - runs a lambda's source in a slot, for the tests in this folder. Each test
 * is built once per engine; what differs between engines asks is_quickjs() and its like.
 */
#pragma once

#include "enclave/js/slot.h"

enum { MEMORY = 8 << 20, STEPS = 4 * 1000 * 1000, STACK = 512 << 10, BODY = 1 << 20 };

/** A loaded lambda, the request that `ask` sends, and how it ended. */
struct lambda {
    struct tf_js_file files[8];
    struct tf_js_program program;
    struct tf_js_limits limits;
    struct tf_snapshot snapshot;
    struct tf_js_report report;
    struct tf_js_response response;
    struct tf_js_header headers[4];
    struct tf_js_request request;
};

/** The one slot of the test program. */
extern struct tf_slot slot;
extern struct tf_arena *heap;

/** What the last console line was, and the clock in ns. */
extern char console_line[1025];
extern uint64_t clock_ns;

bool is_quickjs(void);
bool is_duktape(void);
bool is_mujs(void);
bool is_v8(void);

/** Has modules, async functions and what else came after ES5. */
bool is_modern(void);

/** Prepares the slot and the heap anew. */
void start(void);

/** Loads one CommonJS file. @return how the load ended. */
tf_err load(struct lambda *lambda, const char *source);

/** Loads `program`, whose files are set. */
tf_err load_files(struct lambda *lambda);

/** Loads a folder's files as an example; names end with NULL, the first is the entry. */
tf_err load_folder(struct lambda *lambda, const char *folder, const char *const *names);

/** Whether what is sealed, and will not be brought in for the snapshot's next call, has
 *  only changed where that was said (tf_arena_unseal), and in counts. */
bool is_sealed_kept(const struct tf_snapshot *snapshot);

/** Sends a request: a GET, or a POST when there is a body. @return TF_EINTERNAL also if
 *  then is_sealed_kept does not hold. */
tf_err ask(struct lambda *lambda, const char *url, const char *body);

/** Loads `source`, asks once. */
tf_err run(struct lambda *lambda, const char *source, const char *body);

/** Runs a story, statements that throw where something is wrong, as a handler behind the
 *  prelude. @return whether nothing was; else it is printed. */
bool story_holds(const char *prelude, const char *story);

/** Whether the last answer's body is `text`. */
bool answered(const struct lambda *lambda, const char *text);

/** Value of the answer's header, or "". Valid until the next call. */
const char *header(const struct lambda *lambda, const char *name);

void drop(struct lambda *lambda);
