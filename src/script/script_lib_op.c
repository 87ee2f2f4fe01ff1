/* SPDX-License-Identifier: MIT */
/* Comparisons of any two values, and the operators of texts and containers.
 *
 * Values of two different types are never equal and never ordered: `==` is false, `!=` true, the
 * rest false. Exceptions: numbers compare as numbers, a string with a character as with a string of
 * one. Values of one type for which the language has no comparison (function pointers; arrays and
 * maps with `<`; two different kinds of range) raise "Function not found".
 *
 * Floats are equal where they differ by less than a unit in the last place, so that 0.1 + 0.2 ==
 * 0.3; infinities and NaN compare false with everything, != included. */
#include <float.h>
#include <math.h>

#include "core/utf8.h"
#include "script/script_lib_internal.h"

/* Nesting that equality follows; deeper values are compared by identity. */
#define EQUAL_DEPTH_MAX 1000

/* ---- numbers ---- */

static bool compare_floats(double a, double b, int op) {
  double scale = fmax(fabs(a), fabs(b));
  if (isnan(a) || isnan(b)) return false;
  if (scale == 0) return op == CWI_SCRIPT_OP_EQ || op == CWI_SCRIPT_OP_LE || op == CWI_SCRIPT_OP_GE;
  double step = (a - b) / scale; /* NaN where both are infinite */
  switch (op) {
    case CWI_SCRIPT_OP_EQ: return fabs(step) < DBL_EPSILON;
    case CWI_SCRIPT_OP_NE: return fabs(step) >= DBL_EPSILON;
    case CWI_SCRIPT_OP_LT: return step <= -DBL_EPSILON;
    case CWI_SCRIPT_OP_LE: return step < DBL_EPSILON;
    case CWI_SCRIPT_OP_GT: return step >= DBL_EPSILON;
    default: return step > -DBL_EPSILON;
  }
}

bool cwi_script_float_equal(double a, double b) { return compare_floats(a, b, CWI_SCRIPT_OP_EQ); }

static bool by_order(int order, int op) {
  switch (op) {
    case CWI_SCRIPT_OP_EQ: return order == 0;
    case CWI_SCRIPT_OP_NE: return order != 0;
    case CWI_SCRIPT_OP_LT: return order < 0;
    case CWI_SCRIPT_OP_LE: return order <= 0;
    case CWI_SCRIPT_OP_GT: return order > 0;
    default: return order >= 0;
  }
}

static int compare_bytes(cw_bytes a, cw_bytes b) {
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
  if (order != 0) return order;
  return a.size < b.size ? -1 : a.size > b.size;
}

