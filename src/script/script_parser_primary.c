/* SPDX-License-Identifier: MIT */
/* Operands: literals, names, calls, and what hangs behind them: indexes, properties, methods. */
#include <string.h>

#include "core/assert.h"
#include "script/script_parser_internal.h"

/* ---- literals with parts ---- */

static node *parse_array(parser *p, settings set) {
  const char *missing = "to end this array literal";
  set.pos = cwi_parser_next(p).pos;
  node *array = cwi_parser_node(p, CWI_NODE_ARRAY, set.pos);
  if (array == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  size_t max = p->options->array_len_max;
  for (node **tail = &array->list;;) {
    if (max != 0 && array->len >= max) {
      return cwi_parser_fail(p, CWI_PARSE_LITERAL_TOO_LARGE, cwi_parser_peek(p)->pos,
                             "Size of array literal exceeds the maximum limit (%zu)", max);
    }
    if (cwi_parser_match(p, CWI_TOKEN_RBRACKET)) return array;
    if (cwi_parser_at(p, CWI_TOKEN_EOF)) {
      return cwi_parser_missing(p, "]", missing, cwi_parser_peek(p)->pos);
    }
    node *item = cwi_parser_expr(p, set);
    if (item == NULL) return NULL;
    LIST_PUSH(tail, item);
    array->len++;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_COMMA) {
      cwi_parser_next(p);
    } else if (next->kind == CWI_TOKEN_EOF) {
      return cwi_parser_missing(p, "]", missing, next->pos);
    } else if (next->kind != CWI_TOKEN_RBRACKET) {
      return cwi_parser_missing_at(p, ",", "to separate the items of this array literal", next);
    }
  }
}

static bool map_key(parser *p, const settings *set, const node *map, node *field) {
  const char *missing = "to end this object map literal";
  const cwi_script_token key = cwi_parser_next(p);
  field->pos = key.pos;
  if (key.kind == CWI_TOKEN_STRING) {
    field->u.s.text = key.u.s.text;
    field->u.s.size = key.u.s.size;
  } else if (key.kind == CWI_TOKEN_IDENT && !set->json) {
    field->u.s.text = key.u.sym->text;
    field->u.s.size = key.u.sym->size;
  } else if (key.kind == CWI_TOKEN_IDENT || key.kind == CWI_TOKEN_INTERP) {
    cwi_parser_fail(p, CWI_PARSE_PROPERTY_EXPECTED, key.pos, "Expecting name of a property");
    return false;
  } else if (key.kind == CWI_TOKEN_RESERVED &&
             cwi_script_is_identifier(key.u.sym->text, key.u.sym->size)) {
    cwi_parser_fail(p, CWI_PARSE_RESERVED, key.pos, "'%s' is a reserved keyword", key.u.sym->text);
    return false;
  } else if (key.kind == CWI_TOKEN_ERROR) {
    cwi_parser_fail_lex(p, &key);
    return false;
  } else if (key.kind == CWI_TOKEN_EOF || map->len == 0) {
    cwi_parser_missing(p, "}", missing, key.pos);
    return false;
  } else {
    cwi_parser_fail(p, CWI_PARSE_PROPERTY_EXPECTED, key.pos, "Expecting name of a property");
    return false;
  }
  for (const node *other = map->list; other != NULL; other = other->next) {
    if (other->u.s.size == field->u.s.size && field->u.s.size != 0 &&
        memcmp(other->u.s.text, field->u.s.text, field->u.s.size) == 0) {
      cwi_parser_fail(p, CWI_PARSE_DUPLICATED_PROPERTY, key.pos,
                      "Duplicated property for object map literal: %.*s", (int)field->u.s.size,
                      field->u.s.text);
      return false;
    }
  }
  return true;
}

