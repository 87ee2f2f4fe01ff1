/* SPDX-License-Identifier: MIT */
/* Kernels for x86-64 with AVX2, FMA and F16C. This file alone is compiled with these instructions;
 * cwi_kernel_avx2() gives the table only where the CPU has them.
 *
 * A quantised row is multiplied as int8: weights are kept unsigned (their offset is taken off with
 * the activation's block sums at the end), so that one maddubs multiplies 32 pairs. Generation is
 * bound by memory; what matters here is few instructions a block and one pass over the row. */
#include "llm/kernel.h"

#include "core/compiler.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)

#include <immintrin.h>
#include <string.h>

#include "llm/quant_rows_internal.h"

#define PREFETCH_BYTES 1024

/* ---- helpers ---- */

CWI_INLINE __m256i load256(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

CWI_INLINE __m128i load128(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

CWI_INLINE void prefetch(const uint8_t *p) {
  _mm_prefetch((const char *)p + PREFETCH_BYTES, _MM_HINT_T0);
}

CWI_INLINE float sum8(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* unsigned u times signed s, summed in fours */
CWI_INLINE __m256i dot_u8(__m256i u, __m256i s) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1));
}

CWI_INLINE float half_at(const uint8_t *p) {
  uint16_t bits;
  memcpy(&bits, p, sizeof(bits));
  return _cvtsh_ss(bits);
}

/* The half floats that head 8 blocks of `stride` bytes. */
CWI_INLINE __m256 halves_of_8(const uint8_t *p, size_t stride) {
  uint16_t h[8];
  for (size_t i = 0; i < 8; i++) memcpy(&h[i], p + i * stride, 2);
  return _mm256_cvtph_ps(_mm_setr_epi16((short)h[0], (short)h[1], (short)h[2], (short)h[3],
                                        (short)h[4], (short)h[5], (short)h[6], (short)h[7]));
}

/* 16 bytes of nibbles to 32 bytes: low nibbles first */
CWI_INLINE __m256i nibbles(const uint8_t *p) {
  __m128i bytes = load128(p);
  __m256i both =
      _mm256_inserti128_si256(_mm256_castsi128_si256(bytes), _mm_srli_epi16(bytes, 4), 1);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* 0x10 in every byte whose bit of the 32 is set */
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

/* ---- floats and halves ---- */

static void rows_avx2_f32(size_t cols, const uint8_t *rows, size_t row_size, size_t len,
                          const cwi_activation *x, float *y) {
  for (size_t r = 0; r < len; r++) {
    const float *row = (const float *)(const void *)(rows + r * row_size);
    __m256 acc[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                     _mm256_setzero_ps()};
    size_t i = 0;
    for (; i + 32 <= cols; i += 32) {
      for (size_t j = 0; j < 4; j++) {
        acc[j] = _mm256_fmadd_ps(_mm256_loadu_ps(row + i + 8 * j),
                                 _mm256_loadu_ps(x->f + i + 8 * j), acc[j]);
      }
    }
    float sum = sum8(_mm256_add_ps(_mm256_add_ps(acc[0], acc[1]), _mm256_add_ps(acc[2], acc[3])));
    for (; i < cols; i++) sum += row[i] * x->f[i];
    y[r] = sum;
  }
}

static float dot_avx2_f16(const float *x, const uint16_t *halves, size_t len) {
  __m256 acc[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                   _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= len; i += 32) {
    for (size_t j = 0; j < 4; j++) {
      acc[j] = _mm256_fmadd_ps(_mm256_cvtph_ps(load128(halves + i + 8 * j)),
                               _mm256_loadu_ps(x + i + 8 * j), acc[j]);
    }
  }
  for (; i + 8 <= len; i += 8) {
    acc[0] = _mm256_fmadd_ps(_mm256_cvtph_ps(load128(halves + i)), _mm256_loadu_ps(x + i), acc[0]);
  }
  float sum = sum8(_mm256_add_ps(_mm256_add_ps(acc[0], acc[1]), _mm256_add_ps(acc[2], acc[3])));
  for (; i < len; i++) sum += x[i] * _cvtsh_ss(halves[i]);
  return sum;
}

static void rows_avx2_f16(size_t cols, const uint8_t *rows, size_t row_size, size_t len,
                          const cwi_activation *x, float *y) {
  size_t r = 0;
  for (; cols % 16 == 0 && r + 4 <= len; r += 4) {
    const uint8_t *row = rows + r * row_size;
    __m256 first[4];
    __m256 second[4];
    for (size_t k = 0; k < 4; k++) first[k] = second[k] = _mm256_setzero_ps();
    for (size_t i = 0; i < cols; i += 16) {
      const __m256 x0 = _mm256_loadu_ps(x->f + i);
      const __m256 x1 = _mm256_loadu_ps(x->f + i + 8);
      for (size_t k = 0; k < 4; k++) {
        const uint8_t *halves = row + k * row_size + 2 * i;
        first[k] = _mm256_fmadd_ps(_mm256_cvtph_ps(load128(halves)), x0, first[k]);
        second[k] = _mm256_fmadd_ps(_mm256_cvtph_ps(load128(halves + 16)), x1, second[k]);
      }
    }
    for (size_t k = 0; k < 4; k++) y[r + k] = sum8(_mm256_add_ps(first[k], second[k]));
  }
  for (; r < len; r++) {
    y[r] = dot_avx2_f16(x->f, (const uint16_t *)(const void *)(rows + r * row_size), cols);
  }
}

static void add_avx2_f16(float *y, float scale, const uint16_t *halves, size_t len) {
  __m256 s = _mm256_set1_ps(scale);
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    _mm256_storeu_ps(
        y + i, _mm256_fmadd_ps(s, _mm256_cvtph_ps(load128(halves + i)), _mm256_loadu_ps(y + i)));
  }
  for (; i < len; i++) y[i] += scale * _cvtsh_ss(halves[i]);
}

