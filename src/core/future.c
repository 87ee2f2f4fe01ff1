/* SPDX-License-Identifier: MIT */
/* Futures: settled once, waited for by a list of waiters, cancelled through the operation behind
 * them.
 *
 * A settlement takes the list of waiters out under the lock and notifies them afterwards, one by
 * one, through a queue a thread (notify_all), so that a chain of combinators of any length settles
 * in constant stack.
 *
 * A cancel is a request: the operation's `cancel` runs where the operation lives, and its
 * settlement, whenever it comes, becomes the reason that was asked for. A future of a oneshot
 * without a cancel callback has nothing to stop and settles at once. */
#include "core/future.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/value.h"
#include "core/value_json.h"

struct cwi_error_box {
  cw_error error;
  char *detail; /* JSON, or NULL */
  size_t detail_size;
};

static void future_closed(cwi_object_head *object, cw_handle_kind kind);
static void future_deinit(cwi_object_head *object);

static const cwi_pool_ops FUTURE_OPS = {"future", sizeof(cwi_future), future_closed, future_deinit};

static void define_pool(void) {
  static _Atomic bool done;
  if (CWI_LIKELY(atomic_load_explicit(&done, memory_order_acquire))) return;
  cwi_pool_define(CW_HANDLE_FUTURE, CW_HANDLE_COMPLETER, &FUTURE_OPS);
  atomic_store_explicit(&done, true, memory_order_release);
}

static void free_error(cwi_error_box *box) {
  if (box == NULL) return;
  cwi_free(box->detail, box->detail_size + 1);
  CWI_FREE(box);
}

static void future_deinit(cwi_object_head *object) {
  cwi_future *f = (cwi_future *)(void *)object;
  CWI_ASSERT(f->state != CWI_FUTURE_PENDING || f->home == NULL);
  CWI_ASSERT(f->waiters == NULL);
  if (f->op_deinit != NULL) f->op_deinit(f);
  cw_value_release(&f->value);
  free_error(f->error);
}

/* ---- making ---- */

static void add_op(cwi_runtime *rt, cwi_future *f) {
  f->op_next = rt->ops;
  if (f->op_next != NULL) f->op_next->op_link = &f->op_next;
  f->op_link = &rt->ops;
  rt->ops = f;
  rt->op_count++;
}

static void remove_op(cwi_future *f) {
  if (f->op_link == NULL) return;
  *f->op_link = f->op_next;
  if (f->op_next != NULL) f->op_next->op_link = f->op_link;
  f->op_link = NULL;
  CWI_ASSERT(f->home->op_count > 0);
  f->home->op_count--;
}

cwi_future *cwi_future_new(cwi_runtime *home, const char *operation) {
  define_pool();
  cwi_future *f = cwi_object_new(CW_HANDLE_FUTURE, false);
  if (CWI_UNLIKELY(f == NULL)) return NULL;
  f->head.refs = 2; /* nobody else knows it yet */
  f->home = home;
  f->operation = operation;
  if (home != NULL && home == cwi_runtime_peek()) add_op(home, f);
  return f;
}

void cwi_future_arrive(cwi_future *f) {
  CWI_ASSERT(f->home == cwi_runtime_peek());
  if (f->op_link == NULL && f->state == CWI_FUTURE_PENDING) add_op(f->home, f);
}

cwi_future *cwi_future_new_oneshot(void) {
  define_pool();
  cwi_future *f = cwi_object_new(CW_HANDLE_FUTURE, true);
  if (f != NULL) f->operation = "oneshot";
  return f;
}

/* ---- notifying ---- */

static CWI_THREAD_LOCAL cwi_waiter *notify_first;
static CWI_THREAD_LOCAL cwi_waiter **notify_last;

static void notify_all(cwi_waiter *waiters) {
  if (waiters == NULL) return;
  cwi_waiter **last = &waiters;
  while (*last != NULL) last = &(*last)->next;
  if (notify_last != NULL) { /* a notify further out on the stack will get there */
    *notify_last = waiters;
    notify_last = last;
    return;
  }
  notify_first = waiters;
  notify_last = last == &waiters ? &notify_first : last;
  while (notify_first != NULL) {
    cwi_waiter *waiter = notify_first;
    notify_first = waiter->next;
    if (notify_first == NULL) notify_last = &notify_first;
    waiter->notify(waiter);
  }
  notify_last = NULL;
}

