/* SPDX-License-Identifier: MIT */
/* SELECT: rows are read, filtered, split, grouped, projected, ordered, cut, fetched. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/size.h"
#include "db/db_exec.h"

/* ---- rows ---- */

static void copy_or_free(cw_value **to, cw_value *grown, const db_rows *rows, size_t cap, bool ok) {
  if (!ok) {
    cwi_free(grown, cap * sizeof(cw_value));
    return;
  }
  if (rows->len > 0) memcpy(grown, *to, rows->len * sizeof(cw_value));
  cwi_free(*to, rows->cap * sizeof(cw_value));
  *to = grown;
}

/* Makes all three arrays larger, or none. */
static bool rows_grow(db_rows *rows) {
  size_t cap = cwi_size_grow(rows->cap, rows->len + 1);
  cw_value *docs = cwi_alloc_array(cap, sizeof(cw_value));
  cw_value *rids = cwi_alloc_array(cap, sizeof(cw_value));
  cw_value *extra = cwi_alloc_array(cap, sizeof(cw_value));
  bool ok = docs != NULL && rids != NULL && extra != NULL;
  copy_or_free(&rows->docs, docs, rows, cap, ok);
  copy_or_free(&rows->rids, rids, rows, cap, ok);
  copy_or_free(&rows->extra, extra, rows, cap, ok);
  if (ok) rows->cap = cap;
  return ok;
}

cw_status cwi_exec_rows_push(db_ctx *c, db_rows *rows, cw_value doc, cw_value rid) {
  if (rows->len == rows->cap && !rows_grow(rows)) {
    cw_value_release(&doc);
    cw_value_release(&rid);
    return cwi_exec_nomem(c);
  }
  rows->docs[rows->len] = doc;
  rows->rids[rows->len] = rid;
  rows->extra[rows->len] = cwi_value_none();
  rows->len++;
  return CW_OK;
}

void cwi_exec_rows_deinit(db_rows *rows) {
  for (size_t i = 0; i < rows->len; i++) {
    cw_value_release(&rows->docs[i]);
    cw_value_release(&rows->rids[i]);
    cw_value_release(&rows->extra[i]);
  }
  cwi_free(rows->docs, rows->cap * sizeof(cw_value));
  cwi_free(rows->rids, rows->cap * sizeof(cw_value));
  cwi_free(rows->extra, rows->cap * sizeof(cw_value));
  *rows = (db_rows){0};
}

/* ---- names of projections ---- */

static cw_status text_name(db_ctx *c, const sql_expr *node, cw_value *out) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  if (node->kind == SQL_CALL) {
    cwi_buf_append(&text, node->u.call.name.text, node->u.call.name.size);
  } else if (node->kind == SQL_PARAM) {
    cwi_buf_append(&text, node->u.name.text, node->u.name.size);
  } else {
    cwi_sql_print_expr(&text, node);
  }
  cw_status status = cwi_value_string_from_buf(&text, out, &c->err);
  cwi_buf_deinit(&text);
  return status;
}

/* The flat name of an alias: a, or x.y.z */
static cw_status alias_name(db_ctx *c, const sql_expr *alias, cw_value *out) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  for (uint32_t i = 0; i < alias->u.idiom.parts.len; i++) {
    const sql_part *part = alias->u.idiom.parts.items[i];
    if (i > 0) cwi_buf_append_char(&text, '.');
    cwi_buf_append(&text, part->name.text, part->name.size);
  }
  cw_status status = cwi_value_string_from_buf(&text, out, &c->err);
  cwi_buf_deinit(&text);
  return status;
}

/* The path that an idiom without alias is stored at: names of fields and graph steps. */
static cw_status idiom_path(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_status status = cw_value_array(0, out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < node->u.idiom.parts.len; i++) {
    const sql_part *part = node->u.idiom.parts.items[i];
    cw_value name = cwi_value_none();
    if (part->kind == SQL_P_FIELD) {
      status = cwi_exec_string(c, part->name.text, part->name.size, &name);
    } else if (part->kind == SQL_P_GRAPH) {
      sql_expr one = *node;
      void *items[1] = {(void *)(uintptr_t)part};
      one.u.idiom.start = NULL;
      one.u.idiom.parts = (sql_vec){.items = items, .len = 1};
      if (part->graph->alias != NULL)
        status = alias_name(c, part->graph->alias, &name);
      else
        status = text_name(c, &one, &name);
    } else {
      continue;
    }
    if (status == CW_OK) status = cw_value_array_push(out, name, &c->err);
  }
  return status;
}

