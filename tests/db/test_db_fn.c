/* SPDX-License-Identifier: MIT */
/* Functions give the recorded results; wrong arguments the recorded texts. */
#include "db/db_blake3.h"
#include "db/db_cbor.h"
#include "db/db_diff.h"
#include "db/db_fn.h"
#include "support/test.h"

/* Arguments are given as JSON-like text of this small language: strings, ints, floats. */
static cw_value text(const char *s) {
  cw_value out;
  CHECK_OK(cw_value_string(s, strlen(s), &out, NULL));
  return out;
}

static void check_call(const char *name, cw_value *args, size_t len, const char *expected) {
  cwi_db_fn_ctx ctx = {0};
  cw_error err;
  cw_value out;
  const cwi_db_fn *fn = cwi_db_fn_find(name, strlen(name));
  if (fn == NULL) fail_msg("there is no %s", name);
  cw_status status = cwi_db_fn_invoke(&ctx, fn, args, len, &out, &err);
  cwi_buf shown;
  cwi_buf_init(&shown, 0);
  if (status == CW_OK) {
    CHECK(cwi_db_text(&shown, out));
  } else {
    (void)cwi_buf_append_str(&shown, err.message);
  }
  if (strcmp(cwi_buf_cstr(&shown), expected) != 0) {
    fail_msg("%s gave %s, expected %s", name, cwi_buf_cstr(&shown), expected);
  }
  cwi_buf_deinit(&shown);
  cw_value_release(&out);
  for (size_t i = 0; i < len; i++) cw_value_release(&args[i]);
}

