/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what an enclave said of a bundle that it has tried, in words: which limit
 * applied, what the engine said, what to do next. For who deploys it, and for who rolls
 * the enclave that has it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/daemon.h"
#include "lib/err.h"

struct tf_lambda;

enum { TF_VERDICT_MAX = 1 << 10 };

struct tf_verdict {
    bool is_of_code; /* it was run, and does not load; else it was not even run */
    char text[TF_VERDICT_MAX];
    char hint[TF_VERDICT_MAX];
};

/**
 * Puts the answer to a TF_LINK_BUNDLE into words.
 *
 * @param lambda  with the limits that its bundle says. @param err  not TF_OK.
 * @param json    untrusted, may be empty: of code that was run it has a message.
 */
void tf_verdict_read(const struct tf_engine *engine, const struct tf_lambda *lambda,
                     tf_err err, const char *json, size_t size, struct tf_verdict *out);
