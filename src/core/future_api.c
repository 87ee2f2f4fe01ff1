/* SPDX-License-Identifier: MIT */
/* The public face of futures: awaiting, taking, cancelling, oneshots, callbacks.
 *
 * cw_await has three ways: the future has settled (take it); a task waits (it parks); a plain
 * thread waits (it drives its own runtime). Everything else would deadlock and is refused. */
#include <stdio.h>
#include <string.h>

#include "causeway/clock.h"
#include "core/alloc.h"
#include "core/assert.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/future.h"
#include "core/task.h"
#include "core/thread.h"
#include "core/value.h"
#include "core/worker.h"

cw_status cwi_future_raise_dead(const cw_future *future, cw_error *err) {
  if (future == cwi_future_nomem()) return CWI_RAISE_NOMEM(err, "a future");
  return CWI_RAISE(err, CW_E_STALE, 0, "not a live future");
}

/* ---- awaiting ---- */

typedef struct task_wait {
  cwi_waiter waiter;
  cwi_task *task;
} task_wait;

static void task_wait_on_notify(cwi_waiter *waiter) {
  cwi_task_wake(CWI_CONTAINER_OF(waiter, task_wait, waiter)->task);
}

/* Parks until the locked future has settled; false where the task was cancelled and left it to its
 * other holders. The lock is given up and taken again. */
static bool park_for_locked(cwi_task *task, cwi_future *f) {
  task_wait wait = {.waiter.notify = task_wait_on_notify, .task = task};
  cwi_future_link_locked(f, &wait.waiter);
  cwi_object_unlock(f);
  task->waits_for = f;
  task->waiter = &wait.waiter;
  if (CWI_UNLIKELY(task->cancelled && task->shields == 0)) cwi_task_interrupt(task);
  cwi_task_park(task);
  bool settled = task->waiter != NULL;
  task->waits_for = NULL;
  task->waiter = NULL;
  cwi_object_lock(f);
  return settled;
}

typedef struct thread_wait {
  cwi_waiter waiter;
  cwi_job job; /* brings the news to the runtime of the thread that waits */
  cwi_runtime *runtime;
  bool settled; /* [that thread] */
} thread_wait;

static void thread_wait_on_run(cwi_job *job) {
  CWI_CONTAINER_OF(job, thread_wait, job)->settled = true;
}

static void thread_wait_on_notify(cwi_waiter *waiter) {
  thread_wait *wait = CWI_CONTAINER_OF(waiter, thread_wait, waiter);
  cwi_runtime_send(wait->runtime, &wait->job);
}

static bool thread_wait_is_over(void *context) { return ((thread_wait *)context)->settled; }

static void drive_for_locked(cwi_runtime *rt, cwi_future *f) {
  thread_wait wait = {.waiter.notify = thread_wait_on_notify, .runtime = rt};
  wait.job.run = thread_wait_on_run;
  cwi_future_link_locked(f, &wait.waiter);
  cwi_object_unlock(f);
  cwi_runtime_drive(rt, thread_wait_is_over, &wait);
  cwi_object_lock(f);
}

static cw_status refuse(cw_error *err, const char *why) {
  return CWI_RAISE(err, CW_E_REENTRANT, 0, "cw_await: %s", why);
}

/* Waits for a locked, pending future; locked again afterwards. */
static cw_status wait_locked(cwi_future *f, cw_error *err) {
  cwi_task *task = cwi_task_current();
  if (CWI_LIKELY(task != NULL)) {
    if (task->future == f) return refuse(err, "a task cannot wait for itself");
    if (cwi_worker_would_deadlock(f)) {
      return refuse(err, "a handler cannot wait for a command of its own worker");
    }
    if (park_for_locked(task, f)) return CW_OK;
    return CWI_RAISE(err, CW_E_CANCELLED, 0, "the task that waited was cancelled");
  }
  if (cwi_runtime_inside() != NULL) {
    return refuse(err, "a callback of a loop must not wait; spawn a task");
  }
  cw_error why;
  cwi_runtime *rt = cwi_runtime_get(&why);
  if (rt == NULL) {
    if (err != NULL) *err = why;
    return why.code;
  }
  drive_for_locked(rt, f);
  return CW_OK;
}

