/* SPDX-License-Identifier: MIT */
/* An ordered map from byte strings to byte strings with transactions: the floor everything stands
 * on.
 * Two stores: memory (db_store_memory.c) and one SQLite file (db_store_sqlite.c).
 *
 * A store may be used by many threads; a transaction and its cursors by one thread at a time. There
 * is one write transaction at a time; readers see the snapshot of their begin and never wait for
 * it. */
#ifndef DB_STORE_H
#define DB_STORE_H

#include <stdatomic.h>

#include "causeway/base.h"
#include "causeway/error.h"

typedef struct cwi_db_store cwi_db_store;
typedef struct cwi_db_txn cwi_db_txn;
typedef struct cwi_db_cursor cwi_db_cursor;

typedef enum cwi_db_sync {
  CWI_DB_SYNC_FULL = 0,   /* a commit survives loss of power */
  /* a commit survives the process, the newest may not survive loss of power */
  CWI_DB_SYNC_NORMAL = 1,
} cwi_db_sync;

typedef struct cwi_db_store_options {
  bool read_only;       /* never writes; may share the file with a writing process */
  cwi_db_sync sync;
  const char *vfs;       /* of SQLite; NULL: the default. Tests make I/O fail with it. */
} cwi_db_store_options;

#define CWI_DB_KEY_BYTES_MAX 65536U
#define CWI_DB_VALUE_BYTES_MAX (64U << 20)

/* Opens a fresh store in memory. */
cw_status cwi_db_store_open_memory(cwi_db_store **out, cw_error *err);
/* Opens or creates a file. CW_E_BUSY: another process has it open for writing; CW_E_CORRUPT;
 * CW_E_VERSION: made by a newer format; CW_E_NOT_FOUND with read_only; CW_E_IO. `options` may be
 * NULL. */
cw_status cwi_db_store_open_sqlite(const char *path, const cwi_db_store_options *options,
                                   cwi_db_store **out, cw_error *err);
/* Checkpoints and closes; all transactions must be gone (asserted). NULL is allowed. */
void cwi_db_store_close(cwi_db_store *store);

/* Starts a transaction. CW_E_BUSY where there is a write transaction already and `write` is set. */
cw_status cwi_db_txn_begin(cwi_db_store *store, bool write, cwi_db_txn **out, cw_error *err);
/* Makes the changes durable and visible, and frees `txn`, whatever the result: on failure nothing
 * of it has happened. All cursors must be closed. */
cw_status cwi_db_txn_commit(cwi_db_txn *txn, cw_error *err);
/* Forgets the changes and frees `txn`. NULL is allowed. */
void cwi_db_txn_rollback(cwi_db_txn *txn);
bool cwi_db_txn_is_write(const cwi_db_txn *txn);
cwi_db_store *cwi_db_txn_store(const cwi_db_txn *txn);

/* Every operation and cursor step looks at `flag` from now on and fails with CW_E_CANCELLED where
 * it is not zero. NULL: none. The flag outlives the transaction or is unset first. */
void cwi_db_txn_interrupt_flag(cwi_db_txn *txn, const atomic_int *flag);

/* Reads. *found false and an empty value where there is none. The bytes are borrowed: valid until
 * the next call with this transaction or one of its cursors. */
cw_status cwi_db_txn_get(cwi_db_txn *txn, cw_bytes key, cw_bytes *value, bool *found,
                         cw_error *err);
cw_status cwi_db_txn_has(cwi_db_txn *txn, cw_bytes key, bool *found, cw_error *err);
/* Writes; both are copied. CW_E_LIMIT where one is too long, CW_E_STATE in a read transaction. */
cw_status cwi_db_txn_put(cwi_db_txn *txn, cw_bytes key, cw_bytes value, cw_error *err);
/* Removes; CW_OK also where there is none. */
cw_status cwi_db_txn_delete(cwi_db_txn *txn, cw_bytes key, cw_error *err);
/* Removes all keys k with begin <= k < end; an empty `end` is the end of everything. */
cw_status cwi_db_txn_delete_range(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, cw_error *err);

/* Nested marks: the changes since the newest are forgotten (and the mark kept), or kept and the
 * mark dropped. Cursors stay usable. */
cw_status cwi_db_txn_savepoint(cwi_db_txn *txn, cw_error *err);
cw_status cwi_db_txn_savepoint_rollback(cwi_db_txn *txn, cw_error *err);
cw_status cwi_db_txn_savepoint_release(cwi_db_txn *txn, cw_error *err);

/* Walks the keys k with begin <= k < end (`end` empty: to the end of everything), forward or
 * backward.
 * The transaction may write meanwhile: the walk goes on behind the key it gave last, and whether it
 * meets keys written ahead of it is not defined. `begin` and `end` are copied. */
cw_status cwi_db_cursor_open(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, bool backward,
                             cwi_db_cursor **out, cw_error *err);
/* Steps; *found false at the end. Key and value are borrowed: valid until the next call with this
 * transaction or one of its cursors. */
cw_status cwi_db_cursor_next(cwi_db_cursor *cursor, cw_bytes *key, cw_bytes *value, bool *found,
                             cw_error *err);
void cwi_db_cursor_close(cwi_db_cursor *cursor);

/* Copies everything of the current snapshot into a new file at `path`, online. */
cw_status cwi_db_store_backup(cwi_db_store *store, const char *path, cw_error *err);

typedef struct cwi_db_store_stats {
  uint64_t keys;       /* memory store only, else 0 */
  uint64_t bytes;      /* of keys and values (memory), of the file (SQLite) */
  uint64_t commits;    /* since open */
} cwi_db_store_stats;
void cwi_db_store_stats_get(cwi_db_store *store, cwi_db_store_stats *stats);

#endif