static void to_avx2_f16(const float *x, uint16_t *halves, size_t len) {
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    _mm_storeu_si128((__m128i *)(void *)(halves + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < len; i++) halves[i] = cwi_quant_f32_to_f16(x[i]);
}

/* ---- blocks of 32: the scales of 8 blocks are made at once, the last few blocks alone ---- */

#define ROW_OF_32(name, block_size, offset, unpack)                                          \
  static float row_avx2_##name(size_t blocks, const uint8_t *row, const cwi_activation *x) { \
    __m256 acc0 = _mm256_setzero_ps();                                                       \
    __m256 acc1 = _mm256_setzero_ps();                                                       \
    __m256 shift = _mm256_setzero_ps();                                                      \
    size_t b = 0;                                                                            \
    for (; b + 8 <= blocks; b += 8) {                                                        \
      const uint8_t *in = row + b * (block_size);                                            \
      float scale[8];                                                                        \
      __m256 d = halves_of_8(in, (block_size));                                              \
      _mm256_storeu_ps(scale, _mm256_mul_ps(d, _mm256_loadu_ps(x->d + b)));                  \
      shift = _mm256_fmadd_ps(d, _mm256_loadu_ps(x->sum + b), shift);                        \
      for (size_t i = 0; i < 8; i += 2) {                                                    \
        const uint8_t *p = in + i * (block_size);                                            \
        prefetch(p);                                                                         \
        __m256i v0 = dot_u8(unpack(p), load256(x->q + 32 * (b + i)));                        \
        __m256i v1 = dot_u8(unpack(p + (block_size)), load256(x->q + 32 * (b + i + 1)));     \
        acc0 = _mm256_fmadd_ps(_mm256_set1_ps(scale[i]), _mm256_cvtepi32_ps(v0), acc0);      \
        acc1 = _mm256_fmadd_ps(_mm256_set1_ps(scale[i + 1]), _mm256_cvtepi32_ps(v1), acc1);  \
      }                                                                                      \
    }                                                                                        \
    float rest = 0;                                                                          \
    for (; b < blocks; b++) {                                                                \
      const uint8_t *p = row + b * (block_size);                                             \
      float d = half_at(p);                                                                  \
      __m256i v = dot_u8(unpack(p), load256(x->q + 32 * b));                                 \
      acc0 = _mm256_fmadd_ps(_mm256_set1_ps(d * x->d[b]), _mm256_cvtepi32_ps(v), acc0);      \
      rest += d * x->sum[b];                                                                 \
    }                                                                                        \
    return sum8(_mm256_add_ps(acc0, acc1)) - (float)(offset) * (sum8(shift) + rest);         \
  }

