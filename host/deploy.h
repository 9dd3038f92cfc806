/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deploy.h - deploying and removing lambdas. One operation at a time, the others wait:
 * each may need a worker to start, then an enclave's verdict, which tries the code, then
 * the store. A bundle is stored only after an enclave accepted it; a refused one changes
 * nothing.
 */
#pragma once

#include "host/admin.h"
#include "host/daemon.h"

struct tf_worker;

/** Deploys a bundle; takes `body` over (malloc'ed). Answers on `conn`. */
void tf_deploy_bundle(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                      const char *engine, const char *domain, uint8_t *body, size_t size);

/** Removes a lambda from store and enclave. Answers on `conn`. */
void tf_deploy_remove(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                      const char *name);

/** A worker serves, or ended: the operation that waits for it goes on. */
void tf_deploy_worker_changed(struct tf_daemon *daemon, struct tf_worker *worker);

/** Forgets all operations. */
void tf_deploy_wipe(struct tf_daemon *daemon);
