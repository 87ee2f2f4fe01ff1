/* SPDX-License-Identifier: MIT */
/* From the text of a token to its value: strings with escapes, byte strings, numbers, durations,
 * datetimes, UUIDs. The readers of durations, datetimes and UUIDs also serve casts. */
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "db/db_value.h"
#include "db/sql_parser.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Reads \uXXXX (pairs of surrogates too) or \u{X...} at `i` (the backslash); 0: not valid. */
static size_t unicode_escape(const char *text, size_t size, size_t i, uint32_t *cp) {
  *cp = 0;
  size_t at = i + 2, digits = 0;
  if (at < size && text[at] == '{') {
    for (at++; at < size && hex_of(text[at]) >= 0 && digits < 7; at++, digits++) {
      *cp = *cp * 16 + (uint32_t)hex_of(text[at]);
    }
    return at < size && text[at] == '}' && digits > 0 ? at + 1 - i : 0;
  }
  for (; at < size && hex_of(text[at]) >= 0 && digits < 4; at++, digits++) {
    *cp = *cp * 16 + (uint32_t)hex_of(text[at]);
  }
  if (digits != 4) return 0;
  if (*cp >= 0xD800 && *cp < 0xDC00 && at + 6 <= size && text[at] == '\\' && text[at + 1] == 'u') {
    uint32_t low = 0;
    for (size_t k = at + 2; k < at + 6 && hex_of(text[k]) >= 0; k++) {
      low = low * 16 + (uint32_t)hex_of(text[k]);
    }
    if (low >= 0xDC00 && low < 0xE000) {
      *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
      return at + 6 - i;
    }
  }
  return at - i;
}

static bool escape(sql_parser *p, size_t base, const char *text, size_t size, size_t *i,
                   cwi_buf *out) {
  static const char from[] = "ntrbf0", to[] = "\n\t\r\b\f\0";
  char c = *i + 1 < size ? text[*i + 1] : 0;
  const char *known = c != 0 ? strchr(from, c) : NULL;
  if (known != NULL) {
    cwi_buf_append_char(out, to[known - from]);
    *i += 2;
  } else if (c == 'u') {
    uint32_t cp;
    size_t len = unicode_escape(text, size, *i, &cp);
    if (len == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) {
      return cwi_sql_fail(
          p, base + *i, len == 0 ? 2 : len, "Not a valid character code",
          "String contains invalid escape sequence, unicode escape character is not a "
          "valid unicode character.");
    }
    cwi_buf_append_codepoint(out, cp);
    *i += len;
  } else {
    uint32_t cp;
    size_t len = cwi_utf8_decode(text + *i + 1, size - *i - 1, &cp);
    if (strchr("'\"\\/`", c) == NULL || c == 0) {
      return cwi_sql_fail(
          p, base + *i + 1, len == 0 ? 1 : len, NULL,
          "Invalid escape character `%.*s`, valid characters are `\\`, `'`, `\"`, `/`, "
          "`b`, `f`, `n`, `r`, `t`, or `u`",
          (int)len, text + *i + 1);
    }
    cwi_buf_append(out, text + *i + 1, len);
    *i += 1 + len;
  }
  return true;
}

static bool unescape(sql_parser *p, size_t base, const char *text, size_t size, cwi_buf *out) {
  size_t i = 0;
  while (i < size) {
    if (text[i] == '\\') {
      if (!escape(p, base, text, size, &i, out)) return false;
    } else {
      cwi_buf_append_char(out, text[i++]);
    }
  }
  return !out->failed || cwi_sql_nomem(p);
}

static void inside(const sql_token *token, size_t *at, size_t *size) {
  size_t prefix = token->prefix != 0 ? 1 : 0;
  *at = token->at + prefix + 1;
  *size = token->size - prefix - 2;
}

bool cwi_sql_string_text(sql_parser *p, const sql_token *token, cwi_buf *out) {
  size_t at, size;
  inside(token, &at, &size);
  return unescape(p, at, p->text + at, size, out);
}

