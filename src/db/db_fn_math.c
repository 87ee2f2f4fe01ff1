/* SPDX-License-Identifier: MIT */
/* math:: functions. Statistics work on a sorted copy as floats; sums and products keep the kind of
 * their numbers. */
#include <math.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "db/db_fn_internal.h"

static cw_value at(cw_value array, size_t i) { return cw_value_array_get(array, i); }
static double real(cw_value number) { return cwi_db_number_as_float(number); }

#define FLOAT_FN(name, expression)                 \
  FN(name) {                                       \
    FN_UNUSED;                                     \
    double x = cwi_value_as_float(args[0]);        \
    *out = cwi_value_float(expression);            \
    return CW_OK;                                  \
  }
#define HALF_PI 1.57079632679489661923
#define ONE_PI 3.14159265358979323846

FLOAT_FN(math_acos, acos(x))
FLOAT_FN(math_acot, HALF_PI - atan(x))
FLOAT_FN(math_asin, asin(x))
FLOAT_FN(math_atan, atan(x))
FLOAT_FN(math_cos, cos(x))
FLOAT_FN(math_cot, 1.0 / tan(x))
FLOAT_FN(math_deg2rad, x *(ONE_PI / 180.0))
FLOAT_FN(math_rad2deg, x *(180.0 / ONE_PI))
FLOAT_FN(math_ln, log(x))
FLOAT_FN(math_log10, log10(x))
FLOAT_FN(math_log2, log2(x))
FLOAT_FN(math_sin, sin(x))
FLOAT_FN(math_sqrt, sqrt(x))
FLOAT_FN(math_tan, tan(x))

FN(math_log) {
  FN_UNUSED;
  *out = cwi_value_float(log(cwi_value_as_float(args[0])) / log(cwi_value_as_float(args[1])));
  return CW_OK;
}

FN(math_lerp) {
  FN_UNUSED;
  double a = cwi_value_as_float(args[0]);
  double b = cwi_value_as_float(args[1]);
  *out = cwi_value_float(a + (b - a) * cwi_value_as_float(args[2]));
  return CW_OK;
}

FN(math_lerpangle) {
  FN_UNUSED;
  double a = cwi_value_as_float(args[0]);
  double turn = fmod(cwi_value_as_float(args[1]) - a, 360.0);
  if (turn > 180.0) turn -= 360.0;
  if (turn < -180.0) turn += 360.0;
  *out = cwi_value_float(a + turn * cwi_value_as_float(args[2]));
  return CW_OK;
}

static cw_status round_number(cw_value number, double (*of_float)(double), cwi_decimal_rounding how,
                              cw_value *out, cw_error *err) {
  if (number.kind == CW_VALUE_FLOAT) {
    *out = cwi_value_float(of_float(cwi_value_as_float(number)));
    return CW_OK;
  }
  if (number.kind == CW_VALUE_INT) {
    *out = number;
    return CW_OK;
  }
  return cwi_db_value_decimal(cwi_decimal_round(cwi_db_decimal(number), 0, how), out, err);
}

FN(math_ceil) {
  FN_UNUSED;
  return round_number(args[0], ceil, CWI_DECIMAL_CEIL, out, err);
}

FN(math_floor) {
  FN_UNUSED;
  return round_number(args[0], floor, CWI_DECIMAL_FLOOR, out, err);
}

FN(math_round) {
  FN_UNUSED;
  return round_number(args[0], round, CWI_DECIMAL_HALF_EVEN, out, err);
}

FN(math_abs) {
  FN_UNUSED;
  if (cwi_db_compare(args[0], cwi_value_int(0)) < 0) {
    if (args[0].kind == CW_VALUE_INT && cwi_value_as_int(args[0]) == INT64_MIN) {
      return CWI_RAISE(err, CW_E_QUERY, 0,
                       "Failed to compute: \"math::abs(%lld)\", as the operation "
                       "results in an arithmetic overflow.",
                       (long long)INT64_MIN);
    }
    return cwi_db_negate(args[0], out, err);
  }
  *out = cwi_value_retain(args[0]);
  return CW_OK;
}

FN(math_sign) {
  FN_UNUSED;
  *out = cwi_value_int(cwi_db_compare(args[0], cwi_value_int(0)));
  return CW_OK;
}

