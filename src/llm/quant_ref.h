/* SPDX-License-Identifier: MIT */
/* Quantised blocks to floats, half floats, and floats to the int8 blocks that activations become.
 */
#ifndef LLM_QUANT_REF_H
#define LLM_QUANT_REF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/compiler.h"
#include "llm/tensor.h"

/* Every half is exact as a float; subnormals are kept, NaN stays NaN. */
CWI_INLINE float cwi_quant_f16_to_f32(uint16_t half) {
  /* The exponent is moved into place and corrected by a multiplication, which also normalises
   * subnormals; infinities and NaN get the full exponent back. */
  uint32_t shifted = (uint32_t)(half & 0x7FFFU) << 13;
  uint32_t scale_bits = 0x77800000U; /* 2^112 */
  float scale;
  float value;
  memcpy(&scale, &scale_bits, sizeof(scale));
  memcpy(&value, &shifted, sizeof(value));
  value *= scale;
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  bits |= (half & 0x7C00U) == 0x7C00U ? 0x7F800000U : 0;
  bits |= (uint32_t)(half & 0x8000U) << 16;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* Rounds to nearest, ties to even; what is too large becomes infinity. */
uint16_t cwi_quant_f32_to_f16(float value);

/* Turns `len` elements of `type` (whole blocks) into floats. */
void cwi_quant_dequantize(cwi_tensor_type type, const uint8_t *in, float *out, size_t len);

/* Activations as kernels want them: the floats, and int8 blocks of 32 of them. */
typedef struct cwi_activation {
  const float *f;       /* [len] */
  const int8_t *q;      /* [len] f = q * d */
  const float *d;       /* [len / 32] */
  const float *sum;     /* [len / 32] d times the sum of the block's q */
  const int16_t *sum16; /* [len / 16] sums of q */
} cwi_activation;

/* Fills q, d, sum and sum16 from `len` floats, a multiple of 32: q = round(f / d), d = max |f| /
 * 127. */
void cwi_quant_activation_ref(const float *f, size_t len, int8_t *q, float *d, float *sum,
                              int16_t *sum16);

#endif
