/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sni.h - the server name of a TLS ClientHello that was peeked from a socket. It only
 * chooses the worker; TLS itself ends in the enclave, which parses the same bytes again.
 * All input is untrusted. Sources: RFC 8446 4.1.2 and 5.1, RFC 6066 section 3.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/err.h"

enum { TF_SNI_PEEK_MAX = 16 << 10 }; /* bytes of a ClientHello with its record headers */

/**
 * Reads the host name of a ClientHello, which may be spread over several records.
 *
 * @param bytes  untrusted; all that was peeked so far, from the first byte of the
 * connection.
 * @param name   lower case, NUL-terminated; untouched on failure.
 * @return TF_OK; TF_AGAIN if more bytes are needed; TF_ENOTFOUND for a ClientHello
 * without a host name; TF_ELIMIT if it is larger than TF_SNI_PEEK_MAX; TF_EFORMAT
 * otherwise.
 */
TF_MUST_USE tf_err tf_sni_parse(const uint8_t *bytes, size_t size,
                                char name[static TF_DNS_MAX + 1]);
