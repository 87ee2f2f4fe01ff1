/* SPDX-License-Identifier: MIT */
/* Pools of type-stable slots, found by handle.
 *
 * A pool is a directory of chunks of 256 slots. Free slots wait in lists: a small one a thread
 * (no lock, no atomics) in front of one for all (a mutex, taken once for a batch of 32). The word
 * at the head of a slot:
 *
 *   bits 8..31 generation      bit 0 locked      bit 1 first handle alive      bit 2 second alive
 *
 * Waiting for the lock: the holder is a few instructions from its end, unless the system has taken
 * its CPU away. So a waiter spins for at most SPIN_NS and then parks on the word's low half. The
 * holder looks at `parked` after its unlocking store; a waiter that was not seen because both
 * happened within one store buffer's delay wakes by its time-out: the one place in the library
 * where a time-out replaces a wake, so that unlocking stays one plain store.
 *
 * Rejected: reference counts in the word (two atomic operations a call in place of one); hazard
 * pointers (a fence a call); a lock for the whole table (the eight threads of the test would meet
 * there). */
#include "core/handle.h"

#include <pthread.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/future.h"
#include "core/thread.h"

#define CHUNK_SLOTS ((size_t)256)
#define CHUNKS_MAX ((size_t)1 << (CWI_HANDLE_INDEX_BITS - 8))
#define GENERATION_MAX ((1U << CWI_HANDLE_GENERATION_BITS) - 1)
#define BATCH 32
#define CACHE_MAX (2 * BATCH)
#define SPIN_ROUNDS 256
#define PARK_NS 200000

_Static_assert(offsetof(cwi_object_head, index) - offsetof(cwi_object_head, refs) >= sizeof(void *),
               "the list of dead objects is threaded through the counts");

#define WORD_LOCKED 1U
#define WORD_LIVE_FIRST 2U
#define WORD_LIVE_SECOND 4U
#define WORD_FLAGS 0xFFU
#define WORD_GENERATION(word) ((uint32_t)((word) >> 8))

typedef struct free_slot { /* what a slot holds behind its head while it is free */
  cwi_object_head head;
  struct free_slot *next;
} free_slot;

typedef struct pool {
  const cwi_pool_ops *ops;
  cw_handle_kind first;
  pthread_mutex_t mutex;
  _Atomic(char *) *chunks; /* CHUNKS_MAX of them */
  size_t chunk_count;      /* [mutex] */
  free_slot *free;         /* [mutex] */
} pool;

typedef struct cache {
  free_slot *free;
  uint32_t len;
} cache;

static pool pools[CWI_HANDLE_KIND_COUNT];
static pool *pool_of_kind[CWI_HANDLE_KIND_COUNT];
static _Atomic(char *) directories[CWI_HANDLE_KIND_COUNT]
                                  [CHUNKS_MAX]; /* pages are touched on use */
static pthread_mutex_t define_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t parked;
static CWI_THREAD_LOCAL cache caches[CWI_HANDLE_KIND_COUNT];

void cwi_pool_define(cw_handle_kind kind, cw_handle_kind second, const cwi_pool_ops *ops) {
  CWI_ASSERT(kind > 0 && kind < CWI_HANDLE_KIND_COUNT);
  CWI_ASSERT(ops->size >= sizeof(free_slot));
  (void)pthread_mutex_lock(&define_mutex);
  pool *p = &pools[kind];
  if (p->ops == NULL) {
    p->first = kind;
    p->chunks = directories[kind];
    (void)pthread_mutex_init(&p->mutex, NULL);
    p->ops = ops;
    __atomic_store_n(&pool_of_kind[kind], p, __ATOMIC_RELEASE);
    if (second != CW_HANDLE_NONE) __atomic_store_n(&pool_of_kind[second], p, __ATOMIC_RELEASE);
  }
  (void)pthread_mutex_unlock(&define_mutex);
}

/* ---- the lists of free slots ---- */

