/* SPDX-License-Identifier: MIT */
/* array:: functions that call closures, sort, compare item by item, or make arrays. */
#include <stdio.h>

#include "core/alloc.h"
#include "db/db_fn_internal.h"
#include "db/db_fn_rand.h"
#include "db/db_unicode.h"

static cw_value at(cw_value array, size_t i) { return cw_value_array_get(array, i); }

FN(array_map) {
  cw_value list;
  size_t size = cw_value_len(args[0]);
  (void)len;
  cw_status status = cw_value_array(size, &list, err);
  for (size_t i = 0; status == CW_OK && i < size; i++) {
    cw_value given[2] = {at(args[0], i), cwi_value_int((int64_t)i)};
    cw_value item;
    status = cwi_fn_call(ctx, args[1], given, 2, &item, err);
    if (status == CW_OK) status = cw_value_array_push(&list, item, err);
  }
  return cwi_fn_give(status, list, out);
}

static cw_status filter(cwi_db_fn_ctx *ctx, const cw_value *args, bool indexes, cw_value *out,
                        cw_error *err) {
  cw_value list;
  cw_status status = cw_value_array(0, &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    bool holds;
    status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    if (status != CW_OK || !holds) continue;
    status = indexes ? cw_value_array_push(&list, cwi_value_int((int64_t)i), err)
                     : cwi_fn_push(&list, at(args[0], i), err);
  }
  return cwi_fn_give(status, list, out);
}

FN(array_filter) {
  (void)len;
  return filter(ctx, args, false, out, err);
}

FN(array_filter_index) {
  (void)len;
  return filter(ctx, args, true, out, err);
}

FN(array_find) {
  (void)len;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    bool holds;
    cw_status status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    if (status != CW_OK) return status;
    if (!holds) continue;
    *out = cwi_value_retain(at(args[0], i));
    return CW_OK;
  }
  return CW_OK;
}

FN(array_find_index) {
  (void)len;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    bool holds;
    cw_status status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    if (status != CW_OK) return status;
    if (!holds) continue;
    *out = cwi_value_int((int64_t)i);
    return CW_OK;
  }
  return CW_OK;
}

static cw_status fold(cwi_db_fn_ctx *ctx, cw_value array, size_t from, cw_value start,
                      cw_value closure, cw_value *out, cw_error *err) {
  cw_value sum = cwi_value_retain(start);
  for (size_t i = from; i < cw_value_len(array); i++) {
    cw_value given[3] = {sum, at(array, i), cwi_value_int((int64_t)i)};
    cw_value next;
    cw_status status = cwi_fn_call(ctx, closure, given, 3, &next, err);
    cwi_value_drop(sum);
    if (status != CW_OK) return status;
    sum = next;
  }
  *out = sum;
  return CW_OK;
}

FN(array_fold) {
  (void)len;
  return fold(ctx, args[0], 0, args[1], args[2], out, err);
}

FN(array_reduce) {
  (void)len;
  if (cw_value_len(args[0]) == 0) return CW_OK;
  return fold(ctx, args[0], 1, at(args[0], 0), args[1], out, err);
}

FN(array_matches) {
  cw_value list;
  (void)len;
  cw_status status = cw_value_array(cw_value_len(args[0]), &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    bool holds;
    status = cwi_fn_test(ctx, args[1], at(args[0], i), i, &holds, err);
    if (status == CW_OK) status = cw_value_array_push(&list, cwi_value_bool(holds), err);
  }
  return cwi_fn_give(status, list, out);
}

/* ---- item by item ---- */

typedef cw_value (*pair_rule)(cw_value a, cw_value b);

static cw_value rule_and(cw_value a, cw_value b) {
  return cwi_value_bool(cwi_db_truthy(a) && cwi_db_truthy(b));
}
static cw_value rule_or(cw_value a, cw_value b) {
  return cwi_value_bool(cwi_db_truthy(a) || cwi_db_truthy(b));
}
static cw_value rule_xor(cw_value a, cw_value b) {
  return cwi_value_bool(cwi_db_truthy(a) != cwi_db_truthy(b));
}
static cw_value rule_logical_and(cw_value a, cw_value b) { return cwi_db_truthy(a) ? b : a; }
static cw_value rule_logical_or(cw_value a, cw_value b) { return cwi_db_truthy(a) ? a : b; }
static cw_value rule_logical_xor(cw_value a, cw_value b) {
  if (cwi_db_truthy(a) != cwi_db_truthy(b)) return cwi_db_truthy(a) ? a : b;
  return cwi_db_truthy(a) ? cwi_value_bool(false) : b;
}