TEST(db_fn, texts_give_the_recorded_results) {
  static const struct {
    const char *name;
    const char *a;
    const char *b; /* NULL: one argument */
    const char *expected;
  } rows[] = {
      {"string::len", "h\xC3\xA9llo", NULL, "5"},
      {"string::capitalize", "hello world", NULL, "'Hello World'"},
      {"string::slug", "Hello World! Foo_bar", NULL, "'hello-world-foo_bar'"},
      {"string::split", "abc", "", "['', 'a', 'b', 'c', '']"},
      {"string::distance::levenshtein", "kitten", "sitting", "3"},
      {"string::distance::damerau_levenshtein", "kitten", "sitting", "3"},
      {"string::similarity::jaro", "martha", "marhta", "0.9444444444444445f"},
      {"string::similarity::jaro_winkler", "martha", "marhta", "0.9611111111111111f"},
      {"string::similarity::fuzzy", "hello", "helo", "83"},
      {"string::similarity::sorensen_dice", "night", "nacht", "0.25f"},
      {"string::html::encode", "<a href=\"x\">&</a>", NULL,
       "'&lt;a&#32;href&#61;&quot;x&quot;&gt;&amp;&lt;&#47;a&gt;'"},
      {"string::html::sanitize", "<script>x</script><b>ok</b>", NULL, "'<b>ok</b>'"},
      {"string::is_email", "a@b.co", NULL, "true"},
      {"string::is_domain", "not a domain", NULL, "false"},
      {"string::semver::compare", "1.2.3", "1.3.0", "-1"},
      {"string::semver::inc::minor", "1.2.3", NULL, "'1.3.0'"},
      {"parse::url::port", "https://ex.com", NULL, "443"},
      {"parse::url::domain", "https://u:p@ex.com:8080/a/b?x=1&y=2#frag", NULL, "'ex.com'"},
      {"parse::email::user", "a.b@c.org", NULL, "'a.b'"},
      {"crypto::md5", "abc", NULL, "'900150983cd24fb0d6963f7d28e17f72'"},
      {"crypto::blake3", "abc", NULL,
       "'6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'"},
      {"crypto::joaat", "abc", NULL, "3977453403"},
      {"crypto::bcrypt::compare", "notahash", "x", "false"},
      {"time::from_ulid", "01H5T4JJ0S3XKX4KW1GR2JWRRW", NULL, "d'2023-07-20T17:11:46.969Z'"},
      {"encoding::base64::decode", "aGVsbG8", NULL, "b\"68656C6C6F\""},
      {"encoding::base64::decode", "###", NULL,
       "Incorrect arguments for function encoding::base64::decode(). invalid base64"},
      {"string::repeat", "a", "b",
       "Incorrect arguments for function string::repeat(). Argument 2 was the wrong type. Expected "
       "`int` but "
       "found `'b'`"},
      {"string::len", "a", "b",
       "Incorrect arguments for function string::len(). Expected 1 argument"},
      {"set::all", "a", NULL, "Unknown function 'set::all' - not found in function registry"},
      {"geo::hash::decode", "zz", NULL, "(174.375, 87.1875)"},
      {"value::diff", "abc", "abd",
       "[{ op: 'change', path: '', value: '@@ -1,3 +1,3 @@\\n ab\\n-c\\n+d\\n' }]"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cw_value args[2] = {text(rows[i].a), rows[i].b != NULL ? text(rows[i].b) : cw_value_none()};
    check_call(rows[i].name, args, rows[i].b != NULL ? 2 : 1, rows[i].expected);
  }
}

TEST(db_fn, numbers_give_the_recorded_results) {
  static const struct {
    const char *name;
    double numbers[5];
    size_t len;
    const char *expected;
  } rows[] = {
      {"math::mean", {1, 2, 3, 4}, 4, "2.5f"},
      {"math::median", {4, 1, 2, 3}, 4, "2.5f"},
      {"math::stddev", {1, 2, 3, 4}, 4, "1.2909944487358056f"},
      {"math::variance", {5}, 1, "0f"},
      {"math::interquartile", {1, 2, 3, 4, 5}, 5, "2f"},
      {"math::sum", {0}, 0, "0"},
      {"math::max", {0}, 0, "-Infinity"},
      {"vector::normalize", {3, 4}, 2, "[0.6f, 0.8f]"},
      {"vector::magnitude", {3, 4}, 2, "5f"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    cw_value list;
    CHECK_OK(cw_value_array(0, &list, NULL));
    for (size_t k = 0; k < rows[i].len; k++) {
      CHECK_OK(cw_value_array_push(&list, cw_value_float(rows[i].numbers[k]), NULL));
    }
    check_call(rows[i].name, &list, 1, rows[i].expected);
  }
}

TEST(db_fn, the_table_is_well_formed) {
  static const char letters[] = "vsinfdbaoStuUygrRcNTAx?*";
  size_t count = 0;
  for (const cwi_db_fn *fn; (fn = cwi_db_fn_at(count)) != NULL; count++) {
    if (cwi_db_fn_find(fn->name, strlen(fn->name)) != fn) fail_msg("%s is there twice", fn->name);
    if (strspn(fn->args, letters) != strlen(fn->args))
      fail_msg("%s: arguments '%s'", fn->name, fn->args);
    bool callable = (fn->flags & (CWI_DB_FN_SPECIAL | CWI_DB_FN_UNREGISTERED)) == 0;
    if (callable != (fn->call != NULL)) fail_msg("%s cannot be called", fn->name);
    if (fn->doc == NULL || fn->doc[0] == '\0') fail_msg("%s has no documentation", fn->name);
  }
  CHECK(count > 300);
}

TEST(db_fn, a_wrong_name_finds_the_nearest) {
  static const struct {
    const char *name;
    const char *expected;
  } rows[] = {{"array::lenn", "array::len"},
              {"string::uper", "string::len"},
              {"time::nowish", "time::now"},
              {"encoding::json::encode", "encoding::cbor::encode"},
              {"type::is_function", "type::is_duration"},
              {"set::insert", NULL},
              {"nosuch::func", NULL},
              {"string::distance::osa_distance", "string::distance::osa"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const char *nearest = cwi_db_fn_nearest(rows[i].name, strlen(rows[i].name));
    bool same = (nearest == NULL) == (rows[i].expected == NULL) &&
                (nearest == NULL || strcmp(nearest, rows[i].expected) == 0);
    if (!same) fail_msg("%s gave %s", rows[i].name, nearest == NULL ? "nothing" : nearest);
  }
}

static cw_status call_all(void) {
  cwi_db_fn_ctx ctx = {0};
  for (size_t i = 0;; i++) {
    const cwi_db_fn *fn = cwi_db_fn_at(i);
    if (fn == NULL) return CW_OK;
    if (strstr(fn->name, "argon2") != NULL || strstr(fn->name, "generate") != NULL) continue;
    cw_value args[3] = {cw_value_int(3), cw_value_int(2), cw_value_int(1)};
    cw_value out;
    size_t min;
    size_t max;
    cwi_db_fn_arity(fn, &min, &max);
    cw_status status = cwi_db_fn_invoke(&ctx, fn, args, min < 3 ? min : 3, &out, NULL);
    cw_value_release(&out);
    if (status == CW_E_NOMEM) return status;
  }
}

TEST(db_fn, calls_survive_without_memory) { CHECK_SURVIVES_OOM(call_all(), (void)0); }
