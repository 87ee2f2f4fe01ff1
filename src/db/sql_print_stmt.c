/* SPDX-License-Identifier: MIT */
/* Statements and definitions as text. */
#include <math.h>
#include <string.h>

#include "db/db_value.h"
#include "db/sql_print.h"

static void text(cwi_buf *out, const char *s) { cwi_buf_append_str(out, s); }
static void ident(cwi_buf *out, sql_str s) { cwi_db_text_ident(out, s.text, s.size); }

static void clause(cwi_buf *out, const char *word, const sql_expr *node) {
  if (node == NULL) return;
  text(out, word);
  cwi_sql_print_expr(out, node);
}

static void list(cwi_buf *out, const char *word, const sql_vec *items) {
  if (items->len == 0) return;
  text(out, word);
  for (uint32_t i = 0; i < items->len; i++) {
    if (i > 0) text(out, ", ");
    cwi_sql_print_expr(out, items->items[i]);
  }
}

static void names(cwi_buf *out, const char *word, const sql_vec *items, const char *between) {
  if (items->len == 0) return;
  text(out, word);
  for (uint32_t i = 0; i < items->len; i++) {
    if (i > 0) text(out, between);
    ident(out, *(const sql_str *)items->items[i]);
  }
}

void cwi_sql_print_fields(cwi_buf *out, const sql_fields *fields) {
  if (fields->value) text(out, "VALUE ");
  for (uint32_t i = 0; i < fields->list.len; i++) {
    const sql_field *field = fields->list.items[i];
    if (i > 0) text(out, ", ");
    if (field->expr == NULL)
      text(out, "*");
    else
      cwi_sql_print_expr(out, field->expr);
    clause(out, " AS ", field->alias);
  }
}

void cwi_sql_print_select(cwi_buf *out, const sql_select *s) {
  text(out, "SELECT ");
  cwi_sql_print_fields(out, &s->fields);
  list(out, " OMIT ", &s->omit);
  list(out, s->only ? " FROM ONLY " : " FROM ", &s->what);
  if (s->no_index) text(out, " WITH NOINDEX");
  names(out, " WITH INDEX ", &s->with, ", ");
  clause(out, " WHERE ", s->where);
  list(out, " SPLIT ON ", &s->split);
  if (s->group_all) text(out, " GROUP ALL");
  list(out, " GROUP BY ", &s->group);
  if (s->order_rand) text(out, " ORDER BY RAND()");
  for (uint32_t i = 0; i < s->order.len; i++) {
    const sql_order *order = s->order.items[i];
    text(out, i == 0 ? " ORDER BY " : ", ");
    cwi_sql_print_expr(out, order->idiom);
    if (order->collate) text(out, " COLLATE");
    if (order->numeric) text(out, " NUMERIC");
    if (order->desc) text(out, " DESC");
  }
  clause(out, " LIMIT ", s->limit);
  clause(out, " START ", s->start);
  list(out, " FETCH ", &s->fetch);
  clause(out, " VERSION ", s->version);
  clause(out, " TIMEOUT ", s->timeout);
}

static void assigns(cwi_buf *out, const sql_vec *items) {
  static const char *const ops[] = {" = ", " += ", " -= ", " +?= "};
  for (uint32_t i = 0; i < items->len; i++) {
    const sql_assign *assign = items->items[i];
    if (i > 0) text(out, ", ");
    cwi_sql_print_expr(out, assign->target);
    text(out, ops[assign->op]);
    cwi_sql_print_expr(out, assign->value);
  }
}

static void data(cwi_buf *out, const sql_data *d) {
  static const char *const words[] = {"",          " SET ",   " UNSET ", " CONTENT ",
                                      " REPLACE ", " MERGE ", " PATCH "};
  text(out, words[d->kind]);
  if (d->kind == SQL_DATA_SET)
    assigns(out, &d->list);
  else if (d->kind == SQL_DATA_UNSET)
    list(out, "", &d->list);
  else if (d->expr != NULL)
    cwi_sql_print_expr(out, d->expr);
}

static void output(cwi_buf *out, sql_output_kind kind, const sql_fields *fields) {
  static const char *const words[] = {"", "NONE", "NULL", "DIFF", "AFTER", "BEFORE", ""};
  if (kind == SQL_OUT_DEFAULT) return;
  text(out, " RETURN ");
  text(out, words[kind]);
  if (kind == SQL_OUT_FIELDS) cwi_sql_print_fields(out, fields);
}

