/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The library as a whole: ending it in order, and what this build can do.
 *
 * There is nothing to start: each thread that waits gets its own runtime on first use, gone with
 * the thread; operations started from a thread that is inside no runtime run on one background
 * thread, the reactor, started on first use.
 *
 * Thread rule: any thread, but not from a task or callback of the library.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_RUNTIME_H
#define CAUSEWAY_RUNTIME_H

#include "causeway/error.h"

CW_BEGIN_DECLS

/**
 * Ends everything in order: cancels what runs on the reactor, waits for it, stops background
 * threads.
 *
 * Optional: a process may exit without it. Afterwards the library can be used again.
 *
 * @param timeout_ms  how long to wait for operations that do not stop
 *
 * Blocking:  up to `timeout_ms`.
 * Errors:    CW_E_ABANDONED  something did not stop in time; CW_E_REENTRANT  called from a runtime
 * Since:     0.1
 */
CW_API cw_status cw_shutdown(uint64_t timeout_ms, cw_error *err);

CW_END_DECLS

#endif
