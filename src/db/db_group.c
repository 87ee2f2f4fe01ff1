/* SPDX-License-Identifier: MIT */
/* Expressions over a group of rows: an aggregate function sees the list of its argument's values,
 * one a row; what stands outside of one is evaluated on the first row. */
#include <string.h>
#include <strings.h>

#include "db/db_exec.h"

static bool vec_has(const sql_vec *items) {
  for (uint32_t i = 0; i < items->len; i++) {
    if (cwi_exec_has_aggregate(items->items[i])) return true;
  }
  return false;
}

/* The functions that are aggregates in GROUP BY; any other one is evaluated row by row. */
static const char *const aggregates[] = {
    "count",
    "array::distinct",
    "array::flatten",
    "array::group",
    "math::bottom",
    "math::interquartile",
    "math::max",
    "math::mean",
    "math::median",
    "math::min",
    "math::mode",
    "math::nearestrank",
    "math::percentile",
    "math::spread",
    "math::stddev",
    "math::sum",
    "math::top",
    "math::trimean",
    "math::variance",
    "time::max",
    "time::min",
};

static bool is_aggregate(const sql_expr *node) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(aggregates); i++) {
    if (strlen(aggregates[i]) == node->u.call.name.size &&
        strncasecmp(aggregates[i], node->u.call.name.text, node->u.call.name.size) == 0) {
      return true;
    }
  }
  return false;
}

bool cwi_exec_has_aggregate(const sql_expr *node) {
  if (node == NULL) return false;
  switch ((sql_node)node->kind) {
    case SQL_CALL: return is_aggregate(node) || vec_has(&node->u.call.args);
    case SQL_UNARY:
    case SQL_PAREN: return cwi_exec_has_aggregate(node->u.binary.left);
    case SQL_BINARY:
      return cwi_exec_has_aggregate(node->u.binary.left) ||
             cwi_exec_has_aggregate(node->u.binary.right);
    case SQL_CAST: return cwi_exec_has_aggregate(node->u.cast.expr);
    case SQL_ARRAY:
    case SQL_SET: return vec_has(&node->u.list);
    case SQL_OBJECT:
      for (uint32_t i = 0; i < node->u.list.len; i++) {
        if (cwi_exec_has_aggregate(((const sql_pair *)node->u.list.items[i])->value)) return true;
      }
      return false;
    case SQL_IDIOM:
      return node->u.idiom.start != NULL && cwi_exec_has_aggregate(node->u.idiom.start);
    default: return false;
  }
}

static bool wanted(const cwi_db_fn *fn, cw_value value) {
  if (strncmp(fn->name, "math::", 6) == 0) return cwi_db_is_number(value);
  if (strncmp(fn->name, "time::", 6) == 0) return value.kind == CW_VALUE_DATETIME;
  return true;
}

static cw_status aggregate(db_ctx *c, const sql_expr *node, const db_group *group, cw_value *out) {
  const cwi_db_fn *fn = cwi_db_fn_find(node->u.call.name.text, node->u.call.name.size);
  bool count = strcmp(fn->name, "count") == 0;
  if (count && node->u.call.args.len == 0) {
    *out = cwi_value_int((int64_t)group->len);
    return CW_OK;
  }
  cw_value args[4] = {cwi_value_none(), cwi_value_none(), cwi_value_none(), cwi_value_none()};
  size_t len = node->u.call.args.len < 4 ? node->u.call.args.len : 4;
  int64_t truthy = 0;
  cw_status status = cw_value_array(group->len, &args[0], &c->err);
  for (size_t i = 0; status == CW_OK && len > 0 && i < group->len; i++) {
    cw_value item = cwi_value_none();
    status =
        cwi_exec_eval_with(c, node->u.call.args.items[0], group->docs[i], group->rids[i], &item);
    if (status != CW_OK) break;
    if (cwi_db_truthy(item)) truthy++;
    if (wanted(fn, item))
      status = cw_value_array_push(&args[0], item, &c->err);
    else
      cw_value_release(&item);
  }
  for (size_t i = 1; status == CW_OK && i < len; i++) {
    status = cwi_exec_eval_with(c, node->u.call.args.items[i],
                                group->len > 0 ? group->docs[0] : cwi_value_none(),
                                cwi_value_none(), &args[i]);
  }
  if (status == CW_OK) {
    bool empty = cw_value_len(args[0]) == 0;
    if (count) {
      *out = cwi_value_int(truthy);
    } else if (empty && strcmp(fn->name, "time::min") == 0) {
      cwi_db_fn_constant("time::MAXIMUM", 13, out);
    } else if (empty && strcmp(fn->name, "time::max") == 0) {
      cwi_db_fn_constant("time::MINIMUM", 13, out);
    } else {
      status = cwi_db_fn_invoke(&c->fn, fn, args, len, out, &c->err);
      if (status == CW_OK && strcmp(fn->name, "math::median") == 0 && out->kind == CW_VALUE_FLOAT &&
          cw_value_len(args[0]) % 2 == 1) {
        for (size_t i = 0; i < cw_value_len(args[0]); i++) { /* the middle item itself */
          cw_value item = cw_value_array_get(args[0], i);
          if (cwi_db_equal(item, *out)) {
            *out = cwi_value_retain(item);
            break;
          }
        }
      }
    }
  }
  for (size_t i = 0; i < 4; i++) cw_value_release(&args[i]);
  return status;
}

