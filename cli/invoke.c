/* SPDX-License-Identifier: Apache-2.0 */
/* invoke.c - the verb `invoke`: one ordinary HTTPS request, as any client would send it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "abi/limits.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "lib/names.h"

struct options {
    const char *name;
    const char *path;
    const char *data;
    const char *cacert;
    const char *connect;
    const char *host;
};

/* The first domain of a lambda, as its host lists it. The host could name another one:
 * who minds passes --cacert, so that only the publisher's certificates count. */
static tf_err find_domain(const struct options *o, char domain[static TF_DNS_MAX + 1])
{
    struct tf_admin_request request = {
        .socket = o->host, .method = "GET", .path = "/v1/lambdas"};
    json_t *answer = NULL;
    size_t i = 0;
    const json_t *lambda = NULL;
    tf_err err = tf_admin_call(&request, &answer);

    if (err != TF_OK) {
        return err;
    }
    err = TF_ENOTFOUND;
    json_array_foreach(json_object_get(answer, "lambdas"), i, lambda)
    {
        const char *name = json_string_value(json_object_get(lambda, "name"));
        const char *first =
            json_string_value(json_array_get(json_object_get(lambda, "domains"), 0));
        if (name != NULL && first != NULL && strcmp(name, o->name) == 0 &&
            tf_dns_is_valid(first, strlen(first))) {
            err = TF_OK;
            (void)snprintf(domain, TF_DNS_MAX + 1, "%s", first);
        }
    }
    json_decref(answer);
    if (err != TF_OK) {
        (void)tf_report(err, "%s is not deployed on %s", o->name, o->host);
    }
    return err;
}

/* --data TEXT or --data @FILE; owned by the caller. */
static bool load_data(const struct options *o, uint8_t **data, size_t *size)
{
    if (o->data == NULL) {
        return true;
    }
    if (o->data[0] == '@') {
        return tf_file_read(o->data + 1, TF_BODY_MAX, data, size) == TF_OK;
    }
    *data = (uint8_t *)strdup(o->data);
    *size = strlen(o->data);
    return *data != NULL;
}

static void set_options(CURL *curl, const struct options *o, const char *domain,
                        struct curl_slist **connect_to)
{
    char url[TF_DNS_MAX + TF_URL_MAX + 16];
    char to[TF_DNS_MAX + 128];

    (void)snprintf(url, sizeof(url), "https://%s%s", domain, o->path);
    (void)snprintf(to, sizeof(to), "%s:443:%s", domain, o->connect);
    *connect_to = curl_slist_append(NULL, to);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_TO, *connect_to);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    if (o->cacert != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, o->cacert);
    }
}

/* Two are to be expected, and a person can do something about them. */
static void report(const char *domain, CURLcode code)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        (void)tf_report_next(TF_EIO, "Name the publisher's CA: --cacert FILE.",
                             "https://%s: its certificate is of a CA that is not trusted"
                             " here",
                             domain);
    } else if (code == CURLE_SSL_CONNECT_ERROR) {
        (void)tf_report_next(TF_EIO,
                             "`tfaas ls` says whether the lambda has a key; `tfaas grant`"
                             " gives it one.",
                             "https://%s: no TLS", domain);
    } else {
        (void)tf_report(TF_EIO, "https://%s: %s", domain, curl_easy_strerror(code));
    }
}

static int perform(CURL *curl, const char *domain)
{
    long status = 0;
    CURLcode code = curl_easy_perform(curl);

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        report(domain, code);
        return TF_EXIT_USAGE;
    }
    if (status >= 400) {
        (void)fprintf(stderr, "tfaas: the lambda answered %ld\n", status);
        return TF_EXIT_REFUSED;
    }
    return TF_EXIT_OK;
}

static int invoke(const struct options *o)
{
    char domain[TF_DNS_MAX + 1];
    uint8_t *data = NULL;
    size_t size = 0;
    struct curl_slist *connect_to = NULL;
    CURL *curl = NULL;
    int status = TF_EXIT_USAGE;

    tf_err err = find_domain(o, domain);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    if (!load_data(o, &data, &size)) {
        return TF_EXIT_USAGE;
    }
    curl = curl_easy_init();
    if (curl != NULL) {
        set_options(curl, o, domain, &connect_to);
        if (data != NULL) {
            (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
            (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data);
        }
        status = perform(curl, domain);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(connect_to);
    free(data);
    return status;
}

int tf_cmd_invoke(int argc, char **argv)
{
    struct options o = {
        .path = "/", .connect = tf_default_connect(), .host = tf_default_host()};
    const struct tf_option options[] = {
        TF_TEXT("path", &o.path),     TF_TEXT("data", &o.data),
        TF_TEXT("cacert", &o.cacert), TF_TEXT("connect", &o.connect),
        TF_TEXT("host", &o.host),     {0}};

    if (!tf_options(argc, argv, options, &o.name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.path[0] != '/' || strlen(o.path) > TF_URL_MAX) {
        return tf_report(TF_EUSAGE, "--path starts with /");
    }
    return invoke(&o);
}
