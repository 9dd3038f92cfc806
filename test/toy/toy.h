/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy.h - frames that the toy enclave understands, besides echoing every other type.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum toy_frame {
    TOY_FACTS = 100,  /* answer: struct tf_toy_facts */
    TOY_REPORT = 101, /* TARGETINFO and 64 bytes; answer: REPORT */
    TOY_KEY = 102,    /* KEYREQUEST; answer: struct tf_toy_key */
    TOY_STATE = 103,  /* answer: struct tf_toy_state of this entry (snapshot.S) */
    TOY_LEAF = 104,   /* struct tf_toy_leaf: ENCLU with these operands */

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
    TOY_TRAP = 209,
    TOY_DIVIDE = 210,
    TOY_BREAK = 211,
    TOY_RDTSC = 213,      /* where there is no SGX2 */
    TOY_CPUID = 214,      /* illegal in an enclave; the simulator sees it when it steps */
    TOY_RUN_OUTSIDE = 212 /* calls the host's function whose address is the payload */
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

/* Every register as it was when C was called. */
struct tf_toy_state {
    uint64_t registers[16]; /* in the order of GPRSGX */
    uint64_t flags;
    uint64_t count; /* of calls so far */
    uint64_t spare[6];
    uint8_t extended[832]; /* XSAVE, with all components */
};

/* Operands as offsets from what is in order (aligned, inside): 0 is in order; or, with
 * `is_address`, as they are. */
struct tf_toy_leaf {
    uint64_t leaf;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t is_address;
    uint8_t input[512]; /* at RBX */
};

struct tf_toy_key {
    uint64_t code;
    uint8_t key[16];
};

static_assert(offsetof(struct tf_toy_state, flags) == 128, "snapshot.S");
static_assert(offsetof(struct tf_toy_state, extended) == 192, "snapshot.S");
