/* SPDX-License-Identifier: MIT */
/* Proves that a buffer grows, prints, keeps its maximum, and remembers that an append failed. */
#include "core/buf.h"

#include "core/alloc.h"
#include "support/test.h"

TEST(buf, appends_and_prints) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  CHECK(cwi_buf_append_str(&buf, "n="));
  CHECK(cwi_buf_append_format(&buf, "%d %0200d", 7, 1));
  CHECK(cwi_buf_append_codepoint(&buf, 0x20AC));
  CHECK(cwi_buf_append_char(&buf, '!'));
  assert_int_equal(buf.size, 2 + 2 + 200 + 3 + 1);
  CHECK(strncmp(cwi_buf_cstr(&buf), "n=7 000", 7) == 0);
  cwi_buf_deinit(&buf);
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(buf, maximum_fails_and_keeps_the_contents) {
  cwi_buf buf;
  cwi_buf_init(&buf, 10);
  CHECK(cwi_buf_append_str(&buf, "0123456789"));
  CHECK(!cwi_buf_append_char(&buf, 'x'));
  CHECK(buf.failed);
  assert_int_equal(buf.size, 10);
  cwi_buf_clear(&buf);
  CHECK(cwi_buf_append_char(&buf, 'y'));
  cwi_buf_deinit(&buf);
}

static cw_status print_and_take(void) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (int i = 0; i < 100; i++) (void)cwi_buf_append_format(&buf, "line %d\n", i);
  size_t size = 0;
  char *text = buf.failed ? NULL : cwi_buf_take(&buf, &size);
  cw_status status = text == NULL ? CW_E_NOMEM : CW_OK;
  if (text != NULL) cwi_free(text, size + 1);
  cwi_buf_deinit(&buf);
  return status;
}

TEST(buf, survives_every_failed_allocation) { CHECK_SURVIVES_OOM(print_and_take(), (void)0); }
