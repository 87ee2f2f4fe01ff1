/* SPDX-License-Identifier: MIT */
/* time:: functions. Datetimes are seconds and nanoseconds since 1970; calendars by db_parse.c. */
#include <inttypes.h>
#include <stdio.h>

#include "db/db_fn_internal.h"
#include "db/db_fn_rand.h"

typedef struct civil {
  int64_t year;
  unsigned month, day, hour, minute, second;
  uint32_t nanos;
  int64_t days;
  unsigned weekday;  /* 1 Monday to 7 Sunday */
  unsigned yearday;  /* from 1 */
  unsigned iso_week; /* from 1 */
  int64_t iso_year;
} civil;

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

static civil civil_of(cw_value datetime) {
  civil c = {0};
  int64_t seconds = cw_value_as_seconds(datetime);
  c.nanos = cw_value_as_nanos(datetime);
  c.days = floor_div(seconds, 86400);
  int64_t rest = seconds - c.days * 86400;
  cwi_db_civil_from_days(c.days, &c.year, &c.month, &c.day);
  c.hour = (unsigned)(rest / 3600);
  c.minute = (unsigned)(rest / 60 % 60);
  c.second = (unsigned)(rest % 60);
  c.weekday = (unsigned)(((c.days + 3) % 7 + 7) % 7) + 1;
  c.yearday = (unsigned)(c.days - cwi_db_days_from_civil(c.year, 1, 1)) + 1;
  /* The ISO week is that of its Thursday. */
  int64_t thursday = c.days - c.weekday + 4;
  unsigned ignored;
  cwi_db_civil_from_days(thursday, &c.iso_year, &ignored, &ignored);
  c.iso_week = (unsigned)((thursday - cwi_db_days_from_civil(c.iso_year, 1, 1)) / 7) + 1;
  return c;
}

static cw_value now(void) {
  int64_t seconds;
  uint32_t nanos;
  cwi_db_now(&seconds, &nanos);
  return cw_value_datetime(seconds, nanos);
}

static cw_value given(const cw_value *args, size_t len) { return len > 0 ? args[0] : now(); }

FN(time_now) {
  FN_UNUSED;
  *out = now();
  return CW_OK;
}

#define PART(name, expression)                   \
  FN(name) {                                     \
    FN_UNUSED;                                   \
    civil c = civil_of(given(args, len));        \
    *out = cwi_value_int((int64_t)(expression)); \
    return CW_OK;                                \
  }
PART(time_day, c.day)
PART(time_hour, c.hour)
PART(time_minute, c.minute)
PART(time_month, c.month)
PART(time_second, c.second)
PART(time_wday, c.weekday)
PART(time_week, c.iso_week)
PART(time_yday, c.yearday)
PART(time_year, c.year)

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

FN(time_is_leap_year) {
  FN_UNUSED;
  *out = cwi_value_bool(is_leap(civil_of(given(args, len)).year));
  return CW_OK;
}

#define SINCE(name, per_second, nanos_per)                                \
  FN(name) {                                                              \
    FN_UNUSED;                                                            \
    cw_value when = given(args, len);                                     \
    uint64_t count = (uint64_t)cw_value_as_seconds(when) * (per_second) + \
                     cw_value_as_nanos(when) / (nanos_per);               \
    *out = cwi_value_int((int64_t)count);                                 \
    return CW_OK;                                                         \
  }
SINCE(time_unix, 1U, 1000000000U)
SINCE(time_millis, 1000U, 1000000U)
SINCE(time_micros, 1000000U, 1000U)
SINCE(time_nano, 1000000000U, 1U)

#define FROM(name, per_second, nanos_per)                                                          \
  FN(name) {                                                                                       \
    FN_UNUSED;                                                                                     \
    int64_t count = cwi_value_as_int(args[0]);                                                     \
    int64_t seconds = floor_div(count, (per_second));                                              \
    *out = cw_value_datetime(seconds, (uint32_t)((count - seconds * (per_second)) * (nanos_per))); \
    return CW_OK;                                                                                  \
  }
FROM(time_from_secs, 1, 0)
FROM(time_from_millis, 1000, 1000000)
FROM(time_from_micros, 1000000, 1000)
FROM(time_from_nanos, 1000000000, 1)

