/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile answers of a collateral service. The input is cut at zero bytes into TCB info,
 * its chain, QE identity, its chain, the PCK's list and its chain; what is left is the
 * root's list. What composes must parse again.
 */
#include <stdlib.h>
#include <string.h>

#include "client/pcs.h"
#include "verify/collateral.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next piece as a text of its own, whose end is a trap; moves behind it. */
static char *next(const uint8_t **data, size_t *size, size_t *piece)
{
    const uint8_t *zero = *size == 0 ? NULL : memchr(*data, 0, *size);
    char *text;

    *piece = zero == NULL ? *size : (size_t)(zero - *data);
    text = malloc(*piece + 1);
    if (text == NULL) {
        abort();
    }
    if (*piece > 0) {
        memcpy(text, *data, *piece);
    }
    text[*piece] = '\0';
    *data += *piece + (zero == NULL ? 0 : 1);
    *size -= *piece + (zero == NULL ? 0 : 1);
    return text;
}

static void check(const char *text, size_t size)
{
    struct tf_collateral collateral;

    /* Bytes that are no UTF-8 pass unread; nothing else may be no JSON. */
    if (size > TF_COLLATERAL_MAX || text[0] != '{' || text[size - 1] != '}') {
        __builtin_trap();
    }
    if (tf_collateral_parse(text, size, &collateral) == TF_OK) {
        tf_collateral_wipe(&collateral);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pieces[6];
    size_t sizes[6];
    char *out = NULL;
    size_t out_size = 0;

    for (size_t i = 0; i < 6; i++) {
        pieces[i] = next(&data, &size, &sizes[i]);
    }
    const struct tf_pcs_answers answers = {
        .tcb_info = {{(uint8_t *)pieces[0], sizes[0]}, pieces[1]},
        .qe_identity = {{(uint8_t *)pieces[2], sizes[2]}, pieces[3]},
        .pck_crl = {{(uint8_t *)pieces[4], sizes[4]}, pieces[5]},
        .root_crl = {data, size}};
    if (tf_pcs_compose(&answers, &out, &out_size) == TF_OK) {
        check(out, out_size);
        free(out);
    }
    for (size_t i = 0; i < 6; i++) {
        free(pieces[i]);
    }
    return 0;
}