static void print_write(cwi_buf *out, const sql_expr *node) {
  const sql_write *s = node->u.stmt;
  switch ((sql_node)node->kind) {
    case SQL_CREATE: text(out, "CREATE "); break;
    case SQL_UPDATE: text(out, "UPDATE "); break;
    case SQL_UPSERT: text(out, "UPSERT "); break;
    case SQL_DELETE: text(out, "DELETE "); break;
    default: text(out, "RELATE "); break;
  }
  if (s->only) text(out, "ONLY ");
  if (node->kind == SQL_RELATE) {
    cwi_sql_print_expr(out, s->from);
    clause(out, "->", s->kind);
    clause(out, "->", s->with);
  } else {
    list(out, "", &s->what);
  }
  data(out, &s->data);
  clause(out, " WHERE ", s->where);
  output(out, s->output, &s->fields);
  clause(out, " TIMEOUT ", s->timeout);
}

static void print_insert(cwi_buf *out, const sql_insert *s) {
  text(out, s->relation ? "INSERT RELATION" : "INSERT");
  if (s->ignore) text(out, " IGNORE");
  clause(out, " INTO ", s->into);
  if (s->data != NULL) {
    clause(out, " ", s->data);
  } else {
    list(out, " (", &s->columns);
    text(out, ") VALUES ");
    for (uint32_t i = 0; i < s->rows.len; i++) {
      text(out, i == 0 ? "(" : ", (");
      list(out, "", s->rows.items[i]);
      text(out, ")");
    }
  }
  if (s->update.len > 0) {
    text(out, " ON DUPLICATE KEY UPDATE ");
    assigns(out, &s->update);
  }
  output(out, s->output, &s->fields);
}

static void print_if(cwi_buf *out, const sql_if *s) {
  for (uint32_t i = 0; i < s->conds.len; i++) {
    clause(out, i == 0 ? "IF " : " ELSE IF ", s->conds.items[i]);
    clause(out, s->bracketed ? " " : " THEN ", s->bodies.items[i]);
  }
  clause(out, " ELSE ", s->other);
  if (!s->bracketed) text(out, " END");
}

void cwi_sql_print_statement(cwi_buf *out, const sql_expr *node) {
  const sql_simple *simple = node->u.stmt;
  switch ((sql_node)node->kind) {
    case SQL_SELECT: cwi_sql_print_select(out, node->u.stmt); break;
    case SQL_CREATE:
    case SQL_UPDATE:
    case SQL_UPSERT:
    case SQL_DELETE:
    case SQL_RELATE: print_write(out, node); break;
    case SQL_INSERT: print_insert(out, node->u.stmt); break;
    case SQL_LET: {
      const sql_let *s = node->u.stmt;
      cwi_buf_append_format(out, "LET $%.*s", (int)s->name.size, s->name.text);
      if (s->type != NULL) {
        text(out, ": ");
        cwi_sql_print_type(out, s->type);
      }
      clause(out, " = ", s->value);
      break;
    }
    case SQL_RETURN:
      clause(out, "RETURN ", simple->expr);
      list(out, " FETCH ", &simple->fetch);
      break;
    case SQL_THROW: clause(out, "THROW ", simple->expr); break;
    case SQL_SLEEP: clause(out, "SLEEP ", simple->expr); break;
    case SQL_KILL: clause(out, "KILL ", simple->expr); break;
    case SQL_EXPLAIN: clause(out, "EXPLAIN ", simple->expr); break;
    case SQL_BREAK: text(out, "BREAK"); break;
    case SQL_CONTINUE: text(out, "CONTINUE"); break;
    case SQL_BEGIN: text(out, "BEGIN"); break;
    case SQL_COMMIT: text(out, "COMMIT"); break;
    case SQL_CANCEL: text(out, "CANCEL"); break;
    case SQL_IF: print_if(out, node->u.stmt); break;
    case SQL_FOR: {
      const sql_for *s = node->u.stmt;
      cwi_buf_append_format(out, "FOR $%.*s IN ", (int)s->name.size, s->name.text);
      cwi_sql_print_expr(out, s->range);
      clause(out, " ", s->body);
      break;
    }
    case SQL_DEFINE: cwi_sql_print_define(out, node->u.stmt); break;
    default: text(out, "..."); break;
  }
}

/* ---- definitions ---- */

