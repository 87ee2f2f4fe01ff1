/* SPDX-License-Identifier: MIT */
/* The public interface: futures over a database of its own thread. */
#include "causeway/db.h"
#include "causeway/handle.h"
#include "support/test.h"

static void query(cw_db *db, const char *sql, cw_value *out) {
  cw_error err = {0};
  CHECK_OK(cw_await(cw_db_query(db, sql, strlen(sql), cw_value_none()), out, &err));
}

TEST(db_api, queries_answer_in_order) {
  cw_db *db = NULL;
  cw_error err = {0};
  cw_value out = cw_value_none();
  CHECK_OK(cw_await(cw_db_open("mem://", &db), NULL, &err));
  CHECK_OK(cw_await(cw_db_use(db, "app", "main"), NULL, &err));
  CHECK_OK(cw_await(cw_db_set(db, "n", cw_value_int(41)), NULL, &err));
  query(db, "CREATE t:1 SET a = $n + 1; SELECT VALUE a FROM t", &out);
  CHECK(cw_value_len(out) == 2);
  cw_value last = cw_value_object_get(cw_value_array_get(out, 1), "result", 6);
  CHECK(cw_value_as_int(cw_value_array_get(last, 0)) == 42);
  cw_value_release(&out);
  query(db, "SELECT * FROM nowhere", &out);
  cw_value word = cw_value_object_get(cw_value_array_get(out, 0), "status", 6);
  assert_string_equal((const char *)cw_value_as_bytes(word).data, "ERR");
  cw_value_release(&out);
  CHECK_OK(cw_await(cw_db_close(db), NULL, &err));
  CHECK_OK(cw_release(db));
}

TEST(db_api, a_wrong_url_fails_the_future) {
  cw_db *db = NULL;
  cw_error err = {0};
  CHECK_STATUS(cw_await(cw_db_open("ftp://x", &db), NULL, &err), CW_E_INVALID);
  cw_release(db);
}

TEST(db_api, cancel_stops_a_running_query) {
  static const char endless[] = "FOR $i IN 0..100000000000 { LET $x = $i }";
  cw_db *db = NULL;
  cw_error err = {0};
  CHECK_OK(cw_await(cw_db_open("mem://", &db), NULL, &err));
  CHECK_OK(cw_await(cw_db_use(db, "a", "b"), NULL, &err));
  cw_future *future =
      cw_timeout(cw_db_query(db, endless, sizeof(endless) - 1, cw_value_none()), 50);
  CHECK_STATUS(cw_await(future, NULL, &err), CW_E_TIMEOUT);
  cw_value out = cw_value_none();
  query(db, "RETURN 1", &out);
  cw_value_release(&out);
  CHECK_OK(cw_await(cw_db_close(db), NULL, &err));
  CHECK_OK(cw_release(db));
}
