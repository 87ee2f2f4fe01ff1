/* SPDX-License-Identifier: MIT */
/* Pre-tokenizers of BPE: text is cut into words, and merges stay within a word. */
#ifndef LLM_TOKENIZER_SPLIT_H
#define LLM_TOKENIZER_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a model's file asks text to be cut (tokenizer.ggml.pre). */
typedef struct cwi_split {
  const char *name;
  bool modern;      /* a letter run may take one other character before it; else only a space */
  bool digit_first; /* every number character is a word of its own, before all else */
  bool camel;       /* a run of letters ends before a capital that follows a small letter */
  bool suffix;      /* contractions belong to the word before them */
  bool slashes;     /* slashes behind symbols belong to them, as line ends do */
  bool contractions;
  uint8_t digits_max; /* number characters a word; 0: any */
  bool ignore_merges; /* a word that is a token is that token */
  bool add_bos;
  bool clean; /* decoding drops spaces before punctuation */
} cwi_split;

/* Finds the rules for `name`; NULL where they are not known. */
const cwi_split *cwi_split_find(const char *name, size_t size);

/* Code points with their classes. */
typedef struct cwi_split_text {
  const uint32_t *points;
  const uint8_t *classes; /* CWI_CLASS_* */
  size_t len;
} cwi_split_text;

enum { CWI_CLASS_OTHER, CWI_CLASS_LETTER, CWI_CLASS_NUMBER, CWI_CLASS_SPACE };

uint8_t cwi_split_class(uint32_t codepoint);

/* The end of the word that starts at `start`. */
size_t cwi_split_next(const cwi_split *split, const cwi_split_text *text, size_t start);

#endif
