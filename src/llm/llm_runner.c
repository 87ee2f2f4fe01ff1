/* SPDX-License-Identifier: MIT */
/* A model's thread. It opens the model, then serves requests: each round takes what is new (a
 * prompt is computed when it is taken), then appends one token to every generation that has credit,
 * all in one pass over the weights.
 *
 * A generation that has no credit waits for its last event to be taken; the future of that send
 * wakes the thread. A generation whose consumer has gone is found by the send that fails, and
 * during a prompt by looking at the producer between chunks of work: no callback of another thread
 * ever touches a request.
 *
 * Sessions of generations that have ended are kept for a while, so that the next prompt with the
 * same beginning need not be computed again. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/thread.h"
#include "core/value.h"
#include "llm/llm_runner_internal.h"

/* ---- sessions ---- */

static size_t common_prefix(const cwi_llm_session *session, const cwi_llm_request *request) {
  size_t len = 0;
  const int32_t *tokens = cwi_llm_session_tokens(session, &len);
  size_t same = 0;
  while (same < len && same < request->len && tokens[same] == request->tokens[same]) same++;
  return same;
}

/* Takes the idle session that shares most with the prompt, or makes a new one. Where memory is
 * short idle ones are given up first. */
static cw_status take_session(cwi_llm *llm, cwi_llm_request *request, cw_error *err) {
  size_t best = CWI_LLM_IDLE_SESSIONS_MAX;
  size_t best_len = 0;
  for (size_t i = 0; i < CWI_LLM_IDLE_SESSIONS_MAX; i++) {
    if (llm->idle[i] == NULL) continue;
    const size_t len = common_prefix(llm->idle[i], request);
    if (best == CWI_LLM_IDLE_SESSIONS_MAX || len > best_len) {
      best = i;
      best_len = len;
    }
  }
  cw_status status = CW_E_LIMIT;
  if (best_len == 0) {
    const cwi_llm_session_options options = {.kv = llm->kv};
    status = cwi_llm_session_new(llm->engine, &options, &request->session, err);
  }
  if (status != CW_OK && best < CWI_LLM_IDLE_SESSIONS_MAX) {
    request->session = llm->idle[best];
    llm->idle[best] = NULL;
    status = CW_OK;
  }
  return status;
}

static void keep_session(cwi_llm *llm, cwi_llm_session *session) {
  for (size_t i = 0; i < CWI_LLM_IDLE_SESSIONS_MAX && session != NULL; i++) {
    if (llm->idle[i] != NULL) continue;
    llm->idle[i] = session;
    session = NULL;
  }
  if (session == NULL) return;
  /* The oldest goes. */
  cwi_llm_session_free(llm->idle[0]);
  memmove(llm->idle, llm->idle + 1, (CWI_LLM_IDLE_SESSIONS_MAX - 1) * sizeof(llm->idle[0]));
  llm->idle[CWI_LLM_IDLE_SESSIONS_MAX - 1] = session;
}

/* ---- events ---- */

static void put(cw_value *object, const char *key, cw_value item, cw_status *status) {
  if (*status == CW_OK) {
    *status = cw_value_object_set(object, key, strlen(key), item, NULL);
  } else {
    cw_value_release(&item);
  }
}

/* The best token, its log-probability, and how sure the model is: 1 - entropy / ln(vocab). */
static int32_t choose(const float *logits, uint32_t vocab, double *logprob, double *confidence) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < vocab; i++) {
    if (logits[i] > logits[best]) best = i;
  }
  double sum = 0;
  double weighted = 0;
  for (uint32_t i = 0; i < vocab; i++) {
    const double difference = (double)logits[i] - (double)logits[best];
    const double e = exp(difference);
    sum += e;
    weighted += e * difference;
  }
  const double entropy = log(sum) - weighted / sum;
  *logprob = -log(sum);
  *confidence = vocab > 1 ? 1 - entropy / log((double)vocab) : 1;
  return (int32_t)best;
}

static void on_credit(cw_future *future, void *context) {
  cwi_llm_request *request = context;
  cwi_llm *llm = request->llm;
  (void)cw_future_take(future, NULL, NULL); /* a failure shows at the next send */
  cwi_object_ref(llm);
  atomic_store(&request->waits, false);
  cwi_llm_runner_wake(llm); /* the request may be gone from here on */
  cwi_object_unref(llm);
}

