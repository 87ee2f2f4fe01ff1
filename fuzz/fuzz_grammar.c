/* SPDX-License-Identifier: MIT */
/* Feeds arbitrary bytes to the parser of grammars and matches the rest of them: text before the first
 * NUL is the grammar. */
#include <string.h>

#include "llm/grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cwi_grammar *grammar = NULL;
  cwi_grammar_matcher *matcher = NULL;
  if (size == 0 || size > 4096) return 0;
  const uint8_t *end = memchr(data, 0, size);
  const size_t len = end == NULL ? size : (size_t)(end - data);
  if (cwi_grammar_parse((const char *)data, len, NULL, &grammar, NULL) != CW_OK) return 0;
  if (cwi_grammar_matcher_new(grammar, (size & 1) != 0, &matcher, NULL) == CW_OK) {
    for (size_t i = len; i < size; i++) {
      (void)cwi_grammar_matcher_accept(matcher, data + i, 1, NULL);
    }
  }
  cwi_grammar_matcher_free(matcher);
  cwi_grammar_free(grammar);
  return 0;
}