cw_status cw_await(cw_future *future, cw_value *value, cw_error *err) {
  if (value != NULL) *value = cwi_value_none();
  cwi_error_clear(err);
  if (CWI_UNLIKELY(cwi_forked)) return CWI_RAISE(err, CW_E_FORKED, 0, "this is a forked child");
  cwi_future *f = cwi_handle_lock(future, CW_HANDLE_FUTURE);
  if (CWI_UNLIKELY(f == NULL)) return cwi_future_raise_dead(future, err);
  if (f->state == CWI_FUTURE_SETTLED) return cwi_future_take_unlock(f, false, value, err);
  cwi_object_ref_locked(f);
  cw_status status = wait_locked(f, err);
  if (CWI_LIKELY(status == CW_OK && f->state == CWI_FUTURE_SETTLED &&
                 cwi_object_is_live(f, false))) {
    return cwi_future_take_unlock(f, true, value, err);
  }
  cwi_object_unref_unlock(f);
  if (status == CW_OK) return CWI_RAISE(err, CW_E_STALE, 0, "released while it was waited for");
  if (status != CW_E_REENTRANT) (void)cw_release(future);
  return status;
}

static void release_all(cw_value *values, size_t len) {
  for (size_t i = 0; i < len; i++) cw_value_release(&values[i]);
}

cw_status cw_await_all(cw_future *const *futures, size_t len, cw_value *values, cw_error *err) {
  cwi_error_clear(err);
  for (size_t i = 0; values != NULL && i < len; i++) values[i] = cwi_value_none();
  if (len == 0) return CW_OK;
  if (futures == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "no futures");
  cw_value list;
  cw_status status = cw_await(cw_all(futures, len), &list, err);
  if (status != CW_OK || values == NULL) {
    cw_value_release(&list);
    return status;
  }
  for (size_t i = 0; i < len && status == CW_OK; i++) {
    values[i] = cwi_value_retain(cw_value_array_get(list, i));
  }
  cw_value_release(&list);
  if (status != CW_OK) release_all(values, len);
  return status;
}

/* ---- looking and taking ---- */

bool cw_future_is_settled(const cw_future *future) {
  cwi_future *f = cwi_handle_lock(future, CW_HANDLE_FUTURE);
  if (f == NULL) return future == cwi_future_nomem();
  bool settled = f->state != CWI_FUTURE_PENDING;
  cwi_object_unlock(f);
  return settled;
}

cw_status cw_future_take(cw_future *future, cw_value *value, cw_error *err) {
  if (value != NULL) *value = cwi_value_none();
  cwi_error_clear(err);
  cwi_future *f = cwi_handle_lock(future, CW_HANDLE_FUTURE);
  if (f == NULL) return cwi_future_raise_dead(future, err);
  if (f->state == CWI_FUTURE_SETTLED) return cwi_future_take_unlock(f, false, value, err);
  cwi_object_unlock(f);
  return CWI_RAISE(err, CW_E_STATE, 0, "the future has not settled yet");
}

cw_status cw_future_cancel(cw_future *future) {
  if (CWI_UNLIKELY(cwi_forked)) return CW_E_FORKED;
  cwi_future *f = cwi_handle_get(future, CW_HANDLE_FUTURE);
  if (f == NULL) return future == cwi_future_nomem() ? CW_OK : CW_E_STALE;
  cwi_future_request_cancel(f, CW_E_CANCELLED);
  cwi_future_unref(f);
  return CW_OK;
}

/* ---- callbacks ---- */

typedef struct callback {
  cwi_waiter waiter;
  cwi_job job;
  cwi_runtime *runtime; /* a reference */
  cwi_future *future;   /* a reference once notified */
  cw_future *handle;
  cw_future_fn fn;
  void *context;
} callback;

static void callback_on_run(cwi_job *job) {
  callback *c = CWI_CONTAINER_OF(job, callback, job);
  if (cwi_object_is_live(c->future, false)) c->fn(c->handle, c->context);
  cwi_future_unref(c->future);
  cwi_runtime_unref(c->runtime);
  CWI_FREE(c);
}

static void callback_on_notify(cwi_waiter *waiter) {
  callback *c = CWI_CONTAINER_OF(waiter, callback, waiter);
  cwi_runtime_send(c->runtime, &c->job);
}

