/* SPDX-License-Identifier: MIT */
/* What llm_api.c hands to llm_runner.c: a model's thread and the requests that wait for it. */
#ifndef LLM_RUNNER_INTERNAL_H
#define LLM_RUNNER_INTERNAL_H

#include <pthread.h>

#include "causeway/llm.h"
#include "core/future.h"
#include "llm/llm_session.h"

#define CWI_LLM_IDLE_SESSIONS_MAX 4U

typedef enum cwi_llm_request_kind { CWI_LLM_GENERATE, CWI_LLM_EMBED } cwi_llm_request_kind;

typedef struct cwi_llm cwi_llm;

/* A generation or an embedding. Owned by the runner's thread once it is queued. */
typedef struct cwi_llm_request {
  struct cwi_llm_request *next;
  cwi_llm *llm;
  cwi_llm_request_kind kind;
  int32_t *tokens;
  size_t len;
  _Atomic bool cancel;
  /* embedding */
  cwi_future *future; /* a reference: the producer's */
  uint32_t pooling;
  /* generation */
  cw_producer *producer;
  uint32_t tokens_max;
  uint32_t stop_len;
  int32_t stop[CW_LLM_STOP_LEN_MAX];
  cwi_llm_session *session; /* NULL: not begun */
  int32_t pending;          /* the token that is to be appended */
  uint32_t index;
  uint64_t begun_ns;
  uint64_t prompt_ns;
  bool last_sent;     /* the event that says why it ended is on its way */
  _Atomic bool waits; /* for credit */
} cwi_llm_request;

struct cwi_llm {
  cwi_object_head head;
  pthread_mutex_t mutex;
  pthread_cond_t work;
  cwi_llm_request *queue, **queue_last; /* [mutex] not yet seen by the runner */
  bool closing;                         /* [mutex] the handle was released */
  bool wake;                            /* [mutex] something has changed */
  bool settled;                         /* [mutex] opening has ended */
  cwi_llm_engine *engine;               /* [mutex, constant once settled] NULL: failed */
  cw_error error;                       /* [mutex] of opening */
  char *path;
  size_t path_size;
  cwi_llm_engine_options options;
  cwi_tensor_type kv;
  cwi_future *opening; /* the producer's reference */
  /* the runner's own */
  cwi_llm_request *active; /* generations under way */
  cwi_llm_session *idle[CWI_LLM_IDLE_SESSIONS_MAX];
};

/* The runner's thread; owns a reference to the cwi_llm. */
void *cwi_llm_runner_main(void *context);

/* Wakes the runner. */
void cwi_llm_runner_wake(cwi_llm *llm);

void cwi_llm_request_free(cwi_llm_request *request);

#endif
