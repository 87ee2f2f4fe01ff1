/* SPDX-License-Identifier: MIT */
/* Arrays: items, spans, order reversed, neighbours that repeat. What calls back into the script
 * stands in script_lib_each.c and script_lib_sort.c.
 *
 * Arrays are copied when somebody writes to one that is shared; a function that cuts a span out of
 * one moves the items where it can and counts references where it must. */
#include "script/script_lib_internal.h"

static size_t len_of(const cwi_script_native *call) { return cw_value_len(call->args[0]); }

static cwi_script_result array_len(cwi_script_native *call) {
  return cwi_script_return_int(call, (int64_t)len_of(call));
}

static cwi_script_result array_is_empty(cwi_script_native *call) {
  return cwi_script_return_bool(call, len_of(call) == 0);
}

/* Replaces args[0] by `array`, which is taken, keeping its tag. */
static void put_array(cwi_script_native *call, cw_value array) {
  array.aux = call->args[0].aux;
  cw_value_release(&call->args[0]);
  call->args[0] = array;
}

/* Appends items [start, start + len) of `from`. */
static cw_status append_span(cw_value *to, cw_value from, size_t start, size_t len) {
  cw_status status = cwi_value_array_reserve(to, len, NULL);
  for (size_t i = 0; i < len && status == CW_OK; i++) {
    status = cw_value_array_push(to, cw_value_retain(cw_value_array_get(from, start + i)), NULL);
  }
  return status;
}

static cw_status copy_span(cw_value from, size_t start, size_t len, cw_value *out) {
  cw_status status = cw_value_array(len, out, NULL);
  return status != CW_OK ? status : append_span(out, from, start, len);
}

static cwi_script_result array_clear(cwi_script_native *call) {
  cw_value empty;
  cw_status status = cw_value_array(0, &empty, NULL);
  if (status == CW_OK) put_array(call, empty);
  return cwi_script_check(call, status);
}

/* ---- single items ---- */

static cwi_script_result array_get(cwi_script_native *call) {
  size_t index = 0;
  if (cwi_script_index_of(len_of(call), cw_value_as_int(call->args[1]), &index)) {
    call->result = cw_value_retain(cw_value_array_get(call->args[0], index));
  }
  return CWI_SCRIPT_OK;
}

static cwi_script_result array_set(cwi_script_native *call) {
  size_t index = 0;
  if (!cwi_script_index_of(len_of(call), cw_value_as_int(call->args[1]), &index)) {
    return CWI_SCRIPT_OK;
  }
  cw_value item = cwi_script_take(&call->args[2]);
  return cwi_script_check(call, cw_value_array_set(&call->args[0], index, item, NULL));
}

static cwi_script_result array_insert(cwi_script_native *call) {
  size_t len = len_of(call);
  int64_t index = cw_value_as_int(call->args[1]);
  size_t at = cwi_script_span_of(len, index, 1).start;
  cw_value item = cwi_script_take(&call->args[2]);
  return cwi_script_check(call, cwi_value_array_insert(&call->args[0], at, item, NULL));
}

static cwi_script_result remove_at(cwi_script_native *call, size_t index) {
  cw_value item = cwi_value_none();
  cw_status status = cwi_value_array_remove(&call->args[0], index, &item, NULL);
  if (status == CW_OK) call->result = item;
  return cwi_script_check(call, status);
}

static cwi_script_result array_remove(cwi_script_native *call) {
  size_t index = 0;
  if (!cwi_script_index_of(len_of(call), cw_value_as_int(call->args[1]), &index)) {
    return CWI_SCRIPT_OK;
  }
  return remove_at(call, index);
}

static cwi_script_result array_pop(cwi_script_native *call) {
  size_t len = len_of(call);
  return len == 0 ? CWI_SCRIPT_OK : remove_at(call, len - 1);
}

static cwi_script_result array_shift(cwi_script_native *call) {
  return len_of(call) == 0 ? CWI_SCRIPT_OK : remove_at(call, 0);
}

static cwi_script_result array_pad(cwi_script_native *call) {
  int64_t want = cw_value_as_int(call->args[1]);
  size_t len = len_of(call);
  if (want <= 0 || (uint64_t)want <= len) return CWI_SCRIPT_OK;
  cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_ARRAY, (size_t)want);
  if (result != CWI_SCRIPT_OK) return result;
  result = cwi_script_count_operations(call->run, ((size_t)want - len) / 64);
  if (result != CWI_SCRIPT_OK) return result;
  cw_status status = cwi_value_array_reserve(&call->args[0], (size_t)want - len, NULL);
  for (size_t i = len; i < (size_t)want && status == CW_OK; i++) {
    status = cw_value_array_push(&call->args[0], cw_value_retain(call->args[2]), NULL);
  }
  return cwi_script_check(call, status);
}

