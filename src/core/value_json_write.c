/* SPDX-License-Identifier: MIT */
/* Writing JSON. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/number.h"
#include "core/value.h"
#include "core/value_json.h"

typedef struct writer {
  cwi_buf *buf;
  const cw_json_options *options;
  cw_error *err;
} writer;

static void put_escaped(cwi_buf *buf, unsigned char c) {
  static const char FROM[] = "\"\\\b\f\n\r\t";
  static const char TO[] = "\"\\bfnrt";
  const char *found = c == 0 ? NULL : strchr(FROM, c);
  if (found != NULL) {
    (void)cwi_buf_append_char(buf, '\\');
    (void)cwi_buf_append_char(buf, TO[found - FROM]);
  } else {
    (void)cwi_buf_append_format(buf, "\\u%04x", c);
  }
}

void cwi_json_text(cwi_buf *buf, const char *text, size_t size) {
  size_t run = 0;
  (void)cwi_buf_append_char(buf, '"');
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    (void)cwi_buf_append(buf, text + run, i - run);
    put_escaped(buf, c);
    run = i + 1;
  }
  (void)cwi_buf_append(buf, size == 0 ? "" : text + run, size - run);
  (void)cwi_buf_append_char(buf, '"');
}

static cw_status put_float(writer *w, double value) {
  char text[CWI_FLOAT_TEXT_BYTES];
  if (isfinite(value)) {
    (void)cwi_buf_append(w->buf, text, cwi_float_print(value, text));
  } else if (w->options->refuse_non_finite) {
    return CWI_RAISE(w->err, CW_E_RANGE, 0, "JSON has no NaN and no infinity");
  } else {
    (void)cwi_buf_append_str(w->buf, "null");
  }
  return CW_OK;
}

static void put_base64(cwi_buf *buf, const uint8_t *data, size_t size) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  (void)cwi_buf_append_char(buf, '"');
  for (size_t i = 0; i < size; i += 3) {
    size_t len = size - i < 3 ? size - i : 3;
    uint32_t group = (uint32_t)data[i] << 16;
    if (len > 1) group |= (uint32_t)data[i + 1] << 8;
    if (len > 2) group |= data[i + 2];
    for (size_t j = 0; j < 4; j++) {
      (void)cwi_buf_append_char(buf, j <= len ? DIGITS[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  (void)cwi_buf_append_char(buf, '"');
}

static void put_uuid(cwi_buf *buf, const uint8_t *bytes) {
  (void)cwi_buf_append_char(buf, '"');
  for (size_t i = 0; i < 16; i++) {
    (void)cwi_buf_append_format(buf, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                                bytes[i]);
  }
  (void)cwi_buf_append_char(buf, '"');
}

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar (Hinnant, "chrono-compatible
 * low-level date algorithms"). */
static void civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
  int64_t m = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * m + 2) / 5 + 1);
  *month = (int)(m < 10 ? m + 3 : m - 9);
  *year = y + era * 400 + (*month <= 2 ? 1 : 0);
}

static void put_fraction(cwi_buf *buf, uint32_t nanos) {
  if (nanos == 0) return;
  int digits = 9;
  while (nanos % 10 == 0) {
    nanos /= 10;
    digits--;
  }
  (void)cwi_buf_append_format(buf, ".%0*u", digits, nanos);
}

