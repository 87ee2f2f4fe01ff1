/* SPDX-License-Identifier: MIT */
/* Matrix products.
 *
 * Few tokens (generation): memory is the limit. Activations become int8 blocks once; a chunk is
 * some 64 KiB of weight rows, multiplied with every token while they are in the cache, so that
 * several sequences share one pass over the weights.
 *
 * Many tokens (a prompt): arithmetic is the limit. A chunk is a tile of ROWS_TILE weight rows. They
 * are turned into floats K_TILE columns at a time and multiplied with panels of 16 tokens; a
 * panel's slice stays in the first cache while the tile's rows pass by, the tile in the second.
 * Weights are so unpacked once for all tokens, and never kept. */
#include "llm/llm_matmul.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/size.h"

#define ROWS_TILE (8 * CWI_KERNEL_ROWS)
#define K_TILE 512U   /* columns of a tile of floats */
#define PANEL_K 2048U /* columns of a tile of bytes */
#define TILE_BYTES (ROWS_TILE / CWI_KERNEL_PANEL_ROWS * (PANEL_K / 32U) * sizeof(cwi_kernel_panel))
#define CHUNK_BYTES (64U * 1024U)
#define TOKENS_BATCH_MIN 24 /* from here on tiles are faster than rows */
#define TOKENS_PANEL_MIN 6  /* the same where all weights can be bytes */

_Static_assert(ROWS_TILE % CWI_KERNEL_PANEL_ROWS == 0, "a tile is whole panels");
_Static_assert(ROWS_TILE *K_TILE * sizeof(float) <= TILE_BYTES, "a tile of floats fits as well");

typedef struct job {
  cwi_llm_matmul *self;
  const float *x;
  size_t x_stride;
  size_t tokens;
  size_t cols;
  const cwi_llm_part *parts;
  size_t parts_len;
  size_t step[CWI_LLM_MATMUL_PARTS_MAX];   /* rows a chunk */
  size_t chunks[CWI_LLM_MATMUL_PARTS_MAX]; /* of each part */
  void (*gate)(float *, const float *, size_t);
} job;

static size_t padded(size_t tokens) {
  return (tokens + CWI_KERNEL_TOKENS - 1) / CWI_KERNEL_TOKENS * CWI_KERNEL_TOKENS;
}

/* Floats of scratch a thread needs: the tile of weights and the sums for it. */
static size_t tile_len(size_t tokens_max) {
  return TILE_BYTES / sizeof(float) + ROWS_TILE * padded(tokens_max);
}

static bool is_cancelled(const cwi_llm_matmul *self) {
  return self->cancel != NULL && atomic_load_explicit(self->cancel, memory_order_relaxed);
}

static void poll(const cwi_llm_matmul *self, size_t thread) {
  if (thread == 0 && self->poll != NULL) self->poll(self->poll_context);
}

size_t cwi_llm_matmul_size(size_t tokens_max, size_t cols_max, size_t threads) {
  size_t panels = tokens_max < TOKENS_BATCH_MIN ? 0 : padded(tokens_max) * cols_max;
  size_t tiles = tokens_max < TOKENS_PANEL_MIN ? 0 : threads * tile_len(tokens_max);
  size_t blocks = tokens_max * cols_max / 32;
  return (panels + tiles) * sizeof(float) + blocks * (32 + 2 * sizeof(float) + 4);
}

