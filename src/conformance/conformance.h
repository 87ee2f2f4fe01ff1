/* SPDX-License-Identifier: MIT */
/* The conformance program: `causeway-conformance SUITE [options] [path...]` runs recorded vectors
 * and counts by area what agrees. Each suite is one file, listed in conformance.c.
 *
 * Options: --failures N shows the first N rows that differ, --area NAME and --id TEXT run some rows
 * only. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "core/buf.h"
#include "core/value.h"

#define CONFORMANCE_AREAS_MAX 128

typedef struct conformance_area {
  char name[48];
  size_t passed, total;
} conformance_area;

typedef struct conformance {
  const char *only_area; /* NULL: all */
  const char *only_id;   /* a part of the id; NULL: all */
  size_t failures_max;   /* how many to show */
  size_t failures;
  conformance_area areas[CONFORMANCE_AREAS_MAX];
  size_t area_len;
} conformance;

typedef struct conformance_suite {
  const char *name;
  const char *const
      *paths; /* below the folder of vectors, NULL-terminated; used where none is given */
  /* Runs the rows of one file. */
  cw_status (*run)(conformance *c, const char *path, cw_error *err);
} conformance_suite;

extern const conformance_suite conformance_suite_rhai;
extern const conformance_suite conformance_suite_llm;
extern const conformance_suite conformance_suite_surrealql;
extern const conformance_suite conformance_suite_surrealql_lax;
extern const conformance_suite conformance_suite_llm_text;

/* Counts a row. `detail` says what differs; it is shown where failures are. */
void conformance_count(conformance *c, const char *area, const char *id, bool passed,
                       const char *detail);
/* True where the options ask for this row. */
bool conformance_wants(const conformance *c, const char *area, const char *id);

/* Calls `row` for each line of a file of JSON objects, one a line. */
cw_status conformance_each_line(const char *path,
                                cw_status (*row)(cw_value row, void *context, cw_error *err),
                                void *context, cw_error *err);

/* Reads JSON text. Numbers without a point or an exponent are ints where they fit, else floats. */
cw_status conformance_read_json(const char *text, size_t size, cw_value *out, cw_error *err);

/* The text at `key` of an object, or NULL. */
const char *conformance_text(cw_value object, const char *key);
/* The value at `key`, borrowed; NONE where there is none. */
cw_value conformance_get(cw_value object, const char *key);

#endif
