/* SPDX-License-Identifier: MIT */
/* Expressions: operands, and operators by binding power.
 *
 * From loose to tight: OR, AND, equality, relations, sums, products, powers, ranges, ?? and ?:, and
 * then unary operators, casts and what stands behind an operand (parts of an idiom). Equality and
 * relations do not chain. A range takes its end only where no space stands before it. */
#include <string.h>
#include <strings.h>

#include "db/sql_parser.h"

enum {
  BP_BASE,
  BP_OR,
  BP_AND,
  BP_EQUALITY,
  BP_RELATION,
  BP_SUM,
  BP_PRODUCT,
  BP_POWER,
  BP_RANGE,
  BP_NULLISH,
  BP_UNARY
};

static sql_expr *parse_bp(sql_parser *p, int min);
static sql_expr *parse_prefix(sql_parser *p);

static const struct {
  uint8_t token, op, power;
} token_ops[] = {
    {TK_OR, SQL_OP_OR, BP_OR},
    {TK_AND, SQL_OP_AND, BP_AND},
    {TK_EQ, SQL_OP_EQ, BP_EQUALITY},
    {TK_EQEQ, SQL_OP_EXACT, BP_EQUALITY},
    {TK_NE, SQL_OP_NE, BP_EQUALITY},
    {TK_ALLEQ, SQL_OP_ALLEQ, BP_EQUALITY},
    {TK_ANYEQ, SQL_OP_ANYEQ, BP_EQUALITY},
    {TK_LT, SQL_OP_LT, BP_RELATION},
    {TK_LE, SQL_OP_LE, BP_RELATION},
    {TK_GT, SQL_OP_GT, BP_RELATION},
    {TK_GE, SQL_OP_GE, BP_RELATION},
    {TK_ELEM, SQL_OP_INSIDE, BP_RELATION},
    {TK_NELEM, SQL_OP_NOTINSIDE, BP_RELATION},
    {TK_NI, SQL_OP_CONTAIN, BP_RELATION},
    {TK_NNI, SQL_OP_NOTCONTAIN, BP_RELATION},
    {TK_SUPSETEQ, SQL_OP_CONTAINALL, BP_RELATION},
    {TK_SUPSET, SQL_OP_CONTAINANY, BP_RELATION},
    {TK_NSUPSET, SQL_OP_CONTAINNONE, BP_RELATION},
    {TK_SUBSETEQ, SQL_OP_ALLINSIDE, BP_RELATION},
    {TK_SUBSET, SQL_OP_ANYINSIDE, BP_RELATION},
    {TK_NSUBSET, SQL_OP_NONEINSIDE, BP_RELATION},
    {TK_AT, SQL_OP_MATCHES, BP_RELATION},
    {TK_KNN, SQL_OP_KNN, BP_RELATION},
    {TK_PLUS, SQL_OP_ADD, BP_SUM},
    {TK_MINUS, SQL_OP_SUB, BP_SUM},
    {TK_STAR, SQL_OP_MUL, BP_PRODUCT},
    {TK_TIMES, SQL_OP_MUL, BP_PRODUCT},
    {TK_SLASH, SQL_OP_DIV, BP_PRODUCT},
    {TK_DIVIDE, SQL_OP_DIV, BP_PRODUCT},
    {TK_PERCENT, SQL_OP_REM, BP_PRODUCT},
    {TK_POW, SQL_OP_POW, BP_POWER},
    {TK_NULLISH, SQL_OP_NULLISH, BP_NULLISH},
    {TK_ELVIS, SQL_OP_ELVIS, BP_NULLISH},
};

static const struct {
  uint16_t kw;
  uint8_t op, power;
} kw_ops[] = {
    {KW_OR, SQL_OP_OR, BP_OR},
    {KW_AND, SQL_OP_AND, BP_AND},
    {KW_IS, SQL_OP_EQ, BP_EQUALITY},
    {KW_IN, SQL_OP_INSIDE, BP_RELATION},
    {KW_INSIDE, SQL_OP_INSIDE, BP_RELATION},
    {KW_NOTINSIDE, SQL_OP_NOTINSIDE, BP_RELATION},
    {KW_ALLINSIDE, SQL_OP_ALLINSIDE, BP_RELATION},
    {KW_ANYINSIDE, SQL_OP_ANYINSIDE, BP_RELATION},
    {KW_NONEINSIDE, SQL_OP_NONEINSIDE, BP_RELATION},
    {KW_CONTAINS, SQL_OP_CONTAIN, BP_RELATION},
    {KW_CONTAINSNOT, SQL_OP_NOTCONTAIN, BP_RELATION},
    {KW_CONTAINSALL, SQL_OP_CONTAINALL, BP_RELATION},
    {KW_CONTAINSANY, SQL_OP_CONTAINANY, BP_RELATION},
    {KW_CONTAINSNONE, SQL_OP_CONTAINNONE, BP_RELATION},
    {KW_OUTSIDE, SQL_OP_OUTSIDE, BP_RELATION},
    {KW_INTERSECTS, SQL_OP_INTERSECTS, BP_RELATION},
    {KW_NOT, SQL_OP_NOTINSIDE, BP_RELATION},
};

