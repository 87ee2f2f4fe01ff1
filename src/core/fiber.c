/* SPDX-License-Identifier: MIT */
/* Fiber stacks and switches.
 *
 * Stacks are cut from slabs of 64, mapped without reserving memory: a stack costs the pages that it
 * touches, one or two while a task is parked. The fiber's own record lies at the top of its stack,
 * on a page that is touched anyway. Below each stack is a guard page: by MADV_GUARD_INSTALL, which
 * needs no mapping of its own, where the kernel has it (Linux 6.13); else by mprotect for the first
 * GUARDED_MAX stacks of the process, because every such page splits a mapping and vm.max_map_count
 * is 65,530. Beyond that a canary below the stack is checked when the fiber is given back.
 *
 * The portable fallback (ucontext) is used where there is no assembly for the CPU. */
#include "core/fiber.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"

#if CWI_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if CWI_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) ((void)(start), (void)(end), 0)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#define SLAB_STACKS ((size_t)64)
#define GUARDED_MAX 16000
#define FREE_STACKS_MAX 1024 /* more of them give their pages back */
#define MADV_GUARD_INSTALL_NUMBER 102
#define CANARY 0x5AFE57AC5AFE57ACULL
#define TSAN_FIBERS_MAX ((size_t)2000)
#define FIBERS_MAX ((size_t)1 << 22)

typedef struct slab {
  struct slab *older;
  char *memory;
  size_t used; /* stacks made so far */
} slab;

static _Atomic int guarded; /* stacks guarded by mprotect */

size_t cwi_fiber_limit(void) { return CWI_TSAN ? TSAN_FIBERS_MAX : FIBERS_MAX; }

/* ---- the switch ---- */

#if defined(__x86_64__) || defined(__aarch64__)

void cwi_fiber_swap(void **save_sp, void *load_sp);
void cwi_fiber_start(void);

#if defined(__x86_64__)
#define FRAME_WORDS 8 /* control words, r15 r14 r13 r12 rbx rbp, return address */
#define FRAME_FUNCTION 5
#define FRAME_ARGUMENT 4
#define FRAME_RETURN 7
#else
#define FRAME_WORDS 20
#define FRAME_FUNCTION 0
#define FRAME_ARGUMENT 1
#define FRAME_RETURN 11
#endif

static void fiber_main(void *argument);

static void prepare(cwi_fiber *fiber) {
  uintptr_t top = (uintptr_t)fiber & ~(uintptr_t)63;
  void **frame = (void **)(top - 64) - FRAME_WORDS;
  memset(frame, 0, FRAME_WORDS * sizeof(*frame));
  union {
    void (*function)(void *);
    void *pointer;
  } body = {.function = fiber_main};
  union {
    void (*function)(void);
    void *pointer;
  } start = {.function = cwi_fiber_start};
#if defined(__x86_64__)
  uint32_t control[2] = {0x1F80, 0x037F}; /* the defaults of the ABI: mxcsr, x87 control word */
  memcpy(frame, control, sizeof(control));
#endif
  frame[FRAME_FUNCTION] = body.pointer;
  frame[FRAME_ARGUMENT] = fiber;
  frame[FRAME_RETURN] = start.pointer;
  fiber->sp = frame;
}

static void swap(cwi_fiber *from, cwi_fiber *to) { cwi_fiber_swap(&from->sp, to->sp); }

#else /* portable */

#include <ucontext.h>

static void fiber_main(void *argument);

static void portable_main(unsigned high, unsigned low) {
  fiber_main((void *)(uintptr_t)((uint64_t)high << 32 | low));
}

static void prepare(cwi_fiber *fiber) {
  ucontext_t *context = (ucontext_t *)(void *)fiber->stack;
  (void)getcontext(context);
  context->uc_stack.ss_sp = fiber->stack + sizeof(ucontext_t);
  context->uc_stack.ss_size = (size_t)((char *)fiber - fiber->stack) - sizeof(ucontext_t) - 64;
  context->uc_link = NULL;
  uint64_t bits = (uintptr_t)fiber;
  makecontext(context, (void (*)(void))portable_main, 2, (unsigned)(bits >> 32), (unsigned)bits);
  fiber->sp = context;
}

static CWI_THREAD_LOCAL ucontext_t thread_context;

static void swap(cwi_fiber *from, cwi_fiber *to) {
  if (from->stack == NULL) from->sp = &thread_context;
  (void)swapcontext(from->sp, to->sp);
}

#endif

/* The thread's pool knows nothing of switches; these tell the tools about them. */
static void before_switch(cwi_fiber *from, cwi_fiber *to, bool last) {
#if CWI_ASAN
  __sanitizer_start_switch_fiber(last ? NULL : &from->asan_fake, to->stack, to->stack_size);
#endif
#if CWI_TSAN
  __tsan_switch_to_fiber(to->tsan, 0);
#endif
  (void)from;
  (void)to;
  (void)last;
}

static void after_switch(cwi_fiber *self) {
#if CWI_ASAN
  __sanitizer_finish_switch_fiber(self->asan_fake, NULL, NULL);
#endif
  (void)self;
}

static void fiber_main(void *argument) {
  cwi_fiber *fiber = argument;
#if CWI_ASAN
  __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
  for (;;) {
    fiber->entry(fiber->context); /* switches away with cwi_fiber_switch_last and does not return */
    CWI_ASSERT(false);
  }
}

void cwi_fiber_switch(cwi_fiber *from, cwi_fiber *to) {
  before_switch(from, to, false);
  swap(from, to);
  after_switch(from);
}

