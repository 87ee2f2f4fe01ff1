/* SPDX-License-Identifier: MIT */
/* string::is_*, string::semver::*. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "core/utf8.h"
#include "db/db_fn_internal.h"
#include "db/db_unicode.h"

static bool all_points(cw_value string, bool (*accepts)(uint32_t c)) {
  const char *text = cwi_fn_chars(string);
  size_t size = cwi_fn_size(string);
  for (size_t at = 0; at < size;) {
    uint32_t c;
    at += cwi_utf8_decode(text + at, size - at, &c);
    if (!accepts(c)) return false;
  }
  return size > 0;
}

static bool letter_or_number(uint32_t c) {
  return cwi_db_unicode_is_letter(c) || cwi_db_unicode_is_number(c);
}
static bool hexadecimal(uint32_t c) { return c < 128 && isxdigit((int)c); }

static bool is_ascii(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if ((unsigned char)text[i] >= 128) return false;
  }
  return true;
}

static bool is_domain(const char *text, size_t size) {
  size_t label = 0;
  size_t labels = 1;
  if (size == 0 || size > 253) return false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (c == '.') {
      if (label == 0 || text[i - 1] == '-') return false;
      label = 0;
      labels++;
      continue;
    }
    if (!isalnum((unsigned char)c) && c != '-' && (unsigned char)c < 128) return false;
    if (c == '-' && label == 0) return false;
    if (++label > 63) return false;
  }
  return labels > 1 && label > 0 && text[size - 1] != '-' &&
         !isdigit((unsigned char)text[size - 1]);
}

static bool is_email(const char *text, size_t size) {
  const char *at = memchr(text, '@', size);
  if (at == NULL || at == text) return false;
  size_t user = (size_t)(at - text);
  for (size_t i = 0; i < user; i++) {
    char c = text[i];
    if (c == '.' && (i == 0 || i + 1 == user || text[i - 1] == '.')) return false;
    if (!isalnum((unsigned char)c) && strchr("!#$%&'*+/=?^_`{|}~-.", c) == NULL) return false;
  }
  return user <= 64 && is_domain(at + 1, size - user - 1);
}

static bool is_ip(cw_value string, int family) {
  uint8_t bytes[16];
  return strlen(cwi_fn_chars(string)) == cwi_fn_size(string) &&
         inet_pton(family, cwi_fn_chars(string), bytes) == 1;
}

static bool in_range(cw_value string, double limit) {
  double number;
  return cwi_db_parse_float(cwi_fn_chars(string), cwi_fn_size(string), &number) &&
         number >= -limit && number <= limit;
}

static bool is_url(const char *text, size_t size) {
  size_t i = 0;
  while (i < size && (isalnum((unsigned char)text[i]) || (i > 0 && strchr("+.-", text[i]) != NULL)))
    i++;
  if (i == 0 || !isalpha((unsigned char)text[0]) || i >= size || text[i] != ':') return false;
  if (size - i > 2 && text[i + 1] == '/' && text[i + 2] == '/') {
    return size > i + 3 && text[i + 3] != '/' && text[i + 3] != '?' && text[i + 3] != '#';
  }
  static const char *const needs_host[] = {"http", "https", "ftp", "ws", "wss"};
  for (size_t k = 0; k < CWI_ARRAY_LEN(needs_host); k++) {
    if (strlen(needs_host[k]) == i && memcmp(text, needs_host[k], i) == 0) return size > i + 1;
  }
  return true;
}

static bool is_ulid(const char *text, size_t size) {
  if (size != 26 || text[0] > '7') return false;
  for (size_t i = 0; i < size; i++) {
    char c = (char)toupper((unsigned char)text[i]);
    if (strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c) == NULL || c == '\0') return false;
  }
  return true;
}

#define ASK(name, expression)                 \
  FN(name) {                                  \
    FN_UNUSED;                                \
    const char *text = cwi_fn_chars(args[0]); \
    size_t size = cwi_fn_size(args[0]);       \
    (void)text;                               \
    (void)size;                               \
    *out = cwi_value_bool(expression);        \
    return CW_OK;                             \
  }

static bool parses_uuid(const char *text, size_t size) {
  uint8_t bytes[16];
  return cwi_db_parse_uuid(text, size, bytes);
}

ASK(is_alphanum, all_points(args[0], letter_or_number))
ASK(is_alpha, all_points(args[0], cwi_db_unicode_is_letter))
ASK(is_ascii_text, is_ascii(text, size))
ASK(is_domain_text, is_domain(text, size))
ASK(is_email_text, is_email(text, size))
ASK(is_hexadecimal, all_points(args[0], hexadecimal))
ASK(is_ip_text, is_ip(args[0], AF_INET) || is_ip(args[0], AF_INET6))
ASK(is_ipv4, is_ip(args[0], AF_INET))
ASK(is_ipv6, is_ip(args[0], AF_INET6))
ASK(is_latitude, in_range(args[0], 90.0))
ASK(is_longitude, in_range(args[0], 180.0))
ASK(is_numeric, all_points(args[0], cwi_db_unicode_is_number))
ASK(is_url_text, is_url(text, size))
ASK(is_ulid_text, is_ulid(text, size))
ASK(is_uuid_text, parses_uuid(text, size))

/* A date and time in a strftime-like format: each field once. */
static bool fits_format(const char *text, size_t size, const char *format) {
  static const struct {
    char letter;
    int digits;
  } fields[] = {{'Y', 4}, {'m', 2}, {'d', 2}, {'H', 2}, {'M', 2}, {'S', 2}, {'y', 2}, {'j', 3}};
  bool date = false;
  bool time = false;
  size_t at = 0;
  for (const char *f = format; *f != '\0'; f++) {
    if (*f != '%') {
      if (at >= size || text[at] != *f) return false;
      at++;
      continue;
    }
    f++;
    int digits = 0;
    for (size_t i = 0; i < CWI_ARRAY_LEN(fields); i++) {
      if (fields[i].letter == *f) digits = fields[i].digits;
    }
    if (digits == 0) return false;
    for (int i = 0; i < digits; i++, at++) {
      if (at >= size || !isdigit((unsigned char)text[at])) return false;
    }
    date = date || *f == 'd' || *f == 'j';
    time = time || *f == 'M';
  }
  return at == size && date && time;
}

