/* SPDX-License-Identifier: MIT */
/* Running a text: statement after statement, each in a transaction of its own or in that of BEGIN.
 *
 * The rules of failure: a statement that fails alone is rolled back and the next one runs. Inside
 * BEGIN .. COMMIT a failure ends the transaction: what came before reports that it was not executed
 * due to a failed transaction, what comes behind that it was cancelled, and COMMIT gives no
 * result. */
#include "db/db_engine.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/alloc.h"
#include "core/size.h"
#include "db/db_exec.h"

#define FAILED_TEXT "The query was not executed due to a failed transaction"
#define CANCELLED_TEXT "The query was not executed due to a cancelled transaction"

/* ---- opening ---- */

cw_status cwi_db_engine_open(const char *url, db_engine **out, cw_error *err) {
  *out = NULL;
  db_engine *engine = CWI_NEW(db_engine);
  if (engine == NULL) return CWI_RAISE_NOMEM(err, "a database");
  static const char *const files[] = {"file://", "surrealkv://", "rocksdb://"};
  cw_status status = CW_E_INVALID;
  if (strcmp(url, "mem://") == 0 || strcmp(url, "memory") == 0) {
    status = cwi_db_store_open_memory(&engine->store, err);
  } else {
    const char *path = NULL;
    for (size_t i = 0; i < CWI_ARRAY_LEN(files); i++) {
      if (strncmp(url, files[i], strlen(files[i])) == 0) path = url + strlen(files[i]);
    }
    status = path == NULL || *path == 0
                 ? CWI_RAISE(err, CW_E_INVALID, 0,
                             "'%.200s' is no database URL: use mem:// or file://PATH", url)
                 : cwi_db_store_open_sqlite(path, NULL, &engine->store, err);
  }
  if (status != CW_OK) {
    CWI_FREE(engine);
    return status;
  }
  *out = engine;
  return CW_OK;
}

void cwi_db_engine_close(db_engine *engine) {
  if (engine == NULL) return;
  cwi_exec_tables_forget(engine);
  cwi_exec_tables_bury(engine);
  cwi_db_store_close(engine->store);
  CWI_FREE(engine);
}

cw_status cwi_db_session_new(db_engine *engine, db_session **out, cw_error *err) {
  *out = CWI_NEW(db_session);
  if (*out == NULL) return CWI_RAISE_NOMEM(err, "a session");
  (*out)->engine = engine;
  return CW_OK;
}

void cwi_db_session_free(db_session *session) {
  if (session == NULL) return;
  cwi_db_txn_rollback(session->txn);
  cw_value_release(&session->ns);
  cw_value_release(&session->db);
  cw_value_release(&session->vars.values);
  CWI_FREE(session);
}

/* Runs `run` in a write transaction of its own. */
static void ctx_init(db_ctx *c, db_session *session) {
  *c = (db_ctx){.engine = session->engine, .session = session};
  cwi_buf_init(&c->text, 1 << 20);
  cwi_exec_fn_host_init(c);
}

static void ctx_deinit(db_ctx *c) {
  cwi_buf_deinit(&c->text);
  cw_value_release(&c->flow_value);
  cwi_exec_tables_bury(c->engine);
}

cw_status cwi_db_session_use(db_session *session, const char *ns, const char *db, cw_error *err) {
  cw_value name = cwi_value_none();
  cw_status status = CW_OK;
  if (ns != NULL) {
    status = cw_value_string(ns, strlen(ns), &name, err);
    if (status != CW_OK) return status;
    cw_value_release(&session->ns);
    session->ns = name;
  }
  if (db != NULL) {
    status = cw_value_string(db, strlen(db), &name, err);
    if (status != CW_OK) return status;
    cw_value_release(&session->db);
    session->db = name;
  }
  if (db == NULL || session->ns.kind == CW_VALUE_NONE || session->txn != NULL) return CW_OK;
  db_ctx c;
  ctx_init(&c, session);
  status = cwi_db_txn_begin(session->engine->store, true, &c.txn, &c.err);
  if (status == CW_OK) {
    status = cwi_exec_scope_get(&c, true);
    if (status == CW_OK)
      status = cwi_db_txn_commit(c.txn, &c.err);
    else
      cwi_db_txn_rollback(c.txn);
  }
  if (status != CW_OK && err != NULL) *err = c.err;
  ctx_deinit(&c);
  return status;
}

