/* SPDX-License-Identifier: MIT */
/* What the units of the standard library share. */
#ifndef SCRIPT_LIB_INTERNAL_H
#define SCRIPT_LIB_INTERNAL_H

#include "script/script_lib.h"
#include "script/script_text.h"

/* A run of items: `start` + `len` never passes the length it was cut from. */
typedef struct cwi_script_span {
  size_t start, len;
} cwi_script_span;

/* Cuts [start, start + len) out of `size` items. A negative start counts from the end and stops at
 * the first item; one past the end, or a length below 1, gives nothing. */
cwi_script_span cwi_script_span_of(size_t size, int64_t start, int64_t len);

/* The same for the arguments at `args`: (start), (start, len) or a range; `argc` of them. */
cwi_script_span cwi_script_span_args(size_t size, const cw_value *args, uint32_t argc);

/* An index that may count from the end; false where there is no such item. */
bool cwi_script_index_of(size_t size, int64_t index, size_t *out);

/* Takes a buffer as a string result, or raises; the buffer is freed. */
cwi_script_result cwi_script_return_buf(cwi_script_native *call, cwi_buf *buf, bool ok);
cwi_script_result cwi_script_return_text(cwi_script_native *call, const char *text, size_t size);
/* Puts a buffer in the place of args[0], a string; the buffer is freed. */
cwi_script_result cwi_script_replace_text(cwi_script_native *call, cwi_buf *buf, bool ok);

/* A function pointer to the function `name`, a string, which is retained. */
cw_status cwi_script_fn_named(cw_value name, cw_value *out);
/* args[index] as a function pointer: a name becomes one in place. */
cwi_script_result cwi_script_fn_arg(cwi_script_native *call, uint32_t index);

CWI_INLINE cwi_script_result cwi_script_return(cwi_script_native *call, cw_value v) {
  call->result = v;
  return CWI_SCRIPT_OK;
}
CWI_INLINE cwi_script_result cwi_script_return_bool(cwi_script_native *call, bool b) {
  return cwi_script_return(call, cwi_value_bool(b));
}
CWI_INLINE cwi_script_result cwi_script_return_int(cwi_script_native *call, int64_t i) {
  return cwi_script_return(call, cwi_value_int(i));
}
CWI_INLINE cwi_script_result cwi_script_return_float(cwi_script_native *call, double f) {
  return cwi_script_return(call, cwi_value_float(f));
}

/* The comparison of floats: true where they differ by less than the last place. */
bool cwi_script_float_equal(double a, double b);
/* -1, 0 or 1 for two values of one sortable type. */
int cwi_script_compare_same(cw_value a, cw_value b);

/* Operators by name for the table of the library; `data` of the rows is one of these. */
enum {
  CWI_SCRIPT_OP_EQ,
  CWI_SCRIPT_OP_NE,
  CWI_SCRIPT_OP_LT,
  CWI_SCRIPT_OP_LE,
  CWI_SCRIPT_OP_GT,
  CWI_SCRIPT_OP_GE,
};

/* The tables, one a unit; script_lib.c lists them. */
extern const cwi_script_rows cwi_script_rows_op, cwi_script_rows_arith, cwi_script_rows_string,
    cwi_script_rows_cut, cwi_script_rows_array, cwi_script_rows_each, cwi_script_rows_sort,
    cwi_script_rows_blob, cwi_script_rows_map, cwi_script_rows_math, cwi_script_rows_bits,
    cwi_script_rows_range, cwi_script_rows_time, cwi_script_rows_convert, cwi_script_rows_meta;

/* Short names for the types of parameters. */
#define T_ANY CWI_SCRIPT_ANY
#define T_UNIT CWI_SCRIPT_UNIT
#define T_BOOL CWI_SCRIPT_BOOL
#define T_INT CWI_SCRIPT_INT
#define T_FLOAT CWI_SCRIPT_FLOAT
#define T_CHAR CWI_SCRIPT_CHAR
#define T_STRING CWI_SCRIPT_STRING
#define T_BLOB CWI_SCRIPT_BLOB
#define T_ARRAY CWI_SCRIPT_ARRAY
#define T_MAP CWI_SCRIPT_MAP
#define T_FN CWI_SCRIPT_FN
#define T_RANGE CWI_SCRIPT_RANGE
#define T_RANGE_INCLUSIVE CWI_SCRIPT_RANGE_INCLUSIVE
#define T_TIMESTAMP CWI_SCRIPT_TIMESTAMP
#define T_ITER CWI_SCRIPT_ITER
#define MUT CWI_SCRIPT_MUT
#define RESUMABLE CWI_SCRIPT_RESUMABLE

#endif
