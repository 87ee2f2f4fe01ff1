/* SPDX-License-Identifier: MIT */
/* Proves that sessions compute the same however a prompt is cut, keep their memory limit, can be
 * stopped and saved, and survive a lack of memory. The models are those of the vectors. */
#include "llm/llm_session.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "support/test.h"

#ifndef CW_VECTORS_DIR
#define CW_VECTORS_DIR "vectors"
#endif

static const char *model_path(const char *name) {
  static char path[1024];
  const char *folder = getenv("CAUSEWAY_VECTORS");
  snprintf(path, sizeof(path), "%s/llm/models/%s", folder != NULL ? folder : CW_VECTORS_DIR, name);
  if (access(path, R_OK) != 0) skip();
  return path;
}

static cwi_llm_engine *open_engine(const char *name, size_t threads) {
  cwi_llm_engine *engine = NULL;
  cw_error err = {0};
  const cwi_llm_engine_options options = {.threads = threads, .context = 512};
  if (cwi_llm_engine_open(model_path(name), &options, &engine, &err) != CW_OK) {
    fail_msg("%s", err.message);
  }
  return engine;
}

static void fill_tokens(int32_t *tokens, size_t len) {
  for (size_t i = 0; i < len; i++) tokens[i] = (int32_t)(3 + (i * 37 + i * i) % 700);
}

static void check_near(const float *a, const float *b, uint32_t len, float tolerance) {
  for (uint32_t i = 0; i < len; i++) {
    if (!(fabsf(a[i] - b[i]) <= tolerance)) {
      fail_msg("logit %u is %g, expected %g", i, (double)a[i], (double)b[i]);
    }
  }
}

