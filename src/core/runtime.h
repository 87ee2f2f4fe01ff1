/* SPDX-License-Identifier: MIT */
/* A runtime: one thread's loop, run queue, timers and fibers. See src/core/README.md.
 *
 * Everything is owned by the runtime's thread but `inbox`, `sleeping` and `refs`, which are atomic.
 */
#ifndef CORE_RUNTIME_H
#define CORE_RUNTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "causeway/error.h"

#include "core/fiber.h"
#include "core/timer.h"

struct cwi_future;
struct cwi_task;

/* Work for a runtime, embedded in what it is about. */
typedef struct cwi_job {
  struct cwi_job *next;
  void (*run)(struct cwi_job *job);
} cwi_job;

struct cwi_runtime;

/* What a module above keeps for a runtime, ended with it. */
typedef struct cwi_runtime_local {
  void *data;
  void (*end)(struct cwi_runtime *runtime, void *data);
} cwi_runtime_local;

enum { CWI_RUNTIME_LOCAL_HTTP = 0, CWI_RUNTIME_LOCAL_SERVER, CWI_RUNTIME_LOCAL_COUNT };

#define CWI_TICK_SHIFT 16 /* a tick of the wheel is 2^16 ns */

typedef struct cwi_runtime cwi_runtime;

struct cwi_runtime {
  uv_loop_t loop;
  uv_async_t wake;
  uv_poll_t timer_poll;
  int timer_fd;
  uint64_t timer_armed; /* tick at which the timer fd fires; CWI_TIMER_NEVER: not armed */
  uint64_t start_ns;    /* the clock at tick 0 */
  cwi_timer_wheel wheel;

  cwi_job *ready_first;
  cwi_job **ready_last;
  _Atomic(cwi_job *) inbox;  /* newest first */
  _Atomic uint32_t sleeping; /* 1: needs a wake */
  _Atomic uint32_t refs;     /* the thread's own, and those of threads that post */

  cwi_fiber thread_fiber;
  cwi_fiber_pool fibers;
  struct cwi_task *current;
  cwi_fiber *current_fiber; /* of a task that is being started */
  cwi_fiber *ended;         /* of a task that has ended, to be given back */
  struct cwi_future *ops;   /* operations at home here that have not settled */
  size_t op_count;
  struct cwi_deadline *deadlines; /* time limits whose timer is on this wheel */
  size_t external;                /* handles and requests that the loop watches for us */
  int spin_score;
  bool driving; /* the thread is inside the runtime */
  bool in_loop; /* inside a callback of the loop */
  bool closing;
  bool is_reactor;
  uint32_t thread;
  cwi_runtime_local locals[CWI_RUNTIME_LOCAL_COUNT];
  void *worker;                             /* the worker whose thread this is, or NULL */
  struct cwi_runtime *next_all, **link_all; /* [list of all runtimes] */
};

/* This thread's runtime, made on first use; NULL: no memory or no descriptors. */
cwi_runtime *cwi_runtime_get(cw_error *err);

/* This thread's runtime where the thread is inside it, else NULL. */
cwi_runtime *cwi_runtime_inside(void);

/* This thread's runtime, if it has one. */
cwi_runtime *cwi_runtime_peek(void);

/* Where an operation started here and now runs: this thread's runtime where it is inside it, else
 * the reactor's. NULL: it cannot be started; `err` is filled. */
cwi_runtime *cwi_runtime_for_operation(cw_error *err);

/* The reactor's runtime, its thread started on first use. */
cwi_runtime *cwi_reactor_get(cw_error *err);
/* True where the reactor has been started. */
bool cwi_reactor_is_running(void);

/* Queues a job on this thread's runtime. */
void cwi_runtime_ready(cwi_runtime *runtime, cwi_job *job);

/* Queues a job from any thread; the caller knows the runtime to be alive (or holds a reference). */
void cwi_runtime_post(cwi_runtime *runtime, cwi_job *job);

/* Either of the two, as the thread needs. */
void cwi_runtime_send(cwi_runtime *runtime, cwi_job *job);

void cwi_runtime_ref(cwi_runtime *runtime);
void cwi_runtime_unref(cwi_runtime *runtime);

/* Runs the runtime until done(context) is true. */
void cwi_runtime_drive(cwi_runtime *runtime, bool (*done)(void *context), void *context);

/* Ticks: when `ns` from now is. */
uint64_t cwi_runtime_tick_after(const cwi_runtime *runtime, uint64_t ns);

/* Calls `visit` for each runtime of the process, under the list's lock; for inspect and the clock.
 */
void cwi_runtime_visit(void (*visit)(cwi_runtime *runtime, void *context), void *context);

/* Tells the runtime that the loop watches one more, one less thing for us. */
CWI_INLINE void cwi_runtime_external(cwi_runtime *runtime, int change) {
  runtime->external = (size_t)((int64_t)runtime->external + change);
}

#endif