bool cwi_sql_ident_text(sql_parser *p, const sql_token *token, sql_str *out) {
  const char *text = p->text + token->at;
  size_t size = token->size;
  if (token->kind == TK_PARAM) {
    text++;
    size--;
  }
  if (token->quoted) {
    size_t mark = text[0] == '`' ? 1 : 3;
    cwi_buf buf;
    cwi_buf_init(&buf, 0);
    bool ok = unescape(p, token->at + mark, text + mark, size - 2 * mark, &buf);
    out->text = ok ? cwi_arena_strndup(p->arena, buf.data, buf.size) : NULL;
    out->size = (uint32_t)buf.size;
    cwi_buf_deinit(&buf);
    return ok && (out->text != NULL || cwi_sql_nomem(p));
  }
  out->text = text;
  out->size = (uint32_t)size;
  return true;
}

/* ---- durations ---- */

static uint64_t unit_nanos(const char *text, size_t *size, uint64_t *seconds) {
  *seconds = 0;
  if (*size >= 2 && text[1] == 's' && text[0] == 'n') {
    *size = 2;
    return 1;
  }
  if (*size >= 2 && text[1] == 's' && text[0] == 'u') {
    *size = 2;
    return 1000;
  }
  if (*size >= 2 && text[1] == 's' && text[0] == 'm') {
    *size = 2;
    return 1000000;
  }
  if (*size >= 3 && text[2] == 's' && (unsigned char)text[0] >= 0xC2) {
    *size = 3;
    return 1000;
  }
  static const struct {
    char unit;
    uint32_t seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31536000}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(units) && *size >= 1; i++) {
    if (text[0] == units[i].unit) {
      *seconds = units[i].seconds;
      *size = 1;
      return 0;
    }
  }
  *size = 0;
  return 0;
}

bool cwi_sql_duration_of(const char *text, size_t size, uint64_t *seconds, uint32_t *nanos) {
  uint64_t total = 0, fine = 0;
  size_t i = 0;
  while (i < size) {
    uint64_t count = 0;
    size_t start = i;
    for (; i < size && is_digit(text[i]); i++) {
      if (CWI_MUL_OVERFLOWS(count, 10U, &count) ||
          CWI_ADD_OVERFLOWS(count, (uint64_t)(text[i] - '0'), &count)) {
        return false;
      }
    }
    size_t unit = size - i;
    uint64_t whole = 0;
    uint64_t part = i > start ? unit_nanos(text + i, &unit, &whole) : 0;
    if (i == start || unit == 0) return false;
    i += unit;
    if (whole > 0) {
      if (CWI_MUL_OVERFLOWS(count, whole, &count) || CWI_ADD_OVERFLOWS(total, count, &total)) {
        return false;
      }
    } else {
      uint64_t per = 1000000000U / part;
      if (CWI_ADD_OVERFLOWS(total, count / per, &total)) return false;
      fine += (count % per) * part;
    }
  }
  if (CWI_ADD_OVERFLOWS(total, fine / 1000000000U, &total)) return false;
  *seconds = total;
  *nanos = (uint32_t)(fine % 1000000000U);
  return size > 0;
}

/* ---- datetimes ---- */

int64_t cwi_sql_days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t yoe = year - era * 400;
  int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
  int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

void cwi_sql_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t doe = days - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
  *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
  *year = yoe + era * 400 + (*month <= 2);
}

typedef struct date_reader {
  sql_parser *p; /* NULL: errors have no text */
  size_t base;
  const char *text;
  size_t size, i;
} date_reader;

static bool date_fail_char(date_reader *r, const char *expected) {
  if (r->p == NULL) return false;
  if (r->i >= r->size) {
    return cwi_sql_fail(r->p, r->base + r->i, 1, NULL, "Unexpected end of datetime, expected %s",
                        expected);
  }
  uint32_t cp;
  size_t len = cwi_utf8_decode(r->text + r->i, r->size - r->i, &cp);
  return cwi_sql_fail(r->p, r->base + r->i, len, NULL, "Invalid datetime, expected %s found `%.*s`",
                      expected, (int)len, r->text + r->i);
}

static bool date_number(date_reader *r, unsigned digits, unsigned min, unsigned max,
                        unsigned *out) {
  size_t start = r->i;
  *out = 0;
  for (unsigned k = 0; k < digits; k++, r->i++) {
    if (r->i >= r->size || !is_digit(r->text[r->i])) {
      return date_fail_char(r, "digit character");
    }
    *out = *out * 10 + (unsigned)(r->text[r->i] - '0');
  }
  if (*out < min || *out > max) {
    if (r->p == NULL) return false;
    char label[64];
    cwi_buf buf;
    cwi_buf_init(&buf, sizeof(label));
    cwi_buf_append_format(&buf, "This section must be within %u..=%u", min, max);
    cwi_sql_fail(r->p, r->base + start, digits, cwi_buf_cstr(&buf),
                 "Invalid datetime digit section, section not within allowed range");
    cwi_buf_deinit(&buf);
    return false;
  }
  return true;
}