/* Aggregates inside a list or an object. */
static cw_status inside_items(db_ctx *c, const sql_expr *node, cw_value *out) {
  bool object = node->kind == SQL_OBJECT;
  cw_status status =
      object ? cw_value_object(out, &c->err) : cw_value_array(node->u.list.len, out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < node->u.list.len; i++) {
    const sql_pair *pair = node->u.list.items[i];
    cw_value item = cwi_value_none();
    status = cwi_exec_eval_group(c, object ? pair->value : node->u.list.items[i], &item);
    if (status != CW_OK) break;
    status = object ? cw_value_object_set(out, pair->key.text, pair->key.size, item, &c->err)
                    : cw_value_array_push(out, item, &c->err);
  }
  return status;
}

static cw_status inside_call(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value args[8] = {{0}};
  size_t len = node->u.call.args.len < 8 ? node->u.call.args.len : 8, done = 0;
  cw_status status = CW_OK;
  for (; status == CW_OK && done < len; done++) {
    status = cwi_exec_eval_group(c, node->u.call.args.items[done], &args[done]);
  }
  const cwi_db_fn *fn = cwi_db_fn_find(node->u.call.name.text, node->u.call.name.size);
  if (status == CW_OK) {
    status = fn != NULL ? cwi_db_fn_invoke(&c->fn, fn, args, len, out, &c->err)
                        : cwi_exec_fail(c, CW_E_QUERY, "Unknown function in an aggregate");
  }
  for (size_t i = 0; i < done; i++) cw_value_release(&args[i]);
  return status;
}

static cw_status inside_binary(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value a = cwi_value_none(), b = cwi_value_none();
  cw_status status = cwi_exec_eval_group(c, node->u.binary.left, &a);
  if (status == CW_OK) status = cwi_exec_eval_group(c, node->u.binary.right, &b);
  if (status == CW_OK) status = cwi_exec_binary(c, (sql_op)node->op, a, b, out);
  cw_value_release(&a);
  cw_value_release(&b);
  return status;
}

/* An expression around aggregates: its operands are evaluated over the group, then put together. */
static cw_status inside(db_ctx *c, const sql_expr *node, cw_value *out, bool *done) {
  db_group *group = c->group;
  cw_value value = cwi_value_none();
  cw_status status;
  *done = true;
  switch ((sql_node)node->kind) {
    case SQL_BINARY: return inside_binary(c, node, out);
    case SQL_PAREN: return cwi_exec_eval_group(c, node->u.binary.left, out);
    case SQL_CALL: return inside_call(c, node, out);
    case SQL_OBJECT:
    case SQL_ARRAY: return inside_items(c, node, out);
    case SQL_CAST:
      status = cwi_exec_eval_group(c, node->u.cast.expr, &value);
      if (status == CW_OK) status = cwi_exec_cast(c, value, node->u.cast.type, out);
      cw_value_release(&value);
      return status;
    case SQL_IDIOM:
      status = cwi_exec_eval_group(c, node->u.idiom.start, &value);
      c->group = NULL;
      if (status == CW_OK) status = cwi_exec_eval_parts(c, value, &node->u.idiom.parts, 0, out);
      c->group = group;
      cw_value_release(&value);
      return status;
    default: *done = false; return CW_OK;
  }
}

cw_status cwi_exec_eval_group(db_ctx *c, const sql_expr *node, cw_value *out) {
  db_group *group = c->group;
  cw_status status;
  *out = cwi_value_none();
  if (node->kind == SQL_CALL && is_aggregate(node)) {
    c->group = NULL;
    status = aggregate(c, node, group, out);
    c->group = group;
    return status;
  }
  if (cwi_exec_has_aggregate(node)) {
    bool done;
    status = inside(c, node, out, &done);
    if (done) return status;
  }
  c->group = NULL;
  if (group->len > 0)
    status = cwi_exec_eval_with(c, node, group->docs[0], group->rids[0], out);
  else
    status = cwi_exec_eval(c, node, out);
  c->group = group;
  return status;
}
