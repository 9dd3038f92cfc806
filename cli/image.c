/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the verb `image`: make the signer's key, measure, sign and show enclave
 * images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/rsa3.h"
#include "lib/sigstruct.h"

enum { IMAGE_MAX = 256 << 20, TEXT_MAX = 2048 };

static const char HELP[] =
    "tfaas image key FILE                    make a signer's key (RSA-3072, e = 3)\n"
    "tfaas image measure IMAGE [--json]      print the MRENCLAVE of an image\n"
    "tfaas image sign IMAGE --key FILE --out FILE.sig [--prodid N] [--svn N]\n"
    "                 [--date YYYYMMDD]      write the image's SIGSTRUCT\n"
    "tfaas image show FILE.sig [--json]      check a SIGSTRUCT and print what it says\n";

struct options {
    const char *key;
    const char *out;
    const char *date;
    uint64_t prod_id;
    uint64_t svn;
    bool is_json;
};

struct measured {
    struct sgx_secs secs;
    struct tf_layout layout;
    uint8_t mrenclave[32];
};

static int make_key(const char *path, const struct options *options)
{
    char pem[TF_RSA3_PEM_MAX];
    size_t size = 0;

    (void)options;
    if (access(path, F_OK) == 0) {
        return tf_report(TF_EUSAGE, "%s exists; a key is not overwritten", path);
    }
    tf_err err = tf_rsa3_keygen(pem, &size);
    if (err != TF_OK) {
        return tf_report(err, "no RSA key");
    }
    err = tf_file_write(path, pem, size, 0600);
    tf_wipe(pem, sizeof(pem));
    return err == TF_OK ? TF_EXIT_OK : TF_EXIT_USAGE;
}

/* @return TF_OK, or an error after a message. */
static tf_err measure_file(const char *path, struct measured *out)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct tf_image image;

    tf_err err = tf_file_read(path, IMAGE_MAX, &bytes, &size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_image_open(bytes, size, &image);
    if (err == TF_OK) {
        out->layout = image.layout;
        tf_image_secs(&image, &out->secs);
        err = tf_image_measure(&image, out->mrenclave);
    }
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
    }
    free(bytes);
    return err;
}

static int print_json(struct tf_json_writer *w, const char *text)
{
    size_t size = 0;
    tf_err err = tf_json_take(w, &size);

    if (err != TF_OK) {
        return tf_report(err, "JSON");
    }
    (void)printf("%.*s\n", (int)size, text);
    return TF_EXIT_OK;
}

static int measure(const char *path, const struct options *options)
{
    struct measured m;
    char mrenclave[65];
    char text[TEXT_MAX];
    struct tf_json_writer w;

    tf_err err = measure_file(path, &m);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_hex_write(m.mrenclave, sizeof(m.mrenclave), mrenclave);
    if (!options->is_json) {
        (void)printf("mrenclave %s\nengine    %s\nthreads   %u\nelrange   %llu\n",
                     mrenclave, m.layout.engine, m.layout.threads,
                     (unsigned long long)m.layout.elrange);
        return TF_EXIT_OK;
    }
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "mrenclave", mrenclave);
    tf_json_put_string(&w, "engine", m.layout.engine);
    tf_json_put_integer(&w, "threads", m.layout.threads);
    tf_json_put_integer(&w, "elrange", m.layout.elrange);
    tf_json_close_object(&w);
    return print_json(&w, text);
}

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

static int parse_identity(const struct options *options,
                          struct tf_sigstruct_identity *out)
{
    if (options->key == NULL || options->out == NULL) {
        return tf_missing("image", options->key == NULL ? "key" : "out");
    }
    if (options->prod_id > UINT16_MAX || options->svn > UINT16_MAX || options->svn == 0) {
        return tf_report(TF_EUSAGE, "--prodid is 0 to 65535, --svn 1 to 65535");
    }
    if (!parse_date(options->date, &out->date)) {
        return tf_report(TF_EUSAGE, "--date is YYYYMMDD");
    }
    out->prod_id = (uint16_t)options->prod_id;
    out->svn = (uint16_t)options->svn;
    return TF_EXIT_OK;
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
    memcpy(sig->modulus, rsa.modulus, sizeof(sig->modulus));
    memcpy(sig->signature, rsa.signature, sizeof(sig->signature));
    memcpy(sig->q1, rsa.q1, sizeof(sig->q1));
    memcpy(sig->q2, rsa.q2, sizeof(sig->q2));
    return TF_OK;
}

