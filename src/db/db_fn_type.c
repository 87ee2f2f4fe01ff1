/* SPDX-License-Identifier: MIT */
/* type:: functions: casts by name, and asking for kinds. */
#include <stdio.h>

#include "core/utf8.h"
#include "db/db_fn_internal.h"

static cw_status cast(cw_value value, cwi_db_kind kind, cw_value *out, cw_error *err) {
  bool ok = false;
  char head[64];
  cw_status status = cwi_db_cast(value, kind, out, &ok, err);
  if (status != CW_OK || ok) return status;
  (void)snprintf(head, sizeof(head), "Could not cast into `%s` using input `",
                 cwi_db_kind_name(kind));
  return cwi_fn_fail_value(err, head, value, "`");
}

#define CAST(name, kind)                              \
  FN(name) {                                          \
    FN_UNUSED;                                        \
    return cast(args[0], (kind), out, err);           \
  }
CAST(type_array, CWI_DB_ARRAY)
CAST(type_bool, CWI_DB_BOOL)
CAST(type_bytes, CWI_DB_BYTES)
CAST(type_datetime, CWI_DB_DATETIME)
CAST(type_decimal, CWI_DB_DECIMAL)
CAST(type_duration, CWI_DB_DURATION)
CAST(type_float, CWI_DB_FLOAT)
CAST(type_int, CWI_DB_INT)
CAST(type_number, CWI_DB_ANY_NUMBER)
CAST(type_range, CWI_DB_RANGE)
CAST(type_set, CWI_DB_SET)
CAST(type_string, CWI_DB_STRING)
CAST(type_uuid, CWI_DB_UUID)
CAST(type_geometry, CWI_DB_GEOMETRY)

FN(type_point) {
  FN_UNUSED;
  bool ok = false;
  cw_status status = cwi_db_cast(args[0], CWI_DB_GEOMETRY, out, &ok, err);
  if (status != CW_OK) return status;
  if (ok && cwi_db_geometry_shape(*out) == CWI_DB_POINT) return CW_OK;
  cwi_value_drop(*out);
  return cwi_fn_fail_value(err, "Could not cast into `point` using input `", args[0], "`");
}

FN(type_string_lossy) {
  FN_UNUSED;
  if (args[0].kind != CW_VALUE_BYTES) return cast(args[0], CWI_DB_STRING, out, err);
  cw_bytes bytes = cw_value_as_bytes(args[0]);
  const char *text = bytes.data;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t at = 0; at < bytes.size;) {
    uint32_t c;
    size_t step = cwi_utf8_decode(text + at, bytes.size - at, &c);
    (void)cwi_buf_append_codepoint(&buf, step == 0 ? CWI_UTF8_REPLACEMENT : c);
    at += step == 0 ? 1 : step;
  }
  return cwi_fn_finish(&buf, out, err);
}

FN(type_of) {
  FN_UNUSED;
  cwi_db_kind kind = cwi_db_kind_of(args[0]);
  char text[48];
  const char *name = cwi_db_kind_name(kind);
  if (kind == CWI_DB_GEOMETRY) {
    (void)snprintf(text, sizeof(text), "geometry<%s>",
                   cwi_db_shape_name(cwi_db_geometry_shape(args[0])));
    name = text;
  }
  return cwi_fn_text(name, strlen(name), out, err);
}

FN(type_table) {
  FN_UNUSED;
  cwi_db_kind kind = cwi_db_kind_of(args[0]);
  cw_value name;
  if (kind == CWI_DB_TABLE) {
    *out = cwi_value_retain(args[0]);
    return CW_OK;
  }
  if (kind == CWI_DB_NONE || kind == CWI_DB_NULL) {
    return cwi_fn_fail_value(err, "Found ", args[0],
                             " for the Record ID but this is not a valid table name");
  }
  if (kind == CWI_DB_RECORD) {
    cw_bytes text = cw_value_as_bytes(cwi_db_record_table(args[0]));
    return cwi_db_value_table(text.data, text.size, out, err);
  }
  cw_status status = cwi_db_text_value(args[0], true, &name, err);
  if (status != CW_OK) return status;
  status = cwi_db_value_table(cwi_fn_chars(name), cwi_fn_size(name), out, err);
  cwi_value_drop(name);
  return status;
}

