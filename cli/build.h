/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h - `pack` with a build step: the publisher's own esbuild makes one file of a
 * project and the packages it imports, and for ES5 his SWC lowers it. Both come from npm,
 * are found where npm puts them, and are no part of what anybody has to trust: what is
 * signed is their output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_build {
    const char *folder; /* of the project */
    const char *entry;  /* a file of it: .js, .mjs, .ts or what else esbuild takes */
    const char *target; /* "es5", or what esbuild calls a target: es2015 to esnext */
    bool is_module;     /* an ES module comes out; else CommonJS, as always for es5 */
    bool is_minified;
};

/**
 * Runs the tools; what they say goes to stderr. The output depends on the project, the
 * packages and the tools alone, not on where the project lies.
 * @param data  owned by the caller: free.
 * @return TF_OK; TF_ETOOL, TF_EBUILD, TF_EIO or TF_ELIMIT after a message.
 */
TF_MUST_USE tf_err tf_build_run(const struct tf_build *build, uint8_t **data,
                                size_t *size);
