/* SPDX-License-Identifier: MIT */
/* A pool of threads for the kernels: one job at a time, cut into many small chunks that whoever is
 * running takes. The caller works too, so a thread that the system does not run costs at most the
 * one chunk it holds. Threads spin for at most 20 microseconds, then park. */
#ifndef LLM_THREAD_H
#define LLM_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"

#define CWI_LLM_THREADS_MAX 64

typedef struct cwi_llm_pool cwi_llm_pool;

/* Does chunk number `chunk` on thread number `thread` (0 is the caller). Must not block. */
typedef void (*cwi_llm_chunk_fn)(void *context, size_t chunk, size_t thread);

/* Starts a pool of `threads` threads, the caller of run() included; 0 means one for every CPU that
 * this process may use, at most 8. With `background` its own threads run only when a CPU is idle.
 */
cw_status cwi_llm_pool_new(size_t threads, bool background, cwi_llm_pool **out, cw_error *err);

/* Ends and joins the threads; NULL is allowed. No job may be running. */
void cwi_llm_pool_free(cwi_llm_pool *pool);

size_t cwi_llm_pool_threads(const cwi_llm_pool *pool);

/* Does chunks 0 to `chunks` - 1, in any order, on any of the threads; returns when all are done.
 * One caller at a time. */
void cwi_llm_pool_run(cwi_llm_pool *pool, size_t chunks, cwi_llm_chunk_fn fn, void *context);

#endif
