/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy_host.h - a host for the toy enclave: signs the image with a key of its own, opens
 * it, passes frames. For test/attack/; every failure of its own ends the test program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/sgx_load.h"
#include "host/enclave.h"

struct tf_toy {
    struct tf_enclave *enclave;
    struct tf_channel *channels; /* one per TCS, page-aligned */
    unsigned thread;             /* the TCS that calls go to */
};

/** Where the temporary files lie: image, SIGSTRUCT, the simulator's keys. */
struct tf_toy_files {
    char directory[64];
    char image[96];
    char sigstruct[96];
    char sim[96];
};

/** Copies the image and signs it. */
void tf_toy_files_make(struct tf_toy_files *files, const char *image_path);

/** The same for a program whose one argument is the image; without it, says so and ends.
 */
void tf_toy_files_begin(struct tf_toy_files *files, int argc, char **argv);
void tf_toy_files_remove(const struct tf_toy_files *files);

/** Signs with the key of this run: modulus, signature, Q1, Q2. */
void tf_toy_sign(struct sgx_sigstruct *sig);

/** Options that open these files: fast mode, no cycles burnt. */
struct tf_enclave_options tf_toy_options(const struct tf_toy_files *files);

/** Opens, prepares the calling thread. */
void tf_toy_open(struct tf_toy *toy, const struct tf_enclave_options *options);
void tf_toy_close(struct tf_toy *toy);

/** Puts a frame into the in ring of toy->thread. */
void tf_toy_put(struct tf_toy *toy, uint32_t type, const void *payload, uint32_t size);

/** Enters once. */
struct tf_enclave_exit tf_toy_enter(struct tf_toy *toy);

/** Takes a frame of the out ring. @return its payload's size, or -1 if there is none or
 * the type differs. */
long tf_toy_take(struct tf_toy *toy, uint32_t type, void *payload, size_t cap);

/** put, enter, take: the answer must have exactly `out_size` bytes. @return whether it
 * had. */
int tf_toy_call(struct tf_toy *toy, uint32_t type, const void *payload, uint32_t size,
                void *out, size_t out_size);
