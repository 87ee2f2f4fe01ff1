/* SPDX-License-Identifier: MIT */
/* The suite of language models: quantised blocks, logits, greedy continuations, embeddings. A path
 * is a folder with models/ and vectors/.
 *
 * Tolerances follow the vectors' own rules: the reference has three numeric paths (recorded as top,
 * top_default_cfg and top_exact), which differ by up to 0.4 on quantised models; a logit passes
 * where it is that near to any of them. A continuation must agree while the reference's own paths
 * agree and the best two logits are further apart than the tolerance of the model's type. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"
#include "core/alloc.h"
#include "core/error.h"
#include "llm/llm_session.h"

#define CONTEXT 512U

/* Reads a whole file of JSON. */
static cw_status read_document(const char *path, cw_value *out, cw_error *err) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return CWI_RAISE(err, CW_E_NOT_FOUND, 0, "cannot open '%s'", path);
  char block[65536];
  for (size_t got = 1; got > 0;) {
    got = fread(block, 1, sizeof(block), file);
    (void)cwi_buf_append(&text, block, got);
  }
  fclose(file);
  cw_status status = text.failed ? CWI_RAISE_NOMEM(err, "a file of vectors")
                                 : conformance_read_json(text.data, text.size, out, err);
  cwi_buf_deinit(&text);
  return status;
}

static double number_at(cw_value array, size_t index) {
  return cw_value_as_float(cw_value_array_get(array, index));
}

/* ---- quantised blocks ---- */

/* Decodes hex digits; returns the number of bytes, which the caller frees with `size` of cap. */
static uint8_t *from_hex(const char *hex, size_t *size) {
  const size_t len = hex == NULL ? 0 : strlen(hex) / 2;
  uint8_t *bytes = cwi_alloc(len + 1);
  for (size_t i = 0; bytes != NULL && i < len; i++) {
    const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
    bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
  }
  *size = bytes == NULL ? 0 : len;
  return bytes;
}

static void check_blocks(conformance *c, cw_value row) {
  const char *name = conformance_text(row, "type");
  if (!conformance_wants(c, "quant", name)) return;
  size_t in_size = 0;
  size_t out_size = 0;
  uint8_t *in = from_hex(conformance_text(row, "bytes"), &in_size);
  uint8_t *expected = from_hex(conformance_text(row, "deq"), &out_size);
  const uint32_t type = (uint32_t)cw_value_as_int(conformance_get(row, "ggml_type"));
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  const size_t len = out_size / sizeof(float);
  float *got = cwi_alloc(out_size + 1);
  char detail[160] = "unknown type";
  bool passed = false;
  if (traits != NULL && got != NULL && len > 0 &&
      len / traits->block_len * traits->block_size == in_size) {
    cwi_quant_dequantize(traits->type, in, got, len);
    passed = memcmp(got, expected, out_size) == 0;
    (void)snprintf(detail, sizeof(detail), "the floats differ");
    if (passed) { /* the kernel of this machine as well */
      cwi_kernel_select()->dequantize(traits->type, in, got, len);
      passed = memcmp(got, expected, out_size) == 0;
    }
  }
  conformance_count(c, "quant", name, passed, detail);
  cwi_free(got, out_size + 1);
  cwi_free(in, in_size + 1);
  cwi_free(expected, out_size + 1);
}

/* ---- models ---- */

typedef struct subject {
  conformance *c;
  const char *name;
  cwi_llm_engine *engine;
  cwi_llm_session *session;
  double tolerance;       /* of margins */
  double logit_tolerance; /* to the nearest of the reference's paths */
} subject;

typedef struct token_list {
  int32_t tokens[CONTEXT];
  size_t len;
} token_list;

static token_list tokens_of(cw_value array) {
  token_list list = {.len = cw_value_len(array)};
  if (list.len > CONTEXT) list.len = CONTEXT;
  for (size_t i = 0; i < list.len; i++) {
    list.tokens[i] = (int32_t)cw_value_as_int(cw_value_array_get(array, i));
  }
  return list;
}

static int32_t best_of(const float *logits, uint32_t len) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < len; i++) {
    if (logits[i] > logits[best]) best = i;
  }
  return (int32_t)best;
}

/* Starts the session again with `prompt`. */
static const float *prompt(subject *s, const token_list *list, cw_error *err) {
  cwi_llm_session_truncate(s->session, 0);
  if (cwi_llm_session_prompt(s->session, list->tokens, list->len, NULL, err) != CW_OK) return NULL;
  return cwi_llm_session_logits(s->session);
}