/* What the next token means between two operands; SQL_OP_NONE: nothing. */
static sql_op infix_op(sql_parser *p, int *power) {
  const sql_token *token = cwi_sql_peek(p);
  if (token->kind == TK_IDENT) {
    if (token->quoted || token->kw == KW_0) return SQL_OP_NONE;
    for (size_t i = 0; i < CWI_ARRAY_LEN(kw_ops); i++) {
      if (kw_ops[i].kw != token->kw) continue;
      if (token->kw == KW_NOT) {
        const sql_token *next = cwi_sql_peek_at(p, 1);
        if (next->kind != TK_IDENT || next->kw != KW_IN) return SQL_OP_NONE;
      }
      *power = kw_ops[i].power;
      return (sql_op)kw_ops[i].op;
    }
    return SQL_OP_NONE;
  }
  for (size_t i = 0; i < CWI_ARRAY_LEN(token_ops); i++) {
    if (token_ops[i].token == token->kind) {
      *power = token_ops[i].power;
      return (sql_op)token_ops[i].op;
    }
  }
  return SQL_OP_NONE;
}

static bool parse_knn(sql_parser *p, sql_expr *node, const sql_token *open) {
  sql_knn *knn = SQL_NEW(p, sql_knn);
  if (knn == NULL) return false;
  knn->ef = -1;
  if (!cwi_sql_is(p, TK_NUMBER)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "a number");
  sql_token token = cwi_sql_take(p);
  sql_expr *number = cwi_sql_number_value(p, &token, false);
  if (number == NULL) return false;
  knn->k = cwi_value_as_int(number->u.lit.value);
  if (cwi_sql_eat(p, TK_COMMA)) {
    const sql_token *next = cwi_sql_peek(p);
    if (next->kind == TK_NUMBER) {
      token = cwi_sql_take(p);
      number = cwi_sql_number_value(p, &token, false);
      if (number == NULL) return false;
      knn->ef = cwi_value_as_int(number->u.lit.value);
    } else {
      static const char *const known[] = {"CHEBYSHEV", "COSINE",    "EUCLIDEAN", "HAMMING",
                                          "JACCARD",   "MANHATTAN", "MINKOWSKI", "PEARSON"};
      for (size_t i = 0; i < CWI_ARRAY_LEN(known); i++) {
        if (next->kind == TK_IDENT && next->size == strlen(known[i]) &&
            strncasecmp(p->text + next->at, known[i], next->size) == 0) {
          knn->distance = cwi_sql_str_of(known[i]);
        }
      }
      if (knn->distance.size == 0) {
        return cwi_sql_fail(p, next->at, next->size,
                            "The NN operator accepts either a distance or an EF value (integer)",
                            "Unexpected token %s expected a distance of an integer",
                            cwi_sql_token_text(next));
      }
      cwi_sql_take(p);
      if (cwi_sql_str_is(knn->distance, "MINKOWSKI") && cwi_sql_is(p, TK_NUMBER)) {
        token = cwi_sql_take(p);
        number = cwi_sql_number_value(p, &token, false);
        if (number == NULL) return false;
        knn->order = cw_value_as_float(number->u.lit.value);
      }
    }
  }
  node->u.binary.knn = knn;
  return cwi_sql_close(p, TK_KNNEND, open);
}