cw_status cwi_db_session_set(db_session *session, const char *name, size_t size, cw_value value,
                             cw_error *err) {
  cw_status status = CW_OK;
  if (session->vars.values.kind != CW_VALUE_OBJECT)
    status = cw_value_object(&session->vars.values, err);
  if (status != CW_OK) return status;
  if (value.kind == CW_VALUE_NONE)
    return cw_value_object_remove(&session->vars.values, name, size, err);
  return cw_value_object_set(&session->vars.values, name, size, cwi_value_retain(value), err);
}

/* ---- results ---- */

void cwi_db_results_deinit(cwi_db_results *results) {
  for (size_t i = 0; i < results->len; i++) {
    cw_value_release(&results->items[i].value);
    cw_value_release(&results->items[i].error);
  }
  cwi_free(results->items, results->cap * sizeof(cwi_db_result));
  *results = (cwi_db_results){0};
}

static cw_status result_add(cwi_db_results *results, cw_error *err) {
  if (results->len == results->cap) {
    size_t cap = cwi_size_grow(results->cap, results->len + 1);
    cwi_db_result *items = cwi_realloc(results->items, results->cap * sizeof(cwi_db_result),
                                       cap * sizeof(cwi_db_result));
    if (items == NULL) return CWI_RAISE_NOMEM(err, "results");
    results->items = items;
    results->cap = cap;
  }
  results->items[results->len++] = (cwi_db_result){.ok = true};
  return CW_OK;
}

static cw_status result_fail(cwi_db_result *result, cw_status code, const char *text, size_t size,
                             cw_error *err) {
  result->ok = false;
  result->code = code;
  cw_value_release(&result->value);
  cw_value_release(&result->error);
  return cwi_value_string_trusted(text, size, &result->error, err);
}

/* ---- the run ---- */

typedef struct runner {
  db_ctx c;
  cwi_db_results *out;
  cw_error *err;
  const cwi_db_query_options *options;
  size_t begin;  /* the result of BEGIN */
  bool failed;   /* a statement of the open transaction failed */
  bool twice;    /* it was a second BEGIN */
  bool returned; /* RETURN: skip to COMMIT */
} runner;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool only_reads(const sql_expr *node) {
  return node->kind == SQL_SELECT || node->kind == SQL_INFO;
}

static cw_status fail_range(runner *r, size_t from, size_t to, const char *text) {
  cw_status status = CW_OK;
  for (size_t i = from; status == CW_OK && i < to; i++) {
    if (!r->out->items[i].ok && r->out->items[i].code == CW_E_INTERNAL) continue;
    status = result_fail(&r->out->items[i], CW_E_STATE, text, strlen(text), r->err);
  }
  return status;
}

/* Ends the open transaction; false keeps nothing of it. */
static cw_status end_txn(runner *r, bool keep) {
  db_session *session = r->c.session;
  cwi_db_txn *txn = session->txn;
  session->txn = NULL;
  cw_status status = CW_OK;
  if (keep)
    status = cwi_db_txn_commit(txn, &r->c.err);
  else
    cwi_db_txn_rollback(txn);
  if (!keep && session->txn_ddl) cwi_exec_tables_forget(r->c.engine);
  if (!keep) r->c.scope = (cwi_db_scope){0};
  session->txn_ddl = false;
  r->failed = r->twice = r->returned = false;
  return status;
}

static cw_status statement_value(runner *r, const sql_expr *node, cw_value *out) {
  db_ctx *c = &r->c;
  cw_status status = cwi_exec_eval(c, node, out);
  if (status != DB_FLOW) return status;
  if (c->flow == DB_FLOW_RETURN) {
    c->flow = DB_FLOW_NONE;
    *out = c->flow_value;
    c->flow_value = cwi_value_none();
    r->returned = c->session->txn != NULL;
    return CW_OK;
  }
  c->flow = DB_FLOW_NONE;
  return cwi_exec_fail(
      c, CW_E_QUERY,
      "Invalid control flow statement, break or continue statement found outside of loop.");
}

