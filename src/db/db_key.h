/* SPDX-License-Identifier: MIT */
/* Keys of the store: byte strings whose order is the order of what they stand for
 * (docs/formats/key.md).
 *
 *   catalog        01 kind scope... name
 *   record         10 db table 01 RECORD-KEY
 *   edge pointer   10 db table 02 RECORD-KEY direction EDGE-TABLE-NAME EDGE-KEY
 *   index entry    10 db table 03 index VALUES [RECORD-KEY]
 *   index data     10 db table 04 index ...
 *
 * `db`, `table` and `index` are numbers that the catalog hands out; 4 bytes each, big-endian. */
#ifndef DB_KEY_H
#define DB_KEY_H

#include "core/buf.h"
#include "db/db_value.h"

typedef enum cwi_db_key_space {
  CWI_DB_KEYS_RECORD = 1, CWI_DB_KEYS_EDGE = 2, CWI_DB_KEYS_INDEX = 3, CWI_DB_KEYS_INDEX_DATA = 4,
} cwi_db_key_space;

/* Appends any value so that byte order is cwi_db_compare's order. Numbers keep which of int, float
 * and decimal they are only up to equality: 1, 1.0 and 1dec give the same bytes. */
cw_status cwi_db_key_value(cwi_buf *out, cw_value value, cw_error *err);
/* Appends a record id's key (int, string, uuid, array, object), order-preserving and readable
 * back. */
cw_status cwi_db_key_record_key(cwi_buf *out, cw_value key, cw_error *err);
/* Reads one record key from the front of `bytes` and moves it past. CW_E_CORRUPT. */
cw_status cwi_db_key_read_record_key(cw_bytes *bytes, cw_value *out, cw_error *err);

/* Appends the prefix of all keys of a space of a table. */
bool cwi_db_key_prefix(cwi_buf *out, uint32_t db, uint32_t table, cwi_db_key_space space);
bool cwi_db_key_u32(cwi_buf *out, uint32_t number);
/* The whole key of a record. */
cw_status cwi_db_key_record(cwi_buf *out, uint32_t db, uint32_t table, cw_value key, cw_error *err);
/* The begin and end of the keys of a table's records, or of the records of `range` (a RANGE of
 * record keys; NONE: all). */
cw_status cwi_db_key_record_range(cwi_buf *begin, cwi_buf *end, uint32_t db, uint32_t table,
                                  cw_value range, cw_error *err);
/* The bytes of a record key at the end of a record's key: skips the prefix. */
cw_status cwi_db_key_record_of(cw_bytes key, cw_value *record_key, cw_error *err);
/* Makes `key` the first key behind all that begin with it. */
bool cwi_db_key_successor(cwi_buf *key);
/* Appends text so that it ends itself: bytes, 0 as 0 1, then 0 0. */
bool cwi_db_key_text(cwi_buf *out, const char *text, size_t size);
cw_status cwi_db_key_read_text(cw_bytes *bytes, cwi_buf *out, cw_error *err);

#endif
