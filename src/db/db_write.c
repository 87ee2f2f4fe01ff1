/* SPDX-License-Identifier: MIT */
/* CREATE, UPDATE, UPSERT, DELETE, RELATE: from targets to records, one at a time. */
#include <string.h>

#include "db/db_exec.h"

typedef struct writer {
  db_ctx *c;
  sql_node kind;
  const sql_write *s;
  cw_value *out; /* ARRAY */
} writer;

static const char *verb(sql_node kind) {
  return kind == SQL_CREATE   ? "CREATE"
         : kind == SQL_UPDATE ? "UPDATE"
         : kind == SQL_UPSERT ? "UPSERT"
                              : "DELETE";
}

static cw_status refuse(writer *w, cw_value value) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_format(&text, "Cannot execute %s statement using value: ", verb(w->kind));
  cw_status status = cwi_exec_fail_value(w->c, cwi_buf_cstr(&text), value, "");
  cwi_buf_deinit(&text);
  return status;
}

/* ---- ids ---- */

static cw_status random_id(db_ctx *c, cw_value table, cw_value *out) {
  cw_value key = cwi_value_none();
  cw_status status = cwi_exec_fn_run(c, "rand::id", NULL, 0, &key);
  return status != CW_OK ? status : cwi_db_value_record(cwi_value_retain(table), key, out, &c->err);
}

/* A record id of `table` from what an `id` field holds; *ok false where it can be none. */
cw_status cwi_exec_id_from_value(db_ctx *c, cw_value table, cw_value id, cw_value *out, bool *ok) {
  cw_value key = cwi_value_none();
  *ok = true;
  *out = cwi_value_none();
  switch (cwi_db_kind_of(id)) {
    case CWI_DB_NONE: return random_id(c, table, out);
    case CWI_DB_RECORD: key = cwi_value_retain(cwi_db_record_key(id)); break;
    case CWI_DB_INT:
    case CWI_DB_STRING:
    case CWI_DB_UUID:
    case CWI_DB_ARRAY:
    case CWI_DB_OBJECT: key = cwi_value_retain(id); break;
    case CWI_DB_FLOAT:
    case CWI_DB_DECIMAL: key = cwi_value_int((int64_t)cwi_db_number_as_float(id)); break;
    default: *ok = false; return CW_OK;
  }
  return cwi_db_value_record(cwi_value_retain(table), key, out, &c->err);
}

/* An `id` in the document must be the record's own. */
cw_status cwi_exec_check_id(db_ctx *c, cw_value doc, cw_value rid, bool *given) {
  cw_value id = cwi_exec_obj_get(doc, "id");
  *given = id.kind != CW_VALUE_NONE;
  if (!*given) return CW_OK;
  bool same =
      cwi_exec_is_record(id) ? cwi_db_equal(id, rid) : cwi_db_equal(id, cwi_db_record_key(rid));
  if (same) return CW_OK;
  return cwi_exec_fail_value(c, "Found ", id,
                             " for the `id` field, but a specific record has been specified");
}

/* ---- one record ---- */

static cw_status emit(writer *w, cw_value rid, cw_value before, cw_value after, bool removed) {
  cw_value item = cwi_value_none();
  bool skip;
  cw_status status =
      cwi_exec_output(w->c, w->s->output, &w->s->fields, rid, before, after, removed, &item, &skip);
  if (status == CW_OK && !skip) return cw_value_array_push(w->out, item, &w->c->err);
  cw_value_release(&item);
  return status;
}

