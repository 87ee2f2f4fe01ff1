/* SPDX-License-Identifier: MIT */
/* DEFINE, REMOVE, ALTER, REBUILD. An entry of the catalog holds the canonical text, which INFO
 * shows, and the source, which is parsed again when the definition is used. */
#include <string.h>

#include "db/db_exec.h"
#include "db/db_index.h"

typedef struct target {
  cwi_db_def kind;
  cwi_db_scope scope;
  cw_value name; /* STRING: as the catalog has it */
  const char *noun;
  const char *before, *after; /* around the name in messages */
} target;

static cw_status idiom_name(db_ctx *c, const sql_expr *idiom, cw_value *out) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_sql_print_expr(&text, idiom);
  cw_status status = cwi_value_string_from_buf(&text, out, &c->err);
  cwi_buf_deinit(&text);
  return status;
}

static cw_status need_table_of(db_ctx *c, const sql_define *d, bool make, db_table **out) {
  cw_value name = cwi_value_none();
  cw_status status = cwi_exec_string(c, d->table.text, d->table.size, &name);
  if (status == CW_OK) status = cwi_exec_table_get(c, name, make, out);
  cw_value_release(&name);
  return status;
}

/* Where the thing that `d` is about lives. A table that is needed and missing leaves scope.table
 * 0. */
static cw_status find_target(db_ctx *c, const sql_define *d, bool make, target *t,
                             db_table **table) {
  static const struct {
    sql_what what;
    cwi_db_def kind;
    const char *noun, *before;
  } kinds[] = {
      {SQL_W_NS, CWI_DB_DEF_NAMESPACE, "namespace", ""},
      {SQL_W_DB, CWI_DB_DEF_DATABASE, "database", ""},
      {SQL_W_TABLE, CWI_DB_DEF_TABLE, "table", ""},
      {SQL_W_FIELD, CWI_DB_DEF_FIELD, "field", ""},
      {SQL_W_INDEX, CWI_DB_DEF_INDEX, "index", ""},
      {SQL_W_EVENT, CWI_DB_DEF_EVENT, "event", ""},
      {SQL_W_FUNCTION, CWI_DB_DEF_FUNCTION, "function", "fn::"},
      {SQL_W_PARAM, CWI_DB_DEF_PARAM, "param", "$"},
      {SQL_W_ANALYZER, CWI_DB_DEF_ANALYZER, "analyzer", ""},
      {SQL_W_ACCESS, CWI_DB_DEF_ACCESS, "access method", ""},
      {SQL_W_USER, CWI_DB_DEF_USER, "user", ""},
      {SQL_W_SEQUENCE, CWI_DB_DEF_SEQUENCE, "sequence", ""},
      {SQL_W_CONFIG, CWI_DB_DEF_CONFIG, "config", ""},
      {SQL_W_API, CWI_DB_DEF_API, "api", ""},
  };
  *t = (target){.after = "", .before = "", .noun = ""};
  *table = NULL;
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds); i++) {
    if (kinds[i].what != d->what) continue;
    t->kind = kinds[i].kind;
    t->noun = kinds[i].noun;
    t->before = kinds[i].before;
  }
  cw_status status = d->what == SQL_W_FIELD
                         ? idiom_name(c, d->fd.idiom, &t->name)
                         : cwi_exec_string(c, d->name.text, d->name.size, &t->name);
  if (status != CW_OK || d->what == SQL_W_NS) return status;
  status = cwi_exec_scope_get(c, make);
  t->scope = c->scope;
  if (status != CW_OK) return status;
  if (d->what == SQL_W_DB) t->scope.db = 0;
  if (d->what == SQL_W_ACCESS || d->what == SQL_W_USER) {
    if (d->level != SQL_W_DB) t->scope.db = 0;
    if (d->level == SQL_W_ROOT) t->scope.ns = 0;
    t->after = d->level == SQL_W_DB ? "db" : d->level == SQL_W_NS ? "ns" : "root";
  }
  if (d->what == SQL_W_FIELD || d->what == SQL_W_INDEX || d->what == SQL_W_EVENT) {
    status = need_table_of(c, d, make, table);
    if (*table != NULL) t->scope.table = (*table)->scope.table;
  }
  return status;
}

