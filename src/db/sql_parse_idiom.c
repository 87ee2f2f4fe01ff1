/* SPDX-License-Identifier: MIT */
/* Names and what stands behind them: paths of functions, record ids, parts of idioms (fields,
 * indexes, filters, methods, graph steps, destructuring, recursion), objects, sets and blocks. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

/* ---- record ids ---- */

static bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static sql_expr *text_literal(sql_parser *p, size_t at, const char *text, size_t size) {
  cw_value value;
  if (cwi_value_string_trusted(text, size, &value, NULL) != CW_OK) {
    cwi_sql_nomem(p);
    return NULL;
  }
  return cwi_sql_literal(p, at, value);
}

/* A key that is a word or a number, read from the bytes: 1, -1, abc, 1abc. */
static sql_expr *word_key(sql_parser *p) {
  size_t at = p->next, i = at;
  bool negative = i + 1 < p->size && (p->text[i] == '-' || p->text[i] == '+') &&
                  p->text[i + 1] >= '0' && p->text[i + 1] <= '9';
  if (negative) i++;
  bool digits = true;
  for (; i < p->size && is_word(p->text[i]); i++) {
    if (p->text[i] < '0' || p->text[i] > '9') digits = false;
  }
  if (i == at) return NULL;
  cwi_sql_rewind(p, i);
  p->last = (sql_token){.kind = TK_IDENT, .at = (uint32_t)at, .size = (uint32_t)(i - at)};
  if (digits) {
    bool minus = p->text[at] == '-';
    uint64_t magnitude = 0;
    bool fits = true;
    for (size_t k = negative ? at + 1 : at; k < i; k++) {
      fits = fits && !CWI_MUL_OVERFLOWS(magnitude, 10U, &magnitude) &&
             !CWI_ADD_OVERFLOWS(magnitude, (uint64_t)(p->text[k] - '0'), &magnitude);
    }
    if (fits && magnitude <= (uint64_t)INT64_MAX + (minus ? 1U : 0U)) {
      return cwi_sql_literal(p, at, cw_value_int((int64_t)(minus ? 0 - magnitude : magnitude)));
    }
  }
  return text_literal(p, at, p->text + at, i - at);
}

static sql_expr *one_key(sql_parser *p) {
  size_t at = p->next;
  char c = at < p->size ? p->text[at] : 0;
  if (is_word(c) || ((c == '-' || c == '+') && at + 1 < p->size && p->text[at + 1] >= '0' &&
                     p->text[at + 1] <= '9')) {
    bool string = (c == 'u' || c == 's') && at + 1 < p->size &&
                  (p->text[at + 1] == '\'' || p->text[at + 1] == '"');
    if (!string) {
      sql_expr *key = word_key(p);
      if (key != NULL && key->u.lit.value.kind == CW_VALUE_STRING && cwi_sql_is(p, TK_LPAREN) &&
          !cwi_sql_peek(p)->spaced) {
        cw_bytes name = cw_value_as_bytes(key->u.lit.value);
        static const char *const generators[] = {"rand", "ulid", "uuid"};
        for (size_t i = 0; i < CWI_ARRAY_LEN(generators); i++) {
          if (name.size != 4 || strncasecmp(name.data, generators[i], 4) != 0) continue;
          sql_token open = cwi_sql_take(p);
          sql_expr *call = cwi_sql_node_new(p, SQL_CALL, at);
          if (call == NULL) return NULL;
          call->u.call.name = cwi_sql_str_of(i == 0   ? "rand::id"
                                             : i == 1 ? "rand::ulid"
                                                      : "rand::uuid");
          return cwi_sql_close(p, TK_RPAREN, &open) ? call : NULL;
        }
      }
      return key;
    }
  }
  const sql_token *token = cwi_sql_peek(p);
  if (token->kind == TK_IDENT && token->quoted) {
    sql_str name;
    return cwi_sql_ident(p, &name) ? text_literal(p, at, name.text, name.size) : NULL;
  }
  if (token->kind == TK_STRING && (token->prefix == 'u' || token->prefix == 0)) {
    sql_token taken = cwi_sql_take(p);
    return cwi_sql_string_value(p, &taken);
  }
  if (token->kind == TK_LBRACE) {
    sql_token open = cwi_sql_take(p);
    return cwi_sql_parse_object_body(p, &open, open.at);
  }
  if (token->kind == TK_LBRACKET) {
    sql_token open = cwi_sql_take(p);
    sql_expr *node = cwi_sql_node_new(p, SQL_ARRAY, open.at);
    if (node == NULL || !cwi_sql_parse_args(p, &node->u.list, NULL)) return NULL;
    return cwi_sql_close(p, TK_RBRACKET, &open) ? node : NULL;
  }
  if (token->kind == TK_PARAM) {
    sql_token taken = cwi_sql_take(p);
    sql_expr *node = cwi_sql_node_new(p, SQL_PARAM, taken.at);
    return node != NULL && cwi_sql_ident_text(p, &taken, &node->u.name) ? node : NULL;
  }
  cwi_sql_unexpected(p, token, "a record-id key");
  return NULL;
}