cw_status cwi_llm_matmul_init(cwi_llm_matmul *self, const cwi_kernel *kernel, cwi_llm_pool *pool,
                              size_t tokens_max, size_t cols_max, cw_error *err) {
  CWI_ASSERT(cols_max % 32 == 0);
  const size_t len = tokens_max * cols_max;
  *self = (cwi_llm_matmul){
      .kernel = kernel, .pool = pool, .tokens_max = tokens_max, .cols_max = cols_max};
  if (tokens_max >= TOKENS_BATCH_MIN) {
    self->panels_size = padded(tokens_max) * cols_max * sizeof(float);
    self->panels = cwi_alloc(self->panels_size);
  }
  if (tokens_max >= TOKENS_PANEL_MIN) {
    self->tiles_size = cwi_llm_pool_threads(pool) * tile_len(tokens_max) * sizeof(float);
    self->tiles = cwi_alloc(self->tiles_size);
  }
  self->q = cwi_alloc(len);
  self->d = cwi_alloc(len / 32 * sizeof(float));
  self->sum = cwi_alloc(len / 32 * sizeof(float));
  self->sum16 = cwi_alloc(len / 16 * sizeof(int16_t));
  if (self->q == NULL || self->d == NULL || self->sum == NULL || self->sum16 == NULL ||
      (self->panels_size > 0 && self->panels == NULL) ||
      (self->tiles_size > 0 && self->tiles == NULL)) {
    cwi_llm_matmul_deinit(self);
    return CWI_RAISE_NOMEM(err, "matrix products");
  }
  return CW_OK;
}

void cwi_llm_matmul_deinit(cwi_llm_matmul *self) {
  const size_t len = self->tokens_max * self->cols_max;
  if (self->panels != NULL) cwi_free(self->panels, self->panels_size);
  if (self->tiles != NULL) cwi_free(self->tiles, self->tiles_size);
  if (self->q != NULL) cwi_free(self->q, len);
  if (self->d != NULL) cwi_free(self->d, len / 32 * sizeof(float));
  if (self->sum != NULL) cwi_free(self->sum, len / 32 * sizeof(float));
  if (self->sum16 != NULL) cwi_free(self->sum16, len / 16 * sizeof(int16_t));
  *self = (cwi_llm_matmul){0};
}

/* Finds the part and the rows of a chunk. With a gate both parts are done by the same chunk. */
static const cwi_llm_part *locate(const job *j, size_t chunk, size_t *first, size_t *len) {
  size_t p = 0;
  while (chunk >= j->chunks[p]) chunk -= j->chunks[p++];
  CWI_ASSERT(p < j->parts_len);
  *first = chunk * j->step[p];
  *len = cwi_size_min(j->step[p], j->parts[p].w->rows - *first);
  return &j->parts[p];
}

static void add_bias(const cwi_llm_part *part, size_t token, size_t first, size_t len) {
  if (part->bias == NULL) return;
  float *y = part->y + token * part->stride;
  for (size_t r = first; r < first + len; r++) y[r] += part->bias[r];
}

static void apply_gate(const job *j, size_t first, size_t len) {
  if (j->gate == NULL) return;
  for (size_t t = 0; t < j->tokens; t++) {
    j->gate(j->parts[0].y + t * j->parts[0].stride + first,
            j->parts[1].y + t * j->parts[1].stride + first, len);
  }
}

/* ---- few tokens ---- */

static cwi_activation activation_of(const job *j, size_t token) {
  const cwi_llm_matmul *self = j->self;
  return (cwi_activation){.f = j->x + token * j->x_stride,
                          .q = self->q + token * j->cols,
                          .d = self->d + token * (j->cols / 32),
                          .sum = self->sum + token * (j->cols / 32),
                          .sum16 = self->sum16 + token * (j->cols / 16)};
}

static void multiply_rows(const job *j, const cwi_llm_part *part, size_t first, size_t len) {
  const cwi_tensor *w = part->w;
  cwi_kernel_rows_fn rows = cwi_kernel_rows_of(j->self->kernel, w->type);
  for (size_t t = 0; t < j->tokens; t++) {
    cwi_activation x = activation_of(j, t);
    rows(j->cols, w->data + first * w->row_size, w->row_size, len, &x,
         part->y + t * part->stride + first);
    add_bias(part, t, first, len);
  }
}

static void rows_chunk(void *context, size_t chunk, size_t thread) {
  const job *j = context;
  poll(j->self, thread);
  if (is_cancelled(j->self)) return;
  size_t first = 0;
  size_t len = 0;
  const cwi_llm_part *part = locate(j, chunk, &first, &len);
  multiply_rows(j, part, first, len);
  if (j->gate != NULL) multiply_rows(j, &j->parts[1], first, len);
  apply_gate(j, first, len);
}

