/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/claims.h"

#include <stdlib.h>
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
    out->serial = tf_json_integer(&f, "serial", 0, TF_JSON_INTEGER_MAX);
    out->leased_until = tf_json_integer(&f, "leased_until", 0, TF_TIME_MAX);
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

static bool read_revocations(const json_t *list, struct tf_claims *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_revocation_claim *one = &out->revocations[i];
        struct tf_json_fields f;
        tf_json_fields_init(&f, json_array_get(list, i));
        read_digest(&f, "signer", one->signer);
        one->serial = tf_json_integer(&f, "serial", 1, TF_JSON_INTEGER_MAX);
        if (!tf_json_fields_end(&f)) {
            return false;
        }
    }
    out->revocation_count = json_array_size(list);
    return true;
}

static tf_err parse_group(const char *coded, struct tf_descriptor *out)
{
    size_t size = 0;
    uint8_t *text = coded == NULL ? NULL : malloc(TF_DESCRIPTOR_MAX);

    if (text == NULL) {
        return TF_EEVIDENCE_FORMAT;
    }
    tf_err err = tf_base64_parse(coded, strlen(coded), text, TF_DESCRIPTOR_MAX, &size);
    if (err == TF_OK) {
        err = tf_descriptor_parse((const char *)text, size, out);
    }
    free(text);
    return err == TF_OK && out->member_count > 1 ? TF_OK : TF_EEVIDENCE_FORMAT;
}

/* A domain that is alone in its enclave has neither of the fields. */
static bool read_group(struct tf_json_fields *f, struct tf_claims *out)
{
    if (!tf_json_has(f, "group")) {
        return true;
    }
    const char *coded = tf_json_string(f, "group", 1, tf_base64_size(TF_DESCRIPTOR_MAX));
    const json_t *times = tf_json_array(f, "times", 2, TF_MEMBERS_MAX);
    out->has_group = parse_group(coded, &out->group) == TF_OK;
    if (!out->has_group || json_array_size(times) != out->group.member_count) {
        return false;
    }
    for (size_t i = 0; i < out->group.member_count; i++) {
        const json_t *time = json_array_get(times, i);
        if (!json_is_integer(time) || (uint64_t)json_integer_value(time) > TF_TIME_MAX) {
            return false;
        }
        out->times[i] = (uint64_t)json_integer_value(time);
    }
    return true;
}

/* Both are shown to people, also when the verdict is bad. */
static void read_names(struct tf_json_fields *f, struct tf_claims *out)
{
    tf_json_copy(f, "engine", out->engine, sizeof(out->engine));
    tf_json_copy(f, "lvi", out->lvi, sizeof(out->lvi));
    f->bad |= !tf_name_is_valid(out->engine, strlen(out->engine)) ||
              !tf_name_is_valid(out->lvi, strlen(out->lvi));
}

/* Claims, and the lambda that is looked for in them. */
struct search {
    struct tf_claims claims;
    const char *lambda;
};

static void read_claims(struct tf_json_fields *f, void *user)
{
    struct search *search = user;
    struct tf_claims *out = &search->claims;

    tf_json_constant(f, "tfaas", "claims.v1");
    tf_json_bytes(f, "nonce", out->nonce, sizeof(out->nonce));
    tf_json_bytes(f, "exporter", out->exporter, sizeof(out->exporter));
    tf_json_hex(f, "spki", out->spki, sizeof(out->spki));
    tf_json_hex(f, "domain", out->domain, sizeof(out->domain));
    tf_json_hex(f, "receipts", out->receipts, sizeof(out->receipts));
    tf_json_hex(f, "instance", out->instance, sizeof(out->instance));
    read_names(f, out);
    out->time = tf_json_integer(f, "time", 0, TF_TIME_MAX);
    bool is_good =
        read_group(f, out) &&
        read_revocations(tf_json_array(f, "revocations", 0, TF_GROUP_PUBLISHERS_MAX),
                         out) &&
        read_lambdas(tf_json_array(f, "lambdas", 0, TF_NAMED_MAX), search->lambda, out);
    f->bad |= !is_good;
}

tf_err tf_claims_parse(const char *text, size_t size, const char *lambda,
                       struct tf_claims *out)
{
    struct search search = {.lambda = lambda};

    if (size > TF_CLAIMS_MAX ||
        tf_json_read(text, size, read_claims, &search, TF_EEVIDENCE_FORMAT) != TF_OK) {
        return TF_EEVIDENCE_FORMAT;
    }
    *out = search.claims;
    return TF_OK;
}
