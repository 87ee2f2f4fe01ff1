/* SPDX-License-Identifier: MIT */
/* The door to the stores: checks what every store would have to check, then calls it. */
#include <string.h>

#include "core/assert.h"
#include "core/error.h"
#include "db/db_store_internal.h"

int cwi_db_bytes_compare(const void *a, size_t a_size, const void *b, size_t b_size) {
  size_t shorter = a_size < b_size ? a_size : b_size;
  int order = shorter > 0 ? memcmp(a, b, shorter) : 0;
  return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static cw_status check(const cwi_db_txn *txn, cw_error *err) {
  if (txn->interrupt != NULL && atomic_load_explicit(txn->interrupt, memory_order_relaxed) != 0) {
    return CWI_RAISE(err, CW_E_CANCELLED, 0, "the transaction was interrupted");
  }
  return CW_OK;
}

static cw_status check_write(const cwi_db_txn *txn, cw_error *err) {
  if (!txn->write) return CWI_RAISE(err, CW_E_STATE, 0, "the transaction is read-only");
  return check(txn, err);
}

void cwi_db_store_close(cwi_db_store *store) {
  if (store != NULL) store->ops->close(store);
}

cw_status cwi_db_txn_begin(cwi_db_store *store, bool write, cwi_db_txn **out, cw_error *err) {
  *out = NULL;
  cw_status status = store->ops->begin(store, write, out, err);
  if (status == CW_OK) {
    (*out)->store = store;
    (*out)->write = write;
  }
  return status;
}

cw_status cwi_db_txn_commit(cwi_db_txn *txn, cw_error *err) {
  CWI_ASSERT(txn->cursors == 0);
  cw_status status = txn->write ? check(txn, err) : CW_OK;
  if (status != CW_OK) {
    txn->store->ops->rollback(txn);
    return status;
  }
  return txn->store->ops->commit(txn, err);
}

void cwi_db_txn_rollback(cwi_db_txn *txn) {
  if (txn == NULL) return;
  CWI_ASSERT(txn->cursors == 0);
  txn->store->ops->rollback(txn);
}

bool cwi_db_txn_is_write(const cwi_db_txn *txn) { return txn->write; }
cwi_db_store *cwi_db_txn_store(const cwi_db_txn *txn) { return txn->store; }
void cwi_db_txn_interrupt_flag(cwi_db_txn *txn, const atomic_int *flag) { txn->interrupt = flag; }

cw_status cwi_db_txn_get(cwi_db_txn *txn, cw_bytes key, cw_bytes *value, bool *found,
                         cw_error *err) {
  *value = (cw_bytes){NULL, 0};
  *found = false;
  cw_status status = check(txn, err);
  return status != CW_OK ? status : txn->store->ops->get(txn, key, value, found, err);
}

cw_status cwi_db_txn_has(cwi_db_txn *txn, cw_bytes key, bool *found, cw_error *err) {
  cw_bytes ignored;
  return cwi_db_txn_get(txn, key, &ignored, found, err);
}

cw_status cwi_db_txn_put(cwi_db_txn *txn, cw_bytes key, cw_bytes value, cw_error *err) {
  cw_status status = check_write(txn, err);
  if (status != CW_OK) return status;
  if (key.size == 0 || key.size > CWI_DB_KEY_BYTES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a key has 1 to %u bytes, not %zu", CWI_DB_KEY_BYTES_MAX,
                     key.size);
  }
  if (value.size > CWI_DB_VALUE_BYTES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a stored value has at most %u bytes, not %zu",
                     CWI_DB_VALUE_BYTES_MAX, value.size);
  }
  return txn->store->ops->put(txn, key, value, err);
}

cw_status cwi_db_txn_delete(cwi_db_txn *txn, cw_bytes key, cw_error *err) {
  cw_status status = check_write(txn, err);
  return status != CW_OK ? status : txn->store->ops->remove(txn, key, err);
}

cw_status cwi_db_txn_delete_range(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, cw_error *err) {
  cw_status status = check_write(txn, err);
  return status != CW_OK ? status : txn->store->ops->remove_range(txn, begin, end, err);
}

cw_status cwi_db_txn_savepoint(cwi_db_txn *txn, cw_error *err) {
  cw_status status = check_write(txn, err);
  if (status == CW_OK) status = txn->store->ops->savepoint(txn, err);
  if (status == CW_OK) txn->savepoints++;
  return status;
}

/* Going back is allowed when interrupted: that is when it is needed. */
cw_status cwi_db_txn_savepoint_rollback(cwi_db_txn *txn, cw_error *err) {
  CWI_ASSERT(txn->savepoints > 0);
  return txn->store->ops->savepoint_rollback(txn, err);
}

cw_status cwi_db_txn_savepoint_release(cwi_db_txn *txn, cw_error *err) {
  CWI_ASSERT(txn->savepoints > 0);
  txn->savepoints--;
  return txn->store->ops->savepoint_release(txn, err);
}

cw_status cwi_db_cursor_open(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, bool backward,
                             cwi_db_cursor **out, cw_error *err) {
  *out = NULL;
  cw_status status = check(txn, err);
  if (status == CW_OK) status = txn->store->ops->cursor_open(txn, begin, end, backward, out, err);
  if (status == CW_OK) {
    (*out)->txn = txn;
    txn->cursors++;
  }
  return status;
}

cw_status cwi_db_cursor_next(cwi_db_cursor *cursor, cw_bytes *key, cw_bytes *value, bool *found,
                             cw_error *err) {
  *key = (cw_bytes){NULL, 0};
  *value = (cw_bytes){NULL, 0};
  *found = false;
  cw_status status = check(cursor->txn, err);
  return status != CW_OK ? status
                         : cursor->txn->store->ops->cursor_next(cursor, key, value, found, err);
}

void cwi_db_cursor_close(cwi_db_cursor *cursor) {
  if (cursor == NULL) return;
  CWI_ASSERT(cursor->txn->cursors > 0);
  cursor->txn->cursors--;
  cursor->txn->store->ops->cursor_close(cursor);
}

cw_status cwi_db_store_backup(cwi_db_store *store, const char *path, cw_error *err) {
  return store->ops->backup(store, path, err);
}

void cwi_db_store_stats_get(cwi_db_store *store, cwi_db_store_stats *stats) {
  *stats = (cwi_db_store_stats){0};
  store->ops->stats(store, stats);
}