void cwi_future_link_locked(cwi_future *f, cwi_waiter *waiter) {
  waiter->next = f->waiters;
  if (waiter->next != NULL) waiter->next->link = &waiter->next;
  waiter->link = &f->waiters;
  f->waiters = waiter;
}

bool cwi_future_wait(cwi_future *f, cwi_waiter *waiter) {
  cwi_object_lock(f);
  bool pending = f->state == CWI_FUTURE_PENDING;
  if (pending) cwi_future_link_locked(f, waiter);
  cwi_object_unlock(f);
  return pending;
}

bool cwi_future_unwait(cwi_future *f, cwi_waiter *waiter) {
  cwi_object_lock(f);
  bool linked = waiter->link != NULL;
  if (linked) {
    *waiter->link = waiter->next;
    if (waiter->next != NULL) waiter->next->link = waiter->link;
    waiter->link = NULL;
  }
  cwi_object_unlock(f);
  return linked;
}

/* Takes all waiters out, first come first; under the lock. */
static cwi_waiter *take_waiters(cwi_future *f) {
  cwi_waiter *waiter = f->waiters;
  cwi_waiter *oldest = NULL;
  f->waiters = NULL;
  while (waiter != NULL) {
    cwi_waiter *next = waiter->next;
    waiter->link = NULL;
    waiter->next = oldest;
    oldest = waiter;
    waiter = next;
  }
  return oldest;
}

/* ---- settling ---- */

static cwi_error_box *box_error(const cwi_future *f, cw_status status, const cw_error *err) {
  if (err == NULL) return NULL;
  cwi_error_box *box = CWI_NEW(cwi_error_box);
  if (box == NULL) return NULL;
  box->error = *err;
  box->error.code = status;
  if (box->error.message[0] == '\0') {
    (void)snprintf(box->error.message, sizeof(box->error.message), "%s", cw_status_text(status));
  }
  if (box->error.operation[0] == '\0') {
    (void)snprintf(box->error.operation, sizeof(box->error.operation), "%s", f->operation);
  }
  return box;
}

typedef struct settlement {
  cw_status status;
  cw_value value;
  cwi_error_box *error;
} settlement;

/* What was asked to stop reports that, and what it had done by then. */
static void apply_cancel(const cwi_future *f, settlement *s, settlement *dropped) {
  cw_status reason = f->cancel_reason;
  if (reason == CW_OK ||
      (s->status != CW_OK && s->status != CW_E_CANCELLED && s->status != CW_E_CLOSED)) {
    return;
  }
  cw_error err = {.code = reason};
  if (s->status == CW_OK) err.outcome = CW_OUTCOME_COMPLETED;
  if (s->error != NULL) err.outcome = s->error->error.outcome;
  *dropped = *s;
  *s = (settlement){.status = reason, .error = box_error(f, reason, &err)};
}

/* What is left to do once a future has settled, outside its lock. */
typedef struct aftermath {
  cwi_waiter *waiters;
  cwi_deadline *deadline;
} aftermath;

static aftermath settle_locked(cwi_future *f, const settlement *s) {
  CWI_ASSERT(f->state == CWI_FUTURE_PENDING);
  f->status = s->status;
  f->value = s->value;
  f->error = s->error;
  f->state = CWI_FUTURE_SETTLED;
  aftermath after = {take_waiters(f), f->deadline};
  f->deadline = NULL;
  if (f->home != NULL) remove_op(f);
  return after;
}

static void finish(aftermath after) {
  if (CWI_UNLIKELY(after.deadline != NULL)) cwi_deadline_drop(after.deadline);
  notify_all(after.waiters);
}

/* Settles a locked future, or finds that it has settled; gives up the lock, and with `unref` the
 * producer's reference. */
static bool settle_unlock(cwi_future *f, settlement s, bool unref) {
  settlement dropped = {0};
  if (CWI_UNLIKELY(f->cancel_reason != CW_OK && f->state == CWI_FUTURE_PENDING)) {
    cwi_object_unlock(f); /* only the producer settles: nobody comes in between */
    apply_cancel(f, &s, &dropped);
    cwi_object_lock(f);
  }
  bool pending = f->state == CWI_FUTURE_PENDING;
  aftermath after = {0};
  if (CWI_LIKELY(pending)) {
    after = settle_locked(f, &s);
  } else {
    dropped = s;
  }
  if (unref) {
    cwi_object_unref_unlock(f);
  } else {
    cwi_object_unlock(f);
  }
  finish(after);
  cw_value_release(&dropped.value);
  free_error(dropped.error);
  return pending;
}