/* Creates a record; `rid` NONE takes the id from the data, or makes one. */
static cw_status create_one(writer *w, db_table *table, cw_value rid) {
  db_ctx *c = w->c;
  cw_value doc = cwi_value_none(), input = cwi_value_none(), id = cwi_value_retain(rid);
  cw_value base = cwi_value_none();
  bool given, ok = true;
  cw_status status = cw_value_object(&base, &c->err);
  if (status == CW_OK && rid.kind != CW_VALUE_NONE) {
    status = cwi_exec_obj_set(c, &base, "id", cwi_value_retain(rid));
  }
  if (status == CW_OK) status = cwi_exec_apply_data(c, &w->s->data, rid, base, &doc, &input);
  if (status == CW_OK && rid.kind == CW_VALUE_NONE) {
    status = cwi_exec_id_from_value(c, table->name, cwi_exec_obj_get(doc, "id"), &id, &ok);
    if (status == CW_OK && !ok) status = refuse(w, cwi_exec_obj_get(doc, "id"));
  } else if (status == CW_OK) {
    status = cwi_exec_check_id(c, doc, id, &given);
  }
  cw_value existing = cwi_value_none();
  if (status == CW_OK) status = cwi_exec_record_read(c, table, id, &existing);
  if (status == CW_OK && existing.kind != CW_VALUE_NONE) {
    status = cwi_exec_fail_value(c, "Database record `", id, "` already exists");
    if (status == CW_E_QUERY) status = c->err.code = CW_E_EXISTS;
  }
  db_change change = {.table = table, .rid = id, .after = doc, .input = input, .kind = DB_CREATE};
  doc = cwi_value_none();
  if (status == CW_OK) status = cwi_exec_store_record(c, &change);
  if (status == CW_OK) status = emit(w, id, cwi_value_none(), change.after, false);
  cw_value_release(&change.after);
  cw_value_release(&existing);
  cw_value_release(&base);
  cw_value_release(&input);
  cw_value_release(&id);
  return status;
}

static cw_status update_one(writer *w, db_table *table, cw_value rid, cw_value before) {
  db_ctx *c = w->c;
  cw_value input = cwi_value_none(), doc = cwi_value_retain(before);
  bool given;
  cw_status status = cwi_exec_apply_data(c, &w->s->data, rid, before, &doc, &input);
  if (status == CW_OK) status = cwi_exec_check_id(c, doc, rid, &given);
  db_change change = {.table = table,
                      .rid = rid,
                      .before = before,
                      .after = doc,
                      .input = input,
                      .kind = DB_UPDATE};
  if (status == CW_OK) status = cwi_exec_store_record(c, &change);
  if (status == CW_OK) status = emit(w, rid, before, change.after, false);
  cw_value_release(&change.after);
  cw_value_release(&input);
  return status;
}

static cw_status touch(writer *w, db_table *table, cw_value rid, cw_value before) {
  if (w->kind != SQL_DELETE) return update_one(w, table, rid, before);
  cw_status status = cwi_exec_delete_record(w->c, table, rid, before);
  return status == CW_OK ? emit(w, rid, before, cwi_value_none(), true) : status;
}

/* All rows of a table or of a range of it: gathered first, because they change while we walk. */
static cw_status touch_rows(writer *w, sql_expr *target, size_t *count) {
  db_ctx *c = w->c;
  db_rows rows = {0};
  void *what[1] = {target};
  sql_select s = {.what = {.items = what, .len = 1}, .where = w->s->where};
  cw_status status = cwi_exec_targets(c, &s, &rows);
  for (size_t i = 0; status == CW_OK && i < rows.len; i++) {
    db_table *table;
    status = cwi_exec_table_need(c, cwi_db_record_table(rows.rids[i]), &table);
    if (status == CW_OK) status = touch(w, table, rows.rids[i], rows.docs[i]);
  }
  *count = rows.len;
  cwi_exec_rows_deinit(&rows);
  return status;
}

static cw_status on_table(writer *w, cw_value name) {
  db_ctx *c = w->c;
  db_table *table;
  cw_status status;
  sql_str text = db_str(name);
  if (w->kind == SQL_CREATE || w->kind == SQL_UPSERT) {
    status = cwi_exec_table_get(c, name, true, &table);
    if (status != CW_OK) return status;
    if (w->kind == SQL_CREATE || w->s->where == NULL) return create_one(w, table, cwi_value_none());
  } else {
    status = cwi_exec_table_need(c, name, &table);
    if (status != CW_OK) return status;
  }
  sql_expr target = {.kind = SQL_TABLE, .u.name = text};
  size_t count;
  status = touch_rows(w, &target, &count);
  if (status == CW_OK && w->kind == SQL_UPSERT && count == 0) {
    return create_one(w, table, cwi_value_none());
  }
  return status;
}