static cw_status exists_error(db_ctx *c, const target *t, bool exists) {
  sql_str name = db_str(t->name);
  const char *verb = exists ? "already exists" : "does not exist";
  bool coded = t->kind == CWI_DB_DEF_NAMESPACE || t->kind == CWI_DB_DEF_DATABASE ||
               t->kind == CWI_DB_DEF_TABLE;
  cw_status code = !coded ? CW_E_QUERY : exists ? CW_E_EXISTS : CW_E_NOT_FOUND;
  if (strcmp(t->after, "db") == 0 || strcmp(t->after, "ns") == 0) {
    bool db = strcmp(t->after, "db") == 0;
    sql_str level = db_str(db ? c->session->db : c->session->ns);
    return cwi_exec_fail(c, code, "The %s '%.*s' %s in the %s '%.*s'", t->noun, (int)name.size,
                         name.text, verb, db ? "database" : "namespace", (int)level.size,
                         level.text);
  }
  return cwi_exec_fail(c, code, "The %s%s '%s%.*s' %s",
                       strcmp(t->after, "root") == 0 ? "root " : "", t->noun, t->before,
                       (int)name.size, name.text, verb);
}

static cw_status put_entry(db_ctx *c, const target *t, cw_value old, cw_value *entry) {
  sql_str name = db_str(t->name);
  cw_status status = CW_OK;
  cw_value id = cwi_exec_obj_get(old, "id");
  if (id.kind != CW_VALUE_NONE) status = cwi_exec_obj_set(c, entry, "id", cwi_value_retain(id));
  if (status == CW_OK) {
    status = cwi_db_catalog_put(c->txn, t->kind, t->scope, name.text, name.size, entry, &c->err);
  }
  c->ddl = true;
  cwi_exec_tables_forget(c->engine);
  return status;
}

/* An entry from a definition: its canonical text, and `source` (NULL: the text too). */
static cw_status make_entry(db_ctx *c, const sql_define *d, const char *source, size_t size,
                            cw_value *out) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_sql_print_define(&text, d);
  cw_value value = cwi_value_none();
  cw_status status = cw_value_object(out, &c->err);
  if (status == CW_OK) status = cwi_value_string_from_buf(&text, &value, &c->err);
  if (status == CW_OK) status = cwi_exec_obj_set(c, out, "text", value);
  value = cwi_value_none();
  if (status == CW_OK && source != NULL) status = cwi_exec_string(c, source, size, &value);
  if (status == CW_OK && source == NULL) status = cwi_value_string_from_buf(&text, &value, &c->err);
  if (status == CW_OK) status = cwi_exec_obj_set(c, out, "source", value);
  cwi_buf_deinit(&text);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* A further definition that another one brings with it: fields of relations, items of lists. */
static cw_status put_text(db_ctx *c, cwi_db_scope scope, const char *name, size_t size,
                          const char *text, size_t text_size) {
  cw_value entry = cwi_value_none(), value = cwi_value_none(), old = cwi_value_none();
  cw_status status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_FIELD, scope, name, size, &old, &c->err);
  bool have = old.kind != CW_VALUE_NONE;
  cw_value_release(&old);
  if (status != CW_OK || have) return status;
  status = cw_value_object(&entry, &c->err);
  for (int i = 0; status == CW_OK && i < 2; i++) {
    status = cwi_exec_string(c, text, text_size, &value);
    if (status == CW_OK) status = cwi_exec_obj_set(c, &entry, i == 0 ? "text" : "source", value);
  }
  if (status == CW_OK) {
    status = cwi_db_catalog_put(c->txn, CWI_DB_DEF_FIELD, scope, name, size, &entry, &c->err);
  }
  cw_value_release(&entry);
  cwi_exec_tables_forget(c->engine);
  return status;
}

static cw_status relation_fields(db_ctx *c, const sql_define *d, cwi_db_scope scope) {
  static const char *const ends[] = {"in", "out"};
  const sql_vec *lists[2] = {&d->tb.in, &d->tb.out};
  cw_status status = CW_OK;
  for (size_t k = 0; status == CW_OK && k < 2; k++) {
    if (lists[k]->len == 0) continue;
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cwi_buf_append_format(&text, "DEFINE FIELD %s ON ", ends[k]);
    cwi_db_text_ident(&text, d->name.text, d->name.size);
    cwi_buf_append_str(&text, " TYPE record<");
    for (uint32_t i = 0; i < lists[k]->len; i++) {
      const sql_str *name = lists[k]->items[i];
      if (i > 0) cwi_buf_append_str(&text, " | ");
      cwi_db_text_ident(&text, name->text, name->size);
    }
    cwi_buf_append_str(&text, "> PERMISSIONS FULL");
    status = text.failed ? cwi_exec_nomem(c)
                         : put_text(c, scope, ends[k], strlen(ends[k]), text.data, text.size);
    cwi_buf_deinit(&text);
  }
  return status;
}

