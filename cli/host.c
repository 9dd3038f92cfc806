/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the verbs that talk to tfaasd: deploy, ls, rm, info. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "lib/bytes.h"
#include "lib/descriptor.h"
#include "lib/names.h"

int tf_host_exit(tf_err err)
{
    if (err == TF_OK) {
        return TF_EXIT_OK;
    }
    return err == TF_EUSAGE ? TF_EXIT_REFUSED : TF_EXIT_USAGE;
}

void tf_host_print(json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);

    if (text != NULL) {
        (void)puts(text);
    }
    free(text);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "-" : text;
}

static void print_names(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        (void)printf("%s%s", i == 0 ? "" : ",",
                     json_string_value(json_array_get(array, i)));
    }
}

static tf_err get(const char *host, const char *path, json_t **answer)
{
    struct tf_admin_request request = {.socket = host, .method = "GET", .path = path};

    return tf_admin_call(&request, answer);
}

tf_err tf_host_put_domain(const char *host, const char *path,
                          char hex[static 2 * TF_SHA256_SIZE + 1])
{
    uint8_t *text = NULL;
    size_t size = 0;
    struct tf_descriptor domain;
    char resource[128];
    json_t *answer = NULL;
    tf_err err = tf_file_read(path, TF_DESCRIPTOR_MAX, &text, &size);

    if (err != TF_OK) {
        return TF_EIO;
    }
    err = tf_descriptor_parse((const char *)text, size, &domain);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
        free(text);
        return TF_EUSAGE;
    }
    tf_hex_write(domain.sha256, TF_SHA256_SIZE, hex);
    (void)snprintf(resource, sizeof(resource), "/v1/domains/%s", hex);
    struct tf_admin_request request = {.socket = host,
                                       .method = "PUT",
                                       .path = resource,
                                       .body = text,
                                       .body_size = size};
    err = tf_admin_call(&request, &answer);
    json_decref(answer);
    free(text);
    return err;
}

static tf_err deploy(const char *host, const char *bundle, const char *domain,
                     const char *engine, json_t **answer)
{
    char hex[2 * TF_SHA256_SIZE + 1];
    char resource[256];
    uint8_t *bytes = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(bundle, TF_BUNDLE_MAX, &bytes, &size);

    if (err != TF_OK) {
        return TF_EIO;
    }
    err = tf_host_put_domain(host, domain, hex);
    if (err == TF_OK) {
        (void)snprintf(resource, sizeof(resource), "/v1/lambdas?engine=%s&domain=%s",
                       engine, hex);
        struct tf_admin_request request = {.socket = host,
                                           .method = "POST",
                                           .path = resource,
                                           .body = bytes,
                                           .body_size = size};
        err = tf_admin_call(&request, answer);
    }
    free(bytes);
    return err;
}

int tf_cmd_deploy(int argc, char **argv)
{
    const char *bundle = NULL;
    const char *domain = NULL;
    const char *engine = NULL;
    const char *host = tf_default_host();
    bool is_json = false;
    const struct tf_option options[] = {TF_TEXT("domain", &domain),
                                        TF_TEXT("engine", &engine),
                                        TF_TEXT("host", &host),
                                        TF_FLAG("json", &is_json),
                                        {0}};
    json_t *answer = NULL;

    if (!tf_options(argc, argv, options, &bundle, 1)) {
        return TF_EXIT_USAGE;
    }
    if (domain == NULL || engine == NULL) {
        return tf_missing("deploy", domain == NULL ? "domain" : "engine");
    }
    if (!tf_name_is_valid(engine, strlen(engine))) {
        return tf_report(TF_EUSAGE, "no engine has the name `%s`", engine);
    }
    tf_err err = deploy(host, bundle, domain, engine, &answer);
    if (err == TF_OK && is_json) {
        tf_host_print(answer);
    } else if (err == TF_OK) {
        (void)printf("deployed %s version %" JSON_INTEGER_FORMAT " on %s for ",
                     text_of(answer, "name"),
                     json_integer_value(json_object_get(answer, "version")),
                     text_of(answer, "engine"));
        print_names(json_object_get(answer, "domains"));
        (void)printf(
            "\ndigest %s\nnext, unless an earlier grant holds: tfaas grant %s ...\n",
            text_of(answer, "digest"), text_of(answer, "name"));
    }
    json_decref(answer);
    return tf_host_exit(err);
}

