/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - the verbs `key` and `domain`: who signs, and whose code may share an enclave.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "abi/limits.h"
#include "cli/cli.h"
#include "client/keys.h"
#include "lib/bytes.h"
#include "lib/descriptor.h"
#include "lib/json.h"

static tf_err save_public(const char *path, EVP_PKEY *key)
{
    char name[PATH_MAX];
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    tf_err err = TF_EINTERNAL;

    if (snprintf(name, sizeof(name), "%s.pub", path) < (int)sizeof(name) && bio != NULL &&
        PEM_write_bio_PUBKEY(bio, key) == 1) {
        long size = BIO_get_mem_data(bio, &pem);
        err = tf_file_write(name, pem, (size_t)size, 0644);
    }
    (void)BIO_free(bio);
    return err;
}

static int print_keyid(const uint8_t *spki, size_t size, bool is_json)
{
    char keyid[2 * TF_SHA256_SIZE + 1];

    tf_keyid(spki, size, keyid);
    (void)printf(is_json ? "{\"keyid\":\"%s\"}\n" : "keyid %s\n", keyid);
    return TF_EXIT_OK;
}

static int make(const char *path, const char *algorithm, bool is_json)
{
    uint8_t spki[TF_SPKI_MAX];

    if (access(path, F_OK) == 0) {
        return tf_report(TF_EUSAGE, "%s exists; a key is not overwritten", path);
    }
    EVP_PKEY *key = tf_key_make(algorithm);
    if (key == NULL) {
        return TF_EXIT_USAGE;
    }
    bool is_saved = tf_key_save(path, key) == TF_OK && save_public(path, key) == TF_OK;
    size_t size = tf_key_spki(key, spki);
    EVP_PKEY_free(key);
    return is_saved ? print_keyid(spki, size, is_json) : TF_EXIT_USAGE;
}

static bool is_public(const char *path)
{
    size_t size = strlen(path);

    return size > 4 && strcmp(path + size - 4, ".pub") == 0;
}

/* Of either half: whose key is to be revoked may be somebody else's. */
static int show(const char *path, bool is_json)
{
    uint8_t spki[TF_SPKI_MAX];
    size_t size = 0;

    if (is_public(path)) {
        if (tf_spki_load(path, spki, &size) != TF_OK) {
            return TF_EXIT_USAGE;
        }
        return print_keyid(spki, size, is_json);
    }
    EVP_PKEY *key = tf_key_load(path);
    if (key == NULL) {
        return TF_EXIT_USAGE;
    }
    size = tf_key_spki(key, spki);
    EVP_PKEY_free(key);
    return print_keyid(spki, size, is_json);
}

int tf_cmd_key(int argc, char **argv)
{
    const char *algorithm = "ed25519";
    const char *operands[2];
    bool is_json = false;
    const struct tf_option options[] = {
        TF_TEXT("alg", &algorithm), TF_FLAG("json", &is_json), {0}};

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(operands[0], "new") == 0) {
        return make(operands[1], algorithm, is_json);
    }
    if (strcmp(operands[0], "show") != 0) {
        return tf_report(TF_EUSAGE, "key new or key show, not `%s`", operands[0]);
    }
    return show(operands[1], is_json);
}

static tf_err write_keys(struct tf_json_writer *w, const char *field,
                         const struct tf_list *paths)
{
    tf_json_open_array(w, field);
    for (size_t i = 0; i < paths->count; i++) {
        uint8_t spki[TF_SPKI_MAX];
        size_t spki_size = 0;
        tf_err err = tf_spki_load(paths->items[i], spki, &spki_size);
        if (err != TF_OK) {
            return err;
        }
        tf_json_put_base64(w, NULL, spki, spki_size);
    }
    tf_json_close_array(w);
    return TF_OK;
}

/* What `domain` was asked for. */
struct domain {
    const char *name;
    struct tf_list publishers;
    struct tf_list attesters;
    bool is_shared;
    struct tf_list members; /* of a group; the rest is not for groups */
};

