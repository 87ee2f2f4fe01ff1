/* SPDX-License-Identifier: MIT */
/* DEFINE, REMOVE and ALTER. One struct holds every kind of definition; what its text does not give is
 * left at its default, and the printer writes the canonical form back. */
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

static sql_expr *finish(sql_parser *p, sql_node kind, size_t at, sql_define *d) {
  if (p->failed) return NULL;
  sql_expr *node = sql_node_new(p, kind, at);
  if (node != NULL) node->u.stmt = d;
  return node;
}

static bool expr_into(sql_parser *p, sql_expr **out) {
  *out = sql_parse_statement(p, NULL);
  return *out != NULL;
}

static bool word(sql_parser *p, const char *text) {
  const sql_token *token = sql_peek(p);
  return token->kind == TK_IDENT && token->size == strlen(text) &&
         strncasecmp(p->text + token->at, text, token->size) == 0;
}

static bool eat_word(sql_parser *p, const char *text) {
  if (!word(p, text)) return false;
  sql_take(p);
  return true;
}

static bool int_into(sql_parser *p, int64_t *out) {
  if (!sql_is(p, TK_NUMBER)) return sql_unexpected(p, sql_peek(p), "an integer");
  sql_token token = sql_take(p);
  sql_expr *number = sql_number_value(p, &token, false);
  if (number == NULL) return false;
  *out = cw_value_as_int(number->u.lit.value);
  return true;
}

static bool float_into(sql_parser *p, double *out) {
  if (!sql_is(p, TK_NUMBER)) return sql_unexpected(p, sql_peek(p), "a number");
  sql_token token = sql_take(p);
  sql_expr *number = sql_number_value(p, &token, false);
  if (number == NULL) return false;
  *out = cw_value_as_float(number->u.lit.value);
  return true;
}

static bool upper_name(sql_parser *p, sql_str *out) {
  sql_str name;
  if (!sql_ident(p, &name)) return false;
  char *text = cwi_arena_strndup(p->arena, name.text, name.size);
  if (text == NULL) return sql_nomem(p);
  for (uint32_t i = 0; i < name.size; i++) {
    if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 32);
  }
  *out = (sql_str){.text = text, .size = name.size};
  return true;
}

static bool mode(sql_parser *p, sql_define *d) {
  if (sql_eat_kw(p, KW_IF)) {
    d->if_not_exists = true;
    return sql_expect_kw(p, KW_NOT) && sql_expect_kw(p, KW_EXISTS);
  }
  if (sql_eat_kw(p, KW_OVERWRITE)) d->overwrite = true;
  return true;
}

/* ---- PERMISSIONS ---- */

static bool one_perm(sql_parser *p, sql_perm *out) {
  if (sql_eat_kw(p, KW_NONE)) {
    out->kind = SQL_PERM_NONE;
  } else if (sql_eat_kw(p, KW_FULL)) {
    out->kind = SQL_PERM_FULL;
  } else if (sql_eat_kw(p, KW_WHERE)) {
    out->kind = SQL_PERM_WHERE;
    out->where = sql_parse_expr(p);
    return out->where != NULL;
  } else {
    return sql_unexpected(p, sql_peek(p), "a permission");
  }
  return true;
}

bool sql_parse_perms(sql_parser *p, sql_perms *out, bool table) {
  sql_perm base = {.kind = table ? SQL_PERM_NONE : SQL_PERM_FULL};
  out->given = true;
  if (sql_is_kw(p, KW_NONE) || sql_is_kw(p, KW_FULL)) {
    if (!one_perm(p, &base)) return false;
    out->select = out->create = out->update = out->remove = base;
    return true;
  }
  out->select = out->create = out->update = out->remove = base;
  if (!sql_is_kw(p, KW_FOR)) return sql_unexpected(p, sql_peek(p), "'NONE', 'FULL' or 'FOR'");
  while (sql_eat_kw(p, KW_FOR)) {
    bool which[4] = {false, false, false, false};
    do {
      if (sql_eat_kw(p, KW_SELECT))
        which[0] = true;
      else if (sql_eat_kw(p, KW_CREATE))
        which[1] = true;
      else if (sql_eat_kw(p, KW_UPDATE))
        which[2] = true;
      else if (sql_eat_kw(p, KW_DELETE))
        which[3] = true;
      else
        return sql_unexpected(p, sql_peek(p), "'SELECT', 'CREATE', 'UPDATE' or 'DELETE'");
    } while (sql_eat(p, TK_COMMA));
    sql_perm perm = {0};
    if (!one_perm(p, &perm)) return false;
    if (which[0]) out->select = perm;
    if (which[1]) out->create = perm;
    if (which[2]) out->update = perm;
    if (which[3]) out->remove = perm;
    if (sql_is(p, TK_COMMA)) sql_take(p);
  }
  return true;
}

