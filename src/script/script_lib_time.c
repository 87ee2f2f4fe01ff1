/* SPDX-License-Identifier: MIT */
/* Timestamps: points of the monotonic clock, moved by seconds. Comparisons stand in
 * script_lib_op.c. */
#include <math.h>

#include "script/script_lib_internal.h"

#define NANOS_IN_SECOND 1000000000LL

static cwi_script_result timestamp_now(cwi_script_native *call) {
  return cwi_script_check(call, cwi_script_timestamp_new(cwi_script_now(call->run), &call->result));
}

static double seconds_between(int64_t from, int64_t to) {
  return (double)(to - from) / (double)NANOS_IN_SECOND;
}

static cwi_script_result timestamp_elapsed(cwi_script_native *call) {
  int64_t then = cwi_script_timestamp_ptr(call->args[0])->nanos;
  int64_t now = cwi_script_now(call->run);
  if (then > now) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Time-stamp is later than now");
  }
  return cwi_script_return_float(call, seconds_between(then, now));
}

static cwi_script_result timestamp_difference(cwi_script_native *call) {
  int64_t a = cwi_script_timestamp_ptr(call->args[0])->nanos;
  int64_t b = cwi_script_timestamp_ptr(call->args[1])->nanos;
  return cwi_script_return_float(call, seconds_between(b, a));
}

/* Seconds in args[1] as nanoseconds with their sign; false past the range of 64 bits. */
static bool nanos_of(cw_value seconds, bool back, int64_t *out) {
  if (seconds.kind == CW_VALUE_INT) {
    if (CWI_MUL_OVERFLOWS(cwi_value_as_int(seconds), NANOS_IN_SECOND, out)) return false;
  } else {
    double nanos = cwi_value_as_float(seconds) * (double)NANOS_IN_SECOND;
    if (!(fabs(nanos) < 9e18)) return false;
    *out = (int64_t)nanos;
  }
  if (back) *out = -*out;
  return true;
}

/* data: 1 back in time, 2 in place. */
enum { BACK = 1, IN_PLACE = 2 };

static cwi_script_result timestamp_move(cwi_script_native *call) {
  bool back = (call->data & BACK) != 0;
  int64_t nanos = 0;
  int64_t then = cwi_script_timestamp_ptr(call->args[0])->nanos;
  if (!nanos_of(call->args[1], back, &nanos) || CWI_ADD_OVERFLOWS(then, nanos, &then)) {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cwi_script_display(&text, call->args[1]);
    const char *seconds = cwi_buf_cstr(&text);
    cwi_script_result result = cwi_script_raise(
        call->run, CWI_SCRIPT_E_ARITHMETIC, "Integer overflow for timestamp %s: %s",
        back ? "subtract" : "add", seconds != NULL ? seconds : "");
    cwi_buf_deinit(&text);
    return result;
  }
  cw_value moved;
  cw_status status = cwi_script_timestamp_new(then, &moved);
  if (status != CW_OK) return cwi_script_check(call, status);
  if ((call->data & IN_PLACE) == 0) return cwi_script_return(call, moved);
  moved.aux = call->args[0].aux;
  cw_value_release(&call->args[0]);
  call->args[0] = moved;
  return CWI_SCRIPT_OK;
}

static const cwi_script_row ROWS[] = {
    {"timestamp", 0, {0}, timestamp_now, 0, 0},
    {"elapsed", 1, {T_TIMESTAMP}, timestamp_elapsed, 0, 0},
    {"get$elapsed", 1, {T_TIMESTAMP}, timestamp_elapsed, 0, 0},
    {"-", 2, {T_TIMESTAMP, T_TIMESTAMP}, timestamp_difference, 0, 0},
    {"+", 2, {T_TIMESTAMP, T_INT}, timestamp_move, 0, 0},
    {"+", 2, {T_TIMESTAMP, T_FLOAT}, timestamp_move, 0, 0},
    {"-", 2, {T_TIMESTAMP, T_INT}, timestamp_move, 0, BACK},
    {"-", 2, {T_TIMESTAMP, T_FLOAT}, timestamp_move, 0, BACK},
    {"+=", 2, {T_TIMESTAMP, T_INT}, timestamp_move, MUT, IN_PLACE},
    {"+=", 2, {T_TIMESTAMP, T_FLOAT}, timestamp_move, MUT, IN_PLACE},
    {"-=", 2, {T_TIMESTAMP, T_INT}, timestamp_move, MUT, BACK | IN_PLACE},
    {"-=", 2, {T_TIMESTAMP, T_FLOAT}, timestamp_move, MUT, BACK | IN_PLACE},
};

const cwi_script_rows cwi_script_rows_time = {ROWS, CWI_ARRAY_LEN(ROWS)};