FN(math_clamp) {
  (void)len;
  if (cwi_db_compare(args[1], args[2]) > 0) {
    return cwi_db_fn_fail(ctx, err, "Lowerbound for clamp must be smaller than the upperbound");
  }
  cw_value value = args[0];
  if (cwi_db_compare(value, args[1]) < 0) value = args[1];
  if (cwi_db_compare(value, args[2]) > 0) value = args[2];
  *out = cwi_value_retain(value);
  return CW_OK;
}

FN(math_fixed) {
  (void)len;
  int64_t places = cwi_value_as_int(args[1]);
  if (places < 1) {
    return cwi_db_fn_fail(ctx, err, "The second argument must be an integer greater than 0.");
  }
  if (args[0].kind == CW_VALUE_INT) {
    *out = args[0];
  } else if (args[0].kind == CW_VALUE_FLOAT) {
    cwi_buf text;
    double number = cwi_value_as_float(args[0]);
    cwi_buf_init(&text, 0);
    (void)cwi_buf_append_format(&text, "%.*f", (int)(places > 300 ? 300 : places), number);
    const char *digits = cwi_buf_cstr(&text);
    *out = cwi_value_float(digits == NULL || !isfinite(number) ? number : strtod(digits, NULL));
    cwi_buf_deinit(&text);
  } else {
    uint8_t scale = (uint8_t)(places > CWI_DECIMAL_SCALE_MAX ? CWI_DECIMAL_SCALE_MAX : places);
    return cwi_db_value_decimal(
        cwi_decimal_round(cwi_db_decimal(args[0]), scale, CWI_DECIMAL_HALF_EVEN), out, err);
  }
  return CW_OK;
}

FN(math_pow) {
  FN_UNUSED;
  return cwi_db_arith(CWI_DB_POW, args[0], args[1], out, err);
}

/* ---- over arrays ---- */

static cw_status accumulate(cwi_db_op op, cw_value numbers, cw_value start, cw_value *out,
                            cw_error *err) {
  cw_value total = start;
  for (size_t i = 0; i < cw_value_len(numbers); i++) {
    cw_value next;
    cw_status status = cwi_db_arith(op, total, at(numbers, i), &next, err);
    cwi_value_drop(total);
    if (status != CW_OK) return status;
    total = next;
  }
  *out = total;
  return CW_OK;
}

FN(math_sum) {
  FN_UNUSED;
  return accumulate(CWI_DB_ADD, args[0], cwi_value_int(0), out, err);
}

FN(math_product) {
  FN_UNUSED;
  return accumulate(CWI_DB_MUL, args[0], cwi_value_int(1), out, err);
}

FN(math_mean) {
  FN_UNUSED;
  size_t size = cw_value_len(args[0]);
  *out = cwi_value_float(NAN);
  if (size == 0) return CW_OK;
  cw_value sum;
  cw_status status = accumulate(CWI_DB_ADD, args[0], cwi_value_int(0), &sum, NULL);
  if (status == CW_OK && cwi_db_kind_of(sum) == CWI_DB_DECIMAL) {
    status = cwi_db_arith(CWI_DB_DIV, sum, cwi_value_int((int64_t)size), out, err);
    cwi_value_drop(sum);
    return status;
  }
  double total = 0.0;
  for (size_t i = 0; i < size; i++) total += real(at(args[0], i));
  if (status == CW_OK) cwi_value_drop(sum);
  *out = cwi_value_float(total / (double)size);
  return CW_OK;
}

static cw_value extreme(cw_value numbers, int sign) {
  cw_value best = at(numbers, 0);
  for (size_t i = 1; i < cw_value_len(numbers); i++) {
    if (cwi_db_compare(at(numbers, i), best) * sign > 0) best = at(numbers, i);
  }
  return best;
}

FN(math_max) {
  FN_UNUSED;
  *out = cw_value_len(args[0]) == 0 ? cwi_value_float(-INFINITY)
                                    : cwi_value_retain(extreme(args[0], 1));
  return CW_OK;
}

FN(math_min) {
  FN_UNUSED;
  *out = cw_value_len(args[0]) == 0 ? cwi_value_float(INFINITY)
                                    : cwi_value_retain(extreme(args[0], -1));
  return CW_OK;
}

FN(math_spread) {
  FN_UNUSED;
  *out = cwi_value_float(NAN);
  if (cw_value_len(args[0]) == 0) return CW_OK;
  return cwi_db_arith(CWI_DB_SUB, extreme(args[0], 1), extreme(args[0], -1), out, err);
}

