/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - what the verb `doctor` reads besides single lines of /proc and /sys.
 */
#pragma once

#include <stddef.h>

enum tf_doctor_config { TF_CONFIG_UNREADABLE, TF_CONFIG_UNSET, TF_CONFIG_SET };

/**
 * Looks an option up in a kernel's configuration.
 * @param path   plain, or packed by gzip if it ends so.
 * @param value  `size` bytes: what follows "=", if it is set.
 */
enum tf_doctor_config tf_doctor_config_read(const char *path, const char *option,
                                            char *value, size_t size);