static tf_err write_descriptor(const struct domain *domain, char *text, size_t cap,
                               size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "domain.v1");
    tf_json_put_string(&w, "name", domain->name);
    tf_err err = write_keys(&w, "publishers", &domain->publishers);
    if (err == TF_OK && domain->attesters.count > 0) {
        err = write_keys(&w, "attesters", &domain->attesters);
    }
    if (domain->is_shared) {
        tf_json_put_string(&w, "sharing", "shared");
    }
    tf_json_close_object(&w);
    return err == TF_OK ? tf_json_take(&w, size) : err;
}

static tf_err write_group(const struct tf_list *members, char *text, size_t cap,
                          size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "domain-group.v1");
    tf_json_open_array(&w, "members");
    for (size_t i = 0; i < members->count; i++) {
        uint8_t *member = NULL;
        size_t member_size = 0;
        tf_err err =
            tf_file_read(members->items[i], TF_DESCRIPTOR_MAX, &member, &member_size);
        if (err != TF_OK) {
            return err;
        }
        tf_json_put_base64(&w, NULL, member, member_size);
        free(member);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

/* Only what the verb needs: an option that it would not look at is a mistake. */
static bool is_complete(const struct domain *d, const char *verb, bool is_group)
{
    bool has_own = d->name != NULL || d->publishers.count > 0;

    if (is_group) {
        return d->members.count > 1 && !has_own && d->attesters.count == 0 &&
               !d->is_shared;
    }
    return strcmp(verb, "new") == 0 && d->name != NULL && d->publishers.count > 0 &&
           d->members.count == 0;
}

static int report_bad(tf_err err, bool is_group)
{
    if (is_group) {
        return tf_report(err,
                         "2 to %d members, each with \"sharing\":\"shared\", at most %d"
                         " publishers and %d attesters together, no key twice",
                         TF_MEMBERS_MAX, TF_GROUP_PUBLISHERS_MAX, TF_GROUP_ATTESTERS_MAX);
    }
    return tf_report(err,
                     "--name is a DNS label, at most %d publishers and %d"
                     " attesters, no key twice",
                     TF_PUBLISHERS_MAX, TF_ATTESTERS_MAX);
}

int tf_cmd_domain(int argc, char **argv)
{
    struct domain domain = {0};
    const char *out = NULL;
    const char *operands[1];
    const struct tf_option options[] = {TF_TEXT("name", &domain.name),
                                        TF_TEXT("out", &out),
                                        TF_LIST("publisher", &domain.publishers),
                                        TF_LIST("attester", &domain.attesters),
                                        TF_FLAG("shared", &domain.is_shared),
                                        TF_LIST("member", &domain.members),
                                        {0}};
    char text[TF_DESCRIPTOR_MAX];
    char hex[2 * TF_SHA256_SIZE + 1];
    struct tf_descriptor descriptor;
    size_t size = 0;

    if (!tf_options(argc, argv, options, operands, 1)) {
        return TF_EXIT_USAGE;
    }
    bool is_group = strcmp(operands[0], "group") == 0;
    if (!is_complete(&domain, operands[0], is_group) || out == NULL) {
        return tf_report(TF_EUSAGE,
                         "domain new wants --name, --publisher and --out; "
                         "domain group wants --member twice or more and --out");
    }
    tf_err err = is_group ? write_group(&domain.members, text, sizeof(text), &size)
                          : write_descriptor(&domain, text, sizeof(text), &size);
    if (err != TF_OK && err != TF_ELIMIT) {
        return TF_EXIT_USAGE; /* said already: a file */
    }
    err = err == TF_OK ? tf_descriptor_parse(text, size, &descriptor) : err;
    if (err != TF_OK) {
        return report_bad(err, is_group);
    }
    if (tf_file_write(out, text, size, 0644) != TF_OK) {
        return TF_EXIT_USAGE;
    }
    tf_hex_write(descriptor.sha256, TF_SHA256_SIZE, hex);
    (void)printf("domain %s\n", hex);
    return TF_EXIT_OK;
}
