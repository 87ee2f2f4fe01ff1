/* SPDX-License-Identifier: MIT */
/* Finding functions, checking and coercing their arguments, calling them. */
#include "db/db_fn.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "db/db_fn_internal.h"

static const cwi_db_fn_list *const lists[] = {
    &cwi_db_fns_misc,   &cwi_db_fns_array,     &cwi_db_fns_array_more,  &cwi_db_fns_crypto,
    &cwi_db_fns_duration, &cwi_db_fns_encoding, &cwi_db_fns_geo,        &cwi_db_fns_math,
    &cwi_db_fns_object, &cwi_db_fns_parse,     &cwi_db_fns_rand,        &cwi_db_fns_set,
    &cwi_db_fns_string, &cwi_db_fns_string_is, &cwi_db_fns_string_more, &cwi_db_fns_time,
    &cwi_db_fns_type,   &cwi_db_fns_vector};

#define ARGS_MAX 12

/* ---- finding ---- */

const cwi_db_fn *cwi_db_fn_find(const char *name, size_t size) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(lists); i++) {
    size_t head = strlen(lists[i]->prefix);
    if (size < head || strncasecmp(name, lists[i]->prefix, head) != 0) continue;
    for (size_t k = 0; k < lists[i]->len; k++) {
      const cwi_db_fn *fn = &lists[i]->rows[k];
      if (strlen(fn->name) == size && strncasecmp(fn->name, name, size) == 0) return fn;
    }
  }
  return NULL;
}

const cwi_db_fn *cwi_db_fn_at(size_t index) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(lists); i++) {
    if (index < lists[i]->len) return &lists[i]->rows[index];
    index -= lists[i]->len;
  }
  return NULL;
}

#define NAME_BYTES_MAX 64

/* Levenshtein's distance, or `limit` + 1 where it is more. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size, size_t limit) {
  size_t row[NAME_BYTES_MAX + 1];
  size_t gap = a_size > b_size ? a_size - b_size : b_size - a_size;
  if (gap > limit || a_size > NAME_BYTES_MAX || b_size > NAME_BYTES_MAX) return limit + 1;
  for (size_t j = 0; j <= b_size; j++) row[j] = j;
  for (size_t i = 1; i <= a_size; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_size; j++) {
      size_t above = row[j];
      size_t best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      if (above + 1 < best) best = above + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
      diagonal = above;
    }
  }
  return row[b_size];
}

const char *cwi_db_fn_nearest(const char *name, size_t size) {
  const char *best = NULL;
  size_t best_distance = size / 3 + 1;
  for (size_t i = 0;; i++) {
    const cwi_db_fn *fn = cwi_db_fn_at(i);
    if (fn == NULL) return best;
    size_t d = distance(name, size, fn->name, strlen(fn->name), best_distance);
    /* Of names equally near, one that the wrong name begins with. */
    bool begins = strncmp(name, fn->name, strlen(fn->name)) == 0;
    if (d < best_distance || (d == best_distance && best != NULL && begins)) {
      best_distance = d;
      best = fn->name;
    }
  }
}

void cwi_db_fn_arity(const cwi_db_fn *fn, size_t *min, size_t *max) {
  bool optional = false;
  *min = 0;
  *max = 0;
  for (const char *c = fn->args; *c != '\0'; c++) {
    if (*c == '?') {
      optional = true;
    } else if (*c == '*') {
      *min -= optional ? 0 : 1;
      *max = SIZE_MAX;
      return;
    } else {
      (*max)++;
      if (!optional) (*min)++;
    }
  }
}

/* ---- methods ---- */

static const cwi_db_fn *find_joined(const char *prefix, const char *name, size_t size) {
  char path[96];
  int len = snprintf(path, sizeof(path), "%s%.*s", prefix, (int)size, name);
  return len > 0 && (size_t)len < sizeof(path) ? cwi_db_fn_find(path, (size_t)len) : NULL;
}

static bool name_in(const char *name, size_t size, const char *const *list, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (strlen(list[i]) == size && memcmp(list[i], name, size) == 0) return true;
  }
  return false;
}

