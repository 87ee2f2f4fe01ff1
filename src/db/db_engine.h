/* SPDX-License-Identifier: MIT */
/* The database engine without threads: open a store, make sessions, run SurrealQL text.
 *
 *   db_engine *engine;  cwi_db_engine_open("mem://", NULL, &engine, err);
 *   db_session *s;      cwi_db_session_new(engine, &s, err);
 *   cwi_db_query(s, text, size, vars, options, &results, err);
 *
 * One thread at a time uses an engine and its sessions. */
#ifndef DB_ENGINE_H
#define DB_ENGINE_H

#include <stdatomic.h>

#include "core/buf.h"
#include "core/value.h"

typedef struct db_engine db_engine;
typedef struct db_session db_session;

typedef struct cwi_db_result {
  bool ok;
  cw_value value; /* of a statement that succeeded */
  cw_value error; /* its text, a STRING, where not */
  cw_status code;
  uint64_t nanos; /* how long the statement took */
} cwi_db_result;

typedef struct cwi_db_results {
  cwi_db_result *items;
  size_t len, cap;
  bool whole; /* the text could not be parsed: one result, nothing ran */
} cwi_db_results;

typedef struct cwi_db_query_options {
  const atomic_int *interrupt; /* not zero: stop; may be NULL */
  bool (*stop)(void);          /* asked now and then: stop; may be NULL */
  uint64_t timeout_ns;         /* of each statement; 0: none */
} cwi_db_query_options;

/* `url` is mem:// or file://PATH (surrealkv:// and rocksdb:// mean the same). */
cw_status cwi_db_engine_open(const char *url, db_engine **out, cw_error *err);
void cwi_db_engine_close(db_engine *engine);

cw_status cwi_db_session_new(db_engine *engine, db_session **out, cw_error *err);
void cwi_db_session_free(db_session *session);
/* NULL leaves the one in use. */
cw_status cwi_db_session_use(db_session *session, const char *ns, const char *db, cw_error *err);
/* Sets a parameter; `value` is borrowed. NONE removes it. */
cw_status cwi_db_session_set(db_session *session, const char *name, size_t size, cw_value value,
                             cw_error *err);

/* Runs every statement of `text`. CW_OK also where statements failed: each has its own result.
 * `vars` is an OBJECT of parameters for this call, or NONE. The caller frees the results. */
cw_status cwi_db_query(db_session *session, const char *text, size_t size, cw_value vars,
                       const cwi_db_query_options *options, cwi_db_results *out, cw_error *err);
void cwi_db_results_deinit(cwi_db_results *results);

#endif
