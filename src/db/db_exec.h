/* SPDX-License-Identifier: MIT */
/* Inside the executor: what a running query knows, and how its parts call each other.
 *
 * Everything that can fail returns a cw_status with the reason in ctx->err; texts that are longer
 * than a cw_error holds stand in ctx->text as well. DB_FLOW is a status of its own: RETURN, BREAK
 * or CONTINUE is on its way to the block, loop or function that takes it (ctx->flow,
 * ctx->flow_value). */
#ifndef DB_EXEC_H
#define DB_EXEC_H

#include <stdatomic.h>

#include "core/error.h"
#include "db/sql_parse.h"
#include "db/db_catalog.h"
#include "db/db_engine.h"
#include "db/db_fn.h"
#include "db/db_key.h"
#include "db/db_store.h"
#include "db/db_value.h"
#include "db/sql_print.h"

#define DB_FLOW ((cw_status)1)
#define DB_CALL_DEPTH_MAX 110U
#define DB_EVAL_DEPTH_MAX 1500U

typedef enum db_flow { DB_FLOW_NONE, DB_FLOW_RETURN, DB_FLOW_BREAK, DB_FLOW_CONTINUE } db_flow;

/* Variables: an object a scope. */
typedef struct db_vars {
  struct db_vars *up;
  cw_value values; /* OBJECT or NONE */
} db_vars;

/* The document that names are looked up in. */
typedef struct db_doc {
  struct db_doc *up; /* $parent */
  cw_value value;
  cw_value rid; /* RECORD or NONE */
} db_doc;

/* A definition: its text parsed. */
typedef struct db_def {
  sql_program *program;
  const sql_define *define;
  uint32_t id;
  cw_value entry; /* the catalog's OBJECT */
} db_def;

typedef struct db_def_list {
  db_def *items;
  size_t len;
} db_def_list;

/* A table with all that hangs on it; cached until a definition changes. */
typedef struct db_table {
  struct db_table *next;
  cw_value name; /* STRING */
  cwi_db_scope scope;
  db_def def;
  db_def_list fields, indexes, events;
  cw_value views; /* ARRAY of [name, entry] */
  cw_value refs;  /* ARRAY of [field path, entry]: fields of other tables that refer to this one */
} db_table;

struct db_engine {
  cwi_db_store *store;
  db_table *tables;
  db_table *graveyard;
  uint64_t live_next;
};

struct db_session {
  db_engine *engine;
  cw_value ns, db; /* STRING or NONE */
  db_vars vars;    /* LET at top level, and parameters */
  cwi_db_txn *txn; /* open by BEGIN */
  bool txn_failed, txn_ddl;
};

/* Rows of a group, while its aggregates are computed. */
typedef struct db_group {
  const cw_value *docs, *rids;
  size_t len;
} db_group;

typedef struct db_recursion {
  struct db_recursion *up;
  const sql_vec *parts; /* the parts behind the recursion, or in its parentheses */
  uint32_t from;
  int64_t depth, max;
} db_recursion;

typedef struct db_ctx {
  db_engine *engine;
  db_session *session;
  cwi_db_txn *txn;
  cwi_db_scope scope; /* of the database in use; 0: not made yet */
  sql_program *program;
  db_vars *vars;
  db_doc *doc;
  db_group *group;
  db_recursion *recursion;
  cw_error err;
  cwi_buf text;
  db_flow flow;
  cw_value flow_value;
  unsigned calls, depth;
  bool ddl; /* a definition changed in this transaction */
  bool in_event, in_fields;
  const atomic_int *interrupt;
  bool (*stop)(void);
  uint64_t deadline_ns; /* 0: none */
  uint32_t ticks;
  const sql_expr *where; /* of the running SELECT */
  db_table *table;       /* that it reads */
  cw_value knn;          /* distance of the current row, or NONE */
  cwi_db_fn_ctx fn;
} db_ctx;

/* ---- errors ---- */
cw_status cwi_exec_fail(db_ctx *c, cw_status code, const char *format, ...) CWI_PRINTF(3, 4);
/* Fails with `before` + the text of `value` + `after`. */
cw_status cwi_exec_fail_value(db_ctx *c, const char *before, cw_value value, const char *after);
cw_status cwi_exec_nomem(db_ctx *c);
/* Looks at the cancel flag and the deadline, now and then. */
cw_status cwi_exec_tick(db_ctx *c);
cw_bytes cwi_exec_error_text(db_ctx *c);

/* ---- variables ---- */
cw_status cwi_exec_var_set(db_ctx *c, db_vars *vars, const char *name, size_t size, cw_value value);
cw_status cwi_exec_var_get(db_ctx *c, const char *name, size_t size, cw_value *out);

