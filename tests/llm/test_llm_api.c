/* SPDX-License-Identifier: MIT */
/* Proves that models open, generate, stop and close through the public interface, and leave
 * nothing. */
#include "causeway/llm.h"

#include <stdio.h>
#include <unistd.h>

#include "causeway/task.h"
#include "support/test.h"

static const char *model_path(const char *name) {
  static char path[1024];
  const char *folder = getenv("CAUSEWAY_VECTORS");
  snprintf(path, sizeof(path), "%s/llm/models/%s", folder != NULL ? folder : CW_VECTORS_DIR, name);
  if (access(path, R_OK) != 0) skip();
  return path;
}

static cw_llm *open_model(const char *name) {
  cw_llm *llm = NULL;
  cw_error err = {0};
  cw_llm_options options = CW_LLM_OPTIONS_INIT;
  options.threads = 2;
  options.context_len = 256;
  if (cw_await(cw_llm_open(model_path(name), &options, &llm), NULL, &err) != CW_OK) {
    fail_msg("%s", err.message);
  }
  return llm;
}

/* A model is freed by its own thread, some time after its handle was released. */
static void wait_until_nothing_is_left(void) {
  for (int i = 0; i < 5000 && cw_handle_count(CW_HANDLE_LLM) + cw_handle_count(CW_HANDLE_STREAM) +
                                      cw_handle_count(CW_HANDLE_PRODUCER) >
                                  0;
       i++) {
    CHECK_OK(cw_await(cw_sleep(1), NULL, NULL));
  }
  assert_int_equal(cw_handle_count(CW_HANDLE_LLM), 0);
  assert_int_equal(cw_handle_count(CW_HANDLE_STREAM), 0);
  assert_int_equal(cw_handle_count(CW_HANDLE_PRODUCER), 0);
}

static cw_value get(cw_value object, const char *key) {
  return cw_value_object_get(object, key, strlen(key));
}

/* The prompt and the continuation are those recorded for this model. */
static const int32_t prompt[] = {1, 625, 688, 471, 335};
static const int32_t continuation[] = {638, 331, 544, 615, 481, 594, 474, 434,
                                       263, 638, 331, 544, 615, 481, 490, 597};

static void read_continuation(cw_stream *events, size_t len, const char *finish) {
  cw_value event;
  cw_error err = {0};
  for (size_t i = 0; i < len; i++) {
    CHECK_OK(cw_await(cw_stream_next(events), &event, &err));
    assert_int_equal(cw_value_as_int(get(event, "token")), continuation[i]);
    assert_int_equal(cw_value_as_int(get(event, "index")), i);
    CHECK(cw_value_as_float(get(event, "logprob")) <= 0);
    CHECK(cw_value_as_float(get(event, "confidence")) > 0);
    cw_value_release(&event);
  }
  CHECK_OK(cw_await(cw_stream_next(events), &event, &err));
  assert_string_equal(cw_value_as_bytes(get(event, "finish")).data, finish);
  assert_int_equal(cw_value_as_int(get(event, "tokens")), len);
  cw_value_release(&event);
  CHECK_STATUS(cw_await(cw_stream_next(events), &event, &err), CW_E_END);
}

TEST(llm_api, generates_the_recorded_continuation) {
  cw_error err = {0};
  cw_llm *llm = open_model("llama-spm-q4_0.gguf");
  cw_llm_generate_options options = CW_LLM_GENERATE_OPTIONS_INIT;
  options.tokens_max = 16;
  cw_stream *events = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
  CHECK(events != NULL);
  read_continuation(events, 16, "length");
  CHECK_OK(cw_release(events));
  /* one event at a time, and a token that stops */
  const int32_t stop = 490;
  options.window = 1;
  options.stop = &stop;
  options.stop_len = 1;
  events = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
  read_continuation(events, 14, "stop");
  CHECK_OK(cw_release(events));
  CHECK_OK(cw_release(llm));
  wait_until_nothing_is_left();
}

TEST(llm_api, generations_at_once_do_not_disturb_each_other) {
  enum { GENERATIONS = 40 };
  cw_error err = {0};
  cw_llm *llm = open_model("llama-spm-q4_0.gguf");
  cw_llm_generate_options options = CW_LLM_GENERATE_OPTIONS_INIT;
  options.tokens_max = 12;
  cw_stream *events[GENERATIONS];
  for (size_t i = 0; i < GENERATIONS; i++) {
    options.window = (uint32_t)(1 + i % 5);
    events[i] = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
    CHECK(events[i] != NULL);
  }
  for (size_t i = 0; i < GENERATIONS; i++) {
    read_continuation(events[i], 12, "length");
    CHECK_OK(cw_release(events[i]));
  }
  CHECK_OK(cw_release(llm));
  wait_until_nothing_is_left();
}

TEST(llm_api, embeds_and_describes) {
  cw_error err = {0};
  cw_value value;
  cw_llm *llm = open_model("llama-spm-f32.gguf");
  CHECK_OK(cw_await(cw_llm_embed_tokens(llm, prompt, 5, CW_LLM_POOLING_MEAN), &value, &err));
  assert_int_equal(cw_value_len(value), 64);
  double squares = 0;
  for (size_t i = 0; i < 64; i++) {
    const double x = cw_value_as_float(cw_value_array_get(value, i));
    squares += x * x;
  }
  CHECK(squares > 0.999 && squares < 1.001);
  cw_value_release(&value);
  CHECK_OK(cw_llm_info(llm, &value, &err));
  assert_string_equal(cw_value_as_bytes(get(value, "architecture")).data, "llama");
  CHECK(cw_value_as_int(get(get(value, "memory"), "model")) > 700000);
  cw_value_release(&value);
  CHECK_OK(cw_release(llm));
  wait_until_nothing_is_left();
}

