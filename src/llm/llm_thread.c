/* SPDX-License-Identifier: MIT */
/* The kernels' thread pool.
 *
 * A job is a function and a number of chunks. Its ticket is one word: the job's number in the high
 * half, the next chunk in the low half. A thread takes a chunk by advancing the ticket with a
 * compare-and-swap, which fails where the job has changed meanwhile; so a thread that slept through
 * a job cannot take a chunk of the next one by mistake, and there is no barrier at which everybody
 * must arrive: the caller only waits for chunks that somebody has taken and not finished.
 *
 * The description of the job is written before its ticket and read between loading the ticket and
 * advancing it. That a swap succeeds proves that the job was alive, and its description in place,
 * all the time between. Its fields are atomic, because a thread that comes late may read them while
 * the next job is being written; it throws away what it read.
 *
 * Waiting: a short spin, then a condition variable. On a machine where something else keeps the
 * cores busy, a spinning thread steals the time that the thread it waits for needs. */
#include "llm/llm_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/thread.h"

#define SPIN_NS_MAX 20000
#define SPIN_ROUNDS 32 /* pauses between two looks at the clock */
#define THREADS_DEFAULT_MAX 8

typedef struct worker {
  cwi_llm_pool *pool;
  pthread_t thread;
  size_t index;
} worker;

struct cwi_llm_pool {
  /* the job: written by the caller of run() */
  _Atomic uint64_t ticket;
  _Atomic(cwi_llm_chunk_fn) fn;
  _Atomic(void *) context;
  _Atomic uint32_t chunks;
  CWI_ALIGNED(64) _Atomic uint32_t done; /* chunks finished */
  CWI_ALIGNED(64) _Atomic bool stop;
  _Atomic uint32_t parked;    /* workers that sleep or are about to */
  _Atomic bool caller_parked; /* the caller sleeps or is about to */
  pthread_mutex_t mutex;      /* guards nothing but the two sleeps */
  pthread_cond_t work;        /* there is a new job, or stop */
  pthread_cond_t finished;    /* the last chunk is done */
  size_t threads;
  size_t started; /* workers that run */
  bool spins;     /* more than one CPU */
  bool background;
  worker workers[CWI_LLM_THREADS_MAX];
};

static uint64_t now_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Takes and does chunks of the current job until none is left. */
static void work(cwi_llm_pool *pool, size_t thread) {
  for (;;) {
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    cwi_llm_chunk_fn fn = atomic_load_explicit(&pool->fn, memory_order_relaxed);
    void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
    uint32_t chunks = atomic_load_explicit(&pool->chunks, memory_order_relaxed);
    uint32_t chunk = (uint32_t)ticket;
    if (chunk >= chunks) return;
    if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1,
                                               memory_order_acq_rel, memory_order_relaxed)) {
      continue;
    }
    fn(context, chunk, thread);
    uint32_t done = atomic_fetch_add_explicit(&pool->done, 1, memory_order_seq_cst) + 1;
    if (done == chunks && thread != 0 &&
        atomic_load_explicit(&pool->caller_parked, memory_order_seq_cst)) {
      (void)pthread_mutex_lock(&pool->mutex);
      (void)pthread_cond_signal(&pool->finished);
      (void)pthread_mutex_unlock(&pool->mutex);
    }
  }
}

/* Whether the ticket is another one than `seen`, or the pool stops. */
static bool has_news(const cwi_llm_pool *pool, uint64_t seen) {
  uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_seq_cst);
  return ticket >> 32 != seen >> 32 || atomic_load_explicit(&pool->stop, memory_order_seq_cst);
}

static bool all_done(const cwi_llm_pool *pool, uint32_t chunks) {
  return atomic_load_explicit(&pool->done, memory_order_seq_cst) == chunks;
}

