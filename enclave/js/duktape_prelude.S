/* SPDX-License-Identifier: Apache-2.0 */
/* duktape_prelude.S - its promises are in duktape_promise.c, but what combines them is not. */
#include "enclave/js/prelude.S"

    prelude base, combine, finally, http, query, url, text, web, lambda, commonjs, event
