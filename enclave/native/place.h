/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - where this core runs, for the files of this folder.
 */
#pragma once

#include "abi/layout.h"
#include "abi/native.h"

/** What tf_native_open was given. */
const struct tf_native_place *tf_native_place(void);

/** Makes the calling thread the one of this page. */
void tf_native_be(struct tf_thread_page *page);
