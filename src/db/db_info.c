/* SPDX-License-Identifier: MIT */
/* INFO: what is defined, as the texts that define it, or as structures. */
#include <string.h>

#include "db/db_exec.h"

/* Adds a member: name to text of every entry of a kind. */
static cw_status member(db_ctx *c, cw_value *out, const char *key, cwi_db_def kind,
                        cwi_db_scope scope, bool there) {
  cw_value list = cwi_value_none(), object = cwi_value_none();
  cw_status status = cw_value_object(&object, &c->err);
  if (status == CW_OK && there) status = cwi_db_catalog_list(c->txn, kind, scope, &list, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(list); i++) {
    cw_value pair = cw_value_array_get(list, i);
    sql_str name = db_str(cw_value_array_get(pair, 0));
    cw_value text = cwi_exec_obj_get(cw_value_array_get(pair, 1), "text");
    status = cw_value_object_set(&object, name.text, name.size, cwi_value_retain(text), &c->err);
  }
  cw_value_release(&list);
  if (status == CW_OK) return cwi_exec_obj_set(c, out, key, object);
  cw_value_release(&object);
  return status;
}

typedef struct section {
  const char *key;
  cwi_db_def kind;
} section;

static cw_status sections(db_ctx *c, const section *list, size_t len, cwi_db_scope scope,
                          bool there, cw_value *out) {
  cw_status status = cw_value_object(out, &c->err);
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    bool known = there && list[i].kind != 0;
    status = member(c, out, list[i].key, list[i].kind, scope, known);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status info_db(db_ctx *c, cw_value *out) {
  static const section list[] = {
      {"accesses", CWI_DB_DEF_ACCESS}, {"analyzers", CWI_DB_DEF_ANALYZER},
      {"apis", CWI_DB_DEF_API},        {"buckets", CWI_DB_DEF_BUCKET},
      {"configs", CWI_DB_DEF_CONFIG},  {"functions", CWI_DB_DEF_FUNCTION},
      {"models", CWI_DB_DEF_MODEL},    {"modules", CWI_DB_DEF_MODULE},
      {"params", CWI_DB_DEF_PARAM},    {"sequences", CWI_DB_DEF_SEQUENCE},
      {"tables", CWI_DB_DEF_TABLE},    {"users", CWI_DB_DEF_USER}};
  return sections(c, list, CWI_ARRAY_LEN(list), c->scope, c->scope.db != 0, out);
}

static cw_status info_ns(db_ctx *c, cw_value *out) {
  static const section list[] = {{"accesses", CWI_DB_DEF_ACCESS},
                                 {"databases", CWI_DB_DEF_DATABASE},
                                 {"users", CWI_DB_DEF_USER}};
  cwi_db_scope scope = {.ns = c->scope.ns};
  return sections(c, list, CWI_ARRAY_LEN(list), scope, scope.ns != 0, out);
}

static cw_status info_root(db_ctx *c, cw_value *out) {
  static const section list[] = {{"accesses", CWI_DB_DEF_ACCESS},
                                 {"namespaces", CWI_DB_DEF_NAMESPACE},
                                 {"users", CWI_DB_DEF_USER}};
  return sections(c, list, CWI_ARRAY_LEN(list), (cwi_db_scope){0}, true, out);
}

/* ---- STRUCTURE ---- */

static cw_status put_text(db_ctx *c, cw_value *out, const char *key, const cwi_buf *text) {
  cw_value value = cwi_value_none();
  cw_status status = cwi_value_string_from_buf(text, &value, &c->err);
  return status == CW_OK ? cwi_exec_obj_set(c, out, key, value) : status;
}

static cw_status put_expr(db_ctx *c, cw_value *out, const char *key, const sql_expr *node) {
  if (node == NULL) return CW_OK;
  cwi_buf text;
  cwi_buf_init(&text, 0);
  if (node->kind == SQL_LITERAL && node->u.lit.value.kind == CW_VALUE_STRING) {
    cwi_db_text_bare(&text, node->u.lit.value);
  } else {
    cwi_sql_print_expr(&text, node);
  }
  cw_status status = put_text(c, out, key, &text);
  cwi_buf_deinit(&text);
  return status;
}

static cw_value perm_value(const sql_perms *perms, const sql_perm *perm) {
  return cwi_value_bool(!perms->given || perm->kind != SQL_PERM_NONE);
}

static cw_status field_structure(db_ctx *c, const sql_define *d, cw_value *out) {
  cw_value perms = cwi_value_none();
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cw_status status = cw_value_object(out, &c->err);
  if (status == CW_OK) status = put_expr(c, out, "name", d->fd.idiom);
  cwi_buf_append(&text, d->table.text, d->table.size);
  if (status == CW_OK) status = put_text(c, out, "table", &text);
  cwi_buf_clear(&text);
  if (status == CW_OK && d->fd.type != NULL) {
    cwi_sql_print_type(&text, d->fd.type);
    status = put_text(c, out, "kind", &text);
  }
  cwi_buf_deinit(&text);
  if (status == CW_OK) status = put_expr(c, out, "value", d->fd.value);
  if (status == CW_OK) status = put_expr(c, out, "assert", d->fd.assert_);
  if (status == CW_OK) status = put_expr(c, out, "computed", d->fd.computed);
  if (status == CW_OK) status = put_expr(c, out, "comment", d->comment);
  if (status == CW_OK && d->fd.default_ != NULL) {
    status = put_expr(c, out, "default", d->fd.default_);
    if (status == CW_OK) {
      status = cwi_exec_obj_set(c, out, "default_always", cwi_value_bool(d->fd.default_always));
    }
  }
  if (status == CW_OK && d->fd.flexible)
    status = cwi_exec_obj_set(c, out, "flexible", cwi_value_bool(true));
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, out, "readonly", cwi_value_bool(d->fd.readonly));
  if (status == CW_OK) status = cw_value_object(&perms, &c->err);
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, &perms, "select", perm_value(&d->perms, &d->perms.select));
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, &perms, "create", perm_value(&d->perms, &d->perms.create));
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, &perms, "update", perm_value(&d->perms, &d->perms.update));
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, out, "permissions", perms);
  else
    cw_value_release(&perms);
  return status;
}

