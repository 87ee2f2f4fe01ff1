/* SPDX-License-Identifier: MIT */
/* The function library: one table row a function; INFO, completion and documentation come from it.
 *
 * A row's `args` types its parameters, one letter each, optional ones behind a '?', a last '*'
 * means "any number of the letter before it":
 *   v any   s string   i int   n number   f number, given as float   d decimal   b bool   a array
 *   o object   S set   t datetime   u duration   U uuid   y bytes   g geometry   r record   R range
 *   c closure   N array<number>   T array<datetime>   A array<array>   x regex or string
 * cwi_db_fn_invoke checks count and types, coerces (1.0 for an int), and gives the error texts of
 * the language. */
#ifndef DB_FN_H
#define DB_FN_H

#include "db/db_value.h"

typedef enum cwi_db_session_part {
  CWI_DB_SESSION_NS, CWI_DB_SESSION_DB, CWI_DB_SESSION_AC, CWI_DB_SESSION_ID, CWI_DB_SESSION_IP,
  CWI_DB_SESSION_ORIGIN, CWI_DB_SESSION_RD, CWI_DB_SESSION_TOKEN,
} cwi_db_session_part;

typedef struct cwi_db_fn cwi_db_fn;

/* What functions may ask of the executor. Any member may be NULL: functions that need it fail with
 * CW_E_QUERY. */
typedef struct cwi_db_fn_host {
  /* Calls a closure value. Arguments are borrowed. */
  cw_status (*call)(void *context, cw_value closure, const cw_value *args, size_t len,
                    cw_value *out, cw_error *err);
  /* The stored record, NONE where there is none. Fails where the table does not exist. */
  cw_status (*record_get)(void *context, cw_value record, cw_value *out, cw_error *err);
  cw_status (*record_is_edge)(void *context, cw_value record, bool *is, cw_error *err);
  cw_status (*table_exists)(void *context, const char *name, size_t size, bool *exists,
                            cw_error *err);
  /* Reads "t:1": *ok false where it is none. */
  cw_status (*parse_record)(void *context, const char *text, size_t size, cw_value *out, bool *ok,
                            cw_error *err);
  cw_status (*session)(void *context, cwi_db_session_part part, cw_value *out, cw_error *err);
  /* Functions that are about the running statement: search::score, search::highlight,
   * search::offsets, search::analyze, vector::distance::knn, sequence::nextval, sleep, api::*,
   * file::*. */
  cw_status (*special)(void *context, const cwi_db_fn *fn, const cw_value *args, size_t len,
                       cw_value *out, cw_error *err);
} cwi_db_fn_host;

typedef struct cwi_db_fn_ctx {
  const cwi_db_fn_host *host;
  void *context;
  const cwi_db_fn *fn; /* the row that runs; set by cwi_db_fn_invoke */
  size_t depth;        /* nesting of calls into closures */
} cwi_db_fn_ctx;

typedef cw_status cwi_db_fn_call(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len,
                                 cw_value *out, cw_error *err);

enum {
  CWI_DB_FN_PURE = 1,      /* equal arguments, equal result: may be folded at parse time */
  CWI_DB_FN_RANDOM = 2,    /* another result each time */
  CWI_DB_FN_TIME = 4,      /* looks at the clock */
  CWI_DB_FN_READS = 8,     /* looks at records or at the session */
  CWI_DB_FN_CALLS = 16,    /* calls a closure */
  CWI_DB_FN_SPECIAL = 32,  /* goes to host->special */
  CWI_DB_FN_AGGREGATE = 64, /* over the group in GROUP BY: count, math::sum, math::mean ... */
  /* the parser knows the name, a call fails with "Unknown function" */
  CWI_DB_FN_UNREGISTERED = 128,
};

struct cwi_db_fn {
  const char *name; /* "array::len" */
  const char *args; /* see above */
  cwi_db_fn_call *call; /* NULL where SPECIAL */
  uint32_t flags;
  const char *doc; /* one line */
};

/* The row of a function, NULL where there is none. */
const cwi_db_fn *cwi_db_fn_find(const char *name, size_t size);
/* All rows, module by module; NULL past the end. */
const cwi_db_fn *cwi_db_fn_at(size_t index);
/* The known name that is nearest to `name`; NULL where none is near. For "did you maybe mean". */
const char *cwi_db_fn_nearest(const char *name, size_t size);
void cwi_db_fn_arity(const cwi_db_fn *fn, size_t *min, size_t *max); /* max SIZE_MAX: no end */
/* The function that the method `name` of `value` is; NULL where there is none. The receiver is the
 * first argument. */
const cwi_db_fn *cwi_db_fn_method(cw_value value, const char *name, size_t size);
/* The value of a constant such as "math::pi" (letters of any case); false where there is none. */
bool cwi_db_fn_constant(const char *name, size_t size, cw_value *out);
const char *cwi_db_fn_constant_at(size_t index);

/* Checks, coerces and calls. Arguments are borrowed. */
cw_status cwi_db_fn_invoke(cwi_db_fn_ctx *ctx, const cwi_db_fn *fn, const cw_value *args,
                           size_t len, cw_value *out, cw_error *err);

/* "Incorrect arguments for function NAME(). " + text. */
cw_status cwi_db_fn_fail(const cwi_db_fn_ctx *ctx, cw_error *err, const char *format, ...)
    CWI_PRINTF(3, 4);

#endif
