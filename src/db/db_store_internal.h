/* SPDX-License-Identifier: MIT */
/* What a store implements. db_store.c checks arguments, limits and the interrupt flag, and calls
 * these. */
#ifndef DB_STORE_INTERNAL_H
#define DB_STORE_INTERNAL_H

#include "db/db_store.h"

typedef struct cwi_db_store_ops {
  void (*close)(cwi_db_store *store);
  cw_status (*begin)(cwi_db_store *store, bool write, cwi_db_txn **out, cw_error *err);
  cw_status (*commit)(cwi_db_txn *txn, cw_error *err);
  void (*rollback)(cwi_db_txn *txn);
  cw_status (*get)(cwi_db_txn *txn, cw_bytes key, cw_bytes *value, bool *found, cw_error *err);
  cw_status (*put)(cwi_db_txn *txn, cw_bytes key, cw_bytes value, cw_error *err);
  cw_status (*remove)(cwi_db_txn *txn, cw_bytes key, cw_error *err);
  cw_status (*remove_range)(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, cw_error *err);
  cw_status (*savepoint)(cwi_db_txn *txn, cw_error *err);
  cw_status (*savepoint_rollback)(cwi_db_txn *txn, cw_error *err);
  cw_status (*savepoint_release)(cwi_db_txn *txn, cw_error *err);
  cw_status (*cursor_open)(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, bool backward,
                           cwi_db_cursor **out, cw_error *err);
  cw_status (*cursor_next)(cwi_db_cursor *cursor, cw_bytes *key, cw_bytes *value, bool *found,
                           cw_error *err);
  void (*cursor_close)(cwi_db_cursor *cursor);
  cw_status (*backup)(cwi_db_store *store, const char *path, cw_error *err);
  void (*stats)(cwi_db_store *store, cwi_db_store_stats *stats);
} cwi_db_store_ops;

/* Each begins the store's own structure. */
struct cwi_db_store {
  const cwi_db_store_ops *ops;
};

struct cwi_db_txn {
  cwi_db_store *store;
  const atomic_int *interrupt; /* NULL: none */
  bool write;
  uint32_t savepoints;
  uint32_t cursors; /* open */
};

struct cwi_db_cursor {
  cwi_db_txn *txn;
};

/* memcmp order; a prefix comes first. */
int cwi_db_bytes_compare(const void *a, size_t a_size, const void *b, size_t b_size);

#endif