static void flush_cache(pool *p, cache *c, uint32_t keep) {
  (void)pthread_mutex_lock(&p->mutex);
  while (c->len > keep) {
    free_slot *slot = c->free;
    c->free = slot->next;
    c->len--;
    slot->next = p->free;
    p->free = slot;
  }
  (void)pthread_mutex_unlock(&p->mutex);
}

static void flush_thread(void) {
  for (size_t kind = 1; kind < CWI_HANDLE_KIND_COUNT; kind++) {
    if (caches[kind].len > 0) flush_cache(&pools[kind], &caches[kind], 0);
  }
}

/* Adds a chunk of fresh slots to the pool's list; its mutex is held. */
static bool add_chunk(pool *p) {
  if (p->chunk_count == CHUNKS_MAX) return false;
  size_t size = p->ops->size;
  char *chunk = cwi_alloc_array(CHUNK_SLOTS, size);
  if (chunk == NULL) return false;
  for (size_t i = CHUNK_SLOTS; i-- > 0;) {
    free_slot *slot = (free_slot *)(void *)(chunk + i * size);
    slot->head.index = (uint32_t)(p->chunk_count * CHUNK_SLOTS + i);
    slot->head.kind = p->first;
    atomic_init(&slot->head.word, (uint64_t)1 << 8); /* generation 1 */
    slot->next = p->free;
    p->free = slot;
  }
  atomic_store_explicit(&p->chunks[p->chunk_count], chunk, memory_order_release);
  p->chunk_count++;
  return true;
}

static CWI_NOINLINE bool refill(pool *p, cache *c) {
  cwi_thread_at_end(CWI_THREAD_END_HANDLES, flush_thread);
  (void)pthread_mutex_lock(&p->mutex);
  while (c->len < BATCH && (p->free != NULL || (c->len == 0 && add_chunk(p)))) {
    free_slot *slot = p->free;
    p->free = slot->next;
    slot->next = c->free;
    c->free = slot;
    c->len++;
  }
  (void)pthread_mutex_unlock(&p->mutex);
  return c->len > 0;
}

void *cwi_object_new(cw_handle_kind kind, bool second) {
  pool *p = &pools[kind];
  cache *c = &caches[kind];
  CWI_ASSERT(p->ops != NULL);
  if (CWI_UNLIKELY(c->free == NULL) && !refill(p, c)) return NULL;
  free_slot *slot = c->free;
  c->free = slot->next;
  c->len--;
  memset((char *)slot + sizeof(cwi_object_head), 0, p->ops->size - sizeof(cwi_object_head));
  slot->head.refs = second ? 2 : 1;
  slot->head.handles = 1;
  uint64_t word = atomic_load_explicit(&slot->head.word, memory_order_relaxed);
  word |= WORD_LIVE_FIRST | (second ? WORD_LIVE_SECOND : 0);
  atomic_store_explicit(&slot->head.word, word, memory_order_release);
  return slot;
}

/* The object is locked and nobody holds it. */
static void free_slot_locked(cwi_object_head *head) {
  pool *p = &pools[head->kind];
  cache *c = &caches[head->kind];
  uint32_t generation = WORD_GENERATION(atomic_load_explicit(&head->word, memory_order_relaxed));
  CWI_ASSERT(head->refs == 0);
  if (CWI_UNLIKELY(generation == GENERATION_MAX)) { /* retired: no value comes back */
    atomic_store_explicit(&head->word, 0, memory_order_release);
    return;
  }
  free_slot *slot = (free_slot *)(void *)head;
  slot->next = c->free;
  c->free = slot;
  c->len++;
  atomic_store_explicit(&head->word, (uint64_t)(generation + 1) << 8, memory_order_release);
  if (CWI_UNLIKELY(c->len > CACHE_MAX)) {
    cwi_thread_at_end(CWI_THREAD_END_HANDLES, flush_thread);
    flush_cache(p, c, BATCH);
  }
}

/* ---- finding and locking ---- */

static uint32_t handle_generation(const void *handle) {
  return (uint32_t)((uint64_t)(uintptr_t)handle >> CWI_HANDLE_INDEX_BITS) & GENERATION_MAX;
}

