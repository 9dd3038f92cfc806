/* SPDX-License-Identifier: Apache-2.0 */
#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/report.h"

/* Reads until the end or until `cap` bytes; -1 on error. */
static ssize_t read_all(int fd, uint8_t *data, size_t cap)
{
    size_t size = 0;

    while (size < cap) {
        ssize_t n = read(fd, data + size, cap - size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        size += (size_t)n;
    }
    return (ssize_t)size;
}

tf_err tf_file_read(const char *path, size_t max, uint8_t **data, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint8_t *bytes = NULL;
    ssize_t n = -1;

    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)tf_report(TF_EIO, "%s: %s", path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return TF_EIO;
    }
    if ((uint64_t)st.st_size > max) {
        (void)close(fd);
        (void)tf_report(TF_ELIMIT, "%s has %lld bytes, at most %zu are accepted", path,
                        (long long)st.st_size, max);
        return TF_ELIMIT;
    }
    bytes = malloc((size_t)st.st_size + 1);
    if (bytes != NULL) {
        n = read_all(fd, bytes, (size_t)st.st_size);
    }
    (void)close(fd);
    if (n < 0) {
        (void)tf_report(TF_EIO, "%s: %s", path,
                        S_ISDIR(st.st_mode) ? "is a folder, not a file"
                                            : "cannot be read");
        free(bytes);
        return TF_EIO;
    }
    bytes[n] = 0;
    *data = bytes;
    *size = (size_t)n;
    return TF_OK;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= (size_t)n;
    }
    return fsync(fd) == 0;
}

tf_err tf_file_write(const char *path, const void *data, size_t size, unsigned mode)
{
    char temporary[PATH_MAX];
    bool good = false;

    if (snprintf(temporary, sizeof(temporary), "%s.tmp%ld", path, (long)gettid()) >=
        (int)sizeof(temporary)) {
        (void)tf_report(TF_EIO, "%s: the path is too long", path);
        return TF_EIO;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (fd >= 0) {
        good = write_all(fd, data, size);
        good = close(fd) == 0 && good && rename(temporary, path) == 0;
    }
    if (!good) {
        tf_err err = errno == ENOSPC || errno == EDQUOT ? TF_ESPACE : TF_EIO;
        (void)tf_report(err, "%s: %s", path, strerror(errno));
        (void)unlink(temporary);
        return err;
    }
    return TF_OK;
}
