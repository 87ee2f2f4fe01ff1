/* SPDX-License-Identifier: MIT */
/* The reactor: one background thread with a runtime, for operations started from threads that are
 * inside no runtime of their own. Started on first use, ended by cw_shutdown(). */
#include <pthread.h>

#include "causeway/runtime.h"
#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/future.h"
#include "core/offload.h"
#include "core/runtime.h"
#include "core/thread.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static _Atomic(cwi_runtime *) reactor;
static pthread_t thread;     /* [mutex] */
static bool running;         /* [mutex] a thread exists */
static bool ended;           /* [mutex] its work is done */
static bool stopping;        /* reactor's thread */
static cw_error start_error; /* [mutex] */

static bool should_stop(void *context) {
  (void)context;
  return stopping;
}

static void *reactor_main(void *context) {
  (void)context;
  cwi_thread_describe("causeway", false);
  cw_error err;
  cwi_runtime *rt = cwi_runtime_get(&err);
  (void)pthread_mutex_lock(&mutex);
  stopping = false;
  if (rt == NULL) {
    start_error = err;
    ended = true;
  } else {
    rt->is_reactor = true;
    atomic_store_explicit(&reactor, rt, memory_order_release);
  }
  (void)pthread_cond_broadcast(&changed);
  (void)pthread_mutex_unlock(&mutex);
  if (rt != NULL) cwi_runtime_drive(rt, should_stop, NULL);
  return NULL;
}

static CWI_NOINLINE cwi_runtime *start_reactor(cw_error *err) {
  (void)pthread_mutex_lock(&mutex);
  cwi_runtime *rt = atomic_load_explicit(&reactor, memory_order_acquire);
  if (rt == NULL) {
    ended = false;
    int code = cwi_thread_start(&thread, reactor_main, NULL);
    if (code != 0) {
      (void)CWI_RAISE(err, CW_E_LIMIT, code, "the system refused a thread for the reactor");
    } else {
      while (atomic_load_explicit(&reactor, memory_order_acquire) == NULL && !ended) {
        (void)pthread_cond_wait(&changed, &mutex);
      }
      rt = atomic_load_explicit(&reactor, memory_order_acquire);
      running = rt != NULL;
      if (!running) {
        (void)pthread_join(thread, NULL);
        if (err != NULL) *err = start_error;
      }
    }
  }
  (void)pthread_mutex_unlock(&mutex);
  return rt;
}

cwi_runtime *cwi_reactor_get(cw_error *err) {
  if (CWI_UNLIKELY(cwi_forked)) {
    (void)CWI_RAISE(err, CW_E_FORKED, 0, "a forked child has no reactor");
    return NULL;
  }
  cwi_runtime *rt = atomic_load_explicit(&reactor, memory_order_acquire);
  return CWI_LIKELY(rt != NULL) ? rt : start_reactor(err);
}

bool cwi_reactor_is_running(void) {
  return atomic_load_explicit(&reactor, memory_order_acquire) != NULL;
}

static void stop_on_run(cwi_job *job) {
  (void)job;
  stopping = true; /* the thread's end cancels and awaits its operations */
}

cw_status cw_shutdown(uint64_t timeout_ms, cw_error *err) {
  if (cwi_runtime_inside() != NULL) {
    return CWI_RAISE(err, CW_E_REENTRANT, 0, "cw_shutdown() was called from inside a runtime");
  }
  static cwi_job stop = {.run = stop_on_run};
  (void)pthread_mutex_lock(&mutex);
  cw_status status = CW_OK;
  cwi_runtime *rt = atomic_load_explicit(&reactor, memory_order_acquire);
  if (rt != NULL) {
    cwi_runtime_post(rt, &stop);
    struct timespec limit;
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    uint64_t nanos = (uint64_t)limit.tv_nsec + timeout_ms % 1000 * CWI_NS_PER_MS;
    limit.tv_sec += (time_t)(timeout_ms / 1000 + nanos / CWI_NS_PER_S);
    limit.tv_nsec = (long)(nanos % CWI_NS_PER_S);
    if (pthread_timedjoin_np(thread, NULL, &limit) != 0) {
      (void)pthread_detach(thread);
      status = CWI_RAISE(err, CW_E_ABANDONED, 0, "operations did not stop within %llu ms",
                         (unsigned long long)timeout_ms);
    }
    atomic_store_explicit(&reactor, NULL, memory_order_release);
    running = false;
  }
  (void)pthread_mutex_unlock(&mutex);
  if (!cwi_offload_stop(timeout_ms * CWI_NS_PER_MS) && status == CW_OK) {
    status = CWI_RAISE(err, CW_E_ABANDONED, 0, "offloaded functions did not return within %llu ms",
                       (unsigned long long)timeout_ms);
  }
  return status;
}