/* Makes a result ready to go to any thread. */
static settlement prepare(const cwi_future *f, cw_status status, cw_value value,
                          const cw_error *err) {
  settlement s = {.status = status, .value = value};
  if (CWI_LIKELY(status == CW_OK && !cwi_value_is_heap(value))) return s;
  cw_error nomem;
  if (status == CW_OK) {
    s.status = cwi_value_detach(&s.value, &nomem);
    err = &nomem;
  }
  if (s.status != CW_OK) {
    cw_value_release(&s.value);
    s.error = box_error(f, s.status, err);
  }
  return s;
}

bool cwi_future_settle(cwi_future *f, cw_status status, cw_value value, const cw_error *err) {
  settlement s = prepare(f, status, value, err);
  cwi_object_lock(f);
  return settle_unlock(f, s, false);
}

bool cwi_future_finish(cwi_future *f, cw_status status, cw_value value, const cw_error *err) {
  settlement s = prepare(f, status, value, err);
  cwi_object_lock(f);
  return settle_unlock(f, s, true);
}

cw_status cwi_future_complete(cw_completer *completer, cw_status code, cw_value value,
                              const cw_error *err) {
  static const cwi_future UNNAMED = {.operation = "oneshot"};
  settlement s = prepare(&UNNAMED, code, value, err);
  cwi_future *f = cwi_handle_lock(completer, CW_HANDLE_COMPLETER);
  if (CWI_UNLIKELY(f == NULL)) {
    cw_value_release(&s.value);
    free_error(s.error);
    return CW_E_STALE;
  }
  (void)cwi_object_take_second_locked(f);
  bool cancelled = f->cancel_reason != CW_OK;
  bool settled = settle_unlock(f, s, true);
  return settled && !cancelled ? CW_OK : CW_E_CANCELLED;
}

bool cwi_future_settle_detail(cwi_future *f, const cw_error *err, const char *detail, size_t size) {
  settlement s = {.status = err->code, .error = box_error(f, err->code, err)};
  if (s.error != NULL && detail != NULL) {
    s.error->detail = cwi_strndup(detail, size);
    if (s.error->detail != NULL) s.error->detail_size = size;
  }
  cwi_object_lock(f);
  return settle_unlock(f, s, false);
}

/* ---- cancelling ---- */

static void cancel_on_run(cwi_job *job) {
  cwi_future *f = CWI_CONTAINER_OF(job, cwi_future, cancel_job);
  if (f->state == CWI_FUTURE_PENDING) f->cancel(f);
  cwi_future_unref(f);
}

static void settle_cancelled(cwi_future *f, cw_status reason) {
  cw_error err = {.code = reason};
  (void)cwi_future_settle(f, reason, cwi_value_none(), &err);
}

void cwi_future_request_cancel(cwi_future *f, cw_status reason) {
  cwi_object_lock(f);
  if (f->state != CWI_FUTURE_PENDING || f->cancel_reason != CW_OK) {
    cwi_object_unlock(f);
    return;
  }
  f->cancel_reason = reason;
  void (*cancel)(cwi_future *) = f->cancel;
  cwi_runtime *home = f->home;
  if (home == NULL || home == cwi_runtime_peek()) {
    cwi_object_unlock(f);
    if (cancel != NULL) {
      cancel(f);
    } else {
      settle_cancelled(f, reason);
    }
    return;
  }
  CWI_ASSERT(cancel != NULL);
  cwi_object_ref_locked(f);
  f->cancel_job.run = cancel_on_run;
  cwi_runtime_ref(home); /* alive: it still has this operation */
  cwi_object_unlock(f);
  cwi_runtime_post(home, &f->cancel_job);
  cwi_runtime_unref(home);
}

bool cwi_future_is_cancel_requested(cwi_future *f) {
  cwi_object_lock(f);
  bool asked = f->cancel_reason != CW_OK;
  cwi_object_unlock(f);
  return asked;
}

static void future_closed(cwi_object_head *object, cw_handle_kind kind) {
  cwi_future *f = (cwi_future *)(void *)object;
  if (kind == CW_HANDLE_FUTURE) {
    cwi_future_request_cancel(f, CW_E_CANCELLED);
  } else {
    cw_error err;
    (void)CWI_RAISE(&err, CW_E_CLOSED, 0, "channel closed: the completer was released unused");
    (void)cwi_future_settle(f, CW_E_CLOSED, cwi_value_none(), &err);
  }
  cwi_future_unref(f);
}

