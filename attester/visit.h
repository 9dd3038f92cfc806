/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.h - one visit to a machine: attest every lambda that is wanted and there, renew
 * the leases of the good ones, grant those that need it. What is found bad gets nothing:
 * its lease runs out. A visit keeps nothing but what is in the book, so that visits can
 * be repeated, dropped and cut short as they may.
 */
#pragma once

#include <time.h>

#include <openssl/evp.h>

#include "attester/book.h"
#include "attester/config.h"
#include "attester/issuer.h"

/** What all visits share. All borrowed. */
struct tf_attester {
    const struct tf_config *config;
    EVP_PKEY *key; /* signs grants and leases */
    struct tf_book *book;
    struct tf_issuer *issuer;
};

enum { TF_SERVED_MAX = 8 };

/** DNS names that a machine serves under our leases, one for each instance. */
struct tf_served {
    char names[TF_SERVED_MAX][TF_DNS_MAX + 1];
    size_t count;
};

/** Seconds of a clock that nobody sets. */
time_t tf_steady_now(void);

/** Visits `machine`, ADDR:PORT. May take minutes where it does not answer.
 *  @param served  empty before; what was leased. */
void tf_visit(const struct tf_attester *attester, const char *machine,
              struct tf_served *served);
