/* SPDX-License-Identifier: MIT */
/* The parser's ground floor: the program, errors with their framed excerpt, small steps over
 * tokens.
 *
 * An error is reported once, where it is found; from then on every step fails, and the parse
 * functions return through their callers. The text shows the line, cut to eighty characters around
 * the place, and marks the bytes in question. */
#include "db/sql_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"
#include "core/utf8.h"
#include "db/sql_parser.h"

#define LINE_CHARS_MAX 80U
#define OFFSET_CHARS_MAX 50U

/* ---- the program ---- */

sql_program *cwi_sql_program_retain(sql_program *program) {
  if (program != NULL) program->refs++;
  return program;
}

void cwi_sql_program_release(sql_program *program) {
  if (program == NULL || --program->refs > 0) return;
  for (sql_expr *literal = program->literals; literal != NULL; literal = literal->u.lit.next) {
    cw_value_release(&literal->u.lit.value);
  }
  cwi_arena_deinit(&program->arena);
  CWI_FREE(program);
}

/* ---- errors ---- */

bool cwi_sql_nomem(sql_parser *p) {
  p->failed = true;
  p->nomem = true;
  return false;
}

typedef struct place {
  size_t line, column; /* from 1; the column in characters */
  size_t start, end;   /* bytes of the line */
} place;

static place place_of(const sql_parser *p, size_t at) {
  place here = {.line = 1};
  if (at >= p->program->size) at = p->program->size > 0 ? p->program->size - 1 : 0;
  for (size_t i = 0; i < at; i++) {
    if (p->text[i] == '\n') {
      here.line++;
      here.start = i + 1;
    }
  }
  here.end = here.start;
  while (here.end < p->program->size && p->text[here.end] != '\n') here.end++;
  here.column = cwi_utf8_len(p->text + here.start, at - here.start) + 1;
  return here;
}

static void frame(sql_parser *p, size_t at, size_t size, const char *label) {
  place here = place_of(p, at);
  const char *line = p->text + here.start;
  size_t bytes = here.end - here.start, offset = here.column - 1;
  while (bytes > 0 && offset > 0 && (*line == ' ' || *line == '\t' || *line == '\r')) {
    line++;
    bytes--;
    offset--;
  }
  while (bytes > 0 &&
         (line[bytes - 1] == ' ' || line[bytes - 1] == '\t' || line[bytes - 1] == '\r')) {
    bytes--;
  }
  bool cut_front = false, cut_back = false;
  if (offset > OFFSET_CHARS_MAX) {
    size_t skip = cwi_utf8_offset(line, bytes, offset - 10);
    line += skip;
    bytes -= skip;
    offset = 10;
    cut_front = true;
  }
  if (cwi_utf8_len(line, bytes) > LINE_CHARS_MAX) {
    cut_back = true;
    bytes = cwi_utf8_offset(line, bytes, LINE_CHARS_MAX - (cut_front ? 6 : 3));
  }
  int width = snprintf(NULL, 0, "%zu", here.line);
  cwi_buf *out = p->message;
  cwi_buf_append_format(out, "%*s--> [%zu:%zu]\n%*s |\n%zu | %s%.*s%s\n%*s | %*s", width, "",
                        here.line, here.column, width, "", here.line, cut_front ? "..." : "",
                        (int)bytes, line, cut_back ? "..." : "", width, "",
                        (int)(offset + (cut_front ? 3 : 0)), "");
  place to = place_of(p, at + size > 0 ? at + size - 1 : 0);
  size_t marks = to.line == here.line && size > 0
                     ? cwi_utf8_len(p->text + at, cwi_size_min(size, p->program->size - at))
                     : 1;
  for (size_t i = 0; i < (marks > 0 ? marks : 1); i++) cwi_buf_append_char(out, '^');
  if (label != NULL) cwi_buf_append_format(out, " %s", label);
  cwi_buf_append_char(out, '\n');
}

void cwi_sql_fail_frame(sql_parser *p, size_t at, size_t size, const char *label) {
  frame(p, at, size, label);
}

