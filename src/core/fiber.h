/* SPDX-License-Identifier: MIT */
/* Fibers: stacks of their own and a switch between them. AddressSanitizer, ThreadSanitizer and
 * valgrind are told of every stack and switch.
 *
 * A fiber belongs to the thread that made it. */
#ifndef CORE_FIBER_H
#define CORE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/compiler.h"

#define CWI_FIBER_STACK_BYTES ((size_t)64 * 1024)

/* What the assembly saves: the stack pointer, everything else lies on the stack. */
typedef struct cwi_fiber {
  void *sp;
  char *stack; /* lowest address; NULL for the thread's own stack */
  size_t stack_size;
  void (*entry)(void *context);
  void *context;
  struct cwi_fiber *next_free;
  void *asan_fake;   /* AddressSanitizer's fake stack while switched away */
  void *tsan;        /* ThreadSanitizer's fiber */
  unsigned valgrind; /* valgrind's stack id */
} cwi_fiber;

/* The stacks of one thread: those in use and those waiting for use. */
typedef struct cwi_fiber_pool {
  cwi_fiber *free;
  size_t free_len;
  size_t live; /* fibers handed out */
  void *slabs; /* every slab of stacks, newest first */
} cwi_fiber_pool;

/* Hands out a fiber that will run entry(context) when first switched to; NULL: no memory. */
cwi_fiber *cwi_fiber_take(cwi_fiber_pool *pool, void (*entry)(void *), void *context);

/* Takes back a fiber that is not running. */
void cwi_fiber_give(cwi_fiber_pool *pool, cwi_fiber *fiber);

/* Unmaps everything; no fiber may be in use. */
void cwi_fiber_pool_deinit(cwi_fiber_pool *pool);

/* Switches from `from`, which is running, to `to`. Returns when somebody switches back. */
void cwi_fiber_switch(cwi_fiber *from, cwi_fiber *to);

/* The same from a fiber that ends and will not be switched to again before a new cwi_fiber_take. */
void cwi_fiber_switch_last(cwi_fiber *from, cwi_fiber *to);

/* Describes the running thread's own stack, for switching away from it and back. */
void cwi_fiber_init_thread(cwi_fiber *fiber);

/* Most fibers in use at once in this process: ThreadSanitizer can follow only 2,000. */
size_t cwi_fiber_limit(void);

#endif
