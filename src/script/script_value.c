/* SPDX-License-Identifier: MIT */
/* The boxes of the language: function pointers, ranges, timestamps, iterators, cells; and the type
 * of any value. */
#include "core/assert.h"
#include "script/script_lib.h"
#include "script/script_run.h"

static void fn_deinit(cwi_box *box) {
  cwi_script_fn *fn = (cwi_script_fn *)(void *)box;
  cwi_value_drop(fn->name);
  cwi_value_drop(fn->curry);
  if (fn->module != NULL) cwi_vm_module_release(fn->module);
}

static cw_status fn_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  const cwi_script_fn *from = (const cwi_script_fn *)(const void *)box;
  cwi_script_fn *to = (cwi_script_fn *)(void *)copy;
  if (from->module != NULL || from->curry.kind == CW_VALUE_ARRAY) {
    return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a closure cannot leave its thread");
  }
  return cw_value_clone(from->name, &to->name, err);
}

static bool fn_to_json(const cwi_box *box, cwi_buf *out) {
  cw_value name = ((const cwi_script_fn *)(const void *)box)->name;
  return cwi_buf_append_format(out, "\"Fn(%s)\"", cwi_vm_text(name));
}

static bool range_equal(const cwi_box *a, const cwi_box *b) {
  const cwi_script_range *x = (const cwi_script_range *)(const void *)a;
  const cwi_script_range *y = (const cwi_script_range *)(const void *)b;
  return x->start == y->start && x->end == y->end && x->inclusive == y->inclusive;
}

static bool timestamp_equal(const cwi_box *a, const cwi_box *b) {
  return ((const cwi_script_timestamp *)(const void *)a)->nanos ==
         ((const cwi_script_timestamp *)(const void *)b)->nanos;
}

static cw_status range_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  (void)err;
  const cwi_script_range *from = (const cwi_script_range *)(const void *)box;
  cwi_script_range *to = (cwi_script_range *)(void *)copy;
  to->start = from->start;
  to->end = from->end;
  to->inclusive = from->inclusive;
  return CW_OK;
}

static cw_status refuse_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  (void)copy;
  return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a %s cannot leave its thread", box->ops->name);
}

static void iter_deinit(cwi_box *box) {
  cwi_script_iter *iter = (cwi_script_iter *)(void *)box;
  cwi_value_drop(iter->values[0]);
  cwi_value_drop(iter->values[1]);
}

static void cell_deinit(cwi_box *box) { cwi_value_drop(((cwi_script_cell *)(void *)box)->value); }

const cwi_script_box_ops cwi_script_fn_ops = {.core = {.name = "Fn",
                                                       .size = sizeof(cwi_script_fn),
                                                       .deinit = fn_deinit,
                                                       .clone = fn_clone,
                                                       .to_json = fn_to_json},
                                              .type = CWI_SCRIPT_FN};
const cwi_script_box_ops cwi_script_range_ops = {.core = {.name = "range",
                                                          .size = sizeof(cwi_script_range),
                                                          .clone = range_clone,
                                                          .equal = range_equal},
                                                 .type = CWI_SCRIPT_RANGE};
const cwi_script_box_ops cwi_script_timestamp_ops = {
    .core = {.name = "timestamp", .size = sizeof(cwi_script_timestamp), .equal = timestamp_equal},
    .type = CWI_SCRIPT_TIMESTAMP};
const cwi_script_box_ops cwi_script_iter_ops = {.core = {.name = "iterator",
                                                         .size = sizeof(cwi_script_iter),
                                                         .deinit = iter_deinit,
                                                         .clone = refuse_clone},
                                                .type = CWI_SCRIPT_ITER};
const cwi_script_box_ops cwi_script_cell_ops = {.core = {.name = "shared",
                                                         .size = sizeof(cwi_script_cell),
                                                         .deinit = cell_deinit,
                                                         .clone = refuse_clone},
                                                .type = CWI_SCRIPT_OTHER};

cw_status cwi_script_range_new(int64_t start, int64_t end, bool inclusive, cw_value *out) {
  cw_status status = cwi_value_box(&cwi_script_range_ops.core, out, NULL);
  if (status != CW_OK) return status;
  cwi_script_range *range = cwi_script_range_ptr(*out);
  range->start = start;
  range->end = end;
  range->inclusive = inclusive;
  return CW_OK;
}

