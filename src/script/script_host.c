/* SPDX-License-Identifier: MIT */
/* Host functions: called like any other, and where one answers with a future, the run is suspended
 * until it settles. The native stays on the run's stack as a frame at its second step; nothing else is
 * held. */
#include <string.h>

#include "causeway/future.h"
#include "causeway/script.h"
#include "core/assert.h"
#include "script/script_engine.h"
#include "script/script_run.h"

/* Suspends the run until `future`, which is taken, has settled. */
static cwi_script_result wait_for(cwi_script_native *call, cw_future *future) {
  cwi_script_run *run = call->run;
  CWI_ASSERT(run->pending == NULL);
  uint64_t limit = run->engine->async_timeout_ms;
  run->pending = limit == 0 ? future : cw_timeout(future, limit);
  call->step = 1;
  return CWI_SCRIPT_SUSPEND;
}

/* The second step: what the future gave. */
static cwi_script_result answer(cwi_script_native *call) {
  cwi_script_run *run = call->run;
  cw_value value = run->answer;
  run->answer = cwi_value_none();
  if (run->answer_status == CW_OK) {
    call->result = value.kind == CW_VALUE_NONE ? cwi_value_null() : value;
    return CWI_SCRIPT_OK;
  }
  cwi_value_drop(value);
  if (run->answer_status == CW_E_NOMEM) return cwi_script_raise_nomem(run);
  cwi_script_result result = cwi_script_raise(
      run, CWI_SCRIPT_E_ASYNC, "%s",
      run->answer_text == NULL ? cw_status_text(run->answer_status) : run->answer_text);
  run->error.status = run->answer_status;
  return result;
}

cwi_script_result cwi_host_call(cwi_script_native *call) {
  if (call->step == 1) return answer(call);
  const cwi_engine_host *host = cwi_engine_host_of(call->run->engine, call->data);
  cw_script_fn fn = NULL;
  memcpy(&fn, &host->fn, sizeof(fn));
  cw_value result = cwi_value_null();
  cw_future *future = fn(call->args, call->argc, &result, host->context);
  if (future != NULL) {
    cwi_value_drop(result);
    return wait_for(call, future);
  }
  call->result = result.kind == CW_VALUE_NONE ? cwi_value_null() : result;
  return CWI_SCRIPT_OK;
}

/* sleep(seconds): whole or with a fraction; not at all where it is not positive. */
static cwi_script_result host_sleep(cwi_script_native *call) {
  if (call->step == 1) return answer(call);
  double seconds = cw_value_as_float(call->args[0]);
  if (!(seconds > 0)) return CWI_SCRIPT_OK;
  double ms = seconds * 1000;
  cwi_script_run *run = call->run;
  run->pending = cw_sleep(ms > 1e15 ? (uint64_t)1e15 : (uint64_t)ms);
  call->step = 1;
  return CWI_SCRIPT_SUSPEND;
}

cw_status cwi_host_defaults(cwi_script_engine *engine, cw_error *err) {
  static const cwi_script_type types[] = {CWI_SCRIPT_INT, CWI_SCRIPT_FLOAT};
  for (size_t i = 0; i < CWI_ARRAY_LEN(types); i++) {
    cw_status status = cwi_engine_register(engine, "sleep", 1, host_sleep, NULL, NULL, err);
    if (status != CW_OK) return status;
    engine->hosts[engine->host_len - 1]->row.params[0] = (uint8_t)types[i];
  }
  return CW_OK;
}