static bool map_field(parser *p, settings set, node *map, node ***tail) {
  node *field = cwi_parser_node(p, CWI_NODE_FIELD, set.pos);
  if (field == NULL || !map_key(p, &set, map, field)) return false;
  const cwi_script_token colon = cwi_parser_next(p);
  if (colon.kind != CWI_TOKEN_COLON) {
    char what[300];
    int size = field->u.s.size > 200 ? 200 : (int)field->u.s.size;
    cwi_buf text = {0};
    cwi_buf_append_format(&text, "to follow the property '%.*s' in this object map literal", size,
                          field->u.s.text);
    const char *cstr = cwi_buf_cstr(&text);
    memcpy(what, cstr == NULL ? "" : cstr, cstr == NULL ? 1 : text.size + 1);
    cwi_buf_deinit(&text);
    cwi_parser_missing_at(p, ":", what, &colon);
    return false;
  }
  size_t max = p->options->map_len_max;
  if (max != 0 && map->len >= max) {
    cwi_parser_fail(p, CWI_PARSE_LITERAL_TOO_LARGE, cwi_parser_peek(p)->pos,
                    "Number of properties in object map literal exceeds the maximum limit (%zu)",
                    max);
    return false;
  }
  if (!cwi_parser_level_up(p, &set)) return false;
  field->a = cwi_parser_expr(p, set);
  if (field->a == NULL) return false;
  LIST_PUSH(*tail, field);
  map->len++;
  return true;
}

static node *parse_map(parser *p, settings set) {
  const char *missing = "to end this object map literal";
  set.pos = cwi_parser_next(p).pos;
  node *map = cwi_parser_node(p, CWI_NODE_MAP, set.pos);
  if (map == NULL) return NULL;
  for (node **tail = &map->list;;) {
    if (cwi_parser_match(p, CWI_TOKEN_RBRACE)) return map;
    if (cwi_parser_at(p, CWI_TOKEN_EOF)) {
      return cwi_parser_missing(p, "}", missing, cwi_parser_peek(p)->pos);
    }
    if (!map_field(p, set, map, &tail)) return NULL;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind == CWI_TOKEN_COMMA) {
      cwi_parser_next(p);
    } else if (next->kind == CWI_TOKEN_IDENT) {
      return cwi_parser_missing(p, ",", "to separate the items of this object map literal",
                                next->pos);
    } else if (next->kind != CWI_TOKEN_RBRACE) {
      return cwi_parser_missing_at(p, "}", missing, next);
    }
  }
}

static bool interp_text(parser *p, node *interp, node ***tail, const cwi_script_token *token) {
  if (token->u.s.size == 0) return true;
  node *text = cwi_parser_node(p, CWI_NODE_STRING, token->pos);
  if (text == NULL) return false;
  text->u.s.text = token->u.s.text;
  text->u.s.size = token->u.s.size;
  LIST_PUSH(*tail, text);
  interp->len++;
  return true;
}

static node *parse_interp(parser *p, settings set) {
  cwi_script_token token = cwi_parser_next(p);
  node *interp = cwi_parser_node(p, CWI_NODE_INTERP, set.pos);
  if (interp == NULL || !cwi_parser_level_up(p, &set)) return NULL;
  node **tail = &interp->list;
  if (!interp_text(p, interp, &tail, &token)) return NULL;
  while (token.kind == CWI_TOKEN_INTERP) {
    node *hole = cwi_parser_block(p, set);
    if (hole == NULL) return NULL;
    CWI_ASSERT(!p->peeked); /* the block's } was the last token read */
    LIST_PUSH(tail, hole);
    interp->len++;
    cwi_script_lexer_next_text(&p->lexer, &token);
    if (token.kind == CWI_TOKEN_ERROR) return cwi_parser_fail_lex(p, &token);
    if (!interp_text(p, interp, &tail, &token)) return NULL;
  }
  return interp;
}

/* ---- calls ---- */

static node *call_missing(parser *p, const char *what, const cwi_script_token *at,
                          const cwi_script_sym *name, const char *token) {
  if (at->kind == CWI_TOKEN_ERROR) return cwi_parser_fail_lex(p, at);
  return cwi_parser_fail(p, CWI_PARSE_MISSING_TOKEN, at->pos, "Expecting '%s' %s '%s'", token, what,
                         name->text);
}