/* Methods that every value has: is_none, to_float, type_of, diff, patch ... */
static const cwi_db_fn *find_general(const char *name, size_t size) {
  char path[64];
  if (size == 7 && memcmp(name, "type_of", 7) == 0) return cwi_db_fn_find("type::of", 8);
  if (size == 4 && memcmp(name, "diff", 4) == 0) return cwi_db_fn_find("value::diff", 11);
  if (size == 5 && memcmp(name, "patch", 5) == 0) return cwi_db_fn_find("value::patch", 12);
  if (size == 6 && memcmp(name, "repeat", 6) == 0) return cwi_db_fn_find("array::repeat", 13);
  if (size > 3 && size < 40 && (memcmp(name, "is_", 3) == 0 || memcmp(name, "to_", 3) == 0)) {
    const char *rest = name[0] == 'i' ? name : name + 3;
    size_t rest_size = name[0] == 'i' ? size : size - 3;
    int len = snprintf(path, sizeof(path), "type::%.*s", (int)rest_size, rest);
    return cwi_db_fn_find(path, (size_t)len);
  }
  return NULL;
}

const cwi_db_fn *cwi_db_fn_method(cw_value value, const char *name, size_t size) {
  static const char *const number[] = {"abs",     "acos",  "acot", "asin",    "atan",
                                       "ceil",    "cos",   "cot",  "deg2rad", "floor",
                                       "rad2deg", "round", "sign", "sin",     "tan"};
  const char *prefix = "";
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_INT:
  case CWI_DB_FLOAT:
  case CWI_DB_DECIMAL:
    if (name_in(name, size, number, CWI_ARRAY_LEN(number)))
      return find_joined("math::", name, size);
    return find_general(name, size);
  case CWI_DB_STRING: prefix = "string::"; break;
  case CWI_DB_ARRAY: prefix = "array::"; break;
  case CWI_DB_SET: prefix = "set::"; break;
  case CWI_DB_OBJECT: prefix = "object::"; break;
  case CWI_DB_DURATION: prefix = "duration::"; break;
  case CWI_DB_DATETIME: prefix = "time::"; break;
  case CWI_DB_GEOMETRY: prefix = "geo::"; break;
  case CWI_DB_BYTES: prefix = "bytes::"; break;
  case CWI_DB_RECORD: prefix = "record::"; break;
  default: return find_general(name, size);
  }
  const cwi_db_fn *fn = find_joined(prefix, name, size);
  if (fn == NULL && cwi_db_kind_of(value) == CWI_DB_ARRAY && size > 7 &&
      memcmp(name, "vector_", 7) == 0) {
    fn = find_joined("vector::", name + 7, size - 7);
  }
  return fn != NULL ? fn : find_general(name, size);
}

/* ---- constants ---- */

#define DATETIME_MIN INT64_C(-8334601228800)
#define DATETIME_MAX INT64_C(8210266876799)

static const struct {
  const char *name;
  double value;
} constants[] = {
    {"math::e", 2.71828182845904523536},           {"math::frac_1_pi", 0.318309886183790671538},
    {"math::frac_1_sqrt_2", 0.70710678118654752440}, {"math::frac_2_pi", 0.636619772367581343076},
    {"math::frac_2_sqrt_pi", 1.12837916709551257390}, {"math::frac_pi_2", 1.57079632679489661923},
    {"math::frac_pi_3", 1.04719755119659774615},   {"math::frac_pi_4", 0.785398163397448309616},
    {"math::frac_pi_6", 0.52359877559829887307},   {"math::frac_pi_8", 0.39269908169872415480},
    {"math::inf", INFINITY},                       {"math::infinity", INFINITY},
    {"math::ln_10", 2.30258509299404568402},       {"math::ln_2", 0.693147180559945309417},
    {"math::log10_2", 0.301029995663981195214},    {"math::log10_e", 0.434294481903251827651},
    {"math::log2_10", 3.32192809488736234787},     {"math::log2_e", 1.44269504088896340736},
    {"math::nan", NAN},                            {"math::neg_inf", -INFINITY},
    {"math::pi", 3.14159265358979323846},          {"math::sqrt_2", 1.41421356237309504880},
    {"math::tau", 6.28318530717958647693},         {"time::epoch", 0},
    {"time::minimum", 0},                          {"time::maximum", 0},
    {"duration::max", 0},
};

const char *cwi_db_fn_constant_at(size_t index) {
  return index < CWI_ARRAY_LEN(constants) ? constants[index].name : NULL;
}

