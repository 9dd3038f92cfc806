/* SPDX-License-Identifier: Apache-2.0 */
#include "test/native/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL "{\"memory\":1048576}"

static void must(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

struct rig *asker_serve(const char *const names[], const char *const codes[])
{
    struct rig *rig = rig_open();

    for (int i = 0; names[i] != NULL; i++) {
        must(rig_serve(rig, names[i], codes[i], SMALL));
    }
    return rig;
}

struct rig_lambda asker_version(const char *name, uint64_t version, const char *code)
{
    static char dns[64];

    (void)snprintf(dns, sizeof(dns), "%s.example", name);
    return (struct rig_lambda){.name = name,
                               .version = version,
                               .code = code,
                               .domains = {dns},
                               .limits = SMALL};
}

void asker_renew(struct rig *rig, const char *name, const char *code)
{
    const struct rig_lambda next = asker_version(name, 2, code);

    must(rig_load(rig, 0, &next) == TF_OK);
}

struct asker asker_connect(struct rig *rig, const char *name)
{
    char dns[64];

    (void)snprintf(dns, sizeof(dns), "%s.example", name);
    return (struct asker){.client = rig_connect(rig, 0, dns)};
}

void asker_post(struct rig *rig, struct asker *asker)
{
    uint8_t bytes[4096];
    char request[128];

    (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n",
                   SSL_get_servername(asker->client->ssl, TLSEXT_NAMETYPE_host_name),
                   asker->field == NULL ? "" : asker->field);
    asker->size = 0;
    (void)SSL_write(asker->client->ssl, request, (int)strlen(request));
    int size = BIO_read(asker->client->from_client, bytes, sizeof(bytes));
    must(size > 0 &&
         rig_put(rig, 0, TF_MSG_DATA, asker->client->id, bytes, (size_t)size));
}

void asker_post_all(struct rig *rig, const char *name, struct asker *askers, int count)
{
    for (int i = 0; i < count; i++) {
        askers[i] = asker_connect(rig, name);
    }
    rig_settle(rig);
    for (int i = 0; i < count; i++) {
        asker_post(rig, &askers[i]);
    }
}

bool asker_has_answer(struct asker *asker)
{
    int size = SSL_read(asker->client->ssl, asker->text + asker->size,
                        (int)(sizeof(asker->text) - 1 - asker->size));
    asker->size += size > 0 ? (size_t)size : 0;
    asker->text[asker->size] = '\0';
    return strstr(asker->text, "\r\n\r\n") != NULL && asker->size != 0;
}

bool asker_says(const struct asker *asker, const char *body)
{
    const char *split = strstr(asker->text, "\r\n\r\n");
    return split != NULL && strcmp(split + 4, body) == 0;
}

unsigned asker_entries(struct rig *rig, struct asker *asker)
{
    for (unsigned i = 1; i <= 1000; i++) {
        (void)rig_enter(rig, 0);
        if (asker_has_answer(asker)) {
            return i;
        }
    }
    return 0;
}
