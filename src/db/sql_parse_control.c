/* SPDX-License-Identifier: MIT */
/* Statements that steer a program (LET, RETURN, IF, FOR, BEGIN ...), that ask about it (INFO, SHOW)
 * and the dispatch over all statements. A statement may stand where an expression may; a word that
 * begins one is a name all the same where what follows it says so. */
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

static sql_expr *stmt_node(sql_parser *p, sql_node kind, size_t at, void *stmt) {
  sql_expr *node = stmt == NULL ? NULL : cwi_sql_node_new(p, kind, at);
  if (node != NULL) {
    node->u.stmt = stmt;
    node->size = (uint32_t)(p->last.at + p->last.size - at);
  }
  return node;
}

static bool parse_param_name(sql_parser *p, sql_str *out) {
  const sql_token token = *cwi_sql_peek(p);
  if (token.kind != TK_PARAM) return cwi_sql_unexpected(p, &token, "a parameter");
  cwi_sql_take(p);
  return cwi_sql_ident_text(p, &token, out);
}

static sql_expr *parse_let(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_let *s = SQL_NEW(p, sql_let);
  if (s == NULL || !parse_param_name(p, &s->name)) return NULL;
  if (cwi_sql_eat(p, TK_COLON)) {
    s->type = cwi_sql_parse_type(p);
    if (s->type == NULL) return NULL;
  }
  if (!cwi_sql_expect(p, TK_EQ)) return NULL;
  s->value = cwi_sql_parse_statement(p, NULL);
  return s->value == NULL ? NULL : stmt_node(p, SQL_LET, at, s);
}

static sql_expr *parse_simple(sql_parser *p, sql_node kind) {
  size_t at = cwi_sql_take(p).at;
  sql_simple *s = SQL_NEW(p, sql_simple);
  if (s == NULL) return NULL;
  s->expr = cwi_sql_parse_statement(p, NULL);
  if (s->expr == NULL) return NULL;
  if (kind == SQL_RETURN && cwi_sql_eat_kw(p, KW_FETCH)) {
    do {
      if (!cwi_sql_push(p, &s->fetch, cwi_sql_parse_idiom(p))) return NULL;
    } while (cwi_sql_eat(p, TK_COMMA));
  }
  return stmt_node(p, kind, at, s);
}

static sql_expr *parse_bare(sql_parser *p, sql_node kind) {
  size_t at = cwi_sql_take(p).at;
  return stmt_node(p, kind, at, SQL_NEW(p, sql_simple));
}

static sql_expr *parse_then(sql_parser *p, sql_if *s, size_t at) {
  for (;;) {
    if (!cwi_sql_push(p, &s->bodies, cwi_sql_parse_statement(p, NULL))) return NULL;
    cwi_sql_eat(p, TK_SEMI);
    if (cwi_sql_eat_kw(p, KW_END)) break;
    if (!cwi_sql_eat_kw(p, KW_ELSE)) {
      cwi_sql_unexpected(p, cwi_sql_peek(p), "if to end");
      return NULL;
    }
    if (!cwi_sql_eat_kw(p, KW_IF)) {
      s->other = cwi_sql_parse_statement(p, NULL);
      if (s->other == NULL) return NULL;
      cwi_sql_eat(p, TK_SEMI);
      if (!cwi_sql_expect_kw(p, KW_END)) return NULL;
      break;
    }
    if (!cwi_sql_push(p, &s->conds, cwi_sql_parse_statement(p, NULL)) ||
        !cwi_sql_expect_kw(p, KW_THEN)) {
      return NULL;
    }
  }
  return stmt_node(p, SQL_IF, at, s);
}

static sql_expr *parse_if(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_if *s = SQL_NEW(p, sql_if);
  if (s == NULL || !cwi_sql_push(p, &s->conds, cwi_sql_parse_statement(p, NULL))) return NULL;
  if (cwi_sql_eat_kw(p, KW_THEN)) return parse_then(p, s, at);
  if (!cwi_sql_is(p, TK_LBRACE)) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "THEN or '{'");
    return NULL;
  }
  s->bracketed = true;
  for (;;) {
    if (!cwi_sql_push(p, &s->bodies, cwi_sql_parse_block(p))) return NULL;
    if (!cwi_sql_eat_kw(p, KW_ELSE)) break;
    if (!cwi_sql_eat_kw(p, KW_IF)) {
      s->other = cwi_sql_parse_block(p);
      if (s->other == NULL) return NULL;
      break;
    }
    if (!cwi_sql_push(p, &s->conds, cwi_sql_parse_statement(p, NULL))) return NULL;
  }
  return stmt_node(p, SQL_IF, at, s);
}

