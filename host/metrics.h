/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h - GET /metrics: the enclaves' own counters, asked for at each scrape, and
 * tfaasd's, as Prometheus text (exposition format 0.0.4).
 */
#pragma once

#include "host/admin.h"
#include "host/daemon.h"

struct tf_worker;

/** Asks a worker what it counts and which lambdas it would serve now; for tfaasd itself.
 */
void tf_metrics_look(struct tf_worker *worker);

/** Asks all workers which lambdas they would serve now, then calls `fn`; `conn` is NULL
 * if its client left meanwhile. */
void tf_metrics_then(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                     void (*fn)(struct tf_daemon *daemon, struct tf_admin_conn *conn));

/** Asks all workers, then answers on `conn`; who does not answer within a second counts
 * with what it said last. */
void tf_metrics_scrape(struct tf_daemon *daemon, struct tf_admin_conn *conn);
