/* SPDX-License-Identifier: MIT */
/* The lexer: bytes to tokens, one at a time.
 *
 * A token remembers where it lies, and what it is; its text is read only when the parser wants it.
 * Numbers and durations are one token each ("1h30m", "2.5e-3", "3dec"); "1..5" is three, because a
 * dot belongs to a number only where a digit follows. Comments are `--`, `//`, `#` and C's. A
 * regular expression is not a token: where an operand may stand the parser sees `/` and reads one
 * itself.
 *
 * The end of the text is reported at its last character, as the engine that is imitated does. */
#include <string.h>

#include "core/utf8.h"
#include "db/sql_parser.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_word(char c) { return is_word_start(c) || is_digit(c); }

static char at(const sql_parser *p, size_t i) { return i < p->size ? p->text[i] : 0; }

/* Skips white space and comments; false where a comment does not end. */
static bool skip_space(sql_parser *p) {
  for (;;) {
    size_t i = p->next;
    char c = at(p, i);
    if (i >= p->size) return true;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f') {
      p->next++;
    } else if (c == '#' || (c == '-' && at(p, i + 1) == '-') || (c == '/' && at(p, i + 1) == '/')) {
      while (p->next < p->size && p->text[p->next] != '\n') p->next++;
    } else if (c == '/' && at(p, i + 1) == '*') {
      size_t end = i + 2;
      while (end < p->size && !(p->text[end] == '*' && at(p, end + 1) == '/')) end++;
      if (end >= p->size) {
        return cwi_sql_fail(p, i, 2, "Comment starts here.",
                            "Unexpected end of file, expected multi-line comment to end.");
      }
      p->next = end + 2;
    } else if ((unsigned char)c == 0xC2 && (unsigned char)at(p, i + 1) == 0xA0) {
      p->next += 2;
    } else {
      return true;
    }
  }
}

static void make(sql_parser *p, sql_token *out, sql_tok kind, size_t size) {
  out->kind = (uint8_t)kind;
  out->size = (uint32_t)size;
  p->next = out->at + size;
}

static void lex_string(sql_parser *p, sql_token *out, size_t prefix) {
  size_t i = out->at + prefix;
  char quote = p->text[i];
  size_t end = i + 1;
  while (end < p->size && p->text[end] != quote) end += p->text[end] == '\\' ? 2 : 1;
  if (end >= p->size) {
    cwi_sql_fail(p, out->at, 1, "String starting here.",
                 "Unexpected end of file, expected string to end.");
    make(p, out, TK_ERROR, p->size - out->at);
    return;
  }
  out->prefix = prefix > 0 ? p->text[out->at] : 0;
  make(p, out, TK_STRING, end + 1 - out->at);
}

static void lex_quoted_ident(sql_parser *p, sql_token *out) {
  bool back = p->text[out->at] == '`';
  size_t i = out->at + (back ? 1 : 3);
  for (;;) {
    if (i >= p->size) {
      cwi_sql_fail(p, out->at, p->size - out->at, NULL,
                   "Unexpected end of file, expected identifier to end with `%s`",
                   back ? "`" : "⟩");
      make(p, out, TK_ERROR, p->size - out->at);
      return;
    }
    if (p->text[i] == '\\') {
      i += 2;
    } else if (back && p->text[i] == '`') {
      i += 1;
      break;
    } else if (!back && i + 2 < p->size && memcmp(p->text + i, "⟩", 3) == 0) {
      i += 3;
      break;
    } else {
      i++;
    }
  }
  out->quoted = true;
  make(p, out, TK_IDENT, i - out->at);
}

/* Length of a duration unit at `i`, 0 if there is none. */
static size_t unit_at(const sql_parser *p, size_t i) {
  char c = at(p, i), d = at(p, i + 1);
  if ((c == 'n' || c == 'u' || c == 'm') && d == 's') return 2;
  if ((unsigned char)c == 0xC2 && (unsigned char)d == 0xB5 && at(p, i + 2) == 's') return 3;
  if ((unsigned char)c == 0xCE && (unsigned char)d == 0xBC && at(p, i + 2) == 's') return 3;
  if (c == 's' || c == 'm' || c == 'h' || c == 'd' || c == 'w' || c == 'y') return 1;
  return 0;
}

