/* SPDX-License-Identifier: MIT */
/* DEFINE, REMOVE and ALTER. One struct holds every kind of definition; what its text does not give
 * is left at its default, and the printer writes the canonical form back. */
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

static sql_expr *finish(sql_parser *p, sql_node kind, size_t at, sql_define *d) {
  if (p->failed) return NULL;
  sql_expr *node = cwi_sql_node_new(p, kind, at);
  if (node != NULL) node->u.stmt = d;
  return node;
}

static bool expr_into(sql_parser *p, sql_expr **out) {
  *out = cwi_sql_parse_statement(p, NULL);
  return *out != NULL;
}

static bool word(sql_parser *p, const char *text) {
  const sql_token *token = cwi_sql_peek(p);
  return token->kind == TK_IDENT && token->size == strlen(text) &&
         strncasecmp(p->text + token->at, text, token->size) == 0;
}

static bool eat_word(sql_parser *p, const char *text) {
  if (!word(p, text)) return false;
  cwi_sql_take(p);
  return true;
}

static bool int_into(sql_parser *p, int64_t *out) {
  if (!cwi_sql_is(p, TK_NUMBER)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "an integer");
  sql_token token = cwi_sql_take(p);
  sql_expr *number = cwi_sql_number_value(p, &token, false);
  if (number == NULL) return false;
  *out = cw_value_as_int(number->u.lit.value);
  return true;
}

static bool float_into(sql_parser *p, double *out) {
  if (!cwi_sql_is(p, TK_NUMBER)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a number");
  sql_token token = cwi_sql_take(p);
  sql_expr *number = cwi_sql_number_value(p, &token, false);
  if (number == NULL) return false;
  *out = cw_value_as_float(number->u.lit.value);
  return true;
}

static bool upper_name(sql_parser *p, sql_str *out) {
  sql_str name;
  if (!cwi_sql_ident(p, &name)) return false;
  char *text = cwi_arena_strndup(p->arena, name.text, name.size);
  if (text == NULL) return cwi_sql_nomem(p);
  for (uint32_t i = 0; i < name.size; i++) {
    if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 32);
  }
  *out = (sql_str){.text = text, .size = name.size};
  return true;
}

static bool mode(sql_parser *p, sql_define *d) {
  if (cwi_sql_eat_kw(p, KW_IF)) {
    d->if_not_exists = true;
    return cwi_sql_expect_kw(p, KW_NOT) && cwi_sql_expect_kw(p, KW_EXISTS);
  }
  if (cwi_sql_eat_kw(p, KW_OVERWRITE)) d->overwrite = true;
  return true;
}

/* ---- PERMISSIONS ---- */

static bool one_perm(sql_parser *p, sql_perm *out) {
  if (cwi_sql_eat_kw(p, KW_NONE)) {
    out->kind = SQL_PERM_NONE;
  } else if (cwi_sql_eat_kw(p, KW_FULL)) {
    out->kind = SQL_PERM_FULL;
  } else if (cwi_sql_eat_kw(p, KW_WHERE)) {
    out->kind = SQL_PERM_WHERE;
    out->where = cwi_sql_parse_expr(p);
    return out->where != NULL;
  } else {
    return cwi_sql_unexpected(p, cwi_sql_peek(p), "a permission");
  }
  return true;
}

bool cwi_sql_parse_perms(sql_parser *p, sql_perms *out, bool table) {
  sql_perm base = {.kind = table ? SQL_PERM_NONE : SQL_PERM_FULL};
  out->given = true;
  if (cwi_sql_is_kw(p, KW_NONE) || cwi_sql_is_kw(p, KW_FULL)) {
    if (!one_perm(p, &base)) return false;
    out->select = out->create = out->update = out->remove = base;
    return true;
  }
  out->select = out->create = out->update = out->remove = base;
  if (!cwi_sql_is_kw(p, KW_FOR))
    return cwi_sql_unexpected(p, cwi_sql_peek(p), "'NONE', 'FULL' or 'FOR'");
  while (cwi_sql_eat_kw(p, KW_FOR)) {
    bool which[4] = {false, false, false, false};
    do {
      if (cwi_sql_eat_kw(p, KW_SELECT))
        which[0] = true;
      else if (cwi_sql_eat_kw(p, KW_CREATE))
        which[1] = true;
      else if (cwi_sql_eat_kw(p, KW_UPDATE))
        which[2] = true;
      else if (cwi_sql_eat_kw(p, KW_DELETE))
        which[3] = true;
      else
        return cwi_sql_unexpected(p, cwi_sql_peek(p), "'SELECT', 'CREATE', 'UPDATE' or 'DELETE'");
    } while (cwi_sql_eat(p, TK_COMMA));
    sql_perm perm = {0};
    if (!one_perm(p, &perm)) return false;
    if (which[0]) out->select = perm;
    if (which[1]) out->create = perm;
    if (which[2]) out->update = perm;
    if (which[3]) out->remove = perm;
    if (cwi_sql_is(p, TK_COMMA)) cwi_sql_take(p);
  }
  return true;
}

