/* SPDX-License-Identifier: MIT */
/* Proves JSON: what RFC 8259 accepts is read exactly, what it rejects is refused with a place, and
 * what is written reads back as the same value. */
#include "causeway/json.h"

#include <math.h>

#include "core/value.h"
#include "support/test.h"

typedef struct json_row {
  const char *text;
  const char *written; /* NULL: as `text`; "!": refused */
  cw_status status;
} json_row;

static const json_row ROWS[] = {
    {"null", NULL, 0},
    {"true", NULL, 0},
    {"false", NULL, 0},
    {"0", NULL, 0},
    {"-0", "0", 0},
    {"-1", NULL, 0},
    {"9223372036854775807", NULL, 0},
    {"-9223372036854775808", NULL, 0},
    {"9223372036854775808", "9.223372036854776e+18", 0},
    {"1.0", NULL, 0},
    {"1e2", "100.0", 0},
    {"1E+2", "100.0", 0},
    {"-0.0", NULL, 0},
    {"0.1", NULL, 0},
    {"1.7976931348623157e+308", NULL, 0},
    {"5e-324", NULL, 0},
    {"2.2250738585072014e-308", NULL, 0},
    {"1e400", "null", 0},
    {"0.30000000000000004", NULL, 0},
    {"123456789.125", NULL, 0},
    {"\"\"", NULL, 0},
    {"\"a\\\"b\\\\c\\/d\"", "\"a\\\"b\\\\c/d\"", 0},
    {"\"\\b\\f\\n\\r\\t\"", NULL, 0},
    {"\"\\u0041\\u00e9\"", "\"A\xC3\xA9\"", 0},
    {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"", 0},
    {"\"\\u0000\"", NULL, 0},
    {"[]", NULL, 0},
    {"{}", NULL, 0},
    {"[1,[2,[3]],{}]", NULL, 0},
    {" [ 1 , 2 ] ", "[1,2]", 0},
    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}", 0},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}", 0},
    {"\t\r\n1", "1", 0},
    {"\"a long string without any escape in it\"", NULL, 0},
    {"", "!", CW_E_PARSE},
    {" ", "!", CW_E_PARSE},
    {"nul", "!", CW_E_PARSE},
    {"True", "!", CW_E_PARSE},
    {"01", "!", CW_E_PARSE},
    {"-", "!", CW_E_PARSE},
    {"+1", "!", CW_E_PARSE},
    {"1.", "!", CW_E_PARSE},
    {".5", "!", CW_E_PARSE},
    {"1e", "!", CW_E_PARSE},
    {"1e+", "!", CW_E_PARSE},
    {"0x1", "!", CW_E_PARSE},
    {"NaN", "!", CW_E_PARSE},
    {"Infinity", "!", CW_E_PARSE},
    {"1 2", "!", CW_E_PARSE},
    {"[1,]", "!", CW_E_PARSE},
    {"[,1]", "!", CW_E_PARSE},
    {"[1", "!", CW_E_PARSE},
    {"[1}", "!", CW_E_PARSE},
    {"{\"a\"}", "!", CW_E_PARSE},
    {"{\"a\":}", "!", CW_E_PARSE},
    {"{a:1}", "!", CW_E_PARSE},
    {"{\"a\":1,}", "!", CW_E_PARSE},
    {"{1:1}", "!", CW_E_PARSE},
    {"{\"a\":1", "!", CW_E_PARSE},
    {"\"", "!", CW_E_PARSE},
    {"\"\\x\"", "!", CW_E_PARSE},
    {"\"\\u12\"", "!", CW_E_PARSE},
    {"\"\\u12g4\"", "!", CW_E_PARSE},
    {"\"a\nb\"", "!", CW_E_PARSE},
    {"'a'", "!", CW_E_PARSE},
    {"// c\n1", "!", CW_E_PARSE},
    {"[1] x", "!", CW_E_PARSE},
    {"\"\\ud800\"", "!", CW_E_ENCODING},
    {"\"\\udc00\"", "!", CW_E_ENCODING},
    {"\"\\ud800\\u0041\"", "!", CW_E_ENCODING},
    {"\"\xFF\"", "!", CW_E_ENCODING},
    {"\xEF\xBB\xBF"
     "1",
     "!", CW_E_PARSE},
    {"\"\xC0\xAF\"", "!", CW_E_ENCODING},
};

TEST(json, accepts_rejects_and_writes_as_the_rfc_says) {
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
    const json_row *row = &ROWS[i];
    cw_value value;
    cw_value text;
    cw_error err;
    cw_status status = cw_value_from_json(row->text, strlen(row->text), NULL, &value, &err);
    if (status != row->status) fail_msg("'%s': %s", row->text, cw_status_name(status));
    if (status != CW_OK) {
      CHECK(err.line > 0 && err.column > 0 && value.kind == CW_VALUE_NONE);
      continue;
    }
    CHECK_OK(cw_value_to_json(value, NULL, &text, &err));
    const char *expected = row->written == NULL ? row->text : row->written;
    const char *got = cw_value_as_bytes(text).data;
    if (strcmp(got, expected) != 0) fail_msg("'%s' is written '%s'", row->text, got);
    cw_value_release(&text);
    cw_value_release(&value);
  }
}

