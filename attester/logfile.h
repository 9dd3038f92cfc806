/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logfile.h - the transparency log on the disk: FOLDER/log.jsonl, which only grows. What
 * tf_logfile_append returned TF_OK for is on the disk. One attester at a time has it
 * open. No locking between threads: attester/book.c does that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "lib/err.h"
#include "verify/tlog.h"

/** An open log; tf_logfile_close ends it. */
struct tf_logfile {
    int fd;
    bool is_broken;      /* what is on the disk is not known any more */
    EVP_PKEY *key;       /* borrowed: signs */
    struct tf_tlog walk; /* at the last line */
};

/** Sees each line of the log as it is opened. @return whether to go on. */
typedef bool (*tf_logfile_visit)(const struct tf_tlog_line *line, void *user);

/**
 * Opens, makes it if it is not there, removes a torn last line (a crash: it was never
 * acted upon), and checks all of it.
 *
 * @param cut  bytes that were removed.
 * @return TF_OK; TF_EIO, TF_ELIMIT, TF_ENOMEM or TF_ELOG_* after a message.
 */
TF_MUST_USE tf_err tf_logfile_open(struct tf_logfile *log, const char *folder,
                                   EVP_PKEY *key, tf_logfile_visit visit, void *user,
                                   uint64_t *cut);
void tf_logfile_close(struct tf_logfile *log);

/** Signs and writes one line, and waits until it is on the disk.
 *  @return TF_OK; an error after a message. After TF_EIO the log takes no more lines
 * until it is opened again. */
TF_MUST_USE tf_err tf_logfile_append(struct tf_logfile *log,
                                     const struct tf_tlog_event *event);
