/* SPDX-License-Identifier: MIT */
/* The file store: one SQLite file in WAL mode with one table of keys and values.
 *
 * The write transaction has a connection of its own; every read transaction borrows one from a
 * pool, so that a reader is a snapshot and never waits. A lock file beside the database, held with
 * flock for as long as the store is open for writing, keeps a second process (and a second store of
 * this one) out with a clear error; the system drops it when the process dies. Read-only stores do
 * not take it.
 *
 * Pointers that SQLite gives stay valid until its statement steps again or is reset: `get` is reset
 * by the next `get`, all statements before the transaction ends. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/error.h"
#include "db/db_store_internal.h"

#define FORMAT_VERSION 1
#define APPLICATION_ID 0x43574442 /* "CWDB" */
#define IDLE_READERS_MAX 8
#define IDLE_STATEMENTS_MAX 6

/* Cursor statements by direction and by whether the end is bounded. */
static const char *const cursor_sql[] = {
    "SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k",
    "SELECT k, v FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k",
    "SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k DESC",
    "SELECT k, v FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k DESC",
};

enum { ST_GET, ST_PUT, ST_DELETE, ST_DELETE_FROM, ST_DELETE_RANGE, ST_COUNT };

static const char *const statement_sql[ST_COUNT] = {
    "SELECT v FROM kv WHERE k = ?1",
    "INSERT INTO kv(k, v) VALUES(?1, ?2) ON CONFLICT(k) DO UPDATE SET v = excluded.v",
    "DELETE FROM kv WHERE k = ?1",
    "DELETE FROM kv WHERE k >= ?1",
    "DELETE FROM kv WHERE k >= ?1 AND k < ?2",
};

typedef struct connection {
  sqlite3 *db;
  sqlite3_stmt *statements[ST_COUNT];
  sqlite3_stmt *idle[4][IDLE_STATEMENTS_MAX]; /* cursor statements that nobody uses */
  size_t idle_len[4];
  struct connection *next; /* in the pool */
} connection;

typedef struct sqlite_store {
  cwi_db_store base;
  char *path;
  size_t path_size;
  char *vfs; /* NULL: the default */
  size_t vfs_size;
  bool read_only;
  cwi_db_sync sync;
  int lock_fd;          /* -1: not held */
  connection *writer;   /* used by one write transaction at a time */
  pthread_mutex_t lock; /* guards all below */
  connection *pool;
  size_t pool_len;
  bool writing;
  uint64_t commits;
} sqlite_store;

typedef struct sqlite_txn {
  cwi_db_txn base;
  connection *connection;
} sqlite_txn;

typedef struct sqlite_cursor {
  cwi_db_cursor base;
  sqlite3_stmt *statement;
  int variant;
  bool done;
} sqlite_cursor;

static sqlite_store *store_of(cwi_db_store *store) { return (sqlite_store *)(void *)store; }
static sqlite_txn *txn_of(cwi_db_txn *txn) { return (sqlite_txn *)(void *)txn; }

