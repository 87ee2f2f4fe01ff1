/* SPDX-License-Identifier: MIT */
/* Casts (lenient, `<int>'42'`) and coercions (strict, as in DEFINE FIELD) to the simple kinds. */
#include <math.h>

#include "core/error.h"
#include "core/utf8.h"
#include "db/db_value_internal.h"

#define RANGE_ITEMS_MAX (1U << 20)

static bool float_to_int(double value, int64_t *out) {
  if (!(value == trunc(value)) || isinf(value)) return false;
  if (value >= 9223372036854775807.0) {
    *out = INT64_MAX;
  } else if (value <= -9223372036854775808.0) {
    *out = INT64_MIN;
  } else {
    *out = (int64_t)value;
  }
  return true;
}

static bool number_to_int(cw_value value, int64_t *out) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_INT: *out = cwi_value_as_int(value); return true;
  case CWI_DB_FLOAT: return float_to_int(cwi_value_as_float(value), out);
  case CWI_DB_DECIMAL: {
    cwi_decimal d = cwi_db_decimal(value);
    return cwi_decimal_is_integer(d) && cwi_decimal_to_int(d, out);
  }
  default: return false;
  }
}

static bool number_to_decimal(cw_value value, cwi_decimal *out) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_INT: *out = cwi_decimal_from_int(cwi_value_as_int(value)); return true;
  case CWI_DB_FLOAT: return cwi_decimal_from_double(cwi_value_as_float(value), out);
  case CWI_DB_DECIMAL: *out = cwi_db_decimal(value); return true;
  default: return false;
  }
}

cw_status cwi_db_coerce(cw_value value, cwi_db_kind kind, cw_value *out, bool *ok, cw_error *err) {
  *out = cwi_value_none();
  *ok = true;
  cwi_db_kind have = cwi_db_kind_of(value);
  if (have == kind || (kind == CWI_DB_ANY_NUMBER && cwi_db_is_number(value))) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  *ok = false;
  if (!cwi_db_is_number(value)) return CW_OK;
  if (kind == CWI_DB_INT) {
    int64_t number;
    *ok = number_to_int(value, &number);
    if (*ok) *out = cwi_value_int(number);
  } else if (kind == CWI_DB_FLOAT) {
    *ok = true;
    *out = cwi_value_float(cwi_db_number_as_float(value));
  } else if (kind == CWI_DB_DECIMAL) {
    cwi_decimal decimal;
    *ok = number_to_decimal(value, &decimal);
    if (*ok) return cwi_db_value_decimal(decimal, out, err);
  }
  return CW_OK;
}

/* ---- from text ---- */

static bool parse_any_number(cw_bytes text, cw_value *out) {
  int64_t whole;
  double real;
  if (cwi_db_parse_int(text.data, text.size, &whole)) {
    *out = cwi_value_int(whole);
    return true;
  }
  if (!cwi_db_parse_float(text.data, text.size, &real)) return false;
  *out = cwi_value_float(real);
  return true;
}