/* The arguments of `call`, the parenthesis read. */
static node *parse_args(parser *p, settings set, node *call) {
  const char *unclosed = "to close the arguments list of this function call";
  const cwi_script_token *token = cwi_parser_peek(p);
  if (token->kind == CWI_TOKEN_EOF) return call_missing(p, unclosed, token, call->sym, ")");
  if (token->kind == CWI_TOKEN_ERROR) return cwi_parser_fail_lex(p, token);
  if (cwi_parser_match(p, CWI_TOKEN_RPAREN)) return call;
  if (!cwi_parser_level_up(p, &set)) return NULL;
  for (node **tail = &call->list;;) {
    if (!cwi_parser_at(p, CWI_TOKEN_RPAREN)) {
      node *arg = cwi_parser_expr(p, set);
      if (arg == NULL) return NULL;
      LIST_PUSH(tail, arg);
      call->len++;
    }
    if (cwi_parser_match(p, CWI_TOKEN_RPAREN)) return call;
    if (cwi_parser_match(p, CWI_TOKEN_COMMA)) continue;
    token = cwi_parser_peek(p);
    if (token->kind == CWI_TOKEN_EOF) return call_missing(p, unclosed, token, call->sym, ")");
    return call_missing(p, "to separate the arguments to function call", token, call->sym, ",");
  }
}

static node *check_module(parser *p, const settings *set, node *expr) {
  if (expr->path == NULL || !set->strict || cwi_parser_module_known(p, expr->path->sym)) {
    return expr;
  }
  return cwi_parser_fail(p, CWI_PARSE_MODULE_UNDEFINED, expr->path->pos, "Undefined module: %s",
                         expr->path->sym->text);
}

/* name(...), name!(...), with the name read and the token ahead ( () or !. */
static node *parse_call(parser *p, settings set, cwi_script_sym *sym, cwi_script_path *path,
                        cwi_script_pos pos) {
  node *call = cwi_parser_node(p, CWI_NODE_CALL, pos);
  if (call == NULL) return NULL;
  call->sym = sym;
  call->path = path;
  cwi_script_token token = cwi_parser_next(p);
  if (token.kind == CWI_TOKEN_BANG) {
    const cwi_script_token *next = cwi_parser_peek(p);
    bool paren = next->kind == CWI_TOKEN_LPAREN || next->kind == CWI_TOKEN_UNIT;
    if (path != NULL && !paren) {
      return cwi_parser_fail_improper(p, token.pos, "'!' cannot be used to call module functions");
    }
    if (path != NULL) return cwi_parser_fail_unexpected(p, &token);
    if (!paren) {
      return cwi_parser_missing(p, "(", "to start arguments list of function call", next->pos);
    }
    call->flags |= CWI_NODE_BANG;
    token = cwi_parser_next(p);
  }
  if (strcmp(sym->text, "eval") == 0) p->scope->def->has_eval = true;
  set.pos = pos;
  if (token.kind != CWI_TOKEN_UNIT && parse_args(p, set, call) == NULL) return NULL;
  return check_module(p, &set, call);
}

static bool call_ahead(parser *p) {
  const cwi_script_token_kind kind = (cwi_script_token_kind)cwi_parser_peek(p)->kind;
  return kind == CWI_TOKEN_LPAREN || kind == CWI_TOKEN_UNIT || kind == CWI_TOKEN_BANG;
}

/* a::b::c or a::b::f(...); the first name read, :: ahead. */
static node *parse_path(parser *p, settings set, cwi_script_sym *sym, cwi_script_pos pos) {
  cwi_script_path *path = NULL;
  cwi_script_path **tail = &path;
  while (cwi_parser_match(p, CWI_TOKEN_COLONCOLON)) {
    cwi_script_path *part = CWI_ARENA_NEW(&p->tree->arena, cwi_script_path);
    if (part == NULL) return cwi_parser_nomem(p);
    part->sym = sym;
    part->pos = pos;
    *tail = part;
    tail = &part->next;
    sym = cwi_parser_var_name(p, &pos);
    if (sym == NULL) return NULL;
  }
  if (call_ahead(p)) return parse_call(p, set, sym, path, pos);
  node *var = cwi_parser_node(p, CWI_NODE_VAR, pos);
  if (var == NULL) return NULL;
  var->sym = sym;
  var->path = path;
  return check_module(p, &set, var);
}

static node *parse_name(parser *p, settings set) {
  const cwi_script_token token = cwi_parser_next(p);
  if (call_ahead(p)) return parse_call(p, set, token.u.sym, NULL, token.pos);
  if (cwi_parser_at(p, CWI_TOKEN_COLONCOLON)) return parse_path(p, set, token.u.sym, token.pos);
  node *var = cwi_parser_node(p, CWI_NODE_VAR, token.pos);
  if (var == NULL) return NULL;
  var->sym = token.u.sym;
  bool found = false;
  if (!cwi_parser_resolve(p, var, &found)) return NULL;
  const cwi_script_parse_options *options = p->options;
  if (!found && set.strict &&
      (options->has_variable == NULL ||
       !options->has_variable(var->sym->text, var->sym->size, options->context))) {
    return cwi_parser_fail(p, CWI_PARSE_VARIABLE_UNDEFINED, token.pos, "Undefined variable: %s",
                           var->sym->text);
  }
  return var;
}

