/* SPDX-License-Identifier: MIT */
/* Indexes of a record: which values it has in them, added and removed as it changes. A field that
 * holds a list has an entry an item. */
#include <string.h>

#include "db/db_exec.h"
#include "db/db_index.h"

typedef struct entry_walk {
  db_ctx *c;
  const db_table *table;
  const db_def *index;
  cw_value rid;
  bool add;
} entry_walk;

static cw_status entry(entry_walk *w, const cw_value *values, size_t len) {
  db_ctx *c = w->c;
  const sql_def_index *ix = &w->index->define->ix;
  cwi_db_index index = {.db = w->table->scope.db,
                        .table = w->table->scope.table,
                        .index = w->index->id,
                        .unique = ix->kind == SQL_IX_UNIQUE};
  cw_value key = cwi_db_record_key(w->rid), other = cwi_value_none();
  if (!w->add) return cwi_db_index_remove(c->txn, index, values, len, key, &c->err);
  cw_status status = cwi_db_index_add(c->txn, index, values, len, key, &other, &c->err);
  if (status != CW_OK || other.kind == CW_VALUE_NONE) return status;
  if (cwi_db_equal(other, key)) {
    cw_value_release(&other);
    return CW_OK;
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_str(&text, "Database index `");
  cwi_buf_append(&text, w->index->define->name.text, w->index->define->name.size);
  cwi_buf_append_str(&text, "` already contains ");
  for (size_t i = 0; i < len; i++) {
    if (len > 1) cwi_buf_append_str(&text, i == 0 ? "[" : ", ");
    cwi_db_text(&text, values[i]);
  }
  if (len > 1) cwi_buf_append_char(&text, ']');
  cwi_buf_append_str(&text, ", with record `");
  cw_value record = cwi_value_none();
  status = cwi_db_value_record(cwi_value_retain(w->table->name), other, &record, &c->err);
  if (status == CW_OK) {
    cwi_db_text(&text, record);
    cwi_buf_append_char(&text, '`');
    status = cwi_exec_fail(c, CW_E_CONSTRAINT, "%s", cwi_buf_cstr(&text));
  }
  cw_value_release(&record);
  cwi_buf_deinit(&text);
  return status;
}

static cw_status combine(entry_walk *w, const cw_value *fields, cw_value *values, size_t len,
                         size_t at) {
  if (at == len) return entry(w, values, len);
  cw_value items =
      cwi_db_kind_of(fields[at]) == CWI_DB_SET ? cwi_db_set_items(fields[at]) : fields[at];
  if (items.kind != CW_VALUE_ARRAY) {
    values[at] = fields[at];
    return combine(w, fields, values, len, at + 1);
  }
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
    values[at] = cw_value_array_get(items, i);
    bool seen = false;
    for (size_t k = 0; !seen && k < i; k++)
      seen = cwi_db_equal(values[at], cw_value_array_get(items, k));
    if (!seen) status = combine(w, fields, values, len, at + 1);
  }
  return status;
}

static cw_status check_vector(db_ctx *c, const sql_def_index *ix, cw_value doc, cw_value rid) {
  const sql_expr *idiom = ix->fields.items[0];
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval_with(c, idiom, doc, rid, &value);
  if (status != CW_OK || value.kind == CW_VALUE_NONE || value.kind == CW_VALUE_NULL) {
    cw_value_release(&value);
    return status;
  }
  cw_value bad = cwi_value_none();
  bool is_bad = value.kind != CW_VALUE_ARRAY;
  if (is_bad) bad = value;
  for (size_t i = 0; !is_bad && i < cw_value_len(value); i++) {
    cw_value item = cw_value_array_get(value, i);
    is_bad = !cwi_db_is_number(item);
    if (is_bad) bad = item;
  }
  if (is_bad) {
    cw_value text = cwi_value_none();
    status = cwi_db_text_value(bad, true, &text, &c->err);
    sql_str shown = db_str(text);
    if (status == CW_OK) {
      status = cwi_exec_fail(c, CW_E_QUERY, "The value cannot be converted to a vector: %.*s",
                             (int)shown.size, shown.text);
    }
    cw_value_release(&text);
  } else if ((int64_t)cw_value_len(value) != ix->dimension) {
    status = cwi_exec_fail(c, CW_E_QUERY,
                           "Incorrect vector dimension (%zu). Expected a vector of %lld dimension.",
                           cw_value_len(value), (long long)ix->dimension);
  }
  cw_value_release(&value);
  return status;
}

static cw_status index_one(entry_walk *w, cw_value doc) {
  db_ctx *c = w->c;
  const sql_def_index *ix = &w->index->define->ix;
  if (doc.kind == CW_VALUE_NONE) return CW_OK;
  if (ix->kind == SQL_IX_HNSW) return w->add ? check_vector(c, ix, doc, w->rid) : CW_OK;
  if (ix->kind != SQL_IX_PLAIN && ix->kind != SQL_IX_UNIQUE) return CW_OK;
  cw_value fields[16] = {{0}};
  cw_value values[16];
  size_t len = ix->fields.len < 16 ? ix->fields.len : 16, done = 0;
  cw_status status = CW_OK;
  for (; status == CW_OK && done < len; done++) {
    status = cwi_exec_eval_with(c, ix->fields.items[done], doc, w->rid, &fields[done]);
  }
  if (status == CW_OK) status = combine(w, fields, values, len, 0);
  for (size_t i = 0; i < done; i++) cw_value_release(&fields[i]);
  return status;
}

cw_status cwi_exec_index_update(db_ctx *c, db_table *table, cw_value rid, cw_value before,
                                cw_value after) {
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < table->indexes.len; i++) {
    entry_walk w = {.c = c, .table = table, .index = &table->indexes.items[i], .rid = rid};
    status = index_one(&w, before);
    w.add = true;
    if (status == CW_OK) status = index_one(&w, after);
  }
  return status;
}

cw_status cwi_exec_index_build(db_ctx *c, db_table *table, const db_def *index) {
  db_scan scan;
  cw_status status = cwi_exec_scan_open(c, table, cwi_value_none(), &scan);
  while (status == CW_OK) {
    cw_value rid, doc;
    bool found;
    status = cwi_exec_scan_next(c, &scan, &rid, &doc, &found);
    if (status != CW_OK || !found) break;
    entry_walk w = {.c = c, .table = table, .index = index, .rid = rid, .add = true};
    status = index_one(&w, doc);
    cw_value_release(&rid);
    cw_value_release(&doc);
  }
  cwi_exec_scan_close(&scan);
  return status;
}