static bool same_perm(const sql_perm *a, const sql_perm *b) {
  if (a->kind != b->kind) return false;
  if (a->kind != SQL_PERM_WHERE) return true;
  cwi_buf x, y;
  cwi_buf_init(&x, 0);
  cwi_buf_init(&y, 0);
  cwi_sql_print_expr(&x, a->where);
  cwi_sql_print_expr(&y, b->where);
  bool same = x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
  cwi_buf_deinit(&x);
  cwi_buf_deinit(&y);
  return same;
}

static void print_perm(cwi_buf *out, const sql_perm *perm) {
  if (perm->kind == SQL_PERM_NONE)
    text(out, "NONE");
  else if (perm->kind == SQL_PERM_FULL)
    text(out, "FULL");
  else
    clause(out, "WHERE ", perm->where);
}

void cwi_sql_print_perms(cwi_buf *out, const sql_perms *perms, bool table) {
  const sql_perm all[4] = {perms->select, perms->create, perms->update, perms->remove};
  static const char *const words[] = {"select", "create", "update", "delete"};
  size_t count = table ? 4 : 3;
  sql_perm fallback = {.kind = table ? SQL_PERM_NONE : SQL_PERM_FULL};
  bool none = true, full = true;
  for (size_t i = 0; i < count; i++) {
    sql_perm_kind kind = perms->given ? all[i].kind : fallback.kind;
    none = none && kind == SQL_PERM_NONE;
    full = full && kind == SQL_PERM_FULL;
  }
  text(out, " PERMISSIONS ");
  if (full) {
    text(out, "FULL");
    return;
  }
  if (none && table) {
    text(out, "NONE");
    return;
  }
  bool done[4] = {false, false, false, false}, first = true;
  for (size_t i = 0; i < count; i++) {
    if (done[i]) continue;
    text(out, first ? "FOR " : ", FOR ");
    first = false;
    text(out, words[i]);
    for (size_t k = i + 1; k < count; k++) {
      if (done[k] || !same_perm(&all[i], &all[k])) continue;
      done[k] = true;
      text(out, ", ");
      text(out, words[k]);
    }
    text(out, " ");
    print_perm(out, &all[i]);
  }
}

static void print_table(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE TABLE ");
  ident(out, d->name);
  bool full = d->tb.schema == 1;
  char type = d->tb.type != 0 ? d->tb.type : full ? 'N' : 'A';
  text(out, type == 'A' ? " TYPE ANY" : type == 'N' ? " TYPE NORMAL" : " TYPE RELATION");
  names(out, " IN ", &d->tb.in, " | ");
  names(out, " OUT ", &d->tb.out, " | ");
  if (d->tb.enforced) text(out, " ENFORCED");
  if (d->tb.drop) text(out, " DROP");
  text(out, full ? " SCHEMAFULL" : " SCHEMALESS");
  clause(out, " COMMENT ", d->comment);
  if (d->tb.view != NULL) clause(out, " AS ", d->tb.view);
  clause(out, " CHANGEFEED ", d->tb.changefeed);
  if (d->tb.changefeed_original) text(out, " INCLUDE ORIGINAL");
  cwi_sql_print_perms(out, &d->perms, true);
}

static void print_field(cwi_buf *out, const sql_define *d) {
  const sql_def_field *f = &d->fd;
  text(out, "DEFINE FIELD ");
  cwi_sql_print_expr(out, f->idiom);
  text(out, " ON ");
  ident(out, d->table);
  if (f->type != NULL) {
    text(out, " TYPE ");
    cwi_sql_print_type(out, f->type);
  }
  if (f->flexible) text(out, " FLEXIBLE");
  clause(out, f->default_always ? " DEFAULT ALWAYS " : " DEFAULT ", f->default_);
  if (f->readonly) text(out, " READONLY");
  clause(out, " VALUE ", f->value);
  clause(out, " ASSERT ", f->assert_);
  clause(out, " COMPUTED ", f->computed);
  if (f->reference) {
    static const char *const deletes[] = {"IGNORE", "REJECT", "CASCADE", "UNSET", "THEN "};
    text(out, " REFERENCE ON DELETE ");
    text(out, deletes[f->on_delete]);
    if (f->on_delete == SQL_REF_THEN) cwi_sql_print_expr(out, f->ref_then);
  }
  clause(out, " COMMENT ", d->comment);
  cwi_sql_print_perms(out, &d->perms, false);
}

static void print_float(cwi_buf *out, double value) { cwi_db_text_float(out, value); }

