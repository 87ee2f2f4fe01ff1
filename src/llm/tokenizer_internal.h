/* SPDX-License-Identifier: MIT */
/* What the parts of the tokenizer share. */
#ifndef LLM_TOKENIZER_INTERNAL_H
#define LLM_TOKENIZER_INTERNAL_H

#include "core/arena.h"
#include "llm/tokenizer.h"
#include "llm/tokenizer_split.h"

/* Types of tokens; the numbers are those of the file format. */
typedef enum cwi_token_type {
  CWI_TOKEN_NORMAL = 1,
  CWI_TOKEN_UNKNOWN = 2,
  CWI_TOKEN_CONTROL = 3,
  CWI_TOKEN_USER = 4,
  CWI_TOKEN_UNUSED = 5,
  CWI_TOKEN_BYTE = 6,
} cwi_token_type;

typedef struct cwi_token {
  cw_bytes text;  /* as in the file */
  cw_bytes piece; /* the bytes it stands for */
  float score;
  uint8_t type;
  bool strip_right; /* takes the white space behind it */
  bool end;
} cwi_token;

/* A pair of symbols that merge. */
typedef struct cwi_merge {
  uint32_t left;
  uint32_t right; /* UINT32_MAX: a free slot */
  uint32_t rank;
  uint32_t merged;
} cwi_merge;

struct cwi_tokenizer {
  cwi_tokenizer_kind kind;
  cwi_arena arena; /* all memory but this struct */
  cwi_token *tokens;
  uint32_t len;
  /* key to symbol; a key is a token's text, for BPE its bytes. Symbols past `len` occur in merges
   * only. */
  uint32_t *slots; /* symbol + 1; 0: free */
  uint32_t slot_mask;
  cw_bytes *keys; /* [symbols] */
  uint32_t symbols;
  cwi_merge *merges;
  uint32_t merge_mask;
  uint32_t bytes[256]; /* BPE: symbol of a byte, UINT32_MAX where there is none; SPM: byte token */
  int32_t *specials;   /* sought in text: longest first */
  uint32_t specials_len;
  bool special_start[256]; /* a special token starts with this byte */
  int32_t bos, eos, unk;
  bool add_bos, add_eos, add_space, ignore_merges;
  cwi_split split;
};

/* The symbol with this key, or UINT32_MAX. */
uint32_t cwi_tokenizer_lookup(const cwi_tokenizer *t, const void *key, size_t size);
/* The same; makes a symbol where there is none. False where there is no memory. */
bool cwi_tokenizer_intern(cwi_tokenizer *t, cw_bytes key, uint32_t *symbol);

/* Merging: symbols are spans of a text in a doubly linked list; the best pair merges first. */
typedef struct cwi_symbol {
  uint32_t prev, next;  /* UINT32_MAX: none */
  uint32_t start, size; /* size 0: merged into another */
  uint32_t id;          /* UINT32_MAX: not in the vocabulary */
} cwi_symbol;

typedef struct cwi_pair {
  uint64_t key; /* smallest first: priority in the upper half, position in the lower */
  uint32_t right, size, merged;
} cwi_pair;

typedef struct cwi_merger {
  const cwi_tokenizer *tokenizer;
  const char *text;
  cwi_symbol *symbols;
  size_t symbols_len, symbols_cap;
  cwi_pair *heap;
  size_t heap_len, heap_cap;
} cwi_merger;

/* Of tokenizer_merge.c. */
bool cwi_merger_push(cwi_merger *m, uint32_t start, uint32_t size, uint32_t id);
bool cwi_merger_run(cwi_merger *m);
void cwi_merger_deinit(cwi_merger *m);

/* Reading the vocabulary, and encoding text without special tokens: one pair a kind. */
cw_status cwi_tokenizer_spm_load(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err);
cw_status cwi_tokenizer_bpe_load(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err);
/* After the symbols of tokens are in the table: bytes and merges. */
cw_status cwi_tokenizer_bpe_finish(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err);
cw_status cwi_tokenizer_spm_encode(cwi_merger *m, const char *text, size_t size, bool prefix,
                                   cwi_tokens *out, cw_error *err);
cw_status cwi_tokenizer_bpe_encode(cwi_merger *m, const char *text, size_t size, cwi_tokens *out,
                                   cw_error *err);

#endif
