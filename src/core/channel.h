/* SPDX-License-Identifier: MIT */
/* The queue inside channels and streams. */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include "causeway/stream.h"
#include "core/future.h"

typedef struct cwi_channel {
  cwi_object_head head;
  cw_value *ring;                          /* [lock] `cap` slots */
  size_t cap;                              /* constant */
  size_t first;                            /* [lock] */
  size_t len;                              /* [lock] */
  cwi_future *receivers, **receivers_last; /* [lock] oldest first; then the ring is empty */
  cwi_future *senders, **senders_last;     /* [lock] oldest first; then the ring is full */
  bool closed;                             /* [lock] no more sends */
  cw_error *end;                           /* [lock] why it was closed; NULL: CW_E_CLOSED */
  cw_cancel_fn on_cancel;                  /* [lock] the producer wants to know */
  void *on_cancel_context;
} cwi_channel;

/* Makes the object of a channel (`kind` CHANNEL) or stream (STREAM, with its second handle). */
cwi_channel *cwi_channel_make(cw_handle_kind kind, size_t cap, cw_error *err);

/* All take a reference of the caller's that stays his; values are taken on every path. */
cw_future *cwi_channel_send_to(cwi_channel *c, cw_value value);
cw_status cwi_channel_try_send_to(cwi_channel *c, cw_value value, cw_error *err);
cw_future *cwi_channel_receive_from(cwi_channel *c);
size_t cwi_channel_take_from(cwi_channel *c, cw_value *values, size_t len_max, cw_error *err);

/* Closes for `end` (NULL: CW_E_CLOSED); with `drop` what is queued goes too. Only the first call
 * counts. */
void cwi_channel_shut(cwi_channel *c, const cw_error *end, bool drop);

#endif
