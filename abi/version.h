/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h - the version of what is built apart and has to fit: tfaasd, its workers
 * (their options and host/link.h), and the images and runtimes behind them. Where two
 * differ, the worker does not start, and says so. No word of it is trusted: a lie spoils
 * the liar's start.
 *
 * tools/check-layers notices when channel.h, layout.h, native.h or link.h change. Then
 * raise the version, unless what was built before and after works together, and note the
 * sum here: SUM 2fe55ec8f67e3f1f
 */
#pragma once

enum { TF_ABI_VERSION = 2 };
