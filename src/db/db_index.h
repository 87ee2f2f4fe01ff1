/* SPDX-License-Identifier: MIT */
/* Plain, unique and count indexes over the ordered store. An entry is the values of the index's
 * fields and, where not unique, the record's key; the record's key is also the stored value. */
#ifndef DB_INDEX_H
#define DB_INDEX_H

#include "db/db_store.h"
#include "db/db_value.h"

typedef struct cwi_db_index {
  uint32_t db;
  uint32_t table;
  uint32_t index;
  bool unique;
} cwi_db_index;

/* Adds or removes the entry of one record for `len` values (the caller makes one call a combination
 * where a field holds an array). In a unique index a tuple with NONE or NULL in it is kept like in
 * a plain one. `*other`, in a unique index, is the key of the record that already has the values,
 * else
 * NONE; the entry is not added then. */
cw_status cwi_db_index_add(cwi_db_txn *txn, cwi_db_index index, const cw_value *values, size_t len,
                           cw_value record_key, cw_value *other, cw_error *err);
cw_status cwi_db_index_remove(cwi_db_txn *txn, cwi_db_index index, const cw_value *values,
                              size_t len, cw_value record_key, cw_error *err);
cw_status cwi_db_index_drop(cwi_db_txn *txn, cwi_db_index index, cw_error *err);

/* Walks record keys in the order of the index. The first `prefix_len` values are fixed; the next
 * one lies in `range` (a RANGE value; NONE: all). */
typedef struct cwi_db_index_scan cwi_db_index_scan;
cw_status cwi_db_index_scan_open(cwi_db_txn *txn, cwi_db_index index, const cw_value *prefix,
                                 size_t prefix_len, cw_value range, bool backward,
                                 cwi_db_index_scan **out, cw_error *err);
/* *out is a record key, to be released; *found false at the end. */
cw_status cwi_db_index_scan_next(cwi_db_index_scan *scan, cw_value *out, bool *found,
                                 cw_error *err);
void cwi_db_index_scan_close(cwi_db_index_scan *scan);

#endif
