/* SPDX-License-Identifier: MIT */
/* Tables and records: definitions read from the catalog and parsed, records read from the store.
 *
 * A table's definitions are cached in the engine until any definition changes; tables that are
 * forgotten while a query runs wait in the graveyard until it has ended. */
#include <string.h>

#include "core/alloc.h"
#include "db/db_exec.h"
#include "db/db_codec.h"

/* ---- definitions ---- */

void cwi_exec_def_deinit(db_def *def) {
  cwi_sql_program_release(def->program);
  cw_value_release(&def->entry);
  *def = (db_def){0};
}

void cwi_exec_defs_deinit(db_def_list *list) {
  for (size_t i = 0; i < list->len; i++) cwi_exec_def_deinit(&list->items[i]);
  cwi_free(list->items, list->len * sizeof(db_def));
  *list = (db_def_list){0};
}

cw_status cwi_exec_def_parse(db_ctx *c, cw_value entry, db_def *out) {
  *out = (db_def){0};
  sql_str source = db_str(cwi_exec_obj_get(entry, "source"));
  cwi_buf message;
  cwi_buf_init(&message, 0);
  cw_status status =
      cwi_sql_parse(source.text, source.size, NULL, &out->program, &message, &c->err);
  cwi_buf_deinit(&message);
  if (status != CW_OK)
    return status == CW_E_PARSE
               ? CWI_RAISE(&c->err, CW_E_CORRUPT, 0, "a stored definition cannot be read: %.200s",
                           source.text)
               : status;
  const sql_expr *node = out->program->statements.items[0];
  out->define = node->u.stmt;
  out->id = cwi_db_catalog_id(entry);
  out->entry = cwi_value_retain(entry);
  return CW_OK;
}

cw_status cwi_exec_defs_load(db_ctx *c, cwi_db_def kind, cwi_db_scope scope, db_def_list *out) {
  *out = (db_def_list){0};
  cw_value list = cwi_value_none();
  cw_status status = cwi_db_catalog_list(c->txn, kind, scope, &list, &c->err);
  size_t len = cw_value_len(list);
  if (status == CW_OK && len > 0) {
    out->items = cwi_alloc_array(len, sizeof(db_def));
    if (out->items == NULL)
      status = cwi_exec_nomem(c);
    else
      out->len = len;
  }
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    status =
        cwi_exec_def_parse(c, cw_value_array_get(cw_value_array_get(list, i), 1), &out->items[i]);
  }
  cw_value_release(&list);
  if (status != CW_OK) cwi_exec_defs_deinit(out);
  return status;
}

/* ---- the database in use ---- */

static cw_status level(db_ctx *c, cwi_db_def kind, cwi_db_scope scope, cw_value name, bool make,
                       uint32_t *id) {
  cw_value entry = cwi_value_none();
  sql_str text = db_str(name);
  cw_status status = cwi_db_catalog_get(c->txn, kind, scope, text.text, text.size, &entry, &c->err);
  if (status == CW_OK && entry.kind == CW_VALUE_NONE && make) {
    if (!cwi_db_txn_is_write(c->txn)) {
      return cwi_exec_fail(
          c, CW_E_QUERY,
          "There was a problem with the key-value store: Couldn't write to a read only "
          "transaction");
    }
    cwi_buf source;
    cwi_buf_init(&source, 0);
    cwi_buf_append_str(&source,
                       kind == CWI_DB_DEF_NAMESPACE ? "DEFINE NAMESPACE " : "DEFINE DATABASE ");
    cwi_db_text_ident(&source, text.text, text.size);
    cw_value line = cwi_value_none();
    status = cwi_value_string_from_buf(&source, &line, &c->err);
    cwi_buf_deinit(&source);
    if (status == CW_OK) status = cw_value_object(&entry, &c->err);
    if (status == CW_OK) status = cwi_exec_obj_set(c, &entry, "text", cwi_value_retain(line));
    if (status == CW_OK) status = cwi_exec_obj_set(c, &entry, "source", cwi_value_retain(line));
    cw_value_release(&line);
    if (status == CW_OK)
      status = cwi_db_catalog_put(c->txn, kind, scope, text.text, text.size, &entry, &c->err);
    if (status == CW_OK) c->ddl = true;
  }
  *id = status == CW_OK && entry.kind == CW_VALUE_OBJECT ? cwi_db_catalog_id(entry) : 0;
  cw_value_release(&entry);
  return status;
}

cw_status cwi_exec_scope_get(db_ctx *c, bool make) {
  if (c->scope.db != 0) return CW_OK;
  if (c->session->ns.kind == CW_VALUE_NONE)
    return cwi_exec_fail(c, CW_E_QUERY, "Specify a namespace to use");
  if (c->session->db.kind == CW_VALUE_NONE)
    return cwi_exec_fail(c, CW_E_QUERY, "Specify a database to use");
  cwi_db_scope scope = {0};
  cw_status status = level(c, CWI_DB_DEF_NAMESPACE, scope, c->session->ns, make, &scope.ns);
  if (status != CW_OK || scope.ns == 0) return status;
  c->scope.ns = scope.ns;
  status = level(c, CWI_DB_DEF_DATABASE, scope, c->session->db, make, &scope.db);
  if (status == CW_OK) c->scope = scope;
  return status;
}

