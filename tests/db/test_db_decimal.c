/* SPDX-License-Identifier: MIT */
/* Decimals: text, arithmetic with the recorded results, rounding, limits. */
#include "db/db_decimal.h"
#include "support/test.h"

static cwi_decimal decimal(const char *text) {
  cwi_decimal out;
  if (!cwi_decimal_parse(text, strlen(text), &out)) fail_msg("'%s' is no decimal", text);
  return out;
}

TEST(db_decimal, text_goes_in_and_out) {
  static const struct {
    const char *input;
    const char *expected;
  } rows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"3.50", "3.50"},
      {"-1.5", "-1.5"},
      {"79228162514264337593543950335", "79228162514264337593543950335"},
      {"0.0000000000000000000000000001", "0.0000000000000000000000000001"},
      {"3.14159265358979323846264338327950288", "3.1415926535897932384626433833"},
      {".5", "0.5"},
      {"1_000", "1000"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
    (void)cwi_decimal_format(decimal(rows[i].input), text);
    if (strcmp(text, rows[i].expected) != 0) {
      fail_msg("%s gave %s, expected %s", rows[i].input, text, rows[i].expected);
    }
  }
}

TEST(db_decimal, wrong_text_is_refused) {
  static const char *const rows[] = {"", "-", ".", "1e5", "1..2", "abc", "1.2.3", " 1",
                                     "79228162514264337593543950336", "1-"};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cwi_decimal out;
    if (cwi_decimal_parse(rows[i], strlen(rows[i]), &out)) fail_msg("'%s' was taken", rows[i]);
  }
}

TEST(db_decimal, arithmetic_gives_the_recorded_results) {
  static const struct {
    const char *a;
    char op;
    const char *b;
    const char *expected; /* NULL: no result */
  } rows[] = {
      {"7", '/', "2", "3.50"},
      {"1", '/', "3", "0.3333333333333333333333333333"},
      {"2", '/', "3", "0.6666666666666666666666666667"},
      {"3", '/', "2", "1.50"},
      {"1", '/', "0", NULL},
      {"0.1", '+', "0.2", "0.3"},
      {"1.005", '-', "2", "-0.995"},
      {"79228162514264337593543950335", '+', "1", NULL},
      {"9999999999999999999999999999", '*', "9999999999999999999999999999", NULL},
      {"1.5", '*', "1.5", "2.25"},
      {"7.5", '%', "2", "1.5"},
      {"-7", '%', "3", "-1"},
      {"5", '%', "0", NULL},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cwi_decimal a = decimal(rows[i].a);
    cwi_decimal b = decimal(rows[i].b);
    cwi_decimal out = a;
    bool done = false;
    switch (rows[i].op) {
    case '+': done = cwi_decimal_add(a, b, &out); break;
    case '-': done = cwi_decimal_sub(a, b, &out); break;
    case '*': done = cwi_decimal_mul(a, b, &out); break;
    case '/': done = cwi_decimal_div(a, b, &out); break;
    default: done = cwi_decimal_rem(a, b, &out); break;
    }
    char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
    (void)cwi_decimal_format(out, text);
    if (done != (rows[i].expected != NULL) || (done && strcmp(text, rows[i].expected) != 0)) {
      fail_msg("%s %c %s gave %s", rows[i].a, rows[i].op, rows[i].b, done ? text : "nothing");
    }
  }
}

TEST(db_decimal, a_double_becomes_its_shortest_digits) {
  cwi_decimal out;
  char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
  CHECK(cwi_decimal_from_double(0.1, &out));
  (void)cwi_decimal_format(out, text);
  assert_string_equal(text, "0.1");
  CHECK(cwi_decimal_compare_double(out, 0.1) == 0);
  CHECK(cwi_decimal_compare_double(out, 0.2) < 0);
  CHECK(!cwi_decimal_from_double(1e300, &out));
}
