/* SPDX-License-Identifier: MIT */
/* Text to tokens, one at a time, on demand: an interpolated string switches between text and code.
 */
#ifndef SCRIPT_LEXER_H
#define SCRIPT_LEXER_H

#include "core/arena.h"
#include "core/buf.h"
#include "script/script_token.h"

/* X(NAME, name) */
#define CWI_SCRIPT_LEX_ERROR_TABLE(X)            \
  X(NONE, "")                                    \
  X(UNEXPECTED_INPUT, "UnexpectedInput")         \
  X(UNTERMINATED_STRING, "UnterminatedString")   \
  X(STRING_TOO_LONG, "StringTooLong")            \
  X(MALFORMED_ESCAPE, "MalformedEscapeSequence") \
  X(MALFORMED_NUMBER, "MalformedNumber")         \
  X(MALFORMED_CHAR, "MalformedChar")             \
  X(MALFORMED_IDENTIFIER, "MalformedIdentifier") \
  X(IMPROPER_SYMBOL, "ImproperSymbol")           \
  X(NOMEM, "")

typedef enum cwi_script_lex_error {
#define CWI_SCRIPT_LEX_ENUM(NAME, name) CWI_LEX_##NAME,
  CWI_SCRIPT_LEX_ERROR_TABLE(CWI_SCRIPT_LEX_ENUM)
#undef CWI_SCRIPT_LEX_ENUM
} cwi_script_lex_error;

/* The identifiers of one program. Lives in an arena. */
typedef struct cwi_script_syms {
  cwi_arena *arena;
  cwi_script_sym **buckets;
  uint32_t bucket_len; /* a power of two */
  uint32_t len;
} cwi_script_syms;

/* Returns the one symbol of this text, or NULL: no memory. */
cwi_script_sym *cwi_script_sym_intern(cwi_script_syms *syms, const char *text, size_t size);

typedef struct cwi_script_lexer {
  const char *text; /* the whole script; valid UTF-8 */
  size_t size;
  size_t at;
  size_t line_start;  /* offset of the current line's first byte ... */
  size_t line_hidden; /* ... and bytes in it so far that begin no character */
  uint32_t line;
  bool no_unary; /* after the last token a + or - is an operator, not a sign */
  size_t string_size_max;
  cwi_arena *arena; /* for decoded strings */
  cwi_script_syms *syms;
  const char *disabled; /* one symbol that the engine disables, or NULL */
} cwi_script_lexer;

void cwi_script_lexer_init(cwi_script_lexer *lexer, const char *text, size_t size, cwi_arena *arena,
                           cwi_script_syms *syms);
void cwi_script_lexer_next(cwi_script_lexer *lexer, cwi_script_token *token);
/* Continues an interpolated string after its `}`: gives STRING (the last part), INTERP or ERROR. */
void cwi_script_lexer_next_text(cwi_script_lexer *lexer, cwi_script_token *token);

bool cwi_script_is_identifier(const char *text, size_t size);

#endif