static cw_status raise(sqlite3 *db, int rc, const char *what, cw_error *err) {
  cw_status code = CW_E_IO;
  switch (rc & 0xFF) {
  case SQLITE_NOMEM: return CWI_RAISE_NOMEM(err, what);
  case SQLITE_FULL: code = CW_E_NO_SPACE; break;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: code = CW_E_CORRUPT; break;
  case SQLITE_BUSY:
  case SQLITE_LOCKED: code = CW_E_BUSY; break;
  case SQLITE_INTERRUPT: code = CW_E_CANCELLED; break;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH: code = CW_E_DENIED; break;
  case SQLITE_TOOBIG: code = CW_E_LIMIT; break;
  default: break;
  }
  return CWI_RAISE(err, code, rc, "%s: %s", what,
                   db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

/* ---- connections ---- */

static void close_connection(connection *c) {
  if (c == NULL) return;
  for (size_t i = 0; i < ST_COUNT; i++) (void)sqlite3_finalize(c->statements[i]);
  for (size_t v = 0; v < 4; v++) {
    for (size_t i = 0; i < c->idle_len[v]; i++) (void)sqlite3_finalize(c->idle[v][i]);
  }
  (void)sqlite3_close(c->db);
  CWI_FREE(c);
}

static cw_status execute(connection *c, const char *sql, const char *what, cw_error *err) {
  int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? CW_OK : raise(c->db, rc, what, err);
}

static cw_status open_connection(const sqlite_store *store, bool write, connection **out,
                                 cw_error *err) {
  cw_status status = CW_OK;
  connection *c = CWI_NEW(connection);
  if (c == NULL) return CWI_RAISE_NOMEM(err, "a connection");
  int flags = SQLITE_OPEN_NOMUTEX | (store->read_only ? SQLITE_OPEN_READONLY
                                                      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  int rc = sqlite3_open_v2(store->path, &c->db, flags, store->vfs);
  if (rc != SQLITE_OK) {
    int os_code = c->db != NULL ? sqlite3_system_errno(c->db) : 0;
    status = raise(c->db, rc, "opening the database file", err);
    if ((rc & 0xFF) == SQLITE_CANTOPEN && store->read_only && os_code == ENOENT) {
      status =
          CWI_RAISE(err, CW_E_NOT_FOUND, os_code, "there is no database file at '%s'", store->path);
    }
    goto out;
  }
  (void)sqlite3_extended_result_codes(c->db, 1);
  (void)sqlite3_busy_timeout(c->db, write ? 2000 : 0);
  CWI_TRY(execute(c, "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY",
                  "preparing a connection", err));
  if (!store->read_only) {
    CWI_TRY(execute(c, store->sync == CWI_DB_SYNC_FULL ? "PRAGMA synchronous = FULL"
                                                       : "PRAGMA synchronous = NORMAL",
                    "preparing a connection", err));
  }
  *out = c;
  c = NULL;

out:
  close_connection(c);
  return status;
}

static cw_status statement(connection *c, int which, sqlite3_stmt **out, cw_error *err) {
  if (c->statements[which] == NULL) {
    int rc = sqlite3_prepare_v3(c->db, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                &c->statements[which], NULL);
    if (rc != SQLITE_OK) return raise(c->db, rc, "preparing a statement", err);
  }
  *out = c->statements[which];
  return CW_OK;
}

static int bind_bytes(sqlite3_stmt *st, int index, cw_bytes bytes) {
  return sqlite3_bind_blob64(st, index, bytes.size > 0 ? bytes.data : "", bytes.size,
                             SQLITE_STATIC);
}

static int read_pragma(connection *c, const char *sql, int64_t *out) {
  sqlite3_stmt *st = NULL;
  int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(st);
  if (rc == SQLITE_ROW) {
    *out = sqlite3_column_int64(st, 0);
    rc = SQLITE_OK;
  }
  (void)sqlite3_finalize(st);
  return rc;
}

/* Makes a fresh file ours, or checks that a present one is. */
static cw_status prepare_file(sqlite_store *store, connection *c, cw_error *err) {
  cw_status status = CW_OK;
  int64_t id = 0;
  int64_t version = 0;
  int64_t tables = 0;
  int rc = read_pragma(c, "PRAGMA application_id", &id);
  if (rc == SQLITE_OK) rc = read_pragma(c, "PRAGMA user_version", &version);
  if (rc == SQLITE_OK) rc = read_pragma(c, "SELECT count(*) FROM sqlite_master", &tables);
  if (rc != SQLITE_OK) return raise(c->db, rc, "reading the database file", err);
  if (tables > 0 && id != APPLICATION_ID) {
    return CWI_RAISE(err, CW_E_CORRUPT, 0, "'%s' is a SQLite file but no database of this program",
                     store->path);
  }
  if (tables > 0 && version > FORMAT_VERSION) {
    return CWI_RAISE(err, CW_E_VERSION, 0, "'%s' has format %lld, newest known is %d", store->path,
                     (long long)version, FORMAT_VERSION);
  }
  if (store->read_only) {
    if (tables == 0) return CWI_RAISE(err, CW_E_CORRUPT, 0, "'%s' is empty", store->path);
    return CW_OK;
  }
  CWI_TRY(execute(c, "PRAGMA journal_mode = WAL", "preparing the database file", err));
  if (tables == 0) {
    CWI_TRY(execute(c,
                    "BEGIN IMMEDIATE; PRAGMA application_id = 1129792578; PRAGMA user_version = 1;"
                    "CREATE TABLE kv(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID; COMMIT",
                    "creating the database file", err));
  }

out:
  return status;
}

/* ---- the store ---- */

static cw_status take_lock(sqlite_store *store, cw_error *err) {
  cwi_buf name;
  cwi_buf_init(&name, 0);
  (void)cwi_buf_append(&name, store->path, store->path_size);
  (void)cwi_buf_append_str(&name, "-lock");
  const char *path = cwi_buf_cstr(&name);
  cw_status status = CW_OK;
  if (path == NULL || name.failed) {
    status = CWI_RAISE_NOMEM(err, "a path");
    goto out;
  }
  store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (store->lock_fd < 0) {
    int code = errno;
    status =
        CWI_RAISE(err, cwi_status_from_errno(code), code, "cannot create the lock file '%s'", path);
  } else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
    int code = errno;
    (void)close(store->lock_fd);
    store->lock_fd = -1;
    status = CWI_RAISE(err, code == EWOULDBLOCK ? CW_E_BUSY : CW_E_IO, code,
                       "'%s' is open for writing elsewhere; close it there, or open it read-only",
                       store->path);
  }

out:
  cwi_buf_deinit(&name);
  return status;
}

static void sqlite_close(cwi_db_store *base) {
  sqlite_store *store = store_of(base);
  while (store->pool != NULL) {
    connection *next = store->pool->next;
    close_connection(store->pool);
    store->pool = next;
  }
  if (store->writer != NULL && !store->read_only) {
    (void)sqlite3_wal_checkpoint_v2(store->writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                    NULL);
  }
  close_connection(store->writer);
  if (store->lock_fd >= 0) (void)close(store->lock_fd);
  (void)pthread_mutex_destroy(&store->lock);
  cwi_free(store->path, store->path_size + 1);
  cwi_free(store->vfs, store->vfs_size + 1);
  CWI_FREE(store);
}

/* Where a write transaction's or reader's connection asks whether to go on. */
static int progress(void *context) {
  const cwi_db_txn *txn = context;
  return txn->interrupt != NULL && atomic_load_explicit(txn->interrupt, memory_order_relaxed) != 0;
}

static cw_status take_connection(sqlite_store *store, connection **out, cw_error *err) {
  (void)pthread_mutex_lock(&store->lock);
  connection *c = store->pool;
  if (c != NULL) {
    store->pool = c->next;
    store->pool_len--;
    c->next = NULL;
  }
  (void)pthread_mutex_unlock(&store->lock);
  if (c == NULL) return open_connection(store, false, out, err);
  *out = c;
  return CW_OK;
}

static void give_connection(sqlite_store *store, connection *c) {
  if (c == NULL) return;
  (void)pthread_mutex_lock(&store->lock);
  bool keep = store->pool_len < IDLE_READERS_MAX;
  if (keep) {
    c->next = store->pool;
    store->pool = c;
    store->pool_len++;
  }
  (void)pthread_mutex_unlock(&store->lock);
  if (!keep) close_connection(c);
}

/* Fixes the snapshot of a reader: SQLite takes it with the first read. */
static cw_status take_snapshot(connection *c, cw_error *err) {
  sqlite3_stmt *st = NULL;
  cw_status status = statement(c, ST_GET, &st, err);
  if (status != CW_OK) return status;
  (void)bind_bytes(st, 1, (cw_bytes){NULL, 0});
  int rc = sqlite3_step(st);
  (void)sqlite3_reset(st);
  return rc == SQLITE_DONE || rc == SQLITE_ROW ? CW_OK : raise(c->db, rc, "starting to read", err);
}

static void end_write(sqlite_store *store, bool committed) {
  (void)pthread_mutex_lock(&store->lock);
  store->writing = false;
  if (committed) store->commits++;
  (void)pthread_mutex_unlock(&store->lock);
}

static cw_status sqlite_begin(cwi_db_store *base, bool write, cwi_db_txn **out, cw_error *err) {
  sqlite_store *store = store_of(base);
  cw_status status = CW_OK;
  bool writing = false;
  if (write && store->read_only) {
    return CWI_RAISE(err, CW_E_DENIED, 0, "'%s' is open read-only", store->path);
  }
  sqlite_txn *txn = CWI_NEW(sqlite_txn);
  if (txn == NULL) return CWI_RAISE_NOMEM(err, "a transaction");
  if (write) {
    (void)pthread_mutex_lock(&store->lock);
    writing = !store->writing;
    store->writing = true;
    (void)pthread_mutex_unlock(&store->lock);
    if (!writing) {
      status = CWI_RAISE(err, CW_E_BUSY, 0, "there is a write transaction already");
      goto out;
    }
    txn->connection = store->writer;
    CWI_TRY(execute(txn->connection, "BEGIN IMMEDIATE", "starting to write", err));
  } else {
    CWI_TRY(take_connection(store, &txn->connection, err));
    CWI_TRY(execute(txn->connection, "BEGIN", "starting to read", err));
    status = take_snapshot(txn->connection, err);
    if (status != CW_OK) {
      (void)sqlite3_exec(txn->connection->db, "ROLLBACK", NULL, NULL, NULL);
      goto out;
    }
  }
  sqlite3_progress_handler(txn->connection->db, 1000, progress, &txn->base);
  *out = &txn->base;
  return CW_OK;

out:
  if (writing) end_write(store, false);
  if (!write) give_connection(store, txn->connection);
  CWI_FREE(txn);
  return status;
}

/* Ends the SQLite transaction and gives its connection back. */
static void end_txn(cwi_db_txn *base, bool committed) {
  sqlite_txn *txn = txn_of(base);
  sqlite_store *store = store_of(base->store);
  connection *c = txn->connection;
  sqlite3_progress_handler(c->db, 0, NULL, NULL);
  for (size_t i = 0; i < ST_COUNT; i++) {
    if (c->statements[i] != NULL) (void)sqlite3_reset(c->statements[i]);
  }
  if (!committed && !sqlite3_get_autocommit(c->db)) {
    (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
  }
  if (base->write) {
    end_write(store, committed);
  } else {
    give_connection(store, c);
  }
  CWI_FREE(txn);
}

static void sqlite_rollback(cwi_db_txn *txn) { end_txn(txn, false); }

static cw_status sqlite_commit(cwi_db_txn *base, cw_error *err) {
  connection *c = txn_of(base)->connection;
  if (!base->write) {
    end_txn(base, false);
    return CW_OK;
  }
  base->interrupt = NULL; /* from here on it happens or it fails */
  for (size_t i = 0; i < ST_COUNT; i++) {
    if (c->statements[i] != NULL) (void)sqlite3_reset(c->statements[i]);
  }
  cw_status status = execute(c, "COMMIT", "committing", err);
  end_txn(base, status == CW_OK);
  return status;
}

/* ---- reading and writing ---- */

static cw_status sqlite_get(cwi_db_txn *base, cw_bytes key, cw_bytes *value, bool *found,
                            cw_error *err) {
  connection *c = txn_of(base)->connection;
  sqlite3_stmt *st = NULL;
  cw_status status = statement(c, ST_GET, &st, err);
  if (status != CW_OK) return status;
  (void)sqlite3_reset(st);
  int rc = bind_bytes(st, 1, key);
  if (rc == SQLITE_OK) rc = sqlite3_step(st);
  if (rc == SQLITE_ROW) {
    value->data = sqlite3_column_blob(st, 0);
    value->size = (size_t)sqlite3_column_bytes(st, 0);
    if (value->size > 0 && value->data == NULL) return raise(c->db, SQLITE_NOMEM, "reading", err);
    *found = true;
    return CW_OK;
  }
  (void)sqlite3_reset(st);
  return rc == SQLITE_DONE ? CW_OK : raise(c->db, rc, "reading", err);
}

/* Runs a writing statement with one or two blobs. */
static cw_status run(connection *c, int which, cw_bytes first, const cw_bytes *second,
                     const char *what, cw_error *err) {
  sqlite3_stmt *st = NULL;
  cw_status status = statement(c, which, &st, err);
  if (status != CW_OK) return status;
  int rc = bind_bytes(st, 1, first);
  if (rc == SQLITE_OK && second != NULL) rc = bind_bytes(st, 2, *second);
  if (rc == SQLITE_OK) rc = sqlite3_step(st);
  if (rc != SQLITE_DONE) status = raise(c->db, rc, what, err);
  (void)sqlite3_reset(st);
  return status;
}

static cw_status sqlite_put(cwi_db_txn *txn, cw_bytes key, cw_bytes value, cw_error *err) {
  return run(txn_of(txn)->connection, ST_PUT, key, &value, "writing", err);
}

static cw_status sqlite_remove(cwi_db_txn *txn, cw_bytes key, cw_error *err) {
  return run(txn_of(txn)->connection, ST_DELETE, key, NULL, "deleting", err);
}

static cw_status sqlite_remove_range(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, cw_error *err) {
  bool bounded = end.size > 0;
  return run(txn_of(txn)->connection, bounded ? ST_DELETE_RANGE : ST_DELETE_FROM, begin,
             bounded ? &end : NULL, "deleting", err);
}

static cw_status sqlite_savepoint(cwi_db_txn *txn, cw_error *err) {
  return execute(txn_of(txn)->connection, "SAVEPOINT s", "setting a savepoint", err);
}

static cw_status sqlite_savepoint_rollback(cwi_db_txn *base, cw_error *err) {
  connection *c = txn_of(base)->connection;
  if (c->statements[ST_GET] != NULL) (void)sqlite3_reset(c->statements[ST_GET]);
  const atomic_int *interrupt = base->interrupt;
  base->interrupt = NULL;
  cw_status status = execute(c, "ROLLBACK TO s", "going back to a savepoint", err);
  base->interrupt = interrupt;
  return status;
}

static cw_status sqlite_savepoint_release(cwi_db_txn *base, cw_error *err) {
  const atomic_int *interrupt = base->interrupt;
  base->interrupt = NULL;
  cw_status status = execute(txn_of(base)->connection, "RELEASE s", "dropping a savepoint", err);
  base->interrupt = interrupt;
  return status;
}

/* ---- cursors ---- */

static cw_status sqlite_cursor_open(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, bool backward,
                                    cwi_db_cursor **out, cw_error *err) {
  connection *c = txn_of(txn)->connection;
  sqlite_cursor *cursor = CWI_NEW(sqlite_cursor);
  if (cursor == NULL) return CWI_RAISE_NOMEM(err, "a cursor");
  int variant = (backward ? 2 : 0) + (end.size > 0 ? 1 : 0);
  int rc = SQLITE_OK;
  cursor->variant = variant;
  if (c->idle_len[variant] > 0) {
    cursor->statement = c->idle[variant][--c->idle_len[variant]];
  } else {
    rc = sqlite3_prepare_v3(c->db, cursor_sql[variant], -1, SQLITE_PREPARE_PERSISTENT,
                            &cursor->statement, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_blob64(cursor->statement, 1, begin.size > 0 ? begin.data : "", begin.size,
                             SQLITE_TRANSIENT);
  }
  if (rc == SQLITE_OK && end.size > 0) {
    rc = sqlite3_bind_blob64(cursor->statement, 2, end.data, end.size, SQLITE_TRANSIENT);
  }
  if (rc != SQLITE_OK) {
    cw_status status = raise(c->db, rc, "opening a cursor", err);
    (void)sqlite3_finalize(cursor->statement);
    CWI_FREE(cursor);
    return status;
  }
  *out = &cursor->base;
  return CW_OK;
}

static cw_status sqlite_cursor_next(cwi_db_cursor *base, cw_bytes *key, cw_bytes *value,
                                    bool *found, cw_error *err) {
  sqlite_cursor *cursor = (sqlite_cursor *)(void *)base;
  sqlite3 *db = txn_of(base->txn)->connection->db;
  if (cursor->done) return CW_OK;
  int rc = sqlite3_step(cursor->statement);
  if (rc != SQLITE_ROW) {
    cursor->done = true;
    cw_status status = rc == SQLITE_DONE ? CW_OK : raise(db, rc, "reading", err);
    (void)sqlite3_reset(cursor->statement);
    return status;
  }
  key->data = sqlite3_column_blob(cursor->statement, 0);
  key->size = (size_t)sqlite3_column_bytes(cursor->statement, 0);
  value->data = sqlite3_column_blob(cursor->statement, 1);
  value->size = (size_t)sqlite3_column_bytes(cursor->statement, 1);
  if ((key->size > 0 && key->data == NULL) || (value->size > 0 && value->data == NULL)) {
    return raise(db, SQLITE_NOMEM, "reading", err);
  }
  *found = true;
  return CW_OK;
}

static void sqlite_cursor_close(cwi_db_cursor *base) {
  sqlite_cursor *cursor = (sqlite_cursor *)(void *)base;
  connection *c = txn_of(base->txn)->connection;
  size_t *len = &c->idle_len[cursor->variant];
  (void)sqlite3_reset(cursor->statement);
  if (*len < IDLE_STATEMENTS_MAX) {
    c->idle[cursor->variant][(*len)++] = cursor->statement;
  } else {
    (void)sqlite3_finalize(cursor->statement);
  }
  CWI_FREE(cursor);
}

/* ---- the rest ---- */

static cw_status sqlite_backup(cwi_db_store *base, const char *path, cw_error *err) {
  sqlite_store *store = store_of(base);
  connection *c = NULL;
  sqlite3_stmt *st = NULL;
  if (access(path, F_OK) == 0) {
    return CWI_RAISE(err, CW_E_EXISTS, 0, "there is a file at '%s' already", path);
  }
  cw_status status = take_connection(store, &c, err);
  if (status != CW_OK) return status;
  int rc = sqlite3_prepare_v2(c->db, "VACUUM INTO ?1", -1, &st, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
  if (rc == SQLITE_OK) rc = sqlite3_step(st);
  if (rc != SQLITE_DONE) status = raise(c->db, rc, "writing the backup", err);
  (void)sqlite3_finalize(st);
  give_connection(store, c);
  return status;
}

static void sqlite_stats(cwi_db_store *base, cwi_db_store_stats *stats) {
  sqlite_store *store = store_of(base);
  connection *c = NULL;
  int64_t pages = 0;
  int64_t page_size = 0;
  (void)pthread_mutex_lock(&store->lock);
  stats->commits = store->commits;
  (void)pthread_mutex_unlock(&store->lock);
  if (take_connection(store, &c, NULL) != CW_OK) return;
  if (read_pragma(c, "PRAGMA page_count", &pages) == SQLITE_OK &&
      read_pragma(c, "PRAGMA page_size", &page_size) == SQLITE_OK) {
    stats->bytes = (uint64_t)(pages * page_size);
  }
  give_connection(store, c);
}

static const cwi_db_store_ops sqlite_ops = {
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .get = sqlite_get,
    .put = sqlite_put,
    .remove = sqlite_remove,
    .remove_range = sqlite_remove_range,
    .savepoint = sqlite_savepoint,
    .savepoint_rollback = sqlite_savepoint_rollback,
    .savepoint_release = sqlite_savepoint_release,
    .cursor_open = sqlite_cursor_open,
    .cursor_next = sqlite_cursor_next,
    .cursor_close = sqlite_cursor_close,
    .backup = sqlite_backup,
    .stats = sqlite_stats,
};

cw_status cwi_db_store_open_sqlite(const char *path, const cwi_db_store_options *options,
                                   cwi_db_store **out, cw_error *err) {
  cw_status status = CW_OK;
  *out = NULL;
  sqlite_store *store = CWI_NEW(sqlite_store);
  if (store == NULL) return CWI_RAISE_NOMEM(err, "a store");
  store->base.ops = &sqlite_ops;
  store->lock_fd = -1;
  if (pthread_mutex_init(&store->lock, NULL) != 0) {
    CWI_FREE(store);
    return CWI_RAISE_NOMEM(err, "a store");
  }
  store->path_size = strlen(path);
  store->path = cwi_strndup(path, store->path_size);
  if (store->path == NULL) {
    store->path_size = 0;
    status = CWI_RAISE_NOMEM(err, "a store");
    goto out;
  }
  if (options != NULL) {
    store->read_only = options->read_only;
    store->sync = options->sync;
    if (options->vfs != NULL) {
      store->vfs_size = strlen(options->vfs);
      store->vfs = cwi_strndup(options->vfs, store->vfs_size);
      if (store->vfs == NULL) {
        status = CWI_RAISE_NOMEM(err, "a store");
        goto out;
      }
    }
  }
  if (!store->read_only) CWI_TRY(take_lock(store, err));
  CWI_TRY(open_connection(store, true, &store->writer, err));
  CWI_TRY(prepare_file(store, store->writer, err));
  *out = &store->base;
  store = NULL;

out:
  if (store != NULL) sqlite_close(&store->base);
  return status;
}
