/* SPDX-License-Identifier: MIT */
/* The forward pass.
 *
 *   x = embedding
 *   each layer:  n = norm(x);  q, k, v = n * W (+ bias);  norm and rotate q, k;  k, v to the cache
 *                x += [norm](attention(q) * Wo)
 *                n = norm(x);  x += [norm]((gate(n * Wg) . (n * Wu)) * Wd)
 *   logits = norm(x) * Wout, for the rows that want them
 *
 * The norms in brackets are gemma's. Each product is one job for the pool, and so is attention;
 * what lies between is done by the caller for a row or two, by the pool for many. */
#include "llm/llm_forward.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/llm_attention.h"
#include "llm/llm_rope.h"

#define ROWS_A_CHUNK 8U

struct cwi_llm_forward {
  const cwi_llm_model *model;
  const cwi_kernel *kernel;
  cwi_llm_pool *pool;
  cwi_llm_matmul matmul;
  uint32_t context;
  size_t rows_max;
  size_t logits_max;
  size_t memory_size;
  float *memory; /* all of what follows */
  float *x;      /* [row][dim]: the residual stream */
  float *n;      /* [row][dim]: normalised */
  float *q;      /* [row][heads * dim_head] */
  float *k;      /* [row][heads_kv * dim_head] */
  float *v;
  float *mix;  /* [row][heads * dim_head]: what attention gives */
  float *gate; /* [row][dim_ff] */
  float *up;
  float *angles; /* [2][row][rope_dims]: of full and of windowed layers */
  float *last;   /* [logits_max][dim]: rows that want logits */
  float *logits; /* [logits_max][vocab] */
  /* the pass under way */
  const cwi_llm_row *rows;
  size_t len;
  const cwi_llm_layer *layer;
  uint32_t layer_index;
};

/* The lengths of the arrays, in the order of the struct, and their sum. */
static size_t layout(const cwi_llm_shape *s, size_t rows, size_t logits, size_t lens[11]) {
  const size_t q = (size_t)s->heads * s->dim_head;
  const size_t kv = (size_t)s->heads_kv * s->dim_head;
  const size_t all[11] = {rows * s->dim,    rows * s->dim,    rows * q,
                          rows * kv,        rows * kv,        rows * q,
                          rows * s->dim_ff, rows * s->dim_ff, 2 * rows * s->rope_dims,
                          logits * s->dim,  logits * s->vocab};
  size_t total = 0;
  for (size_t i = 0; i < 11; i++) {
    lens[i] = (all[i] + 15) / 16 * 16;
    total += lens[i];
  }
  return total;
}

static size_t widest(const cwi_llm_shape *s) {
  return cwi_size_max(cwi_size_max(s->dim, s->dim_ff), (size_t)s->heads * s->dim_head);
}

size_t cwi_llm_forward_size(const cwi_llm_shape *shape, size_t rows_max, size_t logits_max,
                            size_t threads) {
  size_t lens[11];
  return layout(shape, rows_max, logits_max, lens) * sizeof(float) +
         cwi_llm_matmul_size(cwi_size_max(rows_max, logits_max), widest(shape), threads);
}

cw_status cwi_llm_forward_new(const cwi_llm_model *model, cwi_llm_pool *pool, size_t rows_max,
                              size_t logits_max, uint32_t context, cwi_llm_forward **out,
                              cw_error *err) {
  CWI_ASSERT(rows_max > 0);
  cw_status status = CW_OK;
  *out = NULL;
  cwi_llm_forward *self = CWI_NEW(cwi_llm_forward);
  if (self == NULL) return CWI_RAISE_NOMEM(err, "a forward pass");
  self->model = model;
  self->kernel = cwi_kernel_select();
  self->pool = pool;
  self->context = context;
  self->rows_max = rows_max;
  self->logits_max = logits_max;
  size_t lens[11];
  self->memory_size = layout(&model->shape, rows_max, logits_max, lens) * sizeof(float);
  self->memory = cwi_alloc(self->memory_size);
  if (self->memory == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "a forward pass"));
  float **arrays[11] = {&self->x,      &self->n,    &self->q,     &self->k,
                        &self->v,      &self->mix,  &self->gate,  &self->up,
                        &self->angles, &self->last, &self->logits};
  float *next = self->memory;
  for (size_t i = 0; i < 11; i++) {
    *arrays[i] = next;
    next += lens[i];
  }
  CWI_TRY(cwi_llm_matmul_init(&self->matmul, self->kernel, pool, cwi_size_max(rows_max, logits_max),
                              widest(&model->shape), err));
  *out = self;
  self = NULL;

