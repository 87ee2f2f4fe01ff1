/* SPDX-License-Identifier: MIT */
/* Engines: a model, its threads, the buffers of a pass, and the count of memory.
 *
 * Memory is counted before it is taken: what would pass the limit is refused with the figures in
 * the message, and nothing has been allocated then. A mapped model counts in full, since generation
 * touches all of it. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/llm_engine_internal.h"

#define MEGABYTE 1000000.0

cw_status cwi_llm_engine_book(cwi_llm_engine *engine, uint64_t kv, uint64_t buffers,
                              cw_error *err) {
  cw_status status = CW_OK;
  (void)pthread_mutex_lock(&engine->lock);
  const uint64_t held = engine->model->gguf->size + engine->kv_bytes + engine->buffer_bytes;
  if (engine->memory_max != 0 &&
      (held > engine->memory_max || kv + buffers > engine->memory_max - held)) {
    status = CWI_RAISE(err, CW_E_LIMIT, 0,
                       "%.1f MB more on top of %.1f MB pass the memory limit of %.1f MB; ask for a "
                       "smaller context or raise memory_max",
                       (double)(kv + buffers) / MEGABYTE, (double)held / MEGABYTE,
                       (double)engine->memory_max / MEGABYTE);
  } else {
    engine->kv_bytes += kv;
    engine->buffer_bytes += buffers;
  }
  (void)pthread_mutex_unlock(&engine->lock);
  return status;
}

void cwi_llm_engine_unbook(cwi_llm_engine *engine, uint64_t kv, uint64_t buffers) {
  (void)pthread_mutex_lock(&engine->lock);
  CWI_ASSERT(engine->kv_bytes >= kv && engine->buffer_bytes >= buffers);
  engine->kv_bytes -= kv;
  engine->buffer_bytes -= buffers;
  (void)pthread_mutex_unlock(&engine->lock);
}

cw_status cwi_llm_engine_open(const char *path, const cwi_llm_engine_options *options,
                              cwi_llm_engine **out, cw_error *err) {
  static const cwi_llm_engine_options defaults = {0};
  cw_status status = CW_OK;
  const cwi_llm_engine_options *o = options != NULL ? options : &defaults;
  *out = NULL;
  cwi_llm_engine *engine = CWI_NEW(cwi_llm_engine);
  if (engine == NULL) return CWI_RAISE_NOMEM(err, "an engine");
  (void)pthread_mutex_init(&engine->lock, NULL);
  engine->memory_max = o->memory_max;
  engine->context = o->context != 0 ? o->context : CWI_LLM_CONTEXT_DEFAULT;
  CWI_TRY(cwi_llm_model_open(path, o->access, &engine->model, err));
  CWI_TRY(cwi_llm_pool_new(o->threads, o->background, &engine->pool, err));
  CWI_TRY(cwi_llm_engine_book(
      engine, 0,
      cwi_llm_forward_size(&engine->model->shape, CWI_LLM_MICRO_BATCH, CWI_LLM_SEQUENCES_MAX,
                           cwi_llm_pool_threads(engine->pool)),
      err));
  CWI_TRY(cwi_llm_forward_new(engine->model, engine->pool, CWI_LLM_MICRO_BATCH,
                              CWI_LLM_SEQUENCES_MAX, engine->context, &engine->forward, err));
  *out = engine;
  engine = NULL;

out:
  cwi_llm_engine_free(engine);
  return status;
}

void cwi_llm_engine_free(cwi_llm_engine *engine) {
  if (engine == NULL) return;
  CWI_ASSERT(engine->kv_bytes == 0);
  cwi_llm_forward_free(engine->forward);
  cwi_llm_pool_free(engine->pool);
  cwi_llm_model_free(engine->model);
  (void)pthread_mutex_destroy(&engine->lock);
  CWI_FREE(engine);
}

const cwi_llm_model *cwi_llm_engine_model(const cwi_llm_engine *engine) { return engine->model; }

const cwi_llm_shape *cwi_llm_engine_shape(const cwi_llm_engine *engine) {
  return &engine->model->shape;
}

const char *cwi_llm_engine_kernel(const cwi_llm_engine *engine) {
  (void)engine;
  return cwi_kernel_select()->name;
}

size_t cwi_llm_engine_threads(const cwi_llm_engine *engine) {
  return cwi_llm_pool_threads(engine->pool);
}

cwi_llm_memory cwi_llm_engine_memory(cwi_llm_engine *engine) {
  (void)pthread_mutex_lock(&engine->lock);
  const cwi_llm_memory memory = {.model = engine->model->gguf->size,
                                 .kv = engine->kv_bytes,
                                 .buffers = engine->buffer_bytes,
                                 .max = engine->memory_max};
  (void)pthread_mutex_unlock(&engine->lock);
  return memory;
}

void cwi_llm_engine_poll(cwi_llm_engine *engine, void (*poll)(void *), void *context) {
  cwi_llm_forward_poll(engine->forward, poll, context);
}

/* ---- embeddings ---- */