static void check_greedy(subject *s, cw_value row, const char *id) {
  cw_error err = {0};
  const token_list list = tokens_of(conformance_get(row, "prompt_tokens"));
  const cw_value expected = conformance_get(row, "tokens");
  const cw_value margins = conformance_get(row, "margins");
  const size_t stable = (size_t)cw_value_as_int(conformance_get(row, "stable"));
  const float *logits = prompt(s, &list, &err);
  char detail[600] = "";
  bool passed = logits != NULL;
  for (size_t i = 0; passed && i < stable && number_at(margins, i) >= s->tolerance; i++) {
    const int32_t token = best_of(logits, cwi_llm_session_vocab(s->session));
    const int32_t wanted = (int32_t)cw_value_as_int(cw_value_array_get(expected, i));
    passed = token == wanted;
    if (!passed) {
      (void)snprintf(detail, sizeof(detail), "token %zu is %d, expected %d", i, token, wanted);
    } else if (i + 1 < cw_value_len(expected)) {
      passed = cwi_llm_session_append(s->session, token, NULL, &err) == CW_OK;
      logits = cwi_llm_session_logits(s->session);
    }
  }
  conformance_count(s->c, "greedy", id, passed, detail[0] != 0 ? detail : err.message);
}

/* The distance of a logit to the nearest value that one of the reference's paths gives it. */
static double distance(cw_value row, const float *logits, size_t rank) {
  static const char *const paths[] = {"top", "top_default_cfg", "top_exact"};
  double nearest = INFINITY;
  const cw_value top = cw_value_array_get(conformance_get(row, "top"), rank);
  const int64_t id = cw_value_as_int(cw_value_array_get(top, 0));
  for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
    const cw_value list = conformance_get(row, paths[p]);
    for (size_t i = 0; i < cw_value_len(list); i++) {
      const cw_value entry = cw_value_array_get(list, i);
      if (cw_value_as_int(cw_value_array_get(entry, 0)) != id) continue;
      nearest = fmin(nearest, fabs((double)logits[id] - number_at(entry, 1)));
    }
  }
  return nearest;
}

static void check_logits(subject *s, cw_value row, const char *id) {
  cw_error err = {0};
  const token_list list = tokens_of(conformance_get(row, "prompt_tokens"));
  const float *logits = prompt(s, &list, &err);
  double worst = logits != NULL ? 0 : INFINITY;
  for (size_t i = 0; logits != NULL && i < cw_value_len(conformance_get(row, "top")); i++) {
    worst = fmax(worst, distance(row, logits, i));
  }
  char detail[600];
  (void)snprintf(detail, sizeof(detail), "off by %g, %g is allowed %s", worst, s->logit_tolerance,
                 err.message);
  conformance_count(s->c, "logits", id, worst <= s->logit_tolerance, detail);
}

/* The tokens of a prompt stand with the logits of the same prompt. */
static bool find_tokens(cw_value model, const char *text, token_list *out) {
  static const char *const lists[] = {"logits", "greedy"};
  for (size_t l = 0; l < 2; l++) {
    const cw_value rows = conformance_get(model, lists[l]);
    for (size_t i = 0; i < cw_value_len(rows); i++) {
      const cw_value row = cw_value_array_get(rows, i);
      const char *other = conformance_text(row, "prompt");
      if (other == NULL || strcmp(other, text) != 0) continue;
      *out = tokens_of(conformance_get(row, "prompt_tokens"));
      return true;
    }
  }
  return false;
}

static void check_embedding(subject *s, cw_value model, cw_value row, const char *id) {
  token_list list;
  const char *text = conformance_text(row, "text");
  if (text == NULL || !find_tokens(model, text, &list)) return; /* no ids: the text suite has it */
  cw_error err = {0};
  const uint32_t dim = cwi_llm_engine_shape(s->engine)->dim;
  float *got = cwi_alloc(dim * sizeof(float));
  cw_status status =
      cwi_llm_engine_embed(s->engine, list.tokens, list.len, CWI_LLM_POOL_MEAN, NULL, got, &err);
  const cw_value expected = conformance_get(row, "embedding");
  double dot = 0;
  double squares = 0;
  for (size_t i = 0; status == CW_OK && i < dim; i++) {
    dot += (double)got[i] * number_at(expected, i);
    squares += number_at(expected, i) * number_at(expected, i);
  }
  const double cosine = squares > 0 ? dot / sqrt(squares) : 0;
  const double least = s->tolerance < 0.1 ? 0.99999 : 0.998;
  char detail[600];
  (void)snprintf(detail, sizeof(detail), "cosine %.6f, at least %g is wanted %s", cosine, least,
                 err.message);
  conformance_count(s->c, "embeddings", id, cosine >= least, detail);
  cwi_free(got, dim * sizeof(float));
}