void cwi_fiber_switch_last(cwi_fiber *from, cwi_fiber *to) {
  before_switch(from, to, true);
  swap(from, to);
}

#if CWI_ASAN
#include <pthread.h>
static void describe_own_stack(cwi_fiber *fiber) {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void *low = NULL;
  size_t size = 0;
  (void)pthread_attr_getstack(&attributes, &low, &size);
  (void)pthread_attr_destroy(&attributes);
  fiber->stack = low;
  fiber->stack_size = size;
}
#endif

void cwi_fiber_init_thread(cwi_fiber *fiber) {
  memset(fiber, 0, sizeof(*fiber));
#if CWI_ASAN
  describe_own_stack(fiber);
#endif
#if CWI_TSAN
  fiber->tsan = __tsan_get_current_fiber();
#endif
}

/* ---- stacks ---- */

static size_t page_size(void) {
  static size_t size;
  if (size == 0) size = (size_t)sysconf(_SC_PAGESIZE);
  return size;
}

/* Guards the lowest page of a stack; false where a canary must do. */
static bool guard(char *stack) {
  if (madvise(stack, page_size(), MADV_GUARD_INSTALL_NUMBER) == 0) return true;
  if (atomic_fetch_add_explicit(&guarded, 1, memory_order_relaxed) >= GUARDED_MAX) return false;
  return mprotect(stack, page_size(), PROT_NONE) == 0;
}

static char *canary_of(const cwi_fiber *fiber) {
  return fiber->stack; /* the lowest word of the usable stack */
}

/* Makes the next stack of a slab into a fiber. */
static void make_fiber(cwi_fiber_pool *pool, slab *s) {
  char *memory = s->memory + s->used++ * CWI_FIBER_STACK_BYTES;
  char *top = memory + CWI_FIBER_STACK_BYTES;
  cwi_fiber *fiber = (cwi_fiber *)((uintptr_t)(top - sizeof(cwi_fiber)) & ~(uintptr_t)63);
  memset(fiber, 0, sizeof(*fiber));
  fiber->stack = memory + page_size();
  fiber->stack_size = (size_t)(top - fiber->stack);
  fiber->valgrind = (unsigned)VALGRIND_STACK_REGISTER(fiber->stack, top);
  if (!guard(memory)) {
    uint64_t canary = CANARY;
    memcpy(canary_of(fiber), &canary, sizeof(canary));
  }
  fiber->next_free = pool->free;
  pool->free = fiber;
  pool->free_len++;
}

static bool add_fiber(cwi_fiber_pool *pool) {
  slab *s = pool->slabs;
  if (s == NULL || s->used == SLAB_STACKS) {
    s = CWI_NEW(slab);
    if (s == NULL) return false;
    s->memory = mmap(NULL, SLAB_STACKS * CWI_FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->memory == MAP_FAILED) {
      CWI_FREE(s);
      return false;
    }
    s->older = pool->slabs;
    pool->slabs = s;
  }
  make_fiber(pool, s);
  return true;
}

cwi_fiber *cwi_fiber_take(cwi_fiber_pool *pool, void (*entry)(void *), void *context) {
  if (CWI_UNLIKELY(pool->live >= cwi_fiber_limit())) return NULL;
  if (CWI_UNLIKELY(pool->free == NULL) && !add_fiber(pool)) return NULL;
  cwi_fiber *fiber = pool->free;
  pool->free = fiber->next_free;
  pool->free_len--;
  pool->live++;
  fiber->entry = entry;
  fiber->context = context;
  fiber->asan_fake = NULL;
#if CWI_TSAN
  fiber->tsan = __tsan_create_fiber(0);
#endif
  prepare(fiber);
  return fiber;
}

static void check_canary(const cwi_fiber *fiber) {
  uint64_t canary = 0;
  memcpy(&canary, canary_of(fiber), sizeof(canary));
  if (canary == CANARY || canary == 0) return; /* 0: a guarded stack has none */
#if defined(CW_ASSERTS) && CW_ASSERTS
  (void)fprintf(stderr, "a task overflowed its stack of %zu bytes\n", fiber->stack_size);
  abort();
#endif
}

void cwi_fiber_give(cwi_fiber_pool *pool, cwi_fiber *fiber) {
  check_canary(fiber);
#if CWI_TSAN
  __tsan_destroy_fiber(fiber->tsan);
  fiber->tsan = NULL;
#endif
#if CWI_ASAN
  ASAN_UNPOISON_MEMORY_REGION(fiber->stack, (size_t)((char *)fiber - fiber->stack));
#endif
  if (CWI_UNLIKELY(pool->free_len >= FREE_STACKS_MAX)) {
    uintptr_t keep = (uintptr_t)fiber & ~(uintptr_t)(page_size() - 1);
    (void)madvise(fiber->stack, keep - (uintptr_t)fiber->stack, MADV_DONTNEED);
  }
  fiber->next_free = pool->free;
  pool->free = fiber;
  pool->free_len++;
  CWI_ASSERT(pool->live > 0);
  pool->live--;
}

void cwi_fiber_pool_deinit(cwi_fiber_pool *pool) {
  CWI_ASSERT(pool->live == 0);
  for (cwi_fiber *fiber = pool->free; fiber != NULL; fiber = fiber->next_free) {
    VALGRIND_STACK_DEREGISTER(fiber->valgrind);
  }
  slab *s = pool->slabs;
  while (s != NULL) {
    slab *older = s->older;
    (void)munmap(s->memory, SLAB_STACKS * CWI_FIBER_STACK_BYTES);
    CWI_FREE(s);
    s = older;
  }
  *pool = (cwi_fiber_pool){0};
}