/* ---- tables and fields ---- */

static bool relation_tables(sql_parser *p, sql_vec *out) {
  do {
    sql_str *name = SQL_NEW(p, sql_str);
    if (name == NULL || !cwi_sql_ident(p, name) || !cwi_sql_push(p, out, name)) return false;
  } while (cwi_sql_eat(p, TK_PIPE) || cwi_sql_eat_kw(p, KW_OR));
  return true;
}

static bool table_type(sql_parser *p, sql_define *d) {
  if (cwi_sql_eat_kw(p, KW_ANY)) {
    d->tb.type = 'A';
  } else if (cwi_sql_eat_kw(p, KW_NORMAL)) {
    d->tb.type = 'N';
  } else if (cwi_sql_eat_kw(p, KW_RELATION)) {
    d->tb.type = 'R';
    for (;;) {
      if (cwi_sql_eat_kw(p, KW_IN) || cwi_sql_eat_kw(p, KW_FROM)) {
        if (!relation_tables(p, &d->tb.in)) return false;
      } else if (cwi_sql_eat_kw(p, KW_OUT) || cwi_sql_eat_kw(p, KW_TO)) {
        if (!relation_tables(p, &d->tb.out)) return false;
      } else {
        break;
      }
    }
    if (cwi_sql_eat_kw(p, KW_ENFORCED)) d->tb.enforced = true;
  } else {
    return cwi_sql_unexpected(p, cwi_sql_peek(p), "`NORMAL`, `RELATION`, or `ANY`");
  }
  return true;
}

/* One clause of DEFINE TABLE; *more is false where there is none. */
static bool table_clause(sql_parser *p, sql_define *d, bool *more) {
  if (cwi_sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  if (cwi_sql_eat_kw(p, KW_DROP)) {
    d->tb.drop = true;
  } else if (cwi_sql_eat_kw(p, KW_TYPE)) {
    return table_type(p, d);
  } else if (cwi_sql_eat_kw(p, KW_SCHEMAFULL)) {
    d->tb.schema = 1;
  } else if (cwi_sql_eat_kw(p, KW_SCHEMALESS)) {
    d->tb.schema = 0;
  } else if (cwi_sql_eat_kw(p, KW_PERMISSIONS)) {
    return cwi_sql_parse_perms(p, &d->perms, true);
  } else if (cwi_sql_eat_kw(p, KW_CHANGEFEED)) {
    if (!cwi_sql_is(p, TK_DURATION)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a duration");
    if (!expr_into(p, &d->tb.changefeed)) return false;
    if (cwi_sql_eat_kw(p, KW_INCLUDE)) {
      eat_word(p, "ORIGINAL");
      d->tb.changefeed_original = true;
    }
  } else if (cwi_sql_eat_kw(p, KW_AS)) {
    bool paren = cwi_sql_eat(p, TK_LPAREN);
    if (!cwi_sql_is_kw(p, KW_SELECT)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "SELECT");
    d->tb.view = cwi_sql_parse_select(p, false);
    if (d->tb.view == NULL) return false;
    if (paren && !cwi_sql_expect(p, TK_RPAREN)) return false;
  } else {
    *more = false;
  }
  return true;
}

static bool define_table(sql_parser *p, sql_define *d) {
  d->what = SQL_W_TABLE;
  d->tb.schema = -1;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name)) return false;
  for (bool more = true; more;) {
    if (!table_clause(p, d, &more)) return false;
  }
  return !p->failed;
}

