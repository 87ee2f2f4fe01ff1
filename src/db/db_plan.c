/* SPDX-License-Identifier: MIT */
/* The planner: whether an index gives the rows of a condition, and what EXPLAIN shows of it.
 *
 * The condition is taken apart at its ANDs. An index is used where its first fields are compared
 * with constants: all equal, or the last one in a range, or, for one field, one of a list. Rows
 * that the index gives are still checked against the whole condition. */
#include <string.h>

#include "db/db_exec.h"
#include "db/db_index.h"

#define CONDS_MAX 16

typedef struct cond {
  const sql_expr *idiom, *value;
  sql_op op;
} cond;

static bool is_constant(const sql_expr *node) {
  switch ((sql_node)node->kind) {
    case SQL_LITERAL:
    case SQL_PARAM:
    case SQL_CONST:
    case SQL_RECORD: return true;
    case SQL_PAREN:
    case SQL_UNARY: return is_constant(node->u.binary.left);
    case SQL_CAST: return is_constant(node->u.cast.expr);
    case SQL_ARRAY:
      for (uint32_t i = 0; i < node->u.list.len; i++) {
        if (!is_constant(node->u.list.items[i])) return false;
      }
      return true;
    default: return false;
  }
}

static size_t conditions(const sql_expr *where, cond *out, size_t len) {
  while (where != NULL && where->kind == SQL_PAREN) where = where->u.binary.left;
  if (where == NULL || where->kind != SQL_BINARY || len == CONDS_MAX) return len;
  if (where->op == SQL_OP_AND) {
    len = conditions(where->u.binary.left, out, len);
    return conditions(where->u.binary.right, out, len);
  }
  const sql_expr *a = where->u.binary.left, *b = where->u.binary.right;
  sql_op op = (sql_op)where->op;
  bool known = op == SQL_OP_EQ || op == SQL_OP_EXACT || (op >= SQL_OP_LT && op <= SQL_OP_GE) ||
               op == SQL_OP_INSIDE;
  if (known && a->kind == SQL_IDIOM && a->u.idiom.start == NULL && is_constant(b)) {
    out[len++] = (cond){.idiom = a, .value = b, .op = op};
  } else if (known && op != SQL_OP_INSIDE && b->kind == SQL_IDIOM && b->u.idiom.start == NULL &&
             is_constant(a)) {
    static const sql_op turned[] = {SQL_OP_GT, SQL_OP_GE, SQL_OP_LT, SQL_OP_LE};
    out[len++] =
        (cond){.idiom = b, .value = a, .op = op >= SQL_OP_LT ? turned[op - SQL_OP_LT] : op};
  }
  return len;
}

static bool same_text(const sql_expr *a, const sql_expr *b) {
  cwi_buf x, y;
  cwi_buf_init(&x, 0);
  cwi_buf_init(&y, 0);
  cwi_sql_print_expr(&x, a);
  cwi_sql_print_expr(&y, b);
  bool same = !x.failed && !y.failed && x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
  cwi_buf_deinit(&x);
  cwi_buf_deinit(&y);
  return same;
}

void cwi_exec_plan_deinit(db_plan *plan) {
  cw_value_release(&plan->values);
  cw_value_release(&plan->range);
  cw_value_release(&plan->branches);
}

static bool usable(cw_value value) {
  return value.kind != CW_VALUE_NONE && value.kind != CW_VALUE_NULL &&
         value.kind != CW_VALUE_ARRAY && cwi_db_kind_of(value) != CWI_DB_SET &&
         cwi_db_kind_of(value) != CWI_DB_REGEX;
}

