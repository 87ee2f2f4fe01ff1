/* SPDX-License-Identifier: MIT */
/* Functions that call back into the script: run as scripts, with the answers that the language fixes,
 * and while memory runs out at every place. */
#include "script/script_engine.h"
#include "script/script_text.h"
#include "support/test.h"

typedef struct program_row {
  const char *source, *expected;
} program_row;

static const program_row ROWS[] = {
    {"[1,2,3].map(|x| x * x)", "[1, 4, 9]"},
    {"[1,2,3].map(|x, i| x * i)", "[0, 2, 6]"},
    {"[1,2,3].map(|| this + 1)", "[2, 3, 4]"},
    {"[-1,2].map(\"abs\")", "[1, 2]"},
    {"[5,6,7,8].filter(|x, i| i > 1)", "[7, 8]"},
    {"[1,2,3].reduce(|s, x| s + x, 0)", "6"},
    {"[1,2,3].reduce_rev(|s, x| s + x, \"\")", "321"},
    {"let a = [1,2,3]; a.for_each(|| this *= 10); a", "[10, 20, 30]"},
    {"[1,2,3].some(|x| x == 2)", "true"},
    {"[1,2,3].all(|x| x > 1)", "false"},
    {"[1,2,3,4].find(|x| x % 2 == 0, 2)", "4"},
    {"[1,2,3].find_map(|x| if x > 2 { x * 100 } else { () })", "300"},
    {"[1,2,3,4].index_of(|x| x > 1, 2)", "2"},
    {"let a = [1,2,3,4,5]; let d = a.drain(|x| x % 2 == 0); [a, d]", "[[1, 3, 5], [2, 4]]"},
    {"let a = [1,2,3,4,5]; let d = a.retain(|x| x > 2); [a, d]", "[[3, 4, 5], [1, 2]]"},
    {"let a = [1,2,3,4,5]; a.dedup(|x, y| x / 2 == y / 2); a", "[1, 2, 4]"},
    {"[1,2].zip([3,4], |x, y, i| x * y * i)", "[0, 8]"},
    {"let a = [3,1,4,1,5,9,2,6]; a.sort(|x, y| y - x); a", "[9, 6, 5, 4, 3, 2, 1, 1]"},
    {"[3,1,2].order(|x, y| x < y)", "[1, 2, 3]"},
    {"[3,1,2].order_by(|x, y| x - y)", "[1, 2, 3]"},
    {"#{a: 1, b: 2}.map(|k, v| k + v)", "#{\"a\": \"a1\", \"b\": \"b2\"}"},
    {"#{a: 1, b: 2}.filter(|k| this > 1)", "#{\"b\": 2}"},
    {"let m = #{a: 1, b: 2}; let d = m.drain(|k, v| v == 2); [m, d]", "[#{\"a\": 1}, #{\"b\": 2}]"},
    {"let m = #{a: 1, b: 2}; let d = m.retain(|k, v| v == 2); [m, d]",
     "[#{\"b\": 2}, #{\"a\": 1}]"},
    {"[[1,2],[3]].map(|r| r.map(|x| x + 1))", "[[2, 3], [4]]"},
    {"let r = 0; try { [1,2].map(|x| throw x); } catch (e) { r = e; } r", "1"},
    {"let a = []; for c in \"ab\".chars() { a.push(c) } a", "[a, b]"},
    {"let a = []; for i in range(9, 0, -4) { a.push(i) } a", "[9, 5, 1]"},
    {"let n = 0; for b in 5.bits(0, 3) { if b { n += 1 } } n", "2"},
    {"fn f(a) { a } get_fn_metadata_list(\"f\").len", "1"},
};

/* Compiles and runs `source`; *text is what print() would show. */
static cw_status run(const char *source, cwi_buf *text) {
  cwi_script_engine *engine = NULL;
  cwi_script_program *program = NULL;
  cwi_script_run *run = NULL;
  cwi_script_parse_error parse_error = {0};
  cw_status status = cwi_engine_new(&engine, NULL);
  if (status == CW_OK) {
    cwi_script_parse_options options = cwi_engine_parse_options(engine);
    status = cwi_engine_compile(engine, source, strlen(source), "", &options, &parse_error,
                                &program, NULL);
  }
  if (status == CW_OK) status = cwi_script_run_new(engine, program, &run, NULL);
  if (status == CW_OK) {
    bool done = cwi_script_run_start(run, program->main, NULL, 0) &&
                cwi_script_run_go(run) == CWI_SCRIPT_DONE;
    if (!done) status = run->error.kind == CWI_SCRIPT_E_NOMEM ? CW_E_NOMEM : CW_E_SCRIPT;
    if (done && !cwi_script_display(text, run->result)) status = CW_E_NOMEM;
  }
  cwi_script_run_free(run);
  cwi_script_program_release(program);
  cwi_buf_deinit(&parse_error.message);
  cwi_engine_release(engine);
  return status;
}

static cw_status run_and_drop(const char *source) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cw_status status = run(source, &text);
  cwi_buf_deinit(&text);
  return status;
}

TEST(script_each, callbacks_answer_for_each_item) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(ROWS); i++) {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cw_status status = run(ROWS[i].source, &text);
    if (status != CW_OK) fail_msg("%s: %s", ROWS[i].source, cw_status_name(status));
    if (strcmp(cwi_buf_cstr(&text), ROWS[i].expected) != 0) {
      fail_msg("%s: %s, expected %s", ROWS[i].source, text.data, ROWS[i].expected);
    }
    cwi_buf_deinit(&text);
  }
}

TEST(script_each, callbacks_survive_no_memory) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(ROWS); i++) {
    (void)run_and_drop(ROWS[i].source); /* what is made once is made before */
    CHECK_SURVIVES_OOM(run_and_drop(ROWS[i].source), (void)0);
  }
}
