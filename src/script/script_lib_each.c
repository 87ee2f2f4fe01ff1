/* SPDX-License-Identifier: MIT */
/* Functions of arrays and maps that call back into the script for each item.
 *
 * Each is a small machine: it asks the VM for one callback, keeps where it is in `step` and `n`,
 * and is called again with the answer, however long that took. n[0] is the index of the next item;
 * locals[0] what is being collected, locals[1] what is being kept, locals[2] the array or map as it
 * was when the call began, so that a callback that changes it does no harm.
 *
 * What a predicate answers counts as true only where it is the bool true. */
#include "script/script_lib_internal.h"

/* What is done with the answer for an item (data of the rows). */
enum {
  EACH_MAP,
  EACH_FILTER,
  EACH_SOME,
  EACH_ALL,
  EACH_FIND,
  EACH_FIND_MAP,
  EACH_INDEX,
  EACH_DRAIN,
  EACH_RETAIN,
  EACH_RUN,
  EACH_REDUCE,
  EACH_REDUCE_REV,
  EACH_ZIP,
  EACH_DEDUP,
};

static bool answer_is_true(const cwi_script_native *call) {
  return !call->callback.failed && call->callback.result.kind == CW_VALUE_BOOL &&
         cw_value_as_bool(call->callback.result);
}

static cw_value item_at(const cwi_script_native *call, int64_t index) {
  return cw_value_array_get(call->locals[2], (size_t)index);
}

/* Makes the first step of any of them: the function of a name, the array as it is, a collection. */
static cwi_script_result begin(cwi_script_native *call, uint32_t fn_index, bool collect) {
  cwi_script_result result = cwi_script_fn_arg(call, fn_index);
  if (result != CWI_SCRIPT_OK) return result;
  call->locals[2] = cw_value_retain(call->args[0]);
  if (!collect) return CWI_SCRIPT_OK;
  bool map = call->args[0].kind == CW_VALUE_OBJECT;
  for (int i = 0; i < 2; i++) {
    cw_status status =
        map ? cw_value_object(&call->locals[i], NULL) : cw_value_array(0, &call->locals[i], NULL);
    if (status != CW_OK) return cwi_script_check(call, status);
  }
  return CWI_SCRIPT_OK;
}

static bool collects(int what) {
  return what == EACH_MAP || what == EACH_FILTER || what == EACH_DRAIN || what == EACH_RETAIN ||
         what == EACH_ZIP || what == EACH_DEDUP;
}

/* The result when all items have been seen. */
static cwi_script_result finish(cwi_script_native *call) {
  switch (call->data) {
    case EACH_MAP:
    case EACH_FILTER:
    case EACH_ZIP: return cwi_script_return(call, cwi_script_take(&call->locals[0]));
    case EACH_SOME: return cwi_script_return_bool(call, false);
    case EACH_ALL: return cwi_script_return_bool(call, true);
    case EACH_INDEX: return cwi_script_return_int(call, -1);
    case EACH_DRAIN:
    case EACH_RETAIN:
      call->locals[1].aux = call->args[0].aux;
      cw_value_release(&call->args[0]);
      call->args[0] = cwi_script_take(&call->locals[1]);
      return cwi_script_return(call, cwi_script_take(&call->locals[0]));
    default: return CWI_SCRIPT_OK;
  }
}

/* Takes the answer for item `index` of an array; *done where the result stands. */
static cw_status answer(cwi_script_native *call, int64_t index, bool *done) {
  bool yes = answer_is_true(call);
  cw_value item = item_at(call, index);
  *done = false;
  switch (call->data) {
    case EACH_MAP:
    case EACH_ZIP:
      return cw_value_array_push(&call->locals[0], cwi_script_take(&call->callback.result), NULL);
    case EACH_FILTER:
      return yes ? cw_value_array_push(&call->locals[0], cw_value_retain(item), NULL) : CW_OK;
    case EACH_DRAIN:
      return cw_value_array_push(&call->locals[yes ? 0 : 1], cw_value_retain(item), NULL);
    case EACH_RETAIN:
      return cw_value_array_push(&call->locals[yes ? 1 : 0], cw_value_retain(item), NULL);
    case EACH_SOME:
      *done = yes;
      call->result = cwi_value_bool(yes);
      return CW_OK;
    case EACH_ALL:
      *done = !yes;
      call->result = cwi_value_bool(yes);
      return CW_OK;
    case EACH_INDEX:
      *done = yes;
      if (yes) call->result = cwi_value_int(index);
      return CW_OK;
    case EACH_FIND:
      *done = yes;
      if (yes) call->result = cw_value_retain(item);
      return CW_OK;
    default: /* EACH_FIND_MAP */
      *done = cwi_script_type_of(call->callback.result) != CWI_SCRIPT_UNIT;
      if (*done) call->result = cwi_script_take(&call->callback.result);
      return CW_OK;
  }
}

