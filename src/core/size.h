/* SPDX-License-Identifier: MIT */
/* Sizes are checked before they are added or multiplied. */
#ifndef CORE_SIZE_H
#define CORE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/* Writes a + b and returns true, or returns false where it does not fit. */
CWI_INLINE bool cwi_size_add(size_t a, size_t b, size_t *out) {
  return !CWI_ADD_OVERFLOWS(a, b, out);
}

/* Writes a * b and returns true, or returns false where it does not fit. */
CWI_INLINE bool cwi_size_mul(size_t a, size_t b, size_t *out) {
  return !CWI_MUL_OVERFLOWS(a, b, out);
}

CWI_INLINE size_t cwi_size_min(size_t a, size_t b) { return a < b ? a : b; }
CWI_INLINE size_t cwi_size_max(size_t a, size_t b) { return a > b ? a : b; }

/* The next capacity for a growing array that holds `cap` and needs `need` elements. */
CWI_INLINE size_t cwi_size_grow(size_t cap, size_t need) {
  size_t grown = cap < SIZE_MAX / 2 ? cap + cap / 2 + 8 : cap;
  return grown > need ? grown : need;
}

#endif
