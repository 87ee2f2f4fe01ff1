/* SPDX-License-Identifier: MIT */
/* Sampling: from the logits of a vocabulary to one token.
 *
 * A chain, in this order: logit bias, grammar, penalties, top-k, typical, top-p, min-p,
 * temperature, draw. Temperature 0 (or below) is greedy and draws nothing. The stages are functions
 * of their own, so that tests and other chains can use them alone. One thread at a time. */
#ifndef LLM_SAMPLER_H
#define LLM_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"

/* Tokens that may still be drawn. */
typedef struct cwi_candidate {
  int32_t id;
  float logit;
  float p; /* set by stages that need probabilities */
} cwi_candidate;

typedef struct cwi_candidates {
  cwi_candidate *list; /* borrowed */
  size_t len;
  bool sorted; /* by logit, highest first */
} cwi_candidates;

typedef struct cwi_logit_bias {
  int32_t id;
  float bias; /* added; -INFINITY forbids the token */
} cwi_logit_bias;

typedef struct cwi_sampler_options {
  uint64_t seed;
  float temperature;     /* 0: greedy */
  uint32_t top_k;        /* 0: all */
  float top_p;           /* 1: all */
  float min_p;           /* 0: all */
  float typical_p;       /* 1: all */
  float repeat;          /* 1: none */
  float frequency;       /* 0: none */
  float presence;        /* 0: none */
  uint32_t penalty_last; /* of how many last tokens; 0: none */
  uint32_t mirostat;     /* 0, 1 or 2 */
  float mirostat_tau;
  float mirostat_eta;
  const cwi_logit_bias *bias; /* copied */
  size_t bias_len;
} cwi_sampler_options;

#define CWI_SAMPLER_OPTIONS_INIT                                                         \
  {                                                                                      \
    .temperature = 0.8F, .top_k = 40, .top_p = 0.95F, .typical_p = 1.0F, .repeat = 1.0F, \
    .penalty_last = 64, .mirostat_tau = 5.0F, .mirostat_eta = 0.1F                       \
  }

#define CWI_SAMPLER_PENALTY_LAST_MAX 65536U

typedef struct cwi_sampler cwi_sampler;

/* What was drawn, from the model's own logits before any stage. */
typedef struct cwi_sampled {
  int32_t id;
  float logprob;    /* natural logarithm of the model's own probability */
  float confidence; /* 1 - entropy / ln(vocabulary): 1 is certain */
} cwi_sampled;

/* Errors: CW_E_INVALID an option out of range, named; CW_E_NOMEM. */
cw_status cwi_sampler_new(uint32_t vocab, const cwi_sampler_options *options, cwi_sampler **out,
                          cw_error *err);
void cwi_sampler_free(cwi_sampler *sampler);

/* Draws from `logits` ([vocab], kept as they are). `allowed` is a bit a token, or NULL for all. The
 * token is remembered for the penalties. Errors: CW_E_MODEL a logit is not a number; CW_E_STATE no
 * token is allowed. */
cw_status cwi_sampler_sample(cwi_sampler *sampler, const float *logits, const uint64_t *allowed,
                             cwi_sampled *out, cw_error *err);

/* Remembers a token that was not drawn: of the prompt, say. */
void cwi_sampler_accept(cwi_sampler *sampler, int32_t id);
/* Forgets the tokens, and starts the random numbers again. */
void cwi_sampler_reset(cwi_sampler *sampler);

/* The stages. Each keeps at least one candidate. */
void cwi_sample_top_k(cwi_candidates *c, uint32_t k);
void cwi_sample_top_p(cwi_candidates *c, float p);
void cwi_sample_min_p(cwi_candidates *c, float p);
/* `scratch` has room for all candidates' floats. */
void cwi_sample_typical(cwi_candidates *c, float p, cwi_candidate *scratch);
void cwi_sample_temperature(cwi_candidates *c, float temperature);
void cwi_sample_softmax(cwi_candidates *c);
/* `last` are the last tokens; each candidate's count is found by id. */
void cwi_sample_penalties(cwi_candidates *c, const int32_t *last, size_t len, float repeat,
                          float frequency, float presence);

/* 1 - entropy / ln(len) of softmax(logits), and the logarithm of the sum of exponents. */
float cwi_sample_confidence(const float *logits, size_t len, double *log_sum);

#endif