static node *fail_reserved(parser *p, const cwi_script_token *token) {
  const cwi_script_sym *sym = token->u.sym;
  return cwi_parser_fail(p, CWI_PARSE_RESERVED, token->pos, "'%s' is a reserved %s", sym->text,
                         cwi_script_is_identifier(sym->text, sym->size) ? "keyword" : "symbol");
}

static node *parse_reserved(parser *p, settings set) {
  const cwi_script_token token = cwi_parser_next(p);
  if (call_ahead(p) && (token.u.sym->reserved & CWI_RESERVED_CALL)) {
    return parse_call(p, set, token.u.sym, NULL, token.pos);
  }
  if (strcmp(token.u.sym->text, "this") != 0) return fail_reserved(p, &token);
  if (set.in_fn) return cwi_parser_node(p, CWI_NODE_THIS, token.pos);
  return cwi_parser_fail_improper(p, token.pos, "'this' can only be used in functions");
}

/* ---- what hangs behind ---- */

static bool check_index_type(parser *p, const node *lhs, const node *index) {
  bool map = lhs->kind == CWI_NODE_MAP;
  bool numeric = lhs->kind == CWI_NODE_INT || lhs->kind == CWI_NODE_ARRAY ||
                 lhs->kind == CWI_NODE_STRING || lhs->kind == CWI_NODE_INTERP;
  const char *type = NULL;
  switch (index->kind) {
    case CWI_NODE_INT: type = map ? "a number" : NULL; break;
    case CWI_NODE_STRING:
    case CWI_NODE_INTERP: type = map ? NULL : "a string"; break;
    case CWI_NODE_FLOAT: type = "a float"; break;
    case CWI_NODE_CHAR: type = "a character"; break;
    case CWI_NODE_UNIT: type = "()"; break;
    case CWI_NODE_AND:
    case CWI_NODE_OR:
    case CWI_NODE_BOOL: type = "a boolean"; break;
    default: break;
  }
  if ((!map && !numeric) || type == NULL) return true;
  bool is_string = index->kind == CWI_NODE_STRING || index->kind == CWI_NODE_INTERP;
  cwi_parser_fail(p, CWI_PARSE_MALFORMED_INDEX_EXPR, cwi_parser_start_pos(index),
                  "%s index, not %s",
                  map         ? "Object map expects string"
                  : is_string ? "Array, string or bit-field expects numeric"
                              : "Array, string or bit-field expects integer",
                  type);
  return false;
}

/* [..][..]...: all indexes in a row, the first bracket ahead. */
static node *parse_indexes(parser *p, settings set, node *lhs) {
  bool first = true;
  while (cwi_parser_at(p, CWI_TOKEN_LBRACKET) || cwi_parser_at(p, CWI_TOKEN_QBRACKET)) {
    const cwi_script_token bracket = cwi_parser_next(p);
    set.pos = bracket.pos;
    if (!cwi_parser_level_up(p, &set)) return NULL;
    settings inner = set;
    if (!cwi_parser_level_up(p, &inner)) return NULL;
    node *index = cwi_parser_expr(p, inner);
    if (index == NULL) return NULL;
    if (first && !check_index_type(p, lhs, index)) return NULL;
    first = false;
    const cwi_script_token *next = cwi_parser_peek(p);
    if (next->kind != CWI_TOKEN_RBRACKET) {
      return cwi_parser_missing_at(p, "]", "for a matching [ in this index expression", next);
    }
    cwi_parser_next(p);
    node *expr = cwi_parser_node(p, CWI_NODE_INDEX, bracket.pos);
    if (expr == NULL) return NULL;
    expr->a = lhs;
    expr->b = index;
    if (bracket.kind == CWI_TOKEN_QBRACKET) expr->flags |= CWI_NODE_ELVIS;
    lhs = expr;
  }
  return lhs;
}