static void print_lambda(const json_t *l)
{
    (void)printf("%-20s %7" JSON_INTEGER_FORMAT " %-8s %-8s %.12s  ", text_of(l, "name"),
                 json_integer_value(json_object_get(l, "version")), text_of(l, "engine"),
                 json_is_true(json_object_get(l, "granted")) ? "granted" : "-",
                 text_of(l, "digest"));
    print_names(json_object_get(l, "domains"));
    (void)putchar('\n');
}

int tf_cmd_ls(int argc, char **argv)
{
    const char *host = tf_default_host();
    bool is_json = false;
    const struct tf_option options[] = {
        TF_TEXT("host", &host), TF_FLAG("json", &is_json), {0}};
    json_t *answer = NULL;

    if (!tf_options(argc, argv, options, NULL, 0)) {
        return TF_EXIT_USAGE;
    }
    tf_err err = get(host, "/v1/lambdas", &answer);
    if (err == TF_OK && is_json) {
        tf_host_print(answer);
    } else if (err == TF_OK) {
        const json_t *list = json_object_get(answer, "lambdas");
        (void)printf("%-20s %7s %-8s %-8s %-12s  %s%s\n", "NAME", "VERSION", "ENGINE",
                     "KEY", "DIGEST", "DOMAINS",
                     json_is_true(json_object_get(answer, "simulated")) ? "   (SIMULATED)"
                                                                        : "");
        for (size_t i = 0; i < json_array_size(list); i++) {
            print_lambda(json_array_get(list, i));
        }
    }
    json_decref(answer);
    return tf_host_exit(err);
}

int tf_cmd_rm(int argc, char **argv)
{
    const char *name = NULL;
    const char *host = tf_default_host();
    const struct tf_option options[] = {TF_TEXT("host", &host), {0}};
    char resource[128];
    json_t *answer = NULL;

    if (!tf_options(argc, argv, options, &name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (!tf_name_is_valid(name, strlen(name))) {
        return tf_report(TF_EUSAGE, "no lambda has the name `%s`", name);
    }
    (void)snprintf(resource, sizeof(resource), "/v1/lambdas/%s", name);
    struct tf_admin_request request = {
        .socket = host, .method = "DELETE", .path = resource};
    tf_err err = tf_admin_call(&request, &answer);
    if (err == TF_OK) {
        (void)printf("removed %s\n", name);
    }
    json_decref(answer);
    return tf_host_exit(err);
}

int tf_cmd_info(int argc, char **argv)
{
    const char *host = tf_default_host();
    bool is_json = false;
    const struct tf_option options[] = {
        TF_TEXT("host", &host), TF_FLAG("json", &is_json), {0}};
    json_t *answer = NULL;
    const char *engine = NULL;
    json_t *identity = NULL;

    if (!tf_options(argc, argv, options, NULL, 0)) {
        return TF_EXIT_USAGE;
    }
    tf_err err = get(host, "/v1/info", &answer);
    if (err == TF_OK && is_json) {
        tf_host_print(answer);
    } else if (err == TF_OK) {
        (void)printf("tfaasd %s on %s%s\n", text_of(answer, "version"),
                     text_of(answer, "listen"),
                     json_is_true(json_object_get(answer, "simulated"))
                         ? ", SIMULATED: no SGX protects anything here"
                         : "");
        json_object_foreach(json_object_get(answer, "engines"), engine, identity)
        {
            bool is_native = json_is_true(json_object_get(identity, "native"));
            (void)printf("%-10s %s %s\n", engine, is_native ? "runtime  " : "MRENCLAVE",
                         text_of(identity, "mrenclave"));
        }
    }
    json_decref(answer);
    return tf_host_exit(err);
}
