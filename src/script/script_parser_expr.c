/* SPDX-License-Identifier: MIT */
/* Expressions: operators by precedence, signs, assignment targets. */
#include <string.h>

#include "core/assert.h"
#include "script/script_parser_internal.h"

bool cwi_parser_ensure_bool(parser *p, const node *expr) {
  const char *type = NULL;
  switch (expr->kind) {
    case CWI_NODE_UNIT: type = "()"; break;
    case CWI_NODE_INT: type = "a number"; break;
    case CWI_NODE_FLOAT: type = "a floating-point number"; break;
    case CWI_NODE_CHAR: type = "a character"; break;
    case CWI_NODE_STRING:
    case CWI_NODE_INTERP: type = "a string"; break;
    case CWI_NODE_ARRAY: type = "an array"; break;
    case CWI_NODE_MAP: type = "an object map"; break;
    case CWI_NODE_CLOSURE:
      if (expr->u.def->external_len == 0) type = "Fn";
      break;
    default: break;
  }
  if (type == NULL) return true;
  cwi_parser_fail(p, CWI_PARSE_MISMATCHED_TYPE, cwi_parser_start_pos(expr),
                  "Expecting a boolean expression, not %s", type);
  return false;
}

bool cwi_parser_ensure_not_block(parser *p) {
  const cwi_script_token *token = cwi_parser_peek(p);
  if (token->kind != CWI_TOKEN_LBRACE) return true;
  cwi_parser_fail(p, CWI_PARSE_EXPR_EXPECTED, token->pos, "Expecting a boolean expression");
  return false;
}

bool cwi_parser_ensure_not_assignment(parser *p) {
  const cwi_script_token *token = cwi_parser_peek(p);
  if (token->kind != CWI_TOKEN_ASSIGN) return true;
  cwi_parser_fail_improper(p, token->pos, "Possibly a typo of '=='?");
  return false;
}

/* ---- signs ---- */

static node *negate(parser *p, node *expr, cwi_script_pos pos) {
  if (expr->kind == CWI_NODE_INT) {
    expr->pos = pos;
    if (expr->u.i == INT64_MIN) {
      expr->kind = CWI_NODE_FLOAT;
      expr->u.f = 9223372036854775808.0;
    } else {
      expr->u.i = -expr->u.i;
    }
    return expr;
  }
  if (expr->kind == CWI_NODE_FLOAT) {
    expr->pos = pos;
    expr->u.f = -expr->u.f;
    return expr;
  }
  node *call = cwi_parser_node(p, CWI_NODE_UNARY, pos);
  if (call == NULL) return NULL;
  call->op = CWI_TOKEN_MINUS;
  call->a = expr;
  return call;
}

static node *unary_inner(parser *p, settings set) {
  const cwi_script_token token = *cwi_parser_peek(p);
  if (token.kind == CWI_TOKEN_PIPE && p->no_pipe) return cwi_parser_fail_unexpected(p, &token);
  set.pos = token.pos;
  switch (token.kind) {
    case CWI_TOKEN_MINUS:
    case CWI_TOKEN_UNARY_MINUS:
    case CWI_TOKEN_PLUS:
    case CWI_TOKEN_UNARY_PLUS:
    case CWI_TOKEN_BANG: break;
    case CWI_TOKEN_EOF:
      return cwi_parser_fail(p, CWI_PARSE_UNEXPECTED_EOF, set.pos, "Script is incomplete");
    default: return cwi_parser_primary(p, set);
  }
  cwi_parser_next(p);
  if (!cwi_parser_level_up(p, &set)) return NULL;
  node *expr = cwi_parser_unary(p, set);
  if (expr == NULL) return NULL;
  if (token.kind == CWI_TOKEN_MINUS || token.kind == CWI_TOKEN_UNARY_MINUS) {
    return negate(p, expr, token.pos);
  }
  bool plus = token.kind != CWI_TOKEN_BANG;
  if (plus && (expr->kind == CWI_NODE_INT || expr->kind == CWI_NODE_FLOAT)) return expr;
  node *call = cwi_parser_node(p, CWI_NODE_UNARY, token.pos);
  if (call == NULL) return NULL;
  call->op = plus ? CWI_TOKEN_PLUS : CWI_TOKEN_BANG;
  call->a = expr;
  return call;
}