CWI_INLINE __m256i unpack_q4_0(const uint8_t *p) { return nibbles(p + 2); }

CWI_INLINE __m256i unpack_q5_0(const uint8_t *p) {
  return _mm256_or_si256(nibbles(p + 6), fifth_bits(p + 2));
}

ROW_OF_32(q4_0, 18U, 8, unpack_q4_0)
ROW_OF_32(q5_0, 22U, 16, unpack_q5_0)

/* Q8_0 weights are signed: their sign moves to the activation. -128 never occurs in activations. */
CWI_INLINE __m256i dot_i8(__m256i w, __m256i a) {
  return dot_u8(_mm256_sign_epi8(w, w), _mm256_sign_epi8(a, w));
}

static float row_avx2_q8_0(size_t blocks, const uint8_t *row, const cwi_activation *x) {
  __m256 acc0 = _mm256_setzero_ps();
  __m256 acc1 = _mm256_setzero_ps();
  size_t b = 0;
  for (; b + 8 <= blocks; b += 8) {
    const uint8_t *in = row + b * 34;
    float scale[8];
    _mm256_storeu_ps(scale, _mm256_mul_ps(halves_of_8(in, 34), _mm256_loadu_ps(x->d + b)));
    for (size_t i = 0; i < 8; i += 2) {
      const uint8_t *p = in + i * 34;
      prefetch(p);
      __m256i v0 = dot_i8(load256(p + 2), load256(x->q + 32 * (b + i)));
      __m256i v1 = dot_i8(load256(p + 36), load256(x->q + 32 * (b + i + 1)));
      acc0 = _mm256_fmadd_ps(_mm256_set1_ps(scale[i]), _mm256_cvtepi32_ps(v0), acc0);
      acc1 = _mm256_fmadd_ps(_mm256_set1_ps(scale[i + 1]), _mm256_cvtepi32_ps(v1), acc1);
    }
  }
  for (; b < blocks; b++) {
    const uint8_t *p = row + b * 34;
    __m256i v = dot_i8(load256(p + 2), load256(x->q + 32 * b));
    acc0 = _mm256_fmadd_ps(_mm256_set1_ps(half_at(p) * x->d[b]), _mm256_cvtepi32_ps(v), acc0);
  }
  return sum8(_mm256_add_ps(acc0, acc1));
}

/* ---- super-blocks of 256 ---- */

/* The 8 scales and 8 minimums of Q4_K and Q5_K, as floats. */
CWI_INLINE void scales_k4(const uint8_t *packed, __m256 *scale, __m256 *min) {
  uint32_t in[3];
  memcpy(in, packed, sizeof(in));
  uint32_t low_scale = in[0] & 0x3F3F3F3FU;
  uint32_t low_min = in[1] & 0x3F3F3F3FU;
  uint32_t high_scale = (in[2] & 0x0F0F0F0FU) | ((in[0] >> 6) & 0x03030303U) << 4;
  uint32_t high_min = ((in[2] >> 4) & 0x0F0F0F0FU) | ((in[1] >> 6) & 0x03030303U) << 4;
  __m128i s = _mm_cvtsi64_si128((long long)((uint64_t)high_scale << 32 | low_scale));
  __m128i m = _mm_cvtsi64_si128((long long)((uint64_t)high_min << 32 | low_min));
  *scale = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(s));
  *min = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(m));
}