FN(time_from_uuid) {
  FN_UNUSED;
  const uint8_t *b = cw_value_as_bytes(args[0]).data;
  uint64_t millis = 0;
  for (int i = 0; i < 6; i++) millis = millis << 8 | b[i];
  if (b[6] >> 4 != 7) {
    return cwi_db_fn_fail(ctx, err, "The first argument must be a UUID of version 7.");
  }
  *out = cw_value_datetime((int64_t)(millis / 1000), (uint32_t)(millis % 1000) * 1000000);
  return CW_OK;
}

FN(time_from_ulid) {
  (void)len;
  static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const char *text = cwi_fn_chars(args[0]);
  uint64_t millis = 0;
  bool good = cwi_fn_size(args[0]) == 26 && text[0] <= '7';
  for (size_t i = 0; good && i < 26; i++) {
    char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
    const char *place = c == '\0' ? NULL : strchr(letters, c);
    good = place != NULL;
    if (good && i < 10) millis = millis * 32 + (uint64_t)(place - letters);
  }
  if (!good) {
    return cwi_db_fn_fail(ctx, err,
                          "The first argument must be a string, containing a valid ULID.");
  }
  *out = cw_value_datetime((int64_t)(millis / 1000), (uint32_t)(millis % 1000) * 1000000);
  return CW_OK;
}

/* ---- rounding ---- */

enum { ROUND_DOWN, ROUND_UP, ROUND_NEAR };

static cw_status round_to(cw_value when, cw_value step, int how, cw_value *out) {
  const int64_t second = 1000000000;
  cwi_u128 unit =
      (cwi_u128)(uint64_t)cw_value_as_seconds(step) * (uint64_t)second + cw_value_as_nanos(step);
  *out = when;
  if (unit == 0 || unit > (cwi_u128)INT64_MAX * (uint64_t)second) return CW_OK;
  /* Counted from the smallest datetime so that all is positive; its distance to 1970 is no multiple
   * of the unit, so the count is put right by the remainder of that distance. */
  const int64_t base = INT64_C(-8334601228800);
  cwi_u128 shift = (cwi_u128)(uint64_t)-base * (uint64_t)second;
  cwi_u128 align = (unit - shift % unit) % unit;
  cwi_u128 place = (cwi_u128)(uint64_t)(cw_value_as_seconds(when) - base) * (uint64_t)second +
                   cw_value_as_nanos(when);
  cwi_u128 rest = (place + align) % unit;
  cwi_u128 down = place - (rest > place ? place : rest);
  bool up = rest != 0 && (how == ROUND_UP || (how == ROUND_NEAR && rest * 2 >= unit));
  cwi_u128 result = up ? down + unit : down;
  *out = cw_value_datetime((int64_t)(uint64_t)(result / (uint64_t)second) + base,
                           (uint32_t)(result % (uint64_t)second));
  return CW_OK;
}

#define ROUND(name, how)                           \
  FN(name) {                                       \
    FN_UNUSED;                                     \
    return round_to(args[0], args[1], (how), out); \
  }
ROUND(time_ceil, ROUND_UP)
ROUND(time_floor, ROUND_DOWN)
ROUND(time_round, ROUND_NEAR)

FN(time_group) {
  (void)len;
  civil c = civil_of(args[0]);
  const char *unit = cwi_fn_chars(args[1]);
  static const char *const names[] = {"year", "month", "day", "hour", "minute", "second"};
  size_t keep = 0;
  while (keep < CWI_ARRAY_LEN(names) && strcmp(names[keep], unit) != 0) keep++;
  if (keep == CWI_ARRAY_LEN(names)) {
    return cwi_db_fn_fail(ctx, err,
                          "The second argument must be a string, and can be one of 'year', "
                          "'month', 'day', 'hour', 'minute', or 'second'.");
  }
  int64_t days = cwi_db_days_from_civil(c.year, keep >= 1 ? c.month : 1, keep >= 2 ? c.day : 1);
  int64_t seconds = (keep >= 3 ? c.hour * 3600 : 0) + (keep >= 4 ? c.minute * 60 : 0) +
                    (keep >= 5 ? c.second : 0);
  *out = cw_value_datetime(days * 86400 + seconds, 0);
  return CW_OK;
}

