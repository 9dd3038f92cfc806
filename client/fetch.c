/* SPDX-License-Identifier: Apache-2.0 */
#include "client/fetch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "client/report.h"

enum { CONNECT_SECONDS = 10, TOTAL_SECONDS = 30, HTTP_OK = 200, HTTP_NOT_FOUND = 404 };

/* A response on its way in. */
struct response {
    size_t max;
    struct tf_fetched out;
};

static size_t take_body(char *data, size_t one, size_t count, void *user)
{
    struct response *r = user;
    size_t size = one * count; /* libcurl: one is 1 */

    if (size > r->max - r->out.size) {
        return 0; /* ends the transfer */
    }
    uint8_t *grown = realloc(r->out.body, r->out.size + size + 1);
    if (grown == NULL) {
        return 0;
    }
    memcpy(grown + r->out.size, data, size);
    r->out.body = grown;
    r->out.size += size;
    grown[r->out.size] = 0;
    return size;
}

/* PCS and PCCS name the field differently from one kind of answer to the other; each
 * answer has one. */
static size_t take_header(char *data, size_t one, size_t count, void *user)
{
    static const char suffix[] = "Issuer-Chain:";
    enum { SUFFIX = sizeof(suffix) - 1 };
    struct response *r = user;
    size_t size = one * count;
    const char *colon = memchr(data, ':', size);
    size_t name = colon == NULL ? 0 : (size_t)(colon - data) + 1;

    if (name < SUFFIX || strncasecmp(data + name - SUFFIX, suffix, SUFFIX) != 0 ||
        size > TF_FETCH_HEADER_MAX || r->out.issuer_chain != NULL) {
        return size;
    }
    while (name < size && data[name] == ' ') {
        name++;
    }
    while (size > name && (data[size - 1] == '\r' || data[size - 1] == '\n')) {
        size--;
    }
    r->out.issuer_chain = strndup(data + name, size - name);
    return one * count;
}

static void set_options(CURL *curl, const struct tf_fetch *what, struct response *r)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, what->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, r);
    if (what->cacert != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, what->cacert);
    }
}

static tf_err judge(const struct tf_fetch *what, CURLcode code, long status)
{
    if (code == CURLE_WRITE_ERROR) {
        (void)tf_report(TF_EIO, "%s: the answer has more than %zu bytes", what->url,
                        what->max);
        return TF_EIO;
    }
    if (code != CURLE_OK) {
        (void)tf_report(TF_EIO, "%s: %s", what->url, curl_easy_strerror(code));
        return TF_EIO;
    }
    if (status == HTTP_NOT_FOUND) {
        return TF_ENOTFOUND;
    }
    if (status != HTTP_OK) {
        (void)tf_report(TF_EIO, "%s: status %ld", what->url, status);
        return TF_EIO;
    }
    return TF_OK;
}

tf_err tf_fetch(const struct tf_fetch *what, struct tf_fetched *out)
{
    struct response r = {.max = what->max};
    CURL *curl = curl_easy_init();
    long status = 0;

    if (curl == NULL) {
        return TF_ENOMEM;
    }
    set_options(curl, what, &r);
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    tf_err err = judge(what, code, status);
    if (err == TF_OK && r.out.body == NULL) {
        (void)tf_report(TF_EIO, "%s: the answer is empty", what->url);
        err = TF_EIO;
    }
    if (err != TF_OK) {
        tf_fetched_wipe(&r.out);
        return err;
    }
    *out = r.out;
    return TF_OK;
}

void tf_fetched_wipe(struct tf_fetched *fetched)
{
    free(fetched->body);
    free(fetched->issuer_chain);
    memset(fetched, 0, sizeof(*fetched));
}
