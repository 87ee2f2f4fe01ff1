/* SPDX-License-Identifier: MIT */
/* Arithmetic, bit and logic operators as functions.
 *
 * The VM does these itself on the types that it knows; the rows here serve calls by name (Fn("+"),
 * reduce("+")) and whatever it leaves to the table. Integer arithmetic is checked: each overflow is
 * an ErrorArithmetic that names the operation. Shifts never fail: 64 places and more empty the
 * number, a negative count shifts the other way. */
#include <math.h>

#include "script/script_lib_internal.h"

enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, MODULO, POWER, AND, OR, XOR, SHIFT_LEFT, SHIFT_RIGHT };

static cwi_script_result overflow(cwi_script_native *call, const char *what, const char *sign) {
  return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "%s: %lld %s %lld", what,
                          (long long)cw_value_as_int(call->args[0]), sign,
                          (long long)cw_value_as_int(call->args[1]));
}

/* a to the b-th, b not negative; false where it does not fit. */
static bool power_fits(int64_t a, int64_t b, int64_t *out) {
  int64_t result = 1;
  while (b > 0) {
    if ((b & 1) != 0 && CWI_MUL_OVERFLOWS(result, a, &result)) return false;
    b >>= 1;
    if (b > 0 && CWI_MUL_OVERFLOWS(a, a, &a)) return false;
  }
  *out = result;
  return true;
}

static cwi_script_result int_power(cwi_script_native *call, int64_t a, int64_t b) {
  int64_t result = 0;
  if (b < 0) return overflow(call, "Integer raised to a negative power", "**");
  if (!power_fits(a, b, &result)) return overflow(call, "Exponential overflow", "**");
  return cwi_script_return_int(call, result);
}

static cwi_script_result int_divide(cwi_script_native *call, int64_t a, int64_t b) {
  bool fits = b != 0 && !(a == INT64_MIN && b == -1);
  if (call->data == MODULO) {
    if (!fits) return overflow(call, "Modulo division by zero or overflow", "%");
    return cwi_script_return_int(call, a % b);
  }
  if (b == 0) return overflow(call, "Division by zero", "/");
  if (!fits) return overflow(call, "Division overflow", "/");
  return cwi_script_return_int(call, a / b);
}

static int64_t shift(int64_t a, int64_t places, bool left) {
  if (places < 0) {
    left = !left;
    places = places == INT64_MIN ? INT64_MAX : -places;
  }
  if (left) return places >= 64 ? 0 : (int64_t)((uint64_t)a << places);
  if (places >= 64) return a < 0 ? -1 : 0;
  return a >> places;
}

static cwi_script_result int_op(cwi_script_native *call) {
  int64_t a = cw_value_as_int(call->args[0]);
  int64_t b = cw_value_as_int(call->args[1]);
  int64_t result = 0;
  switch (call->data) {
    case ADD:
      if (CWI_ADD_OVERFLOWS(a, b, &result)) return overflow(call, "Addition overflow", "+");
      break;
    case SUBTRACT:
      if (CWI_SUB_OVERFLOWS(a, b, &result)) return overflow(call, "Subtraction overflow", "-");
      break;
    case MULTIPLY:
      if (CWI_MUL_OVERFLOWS(a, b, &result)) return overflow(call, "Multiplication overflow", "*");
      break;
    case DIVIDE:
    case MODULO: return int_divide(call, a, b);
    case POWER: return int_power(call, a, b);
    case AND: result = a & b; break;
    case OR: result = a | b; break;
    case XOR: result = a ^ b; break;
    case SHIFT_LEFT: result = shift(a, b, true); break;
    default: result = shift(a, b, false); break;
  }
  return cwi_script_return_int(call, result);
}

static cwi_script_result float_op(cwi_script_native *call) {
  double a = cw_value_as_float(call->args[0]);
  double b = cw_value_as_float(call->args[1]);
  switch (call->data) {
    case ADD: return cwi_script_return_float(call, a + b);
    case SUBTRACT: return cwi_script_return_float(call, a - b);
    case MULTIPLY: return cwi_script_return_float(call, a * b);
    case DIVIDE: return cwi_script_return_float(call, a / b);
    case MODULO: return cwi_script_return_float(call, fmod(a, b));
    default: return cwi_script_return_float(call, pow(a, b));
  }
}

