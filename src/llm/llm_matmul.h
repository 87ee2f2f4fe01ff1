/* SPDX-License-Identifier: MIT */
/* Weights times activations, on all threads of a pool: row by row for a few tokens, in tiles for
 * many. */
#ifndef LLM_MATMUL_H
#define LLM_MATMUL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "causeway/error.h"
#include "llm/kernel.h"
#include "llm/llm_thread.h"
#include "llm/tensor.h"

#define CWI_LLM_MATMUL_PARTS_MAX 3

/* What a product needs beside its operands. Owned by one caller at a time. */
typedef struct cwi_llm_matmul {
  const cwi_kernel *kernel;
  cwi_llm_pool *pool;
  const _Atomic bool *cancel; /* NULL, or: where true, chunks are skipped */
  void (*poll)(
      void *); /* NULL, or: called between chunks on the caller's thread; may set *cancel */
  void *poll_context;
  size_t tokens_max;
  size_t cols_max;
  int8_t *q; /* [tokens][cols]; the arrays of a cwi_activation */
  float *d;
  float *sum;
  int16_t *sum16;
  float *panels; /* [token group][cols][CWI_KERNEL_TOKENS] */
  float *tiles;  /* [thread]: dequantised weights and sums */
  size_t panels_size;
  size_t tiles_size;
} cwi_llm_matmul;

/* One weight matrix and where its products go: y[token * stride + row], plus bias[row]. */
typedef struct cwi_llm_part {
  const cwi_tensor *w;
  float *y;
  size_t stride;
  const float *bias; /* or NULL */
} cwi_llm_part;

/* Bytes that a matmul of this size takes. */
size_t cwi_llm_matmul_size(size_t tokens_max, size_t cols_max, size_t threads);

cw_status cwi_llm_matmul_init(cwi_llm_matmul *self, const cwi_kernel *kernel, cwi_llm_pool *pool,
                              size_t tokens_max, size_t cols_max, cw_error *err);
void cwi_llm_matmul_deinit(cwi_llm_matmul *self);

/* Multiplies x ([tokens][cols], rows x_stride apart) with each part. Where `gate` is given there
 * are two parts of one shape, and the first becomes gate(first) * second. */
void cwi_llm_matmul_run(cwi_llm_matmul *self, const float *x, size_t x_stride, size_t tokens,
                        size_t cols, const cwi_llm_part *parts, size_t parts_len,
                        void (*gate)(float *, const float *, size_t));

#endif
