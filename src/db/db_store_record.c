/* SPDX-License-Identifier: MIT */
/* What happens to one record on its way to the store: fields, schema, indexes, edges, views,
 * events. */
#include <string.h>

#include "db/db_codec.h"
#include "db/db_exec.h"

/* ---- fields ---- */

typedef struct field_walk {
  db_ctx *c;
  const db_change *change;
  const sql_define *d;
  cw_value *doc;
} field_walk;

static cw_status field_error(field_walk *w, const char *before, cw_value value, const char *middle,
                             const sql_expr *must) {
  db_ctx *c = w->c;
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_str(&text, before);
  if (must != NULL) {
    cwi_db_text(&text, value);
    cwi_buf_append_str(&text, " for field `");
  }
  cwi_sql_print_expr(&text, w->d->fd.idiom);
  cwi_buf_append_str(&text, "`, with record `");
  cwi_db_text(&text, w->change->rid);
  cwi_buf_append_str(&text, middle);
  if (must != NULL) cwi_sql_print_expr(&text, must);
  cw_status status = cwi_exec_fail(c, CW_E_QUERY, "%s", cwi_buf_cstr(&text));
  cwi_buf_deinit(&text);
  return status;
}

static bool allows_none(const sql_type *type) {
  if (type == NULL) return false;
  if (type->kind == SQL_T_ANY || type->kind == SQL_T_NONE) return true;
  for (uint32_t i = 0; type->kind == SQL_T_EITHER && i < type->inner.len; i++) {
    if (((const sql_type *)type->inner.items[i])->kind == SQL_T_NONE) return true;
  }
  return false;
}

static cw_status field_coerce(field_walk *w, cw_value *value) {
  db_ctx *c = w->c;
  if (w->d->fd.type == NULL) return CW_OK;
  cwi_buf prefix;
  cwi_buf_init(&prefix, 0);
  cwi_buf_append_str(&prefix, "Couldn't coerce value for field `");
  cwi_sql_print_expr(&prefix, w->d->fd.idiom);
  cwi_buf_append_str(&prefix, "` of `");
  cwi_db_text(&prefix, w->change->rid);
  cwi_buf_append_str(&prefix, "`: ");
  cw_value coerced = cwi_value_none();
  cw_status status = cwi_exec_coerce(c, *value, w->d->fd.type, cwi_buf_cstr(&prefix), &coerced);
  cwi_buf_deinit(&prefix);
  if (status == CW_OK) {
    cw_value_release(value);
    *value = coerced;
  }
  return status;
}

/* Runs one definition on one value; `old` is what stood there before. */
static cw_status field_value(field_walk *w, cw_value old, cw_value *value) {
  db_ctx *c = w->c;
  const sql_def_field *f = &w->d->fd;
  bool update = w->change->before.kind != CW_VALUE_NONE;
  cw_status status = CW_OK;
  db_vars vars = {.up = c->vars};
  if (f->computed != NULL) {
    cw_value_release(value);
    return CW_OK;
  }
  if (f->readonly && update && !cwi_db_equal(old, *value)) {
    if (value->kind != CW_VALUE_NONE || w->change->input.kind == CW_VALUE_NONE) {
      return field_error(w, "Found changed value for field `", cwi_value_none(),
                         "`, but field is readonly", NULL);
    }
    *value = cwi_value_retain(old);
  }
  if (value->kind == CW_VALUE_NONE && f->default_ != NULL && (!update || f->default_always)) {
    status = cwi_exec_eval_with(c, f->default_, *w->doc, w->change->rid, value);
  }
  if (status == CW_OK && (f->value != NULL || f->assert_ != NULL)) {
    status = cwi_exec_var_set(c, &vars, "value", 5, cwi_value_retain(*value));
    if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "before", 6, cwi_value_retain(old));
    if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "input", 5, cwi_value_retain(*value));
    if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "event", 5, cwi_value_none());
  }
  c->vars = &vars;
  if (status == CW_OK && f->value != NULL) {
    cw_value made = cwi_value_none();
    status = cwi_exec_eval_with(c, f->value, *w->doc, w->change->rid, &made);
    if (status == CW_OK) {
      cw_value_release(value);
      *value = made;
    }
  }
  if (status == CW_OK) status = field_coerce(w, value);
  if (status == CW_OK && f->assert_ != NULL &&
      !(value->kind == CW_VALUE_NONE && allows_none(f->type))) {
    cw_value good = cwi_value_none();
    status = cwi_exec_var_set(c, &vars, "value", 5, cwi_value_retain(*value));
    if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "after", 5, cwi_value_retain(*value));
    if (status == CW_OK) status = cwi_exec_eval_with(c, f->assert_, *w->doc, w->change->rid, &good);
    if (status == CW_OK && !cwi_db_truthy(good)) {
      status = field_error(w, "Found ", *value, "`, but field must conform to: ", f->assert_);
    }
    cw_value_release(&good);
  }
  c->vars = vars.up;
  cw_value_release(&vars.values);
  return status;
}

