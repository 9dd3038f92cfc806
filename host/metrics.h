/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h - GET /metrics: the enclaves' own counters, asked for at each scrape, and
 * tfaasd's, as Prometheus text (exposition format 0.0.4).
 */
#pragma once

#include "host/admin.h"
#include "host/daemon.h"

/** Asks all workers, then answers on `conn`; who does not answer within a second counts
 * with what it said last. */
void tf_metrics_scrape(struct tf_daemon *daemon, struct tf_admin_conn *conn);
