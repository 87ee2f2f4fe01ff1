/* SPDX-License-Identifier: MIT */
/* Proves what a future promises: settled once, kept until taken, cancelled when dropped, and
 * refused where waiting would deadlock. */
#include "causeway/future.h"

#include <pthread.h>

#include "causeway/clock.h"
#include "causeway/runtime.h"
#include "causeway/task.h"
#include "support/test.h"

static void expect_int(cw_future *future, int64_t expected) {
  cw_value value;
  cw_error err;
  cw_status status = cw_await(future, &value, &err);
  if (status != CW_OK) fail_msg("%s: %s", cw_status_name(status), err.message);
  assert_int_equal(cw_value_as_int(value), expected);
  cw_value_release(&value);
}

static cw_error expect_error(cw_future *future, cw_status code) {
  cw_value value;
  cw_error err;
  cw_status status = cw_await(future, &value, &err);
  if (status != code) fail_msg("%s, expected %s", cw_status_name(status), cw_status_name(code));
  assert_int_equal(value.kind, CW_VALUE_NONE);
  assert_int_equal(err.code, code);
  CHECK(err.message[0] != '\0');
  return err;
}

static void expect_no_handles(void) {
  for (int kind = 1; kind < 27; kind++) {
    uint64_t count = cw_handle_count((cw_handle_kind)kind);
    if (count != 0) fail_msg("%llu handles of kind %d are left", (unsigned long long)count, kind);
  }
}

TEST(future, completion_before_anyone_waits_is_kept) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK(!cw_future_is_settled(future));
  CHECK_OK(cw_complete(completer, cw_value_int(7)));
  CHECK(cw_future_is_settled(future));
  expect_int(future, 7);
  expect_no_handles();
}

TEST(future, second_completion_is_stale) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_complete(completer, cw_value_int(1)));
  CHECK_STATUS(cw_complete(completer, cw_value_int(2)), CW_E_STALE);
  CHECK_STATUS(cw_release(completer), CW_E_STALE);
  expect_int(future, 1);
}

TEST(future, dropped_completer_closes_the_channel) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_release(completer));
  cw_error err = expect_error(future, CW_E_CLOSED);
  CHECK(strstr(err.message, "channel closed") != NULL);
}

static void count_call(void *context) { ++*(int *)context; }

TEST(future, dropped_future_cancels_its_operation_once) {
  cw_completer *completer;
  int calls = 0;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_completer_on_cancel(completer, count_call, &calls));
  CHECK_OK(cw_release(future));
  assert_int_equal(calls, 1);
  CHECK_STATUS(cw_release(future), CW_E_STALE);
  CHECK_STATUS(cw_complete(completer, cw_value_int(1)), CW_E_CANCELLED);
  expect_no_handles();
}

TEST(future, cancel_settles_after_the_operation_has_stopped) {
  cw_completer *completer;
  int calls = 0;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_completer_on_cancel(completer, count_call, &calls));
  CHECK_OK(cw_future_cancel(future));
  CHECK_OK(cw_future_cancel(future));
  assert_int_equal(calls, 1);
  CHECK(!cw_future_is_settled(future));
  CHECK_STATUS(cw_complete(completer, cw_value_int(1)), CW_E_CANCELLED);
  cw_error err = expect_error(future, CW_E_CANCELLED);
  assert_int_equal(err.outcome, CW_OUTCOME_COMPLETED);
}

TEST(future, cancel_without_a_callback_settles_at_once) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_future_cancel(future));
  cw_error err = expect_error(future, CW_E_CANCELLED);
  assert_int_equal(err.outcome, CW_OUTCOME_NOTHING);
  CHECK_OK(cw_release(completer));
}

TEST(future, cancel_after_ready_keeps_the_value) {
  cw_future *future = cw_ready(cw_value_int(3));
  CHECK_OK(cw_future_cancel(future));
  expect_int(future, 3);
}

TEST(future, retained_future_gives_each_holder_the_result) {
  cw_completer *completer;
  cw_value text;
  CHECK_OK(cw_value_string("shared", 6, &text, NULL));
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_retain(future));
  CHECK_OK(cw_complete(completer, text));
  for (int i = 0; i < 2; i++) {
    cw_value value;
    CHECK_OK(cw_await(future, &value, NULL));
    assert_string_equal(cw_value_as_bytes(value).data, "shared");
    cw_value_release(&value);
  }
  CHECK_STATUS(cw_await(future, NULL, NULL), CW_E_STALE);
}

TEST(future, take_of_a_pending_one_keeps_it) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK_STATUS(cw_future_take(future, NULL, NULL), CW_E_STATE);
  CHECK_OK(cw_complete(completer, cw_value_int(5)));
  cw_value value;
  CHECK_OK(cw_future_take(future, &value, NULL));
  assert_int_equal(cw_value_as_int(value), 5);
  CHECK_STATUS(cw_future_take(future, NULL, NULL), CW_E_STALE);
}

TEST(future, error_keeps_its_code_and_message) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  CHECK_OK(cw_complete_error(completer, CW_E_NOT_FOUND, "no such note"));
  cw_error err = expect_error(future, CW_E_NOT_FOUND);
  assert_string_equal(err.message, "no such note");
}

