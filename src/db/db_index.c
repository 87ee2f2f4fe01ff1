/* SPDX-License-Identifier: MIT */
/* Index entries. A key is the prefix of the index, the encoded values, and, where the index is not
 * unique or one of the values is NONE or NULL, the record's key; the stored value is the record's
 * key in its key form. Unique entries with all values present have no record key behind them, so
 * that the second one meets the first. */
#include "db/db_index.h"

#include "core/alloc.h"
#include "core/error.h"
#include "db/db_key.h"

static cw_bytes bytes_of(const cwi_buf *buf) { return (cw_bytes){buf->data, buf->size}; }

static bool put_prefix(cwi_buf *out, cwi_db_index index) {
  (void)cwi_db_key_prefix(out, index.db, index.table, CWI_DB_KEYS_INDEX);
  return cwi_db_key_u32(out, index.index);
}

static bool stands_alone(cwi_db_index index, const cw_value *values, size_t len) {
  if (!index.unique) return false;
  for (size_t i = 0; i < len; i++) {
    if (values[i].kind == CW_VALUE_NONE || values[i].kind == CW_VALUE_NULL) return false;
  }
  return true;
}

static cw_status make_entry(cwi_db_index index, const cw_value *values, size_t len,
                            cw_value record_key, cwi_buf *key, cwi_buf *value, cw_error *err) {
  cw_status status = CW_OK;
  (void)put_prefix(key, index);
  for (size_t i = 0; status == CW_OK && i < len; i++)
    status = cwi_db_key_value(key, values[i], err);
  if (status == CW_OK) status = cwi_db_key_record_key(value, record_key, err);
  if (status == CW_OK && !stands_alone(index, values, len)) {
    (void)cwi_buf_append(key, value->data, value->size);
  }
  if (status == CW_OK && key->failed) status = CWI_RAISE_NOMEM(err, "an index entry");
  return status;
}

cw_status cwi_db_index_add(cwi_db_txn *txn, cwi_db_index index, const cw_value *values, size_t len,
                           cw_value record_key, cw_value *other, cw_error *err) {
  cw_status status = CW_OK;
  cwi_buf key;
  cwi_buf value;
  cwi_buf_init(&key, 0);
  cwi_buf_init(&value, 0);
  if (other != NULL) *other = cwi_value_none();
  CWI_TRY(make_entry(index, values, len, record_key, &key, &value, err));
  if (stands_alone(index, values, len)) {
    cw_bytes present;
    bool found;
    CWI_TRY(cwi_db_txn_get(txn, bytes_of(&key), &present, &found, err));
    bool same =
        found && present.size == value.size && memcmp(present.data, value.data, value.size) == 0;
    if (found && !same) {
      CWI_ASSERT(other != NULL);
      status = cwi_db_key_read_record_key(&present, other, err);
      goto out;
    }
  }
  status = cwi_db_txn_put(txn, bytes_of(&key), bytes_of(&value), err);

out:
  cwi_buf_deinit(&key);
  cwi_buf_deinit(&value);
  return status;
}

cw_status cwi_db_index_remove(cwi_db_txn *txn, cwi_db_index index, const cw_value *values,
                              size_t len, cw_value record_key, cw_error *err) {
  cw_status status = CW_OK;
  cwi_buf key;
  cwi_buf value;
  cwi_buf_init(&key, 0);
  cwi_buf_init(&value, 0);
  cw_bytes present;
  bool found;
  CWI_TRY(make_entry(index, values, len, record_key, &key, &value, err));
  CWI_TRY(cwi_db_txn_get(txn, bytes_of(&key), &present, &found, err));
  if (found && present.size == value.size && memcmp(present.data, value.data, value.size) == 0) {
    status = cwi_db_txn_delete(txn, bytes_of(&key), err);
  }

out:
  cwi_buf_deinit(&key);
  cwi_buf_deinit(&value);
  return status;
}