static int compare_ints(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

int cwi_script_compare_same(cw_value a, cw_value b) {
  switch (a.kind) {
    case CW_VALUE_BOOL:
    case CW_VALUE_INT: return compare_ints(cwi_value_as_int(a), cwi_value_as_int(b));
    case CW_VALUE_CHAR: return compare_ints(cw_value_as_char(a), cw_value_as_char(b));
    case CW_VALUE_FLOAT: {
      double x = cwi_value_as_float(a);
      double y = cwi_value_as_float(b);
      return x < y ? -1 : x > y;
    }
    case CW_VALUE_STRING: return compare_bytes(cw_value_as_bytes(a), cw_value_as_bytes(b));
    default: return 0;
  }
}

/* ---- equality in depth ---- */

static bool equal_at(cw_value a, cw_value b, int depth);

static bool equal_arrays(cw_value a, cw_value b, int depth) {
  size_t len = cw_value_len(a);
  if (len != cw_value_len(b)) return false;
  for (size_t i = 0; i < len; i++) {
    if (!equal_at(cw_value_array_get(a, i), cw_value_array_get(b, i), depth + 1)) return false;
  }
  return true;
}

static bool equal_maps(cw_value a, cw_value b, int depth) {
  if (cw_value_len(a) != cw_value_len(b)) return false;
  cwi_object_iter left = cwi_object_iter_start(a);
  cwi_object_iter right = cwi_object_iter_start(b);
  cw_value key_a, key_b, item_a, item_b;
  while (cwi_object_iter_next(&left, &key_a, &item_a) &&
         cwi_object_iter_next(&right, &key_b, &item_b)) {
    if (compare_bytes(cw_value_as_bytes(key_a), cw_value_as_bytes(key_b)) != 0) return false;
    if (!equal_at(item_a, item_b, depth + 1)) return false;
  }
  return true;
}

static bool equal_boxes(cw_value a, cw_value b, cwi_script_type type) {
  switch (type) {
    case CWI_SCRIPT_RANGE:
    case CWI_SCRIPT_RANGE_INCLUSIVE:
      return cwi_script_range_ptr(a)->start == cwi_script_range_ptr(b)->start &&
             cwi_script_range_ptr(a)->end == cwi_script_range_ptr(b)->end;
    case CWI_SCRIPT_TIMESTAMP:
      return cwi_script_timestamp_ptr(a)->nanos == cwi_script_timestamp_ptr(b)->nanos;
    case CWI_SCRIPT_FN: {
      const cwi_script_fn *x = cwi_script_fn_ptr(a);
      const cwi_script_fn *y = cwi_script_fn_ptr(b);
      return x == y || (cw_value_equal(x->name, y->name) && cw_value_len(x->curry) == 0 &&
                        cw_value_len(y->curry) == 0);
    }
    default: return cw_value_equal(a, b);
  }
}

/* A string and a character, as strings. */
static int compare_string_char(cw_value string, cw_value character) {
  char text[CWI_UTF8_BYTES_MAX];
  size_t size = cwi_utf8_encode(cw_value_as_char(character), text);
  return compare_bytes(cw_value_as_bytes(string), (cw_bytes){text, size});
}

static bool is_number(cw_value v) { return v.kind == CW_VALUE_INT || v.kind == CW_VALUE_FLOAT; }

static bool equal_at(cw_value a, cw_value b, int depth) {
  cwi_script_type type = cwi_script_type_of(a);
  if (type != cwi_script_type_of(b)) {
    if (is_number(a) && is_number(b)) {
      return cwi_script_float_equal(cw_value_as_float(a), cw_value_as_float(b));
    }
    if (a.kind == CW_VALUE_STRING && b.kind == CW_VALUE_CHAR) return compare_string_char(a, b) == 0;
    if (a.kind == CW_VALUE_CHAR && b.kind == CW_VALUE_STRING) return compare_string_char(b, a) == 0;
    return false;
  }
  if (cwi_value_is_heap(a) && a.bits == b.bits && type != CWI_SCRIPT_ARRAY &&
      type != CWI_SCRIPT_MAP) {
    return true;
  }
  if (depth > EQUAL_DEPTH_MAX) return a.bits == b.bits;
  switch (type) {
    case CWI_SCRIPT_UNIT: return true;
    case CWI_SCRIPT_FLOAT:
      return cwi_script_float_equal(cwi_value_as_float(a), cwi_value_as_float(b));
    case CWI_SCRIPT_ARRAY: return equal_arrays(a, b, depth);
    case CWI_SCRIPT_MAP: return equal_maps(a, b, depth);
    case CWI_SCRIPT_BLOB: return compare_bytes(cw_value_as_bytes(a), cw_value_as_bytes(b)) == 0;
    case CWI_SCRIPT_BOOL:
    case CWI_SCRIPT_INT:
    case CWI_SCRIPT_CHAR:
    case CWI_SCRIPT_STRING: return cwi_script_compare_same(a, b) == 0;
    default: return equal_boxes(a, b, type);
  }
}

bool cwi_script_equal(cw_value a, cw_value b) { return equal_at(a, b, 0); }

/* ---- the comparison operators ---- */

static const char *const COMPARE_NAMES[] = {"==", "!=", "<", "<=", ">", ">="};

static cwi_script_result no_comparison(cwi_script_native *call) {
  return cwi_script_raise_no_function(call->run, COMPARE_NAMES[call->data], call->args, 2);
}

/* Boxes without a type of their own never compare by default with another box. */
static bool is_plain(cwi_script_type type) {
  return type != CWI_SCRIPT_RANGE && type != CWI_SCRIPT_RANGE_INCLUSIVE &&
         type != CWI_SCRIPT_ITER && type != CWI_SCRIPT_OTHER;
}

static cwi_script_result compare_different(cwi_script_native *call, cw_value a, cw_value b) {
  int op = call->data;
  if (is_number(a) && is_number(b)) {
    return cwi_script_return_bool(call,
                                  compare_floats(cw_value_as_float(a), cw_value_as_float(b), op));
  }
  if (a.kind == CW_VALUE_STRING && b.kind == CW_VALUE_CHAR) {
    return cwi_script_return_bool(call, by_order(compare_string_char(a, b), op));
  }
  if (a.kind == CW_VALUE_CHAR && b.kind == CW_VALUE_STRING) {
    return cwi_script_return_bool(call, by_order(-compare_string_char(b, a), op));
  }
  if (!is_plain(cwi_script_type_of(a)) && !is_plain(cwi_script_type_of(b))) {
    return no_comparison(call);
  }
  if (a.kind == CW_VALUE_BYTES && b.kind == CW_VALUE_CHAR) return no_comparison(call);
  return cwi_script_return_bool(call, op == CWI_SCRIPT_OP_NE);
}

static cwi_script_result compare(cwi_script_native *call) {
  cw_value a = call->args[0];
  cw_value b = call->args[1];
  int op = call->data;
  cwi_script_type type = cwi_script_type_of(a);
  if (type != cwi_script_type_of(b)) return compare_different(call, a, b);
  switch (type) {
    case CWI_SCRIPT_UNIT: return cwi_script_return_bool(call, op == CWI_SCRIPT_OP_EQ);
    case CWI_SCRIPT_FLOAT:
      return cwi_script_return_bool(
          call, compare_floats(cwi_value_as_float(a), cwi_value_as_float(b), op));
    case CWI_SCRIPT_BOOL:
    case CWI_SCRIPT_INT:
    case CWI_SCRIPT_CHAR:
    case CWI_SCRIPT_STRING:
      return cwi_script_return_bool(call, by_order(cwi_script_compare_same(a, b), op));
    case CWI_SCRIPT_TIMESTAMP:
      return cwi_script_return_bool(call, by_order(compare_ints(cwi_script_timestamp_ptr(a)->nanos,
                                                                cwi_script_timestamp_ptr(b)->nanos),
                                                   op));
    case CWI_SCRIPT_FN:
    case CWI_SCRIPT_ITER: return no_comparison(call);
    default: break;
  }
  if (op == CWI_SCRIPT_OP_EQ) return cwi_script_return_bool(call, cwi_script_equal(a, b));
  if (op == CWI_SCRIPT_OP_NE) return cwi_script_return_bool(call, !cwi_script_equal(a, b));
  return no_comparison(call);
}

/* ---- + - of texts ---- */

/* Bytes as text: what is not valid becomes U+FFFD. */
static bool append_lossy(cwi_buf *out, cw_bytes bytes) {
  const char *text = bytes.data;
  for (size_t at = 0; at < bytes.size;) {
    uint32_t codepoint;
    size_t step = cwi_utf8_decode(text + at, bytes.size - at, &codepoint);
    cwi_buf_append_codepoint(out, codepoint);
    at += step != 0 ? step : 1;
  }
  return !out->failed;
}

static bool append_text(cwi_buf *out, cw_value v) {
  if (v.kind == CW_VALUE_BYTES) return append_lossy(out, cw_value_as_bytes(v));
  return cwi_script_display(out, v);
}

static cwi_script_result add_text(cwi_script_native *call) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = append_text(&buf, call->args[0]) && append_text(&buf, call->args[1]);
  return cwi_script_return_buf(call, &buf, ok);
}

