/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lvi.h - what the flavours of an image against load value injection are called.
 */
#pragma once

#include <stdint.h>

/** "off", "cf" or "full". @param lvi  of an open image's layout: at most TF_LVI_FULL. */
const char *tf_lvi_name(uint32_t lvi);