static cw_status table_structure(db_ctx *c, const db_table *table, cw_value *out) {
  static const char *const empty[] = {"events", "indexes", "lives", "tables"};
  cw_value fields = cwi_value_none();
  cw_status status = cw_value_object(out, &c->err);
  for (size_t i = 0; status == CW_OK && i < CWI_ARRAY_LEN(empty); i++) {
    cw_value list = cwi_value_none();
    status = cw_value_array(0, &list, &c->err);
    const db_def_list *defs = i == 0 ? &table->events : i == 1 ? &table->indexes : NULL;
    for (size_t k = 0; status == CW_OK && table != NULL && defs != NULL && k < defs->len; k++) {
      cw_value item = cwi_value_none(), text = cwi_value_none();
      status = cw_value_object(&item, &c->err);
      sql_str name = defs->items[k].define->name;
      if (status == CW_OK) status = cwi_exec_string(c, name.text, name.size, &text);
      if (status == CW_OK) status = cwi_exec_obj_set(c, &item, "name", text);
      if (status == CW_OK) {
        status = cwi_exec_obj_set(c, &item, "sql",
                                  cwi_value_retain(cwi_exec_obj_get(defs->items[k].entry, "text")));
      }
      if (status == CW_OK) status = cw_value_array_push(&list, item, &c->err);
    }
    if (status == CW_OK) status = cwi_exec_obj_set(c, out, empty[i], list);
  }
  if (status == CW_OK) status = cw_value_array(0, &fields, &c->err);
  for (size_t i = 0; status == CW_OK && table != NULL && i < table->fields.len; i++) {
    cw_value item = cwi_value_none();
    status = field_structure(c, table->fields.items[i].define, &item);
    if (status == CW_OK) status = cw_value_array_push(&fields, item, &c->err);
  }
  return status == CW_OK ? cwi_exec_obj_set(c, out, "fields", fields) : status;
}