static cw_status on_record(writer *w, cw_value rid) {
  db_ctx *c = w->c;
  db_table *table;
  bool makes = w->kind == SQL_CREATE || w->kind == SQL_UPSERT;
  if (cwi_db_is_record_range(rid)) {
    if (w->kind == SQL_CREATE) return refuse(w, rid);
    sql_expr target = {.kind = SQL_LITERAL, .u.lit.value = rid};
    size_t count;
    return touch_rows(w, &target, &count);
  }
  cw_status status = makes ? cwi_exec_table_get(c, cwi_db_record_table(rid), true, &table)
                           : cwi_exec_table_need(c, cwi_db_record_table(rid), &table);
  if (status != CW_OK) return status;
  if (w->kind == SQL_CREATE) return create_one(w, table, rid);
  cw_value before = cwi_value_none(), keep = cwi_value_bool(true);
  status = cwi_exec_record_read(c, table, rid, &before);
  if (status == CW_OK && before.kind != CW_VALUE_NONE && w->s->where != NULL) {
    status = cwi_exec_eval_with(c, w->s->where, before, rid, &keep);
  }
  if (status == CW_OK && before.kind == CW_VALUE_NONE) {
    if (w->kind == SQL_UPSERT) status = create_one(w, table, rid);
  } else if (status == CW_OK && cwi_db_truthy(keep)) {
    status = touch(w, table, rid, before);
  }
  cw_value_release(&before);
  cw_value_release(&keep);
  return status;
}

static cw_status on_value(writer *w, cw_value value, bool top) {
  cwi_db_kind kind = cwi_db_kind_of(value);
  if (kind == CWI_DB_TABLE) return on_table(w, cwi_db_table_name(value));
  if (kind == CWI_DB_RECORD) return on_record(w, value);
  if (kind == CWI_DB_OBJECT && cwi_exec_is_record(cwi_exec_obj_get(value, "id"))) {
    return on_record(w, cwi_exec_obj_get(value, "id"));
  }
  if (kind == CWI_DB_ARRAY && top) {
    cw_status status = CW_OK;
    for (size_t i = 0; status == CW_OK && i < cw_value_len(value); i++) {
      status = on_value(w, cw_value_array_get(value, i), false);
    }
    return status;
  }
  return refuse(w, value);
}

static cw_status check_timeout(db_ctx *c, const sql_expr *node) {
  if (node == NULL) return CW_OK;
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node, &value);
  if (status == CW_OK && value.kind != CW_VALUE_DURATION) {
    status = cwi_exec_fail(c, CW_E_QUERY, "Invalid timeout value");
  }
  cw_value_release(&value);
  return status;
}

