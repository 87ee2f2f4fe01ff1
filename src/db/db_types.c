/* SPDX-License-Identifier: MIT */
/* Values to types: casts (<int>'5'), which try hard, and coercions (DEFINE FIELD, arguments), which
 * do not. Both name the innermost thing that did not fit. */
#include <string.h>

#include "db/db_exec.h"

static const int8_t simple_kinds[] = {
    [SQL_T_NONE] = CWI_DB_NONE,         [SQL_T_NULL] = CWI_DB_NULL,
    [SQL_T_BOOL] = CWI_DB_BOOL,         [SQL_T_BYTES] = CWI_DB_BYTES,
    [SQL_T_DATETIME] = CWI_DB_DATETIME, [SQL_T_DECIMAL] = CWI_DB_DECIMAL,
    [SQL_T_DURATION] = CWI_DB_DURATION, [SQL_T_FLOAT] = CWI_DB_FLOAT,
    [SQL_T_INT] = CWI_DB_INT,           [SQL_T_NUMBER] = 64,
    [SQL_T_OBJECT] = CWI_DB_OBJECT,     [SQL_T_STRING] = CWI_DB_STRING,
    [SQL_T_UUID] = CWI_DB_UUID,         [SQL_T_REGEX] = CWI_DB_REGEX,
    [SQL_T_RANGE] = CWI_DB_RANGE,       [SQL_T_TABLE] = CWI_DB_TABLE,
    [SQL_T_FUNCTION] = CWI_DB_FUNCTION, [SQL_T_FILE] = CWI_DB_FILE,
};

static bool table_allowed(const sql_type *type, cw_value record) {
  if (type->names.len == 0) return true;
  sql_str table = db_str(cwi_db_record_table(record));
  for (uint32_t i = 0; i < type->names.len; i++) {
    if (cwi_exec_str_same(table, *(const sql_str *)type->names.items[i])) return true;
  }
  return false;
}

static bool shape_allowed(const sql_type *type, cw_value geometry) {
  if (type->names.len == 0) return true;
  static const char *const shapes[] = {"point",     "line",         "polygon",   "multipoint",
                                       "multiline", "multipolygon", "collection"};
  const char *shape = shapes[cwi_db_geometry_shape(geometry)];
  for (uint32_t i = 0; i < type->names.len; i++) {
    if (cwi_exec_name_is(*(const sql_str *)type->names.items[i], shape)) return true;
  }
  return false;
}

/* ---- whether a value is of a type as it stands ---- */

bool cwi_exec_matches(db_ctx *c, cw_value value, const sql_type *type) {
  cwi_db_kind kind = cwi_db_kind_of(value);
  switch (type->kind) {
    case SQL_T_ANY: return true;
    case SQL_T_NUMBER: return cwi_db_is_number(value);
    case SQL_T_RECORD: return kind == CWI_DB_RECORD && table_allowed(type, value);
    case SQL_T_GEOMETRY: return kind == CWI_DB_GEOMETRY && shape_allowed(type, value);
    case SQL_T_POINT:
      return kind == CWI_DB_GEOMETRY && cwi_db_geometry_shape(value) == CWI_DB_POINT;
    case SQL_T_EITHER:
      for (uint32_t i = 0; i < type->inner.len; i++) {
        if (cwi_exec_matches(c, value, type->inner.items[i])) return true;
      }
      return false;
    case SQL_T_LITERAL: return cwi_db_equal(value, type->literal);
    case SQL_T_LIT_ARRAY:
      if (value.kind != CW_VALUE_ARRAY || cw_value_len(value) != type->inner.len) return false;
      for (uint32_t i = 0; i < type->inner.len; i++) {
        if (!cwi_exec_matches(c, cw_value_array_get(value, i), type->inner.items[i])) return false;
      }
      return true;
    case SQL_T_LIT_OBJECT: {
      if (value.kind != CW_VALUE_OBJECT) return false;
      size_t seen = 0;
      for (uint32_t i = 0; i < type->names.len; i++) {
        const sql_str *name = type->names.items[i];
        const cw_value *item = cwi_value_object_find(value, name->text, name->size);
        if (item != NULL) seen++;
        if (!cwi_exec_matches(c, item != NULL ? *item : cwi_value_none(), type->inner.items[i]))
          return false;
      }
      return seen == cw_value_len(value);
    }
    case SQL_T_ARRAY:
    case SQL_T_SET: {
      if (kind != (type->kind == SQL_T_ARRAY ? CWI_DB_ARRAY : CWI_DB_SET)) return false;
      cw_value items = kind == CWI_DB_SET ? cwi_db_set_items(value) : value;
      if (type->max >= 0 && (int64_t)cw_value_len(items) > type->max) return false;
      for (size_t i = 0; type->inner.len > 0 && i < cw_value_len(items); i++) {
        if (!cwi_exec_matches(c, cw_value_array_get(items, i), type->inner.items[0])) return false;
      }
      return true;
    }
    default: return kind == (cwi_db_kind)simple_kinds[type->kind];
  }
}

