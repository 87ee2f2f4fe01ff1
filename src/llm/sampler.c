/* SPDX-License-Identifier: MIT */
/* The sampler chain.
 *
 * Top-k is a partial selection with a heap, not a sort of the vocabulary; what comes after works on
 * the few that are left. Stages that need the order sort only what they have. A draw uses a
 * generator of our own (PCG32), so that a seed gives the same text on every platform. */
#include "llm/sampler.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"

struct cwi_sampler {
  cwi_sampler_options options; /* bias: owned */
  uint32_t vocab;
  uint64_t random;
  float mirostat_mu;
  cwi_candidate *list;    /* [vocab] */
  cwi_candidate *scratch; /* [vocab] */
  int32_t *last;          /* ring of the last tokens */
  size_t last_len, last_next;
};

/* ---- order ---- */

/* Higher logits first, of equals the lower id. */
static bool is_before(const cwi_candidate *a, const cwi_candidate *b) {
  return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

/* Restores the heap below `root`: its top is the last in order. */
static void sift(cwi_candidate *heap, size_t root, size_t len) {
  const cwi_candidate moved = heap[root];
  for (size_t child; (child = 2 * root + 1) < len; root = child) {
    if (child + 1 < len && is_before(&heap[child], &heap[child + 1])) child++;
    if (!is_before(&moved, &heap[child])) break;
    heap[root] = heap[child];
  }
  heap[root] = moved;
}

/* Moves the first `k` in order to the front, sorted. */
static void select_first(cwi_candidate *list, size_t len, size_t k) {
  for (size_t i = k / 2; i-- > 0;) sift(list, i, k);
  for (size_t i = k; i < len; i++) {
    if (!is_before(&list[i], &list[0])) continue;
    const cwi_candidate swap = list[0];
    list[0] = list[i];
    list[i] = swap;
    sift(list, 0, k);
  }
  for (size_t i = k; i-- > 1;) {
    const cwi_candidate swap = list[0];
    list[0] = list[i];
    list[i] = swap;
    sift(list, 0, i);
  }
}

static void sort(cwi_candidates *c) {
  if (c->sorted) return;
  select_first(c->list, c->len, c->len);
  c->sorted = true;
}

/* ---- stages ---- */

void cwi_sample_softmax(cwi_candidates *c) {
  float max = -INFINITY;
  for (size_t i = 0; i < c->len; i++) max = c->list[i].logit > max ? c->list[i].logit : max;
  double sum = 0;
  for (size_t i = 0; i < c->len; i++) {
    c->list[i].p = expf(c->list[i].logit - max);
    sum += (double)c->list[i].p;
  }
  for (size_t i = 0; i < c->len; i++) c->list[i].p = (float)((double)c->list[i].p / sum);
}

void cwi_sample_top_k(cwi_candidates *c, uint32_t k) {
  if (k == 0 || c->len == 0) return;
  const size_t kept = k < c->len ? k : c->len;
  if (!c->sorted) select_first(c->list, c->len, kept);
  c->len = kept;
  c->sorted = true;
}

void cwi_sample_top_p(cwi_candidates *c, float p) {
  if (p >= 1.0F || c->len == 0) return;
  cwi_sample_softmax(c);
  sort(c);
  float sum = 0;
  for (size_t i = 0; i < c->len; i++) {
    sum += c->list[i].p;
    if (sum >= p) {
      c->len = i + 1;
      break;
    }
  }
}

void cwi_sample_min_p(cwi_candidates *c, float p) {
  if (p <= 0.0F || c->len == 0) return;
  size_t best = 0;
  for (size_t i = 1; i < c->len; i++) {
    if (c->list[i].logit > c->list[best].logit) best = i;
  }
  const cwi_candidate top = c->list[best];
  const float least = top.logit + logf(p);
  size_t kept = 0;
  for (size_t i = 0; i < c->len; i++) {
    if (c->list[i].logit >= least) c->list[kept++] = c->list[i];
  }
  if (kept == 0) c->list[kept++] = top; /* p above 1 */
  c->len = kept;
}

void cwi_sample_typical(cwi_candidates *c, float p, cwi_candidate *scratch) {
  if (p >= 1.0F || c->len == 0) return;
  cwi_sample_softmax(c);
  double entropy = 0;
  for (size_t i = 0; i < c->len; i++) {
    if (c->list[i].p > 0) entropy -= (double)c->list[i].p * log((double)c->list[i].p);
  }
  for (size_t i = 0; i < c->len; i++) { /* nearest to the entropy first */
    const double surprise = c->list[i].p > 0 ? -log((double)c->list[i].p) : (double)INFINITY;
    scratch[i] = (cwi_candidate){.id = (int32_t)i, .logit = (float)-fabs(surprise - entropy)};
  }
  select_first(scratch, c->len, c->len);
  float sum = 0;
  size_t kept = 0;
  while (kept < c->len) {
    const cwi_candidate chosen = c->list[scratch[kept].id];
    scratch[kept++] = chosen;
    sum += chosen.p;
    if (sum > p) break;
  }
  memcpy(c->list, scratch, kept * sizeof(cwi_candidate));
  c->len = kept;
  c->sorted = false;
}

void cwi_sample_temperature(cwi_candidates *c, float temperature) {
  if (c->len == 0) return;
  if (temperature <= 0.0F) {
    size_t best = 0;
    for (size_t i = 1; i < c->len; i++) {
      if (c->list[i].logit > c->list[best].logit) best = i;
    }
    c->list[0] = c->list[best];
    c->len = 1;
    return;
  }
  for (size_t i = 0; i < c->len; i++) c->list[i].logit /= temperature;
}

void cwi_sample_penalties(cwi_candidates *c, const int32_t *last, size_t len, float repeat,
                          float frequency, float presence) {
  if (len == 0 || (repeat == 1.0F && frequency == 0.0F && presence == 0.0F)) return;
  for (size_t i = 0; i < len; i++) {
    size_t count = 0;
    size_t first = i;
    for (size_t k = 0; k < len; k++) {
      if (last[k] != last[i]) continue;
      count++;
      if (k < first) first = k;
    }
    if (first != i) continue; /* each token once */
    cwi_candidate *found = NULL;
    const size_t id = (size_t)(uint32_t)last[i];
    if (id < c->len && c->list[id].id == last[i]) found = &c->list[id];
    for (size_t k = 0; found == NULL && k < c->len; k++) {
      if (c->list[k].id == last[i]) found = &c->list[k];
    }
    if (found == NULL) continue;
    found->logit = found->logit <= 0 ? found->logit * repeat : found->logit / repeat;
    found->logit -= (float)count * frequency + presence;
  }
  c->sorted = false;
}

float cwi_sample_confidence(const float *logits, size_t len, double *log_sum) {
  double max = -(double)INFINITY;
  for (size_t i = 0; i < len; i++) max = (double)logits[i] > max ? (double)logits[i] : max;
  double sum = 0;
  double weighted = 0;
  for (size_t i = 0; i < len; i++) {
    const double d = (double)logits[i] - max;
    if (d < -80) continue; /* nothing in double precision */
    const double e = (double)expf((float)d);
    sum += e;
    weighted += e * d;
  }
  *log_sum = max + log(sum);
  if (len < 2) return 1.0F;
  const double entropy = log(sum) - weighted / sum;
  const double confidence = 1.0 - entropy / log((double)len);
  return (float)(confidence < 0 ? 0 : confidence > 1 ? 1 : confidence);
}

/* ---- the sampler ---- */

/* A number in [0, 1): the generator is PCG32. */
static double draw(cwi_sampler *s) {
  const uint64_t old = s->random;
  s->random = old * 6364136223846793005ULL + 1442695040888963407ULL;
  const uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27);
  const uint32_t turn = (uint32_t)(old >> 59);
  return (double)(mixed >> turn | mixed << ((32 - turn) & 31)) / 4294967296.0;
}