bool cwi_db_fn_constant(const char *name, size_t size, cw_value *out) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(constants); i++) {
    const char *known = constants[i].name;
    if (strlen(known) != size || strncasecmp(known, name, size) != 0) continue;
    if (strncmp(known, "math::", 6) == 0) {
      *out = cwi_value_float(constants[i].value);
    } else if (strcmp(known, "time::epoch") == 0) {
      *out = cw_value_datetime(0, 0);
    } else if (strcmp(known, "time::minimum") == 0) {
      *out = cw_value_datetime(DATETIME_MIN, 0);
    } else if (strcmp(known, "time::maximum") == 0) {
      *out = cw_value_datetime(DATETIME_MAX, 999999999);
    } else {
      *out = cw_value_duration(UINT64_MAX, 999999999);
    }
    return true;
  }
  return false;
}

/* ---- failing ---- */

cw_status cwi_db_fn_fail(const cwi_db_fn_ctx *ctx, cw_error *err, const char *format, ...) {
  char text[CW_ERROR_MESSAGE_BYTES_MAX];
  va_list list;
  va_start(list, format);
  (void)vsnprintf(text, sizeof(text), format, list);
  va_end(list);
  return CWI_RAISE(err, CW_E_QUERY, 0, "Incorrect arguments for function %s(). %s", ctx->fn->name,
                   text);
}

static cw_status fail_arity(const cwi_db_fn_ctx *ctx, size_t min, size_t max, cw_error *err) {
  if (max == 0) return cwi_db_fn_fail(ctx, err, "Expected no arguments");
  if (max == SIZE_MAX) {
    return cwi_db_fn_fail(ctx, err, min == 1 ? "Expected at least one argument"
                                             : "Expected at least %zu arguments", min);
  }
  if (min == max)
    return cwi_db_fn_fail(ctx, err, "Expected %zu argument%s", max, max == 1 ? "" : "s");
  return cwi_db_fn_fail(ctx, err, "Expected %zu to %zu arguments", min, max);
}

/* "Argument N was the wrong type. Expected `WHAT` but found `VALUE`" and a tail. */
static cw_status fail_type(const cwi_db_fn_ctx *ctx, size_t index, const char *what, cw_value value,
                           const char *tail, cw_error *err) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_db_text(&text, value);
  const char *shown = cwi_buf_cstr(&text);
  cw_status status = shown == NULL || text.failed
                         ? CWI_RAISE_NOMEM(err, "an error text")
                         : cwi_db_fn_fail(ctx, err, "Argument %zu was the wrong type. %s`%s`%s",
                                          index + 1, what, shown, tail);
  cwi_buf_deinit(&text);
  return status;
}

cw_status cwi_fn_fail_value(cw_error *err, const char *head, cw_value value, const char *tail) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_buf_append_str(&text, head);
  (void)cwi_db_text(&text, value);
  (void)cwi_buf_append_str(&text, tail);
  const char *shown = cwi_buf_cstr(&text);
  cw_status status = shown == NULL || text.failed ? CWI_RAISE_NOMEM(err, "an error text")
                                                  : CWI_RAISE(err, CW_E_QUERY, 0, "%s", shown);
  cwi_buf_deinit(&text);
  return status;
}

/* ---- calling ---- */

static const struct {
  char letter;
  cwi_db_kind kind;
} letters[] = {{'s', CWI_DB_STRING}, {'i', CWI_DB_INT},      {'n', CWI_DB_ANY_NUMBER},
               {'f', CWI_DB_ANY_NUMBER}, {'d', CWI_DB_DECIMAL},  {'b', CWI_DB_BOOL},
               {'a', CWI_DB_ARRAY},  {'o', CWI_DB_OBJECT},   {'S', CWI_DB_SET},
               {'t', CWI_DB_DATETIME}, {'u', CWI_DB_DURATION}, {'U', CWI_DB_UUID},
               {'y', CWI_DB_BYTES},  {'g', CWI_DB_GEOMETRY}, {'r', CWI_DB_RECORD},
               {'R', CWI_DB_RANGE},  {'c', CWI_DB_FUNCTION}};

