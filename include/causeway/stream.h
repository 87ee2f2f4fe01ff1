/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Streams: many results, with an end, an error and credit.
 *
 * A stream has a consumer (the cw_stream) and a producer. The producer may be at most `window`
 * values ahead: that is the consumer's credit, and a producer that has used it up waits. The stream
 * ends with CW_E_END, or with the error that the producer gives, after everything sent before has
 * been taken. Releasing the stream cancels the producer.
 *
 *   while (cw_await(cw_stream_next(rows), &row, &err) == CW_OK) { show(row);
 * cw_value_release(&row); } if (err.code != CW_E_END) report(&err); cw_release(rows);
 *
 * Thread rule: every function may be called from any thread; each end is used by one at a time.
 */
#ifndef CAUSEWAY_STREAM_H
#define CAUSEWAY_STREAM_H

#include "causeway/channel.h"

CW_BEGIN_DECLS

typedef struct cw_stream cw_stream;
typedef struct cw_producer cw_producer;

/**
 * Makes a stream and its producer, which may be `window` values ahead (1 to CW_CHANNEL_LEN_MAX).
 *
 * Ownership: the caller releases both; a producer that is released without an end gives
 *            CW_E_CLOSED.
 * Errors:    CW_E_INVALID; CW_E_NOMEM; NULL is returned, and NULL in `producer`
 * Since:     0.1
 */
CW_API cw_stream *cw_stream_new(size_t window, cw_producer **producer, cw_error *err);

/**
 * The next value of the stream.
 *
 * Cancel:    the value stays for the next call.
 * Errors:    CW_E_END  the stream has ended; CW_E_CANCELLED  it was cancelled; the producer's own
 *            error; CW_E_STALE; CW_E_NOMEM
 */
CW_API cw_future *cw_stream_next(cw_stream *stream);

/** Moves up to `len_max` values that are there to `values` without waiting; returns how many. With
 * none, `err` says why: CW_E_BUSY nothing there yet, or what cw_stream_next() would give. */
CW_API size_t cw_stream_take(cw_stream *stream, cw_value *values, size_t len_max, cw_error *err);

/** Drops what is queued and asks the producer to stop; later reads give CW_E_CANCELLED.
 * Errors: CW_E_STALE */
CW_API cw_status cw_stream_cancel(cw_stream *stream);

/** Sends `value`, taken on every path; the future settles when there was credit for it.
 *  Errors: CW_E_CANCELLED the consumer has gone; CW_E_STALE; CW_E_NOMEM */
CW_API cw_future *cw_producer_send(cw_producer *producer, cw_value value);

/** The same without waiting. Errors: CW_E_BUSY no credit; CW_E_CANCELLED; CW_E_STALE */
CW_API cw_status cw_producer_try_send(cw_producer *producer, cw_value value, cw_error *err);

/** How many values may be sent now without waiting; 0 for a stale or cancelled one. */
CW_API size_t cw_producer_credit(cw_producer *producer);

/** Ends the stream and the producer. Errors: CW_E_STALE */
CW_API cw_status cw_producer_end(cw_producer *producer);

/** Ends the stream with a failure, and the producer; `message` NULL: the code's own text.
 *  A `code` that is no failure counts as CW_E_INVALID. Errors: CW_E_STALE */
CW_API cw_status cw_producer_fail(cw_producer *producer, cw_status code, const char *message);

/** Has `callback` called once when the consumer cancels or goes, on that thread; it must not block.
 *  Errors: CW_E_CANCELLED it has gone already, and `callback` will not be called; CW_E_STALE */
CW_API cw_status cw_producer_on_cancel(cw_producer *producer, cw_cancel_fn callback, void *context);

CW_END_DECLS

#endif
