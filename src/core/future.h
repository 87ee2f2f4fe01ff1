/* SPDX-License-Identifier: MIT */
/* The inside of futures, for the modules that make operations.
 *
 * A future is `at home` on a runtime (then only that thread settles it and is asked to cancel it),
 * or homeless (any thread settles it). Making an operation:
 *
 *   cwi_future *f = cwi_future_new(runtime, "file_read");   // a reference for the producer, one
 * for the handle f->cancel = stop_reading;                               // optional
 *   ... start; on success: return cwi_future_handle(f);
 *   ... later, once:  cwi_future_settle(f, CW_OK, value, NULL); cwi_future_unref(f); */
#ifndef CORE_FUTURE_H
#define CORE_FUTURE_H

#include "causeway/future.h"
#include "core/handle.h"
#include "core/runtime.h"

typedef struct cwi_waiter {
  struct cwi_waiter *next;
  struct cwi_waiter **link; /* [future's lock] NULL: taken out */
  /* Called once, without locks, on the settling thread; owns the waiter from then on. */
  void (*notify)(struct cwi_waiter *waiter);
} cwi_waiter;

enum { CWI_FUTURE_PENDING = 0, CWI_FUTURE_SETTLED = 1, CWI_FUTURE_TAKEN = 2 };

typedef struct cwi_error_box cwi_error_box;

typedef struct cwi_future {
  cwi_object_head head;
  uint8_t state;           /* [lock] */
  uint8_t has_callback;    /* [lock] */
  cw_status status;        /* [lock until settled] */
  cw_status cancel_reason; /* [lock] CW_OK: not asked to stop */
  cw_value value;          /* [lock until settled] */
  cwi_error_box *error;    /* [lock until settled] NULL: the code's text */
  cwi_waiter *waiters;     /* [lock] */
  /* Asks the operation to stop; on the home thread, or where homeless on the one that cancels.
   * Called at most once, with a reference held. NULL: a cancel settles at once. [constant once
   * started] */
  void (*cancel)(struct cwi_future *future);
  /* Releases what the operation keeps in `op`, when the slot is freed. NULL: nothing. */
  void (*op_deinit)(struct cwi_future *future);
  cwi_runtime *home;
  struct cwi_future *op_next, **op_link; /* [home thread] among the operations of the runtime */
  struct cwi_deadline *deadline;         /* [lock] of cw_timeout */
  cwi_job job;                           /* the operation's own, to reach its home */
  cwi_job cancel_job;                    /* a cancel on its way home */
  const char *operation;                 /* static text */
  void *site;                            /* who made it */
  uint64_t op[6];                        /* the operation's own */
} cwi_future;

/* Makes a pending future; one reference is the producer's, one the handle's. NULL: no memory. */
cwi_future *cwi_future_new(cwi_runtime *home, const char *operation);

/* The same with a completer handle (homeless; the producer's reference is the completer's). */
cwi_future *cwi_future_new_oneshot(void);

CWI_INLINE cw_future *cwi_future_handle(cwi_future *f) {
  return (cw_future *)cwi_object_handle(f, CW_HANDLE_FUTURE);
}
CWI_INLINE void cwi_future_unref(cwi_future *f) { cwi_object_unref(f); }
CWI_INLINE void cwi_future_ref(cwi_future *f) { cwi_object_ref(f); }

/* The future's operation-private area as a struct of at most 48 bytes. */
#define CWI_FUTURE_OP(future, type) \
  ((type *)(void *)(future)->op);   \
  _Static_assert(sizeof(type) <= sizeof(((cwi_future *)0)->op), "too large for a future")

/* Settles a pending future: with `value` (taken on every path), or with `status` and `err` (NULL:
 * the code's text). What was asked to stop settles with the reason for that. False where it was
 * settled before. The producer's reference is not given back. */
bool cwi_future_settle(cwi_future *f, cw_status status, cw_value value, const cw_error *err);

/* The same, and gives the producer's reference back. */
bool cwi_future_finish(cwi_future *f, cw_status status, cw_value value, const cw_error *err);

/* The same for the future of a oneshot, by its completer, which ends. */
cw_status cwi_future_complete(cw_completer *completer, cw_status code, cw_value value,
                              const cw_error *err);

/* Like cwi_future_settle with the trace and other detail as JSON text (copied). */
bool cwi_future_settle_detail(cwi_future *f, const cw_error *err, const char *detail, size_t size);

/* A failed future, with the producer's side done: return it. Never NULL. */
cw_future *cwi_future_failed(const cw_error *err);

/* The future of those who had no memory for one: already failed with CW_E_NOMEM, never gone. It is
 * a handle value that no slot has. */
CWI_INLINE cw_future *cwi_future_nomem(void) {
  return (cw_future *)(uintptr_t)(((uint64_t)CW_HANDLE_FUTURE << 48) | 0xFFFFFF);
}

/* Raises what is wrong with a handle that leads to no future: STALE, or NOMEM of the one above. */
cw_status cwi_future_raise_dead(const cw_future *future, cw_error *err);

/* Puts a future that was made on another thread on its home's list of operations; on the home
 * thread, as the first thing there. */
void cwi_future_arrive(cwi_future *f);

/* Asks to stop for `reason` (CANCELLED, TIMEOUT, CLOSED). The caller holds a reference. */
void cwi_future_request_cancel(cwi_future *f, cw_status reason);

/* True once somebody has asked it to stop. */
bool cwi_future_is_cancel_requested(cwi_future *f);

/* Links a waiter, or returns false where the future has settled. The caller holds a reference. */
bool cwi_future_wait(cwi_future *f, cwi_waiter *waiter);

/* Links a waiter to a locked, pending future. */
void cwi_future_link_locked(cwi_future *f, cwi_waiter *waiter);

/* Takes a waiter out; false where its notify has been or is about to be called. */
bool cwi_future_unwait(cwi_future *f, cwi_waiter *waiter);

/* Takes the result of a locked, settled future for one of its holders (a copy where there are
 * more), whose handle reference it gives back, and gives up the lock. With `pinned` the caller's
 * own reference to the object goes too. */
cw_status cwi_future_take_unlock(cwi_future *f, bool pinned, cw_value *value, cw_error *err);

#endif
