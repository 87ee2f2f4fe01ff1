/* SPDX-License-Identifier: MIT */
/* Decimal arithmetic on a coefficient below 2^96 and a scale of 0 to 28.
 *
 * Sums and products are formed exactly in 224 bits (limbs of 32, lowest first) and then brought
 * back by dropping digits, with one rounding, half to even. Division produces up to nine digits a
 * step and takes trailing zeros off in the same coarse way as the engine whose answers are recorded
 * (10^8 where the low limb is zero, then 10^4, 10^2, 10 as far as there are factors of two): 7 / 2
 * is 3.50, and the vectors show it. */
#include "db/db_decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"

#define LIMBS 7

typedef struct wide {
  uint32_t limb[LIMBS];
} wide;

static const cwi_u128 coefficient_end = (cwi_u128)1 << 96;

static cwi_u128 coefficient(cwi_decimal d) { return (cwi_u128)d.hi << 64 | d.lo; }

static cwi_decimal make(cwi_u128 c, int scale, bool negative) {
  CWI_ASSERT(c < coefficient_end);
  CWI_ASSERT(scale >= 0 && scale <= CWI_DECIMAL_SCALE_MAX);
  return (cwi_decimal){.lo = (uint64_t)c,
                       .hi = (uint32_t)(c >> 64),
                       .scale = (uint8_t)scale,
                       .negative = negative};
}

static cwi_u128 power_of_ten(int exponent) {
  cwi_u128 p = 1;
  for (int i = 0; i < exponent; i++) p *= 10;
  return p;
}

/* ---- wide integers ---- */

static wide wide_from(cwi_u128 c) {
  wide w = {{(uint32_t)c, (uint32_t)(c >> 32), (uint32_t)(c >> 64), (uint32_t)(c >> 96), 0, 0, 0}};
  return w;
}

static void wide_mul_small(wide *w, uint32_t factor) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)w->limb[i] * factor;
    w->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

static uint32_t wide_div_small(wide *w, uint32_t divisor) {
  uint64_t rest = 0;
  for (int i = LIMBS - 1; i >= 0; i--) {
    rest = rest << 32 | w->limb[i];
    w->limb[i] = (uint32_t)(rest / divisor);
    rest %= divisor;
  }
  return (uint32_t)rest;
}

static void wide_add(wide *a, const wide *b) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)a->limb[i] + b->limb[i];
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* a -= b, where a >= b */
static void wide_sub(wide *a, const wide *b) {
  uint64_t borrow = 0;
  for (int i = 0; i < LIMBS; i++) {
    uint64_t take = (uint64_t)b->limb[i] + borrow;
    borrow = a->limb[i] < take;
    a->limb[i] = (uint32_t)(a->limb[i] - take);
  }
}

static int wide_compare(const wide *a, const wide *b) {
  for (int i = LIMBS - 1; i >= 0; i--) {
    if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
  }
  return 0;
}

static bool wide_fits(const wide *w) {
  return (w->limb[3] | w->limb[4] | w->limb[5] | w->limb[6]) == 0;
}

static cwi_u128 wide_low(const wide *w) {
  return (cwi_u128)w->limb[2] << 64 | (cwi_u128)w->limb[1] << 32 | w->limb[0];
}

static wide wide_product(cwi_u128 a, cwi_u128 b) {
  wide sum = wide_from(0);
  for (int i = 2; i >= 0; i--) {
    wide part = wide_from(a);
    wide_mul_small(&part, (uint32_t)(b >> (32 * i)));
    for (int shift = 0; shift < i; shift++) {
      memmove(&part.limb[1], &part.limb[0], (LIMBS - 1) * sizeof(uint32_t));
      part.limb[0] = 0;
    }
    wide_add(&sum, &part);
  }
  return sum;
}

static void wide_scale_up(wide *w, int digits) {
  for (int i = 0; i < digits; i++) wide_mul_small(w, 10);
}

/* Drops digits until the coefficient and the scale fit, rounding half to even once; false where the
 * integer part alone does not fit. */
