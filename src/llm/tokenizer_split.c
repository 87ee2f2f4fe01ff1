/* SPDX-License-Identifier: MIT */
/* The pre-tokenizers that models name, as hand-written matchers instead of regular expressions: one
 * pass, no backtracking. All of them have the same alternatives in the same order: contractions,
 * letters, numbers, symbols, white space up to the last line end, white space but for the last
 * character before a word, white space. They differ in what joins these, which is cwi_split. */
#include "llm/tokenizer_split.h"

#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"
#include "core/unicode.h"

static const cwi_split splits[] = {
    {.name = "gpt-2", .clean = true, .contractions = true},
    {.name = "phi-2", .clean = true, .contractions = true},
    {.name = "mpt", .clean = true, .contractions = true},
    {.name = "olmo", .clean = true, .contractions = true},
    {.name = "jais", .clean = true, .contractions = true},
    {.name = "smollm", .contractions = true, .digit_first = true},
    {.name = "starcoder", .clean = true, .contractions = true, .digit_first = true},
    {.name = "refact", .clean = true, .contractions = true, .digit_first = true},
    {.name = "command-r", .contractions = true, .digit_first = true},
    {.name = "codeshell", .clean = true, .contractions = true, .digit_first = true},
    {.name = "exaone", .clean = true, .contractions = true, .digit_first = true},
    {.name = "llama-bpe",
     .clean = true,
     .modern = true,
     .contractions = true,
     .digits_max = 3,
     .ignore_merges = true,
     .add_bos = true},
    {.name = "llama3",
     .clean = true,
     .modern = true,
     .contractions = true,
     .digits_max = 3,
     .ignore_merges = true,
     .add_bos = true},
    {.name = "llama-v3",
     .clean = true,
     .modern = true,
     .contractions = true,
     .digits_max = 3,
     .ignore_merges = true,
     .add_bos = true},
    {.name = "falcon3",
     .clean = true,
     .modern = true,
     .contractions = true,
     .digits_max = 3,
     .ignore_merges = true,
     .add_bos = true},
    {.name = "dbrx", .clean = true, .modern = true, .contractions = true, .digits_max = 3},
    {.name = "smaug-bpe", .clean = true, .modern = true, .contractions = true, .digits_max = 3},
    {.name = "qwen2", .modern = true, .contractions = true, .digits_max = 1},
    {.name = "deepseek-r1-qwen", .modern = true, .contractions = true, .digits_max = 1},
    {.name = "stablelm2", .clean = true, .modern = true, .contractions = true, .digits_max = 1},
    {.name = "tekken",
     .modern = true,
     .camel = true,
     .slashes = true,
     .digits_max = 1,
     .ignore_merges = true,
     .add_bos = true},
    {.name = "gpt-4o",
     .modern = true,
     .camel = true,
     .slashes = true,
     .suffix = true,
     .digits_max = 3},
    {.name = "llama4",
     .modern = true,
     .camel = true,
     .slashes = true,
     .suffix = true,
     .digits_max = 3},
};

const cwi_split *cwi_split_find(const char *name, size_t size) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(splits); i++) {
    if (strlen(splits[i].name) == size && memcmp(splits[i].name, name, size) == 0) {
      return &splits[i];
    }
  }
  return NULL;
}

uint8_t cwi_split_class(uint32_t codepoint) {
  if (codepoint < 128) {
    if ((codepoint | 32) >= 'a' && (codepoint | 32) <= 'z') return CWI_CLASS_LETTER;
    if (codepoint >= '0' && codepoint <= '9') return CWI_CLASS_NUMBER;
    return codepoint == ' ' || (codepoint >= 9 && codepoint <= 13) ? CWI_CLASS_SPACE
                                                                   : CWI_CLASS_OTHER;
  }
  if (cwi_unicode_is_letter(codepoint)) return CWI_CLASS_LETTER;
  if (cwi_unicode_is_numeric(codepoint)) return CWI_CLASS_NUMBER;
  return cwi_unicode_is_space(codepoint) ? CWI_CLASS_SPACE : CWI_CLASS_OTHER;
}

static bool is_class(const cwi_split_text *t, size_t i, uint8_t class) {
  return i < t->len && t->classes[i] == class;
}