static cw_status field_at(field_walk *w, cw_value *node, cw_value old, uint32_t from) {
  const sql_vec *parts = &w->d->fd.idiom->u.idiom.parts;
  db_ctx *c = w->c;
  cw_status status = CW_OK;
  if (from == parts->len) return field_value(w, old, node);
  const sql_part *part = parts->items[from];
  if (part->kind == SQL_P_FIELD) {
    if (node->kind == CW_VALUE_ARRAY) {
      for (size_t i = 0; status == CW_OK && i < cw_value_len(*node); i++) {
        cw_value item = cwi_value_retain(cw_value_array_get(*node, i));
        status = field_at(w, &item, cwi_value_none(), from);
        if (status == CW_OK)
          status = cw_value_array_set(node, i, item, &c->err);
        else
          cw_value_release(&item);
      }
      return status;
    }
    if (node->kind != CW_VALUE_OBJECT) return CW_OK;
    cw_value before = cw_value_object_get(old, part->name.text, part->name.size);
    cw_value item = cwi_value_retain(cw_value_object_get(*node, part->name.text, part->name.size));
    status = field_at(w, &item, before, from + 1);
    if (status == CW_OK && item.kind == CW_VALUE_NONE) {
      return cw_value_object_remove(node, part->name.text, part->name.size, &c->err);
    }
    if (status == CW_OK)
      return cw_value_object_set(node, part->name.text, part->name.size, item, &c->err);
    cw_value_release(&item);
  } else if (part->kind == SQL_P_ALL && node->kind == CW_VALUE_ARRAY) {
    for (size_t i = 0; status == CW_OK && i < cw_value_len(*node); i++) {
      cw_value item = cwi_value_retain(cw_value_array_get(*node, i));
      status = field_at(w, &item, cw_value_array_get(old, i), from + 1);
      if (status == CW_OK)
        status = cw_value_array_set(node, i, item, &c->err);
      else
        cw_value_release(&item);
    }
  }
  return status;
}

static cw_status check_schema(db_ctx *c, const db_table *table, cw_value doc, bool relation) {
  if (table->def.define->tb.schema != 1) return CW_OK;
  cw_value key;
  for (cwi_object_iter it = cwi_object_iter_start(doc); cwi_object_iter_next(&it, &key, NULL);) {
    sql_str name = db_str(key);
    bool known = cwi_exec_name_is(name, "id") ||
                 (relation && (cwi_exec_name_is(name, "in") || cwi_exec_name_is(name, "out")));
    for (size_t i = 0; !known && i < table->fields.len; i++) {
      const sql_expr *idiom = table->fields.items[i].define->fd.idiom;
      const sql_part *first = idiom->u.idiom.parts.items[0];
      known = first->kind == SQL_P_FIELD && cwi_exec_str_same(first->name, name);
    }
    if (!known) {
      sql_str tb = db_str(table->name);
      return cwi_exec_fail(c, CW_E_QUERY,
                           "Found field '%.*s', but no such field exists for table '%.*s'",
                           (int)name.size, name.text, (int)tb.size, tb.text);
    }
  }
  return CW_OK;
}

