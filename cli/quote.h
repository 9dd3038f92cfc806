/* SPDX-License-Identifier: Apache-2.0 */
/* quote.h - shows what became of a CPU vendor's evidence, to people and to programs. */
#pragma once

#include <stdbool.h>

#include "lib/json.h"
#include "verify/appraisal.h"

/** Prints an appraisal on stdout. @param has_policy  one was given; else it is said that
 * the verdict is about the evidence only. */
void tf_appraisal_print(const struct tf_appraisal *a, bool has_policy, bool is_json);

/** Writes all that is in an appraisal as fields of the object that is open. */
void tf_appraisal_put(struct tf_json_writer *w, const struct tf_appraisal *a);