static int by_order(cw_value a, cw_value b, void *context) {
  (void)context;
  return cwi_db_compare(a, b);
}

/* A sorted copy of the numbers. */
static cw_status sorted_copy(cw_value numbers, cw_value *out, cw_error *err) {
  cw_value copy = cwi_value_retain(numbers);
  cw_status status = cwi_value_make_unique(&copy, err);
  if (status == CW_OK) {
    cwi_array *items = cwi_value_array_ptr(copy);
    status = cwi_db_sort(items->items, items->len, by_order, NULL, err);
  }
  return cwi_fn_give(status, copy, out);
}

/* The number at `percent` of the sorted numbers, between two of them where it falls there. */
static double percentile(cw_value sorted, double percent) {
  size_t size = cw_value_len(sorted);
  if (size == 0 || isnan(percent)) return NAN;
  double place = percent / 100.0 * (double)(size - 1);
  if (place <= 0.0) return real(at(sorted, 0));
  if (place >= (double)(size - 1)) return real(at(sorted, size - 1));
  size_t below = (size_t)place;
  double low = real(at(sorted, below));
  return low + (real(at(sorted, below + 1)) - low) * (place - (double)below);
}

FN(math_percentile) {
  FN_UNUSED;
  cw_value sorted;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  *out = cwi_value_float(percentile(sorted, cwi_value_as_float(args[1])));
  cwi_value_drop(sorted);
  return CW_OK;
}

FN(math_interquartile) {
  FN_UNUSED;
  cw_value sorted;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  *out = cwi_value_float(percentile(sorted, 75.0) - percentile(sorted, 25.0));
  cwi_value_drop(sorted);
  return CW_OK;
}

FN(math_trimean) {
  FN_UNUSED;
  cw_value sorted;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  double sum = percentile(sorted, 25.0) + 2.0 * percentile(sorted, 50.0) + percentile(sorted, 75.0);
  *out = cwi_value_float(sum / 4.0);
  cwi_value_drop(sorted);
  return CW_OK;
}

FN(math_median) {
  FN_UNUSED;
  cw_value sorted;
  if (cw_value_len(args[0]) == 0) return CW_OK;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  *out = cwi_value_float(percentile(sorted, 50.0));
  cwi_value_drop(sorted);
  return CW_OK;
}

FN(math_nearestrank) {
  FN_UNUSED;
  cw_value sorted;
  size_t size = cw_value_len(args[0]);
  *out = cwi_value_float(NAN);
  if (size == 0) return CW_OK;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  double rank = ceil(cwi_value_as_float(args[1]) / 100.0 * (double)size);
  size_t index = rank < 1.0 ? 0 : rank > (double)size ? size - 1 : (size_t)rank - 1;
  *out = cwi_value_retain(at(sorted, index));
  cwi_value_drop(sorted);
  return CW_OK;
}

FN(math_mode) {
  FN_UNUSED;
  cw_value sorted;
  size_t size = cw_value_len(args[0]);
  *out = cwi_value_float(NAN);
  if (size == 0) return CW_OK;
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  size_t best = 0;
  size_t best_run = 0;
  for (size_t start = 0; start < size;) {
    size_t end = start;
    while (end < size && cwi_db_compare(at(sorted, end), at(sorted, start)) == 0) end++;
    if (end - start >= best_run) {
      best_run = end - start;
      best = start;
    }
    start = end;
  }
  *out = cwi_value_retain(at(sorted, best));
  cwi_value_drop(sorted);
  return CW_OK;
}

/* The extreme `count` numbers: the largest in rising, the smallest in falling order. */
static cw_status take_some(cwi_db_fn_ctx *ctx, const cw_value *args, bool largest, cw_value *out,
                           cw_error *err) {
  cw_value sorted;
  cw_value list;
  int64_t count = cwi_value_as_int(args[1]);
  if (count < 1)
    return cwi_db_fn_fail(ctx, err, "The second argument must be an integer greater than 0.");
  cw_status status = sorted_copy(args[0], &sorted, err);
  if (status != CW_OK) return status;
  size_t size = cw_value_len(sorted);
  size_t want = (uint64_t)count < size ? (size_t)count : size;
  status = cw_value_array(want, &list, err);
  for (size_t i = 0; status == CW_OK && i < want; i++) {
    status = cwi_fn_push(&list, at(sorted, largest ? size - want + i : want - 1 - i), err);
  }
  cwi_value_drop(sorted);
  return cwi_fn_give(status, list, out);
}

