/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blind.c - instead of snapshot.S in the plain toy image, which shall cost nothing.
 */
#include "test/toy/toy.h"

struct tf_toy_state toy_snapshot;
