/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h - the operator's API: HTTP/1.1 on the UNIX socket STATE/admin.sock (mode 0600),
 * one request a connection (doc/formats.md, "Admin API of tfaasd"). admin_http.c moves
 * and parses bytes, admin.c knows the routes. Answers may come later, from deploy.c and
 * metrics.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/daemon.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_admin_conn;

enum { TF_ADMIN_PATH_MAX = 512 };

struct tf_admin_request {
    char method[8];
    char path[TF_ADMIN_PATH_MAX];  /* without the query */
    char query[TF_ADMIN_PATH_MAX]; /* after the "?", or "" */
    uint8_t *body; /* the connection's; tf_admin_take_body hands it over */
    size_t size;
};

/* admin_http.c */

/** Makes the socket. @return TF_OK, TF_ELIMIT (path too long), TF_EIO. */
TF_MUST_USE tf_err tf_admin_open(struct tf_daemon *daemon);
void tf_admin_close(struct tf_admin *admin);

/** Answers; `text` is copied. `conn` may be NULL: the client left. */
void tf_admin_reply(struct tf_admin_conn *conn, int status, const char *type,
                    const char *text, size_t size);

/** Has *holder set to NULL when the client leaves before the answer. */
void tf_admin_hold(struct tf_admin_conn *conn, struct tf_admin_conn **holder);

/** Takes the body over; the caller frees it. */
uint8_t *tf_admin_take_body(struct tf_admin_request *request);

/* admin.c */

/** How many bytes the body of this request may have. */
size_t tf_admin_body_max(const struct tf_admin_request *request);

/** Carries out a request that is there in full. */
void tf_admin_dispatch(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                       struct tf_admin_request *request);

/** Answers `{"error": name, "text": ..., "hint": ...}`. */
void tf_admin_refuse(struct tf_admin_conn *conn, int status, const char *error,
                     const char *text, const char *hint);

/** The same with the words of lib/err.h. */
void tf_admin_fail(struct tf_admin_conn *conn, int status, tf_err err);

/** Closes the object that `w` wrote to `text`, the caller's, and answers with it; if it
 * did not fit with an error. */
void tf_admin_reply_json(struct tf_admin_conn *conn, struct tf_json_writer *w,
                         const char *text);
