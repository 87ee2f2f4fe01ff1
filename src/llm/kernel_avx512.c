/* SPDX-License-Identifier: MIT */
/* Kernels for x86-64 with AVX-512 and its int8 dot product (VNNI): panels are multiplied 16 rows at
 * once, any width of weight alike, since four products are added in 32 bits by one instruction. All
 * else is the AVX2 table. */
#include "llm/kernel.h"

#include "core/compiler.h"

#if defined(__AVX512F__) && defined(__AVX512VNNI__) && defined(__AVX512BW__)

#include <immintrin.h>
#include <pthread.h>
#include <string.h>

#define TOKENS CWI_KERNEL_PANEL_TOKENS
#define TAIL_BLOCKS 64U

CWI_INLINE __m512i four_of(const int8_t *q) {
  int four;
  memcpy(&four, q, sizeof(four));
  return _mm512_set1_epi32(four);
}

CWI_INLINE void multiply(cwi_tensor_type type, int offset, const cwi_kernel_panel *panels,
                         size_t blocks, const cwi_activation *x, size_t x_cols, float *out,
                         size_t out_stride) {
  __m512 acc[TOKENS];
  for (size_t t = 0; t < TOKENS; t++) acc[t] = _mm512_loadu_ps(out + t * out_stride);
  for (size_t b = 0; b < blocks; b++) {
    const cwi_kernel_panel *panel = &panels[b];
    const int8_t *q = x->q + 32 * b;
    const float *d = x->d + b;
    const float *sum = x->sum + b;
    const int16_t *sum16 = x->sum16 + 2 * b;
    const __m512 scale = _mm512_loadu_ps(panel->scale);
    const __m512 shift = _mm512_loadu_ps(panel->shift);
    __m512i dot[TOKENS];
    __m512i high[TOKENS];
    for (size_t t = 0; t < TOKENS; t++) {
      const int16_t *s = sum16 + t * (x_cols / 16);
      const int first = type == CWI_TENSOR_Q6_K ? s[0] : s[0] + s[1];
      dot[t] = offset == 0 ? _mm512_setzero_si512() : _mm512_set1_epi32(-offset * first);
      high[t] =
          type == CWI_TENSOR_Q6_K ? _mm512_set1_epi32(-offset * s[1]) : _mm512_setzero_si512();
    }
    for (size_t g = 0; g < 4; g++) {
      const __m512i w0 = _mm512_loadu_si512(panel->bytes[g]);
      const __m512i w1 = _mm512_loadu_si512(panel->bytes[g + 4]);
      for (size_t t = 0; t < TOKENS; t++) {
        dot[t] = _mm512_dpbusd_epi32(dot[t], w0, four_of(q + t * x_cols + 4 * g));
      }
      for (size_t t = 0; t < TOKENS; t++) {
        const __m512i four = four_of(q + t * x_cols + 16 + 4 * g);
        if (type == CWI_TENSOR_Q6_K) {
          high[t] = _mm512_dpbusd_epi32(high[t], w1, four);
        } else {
          dot[t] = _mm512_dpbusd_epi32(dot[t], w1, four);
        }
      }
    }
    for (size_t t = 0; t < TOKENS; t++) {
      const __m512 dx = _mm512_set1_ps(d[t * (x_cols / 32)]);
      __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(dot[t]), scale);
      if (type == CWI_TENSOR_Q6_K) {
        product = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high[t]), shift, product);
      }
      acc[t] = _mm512_fmadd_ps(product, dx, acc[t]);
      if (offset == 0) {
        acc[t] = _mm512_fnmadd_ps(shift, _mm512_set1_ps(sum[t * (x_cols / 32)]), acc[t]);
      }
    }
  }
  for (size_t t = 0; t < TOKENS; t++) _mm512_storeu_ps(out + t * out_stride, acc[t]);
}

static void gemm_panels_avx512(cwi_tensor_type type, const cwi_kernel_panel *panels, size_t blocks,
                               const cwi_activation *x, size_t x_cols, size_t tokens, float *out,
                               size_t out_stride);

/* The last tokens of a batch: they are copied together with enough zeroes behind them, TAIL_BLOCKS
 * blocks at a time. */
