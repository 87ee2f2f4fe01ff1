/* SPDX-License-Identifier: MIT */
/* Proves that a port delivers each future once, a stream only as far as there is credit, and
 * nothing after it was closed. */
#include "causeway/port.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "causeway/runtime.h"
#include "causeway/task.h"
#include "support/test.h"

static bool is_readable(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, 0) == 1;
}

static void expect_no_handles(void) {
  CHECK_OK(cw_shutdown(2000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(port, descriptor_is_readable_while_events_wait) {
  int fd;
  cw_event events[4];
  cw_completer *completer;
  cw_port *port = cw_port_new_fd(&fd, NULL, NULL);
  CHECK(!is_readable(fd));
  CHECK_OK(cw_port_attach(port, cw_oneshot(&completer), 7));
  CHECK_OK(cw_port_attach(port, cw_failed(CW_E_IO, "burnt"), 8));
  CHECK(is_readable(fd));
  CHECK_OK(cw_complete(completer, cw_value_int(42)));
  assert_int_equal(cw_port_take(port, events, 1), 1);
  CHECK(is_readable(fd)); /* one is left */
  assert_int_equal(events[0].tag, 8);
  assert_int_equal(events[0].status, CW_E_IO);
  assert_string_equal(events[0].error->message, "burnt");
  cw_event_release(&events[0]);
  assert_int_equal(cw_port_take(port, events, 4), 1);
  CHECK(!is_readable(fd));
  assert_int_equal(events[0].tag, 7);
  assert_int_equal(cw_value_as_int(events[0].value), 42);
  cw_event_release(&events[0]);
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

TEST(port, tag_in_use_is_refused_until_its_last_event) {
  int fd;
  cw_completer *completer;
  cw_port *port = cw_port_new_fd(&fd, NULL, NULL);
  CHECK_OK(cw_port_attach(port, cw_oneshot(&completer), 1));
  CHECK_STATUS(cw_port_attach(port, cw_ready(cw_value_none()), 1), CW_E_EXISTS);
  CHECK_OK(cw_release(completer));
  CHECK_OK(cw_port_attach(port, cw_ready(cw_value_none()), 1));
  CHECK_STATUS(cw_port_cancel(port, 9), CW_E_NOT_FOUND);
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

TEST(port, stream_comes_only_as_far_as_there_is_credit) {
  int fd;
  cw_event events[8];
  cw_producer *producer;
  cw_port *port = cw_port_new_fd(&fd, NULL, NULL);
  cw_stream *stream = cw_stream_new(4, &producer, NULL);
  for (int i = 0; i < 4; i++) CHECK_OK(cw_producer_try_send(producer, cw_value_int(i), NULL));
  CHECK_OK(cw_port_attach_stream(port, stream, 5, 2));
  assert_int_equal(cw_port_take(port, events, 8), 2);
  assert_int_equal(cw_port_take(port, events, 8), 0);
  assert_int_equal(cw_producer_credit(producer), 2);
  CHECK_OK(cw_port_credit(port, 5, 3));
  assert_int_equal(cw_port_take(port, events, 8), 2);
  assert_int_equal(cw_value_as_int(events[1].value), 3);
  CHECK_OK(cw_producer_try_send(producer, cw_value_int(4), NULL)); /* the third is waited for */
  assert_int_equal(cw_port_take(port, events, 8), 1);
  CHECK_OK(cw_producer_end(producer));
  CHECK_OK(cw_port_credit(port, 5, 1));
  assert_int_equal(cw_port_take(port, events, 8), 1);
  assert_int_equal(events[0].kind, CW_EVENT_STREAM_END);
  assert_int_equal(events[0].status, CW_E_END);
  cw_event_release(&events[0]);
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

static void count_call(void *context) { ++*(int *)context; }

TEST(port, closing_cancels_what_is_attached) {
  int fd;
  int calls = 0;
  cw_completer *completer;
  cw_producer *producer;
  cw_port *port = cw_port_new_fd(&fd, NULL, NULL);
  CHECK_OK(cw_port_attach(port, cw_oneshot(&completer), 1));
  CHECK_OK(cw_completer_on_cancel(completer, count_call, &calls));
  CHECK_OK(cw_port_attach_stream(port, cw_stream_new(4, &producer, NULL), 2, 1));
  CHECK_OK(cw_producer_on_cancel(producer, count_call, &calls));
  CHECK_OK(cw_port_close(port));
  assert_int_equal(calls, 2);
  CHECK_STATUS(cw_port_attach(port, cw_ready(cw_value_none()), 3), CW_E_CLOSED);
  CHECK_STATUS(cw_complete(completer, cw_value_int(1)), CW_E_CANCELLED);
  CHECK_STATUS(cw_producer_try_send(producer, cw_value_int(1), NULL), CW_E_CANCELLED);
  CHECK_OK(cw_release(producer));
  CHECK_OK(cw_release(port));
  CHECK_STATUS(cw_port_close(port), CW_E_STALE);
  expect_no_handles();
}

TEST(port, cancel_by_tag_brings_a_last_event) {
  int fd;
  cw_event events[4];
  cw_producer *producer;
  cw_completer *completer;
  cw_port *port = cw_port_new_fd(&fd, NULL, NULL);
  CHECK_OK(cw_port_attach(port, cw_oneshot(&completer), 1));
  CHECK_OK(cw_port_attach_stream(port, cw_stream_new(4, &producer, NULL), 2, 0));
  CHECK_OK(cw_port_cancel(port, 1));
  CHECK_OK(cw_port_cancel(port, 2));
  assert_int_equal(cw_port_take(port, events, 4), 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(events[i].status, CW_E_CANCELLED);
    cw_event_release(&events[i]);
  }
  CHECK_OK(cw_release(completer));
  CHECK_OK(cw_release(producer));
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

TEST(port, new_epoch_of_an_owner_closes_its_ports) {
  int fd[2];
  cw_error err;
  cw_owner *owner = cw_owner_new(NULL);
  cw_port *first = cw_port_new_fd(&fd[0], owner, NULL);
  cw_port *second = cw_port_new_fd(&fd[1], owner, NULL);
  cw_completer *completer;
  CHECK_OK(cw_port_attach(first, cw_oneshot(&completer), 1));
  CHECK_OK(cw_owner_end_epoch(owner));
  CHECK_STATUS(cw_release(first), CW_E_STALE);
  CHECK_STATUS(cw_port_attach(second, cw_ready(cw_value_none()), 3), CW_E_STALE);
  CHECK_STATUS(cw_complete(completer, cw_value_int(1)), CW_E_CANCELLED);
  CHECK(cw_port_new_fd(&fd[0], owner, NULL) != NULL); /* the next epoch */
  CHECK_OK(cw_release(owner));
  CHECK(cw_port_new_fd(&fd[0], owner, &err) == NULL);
  assert_int_equal(err.code, CW_E_STALE);
  expect_no_handles();
}

/* ---- callbacks ---- */

typedef struct tally {
  _Atomic int events;
  _Atomic int calls;
  cw_completer *done;
  int expected;
  cw_port *closes;
} tally;

static void on_events(cw_event *events, size_t len, void *context) {
  tally *t = context;
  t->calls++;
  for (size_t i = 0; i < len; i++) CHECK_OK(events[i].status);
  if (t->closes != NULL) CHECK_OK(cw_port_close(t->closes));
  int seen = atomic_fetch_add(&t->events, (int)len) + (int)len;
  if (seen == t->expected) CHECK_OK(cw_complete(t->done, cw_value_none()));
}

static void *complete_later(void *context) {
  cw_completer **completers = context;
  for (int i = 0; i < 1000; i++) CHECK_OK(cw_complete(completers[i], cw_value_int(i)));
  return NULL;
}

TEST(port, callback_gets_every_event_once_in_batches) {
  tally t = {.expected = 4000};
  cw_future *done = cw_oneshot(&t.done);
  cw_port *port = cw_port_new_callback(on_events, &t, NULL, NULL);
  static cw_completer *completers[4][1000];
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 1000; j++) {
      CHECK_OK(cw_port_attach(port, cw_oneshot(&completers[i][j]), (uint64_t)(i * 1000 + j)));
    }
  }
  for (int i = 0; i < 4; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, complete_later, completers[i]), 0);
  }
  CHECK_OK(cw_await(done, NULL, NULL));
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(t.events, 4000);
  CHECK(t.calls < 4000);
  CHECK_OK(cw_port_close(port));
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

TEST(port, closing_inside_the_callback_is_the_last_call) {
  tally t = {.expected = 1};
  cw_future *done = cw_oneshot(&t.done);
  cw_port *port = cw_port_new_callback(on_events, &t, NULL, NULL);
  t.closes = port;
  CHECK_OK(cw_port_attach(port, cw_ready(cw_value_none()), 1));
  CHECK_OK(cw_await(done, NULL, NULL));
  CHECK_STATUS(cw_port_attach(port, cw_ready(cw_value_none()), 2), CW_E_CLOSED);
  CHECK_OK(cw_shutdown(2000, NULL));
  assert_int_equal(t.calls, 1);
  CHECK_OK(cw_release(port));
  expect_no_handles();
}

static cw_status attach_and_take(void) {
  int fd;
  cw_error err = {.code = CW_OK};
  cw_event events[2];
  cw_port *port = cw_port_new_fd(&fd, NULL, &err);
  if (port == NULL) return err.code;
  cw_status status = cw_port_attach(port, cw_ready(cw_value_int(1)), 1);
  size_t len = cw_port_take(port, events, 2);
  if (len == 1 && status == CW_OK) status = events[0].status;
  for (size_t i = 0; i < len; i++) cw_event_release(&events[i]);
  (void)cw_release(port);
  return status;
}

TEST(port, survives_every_failed_allocation) {
  CHECK_OK(attach_and_take());
  CHECK_SURVIVES_OOM(attach_and_take(), (void)0);
  expect_no_handles();
}