/* ---- taking ---- */

static cw_status copy_error(const cwi_future *f, cw_status status, const cwi_error_box *box,
                            cw_error *err) {
  if (err == NULL) return status;
  if (box != NULL) {
    *err = box->error;
  } else {
    *err = (cw_error){.code = status};
    (void)snprintf(err->message, sizeof(err->message), "%s", cw_status_text(status));
    (void)snprintf(err->operation, sizeof(err->operation), "%s", f->operation);
  }
  return status;
}

/* The only holder takes the result itself; the lock is given up. */
static cw_status move_result(cwi_future *f, bool pinned, cw_value *value, cw_error *err) {
  cw_value moved = f->value;
  cw_status status = f->status;
  cwi_error_box *box = f->error;
  const cwi_future named = {.operation = f->operation};
  f->value = cwi_value_none();
  f->error = NULL;
  f->state = CWI_FUTURE_TAKEN;
  cwi_object_end_first_locked(f);
  if (pinned) f->head.refs--;
  cwi_object_unref_unlock(f);
  if (CWI_UNLIKELY(status != CW_OK)) {
    (void)copy_error(&named, status, box, err);
    free_error(box);
    return status;
  }
  if (value != NULL) {
    *value = moved;
  } else {
    cw_value_release(&moved);
  }
  return CW_OK;
}

/* One of several holders gets a copy, made without the lock: a settled value does not change. */
static cw_status copy_result(cwi_future *f, bool pinned, cw_value *value, cw_error *err) {
  if (!pinned) cwi_object_ref_locked(f);
  cwi_object_unlock(f);
  cw_status status = f->status;
  if (status != CW_OK) {
    (void)copy_error(f, status, f->error, err);
  } else if (value != NULL) {
    status = cw_value_clone(f->value, value, err);
  }
  (void)cw_release(cwi_future_handle(f));
  cwi_future_unref(f);
  return status;
}

cw_status cwi_future_take_unlock(cwi_future *f, bool pinned, cw_value *value, cw_error *err) {
  CWI_ASSERT(f->state == CWI_FUTURE_SETTLED);
  if (CWI_LIKELY(f->head.handles == 1)) return move_result(f, pinned, value, err);
  return copy_result(f, pinned, value, err);
}

/* ---- detail ---- */

static cw_status describe_error(const cw_error *err, cw_value *detail, cw_error *why) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  (void)cwi_buf_append_str(&buf, "{\"code\":");
  const char *name = cw_status_name(err->code);
  cwi_json_text(&buf, name, strlen(name));
  (void)cwi_buf_append_str(&buf, ",\"message\":");
  cwi_json_text(&buf, err->message, strlen(err->message));
  (void)cwi_buf_append_str(&buf, ",\"operation\":");
  cwi_json_text(&buf, err->operation, strlen(err->operation));
  (void)cwi_buf_append_format(&buf, ",\"line\":%d,\"column\":%d,\"os_code\":%d,\"http_status\":%d,",
                              err->line, err->column, err->os_code, err->http_status);
  (void)cwi_buf_append_format(&buf, "\"outcome\":%d}", err->outcome);
  cw_status status = cwi_value_string_from_buf(&buf, detail, why);
  cwi_buf_deinit(&buf);
  return status;
}

cw_status cw_future_error_detail(cw_future *future, cw_value *detail, cw_error *err) {
  if (detail == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "no place for the detail");
  *detail = cwi_value_none();
  cwi_error_clear(err);
  cwi_future *f = cwi_handle_get(future, CW_HANDLE_FUTURE);
  if (f == NULL) return cwi_future_raise_dead(future, err);
  cwi_object_lock(f);
  bool failed = f->state == CWI_FUTURE_SETTLED && f->status != CW_OK;
  cwi_object_unlock(f);
  cw_status status;
  if (!failed) {
    status = CWI_RAISE(err, CW_E_STATE, 0, "the future has not failed");
  } else if (f->error != NULL && f->error->detail != NULL) { /* settled: it does not change */
    status = cw_value_string(f->error->detail, f->error->detail_size, detail, err);
  } else {
    cw_error plain;
    (void)copy_error(f, f->status, f->error, &plain);
    status = describe_error(&plain, detail, err);
  }
  cwi_future_unref(f);
  return status;
}
