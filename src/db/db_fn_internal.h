/* SPDX-License-Identifier: MIT */
/* Helpers of the function files. Each file ends with its table; db_fn.c joins them. */
#ifndef DB_FN_INTERNAL_H
#define DB_FN_INTERNAL_H

#include "core/error.h"
#include "db/db_fn.h"
#include "db/db_value_internal.h"

typedef struct cwi_db_fn_list {
  const char *prefix; /* "array::"; empty for functions without a path */
  const cwi_db_fn *rows;
  size_t len;
} cwi_db_fn_list;

extern const cwi_db_fn_list cwi_db_fns_array, cwi_db_fns_array_more, cwi_db_fns_set,
    cwi_db_fns_string, cwi_db_fns_string_is, cwi_db_fns_string_more, cwi_db_fns_math,
    cwi_db_fns_time, cwi_db_fns_type, cwi_db_fns_object, cwi_db_fns_duration, cwi_db_fns_crypto,
    cwi_db_fns_encoding, cwi_db_fns_parse, cwi_db_fns_geo, cwi_db_fns_vector, cwi_db_fns_rand,
    cwi_db_fns_misc;

#define FN(name)                                                                             \
  static cw_status name(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, cw_value *out, \
                        cw_error *err)
#define FN_UNUSED ((void)ctx, (void)args, (void)len, (void)out, (void)err)
#define FN_LIST(symbol, head, table) \
  const cwi_db_fn_list symbol = {.prefix = (head), .rows = (table), .len = CWI_ARRAY_LEN(table)}

/* A string result. */
CWI_INLINE cw_status cwi_fn_text(const char *text, size_t size, cw_value *out, cw_error *err) {
  return cw_value_string(text, size, out, err);
}
/* Turns a buffer into a string result and frees it. */
cw_status cwi_fn_finish(cwi_buf *buf, cw_value *out, cw_error *err);
CWI_INLINE const char *cwi_fn_chars(cw_value string) { return cwi_value_string_ptr(string)->text; }
CWI_INLINE size_t cwi_fn_size(cw_value string) { return cwi_value_string_ptr(string)->size; }
/* Calls args' closure with one or two values. */
cw_status cwi_fn_call(cwi_db_fn_ctx *ctx, cw_value closure, const cw_value *args, size_t len,
                      cw_value *out, cw_error *err);
/* Where `test` is a closure: its truth for (item, index); else whether item equals it. */
cw_status cwi_fn_test(cwi_db_fn_ctx *ctx, cw_value test, cw_value item, size_t index, bool *holds,
                      cw_error *err);
/* Appends a further reference to `item`. */
CWI_INLINE cw_status cwi_fn_push(cw_value *array, cw_value item, cw_error *err) {
  return cw_value_array_push(array, cwi_value_retain(item), err);
}
/* Ends a function that built `array`: moves it out, or drops it on failure. */
CWI_INLINE cw_status cwi_fn_give(cw_status status, cw_value built, cw_value *out) {
  if (status == CW_OK) {
    *out = built;
  } else {
    cwi_value_drop(built);
  }
  return status;
}
/* Raises CW_E_QUERY with "`head` VALUE `tail`", the value as SurrealQL text. */
cw_status cwi_fn_fail_value(cw_error *err, const char *head, cw_value value, const char *tail);
/* The UTF-8 of `text` as code points; NULL where there is no memory. Free with cwi_free(p, n *
 * 4). */
uint32_t *cwi_fn_codepoints(cw_value string, size_t *len);
/* The position that a possibly negative index means, clamped to 0..len. */
CWI_INLINE size_t cwi_fn_position(int64_t index, size_t len) {
  if (index >= 0) return (uint64_t)index < len ? (size_t)index : len;
  uint64_t back = 0 - (uint64_t)index;
  return back < len ? len - (size_t)back : 0;
}
/* [*begin, *end) of slice(x, range | begin, end). */
cw_status cwi_fn_slice(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, size_t size,
                       size_t *begin, size_t *end, cw_error *err);
#define CWI_FN_OUTPUT_BYTES_MAX 1048576

#endif
