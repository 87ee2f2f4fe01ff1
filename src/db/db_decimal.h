/* SPDX-License-Identifier: MIT */
/* Decimals of 28 significant digits: a coefficient below 2^96, a scale 0 to 28, a sign. Results
 * that need more digits are rounded half to even. */
#ifndef DB_DECIMAL_H
#define DB_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CWI_DECIMAL_SCALE_MAX 28
#define CWI_DECIMAL_TEXT_BYTES_MAX 40

typedef struct cwi_decimal {
  uint64_t lo; /* the lower 64 bits of the coefficient */
  uint32_t hi; /* the upper 32 */
  uint8_t scale;
  bool negative; /* of zero too: -0 compares equal to 0 */
} cwi_decimal;

cwi_decimal cwi_decimal_from_int(int64_t value);
/* The shortest decimal that reads back as `value`; false for NaN, infinities and what does not
 * fit. */
bool cwi_decimal_from_double(double value, cwi_decimal *out);
/* Digits with at most one point and a sign; digits past what fits are rounded. No exponent. */
bool cwi_decimal_parse(const char *text, size_t size, cwi_decimal *out);
/* Writes at most CWI_DECIMAL_TEXT_BYTES_MAX bytes and a NUL; returns the bytes without it. */
size_t cwi_decimal_format(cwi_decimal value, char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1]);
double cwi_decimal_to_double(cwi_decimal value);
/* Truncates; false where it does not fit. */
bool cwi_decimal_to_int(cwi_decimal value, int64_t *out);
bool cwi_decimal_is_zero(cwi_decimal value);
bool cwi_decimal_is_integer(cwi_decimal value);
int cwi_decimal_compare(cwi_decimal a, cwi_decimal b);
/* The order of a decimal and a finite double, which stands for its shortest digits: 0.1 equals
 * 0.1dec. */
int cwi_decimal_compare_double(cwi_decimal a, double b);

/* False where the result does not fit (or the divisor is zero). */
bool cwi_decimal_add(cwi_decimal a, cwi_decimal b, cwi_decimal *out);
bool cwi_decimal_sub(cwi_decimal a, cwi_decimal b, cwi_decimal *out);
bool cwi_decimal_mul(cwi_decimal a, cwi_decimal b, cwi_decimal *out);
bool cwi_decimal_div(cwi_decimal a, cwi_decimal b, cwi_decimal *out);
bool cwi_decimal_rem(cwi_decimal a, cwi_decimal b, cwi_decimal *out);
bool cwi_decimal_pow(cwi_decimal a, int64_t exponent, cwi_decimal *out);
cwi_decimal cwi_decimal_negate(cwi_decimal value);
cwi_decimal cwi_decimal_normalize(cwi_decimal value); /* without trailing zeros behind the point */

typedef enum cwi_decimal_rounding {
  CWI_DECIMAL_HALF_EVEN,
  CWI_DECIMAL_HALF_AWAY,
  CWI_DECIMAL_FLOOR,
  CWI_DECIMAL_CEIL,
  CWI_DECIMAL_TRUNC,
} cwi_decimal_rounding;
/* To `scale` digits behind the point; a value that has fewer keeps them. */
cwi_decimal cwi_decimal_round(cwi_decimal value, uint8_t scale, cwi_decimal_rounding how);

#endif
