/* SPDX-License-Identifier: MIT */
/* The plain kernels: what every CPU can run, and what the fast ones are checked against.
 *
 * Types that have an int8 kernel multiply the quantised activation here too, so that a model gives
 * the same logits (but for the order of additions) on every CPU. */
#include <math.h>

#include "core/compiler.h"
#include "llm/kernel.h"
#include "llm/quant_panel_internal.h"
#include "llm/quant_ref.h"

#define REF_CHUNK 256

static float dot_floats(const float *a, const float *b, size_t len) {
  float sum[8] = {0};
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    for (size_t j = 0; j < 8; j++) sum[j] += a[i + j] * b[i + j];
  }
  for (; i < len; i++) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

static void rows_with_floats(cwi_tensor_type type, size_t cols, const uint8_t *rows,
                             size_t row_size, size_t len, const cwi_activation *x, float *y) {
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  float chunk[REF_CHUNK];
  for (size_t r = 0; r < len; r++) {
    const uint8_t *row = rows + r * row_size;
    float sum = 0;
    for (size_t at = 0; at < cols; at += REF_CHUNK) {
      size_t part = cols - at < REF_CHUNK ? cols - at : REF_CHUNK;
      cwi_quant_dequantize(type, row + at / traits->block_len * traits->block_size, chunk, part);
      sum += dot_floats(chunk, x->f + at, part);
    }
    y[r] = sum;
  }
}

static void rows_with_int8(cwi_tensor_type type, size_t cols, const uint8_t *rows, size_t row_size,
                           size_t len, const cwi_activation *x, float *y) {
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  float chunk[REF_CHUNK];
  for (size_t r = 0; r < len; r++) {
    const uint8_t *row = rows + r * row_size;
    float sum = 0;
    for (size_t at = 0; at < cols; at += REF_CHUNK) {
      size_t part = cols - at < REF_CHUNK ? cols - at : REF_CHUNK;
      cwi_quant_dequantize(type, row + at / traits->block_len * traits->block_size, chunk, part);
      for (size_t b = 0; b < part; b += 32) {
        float block = 0;
        for (size_t i = 0; i < 32; i++) block += chunk[b + i] * (float)x->q[at + b + i];
        sum += block * x->d[(at + b) / 32];
      }
    }
    y[r] = sum;
  }
}

#define ROWS(name, type, how)                                                             \
  static void plain_##name(size_t cols, const uint8_t *rows, size_t row_size, size_t len, \
                           const cwi_activation *x, float *y) {                           \
    how(type, cols, rows, row_size, len, x, y);                                           \
  }

ROWS(f32, CWI_TENSOR_F32, rows_with_floats)
ROWS(f16, CWI_TENSOR_F16, rows_with_floats)
ROWS(bf16, CWI_TENSOR_BF16, rows_with_floats)
ROWS(q4_0, CWI_TENSOR_Q4_0, rows_with_int8)
ROWS(q4_1, CWI_TENSOR_Q4_1, rows_with_floats)
ROWS(q5_0, CWI_TENSOR_Q5_0, rows_with_int8)
ROWS(q5_1, CWI_TENSOR_Q5_1, rows_with_floats)
ROWS(q8_0, CWI_TENSOR_Q8_0, rows_with_int8)
ROWS(q2_k, CWI_TENSOR_Q2_K, rows_with_floats)
ROWS(q3_k, CWI_TENSOR_Q3_K, rows_with_floats)
ROWS(q4_k, CWI_TENSOR_Q4_K, rows_with_int8)
ROWS(q5_k, CWI_TENSOR_Q5_K, rows_with_int8)
ROWS(q6_k, CWI_TENSOR_Q6_K, rows_with_int8)
ROWS(iq4_nl, CWI_TENSOR_IQ4_NL, rows_with_floats)
ROWS(iq4_xs, CWI_TENSOR_IQ4_XS, rows_with_floats)

static void gemm(size_t k, const float *w, size_t w_stride, const float *x, float *c,
                 size_t c_stride) {
  for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) {
    for (size_t i = 0; i < k; i++) {
      float weight = w[r * w_stride + i];
      for (size_t t = 0; t < CWI_KERNEL_TOKENS; t++) {
        c[r * c_stride + t] += weight * x[i * CWI_KERNEL_TOKENS + t];
      }
    }
  }
}

static void pack(cwi_tensor_type type, const uint8_t *rows, size_t row_size, size_t len,
                 size_t cols, cwi_kernel_panel *panels) {
  for (size_t r = 0; r < len; r++) {
    panel_row_any(type, rows + r * row_size, panels, cols / 32, r);
  }
}