static void put_datetime(cwi_buf *buf, int64_t seconds, uint32_t nanos) {
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  int64_t year;
  int month;
  int day;
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  civil_from_days(days, &year, &month, &day);
  (void)cwi_buf_append_format(buf, "\"%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year, month, day,
                              (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
  put_fraction(buf, nanos);
  (void)cwi_buf_append_str(buf, "Z\"");
}

static void put_duration(cwi_buf *buf, uint64_t seconds, uint32_t nanos) {
  (void)cwi_buf_append_char(buf, '"');
  if (seconds >= 3600)
    (void)cwi_buf_append_format(buf, "%lluh", (unsigned long long)(seconds / 3600));
  if (seconds / 60 % 60 != 0)
    (void)cwi_buf_append_format(buf, "%um", (unsigned)(seconds / 60 % 60));
  if (seconds % 60 != 0 || nanos != 0 || seconds == 0) {
    (void)cwi_buf_append_format(buf, "%u", (unsigned)(seconds % 60));
    put_fraction(buf, nanos);
    (void)cwi_buf_append_char(buf, 's');
  }
  (void)cwi_buf_append_char(buf, '"');
}

static void new_line(writer *w, uint32_t depth) {
  if (w->options->indent == 0) return;
  (void)cwi_buf_append_char(w->buf, '\n');
  for (uint32_t i = 0; i < depth * w->options->indent; i++) (void)cwi_buf_append_char(w->buf, ' ');
}

static cw_status write_at(writer *w, cw_value value, uint32_t depth);

static cw_status write_array(writer *w, cw_value value, uint32_t depth) {
  const cwi_array *array = cwi_value_array_ptr(value);
  cw_status status = CW_OK;
  (void)cwi_buf_append_char(w->buf, '[');
  for (size_t i = 0; i < array->len && status == CW_OK; i++) {
    if (i > 0) (void)cwi_buf_append_char(w->buf, ',');
    new_line(w, depth);
    status = write_at(w, array->items[i], depth);
  }
  if (array->len > 0) new_line(w, depth - 1);
  (void)cwi_buf_append_char(w->buf, ']');
  return status;
}

static cw_status write_object(writer *w, cw_value value, uint32_t depth) {
  cwi_object_iter iter = cwi_object_iter_start(value);
  cw_status status = CW_OK;
  cw_value key;
  cw_value item;
  bool first = true;
  (void)cwi_buf_append_char(w->buf, '{');
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    if (!first) (void)cwi_buf_append_char(w->buf, ',');
    first = false;
    new_line(w, depth);
    cw_bytes name = cw_value_as_bytes(key);
    cwi_json_text(w->buf, name.data, name.size);
    (void)cwi_buf_append_str(w->buf, w->options->indent == 0 ? ":" : ": ");
    status = write_at(w, item, depth);
  }
  if (!first) new_line(w, depth - 1);
  (void)cwi_buf_append_char(w->buf, '}');
  return status;
}

static void write_char(cwi_buf *buf, uint32_t codepoint) {
  cwi_buf one;
  cwi_buf_init(&one, 0);
  (void)cwi_buf_append_codepoint(&one, codepoint);
  cwi_json_text(buf, one.data, one.size);
  buf->failed |= one.failed;
  cwi_buf_deinit(&one);
}

static void write_box(cwi_buf *buf, const cwi_box *box) {
  if (box->ops->to_json != NULL && box->ops->to_json(box, buf)) return;
  cwi_json_text(buf, box->ops->name, strlen(box->ops->name));
}

static cw_status write_at(writer *w, cw_value value, uint32_t depth) {
  cw_bytes bytes = cw_value_as_bytes(value);
  bool nests = value.kind == CW_VALUE_ARRAY || value.kind == CW_VALUE_OBJECT;
  if (nests && depth >= w->options->depth_max) {
    return CWI_RAISE(w->err, CW_E_LIMIT, 0, "the value nests deeper than %u",
                     w->options->depth_max);
  }
  switch (value.kind) {
    case CW_VALUE_BOOL: (void)cwi_buf_append_str(w->buf, value.bits != 0 ? "true" : "false"); break;
    case CW_VALUE_INT:
      (void)cwi_buf_append_format(w->buf, "%lld", (long long)(int64_t)value.bits);
      break;
    case CW_VALUE_FLOAT: return put_float(w, cwi_value_as_float(value));
    case CW_VALUE_CHAR: write_char(w->buf, (uint32_t)value.bits); break;
    case CW_VALUE_DATETIME: put_datetime(w->buf, (int64_t)value.bits, value.aux); break;
    case CW_VALUE_DURATION: put_duration(w->buf, value.bits, value.aux); break;
    case CW_VALUE_STRING: cwi_json_text(w->buf, bytes.data, bytes.size); break;
    case CW_VALUE_BYTES: put_base64(w->buf, bytes.data, bytes.size); break;
    case CW_VALUE_UUID: put_uuid(w->buf, bytes.data); break;
    case CW_VALUE_ARRAY: return write_array(w, value, depth + 1);
    case CW_VALUE_OBJECT: return write_object(w, value, depth + 1);
    case CW_VALUE_BOX: write_box(w->buf, cwi_value_box_ptr(value)); break;
    default: (void)cwi_buf_append_str(w->buf, "null");
  }
  return CW_OK;
}

cw_status cwi_json_value(cwi_buf *buf, cw_value value, const cw_json_options *options,
                         cw_error *err) {
  const cw_json_options defaults = CW_JSON_OPTIONS_INIT;
  writer w = {.buf = buf, .options = options != NULL ? options : &defaults, .err = err};
  cw_status status = write_at(&w, value, 0);
  if (status == CW_OK && buf->failed) status = CWI_RAISE_NOMEM(err, "JSON");
  return status;
}

cw_status cw_value_to_json(cw_value value, const cw_json_options *options, cw_value *out,
                           cw_error *err) {
  *out = cwi_value_none();
  cwi_error_clear(err);
  if (options != NULL &&
      (options->struct_size != sizeof(*options) || options->depth_max > CW_VALUE_DEPTH_MAX)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size, or too deep");
  }
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_status status = cwi_json_value(&buf, value, options, err);
  if (status == CW_OK) status = cwi_value_string_from_buf(&buf, out, err);
  cwi_buf_deinit(&buf);
  return status;
}