FN(is_datetime) {
  FN_UNUSED;
  cw_value ignored;
  const char *text = cwi_fn_chars(args[0]);
  size_t size = cwi_fn_size(args[0]);
  bool good = len > 1 ? fits_format(text, size, cwi_fn_chars(args[1]))
                      : cwi_db_parse_datetime(text, size, &ignored);
  *out = cwi_value_bool(good);
  return CW_OK;
}

FN(is_record) {
  bool ok = false;
  cw_value record = cwi_value_none();
  if (ctx->host == NULL || ctx->host->parse_record == NULL) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "record ids cannot be read here");
  }
  cw_status status = ctx->host->parse_record(ctx->context, cwi_fn_chars(args[0]),
                                             cwi_fn_size(args[0]), &record, &ok, err);
  if (status == CW_OK && ok && len > 1) {
    cw_value table = cwi_db_kind_of(args[1]) == CWI_DB_TABLE ? cwi_db_table_name(args[1]) : args[1];
    ok = cwi_db_compare(cwi_db_record_table(record), table) == 0;
  }
  cwi_value_drop(record);
  *out = cwi_value_bool(ok);
  return status;
}

/* ---- semantic versions ---- */

typedef struct semver {
  uint64_t part[3];
  const char *tail; /* pre-release and build */
} semver;

static bool parse_semver(cw_value string, semver *out) {
  const char *at = cwi_fn_chars(string);
  for (int i = 0; i < 3; i++) {
    const char *start = at;
    out->part[i] = 0;
    while (isdigit((unsigned char)*at)) {
      if (out->part[i] > UINT64_MAX / 10 - 1) return false;
      out->part[i] = out->part[i] * 10 + (uint64_t)(*at++ - '0');
    }
    if (at == start || (at - start > 1 && *start == '0')) return false;
    if (i < 2 && *at++ != '.') return false;
  }
  out->tail = at;
  if (*at == '\0') return true;
  if (*at != '-' && *at != '+') return false;
  if (at[1] == '\0') return false;
  for (at++; *at != '\0'; at++) {
    if (!isalnum((unsigned char)*at) && strchr(".-+", *at) == NULL) return false;
  }
  return true;
}

FN(is_semver) {
  FN_UNUSED;
  semver ignored;
  *out = cwi_value_bool(parse_semver(args[0], &ignored));
  return CW_OK;
}

static int compare_semver(const semver *a, const semver *b) {
  for (int i = 0; i < 3; i++) {
    if (a->part[i] != b->part[i]) return a->part[i] < b->part[i] ? -1 : 1;
  }
  bool a_pre = *a->tail == '-';
  bool b_pre = *b->tail == '-';
  if (a_pre != b_pre) return a_pre ? -1 : 1;
  int order = strcmp(a->tail, b->tail);
  return (order > 0) - (order < 0);
}

FN(semver_compare) {
  (void)len;
  semver a;
  semver b;
  if (!parse_semver(args[0], &a)) {
    return cwi_db_fn_fail(ctx, err, "Invalid semantic version string for left argument");
  }
  if (!parse_semver(args[1], &b)) {
    return cwi_db_fn_fail(ctx, err, "Invalid semantic version string for right argument");
  }
  *out = cwi_value_int(compare_semver(&a, &b));
  return CW_OK;
}

