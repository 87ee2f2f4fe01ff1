/* SPDX-License-Identifier: MIT */
/* array:: functions that look at or take apart one array; db_fn_array_more.c has the rest. */
#include "db/db_fn_internal.h"

static cw_value at(cw_value array, size_t i) { return cw_value_array_get(array, i); }

FN(array_len) {
  FN_UNUSED;
  *out = cwi_value_int((int64_t)cw_value_len(args[0]));
  return CW_OK;
}

FN(array_is_empty) {
  FN_UNUSED;
  *out = cwi_value_bool(cw_value_len(args[0]) == 0);
  return CW_OK;
}

FN(array_first) {
  FN_UNUSED;
  *out = cwi_value_retain(at(args[0], 0));
  return CW_OK;
}

FN(array_last) {
  FN_UNUSED;
  size_t size = cw_value_len(args[0]);
  if (size > 0) *out = cwi_value_retain(at(args[0], size - 1));
  return CW_OK;
}

FN(array_at) {
  FN_UNUSED;
  int64_t index = cwi_value_as_int(args[1]);
  int64_t size = (int64_t)cw_value_len(args[0]);
  if (index < 0) index += size;
  if (index >= 0 && index < size) *out = cwi_value_retain(at(args[0], (size_t)index));
  return CW_OK;
}

FN(array_all) {
  bool holds = true;
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && holds && i < cw_value_len(args[0]); i++) {
    if (len == 1) {
      holds = cwi_db_truthy(at(args[0], i));
    } else {
      status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    }
  }
  *out = cwi_value_bool(holds);
  return status;
}

FN(array_any) {
  bool holds = false;
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && !holds && i < cw_value_len(args[0]); i++) {
    if (len == 1) {
      holds = cwi_db_truthy(at(args[0], i));
    } else {
      status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    }
  }
  *out = cwi_value_bool(holds);
  return status;
}

FN(array_append) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  return cwi_fn_give(cwi_fn_push(&copy, args[1], err), copy, out);
}

FN(array_prepend) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  return cwi_fn_give(cwi_value_array_insert(&copy, 0, cwi_value_retain(args[1]), err), copy, out);
}

static bool has(cw_value array, cw_value item) {
  for (size_t i = 0; i < cw_value_len(array); i++) {
    if (cwi_db_compare(at(array, i), item) == 0) return true;
  }
  return false;
}

/* array::add: the item, or the items of an array, that are not there yet. */
FN(array_add) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  cw_status status = CW_OK;
  if (args[1].kind != CW_VALUE_ARRAY) {
    if (!has(copy, args[1])) status = cwi_fn_push(&copy, args[1], err);
    return cwi_fn_give(status, copy, out);
  }
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[1]); i++) {
    if (!has(copy, at(args[1], i))) status = cwi_fn_push(&copy, at(args[1], i), err);
  }
  return cwi_fn_give(status, copy, out);
}

FN(array_concat) {
  FN_UNUSED;
  cw_value joined;
  cw_status status = cw_value_array(0, &joined, err);
  for (size_t k = 0; k < len; k++) {
    for (size_t i = 0; status == CW_OK && i < cw_value_len(args[k]); i++) {
      status = cwi_fn_push(&joined, at(args[k], i), err);
    }
  }
  return cwi_fn_give(status, joined, out);
}

static cw_status fail_positive(const cwi_db_fn_ctx *ctx, cw_error *err) {
  return cwi_db_fn_fail(ctx, err, "The second argument must be an integer greater than 0");
}

/* Runs of items: [start, start + size) for each start below `last`, `step` apart. */
static cw_status runs(cw_value array, size_t size, size_t step, bool whole, cw_value *out,
                      cw_error *err) {
  cw_value list;
  size_t total = cw_value_len(array);
  cw_status status = cw_value_array(0, &list, err);
  for (size_t start = 0; status == CW_OK && start < total; start += step) {
    if (whole && size > total - start) break;
    cw_value run;
    status = cw_value_array(0, &run, err);
    for (size_t i = start; status == CW_OK && i < total && i - start < size; i++) {
      status = cwi_fn_push(&run, at(array, i), err);
    }
    if (status == CW_OK) {
      status = cw_value_array_push(&list, run, err);
    } else {
      cwi_value_drop(run);
    }
  }
  return cwi_fn_give(status, list, out);
}