static cwi_script_result bool_op(cwi_script_native *call) {
  bool a = cw_value_as_bool(call->args[0]);
  bool b = cw_value_as_bool(call->args[1]);
  if (call->data == AND) return cwi_script_return_bool(call, a && b);
  if (call->data == OR) return cwi_script_return_bool(call, a || b);
  return cwi_script_return_bool(call, a != b);
}

/* The assigning form: computes as the plain one does, then stores. */
static cwi_script_result store(cwi_script_native *call, cwi_script_result result) {
  if (result != CWI_SCRIPT_OK) return result;
  call->result.aux = call->args[0].aux;
  call->args[0] = cwi_script_take(&call->result);
  return CWI_SCRIPT_OK;
}

static cwi_script_result int_assign(cwi_script_native *call) { return store(call, int_op(call)); }
static cwi_script_result float_assign(cwi_script_native *call) {
  return store(call, float_op(call));
}
static cwi_script_result bool_assign(cwi_script_native *call) { return store(call, bool_op(call)); }

/* ---- one operand ---- */

static cwi_script_result int_negate(cwi_script_native *call) {
  int64_t a = cw_value_as_int(call->args[0]);
  if (a == INT64_MIN) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Negation overflow: -%lld",
                            (long long)a);
  }
  return cwi_script_return_int(call, -a);
}

static cwi_script_result float_negate(cwi_script_native *call) {
  return cwi_script_return_float(call, -cw_value_as_float(call->args[0]));
}

static cwi_script_result keep(cwi_script_native *call) {
  return cwi_script_return(call, cwi_script_take(&call->args[0]));
}

static cwi_script_result bool_not(cwi_script_native *call) {
  return cwi_script_return_bool(call, !cw_value_as_bool(call->args[0]));
}

#define INT_ROWS(text, op) \
  {text, 2, {T_INT, T_INT}, int_op, 0, op}, { text "=", 2, {T_INT, T_INT}, int_assign, MUT, op }
#define FLOAT_ROWS(text, op)                                                                    \
  {text, 2, {T_FLOAT, T_FLOAT}, float_op, 0, op}, {text, 2, {T_FLOAT, T_INT}, float_op, 0, op}, \
      {text, 2, {T_INT, T_FLOAT}, float_op, 0, op},                                             \
      {text "=", 2, {T_FLOAT, T_FLOAT}, float_assign, MUT, op}, {                               \
    text "=", 2, {T_FLOAT, T_INT}, float_assign, MUT, op                                        \
  }
#define BOOL_ROWS(text, op)                             \
  {text, 2, {T_BOOL, T_BOOL}, bool_op, 0, op}, {        \
    text "=", 2, {T_BOOL, T_BOOL}, bool_assign, MUT, op \
  }

static const cwi_script_row ROWS[] = {
    INT_ROWS("+", ADD),
    INT_ROWS("-", SUBTRACT),
    INT_ROWS("*", MULTIPLY),
    INT_ROWS("/", DIVIDE),
    INT_ROWS("%", MODULO),
    INT_ROWS("**", POWER),
    INT_ROWS("&", AND),
    INT_ROWS("|", OR),
    INT_ROWS("^", XOR),
    INT_ROWS("<<", SHIFT_LEFT),
    INT_ROWS(">>", SHIFT_RIGHT),
    FLOAT_ROWS("+", ADD),
    FLOAT_ROWS("-", SUBTRACT),
    FLOAT_ROWS("*", MULTIPLY),
    FLOAT_ROWS("/", DIVIDE),
    FLOAT_ROWS("%", MODULO),
    FLOAT_ROWS("**", POWER),
    BOOL_ROWS("&", AND),
    BOOL_ROWS("|", OR),
    BOOL_ROWS("^", XOR),
    {"-", 1, {T_INT}, int_negate, 0, 0},
    {"-", 1, {T_FLOAT}, float_negate, 0, 0},
    {"+", 1, {T_INT}, keep, 0, 0},
    {"+", 1, {T_FLOAT}, keep, 0, 0},
    {"!", 1, {T_BOOL}, bool_not, 0, 0},
};

const cwi_script_rows cwi_script_rows_arith = {ROWS, CWI_ARRAY_LEN(ROWS)};
