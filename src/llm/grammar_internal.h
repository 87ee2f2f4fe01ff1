/* SPDX-License-Identifier: MIT */
/* What the parser and the matcher of grammars share. */
#ifndef LLM_GRAMMAR_INTERNAL_H
#define LLM_GRAMMAR_INTERNAL_H

#include "core/arena.h"
#include "llm/grammar.h"

typedef enum cwi_grammar_op {
  CWI_GRAMMAR_END, /* of a rule */
  CWI_GRAMMAR_ALT, /* of an alternative; another follows */
  CWI_GRAMMAR_REF, /* value: a rule */
  CWI_GRAMMAR_SET, /* value: a set of characters */
} cwi_grammar_op;

typedef struct cwi_grammar_item {
  uint32_t op;
  uint32_t value;
} cwi_grammar_item;

typedef struct cwi_grammar_range {
  uint32_t low, high;
} cwi_grammar_range;

typedef struct cwi_grammar_set {
  uint32_t first, len; /* in ranges */
  bool negated;
} cwi_grammar_set;

struct cwi_grammar {
  cwi_grammar_item *items; /* rule after rule */
  size_t items_len, items_cap;
  uint32_t *rules; /* [rules_len] where a rule starts in items; UINT32_MAX: not defined */
  size_t rules_len, rules_cap;
  cwi_grammar_set *sets;
  size_t sets_len, sets_cap;
  cwi_grammar_range *ranges;
  size_t ranges_len, ranges_cap;
  uint32_t root;
};

#endif
