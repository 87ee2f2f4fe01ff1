/* SPDX-License-Identifier: MIT */
/* The suite of text around language models: tokenizers, samplers, grammars, chat templates. A path
 * is a folder with models/ and vectors/. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"
#include "core/alloc.h"
#include "core/error.h"
#include "llm/chat_template.h"
#include "llm/grammar.h"
#include "llm/llm_session.h"
#include "llm/sampler.h"
#include "llm/tokenizer.h"

static cw_status read_document(const char *folder, const char *name, cw_value *out, cw_error *err) {
  char path[1024];
  (void)snprintf(path, sizeof(path), "%s/vectors/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return CWI_RAISE(err, CW_E_NOT_FOUND, 0, "cannot open '%s'", path);
  cwi_buf text;
  cwi_buf_init(&text, 0);
  char block[65536];
  for (size_t got = 1; got > 0;) {
    got = fread(block, 1, sizeof(block), file);
    (void)cwi_buf_append(&text, block, got);
  }
  (void)fclose(file);
  cw_status status = text.failed ? CWI_RAISE_NOMEM(err, "a file of vectors")
                                 : conformance_read_json(text.data, text.size, out, err);
  cwi_buf_deinit(&text);
  return status;
}

static cw_status open_tokenizer(const char *folder, const char *model, cwi_gguf **gguf,
                                cwi_tokenizer **out, cw_error *err) {
  char path[1024];
  (void)snprintf(path, sizeof(path), "%s/models/%s", folder, model);
  cw_status status = cwi_gguf_open(path, CWI_GGUF_MAP, gguf, err);
  return status == CW_OK ? cwi_tokenizer_new(*gguf, out, err) : status;
}

/* ---- tokenizers ---- */

static void from_hex(const char *hex, cwi_buf *out) {
  cwi_buf_clear(out);
  for (size_t i = 0; hex != NULL && hex[i] != 0 && hex[i + 1] != 0; i += 2) {
    const char pair[3] = {hex[i], hex[i + 1], 0};
    (void)cwi_buf_append_char(out, (char)strtoul(pair, NULL, 16));
  }
}

static bool same_ids(const cwi_tokens *got, cw_value expected) {
  if (got->len != cw_value_len(expected)) return false;
  for (size_t i = 0; i < got->len; i++) {
    if (got->ids[i] != cw_value_as_int(cw_value_array_get(expected, i))) return false;
  }
  return true;
}

static void print_ids(char *detail, size_t size, const cwi_tokens *got, cw_value expected) {
  size_t used = (size_t)snprintf(detail, size, "got");
  for (size_t i = 0; i < got->len && used + 16 < size / 2; i++) {
    used += (size_t)snprintf(detail + used, size - used, " %d", (int)got->ids[i]);
  }
  used += (size_t)snprintf(detail + used, size - used, ", expected");
  for (size_t i = 0; i < cw_value_len(expected) && used + 16 < size; i++) {
    used += (size_t)snprintf(detail + used, size - used, " %d",
                             (int)cw_value_as_int(cw_value_array_get(expected, i)));
  }
}

typedef struct token_case {
  conformance *c;
  const cwi_tokenizer *tokenizer;
  const char *id;
  cwi_buf input, scratch, text;
} token_case;

/* One way to encode; `expected` has the ids. */
static void check_encode(token_case *t, cw_value expected, unsigned flags, cwi_tokens *got) {
  char detail[1200] = "";
  got->len = 0;
  cw_error err = {0};
  const cw_status status =
      cwi_tokenizer_encode(t->tokenizer, t->input.data, t->input.size, flags, got, &err);
  const bool passed = status == CW_OK && same_ids(got, expected);
  if (!passed) print_ids(detail, sizeof(detail), got, expected);
  conformance_count(t->c, "tokenize", t->id, passed, detail);
}

static void check_decode(token_case *t, cw_value row, const char *key, const cwi_tokens *ids,
                         unsigned flags) {
  const char *hex = conformance_text(row, key);
  from_hex(hex != NULL ? hex : conformance_text(row, "hex"), &t->scratch);
  cwi_buf_clear(&t->text);
  (void)cwi_tokenizer_decode(t->tokenizer, ids->ids, ids->len, flags, &t->text, NULL);
  const bool passed =
      t->text.size == t->scratch.size &&
      (t->text.size == 0 || memcmp(t->text.data, t->scratch.data, t->text.size) == 0);
  char detail[600];
  (void)snprintf(detail, sizeof(detail), "%s: got '%.*s', expected '%.*s'", key,
                 (int)(t->text.size < 200 ? t->text.size : 200), t->text.data,
                 (int)(t->scratch.size < 200 ? t->scratch.size : 200), t->scratch.data);
  conformance_count(t->c, "detokenize", t->id, passed, detail);
}