static float row_avx2_q4_k(size_t supers, const uint8_t *row, const cwi_activation *x) {
  const __m256i low_bits = _mm256_set1_epi8(15);
  __m256 acc0 = _mm256_setzero_ps();
  __m256 acc1 = _mm256_setzero_ps();
  __m256 shift = _mm256_setzero_ps();
  for (size_t b = 0; b < supers; b++, row += 144) {
    float scale[8];
    __m256 s;
    __m256 m;
    scales_k4(row + 4, &s, &m);
    __m256 d = _mm256_mul_ps(_mm256_set1_ps(half_at(row)), _mm256_loadu_ps(x->d + 8 * b));
    _mm256_storeu_ps(scale, _mm256_mul_ps(s, d));
    m = _mm256_mul_ps(m, _mm256_set1_ps(half_at(row + 2)));
    shift = _mm256_fmadd_ps(m, _mm256_loadu_ps(x->sum + 8 * b), shift);
    for (size_t c = 0; c < 4; c++) {
      const int8_t *q = x->q + 256 * b + 64 * c;
      __m256i bytes = load256(row + 16 + 32 * c);
      prefetch(row + 16 + 32 * c);
      __m256i v0 = dot_u8(_mm256_and_si256(bytes, low_bits), load256(q));
      __m256i v1 = dot_u8(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_bits), load256(q + 32));
      acc0 = _mm256_fmadd_ps(_mm256_set1_ps(scale[2 * c]), _mm256_cvtepi32_ps(v0), acc0);
      acc1 = _mm256_fmadd_ps(_mm256_set1_ps(scale[2 * c + 1]), _mm256_cvtepi32_ps(v1), acc1);
    }
  }
  return sum8(_mm256_sub_ps(_mm256_add_ps(acc0, acc1), shift));
}

static float row_avx2_q5_k(size_t supers, const uint8_t *row, const cwi_activation *x) {
  const __m256i low_bits = _mm256_set1_epi8(15);
  const __m256i one = _mm256_set1_epi8(1);
  __m256 acc0 = _mm256_setzero_ps();
  __m256 acc1 = _mm256_setzero_ps();
  __m256 shift = _mm256_setzero_ps();
  for (size_t b = 0; b < supers; b++, row += 176) {
    float scale[8];
    __m256 s;
    __m256 m;
    scales_k4(row + 4, &s, &m);
    __m256 d = _mm256_mul_ps(_mm256_set1_ps(half_at(row)), _mm256_loadu_ps(x->d + 8 * b));
    _mm256_storeu_ps(scale, _mm256_mul_ps(s, d));
    m = _mm256_mul_ps(m, _mm256_set1_ps(half_at(row + 2)));
    shift = _mm256_fmadd_ps(m, _mm256_loadu_ps(x->sum + 8 * b), shift);
    __m256i high = load256(row + 16);
    for (size_t c = 0; c < 4; c++) {
      const int8_t *q = x->q + 256 * b + 64 * c;
      __m256i bytes = load256(row + 48 + 32 * c);
      prefetch(row + 48 + 32 * c);
      __m256i h0 = _mm256_slli_epi16(_mm256_and_si256(high, one), 4);
      __m256i h1 = _mm256_slli_epi16(_mm256_and_si256(_mm256_srli_epi16(high, 1), one), 4);
      high = _mm256_srli_epi16(high, 2);
      __m256i w0 = _mm256_or_si256(_mm256_and_si256(bytes, low_bits), h0);
      __m256i w1 = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_bits), h1);
      __m256i v0 = dot_u8(w0, load256(q));
      __m256i v1 = dot_u8(w1, load256(q + 32));
      acc0 = _mm256_fmadd_ps(_mm256_set1_ps(scale[2 * c]), _mm256_cvtepi32_ps(v0), acc0);
      acc1 = _mm256_fmadd_ps(_mm256_set1_ps(scale[2 * c + 1]), _mm256_cvtepi32_ps(v1), acc1);
    }
  }
  return sum8(_mm256_sub_ps(_mm256_add_ps(acc0, acc1), shift));
}

/* Scales of two groups of 16 (numbers 2j and 2j + 1), each in its half of the register. */
CWI_INLINE __m256i scales_q6(__m128i scales, int j) {
  __m128i pick = _mm_add_epi8(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
                              _mm_set1_epi8((char)(2 * j)));
  return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(scales, pick));
}

