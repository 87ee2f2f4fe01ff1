/* SPDX-License-Identifier: MIT */
/* The parser's ground: tokens with one of lookahead, errors, names and scopes, the global level.
 *
 * Recursive descent with operator precedence, one function a construct. Names are resolved on the
 * way: a local variable gets its declaration, a closure collects what it takes from around it, and
 * what remains unknown is looked up by name when it runs. The first error ends the parse; it has
 * the kind, text and place that the recorded answers have. */
#include "script/script_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/size.h"
#include "script/script_parser_internal.h"

/* However deep the limits allow an expression to be, the C stack must hold it. */
#define NATIVE_DEPTH_MAX 1500

/* ---- errors ---- */

node *cwi_parser_fail(parser *p, cwi_script_parse_error_kind kind, cwi_script_pos pos,
                      const char *format, ...) {
  cwi_script_parse_error *error = &p->tree->error;
  if (error->kind != CWI_PARSE_NONE) return NULL;
  error->kind = kind;
  error->pos = pos;
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (!cwi_buf_append_str(&error->message, text)) error->kind = CWI_PARSE_NOMEM;
  return NULL;
}

node *cwi_parser_nomem(parser *p) {
  p->tree->error.kind = CWI_PARSE_NOMEM;
  return NULL;
}

static node *fail_input(parser *p, cwi_script_lex_error lex, cwi_script_pos pos) {
  if (p->tree->error.kind == CWI_PARSE_NONE) p->tree->error.lex = lex;
  (void)pos;
  return NULL;
}

node *cwi_parser_fail_lex(parser *p, const cwi_script_token *token) {
  int size = (int)token->u.s.size;
  const char *text = token->u.s.text;
  cwi_script_pos pos = token->pos;
  if (token->error == CWI_LEX_NOMEM) return cwi_parser_nomem(p);
  if (token->error == CWI_LEX_STRING_TOO_LONG) {
    return cwi_parser_fail(p, CWI_PARSE_LITERAL_TOO_LARGE, pos,
                           "Length of string exceeds the maximum limit (%zu)",
                           p->options->string_size_max);
  }
  fail_input(p, (cwi_script_lex_error)token->error, pos);
  switch (token->error) {
    case CWI_LEX_UNEXPECTED_INPUT:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Unexpected '%.*s'", size, text);
    case CWI_LEX_MALFORMED_ESCAPE:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Invalid escape sequence: '%.*s'", size,
                             text);
    case CWI_LEX_MALFORMED_NUMBER:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Invalid number: '%.*s'", size, text);
    case CWI_LEX_MALFORMED_CHAR:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Invalid character: '%.*s'", size, text);
    case CWI_LEX_MALFORMED_IDENTIFIER:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Variable name is not proper: '%.*s'",
                             size, text);
    case CWI_LEX_IMPROPER_SYMBOL:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "%.*s", size, text);
    default: return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Open string is not terminated");
  }
}

node *cwi_parser_fail_improper(parser *p, cwi_script_pos pos, const char *text) {
  fail_input(p, CWI_LEX_IMPROPER_SYMBOL, pos);
  return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "%s", text);
}

node *cwi_parser_fail_unexpected(parser *p, const cwi_script_token *token) {
  if (token->kind == CWI_TOKEN_ERROR) return cwi_parser_fail_lex(p, token);
  fail_input(p, CWI_LEX_UNEXPECTED_INPUT, token->pos);
  const cwi_script_pos pos = token->pos;
  switch (token->kind) {
    case CWI_TOKEN_INT:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Unexpected '%lld'",
                             (long long)token->u.i);
    case CWI_TOKEN_IDENT:
    case CWI_TOKEN_RESERVED:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Unexpected '%s'", token->u.sym->text);
    default:
      return cwi_parser_fail(p, CWI_PARSE_BAD_INPUT, pos, "Unexpected '%s'",
                             cwi_script_tokens[token->kind].text);
  }
}

node *cwi_parser_missing(parser *p, const char *token, const char *what, cwi_script_pos pos) {
  return cwi_parser_fail(p, CWI_PARSE_MISSING_TOKEN, pos, "Expecting '%s' %s", token, what);
}

