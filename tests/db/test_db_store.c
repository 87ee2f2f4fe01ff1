/* SPDX-License-Identifier: MIT */
/* Stores against a naive reference: random operations with savepoints, snapshots that stay as they
 * were, cursors in both directions, and survival without memory. */
#include <stdio.h>
#include <unistd.h>

#include "db/db_store_internal.h"
#include "db/db_tree.h"
#include "support/test.h"

#define KEYS 400

typedef struct model {
  int value[KEYS]; /* 0: absent */
} model;

static uint64_t random_state;

static unsigned random_below(unsigned limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state % limit);
}

static cw_bytes key_of(int key, char text[16]) {
  return (cw_bytes){text, (size_t)snprintf(text, 16, "k%05d", key)};
}

static cw_bytes value_of(int value, char text[64]) {
  return (cw_bytes){text, (size_t)snprintf(text, 64, "value %d%.*s", value, value % 40,
                                           "........................................")};
}

static void check_against(cwi_db_txn *txn, const model *expected, bool backward) {
  cwi_db_cursor *cursor = NULL;
  int from = (int)random_below(KEYS);
  int to = from + (int)random_below(KEYS);
  char begin[16];
  char end[16];
  CHECK_OK(cwi_db_cursor_open(txn, key_of(from, begin), key_of(to, end), backward, &cursor, NULL));
  for (int i = 0; i < to - from; i++) {
    int key = backward ? to - 1 - i : from + i;
    if (key >= KEYS || expected->value[key] == 0) continue;
    cw_bytes got_key;
    cw_bytes got_value;
    bool found;
    char key_text[16];
    char value_text[64];
    CHECK_OK(cwi_db_cursor_next(cursor, &got_key, &got_value, &found, NULL));
    CHECK(found);
    cw_bytes want_key = key_of(key, key_text);
    cw_bytes want_value = value_of(expected->value[key], value_text);
    CHECK(got_key.size == want_key.size && memcmp(got_key.data, want_key.data, want_key.size) == 0);
    CHECK(got_value.size == want_value.size &&
          memcmp(got_value.data, want_value.data, want_value.size) == 0);
  }
  cw_bytes key;
  cw_bytes value;
  bool found;
  CHECK_OK(cwi_db_cursor_next(cursor, &key, &value, &found, NULL));
  CHECK(!found);
  cwi_db_cursor_close(cursor);
}

static void write_some(cwi_db_txn *txn, model *m, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    int key = (int)random_below(KEYS);
    char key_text[16];
    char value_text[64];
    unsigned what = random_below(20);
    if (what == 0) {
      int to = key + (int)random_below(50);
      char end[16];
      CHECK_OK(cwi_db_txn_delete_range(txn, key_of(key, key_text), key_of(to, end), NULL));
      for (int k = key; k < to && k < KEYS; k++) m->value[k] = 0;
    } else if (what < 7) {
      CHECK_OK(cwi_db_txn_delete(txn, key_of(key, key_text), NULL));
      m->value[key] = 0;
    } else {
      m->value[key] = 1 + (int)random_below(1000);
      CHECK_OK(
          cwi_db_txn_put(txn, key_of(key, key_text), value_of(m->value[key], value_text), NULL));
    }
  }
}

static void run_model(cwi_db_store *store, size_t rounds) {
  model committed = {{0}};
  model seen = {{0}};
  cwi_db_txn *reader = NULL;
  for (size_t round = 0; round < rounds; round++) {
    cwi_db_txn *txn = NULL;
    CHECK_OK(cwi_db_txn_begin(store, true, &txn, NULL));
    model now = committed;
    write_some(txn, &now, 20);
    model marked = now;
    CHECK_OK(cwi_db_txn_savepoint(txn, NULL));
    write_some(txn, &now, 20);
    CHECK_OK(cwi_db_txn_savepoint(txn, NULL));
    write_some(txn, &now, 10);
    CHECK_OK(cwi_db_txn_savepoint_release(txn, NULL));
    check_against(txn, &now, random_below(2) == 0);
    if (random_below(2) == 0) {
      CHECK_OK(cwi_db_txn_savepoint_rollback(txn, NULL));
      now = marked;
      check_against(txn, &now, random_below(2) == 0);
    }
    CHECK_OK(cwi_db_txn_savepoint_release(txn, NULL));
    write_some(txn, &now, 10);
    if (random_below(4) == 0) {
      cwi_db_txn_rollback(txn);
    } else {
      CHECK_OK(cwi_db_txn_commit(txn, NULL));
      committed = now;
    }
    if (reader == NULL) {
      CHECK_OK(cwi_db_txn_begin(store, false, &reader, NULL));
      seen = committed;
    }
    check_against(reader, &seen, random_below(2) == 0);
    if (random_below(5) == 0) {
      cwi_db_txn_rollback(reader);
      reader = NULL;
    }
  }
  cwi_db_txn_rollback(reader);
}

