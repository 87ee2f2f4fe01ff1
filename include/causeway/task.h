/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tasks: straight-line C that may wait without blocking its thread.
 *
 * A task runs on a small stack of its own (CW_TASK_STACK_BYTES) on one thread's runtime. Where it
 * awaits, it parks, and the thread does other work. Tasks form a tree: a task that ends cancels the
 * tasks that it has spawned and waits until they have ended; no task outlives its parent.
 *
 *   static cw_status greet(void *context, cw_value *out, cw_error *err) {
 *     cw_status status = cw_await(cw_sleep(100), NULL, err);
 *     if (status == CW_OK) *out = cw_value_int(42);
 *     return status;
 *   }
 *   cw_block_on(greet, NULL, &value, &err);   // a plain thread's way in
 *
 * Thread rule: a task stays on the thread on which it was started.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_TASK_H
#define CAUSEWAY_TASK_H

#include "causeway/future.h"

CW_BEGIN_DECLS

/** The stack of a task, in bytes; a guard page ends it. */
#define CW_TASK_STACK_BYTES (60 * 1024)

/**
 * The body of a task: returns CW_OK with `*out` set (NONE at first), or a failure with `*err`
 * filled.
 *
 * Runs once, on the runtime's thread. A failure whose `err->code` was left CW_OK gets the code's
 * text.
 */
typedef cw_status (*cw_task_fn)(void *context, cw_value *out, cw_error *err);

/**
 * Starts a task; its future settles with what `fn` returns, after the tasks it spawned have ended.
 *
 * Inside a task, the new one runs on the same runtime as a child of it; elsewhere on the reactor.
 *
 * Ownership: `context` stays the caller's and must live until the future settles.
 * Cancel:    the wait at which the task is parked ends with CW_E_CANCELLED, and so does every later
 *            one; the task cleans up and returns. A task cancelled before it ran never runs.
 * Errors:    CW_E_INVALID  no function; CW_E_NOMEM; CW_E_LIMIT  too many tasks; CW_E_FORKED
 * Returns:   never NULL.
 * Since:     0.1
 */
CW_API cw_future *cw_spawn(cw_task_fn fn, void *context);

/**
 * Runs `fn` as this thread's root task on this thread's own runtime, until it and its children end.
 *
 * Blocking:  the thread, until then. The reactor is not involved.
 * Errors:    what `fn` returns; CW_E_REENTRANT  the thread is inside its runtime already;
 *            CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_block_on(cw_task_fn fn, void *context, cw_value *out, cw_error *err);

/** True inside a task that was cancelled (and not shielded). Threads: any. Since: 0.1 */
CW_API bool cw_task_is_cancelled(void);

/**
 * While `on`, waits of this task are not cut short by its cancellation: for clean-up that must
 * wait.
 *
 * Outside a task it does nothing. Nests: each `true` needs its `false`.
 */
CW_API void cw_task_shield(bool on);

/** Lets the other work of this thread run; in a task. Errors: CW_E_CANCELLED; CW_E_STATE not a
 * task. */
CW_API cw_status cw_yield(cw_error *err);

CW_END_DECLS

#endif