/* string += anything: in place. */
static cwi_script_result append_to_string(cwi_script_native *call) {
  cw_value item = call->args[1];
  if (item.kind == CW_VALUE_STRING) {
    cw_bytes text = cw_value_as_bytes(item);
    if (item.bits != call->args[0].bits) {
      return cwi_script_check(call,
                              cwi_value_string_append(&call->args[0], text.data, text.size, NULL));
    }
  }
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  if (!append_text(&buf, item)) {
    cwi_buf_deinit(&buf);
    return cwi_script_raise_nomem(call->run);
  }
  cw_status status = cwi_value_string_append(&call->args[0], buf.data, buf.size, NULL);
  cwi_buf_deinit(&buf);
  return cwi_script_check(call, status);
}

/* Copies text without every occurrence of a piece. */
static bool append_without(cwi_buf *out, cw_bytes text, const char *piece, size_t size) {
  const char *from = text.data;
  const char *end = from + text.size;
  if (size == 0) return cwi_buf_append(out, from, text.size);
  for (;;) {
    const char *at = memmem(from, (size_t)(end - from), piece, size);
    if (at == NULL) return cwi_buf_append(out, from, (size_t)(end - from));
    cwi_buf_append(out, from, (size_t)(at - from));
    from = at + size;
  }
}

