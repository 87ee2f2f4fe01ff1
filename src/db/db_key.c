/* SPDX-License-Identifier: MIT */
/* Order-preserving keys. docs/formats/key.md describes the bytes.
 *
 * A value begins with a tag, its kind's rank plus 2, so that 1 can end a list and 0 stays free for
 * escapes. Numbers are decimal digits with an exponent, so that ints, floats and decimals share one
 * order; where a key must be read back (`exact`) a byte behind the digits says which of the three
 * it was. Text ends itself: a zero byte becomes 00 01, the end is 00 00. */
#include "db/db_key.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "db/db_value_internal.h"

#define LIST_END 1
#define LIST_MORE 2
#define EXPONENT_BIAS 1024

enum {
  NUMBER_LOWEST = 1,
  NUMBER_NEGATIVE,
  NUMBER_ZERO,
  NUMBER_POSITIVE,
  NUMBER_HIGHEST,
  NUMBER_NAN
};

static uint8_t tag_of(cwi_db_kind kind) { return (uint8_t)(cwi_db_kind_rank(kind) + 2); }

static void put_byte(cwi_buf *out, unsigned byte) { (void)cwi_buf_append_char(out, (char)byte); }

static void put_u64(cwi_buf *out, uint64_t value) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (56 - 8 * i));
  (void)cwi_buf_append(out, bytes, sizeof(bytes));
}

bool cwi_db_key_u32(cwi_buf *out, uint32_t number) {
  uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                      (uint8_t)number};
  return cwi_buf_append(out, bytes, sizeof(bytes));
}

bool cwi_db_key_text(cwi_buf *out, const char *text, size_t size) {
  size_t start = 0;
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '\0') continue;
    (void)cwi_buf_append(out, text + start, i + 1 - start);
    put_byte(out, 1);
    start = i + 1;
  }
  if (size > start) (void)cwi_buf_append(out, text + start, size - start);
  return cwi_buf_append(out, "\0\0", 2);
}

/* ---- numbers ---- */

typedef struct digit_string {
  char digits[40]; /* '0' to '9', the first not zero */
  int len;
  int exponent; /* of the first digit */
  bool negative;
} digit_string;

static void digits_of_text(const char *text, digit_string *out) {
  out->len = 0;
  out->negative = *text == '-';
  int exponent = -1;
  bool point = false;
  bool leading = true;
  int point_shift = 0;
  for (const char *c = text; *c != '\0' && *c != 'e'; c++) {
    if (*c == '.') point = true;
    if (*c < '0' || *c > '9') continue;
    if (!point) exponent++;
    if (leading && *c == '0') {
      if (point) point_shift++;
      if (!point) exponent--;
      continue;
    }
    leading = false;
    if (out->len < (int)sizeof(out->digits)) out->digits[out->len++] = *c;
  }
  const char *mark = strchr(text, 'e');
  if (exponent < 0 && out->len > 0) exponent = -1 - point_shift;
  out->exponent = exponent + (mark != NULL ? (int)strtol(mark + 1, NULL, 10) : 0);
  while (out->len > 0 && out->digits[out->len - 1] == '0') out->len--;
}

static void number_digits(cw_value value, digit_string *out) {
  char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
  if (value.kind == CW_VALUE_INT) {
    (void)snprintf(text, sizeof(text), "%" PRId64, cwi_value_as_int(value));
  } else if (value.kind == CW_VALUE_FLOAT) {
    int precision = 0;
    do {
      (void)snprintf(text, sizeof(text), "%.*e", precision, cwi_value_as_float(value));
    } while (strtod(text, NULL) != cwi_value_as_float(value) && precision++ < 17);
  } else {
    (void)cwi_decimal_format(cwi_db_decimal(value), text);
  }
  digits_of_text(text, out);
}

static void put_digits(cwi_buf *out, const digit_string *d) {
  unsigned flip = d->negative ? 0xFF : 0;
  unsigned exponent = (unsigned)(d->exponent + EXPONENT_BIAS);
  put_byte(out, d->negative ? NUMBER_NEGATIVE : NUMBER_POSITIVE);
  put_byte(out, (exponent >> 8) ^ flip);
  put_byte(out, (exponent & 0xFF) ^ flip);
  for (int i = 0; i < d->len; i += 2) {
    int low = i + 1 < d->len ? d->digits[i + 1] - '0' : 0;
    put_byte(out, (unsigned)((d->digits[i] - '0') * 10 + low + 1) ^ flip);
  }
  put_byte(out, flip);
}

