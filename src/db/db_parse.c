/* SPDX-License-Identifier: MIT */
/* Reading the text of single values: datetimes (RFC 3339, or a date alone), durations, UUIDs,
 * numbers. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "db/db_value_internal.h"

int64_t cwi_db_days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void cwi_db_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  *day = (unsigned)(of_year - (153 * shifted + 2) / 5 + 1);
  *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = years + era * 400 + (*month <= 2 ? 1 : 0);
}

typedef struct reader {
  const char *text;
  size_t size;
  size_t at;
} reader;

static bool take(reader *r, char c) {
  if (r->at >= r->size || r->text[r->at] != c) return false;
  r->at++;
  return true;
}

static bool digits(reader *r, size_t count, int64_t *out) {
  if (r->size - r->at < count) return false;
  int64_t value = 0;
  for (size_t i = 0; i < count; i++) {
    char c = r->text[r->at + i];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  r->at += count;
  *out = value;
  return true;
}

static unsigned days_in_month(int64_t year, int64_t month) {
  static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

static bool parse_date(reader *r, int64_t *days) {
  int64_t year;
  int64_t month;
  int64_t day;
  bool negative = false;
  size_t year_digits = 4;
  if (r->at < r->size && (r->text[r->at] == '+' || r->text[r->at] == '-')) {
    negative = r->text[r->at++] == '-';
    year_digits = 0;
    while (r->at + year_digits < r->size && isdigit((unsigned char)r->text[r->at + year_digits])) {
      year_digits++;
    }
    if (year_digits < 4 || year_digits > 6) return false;
  }
  if (!digits(r, year_digits, &year) || !take(r, '-') || !digits(r, 2, &month) || !take(r, '-') ||
      !digits(r, 2, &day)) {
    return false;
  }
  if (negative) year = -year;
  if (year < -262143 || year > 262142 || month < 1 || month > 12 || day < 1) return false;
  if (day > days_in_month(year, month)) return false;
  *days = cwi_db_days_from_civil(year, (unsigned)month, (unsigned)day);
  return true;
}

static bool parse_fraction(reader *r, int64_t *nanos) {
  *nanos = 0;
  if (!take(r, '.')) return true;
  int64_t unit = 100000000;
  size_t start = r->at;
  while (r->at < r->size && isdigit((unsigned char)r->text[r->at])) {
    *nanos += unit * (r->text[r->at++] - '0');
    unit /= 10;
  }
  return r->at > start && r->at - start <= 9;
}

bool cwi_db_parse_datetime(const char *text, size_t size, cw_value *out) {
  reader r = {.text = text, .size = size};
  int64_t days;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t nanos = 0;
  int64_t zone = 0;
  *out = cwi_value_none();
  if (!parse_date(&r, &days)) return false;
  if (r.at < r.size) {
    if (!take(&r, 'T') && !take(&r, 't') && !take(&r, ' ')) return false;
    if (!digits(&r, 2, &hour) || !take(&r, ':') || !digits(&r, 2, &minute) || !take(&r, ':') ||
        !digits(&r, 2, &second) || !parse_fraction(&r, &nanos)) {
      return false;
    }
    if (hour > 23 || minute > 59 || second > 60) return false;
    if (!take(&r, 'Z') && !take(&r, 'z')) {
      int64_t zone_hour;
      int64_t zone_minute;
      bool west = r.at < r.size && r.text[r.at] == '-';
      if (!take(&r, '+') && !take(&r, '-')) return false;
      if (!digits(&r, 2, &zone_hour) || !take(&r, ':') || !digits(&r, 2, &zone_minute))
        return false;
      if (zone_hour > 23 || zone_minute > 59) return false;
      zone = (zone_hour * 60 + zone_minute) * (west ? -60 : 60);
    }
  }
  if (r.at != r.size) return false;
  *out =
      cw_value_datetime(days * 86400 + hour * 3600 + minute * 60 + second - zone, (uint32_t)nanos);
  return true;
}

/* The nanoseconds of the unit at the reader, 0 where there is none; longer names first. */
static uint64_t take_unit(reader *r) {
  static const struct {
    const char *name;
    uint64_t nanos;
  } units[] = {{"ns", 1},
               {"us", 1000},
               {"\xC2\xB5s", 1000},
               {"\xCE\xBCs", 1000},
               {"ms", 1000000},
               {"s", UINT64_C(1000000000)},
               {"m", UINT64_C(60000000000)},
               {"h", UINT64_C(3600000000000)},
               {"d", UINT64_C(86400000000000)},
               {"w", UINT64_C(604800000000000)},
               {"y", UINT64_C(31536000000000000)}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(units); i++) {
    size_t size = strlen(units[i].name);
    if (r->size - r->at >= size && memcmp(r->text + r->at, units[i].name, size) == 0) {
      r->at += size;
      return units[i].nanos;
    }
  }
  return 0;
}

bool cwi_db_parse_duration(const char *text, size_t size, cw_value *out) {
  reader r = {.text = text, .size = size};
  cwi_u128 total = 0;
  const cwi_u128 end = ((cwi_u128)UINT64_MAX + 1) * 1000000000U;
  *out = cwi_value_none();
  if (size == 0) return false;
  while (r.at < r.size) {
    uint64_t count = 0;
    size_t start = r.at;
    while (r.at < r.size && isdigit((unsigned char)r.text[r.at])) {
      if (count > (UINT64_MAX - 9) / 10) return false;
      count = count * 10 + (uint64_t)(r.text[r.at++] - '0');
    }
    if (r.at == start) return false;
    uint64_t unit = take_unit(&r);
    if (unit == 0) return false;
    total += (cwi_u128)count * unit;
    if (total >= end) return false;
  }
  *out = cw_value_duration((uint64_t)(total / 1000000000U), (uint32_t)(total % 1000000000U));
  return true;
}

bool cwi_db_parse_uuid(const char *text, size_t size, uint8_t bytes[16]) {
  if (size != 36) return false;
  size_t at = 0;
  for (size_t i = 0; i < 16; i++) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at++] != '-') return false;
    }
    unsigned value = 0;
    for (int half = 0; half < 2; half++) {
      unsigned char c = (unsigned char)text[at++];
      if (!isxdigit(c)) return false;
      value = value * 16 + (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    bytes[i] = (uint8_t)value;
  }
  return true;
}

bool cwi_db_parse_int(const char *text, size_t size, int64_t *out) {
  size_t at = 0;
  bool negative = false;
  if (at < size && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  if (at >= size) return false;
  uint64_t value = 0;
  uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  for (; at < size; at++) {
    if (text[at] < '0' || text[at] > '9') return false;
    uint64_t digit = (uint64_t)(text[at] - '0');
    if (value > (limit - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return true;
}

bool cwi_db_parse_float(const char *text, size_t size, double *out) {
  char copy[512];
  if (size == 0 || size >= sizeof(copy)) return false;
  if (isspace((unsigned char)text[0])) return false;
  memcpy(copy, text, size);
  copy[size] = '\0';
  if (strpbrk(copy, "xXpP") != NULL || strlen(copy) != size) return false;
  char *end = NULL;
  *out = strtod(copy, &end);
  return end == copy + size;
}
