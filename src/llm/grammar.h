/* SPDX-License-Identifier: MIT */
/* Grammars (GBNF): which text, and which tokens, a model may answer with.
 *
 * A grammar is parsed once and immutable afterwards. A matcher walks it along one answer; it
 * belongs to one thread at a time and borrows the grammar. */
#ifndef LLM_GRAMMAR_H
#define LLM_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "llm/tokenizer.h"

typedef struct cwi_grammar cwi_grammar;
typedef struct cwi_grammar_matcher cwi_grammar_matcher;
typedef struct cwi_token_trie cwi_token_trie;

#define CWI_GRAMMAR_TEXT_BYTES_MAX ((size_t)1 << 20)
#define CWI_GRAMMAR_REPEAT_MAX 2000U

/* Parses a grammar; `root` NULL is "root". Errors: CW_E_PARSE with line and column: the syntax, a
 * rule that is not defined or defined twice, or one that begins with itself and would loop;
 * CW_E_LIMIT too long, repeated too often; CW_E_NOMEM. */
cw_status cwi_grammar_parse(const char *text, size_t size, const char *root, cwi_grammar **out,
                            cw_error *err);
void cwi_grammar_free(cwi_grammar *grammar);

/* The tokens of a vocabulary in the order of their bytes; shared by all matchers. */
cw_status cwi_token_trie_new(const cwi_tokenizer *tokenizer, cwi_token_trie **out, cw_error *err);
void cwi_token_trie_free(cwi_token_trie *trie);

/* `lenient` accepts bytes that are not UTF-8 where a set of characters is negated, as llama.cpp
 * does. */
cw_status cwi_grammar_matcher_new(const cwi_grammar *grammar, bool lenient,
                                  cwi_grammar_matcher **out, cw_error *err);
void cwi_grammar_matcher_free(cwi_grammar_matcher *matcher);
/* Back to the beginning. Errors: CW_E_LIMIT, CW_E_NOMEM */
cw_status cwi_grammar_matcher_reset(cwi_grammar_matcher *matcher, cw_error *err);

/* Takes bytes of the answer. Errors: CW_E_CONSTRAINT they do not fit, and the matcher stays where
 * it was; CW_E_LIMIT the grammar is too ambiguous; CW_E_NOMEM. */
cw_status cwi_grammar_matcher_accept(cwi_grammar_matcher *matcher, const void *text, size_t size,
                                     cw_error *err);

/* True where the answer may end here. */
bool cwi_grammar_matcher_is_complete(const cwi_grammar_matcher *matcher);

/* Writes a bit a token of the vocabulary: those that may come next, tokens that end the answer
 * included. Errors: CW_E_LIMIT, CW_E_NOMEM */
cw_status cwi_grammar_matcher_mask(cwi_grammar_matcher *matcher, const cwi_token_trie *trie,
                                   uint64_t *mask, cw_error *err);

#endif
