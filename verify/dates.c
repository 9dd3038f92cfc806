/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/dates.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { DAY = 86400, DAYS_MAX = 2932896 }; /* 9999-12-31 */

static const char FORM[] = "0000-00-00T00:00:00Z";

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

int64_t tf_date_days(int year, int month, int day)
{
    int64_t before = year - 1; /* whole years since year 1 */
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;

    for (int m = 1; m < month; m++) {
        days += days_of(year, m);
    }
    return days + day - 1;
}

static int digits(const char *text, size_t count)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool has_form(const char *text)
{
    for (size_t i = 0; i < sizeof(FORM); i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (FORM[i] == '0' ? !is_digit : text[i] != FORM[i]) {
            return false;
        }
    }
    return true;
}

tf_err tf_date_parse(const char *text, int64_t *out)
{
    if (!has_form(text)) {
        return TF_EFORMAT;
    }
    int year = digits(text, 4);
    int month = digits(text + 5, 2);
    int day = digits(text + 8, 2);
    int hour = digits(text + 11, 2);
    int minute = digits(text + 14, 2);
    int second = digits(text + 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of(year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return TF_EFORMAT;
    }
    *out = tf_date_days(year, month, day) * DAY + (int64_t)hour * 3600 +
           (int64_t)minute * 60 + second;
    return TF_OK;
}

static void put(char *out, size_t count, int value)
{
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

int64_t tf_date_read(struct tf_json_fields *f, const char *key)
{
    int64_t date = 0;
    const char *text = tf_json_string(f, key, TF_DATE_SIZE - 1, TF_DATE_SIZE - 1);

    if (text == NULL || tf_date_parse(text, &date) != TF_OK) {
        f->bad = true;
    }
    return date;
}

void tf_date_write(int64_t date, char out[static TF_DATE_SIZE])
{
    int64_t last = (int64_t)DAYS_MAX * DAY + DAY - 1;
    int year = 1970;
    int month = 1;

    date = date < 0 ? 0 : date;
    date = date > last ? last : date;
    int days = (int)(date / DAY);
    int seconds = (int)(date % DAY);
    while (days >= (is_leap(year) ? 366 : 365)) {
        days -= is_leap(year) ? 366 : 365;
        year++;
    }
    while (days >= days_of(year, month)) {
        days -= days_of(year, month);
        month++;
    }
    memcpy(out, FORM, sizeof(FORM));
    put(out, 4, year);
    put(out + 5, 2, month);
    put(out + 8, 2, days + 1);
    put(out + 11, 2, seconds / 3600);
    put(out + 14, 2, seconds / 60 % 60);
    put(out + 17, 2, seconds % 60);
}
