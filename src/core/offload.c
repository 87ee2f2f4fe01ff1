/* SPDX-License-Identifier: MIT */
/* The offload pool: a queue, a mutex, a condition, threads that come and go.
 *
 * A submit wakes one idle thread, or starts one while there are fewer than the most; a thread that
 * has waited IDLE_SECONDS for work ends. Threads are detached; cwi_offload_stop waits for their
 * number to become zero. */
#include "core/offload.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/thread.h"
#include "core/value.h"

#define IDLE_SECONDS 10
#define THREADS_MIN 4U

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t gone = PTHREAD_COND_INITIALIZER;
static cwi_offload_job *queue;                /* [mutex] */
static cwi_offload_job **queue_last = &queue; /* [mutex] */
static unsigned threads;                      /* [mutex] */
static unsigned idle;                         /* [mutex] */
static unsigned queued;                       /* [mutex] */
static bool stopping;                         /* [mutex] */
static _Atomic bool background;

static struct timespec seconds_from_now(time_t seconds) {
  struct timespec when;
  (void)clock_gettime(CLOCK_REALTIME, &when);
  when.tv_sec += seconds;
  return when;
}

static cwi_offload_job *take_job_locked(void) {
  cwi_offload_job *job = queue;
  if (job == NULL) return NULL;
  queue = job->next;
  queued--;
  if (queue == NULL) {
    queue_last = &queue;
  } else {
    queue->link = &queue;
  }
  job->link = NULL;
  return job;
}

/* Waits for work; NULL: this thread is to end. */
static cwi_offload_job *next_job_locked(void) {
  struct timespec limit = seconds_from_now(IDLE_SECONDS);
  cwi_offload_job *job = take_job_locked();
  while (job == NULL && !stopping) {
    idle++;
    int code = pthread_cond_timedwait(&work, &mutex, &limit);
    idle--;
    job = take_job_locked();
    if (code == ETIMEDOUT) break;
  }
  return job;
}

static void *pool_main(void *context) {
  (void)context;
  cwi_thread_describe("causeway-pool", background);
  (void)pthread_mutex_lock(&mutex);
  for (cwi_offload_job *job = next_job_locked(); job != NULL; job = next_job_locked()) {
    (void)pthread_mutex_unlock(&mutex);
    job->run(job);
    (void)pthread_mutex_lock(&mutex);
  }
  threads--;
  (void)pthread_cond_broadcast(&gone);
  (void)pthread_mutex_unlock(&mutex);
  return NULL;
}

static unsigned threads_max(void) {
  unsigned cpus = cwi_thread_cpus();
  return cpus > THREADS_MIN ? cpus : THREADS_MIN;
}

static int start_thread_locked(void) {
  pthread_t thread;
  int code = cwi_thread_start(&thread, pool_main, NULL);
  if (code != 0) return code;
  (void)pthread_detach(thread);
  threads++;
  return 0;
}

cw_status cwi_offload_submit(cwi_offload_job *job, cw_error *err) {
  if (CWI_UNLIKELY(cwi_forked)) return CWI_RAISE(err, CW_E_FORKED, 0, "a forked child has no pool");
  cwi_fork_guard();
  cw_status status = CW_OK;
  (void)pthread_mutex_lock(&mutex);
  /* An idle thread may have been promised to an earlier job already: count those, not just threads. */
  int code = queued >= idle && threads < threads_max() ? start_thread_locked() : 0;
  if (code != 0 && threads == 0) {
    status = CWI_RAISE(err, CW_E_LIMIT, code, "the system refused a thread for the pool");
  } else {
    job->next = NULL;
    job->link = queue_last;
    *queue_last = job;
    queue_last = &job->next;
    queued++;
    (void)pthread_cond_signal(&work);
  }
  (void)pthread_mutex_unlock(&mutex);
  return status;
}

bool cwi_offload_withdraw(cwi_offload_job *job) {
  (void)pthread_mutex_lock(&mutex);
  bool waits = job->link != NULL;
  if (waits) {
    queued--;
    *job->link = job->next;
    if (job->next != NULL) {
      job->next->link = job->link;
    } else {
      queue_last = job->link;
    }
    job->link = NULL;
  }
  (void)pthread_mutex_unlock(&mutex);
  return waits;
}

bool cwi_offload_stop(uint64_t timeout_ns) {
  struct timespec limit = seconds_from_now((time_t)(timeout_ns / CWI_NS_PER_S) + 1);
  int code = 0;
  (void)pthread_mutex_lock(&mutex);
  stopping = true;
  (void)pthread_cond_broadcast(&work);
  while (threads > 0 && code == 0) code = pthread_cond_timedwait(&gone, &mutex, &limit);
  stopping = false;
  bool stopped = threads == 0;
  (void)pthread_mutex_unlock(&mutex);
  return stopped;
}

/* ---- cw_offload ---- */

typedef struct offload_op {
  cwi_offload_job job;
  cw_task_fn fn;
  void *context;
} offload_op;

static CWI_THREAD_LOCAL cwi_future *running;

static offload_op *op_of(cwi_future *f) {
  offload_op *op = CWI_FUTURE_OP(f, offload_op);
  return op;
}

static void offload_on_run(cwi_offload_job *job) {
  offload_op *op = CWI_CONTAINER_OF(job, offload_op, job);
  cwi_future *f = CWI_CONTAINER_OF(op, cwi_future, op);
  cw_value value = cwi_value_none();
  cw_error err = {.code = CW_OK};
  running = f;
  cw_status status = op->fn(op->context, &value, &err);
  running = NULL;
  if (status > 0) status = CWI_RAISE(&err, CW_E_INVALID, 0, "the function returned no status");
  (void)cwi_future_finish(f, status, value, err.code != CW_OK ? &err : NULL);
}

static void offload_on_cancel(cwi_future *f) {
  if (!cwi_offload_withdraw(&op_of(f)->job)) return; /* it runs: it is told when it asks */
  (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
}

cw_future *cw_offload(cw_task_fn fn, void *context) {
  cw_error err;
  if (fn == NULL) return cw_failed(CW_E_INVALID, "cw_offload() needs a function");
  cwi_future *f = cwi_future_new(NULL, "offload");
  if (f == NULL) return cwi_future_nomem();
  f->site = CWI_RETURN_ADDRESS();
  offload_op *op = op_of(f);
  op->job.run = offload_on_run;
  op->fn = fn;
  op->context = context;
  f->cancel = offload_on_cancel;
  cw_future *handle = cwi_future_handle(f);
  cw_status status = cwi_offload_submit(&op->job, &err);
  if (status != CW_OK) (void)cwi_future_finish(f, status, cwi_value_none(), &err);
  return handle;
}

bool cw_offload_is_cancelled(void) {
  return running != NULL && cwi_future_is_cancel_requested(running);
}

void cw_offload_background(bool on) { background = on; }
