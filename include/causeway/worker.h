/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Workers: a thread of its own with a mailbox, that keeps state between commands.
 *
 * The life of a worker: cw_worker_new() makes it, cw_worker_start() runs `init` on its new thread
 * (the handshake), each cw_worker_send() is answered in order by one call of `handle`, and closing
 * it, by draining or aborting, runs `deinit` as the last thing on its thread. Commands are numbers
 * with a value; replies are a value, or an error that keeps code, message and trace.
 *
 *   cw_worker_options options = CW_WORKER_OPTIONS_INIT;
 *   options.handle = handle_command;
 *   cw_worker *worker = cw_worker_new(&options, err);
 *   cw_await(cw_worker_start(worker), NULL, err);
 *   cw_await(cw_worker_send(worker, COMMAND_ADD, cw_value_int(2)), &reply, err);
 *   cw_await(cw_worker_close(worker, true), NULL, err);
 *   cw_release(worker);
 *
 * Thread rule: every function may be called from any thread; the three callbacks run on the
 * worker's thread, one at a time, as tasks: they may await.
 */
#ifndef CAUSEWAY_WORKER_H
#define CAUSEWAY_WORKER_H

#include "causeway/future.h"

CW_BEGIN_DECLS

typedef struct cw_worker cw_worker;

/** Prepares the worker's state; a failure is the handshake's, and the worker ends. */
typedef cw_status (*cw_worker_init_fn)(void *context, cw_error *err);
/** Answers one command. `argument` is borrowed. */
typedef cw_status (*cw_worker_handle_fn)(void *context, int32_t command, cw_value argument,
                                         cw_value *reply, cw_error *err);
/** Frees the worker's state; called once where `init` succeeded (or there is none). */
typedef void (*cw_worker_deinit_fn)(void *context);

typedef struct cw_worker_options {
  uint32_t struct_size;
  uint32_t grace_ms;          /* how long a handler may go on after it was asked to stop */
  cw_worker_init_fn init;     /* NULL: none */
  cw_worker_handle_fn handle; /* required */
  cw_worker_deinit_fn deinit; /* NULL: none */
  void *context;              /* given to all three */
  const char *name;           /* of the thread, at most 15 bytes; copied; NULL: "causeway-work" */
  size_t queue_len_max;       /* commands that may wait; more give CW_E_LIMIT */
  bool background;            /* run in the system's lowest scheduling class */
} cw_worker_options;

#define CW_WORKER_OPTIONS_INIT \
  { .struct_size = sizeof(cw_worker_options), .grace_ms = 5000, .queue_len_max = 65536 }

/**
 * Makes a worker; no thread is started yet.
 *
 * Ownership: the caller releases it, which aborts it where it still runs.
 * Errors:    CW_E_INVALID  no handler, or an unknown struct_size; CW_E_NOMEM; NULL is returned
 * Since:     0.1
 */
CW_API cw_worker *cw_worker_new(const cw_worker_options *options, cw_error *err);

/**
 * Starts the thread and runs `init` on it; the future settles when that has returned.
 *
 * Errors:    what `init` returned; CW_E_STATE  started before; CW_E_CLOSED; CW_E_LIMIT  the system
 *            refused a thread; CW_E_STALE
 */
CW_API cw_future *cw_worker_start(cw_worker *worker);

/**
 * Sends a command; the future settles with the handler's reply.
 *
 * @param argument  taken on every path
 *
 * Cancel:    one that waits is taken back: nothing happened. For the one that runs, the handler's
 *            await ends with CW_E_CANCELLED; the future settles when the handler has returned.
 * Errors:    the handler's; CW_E_STATE  not started; CW_E_CLOSED; CW_E_LIMIT  too many wait;
 *            CW_E_ABANDONED  the handler did not stop within the grace time; CW_E_REENTRANT  (of
 *            the await) a handler waits for a command of its own worker; CW_E_STALE
 */
CW_API cw_future *cw_worker_send(cw_worker *worker, int32_t command, cw_value argument);

/**
 * Closes the worker: with `drain` after what is queued, else at once, cancelling it.
 *
 * The future settles when the thread has ended. A second call waits for the same end; an abort
 * after a drain takes over.
 *
 * Errors:    CW_E_ABANDONED  a handler did not stop within the grace time: its thread is left to
 *            itself and frees its state when it returns; CW_E_STALE
 */
CW_API cw_future *cw_worker_close(cw_worker *worker, bool drain);

CW_END_DECLS

#endif