/* Takes the operator's tokens; some have more to say than one token. */
static bool take_op(sql_parser *p, sql_expr *node) {
  sql_token token = cwi_sql_take(p);
  node->u.binary.ref = -1;
  if (token.kind == TK_IDENT && token.kw == KW_IS) {
    if (cwi_sql_eat_kw(p, KW_NOT)) node->op = SQL_OP_NE;
  } else if (token.kind == TK_IDENT && token.kw == KW_NOT) {
    cwi_sql_take(p);
  } else if (token.kind == TK_KNN) {
    return parse_knn(p, node, &token);
  } else if (token.kind == TK_AT) {
    while (!cwi_sql_is(p, TK_AT)) {
      if (cwi_sql_is(p, TK_NUMBER)) {
        sql_token number = cwi_sql_take(p);
        sql_expr *value = cwi_sql_number_value(p, &number, false);
        if (value == NULL) return false;
        node->u.binary.ref = cwi_value_as_int(value->u.lit.value);
      } else if (!cwi_sql_eat(p, TK_COMMA) && !cwi_sql_eat_kw(p, KW_AND) &&
                 !cwi_sql_eat_kw(p, KW_OR)) {
        return cwi_sql_unexpected(p, cwi_sql_peek(p), "@");
      }
    }
    cwi_sql_take(p);
  }
  return true;
}

/* ---- ranges ---- */

static bool is_range_token(sql_parser *p) {
  sql_tok kind = (sql_tok)cwi_sql_peek(p)->kind;
  return kind == TK_DOT2 || kind == TK_DOT2EQ || kind == TK_GTDOT2 || kind == TK_GTDOT2EQ;
}

static bool starts_operand(const sql_token *token) {
  switch ((sql_tok)token->kind) {
    case TK_IDENT:
    case TK_PARAM:
    case TK_STRING:
    case TK_NUMBER:
    case TK_DURATION:
    case TK_LPAREN:
    case TK_LBRACE:
    case TK_LBRACKET:
    case TK_MINUS:
    case TK_PLUS:
    case TK_BANG:
    case TK_LT: return !token->spaced;
    default: return false;
  }
}

static sql_expr *parse_range(sql_parser *p, sql_expr *from, size_t at) {
  sql_token op = cwi_sql_take(p);
  sql_expr *node = cwi_sql_node_new(p, SQL_RANGE, at);
  if (node == NULL) return NULL;
  node->u.range.from = from;
  node->u.range.from_excl = op.kind == TK_GTDOT2 || op.kind == TK_GTDOT2EQ;
  node->u.range.to_incl = op.kind == TK_DOT2EQ || op.kind == TK_GTDOT2EQ;
  if (starts_operand(cwi_sql_peek(p))) {
    node->u.range.to = parse_bp(p, BP_RANGE + 1);
    if (node->u.range.to == NULL) return NULL;
  } else if (node->u.range.to_incl) {
    cwi_sql_unexpected(p, cwi_sql_peek(p), "an expression");
    return NULL;
  }
  return node;
}

static sql_expr *parse_bp(sql_parser *p, int min) {
  if (!cwi_sql_enter(p)) return NULL;
  size_t at = cwi_sql_peek(p)->at;
  sql_expr *left = is_range_token(p) ? parse_range(p, NULL, at) : parse_prefix(p);
  while (left != NULL && !p->failed) {
    if (is_range_token(p)) {
      if (BP_RANGE < min) break;
      left = parse_range(p, left, at);
      continue;
    }
    if (cwi_sql_is(p, TK_QUESTION)) {
      cwi_sql_unexpected(p, cwi_sql_peek(p),
                         "`?"
                         "?`");
      return NULL;
    }
    int power;
    sql_op op = infix_op(p, &power);
    if (op == SQL_OP_NONE || power < min) break;
    size_t op_at = cwi_sql_peek(p)->at;
    sql_expr *node = cwi_sql_node_new(p, SQL_BINARY, at);
    if (node == NULL) return NULL;
    node->op = (uint16_t)op;
    if (!take_op(p, node)) return NULL;
    node->u.binary.left = left;
    node->u.binary.right = parse_bp(p, power + 1);
    if (node->u.binary.right == NULL) return NULL;
    if ((power == BP_EQUALITY || power == BP_RELATION) && left->kind == SQL_BINARY) {
      sql_op before = (sql_op)left->op;
      bool chained = power == BP_EQUALITY
                         ? before >= SQL_OP_EQ && before <= SQL_OP_ANYEQ
                         : (before >= SQL_OP_LT && before <= SQL_OP_GE) || before >= SQL_OP_CONTAIN;
      if (chained) {
        const sql_token *next = cwi_sql_peek(p); /* the mark takes in the token behind */
        cwi_sql_fail(p, op_at, next->at + next->size - op_at,
                     "Use parens, '()', to specify which operator must be evaluated first",
                     "Chained relational operators have no defined associativity.");
        return NULL;
      }
    }
    node->size = (uint32_t)(p->last.at + p->last.size - at);
    left = node;
  }
  cwi_sql_leave(p);
  return p->failed ? NULL : left;
}