node *cwi_parser_missing_at(parser *p, const char *token, const char *what,
                            const cwi_script_token *at) {
  if (at->kind == CWI_TOKEN_ERROR) return cwi_parser_fail_lex(p, at);
  return cwi_parser_missing(p, token, what, at->pos);
}

bool cwi_parser_level_up(parser *p, settings *set) {
  if (set->level_max != 0 && set->level >= set->level_max) {
    cwi_parser_fail(p, CWI_PARSE_EXPR_TOO_DEEP, set->pos, "Expression exceeds maximum complexity");
    return false;
  }
  set->level++;
  return true;
}

bool cwi_parser_enter(parser *p) {
  if (++p->native_depth <= NATIVE_DEPTH_MAX) return true;
  cwi_parser_fail(p, CWI_PARSE_EXPR_TOO_DEEP, cwi_parser_peek(p)->pos,
                  "Expression exceeds maximum complexity");
  return false;
}

/* ---- tokens ---- */

const cwi_script_token *cwi_parser_peek(parser *p) {
  if (!p->peeked) {
    cwi_script_lexer_next(&p->lexer, &p->token);
    p->peeked = true;
    if (p->options->json && p->token.kind == CWI_TOKEN_LBRACE) p->token.kind = CWI_TOKEN_MAP_START;
    if (p->options->json && p->token.kind == CWI_TOKEN_RESERVED &&
        strcmp(p->token.u.sym->text, "null") == 0) {
      p->token.kind = CWI_TOKEN_UNIT;
    }
  }
  return &p->token;
}

cwi_script_token cwi_parser_next(parser *p) {
  cwi_script_token token = *cwi_parser_peek(p);
  p->peeked = token.kind == CWI_TOKEN_EOF; /* the end stays the end */
  return token;
}

bool cwi_parser_at(parser *p, cwi_script_token_kind kind) {
  return cwi_parser_peek(p)->kind == kind;
}

bool cwi_parser_match(parser *p, cwi_script_token_kind kind) {
  if (!cwi_parser_at(p, kind)) return false;
  cwi_parser_next(p);
  return true;
}

/* ---- nodes ---- */

node *cwi_parser_node(parser *p, cwi_script_node_kind kind, cwi_script_pos pos) {
  node *n = CWI_ARENA_NEW(&p->tree->arena, node);
  if (n == NULL) return cwi_parser_nomem(p);
  n->kind = (uint8_t)kind;
  n->pos = pos;
  return n;
}

cwi_script_pos cwi_parser_start_pos(const node *expr) {
  for (;;) {
    switch (expr->kind) {
      case CWI_NODE_AND:
      case CWI_NODE_OR:
      case CWI_NODE_COALESCE:
      case CWI_NODE_PROP:
      case CWI_NODE_METHOD:
      case CWI_NODE_INDEX: expr = expr->a; break;
      case CWI_NODE_VAR: return expr->path != NULL ? expr->path->pos : expr->pos;
      default: return expr->pos;
    }
  }
}

bool cwi_parser_is_constant(const node *expr) {
  switch (expr->kind) {
    case CWI_NODE_UNIT:
    case CWI_NODE_BOOL:
    case CWI_NODE_INT:
    case CWI_NODE_FLOAT:
    case CWI_NODE_CHAR:
    case CWI_NODE_STRING: return true;
    case CWI_NODE_CLOSURE: return expr->u.def->external_len == 0;
    case CWI_NODE_FIELD: return cwi_parser_is_constant(expr->a);
    case CWI_NODE_INTERP:
    case CWI_NODE_ARRAY:
    case CWI_NODE_MAP:
      for (const node *item = expr->list; item != NULL; item = item->next) {
        if (!cwi_parser_is_constant(item)) return false;
      }
      return true;
    default: return false;
  }
}

/* ---- names ---- */

