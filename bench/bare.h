/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.h - an engine alone, without TLS, HTTP, limits and fresh heaps, runs a lambda of
 * examples/ in a loop: what `make bench` compares an engine's throughput with. One of
 * bare_quickjs.c and bare_duktape.c implements bare_open and bare_run; bare.c is main.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** What a lambda finds around it: the least of our runtime that base64 and cube3d use. */
#define BARE_PRELUDE                                                                     \
    "var exports = {};"                                                                  \
    "function Response(body, init) {"                                                    \
    "    this.body = body;"                                                              \
    "    this.status = init ? init.status : 200;"                                        \
    "}"

/** Starts the engine and runs the lambda's top level; false: it threw. */
bool bare_open(const char *source, size_t size);

/** Calls the lambda's handler with a request for `url`; true if it answered 200. */
bool bare_run(const char *url);

/** RFC 4648 of `size` bytes, padded, with a NUL, into `out` of 4 * (size + 2) / 3 + 1. */
void bare_base64(const unsigned char *in, size_t size, char *out);
