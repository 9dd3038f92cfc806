/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which revocation lists are posted, whatever the configuration says. */
#include "attester/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/file.h"
#include "test/fixture.h"
#include "test/test.h"

enum { PATH_CAP = 64, FILES = 3 };

/* Two publishers, and files that either has signed. */
struct desk {
    struct fixture_key keys[2];
    char folder[PATH_CAP];
    char domain[PATH_CAP + 16];
    char paths[FILES][PATH_CAP + 16];
    struct tf_config config;
    struct tf_lists lists;
};

static void put(const char *path, const void *data, size_t size)
{
    CHECK(tf_file_write(path, data, size, 0600) == TF_OK);
}

static struct desk *open_desk(void)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    char text[2048];

    (void)snprintf(desk->folder, sizeof(desk->folder), "/tmp/tfaas-lists.XXXXXX");
    CHECK(mkdtemp(desk->folder) != NULL);
    (void)snprintf(desk->domain, sizeof(desk->domain), "%s/domain.json", desk->folder);
    for (size_t i = 0; i < 2; i++) {
        desk->keys[i] = fixture_key_open("ED25519");
    }
    put(desk->domain, text, fixture_domain_write(text, sizeof(text), desk->keys, 2));
    desk->config.domain = desk->domain;
    return desk;
}

/* One more list in the configuration, which may name a key. */
static void add(struct desk *desk, size_t signer, uint64_t serial,
                const struct fixture_key *revoked)
{
    struct tf_revocations list = {.serial = serial};
    char *path = desk->paths[desk->config.revocation_count];

    if (revoked != NULL) {
        list.signer_count = 1;
        memcpy(list.signers[0], revoked->publisher.keyid, sizeof(list.signers[0]));
    }
    struct fixture_bytes envelope = fixture_revocations(&desk->keys[signer], &list);
    (void)snprintf(path, sizeof(desk->paths[0]), "%s/%zu.json", desk->folder,
                   desk->config.revocation_count);
    put(path, envelope.data, envelope.size);
    free(envelope.data);
    desk->config.revocations[desk->config.revocation_count++] = path;
}

static void close_desk(struct desk *desk)
{
    tf_lists_wipe(&desk->lists);
    for (size_t i = 0; i < desk->config.revocation_count; i++) {
        (void)unlink(desk->paths[i]);
    }
    (void)unlink(desk->domain);
    (void)rmdir(desk->folder);
    for (size_t i = 0; i < 2; i++) {
        fixture_key_close(&desk->keys[i]);
    }
    free(desk);
}

static bool is_at(const struct desk *desk, size_t i, size_t signer, uint64_t serial)
{
    const struct tf_list_file *file = &desk->lists.files[i];

    return strcmp(file->signer, desk->keys[signer].publisher.keyid) == 0 &&
           file->serial == serial && desk->lists.named[i].signer == file->signer &&
           desk->lists.named[i].serial == serial;
}

/* In the other order a new instance would refuse the revoked publisher's list, and as
 * the lease names both lists, no new instance could ever be leased. */
static void test_a_revoked_publisher_s_list_goes_first(void)
{
    struct desk *desk = open_desk();

    add(desk, 0, 1, &desk->keys[1]);
    add(desk, 1, 7, NULL);
    add(desk, 1, 6, NULL);
    CHECK(tf_lists_load(&desk->config, &desk->lists) == TF_OK);
    CHECK(desk->lists.count == 3);
    CHECK(is_at(desk, 0, 1, 6) && is_at(desk, 1, 1, 7) && is_at(desk, 2, 0, 1));
    close_desk(desk);
}

static void test_a_list_that_is_bad_spoils_all(void)
{
    struct desk *desk = open_desk();

    add(desk, 0, 1, NULL);
    add(desk, 1, 1, &desk->keys[0]); /* not its to say */
    CHECK(tf_lists_load(&desk->config, &desk->lists) == TF_EREVOCATION_SIGNER);
    CHECK(desk->lists.count == 0);
    close_desk(desk);
}

int main(void)
{
    RUN(test_a_revoked_publisher_s_list_goes_first);
    RUN(test_a_list_that_is_bad_spoils_all);
    return test_end();
}