static cw_status semver_part(cwi_db_fn_ctx *ctx, cw_value string, int part, cw_value *out,
                             cw_error *err) {
  semver v;
  if (!parse_semver(string, &v)) return cwi_db_fn_fail(ctx, err, "Invalid semantic version");
  *out = cwi_value_int((int64_t)v.part[part]);
  return CW_OK;
}

/* Raises (set < 0) or sets one part; raising clears the smaller ones. */
static cw_status semver_change(cwi_db_fn_ctx *ctx, cw_value string, int part, int64_t set,
                               cw_value *out, cw_error *err) {
  semver v;
  char text[160];
  if (!parse_semver(string, &v)) return cwi_db_fn_fail(ctx, err, "Invalid semantic version");
  if (set >= 0) {
    v.part[part] = (uint64_t)set;
  } else {
    v.part[part]++;
    for (int i = part + 1; i < 3; i++) v.part[i] = 0;
    v.tail = "";
  }
  int size = snprintf(text, sizeof(text), "%llu.%llu.%llu%.80s", (unsigned long long)v.part[0],
                      (unsigned long long)v.part[1], (unsigned long long)v.part[2], v.tail);
  return cwi_fn_text(text, (size_t)size, out, err);
}

#define SEMVER(part_name, number)                                                  \
  FN(semver_##part_name) {                                                         \
    (void)len;                                                                     \
    return semver_part(ctx, args[0], (number), out, err);                          \
  }                                                                                \
  FN(semver_inc_##part_name) {                                                     \
    (void)len;                                                                     \
    return semver_change(ctx, args[0], (number), -1, out, err);                    \
  }                                                                                \
  FN(semver_set_##part_name) {                                                     \
    (void)len;                                                                     \
    int64_t value = cwi_value_as_int(args[1]);                                     \
    return semver_change(ctx, args[0], (number), value < 0 ? 0 : value, out, err); \
  }
SEMVER(major, 0)
SEMVER(minor, 1)
SEMVER(patch, 2)

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"string::is_alphanum", "s", is_alphanum, P, "Whether all are letters and digits."},
    {"string::is_alpha", "s", is_alpha, P, "Whether all are letters."},
    {"string::is_ascii", "s", is_ascii_text, P, "Whether all are ASCII."},
    {"string::is_datetime", "s?s", is_datetime, P,
     "Whether it is a datetime, perhaps in a format."},
    {"string::is_domain", "s", is_domain_text, P, "Whether it is a domain name."},
    {"string::is_email", "s", is_email_text, P, "Whether it is an e-mail address."},
    {"string::is_hexadecimal", "s", is_hexadecimal, P, "Whether all are hexadecimal digits."},
    {"string::is_ip", "s", is_ip_text, P, "Whether it is an IP address."},
    {"string::is_ipv4", "s", is_ipv4, P, "Whether it is an IPv4 address."},
    {"string::is_ipv6", "s", is_ipv6, P, "Whether it is an IPv6 address."},
    {"string::is_latitude", "s", is_latitude, P, "Whether it is a latitude."},
    {"string::is_longitude", "s", is_longitude, P, "Whether it is a longitude."},
    {"string::is_numeric", "s", is_numeric, P, "Whether all are digits."},
    {"string::is_record", "s?v", is_record, P, "Whether it is a record id, perhaps of a table."},
    {"string::is_semver", "s", is_semver, P, "Whether it is a semantic version."},
    {"string::is_ulid", "s", is_ulid_text, P, "Whether it is a ULID."},
    {"string::is_url", "s", is_url_text, P, "Whether it is a URL."},
    {"string::is_uuid", "s", is_uuid_text, P, "Whether it is a UUID."},
    {"string::semver::compare", "ss", semver_compare, P, "-1, 0 or 1."},
    {"string::semver::inc::major", "s", semver_inc_major, P, "The next major version."},
    {"string::semver::inc::minor", "s", semver_inc_minor, P, "The next minor version."},
    {"string::semver::inc::patch", "s", semver_inc_patch, P, "The next patch version."},
    {"string::semver::major", "s", semver_major, P, "The major number."},
    {"string::semver::minor", "s", semver_minor, P, "The minor number."},
    {"string::semver::patch", "s", semver_patch, P, "The patch number."},
    {"string::semver::set::major", "si", semver_set_major, P, "With another major number."},
    {"string::semver::set::minor", "si", semver_set_minor, P, "With another minor number."},
    {"string::semver::set::patch", "si", semver_set_patch, P, "With another patch number."},
};
FN_LIST(cwi_db_fns_string_is, "string::", rows);
