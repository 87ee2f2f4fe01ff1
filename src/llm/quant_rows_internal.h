/* SPDX-License-Identifier: MIT */
/* Blocks to floats, one function a type, in plain C. The bodies stand in a header because they are
 * compiled twice: for any CPU in quant_ref.c, and with the CPU's vector instructions in the
 * kernels' files, where the compiler vectorises them. Both give the same bits.
 *
 * Each function turns `len` elements (whole blocks) at `in` into floats at `out`. */
#ifndef LLM_QUANT_ROWS_INTERNAL_H
#define LLM_QUANT_ROWS_INTERNAL_H

#include <string.h>

#include "core/compiler.h"
#include "llm/quant_ref.h"

static inline uint32_t quant_u32(const uint8_t *in) {
  return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline float quant_f16(const uint8_t *in) {
  return cwi_quant_f16_to_f32((uint16_t)(in[0] | in[1] << 8));
}

static inline void rows_f32(const uint8_t *restrict in, float *restrict out, size_t len) {
  memcpy(out, in, len * sizeof(float));
}

static inline void rows_f16(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t i = 0; i < len; i++) out[i] = quant_f16(in + 2 * i);
}

static inline void rows_bf16(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t i = 0; i < len; i++) {
    uint32_t bits = (uint32_t)in[2 * i] << 16 | (uint32_t)in[2 * i + 1] << 24;
    memcpy(&out[i], &bits, sizeof(bits));
  }
}

static inline void rows_q4_0(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 18) {
    float d = quant_f16(in);
    for (int j = 0; j < 16; j++) {
      out[at + (size_t)j] = (float)((in[2 + j] & 15) - 8) * d;
      out[at + (size_t)j + 16] = (float)((in[2 + j] >> 4) - 8) * d;
    }
  }
}

static inline void rows_q4_1(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 20) {
    float d = quant_f16(in);
    float m = quant_f16(in + 2);
    for (int j = 0; j < 16; j++) {
      out[at + (size_t)j] = (float)(in[4 + j] & 15) * d + m;
      out[at + (size_t)j + 16] = (float)(in[4 + j] >> 4) * d + m;
    }
  }
}

static inline void rows_q5_0(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 22) {
    float d = quant_f16(in);
    uint32_t high = quant_u32(in + 2);
    for (int j = 0; j < 16; j++) {
      int a = (in[6 + j] & 15) | (int)((high >> j) & 1) << 4;
      int b = (in[6 + j] >> 4) | (int)((high >> (j + 16)) & 1) << 4;
      out[at + (size_t)j] = (float)(a - 16) * d;
      out[at + (size_t)j + 16] = (float)(b - 16) * d;
    }
  }
}

static inline void rows_q5_1(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 24) {
    float d = quant_f16(in);
    float m = quant_f16(in + 2);
    uint32_t high = quant_u32(in + 4);
    for (int j = 0; j < 16; j++) {
      int a = (in[8 + j] & 15) | (int)((high >> j) & 1) << 4;
      int b = (in[8 + j] >> 4) | (int)((high >> (j + 16)) & 1) << 4;
      out[at + (size_t)j] = (float)a * d + m;
      out[at + (size_t)j + 16] = (float)b * d + m;
    }
  }
}

static inline void rows_q8_0(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 34) {
    float d = quant_f16(in);
    for (size_t j = 0; j < 32; j++) out[at + j] = (float)(int8_t)in[2 + j] * d;
  }
}

/* Layout: 16 scales (low nibble scale, high nibble minimum), 64 bytes of 2 bits, f16 d, f16 dmin.
 */
static inline void rows_q2_k(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 84) {
    float d = quant_f16(in + 80);
    float dmin = quant_f16(in + 82);
    for (size_t group = 0; group < 16; group++) {
      const uint8_t *q = in + 16 + 32 * (group / 8) + 16 * (group % 2);
      unsigned shift = 2 * (unsigned)(group % 8 / 2);
      float scale = d * (float)(in[group] & 15);
      float min = dmin * (float)(in[group] >> 4);
      for (size_t j = 0; j < 16; j++) {
        out[at + 16 * group + j] = scale * (float)((q[j] >> shift) & 3) - min;
      }
    }
  }
}