static int sign(const char *path, const struct options *options)
{
    struct tf_sigstruct_identity identity;
    struct measured m;
    struct sgx_sigstruct sig;
    char mrenclave[65];

    int status = parse_identity(options, &identity);
    if (status != TF_EXIT_OK) {
        return status;
    }
    tf_err err = measure_file(path, &m);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    memcpy(identity.mrenclave, m.mrenclave, sizeof(m.mrenclave));
    tf_sigstruct_init(&sig, &m.secs, &identity);
    err = sign_with(options->key, &sig);
    if (err == TF_OK) {
        err = tf_file_write(options->out, &sig, sizeof(sig), 0644);
    }
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_hex_write(m.mrenclave, sizeof(m.mrenclave), mrenclave);
    (void)printf("mrenclave %s\n", mrenclave);
    return TF_EXIT_OK;
}

static tf_err read_sigstruct(const char *path, struct sgx_sigstruct *out)
{
    uint8_t *bytes = NULL;
    size_t size = 0;

    tf_err err = tf_file_read(path, sizeof(*out), &bytes, &size);
    if (err != TF_OK) {
        return err;
    }
    if (size == sizeof(*out)) {
        memcpy(out, bytes, sizeof(*out));
    } else {
        err = TF_EIMAGE_SIGNATURE;
        (void)tf_report(err, "%s has %zu bytes, a SIGSTRUCT has %zu", path, size,
                        sizeof(*out));
    }
    free(bytes);
    return err;
}

/* Whether EINIT would take it for the enclave that it names. */
static bool is_sound(const struct sgx_sigstruct *sig)
{
    struct sgx_secs secs = {.attributes = sig->attributes, .miscselect = sig->miscselect};

    memcpy(secs.mrenclave, sig->enclave_hash, sizeof(secs.mrenclave));
    return tf_sigstruct_einit(sig, &secs) == SGX_SUCCESS;
}

static int show_json(const struct sgx_sigstruct *sig, const char *mrenclave,
                     const char *mrsigner)
{
    char text[TEXT_MAX];
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "mrenclave", mrenclave);
    tf_json_put_string(&w, "mrsigner", mrsigner);
    tf_json_put_integer(&w, "prodid", sig->isv_prod_id);
    tf_json_put_integer(&w, "svn", sig->isv_svn);
    tf_json_put_boolean(&w, "debug", (sig->attributes.flags & SGX_FLAGS_DEBUG) != 0);
    tf_json_close_object(&w);
    return print_json(&w, text);
}

static int show(const char *path, const struct options *options)
{
    struct sgx_sigstruct sig;
    uint8_t signer[32];
    char mrenclave[65];
    char mrsigner[65];

    tf_err err = read_sigstruct(path, &sig);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    if (!is_sound(&sig)) {
        return tf_report(TF_EIMAGE_SIGNATURE, "%s", path);
    }
    tf_sigstruct_mrsigner(&sig, signer);
    tf_hex_write(signer, sizeof(signer), mrsigner);
    tf_hex_write(sig.enclave_hash, sizeof(sig.enclave_hash), mrenclave);
    if (options->is_json) {
        return show_json(&sig, mrenclave, mrsigner);
    }
    (void)printf("mrenclave  %s\nmrsigner   %s\nprodid     %u\nsvn        %u\n",
                 mrenclave, mrsigner, sig.isv_prod_id, sig.isv_svn);
    (void)printf("date       %08x\nattributes %016llx mask %016llx\n", sig.date,
                 (unsigned long long)sig.attributes.flags,
                 (unsigned long long)sig.attribute_mask.flags);
    (void)printf("xfrm       %016llx mask %016llx\nsignature  good\n",
                 (unsigned long long)sig.attributes.xfrm,
                 (unsigned long long)sig.attribute_mask.xfrm);
    return TF_EXIT_OK;
}

int tf_cmd_image(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const char *path, const struct options *options);
    } actions[] = {
        {"key", make_key}, {"measure", measure}, {"sign", sign}, {"show", show}};
    struct options o = {.svn = 1};
    const struct tf_option options[] = {TF_TEXT("key", &o.key),
                                        TF_TEXT("out", &o.out),
                                        TF_TEXT("date", &o.date),
                                        TF_NUMBER("prodid", &o.prod_id),
                                        TF_NUMBER("svn", &o.svn),
                                        TF_FLAG("json", &o.is_json),
                                        {0}};
    const char *operands[2];

    if (argc == 2 && strcmp(argv[1], "help") == 0) {
        (void)fputs(HELP, stdout);
        return TF_EXIT_OK;
    }
    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(operands[0], actions[i].name) == 0) {
            return actions[i].run(operands[1], &o);
        }
    }
    return tf_report(TF_EUSAGE, "image has no `%s`; see `tfaas image help`", operands[0]);
}
