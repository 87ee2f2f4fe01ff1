/* SPDX-License-Identifier: MIT */
/* Workers.
 *
 * The worker's thread runs one task (worker_main): handshake, then commands from the queue one by
 * one, each as a child task so that it can be cancelled alone, then `deinit`. The queue is a list
 * of the commands' futures under the object's lock. The worker's task parks where the queue is
 * empty; whoever finds `waiting` set clears it and wakes the task, once.
 *
 * Abandoning: where an abort's grace time passes, the command's future and the closers settle with
 * CW_E_ABANDONED; the thread, which holds its own reference to the worker, ends when the handler
 * returns. */
#include "core/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/thread.h"
#include "core/value.h"

typedef struct command_op {
  cwi_worker *worker; /* a reference */
  cwi_future *next;
  cw_value argument;
  int32_t command;
  bool queued; /* [worker's lock] */
} command_op;

typedef struct closer_op {
  cwi_worker *worker; /* a reference */
  cwi_future *next;   /* [worker's lock] */
} closer_op;

static command_op *command_of(cwi_future *f) {
  command_op *op = CWI_FUTURE_OP(f, command_op);
  return op;
}

static closer_op *closer_of(cwi_future *f) {
  closer_op *op = CWI_FUTURE_OP(f, closer_op);
  return op;
}

/* ---- life ---- */

static void worker_deinit(cwi_object_head *object) {
  cwi_worker *w = (cwi_worker *)(void *)object;
  CWI_ASSERT(w->queue == NULL && w->command == NULL && w->closers == NULL);
  if (w->runtime != NULL) cwi_runtime_unref(w->runtime);
}

static void shut_worker(cwi_worker *w, bool drain);

static void worker_closed(cwi_object_head *object, cw_handle_kind kind) {
  (void)kind;
  shut_worker((cwi_worker *)(void *)object, false);
  cwi_object_unref(object);
}

static const cwi_pool_ops WORKER_OPS = {"worker", sizeof(cwi_worker), worker_closed, worker_deinit};

cw_worker *cw_worker_new(const cw_worker_options *options, cw_error *err) {
  cwi_error_clear(err);
  if (options == NULL || options->struct_size != sizeof(*options) || options->handle == NULL) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "a worker needs options of a known size with a handler");
    return NULL;
  }
  cwi_pool_define(CW_HANDLE_WORKER, CW_HANDLE_NONE, &WORKER_OPS);
  cwi_worker *w = cwi_object_new(CW_HANDLE_WORKER, false);
  if (w == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a worker");
    return NULL;
  }
  w->options = *options;
  w->queue_last = &w->queue;
  (void)snprintf(w->name, sizeof(w->name), "%s",
                 options->name != NULL ? options->name : "causeway-work");
  return (cw_worker *)cwi_object_handle(w, CW_HANDLE_WORKER);
}

/* ---- the queue; all under the lock ---- */

static cwi_future *pop_command(cwi_worker *w) {
  cwi_future *f = w->queue;
  if (f == NULL) return NULL;
  w->queue = command_of(f)->next;
  if (w->queue == NULL) w->queue_last = &w->queue;
  w->queue_len--;
  command_of(f)->queued = false;
  return f;
}

static void push_command(cwi_worker *w, cwi_future *f) {
  command_op *op = command_of(f);
  op->next = NULL;
  op->queued = true;
  *w->queue_last = f;
  w->queue_last = &op->next;
  w->queue_len++;
}

static bool remove_command(cwi_worker *w, cwi_future *f) {
  if (!command_of(f)->queued) return false;
  cwi_future **link = &w->queue;
  while (*link != f) link = &command_of(*link)->next;
  *link = command_of(f)->next;
  if (*link == NULL) w->queue_last = link;
  w->queue_len--;
  command_of(f)->queued = false;
  return true;
}

static cwi_future *take_queue(cwi_worker *w) {
  cwi_future *list = w->queue;
  for (cwi_future *f = list; f != NULL; f = command_of(f)->next) command_of(f)->queued = false;
  w->queue = NULL;
  w->queue_last = &w->queue;
  w->queue_len = 0;
  return list;
}

static void fail_commands(cwi_future *list, cw_status code, const char *why) {
  cw_error err;
  (void)CWI_RAISE(&err, code, 0, "%s", why);
  while (list != NULL) {
    cwi_future *f = list;
    list = command_of(f)->next;
    (void)cwi_future_finish(f, code, cwi_value_none(), &err);
  }
}

