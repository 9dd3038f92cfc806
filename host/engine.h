/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - an engine's files on the host, and what they say it is. */
#pragma once

#include "host/daemon.h"
#include "lib/err.h"

/** Reads MRENCLAVE and MRSIGNER from the SIGSTRUCT, or measures a native runtime. It is
 *  for lists; the loader checks the SIGSTRUCT against the image.
 *  @return TF_OK, TF_EIO, TF_EIMAGE_SIGNATURE. */
TF_MUST_USE tf_err tf_engine_identify(struct tf_engine *engine);
