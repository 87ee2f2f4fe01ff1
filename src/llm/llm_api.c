/* SPDX-License-Identifier: MIT */
/* The public face of language models: checks arguments, makes requests, and leaves the rest to the
 * model's thread. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/thread.h"
#include "core/value.h"
#include "llm/llm_runner_internal.h"

#define TOKENS_DEFAULT 512U
#define WINDOW_DEFAULT 64U
#define PROMPT_LEN_MAX (1U << 22)

static void llm_closed(cwi_object_head *object, cw_handle_kind kind) {
  (void)kind;
  cwi_llm *llm = (cwi_llm *)(void *)object;
  (void)pthread_mutex_lock(&llm->mutex);
  llm->closing = true;
  (void)pthread_cond_signal(&llm->work);
  (void)pthread_mutex_unlock(&llm->mutex);
  cwi_object_unref(llm);
}

static void llm_deinit(cwi_object_head *object) {
  cwi_llm *llm = (cwi_llm *)(void *)object;
  if (llm->path != NULL) cwi_free(llm->path, llm->path_size);
  (void)pthread_cond_destroy(&llm->work);
  (void)pthread_mutex_destroy(&llm->mutex);
}

static const cwi_pool_ops LLM_OPS = {"llm", sizeof(cwi_llm), llm_closed, llm_deinit};

static cw_status read_options(const cw_llm_options *options, cwi_llm *llm, cw_error *err) {
  static const cw_llm_options defaults = CW_LLM_OPTIONS_INIT;
  const cw_llm_options *o = options != NULL ? options : &defaults;
  if (o->struct_size != sizeof(*o)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size; use CW_LLM_OPTIONS_INIT");
  }
  if (o->access > CW_LLM_ACCESS_LOCK || (o->kv_bits != 0 && o->kv_bits != 8 && o->kv_bits != 16) ||
      o->context_len > CWI_LLM_CONTEXT_MAX || o->threads > CWI_LLM_THREADS_MAX) {
    return CWI_RAISE(
        err, CW_E_INVALID, 0,
        "access is 0 to 2, kv_bits 8 or 16, threads at most %d, context_len at most %u",
        CWI_LLM_THREADS_MAX, CWI_LLM_CONTEXT_MAX);
  }
  llm->options = (cwi_llm_engine_options){.threads = o->threads,
                                          .background = o->background,
                                          .access = (cwi_gguf_access)o->access,
                                          .memory_max = o->memory_bytes_max,
                                          .context = o->context_len};
  llm->kv = o->kv_bits == 8 ? CWI_TENSOR_Q8_0 : CWI_TENSOR_F16;
  return CW_OK;
}

static cw_status start(cwi_llm *llm, const char *path, const cw_llm_options *options,
                       cw_error *err) {
  cw_status status = CW_OK;
  pthread_t thread;
  CWI_TRY(read_options(options, llm, err));
  llm->path_size = strlen(path) + 1;
  llm->path = cwi_strndup(path, llm->path_size - 1);
  if (llm->path == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "a path"));
  llm->opening = cwi_future_new(NULL, "llm_open");
  if (llm->opening == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "a future"));
  cwi_object_ref(llm); /* the runner's */
  int code = cwi_thread_start(&thread, cwi_llm_runner_main, llm);
  if (code != 0) {
    cwi_object_unref(llm);
    cwi_object_unref(llm->opening); /* the handle's and the producer's */
    cwi_object_unref(llm->opening);
    CWI_TRY(CWI_RAISE(err, CW_E_LIMIT, code, "the system gives no further thread"));
  }
  (void)pthread_detach(thread);

out:
  return status;
}

cw_future *cw_llm_open(const char *path, const cw_llm_options *options, cw_llm **out) {
  cw_error err = {0};
  if (out == NULL) return cw_failed(CW_E_INVALID, "no place for the handle");
  *out = NULL;
  if (path == NULL) return cw_failed(CW_E_INVALID, "no path");
  cwi_pool_define(CW_HANDLE_LLM, CW_HANDLE_NONE, &LLM_OPS);
  cwi_llm *llm = cwi_object_new(CW_HANDLE_LLM, false);
  if (llm == NULL) return cwi_future_nomem();
  llm->queue_last = &llm->queue;
  (void)pthread_mutex_init(&llm->mutex, NULL);
  (void)pthread_cond_init(&llm->work, NULL);
  cw_llm *handle = (cw_llm *)cwi_object_handle(llm, CW_HANDLE_LLM);
  cwi_object_ref(llm);
  cw_status status = start(llm, path, options, &err);
  cw_future *future = NULL;
  if (status == CW_OK) {
    future = cwi_future_handle(llm->opening);
    *out = handle;
  } else {
    (void)cw_release(handle);
    future = cwi_future_failed(&err);
  }
  cwi_object_unref(llm);
  return future;
}

