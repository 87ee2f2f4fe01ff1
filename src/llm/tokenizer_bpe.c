/* SPDX-License-Identifier: MIT */
/* Byte-level BPE. In files every byte is written as a printable character; here tokens are decoded
 * once to the bytes they stand for, and text is never encoded.
 *
 * Text is cut into words (tokenizer_split.c) by character, and bytes that are not UTF-8 become
 * U+FFFD, as models have been trained. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "core/utf8.h"
#include "llm/tokenizer_internal.h"

/* Which byte a character of the file stands for, or -1: printable Latin-1 for itself, the other 68
 * bytes in order from U+0100 on. */
static int byte_of(uint32_t codepoint) {
  const bool itself = (codepoint >= 33 && codepoint <= 126) ||
                      (codepoint >= 161 && codepoint <= 255 && codepoint != 173);
  if (itself) return (int)codepoint;
  if (codepoint < 256 || codepoint >= 256 + 68) return -1;
  const int index = (int)codepoint - 256;
  if (index < 33) return index;            /* 0 to 32 */
  if (index < 67) return index - 33 + 127; /* 127 to 160 */
  return 173;
}

/* Decodes a text of the file; false where it has characters that stand for no byte. */
static bool decode(cw_bytes text, char *out, size_t *size) {
  const char *s = text.data;
  *size = 0;
  for (size_t i = 0; i < text.size;) {
    uint32_t codepoint = 0;
    const size_t len = cwi_utf8_decode(s + i, text.size - i, &codepoint);
    const int byte = len == 0 ? -1 : byte_of(codepoint);
    if (byte < 0) return false;
    out[(*size)++] = (char)byte;
    i += len;
  }
  return true;
}

static bool decode_to_arena(cwi_tokenizer *t, cw_bytes text, cw_bytes *out, bool *ok) {
  char *bytes = cwi_arena_alloc(&t->arena, text.size + 1);
  size_t size = 0;
  if (bytes == NULL) return false;
  *ok = decode(text, bytes, &size);
  *out = (cw_bytes){bytes, size};
  return true;
}

static bool load_pieces(cwi_tokenizer *t) {
  for (uint32_t i = 0; i < t->len; i++) {
    cwi_token *token = &t->tokens[i];
    bool ok = false;
    cw_bytes bytes = {0};
    if (!decode_to_arena(t, token->text, &bytes, &ok)) return false;
    t->keys[i] = ok ? bytes : (cw_bytes){NULL, 0};
    token->piece = token->type == CWI_TOKEN_NORMAL && ok ? bytes : token->text;
    if (token->type == CWI_TOKEN_UNUSED) token->piece.size = 0;
  }
  return true;
}

static void add_merge(cwi_tokenizer *t, cwi_merge merge) {
  const uint64_t hash = (((uint64_t)merge.left << 32) | merge.right) * 0x9E3779B97F4A7C15ULL;
  for (uint32_t i = (uint32_t)(hash >> 32) & t->merge_mask;; i = (i + 1) & t->merge_mask) {
    cwi_merge *slot = &t->merges[i];
    if (slot->right == UINT32_MAX) {
      *slot = merge;
      return;
    }
    if (slot->left == merge.left && slot->right == merge.right) return; /* the first counts */
  }
}

/* Reads "left right"; one that is not so written is left out. */
static bool load_merge(cwi_tokenizer *t, cw_bytes line, uint32_t rank) {
  const char *text = line.data;
  const char *space = line.size < 3 ? NULL : memchr(text + 1, ' ', line.size - 1);
  if (space == NULL) return true;
  const size_t split = (size_t)(space - text);
  cw_bytes left = {0};
  cw_bytes right = {0};
  bool left_ok = false;
  bool right_ok = false;
  if (!decode_to_arena(t, (cw_bytes){text, split}, &left, &left_ok) ||
      !decode_to_arena(t, (cw_bytes){space + 1, line.size - split - 1}, &right, &right_ok)) {
    return false;
  }
  if (!left_ok || !right_ok || left.size == 0 || right.size == 0) return true;
  char *both = cwi_arena_alloc(&t->arena, left.size + right.size);
  if (both == NULL) return false;
  memcpy(both, left.data, left.size);
  memcpy(both + left.size, right.data, right.size);
  cwi_merge merge = {.rank = rank};
  if (!cwi_tokenizer_intern(t, left, &merge.left) ||
      !cwi_tokenizer_intern(t, right, &merge.right) ||
      !cwi_tokenizer_intern(t, (cw_bytes){both, left.size + right.size}, &merge.merged)) {
    return false;
  }
  add_merge(t, merge);
  return true;
}

static cw_status load_merges(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  const cwi_gguf_kv *kv = cwi_gguf_find(gguf, "tokenizer.ggml.merges");
  if (kv == NULL || kv->element != CWI_GGUF_STRING) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "the file has no tokenizer.ggml.merges; convert it anew");
  }
  uint32_t cap = 16;
  while (cap < kv->len * 2 && cap < (1U << 30)) cap *= 2;
  t->merges = cwi_arena_alloc_array(&t->arena, cap, sizeof(cwi_merge));
  if (t->merges == NULL) return CWI_RAISE_NOMEM(err, "merges");
  memset(t->merges, 0xFF, cap * sizeof(cwi_merge));
  t->merge_mask = cap - 1;
  size_t offset = 0;
  cw_bytes line = {0};
  for (uint32_t rank = 0; cwi_gguf_next_string(kv, &offset, &line); rank++) {
    if (!load_merge(t, line, rank)) return CWI_RAISE_NOMEM(err, "merges");
  }
  return CW_OK;
}

