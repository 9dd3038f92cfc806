/* SPDX-License-Identifier: Apache-2.0 */
/* v8_prelude.S - it has promises. */
#include "enclave/js/prelude.S"

    prelude base, http, query, url, text, web, lambda, commonjs, event
