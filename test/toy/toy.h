/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy.h - frames that the toy enclave understands, besides echoing every other type.
 */
#pragma once

#include <stdint.h>

enum toy_frame {
    TOY_FACTS = 100,  /* answer: struct tf_toy_facts */
    TOY_REPORT = 101, /* TARGETINFO and 64 bytes; answer: REPORT */
    TOY_KEY = 102,    /* KEYREQUEST; answer: struct tf_toy_key */

    /* From here on the enclave must not survive. */
    TOY_SYSCALL = 200,
    TOY_WRITE_CODE = 201,
    TOY_WRITE_CONSTANT = 202,
    TOY_RUN_HEAP = 203,
    TOY_RUN_STACK = 204,
    TOY_RUN_BASE = 205,
    TOY_READ_TCS = 206,
    TOY_READ_HOLE = 207,
    TOY_OVERFLOW = 208,
    TOY_TRAP = 209
};

/* What the enclave sees of itself. */
struct tf_toy_facts {
    uint64_t now;
    uint64_t base;
    uint64_t flags;
    uint64_t visits;
    uint64_t dirt; /* OR of all words of fresh memory */
    uint32_t mxcsr;
    uint16_t fcw;
    uint16_t canary_is_set;
    char greeting[8];
};

struct tf_toy_key {
    uint64_t code;
    uint8_t key[16];
};