/* string - piece, and string -= piece (data 1). */
static cwi_script_result subtract_text(cwi_script_native *call) {
  char one[CWI_UTF8_BYTES_MAX];
  cw_bytes piece = cw_value_as_bytes(call->args[1]);
  if (call->args[1].kind == CW_VALUE_CHAR) {
    piece = (cw_bytes){one, cwi_utf8_encode(cw_value_as_char(call->args[1]), one)};
  }
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = append_without(&buf, cw_value_as_bytes(call->args[0]), piece.data, piece.size);
  if (call->data == 1) return cwi_script_replace_text(call, &buf, ok);
  return cwi_script_return_buf(call, &buf, ok);
}

/* ---- + of containers ---- */

static cw_status append_items(cw_value *array, cw_value items) {
  size_t len = cw_value_len(items);
  cw_status status = cwi_value_array_reserve(array, len, NULL);
  for (size_t i = 0; i < len && status == CW_OK; i++) {
    status = cw_value_array_push(array, cw_value_retain(cw_value_array_get(items, i)), NULL);
  }
  return status;
}

static cw_status append_entries(cw_value *map, cw_value entries) {
  cwi_object_iter iter = cwi_object_iter_start(entries);
  cw_value key, item;
  cw_status status = CW_OK;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    status = cwi_value_object_set_key(map, key, cw_value_retain(item), NULL);
  }
  return status;
}

/* data 0: a new value of both; 1: into args[0]; 2: one item into args[0]. */
static cwi_script_result add_arrays(cwi_script_native *call) {
  cwi_script_limits const *limits = cwi_script_run_limits(call->run);
  if (call->data == 2) {
    return cwi_script_check(
        call, cw_value_array_push(&call->args[0], cwi_script_take(&call->args[1]), NULL));
  }
  size_t len = cw_value_len(call->args[0]) + cw_value_len(call->args[1]);
  if (limits->array_len_max != 0 && call->data == 0) {
    cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_ARRAY, len);
    if (result != CWI_SCRIPT_OK) return result;
  }
  cw_value *to = &call->args[0];
  if (call->data == 0) {
    call->result = cw_value_retain(call->args[0]);
    call->result.aux = 0;
    to = &call->result;
  }
  cw_value items = cw_value_retain(call->args[1]); /* an array may be added to itself */
  cw_status status = append_items(to, items);
  cw_value_release(&items);
  return cwi_script_check(call, status);
}

