/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/file.h"
#include "client/keys.h"
#include "client/report.h"

static const size_t LOG_FILE_MAX = (size_t)1 << 30;

static tf_err failed(const char *path)
{
    (void)tf_report(TF_EIO, "%s: %s", path, strerror(errno));
    return TF_EIO;
}

/* The folder's entry of a new file has to be on the disk too. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return is_good;
}

static tf_err open_file(const char *folder, const char *path, int *out)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return failed(folder);
    }
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return failed(path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        (void)tf_report(TF_EIO, "%s: another attester has it open", path);
        return TF_EIO;
    }
    if (!sync_folder(folder)) {
        (void)close(fd);
        return failed(folder);
    }
    *out = fd;
    return TF_OK;
}

static size_t whole_lines(const uint8_t *text, size_t size)
{
    while (size > 0 && text[size - 1] != '\n') {
        size--;
    }
    return size;
}

static tf_err replay(struct tf_logfile *log, const char *path, const char *text,
                     size_t size, tf_logfile_visit visit, void *user)
{
    struct tf_tlog_line line;
    size_t at = 0;
    tf_err err = TF_OK;

    while ((err = tf_tlog_next(&log->walk, text, size, &at, &line)) == TF_OK) {
        if (!visit(&line, user)) {
            return TF_ENOMEM;
        }
    }
    if (err == TF_AGAIN) {
        return TF_OK;
    }
    (void)tf_report(err,
                    "%s line %llu. Keep the file for whoever asks what happened, and give"
                    " the attester an empty folder",
                    path, (unsigned long long)log->walk.seq + 1);
    return err;
}

/* Reads what is there, and cuts what a crash left behind the last newline. */
static tf_err load(struct tf_logfile *log, const char *path, tf_logfile_visit visit,
                   void *user, uint64_t *cut)
{
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, LOG_FILE_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    size_t whole = whole_lines(text, size);
    *cut = size - whole;
    if (*cut > 0 && (ftruncate(log->fd, (off_t)whole) != 0 || fsync(log->fd) != 0)) {
        err = failed(path);
    }
    if (err == TF_OK) {
        err = replay(log, path, (const char *)text, whole, visit, user);
    }
    free(text);
    return err;
}

tf_err tf_logfile_open(struct tf_logfile *log, const char *folder, EVP_PKEY *key,
                       tf_logfile_visit visit, void *user, uint64_t *cut)
{
    char path[PATH_MAX];
    char keyid[TF_TLOG_KEYID_SIZE + 1];
    uint8_t spki[TF_SPKI_MAX];

    if (snprintf(path, sizeof(path), "%s/log.jsonl", folder) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return failed(folder);
    }
    *log = (struct tf_logfile){.fd = -1, .key = key};
    tf_err err = open_file(folder, path, &log->fd);
    if (err != TF_OK) {
        return err;
    }
    tf_keyid(spki, tf_key_spki(key, spki), keyid);
    tf_tlog_init(&log->walk, keyid);
    err = load(log, path, visit, user, cut);
    if (err != TF_OK) {
        tf_logfile_close(log);
    }
    return err;
}

void tf_logfile_close(struct tf_logfile *log)
{
    if (log->fd >= 0) {
        (void)close(log->fd); /* and with it the lock */
        log->fd = -1;
    }
    tf_tlog_wipe(&log->walk);
}

tf_err tf_logfile_append(struct tf_logfile *log, const struct tf_tlog_event *event)
{
    char buffer[TF_TLOG_BUFFER_SIZE + 1];
    uint8_t signature[TF_SIGNATURE_MAX];
    size_t signature_size = 0;
    size_t size = 0;
    struct tf_tlog_line line;
    char *text = buffer + TF_TLOG_LABEL_SIZE;

    if (log->is_broken) {
        (void)tf_report(
            TF_EIO, "the log failed before; restart the attester once the disk is well");
        return TF_EIO;
    }
    tf_err err =
        tf_tlog_line_begin(&log->walk, (uint64_t)time(NULL), event, buffer, &size);
    if (err == TF_OK) {
        err = tf_key_sign(log->key, buffer, size, signature, &signature_size);
    }
    if (err == TF_OK) {
        err = tf_tlog_line_end(buffer, &size, signature, signature_size);
    }
    /* What readers would refuse is not written. */
    if (err == TF_OK) {
        err = tf_tlog_feed(&log->walk, text, size, &line);
    }
    if (err != TF_OK) {
        (void)tf_report(err, "an event of kind %s", tf_tlog_kind_name(event->kind));
        return err;
    }
    text[size] = '\n';
    /* One write. What a full disk leaves of a line is cut at the next start, and after a
     * failed fsync nobody knows what is there: no more lines until then. */
    if (write(log->fd, text, size + 1) != (ssize_t)size + 1 || fsync(log->fd) != 0) {
        log->is_broken = true;
        return failed("log.jsonl");
    }
    return TF_OK;
}