static bool date_char(date_reader *r, char c) {
  if (r->i < r->size && r->text[r->i] == c) {
    r->i++;
    return true;
  }
  char expected[4] = {'`', c, '`', 0};
  return date_fail_char(r, expected);
}

static bool date_zone(date_reader *r, int64_t *offset) {
  *offset = 0;
  char c = r->i < r->size ? r->text[r->i] : 0;
  if (c == 'Z' || c == 'z') {
    r->i++;
    return true;
  }
  if (c != '+' && c != '-') return date_fail_char(r, "`Z`, `+` or `-`");
  r->i++;
  unsigned hours, minutes;
  if (!date_number(r, 2, 0, 23, &hours) || !date_char(r, ':') ||
      !date_number(r, 2, 0, 59, &minutes)) {
    return false;
  }
  *offset = (int64_t)hours * 3600 + (int64_t)minutes * 60;
  if (c == '-') *offset = -*offset;
  return true;
}

bool cwi_sql_datetime_of(sql_parser *p, size_t base, const char *text, size_t size,
                         int64_t *seconds, uint32_t *nanos) {
  date_reader r = {.p = p, .base = base, .text = text, .size = size};
  bool negative = size > 0 && text[0] == '-';
  unsigned year, month, day, hour = 0, minute = 0, second = 0;
  int64_t offset = 0;
  if (size > 0 && (text[0] == '-' || text[0] == '+')) r.i++;
  unsigned width = 4;
  while (r.i > 0 && width < 6 && r.i + width < size && is_digit(text[r.i + width])) width++;
  if (!date_number(&r, width, 0, 999999, &year) || !date_char(&r, '-') ||
      !date_number(&r, 2, 1, 12, &month) || !date_char(&r, '-') ||
      !date_number(&r, 2, 1, 31, &day)) {
    return false;
  }
  int64_t y = negative ? -(int64_t)year : (int64_t)year;
  int64_t days = cwi_sql_days_from_civil(y, month, day);
  int64_t back_year;
  unsigned back_month, back_day;
  cwi_sql_civil_from_days(days, &back_year, &back_month, &back_day);
  if (back_day != day) {
    if (p != NULL) {
      cwi_sql_fail(p, base, r.i, NULL, "Invalid Datetime date: date outside of valid range");
    }
    return false;
  }
  *nanos = 0;
  if (r.i < size) {
    if (!date_char(&r, 'T') || !date_number(&r, 2, 0, 24, &hour) || !date_char(&r, ':') ||
        !date_number(&r, 2, 0, 59, &minute) || !date_char(&r, ':') ||
        !date_number(&r, 2, 0, 60, &second)) {
      return false;
    }
    if (r.i < size && text[r.i] == '.') {
      unsigned digits = 0;
      for (r.i++; r.i < size && is_digit(text[r.i]); r.i++) {
        if (digits++ < 9) *nanos = *nanos * 10 + (uint32_t)(text[r.i] - '0');
      }
      if (digits == 0) return date_fail_char(&r, "digit character");
      for (; digits < 9; digits++) *nanos *= 10;
    }
    if (!date_zone(&r, &offset)) return false;
    if (r.i < size) return date_fail_char(&r, "the end");
  }
  *seconds = days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second - offset;
  return true;
}

bool cwi_sql_datetime_from_text(const char *text, size_t size, int64_t *seconds, uint32_t *nanos) {
  return cwi_sql_datetime_of(NULL, 0, text, size, seconds, nanos);
}

bool cwi_sql_uuid_of(const char *text, size_t size, uint8_t out[16]) {
  if (size != 36) return false;
  size_t n = 0;
  for (size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
      continue;
    }
    int high = hex_of(text[i]), low = hex_of(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[n++] = (uint8_t)(high * 16 + low);
    i += 2;
  }
  return n == 16;
}

/* ---- values of tokens ---- */