static cw_status range_for(db_ctx *c, const cond *conds, size_t len, const sql_expr *field,
                           cw_value *out) {
  cwi_db_bound begin = CWI_DB_UNBOUNDED, end = CWI_DB_UNBOUNDED;
  cw_value from = cwi_value_none(), to = cwi_value_none();
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    sql_op op = conds[i].op;
    if (op < SQL_OP_LT || op > SQL_OP_GE || !same_text(conds[i].idiom, field)) continue;
    bool low = op == SQL_OP_GT || op == SQL_OP_GE;
    if ((low ? begin : end) != CWI_DB_UNBOUNDED) continue;
    status = cwi_exec_eval(c, conds[i].value, low ? &from : &to);
    if (low)
      begin = op == SQL_OP_GE ? CWI_DB_INCLUDED : CWI_DB_EXCLUDED;
    else
      end = op == SQL_OP_LE ? CWI_DB_INCLUDED : CWI_DB_EXCLUDED;
  }
  if (status == CW_OK && (begin != CWI_DB_UNBOUNDED || end != CWI_DB_UNBOUNDED)) {
    return cwi_db_value_range(begin, from, end, to, out, &c->err);
  }
  cw_value_release(&from);
  cw_value_release(&to);
  return status;
}

static cw_status try_index(db_ctx *c, const cond *conds, size_t len, const db_def *index,
                           db_plan *plan) {
  const sql_def_index *ix = &index->define->ix;
  cw_value values = cwi_value_none(), range = cwi_value_none(), branches = cwi_value_none();
  cw_status status = cw_value_array(ix->fields.len, &values, &c->err);
  uint32_t at = 0;
  for (bool more = true; status == CW_OK && more && at < ix->fields.len;) {
    more = false;
    for (size_t i = 0; status == CW_OK && !more && i < len; i++) {
      if ((conds[i].op != SQL_OP_EQ && conds[i].op != SQL_OP_EXACT) ||
          !same_text(conds[i].idiom, ix->fields.items[at])) {
        continue;
      }
      cw_value value = cwi_value_none();
      status = cwi_exec_eval(c, conds[i].value, &value);
      if (status == CW_OK && usable(value)) {
        status = cw_value_array_push(&values, value, &c->err);
        more = true;
        at++;
      } else {
        cw_value_release(&value);
      }
    }
  }
  if (status == CW_OK && at < ix->fields.len) {
    status = range_for(c, conds, len, ix->fields.items[at], &range);
  }
  for (size_t i = 0; status == CW_OK && at == 0 && ix->fields.len == 1 && i < len; i++) {
    if (conds[i].op == SQL_OP_INSIDE && branches.kind == CW_VALUE_NONE &&
        same_text(conds[i].idiom, ix->fields.items[0])) {
      status = cwi_exec_eval(c, conds[i].value, &branches);
      bool good = branches.kind == CW_VALUE_ARRAY;
      for (size_t k = 0; good && k < cw_value_len(branches); k++) {
        good = usable(cw_value_array_get(branches, k));
      }
      if (!good) cw_value_release(&branches);
    }
  }
  size_t before = plan->index == NULL ? 0 : cw_value_len(plan->values) * 2 + 1;
  size_t score = at * 2U + (range.kind != CW_VALUE_NONE || branches.kind != CW_VALUE_NONE ? 1 : 0);
  if (status == CW_OK && score > 0 && score > before) {
    cwi_exec_plan_deinit(plan);
    *plan = (db_plan){.index = index, .values = values, .range = range, .branches = branches};
    return CW_OK;
  }
  cw_value_release(&values);
  cw_value_release(&range);
  cw_value_release(&branches);
  return status;
}

cw_status cwi_exec_plan_make(db_ctx *c, const sql_select *s, db_table *table, db_plan *out) {
  cond conds[CONDS_MAX];
  *out = (db_plan){0};
  if (s->no_index || s->where == NULL) return CW_OK;
  size_t len = conditions(s->where, conds, 0);
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && len > 0 && i < table->indexes.len; i++) {
    const db_def *index = &table->indexes.items[i];
    sql_index_kind kind = index->define->ix.kind;
    if (kind != SQL_IX_PLAIN && kind != SQL_IX_UNIQUE) continue;
    bool named = s->with.len == 0;
    for (uint32_t k = 0; k < s->with.len; k++) {
      named = named || cwi_exec_str_same(*(const sql_str *)s->with.items[k], index->define->name);
    }
    if (named) status = try_index(c, conds, len, index, out);
  }
  if (status != CW_OK) cwi_exec_plan_deinit(out);
  return status;
}

