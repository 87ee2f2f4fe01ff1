/* SPDX-License-Identifier: MIT */
/* object:: functions. */
#include "db/db_fn_internal.h"

FN(object_entries) {
  FN_UNUSED;
  cw_value list;
  cw_value key;
  cw_value item;
  cwi_object_iter iter = cwi_object_iter_start(args[0]);
  cw_status status = cw_value_array(cw_value_len(args[0]), &list, err);
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    cw_value pair;
    status = cw_value_array(2, &pair, err);
    if (status == CW_OK) status = cwi_fn_push(&pair, key, err);
    if (status == CW_OK) status = cwi_fn_push(&pair, item, err);
    if (status == CW_OK) {
      status = cw_value_array_push(&list, pair, err);
    } else {
      cwi_value_drop(pair);
    }
  }
  return cwi_fn_give(status, list, out);
}

static cw_status list_of(cw_value object, bool keys, cw_value *out, cw_error *err) {
  cw_value list;
  cw_value key;
  cw_value item;
  cwi_object_iter iter = cwi_object_iter_start(object);
  cw_status status = cw_value_array(cw_value_len(object), &list, err);
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    status = cwi_fn_push(&list, keys ? key : item, err);
  }
  return cwi_fn_give(status, list, out);
}

FN(object_keys) {
  FN_UNUSED;
  return list_of(args[0], true, out, err);
}

FN(object_values) {
  FN_UNUSED;
  return list_of(args[0], false, out, err);
}

FN(object_extend) {
  FN_UNUSED;
  return cwi_db_arith(CWI_DB_ADD, args[0], args[1], out, err);
}

FN(object_from_entries) {
  cw_value object;
  (void)len;
  cw_status status = cw_value_object(&object, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    cw_value pair = cw_value_array_get(args[0], i);
    if (pair.kind != CW_VALUE_ARRAY || cw_value_len(pair) != 2) {
      status = cwi_db_fn_fail(ctx, err, "Expected entries, found %s",
                              cwi_db_kind_name(cwi_db_kind_of(pair)));
      break;
    }
    cw_value key;
    status = cwi_db_text_value(cw_value_array_get(pair, 0), true, &key, err);
    if (status != CW_OK) break;
    status =
        cwi_value_object_set_key(&object, key, cwi_value_retain(cw_value_array_get(pair, 1)), err);
    cwi_value_drop(key);
  }
  return cwi_fn_give(status, object, out);
}

FN(object_is_empty) {
  FN_UNUSED;
  *out = cwi_value_bool(cw_value_len(args[0]) == 0);
  return CW_OK;
}

FN(object_len) {
  FN_UNUSED;
  *out = cwi_value_int((int64_t)cw_value_len(args[0]));
  return CW_OK;
}

FN(object_remove) {
  cw_value copy = cwi_value_retain(args[0]);
  cw_status status = CW_OK;
  (void)len;
  bool many = args[1].kind == CW_VALUE_ARRAY;
  size_t count = many ? cw_value_len(args[1]) : 1;
  for (size_t i = 0; status == CW_OK && i < count; i++) {
    cw_value key = many ? cw_value_array_get(args[1], i) : args[1];
    if (key.kind != CW_VALUE_STRING) {
      status =
          cwi_db_fn_fail(ctx, err, "'%s' cannot be used as a key. Please use a string instead.",
                         cwi_db_kind_name(cwi_db_kind_of(key)));
    } else {
      status = cw_value_object_remove(&copy, cwi_fn_chars(key), cwi_fn_size(key), err);
    }
  }
  return cwi_fn_give(status, copy, out);
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"object::entries", "o", object_entries, P, "Its keys and values as pairs."},
    {"object::extend", "oo", object_extend, P, "With the entries of another."},
    {"object::from_entries", "a", object_from_entries, P, "An object of pairs."},
    {"object::is_empty", "o", object_is_empty, P, "Whether there is no entry."},
    {"object::keys", "o", object_keys, P, "Its keys."},
    {"object::len", "o", object_len, P, "The number of entries."},
    {"object::remove", "ov", object_remove, P, "Without a key, or keys."},
    {"object::values", "o", object_values, P, "Its values."},
};
FN_LIST(cwi_db_fns_object, "object::", rows);
