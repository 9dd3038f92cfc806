/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.h - a process of a worker's own that stays outside of its sandbox to do one
 * thing for it: forked early, told nothing but through its socket.
 */
#pragma once

#include "lib/err.h"

/** What it does until the socket is closed. @param path  what it does it with. */
typedef void tf_helper_serve(int fd, const char *path);

/**
 * Starts it. Before tf_sandbox_lower.
 *
 * @param path  kept by that process.
 * @param fd    a SOCK_SEQPACKET socket to it, the caller's; it ends when that is closed,
 *              and with the calling thread.
 * @return TF_OK, TF_EIO.
 */
TF_MUST_USE tf_err tf_helper_open(tf_helper_serve *serve, const char *path, int *fd);