static void check_tokens(token_case *t, cw_value row) {
  cwi_tokens got = {0};
  from_hex(conformance_text(row, "hex"), &t->input);
  cw_value expected = conformance_get(row, "ids");
  check_encode(t, expected, 0, &got);
  check_decode(t, row, "detok_hex", &got, 0);
  cw_value added = conformance_get(row, "ids_add");
  if (added.kind == CW_VALUE_ARRAY) expected = added;
  check_encode(t, expected, CWI_TOKENIZER_ADD, &got);
  cw_value special = conformance_get(row, "ids_add_special");
  if (special.kind == CW_VALUE_ARRAY) expected = special;
  check_encode(t, expected, CWI_TOKENIZER_ADD | CWI_TOKENIZER_PARSE, &got);
  check_decode(t, row, "detok_special_hex", &got, CWI_TOKENIZER_UNPARSE);
  cwi_tokens_deinit(&got);
}

static cw_status run_tokenizer(conformance *c, const char *folder, const char *file,
                               cw_error *err) {
  cw_status status = CW_OK;
  cwi_gguf *gguf = NULL;
  cwi_tokenizer *tokenizer = NULL;
  cw_value document = cw_value_none();
  token_case t = {.c = c};
  CWI_TRY(read_document(folder, file, &document, err));
  CWI_TRY(open_tokenizer(folder, conformance_text(document, "model"), &gguf, &tokenizer, err));
  t.tokenizer = tokenizer;
  const cw_value cases = conformance_get(document, "cases");
  for (size_t i = 0; i < cw_value_len(cases); i++) {
    const cw_value row = cw_value_array_get(cases, i);
    char id[700];
    (void)snprintf(id, sizeof(id), "%s/%zu:%.300s", file, i, conformance_text(row, "hex"));
    t.id = id;
    if (conformance_wants(c, "tokenize", id)) check_tokens(&t, row);
  }

out:
  cwi_buf_deinit(&t.input);
  cwi_buf_deinit(&t.scratch);
  cwi_buf_deinit(&t.text);
  cwi_tokenizer_free(tokenizer);
  cwi_gguf_close(gguf);
  cw_value_release(&document);
  return status;
}

/* Prompts of model vectors that were tokenised with markup parsed. */
static cw_status run_prompts(conformance *c, const char *folder, const char *file, cw_error *err) {
  cw_status status = CW_OK;
  cwi_gguf *gguf = NULL;
  cwi_tokenizer *tokenizer = NULL;
  cw_value document = cw_value_none();
  token_case t = {.c = c};
  cwi_tokens got = {0};
  CWI_TRY(read_document(folder, file, &document, err));
  CWI_TRY(open_tokenizer(folder, conformance_text(document, "model"), &gguf, &tokenizer, err));
  t.tokenizer = tokenizer;
  const cw_value rows = conformance_get(document, "greedy");
  for (size_t i = 0; i < cw_value_len(rows); i++) {
    const cw_value row = cw_value_array_get(rows, i);
    const cw_value parse = conformance_get(row, "parse_special");
    const bool parses =
        parse.kind == CW_VALUE_BOOL ? cw_value_as_bool(parse) : cw_value_as_int(parse) != 0;
    const char *prompt = conformance_text(row, "prompt");
    if (prompt == NULL) continue;
    char id[400];
    (void)snprintf(id, sizeof(id), "%s/%zu", file, i);
    t.id = id;
    cwi_buf_clear(&t.input);
    (void)cwi_buf_append_str(&t.input, prompt);
    check_encode(&t, conformance_get(row, "prompt_tokens"),
                 CWI_TOKENIZER_ADD | (parses ? CWI_TOKENIZER_PARSE : 0), &got);
  }

out:
  cwi_tokens_deinit(&got);
  cwi_buf_deinit(&t.input);
  cwi_tokenizer_free(tokenizer);
  cwi_gguf_close(gguf);
  cw_value_release(&document);
  return status;
}

/* ---- samplers ---- */

#define LOGITS_MAX 256

typedef struct sampler_state {
  cwi_candidate list[LOGITS_MAX], scratch[LOGITS_MAX];
  cwi_candidates c;
} sampler_state;