cw_status cwi_script_timestamp_new(int64_t nanos, cw_value *out) {
  cw_status status = cwi_value_box(&cwi_script_timestamp_ops.core, out, NULL);
  if (status == CW_OK) cwi_script_timestamp_ptr(*out)->nanos = nanos;
  return status;
}

cw_status cwi_script_iter_new(const char *type_name,
                              bool (*next)(cwi_script_iter *iter, cw_value *out), cw_value *out) {
  CWI_ASSERT(next != NULL);
  cw_status status = cwi_value_box(&cwi_script_iter_ops.core, out, NULL);
  if (status != CW_OK) return status;
  cwi_script_iter *iter = cwi_script_iter_ptr(*out);
  iter->next = next;
  iter->type_name = type_name;
  return CW_OK;
}

static cwi_script_type box_type(cw_value v) {
  const cwi_box_ops *ops = cwi_value_box_ptr(v)->ops;
  if (ops == &cwi_script_range_ops.core) {
    return cwi_script_range_ptr(v)->inclusive ? CWI_SCRIPT_RANGE_INCLUSIVE : CWI_SCRIPT_RANGE;
  }
  if (ops == &cwi_script_fn_ops.core) return CWI_SCRIPT_FN;
  if (ops == &cwi_script_timestamp_ops.core) return CWI_SCRIPT_TIMESTAMP;
  if (ops == &cwi_script_iter_ops.core) return CWI_SCRIPT_ITER;
  return CWI_SCRIPT_OTHER;
}

cwi_script_type cwi_script_type_of(cw_value v) {
  static const uint8_t types[] = {
      [CW_VALUE_NONE] = CWI_SCRIPT_UNIT,      [CW_VALUE_NULL] = CWI_SCRIPT_UNIT,
      [CW_VALUE_BOOL] = CWI_SCRIPT_BOOL,      [CW_VALUE_INT] = CWI_SCRIPT_INT,
      [CW_VALUE_FLOAT] = CWI_SCRIPT_FLOAT,    [CW_VALUE_CHAR] = CWI_SCRIPT_CHAR,
      [CW_VALUE_DATETIME] = CWI_SCRIPT_OTHER, [CW_VALUE_DURATION] = CWI_SCRIPT_OTHER,
      [CW_VALUE_STRING] = CWI_SCRIPT_STRING,  [CW_VALUE_BYTES] = CWI_SCRIPT_BLOB,
      [CW_VALUE_ARRAY] = CWI_SCRIPT_ARRAY,    [CW_VALUE_OBJECT] = CWI_SCRIPT_MAP,
      [CW_VALUE_UUID] = CWI_SCRIPT_OTHER,
  };
  if (v.kind == CW_VALUE_BOX) return box_type(v);
  return (cwi_script_type)types[v.kind];
}

const char *cwi_script_type_name(cw_value v) {
  static const char *const names[] = {[CWI_SCRIPT_ANY] = "?",
                                      [CWI_SCRIPT_UNIT] = "()",
                                      [CWI_SCRIPT_BOOL] = "bool",
                                      [CWI_SCRIPT_INT] = "i64",
                                      [CWI_SCRIPT_FLOAT] = "f64",
                                      [CWI_SCRIPT_CHAR] = "char",
                                      [CWI_SCRIPT_STRING] = "string",
                                      [CWI_SCRIPT_BLOB] = "blob",
                                      [CWI_SCRIPT_ARRAY] = "array",
                                      [CWI_SCRIPT_MAP] = "map",
                                      [CWI_SCRIPT_FN] = "Fn",
                                      [CWI_SCRIPT_RANGE] = "range",
                                      [CWI_SCRIPT_RANGE_INCLUSIVE] = "range=",
                                      [CWI_SCRIPT_TIMESTAMP] = "timestamp"};
  cwi_script_type type = cwi_script_type_of(v);
  if (type == CWI_SCRIPT_ITER) return "range"; /* whatever it walks, as the reference has it */
  return type == CWI_SCRIPT_OTHER ? cw_value_type_name(v) : names[type];
}