FN(math_top) {
  (void)len;
  return take_some(ctx, args, true, out, err);
}

FN(math_bottom) {
  (void)len;
  return take_some(ctx, args, false, out, err);
}

static double variance(cw_value numbers) {
  size_t size = cw_value_len(numbers);
  if (size < 2) return size == 0 ? NAN : 0.0;
  double mean = 0.0;
  for (size_t i = 0; i < size; i++) mean += real(at(numbers, i));
  mean /= (double)size;
  double sum = 0.0;
  for (size_t i = 0; i < size; i++) {
    double d = real(at(numbers, i)) - mean;
    sum += d * d;
  }
  return sum / (double)(size - 1);
}

FN(math_variance) {
  FN_UNUSED;
  *out = cwi_value_float(variance(args[0]));
  return CW_OK;
}

FN(math_stddev) {
  FN_UNUSED;
  *out = cwi_value_float(sqrt(variance(args[0])));
  return CW_OK;
}

#define P CWI_DB_FN_PURE
#define A (CWI_DB_FN_PURE | CWI_DB_FN_AGGREGATE)
static const cwi_db_fn rows[] = {
    {"math::abs", "n", math_abs, P, "Without the sign."},
    {"math::acos", "f", math_acos, P, "Arc cosine."},
    {"math::acot", "f", math_acot, P, "Arc cotangent."},
    {"math::asin", "f", math_asin, P, "Arc sine."},
    {"math::atan", "f", math_atan, P, "Arc tangent."},
    {"math::bottom", "Ni", math_bottom, A, "The smallest numbers."},
    {"math::ceil", "n", math_ceil, P, "Rounded up."},
    {"math::clamp", "nnn", math_clamp, P, "Brought between two bounds."},
    {"math::cos", "f", math_cos, P, "Cosine."},
    {"math::cot", "f", math_cot, P, "Cotangent."},
    {"math::deg2rad", "f", math_deg2rad, P, "Degrees to radians."},
    {"math::fixed", "ni", math_fixed, P, "With that many decimal places."},
    {"math::floor", "n", math_floor, P, "Rounded down."},
    {"math::interquartile", "N", math_interquartile, A, "Between the quartiles."},
    {"math::lerp", "fff", math_lerp, P, "Between two numbers."},
    {"math::lerpangle", "fff", math_lerpangle, P, "Between two angles, the short way."},
    {"math::ln", "f", math_ln, P, "Natural logarithm."},
    {"math::log", "ff", math_log, P, "Logarithm to a base."},
    {"math::log10", "f", math_log10, P, "Logarithm to base 10."},
    {"math::log2", "f", math_log2, P, "Logarithm to base 2."},
    {"math::max", "N", math_max, A, "The largest number."},
    {"math::mean", "N", math_mean, A, "The mean."},
    {"math::median", "N", math_median, A, "The median."},
    {"math::min", "N", math_min, A, "The smallest number."},
    {"math::mode", "N", math_mode, A, "The most frequent number."},
    {"math::nearestrank", "Nf", math_nearestrank, A, "The number at a percentage, one of them."},
    {"math::percentile", "Nf", math_percentile, A, "The number at a percentage, interpolated."},
    {"math::pow", "nn", math_pow, P, "To the power."},
    {"math::product", "N", math_product, A, "The product."},
    {"math::rad2deg", "f", math_rad2deg, P, "Radians to degrees."},
    {"math::round", "n", math_round, P, "Rounded to the nearest."},
    {"math::sign", "n", math_sign, P, "-1, 0 or 1."},
    {"math::sin", "f", math_sin, P, "Sine."},
    {"math::spread", "N", math_spread, A, "From the smallest to the largest."},
    {"math::sqrt", "f", math_sqrt, P, "Square root."},
    {"math::stddev", "N", math_stddev, A, "Standard deviation of a sample."},
    {"math::sum", "N", math_sum, A, "The sum."},
    {"math::tan", "f", math_tan, P, "Tangent."},
    {"math::top", "Ni", math_top, A, "The largest numbers."},
    {"math::trimean", "N", math_trimean, A, "The trimean."},
    {"math::variance", "N", math_variance, A, "Variance of a sample."},
};
FN_LIST(cwi_db_fns_math, "math::", rows);
