/* SPDX-License-Identifier: MIT */
/* Attention over the KV caches of the rows of a pass. */
#ifndef LLM_ATTENTION_H
#define LLM_ATTENTION_H

#include "llm/llm_forward.h"

typedef struct cwi_llm_attention {
  const cwi_llm_shape *shape;
  const cwi_kernel *kernel;
  const _Atomic bool *cancel;
  const cwi_llm_row *rows;
  size_t len;
  uint32_t layer;
  const float *q; /* [row][head][dim_head], rotated and scaled */
  float *out;     /* the same shape */
} cwi_llm_attention;

/* Attends on all threads of `pool`. The keys and values of all rows are already in their caches. */
void cwi_llm_attention_run(cwi_llm_attention *self, cwi_llm_pool *pool);

#endif
