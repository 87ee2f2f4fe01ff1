/* SPDX-License-Identifier: MIT */
/* Inside the parser: its state, the lexer's entry points, and the parts of the grammar that call
 * each other across files. Every parse function returns NULL or false once the parser has
 * failed. */
#ifndef DB_SQL_PARSER_H
#define DB_SQL_PARSER_H

#include "core/buf.h"
#include "db/sql_parse.h"
#include "db/sql_ast.h"
#include "db/sql_token.h"

#define SQL_PEEK_MAX 4
#define SQL_DEPTH_MAX 200

typedef struct sql_parser {
  sql_program *program;
  cwi_arena *arena;
  const char *text;
  size_t size;
  size_t next; /* where the lexer goes on */
  sql_token peek[SQL_PEEK_MAX];
  unsigned peeked;
  sql_token last; /* the token taken last */
  bool failed, nomem;
  unsigned depth;
  cwi_buf *message; /* the error's text, framed */
  uint32_t error_at;
  bool no_in; /* while FOR's subject is read */
  const sql_parse_options *options;
} sql_parser;

/* ---- lexer ---- */
void cwi_sql_lex(sql_parser *p, sql_token *out);
const sql_token *cwi_sql_peek(sql_parser *p);
const sql_token *cwi_sql_peek_at(sql_parser *p, unsigned index);
sql_token cwi_sql_take(sql_parser *p);
/* Forgets the tokens peeked at and goes on at byte `at`. */
void cwi_sql_rewind(sql_parser *p, size_t at);

/* ---- errors: the first one wins ---- */
bool cwi_sql_fail(sql_parser *p, size_t at, size_t size, const char *label, const char *format, ...)
    CWI_PRINTF(5, 6);
/* Adds a second frame to the error that was just reported. */
void cwi_sql_fail_frame(sql_parser *p, size_t at, size_t size, const char *label);
bool cwi_sql_nomem(sql_parser *p);
/* "Unexpected token `X`, expected WHAT" at `token`. */
bool cwi_sql_unexpected(sql_parser *p, const sql_token *token, const char *what);

/* ---- small steps ---- */
bool cwi_sql_is(sql_parser *p, sql_tok kind);
bool cwi_sql_is_kw(sql_parser *p, sql_kw kw);
bool cwi_sql_eat(sql_parser *p, sql_tok kind);
bool cwi_sql_eat_kw(sql_parser *p, sql_kw kw);
bool cwi_sql_expect(sql_parser *p, sql_tok kind);
bool cwi_sql_expect_kw(sql_parser *p, sql_kw kw);
/* Closes a delimiter that was opened at `open`. */
bool cwi_sql_close(sql_parser *p, sql_tok kind, const sql_token *open);
bool cwi_sql_ident(sql_parser *p, sql_str *out);
/* An identifier where the engine takes an expression: the message names one. */
bool cwi_sql_name(sql_parser *p, sql_str *out);
bool cwi_sql_ident_text(sql_parser *p, const sql_token *token, sql_str *out);
bool cwi_sql_push(sql_parser *p, sql_vec *vec, void *item);
void *cwi_sql_new(sql_parser *p, size_t size);
#define SQL_NEW(p, type) ((type *)cwi_sql_new((p), sizeof(type)))
sql_expr *cwi_sql_node_new(sql_parser *p, sql_node kind, size_t at);
sql_expr *cwi_sql_literal(sql_parser *p, size_t at, cw_value value); /* takes the value */
sql_str cwi_sql_str_of(const char *text);
bool cwi_sql_str_is(sql_str s, const char *text);
bool cwi_sql_enter(sql_parser *p);
bool cwi_sql_leave(sql_parser *p);

/* ---- text of tokens ---- */
/* Reads the contents of a string token (escapes) into `out`. */
bool cwi_sql_string_text(sql_parser *p, const sql_token *token, cwi_buf *out);
sql_expr *cwi_sql_string_value(sql_parser *p, const sql_token *token);
sql_expr *cwi_sql_number_value(sql_parser *p, const sql_token *token, bool negative);
bool cwi_sql_duration_of(const char *text, size_t size, uint64_t *seconds, uint32_t *nanos);
/* Datetimes; with a parser the error is reported at `at`. */
bool cwi_sql_datetime_of(sql_parser *p, size_t at, const char *text, size_t size, int64_t *seconds,
                         uint32_t *nanos);
bool cwi_sql_uuid_of(const char *text, size_t size, uint8_t out[16]);
sql_expr *cwi_sql_regex(sql_parser *p);

/* ---- grammar ---- */
sql_expr *cwi_sql_parse_expr(sql_parser *p);
sql_expr *cwi_sql_parse_target(sql_parser *p); /* like an expression; a plain name is a table */
sql_expr *cwi_sql_parse_statement(sql_parser *p, bool *was);
/* The statement that the next word begins; *is false (and NULL) where it begins none. */
sql_expr *cwi_sql_try_statement(sql_parser *p, bool *is);
sql_expr *cwi_sql_parse_block(sql_parser *p);
sql_expr *cwi_sql_parse_idiom(sql_parser *p); /* a.b[0].c: a target of SET, ORDER BY ... */
sql_expr *cwi_sql_parse_postfix(sql_parser *p, sql_expr *start);
sql_expr *cwi_sql_parse_record_key(sql_parser *p, bool range);
sql_expr *cwi_sql_parse_ident_expr(sql_parser *p);
sql_expr *cwi_sql_parse_object_or_block(sql_parser *p);
sql_expr *cwi_sql_parse_object_body(sql_parser *p, const sql_token *open, size_t at);
bool cwi_sql_parse_args(sql_parser *p, sql_vec *args, const sql_token *open);
sql_expr *cwi_sql_parse_select(sql_parser *p, bool inner);
sql_expr *cwi_sql_parse_write(sql_parser *p, sql_node kind);
sql_expr *cwi_sql_parse_insert(sql_parser *p);
sql_expr *cwi_sql_parse_relate(sql_parser *p);
sql_expr *cwi_sql_parse_define(sql_parser *p);
sql_expr *cwi_sql_parse_remove(sql_parser *p);
sql_expr *cwi_sql_parse_alter(sql_parser *p);
bool cwi_sql_parse_fields(sql_parser *p, sql_fields *out);
bool cwi_sql_parse_assigns(sql_parser *p, sql_vec *out);
bool cwi_sql_parse_output(sql_parser *p, sql_output_kind *kind, sql_fields *fields);
sql_type *cwi_sql_parse_type(sql_parser *p);
sql_type *cwi_sql_parse_type_one(sql_parser *p);
bool cwi_sql_parse_perms(sql_parser *p, sql_perms *out, bool with_delete);
bool cwi_sql_is_stmt_end(sql_parser *p);

#endif
