/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker says that its enclave took becomes what enclaves are given after a
 * restart: a worker that lies must not undo a revocation so. */
#include "host/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/supervise.h"
#include "lib/revocations.h"
#include "test/fixture.h"
#include "test/test.h"

static char folder[64];
static struct tf_daemon daemon_;
static struct tf_engine engine = {.name = "v8", .is_native = true};
static struct tf_worker worker;
static struct fixture_key publisher;
static struct fixture_key stranger;

static void begin(void)
{
    static char text[TF_DESCRIPTOR_MAX];
    uint8_t digest[TF_SHA256_SIZE];

    publisher = fixture_key_open("ED25519");
    stranger = fixture_key_open("ED25519");
    memset(&daemon_, 0, sizeof(daemon_));
    worker = (struct tf_worker){.daemon = &daemon_, .engine = &engine};
    (void)snprintf(folder, sizeof(folder), "/tmp/tfaas-lists-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(tf_store_open(folder, &daemon_.store) == TF_OK);
    size_t size = fixture_domain_write(text, sizeof(text), &publisher, 1);
    tf_sha256(text, size, digest);
    tf_hex_write(digest, sizeof(digest), worker.domain);
    CHECK(tf_store_put_domain(&daemon_.store, worker.domain, text, size) == TF_OK);
}

static void end(void)
{
    char command[128];

    tf_store_close(&daemon_.store);
    fixture_key_close(&publisher);
    fixture_key_close(&stranger);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* The worker says so. */
static void say(const char *signer, const void *list, size_t size)
{
    static uint8_t body[8 + 256 + TF_REVOCATIONS_ENVELOPE_MAX];
    char answer[256];
    uint32_t answer_size =
        (uint32_t)snprintf(answer, sizeof(answer), "{\"signer\":\"%s\"}", signer);

    memcpy(body, &answer_size, sizeof(answer_size));
    memcpy(body + 8, answer, answer_size);
    memcpy(body + 8 + answer_size, list, size);
    tf_lists_keep(&worker, body, 8 + answer_size + size);
}

static void say_signed(const struct fixture_key *by, uint64_t serial)
{
    const struct tf_revocations list = {.serial = serial, .digest_count = 1};
    struct fixture_bytes envelope = fixture_revocations(by, &list);

    say(by->publisher.keyid, envelope.data, envelope.size);
    free(envelope.data);
}

/* The serial of what is stored of this signer; 0: nothing, or nothing that opens. */
static uint64_t stored(const struct fixture_key *by)
{
    static uint8_t scratch[TF_REVOCATIONS_SCRATCH];
    static uint8_t text[TF_REVOCATIONS_ENVELOPE_MAX];
    struct tf_descriptor domain;
    struct tf_revocations list = {.serial = 0};
    size_t size = 0;
    size_t signer = 0;
    int fd = -1;

    CHECK(tf_lists_domain(&daemon_, worker.domain, &domain) == TF_OK);
    if (tf_store_get_list(&daemon_.store, worker.domain, by->publisher.keyid, &fd) !=
        TF_OK) {
        return 0;
    }
    CHECK(tf_store_read(fd, text, sizeof(text), &size) == TF_OK);
    (void)close(fd);
    return tf_revocations_open((const char *)text, size, &domain, scratch, &list,
                               &signer) == TF_OK
               ? list.serial
               : 0;
}

static void a_newer_list_is_kept(void)
{
    begin();
    say_signed(&publisher, 3);
    CHECK(stored(&publisher) == 3);
    say_signed(&publisher, 4);
    CHECK(stored(&publisher) == 4);
    end();
}

static void a_worker_that_lies_undoes_no_revocation(void)
{
    begin();
    say_signed(&publisher, 3);
    say_signed(&publisher, 2);
    CHECK(stored(&publisher) == 3);
    say(publisher.publisher.keyid, "{}", 2);
    CHECK(stored(&publisher) == 3);
    end();
}

static void a_worker_that_lies_fills_no_disk(void)
{
    int fd = -1;

    begin();
    say_signed(&stranger, 1);
    say(stranger.publisher.keyid, "{}", 2);
    CHECK(tf_store_get_list(&daemon_.store, worker.domain, stranger.publisher.keyid,
                            &fd) == TF_ENOTFOUND);
    end();
}

int main(void)
{
    RUN(a_newer_list_is_kept);
    RUN(a_worker_that_lies_undoes_no_revocation);
    RUN(a_worker_that_lies_fills_no_disk);
    return test_end();
}
