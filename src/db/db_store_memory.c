/* SPDX-License-Identifier: MIT */
/* The memory store: versions of one copy-on-write tree (db_tree.c).
 *
 * A commit publishes a new root under the lock; a reader takes the root of its begin and is entered
 * in the list of readers. What a commit took out of the tree waits in a batch with the number of
 * that commit, until every reader that began before it has gone. Readers never wait for the writer,
 * nor the writer for them. */
#include <pthread.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "db/db_store_internal.h"
#include "db/db_tree.h"

typedef struct batch {
  uint64_t version; /* readers of an older version may see these blocks */
  cwi_tree_blocks blocks;
  struct batch *next;
} batch;

typedef struct memory_txn memory_txn;

typedef struct memory_store {
  cwi_db_store base;
  pthread_mutex_t lock; /* guards all below */
  cwi_tree_node *root;
  uint64_t version;
  uint64_t generation;
  uint64_t keys;
  uint64_t bytes;
  memory_txn *readers;
  batch *oldest;
  batch *newest;
  bool writing;
} memory_store;

typedef struct savepoint {
  cwi_tree_node *root;
  size_t made;
  size_t retired;
  int64_t keys;
  int64_t bytes;
} savepoint;

struct memory_txn {
  cwi_db_txn base;
  uint64_t version;
  memory_txn *next; /* in the list of readers */
  memory_txn *previous;
  cwi_tree_writer writer; /* `root` is that of readers too */
  savepoint *savepoints;
  size_t savepoints_cap;
};

typedef struct memory_cursor {
  cwi_db_cursor base;
  cwi_tree_path path;
  uint64_t changes;
  bool started;
  bool backward;
  size_t last_cap;
  size_t last_size;
  uint8_t *last; /* of a writer: the key given last, so that the walk finds its place again */
  size_t begin_size;
  size_t end_size;
  uint8_t bounds[]; /* begin, then end */
} memory_cursor;

static memory_store *store_of(cwi_db_store *store) { return (memory_store *)(void *)store; }
static memory_txn *txn_of(cwi_db_txn *txn) { return (memory_txn *)(void *)txn; }

/* Takes the batches that no reader can see off the list. The lock is held. */
static batch *take_unseen(memory_store *store) {
  uint64_t oldest = store->version;
  for (const memory_txn *reader = store->readers; reader != NULL; reader = reader->next) {
    if (reader->version < oldest) oldest = reader->version;
  }
  batch *taken = NULL;
  while (store->oldest != NULL && store->oldest->version <= oldest) {
    batch *first = store->oldest;
    store->oldest = first->next;
    if (store->oldest == NULL) store->newest = NULL;
    first->next = taken;
    taken = first;
  }
  return taken;
}

static void free_batches(batch *list) {
  while (list != NULL) {
    batch *next = list->next;
    cwi_tree_blocks_free_from(&list->blocks, 0);
    cwi_tree_blocks_deinit(&list->blocks);
    CWI_FREE(list);
    list = next;
  }
}

static void memory_close(cwi_db_store *base) {
  memory_store *store = store_of(base);
  CWI_ASSERT(store->readers == NULL && !store->writing);
  free_batches(store->oldest);
  cwi_tree_free(store->root);
  (void)pthread_mutex_destroy(&store->lock);
  CWI_FREE(store);
}

static cw_status memory_begin(cwi_db_store *base, bool write, cwi_db_txn **out, cw_error *err) {
  memory_store *store = store_of(base);
  memory_txn *txn = CWI_NEW(memory_txn);
  if (txn == NULL) return CWI_RAISE_NOMEM(err, "a transaction");
  (void)pthread_mutex_lock(&store->lock);
  bool busy = write && store->writing;
  if (!busy) {
    txn->writer.root = store->root;
    txn->version = store->version;
    txn->writer.generation = ++store->generation;
    if (write) {
      store->writing = true;
    } else {
      txn->next = store->readers;
      if (txn->next != NULL) txn->next->previous = txn;
      store->readers = txn;
    }
  }
  (void)pthread_mutex_unlock(&store->lock);
  if (busy) {
    CWI_FREE(txn);
    return CWI_RAISE(err, CW_E_BUSY, 0, "there is a write transaction already");
  }
  *out = &txn->base;
  return CW_OK;
}