static void quantize_chunk(void *context, size_t token, size_t thread) {
  const job *j = context;
  const cwi_llm_matmul *self = j->self;
  (void)thread;
  self->kernel->quantize(j->x + token * j->x_stride, j->cols, self->q + token * j->cols,
                         self->d + token * (j->cols / 32), self->sum + token * (j->cols / 32),
                         self->sum16 + token * (j->cols / 16));
}

/* ---- many tokens, weights as bytes ---- */

static bool as_panels(const cwi_llm_matmul *self, const cwi_tensor *w) {
  return (self->kernel->panel_types >> w->type & 1) != 0;
}

/* The tile's rows are packed PANEL_K columns at a time, and meet all tokens. */
static void multiply_panels(const job *j, const cwi_llm_part *part, size_t first, size_t len,
                            float *tile) {
  const cwi_tensor *w = part->w;
  const cwi_kernel *kernel = j->self->kernel;
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(w->type);
  cwi_kernel_panel *panels = (cwi_kernel_panel *)(void *)tile;
  float *sums = tile + TILE_BYTES / sizeof(float); /* [token][ROWS_TILE] */
  const size_t groups = (len + CWI_KERNEL_PANEL_ROWS - 1) / CWI_KERNEL_PANEL_ROWS;
  memset(sums, 0, j->tokens * ROWS_TILE * sizeof(float));
  for (size_t k = 0; k < j->cols && !is_cancelled(j->self); k += PANEL_K) {
    const size_t part_k = cwi_size_min(PANEL_K, j->cols - k);
    const size_t blocks = part_k / 32;
    const uint8_t *rows =
        w->data + first * w->row_size + k / traits->block_len * traits->block_size;
    for (size_t g = 0; g < groups; g++) {
      const size_t row = g * CWI_KERNEL_PANEL_ROWS;
      kernel->pack(w->type, rows + row * w->row_size, w->row_size,
                   cwi_size_min(CWI_KERNEL_PANEL_ROWS, len - row), part_k, panels + g * blocks);
    }
    for (size_t t = 0; t < j->tokens; t += CWI_KERNEL_PANEL_TOKENS) {
      cwi_activation x = activation_of(j, t);
      x.q += k;
      x.d += k / 32;
      x.sum += k / 32;
      x.sum16 += k / 16;
      for (size_t g = 0; g < groups; g++) {
        kernel->gemm_panels(w->type, panels + g * blocks, blocks, &x, j->cols,
                            cwi_size_min(CWI_KERNEL_PANEL_TOKENS, j->tokens - t),
                            sums + t * ROWS_TILE + g * CWI_KERNEL_PANEL_ROWS, ROWS_TILE);
      }
    }
  }
  for (size_t t = 0; t < j->tokens; t++) {
    memcpy(part->y + t * part->stride + first, sums + t * ROWS_TILE, len * sizeof(float));
    add_bias(part, t, first, len);
  }
}

/* ---- many tokens, weights as floats ---- */

static void pack_chunk(void *context, size_t group, size_t thread) {
  const job *j = context;
  (void)thread;
  const size_t first = group * CWI_KERNEL_TOKENS;
  const size_t len = cwi_size_min(CWI_KERNEL_TOKENS, j->tokens - first);
  float *out = j->self->panels + first * j->cols;
  for (size_t t = 0; t < CWI_KERNEL_TOKENS; t++) {
    const float *in = j->x + (first + t) * j->x_stride;
    for (size_t k = 0; k < j->cols; k++) out[k * CWI_KERNEL_TOKENS + t] = t < len ? in[k] : 0;
  }
}

