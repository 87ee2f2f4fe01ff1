/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The database: SurrealQL on a store in memory or in one file, off the app's thread.
 *
 * The life of a database: cw_db_open() starts its worker and opens the store there, cw_db_query()
 * runs statements in the order they were sent, cw_db_close() ends it after what is queued.
 *
 *   cw_db *db;
 *   cw_await(cw_db_open("mem://", &db), NULL, err);
 *   cw_await(cw_db_use(db, "app", "main"), NULL, err);
 *   cw_await(cw_db_query(db, "RETURN 1 + $n", 13, variables), &results, err);
 *   cw_await(cw_db_close(db), NULL, err);
 *   cw_release(db);
 *
 * Thread rule: every function may be called from any thread.
 */
#ifndef CAUSEWAY_DB_H
#define CAUSEWAY_DB_H

#include "causeway/future.h"

CW_BEGIN_DECLS

/** A handle to an open database; cw_release() closes it at once where it is still open. */
typedef struct cw_db cw_db;

/**
 * Opens the database at `url`. The future settles with NONE when it is ready.
 *
 * The handle may be used at once: what is asked of it waits until the database is open.
 *
 * @param url  mem:// or file://PATH; surrealkv://PATH and rocksdb://PATH mean the same file store;
 *             NUL-terminated, copied
 * @param out  receives the handle, NULL where there was no memory or an argument is wrong
 *
 * Ownership: the caller releases both, the handle also where opening failed.
 * Blocking:  never; the store is opened on the database's own thread.
 * Errors:    CW_E_INVALID  no such kind of URL
 *            CW_E_BUSY     another process has the file open for writing
 *            CW_E_CORRUPT, CW_E_VERSION, CW_E_IO  the file
 *            CW_E_NOMEM, CW_E_LIMIT
 * Since:     0.1
 */
CW_API cw_future *cw_db_open(const char *url, cw_db **out);

/**
 * Chooses the namespace and database that queries work in, making them where they are not there.
 *
 * @param ns        NUL-terminated, copied; NULL leaves the one in use
 * @param database  the same
 *
 * Blocking:  never.
 * Errors:    CW_E_STALE, CW_E_CLOSED, CW_E_IO, CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_future *cw_db_use(cw_db *db, const char *ns, const char *database);

/**
 * Runs the statements of `sql`.
 *
 * The future settles with an array: one object a statement, with "status" ("OK" or "ERR"), "result"
 * (its value, or the text of its error) and "time" (a duration). A text that cannot be parsed gives
 * one object with the error, and nothing has run.
 *
 * @param sql        UTF-8, copied
 * @param variables  taken: an OBJECT of parameters for this session, or NONE
 *
 * Ownership: the caller releases the future, and the value that it takes from it.
 * Blocking:  never.
 * Cancel:    reaches the running statement, which is rolled back; the ones before it stay.
 * Errors:    CW_E_CANCELLED, CW_E_STALE, CW_E_CLOSED, CW_E_ENCODING
 *            CW_E_LIMIT  too many queries wait
 *            CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_future *cw_db_query(cw_db *db, const char *sql, size_t size, cw_value variables);

/**
 * Sets the parameter `$name` of the session; NONE removes it.
 *
 * @param name   without the $, NUL-terminated, copied
 * @param value  taken
 *
 * Blocking:  never.
 * Errors:    CW_E_INVALID an empty name; CW_E_STALE, CW_E_CLOSED, CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_future *cw_db_set(cw_db *db, const char *name, cw_value value);

/**
 * Closes the database after what is queued. The future settles when the store is closed.
 *
 * Ownership: the handle stays the caller's, to be released.
 * Blocking:  never.
 * Errors:    CW_E_STALE
 * Since:     0.1
 */
CW_API cw_future *cw_db_close(cw_db *db);

CW_END_DECLS

#endif
