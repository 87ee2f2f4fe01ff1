/* SPDX-License-Identifier: MIT */
/* Functions, closures, and switch. */
#include <string.h>

#include "core/assert.h"
#include "script/script_parser_internal.h"

/* ---- parameters ---- */

static bool add_param(parser *p, cwi_script_def *def, cwi_script_sym *sym, cwi_script_pos pos) {
  for (uint32_t i = 0; i < def->param_len; i++) {
    if (def->params[i]->sym == sym) {
      cwi_parser_fail(p, CWI_PARSE_FN_DUPLICATED_PARAM, pos,
                      "Duplicated parameter %s for function %s", sym->text,
                      def->name == NULL ? "" : def->name->text);
      return false;
    }
  }
  if ((def->param_len & (def->param_len - 1)) == 0) { /* 0 and the powers of two: grow */
    size_t cap = def->param_len == 0 ? 1 : (size_t)def->param_len * 2;
    cwi_script_var **params = cwi_arena_alloc_array(&p->tree->arena, cap, sizeof(cwi_script_var *));
    if (params == NULL) {
      cwi_parser_nomem(p);
      return false;
    }
    if (def->param_len != 0) memcpy(params, def->params, def->param_len * sizeof(*params));
    def->params = params;
  }
  cwi_script_var *var = cwi_parser_declare(p, sym, pos);
  if (var == NULL) return false;
  def->params[def->param_len++] = var;
  return true;
}

static bool is_keyword(uint8_t kind) {
  return kind >= CWI_TOKEN_IN && kind < CWI_TOKEN_COUNT && kind != CWI_TOKEN_SWITCH;
}

/* Parameters up to `close`; the opening one is read, and the list is not empty. */
static bool parse_params(parser *p, cwi_script_def *def, cwi_script_token_kind close,
                         const char *close_what, const char *comma_what) {
  const char *close_text = cwi_script_tokens[close].text;
  for (;;) {
    const cwi_script_token token = cwi_parser_next(p);
    if (token.kind == close) return true;
    if (token.kind == CWI_TOKEN_IDENT) {
      if (!add_param(p, def, token.u.sym, token.pos)) return false;
    } else if (token.kind == CWI_TOKEN_RESERVED) {
      cwi_parser_fail(
          p, CWI_PARSE_RESERVED, token.pos, "'%s' is a reserved %s", token.u.sym->text,
          cwi_script_is_identifier(token.u.sym->text, token.u.sym->size) ? "keyword" : "symbol");
      return false;
    } else if (is_keyword(token.kind)) {
      cwi_parser_fail(p, CWI_PARSE_VARIABLE_EXPECTED, token.pos, "Expecting name of a variable");
      return false;
    } else {
      cwi_parser_missing_at(p, close_text, close_what, &token);
      return false;
    }
    const cwi_script_token next = cwi_parser_next(p);
    if (next.kind == close) return true;
    if (next.kind != CWI_TOKEN_COMMA) {
      cwi_parser_missing_at(p, ",", comma_what, &next);
      return false;
    }
  }
}

/* ---- scopes ---- */

static cwi_script_def *new_def(parser *p, cwi_script_pos pos) {
  cwi_script_def *def = CWI_ARENA_NEW(&p->tree->arena, cwi_script_def);
  if (def == NULL) {
    cwi_parser_nomem(p);
    return NULL;
  }
  def->pos = pos;
  return def;
}

static void enter_scope(parser *p, scope *inner, cwi_script_def *def) {
  *inner = (scope){.outer = p->scope,
                   .def = def,
                   .var_base = p->var_len,
                   .block_base = p->var_len,
                   .is_closure = def->is_closure};
  p->scope = inner;
}

static void leave_scope(parser *p, const scope *inner) {
  cwi_parser_rewind(p, inner->var_base);
  p->scope = inner->outer;
}

static void add_def(parser *p, cwi_script_def *def) {
  cwi_script_tree *tree = p->tree;
  if (p->last_def == NULL) {
    tree->defs = def;
  } else {
    p->last_def->next = def;
  }
  p->last_def = def;
  def->index = tree->def_len++;
  if (def->name == NULL) return;
  def->same_name = def->name->defs;
  def->name->defs = def;
}

static bool too_many_functions(parser *p, cwi_script_pos pos) {
  if (p->tree->def_len < p->options->functions_max) return false;
  cwi_parser_fail(p, CWI_PARSE_TOO_MANY_FUNCTIONS, pos,
                  "Number of functions defined exceeds maximum limit");
  return true;
}

/* ---- fn ---- */

