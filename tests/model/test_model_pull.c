/* SPDX-License-Identifier: MIT */
/* Proves that a download survives cut connections, servers without ranges, changed files, cancels
 * and wrong sums, and that nothing that has arrived is lost or mixed. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "causeway/file.h"
#include "causeway/model.h"
#include "causeway/runtime.h"
#include "support/http_peer.h"
#include "support/test.h"

#define SIZE ((size_t)1000000)

static http_peer *peer;
static char folder[256];
static uint8_t data[SIZE];
static char sum[65];
static cw_model_options options;

static void begin(void) {
  peer = http_peer_start();
  (void)snprintf(folder, sizeof(folder), "/tmp/causeway-model-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
  for (size_t i = 0; i < SIZE; i++) data[i] = (uint8_t)(i * 31 % 253);
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/source", folder);
  CHECK_OK(cw_await(cw_file_write(path, data, SIZE), NULL, NULL));
  cw_value hex;
  CHECK_OK(cw_await(cw_file_hash(path), &hex, NULL));
  (void)snprintf(sum, sizeof(sum), "%s", (const char *)cw_value_as_bytes(hex).data);
  cw_value_release(&hex);
  options = (cw_model_options)CW_MODEL_OPTIONS_INIT;
  options.folder = folder;
  options.name = "m.gguf";
  options.retry_delay_ms = 1;
  options.progress_ms = 0;
  http_peer_serve(peer, data, SIZE, 0, 1);
}

static void leave(void) {
  CHECK_OK(cw_await(cw_file_remove(folder, true), NULL, NULL));
  CHECK_OK(cw_shutdown(5000, NULL));
  http_peer_stop(peer);
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static bool is_there(const char *name) {
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  return access(path, F_OK) == 0;
}

static size_t size_of(const char *name) {
  char path[512];
  struct stat info;
  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

typedef struct outcome {
  cw_error err;
  int progress;
  int retries;
  bool done;
  bool cached;
} outcome;

static const char *text_of(cw_value object, const char *key) {
  return cw_value_as_bytes(cw_value_object_get(object, key, strlen(key))).data;
}

static outcome follow(cw_stream *stream) {
  outcome o = {0};
  cw_value event;
  int64_t last = 0;
  while (cw_await(cw_stream_next(stream), &event, &o.err) == CW_OK) {
    const char *kind = text_of(event, "event");
    if (strcmp(kind, "progress") == 0) {
      int64_t bytes = cw_value_as_int(cw_value_object_get(event, "bytes", 5));
      CHECK(bytes >= last);
      last = bytes;
      o.progress++;
    } else if (strcmp(kind, "retry") == 0) {
      o.retries++;
    } else {
      o.done = true;
      o.cached = cw_value_as_bool(cw_value_object_get(event, "cached", 6));
      assert_string_equal(text_of(event, "sha256"), sum);
      assert_int_equal(cw_value_as_int(cw_value_object_get(event, "bytes", 5)), (int64_t)SIZE);
    }
    cw_value_release(&event);
  }
  CHECK_OK(cw_release(stream));
  return o;
}

static outcome pull(void) {
  cw_error err;
  cw_stream *stream = cw_model_pull(http_peer_url(peer, "/file"), &options, &err);
  if (stream == NULL) fail_msg("%s", err.message);
  return follow(stream);
}

static void expect_whole(void) {
  cw_value bytes;
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/m.gguf", folder);
  CHECK_OK(cw_await(cw_file_read(path, NULL), &bytes, NULL));
  assert_int_equal(cw_value_len(bytes), SIZE);
  assert_memory_equal(cw_value_as_bytes(bytes).data, data, SIZE);
  cw_value_release(&bytes);
  CHECK(!is_there("m.gguf.part"));
  CHECK(!is_there("m.gguf.part.tag"));
}

TEST(model_pull, second_pull_makes_no_request) {
  begin();
  options.sha256 = sum;
  outcome o = pull();
  assert_int_equal(o.err.code, CW_E_END);
  CHECK(o.done && !o.cached && o.progress > 0);
  expect_whole();
  int requests = http_peer_requests(peer);
  o = pull();
  CHECK(o.done && o.cached);
  options.sha256 = NULL;
  o = pull();
  CHECK(o.done && o.cached);
  assert_int_equal(http_peer_requests(peer), requests);
  leave();
}

TEST(model_pull, damaged_file_is_fetched_again) {
  begin();
  options.sha256 = sum;
  CHECK(pull().done);
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/m.gguf", folder);
  CHECK_OK(cw_await(cw_file_write(path, "damaged", 7), NULL, NULL));
  outcome o = pull();
  CHECK(o.done && !o.cached);
  expect_whole();
  leave();
}

TEST(model_pull, cut_connections_are_resumed) {
  begin();
  http_peer_serve(peer, data, SIZE, 150000, 1);
  options.sha256 = sum;
  outcome o = pull();
  assert_int_equal(o.err.code, CW_E_END);
  assert_int_equal(http_peer_requests(peer), 7);
  CHECK(o.retries > 0);
  expect_whole();
  leave();
}

TEST(model_pull, server_without_ranges_starts_over) {
  begin();
  http_peer_serve(peer, data, SIZE, 400000, 1);
  options.retries_max = 0;
  outcome o = pull();
  assert_int_equal(o.err.code, CW_E_TRUNCATED);
  assert_int_equal(size_of("m.gguf.part"), 400000); /* nothing is lost */
  http_peer_serve(peer, data, SIZE, 0, 0);
  o = pull();
  CHECK(o.done);
  expect_whole();
  leave();
}