/* ---- evaluation ---- */
cw_status cwi_exec_eval(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_eval_with(db_ctx *c, const sql_expr *node, cw_value value, cw_value rid,
                             cw_value *out);
cw_status cwi_exec_eval_parts(db_ctx *c, cw_value base, const sql_vec *parts, uint32_t from,
                              cw_value *out);
cw_status cwi_exec_eval_group(db_ctx *c, const sql_expr *node, cw_value *out);
bool cwi_exec_has_aggregate(const sql_expr *node);
cw_status cwi_exec_eval_graph(db_ctx *c, cw_value base, const sql_graph *graph, cw_value *out);
cw_status cwi_exec_eval_recurse(db_ctx *c, cw_value base, const sql_vec *parts, uint32_t at,
                                cw_value *out);
cw_status cwi_exec_eval_repeat(db_ctx *c, cw_value base, cw_value *out);
cw_status cwi_exec_binary(db_ctx *c, sql_op op, cw_value a, cw_value b, cw_value *out);
cw_status cwi_exec_range_of(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_record_of(db_ctx *c, const sql_expr *node, cw_value *out);
/* Objects that are GeoJSON become geometries. */
cw_status cwi_exec_geometry_or_object(db_ctx *c, cw_value *object);

bool cwi_exec_geometry_contains(cw_value whole, cw_value part);
bool cwi_exec_geometry_intersects(cw_value a, cw_value b);

/* ---- types ---- */
/* *ok false where it cannot be done; `fail` says why, in the words of the language. */
cw_status cwi_exec_cast(db_ctx *c, cw_value value, const sql_type *type, cw_value *out);
/* Coerces; on failure the message begins with `prefix`. */
cw_status cwi_exec_coerce(db_ctx *c, cw_value value, const sql_type *type, const char *prefix,
                          cw_value *out);
bool cwi_exec_matches(db_ctx *c, cw_value value, const sql_type *type);

/* ---- closures and functions ---- */
cw_status cwi_exec_closure_new(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_closure_call(db_ctx *c, cw_value closure, const cw_value *args, size_t len,
                                cw_value *out);
cw_status cwi_exec_call(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_method(db_ctx *c, cw_value value, const sql_part *part, cw_value *out);
cw_status cwi_exec_fn_run(db_ctx *c, const char *name, const cw_value *args, size_t len,
                          cw_value *out);
void cwi_exec_fn_host_init(db_ctx *c);
cw_status cwi_exec_special(db_ctx *c, const cwi_db_fn *fn, const cw_value *args, size_t len,
                           cw_value *out);

/* ---- statements ---- */
cw_status cwi_exec_statement(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_block(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_select(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_write(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_insert(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_relate(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_define(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_remove(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_alter(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_info(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_rebuild(db_ctx *c, const sql_expr *node, cw_value *out);
cw_status cwi_exec_explain(db_ctx *c, const sql_select *s, bool json, cw_value *out);
/* FETCH on a result. */
cw_status cwi_exec_fetch(db_ctx *c, cw_value *rows, const sql_vec *idioms);

/* ---- projections ---- */
cw_status cwi_exec_project(db_ctx *c, const sql_fields *fields, cw_value doc, cw_value rid,
                           cw_value *out);
/* Sets the value at the path of a projection, or of SET. */
cw_status cwi_exec_path_set(db_ctx *c, cw_value *root, const sql_vec *parts, uint32_t from,
                            cw_value value);
cw_status cwi_exec_path_unset(db_ctx *c, cw_value *root, const sql_vec *parts, uint32_t from);
cw_status db_name_of(db_ctx *c, const sql_expr *node, cw_value *out);

/* ---- tables and records ---- */
/* *out NULL where the table does not exist; with `make` it is made. */
cw_status cwi_exec_table_get(db_ctx *c, cw_value name, bool make, db_table **out);
cw_status cwi_exec_table_need(db_ctx *c, cw_value name,
                              db_table **out); /* fails where it does not exist */
/* The beginning of the keys of a record's edge pointers. They stand under the name of its table,
 * not its number, because a record may be related before its table exists. */
cw_status cwi_exec_edge_prefix(db_ctx *c, cw_value rid, char direction, cwi_buf *out);
void cwi_exec_tables_forget(db_engine *engine);
void cwi_exec_tables_bury(db_engine *engine);
cw_status cwi_exec_scope_get(db_ctx *c,
                             bool make); /* numbers of the namespace and database in use */
cw_status cwi_exec_record_get(db_ctx *c, cw_value rid,
                              cw_value *out); /* NONE: none, also without table */
cw_status cwi_exec_record_read(db_ctx *c, db_table *table, cw_value rid, cw_value *out);
cw_status cwi_exec_computed(db_ctx *c, db_table *table, cw_value rid, cw_value *doc);
cw_status cwi_exec_defs_load(db_ctx *c, cwi_db_def kind, cwi_db_scope scope, db_def_list *out);
cw_status cwi_exec_def_parse(db_ctx *c, cw_value entry, db_def *out);
void cwi_exec_def_deinit(db_def *def);
void cwi_exec_defs_deinit(db_def_list *list);
cwi_db_scope cwi_exec_table_scope(const db_table *table);

/* A walk over the records of a table, or of a range of its keys. */
typedef struct db_scan {
  cwi_db_cursor *cursor;
  db_table *table;
} db_scan;
cw_status cwi_exec_scan_open(db_ctx *c, db_table *table, cw_value range, db_scan *out);
cw_status cwi_exec_scan_next(db_ctx *c, db_scan *scan, cw_value *rid, cw_value *doc, bool *found);
void cwi_exec_scan_close(db_scan *scan);

/* ---- rows of a SELECT ---- */
typedef struct db_rows {
  cw_value *docs, *rids, *extra; /* extra: the distance of a nearest-neighbour search */
  size_t len, cap;
} db_rows;
cw_status cwi_exec_rows_push(db_ctx *c, db_rows *rows, cw_value doc, cw_value rid); /* takes both */
void cwi_exec_rows_deinit(db_rows *rows);
/* How a table is read. */
typedef struct db_plan {
  const db_def *index; /* NULL: scan the table */
  cw_value values;     /* ARRAY: equal to these, the first fields of the index */
  cw_value range;      /* of the next field: RANGE or NONE */
  cw_value branches;   /* IN: one value each, else NONE */
  bool whole;          /* the condition is met by what the index gives */
} db_plan;
cw_status cwi_exec_plan_make(db_ctx *c, const sql_select *s, db_table *table, db_plan *out);
void cwi_exec_plan_deinit(db_plan *plan);
cw_status cwi_exec_plan_rows(db_ctx *c, db_table *table, const db_plan *plan, const sql_expr *where,
                             db_rows *rows);
/* The rows of what a statement names. */
cw_status cwi_exec_targets(db_ctx *c, const sql_select *s, db_rows *rows);
const sql_expr *cwi_exec_find_op(const sql_expr *where, sql_op op);
cw_status cwi_exec_knn_rows(db_ctx *c, const sql_expr *knn, db_rows *rows);

/* ---- writing one record ---- */
typedef enum db_write_kind { DB_CREATE, DB_UPDATE, DB_DELETE } db_write_kind;
typedef struct db_change {
  db_table *table;
  cw_value rid;    /* borrowed */
  cw_value before; /* NONE: new */
  cw_value after;  /* the document to store; owned */
  cw_value input;  /* of CONTENT and MERGE; borrowed */
  db_write_kind kind;
  bool relation; /* made by RELATE or INSERT RELATION */
} db_change;
/* Runs fields, schema, indexes, views, events; stores. change->after is what was stored. */
cw_status cwi_exec_store_record(db_ctx *c, db_change *change);
cw_status cwi_exec_delete_record(db_ctx *c, db_table *table, cw_value rid, cw_value before);
cw_status cwi_exec_process_fields(db_ctx *c, db_change *change);
cw_status cwi_exec_index_update(db_ctx *c, db_table *table, cw_value rid, cw_value before,
                                cw_value after);
cw_status cwi_exec_index_build(db_ctx *c, db_table *table, const db_def *index);
cw_status cwi_exec_apply_data(db_ctx *c, const sql_data *data, cw_value rid, cw_value before,
                              cw_value *doc, cw_value *input);
cw_status cwi_exec_apply_assigns(db_ctx *c, const sql_vec *assigns, cw_value before, cw_value rid,
                                 cw_value *doc);
cw_status cwi_exec_output(db_ctx *c, sql_output_kind kind, const sql_fields *fields, cw_value rid,
                          cw_value before, cw_value after, bool removed, cw_value *out, bool *skip);
cw_status cwi_exec_check_id(db_ctx *c, cw_value doc, cw_value rid, bool *given);
cw_status cwi_exec_id_from_value(db_ctx *c, cw_value table, cw_value id, cw_value *out, bool *ok);
cw_status cwi_exec_only(db_ctx *c, cw_value *rows, bool required);
cw_status cwi_exec_views_update(db_ctx *c, db_table *table, cw_value rid, cw_value before,
                                cw_value after);
cw_status cwi_exec_view_fill(db_ctx *c, const db_def *view, cw_value view_name, cw_value source);

/* ---- search ---- */
cw_status cwi_exec_matches_text(db_ctx *c, const sql_expr *node, cw_value left, cw_value right,
                                cw_value *out);

/* ---- small helpers on values ---- */
CWI_INLINE sql_str db_str(cw_value string) {
  cw_bytes b = cw_value_as_bytes(string);
  return (sql_str){.text = (const char *)b.data, .size = (uint32_t)b.size};
}
cw_status cwi_exec_string(db_ctx *c, const char *text, size_t size, cw_value *out);
bool cwi_exec_str_same(sql_str a, sql_str b);
bool cwi_exec_name_is(sql_str a, const char *text);
cw_status cwi_exec_obj_set(db_ctx *c, cw_value *object, const char *key,
                           cw_value item); /* takes item */
cw_value cwi_exec_obj_get(cw_value object, const char *key);
bool cwi_exec_is_record(cw_value v);

#define DB_NEVER_NULL 1

#endif
