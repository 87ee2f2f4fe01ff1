/* SPDX-License-Identifier: MIT */
/* The portable twin of every conversion: no vector instructions, the same bits as the fast ones. */
#include "llm/quant_ref.h"

#include <math.h>

#include "core/assert.h"
#include "llm/quant_rows_internal.h"

uint16_t cwi_quant_f32_to_f16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint32_t sign = (bits >> 16) & 0x8000U;
  bits &= 0x7FFFFFFFU;
  if (bits > 0x7F800000U) return (uint16_t)(sign | 0x7E00U);
  if (bits >= 0x477FF000U) return (uint16_t)(sign | 0x7C00U); /* 65520 and up */
  if (bits < 0x38800000U) { /* below 2^-14: adding 0.5 lets the addition do the rounding */
    float magnitude;
    uint32_t half_bits;
    memcpy(&magnitude, &bits, sizeof(bits));
    magnitude += 0.5F;
    memcpy(&half_bits, &magnitude, sizeof(half_bits));
    return (uint16_t)(sign | (half_bits - 0x3F000000U));
  }
  uint32_t odd = (bits >> 13) & 1;
  return (uint16_t)(sign | ((bits + 0xFFFU + odd - 0x38000000U) >> 13));
}

void cwi_quant_dequantize(cwi_tensor_type type, const uint8_t *in, float *out, size_t len) {
  CWI_ASSERT(len % cwi_tensor_traits_of(type)->block_len == 0);
  rows_any(type, in, out, len);
}

void cwi_quant_activation_ref(const float *f, size_t len, int8_t *q, float *d, float *sum,
                              int16_t *sum16) {
  CWI_ASSERT(len % 32 == 0);
  for (size_t block = 0; block < len / 32; block++) {
    const float *in = f + 32 * block;
    float peak = 0;
    for (size_t i = 0; i < 32; i++) peak = fmaxf(peak, fabsf(in[i]));
    if (!(peak <= 3e38F)) peak = 3e38F; /* infinities */
    float scale = peak / 127.0F;
    float inverse = peak > 0 ? 127.0F / peak : 0;
    int total[2] = {0, 0};
    for (size_t i = 0; i < 32; i++) {
      float scaled = in[i] * inverse;
      /* A NaN compares false and becomes 0; the floats keep it, and the caller checks logits. */
      int value = scaled >= -127.5F && scaled <= 127.5F ? (int)lrintf(scaled) : 0;
      q[32 * block + i] = (int8_t)(value > 127 ? 127 : value < -127 ? -127 : value);
      total[i / 16] += q[32 * block + i];
    }
    d[block] = scale;
    sum16[2 * block] = (int16_t)total[0];
    sum16[2 * block + 1] = (int16_t)total[1];
    sum[block] = scale * (float)(total[0] + total[1]);
  }
}