sql_expr *cwi_sql_parse_expr(sql_parser *p) { return parse_bp(p, BP_BASE); }

/* ---- operands ---- */

static sql_expr *parse_unary(sql_parser *p, sql_op op) {
  sql_token token = cwi_sql_take(p);
  const sql_token *next = cwi_sql_peek(p);
  if (op == SQL_OP_NEG && next->kind == TK_NUMBER && !next->spaced) {
    sql_token number = cwi_sql_take(p);
    sql_expr *value = cwi_sql_number_value(p, &number, true);
    return value == NULL ? NULL : cwi_sql_parse_postfix(p, value);
  }
  sql_expr *node = cwi_sql_node_new(p, SQL_UNARY, token.at);
  if (node == NULL) return NULL;
  node->op = (uint16_t)op;
  node->u.binary.left = parse_bp(p, BP_UNARY);
  return node->u.binary.left == NULL ? NULL : node;
}

static sql_expr *parse_cast(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  sql_expr *node = cwi_sql_node_new(p, SQL_CAST, open.at);
  if (node == NULL) return NULL;
  node->u.cast.type = cwi_sql_parse_type(p);
  if (node->u.cast.type == NULL || !cwi_sql_close(p, TK_GT, &open)) return NULL;
  node->u.cast.expr = parse_bp(p, BP_RANGE);
  return node->u.cast.expr == NULL ? NULL : node;
}