FN(array_clump) {
  (void)len;
  int64_t size = cwi_value_as_int(args[1]);
  if (size < 1) return fail_positive(ctx, err);
  return runs(args[0], (size_t)size, (size_t)size, false, out, err);
}

FN(array_windows) {
  (void)len;
  int64_t size = cwi_value_as_int(args[1]);
  if (size < 1) return fail_positive(ctx, err);
  return runs(args[0], (size_t)size, 1, true, out, err);
}

FN(array_combine) {
  FN_UNUSED;
  cw_value list;
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    for (size_t k = 0; status == CW_OK && k < cw_value_len(args[1]); k++) {
      cw_value pair;
      status = cw_value_array(2, &pair, err);
      if (status == CW_OK) status = cwi_fn_push(&pair, at(args[0], i), err);
      if (status == CW_OK) status = cwi_fn_push(&pair, at(args[1], k), err);
      if (status == CW_OK) {
        status = cw_value_array_push(&list, pair, err);
      } else {
        cwi_value_drop(pair);
      }
    }
  }
  return cwi_fn_give(status, list, out);
}

FN(array_complement) {
  FN_UNUSED;
  cw_value list;
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    if (!has(args[1], at(args[0], i))) status = cwi_fn_push(&list, at(args[0], i), err);
  }
  return cwi_fn_give(status, list, out);
}

/* Items of one array only, each as often as it has no partner in the other. */
FN(array_difference) {
  FN_UNUSED;
  cw_value list;
  cw_value rest = cwi_value_retain(args[1]);
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    size_t k = 0;
    while (k < cw_value_len(rest) && cwi_db_compare(at(rest, k), at(args[0], i)) != 0) k++;
    if (k == cw_value_len(rest)) {
      status = cwi_fn_push(&list, at(args[0], i), err);
    } else {
      cw_value partner;
      status = cwi_value_array_remove(&rest, k, &partner, err);
      cwi_value_drop(partner);
    }
  }
  for (size_t k = 0; status == CW_OK && k < cw_value_len(rest); k++) {
    status = cwi_fn_push(&list, at(rest, k), err);
  }
  cwi_value_drop(rest);
  return cwi_fn_give(status, list, out);
}

FN(array_intersect) {
  FN_UNUSED;
  cw_value list;
  cw_value rest = cwi_value_retain(args[1]);
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    for (size_t k = 0; k < cw_value_len(rest); k++) {
      if (cwi_db_compare(at(rest, k), at(args[0], i)) != 0) continue;
      cw_value partner;
      status = cwi_value_array_remove(&rest, k, &partner, err);
      if (status == CW_OK) status = cw_value_array_push(&list, partner, err);
      break;
    }
  }
  cwi_value_drop(rest);
  return cwi_fn_give(status, list, out);
}

static int order_items(cw_value a, cw_value b, void *context) {
  (void)context;
  return cwi_db_compare(cw_value_array_get(a, 0), cw_value_array_get(b, 0));
}

/* The first of each run of equal items, in the order of the array: sorts [item, position] pairs, so
 * that large arrays take no square time. */
static cw_status distinct(cw_value array, cw_value *out, cw_error *err) {
  cw_value list;
  cw_value pairs = cwi_value_none();
  cw_value keep = cwi_value_none();
  size_t size = cw_value_len(array);
  cw_status status = cw_value_array(0, &list, err);
  if (size <= 32) {
    for (size_t i = 0; status == CW_OK && i < size; i++) {
      if (!has(list, at(array, i))) status = cwi_fn_push(&list, at(array, i), err);
    }
    return cwi_fn_give(status, list, out);
  }
  if (status == CW_OK) status = cw_value_array(size, &pairs, err);
  if (status == CW_OK) status = cw_value_array(size, &keep, err);
  for (size_t i = 0; status == CW_OK && i < size; i++) {
    cw_value pair;
    status = cw_value_array(2, &pair, err);
    if (status == CW_OK) status = cwi_fn_push(&pair, at(array, i), err);
    if (status == CW_OK) status = cw_value_array_push(&pair, cwi_value_int((int64_t)i), err);
    if (status == CW_OK) {
      status = cw_value_array_push(&pairs, pair, err);
    } else {
      cwi_value_drop(pair);
    }
    if (status == CW_OK) status = cw_value_array_push(&keep, cwi_value_bool(false), err);
  }
  if (status == CW_OK) {
    cwi_array *sorted = cwi_value_array_ptr(pairs);
    status = cwi_db_sort(sorted->items, sorted->len, order_items, NULL, err);
    for (size_t i = 0; status == CW_OK && i < size; i++) {
      bool first = i == 0 || order_items(sorted->items[i - 1], sorted->items[i], NULL) != 0;
      size_t position = (size_t)cwi_value_as_int(at(sorted->items[i], 1));
      cwi_value_array_ptr(keep)->items[position] = cwi_value_bool(first);
    }
  }
  for (size_t i = 0; status == CW_OK && i < size; i++) {
    if (at(keep, i).bits != 0) status = cwi_fn_push(&list, at(array, i), err);
  }
  cwi_value_drop(pairs);
  cwi_value_drop(keep);
  return cwi_fn_give(status, list, out);
}

