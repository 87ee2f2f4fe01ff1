/* SPDX-License-Identifier: MIT */
/* The suites `surrealql` and `surrealql_lax`: small programs with what the real database answers.
 *
 * Each case starts from an empty database in memory. A case agrees where it gives as many results
 * as expected and each is the same: the typed JSON of a value and the places of its record ids, or
 * the whole text of an error. `surrealql_lax` takes any error for an error. */
#include <stdio.h>

#include "conformance/conformance.h"
#include "db/db_engine.h"
#include "db/db_value.h"

typedef struct case_run {
  conformance *c;
  bool lax;
} case_run;

/* Whether the lines of `rids` are exactly the texts of the array `expected`. */
static bool same_rids(const cwi_buf *rids, cw_value expected) {
  size_t count = 0;
  const char *at = rids->data;
  const char *end = rids->data + rids->size;
  while (at < end) {
    const char *line = memchr(at, '\n', (size_t)(end - at));
    size_t size = (size_t)((line != NULL ? line : end) - at);
    bool found = false;
    for (size_t i = 0; !found && i < cw_value_len(expected); i++) {
      cw_bytes text = cw_value_as_bytes(cw_value_array_get(expected, i));
      found = text.size == size && memcmp(text.data, at, size) == 0;
    }
    if (!found) return false;
    count++;
    at += size + 1;
  }
  return count == cw_value_len(expected);
}

static cw_status same_value(cw_value expected, cw_value value, bool *same, cw_error *err) {
  cwi_buf json;
  cwi_buf rids;
  cwi_buf_init(&json, 0);
  cwi_buf_init(&rids, 0);
  cw_value actual = cwi_value_none();
  cw_status status = CW_OK;
  *same = false;
  if (cwi_db_json(&json, value, CWI_DB_JSON_TYPED, &rids)) {
    status = conformance_read_json(json.data, json.size, &actual, err);
    *same = status == CW_OK && cw_value_equal(actual, conformance_get(expected, "value")) &&
            same_rids(&rids, conformance_get(expected, "rids"));
  }
  cw_value_release(&actual);
  cwi_buf_deinit(&json);
  cwi_buf_deinit(&rids);
  return status;
}

static cw_status same_result(cw_value expected, const cwi_db_result *result, bool lax, bool *same,
                             cw_error *err) {
  bool ok = cw_value_as_bool(conformance_get(expected, "ok"));
  *same = false;
  if (ok != result->ok) return CW_OK;
  if (ok) return same_value(expected, result->value, same, err);
  *same = lax || cw_value_equal(conformance_get(expected, "error"), result->error);
  return CW_OK;
}

static void describe(cwi_buf *out, cw_value row, const cwi_db_results *results, size_t at) {
  cwi_buf_append_format(out, "  query: %s\n  result %zu of %zu: ", conformance_text(row, "query"),
                        at + 1, results->len);
  if (at < results->len && results->items[at].ok) {
    cwi_db_text(out, results->items[at].value);
  } else if (at < results->len) {
    cw_bytes text = cw_value_as_bytes(results->items[at].error);
    cwi_buf_append(out, text.data, text.size);
  }
  cwi_buf_append_char(out, '\n');
}

static cw_status run_case(cw_value row, db_session *session, const case_run *run, bool *agrees,
                          cwi_buf *detail, cw_error *err) {
  cwi_db_results results;
  cw_bytes query = cw_value_as_bytes(conformance_get(row, "query"));
  cw_value expected = conformance_get(row, "results");
  cw_status status =
      cwi_db_query(session, query.data, query.size, cwi_value_none(), NULL, &results, err);
  if (status != CW_OK) return status;
  *agrees = results.len == cw_value_len(expected);
  if (!*agrees) describe(detail, row, &results, results.len);
  for (size_t i = 0; status == CW_OK && *agrees && i < results.len; i++) {
    status = same_result(cw_value_array_get(expected, i), &results.items[i], run->lax, agrees, err);
    if (!*agrees) describe(detail, row, &results, i);
  }
  cwi_db_results_deinit(&results);
  return status;
}

static cw_status run_row(cw_value row, void *context, cw_error *err) {
  const case_run *run = context;
  const char *area = conformance_text(row, "area");
  const char *id = conformance_text(row, "id");
  if (area == NULL || id == NULL || !conformance_wants(run->c, area, id)) return CW_OK;
  db_engine *engine = NULL;
  db_session *session = NULL;
  bool agrees = false;
  cwi_buf detail;
  cwi_buf_init(&detail, 0);
  cw_status status = cwi_db_engine_open("mem://", &engine, err);
  if (status == CW_OK) status = cwi_db_session_new(engine, &session, err);
  if (status == CW_OK) status = cwi_db_session_use(session, "test", "test", err);
  if (status == CW_OK) status = run_case(row, session, run, &agrees, &detail, err);
  if (status == CW_OK) {
    const char *text = cwi_buf_cstr(&detail);
    conformance_count(run->c, area, id, agrees, text != NULL ? text : "");
  }
  cwi_buf_deinit(&detail);
  cwi_db_session_free(session);
  cwi_db_engine_close(engine);
  return status;
}

static cw_status run_exact(conformance *c, const char *path, cw_error *err) {
  case_run run = {.c = c};
  return conformance_each_line(path, run_row, &run, err);
}

static cw_status run_lax(conformance *c, const char *path, cw_error *err) {
  case_run run = {.c = c, .lax = true};
  return conformance_each_line(path, run_row, &run, err);
}

static const char *const PATHS[] = {"surrealql/vectors.jsonl", NULL};

const conformance_suite conformance_suite_surrealql = {"surrealql", PATHS, run_exact};
const conformance_suite conformance_suite_surrealql_lax = {"surrealql_lax", PATHS, run_lax};
