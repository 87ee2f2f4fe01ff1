/* SPDX-License-Identifier: MIT */
/* Panels of weights on x86-64 with AVX2: packing them, and multiplying them with tokens.
 *
 * maddubs multiplies unsigned bytes with signed ones and adds neighbours to 16 bits. Weights of 4
 * bits let 8 such products be added before 16 bits overflow (8 * 2 * 15 * 127 = 30480), of 5 bits 4
 * (31496), of 6 bits 2 (32004): so a step costs one multiplication and one addition for 32 pairs,
 * and the widening to 32 bits is rare. */
#include "llm/kernel.h"

#include "core/compiler.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)

#include <immintrin.h>
#include <string.h>

#include "llm/quant_rows_internal.h"

CWI_INLINE __m256i load256(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

CWI_INLINE __m256i nibbles(const uint8_t *p) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
  __m256i both =
      _mm256_inserti128_si256(_mm256_castsi128_si256(bytes), _mm_srli_epi16(bytes, 4), 1);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

CWI_INLINE __m256i fifth_bits(const uint8_t *p) {
  int bits;
  memcpy(&bits, p, sizeof(bits));
  const __m256i spread =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i mask = _mm256_set1_epi64x((long long)0x8040201008040201ULL);
  __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), spread);
  bytes = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, mask), mask);
  return _mm256_and_si256(bytes, _mm256_set1_epi8(16));
}

/* ---- packing ---- */

/* Stores 32 columns of 8 rows, from row `r` of the panel on: a transposition of 8 x 8 words. */
CWI_INLINE void store_8(cwi_kernel_panel *panel, size_t r, const __m256i v[8]) {
  __m256i a[8];
  __m256i b[8];
  for (size_t i = 0; i < 4; i++) {
    a[2 * i] = _mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
  }
  for (size_t i = 0; i < 2; i++) {
    b[4 * i] = _mm256_unpacklo_epi64(a[4 * i], a[4 * i + 2]);
    b[4 * i + 1] = _mm256_unpackhi_epi64(a[4 * i], a[4 * i + 2]);
    b[4 * i + 2] = _mm256_unpacklo_epi64(a[4 * i + 1], a[4 * i + 3]);
    b[4 * i + 3] = _mm256_unpackhi_epi64(a[4 * i + 1], a[4 * i + 3]);
  }
  for (size_t i = 0; i < 4; i++) {
    _mm256_storeu_si256((__m256i *)(void *)panel->bytes[i][r],
                        _mm256_permute2x128_si256(b[i], b[i + 4], 0x20));
    _mm256_storeu_si256((__m256i *)(void *)panel->bytes[i + 4][r],
                        _mm256_permute2x128_si256(b[i], b[i + 4], 0x31));
  }
}

CWI_INLINE __m256i unpack_32(cwi_tensor_type type, const uint8_t *p) {
  switch (type) {
    case CWI_TENSOR_Q4_0: return nibbles(p + 2);
    case CWI_TENSOR_Q5_0: return _mm256_or_si256(nibbles(p + 6), fifth_bits(p + 2));
    default: return _mm256_xor_si256(load256(p + 2), _mm256_set1_epi8(-128)); /* Q8_0 */
  }
}

/* Types of blocks of 32 with one scale. */
CWI_INLINE void pack_32(cwi_tensor_type type, size_t block_size, const uint8_t *const rows[8],
                        size_t r, size_t blocks, cwi_kernel_panel *panels) {
  for (size_t b = 0; b < blocks; b++) {
    __m256i v[8];
    for (size_t i = 0; i < 8; i++) {
      const uint8_t *p = rows[i] + b * block_size;
      v[i] = unpack_32(type, p);
      panels[b].scale[r + i] = quant_f16(p);
      panels[b].shift[r + i] = 0;
    }
    store_8(&panels[b], r, v);
  }
}