static cw_status item_field(db_ctx *c, const sql_define *d, cwi_db_scope scope) {
  const sql_type *type = d->fd.type;
  if (type == NULL || (type->kind != SQL_T_ARRAY && type->kind != SQL_T_SET) ||
      type->inner.len == 0) {
    return CW_OK;
  }
  cwi_buf name, text;
  cwi_buf_init(&name, 0);
  cwi_buf_init(&text, 0);
  cwi_sql_print_expr(&name, d->fd.idiom);
  cwi_buf_append_str(&name, ".*");
  cwi_buf_append_str(&text, "DEFINE FIELD ");
  cwi_buf_append(&text, name.data, name.size);
  cwi_buf_append_str(&text, " ON ");
  cwi_db_text_ident(&text, d->table.text, d->table.size);
  cwi_buf_append_str(&text, " TYPE ");
  cwi_sql_print_type(&text, type->inner.items[0]);
  cwi_buf_append_str(&text, " PERMISSIONS FULL");
  cw_status status = text.failed || name.failed
                         ? cwi_exec_nomem(c)
                         : put_text(c, scope, name.data, name.size, text.data, text.size);
  cwi_buf_deinit(&name);
  cwi_buf_deinit(&text);
  return status;
}

/* A view: known to the tables it reads, and filled. */
static cw_status define_view(db_ctx *c, const sql_define *d, cw_value name) {
  const sql_select *s = d->tb.view->u.stmt;
  cw_status status = CW_OK;
  bool itself = false;
  for (uint32_t i = 0; status == CW_OK && i < s->what.len; i++) {
    const sql_expr *source = s->what.items[i];
    if (source->kind != SQL_TABLE) continue;
    if (cwi_exec_str_same(source->u.name, d->name)) {
      itself = true;
      continue;
    }
    cw_value from = cwi_value_none(), entry = cwi_value_none();
    db_table *table;
    status = cwi_exec_string(c, source->u.name.text, source->u.name.size, &from);
    if (status == CW_OK) status = cwi_exec_table_need(c, from, &table);
    if (status == CW_OK) status = cw_value_object(&entry, &c->err);
    if (status == CW_OK) {
      status = cwi_db_catalog_put(c->txn, CWI_DB_DEF_VIEW, table->scope, d->name.text, d->name.size,
                                  &entry, &c->err);
    }
    cw_value_release(&from);
    cw_value_release(&entry);
  }
  cwi_exec_tables_forget(c->engine);
  return status == CW_OK && !itself ? cwi_exec_view_fill(c, NULL, name, name) : status;
}

static cw_status after_define(db_ctx *c, const sql_define *d, const target *t, cw_value entry) {
  cw_status status = CW_OK;
  db_table *table;
  if (d->what == SQL_W_TABLE) {
    cwi_db_scope scope = t->scope;
    scope.table = cwi_db_catalog_id(entry);
    status = relation_fields(c, d, scope);
    if (status == CW_OK && d->tb.view != NULL) status = define_view(c, d, t->name);
  } else if (d->what == SQL_W_FIELD) {
    status = item_field(c, d, t->scope);
  } else if (d->what == SQL_W_INDEX) {
    status = need_table_of(c, d, false, &table);
    for (size_t i = 0; status == CW_OK && table != NULL && i < table->indexes.len; i++) {
      if (cwi_exec_str_same(table->indexes.items[i].define->name, d->name)) {
        status = cwi_exec_index_build(c, table, &table->indexes.items[i]);
      }
    }
  }
  return status;
}

/* The values that a definition fixes when it is made: a parameter's, a password's hash. */
static cw_status fix_values(db_ctx *c, sql_define *d, sql_expr *literal, cw_value *value) {
  cw_status status = CW_OK;
  if (d->what == SQL_W_PARAM) {
    if (d->body != NULL) status = cwi_exec_eval(c, d->body, value);
    *literal = (sql_expr){.kind = SQL_LITERAL, .u.lit.value = *value};
    d->body = literal;
  } else if (d->what == SQL_W_USER && d->password != NULL) {
    cw_value password = cwi_value_none();
    status = cwi_exec_eval(c, d->password, &password);
    if (status == CW_OK)
      status = cwi_exec_fn_run(c, "crypto::argon2::generate", &password, 1, value);
    cw_value_release(&password);
    *literal = (sql_expr){.kind = SQL_LITERAL, .u.lit.value = *value};
    d->passhash = literal;
  }
  return status;
}

