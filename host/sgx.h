/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx.h - inside the hardware backend (host/enclave_sgx.c): the lowest layer, which is
 * the kernel or stands in for it, and the parts around the driver's ioctls. The backend
 * calls nothing of the system but through struct tf_sgx_port, so that a dry run can
 * print, and a test can fail, every single step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/sgx_load.h"
#include "host/backend.h"
#include "lib/measure.h"

struct sgx_enclave_run; /* <asm/sgx.h>, of Linux */

/** As vdso_sgx_enter_enclave_t of <asm/sgx.h>. */
typedef int (*tf_sgx_entry)(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                            unsigned int function, unsigned long r8, unsigned long r9,
                            struct sgx_enclave_run *run);

/** What the backend needs of the system. Functions that return int give a negative errno
 * if they fail. */
struct tf_sgx_port {
    /** @return a descriptor. */
    int (*open)(struct tf_sgx_port *port, const char *path);
    int (*close)(struct tf_sgx_port *port, int fd);
    /** @return what the driver returns: 0, or a positive code of the CPU. */
    int (*ioctl)(struct tf_sgx_port *port, int fd, unsigned long request, void *argument);
    int (*mmap)(struct tf_sgx_port *port, void **address, size_t size, int protection,
                int flags, int fd);
    int (*munmap)(struct tf_sgx_port *port, void *address, size_t size);
    /** __vdso_sgx_enter_enclave; NULL: this kernel has none. */
    tf_sgx_entry (*entry)(struct tf_sgx_port *port);
};

/** The kernel. */
extern struct tf_sgx_port tf_sgx_linux;

/** Stands in for the driver: enforces its order, measures, prints each step. */
struct tf_sgx_dry {
    struct tf_sgx_port port; /* first: the functions get it back from here */
    FILE *out;               /* NULL: silent. The caller's */
    unsigned step;           /* calls so far */
    bool is_open;
    bool is_initialised;
    uint64_t base; /* 0: before CREATE */
    uint64_t size;
    uint64_t reserved; /* bytes at first */
    uint64_t mapped;   /* bytes of address space that are not given back */
    struct sgx_secs secs;
    struct tf_measure measure;
    uint8_t mrenclave[32]; /* once INIT came */
};
void tf_sgx_dry_init(struct tf_sgx_dry *dry, FILE *out);

/* --- sgx_call.S
 * -------------------------------------------------------------------------
 */

/**
 * EENTER through `entry`, with the caller's r12 to r15, RFLAGS, MXCSR and x87 control
 * word kept: the vDSO keeps only RBX, RBP and RSP.
 * @param registers  RDI and RSI, passed in and brought back.
 * @return what the vDSO returns.
 */
int tf_sgx_call(tf_sgx_entry entry, uint64_t registers[static 2],
                struct sgx_enclave_run *run);

/* --- sgx_vdso.c
 * -------------------------------------------------------------------------
 */

/**
 * Finds a function in a mapped vDSO, by its dynamic symbols.
 * @param vdso  an ELF image in memory, NULL is fine. Trusted: the kernel's.
 * @return its address, or NULL.
 */
const void *tf_sgx_vdso_find(const uint8_t *vdso, const char *name);

/* --- sgx_why.c
 * --------------------------------------------------------------------------
 */

/** Writes a line for each thing that this machine lacks. @return how many. */
unsigned tf_sgx_missing(FILE *out);

/** What an errno of a step means: a text without newline, "" for no idea. */
const char *tf_sgx_hint(unsigned long request, int error);

enum {
    TF_SGX_EXIT_FAULT = 70, /* exit statuses of the process, as the simulator's */
    TF_SGX_EXIT_LOST = 72
};