static cw_status scan_index(db_ctx *c, db_table *table, const db_plan *plan, const cw_value *values,
                            size_t len, const sql_expr *where, db_rows *rows) {
  cwi_db_index index = {.db = table->scope.db,
                        .table = table->scope.table,
                        .index = plan->index->id,
                        .unique = plan->index->define->ix.kind == SQL_IX_UNIQUE};
  cwi_db_index_scan *scan = NULL;
  size_t first = rows->len;
  cw_status status =
      cwi_db_index_scan_open(c->txn, index, values, len, plan->range, false, &scan, &c->err);
  while (status == CW_OK) {
    cw_value key = cwi_value_none(), rid = cwi_value_none(), doc = cwi_value_none(),
             keep = cwi_value_none();
    bool found = false, seen = false;
    status = cwi_db_index_scan_next(scan, &key, &found, &c->err);
    if (status != CW_OK || !found) break;
    status = cwi_db_value_record(cwi_value_retain(table->name), key, &rid, &c->err);
    if (status == CW_OK) status = cwi_exec_record_read(c, table, rid, &doc);
    if (status == CW_OK) status = cwi_exec_eval_with(c, where, doc, rid, &keep);
    bool list = false;
    for (uint32_t f = 0; status == CW_OK && f < plan->index->define->ix.fields.len; f++) {
      cw_value field = cwi_value_none();
      status = cwi_exec_eval_with(c, plan->index->define->ix.fields.items[f], doc, rid, &field);
      list = list || field.kind == CW_VALUE_ARRAY;
      cw_value_release(&field);
    }
    for (size_t i = first; list && !seen && i < rows->len; i++)
      seen = cwi_db_equal(rows->rids[i], rid);
    if (status == CW_OK && doc.kind != CW_VALUE_NONE && cwi_db_truthy(keep) && !seen) {
      status = cwi_exec_rows_push(c, rows, doc, rid);
    } else {
      cw_value_release(&doc);
      cw_value_release(&rid);
    }
    cw_value_release(&keep);
    if (status == CW_OK) status = cwi_exec_tick(c);
  }
  cwi_db_index_scan_close(scan);
  return status;
}

cw_status cwi_exec_plan_rows(db_ctx *c, db_table *table, const db_plan *plan, const sql_expr *where,
                             db_rows *rows) {
  if (plan->branches.kind != CW_VALUE_ARRAY) {
    const cw_value *values =
        cw_value_len(plan->values) > 0 ? cwi_value_array_ptr(plan->values)->items : NULL;
    return scan_index(c, table, plan, values, cw_value_len(plan->values), where, rows);
  }
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(plan->branches); i++) {
    cw_value value = cw_value_array_get(plan->branches, i);
    bool before = false;
    for (size_t k = 0; k < i; k++)
      before = before || cwi_db_equal(cw_value_array_get(plan->branches, k), value);
    if (!before) status = scan_index(c, table, plan, &value, 1, where, rows);
  }
  return status;
}

/* ---- EXPLAIN ---- */

static cw_status attr(db_ctx *c, cw_value *attributes, const char *key, const char *text,
                      size_t size) {
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_string(c, text, size, &value);
  return status == CW_OK ? cwi_exec_obj_set(c, attributes, key, value) : status;
}

static cw_status attr_expr(db_ctx *c, cw_value *attributes, const char *key, const sql_expr *node) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_sql_print_expr(&text, node);
  cw_status status = attr(c, attributes, key, text.data, text.size);
  cwi_buf_deinit(&text);
  return status;
}