/* ---- tables ---- */

static void table_free(db_table *table) {
  cw_value_release(&table->name);
  cw_value_release(&table->views);
  cwi_exec_def_deinit(&table->def);
  cwi_exec_defs_deinit(&table->fields);
  cwi_exec_defs_deinit(&table->indexes);
  cwi_exec_defs_deinit(&table->events);
  CWI_FREE(table);
}

void cwi_exec_tables_forget(db_engine *engine) {
  while (engine->tables != NULL) {
    db_table *table = engine->tables;
    engine->tables = table->next;
    table->next = engine->graveyard;
    engine->graveyard = table;
  }
}

void cwi_exec_tables_bury(db_engine *engine) {
  while (engine->graveyard != NULL) {
    db_table *table = engine->graveyard;
    engine->graveyard = table->next;
    table_free(table);
  }
}

cwi_db_scope cwi_exec_table_scope(const db_table *table) { return table->scope; }

static cw_status table_make(db_ctx *c, cw_value name) {
  sql_str text = db_str(name);
  cwi_buf source;
  cwi_buf_init(&source, 0);
  cwi_buf_append_str(&source, "DEFINE TABLE ");
  cwi_db_text_ident(&source, text.text, text.size);
  cwi_buf_append_str(&source, " TYPE ANY SCHEMALESS PERMISSIONS NONE");
  cw_value line = cwi_value_none(), entry = cwi_value_none();
  cw_status status = cwi_value_string_from_buf(&source, &line, &c->err);
  cwi_buf_deinit(&source);
  if (status == CW_OK) status = cw_value_object(&entry, &c->err);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &entry, "text", cwi_value_retain(line));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &entry, "source", cwi_value_retain(line));
  cw_value_release(&line);
  if (status == CW_OK) {
    status = cwi_db_catalog_put(c->txn, CWI_DB_DEF_TABLE, c->scope, text.text, text.size, &entry,
                                &c->err);
    c->ddl = true;
  }
  cw_value_release(&entry);
  return status;
}

static cw_status table_load(db_ctx *c, cw_value name, cw_value entry, db_table **out) {
  db_table *table = CWI_NEW(db_table);
  if (table == NULL) return cwi_exec_nomem(c);
  table->name = cwi_value_retain(name);
  table->scope =
      (cwi_db_scope){.ns = c->scope.ns, .db = c->scope.db, .table = cwi_db_catalog_id(entry)};
  cw_status status = cwi_exec_def_parse(c, entry, &table->def);
  if (status == CW_OK)
    status = cwi_exec_defs_load(c, CWI_DB_DEF_FIELD, table->scope, &table->fields);
  if (status == CW_OK)
    status = cwi_exec_defs_load(c, CWI_DB_DEF_INDEX, table->scope, &table->indexes);
  if (status == CW_OK)
    status = cwi_exec_defs_load(c, CWI_DB_DEF_EVENT, table->scope, &table->events);
  if (status == CW_OK) {
    status = cwi_db_catalog_list(c->txn, CWI_DB_DEF_VIEW, table->scope, &table->views, &c->err);
  }
  if (status != CW_OK) {
    table_free(table);
    return status;
  }
  table->next = c->engine->tables;
  c->engine->tables = table;
  *out = table;
  return CW_OK;
}

cw_status cwi_exec_table_get(db_ctx *c, cw_value name, bool make, db_table **out) {
  *out = NULL;
  cw_status status = cwi_exec_scope_get(c, make);
  if (status != CW_OK || c->scope.db == 0) return status;
  sql_str text = db_str(name);
  for (db_table *table = c->engine->tables; table != NULL; table = table->next) {
    if (table->scope.db == c->scope.db && cwi_exec_str_same(db_str(table->name), text)) {
      *out = table;
      return CW_OK;
    }
  }
  for (int round = 0; round < 2; round++) {
    cw_value entry = cwi_value_none();
    status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_TABLE, c->scope, text.text, text.size, &entry,
                                &c->err);
    if (status == CW_OK && entry.kind == CW_VALUE_OBJECT) status = table_load(c, name, entry, out);
    bool none = entry.kind == CW_VALUE_NONE;
    cw_value_release(&entry);
    if (status != CW_OK || !none || !make || round > 0) return status;
    status = table_make(c, name);
    if (status != CW_OK) return status;
  }
  return status;
}

cw_status cwi_exec_table_need(db_ctx *c, cw_value name, db_table **out) {
  cw_status status = cwi_exec_table_get(c, name, false, out);
  if (status == CW_OK && c->scope.db == 0) {
    return cwi_exec_fail(
        c, CW_E_QUERY,
        "There was a problem with the key-value store: Couldn't write to a read only "
        "transaction");
  }
  if (status == CW_OK && *out == NULL) {
    sql_str text = db_str(name);
    status = cwi_exec_fail(c, CW_E_NOT_FOUND, "The table '%.*s' does not exist", (int)text.size,
                           text.text);
  }
  return status;
}

