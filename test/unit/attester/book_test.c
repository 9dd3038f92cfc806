/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/book.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/file.h"
#include "client/keys.h"
#include "test/test.h"

#define HEX64    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define INSTANCE "00112233445566778899aabbccddeeff"

enum { PATH_CAP = 64 };

/* A folder with a log, and who signs it. */
struct desk {
    char folder[PATH_CAP];
    char path[PATH_CAP + 16];
    EVP_PKEY *key;
    struct tf_book *book;
};

static void reopen(struct desk *desk)
{
    tf_book_close(desk->book);
    desk->book = NULL;
    CHECK(tf_book_open(desk->folder, desk->key, HEX64, &desk->book) == TF_OK);
}

static struct desk open_desk(void)
{
    struct desk desk = {.folder = "/tmp/tfaas-book.XXXXXX"};

    CHECK(mkdtemp(desk.folder) != NULL);
    (void)snprintf(desk.path, sizeof(desk.path), "%s/log.jsonl", desk.folder);
    desk.key = tf_key_make("ed25519");
    reopen(&desk);
    return desk;
}

static void close_desk(struct desk *desk)
{
    tf_book_close(desk->book);
    EVP_PKEY_free(desk->key);
    (void)unlink(desk->path);
    (void)rmdir(desk->folder);
}

static struct tf_tlog_event intent_of(uint64_t version)
{
    return (struct tf_tlog_event){.lambda = "shop",
                                  .digest = HEX64,
                                  .version = version,
                                  .names = {"shop.test"},
                                  .name_count = 1,
                                  .instance = INSTANCE,
                                  .machine = "127.0.0.1:1",
                                  .certificate = HEX64,
                                  .not_after = 1,
                                  .is_simulated = true};
}

static uint64_t intend(struct desk *desk, uint64_t version)
{
    struct tf_tlog_event intent = intent_of(version);
    CHECK(tf_book_intend(desk->book, &intent) == TF_OK);
    return intent.serial;
}

/* Lines of the log; it must verify. */
static uint64_t lines(const struct desk *desk)
{
    struct tf_tlog walk;
    struct tf_tlog_line line;
    uint8_t *text = NULL;
    size_t size = 0;
    size_t at = 0;

    tf_tlog_init(&walk, NULL);
    CHECK(tf_file_read(desk->path, 1 << 20, &text, &size) == TF_OK);
    tf_err err = TF_OK;
    while ((err = tf_tlog_next(&walk, (const char *)text, size, &at, &line)) == TF_OK) {
    }
    CHECK(err == TF_AGAIN);
    uint64_t count = walk.seq;
    free(text);
    tf_tlog_wipe(&walk);
    return count;
}

static void test_a_restart_forgets_nothing(void)
{
    struct desk desk = open_desk();
    struct tf_entry entry;
    uint64_t granted = intend(&desk, 3);
    CHECK(tf_book_settle(desk.book, granted, NULL) == TF_OK);
    uint64_t voided = intend(&desk, 9);
    CHECK(tf_book_settle(desk.book, voided, "grant-old") == TF_OK);
    uint64_t open = intend(&desk, 9);
    CHECK(granted < voided && voided < open);
    for (int i = 0; i < 2; i++) {
        CHECK(tf_book_find(desk.book, granted, &entry));
        CHECK(entry.state == TF_ENTRY_GRANTED && strcmp(entry.instance, INSTANCE) == 0);
        CHECK(tf_book_find(desk.book, voided, &entry) && entry.state == TF_ENTRY_VOID);
        CHECK(tf_book_open_at(desk.book, "shop", "127.0.0.1:1", &entry));
        CHECK(entry.serial == open);
        CHECK(tf_book_granted_at(desk.book, "shop", "127.0.0.1:1", &entry));
        CHECK(entry.serial == granted);
        CHECK(!tf_book_open_at(desk.book, "shop", "127.0.0.1:2", &entry));
        CHECK(tf_book_floor(desk.book, "shop") ==
              3); /* what was not granted is no floor */
        reopen(&desk);
    }
    CHECK(lines(&desk) == 8);
    close_desk(&desk);
}

static void test_a_serial_is_never_used_again(void)
{
    struct desk desk = open_desk();
    uint64_t last = 0;
    for (int i = 0; i < 20; i++) {
        uint64_t serial = intend(&desk, 1);
        CHECK(serial > last);
        last = serial;
        if (i % 5 == 0) {
            reopen(&desk);
        }
    }
    close_desk(&desk);
}