static cw_status set_path(db_ctx *c, cw_value *object, cw_value path, size_t from, cw_value item) {
  sql_str name = db_str(cw_value_array_get(path, from));
  if (from + 1 == cw_value_len(path)) {
    return cw_value_object_set(object, name.text, name.size, item, &c->err);
  }
  cw_value inner = cwi_value_retain(cw_value_object_get(*object, name.text, name.size));
  cw_status status = CW_OK;
  if (inner.kind != CW_VALUE_OBJECT) {
    cw_value_release(&inner);
    status = cw_value_object(&inner, &c->err);
  }
  if (status == CW_OK) {
    cw_value_object_remove(object, name.text, name.size, NULL);
    status = set_path(c, &inner, path, from + 1, item);
  } else {
    cw_value_release(&item);
  }
  if (status != CW_OK) {
    cw_value_release(&inner);
    return status;
  }
  return cw_value_object_set(object, name.text, name.size, inner, &c->err);
}

/* A graph step with AS gives the whole projection its name. */
static const sql_expr *graph_alias(const sql_expr *node) {
  if (node->kind != SQL_IDIOM) return NULL;
  for (uint32_t i = 0; i < node->u.idiom.parts.len; i++) {
    const sql_part *part = node->u.idiom.parts.items[i];
    if (part->kind == SQL_P_GRAPH && part->graph->alias != NULL) return part->graph->alias;
  }
  return NULL;
}

static cw_status put_field(db_ctx *c, const sql_field *field, cw_value item, cw_value *out) {
  cw_value name = cwi_value_none();
  const sql_expr *alias = field->alias != NULL ? field->alias : graph_alias(field->expr);
  cw_status status;
  if (alias != NULL) {
    status = alias_name(c, alias, &name);
  } else if (field->expr->kind == SQL_IDIOM && field->expr->u.idiom.start == NULL) {
    status = idiom_path(c, field->expr, &name);
    if (status == CW_OK && cw_value_len(name) > 0) {
      status = set_path(c, out, name, 0, item);
      cw_value_release(&name);
      return status;
    }
    cw_value_release(&name);
    if (status == CW_OK) status = text_name(c, field->expr, &name);
  } else {
    status = text_name(c, field->expr, &name);
  }
  if (status == CW_OK) {
    sql_str text = db_str(name);
    status = cw_value_object_set(out, text.text, text.size, item, &c->err);
  } else {
    cw_value_release(&item);
  }
  cw_value_release(&name);
  return status;
}

static cw_status merge_into(db_ctx *c, cw_value *out, cw_value object) {
  cw_value key, item;
  cw_status status = CW_OK;
  for (cwi_object_iter it = cwi_object_iter_start(object);
       status == CW_OK && cwi_object_iter_next(&it, &key, &item);) {
    status = cwi_value_object_set_key(out, key, cwi_value_retain(item), &c->err);
  }
  return status;
}

/* `*, a AS b` gives b in the place of a. */
static bool renames(const sql_field *field) {
  if (field->alias == NULL || field->expr->kind != SQL_IDIOM ||
      field->expr->u.idiom.start != NULL || field->expr->u.idiom.parts.len != 1) {
    return false;
  }
  return ((const sql_part *)field->expr->u.idiom.parts.items[0])->kind == SQL_P_FIELD;
}

static cw_status remove_renamed(db_ctx *c, const sql_fields *fields, const sql_field *field,
                                cw_value *out) {
  const sql_part *part = field->expr->u.idiom.parts.items[0];
  for (uint32_t i = 0; i < fields->list.len; i++) {
    if (((const sql_field *)fields->list.items[i])->expr != NULL) continue;
    return cw_value_object_remove(out, part->name.text, part->name.size, &c->err);
  }
  return CW_OK;
}

