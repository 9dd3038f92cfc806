/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/file.h"
#include "client/report.h"
#include "lib/json.h"
#include "lib/names.h"

enum {
    CONFIG_MAX = 256 << 10,
    LEASE_MIN = 3,
    LEASE_MAX = 7 * 86400,     /* doc/formats.md, Lease */
    REQUESTS_A_SECOND = 20000, /* of a lease, by default; visits renew it after a third */
    CERTIFICATE_MIN = 30,
    CERTIFICATE_MAX = 825 * 86400,
    COMMAND_SECONDS = 120,
    COMMAND_SECONDS_MAX = 3600,
    AGE_SECONDS = 86400,
    AGE_SECONDS_MAX = 365 * 86400,
    MACHINE_MAX = 255
};

/* Says which part is wrong; false so that checks chain. */
static bool wrong(const char *what)
{
    (void)tf_report(TF_ECONFIG, "%s", what);
    return false;
}

/* Optional string: NULL if the field is not there. */
static const char *text_or_null(struct tf_json_fields *f, const char *key)
{
    return tf_json_has(f, key) ? tf_json_string(f, key, 1, PATH_MAX) : NULL;
}

static bool read_names(struct tf_json_fields *f, struct tf_wanted *out)
{
    if (!tf_json_has(f, "names")) {
        return true;
    }
    const json_t *list = tf_json_array(f, "names", 1, TF_DOMAINS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = tf_json_string_at(list, i, 1, TF_DNS_MAX);
        if (name == NULL || !tf_dns_is_valid(name, strlen(name))) {
            return false;
        }
        out->names[out->name_count++] = name;
    }
    return list != NULL;
}