static bool reference(sql_parser *p, sql_def_field *f) {
  f->reference = true;
  f->on_delete = SQL_REF_IGNORE;
  if (!cwi_sql_eat_kw(p, KW_ON)) return true;
  if (!cwi_sql_expect_kw(p, KW_DELETE)) return false;
  if (cwi_sql_eat_kw(p, KW_REJECT))
    f->on_delete = SQL_REF_REJECT;
  else if (cwi_sql_eat_kw(p, KW_CASCADE))
    f->on_delete = SQL_REF_CASCADE;
  else if (cwi_sql_eat_kw(p, KW_IGNORE))
    f->on_delete = SQL_REF_IGNORE;
  else if (cwi_sql_eat_kw(p, KW_UNSET))
    f->on_delete = SQL_REF_UNSET;
  else if (cwi_sql_eat_kw(p, KW_THEN)) {
    f->on_delete = SQL_REF_THEN;
    return expr_into(p, &f->ref_then);
  } else {
    return cwi_sql_unexpected(p, cwi_sql_peek(p),
                              "`REJECT`, `CASCADE`, `IGNORE`, `UNSET` or `THEN`");
  }
  return true;
}

static bool field_clause(sql_parser *p, sql_define *d, bool *more) {
  sql_def_field *f = &d->fd;
  const sql_token token = *cwi_sql_peek(p);
  if (cwi_sql_eat_kw(p, KW_FLEXIBLE)) {
    if (f->type == NULL) {
      return cwi_sql_fail(p, token.at, token.size, NULL, "FLEXIBLE must be specified after TYPE");
    }
    f->flexible = true;
  } else if (cwi_sql_eat_kw(p, KW_TYPE)) {
    f->type = cwi_sql_parse_type(p);
    return f->type != NULL;
  } else if (cwi_sql_eat_kw(p, KW_READONLY)) {
    f->readonly = true;
  } else if (cwi_sql_eat_kw(p, KW_VALUE)) {
    return expr_into(p, &f->value);
  } else if (cwi_sql_eat_kw(p, KW_ASSERT)) {
    return expr_into(p, &f->assert_);
  } else if (cwi_sql_eat_kw(p, KW_DEFAULT)) {
    f->default_always = cwi_sql_eat_kw(p, KW_ALWAYS);
    return expr_into(p, &f->default_);
  } else if (cwi_sql_eat_kw(p, KW_COMPUTED)) {
    return expr_into(p, &f->computed);
  } else if (cwi_sql_eat_kw(p, KW_PERMISSIONS)) {
    return cwi_sql_parse_perms(p, &d->perms, false);
  } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
    return expr_into(p, &d->comment);
  } else if (cwi_sql_eat_kw(p, KW_REFERENCE)) {
    return reference(p, f);
  } else {
    *more = false;
  }
  return true;
}

static bool on_table(sql_parser *p, sql_define *d) {
  if (!cwi_sql_expect_kw(p, KW_ON)) return false;
  if (cwi_sql_is_kw(p, KW_TABLE) && cwi_sql_peek_at(p, 1)->kind == TK_IDENT) cwi_sql_take(p);
  return cwi_sql_name(p, &d->table);
}

static bool define_field(sql_parser *p, sql_define *d) {
  d->what = SQL_W_FIELD;
  if (!mode(p, d)) return false;
  d->fd.idiom = cwi_sql_parse_idiom(p);
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
  ix->distance = cwi_sql_str_of("EUCLIDEAN");
  ix->vector_type = cwi_sql_str_of("F32");
  if (!cwi_sql_expect_kw(p, KW_DIMENSION) || !int_into(p, &ix->dimension)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_DIST) || cwi_sql_eat_kw(p, KW_DISTANCE)) {
      if (!upper_name(p, &ix->distance)) return false;
      if (cwi_sql_str_is(ix->distance, "MINKOWSKI") && !float_into(p, &ix->order)) return false;
    } else if (cwi_sql_eat_kw(p, KW_TYPE)) {
      if (!upper_name(p, &ix->vector_type)) return false;
    } else if (cwi_sql_eat_kw(p, KW_EFC)) {
      if (!int_into(p, &ix->efc)) return false;
    } else if (cwi_sql_eat_kw(p, KW_M)) {
      if (!int_into(p, &ix->m)) return false;
    } else if (cwi_sql_eat_kw(p, KW_M0)) {
      if (!int_into(p, &ix->m0)) return false;
    } else if (cwi_sql_eat_kw(p, KW_LM)) {
      if (!float_into(p, &ix->lm)) return false;
    } else if (cwi_sql_eat_kw(p, KW_EXTEND_CANDIDATES)) {
      ix->extend = true;
    } else if (cwi_sql_eat_kw(p, KW_KEEP_PRUNED_CONNECTIONS)) {
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
    if (cwi_sql_eat_kw(p, KW_ANALYZER)) {
      if (!cwi_sql_ident(p, &ix->analyzer)) return false;
    } else if (cwi_sql_eat_kw(p, KW_BM25)) {
      ix->bm25 = true;
      sql_token open = *cwi_sql_peek(p);
      if (cwi_sql_eat(p, TK_LPAREN)) {
        if (!float_into(p, &ix->k1) || !cwi_sql_expect(p, TK_COMMA) || !float_into(p, &ix->b) ||
            !cwi_sql_close(p, TK_RPAREN, &open)) {
          return false;
        }
      }
    } else if (cwi_sql_eat_kw(p, KW_HIGHLIGHTS)) {
      ix->highlights = true;
    } else {
      return true;
    }
  }
}