void cwi_llm_request_free(cwi_llm_request *request) {
  if (request == NULL) return;
  if (request->tokens != NULL) cwi_free(request->tokens, request->len * sizeof(int32_t));
  CWI_FREE(request);
}

static cwi_llm_request *make_request(cwi_llm *llm, cwi_llm_request_kind kind, const int32_t *tokens,
                                     size_t len) {
  cwi_llm_request *request = CWI_NEW(cwi_llm_request);
  if (request == NULL) return NULL;
  request->llm = llm;
  request->kind = kind;
  request->len = len;
  request->tokens = cwi_alloc_array(len, sizeof(int32_t));
  if (request->tokens == NULL) {
    cwi_llm_request_free(request);
    return NULL;
  }
  memcpy(request->tokens, tokens, len * sizeof(int32_t));
  return request;
}

static void enqueue(cwi_llm *llm, cwi_llm_request *request) {
  (void)pthread_mutex_lock(&llm->mutex);
  *llm->queue_last = request;
  llm->queue_last = &request->next;
  (void)pthread_cond_signal(&llm->work);
  (void)pthread_mutex_unlock(&llm->mutex);
}

void cwi_llm_runner_wake(cwi_llm *llm) {
  (void)pthread_mutex_lock(&llm->mutex);
  llm->wake = true;
  (void)pthread_cond_signal(&llm->work);
  (void)pthread_mutex_unlock(&llm->mutex);
}

static bool is_generate_valid(const int32_t *tokens, size_t len,
                              const cw_llm_generate_options *options) {
  return tokens != NULL && len > 0 && len <= PROMPT_LEN_MAX &&
         (options == NULL ||
          (options->struct_size == sizeof(*options) && options->stop_len <= CW_LLM_STOP_LEN_MAX &&
           (options->stop_len == 0 || options->stop != NULL) &&
           options->window <= CW_CHANNEL_LEN_MAX));
}

cw_stream *cw_llm_generate_tokens(cw_llm *llm, const int32_t *tokens, size_t len,
                                  const cw_llm_generate_options *options, cw_error *err) {
  cwi_error_clear(err);
  if (!is_generate_valid(tokens, len, options)) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0,
                    "1 to %u tokens, options of a known size, at most %d stop tokens",
                    PROMPT_LEN_MAX, CW_LLM_STOP_LEN_MAX);
    return NULL;
  }
  cwi_llm *self = cwi_handle_get(llm, CW_HANDLE_LLM);
  if (self == NULL) {
    (void)CWI_RAISE(err, CW_E_STALE, 0, "not a live model");
    return NULL;
  }
  cw_stream *stream = NULL;
  cwi_llm_request *request = make_request(self, CWI_LLM_GENERATE, tokens, len);
  if (request == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a generation");
  } else {
    const uint32_t window = options != NULL ? options->window : 0;
    const uint32_t tokens_max = options != NULL ? options->tokens_max : 0;
    request->tokens_max = tokens_max != 0 ? tokens_max : TOKENS_DEFAULT;
    request->stop_len = options != NULL ? options->stop_len : 0;
    if (request->stop_len > 0) {
      memcpy(request->stop, options->stop, request->stop_len * sizeof(int32_t));
    }
    stream = cw_stream_new(window != 0 ? window : WINDOW_DEFAULT, &request->producer, err);
    if (stream != NULL) {
      enqueue(self, request);
    } else {
      cwi_llm_request_free(request);
    }
  }
  cwi_object_unref(self);
  return stream;
}

/* A request lives as long as the future that stands for it. */
static void embed_on_cancel(cwi_future *future) {
  cwi_llm_request *request = (cwi_llm_request *)(uintptr_t)future->op[0];
  atomic_store(&request->cancel, true);
}

static void embed_on_free(cwi_future *future) {
  cwi_llm_request_free((cwi_llm_request *)(uintptr_t)future->op[0]);
}

