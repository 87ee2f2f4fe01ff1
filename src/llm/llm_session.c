/* SPDX-License-Identifier: MIT */
/* Sessions: the tokens of a sequence, their keys and values, and the logits of what comes next.
 *
 * Invariant: the cache holds exactly `len` positions, those of `tokens`. A pass that fails or is
 * cancelled leaves positions behind `len` in the cache, which the next pass overwrites.
 *
 * A saved session is a header (magic, version, what the cache's layout depends on, a fingerprint of
 * the model), the tokens, and for every layer and head the keys, then the values, of all
 * positions. */
#include "llm/llm_session.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/llm_engine_internal.h"

#define SAVE_MAGIC 0x534B5743U /* "CWKS" */
#define SAVE_VERSION 1U

cw_status cwi_llm_session_new(cwi_llm_engine *engine, const cwi_llm_session_options *options,
                              cwi_llm_session **out, cw_error *err) {
  static const cwi_llm_session_options defaults = {0};
  cw_status status = CW_OK;
  const cwi_llm_session_options *o = options != NULL ? options : &defaults;
  const cwi_llm_shape *shape = &engine->model->shape;
  const uint32_t context = o->context != 0 ? o->context : engine->context;
  const cwi_tensor_type type = o->kv == CWI_TENSOR_F32 ? CWI_TENSOR_F16 : o->kv;
  *out = NULL;
  if (context > CWI_LLM_CONTEXT_MAX || (type != CWI_TENSOR_F16 && type != CWI_TENSOR_Q8_0)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a context of 1 to %u and a cache of F16 or Q8_0",
                     CWI_LLM_CONTEXT_MAX);
  }
  cwi_llm_session *session = CWI_NEW(cwi_llm_session);
  if (session == NULL) return CWI_RAISE_NOMEM(err, "a session");
  session->engine = engine;
  session->context = context;
  const uint64_t size = cwi_llm_kv_size(shape, type, context);
  CWI_TRY(cwi_llm_engine_book(engine, size, 0, err));
  session->kv_size = size;
  CWI_TRY(cwi_llm_kv_new(shape, type, context, &session->kv, err));
  session->tokens = cwi_alloc_array(context, sizeof(*session->tokens));
  session->logits = cwi_alloc_array(shape->vocab, sizeof(*session->logits));
  if (session->tokens == NULL || session->logits == NULL) {
    CWI_TRY(CWI_RAISE_NOMEM(err, "a session"));
  }
  *out = session;
  session = NULL;

out:
  cwi_llm_session_free(session);
  return status;
}

void cwi_llm_session_free(cwi_llm_session *session) {
  if (session == NULL) return;
  cwi_llm_kv_free(session->kv);
  if (session->kv_size > 0) cwi_llm_engine_unbook(session->engine, session->kv_size, 0);
  if (session->tokens != NULL) cwi_free(session->tokens, session->context * sizeof(int32_t));
  if (session->logits != NULL) {
    cwi_free(session->logits, session->engine->model->shape.vocab * sizeof(float));
  }
  CWI_FREE(session);
}

/* Runs a pass and copies the logits of the rows that wanted them to `to`, in order. */
static cw_status run_pass(cwi_llm_engine *engine, const cwi_llm_row *rows, size_t len,
                          const _Atomic bool *cancel, float *const *to, size_t to_len,
                          cw_error *err) {
  (void)pthread_mutex_lock(&engine->lock);
  cw_status status = cwi_llm_forward_run(engine->forward, rows, len, cancel, err);
  for (size_t i = 0; status == CW_OK && i < to_len; i++) {
    memcpy(to[i], cwi_llm_forward_logits(engine->forward, i),
           engine->model->shape.vocab * sizeof(float));
  }
  (void)pthread_mutex_unlock(&engine->lock);
  return status;
}

/* Computes tokens [session->len, len), which lie in `tokens`. */
static cw_status evaluate(cwi_llm_session *session, const int32_t *tokens, size_t len,
                          const _Atomic bool *cancel, cw_error *err) {
  cw_status status = CW_OK;
  cwi_llm_row rows[CWI_LLM_MICRO_BATCH];
  session->has_logits = false;
  while (session->len < len && status == CW_OK) {
    const size_t first = session->len;
    const size_t part = cwi_size_min(CWI_LLM_MICRO_BATCH, len - first);
    const bool is_last = first + part == len;
    for (size_t i = 0; i < part; i++) {
      rows[i] = (cwi_llm_row){.token = tokens[first + i],
                              .position = (uint32_t)(first + i),
                              .last = (uint32_t)(first + i),
                              .wants_logits = is_last && i + 1 == part,
                              .kv = session->kv};
    }
    status = run_pass(session->engine, rows, part, cancel, &session->logits, is_last ? 1 : 0, err);
    if (status != CW_OK) break;
    memmove(session->tokens + first, tokens + first, part * sizeof(*tokens));
    session->len += part;
    session->kv->len = (uint32_t)session->len;
  }
  session->has_logits = status == CW_OK;
  return status;
}