static float row_avx2_q6_k(size_t supers, const uint8_t *row, const cwi_activation *x) {
  const __m256i low_bits = _mm256_set1_epi8(15);
  const __m256i two_bits = _mm256_set1_epi8(0x30);
  __m256 acc[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  __m256 shift = _mm256_setzero_ps();
  for (size_t b = 0; b < supers; b++, row += 210) {
    float scale[8];
    __m256 d = _mm256_mul_ps(_mm256_set1_ps(half_at(row + 208)), _mm256_loadu_ps(x->d + 8 * b));
    _mm256_storeu_ps(scale, d);
    __m128i scales = load128(row + 192);
    __m256i sums = _mm256_madd_epi16(_mm256_cvtepi8_epi16(scales), load256(x->sum16 + 16 * b));
    shift = _mm256_fmadd_ps(d, _mm256_cvtepi32_ps(sums), shift);
    for (int half = 0; half < 2; half++) {
      const int8_t *q = x->q + 256 * b + 128 * (size_t)half;
      __m256i low0 = load256(row + 64 * half);
      __m256i low1 = load256(row + 64 * half + 32);
      __m256i high = load256(row + 128 + 32 * half);
      prefetch(row + 64 * half);
      prefetch(row + 128 * half);
      __m256i w[4];
      w[0] = _mm256_or_si256(_mm256_and_si256(low0, low_bits),
                             _mm256_and_si256(_mm256_slli_epi16(high, 4), two_bits));
      w[1] = _mm256_or_si256(_mm256_and_si256(low1, low_bits),
                             _mm256_and_si256(_mm256_slli_epi16(high, 2), two_bits));
      w[2] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(low0, 4), low_bits),
                             _mm256_and_si256(high, two_bits));
      w[3] = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(low1, 4), low_bits),
                             _mm256_and_si256(_mm256_srli_epi16(high, 2), two_bits));
      for (int j = 0; j < 4; j++) {
        __m256i pairs = _mm256_maddubs_epi16(w[j], load256(q + 32 * j));
        __m256i v = _mm256_madd_epi16(pairs, scales_q6(scales, 4 * half + j));
        acc[j % 2] =
            _mm256_fmadd_ps(_mm256_set1_ps(scale[4 * half + j]), _mm256_cvtepi32_ps(v), acc[j % 2]);
      }
    }
  }
  return sum8(_mm256_add_ps(acc[0], acc[1])) - 32.0F * sum8(shift);
}

#define ROWS(name, block_len)                                                                 \
  static void rows_avx2_##name(size_t cols, const uint8_t *rows, size_t row_size, size_t len, \
                               const cwi_activation *x, float *y) {                           \
    for (size_t r = 0; r < len; r++) {                                                        \
      y[r] = row_avx2_##name(cols / (block_len), rows + r * row_size, x);                     \
    }                                                                                         \
  }

ROWS(q4_0, 32)
ROWS(q5_0, 32)
ROWS(q8_0, 32)
ROWS(q4_k, 256)
ROWS(q5_k, 256)
ROWS(q6_k, 256)

/* ---- activations ---- */

static void quantize_avx2(const float *f, size_t len, int8_t *q, float *d, float *sum,
                          int16_t *sum16) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  for (size_t b = 0; b < len / 32; b++) {
    __m256 v[4];
    __m256 peaks = _mm256_setzero_ps();
    for (size_t i = 0; i < 4; i++) {
      v[i] = _mm256_loadu_ps(f + 32 * b + 8 * i);
      /* the second operand is returned for NaN, so that a NaN does not spoil the peak */
      peaks = _mm256_max_ps(_mm256_andnot_ps(sign, v[i]), peaks);
    }
    __m128 p = _mm_max_ps(_mm256_castps256_ps128(peaks), _mm256_extractf128_ps(peaks, 1));
    p = _mm_max_ps(p, _mm_movehl_ps(p, p));
    float peak = _mm_cvtss_f32(_mm_max_ss(p, _mm_movehdup_ps(p)));
    if (!(peak <= 3e38F)) { /* rare: leave the odd cases to the twin */
      cwi_quant_activation_ref(f + 32 * b, 32, q + 32 * b, d + b, sum + b, sum16 + 2 * b);
      continue;
    }
    __m256 inverse = _mm256_set1_ps(peak > 0 ? 127.0F / peak : 0);
    __m256i n[4];
    for (size_t i = 0; i < 4; i++) {
      __m256 scaled = _mm256_mul_ps(v[i], inverse);
      scaled = _mm256_and_ps(scaled, _mm256_cmp_ps(scaled, scaled, _CMP_ORD_Q));
      n[i] = _mm256_cvtps_epi32(scaled);
    }
    __m256i low = _mm256_add_epi32(n[0], n[1]);
    __m256i high = _mm256_add_epi32(n[2], n[3]);
    __m256i both = _mm256_hadd_epi32(_mm256_hadd_epi32(low, high), _mm256_setzero_si256());
    __m128i totals = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    int first = _mm_cvtsi128_si32(totals);
    int second = _mm_extract_epi32(totals, 1);
    __m256i packed =
        _mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]), _mm256_packs_epi32(n[2], n[3]));
    packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)(void *)(q + 32 * b), packed);
    d[b] = peak / 127.0F;
    sum16[2 * b] = (int16_t)first;
    sum16[2 * b + 1] = (int16_t)second;
    sum[b] = d[b] * (float)(first + second);
  }
}