cw_status cwi_exec_project(db_ctx *c, const sql_fields *fields, cw_value doc, cw_value rid,
                           cw_value *out) {
  *out = cwi_value_none();
  const sql_field *first = fields->list.items[0];
  if (fields->value || (fields->list.len == 1 && first->expr == NULL)) {
    if (first->expr == NULL) {
      *out = cwi_value_retain(doc);
      return CW_OK;
    }
    return cwi_exec_eval_with(c, first->expr, doc, rid, out);
  }
  cw_status status = cw_value_object(out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < fields->list.len; i++) {
    const sql_field *field = fields->list.items[i];
    if (field->expr == NULL) {
      if (doc.kind == CW_VALUE_OBJECT) status = merge_into(c, out, doc);
      continue;
    }
    cw_value item = cwi_value_none();
    status = cwi_exec_eval_with(c, field->expr, doc, rid, &item);
    if (status == CW_OK && renames(field)) {
      status = remove_renamed(c, fields, field, out);
    }
    if (status == CW_OK)
      status = put_field(c, field, item, out);
    else
      cw_value_release(&item);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- targets ---- */

static bool keeps(db_ctx *c, const sql_expr *where, cw_value doc, cw_value rid, cw_status *status) {
  if (where == NULL) return true;
  cw_value keep = cwi_value_none();
  *status = cwi_exec_eval_with(c, where, doc, rid, &keep);
  bool yes = *status == CW_OK && cwi_db_truthy(keep);
  cw_value_release(&keep);
  return yes;
}

static cw_status row_if(db_ctx *c, const sql_select *s, db_rows *rows, cw_value doc, cw_value rid) {
  cw_status status = CW_OK;
  if (keeps(c, s->where, doc, rid, &status)) return cwi_exec_rows_push(c, rows, doc, rid);
  cw_value_release(&doc);
  cw_value_release(&rid);
  return status;
}

static cw_status scan_rows(db_ctx *c, const sql_select *s, db_table *table, cw_value range,
                           db_rows *rows) {
  db_scan scan;
  cw_status status = cwi_exec_scan_open(c, table, range, &scan);
  while (status == CW_OK) {
    cw_value rid, doc;
    bool found;
    status = cwi_exec_scan_next(c, &scan, &rid, &doc, &found);
    if (status != CW_OK || !found) break;
    status = row_if(c, s, rows, doc, rid);
  }
  cwi_exec_scan_close(&scan);
  return status;
}

static cw_status table_rows(db_ctx *c, const sql_select *s, cw_value name, db_rows *rows) {
  db_table *table;
  cw_status status = cwi_exec_table_need(c, name, &table);
  if (status != CW_OK) return status;
  c->table = table;
  db_plan plan = {0};
  status = cwi_exec_plan_make(c, s, table, &plan);
  if (status == CW_OK) {
    status = plan.index != NULL ? cwi_exec_plan_rows(c, table, &plan, s->where, rows)
                                : scan_rows(c, s, table, cwi_value_none(), rows);
  }
  cwi_exec_plan_deinit(&plan);
  return status;
}

static cw_status record_rows(db_ctx *c, const sql_select *s, cw_value rid, db_rows *rows) {
  db_table *table;
  cw_status status = cwi_exec_table_need(c, cwi_db_record_table(rid), &table);
  if (status != CW_OK) return status;
  c->table = table;
  if (cwi_db_is_record_range(rid)) return scan_rows(c, s, table, cwi_db_record_key(rid), rows);
  cw_value doc = cwi_value_none();
  status = cwi_exec_record_read(c, table, rid, &doc);
  if (status != CW_OK || doc.kind == CW_VALUE_NONE) return status;
  return row_if(c, s, rows, doc, cwi_value_retain(rid));
}

static cw_status value_rows(db_ctx *c, const sql_select *s, cw_value value, bool top,
                            db_rows *rows) {
  cwi_db_kind kind = cwi_db_kind_of(value);
  if (kind == CWI_DB_RECORD) return record_rows(c, s, value, rows);
  if (kind == CWI_DB_TABLE) return table_rows(c, s, cwi_db_table_name(value), rows);
  cw_value items = kind == CWI_DB_SET ? cwi_db_set_items(value) : value;
  cw_status status = CW_OK;
  if (items.kind == CW_VALUE_ARRAY && top) {
    for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
      status = value_rows(c, s, cw_value_array_get(items, i), false, rows);
    }
    return status;
  }
  if (value.kind == CW_VALUE_NONE) return CW_OK;
  return row_if(c, s, rows, cwi_value_retain(value), cwi_value_none());
}

cw_status cwi_exec_targets(db_ctx *c, const sql_select *s, db_rows *rows) {
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < s->what.len; i++) {
    const sql_expr *target = s->what.items[i];
    if (target->kind == SQL_TABLE) {
      cw_value name = cwi_value_none();
      status = cwi_exec_string(c, target->u.name.text, target->u.name.size, &name);
      if (status == CW_OK) status = table_rows(c, s, name, rows);
      cw_value_release(&name);
    } else {
      cw_value value = cwi_value_none();
      status = cwi_exec_eval(c, target, &value);
      if (status == CW_OK) status = value_rows(c, s, value, true, rows);
      cw_value_release(&value);
    }
  }
  return status;
}

