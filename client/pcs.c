/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pcs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "verify/collateral.h"

/* Of either case; -1 for no digit. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* The next character of an encoded text, printable or an end of line; moves `*at` behind
 * it. False if there is none. */
static bool decode_one(const char **at, char *out)
{
    char c = *(*at)++;

    if (c != '%') {
        *out = c;
        return c != ' ' && is_printable(c);
    }
    int high = hex_digit((*at)[0]);
    int low = high < 0 ? -1 : hex_digit((*at)[1]);
    if (low < 0) {
        return false;
    }
    *at += 2;
    *out = (char)(high << 4 | low);
    return *out == '\n' || is_printable(*out);
}

tf_err tf_pcs_decode_chain(const char *text, char **out)
{
    size_t size = 0;

    if (text == NULL || strlen(text) > (size_t)3 * TF_PCS_CHAIN_MAX) {
        return TF_ECOLLATERAL_FORMAT;
    }
    char *decoded = malloc(strlen(text) + 1);
    if (decoded == NULL) {
        return TF_ENOMEM;
    }
    for (const char *at = text; *at != '\0';) {
        if (!decode_one(&at, &decoded[size])) {
            free(decoded);
            return TF_ECOLLATERAL_FORMAT;
        }
        size++;
    }
    decoded[size] = '\0';
    *out = decoded;
    return TF_OK;
}

static tf_err copy_der(const uint8_t *body, size_t size, uint8_t **out, size_t *out_size)
{
    uint8_t *der = malloc(size);

    if (der == NULL) {
        return TF_ENOMEM;
    }
    memcpy(der, body, size);
    *out = der;
    *out_size = size;
    return TF_OK;
}

tf_err tf_pcs_decode_crl(const uint8_t *body, size_t size, uint8_t **out,
                         size_t *out_size)
{
    enum { DER_SEQUENCE = 0x30 };

    if (size < 2 || size > (size_t)2 * TF_CRL_MAX) {
        return TF_ECOLLATERAL_CRL;
    }
    if (body[0] == DER_SEQUENCE) {
        return size > TF_CRL_MAX ? TF_ECOLLATERAL_CRL
                                 : copy_der(body, size, out, out_size);
    }
    uint8_t *der = malloc(size / 2);
    if (der == NULL) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < size / 2; i++) {
        int high = hex_digit((char)body[2 * i]);
        int low = hex_digit((char)body[2 * i + 1]);
        if (high < 0 || low < 0 || size % 2 != 0) {
            free(der);
            return TF_ECOLLATERAL_CRL;
        }
        der[i] = (uint8_t)(high << 4 | low);
    }
    *out = der;
    *out_size = size / 2;
    return TF_OK;
}

/* --- composing ---------------------------------------------------------------------- */

static tf_err put_chain(struct tf_json_writer *w, const char *key, const char *encoded)
{
    char *chain = NULL;
    tf_err err = tf_pcs_decode_chain(encoded, &chain);

    if (err == TF_OK) {
        tf_json_put_string(w, key, chain);
    }
    free(chain);
    return err;
}

static tf_err put_crl(struct tf_json_writer *w, const char *key,
                      const struct tf_bytes *body)
{
    uint8_t *der = NULL;
    size_t size = 0;
    tf_err err = tf_pcs_decode_crl(body->data, body->size, &der, &size);

    if (err == TF_OK) {
        tf_json_put_hex(w, key, der, size);
    }
    free(der);
    return err;
}

/* How the fields of a signed answer are named, there and in the file. */
struct names {
    const char *value;
    const char *chain;
    const char *body;
    const char *signature;
};

static tf_err put_signed(struct tf_json_writer *w, const struct names *names,
                         const struct tf_pcs_answer *answer)
{
    char signature[2 * TF_P256_SIGNATURE_SIZE + 1];
    struct tf_bytes body;
    tf_err err = tf_collateral_split((const char *)answer->body.data, answer->body.size,
                                     names->value, &body, signature);

    if (err == TF_OK) {
        err = put_chain(w, names->chain, answer->issuer_chain);
    }
    if (err == TF_OK) {
        tf_json_put_text(w, names->body, (const char *)body.data, body.size);
        tf_json_put_string(w, names->signature, signature);
    }
    return err;
}

static tf_err put_all(struct tf_json_writer *w, const struct tf_pcs_answers *answers)
{
    static const struct names info = {"tcbInfo", "tcb_info_issuer_chain", "tcb_info",
                                      "tcb_info_signature"};
    static const struct names identity = {"enclaveIdentity", "qe_identity_issuer_chain",
                                          "qe_identity", "qe_identity_signature"};

    tf_json_open_object(w, NULL);
    tf_err err = put_chain(w, "pck_crl_issuer_chain", answers->pck_crl.issuer_chain);
    if (err == TF_OK) {
        err = put_crl(w, "root_ca_crl", &answers->root_crl);
    }
    if (err == TF_OK) {
        err = put_crl(w, "pck_crl", &answers->pck_crl.body);
    }
    if (err == TF_OK) {
        err = put_signed(w, &info, &answers->tcb_info);
    }
    if (err == TF_OK) {
        err = put_signed(w, &identity, &answers->qe_identity);
    }
    tf_json_close_object(w);
    return err;
}

tf_err tf_pcs_compose(const struct tf_pcs_answers *answers, char **out, size_t *size)
{
    struct tf_json_writer w;
    char *text = malloc(TF_COLLATERAL_MAX + 1);

    if (text == NULL) {
        return TF_ENOMEM;
    }
    tf_json_writer_init(&w, text, TF_COLLATERAL_MAX + 1);
    tf_err err = put_all(&w, answers);
    if (err == TF_OK && tf_json_take(&w, size) != TF_OK) {
        err = TF_ECOLLATERAL_FORMAT;
    }
    if (err != TF_OK) {
        free(text);
        return err;
    }
    *out = text;
    return TF_OK;
}
