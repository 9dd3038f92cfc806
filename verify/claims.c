/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/claims.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"

static void read_digest(struct tf_json_fields *f, const char *key,
                        char hex[static 2 * TF_SHA256_SIZE + 1])
{
    uint8_t digest[TF_SHA256_SIZE] = {0};

    tf_json_hex(f, key, digest, sizeof(digest));
    tf_hex_write(digest, sizeof(digest), hex);
}

static bool read_domains(const json_t *list, struct tf_lambda_claim *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = tf_json_string_at(list, i, 1, TF_DNS_MAX);
        if (name == NULL || !tf_dns_is_valid(name, strlen(name))) {
            return false;
        }
        memcpy(out->domains[i], name, strlen(name) + 1);
        out->domain_count++;
    }
    return true;
}

static bool read_lambda(const json_t *object, struct tf_lambda_claim *out)
{
    struct tf_json_fields f;

    memset(out, 0, sizeof(*out));
    tf_json_fields_init(&f, object);
    tf_json_copy(&f, "name", out->name, sizeof(out->name));
    out->version = tf_json_integer(&f, "version", 1, TF_JSON_INTEGER_MAX);
    read_digest(&f, "digest", out->digest);
    read_digest(&f, "signer", out->signer);
    bool is_good = read_domains(tf_json_array(&f, "domains", 1, TF_DOMAINS_MAX), out);
    out->is_granted = tf_json_boolean(&f, "granted");
    return tf_json_fields_end(&f) && is_good &&
           tf_name_is_valid(out->name, strlen(out->name));
}

static bool read_lambdas(const json_t *list, const char *wanted, struct tf_claims *out)
{
    struct tf_lambda_claim one;
    size_t found = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_lambda(json_array_get(list, i), &one)) {
            return false;
        }
        if (strcmp(one.name, wanted) == 0) {
            out->lambda = one;
            found++;
        }
    }
    out->has_lambda = found == 1;
    return found <= 1; /* two statements about one lambda say nothing */
}

static bool read_exactly(struct tf_json_fields *f, const char *key, uint8_t *out,
                         size_t size)
{
    return tf_json_base64(f, key, out, size) == size;
}

tf_err tf_claims_parse(const char *text, size_t size, const char *lambda,
                       struct tf_claims *out)
{
    json_t *document = NULL;
    struct tf_json_fields f;
    struct tf_claims claims;

    if (size > TF_CLAIMS_MAX || tf_json_parse(text, size, &document) != TF_OK) {
        return TF_EEVIDENCE_FORMAT;
    }
    memset(&claims, 0, sizeof(claims));
    tf_json_fields_init(&f, document);
    const char *kind = tf_json_string(&f, "tfaas", 1, 32);
    bool is_good = kind != NULL && strcmp(kind, "claims.v1") == 0;
    is_good = read_exactly(&f, "nonce", claims.nonce, sizeof(claims.nonce)) && is_good;
    is_good =
        read_exactly(&f, "exporter", claims.exporter, sizeof(claims.exporter)) && is_good;
    tf_json_hex(&f, "spki", claims.spki, sizeof(claims.spki));
    tf_json_hex(&f, "domain", claims.domain, sizeof(claims.domain));
    tf_json_hex(&f, "instance", claims.instance, sizeof(claims.instance));
    tf_json_copy(&f, "engine", claims.engine, sizeof(claims.engine));
    /* It is shown to people, also when the verdict is bad. */
    is_good = tf_name_is_valid(claims.engine, strlen(claims.engine)) && is_good;
    is_good =
        read_lambdas(tf_json_array(&f, "lambdas", 0, TF_LAMBDAS_MAX), lambda, &claims) &&
        is_good;
    is_good = tf_json_fields_end(&f) && is_good;
    json_decref(document);
    if (!is_good) {
        return TF_EEVIDENCE_FORMAT;
    }
    *out = claims;
    return TF_OK;
}
