/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_time.c - the clock that deps/wolfssl/user_settings.h makes wolfSSL ask.
 *
 * It ages session tickets and dates the certificates that the enclave makes. Both are
 * harmless when the host lies: a ticket is bound to its key's lifetime, and a client
 * checks a certificate against its own clock.
 */
#include "enclave/clock.h"

/** Seconds since 1970, untrusted. */
long tf_insecure_time(void);
/** Milliseconds since 1970, untrusted. */
long tf_insecure_time_ms(void);

static const uint64_t NS_PER_S = 1000000000;
static const uint64_t NS_PER_MS = 1000000;

long tf_insecure_time(void)
{
    return (long)(tf_clock_ns() / NS_PER_S);
}

long tf_insecure_time_ms(void)
{
    return (long)(tf_clock_ns() / NS_PER_MS);
}
