/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One way to deliver: a port takes a host's futures and streams and gives it events.
 *
 * A future attached to a port becomes one event when it settles; a stream becomes one event a
 * value, as far as the host has given credit, and one at its end. Events come in batches: one wake
 * a batch, however many have piled up. Three kinds of port: a C callback, a pollable descriptor, a
 * Dart port.
 *
 *   cw_port *port = cw_port_new_fd(&fd, NULL, err);       // fd becomes readable
 *   cw_port_attach(port, cw_file_read_text(path, NULL), 7);
 *   ... poll(fd) ...
 *   size_t len = cw_port_take(port, events, 16);          // events[0].tag is 7
 *   for (i < len) cw_event_release(&events[i]);
 *   cw_release(port);                                     // what is attached is cancelled
 *
 * Closing a port, or the owner it belongs to, cancels what is attached; late completions do
 * nothing.
 *
 * Thread rule: every function may be called from any thread; cw_port_take() by one at a time.
 */
#ifndef CAUSEWAY_PORT_H
#define CAUSEWAY_PORT_H

#include "causeway/stream.h"

CW_BEGIN_DECLS

typedef struct cw_port cw_port;
typedef struct cw_owner cw_owner;

/** What an event is about. The numbers are part of the ABI. */
typedef enum cw_event_kind {
  CW_EVENT_FUTURE = 0,      /* the future has settled: `status`, `value` or the error */
  CW_EVENT_STREAM_ITEM = 1, /* a value of the stream */
  CW_EVENT_STREAM_END = 2 /* the stream has ended: CW_E_END, or its error; the tag is free again */
} cw_event_kind;

/** One event. Give it back with cw_event_release(). */
typedef struct cw_event {
  uint32_t struct_size;
  uint32_t kind;    /* cw_event_kind */
  uint64_t tag;     /* as given when it was attached */
  cw_status status; /* CW_OK, or why there is no value */
  uint32_t reserved;
  cw_value value;  /* owned by the event; take it by copying it and setting it to NONE */
  cw_error *error; /* owned by the event; NULL where `status` is CW_OK or memory ran out */
} cw_event;

/** Releases what an event holds; NULL is allowed. Threads: any. Since: 0.1 */
CW_API void cw_event_release(cw_event *event);

/* ---- owners ---- */

/**
 * Makes an owner: an isolate, or one run of an app, whose ports end with it.
 *
 * Ownership: the caller releases it; that closes the ports that belong to it.
 * Errors:    CW_E_NOMEM; NULL is returned
 * Since:     0.1
 */
CW_API cw_owner *cw_owner_new(cw_error *err);

/** Closes every port of the owner, cancelling what is attached; the owner can be used again (a new
 *  epoch). Threads: any. Errors: CW_E_STALE. Since: 0.1 */
CW_API cw_status cw_owner_end_epoch(cw_owner *owner);

/* ---- making ports; `owner` NULL: nobody but the caller ---- */

/** Gives a batch of events to the host. The events are borrowed: what is to be kept is taken
 * out. */
typedef void (*cw_events_fn)(cw_event *events, size_t len, void *context);

/**
 * Makes a port that calls `callback`.
 *
 * Threads:   the callback runs on the reactor's thread, one batch at a time; it must not block.
 *            Once cw_port_close() has returned it is not called any more.
 * Ownership: the caller releases the port.
 * Errors:    CW_E_INVALID; CW_E_STALE  the owner; CW_E_NOMEM; NULL is returned
 * Since:     0.1
 */
CW_API cw_port *cw_port_new_callback(cw_events_fn callback, void *context, cw_owner *owner,
                                     cw_error *err);

/**
 * Makes a port with a descriptor that is readable while events wait; read them with cw_port_take().
 *
 * @param fd  receives the descriptor; it stays the port's and is closed with it
 *
 * Ownership: the caller releases the port.
 * Errors: CW_E_LIMIT  no more descriptors; CW_E_STALE; CW_E_NOMEM; NULL is returned, and -1 in `fd`
 */
CW_API cw_port *cw_port_new_fd(int32_t *fd, cw_owner *owner, cw_error *err);

/**
 * Makes a port that posts to the Dart port `dart_port`; cw_dart_init() comes first.
 *
 * A message is a list of two: the events as CBOR in a Uint8List ([[tag, kind, status, value or
 * error map], ...]; no copy is made), and the address of an envelope, to be given to
 * cw_envelope_free() when the message has been handled. Where it never is, its finalizer frees the
 * envelope and what it holds.
 * Where the port refuses a message, the host has gone: the port closes itself.
 *
 * Ownership: the caller releases the port.
 * Errors: CW_E_STATE  cw_dart_init() has not succeeded; CW_E_INVALID  the port is 0; CW_E_STALE;
 * CW_E_NOMEM
 */
CW_API cw_port *cw_port_new_dart(int64_t dart_port, cw_owner *owner, cw_error *err);

/**
 * Closes a port: cancels what is attached, drops events that wait.
 *
 * Blocking: where a callback runs on another thread, until it has returned; inside the callback it
 *           returns at once, and the callback is not called again.
 * Errors:   CW_E_STALE
 */
CW_API cw_status cw_port_close(cw_port *port);

/* ---- attaching ---- */

/**
 * Delivers `future`, which is taken on every path, as one event with `tag`.
 *
 * Errors: CW_E_STALE the port or the future; CW_E_CLOSED; CW_E_EXISTS the tag is in use;
 *         CW_E_NOMEM. On failure the future was released, and no event comes.
 */
CW_API cw_status cw_port_attach(cw_port *port, cw_future *future, uint64_t tag);

/** Delivers `stream`, which is taken on every path, as far as there is credit: `credit` values at
 * first.
 *  Errors: as cw_port_attach(). */
CW_API cw_status cw_port_attach_stream(cw_port *port, cw_stream *stream, uint64_t tag,
                                       uint32_t credit);

/** Lets `more` further values of a stream come. Errors: CW_E_NOT_FOUND no such tag; CW_E_STALE */
CW_API cw_status cw_port_credit(cw_port *port, uint64_t tag, uint32_t more);

/** Cancels what is attached with `tag`; its last event still comes. Errors: CW_E_NOT_FOUND;
 * CW_E_STALE */
CW_API cw_status cw_port_cancel(cw_port *port, uint64_t tag);

/** Moves up to `len_max` events that wait to `events` (of a port with a descriptor); returns how
 * many. */
CW_API size_t cw_port_take(cw_port *port, cw_event *events, size_t len_max);

/* ---- Dart ---- */

/** Takes over the functions of the Dart VM: `data` is NativeApi.initializeApiDLData. Again is
 * CW_OK.
 *  Errors: CW_E_INVALID  NULL; CW_E_VERSION  another major version, or a function is missing */
CW_API cw_status cw_dart_init(void *data, cw_error *err);

/** Frees the envelope of a message that has been handled: what its values refer to (handles) is the
 *  host's from then on. NULL is allowed. Threads: any. */
CW_API void cw_envelope_free(void *envelope);

CW_END_DECLS

#endif
