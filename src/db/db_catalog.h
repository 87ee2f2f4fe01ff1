/* SPDX-License-Identifier: MIT */
/* Stored definitions. An entry is an object value under (kind, scope, name); the executor gives it
 * a "text" (the canonical DEFINE statement, what INFO shows) and what else it wants to keep.
 * Numbers for databases, tables and indexes are handed out here, never twice. */
#ifndef DB_CATALOG_H
#define DB_CATALOG_H

#include "db/db_store.h"
#include "db/db_value.h"

typedef enum cwi_db_def {
  CWI_DB_DEF_NAMESPACE = 1, /* scope: none */
  CWI_DB_DEF_DATABASE = 2,  /* scope: namespace */
  CWI_DB_DEF_TABLE = 3,     /* scope: database, as all below to ... */
  CWI_DB_DEF_FUNCTION = 4,
  CWI_DB_DEF_PARAM = 5,
  CWI_DB_DEF_ANALYZER = 6,
  CWI_DB_DEF_SEQUENCE = 7,
  CWI_DB_DEF_CONFIG = 8,
  CWI_DB_DEF_API = 9,
  CWI_DB_DEF_BUCKET = 10,
  CWI_DB_DEF_MODEL = 11,
  CWI_DB_DEF_MODULE = 12,
  CWI_DB_DEF_FIELD = 20, /* scope: table, as all to ... */
  CWI_DB_DEF_INDEX = 21,
  CWI_DB_DEF_EVENT = 22,
  CWI_DB_DEF_VIEW = 23,  /* on the source table: the views that it feeds */
  CWI_DB_DEF_USER = 30,  /* scope: none, namespace or database */
  CWI_DB_DEF_ACCESS = 31,
} cwi_db_def;

/* Where a definition lives: unused numbers are 0. */
typedef struct cwi_db_scope {
  uint32_t ns;
  uint32_t db;
  uint32_t table;
} cwi_db_scope;

/* *out is NONE where there is no such entry. */
cw_status cwi_db_catalog_get(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, const char *name,
                             size_t size, cw_value *out, cw_error *err);
/* Sets an entry (an OBJECT, borrowed). An entry without an "id" of a kind that has numbers
 * (namespace, database, table, index, sequence) gets one: read it back with cwi_db_catalog_id. */
cw_status cwi_db_catalog_put(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, const char *name,
                             size_t size, cw_value *entry, cw_error *err);
cw_status cwi_db_catalog_remove(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope,
                                const char *name, size_t size, cw_error *err);
/* An ARRAY of [name, entry] in byte order of names. */
cw_status cwi_db_catalog_list(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, cw_value *out,
                              cw_error *err);
/* Removes all that lies under a table (its records, edges, indexes, fields ...), under a database,
 * a namespace; not its own entry. */
cw_status cwi_db_catalog_drop_table(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err);
cw_status cwi_db_catalog_drop_database(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err);
cw_status cwi_db_catalog_drop_namespace(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err);
uint32_t cwi_db_catalog_id(cw_value entry);
/* Changes with every put or remove that is committed: caches of definitions are valid while it
 * stays. */
cw_status cwi_db_catalog_generation(cwi_db_txn *txn, uint64_t *generation, cw_error *err);

#endif