/* Columns 32c to 32c + 31 of a super-block of Q4_K, Q5_K or Q6_K. */
CWI_INLINE __m256i unpack_256(cwi_tensor_type type, const uint8_t *p, size_t c) {
  const __m256i low_bits = _mm256_set1_epi8(15);
  if (type == CWI_TENSOR_Q6_K) {
    __m256i low = load256(p + 64 * (c / 4) + 32 * (c % 2));
    __m256i high = load256(p + 128 + 32 * (c / 4));
    if (c % 4 >= 2) low = _mm256_srli_epi16(low, 4);
    high = _mm256_slli_epi16(_mm256_srl_epi16(high, _mm_cvtsi32_si128((int)(2 * (c % 4)))), 4);
    return _mm256_or_si256(_mm256_and_si256(low, low_bits),
                           _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
  }
  const uint8_t *q = p + (type == CWI_TENSOR_Q5_K ? 48 : 16) + 32 * (c / 2);
  __m256i v = load256(q);
  if (c % 2 == 1) v = _mm256_srli_epi16(v, 4);
  v = _mm256_and_si256(v, low_bits);
  if (type == CWI_TENSOR_Q5_K) {
    __m256i high = _mm256_srl_epi16(load256(p + 16), _mm_cvtsi32_si128((int)c));
    high = _mm256_and_si256(high, _mm256_set1_epi8(1));
    v = _mm256_or_si256(v, _mm256_slli_epi16(high, 4));
  }
  return v;
}

static inline void scales_256(cwi_tensor_type type, const uint8_t *p, size_t row,
                              cwi_kernel_panel *panels) {
  if (type == CWI_TENSOR_Q6_K) {
    const float d = quant_f16(p + 208);
    for (size_t c = 0; c < 8; c++) {
      panels[c].scale[row] = d * (float)(int8_t)p[192 + 2 * c];
      panels[c].shift[row] = d * (float)(int8_t)p[193 + 2 * c];
    }
    return;
  }
  const float d = quant_f16(p);
  const float dmin = quant_f16(p + 2);
  for (size_t c = 0; c < 8; c++) {
    uint8_t scale = 0;
    uint8_t min = 0;
    quant_scale_min_k4(p + 4, c, &scale, &min);
    panels[c].scale[row] = d * (float)scale;
    panels[c].shift[row] = dmin * (float)min;
  }
}

CWI_INLINE void pack_256(cwi_tensor_type type, size_t block_size, const uint8_t *const rows[8],
                         size_t r, size_t supers, cwi_kernel_panel *panels) {
  for (size_t b = 0; b < supers; b++, panels += 8) {
    for (size_t i = 0; i < 8; i++) scales_256(type, rows[i] + b * block_size, r + i, panels);
    for (size_t c = 0; c < 8; c++) {
      __m256i v[8];
      for (size_t i = 0; i < 8; i++) v[i] = unpack_256(type, rows[i] + b * block_size, c);
      store_8(&panels[c], r, v);
    }
  }
}

void cwi_kernel_avx2_pack(cwi_tensor_type type, const uint8_t *rows, size_t row_size, size_t len,
                          size_t cols, cwi_kernel_panel *panels) {
  for (size_t r = 0; r < CWI_KERNEL_PANEL_ROWS; r += 8) {
    const uint8_t *eight[8];
    /* Rows that are missing are filled with the last one. */
    for (size_t i = 0; i < 8; i++) eight[i] = rows + (r + i < len ? r + i : len - 1) * row_size;
    switch (type) {
      case CWI_TENSOR_Q4_0: pack_32(CWI_TENSOR_Q4_0, 18, eight, r, cols / 32, panels); break;
      case CWI_TENSOR_Q5_0: pack_32(CWI_TENSOR_Q5_0, 22, eight, r, cols / 32, panels); break;
      case CWI_TENSOR_Q8_0: pack_32(CWI_TENSOR_Q8_0, 34, eight, r, cols / 32, panels); break;
      case CWI_TENSOR_Q4_K: pack_256(CWI_TENSOR_Q4_K, 144, eight, r, cols / 256, panels); break;
      case CWI_TENSOR_Q5_K: pack_256(CWI_TENSOR_Q5_K, 176, eight, r, cols / 256, panels); break;
      case CWI_TENSOR_Q6_K: pack_256(CWI_TENSOR_Q6_K, 210, eight, r, cols / 256, panels); break;
      default: break;
    }
  }
}

/* ---- multiplying: 8 rows with TOKENS tokens ---- */

#define TOKENS 4

/* Four columns of all rows (w) times four activations, the same for all rows. */
CWI_INLINE __m256i step(__m256i w, const int8_t *q) {
  int four;
  memcpy(&four, q, sizeof(four));
  return _mm256_maddubs_epi16(w, _mm256_set1_epi32(four));
}

/* The dot products of groups [first, first + len) of a panel's columns, `run` of them in 16 bits.
 */
CWI_INLINE void dot_groups(const cwi_kernel_panel *panel, size_t r, size_t first, size_t len,
                           size_t run, const int8_t *const q[TOKENS], __m256i dot[TOKENS]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t g = first; g < first + len; g += run) {
    __m256i sum[TOKENS];
    for (size_t k = g; k < g + run; k++) {
      const __m256i w = load256(panel->bytes[k][r]);
      for (size_t t = 0; t < TOKENS; t++) {
        const __m256i product = step(w, q[t] + 4 * k);
        sum[t] = k == g ? product : _mm256_add_epi16(sum[t], product);
      }
    }
    for (size_t t = 0; t < TOKENS; t++) {
      dot[t] = _mm256_add_epi32(dot[t], _mm256_madd_epi16(sum[t], ones));
    }
  }
}

