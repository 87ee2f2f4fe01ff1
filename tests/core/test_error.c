/* SPDX-License-Identifier: MIT */
/* Proves that the status table is dense, and that messages are cut at characters. */
#include "core/error.h"

#include "core/utf8.h"
#include "support/test.h"

TEST(error, status_numbers_are_dense_and_named) {
  static const cw_status ORDER[] = {
#define ORDER_ROW(NAME, number, text, remedy) CW_E_##NAME,
      CW_STATUS_TABLE(ORDER_ROW)
#undef ORDER_ROW
  };
  for (size_t i = 0; i < sizeof(ORDER) / sizeof(ORDER[0]); i++) {
    assert_int_equal(ORDER[i], -(cw_status)(i + 1));
    CHECK(strncmp(cw_status_name(ORDER[i]), "CW_E_", 5) == 0);
    CHECK(strlen(cw_status_text(ORDER[i])) > 0);
    CHECK(strlen(cw_status_remedy(ORDER[i])) > 0);
  }
  assert_string_equal(cw_status_name(CW_OK), "CW_OK");
  assert_string_equal(cw_status_name(7), "CW_E_UNKNOWN");
  assert_string_equal(cw_status_name(INT32_MIN), "CW_E_UNKNOWN");
}

TEST(error, long_message_is_cut_at_a_character) {
  char text[1200] = "";
  for (size_t i = 0; i < 300; i++) memcpy(text + 3 * i, "\xE2\x82\xAC", 4);
  for (int lead = 0; lead < 3; lead++) {
    cw_error err;
    CHECK_STATUS(CWI_RAISE(&err, CW_E_IO, 5, "%.*s%s", lead, "ab", text), CW_E_IO);
    CHECK(cwi_utf8_is_valid(err.message, strlen(err.message)));
    CHECK(strlen(err.message) > sizeof(err.message) - 5);
    assert_int_equal(err.os_code, 5);
    assert_string_equal(err.operation, __func__);
  }
}

TEST(error, prefix_comes_before_the_message) {
  cw_error err;
  (void)CWI_RAISE(&err, CW_E_NOT_FOUND, 2, "no file '%s'", "x");
  cwi_error_prefix(&err, "opening %s", "the catalogue");
  assert_string_equal(err.message, "opening the catalogue: no file 'x'");
  assert_int_equal(err.code, CW_E_NOT_FOUND);
}

TEST(error, null_error_is_allowed) {
  CHECK_STATUS(CWI_RAISE(NULL, CW_E_IO, 0, "x"), CW_E_IO);
  cwi_error_prefix(NULL, "x");
  cwi_error_clear(NULL);
}