/* Layout: 32 bytes of high bits, 64 bytes of 2 low bits, 12 bytes of 6-bit scales, f16 d. */
static inline void rows_q3_k(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 110) {
    const uint8_t *packed = in + 96;
    float d = quant_f16(in + 108);
    for (size_t group = 0; group < 16; group++) {
      const uint8_t *q = in + 32 + 32 * (group / 8) + 16 * (group % 2);
      const uint8_t *high = in + 16 * (group % 2);
      unsigned shift = 2 * (unsigned)(group % 8 / 2);
      unsigned mask = 1U << (group / 2);
      int low4 = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
      int high2 = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
      float scale = d * (float)((low4 | high2 << 4) - 32);
      for (size_t j = 0; j < 16; j++) {
        int value = ((q[j] >> shift) & 3) - ((high[j] & mask) != 0 ? 0 : 4);
        out[at + 16 * group + j] = scale * (float)value;
      }
    }
  }
}

/* The 6-bit scale and minimum number `j` (0 to 7) of the 12 packed bytes of Q4_K and Q5_K. */
static inline void quant_scale_min_k4(const uint8_t *packed, size_t j, uint8_t *scale,
                                      uint8_t *min) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *min = packed[j + 4] & 63;
  } else {
    *scale = (uint8_t)((packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4);
    *min = (uint8_t)((packed[j + 4] >> 4) | (packed[j] >> 6) << 4);
  }
}

/* Layout: f16 d, f16 dmin, 12 bytes of scales, 128 bytes of nibbles. */
static inline void rows_q4_k(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 144) {
    float d = quant_f16(in);
    float dmin = quant_f16(in + 2);
    for (size_t c = 0; c < 4; c++) {
      const uint8_t *q = in + 16 + 32 * c;
      uint8_t scale[2];
      uint8_t min[2];
      quant_scale_min_k4(in + 4, 2 * c, &scale[0], &min[0]);
      quant_scale_min_k4(in + 4, 2 * c + 1, &scale[1], &min[1]);
      float d1 = d * (float)scale[0];
      float m1 = dmin * (float)min[0];
      float d2 = d * (float)scale[1];
      float m2 = dmin * (float)min[1];
      float *low = out + at + 64 * c;
      for (size_t j = 0; j < 32; j++) low[j] = d1 * (float)(q[j] & 15) - m1;
      for (size_t j = 0; j < 32; j++) low[32 + j] = d2 * (float)(q[j] >> 4) - m2;
    }
  }
}

/* Layout: f16 d, f16 dmin, 12 bytes of scales, 32 bytes of high bits, 128 bytes of nibbles. */
static inline void rows_q5_k(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 176) {
    float d = quant_f16(in);
    float dmin = quant_f16(in + 2);
    const uint8_t *high = in + 16;
    for (size_t c = 0; c < 4; c++) {
      const uint8_t *q = in + 48 + 32 * c;
      uint8_t scale[2];
      uint8_t min[2];
      quant_scale_min_k4(in + 4, 2 * c, &scale[0], &min[0]);
      quant_scale_min_k4(in + 4, 2 * c + 1, &scale[1], &min[1]);
      float d1 = d * (float)scale[0];
      float m1 = dmin * (float)min[0];
      float d2 = d * (float)scale[1];
      float m2 = dmin * (float)min[1];
      float *low = out + at + 64 * c;
      for (size_t j = 0; j < 32; j++) {
        low[j] = d1 * (float)((q[j] & 15) | ((high[j] >> (2 * c)) & 1) << 4) - m1;
      }
      for (size_t j = 0; j < 32; j++) {
        low[32 + j] = d2 * (float)((q[j] >> 4) | ((high[j] >> (2 * c + 1)) & 1) << 4) - m2;
      }
    }
  }
}

