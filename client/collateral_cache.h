/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collateral_cache.h - files that were fetched, in a folder; a file's time is when that
 * was. Whoever can write there can do no more than a service on the network: everything
 * in it is signed, and is judged anew each time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum { TF_CACHE_NAME_MAX = 200 };

/** XDG_CACHE_HOME/tfaas/collateral, else ~/.cache/tfaas/collateral, else NULL. The text
 *  stays valid until the next call. */
const char *tf_cache_folder(void);

/** Reads a file. @param data  owned by the caller: free. @return whether it is there. */
bool tf_cache_load(const char *folder, const char *name, size_t max, uint8_t **data,
                   size_t *size, int64_t *fetched);

/** Writes a file, and makes the folder for its owner alone if it is not there. What
 *  cannot be written is said on stderr and does no other harm. */
void tf_cache_store(const char *folder, const char *name, const void *data, size_t size);
