/* SPDX-License-Identifier: MIT */
/* Ranges and what can be walked: range(), steps, characters of a string. */
#include <math.h>

#include "core/utf8.h"
#include "script/script_lib_internal.h"

/* ---- ranges as values ---- */

static const cwi_script_range *range_of(const cwi_script_native *call) {
  return cwi_script_range_ptr(call->args[0]);
}

static cwi_script_result range_start(cwi_script_native *call) {
  return cwi_script_return_int(call, range_of(call)->start);
}

static cwi_script_result range_end(cwi_script_native *call) {
  return cwi_script_return_int(call, range_of(call)->end);
}

static cwi_script_result range_is_empty(cwi_script_native *call) {
  const cwi_script_range *range = range_of(call);
  bool empty = range->inclusive ? range->start > range->end : range->start >= range->end;
  return cwi_script_return_bool(call, empty);
}

static cwi_script_result range_is_inclusive(cwi_script_native *call) {
  return cwi_script_return_bool(call, range_of(call)->inclusive == (call->data == 1));
}

static cwi_script_result range_contains(cwi_script_native *call) {
  const cwi_script_range *range = range_of(call);
  int64_t value = cw_value_as_int(call->args[1]);
  bool below = range->inclusive ? value <= range->end : value < range->end;
  return cwi_script_return_bool(call, value >= range->start && below);
}

static cwi_script_result range_new(cwi_script_native *call) {
  return cwi_script_check(
      call, cwi_script_range_new(cw_value_as_int(call->args[0]), cw_value_as_int(call->args[1]),
                                 false, &call->result));
}

/* ---- steps ---- */

/* n[0] next, n[1] end, n[2] step; n[3] set when a step has left the numbers. */
static bool next_int(cwi_script_iter *iter, cw_value *out) {
  bool inside = iter->n[2] > 0 ? iter->n[0] < iter->n[1] : iter->n[0] > iter->n[1];
  if (!inside || iter->n[3] != 0) return false;
  *out = cwi_value_int(iter->n[0]);
  if (CWI_ADD_OVERFLOWS(iter->n[0], iter->n[2], &iter->n[0])) iter->n[3] = 1;
  return true;
}

static bool next_float(cwi_script_iter *iter, cw_value *out) {
  bool inside = iter->f[2] > 0 ? iter->f[0] < iter->f[1] : iter->f[0] > iter->f[1];
  if (!inside) return false;
  *out = cwi_value_float(iter->f[0]);
  double next = iter->f[0] + iter->f[2];
  if (next == iter->f[0]) iter->f[1] = next; /* a step too small to move ends it */
  iter->f[0] = next;
  return true;
}

static cwi_script_result zero_step(cwi_script_native *call) {
  cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "step value cannot be zero");
  return cwi_script_raise_in_call(call->run, "range");
}

static cwi_script_result int_steps(cwi_script_native *call, int64_t from, int64_t to,
                                   int64_t step) {
  if (step == 0) return zero_step(call);
  cw_status status =
      cwi_script_iter_new("rhai::packages::iter_basic::StepRange<i64>", next_int, &call->result);
  if (status != CW_OK) return cwi_script_check(call, status);
  cwi_script_iter *iter = cwi_script_iter_ptr(call->result);
  iter->n[0] = from;
  iter->n[1] = to;
  iter->n[2] = step;
  return CWI_SCRIPT_OK;
}

static cwi_script_result range_int_steps(cwi_script_native *call) {
  return int_steps(call, cw_value_as_int(call->args[0]), cw_value_as_int(call->args[1]),
                   cw_value_as_int(call->args[2]));
}

static cwi_script_result range_of_range(cwi_script_native *call) {
  const cwi_script_range *range = range_of(call);
  return int_steps(call, range->start, range->end, cw_value_as_int(call->args[1]));
}

