/* SPDX-License-Identifier: MIT */
/* Proves that an arena grows, rewinds, keeps its maximum and survives failed allocations. */
#include "core/arena.h"

#include "support/test.h"

TEST(arena, memory_is_aligned_and_distinct) {
  cwi_arena arena;
  cwi_arena_init(&arena, 0);
  char *last = NULL;
  for (size_t size = 0; size < 5000; size += 7) {
    char *p = cwi_arena_alloc(&arena, size);
    CHECK(p != NULL && p != last);
    assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
    memset(p, 0xA5, size);
    last = p;
  }
  cwi_arena_deinit(&arena);
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(arena, rewind_gives_back_what_came_after_the_mark) {
  cwi_arena arena;
  cwi_arena_init(&arena, 0);
  CHECK(cwi_arena_strndup(&arena, "kept", 4) != NULL);
  cwi_arena_mark mark = cwi_arena_mark_get(&arena);
  size_t size = arena.size;
  for (int i = 0; i < 100; i++) CHECK(cwi_arena_alloc(&arena, 10000) != NULL);
  cwi_arena_rewind(&arena, mark);
  assert_int_equal(arena.size, size);
  CHECK(cwi_arena_alloc(&arena, 100) != NULL);
  cwi_arena_deinit(&arena);
}

TEST(arena, maximum_is_never_passed) {
  cwi_arena arena;
  cwi_arena_init(&arena, 10000);
  size_t got = 0;
  while (cwi_arena_alloc(&arena, 100) != NULL) got += 100;
  CHECK(got > 8000 && got <= 10000 && arena.size <= 10000);
  CHECK(cwi_arena_alloc(&arena, SIZE_MAX) == NULL);
  CHECK(cwi_arena_alloc_array(&arena, SIZE_MAX / 2, 3) == NULL);
  cwi_arena_deinit(&arena);
}

static cw_status fill_arena(void) {
  cwi_arena arena;
  cwi_arena_init(&arena, 0);
  cw_status status = CW_OK;
  for (int i = 0; i < 20 && status == CW_OK; i++) {
    if (cwi_arena_alloc_zero(&arena, 3000) == NULL) status = CW_E_NOMEM;
  }
  cwi_arena_deinit(&arena);
  return status;
}

TEST(arena, survives_every_failed_allocation) { CHECK_SURVIVES_OOM(fill_arena(), (void)0); }
