/* SPDX-License-Identifier: MIT */
/* Samplers: the stages against the recorded vectors are in the conformance suite; here is the
 * chain. */
#include <math.h>

#include "llm/sampler.h"
#include "support/test.h"

static const float logits[8] = {1, 3, -2, 2.5F, 0, 3, -1, 0.5F};

static cwi_sampler *make(cwi_sampler_options options) {
  cwi_sampler *s = NULL;
  CHECK_OK(cwi_sampler_new(8, &options, &s, NULL));
  return s;
}

TEST(sampler, temperature_zero_takes_the_best_whatever_the_rest_says) {
  cwi_sampler_options options = CWI_SAMPLER_OPTIONS_INIT;
  options.temperature = 0;
  for (uint64_t seed = 0; seed < 20; seed++) {
    options.seed = seed;
    options.mirostat = (uint32_t)(seed % 3);
    cwi_sampler *s = make(options);
    cwi_sampled got;
    CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
    CHECK(got.id == 1);
    CHECK(got.logprob < 0 && got.confidence > 0 && got.confidence < 1);
    cwi_sampler_free(s);
  }
}

TEST(sampler, a_seed_gives_the_same_tokens_again) {
  for (uint32_t mirostat = 0; mirostat < 3; mirostat++) {
    cwi_sampler_options options = CWI_SAMPLER_OPTIONS_INIT;
    options.seed = 42;
    options.mirostat = mirostat;
    cwi_sampler *s = make(options);
    int32_t first[64];
    bool varies = false;
    for (size_t round = 0; round < 2; round++) {
      for (size_t i = 0; i < 64; i++) {
        cwi_sampled got;
        CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
        if (round == 0) first[i] = got.id;
        CHECK(got.id == first[i]);
        varies = varies || got.id != first[0];
      }
      cwi_sampler_reset(s);
    }
    CHECK(varies);
    cwi_sampler_free(s);
  }
}

TEST(sampler, draws_follow_the_probabilities) {
  cwi_sampler_options options = CWI_SAMPLER_OPTIONS_INIT;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  cwi_sampler *s = make(options);
  size_t counts[8] = {0};
  double sum = 0;
  for (size_t i = 0; i < 8; i++) sum += exp((double)logits[i]);
  for (size_t i = 0; i < 20000; i++) {
    cwi_sampled got;
    CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
    counts[got.id]++;
  }
  for (size_t i = 0; i < 8; i++) {
    CHECK(fabs((double)counts[i] / 20000 - exp((double)logits[i]) / sum) < 0.02);
  }
  cwi_sampler_free(s);
}

TEST(sampler, only_what_is_allowed_is_drawn) {
  cwi_sampler *s = make((cwi_sampler_options)CWI_SAMPLER_OPTIONS_INIT);
  const uint64_t some = 1U << 2 | 1U << 6;
  const uint64_t none = 0;
  cwi_sampled got;
  for (size_t i = 0; i < 100; i++) {
    CHECK_OK(cwi_sampler_sample(s, logits, &some, &got, NULL));
    CHECK(got.id == 2 || got.id == 6);
  }
  CHECK_STATUS(cwi_sampler_sample(s, logits, &none, &got, NULL), CW_E_STATE);
  cwi_sampler_free(s);
}

TEST(sampler, biases_and_penalties_move_the_choice) {
  const cwi_logit_bias bias[] = {{1, -INFINITY}, {2, 100}};
  cwi_sampler_options options = CWI_SAMPLER_OPTIONS_INIT;
  options.temperature = 0;
  options.bias = bias;
  options.bias_len = 2;
  cwi_sampler *s = make(options);
  cwi_sampled got;
  CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
  CHECK(got.id == 2);
  cwi_sampler_free(s);
  options.bias_len = 1;
  options.presence = 2;
  s = make(options);
  CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
  CHECK(got.id == 5);
  CHECK_OK(cwi_sampler_sample(s, logits, NULL, &got, NULL));
  CHECK(got.id == 3); /* 5 was seen */
  cwi_sampler_free(s);
}

TEST(sampler, refuses_what_is_no_number) {
  float bad[8] = {0};
  cwi_sampler *s = make((cwi_sampler_options)CWI_SAMPLER_OPTIONS_INIT);
  cwi_sampled got;
  bad[3] = NAN;
  CHECK_STATUS(cwi_sampler_sample(s, bad, NULL, &got, NULL), CW_E_MODEL);
  bad[3] = INFINITY;
  CHECK_STATUS(cwi_sampler_sample(s, bad, NULL, &got, NULL), CW_E_MODEL);
  cwi_sampler_free(s);
  cwi_sampler_options options = CWI_SAMPLER_OPTIONS_INIT;
  options.temperature = NAN;
  CHECK_STATUS(cwi_sampler_new(8, &options, &s, NULL), CW_E_INVALID);
  options.temperature = 1;
  options.top_p = 1.5F;
  CHECK_STATUS(cwi_sampler_new(8, &options, &s, NULL), CW_E_INVALID);
  CHECK(s == NULL);
}

TEST(sampler, survives_running_out_of_memory) {
  cwi_sampler *s = NULL;
  CHECK_SURVIVES_OOM(cwi_sampler_new(8, NULL, &s, NULL), cwi_sampler_free(s));
}