FN(array_distinct) {
  FN_UNUSED;
  return distinct(args[0], out, err);
}

FN(array_union) {
  cw_value joined;
  cw_status status = array_concat(ctx, args, len, &joined, err);
  if (status == CW_OK) status = distinct(joined, out, err);
  cwi_value_drop(joined);
  return status;
}

static cw_status flatten(cw_value array, cw_value *out, cw_error *err) {
  cw_value list;
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(array); i++) {
    cw_value item = at(array, i);
    if (cwi_db_kind_of(item) == CWI_DB_SET) item = cwi_db_set_items(item);
    if (item.kind != CW_VALUE_ARRAY) {
      status = cwi_fn_push(&list, item, err);
      continue;
    }
    for (size_t k = 0; status == CW_OK && k < cw_value_len(item); k++) {
      status = cwi_fn_push(&list, at(item, k), err);
    }
  }
  return cwi_fn_give(status, list, out);
}

FN(array_flatten) {
  FN_UNUSED;
  return flatten(args[0], out, err);
}

FN(array_group) {
  FN_UNUSED;
  cw_value flat;
  cw_status status = flatten(args[0], &flat, err);
  if (status != CW_OK) return status;
  status = distinct(flat, out, err);
  cwi_value_drop(flat);
  return status;
}

FN(array_fill) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  size_t size = cw_value_len(copy);
  size_t begin = len > 2 ? cwi_fn_position(cwi_value_as_int(args[2]), size) : 0;
  size_t end = len > 3 ? cwi_fn_position(cwi_value_as_int(args[3]), size) : size;
  cw_status status = CW_OK;
  for (size_t i = begin; status == CW_OK && i < end; i++) {
    status = cw_value_array_set(&copy, i, cwi_value_retain(args[1]), err);
  }
  return cwi_fn_give(status, copy, out);
}

FN(array_insert) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  int64_t size = (int64_t)cw_value_len(copy);
  int64_t index = len > 2 ? cwi_value_as_int(args[2]) : size;
  cw_status status = CW_OK;
  if (index < 0) index += size;
  if (index >= 0 && index <= size) {
    status = cwi_value_array_insert(&copy, (size_t)index, cwi_value_retain(args[1]), err);
  }
  return cwi_fn_give(status, copy, out);
}

FN(array_remove) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  int64_t size = (int64_t)cw_value_len(copy);
  int64_t index = cwi_value_as_int(args[1]);
  cw_status status = CW_OK;
  if (index < 0) index += size;
  if (index >= 0 && index < size) {
    cw_value removed;
    status = cwi_value_array_remove(&copy, (size_t)index, &removed, err);
    cwi_value_drop(removed);
  }
  return cwi_fn_give(status, copy, out);
}

FN(array_pop) {
  FN_UNUSED;
  return array_last(ctx, args, len, out, err);
}

FN(array_reverse) {
  FN_UNUSED;
  cw_value list;
  size_t size = cw_value_len(args[0]);
  cw_status status = cw_value_array(size, &list, err);
  for (size_t i = size; status == CW_OK && i-- > 0;)
    status = cwi_fn_push(&list, at(args[0], i), err);
  return cwi_fn_give(status, list, out);
}

FN(array_slice) {
  size_t begin;
  size_t end;
  cw_value list;
  cw_status status = cwi_fn_slice(ctx, args, len, cw_value_len(args[0]), &begin, &end, err);
  if (status != CW_OK) return status;
  status = cw_value_array(end - begin, &list, err);
  for (size_t i = begin; status == CW_OK && i < end; i++)
    status = cwi_fn_push(&list, at(args[0], i), err);
  return cwi_fn_give(status, list, out);
}

