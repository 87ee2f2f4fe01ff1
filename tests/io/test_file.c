/* SPDX-License-Identifier: MIT */
/* Proves the file operations against a folder of their own: contents, atomic replacement, errors
 * that name path and reason, streams that read only as far as there is credit. */
#include "causeway/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "causeway/runtime.h"
#include "support/test.h"

static char folder[256];

static const char *in_folder(const char *name) {
  static char paths[8][512];
  static int next;
  char *path = paths[next++ % 8];
  (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
  return path;
}

static void make_folder(void) {
  (void)snprintf(folder, sizeof(folder), "/tmp/causeway-file-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
}

static void leave(void) {
  CHECK_OK(cw_await(cw_file_remove(folder, true), NULL, NULL));
  CHECK(access(folder, F_OK) != 0);
  CHECK_OK(cw_shutdown(5000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}

static cw_value get(cw_future *future) {
  cw_value value;
  cw_error err;
  if (cw_await(future, &value, &err) != CW_OK) fail_msg("%s", err.message);
  return value;
}

static void expect_text(cw_future *future, const char *text) {
  cw_value value = get(future);
  assert_string_equal(cw_value_as_bytes(value).data, text);
  cw_value_release(&value);
}

static cw_error expect_error(cw_future *future, cw_status code) {
  cw_error err;
  cw_status status = cw_await(future, NULL, &err);
  if (status != code) fail_msg("%s (%s)", cw_status_name(status), err.message);
  return err;
}

TEST(file, what_was_written_is_read) {
  make_folder();
  const char *path = in_folder("a.txt");
  cw_value n = get(cw_file_write(path, "hello", 5));
  assert_int_equal(cw_value_as_int(n), 5);
  (void)get(cw_file_append(path, ", world", 7));
  expect_text(cw_file_read_text(path, NULL), "hello, world");
  cw_value range = get(cw_file_read_range(path, 7, 3));
  assert_int_equal(cw_value_len(range), 3);
  assert_memory_equal(cw_value_as_bytes(range).data, "wor", 3);
  cw_value_release(&range);
  range = get(cw_file_read_range(path, 100, 3));
  assert_int_equal(cw_value_len(range), 0);
  cw_value_release(&range);
  expect_text(cw_file_hash(path),
              "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b");
  leave();
}

TEST(file, replace_keeps_permissions_and_leaves_no_temporary) {
  make_folder();
  const char *path = in_folder("b.txt");
  struct stat info;
  (void)get(cw_file_replace(path, "one", 3));
  assert_int_equal(chmod(path, 0640), 0);
  (void)get(cw_file_replace(path, "two", 3));
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
  expect_text(cw_file_read_text(path, NULL), "two");
  cw_value list = get(cw_file_list(folder));
  assert_int_equal(cw_value_len(list), 1);
  cw_value_release(&list);
  (void)expect_error(cw_file_replace(in_folder("no/such"), "x", 1), CW_E_NOT_FOUND);
  leave();
}

TEST(file, list_stat_copy_rename_and_remove) {
  make_folder();
  CHECK_OK(cw_await(cw_file_make_folder(in_folder("x/y/z")), NULL, NULL));
  CHECK_OK(cw_await(cw_file_make_folder(in_folder("x/y/z")), NULL, NULL));
  (void)get(cw_file_write(in_folder("x/b"), "12345", 5));
  (void)get(cw_file_copy(in_folder("x/b"), in_folder("x/a")));
  CHECK_OK(cw_await(cw_file_rename(in_folder("x/b"), in_folder("x/c")), NULL, NULL));
  assert_int_equal(symlink("/", in_folder("x/link")), 0);
  cw_value list = get(cw_file_list(in_folder("x")));
  static const char *const NAMES[] = {"a", "c", "link", "y"};
  static const char *const KINDS[] = {"file", "file", "link", "folder"};
  assert_int_equal(cw_value_len(list), 4);
  for (size_t i = 0; i < 4; i++) {
    cw_value entry = cw_value_array_get(list, i);
    assert_string_equal(cw_value_as_bytes(cw_value_object_get(entry, "name", 4)).data, NAMES[i]);
    assert_string_equal(cw_value_as_bytes(cw_value_object_get(entry, "kind", 4)).data, KINDS[i]);
  }
  cw_value_release(&list);
  cw_value info = get(cw_file_stat(in_folder("x/a")));
  assert_int_equal(cw_value_as_int(cw_value_object_get(info, "size", 4)), 5);
  CHECK(cw_value_as_seconds(cw_value_object_get(info, "modified", 8)) > 0);
  cw_value_release(&info);
  (void)expect_error(cw_file_remove(in_folder("x"), false), CW_E_IO);
  leave(); /* removes the link, not what it points to */
  assert_int_equal(access("/tmp", F_OK), 0);
}

TEST(file, errors_name_the_path_and_the_reason) {
  make_folder();
  cw_error err = expect_error(cw_file_read(in_folder("none"), NULL), CW_E_NOT_FOUND);
  assert_int_equal(err.os_code, ENOENT);
  CHECK(strstr(err.message, "none") != NULL);
  (void)expect_error(cw_file_read(NULL, NULL), CW_E_INVALID);
  (void)expect_error(cw_file_read("", NULL), CW_E_INVALID);
  (void)expect_error(cw_file_read(folder, NULL), CW_E_IO);
  (void)expect_error(cw_file_write("/dev/full", "x", 1), CW_E_NO_SPACE);
  (void)get(cw_file_write(in_folder("bad"), "ab\xFFzz", 5));
  err = expect_error(cw_file_read_text(in_folder("bad"), NULL), CW_E_ENCODING);
  CHECK(strstr(err.message, "byte 2") != NULL);
  (void)get(cw_file_write(in_folder("nul"), "a\0b", 3));
  (void)expect_error(cw_file_read_text(in_folder("nul"), NULL), CW_E_ENCODING);
  cw_file_options options = CW_FILE_OPTIONS_INIT;
  options.text_with_nul = true;
  cw_value text = get(cw_file_read_text(in_folder("nul"), &options));
  assert_int_equal(cw_value_len(text), 3);
  cw_value_release(&text);
  options.size_max = 3;
  text = get(cw_file_read(in_folder("nul"), &options));
  cw_value_release(&text);
  options.size_max = 2;
  (void)expect_error(cw_file_read(in_folder("nul"), &options), CW_E_LIMIT);
  leave();
}

#define STREAM_BYTES ((size_t)1000000)

TEST(file, stream_gives_all_of_it_in_order) {
  make_folder();
  char *data = malloc(STREAM_BYTES);
  for (size_t i = 0; i < STREAM_BYTES; i++) data[i] = (char)(i * 7 % 251);
  (void)get(cw_file_write(in_folder("big"), data, STREAM_BYTES));
  cw_error err;
  cw_value chunk;
  size_t at = 0;
  cw_status status;
  cw_stream *stream = cw_file_read_stream(in_folder("big"), NULL, &err);
  while ((status = cw_await(cw_stream_next(stream), &chunk, &err)) == CW_OK) {
    cw_bytes bytes = cw_value_as_bytes(chunk);
    assert_memory_equal(bytes.data, data + at, bytes.size);
    at += bytes.size;
    cw_value_release(&chunk);
  }
  assert_int_equal(status, CW_E_END);
  assert_int_equal(at, STREAM_BYTES);
  CHECK_OK(cw_release(stream));
  stream = cw_file_read_stream(in_folder("big"), NULL, &err); /* dropped in the middle */
  CHECK_OK(cw_await(cw_stream_next(stream), &chunk, &err));
  cw_value_release(&chunk);
  CHECK_OK(cw_release(stream));
  stream = cw_file_read_stream(in_folder("none"), NULL, &err);
  CHECK_STATUS(cw_await(cw_stream_next(stream), NULL, &err), CW_E_NOT_FOUND);
  CHECK_OK(cw_release(stream));
  free(data);
  leave();
}

static cw_status write_and_read(void) {
  cw_status status = cw_await(cw_file_replace(in_folder("oom"), "text", 4), NULL, NULL);
  if (status == CW_OK) status = cw_await(cw_file_read_text(in_folder("oom"), NULL), NULL, NULL);
  return status;
}

TEST(file, survives_every_failed_allocation) {
  make_folder();
  CHECK_OK(write_and_read());
  CHECK_SURVIVES_OOM(write_and_read(), (void)0);
  leave();
}