static bool define_index(sql_parser *p, sql_define *d) {
  d->what = SQL_W_INDEX;
  if (!mode(p, d) || !cwi_sql_ident(p, &d->name) || !on_table(p, d)) return false;
  sql_def_index *ix = &d->ix;
  bool ok = true, more = true;
  while (ok && more) {
    if (cwi_sql_eat_kw(p, KW_FIELDS) || cwi_sql_eat_kw(p, KW_COLUMNS)) {
      do {
        ok = cwi_sql_push(p, &ix->fields, cwi_sql_parse_idiom(p));
      } while (ok && cwi_sql_eat(p, TK_COMMA));
    } else if (cwi_sql_eat_kw(p, KW_UNIQUE)) {
      ix->kind = SQL_IX_UNIQUE;
    } else if (cwi_sql_eat_kw(p, KW_COUNT)) {
      ix->kind = SQL_IX_COUNT;
    } else if (cwi_sql_eat_kw(p, KW_FULLTEXT)) {
      ok = fulltext(p, ix);
    } else if (cwi_sql_eat_kw(p, KW_HNSW)) {
      ok = hnsw(p, ix);
    } else if (cwi_sql_eat_kw(p, KW_CONCURRENTLY)) {
      ix->concurrently = true;
    } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
      ok = expr_into(p, &d->comment);
    } else {
      more = false;
    }
  }
  if (ok && !p->failed && ix->fields.len == 0 && ix->kind != SQL_IX_COUNT) {
    const sql_token *token = cwi_sql_peek(p);
    return cwi_sql_fail(p, token->at, token->size, NULL,
                        "Expected at least one column - Use FIELDS to define columns");
  }
  return ok && !p->failed;
}

/* ---- the rest ---- */

static bool define_event(sql_parser *p, sql_define *d) {
  d->what = SQL_W_EVENT;
  if (!mode(p, d) || !cwi_sql_ident(p, &d->name) || !on_table(p, d)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_WHEN)) {
      if (!expr_into(p, &d->when)) return false;
    } else if (cwi_sql_eat_kw(p, KW_THEN)) {
      do {
        if (!cwi_sql_push(p, &d->then, cwi_sql_parse_statement(p, NULL))) return false;
      } while (cwi_sql_eat(p, TK_COMMA));
    } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool fn_name(sql_parser *p, sql_str *out) {
  if (!eat_word(p, "fn")) return cwi_sql_unexpected(p, cwi_sql_peek(p), "fn");
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = true;
  while (ok && cwi_sql_eat(p, TK_PATH)) {
    sql_str part;
    ok = cwi_sql_ident(p, &part);
    if (ok && buf.size > 0) cwi_buf_append_str(&buf, "::");
    if (ok) cwi_buf_append(&buf, part.text, part.size);
  }
  if (ok && buf.size == 0) ok = cwi_sql_unexpected(p, cwi_sql_peek(p), "::");
  out->text = ok ? cwi_arena_strndup(p->arena, buf.data, buf.size) : NULL;
  out->size = (uint32_t)buf.size;
  cwi_buf_deinit(&buf);
  return ok && (out->text != NULL || cwi_sql_nomem(p));
}

