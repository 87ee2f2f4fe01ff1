/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One way to hold: every object of the library is a handle.
 *
 * A handle looks like a pointer but is never an address: its bits are a kind, a generation and an
 * index. It fits in 53 bits, so that it is an exact number in every host, and may cross threads,
 * isolates and processes' own data structures as an integer. A handle that was released, that is of
 * another kind, NULL or made up is answered with CW_E_STALE (or CW_E_INVALID for NULL where the
 * call needs an object): never with a crash. A handle's value is never used a second time.
 *
 *   cw_future *future = cw_sleep(1000);
 *   cw_release(future);                      // the operation is cancelled: nobody waits for it
 *   cw_release(future);                      // CW_E_STALE
 *
 * Thread rule: every function here may be called from any thread, also from a finalizer.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_HANDLE_H
#define CAUSEWAY_HANDLE_H

#include "causeway/error.h"

CW_BEGIN_DECLS

/** What a handle refers to. The numbers are part of the ABI. */
typedef enum cw_handle_kind {
  CW_HANDLE_NONE = 0, /* not a handle */
  CW_HANDLE_FUTURE = 1,
  CW_HANDLE_COMPLETER = 2,
  CW_HANDLE_SCOPE = 3,
  CW_HANDLE_CHANNEL = 4,
  CW_HANDLE_STREAM = 5,
  CW_HANDLE_PRODUCER = 6,
  CW_HANDLE_WORKER = 7,
  CW_HANDLE_PORT = 8,
  CW_HANDLE_OWNER = 9,
  CW_HANDLE_FILE = 10,
  CW_HANDLE_WATCH = 11,
  CW_HANDLE_HTTP = 12,
  CW_HANDLE_HTTP_RESPONSE = 13,
  CW_HANDLE_HTTP_SERVER = 14,
  CW_HANDLE_HTTP_REQUEST = 15,
  CW_HANDLE_WEBSOCKET = 16,
  CW_HANDLE_ENGINE = 17,
  CW_HANDLE_PROGRAM = 18,
  CW_HANDLE_SCRIPT_SCOPE = 19,
  CW_HANDLE_RUN = 20,
  CW_HANDLE_DB = 21,
  CW_HANDLE_SESSION = 22,
  CW_HANDLE_STATEMENT = 23,
  CW_HANDLE_LLM = 24,
  CW_HANDLE_LLM_SESSION = 25,
  CW_HANDLE_MODELS = 26,
} cw_handle_kind;

/**
 * Gives the caller's reference to any handle back; fits every finalizer.
 *
 * Dropping the last reference to a future cancels its operation; to an owning object, closes it.
 * Teardown runs on the owner's runtime, never inside this call.
 *
 * @param handle  any handle of the library; NULL is CW_OK
 *
 * Threads:   any, also threads that the library does not know.
 * Blocking:  never; constant time.
 * Errors:    CW_E_STALE  not a live handle: released before, or never one
 * Since:     0.1
 */
CW_API cw_status cw_release(void *handle);

/**
 * Adds a reference to a future, so that it must be released once more.
 *
 * Threads:   any.
 * Errors:    CW_E_STALE        not a live handle
 *            CW_E_UNSUPPORTED  the kind has one owner only (everything but futures and streams)
 * Since:     0.1
 */
CW_API cw_status cw_retain(void *handle);

/**
 * Returns what a handle refers to, or CW_HANDLE_NONE where it is not alive.
 *
 * Threads:   any.
 * Since:     0.1
 */
CW_API cw_handle_kind cw_handle_kind_of(const void *handle);

/**
 * Returns how many handles of `kind` are alive; of all kinds for CW_HANDLE_NONE.
 *
 * Tests compare it before and after: what is not released is found here.
 *
 * Threads:   any; the number is exact when no other thread is at work.
 * Since:     0.1
 */
CW_API uint64_t cw_handle_count(cw_handle_kind kind);

CW_END_DECLS

#endif
