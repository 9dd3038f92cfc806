/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll.h - an enclave gives way to a new one while it serves: another image, or another
 * trust domain's descriptor. The new one, the heir, starts beside the old one and is
 * given the same bundles; if it does not load them all (tryout.h), it is given up.
 * Management connections go to it, so that whoever grants can attest it; clients go to
 * the old one until the heir is granted their lambda. Once all that was granted is
 * granted again, the old one finishes its connections and ends. Until then the old one's
 * store is untouched, and the roll can be given up.
 */
#pragma once

#include <stdbool.h>

#include "host/admin.h"
#include "host/daemon.h"

struct tf_lambda;
struct tf_worker;

/** POST: begins. Answers as GET does. */
void tf_roll_begin(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                   const struct tf_admin_request *request);

/** GET: how far the last one is. */
void tf_roll_status(struct tf_daemon *daemon, struct tf_admin_conn *conn);

/** DELETE: gives up what is not done. */
void tf_roll_abort(struct tf_daemon *daemon, struct tf_admin_conn *conn);

/** Where a connection with this server name goes. @return NULL: nowhere. */
struct tf_worker *tf_roll_route(const struct tf_lambda *lambda, const char *sni);

/** Whether the place is being rolled, from or to: no deployment until that is over. */
bool tf_roll_holds(const struct tf_daemon *daemon, const char *engine,
                   const char *domain);

/** A worker serves, or ended. */
void tf_roll_worker_changed(struct tf_worker *worker);

/** No timer fires any more. */
void tf_roll_stop(struct tf_daemon *daemon);

/** Frees all, after the workers. */
void tf_roll_wipe(struct tf_daemon *daemon);