TEST(json, errors_have_line_and_column_in_characters) {
  cw_value value;
  cw_error err;
  const char *text = "{\n  \"\xC3\xA9\xE2\x82\xAC\": x}";
  CHECK_STATUS(cw_value_from_json(text, strlen(text), NULL, &value, &err), CW_E_PARSE);
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 9);
}

TEST(json, depth_and_large_numbers_follow_the_options) {
  cw_value value;
  cw_json_options options = CW_JSON_OPTIONS_INIT;
  options.depth_max = 2;
  CHECK_OK(cw_value_from_json("[[1]]", 5, &options, &value, NULL));
  cw_value_release(&value);
  CHECK_STATUS(cw_value_from_json("[[[1]]]", 7, &options, &value, NULL), CW_E_LIMIT);
  options.refuse_large_ints = true;
  CHECK_STATUS(cw_value_from_json("9223372036854775808", 19, &options, &value, NULL), CW_E_RANGE);
  options.refuse_non_finite = true;
  CHECK_STATUS(cw_value_to_json(cw_value_float((double)NAN), &options, &value, NULL), CW_E_RANGE);
}

TEST(json, random_floats_survive_the_round_trip_in_17_digits_at_most) {
  uint64_t state = 42;
  for (int i = 0; i < 100000; i++) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    double x;
    memcpy(&x, &state, sizeof(x));
    if (!isfinite(x)) continue;
    cw_value text;
    cw_value back;
    CHECK_OK(cw_value_to_json(cw_value_float(x), NULL, &text, NULL));
    cw_bytes bytes = cw_value_as_bytes(text);
    CHECK(bytes.size <= 24);
    CHECK_OK(cw_value_from_json(bytes.data, bytes.size, NULL, &back, NULL));
    CHECK(cw_value_equal(back, cw_value_float(x)));
    cw_value_release(&text);
  }
}

TEST(json, other_kinds_are_texts) {
  cw_value text;
  static const uint8_t UUID[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                                   0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
  cw_value list;
  cw_value item;
  CHECK_OK(cw_value_array(0, &list, NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_datetime(0, 0), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_datetime(-1, 500000000), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_duration(3725, 0), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_duration(0, 1500000), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_char(0x20AC), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_none(), NULL));
  CHECK_OK(cw_value_bytes("\x01\x02\x03\x04", 4, &item, NULL));
  CHECK_OK(cw_value_array_push(&list, item, NULL));
  CHECK_OK(cw_value_uuid(UUID, &item, NULL));
  CHECK_OK(cw_value_array_push(&list, item, NULL));
  CHECK_OK(cw_value_to_json(list, NULL, &text, NULL));
  assert_string_equal(
      cw_value_as_bytes(text).data,
      "[\"1970-01-01T00:00:00Z\",\"1969-12-31T23:59:59.5Z\",\"1h2m5s\",\"0.0015s\","
      "\"\xE2\x82\xAC\",null,\"AQIDBA==\",\"12345678-9abc-def0-1234-56789abcdef0\"]");
  cw_value_release(&text);
  cw_value_release(&list);
}

TEST(json, indented_text_reads_back) {
  cw_value value;
  cw_value text;
  cw_value back;
  cw_json_options options = CW_JSON_OPTIONS_INIT;
  options.indent = 2;
  const char *source = "{\"a\":[1,{}],\"b\":{\"c\":null}}";
  CHECK_OK(cw_value_from_json(source, strlen(source), NULL, &value, NULL));
  CHECK_OK(cw_value_to_json(value, &options, &text, NULL));
  assert_string_equal(cw_value_as_bytes(text).data,
                      "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": null\n  }\n}");
  cw_bytes bytes = cw_value_as_bytes(text);
  CHECK_OK(cw_value_from_json(bytes.data, bytes.size, NULL, &back, NULL));
  CHECK(cw_value_equal(value, back));
  cw_value_release(&value);
  cw_value_release(&text);
  cw_value_release(&back);
}

static cw_status read_and_write(void) {
  cw_value value;
  cw_value text;
  const char *source = "{\"a\":[1,2.5,\"x\\ny\"],\"b\":{\"c\":null}}";
  cw_status status = cw_value_from_json(source, strlen(source), NULL, &value, NULL);
  if (status == CW_OK) status = cw_value_to_json(value, NULL, &text, NULL);
  if (status == CW_OK) cw_value_release(&text);
  cw_value_release(&value);
  return status;
}

TEST(json, survives_every_failed_allocation) { CHECK_SURVIVES_OOM(read_and_write(), (void)0); }
