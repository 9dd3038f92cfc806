/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c - the verb `ca`: makes a publisher's small certificate authority. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "cli/cli.h"
#include "client/cert.h"
#include "client/keys.h"

static tf_err save_ca(const char *prefix, EVP_PKEY *key, X509 *cert)
{
    char path[PATH_MAX];
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    tf_err err = TF_EINTERNAL;

    (void)snprintf(path, sizeof(path), "%s.key", prefix);
    if (access(path, F_OK) == 0) {
        (void)tf_report(TF_EUSAGE, "%s exists; a key is not overwritten", path);
        err = TF_EUSAGE;
    } else if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1) {
        long size = BIO_get_mem_data(bio, &pem);
        err = tf_key_save(path, key);
        (void)snprintf(path, sizeof(path), "%s.pem", prefix);
        if (err == TF_OK) {
            err = tf_file_write(path, pem, (size_t)size, 0644);
        }
    }
    (void)BIO_free(bio);
    return err;
}

int tf_cmd_ca(int argc, char **argv)
{
    const char *verb = NULL;
    const char *name = NULL;
    const char *out = NULL;
    const struct tf_option options[] = {
        TF_TEXT("name", &name), TF_TEXT("out", &out), {0}};

    if (!tf_options(argc, argv, options, &verb, 1)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(verb, "new") != 0 || name == NULL || out == NULL) {
        return tf_report(TF_EUSAGE, "ca new wants --name and --out");
    }
    EVP_PKEY *key = tf_key_make("p256");
    X509 *cert = key == NULL ? NULL : tf_cert_make_ca(name, key);
    tf_err err = cert == NULL ? TF_EINTERNAL : save_ca(out, key, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (err != TF_OK) {
        return TF_EXIT_USAGE;
    }
    (void)printf("made %s.key and %s.pem\n", out, out);
    return TF_EXIT_OK;
}