/* The name, with `type.` in front where there is one. */
static bool fn_name(parser *p, cwi_script_def *def) {
  cwi_script_token token = cwi_parser_next(p);
  bool dot = cwi_parser_at(p, CWI_TOKEN_DOT);
  if (token.kind == CWI_TOKEN_STRING && !dot) {
    cwi_parser_missing(p, ".", "after the type name for 'this'", cwi_parser_peek(p)->pos);
    return false;
  }
  if (dot && (token.kind == CWI_TOKEN_STRING || token.kind == CWI_TOKEN_IDENT)) {
    def->this_type = token.kind == CWI_TOKEN_IDENT
                         ? token.u.sym
                         : cwi_script_sym_intern(&p->tree->syms, token.u.s.text, token.u.s.size);
    if (def->this_type == NULL) {
      cwi_parser_nomem(p);
      return false;
    }
    cwi_parser_next(p);
    token = cwi_parser_next(p);
  }
  if (token.kind == CWI_TOKEN_RESERVED) {
    cwi_parser_fail(
        p, CWI_PARSE_RESERVED, token.pos, "'%s' is a reserved %s", token.u.sym->text,
        cwi_script_is_identifier(token.u.sym->text, token.u.sym->size) ? "keyword" : "symbol");
    return false;
  }
  if (token.kind != CWI_TOKEN_IDENT) {
    cwi_parser_fail(p, CWI_PARSE_FN_MISSING_NAME, token.pos,
                    "Expecting function name in function declaration");
    return false;
  }
  def->name = token.u.sym;
  return true;
}

static bool fn_params(parser *p, cwi_script_def *def) {
  if (cwi_parser_match(p, CWI_TOKEN_UNIT)) return true;
  if (!cwi_parser_match(p, CWI_TOKEN_LPAREN)) {
    cwi_parser_fail(p, CWI_PARSE_FN_MISSING_PARAMS, cwi_parser_peek(p)->pos,
                    "Expecting parameters for function %s", def->name->text);
    return false;
  }
  if (cwi_parser_match(p, CWI_TOKEN_RPAREN)) return true;
  cwi_buf close = {0};
  cwi_buf comma = {0};
  cwi_buf_append_format(&close, "to close the parameters list of function '%s'", def->name->text);
  cwi_buf_append_format(&comma, "to separate the parameters of function '%s'", def->name->text);
  const char *close_what = cwi_buf_cstr(&close);
  const char *comma_what = cwi_buf_cstr(&comma);
  bool ok = close_what != NULL && comma_what != NULL;
  if (!ok) cwi_parser_nomem(p);
  ok = ok && parse_params(p, def, CWI_TOKEN_RPAREN, close_what, comma_what);
  cwi_buf_deinit(&close);
  cwi_buf_deinit(&comma);
  return ok;
}

static bool is_duplicate(const cwi_script_def *def) {
  for (const cwi_script_def *other = def->name->defs; other != NULL; other = other->same_name) {
    if (other->param_len == def->param_len && other->this_type == def->this_type) return true;
  }
  return false;
}

static bool fn_rest(parser *p, settings set, cwi_script_def *def) {
  if (!cwi_parser_level_up(p, &set) || !fn_name(p, def) || !fn_params(p, def)) return false;
  if (!cwi_parser_at(p, CWI_TOKEN_LBRACE)) {
    cwi_parser_fail(p, CWI_PARSE_FN_MISSING_BODY, cwi_parser_peek(p)->pos,
                    "Expecting body statement block for function %s", def->name->text);
    return false;
  }
  def->body = cwi_parser_block(p, set);
  return def->body != NULL;
}

node *cwi_parser_function(parser *p, settings set) {
  const cwi_script_token first = cwi_parser_next(p);
  cwi_script_token word = first;
  if (first.kind == CWI_TOKEN_PRIVATE) {
    word = cwi_parser_next(p);
    if (word.kind != CWI_TOKEN_FN) {
      return cwi_parser_missing(p, "fn", "following 'private'", word.pos);
    }
  }
  if (!set.global) {
    return cwi_parser_fail(p, CWI_PARSE_WRONG_FN_DEFINITION, first.pos,
                           "Function definitions must be at global level and cannot be inside a "
                           "block or another function");
  }
  if (too_many_functions(p, word.pos)) return NULL;
  cwi_script_def *def = new_def(p, word.pos);
  if (def == NULL) return NULL;
  def->is_private = first.kind == CWI_TOKEN_PRIVATE;
  settings inner = {.level_max = p->options->fn_expr_depth_max,
                    .pos = word.pos,
                    .in_fn = true,
                    .json = set.json,
                    .strict = set.strict,
                    .no_stmt_expr = p->options->no_stmt_expr,
                    .no_loop_expr = p->options->no_loop_expr};
  scope fn_scope;
  enter_scope(p, &fn_scope, def);
  bool ok = fn_rest(p, inner, def);
  leave_scope(p, &fn_scope);
  if (!ok) return NULL;
  if (is_duplicate(def)) {
    char count[16] = "no";
    if (def->param_len != 0) {
      cwi_buf text = {0};
      cwi_buf_append_format(&text, "%u", def->param_len);
      if (cwi_buf_cstr(&text) != NULL) memcpy(count, text.data, text.size + 1);
      cwi_buf_deinit(&text);
    }
    return cwi_parser_fail(p, CWI_PARSE_FN_DUPLICATED_DEFINITION, word.pos,
                           "Function %s with %s parameter%s already exists", def->name->text, count,
                           def->param_len == 1 ? "" : "s");
  }
  add_def(p, def);
  return cwi_parser_node(p, CWI_NODE_NOOP, word.pos);
}

