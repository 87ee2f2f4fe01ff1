/* SPDX-License-Identifier: MIT */
/* Values as SurrealQL text. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "db/db_value_internal.h"

#define TEXT_DEPTH_MAX CW_VALUE_DEPTH_MAX

static bool text_at(cwi_buf *out, cw_value value, bool bare, size_t depth);

/* The shortest digits of a finite double, without exponent: 0.0000001, 100000000000000000000. */
static void append_plain(cwi_buf *out, double value) {
  char text[40];
  int precision = 0;
  do {
    (void)snprintf(text, sizeof(text), "%.*e", precision, value);
  } while (strtod(text, NULL) != value && precision++ < 17);
  int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
  char digits[24];
  int len = 0;
  for (const char *c = text; *c != 'e'; c++) {
    if (*c >= '0' && *c <= '9') digits[len++] = *c;
  }
  if (signbit(value)) (void)cwi_buf_append_char(out, '-');
  if (exponent < 0) (void)cwi_buf_append_str(out, "0.");
  for (int i = exponent + 1; i < 0; i++) (void)cwi_buf_append_char(out, '0');
  for (int i = 0; i < len; i++) {
    (void)cwi_buf_append_char(out, digits[i]);
    if (i == exponent && i + 1 < len) (void)cwi_buf_append_char(out, '.');
  }
  for (int i = len; i <= exponent; i++) (void)cwi_buf_append_char(out, '0');
}

bool cwi_db_text_float(cwi_buf *out, double value) {
  if (isnan(value)) return cwi_buf_append_str(out, "NaN");
  if (isinf(value)) return cwi_buf_append_str(out, value > 0 ? "Infinity" : "-Infinity");
  append_plain(out, value);
  return !out->failed;
}

bool cwi_db_text_string(cwi_buf *out, const char *text, size_t size) {
  (void)cwi_buf_append_char(out, '\'');
  for (size_t i = 0; i < size; i++) {
    switch (text[i]) {
    case '\'': (void)cwi_buf_append_str(out, "\\'"); break;
    case '\\': (void)cwi_buf_append_str(out, "\\\\"); break;
    case '\n': (void)cwi_buf_append_str(out, "\\n"); break;
    case '\r': (void)cwi_buf_append_str(out, "\\r"); break;
    case '\t': (void)cwi_buf_append_str(out, "\\t"); break;
    case '\b': (void)cwi_buf_append_str(out, "\\b"); break;
    case '\f': (void)cwi_buf_append_str(out, "\\f"); break;
    case '\0': (void)cwi_buf_append_str(out, "\\0"); break;
    default: (void)cwi_buf_append_char(out, text[i]); break;
    }
  }
  return cwi_buf_append_char(out, '\'');
}

