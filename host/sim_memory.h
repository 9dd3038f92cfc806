/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_memory.h - the simulated enclave's memory and its EPCM: ordinary anonymous memory
 * whose protections are what the EPCM allows. For host/sim_driver.c and enclave_sim.c.
 */
#pragma once

#include "host/sim.h"

/** Reserves ELRANGE, naturally aligned, with a page before it for the gate, as a loader
 *  reserves address space before CREATE. @return 0, -ENOMEM. */
int tf_sim_memory_reserve(struct tf_sim *sim, uint64_t size);
/** The EPCM, after ECREATE. @return 0, -ENOMEM; -EINVAL if SECS.BASE is not what was
 *  reserved. */
int tf_sim_memory_init(struct tf_sim *sim);
void tf_sim_memory_release(struct tf_sim *sim);

/** Around the filling of pages. @return 0, -errno. */
int tf_sim_memory_open(struct tf_sim *sim, uint64_t offset, uint64_t size);
void tf_sim_memory_close(struct tf_sim *sim, uint64_t offset, uint64_t size);
/** Pages that are about to be filled, if none of them is zeros: one fault for all. */
void tf_sim_memory_expect(struct tf_sim *sim, uint64_t offset, const uint8_t *content,
                          size_t size);
void tf_sim_memory_fill(struct tf_sim *sim, uint64_t offset,
                        const uint8_t page[static TF_PAGE]);

/** Whether there is no page in the range. Most of an enclave is address space, so this is
 *  asked before each page is looked at. */
bool tf_sim_memory_is_bare(const struct tf_sim *sim, uint64_t offset, uint64_t size);

/** Lets the process at the pages. A TCS stays out of reach; so does what is not there
 *  until tf_sim_memory_map again, but in fast mode, where that would take too long.
 *  @return 0, -errno. */
int tf_sim_memory_map(struct tf_sim *sim, uint64_t offset, uint64_t size, int protection);