static bool reduce(wide *w, int scale, bool negative, cwi_decimal *out) {
  uint32_t last = 0;
  bool sticky = false;
  for (;;) {
    while (!wide_fits(w) || scale > CWI_DECIMAL_SCALE_MAX) {
      if (scale == 0) return false;
      sticky = sticky || last != 0;
      last = wide_div_small(w, 10);
      scale--;
    }
    bool up = last > 5 || (last == 5 && (sticky || (w->limb[0] & 1) != 0));
    if (!up) break;
    wide one = wide_from(1);
    wide_add(w, &one);
    last = 0;
    sticky = false;
    if (wide_fits(w)) break;
  }
  *out = make(wide_low(w), scale, negative);
  return true;
}

/* ---- conversions ---- */

cwi_decimal cwi_decimal_from_int(int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  return make(magnitude, 0, value < 0);
}

bool cwi_decimal_parse(const char *text, size_t size, cwi_decimal *out) {
  size_t at = 0;
  bool negative = false;
  if (at < size && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  wide w = wide_from(0);
  int scale = 0;
  size_t digits = 0;
  bool point = false;
  bool sticky = false;
  uint32_t dropped = 0; /* the first digit that found no room */
  bool full = false;
  for (; at < size; at++) {
    char c = text[at];
    if (c == '_' && digits > 0) continue;
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return false;
    digits++;
    uint32_t digit = (uint32_t)(c - '0');
    if (full) {
      if (!point) return false;
      sticky = sticky || digit != 0;
      continue;
    }
    wide next = w;
    wide_mul_small(&next, 10);
    wide d = wide_from(digit);
    wide_add(&next, &d);
    if (!wide_fits(&next) || (point && scale == CWI_DECIMAL_SCALE_MAX)) {
      if (!point) return false;
      full = true;
      dropped = digit;
      continue;
    }
    w = next;
    if (point) scale++;
  }
  if (digits == 0) return false;
  if (full && (dropped > 5 || (dropped == 5 && (sticky || (w.limb[0] & 1) != 0)))) {
    wide one = wide_from(1);
    wide_add(&w, &one);
  }
  return reduce(&w, scale, negative, out);
}

bool cwi_decimal_from_double(double value, cwi_decimal *out) {
  if (!isfinite(value)) return false;
  char text[40];
  int precision = 0;
  do {
    (void)snprintf(text, sizeof(text), "%.*e", precision, value);
  } while (strtod(text, NULL) != value && precision++ < 17);
  const char *mark = strchr(text, 'e');
  CWI_ASSERT(mark != NULL);
  int exponent = (int)strtol(mark + 1, NULL, 10);
  cwi_decimal digits;
  if (!cwi_decimal_parse(text, (size_t)(mark - text), &digits)) return false;
  int scale = digits.scale - exponent;
  wide w = wide_from(coefficient(digits));
  if (scale < 0) {
    if (scale < -CWI_DECIMAL_SCALE_MAX) return value == 0.0;
    wide_scale_up(&w, -scale);
    scale = 0;
  }
  if (scale > 60) {
    *out = make(0, 0, digits.negative);
    return true;
  }
  return reduce(&w, scale, digits.negative, out);
}

size_t cwi_decimal_format(cwi_decimal value, char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1]) {
  char digits[32];
  int len = 0;
  cwi_u128 c = coefficient(value);
  while (c != 0 || len <= value.scale) {
    digits[len++] = (char)('0' + (int)(c % 10));
    c /= 10;
  }
  size_t at = 0;
  if (value.negative && !cwi_decimal_is_zero(value)) text[at++] = '-';
  while (len > 0) {
    if (len == value.scale) text[at++] = '.';
    text[at++] = digits[--len];
  }
  text[at] = '\0';
  CWI_ASSERT(at <= CWI_DECIMAL_TEXT_BYTES_MAX);
  return at;
}

double cwi_decimal_to_double(cwi_decimal value) {
  char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
  (void)cwi_decimal_format(value, text);
  return strtod(text, NULL);
}