/* A missing item counts as NULL. */
static cw_status pairwise(cw_value a, cw_value b, pair_rule rule, cw_value *out, cw_error *err) {
  cw_value list;
  size_t a_len = cw_value_len(a);
  size_t b_len = cw_value_len(b);
  size_t most = a_len > b_len ? a_len : b_len;
  cw_status status = cw_value_array(most, &list, err);
  for (size_t i = 0; status == CW_OK && i < most; i++) {
    cw_value x = i < a_len ? at(a, i) : cwi_value_null();
    cw_value y = i < b_len ? at(b, i) : cwi_value_null();
    status = cwi_fn_push(&list, rule(x, y), err);
  }
  return cwi_fn_give(status, list, out);
}

#define PAIRWISE(name, rule)                              \
  FN(name) {                                              \
    FN_UNUSED;                                            \
    return pairwise(args[0], args[1], (rule), out, err);  \
  }
PAIRWISE(array_boolean_and, rule_and)
PAIRWISE(array_boolean_or, rule_or)
PAIRWISE(array_boolean_xor, rule_xor)
PAIRWISE(array_logical_and, rule_logical_and)
PAIRWISE(array_logical_or, rule_logical_or)
PAIRWISE(array_logical_xor, rule_logical_xor)

FN(array_boolean_not) {
  FN_UNUSED;
  cw_value list;
  cw_status status = cw_value_array(cw_value_len(args[0]), &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    status = cw_value_array_push(&list, cwi_value_bool(!cwi_db_truthy(at(args[0], i))), err);
  }
  return cwi_fn_give(status, list, out);
}

/* ---- order ---- */

static cw_value extreme(cw_value array, int sign) {
  cw_value best = at(array, 0);
  for (size_t i = 1; i < cw_value_len(array); i++) {
    if (cwi_db_compare(at(array, i), best) * sign > 0) best = at(array, i);
  }
  return cwi_value_retain(best);
}

FN(array_max) {
  FN_UNUSED;
  *out = extreme(args[0], 1);
  return CW_OK;
}

FN(array_min) {
  FN_UNUSED;
  *out = extreme(args[0], -1);
  return CW_OK;
}

typedef struct sort_rule {
  int sign;
  bool natural;
  bool folded;
} sort_rule;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Runs of digits compare as numbers. */
static int compare_natural(const char *a, size_t a_size, const char *b, size_t b_size) {
  size_t i = 0;
  size_t k = 0;
  while (i < a_size && k < b_size) {
    if (!is_digit(a[i]) || !is_digit(b[k])) {
      if (a[i] != b[k]) return (unsigned char)a[i] < (unsigned char)b[k] ? -1 : 1;
      i++;
      k++;
      continue;
    }
    while (i < a_size && a[i] == '0') i++;
    while (k < b_size && b[k] == '0') k++;
    size_t x = i;
    size_t y = k;
    while (i < a_size && is_digit(a[i])) i++;
    while (k < b_size && is_digit(b[k])) k++;
    if (i - x != k - y) return i - x < k - y ? -1 : 1;
    int order = memcmp(a + x, b + y, i - x);
    if (order != 0) return order < 0 ? -1 : 1;
  }
  return (i < a_size ? 1 : 0) - (k < b_size ? 1 : 0);
}

static int compare_texts(const char *a, size_t a_size, const char *b, size_t b_size, bool natural) {
  if (natural) return compare_natural(a, a_size, b, b_size);
  size_t shorter = a_size < b_size ? a_size : b_size;
  int order = shorter > 0 ? memcmp(a, b, shorter) : 0;
  return order != 0 ? (order < 0 ? -1 : 1) : (a_size > b_size) - (a_size < b_size);
}

