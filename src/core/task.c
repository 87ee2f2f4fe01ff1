/* SPDX-License-Identifier: MIT */
/* Tasks: fibers with a future.
 *
 * A task that has not run is only its future, whose job sits in the run queue; the fiber is taken
 * when it starts. Its record lies on its own stack. A task that ends cancels and awaits its
 * children, then settles its future, then leaves its fiber for good.
 *
 * Parking and waking pair one to one: whoever linked the waiter (or the scope) wakes once. So a
 * cancel does not wake a task: it cancels what the task waits for, whose settlement then wakes it.
 * Only where that future has other holders is the waiter taken out and the task woken at once. */
#include "core/task.h"

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/future.h"
#include "core/value.h"

/* The operation area of a task's future. */
typedef struct task_op {
  cw_task_fn fn;
  void *context;
  cwi_task *task;      /* [home] once it runs */
  cwi_task *parent;    /* [home] while it is a child */
  cwi_future *sibling; /* [home] next child */
  cwi_future **sibling_link;
} task_op;

cwi_task *cwi_task_current(void) {
  cwi_runtime *rt = cwi_runtime_peek();
  return rt == NULL ? NULL : rt->current;
}

/* ---- switching ---- */

void cwi_task_park(cwi_task *task) {
  cwi_runtime *rt = task->runtime;
  CWI_ASSERT(rt->current == task);
  rt->current = NULL;
  cwi_fiber_switch(task->fiber, &rt->thread_fiber);
}

static void resume_on_run(cwi_job *job) {
  cwi_task *task = CWI_CONTAINER_OF(job, cwi_task, job);
  cwi_runtime *rt = task->runtime;
  rt->current = task;
  cwi_fiber_switch(&rt->thread_fiber, task->fiber);
}

void cwi_task_wake(cwi_task *task) { cwi_runtime_send(task->runtime, &task->job); }

/* ---- children ---- */

static void add_child(cwi_task *parent, cwi_future *f) {
  task_op *op = CWI_FUTURE_OP(f, task_op);
  op->parent = parent;
  op->sibling = parent->children;
  if (op->sibling != NULL) {
    task_op *next = CWI_FUTURE_OP(op->sibling, task_op);
    next->sibling_link = &op->sibling;
  }
  op->sibling_link = &parent->children;
  parent->children = f;
  parent->child_count++;
}

static void remove_child(cwi_future *f) {
  task_op *op = CWI_FUTURE_OP(f, task_op);
  cwi_task *parent = op->parent;
  if (parent == NULL) return;
  *op->sibling_link = op->sibling;
  if (op->sibling != NULL) {
    task_op *next = CWI_FUTURE_OP(op->sibling, task_op);
    next->sibling_link = op->sibling_link;
  }
  op->parent = NULL;
  if (--parent->child_count == 0 && parent->joins) {
    parent->joins = false;
    cwi_task_wake(parent);
  }
}

/* Cancels the children one by one (a cancel may settle some, which leave the list) and awaits them.
 */
static void join_children(cwi_task *task) {
  if (task->child_count == 0) return;
  for (cwi_future *f = task->children; f != NULL;) {
    cwi_future_ref(f);
    cwi_future_request_cancel(f, CW_E_CANCELLED);
    task_op *op = CWI_FUTURE_OP(f, task_op);
    cwi_future *next = op->parent != NULL ? op->sibling : task->children;
    cwi_future_unref(f);
    f = next;
  }
  if (task->child_count == 0) return;
  task->joins = true;
  cwi_task_park(task);
  CWI_ASSERT(task->child_count == 0);
}

/* ---- running ---- */

/* Settles the task's future and gives the producer's reference back. */
static void settle_task(cwi_future *f, cw_status status, cw_value value, const cw_error *err) {
  remove_child(f);
  (void)cwi_future_finish(f, status, value, err);
}

static cw_status check_result(cw_status status, cw_error *err) {
  if (status > 0) return CWI_RAISE(err, CW_E_INVALID, 0, "the task returned %d, no status", status);
  return status;
}

static void task_main(void *context) {
  cwi_future *f = context;
  task_op *op = CWI_FUTURE_OP(f, task_op);
  cwi_task task = {.job.run = resume_on_run, .runtime = f->home, .future = f};
  task.fiber = f->home->current_fiber;
  op->task = &task;
  f->home->current = &task;
  cw_value value = cwi_value_none();
  cw_error err = {.code = CW_OK};
  cw_status status = check_result(op->fn(op->context, &value, &err), &err);
  join_children(&task);
  op->task = NULL;
  cwi_runtime *rt = task.runtime;
  rt->current = NULL;
  settle_task(f, status, value, err.code != CW_OK ? &err : NULL);
  rt->ended = task.fiber;
  cwi_fiber_switch_last(task.fiber, &rt->thread_fiber);
}

