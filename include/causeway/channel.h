/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Channels: bounded queues between tasks and threads, many senders, one receiver.
 *
 * A send waits while the channel is full, a receive while it is empty; what one sender sends
 * arrives in its order. Closing wakes both ends: senders fail with CW_E_CLOSED at once, the
 * receiver gets what is still queued first.
 *
 *   cw_channel *channel = cw_channel_new(16, err);
 *   cw_future *sent = cw_channel_send(channel, cw_value_int(1));
 *   cw_await(cw_channel_receive(channel), &value, err);
 *   cw_channel_close(channel);
 *   cw_release(channel);
 *
 * Thread rule: every function may be called from any thread.
 */
#ifndef CAUSEWAY_CHANNEL_H
#define CAUSEWAY_CHANNEL_H

#include "causeway/future.h"

CW_BEGIN_DECLS

typedef struct cw_channel cw_channel;

/** The largest capacity of a channel or window of a stream, in values. */
#define CW_CHANNEL_LEN_MAX ((size_t)1 << 24)

/**
 * Makes a channel that holds at most `capacity` values (1 to CW_CHANNEL_LEN_MAX).
 *
 * Ownership: the caller releases it; releasing closes it and drops what is queued.
 * Errors:    CW_E_INVALID  capacity out of range; CW_E_NOMEM; NULL is returned
 * Since:     0.1
 */
CW_API cw_channel *cw_channel_new(size_t capacity, cw_error *err);

/**
 * Sends `value`, which is taken on every path; the future settles when the channel has accepted it.
 *
 * Cancel:  a send that still waits is taken back: nothing was sent.
 * Errors:  CW_E_CLOSED; CW_E_STALE; CW_E_NOMEM
 */
CW_API cw_future *cw_channel_send(cw_channel *channel, cw_value value);

/** Sends without waiting, taking `value` on every path. Errors: CW_E_BUSY full; CW_E_CLOSED;
 * CW_E_STALE */
CW_API cw_status cw_channel_try_send(cw_channel *channel, cw_value value, cw_error *err);

/**
 * Receives the next value.
 *
 * Cancel:  nothing is lost: a value goes to the next receive.
 * Errors:  CW_E_CLOSED  closed, and nothing is queued any more; CW_E_STALE; CW_E_NOMEM
 */
CW_API cw_future *cw_channel_receive(cw_channel *channel);

/**
 * Moves up to `len_max` queued values to `values` without waiting; returns how many.
 *
 * With none, `err` says why: CW_E_BUSY empty; CW_E_CLOSED closed and drained; CW_E_STALE.
 */
CW_API size_t cw_channel_take(cw_channel *channel, cw_value *values, size_t len_max, cw_error *err);

/** Closes the channel for sending; again is CW_OK. Errors: CW_E_STALE */
CW_API cw_status cw_channel_close(cw_channel *channel);

CW_END_DECLS

#endif
