/* SPDX-License-Identifier: MIT */
/* Attention in one pass over the cache: scores are made for a block of positions, the softmax is
 * kept running (the sums so far are rescaled when a larger maximum turns up), so that no row of
 * scores as long as the context is ever stored. All query heads that share a key head, and all rows
 * of a tile, use a block while it is in the cache. */
#include "llm/llm_attention.h"

#include <math.h>

#include "core/assert.h"
#include "core/compiler.h"
#include "core/size.h"

#define BLOCK_POSITIONS 128U
#define TILE_ROWS 16U
#define DIM_HEAD_MAX 1024U

/* The running softmax of one query. */
typedef struct running {
  float max;
  float sum;
} running;

typedef struct query {
  const float *q;
  float *out;
  running state;
  int8_t q8[DIM_HEAD_MAX]; /* for a Q8_0 cache */
  float d[DIM_HEAD_MAX / 32];
  float block_sum[DIM_HEAD_MAX / 32];
  int16_t sum16[DIM_HEAD_MAX / 16];
} query;

static uint32_t first_position(const cwi_llm_shape *shape, uint32_t layer, uint32_t position) {
  if (!cwi_llm_model_is_windowed(shape, layer) || position < shape->window) return 0;
  return position - shape->window + 1;
}

static void add_values(const cwi_llm_attention *self, const cwi_llm_kv *kv, const uint8_t *values,
                       const float *weights, size_t len, float *out) {
  const size_t dim = self->shape->dim_head;
  float row[DIM_HEAD_MAX];
  for (size_t i = 0; i < len; i++, values += kv->row_size) {
    if (kv->type == CWI_TENSOR_F16) {
      self->kernel->add_f16(out, weights[i], (const uint16_t *)(const void *)values, dim);
      continue;
    }
    self->kernel->dequantize(kv->type, values, row, dim);
    for (size_t d = 0; d < dim; d++) out[d] += weights[i] * row[d];
  }
}

/* Takes positions [first, end) of a head into account. */
static void attend_block(const cwi_llm_attention *self, const cwi_llm_kv *kv, uint32_t head_kv,
                         uint32_t first, uint32_t end, query *in) {
  const cwi_llm_shape *shape = self->shape;
  const size_t len = end - first;
  const size_t offset = (size_t)first * kv->row_size;
  float scores[BLOCK_POSITIONS];
  cwi_activation x = {
      .f = in->q, .q = in->q8, .d = in->d, .sum = in->block_sum, .sum16 = in->sum16};
  cwi_kernel_rows_of(self->kernel, kv->type)(shape->dim_head,
                                             cwi_llm_kv_keys(kv, self->layer, head_kv) + offset,
                                             kv->row_size, len, &x, scores);
  float max = in->state.max;
  for (size_t i = 0; i < len; i++) {
    if (shape->attention_cap > 0) {
      scores[i] = shape->attention_cap * tanhf(scores[i] / shape->attention_cap);
    }
    max = scores[i] > max ? scores[i] : max;
  }
  if (max > in->state.max) {
    float scale = expf(in->state.max - max);
    in->state.sum *= scale;
    for (size_t d = 0; d < shape->dim_head; d++) in->out[d] *= scale;
    in->state.max = max;
  }
  in->state.sum += self->kernel->exp_sum(scores, max, len);
  add_values(self, kv, cwi_llm_kv_values(kv, self->layer, head_kv) + offset, scores, len, in->out);
}

static void begin_query(const cwi_llm_attention *self, size_t row, uint32_t head, query *in) {
  const size_t dim = self->shape->dim_head;
  const size_t at = (row * self->shape->heads + head) * dim;
  in->q = self->q + at;
  in->out = self->out + at;
  in->state = (running){.max = -INFINITY, .sum = 0};
  for (size_t d = 0; d < dim; d++) in->out[d] = 0;
  if (self->rows[row].kv->type == CWI_TENSOR_Q8_0) {
    self->kernel->quantize(in->q, dim, in->q8, in->d, in->block_sum, in->sum16);
  }
}

static void attend_row(const cwi_llm_attention *self, size_t row, uint32_t head_kv) {
  const cwi_llm_shape *shape = self->shape;
  const cwi_llm_row *r = &self->rows[row];
  const uint32_t group = shape->heads / shape->heads_kv;
  const uint32_t first = first_position(shape, self->layer, r->position);
  const uint32_t end = r->last + 1;
  query in;
  for (uint32_t g = 0; g < group; g++) {
    begin_query(self, row, head_kv * group + g, &in);
    for (uint32_t at = first; at < end; at += BLOCK_POSITIONS) {
      uint32_t stop = at + BLOCK_POSITIONS < end ? at + BLOCK_POSITIONS : end;
      attend_block(self, r->kv, head_kv, at, stop, &in);
    }
    float inverse = in.state.sum > 0 ? 1.0F / in.state.sum : in.state.sum;
    for (size_t d = 0; d < shape->dim_head; d++) in.out[d] *= inverse;
  }
}

static void attend_chunk(void *context, size_t chunk, size_t thread) {
  const cwi_llm_attention *self = context;
  (void)thread;
  if (self->cancel != NULL && atomic_load_explicit(self->cancel, memory_order_relaxed)) return;
  const size_t tile = chunk / self->shape->heads_kv;
  const uint32_t head_kv = (uint32_t)(chunk % self->shape->heads_kv);
  const size_t end = cwi_size_min(self->len, (tile + 1) * TILE_ROWS);
  for (size_t row = tile * TILE_ROWS; row < end; row++) attend_row(self, row, head_kv);
}

void cwi_llm_attention_run(cwi_llm_attention *self, cwi_llm_pool *pool) {
  const size_t tiles = (self->len + TILE_ROWS - 1) / TILE_ROWS;
  cwi_llm_pool_run(pool, tiles * self->shape->heads_kv, attend_chunk, self);
}