/* map, filter, some, all, find, find_map, index_of, drain, retain of arrays. */
static cwi_script_result array_each(cwi_script_native *call) {
  if (call->step == 0) {
    cwi_script_result result = begin(call, 1, collects(call->data));
    if (result != CWI_SCRIPT_OK) return result;
    if (call->argc > 2) {
      size_t len = cw_value_len(call->locals[2]);
      call->n[0] = (int64_t)cwi_script_span_of(len, cw_value_as_int(call->args[2]), 1).start;
    }
    call->step = 1;
  } else {
    bool done = false;
    cw_status status = answer(call, call->n[0] - 1, &done);
    if (status != CW_OK) return cwi_script_check(call, status);
    if (done) return CWI_SCRIPT_OK;
  }
  int64_t index = call->n[0];
  if ((uint64_t)index >= cw_value_len(call->locals[2])) return finish(call);
  call->n[0]++;
  cw_value item = cw_value_retain(item_at(call, index));
  return cwi_script_callback_item(call, call->args[1], NULL, item, index);
}

/* for_each: `this` is the item, which may be changed; the index is the argument. */
static cwi_script_result array_for_each(cwi_script_native *call) {
  if (call->step == 0) {
    call->step = 1;
    cw_status status = cwi_value_make_unique(&call->args[0], NULL);
    if (status != CW_OK) return cwi_script_check(call, status);
  } else {
    size_t last = (size_t)call->n[0] - 1;
    cw_value item = cwi_script_take(&call->callback.this_value);
    cw_status status = last < cw_value_len(call->args[0])
                           ? cw_value_array_set(&call->args[0], last, item, NULL)
                           : CW_OK;
    if (status != CW_OK) return cwi_script_check(call, status);
  }
  size_t index = (size_t)call->n[0];
  if (index >= cw_value_len(call->args[0])) return CWI_SCRIPT_OK;
  call->n[0]++;
  cwi_array *array = cwi_value_array_ptr(call->args[0]);
  call->callback.fn = call->args[1];
  call->callback.this_value = cwi_script_take(&array->items[index]); /* comes back changed */
  call->callback.argc = 0;
  if (cwi_script_fn_arity(call->run, call->args[1]) != 0) {
    call->callback.args[0] = cwi_value_int((int64_t)index);
    call->callback.argc = 1;
  }
  return CWI_SCRIPT_CALLBACK;
}

/* reduce and reduce_rev: locals[0] is what has been gathered so far. */
static cwi_script_result array_reduce(cwi_script_native *call) {
  if (call->step == 0) {
    cwi_script_result result = begin(call, 1, false);
    if (result != CWI_SCRIPT_OK) return result;
    call->locals[0] = call->argc > 2 ? cwi_script_take(&call->args[2]) : cwi_value_null();
    call->step = 1;
  } else {
    call->locals[0] = cwi_script_take(&call->callback.result);
  }
  size_t len = cw_value_len(call->locals[2]);
  if ((uint64_t)call->n[0] >= len) {
    return cwi_script_return(call, cwi_script_take(&call->locals[0]));
  }
  int64_t index = call->data == EACH_REDUCE ? call->n[0] : (int64_t)len - 1 - call->n[0];
  call->n[0]++;
  cw_value item = cw_value_retain(item_at(call, index));
  cw_value gathered = cwi_script_take(&call->locals[0]);
  return cwi_script_callback_item(call, call->args[1], &gathered, item, index);
}