TEST(model_pull, changed_file_is_not_mixed_with_the_old) {
  begin();
  static uint8_t other[SIZE];
  memset(other, 7, SIZE);
  http_peer_serve(peer, other, SIZE, 400000, 1);
  options.retries_max = 0;
  CHECK(!pull().done);
  http_peer_set_etag(peer, "\"two\"");
  http_peer_serve(peer, data, SIZE, 0, 1);
  CHECK(pull().done);
  expect_whole();
  leave();
}

TEST(model_pull, wrong_sum_is_deleted_and_says_both) {
  begin();
  options.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
  outcome o = pull();
  assert_int_equal(o.err.code, CW_E_CHECKSUM);
  CHECK(strstr(o.err.message, sum) != NULL);
  CHECK(strstr(o.err.message, options.sha256) != NULL);
  CHECK(!is_there("m.gguf") && !is_there("m.gguf.part"));
  leave();
}

TEST(model_pull, cancel_leaves_a_part_that_is_resumed) {
  begin();
  cw_value event;
  cw_error err;
  http_peer_serve(peer, data, SIZE, 300000, 1);
  options.retry_delay_ms = 1000000; /* it waits after the first cut */
  cw_stream *stream = cw_model_pull(http_peer_url(peer, "/file"), &options, &err);
  bool retries = false;
  while (!retries) {
    CHECK_OK(cw_await(cw_stream_next(stream), &event, &err));
    retries = strcmp(text_of(event, "event"), "retry") == 0;
    cw_value_release(&event);
  }
  CHECK_OK(cw_release(stream));
  http_peer_serve(peer, data, SIZE, 0, 1);
  options.retry_delay_ms = 1;
  CHECK(pull().done); /* waits for the lock of the cancelled one */
  expect_whole();
  leave();
}

TEST(model_pull, two_at_once_do_the_work_once) {
  begin();
  cw_error err;
  options.sha256 = sum;
  cw_stream *first = cw_model_pull(http_peer_url(peer, "/file"), &options, &err);
  cw_stream *second = cw_model_pull(http_peer_url(peer, "/file"), &options, &err);
  outcome a = follow(first);
  outcome b = follow(second);
  CHECK(a.done && b.done);
  assert_int_equal(a.cached + b.cached, 1);
  assert_int_equal(http_peer_requests(peer), 1);
  leave();
}

TEST(model_pull, mirror_takes_over) {
  begin();
  const char *mirror = http_peer_url(peer, "/file");
  cw_error err;
  options.mirrors = &mirror;
  options.mirror_len = 1;
  cw_stream *stream = cw_model_pull(http_peer_url(peer, "/status/404"), &options, &err);
  CHECK(follow(stream).done);
  leave();
}

TEST(model_pull, bad_input_has_its_own_code) {
  begin();
  cw_error err;
  CHECK(cw_model_pull(NULL, &options, &err) == NULL);
  assert_int_equal(err.code, CW_E_INVALID);
  CHECK(cw_model_pull("file:///etc/passwd", &options, &err) == NULL);
  assert_int_equal(err.code, CW_E_INVALID);
  options.name = "../escape";
  CHECK(cw_model_pull(http_peer_url(peer, "/file"), &options, &err) == NULL);
  options.name = NULL;
  CHECK(cw_model_pull("http://127.0.0.1/", &options, &err) == NULL);
  options.sha256 = "12";
  CHECK(cw_model_pull(http_peer_url(peer, "/file"), &options, &err) == NULL);
  options.sha256 = NULL;
  options.name = "m.gguf";
  options.retries_max = 1;
  assert_int_equal(follow(cw_model_pull(http_peer_url(peer, "/garbage"), &options, &err)).err.code,
                   CW_E_PROTOCOL);
  assert_int_equal(follow(cw_model_pull("http://127.0.0.1:1/x", &options, &err)).err.code,
                   CW_E_CONNECT);
  options.folder = "/proc/nothing";
  outcome o = pull();
  CHECK(o.err.code == CW_E_NOT_FOUND || o.err.code == CW_E_DENIED);
  leave();
}
