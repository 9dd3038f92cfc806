/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cli/cli.h"
#include "lib/json.h"

/* Longer than tfaasd takes to start a worker and have it take a bundle, 60 s each, so
 * that it is tfaasd that says what went wrong. */
enum { ANSWER_MAX = 4 << 20, TIMEOUT_SECONDS = 150 };

struct answer {
    char *data;
    size_t size;
};

static size_t collect(char *data, size_t unit, size_t count, void *user)
{
    struct answer *a = user;
    size_t size = unit * count;

    if (size > ANSWER_MAX - a->size) {
        return 0;
    }
    char *grown = realloc(a->data, a->size + size + 1);
    if (grown == NULL) {
        return 0;
    }
    memcpy(grown + a->size, data, size);
    a->data = grown;
    a->size += size;
    return size;
}

static CURLcode perform(CURL *curl, const struct tf_admin_request *r, struct answer *a)
{
    char url[512];
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

    (void)snprintf(url, sizeof(url), "http://tfaasd%s", r->path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, r->socket);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
    if (r->body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)r->body_size);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
    }
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    return code;
}

static const char *text_of(const json_t *answer, const char *key)
{
    const char *text = json_string_value(json_object_get(answer, key));

    return text == NULL ? "" : text;
}

static bool is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

/* What a host lists is shown; all of it is printable ASCII, and what is not could rewrite
 * the terminal. The depth is at most TF_JSON_DEPTH_MAX. */
static bool is_plain(json_t *value)
{
    bool is_good = !json_is_string(value) ||
                   is_printable(json_string_value(value), json_string_length(value));

    for (size_t i = 0; is_good && i < json_array_size(value); i++) {
        is_good = is_plain(json_array_get(value, i));
    }
    for (void *at = json_object_iter(value); is_good && at != NULL;
         at = json_object_iter_next(value, at)) {
        const char *key = json_object_iter_key(at);
        is_good = is_printable(key, strlen(key)) && is_plain(json_object_iter_value(at));
    }
    return is_good;
}

static tf_err judge(long status, const struct answer *a, json_t **out)
{
    json_t *answer = NULL;

    if (a->size == 0 || tf_json_parse(a->data, a->size, &answer) != TF_OK) {
        (void)tf_report(TF_EIO, "the host answered %ld without JSON", status);
        return TF_EIO;
    }
    if (status < 200 || status > 299) {
        (void)tf_report_remote(text_of(answer, "error"), text_of(answer, "text"),
                               text_of(answer, "hint"));
        json_decref(answer);
        return TF_EUSAGE;
    }
    if (!is_plain(answer)) {
        (void)tf_report(TF_EIO, "the host's answer has odd characters");
        json_decref(answer);
        return TF_EIO;
    }
    *out = answer;
    return TF_OK;
}

tf_err tf_admin_call(const struct tf_admin_request *request, json_t **answer)
{
    struct answer a = {0};
    long status = 0;
    CURL *curl = curl_easy_init();

    if (curl == NULL) {
        return TF_ENOMEM;
    }
    CURLcode code = perform(curl, request, &a);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    tf_err err = TF_EIO;
    if (code != CURLE_OK) {
        (void)tf_report_next(
            TF_EIO, "Start tfaasd, or name its admin socket: --host, TFAAS_HOST.",
            "%s: %s", request->socket, curl_easy_strerror(code));
    } else {
        err = judge(status, &a, answer);
    }
    free(a.data);
    return err;
}