static cw_status check_define(db_ctx *c, const sql_define *d, const db_table *table) {
  if (d->what == SQL_W_FIELD && d->fd.flexible && table->def.define->tb.schema != 1) {
    return cwi_exec_fail(c, CW_E_QUERY,
                         "An error occurred: FLEXIBLE can only be used in SCHEMAFULL tables");
  }
  return CW_OK;
}

cw_status cwi_exec_define(db_ctx *c, const sql_expr *node, cw_value *out) {
  sql_define d = *(const sql_define *)node->u.stmt;
  sql_expr literal;
  cw_value fixed = cwi_value_none(), old = cwi_value_none(), entry = cwi_value_none();
  db_table *table;
  target t;
  (void)out;
  if (d.what == SQL_W_FIELD && d.fd.flexible) {
    cw_value name = cwi_value_none();
    cw_status found = cwi_exec_string(c, d.table.text, d.table.size, &name);
    if (found == CW_OK) found = cwi_exec_table_need(c, name, &table);
    cw_value_release(&name);
    if (found != CW_OK) return found;
  }
  cw_status status = find_target(c, &d, true, &t, &table);
  sql_str name = db_str(t.name);
  if (status == CW_OK && table != NULL) status = check_define(c, &d, table);
  if (status == CW_OK) {
    status = cwi_db_catalog_get(c->txn, t.kind, t.scope, name.text, name.size, &old, &c->err);
  }
  bool have = old.kind == CW_VALUE_OBJECT;
  bool skip = have && d.if_not_exists;
  if (status == CW_OK && have && !skip && !d.overwrite) status = exists_error(c, &t, true);
  if (status == CW_OK && !skip) {
    bool text_is_source = d.what == SQL_W_PARAM || d.what == SQL_W_USER;
    status = fix_values(c, &d, &literal, &fixed);
    if (status == CW_OK) {
      status = make_entry(c, &d, text_is_source ? NULL : c->program->source + node->at, node->size,
                          &entry);
    }
    if (status == CW_OK && d.what == SQL_W_PARAM) {
      status = cwi_exec_obj_set(c, &entry, "value", cwi_value_retain(fixed));
    }
    if (status == CW_OK && d.what == SQL_W_INDEX && have) {
      cwi_db_index index = {
          .db = t.scope.db, .table = t.scope.table, .index = cwi_db_catalog_id(old)};
      status = cwi_db_index_drop(c->txn, index, &c->err);
    }
    if (status == CW_OK) status = put_entry(c, &t, old, &entry);
    if (status == CW_OK) status = after_define(c, &d, &t, entry);
  }
  cw_value_release(&fixed);
  cw_value_release(&old);
  cw_value_release(&entry);
  cw_value_release(&t.name);
  return status;
}

static cw_status before_remove(db_ctx *c, const sql_define *d, const target *t, cw_value entry) {
  cwi_db_scope scope = t->scope;
  if (d->what == SQL_W_NS) {
    scope.ns = cwi_db_catalog_id(entry);
    return cwi_db_catalog_drop_namespace(c->txn, scope, &c->err);
  }
  if (d->what == SQL_W_DB) {
    scope.db = cwi_db_catalog_id(entry);
    return cwi_db_catalog_drop_database(c->txn, scope, &c->err);
  }
  if (d->what == SQL_W_TABLE) {
    scope.table = cwi_db_catalog_id(entry);
    return cwi_db_catalog_drop_table(c->txn, scope, &c->err);
  }
  if (d->what == SQL_W_INDEX) {
    cwi_db_index index = {.db = scope.db, .table = scope.table, .index = cwi_db_catalog_id(entry)};
    return cwi_db_index_drop(c->txn, index, &c->err);
  }
  return CW_OK;
}

cw_status cwi_exec_remove(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_define *d = node->u.stmt;
  cw_value old = cwi_value_none();
  db_table *table;
  target t;
  (void)out;
  cw_status status = find_target(c, d, false, &t, &table);
  sql_str name = db_str(t.name);
  bool scoped =
      (d->what != SQL_W_FIELD && d->what != SQL_W_INDEX && d->what != SQL_W_EVENT) || table != NULL;
  if (status == CW_OK && scoped) {
    status = cwi_db_catalog_get(c->txn, t.kind, t.scope, name.text, name.size, &old, &c->err);
  }
  if (status == CW_OK && old.kind != CW_VALUE_OBJECT) {
    if (!d->if_exists) status = exists_error(c, &t, false);
  } else if (status == CW_OK) {
    status = before_remove(c, d, &t, old);
    if (status == CW_OK) {
      status = cwi_db_catalog_remove(c->txn, t.kind, t.scope, name.text, name.size, &c->err);
    }
    c->ddl = true;
    c->scope = (cwi_db_scope){0};
    cwi_exec_tables_forget(c->engine);
  }
  cw_value_release(&old);
  cw_value_release(&t.name);
  return status;
}

