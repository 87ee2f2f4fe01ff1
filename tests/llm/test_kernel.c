/* SPDX-License-Identifier: MIT */
/* Proves that every fast kernel gives what its plain twin gives. */
#include "llm/kernel.h"

#include <math.h>

#include "support/test.h"

static uint64_t seed = 1;

static uint32_t next_random(void) {
  seed = seed * 6364136223846793005U + 1442695040888963407U;
  return (uint32_t)(seed >> 33);
}

static float random_float(void) { return (float)(next_random() % 2001) / 1000.0F - 1.0F; }

/* Random bytes are valid blocks but for their scales, which become small halves. */
static void fill_row(cwi_tensor_type type, uint8_t *row, size_t cols) {
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  const size_t size = cols / traits->block_len * traits->block_size;
  for (size_t i = 0; i < size; i++) row[i] = (uint8_t)next_random();
  if (traits->block_len == 1) {
    for (size_t i = 0; i < cols; i++) {
      float value = random_float();
      uint16_t half = cwi_quant_f32_to_f16(value);
      if (type == CWI_TENSOR_BF16) memcpy(&half, (uint8_t *)&value + 2, 2);
      if (type == CWI_TENSOR_F32) memcpy(row + 4 * i, &value, 4);
      if (type != CWI_TENSOR_F32) memcpy(row + 2 * i, &half, 2);
    }
    return;
  }
  for (size_t at = 0; at < size; at += traits->block_size) {
    size_t places[2] = {0, 0};
    switch (type) {
      case CWI_TENSOR_Q4_1:
      case CWI_TENSOR_Q5_1:
      case CWI_TENSOR_Q4_K:
      case CWI_TENSOR_Q5_K: places[1] = 2; break;
      case CWI_TENSOR_Q2_K: places[0] = 80, places[1] = 82; break;
      case CWI_TENSOR_Q3_K: places[0] = places[1] = 108; break;
      case CWI_TENSOR_Q6_K: places[0] = places[1] = 208; break;
      default: break;
    }
    for (int i = 0; i < 2; i++) {
      uint16_t half = cwi_quant_f32_to_f16(random_float() / 64);
      memcpy(row + at + places[i], &half, 2);
    }
  }
}

static const cwi_tensor_type all_types[] = {
    CWI_TENSOR_F32,  CWI_TENSOR_F16,  CWI_TENSOR_BF16, CWI_TENSOR_Q4_0,   CWI_TENSOR_Q4_1,
    CWI_TENSOR_Q5_0, CWI_TENSOR_Q5_1, CWI_TENSOR_Q8_0, CWI_TENSOR_Q2_K,   CWI_TENSOR_Q3_K,
    CWI_TENSOR_Q4_K, CWI_TENSOR_Q5_K, CWI_TENSOR_Q6_K, CWI_TENSOR_IQ4_NL, CWI_TENSOR_IQ4_XS};

#define COLS_MAX 2304U
#define ROWS 5U

typedef struct operands {
  float f[COLS_MAX];
  int8_t q[COLS_MAX];
  float d[COLS_MAX / 32];
  float sum[COLS_MAX / 32];
  int16_t sum16[COLS_MAX / 16];
  uint8_t rows[ROWS * COLS_MAX * 4];
} operands;

static void check_rows(const cwi_kernel *fast, cwi_tensor_type type, size_t cols, operands *o) {
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  const size_t row_size = cols / traits->block_len * traits->block_size;
  float expected[ROWS];
  float got[ROWS];
  for (size_t r = 0; r < ROWS; r++) fill_row(type, o->rows + r * row_size, cols);
  for (size_t i = 0; i < cols; i++) o->f[i] = random_float();
  fast->quantize(o->f, cols, o->q, o->d, o->sum, o->sum16);
  cwi_activation x = {o->f, o->q, o->d, o->sum, o->sum16};
  cwi_kernel_rows_of(cwi_kernel_ref(), type)(cols, o->rows, row_size, ROWS, &x, expected);
  cwi_kernel_rows_of(fast, type)(cols, o->rows, row_size, ROWS, &x, got);
  static float floats[COLS_MAX];
  for (size_t r = 0; r < ROWS; r++) {
    /* The tolerance is for the order of additions: it grows with the sizes of what is added. */
    cwi_quant_dequantize(type, o->rows + r * row_size, floats, cols);
    float scale = 0;
    for (size_t i = 0; i < cols; i++) scale += fabsf(floats[i] * o->f[i]);
    if (!(fabsf(got[r] - expected[r]) <= 4e-6F * scale + 1e-6F)) {
      fail_msg("%s of %zu: %g, expected %g (of %g)", traits->name, cols, (double)got[r],
               (double)expected[r], (double)scale);
    }
  }
}