cw_future *cw_llm_embed_tokens(cw_llm *llm, const int32_t *tokens, size_t len, uint32_t pooling) {
  if (tokens == NULL || len == 0 || pooling > CW_LLM_POOLING_LAST) {
    return cw_failed(CW_E_INVALID, "an embedding needs tokens and a known pooling");
  }
  if (len > CWI_LLM_EMBED_MAX) {
    return cw_failed(CW_E_LIMIT, "too many tokens for one embedding; embed the text in parts");
  }
  cwi_llm *self = cwi_handle_get(llm, CW_HANDLE_LLM);
  if (self == NULL) return cw_failed(CW_E_STALE, "not a live model");
  cw_future *handle = cwi_future_nomem();
  cwi_llm_request *request = make_request(self, CWI_LLM_EMBED, tokens, len);
  cwi_future *future = request != NULL ? cwi_future_new(NULL, "llm_embed") : NULL;
  if (future != NULL) {
    request->future = future;
    request->pooling = pooling;
    future->op[0] = (uint64_t)(uintptr_t)request;
    future->op_deinit = embed_on_free;
    future->cancel = embed_on_cancel;
    handle = cwi_future_handle(future);
    enqueue(self, request);
  } else {
    cwi_llm_request_free(request);
  }
  cwi_object_unref(self);
  return handle;
}

/* ---- information ---- */

/* Sets a key to a value that is taken; keeps the first failure. */
static void put(cw_value *object, const char *key, cw_value item, cw_status *status,
                cw_error *err) {
  if (*status != CW_OK) {
    cw_value_release(&item);
    return;
  }
  *status = cw_value_object_set(object, key, strlen(key), item, err);
}

static void put_text(cw_value *object, const char *key, const char *text, cw_status *status,
                     cw_error *err) {
  cw_value item = cw_value_none();
  if (*status == CW_OK) *status = cw_value_string(text, strlen(text), &item, err);
  put(object, key, item, status, err);
}

static cw_status describe(cwi_llm_engine *engine, cw_value *out, cw_error *err) {
  const cwi_llm_shape *shape = cwi_llm_engine_shape(engine);
  const cwi_llm_memory memory = cwi_llm_engine_memory(engine);
  cw_value sizes = cw_value_none();
  cw_status status = cw_value_object(out, err);
  put_text(out, "architecture", shape->arch_name, &status, err);
  put_text(out, "kernel", cwi_llm_engine_kernel(engine), &status, err);
  put(out, "vocabulary", cw_value_int(shape->vocab), &status, err);
  put(out, "context", cw_value_int(shape->context), &status, err);
  put(out, "embedding", cw_value_int(shape->dim), &status, err);
  put(out, "layers", cw_value_int(shape->layers), &status, err);
  put(out, "parameters", cw_value_int((int64_t)cwi_llm_engine_model(engine)->params), &status, err);
  put(out, "threads", cw_value_int((int64_t)cwi_llm_engine_threads(engine)), &status, err);
  if (status == CW_OK) status = cw_value_object(&sizes, err);
  put(&sizes, "model", cw_value_int((int64_t)memory.model), &status, err);
  put(&sizes, "kv", cw_value_int((int64_t)memory.kv), &status, err);
  put(&sizes, "buffers", cw_value_int((int64_t)memory.buffers), &status, err);
  put(&sizes, "max", cw_value_int((int64_t)memory.max), &status, err);
  put(out, "memory", sizes, &status, err);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cw_llm_info(cw_llm *llm, cw_value *out, cw_error *err) {
  cwi_error_clear(err);
  if (out == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "no place for the description");
  *out = cw_value_none();
  cwi_llm *self = cwi_handle_get(llm, CW_HANDLE_LLM);
  if (self == NULL) return CWI_RAISE(err, CW_E_STALE, 0, "not a live model");
  cw_status status = CW_OK;
  (void)pthread_mutex_lock(&self->mutex);
  if (self->engine == NULL) {
    status = CWI_RAISE(
        err, CW_E_STATE, 0,
        self->settled ? "the model could not be opened: %s" : "the model is not open yet%s",
        self->settled ? self->error.message : "");
  } else { /* the engine lives as long as the mutex keeps the runner from freeing it */
    status = describe(self->engine, out, err);
  }
  (void)pthread_mutex_unlock(&self->mutex);
  cwi_object_unref(self);
  return status;
}
