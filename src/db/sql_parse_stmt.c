/* SPDX-License-Identifier: MIT */
/* Statements that read and write records, and those that steer: everything but DEFINE and its
 * like. */
#include <string.h>

#include "db/sql_parser.h"

bool cwi_sql_is_stmt_end(sql_parser *p) {
  sql_tok kind = (sql_tok)cwi_sql_peek(p)->kind;
  return kind == TK_SEMI || kind == TK_EOF || kind == TK_RBRACE || kind == TK_RPAREN;
}

static sql_expr *stmt_node(sql_parser *p, sql_node kind, size_t at, void *stmt) {
  sql_expr *node = stmt == NULL ? NULL : cwi_sql_node_new(p, kind, at);
  if (node != NULL) node->u.stmt = stmt;
  return node;
}

/* ---- clauses ---- */

static bool parse_idioms(sql_parser *p, sql_vec *out) {
  do {
    if (!cwi_sql_push(p, out, cwi_sql_parse_idiom(p))) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_field(sql_parser *p, sql_vec *out) {
  sql_field *field = SQL_NEW(p, sql_field);
  if (field == NULL) return false;
  if (cwi_sql_is(p, TK_STAR)) {
    cwi_sql_take(p);
  } else {
    field->expr = cwi_sql_parse_statement(p, NULL);
    if (field->expr == NULL) return false;
    if (cwi_sql_eat_kw(p, KW_AS)) {
      field->alias = cwi_sql_parse_idiom(p);
      if (field->alias == NULL) return false;
    }
  }
  return cwi_sql_push(p, out, field);
}

bool cwi_sql_parse_fields(sql_parser *p, sql_fields *out) {
  if (cwi_sql_is_kw(p, KW_VALUE)) {
    cwi_sql_take(p);
    out->value = true;
    return parse_field(p, &out->list);
  }
  do {
    if (!parse_field(p, &out->list)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_expr_into(sql_parser *p, sql_expr **out) {
  *out = cwi_sql_parse_statement(p, NULL);
  return *out != NULL;
}

bool cwi_sql_parse_assigns(sql_parser *p, sql_vec *out) {
  do {
    sql_assign *assign = SQL_NEW(p, sql_assign);
    if (assign == NULL) return false;
    assign->target = cwi_sql_parse_idiom(p);
    if (assign->target == NULL) return false;
    if (cwi_sql_eat(p, TK_EQ))
      assign->op = SQL_ASSIGN;
    else if (cwi_sql_eat(p, TK_PLUSEQ))
      assign->op = SQL_ASSIGN_ADD;
    else if (cwi_sql_eat(p, TK_MINUSEQ))
      assign->op = SQL_ASSIGN_SUB;
    else if (cwi_sql_eat(p, TK_EXTEND))
      assign->op = SQL_ASSIGN_EXTEND;
    else
      return cwi_sql_unexpected(p, cwi_sql_peek(p), "an assign operator");
    if (!parse_expr_into(p, &assign->value) || !cwi_sql_push(p, out, assign)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_data(sql_parser *p, sql_data *data) {
  if (cwi_sql_eat_kw(p, KW_SET)) {
    data->kind = SQL_DATA_SET;
    return cwi_sql_parse_assigns(p, &data->list);
  }
  if (cwi_sql_eat_kw(p, KW_UNSET)) {
    data->kind = SQL_DATA_UNSET;
    return parse_idioms(p, &data->list);
  }
  static const struct {
    sql_kw kw;
    sql_data_kind kind;
  } kinds[] = {{KW_CONTENT, SQL_DATA_CONTENT},
               {KW_REPLACE, SQL_DATA_REPLACE},
               {KW_MERGE, SQL_DATA_MERGE},
               {KW_PATCH, SQL_DATA_PATCH}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds); i++) {
    if (!cwi_sql_eat_kw(p, kinds[i].kw)) continue;
    data->kind = kinds[i].kind;
    return parse_expr_into(p, &data->expr);
  }
  return true;
}

bool cwi_sql_parse_output(sql_parser *p, sql_output_kind *kind, sql_fields *fields) {
  if (!cwi_sql_eat_kw(p, KW_RETURN)) return true;
  static const struct {
    sql_kw kw;
    sql_output_kind kind;
  } kinds[] = {{KW_NONE, SQL_OUT_NONE},
               {KW_NULL, SQL_OUT_NULL},
               {KW_DIFF, SQL_OUT_DIFF},
               {KW_AFTER, SQL_OUT_AFTER},
               {KW_BEFORE, SQL_OUT_BEFORE}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds); i++) {
    if (cwi_sql_eat_kw(p, kinds[i].kw)) {
      *kind = kinds[i].kind;
      return true;
    }
  }
  *kind = SQL_OUT_FIELDS;
  return cwi_sql_parse_fields(p, fields);
}

static bool parse_targets(sql_parser *p, sql_vec *out) {
  do {
    if (!cwi_sql_push(p, out, cwi_sql_parse_target(p))) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

/* ---- SELECT ---- */

/* The text of an idiom is compared: a projection without alias is named by its own text. */
static bool same_idiom(sql_parser *p, const sql_expr *a, const sql_expr *b) {
  if (b == NULL || b->kind != SQL_IDIOM || a->u.idiom.parts.len != b->u.idiom.parts.len ||
      b->u.idiom.start != NULL) {
    return false;
  }
  for (uint32_t i = 0; i < a->u.idiom.parts.len; i++) {
    const sql_part *x = a->u.idiom.parts.items[i], *y = b->u.idiom.parts.items[i];
    if (x->kind != y->kind) return false;
    if (x->kind == SQL_P_FIELD || x->kind == SQL_P_METHOD) {
      if (x->name.size != y->name.size || memcmp(x->name.text, y->name.text, x->name.size) != 0) {
        return false;
      }
    } else if (x->kind == SQL_P_INDEX) {
      if (x->expr->size != y->expr->size ||
          memcmp(p->text + x->expr->at, p->text + y->expr->at, x->expr->size) != 0) {
        return false;
      }
    }
  }
  return true;
}

/* ORDER BY, GROUP BY and SPLIT name what is selected. */
static bool check_idiom(sql_parser *p, const sql_select *select, const sql_expr *idiom,
                        const char *what) {
  const sql_field *first = select->fields.list.items[0];
  if (select->fields.value) {
    if (first->expr == NULL || strcmp(what, "split") == 0) return true;
    if (same_idiom(p, idiom, first->alias) || same_idiom(p, idiom, first->expr)) return true;
  }
  for (uint32_t i = 0; i < select->fields.list.len && !select->fields.value; i++) {
    const sql_field *field = select->fields.list.items[i];
    if (field->expr == NULL) return true;
    if (field->alias != NULL ? same_idiom(p, idiom, field->alias)
                             : same_idiom(p, idiom, field->expr)) {
      return true;
    }
  }
  cwi_sql_fail(p, idiom->at, idiom->size, NULL, "Missing %s idiom `%.*s` in statement selection",
               what, (int)idiom->size, p->text + idiom->at);
  const sql_expr *shown = first->expr;
  const sql_expr *end = first->alias != NULL ? first->alias : shown;
  cwi_sql_fail_frame(p, shown->at, end->at + end->size - shown->at, "Idiom missing here");
  return false;
}

static bool parse_order(sql_parser *p, sql_select *s) {
  cwi_sql_eat_kw(p, KW_BY);
  if (cwi_sql_is(p, TK_IDENT) && cwi_sql_peek(p)->size == 4 &&
      strncmp(p->text + cwi_sql_peek(p)->at, "RAND", 4) == 0 &&
      cwi_sql_peek_at(p, 1)->kind == TK_LPAREN) {
    cwi_sql_take(p);
    cwi_sql_take(p);
    s->order_rand = true;
    return cwi_sql_expect(p, TK_RPAREN);
  }
  do {
    sql_order *order = SQL_NEW(p, sql_order);
    if (order == NULL) return false;
    order->idiom = cwi_sql_parse_idiom(p);
    if (order->idiom == NULL) return false;
    if (!check_idiom(p, s, order->idiom, "order")) return false;
    order->collate = cwi_sql_eat_kw(p, KW_COLLATE);
    order->numeric = cwi_sql_eat_kw(p, KW_NUMERIC);
    if (cwi_sql_eat_kw(p, KW_DESC))
      order->desc = true;
    else
      cwi_sql_eat_kw(p, KW_ASC);
    if (!cwi_sql_push(p, &s->order, order)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_group(sql_parser *p, sql_select *s) {
  if (!cwi_sql_eat_kw(p, KW_GROUP)) return true;
  if (cwi_sql_eat_kw(p, KW_ALL)) {
    s->group_all = true;
    return true;
  }
  cwi_sql_eat_kw(p, KW_BY);
  do {
    sql_expr *idiom = cwi_sql_parse_idiom(p);
    if (idiom == NULL || !check_idiom(p, s, idiom, "group")) return false;
    if (!cwi_sql_push(p, &s->group, idiom)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_with(sql_parser *p, sql_select *s) {
  if (!cwi_sql_eat_kw(p, KW_WITH)) return true;
  if (cwi_sql_eat_kw(p, KW_NOINDEX)) {
    s->no_index = true;
    return true;
  }
  if (!cwi_sql_expect_kw(p, KW_INDEX)) return false;
  do {
    sql_str *name = SQL_NEW(p, sql_str);
    if (name == NULL || !cwi_sql_ident(p, name) || !cwi_sql_push(p, &s->with, name)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

static bool parse_limits(sql_parser *p, sql_select *s) {
  for (int i = 0; i < 2; i++) {
    if (s->limit == NULL && cwi_sql_eat_kw(p, KW_LIMIT)) {
      cwi_sql_eat_kw(p, KW_BY);
      if (!parse_expr_into(p, &s->limit)) return false;
    } else if (s->start == NULL && cwi_sql_eat_kw(p, KW_START)) {
      cwi_sql_eat_kw(p, KW_AT);
      if (!parse_expr_into(p, &s->start)) return false;
    }
  }
  return true;
}

static bool parse_select_tail(sql_parser *p, sql_select *s) {
  if (!parse_with(p, s)) return false;
  if (cwi_sql_eat_kw(p, KW_WHERE) && !parse_expr_into(p, &s->where)) return false;
  if (cwi_sql_eat_kw(p, KW_SPLIT)) {
    cwi_sql_eat_kw(p, KW_ON);
    do {
      sql_expr *idiom = cwi_sql_parse_idiom(p);
      if (idiom == NULL || !check_idiom(p, s, idiom, "split")) return false;
      if (!cwi_sql_push(p, &s->split, idiom)) return false;
    } while (cwi_sql_eat(p, TK_COMMA));
  }
  if (!parse_group(p, s)) return false;
  if (cwi_sql_eat_kw(p, KW_ORDER) && !parse_order(p, s)) return false;
  if (!parse_limits(p, s)) return false;
  if (cwi_sql_eat_kw(p, KW_FETCH) && !parse_idioms(p, &s->fetch)) return false;
  if (cwi_sql_eat_kw(p, KW_VERSION) && !parse_expr_into(p, &s->version)) return false;
  if (cwi_sql_eat_kw(p, KW_TIMEOUT) && !parse_expr_into(p, &s->timeout)) return false;
  cwi_sql_eat_kw(p, KW_TEMPFILES);
  if (cwi_sql_eat_kw(p, KW_EXPLAIN)) {
    s->explain = true;
    s->explain_full = cwi_sql_eat_kw(p, KW_FULL);
  }
  return !p->failed;
}

sql_expr *cwi_sql_parse_select(sql_parser *p, bool inner) {
  (void)inner;
  size_t at = cwi_sql_take(p).at;
  sql_select *s = SQL_NEW(p, sql_select);
  if (s == NULL || !cwi_sql_parse_fields(p, &s->fields)) return NULL;
  if (cwi_sql_eat_kw(p, KW_OMIT) && !parse_idioms(p, &s->omit)) return NULL;
  if (!cwi_sql_expect_kw(p, KW_FROM)) return NULL;
  s->only = cwi_sql_eat_kw(p, KW_ONLY);
  if (!parse_targets(p, &s->what) || !parse_select_tail(p, s)) return NULL;
  return stmt_node(p, SQL_SELECT, at, s);
}

/* ---- CREATE, UPDATE, UPSERT, DELETE, INSERT, RELATE ---- */

sql_expr *cwi_sql_parse_write(sql_parser *p, sql_node kind) {
  size_t at = cwi_sql_take(p).at;
  sql_write *s = SQL_NEW(p, sql_write);
  if (s == NULL) return NULL;
  if (kind == SQL_DELETE) cwi_sql_eat_kw(p, KW_FROM);
  s->only = cwi_sql_eat_kw(p, KW_ONLY);
  if (!parse_targets(p, &s->what)) return NULL;
  if (kind != SQL_DELETE && !parse_data(p, &s->data)) return NULL;
  if (kind != SQL_CREATE && cwi_sql_eat_kw(p, KW_WHERE) && !parse_expr_into(p, &s->where))
    return NULL;
  if (!cwi_sql_parse_output(p, &s->output, &s->fields)) return NULL;
  if (cwi_sql_eat_kw(p, KW_TIMEOUT) && !parse_expr_into(p, &s->timeout)) return NULL;
  if (kind == SQL_CREATE && cwi_sql_eat_kw(p, KW_VERSION) && !parse_expr_into(p, &s->version)) {
    return NULL;
  }
  if (cwi_sql_eat_kw(p, KW_EXPLAIN)) s->explain = true;
  return stmt_node(p, kind, at, s);
}

static bool parse_row(sql_parser *p, sql_insert *s, const sql_token *columns_open,
                      size_t columns_end) {
  sql_token open = *cwi_sql_peek(p);
  sql_vec *row = SQL_NEW(p, sql_vec);
  if (row == NULL || !cwi_sql_expect(p, TK_LPAREN)) return false;
  do {
    if (!cwi_sql_push(p, row, cwi_sql_parse_expr(p))) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  if (!cwi_sql_close(p, TK_RPAREN, &open)) return false;
  if (row->len != s->columns.len) {
    char label[64];
    cwi_buf text;
    cwi_buf_init(&text, sizeof(label));
    cwi_buf_append_format(&text, "This selector has %u field(s)", s->columns.len);
    cwi_sql_fail(p, open.at, p->last.at + 1 - open.at, NULL,
                 "Invalid numbers of values to insert, found %u value(s) but selector requires %u "
                 "value(s).",
                 row->len, s->columns.len);
    cwi_sql_fail_frame(p, columns_open->at, columns_end - columns_open->at, cwi_buf_cstr(&text));
    cwi_buf_deinit(&text);
    return false;
  }
  return cwi_sql_push(p, &s->rows, row);
}

static bool parse_rows(sql_parser *p, sql_insert *s) {
  sql_token open = cwi_sql_take(p);
  if (!parse_idioms(p, &s->columns) || !cwi_sql_close(p, TK_RPAREN, &open)) return false;
  size_t end = p->last.at + 1;
  if (!cwi_sql_expect_kw(p, KW_VALUES)) return false;
  do {
    if (!parse_row(p, s, &open, end)) return false;
  } while (cwi_sql_eat(p, TK_COMMA));
  return true;
}

sql_expr *cwi_sql_parse_insert(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_insert *s = SQL_NEW(p, sql_insert);
  if (s == NULL) return NULL;
  s->relation = cwi_sql_eat_kw(p, KW_RELATION);
  s->ignore = cwi_sql_eat_kw(p, KW_IGNORE);
  if (cwi_sql_eat_kw(p, KW_INTO)) {
    sql_token token = *cwi_sql_peek(p);
    if (token.kind == TK_PARAM) {
      cwi_sql_take(p);
      s->into = cwi_sql_node_new(p, SQL_PARAM, token.at);
      if (s->into == NULL || !cwi_sql_ident_text(p, &token, &s->into->u.name)) return NULL;
    } else {
      s->into = cwi_sql_node_new(p, SQL_TABLE, token.at);
      if (s->into == NULL || !cwi_sql_ident(p, &s->into->u.name)) return NULL;
    }
  }
  bool rows = false;
  if (cwi_sql_is(p, TK_LPAREN)) {
    size_t open = cwi_sql_peek(p)->at;
    const sql_token *second = cwi_sql_peek_at(p, 1), *third = cwi_sql_peek_at(p, 2);
    rows = second->kind == TK_IDENT &&
           (third->kind == TK_COMMA || third->kind == TK_RPAREN || third->kind == TK_DOT);
    cwi_sql_rewind(p, open);
  }
  if (rows ? !parse_rows(p, s) : !parse_expr_into(p, &s->data)) return NULL;
  if (cwi_sql_eat_kw(p, KW_ON)) {
    if (!cwi_sql_expect_kw(p, KW_DUPLICATE) || !cwi_sql_expect_kw(p, KW_KEY) ||
        !cwi_sql_expect_kw(p, KW_UPDATE) || !cwi_sql_parse_assigns(p, &s->update)) {
      return NULL;
    }
  }
  if (!cwi_sql_parse_output(p, &s->output, &s->fields)) return NULL;
  return stmt_node(p, SQL_INSERT, at, s);
}

/* What RELATE joins: names and record ids without their arrows, parameters, lists, subqueries. */
static sql_expr *parse_related(sql_parser *p) {
  const sql_token token = *cwi_sql_peek(p);
  if (token.kind == TK_PARAM) {
    cwi_sql_take(p);
    sql_expr *node = cwi_sql_node_new(p, SQL_PARAM, token.at);
    return node != NULL && cwi_sql_ident_text(p, &token, &node->u.name) ? node : NULL;
  }
  if (token.kind == TK_LPAREN || token.kind == TK_LBRACKET) {
    sql_token open = cwi_sql_take(p);
    sql_expr *node = cwi_sql_node_new(p, token.kind == TK_LPAREN ? SQL_PAREN : SQL_ARRAY, token.at);
    if (node == NULL) return NULL;
    if (token.kind == TK_LPAREN) {
      node->u.binary.left = cwi_sql_parse_statement(p, NULL);
      return node->u.binary.left != NULL && cwi_sql_close(p, TK_RPAREN, &open) ? node : NULL;
    }
    return cwi_sql_parse_args(p, &node->u.list, NULL) && cwi_sql_close(p, TK_RBRACKET, &open)
               ? node
               : NULL;
  }
  if (token.kind != TK_IDENT) {
    cwi_sql_unexpected(p, &token, "an identifier");
    return NULL;
  }
  sql_expr *node = cwi_sql_parse_ident_expr(p);
  if (node != NULL && node->kind == SQL_IDIOM) {
    const sql_part *first = node->u.idiom.parts.items[0];
    node->kind = SQL_TABLE;
    node->u.name = first->name;
  }
  return node;
}

sql_expr *cwi_sql_parse_relate(sql_parser *p) {
  size_t at = cwi_sql_take(p).at;
  sql_write *s = SQL_NEW(p, sql_write);
  if (s == NULL) return NULL;
  s->only = cwi_sql_eat_kw(p, KW_ONLY);
  s->from = parse_related(p);
  if (s->from == NULL) return NULL;
  bool out = cwi_sql_is(p, TK_ARROW);
  if (!out && !cwi_sql_is(p, TK_LARROW)) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "a relation arrow");
    return NULL;
  }
  cwi_sql_take(p);
  s->kind = parse_related(p);
  if (s->kind == NULL || !cwi_sql_expect(p, out ? TK_ARROW : TK_LARROW)) return NULL;
  s->with = parse_related(p);
  if (s->with == NULL) return NULL;
  if (!out) {
    sql_expr *swap = s->from;
    s->from = s->with;
    s->with = swap;
  }
  cwi_sql_eat_kw(p, KW_UNIQUE);
  if (!parse_data(p, &s->data) || !cwi_sql_parse_output(p, &s->output, &s->fields)) return NULL;
  if (cwi_sql_eat_kw(p, KW_TIMEOUT) && !parse_expr_into(p, &s->timeout)) return NULL;
  return stmt_node(p, SQL_RELATE, at, s);
}