static cw_status extreme(cw_value list, int sign, cw_value *out) {
  for (size_t i = 0; i < cw_value_len(list); i++) {
    cw_value item = cw_value_array_get(list, i);
    if (i == 0 || cwi_db_compare(item, *out) * sign > 0) *out = item;
  }
  return CW_OK;
}

FN(time_max) {
  FN_UNUSED;
  return extreme(args[0], 1, out);
}

FN(time_min) {
  FN_UNUSED;
  return extreme(args[0], -1, out);
}

/* ---- setting parts ---- */

enum { SET_YEAR, SET_MONTH, SET_DAY, SET_HOUR, SET_MINUTE, SET_SECOND, SET_NANO };

static unsigned month_days(int64_t year, unsigned month) {
  static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static cw_status set_part(const cw_value *args, int part, cw_value *out, cw_error *err) {
  static const char *const names[] = {"year",   "month",  "day",       "hour",
                                      "minute", "second", "nanosecond"};
  static const int64_t limits[][2] = {{-262143, 262142}, {1, 12}, {1, 31},       {0, 23},
                                      {0, 59},           {0, 59}, {0, 999999999}};
  civil c = civil_of(args[0]);
  int64_t value = cwi_value_as_int(args[1]);
  bool good = value >= limits[part][0] && value <= limits[part][1];
  switch (good ? part : -1) {
    case SET_YEAR: c.year = value; break;
    case SET_MONTH: c.month = (unsigned)value; break;
    case SET_DAY: c.day = (unsigned)value; break;
    case SET_HOUR: c.hour = (unsigned)value; break;
    case SET_MINUTE: c.minute = (unsigned)value; break;
    case SET_SECOND: c.second = (unsigned)value; break;
    case SET_NANO: c.nanos = (uint32_t)value; break;
    default: break;
  }
  if (!good || c.day > month_days(c.year, c.month)) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "Unable to set datetime to %s %lld", names[part],
                     (long long)value);
  }
  *out = cw_value_datetime(cwi_db_days_from_civil(c.year, c.month, c.day) * 86400 + c.hour * 3600 +
                               c.minute * 60 + c.second,
                           c.nanos);
  return CW_OK;
}

#define SET(name, part)                      \
  FN(name) {                                 \
    FN_UNUSED;                               \
    return set_part(args, (part), out, err); \
  }
SET(time_set_year, SET_YEAR)
SET(time_set_month, SET_MONTH)
SET(time_set_day, SET_DAY)
SET(time_set_hour, SET_HOUR)
SET(time_set_minute, SET_MINUTE)
SET(time_set_second, SET_SECOND)
SET(time_set_nano, SET_NANO)

/* ---- formatting ---- */

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

static bool append_spec(cwi_buf *out, const civil *c, int64_t unix_seconds, char spec);

static bool append_specs(cwi_buf *out, const civil *c, int64_t unix_seconds, const char *specs) {
  for (; *specs != '\0'; specs++) {
    if (*specs >= 'A' && *specs <= 'z') {
      (void)append_spec(out, c, unix_seconds, *specs);
    } else {
      (void)cwi_buf_append_char(out, *specs);
    }
  }
  return true;
}

static unsigned hour_of_12(const civil *c) { return c->hour % 12 == 0 ? 12 : c->hour % 12; }