cw_status cwi_exec_write(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_write *s = node->u.stmt;
  writer w = {.c = c, .kind = (sql_node)node->kind, .s = s, .out = out};
  cw_status status = check_timeout(c, s->timeout);
  if (status == CW_OK) status = cw_value_array(0, out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < s->what.len; i++) {
    cw_value value = cwi_value_none();
    status = cwi_exec_eval(c, s->what.items[i], &value);
    if (status == CW_OK) status = on_value(&w, value, true);
    cw_value_release(&value);
  }
  if (status == CW_OK && s->only) status = cwi_exec_only(c, out, false);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- RELATE ---- */

static cw_status relate_one(writer *w, cw_value from, cw_value to) {
  db_ctx *c = w->c;
  const sql_write *s = w->s;
  cw_value kind = cwi_value_none(), rid = cwi_value_none(), before = cwi_value_none();
  cw_value doc = cwi_value_none(), input = cwi_value_none(), base = cwi_value_none();
  db_table *table = NULL;
  bool given;
  cw_status status = cwi_exec_eval(c, s->kind, &kind);
  if (status == CW_OK && cwi_exec_is_record(kind)) {
    rid = cwi_value_retain(kind);
  } else if (status == CW_OK && cwi_db_kind_of(kind) == CWI_DB_TABLE) {
    status = random_id(c, cwi_db_table_name(kind), &rid);
  } else if (status == CW_OK) {
    status = cwi_exec_fail_value(
        c, "Cannot execute RELATE statement where property 'id' is: ", kind, "");
  }
  if (status == CW_OK) status = cwi_exec_table_get(c, cwi_db_record_table(rid), true, &table);
  if (status == CW_OK) status = cwi_exec_record_read(c, table, rid, &before);
  if (status == CW_OK) status = cw_value_object(&base, &c->err);
  if (status == CW_OK && before.kind == CW_VALUE_OBJECT) {
    cw_value_release(&base);
    base = cwi_value_retain(before);
  }
  if (status == CW_OK) status = cwi_exec_obj_set(c, &base, "id", cwi_value_retain(rid));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &base, "in", cwi_value_retain(from));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &base, "out", cwi_value_retain(to));
  if (status == CW_OK) {
    doc = cwi_value_retain(base);
    status = cwi_exec_apply_data(c, &s->data, rid, base, &doc, &input);
  }
  if (status == CW_OK) status = cwi_exec_check_id(c, doc, rid, &given);
  static const char *const ends[] = {"in", "out"};
  for (size_t i = 0; status == CW_OK && i < 2; i++) {
    cw_value end = cwi_exec_obj_get(doc, ends[i]);
    if (end.kind != CW_VALUE_NONE && !cwi_db_equal(end, i == 0 ? from : to)) {
      status = cwi_exec_fail_value(c, "Found ", end,
                                   " for the `id` field, but a specific record has been specified");
    }
  }
  if (status == CW_OK) status = cwi_exec_obj_set(c, &doc, "in", cwi_value_retain(from));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &doc, "out", cwi_value_retain(to));
  db_change change = {.table = table,
                      .rid = rid,
                      .before = before,
                      .after = doc,
                      .input = input,
                      .relation = true,
                      .kind = before.kind == CW_VALUE_NONE ? DB_CREATE : DB_UPDATE};
  if (status == CW_OK) status = cwi_exec_store_record(c, &change);
  if (status == CW_OK) status = emit(w, rid, before, change.after, false);
  cw_value_release(&change.after);
  cw_value_release(&input);
  cw_value_release(&base);
  cw_value_release(&before);
  cw_value_release(&rid);
  cw_value_release(&kind);
  return status;
}

/* The records that one side of RELATE names, as a flat list. */
static cw_status ends_of(db_ctx *c, cw_value value, const char *side, cw_value *out) {
  if (cwi_exec_is_record(value)) return cw_value_array_push(out, cwi_value_retain(value), &c->err);
  if (value.kind == CW_VALUE_OBJECT && cwi_exec_is_record(cwi_exec_obj_get(value, "id"))) {
    return cw_value_array_push(out, cwi_value_retain(cwi_exec_obj_get(value, "id")), &c->err);
  }
  if (value.kind == CW_VALUE_ARRAY) {
    cw_status status = CW_OK;
    for (size_t i = 0; status == CW_OK && i < cw_value_len(value); i++) {
      status = ends_of(c, cw_value_array_get(value, i), side, out);
    }
    return status;
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_format(&text, "Cannot execute RELATE statement where property '%s' is: ", side);
  cw_status status = cwi_exec_fail_value(c, cwi_buf_cstr(&text), value, "");
  cwi_buf_deinit(&text);
  return status;
}

cw_status cwi_exec_relate(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_write *s = node->u.stmt;
  writer w = {.c = c, .kind = SQL_RELATE, .s = s, .out = out};
  cw_value value = cwi_value_none(), from = cwi_value_none(), to = cwi_value_none();
  cw_status status = cw_value_array(0, out, &c->err);
  if (status == CW_OK) status = cw_value_array(0, &from, &c->err);
  if (status == CW_OK) status = cw_value_array(0, &to, &c->err);
  if (status == CW_OK) status = cwi_exec_eval(c, s->from, &value);
  if (status == CW_OK) status = ends_of(c, value, "in", &from);
  cw_value_release(&value);
  if (status == CW_OK) status = cwi_exec_eval(c, s->with, &value);
  if (status == CW_OK) status = ends_of(c, value, "out", &to);
  cw_value_release(&value);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(from); i++) {
    for (size_t k = 0; status == CW_OK && k < cw_value_len(to); k++) {
      status = relate_one(&w, cw_value_array_get(from, i), cw_value_array_get(to, k));
    }
  }
  cw_value_release(&from);
  cw_value_release(&to);
  if (status == CW_OK && s->only) status = cwi_exec_only(c, out, false);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- INSERT ---- */

typedef struct inserter {
  db_ctx *c;
  const sql_insert *s;
  cw_value table; /* STRING, or NONE without INTO */
  cw_value *out;
} inserter;

static cw_status bad_property(db_ctx *c, const char *name, cw_value value) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_format(&text, "Cannot execute INSERT statement where property '%s' is: ", name);
  cw_status status = cwi_exec_fail_value(c, cwi_buf_cstr(&text), value, "");
  cwi_buf_deinit(&text);
  return status;
}

