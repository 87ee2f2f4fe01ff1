/* SPDX-License-Identifier: MIT */
/* Arithmetic over all kinds of values, with the error texts of the language.
 *
 * Two ints give an int (checked), an int and a float a float, a decimal with any number a decimal.
 * Division never fails: what has no quotient is NaN. */
#include <math.h>

#include "core/error.h"
#include "db/db_value_internal.h"

#define NANOS_A_SECOND 1000000000

/* Raises CW_E_QUERY: `head`, the text of a, `middle`, the text of b, `tail`. */
static cw_status fail_with(cw_error *err, const char *head, cw_value a, const char *middle,
                           cw_value b, const char *tail) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_buf_append_str(&text, head);
  (void)cwi_db_text_bare(&text, a);
  (void)cwi_buf_append_str(&text, middle);
  (void)cwi_db_text_bare(&text, b);
  (void)cwi_buf_append_str(&text, tail);
  const char *message = cwi_buf_cstr(&text);
  cw_status status = message == NULL || text.failed ? CWI_RAISE_NOMEM(err, "an error text")
                                                    : CWI_RAISE(err, CW_E_QUERY, 0, "%s", message);
  cwi_buf_deinit(&text);
  return status;
}

static cw_status fail_op(cwi_db_op op, cw_value a, cw_value b, cw_error *err) {
  static const char *const heads[] = {
      "Cannot perform addition with '",       "Cannot perform subtraction with '",
      "Cannot perform multiplication with '", "Cannot perform division with '",
      "Cannot perform remainder with '",      "Cannot raise the value '"};
  return fail_with(err, heads[op], a, op == CWI_DB_POW ? "' with '" : "' and '", b, "'");
}

static cw_status fail_compute(cw_value a, const char *sign, cw_value b, const char *why,
                              cw_error *err) {
  return fail_with(err, "Failed to compute: \"", a, sign, b, why);
}

#define OVERFLOW_TEXT "\", as the operation results in an arithmetic overflow."
#define NEGATIVE_TEXT "\", as the operation results in a negative value."

/* ---- numbers ---- */

static bool pow_ints(int64_t base, int64_t exponent, int64_t *out) {
  if (exponent < 0 || exponent > UINT32_MAX) return false;
  int64_t result = 1;
  for (int64_t n = exponent; n > 0; n >>= 1) {
    if ((n & 1) != 0 && CWI_MUL_OVERFLOWS(result, base, &result)) return false;
    if (n > 1 && CWI_MUL_OVERFLOWS(base, base, &base)) return false;
  }
  *out = result;
  return true;
}

/* False where there is no result; division without one gives NaN. */
static bool int_op(cwi_db_op op, int64_t a, int64_t b, cw_value *out) {
  int64_t result = 0;
  switch (op) {
  case CWI_DB_ADD:
    if (CWI_ADD_OVERFLOWS(a, b, &result)) return false;
    break;
  case CWI_DB_SUB:
    if (CWI_SUB_OVERFLOWS(a, b, &result)) return false;
    break;
  case CWI_DB_MUL:
    if (CWI_MUL_OVERFLOWS(a, b, &result)) return false;
    break;
  case CWI_DB_DIV:
    if (b == 0 || (a == INT64_MIN && b == -1)) {
      *out = cwi_value_float(NAN);
      return true;
    }
    result = a / b;
    break;
  case CWI_DB_REM:
    if (b == 0) return false;
    result = b == -1 ? 0 : a % b;
    break;
  case CWI_DB_POW:
    if (!pow_ints(a, b, &result)) return false;
    break;
  }
  *out = cwi_value_int(result);
  return true;
}

static double float_op(cwi_db_op op, double a, double b) {
  switch (op) {
  case CWI_DB_ADD: return a + b;
  case CWI_DB_SUB: return a - b;
  case CWI_DB_MUL: return a * b;
  case CWI_DB_DIV: return a / b;
  case CWI_DB_REM: return fmod(a, b);
  case CWI_DB_POW: return pow(a, b);
  }
  return NAN;
}

