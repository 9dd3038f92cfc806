/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_sign.c - `tfaas image sign`: a SIGSTRUCT, signed with a key in a file, or in two
 * steps with a key that does not leave its HSM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/image.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/rsa3.h"
#include "lib/sigstruct.h"

/* BCD yyyymmdd: the digits read as hexadecimal. NULL: today. False if it is no date. */
static bool parse_date(const char *text, uint32_t *out)
{
    char today[9];
    time_t now = time(NULL);
    struct tm tm;

    if (text == NULL) {
        if (gmtime_r(&now, &tm) == NULL ||
            strftime(today, sizeof(today), "%Y%m%d", &tm) != 8) {
            return false;
        }
        text = today;
    }
    if (strlen(text) != 8 || strspn(text, "0123456789") != 8) {
        return false;
    }
    *out = (uint32_t)strtoul(text, NULL, 16);
    uint32_t month = *out >> 8 & 0xff;
    uint32_t day = *out & 0xff;
    return month >= 0x01 && month <= 0x12 && day >= 0x01 && day <= 0x31;
}

/* 16 bytes in hex; NULL leaves zeros. */
static bool parse_id(const char *text, uint8_t out[static 16])
{
    return text == NULL || tf_hex_parse(text, strlen(text), out, 16) == TF_OK;
}

static int parse_identity(const struct tf_image_options *options,
                          struct tf_sigstruct_identity *out)
{
    memset(out, 0, sizeof(*out));
    if (options->prod_id > UINT16_MAX || options->svn > UINT16_MAX || options->svn == 0) {
        return tf_report(TF_EUSAGE, "--prodid is 0 to 65535, --svn 1 to 65535");
    }
    if (!parse_date(options->date, &out->date)) {
        return tf_report(TF_EUSAGE, "--date is YYYYMMDD");
    }
    if (!parse_id(options->ext_prod_id, out->ext_prod_id) ||
        !parse_id(options->family_id, out->family_id)) {
        return tf_report(TF_EUSAGE, "--extprodid and --familyid are 32 hex digits");
    }
    out->prod_id = (uint16_t)options->prod_id;
    out->svn = (uint16_t)options->svn;
    out->insecure_debug = options->insecure_debug;
    return TF_EXIT_OK;
}

/* Which of the three forms it is: each has options of its own. */
static int check_form(const struct tf_image_options *o)
{
    bool is_attaching = o->signature != NULL || o->pubkey != NULL;

    if ((o->key != NULL) + (o->data_out != NULL) + is_attaching > 1) {
        return tf_report(TF_EUSAGE,
                         "--key, --data-out and --signature exclude each other");
    }
    if (o->data_out != NULL) {
        return o->out == NULL ? TF_EXIT_OK
                              : tf_report(TF_EUSAGE, "--data-out makes no --out");
    }
    if (is_attaching && (o->signature == NULL || o->pubkey == NULL)) {
        return tf_missing("image", o->signature == NULL ? "signature" : "pubkey");
    }
    if (is_attaching && o->date == NULL) {
        return tf_report(TF_EUSAGE, "--signature needs the --date of what was signed");
    }
    if (!is_attaching && o->key == NULL) {
        return tf_missing("image", "key");
    }
    return o->out == NULL ? tf_missing("image", "out") : TF_EXIT_OK;
}

static void put_numbers(struct sgx_sigstruct *sig, const struct tf_rsa3_signature *rsa)
{
    memcpy(sig->modulus, rsa->modulus, sizeof(sig->modulus));
    memcpy(sig->signature, rsa->signature, sizeof(sig->signature));
    memcpy(sig->q1, rsa->q1, sizeof(sig->q1));
    memcpy(sig->q2, rsa->q2, sizeof(sig->q2));
}

/* Signs with the key in the file. @return TF_OK, or an error after a message. */
static tf_err sign_with(const char *key_path, struct sgx_sigstruct *sig)
{
    uint8_t *pem = NULL;
    size_t size = 0;
    uint8_t message[TF_SIGSTRUCT_SIGNED];
    struct tf_rsa3_signature rsa;

    tf_err err = tf_file_read(key_path, TF_RSA3_PEM_MAX, &pem, &size);
    if (err != TF_OK) {
        return err;
    }
    tf_sigstruct_message(sig, message);
    err = tf_rsa3_sign((const char *)pem, size, message, sizeof(message), &rsa);
    tf_wipe(pem, size);
    free(pem);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", key_path);
        return err;
    }
    put_numbers(sig, &rsa);
    return TF_OK;
}

static tf_err attach_bytes(const struct tf_image_options *options, const uint8_t *made,
                           size_t made_size, struct sgx_sigstruct *sig)
{
    uint8_t *pem = NULL;
    size_t size = 0;
    uint8_t message[TF_SIGSTRUCT_SIGNED];
    struct tf_rsa3_signature rsa;

    tf_err err = tf_file_read(options->pubkey, TF_RSA3_PEM_MAX, &pem, &size);
    if (err != TF_OK) {
        return err;
    }
    tf_sigstruct_message(sig, message);
    err = made_size == TF_RSA3_SIZE ? tf_rsa3_attach((const char *)pem, size, message,
                                                     sizeof(message), made, &rsa)
                                    : TF_EIMAGE_SIGNATURE;
    free(pem);
    if (err != TF_OK) {
        (void)tf_report(err, "%s with %s: not over this image with these options",
                        options->signature, options->pubkey);
        return err;
    }
    put_numbers(sig, &rsa);
    return TF_OK;
}

/* Attaches a signature made elsewhere. @return TF_OK, or an error after a message. */
static tf_err attach(const struct tf_image_options *options, struct sgx_sigstruct *sig)
{
    uint8_t *made = NULL;
    size_t size = 0;

    tf_err err = tf_file_read(options->signature, TF_RSA3_PEM_MAX, &made, &size);
    if (err == TF_OK) {
        err = attach_bytes(options, made, size, sig);
    }
    free(made);
    return err;
}

static tf_err write_data(const struct tf_image_options *options,
                         const struct sgx_sigstruct *sig)
{
    uint8_t message[TF_SIGSTRUCT_SIGNED];

    tf_sigstruct_message(sig, message);
    (void)printf("date      %08x\n", sig->date);
    return tf_file_write(options->data_out, message, sizeof(message), 0644);
}

static tf_err finish(const struct tf_image_options *options, struct sgx_sigstruct *sig)
{
    if (options->data_out != NULL) {
        return write_data(options, sig);
    }
    tf_err err =
        options->key != NULL ? sign_with(options->key, sig) : attach(options, sig);
    return err == TF_OK ? tf_file_write(options->out, sig, sizeof(*sig), 0644) : err;
}

int tf_image_sign(const char *path, const struct tf_image_options *options)
{
    struct tf_sigstruct_identity identity;
    struct tf_image_measured m;
    struct sgx_sigstruct sig;
    char mrenclave[65];

    int status = check_form(options);
    if (status == TF_EXIT_OK) {
        status = parse_identity(options, &identity);
    }
    if (status != TF_EXIT_OK) {
        return status;
    }
    tf_err err = tf_image_measure_file(path, &m);
    if (err == TF_OK) {
        memcpy(identity.mrenclave, m.mrenclave, sizeof(m.mrenclave));
        tf_sigstruct_init(&sig, &m.secs, &identity);
        err = finish(options, &sig);
    }
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_hex_write(m.mrenclave, sizeof(m.mrenclave), mrenclave);
    (void)printf("mrenclave %s\n", mrenclave);
    return TF_EXIT_OK;
}
