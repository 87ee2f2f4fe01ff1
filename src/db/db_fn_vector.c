/* SPDX-License-Identifier: MIT */
/* vector:: functions over arrays of numbers. */
#include <math.h>

#include "db/db_fn_internal.h"

static cw_value at(cw_value v, size_t i) { return cw_value_array_get(v, i); }
static double real(cw_value v, size_t i) { return cwi_db_number_as_float(at(v, i)); }

static cw_status check_same(cwi_db_fn_ctx *ctx, const cw_value *args, cw_error *err) {
  if (cw_value_len(args[0]) == cw_value_len(args[1])) return CW_OK;
  return cwi_db_fn_fail(ctx, err, "The two vectors must be of the same dimension.");
}

static cw_status each(cwi_db_fn_ctx *ctx, cwi_db_op op, const cw_value *args, cw_value *out,
                      cw_error *err) {
  cw_value list;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  status = cw_value_array(cw_value_len(args[0]), &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    cw_value item;
    status = cwi_db_arith(op, at(args[0], i), at(args[1], i), &item, err);
    if (status == CW_OK) status = cw_value_array_push(&list, item, err);
  }
  return cwi_fn_give(status, list, out);
}

#define EACH(name, op)                              \
  FN(name) {                                        \
    (void)len;                                      \
    return each(ctx, (op), args, out, err);         \
  }
EACH(vector_add, CWI_DB_ADD)
EACH(vector_subtract, CWI_DB_SUB)
EACH(vector_multiply, CWI_DB_MUL)
EACH(vector_divide, CWI_DB_DIV)

/* A vector of a[i] * factor + 0, or of a[i] / divisor. */
static cw_status make_floats(cw_value v, double factor, double divisor, cw_value *out,
                             cw_error *err) {
  cw_value list;
  cw_status status = cw_value_array(cw_value_len(v), &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(v); i++) {
    status = cw_value_array_push(&list, cwi_value_float(real(v, i) * factor / divisor), err);
  }
  return cwi_fn_give(status, list, out);
}

static double dot(cw_value a, cw_value b) {
  double sum = 0.0;
  for (size_t i = 0; i < cw_value_len(a); i++) sum += real(a, i) * real(b, i);
  return sum;
}

static double magnitude(cw_value v) { return sqrt(dot(v, v)); }

FN(vector_scale) {
  FN_UNUSED;
  cw_value list;
  cw_status status = cw_value_array(cw_value_len(args[0]), &list, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    cw_value item;
    status = cwi_db_arith(CWI_DB_MUL, at(args[0], i), args[1], &item, err);
    if (status == CW_OK) status = cw_value_array_push(&list, item, err);
  }
  return cwi_fn_give(status, list, out);
}

FN(vector_magnitude) {
  FN_UNUSED;
  /* The recorded engine starts its sum at -0.0. */
  *out = cwi_value_float(cw_value_len(args[0]) == 0 ? -0.0 : magnitude(args[0]));
  return CW_OK;
}

FN(vector_normalize) {
  FN_UNUSED;
  return make_floats(args[0], 1.0, magnitude(args[0]), out, err);
}

FN(vector_project) {
  (void)len;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  return make_floats(args[1], dot(args[0], args[1]) / dot(args[1], args[1]), 1.0, out, err);
}

FN(vector_angle) {
  (void)len;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  *out = cwi_value_float(acos(dot(args[0], args[1]) / (magnitude(args[0]) * magnitude(args[1]))));
  return CW_OK;
}

/* Adds sign * a[i] * b[k] to *sum, keeping the kind of the numbers. */
static cw_status add_product(const cw_value *args, size_t i, size_t k, cwi_db_op op, cw_value *sum,
                             cw_error *err) {
  cw_value product;
  cw_value next;
  cw_status status = cwi_db_arith(CWI_DB_MUL, at(args[0], i), at(args[1], k), &product, err);
  if (status != CW_OK) return status;
  status = cwi_db_arith(op, *sum, product, &next, err);
  cwi_value_drop(product);
  if (status != CW_OK) return status;
  cwi_value_drop(*sum);
  *sum = next;
  return CW_OK;
}

FN(vector_cross) {
  (void)len;
  if (cw_value_len(args[0]) != 3 || cw_value_len(args[1]) != 3) {
    return cwi_db_fn_fail(ctx, err, "Both vectors must have a dimension of 3.");
  }
  cw_value list;
  cw_status status = cw_value_array(3, &list, err);
  for (size_t i = 0; status == CW_OK && i < 3; i++) {
    size_t x = (i + 1) % 3;
    size_t y = (i + 2) % 3;
    cw_value sum = cwi_value_int(0);
    status = add_product(args, x, y, CWI_DB_ADD, &sum, err);
    if (status == CW_OK) status = add_product(args, y, x, CWI_DB_SUB, &sum, err);
    if (status == CW_OK) {
      status = cw_value_array_push(&list, sum, err);
    } else {
      cwi_value_drop(sum);
    }
  }
  return cwi_fn_give(status, list, out);
}

FN(vector_dot) {
  (void)len;
  cw_value sum = cwi_value_int(0);
  cw_status status = check_same(ctx, args, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    status = add_product(args, i, i, CWI_DB_ADD, &sum, err);
  }
  return cwi_fn_give(status, sum, out);
}

/* ---- distances ---- */

FN(distance_chebyshev) {
  (void)len;
  double most = 0.0;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    most = fmax(most, fabs(real(args[0], i) - real(args[1], i)));
  }
  *out = cwi_value_float(most);
  return CW_OK;
}