cw_status cw_future_on_settle(cw_future *future, cw_future_fn fn, void *context, cw_error *err) {
  if (fn == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "no callback");
  cwi_runtime *rt = cwi_runtime_for_operation(err);
  if (rt == NULL) return err != NULL ? err->code : CW_E_NOMEM;
  callback *c = CWI_NEW(callback);
  if (c == NULL) return CWI_RAISE_NOMEM(err, "a callback");
  cwi_future *f = cwi_handle_lock(future, CW_HANDLE_FUTURE);
  if (f == NULL) {
    CWI_FREE(c);
    return cwi_future_raise_dead(future, err);
  }
  *c = (callback){.runtime = rt, .future = f, .handle = future, .fn = fn, .context = context};
  c->waiter.notify = callback_on_notify;
  c->job.run = callback_on_run;
  cwi_object_ref_locked(f);
  cwi_runtime_ref(rt);
  bool pending = f->state == CWI_FUTURE_PENDING;
  if (pending) cwi_future_link_locked(f, &c->waiter);
  cwi_object_unlock(f);
  if (!pending) cwi_runtime_send(rt, &c->job);
  return CW_OK;
}

/* ---- settled from the start ---- */

cw_future *cw_ready(cw_value value) {
  cwi_future *f = cwi_future_new(NULL, "ready");
  if (f == NULL) {
    cw_value_release(&value);
    return cwi_future_nomem();
  }
  cw_future *handle = cwi_future_handle(f);
  (void)cwi_future_settle(f, CW_OK, value, NULL);
  cwi_future_unref(f);
  return handle;
}

cw_future *cwi_future_failed(const cw_error *err) {
  cwi_future *f = cwi_future_new(NULL, "failed");
  if (f == NULL) return cwi_future_nomem();
  cw_future *handle = cwi_future_handle(f);
  (void)cwi_future_settle(f, err->code, cwi_value_none(), err);
  cwi_future_unref(f);
  return handle;
}

static void describe(cw_error *err, cw_status code, const char *message) {
  *err = (cw_error){.code = code < 0 ? code : CW_E_INVALID};
  (void)snprintf(err->message, sizeof(err->message), "%s",
                 message != NULL ? message : cw_status_text(err->code));
}

cw_future *cw_failed(cw_status code, const char *message) {
  cw_error err;
  describe(&err, code, message);
  return cwi_future_failed(&err);
}

/* ---- oneshots ---- */

typedef struct oneshot_op {
  cw_cancel_fn callback;
  void *context;
} oneshot_op;

cw_future *cw_oneshot(cw_completer **completer) {
  if (completer == NULL) return cw_failed(CW_E_INVALID, "no place for the completer");
  *completer = NULL;
  if (CWI_UNLIKELY(cwi_forked)) return cw_failed(CW_E_FORKED, NULL);
  cwi_future *f = cwi_future_new_oneshot();
  if (f == NULL) return cwi_future_nomem();
  *completer = (cw_completer *)cwi_object_handle(f, CW_HANDLE_COMPLETER);
  return cwi_future_handle(f);
}

cw_status cw_complete(cw_completer *completer, cw_value value) {
  return cwi_future_complete(completer, CW_OK, value, NULL);
}

cw_status cw_complete_error(cw_completer *completer, cw_status code, const char *message) {
  cw_error err;
  describe(&err, code, message);
  return cwi_future_complete(completer, err.code, cwi_value_none(), &err);
}

static void oneshot_on_cancel(cwi_future *f) {
  oneshot_op *op = CWI_FUTURE_OP(f, oneshot_op);
  op->callback(op->context);
}

cw_status cw_completer_on_cancel(cw_completer *completer, cw_cancel_fn fn, void *context) {
  if (fn == NULL) return CW_E_INVALID;
  cwi_future *f = cwi_handle_lock(completer, CW_HANDLE_COMPLETER);
  if (f == NULL) return CW_E_STALE;
  cw_status status = CW_OK;
  if (f->cancel_reason != CW_OK) {
    status = CW_E_CANCELLED;
  } else {
    oneshot_op *op = CWI_FUTURE_OP(f, oneshot_op);
    op->callback = fn;
    op->context = context;
    f->cancel = oneshot_on_cancel;
  }
  cwi_object_unlock(f);
  return status;
}
