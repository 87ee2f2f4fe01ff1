/* SPDX-License-Identifier: MIT */
/* The public interface: a worker a database, whose commands run the engine on a pool thread.
 *
 * The handle of a database is its worker's. Commands are answered in order; the engine needs a deep
 * stack, which a task does not have, so each command is offloaded and awaited: only one runs at a
 * time, and a cancelled one is asked to stop through cw_offload_is_cancelled(), which the executor
 * looks at. Values cross threads detached. */
#include <string.h>

#include "causeway/db.h"
#include "causeway/offload.h"
#include "causeway/worker.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/value.h"
#include "db/db_engine.h"

typedef enum db_command { COMMAND_QUERY, COMMAND_USE, COMMAND_SET } db_command;

/* Owned by the worker; touched by one pool thread at a time. */
typedef struct db_state {
  char *url;
  size_t url_size;
  db_engine *engine;
  db_session *session;
} db_state;

typedef struct db_job {
  db_state *state;
  int32_t command;
  cw_value argument; /* borrowed */
} db_job;

static cw_status run_open(void *context, cw_value *out, cw_error *err) {
  db_state *state = context;
  *out = cw_value_none();
  cw_status status = cwi_db_engine_open(state->url, &state->engine, err);
  return status == CW_OK ? cwi_db_session_new(state->engine, &state->session, err) : status;
}

static cw_status state_open(void *context, cw_error *err) {
  return cw_await(cw_offload(run_open, context), NULL, err);
}

static void state_close(void *context) {
  db_state *state = context;
  cwi_db_session_free(state->session);
  cwi_db_engine_close(state->engine);
  cwi_free(state->url, state->url_size + 1);
  CWI_FREE(state);
}

static cw_status put(cw_value *object, const char *key, cw_value item, cw_error *err) {
  return cw_value_object_set(object, key, strlen(key), item, err);
}

static cw_status result_object(const cwi_db_result *result, cw_value *out, cw_error *err) {
  cw_value text = cw_value_none();
  const char *word = result->ok ? "OK" : "ERR";
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) status = cw_value_string(word, strlen(word), &text, err);
  if (status == CW_OK) status = put(out, "status", text, err);
  cw_value value = result->ok ? result->value : result->error;
  if (status == CW_OK) status = put(out, "result", cw_value_retain(value), err);
  if (status == CW_OK) {
    cw_value time =
        cw_value_duration(result->nanos / 1000000000U, (uint32_t)(result->nanos % 1000000000U));
    status = put(out, "time", time, err);
  }
  return status;
}

