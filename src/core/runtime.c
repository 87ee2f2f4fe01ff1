/* SPDX-License-Identifier: MIT */
/* The runtime of a thread.
 *
 * One turn: take the inbox, run up to TURN_JOBS jobs, fire due timers, look at the loop if it
 * watches something. With nothing to run it spins for at most SPIN_NS (only where that has paid off
 * lately, and never on one CPU), then announces that it sleeps, looks at the inbox once more, and
 * sleeps in the loop until I/O, the timer descriptor or the wake handle.
 *
 * The announcement is the protocol with other threads: a poster pushes to the inbox and then reads
 * `sleeping`; the sleeper writes `sleeping` and then reads the inbox. All four are sequentially
 * consistent, so at least one side sees the other: no wake is lost, and none is sent to a runtime
 * that is awake.
 *
 * Timers use one timerfd with nanosecond resolution, set only when the runtime is about to sleep
 * and the next deadline has changed: arming and cancelling touch the wheel alone. It is never read:
 * setting it again clears it. */
#include "core/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/future.h"
#include "core/task.h"
#include "core/thread.h"

#define TURN_JOBS 61
#define SPIN_NS 20000
#define SPIN_SCORE_MAX 16

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static cwi_runtime *all_runtimes; /* [all_mutex] */
static CWI_THREAD_LOCAL cwi_runtime *own;
static cwi_job inbox_closed; /* what the inbox of an ended runtime holds */

cwi_runtime *cwi_runtime_peek(void) { return own; }

cwi_runtime *cwi_runtime_inside(void) { return own != NULL && own->driving ? own : NULL; }

/* ---- making and ending ---- */

static void on_wake(uv_async_t *handle) { (void)handle; }
static void on_timer(uv_poll_t *handle, int status, int events) {
  (void)status;
  (void)events;
  cwi_runtime *rt = handle->data;
  rt->timer_armed = CWI_TIMER_NEVER; /* it stays readable until it is set again */
}

/* ThreadSanitizer follows descriptors by number. It sees neither libuv's closes, which are bare
 * system calls, nor timerfd_create(), so a number that comes back would look shared between two
 * threads: the timer takes the number of an event descriptor, whose making it does see. */
static int open_timer(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
#if CWI_TSAN
  int seen = fd >= 0 ? eventfd(0, EFD_CLOEXEC) : -1;
  if (seen >= 0) {
    (void)syscall(SYS_dup3, fd, seen, O_CLOEXEC);
    (void)syscall(SYS_close, fd);
    fd = seen;
  }
#endif
  return fd;
}

static int start_loop(cwi_runtime *rt) {
  int code = uv_loop_init(&rt->loop);
  if (code != 0) return code;
  code = uv_async_init(&rt->loop, &rt->wake, on_wake);
  if (code == 0) {
    rt->timer_fd = open_timer();
    if (rt->timer_fd < 0) code = -errno;
  }
  if (code == 0) code = uv_poll_init(&rt->loop, &rt->timer_poll, rt->timer_fd);
  if (code == 0) {
    rt->timer_poll.data = rt;
    code = uv_poll_start(&rt->timer_poll, UV_READABLE, on_timer);
  }
  return code;
}