TEST(kernel, rows_equal_their_plain_twins) {
  static operands o;
  static const size_t cols[] = {32, 64, 96, 256, 288, 512, 896, 2304};
  const cwi_kernel *fast = cwi_kernel_select();
  for (size_t t = 0; t < sizeof(all_types) / sizeof(all_types[0]); t++) {
    for (size_t c = 0; c < sizeof(cols) / sizeof(cols[0]); c++) {
      if (cols[c] % cwi_tensor_traits_of(all_types[t])->block_len != 0) continue;
      check_rows(fast, all_types[t], cols[c], &o);
    }
  }
}

TEST(kernel, dequantizing_gives_the_same_bits) {
  static operands o;
  static float expected[COLS_MAX];
  static float got[COLS_MAX];
  const cwi_kernel *fast = cwi_kernel_select();
  for (size_t t = 0; t < sizeof(all_types) / sizeof(all_types[0]); t++) {
    fill_row(all_types[t], o.rows, COLS_MAX);
    cwi_quant_dequantize(all_types[t], o.rows, expected, COLS_MAX);
    fast->dequantize(all_types[t], o.rows, got, COLS_MAX);
    assert_memory_equal(got, expected, sizeof(got));
  }
}

TEST(kernel, quantizing_gives_the_same_bits) {
  static operands a;
  static operands b;
  const cwi_kernel *fast = cwi_kernel_select();
  for (size_t i = 0; i < COLS_MAX; i++) a.f[i] = b.f[i] = random_float();
  for (size_t i = 0; i < 32; i++) a.f[i] = b.f[i] = 0;
  a.f[40] = b.f[40] = NAN;
  a.f[70] = b.f[70] = INFINITY;
  a.f[100] = b.f[100] = -1e30F;
  cwi_kernel_ref()->quantize(a.f, COLS_MAX, a.q, a.d, a.sum, a.sum16);
  fast->quantize(b.f, COLS_MAX, b.q, b.d, b.sum, b.sum16);
  for (size_t i = 0; i < COLS_MAX; i++) {
    if (a.q[i] != b.q[i]) fail_msg("element %zu: %d, expected %d", i, b.q[i], a.q[i]);
  }
  assert_memory_equal(b.d, a.d, sizeof(a.d));
  assert_memory_equal(b.sum, a.sum, sizeof(a.sum));
  assert_memory_equal(b.sum16, a.sum16, sizeof(a.sum16));
}

TEST(kernel, halves_survive_the_round_trip) {
  for (uint32_t half = 0; half < 65536; half++) {
    float value = cwi_quant_f16_to_f32((uint16_t)half);
    if ((half & 0x7C00) == 0x7C00 && (half & 0x3FF) != 0) {
      CHECK(isnan(value));
      continue;
    }
    if (cwi_quant_f32_to_f16(value) != half) fail_msg("half %04x", half);
  }
  static const struct {
    float value;
    uint16_t half;
  } rounded[] = {{65519.0F, 0x7BFF},      {65520.0F, 0x7C00}, {1e-8F, 0},
                 {2.98e-8F, 0},           {2.99e-8F, 1},      {1.00048828125F, 0x3C00},
                 {1.00146484375F, 0x3C02}};
  for (size_t i = 0; i < sizeof(rounded) / sizeof(rounded[0]); i++) {
    assert_int_equal(cwi_quant_f32_to_f16(rounded[i].value), rounded[i].half);
  }
}

TEST(kernel, functions_of_one_variable_equal_their_plain_twins) {
  const cwi_kernel *fast = cwi_kernel_select();
  const cwi_kernel *ref = cwi_kernel_ref();
  for (size_t len = 1; len < 40; len++) {
    float a[40];
    float b[40];
    float up[40];
    uint16_t halves[40];
    for (size_t i = 0; i < len; i++) {
      a[i] = b[i] = random_float() * 30;
      up[i] = random_float();
    }
    ref->to_f16(up, halves, len);
    CHECK(fabsf(ref->dot_f16(a, halves, len) - fast->dot_f16(b, halves, len)) < 1e-3F);
    ref->silu_mul(a, up, len);
    fast->silu_mul(b, up, len);
    ref->gelu_mul(a, up, len);
    fast->gelu_mul(b, up, len);
    for (size_t i = 0; i < len; i++) CHECK(fabsf(a[i] - b[i]) <= 1e-5F * (1 + fabsf(a[i])));
    memcpy(b, a, sizeof(a));
    ref->add_f16(a, 0.5F, halves, len);
    fast->add_f16(b, 0.5F, halves, len);
    float sum_a = ref->exp_sum(a, 30, len);
    float sum_b = fast->exp_sum(b, 30, len);
    CHECK(fabsf(sum_a - sum_b) <= 1e-5F * sum_a);
  }
}

