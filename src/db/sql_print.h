/* SPDX-License-Identifier: MIT */
/* The tree back to SurrealQL text, in the one form that INFO, EXPLAIN and messages show. */
#ifndef DB_SQL_PRINT_H
#define DB_SQL_PRINT_H

#include "core/buf.h"
#include "db/sql_ast.h"

void cwi_sql_print_expr(cwi_buf *out, const sql_expr *node);
void cwi_sql_print_type(cwi_buf *out, const sql_type *type);
/* As messages about sizes show it: array<int,2>. */
void cwi_sql_print_type_tight(cwi_buf *out, const sql_type *type);
void cwi_sql_print_parts(cwi_buf *out, const sql_vec *parts, bool first);
void cwi_sql_print_define(cwi_buf *out, const sql_define *define);
void cwi_sql_print_fields(cwi_buf *out, const sql_fields *fields);
void cwi_sql_print_select(cwi_buf *out, const sql_select *s);
void cwi_sql_print_statement(cwi_buf *out, const sql_expr *node);
const char *cwi_sql_op_text(sql_op op);
bool cwi_sql_str_equal(sql_str s, const char *other);
void cwi_sql_print_perms(cwi_buf *out, const sql_perms *perms, bool table);

#endif