/* An operator over its child (NONE: a leaf); takes attributes and child. */
static cw_status operator_(db_ctx *c, const char *name, cw_value attributes, cw_value children,
                           const char *role, const sql_expr *expression, cw_value *out) {
  cw_value text = cwi_value_none();
  cw_status status = cw_value_object(out, &c->err);
  if (status == CW_OK) status = attr(c, out, "operator", name, strlen(name));
  if (status == CW_OK) status = attr(c, out, "context", "Db", 2);
  if (status == CW_OK && attributes.kind == CW_VALUE_OBJECT)
    status = cwi_exec_obj_set(c, out, "attributes", attributes);
  if (status == CW_OK && children.kind == CW_VALUE_ARRAY)
    status = cwi_exec_obj_set(c, out, "children", children);
  if (status == CW_OK && role != NULL) {
    cw_value list = cwi_value_none(), item = cwi_value_none();
    status = cw_value_array(1, &list, &c->err);
    if (status == CW_OK) status = cw_value_object(&item, &c->err);
    if (status == CW_OK) status = attr(c, &item, "role", role, strlen(role));
    if (status == CW_OK) status = attr_expr(c, &item, "sql", expression);
    if (status == CW_OK) status = cw_value_array_push(&list, item, &c->err);
    if (status == CW_OK) status = cwi_exec_obj_set(c, out, "expressions", list);
  }
  (void)text;
  return status;
}

static cw_status one_child(db_ctx *c, cw_value child, cw_value *out) {
  cw_status status = cw_value_array(1, out, &c->err);
  return status == CW_OK ? cw_value_array_push(out, child, &c->err) : status;
}

static cw_status index_node(db_ctx *c, const db_plan *plan, cw_value value, cw_value *out) {
  cwi_buf access;
  cwi_buf_init(&access, 0);
  const sql_def_index *ix = &plan->index->define->ix;
  cw_value attributes = cwi_value_none();
  if (value.kind != CW_VALUE_NONE) {
    cwi_buf_append_str(&access, "= ");
    cwi_db_text(&access, value);
  } else if (ix->fields.len == 1 && cw_value_len(plan->values) == 1) {
    cwi_buf_append_str(&access, "= ");
    cwi_db_text(&access, cw_value_array_get(plan->values, 0));
  } else if (cw_value_len(plan->values) > 0) {
    cwi_db_text(&access, plan->values);
  }
  if (plan->range.kind != CW_VALUE_NONE) {
    cw_value from, to;
    cwi_db_bound begin = cwi_db_range_begin(plan->range, &from),
                 end = cwi_db_range_end(plan->range, &to);
    if (begin != CWI_DB_UNBOUNDED) {
      cwi_buf_append_str(&access, begin == CWI_DB_INCLUDED ? ">=" : ">");
      cwi_db_text(&access, from);
    }
    if (end != CWI_DB_UNBOUNDED) {
      if (begin != CWI_DB_UNBOUNDED) cwi_buf_append_char(&access, ' ');
      cwi_buf_append_str(&access, end == CWI_DB_INCLUDED ? "<=" : "<");
      cwi_db_text(&access, to);
    }
  }
  sql_str name = plan->index->define->name;
  cw_status status = cw_value_object(&attributes, &c->err);
  if (status == CW_OK) status = attr(c, &attributes, "index", name.text, name.size);
  if (status == CW_OK) status = attr(c, &attributes, "access", access.data, access.size);
  if (status == CW_OK) status = attr(c, &attributes, "direction", "Forward", 7);
  cwi_buf_deinit(&access);
  return status == CW_OK ? operator_(c, "IndexScan", attributes, cwi_value_none(), NULL, NULL, out)
                         : status;
}