/* ---- SPLIT ---- */

static cw_status split_one(db_ctx *c, db_rows *rows, const sql_expr *idiom) {
  db_rows out = {0};
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < rows->len; i++) {
    cw_value value = cwi_value_none();
    status = cwi_exec_eval_with(c, idiom, rows->docs[i], rows->rids[i], &value);
    cw_value items = cwi_db_kind_of(value) == CWI_DB_SET ? cwi_db_set_items(value) : value;
    if (status == CW_OK && (items.kind != CW_VALUE_ARRAY || cw_value_len(items) == 0)) {
      status = cwi_exec_rows_push(c, &out, cwi_value_retain(rows->docs[i]),
                                  cwi_value_retain(rows->rids[i]));
    } else {
      for (size_t k = 0; status == CW_OK && k < cw_value_len(items); k++) {
        cw_value doc = cwi_value_retain(rows->docs[i]);
        status = cwi_exec_path_set(c, &doc, &idiom->u.idiom.parts, 0,
                                   cwi_value_retain(cw_value_array_get(items, k)));
        if (status == CW_OK)
          status = cwi_exec_rows_push(c, &out, doc, cwi_value_retain(rows->rids[i]));
        else
          cw_value_release(&doc);
      }
    }
    cw_value_release(&value);
  }
  cwi_exec_rows_deinit(rows);
  *rows = out;
  return status;
}

/* ---- GROUP ---- */

static const sql_expr *group_source(const sql_select *s, const sql_expr *key) {
  for (uint32_t i = 0; i < s->fields.list.len; i++) {
    const sql_field *field = s->fields.list.items[i];
    if (field->alias == NULL || field->alias->u.idiom.parts.len != key->u.idiom.parts.len) continue;
    const sql_part *a = field->alias->u.idiom.parts.items[0], *b = key->u.idiom.parts.items[0];
    if (cwi_exec_str_same(a->name, b->name)) return field->expr;
  }
  return key;
}

static bool is_group_key(const sql_select *s, const sql_field *field) {
  cwi_buf a, b;
  bool same = false;
  cwi_buf_init(&a, 0);
  cwi_sql_print_expr(&a, field->alias != NULL ? field->alias : field->expr);
  for (uint32_t i = 0; !same && i < s->group.len; i++) {
    cwi_buf_init(&b, 0);
    cwi_sql_print_expr(&b, s->group.items[i]);
    same = !a.failed && !b.failed && a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
    cwi_buf_deinit(&b);
  }
  cwi_buf_deinit(&a);
  return same;
}

static cw_status each_row(db_ctx *c, const sql_expr *node, const db_group *group, cw_value *out) {
  cw_status status = cw_value_array(group->len, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < group->len; i++) {
    cw_value item = cwi_value_none();
    status = cwi_exec_eval_with(c, node, group->docs[i], group->rids[i], &item);
    if (status == CW_E_QUERY) status = CW_OK; /* a row that fails counts as NONE */
    if (status == CW_OK) status = cw_value_array_push(out, item, &c->err);
  }
  return status;
}