static sql_expr *uuid_value(sql_parser *p, const sql_token *token) {
  size_t at, size;
  inside(token, &at, &size);
  uint8_t bytes[16];
  cw_value value;
  if (!cwi_sql_uuid_of(p->text + at, size, bytes)) {
    for (size_t i = 0; i < size && i < 36; i++) {
      bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      char c = p->text[at + i];
      if (dash ? c != '-' : hex_of(c) < 0) {
        cwi_sql_fail(p, at + i, 1, NULL, "Unexpected character `%c` expected %s", c,
                     dash ? "`-`" : "hexidecimal digit");
        return NULL;
      }
    }
    if (size > 36) {
      cwi_sql_fail(p, at + 36, 1, NULL, "Unexpected characters after the UUID");
    } else {
      cwi_sql_fail(p, at + size, 1, NULL,
                   "Unexpected end of string, expected UUID token to finish");
    }
    return NULL;
  }
  if (cw_value_uuid(bytes, &value, NULL) != CW_OK) {
    cwi_sql_nomem(p);
    return NULL;
  }
  return cwi_sql_literal(p, token->at, value);
}

static sql_expr *bytes_value(sql_parser *p, const sql_token *token) {
  size_t at, size;
  inside(token, &at, &size);
  uint8_t *data = cwi_arena_alloc(p->arena, size / 2 + 1);
  cw_value value;
  if (data == NULL) {
    cwi_sql_nomem(p);
    return NULL;
  }
  for (size_t i = 0; i < size; i++) {
    int digit = hex_of(p->text[at + i]);
    if (digit < 0) {
      uint32_t cp;
      size_t len = cwi_utf8_decode(p->text + at + i, size - i, &cp);
      cwi_sql_fail(p, at + i, 1, NULL, "Unexpected character `%.*s`, expected a hexidecimal digit",
                   (int)len, p->text + at + i);
      return NULL;
    }
    data[i / 2] = (uint8_t)(i % 2 == 0 ? digit * 16 : data[i / 2] + digit);
  }
  if (size % 2 != 0) {
    cwi_sql_fail(p, at + size, 1, NULL,
                 "Unexpected end of byte-string, expected a hexidecimal digit");
    return NULL;
  }
  if (cw_value_bytes(data, size / 2, &value, NULL) != CW_OK) {
    cwi_sql_nomem(p);
    return NULL;
  }
  return cwi_sql_literal(p, token->at, value);
}

/* r"tb:key": a parser of its own on the contents, whose errors are reported in the outer text. */
static sql_expr *record_value(sql_parser *p, const sql_token *token) {
  size_t at, size;
  inside(token, &at, &size);
  sql_parser inner = *p;
  inner.size = at + size;
  inner.next = at;
  inner.peeked = 0;
  sql_str table;
  sql_expr *node = NULL;
  if (cwi_sql_ident(&inner, &table) && cwi_sql_expect(&inner, TK_COLON)) {
    node = cwi_sql_node_new(&inner, SQL_RECORD, token->at);
    if (node != NULL) {
      node->u.record.table = table;
      node->u.record.key = cwi_sql_parse_record_key(&inner, true);
      if (node->u.record.key == NULL) node = NULL;
    }
    if (node != NULL && !cwi_sql_is(&inner, TK_EOF)) {
      cwi_sql_unexpected(&inner, cwi_sql_peek(&inner), "the end of the record id");
      node = NULL;
    }
  }
  p->failed = inner.failed;
  p->nomem = inner.nomem;
  p->error_at = inner.error_at;
  return node;
}

sql_expr *cwi_sql_string_value(sql_parser *p, const sql_token *token) {
  size_t at, size;
  inside(token, &at, &size);
  if (token->prefix == 'u') return uuid_value(p, token);
  if (token->prefix == 'b') return bytes_value(p, token);
  if (token->prefix == 'r') return record_value(p, token);
  if (token->prefix == 'd') {
    int64_t seconds;
    uint32_t nanos;
    if (!cwi_sql_datetime_of(p, at, p->text + at, size, &seconds, &nanos)) return NULL;
    return cwi_sql_literal(p, token->at, cw_value_datetime(seconds, nanos));
  }
  if (token->prefix == 'f') {
    cwi_sql_fail(
        p, token->at, token->size, NULL,
        "Unexpected token `a file`, expected the experimental files feature to be enabled");
    return NULL;
  }
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_value value = cwi_value_none();
  bool ok = cwi_sql_string_text(p, token, &buf);
  if (ok && cwi_value_string_from_buf(&buf, &value, NULL) != CW_OK) ok = cwi_sql_nomem(p);
  cwi_buf_deinit(&buf);
  return ok ? cwi_sql_literal(p, token->at, value) : NULL;
}