static cw_status coerce_items(const cwi_db_fn_ctx *ctx, size_t index, cw_value value, char letter,
                              cw_error *err) {
  cwi_db_kind kind = letter == 'N'   ? CWI_DB_ANY_NUMBER
                     : letter == 'T' ? CWI_DB_DATETIME
                                     : CWI_DB_ARRAY;
  const char *name = cwi_db_kind_name(kind);
  char what[64];
  char tail[96];
  if (value.kind != CW_VALUE_ARRAY) {
    (void)snprintf(what, sizeof(what), "Expected `array<%s>` but found ", name);
    return fail_type(ctx, index, what, value, "", err);
  }
  for (size_t i = 0; i < cw_value_len(value); i++) {
    cw_value item = cw_value_array_get(value, i);
    if (kind == CWI_DB_ANY_NUMBER ? cwi_db_is_number(item) : cwi_db_kind_of(item) == kind) continue;
    (void)snprintf(what, sizeof(what), "Expected `%s` but found ", name);
    (void)snprintf(tail, sizeof(tail), " when coercing an element of `array<%s>`", name);
    return fail_type(ctx, index, what, item, tail, err);
  }
  return CW_OK;
}

/* Gives the argument as its letter wants it: a new reference in *out. */
static cw_status coerce(const cwi_db_fn_ctx *ctx, size_t index, cw_value value, char letter,
                        cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (letter == 'N' || letter == 'T' || letter == 'A') {
    cw_status status = coerce_items(ctx, index, value, letter, err);
    if (status == CW_OK) *out = cwi_value_retain(value);
    return status;
  }
  if (letter == 'x') {
    bool ok = false;
    cw_status status = cwi_db_cast(value, CWI_DB_REGEX, out, &ok, err);
    if (status != CW_OK || ok) return status;
    return fail_type(ctx, index, "Could not cast into `regex` using input ", value, "", err);
  }
  for (size_t i = 0; i < CWI_ARRAY_LEN(letters); i++) {
    if (letters[i].letter != letter) continue;
    bool ok = false;
    cw_status status = cwi_db_coerce(value, letters[i].kind, out, &ok, err);
    if (status == CW_OK && ok && letter == 'f') {
      double number = cwi_db_number_as_float(*out);
      cwi_value_drop(*out);
      *out = cwi_value_float(number);
    }
    if (status != CW_OK || ok) return status;
    char what[64];
    (void)snprintf(what, sizeof(what), "Expected `%s` but found ",
                   cwi_db_kind_name(letters[i].kind));
    return fail_type(ctx, index, what, value, "", err);
  }
  CWI_ASSERT(letter == 'v');
  *out = cwi_value_retain(value);
  return CW_OK;
}

static cw_status call_row(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, cw_value *out,
                          cw_error *err) {
  const cwi_db_fn *fn = ctx->fn;
  if ((fn->flags & CWI_DB_FN_SPECIAL) == 0) return fn->call(ctx, args, len, out, err);
  if (ctx->host == NULL || ctx->host->special == NULL) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' is not available here", fn->name);
  }
  return ctx->host->special(ctx->context, fn, args, len, out, err);
}

cw_status cwi_db_fn_invoke(cwi_db_fn_ctx *ctx, const cwi_db_fn *fn, const cw_value *args,
                           size_t len, cw_value *out, cw_error *err) {
  size_t min;
  size_t max;
  const cwi_db_fn *outer = ctx->fn;
  ctx->fn = fn;
  *out = cwi_value_none();
  cwi_db_fn_arity(fn, &min, &max);
  cw_status status = CW_OK;
  if ((fn->flags & CWI_DB_FN_UNREGISTERED) != 0) {
    status = CWI_RAISE(err, CW_E_QUERY, 0, "Unknown function '%s' - not found in function registry",
                       fn->name);
  } else if (len < min || len > max) {
    status = fail_arity(ctx, min, max, err);
  } else if (max == SIZE_MAX && (fn->args[0] == 'v' || fn->args[0] == '?') && fn->args[1] != 'a') {
    status = call_row(ctx, args, len, out, err);
  } else {
    cw_value few[ARGS_MAX];
    cw_value *given = len <= ARGS_MAX ? few : cwi_alloc_array(len, sizeof(cw_value));
    if (given == NULL) status = CWI_RAISE_NOMEM(err, "arguments");
    size_t made = 0;
    const char *letter = fn->args;
    while (status == CW_OK && made < len) {
      if (*letter == '?') letter++;
      status = coerce(ctx, made, args[made], *letter, &given[made], err);
      if (status == CW_OK) made++;
      if (letter[1] != '*') letter++;
    }
    if (status == CW_OK) status = call_row(ctx, given, len, out, err);
    while (made > 0) cwi_value_drop(given[--made]);
    if (given != few && given != NULL) cwi_free(given, len * sizeof(cw_value));
  }
  ctx->fn = outer;
  if (status != CW_OK) *out = cwi_value_none();
  return status;
}