static cwi_script_result array_zip(cwi_script_native *call) {
  if (call->step == 0) {
    cwi_script_result result = begin(call, 2, true);
    if (result != CWI_SCRIPT_OK) return result;
    call->step = 1;
  } else {
    bool done = false;
    cw_status status = answer(call, call->n[0] - 1, &done);
    if (status != CW_OK) return cwi_script_check(call, status);
  }
  size_t index = (size_t)call->n[0];
  if (index >= cw_value_len(call->locals[2]) || index >= cw_value_len(call->args[1])) {
    return finish(call);
  }
  call->n[0]++;
  call->callback.fn = call->args[2];
  call->callback.args[0] = cw_value_retain(item_at(call, (int64_t)index));
  call->callback.args[1] = cw_value_retain(cw_value_array_get(call->args[1], index));
  call->callback.args[2] = cwi_value_int((int64_t)index);
  call->callback.argc = cwi_script_fn_arity(call->run, call->args[2]) == 2 ? 2 : 3;
  return CWI_SCRIPT_CALLBACK;
}

/* dedup with a comparer of the item kept last and the next one; one that fails keeps the item. */
static cwi_script_result array_dedup_by(cwi_script_native *call) {
  cw_status status = CW_OK;
  if (call->step == 0) {
    cwi_script_result result = begin(call, 1, true);
    if (result != CWI_SCRIPT_OK) return result;
    call->step = 1;
    if (cw_value_len(call->locals[2]) == 0) return CWI_SCRIPT_OK;
    status = cw_value_array_push(&call->locals[1], cw_value_retain(item_at(call, 0)), NULL);
    call->n[0] = 1;
  } else if (!answer_is_true(call)) {
    cw_value item = item_at(call, call->n[0] - 1);
    status = cw_value_array_push(&call->locals[1], cw_value_retain(item), NULL);
  }
  if (status != CW_OK) return cwi_script_check(call, status);
  int64_t index = call->n[0];
  if ((uint64_t)index >= cw_value_len(call->locals[2])) {
    cw_value_release(&call->args[0]);
    call->args[0] = cwi_script_take(&call->locals[1]);
    return CWI_SCRIPT_OK;
  }
  call->n[0]++;
  size_t kept = cw_value_len(call->locals[1]);
  call->callback.fn = call->args[1];
  call->callback.args[0] = cw_value_retain(cw_value_array_get(call->locals[1], kept - 1));
  call->callback.args[1] = cw_value_retain(item_at(call, index));
  call->callback.argc = 2;
  call->callback.catch_errors = true;
  return CWI_SCRIPT_CALLBACK;
}

/* ---- maps ---- */

static cw_status map_answer(cwi_script_native *call, cw_value key, cw_value item) {
  cw_value *to = &call->locals[0];
  cw_value kept = item;
  bool yes = answer_is_true(call);
  switch (call->data) {
    case EACH_MAP:
      return cwi_value_object_set_key(to, key, cwi_script_take(&call->callback.result), NULL);
    case EACH_FILTER:
      if (!yes) return CW_OK;
      break;
    case EACH_DRAIN:
      if (!yes) to = &call->locals[1];
      break;
    default:
      if (yes) to = &call->locals[1];
      break;
  }
  return cwi_value_object_set_key(to, key, cw_value_retain(kept), NULL);
}

/* The entry at n[0]; false past the end. */
static bool entry_at(const cwi_script_native *call, int64_t index, cw_value *key, cw_value *item) {
  /* Keys are looked up by position in the list of keys made at the start. */
  if ((uint64_t)index >= cw_value_len(call->locals[3])) return false;
  *key = cw_value_array_get(call->locals[3], (size_t)index);
  cw_bytes text = cw_value_as_bytes(*key);
  const cw_value *found = cwi_value_object_find(call->locals[2], text.data, text.size);
  *item = found != NULL ? *found : cwi_value_null();
  return true;
}

static cw_status list_keys(cw_value map, cw_value *out) {
  cw_status status = cw_value_array(cw_value_len(map), out, NULL);
  cwi_object_iter iter = cwi_object_iter_start(map);
  cw_value key;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, NULL)) {
    status = cw_value_array_push(out, cw_value_retain(key), NULL);
  }
  return status;
}

/* map, filter, drain, retain of maps: (key, value), or (key) with `this` = value. */
static cwi_script_result map_each(cwi_script_native *call) {
  cw_value key;
  cw_value item;
  if (call->step == 0) {
    cwi_script_result result = begin(call, 1, true);
    if (result != CWI_SCRIPT_OK) return result;
    cw_status status = list_keys(call->args[0], &call->locals[3]);
    if (status != CW_OK) return cwi_script_check(call, status);
    call->step = 1;
  } else if (entry_at(call, call->n[0] - 1, &key, &item)) {
    cw_status status = map_answer(call, key, item);
    if (status != CW_OK) return cwi_script_check(call, status);
  }
  if (!entry_at(call, call->n[0], &key, &item)) return finish(call);
  call->n[0]++;
  int arity = cwi_script_fn_arity(call->run, call->args[1]);
  call->callback.fn = call->args[1];
  call->callback.args[0] = cw_value_retain(key);
  call->callback.argc = 1;
  if (arity == 1) {
    call->callback.this_value = cw_value_retain(item);
  } else {
    call->callback.args[1] = cw_value_retain(item);
    call->callback.argc = 2;
  }
  return CWI_SCRIPT_CALLBACK;
}