static bool perm_or_comment(sql_parser *p, sql_define *d, bool *more) {
  if (cwi_sql_eat_kw(p, KW_PERMISSIONS)) {
    d->perm_given = true;
    return one_perm(p, &d->perm);
  }
  if (cwi_sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  *more = false;
  return true;
}

static bool define_function(sql_parser *p, sql_define *d) {
  d->what = SQL_W_FUNCTION;
  if (!mode(p, d) || !fn_name(p, &d->name)) return false;
  sql_token open = *cwi_sql_peek(p);
  if (!cwi_sql_expect(p, TK_LPAREN)) return false;
  while (!cwi_sql_is(p, TK_RPAREN)) {
    sql_arg *arg = SQL_NEW(p, sql_arg);
    sql_token token = *cwi_sql_peek(p);
    if (arg == NULL) return false;
    if (token.kind != TK_PARAM) return cwi_sql_unexpected(p, &token, "a parameter");
    cwi_sql_take(p);
    if (!cwi_sql_ident_text(p, &token, &arg->name) || !cwi_sql_expect(p, TK_COLON)) return false;
    arg->type = cwi_sql_parse_type(p);
    if (arg->type == NULL || !cwi_sql_push(p, &d->args, arg)) return false;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  if (!cwi_sql_close(p, TK_RPAREN, &open)) return false;
  if (cwi_sql_eat(p, TK_ARROW)) {
    d->returns = cwi_sql_parse_type(p);
    if (d->returns == NULL) return false;
  }
  d->body = cwi_sql_parse_block(p);
  if (d->body == NULL) return false;
  for (bool more = true; more;) {
    if (!perm_or_comment(p, d, &more)) return false;
  }
  return !p->failed;
}

static bool param_name(sql_parser *p, sql_define *d) {
  sql_token token = *cwi_sql_peek(p);
  if (token.kind != TK_PARAM) return cwi_sql_unexpected(p, &token, "a parameter");
  cwi_sql_take(p);
  return cwi_sql_ident_text(p, &token, &d->name);
}

static bool define_param(sql_parser *p, sql_define *d) {
  d->what = SQL_W_PARAM;
  if (!mode(p, d) || !param_name(p, d)) return false;
  for (bool more = true; more;) {
    if (cwi_sql_eat_kw(p, KW_VALUE)) {
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
      f->name = cwi_sql_str_of(known[i]);
      found = true;
    }
  }
  if (!found) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a filter");
  cwi_sql_take(p);
  f->a = f->b = -1;
  sql_token open = *cwi_sql_peek(p);
  if (cwi_sql_str_is(f->name, "EDGENGRAM") || cwi_sql_str_is(f->name, "NGRAM")) {
    if (!cwi_sql_expect(p, TK_LPAREN) || !int_into(p, &f->a) || !cwi_sql_expect(p, TK_COMMA) ||
        !int_into(p, &f->b) || !cwi_sql_close(p, TK_RPAREN, &open)) {
      return false;
    }
  } else if (cwi_sql_str_is(f->name, "SNOWBALL")) {
    if (!cwi_sql_expect(p, TK_LPAREN) || !upper_name(p, &f->arg) ||
        !cwi_sql_close(p, TK_RPAREN, &open)) {
      return false;
    }
  } else if (cwi_sql_str_is(f->name, "MAPPER")) {
    if (!cwi_sql_expect(p, TK_LPAREN)) return false;
    sql_token text = cwi_sql_take(p);
    sql_expr *value = text.kind == TK_STRING ? cwi_sql_string_value(p, &text) : NULL;
    if (value == NULL) return cwi_sql_unexpected(p, &text, "a string");
    cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
    f->arg = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
    if (!cwi_sql_close(p, TK_RPAREN, &open)) return false;
  }
  return cwi_sql_push(p, &d->filters, f);
}

static bool define_analyzer(sql_parser *p, sql_define *d) {
  d->what = SQL_W_ANALYZER;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_TOKENIZERS)) {
      do {
        if (!word(p, "BLANK") && !word(p, "CAMEL") && !word(p, "CLASS") && !word(p, "PUNCT")) {
          return cwi_sql_unexpected(p, cwi_sql_peek(p), "a tokenizer");
        }
        sql_str *name = SQL_NEW(p, sql_str);
        if (name == NULL || !upper_name(p, name) || !cwi_sql_push(p, &d->tokenizers, name))
          return false;
      } while (cwi_sql_eat(p, TK_COMMA));
    } else if (cwi_sql_eat_kw(p, KW_FILTERS)) {
      do {
        if (!analyzer_filter(p, d)) return false;
      } while (cwi_sql_eat(p, TK_COMMA));
    } else if (cwi_sql_eat_kw(p, KW_FUNCTION)) {
      if (!fn_name(p, &d->function)) return false;
    } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool level(sql_parser *p, sql_define *d) {
  if (!cwi_sql_expect_kw(p, KW_ON)) return false;
  if (cwi_sql_eat_kw(p, KW_ROOT))
    d->level = SQL_W_ROOT;
  else if (cwi_sql_eat_kw(p, KW_NS) || cwi_sql_eat_kw(p, KW_NAMESPACE))
    d->level = SQL_W_NS;
  else if (cwi_sql_eat_kw(p, KW_DB) || cwi_sql_eat_kw(p, KW_DATABASE))
    d->level = SQL_W_DB;
  else
    return cwi_sql_unexpected(p, cwi_sql_peek(p), "`ROOT`, `NAMESPACE`, or `DATABASE`");
  return true;
}

static bool durations(sql_parser *p, sql_define *d) {
  do {
    if (!cwi_sql_expect_kw(p, KW_FOR)) return false;
    sql_expr **into = NULL;
    bool *none = NULL;
    if (cwi_sql_eat_kw(p, KW_TOKEN)) {
      into = &d->token_duration;
      none = &d->token_none;
    } else if (cwi_sql_eat_kw(p, KW_SESSION)) {
      into = &d->session_duration;
      none = &d->session_none;
    } else if (cwi_sql_eat_kw(p, KW_GRANT)) {
      into = &d->grant_duration;
      none = &d->grant_none;
    } else
      return cwi_sql_unexpected(p, cwi_sql_peek(p), "`TOKEN`, `SESSION` or `GRANT`");
    if (cwi_sql_eat_kw(p, KW_NONE))
      *none = true;
    else if (!expr_into(p, into))
      return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool define_user(sql_parser *p, sql_define *d) {
  d->what = SQL_W_USER;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name) || !level(p, d)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_PASSWORD)) {
      if (!expr_into(p, &d->password)) return false;
    } else if (cwi_sql_eat_kw(p, KW_PASSHASH)) {
      if (!expr_into(p, &d->passhash)) return false;
    } else if (cwi_sql_eat_kw(p, KW_ROLES)) {
      do {
        if (!word(p, "OWNER") && !word(p, "EDITOR") && !word(p, "VIEWER")) {
          return cwi_sql_unexpected(p, cwi_sql_peek(p), "an existent role");
        }
        sql_str *role = SQL_NEW(p, sql_str);
        if (role == NULL || !upper_name(p, role) || !cwi_sql_push(p, &d->roles, role)) return false;
      } while (cwi_sql_eat(p, TK_COMMA));
    } else if (cwi_sql_eat_kw(p, KW_DURATION)) {
      if (!durations(p, d)) return false;
    } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool access_jwt(sql_parser *p, sql_define *d) {
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_ALGORITHM)) {
      if (!upper_name(p, &d->algorithm)) return false;
    } else if (cwi_sql_eat_kw(p, KW_KEY)) {
      if (!expr_into(p, &d->key)) return false;
    } else if (cwi_sql_eat_kw(p, KW_URL)) {
      sql_token text = cwi_sql_take(p);
      sql_expr *value = text.kind == TK_STRING ? cwi_sql_string_value(p, &text) : NULL;
      if (value == NULL) return cwi_sql_unexpected(p, &text, "a string");
      cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
      d->url = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
    } else if (eat_word(p, "WITH")) {
      if (!cwi_sql_expect_kw(p, KW_ISSUER) || !cwi_sql_expect_kw(p, KW_KEY) ||
          !expr_into(p, &d->issuer)) {
        return false;
      }
    } else {
      return true;
    }
  }
}