/* ---- helpers of the function files ---- */

cw_status cwi_fn_finish(cwi_buf *buf, cw_value *out, cw_error *err) {
  cw_status status = buf->failed ? CWI_RAISE_NOMEM(err, "a string")
                                 : cw_value_string(buf->data, buf->size, out, err);
  cwi_buf_deinit(buf);
  return status;
}

#define CALL_DEPTH_MAX 120

cw_status cwi_fn_call(cwi_db_fn_ctx *ctx, cw_value closure, const cw_value *args, size_t len,
                      cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (cwi_db_kind_of(closure) != CWI_DB_FUNCTION) {
    return fail_type(ctx, 1, "Expected `function` but found ", closure, "", err);
  }
  if (ctx->host == NULL || ctx->host->call == NULL) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "closures cannot be called here");
  }
  if (ctx->depth >= CALL_DEPTH_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "closures call each other too deeply");
  }
  ctx->depth++;
  cw_status status = ctx->host->call(ctx->context, closure, args, len, out, err);
  ctx->depth--;
  return status;
}

cw_status cwi_fn_test(cwi_db_fn_ctx *ctx, cw_value test, cw_value item, size_t index, bool *holds,
                      cw_error *err) {
  *holds = false;
  if (cwi_db_kind_of(test) != CWI_DB_FUNCTION) {
    *holds = cwi_db_compare(test, item) == 0;
    return CW_OK;
  }
  cw_value args[2] = {item, cwi_value_int((int64_t)index)};
  cw_value result;
  cw_status status = cwi_fn_call(ctx, test, args, 2, &result, err);
  if (status == CW_OK) *holds = cwi_db_truthy(result);
  cwi_value_drop(result);
  return status;
}

uint32_t *cwi_fn_codepoints(cw_value string, size_t *len) {
  const char *text = cwi_fn_chars(string);
  size_t size = cwi_fn_size(string);
  *len = cwi_utf8_len(text, size);
  uint32_t *points = cwi_alloc(*len * sizeof(uint32_t));
  if (points == NULL) return NULL;
  for (size_t i = 0, at = 0; i < *len; i++) at += cwi_utf8_decode(text + at, size - at, &points[i]);
  return points;
}

cw_status cwi_fn_slice(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, size_t size,
                       size_t *begin, size_t *end, cw_error *err) {
  int64_t first = 0;
  int64_t last = INT64_MAX;
  *begin = 0;
  *end = size;
  if (len < 2 || args[1].kind == CW_VALUE_NONE) return CW_OK;
  if (cwi_db_kind_of(args[1]) == CWI_DB_RANGE) {
    cw_value ignored;
    if (!cwi_db_range_ints(args[1], &first, &last)) {
      return fail_type(ctx, 1, "Expected `range` but found ", args[1], "", err);
    }
    if (cwi_db_range_begin(args[1], &ignored) == CWI_DB_UNBOUNDED) first = 0;
  } else {
    bool ok = false;
    cw_value number;
    cw_status status = cwi_db_coerce(args[1], CWI_DB_INT, &number, &ok, err);
    if (status != CW_OK) return status;
    if (!ok) {
      /* The recorded text names array::slice and argument 1, whichever slice it was. */
      return cwi_fn_fail_value(
          err,
          "Incorrect arguments for function array::slice(). Argument 1 was the "
          "wrong type. Expected `int` but found `",
          args[1], "`");
    }
    first = cwi_value_as_int(number);
    if (len > 2 && args[2].kind != CW_VALUE_NONE) {
      status = cwi_db_coerce(args[2], CWI_DB_INT, &number, &ok, err);
      if (status != CW_OK) return status;
      if (!ok) return fail_type(ctx, 2, "Expected `int` but found ", args[2], "", err);
      last = cwi_value_as_int(number);
    }
  }
  *begin = cwi_fn_position(first, size);
  *end = cwi_fn_position(last, size);
  if (*end < *begin) *end = *begin;
  return CW_OK;
}
