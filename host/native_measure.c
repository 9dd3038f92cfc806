/* SPDX-License-Identifier: Apache-2.0 */
/* native_measure.c - the measurement of a native runtime's folder. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/native.h"
#include "lib/runtime.h"

static tf_err feed_file(struct tf_runtime *runtime, int folder, const char *name)
{
    uint8_t digest[TF_SHA256_SIZE];
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return TF_EIO;
    }
    void *map = MAP_FAILED;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    if (map == MAP_FAILED) {
        return TF_EIO;
    }
    tf_sha256(map, (size_t)st.st_size, digest);
    (void)munmap(map, (size_t)st.st_size);
    tf_runtime_feed(runtime, name, (uint64_t)st.st_size, digest);
    return TF_OK;
}

tf_err tf_native_measure(const char *folder, uint8_t out[static 32])
{
    struct tf_runtime runtime;
    tf_err err = TF_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return TF_EIO;
    }
    tf_runtime_init(&runtime);
    for (size_t i = 0; err == TF_OK && tf_runtime_files[i] != NULL; i++) {
        err = feed_file(&runtime, fd, tf_runtime_files[i]);
    }
    (void)close(fd);
    if (err == TF_OK) {
        tf_runtime_take(&runtime, out);
    }
    return err;
}
