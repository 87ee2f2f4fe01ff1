/* SPDX-License-Identifier: MIT */
/* Combinators: futures made of futures.
 *
 * A group holds its members' handles, waits for each, and settles its own future when the *last*
 * member has settled, so that nothing of a group is alive when it is over. Its outcome is decided
 * earlier: by the first failure (all), the first success (any) or the first of either (race);
 * deciding cancels the members that still run. */
#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/future.h"
#include "core/value.h"

typedef enum group_rule { RULE_ALL, RULE_ANY, RULE_RACE } group_rule;

typedef struct group group;

typedef struct member {
  cwi_waiter waiter;
  group *group;
  cwi_future *future; /* a reference; NULL where the handle was dead */
  cw_future *handle;  /* taken over from the caller */
} member;

struct group {
  cwi_future *out; /* the producer's reference */
  group_rule rule;
  size_t len;
  _Atomic size_t pending; /* members that have not settled, and one while members are added */
  _Atomic size_t holders; /* what keeps the group: its members' end, its future */
  _Atomic size_t decider; /* index + 1 of the member that decided; 0: nobody yet */
  member members[];
};

static size_t group_size(size_t len) { return sizeof(group) + len * sizeof(member); }

static void drop_group(group *g) {
  if (atomic_fetch_sub_explicit(&g->holders, 1, memory_order_acq_rel) != 1) return;
  for (size_t i = 0; i < g->len; i++) {
    if (g->members[i].future != NULL) cwi_future_unref(g->members[i].future);
  }
  cwi_free(g, group_size(g->len));
}

static void cancel_members(group *g, cw_status reason) {
  for (size_t i = 0; i < g->len; i++) {
    if (g->members[i].future != NULL) cwi_future_request_cancel(g->members[i].future, reason);
  }
}

static bool decide(group *g, size_t index) {
  size_t nobody = 0;
  return atomic_compare_exchange_strong(&g->decider, &nobody, index + 1);
}

/* ---- the end of a group ---- */

static cw_status take_member(member *m, cw_value *value, cw_error *err) {
  return cw_future_take(m->handle, value, err);
}

