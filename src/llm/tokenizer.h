/* SPDX-License-Identifier: MIT */
/* Tokenizers: text to the ids of a model's vocabulary and back.
 *
 * A tokenizer is made from a model's metadata, copies what it needs and is immutable afterwards:
 * any number of threads may use it. */
#ifndef LLM_TOKENIZER_H
#define LLM_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "llm/gguf.h"

typedef struct cwi_tokenizer cwi_tokenizer;

typedef enum cwi_tokenizer_kind {
  CWI_TOKENIZER_SPM, /* merges by score, bytes for what is unknown */
  CWI_TOKENIZER_BPE, /* merges by rank, on bytes */
} cwi_tokenizer_kind;

#define CWI_TOKEN_NONE (-1)

/* A growing list of token ids; zero-initialised is empty. */
typedef struct cwi_tokens {
  int32_t *ids;
  size_t len;
  size_t cap;
} cwi_tokens;

bool cwi_tokens_push(cwi_tokens *tokens, int32_t id);
void cwi_tokens_deinit(cwi_tokens *tokens);

/* Of encoding: ADD puts the model's first and last token around the text, PARSE reads the text of
 * control tokens as these tokens. Of decoding: REMOVE drops first and last token, UNPARSE writes
 * control tokens as text. */
#define CWI_TOKENIZER_ADD 1U
#define CWI_TOKENIZER_PARSE 2U
#define CWI_TOKENIZER_REMOVE 4U
#define CWI_TOKENIZER_UNPARSE 8U

/* Reads the vocabulary. Errors: CW_E_MODEL what is missing or not known, CW_E_NOMEM. */
cw_status cwi_tokenizer_new(const cwi_gguf *gguf, cwi_tokenizer **out, cw_error *err);
void cwi_tokenizer_free(cwi_tokenizer *tokenizer);

/* Appends the tokens of any bytes; time grows as n log n. Errors: CW_E_LIMIT, CW_E_NOMEM. */
cw_status cwi_tokenizer_encode(const cwi_tokenizer *tokenizer, const void *text, size_t size,
                               unsigned flags, cwi_tokens *out, cw_error *err);

/* Appends the bytes of tokens; ids that are out of range give nothing. Errors: CW_E_NOMEM. */
cw_status cwi_tokenizer_decode(const cwi_tokenizer *tokenizer, const int32_t *ids, size_t len,
                               unsigned flags, cwi_buf *out, cw_error *err);

/* The bytes that a token stands for, control tokens as their text; borrowed. */
cw_bytes cwi_tokenizer_piece(const cwi_tokenizer *tokenizer, int32_t id);

/* Control and unknown tokens: they are not text of an answer. */
bool cwi_tokenizer_is_control(const cwi_tokenizer *tokenizer, int32_t id);
/* Whether generation ends with this token. */
bool cwi_tokenizer_is_end(const cwi_tokenizer *tokenizer, int32_t id);

/* Returns the id of the token with exactly this text, or CWI_TOKEN_NONE. */
int32_t cwi_tokenizer_find(const cwi_tokenizer *tokenizer, const char *text);

uint32_t cwi_tokenizer_len(const cwi_tokenizer *tokenizer);
int32_t cwi_tokenizer_first(const cwi_tokenizer *tokenizer); /* BOS, or CWI_TOKEN_NONE */
int32_t cwi_tokenizer_last(const cwi_tokenizer *tokenizer);  /* EOS, or CWI_TOKEN_NONE */
bool cwi_tokenizer_adds_first(const cwi_tokenizer *tokenizer);

#endif
