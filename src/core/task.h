/* SPDX-License-Identifier: MIT */
/* The inside of tasks. A task's record lies on its own stack; before it first runs, all there is of
 * it is its future. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "causeway/task.h"
#include "core/future.h"

typedef struct cwi_task {
  cwi_job job; /* resumes it */
  cwi_runtime *runtime;
  cwi_fiber *fiber;
  cwi_future *future;
  cwi_future *children; /* tasks spawned here that have not settled */
  size_t child_count;
  cwi_future *waits_for; /* parked in an await of this future, or NULL */
  cwi_waiter *waiter;    /* in that await */
  int shields;
  bool cancelled; /* asked to stop */
  bool joins;     /* parked until the last child has settled */
} cwi_task;

/* The task that runs on this thread, or NULL. */
cwi_task *cwi_task_current(void);

/* Parks the running task until cwi_task_wake; wakes and parks pair one to one. */
void cwi_task_park(cwi_task *task);

/* Cuts short the wait of a cancelled task: cancels what it waits for, or leaves that to its other
 * holders and wakes the task. On the task's thread. */
void cwi_task_interrupt(cwi_task *task);

/* Gives back the fiber of a task that has just ended; the runtime calls it after every job. */
void cwi_task_collect(cwi_runtime *runtime);

/* Makes a parked task ready; from any thread. */
void cwi_task_wake(cwi_task *task);

/* Makes a task on `runtime`, as a child of the running task where that runs there; it is queued at
 * once on this thread's own runtime, and by cwi_task_begin() on another. NULL: no memory. */
cwi_future *cwi_task_spawn(cwi_runtime *runtime, cw_task_fn fn, void *context,
                           const char *operation, cw_error *err);

/* Queues a task that was made for another thread's runtime; nothing on this thread's own. The last
 * use of `task`: it may end at once. */
void cwi_task_begin(cwi_future *task);

#endif
