/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The allocator behind every allocation of the library.
 *
 * Thread rule: cw_allocator_set() is called once, before any other call; the allocator itself is
 * called from any thread.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_ALLOC_H
#define CAUSEWAY_ALLOC_H

#include "causeway/error.h"

CW_BEGIN_DECLS

/**
 * Allocates, resizes and frees in one function.
 *
 * `pointer` NULL allocates; `size_new` 0 frees and returns NULL; anything else resizes. Returns
 * memory aligned for any type, or NULL where there is none (`pointer` is then untouched).
 * `size_old` is the size last asked for. Called from any thread.
 */
typedef void *(*cw_resize_fn)(void *pointer, size_t size_old, size_t size_new, void *context);

/** An allocator: the function and its context. */
typedef struct cw_allocator {
  uint32_t struct_size;
  cw_resize_fn resize;
  void *context;
} cw_allocator;

#define CW_ALLOCATOR_INIT \
  { .struct_size = sizeof(cw_allocator) }

/**
 * Replaces the allocator of the library; NULL puts the default (the C library's) back.
 *
 * Threads:   call it before any other use of the library; not while anything is alive.
 * Errors:    CW_E_INVALID  no function, or an unknown struct_size
 *            CW_E_STATE    memory of the current allocator is still in use
 * Since:     0.1
 */
CW_API cw_status cw_allocator_set(const cw_allocator *allocator, cw_error *err);

/** Returns the bytes that the library holds from its allocator now. Threads: any. Since: 0.1 */
CW_API uint64_t cw_allocated_bytes(void);

CW_END_DECLS

#endif