static cw_status group_row(db_ctx *c, const sql_select *s, db_group *group, cw_value *out) {
  cw_status status = s->fields.value ? CW_OK : cw_value_object(out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < s->fields.list.len; i++) {
    const sql_field *field = s->fields.list.items[i];
    cw_value item = cwi_value_none();
    if (cwi_exec_has_aggregate(field->expr)) {
      c->group = group;
      status = cwi_exec_eval(c, field->expr, &item);
      c->group = NULL;
    } else if (is_group_key(s, field)) {
      if (group->len > 0) {
        status = cwi_exec_eval_with(c, field->expr, group->docs[0], group->rids[0], &item);
      }
    } else {
      status = each_row(c, field->expr, group, &item);
    }
    if (status != CW_OK) break;
    if (s->fields.value)
      *out = item;
    else
      status = put_field(c, field, item, out);
  }
  return status;
}

typedef struct group_key {
  cw_value key;
  size_t row;
} group_key;

static int group_compare(const void *a, const void *b) {
  const group_key *x = a, *y = b;
  int order = cwi_db_compare(x->key, y->key);
  return order != 0 ? order : x->row < y->row ? -1 : 1;
}

static cw_status group_rows(db_ctx *c, const sql_select *s, db_rows *rows, db_rows *out) {
  size_t len = rows->len;
  group_key *keys = cwi_alloc_array(len + 1, sizeof(group_key));
  cw_value *docs = cwi_alloc_array(len + 1, sizeof(cw_value));
  cw_value *rids = cwi_alloc_array(len + 1, sizeof(cw_value));
  cw_status status = keys == NULL || docs == NULL || rids == NULL ? cwi_exec_nomem(c) : CW_OK;
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    keys[i].row = i;
    status = cw_value_array(s->group.len, &keys[i].key, &c->err);
    for (uint32_t k = 0; status == CW_OK && k < s->group.len; k++) {
      cw_value item = cwi_value_none();
      status = cwi_exec_eval_with(c, group_source(s, s->group.items[k]), rows->docs[i],
                                  rows->rids[i], &item);
      if (status == CW_OK) status = cw_value_array_push(&keys[i].key, item, &c->err);
    }
  }
  if (status == CW_OK) {
    qsort(keys, len, sizeof(group_key), group_compare);
    for (size_t i = 0; i < len; i++) {
      docs[i] = rows->docs[keys[i].row];
      rids[i] = rows->rids[keys[i].row];
    }
  }
  for (size_t i = 0; status == CW_OK && (i < len || (s->group_all && i == 0));) {
    size_t end = i;
    while (end < len && cwi_db_compare(keys[end].key, keys[i].key) == 0) end++;
    db_group group = {.docs = docs + i, .rids = rids + i, .len = end - i};
    cw_value row = cwi_value_none();
    status = group_row(c, s, &group, &row);
    if (status == CW_OK)
      status = cwi_exec_rows_push(c, out, row, cwi_value_none());
    else
      cw_value_release(&row);
    if (end == i) break;
    i = end;
  }
  for (size_t i = 0; keys != NULL && i < len; i++) cw_value_release(&keys[i].key);
  cwi_free(keys, (len + 1) * sizeof(group_key));
  cwi_free(docs, (len + 1) * sizeof(cw_value));
  cwi_free(rids, (len + 1) * sizeof(cw_value));
  return status;
}

/* ---- ORDER ---- */

typedef struct sort_row {
  cw_value keys; /* ARRAY */
  size_t row;
} sort_row;

typedef struct sort_state {
  const sql_select *s;
} sort_state;

static int sort_compare(const void *a, const void *b, void *context) {
  const sort_row *x = a, *y = b;
  const sql_select *s = ((const sort_state *)context)->s;
  for (uint32_t i = 0; i < s->order.len; i++) {
    const sql_order *order = s->order.items[i];
    int result = cwi_db_compare(cw_value_array_get(x->keys, i), cw_value_array_get(y->keys, i));
    if (result != 0) return order->desc ? -result : result;
  }
  return x->row < y->row ? -1 : x->row > y->row;
}