static cwi_object_head *find_slot(const void *handle, cw_handle_kind kind) {
  if (CWI_UNLIKELY(cwi_handle_kind_bits(handle) != kind)) return NULL;
  if (CWI_UNLIKELY(kind <= 0 || kind >= CWI_HANDLE_KIND_COUNT)) return NULL;
  pool *p = __atomic_load_n(&pool_of_kind[kind], __ATOMIC_ACQUIRE);
  if (CWI_UNLIKELY(p == NULL)) return NULL;
  size_t index = (uint64_t)(uintptr_t)handle & (((size_t)1 << CWI_HANDLE_INDEX_BITS) - 1);
  char *chunk = atomic_load_explicit(&p->chunks[index / CHUNK_SLOTS], memory_order_acquire);
  if (CWI_UNLIKELY(chunk == NULL)) return NULL;
  return (cwi_object_head *)(void *)(chunk + (index % CHUNK_SLOTS) * p->ops->size);
}

/* Waits until the word is not locked, spinning briefly, then parked. */
static CWI_NOINLINE void wait_unlocked(cwi_object_head *head) {
  if (cwi_thread_can_spin()) {
    for (int i = 0; i < SPIN_ROUNDS; i++) {
      if ((atomic_load_explicit(&head->word, memory_order_relaxed) & WORD_LOCKED) == 0) return;
      cwi_thread_pause();
    }
  }
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  if ((word & WORD_LOCKED) == 0) return;
  atomic_fetch_add_explicit(&parked, 1, memory_order_seq_cst);
  cwi_futex_wait((_Atomic uint32_t *)(void *)&head->word, (uint32_t)word, PARK_NS);
  atomic_fetch_sub_explicit(&parked, 1, memory_order_relaxed);
}

static uint32_t live_bit(const cwi_object_head *head, cw_handle_kind kind) {
  return kind == (cw_handle_kind)head->kind ? WORD_LIVE_FIRST : WORD_LIVE_SECOND;
}

void *cwi_handle_lock(const void *handle, cw_handle_kind kind) {
  cwi_object_head *head = find_slot(handle, kind);
  if (CWI_UNLIKELY(head == NULL)) return NULL;
  uint64_t live = live_bit(head, kind);
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  for (;;) {
    if (CWI_UNLIKELY(WORD_GENERATION(word) != handle_generation(handle) || (word & live) == 0)) {
      return NULL;
    }
    if (CWI_UNLIKELY(word & WORD_LOCKED)) {
      wait_unlocked(head);
      word = atomic_load_explicit(&head->word, memory_order_relaxed);
      continue;
    }
    if (CWI_LIKELY(atomic_compare_exchange_weak_explicit(
            &head->word, &word, word | WORD_LOCKED, memory_order_acquire, memory_order_relaxed))) {
      return head;
    }
  }
}

void cwi_object_lock(void *object) {
  cwi_object_head *head = object;
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  for (;;) {
    if (CWI_UNLIKELY(word & WORD_LOCKED)) {
      wait_unlocked(head);
      word = atomic_load_explicit(&head->word, memory_order_relaxed);
    } else if (CWI_LIKELY(atomic_compare_exchange_weak_explicit(
                   &head->word, &word, word | WORD_LOCKED, memory_order_acquire,
                   memory_order_relaxed))) {
      return;
    }
  }
}

void cwi_object_unlock(void *object) {
  cwi_object_head *head = object;
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  CWI_ASSERT(word & WORD_LOCKED);
  atomic_store_explicit(&head->word, word & ~(uint64_t)WORD_LOCKED, memory_order_release);
  if (CWI_UNLIKELY(atomic_load_explicit(&parked, memory_order_relaxed) != 0)) {
    cwi_futex_wake((_Atomic uint32_t *)(void *)&head->word, INT32_MAX);
  }
}

