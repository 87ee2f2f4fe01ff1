/* SPDX-License-Identifier: MIT */
/* Rotary position embedding. Pair i turns by position * base^(-2i/n), where n is the number of
 * rotated dimensions; a scaling stretches this for contexts longer than those trained on:
 *
 *   linear    positions are divided by the factor
 *   yarn      fast pairs (many turns within the original context) are kept, slow ones divided, with
 *             a ramp between; attention is sharpened by 1 + 0.1 ln(factor)
 *   long      a table of divisors, one for contexts within the original length, one beyond
 *   llama 3   a table of divisors in the file (rope_freqs), whatever the scaling
 *
 * Angles are computed in double: at position 100,000 a float has lost what matters. */
#include "llm/llm_rope.h"

#include <math.h>

#include "core/assert.h"

/* The pair at which `turns` turns fit into the original context. */
static double yarn_pair(const cwi_llm_shape *shape, double base, double turns) {
  const double pi = 3.14159265358979323846;
  return (double)shape->rope_dims * log((double)shape->rope_context / (turns * 2 * pi)) /
         (2 * log(base));
}

/* How much of the unscaled angle pair `i` keeps, 0 to 1. */
static double yarn_keep(const cwi_llm_shape *shape, double base, uint32_t i) {
  double low = floor(yarn_pair(shape, base, (double)shape->rope_beta_fast));
  double high = ceil(yarn_pair(shape, base, (double)shape->rope_beta_slow));
  low = fmax(low, 0);
  high = fmin(high, (double)shape->rope_dims - 1);
  double ramp = ((double)i - low) / fmax(0.001, high - low);
  return 1 - fmin(1, fmax(0, ramp));
}

static const float *divisors_of(const cwi_llm_model *model, uint32_t context) {
  if (model->rope_freqs.data != NULL) return (const float *)(const void *)model->rope_freqs.data;
  const cwi_tensor *table =
      context > model->shape.rope_context ? &model->rope_long : &model->rope_short;
  return (const float *)(const void *)table->data;
}

void cwi_llm_rope_angles(const cwi_llm_model *model, uint32_t context, bool windowed,
                         uint32_t position, float *out) {
  const cwi_llm_shape *shape = &model->shape;
  const bool scaled = !(windowed && shape->arch == CWI_LLM_GEMMA3);
  const double base = (double)(windowed ? shape->rope_base_window : shape->rope_base);
  const float *divisors = divisors_of(model, context);
  double factor = 1;
  double sharpen = shape->rope_attention > 0 ? (double)shape->rope_attention : 1;
  if (scaled &&
      (shape->rope_scaling == CWI_LLM_ROPE_LINEAR || shape->rope_scaling == CWI_LLM_ROPE_YARN)) {
    factor = (double)shape->rope_factor;
  }
  if (shape->rope_scaling == CWI_LLM_ROPE_YARN) sharpen *= 1 + 0.1 * log(factor);
  for (uint32_t i = 0; i < shape->rope_dims / 2; i++) {
    double angle = (double)position * pow(base, -2.0 * (double)i / (double)shape->rope_dims);
    if (divisors != NULL) angle /= (double)divisors[i];
    double turned = angle / factor;
    if (shape->rope_scaling == CWI_LLM_ROPE_YARN) {
      double keep = yarn_keep(shape, base, i);
      turned = turned * (1 - keep) + angle * keep;
    }
    out[2 * i] = (float)(cos(turned) * sharpen);
    out[2 * i + 1] = (float)(sin(turned) * sharpen);
  }
}

void cwi_llm_rope_rotate(const cwi_llm_shape *shape, const float *angles, uint32_t heads,
                         float *x) {
  const uint32_t half = shape->rope_dims / 2;
  const uint32_t step = shape->rope_neox ? 1 : 2;
  const uint32_t apart = shape->rope_neox ? half : 1;
  for (uint32_t head = 0; head < heads; head++, x += shape->dim_head) {
    for (uint32_t i = 0; i < half; i++) {
      float *a = x + (size_t)i * step;
      float c = angles[2 * i];
      float s = angles[2 * i + 1];
      float first = a[0];
      float second = a[apart];
      a[0] = first * c - second * s;
      a[apart] = first * s + second * c;
    }
  }
}
