/* SPDX-License-Identifier: MIT */
/* Arrays: a run of values that grows by half. Writing to a shared array copies its top level first.
 */
#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"
#include "core/value.h"
#include "core/value_internal.h"

#define ARRAY_LEN_MAX (PTRDIFF_MAX / sizeof(cw_value))

cw_status cw_value_array(size_t capacity, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cwi_array *a = capacity > ARRAY_LEN_MAX ? NULL : CWI_NEW(cwi_array);
  if (a == NULL) return CWI_RAISE_NOMEM(err, "an array");
  if (capacity > 0) {
    a->items = cwi_alloc(capacity * sizeof(cw_value));
    if (a->items == NULL) {
      CWI_FREE(a);
      return CWI_RAISE_NOMEM(err, "an array");
    }
    a->cap = capacity;
  }
  a->ref.refs = 1;
  *out = cwi_value_of_ref(CW_VALUE_ARRAY, a);
  return CW_OK;
}

cw_status cwi_array_copy(const cwi_array *array, cw_value *out, cw_error *err) {
  cw_status status = cw_value_array(array->len, out, err);
  if (status != CW_OK) return status;
  cwi_array *copy = cwi_value_array_ptr(*out);
  for (size_t i = 0; i < array->len; i++) copy->items[i] = cwi_value_retain(array->items[i]);
  copy->len = array->len;
  return CW_OK;
}

static cw_status want_array(const cw_value *value, cw_error *err) {
  if (value != NULL && value->kind == CW_VALUE_ARRAY) return CW_OK;
  return CWI_RAISE(err, CW_E_TYPE, 0, "not an array but %s",
                   value == NULL ? "nothing" : cw_value_type_name(*value));
}

cw_status cwi_value_array_reserve(cw_value *array, size_t more, cw_error *err) {
  CWI_ASSERT(array->kind == CW_VALUE_ARRAY);
  cw_status status = cwi_value_make_unique(array, err);
  if (status != CW_OK) return status;
  cwi_array *a = cwi_value_array_ptr(*array);
  size_t need = 0;
  if (!cwi_size_add(a->len, more, &need) || need > ARRAY_LEN_MAX) {
    return CWI_RAISE_NOMEM(err, "an array");
  }
  if (need <= a->cap) return CW_OK;
  size_t cap = cwi_size_min(cwi_size_grow(a->cap, need), ARRAY_LEN_MAX);
  cw_value *items = cwi_realloc(a->items, a->cap * sizeof(cw_value), cap * sizeof(cw_value));
  if (items == NULL) return CWI_RAISE_NOMEM(err, "an array");
  a->items = items;
  a->cap = cap;
  return CW_OK;
}

cw_status cwi_value_array_insert(cw_value *array, size_t index, cw_value item, cw_error *err) {
  cw_status status = want_array(array, err);
  if (status == CW_OK) status = cwi_value_array_reserve(array, 1, err);
  if (status != CW_OK) {
    cwi_value_drop(item);
    return status;
  }
  cwi_array *a = cwi_value_array_ptr(*array);
  CWI_ASSERT(index <= a->len);
  memmove(a->items + index + 1, a->items + index, (a->len - index) * sizeof(cw_value));
  a->items[index] = item;
  a->len++;
  return CW_OK;
}

cw_status cw_value_array_push(cw_value *array, cw_value item, cw_error *err) {
  size_t len = array != NULL && array->kind == CW_VALUE_ARRAY ? cw_value_len(*array) : 0;
  return cwi_value_array_insert(array, len, item, err);
}

cw_status cw_value_array_set(cw_value *array, size_t index, cw_value item, cw_error *err) {
  cw_status status = want_array(array, err);
  if (status == CW_OK && index >= cw_value_len(*array)) {
    status = CWI_RAISE(err, CW_E_RANGE, 0, "index %zu is outside an array of %zu", index,
                       cw_value_len(*array));
  }
  if (status == CW_OK) status = cwi_value_make_unique(array, err);
  if (status != CW_OK) {
    cwi_value_drop(item);
    return status;
  }
  cw_value *slot = &cwi_value_array_ptr(*array)->items[index];
  cw_value old = *slot;
  *slot = item;
  cwi_value_drop(old);
  return CW_OK;
}

cw_status cwi_value_array_remove(cw_value *array, size_t index, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cw_status status = want_array(array, err);
  if (status == CW_OK) status = cwi_value_make_unique(array, err);
  if (status != CW_OK) return status;
  cwi_array *a = cwi_value_array_ptr(*array);
  if (index >= a->len) return CW_OK;
  *out = a->items[index];
  memmove(a->items + index, a->items + index + 1, (a->len - index - 1) * sizeof(cw_value));
  a->len--;
  return CW_OK;
}

cw_value cw_value_array_get(cw_value array, size_t index) {
  if (array.kind != CW_VALUE_ARRAY) return cwi_value_none();
  const cwi_array *a = cwi_value_array_ptr(array);
  return index < a->len ? a->items[index] : cwi_value_none();
}