/* ---- batches ---- */

static void gemm_avx2(size_t k, const float *w, size_t w_stride, const float *x, float *c,
                      size_t c_stride) {
  __m256 acc[CWI_KERNEL_ROWS][2];
  for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) {
    acc[r][0] = _mm256_loadu_ps(c + r * c_stride);
    acc[r][1] = _mm256_loadu_ps(c + r * c_stride + 8);
  }
  for (size_t i = 0; i < k; i++) {
    __m256 x0 = _mm256_loadu_ps(x + CWI_KERNEL_TOKENS * i);
    __m256 x1 = _mm256_loadu_ps(x + CWI_KERNEL_TOKENS * i + 8);
    for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) {
      __m256 weight = _mm256_broadcast_ss(w + r * w_stride + i);
      acc[r][0] = _mm256_fmadd_ps(weight, x0, acc[r][0]);
      acc[r][1] = _mm256_fmadd_ps(weight, x1, acc[r][1]);
    }
  }
  for (size_t r = 0; r < CWI_KERNEL_ROWS; r++) {
    _mm256_storeu_ps(c + r * c_stride, acc[r][0]);
    _mm256_storeu_ps(c + r * c_stride + 8, acc[r][1]);
  }
}

static void dequantize_avx2(cwi_tensor_type type, const uint8_t *in, float *out, size_t len) {
  if (type == CWI_TENSOR_F16) {
    size_t i = 0;
    for (; i + 8 <= len; i += 8) _mm256_storeu_ps(out + i, _mm256_cvtph_ps(load128(in + 2 * i)));
    if (i < len) rows_f16(in + 2 * i, out + i, len - i);
    return;
  }
  rows_any(type, in, out, len);
}

/* ---- functions of one variable ---- */

/* exp for 8 floats: 2^n times a polynomial on [-ln2/2, ln2/2]; within 2 ulp, 0 below -87. */
CWI_INLINE __m256 exp8(__m256 x) {
  const __m256 low = _mm256_set1_ps(-87.3F);
  const __m256 high = _mm256_set1_ps(88.3F);
  __m256 tiny = _mm256_cmp_ps(x, low, _CMP_LT_OQ);
  __m256 in = _mm256_min_ps(_mm256_max_ps(x, low), high);
  __m256 n = _mm256_round_ps(_mm256_mul_ps(in, _mm256_set1_ps(1.44269504F)),
                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375F), in);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4F), r);
  __m256 p = _mm256_set1_ps(1.9875691500e-4F);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1F));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1F));
  p = _mm256_fmadd_ps(p, _mm256_mul_ps(r, r), _mm256_add_ps(r, _mm256_set1_ps(1.0F)));
  __m256i exponent =
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  p = _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
  p = _mm256_andnot_ps(tiny, p);
  /* NaN stays NaN */
  return _mm256_blendv_ps(p, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

/* Runs `body` on whole eights of `len`, then once on the rest through a padded copy. */
static float exp_sum_avx2(float *x, float max, size_t len) {
  __m256 sum = _mm256_setzero_ps();
  const __m256 m = _mm256_set1_ps(max);
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    __m256 e = exp8(_mm256_sub_ps(_mm256_loadu_ps(x + i), m));
    _mm256_storeu_ps(x + i, e);
    sum = _mm256_add_ps(sum, e);
  }
  float total = sum8(sum);
  if (i < len) {
    float rest[8] = {0};
    memcpy(rest, x + i, (len - i) * sizeof(float));
    _mm256_storeu_ps(rest, exp8(_mm256_sub_ps(_mm256_loadu_ps(rest), m)));
    for (size_t j = 0; i + j < len; j++) {
      x[i + j] = rest[j];
      total += rest[j];
    }
  }
  return total;
}

