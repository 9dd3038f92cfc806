/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dates.h - the one form of date that vendors' collateral and our policies use, as
 * seconds since 1970 (UTC, no leap seconds). No clock: the caller says what time it is.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"

enum { TF_DATE_SIZE = sizeof("2026-01-31T23:59:59Z") };

/** Reads exactly `2026-01-31T23:59:59Z`, years 1970 to 9999. @return TF_OK or TF_EFORMAT.
 */
TF_MUST_USE tf_err tf_date_parse(const char *text, int64_t *out);

/** Reads such a field of an object; 0 and bad otherwise. */
int64_t tf_date_read(struct tf_json_fields *f, const char *key);

/** Writes it, with its NUL. Dates outside of 1970 to 9999 become the nearest of them. */
void tf_date_write(int64_t date, char out[static TF_DATE_SIZE]);

/** The number of days since 1970-01-01 of a date in the Gregorian calendar. */
int64_t tf_date_days(int year, int month, int day);