node *cwi_parser_unary(parser *p, settings set) {
  node *expr = cwi_parser_enter(p) ? unary_inner(p, set) : NULL;
  cwi_parser_leave(p);
  return expr;
}

/* ---- operators between two operands ---- */

/* The precedence of the token ahead as an operator; -1 with an error where it is a wrong one. */
static int precedence_ahead(parser *p) {
  const cwi_script_token *token = cwi_parser_peek(p);
  if (token->kind == CWI_TOKEN_RESERVED &&
      !cwi_script_is_identifier(token->u.sym->text, token->u.sym->size)) {
    cwi_parser_fail(p, CWI_PARSE_UNKNOWN_OPERATOR, token->pos, "Unknown operator: '%s'",
                    token->u.sym->text);
    return -1;
  }
  return cwi_script_tokens[token->kind].precedence;
}

static bool ends_range(cwi_script_token_kind kind) {
  return kind == CWI_TOKEN_RBRACKET || kind == CWI_TOKEN_RPAREN || kind == CWI_TOKEN_RBRACE ||
         kind == CWI_TOKEN_COMMA || kind == CWI_TOKEN_SEMICOLON || kind == CWI_TOKEN_ARROW;
}

static node *parse_rhs(parser *p, settings set, cwi_script_token_kind op) {
  const cwi_script_token *next = cwi_parser_peek(p);
  if (op == CWI_TOKEN_COALESCE &&
      (next->kind == CWI_TOKEN_BREAK || next->kind == CWI_TOKEN_CONTINUE ||
       next->kind == CWI_TOKEN_RETURN || next->kind == CWI_TOKEN_THROW)) {
    return cwi_parser_stmt(p, set);
  }
  if ((op == CWI_TOKEN_RANGE || op == CWI_TOKEN_RANGE_INCL) &&
      ends_range((cwi_script_token_kind)next->kind)) {
    return cwi_parser_node(p, CWI_NODE_UNIT, next->pos);
  }
  return cwi_parser_unary(p, set);
}

static node *make_binary(parser *p, const cwi_script_token *op, node *lhs, node *rhs) {
  cwi_script_node_kind kind = op->kind == CWI_TOKEN_AND        ? CWI_NODE_AND
                              : op->kind == CWI_TOKEN_OR       ? CWI_NODE_OR
                              : op->kind == CWI_TOKEN_COALESCE ? CWI_NODE_COALESCE
                                                               : CWI_NODE_BINARY;
  if (kind == CWI_NODE_AND || kind == CWI_NODE_OR) {
    if (!cwi_parser_ensure_bool(p, lhs) || !cwi_parser_ensure_bool(p, rhs)) return NULL;
  }
  node *expr = cwi_parser_node(p, kind, op->pos);
  if (expr == NULL) return NULL;
  expr->op = op->kind;
  expr->a = lhs;
  expr->b = rhs;
  return expr;
}

static node *binary_inner(parser *p, settings set, int parent, node *root) {
  set.pos = root->pos;
  for (;;) {
    if (p->no_pipe && cwi_parser_at(p, CWI_TOKEN_PIPE)) return root;
    int precedence = precedence_ahead(p);
    if (precedence < 0) return NULL;
    const bool right = cwi_parser_at(p, CWI_TOKEN_POWER);
    if (precedence < parent || (precedence == parent && !right)) return root;
    const cwi_script_token op = cwi_parser_next(p);
    node *rhs = parse_rhs(p, set, (cwi_script_token_kind)op.kind);
    if (rhs == NULL) return NULL;
    int next = precedence_ahead(p);
    if (next < 0) return NULL;
    if ((precedence == next && right) || precedence < next) {
      settings inner = set;
      if (!cwi_parser_level_up(p, &inner)) return NULL;
      if (!cwi_parser_enter(p)) return NULL;
      rhs = binary_inner(p, inner, precedence, rhs);
      cwi_parser_leave(p);
      if (rhs == NULL) return NULL;
    }
    if (!cwi_parser_level_up(p, &set)) return NULL;
    set.pos = op.pos;
    root = make_binary(p, &op, root, rhs);
    if (root == NULL) return NULL;
  }
}

node *cwi_parser_expr(parser *p, settings set) {
  set.pos = cwi_parser_peek(p)->pos;
  if (!cwi_parser_level_up(p, &set)) return NULL;
  node *lhs = cwi_parser_unary(p, set);
  if (lhs == NULL) return NULL;
  return binary_inner(p, set, 1, lhs);
}