bool cwi_decimal_to_int(cwi_decimal value, int64_t *out) {
  cwi_u128 c = coefficient(value) / power_of_ten(value.scale);
  if (c > (cwi_u128)INT64_MAX + (value.negative ? 1 : 0)) return false;
  uint64_t magnitude = (uint64_t)c;
  *out = value.negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  return true;
}

bool cwi_decimal_is_zero(cwi_decimal value) { return value.lo == 0 && value.hi == 0; }

bool cwi_decimal_is_integer(cwi_decimal value) {
  return coefficient(value) % power_of_ten(value.scale) == 0;
}

/* ---- order ---- */

int cwi_decimal_compare(cwi_decimal a, cwi_decimal b) {
  bool a_zero = cwi_decimal_is_zero(a);
  bool b_zero = cwi_decimal_is_zero(b);
  int a_sign = a_zero ? 0 : a.negative ? -1 : 1;
  int b_sign = b_zero ? 0 : b.negative ? -1 : 1;
  if (a_sign != b_sign) return a_sign < b_sign ? -1 : 1;
  if (a_sign == 0) return 0;
  wide x = wide_from(coefficient(a));
  wide y = wide_from(coefficient(b));
  if (a.scale < b.scale) wide_scale_up(&x, b.scale - a.scale);
  if (b.scale < a.scale) wide_scale_up(&y, a.scale - b.scale);
  return a_sign * wide_compare(&x, &y);
}

int cwi_decimal_compare_double(cwi_decimal a, double b) {
  CWI_ASSERT(isfinite(b));
  if (b >= 7.9228162514264338e28) return -1;
  if (b <= -7.9228162514264338e28) return 1;
  cwi_decimal as_decimal;
  if (!cwi_decimal_from_double(b, &as_decimal)) return b > 0 ? -1 : 1;
  int order = cwi_decimal_compare(a, as_decimal);
  if (order == 0 && b != 0.0 && cwi_decimal_is_zero(as_decimal)) return b > 0 ? -1 : 1;
  return order;
}

/* ---- arithmetic ---- */

bool cwi_decimal_add(cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  wide x = wide_from(coefficient(a));
  wide y = wide_from(coefficient(b));
  int scale = a.scale > b.scale ? a.scale : b.scale;
  wide_scale_up(&x, scale - a.scale);
  wide_scale_up(&y, scale - b.scale);
  bool negative = a.negative;
  if (a.negative == b.negative) {
    wide_add(&x, &y);
  } else if (wide_compare(&x, &y) >= 0) {
    wide_sub(&x, &y);
  } else {
    wide_sub(&y, &x);
    x = y;
    negative = b.negative;
  }
  if (!reduce(&x, scale, negative, out)) return false;
  if (cwi_decimal_is_zero(*out)) out->negative = false;
  return true;
}

bool cwi_decimal_sub(cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  return cwi_decimal_add(a, cwi_decimal_negate(b), out);
}

bool cwi_decimal_mul(cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  wide product = wide_product(coefficient(a), coefficient(b));
  return reduce(&product, a.scale + b.scale, a.negative != b.negative, out);
}

/* Takes off trailing zeros in coarse steps; see the top. */
static void unscale(cwi_u128 *c, int *scale) {
  while ((uint32_t)*c == 0 && *scale >= 8 && *c != 0 && *c % 100000000U == 0) {
    *c /= 100000000U;
    *scale -= 8;
  }
  static const struct {
    uint32_t mask;
    uint32_t power;
    int digits;
  } steps[] = {{15, 10000, 4}, {3, 100, 2}, {1, 10, 1}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(steps); i++) {
    if (((uint32_t)*c & steps[i].mask) == 0 && *scale >= steps[i].digits &&
        *c % steps[i].power == 0) {
      *c /= steps[i].power;
      *scale -= steps[i].digits;
    }
  }
}