static void append_raw(const struct desk *desk, const char *bytes)
{
    int fd = open(desk->path, O_WRONLY | O_APPEND);
    CHECK(write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
    (void)close(fd);
}

static void test_a_torn_line_is_cut(void)
{
    struct desk desk = open_desk();
    uint64_t serial = intend(&desk, 1);
    struct tf_entry entry;
    tf_book_close(desk.book);
    desk.book = NULL;
    append_raw(&desk, "{\"seq\":3,\"ti");
    reopen(&desk);
    CHECK(tf_book_find(desk.book, serial, &entry));
    CHECK(lines(&desk) == 3);
    close_desk(&desk);
}

static void test_attack_a_changed_log_is_not_continued(void)
{
    struct desk desk = open_desk();
    (void)intend(&desk, 1);
    tf_book_close(desk.book);
    desk.book = NULL;
    append_raw(&desk, "{}\n"); /* whole: no crash made it */
    CHECK(tf_book_open(desk.folder, desk.key, HEX64, &desk.book) == TF_ELOG_FORMAT);
    CHECK(desk.book == NULL);
    close_desk(&desk);
}

static void test_attack_another_key_continues_the_log(void)
{
    struct desk desk = open_desk();
    EVP_PKEY *other = tf_key_make("p256");
    tf_book_close(desk.book);
    desk.book = NULL;
    CHECK(tf_book_open(desk.folder, other, HEX64, &desk.book) == TF_ELOG_SIGNATURE);
    EVP_PKEY_free(other);
    close_desk(&desk);
}

static void test_two_attesters_do_not_share_a_log(void)
{
    struct desk desk = open_desk();
    struct tf_book *second = NULL;
    CHECK(tf_book_open(desk.folder, desk.key, HEX64, &second) == TF_EIO);
    close_desk(&desk);
}

static void test_a_grant_that_arrived_late(void)
{
    struct desk desk = open_desk();
    struct tf_entry entry;
    uint64_t serial = intend(&desk, 1);
    CHECK(tf_book_settle(desk.book, serial, "not-found") == TF_OK);
    CHECK(tf_book_settle(desk.book, serial, NULL) == TF_OK);
    reopen(&desk);
    CHECK(tf_book_find(desk.book, serial, &entry) && entry.state == TF_ENTRY_GRANTED);
    close_desk(&desk);
}

static void test_a_lease_stops_once(void)
{
    struct desk desk = open_desk();
    uint64_t serial = intend(&desk, 1);
    CHECK(tf_book_stop(desk.book, serial, TF_ETCB_STATUS) == TF_OK); /* not granted yet */
    CHECK(tf_book_settle(desk.book, serial, NULL) == TF_OK);
    CHECK(tf_book_stop(desk.book, serial, TF_ETCB_STATUS) == TF_OK);
    CHECK(tf_book_stop(desk.book, serial, TF_ETCB_STATUS) == TF_OK);
    CHECK(lines(&desk) == 4);
    tf_book_resume(desk.book, serial);
    CHECK(tf_book_stop(desk.book, serial, TF_EPOLICY_PLATFORM) == TF_OK);
    CHECK(lines(&desk) == 5);
    close_desk(&desk);
}

static void test_updates_raise_the_floor(void)
{
    static const char other[] =
        "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct desk desk = open_desk();
    uint64_t serial = intend(&desk, 1);
    CHECK(tf_book_settle(desk.book, serial, NULL) == TF_OK);
    CHECK(tf_book_update(desk.book, serial, 1, HEX64) == TF_OK); /* nothing new */
    CHECK(tf_book_update(desk.book, serial, 2, other) == TF_OK);
    CHECK(tf_book_update(desk.book, serial, 2, other) == TF_OK);
    CHECK(lines(&desk) == 4 && tf_book_floor(desk.book, "shop") == 2);
    reopen(&desk);
    CHECK(tf_book_floor(desk.book, "shop") == 2 && tf_book_floor(desk.book, "cart") == 0);
    close_desk(&desk);
}

static void test_a_policy_is_logged_when_it_changes(void)
{
    static const char other[] =
        "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct desk desk = open_desk();
    CHECK(tf_book_policy(desk.book, HEX64) == TF_OK); /* that of the start */
    CHECK(lines(&desk) == 1);
    CHECK(tf_book_policy(desk.book, other) == TF_OK);
    CHECK(tf_book_policy(desk.book, other) == TF_OK);
    CHECK(lines(&desk) == 2);
    CHECK(tf_book_policy(desk.book, HEX64) == TF_OK);
    CHECK(lines(&desk) == 3);
    close_desk(&desk);
}

static void test_attack_fill_the_disk_with_refusals(void)
{
    struct desk desk = open_desk();
    struct tf_tlog_event e = {.kind = TF_TLOG_REFUSED,
                              .lambda = "shop",
                              .machine = "127.0.0.1:1",
                              .reason = "tcb-status"};
    for (int i = 0; i < 100; i++) {
        e.reason[0] = (char)('a' + i % 26);
        CHECK(tf_book_refuse(desk.book, &e) == TF_OK);
    }
    CHECK(lines(&desk) == 2);
    e.machine[0] = '9';
    CHECK(tf_book_refuse(desk.book, &e) == TF_OK);
    CHECK(lines(&desk) == 3);
    close_desk(&desk);
}

int main(void)
{
    RUN(test_a_restart_forgets_nothing);
    RUN(test_a_serial_is_never_used_again);
    RUN(test_a_torn_line_is_cut);
    RUN(test_attack_a_changed_log_is_not_continued);
    RUN(test_attack_another_key_continues_the_log);
    RUN(test_two_attesters_do_not_share_a_log);
    RUN(test_a_grant_that_arrived_late);
    RUN(test_a_lease_stops_once);
    RUN(test_updates_raise_the_floor);
    RUN(test_a_policy_is_logged_when_it_changes);
    RUN(test_attack_fill_the_disk_with_refusals);
    return test_end();
}