static void free_txn(memory_txn *txn) {
  cwi_tree_blocks_deinit(&txn->writer.made);
  cwi_tree_blocks_deinit(&txn->writer.retired);
  cwi_free(txn->savepoints, txn->savepoints_cap * sizeof(savepoint));
  CWI_FREE(txn);
}

static void end_read(memory_txn *txn) {
  memory_store *store = store_of(txn->base.store);
  (void)pthread_mutex_lock(&store->lock);
  if (txn->previous != NULL) txn->previous->next = txn->next;
  if (txn->next != NULL) txn->next->previous = txn->previous;
  if (store->readers == txn) store->readers = txn->next;
  batch *unseen = take_unseen(store);
  (void)pthread_mutex_unlock(&store->lock);
  free_batches(unseen);
  free_txn(txn);
}

static void memory_rollback(cwi_db_txn *base) {
  memory_txn *txn = txn_of(base);
  if (!base->write) {
    end_read(txn);
    return;
  }
  memory_store *store = store_of(base->store);
  cwi_tree_blocks_free_from(&txn->writer.made, 0);
  (void)pthread_mutex_lock(&store->lock);
  store->writing = false;
  (void)pthread_mutex_unlock(&store->lock);
  free_txn(txn);
}

static cw_status memory_commit(cwi_db_txn *base, cw_error *err) {
  memory_txn *txn = txn_of(base);
  if (!base->write) {
    end_read(txn);
    return CW_OK;
  }
  memory_store *store = store_of(base->store);
  batch *garbage = CWI_NEW(batch);
  if (garbage == NULL) {
    memory_rollback(base);
    return CWI_RAISE_NOMEM(err, "a commit");
  }
  garbage->blocks = txn->writer.retired;
  txn->writer.retired = (cwi_tree_blocks){0};
  (void)pthread_mutex_lock(&store->lock);
  store->root = txn->writer.root;
  store->version++;
  garbage->version = store->version;
  if (store->newest != NULL) store->newest->next = garbage;
  if (store->oldest == NULL) store->oldest = garbage;
  store->newest = garbage;
  store->keys = (uint64_t)((int64_t)store->keys + txn->writer.keys);
  store->bytes = (uint64_t)((int64_t)store->bytes + txn->writer.bytes);
  store->writing = false;
  batch *unseen = take_unseen(store);
  (void)pthread_mutex_unlock(&store->lock);
  free_batches(unseen);
  free_txn(txn);
  return CW_OK;
}

static cw_status memory_get(cwi_db_txn *base, cw_bytes key, cw_bytes *value, bool *found,
                            cw_error *err) {
  (void)err;
  const cwi_tree_entry *entry = cwi_tree_find(txn_of(base)->writer.root, key);
  *found = entry != NULL;
  if (entry != NULL) *value = (cw_bytes){entry->bytes + entry->key_size, entry->value_size};
  return CW_OK;
}

static cw_status memory_put(cwi_db_txn *base, cw_bytes key, cw_bytes value, cw_error *err) {
  return cwi_tree_put(&txn_of(base)->writer, key, value, err);
}

static cw_status memory_remove(cwi_db_txn *base, cw_bytes key, cw_error *err) {
  bool found;
  return cwi_tree_remove(&txn_of(base)->writer, key, &found, err);
}

static cw_status memory_remove_range(cwi_db_txn *base, cw_bytes begin, cw_bytes end,
                                     cw_error *err) {
  memory_txn *txn = txn_of(base);
  for (;;) {
    cwi_tree_path path;
    cwi_tree_seek(txn->writer.root, begin, false, &path);
    const cwi_tree_entry *entry = cwi_tree_at(&path);
    if (entry == NULL) return CW_OK;
    cw_bytes key = {entry->bytes, entry->key_size};
    if (end.size > 0 && cwi_db_bytes_compare(key.data, key.size, end.data, end.size) >= 0)
      return CW_OK;
    bool found;
    cw_status status = cwi_tree_remove(&txn->writer, key, &found, err);
    if (status != CW_OK) return status;
    CWI_ASSERT(found);
  }
}