static void put_number(cwi_buf *out, cw_value value, bool exact) {
  double real = value.kind == CW_VALUE_FLOAT ? cwi_value_as_float(value) : 0.0;
  digit_string d = {.len = 0};
  if (isnan(real)) {
    put_byte(out, NUMBER_NAN);
  } else if (isinf(real)) {
    put_byte(out, real > 0 ? NUMBER_HIGHEST : NUMBER_LOWEST);
  } else {
    number_digits(value, &d);
    if (d.len == 0) {
      put_byte(out, NUMBER_ZERO);
    } else {
      put_digits(out, &d);
    }
  }
  if (!exact) return;
  cwi_db_kind kind = cwi_db_kind_of(value);
  put_byte(out, (unsigned)kind);
  if (kind == CWI_DB_DECIMAL) put_byte(out, cwi_db_decimal(value).scale);
}

/* ---- values ---- */

static void put_value(cwi_buf *out, cw_value value, bool exact, size_t depth);

static void put_text_value(cwi_buf *out, cw_value text) {
  cw_bytes bytes = cw_value_as_bytes(text);
  (void)cwi_db_key_text(out, bytes.data, bytes.size);
}

static void put_bound(cwi_buf *out, cwi_db_bound bound, cw_value value, bool exact, size_t depth) {
  put_byte(out, bound == CWI_DB_UNBOUNDED ? LIST_END : LIST_MORE);
  if (bound == CWI_DB_UNBOUNDED) return;
  put_value(out, value, exact, depth);
  put_byte(out, (unsigned)bound);
}

static void put_box(cwi_buf *out, cw_value value, cwi_db_kind kind, bool exact, size_t depth) {
  cw_value part;
  switch (kind) {
  case CWI_DB_SET:
    for (size_t i = 0; i < cw_value_len(cwi_db_set_items(value)); i++) {
      put_value(out, cw_value_array_get(cwi_db_set_items(value), i), exact, depth);
    }
    put_byte(out, LIST_END);
    break;
  case CWI_DB_GEOMETRY:
    put_byte(out, (unsigned)cwi_db_geometry_shape(value));
    put_value(out, cwi_db_geometry_coordinates(value), exact, depth);
    break;
  case CWI_DB_TABLE: put_text_value(out, cwi_db_table_name(value)); break;
  case CWI_DB_RECORD:
    put_text_value(out, cwi_db_record_table(value));
    put_value(out, cwi_db_record_key(value), true, depth);
    break;
  case CWI_DB_FILE:
    put_text_value(out, cwi_db_file_bucket(value));
    put_text_value(out, cwi_db_file_key(value));
    break;
  case CWI_DB_REGEX: put_text_value(out, cwi_db_regex_pattern(value)); break;
  case CWI_DB_RANGE: {
    cwi_db_bound bound = cwi_db_range_begin(value, &part);
    put_bound(out, bound, part, exact, depth);
    bound = cwi_db_range_end(value, &part);
    put_bound(out, bound, part, exact, depth);
    break;
  }
  default: break;
  }
}

static void put_value(cwi_buf *out, cw_value value, bool exact, size_t depth) {
  if (depth > CW_VALUE_DEPTH_MAX) {
    out->failed = true;
    return;
  }
  cwi_db_kind kind = cwi_db_kind_of(value);
  put_byte(out, tag_of(kind));
  switch (kind) {
  case CWI_DB_NONE:
  case CWI_DB_NULL:
  case CWI_DB_FUNCTION: break;
  case CWI_DB_BOOL: put_byte(out, value.bits != 0 ? 1 : 0); break;
  case CWI_DB_INT:
  case CWI_DB_FLOAT:
  case CWI_DB_DECIMAL: put_number(out, value, exact); break;
  case CWI_DB_STRING:
  case CWI_DB_BYTES: put_text_value(out, value); break;
  case CWI_DB_DURATION:
    put_u64(out, (uint64_t)cw_value_as_seconds(value));
    (void)cwi_db_key_u32(out, cw_value_as_nanos(value));
    break;
  case CWI_DB_DATETIME:
    put_u64(out, (uint64_t)cw_value_as_seconds(value) ^ UINT64_C(1) << 63);
    (void)cwi_db_key_u32(out, cw_value_as_nanos(value));
    break;
  case CWI_DB_UUID: (void)cwi_buf_append(out, cw_value_as_bytes(value).data, 16); break;
  case CWI_DB_ARRAY:
    for (size_t i = 0; i < cw_value_len(value); i++) {
      put_value(out, cw_value_array_get(value, i), exact, depth + 1);
    }
    put_byte(out, LIST_END);
    break;
  case CWI_DB_OBJECT: {
    cwi_object_iter iter = cwi_object_iter_start(value);
    cw_value key;
    cw_value item;
    while (cwi_object_iter_next(&iter, &key, &item)) {
      put_byte(out, LIST_MORE);
      put_text_value(out, key);
      put_value(out, item, exact, depth + 1);
    }
    put_byte(out, LIST_END);
    break;
  }
  default: put_box(out, value, kind, exact, depth + 1); break;
  }
}