static void alter_table(sql_define *d, const sql_define *a) {
  /* What was implied by being SCHEMAFULL stays what it was. */
  if (d->tb.type == 0) d->tb.type = d->tb.schema == 1 ? 'N' : 'A';
  if (a->tb.schema >= 0) d->tb.schema = a->tb.schema;
  if (a->tb.type != 0) {
    d->tb.type = a->tb.type;
    d->tb.in = a->tb.in;
    d->tb.out = a->tb.out;
  }
  if (a->tb.drop) d->tb.drop = true;
  if (a->perms.given) d->perms = a->perms;
  if (a->tb.changefeed != NULL) d->tb.changefeed = a->tb.changefeed;
  if (a->drop_changefeed) d->tb.changefeed = NULL;
  if (a->comment != NULL) d->comment = a->comment;
  if (a->drop_comment) d->comment = NULL;
}

static void alter_field(sql_define *d, const sql_define *a) {
  sql_def_field *f = &d->fd;
  if (a->fd.type != NULL) f->type = a->fd.type;
  if (a->fd.flexible) f->flexible = true;
  if (a->fd.readonly) f->readonly = true;
  if (a->fd.value != NULL) f->value = a->fd.value;
  if (a->fd.assert_ != NULL) f->assert_ = a->fd.assert_;
  if (a->fd.default_ != NULL) {
    f->default_ = a->fd.default_;
    f->default_always = a->fd.default_always;
  }
  if (a->perms.given) d->perms = a->perms;
  if (a->comment != NULL) d->comment = a->comment;
  if (a->drop_comment) d->comment = NULL;
  if (a->drop_assert) f->assert_ = NULL;
  if (a->drop_default) f->default_ = NULL;
  if (a->drop_value) f->value = NULL;
  if (a->drop_type) f->type = NULL;
  if (a->drop_readonly) f->readonly = false;
  if (a->drop_flexible) f->flexible = false;
}

cw_status cwi_exec_alter(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_define *a = node->u.stmt;
  cw_value old = cwi_value_none(), entry = cwi_value_none();
  db_def def = {0};
  db_table *table;
  target t;
  (void)out;
  cw_status status = find_target(c, a, false, &t, &table);
  sql_str name = db_str(t.name);
  if (status == CW_OK && (a->what != SQL_W_FIELD || table != NULL)) {
    status = cwi_db_catalog_get(c->txn, t.kind, t.scope, name.text, name.size, &old, &c->err);
  }
  if (status == CW_OK && old.kind != CW_VALUE_OBJECT) {
    if (!a->if_exists) status = exists_error(c, &t, false);
  } else if (status == CW_OK) {
    status = cwi_exec_def_parse(c, old, &def);
    if (status == CW_OK) {
      sql_define d = *def.define;
      if (a->what == SQL_W_TABLE)
        alter_table(&d, a);
      else
        alter_field(&d, a);
      status = make_entry(c, &d, NULL, 0, &entry);
    }
    if (status == CW_OK) status = put_entry(c, &t, old, &entry);
  }
  cwi_exec_def_deinit(&def);
  cw_value_release(&old);
  cw_value_release(&entry);
  cw_value_release(&t.name);
  return status;
}

cw_status cwi_exec_rebuild(db_ctx *c, const sql_expr *node, cw_value *out) {
  const sql_define *d = node->u.stmt;
  db_table *table;
  (void)out;
  cw_status status = need_table_of(c, d, false, &table);
  for (size_t i = 0; status == CW_OK && table != NULL && i < table->indexes.len; i++) {
    const db_def *index = &table->indexes.items[i];
    if (!cwi_exec_str_same(index->define->name, d->name)) continue;
    cwi_db_index key = {.db = table->scope.db, .table = table->scope.table, .index = index->id};
    status = cwi_db_index_drop(c->txn, key, &c->err);
    return status == CW_OK ? cwi_exec_index_build(c, table, index) : status;
  }
  if (status == CW_OK && !d->if_exists) {
    status = cwi_exec_fail(c, CW_E_QUERY, "The index '%.*s' does not exist", (int)d->name.size,
                           d->name.text);
  }
  return status;
}