TEST(db_store_memory, agrees_with_a_naive_map) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
    cwi_db_store *store = NULL;
    CHECK_OK(cwi_db_store_open_memory(&store, NULL));
    run_model(store, cwt_rounds(150));
    cwi_db_store_close(store);
  }
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(db_store_memory, has_one_writer_at_a_time) {
  cwi_db_store *store = NULL;
  cwi_db_txn *first = NULL;
  cwi_db_txn *second = NULL;
  CHECK_OK(cwi_db_store_open_memory(&store, NULL));
  CHECK_OK(cwi_db_txn_begin(store, true, &first, NULL));
  CHECK_STATUS(cwi_db_txn_begin(store, true, &second, NULL), CW_E_BUSY);
  CHECK(second == NULL);
  CHECK_OK(cwi_db_txn_commit(first, NULL));
  CHECK_OK(cwi_db_txn_begin(store, true, &second, NULL));
  cwi_db_txn_rollback(second);
  cwi_db_store_close(store);
}

TEST(db_store_memory, a_read_transaction_does_not_write) {
  cwi_db_store *store = NULL;
  cwi_db_txn *txn = NULL;
  CHECK_OK(cwi_db_store_open_memory(&store, NULL));
  CHECK_OK(cwi_db_txn_begin(store, false, &txn, NULL));
  CHECK_STATUS(cwi_db_txn_put(txn, (cw_bytes){"a", 1}, (cw_bytes){"b", 1}, NULL), CW_E_STATE);
  cwi_db_txn_rollback(txn);
  cwi_db_store_close(store);
}

TEST(db_store_memory, an_interrupt_ends_a_walk) {
  cwi_db_store *store = NULL;
  cwi_db_txn *txn = NULL;
  cwi_db_cursor *cursor = NULL;
  atomic_int flag = 0;
  CHECK_OK(cwi_db_store_open_memory(&store, NULL));
  CHECK_OK(cwi_db_txn_begin(store, true, &txn, NULL));
  CHECK_OK(cwi_db_txn_put(txn, (cw_bytes){"a", 1}, (cw_bytes){"b", 1}, NULL));
  cwi_db_txn_interrupt_flag(txn, &flag);
  CHECK_OK(cwi_db_cursor_open(txn, (cw_bytes){NULL, 0}, (cw_bytes){NULL, 0}, false, &cursor, NULL));
  atomic_store(&flag, 1);
  cw_bytes key;
  cw_bytes value;
  bool found;
  CHECK_STATUS(cwi_db_cursor_next(cursor, &key, &value, &found, NULL), CW_E_CANCELLED);
  cwi_db_cursor_close(cursor);
  CHECK_STATUS(cwi_db_txn_commit(txn, NULL), CW_E_CANCELLED);
  cwi_db_store_close(store);
}

static cw_status fill_and_commit(void) {
  cwi_db_store *store = NULL;
  cwi_db_txn *txn = NULL;
  cw_status status = cwi_db_store_open_memory(&store, NULL);
  if (status == CW_OK) status = cwi_db_txn_begin(store, true, &txn, NULL);
  for (int i = 0; status == CW_OK && i < 150; i++) {
    char key[16];
    char value[64];
    status = cwi_db_txn_put(txn, key_of(i, key), value_of(i, value), NULL);
    if (i == 100 && status == CW_OK) status = cwi_db_txn_savepoint(txn, NULL);
  }
  if (status == CW_OK) {
    status = cwi_db_txn_commit(txn, NULL);
  } else {
    cwi_db_txn_rollback(txn);
  }
  cwi_db_store_close(store);
  return status;
}

TEST(db_store_memory, survives_without_memory) { CHECK_SURVIVES_OOM(fill_and_commit(), (void)0); }

/* ---- the file store ---- */

static char test_path[64];

static void remove_files(void) {
  static const char *const tails[] = {"", "-wal", "-shm", "-lock", "-journal"};
  for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
    char path[96];
    (void)snprintf(path, sizeof(path), "%s%s", test_path, tails[i]);
    (void)remove(path);
  }
}

static void fresh_path(const char *name) {
  (void)snprintf(test_path, sizeof(test_path), "/tmp/cwt_%s_%d", name, (int)getpid());
  remove_files();
}

