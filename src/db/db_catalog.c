/* SPDX-License-Identifier: MIT */
/* Stored definitions: encoded object values under
 *
 *   01 kind ns db table name        (numbers of 4 bytes; the name ends itself)
 *   00 'n'                          the next number to hand out
 *   00 'g'                          the generation: counts changes of definitions
 *
 * Numbers are never used twice, so that dropping a table may leave its keys to be deleted later
 * without a new table of the name ever seeing them. */
#include "db/db_catalog.h"

#include "core/error.h"
#include "db/db_codec.h"
#include "db/db_key.h"

static const char counter_key[] = {0, 'n'};
static const char generation_key[] = {0, 'g'};

static cw_bytes bytes_of(const cwi_buf *buf) { return (cw_bytes){buf->data, buf->size}; }

static cw_status read_number(cwi_db_txn *txn, const char key[2], uint64_t *out, cw_error *err) {
  cw_bytes value;
  bool found;
  cw_status status = cwi_db_txn_get(txn, (cw_bytes){key, 2}, &value, &found, err);
  *out = 0;
  if (status != CW_OK || !found) return status;
  if (value.size != 8) return CWI_RAISE(err, CW_E_CORRUPT, 0, "the catalog is damaged");
  for (size_t i = 0; i < 8; i++) *out = *out << 8 | ((const uint8_t *)value.data)[i];
  return CW_OK;
}

static cw_status write_number(cwi_db_txn *txn, const char key[2], uint64_t number, cw_error *err) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> (56 - 8 * i));
  return cwi_db_txn_put(txn, (cw_bytes){key, 2}, (cw_bytes){bytes, sizeof(bytes)}, err);
}

cw_status cwi_db_catalog_generation(cwi_db_txn *txn, uint64_t *generation, cw_error *err) {
  return read_number(txn, generation_key, generation, err);
}

static cw_status touch(cwi_db_txn *txn, cw_error *err) {
  uint64_t generation;
  cw_status status = read_number(txn, generation_key, &generation, err);
  return status != CW_OK ? status : write_number(txn, generation_key, generation + 1, err);
}

static bool put_scope(cwi_buf *out, cwi_db_def kind, cwi_db_scope scope) {
  (void)cwi_buf_append_char(out, 1);
  (void)cwi_buf_append_char(out, (char)kind);
  (void)cwi_db_key_u32(out, scope.ns);
  (void)cwi_db_key_u32(out, scope.db);
  return cwi_db_key_u32(out, scope.table);
}

static cw_status make_key(cwi_buf *out, cwi_db_def kind, cwi_db_scope scope, const char *name,
                          size_t size, cw_error *err) {
  cwi_buf_init(out, 0);
  (void)put_scope(out, kind, scope);
  (void)cwi_db_key_text(out, name, size);
  return out->failed ? CWI_RAISE_NOMEM(err, "a definition") : CW_OK;
}

static bool has_number(cwi_db_def kind) {
  return kind == CWI_DB_DEF_NAMESPACE || kind == CWI_DB_DEF_DATABASE || kind == CWI_DB_DEF_TABLE ||
         kind == CWI_DB_DEF_INDEX || kind == CWI_DB_DEF_SEQUENCE;
}

uint32_t cwi_db_catalog_id(cw_value entry) {
  return (uint32_t)cw_value_as_int(cw_value_object_get(entry, "id", 2));
}

cw_status cwi_db_catalog_get(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, const char *name,
                             size_t size, cw_value *out, cw_error *err) {
  cwi_buf key;
  cw_bytes value;
  bool found = false;
  *out = cwi_value_none();
  cw_status status = make_key(&key, kind, scope, name, size, err);
  if (status == CW_OK) status = cwi_db_txn_get(txn, bytes_of(&key), &value, &found, err);
  if (status == CW_OK && found) status = cwi_db_codec_decode(value, out, err);
  cwi_buf_deinit(&key);
  return status;
}

cw_status cwi_db_catalog_put(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, const char *name,
                             size_t size, cw_value *entry, cw_error *err) {
  CWI_ASSERT(entry->kind == CW_VALUE_OBJECT);
  cw_status status = CW_OK;
  cwi_buf key;
  cwi_buf value;
  cwi_buf_init(&value, 0);
  CWI_TRY(make_key(&key, kind, scope, name, size, err));
  if (has_number(kind) && cwi_db_catalog_id(*entry) == 0) {
    uint64_t next;
    CWI_TRY(read_number(txn, counter_key, &next, err));
    next++;
    CWI_TRY(write_number(txn, counter_key, next, err));
    CWI_TRY(cw_value_object_set(entry, "id", 2, cwi_value_int((int64_t)next), err));
  }
  CWI_TRY(cwi_db_codec_encode(*entry, &value, err));
  CWI_TRY(cwi_db_txn_put(txn, bytes_of(&key), bytes_of(&value), err));
  status = touch(txn, err);

out:
  cwi_buf_deinit(&value);
  cwi_buf_deinit(&key);
  return status;
}

cw_status cwi_db_catalog_remove(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope,
                                const char *name, size_t size, cw_error *err) {
  cwi_buf key;
  cw_status status = make_key(&key, kind, scope, name, size, err);
  if (status == CW_OK) status = cwi_db_txn_delete(txn, bytes_of(&key), err);
  if (status == CW_OK) status = touch(txn, err);
  cwi_buf_deinit(&key);
  return status;
}