static void print_index(cwi_buf *out, const sql_define *d) {
  const sql_def_index *ix = &d->ix;
  text(out, "DEFINE INDEX ");
  ident(out, d->name);
  text(out, " ON ");
  ident(out, d->table);
  list(out, " FIELDS ", &ix->fields);
  if (ix->kind == SQL_IX_UNIQUE) text(out, " UNIQUE");
  if (ix->kind == SQL_IX_COUNT) text(out, " COUNT");
  if (ix->kind == SQL_IX_FULLTEXT) {
    text(out, " FULLTEXT ANALYZER ");
    ident(out, ix->analyzer);
    if (ix->bm25) {
      text(out, " BM25(");
      print_float(out, ix->k1);
      text(out, ",");
      print_float(out, ix->b);
      text(out, ")");
    }
    if (ix->highlights) text(out, " HIGHLIGHTS");
  }
  if (ix->kind == SQL_IX_HNSW) {
    cwi_buf_append_format(out, " HNSW DIMENSION %lld DIST %.*s", (long long)ix->dimension,
                          (int)ix->distance.size, ix->distance.text);
    if (ix->order > 0) cwi_buf_append_format(out, " %g", ix->order);
    cwi_buf_append_format(out, " TYPE %.*s EFC %lld M %lld M0 %lld LM ", (int)ix->vector_type.size,
                          ix->vector_type.text, (long long)ix->efc, (long long)ix->m,
                          (long long)(ix->m0 >= 0 ? ix->m0 : ix->m * 2));
    print_float(out, ix->lm > 0 ? ix->lm : 1.0 / log((double)ix->m));
    text(out, "f");
    if (ix->extend) text(out, " EXTEND_CANDIDATES");
    if (ix->keep) text(out, " KEEP_PRUNED_CONNECTIONS");
  }
  clause(out, " COMMENT ", d->comment);
}

static void print_function(cwi_buf *out, const sql_define *d) {
  cwi_buf_append_format(out, "DEFINE FUNCTION fn::%.*s(", (int)d->name.size, d->name.text);
  for (uint32_t i = 0; i < d->args.len; i++) {
    const sql_arg *arg = d->args.items[i];
    cwi_buf_append_format(out, "%s$%.*s: ", i > 0 ? ", " : "", (int)arg->name.size, arg->name.text);
    cwi_sql_print_type(out, arg->type);
  }
  text(out, ") ");
  if (d->returns != NULL) {
    text(out, "-> ");
    cwi_sql_print_type(out, d->returns);
    text(out, " ");
  }
  cwi_sql_print_expr(out, d->body);
}

static void print_end(cwi_buf *out, const sql_define *d) {
  clause(out, " COMMENT ", d->comment);
  sql_perm perm = d->perm;
  if (!d->perm_given) perm.kind = SQL_PERM_FULL;
  text(out, " PERMISSIONS ");
  print_perm(out, &perm);
}

static void print_analyzer(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE ANALYZER ");
  ident(out, d->name);
  if (d->function.size > 0) {
    cwi_buf_append_format(out, " FUNCTION fn::%.*s", (int)d->function.size, d->function.text);
  }
  for (uint32_t i = 0; i < d->tokenizers.len; i++) {
    const sql_str *name = d->tokenizers.items[i];
    cwi_buf_append_format(out, "%s%.*s", i == 0 ? " TOKENIZERS " : ",", (int)name->size,
                          name->text);
  }
  for (uint32_t i = 0; i < d->filters.len; i++) {
    const sql_filter *f = d->filters.items[i];
    cwi_buf_append_format(out, "%s%.*s", i == 0 ? " FILTERS " : ", ", (int)f->name.size,
                          f->name.text);
    if (f->a >= 0) cwi_buf_append_format(out, "(%lld,%lld)", (long long)f->a, (long long)f->b);
    if (f->arg.size > 0) {
      text(out, "(");
      if (cwi_sql_str_equal(f->name, "MAPPER"))
        cwi_db_text_string(out, f->arg.text, f->arg.size);
      else
        cwi_buf_append(out, f->arg.text, f->arg.size);
      text(out, ")");
    }
  }
  clause(out, " COMMENT ", d->comment);
}

static void print_level(cwi_buf *out, const sql_define *d) {
  text(out, d->level == SQL_W_ROOT ? " ON ROOT"
            : d->level == SQL_W_NS ? " ON NAMESPACE"
                                   : " ON DATABASE");
}

