/* SPDX-License-Identifier: MIT */
/* SentencePiece vocabularies: a space is U+2581, characters merge by the highest score of what they
 * become, and characters that are no token become the tokens of their bytes. */
#include <string.h>

#include "core/assert.h"
#include "core/error.h"
#include "llm/tokenizer_internal.h"

static const char space_mark[] = "\xE2\x96\x81";
#define SPACE_MARK_SIZE 3U

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* The value of a text like "<0x0A>", or -1. */
static int byte_value(cw_bytes text) {
  const char *s = text.data;
  if (text.size != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>') return -1;
  const int high = hex_digit(s[3]);
  const int low = hex_digit(s[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Writes a token's bytes: the text with spaces in place of marks. */
static bool make_piece(cwi_tokenizer *t, cwi_token *token) {
  const char *text = token->text.data;
  char *piece = cwi_arena_alloc(&t->arena, token->text.size + 1);
  if (piece == NULL) return false;
  size_t size = 0;
  for (size_t i = 0; i < token->text.size;) {
    if (token->text.size - i >= SPACE_MARK_SIZE && memcmp(text + i, space_mark, 3) == 0) {
      piece[size++] = ' ';
      i += SPACE_MARK_SIZE;
    } else {
      piece[size++] = text[i++];
    }
  }
  token->piece = (cw_bytes){piece, size};
  return true;
}

cw_status cwi_tokenizer_spm_load(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  (void)gguf;
  for (size_t b = 0; b < 256; b++) t->bytes[b] = UINT32_MAX;
  for (uint32_t i = 0; i < t->len; i++) {
    cwi_token *token = &t->tokens[i];
    token->piece = token->text;
    if (token->type == CWI_TOKEN_UNUSED) token->piece.size = 0;
    const int value = byte_value(token->text);
    if (value >= 0) t->bytes[value] = i;
    if (token->type == CWI_TOKEN_BYTE && value >= 0) {
      char *piece = cwi_arena_alloc(&t->arena, 1);
      if (piece == NULL) return CWI_RAISE_NOMEM(err, "a vocabulary");
      *piece = (char)value;
      token->piece = (cw_bytes){piece, 1};
    } else if (token->type == CWI_TOKEN_NORMAL && !make_piece(t, token)) {
      return CWI_RAISE_NOMEM(err, "a vocabulary");
    }
  }
  for (size_t b = 0; b < 256; b++) { /* without byte tokens: the character itself */
    const char c = (char)b;
    if (t->bytes[b] == UINT32_MAX) t->bytes[b] = cwi_tokenizer_lookup(t, &c, 1);
  }
  return CW_OK;
}

static bool emit_bytes(const cwi_tokenizer *t, const char *text, size_t size, cwi_tokens *out) {
  for (size_t i = 0; i < size; i++) {
    const uint32_t id = t->bytes[(uint8_t)text[i]];
    const int32_t token = id == UINT32_MAX ? t->unk : (int32_t)id;
    if (token >= 0 && !cwi_tokens_push(out, token)) return false;
  }
  return true;
}

static bool escape(cwi_buf *out, const char *text, size_t size, bool prefix) {
  if (prefix) (void)cwi_buf_append(out, space_mark, SPACE_MARK_SIZE);
  while (size > 0) {
    const char *space = memchr(text, ' ', size);
    const size_t run = space == NULL ? size : (size_t)(space - text);
    (void)cwi_buf_append(out, text, run);
    if (space == NULL) break;
    (void)cwi_buf_append(out, space_mark, SPACE_MARK_SIZE);
    text += run + 1;
    size -= run + 1;
  }
  return !out->failed;
}

cw_status cwi_tokenizer_spm_encode(cwi_merger *m, const char *text, size_t size, bool prefix,
                                   cwi_tokens *out, cw_error *err) {
  static const uint8_t lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  const cwi_tokenizer *t = m->tokenizer;
  cwi_buf escaped;
  cwi_buf_init(&escaped, 0);
  bool ok = escape(&escaped, text, size, prefix);
  m->text = escaped.data;
  m->symbols_len = 0;
  for (size_t i = 0; ok && i < escaped.size;) {
    size_t len = lengths[(uint8_t)escaped.data[i] >> 4];
    if (len > escaped.size - i) len = escaped.size - i;
    const uint32_t id = cwi_tokenizer_lookup(t, escaped.data + i, len);
    ok = cwi_merger_push(m, (uint32_t)i, (uint32_t)len, id);
    i += len;
  }
  ok = ok && cwi_merger_run(m);
  for (uint32_t i = m->symbols_len > 0 ? 0 : UINT32_MAX; ok && i != UINT32_MAX;
       i = m->symbols[i].next) {
    const cwi_symbol *symbol = &m->symbols[i];
    ok = symbol->id != UINT32_MAX ? cwi_tokens_push(out, (int32_t)symbol->id)
                                  : emit_bytes(t, escaped.data + symbol->start, symbol->size, out);
  }
  cwi_buf_deinit(&escaped);
  m->text = NULL;
  return ok ? CW_OK : CWI_RAISE_NOMEM(err, "tokens");
}