/* ---- the worker's thread ---- */

typedef struct handler_call {
  cwi_worker *worker;
  command_op *op;
} handler_call;

static cw_status handler_main(void *context, cw_value *out, cw_error *err) {
  handler_call *call = context;
  const cw_worker_options *options = &call->worker->options;
  return options->handle(options->context, call->op->command, call->op->argument, out, err);
}

/* Takes the command that runs back from the worker; false where it was abandoned. */
static bool end_command(cwi_worker *w, cwi_future *f) {
  cwi_object_lock(w);
  bool mine = w->command == f;
  cwi_future *task = w->running;
  w->command = NULL;
  w->running = NULL;
  cwi_object_unlock(w);
  if (task != NULL) cwi_future_unref(task);
  return mine;
}

static void run_command(cwi_worker *w, cwi_future *f) {
  cw_error err = {.code = CW_OK};
  handler_call call = {w, command_of(f)};
  cwi_future *task = cwi_task_spawn(w->task->runtime, handler_main, &call, "worker_command", &err);
  if (task == NULL) {
    (void)end_command(w, f);
    (void)cwi_future_finish(f, err.code, cwi_value_none(), &err);
    return;
  }
  cw_future *handle = cwi_future_handle(task);
  cwi_object_lock(w);
  cwi_object_ref(task);
  w->running = task;
  cwi_object_unlock(w);
  if (cwi_future_is_cancel_requested(f)) cwi_future_request_cancel(task, CW_E_CANCELLED);
  cw_value reply;
  cw_status status = cw_await(handle, &reply, &err);
  if (end_command(w, f)) {
    (void)cwi_future_finish(f, status, reply, &err);
  } else {
    cw_value_release(&reply);
  }
  cwi_future_unref(f); /* what the worker held while it ran */
}

/* The next command with a reference for the time it runs; NULL: the worker ends. */
static cwi_future *next_command(cwi_worker *w) {
  for (;;) {
    cwi_object_lock(w);
    cwi_future *f = w->state == CWI_WORKER_ABORTING ? NULL : pop_command(w);
    if (f != NULL) {
      w->command = f;
      w->since_ns = cwi_clock_now();
    }
    bool ends = f == NULL && w->state != CWI_WORKER_RUNNING;
    w->waiting = f == NULL && !ends;
    cwi_object_unlock(w);
    if (f != NULL) cwi_future_ref(f);
    if (f != NULL || ends) return f;
    cwi_task_park(w->task);
  }
}

static void finish_handshake(cwi_worker *w, cw_status status, const cw_error *err) {
  cwi_object_lock(w);
  cwi_future *handshake = w->handshake;
  w->handshake = NULL;
  if (status == CW_OK && w->state == CWI_WORKER_STARTING) w->state = CWI_WORKER_RUNNING;
  if (status != CW_OK) w->state = CWI_WORKER_ABORTING;
  cwi_object_unlock(w);
  (void)cwi_future_finish(handshake, status, cwi_value_none(), err);
}

static cw_status worker_main(void *context, cw_value *out, cw_error *err) {
  cwi_worker *w = context;
  const cw_worker_options *options = &w->options;
  (void)out;
  cwi_task *task = cwi_task_current();
  task->runtime->worker = w;
  cwi_runtime_ref(task->runtime);
  cwi_object_lock(w);
  w->task = task;
  w->runtime = task->runtime;
  cwi_object_unlock(w);
  cw_status status = options->init != NULL ? options->init(options->context, err) : CW_OK;
  finish_handshake(w, status, err);
  if (status != CW_OK) return status;
  cwi_future *f;
  while ((f = next_command(w)) != NULL) run_command(w, f);
  if (options->deinit != NULL) options->deinit(options->context);
  return CW_OK;
}

static void end_worker(cwi_worker *w, cw_status status, const cw_error *err) {
  cwi_object_lock(w);
  w->state = CWI_WORKER_ENDED;
  cwi_future *handshake = w->handshake;
  cwi_future *closers = w->closers;
  cwi_future *queue = take_queue(w);
  w->handshake = NULL;
  w->closers = NULL;
  cwi_object_unlock(w);
  if (handshake != NULL) (void)cwi_future_finish(handshake, status, cwi_value_none(), err);
  fail_commands(queue, CW_E_CLOSED, "the worker has ended");
  while (closers != NULL) {
    cwi_future *f = closers;
    closers = closer_of(f)->next;
    (void)cwi_future_finish(f, CW_OK, cwi_value_none(), NULL);
  }
}