cw_status cwi_exec_process_fields(db_ctx *c, db_change *change) {
  cw_status status = CW_OK;
  bool before = c->in_fields;
  c->in_fields = true;
  for (size_t i = 0; status == CW_OK && i < change->table->fields.len; i++) {
    field_walk w = {.c = c,
                    .change = change,
                    .d = change->table->fields.items[i].define,
                    .doc = &change->after};
    cw_value doc = cwi_value_retain(change->after);
    status = field_at(&w, &doc, change->before, 0);
    if (status == CW_OK) {
      cw_value_release(&change->after);
      change->after = doc;
    } else {
      cw_value_release(&doc);
    }
  }
  c->in_fields = before;
  return status;
}

/* ---- NONE is not stored ---- */

static cw_status strip(db_ctx *c, cw_value *value) {
  cw_status status = CW_OK;
  if (value->kind == CW_VALUE_OBJECT) {
    cw_value copy = cwi_value_retain(*value), key, item;
    for (cwi_object_iter it = cwi_object_iter_start(copy);
         status == CW_OK && cwi_object_iter_next(&it, &key, &item);) {
      sql_str name = db_str(key);
      if (item.kind == CW_VALUE_NONE) {
        status = cw_value_object_remove(value, name.text, name.size, &c->err);
      } else if (item.kind == CW_VALUE_OBJECT || item.kind == CW_VALUE_ARRAY) {
        cw_value inner = cwi_value_retain(item);
        status = strip(c, &inner);
        if (status == CW_OK)
          status = cwi_value_object_set_key(value, key, inner, &c->err);
        else
          cw_value_release(&inner);
      }
    }
    cw_value_release(&copy);
  } else if (value->kind == CW_VALUE_ARRAY) {
    for (size_t i = 0; status == CW_OK && i < cw_value_len(*value); i++) {
      cw_value item = cw_value_array_get(*value, i);
      if (item.kind != CW_VALUE_OBJECT && item.kind != CW_VALUE_ARRAY) continue;
      cw_value inner = cwi_value_retain(item);
      status = strip(c, &inner);
      if (status == CW_OK)
        status = cw_value_array_set(value, i, inner, &c->err);
      else
        cw_value_release(&inner);
    }
  }
  return status;
}

/* ---- relations ---- */

static cw_status check_type(db_ctx *c, const db_change *change) {
  const sql_define *d = change->table->def.define;
  bool edge = change->relation || cwi_exec_is_record(cwi_exec_obj_get(change->before, "in"));
  bool bad = (d->tb.type == 'R' && !edge) || (d->tb.type == 'N' && change->relation);
  if (!bad) return CW_OK;
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_str(&text, "Found record: `");
  cwi_db_text(&text, change->rid);
  cwi_buf_append_str(&text, d->tb.type == 'R' ? "` which is not a relation, but expected a RELATION"
                                              : "` which is a relation, but expected a NORMAL");
  const sql_vec *lists[2] = {&d->tb.in, &d->tb.out};
  for (size_t k = 0; d->tb.type == 'R' && k < 2; k++) {
    for (uint32_t i = 0; i < lists[k]->len; i++) {
      const sql_str *name = lists[k]->items[i];
      cwi_buf_append_str(&text, i > 0 ? " | " : k == 0 ? " IN " : " OUT ");
      cwi_db_text_ident(&text, name->text, name->size);
    }
  }
  cw_status status = cwi_exec_fail(c, CW_E_QUERY, "%s", cwi_buf_cstr(&text));
  cwi_buf_deinit(&text);
  return status;
}

