/* SPDX-License-Identifier: MIT */
/* Text to tokens.
 *
 * One pass over UTF-8 bytes. Positions are columns in characters: the lexer remembers where the
 * line began and how many continuation bytes it has passed since, so that ASCII costs nothing. A
 * string without escapes is a slice of the script; one with escapes is decoded into the arena.
 *
 * Some decisions need the token before: "-5" is one token after an operator and two after a value,
 * and so `-2 ** 2` is 4. A back-tick string with ${...} is delivered in parts: INTERP (text before
 * the hole), then the tokens of the hole's block, then the parser asks for the next text. */
#include "script/script_lexer.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/utf8.h"

void cwi_script_lexer_init(cwi_script_lexer *lexer, const char *text, size_t size, cwi_arena *arena,
                           cwi_script_syms *syms) {
  CWI_ASSERT(text != NULL || size == 0);
  *lexer = (cwi_script_lexer){.text = text, .size = size, .line = 1, .arena = arena, .syms = syms};
}

static char peek_at(const cwi_script_lexer *lexer, size_t ahead) {
  return lexer->at + ahead < lexer->size ? lexer->text[lexer->at + ahead] : '\0';
}

static bool at_end(const cwi_script_lexer *lexer) { return lexer->at >= lexer->size; }

/* The position of the character at offset `at`, which is on the current line. */
static cwi_script_pos pos_at(const cwi_script_lexer *lexer, size_t at) {
  size_t column = at - lexer->line_start - lexer->line_hidden + 1;
  uint32_t line = lexer->line > 0xFFFF ? 0xFFFF : lexer->line;
  return (line << 16) | (uint32_t)(column > 0xFFFF ? 0xFFFF : column);
}

/* Notes that the byte at offset `at` - 1 was a line feed. */
static void line_begin(cwi_script_lexer *lexer, size_t at) {
  lexer->line++;
  lexer->line_start = at;
  lexer->line_hidden = 0;
}