out:
  cwi_llm_forward_free(self);
  return status;
}

void cwi_llm_forward_free(cwi_llm_forward *self) {
  if (self == NULL) return;
  cwi_llm_matmul_deinit(&self->matmul);
  if (self->memory != NULL) cwi_free(self->memory, self->memory_size);
  CWI_FREE(self);
}

/* ---- between the products ---- */

static void rms_norm(const cwi_llm_shape *shape, const cwi_tensor *weight, const float *in,
                     float *out, size_t len) {
  const float *w = (const float *)(const void *)weight->data;
  double squares = 0;
  for (size_t i = 0; i < len; i++) squares += (double)(in[i] * in[i]);
  const float scale = 1.0F / sqrtf((float)(squares / (double)len) + shape->eps);
  for (size_t i = 0; i < len; i++) out[i] = in[i] * scale * w[i];
}

/* A function for one row of the pass. */
typedef void (*row_fn)(cwi_llm_forward *self, size_t row);

typedef struct row_job {
  cwi_llm_forward *self;
  row_fn fn;
} row_job;

static void rows_chunk(void *context, size_t chunk, size_t thread) {
  const row_job *job = context;
  (void)thread;
  const size_t end = cwi_size_min(job->self->len, (chunk + 1) * ROWS_A_CHUNK);
  for (size_t row = chunk * ROWS_A_CHUNK; row < end; row++) job->fn(job->self, row);
}

static void for_each_row(cwi_llm_forward *self, row_fn fn) {
  row_job job = {self, fn};
  cwi_llm_pool_run(self->pool, (self->len + ROWS_A_CHUNK - 1) / ROWS_A_CHUNK, rows_chunk, &job);
}

static void embed_row(cwi_llm_forward *self, size_t row) {
  const cwi_llm_shape *s = &self->model->shape;
  const cwi_tensor *table = &self->model->embedding;
  float *x = self->x + row * s->dim;
  const size_t token = (size_t)self->rows[row].token;
  self->kernel->dequantize(table->type, table->data + token * table->row_size, x, s->dim);
  if (s->embedding_scale != 1.0F) {
    for (size_t i = 0; i < s->dim; i++) x[i] *= s->embedding_scale;
  }
  for (size_t windowed = 0; windowed < (s->window > 0 ? 2U : 1U); windowed++) {
    cwi_llm_rope_angles(self->model, self->context, windowed == 1, self->rows[row].position,
                        self->angles + (windowed * self->rows_max + row) * s->rope_dims);
  }
}

static void attn_norm_row(cwi_llm_forward *self, size_t row) {
  const cwi_llm_shape *s = &self->model->shape;
  rms_norm(s, &self->layer->attn_norm, self->x + row * s->dim, self->n + row * s->dim, s->dim);
}

static void ffn_norm_row(cwi_llm_forward *self, size_t row) {
  const cwi_llm_shape *s = &self->model->shape;
  rms_norm(s, &self->layer->ffn_norm, self->x + row * s->dim, self->n + row * s->dim, s->dim);
}