static size_t run_end(const cwi_split_text *t, size_t i, uint8_t class) {
  while (is_class(t, i, class)) i++;
  return i;
}

static bool is_line_end(const cwi_split_text *t, size_t i) {
  return i < t->len && (t->points[i] == '\r' || t->points[i] == '\n');
}

/* The letter at `i` in lower case where it is ASCII and case is ignored. */
static uint32_t letter_at(const cwi_split_text *t, size_t i, bool any_case) {
  if (i >= t->len) return 0;
  const uint32_t c = t->points[i];
  return any_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The end of 's 't 'm 'd 're 've 'll at `i`, or `i`. */
static size_t contraction_end(const cwi_split_text *t, size_t i, bool any_case) {
  if (i >= t->len || t->points[i] != '\'') return i;
  const uint32_t a = letter_at(t, i + 1, any_case);
  const uint32_t b = letter_at(t, i + 2, any_case);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return i + 3;
  return i;
}

static bool is_upper(const cwi_split_text *t, size_t i) { /* any letter but a to z */
  return is_class(t, i, CWI_CLASS_LETTER) && !(t->points[i] >= 'a' && t->points[i] <= 'z');
}
static bool is_lower(const cwi_split_text *t, size_t i) { /* any letter but A to Z */
  return is_class(t, i, CWI_CLASS_LETTER) && !(t->points[i] >= 'A' && t->points[i] <= 'Z');
}

/* Capitals, then small letters; letters without case are both. `i` where no letter is there. */
static size_t camel_end(const cwi_split_text *t, size_t i) {
  size_t upper = i;
  while (is_upper(t, upper)) upper++;
  size_t end = upper;
  while (is_lower(t, end)) end++;
  if (end > upper) return end;
  for (end = upper; end > i; end--) { /* the last that is both counts as small */
    if (is_lower(t, end - 1)) return end;
  }
  return upper;
}

static size_t letters_end(const cwi_split *s, const cwi_split_text *t, size_t i) {
  if (!s->camel) return run_end(t, i, CWI_CLASS_LETTER);
  const size_t end = camel_end(t, i);
  return end > i && s->suffix ? contraction_end(t, end, true) : end;
}

static size_t space_end(const cwi_split *s, const cwi_split_text *t, size_t i) {
  const size_t end = run_end(t, i, CWI_CLASS_SPACE);
  if (s->modern) {
    for (size_t k = end; k > i; k--) {
      if (is_line_end(t, k - 1)) return k;
    }
  }
  if (s->digit_first && is_class(t, end, CWI_CLASS_NUMBER)) return end; /* cut off before */
  return end < t->len && end - i > 1 ? end - 1 : end;
}

static size_t symbols_end(const cwi_split *s, const cwi_split_text *t, size_t i) {
  size_t end = run_end(t, i, CWI_CLASS_OTHER);
  if (end == i || !s->modern) return end;
  while (is_line_end(t, end) || (s->slashes && end < t->len && t->points[end] == '/')) end++;
  return end;
}

size_t cwi_split_next(const cwi_split *s, const cwi_split_text *t, size_t start) {
  CWI_ASSERT(start < t->len);
  const uint8_t class = t->classes[start];
  if (s->digit_first && class == CWI_CLASS_NUMBER) return start + 1;
  size_t end = start;
  if (s->contractions) end = contraction_end(t, start, s->modern);
  if (end > start) return end;

  const size_t behind = t->points[start] == ' ' ? start + 1 : start;
  if (s->modern) {
    end = letters_end(s, t, start);
    if (end > start) return end;
    if (class != CWI_CLASS_NUMBER && !is_line_end(t, start)) {
      end = letters_end(s, t, start + 1);
      if (end > start + 1) return end;
    }
  } else {
    end = run_end(t, behind, CWI_CLASS_LETTER);
    if (end > behind) return end;
  }

  const size_t digits = s->modern ? start : behind;
  if (!(s->digit_first && digits > start)) {
    end = run_end(t, digits, CWI_CLASS_NUMBER);
    if (s->digits_max > 0 && end - digits > s->digits_max) end = digits + s->digits_max;
    if (end > digits) return end;
  }
  end = symbols_end(s, t, behind);
  if (end > behind) return end;
  end = space_end(s, t, start);
  return end > start ? end : start + 1;
}
