/* SPDX-License-Identifier: MIT */
/* The sizes and offsets of public structs, which hosts write down as numbers. They change on
 * purpose only: a struct with `struct_size` grows at its end, the others never. */
#include <stddef.h>
#include <stdio.h>

#include "causeway/causeway.h"
#include "support/test.h"

_Static_assert(sizeof(cw_bytes) == 2 * sizeof(void *), "cw_bytes");
_Static_assert(sizeof(cw_value) == 16, "cw_value");
_Static_assert(offsetof(cw_value, bits) == 0, "cw_value.bits");
_Static_assert(offsetof(cw_value, aux) == 8, "cw_value.aux");
_Static_assert(offsetof(cw_value, kind) == 12, "cw_value.kind");
_Static_assert(sizeof(cw_error) == 512, "cw_error");
_Static_assert(offsetof(cw_error, code) == 0, "cw_error.code");
_Static_assert(offsetof(cw_error, outcome) == 20, "cw_error.outcome");
_Static_assert(offsetof(cw_error, operation) == 24, "cw_error.operation");
_Static_assert(offsetof(cw_error, message) == 72, "cw_error.message");
_Static_assert(sizeof(cw_status) == 4, "cw_status");
_Static_assert(sizeof(cw_allocator) == 3 * sizeof(void *), "cw_allocator");
_Static_assert(offsetof(cw_allocator, struct_size) == 0, "cw_allocator.struct_size");
_Static_assert(offsetof(cw_worker_options, struct_size) == 0, "cw_worker_options.struct_size");

TEST(abi, status_codes_are_those_that_hosts_have_written_down) {
  static const struct {
    const char *label;
    cw_status code;
    cw_status number;
  } rows[] = {
      {"ok", CW_OK, 0},
      {"first", CW_E_INVALID, -1},
      {"stale", CW_E_STALE, -3},
      {"cancelled", CW_E_CANCELLED, -5},
      {"timeout", CW_E_TIMEOUT, -6},
      {"limit", CW_E_LIMIT, -10},
      {"end", CW_E_END, -19},
      {"parse", CW_E_PARSE, -23},
      {"http", CW_E_HTTP_STATUS, -32},
      {"grammar", CW_E_GRAMMAR, -42},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (rows[i].code != rows[i].number) {
      fail_msg("%s: %d, expected %d", rows[i].label, rows[i].code, rows[i].number);
    }
  }
}

TEST(abi, version_is_that_of_the_headers) {
  char text[32];
  (void)snprintf(text, sizeof(text), "%d.%d.%d", CW_VERSION_MAJOR, CW_VERSION_MINOR,
                 CW_VERSION_PATCH);
  assert_string_equal(cw_version(), text);
}