static bool to_decimal(cw_value number, cwi_decimal *out) {
  if (number.kind == CW_VALUE_INT) {
    *out = cwi_decimal_from_int(cwi_value_as_int(number));
    return true;
  }
  if (number.kind == CW_VALUE_FLOAT)
    return cwi_decimal_from_double(cwi_value_as_float(number), out);
  *out = cwi_db_decimal(number);
  return true;
}

static bool decimal_op(cwi_db_op op, cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  switch (op) {
  case CWI_DB_ADD: return cwi_decimal_add(a, b, out);
  case CWI_DB_SUB: return cwi_decimal_sub(a, b, out);
  case CWI_DB_MUL: return cwi_decimal_mul(a, b, out);
  case CWI_DB_DIV: return cwi_decimal_div(a, b, out);
  case CWI_DB_REM: return cwi_decimal_rem(a, b, out);
  case CWI_DB_POW: {
    int64_t exponent;
    if (cwi_decimal_is_integer(b) && cwi_decimal_to_int(b, &exponent)) {
      return exponent >= -10000 && exponent <= 10000 && cwi_decimal_pow(a, exponent, out);
    }
    return cwi_decimal_from_double(pow(cwi_decimal_to_double(a), cwi_decimal_to_double(b)), out);
  }
  }
  return false;
}

double cwi_db_number_as_float(cw_value number) {
  if (number.kind == CW_VALUE_INT) return (double)cwi_value_as_int(number);
  if (number.kind == CW_VALUE_FLOAT) return cwi_value_as_float(number);
  return cwi_db_kind_of(number) == CWI_DB_DECIMAL ? cwi_decimal_to_double(cwi_db_decimal(number))
                                                  : NAN;
}

static cw_status number_op(cwi_db_op op, cw_value a, cw_value b, cw_value *out, cw_error *err) {
  if (a.kind == CW_VALUE_INT && b.kind == CW_VALUE_INT) {
    if (int_op(op, cwi_value_as_int(a), cwi_value_as_int(b), out)) return CW_OK;
    return fail_op(op, a, b, err);
  }
  if (a.kind != CW_VALUE_BOX && b.kind != CW_VALUE_BOX) {
    *out = cwi_value_float(float_op(op, cwi_db_number_as_float(a), cwi_db_number_as_float(b)));
    return CW_OK;
  }
  cwi_decimal x;
  cwi_decimal y;
  cwi_decimal result;
  if (to_decimal(a, &x) && to_decimal(b, &y) && decimal_op(op, x, y, &result)) {
    return cwi_db_value_decimal(result, out, err);
  }
  if (op == CWI_DB_DIV) {
    *out = cwi_value_float(NAN);
    return CW_OK;
  }
  return fail_op(op, a, b, err);
}

/* ---- times ---- */

static cw_status durations_op(cwi_db_op op, cw_value a, cw_value b, cw_value *out, cw_error *err) {
  uint64_t x = (uint64_t)cw_value_as_seconds(a);
  uint64_t y = (uint64_t)cw_value_as_seconds(b);
  uint32_t x_nanos = cw_value_as_nanos(a);
  uint32_t y_nanos = cw_value_as_nanos(b);
  if (op == CWI_DB_ADD) {
    uint64_t sum;
    uint32_t nanos = x_nanos + y_nanos;
    uint64_t carry = nanos >= NANOS_A_SECOND ? 1 : 0;
    if (CWI_ADD_OVERFLOWS(x, y, &sum) || CWI_ADD_OVERFLOWS(sum, carry, &sum)) {
      return fail_compute(a, " + ", b, OVERFLOW_TEXT, err);
    }
    *out = cw_value_duration(sum, nanos - (uint32_t)carry * NANOS_A_SECOND);
    return CW_OK;
  }
  if (cwi_db_compare(a, b) < 0) return fail_compute(a, " - ", b, NEGATIVE_TEXT, err);
  uint32_t borrow = x_nanos < y_nanos ? 1 : 0;
  *out = cw_value_duration(x - y - borrow, x_nanos + borrow * NANOS_A_SECOND - y_nanos);
  return CW_OK;
}

