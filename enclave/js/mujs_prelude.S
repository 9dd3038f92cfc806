/* SPDX-License-Identifier: Apache-2.0 */
/* mujs_prelude.S - all of it: MuJS has neither promises nor typed arrays. */
#include "enclave/js/prelude.S"

    prelude base, bytes, promise, combine, finally, http, query, url, text, web, lambda, commonjs, event
