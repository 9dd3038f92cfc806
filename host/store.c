/* SPDX-License-Identifier: Apache-2.0 */
#include "host/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log.h"

/* Names that start so are ours and unfinished; a crash may leave them behind. */
static const char temporary[] = ".tmp-";

/* Of a folder beside a descriptor. */
static const char lists_suffix[] = ".revocations";

static const char *file_name(enum tf_store_file file)
{
    static const char *const names[] = {[TF_STORE_BUNDLE] = "bundle.tfb",
                                        [TF_STORE_META] = "meta.json",
                                        [TF_STORE_GRANT] = "grant.sealed",
                                        [TF_STORE_NEXT] = "grant.next.sealed"};
    return names[file];
}

bool tf_store_name_is_valid(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > TF_NAME_MAX || name[0] == '-' || name[size - 1] == '-') {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

bool tf_store_hex_is_valid(const char *hex)
{
    return strlen(hex) == TF_STORE_HEX && strspn(hex, "0123456789abcdef") == TF_STORE_HEX;
}

/* What errno says of a file or folder that could not be made, written or opened. */
static tf_err file_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? TF_ESPACE : TF_EIO;
}

static int open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens a folder that is made if need be. */
static int make_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) == 0) {
        (void)fsync(parent);
    } else if (errno != EEXIST) {
        return -1;
    }
    return open_folder(parent, name);
}

static bool is_temporary(const char *name)
{
    return strncmp(name, temporary, sizeof(temporary) - 1) == 0;
}

/* A stream over a folder; the descriptor stays the caller's. */
static DIR *list(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL && copy >= 0) {
        (void)close(copy);
    }
    return dir;
}