/* One %x; false where there is no such. */
static bool append_spec(cwi_buf *out, const civil *c, int64_t unix_seconds, char spec) {
  unsigned sunday_based = c->weekday % 7;
  switch (spec) {
    case 'Y': return cwi_buf_append_format(out, "%04" PRId64, c->year);
    case 'C': return cwi_buf_append_format(out, "%02" PRId64, c->year / 100);
    case 'y': return cwi_buf_append_format(out, "%02" PRId64, c->year % 100);
    case 'm': return cwi_buf_append_format(out, "%02u", c->month);
    case 'd': return cwi_buf_append_format(out, "%02u", c->day);
    case 'e': return cwi_buf_append_format(out, "%2u", c->day);
    case 'H': return cwi_buf_append_format(out, "%02u", c->hour);
    case 'k': return cwi_buf_append_format(out, "%2u", c->hour);
    case 'I': return cwi_buf_append_format(out, "%02u", hour_of_12(c));
    case 'l': return cwi_buf_append_format(out, "%2u", hour_of_12(c));
    case 'M': return cwi_buf_append_format(out, "%02u", c->minute);
    case 'S': return cwi_buf_append_format(out, "%02u", c->second);
    case 'f': return cwi_buf_append_format(out, "%09u", c->nanos);
    case 'j': return cwi_buf_append_format(out, "%03u", c->yearday);
    case 'A': return cwi_buf_append_str(out, day_names[c->weekday - 1]);
    case 'a': return cwi_buf_append_format(out, "%.3s", day_names[c->weekday - 1]);
    case 'B': return cwi_buf_append_str(out, month_names[c->month - 1]);
    case 'b':
    case 'h': return cwi_buf_append_format(out, "%.3s", month_names[c->month - 1]);
    case 'p': return cwi_buf_append_str(out, c->hour < 12 ? "AM" : "PM");
    case 'P': return cwi_buf_append_str(out, c->hour < 12 ? "am" : "pm");
    case 'u': return cwi_buf_append_format(out, "%u", c->weekday);
    case 'w': return cwi_buf_append_format(out, "%u", sunday_based);
    case 'U': return cwi_buf_append_format(out, "%02u", (c->yearday + 6 - sunday_based) / 7);
    case 'W': return cwi_buf_append_format(out, "%02u", (c->yearday + 7 - c->weekday) / 7);
    case 'V': return cwi_buf_append_format(out, "%02u", c->iso_week);
    case 'G': return cwi_buf_append_format(out, "%04" PRId64, c->iso_year);
    case 'g': return cwi_buf_append_format(out, "%02" PRId64, c->iso_year % 100);
    case 's': return cwi_buf_append_format(out, "%" PRId64, unix_seconds);
    case 'z': return cwi_buf_append_str(out, "+0000");
    case 'Z': return cwi_buf_append_str(out, "UTC");
    case 'n': return cwi_buf_append_char(out, '\n');
    case 't': return cwi_buf_append_char(out, '\t');
    case '%': return cwi_buf_append_char(out, '%');
    case 'F': return append_specs(out, c, unix_seconds, "Y-m-d");
    case 'T':
    case 'X': return append_specs(out, c, unix_seconds, "H:M:S");
    case 'R': return append_specs(out, c, unix_seconds, "H:M");
    case 'D':
    case 'x': return append_specs(out, c, unix_seconds, "m/d/y");
    case 'v': return append_specs(out, c, unix_seconds, "e-b-Y");
    case 'r': return append_specs(out, c, unix_seconds, "I:M:S p");
    case 'c': return append_specs(out, c, unix_seconds, "a b e H:M:S Y");
    case '+': {
      (void)append_specs(out, c, unix_seconds, "Y-m-d");
      (void)cwi_buf_append_char(out, 'T');
      (void)append_specs(out, c, unix_seconds, "H:M:S");
      return cwi_buf_append_str(out, "+00:00");
    }
    default: return false;
  }
}

/* %.f, %.3f, %3f, %:z; returns the bytes used, 0 where it is none of them. */
static size_t append_long_spec(cwi_buf *out, const civil *c, const char *at) {
  if (strncmp(at, ":z", 2) == 0) {
    (void)cwi_buf_append_str(out, "+00:00");
    return 2;
  }
  bool point = *at == '.';
  const char *digit = at + (point ? 1 : 0);
  int places = 0;
  if (*digit == '3' || *digit == '6' || *digit == '9') places = *digit++ - '0';
  if (*digit != 'f' || (!point && places == 0)) return 0;
  if (places == 0) places = c->nanos % 1000000 == 0 ? 3 : c->nanos % 1000 == 0 ? 6 : 9;
  if (c->nanos == 0 && point && digit == at + 1) return 2;
  uint32_t value = c->nanos / (places == 3 ? 1000000U : places == 6 ? 1000U : 1U);
  (void)cwi_buf_append_format(out, "%s%0*u", point ? "." : "", places, value);
  return (size_t)(digit - at) + 1;
}