static cw_status sort_key(db_ctx *c, const sql_select *s, const sql_order *order,
                          const db_rows *rows, size_t i, cw_value result, cw_value *out) {
  const sql_field *first = s->fields.list.items[0];
  bool grouped = s->group.len > 0 || s->group_all;
  if (s->fields.value && !grouped) {
    bool alias = first->alias != NULL && first->expr != NULL;
    if (alias) {
      const sql_part *a = first->alias->u.idiom.parts.items[0],
                     *b = order->idiom->u.idiom.parts.items[0];
      alias = cwi_exec_str_same(a->name, b->name);
    }
    return cwi_exec_eval_with(c, alias ? first->expr : order->idiom, rows->docs[i], rows->rids[i],
                              out);
  }
  return cwi_exec_eval_with(c, order->idiom, result, rows->rids[i], out);
}

static cw_status order_rows(db_ctx *c, const sql_select *s, const db_rows *rows,
                            cw_value *results) {
  size_t len = rows->len;
  if (len < 2) return CW_OK;
  sort_row *order = cwi_alloc_array(len, sizeof(sort_row));
  cw_value *sorted = cwi_alloc_array(len, sizeof(cw_value));
  cw_status status = order == NULL || sorted == NULL ? cwi_exec_nomem(c) : CW_OK;
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    order[i].row = i;
    status = cw_value_array(s->order.len, &order[i].keys, &c->err);
    for (uint32_t k = 0; status == CW_OK && k < s->order.len; k++) {
      cw_value key = cwi_value_none();
      status = sort_key(c, s, s->order.items[k], rows, i, results[i], &key);
      if (status == CW_OK) status = cw_value_array_push(&order[i].keys, key, &c->err);
    }
  }
  if (status == CW_OK) {
    sort_state state = {.s = s};
    qsort_r(order, len, sizeof(sort_row), sort_compare, &state);
    for (size_t i = 0; i < len; i++) sorted[i] = results[order[i].row];
    memcpy(results, sorted, len * sizeof(cw_value));
  }
  for (size_t i = 0; order != NULL && i < len; i++) cw_value_release(&order[i].keys);
  cwi_free(order, len * sizeof(sort_row));
  cwi_free(sorted, len * sizeof(cw_value));
  return status;
}

/* ---- LIMIT and START ---- */

static cw_status limit_of(db_ctx *c, const sql_expr *node, bool start, uint64_t *out) {
  if (node == NULL) return CW_OK;
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node, &value);
  if (status != CW_OK) return status;
  if (value.kind == CW_VALUE_INT && cwi_value_as_int(value) >= 0) {
    *out = (uint64_t)cwi_value_as_int(value);
  } else if (value.kind == CW_VALUE_INT) {
    status = cwi_exec_fail(c, CW_E_QUERY, "LIMIT/START must be a non-negative integer, got %lld",
                           (long long)cwi_value_as_int(value));
  } else if (value.kind == CW_VALUE_NONE || value.kind == CW_VALUE_NULL) {
    *out = 0;
  } else {
    const char *head = start ? "START must be a non-negative integer: expected integer, got "
                             : "LIMIT/START must be an integer, got ";
    sql_str text = db_str(value);
    if (value.kind == CW_VALUE_STRING) {
      status = cwi_exec_fail(c, CW_E_QUERY, "%sString(\"%.*s\")", head, (int)text.size, text.text);
    } else {
      status = cwi_exec_fail_value(c, head, value, "");
    }
  }
  cw_value_release(&value);
  return status;
}

/* ---- FETCH ---- */