static bool text_is(cw_bytes text, const char *word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static cw_status cast_text(cw_bytes text, cwi_db_kind kind, cw_value *out, bool *ok,
                           cw_error *err) {
  *ok = true;
  switch ((int)kind) {
  case CWI_DB_BOOL:
    *ok = text_is(text, "true") || text_is(text, "false");
    if (*ok) *out = cwi_value_bool(text.size == 4);
    return CW_OK;
  case CWI_DB_INT: {
    int64_t number;
    *ok = cwi_db_parse_int(text.data, text.size, &number);
    if (*ok) *out = cwi_value_int(number);
    return CW_OK;
  }
  case CWI_DB_FLOAT: {
    double number;
    *ok = cwi_db_parse_float(text.data, text.size, &number);
    if (*ok) *out = cwi_value_float(number);
    return CW_OK;
  }
  case CWI_DB_DECIMAL: {
    cwi_decimal decimal;
    *ok = cwi_decimal_parse(text.data, text.size, &decimal);
    return *ok ? cwi_db_value_decimal(cwi_decimal_normalize(decimal), out, err) : CW_OK;
  }
  case (int)CWI_DB_ANY_NUMBER: *ok = parse_any_number(text, out); return CW_OK;
  case CWI_DB_DATETIME: *ok = cwi_db_parse_datetime(text.data, text.size, out); return CW_OK;
  case CWI_DB_DURATION: *ok = cwi_db_parse_duration(text.data, text.size, out); return CW_OK;
  case CWI_DB_UUID: {
    uint8_t bytes[16];
    *ok = cwi_db_parse_uuid(text.data, text.size, bytes);
    return *ok ? cw_value_uuid(bytes, out, err) : CW_OK;
  }
  case CWI_DB_BYTES: return cw_value_bytes(text.data, text.size, out, err);
  case CWI_DB_TABLE: return cwi_db_value_table(text.data, text.size, out, err);
  case CWI_DB_REGEX: {
    cw_status status = cwi_db_value_regex(text.data, text.size, out, NULL);
    *ok = status == CW_OK;
    return status == CW_E_NOMEM ? CWI_RAISE_NOMEM(err, "a regular expression") : CW_OK;
  }
  default: *ok = false; return CW_OK;
  }
}

/* ---- to compound kinds ---- */

static cw_status array_of_range(cw_value range, cw_value *out, bool *ok, cw_error *err) {
  int64_t first;
  int64_t end;
  cw_value begin_value;
  cw_value end_value;
  *ok = cwi_db_range_ints(range, &first, &end) &&
        cwi_db_range_begin(range, &begin_value) != CWI_DB_UNBOUNDED &&
        cwi_db_range_end(range, &end_value) != CWI_DB_UNBOUNDED;
  if (!*ok) return CW_OK;
  if ((uint64_t)end - (uint64_t)first > RANGE_ITEMS_MAX) {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    (void)cwi_db_text(&text, range);
    const char *shown = cwi_buf_cstr(&text);
    cw_status status = CWI_RAISE(err, CW_E_QUERY, 0,
                                 "Casting range `%s` to an array would create an array larger then "
                                 "the max allocation limit.",
                                 shown == NULL ? "" : shown);
    cwi_buf_deinit(&text);
    return status;
  }
  cw_value array;
  cw_status status = cw_value_array((size_t)(end - first), &array, err);
  for (int64_t i = first; status == CW_OK && i < end; i++) {
    status = cw_value_array_push(&array, cwi_value_int(i), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(array);
    return status;
  }
  *out = array;
  return CW_OK;
}

static cw_status array_of_bytes(cw_value value, cw_value *out, cw_error *err) {
  cw_bytes bytes = cw_value_as_bytes(value);
  cw_value array;
  cw_status status = cw_value_array(bytes.size, &array, err);
  for (size_t i = 0; status == CW_OK && i < bytes.size; i++) {
    status = cw_value_array_push(&array, cwi_value_int(((const uint8_t *)bytes.data)[i]), err);
  }
  if (status != CW_OK) cwi_value_drop(array);
  if (status == CW_OK) *out = array;
  return status;
}

static cw_status bytes_of_array(cw_value array, cw_value *out, bool *ok, cw_error *err) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  *ok = true;
  for (size_t i = 0; *ok && i < cw_value_len(array); i++) {
    int64_t number = -1;
    *ok = number_to_int(cw_value_array_get(array, i), &number) && number >= 0 && number <= 255;
    (void)cwi_buf_append_char(&buf, (char)(uint8_t)number);
  }
  cw_status status = CW_OK;
  if (buf.failed) {
    status = CWI_RAISE_NOMEM(err, "bytes");
  } else if (*ok) {
    status = cw_value_bytes(buf.data, buf.size, out, err);
  }
  cwi_buf_deinit(&buf);
  return status;
}

static cw_status cast_to_array(cw_value value, cw_value *out, bool *ok, cw_error *err) {
  *ok = true;
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_SET: *out = cwi_value_retain(cwi_db_set_items(value)); return CW_OK;
  case CWI_DB_RANGE: return array_of_range(value, out, ok, err);
  case CWI_DB_BYTES: return array_of_bytes(value, out, err);
  default: *ok = false; return CW_OK;
  }
}

static cw_status cast_to_string(cw_value value, cw_value *out, bool *ok, cw_error *err) {
  *ok = true;
  if (value.kind == CW_VALUE_BYTES) {
    cw_bytes bytes = cw_value_as_bytes(value);
    *ok = cwi_utf8_is_valid(bytes.data, bytes.size);
    return *ok ? cw_value_string(bytes.data, bytes.size, out, err) : CW_OK;
  }
  return cwi_db_text_value(value, true, out, err);
}

static cw_status cast_to_geometry(cw_value value, cw_value *out, bool *ok, cw_error *err) {
  *ok = false;
  if (value.kind == CW_VALUE_ARRAY && cw_value_len(value) == 2) {
    cw_value x = cw_value_array_get(value, 0);
    cw_value y = cw_value_array_get(value, 1);
    *ok = cwi_db_is_number(x) && cwi_db_is_number(y);
    if (!*ok) return CW_OK;
    return cwi_db_value_point(cwi_db_number_as_float(x), cwi_db_number_as_float(y), out, err);
  }
  if (value.kind != CW_VALUE_OBJECT) return CW_OK;
  cw_status status = cwi_db_geometry_from_object(value, out, err);
  *ok = status == CW_OK && out->kind != CW_VALUE_NONE;
  return status;
}

cw_status cwi_db_cast(cw_value value, cwi_db_kind kind, cw_value *out, bool *ok, cw_error *err) {
  cw_status status = cwi_db_coerce(value, kind, out, ok, err);
  if (status != CW_OK || *ok) return status;
  switch (kind) {
  case CWI_DB_STRING: return cast_to_string(value, out, ok, err);
  case CWI_DB_ARRAY: return cast_to_array(value, out, ok, err);
  case CWI_DB_SET: {
    cw_value array = cwi_value_none();
    *ok = value.kind == CW_VALUE_ARRAY;
    if (*ok) return cwi_db_value_set(cwi_value_retain(value), out, err);
    status = cast_to_array(value, &array, ok, err);
    return status == CW_OK && *ok ? cwi_db_value_set(array, out, err) : status;
  }
  case CWI_DB_GEOMETRY: return cast_to_geometry(value, out, ok, err);
  case CWI_DB_RANGE:
    *ok = value.kind == CW_VALUE_ARRAY && cw_value_len(value) == 2;
    if (!*ok) return CW_OK;
    return cwi_db_value_range(CWI_DB_INCLUDED, cwi_value_retain(cw_value_array_get(value, 0)),
                              CWI_DB_EXCLUDED, cwi_value_retain(cw_value_array_get(value, 1)), out,
                              err);
  default: break;
  }
  if (kind == CWI_DB_BYTES && value.kind == CW_VALUE_ARRAY)
    return bytes_of_array(value, out, ok, err);
  if (value.kind == CW_VALUE_STRING) return cast_text(cw_value_as_bytes(value), kind, out, ok, err);
  return CW_OK;
}