/* ---- casts and coercions share their walk ---- */

typedef struct conversion {
  db_ctx *c;
  bool cast;
  const char *prefix;
} conversion;

static cw_status refuse(conversion *v, cw_value value, const sql_type *type, const char *bare) {
  cwi_buf text, shown;
  cwi_buf_init(&text, 1 << 20);
  cwi_buf_init(&shown, 1 << 20);
  if (bare != NULL)
    cwi_buf_append_str(&text, bare);
  else
    cwi_sql_print_type(&text, type);
  cwi_db_text(&shown, value);
  cw_status status;
  if (v->cast) {
    status = cwi_exec_fail(v->c, CW_E_QUERY, "Could not cast into `%.*s` using input `%.*s`",
                           (int)text.size, text.data, (int)shown.size, shown.data);
  } else {
    status = cwi_exec_fail(v->c, CW_E_QUERY, "%sExpected `%.*s` but found `%.*s`", v->prefix,
                           (int)text.size, text.data, (int)shown.size, shown.data);
  }
  cwi_buf_deinit(&text);
  cwi_buf_deinit(&shown);
  return status;
}

static cw_status convert(conversion *v, cw_value value, const sql_type *type, cw_value *out);

static cw_status refuse_len(conversion *v, size_t len, const sql_type *type) {
  cwi_buf text;
  cwi_buf_init(&text, 4096);
  cwi_sql_print_type_tight(&text, type);
  cw_status status =
      cwi_exec_fail(v->c, CW_E_QUERY, "%sExpected `%.*s` but found a collection of length `%zu`",
                    v->cast ? "" : v->prefix, (int)text.size, text.data, len);
  cwi_buf_deinit(&text);
  return status;
}