static void check_positions(subject *s, cw_value model, cw_value row, const char *id) {
  token_list list;
  cw_error err = {0};
  const char *text = conformance_text(row, "prompt");
  if (text == NULL || !find_tokens(model, text, &list)) return;
  const cw_value expected = conformance_get(row, "argmax_logit");
  double worst = 0;
  cwi_llm_session_truncate(s->session, 0);
  for (size_t i = 0; i < list.len && i < cw_value_len(expected); i++) {
    const cw_value entry = cw_value_array_get(expected, i);
    const int64_t token = cw_value_as_int(cw_value_array_get(entry, 0));
    cw_status status = cwi_llm_session_append(s->session, list.tokens[i], NULL, &err);
    const float *logits = cwi_llm_session_logits(s->session);
    worst =
        status == CW_OK ? fmax(worst, fabs((double)logits[token] - number_at(entry, 1))) : INFINITY;
  }
  char detail[600];
  (void)snprintf(detail, sizeof(detail), "off by %g %s", worst, err.message);
  conformance_count(s->c, "positions", id, worst <= s->logit_tolerance, detail);
}

static void check_rows(subject *s, cw_value model) {
  static const char *const lists[] = {"greedy", "logits", "embeddings", "per_position"};
  static const char *const areas[] = {"greedy", "logits", "embeddings", "positions"};
  for (size_t l = 0; l < 4; l++) {
    const cw_value rows = conformance_get(model, lists[l]);
    for (size_t i = 0; i < cw_value_len(rows); i++) {
      char id[160];
      (void)snprintf(id, sizeof(id), "%s/%s/%zu", s->name, areas[l], i);
      if (!conformance_wants(s->c, areas[l], id)) continue;
      const cw_value row = cw_value_array_get(rows, i);
      switch (l) {
        case 0: check_greedy(s, row, id); break;
        case 1: check_logits(s, row, id); break;
        case 2: check_embedding(s, model, row, id); break;
        default: check_positions(s, model, row, id); break;
      }
    }
  }
}

static cw_status run_model(conformance *c, const char *folder, const char *file, cw_error *err) {
  cw_status status = CW_OK;
  char path[1024];
  cw_value model = cw_value_none();
  subject s = {.c = c, .name = file, .tolerance = 0.5, .logit_tolerance = 0.4};
  (void)snprintf(path, sizeof(path), "%s/vectors/%s", folder, file);
  CWI_TRY(read_document(path, &model, err));
  const char *gguf = conformance_text(model, "model");
  if (strstr(file, "f32") != NULL) {
    s.tolerance = 0.02;
    s.logit_tolerance = 0.01;
  } else if (strstr(file, "f16") != NULL) {
    s.tolerance = 0.08;
    s.logit_tolerance = 0.05;
  }
  (void)snprintf(path, sizeof(path), "%s/models/%s", folder, gguf != NULL ? gguf : "");
  CWI_TRY(cwi_llm_engine_open(path, NULL, &s.engine, err));
  CWI_TRY(cwi_llm_session_new(s.engine, NULL, &s.session, err));
  check_rows(&s, model);

out:
  cwi_llm_session_free(s.session);
  cwi_llm_engine_free(s.engine);
  cw_value_release(&model);
  return status;
}

static cw_status run_quant(conformance *c, const char *folder, cw_error *err) {
  char path[1024];
  cw_value document = cw_value_none();
  (void)snprintf(path, sizeof(path), "%s/vectors/quant-blocks.json", folder);
  cw_status status = read_document(path, &document, err);
  cw_value types = conformance_get(document, "types");
  for (size_t i = 0; i < cw_value_len(types); i++) check_blocks(c, cw_value_array_get(types, i));
  cw_value_release(&document);
  return status;
}

static cw_status run(conformance *c, const char *path, cw_error *err) {
  cw_status status = CW_OK;
  char folder[1024];
  DIR *dir = NULL;
  CWI_TRY(run_quant(c, path, err));
  (void)snprintf(folder, sizeof(folder), "%s/vectors", path);
  dir = opendir(folder);
  if (dir == NULL) CWI_TRY(CWI_RAISE(err, CW_E_NOT_FOUND, 0, "cannot open '%s'", folder));
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (strncmp(entry->d_name, "model-", 6) != 0) continue;
    CWI_TRY(run_model(c, path, entry->d_name, err));
  }

out:
  if (dir != NULL) (void)closedir(dir);
  return status;
}

static const char *const paths[] = {"llm", NULL};

const conformance_suite conformance_suite_llm = {"llm", paths, run};