static void start_on_run(cwi_job *job) {
  cwi_future *f = CWI_CONTAINER_OF(job, cwi_future, job);
  cwi_runtime *rt = f->home;
  cwi_future_arrive(f);
  cw_error err;
  if (cwi_future_is_cancel_requested(f)) { /* never ran */
    (void)CWI_RAISE(&err, CW_E_CANCELLED, 0, "cancelled before it ran");
    settle_task(f, CW_E_CANCELLED, cwi_value_none(), &err);
    return;
  }
  cwi_fiber *fiber = cwi_fiber_take(&rt->fibers, task_main, f);
  if (fiber == NULL) {
    bool full = rt->fibers.live >= cwi_fiber_limit();
    (void)CWI_RAISE(&err, full ? CW_E_LIMIT : CW_E_NOMEM, 0, "no stack for a task, with %zu in use",
                    rt->fibers.live);
    settle_task(f, err.code, cwi_value_none(), &err);
    return;
  }
  rt->current_fiber = fiber;
  cwi_fiber_switch(&rt->thread_fiber, fiber);
}

void cwi_task_collect(cwi_runtime *rt) {
  if (rt->ended == NULL) return;
  cwi_fiber_give(&rt->fibers, rt->ended);
  rt->ended = NULL;
}

/* ---- cancelling ---- */

void cwi_task_interrupt(cwi_task *task) {
  cwi_future *f = task->waits_for;
  if (f == NULL) return;
  cwi_object_lock(f);
  bool shared = f->head.handles > 1;
  cwi_object_unlock(f);
  if (!shared) {
    cwi_future_request_cancel(f, CW_E_CANCELLED);
  } else if (task->waiter != NULL && cwi_future_unwait(f, task->waiter)) {
    task->waiter = NULL; /* tells the wait that the future did not settle */
    cwi_task_wake(task);
  }
}

static void task_on_cancel(cwi_future *f) {
  task_op *op = CWI_FUTURE_OP(f, task_op);
  cwi_task *task = op->task;
  if (task == NULL) return; /* it has not started: start_on_run sees the reason */
  task->cancelled = true;
  if (task->shields == 0) cwi_task_interrupt(task);
}

bool cw_task_is_cancelled(void) {
  cwi_task *task = cwi_task_current();
  if (task == NULL || task->shields > 0) return false;
  return task->cancelled || cwi_future_is_cancel_requested(task->future);
}

void cw_task_shield(bool on) {
  cwi_task *task = cwi_task_current();
  if (task == NULL) return;
  task->shields += on ? 1 : -1;
  CWI_ASSERT(task->shields >= 0);
}

cw_status cw_yield(cw_error *err) {
  cwi_task *task = cwi_task_current();
  if (task == NULL) return CWI_RAISE(err, CW_E_STATE, 0, "only a task can yield");
  cwi_task_wake(task);
  cwi_task_park(task);
  if (cw_task_is_cancelled()) return CWI_RAISE(err, CW_E_CANCELLED, 0, "the task was cancelled");
  return CW_OK;
}

/* ---- spawning ---- */

cwi_future *cwi_task_spawn(cwi_runtime *rt, cw_task_fn fn, void *context, const char *operation,
                           cw_error *err) {
  cwi_future *f = cwi_future_new(rt, operation);
  if (f == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a task");
    return NULL;
  }
  task_op *op = CWI_FUTURE_OP(f, task_op);
  op->fn = fn;
  op->context = context;
  f->cancel = task_on_cancel;
  f->job.run = start_on_run;
  if (rt == cwi_runtime_peek()) {
    if (rt->current != NULL) add_child(rt->current, f);
    cwi_runtime_ready(rt, &f->job);
  }
  return f;
}

void cwi_task_begin(cwi_future *task) {
  cwi_runtime *rt = task->home;
  if (rt != cwi_runtime_peek()) cwi_runtime_post(rt, &task->job);
}

cw_future *cw_spawn(cw_task_fn fn, void *context) {
  cw_error err;
  if (fn == NULL) return cw_failed(CW_E_INVALID, "cw_spawn() needs a function");
  cwi_runtime *rt = cwi_runtime_for_operation(&err);
  if (rt == NULL) return cwi_future_failed(&err);
  cwi_future *f = cwi_task_spawn(rt, fn, context, "task", &err);
  if (f == NULL) return cwi_future_nomem();
  f->site = CWI_RETURN_ADDRESS();
  cw_future *handle = cwi_future_handle(f);
  cwi_task_begin(f);
  return handle;
}

static bool is_settled(void *context) {
  return ((cwi_future *)context)->state != CWI_FUTURE_PENDING; /* at home here: no race */
}

cw_status cw_block_on(cw_task_fn fn, void *context, cw_value *out, cw_error *err) {
  if (out != NULL) *out = cwi_value_none();
  cwi_error_clear(err);
  if (fn == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "cw_block_on() needs a function");
  if (cwi_runtime_inside() != NULL) {
    return CWI_RAISE(err, CW_E_REENTRANT, 0, "this thread is inside its runtime; spawn a task");
  }
  cw_error why;
  cwi_runtime *rt = cwi_runtime_get(&why);
  cwi_future *f = rt == NULL ? NULL : cwi_task_spawn(rt, fn, context, "block_on", &why);
  if (f == NULL) {
    if (err != NULL) *err = why;
    return why.code;
  }
  cwi_future_ref(f);
  cwi_runtime_drive(rt, is_settled, f);
  cwi_object_lock(f);
  return cwi_future_take_unlock(f, true, out, err);
}
