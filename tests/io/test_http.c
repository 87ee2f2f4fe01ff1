/* SPDX-License-Identifier: MIT */
/* Proves the HTTP client against a server that misbehaves on request: each failure has its own
 * code. */
#include "causeway/http.h"

#include "causeway/runtime.h"
#include "causeway/task.h"
#include "support/http_peer.h"
#include "support/test.h"

static http_peer *peer;

static void begin(void) { peer = http_peer_start(); }

static void leave(void) {
  CHECK_OK(cw_shutdown(5000, NULL));
  http_peer_stop(peer);
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_value get(cw_future *future) {
  cw_value value;
  cw_error err;
  if (cw_await(future, &value, &err) != CW_OK) {
    fail_msg("%s: %s", cw_status_name(err.code), err.message);
  }
  return value;
}

static cw_error expect_error(cw_future *future, cw_status code) {
  cw_error err;
  cw_status status = cw_await(future, NULL, &err);
  if (status != code) fail_msg("%s (%s)", cw_status_name(status), err.message);
  return err;
}

static void expect_body(cw_value response, int64_t status, const char *body) {
  cw_bytes bytes = cw_value_as_bytes(cw_value_object_get(response, "body", 4));
  assert_int_equal(cw_value_as_int(cw_value_object_get(response, "status", 6)), status);
  assert_int_equal(bytes.size, strlen(body));
  if (bytes.size > 0) assert_memory_equal(bytes.data, body, bytes.size);
}

TEST(http, get_gives_the_body_and_request_the_response) {
  begin();
  cw_value text = get(cw_http_get_text(http_peer_url(peer, "/hello"), NULL));
  assert_string_equal(cw_value_as_bytes(text).data, "hello");
  cw_value_release(&text);
  cw_value response = get(cw_http_request(http_peer_url(peer, "/status/404"), NULL));
  expect_body(response, 404, "status 404");
  cw_value_release(&response);
  cw_error err =
      expect_error(cw_http_get(http_peer_url(peer, "/status/404"), NULL), CW_E_HTTP_STATUS);
  assert_int_equal(err.http_status, 404);
  CHECK(strstr(err.message, "status 404") != NULL);
  leave();
}

TEST(http, method_body_and_headers_arrive) {
  begin();
  cw_http_options options = CW_HTTP_OPTIONS_INIT;
  options.body = (cw_bytes){"ping", 4};
  cw_value response = get(cw_http_request(http_peer_url(peer, "/echo"), &options));
  expect_body(response, 200, "POST\nping");
  cw_value_release(&response);
  options.method = "PUT";
  response = get(cw_http_request(http_peer_url(peer, "/echo"), &options));
  expect_body(response, 200, "PUT\nping");
  cw_value_release(&response);
  response = get(cw_http_request(http_peer_url(peer, "/headers"), NULL));
  cw_value headers = cw_value_object_get(response, "headers", 7);
  assert_string_equal(cw_value_as_bytes(cw_value_object_get(headers, "x-a", 3)).data, "one, two");
  cw_value_release(&response);
  cw_http_header bad = {"X", "a\r\nY: b"};
  options.headers = &bad;
  options.header_len = 1;
  (void)expect_error(cw_http_get(http_peer_url(peer, "/hello"), &options), CW_E_INVALID);
  leave();
}

TEST(http, redirects_are_followed_and_limited) {
  begin();
  cw_value response = get(cw_http_request(http_peer_url(peer, "/redirect"), NULL));
  expect_body(response, 200, "hello");
  cw_value_release(&response);
  (void)expect_error(cw_http_get(http_peer_url(peer, "/loop"), NULL), CW_E_LIMIT);
  cw_http_options options = CW_HTTP_OPTIONS_INIT;
  options.redirects_max = 0;
  response = get(cw_http_request(http_peer_url(peer, "/redirect"), &options));
  expect_body(response, 302, "");
  cw_value_release(&response);
  leave();
}

TEST(http, each_failure_has_its_own_code) {
  begin();
  cw_http_options options = CW_HTTP_OPTIONS_INIT;
  options.retries_max = 0;
  (void)expect_error(cw_http_get("", NULL), CW_E_INVALID);
  (void)expect_error(cw_http_get("ftp://127.0.0.1/", NULL), CW_E_INVALID);
  (void)expect_error(cw_http_get("http://127.0.0.1:1/", &options), CW_E_CONNECT);
  (void)expect_error(cw_http_get("http://no-such-host.invalid/", &options), CW_E_RESOLVE);
  (void)expect_error(cw_http_get(http_peer_url(peer, "/cut"), &options), CW_E_TRUNCATED);
  (void)expect_error(cw_http_get(http_peer_url(peer, "/garbage"), &options), CW_E_PROTOCOL);
  options.response_bytes_max = 1000;
  (void)expect_error(cw_http_get(http_peer_url(peer, "/large"), &options), CW_E_LIMIT);
  options.timeout_ms = 50;
  (void)expect_error(cw_http_get(http_peer_url(peer, "/never"), &options), CW_E_TIMEOUT);
  leave();
}

TEST(http, transient_failures_are_retried) {
  begin();
  cw_http_options options = CW_HTTP_OPTIONS_INIT;
  options.retry_delay_ms = 1;
  cw_value body = get(cw_http_get_text(http_peer_url(peer, "/flaky/2"), &options));
  assert_string_equal(cw_value_as_bytes(body).data, "fine");
  cw_value_release(&body);
  assert_int_equal(http_peer_requests(peer), 3);
  options.method = "POST"; /* not safe to repeat */
  cw_error err =
      expect_error(cw_http_get(http_peer_url(peer, "/status/503"), &options), CW_E_HTTP_STATUS);
  assert_int_equal(err.http_status, 503);
  assert_int_equal(http_peer_requests(peer), 4);
  leave();
}

TEST(http, cancel_closes_the_transfer) {
  begin();
  cw_future *future = cw_http_get(http_peer_url(peer, "/never"), NULL);
  CHECK_OK(cw_future_cancel(future));
  (void)expect_error(future, CW_E_CANCELLED);
  future = cw_http_get(http_peer_url(peer, "/never"), NULL);
  while (http_peer_requests(peer) == 0) CHECK_OK(cw_await(cw_sleep(1), NULL, NULL));
  cw_error err = expect_error(cw_timeout(future, 5), CW_E_TIMEOUT);
  assert_int_equal(err.outcome, CW_OUTCOME_MAYBE);
  CHECK_OK(cw_release(cw_http_get(http_peer_url(peer, "/never"), NULL)));
  leave();
}

static cw_status fetch_many(void *context, cw_value *out, cw_error *err) {
  cw_future *futures[50];
  (void)context;
  (void)out;
  for (int i = 0; i < 50; i++) futures[i] = cw_http_get(http_peer_url(peer, "/hello"), NULL);
  return cw_await_all(futures, 50, NULL, err);
}

TEST(http, many_at_once_on_the_callers_own_runtime) {
  begin();
  cw_error err;
  CHECK_OK(cw_block_on(fetch_many, NULL, NULL, &err));
  assert_int_equal(http_peer_requests(peer), 50);
  leave();
}

TEST(http, stream_gives_the_head_then_the_body_in_order) {
  begin();
  cw_error err;
  cw_value value;
  cw_status status;
  cw_stream *stream = cw_http_stream(http_peer_url(peer, "/large"), NULL, &err);
  value = get(cw_stream_next(stream));
  assert_int_equal(cw_value_as_int(cw_value_object_get(value, "status", 6)), 200);
  cw_value_release(&value);
  size_t size = 0;
  while ((status = cw_await(cw_stream_next(stream), &value, &err)) == CW_OK) {
    size += cw_value_len(value);
    cw_value_release(&value);
  }
  assert_int_equal(status, CW_E_END);
  assert_int_equal(size, 1 << 20);
  CHECK_OK(cw_release(stream));
  stream = cw_http_stream(http_peer_url(peer, "/large"), NULL, &err); /* dropped in the middle */
  value = get(cw_stream_next(stream));
  cw_value_release(&value);
  CHECK_OK(cw_release(stream));
  stream = cw_http_stream("http://127.0.0.1:1/", NULL, &err);
  (void)expect_error(cw_stream_next(stream), CW_E_CONNECT);
  CHECK_OK(cw_release(stream));
  leave();
}
