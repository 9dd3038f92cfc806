/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave.h - knobs of a stand-in for host/enclave.h: ordinary C that echoes DATA frames
 * and answers the others, so that the host's programs can be tested without an enclave.
 * It takes the frames off the ring itself, as the enclave's own end does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum { TF_FAKE_NO_TARGET = 256 };

struct tf_fake {
    uint64_t entries;
    uint64_t opened;
    unsigned closed;
    unsigned late;       /* clients of whom a REPORT is made when they have left */
    unsigned reports;    /* made */
    uint64_t sent;       /* sum of the SENT frames */
    uint64_t blob_bytes; /* of finished transfers */
    bool is_dying;       /* the next entry says TF_EXIT_DEAD */
    bool is_busy; /* there is more to do after each entry, as while a lambda computes */
    bool is_closing;    /* answers a connection's first DATA and then closes it */
    size_t answer_size; /* not 0: each DATA is answered with that many bytes of 'x' */

    /* The quoting side; read by the quoter's thread, so to be set atomically. */
    unsigned target; /* each byte of the TARGETINFO, or TF_FAKE_NO_TARGET: nobody there */
    bool is_quoting_slow;    /* no quote returns until this is cleared */
    unsigned quote_failures; /* so many quotes fail, */
    tf_err quote_error;      /* like this */
    unsigned quotes_asked;
};

/** The one fake of the process, for a test to set and read. */
struct tf_fake *tf_fake(void);