/* ---- tables and fields ---- */

static bool relation_tables(sql_parser *p, sql_vec *out) {
  do {
    sql_str *name = SQL_NEW(p, sql_str);
    if (name == NULL || !sql_ident(p, name) || !sql_push(p, out, name)) return false;
  } while (sql_eat(p, TK_PIPE) || sql_eat_kw(p, KW_OR));
  return true;
}

static bool table_type(sql_parser *p, sql_define *d) {
  if (sql_eat_kw(p, KW_ANY)) {
    d->tb.type = 'A';
  } else if (sql_eat_kw(p, KW_NORMAL)) {
    d->tb.type = 'N';
  } else if (sql_eat_kw(p, KW_RELATION)) {
    d->tb.type = 'R';
    for (;;) {
      if (sql_eat_kw(p, KW_IN) || sql_eat_kw(p, KW_FROM)) {
        if (!relation_tables(p, &d->tb.in)) return false;
      } else if (sql_eat_kw(p, KW_OUT) || sql_eat_kw(p, KW_TO)) {
        if (!relation_tables(p, &d->tb.out)) return false;
      } else {
        break;
      }
    }
    if (sql_eat_kw(p, KW_ENFORCED)) d->tb.enforced = true;
  } else {
    return sql_unexpected(p, sql_peek(p), "`NORMAL`, `RELATION`, or `ANY`");
  }
  return true;
}