static sql_expr *parse_for(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_for *s = SQL_NEW(p, sql_for);
  if (s == NULL || !parse_param_name(p, &s->name) || !cwi_sql_expect_kw(p, KW_IN)) return NULL;
  s->range = cwi_sql_parse_expr(p);
  if (s->range == NULL) return NULL;
  s->body = cwi_sql_parse_block(p);
  return s->body == NULL ? NULL : stmt_node(p, SQL_FOR, at, s);
}

static sql_expr *parse_transaction(sql_parser *p, sql_node kind) {
  size_t at = cwi_sql_take(p).at;
  cwi_sql_eat_kw(p, KW_TRANSACTION);
  return stmt_node(p, kind, at, SQL_NEW(p, sql_simple));
}

static sql_expr *parse_use(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_use *s = SQL_NEW(p, sql_use);
  if (s == NULL) return NULL;
  bool ns = cwi_sql_eat_kw(p, KW_NS) || cwi_sql_eat_kw(p, KW_NAMESPACE);
  if (ns && !cwi_sql_name(p, &s->ns)) return NULL;
  bool db = cwi_sql_eat_kw(p, KW_DB) || cwi_sql_eat_kw(p, KW_DATABASE);
  if (db && !cwi_sql_name(p, &s->db)) return NULL;
  if (!ns && !db) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "either DATABASE or NAMESPACE");
    return NULL;
  }
  return stmt_node(p, SQL_USE, at, s);
}

static sql_expr *parse_option(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_let *s = SQL_NEW(p, sql_let);
  if (s == NULL || !cwi_sql_ident(p, &s->name)) return NULL;
  if (cwi_sql_eat(p, TK_EQ)) {
    s->value = cwi_sql_parse_expr(p);
    if (s->value == NULL) return NULL;
  }
  return stmt_node(p, SQL_OPTION, at, s);
}

static sql_expr *parse_info(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_info *s = SQL_NEW(p, sql_info);
  if (s == NULL || !cwi_sql_expect_kw(p, KW_FOR)) return NULL;
  bool ok = true;
  if (cwi_sql_eat_kw(p, KW_ROOT)) {
    s->what = SQL_W_ROOT;
  } else if (cwi_sql_eat_kw(p, KW_NS) || cwi_sql_eat_kw(p, KW_NAMESPACE)) {
    s->what = SQL_W_NS;
  } else if (cwi_sql_eat_kw(p, KW_DB) || cwi_sql_eat_kw(p, KW_DATABASE)) {
    s->what = SQL_W_DB;
  } else if (cwi_sql_eat_kw(p, KW_TABLE)) {
    s->what = SQL_W_TABLE;
    ok = cwi_sql_name(p, &s->table);
  } else if (cwi_sql_eat_kw(p, KW_USER)) {
    s->what = SQL_W_USER;
    ok = cwi_sql_name(p, &s->name);
    if (ok && cwi_sql_eat_kw(p, KW_ON)) cwi_sql_take(p);
  } else if (cwi_sql_eat_kw(p, KW_INDEX)) {
    s->what = SQL_W_INDEX;
    ok = cwi_sql_name(p, &s->name) && cwi_sql_expect_kw(p, KW_ON);
    if (ok) cwi_sql_eat_kw(p, KW_TABLE);
    ok = ok && cwi_sql_name(p, &s->table);
  } else {
    ok = cwi_sql_unexpected(p, cwi_sql_peek(p), "an info target");
  }
  if (ok && cwi_sql_eat_kw(p, KW_STRUCTURE)) s->structure = true;
  return ok ? stmt_node(p, SQL_INFO, at, s) : NULL;
}

static sql_expr *parse_show(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_info *s = SQL_NEW(p, sql_info);
  if (s == NULL || !cwi_sql_expect_kw(p, KW_CHANGES) || !cwi_sql_expect_kw(p, KW_FOR)) return NULL;
  s->what = SQL_W_TABLE;
  if (cwi_sql_eat_kw(p, KW_DATABASE))
    s->what = SQL_W_DB;
  else if (!cwi_sql_expect_kw(p, KW_TABLE) || !cwi_sql_name(p, &s->table))
    return NULL;
  if (!cwi_sql_expect_kw(p, KW_SINCE) || cwi_sql_parse_expr(p) == NULL) return NULL;
  if (cwi_sql_eat_kw(p, KW_LIMIT) && cwi_sql_parse_expr(p) == NULL) return NULL;
  return stmt_node(p, SQL_SHOW, at, s);
}