static void multiply_tile(const job *j, const cwi_llm_part *part, size_t first, size_t len,
                          float *tile) {
  const cwi_tensor *w = part->w;
  const cwi_kernel *kernel = j->self->kernel;
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(w->type);
  const size_t tokens = padded(j->tokens);
  float *sums = tile + TILE_BYTES / sizeof(float); /* [row][token] */
  if (as_panels(j->self, w)) {
    multiply_panels(j, part, first, len, tile);
    return;
  }
  memset(sums, 0, ROWS_TILE * tokens * sizeof(float));
  for (size_t k = 0; k < j->cols && !is_cancelled(j->self); k += K_TILE) {
    const size_t part_k = cwi_size_min(K_TILE, j->cols - k);
    for (size_t r = 0; r < len; r++) {
      const uint8_t *row = w->data + (first + r) * w->row_size;
      kernel->dequantize(w->type, row + k / traits->block_len * traits->block_size,
                         tile + r * K_TILE, part_k);
    }
    for (size_t t = 0; t < tokens; t += CWI_KERNEL_TOKENS) {
      const float *panel = j->self->panels + t * j->cols + k * CWI_KERNEL_TOKENS;
      for (size_t r = 0; r < len; r += CWI_KERNEL_ROWS) {
        kernel->gemm(part_k, tile + r * K_TILE, K_TILE, panel, sums + r * tokens + t, tokens);
      }
    }
  }
  for (size_t t = 0; t < j->tokens; t++) {
    float *y = part->y + t * part->stride + first;
    for (size_t r = 0; r < len; r++) y[r] = sums[r * tokens + t];
    add_bias(part, t, first, len);
  }
}

static void tile_chunk(void *context, size_t chunk, size_t thread) {
  const job *j = context;
  poll(j->self, thread);
  if (is_cancelled(j->self)) return;
  float *tile = j->self->tiles + thread * tile_len(j->self->tokens_max);
  size_t first = 0;
  size_t len = 0;
  const cwi_llm_part *part = locate(j, chunk, &first, &len);
  if (len % CWI_KERNEL_ROWS != 0) memset(tile, 0, ROWS_TILE * (size_t)K_TILE * sizeof(float));
  multiply_tile(j, part, first, len, tile);
  if (j->gate != NULL) multiply_tile(j, &j->parts[1], first, len, tile);
  apply_gate(j, first, len);
}

/* Returns the number of chunks that the parts are cut into. */
static size_t cut(job *j, bool tiles) {
  size_t total = 0;
  for (size_t p = 0; p < j->parts_len; p++) {
    const cwi_tensor *w = j->parts[p].w;
    size_t rows = cwi_size_max(8, CHUNK_BYTES / w->row_size);
    j->step[p] = tiles ? ROWS_TILE : rows;
    j->chunks[p] = j->gate != NULL && p > 0 ? 0 : (w->rows + j->step[p] - 1) / j->step[p];
    total += j->chunks[p];
  }
  return total;
}

void cwi_llm_matmul_run(cwi_llm_matmul *self, const float *x, size_t x_stride, size_t tokens,
                        size_t cols, const cwi_llm_part *parts, size_t parts_len,
                        void (*gate)(float *, const float *, size_t)) {
  CWI_ASSERT(tokens <= self->tokens_max && cols <= self->cols_max);
  CWI_ASSERT(parts_len <= CWI_LLM_MATMUL_PARTS_MAX);
  CWI_ASSERT(gate == NULL || (parts_len == 2 && parts[0].w->rows == parts[1].w->rows));
  job j = {.self = self,
           .x = x,
           .x_stride = x_stride,
           .tokens = tokens,
           .cols = cols,
           .parts = parts,
           .parts_len = parts_len,
           .gate = gate};
  bool floats = false;
  bool bytes = false;
  for (size_t p = 0; p < parts_len; p++) {
    if (as_panels(self, parts[p].w)) {
      bytes = true;
    } else {
      floats = true;
    }
  }
  if (tokens < (floats ? TOKENS_BATCH_MIN : TOKENS_PANEL_MIN)) {
    for (size_t t = 0; t < tokens; t++) quantize_chunk(&j, t, 0);
    cwi_llm_pool_run(self->pool, cut(&j, false), rows_chunk, &j);
  } else {
    if (bytes) cwi_llm_pool_run(self->pool, tokens, quantize_chunk, &j);
    if (floats) {
      cwi_llm_pool_run(self->pool, padded(tokens) / CWI_KERNEL_TOKENS, pack_chunk, &j);
    }
    cwi_llm_pool_run(self->pool, cut(&j, true), tile_chunk, &j);
  }
}
