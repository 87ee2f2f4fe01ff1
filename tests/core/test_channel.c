/* SPDX-License-Identifier: MIT */
/* Proves that channels and streams are bounded, ordered, lose nothing and end as they say. */
#include "causeway/channel.h"

#include <pthread.h>

#include "causeway/stream.h"
#include "causeway/task.h"
#include "support/test.h"

static int64_t receive_int(cw_future *future) {
  cw_value value;
  cw_error err;
  if (cw_await(future, &value, &err) != CW_OK) fail_msg("%s", err.message);
  return cw_value_as_int(value);
}

static void expect_status(cw_future *future, cw_status code) {
  cw_error err;
  cw_status status = cw_await(future, NULL, &err);
  if (status != code) fail_msg("%s, expected %s", cw_status_name(status), cw_status_name(code));
}

TEST(channel, send_waits_while_it_is_full) {
  cw_channel *channel = cw_channel_new(2, NULL);
  cw_future *sends[4];
  for (int i = 0; i < 4; i++) sends[i] = cw_channel_send(channel, cw_value_int(i));
  CHECK(cw_future_is_settled(sends[1]));
  CHECK(!cw_future_is_settled(sends[2]));
  CHECK_STATUS(cw_channel_try_send(channel, cw_value_int(9), NULL), CW_E_BUSY);
  for (int i = 0; i < 4; i++) assert_int_equal(receive_int(cw_channel_receive(channel)), i);
  for (int i = 0; i < 4; i++) expect_status(sends[i], CW_OK);
  CHECK_OK(cw_release(channel));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(channel, close_wakes_every_receiver_and_keeps_what_is_queued) {
  cw_channel *channel = cw_channel_new(2, NULL);
  cw_future *receives[3];
  for (int i = 0; i < 3; i++) receives[i] = cw_channel_receive(channel);
  CHECK_OK(cw_channel_close(channel));
  for (int i = 0; i < 3; i++) expect_status(receives[i], CW_E_CLOSED);
  CHECK_OK(cw_release(channel));
  channel = cw_channel_new(2, NULL);
  CHECK_OK(cw_channel_try_send(channel, cw_value_int(1), NULL));
  CHECK_OK(cw_channel_try_send(channel, cw_value_int(2), NULL));
  cw_future *late = cw_channel_send(channel, cw_value_int(3));
  CHECK_OK(cw_channel_close(channel));
  expect_status(late, CW_E_CLOSED);
  assert_int_equal(receive_int(cw_channel_receive(channel)), 1);
  assert_int_equal(receive_int(cw_channel_receive(channel)), 2);
  expect_status(cw_channel_receive(channel), CW_E_CLOSED);
  CHECK_OK(cw_release(channel));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(channel, cancelled_receive_loses_nothing) {
  cw_channel *channel = cw_channel_new(1, NULL);
  cw_future *cancelled = cw_channel_receive(channel);
  cw_future *next = cw_channel_receive(channel);
  CHECK_OK(cw_future_cancel(cancelled));
  CHECK_OK(cw_channel_try_send(channel, cw_value_int(5), NULL));
  expect_status(cancelled, CW_E_CANCELLED);
  assert_int_equal(receive_int(next), 5);
  CHECK_OK(cw_channel_try_send(channel, cw_value_int(6), NULL));
  cw_future *sending = cw_channel_send(channel, cw_value_int(7));
  CHECK_OK(cw_release(sending)); /* taken back */
  assert_int_equal(receive_int(cw_channel_receive(channel)), 6);
  CHECK_STATUS(cw_channel_try_send(channel, cw_value_int(8), NULL), CW_OK);
  assert_int_equal(receive_int(cw_channel_receive(channel)), 8);
  CHECK_OK(cw_release(channel));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(channel, capacity_out_of_range_is_refused) {
  cw_error err;
  CHECK(cw_channel_new(0, &err) == NULL);
  assert_int_equal(err.code, CW_E_INVALID);
  CHECK(cw_channel_new(CW_CHANNEL_LEN_MAX + 1, &err) == NULL);
}

#define SENDERS 4
#define EACH 20000

static void *send_many(void *context) {
  cw_channel *channel = ((cw_channel **)context)[0];
  int64_t base = (int64_t)(intptr_t)((void **)context)[1] * EACH;
  for (int64_t i = 0; i < EACH; i++) {
    expect_status(cw_channel_send(channel, cw_value_int(base + i)), CW_OK);
  }
  return NULL;
}

TEST(channel, keeps_the_order_of_every_sender) {
  cw_channel *channel = cw_channel_new(64, NULL);
  pthread_t threads[SENDERS];
  void *arguments[SENDERS][2];
  int64_t next[SENDERS] = {0};
  for (int i = 0; i < SENDERS; i++) {
    arguments[i][0] = channel;
    arguments[i][1] = (void *)(intptr_t)i; /* NOLINT */
    assert_int_equal(pthread_create(&threads[i], NULL, send_many, arguments[i]), 0);
  }
  for (int i = 0; i < SENDERS * EACH; i++) {
    int64_t n = receive_int(cw_channel_receive(channel));
    assert_int_equal(next[n / EACH]++, n % EACH);
  }
  for (int i = 0; i < SENDERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  CHECK_OK(cw_release(channel));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

/* ---- streams ---- */

static cw_status produce(void *context, cw_value *out, cw_error *err) {
  cw_producer *producer = context;
  for (int i = 0; i < 100; i++) {
    cw_status status = cw_await(cw_producer_send(producer, cw_value_int(i)), NULL, err);
    if (status != CW_OK) {
      (void)cw_release(producer);
      return status;
    }
    *out = cw_value_int(i + 1);
  }
  return cw_producer_end(producer);
}

static cw_status consume_all(void *context, cw_value *out, cw_error *err) {
  (void)context;
  cw_producer *producer;
  cw_stream *stream = cw_stream_new(4, &producer, err);
  cw_future *task = cw_spawn(produce, producer);
  cw_value value;
  cw_status status = CW_OK;
  int64_t sum = 0;
  while ((status = cw_await(cw_stream_next(stream), &value, err)) == CW_OK) {
    sum += cw_value_as_int(value);
  }
  assert_int_equal(status, CW_E_END);
  expect_status(task, CW_OK);
  CHECK_OK(cw_release(stream));
  *out = cw_value_int(sum);
  return CW_OK;
}

TEST(stream, ends_after_everything_was_taken) {
  cw_value sum;
  cw_error err;
  CHECK_OK(cw_block_on(consume_all, NULL, &sum, &err));
  assert_int_equal(cw_value_as_int(sum), 4950);
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status stop_asking(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  cw_producer *producer;
  cw_stream *stream = cw_stream_new(4, &producer, err);
  cw_future *task = cw_spawn(produce, producer);
  for (int i = 0; i < 50; i++) CHECK_OK(cw_yield(err));
  assert_int_equal(cw_producer_credit(producer), 0);
  CHECK(!cw_future_is_settled(task)); /* it waits with the fifth value */
  CHECK_OK(cw_stream_cancel(stream));
  expect_status(task, CW_E_CANCELLED);
  expect_status(cw_stream_next(stream), CW_E_CANCELLED);
  CHECK_OK(cw_release(stream));
  return CW_OK;
}

TEST(stream, producer_stops_when_the_consumer_stops_asking) {
  cw_error err;
  CHECK_OK(cw_block_on(stop_asking, NULL, NULL, &err));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

TEST(stream, failure_comes_after_what_was_sent) {
  cw_producer *producer;
  cw_error err;
  cw_value values[4];
  cw_stream *stream = cw_stream_new(4, &producer, NULL);
  assert_int_equal(cw_stream_take(stream, values, 4, &err), 0);
  assert_int_equal(err.code, CW_E_BUSY);
  CHECK_OK(cw_producer_try_send(producer, cw_value_int(1), NULL));
  CHECK_OK(cw_producer_fail(producer, CW_E_IO, "disk on fire"));
  CHECK_STATUS(cw_producer_end(producer), CW_E_STALE);
  assert_int_equal(cw_stream_take(stream, values, 4, &err), 1);
  assert_int_equal(cw_stream_take(stream, values, 4, &err), 0);
  assert_int_equal(err.code, CW_E_IO);
  assert_string_equal(err.message, "disk on fire");
  CHECK_OK(cw_release(stream));
}

static void count_call(void *context) { ++*(int *)context; }

TEST(stream, releasing_it_reaches_the_producer) {
  cw_producer *producer;
  int calls = 0;
  cw_stream *stream = cw_stream_new(4, &producer, NULL);
  CHECK_OK(cw_producer_on_cancel(producer, count_call, &calls));
  CHECK_OK(cw_producer_try_send(producer, cw_value_int(1), NULL));
  CHECK_OK(cw_release(stream));
  assert_int_equal(calls, 1);
  CHECK_STATUS(cw_producer_try_send(producer, cw_value_int(1), NULL), CW_E_CANCELLED);
  CHECK_OK(cw_release(producer));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_status pass_three(void) {
  cw_error err = {.code = CW_OK};
  cw_channel *channel = cw_channel_new(2, &err);
  if (channel == NULL) return err.code;
  cw_future *futures[3];
  for (int i = 0; i < 3; i++) futures[i] = cw_channel_send(channel, cw_value_int(i));
  cw_status status = cw_await(cw_channel_receive(channel), NULL, &err);
  for (int i = 0; i < 3; i++) {
    cw_status sent = cw_future_take(futures[i], NULL, &err);
    if (sent == CW_E_STATE) (void)cw_release(futures[i]);
    if (sent != CW_OK && sent != CW_E_STATE && status == CW_OK) status = sent;
  }
  (void)cw_release(channel);
  return status;
}

TEST(channel, survives_every_failed_allocation) {
  CHECK_OK(pass_three());
  CHECK_SURVIVES_OOM(pass_three(), (void)0);
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}