/* One clause of DEFINE TABLE; *more is false where there is none. */
static bool table_clause(sql_parser *p, sql_define *d, bool *more) {
  if (sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  if (sql_eat_kw(p, KW_DROP)) {
    d->tb.drop = true;
  } else if (sql_eat_kw(p, KW_TYPE)) {
    return table_type(p, d);
  } else if (sql_eat_kw(p, KW_SCHEMAFULL)) {
    d->tb.schema = 1;
  } else if (sql_eat_kw(p, KW_SCHEMALESS)) {
    d->tb.schema = 0;
  } else if (sql_eat_kw(p, KW_PERMISSIONS)) {
    return sql_parse_perms(p, &d->perms, true);
  } else if (sql_eat_kw(p, KW_CHANGEFEED)) {
    if (!sql_is(p, TK_DURATION)) return sql_unexpected(p, sql_peek(p), "a duration");
    if (!expr_into(p, &d->tb.changefeed)) return false;
    if (sql_eat_kw(p, KW_INCLUDE)) {
      eat_word(p, "ORIGINAL");
      d->tb.changefeed_original = true;
    }
  } else if (sql_eat_kw(p, KW_AS)) {
    bool paren = sql_eat(p, TK_LPAREN);
    if (!sql_is_kw(p, KW_SELECT)) return sql_unexpected(p, sql_peek(p), "SELECT");
    d->tb.view = sql_parse_select(p, false);
    if (d->tb.view == NULL) return false;
    if (paren && !sql_expect(p, TK_RPAREN)) return false;
  } else {
    *more = false;
  }
  return true;
}

static bool define_table(sql_parser *p, sql_define *d) {
  d->what = SQL_W_TABLE;
  d->tb.schema = -1;
  if (!mode(p, d) || !sql_name(p, &d->name)) return false;
  for (bool more = true; more;) {
    if (!table_clause(p, d, &more)) return false;
  }
  return !p->failed;
}

static bool reference(sql_parser *p, sql_def_field *f) {
  f->reference = true;
  f->on_delete = SQL_REF_IGNORE;
  if (!sql_eat_kw(p, KW_ON)) return true;
  if (!sql_expect_kw(p, KW_DELETE)) return false;
  if (sql_eat_kw(p, KW_REJECT))
    f->on_delete = SQL_REF_REJECT;
  else if (sql_eat_kw(p, KW_CASCADE))
    f->on_delete = SQL_REF_CASCADE;
  else if (sql_eat_kw(p, KW_IGNORE))
    f->on_delete = SQL_REF_IGNORE;
  else if (sql_eat_kw(p, KW_UNSET))
    f->on_delete = SQL_REF_UNSET;
  else if (sql_eat_kw(p, KW_THEN)) {
    f->on_delete = SQL_REF_THEN;
    return expr_into(p, &f->ref_then);
  } else {
    return sql_unexpected(p, sql_peek(p), "`REJECT`, `CASCADE`, `IGNORE`, `UNSET` or `THEN`");
  }
  return true;
}

static bool field_clause(sql_parser *p, sql_define *d, bool *more) {
  sql_def_field *f = &d->fd;
  const sql_token token = *sql_peek(p);
  if (sql_eat_kw(p, KW_FLEXIBLE)) {
    if (f->type == NULL) {
      return sql_fail(p, token.at, token.size, NULL, "FLEXIBLE must be specified after TYPE");
    }
    f->flexible = true;
  } else if (sql_eat_kw(p, KW_TYPE)) {
    f->type = sql_parse_type(p);
    return f->type != NULL;
  } else if (sql_eat_kw(p, KW_READONLY)) {
    f->readonly = true;
  } else if (sql_eat_kw(p, KW_VALUE)) {
    return expr_into(p, &f->value);
  } else if (sql_eat_kw(p, KW_ASSERT)) {
    return expr_into(p, &f->assert_);
  } else if (sql_eat_kw(p, KW_DEFAULT)) {
    f->default_always = sql_eat_kw(p, KW_ALWAYS);
    return expr_into(p, &f->default_);
  } else if (sql_eat_kw(p, KW_COMPUTED)) {
    return expr_into(p, &f->computed);
  } else if (sql_eat_kw(p, KW_PERMISSIONS)) {
    return sql_parse_perms(p, &d->perms, false);
  } else if (sql_eat_kw(p, KW_COMMENT)) {
    return expr_into(p, &d->comment);
  } else if (sql_eat_kw(p, KW_REFERENCE)) {
    return reference(p, f);
  } else {
    *more = false;
  }
  return true;
}

static bool on_table(sql_parser *p, sql_define *d) {
  if (!sql_expect_kw(p, KW_ON)) return false;
  if (sql_is_kw(p, KW_TABLE) && sql_peek_at(p, 1)->kind == TK_IDENT) sql_take(p);
  return sql_name(p, &d->table);
}

static bool define_field(sql_parser *p, sql_define *d) {
  d->what = SQL_W_FIELD;
  if (!mode(p, d)) return false;
  d->fd.idiom = sql_parse_idiom(p);
  if (d->fd.idiom == NULL || !on_table(p, d)) return false;
  for (bool more = true; more;) {
    if (!field_clause(p, d, &more)) return false;
  }
  return !p->failed;
}

/* ---- indexes ---- */

static bool hnsw(sql_parser *p, sql_def_index *ix) {
  ix->kind = SQL_IX_HNSW;
  ix->efc = 150;
  ix->m = 12;
  ix->m0 = -1;
  ix->distance = sql_str_of("EUCLIDEAN");
  ix->vector_type = sql_str_of("F32");
  if (!sql_expect_kw(p, KW_DIMENSION) || !int_into(p, &ix->dimension)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_DIST) || sql_eat_kw(p, KW_DISTANCE)) {
      if (!upper_name(p, &ix->distance)) return false;
      if (sql_str_is(ix->distance, "MINKOWSKI") && !float_into(p, &ix->order)) return false;
    } else if (sql_eat_kw(p, KW_TYPE)) {
      if (!upper_name(p, &ix->vector_type)) return false;
    } else if (sql_eat_kw(p, KW_EFC)) {
      if (!int_into(p, &ix->efc)) return false;
    } else if (sql_eat_kw(p, KW_M)) {
      if (!int_into(p, &ix->m)) return false;
    } else if (sql_eat_kw(p, KW_M0)) {
      if (!int_into(p, &ix->m0)) return false;
    } else if (sql_eat_kw(p, KW_LM)) {
      if (!float_into(p, &ix->lm)) return false;
    } else if (sql_eat_kw(p, KW_EXTEND_CANDIDATES)) {
      ix->extend = true;
    } else if (sql_eat_kw(p, KW_KEEP_PRUNED_CONNECTIONS)) {
      ix->keep = true;
    } else {
      return true;
    }
  }
}

static bool fulltext(sql_parser *p, sql_def_index *ix) {
  ix->kind = SQL_IX_FULLTEXT;
  ix->k1 = 1.2;
  ix->b = 0.75;
  for (;;) {
    if (sql_eat_kw(p, KW_ANALYZER)) {
      if (!sql_ident(p, &ix->analyzer)) return false;
    } else if (sql_eat_kw(p, KW_BM25)) {
      ix->bm25 = true;
      sql_token open = *sql_peek(p);
      if (sql_eat(p, TK_LPAREN)) {
        if (!float_into(p, &ix->k1) || !sql_expect(p, TK_COMMA) || !float_into(p, &ix->b) ||
            !sql_close(p, TK_RPAREN, &open)) {
          return false;
        }
      }
    } else if (sql_eat_kw(p, KW_HIGHLIGHTS)) {
      ix->highlights = true;
    } else {
      return true;
    }
  }
}