cw_status cwi_db_key_value(cwi_buf *out, cw_value value, cw_error *err) {
  put_value(out, value, false, 0);
  return out->failed ? CWI_RAISE_NOMEM(err, "a key") : CW_OK;
}

cw_status cwi_db_key_record_key(cwi_buf *out, cw_value key, cw_error *err) {
  if (key.kind == CW_VALUE_INT) {
    put_byte(out, tag_of(CWI_DB_INT));
    put_u64(out, (uint64_t)cwi_value_as_int(key) ^ UINT64_C(1) << 63);
  } else {
    put_value(out, key, true, 0);
  }
  return out->failed ? CWI_RAISE_NOMEM(err, "a key") : CW_OK;
}

/* ---- reading back ---- */

typedef struct key_reader {
  const uint8_t *at;
  const uint8_t *end;
} key_reader;

static bool read_byte(key_reader *r, unsigned *out) {
  if (r->at == r->end) return false;
  *out = *r->at++;
  return true;
}

static bool read_number_bytes(key_reader *r, size_t size, uint64_t *out) {
  if ((size_t)(r->end - r->at) < size) return false;
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value = value << 8 | *r->at++;
  *out = value;
  return true;
}

static bool read_text(key_reader *r, cwi_buf *out) {
  for (;;) {
    unsigned byte;
    if (!read_byte(r, &byte)) return false;
    if (byte == 0) {
      unsigned next;
      if (!read_byte(r, &next) || next > 1) return false;
      if (next == 0) return !out->failed;
    }
    put_byte(out, byte);
  }
}

cw_status cwi_db_key_read_text(cw_bytes *bytes, cwi_buf *out, cw_error *err) {
  key_reader r = {bytes->data, (const uint8_t *)bytes->data + bytes->size};
  if (!read_text(&r, out)) {
    return out->failed ? CWI_RAISE_NOMEM(err, "a name")
                       : CWI_RAISE(err, CW_E_CORRUPT, 0, "a stored key is damaged");
  }
  *bytes = (cw_bytes){r.at, (size_t)(r.end - r.at)};
  return CW_OK;
}

static cw_status damaged(cw_error *err) {
  return CWI_RAISE(err, CW_E_CORRUPT, 0, "a stored key is damaged");
}

static cw_status read_value(key_reader *r, cw_value *out, size_t depth, cw_error *err);

static cw_status read_string(key_reader *r, bool bytes, cw_value *out, cw_error *err) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cw_status status = CW_OK;
  if (!read_text(r, &text)) {
    status = text.failed ? CWI_RAISE_NOMEM(err, "a key") : damaged(err);
  } else if (bytes) {
    status = cw_value_bytes(text.data, text.size, out, err);
  } else {
    status = cw_value_string(text.data, text.size, out, err);
    if (status == CW_E_ENCODING) status = damaged(err);
  }
  cwi_buf_deinit(&text);
  return status;
}

/* Rebuilds the text of a number: digits and an exponent. */
static bool read_digits(key_reader *r, bool negative, char *text, size_t room) {
  unsigned flip = negative ? 0xFF : 0;
  uint64_t exponent;
  if (!read_number_bytes(r, 2, &exponent)) return false;
  if (negative) exponent ^= 0xFFFF;
  char digits[64];
  size_t len = 0;
  for (;;) {
    unsigned byte;
    if (!read_byte(r, &byte)) return false;
    byte ^= flip;
    if (byte == 0) break;
    if (byte > 100 || len > 40) return false;
    digits[len++] = (char)('0' + (byte - 1) / 10);
    digits[len++] = (char)('0' + (byte - 1) % 10);
  }
  if (len == 0) return false;
  digits[len] = '\0';
  int size = snprintf(text, room, "%s%c.%se%d", negative ? "-" : "", digits[0], digits + 1,
                      (int)exponent - EXPONENT_BIAS);
  return size > 0 && (size_t)size < room;
}

