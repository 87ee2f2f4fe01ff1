/* SPDX-License-Identifier: MIT */
/* Case of text and the properties that the engines rely on. */
#include "core/unicode.h"
#include "support/test.h"

TEST(unicode, case_of_text_follows_special_casing) {
  static const struct {
    const char *text, *upper, *lower;
  } rows[] = {
      {"Hello, World 1", "HELLO, WORLD 1", "hello, world 1"},
      {"stra\u00dfe", "STRASSE", "stra\u00dfe"},
      {"\ufb01n", "FIN", "\ufb01n"},
      {"\u039f\u0394\u039f\u03a3", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"},
      {"\u03a3\u0391", "\u03a3\u0391", "\u03c3\u03b1"},
      {"\u0130", "\u0130", "i\u0307"},
      {"\u00e9\u65e5", "\u00c9\u65e5", "\u00e9\u65e5"},
      {"", "", ""},
  };
  for (size_t i = 0; i < CWI_ARRAY_LEN(rows); i++) {
    cwi_buf out;
    cwi_buf_init(&out, 0);
    CHECK(cwi_unicode_append_upper(&out, rows[i].text, strlen(rows[i].text)));
    assert_string_equal(cwi_buf_cstr(&out), rows[i].upper);
    cwi_buf_clear(&out);
    CHECK(cwi_unicode_append_lower(&out, rows[i].text, strlen(rows[i].text)));
    assert_string_equal(cwi_buf_cstr(&out), rows[i].lower);
    cwi_buf_deinit(&out);
  }
}

TEST(unicode, simple_case_keeps_one_character) {
  assert_int_equal(cwi_unicode_upper('a'), 'A');
  assert_int_equal(cwi_unicode_upper(0xDF), 0xDF);
  assert_int_equal(cwi_unicode_upper(0x1F80), 0x1F88);
  assert_int_equal(cwi_unicode_lower('Z'), 'z');
  assert_int_equal(cwi_unicode_lower(0x3A3), 0x3C3);
  assert_int_equal(cwi_unicode_lower('['), '[');
}

TEST(unicode, properties_hold) {
  CHECK(cwi_unicode_is_letter(0xE9) && cwi_unicode_is_letter(0x65E5) &&
        !cwi_unicode_is_letter('1'));
  CHECK(cwi_unicode_is_digit('7') && cwi_unicode_is_digit(0x0663) && !cwi_unicode_is_digit(0xBD));
  CHECK(cwi_unicode_is_numeric(0xBD));
  CHECK(cwi_unicode_is_space(0x3000) && cwi_unicode_is_space('\t') &&
        !cwi_unicode_is_space(0x200B));
  CHECK(cwi_unicode_is_printable(0xE9) && !cwi_unicode_is_printable(0x7F));
  CHECK(!cwi_unicode_is_printable(0x200B) && !cwi_unicode_is_printable(0xE000));
  CHECK(cwi_unicode_is_mark(0x0301) && !cwi_unicode_is_mark('a'));
}
