/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - this image's own struct tf_layout: measured, so it may be trusted.
 */
#pragma once

#include "abi/layout.h"

extern const struct tf_layout tf_layout;
