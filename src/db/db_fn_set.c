/* SPDX-License-Identifier: MIT */
/* set:: functions. A set's items are a sorted array, so most of these are the array's. */
#include "db/db_fn_internal.h"

static cw_value at(cw_value set, size_t i) { return cw_value_array_get(cwi_db_set_items(set), i); }
static size_t count(cw_value set) { return cw_value_len(cwi_db_set_items(set)); }

/* Runs the array function of the same name; `as_set` makes its result a set. */
static cw_status as_array(cwi_db_fn_ctx *ctx, const char *name, const cw_value *args, size_t len,
                          bool as_set, cw_value *out, cw_error *err) {
  cw_value given[4];
  CWI_ASSERT(len <= CWI_ARRAY_LEN(given));
  for (size_t i = 0; i < len; i++) {
    given[i] = cwi_db_kind_of(args[i]) == CWI_DB_SET ? cwi_db_set_items(args[i]) : args[i];
  }
  cw_value result = cwi_value_none();
  cw_status status =
      cwi_db_fn_invoke(ctx, cwi_db_fn_find(name, strlen(name)), given, len, &result, err);
  if (status == CW_OK && as_set && result.kind == CW_VALUE_ARRAY) {
    return cwi_db_value_set(result, out, err);
  }
  *out = result;
  return status;
}

#define AS_ARRAY(name, array_name, as_set)                              \
  FN(name) { return as_array(ctx, (array_name), args, len, (as_set), out, err); }

AS_ARRAY(set_add, "array::add", true)
AS_ARRAY(set_complement, "array::complement", true)
AS_ARRAY(set_difference, "array::difference", true)
AS_ARRAY(set_filter, "array::filter", true)
AS_ARRAY(set_find, "array::find", false)
AS_ARRAY(set_fold, "array::fold", false)
AS_ARRAY(set_intersect, "array::intersect", true)
AS_ARRAY(set_join, "array::join", false)
AS_ARRAY(set_map, "array::map", true)
AS_ARRAY(set_reduce, "array::reduce", false)
AS_ARRAY(set_slice, "array::slice", true)
AS_ARRAY(set_union, "array::union", true)
AS_ARRAY(set_flatten, "array::flatten", true)

FN(set_at) {
  FN_UNUSED;
  int64_t index = cwi_value_as_int(args[1]);
  if (index < 0) index += (int64_t)count(args[0]);
  if (index >= 0) *out = cwi_value_retain(at(args[0], (size_t)index));
  return CW_OK;
}

FN(set_contains) {
  FN_UNUSED;
  *out = cwi_value_bool(cwi_db_set_has(args[0], args[1]));
  return CW_OK;
}

FN(set_first) {
  FN_UNUSED;
  *out = cwi_value_retain(at(args[0], 0));
  return CW_OK;
}

FN(set_last) {
  FN_UNUSED;
  if (count(args[0]) > 0) *out = cwi_value_retain(at(args[0], count(args[0]) - 1));
  return CW_OK;
}

FN(set_is_empty) {
  FN_UNUSED;
  *out = cwi_value_bool(count(args[0]) == 0);
  return CW_OK;
}

FN(set_len) {
  FN_UNUSED;
  *out = cwi_value_int((int64_t)count(args[0]));
  return CW_OK;
}

FN(set_remove) {
  FN_UNUSED;
  cw_value list;
  cw_status status = cw_value_array(count(args[0]), &list, err);
  for (size_t i = 0; status == CW_OK && i < count(args[0]); i++) {
    if (cwi_db_compare(at(args[0], i), args[1]) != 0)
      status = cwi_fn_push(&list, at(args[0], i), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(list);
    return status;
  }
  return cwi_db_value_set(list, out, err);
}

#define P CWI_DB_FN_PURE
#define C CWI_DB_FN_CALLS
static const cwi_db_fn rows[] = {
    {"set::add", "Sv", set_add, P, "With an item added."},
    {"set::all", "S?v", NULL, CWI_DB_FN_UNREGISTERED, "Whether all items pass."},
    {"set::any", "S?v", NULL, CWI_DB_FN_UNREGISTERED, "Whether an item passes."},
    {"set::at", "Si", set_at, P, "The item at an index."},
    {"set::complement", "SS", set_complement, P, "Items that the second lacks."},
    {"set::contains", "Sv", set_contains, P, "Whether an item is in it."},
    {"set::difference", "SS", set_difference, P, "Items of one of the two only."},
    {"set::filter", "Sv", set_filter, C, "The items that pass."},
    {"set::find", "Sv", set_find, C, "The first item that passes."},
    {"set::first", "S", set_first, P, "The smallest item."},
    {"set::flatten", "S", set_flatten, P, "Opens one level of sets and arrays."},
    {"set::fold", "Svv", set_fold, C, "Folds the items into a starting value."},
    {"set::intersect", "SS", set_intersect, P, "Items of both."},
    {"set::is_empty", "S", set_is_empty, P, "Whether there is no item."},
    {"set::join", "Ss", set_join, P, "The texts of the items with a separator."},
    {"set::last", "S", set_last, P, "The largest item."},
    {"set::len", "S", set_len, P, "The number of items."},
    {"set::map", "Sv", set_map, C, "What a closure makes of each item."},
    {"set::max", "S", set_last, P, "The largest item."},
    {"set::min", "S", set_first, P, "The smallest item."},
    {"set::reduce", "Sv", set_reduce, C, "Folds the items into the first."},
    {"set::remove", "Sv", set_remove, P, "Without an item."},
    {"set::slice", "S?vv", set_slice, P, "The items from an index to before another."},
    {"set::union", "SS", set_union, P, "Items of either."},
};
FN_LIST(cwi_db_fns_set, "set::", rows);