static cw_status do_query(db_state *state, cw_value argument, cw_value *out, cw_error *err) {
  cwi_db_query_options options = {.stop = cw_offload_is_cancelled};
  cwi_db_results results;
  cw_bytes sql = cw_value_as_bytes(cw_value_array_get(argument, 0));
  cw_status status = cwi_db_query(state->session, sql.data, sql.size,
                                  cw_value_array_get(argument, 1), &options, &results, err);
  if (status != CW_OK) return status;
  status = cw_value_array(results.len, out, err);
  for (size_t i = 0; status == CW_OK && i < results.len; i++) {
    cw_value item = cw_value_none();
    status = result_object(&results.items[i], &item, err);
    if (status == CW_OK)
      status = cw_value_array_push(out, item, err);
    else
      cw_value_release(&item);
  }
  cwi_db_results_deinit(&results);
  if (status == CW_OK) status = cwi_value_detach(out, err);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static const char *text_or_null(cw_value value) {
  return value.kind == CW_VALUE_STRING ? cw_value_as_bytes(value).data : NULL;
}

/* The session keeps what it is given: a copy, because the argument belongs to another thread. */
static cw_status do_set(db_state *state, cw_value argument, cw_error *err) {
  cw_bytes name = cw_value_as_bytes(cw_value_array_get(argument, 0));
  cw_value copy = cw_value_none();
  cw_status status = cw_value_clone(cw_value_array_get(argument, 1), &copy, err);
  if (status == CW_OK) status = cwi_db_session_set(state->session, name.data, name.size, copy, err);
  cw_value_release(&copy);
  return status;
}

static cw_status run_job(void *context, cw_value *out, cw_error *err) {
  db_job *job = context;
  *out = cw_value_none();
  switch ((db_command)job->command) {
    case COMMAND_QUERY: return do_query(job->state, job->argument, out, err);
    case COMMAND_USE:
      return cwi_db_session_use(job->state->session,
                                text_or_null(cw_value_array_get(job->argument, 0)),
                                text_or_null(cw_value_array_get(job->argument, 1)), err);
    case COMMAND_SET: return do_set(job->state, job->argument, err);
  }
  return CWI_RAISE(err, CW_E_INVALID, 0, "unknown command %d", (int)job->command);
}

static cw_status handle(void *context, int32_t command, cw_value argument, cw_value *reply,
                        cw_error *err) {
  db_job job = {.state = context, .command = command, .argument = argument};
  return cw_await(cw_offload(run_job, &job), reply, err);
}

cw_future *cw_db_open(const char *url, cw_db **out) {
  cw_worker_options options = CW_WORKER_OPTIONS_INIT;
  cw_error err = {0};
  if (out != NULL) *out = NULL;
  if (url == NULL || out == NULL)
    return cw_failed(CW_E_INVALID, "cw_db_open needs a URL and a place for the handle");
  db_state *state = CWI_NEW(db_state);
  if (state == NULL) return cw_failed(CW_E_NOMEM, "out of memory for a database");
  state->url_size = strlen(url);
  state->url = cwi_strndup(url, state->url_size);
  if (state->url == NULL) {
    CWI_FREE(state);
    return cw_failed(CW_E_NOMEM, "out of memory for a database");
  }
  options.init = state_open;
  options.handle = handle;
  options.deinit = state_close;
  options.context = state;
  options.name = "causeway-db";
  cw_worker *worker = cw_worker_new(&options, &err);
  if (worker == NULL) {
    state_close(state);
    return cw_failed(err.code, err.message);
  }
  *out = (cw_db *)(void *)worker;
  return cw_worker_start(worker);
}

/* Sends [first, second]; both are taken. */
static cw_future *send_pair(cw_db *db, int32_t command, cw_value first, cw_value second) {
  cw_value argument = cw_value_none();
  cw_error err = {0};
  cw_status status = cw_value_array(2, &argument, &err);
  if (status == CW_OK) {
    status = cw_value_array_push(&argument, first, &err);
    first = cw_value_none();
  }
  if (status == CW_OK) {
    status = cw_value_array_push(&argument, second, &err);
    second = cw_value_none();
  }
  if (status == CW_OK) return cw_worker_send((cw_worker *)(void *)db, command, argument);
  cw_value_release(&first);
  cw_value_release(&second);
  cw_value_release(&argument);
  return cw_failed(err.code, err.message);
}

static cw_status text_value(const char *text, cw_value *out, cw_error *err) {
  *out = cw_value_none();
  return text == NULL ? CW_OK : cw_value_string(text, strlen(text), out, err);
}

cw_future *cw_db_use(cw_db *db, const char *ns, const char *database) {
  cw_value a, b;
  cw_error err = {0};
  cw_status status = text_value(ns, &a, &err);
  if (status == CW_OK) status = text_value(database, &b, &err);
  if (status == CW_OK) return send_pair(db, COMMAND_USE, a, b);
  cw_value_release(&a);
  return cw_failed(err.code, err.message);
}

cw_future *cw_db_query(cw_db *db, const char *sql, size_t size, cw_value variables) {
  cw_value text = cw_value_none();
  cw_error err = {0};
  cw_status status = sql == NULL && size > 0
                         ? CWI_RAISE(&err, CW_E_INVALID, 0, "the query is NULL")
                         : cw_value_string(size > 0 ? sql : "", size, &text, &err);
  if (status == CW_OK) return send_pair(db, COMMAND_QUERY, text, variables);
  cw_value_release(&variables);
  return cw_failed(err.code, err.message);
}

cw_future *cw_db_set(cw_db *db, const char *name, cw_value value) {
  cw_value text = cw_value_none();
  cw_error err = {0};
  cw_status status = name == NULL || *name == 0
                         ? CWI_RAISE(&err, CW_E_INVALID, 0, "a parameter needs a name")
                         : text_value(name, &text, &err);
  if (status == CW_OK) return send_pair(db, COMMAND_SET, text, value);
  cw_value_release(&value);
  return cw_failed(err.code, err.message);
}

cw_future *cw_db_close(cw_db *db) { return cw_worker_close((cw_worker *)(void *)db, true); }