/* ---- closures ---- */

/* Binds what the closure takes from around it, as seen from there. */
static bool bind_externals(parser *p, const settings *set, cwi_script_def *def) {
  for (cwi_script_external *e = def->externals; e != NULL; e = e->next) {
    node *outer = cwi_parser_node(p, CWI_NODE_VAR, e->inner->pos);
    if (outer == NULL) return false;
    outer->sym = e->inner->sym;
    bool found = false;
    if (!cwi_parser_resolve(p, outer, &found)) return false;
    const cwi_script_parse_options *options = p->options;
    if (!found && !p->scope->is_closure && set->strict &&
        (options->has_variable == NULL ||
         !options->has_variable(outer->sym->text, outer->sym->size, options->context))) {
      cwi_parser_fail(p, CWI_PARSE_VARIABLE_UNDEFINED, outer->pos, "Undefined variable: %s",
                      outer->sym->text);
      return false;
    }
    if (outer->u.var != NULL) outer->u.var->captured = true;
    e->outer = outer;
  }
  return true;
}

node *cwi_parser_closure(parser *p, settings set) {
  if (too_many_functions(p, set.pos)) return NULL;
  cwi_script_def *def = new_def(p, set.pos);
  node *closure = cwi_parser_node(p, CWI_NODE_CLOSURE, set.pos);
  if (def == NULL || closure == NULL) return NULL;
  def->is_closure = true;
  closure->u.def = def;
  bool no_params = cwi_parser_next(p).kind == CWI_TOKEN_OR;
  scope closure_scope;
  enter_scope(p, &closure_scope, def);
  settings inner = set;
  inner.in_fn = true;
  inner.strict = false;
  inner.global = false;
  inner.breakable = false;
  inner.no_stmt_expr = p->options->no_stmt_expr;
  inner.no_loop_expr = p->options->no_loop_expr;
  bool ok = no_params || cwi_parser_match(p, CWI_TOKEN_PIPE) ||
            parse_params(p, def, CWI_TOKEN_PIPE,
                         "to close the parameters list of anonymous function or closure",
                         "to separate the parameters of anonymous function");
  ok = ok && cwi_parser_level_up(p, &inner);
  if (ok) {
    bool enter = cwi_parser_enter(p);
    def->body = enter ? cwi_parser_stmt(p, inner) : NULL;
    cwi_parser_leave(p);
  }
  leave_scope(p, &closure_scope);
  if (!ok || def->body == NULL || !bind_externals(p, &set, def)) return NULL;
  add_def(p, def);
  return closure;
}

/* ---- switch ---- */

static bool is_range_literal(const node *expr) {
  return expr->kind == CWI_NODE_BINARY &&
         (expr->op == CWI_TOKEN_RANGE || expr->op == CWI_TOKEN_RANGE_INCL) &&
         expr->a->kind == CWI_NODE_INT &&
         (expr->b->kind == CWI_NODE_INT || expr->b->kind == CWI_NODE_UNIT);
}

static bool range_is_empty(const node *range) {
  if (range->b->kind == CWI_NODE_UNIT) return false;
  return range->op == CWI_TOKEN_RANGE ? range->a->u.i >= range->b->u.i
                                      : range->a->u.i > range->b->u.i;
}

/* literal | literal ... if guard */
static bool case_head(parser *p, settings set, node *one) {
  for (node **tail = &one->list;;) {
    bool outer = p->no_pipe;
    p->no_pipe = true;
    node *literal = cwi_parser_expr(p, set);
    p->no_pipe = outer;
    if (literal == NULL) {
      cwi_script_parse_error *error = &p->tree->error;
      if (error->kind == CWI_PARSE_NOMEM) return false;
      cwi_script_pos pos = error->pos;
      error->kind = CWI_PARSE_NONE;
      error->lex = CWI_LEX_NONE;
      cwi_buf_clear(&error->message);
      cwi_parser_fail(p, CWI_PARSE_EXPR_EXPECTED, pos, "Expecting literal expression");
      return false;
    }
    LIST_PUSH(tail, literal);
    one->len++;
    if (!cwi_parser_match(p, CWI_TOKEN_PIPE)) break;
  }
  if (!cwi_parser_match(p, CWI_TOKEN_IF)) return true;
  if (!cwi_parser_ensure_not_block(p)) return false;
  one->b = cwi_parser_expr(p, set);
  return one->b != NULL && cwi_parser_ensure_bool(p, one->b) && cwi_parser_ensure_not_assignment(p);
}

