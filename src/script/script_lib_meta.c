/* SPDX-License-Identifier: MIT */
/* What a script knows about its own functions: get_fn_metadata_list(), one map a function. */
#include "script/script_lib_internal.h"
#include "script/script_run.h"

static cw_status put(cw_value *map, const char *key, cw_value v) {
  return cw_value_object_set(map, key, strlen(key), v, NULL);
}

static cw_status put_text(cw_value *map, const char *key, const char *text) {
  cw_value v;
  cw_status status = cwi_value_string_trusted(text, strlen(text), &v, NULL);
  return status != CW_OK ? status : put(map, key, v);
}

static cw_status describe(const cwi_script_proto *proto, cw_value *out) {
  cw_value params;
  cw_status status = cw_value_object(out, NULL);
  if (status == CW_OK) status = put(out, "name", cw_value_retain(proto->name));
  if (status == CW_OK) status = put_text(out, "access", proto->is_private ? "private" : "public");
  if (status == CW_OK) status = put(out, "is_anonymous", cwi_value_bool(proto->is_closure));
  if (status == CW_OK && proto->this_type.kind == CW_VALUE_STRING) {
    status = put(out, "this_type", cw_value_retain(proto->this_type));
  }
  if (status != CW_OK) return status;
  status = cw_value_array(proto->param_len, &params, NULL);
  for (uint16_t i = 0; i < proto->param_len && status == CW_OK; i++) {
    status = cw_value_array_push(&params, cw_value_retain(proto->params[i]), NULL);
  }
  if (status != CW_OK) {
    cw_value_release(&params);
    return status;
  }
  return put(out, "params", params);
}

static bool is_asked_for(const cwi_script_native *call, const cwi_script_proto *proto) {
  if (call->argc > 0 && !cw_value_equal(call->args[0], proto->name)) return false;
  return call->argc < 2 || cw_value_as_int(call->args[1]) == proto->param_len;
}

static cwi_script_result fn_metadata_list(cwi_script_native *call) {
  const cwi_script_program *program = call->run->program;
  cw_status status = cw_value_array(0, &call->result, NULL);
  for (uint32_t i = 0; i < program->proto_len && status == CW_OK; i++) {
    const cwi_script_proto *proto = program->protos[i];
    if (proto == program->main || !is_asked_for(call, proto)) continue;
    cw_value map;
    status = describe(proto, &map);
    if (status == CW_OK) {
      status = cw_value_array_push(&call->result, map, NULL);
    } else {
      cw_value_release(&map);
    }
  }
  return cwi_script_check(call, status);
}

static const cwi_script_row ROWS[] = {
    {"get_fn_metadata_list", 0, {0}, fn_metadata_list, 0, 0},
    {"get_fn_metadata_list", 1, {T_STRING}, fn_metadata_list, 0, 0},
    {"get_fn_metadata_list", 2, {T_STRING, T_INT}, fn_metadata_list, 0, 0},
};

const cwi_script_rows cwi_script_rows_meta = {ROWS, CWI_ARRAY_LEN(ROWS)};
