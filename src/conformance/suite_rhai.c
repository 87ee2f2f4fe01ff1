/* SPDX-License-Identifier: MIT */
/* The suite `rhai`: programs of the language with what the reference answers.
 *
 * A row agrees where every key that the vector expects has the same value in what happened here:
 * value, type, the two texts, printed lines, debug lines with their places; kind, message and place
 * of an error, and of the errors inside. Floats must be the same number; names of closures are
 * written anon$#. Where a vector has `expect_noopt` (the answer of the reference without its
 * optimiser, which this engine does not have either), that one counts. */
#include <math.h>
#include <stdio.h>

#include "conformance/conformance.h"
#include "conformance/rhai_run.h"

static bool same(cw_value expected, cw_value actual);

/* Compares text, taking hexadecimal digits behind "anon$" as one '#'. */
static bool same_text(cw_bytes expected, cw_bytes actual) {
  const char *a = expected.data;
  const char *end_a = a + expected.size;
  const char *b = actual.data;
  const char *end_b = b + actual.size;
  while (a < end_a && b < end_b && *a == *b) {
    a++;
    b++;
    if (*(a - 1) != '$' || a >= end_a || *a != '#') continue;
    a++;
    while (b < end_b && strchr("0123456789abcdef#", *b) != NULL) b++;
  }
  return a == end_a && b == end_b;
}

static bool same_number(cw_value expected, cw_value actual) {
  if (actual.kind != CW_VALUE_INT && actual.kind != CW_VALUE_FLOAT) return false;
  if (expected.kind == CW_VALUE_INT && actual.kind == CW_VALUE_INT) {
    return cw_value_as_int(expected) == cw_value_as_int(actual);
  }
  return cw_value_as_float(expected) == cw_value_as_float(actual);
}

static bool same_items(cw_value expected, cw_value actual) {
  size_t len = cw_value_len(expected);
  if (actual.kind != CW_VALUE_ARRAY || cw_value_len(actual) != len) return false;
  for (size_t i = 0; i < len; i++) {
    if (!same(cw_value_array_get(expected, i), cw_value_array_get(actual, i))) return false;
  }
  return true;
}

static bool same(cw_value expected, cw_value actual) {
  switch (expected.kind) {
    case CW_VALUE_NONE:
    case CW_VALUE_NULL: return actual.kind == CW_VALUE_NULL || actual.kind == CW_VALUE_NONE;
    case CW_VALUE_INT:
    case CW_VALUE_FLOAT: return same_number(expected, actual);
    case CW_VALUE_STRING:
      return actual.kind == CW_VALUE_STRING &&
             same_text(cw_value_as_bytes(expected), cw_value_as_bytes(actual));
    case CW_VALUE_ARRAY: return same_items(expected, actual);
    case CW_VALUE_OBJECT: {
      cw_bytes key;
      cw_value item;
      if (actual.kind != CW_VALUE_OBJECT) return false;
      for (size_t i = 0; cw_value_object_at(expected, i, &key, &item); i++) {
        if (!same(item, cw_value_object_get(actual, key.data, key.size))) return false;
      }
      return true;
    }
    default: return cw_value_equal(expected, actual);
  }
}

/* One line of text for a value of JSON shape. */
static void show(cwi_buf *out, cw_value v) {
  cw_bytes key;
  cw_value item;
  switch (v.kind) {
    case CW_VALUE_BOOL: cwi_buf_append_str(out, cw_value_as_bool(v) ? "true" : "false"); return;
    case CW_VALUE_INT: cwi_buf_append_format(out, "%lld", (long long)cw_value_as_int(v)); return;
    case CW_VALUE_FLOAT: cwi_buf_append_format(out, "%.17g", cw_value_as_float(v)); return;
    case CW_VALUE_STRING:
      cwi_buf_append_format(out, "`%s`", (const char *)cw_value_as_bytes(v).data);
      return;
    case CW_VALUE_ARRAY:
      cwi_buf_append_str(out, "[");
      for (size_t i = 0; i < cw_value_len(v); i++) {
        if (i > 0) cwi_buf_append_str(out, ", ");
        show(out, cw_value_array_get(v, i));
      }
      cwi_buf_append_str(out, "]");
      return;
    case CW_VALUE_OBJECT:
      cwi_buf_append_str(out, "{");
      for (size_t i = 0; cw_value_object_at(v, i, &key, &item); i++) {
        cwi_buf_append_format(out, "%s%s: ", i > 0 ? ", " : "", (const char *)key.data);
        show(out, item);
      }
      cwi_buf_append_str(out, "}");
      return;
    default: cwi_buf_append_str(out, "null"); return;
  }
}

/* What differs, key by key. */
static void describe(cwi_buf *out, cw_value row, cw_value expected, cw_value actual) {
  cw_bytes key;
  cw_value item;
  cwi_buf_append_format(out, "  script: %s\n", conformance_text(row, "script"));
  for (size_t i = 0; cw_value_object_at(expected, i, &key, &item); i++) {
    cw_value other = cw_value_object_get(actual, key.data, key.size);
    if (same(item, other)) continue;
    cwi_buf_append_format(out, "  %s: expected ", (const char *)key.data);
    show(out, item);
    cwi_buf_append_str(out, ", got ");
    show(out, other);
    cwi_buf_append_str(out, "\n");
  }
  cw_value message = conformance_get(actual, "message");
  if (message.kind == CW_VALUE_STRING) {
    cwi_buf_append_format(out, "  message: %s\n", (const char *)cw_value_as_bytes(message).data);
  }
}

static cw_status run_row(cw_value row, void *context, cw_error *err) {
  conformance *c = context;
  const char *area = conformance_text(row, "area");
  const char *id = conformance_text(row, "id");
  if (area == NULL || id == NULL || !conformance_wants(c, area, id)) return CW_OK;
  cw_value expected = conformance_get(row, "expect_noopt");
  if (expected.kind == CW_VALUE_NONE) expected = conformance_get(row, "expect");
  cw_value actual;
  cw_status status = rhai_run(row, &actual, err);
  if (status != CW_OK) return status;
  bool agrees = same(expected, actual);
  cwi_buf detail;
  cwi_buf_init(&detail, 0);
  if (!agrees && c->failures < c->failures_max) describe(&detail, row, expected, actual);
  const char *text = cwi_buf_cstr(&detail);
  conformance_count(c, area, id, agrees, text != NULL ? text : "");
  cwi_buf_deinit(&detail);
  cw_value_release(&actual);
  return CW_OK;
}

static cw_status run_file(conformance *c, const char *path, cw_error *err) {
  return conformance_each_line(path, run_row, c, err);
}

static const char *const PATHS[] = {"rhai/vectors.jsonl", "rhai/matrix.jsonl", NULL};

const conformance_suite conformance_suite_rhai = {"rhai", PATHS, run_file};