static bool decimal_from_exponent_text(const char *text, uint8_t scale, cwi_decimal *out) {
  const char *mark = strchr(text, 'e');
  int exponent = (int)strtol(mark + 1, NULL, 10);
  if (exponent < -40 || exponent > 40) return false;
  cwi_decimal digits;
  cwi_decimal factor = cwi_decimal_from_int(1);
  cwi_decimal ten = cwi_decimal_from_int(10);
  char unit[48] = "0.";
  if (!cwi_decimal_parse(text, (size_t)(mark - text), &digits)) return false;
  digits = cwi_decimal_normalize(digits);
  for (int i = 0; i < exponent; i++) {
    if (!cwi_decimal_mul(digits, ten, &digits)) return false;
    digits = cwi_decimal_normalize(digits);
  }
  if (exponent < 0) {
    size_t at = 2;
    for (int i = 1; i < -exponent; i++) unit[at++] = '0';
    unit[at++] = '1';
    if (!cwi_decimal_parse(unit, at, &factor) || !cwi_decimal_mul(digits, factor, &digits))
      return false;
    digits = cwi_decimal_normalize(digits);
  }
  /* The zeros that were behind the last digit: adding a zero of that scale brings them back. */
  cwi_decimal zero = cwi_decimal_from_int(0);
  zero.scale = scale;
  return scale <= CWI_DECIMAL_SCALE_MAX && cwi_decimal_add(digits, zero, out);
}

static cw_status read_number(key_reader *r, cw_value *out, cw_error *err) {
  unsigned sign;
  unsigned kind;
  char text[96] = "0e0";
  if (!read_byte(r, &sign) || sign < NUMBER_LOWEST || sign > NUMBER_NAN) return damaged(err);
  if ((sign == NUMBER_NEGATIVE || sign == NUMBER_POSITIVE) &&
      !read_digits(r, sign == NUMBER_NEGATIVE, text, sizeof(text))) {
    return damaged(err);
  }
  if (!read_byte(r, &kind)) return damaged(err);
  if (kind == CWI_DB_FLOAT) {
    double value = sign == NUMBER_NAN       ? NAN
                   : sign == NUMBER_LOWEST  ? -INFINITY
                   : sign == NUMBER_HIGHEST ? INFINITY
                                            : strtod(text, NULL);
    *out = cwi_value_float(value);
    return CW_OK;
  }
  unsigned scale = 0;
  if (kind == CWI_DB_DECIMAL && (!read_byte(r, &scale) || scale > CWI_DECIMAL_SCALE_MAX)) {
    return damaged(err);
  }
  cwi_decimal decimal;
  if ((kind != CWI_DB_INT && kind != CWI_DB_DECIMAL) ||
      !decimal_from_exponent_text(text, (uint8_t)scale, &decimal)) {
    return damaged(err);
  }
  if (kind == CWI_DB_DECIMAL) return cwi_db_value_decimal(decimal, out, err);
  int64_t whole;
  if (!cwi_decimal_to_int(decimal, &whole)) return damaged(err);
  *out = cwi_value_int(whole);
  return CW_OK;
}

static cw_status read_list(key_reader *r, cw_value *out, size_t depth, cw_error *err) {
  cw_value array;
  cw_status status = cw_value_array(0, &array, err);
  while (status == CW_OK) {
    if (r->at == r->end) {
      status = damaged(err);
    } else if (*r->at == LIST_END) {
      r->at++;
      *out = array;
      return CW_OK;
    } else {
      cw_value item;
      status = read_value(r, &item, depth + 1, err);
      if (status == CW_OK) status = cw_value_array_push(&array, item, err);
    }
  }
  cwi_value_drop(array);
  return status;
}

static cw_status read_object(key_reader *r, cw_value *out, size_t depth, cw_error *err) {
  cw_value object;
  cw_status status = cw_value_object(&object, err);
  while (status == CW_OK) {
    unsigned more;
    if (!read_byte(r, &more) || (more != LIST_END && more != LIST_MORE)) {
      status = damaged(err);
    } else if (more == LIST_END) {
      *out = object;
      return CW_OK;
    } else {
      cw_value key = cwi_value_none();
      cw_value item = cwi_value_none();
      status = read_string(r, false, &key, err);
      if (status == CW_OK) status = read_value(r, &item, depth + 1, err);
      if (status == CW_OK) status = cwi_value_object_set_key(&object, key, item, err);
      cwi_value_drop(key);
    }
  }
  cwi_value_drop(object);
  return status;
}