/* ---- spans ---- */

/* args[0] becomes its items outside of [start, start + len); `replace` stands where they were. */
static cw_status cut_span(cwi_script_native *call, cwi_script_span span, cw_value replace) {
  cw_value whole = call->args[0];
  size_t len = cw_value_len(whole);
  size_t after = span.start + span.len;
  cw_value left;
  cw_status status = copy_span(whole, 0, span.start, &left);
  if (status == CW_OK) status = append_span(&left, replace, 0, cw_value_len(replace));
  if (status == CW_OK) status = append_span(&left, whole, after, len - after);
  if (status == CW_OK) {
    put_array(call, left);
  } else {
    cw_value_release(&left);
  }
  return status;
}

static cwi_script_result array_truncate(cwi_script_native *call) {
  int64_t len = cw_value_as_int(call->args[1]);
  if (len > 0 && (uint64_t)len >= len_of(call)) return CWI_SCRIPT_OK;
  cw_value left;
  cw_status status = copy_span(call->args[0], 0, len <= 0 ? 0 : (size_t)len, &left);
  if (status == CW_OK) put_array(call, left);
  if (status != CW_OK) cw_value_release(&left);
  return cwi_script_check(call, status);
}

static cwi_script_result array_chop(cwi_script_native *call) {
  int64_t want = cw_value_as_int(call->args[1]);
  size_t len = len_of(call);
  if (want > 0 && (uint64_t)want >= len) return CWI_SCRIPT_OK;
  size_t keep = want <= 0 ? 0 : (size_t)want;
  cw_value left;
  cw_status status = copy_span(call->args[0], len - keep, keep, &left);
  if (status == CW_OK) put_array(call, left);
  if (status != CW_OK) cw_value_release(&left);
  return cwi_script_check(call, status);
}

static cwi_script_result array_extract(cwi_script_native *call) {
  cwi_script_span span = cwi_script_span_args(len_of(call), call->args + 1, call->argc - 1);
  return cwi_script_check(call, copy_span(call->args[0], span.start, span.len, &call->result));
}

static cwi_script_result array_drain(cwi_script_native *call) {
  cwi_script_span span = cwi_script_span_args(len_of(call), call->args + 1, call->argc - 1);
  cw_status status = copy_span(call->args[0], span.start, span.len, &call->result);
  if (status == CW_OK) status = cut_span(call, span, cwi_value_none());
  return cwi_script_check(call, status);
}

/* Keeps the span; the result is what was around it. */
static cwi_script_result array_retain(cwi_script_native *call) {
  cwi_script_span span = cwi_script_span_args(len_of(call), call->args + 1, call->argc - 1);
  cw_value kept;
  cw_status status = copy_span(call->args[0], span.start, span.len, &kept);
  if (status == CW_OK) status = cut_span(call, span, cwi_value_none());
  if (status == CW_OK) {
    call->result = call->args[0];
    call->result.aux = 0;
    kept.aux = call->args[0].aux;
    call->args[0] = kept;
  } else {
    cw_value_release(&kept);
  }
  return cwi_script_check(call, status);
}

static cwi_script_result array_splice(cwi_script_native *call) {
  cwi_script_span span = cwi_script_span_args(len_of(call), call->args + 1, call->argc - 2);
  size_t len = len_of(call) - span.len + cw_value_len(call->args[call->argc - 1]);
  cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_ARRAY, len);
  if (result != CWI_SCRIPT_OK) return result;
  return cwi_script_check(call, cut_span(call, span, call->args[call->argc - 1]));
}

/* The items from `index` on, which leave args[0]. */
static cwi_script_result array_split(cwi_script_native *call) {
  size_t len = len_of(call);
  size_t at = cwi_script_span_of(len, cw_value_as_int(call->args[1]), 1).start;
  cw_status status = copy_span(call->args[0], at, len - at, &call->result);
  if (status == CW_OK) {
    status = cut_span(call, (cwi_script_span){at, len - at}, cwi_value_none());
  }
  return cwi_script_check(call, status);
}

static cwi_script_result array_reverse(cwi_script_native *call) {
  cw_status status = cwi_value_make_unique(&call->args[0], NULL);
  if (status != CW_OK) return cwi_script_check(call, status);
  cwi_array *array = cwi_value_array_ptr(call->args[0]);
  for (size_t i = 0; i < array->len / 2; i++) {
    cw_value other = array->items[array->len - 1 - i];
    array->items[array->len - 1 - i] = array->items[i];
    array->items[i] = other;
  }
  return CWI_SCRIPT_OK;
}

