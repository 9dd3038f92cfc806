/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the verb `image`: make the signer's key, measure and show enclave images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/image.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/lvi.h"
#include "lib/rsa3.h"
#include "lib/sigstruct.h"

enum { IMAGE_MAX = 256 << 20, TEXT_MAX = 2048 };

static const char HELP[] =
    "tfaas image key FILE                    make a signer's key (RSA-3072, e = 3)\n"
    "tfaas image measure IMAGE [--json]      print the MRENCLAVE of an image, or the\n"
    "                                        measurement of a native runtime's folder\n"
    "tfaas image sign IMAGE --key FILE --out FILE.sig [IDENTITY]\n"
    "                                        write the image's SIGSTRUCT\n"
    "tfaas image sign IMAGE --data-out FILE [IDENTITY]\n"
    "                                        write the 256 bytes that a key elsewhere "
    "signs\n"
    "                                        (RSASSA-PKCS1-v1_5, SHA-256)\n"
    "tfaas image sign IMAGE --signature FILE --pubkey FILE.pem --out FILE.sig IDENTITY\n"
    "                                        attach the signature that it made\n"
    "  IDENTITY: [--prodid N] [--svn N, at least 1] [--date YYYYMMDD] [--extprodid HEX]\n"
    "            [--familyid HEX]: the last two 16 bytes each, for KSS; the same in "
    "both\n"
    "            steps; [--insecure-debug]: a debugger may read the enclave\n"
    "tfaas image show FILE.sig [--json]      check a SIGSTRUCT and print what it says;\n"
    "                                        of an image, print what measure does\n";

static int make_key(const char *path, const struct tf_image_options *options)
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

tf_err tf_image_measure_file(const char *path, struct tf_image_measured *out)
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

/* A native runtime is a folder; what there is to say is its measurement. */
static int measure_runtime(const char *folder, const struct tf_image_options *options)
{
    uint8_t measurement[TF_SHA256_SIZE];
    char hex[65];
    char text[TEXT_MAX];
    struct tf_json_writer w;

    tf_err err = tf_image_measure_runtime(folder, measurement);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_hex_write(measurement, sizeof(measurement), hex);
    if (!options->is_json) {
        (void)printf("runtime   %s\n", hex);
        return TF_EXIT_OK;
    }
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "mrenclave", hex);
    tf_json_put_boolean(&w, "native", true);
    tf_json_close_object(&w);
    return print_json(&w, text);
}

static int measure(const char *path, const struct tf_image_options *options)
{
    struct tf_image_measured m;
    char mrenclave[65];
    char text[TEXT_MAX];
    struct tf_json_writer w;
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return measure_runtime(path, options);
    }
    tf_err err = tf_image_measure_file(path, &m);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_hex_write(m.mrenclave, sizeof(m.mrenclave), mrenclave);
    if (!options->is_json) {
        (void)printf(
            "mrenclave %s\nengine    %s\nlvi       %s\nthreads   %u\nelrange   %llu\n",
            mrenclave, m.layout.engine, tf_lvi_name(m.layout.lvi), m.layout.threads,
            (unsigned long long)m.layout.elrange);
        return TF_EXIT_OK;
    }
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "mrenclave", mrenclave);
    tf_json_put_string(&w, "engine", m.layout.engine);
    tf_json_put_string(&w, "lvi", tf_lvi_name(m.layout.lvi));
    tf_json_put_integer(&w, "threads", m.layout.threads);
    tf_json_put_integer(&w, "elrange", m.layout.elrange);
    tf_json_close_object(&w);
    return print_json(&w, text);
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
    tf_json_put_hex(&w, "extprodid", sig->isv_ext_prod_id, sizeof(sig->isv_ext_prod_id));
    tf_json_put_hex(&w, "familyid", sig->isv_family_id, sizeof(sig->isv_family_id));
    tf_json_put_boolean(&w, "debug", (sig->attributes.flags & SGX_FLAGS_DEBUG) != 0);
    tf_json_close_object(&w);
    return print_json(&w, text);
}

static bool is_image(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        return false;
    }
    bool is_elf = fread(magic, sizeof(magic), 1, file) == 1 &&
                  memcmp(magic, "\177ELF", sizeof(magic)) == 0;
    (void)fclose(file);
    return is_elf;
}

static int show(const char *path, const struct tf_image_options *options)
{
    struct sgx_sigstruct sig;
    uint8_t signer[32];
    char mrenclave[65];
    char mrsigner[65];

    if (is_image(path)) {
        return measure(path, options);
    }
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
    tf_hex_write(sig.isv_ext_prod_id, sizeof(sig.isv_ext_prod_id), mrsigner);
    tf_hex_write(sig.isv_family_id, sizeof(sig.isv_family_id), mrenclave);
    (void)printf("extprodid  %s\nfamilyid   %s\n", mrsigner, mrenclave);
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
        int (*run)(const char *path, const struct tf_image_options *options);
    } actions[] = {
        {"key", make_key}, {"measure", measure}, {"sign", tf_image_sign}, {"show", show}};
    struct tf_image_options o = {.svn = 1};
    const struct tf_option options[] = {TF_TEXT("key", &o.key),
                                        TF_TEXT("out", &o.out),
                                        TF_TEXT("date", &o.date),
                                        TF_TEXT("data-out", &o.data_out),
                                        TF_TEXT("signature", &o.signature),
                                        TF_TEXT("pubkey", &o.pubkey),
                                        TF_TEXT("extprodid", &o.ext_prod_id),
                                        TF_TEXT("familyid", &o.family_id),
                                        TF_NUMBER("prodid", &o.prod_id),
                                        TF_NUMBER("svn", &o.svn),
                                        TF_FLAG("insecure-debug", &o.insecure_debug),
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
