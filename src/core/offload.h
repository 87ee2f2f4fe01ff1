/* SPDX-License-Identifier: MIT */
/* The offload pool, for modules whose operations are plain functions. */
#ifndef CORE_OFFLOAD_H
#define CORE_OFFLOAD_H

#include "causeway/offload.h"
#include "core/future.h"

/* A job for the pool, embedded in what it is about. `run` is called on a pool thread. */
typedef struct cwi_offload_job {
  struct cwi_offload_job *next, **link; /* [pool's lock] link NULL: not queued */
  void (*run)(struct cwi_offload_job *job);
} cwi_offload_job;

/* Queues a job. Errors: CW_E_LIMIT no thread could be started and none is there. */
cw_status cwi_offload_submit(cwi_offload_job *job, cw_error *err);

/* Takes a job out that has not started; false where it has. */
bool cwi_offload_withdraw(cwi_offload_job *job);

/* Ends all threads once the queue is empty, waiting for them; false after `timeout_ns`. */
bool cwi_offload_stop(uint64_t timeout_ns);

#endif