FN(array_swap) {
  (void)len;
  int64_t size = (int64_t)cw_value_len(args[0]);
  int64_t places[2];
  for (int i = 0; i < 2; i++) {
    int64_t index = cwi_value_as_int(args[i + 1]);
    places[i] = index < 0 ? index + size : index;
    if (places[i] >= 0 && places[i] < size) continue;
    return cwi_db_fn_fail(ctx, err,
                          "Argument %d is out of range. Expected a number between -%lld and %lld",
                          i + 1, (long long)size, (long long)size);
  }
  cw_value copy = cwi_value_retain(args[0]);
  cw_status status = cwi_value_make_unique(&copy, err);
  if (status == CW_OK) {
    cw_value *items = cwi_value_array_ptr(copy)->items;
    cw_value first = items[places[0]];
    items[places[0]] = items[places[1]];
    items[places[1]] = first;
  }
  return cwi_fn_give(status, copy, out);
}

FN(array_transpose) {
  FN_UNUSED;
  cw_value list;
  size_t rows = cw_value_len(args[0]);
  size_t columns = 0;
  for (size_t i = 0; i < rows; i++) {
    cw_value row = at(args[0], i);
    size_t width = row.kind == CW_VALUE_ARRAY ? cw_value_len(row) : 1;
    if (width > columns) columns = width;
  }
  cw_status status = cw_value_array(columns, &list, err);
  for (size_t c = 0; status == CW_OK && c < columns; c++) {
    cw_value column;
    status = cw_value_array(rows, &column, err);
    for (size_t i = 0; status == CW_OK && i < rows; i++) {
      cw_value row = at(args[0], i);
      cw_value item = row.kind == CW_VALUE_ARRAY ? at(row, c) : c == 0 ? row : cwi_value_none();
      status = cwi_fn_push(&column, item, err);
    }
    if (status == CW_OK) {
      status = cw_value_array_push(&list, column, err);
    } else {
      cwi_value_drop(column);
    }
  }
  return cwi_fn_give(status, list, out);
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"array::add", "av", array_add, P, "Adds an item, or items, that are not there yet."},
    {"array::all", "a?v", array_all, CWI_DB_FN_CALLS,
     "Whether all items are truthy, equal or pass."},
    {"array::any", "a?v", array_any, CWI_DB_FN_CALLS,
     "Whether an item is truthy, equal or passes."},
    {"array::append", "av", array_append, P, "Appends an item."},
    {"array::at", "ai", array_at, P, "The item at an index; negative counts from the end."},
    {"array::clump", "ai", array_clump, P, "Cuts into arrays of a length."},
    {"array::combine", "aa", array_combine, P, "All pairs of items of two arrays."},
    {"array::complement", "aa", array_complement, P, "Items that the second array lacks."},
    {"array::concat", "?a*", array_concat, P, "Joins arrays."},
    {"array::difference", "aa", array_difference, P, "Items of one of the two only."},
    {"array::distinct", "a", array_distinct, P, "Without repeated items."},
    {"array::fill", "av?ii", array_fill, P, "Replaces items, or those of a range."},
    {"array::first", "a", array_first, P, "The first item."},
    {"array::flatten", "a", array_flatten, P, "Opens one level of arrays."},
    {"array::group", "a", array_group, P, "Flattens and removes repeated items."},
    {"array::insert", "av?i", array_insert, P, "Inserts before an index."},
    {"array::intersect", "aa", array_intersect, P, "Items of both."},
    {"array::is_empty", "a", array_is_empty, P, "Whether there is no item."},
    {"array::last", "a", array_last, P, "The last item."},
    {"array::len", "a", array_len, P, "The number of items."},
    {"array::pop", "a", array_pop, P, "The last item."},
    {"array::prepend", "av", array_prepend, P, "Puts an item in front."},
    {"array::push", "av", array_append, P, "Appends an item."},
    {"array::remove", "ai", array_remove, P, "Removes the item at an index."},
    {"array::reverse", "a", array_reverse, P, "In the other order."},
    {"array::slice", "a?vv", array_slice, P, "The items from an index to before another."},
    {"array::swap", "aii", array_swap, P, "Exchanges two items."},
    {"array::transpose", "a", array_transpose, P, "Rows to columns."},
    {"array::union", "aa", array_union, P, "Items of either, each once."},
    {"array::windows", "ai", array_windows, P, "All runs of a length."},
};
FN_LIST(cwi_db_fns_array, "array::", rows);