static void print_duration(cwi_buf *out, const char *word, const sql_expr *value,
                           const char *other) {
  text(out, word);
  if (value != NULL)
    cwi_sql_print_expr(out, value);
  else
    text(out, other);
}

static void print_user(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE USER ");
  ident(out, d->name);
  print_level(out, d);
  clause(out, " PASSHASH ", d->passhash);
  text(out, " ROLES ");
  for (uint32_t i = 0; i < d->roles.len; i++) {
    const sql_str *role = d->roles.items[i];
    cwi_buf_append_format(out, "%s%.*s", i > 0 ? ", " : "", (int)role->size, role->text);
  }
  if (d->roles.len == 0) text(out, "VIEWER");
  print_duration(out, " DURATION FOR TOKEN ", d->token_duration, d->token_none ? "NONE" : "1h");
  print_duration(out, ", FOR SESSION ", d->session_duration, "NONE");
  clause(out, " COMMENT ", d->comment);
}

static void print_access(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE ACCESS ");
  ident(out, d->name);
  print_level(out, d);
  text(out, d->access_type == 'J'   ? " TYPE JWT"
            : d->access_type == 'B' ? " TYPE BEARER"
                                    : " TYPE RECORD");
  clause(out, " SIGNUP ", d->signup);
  clause(out, " SIGNIN ", d->signin);
  clause(out, " AUTHENTICATE ", d->authenticate);
  print_duration(out, " DURATION FOR TOKEN ", d->token_duration, d->token_none ? "NONE" : "1h");
  print_duration(out, ", FOR SESSION ", d->session_duration, "NONE");
  clause(out, " COMMENT ", d->comment);
}

static void print_api(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE API ");
  cwi_db_text_string(out, d->name.text, d->name.size);
  text(out, " FOR any PERMISSIONS FULL");
  for (uint32_t i = 0; i < d->methods.len; i++) {
    const sql_api_method *method = d->methods.items[i];
    names(out, " FOR ", &method->names, ", ");
    text(out, " PERMISSIONS FULL");
    clause(out, " THEN ", method->action);
  }
}

static void print_event(cwi_buf *out, const sql_define *d) {
  text(out, "DEFINE EVENT ");
  ident(out, d->name);
  text(out, " ON ");
  ident(out, d->table);
  clause(out, " WHEN ", d->when);
  if (d->when == NULL) text(out, " WHEN true");
  list(out, " THEN ", &d->then);
  clause(out, " COMMENT ", d->comment);
}

bool cwi_sql_str_equal(sql_str s, const char *other) {
  return strlen(other) == s.size && memcmp(s.text, other, s.size) == 0;
}

void cwi_sql_print_define(cwi_buf *out, const sql_define *d) {
  switch (d->what) {
    case SQL_W_NS:
      text(out, "DEFINE NAMESPACE ");
      ident(out, d->name);
      clause(out, " COMMENT ", d->comment);
      break;
    case SQL_W_DB:
      text(out, "DEFINE DATABASE ");
      ident(out, d->name);
      clause(out, " COMMENT ", d->comment);
      break;
    case SQL_W_TABLE: print_table(out, d); break;
    case SQL_W_FIELD: print_field(out, d); break;
    case SQL_W_INDEX: print_index(out, d); break;
    case SQL_W_EVENT: print_event(out, d); break;
    case SQL_W_FUNCTION:
      print_function(out, d);
      print_end(out, d);
      break;
    case SQL_W_PARAM:
      cwi_buf_append_format(out, "DEFINE PARAM $%.*s VALUE ", (int)d->name.size, d->name.text);
      if (d->body != NULL)
        cwi_sql_print_expr(out, d->body);
      else
        text(out, "NONE");
      print_end(out, d);
      break;
    case SQL_W_ANALYZER: print_analyzer(out, d); break;
    case SQL_W_USER: print_user(out, d); break;
    case SQL_W_ACCESS: print_access(out, d); break;
    case SQL_W_SEQUENCE:
      text(out, "DEFINE SEQUENCE ");
      ident(out, d->name);
      cwi_buf_append_format(out, " BATCH %lld START %lld", (long long)d->batch,
                            (long long)d->start);
      break;
    case SQL_W_CONFIG:
      cwi_buf_append_format(out, "GRAPHQL TABLES %.*s FUNCTIONS %.*s", (int)d->tables_mode.size,
                            d->tables_mode.text, (int)d->functions_mode.size,
                            d->functions_mode.text);
      break;
    case SQL_W_API: print_api(out, d); break;
    default: break;
  }
}
