/* SPDX-License-Identifier: MIT */
/* Sorting arrays, by their own order or by the script's.
 *
 * A merge sort from the bottom up, stable, whose whole state is numbers: with a comparer each
 * comparison is a callback, and the sort goes on from n[] and locals[] when the answer is there.
 *
 *   n[0] width of the runs being merged   n[1] start of the left run
 *   n[2] next of the left run             n[3] next of the right run
 *   locals[0] the items, locals[1] the round being made
 *
 * A comparer answers with a number (below, equal, above zero) or a bool (true: the first goes
 * first). One that fails or answers anything else says "equal", as in the reference. */
#include "script/script_lib_internal.h"

enum { IN_PLACE = 0, ORDERED = 1, DESCENDING = 2 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static cw_value source_at(const cwi_script_native *call, int64_t index) {
  return cw_value_array_get(call->locals[0], (size_t)index);
}

static cw_status take_from(cwi_script_native *call, int64_t *index) {
  cw_value item = cw_value_retain(source_at(call, *index));
  (*index)++;
  return cw_value_array_push(&call->locals[1], item, NULL);
}

/* Goes on until two items must be compared (true) or the items are sorted (false). */
static cw_status advance(cwi_script_native *call, bool *compare) {
  size_t len = cw_value_len(call->locals[0]);
  cw_status status = CW_OK;
  *compare = false;
  while (status == CW_OK && (size_t)call->n[0] < len) {
    int64_t middle = (int64_t)smaller((size_t)(call->n[1] + call->n[0]), len);
    int64_t end = (int64_t)smaller((size_t)(call->n[1] + 2 * call->n[0]), len);
    if (call->n[2] < middle && call->n[3] < end) {
      *compare = true;
      return CW_OK;
    }
    if (call->n[2] < middle) {
      status = take_from(call, &call->n[2]);
    } else if (call->n[3] < end) {
      status = take_from(call, &call->n[3]);
    } else if ((size_t)end < len) { /* the next two runs */
      call->n[1] = end;
      call->n[2] = end;
      call->n[3] = (int64_t)smaller((size_t)(end + call->n[0]), len);
    } else { /* the next round */
      cw_value_release(&call->locals[0]);
      call->locals[0] = cwi_script_take(&call->locals[1]);
      call->n[0] *= 2;
      call->n[1] = 0;
      call->n[2] = 0;
      call->n[3] = (int64_t)smaller((size_t)call->n[0], len);
      status = cw_value_array(len, &call->locals[1], NULL);
    }
  }
  return status;
}

static cw_status begin(cwi_script_native *call) {
  size_t len = cw_value_len(call->args[0]);
  call->locals[0] = cw_value_retain(call->args[0]);
  call->n[0] = 1;
  call->n[3] = len > 1 ? 1 : 0;
  return cw_value_array(len, &call->locals[1], NULL);
}

/* Hands the sorted items over: as the result, or in the place of args[0]. */
static cwi_script_result finish(cwi_script_native *call) {
  if ((call->data & ORDERED) != 0) {
    call->locals[0].aux = 0;
    return cwi_script_return(call, cwi_script_take(&call->locals[0]));
  }
  call->locals[0].aux = call->args[0].aux;
  cw_value_release(&call->args[0]);
  call->args[0] = cwi_script_take(&call->locals[0]);
  return CWI_SCRIPT_OK;
}

/* ---- by a comparer ---- */

static int64_t answered_order(const cwi_script_native *call) {
  cw_value answer = call->callback.result;
  if (call->callback.failed) return 0;
  if (answer.kind == CW_VALUE_INT) return cwi_value_as_int(answer);
  if (answer.kind == CW_VALUE_BOOL) return cw_value_as_bool(answer) ? -1 : 1;
  return 0;
}

static cwi_script_result sort_by(cwi_script_native *call) {
  cw_status status = CW_OK;
  if (call->step == 0) {
    cwi_script_result result = cwi_script_fn_arg(call, 1);
    if (result != CWI_SCRIPT_OK) return result;
    call->step = 1;
    status = begin(call);
  } else {
    status = take_from(call, answered_order(call) > 0 ? &call->n[3] : &call->n[2]);
  }
  bool compare = false;
  if (status == CW_OK) status = advance(call, &compare);
  if (status != CW_OK) return cwi_script_check(call, status);
  if (!compare) return finish(call);
  call->callback.fn = call->args[1];
  call->callback.args[0] = cw_value_retain(source_at(call, call->n[2]));
  call->callback.args[1] = cw_value_retain(source_at(call, call->n[3]));
  call->callback.argc = 2;
  call->callback.catch_errors = true;
  return CWI_SCRIPT_CALLBACK;
}

/* ---- by the order of the items ---- */

static bool is_sortable(cwi_script_type type) {
  return type == CWI_SCRIPT_INT || type == CWI_SCRIPT_FLOAT || type == CWI_SCRIPT_BOOL ||
         type == CWI_SCRIPT_CHAR || type == CWI_SCRIPT_STRING || type == CWI_SCRIPT_TIMESTAMP ||
         type == CWI_SCRIPT_UNIT;
}

static cwi_script_result check_sortable(cwi_script_native *call) {
  size_t len = cw_value_len(call->args[0]);
  if (len <= 1) return CWI_SCRIPT_OK;
  cwi_script_type type = cwi_script_type_of(cw_value_array_get(call->args[0], 0));
  for (size_t i = 1; i < len; i++) {
    if (cwi_script_type_of(cw_value_array_get(call->args[0], i)) == type) continue;
    return cwi_script_raise(call->run, CWI_SCRIPT_E_FUNCTION_NOT_FOUND,
                            "elements of different types cannot be sorted");
  }
  if (is_sortable(type)) return CWI_SCRIPT_OK;
  return cwi_script_raise(call->run, CWI_SCRIPT_E_FUNCTION_NOT_FOUND,
                          "elements of array cannot be sorted");
}

static int natural_order(cw_value a, cw_value b) {
  if (a.kind != CW_VALUE_BOX) return cwi_script_compare_same(a, b);
  int64_t x = cwi_script_timestamp_ptr(a)->nanos;
  int64_t y = cwi_script_timestamp_ptr(b)->nanos;
  return x < y ? -1 : x > y;
}

static cw_status reverse(cw_value *array) {
  cw_status status = cwi_value_make_unique(array, NULL);
  if (status != CW_OK) return status;
  cwi_array *items = cwi_value_array_ptr(*array);
  for (size_t i = 0; i < items->len / 2; i++) {
    cw_value other = items->items[items->len - 1 - i];
    items->items[items->len - 1 - i] = items->items[i];
    items->items[i] = other;
  }
  return CW_OK;
}

static cwi_script_result sort_natural(cwi_script_native *call) {
  cwi_script_result result = check_sortable(call);
  if (result != CWI_SCRIPT_OK) return result;
  result = cwi_script_count_operations(call->run, cw_value_len(call->args[0]) / 8);
  if (result != CWI_SCRIPT_OK) return result;
  cw_status status = begin(call);
  bool compare = true;
  while (status == CW_OK) {
    status = advance(call, &compare);
    if (status != CW_OK || !compare) break;
    int order = natural_order(source_at(call, call->n[2]), source_at(call, call->n[3]));
    status = take_from(call, order > 0 ? &call->n[3] : &call->n[2]);
  }
  if (status == CW_OK && (call->data & DESCENDING) != 0) status = reverse(&call->locals[0]);
  if (status != CW_OK) return cwi_script_check(call, status);
  return finish(call);
}

static const cwi_script_row ROWS[] = {
    {"sort", 1, {T_ARRAY}, sort_natural, MUT | RESUMABLE, IN_PLACE},
    {"sort_desc", 1, {T_ARRAY}, sort_natural, MUT | RESUMABLE, DESCENDING},
    {"order", 1, {T_ARRAY}, sort_natural, RESUMABLE, ORDERED},
    {"order_desc", 1, {T_ARRAY}, sort_natural, RESUMABLE, ORDERED | DESCENDING},
    {"sort", 2, {T_ARRAY, T_FN}, sort_by, MUT | RESUMABLE, IN_PLACE},
    {"sort", 2, {T_ARRAY, T_STRING}, sort_by, MUT | RESUMABLE, IN_PLACE},
    {"sort_by", 2, {T_ARRAY, T_FN}, sort_by, MUT | RESUMABLE, IN_PLACE},
    {"order", 2, {T_ARRAY, T_FN}, sort_by, RESUMABLE, ORDERED},
    {"order_by", 2, {T_ARRAY, T_FN}, sort_by, RESUMABLE, ORDERED},
};

const cwi_script_rows cwi_script_rows_sort = {ROWS, CWI_ARRAY_LEN(ROWS)};