/* The product of one row of a panel with one block of activations. */
static float panel_dot(cwi_tensor_type type, const cwi_kernel_panel *panel, size_t r,
                       const cwi_activation *x, size_t token, size_t x_cols, size_t block) {
  const int8_t *q = x->q + token * x_cols + 32 * block;
  const int offset = cwi_kernel_panel_offset(type);
  int dot[2] = {0, 0};
  for (size_t k = 0; k < 32; k++) {
    dot[k / 16] += (panel->bytes[k / 4][r][k % 4] - offset) * q[k];
  }
  const size_t at = token * (x_cols / 32) + block;
  if (type == CWI_TENSOR_Q6_K) {
    return ((float)dot[0] * panel->scale[r] + (float)dot[1] * panel->shift[r]) * x->d[at];
  }
  return (float)(dot[0] + dot[1]) * panel->scale[r] * x->d[at] - panel->shift[r] * x->sum[at];
}

static void gemm_panels(cwi_tensor_type type, const cwi_kernel_panel *panels, size_t blocks,
                        const cwi_activation *x, size_t x_cols, size_t tokens, float *out,
                        size_t out_stride) {
  for (size_t t = 0; t < tokens; t++) {
    for (size_t b = 0; b < blocks; b++) {
      for (size_t r = 0; r < CWI_KERNEL_PANEL_ROWS; r++) {
        out[t * out_stride + r] += panel_dot(type, &panels[b], r, x, t, x_cols, b);
      }
    }
  }
}

static float dot_f16(const float *x, const uint16_t *halves, size_t len) {
  float sum[8] = {0};
  for (size_t i = 0; i < len; i++) sum[i % 8] += x[i] * cwi_quant_f16_to_f32(halves[i]);
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

static void add_f16(float *y, float scale, const uint16_t *halves, size_t len) {
  for (size_t i = 0; i < len; i++) y[i] += scale * cwi_quant_f16_to_f32(halves[i]);
}

static void to_f16(const float *x, uint16_t *halves, size_t len) {
  for (size_t i = 0; i < len; i++) halves[i] = cwi_quant_f32_to_f16(x[i]);
}

static float exp_sum(float *x, float max, size_t len) {
  float sum = 0;
  for (size_t i = 0; i < len; i++) {
    x[i] = expf(x[i] - max);
    sum += x[i];
  }
  return sum;
}

static void silu_mul(float *gate, const float *up, size_t len) {
  for (size_t i = 0; i < len; i++) gate[i] = gate[i] / (1.0F + expf(-gate[i])) * up[i];
}

static void gelu_mul(float *gate, const float *up, size_t len) {
  for (size_t i = 0; i < len; i++) {
    float x = gate[i];
    float inner = 0.79788456080286535588F * x * (1.0F + 0.044715F * x * x);
    gate[i] = 0.5F * x * (1.0F + tanhf(inner)) * up[i];
  }
}

const cwi_kernel *cwi_kernel_ref(void) {
  static const cwi_kernel table = {
      .name = "ref",
      .rows = {[CWI_TENSOR_F32] = plain_f32,
               [CWI_TENSOR_F16] = plain_f16,
               [CWI_TENSOR_BF16] = plain_bf16,
               [CWI_TENSOR_Q4_0] = plain_q4_0,
               [CWI_TENSOR_Q4_1] = plain_q4_1,
               [CWI_TENSOR_Q5_0] = plain_q5_0,
               [CWI_TENSOR_Q5_1] = plain_q5_1,
               [CWI_TENSOR_Q8_0] = plain_q8_0,
               [CWI_TENSOR_Q2_K] = plain_q2_k,
               [CWI_TENSOR_Q3_K] = plain_q3_k,
               [CWI_TENSOR_Q4_K] = plain_q4_k,
               [CWI_TENSOR_Q5_K] = plain_q5_k,
               [CWI_TENSOR_Q6_K] = plain_q6_k,
               [CWI_TENSOR_IQ4_NL] = plain_iq4_nl,
               [CWI_TENSOR_IQ4_XS] = plain_iq4_xs},
      .dequantize = cwi_quant_dequantize,
      .quantize = cwi_quant_activation_ref,
      .gemm = gemm,
      .pack = pack,
      .gemm_panels = gemm_panels,
      .dot_f16 = dot_f16,
      .add_f16 = add_f16,
      .to_f16 = to_f16,
      .exp_sum = exp_sum,
      .silu_mul = silu_mul,
      .gelu_mul = gelu_mul,
  };
  return &table;
}
