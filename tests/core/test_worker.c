/* SPDX-License-Identifier: MIT */
/* Proves the protocol of workers: handshake, order, state, errors, both ways to close, and what is
 * left of a handler that never returns. */
#include "causeway/worker.h"

#include "causeway/clock.h"
#include "causeway/runtime.h"
#include "causeway/task.h"
#include "support/test.h"

enum { ADD = 1, FAIL = 2, NAP = 3, HANG = 4, SELF = 5 };

typedef struct state {
  int64_t sum;
  int inits;
  _Atomic int deinits;
  cw_status init_status;
  cw_worker *worker;
  _Atomic int entered;
  _Atomic int go;
} state;

static cw_status on_init(void *context, cw_error *err) {
  state *s = context;
  s->inits++;
  if (s->init_status != CW_OK) {
    err->code = s->init_status;
    memcpy(err->message, "no engine", 10);
  }
  return s->init_status;
}

static void on_deinit(void *context) { ((state *)context)->deinits++; }

static cw_status on_command(void *context, int32_t command, cw_value argument, cw_value *reply,
                            cw_error *err) {
  state *s = context;
  s->entered = 1;
  switch (command) {
    case ADD:
      s->sum = s->sum * 10 + cw_value_as_int(argument);
      *reply = cw_value_int(s->sum);
      return CW_OK;
    case FAIL:
      err->code = CW_E_QUERY;
      memcpy(err->message, "bad query", 10);
      return CW_E_QUERY;
    case NAP: return cw_await(cw_sleep((uint64_t)cw_value_as_int(argument)), NULL, err);
    case HANG:
      while (!s->go) {
      }
      return CW_OK;
    default: {
      cw_future *own = cw_worker_send(s->worker, ADD, cw_value_int(1));
      cw_status status = cw_await(own, reply, err);
      if (status == CW_E_REENTRANT) CHECK_OK(cw_release(own)); /* it was not taken */
      return status;
    }
  }
}

static cw_worker *make_worker(state *s, uint32_t grace_ms) {
  cw_worker_options options = CW_WORKER_OPTIONS_INIT;
  options.init = on_init;
  options.handle = on_command;
  options.deinit = on_deinit;
  options.context = s;
  options.grace_ms = grace_ms;
  cw_worker *worker = cw_worker_new(&options, NULL);
  CHECK(worker != NULL);
  s->worker = worker;
  return worker;
}

static void expect(cw_future *future, cw_status code) {
  cw_error err;
  cw_status status = cw_await(future, NULL, &err);
  if (status != code) {
    fail_msg("%s (%s), expected %s", cw_status_name(status), err.message, cw_status_name(code));
  }
}

