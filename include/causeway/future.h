/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One way to wait: a future is one result, settled exactly once, from any thread.
 *
 * The life of a future: a call that starts an operation returns it; it settles with a value or an
 * error when the operation has really ended; cw_await() (or cw_future_take()) hands the result out
 * and releases it. Dropping it with cw_release() before it settles cancels the operation.
 *
 *   cw_future *ways[] = {cw_spawn(from_cache, key), cw_spawn(from_net, key)};
 *   cw_value value;
 *   cw_error err;
 *   if (cw_await(cw_timeout(cw_race(ways, 2), 2000), &value, &err) != CW_OK) return report(&err);
 *
 * A function that returns a future never returns NULL: a failure to start is a future that has
 * already failed, so there is one error path only. Combinators take the futures given to them.
 *
 * Cancelling asks; the future settles when the operation has stopped. The error's `outcome` then
 * says whether nothing had happened, something may have, or the operation had completed.
 *
 * Thread rule: every function may be called from any thread.
 *
 * Ownership: a future that is returned is the caller's, until cw_await(), cw_future_take(), a
 *            combinator or cw_release() takes it.
 * Cancel:    cw_future_cancel(), or dropping the last reference, stops what the future stands for.
 * Errors:    a function that returns a future fails through it: CW_E_NOMEM, CW_E_INVALID.
 * Since:     0.1
 */
#ifndef CAUSEWAY_FUTURE_H
#define CAUSEWAY_FUTURE_H

#include "causeway/handle.h"
#include "causeway/value.h"

CW_BEGIN_DECLS

typedef struct cw_future cw_future;
typedef struct cw_completer cw_completer;

/**
 * Waits until `future` settles, takes its result and releases it.
 *
 * Inside a task the task parks and its thread does other work; on a plain thread the call drives
 * this thread's own runtime until the future settles.
 *
 * @param future  taken, also on failure; but not where the result is CW_E_REENTRANT or CW_E_STALE
 * @param value   the result, which the caller releases; NONE on failure; NULL drops it
 *
 * Blocking:  a plain thread, until the future settles; a task parks.
 * Cancel:    where the task that waits is cancelled, `future` is cancelled (or, where others hold
 *            it too, only left), and the wait ends with CW_E_CANCELLED once it has stopped.
 * Errors:    the operation's own; CW_E_REENTRANT  waiting here would deadlock: inside a callback of
 *            a loop, or the future can only be settled by the task or thread that waits; CW_E_STALE
 *            not a live future; CW_E_FORKED
 * Since:     0.1
 */
CW_API cw_status cw_await(cw_future *future, cw_value *value, cw_error *err);

/**
 * Waits for all of `len` futures, takes their results in order, and releases them.
 *
 * The first failure cancels the others, waits until they have stopped, and is the result; then all
 * of `values` are NONE. Otherwise as cw_await(). With `len` 0 it succeeds at once.
 */
CW_API cw_status cw_await_all(cw_future *const *futures, size_t len, cw_value *values,
                              cw_error *err);

/** True once the future has settled; false also for a stale one. Threads: any. Since: 0.1 */
CW_API bool cw_future_is_settled(const cw_future *future);

/**
 * Takes the result of a settled future and releases it, without waiting.
 *
 * Errors:    the operation's own; CW_E_STATE not settled yet (the future is kept); CW_E_STALE
 * Since:     0.1
 */
CW_API cw_status cw_future_take(cw_future *future, cw_value *value, cw_error *err);

/**
 * Asks the operation to stop. The future settles with CW_E_CANCELLED when it has.
 *
 * After it has settled this does nothing. The reference stays the caller's.
 *
 * Blocking:  never.
 * Errors:    CW_E_STALE
 * Since:     0.1
 */
CW_API cw_status cw_future_cancel(cw_future *future);

/** Called once when the future has settled. `future` is borrowed; take its result with
 *  cw_future_take(), which releases the reference that the registering code held. */