static cw_status fetch_at(db_ctx *c, cw_value *value, const sql_vec *parts, uint32_t from) {
  cw_status status = CW_OK;
  if (value->kind == CW_VALUE_ARRAY) {
    for (size_t i = 0; status == CW_OK && i < cw_value_len(*value); i++) {
      cw_value item = cwi_value_retain(cw_value_array_get(*value, i));
      status = fetch_at(c, &item, parts, from);
      if (status == CW_OK)
        status = cw_value_array_set(value, i, item, &c->err);
      else
        cw_value_release(&item);
    }
    return status;
  }
  if (cwi_exec_is_record(*value)) {
    cw_value record = cwi_value_none();
    status = cwi_exec_record_get(c, *value, &record);
    if (status != CW_OK) return status;
    cw_value_release(value);
    *value = record;
  }
  if (from >= parts->len || value->kind != CW_VALUE_OBJECT) return CW_OK;
  const sql_part *part = parts->items[from];
  if (part->kind == SQL_P_ALL) return fetch_at(c, value, parts, from + 1);
  if (part->kind != SQL_P_FIELD) return CW_OK;
  const cw_value *found = cwi_value_object_find(*value, part->name.text, part->name.size);
  if (found == NULL) return CW_OK;
  cw_value item = cwi_value_retain(*found);
  status = fetch_at(c, &item, parts, from + 1);
  if (status != CW_OK) {
    cw_value_release(&item);
    return status;
  }
  return cw_value_object_set(value, part->name.text, part->name.size, item, &c->err);
}

cw_status cwi_exec_fetch(db_ctx *c, cw_value *rows, const sql_vec *idioms) {
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < idioms->len; i++) {
    const sql_expr *idiom = idioms->items[i];
    bool plain = true;
    for (uint32_t k = 0; k < idiom->u.idiom.parts.len; k++) {
      const sql_part *part = idiom->u.idiom.parts.items[k];
      plain = plain && (part->kind == SQL_P_FIELD || part->kind == SQL_P_ALL);
    }
    if (plain) status = fetch_at(c, rows, &idiom->u.idiom.parts, 0);
  }
  return status;
}

/* ---- the whole ---- */

cw_status cwi_exec_only(db_ctx *c, cw_value *rows, bool required) {
  size_t len = cw_value_len(*rows);
  if (len > 1 || (len == 0 && required)) {
    return cwi_exec_fail(c, CW_E_QUERY,
                         "Expected a single result output when using the ONLY keyword");
  }
  cw_value one = cwi_value_retain(cw_value_array_get(*rows, 0));
  cw_value_release(rows);
  *rows = one;
  return CW_OK;
}

static cw_status check_group(db_ctx *c, const sql_select *s) {
  if (s->group.len == 0 && !s->group_all) return CW_OK;
  for (uint32_t i = 0; i < s->fields.list.len; i++) {
    if (((const sql_field *)s->fields.list.items[i])->expr == NULL) {
      return cwi_exec_fail(
          c, CW_E_QUERY,
          "Invalid query: Incorrect selector for aggregate selection, expression `*` within "
          "in selector cannot be aggregated in a group.");
    }
  }
  return CW_OK;
}

static cw_status select_rows(db_ctx *c, const sql_select *s, db_rows *rows) {
  cw_status status = check_group(c, s);
  if (status == CW_OK) status = cwi_exec_targets(c, s, rows);
  const sql_expr *knn = cwi_exec_find_op(s->where, SQL_OP_KNN);
  if (status == CW_OK && knn != NULL) status = cwi_exec_knn_rows(c, knn, rows);
  for (uint32_t i = 0; status == CW_OK && i < s->split.len; i++) {
    status = split_one(c, rows, s->split.items[i]);
  }
  if (status == CW_OK && (s->group.len > 0 || s->group_all)) {
    db_rows grouped = {0};
    status = group_rows(c, s, rows, &grouped);
    cwi_exec_rows_deinit(rows);
    *rows = grouped;
  }
  return status;
}

static cw_status project_rows(db_ctx *c, const sql_select *s, const db_rows *rows,
                              cw_value *results) {
  cw_status status = CW_OK;
  bool grouped = s->group.len > 0 || s->group_all;
  for (size_t i = 0; status == CW_OK && i < rows->len; i++) {
    if (grouped) {
      results[i] = cwi_value_retain(rows->docs[i]);
      continue;
    }
    c->knn = rows->extra[i];
    status = cwi_exec_project(c, &s->fields, rows->docs[i], rows->rids[i], &results[i]);
    c->knn = cwi_value_none();
    if (status == CW_OK) status = cwi_exec_tick(c);
  }
  return status;
}