static cw_status memory_savepoint(cwi_db_txn *base, cw_error *err) {
  memory_txn *txn = txn_of(base);
  if (base->savepoints == txn->savepoints_cap) {
    size_t cap = cwi_size_grow(txn->savepoints_cap, base->savepoints + 1);
    savepoint *grown = cwi_realloc(txn->savepoints, txn->savepoints_cap * sizeof(savepoint),
                                   cap * sizeof(savepoint));
    if (grown == NULL) return CWI_RAISE_NOMEM(err, "a savepoint");
    txn->savepoints = grown;
    txn->savepoints_cap = cap;
  }
  cwi_tree_writer *w = &txn->writer;
  txn->savepoints[base->savepoints] =
      (savepoint){w->root, w->made.len, w->retired.len, w->keys, w->bytes};
  memory_store *store = store_of(base->store);
  (void)pthread_mutex_lock(&store->lock);
  w->generation = ++store->generation;
  (void)pthread_mutex_unlock(&store->lock);
  return CW_OK;
}

static cw_status memory_savepoint_rollback(cwi_db_txn *base, cw_error *err) {
  (void)err;
  memory_txn *txn = txn_of(base);
  const savepoint *mark = &txn->savepoints[base->savepoints - 1];
  cwi_tree_writer *w = &txn->writer;
  w->root = mark->root;
  w->retired.len = mark->retired;
  w->keys = mark->keys;
  w->bytes = mark->bytes;
  w->changes++;
  cwi_tree_blocks_free_from(&w->made, mark->made);
  return CW_OK;
}

static cw_status memory_savepoint_release(cwi_db_txn *base, cw_error *err) {
  (void)base;
  (void)err;
  return CW_OK;
}

static cw_status memory_cursor_open(cwi_db_txn *txn, cw_bytes begin, cw_bytes end, bool backward,
                                    cwi_db_cursor **out, cw_error *err) {
  memory_cursor *cursor = cwi_alloc_zero(sizeof(memory_cursor) + begin.size + end.size);
  if (cursor == NULL) return CWI_RAISE_NOMEM(err, "a cursor");
  cursor->backward = backward;
  cursor->begin_size = begin.size;
  cursor->end_size = end.size;
  if (begin.size > 0) memcpy(cursor->bounds, begin.data, begin.size);
  if (end.size > 0) memcpy(cursor->bounds + begin.size, end.data, end.size);
  *out = &cursor->base;
  (void)txn;
  return CW_OK;
}

static bool remember(memory_cursor *cursor, const cwi_tree_entry *entry) {
  if (entry->key_size > cursor->last_cap) {
    size_t cap = cwi_size_grow(cursor->last_cap, entry->key_size);
    uint8_t *last = cwi_realloc(cursor->last, cursor->last_cap, cap);
    if (last == NULL) return false;
    cursor->last = last;
    cursor->last_cap = cap;
  }
  memcpy(cursor->last, entry->bytes, entry->key_size);
  cursor->last_size = entry->key_size;
  return true;
}

static void cursor_move(memory_cursor *cursor, const memory_txn *txn) {
  const cwi_tree_node *root = txn->writer.root;
  cw_bytes begin = {cursor->bounds, cursor->begin_size};
  cw_bytes end = {cursor->bounds + cursor->begin_size, cursor->end_size};
  cw_bytes last = {cursor->last, cursor->last_size};
  if (cursor->started && cursor->changes == txn->writer.changes) {
    cwi_tree_step(&cursor->path, cursor->backward);
  } else if (cursor->backward) {
    cwi_tree_seek_before(root, cursor->started ? last : end, &cursor->path);
  } else {
    cwi_tree_seek(root, cursor->started ? last : begin, cursor->started, &cursor->path);
  }
  cursor->started = true;
  cursor->changes = txn->writer.changes;
}