static bool define_access(sql_parser *p, sql_define *d) {
  d->what = SQL_W_ACCESS;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name) || !level(p, d)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_TYPE)) {
      if (cwi_sql_eat_kw(p, KW_RECORD)) {
        d->access_type = 'R';
      } else if (cwi_sql_eat_kw(p, KW_JWT)) {
        d->access_type = 'J';
        if (!access_jwt(p, d)) return false;
      } else if (cwi_sql_eat_kw(p, KW_BEARER)) {
        d->access_type = 'B';
        if (cwi_sql_eat_kw(p, KW_FOR)) cwi_sql_take(p);
      }
    } else if (cwi_sql_eat_kw(p, KW_SIGNUP)) {
      if (!expr_into(p, &d->signup)) return false;
    } else if (cwi_sql_eat_kw(p, KW_SIGNIN)) {
      if (!expr_into(p, &d->signin)) return false;
    } else if (cwi_sql_eat_kw(p, KW_WITH)) {
      if (!cwi_sql_eat_kw(p, KW_JWT) && !cwi_sql_eat_kw(p, KW_REFRESH)) {
        return cwi_sql_unexpected(p, cwi_sql_peek(p), "JWT");
      }
      if (!access_jwt(p, d)) return false;
    } else if (cwi_sql_eat_kw(p, KW_AUTHENTICATE)) {
      if (!expr_into(p, &d->authenticate)) return false;
    } else if (cwi_sql_eat_kw(p, KW_DURATION)) {
      if (!durations(p, d)) return false;
    } else if (cwi_sql_eat_kw(p, KW_COMMENT)) {
      if (!expr_into(p, &d->comment)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool define_sequence(sql_parser *p, sql_define *d) {
  d->what = SQL_W_SEQUENCE;
  d->batch = 1000;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name)) return false;
  for (;;) {
    if (cwi_sql_eat_kw(p, KW_BATCH)) {
      if (!int_into(p, &d->batch)) return false;
    } else if (cwi_sql_eat_kw(p, KW_START)) {
      if (!int_into(p, &d->start)) return false;
    } else if (cwi_sql_eat_kw(p, KW_TIMEOUT)) {
      if (!expr_into(p, &d->timeout)) return false;
    } else {
      return !p->failed;
    }
  }
}