void cwi_sampler_reset(cwi_sampler *s) {
  s->random =
      (s->options.seed + 1442695040888963407ULL) * 6364136223846793005ULL + 1442695040888963407ULL;
  s->mirostat_mu = 2 * s->options.mirostat_tau;
  s->last_len = 0;
  s->last_next = 0;
}

static cw_status check_options(const cwi_sampler_options *o, uint32_t vocab, cw_error *err) {
  const char *wrong = NULL;
  if (!(o->temperature >= 0) || !isfinite(o->temperature)) wrong = "temperature";
  if (!(o->top_p >= 0 && o->top_p <= 1)) wrong = "top_p";
  if (!(o->min_p >= 0 && o->min_p <= 1)) wrong = "min_p";
  if (!(o->typical_p >= 0 && o->typical_p <= 1)) wrong = "typical_p";
  if (!(o->repeat > 0) || !isfinite(o->repeat)) wrong = "repeat";
  if (!isfinite(o->frequency)) wrong = "frequency";
  if (!isfinite(o->presence)) wrong = "presence";
  if (o->mirostat > 2) wrong = "mirostat";
  if (o->mirostat > 0 && (!isfinite(o->mirostat_tau) || !isfinite(o->mirostat_eta))) {
    wrong = "mirostat_tau or mirostat_eta";
  }
  if (o->penalty_last > CWI_SAMPLER_PENALTY_LAST_MAX) wrong = "penalty_last";
  for (size_t i = 0; i < o->bias_len; i++) {
    if (o->bias[i].id < 0 || (uint32_t)o->bias[i].id >= vocab || isnan(o->bias[i].bias)) {
      wrong = "logit bias";
    }
  }
  if (vocab == 0) wrong = "vocabulary";
  return wrong == NULL ? CW_OK : CWI_RAISE(err, CW_E_INVALID, 0, "%s is out of range", wrong);
}

