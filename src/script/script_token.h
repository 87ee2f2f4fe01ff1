/* SPDX-License-Identifier: MIT */
/* The tokens of the language, and positions. */
#ifndef SCRIPT_TOKEN_H
#define SCRIPT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/compiler.h"

/* A position: line in the upper, column (in characters) in the lower 16 bits, both from 1, both
 * staying at 65,535 beyond; 0 is "nowhere". */
typedef uint32_t cwi_script_pos;
CWI_INLINE uint32_t cwi_script_pos_line(cwi_script_pos pos) { return pos >> 16; }
CWI_INLINE uint32_t cwi_script_pos_column(cwi_script_pos pos) { return pos & 0xFFFFU; }

/* X(NAME, text, precedence as a binary operator, whether a following + or - is a sign) */
#define CWI_SCRIPT_TOKEN_TABLE(X)   \
  X(EOF, "{EOF}", 0, false)         \
  X(ERROR, "{ERROR}", 0, true)      \
  X(IDENT, "identifier", 0, false)  \
  X(RESERVED, "reserved", 0, false) \
  X(INT, "INT", 0, false)           \
  X(FLOAT, "FLOAT", 0, false)       \
  X(CHAR, "Char", 0, false)         \
  X(STRING, "string", 0, false)     \
  X(INTERP, "string", 0, false)     \
  X(UNIT, "()", 0, false)           \
  X(LBRACE, "{", 0, true)           \
  X(RBRACE, "}", 0, false)          \
  X(LPAREN, "(", 0, true)           \
  X(RPAREN, ")", 0, false)          \
  X(LBRACKET, "[", 0, true)         \
  X(RBRACKET, "]", 0, false)        \
  X(QBRACKET, "?[", 0, true)        \
  X(MAP_START, "#{", 0, false)      \
  X(PLUS, "+", 150, true)           \
  X(UNARY_PLUS, "+", 0, true)       \
  X(MINUS, "-", 150, true)          \
  X(UNARY_MINUS, "-", 0, true)      \
  X(STAR, "*", 180, true)           \
  X(SLASH, "/", 180, true)          \
  X(PERCENT, "%", 180, true)        \
  X(POWER, "**", 190, true)         \
  X(SHL, "<<", 210, true)           \
  X(SHR, ">>", 210, true)           \
  X(SEMICOLON, ";", 0, true)        \
  X(COLON, ":", 0, true)            \
  X(COLONCOLON, "::", 0, false)     \
  X(ARROW, "=>", 0, false)          \
  X(UNDERSCORE, "_", 0, false)      \
  X(COMMA, ",", 0, true)            \
  X(DOT, ".", 0, false)             \
  X(ELVIS, "?.", 0, false)          \
  X(COALESCE, "\?\?", 135, true)    \
  X(RANGE, "..", 140, true)         \
  X(RANGE_INCL, "..=", 140, true)   \
  X(ASSIGN, "=", 0, true)           \
  X(EQ, "==", 90, true)             \
  X(NE, "!=", 90, true)             \
  X(LT, "<", 130, true)             \
  X(LE, "<=", 130, true)            \
  X(GT, ">", 130, true)             \
  X(GE, ">=", 130, true)            \
  X(BANG, "!", 0, true)             \
  X(PIPE, "|", 30, true)            \
  X(OR, "||", 30, true)             \
  X(CARET, "^", 30, true)           \
  X(AMP, "&", 60, true)             \
  X(AND, "&&", 60, true)            \
  X(PLUS_ASSIGN, "+=", 0, true)     \
  X(MINUS_ASSIGN, "-=", 0, true)    \
  X(STAR_ASSIGN, "*=", 0, true)     \
  X(SLASH_ASSIGN, "/=", 0, true)    \
  X(PERCENT_ASSIGN, "%=", 0, true)  \
  X(POWER_ASSIGN, "**=", 0, true)   \
  X(SHL_ASSIGN, "<<=", 0, true)     \
  X(SHR_ASSIGN, ">>=", 0, true)     \
  X(AMP_ASSIGN, "&=", 0, true)      \
  X(PIPE_ASSIGN, "|=", 0, true)     \
  X(CARET_ASSIGN, "^=", 0, true)    \
  X(IN, "in", 110, true)            \
  X(NOT_IN, "!in", 110, true)       \
  X(TRUE, "true", 0, false)         \
  X(FALSE, "false", 0, false)       \
  X(LET, "let", 0, false)           \
  X(CONST, "const", 0, false)       \
  X(IF, "if", 0, true)              \
  X(ELSE, "else", 0, false)         \
  X(SWITCH, "switch", 0, false)     \
  X(DO, "do", 0, false)             \
  X(WHILE, "while", 0, true)        \
  X(UNTIL, "until", 0, true)        \
  X(LOOP, "loop", 0, false)         \
  X(FOR, "for", 0, false)           \
  X(CONTINUE, "continue", 0, false) \
  X(BREAK, "break", 0, false)       \
  X(RETURN, "return", 0, true)      \
  X(THROW, "throw", 0, true)        \
  X(TRY, "try", 0, false)           \
  X(CATCH, "catch", 0, false)       \
  X(FN, "fn", 0, false)             \
  X(PRIVATE, "private", 0, false)   \
  X(IMPORT, "import", 0, false)     \
  X(EXPORT, "export", 0, false)     \
  X(AS, "as", 0, false)

typedef enum cwi_script_token_kind {
#define CWI_SCRIPT_TOKEN_ENUM(NAME, text, precedence, unary) CWI_TOKEN_##NAME,
  CWI_SCRIPT_TOKEN_TABLE(CWI_SCRIPT_TOKEN_ENUM)
#undef CWI_SCRIPT_TOKEN_ENUM
      CWI_TOKEN_COUNT
} cwi_script_token_kind;

typedef struct cwi_script_token_info {
  const char *text;
  uint8_t precedence;
  bool unary_next;
} cwi_script_token_info;

extern const cwi_script_token_info cwi_script_tokens[CWI_TOKEN_COUNT];

/* How a word or symbol is reserved: not at all; at all; but may be called f(x); and as x.f(). */
enum {
  CWI_RESERVED = 1,
  CWI_RESERVED_CALL = 2,
  CWI_RESERVED_METHOD = 4,
};
uint8_t cwi_script_reserved(const char *text, size_t size);

/* An interned identifier; two are the same where their pointers are. */
typedef struct cwi_script_sym {
  const char *text; /* NUL-terminated */
  uint32_t size;
  uint32_t hash;
  uint32_t index;  /* the n-th of its table */
  uint8_t keyword; /* cwi_script_token_kind, IDENT where it is none */
  uint8_t reserved;
  struct cwi_script_sym *next; /* in its bucket */
  struct cwi_script_def *defs; /* functions of this name, by `same_name` */
} cwi_script_sym;

typedef struct cwi_script_token {
  uint8_t kind;
  uint8_t error; /* of ERROR: cwi_script_lex_error */
  cwi_script_pos pos;
  union {
    int64_t i;
    double f;
    uint32_t c;
    cwi_script_sym *sym; /* IDENT, and RESERVED words */
    struct {
      const char *text; /* STRING, INTERP; RESERVED symbols; what ERROR is about */
      size_t size;
    } s;
  } u;
} cwi_script_token;

#endif
