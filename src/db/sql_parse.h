/* SPDX-License-Identifier: MIT */
/* Parsing SurrealQL text into a program. */
#ifndef DB_SQL_PARSE_H
#define DB_SQL_PARSE_H

#include "core/buf.h"
#include "db/sql_ast.h"

typedef struct sql_parse_options {
  /* Finds a function or constant by its path, in any case of letters: 0 unknown, 1 function,
   * 2 constant. NULL: every path is taken. */
  int (*find)(const char *path, size_t size);
  /* The known path nearest to `path`, for messages; NULL where none is near. */
  const char *(*suggest)(const char *path, size_t size);
} sql_parse_options;

/* Parses `size` bytes of `text`. On a syntax error gives CW_E_PARSE with the whole text, framed
 * excerpt included, in `message` and its position in `err`. */
cw_status cwi_sql_parse(const char *text, size_t size, const sql_parse_options *options,
                        sql_program **out, cwi_buf *message, cw_error *err);

/* Parses one expression, value or record id, and nothing behind it. */
cw_status cwi_sql_parse_expression(const char *text, size_t size, const sql_parse_options *options,
                                   sql_program **out, cwi_buf *message, cw_error *err);
/* Parses a record id only: `tb:key`. */
cw_status cwi_sql_parse_record(const char *text, size_t size, sql_program **out);
/* Reads a duration (1h30m), a datetime or a UUID; false where the text is none. */
bool cwi_sql_duration_of(const char *text, size_t size, uint64_t *seconds, uint32_t *nanos);
bool cwi_sql_uuid_of(const char *text, size_t size, uint8_t out[16]);
bool cwi_sql_datetime_from_text(const char *text, size_t size, int64_t *seconds, uint32_t *nanos);
/* Days since 1970-01-01 of a date in the Gregorian calendar, and back. */
int64_t cwi_sql_days_from_civil(int64_t year, unsigned month, unsigned day);
void cwi_sql_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
