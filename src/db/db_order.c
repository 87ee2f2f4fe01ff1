/* SPDX-License-Identifier: MIT */
/* The total order of values, equality, truth.
 *
 * Kinds compare by their rank; numbers of the three kinds compare by value, a float standing for
 * its shortest digits, so that 0.1 equals 0.1dec (db_key.c encodes the same digits, which keeps
 * indexes in this order). Within a kind: arrays item by item, objects by their entries in key
 * order, record ids by table and then key. */
#include <math.h>

#include "db/db_value_internal.h"

static int compare_ints(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_floats(double a, double b) {
  if (isnan(a) || isnan(b)) return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
  return (a > b) - (a < b);
}

static int compare_decimal_float(cwi_decimal a, double b) {
  if (isnan(b)) return -1;
  if (isinf(b)) return b > 0 ? -1 : 1;
  return cwi_decimal_compare_double(a, b);
}

static int compare_int_float(int64_t a, double b) {
  if (a > -(INT64_C(1) << 53) && a < INT64_C(1) << 53) return compare_floats((double)a, b);
  return compare_decimal_float(cwi_decimal_from_int(a), b);
}

static cwi_decimal decimal_of(cw_value v) {
  return v.kind == CW_VALUE_INT ? cwi_decimal_from_int(cwi_value_as_int(v)) : cwi_db_decimal(v);
}

static int compare_numbers(cw_value a, cw_value b) {
  if (a.kind == CW_VALUE_INT && b.kind == CW_VALUE_INT) {
    return compare_ints(cwi_value_as_int(a), cwi_value_as_int(b));
  }
  if (a.kind == CW_VALUE_FLOAT && b.kind == CW_VALUE_FLOAT) {
    return compare_floats(cwi_value_as_float(a), cwi_value_as_float(b));
  }
  if (a.kind == CW_VALUE_INT && b.kind == CW_VALUE_FLOAT) {
    return compare_int_float(cwi_value_as_int(a), cwi_value_as_float(b));
  }
  if (a.kind == CW_VALUE_FLOAT && b.kind == CW_VALUE_INT) {
    return -compare_int_float(cwi_value_as_int(b), cwi_value_as_float(a));
  }
  if (b.kind == CW_VALUE_FLOAT) return compare_decimal_float(decimal_of(a), cwi_value_as_float(b));
  if (a.kind == CW_VALUE_FLOAT) return -compare_decimal_float(decimal_of(b), cwi_value_as_float(a));
  return cwi_decimal_compare(decimal_of(a), decimal_of(b));
}

static int compare_bytes(cw_value a, cw_value b) {
  cw_bytes x = cw_value_as_bytes(a);
  cw_bytes y = cw_value_as_bytes(b);
  size_t shorter = x.size < y.size ? x.size : y.size;
  int order = shorter > 0 ? memcmp(x.data, y.data, shorter) : 0;
  if (order != 0) return order < 0 ? -1 : 1;
  return (x.size > y.size) - (x.size < y.size);
}

static int compare_arrays(cw_value a, cw_value b) {
  const cwi_array *x = cwi_value_array_ptr(a);
  const cwi_array *y = cwi_value_array_ptr(b);
  size_t shorter = x->len < y->len ? x->len : y->len;
  for (size_t i = 0; i < shorter; i++) {
    int order = cwi_db_compare(x->items[i], y->items[i]);
    if (order != 0) return order;
  }
  return (x->len > y->len) - (x->len < y->len);
}

static int compare_objects(cw_value a, cw_value b) {
  cwi_object_iter x = cwi_object_iter_start(a);
  cwi_object_iter y = cwi_object_iter_start(b);
  for (;;) {
    cw_value x_key;
    cw_value x_item;
    cw_value y_key;
    cw_value y_item;
    bool x_more = cwi_object_iter_next(&x, &x_key, &x_item);
    bool y_more = cwi_object_iter_next(&y, &y_key, &y_item);
    if (!x_more || !y_more) return (x_more ? 1 : 0) - (y_more ? 1 : 0);
    int order = compare_bytes(x_key, y_key);
    if (order == 0) order = cwi_db_compare(x_item, y_item);
    if (order != 0) return order;
  }
}

static int compare_times(cw_value a, cw_value b) {
  int64_t x = cw_value_as_seconds(a);
  int64_t y = cw_value_as_seconds(b);
  if (a.kind == CW_VALUE_DURATION) {
    if ((uint64_t)x != (uint64_t)y) return (uint64_t)x < (uint64_t)y ? -1 : 1;
  } else if (x != y) {
    return x < y ? -1 : 1;
  }
  return compare_ints(cw_value_as_nanos(a), cw_value_as_nanos(b));
}

/* How a bound cuts the line of values: unbounded begins lie before, unbounded ends behind all. */
static int compare_bounds(cwi_db_bound a_bound, cw_value a, cwi_db_bound b_bound, cw_value b) {
  if (a_bound == CWI_DB_UNBOUNDED || b_bound == CWI_DB_UNBOUNDED) {
    return (a_bound != CWI_DB_UNBOUNDED) - (b_bound != CWI_DB_UNBOUNDED);
  }
  int order = cwi_db_compare(a, b);
  return order != 0 ? order : (a_bound > b_bound) - (a_bound < b_bound);
}

static int compare_ranges(cw_value a, cw_value b) {
  cw_value x;
  cw_value y;
  cwi_db_bound x_bound = cwi_db_range_begin(a, &x);
  cwi_db_bound y_bound = cwi_db_range_begin(b, &y);
  int order = compare_bounds(x_bound, x, y_bound, y);
  if (order != 0) return order;
  x_bound = cwi_db_range_end(a, &x);
  y_bound = cwi_db_range_end(b, &y);
  return compare_bounds(x_bound, x, y_bound, y);
}

static int compare_records(cw_value a, cw_value b) {
  int order = compare_bytes(cwi_db_record_table(a), cwi_db_record_table(b));
  return order != 0 ? order : cwi_db_compare(cwi_db_record_key(a), cwi_db_record_key(b));
}

static int compare_geometries(cw_value a, cw_value b) {
  int order = compare_ints(cwi_db_geometry_shape(a), cwi_db_geometry_shape(b));
  if (order != 0) return order;
  return cwi_db_compare(cwi_db_geometry_coordinates(a), cwi_db_geometry_coordinates(b));
}

int cwi_db_compare(cw_value a, cw_value b) {
  if (a.kind == CW_VALUE_INT && b.kind == CW_VALUE_INT) {
    return compare_ints(cwi_value_as_int(a), cwi_value_as_int(b));
  }
  cwi_db_kind kind = cwi_db_kind_of(a);
  cwi_db_kind other = cwi_db_kind_of(b);
  int rank = cwi_db_kind_rank(kind);
  int other_rank = cwi_db_kind_rank(other);
  if (rank != other_rank) return rank < other_rank ? -1 : 1;
  switch (kind) {
  case CWI_DB_NONE:
  case CWI_DB_NULL: return 0;
  case CWI_DB_BOOL: return compare_ints((int64_t)a.bits, (int64_t)b.bits);
  case CWI_DB_INT:
  case CWI_DB_FLOAT:
  case CWI_DB_DECIMAL: return compare_numbers(a, b);
  case CWI_DB_STRING:
  case CWI_DB_UUID:
  case CWI_DB_BYTES: return compare_bytes(a, b);
  case CWI_DB_DURATION:
  case CWI_DB_DATETIME: return compare_times(a, b);
  case CWI_DB_ARRAY: return compare_arrays(a, b);
  case CWI_DB_SET: return compare_arrays(cwi_db_set_items(a), cwi_db_set_items(b));
  case CWI_DB_OBJECT: return compare_objects(a, b);
  case CWI_DB_GEOMETRY: return compare_geometries(a, b);
  case CWI_DB_TABLE: return compare_bytes(cwi_db_table_name(a), cwi_db_table_name(b));
  case CWI_DB_RECORD: return compare_records(a, b);
  case CWI_DB_FILE: {
    int order = compare_bytes(cwi_db_file_bucket(a), cwi_db_file_bucket(b));
    return order != 0 ? order : compare_bytes(cwi_db_file_key(a), cwi_db_file_key(b));
  }
  case CWI_DB_REGEX: return compare_bytes(cwi_db_regex_pattern(a), cwi_db_regex_pattern(b));
  case CWI_DB_RANGE: return compare_ranges(a, b);
  case CWI_DB_FUNCTION: return (a.bits > b.bits) - (a.bits < b.bits);
  }
  return 0;
}

static bool regex_equals(cw_value regex, cw_value other) {
  if (other.kind != CW_VALUE_STRING) return cwi_db_compare(regex, other) == 0;
  cw_bytes text = cw_value_as_bytes(other);
  bool matches = false;
  cw_status status =
      cwi_db_regex_match(cwi_db_regex_of(regex), text.data, text.size, &matches, NULL);
  return status == CW_OK && matches;
}

bool cwi_db_equal(cw_value a, cw_value b) {
  if (a.kind == CW_VALUE_BOX && cwi_db_kind_of(a) == CWI_DB_REGEX) return regex_equals(a, b);
  if (b.kind == CW_VALUE_BOX && cwi_db_kind_of(b) == CWI_DB_REGEX) return regex_equals(b, a);
  return cwi_db_compare(a, b) == 0;
}

bool cwi_db_truthy(cw_value value) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_NONE:
  case CWI_DB_NULL: return false;
  case CWI_DB_BOOL: return value.bits != 0;
  case CWI_DB_INT: return cwi_value_as_int(value) != 0;
  case CWI_DB_FLOAT: return cwi_value_as_float(value) != 0.0;
  case CWI_DB_DECIMAL: return !cwi_decimal_is_zero(cwi_db_decimal(value));
  case CWI_DB_STRING:
  case CWI_DB_BYTES:
  case CWI_DB_ARRAY:
  case CWI_DB_OBJECT: return cw_value_len(value) > 0;
  case CWI_DB_SET: return cw_value_len(cwi_db_set_items(value)) > 0;
  case CWI_DB_DURATION: return cw_value_as_seconds(value) != 0 || cw_value_as_nanos(value) != 0;
  case CWI_DB_DATETIME:
  case CWI_DB_UUID:
  case CWI_DB_GEOMETRY:
  case CWI_DB_RECORD:
  case CWI_DB_FILE:
  case CWI_DB_FUNCTION: return true;
  case CWI_DB_TABLE:
  case CWI_DB_REGEX:
  case CWI_DB_RANGE: return false;
  }
  return false;
}