TEST(future, foreign_and_made_up_handles_are_stale) {
  uintptr_t made_up[] = {0,
                         1,
                         8,
                         0x1000,
                         UINTPTR_MAX,
                         (uintptr_t)1 << 48,
                         (uintptr_t)2 << 48 | 5,
                         (uintptr_t)31 << 48,
                         (uintptr_t)&made_up};
  for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
    cw_future *future = (cw_future *)made_up[i]; /* NOLINT */
    CHECK_STATUS(cw_await(future, NULL, NULL), CW_E_STALE);
    CHECK_STATUS(cw_future_take(future, NULL, NULL), CW_E_STALE);
    CHECK_STATUS(cw_future_cancel(future), CW_E_STALE);
    CHECK_STATUS(cw_release(future), made_up[i] == 0 ? CW_OK : CW_E_STALE);
    CHECK(!cw_future_is_settled(future));
  }
}

TEST(future, error_detail_is_json) {
  cw_value detail;
  cw_future *future = cw_failed(CW_E_NOT_FOUND, "no \"note\"");
  CHECK_OK(cw_future_error_detail(future, &detail, NULL));
  CHECK(strstr(cw_value_as_bytes(detail).data, "\"code\":\"CW_E_NOT_FOUND\"") != NULL);
  CHECK(strstr(cw_value_as_bytes(detail).data, "\"message\":\"no \\\"note\\\"\"") != NULL);
  cw_value_release(&detail);
  CHECK_OK(cw_release(future));
  CHECK_STATUS(cw_future_error_detail(future, &detail, NULL), CW_E_STALE);
  future = cw_ready(cw_value_int(1));
  CHECK_STATUS(cw_future_error_detail(future, &detail, NULL), CW_E_STATE);
  CHECK_OK(cw_release(future));
}

/* ---- combinators ---- */

static void make_three(cw_future **futures, cw_completer **completers) {
  for (int i = 0; i < 3; i++) futures[i] = cw_oneshot(&completers[i]);
}

TEST(combine, all_gives_values_in_order) {
  cw_future *futures[3];
  cw_completer *completers[3];
  make_three(futures, completers);
  cw_future *all = cw_all(futures, 3);
  for (int i = 2; i >= 0; i--) CHECK_OK(cw_complete(completers[i], cw_value_int(i)));
  cw_value list;
  CHECK_OK(cw_await(all, &list, NULL));
  assert_int_equal(cw_value_len(list), 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(cw_value_as_int(cw_value_array_get(list, i)), (int64_t)i);
  }
  cw_value_release(&list);
  expect_no_handles();
}

TEST(combine, all_fails_with_the_first_failure_after_the_others_stopped) {
  cw_future *futures[3];
  cw_completer *completers[3];
  int calls = 0;
  make_three(futures, completers);
  CHECK_OK(cw_completer_on_cancel(completers[0], count_call, &calls));
  cw_future *all = cw_all(futures, 3);
  CHECK_OK(cw_complete_error(completers[1], CW_E_IO, "first"));
  assert_int_equal(calls, 1);
  CHECK(!cw_future_is_settled(all));
  CHECK_OK(cw_release(completers[0]));
  CHECK(cw_future_is_settled(all));
  cw_error err = expect_error(all, CW_E_IO);
  assert_string_equal(err.message, "first");
  CHECK_OK(cw_release(completers[2]));
  expect_no_handles();
}

TEST(combine, race_cancels_the_losers) {
  cw_future *futures[3];
  cw_completer *completers[3];
  int calls = 0;
  make_three(futures, completers);
  CHECK_OK(cw_completer_on_cancel(completers[0], count_call, &calls));
  CHECK_OK(cw_completer_on_cancel(completers[2], count_call, &calls));
  cw_future *race = cw_race(futures, 3);
  CHECK_OK(cw_complete(completers[1], cw_value_int(11)));
  assert_int_equal(calls, 2);
  CHECK_STATUS(cw_complete(completers[0], cw_value_int(1)), CW_E_CANCELLED);
  CHECK_OK(cw_release(completers[2]));
  expect_int(race, 11);
  expect_no_handles();
}

TEST(combine, any_takes_the_first_success_or_the_last_failure) {
  cw_future *futures[3];
  cw_completer *completers[3];
  make_three(futures, completers);
  cw_future *any = cw_any(futures, 3);
  CHECK_OK(cw_complete_error(completers[0], CW_E_IO, "one"));
  CHECK_OK(cw_complete(completers[2], cw_value_int(9)));
  expect_int(any, 9);
  CHECK_STATUS(cw_release(completers[1]), CW_OK);
  make_three(futures, completers);
  any = cw_any(futures, 3);
  for (int i = 0; i < 3; i++) CHECK_OK(cw_complete_error(completers[i], CW_E_IO - i, NULL));
  (void)expect_error(any, CW_E_IO - 2);
  expect_no_handles();
}