static cw_status memory_cursor_next(cwi_db_cursor *base, cw_bytes *key, cw_bytes *value,
                                    bool *found, cw_error *err) {
  memory_cursor *cursor = (memory_cursor *)(void *)base;
  const memory_txn *txn = txn_of(base->txn);
  cursor_move(cursor, txn);
  const cwi_tree_entry *entry = cwi_tree_at(&cursor->path);
  const uint8_t *end = cursor->bounds + cursor->begin_size;
  if (entry == NULL) return CW_OK;
  if (cursor->backward) {
    if (cwi_db_bytes_compare(entry->bytes, entry->key_size, cursor->bounds, cursor->begin_size) <
        0) {
      cursor->path.depth = 0;
      return CW_OK;
    }
  } else if (cursor->end_size > 0 &&
             cwi_db_bytes_compare(entry->bytes, entry->key_size, end, cursor->end_size) >= 0) {
    cursor->path.depth = 0;
    return CW_OK;
  }
  if (base->txn->write && !remember(cursor, entry)) return CWI_RAISE_NOMEM(err, "a cursor");
  *key = (cw_bytes){entry->bytes, entry->key_size};
  *value = (cw_bytes){entry->bytes + entry->key_size, entry->value_size};
  *found = true;
  return CW_OK;
}

static void memory_cursor_close(cwi_db_cursor *base) {
  memory_cursor *cursor = (memory_cursor *)(void *)base;
  cwi_free(cursor->last, cursor->last_cap);
  cwi_free(cursor, sizeof(memory_cursor) + cursor->begin_size + cursor->end_size);
}

static cw_status memory_backup(cwi_db_store *base, const char *path, cw_error *err) {
  cw_status status = CW_OK;
  cwi_db_store *copy = NULL;
  cwi_db_txn *from = NULL;
  cwi_db_txn *to = NULL;
  cwi_db_cursor *cursor = NULL;
  CWI_TRY(cwi_db_store_open_sqlite(path, NULL, &copy, err));
  CWI_TRY(cwi_db_txn_begin(base, false, &from, err));
  CWI_TRY(cwi_db_txn_begin(copy, true, &to, err));
  CWI_TRY(cwi_db_txn_delete_range(to, (cw_bytes){NULL, 0}, (cw_bytes){NULL, 0}, err));
  CWI_TRY(cwi_db_cursor_open(from, (cw_bytes){NULL, 0}, (cw_bytes){NULL, 0}, false, &cursor, err));
  for (;;) {
    cw_bytes key;
    cw_bytes value;
    bool found;
    CWI_TRY(cwi_db_cursor_next(cursor, &key, &value, &found, err));
    if (!found) break;
    CWI_TRY(cwi_db_txn_put(to, key, value, err));
  }
  status = cwi_db_txn_commit(to, err);
  to = NULL;

out:
  cwi_db_cursor_close(cursor);
  cwi_db_txn_rollback(to);
  cwi_db_txn_rollback(from);
  cwi_db_store_close(copy);
  return status;
}

static void memory_stats(cwi_db_store *base, cwi_db_store_stats *stats) {
  memory_store *store = store_of(base);
  (void)pthread_mutex_lock(&store->lock);
  stats->keys = store->keys;
  stats->bytes = store->bytes;
  stats->commits = store->version;
  (void)pthread_mutex_unlock(&store->lock);
}

static const cwi_db_store_ops memory_ops = {
    .close = memory_close,
    .begin = memory_begin,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .get = memory_get,
    .put = memory_put,
    .remove = memory_remove,
    .remove_range = memory_remove_range,
    .savepoint = memory_savepoint,
    .savepoint_rollback = memory_savepoint_rollback,
    .savepoint_release = memory_savepoint_release,
    .cursor_open = memory_cursor_open,
    .cursor_next = memory_cursor_next,
    .cursor_close = memory_cursor_close,
    .backup = memory_backup,
    .stats = memory_stats,
};

cw_status cwi_db_store_open_memory(cwi_db_store **out, cw_error *err) {
  *out = NULL;
  memory_store *store = CWI_NEW(memory_store);
  if (store == NULL) return CWI_RAISE_NOMEM(err, "a store");
  store->base.ops = &memory_ops;
  if (pthread_mutex_init(&store->lock, NULL) != 0) {
    CWI_FREE(store);
    return CWI_RAISE_NOMEM(err, "a store");
  }
  *out = &store->base;
  return CW_OK;
}
