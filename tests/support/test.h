/* SPDX-License-Identifier: MIT */
/* The test harness: TEST(unit, claim) { ... } over cmocka's assertions.
 *
 * A test program without arguments runs every test in it; with arguments, those whose name
 * ("unit.claim") begins with one of them. ctest runs one process a test. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "causeway/error.h"

typedef struct cwt_test {
  const char *name;
  void (*run)(void);
  struct cwt_test *next;
} cwt_test;

void cwt_register(cwt_test *test);

#define TEST(unit, claim)                                                           \
  static void unit##_##claim(void);                                                 \
  static cwt_test test_##unit##_##claim = {#unit "." #claim, unit##_##claim, NULL}; \
  __attribute__((constructor)) static void register_##unit##_##claim(void) {        \
    cwt_register(&test_##unit##_##claim);                                           \
  }                                                                                 \
  static void unit##_##claim(void)

/* Fails with the text of the error where `call`, given `&err`, is not CW_OK. */
#define CHECK_OK(call)                                             \
  do {                                                             \
    cw_status check_status = (call);                               \
    if (check_status != CW_OK) {                                   \
      fail_msg("%s gave %s", #call, cw_status_name(check_status)); \
    }                                                              \
  } while (0)

/* Fails where `call` does not give the status `code`. */
#define CHECK_STATUS(call, code)                                                       \
  do {                                                                                 \
    cw_status check_status = (call);                                                   \
    if (check_status != (code)) {                                                      \
      fail_msg("%s gave %s, expected %s", #call, cw_status_name(check_status), #code); \
    }                                                                                  \
  } while (0)

#define CHECK(condition)                                    \
  do {                                                      \
    if (!(condition)) fail_msg("not true: %s", #condition); \
  } while (0)

/* How many rounds a long test does: `standard`, or CW_ROUNDS percent of it where that is set. */
size_t cwt_rounds(size_t standard);

/* ---- faults: makes allocations of the library fail ---- */

/* From now on the n-th allocation (1 is the next) fails: once, or with `forever` every one after
 * it. */
void cwt_fault_arm(size_t nth, bool forever);
/* Stops failing; returns whether an allocation was made to fail since it was armed. */
bool cwt_fault_disarm(void);

/* Runs `expression` (a cw_status) with the 1st, 2nd, 3rd ... allocation failing, once and for good,
 * until none is reached. Each run must give CW_OK or CW_E_NOMEM and leave no memory behind;
 * clean-up that belongs to a successful run stands in `cleanup`. */
#define CHECK_SURVIVES_OOM(expression, cleanup)                                                    \
  do {                                                                                             \
    for (int oom_forever = 0; oom_forever < 2; oom_forever++) {                                    \
      for (size_t oom_nth = 1;; oom_nth++) {                                                       \
        uint64_t oom_before = cw_allocated_bytes();                                                \
        cwt_fault_arm(oom_nth, oom_forever != 0);                                                  \
        cw_status oom_status = (expression);                                                       \
        bool oom_reached = cwt_fault_disarm();                                                     \
        if (oom_status == CW_OK) {                                                                 \
          cleanup;                                                                                 \
        } else if (oom_status != CW_E_NOMEM || !oom_reached) {                                     \
          fail_msg("allocation %zu failed%s: %s gave %s", oom_nth, oom_forever ? " for good" : "", \
                   #expression, cw_status_name(oom_status));                                       \
        }                                                                                          \
        if (cw_allocated_bytes() != oom_before) {                                                  \
          fail_msg("allocation %zu failed%s: %s leaves %lld bytes", oom_nth,                       \
                   oom_forever ? " for good" : "", #expression,                                    \
                   (long long)(cw_allocated_bytes() - oom_before));                                \
        }                                                                                          \
        if (!oom_reached) break;                                                                   \
      }                                                                                            \
    }                                                                                              \
  } while (0)

#include "causeway/alloc.h"

#endif