static void multiply_tail(cwi_tensor_type type, const cwi_kernel_panel *panels, size_t blocks,
                          const cwi_activation *x, size_t x_cols, size_t tokens, float *out,
                          size_t out_stride) {
  int8_t q[TOKENS * TAIL_BLOCKS * 32];
  float d[TOKENS * TAIL_BLOCKS];
  float sum[TOKENS * TAIL_BLOCKS];
  int16_t sum16[TOKENS * TAIL_BLOCKS * 2];
  float results[TOKENS][CWI_KERNEL_PANEL_ROWS] = {{0}};
  const cwi_activation copy = {.q = q, .d = d, .sum = sum, .sum16 = sum16};
  for (size_t t = 0; t < tokens; t++) {
    memcpy(results[t], out + t * out_stride, sizeof(results[t]));
  }
  for (size_t b = 0; b < blocks; b += TAIL_BLOCKS) {
    const size_t len = blocks - b < TAIL_BLOCKS ? blocks - b : TAIL_BLOCKS;
    memset(q + tokens * len * 32, 0, (TOKENS - tokens) * len * 32);
    memset(d + tokens * len, 0, (TOKENS - tokens) * len * sizeof(float));
    memset(sum + tokens * len, 0, (TOKENS - tokens) * len * sizeof(float));
    memset(sum16 + tokens * len * 2, 0, (TOKENS - tokens) * len * 2 * sizeof(int16_t));
    for (size_t t = 0; t < tokens; t++) {
      const size_t from = t * (x_cols / 32) + b;
      memcpy(q + t * len * 32, x->q + from * 32, len * 32);
      memcpy(d + t * len, x->d + from, len * sizeof(float));
      memcpy(sum + t * len, x->sum + from, len * sizeof(float));
      memcpy(sum16 + t * len * 2, x->sum16 + from * 2, len * 2 * sizeof(int16_t));
    }
    gemm_panels_avx512(type, panels + b, len, &copy, len * 32, TOKENS, results[0],
                       CWI_KERNEL_PANEL_ROWS);
  }
  for (size_t t = 0; t < tokens; t++) {
    memcpy(out + t * out_stride, results[t], sizeof(results[t]));
  }
}

static void gemm_panels_avx512(cwi_tensor_type type, const cwi_kernel_panel *panels, size_t blocks,
                               const cwi_activation *x, size_t x_cols, size_t tokens, float *out,
                               size_t out_stride) {
  if (tokens < TOKENS) {
    multiply_tail(type, panels, blocks, x, x_cols, tokens, out, out_stride);
    return;
  }
  switch (type) {
    case CWI_TENSOR_Q4_0:
      multiply(CWI_TENSOR_Q4_0, 8, panels, blocks, x, x_cols, out, out_stride);
      break;
    case CWI_TENSOR_Q5_0:
      multiply(CWI_TENSOR_Q5_0, 16, panels, blocks, x, x_cols, out, out_stride);
      break;
    case CWI_TENSOR_Q8_0:
      multiply(CWI_TENSOR_Q8_0, 128, panels, blocks, x, x_cols, out, out_stride);
      break;
    case CWI_TENSOR_Q4_K:
    case CWI_TENSOR_Q5_K:
      multiply(CWI_TENSOR_Q4_K, 0, panels, blocks, x, x_cols, out, out_stride);
      break;
    case CWI_TENSOR_Q6_K:
      multiply(CWI_TENSOR_Q6_K, 32, panels, blocks, x, x_cols, out, out_stride);
      break;
    default: break;
  }
}

/* As kernel_ref.c has it, with 16 tokens in one register. */
static void gemm_avx512(size_t k, const float *w, size_t w_stride, const float *x, float *c,
                        size_t c_stride) {
  __m512 acc[CWI_KERNEL_ROWS];
  for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) acc[r] = _mm512_loadu_ps(c + r * c_stride);
  for (size_t i = 0; i < k; i++) {
    const __m512 tokens = _mm512_loadu_ps(x + CWI_KERNEL_TOKENS * i);
    for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) {
      acc[r] = _mm512_fmadd_ps(_mm512_set1_ps(w[r * w_stride + i]), tokens, acc[r]);
    }
  }
  for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) _mm512_storeu_ps(c + r * c_stride, acc[r]);
}

static cwi_kernel table; /* written once, by fill_table() */

static void fill_table(void) {
  table = *cwi_kernel_avx2();
  table.name = "avx512";
  table.panel_types |= 1U << CWI_TENSOR_Q8_0;
  table.gemm = gemm_avx512;
  table.gemm_panels = gemm_panels_avx512;
}

const cwi_kernel *cwi_kernel_avx512(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (cwi_kernel_avx2() == NULL || !CWI_CPU_SUPPORTS("avx512f") || !CWI_CPU_SUPPORTS("avx512bw") ||
      !CWI_CPU_SUPPORTS("avx512vnni")) {
    return NULL;
  }
  (void)pthread_once(&once, fill_table);
  return &table;
}

#else

const cwi_kernel *cwi_kernel_avx512(void) { return NULL; }

#endif