static cw_status timeout_of(db_ctx *c, const sql_expr *node) {
  if (node == NULL) return CW_OK;
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node, &value);
  if (status == CW_OK && value.kind != CW_VALUE_DURATION) {
    status = cwi_exec_fail(c, CW_E_QUERY, "Invalid timeout value");
  }
  cw_value_release(&value);
  return status;
}

static cw_status run_select(db_ctx *c, const sql_select *s, cw_value *out) {
  db_rows rows = {0};
  cw_value *results = NULL;
  size_t cap = 0;
  uint64_t limit = UINT64_MAX, start = 0;
  cw_status status = timeout_of(c, s->timeout);
  if (status == CW_OK) status = limit_of(c, s->limit, false, &limit);
  if (status == CW_OK) status = limit_of(c, s->start, true, &start);
  if (status == CW_OK) status = select_rows(c, s, &rows);
  if (status == CW_OK) {
    cap = rows.len + 1;
    results = cwi_alloc_array(cap, sizeof(cw_value));
    if (results == NULL) status = cwi_exec_nomem(c);
  }
  if (status == CW_OK && s->order.len == 0 && (start > 0 || limit < rows.len)) {
    /* Nothing has to be projected that is cut away. */
    for (size_t i = 0; i < rows.len; i++) {
      bool keep = i >= start && (uint64_t)i - start < limit;
      size_t to = i - (size_t)(start < i ? start : i);
      if (keep && to != i) {
        cw_value swap[3] = {rows.docs[to], rows.rids[to], rows.extra[to]};
        rows.docs[to] = rows.docs[i];
        rows.rids[to] = rows.rids[i];
        rows.extra[to] = rows.extra[i];
        rows.docs[i] = swap[0];
        rows.rids[i] = swap[1];
        rows.extra[i] = swap[2];
      }
    }
    size_t left = rows.len > start ? rows.len - (size_t)start : 0;
    if (left > limit) left = (size_t)limit;
    for (size_t i = left; i < rows.len; i++) {
      cw_value_release(&rows.docs[i]);
      cw_value_release(&rows.rids[i]);
      cw_value_release(&rows.extra[i]);
    }
    rows.len = left;
    start = 0;
  }
  if (status == CW_OK) status = project_rows(c, s, &rows, results);
  if (status == CW_OK && s->order.len > 0) status = order_rows(c, s, &rows, results);
  if (status == CW_OK) status = cw_value_array(rows.len, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < rows.len; i++) {
    if (i < start || (uint64_t)i - start >= limit) continue;
    cw_value item = results[i];
    results[i] = cwi_value_none();
    for (uint32_t k = 0; status == CW_OK && k < s->omit.len; k++) {
      const sql_expr *idiom = s->omit.items[k];
      status = cwi_exec_path_unset(c, &item, &idiom->u.idiom.parts, 0);
    }
    if (status == CW_OK)
      status = cw_value_array_push(out, item, &c->err);
    else
      cw_value_release(&item);
  }
  if (status == CW_OK && s->fetch.len > 0) status = cwi_exec_fetch(c, out, &s->fetch);
  if (status == CW_OK && s->only) status = cwi_exec_only(c, out, false);
  for (size_t i = 0; results != NULL && i < rows.len; i++) cw_value_release(&results[i]);
  cwi_free(results, cap * sizeof(cw_value));
  cwi_exec_rows_deinit(&rows);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cwi_exec_select(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_select *s = node->u.stmt;
  if (s->explain) return cwi_exec_explain(c, s, true, out);
  const sql_expr *where = c->where;
  db_table *table = c->table;
  cw_value knn = c->knn;
  c->where = s->where;
  c->table = NULL;
  cw_status status = ++c->calls > DB_CALL_DEPTH_MAX
                         ? cwi_exec_fail(c, CW_E_QUERY,
                                         "Reached excessive computation depth due to "
                                         "functions, subqueries, or computed values")
                         : run_select(c, s, out);
  c->calls--;
  c->where = where;
  c->table = table;
  c->knn = knn;
  return status;
}