static cw_status insert_id(inserter *n, cw_value row, cw_value *rid) {
  db_ctx *c = n->c;
  cw_value id = cwi_exec_obj_get(row, "id");
  bool ok = true;
  if (n->table.kind == CW_VALUE_NONE) {
    if (!cwi_exec_is_record(id)) return bad_property(c, "id", id);
    *rid = cwi_value_retain(id);
    return CW_OK;
  }
  cw_status status = cwi_exec_id_from_value(c, n->table, id, rid, &ok);
  return status == CW_OK && !ok ? bad_property(c, "id", id) : status;
}

/* ON DUPLICATE KEY UPDATE: the assignments see the stored record, and the row as $input. */
static cw_status duplicate(inserter *n, cw_value row, cw_value before, cw_value rid,
                           cw_value *doc) {
  db_ctx *c = n->c;
  db_vars vars = {.up = c->vars};
  cw_status status = cwi_exec_var_set(c, &vars, "input", 5, cwi_value_retain(row));
  c->vars = &vars;
  cw_value_release(doc);
  *doc = cwi_value_retain(before);
  if (status == CW_OK) status = cwi_exec_apply_assigns(c, &n->s->update, before, rid, doc);
  c->vars = vars.up;
  cw_value_release(&vars.values);
  return status;
}