static bool range_token(sql_parser *p) {
  sql_tok kind = (sql_tok)cwi_sql_peek(p)->kind;
  return !cwi_sql_peek(p)->spaced &&
         (kind == TK_DOT2 || kind == TK_DOT2EQ || kind == TK_GTDOT2 || kind == TK_GTDOT2EQ);
}

static bool key_follows(sql_parser *p) {
  if (p->next >= p->size) return false;
  char c = p->text[p->next];
  return is_word(c) || c == '[' || c == '{' || c == '`' || c == '-' || c == '\'' || c == '"' ||
         (unsigned char)c == 0xE2;
}

/* The colon has been taken; nothing is peeked at, because a key is read from the bytes. */
sql_expr *cwi_sql_parse_record_key(sql_parser *p, bool range) {
  cwi_sql_rewind(p, p->last.at + p->last.size);
  size_t at = p->next;
  sql_expr *from = NULL;
  char c = at < p->size ? p->text[at] : 0;
  bool starts_with_range = c == '.' || c == '>';
  if (!starts_with_range) {
    from = one_key(p);
    if (from == NULL) return NULL;
  }
  if (!range || !range_token(p)) return from;
  sql_token op = cwi_sql_take(p);
  sql_expr *node = cwi_sql_node_new(p, SQL_RANGE, at);
  if (node == NULL) return NULL;
  node->u.range.from = from;
  node->u.range.from_excl = op.kind == TK_GTDOT2 || op.kind == TK_GTDOT2EQ;
  node->u.range.to_incl = op.kind == TK_DOT2EQ || op.kind == TK_GTDOT2EQ;
  cwi_sql_rewind(p, op.at + op.size);
  if (key_follows(p)) {
    node->u.range.to = one_key(p);
    if (node->u.range.to == NULL) return NULL;
  }
  return node;
}

/* ---- names ---- */

static bool path_text(sql_parser *p, sql_str first, sql_str *out) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cwi_buf_append(&buf, first.text, first.size);
  bool ok = true;
  while (ok && cwi_sql_eat(p, TK_PATH)) {
    sql_str part;
    ok = cwi_sql_ident(p, &part);
    if (ok) {
      cwi_buf_append_str(&buf, "::");
      cwi_buf_append(&buf, part.text, part.size);
    }
  }
  out->text = ok ? cwi_arena_strndup(p->arena, buf.data, buf.size) : NULL;
  out->size = (uint32_t)buf.size;
  cwi_buf_deinit(&buf);
  return ok && (out->text != NULL || cwi_sql_nomem(p));
}

static bool has_prefix(sql_str s, const char *prefix) {
  size_t size = strlen(prefix);
  return s.size > size && strncasecmp(s.text, prefix, size) == 0;
}