/* Sends an event, which is taken. A send without credit makes the request wait. */
static cw_status send_event(cwi_llm_request *request, cw_value event) {
  cw_error err;
  cw_future *future = cw_producer_send(request->producer, event);
  if (cw_future_is_settled(future)) return cw_future_take(future, NULL, &err);
  atomic_store(&request->waits, true);
  if (cw_future_on_settle(future, on_credit, request, &err) != CW_OK) {
    atomic_store(&request->waits, false);
    (void)cw_release(future);
    return err.code;
  }
  return CW_OK;
}

static cw_status send_end(cwi_llm_request *request, const char *why) {
  cw_value event = cw_value_none();
  cw_value text = cw_value_none();
  cw_status status = cw_value_object(&event, NULL);
  if (status == CW_OK) status = cw_value_string(why, strlen(why), &text, NULL);
  const uint64_t now = cwi_clock_now();
  const uint64_t generate_ns = now - request->begun_ns - request->prompt_ns;
  put(&event, "finish", text, &status);
  put(&event, "prompt_tokens", cw_value_int((int64_t)request->len), &status);
  put(&event, "reused_tokens", cw_value_int((int64_t)cwi_llm_session_reused(request->session)),
      &status);
  put(&event, "prompt_ms", cw_value_float((double)request->prompt_ns / 1e6), &status);
  put(&event, "tokens", cw_value_int(request->index), &status);
  put(&event, "generate_ms", cw_value_float((double)generate_ns / 1e6), &status);
  if (status != CW_OK) {
    cw_value_release(&event);
    return status;
  }
  request->last_sent = true;
  return send_event(request, event);
}

static bool stops_at(const cwi_llm_request *request, int32_t token) {
  for (uint32_t i = 0; i < request->stop_len; i++) {
    if (request->stop[i] == token) return true;
  }
  return false;
}

/* Chooses the next token from the session's logits and sends it. */
static cw_status advance(cwi_llm_request *request) {
  double logprob = 0;
  double confidence = 0;
  size_t held = 0;
  request->pending = choose(cwi_llm_session_logits(request->session),
                            cwi_llm_session_vocab(request->session), &logprob, &confidence);
  if (stops_at(request, request->pending)) return send_end(request, "stop");
  cw_value event = cw_value_none();
  cw_status status = cw_value_object(&event, NULL);
  put(&event, "token", cw_value_int(request->pending), &status);
  put(&event, "index", cw_value_int(request->index), &status);
  put(&event, "logprob", cw_value_float(logprob), &status);
  put(&event, "confidence", cw_value_float(confidence), &status);
  if (status != CW_OK) {
    cw_value_release(&event);
    return status;
  }
  request->index++;
  status = send_event(request, event);
  if (status != CW_OK || atomic_load(&request->waits)) return status;
  (void)cwi_llm_session_tokens(request->session, &held);
  if (request->index >= request->tokens_max) return send_end(request, "length");
  if (held >= cwi_llm_session_context(request->session)) return send_end(request, "context");
  return CW_OK;
}

/* ---- requests ---- */

/* Ends a generation: with `status` CW_OK its stream ends, else it fails. */
static void finish(cwi_llm *llm, cwi_llm_request *request, cw_status status, const char *message) {
  CWI_ASSERT(!atomic_load(&request->waits));
  if (request->session != NULL) keep_session(llm, request->session);
  if (status == CW_OK) {
    (void)cw_producer_end(request->producer);
  } else {
    (void)cw_producer_fail(request->producer, status, message);
  }
  cwi_llm_request_free(request);
}

static bool is_closing(cwi_llm *llm) {
  (void)pthread_mutex_lock(&llm->mutex);
  const bool closing = llm->closing;
  (void)pthread_mutex_unlock(&llm->mutex);
  return closing;
}

/* Looks between chunks of a prompt whether its consumer is still there: before the first event a
 * live one has credit. */
static void look_at_consumer(void *context) {
  cwi_llm_request *request = context;
  if (cw_producer_credit(request->producer) == 0 || is_closing(request->llm)) {
    atomic_store(&request->cancel, true);
  }
}

