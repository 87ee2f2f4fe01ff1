/* SPDX-License-Identifier: MIT */
/* Types: int, option<int>, array<record<a | b>, 3>, 'a' | 'b', { a: int } ... */
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

static const struct {
  const char *name;
  sql_type_kind kind;
} plain[] = {
    {"any", SQL_T_ANY},           {"none", SQL_T_NONE},         {"null", SQL_T_NULL},
    {"bool", SQL_T_BOOL},         {"bytes", SQL_T_BYTES},       {"datetime", SQL_T_DATETIME},
    {"decimal", SQL_T_DECIMAL},   {"duration", SQL_T_DURATION}, {"float", SQL_T_FLOAT},
    {"int", SQL_T_INT},           {"number", SQL_T_NUMBER},     {"object", SQL_T_OBJECT},
    {"point", SQL_T_POINT},       {"string", SQL_T_STRING},     {"uuid", SQL_T_UUID},
    {"regex", SQL_T_REGEX},       {"range", SQL_T_RANGE},       {"function", SQL_T_FUNCTION},
    {"file", SQL_T_FILE},         {"record", SQL_T_RECORD},     {"table", SQL_T_TABLE},
    {"geometry", SQL_T_GEOMETRY}, {"set", SQL_T_SET},           {"array", SQL_T_ARRAY},
};

static bool parse_names(sql_parser *p, sql_type *type) {
  sql_token open = *cwi_sql_peek(p);
  if (!cwi_sql_eat(p, TK_LT)) return true;
  do {
    sql_str *name = SQL_NEW(p, sql_str);
    if (name == NULL || !cwi_sql_ident(p, name) || !cwi_sql_push(p, &type->names, name))
      return false;
  } while (cwi_sql_eat(p, TK_PIPE));
  return cwi_sql_close(p, TK_GT, &open);
}