/* The pointer from one end of an edge. */
static cw_status edge_pointer(db_ctx *c, cw_value end, cw_value edge, char direction, bool add) {
  cwi_buf key;
  cwi_buf_init(&key, CWI_DB_KEY_BYTES_MAX);
  cw_status status = cwi_exec_edge_prefix(c, end, direction, &key);
  sql_str name = db_str(cwi_db_record_table(edge));
  cwi_db_key_text(&key, name.text, name.size);
  if (status == CW_OK) status = cwi_db_key_record_key(&key, cwi_db_record_key(edge), &c->err);
  if (status == CW_OK && key.failed) status = cwi_exec_nomem(c);
  cw_bytes bytes = {.data = key.data, .size = key.size};
  if (status == CW_OK && add)
    status = cwi_db_txn_put(c->txn, bytes, (cw_bytes){.data = "", .size = 0}, &c->err);
  if (status == CW_OK && !add) status = cwi_db_txn_delete(c->txn, bytes, &c->err);
  cwi_buf_deinit(&key);
  return status;
}

static cw_status edge_pointers(db_ctx *c, cw_value doc, cw_value rid, bool add) {
  cw_value in = cwi_exec_obj_get(doc, "in"), out = cwi_exec_obj_get(doc, "out");
  if (!cwi_exec_is_record(in) || !cwi_exec_is_record(out)) return CW_OK;
  cw_status status = edge_pointer(c, in, rid, '>', add);
  return status == CW_OK ? edge_pointer(c, out, rid, '<', add) : status;
}

/* ---- events ---- */

static cw_status run_event(db_ctx *c, const db_def *event, const char *name, cw_value rid,
                           cw_value before, cw_value after) {
  const sql_define *d = event->define;
  db_vars vars = {.up = c->vars};
  cw_value text = cwi_value_none(), yes = cwi_value_bool(true);
  cw_value doc = after.kind != CW_VALUE_NONE ? after : before;
  sql_program *program = c->program;
  cw_status status = cwi_exec_string(c, name, strlen(name), &text);
  if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "event", 5, text);
  if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "before", 6, cwi_value_retain(before));
  if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "after", 5, cwi_value_retain(after));
  if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "value", 5, cwi_value_retain(doc));
  c->vars = &vars;
  c->program = event->program;
  if (status == CW_OK && d->when != NULL) status = cwi_exec_eval_with(c, d->when, doc, rid, &yes);
  bool run = cwi_db_truthy(yes);
  cw_value_release(&yes);
  if (++c->calls > DB_CALL_DEPTH_MAX && status == CW_OK) {
    status = cwi_exec_fail(c, CW_E_QUERY,
                           "Reached excessive computation depth due to functions, "
                           "subqueries, or computed values");
  }
  for (uint32_t i = 0; status == CW_OK && run && i < d->then.len; i++) {
    cw_value ignored = cwi_value_none();
    status = cwi_exec_eval_with(c, d->then.items[i], doc, rid, &ignored);
    if (status == DB_FLOW) {
      c->flow = DB_FLOW_NONE;
      cw_value_release(&c->flow_value);
      status = CW_OK;
    }
    cw_value_release(&ignored);
  }
  c->calls--;
  c->program = program;
  c->vars = vars.up;
  cw_value_release(&vars.values);
  if (status == CW_E_QUERY || status == CW_E_EXISTS || status == CW_E_NOT_FOUND ||
      status == CW_E_CONSTRAINT) {
    cw_bytes reason = cwi_exec_error_text(c);
    cwi_buf copy;
    cwi_buf_init(&copy, 0);
    cwi_buf_append(&copy, reason.data, reason.size);
    status = cwi_exec_fail(c, CW_E_QUERY, "Error while processing event %.*s: %.*s",
                           (int)d->name.size, d->name.text, (int)copy.size, copy.data);
    cwi_buf_deinit(&copy);
  }
  return status;
}

static cw_status run_events(db_ctx *c, const db_table *table, const char *name, cw_value rid,
                            cw_value before, cw_value after) {
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < table->events.len; i++) {
    status = run_event(c, &table->events.items[i], name, rid, before, after);
  }
  return status;
}