static sql_expr *parse_path(sql_parser *p, sql_token token, sql_str name) {
  sql_str path = name;
  if (!path_text(p, name, &path)) return NULL;
  size_t size = p->last.at + p->last.size - token.at;
  bool free_form = has_prefix(path, "fn::") || has_prefix(path, "ml::") ||
                   has_prefix(path, "silo::") || has_prefix(path, "mod::");
  if (has_prefix(path, "ml::") && cwi_sql_eat(p, TK_LT)) {
    while (!cwi_sql_is(p, TK_GT) && !cwi_sql_is(p, TK_EOF) && !p->failed) cwi_sql_take(p);
    if (!cwi_sql_expect(p, TK_GT)) return NULL;
  }
  int known = 1;
  if (!free_form && p->options != NULL && p->options->find != NULL) {
    known = p->options->find(path.text, path.size);
    if (known == 0) {
      const char *near =
          p->options->suggest != NULL ? p->options->suggest(path.text, path.size) : NULL;
      if (near != NULL) {
        cwi_sql_fail(p, token.at, size, NULL,
                     "Invalid function/constant path, did you maybe mean `%s`", near);
      } else {
        cwi_sql_fail(p, token.at, size, NULL, "Invalid function/constant path");
      }
      return NULL;
    }
  }
  sql_expr *node = cwi_sql_node_new(p, known == 2 ? SQL_CONST : SQL_CALL, token.at);
  if (node == NULL) return NULL;
  if (known == 2) {
    node->u.name = path;
    return node;
  }
  node->u.call.name = path;
  const sql_token open = *cwi_sql_peek(p);
  if (!cwi_sql_expect(p, TK_LPAREN) || !cwi_sql_parse_args(p, &node->u.call.args, NULL))
    return NULL;
  return cwi_sql_close(p, TK_RPAREN, &open) ? node : NULL;
}

static sql_expr *parse_word_value(sql_parser *p, const sql_token *token) {
  switch ((sql_kw)token->kw) {
    case KW_TRUE: return cwi_sql_literal(p, token->at, cw_value_bool(true));
    case KW_FALSE: return cwi_sql_literal(p, token->at, cw_value_bool(false));
    case KW_NONE: return cwi_sql_literal(p, token->at, cw_value_none());
    case KW_NULL: return cwi_sql_literal(p, token->at, cw_value_null());
    default: break;
  }
  if (token->size == 3 && strncasecmp(p->text + token->at, "nan", 3) == 0) {
    return cwi_sql_literal(p, token->at, cw_value_float((double)NAN));
  }
  if (token->size == 8 && strncasecmp(p->text + token->at, "infinity", 8) == 0) {
    return cwi_sql_literal(p, token->at, cw_value_float((double)INFINITY));
  }
  return NULL;
}

static sql_expr *field_idiom(sql_parser *p, size_t at, sql_str name) {
  sql_expr *node = cwi_sql_node_new(p, SQL_IDIOM, at);
  sql_part *part = SQL_NEW(p, sql_part);
  if (node == NULL || part == NULL) return NULL;
  part->kind = SQL_P_FIELD;
  part->name = name;
  return cwi_sql_push(p, &node->u.idiom.parts, part) ? node : NULL;
}

sql_expr *cwi_sql_parse_ident_expr(sql_parser *p) {
  sql_token token = cwi_sql_take(p);
  sql_str name;
  if (!cwi_sql_ident_text(p, &token, &name)) return NULL;
  const sql_token *next = cwi_sql_peek(p);
  if (next->kind == TK_PATH) return parse_path(p, token, name);
  if (next->kind == TK_COLON && !next->spaced) {
    cwi_sql_take(p);
    sql_expr *node = cwi_sql_node_new(p, SQL_RECORD, token.at);
    if (node == NULL) return NULL;
    node->u.record.table = name;
    node->u.record.key = cwi_sql_parse_record_key(p, true);
    if (node->u.record.key == NULL) return NULL;
    node->size = (uint32_t)(p->last.at + p->last.size - token.at);
    return node;
  }
  if (!token.quoted) {
    sql_expr *value = parse_word_value(p, &token);
    if (value != NULL || p->failed) return value;
    if (next->kind == TK_LPAREN) {
      if (strncasecmp(name.text, "function", name.size) == 0 && name.size == 8) {
        sql_expr *script = cwi_sql_node_new(p, SQL_SCRIPT, token.at);
        int depth = 0;
        do { /* the body is not read: it is refused when it runs */
          sql_token skipped = cwi_sql_take(p);
          depth += skipped.kind == TK_LBRACE ? 1 : 0;
          if (skipped.kind == TK_RBRACE && --depth == 0) break;
        } while (!cwi_sql_is(p, TK_EOF) && !p->failed);
        return script;
      }
      return parse_path(p, token, name);
    }
  }
  return field_idiom(p, token.at, name);
}