static bool parse_element(sql_parser *p, sql_type *type) {
  sql_token open = *cwi_sql_peek(p);
  type->max = -1;
  if (!cwi_sql_eat(p, TK_LT)) return true;
  if (!cwi_sql_push(p, &type->inner, cwi_sql_parse_type(p))) return false;
  if (cwi_sql_eat(p, TK_COMMA)) {
    if (!cwi_sql_is(p, TK_NUMBER)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a number");
    sql_token token = cwi_sql_take(p);
    sql_expr *number = cwi_sql_number_value(p, &token, false);
    if (number == NULL) return false;
    type->max = cw_value_as_int(number->u.lit.value);
  }
  return cwi_sql_close(p, TK_GT, &open);
}

static sql_type *parse_option(sql_parser *p, sql_type *type) {
  sql_token open = *cwi_sql_peek(p);
  type->kind = SQL_T_EITHER;
  sql_type *none = SQL_NEW(p, sql_type);
  if (none == NULL || !cwi_sql_expect(p, TK_LT)) return NULL;
  none->kind = SQL_T_NONE;
  sql_type *inner = cwi_sql_parse_type(p);
  if (inner == NULL || !cwi_sql_push(p, &type->inner, none)) return NULL;
  if (inner->kind == SQL_T_EITHER) {
    for (uint32_t i = 0; i < inner->inner.len; i++) {
      if (!cwi_sql_push(p, &type->inner, inner->inner.items[i])) return NULL;
    }
  } else if (!cwi_sql_push(p, &type->inner, inner)) {
    return NULL;
  }
  return cwi_sql_close(p, TK_GT, &open) ? type : NULL;
}

static sql_type *literal_type(sql_type *type, sql_expr *value) {
  if (value == NULL) return NULL;
  type->kind = SQL_T_LITERAL;
  type->literal = value->u.lit.value;
  return type;
}

static sql_type *parse_braced(sql_parser *p, sql_type *type) {
  sql_token open = cwi_sql_take(p);
  bool object = open.kind == TK_LBRACE;
  sql_tok end = object ? TK_RBRACE : TK_RBRACKET;
  type->kind = object ? SQL_T_LIT_OBJECT : SQL_T_LIT_ARRAY;
  while (!cwi_sql_is(p, end)) {
    if (object) {
      sql_str *name = SQL_NEW(p, sql_str);
      if (name == NULL) return NULL;
      const sql_token token = *cwi_sql_peek(p);
      if (token.kind == TK_STRING) {
        cwi_sql_take(p);
        sql_expr *text = cwi_sql_string_value(p, &token);
        if (text == NULL) return NULL;
        cw_bytes bytes = cw_value_as_bytes(text->u.lit.value);
        *name = (sql_str){.text = bytes.data, .size = (uint32_t)bytes.size};
      } else if (!cwi_sql_ident(p, name)) {
        return NULL;
      }
      if (!cwi_sql_expect(p, TK_COLON) || !cwi_sql_push(p, &type->names, name)) return NULL;
    }
    if (!cwi_sql_push(p, &type->inner, cwi_sql_parse_type(p))) return NULL;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return cwi_sql_close(p, end, &open) ? type : NULL;
}

sql_type *cwi_sql_parse_type_one(sql_parser *p) {
  sql_type *type = SQL_NEW(p, sql_type);
  if (type == NULL) return NULL;
  type->max = -1;
  const sql_token token = *cwi_sql_peek(p);
  switch ((sql_tok)token.kind) {
    case TK_LBRACE:
    case TK_LBRACKET: return parse_braced(p, type);
    case TK_STRING: cwi_sql_take(p); return literal_type(type, cwi_sql_string_value(p, &token));
    case TK_NUMBER:
      cwi_sql_take(p);
      return literal_type(type, cwi_sql_number_value(p, &token, false));
    case TK_DURATION: return literal_type(type, cwi_sql_parse_expr(p));
    case TK_MINUS: {
      cwi_sql_take(p);
      const sql_token number = *cwi_sql_peek(p);
      if (number.kind != TK_NUMBER) break;
      cwi_sql_take(p);
      return literal_type(type, cwi_sql_number_value(p, &number, true));
    }
    default: break;
  }
  if (token.kind == TK_IDENT && !token.quoted) {
    const char *text = p->text + token.at;
    if (token.kw == KW_TRUE || token.kw == KW_FALSE) {
      cwi_sql_take(p);
      return literal_type(type, cwi_sql_literal(p, token.at, cw_value_bool(token.kw == KW_TRUE)));
    }
    if (token.size == 6 && strncasecmp(text, "option", 6) == 0) {
      cwi_sql_take(p);
      return parse_option(p, type);
    }
    for (size_t i = 0; i < CWI_ARRAY_LEN(plain); i++) {
      if (strlen(plain[i].name) != token.size ||
          strncasecmp(text, plain[i].name, token.size) != 0) {
        continue;
      }
      cwi_sql_take(p);
      type->kind = plain[i].kind;
      bool ok = true;
      if (type->kind == SQL_T_ARRAY || type->kind == SQL_T_SET) ok = parse_element(p, type);
      if (type->kind == SQL_T_RECORD || type->kind == SQL_T_GEOMETRY || type->kind == SQL_T_TABLE) {
        ok = parse_names(p, type);
      }
      return ok ? type : NULL;
    }
  }
  cwi_sql_unexpected(p, &token, "a kind name");
  return NULL;
}

sql_type *cwi_sql_parse_type(sql_parser *p) {
  sql_type *first = cwi_sql_parse_type_one(p);
  if (first == NULL || !cwi_sql_is(p, TK_PIPE)) return first;
  sql_type *either = SQL_NEW(p, sql_type);
  if (either == NULL) return NULL;
  either->kind = SQL_T_EITHER;
  sql_type *next = first;
  for (;;) {
    if (next == NULL) return NULL;
    if (next->kind == SQL_T_EITHER) {
      for (uint32_t i = 0; i < next->inner.len; i++) {
        if (!cwi_sql_push(p, &either->inner, next->inner.items[i])) return NULL;
      }
    } else if (!cwi_sql_push(p, &either->inner, next)) {
      return NULL;
    }
    if (!cwi_sql_eat(p, TK_PIPE)) return either;
    next = cwi_sql_parse_type_one(p);
  }
}
