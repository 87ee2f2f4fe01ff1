/* SPDX-License-Identifier: MIT */
/* Mathematics of floats and integers.
 *
 * Functions of one float stand in a table and are found by the row's data. The inverse hyperbolic
 * functions and the change between degrees and radians are computed in the reference's order of
 * operations, so that the last digit agrees. */
#include <math.h>

#include "script/script_lib_internal.h"

#define PI 3.14159265358979323846
#define E 2.71828182845904523536
#define DEGREES_IN_RADIAN 57.2957795130823208767981548141051703

static double inverse_sinh(double x) {
  double size = fabs(x);
  double inverse = 1.0 / size;
  return copysign(log1p(size + size / (hypot(1.0, inverse) + inverse)), x);
}

static double inverse_cosh(double x) {
  if (x < 1.0) return NAN;
  return log(x + sqrt(x - 1.0) * sqrt(x + 1.0));
}

static double inverse_tanh(double x) { return 0.5 * log1p(2.0 * x / (1.0 - x)); }

static double fraction(double x) { return x - trunc(x); }
static double to_degrees(double x) { return x * DEGREES_IN_RADIAN; }
static double to_radians(double x) { return x * (PI / 180.0); }

typedef double (*float_fn)(double);

enum {
  SIN,
  COS,
  TAN,
  ASIN,
  ACOS,
  ATAN,
  SINH,
  COSH,
  TANH,
  ASINH,
  ACOSH,
  ATANH,
  SQRT,
  EXP,
  LN,
  LOG10,
  FLOOR,
  CEILING,
  ROUND,
  TRUNC,
  FRACTION,
  DEGREES,
  RADIANS,
  ABS,
};

static const float_fn FUNCTIONS[] = {
    sin,   cos,          tan,          asin,         acos,     atan,       sinh,       cosh,
    tanh,  inverse_sinh, inverse_cosh, inverse_tanh, sqrt,     exp,        log,        log10,
    floor, ceil,         round,        trunc,        fraction, to_degrees, to_radians, fabs,
};

static cwi_script_result float_function(cwi_script_native *call) {
  CWI_ASSERT(call->data >= 0 && (size_t)call->data < CWI_ARRAY_LEN(FUNCTIONS));
  return cwi_script_return_float(call, FUNCTIONS[call->data](cw_value_as_float(call->args[0])));
}

static cwi_script_result constant(cwi_script_native *call) {
  return cwi_script_return_float(call, call->data == 0 ? PI : E);
}

static cwi_script_result log_to_base(cwi_script_native *call) {
  return cwi_script_return_float(
      call, log(cw_value_as_float(call->args[0])) / log(cw_value_as_float(call->args[1])));
}

static cwi_script_result arc_tangent(cwi_script_native *call) {
  return cwi_script_return_float(
      call, atan2(cw_value_as_float(call->args[0]), cw_value_as_float(call->args[1])));
}

static cwi_script_result hypotenuse(cwi_script_native *call) {
  return cwi_script_return_float(
      call, hypot(cw_value_as_float(call->args[0]), cw_value_as_float(call->args[1])));
}

/* ---- kinds of numbers ---- */

enum { IS_NAN, IS_FINITE, IS_INFINITE, IS_ZERO, IS_EVEN, IS_ODD };

static cwi_script_result float_is(cwi_script_native *call) {
  double x = cw_value_as_float(call->args[0]);
  switch (call->data) {
    case IS_NAN: return cwi_script_return_bool(call, isnan(x));
    case IS_FINITE: return cwi_script_return_bool(call, isfinite(x));
    case IS_INFINITE: return cwi_script_return_bool(call, isinf(x));
    default: return cwi_script_return_bool(call, x == 0);
  }
}

static cwi_script_result int_is(cwi_script_native *call) {
  int64_t x = cw_value_as_int(call->args[0]);
  switch (call->data) {
    case IS_EVEN: return cwi_script_return_bool(call, x % 2 == 0);
    case IS_ODD: return cwi_script_return_bool(call, x % 2 != 0);
    default: return cwi_script_return_bool(call, x == 0);
  }
}

static cwi_script_result float_sign(cwi_script_native *call) {
  double x = cw_value_as_float(call->args[0]);
  if (isnan(x)) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Sign of NaN is undefined");
  }
  return cwi_script_return_int(call, x > 0 ? 1 : x < 0 ? -1 : 0);
}

static cwi_script_result int_sign(cwi_script_native *call) {
  int64_t x = cw_value_as_int(call->args[0]);
  return cwi_script_return_int(call, x > 0 ? 1 : x < 0 ? -1 : 0);
}

static cwi_script_result int_abs(cwi_script_native *call) {
  int64_t x = cw_value_as_int(call->args[0]);
  if (x == INT64_MIN) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Negation overflow: -%lld",
                            (long long)x);
  }
  return cwi_script_return_int(call, x < 0 ? -x : x);
}

/* ---- the larger and the smaller: data 1 and -1 ---- */

static cwi_script_result int_larger(cwi_script_native *call) {
  int64_t a = cw_value_as_int(call->args[0]);
  int64_t b = cw_value_as_int(call->args[1]);
  bool first = call->data > 0 ? a >= b : a <= b;
  return cwi_script_return_int(call, first ? a : b);
}

static cwi_script_result float_larger(cwi_script_native *call) {
  double a = cw_value_as_float(call->args[0]);
  double b = cw_value_as_float(call->args[1]);
  return cwi_script_return_float(call, call->data > 0 ? fmax(a, b) : fmin(a, b));
}