/* Norms, rotates and stores what the first three products gave. */
static void rotate_row(cwi_llm_forward *self, size_t row) {
  const cwi_llm_shape *s = &self->model->shape;
  const size_t dim = s->dim_head;
  float *q = self->q + row * s->heads * dim;
  float *k = self->k + row * s->heads_kv * dim;
  const float *v = self->v + row * s->heads_kv * dim;
  if (self->layer->norm_q.data != NULL) {
    for (size_t h = 0; h < s->heads; h++) {
      rms_norm(s, &self->layer->norm_q, q + h * dim, q + h * dim, dim);
    }
    for (size_t h = 0; h < s->heads_kv; h++) {
      rms_norm(s, &self->layer->norm_k, k + h * dim, k + h * dim, dim);
    }
  }
  const size_t table = cwi_llm_model_is_windowed(s, self->layer_index) ? self->rows_max : 0;
  const float *angles = self->angles + (table + row) * s->rope_dims;
  cwi_llm_rope_rotate(s, angles, s->heads, q);
  cwi_llm_rope_rotate(s, angles, s->heads_kv, k);
  for (size_t i = 0; i < s->heads * dim; i++) q[i] *= s->attention_scale;
  cwi_llm_kv_put(self->rows[row].kv, self->kernel, self->layer_index, self->rows[row].position, k,
                 v);
}

/* Adds a block's output, which lies in n, to x. */
static void add_row(cwi_llm_forward *self, size_t row, const cwi_tensor *post_norm) {
  const cwi_llm_shape *s = &self->model->shape;
  float *x = self->x + row * s->dim;
  float *n = self->n + row * s->dim;
  if (post_norm->data != NULL) rms_norm(s, post_norm, n, n, s->dim);
  for (size_t i = 0; i < s->dim; i++) x[i] += n[i];
}

static void attn_add_row(cwi_llm_forward *self, size_t row) {
  add_row(self, row, &self->layer->attn_post_norm);
  ffn_norm_row(self, row);
}

static void ffn_add_row(cwi_llm_forward *self, size_t row) {
  add_row(self, row, &self->layer->ffn_post_norm);
}

static void final_norm_row(cwi_llm_forward *self, size_t row) {
  const cwi_llm_shape *s = &self->model->shape;
  rms_norm(s, &self->model->output_norm, self->x + row * s->dim, self->n + row * s->dim, s->dim);
}

/* ---- the pass ---- */

static const float *bias_of(const cwi_tensor *bias) {
  return (const float *)(const void *)bias->data;
}

static void run_attention(cwi_llm_forward *self) {
  const cwi_llm_shape *s = &self->model->shape;
  const cwi_llm_layer *layer = self->layer;
  const size_t q = (size_t)s->heads * s->dim_head;
  const size_t kv = (size_t)s->heads_kv * s->dim_head;
  for_each_row(self, attn_norm_row);
  const cwi_llm_part parts[3] = {{&layer->attn_q, self->q, q, bias_of(&layer->bias_q)},
                                 {&layer->attn_k, self->k, kv, bias_of(&layer->bias_k)},
                                 {&layer->attn_v, self->v, kv, bias_of(&layer->bias_v)}};
  cwi_llm_matmul_run(&self->matmul, self->n, s->dim, self->len, s->dim, parts, 3, NULL);
  for_each_row(self, rotate_row);
  cwi_llm_attention attention = {.shape = s,
                                 .kernel = self->kernel,
                                 .cancel = self->matmul.cancel,
                                 .rows = self->rows,
                                 .len = self->len,
                                 .layer = self->layer_index,
                                 .q = self->q,
                                 .out = self->mix};
  cwi_llm_attention_run(&attention, self->pool);
  const cwi_llm_part out = {&layer->attn_out, self->n, s->dim, bias_of(&layer->bias_out)};
  cwi_llm_matmul_run(&self->matmul, self->mix, q, self->len, q, &out, 1, NULL);
  for_each_row(self, attn_add_row);
}