static cw_status read_bound(key_reader *r, cwi_db_bound *bound, cw_value *out, size_t depth,
                            cw_error *err) {
  unsigned more;
  unsigned kind;
  *bound = CWI_DB_UNBOUNDED;
  if (!read_byte(r, &more)) return damaged(err);
  if (more == LIST_END) return CW_OK;
  cw_status status = read_value(r, out, depth + 1, err);
  if (status != CW_OK) return status;
  if (!read_byte(r, &kind) || kind < CWI_DB_INCLUDED || kind > CWI_DB_EXCLUDED) return damaged(err);
  *bound = (cwi_db_bound)kind;
  return CW_OK;
}

static cw_status read_box(key_reader *r, unsigned kind, cw_value *out, size_t depth,
                          cw_error *err) {
  cw_status status = CW_OK;
  cw_value a = cwi_value_none();
  cw_value b = cwi_value_none();
  cw_value result = cwi_value_none();
  cwi_db_bound begin = CWI_DB_UNBOUNDED;
  cwi_db_bound end = CWI_DB_UNBOUNDED;
  unsigned shape = 0;
  switch (kind) {
  case CWI_DB_GEOMETRY:
    if (!read_byte(r, &shape) || shape > CWI_DB_COLLECTION) return damaged(err);
    CWI_TRY(read_value(r, &a, depth, err));
    status = cwi_db_value_geometry((cwi_db_shape)shape, a, &result, err);
    a = cwi_value_none();
    if (status == CW_E_TYPE) status = damaged(err);
    break;
  case CWI_DB_TABLE:
  case CWI_DB_REGEX: {
    CWI_TRY(read_string(r, false, &a, err));
    cw_bytes text = cw_value_as_bytes(a);
    if (kind == CWI_DB_TABLE) {
      status = cwi_db_value_table(text.data, text.size, &result, err);
    } else {
      status = cwi_db_value_regex(text.data, text.size, &result, err);
    }
    break;
  }
  case CWI_DB_RECORD:
  case CWI_DB_FILE:
    CWI_TRY(read_string(r, false, &a, err));
    if (kind == CWI_DB_RECORD) {
      CWI_TRY(read_value(r, &b, depth, err));
      status = cwi_db_value_record(a, b, &result, err);
      if (status == CW_E_TYPE) status = damaged(err);
    } else {
      CWI_TRY(read_string(r, false, &b, err));
      status = cwi_db_value_file(a, b, &result, err);
    }
    a = cwi_value_none();
    b = cwi_value_none();
    break;
  case CWI_DB_RANGE:
    CWI_TRY(read_bound(r, &begin, &a, depth, err));
    CWI_TRY(read_bound(r, &end, &b, depth, err));
    status = cwi_db_value_range(begin, a, end, b, &result, err);
    a = cwi_value_none();
    b = cwi_value_none();
    break;
  default: return damaged(err);
  }
  *out = result;
  result = cwi_value_none();

out:
  cwi_value_drop(a);
  cwi_value_drop(b);
  cwi_value_drop(result);
  return status;
}

static cw_status read_time(key_reader *r, bool datetime, cw_value *out, cw_error *err) {
  uint64_t seconds;
  uint64_t nanos;
  if (!read_number_bytes(r, 8, &seconds) || !read_number_bytes(r, 4, &nanos) || nanos > 999999999) {
    return damaged(err);
  }
  *out = datetime ? cw_value_datetime((int64_t)(seconds ^ UINT64_C(1) << 63), (uint32_t)nanos)
                  : cw_value_duration(seconds, (uint32_t)nanos);
  return CW_OK;
}