static void bad_number(sql_parser *p, sql_token *out, size_t i, const char *format) {
  uint32_t cp;
  size_t len = cwi_utf8_decode(p->text + i, p->size - i, &cp);
  if (len == 0) len = 1;
  cwi_sql_fail(p, out->at, i + len - out->at, NULL, format, (int)len, p->text + i);
  make(p, out, TK_ERROR, i + len - out->at);
}

static void lex_duration(sql_parser *p, sql_token *out, size_t i) {
  for (;;) {
    size_t unit = unit_at(p, i);
    if (unit == 0) break;
    i += unit;
    size_t digits = i;
    while (is_digit(at(p, digits))) digits++;
    if (digits == i) {
      if (is_word(at(p, i))) {
        bad_number(p, out, i,
                   "Invalid token, found invalid character `%.*s` after duration suffix");
        return;
      }
      break;
    }
    i = digits;
  }
  make(p, out, TK_DURATION, i - out->at);
}

static void lex_number(sql_parser *p, sql_token *out) {
  size_t i = out->at;
  while (is_digit(at(p, i)) || (at(p, i) == '_' && i > out->at)) i++;
  out->num = SQL_NUM_INT;
  if (unit_at(p, i) > 0 && !(at(p, i) == 'd' && at(p, i + 1) == 'e' && at(p, i + 2) == 'c')) {
    lex_duration(p, out, i);
    return;
  }
  if (at(p, i) == '.' && is_digit(at(p, i + 1))) {
    out->num = SQL_NUM_FLOAT;
    i++;
    while (is_digit(at(p, i)) || at(p, i) == '_') i++;
  }
  if (at(p, i) == 'e' || at(p, i) == 'E') {
    size_t digit = i + 1;
    if (at(p, digit) == '+' || at(p, digit) == '-') digit++;
    if (!is_digit(at(p, digit))) {
      uint32_t cp;
      size_t len = cwi_utf8_decode(p->text + digit, p->size - digit, &cp);
      cwi_sql_fail(p, digit - 1, 1, NULL, "Invalid number token, expected a digit, found: %.*s",
                   (int)len, p->text + digit);
      make(p, out, TK_ERROR, digit - out->at);
      return;
    }
    out->num = SQL_NUM_FLOAT;
    i = digit;
    while (is_digit(at(p, i)) || at(p, i) == '_') i++;
  }
  if (at(p, i) == 'f' && !is_word(at(p, i + 1))) {
    out->num = SQL_NUM_FLOAT;
    i++;
  } else if (i + 3 <= p->size && memcmp(p->text + i, "dec", 3) == 0 && !is_word(at(p, i + 3))) {
    out->num = SQL_NUM_DECIMAL;
    i += 3;
  }
  if (is_word(at(p, i)) ||
      ((unsigned char)at(p, i) >= 0x80 && at(p, i) != (char)0xE2 && at(p, i) != (char)0xC3)) {
    bad_number(p, out, i, "Invalid token, found unexpected character `%.*s` after number token");
    return;
  }
  make(p, out, TK_NUMBER, i - out->at);
}

/* Punctuation, longest first where one begins another. */
static const struct {
  char text[5];
  uint8_t kind;
} puncts[] = {
    {"<->", TK_BIARROW}, {"...", TK_DOT3},      {"..=", TK_DOT2EQ}, {"..", TK_DOT2},
    {".", TK_DOT},       {">..=", TK_GTDOT2EQ}, {">..", TK_GTDOT2}, {">=", TK_GE},
    {">", TK_GT},        {"<=", TK_LE},         {"<-", TK_LARROW},  {"<~", TK_REFARROW},
    {"<|", TK_KNN},      {"<", TK_LT},          {"->", TK_ARROW},   {"-=", TK_MINUSEQ},
    {"-", TK_MINUS},     {"+?=", TK_EXTEND},    {"+=", TK_PLUSEQ},  {"+", TK_PLUS},
    {"**", TK_POW},      {"*=", TK_ALLEQ},      {"*", TK_STAR},     {"/", TK_SLASH},
    {"%", TK_PERCENT},   {"==", TK_EQEQ},       {"=", TK_EQ},       {"!=", TK_NE},
    {"!", TK_BANG},      {"&&", TK_AND},        {"&", TK_AMP},      {"||", TK_OR},
    {"|>", TK_KNNEND},   {"|", TK_PIPE},        {"??", TK_NULLISH}, {"?:", TK_ELVIS},
    {"?=", TK_ANYEQ},    {"?", TK_QUESTION},    {"::", TK_PATH},    {":", TK_COLON},
    {";", TK_SEMI},      {",", TK_COMMA},       {"(", TK_LPAREN},   {")", TK_RPAREN},
    {"{", TK_LBRACE},    {"}", TK_RBRACE},      {"[", TK_LBRACKET}, {"]", TK_RBRACKET},
    {"@", TK_AT},        {"$", TK_DOLLAR},      {"~", TK_TILDE},    {"^", TK_CARET},
    {"…", TK_DOT3},      {"×", TK_TIMES},       {"÷", TK_DIVIDE},   {"⊆", TK_SUBSETEQ},
    {"⊂", TK_SUBSET},    {"⊄", TK_NSUBSET},     {"⊇", TK_SUPSETEQ}, {"⊃", TK_SUPSET},
    {"⊅", TK_NSUPSET},   {"∈", TK_ELEM},        {"∉", TK_NELEM},    {"∋", TK_NI},
    {"∌", TK_NNI},
};

