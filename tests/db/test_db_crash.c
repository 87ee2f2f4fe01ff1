/* SPDX-License-Identifier: MIT */
/* A process that writes is killed at random points: after it, every commit that it reported is there,
 * and none is there in part. Each transaction writes its number under several keys. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "db/db_store.h"
#include "support/test.h"

#define KEYS_A_COMMIT 5

static char path[64];

static void remove_files(void) {
  static const char *const tails[] = {"", "-wal", "-shm", "-lock"};
  for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
    char name[96];
    (void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
    (void)remove(name);
  }
}

/* Commits numbers from `next` on and reports each that is committed, until it is killed. */
static void write_forever(int report, uint32_t next) {
  cwi_db_store *store = NULL;
  if (cwi_db_store_open_sqlite(path, NULL, &store, NULL) != CW_OK) _exit(3);
  for (;; next++) {
    cwi_db_txn *txn = NULL;
    if (cwi_db_txn_begin(store, true, &txn, NULL) != CW_OK) _exit(4);
    for (unsigned k = 0; k < KEYS_A_COMMIT; k++) {
      char key[2] = {'k', (char)('0' + k)};
      if (cwi_db_txn_put(txn, (cw_bytes){key, 2}, (cw_bytes){&next, sizeof(next)}, NULL) != CW_OK) _exit(5);
    }
    char own[16];
    int size = snprintf(own, sizeof(own), "n%08u", next);
    if (cwi_db_txn_put(txn, (cw_bytes){own, (size_t)size}, (cw_bytes){own, (size_t)size}, NULL) != CW_OK) {
      _exit(6);
    }
    if (cwi_db_txn_commit(txn, NULL) != CW_OK) _exit(7);
    if (write(report, &next, sizeof(next)) != (ssize_t)sizeof(next)) _exit(8);
  }
}

/* Reads what the store holds: the number that all keys agree on. */
static uint32_t check_store(uint32_t reported) {
  cwi_db_store *store = NULL;
  cwi_db_txn *txn = NULL;
  uint32_t numbers[KEYS_A_COMMIT] = {0};
  CHECK_OK(cwi_db_store_open_sqlite(path, NULL, &store, NULL));
  CHECK_OK(cwi_db_txn_begin(store, false, &txn, NULL));
  for (unsigned k = 0; k < KEYS_A_COMMIT; k++) {
    char key[2] = {'k', (char)('0' + k)};
    cw_bytes value;
    bool found;
    CHECK_OK(cwi_db_txn_get(txn, (cw_bytes){key, 2}, &value, &found, NULL));
    if (found) memcpy(&numbers[k], value.data, sizeof(numbers[k]));
    CHECK(numbers[k] == numbers[0]);
  }
  if (numbers[0] < reported) fail_msg("commit %u was reported, the store is at %u", reported, numbers[0]);
  for (uint32_t n = 1; n <= numbers[0]; n++) {
    char own[16];
    int size = snprintf(own, sizeof(own), "n%08u", n);
    bool found;
    CHECK_OK(cwi_db_txn_has(txn, (cw_bytes){own, (size_t)size}, &found, NULL));
    if (!found) fail_msg("commit %u of %u is lost", n, numbers[0]);
  }
  cwi_db_txn_rollback(txn);
  cwi_db_store_close(store);
  return numbers[0];
}

TEST(db_crash, no_reported_commit_is_lost_when_the_process_is_killed) {
  (void)snprintf(path, sizeof(path), "/tmp/cwt_crash_%d", (int)getpid());
  remove_files();
  uint32_t next = 1;
  uint64_t state = 0x2545F4914F6CDD1DU;
  for (size_t round = 0; round < cwt_rounds(15); round++) {
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      (void)close(pipe_ends[0]);
      write_forever(pipe_ends[1], next);
    }
    (void)close(pipe_ends[1]);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    /* Lets it commit a few times, then a random moment more. */
    uint32_t reported = 0;
    for (uint64_t n = 0; n <= state % 8; n++) {
      if (read(pipe_ends[0], &reported, sizeof(reported)) != (ssize_t)sizeof(reported)) break;
    }
    struct timespec moment = {0, (long)(state >> 20) % 3000000};
    (void)nanosleep(&moment, NULL);
    (void)kill(child, SIGKILL);
    int status;
    (void)waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    uint32_t late;
    while (read(pipe_ends[0], &late, sizeof(late)) == (ssize_t)sizeof(late)) reported = late;
    (void)close(pipe_ends[0]);
    next = check_store(reported) + 1;
  }
  remove_files();
}