static bool define_config(sql_parser *p, sql_define *d) {
  d->what = SQL_W_CONFIG;
  if (!mode(p, d) || !cwi_sql_expect_kw(p, KW_GRAPHQL)) return false;
  d->name = cwi_sql_str_of("GraphQL");
  d->tables_mode = d->functions_mode = cwi_sql_str_of("NONE");
  if (cwi_sql_eat_kw(p, KW_AUTO)) {
    d->tables_mode = d->functions_mode = cwi_sql_str_of("AUTO");
    return true;
  }
  for (;;) {
    sql_str *into = NULL;
    if (cwi_sql_eat_kw(p, KW_TABLES))
      into = &d->tables_mode;
    else if (cwi_sql_eat_kw(p, KW_FUNCTIONS))
      into = &d->functions_mode;
    else
      return !p->failed;
    if (!upper_name(p, into)) return false;
  }
}

static bool define_api(sql_parser *p, sql_define *d) {
  d->what = SQL_W_API;
  if (!mode(p, d)) return false;
  sql_token text = cwi_sql_take(p);
  sql_expr *value = text.kind == TK_STRING ? cwi_sql_string_value(p, &text) : NULL;
  if (value == NULL) return cwi_sql_unexpected(p, &text, "a string");
  cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
  d->name = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
  while (cwi_sql_eat_kw(p, KW_FOR)) {
    sql_api_method *method = SQL_NEW(p, sql_api_method);
    if (method == NULL) return false;
    do {
      sql_str *name = SQL_NEW(p, sql_str);
      if (name == NULL || !cwi_sql_ident(p, name) || !cwi_sql_push(p, &method->names, name))
        return false;
    } while (cwi_sql_eat(p, TK_COMMA));
    if (cwi_sql_eat_kw(p, KW_THEN) && !expr_into(p, &method->action)) return false;
    if (!cwi_sql_push(p, &d->methods, method)) return false;
  }
  return !p->failed;
}

static bool define_level(sql_parser *p, sql_define *d, sql_what what) {
  d->what = what;
  if (!mode(p, d) || !cwi_sql_name(p, &d->name)) return false;
  if (cwi_sql_eat_kw(p, KW_COMMENT)) return expr_into(p, &d->comment);
  return true;
}

static bool define_namespace(sql_parser *p, sql_define *d) { return define_level(p, d, SQL_W_NS); }
static bool define_database(sql_parser *p, sql_define *d) { return define_level(p, d, SQL_W_DB); }

static const struct {
  sql_kw kw;
  bool (*parse)(sql_parser *p, sql_define *d);
} definers[] = {
    {KW_NAMESPACE, define_namespace}, {KW_NS, define_namespace},
    {KW_DATABASE, define_database},   {KW_DB, define_database},
    {KW_TABLE, define_table},         {KW_FIELD, define_field},
    {KW_INDEX, define_index},         {KW_EVENT, define_event},
    {KW_FUNCTION, define_function},   {KW_PARAM, define_param},
    {KW_ANALYZER, define_analyzer},   {KW_USER, define_user},
    {KW_ACCESS, define_access},       {KW_SEQUENCE, define_sequence},
    {KW_CONFIG, define_config},       {KW_API, define_api},
};