TEST(llm_api, wrong_use_is_an_error) {
  cw_error err = {0};
  cw_value value;
  cw_llm *llm = NULL;
  cw_llm_options options = CW_LLM_OPTIONS_INIT;
  options.kv_bits = 7;
  CHECK_STATUS(cw_await(cw_llm_open("x", &options, &llm), NULL, &err), CW_E_INVALID);
  CHECK(llm == NULL);
  CHECK_STATUS(cw_await(cw_llm_open(NULL, NULL, &llm), NULL, &err), CW_E_INVALID);
  CHECK_STATUS(cw_await(cw_llm_open("x", NULL, NULL), NULL, &err), CW_E_INVALID);
  CHECK(cw_llm_generate_tokens(NULL, prompt, 5, NULL, &err) == NULL && err.code == CW_E_STALE);
  CHECK_STATUS(cw_await(cw_llm_embed_tokens(NULL, prompt, 5, 0), NULL, &err), CW_E_STALE);
  CHECK_STATUS(cw_llm_info(NULL, &value, &err), CW_E_STALE);

  /* a model that cannot be opened: what is asked of it fails with the reason */
  cw_future *opening = cw_llm_open("/nonexistent.gguf", NULL, &llm);
  cw_stream *events = cw_llm_generate_tokens(llm, prompt, 5, NULL, &err);
  CHECK_STATUS(cw_await(cw_stream_next(events), &value, &err), CW_E_NOT_FOUND);
  CHECK_STATUS(cw_await(opening, NULL, &err), CW_E_NOT_FOUND);
  CHECK_STATUS(cw_llm_info(llm, &value, &err), CW_E_STATE);
  CHECK_OK(cw_release(events));
  CHECK_OK(cw_release(llm));
  CHECK_STATUS(cw_release(llm), CW_E_STALE);

  llm = open_model("llama-spm-f32.gguf");
  CHECK(cw_llm_generate_tokens(llm, prompt, 0, NULL, &err) == NULL && err.code == CW_E_INVALID);
  const int32_t wrong[] = {5, 100000};
  events = cw_llm_generate_tokens(llm, wrong, 2, NULL, &err);
  CHECK_STATUS(cw_await(cw_stream_next(events), &value, &err), CW_E_RANGE);
  CHECK_OK(cw_release(events));
  int32_t tokens[300];
  for (size_t i = 0; i < 300; i++) tokens[i] = 5;
  events = cw_llm_generate_tokens(llm, tokens, 300, NULL, &err);
  CHECK_STATUS(cw_await(cw_stream_next(events), &value, &err), CW_E_LIMIT);
  CHECK_OK(cw_release(events));
  CHECK_OK(cw_release(llm));
  wait_until_nothing_is_left();
}

TEST(llm_api, rounds_of_open_generate_cancel_close_leave_nothing) {
  cw_error err = {0};
  const size_t rounds = cwt_rounds(60);
  const char *path = model_path("llama-spm-q4_0.gguf");
  for (size_t round = 0; round < rounds; round++) {
    cw_llm *llm = NULL;
    cw_value event;
    cw_future *opening = cw_llm_open(path, NULL, &llm);
    if (round % 3 == 0) CHECK_OK(cw_await(opening, NULL, &err));
    cw_llm_generate_options options = CW_LLM_GENERATE_OPTIONS_INIT;
    options.tokens_max = 1000;
    options.window = (uint32_t)(1 + round % 3);
    cw_stream *first = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
    cw_stream *second = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
    cw_future *embedding = cw_llm_embed_tokens(llm, prompt, 5, 0);
    for (size_t i = 0; i < round % 4; i++) {
      CHECK_OK(cw_await(cw_stream_next(first), &event, &err));
      cw_value_release(&event);
    }
    if (round % 2 == 0) CHECK_OK(cw_stream_cancel(first));
    if (round % 5 == 0) CHECK_OK(cw_release(llm));
    CHECK_OK(cw_release(first));
    CHECK_OK(cw_release(second));
    CHECK_OK(cw_release(embedding));
    if (round % 3 != 0) CHECK_OK(cw_release(opening));
    if (round % 5 != 0) CHECK_OK(cw_release(llm));
  }
  wait_until_nothing_is_left();
}

TEST(llm_api, closing_ends_what_runs) {
  cw_error err = {0};
  cw_llm *llm = open_model("llama-spm-q4_0.gguf");
  cw_value event;
  cw_llm_generate_options options = CW_LLM_GENERATE_OPTIONS_INIT;
  options.tokens_max = 1000;
  options.window = 2;
  cw_stream *events = cw_llm_generate_tokens(llm, prompt, 5, &options, &err);
  CHECK_OK(cw_await(cw_stream_next(events), &event, &err));
  cw_value_release(&event);
  CHECK_OK(cw_release(llm));
  cw_status status = CW_OK;
  while (status == CW_OK) {
    status = cw_await(cw_stream_next(events), &event, &err);
    if (status == CW_OK) cw_value_release(&event);
  }
  assert_int_equal(status, CW_E_CLOSED);
  CHECK_OK(cw_release(events));
  wait_until_nothing_is_left();
}
