/* SPDX-License-Identifier: MIT */
/* Memory. One replaceable function; a count of live bytes, kept per thread and folded into a shared
 * counter every LEDGER_SLACK bytes so that the count costs no shared cache line on the fast path.
 *
 * A thread's unfolded part dies with the thread unless it is folded: cwi_alloc_thread_end() does
 * that, and the runtime calls it when a thread that used the library ends. */
#include "core/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"

#define LEDGER_SLACK (64 * 1024)

static void *resize_default(void *pointer, size_t size_old, size_t size_new, void *context) {
  (void)size_old;
  (void)context;
  if (size_new == 0) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, size_new);
}

static cw_resize_fn allocator_resize = resize_default;
static void *allocator_context;
static _Atomic int64_t ledger_bytes;
static CWI_THREAD_LOCAL int64_t ledger_local;

void cwi_alloc_thread_end(void) {
  atomic_fetch_add_explicit(&ledger_bytes, ledger_local, memory_order_relaxed);
  ledger_local = 0;
}

static void account(int64_t change) {
  ledger_local += change;
  if (CWI_UNLIKELY(ledger_local > LEDGER_SLACK || ledger_local < -LEDGER_SLACK)) {
    cwi_alloc_thread_end();
  }
}

uint64_t cw_allocated_bytes(void) {
  cwi_alloc_thread_end();
  int64_t bytes = atomic_load_explicit(&ledger_bytes, memory_order_relaxed);
  return bytes > 0 ? (uint64_t)bytes : 0;
}

cw_status cw_allocator_set(const cw_allocator *allocator, cw_error *err) {
  if (cw_allocated_bytes() != 0) {
    return CWI_RAISE(err, CW_E_STATE, 0, "%llu bytes of the current allocator are still in use",
                     (unsigned long long)cw_allocated_bytes());
  }
  if (allocator == NULL) {
    allocator_resize = resize_default;
    allocator_context = NULL;
    return CW_OK;
  }
  if (allocator->struct_size != sizeof(*allocator) || allocator->resize == NULL) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "the allocator has no function or an unknown size");
  }
  allocator_resize = allocator->resize;
  allocator_context = allocator->context;
  return CW_OK;
}

void *cwi_alloc(size_t size) {
  if (size == 0) size = 1;
  if (size > PTRDIFF_MAX) return NULL;
  void *pointer = allocator_resize(NULL, 0, size, allocator_context);
  if (CWI_LIKELY(pointer != NULL)) account((int64_t)size);
  return pointer;
}

void *cwi_alloc_zero(size_t size) {
  void *pointer = cwi_alloc(size);
  if (CWI_LIKELY(pointer != NULL)) memset(pointer, 0, size);
  return pointer;
}

void *cwi_alloc_array(size_t len, size_t size) {
  size_t bytes = 0;
  return cwi_size_mul(len, size, &bytes) ? cwi_alloc_zero(bytes) : NULL;
}

void *cwi_realloc(void *pointer, size_t size_old, size_t size_new) {
  if (pointer == NULL) return cwi_alloc(size_new);
  if (size_old == 0) size_old = 1;
  if (size_new == 0) size_new = 1;
  if (size_new > PTRDIFF_MAX) return NULL;
  void *moved = allocator_resize(pointer, size_old, size_new, allocator_context);
  if (CWI_LIKELY(moved != NULL)) account((int64_t)size_new - (int64_t)size_old);
  return moved;
}

void cwi_free(void *pointer, size_t size) {
  if (pointer == NULL) return;
  if (size == 0) size = 1;
  account(-(int64_t)size);
  allocator_resize(pointer, size, 0, allocator_context);
}

char *cwi_strndup(const char *text, size_t len) {
  CWI_ASSERT(text != NULL || len == 0);
  char *copy = cwi_alloc(len + 1);
  if (copy == NULL) return NULL;
  if (len != 0) memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}