/* Layout: 128 bytes of low nibbles, 64 bytes of 2 high bits, 16 signed scales, f16 d. */
static inline void rows_q6_k(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 210) {
    float d = quant_f16(in + 208);
    for (size_t half = 0; half < 2; half++) {
      const uint8_t *low = in + 64 * half;
      const uint8_t *high = in + 128 + 32 * half;
      for (size_t group = 0; group < 8; group++) { /* of 16 */
        float scale = d * (float)(int8_t)in[192 + 8 * half + group];
        const uint8_t *nibbles = low + 16 * (group % 4);
        const uint8_t *bits = high + 16 * (group % 2);
        unsigned nibble_shift = group < 4 ? 0 : 4;
        unsigned bits_shift = 2 * (unsigned)(group / 2);
        float *to = out + at + 128 * half + 16 * group;
        for (size_t j = 0; j < 16; j++) {
          int q = ((nibbles[j] >> nibble_shift) & 15) | ((bits[j] >> bits_shift) & 3) << 4;
          to[j] = scale * (float)(q - 32);
        }
      }
    }
  }
}

static const int8_t quant_iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};

static inline void rows_iq4_nl(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 32, in += 18) {
    float d = quant_f16(in);
    for (size_t j = 0; j < 16; j++) {
      out[at + j] = d * (float)quant_iq4[in[2 + j] & 15];
      out[at + j + 16] = d * (float)quant_iq4[in[2 + j] >> 4];
    }
  }
}

/* Layout: f16 d, u16 high scale bits, 4 bytes of low scale nibbles, 128 bytes of nibbles. */
static inline void rows_iq4_xs(const uint8_t *restrict in, float *restrict out, size_t len) {
  for (size_t at = 0; at < len; at += 256, in += 136) {
    float d = quant_f16(in);
    unsigned high = (unsigned)(in[2] | in[3] << 8);
    for (size_t b = 0; b < 8; b++) {
      const uint8_t *q = in + 8 + 16 * b;
      int scale = ((in[4 + b / 2] >> (4 * (b % 2))) & 15) | (int)((high >> (2 * b)) & 3) << 4;
      float dl = d * (float)(scale - 32);
      for (size_t j = 0; j < 16; j++) {
        out[at + 32 * b + j] = dl * (float)quant_iq4[q[j] & 15];
        out[at + 32 * b + j + 16] = dl * (float)quant_iq4[q[j] >> 4];
      }
    }
  }
}

/* All types in one switch, so that each file that includes this has one entry. */
static inline void rows_any(cwi_tensor_type type, const uint8_t *in, float *out, size_t len) {
  switch (type) {
    case CWI_TENSOR_F32: rows_f32(in, out, len); break;
    case CWI_TENSOR_F16: rows_f16(in, out, len); break;
    case CWI_TENSOR_BF16: rows_bf16(in, out, len); break;
    case CWI_TENSOR_Q4_0: rows_q4_0(in, out, len); break;
    case CWI_TENSOR_Q4_1: rows_q4_1(in, out, len); break;
    case CWI_TENSOR_Q5_0: rows_q5_0(in, out, len); break;
    case CWI_TENSOR_Q5_1: rows_q5_1(in, out, len); break;
    case CWI_TENSOR_Q8_0: rows_q8_0(in, out, len); break;
    case CWI_TENSOR_Q2_K: rows_q2_k(in, out, len); break;
    case CWI_TENSOR_Q3_K: rows_q3_k(in, out, len); break;
    case CWI_TENSOR_Q4_K: rows_q4_k(in, out, len); break;
    case CWI_TENSOR_Q5_K: rows_q5_k(in, out, len); break;
    case CWI_TENSOR_Q6_K: rows_q6_k(in, out, len); break;
    case CWI_TENSOR_IQ4_NL: rows_iq4_nl(in, out, len); break;
    case CWI_TENSOR_IQ4_XS: rows_iq4_xs(in, out, len); break;
  }
}

#endif