static void *thread_main(void *context) {
  cwi_worker *w = context;
  cwi_thread_describe(w->name, w->options.background);
  cw_error err;
  cw_status status = cw_block_on(worker_main, w, NULL, &err);
  end_worker(w, status, &err);
  cwi_object_unref(w); /* the thread's own */
  return NULL;
}

cw_future *cw_worker_start(cw_worker *worker) {
  cw_error err;
  cwi_worker *w = cwi_handle_get(worker, CW_HANDLE_WORKER);
  if (w == NULL) return cw_failed(CW_E_STALE, "not a live worker");
  cwi_future *f = cwi_future_new(NULL, "worker_start");
  if (f == NULL) {
    cwi_object_unref(w);
    return cwi_future_nomem();
  }
  cw_future *handle = cwi_future_handle(f);
  cwi_object_lock(w);
  cw_status status = w->state == CWI_WORKER_NEW        ? CW_OK
                     : w->state >= CWI_WORKER_DRAINING ? CW_E_CLOSED
                                                       : CW_E_STATE;
  if (status == CW_OK) {
    w->state = CWI_WORKER_STARTING;
    w->handshake = f;
  }
  cwi_object_unlock(w);
  if (status != CW_OK) {
    (void)CWI_RAISE(&err, status, 0, "the worker was %s before",
                    status == CW_E_STATE ? "started" : "closed");
    (void)cwi_future_finish(f, status, cwi_value_none(), &err);
    cwi_object_unref(w);
    return handle;
  }
  pthread_t thread;
  int code = cwi_thread_start(&thread, thread_main, w); /* our reference becomes the thread's */
  if (code == 0) {
    (void)pthread_detach(thread);
    return handle;
  }
  (void)CWI_RAISE(&err, CW_E_LIMIT, code, "the system refused a thread for the worker");
  end_worker(w, CW_E_LIMIT, &err);
  cwi_object_unref(w);
  return handle;
}

/* ---- commands ---- */

static void command_deinit(cwi_future *f) {
  cw_value_release(&command_of(f)->argument);
  cwi_object_unref(command_of(f)->worker);
}