bool cwi_sql_fail(sql_parser *p, size_t at, size_t size, const char *label, const char *format,
                  ...) {
  if (p->failed) return false;
  p->failed = true;
  p->error_at = (uint32_t)at;
  char text[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  cwi_buf_clear(p->message);
  cwi_buf_append_str(p->message, "Parse error: ");
  cwi_buf_append(p->message, text, cwi_size_min((size_t)(len > 0 ? len : 0), sizeof(text) - 1));
  cwi_buf_append_char(p->message, '\n');
  frame(p, at, size, label);
  return false;
}

bool cwi_sql_unexpected(sql_parser *p, const sql_token *token, const char *what) {
  if (token->kind == TK_ERROR) {
    p->failed = true;
    return false;
  }
  if (token->kind == TK_EOF) {
    return cwi_sql_fail(p, token->at, 1, NULL, "Unexpected end of file, expected %s", what);
  }
  return cwi_sql_fail(p, token->at, token->size, NULL, "Unexpected token `%s`, expected %s",
                      cwi_sql_token_text(token), what);
}

/* ---- small steps ---- */

bool cwi_sql_is(sql_parser *p, sql_tok kind) { return cwi_sql_peek(p)->kind == kind; }

bool cwi_sql_is_kw(sql_parser *p, sql_kw kw) {
  const sql_token *token = cwi_sql_peek(p);
  return token->kind == TK_IDENT && token->kw == kw && !token->quoted;
}

bool cwi_sql_eat(sql_parser *p, sql_tok kind) {
  if (!cwi_sql_is(p, kind)) return false;
  cwi_sql_take(p);
  return true;
}

bool cwi_sql_eat_kw(sql_parser *p, sql_kw kw) {
  if (!cwi_sql_is_kw(p, kw)) return false;
  cwi_sql_take(p);
  return true;
}

bool cwi_sql_expect(sql_parser *p, sql_tok kind) {
  return cwi_sql_eat(p, kind) || cwi_sql_unexpected(p, cwi_sql_peek(p), cwi_sql_tok_text(kind));
}

bool cwi_sql_expect_kw(sql_parser *p, sql_kw kw) {
  return cwi_sql_eat_kw(p, kw) || cwi_sql_unexpected(p, cwi_sql_peek(p), cwi_sql_kw_text(kw));
}

bool cwi_sql_close(sql_parser *p, sql_tok kind, const sql_token *open) {
  if (cwi_sql_eat(p, kind)) return true;
  if (p->failed) return false;
  const sql_token *token = cwi_sql_peek(p);
  if (token->kind == TK_ERROR) return false;
  if (token->kind == TK_EOF) {
    cwi_sql_fail(p, token->at, 1, NULL, "Unexpected end of file, expected delimiter `%s`",
                 cwi_sql_tok_text(kind));
  } else {
    cwi_sql_fail(p, token->at, token->size, NULL, "Unexpected token `%s` expected delimiter `%s`",
                 cwi_sql_token_text(token), cwi_sql_tok_text(kind));
  }
  cwi_sql_fail_frame(p, open->at, open->size, "expected this delimiter to close");
  return false;
}

bool cwi_sql_ident(sql_parser *p, sql_str *out) {
  if (!cwi_sql_is(p, TK_IDENT)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "an identifier");
  sql_token token = cwi_sql_take(p);
  return cwi_sql_ident_text(p, &token, out);
}

bool cwi_sql_name(sql_parser *p, sql_str *out) {
  if (!cwi_sql_is(p, TK_IDENT)) return cwi_sql_unexpected(p, cwi_sql_peek(p), "an expression");
  return cwi_sql_ident(p, out);
}

void *cwi_sql_new(sql_parser *p, size_t size) {
  void *memory = cwi_arena_alloc_zero(p->arena, size);
  if (memory == NULL) cwi_sql_nomem(p);
  return memory;
}

bool cwi_sql_push(sql_parser *p, sql_vec *vec, void *item) {
  if (item == NULL) return false;
  if (vec->len == vec->cap) {
    uint32_t cap = vec->cap == 0 ? 4 : vec->cap * 2;
    void **items = cwi_arena_alloc_array(p->arena, cap, sizeof(void *));
    if (items == NULL) return cwi_sql_nomem(p);
    if (vec->len > 0) memcpy(items, vec->items, vec->len * sizeof(void *));
    vec->items = items;
    vec->cap = cap;
  }
  vec->items[vec->len++] = item;
  return true;
}

sql_expr *cwi_sql_node_new(sql_parser *p, sql_node kind, size_t at) {
  sql_expr *node = SQL_NEW(p, sql_expr);
  if (node == NULL) return NULL;
  node->kind = (uint16_t)kind;
  node->at = (uint32_t)at;
  node->size = p->last.at + p->last.size > at ? (uint32_t)(p->last.at + p->last.size - at) : 0;
  return node;
}

sql_expr *cwi_sql_literal(sql_parser *p, size_t at, cw_value value) {
  sql_expr *node = cwi_sql_node_new(p, SQL_LITERAL, at);
  if (node == NULL) {
    cw_value_release(&value);
    return NULL;
  }
  node->u.lit.value = value;
  node->u.lit.next = p->program->literals;
  p->program->literals = node;
  return node;
}

sql_str cwi_sql_str_of(const char *text) {
  return (sql_str){.text = text, .size = (uint32_t)strlen(text)};
}

bool cwi_sql_str_is(sql_str s, const char *text) {
  return strlen(text) == s.size && memcmp(s.text, text, s.size) == 0;
}

bool cwi_sql_enter(sql_parser *p) {
  if (++p->depth <= SQL_DEPTH_MAX) return true;
  return cwi_sql_fail(p, cwi_sql_peek(p)->at, 1, NULL, "Exceeded query recursion depth limit");
}

bool cwi_sql_leave(sql_parser *p) {
  p->depth--;
  return true;
}

/* ---- entry points ---- */

static cw_status start(sql_parser *p, const char *text, size_t size,
                       const sql_parse_options *options, cwi_buf *message, cw_error *err) {
  *p = (sql_parser){.size = size, .message = message, .options = options};
  size_t valid = cwi_utf8_valid_prefix(text, size);
  if (valid < size)
    return CWI_RAISE(err, CW_E_ENCODING, 0, "the query is not UTF-8 at byte %zu", valid);
  if (size >= UINT32_MAX / 2) return CWI_RAISE(err, CW_E_LIMIT, 0, "the query is too long");
  p->program = CWI_NEW(sql_program);
  if (p->program == NULL) return CWI_RAISE_NOMEM(err, "a query");
  p->program->refs = 1;
  cwi_arena_init(&p->program->arena, 0);
  p->arena = &p->program->arena;
  p->text = p->program->source = cwi_arena_strndup(p->arena, text, size);
  p->program->size = size;
  if (p->text == NULL) {
    cwi_sql_program_release(p->program);
    return CWI_RAISE_NOMEM(err, "a query");
  }
  return CW_OK;
}

static cw_status finish(sql_parser *p, bool ok, sql_program **out, cw_error *err) {
  if (ok && !p->failed) {
    *out = p->program;
    return CW_OK;
  }
  cw_status status;
  if (p->nomem || p->message->failed) {
    status = CWI_RAISE_NOMEM(err, "a query");
  } else {
    place here = place_of(p, p->error_at);
    status = CWI_RAISE(err, CW_E_PARSE, 0, "%.*s", (int)cwi_size_min(p->message->size, 400),
                       p->message->data);
    if (err != NULL) {
      err->line = (int32_t)here.line;
      err->column = (int32_t)here.column;
    }
  }
  cwi_sql_program_release(p->program);
  return status;
}

cw_status cwi_sql_parse(const char *text, size_t size, const sql_parse_options *options,
                        sql_program **out, cwi_buf *message, cw_error *err) {
  sql_parser p;
  *out = NULL;
  cw_status status = start(&p, text, size, options, message, err);
  if (status != CW_OK) return status;
  bool ok = true;
  for (;;) {
    while (cwi_sql_eat(&p, TK_SEMI)) {
    }
    if (cwi_sql_is(&p, TK_EOF) || p.failed) break;
    sql_expr *statement = cwi_sql_parse_statement(&p, NULL);
    ok = statement != NULL && cwi_sql_push(&p, &p.program->statements, statement);
    if (!ok) break;
    if (!cwi_sql_is(&p, TK_EOF) && !cwi_sql_eat(&p, TK_SEMI)) {
      ok = cwi_sql_unexpected(&p, cwi_sql_peek(&p), "Eof");
      break;
    }
  }
  return finish(&p, ok, out, err);
}

cw_status cwi_sql_parse_expression(const char *text, size_t size, const sql_parse_options *options,
                                   sql_program **out, cwi_buf *message, cw_error *err) {
  sql_parser p;
  *out = NULL;
  cw_status status = start(&p, text, size, options, message, err);
  if (status != CW_OK) return status;
  sql_expr *node = cwi_sql_parse_expr(&p);
  bool ok = node != NULL && cwi_sql_push(&p, &p.program->statements, node);
  if (ok && !cwi_sql_is(&p, TK_EOF)) ok = cwi_sql_unexpected(&p, cwi_sql_peek(&p), "Eof");
  return finish(&p, ok, out, err);
}

cw_status cwi_sql_parse_record(const char *text, size_t size, sql_program **out) {
  sql_parser p;
  cwi_buf message;
  cwi_buf_init(&message, 4096);
  *out = NULL;
  cw_status status = start(&p, text, size, NULL, &message, NULL);
  if (status == CW_OK) {
    sql_str table;
    bool ok = cwi_sql_ident(&p, &table) && cwi_sql_expect(&p, TK_COLON);
    sql_expr *node = ok ? cwi_sql_node_new(&p, SQL_RECORD, 0) : NULL;
    ok = node != NULL;
    if (ok) {
      node->u.record.table = table;
      node->u.record.key = cwi_sql_parse_record_key(&p, false);
      ok = node->u.record.key != NULL && cwi_sql_is(&p, TK_EOF) &&
           cwi_sql_push(&p, &p.program->statements, node);
    }
    if (!ok) p.failed = true;
    status = finish(&p, ok, out, NULL);
  }
  cwi_buf_deinit(&message);
  return status;
}
