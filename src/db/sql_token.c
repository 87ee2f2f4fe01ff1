/* SPDX-License-Identifier: MIT */
/* Names of tokens and keywords. Keywords are found by a binary search in a table that is sorted on
 * first use of the compiler's order: the list is checked by a test to be complete. */
#include "db/sql_token.h"

#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"

static const char *const kw_names[KW_COUNT_] = {"",
#define SQL_KW_NAME(NAME) #NAME,
                                                SQL_KEYWORDS(SQL_KW_NAME)
#undef SQL_KW_NAME
};

const char *cwi_sql_kw_text(sql_kw kw) {
  CWI_ASSERT(kw < KW_COUNT_);
  return kw_names[kw];
}

static uint32_t kw_hash(const char *text, size_t size) {
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (c >= 'a' && c <= 'z') c = (char)(c - 32);
    hash = (hash ^ (uint8_t)c) * 16777619U;
  }
  return hash;
}

static bool kw_equal(const char *name, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (c >= 'a' && c <= 'z') c = (char)(c - 32);
    if (name[i] != c) return false;
  }
  return name[size] == 0;
}

#define KW_SLOTS 1024U

/* The table is the same however often it is filled, and its ready flag is written last; the engine
 * fills it once at start, from one thread, through cwi_sql_kw_find's first caller. */
static uint16_t kw_slots[KW_SLOTS];

CWI_CONSTRUCTOR static void kw_fill(void) {
  for (uint32_t kw = 1; kw < KW_COUNT_; kw++) {
    uint32_t slot = kw_hash(kw_names[kw], strlen(kw_names[kw])) % KW_SLOTS;
    while (kw_slots[slot] != 0) slot = (slot + 1) % KW_SLOTS;
    kw_slots[slot] = (uint16_t)kw;
  }
}

sql_kw cwi_sql_kw_find(const char *text, size_t size) {
  if (size > 24) return KW_0;
  uint32_t slot = kw_hash(text, size) % KW_SLOTS;
  while (kw_slots[slot] != 0) {
    if (kw_equal(kw_names[kw_slots[slot]], text, size)) return (sql_kw)kw_slots[slot];
    slot = (slot + 1) % KW_SLOTS;
  }
  return KW_0;
}

static const char *const tok_names[TK_ERROR + 1] = {
    [TK_EOF] = "Eof",
    [TK_IDENT] = "an identifier",
    [TK_PARAM] = "a parameter",
    [TK_STRING] = "a strand",
    [TK_NUMBER] = "a number",
    [TK_DURATION] = "a duration",
    [TK_SEMI] = ";",
    [TK_COMMA] = ",",
    [TK_COLON] = ":",
    [TK_PATH] = "::",
    [TK_LPAREN] = "(",
    [TK_RPAREN] = ")",
    [TK_LBRACE] = "{",
    [TK_RBRACE] = "}",
    [TK_LBRACKET] = "[",
    [TK_RBRACKET] = "]",
    [TK_DOT] = ".",
    [TK_DOT2] = "..",
    [TK_DOT2EQ] = "..=",
    [TK_DOT3] = "...",
    [TK_PLUS] = "+",
    [TK_MINUS] = "-",
    [TK_STAR] = "*",
    [TK_SLASH] = "/",
    [TK_PERCENT] = "%",
    [TK_POW] = "**",
    [TK_TIMES] = "×",
    [TK_DIVIDE] = "÷",
    [TK_EQ] = "=",
    [TK_EQEQ] = "==",
    [TK_NE] = "!=",
    [TK_LT] = "<",
    [TK_LE] = "<=",
    [TK_GT] = ">",
    [TK_GE] = ">=",
    [TK_GTDOT2] = ">..",
    [TK_GTDOT2EQ] = ">..=",
    [TK_BANG] = "!",
    [TK_AND] = "&&",
    [TK_OR] = "||",
    [TK_NULLISH] = "??",
    [TK_ELVIS] = "?:",
    [TK_QUESTION] = "?",
    [TK_ANYEQ] = "?=",
    [TK_ALLEQ] = "*=",
    [TK_PLUSEQ] = "+=",
    [TK_MINUSEQ] = "-=",
    [TK_EXTEND] = "+?=",
    [TK_ARROW] = "->",
    [TK_LARROW] = "<-",
    [TK_BIARROW] = "<->",
    [TK_REFARROW] = "<~",
    [TK_PIPE] = "|",
    [TK_KNN] = "<|",
    [TK_KNNEND] = "|>",
    [TK_AT] = "@",
    [TK_DOLLAR] = "$",
    [TK_TILDE] = "~",
    [TK_CARET] = "^",
    [TK_AMP] = "&",
    [TK_SUBSETEQ] = "⊆",
    [TK_SUBSET] = "⊂",
    [TK_NSUBSET] = "⊄",
    [TK_SUPSETEQ] = "⊇",
    [TK_SUPSET] = "⊃",
    [TK_NSUPSET] = "⊅",
    [TK_ELEM] = "∈",
    [TK_NELEM] = "∉",
    [TK_NI] = "∋",
    [TK_NNI] = "∌",
    [TK_ERROR] = "an invalid token",
};

const char *cwi_sql_tok_text(sql_tok kind) { return tok_names[kind]; }

const char *cwi_sql_token_text(const sql_token *token) {
  if (token->kind == TK_IDENT && token->kw != KW_0 && !token->quoted) {
    if (token->kw == KW_TRUE) return "true";
    if (token->kw == KW_FALSE) return "false";
    return cwi_sql_kw_text((sql_kw)token->kw);
  }
  if (token->kind == TK_STRING && token->prefix == 'f') return "a file";
  return tok_names[token->kind];
}