static void apply_penalties(sampler_state *s, const char *args) {
  char *rest = NULL;
  const long last_n = strtol(args, &rest, 10);
  const float repeat = strtof(rest, &rest);
  const float frequency = strtof(rest, &rest);
  const float presence = strtof(rest, &rest);
  const long count = strtol(rest, &rest, 10);
  int32_t ids[64];
  size_t len = 0;
  for (long i = 0; i < count && len < 64; i++) {
    const int32_t id = (int32_t)strtol(rest, &rest, 10);
    if (count - i <= last_n) ids[len++] = id;
  }
  cwi_sample_penalties(&s->c, ids, len, repeat, frequency, presence);
}

static bool apply_stage(sampler_state *s, const char *stage) {
  const char *space = strchr(stage, ' ');
  const char *args = space == NULL ? "" : space + 1;
  const float value = strtof(args, NULL);
  if (strncmp(stage, "top_k", 5) == 0) {
    cwi_sample_top_k(&s->c, (uint32_t)value);
  } else if (strncmp(stage, "top_p", 5) == 0) {
    cwi_sample_top_p(&s->c, value);
  } else if (strncmp(stage, "min_p", 5) == 0) {
    cwi_sample_min_p(&s->c, value);
  } else if (strncmp(stage, "typical", 7) == 0) {
    cwi_sample_typical(&s->c, value, s->scratch);
  } else if (strncmp(stage, "temp", 4) == 0) {
    cwi_sample_temperature(&s->c, value);
  } else if (strcmp(stage, "softmax") == 0) {
    cwi_sample_softmax(&s->c);
  } else if (strncmp(stage, "penalties", 9) == 0) {
    apply_penalties(s, args);
  } else {
    return false;
  }
  return true;
}

static bool near(double a, double b) { return fabs(a - b) <= 2e-5 + 2e-5 * fabs(b); }

/* Equal logits may be kept in any order, so a token is accepted where its logit is right. */
static bool has_candidate(const sampler_state *s, cw_value expected) {
  const double logit = cw_value_as_float(cw_value_array_get(expected, 1));
  const double p = cw_value_as_float(cw_value_array_get(expected, 2));
  for (size_t i = 0; i < s->c.len; i++) {
    const cwi_candidate *got = &s->c.list[i];
    if (near((double)got->logit, logit) && (p == 0 || near((double)got->p, p))) return true;
  }
  return false;
}

static void check_sampler(conformance *c, cw_value document, cw_value row, const char *id) {
  sampler_state s = {0};
  const size_t index = (size_t)cw_value_as_int(conformance_get(row, "logits"));
  const cw_value logits = cw_value_array_get(conformance_get(document, "logits"), index);
  s.c.list = s.list;
  s.c.len = cw_value_len(logits) < LOGITS_MAX ? cw_value_len(logits) : LOGITS_MAX;
  for (size_t i = 0; i < s.c.len; i++) {
    s.list[i].id = (int32_t)i;
    s.list[i].logit = (float)cw_value_as_float(cw_value_array_get(logits, i));
  }
  const cw_value chain = conformance_get(row, "chain");
  bool passed = true;
  for (size_t i = 0; i < cw_value_len(chain); i++) {
    passed = passed && apply_stage(&s, cw_value_as_bytes(cw_value_array_get(chain, i)).data);
  }
  const cw_value out = conformance_get(row, "out");
  passed = passed && (int64_t)s.c.len == cw_value_as_int(conformance_get(row, "n_out"));
  for (size_t i = 0; passed && i < cw_value_len(out); i++) {
    passed = has_candidate(&s, cw_value_array_get(out, i));
  }
  char detail[100];
  (void)snprintf(detail, sizeof(detail), "%zu candidates are left", s.c.len);
  conformance_count(c, "samplers", id, passed, detail);
}

static cw_status run_samplers(conformance *c, const char *folder, cw_error *err) {
  cw_value document = cw_value_none();
  const cw_status status = read_document(folder, "samplers.json", &document, err);
  const cw_value cases = conformance_get(document, "cases");
  for (size_t i = 0; i < cw_value_len(cases); i++) {
    char id[64];
    (void)snprintf(id, sizeof(id), "samplers/%zu", i);
    if (!conformance_wants(c, "samplers", id)) continue;
    check_sampler(c, document, cw_value_array_get(cases, i), id);
  }
  cw_value_release(&document);
  return status;
}