static cw_status union_node(db_ctx *c, const sql_select *s, const db_plan *plan, sql_str table,
                            cw_value *out) {
  cw_value attributes = cwi_value_none(), list = cwi_value_none(), child = cwi_value_none();
  char number[24];
  cwi_buf text;
  cwi_buf_init(&text, sizeof(number));
  cwi_buf_append_format(&text, "%zu", cw_value_len(plan->branches));
  cw_status status = cw_value_array(0, &list, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(plan->branches); i++) {
    cw_value item = cwi_value_none();
    status = index_node(c, plan, cw_value_array_get(plan->branches, i), &item);
    if (status == CW_OK) status = cw_value_array_push(&list, item, &c->err);
  }
  if (status == CW_OK) status = cw_value_object(&attributes, &c->err);
  if (status == CW_OK) status = attr(c, &attributes, "table", table.text, table.size);
  if (status == CW_OK) status = attr(c, &attributes, "branches", text.data, text.size);
  cwi_buf_deinit(&text);
  if (status == CW_OK)
    status = operator_(c, "UnionIndexScan", attributes, list, NULL, NULL, &child);
  if (status == CW_OK) status = one_child(c, child, &list);
  attributes = cwi_value_none();
  if (status == CW_OK) status = cw_value_object(&attributes, &c->err);
  if (status == CW_OK) status = attr_expr(c, &attributes, "predicate", s->where);
  return status == CW_OK ? operator_(c, "Filter", attributes, list, NULL, NULL, out) : status;
}

static cw_status source_node(db_ctx *c, const sql_select *s, cw_value *out) {
  const sql_expr *target = s->what.items[0];
  cw_value attributes = cwi_value_none();
  cw_status status = cw_value_object(&attributes, &c->err);
  if (status != CW_OK) return status;
  if (target->kind == SQL_RECORD) {
    status = attr_expr(c, &attributes, "record_id", target);
    return status == CW_OK ? operator_(c, "RecordIdScan", attributes, cwi_value_none(), "record_id",
                                       target, out)
                           : status;
  }
  if (target->kind != SQL_TABLE) {
    status = attr_expr(c, &attributes, "source", target);
    return status == CW_OK
               ? operator_(c, "SourceExpr", attributes, cwi_value_none(), NULL, NULL, out)
               : status;
  }
  cw_value name = cwi_value_none();
  db_table *table;
  db_plan plan = {0};
  status = cwi_exec_string(c, target->u.name.text, target->u.name.size, &name);
  if (status == CW_OK) status = cwi_exec_table_need(c, name, &table);
  cw_value_release(&name);
  if (status == CW_OK) status = cwi_exec_plan_make(c, s, table, &plan);
  if (status == CW_OK && plan.index != NULL) {
    cw_value_release(&attributes);
    status = plan.branches.kind == CW_VALUE_ARRAY ? union_node(c, s, &plan, target->u.name, out)
                                                  : index_node(c, &plan, cwi_value_none(), out);
  } else if (status == CW_OK) {
    status = attr(c, &attributes, "table", target->u.name.text, target->u.name.size);
    if (status == CW_OK) status = attr(c, &attributes, "direction", "Forward", 7);
    if (status == CW_OK && s->where != NULL)
      status = attr_expr(c, &attributes, "predicate", s->where);
    if (status == CW_OK)
      status = operator_(c, "TableScan", attributes, cwi_value_none(), NULL, NULL, out);
  } else {
    cw_value_release(&attributes);
  }
  cwi_exec_plan_deinit(&plan);
  return status;
}

static cw_status wrap(db_ctx *c, const char *name, cw_value attributes, cw_value *node,
                      const char *role, const sql_expr *expression) {
  cw_value list = cwi_value_none(), outer = cwi_value_none();
  cw_status status = one_child(c, *node, &list);
  *node = cwi_value_none();
  if (status == CW_OK) status = operator_(c, name, attributes, list, role, expression, &outer);
  *node = outer;
  return status;
}

