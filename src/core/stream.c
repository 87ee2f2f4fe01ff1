/* SPDX-License-Identifier: MIT */
/* Streams: the public face of a channel with one producer, an end and credit. */
#include <stdio.h>

#include "core/assert.h"
#include "core/channel.h"
#include "core/error.h"
#include "core/value.h"

cw_stream *cw_stream_new(size_t window, cw_producer **producer, cw_error *err) {
  cwi_error_clear(err);
  if (producer == NULL) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "no place for the producer");
    return NULL;
  }
  *producer = NULL;
  cwi_channel *c = cwi_channel_make(CW_HANDLE_STREAM, window, err);
  if (c == NULL) return NULL;
  *producer = (cw_producer *)cwi_object_handle(c, CW_HANDLE_PRODUCER);
  return (cw_stream *)cwi_object_handle(c, CW_HANDLE_STREAM);
}

cw_future *cw_stream_next(cw_stream *stream) {
  cwi_channel *c = cwi_handle_get(stream, CW_HANDLE_STREAM);
  if (c == NULL) return cw_failed(CW_E_STALE, "not a live stream");
  cw_future *future = cwi_channel_receive_from(c);
  cwi_object_unref(c);
  return future;
}

size_t cw_stream_take(cw_stream *stream, cw_value *values, size_t len_max, cw_error *err) {
  cwi_error_clear(err);
  cwi_channel *c = cwi_handle_get(stream, CW_HANDLE_STREAM);
  if (c == NULL) {
    (void)CWI_RAISE(err, CW_E_STALE, 0, "not a live stream");
    return 0;
  }
  size_t len = cwi_channel_take_from(c, values, len_max, err);
  cwi_object_unref(c);
  return len;
}

cw_status cw_stream_cancel(cw_stream *stream) {
  cwi_channel *c = cwi_handle_get(stream, CW_HANDLE_STREAM);
  if (c == NULL) return CW_E_STALE;
  cw_error end;
  (void)CWI_RAISE(&end, CW_E_CANCELLED, 0, "the stream was cancelled");
  cwi_channel_shut(c, &end, true);
  cwi_object_unref(c);
  return CW_OK;
}

/* ---- the producer's end ---- */

cw_future *cw_producer_send(cw_producer *producer, cw_value value) {
  cwi_channel *c = cwi_handle_get(producer, CW_HANDLE_PRODUCER);
  if (c == NULL) {
    cw_value_release(&value);
    return cw_failed(CW_E_STALE, "not a live producer");
  }
  cw_future *future = cwi_channel_send_to(c, value);
  cwi_object_unref(c);
  return future;
}

cw_status cw_producer_try_send(cw_producer *producer, cw_value value, cw_error *err) {
  cwi_channel *c = cwi_handle_get(producer, CW_HANDLE_PRODUCER);
  if (c == NULL) {
    cw_value_release(&value);
    return CWI_RAISE(err, CW_E_STALE, 0, "not a live producer");
  }
  cw_status status = cwi_channel_try_send_to(c, value, err);
  cwi_object_unref(c);
  return status;
}

size_t cw_producer_credit(cw_producer *producer) {
  cwi_channel *c = cwi_handle_lock(producer, CW_HANDLE_PRODUCER);
  if (c == NULL) return 0;
  size_t credit = c->closed ? 0 : c->cap - c->len;
  cwi_object_unlock(c);
  return credit;
}

/* Ends the producer's handle and returns the object with that handle's reference; NULL: stale. */
static cwi_channel *end_producer(cw_producer *producer) {
  cwi_channel *c = cwi_handle_lock(producer, CW_HANDLE_PRODUCER);
  if (c == NULL) return NULL;
  (void)cwi_object_take_second_locked(c);
  cwi_object_unlock(c);
  return c;
}

cw_status cw_producer_end(cw_producer *producer) {
  cwi_channel *c = end_producer(producer);
  if (c == NULL) return CW_E_STALE;
  cw_error end;
  (void)CWI_RAISE(&end, CW_E_END, 0, "the stream has ended");
  cwi_channel_shut(c, &end, false);
  cwi_object_unref(c);
  return CW_OK;
}

cw_status cw_producer_fail(cw_producer *producer, cw_status code, const char *message) {
  cwi_channel *c = end_producer(producer);
  if (c == NULL) return CW_E_STALE;
  if (code >= 0) code = CW_E_INVALID;
  cw_error end;
  (void)CWI_RAISE(&end, code, 0, "%s", message != NULL ? message : cw_status_text(code));
  cwi_channel_shut(c, &end, false);
  cwi_object_unref(c);
  return CW_OK;
}

cw_status cw_producer_on_cancel(cw_producer *producer, cw_cancel_fn callback, void *context) {
  if (callback == NULL) return CW_E_INVALID;
  cwi_channel *c = cwi_handle_lock(producer, CW_HANDLE_PRODUCER);
  if (c == NULL) return CW_E_STALE;
  cw_status status = c->closed ? CW_E_CANCELLED : CW_OK;
  if (status == CW_OK) {
    c->on_cancel = callback;
    c->on_cancel_context = context;
  }
  cwi_object_unlock(c);
  return status;
}
