/* SPDX-License-Identifier: MIT */
/* Grammars: what is refused and where, which texts fit, and that every mask leads on. */
#include <stdio.h>

#include "core/alloc.h"
#include "llm/grammar.h"
#include "support/test.h"

static const char json[] =
    "root ::= value\n"
    "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
    "object ::= \"{\" (string \":\" value (\",\" string \":\" value)*)? \"}\"\n"
    "array ::= \"[\" (value (\",\" value)*)? \"]\"\n"
    "string ::= \"\\\"\" [^\"\\\\\\x00-\\x1F]* \"\\\"\"\n"
    "number ::= \"-\"? [0-9]+ (\".\" [0-9]+)?\n";

static cw_status fits(const char *grammar, const char *text, bool *complete) {
  cwi_grammar *g = NULL;
  cwi_grammar_matcher *m = NULL;
  cw_status status = cwi_grammar_parse(grammar, strlen(grammar), NULL, &g, NULL);
  if (status == CW_OK) status = cwi_grammar_matcher_new(g, false, &m, NULL);
  if (status == CW_OK) status = cwi_grammar_matcher_accept(m, text, strlen(text), NULL);
  *complete = status == CW_OK && cwi_grammar_matcher_is_complete(m);
  cwi_grammar_matcher_free(m);
  cwi_grammar_free(g);
  return status;
}

TEST(grammar, refuses_what_is_wrong_and_says_where) {
  static const struct {
    const char *text;
    int32_t line, column;
  } rows[] = {
      {"root ::= foo", 1, 10},
      {"root := \"x\"", 1, 6},
      {"root ::= root \"a\" | \"b\"", 1, 1},
      {"root ::= a\na ::= b?  a \"x\"\nb ::= \"b\"", 1, 10},
      {"root ::= (\"\")*", 1, 14},
      {"root ::= \"a", 1, 12},
      {"root ::= [a", 1, 12},
      {"root ::= [z-a]", 1, 13},
      {"root ::= (\"a\"", 1, 14},
      {"root ::= \"a\"{3,2}", 1, 17},
      {"root ::= \"a\"{2001}", 1, 17},
      {"root ::= *", 1, 10},
      {"root ::= \"\\q\"", 1, 12},
      {"root ::= \"a\"\nroot ::= \"b\"", 2, 1},
      {"other ::= \"a\"", 1, 1},
      {"", 1, 1},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cwi_grammar *g = NULL;
    cw_error err = {0};
    const cw_status status = cwi_grammar_parse(rows[i].text, strlen(rows[i].text), NULL, &g, &err);
    if (i == 4 && status == CW_OK) { /* repeating nothing is nothing */
      cwi_grammar_free(g);
      continue;
    }
    if (status != CW_E_PARSE || g != NULL) fail_msg("'%s' is not refused", rows[i].text);
    if (err.line != rows[i].line) fail_msg("'%s': line %d", rows[i].text, (int)err.line);
  }
}

TEST(grammar, texts_fit_or_do_not) {
  static const struct {
    const char *grammar, *text;
    int expected; /* 0 does not fit, 1 fits so far, 2 is complete */
  } rows[] = {
      {"root ::= \"a\"{2,3}", "a", 1},
      {"root ::= \"a\"{2,3}", "aa", 2},
      {"root ::= \"a\"{2,3}", "aaa", 2},
      {"root ::= \"a\"{2,3}", "aaaa", 0},
      {"root ::= \"ab\"*", "abab", 2},
      {"root ::= \"ab\"*", "aba", 1},
      {"root ::= \"\"", "", 2},
      {"root ::= [^a]", "\xC3\xA9", 2},
      {"root ::= [^a]", "\xC3", 1},
      {"root ::= .", "\xC0\x80", 0},
      {"root ::= .", "\xED\xA0\x80", 0},
      {"root ::= .", "\xF5", 0},
      {"root ::= [\xC3\xA0-\xC3\xA9]+", "\xC3\xA4\xC3\xA9", 2},
      {json, "{\"a\":[1,2.5,{}],\"b\":null}", 2},
      {json, "{\"a\":[1,2.5,{}],\"b\":null}}", 0},
      {json, "[[[[[[[[[[[[[[[[", 1},
      {json, "{\"a\":}", 0},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bool complete = false;
    const cw_status status = fits(rows[i].grammar, rows[i].text, &complete);
    const int got = status != CW_OK ? 0 : complete ? 2 : 1;
    if (got != rows[i].expected) fail_msg("row %zu: '%s' gives %d", i, rows[i].text, got);
  }
}