static cw_status parse_record(cwi_db_fn_ctx *ctx, cw_value value, cw_value *out, cw_error *err) {
  bool ok = false;
  cw_status status = CW_OK;
  if (cwi_db_kind_of(value) == CWI_DB_RECORD) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  if (value.kind == CW_VALUE_STRING && ctx->host != NULL && ctx->host->parse_record != NULL) {
    status = ctx->host->parse_record(ctx->context, cwi_fn_chars(value), cwi_fn_size(value), out,
                                     &ok, err);
  }
  if (status != CW_OK || ok) return status;
  return cwi_fn_fail_value(err, "Could not cast into `record` using input `", value, "`");
}

/* What a record key can be stays; the rest becomes its text. */
static cw_status key_of(cw_value value, cw_value *out, cw_error *err) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_INT:
  case CWI_DB_STRING:
  case CWI_DB_UUID:
  case CWI_DB_ARRAY:
  case CWI_DB_OBJECT:
  case CWI_DB_RANGE: *out = cwi_value_retain(value); return CW_OK;
  case CWI_DB_RECORD: *out = cwi_value_retain(cwi_db_record_key(value)); return CW_OK;
  case CWI_DB_FLOAT: {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    (void)cwi_db_text_float(&text, cwi_value_as_float(value));
    return cwi_fn_finish(&text, out, err);
  }
  default: return cwi_db_text_value(value, true, out, err);
  }
}

FN(type_record) {
  if (len == 1) return parse_record(ctx, args[0], out, err);
  cw_value table = args[0];
  cw_value name;
  cw_value key;
  if (cwi_db_kind_of(table) == CWI_DB_TABLE) table = cwi_db_table_name(table);
  cw_status status = cwi_db_text_value(table, true, &name, err);
  if (status != CW_OK) return status;
  status = key_of(args[1], &key, err);
  if (status != CW_OK) {
    cwi_value_drop(name);
    return status;
  }
  return cwi_db_value_record(name, key, out, err);
}

#define IS(name, expression)                               \
  FN(name) {                                               \
    FN_UNUSED;                                             \
    cwi_db_kind kind = cwi_db_kind_of(args[0]);            \
    (void)kind;                                            \
    *out = cwi_value_bool(expression);                     \
    return CW_OK;                                          \
  }
#define SHAPE(name, shape) \
  IS(name, kind == CWI_DB_GEOMETRY && cwi_db_geometry_shape(args[0]) == (shape))
IS(is_array, kind == CWI_DB_ARRAY)
IS(is_bool, kind == CWI_DB_BOOL)
IS(is_bytes, kind == CWI_DB_BYTES)
IS(is_datetime, kind == CWI_DB_DATETIME)
IS(is_decimal, kind == CWI_DB_DECIMAL)
IS(is_duration, kind == CWI_DB_DURATION)
IS(is_float, kind == CWI_DB_FLOAT)
IS(is_geometry, kind == CWI_DB_GEOMETRY)
IS(is_int, kind == CWI_DB_INT)
IS(is_none, kind == CWI_DB_NONE)
IS(is_null, kind == CWI_DB_NULL)
IS(is_number, cwi_db_is_number(args[0]))
IS(is_object, kind == CWI_DB_OBJECT)
IS(is_range, kind == CWI_DB_RANGE)
IS(is_set, kind == CWI_DB_SET)
IS(is_string, kind == CWI_DB_STRING)
IS(is_table, kind == CWI_DB_TABLE)
IS(is_uuid, kind == CWI_DB_UUID)
SHAPE(is_collection, CWI_DB_COLLECTION)
SHAPE(is_line, CWI_DB_LINE)
SHAPE(is_multiline, CWI_DB_MULTI_LINE)
SHAPE(is_multipoint, CWI_DB_MULTI_POINT)
SHAPE(is_multipolygon, CWI_DB_MULTI_POLYGON)
SHAPE(is_point, CWI_DB_POINT)
SHAPE(is_polygon, CWI_DB_POLYGON)

