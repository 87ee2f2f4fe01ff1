/* SPDX-License-Identifier: MIT */
/* The inner loops, as a table of functions that is chosen once for the CPU at hand. Every function
 * has a plain twin in kernel_ref.c; a table that leaves one out gets the twin. */
#ifndef LLM_KERNEL_H
#define LLM_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "llm/quant_ref.h"
#include "llm/tensor.h"

#define CWI_KERNEL_TYPES 31  /* tensor types are below this */
#define CWI_KERNEL_TOKENS 16 /* tokens in a panel of activations */
#define CWI_KERNEL_ROWS 6    /* weight rows a tile of gemm() takes */

/* y[r] = dot(row r, x) for `len` rows of `cols` elements, `row_size` bytes apart. */
typedef void (*cwi_kernel_rows_fn)(size_t cols, const uint8_t *rows, size_t row_size, size_t len,
                                   const cwi_activation *x, float *y);

#define CWI_KERNEL_PANEL_ROWS 16  /* rows in a panel of weights */
#define CWI_KERNEL_PANEL_TOKENS 8 /* tokens that a panel is multiplied with at once */

/* 32 columns of 16 weight rows, interleaved as unsigned bytes, so that one instruction multiplies
 * four columns of all rows with the same four activations. A weight is scale * (byte - offset),
 * where the offset belongs to the type, or scale * byte - shift for Q4_K and Q5_K; for Q6_K `shift`
 * is the scale of the second 16 columns. */
typedef struct cwi_kernel_panel {
  uint8_t bytes[8][CWI_KERNEL_PANEL_ROWS][4]; /* [column / 4][row][column % 4] */
  float scale[CWI_KERNEL_PANEL_ROWS];
  float shift[CWI_KERNEL_PANEL_ROWS];
} cwi_kernel_panel;

typedef struct cwi_kernel {
  const char *name;
  uint32_t panel_types;                      /* bit t: tensors of type t are multiplied as panels */
  cwi_kernel_rows_fn rows[CWI_KERNEL_TYPES]; /* by type; see cwi_kernel_rows_of() */

  /* As cwi_quant_dequantize() and cwi_quant_activation_ref(). */
  void (*dequantize)(cwi_tensor_type type, const uint8_t *in, float *out, size_t len);
  void (*quantize)(const float *f, size_t len, int8_t *q, float *d, float *sum, int16_t *sum16);

  /* Adds w * x to c for CWI_KERNEL_ROWS rows and CWI_KERNEL_TOKENS tokens: w [rows][w_stride],
   * x [k][tokens], c [rows][c_stride]. */
  void (*gemm)(size_t k, const float *w, size_t w_stride, const float *x, float *c,
               size_t c_stride);

  /* Turns `cols` columns (whole blocks) of `len` rows, up to CWI_KERNEL_PANEL_ROWS, into
   * cols / 32 panels; further rows become anything. */
  void (*pack)(cwi_tensor_type type, const uint8_t *rows, size_t row_size, size_t len, size_t cols,
               cwi_kernel_panel *panels);

  /* Adds the products of panels with `tokens` tokens (up to CWI_KERNEL_PANEL_TOKENS), whose
   * activations lie `x_cols` columns apart, to out ([token][out_stride], 16 rows each). */
  void (*gemm_panels)(cwi_tensor_type type, const cwi_kernel_panel *panels, size_t blocks,
                      const cwi_activation *x, size_t x_cols, size_t tokens, float *out,
                      size_t out_stride);

  /* Dot product of `len` floats with halves, and y += scale * halves. */
  float (*dot_f16)(const float *x, const uint16_t *halves, size_t len);
  void (*add_f16)(float *y, float scale, const uint16_t *halves, size_t len);
  void (*to_f16)(const float *x, uint16_t *halves, size_t len);

  /* x becomes exp(x - max); returns the sum. */
  float (*exp_sum)(float *x, float max, size_t len);

  /* gate = silu(gate) * up; gate = gelu_tanh(gate) * up. */
  void (*silu_mul)(float *gate, const float *up, size_t len);
  void (*gelu_mul)(float *gate, const float *up, size_t len);
} cwi_kernel;

/* Returns the fastest table this CPU can run; CW_LLM_KERNEL=ref in the environment asks for the
 * plain one. */
const cwi_kernel *cwi_kernel_select(void);

/* What is taken off the bytes of a panel. */
int cwi_kernel_panel_offset(cwi_tensor_type type);

/* Returns the function for rows of `type`: the table's own, or the plain one. */
cwi_kernel_rows_fn cwi_kernel_rows_of(const cwi_kernel *kernel, cwi_tensor_type type);

/* Of kernel_avx2_panel.c, for the tables of x86. */
void cwi_kernel_avx2_pack(cwi_tensor_type type, const uint8_t *rows, size_t row_size, size_t len,
                          size_t cols, cwi_kernel_panel *panels);
void cwi_kernel_avx2_gemm_panels(cwi_tensor_type type, const cwi_kernel_panel *panels,
                                 size_t blocks, const cwi_activation *x, size_t x_cols,
                                 size_t tokens, float *out, size_t out_stride);

/* The tables; NULL where this build or CPU has none. */
const cwi_kernel *cwi_kernel_ref(void);
const cwi_kernel *cwi_kernel_avx2(void);
const cwi_kernel *cwi_kernel_avx512(void);

#endif