cwi_script_sym *cwi_parser_var_name(parser *p, cwi_script_pos *pos) {
  cwi_script_token token = cwi_parser_next(p);
  *pos = token.pos;
  if (token.kind == CWI_TOKEN_IDENT) return token.u.sym;
  if (token.kind == CWI_TOKEN_RESERVED &&
      cwi_script_is_identifier(token.u.sym->text, token.u.sym->size)) {
    cwi_parser_fail(p, CWI_PARSE_RESERVED, token.pos, "'%s' is a reserved keyword",
                    token.u.sym->text);
  } else if (token.kind == CWI_TOKEN_ERROR) {
    cwi_parser_fail_lex(p, &token);
  } else {
    cwi_parser_fail(p, CWI_PARSE_VARIABLE_EXPECTED, token.pos, "Expecting name of a variable");
  }
  return NULL;
}

cwi_script_var *cwi_parser_declare(parser *p, cwi_script_sym *sym, cwi_script_pos pos) {
  if (p->var_len == p->var_cap) {
    size_t cap = cwi_size_grow(p->var_cap, p->var_len + 1);
    void *vars = cwi_realloc(p->vars, p->var_cap * sizeof(*p->vars), cap * sizeof(*p->vars));
    if (vars == NULL) {
      cwi_parser_nomem(p);
      return NULL;
    }
    p->vars = vars;
    p->var_cap = cap;
  }
  cwi_script_var *var = CWI_ARENA_NEW(&p->tree->arena, cwi_script_var);
  if (var == NULL) {
    cwi_parser_nomem(p);
    return NULL;
  }
  var->sym = sym;
  var->pos = pos;
  var->owner = p->scope->def;
  p->vars[p->var_len++] = var;
  return var;
}

void cwi_parser_rewind(parser *p, size_t var_len) { p->var_len = var_len; }

cwi_script_var *cwi_parser_find_local(parser *p, cwi_script_sym *sym) {
  for (size_t i = p->var_len; i > p->scope->var_base; i--) {
    if (p->vars[i - 1]->sym == sym) return p->vars[i - 1];
  }
  return NULL;
}

static cwi_script_var *find_external(const scope *s, const cwi_script_sym *sym) {
  for (cwi_script_external *e = s->def->externals; e != NULL; e = e->next) {
    if (e->inner->sym == sym) return e->inner;
  }
  return NULL;
}

/* A closure takes a name from outside: a parameter of its own, bound when it is made. */
static cwi_script_var *add_external(parser *p, node *var) {
  cwi_script_external *external = CWI_ARENA_NEW(&p->tree->arena, cwi_script_external);
  cwi_script_var *inner = CWI_ARENA_NEW(&p->tree->arena, cwi_script_var);
  if (external == NULL || inner == NULL) {
    cwi_parser_nomem(p);
    return NULL;
  }
  inner->sym = var->sym;
  inner->pos = var->pos;
  inner->owner = p->scope->def;
  inner->captured = true; /* it holds the cell */
  external->inner = inner;
  cwi_script_external **tail = &p->scope->def->externals;
  while (*tail != NULL) tail = &(*tail)->next;
  *tail = external;
  p->scope->def->external_len++;
  return inner;
}

bool cwi_parser_resolve(parser *p, node *var, bool *found) {
  cwi_script_var *local = cwi_parser_find_local(p, var->sym);
  if (local == NULL && p->scope->is_closure) local = find_external(p->scope, var->sym);
  *found = true;
  if (local == NULL && var->sym->defs != NULL) {
    var->flags |= CWI_NODE_IS_FN;
    return true;
  }
  if (local == NULL && p->scope->is_closure) {
    local = add_external(p, var);
    if (local == NULL) return false;
  }
  *found = local != NULL;
  if (local != NULL) local->used = true;
  var->u.var = local;
  return true;
}

bool cwi_parser_module_known(parser *p, cwi_script_sym *root) {
  if (strcmp(root->text, "global") == 0) return true;
  for (size_t i = 0; i < p->import_len; i++) {
    if (p->imports[i] == root) return true;
  }
  return false;
}

bool cwi_parser_import_push(parser *p, cwi_script_sym *sym) {
  if (p->import_len == p->import_cap) {
    size_t cap = cwi_size_grow(p->import_cap, p->import_len + 1);
    void *imports =
        cwi_realloc(p->imports, p->import_cap * sizeof(*p->imports), cap * sizeof(*p->imports));
    if (imports == NULL) {
      cwi_parser_nomem(p);
      return false;
    }
    p->imports = imports;
    p->import_cap = cap;
  }
  p->imports[p->import_len++] = sym;
  return true;
}