/* ---- chat templates ---- */

static cw_bytes bytes_at(cw_value array, size_t index) {
  return cw_value_as_bytes(cw_value_array_get(array, index));
}

static cw_status run_templates(conformance *c, const char *folder, cw_error *err) {
  cw_value document = cw_value_none();
  const cw_status status = read_document(folder, "chat-templates.json", &document, err);
  const cw_value cases = conformance_get(document, "cases");
  for (size_t i = 0; i < cw_value_len(cases); i++) {
    const cw_value row = cw_value_array_get(cases, i);
    const cw_value texts = conformance_get(row, "messages");
    cwi_chat_message messages[16];
    size_t len = 0;
    for (size_t k = 0; k + 1 < cw_value_len(texts) && len < 16; k += 2) {
      messages[len++] = (cwi_chat_message){bytes_at(texts, k), bytes_at(texts, k + 1)};
    }
    cwi_buf out;
    cwi_buf_init(&out, 0);
    const cwi_chat_format format = cwi_chat_format_find(conformance_text(row, "template"));
    const bool answer = cw_value_as_int(conformance_get(row, "add_assistant")) != 0;
    const cw_bytes expected = cw_value_as_bytes(conformance_get(row, "text"));
    const bool passed = cwi_chat_format_write(format, messages, len, answer, &out, NULL) == CW_OK &&
                        out.size == expected.size && memcmp(out.data, expected.data, out.size) == 0;
    char id[64];
    char detail[600];
    (void)snprintf(id, sizeof(id), "chat/%zu", i);
    (void)snprintf(detail, sizeof(detail), "got '%.*s'", (int)(out.size < 500 ? out.size : 500),
                   out.data == NULL ? "" : out.data);
    conformance_count(c, "chat", id, passed, detail);
    cwi_buf_deinit(&out);
  }
  cw_value_release(&document);
  return status;
}

/* ---- grammars ---- */

typedef struct grammar_subject {
  conformance *c;
  cwi_tokenizer *tokenizer;
  cwi_llm_engine *engine;
  cwi_llm_session *session;
  cwi_token_trie *trie;
  char name[128];
  double tolerance;
} grammar_subject;

static void close_subject(grammar_subject *s) {
  cwi_llm_session_free(s->session);
  cwi_token_trie_free(s->trie);
  cwi_tokenizer_free(s->tokenizer);
  cwi_llm_engine_free(s->engine);
  s->session = NULL;
  s->trie = NULL;
  s->tokenizer = NULL;
  s->engine = NULL;
}

static cw_status open_subject(grammar_subject *s, const char *folder, const char *name,
                              cw_error *err) {
  cw_status status = CW_OK;
  char path[1024];
  if (strcmp(s->name, name) == 0) return CW_OK;
  close_subject(s);
  (void)snprintf(s->name, sizeof(s->name), "%s", name);
  (void)snprintf(path, sizeof(path), "%s/models/%s", folder, name);
  s->tolerance = strstr(name, "f32") != NULL ? 0.02 : strstr(name, "f16") != NULL ? 0.08 : 0.5;
  CWI_TRY(cwi_llm_engine_open(path, NULL, &s->engine, err));
  CWI_TRY(cwi_llm_session_new(s->engine, NULL, &s->session, err));
  CWI_TRY(cwi_tokenizer_new(cwi_llm_engine_model(s->engine)->gguf, &s->tokenizer, err));
  CWI_TRY(cwi_token_trie_new(s->tokenizer, &s->trie, err));

out:
  return status;
}