static cw_status tree(db_ctx *c, const sql_select *s, cw_value *out) {
  const sql_field *first = s->fields.list.items[0];
  cw_value attributes = cwi_value_none();
  bool count = s->group_all && s->where == NULL && s->fields.list.len == 1 && first->expr != NULL &&
               first->expr->kind == SQL_CALL &&
               cwi_exec_name_is(first->expr->u.call.name, "count") &&
               first->expr->u.call.args.len == 0;
  if (count) {
    cw_status status = cw_value_object(&attributes, &c->err);
    if (status == CW_OK) status = attr_expr(c, &attributes, "source", s->what.items[0]);
    return status == CW_OK
               ? operator_(c, "CountScan", attributes, cwi_value_none(), NULL, NULL, out)
               : status;
  }
  cw_status status = source_node(c, s, out);
  if (status == CW_OK && s->order.len > 0) {
    cwi_buf keys;
    cwi_buf_init(&keys, 0);
    for (uint32_t i = 0; i < s->order.len; i++) {
      const sql_order *order = s->order.items[i];
      if (i > 0) cwi_buf_append_str(&keys, ", ");
      cwi_sql_print_expr(&keys, order->idiom);
      cwi_buf_append_str(&keys, order->desc ? " DESC" : " ASC");
    }
    status = cw_value_object(&attributes, &c->err);
    if (status == CW_OK) status = attr(c, &attributes, "sort_keys", keys.data, keys.size);
    if (status == CW_OK && s->limit != NULL) status = attr_expr(c, &attributes, "limit", s->limit);
    cwi_buf_deinit(&keys);
    if (status == CW_OK) {
      status =
          wrap(c, s->limit != NULL ? "SortTopKByKey" : "SortByKey", attributes, out, NULL, NULL);
    }
  }
  if (status == CW_OK && s->limit != NULL) {
    attributes = cwi_value_none();
    status = cw_value_object(&attributes, &c->err);
    if (status == CW_OK) status = attr_expr(c, &attributes, "limit", s->limit);
    if (status == CW_OK) status = wrap(c, "Limit", attributes, out, "limit", s->limit);
  }
  attributes = cwi_value_none();
  const sql_expr *target = s->what.items[0];
  if (status == CW_OK && target->kind == SQL_RECORD) {
    return wrap(c, "Project", attributes, out, NULL, NULL);
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_sql_print_fields(&text, &s->fields);
  if (status == CW_OK) status = cw_value_object(&attributes, &c->err);
  if (status == CW_OK) status = attr(c, &attributes, "projections", text.data, text.size);
  cwi_buf_deinit(&text);
  return status == CW_OK ? wrap(c, "SelectProject", attributes, out, NULL, NULL) : status;
}

static void render(cwi_buf *out, cw_value node, size_t depth) {
  static const char *const order[] = {"projections", "index",    "access",    "table",
                                      "source",      "branches", "direction", "predicate",
                                      "record_id",   "limit",    "sort_keys"};
  for (size_t i = 0; i < depth; i++) cwi_buf_append_str(out, "    ");
  sql_str name = db_str(cwi_exec_obj_get(node, "operator"));
  cwi_buf_append(out, name.text, name.size);
  cwi_buf_append_str(out, " [ctx: Db]");
  cw_value attributes = cwi_exec_obj_get(node, "attributes");
  bool any = false;
  for (size_t i = 0; i < CWI_ARRAY_LEN(order); i++) {
    cw_value value = cwi_exec_obj_get(attributes, order[i]);
    if (value.kind != CW_VALUE_STRING) continue;
    sql_str text = db_str(value);
    cwi_buf_append_str(out, any ? ", " : " [");
    cwi_buf_append_format(out, "%s: %.*s", order[i], (int)text.size, text.text);
    any = true;
  }
  cwi_buf_append_str(out, any ? "]\n" : "\n");
  cw_value children = cwi_exec_obj_get(node, "children");
  for (size_t i = 0; i < cw_value_len(children) && depth < 32; i++) {
    render(out, cw_value_array_get(children, i), depth + 1);
  }
}

cw_status cwi_exec_explain(db_ctx *c, const sql_select *s, bool json, cw_value *out) {
  cw_value node = cwi_value_none();
  cw_status status = tree(c, s, &node);
  if (status != CW_OK || json) {
    *out = node;
    return status;
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  render(&text, node, 0);
  status = cwi_value_string_from_buf(&text, out, &c->err);
  cwi_buf_deinit(&text);
  cw_value_release(&node);
  return status;
}