static int compare_by_rule(cw_value a, cw_value b, void *context) {
  const sort_rule *rule = context;
  if (!(rule->natural || rule->folded) || a.kind != CW_VALUE_STRING || b.kind != CW_VALUE_STRING) {
    return rule->sign * cwi_db_compare(a, b);
  }
  int order = 0;
  if (rule->folded) {
    cwi_buf x;
    cwi_buf y;
    cwi_buf_init(&x, 0);
    cwi_buf_init(&y, 0);
    (void)cwi_db_unicode_append_folded(&x, cwi_fn_chars(a), cwi_fn_size(a));
    (void)cwi_db_unicode_append_folded(&y, cwi_fn_chars(b), cwi_fn_size(b));
    order = compare_texts(x.data, x.size, y.data, y.size, rule->natural);
    cwi_buf_deinit(&x);
    cwi_buf_deinit(&y);
  }
  if (order == 0) {
    order = compare_texts(cwi_fn_chars(a), cwi_fn_size(a), cwi_fn_chars(b), cwi_fn_size(b),
                          rule->natural);
  }
  return rule->sign * order;
}

static int sign_of(const cw_value *args, size_t len) {
  if (len < 2) return 1;
  if (args[1].kind == CW_VALUE_STRING) return strcmp(cwi_fn_chars(args[1]), "desc") == 0 ? -1 : 1;
  return args[1].kind == CW_VALUE_BOOL && args[1].bits == 0 ? -1 : 1;
}

static cw_status sort(cw_value array, sort_rule rule, cw_value *out, cw_error *err) {
  cw_value copy = cwi_value_retain(array);
  cw_status status = cwi_value_make_unique(&copy, err);
  if (status == CW_OK) {
    cwi_array *items = cwi_value_array_ptr(copy);
    status = cwi_db_sort(items->items, items->len, compare_by_rule, &rule, err);
  }
  return cwi_fn_give(status, copy, out);
}

#define SORT(name, sign, natural, folded)                                        \
  FN(name) {                                                                     \
    FN_UNUSED;                                                                   \
    return sort(args[0], (sort_rule){(sign), (natural), (folded)}, out, err);    \
  }
SORT(array_sort, sign_of(args, len), false, false)
SORT(array_sort_asc, 1, false, false)
SORT(array_sort_desc, -1, false, false)
SORT(array_sort_natural, sign_of(args, len), true, false)
SORT(array_sort_lexical, sign_of(args, len), false, true)
SORT(array_sort_natural_lexical, sign_of(args, len), true, true)

/* ---- making ---- */

FN(array_join) {
  FN_UNUSED;
  cwi_buf text;
  cwi_buf_init(&text, 0);
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    if (i > 0) (void)cwi_buf_append(&text, cwi_fn_chars(args[1]), cwi_fn_size(args[1]));
    (void)cwi_db_text_bare(&text, at(args[0], i));
  }
  return cwi_fn_finish(&text, out, err);
}

static cw_status fail_output(const cwi_db_fn_ctx *ctx, cw_error *err) {
  return cwi_db_fn_fail(ctx, err, "Output must not exceed %d bytes.", CWI_FN_OUTPUT_BYTES_MAX);
}

static cw_status count_up(const cwi_db_fn_ctx *ctx, int64_t first, int64_t end, cw_value *out,
                          cw_error *err) {
  cw_value list;
  if (end > first && (uint64_t)end - (uint64_t)first > CWI_FN_OUTPUT_BYTES_MAX / 8) {
    return fail_output(ctx, err);
  }
  cw_status status = cw_value_array(end > first ? (size_t)(end - first) : 0, &list, err);
  for (int64_t i = first; status == CW_OK && i < end; i++) {
    status = cw_value_array_push(&list, cwi_value_int(i), err);
  }
  return cwi_fn_give(status, list, out);
}

FN(array_range) {
  int64_t first;
  int64_t end;
  if (len == 1) {
    if (cwi_db_kind_of(args[0]) != CWI_DB_RANGE || !cwi_db_range_ints(args[0], &first, &end)) {
      return cwi_db_fn_fail(ctx, err, "Expected 2 arguments");
    }
    return count_up(ctx, first, end, out, err);
  }
  cw_value bounds[2];
  for (size_t i = 0; i < 2; i++) {
    bool ok;
    cw_status status = cwi_db_coerce(args[i], CWI_DB_INT, &bounds[i], &ok, err);
    if (status != CW_OK) return status;
    if (ok) continue;
    char head[120];
    (void)snprintf(
        head, sizeof(head),
        "Incorrect arguments for function array::range(). Argument %zu was the wrong type. "
        "Expected `int` but found `",
        i + 1);
    return cwi_fn_fail_value(err, head, args[i], "`");
  }
  return count_up(ctx, cwi_value_as_int(bounds[0]), cwi_value_as_int(bounds[1]), out, err);
}

