/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Offload: blocking or CPU-bound functions on a pool of threads, away from every loop.
 *
 *   cw_future *sum = cw_offload(hash_file, path);
 *
 * The pool grows to as many threads as there are CPUs, at least four; a thread that has been idle
 * for ten seconds ends.
 *
 * Thread rule: any thread.
 */
#ifndef CAUSEWAY_OFFLOAD_H
#define CAUSEWAY_OFFLOAD_H

#include "causeway/task.h"

CW_BEGIN_DECLS

/**
 * Runs `fn` on a thread of the pool; the future settles with what it returns.
 *
 * Ownership: `context` stays the caller's and must live until the future settles.
 * Threads:   `fn` runs on a pool thread; it may block, and may use cw_await() on that thread's
 *            runtime.
 * Cancel:    before it has started, it never runs: nothing happened. While it runs, it is asked
 *            (cw_offload_is_cancelled) and the future settles when it returns.
 * Errors:    CW_E_INVALID; CW_E_NOMEM; CW_E_LIMIT the system refused a thread; CW_E_FORKED
 * Returns:   never NULL.
 * Since:     0.1
 */
CW_API cw_future *cw_offload(cw_task_fn fn, void *context);

/** True inside an offloaded function whose future was cancelled or dropped: it should return. */
CW_API bool cw_offload_is_cancelled(void);

/** With `on`, pool threads that start from now on run in the system's lowest scheduling class, so
 * that work in them never disturbs a thread that draws. Threads: any. Since: 0.1 */
CW_API void cw_offload_background(bool on);

CW_END_DECLS

#endif
