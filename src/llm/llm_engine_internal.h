/* SPDX-License-Identifier: MIT */
/* What llm_engine.c and llm_session.c share. */
#ifndef LLM_ENGINE_INTERNAL_H
#define LLM_ENGINE_INTERNAL_H

#include <pthread.h>

#include "llm/llm_session.h"

struct cwi_llm_engine {
  cwi_llm_model *model;
  cwi_llm_pool *pool;
  cwi_llm_forward *forward; /* [lock] */
  pthread_mutex_t lock;     /* one pass at a time; also guards what follows */
  uint64_t kv_bytes;        /* [lock] */
  uint64_t buffer_bytes;    /* [lock] */
  uint64_t memory_max;
  uint32_t context;
};

struct cwi_llm_session {
  cwi_llm_engine *engine;
  cwi_llm_kv *kv;
  int32_t *tokens; /* [context] */
  size_t len;
  float *logits; /* [vocab] */
  bool has_logits;
  size_t reused;
  uint32_t context;
  uint64_t kv_size;
};

/* Books `kv` and `buffers` bytes, or gives CW_E_LIMIT where they are too many; unbooks them. */
cw_status cwi_llm_engine_book(cwi_llm_engine *engine, uint64_t kv, uint64_t buffers, cw_error *err);
void cwi_llm_engine_unbook(cwi_llm_engine *engine, uint64_t kv, uint64_t buffers);

#endif
