/* SPDX-License-Identifier: MIT */
/* Values as text in every style, against the forms that the language fixes. */
#include <math.h>

#include "script/script_text.h"
#include "support/test.h"

typedef bool (*text_fn)(cwi_buf *out, cw_value v);

static void check_text(const char *label, text_fn text, cw_value v, const char *expected) {
  cwi_buf out;
  cwi_buf_init(&out, 0);
  CHECK(text(&out, v));
  if (strcmp(cwi_buf_cstr(&out), expected) != 0) {
    fail_msg("%s: '%s', expected '%s'", label, cwi_buf_cstr(&out), expected);
  }
  cwi_buf_deinit(&out);
}

TEST(script_text, floats_have_two_forms) {
  static const struct {
    double f;
    const char *display, *debug;
  } rows[] = {
      {0.0, "0.0", "0.0"},
      {-0.0, "0.0", "-0.0"},
      {1.0, "1.0", "1.0"},
      {-2.5, "-2.5", "-2.5"},
      {0.1, "0.1", "0.1"},
      {0.30000000000000004, "0.30000000000000004", "0.30000000000000004"},
      {1e13, "1e13", "10000000000000.0"},
      {9999999827968.0, "9999999827968.0", "9999999827968.0"},
      {1e15, "1e15", "1000000000000000.0"},
      {1e16, "1e16", "1e16"},
      {1.5e16, "1.5e16", "1.5e16"},
      {9007199254740992.0, "9.007199254740992e15", "9007199254740992.0"},
      {1e22, "1e22", "1e22"},
      {1e-4, "0.0001", "0.0001"},
      {1e-5, "0.00001", "1e-5"},
      {1.5e-10, "0.00000000015", "1.5e-10"},
      {1e-14, "1e-14", "1e-14"},
      {5e-324, "5e-324", "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e308", "1.7976931348623157e308"},
      {HUGE_VAL, "inf", "inf"},
      {-HUGE_VAL, "-inf", "-inf"},
      {NAN, "NaN", "NaN"},
  };
  for (size_t i = 0; i < CWI_ARRAY_LEN(rows); i++) {
    check_text(rows[i].display, cwi_script_display, cw_value_float(rows[i].f), rows[i].display);
    check_text(rows[i].debug, cwi_script_debug, cw_value_float(rows[i].f), rows[i].debug);
  }
}

TEST(script_text, shortest_digits_read_back) {
  uint64_t bits = 0x9E3779B97F4A7C15U;
  for (size_t i = 0; i < cwt_rounds(20000); i++) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    double f;
    memcpy(&f, &bits, sizeof(f));
    if (!isfinite(f)) continue;
    cwi_buf out;
    cwi_buf_init(&out, 0);
    CHECK(cwi_script_debug_float(&out, f));
    if (strtod(cwi_buf_cstr(&out), NULL) != f) fail_msg("%s is not %a", out.data, f);
    cwi_buf_deinit(&out);
  }
}

static cw_value nested(void) {
  cw_value list;
  cw_value map;
  cw_value text;
  CHECK_OK(cw_value_array(0, &list, NULL));
  CHECK_OK(cw_value_object(&map, NULL));
  CHECK_OK(cw_value_string("a\"\n", 3, &text, NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_int(1), NULL));
  CHECK_OK(cw_value_array_push(&list, text, NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_char('b'), NULL));
  CHECK_OK(cw_value_array_push(&list, cw_value_null(), NULL));
  CHECK_OK(cw_value_object_set(&map, "k", 1, list, NULL));
  CHECK_OK(cw_value_object_set(&map, "f", 1, cw_value_float(1e16), NULL));
  return map;
}

TEST(script_text, containers_show_items_by_style) {
  cw_value v = nested();
  check_text("display", cwi_script_display, v, "#{\"f\": 1e16, \"k\": [1, \"a\\\"\\n\", b, ()]}");
  check_text("debug", cwi_script_debug, v, "#{\"f\": 1e16, \"k\": [1, \"a\\\"\\n\", b, ()]}");
  check_text("repr", cwi_script_repr, v, "#{\"f\": 1e16, \"k\": [1, \"a\\\"\\n\", 'b', ()]}");
  check_text("json", cwi_script_json, v, "{\"f\":1e16,\"k\":[1,\"a\\\"\\n\",'b',null]}");
  cw_value_release(&v);
}

TEST(script_text, single_values_show_by_style) {
  cw_value text;
  cw_value blob;
  CHECK_OK(cw_value_string("\x01\x7F\xC3\xA9'", 5, &text, NULL));
  CHECK_OK(cw_value_bytes("0123456789", 10, &blob, NULL));
  check_text("string", cwi_script_display, text, "\x01\x7F\xC3\xA9'");
  check_text("string", cwi_script_debug, text, "\"\\u{1}\\u{7f}\xC3\xA9'\"");
  check_text("unit", cwi_script_display, cw_value_null(), "");
  check_text("unit", cwi_script_debug, cw_value_null(), "()");
  check_text("char", cwi_script_debug, cw_value_char('\n'), "\n");
  check_text("char", cwi_script_repr, cw_value_char('\''), "'\\''");
  check_text("blob", cwi_script_display, blob, "[3031323334353637 3839]");
  check_text("bool", cwi_script_display, cw_value_bool(true), "true");
  cw_value_release(&text);
  cw_value_release(&blob);
}

TEST(script_text, deep_values_need_no_stack) {
  enum { DEEP = 100000 };
  cw_value v = cw_value_null();
  for (int i = 0; i < DEEP; i++) {
    cw_value outer;
    CHECK_OK(cw_value_array(1, &outer, NULL));
    CHECK_OK(cw_value_array_push(&outer, v, NULL));
    v = outer;
  }
  cwi_buf out;
  cwi_buf_init(&out, 0);
  CHECK(cwi_script_display(&out, v));
  assert_int_equal(out.size, 2 * DEEP + 2);
  cwi_buf_deinit(&out);
  cw_value_release(&v);
}

static cw_status debug_all(cw_value v) {
  cwi_buf out;
  cwi_buf_init(&out, 0);
  bool ok = cwi_script_debug(&out, v);
  cwi_buf_deinit(&out);
  return ok ? CW_OK : CW_E_NOMEM;
}

TEST(script_text, survives_no_memory) {
  cw_value v = nested();
  CHECK_SURVIVES_OOM(debug_all(v), (void)0);
  cw_value_release(&v);
}