static bool is_digest(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool read_lambda(const json_t *object, struct tf_wanted *out)
{
    struct tf_json_fields f;

    tf_json_fields_init(&f, object);
    out->name = tf_json_string(&f, "name", 1, TF_NAME_MAX);
    bool is_good = read_names(&f, out);
    out->digest = text_or_null(&f, "digest");
    out->secrets = text_or_null(&f, "secrets");
    return tf_json_fields_end(&f) && is_good &&
           tf_name_is_valid(out->name, strlen(out->name)) &&
           (out->digest == NULL || is_digest(out->digest));
}

static bool is_named_before(const struct tf_config *config, const char *name)
{
    for (size_t i = 0; i < config->lambda_count; i++) {
        if (strcmp(config->lambdas[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_lambdas(struct tf_json_fields *f, struct tf_config *out)
{
    const json_t *list = tf_json_array(f, "lambdas", 1, TF_NAMED_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_wanted *lambda = &out->lambdas[out->lambda_count];
        if (!read_lambda(json_array_get(list, i), lambda)) {
            return wrong("`lambdas`: name, and optional names, digest and secrets");
        }
        if (is_named_before(out, lambda->name)) {
            return wrong("`lambdas`: a name is there twice");
        }
        out->lambda_count++;
    }
    return list != NULL || wrong("`lambdas`: 1 to 64 objects");
}

/* An array of at most `cap` strings. */
static bool read_strings(struct tf_json_fields *f, const char *key, const char **out,
                         size_t cap, size_t *count)
{
    const json_t *list = tf_json_array(f, key, 1, cap);

    for (size_t i = 0; i < json_array_size(list); i++) {
        out[i] = tf_json_string_at(list, i, 1, PATH_MAX);
        if (out[i] == NULL) {
            return false;
        }
    }
    *count = json_array_size(list);
    return list != NULL;
}

static bool read_machines(struct tf_json_fields *f, struct tf_config *out)
{
    if (!read_strings(f, "machines", out->machines, TF_CONFIG_MACHINES_MAX,
                      &out->machine_count)) {
        return wrong("`machines`: 1 to 64 strings HOST:PORT");
    }
    for (size_t i = 0; i < out->machine_count; i++) {
        const char *colon = strrchr(out->machines[i], ':');
        if (colon == NULL || colon == out->machines[i] || colon[1] == '\0' ||
            strlen(out->machines[i]) > MACHINE_MAX) {
            return wrong("`machines`: strings HOST:PORT");
        }
    }
    return true;
}

static bool read_command(struct tf_json_fields *f, struct tf_config *out)
{
    size_t count = 0;
    bool has_csr = false;

    if (!read_strings(f, "command", out->command, TF_CONFIG_COMMAND_MAX, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        has_csr = has_csr || strcmp(out->command[i], "{csr}") == 0;
    }
    out->command_seconds =
        tf_json_integer_or(f, "seconds", 1, COMMAND_SECONDS_MAX, COMMAND_SECONDS);
    return has_csr;
}

static bool read_issuer(const json_t *object, struct tf_config *out)
{
    struct tf_json_fields f;
    bool is_good = true;

    tf_json_fields_init(&f, object);
    const char *type = tf_json_string(&f, "type", 1, 16);
    if (type != NULL && strcmp(type, "ca") == 0) {
        out->ca_key = tf_json_string(&f, "key", 1, PATH_MAX);
        out->ca_certificate = tf_json_string(&f, "certificate", 1, PATH_MAX);
    } else {
        is_good = type != NULL && strcmp(type, "acme") == 0 && read_command(&f, out);
    }
    return (is_good && tf_json_fields_end(&f)) ||
           wrong("`issuer`: type `ca` with key and certificate, or `acme` with command"
                 " (of which one argument is {csr}) and optional seconds");
}

static bool read_collateral(const json_t *object, struct tf_config *out)
{
    struct tf_json_fields f;

    tf_json_fields_init(&f, object);
    out->collateral.file = text_or_null(&f, "file");
    out->collateral.service = text_or_null(&f, "service");
    out->collateral.cacert = text_or_null(&f, "cacert");
    out->collateral.cache = text_or_null(&f, "cache");
    out->collateral.max_age = (int64_t)tf_json_integer_or(&f, "max_age_seconds", 1,
                                                          AGE_SECONDS_MAX, AGE_SECONDS);
    return tf_json_fields_end(&f) ||
           wrong("`collateral`: optional file, service, cacert, cache, max_age_seconds");
}

/* The fields that are no lists or objects. `f` stays bad after the first that is wrong,
 * so that is the one to name. */
static bool read_plain(struct tf_json_fields *f, struct tf_config *out)
{
    out->policy = tf_json_string(f, "policy", 1, PATH_MAX);
    out->key = tf_json_string(f, "key", 1, PATH_MAX);
    out->log = tf_json_string(f, "log", 1, PATH_MAX);
    if (f->bad) {
        return wrong("`policy`, `key`, `log`: paths, all needed");
    }
    out->lease_seconds = tf_json_integer(f, "lease_seconds", LEASE_MIN, LEASE_MAX);
    if (f->bad) {
        return wrong("`lease_seconds`: a number from 3 to 604800");
    }
    out->certificate_seconds =
        tf_json_integer(f, "certificate_seconds", CERTIFICATE_MIN, CERTIFICATE_MAX);
    if (f->bad) {
        return wrong("`certificate_seconds`: a number from 30 to 71280000");
    }
    out->requests = tf_json_integer_or(f, "requests", 0, TF_JSON_INTEGER_MAX,
                                       out->lease_seconds * REQUESTS_A_SECOND);
    out->insecure_allow_simulated =
        tf_json_boolean_or(f, "insecure_allow_simulated", false);
    return !f->bad ||
           wrong("`requests`: a number; `insecure_allow_simulated`: a boolean");
}

static bool read_all(struct tf_json_fields *f, struct tf_config *out)
{
    bool is_good = read_plain(f, out) && read_machines(f, out) && read_lambdas(f, out) &&
                   read_issuer(tf_json_object(f, "issuer"), out);
    if (is_good && tf_json_has(f, "collateral")) {
        is_good = read_collateral(tf_json_object(f, "collateral"), out);
    }
    out->domain = text_or_null(f, "domain");
    if (is_good && tf_json_has(f, "revocations")) {
        is_good = (read_strings(f, "revocations", out->revocations, TF_CONFIG_LISTS_MAX,
                                &out->revocation_count) &&
                   out->domain != NULL) ||
                  wrong("`revocations`: 1 to 8 paths, and `domain`: the descriptor's");
    }
    return is_good &&
           (tf_json_fields_end(f) || wrong("an unknown field, or `domain` is no path"));
}

tf_err tf_config_parse(const char *text, size_t size, struct tf_config *out)
{
    struct tf_config config = {0};
    struct tf_json_fields f;
    tf_err err = tf_json_parse(text, size, &config.document);

    if (err == TF_ENOMEM) {
        return err;
    }
    if (err != TF_OK) {
        (void)tf_report(TF_ECONFIG, "not JSON, or a field is there twice");
        return TF_ECONFIG;
    }
    tf_json_fields_init(&f, config.document);
    if (!read_all(&f, &config)) {
        tf_config_wipe(&config);
        return TF_ECONFIG;
    }
    *out = config;
    return TF_OK;
}

tf_err tf_config_load(const char *path, struct tf_config *out)
{
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, CONFIG_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_config_parse((const char *)text, size, out);
    free(text);
    return err;
}

void tf_config_wipe(struct tf_config *config)
{
    json_decref(config->document);
    memset(config, 0, sizeof(*config));
}
