/* SPDX-License-Identifier: MIT */
/* The list of the standard library, and what its units share: spans of items counted from either
 * end, results made of text, function pointers made of names.
 *
 * The reference clamps instead of failing: a start or a length that does not fit gives what is
 * there. Only indexing with [] raises errors, which is the VM's. */
#include <pthread.h>

#include "script/script_lib_internal.h"

static const cwi_script_rows *const UNITS[] = {
    &cwi_script_rows_op,   &cwi_script_rows_arith,   &cwi_script_rows_string,
    &cwi_script_rows_cut,  &cwi_script_rows_array,   &cwi_script_rows_each,
    &cwi_script_rows_sort, &cwi_script_rows_blob,    &cwi_script_rows_map,
    &cwi_script_rows_math, &cwi_script_rows_bits,    &cwi_script_rows_range,
    &cwi_script_rows_time, &cwi_script_rows_convert, &cwi_script_rows_meta,
};

static cwi_script_rows tables[CWI_ARRAY_LEN(UNITS)];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void gather_tables(void) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(UNITS); i++) tables[i] = *UNITS[i];
}

const cwi_script_rows *cwi_script_std(size_t *len) {
  CWI_ASSERT(len != NULL);
  pthread_once(&tables_once, gather_tables);
  *len = CWI_ARRAY_LEN(UNITS);
  return tables;
}

cwi_script_span cwi_script_span_of(size_t size, int64_t start, int64_t len) {
  cwi_script_span span = {0, 0};
  if (start < 0) {
    uint64_t back = 0 - (uint64_t)start;
    span.start = back > size ? 0 : size - (size_t)back;
  } else if ((uint64_t)start >= size) {
    span.start = size;
    return span;
  } else {
    span.start = (size_t)start;
  }
  size_t rest = size - span.start;
  if (len > 0) span.len = (uint64_t)len > rest ? rest : (size_t)len;
  CWI_ASSERT(span.start + span.len <= size);
  return span;
}

cwi_script_span cwi_script_span_args(size_t size, const cw_value *args, uint32_t argc) {
  CWI_ASSERT(argc >= 1);
  cwi_script_type type = cwi_script_type_of(args[0]);
  if (type != CWI_SCRIPT_RANGE && type != CWI_SCRIPT_RANGE_INCLUSIVE) {
    int64_t len = argc > 1 ? cw_value_as_int(args[1]) : INT64_MAX;
    return cwi_script_span_of(size, cw_value_as_int(args[0]), len);
  }
  const cwi_script_range *range = cwi_script_range_ptr(args[0]);
  int64_t start = range->start > 0 ? range->start : 0;
  int64_t end = range->end > start ? range->end : start;
  int64_t len = end - start;
  if (range->inclusive && range->end >= start && len < INT64_MAX) len++;
  return cwi_script_span_of(size, start, len);
}

bool cwi_script_index_of(size_t size, int64_t index, size_t *out) {
  *out = 0;
  if (index < 0) {
    uint64_t back = 0 - (uint64_t)index;
    if (back > size) return false;
    *out = size - (size_t)back;
    return true;
  }
  if ((uint64_t)index >= size) return false;
  *out = (size_t)index;
  return true;
}

cwi_script_result cwi_script_return_text(cwi_script_native *call, const char *text, size_t size) {
  return cwi_script_check(call, cwi_value_string_trusted(text, size, &call->result, NULL));
}

cwi_script_result cwi_script_return_buf(cwi_script_native *call, cwi_buf *buf, bool ok) {
  cw_value text = cwi_value_none();
  cw_status status = CW_E_NOMEM;
  if (ok && !buf->failed) status = cwi_value_string_from_buf(buf, &text, NULL);
  cwi_buf_deinit(buf);
  if (status != CW_OK) return cwi_script_raise_nomem(call->run);
  return cwi_script_return(call, text);
}

cwi_script_result cwi_script_replace_text(cwi_script_native *call, cwi_buf *buf, bool ok) {
  cw_value text = cwi_value_none();
  cw_status status = CW_E_NOMEM;
  if (ok && !buf->failed) status = cwi_value_string_from_buf(buf, &text, NULL);
  cwi_buf_deinit(buf);
  if (status != CW_OK) return cwi_script_raise_nomem(call->run);
  text.aux = call->args[0].aux; /* the tag stays */
  cw_value_release(&call->args[0]);
  call->args[0] = text;
  return CWI_SCRIPT_OK;
}

cw_status cwi_script_fn_named(cw_value name, cw_value *out) {
  CWI_ASSERT(name.kind == CW_VALUE_STRING);
  cw_status status = cwi_value_box(&cwi_script_fn_ops.core, out, NULL);
  if (status != CW_OK) return status;
  cwi_script_fn *fn = cwi_script_fn_ptr(*out);
  fn->name = cw_value_retain(name);
  fn->name.aux = 0;
  return CW_OK;
}

cwi_script_result cwi_script_fn_arg(cwi_script_native *call, uint32_t index) {
  CWI_ASSERT(index < call->argc);
  cw_value *arg = &call->args[index];
  if (arg->kind != CW_VALUE_STRING) return CWI_SCRIPT_OK;
  cw_value fn;
  cw_status status = cwi_script_fn_named(*arg, &fn);
  if (status != CW_OK) return cwi_script_raise_nomem(call->run);
  cw_value_release(arg);
  *arg = fn;
  return CWI_SCRIPT_OK;
}
