/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - the verb `policy`: writes down which enclaves and signers to trust; see also
 * explain.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/sgx_load.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/image.h"
#include "client/keys.h"
#include "lib/bytes.h"
#include "lib/descriptor.h"
#include "lib/json.h"
#include "lib/sigstruct.h"
#include "verify/policy.h"

struct options {
    struct tf_list images;
    struct tf_list natives; /* folders of native runtimes */
    const char *domain;
    bool allow_sharing;
    const char *sim_root; /* base64, or "host": ask tfaasd */
    const char *host;
    const char *out;
};

/* Adds the measurement that a SIGSTRUCT is about, after checking the SIGSTRUCT. */
static tf_err put_image(struct tf_json_writer *w, const char *path)
{
    struct sgx_sigstruct sig;
    struct sgx_secs secs = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, sizeof(sig), &bytes, &size);

    if (err != TF_OK) {
        return err;
    }
    if (size == sizeof(sig)) {
        memcpy(&sig, bytes, sizeof(sig));
        secs.attributes = sig.attributes;
        secs.miscselect = sig.miscselect;
        memcpy(secs.mrenclave, sig.enclave_hash, sizeof(secs.mrenclave));
    }
    free(bytes);
    if (size != sizeof(sig) || tf_sigstruct_einit(&sig, &secs) != SGX_SUCCESS) {
        (void)tf_report(TF_EIMAGE_SIGNATURE, "%s", path);
        return TF_EIMAGE_SIGNATURE;
    }
    tf_json_put_hex(w, NULL, sig.enclave_hash, sizeof(sig.enclave_hash));
    return TF_OK;
}

static tf_err put_native(struct tf_json_writer *w, const char *folder)
{
    uint8_t measurement[TF_SHA256_SIZE];
    tf_err err = tf_image_measure_runtime(folder, measurement);

    if (err == TF_OK) {
        tf_json_put_hex(w, NULL, measurement, sizeof(measurement));
    }
    return err;
}

static tf_err put_domain(struct tf_json_writer *w, const char *path, bool allow_sharing)
{
    struct tf_descriptor domain;
    tf_err err = tf_descriptor_load(path, &domain);

    if (err != TF_OK) {
        return err;
    }
    if (domain.member_count > 1) {
        (void)tf_report(TF_EUSAGE, "%s is a group; give your own domain, and --sharing",
                        path);
        return TF_EUSAGE;
    }
    if (allow_sharing) {
        tf_json_put_boolean(w, "sharing", true);
    }
    tf_json_put_hex(w, "domain", domain.sha256, sizeof(domain.sha256));
    tf_json_open_array(w, "publishers");
    for (size_t i = 0; i < domain.publisher_count; i++) {
        tf_json_put_string(w, NULL, domain.publishers[i].keyid);
    }
    tf_json_close_array(w);
    return TF_OK;
}

static tf_err put_sim_root(struct tf_json_writer *w, const struct options *o)
{
    json_t *answer = NULL;

    if (o->sim_root == NULL) {
        return TF_OK;
    }
    if (strcmp(o->sim_root, "host") != 0) {
        tf_json_put_string(w, "insecure_sim_root", o->sim_root);
        return TF_OK;
    }
    struct tf_admin_request request = {
        .socket = o->host, .method = "GET", .path = "/v1/info"};
    tf_err err = tf_admin_call(&request, &answer);
    if (err != TF_OK) {
        return err;
    }
    const char *root = json_string_value(json_object_get(answer, "sim_root"));
    tf_json_put_string(w, "insecure_sim_root", root == NULL ? "" : root);
    json_decref(answer);
    return TF_OK;
}

static tf_err compose(const struct options *o, char *text, size_t cap, size_t *size)
{
    struct tf_json_writer w;
    tf_err err = TF_OK;

    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    tf_json_open_array(&w, "measurements");
    for (size_t i = 0; err == TF_OK && i < o->images.count; i++) {
        err = put_image(&w, o->images.items[i]);
    }
    for (size_t i = 0; err == TF_OK && i < o->natives.count; i++) {
        err = put_native(&w, o->natives.items[i]);
    }
    tf_json_close_array(&w);
    if (err == TF_OK) {
        err = put_domain(&w, o->domain, o->allow_sharing);
    }
    if (err == TF_OK) {
        err = put_sim_root(&w, o);
    }
    tf_json_close_object(&w);
    return err == TF_OK ? tf_json_take(&w, size) : err;
}

int tf_cmd_policy(int argc, char **argv)
{
    struct options o = {.host = tf_default_host()};
    const char *verb = NULL;
    const struct tf_option options[] = {
        TF_LIST("image", &o.images),      TF_LIST("native", &o.natives),
        TF_TEXT("domain", &o.domain),     TF_FLAG("sharing", &o.allow_sharing),
        TF_TEXT("sim-root", &o.sim_root), TF_TEXT("host", &o.host),
        TF_TEXT("out", &o.out),           {0}};
    char text[TF_POLICY_MAX];
    size_t size = 0;
    struct tf_policy policy;

    if (argc > 1 && (strcmp(argv[1], "check") == 0 || strcmp(argv[1], "explain") == 0)) {
        return tf_policy_explain(argc, argv);
    }
    if (!tf_options(argc, argv, options, &verb, 1)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(verb, "new") != 0 || o.images.count + o.natives.count == 0 ||
        o.domain == NULL || o.out == NULL) {
        return tf_report(TF_EUSAGE,
                         "policy new wants --image or --native, --domain and --out");
    }
    tf_err err = compose(&o, text, sizeof(text), &size);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    err = tf_policy_parse(text, size, &policy);
    if (err != TF_OK) {
        return tf_report(err, "--sim-root is base64 of an Ed25519 SubjectPublicKeyInfo");
    }
    if (tf_file_write(o.out, text, size, 0644) != TF_OK) {
        return TF_EXIT_USAGE;
    }
    (void)printf("wrote %s: %zu measurement(s)%s\n", o.out, policy.measurement_count,
                 policy.sim_root_size > 0
                     ? "; insecure_sim_root is set: good for SIMULATED evidence only"
                     : "");
    return TF_EXIT_OK;
}