typedef void (*cw_future_fn)(cw_future *future, void *context);

/**
 * Has `callback` called once when `future` settles; at once (but never inside this call) where it
 * has.
 *
 * Threads:   the callback runs on the runtime of the thread that registers it, where that thread is
 *            inside its runtime; else on the reactor's thread. It must not block. It is not called
 *            where the last reference is dropped before the future settles.
 * Errors:    CW_E_STALE; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_future_on_settle(cw_future *future, cw_future_fn callback, void *context,
                                     cw_error *err);

/**
 * Returns the details of a settled future's error as JSON (code, message, trace ...), as a string
 * value.
 *
 * Errors:    CW_E_STATE not settled or not failed; CW_E_STALE; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_future_error_detail(cw_future *future, cw_value *detail, cw_error *err);

/* ---- futures that are settled from the start ---- */

/** A future that has settled with `value`, which is taken. Never NULL. */
CW_API cw_future *cw_ready(cw_value value);
/** A future that has failed with `code` and `message` (NULL: the code's own text). Never NULL. */
CW_API cw_future *cw_failed(cw_status code, const char *message);

/* ---- oneshot: a future and the completer that settles it ---- */

/**
 * Makes a pending future and its sending half.
 *
 * Releasing the completer without settling gives the future CW_E_CLOSED ("channel closed").
 *
 * @param completer  receives the sending half, to be used from any thread
 *
 * Returns:   the future; where there is no memory a failed one, and NULL in `completer`.
 * Since:     0.1
 */
CW_API cw_future *cw_oneshot(cw_completer **completer);

/**
 * Settles the future with `value`, which is taken, and ends the completer: on every path.
 *
 * Errors:    CW_E_CANCELLED  the future was cancelled or dropped; the value was released
 *            CW_E_STALE      the completer was used before
 */
CW_API cw_status cw_complete(cw_completer *completer, cw_value value);

/** Fails the future with `code` and `message` (NULL: the code's own text); otherwise as
 * cw_complete(). */
CW_API cw_status cw_complete_error(cw_completer *completer, cw_status code, const char *message);

/** Called once when the future is cancelled or dropped; the future settles when the completer is
 * used. */
typedef void (*cw_cancel_fn)(void *context);

/**
 * Has `callback` called when the future is cancelled; without one a cancel settles the future at
 * once.
 *
 * Threads:   the callback runs on the thread that cancels; it must not block.
 * Errors:    CW_E_STALE; CW_E_CANCELLED it is cancelled already, and `callback` will not be called
 */
CW_API cw_status cw_completer_on_cancel(cw_completer *completer, cw_cancel_fn callback,
                                        void *context);

/* ---- combinators: they take their futures, and settle when all they took has stopped ---- */

/** All values as an array in order, or the first failure, which cancels the others. */
CW_API cw_future *cw_all(cw_future *const *futures, size_t len);
/** The first success; where all fail, the last failure. The others are cancelled. */
CW_API cw_future *cw_any(cw_future *const *futures, size_t len);
/** The first to settle, value or failure. The others are cancelled. */
CW_API cw_future *cw_race(cw_future *const *futures, size_t len);

/** The longest time-out, in milliseconds: a year. */
#define CW_TIMEOUT_MS_MAX UINT64_C(31536000000)

/**
 * Gives the operation behind `future` at most `ms` milliseconds from now, and returns the same
 * future.
 *
 * When they have passed the operation is cancelled, and once it has stopped the future settles with
 * CW_E_TIMEOUT. A second call replaces the first. Fails with CW_E_INVALID past CW_TIMEOUT_MS_MAX.
 */
CW_API cw_future *cw_timeout(cw_future *future, uint64_t ms);

/** Settles with NONE after `ms` milliseconds; never early. */
CW_API cw_future *cw_sleep(uint64_t ms);

CW_END_DECLS

#endif
