/* SPDX-License-Identifier: Apache-2.0 */
/*
 * js.h - what a test sees of test/fake/js.c beside the engine's contract.
 */
#pragma once

/** How often a "heavy" lambda's top level ran. */
extern unsigned tf_fake_heavy_loads;