static cw_status read_value(key_reader *r, cw_value *out, size_t depth, cw_error *err) {
  unsigned tag;
  *out = cwi_value_none();
  if (depth > CW_VALUE_DEPTH_MAX || !read_byte(r, &tag) || tag < 2) return damaged(err);
  unsigned kind = tag - 2;
  switch (kind) {
  case CWI_DB_NONE: return CW_OK;
  case CWI_DB_NULL: *out = cwi_value_null(); return CW_OK;
  case CWI_DB_BOOL: {
    unsigned byte;
    if (!read_byte(r, &byte) || byte > 1) return damaged(err);
    *out = cwi_value_bool(byte == 1);
    return CW_OK;
  }
  case CWI_DB_INT: return read_number(r, out, err);
  case CWI_DB_STRING: return read_string(r, false, out, err);
  case CWI_DB_BYTES: return read_string(r, true, out, err);
  case CWI_DB_DURATION: return read_time(r, false, out, err);
  case CWI_DB_DATETIME: return read_time(r, true, out, err);
  case CWI_DB_UUID: {
    if (r->end - r->at < 16) return damaged(err);
    r->at += 16;
    return cw_value_uuid(r->at - 16, out, err);
  }
  case CWI_DB_ARRAY: return read_list(r, out, depth, err);
  case CWI_DB_SET: {
    cw_value items;
    cw_status status = read_list(r, &items, depth, err);
    return status != CW_OK ? status : cwi_db_value_set(items, out, err);
  }
  case CWI_DB_OBJECT: return read_object(r, out, depth, err);
  default: return read_box(r, kind, out, depth + 1, err);
  }
}

cw_status cwi_db_key_read_record_key(cw_bytes *bytes, cw_value *out, cw_error *err) {
  key_reader r = {bytes->data, (const uint8_t *)bytes->data + bytes->size};
  *out = cwi_value_none();
  cw_status status = CW_OK;
  if (bytes->size > 0 && *r.at == tag_of(CWI_DB_INT)) {
    uint64_t number;
    r.at++;
    if (!read_number_bytes(&r, 8, &number)) return damaged(err);
    *out = cwi_value_int((int64_t)(number ^ UINT64_C(1) << 63));
  } else {
    status = read_value(&r, out, 0, err);
  }
  if (status == CW_OK) *bytes = (cw_bytes){r.at, (size_t)(r.end - r.at)};
  return status;
}

/* ---- whole keys ---- */

#define PREFIX_BYTES 10

bool cwi_db_key_prefix(cwi_buf *out, uint32_t db, uint32_t table, cwi_db_key_space space) {
  put_byte(out, 0x10);
  (void)cwi_db_key_u32(out, db);
  (void)cwi_db_key_u32(out, table);
  put_byte(out, (unsigned)space);
  return !out->failed;
}

cw_status cwi_db_key_record(cwi_buf *out, uint32_t db, uint32_t table, cw_value key,
                            cw_error *err) {
  (void)cwi_db_key_prefix(out, db, table, CWI_DB_KEYS_RECORD);
  return cwi_db_key_record_key(out, key, err);
}

cw_status cwi_db_key_record_of(cw_bytes key, cw_value *record_key, cw_error *err) {
  *record_key = cwi_value_none();
  if (key.size <= PREFIX_BYTES) return damaged(err);
  cw_bytes rest = {(const uint8_t *)key.data + PREFIX_BYTES, key.size - PREFIX_BYTES};
  return cwi_db_key_read_record_key(&rest, record_key, err);
}

bool cwi_db_key_successor(cwi_buf *key) {
  while (key->size > 0 && (uint8_t)key->data[key->size - 1] == 0xFF) key->size--;
  if (key->size > 0) key->data[key->size - 1]++;
  return !key->failed;
}

cw_status cwi_db_key_record_range(cwi_buf *begin, cwi_buf *end, uint32_t db, uint32_t table,
                                  cw_value range, cw_error *err) {
  (void)cwi_db_key_prefix(begin, db, table, CWI_DB_KEYS_RECORD);
  (void)cwi_db_key_prefix(end, db, table, CWI_DB_KEYS_RECORD);
  cw_value low = cwi_value_none();
  cw_value high = cwi_value_none();
  cwi_db_bound low_bound = CWI_DB_UNBOUNDED;
  cwi_db_bound high_bound = CWI_DB_UNBOUNDED;
  if (cwi_db_kind_of(range) == CWI_DB_RANGE) {
    low_bound = cwi_db_range_begin(range, &low);
    high_bound = cwi_db_range_end(range, &high);
  }
  cw_status status = CW_OK;
  if (low_bound != CWI_DB_UNBOUNDED) status = cwi_db_key_record_key(begin, low, err);
  if (status == CW_OK && low_bound == CWI_DB_EXCLUDED) (void)cwi_db_key_successor(begin);
  if (status == CW_OK && high_bound != CWI_DB_UNBOUNDED)
    status = cwi_db_key_record_key(end, high, err);
  if (high_bound != CWI_DB_EXCLUDED) (void)cwi_db_key_successor(end);
  if (status == CW_OK && (begin->failed || end->failed)) status = CWI_RAISE_NOMEM(err, "a key");
  return status;
}