TEST(db_store_sqlite, agrees_with_a_naive_map) {
  fresh_path("model");
  random_state = UINT64_C(0x9E3779B97F4A7C15);
  cwi_db_store *store = NULL;
  cwi_db_store_options options = {.sync = CWI_DB_SYNC_NORMAL};
  CHECK_OK(cwi_db_store_open_sqlite(test_path, &options, &store, NULL));
  run_model(store, cwt_rounds(100));
  cwi_db_store_close(store);
  remove_files();
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(db_store_sqlite, keeps_what_was_committed_across_opens) {
  fresh_path("reopen");
  for (int round = 0; round < 5; round++) {
    cwi_db_store *store = NULL;
    cwi_db_txn *txn = NULL;
    char key[16];
    char value[64];
    CHECK_OK(cwi_db_store_open_sqlite(test_path, NULL, &store, NULL));
    CHECK_OK(cwi_db_txn_begin(store, true, &txn, NULL));
    for (int i = 0; i < round; i++) {
      cw_bytes got;
      bool found;
      CHECK_OK(cwi_db_txn_get(txn, key_of(i, key), &got, &found, NULL));
      CHECK(found && got.size == value_of(i, value).size);
    }
    CHECK_OK(cwi_db_txn_put(txn, key_of(round, key), value_of(round, value), NULL));
    CHECK_OK(cwi_db_txn_commit(txn, NULL));
    CHECK_OK(cwi_db_txn_begin(store, true, &txn, NULL));
    CHECK_OK(cwi_db_txn_put(txn, key_of(100, key), value_of(1, value), NULL));
    cwi_db_txn_rollback(txn);
    cwi_db_store_close(store);
  }
  remove_files();
}

TEST(db_store_sqlite, a_second_writer_gets_a_clear_error_and_a_reader_may_look) {
  fresh_path("lock");
  cwi_db_store *first = NULL;
  cwi_db_store *second = NULL;
  cwi_db_txn *txn = NULL;
  cw_error err;
  char key[16];
  CHECK_OK(cwi_db_store_open_sqlite(test_path, NULL, &first, NULL));
  CHECK_OK(cwi_db_txn_begin(first, true, &txn, NULL));
  CHECK_OK(cwi_db_txn_put(txn, key_of(1, key), (cw_bytes){"x", 1}, NULL));
  CHECK_OK(cwi_db_txn_commit(txn, NULL));
  CHECK_STATUS(cwi_db_store_open_sqlite(test_path, NULL, &second, &err), CW_E_BUSY);
  CHECK(strstr(err.message, "open for writing elsewhere") != NULL);
  cwi_db_store_options options = {.read_only = true};
  CHECK_OK(cwi_db_store_open_sqlite(test_path, &options, &second, NULL));
  CHECK_STATUS(cwi_db_txn_begin(second, true, &txn, NULL), CW_E_DENIED);
  CHECK_OK(cwi_db_txn_begin(second, false, &txn, NULL));
  bool found;
  CHECK_OK(cwi_db_txn_has(txn, key_of(1, key), &found, NULL));
  CHECK(found);
  cwi_db_txn_rollback(txn);
  cwi_db_store_close(second);
  cwi_db_store_close(first);
  CHECK_OK(cwi_db_store_open_sqlite(test_path, NULL, &second, NULL));
  cwi_db_store_close(second);
  remove_files();
}

TEST(db_store_sqlite, refuses_a_file_that_is_not_its_own) {
  fresh_path("foreign");
  FILE *file = fopen(test_path, "w");
  CHECK(file != NULL);
  for (int i = 0; i < 2000; i++) (void)fputs("not a database ", file);
  (void)fclose(file);
  cwi_db_store *store = NULL;
  CHECK_STATUS(cwi_db_store_open_sqlite(test_path, NULL, &store, NULL), CW_E_CORRUPT);
  remove_files();
  cwi_db_store_options options = {.read_only = true};
  CHECK_STATUS(cwi_db_store_open_sqlite(test_path, &options, &store, NULL), CW_E_NOT_FOUND);
}

TEST(db_store_sqlite, a_backup_opens_and_has_everything) {
  fresh_path("backup");
  char copy_path[96];
  (void)snprintf(copy_path, sizeof(copy_path), "%s_copy", test_path);
  (void)remove(copy_path);
  cwi_db_store *stores[2] = {NULL, NULL};
  CHECK_OK(cwi_db_store_open_memory(&stores[0], NULL));
  CHECK_OK(cwi_db_store_open_sqlite(test_path, NULL, &stores[1], NULL));
  for (int i = 0; i < 2; i++) {
    cwi_db_txn *txn = NULL;
    char key[16];
    char value[64];
    CHECK_OK(cwi_db_txn_begin(stores[i], true, &txn, NULL));
    for (int k = 0; k < 200; k++) {
      CHECK_OK(cwi_db_txn_put(txn, key_of(k, key), value_of(k, value), NULL));
    }
    CHECK_OK(cwi_db_txn_commit(txn, NULL));
    CHECK_OK(cwi_db_store_backup(stores[i], copy_path, NULL));
    cwi_db_store_close(stores[i]);
    cwi_db_store *copy = NULL;
    CHECK_OK(cwi_db_store_open_sqlite(copy_path, NULL, &copy, NULL));
    CHECK_OK(cwi_db_txn_begin(copy, false, &txn, NULL));
    bool found;
    CHECK_OK(cwi_db_txn_has(txn, key_of(199, key), &found, NULL));
    CHECK(found);
    cwi_db_txn_rollback(txn);
    cwi_db_store_close(copy);
    (void)remove(copy_path);
    (void)snprintf(key, sizeof(key), "%s", "");
  }
  char lock[128];
  (void)snprintf(lock, sizeof(lock), "%s-lock", copy_path);
  (void)remove(lock);
  remove_files();
}