cw_status cwi_tokenizer_bpe_load(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  cw_bytes pre = {"gpt-2", 5};
  (void)cwi_gguf_get_string(gguf, "tokenizer.ggml.pre", &pre);
  const cwi_split *split = cwi_split_find(pre.data, pre.size);
  if (split == NULL) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "the pre-tokenizer '%.*s' is not known",
                     (int)(pre.size < 64 ? pre.size : 64), (const char *)pre.data);
  }
  t->split = *split;
  t->add_bos = split->add_bos;
  t->ignore_merges = split->ignore_merges;
  if (!load_pieces(t)) return CWI_RAISE_NOMEM(err, "a vocabulary");
  return CW_OK;
}

/* Runs after the symbols of tokens are in the table. */
cw_status cwi_tokenizer_bpe_finish(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  for (size_t b = 0; b < 256; b++) {
    const char c = (char)b;
    t->bytes[b] = cwi_tokenizer_lookup(t, &c, 1);
  }
  return load_merges(t, gguf, err);
}

/* Decodes one character as encoders did that the models saw: overlong forms and surrogates pass. */
static size_t decode_lenient(const char *text, size_t size, uint32_t *out) {
  const uint8_t *s = (const uint8_t *)text;
  *out = CWI_UTF8_REPLACEMENT;
  if (s[0] < 0x80) {
    *out = s[0];
    return 1;
  }
  const size_t len = s[0] < 0xC0 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF8 ? 4 : 0;
  if (len == 0 || len > size) return 1;
  uint32_t codepoint = s[0] & (0x7FU >> len);
  for (size_t i = 1; i < len; i++) {
    if ((s[i] & 0xC0) != 0x80) return 1;
    codepoint = codepoint << 6 | (s[i] & 0x3F);
  }
  if (codepoint > 0x10FFFF) return 1;
  *out = codepoint;
  return len;
}

static size_t encode_lenient(uint32_t c, char *out) {
  if (c < 0xD800 || c > 0xDFFF) return cwi_utf8_encode(c, out);
  out[0] = (char)(0xE0 | c >> 12);
  out[1] = (char)(0x80 | (c >> 6 & 0x3F));
  out[2] = (char)(0x80 | (c & 0x3F));
  return 3;
}

/* The text as characters, their classes, their clean bytes, and where each begins in these. */
typedef struct points {
  uint32_t *points;
  uint32_t *starts; /* [len + 1] */
  uint8_t *classes;
  char *bytes;
  size_t len, cap;
} points;

static void points_deinit(points *p) {
  cwi_free(p->points, p->cap * sizeof(uint32_t));
  cwi_free(p->starts, (p->cap + 1) * sizeof(uint32_t));
  cwi_free(p->classes, p->cap);
  cwi_free(p->bytes, p->cap * 3 + 1);
}

static bool points_init(points *p, const char *text, size_t size) {
  *p = (points){.cap = size};
  p->points = cwi_alloc(size * sizeof(uint32_t));
  p->starts = cwi_alloc((size + 1) * sizeof(uint32_t));
  p->classes = cwi_alloc(size);
  p->bytes = cwi_alloc(size * 3 + 1); /* a bad byte becomes three */
  if (p->points == NULL || p->starts == NULL || p->classes == NULL || p->bytes == NULL)
    return false;
  uint32_t at = 0;
  for (size_t i = 0; i < size; p->len++) {
    uint32_t c = 0;
    i += decode_lenient(text + i, size - i, &c);
    p->points[p->len] = c;
    p->classes[p->len] = cwi_split_class(c);
    p->starts[p->len] = at;
    if (c < 0x80) {
      p->bytes[at++] = (char)c;
    } else {
      char encoded[CWI_UTF8_BYTES_MAX];
      const size_t len = encode_lenient(c, encoded);
      memcpy(p->bytes + at, encoded, len);
      at += (uint32_t)len;
    }
  }
  p->starts[p->len] = at;
  return true;
}

static bool encode_word(cwi_merger *m, const char *word, size_t size, cwi_tokens *out) {
  const cwi_tokenizer *t = m->tokenizer;
  if (t->ignore_merges) {
    const uint32_t id = cwi_tokenizer_lookup(t, word, size);
    if (id < t->len) return cwi_tokens_push(out, (int32_t)id);
  }
  m->text = word;
  m->symbols_len = 0;
  for (size_t i = 0; i < size; i++) {
    if (!cwi_merger_push(m, (uint32_t)i, 1, t->bytes[(uint8_t)word[i]])) return false;
  }
  if (!cwi_merger_run(m)) return false;
  for (uint32_t i = 0; i != UINT32_MAX; i = m->symbols[i].next) {
    const cwi_symbol *symbol = &m->symbols[i];
    if (symbol->id < t->len) {
      if (!cwi_tokens_push(out, (int32_t)symbol->id)) return false;
      continue;
    }
    for (size_t k = 0; k < symbol->size; k++) { /* a merge that is no token */
      const uint32_t id = t->bytes[(uint8_t)word[symbol->start + k]];
      if (id < t->len && !cwi_tokens_push(out, (int32_t)id)) return false;
    }
  }
  return true;
}

cw_status cwi_tokenizer_bpe_encode(cwi_merger *m, const char *text, size_t size, cwi_tokens *out,
                                   cw_error *err) {
  points p;
  bool ok = points_init(&p, text, size);
  const cwi_split_text split = {p.points, p.classes, p.len};
  for (size_t i = 0; ok && i < p.len;) {
    const size_t end = cwi_split_next(&m->tokenizer->split, &split, i);
    ok = encode_word(m, p.bytes + p.starts[i], p.starts[end] - p.starts[i], out);
    i = end;
  }
  points_deinit(&p);
  return ok ? CW_OK : CWI_RAISE_NOMEM(err, "tokens");
}
