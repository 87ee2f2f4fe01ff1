/* SPDX-License-Identifier: MIT */
/* Proves import, list, verify and remove in a folder of their own. */
#include "causeway/model.h"

#include <stdio.h>

#include "causeway/file.h"
#include "causeway/runtime.h"
#include "support/test.h"

static char folder[256];

static const char *in_folder(const char *name) {
  static char path[512];
  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  return path;
}

static cw_value get(cw_future *future) {
  cw_value value;
  cw_error err;
  if (cw_await(future, &value, &err) != CW_OK) fail_msg("%s", err.message);
  return value;
}

static void expect_status(cw_future *future, cw_status code) {
  cw_error err;
  cw_status status = cw_await(future, NULL, &err);
  if (status != code) fail_msg("%s: %s", cw_status_name(status), err.message);
}

static const char SUM[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

TEST(model, imported_file_is_listed_verified_and_removed) {
  cw_model_options options = CW_MODEL_OPTIONS_INIT;
  (void)snprintf(folder, sizeof(folder), "/tmp/causeway-models-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
  CHECK_OK(cw_await(cw_file_write(in_folder("hello.gguf"), "hello", 5), NULL, NULL));
  char models[300];
  (void)snprintf(models, sizeof(models), "%s/models", folder);
  options.folder = models;
  options.sha256 = SUM;
  cw_value model = get(cw_model_import(in_folder("hello.gguf"), &options));
  assert_string_equal(cw_value_as_bytes(cw_value_object_get(model, "sha256", 6)).data, SUM);
  cw_value_release(&model);
  options.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
  expect_status(cw_model_import(in_folder("hello.gguf"), &options), CW_E_CHECKSUM);
  cw_value list = get(cw_model_list(models));
  assert_int_equal(cw_value_len(list), 1);
  model = cw_value_array_get(list, 0);
  assert_string_equal(cw_value_as_bytes(cw_value_object_get(model, "name", 4)).data, "hello.gguf");
  assert_string_equal(cw_value_as_bytes(cw_value_object_get(model, "sha256", 6)).data, SUM);
  cw_value_release(&list);
  expect_status(cw_model_verify(models, "hello.gguf"), CW_OK);
  CHECK_OK(cw_await(cw_file_write(in_folder("models/hello.gguf"), "other", 5), NULL, NULL));
  expect_status(cw_model_verify(models, "hello.gguf"), CW_E_CHECKSUM);
  expect_status(cw_model_verify(models, "none"), CW_E_NOT_FOUND);
  expect_status(cw_model_verify(models, "../x"), CW_E_INVALID);
  expect_status(cw_model_remove(models, "hello.gguf"), CW_OK);
  expect_status(cw_model_remove(models, "hello.gguf"), CW_E_NOT_FOUND);
  list = get(cw_model_list(models));
  assert_int_equal(cw_value_len(list), 0);
  cw_value_release(&list);
  CHECK_OK(cw_await(cw_file_remove(folder, true), NULL, NULL));
  CHECK_OK(cw_shutdown(5000, NULL));
  assert_int_equal(cw_handle_count(CW_HANDLE_NONE), 0);
}