static cwi_script_result add_maps(cwi_script_native *call) {
  cw_value *to = &call->args[0];
  if (call->data == 0) {
    call->result = cw_value_retain(call->args[0]);
    call->result.aux = 0;
    to = &call->result;
  }
  cw_value entries = cw_value_retain(call->args[1]);
  cw_status status = append_entries(to, entries);
  cw_value_release(&entries);
  return cwi_script_check(call, status);
}

#define COMPARE_ROW(text, op) \
  { text, 2, {T_ANY, T_ANY}, compare, 0, op }

static const cwi_script_row ROWS[] = {
    COMPARE_ROW("==", CWI_SCRIPT_OP_EQ),
    COMPARE_ROW("!=", CWI_SCRIPT_OP_NE),
    COMPARE_ROW("<", CWI_SCRIPT_OP_LT),
    COMPARE_ROW("<=", CWI_SCRIPT_OP_LE),
    COMPARE_ROW(">", CWI_SCRIPT_OP_GT),
    COMPARE_ROW(">=", CWI_SCRIPT_OP_GE),
    {"+", 2, {T_STRING, T_STRING}, add_text, 0, 0},
    {"+", 2, {T_STRING, T_CHAR}, add_text, 0, 0},
    {"+", 2, {T_STRING, T_UNIT}, add_text, 0, 0},
    {"+", 2, {T_STRING, T_BLOB}, add_text, 0, 0},
    {"+", 2, {T_STRING, T_ANY}, add_text, 0, 0},
    {"+", 2, {T_CHAR, T_STRING}, add_text, 0, 0},
    {"+", 2, {T_CHAR, T_CHAR}, add_text, 0, 0},
    {"+", 2, {T_UNIT, T_STRING}, add_text, 0, 0},
    {"+", 2, {T_BLOB, T_STRING}, add_text, 0, 0},
    {"+", 2, {T_ANY, T_STRING}, add_text, 0, 0},
    {"+=", 2, {T_STRING, T_STRING}, append_to_string, MUT, 0},
    {"+=", 2, {T_STRING, T_CHAR}, append_to_string, MUT, 0},
    {"+=", 2, {T_STRING, T_UNIT}, append_to_string, MUT, 0},
    {"+=", 2, {T_STRING, T_BLOB}, append_to_string, MUT, 0},
    {"+=", 2, {T_STRING, T_ANY}, append_to_string, MUT, 0},
    {"append", 2, {T_STRING, T_BLOB}, append_to_string, MUT, 0},
    {"append", 2, {T_STRING, T_ANY}, append_to_string, MUT, 0},
    {"-", 2, {T_STRING, T_STRING}, subtract_text, 0, 0},
    {"-", 2, {T_STRING, T_CHAR}, subtract_text, 0, 0},
    {"-=", 2, {T_STRING, T_STRING}, subtract_text, MUT, 1},
    {"-=", 2, {T_STRING, T_CHAR}, subtract_text, MUT, 1},
    {"remove", 2, {T_STRING, T_STRING}, subtract_text, MUT, 1},
    {"remove", 2, {T_STRING, T_CHAR}, subtract_text, MUT, 1},
    {"+", 2, {T_ARRAY, T_ARRAY}, add_arrays, 0, 0},
    {"+=", 2, {T_ARRAY, T_ARRAY}, add_arrays, MUT, 1},
    {"+=", 2, {T_ARRAY, T_ANY}, add_arrays, MUT, 2},
    {"append", 2, {T_ARRAY, T_ARRAY}, add_arrays, MUT, 1},
    {"push", 2, {T_ARRAY, T_ANY}, add_arrays, MUT, 2},
    {"+", 2, {T_MAP, T_MAP}, add_maps, 0, 0},
    {"+=", 2, {T_MAP, T_MAP}, add_maps, MUT, 1},
    {"mixin", 2, {T_MAP, T_MAP}, add_maps, MUT, 1},
};

const cwi_script_rows cwi_script_rows_op = {ROWS, CWI_ARRAY_LEN(ROWS)};