/* Generates under the grammar; true where all tokens that are told apart clearly agree. */
static bool same_answer(grammar_subject *s, const cwi_grammar *grammar, cw_value row, char *detail,
                        size_t detail_size) {
  static uint64_t mask[4096];
  cw_error err = {0};
  cwi_grammar_matcher *matcher = NULL;
  int32_t prompt[256];
  const cw_value ids = conformance_get(row, "prompt_tokens");
  const cw_value expected = conformance_get(row, "tokens");
  const cw_value margins = conformance_get(row, "margins");
  const size_t len = cw_value_len(ids) < 256 ? cw_value_len(ids) : 256;
  for (size_t i = 0; i < len; i++) {
    prompt[i] = (int32_t)cw_value_as_int(cw_value_array_get(ids, i));
  }
  cwi_llm_session_truncate(s->session, 0);
  bool ok = cwi_grammar_matcher_new(grammar, true, &matcher, &err) == CW_OK &&
            cwi_llm_session_prompt(s->session, prompt, len, NULL, &err) == CW_OK;
  for (size_t i = 0; ok && i < cw_value_len(expected); i++) {
    const float *logits = cwi_llm_session_logits(s->session);
    const int32_t wanted = (int32_t)cw_value_as_int(cw_value_array_get(expected, i));
    ok = cwi_grammar_matcher_mask(matcher, s->trie, mask, &err) == CW_OK;
    int32_t best = -1;
    for (int32_t id = 0; ok && id < (int32_t)cwi_tokenizer_len(s->tokenizer); id++) {
      if ((mask[id / 64] >> (id % 64) & 1) == 0) continue;
      if (best < 0 || logits[id] > logits[best]) best = id;
    }
    const bool clear = cw_value_as_float(cw_value_array_get(margins, i)) >= s->tolerance;
    const bool allowed = (mask[wanted / 64] >> (wanted % 64) & 1) != 0;
    if (!allowed || (clear && best != wanted)) {
      (void)snprintf(detail, detail_size, "token %zu is %d, expected %d%s", i, (int)best,
                     (int)wanted, allowed ? "" : ", which is not allowed");
      ok = false;
    }
    if (!ok || cwi_tokenizer_is_end(s->tokenizer, wanted)) break;
    const cw_bytes piece = cwi_tokenizer_piece(s->tokenizer, wanted);
    ok = cwi_grammar_matcher_accept(matcher, piece.data, piece.size, &err) == CW_OK &&
         cwi_llm_session_append(s->session, wanted, NULL, &err) == CW_OK;
  }
  if (!ok && detail[0] == 0) (void)snprintf(detail, detail_size, "%s", err.message);
  cwi_grammar_matcher_free(matcher);
  return ok;
}

static cw_status run_grammars(conformance *c, const char *folder, cw_error *err) {
  cw_status status = CW_OK;
  cw_value document = cw_value_none();
  grammar_subject s = {.c = c};
  CWI_TRY(read_document(folder, "grammar.json", &document, err));
  const cw_value cases = conformance_get(document, "cases");
  for (size_t i = 0; i < cw_value_len(cases); i++) {
    const cw_value row = cw_value_array_get(cases, i);
    const char *name = conformance_text(row, "grammar");
    const cw_value text = conformance_get(conformance_get(document, "grammars"), name);
    const cw_bytes bytes = cw_value_as_bytes(text);
    char id[128];
    char detail[600] = "";
    (void)snprintf(id, sizeof(id), "grammar/%zu/%.60s", i, name);
    if (!conformance_wants(c, "grammar", id)) continue;
    cwi_grammar *grammar = NULL;
    cw_error parsed = {0};
    (void)cwi_grammar_parse(bytes.data, bytes.size, NULL, &grammar, &parsed);
    bool passed = false;
    if (conformance_text(row, "err") != NULL) {
      passed = grammar == NULL;
    } else if (grammar == NULL) {
      (void)snprintf(detail, sizeof(detail), "%s", parsed.message);
    } else {
      status = open_subject(&s, folder, conformance_text(row, "model"), err);
      passed = status == CW_OK && same_answer(&s, grammar, row, detail, sizeof(detail));
    }
    conformance_count(c, "grammar", id, passed, detail);
    cwi_grammar_free(grammar);
    if (status != CW_OK) break;
  }

out:
  close_subject(&s);
  cw_value_release(&document);
  return status;
}

static cw_status run(conformance *c, const char *path, cw_error *err) {
  cw_status status = CW_OK;
  char folder[1024];
  (void)snprintf(folder, sizeof(folder), "%s/vectors", path);
  DIR *dir = opendir(folder);
  if (dir == NULL) return CWI_RAISE(err, CW_E_NOT_FOUND, 0, "cannot open '%s'", folder);
  CWI_TRY(run_samplers(c, path, err));
  CWI_TRY(run_templates(c, path, err));
  CWI_TRY(run_grammars(c, path, err));
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (strncmp(entry->d_name, "tokenize-", 9) == 0) {
      CWI_TRY(run_tokenizer(c, path, entry->d_name, err));
    } else if (strncmp(entry->d_name, "model-", 6) == 0) {
      CWI_TRY(run_prompts(c, path, entry->d_name, err));
    }
  }

out:
  (void)closedir(dir);
  return status;
}

static const char *const paths[] = {"llm", NULL};

const conformance_suite conformance_suite_llm_text = {"llm_text", paths, run};