TEST(llm_session, a_prompt_gives_the_same_whole_or_token_by_token) {
  static const struct {
    const char *model;
    float tolerance; /* tiles multiply floats, rows int8 */
  } table[] = {{"llama-spm-f32.gguf", 0.003F},  {"llama3-bpe-f16.gguf", 0.003F},
               {"llama-spm-q4_0.gguf", 0.7F},   {"llama-spm-q5_0.gguf", 0.7F},
               {"llama-bpe-q4_k_m.gguf", 0.7F}, {"llama-spm-q6_k.gguf", 0.7F},
               {"qwen2-bpe-q8_0.gguf", 0.7F},   {"gemma2-spm-f16.gguf", 0.02F},
               {"phi3-spm-f16.gguf", 0.003F}};
  enum { LEN = 301 };
  int32_t tokens[LEN];
  fill_tokens(tokens, LEN);
  for (size_t m = 0; m < sizeof(table) / sizeof(table[0]); m++) {
    cwi_llm_engine *engine = open_engine(table[m].model, 2);
    cwi_llm_session *whole = NULL;
    cwi_llm_session *single = NULL;
    CHECK_OK(cwi_llm_session_new(engine, NULL, &whole, NULL));
    CHECK_OK(cwi_llm_session_new(engine, NULL, &single, NULL));
    CHECK_OK(cwi_llm_session_prompt(whole, tokens, LEN, NULL, NULL));
    for (size_t i = 0; i < LEN; i++) {
      CHECK_OK(cwi_llm_session_append(single, tokens[i], NULL, NULL));
    }
    check_near(cwi_llm_session_logits(whole), cwi_llm_session_logits(single),
               cwi_llm_session_vocab(whole), table[m].tolerance);
    cwi_llm_session_free(whole);
    cwi_llm_session_free(single);
    cwi_llm_engine_free(engine);
  }
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(llm_session, sequences_in_one_pass_do_not_disturb_each_other) {
  enum { SEQUENCES = 32, STEPS = 8 };
  cwi_llm_engine *engine = open_engine("llama-spm-q4_0.gguf", 2);
  cwi_llm_session *together[SEQUENCES] = {NULL};
  cwi_llm_session *alone = NULL;
  for (size_t i = 0; i < SEQUENCES; i++) {
    CHECK_OK(cwi_llm_session_new(engine, NULL, &together[i], NULL));
  }
  CHECK_OK(cwi_llm_session_new(engine, NULL, &alone, NULL));
  for (size_t step = 0; step < STEPS; step++) {
    int32_t tokens[SEQUENCES];
    for (size_t i = 0; i < SEQUENCES; i++) tokens[i] = (int32_t)(3 + i * 11 + step);
    CHECK_OK(cwi_llm_session_append_all(together, tokens, SEQUENCES, NULL, NULL));
  }
  for (size_t i = 0; i < SEQUENCES; i += 7) {
    cwi_llm_session_truncate(alone, 0);
    for (size_t step = 0; step < STEPS; step++) {
      CHECK_OK(cwi_llm_session_append(alone, (int32_t)(3 + i * 11 + step), NULL, NULL));
    }
    check_near(cwi_llm_session_logits(together[i]), cwi_llm_session_logits(alone),
               cwi_llm_session_vocab(alone), 0.01F);
  }
  for (size_t i = 0; i < SEQUENCES; i++) cwi_llm_session_free(together[i]);
  cwi_llm_session_free(alone);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, a_common_beginning_is_not_computed_again) {
  cwi_llm_engine *engine = open_engine("llama-spm-f32.gguf", 1);
  cwi_llm_session *session = NULL;
  int32_t tokens[64];
  fill_tokens(tokens, 64);
  CHECK_OK(cwi_llm_session_new(engine, NULL, &session, NULL));
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 64, NULL, NULL));
  assert_int_equal(cwi_llm_session_reused(session), 0);
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 64, NULL, NULL));
  assert_int_equal(cwi_llm_session_reused(session), 63);
  tokens[40]++;
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 50, NULL, NULL));
  assert_int_equal(cwi_llm_session_reused(session), 40);
  size_t len = 0;
  assert_memory_equal(cwi_llm_session_tokens(session, &len), tokens, 50 * sizeof(tokens[0]));
  assert_int_equal(len, 50);
  cwi_llm_session_free(session);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, limits_and_bad_tokens_are_errors_and_the_session_goes_on) {
  cwi_llm_engine *engine = open_engine("llama-spm-f32.gguf", 1);
  cwi_llm_session *session = NULL;
  int32_t tokens[9];
  fill_tokens(tokens, 9);
  const cwi_llm_session_options options = {.context = 8};
  CHECK_OK(cwi_llm_session_new(engine, &options, &session, NULL));
  CHECK(cwi_llm_session_logits(session) == NULL);
  CHECK_STATUS(cwi_llm_session_prompt(session, tokens, 0, NULL, NULL), CW_E_INVALID);
  CHECK_STATUS(cwi_llm_session_prompt(session, tokens, 9, NULL, NULL), CW_E_LIMIT);
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 8, NULL, NULL));
  CHECK_STATUS(cwi_llm_session_append(session, 5, NULL, NULL), CW_E_LIMIT);
  cwi_llm_session_truncate(session, 3);
  CHECK_STATUS(cwi_llm_session_append(session, -1, NULL, NULL), CW_E_RANGE);
  CHECK_STATUS(cwi_llm_session_append(session, 1 << 20, NULL, NULL), CW_E_RANGE);
  CHECK_OK(cwi_llm_session_append(session, 5, NULL, NULL));
  CHECK(cwi_llm_session_logits(session) != NULL);
  cwi_llm_session_free(session);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, a_cancel_stops_and_the_session_goes_on) {
  cwi_llm_engine *engine = open_engine("llama-spm-f32.gguf", 2);
  cwi_llm_session *session = NULL;
  int32_t tokens[300];
  fill_tokens(tokens, 300);
  _Atomic bool cancel = true;
  CHECK_OK(cwi_llm_session_new(engine, NULL, &session, NULL));
  CHECK_STATUS(cwi_llm_session_prompt(session, tokens, 300, &cancel, NULL), CW_E_CANCELLED);
  CHECK_STATUS(cwi_llm_session_append(session, 5, &cancel, NULL), CW_E_CANCELLED);
  CHECK(cwi_llm_session_logits(session) == NULL);
  atomic_store(&cancel, false);
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 300, &cancel, NULL));
  CHECK(cwi_llm_session_logits(session) != NULL);
  cwi_llm_session_free(session);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, memory_is_refused_before_it_is_taken) {
  cwi_llm_engine *engine = open_engine("llama-spm-f32.gguf", 1);
  const cwi_llm_memory held = cwi_llm_engine_memory(engine);
  CHECK(held.model > 700000 && held.buffers > 0 && held.kv == 0);
  cwi_llm_engine_free(engine);

  cwi_llm_engine_options options = {.threads = 1, .context = 512, .memory_max = held.model + 1000};
  const char *path = model_path("llama-spm-f32.gguf");
  CHECK_STATUS(cwi_llm_engine_open(path, &options, &engine, NULL), CW_E_LIMIT);
  CHECK(engine == NULL);
  options.memory_max = held.model + held.buffers + 200000;
  CHECK_OK(cwi_llm_engine_open(path, &options, &engine, NULL));
  cwi_llm_session *sessions[3] = {NULL, NULL, NULL};
  CHECK_OK(cwi_llm_session_new(engine, NULL, &sessions[0], NULL));
  const uint64_t kv = cwi_llm_engine_memory(engine).kv;
  assert_int_equal(kv, cwi_llm_kv_size(cwi_llm_engine_shape(engine), CWI_TENSOR_F16, 512));
  CHECK_STATUS(cwi_llm_session_new(engine, NULL, &sessions[1], NULL), CW_E_LIMIT);
  assert_int_equal(cwi_llm_engine_memory(engine).kv, kv);
  cwi_llm_session_free(sessions[0]);
  assert_int_equal(cwi_llm_engine_memory(engine).kv, 0);
  cwi_llm_engine_free(engine);
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(llm_session, a_saved_session_goes_on_where_it_was) {
  cwi_llm_engine *engine = open_engine("qwen3-bpe-f16.gguf", 1);
  cwi_llm_session *session = NULL;
  cwi_llm_session *other = NULL;
  int32_t tokens[40];
  cwi_buf saved;
  cwi_buf_init(&saved, 0);
  fill_tokens(tokens, 40);
  CHECK_OK(cwi_llm_session_new(engine, NULL, &session, NULL));
  CHECK_OK(cwi_llm_session_new(engine, NULL, &other, NULL));
  CHECK_OK(cwi_llm_session_prompt(session, tokens, 40, NULL, NULL));
  CHECK_OK(cwi_llm_session_save(session, &saved, NULL));
  CHECK_OK(cwi_llm_session_restore(other, saved.data, saved.size, NULL));
  CHECK_OK(cwi_llm_session_append(session, 7, NULL, NULL));
  CHECK_OK(cwi_llm_session_append(other, 7, NULL, NULL));
  check_near(cwi_llm_session_logits(other), cwi_llm_session_logits(session),
             cwi_llm_session_vocab(session), 0);
  for (size_t size = 0; size < saved.size; size += 1 + saved.size / 97) {
    CHECK(cwi_llm_session_restore(other, saved.data, size, NULL) != CW_OK);
  }
  for (size_t i = 0; i < 60; i++) {
    saved.data[i] = (char)(saved.data[i] ^ 0x80);
    (void)cwi_llm_session_restore(other, saved.data, saved.size, NULL);
    saved.data[i] = (char)(saved.data[i] ^ 0x80);
  }
  cwi_buf_deinit(&saved);
  cwi_llm_session_free(session);
  cwi_llm_session_free(other);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, a_q8_0_cache_is_near_the_f16_one) {
  cwi_llm_engine *engine = open_engine("qwen3-bpe-f16.gguf", 2);
  cwi_llm_session *half = NULL;
  cwi_llm_session *byte = NULL;
  int32_t tokens[200];
  fill_tokens(tokens, 200);
  const cwi_llm_session_options options = {.kv = CWI_TENSOR_Q8_0};
  CHECK_OK(cwi_llm_session_new(engine, NULL, &half, NULL));
  CHECK_OK(cwi_llm_session_new(engine, &options, &byte, NULL));
  CHECK_OK(cwi_llm_session_prompt(half, tokens, 200, NULL, NULL));
  CHECK_OK(cwi_llm_session_prompt(byte, tokens, 200, NULL, NULL));
  check_near(cwi_llm_session_logits(byte), cwi_llm_session_logits(half),
             cwi_llm_session_vocab(half), 0.5F);
  cwi_llm_session_free(half);
  cwi_llm_session_free(byte);
  cwi_llm_engine_free(engine);
}

TEST(llm_session, vocabularies_are_no_models) {
  cwi_llm_engine *engine = NULL;
  cw_error err = {0};
  CHECK_STATUS(cwi_llm_engine_open(model_path("vocab-spm.gguf"), NULL, &engine, &err), CW_E_MODEL);
  CHECK(strstr(err.message, "vocabulary only") != NULL);
  CHECK(engine == NULL);
}

static cw_status open_and_compute(const char *path) {
  static const int32_t tokens[40] = {5, 6, 7, 8};
  cwi_llm_engine *engine = NULL;
  cwi_llm_session *session = NULL;
  float embedding[64];
  const cwi_llm_engine_options options = {.threads = 2, .context = 64};
  cw_status status = cwi_llm_engine_open(path, &options, &engine, NULL);
  if (status == CW_OK) status = cwi_llm_session_new(engine, NULL, &session, NULL);
  if (status == CW_OK) status = cwi_llm_session_prompt(session, tokens, 40, NULL, NULL);
  if (status == CW_OK) status = cwi_llm_session_append(session, 9, NULL, NULL);
  if (status == CW_OK) {
    status = cwi_llm_engine_embed(engine, tokens, 4, CWI_LLM_POOL_MEAN, NULL, embedding, NULL);
  }
  cwi_llm_session_free(session);
  cwi_llm_engine_free(engine);
  return status;
}

TEST(llm_session, survives_every_failed_allocation) {
  const char *path = model_path("llama-spm-q4_0.gguf");
  CHECK_SURVIVES_OOM(open_and_compute(path), (void)0);
}

TEST(llm_session, damaged_weights_give_errors_or_numbers) {
  FILE *file = fopen(model_path("llama-spm-q4_0.gguf"), "rb");
  CHECK(file != NULL);
  static uint8_t bytes[400000];
  const size_t size = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  CHECK(size > 100000 && size < sizeof(bytes));
  uint64_t seed = 7;
  cwi_llm_pool *pool = NULL;
  CHECK_OK(cwi_llm_pool_new(1, false, &pool, NULL));
  for (size_t round = 0; round < cwt_rounds(60); round++) {
    size_t places[8];
    uint8_t old[8];
    for (size_t i = 0; i < 8; i++) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      /* the header in every other round */
      places[i] = (size_t)(seed >> 33) % (round % 2 == 0 ? size : 2000);
      old[i] = bytes[places[i]];
      bytes[places[i]] = (uint8_t)(seed >> 24);
    }
    cwi_gguf *gguf = NULL;
    cwi_llm_model *model = NULL;
    cwi_llm_forward *forward = NULL;
    cwi_llm_kv *kv = NULL;
    cw_status status = cwi_gguf_parse(bytes, size, &gguf, NULL);
    if (status == CW_OK) status = cwi_llm_model_new(gguf, &model, NULL);
    if (status == CW_OK) status = cwi_llm_forward_new(model, pool, 4, 1, 64, &forward, NULL);
    if (status == CW_OK) status = cwi_llm_kv_new(&model->shape, CWI_TENSOR_F16, 8, &kv, NULL);
    if (status == CW_OK) {
      const cwi_llm_row row = {.token = 1, .wants_logits = true, .kv = kv};
      status = cwi_llm_forward_run(forward, &row, 1, NULL, NULL);
    }
    cwi_llm_kv_free(kv);
    cwi_llm_forward_free(forward);
    cwi_llm_model_free(model);
    for (size_t i = 8; i > 0; i--) bytes[places[i - 1]] = old[i - 1];
  }
  cwi_llm_pool_free(pool);
  assert_int_equal(cw_allocated_bytes(), 0);
}