CWI_INLINE void multiply(cwi_tensor_type type, size_t run, const cwi_kernel_panel *panels, size_t r,
                         size_t blocks, const cwi_activation x[TOKENS], float *const out[TOKENS]) {
  const int offset = type == CWI_TENSOR_Q4_0   ? 8
                     : type == CWI_TENSOR_Q5_0 ? 16
                     : type == CWI_TENSOR_Q6_K ? 32
                                               : 0;
  __m256 acc[TOKENS];
  for (size_t t = 0; t < TOKENS; t++) acc[t] = _mm256_loadu_ps(out[t] + r);
  for (size_t b = 0; b < blocks; b++) {
    const cwi_kernel_panel *panel = &panels[b];
    const int8_t *q[TOKENS];
    __m256i dot[TOKENS];
    const __m256 scale = _mm256_loadu_ps(panel->scale + r);
    const __m256 shift = _mm256_loadu_ps(panel->shift + r);
    for (size_t t = 0; t < TOKENS; t++) q[t] = x[t].q + 32 * b;
    if (type == CWI_TENSOR_Q6_K) {
      __m256i high[TOKENS];
      for (size_t t = 0; t < TOKENS; t++) {
        dot[t] = _mm256_set1_epi32(-offset * x[t].sum16[2 * b]);
        high[t] = _mm256_set1_epi32(-offset * x[t].sum16[2 * b + 1]);
      }
      dot_groups(panel, r, 0, 4, run, q, dot);
      dot_groups(panel, r, 4, 4, run, q, high);
      for (size_t t = 0; t < TOKENS; t++) {
        __m256 both = _mm256_mul_ps(_mm256_cvtepi32_ps(dot[t]), scale);
        both = _mm256_fmadd_ps(_mm256_cvtepi32_ps(high[t]), shift, both);
        acc[t] = _mm256_fmadd_ps(both, _mm256_set1_ps(x[t].d[b]), acc[t]);
      }
      continue;
    }
    for (size_t t = 0; t < TOKENS; t++) {
      dot[t] = offset == 0
                   ? _mm256_setzero_si256()
                   : _mm256_set1_epi32(-offset * (x[t].sum16[2 * b] + x[t].sum16[2 * b + 1]));
    }
    dot_groups(panel, r, 0, 8, run, q, dot);
    for (size_t t = 0; t < TOKENS; t++) {
      const __m256 scaled = _mm256_mul_ps(scale, _mm256_set1_ps(x[t].d[b]));
      acc[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[t]), scaled, acc[t]);
      if (offset == 0) acc[t] = _mm256_fnmadd_ps(shift, _mm256_set1_ps(x[t].sum[b]), acc[t]);
    }
  }
  for (size_t t = 0; t < TOKENS; t++) _mm256_storeu_ps(out[t] + r, acc[t]);
}

void cwi_kernel_avx2_gemm_panels(cwi_tensor_type type, const cwi_kernel_panel *panels,
                                 size_t blocks, const cwi_activation *x, size_t x_cols,
                                 size_t tokens, float *out, size_t out_stride) {
  float spare[CWI_KERNEL_PANEL_ROWS] = {0}; /* what is computed for tokens that are missing */
  for (size_t t = 0; t < tokens; t += TOKENS) {
    cwi_activation four[TOKENS];
    float *to[TOKENS];
    for (size_t i = 0; i < TOKENS; i++) {
      const size_t token = t + i < tokens ? t + i : t;
      four[i] = (cwi_activation){.q = x->q + token * x_cols,
                                 .d = x->d + token * (x_cols / 32),
                                 .sum = x->sum + token * (x_cols / 32),
                                 .sum16 = x->sum16 + token * (x_cols / 16)};
      to[i] = t + i < tokens ? out + token * out_stride : spare;
    }
    for (size_t r = 0; r < CWI_KERNEL_PANEL_ROWS; r += 8) {
      switch (type) {
        case CWI_TENSOR_Q4_0: multiply(CWI_TENSOR_Q4_0, 8, panels, r, blocks, four, to); break;
        case CWI_TENSOR_Q5_0: multiply(CWI_TENSOR_Q5_0, 4, panels, r, blocks, four, to); break;
        case CWI_TENSOR_Q4_K: multiply(CWI_TENSOR_Q4_K, 8, panels, r, blocks, four, to); break;
        case CWI_TENSOR_Q5_K: multiply(CWI_TENSOR_Q5_K, 4, panels, r, blocks, four, to); break;
        case CWI_TENSOR_Q6_K: multiply(CWI_TENSOR_Q6_K, 2, panels, r, blocks, four, to); break;
        default: break;
      }
    }
  }
}

#endif