cw_status cwi_sampler_new(uint32_t vocab, const cwi_sampler_options *options, cwi_sampler **out,
                          cw_error *err) {
  static const cwi_sampler_options defaults = CWI_SAMPLER_OPTIONS_INIT;
  *out = NULL;
  if (options == NULL) options = &defaults;
  const cw_status status = check_options(options, vocab, err);
  if (status != CW_OK) return status;
  cwi_sampler *s = CWI_NEW(cwi_sampler);
  if (s == NULL) return CWI_RAISE_NOMEM(err, "a sampler");
  s->options = *options;
  s->vocab = vocab;
  s->list = cwi_alloc_array(vocab, sizeof(cwi_candidate));
  s->scratch = cwi_alloc_array(vocab, sizeof(cwi_candidate));
  s->last = cwi_alloc_array((size_t)options->penalty_last + 1, sizeof(int32_t));
  cwi_logit_bias *bias = cwi_alloc_array(options->bias_len + 1, sizeof(cwi_logit_bias));
  s->options.bias = bias;
  if (s->list == NULL || s->scratch == NULL || s->last == NULL || bias == NULL) {
    cwi_sampler_free(s);
    return CWI_RAISE_NOMEM(err, "a sampler");
  }
  if (options->bias_len > 0) memcpy(bias, options->bias, options->bias_len * sizeof(*bias));
  cwi_sampler_reset(s);
  *out = s;
  return CW_OK;
}

void cwi_sampler_free(cwi_sampler *s) {
  if (s == NULL) return;
  cwi_free(s->list, s->vocab * sizeof(cwi_candidate));
  cwi_free(s->scratch, s->vocab * sizeof(cwi_candidate));
  cwi_free(s->last, ((size_t)s->options.penalty_last + 1) * sizeof(int32_t));
  cwi_free((void *)(uintptr_t)s->options.bias, (s->options.bias_len + 1) * sizeof(cwi_logit_bias));
  CWI_FREE(s);
}

void cwi_sampler_accept(cwi_sampler *s, int32_t id) {
  if (s->options.penalty_last == 0) return;
  s->last[s->last_next] = id;
  s->last_next = (s->last_next + 1) % s->options.penalty_last;
  if (s->last_len < s->options.penalty_last) s->last_len++;
}

static size_t pick(cwi_sampler *s, cwi_candidates *c) {
  cwi_sample_softmax(c);
  double left = draw(s);
  for (size_t i = 0; i < c->len; i++) {
    left -= (double)c->list[i].p;
    if (left < 0) return i;
  }
  size_t last = c->len - 1; /* rounding */
  while (last > 0 && !(c->list[last].p > 0)) last--;
  return last;
}

/* How many candidates keep the expected surprise at mu: version 1 fits Zipf's law to the first
 * hundred. */
