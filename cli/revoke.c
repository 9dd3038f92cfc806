/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke.c - the verb `revoke`: writes and signs a revocation list, and hands it to a
 * host. A list takes the place of the publisher's last one, so --from starts with what
 * that one said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "client/keys.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/revocations.h"

struct options {
    const char *key;
    const char *from;
    const char *list; /* hand this one in, unchanged */
    const char *out;
    const char *domain;
    const char *host;
    struct tf_list digests;
    struct tf_list versions;
    struct tf_list signers;
    uint64_t serial;
};

/* Reads what an earlier list said; who signed it does not matter here. */
static tf_err read_list(const char *path, struct tf_revocations *out)
{
    const struct tf_dsse_rule rule = {.type = TF_DSSE_REVOCATIONS,
                                      .payload_max = TF_REVOCATIONS_MAX,
                                      .too_large = TF_EREVOCATION_FORMAT};
    static uint8_t scratch[TF_REVOCATIONS_SCRATCH];
    uint8_t *text = NULL;
    size_t size = 0;
    struct tf_dsse dsse;

    tf_err err = tf_file_read(path, TF_REVOCATIONS_ENVELOPE_MAX, &text, &size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_dsse_open((const char *)text, size, &rule, scratch, &dsse);
    if (err == TF_OK) {
        err = tf_revocations_parse((const char *)dsse.payload, dsse.payload_size, out);
    }
    if (err != TF_OK) {
        err = TF_EREVOCATION_FORMAT;
        (void)tf_report(err, "%s", path);
    }
    free(text);
    return err;
}

/* Whether there is room for `more` after `count`. */
static bool has_room(uint64_t count, size_t more, size_t max, const char *what)
{
    if (count + more > max) {
        (void)tf_report(TF_ELIMIT, "a list holds at most %zu %s", max, what);
        return false;
    }
    return true;
}

static bool add_digests(const struct tf_list *digests, struct tf_revocations *list)
{
    if (!has_room(list->digest_count, digests->count, TF_REVOKED_DIGESTS_MAX,
                  "digests")) {
        return false;
    }
    for (size_t i = 0; i < digests->count; i++) {
        const char *text = digests->items[i];
        if (tf_hex_parse(text, strlen(text), list->digests[list->digest_count],
                         TF_SHA256_SIZE) != TF_OK) {
            (void)tf_report(TF_EUSAGE, "`%s` is no digest: 64 hex digits, lower case",
                            text);
            return false;
        }
        list->digest_count++;
    }
    return true;
}

/* NAME=N */
static bool parse_version(const char *text, struct tf_revoked_version *out)
{
    const char *mark = strchr(text, '=');
    size_t size = mark == NULL ? 0 : (size_t)(mark - text);
    char *end = NULL;

    if (mark == NULL || !tf_name_is_valid(text, size) || mark[1] < '0' || mark[1] > '9') {
        return false;
    }
    unsigned long long below = strtoull(mark + 1, &end, 10);
    if (*end != '\0' || below < 1 || below > TF_JSON_INTEGER_MAX) {
        return false;
    }
    memcpy(out->name, text, size);
    out->below = below;
    return true;
}

static bool add_versions(const struct tf_list *versions, struct tf_revocations *list)
{
    if (!has_room(list->version_count, versions->count, TF_REVOKED_VERSIONS_MAX,
                  "versions")) {
        return false;
    }
    for (size_t i = 0; i < versions->count; i++) {
        if (!parse_version(versions->items[i], &list->versions[list->version_count])) {
            (void)tf_report(TF_EUSAGE, "--below is NAME=N, not `%s`", versions->items[i]);
            return false;
        }
        list->version_count++;
    }
    return true;
}

static bool add_signers(const struct tf_list *signers, struct tf_revocations *list)
{
    if (!has_room(list->signer_count, signers->count, TF_REVOKED_SIGNERS_MAX, "keys")) {
        return false;
    }
    for (size_t i = 0; i < signers->count; i++) {
        const char *text = signers->items[i];
        uint8_t hash[TF_SHA256_SIZE];
        if (tf_hex_parse(text, strlen(text), hash, sizeof(hash)) != TF_OK) {
            (void)tf_report(TF_EUSAGE, "`%s` is no key's id; `tfaas key show` prints it",
                            text);
            return false;
        }
        memcpy(list->signers[list->signer_count], text, TF_KEYID_SIZE + 1);
        list->signer_count++;
    }
    return true;
}

/* The new list's content. */
static tf_err fill(const struct options *o, struct tf_revocations *list)
{
    memset(list, 0, sizeof(*list));
    tf_err err = o->from == NULL ? TF_OK : read_list(o->from, list);
    if (err != TF_OK) {
        return err;
    }
    if (o->from != NULL && o->serial <= list->serial) {
        (void)tf_report(TF_EUSAGE, "--serial must be more than that of %s, %llu", o->from,
                        (unsigned long long)list->serial);
        return TF_EUSAGE;
    }
    list->serial = o->serial;
    return add_digests(&o->digests, list) && add_versions(&o->versions, list) &&
                   add_signers(&o->signers, list)
               ? TF_OK
               : TF_EUSAGE;
}

/* @param out  owned by the caller: free. */
static tf_err make(const struct options *o, char **out, size_t *size)
{
    static struct tf_revocations list;
    static char text[TF_REVOCATIONS_MAX + 1];
    size_t text_size = 0;

    EVP_PKEY *key = tf_key_load(o->key);
    if (key == NULL) {
        return TF_EUSAGE;
    }
    tf_err err = fill(o, &list);
    if (err == TF_OK) {
        err = tf_revocations_write(&list, text, sizeof(text), &text_size);
    }
    if (err == TF_OK) {
        err = tf_envelope_make(key, TF_DSSE_REVOCATIONS, text, text_size, out, size);
    }
    EVP_PKEY_free(key);
    return err;
}

/* What no enclave of the domain would accept does not leave this machine. */
static tf_err check(const struct tf_descriptor *domain, const char *text, size_t size)
{
    static struct tf_revocations list;
    static uint8_t scratch[TF_REVOCATIONS_SCRATCH];
    size_t signer = 0;

    tf_err err = tf_revocations_open(text, size, domain, scratch, &list, &signer);
    if (err != TF_OK) {
        (void)tf_report(err, "nothing was handed in");
    }
    return err;
}

static void print_answer(const json_t *answer)
{
    const json_t *dropped = json_object_get(answer, "dropped");

    (void)printf("in force: serial %" JSON_INTEGER_FORMAT "\n",
                 json_integer_value(json_object_get(answer, "serial")));
    for (size_t i = 0; i < json_array_size(dropped); i++) {
        (void)printf("stopped %s\n", json_string_value(json_array_get(dropped, i)));
    }
}

static tf_err hand_in(const struct options *o, const char *text, size_t size)
{
    struct tf_descriptor domain;
    char hex[2 * TF_SHA256_SIZE + 1];
    char resource[128];
    json_t *answer = NULL;

    tf_err err = tf_descriptor_load(o->domain, &domain);
    if (err == TF_OK) {
        err = check(&domain, text, size);
    }
    if (err != TF_OK) {
        return err;
    }
    tf_hex_write(domain.sha256, TF_SHA256_SIZE, hex);
    (void)snprintf(resource, sizeof(resource), "/v1/domains/%s/revocations", hex);
    struct tf_admin_request request = {.socket = o->host,
                                       .method = "PUT",
                                       .path = resource,
                                       .body = text,
                                       .body_size = size};
    err = tf_admin_call(&request, &answer);
    if (err == TF_OK) {
        print_answer(answer);
    }
    json_decref(answer);
    return err == TF_EUSAGE ? TF_EREVOCATION_FORMAT : err; /* the host refused it */
}

static tf_err revoke(const struct options *o)
{
    char *text = NULL;
    size_t size = 0;
    tf_err err = TF_OK;

    if (o->list != NULL) {
        err =
            tf_file_read(o->list, TF_REVOCATIONS_ENVELOPE_MAX, (uint8_t **)&text, &size);
    } else {
        err = make(o, &text, &size);
    }
    if (err == TF_OK && o->out != NULL) {
        err = tf_file_write(o->out, text, size, 0644);
    }
    if (err == TF_OK && o->out != NULL) {
        (void)printf("wrote %s\n", o->out);
    }
    if (err == TF_OK && o->domain != NULL) {
        err = hand_in(o, text, size);
    }
    free(text);
    return err;
}

int tf_cmd_revoke(int argc, char **argv)
{
    struct options o = {.host = tf_default_host()};
    const struct tf_option options[] = {TF_TEXT("key", &o.key),
                                        TF_NUMBER("serial", &o.serial),
                                        TF_TEXT("from", &o.from),
                                        TF_LIST("digest", &o.digests),
                                        TF_LIST("below", &o.versions),
                                        TF_LIST("signer", &o.signers),
                                        TF_TEXT("list", &o.list),
                                        TF_TEXT("out", &o.out),
                                        TF_TEXT("domain", &o.domain),
                                        TF_TEXT("host", &o.host),
                                        {0}};

    if (!tf_options(argc, argv, options, NULL, 0)) {
        return TF_EXIT_USAGE;
    }
    if ((o.key == NULL) == (o.list == NULL)) {
        return tf_report(TF_EUSAGE, "either --key, which signs a new list, or --list");
    }
    if (o.key != NULL && (o.serial < 1 || o.serial > TF_JSON_INTEGER_MAX)) {
        return tf_missing("revoke", "serial");
    }
    if (o.domain == NULL && (o.out == NULL || o.list != NULL)) {
        return tf_missing("revoke", o.list != NULL ? "domain" : "out");
    }
    return tf_exit(revoke(&o));
}