void *cwi_object_handle(const void *object, cw_handle_kind kind) {
  const cwi_object_head *head = object;
  uint64_t generation = WORD_GENERATION(atomic_load_explicit(&head->word, memory_order_relaxed));
  uint64_t bits = ((uint64_t)kind << (CWI_HANDLE_INDEX_BITS + CWI_HANDLE_GENERATION_BITS)) |
                  generation << CWI_HANDLE_INDEX_BITS | head->index;
  return (void *)(uintptr_t)bits;
}

/* ---- references ---- */

void cwi_object_ref(void *object) {
  cwi_object_lock(object);
  cwi_object_ref_locked(object);
  cwi_object_unlock(object);
}

/* The object is locked and nobody can reach it: both handles are dead, no reference is left. What
 * it holds may free further objects, so the dead wait in a list, threaded through their counts, for
 * whoever frees at the outermost level: a chain of any length is freed in constant stack. */
static void bury(cwi_object_head *head) {
  static CWI_THREAD_LOCAL cwi_object_head *dead;
  static CWI_THREAD_LOCAL bool burying;
  memcpy(&head->refs, &dead, sizeof(dead)); /* over refs and handles */
  dead = head;
  if (burying) return;
  burying = true;
  while (dead != NULL) {
    head = dead;
    memcpy(&dead, &head->refs, sizeof(dead));
    head->refs = 0;
    const cwi_pool_ops *ops = pools[head->kind].ops;
    if (ops->deinit != NULL) ops->deinit(head);
    free_slot_locked(head);
  }
  burying = false;
}

void cwi_object_unref_unlock(void *object) {
  cwi_object_head *head = object;
  CWI_ASSERT(head->refs > 0);
  if (--head->refs > 0) {
    cwi_object_unlock(object);
    return;
  }
  bury(head);
}

void cwi_object_unref(void *object) {
  cwi_object_lock(object);
  cwi_object_unref_unlock(object);
}

void *cwi_handle_get(const void *handle, cw_handle_kind kind) {
  cwi_object_head *head = cwi_handle_lock(handle, kind);
  if (head == NULL) return NULL;
  head->refs++;
  cwi_object_unlock(head);
  return head;
}

static void end_handle_locked(cwi_object_head *head, uint32_t live) {
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  atomic_store_explicit(&head->word, word & ~(uint64_t)live, memory_order_relaxed);
}

static cw_status drop_handle(const void *handle, cw_handle_kind kind, bool whole) {
  cwi_object_head *head = cwi_handle_lock(handle, kind);
  if (head == NULL) return CW_E_STALE;
  uint32_t live = live_bit(head, kind);
  if (!whole && live == WORD_LIVE_FIRST && --head->handles > 0) {
    cwi_object_unlock(head);
    return CW_OK;
  }
  end_handle_locked(head, live);
  void (*closed)(cwi_object_head *, cw_handle_kind) = pools[head->kind].ops->closed;
  if (closed == NULL) {
    cwi_object_unref_unlock(head);
  } else {
    cwi_object_unlock(head);
    closed(head, kind);
  }
  return CW_OK;
}

bool cwi_handle_kill(const void *handle, cw_handle_kind kind) {
  return drop_handle(handle, kind, true) == CW_OK;
}

bool cwi_object_is_live(const void *object, bool second) {
  const cwi_object_head *head = object;
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  return (word & (second ? WORD_LIVE_SECOND : WORD_LIVE_FIRST)) != 0;
}

bool cwi_object_take_second_locked(void *object) {
  if (!cwi_object_is_live(object, true)) return false;
  end_handle_locked(object, WORD_LIVE_SECOND);
  return true;
}

void cwi_object_end_first_locked(void *object) {
  CWI_ASSERT(cwi_object_is_live(object, false));
  end_handle_locked(object, WORD_LIVE_FIRST);
}

/* Calls `visit` with the word of every slot of a pool. */
static void walk_slots(pool *p, void (*visit)(cwi_object_head *, void *), void *context) {
  for (size_t i = 0; i < CHUNKS_MAX; i++) {
    char *chunk = atomic_load_explicit(&p->chunks[i], memory_order_acquire);
    if (chunk == NULL) return;
    for (size_t j = 0; j < CHUNK_SLOTS; j++) {
      visit((cwi_object_head *)(void *)(chunk + j * p->ops->size), context);
    }
  }
}