#define DATETIME_SECONDS_MIN INT64_C(-8334601228800)
#define DATETIME_SECONDS_MAX INT64_C(8210266876799)

/* A datetime moved by a duration, forward or back. */
static cw_status shift(cw_value datetime, cw_value duration, bool back, cw_value *out,
                       cw_error *err) {
  int64_t seconds = cw_value_as_seconds(datetime);
  uint64_t by = (uint64_t)cw_value_as_seconds(duration);
  int64_t nanos = cw_value_as_nanos(datetime);
  int64_t by_nanos = cw_value_as_nanos(duration);
  if (by <= (uint64_t)(DATETIME_SECONDS_MAX - DATETIME_SECONDS_MIN)) {
    seconds += back ? -(int64_t)by : (int64_t)by;
    nanos += back ? -by_nanos : by_nanos;
    if (nanos < 0) seconds--;
    if (nanos < 0) nanos += NANOS_A_SECOND;
    if (nanos >= NANOS_A_SECOND) seconds++;
    if (nanos >= NANOS_A_SECOND) nanos -= NANOS_A_SECOND;
    if (seconds >= DATETIME_SECONDS_MIN && seconds <= DATETIME_SECONDS_MAX) {
      *out = cw_value_datetime(seconds, (uint32_t)nanos);
      return CW_OK;
    }
  }
  return back ? fail_compute(datetime, " - ", duration, OVERFLOW_TEXT, err)
              : fail_compute(duration, " + ", datetime, OVERFLOW_TEXT, err);
}

static cw_status datetimes_between(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  if (cwi_db_compare(a, b) < 0) return fail_compute(a, " - ", b, NEGATIVE_TEXT, err);
  int64_t seconds = cw_value_as_seconds(a) - cw_value_as_seconds(b);
  int64_t nanos = (int64_t)cw_value_as_nanos(a) - (int64_t)cw_value_as_nanos(b);
  if (nanos < 0) {
    nanos += NANOS_A_SECOND;
    seconds--;
  }
  *out = cw_value_duration((uint64_t)seconds, (uint32_t)nanos);
  return CW_OK;
}

static cw_status duration_times(cw_value duration, int64_t count, cw_value *out, cw_error *err) {
  if (count < 0 || count > UINT32_MAX) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "out of range integral type conversion attempted");
  }
  cwi_u128 nanos = (cwi_u128)(uint64_t)cw_value_as_seconds(duration) * NANOS_A_SECOND +
                   cw_value_as_nanos(duration);
  nanos *= (uint64_t)count;
  if (nanos / NANOS_A_SECOND > UINT64_MAX) {
    return fail_compute(duration, " * ", cwi_value_int(count), OVERFLOW_TEXT, err);
  }
  *out = cw_value_duration((uint64_t)(nanos / NANOS_A_SECOND), (uint32_t)(nanos % NANOS_A_SECOND));
  return CW_OK;
}

/* ---- strings, arrays, objects, sets ---- */

static cw_status join_strings(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cw_bytes tail = cw_value_as_bytes(b);
  cw_value result = cwi_value_retain(a);
  cw_status status = cwi_value_string_append(&result, tail.data, tail.size, err);
  if (status != CW_OK) {
    cwi_value_drop(result);
    return status;
  }
  *out = result;
  return CW_OK;
}

