/* SPDX-License-Identifier: MIT */
/* Runs registered tests through cmocka, and owns the allocator that fails on demand. The allocator
 * counts only on the thread that armed it, so that other threads do not shift the n-th allocation.
 */
#include "support/test.h"

#include <stdatomic.h>
#include <stdio.h>

static cwt_test *tests;

void cwt_register(cwt_test *test) {
  test->next = tests;
  tests = test;
}

static _Thread_local size_t fault_countdown; /* 0: off */
static _Thread_local bool fault_forever;
static _Thread_local bool fault_reached;

static bool should_fail(void) {
  if (fault_countdown == 0) return false;
  if (fault_countdown > 1) {
    fault_countdown--;
    return false;
  }
  fault_reached = true;
  if (!fault_forever) fault_countdown = 0;
  return true;
}

static void *resize_or_fail(void *pointer, size_t size_old, size_t size_new, void *context) {
  (void)context;
  (void)size_old;
  if (size_new == 0) {
    free(pointer);
    return NULL;
  }
  return should_fail() ? NULL : realloc(pointer, size_new);
}

void cwt_fault_arm(size_t nth, bool forever) {
  fault_countdown = nth;
  fault_forever = forever;
  fault_reached = false;
}

bool cwt_fault_disarm(void) {
  fault_countdown = 0;
  return fault_reached;
}

size_t cwt_rounds(size_t standard) {
  const char *percent = getenv("CW_ROUNDS");
  if (percent == NULL) return standard;
  size_t rounds = standard * (size_t)strtoull(percent, NULL, 10) / 100;
  return rounds == 0 ? 1 : rounds;
}

static void run_one(void **state) {
  const cwt_test *test = *state;
  test->run();
}

static bool is_wanted(const cwt_test *test, int argc, char **argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; i++) {
    if (strncmp(test->name, argv[i], strlen(argv[i])) == 0) return true;
  }
  return false;
}

int main(int argc, char **argv) {
  cw_allocator allocator = CW_ALLOCATOR_INIT;
  allocator.resize = resize_or_fail;
  if (cw_allocator_set(&allocator, NULL) != CW_OK) return 2;
  size_t len = 0;
  for (cwt_test *t = tests; t != NULL; t = t->next) len += is_wanted(t, argc, argv);
  struct CMUnitTest *rows = calloc(len + 1, sizeof(*rows));
  if (rows == NULL || len == 0) {
    (void)fprintf(stderr, "no such test\n");
    return 2;
  }
  size_t at = len;
  for (cwt_test *t = tests; t != NULL; t = t->next) {
    if (!is_wanted(t, argc, argv)) continue;
    rows[--at] = (struct CMUnitTest){t->name, run_one, NULL, NULL, t};
  }
  int failed = _cmocka_run_group_tests("causeway", rows, len, NULL, NULL);
  free(rows);
  return failed == 0 ? 0 : 1;
}
