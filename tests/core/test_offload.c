/* SPDX-License-Identifier: MIT */
/* Proves that offloaded functions run off the caller's thread, and that cancelling before the start
 * costs nothing. */
#include "causeway/offload.h"

#include <pthread.h>

#include "causeway/runtime.h"
#include "support/test.h"

static cw_status who_runs(void *context, cw_value *out, cw_error *err) {
  (void)err;
  *out = cw_value_bool(pthread_equal(*(pthread_t *)context, pthread_self()) == 0);
  return CW_OK;
}

TEST(offload, runs_on_another_thread) {
  pthread_t self = pthread_self();
  cw_value value;
  CHECK_OK(cw_await(cw_offload(who_runs, &self), &value, NULL));
  CHECK(cw_value_as_bool(value));
  CHECK_OK(cw_shutdown(1000, NULL));
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int runs;

static cw_status wait_at_gate(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  (void)err;
  (void)pthread_mutex_lock(&gate);
  runs++;
  (void)pthread_mutex_unlock(&gate);
  return CW_OK;
}

TEST(offload, cancel_before_start_never_runs_it) {
  cw_future *futures[200];
  cw_error err;
  (void)pthread_mutex_lock(&gate);
  for (int i = 0; i < 200; i++) futures[i] = cw_offload(wait_at_gate, NULL);
  for (int i = 199; i >= 100; i--) {
    CHECK_OK(cw_future_cancel(futures[i]));
    CHECK_STATUS(cw_await(futures[i], NULL, &err), CW_E_CANCELLED);
    assert_int_equal(err.outcome, CW_OUTCOME_NOTHING);
  }
  (void)pthread_mutex_unlock(&gate);
  for (int i = 0; i < 100; i++) CHECK_OK(cw_await(futures[i], NULL, NULL));
  assert_int_equal(runs, 100);
  CHECK_OK(cw_shutdown(1000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static _Atomic int started;

static cw_status run_until_cancelled(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  (void)err;
  started = 1;
  while (!cw_offload_is_cancelled()) {
  }
  return CW_E_CANCELLED;
}

TEST(offload, running_function_is_told_and_awaited) {
  cw_error err;
  cw_future *future = cw_offload(run_until_cancelled, NULL);
  while (started == 0) {
  }
  CHECK_STATUS(cw_await(cw_timeout(future, 1), NULL, &err), CW_E_TIMEOUT);
  CHECK_OK(cw_shutdown(1000, NULL));
}
