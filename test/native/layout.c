/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - of an image that is none: what the core says about itself in tests. */
#include "enclave/layout.h"

const struct tf_layout tf_layout = {.magic = TF_LAYOUT_MAGIC, .lvi = TF_LVI_OFF};
