/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_port.h - the driver and the vDSO played by the simulator, under the hardware
 * backend: so that host/enclave_sgx.c and host/sgx_call.S run with a real image where
 * there is no SGX. Faults do not come back through it: the simulator ends the process
 * itself.
 */
#pragma once

#include "host/enclave.h"
#include "host/sgx.h"

/** @param options  the simulator's, kept. @return the port; one a process. */
struct tf_sgx_port *tf_sim_port(const struct tf_enclave_options *options);