/* Locks a slot that may be free; only a live object is ever locked this way. */
static bool lock_if_live(cwi_object_head *head) {
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  for (;;) {
    if ((word & (WORD_LIVE_FIRST | WORD_LIVE_SECOND)) == 0) return false;
    if (word & WORD_LOCKED) {
      wait_unlocked(head);
      word = atomic_load_explicit(&head->word, memory_order_relaxed);
    } else if (atomic_compare_exchange_weak_explicit(&head->word, &word, word | WORD_LOCKED,
                                                     memory_order_acquire, memory_order_relaxed)) {
      return true;
    }
  }
}

typedef struct visitor {
  void (*visit)(void *object, void *context);
  void *context;
} visitor;

static void visit_slot(cwi_object_head *head, void *context) {
  visitor *v = context;
  if (!lock_if_live(head)) return;
  v->visit(head, v->context);
  cwi_object_unlock(head);
}

void cwi_pool_visit(cw_handle_kind kind, void (*visit)(void *object, void *context),
                    void *context) {
  pool *p = __atomic_load_n(&pool_of_kind[kind], __ATOMIC_ACQUIRE);
  visitor v = {visit, context};
  if (p != NULL) walk_slots(p, visit_slot, &v);
}

/* ---- the public functions ---- */

cw_status cw_release(void *handle) {
  if (handle == NULL || handle == (void *)cwi_future_nomem()) return CW_OK;
  if (CWI_UNLIKELY(cwi_forked)) return CW_E_FORKED;
  return drop_handle(handle, cwi_handle_kind_bits(handle), false);
}

static bool is_shareable(cw_handle_kind kind) {
  return kind == CW_HANDLE_FUTURE || kind == CW_HANDLE_STREAM;
}

cw_status cw_retain(void *handle) {
  if (CWI_UNLIKELY(cwi_forked)) return CW_E_FORKED;
  cw_handle_kind kind = cwi_handle_kind_bits(handle);
  cwi_object_head *head = cwi_handle_lock(handle, kind);
  if (head == NULL) return CW_E_STALE;
  cw_status status = CW_OK;
  if (!is_shareable(kind)) {
    status = CW_E_UNSUPPORTED;
  } else if (head->handles == UINT32_MAX) {
    status = CW_E_LIMIT;
  } else {
    head->handles++;
  }
  cwi_object_unlock(head);
  return status;
}

cw_handle_kind cw_handle_kind_of(const void *handle) {
  cw_handle_kind kind = cwi_handle_kind_bits(handle);
  cwi_object_head *head = cwi_handle_lock(handle, kind);
  if (head == NULL) return CW_HANDLE_NONE;
  cwi_object_unlock(head);
  return kind;
}

typedef struct counter {
  cw_handle_kind kind;
  uint64_t len;
} counter;

static void count_slot(cwi_object_head *head, void *context) {
  counter *c = context;
  uint64_t word = atomic_load_explicit(&head->word, memory_order_relaxed);
  if ((word & live_bit(head, c->kind)) != 0) c->len++;
}

static uint64_t count_kind(cw_handle_kind kind) {
  pool *p = __atomic_load_n(&pool_of_kind[kind], __ATOMIC_ACQUIRE);
  counter c = {.kind = kind};
  if (p != NULL) walk_slots(p, count_slot, &c);
  return c.len;
}

uint64_t cw_handle_count(cw_handle_kind kind) {
  if (kind != CW_HANDLE_NONE) {
    return kind > 0 && kind < CWI_HANDLE_KIND_COUNT ? count_kind(kind) : 0;
  }
  uint64_t all = 0;
  for (int k = 1; k < CWI_HANDLE_KIND_COUNT; k++) all += count_kind((cw_handle_kind)k);
  return all;
}
