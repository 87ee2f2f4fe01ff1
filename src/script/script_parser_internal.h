/* SPDX-License-Identifier: MIT */
/* The inside of the parser, shared by its files.
 *
 * Every parse function returns a node, or NULL with an error recorded (the first one stays). `set`
 * goes down by value: how deep an expression nests, and the position that is blamed when it is too
 * deep. */
#ifndef SCRIPT_PARSER_INTERNAL_H
#define SCRIPT_PARSER_INTERNAL_H

#include "script/script_parser.h"

/* One function being parsed. */
typedef struct scope {
  struct scope *outer;
  cwi_script_def *def;
  size_t var_base;   /* its variables in parser.vars start here */
  size_t block_base; /* those of the innermost block here */
  bool is_closure;
} scope;

typedef struct parser {
  cwi_script_lexer lexer;
  const cwi_script_parse_options *options;
  cwi_script_tree *tree;
  cwi_script_token token; /* looked at but not eaten, where `peeked` */
  bool peeked;
  bool no_pipe; /* in a case of a switch `|` separates */
  scope *scope;
  cwi_script_var **vars; /* all that are visible, function by function */
  size_t var_len, var_cap;
  cwi_script_sym **imports; /* names of modules in sight */
  size_t import_len, import_cap;
  cwi_script_def *last_def;
  uint32_t native_depth; /* of parse functions on the C stack */
} parser;

typedef struct settings {
  uint32_t level, level_max;
  cwi_script_pos pos;
  bool global, in_fn, breakable, no_statements, json, strict, no_stmt_expr, no_loop_expr;
} settings;

typedef cwi_script_node node;

/* errors */
node *cwi_parser_fail(parser *p, cwi_script_parse_error_kind kind, cwi_script_pos pos,
                      const char *format, ...) CWI_PRINTF(4, 5);
node *cwi_parser_fail_lex(parser *p, const cwi_script_token *token);
node *cwi_parser_fail_unexpected(parser *p, const cwi_script_token *token);
node *cwi_parser_fail_improper(parser *p, cwi_script_pos pos, const char *text);
node *cwi_parser_missing(parser *p, const char *token, const char *what, cwi_script_pos pos);
/* MISSING_TOKEN, or the lexer's error where the token is one. */
node *cwi_parser_missing_at(parser *p, const char *token, const char *what,
                            const cwi_script_token *at);
node *cwi_parser_nomem(parser *p);
bool cwi_parser_level_up(parser *p, settings *set);

/* tokens */
const cwi_script_token *cwi_parser_peek(parser *p);
cwi_script_token cwi_parser_next(parser *p);
bool cwi_parser_match(parser *p, cwi_script_token_kind kind);
bool cwi_parser_at(parser *p, cwi_script_token_kind kind);

/* nodes and names */
node *cwi_parser_node(parser *p, cwi_script_node_kind kind, cwi_script_pos pos);
/* Takes a variable's name; NULL with an error where there is none. */
cwi_script_sym *cwi_parser_var_name(parser *p, cwi_script_pos *pos);
/* Declares a local variable. */
cwi_script_var *cwi_parser_declare(parser *p, cwi_script_sym *sym, cwi_script_pos pos);
/* Finds what a name means here: fills node->u.var or the IS_FN flag; false: no memory. */
bool cwi_parser_resolve(parser *p, node *var, bool *found);
cwi_script_var *cwi_parser_find_local(parser *p, cwi_script_sym *sym);
void cwi_parser_rewind(parser *p, size_t var_len);
cwi_script_pos cwi_parser_start_pos(const node *expr);
bool cwi_parser_is_constant(const node *expr);
/* A statement that needs no semicolon. */
bool cwi_parser_self_terminated(const node *stmt);
bool cwi_parser_module_known(parser *p, cwi_script_sym *root);
bool cwi_parser_import_push(parser *p, cwi_script_sym *sym);
bool cwi_parser_enter(parser *p);
CWI_INLINE void cwi_parser_leave(parser *p) { p->native_depth--; }

/* grammar */
node *cwi_parser_expr(parser *p, settings set);
node *cwi_parser_unary(parser *p, settings set);
node *cwi_parser_primary(parser *p, settings set);
node *cwi_parser_postfix(parser *p, settings set, node *lhs);
node *cwi_parser_closure(parser *p, settings set);
node *cwi_parser_switch(parser *p, settings set);
node *cwi_parser_stmt(parser *p, settings set);
node *cwi_parser_block(parser *p, settings set);
node *cwi_parser_if(parser *p, settings set);
node *cwi_parser_while(parser *p, settings set);
node *cwi_parser_do(parser *p, settings set);
node *cwi_parser_for(parser *p, settings set);
node *cwi_parser_function(parser *p, settings set);
bool cwi_parser_ensure_bool(parser *p, const node *expr);
bool cwi_parser_ensure_not_block(parser *p);
bool cwi_parser_ensure_not_assignment(parser *p);

/* Appends to a list that is kept with a pointer to its last `next`. */
#define LIST_PUSH(tail, item) (*(tail) = (item), (tail) = &(item)->next)

#endif