static cw_status run_alone(runner *r, const sql_expr *node, cw_value *out) {
  db_ctx *c = &r->c;
  cw_status status = cwi_db_txn_begin(c->engine->store, !only_reads(node), &c->txn, &c->err);
  if (status != CW_OK) return status;
  if (c->interrupt != NULL) cwi_db_txn_interrupt_flag(c->txn, c->interrupt);
  c->ddl = false;
  c->scope = (cwi_db_scope){0};
  status = statement_value(r, node, out);
  if (status == CW_OK) {
    status = cwi_db_txn_commit(c->txn, &c->err);
    if (status != CW_OK) cw_value_release(out);
  } else {
    cwi_db_txn_rollback(c->txn);
  }
  c->txn = NULL;
  if (c->ddl && status != CW_OK) cwi_exec_tables_forget(c->engine);
  return status;
}

static cw_status run_in_txn(runner *r, const sql_expr *node, cw_value *out) {
  db_ctx *c = &r->c;
  c->txn = c->session->txn;
  c->ddl = false;
  cw_status status = statement_value(r, node, out);
  c->session->txn_ddl = c->session->txn_ddl || c->ddl;
  c->txn = NULL;
  return status;
}

static bool fatal(cw_status status) { return status == CW_E_NOMEM || status == CW_E_CANCELLED; }

static cw_status run_statement(runner *r, const sql_expr *node) {
  db_ctx *c = &r->c;
  db_session *session = c->session;
  cw_status status = result_add(r->out, r->err);
  if (status != CW_OK) return status;
  size_t at = r->out->len - 1;
  if (r->failed) {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cwi_buf_append_str(&text, r->twice ? FAILED_TEXT ": " : CANCELLED_TEXT);
    if (r->twice) cwi_sql_print_expr(&text, node);
    status = result_fail(&r->out->items[at], CW_E_STATE, text.data, text.size, r->err);
    cwi_buf_deinit(&text);
    return status;
  }
  uint64_t start = now_ns();
  cw_value value = cwi_value_none();
  cwi_buf_clear(&c->text);
  cwi_error_clear(&c->err);
  c->deadline_ns =
      r->options != NULL && r->options->timeout_ns > 0 ? start + r->options->timeout_ns : 0;
  status = session->txn != NULL ? run_in_txn(r, node, &value) : run_alone(r, node, &value);
  cwi_db_result *result = &r->out->items[at];
  result->nanos = now_ns() - start;
  if (status == CW_OK) {
    result->value = value;
    return CW_OK;
  }
  cw_value_release(&value);
  cw_bytes text = cwi_exec_error_text(c);
  cw_status stored = result_fail(result, status, text.data, text.size, r->err);
  if (session->txn != NULL) {
    r->failed = true;
    cw_status marked = fail_range(r, r->begin + 1, at, FAILED_TEXT);
    if (stored == CW_OK) stored = marked;
  }
  if (fatal(status) && r->err != NULL) *r->err = c->err;
  return fatal(status) ? status : stored;
}

static cw_status run_begin(runner *r) {
  cw_status status = result_add(r->out, r->err);
  if (status != CW_OK) return status;
  cwi_db_result *result = &r->out->items[r->out->len - 1];
  db_ctx *c = &r->c;
  if (c->session->txn != NULL) {
    static const char text[] = "Tried to start a transaction while another transaction was open";
    r->failed = r->twice = true;
    return result_fail(result, CW_E_STATE, text, sizeof(text) - 1, r->err);
  }
  status = cwi_db_txn_begin(c->engine->store, true, &c->session->txn, &c->err);
  if (status != CW_OK)
    return result_fail(result, status, c->err.message, strlen(c->err.message), r->err);
  if (c->interrupt != NULL) cwi_db_txn_interrupt_flag(c->session->txn, c->interrupt);
  c->scope = (cwi_db_scope){0};
  r->begin = r->out->len - 1;
  return CW_OK;
}