TEST(combine, chain_of_a_hundred_thousand_settles_in_constant_stack) {
  cw_completer *completer;
  cw_future *future = cw_oneshot(&completer);
  for (int i = 0; i < 100000; i++) future = cw_race(&future, 1);
  CHECK_OK(cw_complete(completer, cw_value_int(1)));
  expect_int(future, 1);
  expect_no_handles();
}

TEST(combine, cancel_of_a_group_reaches_every_member) {
  cw_future *futures[3];
  cw_completer *completers[3];
  make_three(futures, completers);
  cw_future *all = cw_all(futures, 3);
  CHECK_OK(cw_future_cancel(all));
  (void)expect_error(all, CW_E_CANCELLED);
  for (int i = 0; i < 3; i++) CHECK_OK(cw_release(completers[i]));
  expect_no_handles();
}

TEST(combine, stale_member_fails_the_group) {
  cw_future *stale = cw_ready(cw_value_int(1));
  CHECK_OK(cw_release(stale));
  (void)expect_error(cw_all(&stale, 1), CW_E_STALE);
}

/* ---- time ---- */

TEST(timeout, thirty_seconds_pass_in_virtual_time) {
  cw_clock_virtual(true);
  cw_completer *completer;
  cw_future *future = cw_timeout(cw_oneshot(&completer), 30000);
  uint64_t before = cw_clock_now_ns();
  (void)expect_error(future, CW_E_TIMEOUT);
  CHECK(cw_clock_now_ns() - before >= 30000000000U);
  CHECK(cw_clock_now_ns() - before < 30100000000U);
  CHECK_OK(cw_release(completer));
  CHECK_OK(cw_shutdown(1000, NULL));
  cw_clock_real();
  expect_no_handles();
}

TEST(timeout, operation_in_time_keeps_its_value) {
  cw_completer *completer;
  cw_future *future = cw_timeout(cw_oneshot(&completer), 30000);
  CHECK_OK(cw_complete(completer, cw_value_int(4)));
  expect_int(future, 4);
  CHECK_OK(cw_shutdown(1000, NULL));
}

TEST(timeout, longer_than_a_year_is_refused) {
  (void)expect_error(cw_timeout(cw_ready(cw_value_none()), CW_TIMEOUT_MS_MAX + 1), CW_E_INVALID);
  (void)expect_error(cw_sleep(CW_TIMEOUT_MS_MAX + 1), CW_E_INVALID);
}

TEST(sleep, is_never_early_and_can_be_cancelled) {
  uint64_t before = cw_clock_now_ns();
  CHECK_OK(cw_await(cw_sleep(3), NULL, NULL));
  CHECK(cw_clock_now_ns() - before >= 3000000);
  cw_future *future = cw_sleep(1000000);
  CHECK_OK(cw_future_cancel(future));
  (void)expect_error(future, CW_E_CANCELLED);
  CHECK_OK(cw_release(cw_sleep(1000000)));
  CHECK_OK(cw_shutdown(1000, NULL));
  expect_no_handles();
}

/* ---- other threads ---- */

static void *complete_from_afar(void *context) {
  CHECK_OK(cw_complete(context, cw_value_int(21)));
  return NULL;
}

TEST(future, settles_from_any_thread) {
  for (int i = 0; i < 200; i++) {
    cw_completer *completer;
    cw_future *future = cw_oneshot(&completer);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, complete_from_afar, completer), 0);
    expect_int(future, 21);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  expect_no_handles();
}

static void take_in_callback(cw_future *future, void *context) {
  cw_value value;
  CHECK_OK(cw_future_take(future, &value, NULL));
  CHECK_STATUS(cw_await(cw_ready(cw_value_none()), NULL, NULL), CW_OK);
  cw_completer *never;
  cw_future *pending = cw_oneshot(&never);
  CHECK_STATUS(cw_await(pending, NULL, NULL), CW_E_REENTRANT);
  CHECK_OK(cw_release(pending));
  CHECK_OK(cw_release(never));
  CHECK_OK(cw_complete(context, value));
}

TEST(future, callback_runs_once_and_must_not_wait) {
  cw_completer *completer;
  cw_completer *done;
  cw_future *future = cw_oneshot(&completer);
  cw_future *seen = cw_oneshot(&done);
  CHECK_OK(cw_future_on_settle(future, take_in_callback, done, NULL));
  CHECK_OK(cw_complete(completer, cw_value_int(77)));
  expect_int(seen, 77);
  CHECK_OK(cw_shutdown(1000, NULL));
  expect_no_handles();
}

static cw_status use_everything(void) {
  cw_error err;
  cw_completer *completers[2] = {NULL, NULL};
  cw_future *futures[2];
  for (int i = 0; i < 2; i++) futures[i] = cw_oneshot(&completers[i]);
  cw_future *all = cw_all(futures, 2);
  for (int i = 0; i < 2; i++) {
    if (completers[i] != NULL) (void)cw_complete(completers[i], cw_value_int(i));
  }
  cw_value value;
  cw_status status = cw_await(all, &value, &err);
  cw_value_release(&value);
  return status;
}

TEST(future, survives_every_failed_allocation) {
  CHECK_OK(use_everything()); /* pools and the runtime stay */
  CHECK_SURVIVES_OOM(use_everything(), (void)0);
  expect_no_handles();
}