cw_status cwi_llm_session_prompt(cwi_llm_session *session, const int32_t *tokens, size_t len,
                                 const _Atomic bool *cancel, cw_error *err) {
  if (len == 0) return CWI_RAISE(err, CW_E_INVALID, 0, "an empty prompt");
  if (len > session->context) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "%zu tokens do not fit into a context of %u", len,
                     session->context);
  }
  size_t same = 0;
  while (same < session->len && same < len && session->tokens[same] == tokens[same]) same++;
  /* The last token is computed in any case: its logits are wanted. */
  cwi_llm_session_truncate(session, same == len ? len - 1 : same);
  session->reused = session->len;
  return evaluate(session, tokens, len, cancel, err);
}

static cw_status check_room(const cwi_llm_session *session, cw_error *err) {
  if (session->len < session->context) return CW_OK;
  return CWI_RAISE(err, CW_E_LIMIT, 0, "the context of %u tokens is full", session->context);
}

cw_status cwi_llm_session_append(cwi_llm_session *session, int32_t token,
                                 const _Atomic bool *cancel, cw_error *err) {
  return cwi_llm_session_append_all(&session, &token, 1, cancel, err);
}

cw_status cwi_llm_session_append_all(cwi_llm_session *const *sessions, const int32_t *tokens,
                                     size_t len, const _Atomic bool *cancel, cw_error *err) {
  cw_status status = CW_OK;
  cwi_llm_row rows[CWI_LLM_SEQUENCES_MAX] = {0};
  float *logits[CWI_LLM_SEQUENCES_MAX] = {0};
  if (len == 0 || len > CWI_LLM_SEQUENCES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "%zu sequences in a pass; 1 to %u are possible", len,
                     CWI_LLM_SEQUENCES_MAX);
  }
  for (size_t i = 0; i < len; i++) {
    cwi_llm_session *session = sessions[i];
    CWI_ASSERT(session->engine == sessions[0]->engine);
    CWI_TRY(check_room(session, err));
    const uint32_t position = (uint32_t)session->len;
    rows[i] = (cwi_llm_row){.token = tokens[i],
                            .position = position,
                            .last = position,
                            .wants_logits = true,
                            .kv = session->kv};
    logits[i] = session->logits;
  }
  for (size_t i = 0; i < len; i++) sessions[i]->has_logits = false;
  CWI_TRY(run_pass(sessions[0]->engine, rows, len, cancel, logits, len, err));
  for (size_t i = 0; i < len; i++) {
    sessions[i]->tokens[sessions[i]->len++] = tokens[i];
    sessions[i]->kv->len = (uint32_t)sessions[i]->len;
    sessions[i]->has_logits = true;
  }

out:
  return status;
}

void cwi_llm_session_truncate(cwi_llm_session *session, size_t len) {
  session->has_logits = false;
  if (len < session->len) session->len = len;
  session->kv->len = (uint32_t)session->len;
}

float *cwi_llm_session_logits(cwi_llm_session *session) {
  return session->has_logits ? session->logits : NULL;
}

uint32_t cwi_llm_session_vocab(const cwi_llm_session *session) {
  return session->engine->model->shape.vocab;
}

uint32_t cwi_llm_session_context(const cwi_llm_session *session) { return session->context; }

const int32_t *cwi_llm_session_tokens(const cwi_llm_session *session, size_t *len) {
  *len = session->len;
  return session->tokens;
}

size_t cwi_llm_session_reused(const cwi_llm_session *session) { return session->reused; }

/* ---- saving ---- */

typedef struct save_header {
  uint32_t magic;
  uint32_t version;
  uint64_t fingerprint;
  uint32_t type;
  uint32_t layers;
  uint32_t heads;
  uint32_t dim_head;
  uint64_t len;
} save_header;

_Static_assert(sizeof(save_header) == 40, "a saved session's header has no padding");