/* ---- the store ---- */

static cw_status put(db_ctx *c, const db_table *table, cw_value rid, cw_value doc) {
  cwi_buf key, value;
  cwi_buf_init(&key, CWI_DB_KEY_BYTES_MAX);
  cwi_buf_init(&value, 0);
  cw_value bare = cwi_value_retain(doc);
  cw_status status = cw_value_object_remove(&bare, "id", 2, &c->err);
  if (status == CW_OK) {
    status = cwi_db_key_record(&key, table->scope.db, table->scope.table, cwi_db_record_key(rid),
                               &c->err);
  }
  if (status == CW_OK) {
    status = cwi_db_codec_encode(bare, &value, &c->err);
    if (status == CW_E_UNSUPPORTED) {
      status = cwi_exec_fail(
          c, CW_E_QUERY,
          "A user generated conversion error occured: Closures cannot be stored on disk");
    }
  }
  if (status == CW_OK) {
    status = cwi_db_txn_put(c->txn, (cw_bytes){key.data, key.size},
                            (cw_bytes){value.data, value.size}, &c->err);
  }
  cw_value_release(&bare);
  cwi_buf_deinit(&key);
  cwi_buf_deinit(&value);
  return status;
}

cw_status cwi_exec_store_record(db_ctx *c, db_change *change) {
  db_table *table = change->table;
  bool fresh = change->before.kind == CW_VALUE_NONE;
  cw_status status = check_type(c, change);
  if (status == CW_OK && change->after.kind != CW_VALUE_OBJECT) {
    status = cwi_exec_fail_value(c, "Cannot use ", change->after, " in a CONTENT clause");
  }
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, &change->after, "id", cwi_value_retain(change->rid));
  static const char *const ends[] = {"in", "out"};
  for (size_t i = 0; status == CW_OK && !fresh && !change->relation && i < 2; i++) {
    cw_value end = cwi_exec_obj_get(change->before, ends[i]);
    if (cwi_exec_is_record(cwi_exec_obj_get(change->before, "in")) &&
        cwi_exec_is_record(cwi_exec_obj_get(change->before, "out"))) {
      status = cwi_exec_obj_set(c, &change->after, ends[i], cwi_value_retain(end));
    }
  }
  if (status == CW_OK) status = cwi_exec_process_fields(c, change);
  if (status == CW_OK) status = strip(c, &change->after);
  bool edge = change->relation || cwi_exec_is_record(cwi_exec_obj_get(change->before, "in"));
  if (status == CW_OK) status = check_schema(c, table, change->after, edge);
  if (status == CW_OK && !table->def.define->tb.drop) {
    status = put(c, table, change->rid, change->after);
    if (status == CW_OK)
      status = cwi_exec_index_update(c, table, change->rid, change->before, change->after);
    if (status == CW_OK && change->relation) {
      if (!fresh) status = edge_pointers(c, change->before, change->rid, false);
      if (status == CW_OK) status = edge_pointers(c, change->after, change->rid, true);
    }
    if (status == CW_OK)
      status = cwi_exec_views_update(c, table, change->rid, change->before, change->after);
  }
  if (status == CW_OK) status = cwi_exec_computed(c, table, change->rid, &change->after);
  if (status == CW_OK) {
    status = run_events(c, table, fresh ? "CREATE" : "UPDATE", change->rid, change->before,
                        change->after);
  }
  return status;
}

static cw_status delete_edges(db_ctx *c, cw_value rid) {
  sql_graph all = {.dir = SQL_DIR_BOTH};
  cw_value edges = cwi_value_none();
  cw_status status = cwi_exec_eval_graph(c, rid, &all, &edges);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(edges); i++) {
    cw_value edge = cw_value_array_get(edges, i), doc = cwi_value_none();
    db_table *table;
    status = cwi_exec_table_get(c, cwi_db_record_table(edge), false, &table);
    if (status == CW_OK && table != NULL) status = cwi_exec_record_read(c, table, edge, &doc);
    bool mine = cwi_db_equal(cwi_exec_obj_get(doc, "in"), rid) ||
                cwi_db_equal(cwi_exec_obj_get(doc, "out"), rid);
    if (status == CW_OK && mine) status = cwi_exec_delete_record(c, table, edge, doc);
    cw_value_release(&doc);
  }
  cw_value_release(&edges);
  return status;
}

