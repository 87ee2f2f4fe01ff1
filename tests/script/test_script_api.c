/* SPDX-License-Identifier: MIT */
/* Proves what the scripts' interface promises: values and errors of evaluations, host functions that
 * answer at once and later, time limits, cancelling, and that nothing is left behind. */
#include "causeway/script.h"

#include "causeway/future.h"
#include "causeway/handle.h"
#include "support/test.h"

static cw_script *new_script(void) {
  cw_script *script = NULL;
  CHECK_OK(cw_script_new(&script, NULL));
  CHECK(script != NULL);
  return script;
}

static cw_status eval(cw_script *script, const char *text, cw_value *out, cw_error *err) {
  return cw_script_eval_sync(script, text, strlen(text), out, err);
}

static int64_t eval_int(cw_script *script, const char *text) {
  cw_value value;
  cw_error err;
  cw_status status = eval(script, text, &value, &err);
  if (status != CW_OK) fail_msg("%s: %s", text, err.message);
  assert_int_equal(value.kind, CW_VALUE_INT);
  int64_t result = cw_value_as_int(value);
  cw_value_release(&value);
  return result;
}

static void expect_failure(cw_script *script, const char *text, cw_status code, const char *part) {
  cw_value value;
  cw_error err;
  cw_status status = eval(script, text, &value, &err);
  if (status != code) fail_msg("%s gave %s", text, cw_status_name(status));
  if (strstr(err.message, part) == NULL) fail_msg("'%s' is not in '%s'", part, err.message);
}

/* twice(x), at once */
static cw_future *twice(const cw_value *args, size_t argc, cw_value *result, void *context) {
  (void)context;
  assert_int_equal(argc, 1);
  *result = cw_value_int(cw_value_as_int(args[0]) * 2);
  return NULL;
}

/* later(x): the same number, a little later */
static cw_future *later(const cw_value *args, size_t argc, cw_value *result, void *context) {
  (void)argc;
  (void)result;
  (void)context;
  return cw_ready(cw_value_int(cw_value_as_int(args[0])));
}

static cw_future *broken(const cw_value *args, size_t argc, cw_value *result, void *context) {
  (void)args;
  (void)argc;
  (void)result;
  (void)context;
  return cw_failed(CW_E_IO, "the disk is gone");
}

/* never(): a future whose completer the test keeps */
static cw_future *never(const cw_value *args, size_t argc, cw_value *result, void *context) {
  (void)args;
  (void)argc;
  (void)result;
  return cw_oneshot(context);
}

TEST(script_api, evaluates_programs) {
  static const struct {
    const char *text;
    int64_t expected;
  } cases[] = {
      {"40 + 2", 42},
      {"fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } fib(20)", 6765},
      {"let a = [[1, 2], [3]]; a[0][1] += 10; a[0].push(5); a[0][1] + a[0].len", 15},
      {"let n = 0; let f = |x| { n += x; n }; f.call(2); f.call(3); n", 5},
      {"[1, 2, 3, 4].filter(|x| x % 2 == 0).map(|x| x * 10).reduce(|s, x| s + x, 0)", 60},
      {"let m = #{a: #{list: []}}; m.a.list.push(7); m.a.list[0]", 7},
      {"try { throw #{code: 3} } catch (e) { return e.code; }", 3},
      {"switch 5 { 1 | 2 => 10, 3..9 if 2 > 1 => 20, _ => 30 }", 20},
  };
  cw_script *script = new_script();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int64_t result = eval_int(script, cases[i].text);
    if (result != cases[i].expected) fail_msg("%s gave %lld", cases[i].text, (long long)result);
  }
  cw_release(script);
}

TEST(script_api, errors_have_code_and_place) {
  cw_script *script = new_script();
  expect_failure(script, "1 +", CW_E_PARSE, "Script is incomplete (line 1, position 4)");
  expect_failure(script, "let a = [1]; a[3]", CW_E_SCRIPT, "Array index 3 out of bounds");
  expect_failure(script, "fn f() { throw 5 } f()", CW_E_SCRIPT, "in call to function 'f'");
  cw_error err;
  CHECK_STATUS(cw_script_check(script, "let\nx 5", 7, &err), CW_E_PARSE);
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 3);
  CHECK_OK(cw_script_check(script, "let x = 5;", 10, &err));
  cw_release(script);
  CHECK_STATUS(cw_script_check(script, "1", 1, &err), CW_E_STALE);
}