static bool define_index(sql_parser *p, sql_define *d) {
  d->what = SQL_W_INDEX;
  if (!mode(p, d) || !sql_ident(p, &d->name) || !on_table(p, d)) return false;
  sql_def_index *ix = &d->ix;
  bool ok = true, more = true;
  while (ok && more) {
    if (sql_eat_kw(p, KW_FIELDS) || sql_eat_kw(p, KW_COLUMNS)) {
      do {
        ok = sql_push(p, &ix->fields, sql_parse_idiom(p));
      } while (ok && sql_eat(p, TK_COMMA));
    } else if (sql_eat_kw(p, KW_UNIQUE)) {
      ix->kind = SQL_IX_UNIQUE;
    } else if (sql_eat_kw(p, KW_COUNT)) {
      ix->kind = SQL_IX_COUNT;
    } else if (sql_eat_kw(p, KW_FULLTEXT)) {
      ok = fulltext(p, ix);
    } else if (sql_eat_kw(p, KW_HNSW)) {
      ok = hnsw(p, ix);
    } else if (sql_eat_kw(p, KW_CONCURRENTLY)) {
      ix->concurrently = true;
    } else if (sql_eat_kw(p, KW_COMMENT)) {
      ok = expr_into(p, &d->comment);
    } else {
      more = false;
    }
  }
  if (ok && !p->failed && ix->fields.len == 0 && ix->kind != SQL_IX_COUNT) {
    const sql_token *token = sql_peek(p);
    return sql_fail(p, token->at, token->size, NULL,
                    "Expected at least one column - Use FIELDS to define columns");
  }
  return ok && !p->failed;
}

/* ---- the rest ---- */