/* A hash (FNV-1a) of the file's size and of the first bytes of some tensors. */
static uint64_t fingerprint(const cwi_llm_model *model) {
  uint64_t hash = 14695981039346656037U ^ (uint64_t)model->gguf->size;
  for (size_t i = 0; i < model->gguf->tensors_len; i += 1 + model->gguf->tensors_len / 16) {
    const cwi_gguf_tensor *tensor = &model->gguf->tensors[i];
    for (size_t b = 0; b < tensor->size && b < 64; b++) {
      hash = (hash ^ tensor->data[b]) * 1099511628211U;
    }
  }
  return hash;
}

static save_header header_of(const cwi_llm_session *session) {
  return (save_header){.magic = SAVE_MAGIC,
                       .version = SAVE_VERSION,
                       .fingerprint = fingerprint(session->engine->model),
                       .type = (uint32_t)session->kv->type,
                       .layers = session->kv->layers,
                       .heads = session->kv->heads,
                       .dim_head = session->kv->dim_head,
                       .len = session->len};
}

cw_status cwi_llm_session_save(const cwi_llm_session *session, cwi_buf *out, cw_error *err) {
  const save_header header = header_of(session);
  const cwi_llm_kv *kv = session->kv;
  const size_t rows = session->len * kv->row_size;
  (void)cwi_buf_append(out, &header, sizeof(header));
  (void)cwi_buf_append(out, session->tokens, session->len * sizeof(int32_t));
  for (uint32_t layer = 0; layer < kv->layers; layer++) {
    for (uint32_t head = 0; head < kv->heads; head++) {
      (void)cwi_buf_append(out, cwi_llm_kv_keys(kv, layer, head), rows);
      (void)cwi_buf_append(out, cwi_llm_kv_values(kv, layer, head), rows);
    }
  }
  return out->failed ? CWI_RAISE_NOMEM(err, "a saved session") : CW_OK;
}

static cw_status check_header(const cwi_llm_session *session, const save_header *in, size_t size,
                              cw_error *err) {
  const save_header own = header_of(session);
  if (in->magic != SAVE_MAGIC) return CWI_RAISE(err, CW_E_CORRUPT, 0, "not a saved session");
  if (in->version != SAVE_VERSION) {
    return CWI_RAISE(err, CW_E_VERSION, 0, "a saved session of version %u", in->version);
  }
  if (in->fingerprint != own.fingerprint || in->type != own.type || in->layers != own.layers ||
      in->heads != own.heads || in->dim_head != own.dim_head) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a session of another model or cache type");
  }
  if (in->len > session->context) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "%llu tokens do not fit into a context of %u",
                     (unsigned long long)in->len, session->context);
  }
  const size_t len = (size_t)in->len;
  const size_t heads = (size_t)own.layers * own.heads;
  if (size != sizeof(*in) + len * sizeof(int32_t) + 2 * heads * len * session->kv->row_size) {
    return CWI_RAISE(err, CW_E_TRUNCATED, 0, "a saved session of the wrong size");
  }
  return CW_OK;
}

cw_status cwi_llm_session_restore(cwi_llm_session *session, const void *data, size_t size,
                                  cw_error *err) {
  save_header header;
  cwi_llm_session_truncate(session, 0);
  if (size < sizeof(header)) return CWI_RAISE(err, CW_E_TRUNCATED, 0, "not a saved session");
  memcpy(&header, data, sizeof(header));
  cw_status status = check_header(session, &header, size, err);
  if (status != CW_OK) return status;
  const uint8_t *in = (const uint8_t *)data + sizeof(header);
  const size_t len = (size_t)header.len;
  const cwi_llm_kv *kv = session->kv;
  const size_t rows = len * kv->row_size;
  memcpy(session->tokens, in, len * sizeof(int32_t));
  in += len * sizeof(int32_t);
  for (size_t i = 0; i < len; i++) {
    if (session->tokens[i] < 0 || (uint32_t)session->tokens[i] >= cwi_llm_session_vocab(session)) {
      return CWI_RAISE(err, CW_E_CORRUPT, 0, "a saved session with a token out of range");
    }
  }
  for (uint32_t layer = 0; layer < kv->layers; layer++) {
    for (uint32_t head = 0; head < kv->heads; head++, in += 2 * rows) {
      memcpy(cwi_llm_kv_keys(kv, layer, head), in, rows);
      memcpy(cwi_llm_kv_values(kv, layer, head), in + rows, rows);
    }
  }
  session->len = len;
  session->kv->len = (uint32_t)len;
  return CW_OK;
}