FN(distance_euclidean) {
  (void)len;
  double sum = 0.0;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    double d = real(args[0], i) - real(args[1], i);
    sum += d * d;
  }
  *out = cwi_value_float(sqrt(sum));
  return CW_OK;
}

FN(distance_hamming) {
  (void)len;
  int64_t count = 0;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    count += cwi_db_compare(at(args[0], i), at(args[1], i)) != 0;
  }
  *out = cwi_value_int(count);
  return CW_OK;
}

FN(distance_manhattan) {
  (void)len;
  cw_value sum = cwi_value_int(0);
  cw_status status = check_same(ctx, args, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(args[0]); i++) {
    cw_value d;
    cw_value next;
    status = cwi_db_arith(CWI_DB_SUB, at(args[0], i), at(args[1], i), &d, err);
    if (status != CW_OK) break;
    bool negative = cwi_db_compare(d, cwi_value_int(0)) < 0;
    status = cwi_db_arith(negative ? CWI_DB_SUB : CWI_DB_ADD, sum, d, &next, err);
    cwi_value_drop(d);
    if (status != CW_OK) break;
    cwi_value_drop(sum);
    sum = next;
  }
  return cwi_fn_give(status, sum, out);
}

FN(distance_minkowski) {
  (void)len;
  double sum = 0.0;
  double order = cwi_db_number_as_float(args[2]);
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    sum += pow(fabs(real(args[0], i) - real(args[1], i)), order);
  }
  *out = cwi_value_float(pow(sum, 1.0 / order));
  return CW_OK;
}

FN(not_done) {
  FN_UNUSED;
  return CWI_RAISE(err, CW_E_QUERY, 0, "Unimplemented functionality: %s() function", ctx->fn->name);
}

FN(similarity_cosine) {
  (void)len;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  *out = cwi_value_float(dot(args[0], args[1]) / (magnitude(args[0]) * magnitude(args[1])));
  return CW_OK;
}

FN(similarity_jaccard) {
  (void)len;
  cw_value a = cwi_value_none();
  cw_value b = cwi_value_none();
  (void)ctx;
  cw_status status = cwi_db_value_set(cwi_value_retain(args[0]), &a, err);
  if (status == CW_OK) status = cwi_db_value_set(cwi_value_retain(args[1]), &b, err);
  if (status == CW_OK) {
    size_t both = 0;
    size_t a_len = cw_value_len(cwi_db_set_items(a));
    size_t b_len = cw_value_len(cwi_db_set_items(b));
    for (size_t i = 0; i < a_len; i++) both += cwi_db_set_has(b, at(cwi_db_set_items(a), i));
    *out = cwi_value_float((double)both / (double)(a_len + b_len - both));
  }
  cwi_value_drop(a);
  cwi_value_drop(b);
  return status;
}

FN(similarity_pearson) {
  (void)len;
  cw_status status = check_same(ctx, args, err);
  if (status != CW_OK) return status;
  double n = (double)cw_value_len(args[0]);
  double mean_a = 0.0;
  double mean_b = 0.0;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    mean_a += real(args[0], i) / n;
    mean_b += real(args[1], i) / n;
  }
  double covariance = 0.0;
  double a_square = 0.0;
  double b_square = 0.0;
  for (size_t i = 0; i < cw_value_len(args[0]); i++) {
    double x = real(args[0], i) - mean_a;
    double y = real(args[1], i) - mean_b;
    covariance += x * y;
    a_square += x * x;
    b_square += y * y;
  }
  *out = cwi_value_float(covariance / sqrt(a_square * b_square));
  return CW_OK;
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"vector::add", "NN", vector_add, P, "The sum, item by item."},
    {"vector::angle", "NN", vector_angle, P, "The angle between two."},
    {"vector::cross", "NN", vector_cross, P, "The cross product."},
    {"vector::distance::chebyshev", "NN", distance_chebyshev, P, "The largest difference."},
    {"vector::distance::euclidean", "NN", distance_euclidean, P, "The straight distance."},
    {"vector::distance::hamming", "NN", distance_hamming, P, "How many items differ."},
    {"vector::distance::knn", "?v", NULL, CWI_DB_FN_SPECIAL,
     "The distance that the KNN operator found."},
    {"vector::distance::mahalanobis", "NN", not_done, P, "Not implemented there either."},
    {"vector::distance::manhattan", "NN", distance_manhattan, P, "The sum of differences."},
    {"vector::distance::minkowski", "NNn", distance_minkowski, P, "The distance of an order."},
    {"vector::divide", "NN", vector_divide, P, "The quotient, item by item."},
    {"vector::dot", "NN", vector_dot, P, "The dot product."},
    {"vector::magnitude", "N", vector_magnitude, P, "The length."},
    {"vector::multiply", "NN", vector_multiply, P, "The product, item by item."},
    {"vector::normalize", "N", vector_normalize, P, "With length 1."},
    {"vector::project", "NN", vector_project, P, "The first onto the second."},
    {"vector::scale", "Nn", vector_scale, P, "Times a number."},
    {"vector::similarity::cosine", "NN", similarity_cosine, P, "The cosine of the angle."},
    {"vector::similarity::jaccard", "NN", similarity_jaccard, P, "Common items by all items."},
    {"vector::similarity::pearson", "NN", similarity_pearson, P, "The correlation."},
    {"vector::similarity::spearman", "NN", not_done, P, "Not implemented there either."},
    {"vector::subtract", "NN", vector_subtract, P, "The difference, item by item."},
};
FN_LIST(cwi_db_fns_vector, "vector::", rows);
