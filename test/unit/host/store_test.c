/* SPDX-License-Identifier: Apache-2.0 */
#include "host/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/test.h"

static char folder[64];
static struct tf_store store;

static const char hex[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void open_fresh(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tfaas-store-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(tf_store_open(folder, &store) == TF_OK);
}

static void reopen(void)
{
    tf_store_close(&store);
    CHECK(tf_store_open(folder, &store) == TF_OK);
}

/* Removes the folder, which has three levels at most. */
static void remove_below(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(fd, entry->d_name, 0) != 0) {
            remove_below(fd, entry->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void drop(void)
{
    tf_store_close(&store);
    remove_below(AT_FDCWD, folder);
}

static bool has_content(const char *name, enum tf_store_file file, const char *want)
{
    char got[64];
    size_t size = 0;
    int fd = -1;
    if (tf_store_get(&store, name, file, &fd) != TF_OK) {
        return false;
    }
    tf_err err = tf_store_read(fd, got, sizeof(got), &size);
    (void)close(fd);
    return err == TF_OK && size == strlen(want) && memcmp(got, want, size) == 0;
}

static void count(void *user, const char *name)
{
    (void)name;
    (*(int *)user)++;
}

static int count_lambdas(void)
{
    int n = 0;
    CHECK(tf_store_each(&store, count, &n) == TF_OK);
    return n;
}

/* A file as a crash would leave it. */
static void plant(const char *path, const char *text)
{
    int fd = openat(store.root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static void what_is_put_is_there_after_a_restart(void)
{
    int fd = -1;
    open_fresh();
    CHECK(tf_store_put(&store, "hello", TF_STORE_BUNDLE, "one", 3) == TF_OK);
    CHECK(tf_store_put(&store, "hello", TF_STORE_META, "{}", 2) == TF_OK);
    reopen();
    CHECK(count_lambdas() == 1);
    CHECK(has_content("hello", TF_STORE_BUNDLE, "one"));
    CHECK(has_content("hello", TF_STORE_META, "{}"));
    CHECK(tf_store_get(&store, "hello", TF_STORE_GRANT, &fd) == TF_ENOTFOUND);
    CHECK(tf_store_get(&store, "other", TF_STORE_BUNDLE, &fd) == TF_ENOTFOUND);
    CHECK(tf_store_put(&store, "hello", TF_STORE_BUNDLE, "two!", 4) == TF_OK);
    CHECK(has_content("hello", TF_STORE_BUNDLE, "two!"));
    drop();
}

static void a_crash_while_writing_leaves_the_old_file(void)
{
    open_fresh();
    CHECK(tf_store_put(&store, "hello", TF_STORE_BUNDLE, "old", 3) == TF_OK);
    plant("lambdas/hello/.tmp-bundle.tfb", "half of the n");
    plant("domains/.tmp-x.json", "{");
    reopen();
    CHECK(has_content("hello", TF_STORE_BUNDLE, "old"));
    CHECK(faccessat(store.root, "lambdas/hello/.tmp-bundle.tfb", F_OK, 0) != 0);
    CHECK(faccessat(store.root, "domains/.tmp-x.json", F_OK, 0) != 0);
    drop();
}

static void a_crash_while_removing_is_finished_at_the_next_start(void)
{
    open_fresh();
    CHECK(tf_store_put(&store, "hello", TF_STORE_BUNDLE, "old", 3) == TF_OK);
    /* The rename was done, the unlinking was not. */
    CHECK(renameat(store.lambdas, "hello", store.lambdas, ".tmp-hello") == 0);
    reopen();
    CHECK(count_lambdas() == 0);
    CHECK(faccessat(store.lambdas, ".tmp-hello", F_OK, 0) != 0);
    drop();
}

static void removing_is_whole(void)
{
    open_fresh();
    CHECK(tf_store_put(&store, "a", TF_STORE_BUNDLE, "1", 1) == TF_OK);
    CHECK(tf_store_put(&store, "a", TF_STORE_GRANT, "2", 1) == TF_OK);
    CHECK(tf_store_put(&store, "b", TF_STORE_BUNDLE, "3", 1) == TF_OK);
    CHECK(tf_store_remove(&store, "a") == TF_OK);
    CHECK(tf_store_remove(&store, "a") == TF_ENOTFOUND);
    CHECK(count_lambdas() == 1);
    CHECK(faccessat(store.lambdas, "a", F_OK, 0) != 0);
    /* A new one of that name has no grant of the old one. */
    CHECK(tf_store_put(&store, "a", TF_STORE_BUNDLE, "4", 1) == TF_OK);
    CHECK(!has_content("a", TF_STORE_GRANT, "2"));
    drop();
}

static void odd_names_never_become_paths(void)
{
    static const char *const odd[] = {"",    ".",  "..",   "a/b",     "../a",
                                      "A",   "-a", "a-",   "a.b",     ".tmp-a",
                                      "a b", "a_", "a\nb", "\xc3\xa9"};
    char longest[TF_NAME_MAX + 2];
    int fd = -1;
    open_fresh();
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        CHECK(tf_store_put(&store, odd[i], TF_STORE_META, "x", 1) == TF_EFORMAT);
        CHECK(tf_store_get(&store, odd[i], TF_STORE_META, &fd) == TF_EFORMAT);
        CHECK(tf_store_remove(&store, odd[i]) == TF_EFORMAT);
        CHECK(tf_store_put_domain(&store, odd[i], "x", 1) == TF_EFORMAT);
        CHECK(!tf_store_has_domain(&store, odd[i]));
    }
    memset(longest, 'a', sizeof(longest));
    longest[TF_NAME_MAX + 1] = '\0';
    CHECK(tf_store_put(&store, longest, TF_STORE_META, "x", 1) == TF_EFORMAT);
    longest[TF_NAME_MAX] = '\0';
    CHECK(tf_store_put(&store, longest, TF_STORE_META, "x", 1) == TF_OK);
    CHECK(count_lambdas() == 1);
    drop();
}

static void links_are_not_followed(void)
{
    int fd = -1;
    open_fresh();
    CHECK(tf_store_put(&store, "a", TF_STORE_BUNDLE, "1", 1) == TF_OK);
    CHECK(symlinkat("/etc/passwd", store.lambdas, "a/grant.sealed") == 0);
    CHECK(tf_store_get(&store, "a", TF_STORE_GRANT, &fd) == TF_EIO);
    CHECK(symlinkat("/tmp", store.lambdas, "b") == 0);
    CHECK(tf_store_put(&store, "b", TF_STORE_META, "x", 1) == TF_EIO);
    drop();
}

static void domains_are_kept_by_hash(void)
{
    open_fresh();
    CHECK(!tf_store_has_domain(&store, hex));
    CHECK(tf_store_put_domain(&store, hex, "{}", 2) == TF_OK);
    reopen();
    CHECK(tf_store_has_domain(&store, hex));
    drop();
}

static void lists_are_kept_by_domain_and_signer(void)
{
    char path[160];
    char text[8];
    size_t size = 0;
    int fd = -1;
    open_fresh();
    CHECK(tf_store_get_list(&store, hex, hex, &fd) == TF_ENOTFOUND);
    CHECK(tf_store_put_list(&store, hex, hex, "old", 3) == TF_OK);
    CHECK(tf_store_put_list(&store, hex, hex, "new!", 4) == TF_OK);
    CHECK(tf_store_put_list(&store, hex, "../x", "new!", 4) == TF_EFORMAT);
    CHECK(tf_store_put_list(&store, "..", hex, "new!", 4) == TF_EFORMAT);
    (void)snprintf(path, sizeof(path), "domains/%s.revocations/.tmp-x", hex);
    plant(path, "half of the n");
    reopen();
    CHECK(faccessat(store.root, path, F_OK, 0) != 0);
    if (CHECK(tf_store_get_list(&store, hex, hex, &fd) == TF_OK)) {
        CHECK(tf_store_read(fd, text, sizeof(text), &size) == TF_OK && size == 4);
        CHECK(memcmp(text, "new!", 4) == 0);
        (void)close(fd);
    }
    drop();
}

static void one_daemon_has_the_folder(void)
{
    struct tf_store second;
    open_fresh();
    CHECK(tf_store_open(folder, &second) == TF_AGAIN);
    CHECK(chmod(folder, 0770) == 0 && tf_store_open(folder, &second) == TF_EUSAGE);
    CHECK(chmod(folder, 0702) == 0 && tf_store_open(folder, &second) == TF_EUSAGE);
    CHECK(chmod(folder, 0755) == 0 && tf_store_open(folder, &second) == TF_AGAIN);
    struct stat info;
    CHECK(fstatat(store.root, "lambdas", &info, 0) == 0 && (info.st_mode & 0777) == 0700);
    drop();
}

int main(void)
{
    RUN(what_is_put_is_there_after_a_restart);
    RUN(a_crash_while_writing_leaves_the_old_file);
    RUN(a_crash_while_removing_is_finished_at_the_next_start);
    RUN(removing_is_whole);
    RUN(odd_names_never_become_paths);
    RUN(links_are_not_followed);
    RUN(domains_are_kept_by_hash);
    RUN(lists_are_kept_by_domain_and_signer);
    RUN(one_daemon_has_the_folder);
    return test_end();
}