static node *parse_method(parser *p, settings set, node *lhs, const cwi_script_token *name,
                          const cwi_script_token *dot) {
  node *call = parse_call(p, set, name->u.sym, NULL, name->pos);
  if (call == NULL) return NULL;
  const char *text = name->u.sym->text;
  if (call->len == 0 && (strcmp(text, "Fn") == 0 || strcmp(text, "eval") == 0)) {
    fail_reserved(p, name);
    return NULL;
  }
  if (call->flags & CWI_NODE_BANG) {
    return cwi_parser_fail(p, CWI_PARSE_MALFORMED_CAPTURE, name->pos,
                           "method-call style does not support running within the caller's scope");
  }
  call->kind = CWI_NODE_METHOD;
  call->a = lhs;
  call->pos = dot->pos;
  call->pos2 = name->pos;
  return call;
}

/* .name or .name(...), the dot ahead */
static node *parse_dot(parser *p, settings set, node *lhs) {
  const cwi_script_token dot = cwi_parser_next(p);
  const cwi_script_token name = *cwi_parser_peek(p);
  bool method_only = false;
  if (name.kind == CWI_TOKEN_RESERVED) {
    if ((name.u.sym->reserved & CWI_RESERVED_METHOD) == 0) return fail_reserved(p, &name);
    method_only = true;
  } else if (name.kind != CWI_TOKEN_IDENT) {
    return cwi_parser_fail(p, CWI_PARSE_PROPERTY_EXPECTED, name.pos,
                           "Expecting name of a property");
  }
  cwi_parser_next(p);
  node *expr = NULL;
  if (call_ahead(p)) {
    set.pos = name.pos;
    expr = parse_method(p, set, lhs, &name, &dot);
  } else if (method_only) {
    return fail_reserved(p, &name);
  } else if (cwi_parser_at(p, CWI_TOKEN_COLONCOLON)) {
    fail_reserved(p, &name);
    return NULL;
  } else {
    expr = cwi_parser_node(p, CWI_NODE_PROP, dot.pos);
    if (expr == NULL) return NULL;
    expr->a = lhs;
    expr->sym = name.u.sym;
    expr->pos2 = name.pos;
  }
  if (expr != NULL && dot.kind == CWI_TOKEN_ELVIS) expr->flags |= CWI_NODE_ELVIS;
  return expr;
}

node *cwi_parser_postfix(parser *p, settings set, node *lhs) {
  for (;;) {
    const cwi_script_token *next = cwi_parser_peek(p);
    set.pos = next->pos;
    if (next->kind == CWI_TOKEN_LBRACKET || next->kind == CWI_TOKEN_QBRACKET) {
      lhs = parse_indexes(p, set, lhs);
    } else if (next->kind == CWI_TOKEN_DOT || next->kind == CWI_TOKEN_ELVIS) {
      if (!cwi_parser_level_up(p, &set)) return NULL;
      lhs = parse_dot(p, set, lhs);
    } else {
      return lhs;
    }
    if (lhs == NULL) return NULL;
  }
}

/* ---- operands ---- */

static node *parse_literal(parser *p) {
  const cwi_script_token token = cwi_parser_next(p);
  static const uint8_t kinds[CWI_TOKEN_COUNT] = {
      [CWI_TOKEN_UNIT] = CWI_NODE_UNIT,     [CWI_TOKEN_INT] = CWI_NODE_INT,
      [CWI_TOKEN_FLOAT] = CWI_NODE_FLOAT,   [CWI_TOKEN_CHAR] = CWI_NODE_CHAR,
      [CWI_TOKEN_STRING] = CWI_NODE_STRING, [CWI_TOKEN_TRUE] = CWI_NODE_BOOL,
      [CWI_TOKEN_FALSE] = CWI_NODE_BOOL};
  node *expr = cwi_parser_node(p, (cwi_script_node_kind)kinds[token.kind], token.pos);
  if (expr == NULL) return NULL;
  switch (token.kind) {
    case CWI_TOKEN_INT: expr->u.i = token.u.i; break;
    case CWI_TOKEN_FLOAT: expr->u.f = token.u.f; break;
    case CWI_TOKEN_CHAR: expr->u.c = token.u.c; break;
    case CWI_TOKEN_TRUE: expr->u.i = 1; break;
    case CWI_TOKEN_STRING:
      expr->u.s.text = token.u.s.text;
      expr->u.s.size = token.u.s.size;
      break;
    default: break;
  }
  return expr;
}