/* ---- the whole script ---- */

bool cwi_parser_self_terminated(const node *stmt) {
  switch (stmt->kind) {
    case CWI_NODE_IF:
    case CWI_NODE_SWITCH:
    case CWI_NODE_WHILE:
    case CWI_NODE_FOR:
    case CWI_NODE_BLOCK:
    case CWI_NODE_TRY: return (stmt->flags & CWI_NODE_PAREN) == 0;
    default: return false;
  }
}

static bool parse_global(parser *p, settings set, node *body) {
  node **tail = &body->list;
  while (!cwi_parser_at(p, CWI_TOKEN_EOF)) {
    node *stmt = cwi_parser_stmt(p, set);
    if (stmt == NULL) return false;
    if (stmt->kind == CWI_NODE_NOOP) continue;
    bool terminated = cwi_parser_self_terminated(stmt);
    LIST_PUSH(tail, stmt);
    body->len++;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_EOF) break;
    if (next->kind == CWI_TOKEN_SEMICOLON && !terminated) {
      cwi_parser_next(p);
    } else if (!terminated && next->kind != CWI_TOKEN_SEMICOLON) {
      cwi_parser_missing_at(p, ";", "to terminate this statement", next);
      return false;
    }
  }
  return true;
}

static bool parse_expression(parser *p, settings set, node *body) {
  set.no_statements = true;
  set.no_stmt_expr = set.no_loop_expr = true;
  node *expr = cwi_parser_expr(p, set);
  if (expr == NULL) return false;
  const cwi_script_token *next = cwi_parser_peek(p);
  if (next->kind != CWI_TOKEN_EOF) {
    cwi_parser_fail_unexpected(p, next);
    return false;
  }
  body->list = expr;
  body->len = 1;
  return true;
}

bool cwi_script_parse(const char *text, size_t size, const cwi_script_parse_options *options,
                      cwi_script_tree *tree) {
  *tree = (cwi_script_tree){0};
  tree->syms.arena = &tree->arena;
  parser p = {.options = options, .tree = tree};
  cwi_script_lexer_init(&p.lexer, text, size, &tree->arena, &tree->syms);
  p.lexer.string_size_max = options->string_size_max;
  p.lexer.disabled = options->disabled;
  scope global = {0};
  settings set = {.level_max = options->expr_depth_max,
                  .pos = (1U << 16) | 1U,
                  .global = true,
                  .json = options->json,
                  .strict = options->strict_variables,
                  .no_stmt_expr = options->no_stmt_expr,
                  .no_loop_expr = options->no_loop_expr};
  cwi_script_def *def = CWI_ARENA_NEW(&tree->arena, cwi_script_def);
  node *body = cwi_parser_node(&p, CWI_NODE_BLOCK, set.pos);
  if (def == NULL || body == NULL) {
    cwi_parser_nomem(&p);
  } else {
    tree->main = global.def = def;
    def->body = body;
    def->pos = set.pos;
    p.scope = &global;
    if (options->expression_only) {
      parse_expression(&p, set, body);
    } else {
      parse_global(&p, set, body);
    }
  }
  cwi_free(p.vars, p.var_cap * sizeof(*p.vars));
  cwi_free(p.imports, p.import_cap * sizeof(*p.imports));
  return tree->error.kind == CWI_PARSE_NONE;
}

void cwi_script_tree_deinit(cwi_script_tree *tree) {
  cwi_arena_deinit(&tree->arena);
  cwi_buf_deinit(&tree->error.message);
}

static const char *const parse_error_names[] = {
#define PARSE_NAME(NAME, name) name,
    CWI_SCRIPT_PARSE_ERROR_TABLE(PARSE_NAME)
#undef PARSE_NAME
};

static const char *const lex_error_names[] = {
#define LEX_NAME(NAME, name) name,
    CWI_SCRIPT_LEX_ERROR_TABLE(LEX_NAME)
#undef LEX_NAME
};

const char *cwi_script_parse_error_name(cwi_script_parse_error_kind kind) {
  return parse_error_names[kind];
}

const char *cwi_script_lex_error_name(cwi_script_lex_error error) { return lex_error_names[error]; }
