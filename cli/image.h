/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - what the parts of the verb `image` share: options, and an image measured.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/sgx_load.h"
#include "lib/err.h"

/** As given; NULL where not. */
struct tf_image_options {
    const char *key;
    const char *out;
    const char *data_out;  /* first of two steps: what is to be signed goes here */
    const char *signature; /* second of two steps: made elsewhere */
    const char *pubkey;
    const char *date;
    const char *ext_prod_id; /* hex */
    const char *family_id;   /* hex */
    uint64_t prod_id;
    uint64_t svn;
    bool insecure_debug;
    bool is_json;
};

struct tf_image_measured {
    struct sgx_secs secs;
    struct tf_layout layout;
    uint8_t mrenclave[32];
};

/** Reads and measures an image. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_image_measure_file(const char *path, struct tf_image_measured *out);

/** Measures the folder of a native runtime. @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_image_measure_runtime(const char *folder, uint8_t out[static 32]);

/** `image sign`, in one step or two. @return the exit status. */
int tf_image_sign(const char *path, const struct tf_image_options *options);