static cwi_script_result range_float_steps(cwi_script_native *call) {
  double step = cw_value_as_float(call->args[2]);
  if (step == 0) return zero_step(call);
  cw_status status =
      cwi_script_iter_new("rhai::packages::iter_basic::StepRange<f64>", next_float, &call->result);
  if (status != CW_OK) return cwi_script_check(call, status);
  cwi_script_iter *iter = cwi_script_iter_ptr(call->result);
  iter->f[0] = cw_value_as_float(call->args[0]);
  iter->f[1] = cw_value_as_float(call->args[1]);
  iter->f[2] = step;
  return CWI_SCRIPT_OK;
}

/* ---- characters ---- */

/* values[0] the string, n[0] the byte that is next, n[1] the characters left. */
static bool next_char(cwi_script_iter *iter, cw_value *out) {
  cw_bytes text = cw_value_as_bytes(iter->values[0]);
  size_t at = (size_t)iter->n[0];
  uint32_t codepoint = 0;
  if (iter->n[1] <= 0 || at >= text.size) return false;
  size_t step = cwi_utf8_decode((const char *)text.data + at, text.size - at, &codepoint);
  iter->n[0] += (int64_t)(step != 0 ? step : 1);
  iter->n[1]--;
  *out = cw_value_char(codepoint);
  return true;
}

static cwi_script_result string_chars(cwi_script_native *call) {
  cw_bytes text = cw_value_as_bytes(call->args[0]);
  size_t len = cwi_utf8_len(text.data, text.size);
  cwi_script_span span = {0, len};
  if (call->argc > 1) span = cwi_script_span_args(len, call->args + 1, call->argc - 1);
  cw_status status =
      cwi_script_iter_new("rhai::packages::iter_basic::CharsStream", next_char, &call->result);
  if (status != CW_OK) return cwi_script_check(call, status);
  cwi_script_iter *iter = cwi_script_iter_ptr(call->result);
  iter->values[0] = cw_value_retain(call->args[0]);
  iter->n[0] = (int64_t)cwi_utf8_offset(text.data, text.size, span.start);
  iter->n[1] = (int64_t)span.len;
  return CWI_SCRIPT_OK;
}

#define RANGE_ROWS(name, fn, data)                                                \
  {name, 1, {T_RANGE}, fn, 0, data}, {name, 1, {T_RANGE_INCLUSIVE}, fn, 0, data}, \
      {"get$" name, 1, {T_RANGE}, fn, 0, data}, {                                 \
    "get$" name, 1, {T_RANGE_INCLUSIVE}, fn, 0, data                              \
  }

static const cwi_script_row ROWS[] = {
    RANGE_ROWS("start", range_start, 0),
    RANGE_ROWS("end", range_end, 0),
    RANGE_ROWS("is_empty", range_is_empty, 0),
    RANGE_ROWS("is_inclusive", range_is_inclusive, 1),
    RANGE_ROWS("is_exclusive", range_is_inclusive, 0),
    {"contains", 2, {T_RANGE, T_INT}, range_contains, 0, 0},
    {"contains", 2, {T_RANGE_INCLUSIVE, T_INT}, range_contains, 0, 0},
    {"range", 2, {T_INT, T_INT}, range_new, 0, 0},
    {"range", 3, {T_INT, T_INT, T_INT}, range_int_steps, 0, 0},
    {"range", 3, {T_FLOAT, T_FLOAT, T_FLOAT}, range_float_steps, 0, 0},
    {"range", 2, {T_RANGE, T_INT}, range_of_range, 0, 0},
    {"chars", 1, {T_STRING}, string_chars, 0, 0},
    {"get$chars", 1, {T_STRING}, string_chars, 0, 0},
    {"chars", 2, {T_STRING, T_INT}, string_chars, 0, 0},
    {"chars", 2, {T_STRING, T_RANGE}, string_chars, 0, 0},
    {"chars", 2, {T_STRING, T_RANGE_INCLUSIVE}, string_chars, 0, 0},
    {"chars", 3, {T_STRING, T_INT, T_INT}, string_chars, 0, 0},
};

const cwi_script_rows cwi_script_rows_range = {ROWS, CWI_ARRAY_LEN(ROWS)};