static void lex_punct(sql_parser *p, sql_token *out) {
  const char *text = p->text + out->at;
  size_t left = p->size - out->at;
  for (size_t i = 0; i < CWI_ARRAY_LEN(puncts); i++) {
    size_t size = strlen(puncts[i].text);
    if (size > left || memcmp(text, puncts[i].text, size) != 0) continue;
    /* `a<-1` compares; an arrow has a name behind it. */
    if (puncts[i].kind == TK_LARROW && is_digit(at(p, out->at + 2))) continue;
    make(p, out, (sql_tok)puncts[i].kind, size);
    return;
  }
  uint32_t cp;
  size_t len = cwi_utf8_decode(text, left, &cp);
  if (len == 0) len = 1;
  cwi_sql_fail(p, out->at, len, NULL, "Invalid token `%.*s`", (int)len, text);
  make(p, out, TK_ERROR, len);
}

void cwi_sql_lex(sql_parser *p, sql_token *out) {
  size_t before = p->next;
  *out = (sql_token){.kind = TK_ERROR, .at = (uint32_t)p->next};
  if (p->failed || !skip_space(p)) return;
  out->spaced = p->next != before;
  out->at = (uint32_t)p->next;
  if (p->next >= p->size) {
    out->kind = TK_EOF;
    return;
  }
  char c = p->text[p->next], d = at(p, p->next + 1);
  if (c == '\'' || c == '"') {
    lex_string(p, out, 0);
  } else if (is_digit(c)) {
    lex_number(p, out);
  } else if ((d == '\'' || d == '"') && strchr("sdubrf", c) != NULL) {
    lex_string(p, out, 1);
  } else if (c == '`' || (p->next + 2 < p->size && memcmp(p->text + p->next, "⟨", 3) == 0)) {
    lex_quoted_ident(p, out);
  } else if (is_word_start(c)) {
    size_t i = p->next;
    while (is_word(at(p, i))) i++;
    out->kw = (uint16_t)cwi_sql_kw_find(p->text + p->next, i - p->next);
    make(p, out, TK_IDENT, i - out->at);
  } else if (c == '$' && (is_word_start(d) || is_digit(d))) {
    size_t i = p->next + 1;
    while (is_word(at(p, i))) i++;
    make(p, out, TK_PARAM, i - out->at);
  } else if (c == '$' && d == '`') {
    sql_token inner = {.at = out->at + 1};
    lex_quoted_ident(p, &inner);
    out->quoted = true;
    make(p, out, inner.kind == TK_ERROR ? TK_ERROR : TK_PARAM, inner.size + 1);
  } else {
    lex_punct(p, out);
  }
}

const sql_token *cwi_sql_peek_at(sql_parser *p, unsigned index) {
  while (p->peeked <= index) {
    cwi_sql_lex(p, &p->peek[p->peeked]);
    p->peeked++;
  }
  return &p->peek[index];
}

const sql_token *cwi_sql_peek(sql_parser *p) { return cwi_sql_peek_at(p, 0); }

sql_token cwi_sql_take(sql_parser *p) {
  sql_token token = *cwi_sql_peek(p);
  p->peeked--;
  memmove(p->peek, p->peek + 1, p->peeked * sizeof(p->peek[0]));
  p->last = token;
  return token;
}

void cwi_sql_rewind(sql_parser *p, size_t offset) {
  p->peeked = 0;
  p->next = offset;
}