static cw_status insert_row(inserter *n, cw_value row) {
  db_ctx *c = n->c;
  const sql_insert *s = n->s;
  if (row.kind != CW_VALUE_OBJECT)
    return cwi_exec_fail_value(c, "Cannot use ", row, " in a MERGE clause");
  cw_value rid = cwi_value_none(), before = cwi_value_none(), doc = cwi_value_retain(row);
  cw_value item = cwi_value_none();
  db_table *table = NULL;
  bool skip = false, have = false;
  cw_status status = insert_id(n, row, &rid);
  static const char *const ends[] = {"in", "out"};
  for (size_t i = 0; s->relation && status == CW_OK && i < 2; i++) {
    if (!cwi_exec_is_record(cwi_exec_obj_get(row, ends[i]))) {
      status = bad_property(c, ends[i], cwi_exec_obj_get(row, ends[i]));
    }
  }
  if (status == CW_OK) status = cwi_exec_table_get(c, cwi_db_record_table(rid), true, &table);
  if (status == CW_OK) status = cwi_exec_record_read(c, table, rid, &before);
  have = before.kind != CW_VALUE_NONE;
  if (status == CW_OK && have && s->update.len > 0) {
    status = duplicate(n, row, before, rid, &doc);
  } else if (status == CW_OK && have && s->ignore) {
    skip = true;
  } else if (status == CW_OK && have) {
    status = cwi_exec_fail_value(c, "Database record `", rid, "` already exists");
    if (status == CW_E_QUERY) status = c->err.code = CW_E_EXISTS;
  }
  if (status == CW_OK && !skip) {
    bool mark = s->ignore;
    if (mark) status = cwi_db_txn_savepoint(c->txn, &c->err);
    status = status == CW_OK ? cwi_exec_obj_set(c, &doc, "id", cwi_value_retain(rid)) : status;
    db_change change = {.table = table,
                        .rid = rid,
                        .before = before,
                        .after = doc,
                        .relation = s->relation,
                        .kind = have ? DB_UPDATE : DB_CREATE};
    if (status == CW_OK) status = cwi_exec_store_record(c, &change);
    doc = change.after;
    if (mark && status == CW_E_CONSTRAINT) {
      cwi_error_clear(&c->err);
      status = cwi_db_txn_savepoint_rollback(c->txn, &c->err);
      skip = true;
    }
    if (mark && status == CW_OK) status = cwi_db_txn_savepoint_release(c->txn, &c->err);
  }
  if (status == CW_OK && !skip) {
    status = cwi_exec_output(c, s->output, &s->fields, rid, before, doc, false, &item, &skip);
    if (status == CW_OK && !skip) status = cw_value_array_push(n->out, item, &c->err);
  }
  cw_value_release(&rid);
  cw_value_release(&before);
  cw_value_release(&doc);
  return status;
}

static cw_status insert_rows(inserter *n) {
  db_ctx *c = n->c;
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < n->s->rows.len; i++) {
    const sql_vec *row = n->s->rows.items[i];
    cw_value doc = cwi_value_none();
    status = cw_value_object(&doc, &c->err);
    for (uint32_t k = 0; status == CW_OK && k < row->len; k++) {
      const sql_expr *column = n->s->columns.items[k];
      cw_value item = cwi_value_none();
      status = cwi_exec_eval(c, row->items[k], &item);
      if (status == CW_OK) status = cwi_exec_path_set(c, &doc, &column->u.idiom.parts, 0, item);
    }
    if (status == CW_OK) status = insert_row(n, doc);
    cw_value_release(&doc);
  }
  return status;
}

static cw_status insert_into(inserter *n) {
  db_ctx *c = n->c;
  const sql_expr *into = n->s->into;
  if (into == NULL) return CW_OK;
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, into, &value);
  if (status != CW_OK) return status;
  if (cwi_db_kind_of(value) == CWI_DB_TABLE) {
    n->table = cwi_value_retain(cwi_db_table_name(value));
  } else if (value.kind == CW_VALUE_STRING) {
    n->table = cwi_value_retain(value);
  } else {
    status = cwi_exec_fail(c, CW_E_QUERY, "Cannot execute INSERT statement using value: $%.*s",
                           (int)into->u.name.size, into->u.name.text);
  }
  cw_value_release(&value);
  return status;
}

cw_status cwi_exec_insert(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_insert *s = node->u.stmt;
  inserter n = {.c = c, .s = s, .out = out};
  cw_status status = cw_value_array(0, out, &c->err);
  if (status == CW_OK) status = insert_into(&n);
  if (status == CW_OK && s->data == NULL) {
    status = insert_rows(&n);
  } else if (status == CW_OK) {
    cw_value data = cwi_value_none();
    status = cwi_exec_eval(c, s->data, &data);
    if (status == CW_OK && data.kind == CW_VALUE_ARRAY) {
      for (size_t i = 0; status == CW_OK && i < cw_value_len(data); i++) {
        status = insert_row(&n, cw_value_array_get(data, i));
      }
    } else if (status == CW_OK && data.kind == CW_VALUE_OBJECT) {
      status = insert_row(&n, data);
    } else if (status == CW_OK) {
      status = cwi_exec_fail_value(c, "Cannot execute INSERT statement using value: ", data, "");
    }
    cw_value_release(&data);
  }
  cw_value_release(&n.table);
  if (status != CW_OK) cw_value_release(out);
  return status;
}
