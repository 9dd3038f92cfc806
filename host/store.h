/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - what tfaasd keeps on disk (doc/formats.md, "Files of tfaasd"). Everything in
 * it is untrusted for the enclave: bundles are signed, grants sealed. Files appear whole
 * or not at all: written under a temporary name in the same folder, fsync, rename, fsync
 * of the folder. Names become paths only after they were checked here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/err.h"

struct tf_store {
    int root;    /* descriptors of the folders */
    int lambdas; /* lambdas/ */
    int domains; /* domains/ */
    int lock;    /* held for life: one tfaasd per state folder */
};

enum tf_store_file {
    TF_STORE_BUNDLE,
    TF_STORE_META,
    TF_STORE_GRANT,
    TF_STORE_NEXT /* the grant in an enclave that is to take over (roll.h) */
};

enum { TF_STORE_META_MAX = 4096, TF_STORE_HEX = 64 };

/** Opens or makes the state folder, takes its lock, removes what a crash left unfinished.
 *  @return TF_OK, TF_AGAIN (another tfaasd has it), TF_EUSAGE (group or others may write
 * to it: the admin socket would be theirs), TF_ESPACE, TF_EIO. */
TF_MUST_USE tf_err tf_store_open(const char *path, struct tf_store *out);
void tf_store_close(struct tf_store *store);

/** Whether `name` may be a lambda's: [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most TF_NAME_MAX.
 */
bool tf_store_name_is_valid(const char *name);

/** Whether `hex` is a SHA-256 in lower-case hex. */
bool tf_store_hex_is_valid(const char *hex);

/** Keeps a descriptor as domains/HEX.json; the caller has checked that `hex` is its hash.
 *  @return as tf_store_put. */
TF_MUST_USE tf_err tf_store_put_domain(struct tf_store *store, const char *hex,
                                       const void *text, size_t size);
bool tf_store_has_domain(const struct tf_store *store, const char *hex);

/** Opens a descriptor for reading. @return TF_OK, TF_ENOTFOUND, TF_EFORMAT, TF_EIO. */
TF_MUST_USE tf_err tf_store_get_domain(const struct tf_store *store, const char *hex,
                                       int *fd);

/** Keeps a publisher's revocation list as domains/HEX.revocations/SIGNER.json; `signer`
 *  is a keyid. @return as tf_store_put. */
TF_MUST_USE tf_err tf_store_put_list(struct tf_store *store, const char *domain,
                                     const char *signer, const void *text, size_t size);

/** Opens one for reading. @return TF_OK, TF_ENOTFOUND, TF_EFORMAT, TF_EIO. */
TF_MUST_USE tf_err tf_store_get_list(const struct tf_store *store, const char *domain,
                                     const char *signer, int *fd);

/** Replaces one file of a lambda, whose folder is made if it is missing.
 *  @return TF_OK, TF_EFORMAT (name), TF_ESPACE (the disk is full), TF_EIO; what failed is
 * in the log. */
TF_MUST_USE tf_err tf_store_put(struct tf_store *store, const char *name,
                                enum tf_store_file file, const void *data, size_t size);

/** Opens a file of a lambda for reading. @return TF_OK, TF_ENOTFOUND, TF_EFORMAT, TF_EIO.
 */
TF_MUST_USE tf_err tf_store_get(const struct tf_store *store, const char *name,
                                enum tf_store_file file, int *fd);

/** The next grant takes the place of the grant, if there is one. @return TF_OK,
 *  TF_EFORMAT, TF_EIO. */
TF_MUST_USE tf_err tf_store_promote(struct tf_store *store, const char *name);

/** Forgets the next grant, if there is one. */
void tf_store_forget_next(struct tf_store *store, const char *name);

/** Removes a lambda with all its files, at once. @return TF_OK, TF_ENOTFOUND, TF_EIO. */
TF_MUST_USE tf_err tf_store_remove(struct tf_store *store, const char *name);

/** Calls `fn` for each folder of lambdas/ whose name is valid. */
TF_MUST_USE tf_err tf_store_each(const struct tf_store *store,
                                 void (*fn)(void *user, const char *name), void *user);

/** Reads a whole open file of at most `cap` bytes. @return TF_OK, TF_ELIMIT, TF_EIO. */
TF_MUST_USE tf_err tf_store_read(int fd, void *out, size_t cap, size_t *size);
