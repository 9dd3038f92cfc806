/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - a lambda in the engine's terms (enclave/js/js.h): the files of its bundle,
 * and the manifest's variables with the grant's over them. Belongs to a resident
 * (enclave/resident.h) of one thread, in that thread's heap.
 */
#pragma once

#include "enclave/js/js.h"
#include "enclave/secrets.h"
#include "lib/bundle.h"

/** Zeroed: nothing. */
struct tf_program {
    struct tf_js_program js; /* points into the bundle and what follows */
    struct tf_js_file *files;
    struct tf_js_var *vars;
    struct tf_secrets *secrets; /* a copy; NULL: none */
};

/**
 * Makes it; `out` is zeroed before.
 * @param bundle   verified; kept until tf_program_wipe.
 * @param secrets  the grant's, or NULL; copied, for the grant may be replaced by one with
 *                 the same.
 * @return TF_OK or TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_program_make(const struct tf_bundle *bundle,
                                   const struct tf_secrets *secrets,
                                   struct tf_program *out);

/** Frees and zeroes it; its secrets are wiped. */
void tf_program_wipe(struct tf_program *program);