TEST(kernel, tiles_equal_their_plain_twins) {
  static float w[CWI_KERNEL_ROWS * 64];
  static float x[64 * CWI_KERNEL_TOKENS];
  float a[CWI_KERNEL_ROWS * CWI_KERNEL_TOKENS];
  float b[CWI_KERNEL_ROWS * CWI_KERNEL_TOKENS];
  for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) w[i] = random_float();
  for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) x[i] = random_float();
  for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) a[i] = b[i] = random_float();
  cwi_kernel_ref()->gemm(63, w, 64, x, a, CWI_KERNEL_TOKENS);
  cwi_kernel_select()->gemm(63, w, 64, x, b, CWI_KERNEL_TOKENS);
  for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) CHECK(fabsf(a[i] - b[i]) < 2e-5F);
}

static void check_panels(const cwi_kernel *fast, cwi_tensor_type type, size_t len, size_t tokens) {
  enum { COLS = 512, BLOCKS = COLS / 32, ROW_MAX = 8192 };
  static uint8_t rows[CWI_KERNEL_PANEL_ROWS * ROW_MAX];
  static cwi_kernel_panel plain[BLOCKS];
  static cwi_kernel_panel packed[BLOCKS];
  static operands o;
  static float a[CWI_KERNEL_PANEL_TOKENS][CWI_KERNEL_PANEL_ROWS];
  static float b[CWI_KERNEL_PANEL_TOKENS][CWI_KERNEL_PANEL_ROWS];
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  const size_t row_size = COLS / traits->block_len * traits->block_size;
  for (size_t r = 0; r < len; r++) fill_row(type, rows + r * row_size, COLS);
  cwi_kernel_ref()->pack(type, rows, row_size, len, COLS, plain);
  fast->pack(type, rows, row_size, len, COLS, packed);
  for (size_t block = 0; block < BLOCKS; block++) {
    for (size_t r = 0; r < len; r++) {
      for (size_t g = 0; g < 8; g++) {
        assert_memory_equal(packed[block].bytes[g][r], plain[block].bytes[g][r], 4);
      }
    }
    assert_memory_equal(packed[block].scale, plain[block].scale, len * sizeof(float));
    assert_memory_equal(packed[block].shift, plain[block].shift, len * sizeof(float));
  }
  for (size_t i = 0; i < tokens * COLS && i < COLS_MAX; i++) o.f[i] = random_float();
  fast->quantize(o.f, COLS_MAX / COLS * COLS, o.q, o.d, o.sum, o.sum16);
  const cwi_activation x = {o.f, o.q, o.d, o.sum, o.sum16};
  memset(a, 0, sizeof(a));
  memset(b, 0, sizeof(b));
  cwi_kernel_ref()->gemm_panels(type, plain, BLOCKS, &x, COLS, tokens, a[0], CWI_KERNEL_PANEL_ROWS);
  fast->gemm_panels(type, packed, BLOCKS, &x, COLS, tokens, b[0], CWI_KERNEL_PANEL_ROWS);
  for (size_t t = 0; t < tokens; t++) {
    for (size_t r = 0; r < len; r++) {
      if (!(fabsf(a[t][r] - b[t][r]) <= 2e-3F + 1e-4F * fabsf(a[t][r]))) {
        fail_msg("%s row %zu token %zu: %g, expected %g", traits->name, r, t, (double)b[t][r],
                 (double)a[t][r]);
      }
    }
  }
}

TEST(kernel, panels_equal_their_plain_twins) {
  const cwi_kernel *tables[] = {cwi_kernel_avx2(), cwi_kernel_avx512()};
  for (size_t k = 0; k < sizeof(tables) / sizeof(tables[0]); k++) {
    for (size_t t = 0; t < sizeof(all_types) / sizeof(all_types[0]) && tables[k] != NULL; t++) {
      if ((tables[k]->panel_types >> all_types[t] & 1) == 0) continue;
      check_panels(tables[k], all_types[t], 16, 4);
      check_panels(tables[k], all_types[t], 11, 3);
    }
  }
}