/* ---- by equality ---- */

static cwi_script_result array_contains(cwi_script_native *call) {
  size_t len = len_of(call);
  for (size_t i = 0; i < len; i++) {
    if (cwi_script_equal(cw_value_array_get(call->args[0], i), call->args[1])) {
      return cwi_script_return_bool(call, true);
    }
  }
  return cwi_script_return_bool(call, false);
}

static cwi_script_result array_index_of(cwi_script_native *call) {
  size_t len = len_of(call);
  size_t start = 0;
  if (call->argc > 2) start = cwi_script_span_of(len, cw_value_as_int(call->args[2]), 1).start;
  for (size_t i = start; i < len; i++) {
    if (cwi_script_equal(cw_value_array_get(call->args[0], i), call->args[1])) {
      return cwi_script_return_int(call, (int64_t)i);
    }
  }
  return cwi_script_return_int(call, -1);
}

/* Drops each item that equals the one kept before it. */
static cwi_script_result array_dedup(cwi_script_native *call) {
  size_t len = len_of(call);
  cw_value kept;
  cw_status status = cw_value_array(len, &kept, NULL);
  for (size_t i = 0; i < len && status == CW_OK; i++) {
    cw_value item = cw_value_array_get(call->args[0], i);
    size_t n = cw_value_len(kept);
    if (n > 0 && cwi_script_equal(cw_value_array_get(kept, n - 1), item)) continue;
    status = cw_value_array_push(&kept, cw_value_retain(item), NULL);
  }
  if (status == CW_OK) {
    put_array(call, kept);
  } else {
    cw_value_release(&kept);
  }
  return cwi_script_check(call, status);
}

#define SPAN_ROWS(name, fn, flags)                             \
  {name, 2, {T_ARRAY, T_RANGE}, fn, flags, 0},                 \
      {name, 2, {T_ARRAY, T_RANGE_INCLUSIVE}, fn, flags, 0}, { \
    name, 3, {T_ARRAY, T_INT, T_INT}, fn, flags, 0             \
  }

static const cwi_script_row ROWS[] = {
    {"len", 1, {T_ARRAY}, array_len, 0, 0},
    {"get$len", 1, {T_ARRAY}, array_len, 0, 0},
    {"is_empty", 1, {T_ARRAY}, array_is_empty, 0, 0},
    {"get$is_empty", 1, {T_ARRAY}, array_is_empty, 0, 0},
    {"clear", 1, {T_ARRAY}, array_clear, MUT, 0},
    {"get", 2, {T_ARRAY, T_INT}, array_get, 0, 0},
    {"set", 3, {T_ARRAY, T_INT, T_ANY}, array_set, MUT, 0},
    {"insert", 3, {T_ARRAY, T_INT, T_ANY}, array_insert, MUT, 0},
    {"remove", 2, {T_ARRAY, T_INT}, array_remove, MUT, 0},
    {"pop", 1, {T_ARRAY}, array_pop, MUT, 0},
    {"shift", 1, {T_ARRAY}, array_shift, MUT, 0},
    {"pad", 3, {T_ARRAY, T_INT, T_ANY}, array_pad, MUT, 0},
    {"truncate", 2, {T_ARRAY, T_INT}, array_truncate, MUT, 0},
    {"chop", 2, {T_ARRAY, T_INT}, array_chop, MUT, 0},
    {"extract", 2, {T_ARRAY, T_INT}, array_extract, 0, 0},
    SPAN_ROWS("extract", array_extract, 0),
    SPAN_ROWS("drain", array_drain, MUT),
    SPAN_ROWS("retain", array_retain, MUT),
    {"splice", 3, {T_ARRAY, T_RANGE, T_ARRAY}, array_splice, MUT, 0},
    {"splice", 3, {T_ARRAY, T_RANGE_INCLUSIVE, T_ARRAY}, array_splice, MUT, 0},
    {"splice", 4, {T_ARRAY, T_INT, T_INT, T_ARRAY}, array_splice, MUT, 0},
    {"split", 2, {T_ARRAY, T_INT}, array_split, MUT, 0},
    {"reverse", 1, {T_ARRAY}, array_reverse, MUT, 0},
    {"contains", 2, {T_ARRAY, T_ANY}, array_contains, 0, 0},
    {"index_of", 2, {T_ARRAY, T_ANY}, array_index_of, 0, 0},
    {"index_of", 3, {T_ARRAY, T_ANY, T_INT}, array_index_of, 0, 0},
    {"dedup", 1, {T_ARRAY}, array_dedup, MUT, 0},
};

const cwi_script_rows cwi_script_rows_array = {ROWS, CWI_ARRAY_LEN(ROWS)};