/* ---- records ---- */

/* Fields that are computed when a record is read. */
cw_status cwi_exec_computed(db_ctx *c, db_table *table, cw_value rid, cw_value *doc) {
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < table->fields.len; i++) {
    const sql_define *d = table->fields.items[i].define;
    if (d->fd.computed == NULL) continue;
    cw_value value = cwi_value_none();
    status = cwi_exec_eval_with(c, d->fd.computed, *doc, rid, &value);
    if (status == CW_OK && d->fd.type != NULL) {
      cw_value coerced = cwi_value_none();
      cwi_buf prefix;
      cwi_buf_init(&prefix, 0);
      cwi_buf_append_str(&prefix, "Couldn't coerce value for field `");
      cwi_sql_print_expr(&prefix, d->fd.idiom);
      cwi_buf_append_str(&prefix, "` of `");
      cwi_db_text(&prefix, rid);
      cwi_buf_append_str(&prefix, "`: ");
      status = cwi_exec_coerce(c, value, d->fd.type, cwi_buf_cstr(&prefix), &coerced);
      cwi_buf_deinit(&prefix);
      cw_value_release(&value);
      value = coerced;
    }
    if (status == CW_OK)
      status = cwi_exec_path_set(c, doc, &d->fd.idiom->u.idiom.parts, 0, value);
    else
      cw_value_release(&value);
  }
  return status;
}

static bool has_computed(const db_table *table) {
  for (size_t i = 0; i < table->fields.len; i++) {
    if (table->fields.items[i].define->fd.computed != NULL) return true;
  }
  return false;
}

static cw_status decode(db_ctx *c, db_table *table, cw_value rid, cw_bytes bytes, cw_value *out) {
  cw_status status = cwi_db_codec_decode(bytes, out, &c->err);
  if (status == CW_OK) status = cwi_exec_obj_set(c, out, "id", cwi_value_retain(rid));
  if (status == CW_OK && has_computed(table)) status = cwi_exec_computed(c, table, rid, out);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cwi_exec_record_read(db_ctx *c, db_table *table, cw_value rid, cw_value *out) {
  *out = cwi_value_none();
  cwi_buf key;
  cwi_buf_init(&key, CWI_DB_KEY_BYTES_MAX);
  cw_bytes value;
  bool found = false;
  cw_status status =
      cwi_db_key_record(&key, table->scope.db, table->scope.table, cwi_db_record_key(rid), &c->err);
  if (status == CW_OK) {
    status = cwi_db_txn_get(c->txn, (cw_bytes){key.data, key.size}, &value, &found, &c->err);
  }
  if (status == CW_OK && found) status = decode(c, table, rid, value, out);
  cwi_buf_deinit(&key);
  return status;
}

cw_status cwi_exec_record_get(db_ctx *c, cw_value rid, cw_value *out) {
  db_table *table;
  *out = cwi_value_none();
  if (cwi_db_is_record_range(rid)) return CW_OK;
  cw_status status = cwi_exec_tick(c);
  if (status == CW_OK) status = cwi_exec_table_get(c, cwi_db_record_table(rid), false, &table);
  if (status != CW_OK || table == NULL) return status;
  return cwi_exec_record_read(c, table, rid, out);
}

cw_status cwi_exec_scan_open(db_ctx *c, db_table *table, cw_value range, db_scan *out) {
  cwi_buf begin, end;
  cwi_buf_init(&begin, CWI_DB_KEY_BYTES_MAX);
  cwi_buf_init(&end, CWI_DB_KEY_BYTES_MAX);
  *out = (db_scan){.table = table};
  cw_status status =
      cwi_db_key_record_range(&begin, &end, table->scope.db, table->scope.table, range, &c->err);
  if (status == CW_OK) {
    status = cwi_db_cursor_open(c->txn, (cw_bytes){begin.data, begin.size},
                                (cw_bytes){end.data, end.size}, false, &out->cursor, &c->err);
  }
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  return status;
}

cw_status cwi_exec_scan_next(db_ctx *c, db_scan *scan, cw_value *rid, cw_value *doc, bool *found) {
  cw_bytes key, value;
  *rid = *doc = cwi_value_none();
  *found = false;
  cw_status status = cwi_exec_tick(c);
  if (status == CW_OK) status = cwi_db_cursor_next(scan->cursor, &key, &value, found, &c->err);
  if (status != CW_OK || !*found) return status;
  cw_value record_key = cwi_value_none();
  status = cwi_db_key_record_of(key, &record_key, &c->err);
  if (status == CW_OK) {
    status = cwi_db_value_record(cwi_value_retain(scan->table->name), record_key, rid, &c->err);
  }
  if (status == CW_OK) status = decode(c, scan->table, *rid, value, doc);
  if (status != CW_OK) cw_value_release(rid);
  return status;
}

void cwi_exec_scan_close(db_scan *scan) {
  cwi_db_cursor_close(scan->cursor);
  scan->cursor = NULL;
}