static void run_ffn(cwi_llm_forward *self) {
  const cwi_llm_shape *s = &self->model->shape;
  const cwi_llm_layer *layer = self->layer;
  const cwi_llm_part parts[2] = {{&layer->ffn_gate, self->gate, s->dim_ff, NULL},
                                 {&layer->ffn_up, self->up, s->dim_ff, NULL}};
  cwi_llm_matmul_run(&self->matmul, self->n, s->dim, self->len, s->dim, parts, 2,
                     s->gelu ? self->kernel->gelu_mul : self->kernel->silu_mul);
  const cwi_llm_part down = {&layer->ffn_down, self->n, s->dim, NULL};
  cwi_llm_matmul_run(&self->matmul, self->gate, s->dim_ff, self->len, s->dim_ff, &down, 1, NULL);
  for_each_row(self, ffn_add_row);
}

static cw_status run_logits(cwi_llm_forward *self, cw_error *err) {
  const cwi_llm_shape *s = &self->model->shape;
  size_t wanted = 0;
  for (size_t row = 0; row < self->len; row++) {
    if (!self->rows[row].wants_logits) continue;
    memcpy(self->last + wanted * s->dim, self->n + row * s->dim, s->dim * sizeof(float));
    wanted++;
  }
  if (wanted == 0) return CW_OK;
  const cwi_llm_part out = {&self->model->output, self->logits, s->vocab, NULL};
  cwi_llm_matmul_run(&self->matmul, self->last, s->dim, wanted, s->dim, &out, 1, NULL);
  bool numbers = true;
  for (size_t i = 0; i < wanted * s->vocab; i++) {
    float *logit = &self->logits[i];
    if (s->logit_cap > 0) *logit = s->logit_cap * tanhf(*logit / s->logit_cap);
    numbers = numbers && isfinite(*logit);
  }
  if (!numbers && !(self->matmul.cancel != NULL && atomic_load(self->matmul.cancel))) {
    return CWI_RAISE(err, CW_E_MODEL, 0,
                     "the model computed something that is not a number: its weights are damaged");
  }
  return CW_OK;
}

static cw_status check_rows(const cwi_llm_forward *self, const cwi_llm_row *rows, size_t len,
                            cw_error *err) {
  size_t wanted = 0;
  for (size_t i = 0; i < len; i++) {
    if (rows[i].token < 0 || (uint32_t)rows[i].token >= self->model->shape.vocab) {
      return CWI_RAISE(err, CW_E_RANGE, 0, "token %d; the vocabulary has 0 to %u", rows[i].token,
                       self->model->shape.vocab - 1);
    }
    CWI_ASSERT(rows[i].last < rows[i].kv->capacity && rows[i].position <= rows[i].last);
    wanted += rows[i].wants_logits ? 1 : 0;
  }
  CWI_ASSERT(len <= self->rows_max && wanted <= self->logits_max);
  return CW_OK;
}

cw_status cwi_llm_forward_run(cwi_llm_forward *self, const cwi_llm_row *rows, size_t len,
                              const _Atomic bool *cancel, cw_error *err) {
  cw_status status = CW_OK;
  CWI_TRY(check_rows(self, rows, len, err));
  self->rows = rows;
  self->len = len;
  self->matmul.cancel = cancel;
  for_each_row(self, embed_row);
  for (uint32_t i = 0; i < self->model->shape.layers; i++) {
    if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed)) break;
    self->layer_index = i;
    self->layer = &self->model->layers[i];
    run_attention(self);
    run_ffn(self);
  }
  for_each_row(self, final_norm_row);
  CWI_TRY(run_logits(self, err));
  if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed)) {
    return CWI_RAISE(err, CW_E_CANCELLED, 0, "cancelled while the model was computing");
  }

out:
  return status;
}

void cwi_llm_forward_poll(cwi_llm_forward *self, void (*poll)(void *), void *context) {
  self->matmul.poll = poll;
  self->matmul.poll_context = context;
}

const float *cwi_llm_forward_logits(const cwi_llm_forward *self, size_t index) {
  CWI_ASSERT(index < self->logits_max);
  return self->logits + index * self->model->shape.vocab;
}

const float *cwi_llm_forward_hidden(const cwi_llm_forward *self, size_t row) {
  CWI_ASSERT(row < self->len);
  return self->n + row * self->model->shape.dim;
}