static cw_status drop_space(cwi_db_txn *txn, cwi_db_index index, cwi_db_key_space space,
                            cw_error *err) {
  cwi_buf begin;
  cwi_buf end;
  cwi_buf_init(&begin, 0);
  cwi_buf_init(&end, 0);
  (void)cwi_db_key_prefix(&begin, index.db, index.table, space);
  (void)cwi_db_key_u32(&begin, index.index);
  (void)cwi_buf_append(&end, begin.data, begin.size);
  (void)cwi_db_key_successor(&end);
  cw_status status = begin.failed || end.failed
                         ? CWI_RAISE_NOMEM(err, "an index")
                         : cwi_db_txn_delete_range(txn, bytes_of(&begin), bytes_of(&end), err);
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  return status;
}

cw_status cwi_db_index_drop(cwi_db_txn *txn, cwi_db_index index, cw_error *err) {
  cw_status status = drop_space(txn, index, CWI_DB_KEYS_INDEX, err);
  return status != CW_OK ? status : drop_space(txn, index, CWI_DB_KEYS_INDEX_DATA, err);
}

/* ---- scanning ---- */

struct cwi_db_index_scan {
  cwi_db_cursor *cursor;
};

static cw_status make_bounds(cwi_db_index index, const cw_value *prefix, size_t len, cw_value range,
                             cwi_buf *begin, cwi_buf *end, cw_error *err) {
  cw_status status = CW_OK;
  (void)put_prefix(begin, index);
  for (size_t i = 0; status == CW_OK && i < len; i++)
    status = cwi_db_key_value(begin, prefix[i], err);
  (void)cwi_buf_append(end, begin->data, begin->size);
  cw_value low = cwi_value_none();
  cw_value high = cwi_value_none();
  cwi_db_bound low_bound = CWI_DB_UNBOUNDED;
  cwi_db_bound high_bound = CWI_DB_UNBOUNDED;
  if (cwi_db_kind_of(range) == CWI_DB_RANGE) {
    low_bound = cwi_db_range_begin(range, &low);
    high_bound = cwi_db_range_end(range, &high);
  }
  if (status == CW_OK && low_bound != CWI_DB_UNBOUNDED) status = cwi_db_key_value(begin, low, err);
  if (low_bound == CWI_DB_EXCLUDED) (void)cwi_db_key_successor(begin);
  if (status == CW_OK && high_bound != CWI_DB_UNBOUNDED) status = cwi_db_key_value(end, high, err);
  if (high_bound != CWI_DB_EXCLUDED) (void)cwi_db_key_successor(end);
  if (status == CW_OK && (begin->failed || end->failed))
    status = CWI_RAISE_NOMEM(err, "an index scan");
  return status;
}

cw_status cwi_db_index_scan_open(cwi_db_txn *txn, cwi_db_index index, const cw_value *prefix,
                                 size_t prefix_len, cw_value range, bool backward,
                                 cwi_db_index_scan **out, cw_error *err) {
  cw_status status = CW_OK;
  cwi_buf begin;
  cwi_buf end;
  cwi_buf_init(&begin, 0);
  cwi_buf_init(&end, 0);
  *out = NULL;
  cwi_db_index_scan *scan = CWI_NEW(cwi_db_index_scan);
  if (scan == NULL) {
    status = CWI_RAISE_NOMEM(err, "an index scan");
    goto out;
  }
  CWI_TRY(make_bounds(index, prefix, prefix_len, range, &begin, &end, err));
  CWI_TRY(cwi_db_cursor_open(txn, bytes_of(&begin), bytes_of(&end), backward, &scan->cursor, err));
  *out = scan;
  scan = NULL;

out:
  CWI_FREE(scan);
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  return status;
}

cw_status cwi_db_index_scan_next(cwi_db_index_scan *scan, cw_value *out, bool *found,
                                 cw_error *err) {
  cw_bytes key;
  cw_bytes value;
  *out = cwi_value_none();
  cw_status status = cwi_db_cursor_next(scan->cursor, &key, &value, found, err);
  if (status != CW_OK || !*found) return status;
  return cwi_db_key_read_record_key(&value, out, err);
}

void cwi_db_index_scan_close(cwi_db_index_scan *scan) {
  if (scan == NULL) return;
  cwi_db_cursor_close(scan->cursor);
  CWI_FREE(scan);
}
