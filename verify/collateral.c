/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/collateral.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"

static struct tf_bytes read_text(struct tf_json_fields *f, const char *key, size_t max)
{
    const char *text = tf_json_string(f, key, 1, max);

    return (struct tf_bytes){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

/* Two lists in one allocation. */
static bool read_crls(struct tf_json_fields *f, struct tf_collateral *out)
{
    const char *root = tf_json_string(f, "root_ca_crl", 2, (size_t)2 * TF_CRL_MAX);
    const char *pck = tf_json_string(f, "pck_crl", 2, (size_t)2 * TF_CRL_MAX);

    if (root == NULL || pck == NULL) {
        return false;
    }
    size_t root_size = strlen(root) / 2;
    size_t pck_size = strlen(pck) / 2;
    out->crls = malloc(root_size + pck_size);
    if (out->crls == NULL) {
        return false;
    }
    out->root_crl = (struct tf_bytes){out->crls, root_size};
    out->pck_crl = (struct tf_bytes){out->crls + root_size, pck_size};
    return tf_hex_parse(root, strlen(root), out->crls, root_size) == TF_OK &&
           tf_hex_parse(pck, strlen(pck), out->crls + root_size, pck_size) == TF_OK;
}

static bool read_all(struct tf_json_fields *f, struct tf_collateral *out)
{
    enum { PEM_MAX = 32 << 10 };

    out->pck_crl_chain = read_text(f, "pck_crl_issuer_chain", PEM_MAX);
    out->tcb_chain = read_text(f, "tcb_info_issuer_chain", PEM_MAX);
    out->tcb_info = read_text(f, "tcb_info", TF_SIGNED_JSON_MAX);
    out->qe_chain = read_text(f, "qe_identity_issuer_chain", PEM_MAX);
    out->qe_identity = read_text(f, "qe_identity", TF_SIGNED_JSON_MAX);
    tf_json_hex(f, "tcb_info_signature", out->tcb_signature, sizeof(out->tcb_signature));
    tf_json_hex(f, "qe_identity_signature", out->qe_signature, sizeof(out->qe_signature));
    return read_crls(f, out) && tf_json_fields_end(f);
}

tf_err tf_collateral_parse(const char *text, size_t size, struct tf_collateral *out)
{
    struct tf_collateral collateral = {0};
    struct tf_json_fields f;

    if (size > TF_COLLATERAL_MAX ||
        tf_json_parse(text, size, &collateral.document) != TF_OK) {
        return TF_ECOLLATERAL_FORMAT;
    }
    tf_json_fields_init(&f, collateral.document);
    if (!read_all(&f, &collateral)) {
        tf_collateral_wipe(&collateral);
        return TF_ECOLLATERAL_FORMAT;
    }
    *out = collateral;
    return TF_OK;
}

void tf_collateral_wipe(struct tf_collateral *collateral)
{
    free(collateral->crls);
    json_decref(collateral->document);
    memset(collateral, 0, sizeof(*collateral));
}

static tf_err check_chain(const struct tf_chain *chain,
                          const struct tf_statement_rules *rules)
{
    tf_root root = TF_ROOT_NONE;
    tf_err err =
        tf_chain_check(chain, &TF_CHAIN_INTEL, rules->policy, rules->time, &root);

    if (err != TF_OK) {
        return err;
    }
    /* The PCK's root was checked to be Intel's: nobody else's may speak for it. */
    if (!tf_cert_is_same(chain->certs[1], rules->root)) {
        return TF_ECHAIN_ROOT;
    }
    if (!tf_cert_is_named(chain->certs[0], "Intel SGX TCB Signing")) {
        return TF_ECHAIN_LINK;
    }
    return tf_crl_lists(rules->root_crl, chain->certs[0]) ? TF_ECHAIN_REVOKED : TF_OK;
}

tf_err tf_statement_check(const struct tf_statement *statement,
                          const struct tf_statement_rules *rules, int64_t *ends)
{
    struct tf_chain chain;
    tf_err err = tf_chain_parse(statement->chain, 2, &chain);

    if (err == TF_OK) {
        err = check_chain(&chain, rules);
    }
    if (err == TF_OK &&
        !tf_ecdsa_check(X509_get0_pubkey(chain.certs[0]), statement->body,
                        statement->signature, statement->signature + 32, 32)) {
        err = TF_ECOLLATERAL_SIGNATURE;
    }
    for (size_t i = 0; err == TF_OK && i < chain.count; i++) {
        int64_t end = tf_cert_end(chain.certs[i]);
        *ends = end < *ends ? end : *ends;
    }
    tf_chain_wipe(&chain);
    return err;
}

/* Moves behind `text` if it is next. */
static bool skip(struct tf_reader *r, const char *text)
{
    size_t size = strlen(text);
    const uint8_t *at = tf_read_bytes(r, size);

    return at != NULL && memcmp(at, text, size) == 0;
}

/* The service writes no white space around the signed value, and the signature last. */
tf_err tf_collateral_split(const char *text, size_t size, const char *key,
                           struct tf_bytes *body,
                           char signature[static 2 * TF_P256_SIGNATURE_SIZE + 1])
{
    static const char MIDDLE[] = ",\"signature\":\"";
    enum { HEX_SIZE = 2 * TF_P256_SIGNATURE_SIZE };
    const size_t tail = sizeof(MIDDLE) - 1 + HEX_SIZE + sizeof("\"}") - 1;
    uint8_t bytes[TF_P256_SIGNATURE_SIZE];
    struct tf_reader r;

    tf_reader_init(&r, text, size);
    bool is_good = skip(&r, "{\"") && skip(&r, key) && skip(&r, "\":");
    if (!is_good || tf_reader_left(&r) < tail + 2) {
        return TF_ECOLLATERAL_FORMAT;
    }
    size_t body_size = tf_reader_left(&r) - tail;
    const uint8_t *data = tf_read_bytes(&r, body_size);
    is_good = skip(&r, MIDDLE);
    const char *hex = (const char *)tf_read_bytes(&r, HEX_SIZE);
    if (!is_good || hex == NULL || !skip(&r, "\"}") || data[0] != '{' ||
        tf_hex_parse(hex, HEX_SIZE, bytes, sizeof(bytes)) != TF_OK) {
        return TF_ECOLLATERAL_FORMAT;
    }
    *body = (struct tf_bytes){data, body_size};
    memcpy(signature, hex, HEX_SIZE);
    signature[HEX_SIZE] = '\0';
    return TF_OK;
}