#define BY_FN(name, what, flags) \
  { name, 2, {T_ARRAY, T_FN}, array_each, RESUMABLE | (flags), what }
#define BY_NAME(name, what, flags) \
  { name, 2, {T_ARRAY, T_STRING}, array_each, RESUMABLE | (flags), what }
#define BY_FN_FROM(name, what) \
  { name, 3, {T_ARRAY, T_FN, T_INT}, array_each, RESUMABLE, what }

static const cwi_script_row ROWS[] = {
    BY_FN("map", EACH_MAP, 0),
    BY_NAME("map", EACH_MAP, 0),
    BY_FN("filter", EACH_FILTER, 0),
    BY_NAME("filter", EACH_FILTER, 0),
    BY_FN("some", EACH_SOME, 0),
    BY_NAME("some", EACH_SOME, 0),
    BY_FN("all", EACH_ALL, 0),
    BY_NAME("all", EACH_ALL, 0),
    BY_FN("find", EACH_FIND, 0),
    BY_FN_FROM("find", EACH_FIND),
    BY_FN("find_map", EACH_FIND_MAP, 0),
    BY_FN_FROM("find_map", EACH_FIND_MAP),
    BY_FN("index_of", EACH_INDEX, 0),
    BY_FN_FROM("index_of", EACH_INDEX),
    BY_FN("drain", EACH_DRAIN, MUT),
    BY_NAME("drain", EACH_DRAIN, MUT),
    BY_FN("retain", EACH_RETAIN, MUT),
    BY_NAME("retain", EACH_RETAIN, MUT),
    {"for_each", 2, {T_ARRAY, T_FN}, array_for_each, RESUMABLE | MUT, EACH_RUN},
    {"reduce", 2, {T_ARRAY, T_FN}, array_reduce, RESUMABLE, EACH_REDUCE},
    {"reduce", 2, {T_ARRAY, T_STRING}, array_reduce, RESUMABLE, EACH_REDUCE},
    {"reduce", 3, {T_ARRAY, T_FN, T_ANY}, array_reduce, RESUMABLE, EACH_REDUCE},
    {"reduce", 3, {T_ARRAY, T_STRING, T_ANY}, array_reduce, RESUMABLE, EACH_REDUCE},
    {"reduce_rev", 2, {T_ARRAY, T_FN}, array_reduce, RESUMABLE, EACH_REDUCE_REV},
    {"reduce_rev", 2, {T_ARRAY, T_STRING}, array_reduce, RESUMABLE, EACH_REDUCE_REV},
    {"reduce_rev", 3, {T_ARRAY, T_FN, T_ANY}, array_reduce, RESUMABLE, EACH_REDUCE_REV},
    {"reduce_rev", 3, {T_ARRAY, T_STRING, T_ANY}, array_reduce, RESUMABLE, EACH_REDUCE_REV},
    {"zip", 3, {T_ARRAY, T_ARRAY, T_FN}, array_zip, RESUMABLE, EACH_ZIP},
    {"dedup", 2, {T_ARRAY, T_FN}, array_dedup_by, RESUMABLE | MUT, EACH_DEDUP},
    {"dedup", 2, {T_ARRAY, T_STRING}, array_dedup_by, RESUMABLE | MUT, EACH_DEDUP},
    {"map", 2, {T_MAP, T_FN}, map_each, RESUMABLE, EACH_MAP},
    {"filter", 2, {T_MAP, T_FN}, map_each, RESUMABLE, EACH_FILTER},
    {"drain", 2, {T_MAP, T_FN}, map_each, RESUMABLE | MUT, EACH_DRAIN},
    {"retain", 2, {T_MAP, T_FN}, map_each, RESUMABLE | MUT, EACH_RETAIN},
};

const cwi_script_rows cwi_script_rows_each = {ROWS, CWI_ARRAY_LEN(ROWS)};