static void mirostat_one(const cwi_sampler *s, cwi_candidates *c) {
  cwi_sample_softmax(c);
  sort(c);
  double products = 0;
  double squares = 0;
  for (size_t i = 0; i + 1 < c->len && i + 1 < 100; i++) {
    if (!(c->list[i + 1].p > 0)) break;
    const double t = log((double)(i + 2) / (double)(i + 1));
    products += t * log((double)c->list[i].p / (double)c->list[i + 1].p);
    squares += t * t;
  }
  const double slope = squares > 0 ? products / squares : 1;
  const double epsilon = slope - 1;
  const double k = pow(
      epsilon * pow(2, (double)s->mirostat_mu) / (1 - pow((double)s->vocab, -epsilon)), 1 / slope);
  cwi_sample_top_k(c, k >= 1 && k < (double)c->len ? (uint32_t)k : k < 1 ? 1 : (uint32_t)c->len);
}

/* Version 2: drops what surprises more than mu. */
static void mirostat_two(const cwi_sampler *s, cwi_candidates *c) {
  cwi_sample_softmax(c);
  sort(c);
  size_t kept = 1;
  while (kept < c->len && -log2((double)c->list[kept].p) <= (double)s->mirostat_mu) kept++;
  c->len = kept;
}

static size_t pick_mirostat(cwi_sampler *s, cwi_candidates *c) {
  cwi_sample_temperature(c, s->options.temperature);
  if (s->options.mirostat == 1) {
    mirostat_one(s, c);
  } else {
    mirostat_two(s, c);
  }
  const size_t index = pick(s, c);
  const float surprise = -log2f(c->list[index].p);
  s->mirostat_mu -= s->options.mirostat_eta * (surprise - s->options.mirostat_tau);
  return index;
}

static void apply_stages(cwi_sampler *s, cwi_candidates *c) {
  const cwi_sampler_options *o = &s->options;
  cwi_sample_penalties(c, s->last, s->last_len, o->repeat, o->frequency, o->presence);
  if (o->mirostat > 0 && o->temperature > 0) return;
  if (o->temperature > 0) {
    cwi_sample_top_k(c, o->top_k);
    cwi_sample_typical(c, o->typical_p, s->scratch);
    cwi_sample_top_p(c, o->top_p);
    cwi_sample_min_p(c, o->min_p);
  }
}

cw_status cwi_sampler_sample(cwi_sampler *s, const float *logits, const uint64_t *allowed,
                             cwi_sampled *out, cw_error *err) {
  CWI_ASSERT(s != NULL && logits != NULL && out != NULL);
  cwi_candidates c = {.list = s->list};
  *out = (cwi_sampled){.id = -1};
  for (uint32_t i = 0; i < s->vocab; i++) {
    s->list[i] = (cwi_candidate){.id = (int32_t)i, .logit = logits[i]};
    if (isnan(logits[i]) || logits[i] == INFINITY) {
      return CWI_RAISE(err, CW_E_MODEL, 0, "the model gives no number for token %u", i);
    }
  }
  for (size_t i = 0; i < s->options.bias_len; i++) {
    s->list[s->options.bias[i].id].logit += s->options.bias[i].bias;
  }
  for (uint32_t i = 0; i < s->vocab; i++) {
    const bool free = allowed == NULL || (allowed[i / 64] >> (i % 64) & 1) != 0;
    if (free && s->list[i].logit > -INFINITY) s->list[c.len++] = s->list[i];
  }
  if (c.len == 0) {
    return CWI_RAISE(err, CW_E_STATE, 0,
                     "no token is allowed: the grammar or the biases exclude all");
  }
  apply_stages(s, &c);
  size_t index = 0;
  if (s->options.temperature > 0 && s->options.mirostat > 0) {
    index = pick_mirostat(s, &c);
  } else {
    cwi_sample_temperature(&c, s->options.temperature);
    if (c.len > 1) index = pick(s, &c);
  }
  double log_sum = 0;
  out->id = c.list[index].id;
  out->confidence = cwi_sample_confidence(logits, s->vocab, &log_sum);
  out->logprob = (float)((double)logits[out->id] - log_sum);
  cwi_sampler_accept(s, out->id);
  return CW_OK;
}
