/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_driver.h - /dev/sgx_enclave of the simulated machine: the kernel's own structures
 * (<asm/sgx.h>) go in, and each operation is refused with the errno that Linux's driver
 * gives (arch/x86/kernel/cpu/sgx/{ioctl,encl,driver}.c, 6.x).
 */
#pragma once

#include <stdint.h>

#include "host/sim.h"

/** open("/dev/sgx_enclave"), and address space for an ELRANGE of `size` at sim->base.
 *  @param size  0: the caller reserves, with anonymous memory; strict mode only then.
 *  @param directory  the machine's. @return 0, -EBUSY (one a process), -errno. */
int tf_sim_open(const char *directory, uint64_t size, struct tf_sim **out);
/** NULL is fine. */
void tf_sim_close(struct tf_sim *sim);

/**
 * ioctl(fd, request, argument).
 * @param argument  in this process; checked as copy_from_user does.
 * @param code  EINIT's own code when INIT gives -EPERM. The driver keeps it to itself.
 * @return 0 or a negative errno.
 */
int tf_sim_ioctl(struct tf_sim *sim, unsigned long request, void *argument,
                 uint32_t *code);

/** mmap(address, size, protection, flags, fd, 0) with MAP_FIXED. Where no page was added,
 *  access after INIT has the driver add one (EAUG), for the enclave to accept.
 *  @return 0, -errno. */
int tf_sim_mmap(struct tf_sim *sim, uint64_t address, uint64_t size, int protection,
                int flags);