static void begin(cwi_llm *llm, cwi_llm_request *request) {
  cw_error err = {0};
  cw_status status = take_session(llm, request, &err);
  if (status == CW_OK) {
    request->begun_ns = cwi_clock_now();
    cwi_llm_engine_poll(llm->engine, look_at_consumer, request);
    status = cwi_llm_session_prompt(request->session, request->tokens, request->len,
                                    &request->cancel, &err);
    cwi_llm_engine_poll(llm->engine, NULL, NULL);
    request->prompt_ns = cwi_clock_now() - request->begun_ns;
    if (status == CW_E_CANCELLED && is_closing(llm)) {
      status = CWI_RAISE(&err, CW_E_CLOSED, 0, "the model was closed");
    }
  }
  if (status == CW_OK) status = advance(request);
  if (status != CW_OK && !atomic_load(&request->waits)) {
    finish(llm, request, status, err.code == status ? err.message : NULL);
    return;
  }
  request->next = llm->active;
  llm->active = request;
}

static void embed(cwi_llm *llm, cwi_llm_request *request) {
  cw_error err = {0};
  cwi_future *future = request->future;
  const uint32_t dim = cwi_llm_engine_shape(llm->engine)->dim;
  cw_value array = cw_value_none();
  float *out = cwi_alloc_array(dim, sizeof(float));
  cw_status status = out == NULL ? CWI_RAISE_NOMEM(&err, "an embedding") : CW_OK;
  if (status == CW_OK) {
    status = cwi_llm_engine_embed(llm->engine, request->tokens, request->len,
                                  (cwi_llm_pooling)request->pooling, &request->cancel, out, &err);
  }
  if (status == CW_OK) status = cw_value_array(dim, &array, &err);
  for (uint32_t i = 0; status == CW_OK && i < dim; i++) {
    status = cw_value_array_push(&array, cw_value_float((double)out[i]), &err);
  }
  if (status != CW_OK) cw_value_release(&array);
  if (out != NULL) cwi_free(out, dim * sizeof(float));
  (void)cwi_future_finish(future, status, array, &err); /* may free the request */
}

static void refuse(cwi_llm_request *request, const cw_error *err) {
  if (request->kind == CWI_LLM_EMBED) {
    (void)cwi_future_finish(request->future, err->code, cw_value_none(), err);
  } else {
    (void)cw_producer_fail(request->producer, err->code, err->message);
    cwi_llm_request_free(request);
  }
}

/* ---- rounds ---- */

/* Takes an ended or unwanted generation out of the list; false where it goes on. */
static bool settle(cwi_llm *llm, cwi_llm_request *request, cw_status status, const char *message) {
  if (atomic_load(&request->waits)) return false;
  if (status == CW_OK && !request->last_sent) return false;
  finish(llm, request, status, message);
  return true;
}

/* Sees to generations whose event has been taken meanwhile: those at their end say why. */
static void resume(cwi_llm *llm) {
  cwi_llm_request **link = &llm->active;
  while (*link != NULL) {
    cwi_llm_request *request = *link;
    cwi_llm_request *next = request->next;
    cw_status status = CW_OK;
    size_t held = 0;
    if (!atomic_load(&request->waits) && !request->last_sent) {
      (void)cwi_llm_session_tokens(request->session, &held);
      if (request->index >= request->tokens_max) {
        status = send_end(request, "length");
      } else if (held >= cwi_llm_session_context(request->session)) {
        status = send_end(request, "context");
      }
    }
    if (settle(llm, request, status, NULL)) {
      *link = next;
    } else {
      link = &request->next;
    }
  }
}