TEST(script_api, host_functions_answer_at_once_or_later) {
  cw_script *script = new_script();
  CHECK_OK(cw_script_register(script, "twice", 1, twice, NULL, NULL));
  CHECK_OK(cw_script_register(script, "later", 1, later, NULL, NULL));
  assert_int_equal(eval_int(script, "twice(21)"), 42);
  assert_int_equal(eval_int(script, "later(20) + later(22)"), 42);
  assert_int_equal(eval_int(script, "fn f(x) { later(x) + 1 } f(f(40))"), 42);
  assert_int_equal(eval_int(script, "[1, 2, 3].map(|x| later(x) * 2).reduce(|s, x| s + x, 0)"), 12);
  assert_int_equal(eval_int(script, "let t = 0; for i in 0..100 { t += later(i); } t"), 4950);
  CHECK_STATUS(cw_script_register(script, "not a name", 1, twice, NULL, NULL), CW_E_INVALID);
  cw_release(script);
  assert_int_equal(cw_handle_count(CW_HANDLE_FUTURE), 0);
}

TEST(script_api, failed_host_calls_can_be_caught) {
  cw_script *script = new_script();
  CHECK_OK(cw_script_register(script, "broken", 0, broken, NULL, NULL));
  expect_failure(script, "broken()", CW_E_SCRIPT, "the disk is gone (line 1, position 1)");
  assert_int_equal(
      eval_int(script,
               "let n = 0; try { broken(); } catch (e) { if e.code == \"CW_E_IO\" { n = 1; } } n"),
      1);
  cw_release(script);
}

TEST(script_api, asynchronous_calls_have_a_time_limit) {
  cw_script *script = new_script();
  cw_completer *completer = NULL;
  CHECK_OK(cw_script_register(script, "never", 0, never, &completer, NULL));
  CHECK_OK(cw_script_set_limit(script, CW_SCRIPT_LIMIT_ASYNC_MS, 5, NULL));
  assert_int_equal(eval_int(script,
                            "let n = 0; try { never(); } catch (e) { if e.code == "
                            "\"CW_E_TIMEOUT\" { n = 1; } } n"),
                   1);
  CHECK_STATUS(cw_complete(completer, cw_value_int(1)), CW_E_CANCELLED);
  cw_release(script);
  assert_int_equal(cw_handle_count(CW_HANDLE_FUTURE), 0);
}

TEST(script_api, cancelling_stops_what_waits) {
  cw_script *script = new_script();
  cw_future *future = cw_script_eval(script, "sleep(60); 1", 12);
  CHECK_OK(cw_future_cancel(future));
  CHECK_STATUS(cw_await(future, NULL, NULL), CW_E_CANCELLED);
  cw_release(script);
  assert_int_equal(cw_handle_count(CW_HANDLE_FUTURE), 0);
}

TEST(script_api, many_runs_wait_at_once) {
  enum { RUNS = 500 };
  cw_script *script = new_script();
  cw_future *futures[RUNS];
  const char *text = "sleep(0.01); 7";
  for (size_t i = 0; i < RUNS; i++) futures[i] = cw_script_eval(script, text, strlen(text));
  for (size_t i = 0; i < RUNS; i++) {
    cw_value value;
    CHECK_OK(cw_await(futures[i], &value, NULL));
    assert_int_equal(cw_value_as_int(value), 7);
  }
  cw_release(script);
}

TEST(script_api, limits_hold) {
  cw_script *script = new_script();
  CHECK_OK(cw_script_set_limit(script, CW_SCRIPT_LIMIT_OPERATIONS, 1000, NULL));
  expect_failure(script, "loop { }", CW_E_SCRIPT, "Too many operations");
  CHECK_OK(cw_script_set_limit(script, CW_SCRIPT_LIMIT_OPERATIONS, 0, NULL));
  CHECK_OK(cw_script_set_limit(script, CW_SCRIPT_LIMIT_STRING_BYTES, 10, NULL));
  expect_failure(script, "let s = \"abcdef\"; s += s; s", CW_E_SCRIPT,
                 "Length of string too large");
  expect_failure(script, "fn f(n) { f(n + 1) } f(0)", CW_E_SCRIPT, "Stack overflow");
  cw_release(script);
}
