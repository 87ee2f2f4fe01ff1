/* SPDX-License-Identifier: MIT */
/* Proves that UTF-8 is checked as RFC 3629 asks: shortest forms only, no surrogates, no overrun. */
#include "core/utf8.h"

#include "support/test.h"

typedef struct utf8_row {
  const char *label;
  const char *text;
  size_t size;
  size_t valid; /* bytes of the valid prefix */
} utf8_row;

static const utf8_row ROWS[] = {
    {"empty", "", 0, 0},
    {"ascii", "hello, world", 12, 12},
    {"two bytes", "\xC3\xA9", 2, 2},
    {"three bytes", "\xE2\x82\xAC", 3, 3},
    {"four bytes", "\xF0\x9F\x98\x80", 4, 4},
    {"overlong slash", "a\xC0\xAF", 3, 1},
    {"overlong three", "\xE0\x80\x80", 3, 0},
    {"overlong four", "\xF0\x80\x80\x80", 4, 0},
    {"surrogate", "ab\xED\xA0\x80", 5, 2},
    {"past the last plane", "\xF4\x90\x80\x80", 4, 0},
    {"cut in the middle", "abcdefgh\xE2\x82", 10, 8},
    {"lone continuation", "\x80", 1, 0},
};

TEST(utf8, valid_prefix_ends_at_the_first_bad_byte) {
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
    size_t valid = cwi_utf8_valid_prefix(ROWS[i].text, ROWS[i].size);
    if (valid != ROWS[i].valid) fail_msg("%s: %zu", ROWS[i].label, valid);
  }
}

TEST(utf8, every_scalar_value_survives_encode_and_decode) {
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    char bytes[CWI_UTF8_BYTES_MAX];
    size_t size = cwi_utf8_encode(c, bytes);
    uint32_t back = 0;
    assert_int_equal(cwi_utf8_decode(bytes, size, &back), size);
    assert_int_equal(back, c);
  }
}

TEST(utf8, offset_and_len_count_characters) {
  const char *text = "a\xC3\xA9\xE2\x82\xAC!";
  assert_int_equal(cwi_utf8_len(text, 7), 4);
  assert_int_equal(cwi_utf8_offset(text, 7, 2), 3);
  assert_int_equal(cwi_utf8_offset(text, 7, 9), 7);
}

TEST(utf8, floor_never_cuts_a_character) {
  const char *text = "a\xE2\x82\xAC";
  assert_int_equal(cwi_utf8_floor(text, 4, 2), 1);
  assert_int_equal(cwi_utf8_floor(text, 4, 4), 4);
  assert_int_equal(cwi_utf8_floor(text, 3, 3), 1); /* the text itself was cut */
}
