/* SPDX-License-Identifier: MIT */
/* Proves what tasks promise: straight-line waiting, children that end with their parent,
 * cancellation that lets a task clean up. */
#include "causeway/task.h"

#include "causeway/clock.h"
#include "causeway/runtime.h"
#include "core/runtime.h"
#include "support/test.h"

static cw_status add_one(void *context, cw_value *out, cw_error *err) {
  (void)err;
  *out = cw_value_int(*(int *)context + 1);
  return CW_OK;
}

static cw_status add_both(void *context, cw_value *out, cw_error *err) {
  cw_future *futures[2] = {cw_spawn(add_one, context), cw_spawn(add_one, context)};
  cw_value values[2];
  cw_status status = cw_await_all(futures, 2, values, err);
  if (status != CW_OK) return status;
  *out = cw_value_int(cw_value_as_int(values[0]) + cw_value_as_int(values[1]));
  return CW_OK;
}

TEST(task, awaits_tasks_in_a_straight_line) {
  int n = 20;
  cw_value value;
  CHECK_OK(cw_block_on(add_both, &n, &value, NULL));
  assert_int_equal(cw_value_as_int(value), 42);
  CHECK(!cwi_reactor_is_running());
  CHECK_OK(cw_await(cw_spawn(add_both, &n), &value, NULL));
  assert_int_equal(cw_value_as_int(value), 42);
  CHECK(cwi_reactor_is_running());
  CHECK_OK(cw_shutdown(1000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status fail_with_text(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  err->code = CW_E_IO;
  (void)memcpy(err->message, "burnt", 6);
  return CW_E_IO;
}

TEST(task, failure_is_the_futures_failure) {
  cw_value value;
  cw_error err;
  CHECK_STATUS(cw_block_on(fail_with_text, NULL, &value, &err), CW_E_IO);
  assert_string_equal(err.message, "burnt");
}

static cw_status await_myself(void *context, cw_value *out, cw_error *err) {
  (void)out;
  cw_future **self = context;
  return cw_await(*self, NULL, err);
}

static cw_status spawn_self_waiter(void *context, cw_value *out, cw_error *err) {
  cw_future **self = context;
  *self = cw_spawn(await_myself, context);
  return cw_await(*self, out, err);
}

TEST(task, waiting_for_itself_is_refused) {
  cw_future *self = NULL;
  cw_error err;
  CHECK_STATUS(cw_block_on(spawn_self_waiter, &self, NULL, &err), CW_E_REENTRANT);
}

static int clean_ups;

static cw_status sleep_long(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  cw_status status = cw_await(cw_sleep(1000000), NULL, err);
  CHECK(cw_task_is_cancelled());
  cw_task_shield(true);
  CHECK(!cw_task_is_cancelled());
  CHECK_OK(cw_await(cw_sleep(1), NULL, NULL));
  cw_task_shield(false);
  clean_ups++;
  return status;
}

static cw_status leave_children(void *context, cw_value *out, cw_error *err) {
  cw_future **children = context;
  (void)out;
  for (int i = 0; i < 3; i++) {
    children[i] = cw_spawn(sleep_long, NULL);
    CHECK_OK(cw_yield(err));
  }
  return CW_OK;
}

TEST(task, no_child_outlives_its_parent) {
  clean_ups = 0;
  cw_future *children[3];
  CHECK_OK(cw_block_on(leave_children, children, NULL, NULL));
  assert_int_equal(clean_ups, 3);
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(cw_await(children[i], NULL, NULL), CW_E_CANCELLED);
  }
}

static cw_status cancel_child(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  cw_future *child = cw_spawn(sleep_long, NULL);
  CHECK_OK(cw_yield(err));
  CHECK_OK(cw_future_cancel(child));
  CHECK_STATUS(cw_await(child, NULL, err), CW_E_CANCELLED);
  assert_int_equal(clean_ups, 1);
  cw_future *never_ran = cw_spawn(sleep_long, NULL);
  CHECK_OK(cw_future_cancel(never_ran));
  CHECK_STATUS(cw_await(never_ran, NULL, err), CW_E_CANCELLED);
  assert_int_equal(clean_ups, 1);
  cw_future *late = cw_timeout(cw_spawn(sleep_long, NULL), 5);
  CHECK_STATUS(cw_await(late, NULL, err), CW_E_TIMEOUT);
  assert_int_equal(clean_ups, 2);
  return CW_OK;
}

TEST(task, cancel_ends_the_wait_and_lets_it_clean_up) {
  clean_ups = 0;
  cw_error err;
  cw_clock_virtual(true);
  CHECK_OK(cw_block_on(cancel_child, NULL, NULL, &err));
  CHECK(!cwi_reactor_is_running());
  cw_clock_real();
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status leave_shared(void *context, cw_value *out, cw_error *err) {
  (void)out;
  cw_status status = cw_await(context, NULL, err);
  return status;
}

static cw_status cancel_one_of_two_waiters(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  cw_completer *completer;
  cw_future *shared = cw_oneshot(&completer);
  CHECK_OK(cw_retain(shared));
  cw_future *first = cw_spawn(leave_shared, shared);
  CHECK_OK(cw_yield(err));
  CHECK_OK(cw_future_cancel(first));
  CHECK_STATUS(cw_await(first, NULL, err), CW_E_CANCELLED);
  CHECK(!cw_future_is_settled(shared));
  CHECK_OK(cw_complete(completer, cw_value_int(5)));
  cw_value value;
  CHECK_OK(cw_await(shared, &value, err));
  assert_int_equal(cw_value_as_int(value), 5);
  return CW_OK;
}

TEST(task, cancelled_waiter_leaves_a_shared_future_to_the_others) {
  cw_error err;
  CHECK_OK(cw_block_on(cancel_one_of_two_waiters, NULL, NULL, &err));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status nest_block_on(void *context, cw_value *out, cw_error *err) {
  return cw_block_on(add_one, context, out, err);
}

TEST(task, block_on_inside_a_runtime_is_refused) {
  int n = 1;
  cw_error err;
  CHECK_STATUS(cw_block_on(nest_block_on, &n, NULL, &err), CW_E_REENTRANT);
}

static cw_status park(void *context, cw_value *out, cw_error *err) {
  (void)out;
  CHECK_OK(cw_retain(context));
  return cw_await(context, NULL, err);
}

typedef struct crowd {
  size_t len;
  cw_future **futures;
} crowd;

static cw_status park_many(void *context, cw_value *out, cw_error *err) {
  crowd *c = context;
  (void)out;
  cw_completer *completer;
  cw_future *gate = cw_oneshot(&completer);
  for (size_t i = 0; i < c->len; i++) c->futures[i] = cw_spawn(park, gate);
  CHECK_OK(cw_yield(err));
  CHECK_OK(cw_complete(completer, cw_value_int(1)));
  CHECK_OK(cw_await_all(c->futures, c->len, NULL, err));
  CHECK_OK(cw_release(gate));
  return CW_OK;
}

TEST(task, thousands_park_at_once) {
  crowd c = {.len = 1900};
  c.futures = calloc(c.len, sizeof(cw_future *));
  CHECK_OK(cw_block_on(park_many, &c, NULL, NULL));
  free(c.futures);
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status spawn_and_wait(void) {
  int n = 1;
  cw_value value;
  cw_status status = cw_block_on(add_both, &n, &value, NULL);
  cw_value_release(&value);
  return status;
}

TEST(task, survives_every_failed_allocation) {
  CHECK_OK(spawn_and_wait());
  CHECK_SURVIVES_OOM(spawn_and_wait(), (void)0);
}
