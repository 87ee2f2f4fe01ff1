/* SPDX-License-Identifier: MIT */
/* Statements: blocks, branches, loops, declarations, assignments, import and export. */
#include <string.h>

#include "core/assert.h"
#include "script/script_parser_internal.h"

/* ---- blocks ---- */

static bool block_statements(parser *p, settings set, node *block) {
  for (node **tail = &block->list;;) {
    if (cwi_parser_match(p, CWI_TOKEN_RBRACE)) return true;
    if (cwi_parser_at(p, CWI_TOKEN_EOF)) {
      cwi_parser_missing(p, "}", "to terminate this block", cwi_parser_peek(p)->pos);
      return false;
    }
    set.global = false;
    node *stmt = cwi_parser_stmt(p, set);
    if (stmt == NULL) return false;
    if (stmt->kind == CWI_NODE_NOOP) continue;
    LIST_PUSH(tail, stmt);
    block->len++;
    bool terminated = cwi_parser_self_terminated(stmt);
    if (cwi_parser_match(p, CWI_TOKEN_RBRACE)) return true;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_SEMICOLON && !terminated) {
      cwi_parser_next(p);
    } else if (!terminated) {
      cwi_parser_missing_at(p, ";", "to terminate this statement", next);
      return false;
    }
  }
}

node *cwi_parser_block(parser *p, settings set) {
  const cwi_script_token brace = cwi_parser_next(p);
  if (brace.kind != CWI_TOKEN_LBRACE) {
    return cwi_parser_missing_at(p, "{", "to start a statement block", &brace);
  }
  if (!cwi_parser_level_up(p, &set)) return NULL;
  set.pos = brace.pos;
  node *block = cwi_parser_node(p, CWI_NODE_BLOCK, brace.pos);
  if (block == NULL) return NULL;
  if (set.no_statements) { /* an expression: its blocks hold one expression each */
    block->list = cwi_parser_expr(p, set);
    block->len = 1;
    if (block->list == NULL) return NULL;
    const cwi_script_token close = cwi_parser_next(p);
    if (close.kind == CWI_TOKEN_RBRACE) return block;
    return cwi_parser_missing_at(p, "{", "to start a statement block", &close);
  }
  size_t vars = p->var_len;
  size_t imports = p->import_len;
  size_t outer = p->scope->block_base;
  p->scope->block_base = vars;
  bool ok = cwi_parser_enter(p) && block_statements(p, set, block);
  cwi_parser_leave(p);
  cwi_parser_rewind(p, vars);
  p->scope->block_base = outer;
  p->import_len = imports;
  return ok ? block : NULL;
}

/* ---- branches and loops ---- */

static node *parse_condition(parser *p, settings set) {
  if (!cwi_parser_ensure_not_block(p)) return NULL;
  node *expr = cwi_parser_expr(p, set);
  if (expr == NULL || !cwi_parser_ensure_bool(p, expr)) return NULL;
  return cwi_parser_ensure_not_assignment(p) ? expr : NULL;
}

