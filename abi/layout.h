/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - how an image becomes an enclave's address space.
 *
 * An image is a static-PIE ELF whose section ".tfaas.layout" holds one struct tf_layout
 * (read-only, so measured). lib/image.c derives every page of the enclave from the ELF
 * and this struct alone; the signer, the loader and the measurement use that one
 * function.
 *
 * Order of the pages, by offset from the enclave's base (ELF segments start at 0):
 *   ELF segments
 *   per thread: hole 64 KiB, stack, hole 64 KiB, TCS, SSA, thread page, heap, slots
 *   shared heap
 *
 * A slot is what one running invocation has: hole 64 KiB, stack, hole 64 KiB, JavaScript
 * heap. Added at the start, and measured: segments, a thread's stack (zeros), TCS, SSA
 * (zeros), thread page. Heap, slots and shared heap are address space: a page of them is
 * added by the kernel (EAUG) when the enclave accepts it, before its first use.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TF_PAGE = 4096,
    TF_GUARD = 64 << 10,          /* hole on both sides of a stack */
    TF_LAYOUT_MAGIC = 0x3146544c, /* "LTF1" */
    TF_XFRM = 7,                  /* x87, SSE, AVX: fixed at build time */
    TF_ENGINE_NAME_MAX = 12
};

/* Fences against load value injection in all code of the image (deps/lvi). */
enum tf_lvi { TF_LVI_OFF, TF_LVI_CF, TF_LVI_FULL };

/* The section .tfaas.layout. Sizes in bytes, multiples of TF_PAGE. */
struct tf_layout {
    uint32_t magic;
    uint32_t threads;                /* TCS count, 1 to TF_THREADS_MAX */
    uint64_t elrange;                /* SECS.SIZE, a power of two */
    uint64_t stack_size;             /* a thread's: TLS, HTTP, what manages */
    uint64_t heap_size;              /* a thread's: TLS, HTTP, snapshots */
    uint64_t slot_size;              /* a slot's: a JavaScript heap */
    uint64_t shared_size;            /* the enclave's: bundles, grants */
    char engine[TF_ENGINE_NAME_MAX]; /* NUL padded */
    uint32_t lvi;                    /* enum tf_lvi */
    uint32_t slots;                  /* of a thread, 1 to TF_SLOTS_MAX */
    uint32_t version;    /* TF_ABI_VERSION when it was built: for the loader */
    uint64_t slot_stack; /* a slot's: the stack of what runs in it */
};

/*
 * The first bytes of a thread's FS/GS page. The builder fills the offsets (from the
 * base); the rest is zero in the image and written inside. Offsets 0 and 0x28 are what
 * the compiler and musl read through FS (thread pointer, stack protector).
 */
struct tf_thread_page {
    uint64_t self;     /* 0x00 own address; set at the first entry */
    uint64_t host_rsp; /* 0x08 the host's RSP, RBP, RCX (return address) while inside */
    uint64_t host_rbp; /* 0x10 */
    uint64_t host_rcx; /* 0x18 */
    uint64_t started;  /* 0x20 0 until the first entry set this page up */
    uint64_t canary;   /* 0x28 stack protector */
    uint64_t host_r12[4]; /* 0x30 r12-r15 of the host */
    uint64_t stack_top;   /* 0x50 offsets from the base, by the builder: */
    uint64_t stack_size;  /* 0x58 */
    uint64_t heap;        /* 0x60 */
    uint64_t heap_size;   /* 0x68 */
    uint64_t slot;        /* 0x70 the first slot's JavaScript heap */
    uint64_t slot_size;   /* 0x78 */
    uint64_t shared;      /* 0x80 */
    uint64_t shared_size; /* 0x88 */
    uint64_t elrange;     /* 0x90 */
    uint64_t page;        /* 0x98 offset of this page itself */
    uint64_t index;       /* 0xa0 thread number */
    uint64_t base;        /* 0xa8 address of the enclave; set at the first entry */
    uint64_t channel;     /* 0xb0 host address of the channel; set at the first entry */
    uint64_t state; /* 0xb8 offset of the thread's struct tf_thread, once it exists */
    int64_t error_number; /* 0xc0 errno of libc parts */
    uint64_t slots;       /* 0xc8 count, by the builder, as the next one: */
    uint64_t slot_span;   /* 0xd0 from a slot's JavaScript heap to the next one's */
    uint64_t slot_stack;  /* 0xd8 size; it ends a hole before the heap */
};

static_assert(sizeof(struct tf_layout) == 80, "layout is ABI");
static_assert(offsetof(struct tf_thread_page, canary) == 0x28, "fs:0x28 is the canary");
static_assert(offsetof(struct tf_thread_page, stack_top) == 0x50, "gate.S reads this");
static_assert(offsetof(struct tf_thread_page, base) == 0xa8, "gate.S reads this");
static_assert(sizeof(struct tf_thread_page) == 0xe0, "layout is ABI");