FN(array_sequence) {
  int64_t first = len > 1 ? cwi_value_as_int(args[0]) : 0;
  int64_t count = cwi_value_as_int(args[len > 1 ? 1 : 0]);
  int64_t end;
  if (CWI_ADD_OVERFLOWS(first, count, &end)) return fail_output(ctx, err);
  return count_up(ctx, first, end, out, err);
}

FN(array_repeat) {
  cw_value list;
  (void)len;
  int64_t count = cwi_value_as_int(args[1]);
  if (count < 0 || count > CWI_FN_OUTPUT_BYTES_MAX / 8) return fail_output(ctx, err);
  cw_status status = cw_value_array((size_t)count, &list, err);
  for (int64_t i = 0; status == CW_OK && i < count; i++) status = cwi_fn_push(&list, args[0], err);
  return cwi_fn_give(status, list, out);
}

FN(array_shuffle) {
  FN_UNUSED;
  cw_value copy = cwi_value_retain(args[0]);
  cw_status status = cwi_value_make_unique(&copy, err);
  if (status == CW_OK) {
    cwi_array *items = cwi_value_array_ptr(copy);
    for (size_t i = items->len; i > 1; i--) {
      size_t k = (size_t)cwi_fn_random_below(i);
      cw_value other = items->items[k];
      items->items[k] = items->items[i - 1];
      items->items[i - 1] = other;
    }
  }
  return cwi_fn_give(status, copy, out);
}

#define P CWI_DB_FN_PURE
#define C CWI_DB_FN_CALLS
static const cwi_db_fn rows[] = {
    {"array::boolean_and", "aa", array_boolean_and, P, "AND of the truths of items, pair by pair."},
    {"array::boolean_not", "a", array_boolean_not, P, "NOT of each item's truth."},
    {"array::boolean_or", "aa", array_boolean_or, P, "OR of the truths of items, pair by pair."},
    {"array::boolean_xor", "aa", array_boolean_xor, P, "XOR of the truths of items, pair by pair."},
    {"array::filter", "av", array_filter, C, "The items that pass."},
    {"array::filter_index", "av", array_filter_index, C, "The indexes of the items that pass."},
    {"array::find", "av", array_find, C, "The first item that passes."},
    {"array::find_index", "av", array_find_index, C, "The index of the first item that passes."},
    {"array::fold", "avv", array_fold, C, "Folds the items into a starting value."},
    {"array::join", "as", array_join, P, "The texts of the items with a separator."},
    {"array::logical_and", "aa", array_logical_and, P, "AND of items, pair by pair."},
    {"array::logical_or", "aa", array_logical_or, P, "OR of items, pair by pair."},
    {"array::logical_xor", "aa", array_logical_xor, P, "XOR of items, pair by pair."},
    {"array::map", "av", array_map, C, "What a closure makes of each item."},
    {"array::matches", "av", array_matches, C, "For each item, whether it passes."},
    {"array::max", "a", array_max, P | CWI_DB_FN_AGGREGATE, "The largest item."},
    {"array::min", "a", array_min, P | CWI_DB_FN_AGGREGATE, "The smallest item."},
    {"array::range", "v?v", array_range, P, "The ints from one to before another."},
    {"array::reduce", "av", array_reduce, C, "Folds the items into the first."},
    {"array::repeat", "vi", array_repeat, P, "An item, many times."},
    {"array::sequence", "i?i", array_sequence, P, "That many ints, from 0 or a start."},
    {"array::shuffle", "a", array_shuffle, CWI_DB_FN_RANDOM, "The items in random order."},
    {"array::sort", "a?v", array_sort, P, "The items in order; false or 'desc' backward."},
    {"array::sort::asc", "a", array_sort_asc, P, "The items in order."},
    {"array::sort::desc", "a", array_sort_desc, P, "The items in reverse order."},
    {"array::sort_lexical", "a?v", array_sort_lexical, P,
     "Sorts strings without accents and case."},
    {"array::sort_natural", "a?v", array_sort_natural, P, "Sorts with runs of digits as numbers."},
    {"array::sort_natural_lexical", "a?v", array_sort_natural_lexical, P, "Both ways of sorting."},
};
FN_LIST(cwi_db_fns_array_more, "array::", rows);
