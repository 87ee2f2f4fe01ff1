/* SPDX-License-Identifier: MIT */
/* Engines and sessions: a model ready to compute, and sequences of tokens that are computed with
 * it.
 *
 * An engine may be used from any thread; its passes run one at a time. A session is used by one
 * thread at a time. Sessions are freed before their engine. */
#ifndef LLM_SESSION_H
#define LLM_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "core/buf.h"
#include "llm/llm_forward.h"

#define CWI_LLM_MICRO_BATCH 256U /* rows of a prompt that are computed at once */
#define CWI_LLM_SEQUENCES_MAX 32U
#define CWI_LLM_CONTEXT_DEFAULT 2048U
#define CWI_LLM_CONTEXT_MAX (1U << 22)

typedef struct cwi_llm_engine cwi_llm_engine;
typedef struct cwi_llm_session cwi_llm_session;

/* NULL where options are asked for means all zero: the defaults. */
typedef struct cwi_llm_engine_options {
  size_t threads; /* 0: as many as CPUs, at most 8 */
  bool background;
  cwi_gguf_access access;
  uint64_t memory_max; /* of model, caches and buffers together; 0: no limit */
  uint32_t context;    /* 0: 2048; a session may ask for less or more */
} cwi_llm_engine_options;

typedef struct cwi_llm_session_options {
  uint32_t context;   /* 0: the engine's */
  cwi_tensor_type kv; /* 0: F16; or Q8_0 */
} cwi_llm_session_options;

/* What the engine holds, in bytes. */
typedef struct cwi_llm_memory {
  uint64_t model;   /* mapped or read */
  uint64_t kv;      /* caches of all sessions */
  uint64_t buffers; /* everything else */
  uint64_t max;     /* 0: no limit */
} cwi_llm_memory;

typedef enum cwi_llm_pooling {
  CWI_LLM_POOL_MEAN,
  CWI_LLM_POOL_FIRST,
  CWI_LLM_POOL_LAST
} cwi_llm_pooling;

/* Errors: those of cwi_llm_model_open(); CW_E_LIMIT the memory limit, before anything is
 * allocated. */
cw_status cwi_llm_engine_open(const char *path, const cwi_llm_engine_options *options,
                              cwi_llm_engine **out, cw_error *err);
/* No session may be left; NULL is allowed. */
void cwi_llm_engine_free(cwi_llm_engine *engine);

const cwi_llm_model *cwi_llm_engine_model(const cwi_llm_engine *engine);
const cwi_llm_shape *cwi_llm_engine_shape(const cwi_llm_engine *engine);
cwi_llm_memory cwi_llm_engine_memory(cwi_llm_engine *engine);
const char *cwi_llm_engine_kernel(const cwi_llm_engine *engine);
size_t cwi_llm_engine_threads(const cwi_llm_engine *engine);

/* Has `poll` called every millisecond or so while sessions compute, on the thread that runs them: a
 * place to look for reasons to cancel. NULL: nothing. Not while another thread computes. */
void cwi_llm_engine_poll(cwi_llm_engine *engine, void (*poll)(void *), void *context);

/* Computes the L2-normalised embedding ([dim] floats) of a text: every token attends to all others.
 * Errors: CW_E_LIMIT more tokens than CWI_LLM_EMBED_MAX; CW_E_INVALID none; CW_E_CANCELLED */
#define CWI_LLM_EMBED_MAX 2048U
cw_status cwi_llm_engine_embed(cwi_llm_engine *engine, const int32_t *tokens, size_t len,
                               cwi_llm_pooling pooling, const _Atomic bool *cancel, float *out,
                               cw_error *err);

/* Errors: CW_E_LIMIT the memory limit; CW_E_INVALID; CW_E_NOMEM */
cw_status cwi_llm_session_new(cwi_llm_engine *engine, const cwi_llm_session_options *options,
                              cwi_llm_session **out, cw_error *err);
void cwi_llm_session_free(cwi_llm_session *session);

/* Makes the session's text `tokens` and computes what comes next. What the session holds already
 * and is the same from the start on is not computed again. After an error the session holds what
 * was computed, and goes on to work. Errors: CW_E_LIMIT longer than the context; CW_E_CANCELLED
 * (within milliseconds); CW_E_INVALID no tokens; CW_E_RANGE; CW_E_MODEL */
cw_status cwi_llm_session_prompt(cwi_llm_session *session, const int32_t *tokens, size_t len,
                                 const _Atomic bool *cancel, cw_error *err);

/* Appends one token and computes what comes next. Errors: as above. */
cw_status cwi_llm_session_append(cwi_llm_session *session, int32_t token,
                                 const _Atomic bool *cancel, cw_error *err);

/* Appends a token to each of `len` different sessions of one engine, in one pass over the
 * weights. */
cw_status cwi_llm_session_append_all(cwi_llm_session *const *sessions, const int32_t *tokens,
                                     size_t len, const _Atomic bool *cancel, cw_error *err);

/* Forgets all but the first `len` tokens; logits are gone until something is computed. */
void cwi_llm_session_truncate(cwi_llm_session *session, size_t len);

/* The logits ([vocab]) of what comes next, or NULL where nothing is computed. Valid, and writable
 * by samplers, until the session computes again. */
float *cwi_llm_session_logits(cwi_llm_session *session);
uint32_t cwi_llm_session_vocab(const cwi_llm_session *session);
uint32_t cwi_llm_session_context(const cwi_llm_session *session);

/* The tokens held. */
const int32_t *cwi_llm_session_tokens(const cwi_llm_session *session, size_t *len);

/* How many tokens of the last prompt were there already. */
size_t cwi_llm_session_reused(const cwi_llm_session *session);

/* Appends the session's tokens and cache to `out`, and puts them back. Errors: CW_E_CORRUPT,
 * CW_E_TRUNCATED, CW_E_VERSION, CW_E_INVALID of another model or cache type, CW_E_LIMIT longer than
 * this context; then the session is empty. */
cw_status cwi_llm_session_save(const cwi_llm_session *session, cwi_buf *out, cw_error *err);
cw_status cwi_llm_session_restore(cwi_llm_session *session, const void *data, size_t size,
                                  cw_error *err);

#endif