FN(is_record) {
  FN_UNUSED;
  bool is = cwi_db_kind_of(args[0]) == CWI_DB_RECORD;
  if (is && len > 1) {
    cw_value table = cwi_db_kind_of(args[1]) == CWI_DB_TABLE ? cwi_db_table_name(args[1]) : args[1];
    is = cwi_db_compare(cwi_db_record_table(args[0]), table) == 0;
  }
  *out = cwi_value_bool(is);
  return CW_OK;
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"type::array", "v", type_array, P, "As an array."},
    {"type::bool", "v", type_bool, P, "As a bool."},
    {"type::bytes", "v", type_bytes, P, "As bytes."},
    {"type::datetime", "v", type_datetime, P, "As a datetime."},
    {"type::decimal", "v", type_decimal, P, "As a decimal."},
    {"type::duration", "v", type_duration, P, "As a duration."},
    {"type::field", "v", NULL, CWI_DB_FN_SPECIAL, "The field of a name, in a projection."},
    {"type::fields", "v", NULL, CWI_DB_FN_SPECIAL, "The fields of names, in a projection."},
    {"type::float", "v", type_float, P, "As a float."},
    {"type::geometry", "v", type_geometry, P, "As a geometry."},
    {"type::int", "v", type_int, P, "As an int."},
    {"type::is_array", "v", is_array, P, "Whether it is an array."},
    {"type::is_bool", "v", is_bool, P, "Whether it is a bool."},
    {"type::is_bytes", "v", is_bytes, P, "Whether it is bytes."},
    {"type::is_collection", "v", is_collection, P, "Whether it is a collection of geometries."},
    {"type::is_datetime", "v", is_datetime, P, "Whether it is a datetime."},
    {"type::is_decimal", "v", is_decimal, P, "Whether it is a decimal."},
    {"type::is_duration", "v", is_duration, P, "Whether it is a duration."},
    {"type::is_float", "v", is_float, P, "Whether it is a float."},
    {"type::is_geometry", "v", is_geometry, P, "Whether it is a geometry."},
    {"type::is_int", "v", is_int, P, "Whether it is an int."},
    {"type::is_line", "v", is_line, P, "Whether it is a line."},
    {"type::is_multiline", "v", is_multiline, P, "Whether it is several lines."},
    {"type::is_multipoint", "v", is_multipoint, P, "Whether it is several points."},
    {"type::is_multipolygon", "v", is_multipolygon, P, "Whether it is several polygons."},
    {"type::is_none", "v", is_none, P, "Whether it is NONE."},
    {"type::is_null", "v", is_null, P, "Whether it is NULL."},
    {"type::is_number", "v", is_number, P, "Whether it is a number."},
    {"type::is_object", "v", is_object, P, "Whether it is an object."},
    {"type::is_point", "v", is_point, P, "Whether it is a point."},
    {"type::is_polygon", "v", is_polygon, P, "Whether it is a polygon."},
    {"type::is_range", "v", is_range, P, "Whether it is a range."},
    {"type::is_record", "v?v", is_record, P, "Whether it is a record id, perhaps of a table."},
    {"type::is_set", "v", is_set, P, "Whether it is a set."},
    {"type::is_string", "v", is_string, P, "Whether it is a string."},
    {"type::is_table", "v", is_table, P, "Whether it is a table."},
    {"type::is_uuid", "v", is_uuid, P, "Whether it is a UUID."},
    {"type::number", "v", type_number, P, "As a number."},
    {"type::of", "v", type_of, P, "The name of its type."},
    {"type::point", "v", type_point, P, "As a point."},
    {"type::range", "v", type_range, P, "As a range."},
    {"type::record", "v?v", type_record, P, "A record id of text, or of a table and a key."},
    {"type::set", "v", type_set, P, "As a set."},
    {"type::string", "v", type_string, P, "As a string."},
    {"type::string_lossy", "v", type_string_lossy, P, "Bytes as a string, whatever they are."},
    {"type::table", "v", type_table, P, "As a table."},
    {"type::thing", "v?v", type_record, P, "A record id of text, or of a table and a key."},
    {"type::uuid", "v", type_uuid, P, "As a UUID."},
};
FN_LIST(cwi_db_fns_type, "type::", rows);
