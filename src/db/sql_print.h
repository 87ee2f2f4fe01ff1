/* SPDX-License-Identifier: MIT */
/* The tree back to SurrealQL text, in the one form that INFO, EXPLAIN and messages show. */
#ifndef DB_SQL_PRINT_H
#define DB_SQL_PRINT_H

#include "core/buf.h"
#include "db/sql_ast.h"

void sql_print_expr(cwi_buf *out, const sql_expr *node);
void sql_print_type(cwi_buf *out, const sql_type *type);
/* As messages about sizes show it: array<int,2>. */
void sql_print_type_tight(cwi_buf *out, const sql_type *type);
void sql_print_parts(cwi_buf *out, const sql_vec *parts, bool first);
void sql_print_define(cwi_buf *out, const sql_define *define);
void sql_print_fields(cwi_buf *out, const sql_fields *fields);
void sql_print_select(cwi_buf *out, const sql_select *s);
void sql_print_statement(cwi_buf *out, const sql_expr *node);
const char *sql_op_text(sql_op op);
bool sql_str_equal(sql_str s, const char *other);
void sql_print_perms(cwi_buf *out, const sql_perms *perms, bool table);

#endif