/* A pass of their own size, since every token attends to all others. */
typedef struct embedding {
  cwi_llm_kv *kv;
  cwi_llm_forward *forward;
  cwi_llm_row *rows;
  size_t len;
  uint64_t kv_size;
  uint64_t buffers_size;
} embedding;

static cw_status begin_embedding(cwi_llm_engine *engine, const int32_t *tokens, embedding *e,
                                 cw_error *err) {
  cw_status status = CW_OK;
  const cwi_llm_shape *shape = &engine->model->shape;
  const uint64_t kv = cwi_llm_kv_size(shape, CWI_TENSOR_F16, (uint32_t)e->len);
  const uint64_t buffers =
      cwi_llm_forward_size(shape, e->len, 1, cwi_llm_pool_threads(engine->pool));
  CWI_TRY(cwi_llm_engine_book(engine, kv, buffers, err));
  e->kv_size = kv;
  e->buffers_size = buffers;
  CWI_TRY(cwi_llm_kv_new(shape, CWI_TENSOR_F16, (uint32_t)e->len, &e->kv, err));
  CWI_TRY(cwi_llm_forward_new(engine->model, engine->pool, e->len, 1, engine->context, &e->forward,
                              err));
  e->rows = cwi_alloc_array(e->len, sizeof(*e->rows));
  if (e->rows == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "an embedding"));
  for (size_t i = 0; i < e->len; i++) {
    e->rows[i] = (cwi_llm_row){
        .token = tokens[i], .position = (uint32_t)i, .last = (uint32_t)e->len - 1, .kv = e->kv};
  }

out:
  return status;
}

static void end_embedding(cwi_llm_engine *engine, embedding *e) {
  if (e->rows != NULL) cwi_free(e->rows, e->len * sizeof(*e->rows));
  cwi_llm_forward_free(e->forward);
  cwi_llm_kv_free(e->kv);
  cwi_llm_engine_unbook(engine, e->kv_size, e->buffers_size);
}

static cw_status pool_states(const embedding *e, cwi_llm_pooling pooling, size_t dim, float *out,
                             cw_error *err) {
  const size_t first = pooling == CWI_LLM_POOL_LAST ? e->len - 1 : 0;
  const size_t end = pooling == CWI_LLM_POOL_FIRST ? 1 : e->len;
  double squares = 0;
  for (size_t d = 0; d < dim; d++) {
    double sum = 0;
    for (size_t i = first; i < end; i++) sum += (double)cwi_llm_forward_hidden(e->forward, i)[d];
    out[d] = (float)(sum / (double)(end - first));
    squares += (double)out[d] * (double)out[d];
  }
  if (!isfinite(squares)) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "the embedding is not a number: the weights are damaged");
  }
  const float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
  for (size_t d = 0; d < dim; d++) out[d] *= inverse;
  return CW_OK;
}

cw_status cwi_llm_engine_embed(cwi_llm_engine *engine, const int32_t *tokens, size_t len,
                               cwi_llm_pooling pooling, const _Atomic bool *cancel, float *out,
                               cw_error *err) {
  cw_status status = CW_OK;
  embedding e = {.len = len};
  if (len == 0) return CWI_RAISE(err, CW_E_INVALID, 0, "nothing to embed");
  if (len > CWI_LLM_EMBED_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "%zu tokens to embed; at most %u: embed it in parts", len,
                     CWI_LLM_EMBED_MAX);
  }
  CWI_TRY(begin_embedding(engine, tokens, &e, err));
  (void)pthread_mutex_lock(&engine->lock); /* the pool takes one job at a time */
  status = cwi_llm_forward_run(e.forward, e.rows, len, cancel, err);
  (void)pthread_mutex_unlock(&engine->lock);
  if (status == CW_OK) status = pool_states(&e, pooling, engine->model->shape.dim, out, err);

out:
  end_embedding(engine, &e);
  return status;
}