sql_expr *cwi_sql_parse_target(sql_parser *p) {
  sql_expr *node = cwi_sql_parse_expr(p);
  if (node != NULL && node->kind == SQL_IDIOM && node->u.idiom.start == NULL &&
      node->u.idiom.parts.len > 0) {
    sql_part *first = node->u.idiom.parts.items[0];
    if (first->kind != SQL_P_FIELD) return node;
    sql_expr *table = cwi_sql_node_new(p, SQL_TABLE, node->at);
    if (table == NULL) return NULL;
    table->u.name = first->name;
    if (node->u.idiom.parts.len == 1) return table;
    node->u.idiom.start = table;
    node->u.idiom.parts.items++;
    node->u.idiom.parts.len--;
    node->u.idiom.parts.cap--;
  }
  return node;
}

/* ---- parts ---- */

bool cwi_sql_parse_args(sql_parser *p, sql_vec *args, const sql_token *open) {
  (void)open;
  while (!cwi_sql_is(p, TK_RPAREN) && !cwi_sql_is(p, TK_RBRACKET)) {
    if (!cwi_sql_push(p, args, cwi_sql_parse_statement(p, NULL))) return false;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return !p->failed;
}

static bool parse_subject(sql_parser *p, sql_vec *what) {
  sql_subject *subject = SQL_NEW(p, sql_subject);
  if (subject == NULL || !cwi_sql_ident(p, &subject->table)) return false;
  const sql_token *next = cwi_sql_peek(p);
  if (next->kind == TK_COLON && !next->spaced) {
    cwi_sql_take(p);
    subject->key = cwi_sql_parse_record_key(p, true);
    if (subject->key == NULL) return false;
  }
  if (cwi_sql_eat_kw(p, KW_FIELD) && !cwi_sql_ident(p, &subject->field)) return false;
  return cwi_sql_push(p, what, subject);
}

static bool parse_graph_list(sql_parser *p, sql_graph *graph) {
  sql_token open = cwi_sql_take(p);
  if (cwi_sql_is_kw(p, KW_SELECT)) {
    graph->select = cwi_sql_parse_statement(p, NULL);
    if (graph->select == NULL) return false;
    return cwi_sql_close(p, TK_RPAREN, &open);
  }
  if (!cwi_sql_eat(p, TK_QUESTION)) {
    do {
      if (!parse_subject(p, &graph->what)) return false;
    } while (cwi_sql_eat(p, TK_COMMA));
  }
  if (cwi_sql_eat_kw(p, KW_WHERE)) {
    graph->where = cwi_sql_parse_expr(p);
    if (graph->where == NULL) return false;
  }
  if (cwi_sql_eat_kw(p, KW_AS)) {
    graph->alias = cwi_sql_parse_idiom(p);
    if (graph->alias == NULL) return false;
  }
  return cwi_sql_close(p, TK_RPAREN, &open);
}

static sql_part *parse_graph(sql_parser *p) {
  sql_token arrow = cwi_sql_take(p);
  sql_part *part = SQL_NEW(p, sql_part);
  sql_graph *graph = SQL_NEW(p, sql_graph);
  if (part == NULL || graph == NULL) return NULL;
  part->kind = SQL_P_GRAPH;
  part->graph = graph;
  graph->dir = arrow.kind == TK_ARROW     ? SQL_DIR_OUT
               : arrow.kind == TK_LARROW  ? SQL_DIR_IN
               : arrow.kind == TK_BIARROW ? SQL_DIR_BOTH
                                          : SQL_DIR_REF;
  const sql_token *next = cwi_sql_peek(p);
  if (next->kind == TK_QUESTION) {
    cwi_sql_take(p);
    return part;
  }
  if (next->kind == TK_LPAREN) return parse_graph_list(p, graph) ? part : NULL;
  if (next->kind != TK_IDENT) {
    cwi_sql_unexpected(p, next, "`?`, `(` or an identifier");
    return NULL;
  }
  return parse_subject(p, &graph->what) ? part : NULL;
}

static bool parse_bound(sql_parser *p, int64_t *out) {
  if (!cwi_sql_is(p, TK_NUMBER)) return true;
  sql_token token = cwi_sql_take(p);
  sql_expr *number = cwi_sql_number_value(p, &token, false);
  if (number == NULL) return false;
  *out = cw_value_as_int(number->u.lit.value);
  return true;
}

static bool word_is(sql_parser *p, const char *word) {
  const sql_token *token = cwi_sql_peek(p);
  return token->kind == TK_IDENT && token->size == strlen(word) &&
         strncasecmp(p->text + token->at, word, token->size) == 0;
}

static bool parse_recurse_words(sql_parser *p, sql_recurse *r) {
  while (cwi_sql_eat(p, TK_PLUS)) {
    if (word_is(p, "collect"))
      r->walk = SQL_WALK_COLLECT;
    else if (word_is(p, "path"))
      r->walk = SQL_WALK_PATH;
    else if (word_is(p, "shortest"))
      r->walk = SQL_WALK_SHORTEST;
    else if (word_is(p, "inclusive"))
      r->inclusive = true;
    else
      return cwi_sql_unexpected(p, cwi_sql_peek(p), "a recursion instruction");
    bool shortest = word_is(p, "shortest");
    cwi_sql_take(p);
    if (shortest) {
      if (!cwi_sql_expect(p, TK_EQ)) return false;
      r->target = cwi_sql_is(p, TK_PARAM) || cwi_sql_is(p, TK_IDENT) ? cwi_sql_parse_expr(p) : NULL;
      if (r->target == NULL) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a record-id");
    }
  }
  return true;
}

static sql_part *parse_recurse(sql_parser *p, const sql_token *open) {
  sql_part *part = SQL_NEW(p, sql_part);
  sql_recurse *r = SQL_NEW(p, sql_recurse);
  if (part == NULL || r == NULL) return NULL;
  part->kind = SQL_P_RECURSE;
  part->recurse = r;
  r->min = -1;
  r->max = -1;
  if (!parse_bound(p, &r->min)) return NULL;
  bool inclusive_end = false;
  if (cwi_sql_eat(p, TK_DOT2) || (inclusive_end = cwi_sql_eat(p, TK_DOT2EQ))) {
    if (!parse_bound(p, &r->max)) return NULL;
  } else {
    r->max = r->min;
  }
  if (!parse_recurse_words(p, r) || !cwi_sql_close(p, TK_RBRACE, open)) return NULL;
  if (cwi_sql_is(p, TK_LPAREN)) {
    sql_token paren = cwi_sql_take(p);
    sql_expr *holder = cwi_sql_node_new(p, SQL_IDIOM, paren.at);
    if (holder == NULL) return NULL;
    holder = cwi_sql_parse_postfix(p, holder);
    if (holder == NULL || !cwi_sql_close(p, TK_RPAREN, &paren)) return NULL;
    r->path = holder->u.idiom.parts;
  }
  return part;
}

static sql_part *parse_picks(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  if (cwi_sql_is(p, TK_NUMBER) || cwi_sql_is(p, TK_DOT2) || cwi_sql_is(p, TK_DOT2EQ)) {
    return parse_recurse(p, &open);
  }
  sql_part *part = SQL_NEW(p, sql_part);
  if (part == NULL) return NULL;
  part->kind = SQL_P_PICK;
  while (!cwi_sql_is(p, TK_RBRACE)) {
    sql_pair *pair = SQL_NEW(p, sql_pair);
    sql_token name = *cwi_sql_peek(p);
    if (pair == NULL || !cwi_sql_ident(p, &pair->key)) return NULL;
    if (cwi_sql_eat(p, TK_COLON)) {
      pair->value = cwi_sql_parse_expr(p);
    } else {
      pair->value = field_idiom(p, name.at, pair->key);
      if (pair->value != NULL) pair->value = cwi_sql_parse_postfix(p, pair->value);
    }
    if (pair->value == NULL || !cwi_sql_push(p, &part->args, pair)) return NULL;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return cwi_sql_close(p, TK_RBRACE, &open) ? part : NULL;
}

static sql_part *parse_dot(sql_parser *p) {
  cwi_sql_take(p);
  const sql_token *next = cwi_sql_peek(p);
  if (next->kind == TK_LBRACE) return parse_picks(p);
  sql_part *part = SQL_NEW(p, sql_part);
  if (part == NULL) return NULL;
  if (cwi_sql_eat(p, TK_STAR)) {
    part->kind = SQL_P_ALL;
  } else if (cwi_sql_eat(p, TK_QUESTION)) {
    part->kind = SQL_P_OPTIONAL;
  } else if (cwi_sql_eat(p, TK_AT)) {
    part->kind = SQL_P_REPEAT;
  } else {
    if (!cwi_sql_ident(p, &part->name)) return NULL;
    part->kind = SQL_P_FIELD;
    if (cwi_sql_is(p, TK_LPAREN) && !cwi_sql_peek(p)->spaced) {
      sql_token open = cwi_sql_take(p);
      part->kind = SQL_P_METHOD;
      if (!cwi_sql_parse_args(p, &part->args, NULL) || !cwi_sql_close(p, TK_RPAREN, &open))
        return NULL;
    }
  }
  return part;
}

static sql_part *parse_bracket(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  sql_part *part = SQL_NEW(p, sql_part);
  if (part == NULL) return NULL;
  if (cwi_sql_eat(p, TK_STAR)) {
    part->kind = SQL_P_ALL;
  } else if (cwi_sql_is(p, TK_DOLLAR)) {
    cwi_sql_take(p);
    part->kind = SQL_P_LAST;
  } else if (cwi_sql_eat(p, TK_QUESTION) || cwi_sql_eat_kw(p, KW_WHERE)) {
    part->kind = SQL_P_WHERE;
    part->expr = cwi_sql_parse_expr(p);
    if (part->expr == NULL) return NULL;
  } else {
    part->kind = SQL_P_INDEX;
    part->expr = cwi_sql_parse_expr(p);
    if (part->expr == NULL) return NULL;
  }
  return cwi_sql_close(p, TK_RBRACKET, &open) ? part : NULL;
}

static sql_part *parse_call(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  sql_part *part = SQL_NEW(p, sql_part);
  if (part == NULL) return NULL;
  part->kind = SQL_P_CALL;
  return cwi_sql_parse_args(p, &part->args, NULL) && cwi_sql_close(p, TK_RPAREN, &open) ? part
                                                                                        : NULL;
}

sql_expr *cwi_sql_parse_postfix(sql_parser *p, sql_expr *start) {
  sql_expr *node = start->kind == SQL_IDIOM && start->u.idiom.start == NULL ? start : NULL;
  for (;;) {
    sql_part *part = NULL;
    const sql_token *token = cwi_sql_peek(p);
    switch ((sql_tok)token->kind) {
      case TK_DOT: part = parse_dot(p); break;
      case TK_LBRACKET: part = parse_bracket(p); break;
      case TK_DOT3:
        cwi_sql_take(p);
        part = SQL_NEW(p, sql_part);
        if (part != NULL) part->kind = SQL_P_FLATTEN;
        break;
      case TK_ARROW:
      case TK_LARROW:
      case TK_BIARROW:
      case TK_REFARROW: part = parse_graph(p); break;
      case TK_LPAREN:
        if (node != NULL || token->spaced) return node != NULL ? node : start;
        part = parse_call(p);
        break;
      default: {
        sql_expr *done = node != NULL ? node : start;
        done->size = (uint32_t)(p->last.at + p->last.size - done->at);
        return p->failed ? NULL : done;
      }
    }
    if (part == NULL) return NULL;
    if (node == NULL) {
      node = cwi_sql_node_new(p, SQL_IDIOM, start->at);
      if (node == NULL) return NULL;
      node->u.idiom.start = start;
    }
    if (!cwi_sql_push(p, &node->u.idiom.parts, part)) return NULL;
  }
}

sql_expr *cwi_sql_parse_idiom(sql_parser *p) {
  const sql_token *token = cwi_sql_peek(p);
  if (token->kind == TK_ARROW || token->kind == TK_LARROW || token->kind == TK_BIARROW ||
      token->kind == TK_REFARROW) {
    sql_expr *node = cwi_sql_node_new(p, SQL_IDIOM, token->at);
    return node == NULL ? NULL : cwi_sql_parse_postfix(p, node);
  }
  size_t at = token->at;
  sql_str name;
  if (!cwi_sql_ident(p, &name)) return NULL;
  sql_expr *node = field_idiom(p, at, name);
  return node == NULL ? NULL : cwi_sql_parse_postfix(p, node);
}

/* ---- braces ---- */

static bool parse_pair(sql_parser *p, sql_vec *list) {
  sql_pair *pair = SQL_NEW(p, sql_pair);
  if (pair == NULL) return false;
  const sql_token token = *cwi_sql_peek(p);
  if (token.kind == TK_STRING) {
    cwi_sql_take(p);
    sql_expr *text = cwi_sql_string_value(p, &token);
    if (text == NULL) return false;
    cw_bytes bytes = cw_value_as_bytes(text->u.lit.value);
    pair->key = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
  } else if (token.kind == TK_NUMBER) {
    cwi_sql_take(p);
    pair->key = (sql_str){.text = p->text + token.at, .size = token.size};
  } else if (token.kind == TK_IDENT) {
    if (!cwi_sql_ident(p, &pair->key)) return false;
  } else {
    return cwi_sql_unexpected(p, &token, "an object key");
  }
  if (!cwi_sql_expect(p, TK_COLON)) return false;
  pair->value = cwi_sql_parse_statement(p, NULL);
  return pair->value != NULL && cwi_sql_push(p, list, pair);
}

/* The brace has been taken. */
sql_expr *cwi_sql_parse_object_body(sql_parser *p, const sql_token *open, size_t at) {
  sql_expr *node = cwi_sql_node_new(p, SQL_OBJECT, at);
  if (node == NULL) return NULL;
  while (!cwi_sql_is(p, TK_RBRACE)) {
    if (!parse_pair(p, &node->u.list)) return NULL;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return cwi_sql_close(p, TK_RBRACE, open) ? node : NULL;
}

static sql_expr *block_body(sql_parser *p, const sql_token *open, sql_expr *first) {
  sql_expr *node = cwi_sql_node_new(p, SQL_BLOCK, open->at);
  if (node == NULL || (first != NULL && !cwi_sql_push(p, &node->u.list, first))) return NULL;
  for (;;) {
    while (cwi_sql_eat(p, TK_SEMI)) {
    }
    if (cwi_sql_is(p, TK_RBRACE) || cwi_sql_is(p, TK_EOF) || p->failed) break;
    if (!cwi_sql_push(p, &node->u.list, cwi_sql_parse_statement(p, NULL))) return NULL;
  }
  return cwi_sql_close(p, TK_RBRACE, open) ? node : NULL;
}

sql_expr *cwi_sql_parse_block(sql_parser *p) {
  if (!cwi_sql_is(p, TK_LBRACE)) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "{");
    return NULL;
  }
  sql_token open = cwi_sql_take(p);
  return block_body(p, &open, NULL);
}

sql_expr *cwi_sql_parse_object_or_block(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  const sql_token first = *cwi_sql_peek(p);
  if (first.kind == TK_RBRACE) return cwi_sql_parse_object_body(p, &open, open.at);
  if (first.kind == TK_COMMA) {
    cwi_sql_take(p);
    sql_expr *empty = cwi_sql_node_new(p, SQL_SET, open.at);
    return cwi_sql_close(p, TK_RBRACE, &open) ? empty : NULL;
  }
  if (first.kind == TK_IDENT || first.kind == TK_STRING || first.kind == TK_NUMBER) {
    if (cwi_sql_peek_at(p, 1)->kind == TK_COLON)
      return cwi_sql_parse_object_body(p, &open, open.at);
    if (cwi_sql_peek_at(p, 1)->kind == TK_ERROR && p->failed) return NULL;
    cwi_sql_rewind(p, first.at);
  }
  sql_expr *item = cwi_sql_parse_statement(p, NULL);
  if (item == NULL) return NULL;
  if (!cwi_sql_is(p, TK_COMMA)) return block_body(p, &open, item);
  sql_expr *node = cwi_sql_node_new(p, SQL_SET, open.at);
  if (node == NULL || !cwi_sql_push(p, &node->u.list, item)) return NULL;
  while (cwi_sql_eat(p, TK_COMMA) && !cwi_sql_is(p, TK_RBRACE)) {
    if (!cwi_sql_push(p, &node->u.list, cwi_sql_parse_expr(p))) return NULL;
  }
  return cwi_sql_close(p, TK_RBRACE, &open) ? node : NULL;
}