sql_expr *cwi_sql_number_value(sql_parser *p, const sql_token *token, bool negative) {
  char digits[128];
  size_t n = 0;
  if (negative) digits[n++] = '-';
  for (size_t i = 0; i < token->size && n < sizeof(digits) - 1; i++) {
    char c = p->text[token->at + i];
    if (c == 'd' || c == 'f') break;
    if (c != '_') digits[n++] = c;
  }
  digits[n] = 0;
  if (token->num == SQL_NUM_DECIMAL) {
    cw_value value;
    cwi_decimal decimal;
    if (!cwi_decimal_parse(digits, n, &decimal)) {
      cwi_sql_fail(p, token->at, token->size, NULL, "Failed to parse number: invalid decimal");
      return NULL;
    }
    if (cwi_db_value_decimal(cwi_decimal_normalize(decimal), &value, NULL) != CW_OK) {
      cwi_sql_nomem(p);
      return NULL;
    }
    return cwi_sql_literal(p, token->at, value);
  }
  if (token->num == SQL_NUM_FLOAT) {
    return cwi_sql_literal(p, token->at, cw_value_float(strtod(digits, NULL)));
  }
  uint64_t magnitude = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  for (size_t i = negative ? 1 : 0; i < n; i++) {
    if (CWI_MUL_OVERFLOWS(magnitude, 10U, &magnitude) ||
        CWI_ADD_OVERFLOWS(magnitude, (uint64_t)(digits[i] - '0'), &magnitude) ||
        magnitude > limit) {
      cwi_sql_fail(p, token->at, token->size, NULL,
                   "Failed to parse number: number too large to fit in target type");
      return NULL;
    }
  }
  return cwi_sql_literal(p, token->at,
                         cw_value_int((int64_t)(negative ? 0 - magnitude : magnitude)));
}

/* `/pattern/`, read from the bytes: the slash is peeked at. */
sql_expr *cwi_sql_regex(sql_parser *p) {
  size_t at = cwi_sql_peek(p)->at, end = at + 1;
  cwi_sql_rewind(p, at);
  while (end < p->size && p->text[end] != '/') end += p->text[end] == '\\' ? 2 : 1;
  if (end >= p->size) {
    sql_token slash = cwi_sql_take(p);
    cwi_sql_unexpected(p, &slash, "an expression");
    return NULL;
  }
  cwi_buf pattern;
  cwi_buf_init(&pattern, 0);
  for (size_t i = at + 1; i < end; i++) {
    if (p->text[i] == '\\' && p->text[i + 1] == '/') continue;
    cwi_buf_append_char(&pattern, p->text[i]);
  }
  cw_value value;
  cw_error err = {0};
  cw_status status =
      pattern.failed ? CW_E_NOMEM : cwi_db_value_regex(pattern.data, pattern.size, &value, &err);
  if (status == CW_E_PARSE) {
    size_t column = err.column > 0 ? (size_t)err.column - 1 : 0;
    const char *reason = err.message;
    if (strstr(reason, "missing terminating ]") != NULL) {
      reason = "unclosed character class";
      column = 0;
      for (size_t i = 0; i < pattern.size; i++) {
        if (pattern.data[i] == '[') column = i;
      }
    }
    cwi_sql_fail(p, at, end + 1 - at, NULL,
                 "Invalid regex syntax regex parse error:\n    %.*s\n    %*s^\nerror: %s",
                 (int)pattern.size, pattern.data, (int)column, "", reason);
  } else if (status != CW_OK) {
    cwi_sql_nomem(p);
  }
  cwi_buf_deinit(&pattern);
  if (status != CW_OK) return NULL;
  cwi_sql_rewind(p, end + 1);
  p->last = (sql_token){.kind = TK_STRING, .at = (uint32_t)at, .size = (uint32_t)(end + 1 - at)};
  return cwi_sql_literal(p, at, value);
}
