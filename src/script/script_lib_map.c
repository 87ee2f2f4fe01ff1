/* SPDX-License-Identifier: MIT */
/* Object maps: entries, keys, values, merging. What calls back stands in script_lib_each.c. */
#include "script/script_lib_internal.h"
#include "script/script_run.h"

static cw_bytes key_of(const cwi_script_native *call) { return cw_value_as_bytes(call->args[1]); }

static cwi_script_result map_len(cwi_script_native *call) {
  return cwi_script_return_int(call, (int64_t)cw_value_len(call->args[0]));
}

static cwi_script_result map_is_empty(cwi_script_native *call) {
  return cwi_script_return_bool(call, cw_value_len(call->args[0]) == 0);
}

static cwi_script_result map_clear(cwi_script_native *call) {
  cw_value empty;
  cw_status status = cw_value_object(&empty, NULL);
  if (status != CW_OK) return cwi_script_check(call, status);
  empty.aux = call->args[0].aux;
  cw_value_release(&call->args[0]);
  call->args[0] = empty;
  return CWI_SCRIPT_OK;
}

static cwi_script_result map_contains(cwi_script_native *call) {
  cw_bytes key = key_of(call);
  return cwi_script_return_bool(call,
                                cwi_value_object_find(call->args[0], key.data, key.size) != NULL);
}

static cwi_script_result map_get(cwi_script_native *call) {
  cw_bytes key = key_of(call);
  const cw_value *item = cwi_value_object_find(call->args[0], key.data, key.size);
  if (item != NULL) call->result = cw_value_retain(*item);
  return CWI_SCRIPT_OK;
}

static cwi_script_result map_set(cwi_script_native *call) {
  cw_value key = call->args[1];
  key.aux = 0;
  return cwi_script_check(
      call, cwi_value_object_set_key(&call->args[0], key, cwi_script_take(&call->args[2]), NULL));
}

static cwi_script_result map_remove(cwi_script_native *call) {
  cwi_script_result result = map_get(call);
  if (result != CWI_SCRIPT_OK) return result;
  cw_bytes key = key_of(call);
  return cwi_script_check(call, cw_value_object_remove(&call->args[0], key.data, key.size, NULL));
}

/* data 1: the values, else the keys. */
static cwi_script_result map_list(cwi_script_native *call) {
  cw_status status = cw_value_array(cw_value_len(call->args[0]), &call->result, NULL);
  cwi_object_iter iter = cwi_object_iter_start(call->args[0]);
  cw_value key;
  cw_value item;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    cw_value what = call->data == 1 ? item : key;
    status = cw_value_array_push(&call->result, cw_value_retain(what), NULL);
  }
  return cwi_script_check(call, status);
}

/* Adds the entries that are missing. */
static cwi_script_result map_fill_with(cwi_script_native *call) {
  cwi_object_iter iter = cwi_object_iter_start(call->args[1]);
  cw_status status = CW_OK;
  cw_value key;
  cw_value item;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    cw_bytes text = cw_value_as_bytes(key);
    if (cwi_value_object_find(call->args[0], text.data, text.size) != NULL) continue;
    status = cwi_value_object_set_key(&call->args[0], key, cw_value_retain(item), NULL);
  }
  return cwi_script_check(call, status);
}

static cwi_script_result map_to_json(cwi_script_native *call) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = cwi_script_json(&buf, call->args[0]);
  return cwi_script_return_buf(call, &buf, ok);
}

#define TEXT_START ((cwi_script_pos)(1U << 16 | 1U)) /* line 1, column 1 */

/* The reference evaluates the text as an expression: a word is a variable, which is not there. */
static cwi_script_result parse_json(cwi_script_native *call) {
  cw_bytes text = cw_value_as_bytes(call->args[0]);
  const char *word = text.data;
  bool is_literal =
      strcmp(word, "null") == 0 || strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
  if (!is_literal && cwi_script_is_identifier(word, text.size)) {
    cwi_vm_raise_at(call->run, TEXT_START, CWI_SCRIPT_E_VARIABLE_NOT_FOUND, "%s", word);
    return CWI_SCRIPT_ERROR;
  }
  return cwi_script_parse_json(call->run, text.data, text.size, &call->result);
}

static const cwi_script_row ROWS[] = {
    {"len", 1, {T_MAP}, map_len, 0, 0},
    {"is_empty", 1, {T_MAP}, map_is_empty, 0, 0},
    {"clear", 1, {T_MAP}, map_clear, MUT, 0},
    {"contains", 2, {T_MAP, T_STRING}, map_contains, 0, 0},
    {"get", 2, {T_MAP, T_STRING}, map_get, 0, 0},
    {"set", 3, {T_MAP, T_STRING, T_ANY}, map_set, MUT, 0},
    {"remove", 2, {T_MAP, T_STRING}, map_remove, MUT, 0},
    {"keys", 1, {T_MAP}, map_list, 0, 0},
    {"values", 1, {T_MAP}, map_list, 0, 1},
    {"fill_with", 2, {T_MAP, T_MAP}, map_fill_with, MUT, 0},
    {"to_json", 1, {T_MAP}, map_to_json, 0, 0},
    {"parse_json", 1, {T_STRING}, parse_json, 0, 0},
};

const cwi_script_rows cwi_script_rows_map = {ROWS, CWI_ARRAY_LEN(ROWS)};