static void expect_gone(void) {
  CHECK_OK(cw_shutdown(2000, NULL));
  for (int i = 0; i < 2000 && cw_handle_count(CW_HANDLE_NONE) > 0; i++) {
    CHECK_OK(cw_await(cw_sleep(1), NULL, NULL));
  }
  CHECK_OK(cw_shutdown(2000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(worker, answers_in_order_and_keeps_state) {
  state s = {0};
  cw_worker *worker = make_worker(&s, 1000);
  cw_future *early = cw_worker_start(worker);
  cw_future *replies[5];
  for (int i = 0; i < 5; i++) replies[i] = cw_worker_send(worker, ADD, cw_value_int(i + 1));
  expect(early, CW_OK);
  int64_t expected = 0;
  for (int i = 0; i < 5; i++) {
    cw_value value;
    CHECK_OK(cw_await(replies[i], &value, NULL));
    expected = expected * 10 + i + 1;
    assert_int_equal(cw_value_as_int(value), expected);
  }
  expect(cw_worker_close(worker, true), CW_OK);
  assert_int_equal(s.inits, 1);
  assert_int_equal(s.deinits, 1);
  CHECK_OK(cw_release(worker));
  expect_gone();
}

TEST(worker, refuses_what_comes_out_of_order) {
  state s = {0};
  cw_worker *worker = make_worker(&s, 1000);
  expect(cw_worker_send(worker, ADD, cw_value_int(1)), CW_E_STATE);
  expect(cw_worker_start(worker), CW_OK);
  expect(cw_worker_start(worker), CW_E_STATE);
  expect(cw_worker_close(worker, true), CW_OK);
  expect(cw_worker_send(worker, ADD, cw_value_int(1)), CW_E_CLOSED);
  expect(cw_worker_start(worker), CW_E_CLOSED);
  expect(cw_worker_close(worker, false), CW_OK);
  CHECK_OK(cw_release(worker));
  expect(cw_worker_send(worker, ADD, cw_value_int(1)), CW_E_STALE);
  expect_gone();
}

TEST(worker, failed_handshake_ends_it) {
  state s = {.init_status = CW_E_MODEL};
  cw_error err;
  cw_worker *worker = make_worker(&s, 1000);
  CHECK_STATUS(cw_await(cw_worker_start(worker), NULL, &err), CW_E_MODEL);
  assert_string_equal(err.message, "no engine");
  expect(cw_worker_send(worker, ADD, cw_value_int(1)), CW_E_CLOSED);
  expect(cw_worker_close(worker, true), CW_OK);
  assert_int_equal(s.deinits, 0);
  CHECK_OK(cw_release(worker));
  expect_gone();
}

TEST(worker, error_reply_keeps_code_and_message) {
  state s = {0};
  cw_error err;
  cw_worker *worker = make_worker(&s, 1000);
  expect(cw_worker_start(worker), CW_OK);
  CHECK_STATUS(cw_await(cw_worker_send(worker, FAIL, cw_value_none()), NULL, &err), CW_E_QUERY);
  assert_string_equal(err.message, "bad query");
  CHECK_OK(cw_release(worker)); /* aborts; nobody awaits it, so look for its last deed */
  while (s.deinits == 0) CHECK_OK(cw_await(cw_sleep(1), NULL, NULL));
  expect_gone();
}

TEST(worker, abort_cancels_what_runs_and_what_waits) {
  state s = {0};
  cw_worker *worker = make_worker(&s, 5000);
  expect(cw_worker_start(worker), CW_OK);
  cw_future *runs = cw_worker_send(worker, NAP, cw_value_int(1000000));
  cw_future *waits = cw_worker_send(worker, ADD, cw_value_int(1));
  while (!s.entered) {
  }
  expect(cw_worker_close(worker, false), CW_OK);
  expect(runs, CW_E_CLOSED);
  expect(waits, CW_E_CLOSED);
  assert_int_equal(s.sum, 0);
  assert_int_equal(s.deinits, 1);
  CHECK_OK(cw_release(worker));
  expect_gone();
}

TEST(worker, cancel_of_one_command_leaves_the_others) {
  state s = {0};
  cw_worker *worker = make_worker(&s, 5000);
  expect(cw_worker_start(worker), CW_OK);
  cw_future *runs = cw_worker_send(worker, NAP, cw_value_int(1000000));
  cw_future *waits = cw_worker_send(worker, ADD, cw_value_int(1));
  cw_future *last = cw_worker_send(worker, ADD, cw_value_int(2));
  CHECK_OK(cw_future_cancel(waits));
  expect(waits, CW_E_CANCELLED);
  expect(cw_timeout(runs, 1), CW_E_TIMEOUT);
  expect(last, CW_OK);
  assert_int_equal(s.sum, 2);
  expect(cw_worker_close(worker, true), CW_OK);
  CHECK_OK(cw_release(worker));
  expect_gone();
}

TEST(worker, handler_that_never_returns_is_abandoned) {
  static state s;
  cw_worker *worker = make_worker(&s, 10);
  expect(cw_worker_start(worker), CW_OK);
  cw_future *hangs = cw_worker_send(worker, HANG, cw_value_none());
  while (!s.entered) {
  }
  expect(cw_worker_close(worker, false), CW_E_ABANDONED);
  expect(hangs, CW_E_ABANDONED);
  CHECK_OK(cw_release(worker));
  s.go = 1; /* now it returns, and frees what it held */
  expect_gone();
  assert_int_equal(s.deinits, 1);
}

TEST(worker, waiting_for_its_own_command_is_refused) {
  state s = {0};
  cw_worker *worker = make_worker(&s, 1000);
  expect(cw_worker_start(worker), CW_OK);
  expect(cw_worker_send(worker, SELF, cw_value_none()), CW_E_REENTRANT);
  expect(cw_worker_close(worker, false), CW_OK);
  CHECK_OK(cw_release(worker));
  expect_gone();
}
