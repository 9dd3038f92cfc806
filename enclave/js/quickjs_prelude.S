/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_prelude.S - it has promises, and quickjs_http.c has what http.js would define. */
#include "enclave/js/prelude.S"

    prelude base, builtin, query, url, text, web, lambda, commonjs, event