/* All succeeded: their values in order. */
static cw_status collect(group *g, cw_value *out, cw_error *err) {
  cw_status status = cw_value_array(g->len, out, err);
  for (size_t i = 0; i < g->len; i++) {
    cw_value value = cwi_value_none();
    cw_error why;
    cw_status taken = take_member(&g->members[i], &value, &why);
    if (taken == CW_OK && status == CW_OK) {
      status = cw_value_array_push(out, value, err);
    } else {
      cw_value_release(&value);
      if (status == CW_OK) {
        status = taken;
        *err = why;
      }
    }
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status take_decider(group *g, size_t chosen, cw_value *out, cw_error *err) {
  cw_status status = CW_OK;
  for (size_t i = 0; i < g->len; i++) {
    if (i == chosen) {
      status = take_member(&g->members[i], out, err);
    } else if (g->members[i].future != NULL) {
      (void)cw_release(g->members[i].handle);
    }
  }
  return status;
}

static void end_group(group *g) {
  cw_value value = cwi_value_none();
  cw_error err = {.code = CW_OK};
  size_t decider = atomic_load(&g->decider);
  cw_status status;
  if (decider != 0) {
    status = take_decider(g, decider - 1, &value, &err);
  } else if (g->rule == RULE_ALL) {
    status = collect(g, &value, &err);
  } else { /* any, and all have failed */
    status = take_decider(g, g->len - 1, &value, &err);
  }
  cwi_future *out = g->out;
  (void)cwi_future_finish(out, status, value, status == CW_OK ? NULL : &err);
  drop_group(g);
}

/* ---- members settle ---- */

static bool member_failed(member *m) {
  return m->future == NULL || m->future->status != CW_OK; /* settled: constant */
}

static void count_down(group *g) {
  if (atomic_fetch_sub_explicit(&g->pending, 1, memory_order_acq_rel) == 1) end_group(g);
}

static void member_settled(member *m) {
  group *g = m->group;
  bool failed = member_failed(m);
  bool decides = g->rule == RULE_RACE || failed == (g->rule == RULE_ALL);
  if (decides && decide(g, (size_t)(m - g->members))) cancel_members(g, CW_E_CANCELLED);
  count_down(g);
}

static void member_on_notify(cwi_waiter *waiter) {
  member_settled(CWI_CONTAINER_OF(waiter, member, waiter));
}

/* ---- making a group ---- */

static group **group_slot(cwi_future *f) { return (group **)(void *)f->op; }

static void group_on_cancel(cwi_future *f) {
  cancel_members(*group_slot(f), CW_E_CANCELLED); /* the group lives as long as its future */
}

static void group_op_deinit(cwi_future *f) { drop_group(*group_slot(f)); }

static void release_all(cw_future *const *futures, size_t len) {
  for (size_t i = 0; i < len; i++) (void)cw_release(futures[i]);
}

static void add_members(group *g, cw_future *const *futures) {
  for (size_t i = 0; i < g->len; i++) {
    member *m = &g->members[i];
    m->group = g;
    m->handle = futures[i];
    m->waiter.notify = member_on_notify;
    m->future = cwi_handle_get(futures[i], CW_HANDLE_FUTURE);
  }
  for (size_t i = 0; i < g->len; i++) {
    member *m = &g->members[i];
    if (m->future == NULL || !cwi_future_wait(m->future, &m->waiter)) member_settled(m);
  }
}

static cw_future *make_group(cw_future *const *futures, size_t len, group_rule rule,
                             const char *operation) {
  if (futures == NULL && len > 0) return cw_failed(CW_E_INVALID, "no futures");
  if (len > (SIZE_MAX - sizeof(group)) / sizeof(member)) return cw_failed(CW_E_LIMIT, "too many");
  group *g = cwi_alloc_zero(group_size(len));
  cwi_future *f = g == NULL ? NULL : cwi_future_new(NULL, operation);
  if (f == NULL) {
    cwi_free(g, group_size(len));
    release_all(futures, len);
    return cwi_future_nomem();
  }
  g->out = f;
  g->rule = rule;
  g->len = len;
  atomic_init(&g->pending, len + 1);
  atomic_init(&g->holders, 2);
  *group_slot(f) = g;
  f->cancel = group_on_cancel;
  f->op_deinit = group_op_deinit;
  cw_future *handle = cwi_future_handle(f);
  add_members(g, futures);
  count_down(g);
  return handle;
}

static cw_future *empty_array(void) {
  cw_value list;
  cw_error err;
  if (cw_value_array(0, &list, &err) != CW_OK) return cwi_future_nomem();
  return cw_ready(list);
}

cw_future *cw_all(cw_future *const *futures, size_t len) {
  if (len == 0) return empty_array();
  return make_group(futures, len, RULE_ALL, "all");
}

cw_future *cw_any(cw_future *const *futures, size_t len) {
  if (len == 0) return cw_failed(CW_E_INVALID, "cw_any() of no futures can never succeed");
  return make_group(futures, len, RULE_ANY, "any");
}

cw_future *cw_race(cw_future *const *futures, size_t len) {
  if (len == 0) return cw_failed(CW_E_INVALID, "cw_race() of no futures would never settle");
  return make_group(futures, len, RULE_RACE, "race");
}

/* ---- time ---- */

cw_future *cw_timeout(cw_future *future, uint64_t ms) {
  cwi_future *f = cwi_handle_get(future, CW_HANDLE_FUTURE);
  if (f == NULL) return future; /* waiting for it says what is wrong */
  cw_error err = {.code = CW_OK};
  if (ms > CW_TIMEOUT_MS_MAX) {
    (void)CWI_RAISE(&err, CW_E_INVALID, 0, "a time-out of %llu ms is longer than a year",
                    (unsigned long long)ms);
  } else {
    (void)cwi_deadline_set(f, ms, &err);
  }
  cwi_future_unref(f);
  if (err.code == CW_OK) return future;
  (void)cw_release(future);
  return cwi_future_failed(&err);
}

typedef struct sleep_op {
  cwi_timer timer;
  uint64_t ns;
} sleep_op;

static void sleep_on_fire(cwi_timer *timer) {
  cwi_future *f = CWI_CONTAINER_OF(timer, cwi_future, op);
  (void)cwi_future_finish(f, CW_OK, cwi_value_none(), NULL);
}

static void sleep_on_cancel(cwi_future *f) {
  sleep_op *op = CWI_FUTURE_OP(f, sleep_op);
  if (!cwi_timer_disarm(&f->home->wheel, &op->timer)) return; /* its arming is still on the way */
  (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
}

static void start_sleep(cwi_future *f) {
  sleep_op *op = CWI_FUTURE_OP(f, sleep_op);
  op->timer.fire = sleep_on_fire;
  cwi_timer_arm(&f->home->wheel, &op->timer, cwi_runtime_tick_after(f->home, op->ns));
}

static void sleep_on_arrive(cwi_job *job) {
  cwi_future *f = CWI_CONTAINER_OF(job, cwi_future, job);
  cwi_future_arrive(f);
  if (cwi_future_is_cancel_requested(f)) {
    (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
  } else {
    start_sleep(f);
  }
}

cw_future *cw_sleep(uint64_t ms) {
  cw_error err;
  if (ms > CW_TIMEOUT_MS_MAX) return cw_failed(CW_E_INVALID, "a sleep longer than a year");
  cwi_runtime *rt = cwi_runtime_for_operation(&err);
  if (rt == NULL) return cwi_future_failed(&err);
  cwi_future *f = cwi_future_new(rt, "sleep");
  if (f == NULL) return cwi_future_nomem();
  f->site = CWI_RETURN_ADDRESS();
  sleep_op *op = CWI_FUTURE_OP(f, sleep_op);
  op->ns = ms * CWI_NS_PER_MS;
  f->cancel = sleep_on_cancel;
  cw_future *handle = cwi_future_handle(f);
  if (rt == cwi_runtime_peek()) {
    start_sleep(f);
  } else {
    f->job.run = sleep_on_arrive;
    cwi_runtime_post(rt, &f->job);
  }
  return handle;
}
