/* SPDX-License-Identifier: MIT */
/* Every native of the library by itself: called with a sample of each type it takes, with odd
 * numbers, and while memory runs out. Callbacks are answered here, so that the machines of the
 * functions that wait are driven without a VM. What the natives compute is the conformance
 * suite's. */
#include "script/script_run.h"
#include "support/test.h"

#define STEPS_MAX 1000

static cw_status sample_array(cw_value *out) {
  cw_status status = cw_value_array(0, out, NULL);
  for (int64_t i = 3; i > 0 && status == CW_OK; i--) {
    status = cw_value_array_push(out, cw_value_int(i * i % 4), NULL);
  }
  return status;
}

static cw_status sample_map(cw_value *out) {
  cw_status status = cw_value_object(out, NULL);
  if (status == CW_OK) status = cw_value_object_set(out, "a", 1, cw_value_int(1), NULL);
  if (status == CW_OK) status = cw_value_object_set(out, "b", 1, cw_value_null(), NULL);
  return status;
}

static cw_status sample_fn(cw_value *out) {
  cw_status status = cwi_value_box(&cwi_script_fn_ops.core, out, NULL);
  if (status != CW_OK) return status;
  return cw_value_string("abs", 3, &cwi_script_fn_ptr(*out)->name, NULL);
}

/* A value of a type; `number` for every integer. */
static cw_status sample(uint8_t type, int64_t number, cw_value *out) {
  *out = cw_value_null();
  switch (type) {
    case CWI_SCRIPT_BOOL: *out = cw_value_bool(true); return CW_OK;
    case CWI_SCRIPT_ANY:
    case CWI_SCRIPT_INT: *out = cw_value_int(number); return CW_OK;
    case CWI_SCRIPT_FLOAT: *out = cw_value_float((double)number + 0.5); return CW_OK;
    case CWI_SCRIPT_CHAR: *out = cw_value_char(0xE9); return CW_OK;
    case CWI_SCRIPT_STRING: return cw_value_string(" a b\xC3\xA9 c ", 9, out, NULL);
    case CWI_SCRIPT_BLOB: return cw_value_bytes("hello", 5, out, NULL);
    case CWI_SCRIPT_ARRAY: return sample_array(out);
    case CWI_SCRIPT_MAP: return sample_map(out);
    case CWI_SCRIPT_FN: return sample_fn(out);
    case CWI_SCRIPT_RANGE:
      return cwi_script_range_new(number, number < 100 ? number + 2 : number, false, out);
    case CWI_SCRIPT_RANGE_INCLUSIVE:
      return cwi_script_range_new(number, number < 100 ? number + 2 : number, true, out);
    case CWI_SCRIPT_TIMESTAMP: return cwi_script_timestamp_new(number, out);
    default: return CW_OK;
  }
}

static void release_call(cwi_script_native *call) {
  for (uint32_t i = 0; i < call->argc; i++) cw_value_release(&call->args[i]);
  for (size_t i = 0; i < CWI_ARRAY_LEN(call->locals); i++) cw_value_release(&call->locals[i]);
  for (size_t i = 0; i < CWI_ARRAY_LEN(call->callback.args); i++) {
    cw_value_release(&call->callback.args[i]);
  }
  cw_value_release(&call->callback.this_value);
  cw_value_release(&call->callback.result);
  cw_value_release(&call->result);
}

/* Answers a callback with its first argument, or true. */
static void answer(cwi_script_native *call, int64_t number) {
  cw_value_release(&call->callback.result);
  call->callback.result = number % 2 == 0 ? cw_value_bool(true) : cw_value_int(number);
  for (size_t i = 0; i < CWI_ARRAY_LEN(call->callback.args); i++) {
    cw_value_release(&call->callback.args[i]);
  }
  call->callback.argc = 0;
}

/* Calls one row; errors of the language count as success, only memory does not. */
static cw_status call_row(const cwi_script_row *row, int64_t number) {
  cwi_script_run *run = calloc(1, sizeof(*run));
  cw_value args[CWI_SCRIPT_PARAMS_MAX] = {0};
  cwi_script_native call = {
      .run = run, .args = args, .argc = row->argc, .data = row->data, .result = cw_value_null()};
  cw_status status = CW_OK;
  for (uint32_t i = 0; i < row->argc && status == CW_OK; i++) {
    status = sample(row->params[i], number, &args[i]);
  }
  if (status == CW_OK) {
    cwi_script_result result = row->fn(&call);
    for (int step = 0; result == CWI_SCRIPT_CALLBACK && step < STEPS_MAX; step++) {
      answer(&call, number);
      result = row->fn(&call);
    }
    CHECK(result != CWI_SCRIPT_CALLBACK);
    if (result == CWI_SCRIPT_ERROR) CHECK(run->error.kind != CWI_SCRIPT_E_NONE);
    if (run->error.kind == CWI_SCRIPT_E_NOMEM) status = CW_E_NOMEM;
  }
  release_call(&call);
  cwi_script_error_deinit(&run->error);
  free(run);
  return status;
}

/* Those that need an engine around them: the clock, the parser, who calls back. */
static bool needs_engine(const cwi_script_row *row) {
  return strcmp(row->name, "timestamp") == 0 || strstr(row->name, "elapsed") != NULL ||
         strcmp(row->name, "parse_json") == 0 ||
         strcmp(row->name, "get_fn_metadata_list") == 0 ||
         (row->flags & CWI_SCRIPT_RESUMABLE) != 0;
}

/* Those that would fill the memory when asked to. */
static bool grows_by_number(const cwi_script_row *row) {
  return strcmp(row->name, "pad") == 0 || strcmp(row->name, "blob") == 0;
}

static void each_row(void (*visit)(const cwi_script_row *row)) {
  size_t units = 0;
  const cwi_script_rows *tables = cwi_script_std(&units);
  for (size_t i = 0; i < units; i++) {
    for (size_t j = 0; j < tables[i].len; j++) {
      if (!needs_engine(&tables[i].rows[j])) visit(&tables[i].rows[j]);
    }
  }
}

static void call_with_odd_numbers(const cwi_script_row *row) {
  static const int64_t numbers[] = {
      0, 1, -1, 2, 3, -3, 7, 63, 64, 65, INT64_MAX, INT64_MIN, INT64_MAX - 1, -1000000};
  for (size_t i = 0; i < CWI_ARRAY_LEN(numbers); i++) {
    if (grows_by_number(row) && numbers[i] > 100) continue;
    if (call_row(row, numbers[i]) != CW_OK) {
      fail_msg("%s with %lld", row->name, (long long)numbers[i]);
    }
  }
}

static void sweep_row(const cwi_script_row *row) {
  CHECK_SURVIVES_OOM(call_row(row, 2), (void)0);
  CHECK_SURVIVES_OOM(call_row(row, -1), (void)0);
}

TEST(script_lib, natives_take_any_number) { each_row(call_with_odd_numbers); }

TEST(script_lib, natives_survive_no_memory) { each_row(sweep_row); }