/* The literals of a case must be constants, and numbers may not follow ranges. */
static bool check_literals(parser *p, const node *one, bool *ranges) {
  for (const node *literal = one->list; literal != NULL; literal = literal->next) {
    if (is_range_literal(literal)) {
      if (!range_is_empty(literal)) *ranges = true;
      continue;
    }
    if (!cwi_parser_is_constant(literal)) {
      cwi_parser_fail(p, CWI_PARSE_EXPR_EXPECTED, cwi_parser_start_pos(literal),
                      "Expecting a literal expression");
      return false;
    }
    if (*ranges && (literal->kind == CWI_NODE_INT || literal->kind == CWI_NODE_FLOAT)) {
      cwi_parser_fail(p, CWI_PARSE_WRONG_SWITCH_INTEGER_CASE, cwi_parser_start_pos(literal),
                      "Numeric switch case cannot follow a range case");
      return false;
    }
  }
  return true;
}

static bool case_default(parser *p, cwi_script_pos *default_pos) {
  *default_pos = cwi_parser_next(p).pos;
  const cwi_script_token *next = cwi_parser_peek(p);
  if (next->kind != CWI_TOKEN_IF) return true;
  cwi_parser_fail(p, CWI_PARSE_WRONG_SWITCH_CASE_CONDITION, next->pos,
                  "This switch case cannot have a condition");
  return false;
}

/* One case with its action; `more` tells whether a comma is due. */
static bool parse_case(parser *p, settings set, node *one, cwi_script_pos *default_pos,
                       bool *need_comma) {
  if (*default_pos != 0) {
    cwi_parser_fail(p, CWI_PARSE_WRONG_SWITCH_DEFAULT_CASE, *default_pos,
                    "Default switch case must be the last");
    return false;
  }
  bool fallback = cwi_parser_at(p, CWI_TOKEN_UNDERSCORE);
  if (fallback ? !case_default(p, default_pos) : !case_head(p, set, one)) return false;
  const cwi_script_token arrow = cwi_parser_next(p);
  if (arrow.kind != CWI_TOKEN_ARROW) {
    cwi_parser_missing_at(p, "=>", "in this switch case", &arrow);
    return false;
  }
  one->c = set.no_statements ? cwi_parser_expr(p, set) : cwi_parser_stmt(p, set);
  *need_comma = one->c != NULL && (set.no_statements || !cwi_parser_self_terminated(one->c));
  return one->c != NULL;
}

node *cwi_parser_switch(parser *p, settings set) {
  cwi_script_pos pos = cwi_parser_next(p).pos;
  node *expr = cwi_parser_node(p, CWI_NODE_SWITCH, pos);
  if (expr == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  set.pos = pos;
  expr->a = cwi_parser_expr(p, set);
  if (expr->a == NULL) return NULL;
  const cwi_script_token brace = cwi_parser_next(p);
  if (brace.kind != CWI_TOKEN_LBRACE) {
    return cwi_parser_missing_at(p, "{", "to start a switch block", &brace);
  }
  bool ranges = false;
  cwi_script_pos default_pos = 0;
  for (node **tail = &expr->list;;) {
    if (cwi_parser_match(p, CWI_TOKEN_RBRACE)) return expr;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_EOF) {
      return cwi_parser_missing(p, "}", "to end this switch block", next->pos);
    }
    bool need_comma = false;
    node *one = cwi_parser_node(p, CWI_NODE_CASE, next->pos);
    if (one == NULL || !parse_case(p, set, one, &default_pos, &need_comma) ||
        !check_literals(p, one, &ranges)) {
      return NULL;
    }
    LIST_PUSH(tail, one);
    expr->len++;
    next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_COMMA) {
      cwi_parser_next(p);
    } else if (next->kind == CWI_TOKEN_EOF) {
      return cwi_parser_missing(p, ")", "to end this switch block", next->pos);
    } else if (next->kind == CWI_TOKEN_ERROR) {
      return cwi_parser_fail_lex(p, next);
    } else if (need_comma && next->kind != CWI_TOKEN_RBRACE) {
      return cwi_parser_missing(p, ",", "to separate the items in this switch block", next->pos);
    }
  }
}