static void token_error(cwi_script_token *token, cwi_script_lex_error error, cwi_script_pos pos,
                        const char *text, size_t size) {
  token->kind = CWI_TOKEN_ERROR;
  token->error = (uint8_t)error;
  token->pos = pos;
  token->u.s.text = text;
  token->u.s.size = size;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

static int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* ---- strings ---- */

/* Steps over one character, counting the bytes that begin none; returns its first byte. */
static char step(cwi_script_lexer *lexer) {
  char c = lexer->text[lexer->at++];
  if ((uint8_t)c >= 0xC0) {
    while (lexer->at < lexer->size && ((uint8_t)lexer->text[lexer->at] & 0xC0) == 0x80) {
      lexer->at++;
      lexer->line_hidden++;
    }
  }
  return c;
}

/* What has been decoded of a string: a slice of the script as long as nothing was different, then a
 * copy with room for the rest of the script's string. */
typedef struct decoded {
  const char *slice;
  cwi_buf buf;
  size_t size;
  bool copied;
} decoded;

static void decoded_push(decoded *d, const char *bytes, size_t size) {
  if (!d->copied && d->slice + d->size == bytes) {
    d->size += size;
    return;
  }
  if (!d->copied) {
    d->copied = true;
    cwi_buf_append(&d->buf, d->slice, d->size);
  }
  cwi_buf_append(&d->buf, bytes, size);
  d->size += size;
}

/* Moves the text into the token; false where there is no memory. */
static bool decoded_finish(cwi_script_lexer *lexer, decoded *d, cwi_script_token *token) {
  const char *text = d->slice;
  if (d->copied) {
    text = d->buf.failed ? NULL : cwi_arena_strndup(lexer->arena, d->buf.data, d->size);
    cwi_buf_deinit(&d->buf);
  }
  if (text == NULL && d->size != 0) {
    token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
    return false;
  }
  token->u.s.text = text;
  token->u.s.size = d->size;
  return true;
}

static bool too_long(const cwi_script_lexer *lexer, const decoded *d) {
  return lexer->string_size_max != 0 && d->size > lexer->string_size_max;
}

/* \xNN, \uNNNN, \UNNNNNNNN; the letter has been read, `start` is the offset of the backslash. */
static bool lex_escape_code(cwi_script_lexer *lexer, size_t start, char letter, decoded *d,
                            cwi_script_token *token) {
  int len = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  uint32_t code = 0;
  for (int i = 0; i < len; i++) {
    int digit = -1;
    cwi_script_pos pos = pos_at(lexer, lexer->at - 1);
    if (!at_end(lexer)) {
      pos = pos_at(lexer, lexer->at);
      digit = hex_digit(step(lexer));
    }
    if (digit < 0 || code > 0x0FFFFFFF) {
      token_error(token, CWI_LEX_MALFORMED_ESCAPE, pos, lexer->text + start, lexer->at - start);
      return false;
    }
    code = code * 16 + (uint32_t)digit;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    token_error(token, CWI_LEX_MALFORMED_ESCAPE, pos_at(lexer, lexer->at - 1), lexer->text + start,
                lexer->at - start);
    return false;
  }
  char bytes[CWI_UTF8_BYTES_MAX];
  decoded_push(d, bytes, cwi_utf8_encode(code, bytes));
  return true;
}

/* After a backslash at `start`: false on an error. */
static bool lex_escape(cwi_script_lexer *lexer, size_t start, char end, bool continuation,
                       size_t *skip_column, cwi_script_pos string_pos, decoded *d,
                       cwi_script_token *token) {
  size_t before = lexer->at;
  char c = step(lexer);
  switch (c) {
    case 'n': decoded_push(d, "\n", 1); return true;
    case 'r': decoded_push(d, "\r", 1); return true;
    case 't': decoded_push(d, "\t", 1); return true;
    case '\\': decoded_push(d, "\\", 1); return true;
    case 'x':
    case 'u':
    case 'U': return lex_escape_code(lexer, start, c, d, token);
    default: break;
  }
  if (c == '\r' && peek_at(lexer, 0) == '\n') c = step(lexer);
  if (c == '\n' && continuation) {
    line_begin(lexer, lexer->at);
    *skip_column = cwi_script_pos_column(string_pos) + 1;
    return true;
  }
  if (c == '\n') {
    token_error(token, CWI_LEX_UNTERMINATED_STRING, string_pos, "", 0);
    return false;
  }
  if (c == end) {
    decoded_push(d, &lexer->text[before], 1);
    return true;
  }
  token_error(token, CWI_LEX_MALFORMED_ESCAPE, pos_at(lexer, before), lexer->text + start,
              lexer->at - start);
  return false;
}

/* A "string" or 'c', the opening quote read. */
static void lex_quoted(cwi_script_lexer *lexer, char end, bool continuation,
                       cwi_script_token *token) {
  decoded d = {.slice = lexer->text + lexer->at};
  cwi_script_pos start = token->pos;
  size_t skip_column = 0;
  for (;;) {
    if (at_end(lexer)) {
      token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
      break;
    }
    if (too_long(lexer, &d)) {
      token_error(token, CWI_LEX_STRING_TOO_LONG, start, "", 0);
      break;
    }
    size_t at = lexer->at;
    cwi_script_pos pos = pos_at(lexer, at);
    char c = step(lexer);
    if (c == end) {
      if (peek_at(lexer, 0) != end) {
        if (too_long(lexer, &d)) token_error(token, CWI_LEX_STRING_TOO_LONG, start, "", 0);
        break;
      }
      lexer->at++;
    }
    if (c == '\\') {
      if (at_end(lexer)) {
        token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
        break;
      }
      if (!lex_escape(lexer, at, end, continuation, &skip_column, start, &d, token)) break;
      continue;
    }
    if (c == '\r' && peek_at(lexer, 0) == '\n') continue;
    if (c == '\n') {
      token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
      break;
    }
    if (skip_column != 0 && (c == ' ' || c == '\t') && cwi_script_pos_column(pos) < skip_column) {
      continue;
    }
    skip_column = 0;
    decoded_push(&d, lexer->text + at, c == end ? 1 : lexer->at - at);
  }
  if (token->kind == CWI_TOKEN_ERROR) {
    cwi_buf_deinit(&d.buf);
    return;
  }
  decoded_finish(lexer, &d, token);
}

/* Text of a back-tick string up to its end or to ${, of which { is left to be read. */
static void lex_text(cwi_script_lexer *lexer, cwi_script_token *token) {
  decoded d = {.slice = lexer->text + lexer->at};
  cwi_script_pos start = token->pos;
  for (;;) {
    if (at_end(lexer)) {
      token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
      break;
    }
    size_t at = lexer->at;
    char c = step(lexer);
    if (c == '$' && peek_at(lexer, 0) == '{') {
      token->kind = CWI_TOKEN_INTERP;
      break;
    }
    if (c == '\\' && peek_at(lexer, 0) == '$' && peek_at(lexer, 1) == '{') {
      lexer->at++;
      decoded_push(&d, "$", 1);
      continue;
    }
    if (too_long(lexer, &d)) {
      token_error(token, CWI_LEX_STRING_TOO_LONG, start, "", 0);
      break;
    }
    if (c == '`') {
      if (peek_at(lexer, 0) != '`') break;
      lexer->at++;
      decoded_push(&d, "`", 1);
      continue;
    }
    if (c == '\r' && peek_at(lexer, 0) == '\n') continue;
    if (c == '\n') line_begin(lexer, lexer->at);
    decoded_push(&d, lexer->text + at, lexer->at - at);
  }
  if (token->kind != CWI_TOKEN_ERROR && too_long(lexer, &d)) {
    token_error(token, CWI_LEX_STRING_TOO_LONG, start, "", 0);
  }
  if (token->kind == CWI_TOKEN_ERROR) {
    cwi_buf_deinit(&d.buf);
    return;
  }
  decoded_finish(lexer, &d, token);
}

void cwi_script_lexer_next_text(cwi_script_lexer *lexer, cwi_script_token *token) {
  token->kind = CWI_TOKEN_STRING;
  token->pos = pos_at(lexer, lexer->at);
  lex_text(lexer, token);
  lexer->no_unary = true;
}

/* #"..."#, the first # read. */
static void lex_raw(cwi_script_lexer *lexer, cwi_script_token *token) {
  size_t hashes = 1;
  cwi_script_pos start = token->pos;
  while (peek_at(lexer, 0) == '#') {
    lexer->at++;
    hashes++;
  }
  if (at_end(lexer)) {
    token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
    return;
  }
  size_t quote = lexer->at;
  if (step(lexer) != '"') {
    token_error(token, CWI_LEX_UNEXPECTED_INPUT, start, lexer->text + quote, lexer->at - quote);
    return;
  }
  size_t begin = lexer->at;
  while (!at_end(lexer)) {
    size_t at = lexer->at;
    char c = step(lexer);
    if (c == '\n') line_begin(lexer, lexer->at);
    if (lexer->string_size_max != 0 && at - begin > lexer->string_size_max) {
      token_error(token, CWI_LEX_STRING_TOO_LONG, start, "", 0);
      return;
    }
    if (c != '"') continue;
    size_t seen = 0;
    while (seen < hashes && peek_at(lexer, seen) == '#') seen++;
    if (seen == hashes) {
      lexer->at += hashes;
      token->kind = CWI_TOKEN_STRING;
      token->u.s.text = lexer->text + begin;
      token->u.s.size = at - begin;
      return;
    }
  }
  token_error(token, CWI_LEX_UNTERMINATED_STRING, start, "", 0);
}

static void lex_char(cwi_script_lexer *lexer, cwi_script_token *token) {
  cwi_script_pos start = token->pos;
  if (peek_at(lexer, 0) == '\'') {
    token_error(token, CWI_LEX_MALFORMED_CHAR, start, "", 0);
    return;
  }
  token->kind = CWI_TOKEN_STRING;
  lex_quoted(lexer, '\'', false, token);
  if (token->kind == CWI_TOKEN_ERROR) return;
  const char *text = token->u.s.text;
  size_t size = token->u.s.size;
  uint32_t code = 0;
  size_t used = cwi_utf8_decode(text, size, &code);
  if (used == 0 || used != size) {
    token_error(token, CWI_LEX_MALFORMED_CHAR, start, text, size);
    return;
  }
  token->kind = CWI_TOKEN_CHAR;
  token->u.c = code;
}

/* ---- numbers ---- */

/* The digits of a number without separators, kept in `digits`. */
typedef struct number {
  cwi_buf digits;
  int radix; /* 0: decimal */
  bool has_period, has_e;
} number;

/* Looks behind a '.': true where it belongs to the number. */
static bool period_is_fraction(const cwi_script_lexer *lexer) {
  if (lexer->at + 1 >= lexer->size) return false;
  char next = peek_at(lexer, 1);
  return is_digit(next) || (next != '_' && next != '.' && !is_letter(next));
}

static bool number_digit_ok(int radix, char c) {
  int digit = hex_digit(c);
  return digit >= 0 && digit < (radix == 0 ? 10 : radix);
}

static void scan_number(cwi_script_lexer *lexer, number *n) {
  bool leading_zero = lexer->text[lexer->at - 1] == '0';
  size_t sign = n->digits.size;
  cwi_buf_append_char(&n->digits, lexer->text[lexer->at - 1]);
  while (!at_end(lexer)) {
    char c = peek_at(lexer, 0);
    if (c == '_') {
      lexer->at++;
    } else if (number_digit_ok(n->radix, c)) {
      cwi_buf_append_char(&n->digits, c);
      lexer->at++;
    } else if (c == '.' && !n->has_period && n->radix == 0 && period_is_fraction(lexer)) {
      n->has_period = true;
      cwi_buf_append_char(&n->digits, '.');
      lexer->at++;
      if (!is_digit(peek_at(lexer, 0))) cwi_buf_append_char(&n->digits, '0');
    } else if ((c == 'e' || c == 'E') && !n->has_e && n->radix == 0) {
      char next = peek_at(lexer, 1);
      bool has_sign = next == '+' || next == '-';
      if (!is_digit(next) && !has_sign) break;
      cwi_buf_append_char(&n->digits, 'e');
      if (has_sign) cwi_buf_append_char(&n->digits, next);
      lexer->at += has_sign ? 2 : 1;
      n->has_e = n->has_period = true;
    } else if (strchr("xobXOB", c) != NULL && leading_zero && n->digits.size == sign + 1) {
      n->radix = c == 'x' || c == 'X' ? 16 : c == 'o' || c == 'O' ? 8 : 2;
      cwi_buf_append_char(&n->digits, c);
      lexer->at++;
    } else {
      break;
    }
  }
}

static bool parse_radix(const char *digits, int radix, uint64_t *out) {
  uint64_t value = 0;
  if (*digits == '\0') return false;
  for (; *digits != '\0'; digits++) {
    int digit = hex_digit(*digits);
    if (digit < 0 || digit >= radix || CWI_MUL_OVERFLOWS(value, (uint64_t)radix, &value) ||
        CWI_ADD_OVERFLOWS(value, (uint64_t)digit, &value)) {
      return false;
    }
  }
  *out = value;
  return true;
}

static bool parse_decimal(const char *digits, int64_t *out) {
  bool negative = *digits == '-';
  int64_t value = 0;
  for (digits += negative; *digits != '\0'; digits++) {
    if (!is_digit(*digits) || CWI_MUL_OVERFLOWS(value, (int64_t)10, &value)) return false;
    int64_t digit = *digits - '0';
    if (negative ? CWI_SUB_OVERFLOWS(value, digit, &value)
                 : CWI_ADD_OVERFLOWS(value, digit, &value)) {
      return false;
    }
  }
  *out = value;
  return true;
}

/* Short plain decimals, by far the most: no copying. The first digit has been read. */
static bool lex_number_short(cwi_script_lexer *lexer, bool negative, cwi_script_token *token) {
  int64_t value = lexer->text[lexer->at - 1] - '0';
  size_t at = lexer->at;
  while (at < lexer->size && is_digit(lexer->text[at]) && at - lexer->at < 16) {
    value = value * 10 + (lexer->text[at++] - '0');
  }
  char next = at < lexer->size ? lexer->text[at] : ' ';
  if (next == '.' || next == '_' || is_digit(next) || is_letter(next)) return false;
  lexer->at = at;
  token->kind = CWI_TOKEN_INT;
  token->u.i = negative ? -value : value;
  return true;
}

static void lex_number(cwi_script_lexer *lexer, bool negative, cwi_script_token *token) {
  if (lex_number_short(lexer, negative, token)) return;
  number n = {0};
  if (negative) cwi_buf_append_char(&n.digits, '-');
  scan_number(lexer, &n);
  const char *text = cwi_buf_cstr(&n.digits);
  if (text == NULL || n.digits.failed) {
    token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
  } else if (n.radix != 0) {
    /* A sign in front makes this "-0x10": the reference then looks at "x10", and refuses it. */
    uint64_t value = 0;
    if (parse_radix(text + 2, n.radix, &value)) {
      token->kind = CWI_TOKEN_INT;
      token->u.i = (int64_t)value;
    } else {
      char *copy = cwi_arena_strndup(lexer->arena, text + 2, n.digits.size - 2);
      token_error(token, copy == NULL ? CWI_LEX_NOMEM : CWI_LEX_MALFORMED_NUMBER, token->pos,
                  copy == NULL ? "" : copy, copy == NULL ? 0 : n.digits.size - 2);
    }
  } else if (!n.has_period && parse_decimal(text, &token->u.i)) {
    token->kind = CWI_TOKEN_INT;
  } else {
    char *end = NULL;
    token->kind = CWI_TOKEN_FLOAT;
    token->u.f = strtod(text, &end);
    if (*end != '\0') {
      char *copy = cwi_arena_strndup(lexer->arena, text, n.digits.size);
      token_error(token, copy == NULL ? CWI_LEX_NOMEM : CWI_LEX_MALFORMED_NUMBER, token->pos,
                  copy == NULL ? "" : copy, copy == NULL ? 0 : n.digits.size);
    }
  }
  cwi_buf_deinit(&n.digits);
}

/* ---- words, comments, symbols ---- */

static void lex_word(cwi_script_lexer *lexer, cwi_script_token *token) {
  size_t start = lexer->at - 1;
  while (lexer->at < lexer->size && is_word(lexer->text[lexer->at])) lexer->at++;
  cwi_script_sym *sym = cwi_script_sym_intern(lexer->syms, lexer->text + start, lexer->at - start);
  if (sym == NULL) {
    token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
    return;
  }
  token->u.sym = sym;
  token->kind = sym->keyword;
  if (sym->keyword != CWI_TOKEN_IDENT) return;
  if (sym->reserved != 0) {
    token->kind = CWI_TOKEN_RESERVED;
  } else if (sym->text[0] == '_') {
    token_error(token, CWI_LEX_MALFORMED_IDENTIFIER, token->pos, sym->text, sym->size);
  }
}

static void skip_line_comment(cwi_script_lexer *lexer) {
  while (!at_end(lexer)) {
    char c = step(lexer);
    if (c == '\r' && peek_at(lexer, 0) == '\n') c = step(lexer);
    if (c == '\n' || c == '\r') {
      line_begin(lexer, lexer->at);
      return;
    }
  }
}

static void skip_block_comment(cwi_script_lexer *lexer) {
  for (size_t level = 1; level > 0 && !at_end(lexer);) {
    char c = step(lexer);
    if (c == '\n') line_begin(lexer, lexer->at);
    if (c == '/' && peek_at(lexer, 0) == '*') {
      lexer->at++;
      level++;
    } else if (c == '*' && peek_at(lexer, 0) == '/') {
      lexer->at++;
      level--;
    }
  }
}

/* Symbols of two or three characters that are no tokens, and what to say about some of them. */
static const struct {
  const char *text;
  const char *advice;
} wrong_symbols[] = {
    {"===", "'===' is not a valid operator. This is not JavaScript! Should it be '=='?"},
    {"!==", "'!==' is not a valid operator. This is not JavaScript! Should it be '!='?"},
    {"->", "'->' is not a valid symbol. This is not C or C++!"},
    {"<-", "'<-' is not a valid symbol. This is not Go! Should it be '<='?"},
    {":=",
     "':=' is not a valid assignment operator. This is not Go or Pascal! Should it be simply '='?"},
    {":;", "':;' is not a valid symbol. Should it be '::'?"},
    {"::<", "'::<>' is not a valid symbol. This is not Rust! Should it be '::'?"},
    {"(*",
     "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?"},
    {"*)",
     "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?"},
    {"# {", "'#' is not a valid symbol. Should it be '#{'?"},
    {"...", NULL},
    {"++", NULL},
    {"--", NULL},
    {"<|", NULL},
    {"|>", NULL},
    {"!.", NULL},
    {"#!", NULL},
};

static bool lex_wrong_symbol(cwi_script_lexer *lexer, cwi_script_token *token) {
  size_t start = lexer->at - 1;
  for (size_t i = 0; i < CWI_ARRAY_LEN(wrong_symbols); i++) {
    const char *text = wrong_symbols[i].text;
    size_t size = strlen(text);
    if (lexer->size - start < size || memcmp(lexer->text + start, text, size) != 0) continue;
    lexer->at = start + size;
    if (wrong_symbols[i].advice != NULL) {
      const char *advice = wrong_symbols[i].advice;
      token_error(token, CWI_LEX_IMPROPER_SYMBOL, token->pos, advice, strlen(advice));
    } else {
      token->kind = CWI_TOKEN_RESERVED;
      token->u.sym = cwi_script_sym_intern(lexer->syms, text, size);
      if (token->u.sym == NULL) token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
    }
    return true;
  }
  return false;
}

/* The longest operator at the character before `at`; EOF where there is none. */
static cwi_script_token_kind match_symbol(cwi_script_lexer *lexer) {
  cwi_script_token_kind best = CWI_TOKEN_EOF;
  size_t best_size = 0;
  const char *at = lexer->text + lexer->at - 1;
  size_t left = lexer->size - lexer->at + 1;
  for (int kind = CWI_TOKEN_UNIT; kind <= CWI_TOKEN_CARET_ASSIGN; kind++) {
    const char *text = cwi_script_tokens[kind].text;
    if (text[0] != at[0] || kind == CWI_TOKEN_UNDERSCORE) continue;
    size_t size = strlen(text);
    if (size > best_size && size <= left && memcmp(at, text, size) == 0) {
      best = (cwi_script_token_kind)kind;
      best_size = size;
    }
  }
  if (best != CWI_TOKEN_EOF) lexer->at += best_size - 1;
  return best;
}

static void lex_symbol(cwi_script_lexer *lexer, char c, cwi_script_token *token) {
  bool sign = !lexer->no_unary;
  if (c == '-' && sign && is_digit(peek_at(lexer, 0))) {
    lexer->at++;
    lex_number(lexer, true, token);
    return;
  }
  switch (c) { /* the most frequent ones that begin nothing longer */
    case ';': token->kind = CWI_TOKEN_SEMICOLON; return;
    case ',': token->kind = CWI_TOKEN_COMMA; return;
    case ')': token->kind = CWI_TOKEN_RPAREN; return;
    case '{': token->kind = CWI_TOKEN_LBRACE; return;
    case '}': token->kind = CWI_TOKEN_RBRACE; return;
    case '[': token->kind = CWI_TOKEN_LBRACKET; return;
    case ']': token->kind = CWI_TOKEN_RBRACKET; return;
    default: break;
  }
  if (c == '!' && peek_at(lexer, 0) == 'i' && peek_at(lexer, 1) == 'n' &&
      !is_word(peek_at(lexer, 2))) {
    lexer->at += 2;
    token->kind = CWI_TOKEN_NOT_IN;
    return;
  }
  if (lex_wrong_symbol(lexer, token)) return;
  cwi_script_token_kind kind = match_symbol(lexer);
  if (kind == CWI_TOKEN_PLUS && sign) kind = CWI_TOKEN_UNARY_PLUS;
  if (kind == CWI_TOKEN_MINUS && sign) kind = CWI_TOKEN_UNARY_MINUS;
  if (kind != CWI_TOKEN_EOF) {
    token->kind = (uint8_t)kind;
    return;
  }
  if (c == '#' || c == '~' || c == '@' || c == '$' || c == '?') {
    if (c == '#' && peek_at(lexer, 0) == ' ') lexer->at++;
    token->kind = CWI_TOKEN_RESERVED;
    token->u.sym = cwi_script_sym_intern(lexer->syms, &c, 1);
    if (token->u.sym == NULL) token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
    return;
  }
  size_t start = --lexer->at;
  step(lexer);
  token_error(token, CWI_LEX_UNEXPECTED_INPUT, token->pos, lexer->text + start, lexer->at - start);
}

/* Steps over white space and comments; false at the end of the script. */
static bool skip_blank(cwi_script_lexer *lexer) {
  while (!at_end(lexer)) {
    char c = lexer->text[lexer->at];
    if (c == '\n') {
      lexer->at++;
      line_begin(lexer, lexer->at);
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      lexer->at++;
    } else if (c == '/' && peek_at(lexer, 1) == '/') {
      lexer->at += 2;
      skip_line_comment(lexer);
    } else if (c == '/' && peek_at(lexer, 1) == '*') {
      lexer->at += 2;
      skip_block_comment(lexer);
    } else {
      return true;
    }
  }
  return false;
}

/* The engine may disable one symbol or keyword. */
static void apply_disabled(cwi_script_lexer *lexer, cwi_script_token *token) {
  const char *text = cwi_script_tokens[token->kind].text;
  bool reserved = token->kind == CWI_TOKEN_RESERVED;
  if (reserved) text = token->u.sym->text;
  if ((!reserved && token->kind < CWI_TOKEN_UNIT) || strcmp(text, lexer->disabled) != 0) return;
  if (!reserved) {
    token->u.sym = cwi_script_sym_intern(lexer->syms, text, strlen(text));
    token->kind = CWI_TOKEN_RESERVED;
    if (token->u.sym == NULL) token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
    return;
  }
  cwi_buf message = {0};
  cwi_buf_append_format(&message, "reserved %s '%s' is disabled",
                        cwi_script_is_identifier(text, strlen(text)) ? "keyword" : "symbol", text);
  char *copy = message.failed ? NULL : cwi_arena_strndup(lexer->arena, message.data, message.size);
  if (copy == NULL) {
    token_error(token, CWI_LEX_NOMEM, token->pos, "", 0);
  } else {
    token_error(token, CWI_LEX_IMPROPER_SYMBOL, token->pos, copy, message.size);
  }
  cwi_buf_deinit(&message);
}

void cwi_script_lexer_next(cwi_script_lexer *lexer, cwi_script_token *token) {
  token->kind = CWI_TOKEN_EOF;
  token->error = CWI_LEX_NONE;
  bool more = skip_blank(lexer);
  token->pos = pos_at(lexer, lexer->at);
  if (!more) return;
  char c = lexer->text[lexer->at++];
  if (is_letter(c) || c == '_') {
    lex_word(lexer, token);
  } else if (is_digit(c)) {
    lex_number(lexer, false, token);
  } else if (c == '"') {
    token->kind = CWI_TOKEN_STRING;
    lex_quoted(lexer, '"', true, token);
  } else if (c == '\'') {
    lex_char(lexer, token);
  } else if (c == '`') {
    if (peek_at(lexer, 0) == '\r') lexer->at++;
    if (peek_at(lexer, 0) == '\n') {
      lexer->at++;
      line_begin(lexer, lexer->at);
    }
    token->kind = CWI_TOKEN_STRING;
    lex_text(lexer, token);
  } else if (c == '#' && (peek_at(lexer, 0) == '"' || peek_at(lexer, 0) == '#')) {
    lex_raw(lexer, token);
  } else {
    lex_symbol(lexer, c, token);
  }
  if (lexer->disabled != NULL && token->kind != CWI_TOKEN_ERROR) apply_disabled(lexer, token);
  lexer->no_unary = !cwi_script_tokens[token->kind].unary_next;
}