static cw_status info_table(db_ctx *c, const sql_info *s, cw_value *out) {
  static const section list[] = {{"events", CWI_DB_DEF_EVENT},
                                 {"fields", CWI_DB_DEF_FIELD},
                                 {"indexes", CWI_DB_DEF_INDEX},
                                 {"lives", 0},
                                 {"tables", 0}};
  cw_value name = cwi_value_none();
  db_table *table = NULL;
  cw_status status = cwi_exec_string(c, s->table.text, s->table.size, &name);
  if (status == CW_OK) status = cwi_exec_table_get(c, name, false, &table);
  cw_value_release(&name);
  if (status != CW_OK) return status;
  if (s->structure && table != NULL) return table_structure(c, table, out);
  cwi_db_scope scope = table != NULL ? table->scope : (cwi_db_scope){0};
  return sections(c, list, CWI_ARRAY_LEN(list), scope, table != NULL, out);
}

static cw_status info_index(db_ctx *c, const sql_info *s, cw_value *out) {
  cw_value name = cwi_value_none(), building = cwi_value_none(), text = cwi_value_none();
  db_table *table = NULL;
  cw_status status = cwi_exec_string(c, s->table.text, s->table.size, &name);
  if (status == CW_OK) status = cwi_exec_table_get(c, name, false, &table);
  cw_value_release(&name);
  bool found = false;
  for (size_t i = 0; status == CW_OK && table != NULL && i < table->indexes.len; i++) {
    found = found || cwi_exec_str_same(table->indexes.items[i].define->name, s->name);
  }
  if (status == CW_OK && !found) {
    return cwi_exec_fail(c, CW_E_QUERY, "The index '%.*s' does not exist", (int)s->name.size,
                         s->name.text);
  }
  int64_t count = 0;
  db_scan scan = {0};
  if (status == CW_OK) status = cwi_exec_scan_open(c, table, cwi_value_none(), &scan);
  for (bool more = true; status == CW_OK && more;) {
    cw_value rid, doc;
    status = cwi_exec_scan_next(c, &scan, &rid, &doc, &more);
    if (status == CW_OK && more) count++;
    cw_value_release(&rid);
    cw_value_release(&doc);
  }
  cwi_exec_scan_close(&scan);
  if (status == CW_OK) status = cw_value_object(&building, &c->err);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &building, "initial", cwi_value_int(count));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &building, "pending", cwi_value_int(0));
  if (status == CW_OK) status = cwi_exec_obj_set(c, &building, "updated", cwi_value_int(0));
  if (status == CW_OK) status = cwi_exec_string(c, "ready", 5, &text);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &building, "status", text);
  if (status == CW_OK) status = cw_value_object(out, &c->err);
  if (status == CW_OK) return cwi_exec_obj_set(c, out, "building", building);
  cw_value_release(&building);
  return status;
}

static cw_status info_user(db_ctx *c, const sql_info *s, cw_value *out) {
  cw_value entry = cwi_value_none();
  cw_status status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_USER, c->scope, s->name.text,
                                        s->name.size, &entry, &c->err);
  if (status == CW_OK && entry.kind != CW_VALUE_OBJECT) {
    sql_str db = db_str(c->session->db);
    status = cwi_exec_fail(c, CW_E_QUERY, "The user '%.*s' does not exist in the database '%.*s'",
                           (int)s->name.size, s->name.text, (int)db.size, db.text);
  } else if (status == CW_OK) {
    *out = cwi_value_retain(cwi_exec_obj_get(entry, "text"));
  }
  cw_value_release(&entry);
  return status;
}

cw_status cwi_exec_info(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_info *s = node->u.stmt;
  if (s->what == SQL_W_ROOT) return info_root(c, out);
  cw_status status = cwi_exec_scope_get(c, false);
  if (status != CW_OK) return status;
  switch (s->what) {
    case SQL_W_NS: return info_ns(c, out);
    case SQL_W_DB: return info_db(c, out);
    case SQL_W_TABLE: return info_table(c, s, out);
    case SQL_W_INDEX: return info_index(c, s, out);
    default: return info_user(c, s, out);
  }
}
