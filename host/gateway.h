/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.h - accepts TCP connections, peeks the server name of their ClientHello and
 * passes the socket, nothing read from it, to the worker that serves the name. tfaasd
 * never sees a byte of a connection again.
 */
#pragma once

#include "host/daemon.h"
#include "lib/err.h"

/** Listens on ADDR:PORT ([ADDR]:PORT for IPv6). @return TF_OK, TF_EUSAGE, TF_EIO. */
TF_MUST_USE tf_err tf_gateway_open(struct tf_daemon *daemon);

/** Takes over a connection that a worker handed back. `fd` is untrusted: it may be
 * anything. */
void tf_gateway_take(struct tf_gateway *gateway, int fd);

/** Who accepts, and for whom; NULL without a gateway. */
struct tf_lend *tf_gateway_lend(struct tf_gateway *gateway);

/** A worker began to serve: tries the connections that wait for one. */
void tf_gateway_retry(struct tf_gateway *gateway);

/** Stops listening and closes what is not passed on yet. */
void tf_gateway_close(struct tf_gateway *gateway);
