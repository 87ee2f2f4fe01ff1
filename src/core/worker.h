/* SPDX-License-Identifier: MIT */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include "causeway/worker.h"
#include "core/future.h"
#include "core/task.h"

typedef enum cwi_worker_state {
  CWI_WORKER_NEW,
  CWI_WORKER_STARTING,
  CWI_WORKER_RUNNING,
  CWI_WORKER_DRAINING, /* no new commands */
  CWI_WORKER_ABORTING, /* nor the queued ones */
  CWI_WORKER_ENDED
} cwi_worker_state;

typedef struct cwi_worker {
  cwi_object_head head;
  cw_worker_options options;       /* constant */
  char name[16];                   /* constant */
  cwi_worker_state state;          /* [lock] */
  cwi_future *queue, **queue_last; /* [lock] commands that wait, oldest first */
  size_t queue_len;                /* [lock] */
  cwi_future *command;   /* [lock] the one that runs; a reference; NULL: none, or abandoned */
  cwi_future *running;   /* [lock] the task of its handler; a reference */
  uint64_t since_ns;     /* [lock] when that started */
  cwi_future *handshake; /* [lock] the producer's reference, until `init` has returned */
  cwi_future *closers;   /* [lock] futures of cw_worker_close, through their operation areas */
  bool waiting;          /* [lock] the worker's task is parked */
  cwi_task *task;        /* worker's thread */
  cwi_runtime *runtime;  /* [lock] a reference, once the thread has one */
} cwi_worker;

/* True where waiting for `f` on this thread would wait for ever: it is a command of this worker,
 * whose handler runs here. */
bool cwi_worker_would_deadlock(const cwi_future *f);

#endif
