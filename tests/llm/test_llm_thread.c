/* SPDX-License-Identifier: MIT */
/* Proves that every chunk is done exactly once, whatever the number of threads and jobs. */
#include "llm/llm_thread.h"

#include <stdatomic.h>

#include "support/test.h"

typedef struct tally {
  _Atomic uint32_t done[512];
  uint32_t plain[512]; /* a race here is seen by the thread sanitizer */
  _Atomic uint64_t threads;
} tally;

static void count_chunk(void *context, size_t chunk, size_t thread) {
  tally *t = context;
  atomic_fetch_add(&t->done[chunk], 1);
  t->plain[chunk]++;
  atomic_fetch_or(&t->threads, (uint64_t)1 << thread);
}

TEST(llm_thread, every_chunk_is_done_once) {
  static const size_t threads[] = {1, 2, 3, 8};
  for (size_t n = 0; n < sizeof(threads) / sizeof(threads[0]); n++) {
    cwi_llm_pool *pool = NULL;
    CHECK_OK(cwi_llm_pool_new(threads[n], n % 2 == 1, &pool, NULL));
    assert_int_equal(cwi_llm_pool_threads(pool), threads[n]);
    static tally t;
    memset(&t, 0, sizeof(t));
    size_t jobs = cwt_rounds(2000);
    uint32_t expected[512] = {0};
    for (size_t job = 0; job < jobs; job++) {
      size_t chunks = job % 37 == 0 ? 512 : job % 7;
      for (size_t i = 0; i < chunks; i++) expected[i]++;
      cwi_llm_pool_run(pool, chunks, count_chunk, &t);
    }
    for (size_t i = 0; i < 512; i++) {
      assert_int_equal(t.done[i], expected[i]);
      assert_int_equal(t.plain[i], expected[i]);
    }
    CHECK((t.threads & 1) != 0 && t.threads < (uint64_t)1 << threads[n]);
    cwi_llm_pool_free(pool);
  }
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(llm_thread, refuses_too_many_threads) {
  cwi_llm_pool *pool = NULL;
  CHECK_STATUS(cwi_llm_pool_new(CWI_LLM_THREADS_MAX + 1, false, &pool, NULL), CW_E_LIMIT);
  CHECK(pool == NULL);
  CHECK_OK(cwi_llm_pool_new(0, false, &pool, NULL));
  CHECK(cwi_llm_pool_threads(pool) >= 1);
  cwi_llm_pool_free(pool);
}

static cw_status make_pool(cwi_llm_pool **pool) { return cwi_llm_pool_new(2, false, pool, NULL); }

TEST(llm_thread, survives_every_failed_allocation) {
  cwi_llm_pool *pool = NULL;
  CHECK_SURVIVES_OOM(make_pool(&pool), cwi_llm_pool_free(pool));
}