static bool is_ident(const char *name, size_t size, bool digits_first) {
  if (size == 0) return false;
  for (size_t i = 0; i < size; i++) {
    char c = name[i];
    bool digit = c >= '0' && c <= '9';
    if (!(digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')) return false;
  }
  return digits_first || name[0] < '0' || name[0] > '9';
}

static bool append_backticks(cwi_buf *out, const char *name, size_t size) {
  (void)cwi_buf_append_char(out, '`');
  for (size_t i = 0; i < size; i++) {
    if (name[i] == '`' || name[i] == '\\') (void)cwi_buf_append_char(out, '\\');
    (void)cwi_buf_append_char(out, name[i]);
  }
  return cwi_buf_append_char(out, '`');
}

bool cwi_db_text_ident(cwi_buf *out, const char *name, size_t size) {
  if (is_ident(name, size, false)) return cwi_buf_append(out, name, size);
  return append_backticks(out, name, size);
}

static void append_key_bound(cwi_buf *out, cw_value key, size_t depth) {
  if (key.kind == CW_VALUE_STRING || key.kind == CW_VALUE_INT) {
    (void)cwi_db_text_record_key(out, key);
  } else {
    (void)text_at(out, key, false, depth);
  }
}

bool cwi_db_text_record_key(cwi_buf *out, cw_value key) {
  switch (cwi_db_kind_of(key)) {
  case CWI_DB_STRING: {
    cw_bytes text = cw_value_as_bytes(key);
    const char *name = text.data;
    bool letters = is_ident(name, text.size, true);
    if (letters) {
      /* All digits (with underscores) would read back as a number. */
      bool number = true;
      for (size_t i = 0; i < text.size; i++) {
        number = number && ((name[i] >= '0' && name[i] <= '9') || name[i] == '_');
      }
      letters = !number || name[0] == '_';
    }
    if (letters) return cwi_buf_append(out, name, text.size);
    return append_backticks(out, name, text.size);
  }
  case CWI_DB_RANGE: {
    cw_value value;
    cwi_db_bound bound = cwi_db_range_begin(key, &value);
    if (bound != CWI_DB_UNBOUNDED) append_key_bound(out, value, 1);
    if (bound == CWI_DB_EXCLUDED) (void)cwi_buf_append_char(out, '>');
    (void)cwi_buf_append_str(out, "..");
    bound = cwi_db_range_end(key, &value);
    if (bound == CWI_DB_INCLUDED) (void)cwi_buf_append_char(out, '=');
    if (bound != CWI_DB_UNBOUNDED) append_key_bound(out, value, 1);
    return !out->failed;
  }
  default: return text_at(out, key, false, 1);
  }
}

bool cwi_db_text_datetime(cwi_buf *out, cw_value datetime) {
  int64_t seconds = cw_value_as_seconds(datetime);
  uint32_t nanos = cw_value_as_nanos(datetime);
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  int64_t year;
  unsigned month;
  unsigned day;
  cwi_db_civil_from_days(days, &year, &month, &day);
  if (year > 9999) {
    (void)cwi_buf_append_format(out, "+%" PRId64, year);
  } else if (year < 0) {
    (void)cwi_buf_append_format(out, "-%04" PRId64, -year);
  } else {
    (void)cwi_buf_append_format(out, "%04" PRId64, year);
  }
  (void)cwi_buf_append_format(out, "-%02u-%02uT%02d:%02d:%02d", month, day, (int)(rest / 3600),
                              (int)(rest / 60 % 60), (int)(rest % 60));
  if (nanos % 1000000 == 0 && nanos != 0) {
    (void)cwi_buf_append_format(out, ".%03u", nanos / 1000000);
  } else if (nanos % 1000 == 0 && nanos != 0) {
    (void)cwi_buf_append_format(out, ".%06u", nanos / 1000);
  } else if (nanos != 0) {
    (void)cwi_buf_append_format(out, ".%09u", nanos);
  }
  return cwi_buf_append_char(out, 'Z');
}

bool cwi_db_text_duration(cwi_buf *out, cw_value duration) {
  static const struct {
    uint64_t seconds;
    const char *unit;
  } large[] = {{31536000, "y"}, {604800, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  static const struct {
    uint32_t nanos;
    const char *unit;
  } small[] = {{1000000, "ms"}, {1000, "\xC2\xB5s"}, {1, "ns"}};
  uint64_t seconds = (uint64_t)cw_value_as_seconds(duration);
  uint32_t nanos = cw_value_as_nanos(duration);
  if (seconds == 0 && nanos == 0) return cwi_buf_append_str(out, "0ns");
  for (size_t i = 0; i < CWI_ARRAY_LEN(large); i++) {
    uint64_t count = seconds / large[i].seconds;
    seconds %= large[i].seconds;
    if (count > 0) (void)cwi_buf_append_format(out, "%" PRIu64 "%s", count, large[i].unit);
  }
  for (size_t i = 0; i < CWI_ARRAY_LEN(small); i++) {
    uint32_t count = nanos / small[i].nanos;
    nanos %= small[i].nanos;
    if (count > 0) (void)cwi_buf_append_format(out, "%u%s", count, small[i].unit);
  }
  return !out->failed;
}

bool cwi_db_text_uuid(cwi_buf *out, cw_value uuid) {
  cw_bytes bytes = cw_value_as_bytes(uuid);
  const uint8_t *b = bytes.data;
  for (size_t i = 0; i < bytes.size; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) (void)cwi_buf_append_char(out, '-');
    (void)cwi_buf_append_format(out, "%02x", b[i]);
  }
  return !out->failed;
}

static void append_items(cwi_buf *out, cw_value array, size_t depth) {
  for (size_t i = 0; i < cw_value_len(array); i++) {
    if (i > 0) (void)cwi_buf_append_str(out, ", ");
    (void)text_at(out, cw_value_array_get(array, i), false, depth);
  }
}

static void append_object(cwi_buf *out, cw_value object, size_t depth) {
  (void)cwi_buf_append_str(out, "{ ");
  cwi_object_iter iter = cwi_object_iter_start(object);
  cw_value key;
  cw_value item;
  for (bool first = true; cwi_object_iter_next(&iter, &key, &item); first = false) {
    if (!first) (void)cwi_buf_append_str(out, ", ");
    cw_bytes name = cw_value_as_bytes(key);
    if (is_ident(name.data, name.size, true)) {
      (void)cwi_buf_append(out, name.data, name.size);
    } else {
      (void)cwi_db_text_string(out, name.data, name.size);
    }
    (void)cwi_buf_append_str(out, ": ");
    (void)text_at(out, item, false, depth);
  }
  (void)cwi_buf_append_str(out, " }");
}

static void append_set(cwi_buf *out, cw_value set, size_t depth) {
  cw_value items = cwi_db_set_items(set);
  (void)cwi_buf_append_char(out, '{');
  append_items(out, items, depth);
  if (cw_value_len(items) < 2) (void)cwi_buf_append_char(out, ',');
  (void)cwi_buf_append_char(out, '}');
}

/* Coordinates in GeoJSON's brackets, numbers without the f. */
static void append_coordinates(cwi_buf *out, cw_value value) {
  if (value.kind == CW_VALUE_FLOAT) {
    (void)cwi_db_text_float(out, cwi_value_as_float(value));
    return;
  }
  (void)cwi_buf_append_char(out, '[');
  for (size_t i = 0; i < cw_value_len(value); i++) {
    if (i > 0) (void)cwi_buf_append_str(out, ", ");
    append_coordinates(out, cw_value_array_get(value, i));
  }
  (void)cwi_buf_append_char(out, ']');
}

static void append_geometry(cwi_buf *out, cw_value geometry, size_t depth) {
  cwi_db_shape shape = cwi_db_geometry_shape(geometry);
  cw_value coordinates = cwi_db_geometry_coordinates(geometry);
  if (shape == CWI_DB_POINT) {
    (void)cwi_buf_append_char(out, '(');
    (void)cwi_db_text_float(out, cw_value_as_float(cw_value_array_get(coordinates, 0)));
    (void)cwi_buf_append_str(out, ", ");
    (void)cwi_db_text_float(out, cw_value_as_float(cw_value_array_get(coordinates, 1)));
    (void)cwi_buf_append_char(out, ')');
    return;
  }
  (void)cwi_buf_append_format(out, "{ type: '%s', ", cwi_db_shape_geojson(shape));
  if (shape == CWI_DB_COLLECTION) {
    (void)cwi_buf_append_str(out, "geometries: [");
    append_items(out, coordinates, depth);
    (void)cwi_buf_append_char(out, ']');
  } else {
    (void)cwi_buf_append_str(out, "coordinates: ");
    append_coordinates(out, coordinates);
  }
  (void)cwi_buf_append_str(out, " }");
}

static void append_range(cwi_buf *out, cw_value range, size_t depth) {
  cw_value value;
  cwi_db_bound bound = cwi_db_range_begin(range, &value);
  if (bound != CWI_DB_UNBOUNDED) (void)text_at(out, value, false, depth);
  if (bound == CWI_DB_EXCLUDED) (void)cwi_buf_append_char(out, '>');
  (void)cwi_buf_append_str(out, "..");
  bound = cwi_db_range_end(range, &value);
  if (bound == CWI_DB_INCLUDED) (void)cwi_buf_append_char(out, '=');
  if (bound != CWI_DB_UNBOUNDED) (void)text_at(out, value, false, depth);
}

static void append_bytes(cwi_buf *out, cw_value value) {
  cw_bytes bytes = cw_value_as_bytes(value);
  (void)cwi_buf_append_str(out, "b\"");
  for (size_t i = 0; i < bytes.size; i++) {
    (void)cwi_buf_append_format(out, "%02X", ((const uint8_t *)bytes.data)[i]);
  }
  (void)cwi_buf_append_char(out, '"');
}

static void append_quoted(cwi_buf *out, char prefix, bool bare, bool (*append)(cwi_buf *, cw_value),
                          cw_value value) {
  if (!bare) (void)cwi_buf_append_format(out, "%c'", prefix);
  (void)append(out, value);
  if (!bare) (void)cwi_buf_append_char(out, '\'');
}

static void append_decimal(cwi_buf *out, cw_value value, bool bare) {
  char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
  size_t size = cwi_decimal_format(cwi_db_decimal(value), text);
  (void)cwi_buf_append(out, text, size);
  if (!bare) (void)cwi_buf_append_str(out, "dec");
}

static void append_string(cwi_buf *out, cw_value value, bool bare) {
  cw_bytes text = cw_value_as_bytes(value);
  if (bare) {
    (void)cwi_buf_append(out, text.data, text.size);
  } else {
    (void)cwi_db_text_string(out, text.data, text.size);
  }
}

static void append_box(cwi_buf *out, cw_value value, bool bare, size_t depth) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_DECIMAL: append_decimal(out, value, bare); break;
  case CWI_DB_RECORD: {
    cw_bytes table = cw_value_as_bytes(cwi_db_record_table(value));
    (void)cwi_db_text_ident(out, table.data, table.size);
    (void)cwi_buf_append_char(out, ':');
    (void)cwi_db_text_record_key(out, cwi_db_record_key(value));
    break;
  }
  case CWI_DB_RANGE: append_range(out, value, depth); break;
  case CWI_DB_SET: append_set(out, value, depth); break;
  case CWI_DB_GEOMETRY: append_geometry(out, value, depth); break;
  case CWI_DB_TABLE: {
    cw_bytes name = cw_value_as_bytes(cwi_db_table_name(value));
    (void)cwi_db_text_ident(out, name.data, name.size);
    break;
  }
  case CWI_DB_REGEX:
    (void)cwi_buf_append_char(out, '/');
    append_string(out, cwi_db_regex_pattern(value), true);
    (void)cwi_buf_append_char(out, '/');
    break;
  case CWI_DB_FILE:
    (void)cwi_buf_append_str(out, bare ? "" : "f\"");
    append_string(out, cwi_db_file_bucket(value), true);
    (void)cwi_buf_append_char(out, ':');
    append_string(out, cwi_db_file_key(value), true);
    (void)cwi_buf_append_str(out, bare ? "" : "\"");
    break;
  default: {
    const cwi_box *box = cwi_value_box_ptr(value);
    const cwi_db_closure_ops *ops = (const cwi_db_closure_ops *)(const void *)box->ops;
    if (box->ops->name == cwi_db_closure_name && ops->text != NULL) {
      (void)ops->text(box, out);
    } else {
      (void)cwi_buf_append_str(out, box->ops->name);
    }
    break;
  }
  }
}

static bool text_at(cwi_buf *out, cw_value value, bool bare, size_t depth) {
  if (depth > TEXT_DEPTH_MAX) return cwi_buf_append_str(out, "...");
  switch (value.kind) {
  case CW_VALUE_NONE: return cwi_buf_append_str(out, "NONE");
  case CW_VALUE_NULL: return cwi_buf_append_str(out, "NULL");
  case CW_VALUE_BOOL: return cwi_buf_append_str(out, value.bits != 0 ? "true" : "false");
  case CW_VALUE_INT:
  case CW_VALUE_CHAR: return cwi_buf_append_format(out, "%" PRId64, (int64_t)value.bits);
  case CW_VALUE_FLOAT:
    (void)cwi_db_text_float(out, cwi_value_as_float(value));
    if (isfinite(cwi_value_as_float(value))) (void)cwi_buf_append_char(out, 'f');
    break;
  case CW_VALUE_DATETIME: append_quoted(out, 'd', bare, cwi_db_text_datetime, value); break;
  case CW_VALUE_DURATION: (void)cwi_db_text_duration(out, value); break;
  case CW_VALUE_STRING: append_string(out, value, bare); break;
  case CW_VALUE_BYTES: append_bytes(out, value); break;
  case CW_VALUE_ARRAY:
    (void)cwi_buf_append_char(out, '[');
    append_items(out, value, depth + 1);
    (void)cwi_buf_append_char(out, ']');
    break;
  case CW_VALUE_OBJECT: append_object(out, value, depth + 1); break;
  case CW_VALUE_UUID: append_quoted(out, 'u', bare, cwi_db_text_uuid, value); break;
  default: append_box(out, value, bare, depth + 1); break;
  }
  return !out->failed;
}

bool cwi_db_text(cwi_buf *out, cw_value value) { return text_at(out, value, false, 0); }

bool cwi_db_text_bare(cwi_buf *out, cw_value value) { return text_at(out, value, true, 0); }

cw_status cwi_db_text_value(cw_value value, bool bare, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (bare && value.kind == CW_VALUE_STRING) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_status status = CW_OK;
  if (!text_at(&buf, value, bare, 0)) {
    status = CWI_RAISE_NOMEM(err, "text of a value");
  } else {
    status = cw_value_string(buf.data, buf.size, out, err);
  }
  cwi_buf_deinit(&buf);
  return status;
}