TEST(grammar, a_text_that_does_not_fit_changes_nothing) {
  cwi_grammar *g = NULL;
  cwi_grammar_matcher *m = NULL;
  CHECK_OK(cwi_grammar_parse(json, strlen(json), NULL, &g, NULL));
  CHECK_OK(cwi_grammar_matcher_new(g, false, &m, NULL));
  CHECK_OK(cwi_grammar_matcher_accept(m, "[1", 2, NULL));
  CHECK_STATUS(cwi_grammar_matcher_accept(m, ",2}", 3, NULL), CW_E_CONSTRAINT);
  CHECK_OK(cwi_grammar_matcher_accept(m, "]", 1, NULL));
  CHECK(cwi_grammar_matcher_is_complete(m));
  CHECK_OK(cwi_grammar_matcher_reset(m, NULL));
  CHECK(!cwi_grammar_matcher_is_complete(m));
  cwi_grammar_matcher_free(m);
  cwi_grammar_free(g);
}

TEST(grammar, long_answers_need_no_more_memory) {
  cwi_grammar *g = NULL;
  cwi_grammar_matcher *m = NULL;
  CHECK_OK(cwi_grammar_parse(json, strlen(json), NULL, &g, NULL));
  CHECK_OK(cwi_grammar_matcher_new(g, false, &m, NULL));
  for (size_t i = 0; i < 100000; i++) CHECK_OK(cwi_grammar_matcher_accept(m, "[", 1, NULL));
  for (size_t i = 0; i < 100000; i++) CHECK_OK(cwi_grammar_matcher_accept(m, "]", 1, NULL));
  CHECK(cwi_grammar_matcher_is_complete(m));
  CHECK_OK(cwi_grammar_matcher_reset(m, NULL));
  CHECK_OK(cwi_grammar_matcher_accept(m, "true", 4, NULL));
  CHECK(cwi_grammar_matcher_is_complete(m));
  cwi_grammar_matcher_free(m);
  cwi_grammar_free(g);
}

/* Walks any way the masks allow; every token they allow must be accepted. */
static void walk(const cwi_grammar *g, const cwi_tokenizer *t, const cwi_token_trie *trie,
                 uint32_t seed) {
  static uint64_t mask[1024];
  cwi_grammar_matcher *m = NULL;
  CHECK_OK(cwi_grammar_matcher_new(g, false, &m, NULL));
  for (size_t step = 0; step < 60; step++) {
    uint32_t chosen = UINT32_MAX;
    uint32_t seen = 0;
    CHECK_OK(cwi_grammar_matcher_mask(m, trie, mask, NULL));
    for (uint32_t id = 0; id < cwi_tokenizer_len(t); id++) {
      if ((mask[id / 64] >> (id % 64) & 1) == 0) continue;
      seed = seed * 1664525U + 1013904223U;
      if (seed % ++seen == 0) chosen = id;
    }
    CHECK(chosen != UINT32_MAX);
    if (cwi_tokenizer_is_end(t, (int32_t)chosen)) break;
    const cw_bytes piece = cwi_tokenizer_piece(t, (int32_t)chosen);
    CHECK_OK(cwi_grammar_matcher_accept(m, piece.data, piece.size, NULL));
  }
  cwi_grammar_matcher_free(m);
}

static cw_status mask_once(const cwi_grammar *g, const cwi_token_trie *trie) {
  static uint64_t mask[1024];
  cwi_grammar_matcher *m = NULL;
  cw_status status = cwi_grammar_matcher_new(g, false, &m, NULL);
  if (status == CW_OK) status = cwi_grammar_matcher_accept(m, "{\"a\":", 5, NULL);
  if (status == CW_OK) status = cwi_grammar_matcher_mask(m, trie, mask, NULL);
  cwi_grammar_matcher_free(m);
  return status;
}

TEST(grammar, masks_lead_on_and_survive_running_out_of_memory) {
  char path[1024];
  cwi_gguf *gguf = NULL;
  cwi_tokenizer *t = NULL;
  cwi_token_trie *trie = NULL;
  cwi_grammar *g = NULL;
  (void)snprintf(path, sizeof(path), "%s/llm/models/vocab-spm.gguf", CW_VECTORS_DIR);
  CHECK_OK(cwi_gguf_open(path, CWI_GGUF_MAP, &gguf, NULL));
  CHECK_OK(cwi_tokenizer_new(gguf, &t, NULL));
  CHECK_SURVIVES_OOM(cwi_grammar_parse(json, strlen(json), NULL, &g, NULL), cwi_grammar_free(g));
  CHECK_SURVIVES_OOM(cwi_token_trie_new(t, &trie, NULL), cwi_token_trie_free(trie));
  CHECK_OK(cwi_grammar_parse(json, strlen(json), NULL, &g, NULL));
  CHECK_OK(cwi_token_trie_new(t, &trie, NULL));
  CHECK_SURVIVES_OOM(mask_once(g, trie), (void)0);
  for (uint32_t seed = 1; seed <= 20; seed++) walk(g, t, trie, seed);
  cwi_grammar_free(g);
  cwi_token_trie_free(trie);
  cwi_tokenizer_free(t);
  cwi_gguf_close(gguf);
  CHECK(cw_allocated_bytes() == 0);
}