static sql_expr *parse_array(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  sql_expr *node = cwi_sql_node_new(p, SQL_ARRAY, open.at);
  if (node == NULL) return NULL;
  while (!cwi_sql_is(p, TK_RBRACKET)) {
    if (!cwi_sql_push(p, &node->u.list, cwi_sql_parse_expr(p))) return NULL;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return cwi_sql_close(p, TK_RBRACKET, &open) ? node : NULL;
}

static bool is_number(const sql_expr *e) {
  return e->kind == SQL_LITERAL &&
         (e->u.lit.value.kind == CW_VALUE_INT || e->u.lit.value.kind == CW_VALUE_FLOAT ||
          e->u.lit.value.kind == CW_VALUE_BOX);
}

static sql_expr *parse_paren(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  sql_expr *inner = cwi_sql_parse_statement(p, NULL);
  if (inner == NULL) return NULL;
  sql_expr *node = cwi_sql_node_new(p, SQL_PAREN, open.at);
  if (node == NULL) return NULL;
  node->u.binary.left = inner;
  if (is_number(inner) && cwi_sql_eat(p, TK_COMMA)) {
    node->kind = SQL_POINT;
    node->u.binary.right = cwi_sql_parse_expr(p);
    if (node->u.binary.right == NULL) return NULL;
  }
  return cwi_sql_close(p, TK_RPAREN, &open) ? node : NULL;
}

static sql_expr *parse_closure_body(sql_parser *p, sql_expr *node) {
  if (cwi_sql_eat(p, TK_ARROW)) {
    node->u.closure.returns = cwi_sql_parse_type(p);
    if (node->u.closure.returns == NULL) return NULL;
    node->u.closure.body = cwi_sql_parse_block(p);
  } else {
    node->u.closure.body = cwi_sql_parse_statement(p, NULL);
  }
  if (node->u.closure.body == NULL) return NULL;
  node->size = (uint32_t)(p->last.at + p->last.size - node->at);
  return node;
}

static sql_expr *parse_mock(sql_parser *p, const sql_token *open) {
  sql_expr *node = cwi_sql_node_new(p, SQL_MOCK, open->at);
  if (node == NULL || !cwi_sql_ident(p, &node->u.mock.table) || !cwi_sql_expect(p, TK_COLON))
    return NULL;
  for (int i = 0; i < 2; i++) {
    if (!cwi_sql_is(p, TK_NUMBER)) {
      cwi_sql_unexpected(p, cwi_sql_peek(p), "a number");
      return NULL;
    }
    sql_token token = cwi_sql_take(p);
    sql_expr *number = cwi_sql_number_value(p, &token, false);
    if (number == NULL) return NULL;
    int64_t value = cwi_value_as_int(number->u.lit.value);
    if (i == 0)
      node->u.mock.from = value;
    else
      node->u.mock.to = value;
    if (i == 0 && cwi_sql_eat(p, TK_DOT2EQ)) {
      node->u.mock.range = true;
      node->u.mock.to = 1; /* added below */
    } else if (i == 0 && cwi_sql_eat(p, TK_DOT2)) {
      node->u.mock.range = true;
    } else {
      break;
    }
  }
  return cwi_sql_close(p, TK_PIPE, open) ? node : NULL;
}

static sql_expr *parse_pipe(sql_parser *p) {
  sql_token open = cwi_sql_take(p);
  if (open.kind == TK_PIPE && cwi_sql_is(p, TK_IDENT)) return parse_mock(p, &open);
  sql_expr *node = cwi_sql_node_new(p, SQL_CLOSURE, open.at);
  if (node == NULL) return NULL;
  if (open.kind == TK_OR) return parse_closure_body(p, node);
  while (!cwi_sql_is(p, TK_PIPE)) {
    sql_arg *arg = SQL_NEW(p, sql_arg);
    if (arg == NULL) return NULL;
    if (!cwi_sql_is(p, TK_PARAM)) {
      cwi_sql_unexpected(p, cwi_sql_peek(p), "a parameter");
      return NULL;
    }
    sql_token token = cwi_sql_take(p);
    if (!cwi_sql_ident_text(p, &token, &arg->name)) return NULL;
    if (cwi_sql_eat(p, TK_COLON)) {
      arg->type = cwi_sql_parse_type_one(p);
      if (arg->type == NULL) return NULL;
    }
    if (!cwi_sql_push(p, &node->u.closure.args, arg)) return NULL;
    if (!cwi_sql_eat(p, TK_COMMA)) break;
  }
  return cwi_sql_close(p, TK_PIPE, &open) ? parse_closure_body(p, node) : NULL;
}

static sql_expr *parse_graph_start(sql_parser *p) {
  sql_expr *node = cwi_sql_node_new(p, SQL_IDIOM, cwi_sql_peek(p)->at);
  return node;
}

static sql_expr *parse_prime(sql_parser *p) {
  const sql_token *peeked = cwi_sql_peek(p);
  sql_token token = *peeked;
  sql_expr *node = NULL;
  switch ((sql_tok)token.kind) {
    case TK_NUMBER: token = cwi_sql_take(p); return cwi_sql_number_value(p, &token, false);
    case TK_DURATION: {
      token = cwi_sql_take(p);
      uint64_t seconds;
      uint32_t nanos;
      if (!cwi_sql_duration_of(p->text + token.at, token.size, &seconds, &nanos)) {
        cwi_sql_fail(p, token.at, token.size, NULL,
                     "Invalid duration, value overflowed maximum allowed value");
        return NULL;
      }
      return cwi_sql_literal(p, token.at, cw_value_duration(seconds, nanos));
    }
    case TK_STRING: token = cwi_sql_take(p); return cwi_sql_string_value(p, &token);
    case TK_PARAM:
      token = cwi_sql_take(p);
      node = cwi_sql_node_new(p, SQL_PARAM, token.at);
      return node != NULL && cwi_sql_ident_text(p, &token, &node->u.name) ? node : NULL;
    case TK_IDENT: {
      bool statement = false;
      node = cwi_sql_try_statement(p, &statement);
      return statement ? node : cwi_sql_parse_ident_expr(p);
    }
    case TK_LBRACKET: return parse_array(p);
    case TK_LBRACE: return cwi_sql_parse_object_or_block(p);
    case TK_LPAREN: return parse_paren(p);
    case TK_PIPE:
    case TK_OR: return parse_pipe(p);
    case TK_SLASH: return cwi_sql_regex(p);
    case TK_ARROW:
    case TK_LARROW:
    case TK_BIARROW:
    case TK_REFARROW: return parse_graph_start(p);
    case TK_AT: {
      cwi_sql_take(p);
      cwi_sql_unexpected(p, cwi_sql_peek(p), "an identifier");
      return NULL;
    }
    default: cwi_sql_unexpected(p, peeked, "an expression"); return NULL;
  }
}

static sql_expr *parse_prefix(sql_parser *p) {
  switch ((sql_tok)cwi_sql_peek(p)->kind) {
    case TK_MINUS: return parse_unary(p, SQL_OP_NEG);
    case TK_PLUS: return parse_unary(p, SQL_OP_POS);
    case TK_BANG: return parse_unary(p, SQL_OP_NOT);
    case TK_LT: return parse_cast(p);
    default: break;
  }
  sql_expr *node = parse_prime(p);
  return node == NULL || p->failed ? NULL : cwi_sql_parse_postfix(p, node);
}