FN(time_format) {
  (void)len;
  civil c = civil_of(args[0]);
  cwi_buf buf;
  cwi_buf_init(&buf, CWI_FN_OUTPUT_BYTES_MAX);
  const char *format = cwi_fn_chars(args[1]);
  for (const char *at = format; *at != '\0'; at++) {
    if (*at != '%') {
      (void)cwi_buf_append_char(&buf, *at);
      continue;
    }
    at++;
    if (*at == '-' || *at == '_' || *at == '0') {
      /* padding: none, blanks, zeros */
      cwi_buf part;
      cwi_buf_init(&part, 0);
      bool known = at[1] != '\0' && append_spec(&part, &c, cw_value_as_seconds(args[0]), at[1]);
      size_t skip = 0;
      while (known && skip + 1 < part.size && (part.data[skip] == '0' || part.data[skip] == ' '))
        skip++;
      for (size_t i = 0; known && *at != '-' && i < skip; i++) {
        (void)cwi_buf_append_char(&buf, *at == '_' ? ' ' : '0');
      }
      if (known) (void)cwi_buf_append(&buf, part.data + skip, part.size - skip);
      cwi_buf_deinit(&part);
      if (known) {
        at++;
        continue;
      }
    }
    size_t used = *at == '\0' ? 0 : append_long_spec(&buf, &c, at);
    if (used > 0) {
      at += used - 1;
    } else if (*at == '\0' || !append_spec(&buf, &c, cw_value_as_seconds(args[0]), *at)) {
      if (buf.failed) break;
      cwi_buf_deinit(&buf);
      return cwi_db_fn_fail(ctx, err, "The second argument is not a format.");
    }
  }
  return cwi_fn_finish(&buf, out, err);
}

#define P CWI_DB_FN_PURE
#define T CWI_DB_FN_TIME
static const cwi_db_fn rows[] = {
    {"time::ceil", "tu", time_ceil, P, "Up to a multiple of a duration."},
    {"time::day", "?t", time_day, T, "The day of the month."},
    {"time::floor", "tu", time_floor, P, "Down to a multiple of a duration."},
    {"time::format", "ts", time_format, P, "As text in a format."},
    {"time::from_micros", "i", time_from_micros, P, "Of microseconds since 1970."},
    {"time::from_millis", "i", time_from_millis, P, "Of milliseconds since 1970."},
    {"time::from_nanos", "i", time_from_nanos, P, "Of nanoseconds since 1970."},
    {"time::from_secs", "i", time_from_secs, P, "Of seconds since 1970."},
    {"time::from_ulid", "s", time_from_ulid, P, "The time in a ULID."},
    {"time::from_unix", "i", time_from_secs, P, "Of seconds since 1970."},
    {"time::from_uuid", "U", time_from_uuid, P, "The time in a version 7 UUID."},
    {"time::group", "ts", time_group, P, "Down to a unit of the calendar."},
    {"time::hour", "?t", time_hour, T, "The hour."},
    {"time::is_leap_year", "?t", time_is_leap_year, T, "Whether the year has 366 days."},
    {"time::max", "T", time_max, P | CWI_DB_FN_AGGREGATE, "The latest."},
    {"time::micros", "?t", time_micros, T, "Microseconds since 1970."},
    {"time::millis", "?t", time_millis, T, "Milliseconds since 1970."},
    {"time::min", "T", time_min, P | CWI_DB_FN_AGGREGATE, "The earliest."},
    {"time::minute", "?t", time_minute, T, "The minute."},
    {"time::month", "?t", time_month, T, "The month."},
    {"time::nano", "?t", time_nano, T, "Nanoseconds since 1970."},
    {"time::now", "", time_now, T, "Now."},
    {"time::round", "tu", time_round, P, "To the nearest multiple of a duration."},
    {"time::second", "?t", time_second, T, "The second."},
    {"time::set_day", "ti", time_set_day, P, "With another day."},
    {"time::set_hour", "ti", time_set_hour, P, "With another hour."},
    {"time::set_minute", "ti", time_set_minute, P, "With another minute."},
    {"time::set_month", "ti", time_set_month, P, "With another month."},
    {"time::set_nanosecond", "ti", time_set_nano, P, "With other nanoseconds."},
    {"time::set_second", "ti", time_set_second, P, "With another second."},
    {"time::set_year", "ti", time_set_year, P, "With another year."},
    {"time::unix", "?t", time_unix, T, "Seconds since 1970."},
    {"time::wday", "?t", time_wday, T, "The day of the week, Monday 1."},
    {"time::week", "?t", time_week, T, "The ISO week."},
    {"time::yday", "?t", time_yday, T, "The day of the year."},
    {"time::year", "?t", time_year, T, "The year."},
};
FN_LIST(cwi_db_fns_time, "time::", rows);