/* What refers to a record that goes: by the fields of other tables with REFERENCE. */
static cw_status release_references(db_ctx *c, cw_value rid) {
  cw_value tables = cwi_value_none();
  cw_status status = cwi_exec_scope_get(c, false);
  if (status == CW_OK)
    status = cwi_db_catalog_list(c->txn, CWI_DB_DEF_TABLE, c->scope, &tables, &c->err);
  for (size_t t = 0; status == CW_OK && t < cw_value_len(tables); t++) {
    db_table *table;
    status =
        cwi_exec_table_get(c, cw_value_array_get(cw_value_array_get(tables, t), 0), false, &table);
    for (size_t f = 0; status == CW_OK && table != NULL && f < table->fields.len; f++) {
      const sql_define *d = table->fields.items[f].define;
      if (!d->fd.reference || d->fd.on_delete == SQL_REF_IGNORE) continue;
      db_rows rows = {0};
      sql_expr target = {.kind = SQL_TABLE, .u.name = db_str(table->name)};
      void *what[1] = {&target};
      sql_select s = {.what = {.items = what, .len = 1}};
      status = cwi_exec_targets(c, &s, &rows);
      for (size_t i = 0; status == CW_OK && i < rows.len; i++) {
        cw_value value = cwi_value_none();
        status = cwi_exec_eval_with(c, d->fd.idiom, rows.docs[i], rows.rids[i], &value);
        bool refers = cwi_db_equal(value, rid);
        cw_value_release(&value);
        if (status != CW_OK || !refers) continue;
        if (d->fd.on_delete == SQL_REF_REJECT) {
          cwi_buf text;
          cwi_buf_init(&text, 0);
          cwi_buf_append_str(&text, "Cannot delete `");
          cwi_db_text(&text, rid);
          cwi_buf_append_str(&text, "` as it is referenced by `");
          cwi_db_text(&text, rows.rids[i]);
          cwi_buf_append_str(&text, "` with an ON DELETE REJECT clause");
          status = cwi_exec_fail(c, CW_E_QUERY, "%s", cwi_buf_cstr(&text));
          cwi_buf_deinit(&text);
        } else if (d->fd.on_delete == SQL_REF_CASCADE) {
          status = cwi_exec_delete_record(c, table, rows.rids[i], rows.docs[i]);
        } else if (d->fd.on_delete == SQL_REF_UNSET) {
          db_change change = {.table = table,
                              .rid = rows.rids[i],
                              .before = rows.docs[i],
                              .after = cwi_value_retain(rows.docs[i]),
                              .kind = DB_UPDATE};
          status = cwi_exec_path_unset(c, &change.after, &d->fd.idiom->u.idiom.parts, 0);
          if (status == CW_OK) status = cwi_exec_store_record(c, &change);
          cw_value_release(&change.after);
        }
      }
      cwi_exec_rows_deinit(&rows);
    }
  }
  cw_value_release(&tables);
  return status;
}

cw_status cwi_exec_delete_record(db_ctx *c, db_table *table, cw_value rid, cw_value before) {
  cwi_buf key;
  cwi_buf_init(&key, CWI_DB_KEY_BYTES_MAX);
  cw_status status = release_references(c, rid);
  if (status == CW_OK) {
    status = cwi_db_key_record(&key, table->scope.db, table->scope.table, cwi_db_record_key(rid),
                               &c->err);
  }
  if (status == CW_OK) status = delete_edges(c, rid);
  if (status == CW_OK) status = edge_pointers(c, before, rid, false);
  if (status == CW_OK) status = cwi_db_txn_delete(c->txn, (cw_bytes){key.data, key.size}, &c->err);
  cwi_buf_deinit(&key);
  if (status == CW_OK) status = cwi_exec_index_update(c, table, rid, before, cwi_value_none());
  if (status == CW_OK) status = cwi_exec_views_update(c, table, rid, before, cwi_value_none());
  if (status == CW_OK) status = run_events(c, table, "DELETE", rid, before, cwi_value_none());
  return status;
}