static cw_status join_arrays(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cw_value result = cwi_value_retain(a);
  cw_status status = cwi_value_array_reserve(&result, cw_value_len(b), err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(b); i++) {
    status = cw_value_array_push(&result, cwi_value_retain(cw_value_array_get(b, i)), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(result);
    return status;
  }
  *out = result;
  return CW_OK;
}

static cw_status merge_objects(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cw_value result = cwi_value_retain(a);
  cwi_object_iter iter = cwi_object_iter_start(b);
  cw_value key;
  cw_value item;
  cw_status status = CW_OK;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    status =
        cwi_value_object_set_key(&result, key, cwi_value_retain(item), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(result);
    return status;
  }
  *out = result;
  return CW_OK;
}

static cw_status add_other(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cwi_db_kind x = cwi_db_kind_of(a);
  cwi_db_kind y = cwi_db_kind_of(b);
  if (x == CWI_DB_STRING && y == CWI_DB_STRING) return join_strings(a, b, out, err);
  if (x == CWI_DB_ARRAY && y == CWI_DB_ARRAY) return join_arrays(a, b, out, err);
  if (x == CWI_DB_OBJECT && y == CWI_DB_OBJECT) return merge_objects(a, b, out, err);
  if (x == CWI_DB_DURATION && y == CWI_DB_DURATION) return durations_op(CWI_DB_ADD, a, b, out, err);
  if (x == CWI_DB_DATETIME && y == CWI_DB_DURATION) return shift(a, b, false, out, err);
  if (x == CWI_DB_DURATION && y == CWI_DB_DATETIME) return shift(b, a, false, out, err);
  if (x == CWI_DB_SET && y == CWI_DB_SET) {
    cw_value joined;
    cw_status status = join_arrays(cwi_db_set_items(a), cwi_db_set_items(b), &joined, err);
    return status != CW_OK ? status : cwi_db_value_set(joined, out, err);
  }
  return fail_op(CWI_DB_ADD, a, b, err);
}

static cw_status sub_other(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cwi_db_kind x = cwi_db_kind_of(a);
  cwi_db_kind y = cwi_db_kind_of(b);
  if (x == CWI_DB_DURATION && y == CWI_DB_DURATION) return durations_op(CWI_DB_SUB, a, b, out, err);
  if (x == CWI_DB_DATETIME && y == CWI_DB_DURATION) return shift(a, b, true, out, err);
  if (x == CWI_DB_DURATION && y == CWI_DB_DATETIME) return shift(b, a, true, out, err);
  if (x == CWI_DB_DATETIME && y == CWI_DB_DATETIME) return datetimes_between(a, b, out, err);
  return fail_op(CWI_DB_SUB, a, b, err);
}

cw_status cwi_db_arith(cwi_db_op op, cw_value a, cw_value b, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (cwi_db_is_number(a) && cwi_db_is_number(b)) return number_op(op, a, b, out, err);
  switch (op) {
  case CWI_DB_ADD: return add_other(a, b, out, err);
  case CWI_DB_SUB: return sub_other(a, b, out, err);
  case CWI_DB_MUL:
    if (a.kind == CW_VALUE_DURATION && b.kind == CW_VALUE_INT) {
      return duration_times(a, cwi_value_as_int(b), out, err);
    }
    return fail_op(op, a, b, err);
  case CWI_DB_DIV: *out = cwi_value_float(NAN); return CW_OK;
  default: return fail_op(op, a, b, err);
  }
}

cw_status cwi_db_negate(cw_value value, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (value.kind == CW_VALUE_INT && cwi_value_as_int(value) != INT64_MIN) {
    *out = cwi_value_int(-cwi_value_as_int(value));
    return CW_OK;
  }
  if (value.kind == CW_VALUE_FLOAT) {
    *out = cwi_value_float(-cwi_value_as_float(value));
    return CW_OK;
  }
  if (cwi_db_kind_of(value) == CWI_DB_DECIMAL) {
    return cwi_db_value_decimal(cwi_decimal_negate(cwi_db_decimal(value)), out, err);
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_buf_append_str(&text, "Cannot negate the value '");
  (void)cwi_db_text(&text, value);
  (void)cwi_buf_append_str(&text, "'");
  const char *message = cwi_buf_cstr(&text);
  cw_status status = message == NULL || text.failed ? CWI_RAISE_NOMEM(err, "an error text")
                                                    : CWI_RAISE(err, CW_E_QUERY, 0, "%s", message);
  cwi_buf_deinit(&text);
  return status;
}