node *cwi_parser_if(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  node *branch = cwi_parser_node(p, CWI_NODE_IF, pos);
  if (branch == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = pos;
  branch->a = parse_condition(p, set);
  if (branch->a == NULL) return NULL;
  branch->b = cwi_parser_block(p, set);
  if (branch->b == NULL) return NULL;
  if (!cwi_parser_match(p, CWI_TOKEN_ELSE)) return branch;
  if (cwi_parser_at(p, CWI_TOKEN_IF)) {
    branch->c = cwi_parser_enter(p) ? cwi_parser_if(p, set) : NULL;
    cwi_parser_leave(p);
  } else {
    branch->c = cwi_parser_block(p, set);
  }
  return branch->c == NULL ? NULL : branch;
}

node *cwi_parser_while(parser *p, settings set) {
  if (!cwi_parser_level_up(p, &set)) return NULL;
  const cwi_script_token word = cwi_parser_next(p);
  node *loop = cwi_parser_node(p, CWI_NODE_WHILE, word.pos);
  if (loop == NULL) return NULL;
  if (word.kind == CWI_TOKEN_WHILE) {
    loop->a = parse_condition(p, set);
    if (loop->a == NULL) return NULL;
  }
  set.pos = word.pos;
  set.breakable = true;
  loop->b = cwi_parser_block(p, set);
  return loop->b == NULL ? NULL : loop;
}

node *cwi_parser_do(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  node *loop = cwi_parser_node(p, CWI_NODE_DO, pos);
  if (loop == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = pos;
  settings body = set;
  body.breakable = true;
  loop->b = cwi_parser_block(p, body);
  if (loop->b == NULL) return NULL;
  const cwi_script_token word = cwi_parser_next(p);
  if (word.kind == CWI_TOKEN_UNTIL) {
    loop->flags |= CWI_NODE_NEGATED;
  } else if (word.kind != CWI_TOKEN_WHILE) {
    return cwi_parser_missing(p, "while", "for the do statement", word.pos);
  }
  loop->a = parse_condition(p, set);
  return loop->a == NULL ? NULL : loop;
}

static bool ensure_iterable(parser *p, const node *expr) {
  const char *type = NULL;
  switch (expr->kind) {
    case CWI_NODE_UNIT: type = "()"; break;
    case CWI_NODE_BOOL: type = "a boolean"; break;
    case CWI_NODE_INT: type = "a number"; break;
    case CWI_NODE_FLOAT: type = "a floating-point number"; break;
    case CWI_NODE_CHAR: type = "a character"; break;
    case CWI_NODE_MAP: type = "an object map"; break;
    default: return true;
  }
  cwi_parser_fail(p, CWI_PARSE_MISMATCHED_TYPE, cwi_parser_start_pos(expr),
                  "Expecting an iterable value, not %s", type);
  return false;
}

/* `name` or `(name, counter)` */
static bool for_names(parser *p, cwi_script_sym *names[2], cwi_script_pos pos[2]) {
  bool two = cwi_parser_match(p, CWI_TOKEN_LPAREN);
  names[0] = cwi_parser_var_name(p, &pos[0]);
  if (names[0] == NULL || !two) return names[0] != NULL;
  if (!cwi_parser_match(p, CWI_TOKEN_COMMA)) {
    cwi_parser_missing(p, ",", "after the iteration variable name", cwi_parser_peek(p)->pos);
    return false;
  }
  names[1] = cwi_parser_var_name(p, &pos[1]);
  if (names[1] == NULL) return false;
  if (names[1] == names[0]) {
    cwi_parser_fail(p, CWI_PARSE_DUPLICATED_VARIABLE, pos[1], "Duplicated variable name: %s",
                    names[1]->text);
    return false;
  }
  if (cwi_parser_match(p, CWI_TOKEN_RPAREN)) return true;
  cwi_parser_missing(p, ")", "to close the iteration variable", cwi_parser_peek(p)->pos);
  return false;
}

node *cwi_parser_for(parser *p, settings set) {
  cwi_script_sym *names[2] = {NULL, NULL};
  cwi_script_pos pos[2] = {0, 0};
  node *loop = cwi_parser_node(p, CWI_NODE_FOR, cwi_parser_next(p).pos);
  if (loop == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = loop->pos;
  if (!for_names(p, names, pos)) return NULL;
  const cwi_script_token in = cwi_parser_next(p);
  if (in.kind != CWI_TOKEN_IN) {
    return cwi_parser_missing_at(p, "in", "after the iteration variable", &in);
  }
  if (!cwi_parser_ensure_not_block(p)) return NULL;
  loop->a = cwi_parser_expr(p, set);
  if (loop->a == NULL || !ensure_iterable(p, loop->a)) return NULL;
  size_t vars = p->var_len;
  if (names[1] != NULL) {
    loop->var2 = cwi_parser_declare(p, names[1], pos[1]);
    if (loop->var2 == NULL) return NULL;
  }
  loop->u.var = cwi_parser_declare(p, names[0], pos[0]);
  if (loop->u.var == NULL) return NULL;
  set.breakable = true;
  loop->b = cwi_parser_block(p, set);
  cwi_parser_rewind(p, vars);
  return loop->b == NULL ? NULL : loop;
}

static node *parse_try(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  node *attempt = cwi_parser_node(p, CWI_NODE_TRY, pos);
  if (attempt == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = pos;
  attempt->a = cwi_parser_block(p, set);
  if (attempt->a == NULL) return NULL;
  if (!cwi_parser_match(p, CWI_TOKEN_CATCH)) {
    return cwi_parser_missing(p, "catch", "for the 'try' statement", cwi_parser_peek(p)->pos);
  }
  size_t vars = p->var_len;
  if (cwi_parser_match(p, CWI_TOKEN_LPAREN)) {
    cwi_script_sym *sym = cwi_parser_var_name(p, &pos);
    if (sym == NULL) return NULL;
    if (!cwi_parser_match(p, CWI_TOKEN_RPAREN)) {
      return cwi_parser_missing(p, ")", "to enclose the catch variable", cwi_parser_peek(p)->pos);
    }
    attempt->u.var = cwi_parser_declare(p, sym, pos);
    if (attempt->u.var == NULL) return NULL;
  }
  attempt->b = cwi_parser_block(p, set);
  cwi_parser_rewind(p, vars);
  return attempt->b == NULL ? NULL : attempt;
}

/* ---- declarations ---- */

static node *parse_let(parser *p, settings set, bool is_export) {
  const cwi_script_token word = cwi_parser_next(p);
  cwi_script_pos pos = 0;
  node *let = cwi_parser_node(p, CWI_NODE_LET, word.pos);
  if (let == NULL) return NULL;
  set.pos = word.pos;
  cwi_script_sym *sym = cwi_parser_var_name(p, &pos);
  if (sym == NULL) return NULL;
  if (p->options->no_shadowing && cwi_parser_find_local(p, sym) != NULL) {
    return cwi_parser_fail(p, CWI_PARSE_VARIABLE_EXISTS, pos, "Variable already defined: %s",
                           sym->text);
  }
  if (cwi_parser_match(p, CWI_TOKEN_ASSIGN)) {
    if (!cwi_parser_level_up(p, &set)) return NULL;
    let->a = cwi_parser_expr(p, set);
    if (let->a == NULL) return NULL;
  }
  cwi_script_var *same = NULL;
  for (size_t i = p->var_len; i > p->scope->block_base && same == NULL; i--) {
    if (p->vars[i - 1]->sym == sym) same = p->vars[i - 1];
  }
  let->u.var = cwi_parser_declare(p, sym, pos);
  if (let->u.var == NULL) return NULL;
  let->u.var->is_const = word.kind == CWI_TOKEN_CONST;
  let->u.var->same = same;
  let->sym = sym;
  let->pos2 = pos;
  if (is_export) let->flags |= CWI_NODE_EXPORTED;
  return let;
}

static node *parse_import(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  node *import = cwi_parser_node(p, CWI_NODE_IMPORT, pos);
  if (import == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = pos;
  import->a = cwi_parser_expr(p, set);
  if (import->a == NULL) return NULL;
  if (!cwi_parser_match(p, CWI_TOKEN_AS)) return import;
  import->sym = cwi_parser_var_name(p, &import->pos2);
  if (import->sym == NULL) return NULL;
  return cwi_parser_import_push(p, import->sym) ? import : NULL;
}

static node *parse_export(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  set.pos = pos;
  if (cwi_parser_at(p, CWI_TOKEN_LET) || cwi_parser_at(p, CWI_TOKEN_CONST)) {
    return cwi_parser_level_up(p, &set) ? parse_let(p, set, true) : NULL;
  }
  node *export = cwi_parser_node(p, CWI_NODE_EXPORT, pos);
  if (export == NULL) return NULL;
  cwi_script_pos ignored = 0;
  export->sym = cwi_parser_var_name(p, &export->pos2);
  if (export->sym == NULL) return NULL;
  export->var2 = cwi_parser_find_local(p, export->sym);
  if (cwi_parser_match(p, CWI_TOKEN_AS)) {
    export->u.sym2 = cwi_parser_var_name(p, &ignored);
    if (export->u.sym2 == NULL) return NULL;
  }
  return export;
}

/* ---- assignment ---- */

/* Finds what makes `lhs`, a chain of dots and indexes, no target; else sets `root` to its start. */
static const node *chain_not_target(const node *lhs, const node **root) {
  const node *wrong = NULL;
  while (lhs->kind == CWI_NODE_PROP || lhs->kind == CWI_NODE_INDEX ||
         lhs->kind == CWI_NODE_METHOD) {
    if (lhs->kind == CWI_NODE_METHOD) wrong = lhs;
    lhs = lhs->a;
  }
  *root = lhs;
  return wrong;
}

static node *fail_target(parser *p, cwi_script_pos pos) {
  return cwi_parser_fail(p, CWI_PARSE_ASSIGNMENT_TO_INVALID_LHS, pos,
                         "Expression cannot be assigned to");
}

static bool check_target(parser *p, const node *lhs, const cwi_script_token *op) {
  const node *root = lhs;
  switch (lhs->kind) {
    case CWI_NODE_THIS: return true;
    case CWI_NODE_VAR:
      if (lhs->u.var == NULL || !lhs->u.var->is_const) return true;
      cwi_parser_fail(p, CWI_PARSE_ASSIGNMENT_TO_CONSTANT, lhs->pos, "Cannot assign to constant %s",
                      lhs->sym->text);
      return false;
    case CWI_NODE_PROP:
    case CWI_NODE_INDEX:
    case CWI_NODE_METHOD: {
      const node *wrong = chain_not_target(lhs, &root);
      if (wrong != NULL) return fail_target(p, wrong->pos2) != NULL;
      if (root->kind == CWI_NODE_VAR || root->kind == CWI_NODE_THIS) return true;
      return fail_target(p, root->pos) != NULL;
    }
    default: break;
  }
  if (cwi_parser_is_constant(lhs)) {
    cwi_parser_fail(p, CWI_PARSE_ASSIGNMENT_TO_CONSTANT, cwi_parser_start_pos(lhs),
                    "Cannot assign to a constant value");
    return false;
  }
  bool logic =
      lhs->kind == CWI_NODE_AND || lhs->kind == CWI_NODE_OR || lhs->kind == CWI_NODE_COALESCE;
  if (logic && op->kind == CWI_TOKEN_ASSIGN) {
    cwi_parser_fail_improper(p, op->pos, "Possibly a typo of '=='?");
    return false;
  }
  return fail_target(p, lhs->pos) != NULL;
}

static node *parse_expr_stmt(parser *p, settings set) {
  set.pos = cwi_parser_peek(p)->pos;
  node *expr = cwi_parser_expr(p, set);
  if (expr == NULL) return NULL;
  const cwi_script_token op = *cwi_parser_peek(p);
  bool op_assign = op.kind >= CWI_TOKEN_PLUS_ASSIGN && op.kind <= CWI_TOKEN_CARET_ASSIGN;
  if (op.kind != CWI_TOKEN_ASSIGN && !op_assign) return expr;
  cwi_parser_next(p);
  set.pos = op.pos;
  node *rhs = cwi_parser_expr(p, set);
  if (rhs == NULL || !check_target(p, expr, &op)) return NULL;
  node *assign = cwi_parser_node(p, CWI_NODE_ASSIGN, expr->pos);
  if (assign == NULL) return NULL;
  assign->op = op.kind;
  assign->pos2 = op.pos;
  assign->a = expr;
  assign->b = rhs;
  return assign;
}

/* ---- one statement ---- */

/* break, return, throw: the value may be missing. */
static node *parse_leave(parser *p, settings set, cwi_script_node_kind kind) {
  node *leave = cwi_parser_node(p, kind, cwi_parser_next(p).pos);
  cwi_script_pos before = cwi_parser_peek(p)->pos;
  if (leave == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  leave->a = cwi_parser_expr(p, set);
  if (leave->a != NULL) return leave;
  cwi_script_parse_error *error = &p->tree->error;
  if (error->kind == CWI_PARSE_NOMEM || !p->peeked || p->token.pos != before) return NULL;
  error->kind = CWI_PARSE_NONE; /* what follows was no expression at all */
  error->lex = CWI_LEX_NONE;
  cwi_buf_clear(&error->message);
  return leave;
}

static node *parse_loop_leave(parser *p, settings set, cwi_script_pos pos) {
  if (!set.breakable) {
    return cwi_parser_fail(p, CWI_PARSE_LOOP_BREAK, pos,
                           "Break statement should only be used inside a loop");
  }
  if (cwi_parser_at(p, CWI_TOKEN_BREAK)) return parse_leave(p, set, CWI_NODE_BREAK);
  cwi_parser_next(p);
  return cwi_parser_node(p, CWI_NODE_CONTINUE, pos);
}

static node *stmt_inner(parser *p, settings set, cwi_script_token_kind kind) {
  switch (kind) {
    case CWI_TOKEN_LBRACE: return cwi_parser_block(p, set);
    case CWI_TOKEN_IF: return cwi_parser_if(p, set);
    case CWI_TOKEN_SWITCH: return cwi_parser_switch(p, set);
    case CWI_TOKEN_WHILE:
    case CWI_TOKEN_LOOP: return cwi_parser_while(p, set);
    case CWI_TOKEN_DO: return cwi_parser_do(p, set);
    case CWI_TOKEN_FOR: return cwi_parser_for(p, set);
    case CWI_TOKEN_TRY: return parse_try(p, set);
    case CWI_TOKEN_LET:
    case CWI_TOKEN_CONST: return parse_let(p, set, false);
    case CWI_TOKEN_IMPORT: return parse_import(p, set);
    case CWI_TOKEN_EXPORT: return parse_export(p, set);
    default: return parse_expr_stmt(p, set);
  }
}

node *cwi_parser_stmt(parser *p, settings set) {
  const cwi_script_token token = *cwi_parser_peek(p);
  const bool looping = !p->options->no_looping;
  set.pos = token.pos;
  switch (token.kind) {
    case CWI_TOKEN_EOF: return cwi_parser_node(p, CWI_NODE_NOOP, token.pos);
    case CWI_TOKEN_SEMICOLON:
      cwi_parser_next(p);
      return cwi_parser_node(p, CWI_NODE_NOOP, token.pos);
    case CWI_TOKEN_FN:
    case CWI_TOKEN_PRIVATE: return cwi_parser_function(p, set);
    case CWI_TOKEN_BREAK:
    case CWI_TOKEN_CONTINUE:
      if (looping) return parse_loop_leave(p, set, token.pos);
      break;
    case CWI_TOKEN_RETURN: return parse_leave(p, set, CWI_NODE_RETURN);
    case CWI_TOKEN_THROW: return parse_leave(p, set, CWI_NODE_THROW);
    case CWI_TOKEN_EXPORT:
      if (!set.global) {
        return cwi_parser_fail(p, CWI_PARSE_WRONG_EXPORT, token.pos,
                               "Export statement can only appear at global level");
      }
      return parse_export(p, set);
    default: break;
  }
  if (!cwi_parser_level_up(p, &set)) return NULL;
  cwi_script_token_kind kind = (cwi_script_token_kind)token.kind;
  bool loop = kind == CWI_TOKEN_WHILE || kind == CWI_TOKEN_LOOP || kind == CWI_TOKEN_DO ||
              kind == CWI_TOKEN_FOR;
  if (loop && !looping) return parse_expr_stmt(p, set);
  return stmt_inner(p, set, kind);
}
