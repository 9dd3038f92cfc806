/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - of all programs and of the library that verifies; nothing measured has it.
 */
#pragma once

#define TF_VERSION "0.1.0"
