/* SPDX-License-Identifier: MIT */
/* The engine as a whole: text in, results out; what the vectors do not show: limits, memory, files. */
#include "db/db_engine.h"

#include <stdio.h>
#include <unistd.h>

#include "db/db_value.h"
#include "support/test.h"

static void open_engine(const char *url, db_engine **engine, db_session **session) {
  cw_error err = {0};
  CHECK_OK(cwi_db_engine_open(url, engine, &err));
  CHECK_OK(cwi_db_session_new(*engine, session, &err));
  CHECK_OK(cwi_db_session_use(*session, "test", "test", &err));
}

static void close_engine(db_engine *engine, db_session *session) {
  cwi_db_session_free(session);
  cwi_db_engine_close(engine);
}

/* Runs `query` and checks the text of its last result. */
static void check_last(db_session *session, const char *query, const char *expected) {
  cwi_db_results results;
  cw_error err = {0};
  CHECK_OK(cwi_db_query(session, query, strlen(query), cw_value_none(), NULL, &results, &err));
  CHECK(results.len > 0);
  const cwi_db_result *last = &results.items[results.len - 1];
  cwi_buf text;
  cwi_buf_init(&text, 0);
  if (last->ok) {
    cwi_db_text(&text, last->value);
  } else {
    cw_bytes error = cw_value_as_bytes(last->error);
    cwi_buf_append_str(&text, "! ");
    cwi_buf_append(&text, error.data, error.size);
  }
  if (strcmp(cwi_buf_cstr(&text), expected) != 0) {
    fail_msg("%s\n  gave     %s\n  expected %s", query, cwi_buf_cstr(&text), expected);
  }
  cwi_buf_deinit(&text);
  cwi_db_results_deinit(&results);
}

TEST(db_engine, statements_give_their_results) {
  static const struct {
    const char *query, *expected;
  } rows[] = {
      {"RETURN 1 + 2 * 3", "7"},
      {"CREATE t:1 SET a = 1; SELECT VALUE a FROM t", "[1]"},
      {"CREATE t:2 SET a = 5; SELECT VALUE id FROM t WHERE a > 2", "[t:2]"},
      {"DELETE t; SELECT * FROM t", "[]"},
      {"LET $x = [1, 2, 3]; RETURN $x.map(|$v| $v * 2)", "[2, 4, 6]"},
      {"RETURN $no", "NONE"},
      {"SELECT * FROM nowhere", "! The table 'nowhere' does not exist"},
  };
  db_engine *engine;
  db_session *session;
  open_engine("mem://", &engine, &session);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    check_last(session, rows[i].query, rows[i].expected);
  }
  close_engine(engine, session);
}

TEST(db_engine, recursion_ends_with_an_error) {
  static const char deep[] =
      "! Reached excessive computation depth due to functions, subqueries, or computed values";
  db_engine *engine;
  db_session *session;
  open_engine("mem://", &engine, &session);
  check_last(session, "DEFINE FUNCTION fn::f($n: int) { RETURN fn::f($n + 1) }; RETURN fn::f(1)",
             deep);
  check_last(session, "RETURN fn::f(0)", deep);
  check_last(session, "RETURN 1", "1");
  close_engine(engine, session);
}

TEST(db_engine, deep_nesting_is_refused_by_the_parser) {
  db_engine *engine;
  db_session *session;
  open_engine("mem://", &engine, &session);
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_str(&text, "RETURN ");
  for (int i = 0; i < 5000; i++) cwi_buf_append_char(&text, '[');
  cwi_db_results results;
  cw_error err = {0};
  CHECK_OK(cwi_db_query(session, text.data, text.size, cw_value_none(), NULL, &results, &err));
  CHECK(results.whole && results.len == 1 && !results.items[0].ok);
  cwi_db_results_deinit(&results);
  cwi_buf_deinit(&text);
  close_engine(engine, session);
}

TEST(db_engine, interrupt_stops_a_query) {
  db_engine *engine;
  db_session *session;
  open_engine("mem://", &engine, &session);
  atomic_int flag = 1;
  cwi_db_query_options options = {.interrupt = &flag};
  static const char query[] = "FOR $i IN 0..1000000000 { LET $x = $i }";
  cwi_db_results results;
  cw_error err = {0};
  CHECK_STATUS(
      cwi_db_query(session, query, sizeof(query) - 1, cw_value_none(), &options, &results, &err),
      CW_E_CANCELLED);
  close_engine(engine, session);
}

TEST(db_engine, a_file_is_there_after_reopening) {
  char path[128];
  char url[160];
  snprintf(path, sizeof(path), "/tmp/test_db_engine_%ld.db", (long)getpid());
  snprintf(url, sizeof(url), "file://%s", path);
  db_engine *engine;
  db_session *session;
  for (int round = 0; round < 3; round++) {
    open_engine(url, &engine, &session);
    char query[64];
    snprintf(query, sizeof(query), "CREATE t:%d; SELECT count() FROM t GROUP ALL", round);
    char expected[32];
    snprintf(expected, sizeof(expected), "[{ count: %d }]", round + 1);
    check_last(session, query, expected);
    close_engine(engine, session);
  }
  unlink(path);
}

static cw_status whole_life(void) {
  static const char query[] =
      "DEFINE FIELD n ON t TYPE int ASSERT $value > 0; DEFINE INDEX i ON t FIELDS n; "
      "CREATE t:1 SET n = 1, o = { a: [1, 2, 'x'] }; UPDATE t:1 SET n += 1; RELATE t:1->k:1->t:1; "
      "SELECT n, o.a[0] AS a, ->k->t AS e FROM t WHERE n = 2 ORDER BY n LIMIT 1; "
      "SELECT n, count() FROM t GROUP BY n; BEGIN; DELETE t; CANCEL; RETURN [1].map(|$x| $x + 1)";
  db_engine *engine = NULL;
  db_session *session = NULL;
  cwi_db_results results = {0};
  cw_error err = {0};
  cw_status status = cwi_db_engine_open("mem://", &engine, &err);
  if (status == CW_OK) status = cwi_db_session_new(engine, &session, &err);
  if (status == CW_OK) status = cwi_db_session_use(session, "test", "test", &err);
  if (status == CW_OK) {
    status = cwi_db_query(session, query, sizeof(query) - 1, cw_value_none(), NULL, &results, &err);
  }
  cwi_db_results_deinit(&results);
  cwi_db_session_free(session);
  cwi_db_engine_close(engine);
  return status;
}

TEST(db_engine, survives_lack_of_memory) { CHECK_SURVIVES_OOM(whole_life(), (void)0); }
