/* SPDX-License-Identifier: MIT */
/* Handles and the pools their objects live in.
 *
 *   bits 48..52  kind        bits 24..47  generation        bits 0..23  index
 *
 * Each kind has a pool of slots of one size. Slots are never unmapped and never change their kind
 * ("type-stable"), so that a stale handle leads to valid memory, where the generation tells it from
 * a live one. A slot whose generations are used up retires: no handle value ever comes back.
 *
 * The head of every object is a word with the generation, two live bits and a lock bit: checking
 * the handle and locking the object are one compare-and-swap, and unlocking is one store. The lock
 * guards the object's fields for a few instructions: no call out, no allocation, no system call
 * under it.
 *
 * Two handles may refer to one object (a future and its completer): the second has its own live bit
 * and its own kind, which shares the pool. */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "causeway/handle.h"
#include "core/compiler.h"

#define CWI_HANDLE_INDEX_BITS 24
#define CWI_HANDLE_GENERATION_BITS 24
#define CWI_HANDLE_KIND_COUNT 32

/* The head of every object; the first member of its struct. */
typedef struct cwi_object_head {
  _Atomic uint64_t word;
  uint32_t refs;    /* [lock] of all holders, each live handle among them; 0 frees the slot */
  uint32_t handles; /* [lock] references that the user holds through the first handle */
  uint32_t index;   /* constant */
  uint32_t kind;    /* constant: the first kind of the pool */
} cwi_object_head;

typedef struct cwi_pool_ops {
  const char *name;
  size_t size; /* of a slot */
  /* The last reference of handle `kind` was released. Called without the lock, on the releasing
   * thread; must not block, wait or call back. It owns one reference and gives it back itself. */
  void (*closed)(cwi_object_head *object, cw_handle_kind kind);
  /* The last reference has gone: give back what the object holds, except its slot. */
  void (*deinit)(cwi_object_head *object);
} cwi_pool_ops;

/* Says what the objects of `kind` are; `second` is the kind of their second handle, or NONE. Called
 * before the first object is made, any number of times. */
void cwi_pool_define(cw_handle_kind kind, cw_handle_kind second, const cwi_pool_ops *ops);

/* Makes an object with one live handle, one reference for it, and zeroes behind the head. With
 * `second` the second handle lives too, with a reference of its own. NULL: no memory. */
void *cwi_object_new(cw_handle_kind kind, bool second);

/* The handle value of an object, by kind. */
void *cwi_object_handle(const void *object, cw_handle_kind kind);

/* Locks the object of a live handle of `kind`, or returns NULL where it is stale. */
void *cwi_handle_lock(const void *handle, cw_handle_kind kind);

/* Locks an object that the caller holds a reference to. */
void cwi_object_lock(void *object);
void cwi_object_unlock(void *object);

/* Adds a reference; the caller holds one or the lock. With the lock: cwi_object_ref_locked. */
void cwi_object_ref(void *object);
CWI_INLINE void cwi_object_ref_locked(void *object) { ((cwi_object_head *)object)->refs++; }

/* Gives a reference back and frees the object with the last one. Not under the lock. */
void cwi_object_unref(void *object);

/* The same under the lock, which it gives up. */
void cwi_object_unref_unlock(void *object);

/* Returns the object of a live handle with a reference added, unlocked; NULL where it is stale. */
void *cwi_handle_get(const void *handle, cw_handle_kind kind);

/* Ends the life of a handle, whatever the count; gives its reference back, with `closed` called.
 * False where it was not alive. */
bool cwi_handle_kill(const void *handle, cw_handle_kind kind);

/* True while the first (or second) handle of a locked object is alive. */
bool cwi_object_is_live(const void *object, bool second);

/* Ends the second handle of a locked object without calling `closed`; its reference becomes the
 * caller's. False where it was dead already. */
bool cwi_object_take_second_locked(void *object);

/* Ends the first handle of a locked object, whatever its count, without calling `closed`; its
 * reference becomes the caller's. */
void cwi_object_end_first_locked(void *object);

/* Calls `visit` with every live object of `kind`, locked; for inspect. */
void cwi_pool_visit(cw_handle_kind kind, void (*visit)(void *object, void *context), void *context);

/* The kind that the bits of a handle name; not whether it is alive. */
CWI_INLINE cw_handle_kind cwi_handle_kind_bits(const void *handle) {
  uint64_t bits = (uint64_t)(uintptr_t)handle;
  return (cw_handle_kind)(bits >> (CWI_HANDLE_INDEX_BITS + CWI_HANDLE_GENERATION_BITS));
}

#endif
