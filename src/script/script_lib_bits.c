/* SPDX-License-Identifier: MIT */
/* Integers as fields of 64 bits. A bit below zero counts from the top; one that is not there is an
 * error, a field that reaches past the top is cut. */
#include "script/script_lib_internal.h"

#define BITS 64

typedef struct field {
  unsigned at, width;
} field;

static uint64_t mask_of(field f) {
  if (f.width == 0) return 0;
  return (f.width >= BITS ? UINT64_MAX : (UINT64_C(1) << f.width) - 1) << f.at;
}

/* The bit that args[1] names. */
static cwi_script_result bit_of(cwi_script_native *call, int64_t index, unsigned *out) {
  size_t at = 0;
  if (!cwi_script_index_of(BITS, index, &at)) {
    *out = 0;
    return cwi_script_raise_bounds(call->run, CWI_SCRIPT_E_BIT_FIELD_BOUNDS, index, BITS);
  }
  *out = (unsigned)at;
  return CWI_SCRIPT_OK;
}

/* The field of args[1] and maybe args[2]: a range, or a bit and a width. */
static cwi_script_result field_of(cwi_script_native *call, uint32_t argc, field *out) {
  cwi_script_type type = cwi_script_type_of(call->args[1]);
  int64_t start = cw_value_as_int(call->args[1]);
  int64_t width = argc > 2 ? cw_value_as_int(call->args[2]) : BITS;
  *out = (field){0, 0};
  if (type == CWI_SCRIPT_RANGE || type == CWI_SCRIPT_RANGE_INCLUSIVE) {
    const cwi_script_range *range = cwi_script_range_ptr(call->args[1]);
    start = range->start > 0 ? range->start : 0;
    int64_t end = range->end > start ? range->end : start;
    width = end - start;
    if (range->inclusive && width < BITS) width++;
  }
  if (width <= 0) return CWI_SCRIPT_OK;
  cwi_script_result result = bit_of(call, start, &out->at);
  if (result != CWI_SCRIPT_OK) return result;
  unsigned room = BITS - out->at;
  out->width = (uint64_t)width > room ? room : (unsigned)width;
  return CWI_SCRIPT_OK;
}

static cwi_script_result get_bit(cwi_script_native *call) {
  unsigned bit = 0;
  cwi_script_result result = bit_of(call, cw_value_as_int(call->args[1]), &bit);
  if (result != CWI_SCRIPT_OK) return result;
  uint64_t value = (uint64_t)cw_value_as_int(call->args[0]);
  return cwi_script_return_bool(call, (value >> bit & 1) != 0);
}

static void put_int(cwi_script_native *call, uint64_t value) {
  cw_value v = cwi_value_int((int64_t)value);
  v.aux = call->args[0].aux;
  call->args[0] = v;
}

static cwi_script_result set_bit(cwi_script_native *call) {
  unsigned bit = 0;
  cwi_script_result result = bit_of(call, cw_value_as_int(call->args[1]), &bit);
  if (result != CWI_SCRIPT_OK) return result;
  uint64_t value = (uint64_t)cw_value_as_int(call->args[0]);
  uint64_t mask = UINT64_C(1) << bit;
  put_int(call, cw_value_as_bool(call->args[2]) ? value | mask : value & ~mask);
  return CWI_SCRIPT_OK;
}

static cwi_script_result get_bits(cwi_script_native *call) {
  field f;
  cwi_script_result result = field_of(call, call->argc, &f);
  if (result != CWI_SCRIPT_OK) return result;
  uint64_t value = (uint64_t)cw_value_as_int(call->args[0]);
  return cwi_script_return_int(call, (int64_t)((value & mask_of(f)) >> f.at));
}

static cwi_script_result set_bits(cwi_script_native *call) {
  field f;
  cwi_script_result result = field_of(call, call->argc - 1, &f);
  if (result != CWI_SCRIPT_OK) return result;
  uint64_t value = (uint64_t)cw_value_as_int(call->args[0]);
  uint64_t fresh = (uint64_t)cw_value_as_int(call->args[call->argc - 1]);
  uint64_t mask = mask_of(f);
  put_int(call, (value & ~mask) | (fresh << f.at & mask));
  return CWI_SCRIPT_OK;
}

/* ---- walking the bits ---- */

static bool next_bit(cwi_script_iter *iter, cw_value *out) {
  if (iter->n[1] <= 0) return false;
  uint64_t value = (uint64_t)iter->n[0];
  *out = cwi_value_bool((value & 1) != 0);
  iter->n[0] = (int64_t)(value >> 1);
  iter->n[1]--;
  return true;
}

static cwi_script_result bits(cwi_script_native *call) {
  field f = {0, BITS};
  if (call->argc > 1) {
    cwi_script_result result = field_of(call, call->argc, &f);
    if (result != CWI_SCRIPT_OK) return result;
  }
  cw_status status =
      cwi_script_iter_new("rhai::packages::iter_basic::BitRange", next_bit, &call->result);
  if (status != CW_OK) return cwi_script_check(call, status);
  cwi_script_iter *iter = cwi_script_iter_ptr(call->result);
  iter->n[0] = (int64_t)((uint64_t)cw_value_as_int(call->args[0]) >> f.at);
  iter->n[1] = f.width;
  return CWI_SCRIPT_OK;
}

static const cwi_script_row ROWS[] = {
    {"get_bit", 2, {T_INT, T_INT}, get_bit, 0, 0},
    {"set_bit", 3, {T_INT, T_INT, T_BOOL}, set_bit, MUT, 0},
    {"get_bits", 2, {T_INT, T_RANGE}, get_bits, 0, 0},
    {"get_bits", 2, {T_INT, T_RANGE_INCLUSIVE}, get_bits, 0, 0},
    {"get_bits", 3, {T_INT, T_INT, T_INT}, get_bits, 0, 0},
    {"set_bits", 3, {T_INT, T_RANGE, T_INT}, set_bits, MUT, 0},
    {"set_bits", 3, {T_INT, T_RANGE_INCLUSIVE, T_INT}, set_bits, MUT, 0},
    {"set_bits", 4, {T_INT, T_INT, T_INT, T_INT}, set_bits, MUT, 0},
    {"bits", 1, {T_INT}, bits, 0, 0},
    {"get$bits", 1, {T_INT}, bits, 0, 0},
    {"bits", 2, {T_INT, T_INT}, bits, 0, 0},
    {"bits", 2, {T_INT, T_RANGE}, bits, 0, 0},
    {"bits", 2, {T_INT, T_RANGE_INCLUSIVE}, bits, 0, 0},
    {"bits", 3, {T_INT, T_INT, T_INT}, bits, 0, 0},
};

const cwi_script_rows cwi_script_rows_bits = {ROWS, CWI_ARRAY_LEN(ROWS)};