/* ---- to numbers ---- */

static cwi_script_result float_to_int(cwi_script_native *call) {
  double x = cw_value_as_float(call->args[0]);
  /* The bounds are those of the reference: 2^63 itself passes and is cut to the largest number. */
  if (x > 0x1p63 || x < -0x1p63) {
    cwi_buf digits;
    cwi_buf_init(&digits, 0);
    cwi_script_plain_float(&digits, x);
    const char *text = cwi_buf_cstr(&digits);
    cwi_script_result result = text == NULL
                                   ? cwi_script_raise_nomem(call->run)
                                   : cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC,
                                                      "Integer overflow: to_int(%s)", text);
    cwi_buf_deinit(&digits);
    return result;
  }
  if (isnan(x)) return cwi_script_return_int(call, 0);
  return cwi_script_return_int(call, x >= 0x1p63 ? INT64_MAX : (int64_t)x);
}

static cwi_script_result number_same(cwi_script_native *call) {
  call->result = cwi_script_take(&call->args[0]);
  call->result.aux = 0;
  return CWI_SCRIPT_OK;
}

static cwi_script_result int_to_float(cwi_script_native *call) {
  return cwi_script_return_float(call, (double)cw_value_as_int(call->args[0]));
}

static cwi_script_result char_to_int(cwi_script_native *call) {
  return cwi_script_return_int(call, cw_value_as_char(call->args[0]));
}

#define FLOAT_ROW(name, fn) \
  { name, 1, {T_FLOAT}, float_function, 0, fn }
#define FLOAT_ROWS(name, fn) FLOAT_ROW(name, fn), FLOAT_ROW("get$" name, fn)
#define IS_ROWS(name, type, fn, what) \
  {name, 1, {type}, fn, 0, what}, { "get$" name, 1, {type}, fn, 0, what }
#define LARGER_ROWS(name, data)                             \
  {name, 2, {T_INT, T_INT}, int_larger, 0, data},           \
      {name, 2, {T_FLOAT, T_FLOAT}, float_larger, 0, data}, \
      {name, 2, {T_INT, T_FLOAT}, float_larger, 0, data}, { \
    name, 2, {T_FLOAT, T_INT}, float_larger, 0, data        \
  }

static const cwi_script_row ROWS[] = {
    {"PI", 0, {0}, constant, 0, 0},
    {"E", 0, {0}, constant, 0, 1},
    FLOAT_ROW("sin", SIN),
    FLOAT_ROW("cos", COS),
    FLOAT_ROW("tan", TAN),
    FLOAT_ROW("asin", ASIN),
    FLOAT_ROW("acos", ACOS),
    FLOAT_ROW("atan", ATAN),
    FLOAT_ROW("sinh", SINH),
    FLOAT_ROW("cosh", COSH),
    FLOAT_ROW("tanh", TANH),
    FLOAT_ROW("asinh", ASINH),
    FLOAT_ROW("acosh", ACOSH),
    FLOAT_ROW("atanh", ATANH),
    FLOAT_ROW("sqrt", SQRT),
    FLOAT_ROW("exp", EXP),
    FLOAT_ROW("ln", LN),
    FLOAT_ROW("log", LOG10),
    FLOAT_ROWS("floor", FLOOR),
    FLOAT_ROWS("ceiling", CEILING),
    FLOAT_ROWS("round", ROUND),
    FLOAT_ROWS("int", TRUNC),
    FLOAT_ROWS("fraction", FRACTION),
    FLOAT_ROW("to_degrees", DEGREES),
    FLOAT_ROW("to_radians", RADIANS),
    FLOAT_ROW("abs", ABS),
    {"abs", 1, {T_INT}, int_abs, 0, 0},
    {"log", 2, {T_FLOAT, T_FLOAT}, log_to_base, 0, 0},
    {"atan", 2, {T_FLOAT, T_FLOAT}, arc_tangent, 0, 0},
    {"hypot", 2, {T_FLOAT, T_FLOAT}, hypotenuse, 0, 0},
    IS_ROWS("is_nan", T_FLOAT, float_is, IS_NAN),
    IS_ROWS("is_finite", T_FLOAT, float_is, IS_FINITE),
    IS_ROWS("is_infinite", T_FLOAT, float_is, IS_INFINITE),
    IS_ROWS("is_zero", T_FLOAT, float_is, IS_ZERO),
    IS_ROWS("is_zero", T_INT, int_is, IS_ZERO),
    IS_ROWS("is_even", T_INT, int_is, IS_EVEN),
    IS_ROWS("is_odd", T_INT, int_is, IS_ODD),
    {"sign", 1, {T_FLOAT}, float_sign, 0, 0},
    {"sign", 1, {T_INT}, int_sign, 0, 0},
    LARGER_ROWS("max", 1),
    LARGER_ROWS("min", -1),
    {"to_int", 1, {T_FLOAT}, float_to_int, 0, 0},
    {"to_int", 1, {T_INT}, number_same, 0, 0},
    {"to_int", 1, {T_CHAR}, char_to_int, 0, 0},
    {"to_float", 1, {T_INT}, int_to_float, 0, 0},
    {"to_float", 1, {T_FLOAT}, number_same, 0, 0},
};

const cwi_script_rows cwi_script_rows_math = {ROWS, CWI_ARRAY_LEN(ROWS)};