/* ---- views: filled again whenever their source changes ---- */

static cw_status view_row(db_ctx *c, db_table *table, cw_value key, cw_value doc) {
  cw_value rid = cwi_value_none();
  cw_status status = cwi_db_value_record(cwi_value_retain(table->name), key, &rid, &c->err);
  db_change change = {
      .table = table, .rid = rid, .after = cwi_value_retain(doc), .kind = DB_CREATE};
  if (status == CW_OK) status = cwi_exec_store_record(c, &change);
  cw_value_release(&change.after);
  cw_value_release(&rid);
  return status;
}

static cw_status view_fill(db_ctx *c, db_table *view) {
  const sql_expr *node = view->def.define->tb.view;
  const sql_select *s = node->u.stmt;
  cw_value rows = cwi_value_none();
  cwi_db_scope scope = view->scope;
  cwi_buf begin, end;
  cwi_buf_init(&begin, 0);
  cwi_buf_init(&end, 0);
  cw_status status =
      cwi_db_key_record_range(&begin, &end, scope.db, scope.table, cwi_value_none(), &c->err);
  if (status == CW_OK) {
    status = cwi_db_txn_delete_range(c->txn, (cw_bytes){begin.data, begin.size},
                                     (cw_bytes){end.data, end.size}, &c->err);
  }
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  bool grouped = s->group_all || s->group.len > 0;
  if (status == CW_OK && grouped) {
    status = cwi_exec_select(c, node, &rows);
    for (size_t i = 0; status == CW_OK && i < cw_value_len(rows); i++) {
      cw_value row = cw_value_array_get(rows, i), key = cwi_value_none();
      status = cw_value_array(0, &key, &c->err);
      for (uint32_t k = 0; status == CW_OK && k < s->group.len; k++) {
        cw_value part = cwi_value_none();
        status = cwi_exec_eval_with(c, s->group.items[k], row, cwi_value_none(), &part);
        if (status == CW_OK) status = cw_value_array_push(&key, part, &c->err);
      }
      if (status == CW_OK) status = view_row(c, view, key, row);
    }
    cw_value_release(&rows);
  } else if (status == CW_OK) {
    db_rows sources = {0};
    status = cwi_exec_targets(c, s, &sources);
    for (size_t i = 0; status == CW_OK && i < sources.len; i++) {
      cw_value row = cwi_value_none();
      status = cwi_exec_project(c, &s->fields, sources.docs[i], sources.rids[i], &row);
      if (status == CW_OK) {
        status = view_row(c, view, cwi_value_retain(cwi_db_record_key(sources.rids[i])), row);
      }
      cw_value_release(&row);
    }
    cwi_exec_rows_deinit(&sources);
  }
  return status;
}

cw_status cwi_exec_view_fill(db_ctx *c, const db_def *view, cw_value view_name, cw_value source) {
  (void)view;
  (void)source;
  db_table *table;
  cw_status status = cwi_exec_table_get(c, view_name, false, &table);
  return status == CW_OK && table != NULL && table->def.define->tb.view != NULL
             ? view_fill(c, table)
             : status;
}

cw_status cwi_exec_views_update(db_ctx *c, db_table *table, cw_value rid, cw_value before,
                                cw_value after) {
  (void)rid;
  (void)before;
  (void)after;
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(table->views); i++) {
    cw_value name = cw_value_array_get(cw_value_array_get(table->views, i), 0);
    status = cwi_exec_view_fill(c, NULL, name, table->name);
  }
  return status;
}