static node *parse_parens(parser *p, settings set) {
  set.pos = cwi_parser_next(p).pos;
  if (!cwi_parser_level_up(p, &set)) return NULL;
  node *expr = cwi_parser_expr(p, set);
  if (expr == NULL) return NULL;
  const cwi_script_token close = cwi_parser_next(p);
  if (close.kind != CWI_TOKEN_RPAREN) {
    return cwi_parser_missing_at(p, ")", "for a matching ( in this expression", &close);
  }
  expr->flags |= CWI_NODE_PAREN;
  return expr;
}

/* if, switch and loops that stand for values; NULL without an error: not here. */
static node *parse_stmt_expr(parser *p, settings set, cwi_script_token_kind kind) {
  const cwi_script_parse_options *options = p->options;
  bool allowed = kind == CWI_TOKEN_LBRACE   ? !set.no_stmt_expr
                 : kind == CWI_TOKEN_IF     ? !options->no_if_expr
                 : kind == CWI_TOKEN_SWITCH ? !options->no_switch_expr
                                            : !options->no_looping && !set.no_loop_expr;
  if (!allowed) return NULL;
  if (!cwi_parser_level_up(p, &set)) return NULL;
  node *expr = NULL;
  switch (kind) {
    case CWI_TOKEN_LBRACE: expr = cwi_parser_block(p, set); break;
    case CWI_TOKEN_IF: expr = cwi_parser_if(p, set); break;
    case CWI_TOKEN_SWITCH: expr = cwi_parser_switch(p, set); break;
    case CWI_TOKEN_DO: expr = cwi_parser_do(p, set); break;
    case CWI_TOKEN_FOR: expr = cwi_parser_for(p, set); break;
    default: expr = cwi_parser_while(p, set); break;
  }
  if (expr != NULL) expr->flags |= CWI_NODE_PAREN;
  return expr;
}

static node *parse_root(parser *p, settings set, const cwi_script_token *token) {
  switch (token->kind) {
    case CWI_TOKEN_EOF:
      return cwi_parser_fail(p, CWI_PARSE_UNEXPECTED_EOF, set.pos, "Script is incomplete");
    case CWI_TOKEN_UNIT:
    case CWI_TOKEN_INT:
    case CWI_TOKEN_FLOAT:
    case CWI_TOKEN_CHAR:
    case CWI_TOKEN_STRING:
    case CWI_TOKEN_TRUE:
    case CWI_TOKEN_FALSE: return parse_literal(p);
    case CWI_TOKEN_RANGE:
    case CWI_TOKEN_RANGE_INCL: return cwi_parser_node(p, CWI_NODE_INT, set.pos); /* 0.. */
    case CWI_TOKEN_LPAREN: return parse_parens(p, set);
    case CWI_TOKEN_INTERP: return parse_interp(p, set);
    case CWI_TOKEN_LBRACKET: return cwi_parser_level_up(p, &set) ? parse_array(p, set) : NULL;
    case CWI_TOKEN_MAP_START: return cwi_parser_level_up(p, &set) ? parse_map(p, set) : NULL;
    case CWI_TOKEN_IDENT: return parse_name(p, set);
    case CWI_TOKEN_RESERVED: return parse_reserved(p, set);
    case CWI_TOKEN_PIPE:
    case CWI_TOKEN_OR: return p->options->no_anonymous_fn ? NULL : cwi_parser_closure(p, set);
    case CWI_TOKEN_LBRACE:
    case CWI_TOKEN_IF:
    case CWI_TOKEN_SWITCH:
    case CWI_TOKEN_WHILE:
    case CWI_TOKEN_LOOP:
    case CWI_TOKEN_DO:
    case CWI_TOKEN_FOR: return parse_stmt_expr(p, set, (cwi_script_token_kind)token->kind);
    default: return NULL;
  }
}

node *cwi_parser_primary(parser *p, settings set) {
  const cwi_script_token token = *cwi_parser_peek(p);
  set.pos = token.pos;
  if (p->no_pipe && token.kind == CWI_TOKEN_PIPE) return cwi_parser_fail_unexpected(p, &token);
  node *root = parse_root(p, set, &token);
  if (root == NULL) return cwi_parser_fail_unexpected(p, &token); /* unless one is recorded */
  return cwi_parser_postfix(p, set, root);
}