static cw_status run_end(runner *r, bool keep) {
  db_ctx *c = &r->c;
  if (c->session->txn != NULL && r->failed && keep) return end_txn(r, false);
  cw_status status = result_add(r->out, r->err);
  if (status != CW_OK) return status;
  size_t at = r->out->len - 1;
  cwi_db_result *result = &r->out->items[at];
  if (c->session->txn == NULL) {
    const char *text = keep ? "Invalid statement: Cannot COMMIT without starting a transaction"
                            : "Invalid statement: Cannot CANCEL without starting a transaction";
    return result_fail(result, CW_E_STATE, text, strlen(text), r->err);
  }
  if (!keep) {
    status = fail_range(r, r->begin + 1, at, CANCELLED_TEXT);
    cw_status ended = end_txn(r, false);
    return status == CW_OK ? ended : status;
  }
  status = end_txn(r, true);
  if (status != CW_OK && !fatal(status)) {
    cw_status marked = fail_range(r, r->begin + 1, at, FAILED_TEXT);
    status = result_fail(result, status, c->err.message, strlen(c->err.message), r->err);
    if (status == CW_OK) status = marked;
  }
  return status;
}

static cw_status run_program(runner *r, sql_program *program) {
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < program->statements.len; i++) {
    const sql_expr *node = program->statements.items[i];
    if (node->kind == SQL_BEGIN)
      status = run_begin(r);
    else if (node->kind == SQL_COMMIT || node->kind == SQL_CANCEL)
      status = run_end(r, node->kind == SQL_COMMIT);
    else if (!r->returned)
      status = run_statement(r, node);
    cwi_exec_tables_bury(r->c.engine);
  }
  if (r->c.session->txn != NULL) {
    static const char missing[] = "Missing COMMIT statement";
    cw_status marked = fail_range(r, r->begin, r->out->len, missing);
    cw_status ended = end_txn(r, false);
    if (status == CW_OK) status = marked != CW_OK ? marked : ended;
  }
  return status;
}

static int find_path(const char *path, size_t size) {
  cw_value constant = cwi_value_none();
  if (cwi_db_fn_constant(path, size, &constant)) {
    cw_value_release(&constant);
    return 2;
  }
  return cwi_db_fn_find(path, size) != NULL ? 1 : 0;
}

static const sql_parse_options parse_options = {.find = find_path, .suggest = cwi_db_fn_nearest};

cw_status cwi_db_query(db_session *session, const char *text, size_t size, cw_value vars,
                       const cwi_db_query_options *options, cwi_db_results *out, cw_error *err) {
  sql_program *program = NULL;
  cwi_buf message;
  *out = (cwi_db_results){0};
  cwi_buf_init(&message, 0);
  cw_status status = cwi_sql_parse(text, size, &parse_options, &program, &message, err);
  if (status == CW_E_PARSE) {
    status = result_add(out, err);
    out->whole = true;
    if (status == CW_OK)
      status = result_fail(&out->items[0], CW_E_PARSE, message.data, message.size, err);
  }
  cwi_buf_deinit(&message);
  if (status == CW_OK && vars.kind == CW_VALUE_OBJECT) {
    cw_value key, item;
    for (cwi_object_iter it = cwi_object_iter_start(vars);
         status == CW_OK && cwi_object_iter_next(&it, &key, &item);) {
      sql_str name = db_str(key);
      status = cwi_db_session_set(session, name.text, name.size, item, err);
    }
  }
  if (status == CW_OK && program != NULL) {
    runner r = {.out = out, .err = err, .options = options};
    ctx_init(&r.c, session);
    r.c.program = program;
    r.c.interrupt = options != NULL ? options->interrupt : NULL;
    r.c.stop = options != NULL ? options->stop : NULL;
    status = run_program(&r, program);
    ctx_deinit(&r.c);
  }
  cwi_sql_program_release(program);
  if (status != CW_OK) cwi_db_results_deinit(out);
  return status;
}