/* One token for every generation that does not wait, in one pass; false where there is none. */
static bool step(cwi_llm *llm) {
  cwi_llm_session *sessions[CWI_LLM_SEQUENCES_MAX];
  int32_t tokens[CWI_LLM_SEQUENCES_MAX];
  cwi_llm_request *requests[CWI_LLM_SEQUENCES_MAX];
  size_t len = 0;
  cw_error err = {0};
  for (cwi_llm_request *r = llm->active; r != NULL && len < CWI_LLM_SEQUENCES_MAX; r = r->next) {
    if (atomic_load(&r->waits) || r->last_sent) continue;
    requests[len] = r;
    sessions[len] = r->session;
    tokens[len++] = r->pending;
  }
  if (len == 0) return false;
  const cw_status pass = cwi_llm_session_append_all(sessions, tokens, len, NULL, &err);
  for (size_t i = 0; i < len; i++) {
    cw_status status = pass == CW_OK ? advance(requests[i]) : pass;
    cwi_llm_request **link = &llm->active;
    while (*link != requests[i]) link = &(*link)->next;
    cwi_llm_request *next = requests[i]->next;
    if (settle(llm, requests[i], status, pass == CW_OK ? NULL : err.message)) *link = next;
  }
  /* Those that were served go to the end, so that more than a pass holds take turns. */
  if (len == CWI_LLM_SEQUENCES_MAX) {
    cwi_llm_request **end = &llm->active;
    cwi_llm_request *first = llm->active;
    if (first != NULL && first->next != NULL) {
      llm->active = first->next;
      while (*end != NULL) end = &(*end)->next;
      first->next = NULL;
      *end = first;
    }
  }
  return true;
}

/* Waits where `idle`, then takes the queue; false where the model is closing. */
static bool next_requests(cwi_llm *llm, bool idle, cwi_llm_request **out) {
  (void)pthread_mutex_lock(&llm->mutex);
  while (idle && !llm->closing && !llm->wake && llm->queue == NULL) {
    (void)pthread_cond_wait(&llm->work, &llm->mutex);
  }
  *out = llm->queue;
  llm->queue = NULL;
  llm->queue_last = &llm->queue;
  llm->wake = false;
  const bool open = !llm->closing;
  (void)pthread_mutex_unlock(&llm->mutex);
  return open;
}

static void serve(cwi_llm *llm, cwi_llm_request *requests) {
  while (requests != NULL) {
    cwi_llm_request *request = requests;
    requests = request->next;
    request->next = NULL;
    if (llm->engine == NULL) {
      refuse(request, &llm->error);
    } else if (request->kind == CWI_LLM_EMBED) {
      embed(llm, request);
    } else {
      begin(llm, request);
    }
  }
}

static void open_model(cwi_llm *llm) {
  cwi_llm_engine *engine = NULL;
  cw_error err = {0};
  const cw_status status = cwi_llm_engine_open(llm->path, &llm->options, &engine, &err);
  (void)pthread_mutex_lock(&llm->mutex);
  llm->engine = engine;
  llm->error = err;
  llm->settled = true;
  (void)pthread_mutex_unlock(&llm->mutex);
  (void)cwi_future_finish(llm->opening, status, cw_value_none(), &err);
}

/* Fails what is left and frees the model. Sends that wait are cut off by ending their streams. */
static void close_model(cwi_llm *llm, cwi_llm_request *queued) {
  cw_error err;
  (void)CWI_RAISE(&err, CW_E_CLOSED, 0, "the model was closed");
  while (queued != NULL) {
    cwi_llm_request *next = queued->next;
    refuse(queued, &err);
    queued = next;
  }
  for (cwi_llm_request *r = llm->active; r != NULL; r = r->next) {
    (void)cw_producer_fail(r->producer, CW_E_CLOSED, err.message);
  }
  while (llm->active != NULL) {
    cwi_llm_request *request = llm->active;
    (void)pthread_mutex_lock(&llm->mutex);
    while (atomic_load(&request->waits)) (void)pthread_cond_wait(&llm->work, &llm->mutex);
    (void)pthread_mutex_unlock(&llm->mutex);
    llm->active = request->next;
    cwi_llm_session_free(request->session);
    cwi_llm_request_free(request);
  }
  for (size_t i = 0; i < CWI_LLM_IDLE_SESSIONS_MAX; i++) cwi_llm_session_free(llm->idle[i]);
  (void)pthread_mutex_lock(&llm->mutex);
  cwi_llm_engine *engine = llm->engine;
  llm->engine = NULL;
  (void)pthread_mutex_unlock(&llm->mutex);
  cwi_llm_engine_free(engine);
}

void *cwi_llm_runner_main(void *context) {
  cwi_llm *llm = context;
  cwi_llm_request *requests = NULL;
  cwi_thread_describe("cw-llm-run", llm->options.background);
  open_model(llm);
  bool busy = false;
  while (next_requests(llm, !busy, &requests)) {
    serve(llm, requests);
    resume(llm);
    busy = step(llm);
  }
  close_model(llm, requests);
  cwi_object_unref(llm);
  return NULL;
}