static cw_status elements(conversion *v, cw_value items, const sql_type *type, cw_value *out) {
  db_ctx *c = v->c;
  cw_status status = cw_value_array(cw_value_len(items), out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
    cw_value item = cwi_value_none();
    status = type->inner.len > 0
                 ? convert(v, cw_value_array_get(items, i), type->inner.items[0], &item)
                 : (item = cwi_value_retain(cw_value_array_get(items, i)), CW_OK);
    if (status == CW_OK) {
      status = cw_value_array_push(out, item, &c->err);
    } else if (status == CW_E_QUERY && c->text.size > 0) {
      cwi_buf text, whole;
      cwi_buf_init(&text, 4096);
      cwi_buf_init(&whole, 0);
      cwi_sql_print_type_tight(&text, type);
      cwi_buf_append(&whole, c->text.data, c->text.size);
      cwi_exec_fail(c, CW_E_QUERY, "%.*s when coercing an element of `%.*s`", (int)whole.size,
                    whole.data, (int)text.size, text.data);
      cwi_buf_deinit(&text);
      cwi_buf_deinit(&whole);
    }
  }
  if (status == CW_OK && type->max >= 0 && (int64_t)cw_value_len(*out) > type->max) {
    status = refuse_len(v, cw_value_len(*out), type);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status collection(conversion *v, cw_value value, const sql_type *type, cw_value *out) {
  db_ctx *c = v->c;
  bool set = type->kind == SQL_T_SET;
  cw_value items = cwi_value_none(), list = cwi_value_none();
  cwi_db_kind kind = cwi_db_kind_of(value);
  bool ok = true;
  cw_status status = CW_OK;
  if (kind == CWI_DB_RANGE && v->cast) {
    int64_t first, end;
    if (cwi_db_range_ints(value, &first, &end) && end - first > 1048576) {
      return cwi_exec_fail_value(
          c, "Casting range `", value,
          "` to an array would create an array larger then the max allocation limit.");
    }
  }
  if (v->cast) {
    status = cwi_db_cast(value, CWI_DB_ARRAY, &items, &ok, &c->err);
  } else if (kind == (set ? CWI_DB_SET : CWI_DB_ARRAY)) {
    items = cwi_value_retain(set ? cwi_db_set_items(value) : value);
  } else {
    ok = false;
  }
  if (status != CW_OK) return status;
  if (!ok) return refuse(v, value, type, set && !v->cast ? "set" : "array");
  if (!v->cast && type->inner.len == 0) {
    cw_value_release(&items);
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  status = elements(v, items, type, &list);
  cw_value_release(&items);
  if (status == CW_OK && set) {
    status = cwi_db_value_set(list, out, &c->err);
  } else {
    *out = list;
  }
  return status;
}

static cw_status to_record(conversion *v, cw_value value, const sql_type *type, cw_value *out) {
  db_ctx *c = v->c;
  if (cwi_exec_is_record(value) && table_allowed(type, value)) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  if (v->cast && value.kind == CW_VALUE_STRING) {
    cw_value parsed = cwi_value_none();
    bool ok = false;
    sql_str text = db_str(value);
    cw_status status = c->fn.host->parse_record(c, text.text, text.size, &parsed, &ok, &c->err);
    if (status != CW_OK) return status;
    if (ok && table_allowed(type, parsed)) {
      *out = parsed;
      return CW_OK;
    }
    cw_value_release(&parsed);
  }
  return refuse(v, value, type, NULL);
}

static cw_status either(conversion *v, cw_value value, const sql_type *type, cw_value *out) {
  for (uint32_t i = 0; i < type->inner.len; i++) {
    if (v->cast ? false : cwi_exec_matches(v->c, value, type->inner.items[i])) {
      *out = cwi_value_retain(value);
      return CW_OK;
    }
  }
  const sql_type *only =
      type->inner.len == 2 && ((const sql_type *)type->inner.items[0])->kind == SQL_T_NONE
          ? type->inner.items[1]
          : NULL;
  for (uint32_t i = 0; i < type->inner.len; i++) {
    const sql_type *inner = type->inner.items[i];
    if (v->cast && (inner->kind == SQL_T_NONE || inner->kind == SQL_T_NULL) &&
        !cwi_exec_matches(v->c, value, inner)) {
      continue;
    }
    cw_status status = convert(v, value, inner, out);
    if (status != CW_E_QUERY) return status;
    if (inner == only && !v->cast && inner->kind == SQL_T_ARRAY && value.kind == CW_VALUE_ARRAY) {
      return status;
    }
  }
  return refuse(v, value, type, NULL);
}

static cw_status convert(conversion *v, cw_value value, const sql_type *type, cw_value *out) {
  db_ctx *c = v->c;
  bool ok = true;
  *out = cwi_value_none();
  switch (type->kind) {
    case SQL_T_ANY: *out = cwi_value_retain(value); return CW_OK;
    case SQL_T_EITHER: return either(v, value, type, out);
    case SQL_T_ARRAY:
    case SQL_T_SET: return collection(v, value, type, out);
    case SQL_T_RECORD: return to_record(v, value, type, out);
    case SQL_T_LITERAL:
    case SQL_T_LIT_ARRAY:
    case SQL_T_LIT_OBJECT:
    case SQL_T_POINT:
    case SQL_T_GEOMETRY:
      if (!cwi_exec_matches(c, value, type)) return refuse(v, value, type, NULL);
      *out = cwi_value_retain(value);
      return CW_OK;
    default: break;
  }
  cwi_db_kind kind = (cwi_db_kind)simple_kinds[type->kind];
  cw_status status = v->cast ? cwi_db_cast(value, kind, out, &ok, &c->err)
                             : cwi_db_coerce(value, kind, out, &ok, &c->err);
  if (status == CW_OK && !ok) status = refuse(v, value, type, NULL);
  return status;
}

cw_status cwi_exec_cast(db_ctx *c, cw_value value, const sql_type *type, cw_value *out) {
  conversion v = {.c = c, .cast = true, .prefix = ""};
  return convert(&v, value, type, out);
}

cw_status cwi_exec_coerce(db_ctx *c, cw_value value, const sql_type *type, const char *prefix,
                          cw_value *out) {
  conversion v = {.c = c, .prefix = prefix};
  return convert(&v, value, type, out);
}