static sql_expr *parse_kill(sql_parser *p) {
  const sql_token next = *cwi_sql_peek_at(p, 1);
  bool ok = next.kind == TK_PARAM || (next.kind == TK_STRING && next.prefix == 'u');
  if (ok) return parse_simple(p, SQL_KILL);
  cwi_sql_take(p);
  cwi_sql_unexpected(p, &next, "a UUID or a parameter");
  return NULL;
}

static sql_expr *parse_sleep(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  const sql_token token = *cwi_sql_peek(p);
  if (token.kind == TK_NUMBER) {
    size_t end = token.at + token.size;
    cwi_sql_fail(p, token.at, token.size + 1, NULL,
                 "Invalid duration token, expected a duration suffix found `%.*s`",
                 end < p->size ? 1 : 0, p->text + end);
    return NULL;
  }
  if (token.kind != TK_DURATION && token.kind != TK_PARAM) {
    cwi_sql_unexpected(p, &token, "a duration");
    return NULL;
  }
  sql_simple *s = SQL_NEW(p, sql_simple);
  if (s == NULL) return NULL;
  s->expr = cwi_sql_parse_expr(p);
  return s->expr == NULL ? NULL : stmt_node(p, SQL_SLEEP, at, s);
}

static sql_expr *parse_live(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_select *s = SQL_NEW(p, sql_select);
  if (s == NULL || !cwi_sql_expect_kw(p, KW_SELECT)) return NULL;
  if (cwi_sql_eat_kw(p, KW_DIFF)) {
    s->explain = true; /* LIVE SELECT DIFF: patches are sent */
  } else if (!cwi_sql_parse_fields(p, &s->fields)) {
    return NULL;
  }
  if (!cwi_sql_expect_kw(p, KW_FROM) || !cwi_sql_push(p, &s->what, cwi_sql_parse_target(p)))
    return NULL;
  if (cwi_sql_eat_kw(p, KW_WHERE)) {
    s->where = cwi_sql_parse_expr(p);
    if (s->where == NULL) return NULL;
  }
  if (cwi_sql_eat_kw(p, KW_FETCH)) {
    do {
      if (!cwi_sql_push(p, &s->fetch, cwi_sql_parse_idiom(p))) return NULL;
    } while (cwi_sql_eat(p, TK_COMMA));
  }
  return stmt_node(p, SQL_LIVE, at, s);
}

static sql_expr *parse_rebuild(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_define *s = SQL_NEW(p, sql_define);
  if (s == NULL || !cwi_sql_expect_kw(p, KW_INDEX)) return NULL;
  s->what = SQL_W_INDEX;
  if (cwi_sql_eat_kw(p, KW_IF)) {
    if (!cwi_sql_expect_kw(p, KW_EXISTS)) return NULL;
    s->if_exists = true;
  }
  if (!cwi_sql_name(p, &s->name) || !cwi_sql_expect_kw(p, KW_ON)) return NULL;
  cwi_sql_eat_kw(p, KW_TABLE);
  if (!cwi_sql_name(p, &s->table)) return NULL;
  cwi_sql_eat_kw(p, KW_CONCURRENTLY);
  return stmt_node(p, SQL_REBUILD, at, s);
}

static sql_expr *parse_access(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_info *s = SQL_NEW(p, sql_info);
  if (s == NULL || !cwi_sql_ident(p, &s->name)) return NULL;
  if (cwi_sql_eat_kw(p, KW_ON)) cwi_sql_take(p);
  while (!cwi_sql_is_stmt_end(p) && !p->failed) cwi_sql_take(p);
  return stmt_node(p, SQL_ACCESS, at, s);
}

static sql_expr *parse_explain(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_simple *s = SQL_NEW(p, sql_simple);
  if (s == NULL) return NULL;
  s->analyze = cwi_sql_eat_kw(p, KW_ANALYZE);
  s->expr = cwi_sql_parse_statement(p, NULL);
  return s->expr == NULL ? NULL : stmt_node(p, SQL_EXPLAIN, at, s);
}

/* Whether what follows a word shows that the word is a name. */
static bool is_name_before(const sql_token *next, bool bare) {
  switch ((sql_tok)next->kind) {
    case TK_DOT:
    case TK_COMMA:
    case TK_COLON:
    case TK_PATH:
    case TK_RBRACKET:
    case TK_EQ:
    case TK_EQEQ:
    case TK_NE:
    case TK_GT:
    case TK_GE:
    case TK_LE:
    case TK_PLUSEQ:
    case TK_MINUSEQ:
    case TK_NULLISH:
    case TK_ELVIS:
    case TK_AND: return true;
    case TK_IDENT: return next->kw == KW_AS && !next->quoted;
    case TK_SEMI:
    case TK_EOF:
    case TK_RBRACE:
    case TK_RPAREN: return !bare;
    default: return false;
  }
}