CWI_INLINE __m256 silu8(__m256 x) {
  __m256 e = exp8(_mm256_sub_ps(_mm256_setzero_ps(), x));
  return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0F), e));
}

/* 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)) */
CWI_INLINE __m256 gelu8(__m256 x) {
  __m256 square = _mm256_mul_ps(x, x);
  __m256 u = _mm256_fmadd_ps(_mm256_set1_ps(0.044715F), square, _mm256_set1_ps(1.0F));
  u = _mm256_mul_ps(_mm256_mul_ps(u, x), _mm256_set1_ps(-2.0F * 0.79788456080286535588F));
  return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0F), exp8(u)));
}

#define GATE(name, function)                                                  \
  static void name(float *gate, const float *up, size_t len) {                \
    size_t i = 0;                                                             \
    for (; i + 8 <= len; i += 8) {                                            \
      __m256 g = function(_mm256_loadu_ps(gate + i));                         \
      _mm256_storeu_ps(gate + i, _mm256_mul_ps(g, _mm256_loadu_ps(up + i)));  \
    }                                                                         \
    if (i < len) {                                                            \
      float rest[8] = {0};                                                    \
      memcpy(rest, gate + i, (len - i) * sizeof(float));                      \
      _mm256_storeu_ps(rest, function(_mm256_loadu_ps(rest)));                \
      for (size_t j = 0; i + j < len; j++) gate[i + j] = rest[j] * up[i + j]; \
    }                                                                         \
  }

GATE(silu_mul_avx2, silu8)
GATE(gelu_mul_avx2, gelu8)

const cwi_kernel *cwi_kernel_avx2(void) {
  static const cwi_kernel table = {
      .name = "avx2",
      .rows = {[CWI_TENSOR_F32] = rows_avx2_f32,
               [CWI_TENSOR_F16] = rows_avx2_f16,
               [CWI_TENSOR_Q4_0] = rows_avx2_q4_0,
               [CWI_TENSOR_Q5_0] = rows_avx2_q5_0,
               [CWI_TENSOR_Q8_0] = rows_avx2_q8_0,
               [CWI_TENSOR_Q4_K] = rows_avx2_q4_k,
               [CWI_TENSOR_Q5_K] = rows_avx2_q5_k,
               [CWI_TENSOR_Q6_K] = rows_avx2_q6_k},
      .dequantize = dequantize_avx2,
      .quantize = quantize_avx2,
      .gemm = gemm_avx2,
      .panel_types = 1U << CWI_TENSOR_Q4_0 | 1U << CWI_TENSOR_Q5_0 | 1U << CWI_TENSOR_Q4_K |
                     1U << CWI_TENSOR_Q5_K | 1U << CWI_TENSOR_Q6_K,
      .pack = cwi_kernel_avx2_pack,
      .gemm_panels = cwi_kernel_avx2_gemm_panels,
      .dot_f16 = dot_avx2_f16,
      .add_f16 = add_avx2_f16,
      .to_f16 = to_avx2_f16,
      .exp_sum = exp_sum_avx2,
      .silu_mul = silu_mul_avx2,
      .gelu_mul = gelu_mul_avx2,
  };
  /* Every CPU with AVX2 has F16C. */
  if (!CWI_CPU_SUPPORTS("avx2") || !CWI_CPU_SUPPORTS("fma")) return NULL;
  return &table;
}

#else

const cwi_kernel *cwi_kernel_avx2(void) { return NULL; }

#endif