static void wait_for_job(cwi_llm_pool *pool, uint64_t seen) {
  if (pool->spins) {
    uint64_t end = now_ns() + SPIN_NS_MAX;
    do {
      for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (has_news(pool, seen)) return;
        CWI_CPU_PAUSE();
      }
    } while (now_ns() < end);
  }
  (void)pthread_mutex_lock(&pool->mutex);
  (void)atomic_fetch_add_explicit(&pool->parked, 1, memory_order_seq_cst);
  while (!has_news(pool, seen)) (void)pthread_cond_wait(&pool->work, &pool->mutex);
  (void)atomic_fetch_sub_explicit(&pool->parked, 1, memory_order_seq_cst);
  (void)pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_end(cwi_llm_pool *pool, uint32_t chunks) {
  if (pool->spins) {
    uint64_t end = now_ns() + SPIN_NS_MAX;
    do {
      for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (all_done(pool, chunks)) return;
        CWI_CPU_PAUSE();
      }
    } while (now_ns() < end);
  }
  (void)pthread_mutex_lock(&pool->mutex);
  atomic_store_explicit(&pool->caller_parked, true, memory_order_seq_cst);
  while (!all_done(pool, chunks)) (void)pthread_cond_wait(&pool->finished, &pool->mutex);
  atomic_store_explicit(&pool->caller_parked, false, memory_order_seq_cst);
  (void)pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *context) {
  worker *self = context;
  cwi_llm_pool *pool = self->pool;
  cwi_thread_describe("cw-llm", pool->background);
  uint64_t seen = 0;
  while (!atomic_load_explicit(&pool->stop, memory_order_seq_cst)) {
    work(pool, self->index);
    wait_for_job(pool, seen);
    seen = atomic_load_explicit(&pool->ticket, memory_order_seq_cst);
  }
  return NULL;
}

static cw_status start_workers(cwi_llm_pool *pool, cw_error *err) {
  int code = 0;
  for (size_t i = 1; i < pool->threads && code == 0; i++) {
    pool->workers[i] = (worker){.pool = pool, .index = i};
    code = cwi_thread_start(&pool->workers[i].thread, worker_main, &pool->workers[i]);
    if (code == 0) pool->started = i;
  }
  if (code != 0) return CWI_RAISE(err, CW_E_NOMEM, code, "the system gives no further thread");
  return CW_OK;
}

cw_status cwi_llm_pool_new(size_t threads, bool background, cwi_llm_pool **out, cw_error *err) {
  cw_status status = CW_OK;
  *out = NULL;
  size_t cpus = cwi_thread_cpus();
  if (threads == 0) threads = cpus < THREADS_DEFAULT_MAX ? cpus : THREADS_DEFAULT_MAX;
  if (threads > CWI_LLM_THREADS_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "%zu threads; at most %d are possible", threads,
                     CWI_LLM_THREADS_MAX);
  }
  cwi_llm_pool *pool = CWI_NEW(cwi_llm_pool);
  if (pool == NULL) return CWI_RAISE_NOMEM(err, "a thread pool");
  pool->threads = threads;
  pool->spins = cwi_thread_can_spin();
  pool->background = background;
  (void)pthread_mutex_init(&pool->mutex, NULL);
  (void)pthread_cond_init(&pool->work, NULL);
  (void)pthread_cond_init(&pool->finished, NULL);
  CWI_TRY(start_workers(pool, err));
  *out = pool;
  pool = NULL;

out:
  cwi_llm_pool_free(pool);
  return status;
}

void cwi_llm_pool_free(cwi_llm_pool *pool) {
  if (pool == NULL) return;
  (void)pthread_mutex_lock(&pool->mutex);
  atomic_store_explicit(&pool->stop, true, memory_order_seq_cst);
  (void)pthread_cond_broadcast(&pool->work);
  (void)pthread_mutex_unlock(&pool->mutex);
  for (size_t i = 1; i <= pool->started; i++) (void)pthread_join(pool->workers[i].thread, NULL);
  (void)pthread_cond_destroy(&pool->finished);
  (void)pthread_cond_destroy(&pool->work);
  (void)pthread_mutex_destroy(&pool->mutex);
  CWI_FREE(pool);
}

size_t cwi_llm_pool_threads(const cwi_llm_pool *pool) { return pool->threads; }

void cwi_llm_pool_run(cwi_llm_pool *pool, size_t chunks, cwi_llm_chunk_fn fn, void *context) {
  CWI_ASSERT(chunks < UINT32_MAX);
  if (chunks <= 1 || pool->threads == 1) {
    for (size_t i = 0; i < chunks; i++) fn(context, i, 0);
    return;
  }
  /* The old ticket is used up: no worker takes a chunk until the new one is there. */
  uint64_t job = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
  atomic_store_explicit(&pool->ticket, (job - 1) << 32 | UINT32_MAX, memory_order_seq_cst);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->fn, fn, memory_order_relaxed);
  atomic_store_explicit(&pool->context, context, memory_order_relaxed);
  atomic_store_explicit(&pool->chunks, (uint32_t)chunks, memory_order_relaxed);
  atomic_store_explicit(&pool->ticket, (job & UINT32_MAX) << 32, memory_order_seq_cst);
  if (atomic_load_explicit(&pool->parked, memory_order_seq_cst) > 0) {
    (void)pthread_mutex_lock(&pool->mutex);
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->mutex);
  }
  work(pool, 0);
  wait_for_end(pool, (uint32_t)chunks);
}