bool cwi_decimal_div(cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  if (cwi_decimal_is_zero(b)) return false;
  bool negative = a.negative != b.negative;
  if (cwi_decimal_is_zero(a)) {
    *out = make(0, 0, false);
    return true;
  }
  cwi_u128 divisor = coefficient(b);
  cwi_u128 quotient = coefficient(a) / divisor;
  cwi_u128 rest = coefficient(a) % divisor;
  int scale = a.scale - b.scale;
  bool trim = false;
  while (rest != 0 || scale < 0) {
    int digits = rest == 0 ? -scale : CWI_DECIMAL_SCALE_MAX - scale;
    if (digits > 9) digits = 9;
    trim = trim || rest != 0;
    cwi_u128 next = 0;
    for (; digits > 0; digits--) {
      cwi_u128 power = power_of_ten(digits);
      if (quotient > coefficient_end / power) continue;
      next = quotient * power + rest * power / divisor;
      if (next < coefficient_end) break;
    }
    if (digits == 0) {
      if (scale < 0) return false;
      cwi_u128 twice = rest << 1;
      if (twice > divisor || (twice == divisor && (quotient & 1) != 0)) quotient++;
      break;
    }
    rest = rest * power_of_ten(digits) % divisor;
    quotient = next;
    scale += digits;
  }
  wide w = wide_from(quotient);
  cwi_decimal result;
  if (!reduce(&w, scale, negative, &result)) return false;
  quotient = coefficient(result);
  scale = result.scale;
  if (trim) unscale(&quotient, &scale);
  *out = make(quotient, scale, negative);
  return true;
}

bool cwi_decimal_rem(cwi_decimal a, cwi_decimal b, cwi_decimal *out) {
  if (cwi_decimal_is_zero(b)) return false;
  cwi_u128 x = coefficient(a);
  cwi_u128 y = coefficient(b);
  int scale = a.scale > b.scale ? a.scale : b.scale;
  for (int i = b.scale; i < scale; i++) {
    if (y >= coefficient_end) break; /* past any dividend: the rest is the dividend */
    y *= 10;
  }
  cwi_u128 rest = x % y;
  for (int i = a.scale; i < scale; i++) rest = rest * 10 % y;
  *out = make(rest, scale, a.negative && rest != 0);
  return true;
}

bool cwi_decimal_pow(cwi_decimal a, int64_t exponent, cwi_decimal *out) {
  uint64_t n = exponent < 0 ? 0 - (uint64_t)exponent : (uint64_t)exponent;
  cwi_decimal result = cwi_decimal_from_int(1);
  cwi_decimal base = a;
  while (n > 0) {
    if ((n & 1) != 0 && !cwi_decimal_mul(result, base, &result)) return false;
    n >>= 1;
    if (n > 0 && !cwi_decimal_mul(base, base, &base)) return false;
  }
  if (exponent < 0) return cwi_decimal_div(cwi_decimal_from_int(1), result, out);
  *out = result;
  return true;
}

cwi_decimal cwi_decimal_negate(cwi_decimal value) {
  value.negative = !value.negative;
  return value;
}

cwi_decimal cwi_decimal_normalize(cwi_decimal value) {
  cwi_u128 c = coefficient(value);
  int scale = value.scale;
  while (scale > 0 && c % 10 == 0) {
    c /= 10;
    scale--;
  }
  return make(c, scale, value.negative && c != 0);
}

cwi_decimal cwi_decimal_round(cwi_decimal value, uint8_t scale, cwi_decimal_rounding how) {
  if (value.scale <= scale) return value;
  cwi_u128 power = power_of_ten(value.scale - scale);
  cwi_u128 c = coefficient(value) / power;
  cwi_u128 rest = coefficient(value) % power;
  cwi_u128 half = power / 2;
  bool up = false;
  switch (how) {
  case CWI_DECIMAL_HALF_EVEN: up = rest > half || (rest == half && (c & 1) != 0); break;
  case CWI_DECIMAL_HALF_AWAY: up = rest >= half; break;
  case CWI_DECIMAL_FLOOR: up = value.negative && rest != 0; break;
  case CWI_DECIMAL_CEIL: up = !value.negative && rest != 0; break;
  case CWI_DECIMAL_TRUNC: break;
  }
  return make(c + (up ? 1 : 0), scale, value.negative);
}
