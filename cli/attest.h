/* SPDX-License-Identifier: Apache-2.0 */
/* attest.h - showing a verdict. */
#pragma once

#include <stdbool.h>

#include "verify/verify.h"

/** Prints a verdict on one screen, or as one line of JSON. */
void tf_verdict_print(const struct tf_verdict *verdict, bool is_json);