static sql_expr *dispatch(sql_parser *p, sql_kw kw) {
  switch (kw) {
    case KW_SELECT: return cwi_sql_parse_select(p, false);
    case KW_CREATE: return cwi_sql_parse_write(p, SQL_CREATE);
    case KW_UPDATE: return cwi_sql_parse_write(p, SQL_UPDATE);
    case KW_UPSERT: return cwi_sql_parse_write(p, SQL_UPSERT);
    case KW_DELETE: return cwi_sql_parse_write(p, SQL_DELETE);
    case KW_INSERT: return cwi_sql_parse_insert(p);
    case KW_RELATE: return cwi_sql_parse_relate(p);
    case KW_DEFINE: return cwi_sql_parse_define(p);
    case KW_REMOVE: return cwi_sql_parse_remove(p);
    case KW_ALTER: return cwi_sql_parse_alter(p);
    case KW_LET: return parse_let(p);
    case KW_RETURN: return parse_simple(p, SQL_RETURN);
    case KW_THROW: return parse_simple(p, SQL_THROW);
    case KW_BREAK: return parse_bare(p, SQL_BREAK);
    case KW_CONTINUE: return parse_bare(p, SQL_CONTINUE);
    case KW_IF: return parse_if(p);
    case KW_FOR: return parse_for(p);
    case KW_BEGIN: return parse_transaction(p, SQL_BEGIN);
    case KW_COMMIT: return parse_transaction(p, SQL_COMMIT);
    case KW_CANCEL: return parse_transaction(p, SQL_CANCEL);
    case KW_USE: return parse_use(p);
    case KW_OPTION: return parse_option(p);
    case KW_INFO: return parse_info(p);
    case KW_SHOW: return parse_show(p);
    case KW_KILL: return parse_kill(p);
    case KW_SLEEP: return parse_sleep(p);
    case KW_LIVE: return parse_live(p);
    case KW_REBUILD: return parse_rebuild(p);
    case KW_ACCESS: return parse_access(p);
    case KW_EXPLAIN: return parse_explain(p);
    default: return NULL;
  }
}

static bool begins_statement(sql_parser *p, sql_kw kw) {
  switch (kw) {
    case KW_SELECT:
    case KW_CREATE:
    case KW_UPDATE:
    case KW_UPSERT:
    case KW_DELETE:
    case KW_INSERT:
    case KW_RELATE:
    case KW_DEFINE:
    case KW_REMOVE:
    case KW_LET:
    case KW_RETURN:
    case KW_THROW:
    case KW_USE:
    case KW_KILL:
    case KW_SLEEP:
    case KW_BREAK:
    case KW_CONTINUE:
    case KW_BEGIN:
    case KW_COMMIT:
    case KW_CANCEL:
    case KW_IF:
    case KW_FOR:
      return (kw == KW_LET || !is_name_before(cwi_sql_peek_at(p, 1), true)) &&
             (kw != KW_SLEEP || cwi_sql_peek_at(p, 1)->kind != TK_LPAREN);
    case KW_ALTER:
    case KW_OPTION:
    case KW_INFO:
    case KW_SHOW:
    case KW_LIVE:
    case KW_REBUILD:
    case KW_ACCESS:
    case KW_EXPLAIN:
      return cwi_sql_peek_at(p, 1)->kind == TK_IDENT &&
             !is_name_before(cwi_sql_peek_at(p, 1), false);
    default: return false;
  }
}

sql_expr *cwi_sql_try_statement(sql_parser *p, bool *is) {
  const sql_token token = *cwi_sql_peek(p);
  *is = false;
  if (token.kind != TK_IDENT || token.quoted || token.kw == KW_0) return NULL;
  *is = begins_statement(p, (sql_kw)token.kw);
  cwi_sql_rewind(p, token.at);
  if (!*is) return NULL;
  if (!cwi_sql_enter(p)) return NULL;
  sql_expr *node = dispatch(p, (sql_kw)token.kw);
  cwi_sql_leave(p);
  return p->failed ? NULL : node;
}

sql_expr *cwi_sql_parse_statement(sql_parser *p, bool *was) {
  bool is;
  sql_expr *node = cwi_sql_try_statement(p, &is);
  if (was != NULL) *was = is;
  return is ? node : cwi_sql_parse_expr(p);
}