/* Removes the files of a folder: all, or the unfinished ones. */
static void remove_files(int folder, bool is_all)
{
    DIR *dir = list(folder);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (is_temporary(entry->d_name) || (is_all && entry->d_name[0] != '.')) {
            (void)unlinkat(folder, entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static void remove_folder(int parent, const char *name)
{
    int folder = open_folder(parent, name);
    if (folder >= 0) {
        remove_files(folder, true);
        (void)close(folder);
        (void)unlinkat(parent, name, AT_REMOVEDIR);
    }
}

static void clean_lambda(void *user, const char *name)
{
    const struct tf_store *store = user;
    int folder = open_folder(store->lambdas, name);
    if (folder >= 0) {
        remove_files(folder, false);
        (void)close(folder);
    }
}

/* The same in the folders of revocation lists. */
static void clean_lists(const struct tf_store *store)
{
    DIR *dir = list(store->domains);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int folder = strstr(entry->d_name, lists_suffix) == NULL
                         ? -1
                         : open_folder(store->domains, entry->d_name);
        if (folder >= 0) {
            remove_files(folder, false);
            (void)close(folder);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

/* Removes what a crash left unfinished. */
static void clean(struct tf_store *store)
{
    remove_files(store->domains, false);
    clean_lists(store);
    DIR *dir = list(store->lambdas);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (is_temporary(entry->d_name)) {
            remove_folder(store->lambdas, entry->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    if (tf_store_each(store, clean_lambda, store) != TF_OK) {
        tf_log("store-unreadable", "folder=lambdas");
    }
}

static bool is_writable_by_others(int folder)
{
    struct stat info;
    return fstat(folder, &info) != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

tf_err tf_store_open(const char *path, struct tf_store *out)
{
    struct tf_store store = {.root = -1, .lambdas = -1, .domains = -1, .lock = -1};
    store.root = make_folder(AT_FDCWD, path);
    if (store.root < 0) {
        return file_error();
    }
    if (is_writable_by_others(store.root)) {
        tf_store_close(&store);
        return TF_EUSAGE;
    }
    store.lock = openat(store.root, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    store.lambdas = make_folder(store.root, "lambdas");
    store.domains = make_folder(store.root, "domains");
    tf_err err = TF_OK;
    if (store.lock < 0 || store.lambdas < 0 || store.domains < 0) {
        err = file_error();
    } else if (flock(store.lock, LOCK_EX | LOCK_NB) != 0) {
        err = TF_AGAIN;
    }
    if (err != TF_OK) {
        tf_store_close(&store);
        return err;
    }
    clean(&store);
    *out = store;
    return TF_OK;
}

void tf_store_close(struct tf_store *store)
{
    int *const all[] = {&store->root, &store->lambdas, &store->domains, &store->lock};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0) {
            (void)close(*all[i]);
            *all[i] = -1;
        }
    }
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* The atomic write that everything here goes through. */
static tf_err write_file(int folder, const char *name, const void *data, size_t size)
{
    char unfinished[128];
    (void)snprintf(unfinished, sizeof(unfinished), "%s%s", temporary, name);
    int fd = openat(folder, unfinished,
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return file_error();
    }
    tf_err err = write_all(fd, data, size) && fsync(fd) == 0 ? TF_OK : file_error();
    if (close(fd) != 0 && err == TF_OK) {
        err = file_error();
    }
    if (err == TF_OK && renameat(folder, unfinished, folder, name) != 0) {
        err = file_error();
    }
    if (err != TF_OK) {
        (void)unlinkat(folder, unfinished, 0);
        return err;
    }
    return fsync(folder) == 0 ? TF_OK : file_error();
}

/* The same, and a word in the log when it fails. */
static tf_err put_file(int folder, const char *name, const void *data, size_t size)
{
    tf_err err = write_file(folder, name, data, size);
    if (err != TF_OK) {
        tf_log("store-failed", "file=%s error=%s", name, tf_err_name(err));
    }
    return err;
}

static void domain_name(const char *hex, char out[static TF_STORE_HEX + 6])
{
    (void)snprintf(out, TF_STORE_HEX + 6, "%s.json", hex);
}

tf_err tf_store_put_domain(struct tf_store *store, const char *hex, const void *text,
                           size_t size)
{
    char name[TF_STORE_HEX + 6];
    if (!tf_store_hex_is_valid(hex)) {
        return TF_EFORMAT;
    }
    domain_name(hex, name);
    return put_file(store->domains, name, text, size);
}

bool tf_store_has_domain(const struct tf_store *store, const char *hex)
{
    char name[TF_STORE_HEX + 6];
    if (!tf_store_hex_is_valid(hex)) {
        return false;
    }
    domain_name(hex, name);
    return faccessat(store->domains, name, R_OK, 0) == 0;
}

/* Opens a file of a folder for reading. */
static tf_err open_file(int folder, const char *name, int *fd)
{
    int opened = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) {
        return errno == ENOENT ? TF_ENOTFOUND : TF_EIO;
    }
    *fd = opened;
    return TF_OK;
}

tf_err tf_store_get_domain(const struct tf_store *store, const char *hex, int *fd)
{
    char name[TF_STORE_HEX + 6];
    if (!tf_store_hex_is_valid(hex)) {
        return TF_EFORMAT;
    }
    domain_name(hex, name);
    return open_file(store->domains, name, fd);
}

/* Where a signer's list lies: *folder, the caller's to close, and the name in it. */
static tf_err find_list(const struct tf_store *store, const char *domain,
                        const char *signer, int (*open_one)(int parent, const char *name),
                        int *folder, char name[static TF_STORE_HEX + 6])
{
    char folder_name[TF_STORE_HEX + 16];
    if (!tf_store_hex_is_valid(domain) || !tf_store_hex_is_valid(signer)) {
        return TF_EFORMAT;
    }
    (void)snprintf(folder_name, sizeof(folder_name), "%s%s", domain, lists_suffix);
    domain_name(signer, name);
    int fd = open_one(store->domains, folder_name);
    if (fd < 0) {
        return errno == ENOENT ? TF_ENOTFOUND : file_error();
    }
    *folder = fd;
    return TF_OK;
}

tf_err tf_store_put_list(struct tf_store *store, const char *domain, const char *signer,
                         const void *text, size_t size)
{
    char name[TF_STORE_HEX + 6];
    int folder = -1;
    tf_err err = find_list(store, domain, signer, make_folder, &folder, name);
    if (err != TF_OK) {
        return err;
    }
    err = put_file(folder, name, text, size);
    (void)close(folder);
    return err;
}

tf_err tf_store_get_list(const struct tf_store *store, const char *domain,
                         const char *signer, int *fd)
{
    char name[TF_STORE_HEX + 6];
    int folder = -1;
    tf_err err = find_list(store, domain, signer, open_folder, &folder, name);
    if (err != TF_OK) {
        return err;
    }
    err = open_file(folder, name, fd);
    (void)close(folder);
    return err;
}

tf_err tf_store_put(struct tf_store *store, const char *name, enum tf_store_file file,
                    const void *data, size_t size)
{
    if (!tf_store_name_is_valid(name)) {
        return TF_EFORMAT;
    }
    int folder = make_folder(store->lambdas, name);
    if (folder < 0) {
        return file_error();
    }
    tf_err err = put_file(folder, file_name(file), data, size);
    (void)close(folder);
    return err;
}

tf_err tf_store_get(const struct tf_store *store, const char *name,
                    enum tf_store_file file, int *fd)
{
    if (!tf_store_name_is_valid(name)) {
        return TF_EFORMAT;
    }
    int folder = open_folder(store->lambdas, name);
    if (folder < 0) {
        return errno == ENOENT ? TF_ENOTFOUND : TF_EIO;
    }
    tf_err err = open_file(folder, file_name(file), fd);
    (void)close(folder);
    return err;
}

tf_err tf_store_promote(struct tf_store *store, const char *name)
{
    if (!tf_store_name_is_valid(name)) {
        return TF_EFORMAT;
    }
    int folder = open_folder(store->lambdas, name);
    if (folder < 0) {
        return TF_EIO;
    }
    bool is_good =
        renameat(folder, file_name(TF_STORE_NEXT), folder, file_name(TF_STORE_GRANT)) == 0
            ? fsync(folder) == 0
            : errno == ENOENT;
    (void)close(folder);
    return is_good ? TF_OK : TF_EIO;
}

void tf_store_forget_next(struct tf_store *store, const char *name)
{
    int folder = tf_store_name_is_valid(name) ? open_folder(store->lambdas, name) : -1;
    if (folder >= 0) {
        (void)unlinkat(folder, file_name(TF_STORE_NEXT), 0);
        (void)close(folder);
    }
}

tf_err tf_store_remove(struct tf_store *store, const char *name)
{
    char gone[TF_NAME_MAX + sizeof(temporary)];
    if (!tf_store_name_is_valid(name)) {
        return TF_EFORMAT;
    }
    (void)snprintf(gone, sizeof(gone), "%s%s", temporary, name);
    remove_folder(store->lambdas, gone);
    if (renameat(store->lambdas, name, store->lambdas, gone) != 0) {
        return errno == ENOENT ? TF_ENOTFOUND : TF_EIO;
    }
    if (fsync(store->lambdas) != 0) {
        return TF_EIO;
    }
    remove_folder(store->lambdas, gone);
    return TF_OK;
}

tf_err tf_store_each(const struct tf_store *store,
                     void (*fn)(void *user, const char *name), void *user)
{
    DIR *dir = list(store->lambdas);
    if (dir == NULL) {
        return TF_EIO;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        if (tf_store_name_is_valid(entry->d_name)) {
            fn(user, entry->d_name);
        }
    }
    (void)closedir(dir);
    return TF_OK;
}

tf_err tf_store_read(int fd, void *out, size_t cap, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return TF_EIO;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > cap) {
        return TF_ELIMIT;
    }
    size_t have = 0;
    while (have < (size_t)info.st_size) {
        ssize_t got =
            pread(fd, (uint8_t *)out + have, (size_t)info.st_size - have, (off_t)have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return TF_EIO;
        }
        have += (size_t)got;
    }
    *size = have;
    return TF_OK;
}
