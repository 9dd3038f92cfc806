/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_root.h - the public half of the key that signs simulated evidence on this machine.
 * For tfaasd, which tells it to those who ask, and is no part of the simulator otherwise.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"
#include "lib/err.h"

/**
 * The root's DER SubjectPublicKeyInfo; the machine's keys are made when missing.
 * @return TF_OK, or TF_EIO.
 */
TF_MUST_USE tf_err tf_sim_root(const char *directory, uint8_t spki[static TF_SPKI_MAX],
                               size_t *size);