sql_expr *cwi_sql_parse_define(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  const sql_token token = *cwi_sql_peek(p);
  sql_kw kw = token.kind == TK_IDENT && !token.quoted ? (sql_kw)token.kw : KW_0;
  for (size_t i = 0; kw != KW_0 && i < CWI_ARRAY_LEN(definers); i++) {
    if (definers[i].kw != kw) continue;
    cwi_sql_take(p);
    return definers[i].parse(p, d) ? finish(p, SQL_DEFINE, at, d) : NULL;
  }
  cwi_sql_unexpected(p, &token,
                     kw == KW_BUCKET ? "the experimental files feature to be enabled"
                                     : "a define statement keyword");
  return NULL;
}

sql_expr *cwi_sql_parse_remove(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  const sql_token token = *cwi_sql_peek(p);
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
    cwi_sql_unexpected(p, &token, "a remove statement keyword");
    return NULL;
  }
  cwi_sql_take(p);
  if (cwi_sql_eat_kw(p, KW_IF)) {
    if (!cwi_sql_expect_kw(p, KW_EXISTS)) return NULL;
    d->if_exists = true;
  }
  bool ok;
  switch (d->what) {
    case SQL_W_FUNCTION:
      ok = fn_name(p, &d->name);
      if (ok && cwi_sql_eat(p, TK_LPAREN)) ok = cwi_sql_expect(p, TK_RPAREN);
      break;
    case SQL_W_PARAM: ok = param_name(p, d); break;
    case SQL_W_FIELD:
      d->fd.idiom = cwi_sql_parse_idiom(p);
      ok = d->fd.idiom != NULL && on_table(p, d);
      break;
    case SQL_W_INDEX:
    case SQL_W_EVENT: ok = cwi_sql_ident(p, &d->name) && on_table(p, d); break;
    case SQL_W_USER:
    case SQL_W_ACCESS: ok = cwi_sql_name(p, &d->name) && level(p, d); break;
    case SQL_W_API: {
      sql_token text = cwi_sql_take(p);
      sql_expr *value = text.kind == TK_STRING ? cwi_sql_string_value(p, &text) : NULL;
      ok = value != NULL;
      if (ok) {
        cw_bytes bytes = cw_value_as_bytes(value->u.lit.value);
        d->name = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
      }
      break;
    }
    default: ok = cwi_sql_name(p, &d->name); break;
  }
  return ok ? finish(p, SQL_REMOVE, at, d) : NULL;
}

static bool alter_drop(sql_parser *p, sql_define *d) {
  if (cwi_sql_eat_kw(p, KW_COMMENT))
    d->drop_comment = true;
  else if (cwi_sql_eat_kw(p, KW_ASSERT))
    d->drop_assert = true;
  else if (cwi_sql_eat_kw(p, KW_DEFAULT))
    d->drop_default = true;
  else if (cwi_sql_eat_kw(p, KW_VALUE))
    d->drop_value = true;
  else if (cwi_sql_eat_kw(p, KW_TYPE))
    d->drop_type = true;
  else if (cwi_sql_eat_kw(p, KW_READONLY))
    d->drop_readonly = true;
  else if (cwi_sql_eat_kw(p, KW_FLEXIBLE))
    d->drop_flexible = true;
  else if (cwi_sql_eat_kw(p, KW_CHANGEFEED))
    d->drop_changefeed = true;
  else
    return cwi_sql_unexpected(p, cwi_sql_peek(p), "a clause to drop");
  return true;
}

sql_expr *cwi_sql_parse_alter(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_define *d = SQL_NEW(p, sql_define);
  if (d == NULL) return NULL;
  d->tb.schema = -1;
  bool field = cwi_sql_is_kw(p, KW_FIELD);
  if (!field && !cwi_sql_is_kw(p, KW_TABLE)) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "an alter statement keyword");
    return NULL;
  }
  cwi_sql_take(p);
  d->what = field ? SQL_W_FIELD : SQL_W_TABLE;
  if (cwi_sql_eat_kw(p, KW_IF)) {
    if (!cwi_sql_expect_kw(p, KW_EXISTS)) return NULL;
    d->if_exists = true;
  }
  if (field) {
    d->fd.idiom = cwi_sql_parse_idiom(p);
    if (d->fd.idiom == NULL || !on_table(p, d)) return NULL;
  } else if (!cwi_sql_name(p, &d->name)) {
    return NULL;
  }
  for (bool more = true; more;) {
    bool ok;
    if (cwi_sql_eat_kw(p, KW_DROP))
      ok = alter_drop(p, d);
    else
      ok = field ? field_clause(p, d, &more) : table_clause(p, d, &more);
    if (!ok) return NULL;
  }
  return finish(p, SQL_ALTER, at, d);
}