static bool define_event(sql_parser *p, sql_define *d) {
  d->what = SQL_W_EVENT;
  if (!mode(p, d) || !sql_ident(p, &d->name) || !on_table(p, d)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_WHEN)) {
      if (!expr_into(p, &d->when)) return false;
    } else if (sql_eat_kw(p, KW_THEN)) {
      do {
        if (!sql_push(p, &d->then, sql_parse_statement(p, NULL))) return false;
      } while (sql_eat(p, TK_COMMA));
    } else if (sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool fn_name(sql_parser *p, sql_str *out) {
  if (!eat_word(p, "fn")) return sql_unexpected(p, sql_peek(p), "fn");
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = true;
  while (ok && sql_eat(p, TK_PATH)) {
    sql_str part;
    ok = sql_ident(p, &part);
    if (ok && buf.size > 0) cwi_buf_append_str(&buf, "::");
    if (ok) cwi_buf_append(&buf, part.text, part.size);
  }
  if (ok && buf.size == 0) ok = sql_unexpected(p, sql_peek(p), "::");
  out->text = ok ? cwi_arena_strndup(p->arena, buf.data, buf.size) : NULL;
  out->size = (uint32_t)buf.size;
  cwi_buf_deinit(&buf);
  return ok && (out->text != NULL || sql_nomem(p));
}

static bool perm_or_comment(sql_parser *p, sql_define *d, bool *more) {
  if (sql_eat_kw(p, KW_PERMISSIONS)) {
    d->perm_given = true;
    return one_perm(p, &d->perm);
  }
  if (sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  *more = false;
  return true;
}

static bool define_function(sql_parser *p, sql_define *d) {
  d->what = SQL_W_FUNCTION;
  if (!mode(p, d) || !fn_name(p, &d->name)) return false;
  sql_token open = *sql_peek(p);
  if (!sql_expect(p, TK_LPAREN)) return false;
  while (!sql_is(p, TK_RPAREN)) {
    sql_arg *arg = SQL_NEW(p, sql_arg);
    sql_token token = *sql_peek(p);
    if (arg == NULL) return false;
    if (token.kind != TK_PARAM) return sql_unexpected(p, &token, "a parameter");
    sql_take(p);
    if (!sql_ident_text(p, &token, &arg->name) || !sql_expect(p, TK_COLON)) return false;
    arg->type = sql_parse_type(p);
    if (arg->type == NULL || !sql_push(p, &d->args, arg)) return false;
    if (!sql_eat(p, TK_COMMA)) break;
  }
  if (!sql_close(p, TK_RPAREN, &open)) return false;
  if (sql_eat(p, TK_ARROW)) {
    d->returns = sql_parse_type(p);
    if (d->returns == NULL) return false;
  }
  d->body = sql_parse_block(p);
  if (d->body == NULL) return false;
  for (bool more = true; more;) {
    if (!perm_or_comment(p, d, &more)) return false;
  }
  return !p->failed;
}

static bool param_name(sql_parser *p, sql_define *d) {
  sql_token token = *sql_peek(p);
  if (token.kind != TK_PARAM) return sql_unexpected(p, &token, "a parameter");
  sql_take(p);
  return sql_ident_text(p, &token, &d->name);
}

static bool define_param(sql_parser *p, sql_define *d) {
  d->what = SQL_W_PARAM;
  if (!mode(p, d) || !param_name(p, d)) return false;
  for (bool more = true; more;) {
    if (sql_eat_kw(p, KW_VALUE)) {
      if (!expr_into(p, &d->body)) return false;
    } else if (!perm_or_comment(p, d, &more)) {
      return false;
    }
  }
  return !p->failed;
}

static bool analyzer_filter(sql_parser *p, sql_define *d) {
  static const char *const known[] = {"ASCII", "LOWERCASE", "UPPERCASE", "EDGENGRAM",
                                      "NGRAM", "SNOWBALL",  "MAPPER"};
  sql_filter *f = SQL_NEW(p, sql_filter);
  if (f == NULL) return false;
  bool found = false;
  for (size_t i = 0; i < CWI_ARRAY_LEN(known) && !found; i++) {
    if (word(p, known[i])) {
      f->name = sql_str_of(known[i]);
      found = true;
    }
  }
  if (!found) return sql_unexpected(p, sql_peek(p), "a filter");
  sql_take(p);
  f->a = f->b = -1;
  sql_token open = *sql_peek(p);
  if (sql_str_is(f->name, "EDGENGRAM") || sql_str_is(f->name, "NGRAM")) {
    if (!sql_expect(p, TK_LPAREN) || !int_into(p, &f->a) || !sql_expect(p, TK_COMMA) ||
        !int_into(p, &f->b) || !sql_close(p, TK_RPAREN, &open)) {
      return false;
    }
  } else if (sql_str_is(f->name, "SNOWBALL")) {
    if (!sql_expect(p, TK_LPAREN) || !upper_name(p, &f->arg) || !sql_close(p, TK_RPAREN, &open)) {
      return false;
    }
  } else if (sql_str_is(f->name, "MAPPER")) {
    if (!sql_expect(p, TK_LPAREN)) return false;
    sql_token text = sql_take(p);
    sql_expr *value = text.kind == TK_STRING ? sql_string_value(p, &text) : NULL;
    if (value == NULL) return sql_unexpected(p, &text, "a string");
    cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
    f->arg = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
    if (!sql_close(p, TK_RPAREN, &open)) return false;
  }
  return sql_push(p, &d->filters, f);
}

static bool define_analyzer(sql_parser *p, sql_define *d) {
  d->what = SQL_W_ANALYZER;
  if (!mode(p, d) || !sql_name(p, &d->name)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_TOKENIZERS)) {
      do {
        if (!word(p, "BLANK") && !word(p, "CAMEL") && !word(p, "CLASS") && !word(p, "PUNCT")) {
          return sql_unexpected(p, sql_peek(p), "a tokenizer");
        }
        sql_str *name = SQL_NEW(p, sql_str);
        if (name == NULL || !upper_name(p, name) || !sql_push(p, &d->tokenizers, name))
          return false;
      } while (sql_eat(p, TK_COMMA));
    } else if (sql_eat_kw(p, KW_FILTERS)) {
      do {
        if (!analyzer_filter(p, d)) return false;
      } while (sql_eat(p, TK_COMMA));
    } else if (sql_eat_kw(p, KW_FUNCTION)) {
      if (!fn_name(p, &d->function)) return false;
    } else if (sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool level(sql_parser *p, sql_define *d) {
  if (!sql_expect_kw(p, KW_ON)) return false;
  if (sql_eat_kw(p, KW_ROOT))
    d->level = SQL_W_ROOT;
  else if (sql_eat_kw(p, KW_NS) || sql_eat_kw(p, KW_NAMESPACE))
    d->level = SQL_W_NS;
  else if (sql_eat_kw(p, KW_DB) || sql_eat_kw(p, KW_DATABASE))
    d->level = SQL_W_DB;
  else
    return sql_unexpected(p, sql_peek(p), "`ROOT`, `NAMESPACE`, or `DATABASE`");
  return true;
}

static bool durations(sql_parser *p, sql_define *d) {
  do {
    if (!sql_expect_kw(p, KW_FOR)) return false;
    sql_expr **into = NULL;
    bool *none = NULL;
    if (sql_eat_kw(p, KW_TOKEN)) {
      into = &d->token_duration;
      none = &d->token_none;
    } else if (sql_eat_kw(p, KW_SESSION)) {
      into = &d->session_duration;
      none = &d->session_none;
    } else if (sql_eat_kw(p, KW_GRANT)) {
      into = &d->grant_duration;
      none = &d->grant_none;
    } else
      return sql_unexpected(p, sql_peek(p), "`TOKEN`, `SESSION` or `GRANT`");
    if (sql_eat_kw(p, KW_NONE))
      *none = true;
    else if (!expr_into(p, into))
      return false;
  } while (sql_eat(p, TK_COMMA));
  return true;
}

static bool define_user(sql_parser *p, sql_define *d) {
  d->what = SQL_W_USER;
  if (!mode(p, d) || !sql_name(p, &d->name) || !level(p, d)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_PASSWORD)) {
      if (!expr_into(p, &d->password)) return false;
    } else if (sql_eat_kw(p, KW_PASSHASH)) {
      if (!expr_into(p, &d->passhash)) return false;
    } else if (sql_eat_kw(p, KW_ROLES)) {
      do {
        if (!word(p, "OWNER") && !word(p, "EDITOR") && !word(p, "VIEWER")) {
          return sql_unexpected(p, sql_peek(p), "an existent role");
        }
        sql_str *role = SQL_NEW(p, sql_str);
        if (role == NULL || !upper_name(p, role) || !sql_push(p, &d->roles, role)) return false;
      } while (sql_eat(p, TK_COMMA));
    } else if (sql_eat_kw(p, KW_DURATION)) {
      if (!durations(p, d)) return false;
    } else if (sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool access_jwt(sql_parser *p, sql_define *d) {
  for (;;) {
    if (sql_eat_kw(p, KW_ALGORITHM)) {
      if (!upper_name(p, &d->algorithm)) return false;
    } else if (sql_eat_kw(p, KW_KEY)) {
      if (!expr_into(p, &d->key)) return false;
    } else if (sql_eat_kw(p, KW_URL)) {
      sql_token text = sql_take(p);
      sql_expr *value = text.kind == TK_STRING ? sql_string_value(p, &text) : NULL;
      if (value == NULL) return sql_unexpected(p, &text, "a string");
      cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
      d->url = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
    } else if (eat_word(p, "WITH")) {
      if (!sql_expect_kw(p, KW_ISSUER) || !sql_expect_kw(p, KW_KEY) || !expr_into(p, &d->issuer)) {
        return false;
      }
    } else {
      return true;
    }
  }
}

static bool define_access(sql_parser *p, sql_define *d) {
  d->what = SQL_W_ACCESS;
  if (!mode(p, d) || !sql_name(p, &d->name) || !level(p, d)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_TYPE)) {
      if (sql_eat_kw(p, KW_RECORD)) {
        d->access_type = 'R';
      } else if (sql_eat_kw(p, KW_JWT)) {
        d->access_type = 'J';
        if (!access_jwt(p, d)) return false;
      } else if (sql_eat_kw(p, KW_BEARER)) {
        d->access_type = 'B';
        if (sql_eat_kw(p, KW_FOR)) sql_take(p);
      }
    } else if (sql_eat_kw(p, KW_SIGNUP)) {
      if (!expr_into(p, &d->signup)) return false;
    } else if (sql_eat_kw(p, KW_SIGNIN)) {
      if (!expr_into(p, &d->signin)) return false;
    } else if (sql_eat_kw(p, KW_WITH)) {
      if (!sql_eat_kw(p, KW_JWT) && !sql_eat_kw(p, KW_REFRESH)) {
        return sql_unexpected(p, sql_peek(p), "JWT");
      }
      if (!access_jwt(p, d)) return false;
    } else if (sql_eat_kw(p, KW_AUTHENTICATE)) {
      if (!expr_into(p, &d->authenticate)) return false;
    } else if (sql_eat_kw(p, KW_DURATION)) {
      if (!durations(p, d)) return false;
    } else if (sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool define_sequence(sql_parser *p, sql_define *d) {
  d->what = SQL_W_SEQUENCE;
  d->batch = 1000;
  if (!mode(p, d) || !sql_name(p, &d->name)) return false;
  for (;;) {
    if (sql_eat_kw(p, KW_BATCH)) {
      if (!int_into(p, &d->batch)) return false;
    } else if (sql_eat_kw(p, KW_START)) {
      if (!int_into(p, &d->start)) return false;
    } else if (sql_eat_kw(p, KW_TIMEOUT)) {
      if (!expr_into(p, &d->timeout)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool define_config(sql_parser *p, sql_define *d) {
  d->what = SQL_W_CONFIG;
  if (!mode(p, d) || !sql_expect_kw(p, KW_GRAPHQL)) return false;
  d->name = sql_str_of("GraphQL");
  d->tables_mode = d->functions_mode = sql_str_of("NONE");
  if (sql_eat_kw(p, KW_AUTO)) {
    d->tables_mode = d->functions_mode = sql_str_of("AUTO");
    return true;
  }
  for (;;) {
    sql_str *into = NULL;
    if (sql_eat_kw(p, KW_TABLES))
      into = &d->tables_mode;
    else if (sql_eat_kw(p, KW_FUNCTIONS))
      into = &d->functions_mode;
    else
      return !p->failed;
    if (!upper_name(p, into)) return false;
  }
}

static bool define_api(sql_parser *p, sql_define *d) {
  d->what = SQL_W_API;
  if (!mode(p, d)) return false;
  sql_token text = sql_take(p);
  sql_expr *value = text.kind == TK_STRING ? sql_string_value(p, &text) : NULL;
  if (value == NULL) return sql_unexpected(p, &text, "a string");
  cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
  d->name = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
  while (sql_eat_kw(p, KW_FOR)) {
    sql_api_method *method = SQL_NEW(p, sql_api_method);
    if (method == NULL) return false;
    do {
      sql_str *name = SQL_NEW(p, sql_str);
      if (name == NULL || !sql_ident(p, name) || !sql_push(p, &method->names, name)) return false;
    } while (sql_eat(p, TK_COMMA));
    if (sql_eat_kw(p, KW_THEN) && !expr_into(p, &method->action)) return false;
    if (!sql_push(p, &d->methods, method)) return false;
  }
  return !p->failed;
}

static bool define_level(sql_parser *p, sql_define *d, sql_what what) {
  d->what = what;
  if (!mode(p, d) || !sql_name(p, &d->name)) return false;
  if (sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  return true;
}

sql_expr *sql_parse_define(sql_parser *p) {
  size_t at = sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  const sql_token token = *sql_peek(p);
  bool ok = false;
  switch (token.kind == TK_IDENT && !token.quoted ? (sql_kw)token.kw : KW_0) {
    case KW_NAMESPACE:
    case KW_NS:
      sql_take(p);
      ok = define_level(p, d, SQL_W_NS);
      break;
    case KW_DATABASE:
    case KW_DB:
      sql_take(p);
      ok = define_level(p, d, SQL_W_DB);
      break;
    case KW_TABLE:
      sql_take(p);
      ok = define_table(p, d);
      break;
    case KW_FIELD:
      sql_take(p);
      ok = define_field(p, d);
      break;
    case KW_INDEX:
      sql_take(p);
      ok = define_index(p, d);
      break;
    case KW_EVENT:
      sql_take(p);
      ok = define_event(p, d);
      break;
    case KW_FUNCTION:
      sql_take(p);
      ok = define_function(p, d);
      break;
    case KW_PARAM:
      sql_take(p);
      ok = define_param(p, d);
      break;
    case KW_ANALYZER:
      sql_take(p);
      ok = define_analyzer(p, d);
      break;
    case KW_USER:
      sql_take(p);
      ok = define_user(p, d);
      break;
    case KW_ACCESS:
      sql_take(p);
      ok = define_access(p, d);
      break;
    case KW_SEQUENCE:
      sql_take(p);
      ok = define_sequence(p, d);
      break;
    case KW_CONFIG:
      sql_take(p);
      ok = define_config(p, d);
      break;
    case KW_API:
      sql_take(p);
      ok = define_api(p, d);
      break;
    case KW_BUCKET:
      ok = sql_unexpected(p, &token, "the experimental files feature to be enabled");
      break;
    default: ok = sql_unexpected(p, &token, "a define statement keyword"); break;
  }
  return ok ? finish(p, SQL_DEFINE, at, d) : NULL;
}

sql_expr *sql_parse_remove(sql_parser *p) {
  size_t at = sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  const sql_token token = *sql_peek(p);
  static const struct {
    sql_kw kw;
    sql_what what;
  } kinds[] = {{KW_NAMESPACE, SQL_W_NS},      {KW_NS, SQL_W_NS},
               {KW_DATABASE, SQL_W_DB},       {KW_DB, SQL_W_DB},
               {KW_TABLE, SQL_W_TABLE},       {KW_FIELD, SQL_W_FIELD},
               {KW_INDEX, SQL_W_INDEX},       {KW_EVENT, SQL_W_EVENT},
               {KW_FUNCTION, SQL_W_FUNCTION}, {KW_PARAM, SQL_W_PARAM},
               {KW_ANALYZER, SQL_W_ANALYZER}, {KW_USER, SQL_W_USER},
               {KW_ACCESS, SQL_W_ACCESS},     {KW_SEQUENCE, SQL_W_SEQUENCE},
               {KW_CONFIG, SQL_W_CONFIG},     {KW_API, SQL_W_API}};
  bool known = false;
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds) && !known; i++) {
    known = token.kind == TK_IDENT && token.kw == kinds[i].kw;
    if (known) d->what = kinds[i].what;
  }
  if (!known) {
    sql_unexpected(p, &token, "a remove statement keyword");
    return NULL;
  }
  sql_take(p);
  if (sql_eat_kw(p, KW_IF)) {
    if (!sql_expect_kw(p, KW_EXISTS)) return NULL;
    d->if_exists = true;
  }
  bool ok;
  switch (d->what) {
    case SQL_W_FUNCTION:
      ok = fn_name(p, &d->name);
      if (ok && sql_eat(p, TK_LPAREN)) ok = sql_expect(p, TK_RPAREN);
      break;
    case SQL_W_PARAM: ok = param_name(p, d); break;
    case SQL_W_FIELD:
      d->fd.idiom = sql_parse_idiom(p);
      ok = d->fd.idiom != NULL && on_table(p, d);
      break;
    case SQL_W_INDEX:
    case SQL_W_EVENT: ok = sql_ident(p, &d->name) && on_table(p, d); break;
    case SQL_W_USER:
    case SQL_W_ACCESS: ok = sql_name(p, &d->name) && level(p, d); break;
    case SQL_W_API: {
      sql_token text = sql_take(p);
      sql_expr *value = text.kind == TK_STRING ? sql_string_value(p, &text) : NULL;
      ok = value != NULL;
      if (ok) {
        cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
        d->name = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
      }
      break;
    }
    default: ok = sql_name(p, &d->name); break;
  }
  return ok ? finish(p, SQL_REMOVE, at, d) : NULL;
}

static bool alter_drop(sql_parser *p, sql_define *d) {
  if (sql_eat_kw(p, KW_COMMENT))
    d->drop_comment = true;
  else if (sql_eat_kw(p, KW_ASSERT))
    d->drop_assert = true;
  else if (sql_eat_kw(p, KW_DEFAULT))
    d->drop_default = true;
  else if (sql_eat_kw(p, KW_VALUE))
    d->drop_value = true;
  else if (sql_eat_kw(p, KW_TYPE))
    d->drop_type = true;
  else if (sql_eat_kw(p, KW_READONLY))
    d->drop_readonly = true;
  else if (sql_eat_kw(p, KW_FLEXIBLE))
    d->drop_flexible = true;
  else if (sql_eat_kw(p, KW_CHANGEFEED))
    d->drop_changefeed = true;
  else
    return sql_unexpected(p, sql_peek(p), "a clause to drop");
  return true;
}

sql_expr *sql_parse_alter(sql_parser *p) {
  size_t at = sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  d->tb.schema = -1;
  bool field = sql_is_kw(p, KW_FIELD);
  if (!field && !sql_is_kw(p, KW_TABLE)) {
    sql_unexpected(p, sql_peek(p), "an alter statement keyword");
    return NULL;
  }
  sql_take(p);
  d->what = field ? SQL_W_FIELD : SQL_W_TABLE;
  if (sql_eat_kw(p, KW_IF)) {
    if (!sql_expect_kw(p, KW_EXISTS)) return NULL;
    d->if_exists = true;
  }
  if (field) {
    d->fd.idiom = sql_parse_idiom(p);
    if (d->fd.idiom == NULL || !on_table(p, d)) return NULL;
  } else if (!sql_name(p, &d->name)) {
    return NULL;
  }
  for (bool more = true; more;) {
    bool ok;
    if (sql_eat_kw(p, KW_DROP))
      ok = alter_drop(p, d);
    else
      ok = field ? field_clause(p, d, &more) : table_clause(p, d, &more);
    if (!ok) return NULL;
  }
  return finish(p, SQL_ALTER, at, d);
}