/* [name, entry] of one stored definition. */
static cw_status make_pair(cw_bytes key, cw_bytes value, size_t prefix, cw_value *out,
                           cw_error *err) {
  cw_value name = cwi_value_none();
  cw_value entry = cwi_value_none();
  cw_value pair = cwi_value_none();
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cw_status status = CW_OK;
  cw_bytes rest = {(const uint8_t *)key.data + prefix, key.size - prefix};
  CWI_TRY(cwi_db_codec_decode(value, &entry, err));
  CWI_TRY(cwi_db_key_read_text(&rest, &text, err));
  CWI_TRY(cw_value_string(text.data, text.size, &name, err));
  CWI_TRY(cw_value_array(2, &pair, err));
  status = cw_value_array_push(&pair, name, err);
  name = cwi_value_none();
  CWI_TRY(status);
  status = cw_value_array_push(&pair, entry, err);
  entry = cwi_value_none();
  CWI_TRY(status);
  *out = pair;
  pair = cwi_value_none();

out:
  cwi_buf_deinit(&text);
  cwi_value_drop(name);
  cwi_value_drop(entry);
  cwi_value_drop(pair);
  return status;
}

cw_status cwi_db_catalog_list(cwi_db_txn *txn, cwi_db_def kind, cwi_db_scope scope, cw_value *out,
                              cw_error *err) {
  cw_status status = CW_OK;
  cwi_db_cursor *cursor = NULL;
  cw_value list = cwi_value_none();
  cwi_buf begin;
  cwi_buf end;
  cwi_buf_init(&begin, 0);
  cwi_buf_init(&end, 0);
  *out = cwi_value_none();
  if (!put_scope(&begin, kind, scope) || !put_scope(&end, kind, scope) ||
      !cwi_db_key_successor(&end)) {
    status = CWI_RAISE_NOMEM(err, "definitions");
    goto out;
  }
  CWI_TRY(cw_value_array(0, &list, err));
  CWI_TRY(cwi_db_cursor_open(txn, bytes_of(&begin), bytes_of(&end), false, &cursor, err));
  for (;;) {
    cw_bytes key;
    cw_bytes value;
    bool found;
    cw_value pair;
    CWI_TRY(cwi_db_cursor_next(cursor, &key, &value, &found, err));
    if (!found) break;
    CWI_TRY(make_pair(key, value, begin.size, &pair, err));
    CWI_TRY(cw_value_array_push(&list, pair, err));
  }
  *out = list;
  list = cwi_value_none();

out:
  cwi_db_cursor_close(cursor);
  cwi_value_drop(list);
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  return status;
}

/* Deletes all keys that begin with what `prefix` holds. */
static cw_status drop_prefix(cwi_db_txn *txn, const cwi_buf *prefix, cw_error *err) {
  cwi_buf end;
  cwi_buf_init(&end, 0);
  (void)cwi_buf_append(&end, prefix->data, prefix->size);
  cw_status status = CW_OK;
  if (!cwi_db_key_successor(&end) || prefix->failed) {
    status = CWI_RAISE_NOMEM(err, "a key");
  } else {
    status = cwi_db_txn_delete_range(txn, bytes_of(prefix), bytes_of(&end), err);
  }
  cwi_buf_deinit(&end);
  return status;
}

/* Deletes the definitions of every kind in a scope: those of the table alone where `whole` is not
 * set, else of all that lies below as well. */
static cw_status drop_definitions(cwi_db_txn *txn, cwi_db_scope scope, int levels, cw_error *err) {
  cw_status status = CW_OK;
  for (int kind = CWI_DB_DEF_DATABASE; status == CW_OK && kind <= CWI_DB_DEF_ACCESS; kind++) {
    cwi_buf prefix;
    cwi_buf_init(&prefix, 0);
    (void)cwi_buf_append_char(&prefix, 1);
    (void)cwi_buf_append_char(&prefix, (char)kind);
    (void)cwi_db_key_u32(&prefix, scope.ns);
    if (levels > 1) (void)cwi_db_key_u32(&prefix, scope.db);
    if (levels > 2) (void)cwi_db_key_u32(&prefix, scope.table);
    status = drop_prefix(txn, &prefix, err);
    cwi_buf_deinit(&prefix);
  }
  return status;
}

cw_status cwi_db_catalog_drop_table(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err) {
  cwi_buf prefix;
  cwi_buf_init(&prefix, 0);
  (void)cwi_buf_append_char(&prefix, 0x10);
  (void)cwi_db_key_u32(&prefix, scope.db);
  (void)cwi_db_key_u32(&prefix, scope.table);
  cw_status status = drop_prefix(txn, &prefix, err);
  cwi_buf_deinit(&prefix);
  if (status == CW_OK && scope.table != 0) status = drop_definitions(txn, scope, 3, err);
  return status == CW_OK ? touch(txn, err) : status;
}

cw_status cwi_db_catalog_drop_database(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err) {
  cwi_buf prefix;
  cwi_buf_init(&prefix, 0);
  (void)cwi_buf_append_char(&prefix, 0x10);
  (void)cwi_db_key_u32(&prefix, scope.db);
  cw_status status = drop_prefix(txn, &prefix, err);
  cwi_buf_deinit(&prefix);
  if (status == CW_OK) status = drop_definitions(txn, scope, 2, err);
  return status == CW_OK ? touch(txn, err) : status;
}

cw_status cwi_db_catalog_drop_namespace(cwi_db_txn *txn, cwi_db_scope scope, cw_error *err) {
  cw_value databases;
  scope.db = 0;
  scope.table = 0;
  cw_status status = cwi_db_catalog_list(txn, CWI_DB_DEF_DATABASE, scope, &databases, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(databases); i++) {
    cwi_db_scope inner = scope;
    inner.db = cwi_db_catalog_id(cw_value_array_get(cw_value_array_get(databases, i), 1));
    status = cwi_db_catalog_drop_database(txn, inner, err);
  }
  cwi_value_drop(databases);
  if (status == CW_OK) status = drop_definitions(txn, scope, 1, err);
  return status == CW_OK ? touch(txn, err) : status;
}
