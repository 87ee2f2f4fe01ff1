/* SPDX-License-Identifier: MIT */
/* Time limits. A limit belongs to its future until the future lets go of it (it settles, or gets
 * another limit); whoever takes it out of the future sends it home to be disarmed and freed. So it
 * is let go of exactly once, and its runtime does not end before it has come home. */
#include "core/deadline.h"

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"

struct cwi_deadline {
  cwi_timer timer;
  cwi_job arm;
  cwi_job drop;
  cwi_runtime *runtime; /* a reference */
  cwi_future *future;   /* a reference */
  uint64_t ns;
  cwi_deadline *next, **link; /* [runtime's thread] */
};

static void deadline_on_fire(cwi_timer *timer) {
  cwi_deadline *d = CWI_CONTAINER_OF(timer, cwi_deadline, timer);
  cwi_future_request_cancel(d->future, CW_E_TIMEOUT);
}

static void free_deadline(cwi_deadline *d) {
  cwi_future_unref(d->future);
  cwi_runtime_unref(d->runtime);
  CWI_FREE(d);
}

static void drop_here(cwi_deadline *d) {
  (void)cwi_timer_disarm(&d->runtime->wheel, &d->timer);
  *d->link = d->next;
  if (d->next != NULL) d->next->link = d->link;
  free_deadline(d);
}

static void drop_on_run(cwi_job *job) { drop_here(CWI_CONTAINER_OF(job, cwi_deadline, drop)); }

static void arm_here(cwi_deadline *d) {
  cwi_runtime *rt = d->runtime;
  d->next = rt->deadlines;
  if (d->next != NULL) d->next->link = &d->next;
  d->link = &rt->deadlines;
  rt->deadlines = d;
  cwi_timer_arm(&rt->wheel, &d->timer, cwi_runtime_tick_after(rt, d->ns));
}

/* Posted before any drop of the same limit, so it runs before it. */
static void arm_on_run(cwi_job *job) { arm_here(CWI_CONTAINER_OF(job, cwi_deadline, arm)); }

void cwi_deadline_drop(cwi_deadline *d) {
  d->drop.run = drop_on_run; /* deferred also at home: this may run inside the timer's own fire */
  cwi_runtime_send(d->runtime, &d->drop);
}

/* The home of a pending future with a reference added: it lives as long as the future is pending.
 */
static cwi_runtime *ref_home(cwi_future *f) {
  cwi_object_lock(f);
  cwi_runtime *rt = f->state == CWI_FUTURE_PENDING ? f->home : NULL;
  if (rt != NULL) cwi_runtime_ref(rt);
  cwi_object_unlock(f);
  return rt;
}

static cwi_deadline *make_deadline(cwi_future *f, uint64_t ms, cw_error *err) {
  cwi_runtime *rt = ref_home(f);
  if (rt == NULL) {
    rt = cwi_runtime_for_operation(err);
    if (rt == NULL) return NULL;
    cwi_runtime_ref(rt);
  }
  cwi_deadline *d = CWI_NEW(cwi_deadline);
  if (d == NULL) {
    cwi_runtime_unref(rt);
    (void)CWI_RAISE_NOMEM(err, "a time limit");
    return NULL;
  }
  d->timer.fire = deadline_on_fire;
  d->arm.run = arm_on_run;
  d->runtime = rt;
  d->future = f;
  d->ns = ms * CWI_NS_PER_MS;
  cwi_future_ref(f);
  return d;
}

cw_status cwi_deadline_set(cwi_future *f, uint64_t ms, cw_error *err) {
  cwi_deadline *d = make_deadline(f, ms, err);
  if (d == NULL) return err != NULL ? err->code : CW_E_NOMEM;
  /* Armed before the future knows it, so that letting go finds it armed or its arming queued first.
   */
  if (d->runtime == cwi_runtime_peek()) {
    arm_here(d);
  } else {
    cwi_runtime_post(d->runtime, &d->arm);
  }
  cwi_object_lock(f);
  cwi_deadline *old = f->deadline;
  if (f->state == CWI_FUTURE_PENDING) {
    f->deadline = d;
    d = NULL;
  } else {
    old = NULL;
  }
  cwi_object_unlock(f);
  if (d != NULL) cwi_deadline_drop(d); /* it had settled: nothing to limit */
  if (old != NULL) cwi_deadline_drop(old);
  return CW_OK;
}

void cwi_deadline_end_all(cwi_runtime *rt) {
  cwi_deadline *d = rt->deadlines;
  while (d != NULL) {
    cwi_deadline *next = d->next;
    cwi_object_lock(d->future);
    bool mine = d->future->deadline == d;
    if (mine) d->future->deadline = NULL;
    cwi_object_unlock(d->future);
    if (mine) drop_here(d);
    d = next;
  }
}