static void command_on_cancel(cwi_future *f) {
  cwi_worker *w = command_of(f)->worker;
  cwi_object_lock(w);
  bool queued = remove_command(w, f);
  cwi_future *task = !queued && w->command == f ? w->running : NULL;
  if (task != NULL) cwi_future_ref(task);
  cwi_object_unlock(w);
  if (queued) {
    (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
  } else if (task != NULL) {
    cwi_future_request_cancel(task, CW_E_CANCELLED);
    cwi_future_unref(task);
  } /* else it has just been chosen to run: run_command looks for the request */
}

bool cwi_worker_would_deadlock(const cwi_future *f) {
  const cwi_runtime *rt = cwi_runtime_peek();
  if (rt == NULL || rt->worker == NULL || f->cancel != command_on_cancel) return false;
  const command_op *op = (const command_op *)(const void *)f->op;
  return op->worker == rt->worker;
}

static cw_status accept_locked(const cwi_worker *w) {
  switch (w->state) {
    case CWI_WORKER_NEW: return CW_E_STATE;
    case CWI_WORKER_STARTING:
    case CWI_WORKER_RUNNING: return w->queue_len < w->options.queue_len_max ? CW_OK : CW_E_LIMIT;
    default: return CW_E_CLOSED;
  }
}

static const char *refusal_text(cw_status status) {
  if (status == CW_E_STATE) return "the worker has not been started";
  return status == CW_E_LIMIT ? "too many commands wait" : "the worker is closed";
}

cw_future *cw_worker_send(cw_worker *worker, int32_t command, cw_value argument) {
  cw_error err = {.code = CW_OK};
  cwi_worker *w = cwi_handle_get(worker, CW_HANDLE_WORKER);
  cw_status status = cwi_value_detach(&argument, &err);
  if (w == NULL) status = CWI_RAISE(&err, CW_E_STALE, 0, "not a live worker");
  cwi_future *f = status == CW_OK ? cwi_future_new(NULL, "worker_send") : NULL;
  if (f == NULL) {
    cw_value_release(&argument);
    if (w != NULL) cwi_object_unref(w);
    return status == CW_OK ? cwi_future_nomem() : cwi_future_failed(&err);
  }
  cw_future *handle = cwi_future_handle(f);
  *command_of(f) = (command_op){.worker = w, .argument = argument, .command = command};
  f->cancel = command_on_cancel;
  f->op_deinit = command_deinit;
  cwi_object_lock(w);
  status = accept_locked(w);
  bool wake = status == CW_OK && w->waiting;
  if (status == CW_OK) push_command(w, f);
  if (wake) w->waiting = false;
  cwi_task *task = w->task;
  cwi_object_ref_locked(w);
  cwi_object_unlock(w);
  if (wake) cwi_task_wake(task);
  if (status != CW_OK) {
    (void)CWI_RAISE(&err, status, 0, "%s", refusal_text(status));
    (void)cwi_future_finish(f, status, cwi_value_none(), &err);
  }
  cwi_object_unref(w);
  return handle;
}

/* ---- closing ---- */

/* Starts the end; what is cancelled is told after the lock is given up. */
static void shut_worker(cwi_worker *w, bool drain) {
  cwi_object_lock(w);
  bool never_started = w->state == CWI_WORKER_NEW;
  if (never_started) {
    w->state = CWI_WORKER_ENDED;
  } else if (!drain && w->state < CWI_WORKER_ABORTING) {
    w->state = CWI_WORKER_ABORTING;
  } else if (drain && w->state < CWI_WORKER_DRAINING) {
    w->state = CWI_WORKER_DRAINING;
  }
  cwi_future *queue = w->state == CWI_WORKER_ABORTING ? take_queue(w) : NULL;
  cwi_future *task = w->state == CWI_WORKER_ABORTING ? w->running : NULL;
  if (task != NULL) cwi_future_ref(task);
  bool wake = w->waiting;
  w->waiting = false;
  cwi_task *parked = w->task;
  cwi_object_unlock(w);
  fail_commands(queue, CW_E_CLOSED, "the worker was closed before the command ran");
  if (task != NULL) {
    cwi_future_request_cancel(task, CW_E_CLOSED);
    cwi_future_unref(task);
  }
  if (wake) cwi_task_wake(parked);
}

static void closer_deinit(cwi_future *f) { cwi_object_unref(closer_of(f)->worker); }

static bool remove_closer(cwi_worker *w, cwi_future *f) {
  for (cwi_future **link = &w->closers; *link != NULL; link = &closer_of(*link)->next) {
    if (*link != f) continue;
    *link = closer_of(f)->next;
    return true;
  }
  return false;
}

/* The grace time has passed, or nobody wants to know any more. */
static void closer_on_cancel(cwi_future *f) {
  cwi_worker *w = closer_of(f)->worker;
  bool late = f->cancel_reason == CW_E_TIMEOUT;
  cwi_object_lock(w);
  bool waits = remove_closer(w, f);
  cwi_future *command = late && waits ? w->command : NULL;
  if (command != NULL) w->command = NULL;
  cwi_object_unlock(w);
  cw_error err;
  (void)CWI_RAISE(&err, late ? CW_E_ABANDONED : CW_E_CANCELLED, 0,
                  "the handler of '%s' did not return within %u ms", w->name, w->options.grace_ms);
  err.outcome = CW_OUTCOME_MAYBE;
  if (command != NULL) (void)cwi_future_finish(command, err.code, cwi_value_none(), &err);
  if (waits) (void)cwi_future_finish(f, err.code, cwi_value_none(), &err);
}

cw_future *cw_worker_close(cw_worker *worker, bool drain) {
  cwi_worker *w = cwi_handle_get(worker, CW_HANDLE_WORKER);
  if (w == NULL) return cw_failed(CW_E_STALE, "not a live worker");
  cwi_future *f = cwi_future_new(NULL, "worker_close");
  if (f == NULL) {
    shut_worker(w, drain);
    cwi_object_unref(w);
    return cwi_future_nomem();
  }
  cw_future *handle = cwi_future_handle(f);
  cwi_object_ref(w);
  closer_of(f)->worker = w;
  f->cancel = closer_on_cancel;
  f->op_deinit = closer_deinit;
  shut_worker(w, drain);
  cwi_future_ref(f);
  cwi_object_lock(w);
  bool ended = w->state == CWI_WORKER_ENDED;
  if (!ended) {
    closer_of(f)->next = w->closers;
    w->closers = f;
  }
  cwi_object_unlock(w);
  if (ended) {
    (void)cwi_future_finish(f, CW_OK, cwi_value_none(), NULL);
  } else if (!drain) {
    (void)cwi_deadline_set(f, w->options.grace_ms, NULL);
  }
  cwi_future_unref(f);
  cwi_object_unref(w);
  return handle;
}
