/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.h - showing what an enclave signed about invocations. */
#pragma once

#include "verify/receipt.h"

/** Prints it on one line, or as the JSON that was signed. */
void tf_receipt_print(const struct tf_receipt *receipt, bool is_json);