static void close_handle(uv_handle_t *handle, void *context) {
  (void)context;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void end_loop(cwi_runtime *rt) {
  uv_walk(&rt->loop, close_handle, NULL);
  (void)uv_run(&rt->loop, UV_RUN_DEFAULT);
  int code = uv_loop_close(&rt->loop);
  CWI_ASSERT(code == 0);
  (void)code;
  if (rt->timer_fd >= 0) (void)close(rt->timer_fd);
}

static void add_to_all(cwi_runtime *rt) {
  (void)pthread_mutex_lock(&all_mutex);
  rt->next_all = all_runtimes;
  if (rt->next_all != NULL) rt->next_all->link_all = &rt->next_all;
  rt->link_all = &all_runtimes;
  all_runtimes = rt;
  (void)pthread_mutex_unlock(&all_mutex);
}

static void take_from_all(cwi_runtime *rt) {
  (void)pthread_mutex_lock(&all_mutex);
  *rt->link_all = rt->next_all;
  if (rt->next_all != NULL) rt->next_all->link_all = rt->link_all;
  (void)pthread_mutex_unlock(&all_mutex);
}

void cwi_runtime_visit(void (*visit)(cwi_runtime *runtime, void *context), void *context) {
  (void)pthread_mutex_lock(&all_mutex);
  for (cwi_runtime *rt = all_runtimes; rt != NULL; rt = rt->next_all) visit(rt, context);
  (void)pthread_mutex_unlock(&all_mutex);
}

void cwi_runtime_ref(cwi_runtime *rt) {
  atomic_fetch_add_explicit(&rt->refs, 1, memory_order_relaxed);
}

/* The loop is closed only with the last reference: a poster may still be waking it. */
void cwi_runtime_unref(cwi_runtime *rt) {
  if (atomic_fetch_sub_explicit(&rt->refs, 1, memory_order_acq_rel) != 1) return;
  end_loop(rt);
  CWI_FREE(rt);
}

static bool has_no_ops(void *context) {
  cwi_runtime *rt = context;
  return rt->op_count == 0 && rt->deadlines == NULL && rt->ready_first == NULL &&
         atomic_load_explicit(&rt->inbox, memory_order_relaxed) == NULL;
}

static bool has_settled(void *context) {
  return ((cwi_future *)context)->state != CWI_FUTURE_PENDING; /* at home here: no race */
}

/* From now on jobs go to the reactor; false where one came in meanwhile. */
static bool close_inbox(cwi_runtime *rt) {
  cwi_job *empty = NULL;
  return atomic_compare_exchange_strong(&rt->inbox, &empty, &inbox_closed);
}

/* The thread ends: what it has started is cancelled and awaited. */
static void end_own(void) {
  cwi_runtime *rt = own;
  if (rt == NULL || cwi_forked) return;
  rt->closing = true;
  while (rt->op_count > 0) {
    cwi_future *f = rt->ops;
    cwi_future_ref(f);
    cwi_future_request_cancel(f, CW_E_CLOSED);
    while (f->state == CWI_FUTURE_PENDING) cwi_runtime_drive(rt, has_settled, f);
    cwi_future_unref(f);
  }
  cwi_deadline_end_all(rt);
  cwi_runtime_drive(rt, has_no_ops, rt);
  for (size_t i = 0; i < CWI_RUNTIME_LOCAL_COUNT; i++) {
    if (rt->locals[i].data != NULL) rt->locals[i].end(rt, rt->locals[i].data);
  }
  while (!close_inbox(rt)) cwi_runtime_drive(rt, has_no_ops, rt);
  take_from_all(rt);
  cwi_fiber_pool_deinit(&rt->fibers);
  own = NULL;
  cwi_runtime_unref(rt);
}

static cwi_runtime *make_own(cw_error *err) {
  cwi_runtime *rt = CWI_NEW(cwi_runtime);
  if (rt == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a runtime");
    return NULL;
  }
  cwi_fork_guard();
  rt->timer_fd = -1;
  rt->timer_armed = CWI_TIMER_NEVER;
  rt->ready_last = &rt->ready_first;
  rt->start_ns = cwi_clock_now();
  rt->spin_score = SPIN_SCORE_MAX / 2;
  rt->thread = cwi_thread_id();
  atomic_init(&rt->refs, 1);
  cwi_timer_wheel_init(&rt->wheel, 0);
  int code = start_loop(rt);
  if (code != 0) {
    if (rt->loop.data != NULL || code != UV_ENOMEM) end_loop(rt);
    CWI_FREE(rt);
    (void)CWI_RAISE(err, code == UV_EMFILE || code == UV_ENFILE ? CW_E_LIMIT : CW_E_IO, -code,
                    "no runtime for this thread: %s", uv_strerror(code));
    return NULL;
  }
  cwi_fiber_init_thread(&rt->thread_fiber);
  add_to_all(rt);
  own = rt;
  cwi_thread_at_end(CWI_THREAD_END_RUNTIME, end_own);
  return rt;
}

cwi_runtime *cwi_runtime_get(cw_error *err) {
  if (CWI_UNLIKELY(cwi_forked)) {
    (void)CWI_RAISE(err, CW_E_FORKED, 0, "a forked child cannot use its parent's runtimes");
    return NULL;
  }
  return CWI_LIKELY(own != NULL) ? own : make_own(err);
}

cwi_runtime *cwi_runtime_for_operation(cw_error *err) {
  if (CWI_LIKELY(own != NULL && own->driving && !own->closing)) return own;
  return cwi_reactor_get(err);
}

/* ---- jobs ---- */

void cwi_runtime_ready(cwi_runtime *rt, cwi_job *job) {
  CWI_ASSERT(rt == own);
  job->next = NULL;
  *rt->ready_last = job;
  rt->ready_last = &job->next;
}

void cwi_runtime_post(cwi_runtime *rt, cwi_job *job) {
  cwi_job *newest = atomic_load_explicit(&rt->inbox, memory_order_relaxed);
  do {
    if (CWI_UNLIKELY(newest == &inbox_closed)) { /* its thread has ended */
      cwi_runtime *reactor = cwi_reactor_get(NULL);
      if (reactor != NULL && reactor != rt) cwi_runtime_post(reactor, job);
      return;
    }
    job->next = newest;
  } while (!atomic_compare_exchange_weak_explicit(&rt->inbox, &newest, job, memory_order_seq_cst,
                                                  memory_order_relaxed));
  if (atomic_load_explicit(&rt->sleeping, memory_order_seq_cst) != 0 &&
      atomic_exchange_explicit(&rt->sleeping, 0, memory_order_acq_rel) != 0) {
    (void)uv_async_send(&rt->wake);
  }
}

void cwi_runtime_send(cwi_runtime *rt, cwi_job *job) {
  if (rt == own) {
    cwi_runtime_ready(rt, job);
  } else {
    cwi_runtime_post(rt, job);
  }
}

static void take_inbox(cwi_runtime *rt) {
  if (atomic_load_explicit(&rt->inbox, memory_order_relaxed) == NULL) return;
  cwi_job *job = atomic_exchange_explicit(&rt->inbox, NULL, memory_order_acquire);
  cwi_job *oldest = NULL;
  while (job != NULL) {
    cwi_job *next = job->next;
    job->next = oldest;
    oldest = job;
    job = next;
  }
  while (oldest != NULL) {
    cwi_job *next = oldest->next;
    cwi_runtime_ready(rt, oldest);
    oldest = next;
  }
}

static void run_jobs(cwi_runtime *rt) {
  for (int i = 0; i < TURN_JOBS && rt->ready_first != NULL; i++) {
    cwi_job *job = rt->ready_first;
    rt->ready_first = job->next;
    if (rt->ready_first == NULL) rt->ready_last = &rt->ready_first;
    job->run(job);
    cwi_task_collect(rt);
  }
}

/* ---- time ---- */

uint64_t cwi_runtime_tick_after(const cwi_runtime *rt, uint64_t ns) {
  uint64_t when = cwi_clock_now() - rt->start_ns + ns;
  return (when + ((1U << CWI_TICK_SHIFT) - 1)) >> CWI_TICK_SHIFT; /* never early */
}

static void fire_timers(cwi_runtime *rt) {
  if (rt->wheel.len == 0) return;
  uint64_t now = cwi_clock_now();
  if (now > rt->start_ns)
    (void)cwi_timer_advance(&rt->wheel, (now - rt->start_ns) >> CWI_TICK_SHIFT);
}

static void arm_timer_fd(cwi_runtime *rt) {
  uint64_t next = cwi_clock_is_virtual() ? CWI_TIMER_NEVER : cwi_timer_next(&rt->wheel);
  if (next == rt->timer_armed) return;
  struct itimerspec spec = {0};
  if (next != CWI_TIMER_NEVER) {
    uint64_t when = rt->start_ns + (next << CWI_TICK_SHIFT);
    spec.it_value.tv_sec = (time_t)(when / CWI_NS_PER_S);
    spec.it_value.tv_nsec = (long)(when % CWI_NS_PER_S);
  }
  (void)timerfd_settime(rt->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
  rt->timer_armed = next;
}

/* ---- waiting ---- */

static void poll_loop(cwi_runtime *rt, uv_run_mode mode) {
  rt->in_loop = true;
  (void)uv_run(&rt->loop, mode);
  rt->in_loop = false;
}

static bool has_mail(cwi_runtime *rt) {
  return atomic_load_explicit(&rt->inbox, memory_order_seq_cst) != NULL;
}

/* Spins briefly for mail, as long as that pays: each success earns what four failures cost. */
static bool spin_for_mail(cwi_runtime *rt) {
  if (rt->spin_score <= 0 || !cwi_thread_can_spin()) {
    if (rt->spin_score <= 0) rt->spin_score++; /* try again after a while */
    return false;
  }
  uint64_t end = cwi_clock_monotonic() + SPIN_NS;
  do {
    for (int i = 0; i < 32; i++) {
      if (atomic_load_explicit(&rt->inbox, memory_order_relaxed) != NULL) {
        rt->spin_score += 4;
        if (rt->spin_score > SPIN_SCORE_MAX) rt->spin_score = SPIN_SCORE_MAX;
        return true;
      }
      cwi_thread_pause();
    }
  } while (cwi_clock_monotonic() < end);
  if (--rt->spin_score == 0) rt->spin_score = -SPIN_SCORE_MAX;
  return false;
}

/* In virtual time nothing is waited for: the clock jumps to the next timer of this runtime. */
static bool jump_clock(cwi_runtime *rt) {
  if (!cwi_clock_is_automatic() || rt->external > 0 || rt->wheel.len == 0 || has_mail(rt))
    return false;
  uint64_t next = cwi_timer_next(&rt->wheel);
  cwi_clock_advance_to(rt->start_ns + (next << CWI_TICK_SHIFT));
  return true;
}

static void sleep_until_work(cwi_runtime *rt) {
  if (jump_clock(rt)) return;
  if (rt->wheel.len == 0 && spin_for_mail(rt)) return;
  arm_timer_fd(rt);
  atomic_store_explicit(&rt->sleeping, 1, memory_order_seq_cst);
  if (!has_mail(rt)) poll_loop(rt, UV_RUN_ONCE);
  atomic_store_explicit(&rt->sleeping, 0, memory_order_relaxed);
}

void cwi_runtime_drive(cwi_runtime *rt, bool (*done)(void *context), void *context) {
  CWI_ASSERT(rt == own);
  CWI_ASSERT(!rt->driving);
  rt->driving = true;
  for (;;) {
    take_inbox(rt);
    run_jobs(rt);
    if (done(context)) break;
    fire_timers(rt);
    if (rt->ready_first != NULL) {
      if (rt->external > 0) poll_loop(rt, UV_RUN_NOWAIT);
    } else if (!has_mail(rt)) {
      sleep_until_work(rt);
    }
  }
  rt->driving = false;
}
