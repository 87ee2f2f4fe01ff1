/* SPDX-License-Identifier: MIT */
/* A bounded queue with futures for those who wait at either end.
 *
 * Invariant: receivers wait only while the ring is empty, senders only while it is full. So a send
 * hands its value to the oldest receiver, or puts it into the ring, or waits; a receive takes from
 * the ring (and lets the oldest sender in), or waits. Futures are settled after the lock is given
 * up.
 *
 * A waiting future keeps a reference to the channel in its operation area, and its value there (a
 * sender's). Cancelling it takes it out of its list. */
#include "core/channel.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/value.h"

typedef struct wait_op {
  cwi_channel *channel; /* a reference */
  cwi_future *next;
  cwi_future **link; /* [channel's lock] NULL: not waiting any more */
  cw_value value;    /* of a sender */
} wait_op;

static wait_op *op_of(cwi_future *f) {
  wait_op *op = CWI_FUTURE_OP(f, wait_op);
  return op;
}

/* ---- life ---- */

static void free_values(cwi_channel *c) {
  while (c->len > 0) {
    cw_value_release(&c->ring[c->first]);
    c->first = (c->first + 1) % c->cap;
    c->len--;
  }
}

static void channel_deinit(cwi_object_head *object) {
  cwi_channel *c = (cwi_channel *)(void *)object;
  CWI_ASSERT(c->receivers == NULL && c->senders == NULL);
  free_values(c);
  cwi_free(c->ring, c->cap * sizeof(cw_value));
  cwi_free(c->end, sizeof(cw_error));
}

static void channel_closed(cwi_object_head *object, cw_handle_kind kind) {
  cwi_channel *c = (cwi_channel *)(void *)object;
  cw_error end;
  if (kind == CW_HANDLE_PRODUCER) {
    (void)CWI_RAISE(&end, CW_E_CLOSED, 0, "the producer was released without ending the stream");
  } else {
    (void)CWI_RAISE(&end, kind == CW_HANDLE_STREAM ? CW_E_CANCELLED : CW_E_CLOSED, 0,
                    "the receiving end was released");
  }
  cwi_channel_shut(c, &end, kind != CW_HANDLE_PRODUCER);
  cwi_object_unref(c);
}

static const cwi_pool_ops CHANNEL_OPS = {"channel", sizeof(cwi_channel), channel_closed,
                                         channel_deinit};
static const cwi_pool_ops STREAM_OPS = {"stream", sizeof(cwi_channel), channel_closed,
                                        channel_deinit};

cwi_channel *cwi_channel_make(cw_handle_kind kind, size_t cap, cw_error *err) {
  if (cap == 0 || cap > CW_CHANNEL_LEN_MAX) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "a capacity of %zu is outside 1 to %zu", cap,
                    CW_CHANNEL_LEN_MAX);
    return NULL;
  }
  cwi_pool_define(CW_HANDLE_CHANNEL, CW_HANDLE_NONE, &CHANNEL_OPS);
  cwi_pool_define(CW_HANDLE_STREAM, CW_HANDLE_PRODUCER, &STREAM_OPS);
  cw_value *ring = cwi_alloc_array(cap, sizeof(cw_value));
  cwi_channel *c = ring == NULL ? NULL : cwi_object_new(kind, kind == CW_HANDLE_STREAM);
  if (c == NULL) {
    cwi_free(ring, cap * sizeof(cw_value));
    (void)CWI_RAISE_NOMEM(err, "a channel");
    return NULL;
  }
  c->ring = ring;
  c->cap = cap;
  c->receivers_last = &c->receivers;
  c->senders_last = &c->senders;
  return c; /* the ring goes with the object */
}

/* ---- lists of those who wait ---- */

static void link_last(cwi_future *f, cwi_future ***last) {
  wait_op *op = op_of(f);
  op->next = NULL;
  op->link = *last;
  **last = f;
  *last = &op->next;
}

static void unlink_from(cwi_future *f, cwi_future ***last) {
  wait_op *op = op_of(f);
  *op->link = op->next;
  if (op->next != NULL) {
    op_of(op->next)->link = op->link;
  } else {
    *last = op->link;
  }
  op->link = NULL;
}

static cwi_future *pop_first(cwi_future **first, cwi_future ***last) {
  cwi_future *f = *first;
  if (f != NULL) unlink_from(f, last);
  return f;
}

static void wait_op_deinit(cwi_future *f) {
  wait_op *op = op_of(f);
  cw_value_release(&op->value);
  cwi_object_unref(op->channel);
}

static void wait_on_cancel(cwi_future *f, bool sends) {
  wait_op *op = op_of(f);
  cwi_channel *c = op->channel;
  cwi_object_lock(c);
  bool waits = op->link != NULL;
  if (waits) unlink_from(f, sends ? &c->senders_last : &c->receivers_last);
  cwi_object_unlock(c);
  if (waits) (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
}

static void send_on_cancel(cwi_future *f) { wait_on_cancel(f, true); }
static void receive_on_cancel(cwi_future *f) { wait_on_cancel(f, false); }

/* A pending future for somebody who may have to wait; its reference to the channel is added. */
static cwi_future *make_waiting(cwi_channel *c, bool sends) {
  cwi_future *f = cwi_future_new(NULL, sends ? "channel_send" : "channel_receive");
  if (f == NULL) return NULL;
  op_of(f)->channel = c;
  f->cancel = sends ? send_on_cancel : receive_on_cancel;
  f->op_deinit = wait_op_deinit;
  cwi_object_ref(c);
  return f;
}

/* ---- sending ---- */

static cw_status raise_end(const cw_error *end, cw_error *err) {
  if (end == NULL) return CWI_RAISE(err, CW_E_CLOSED, 0, "the channel is closed");
  if (err != NULL) *err = *end;
  return end->code;
}

/* A sender hears of a consumer that has gone, or that it is closed. */
static cw_status raise_refusal(const cwi_channel *c, cw_error *err) {
  if (c->end != NULL && c->end->code == CW_E_CANCELLED) return raise_end(c->end, err);
  return CWI_RAISE(err, CW_E_CLOSED, 0, "the channel is closed");
}

typedef enum sent { SENT_HANDED, SENT_QUEUED, SENT_FULL, SENT_CLOSED } sent;

/* Under the lock: hands the value on if it can; *receiver is who gets it. */
static sent offer_locked(cwi_channel *c, cw_value value, cwi_future **receiver) {
  if (c->closed) return SENT_CLOSED;
  *receiver = pop_first(&c->receivers, &c->receivers_last);
  if (*receiver != NULL) return SENT_HANDED;
  if (c->len == c->cap) return SENT_FULL;
  size_t last = c->first + c->len;
  c->ring[last < c->cap ? last : last - c->cap] = value;
  c->len++;
  return SENT_QUEUED;
}

cw_status cwi_channel_try_send_to(cwi_channel *c, cw_value value, cw_error *err) {
  cw_status status = cwi_value_is_heap(value) ? cwi_value_detach(&value, err) : CW_OK;
  if (status != CW_OK) {
    cw_value_release(&value);
    return status;
  }
  cwi_future *receiver = NULL;
  cwi_object_lock(c);
  sent result = offer_locked(c, value, &receiver);
  cwi_object_unlock(c);
  if (result == SENT_CLOSED) status = raise_refusal(c, err);
  if (result == SENT_HANDED) (void)cwi_future_finish(receiver, CW_OK, value, NULL);
  if (result == SENT_FULL) status = CWI_RAISE(err, CW_E_BUSY, 0, "full, with %zu values", c->cap);
  if (status != CW_OK) cw_value_release(&value);
  return status;
}

cw_future *cwi_channel_send_to(cwi_channel *c, cw_value value) {
  cw_error err;
  cw_status status = cwi_value_detach(&value, &err);
  cwi_future *f = status == CW_OK ? make_waiting(c, true) : NULL;
  if (f == NULL) {
    cw_value_release(&value);
    return status == CW_OK ? cwi_future_nomem() : cwi_future_failed(&err);
  }
  cw_future *handle = cwi_future_handle(f);
  cwi_future *receiver = NULL;
  cwi_object_lock(c);
  sent result = offer_locked(c, value, &receiver);
  if (result == SENT_FULL) {
    op_of(f)->value = value;
    link_last(f, &c->senders_last);
  }
  cwi_object_unlock(c);
  if (result == SENT_CLOSED) status = raise_refusal(c, &err);
  if (result == SENT_HANDED) (void)cwi_future_finish(receiver, CW_OK, value, NULL);
  if (result == SENT_CLOSED) cw_value_release(&value);
  if (result != SENT_FULL) (void)cwi_future_finish(f, status, cwi_value_none(), &err);
  return handle;
}

/* ---- receiving ---- */

/* Under the lock: takes the oldest value, and lets the oldest sender in, who is to be told. */
static cw_value pop_locked(cwi_channel *c, cwi_future **sender) {
  cw_value value = c->ring[c->first];
  c->first = c->first + 1 == c->cap ? 0 : c->first + 1;
  c->len--;
  *sender = pop_first(&c->senders, &c->senders_last);
  if (*sender != NULL) {
    wait_op *op = op_of(*sender);
    size_t last = c->first + c->len;
    c->ring[last < c->cap ? last : last - c->cap] = op->value;
    op->value = cwi_value_none();
    c->len++;
  }
  return value;
}

cw_future *cwi_channel_receive_from(cwi_channel *c) {
  cw_error err;
  cwi_future *f = make_waiting(c, false);
  if (f == NULL) return cwi_future_nomem();
  cw_future *handle = cwi_future_handle(f);
  cwi_future *sender = NULL;
  cw_value value = cwi_value_none();
  cw_status status = CW_OK;
  cwi_object_lock(c);
  bool there = c->len > 0;
  bool waits = !there && !c->closed;
  if (there) value = pop_locked(c, &sender);
  if (waits) link_last(f, &c->receivers_last);
  cwi_object_unlock(c);
  if (!there && !waits) status = raise_end(c->end, &err);
  if (sender != NULL) (void)cwi_future_finish(sender, CW_OK, cwi_value_none(), NULL);
  if (!waits) (void)cwi_future_finish(f, status, value, &err);
  return handle;
}

size_t cwi_channel_take_from(cwi_channel *c, cw_value *values, size_t len_max, cw_error *err) {
  size_t len = 0;
  cwi_future *let_in = NULL; /* senders to be told, threaded through their operation areas */
  cwi_future **last = &let_in;
  cwi_object_lock(c);
  while (len < len_max && c->len > 0) {
    cwi_future *sender = NULL;
    values[len++] = pop_locked(c, &sender);
    if (sender == NULL) continue;
    op_of(sender)->next = NULL;
    *last = sender;
    last = &op_of(sender)->next;
  }
  bool closed = c->closed;
  cwi_object_unlock(c);
  if (len == 0 && closed) (void)raise_end(c->end, err); /* set once, before `closed` */
  if (len == 0 && !closed) (void)CWI_RAISE(err, CW_E_BUSY, 0, "nothing there yet");
  while (let_in != NULL) {
    cwi_future *sender = let_in;
    let_in = op_of(sender)->next;
    (void)cwi_future_finish(sender, CW_OK, cwi_value_none(), NULL);
  }
  return len;
}

/* ---- closing ---- */

static void fail_all(cwi_future *list, const cw_error *err) {
  while (list != NULL) {
    cwi_future *f = list;
    list = op_of(f)->next;
    (void)cwi_future_finish(f, err->code, cwi_value_none(), err);
  }
}

static cwi_future *take_list(cwi_future **first, cwi_future ***last) {
  cwi_future *list = *first;
  for (cwi_future *f = list; f != NULL; f = op_of(f)->next) op_of(f)->link = NULL;
  *first = NULL;
  *last = first;
  return list;
}

void cwi_channel_shut(cwi_channel *c, const cw_error *end, bool drop) {
  cw_error why;
  (void)raise_end(end, &why);
  cw_error *kept = cwi_alloc(sizeof(cw_error)); /* without it the code is CW_E_CLOSED */
  if (kept != NULL) *kept = why;
  cw_value *ring = drop ? cwi_alloc_array(c->cap, sizeof(cw_value)) : NULL;
  cwi_object_lock(c);
  bool first = !c->closed;
  cwi_future *receivers = NULL;
  cwi_future *senders = NULL;
  cw_cancel_fn on_cancel = NULL;
  if (first) {
    c->closed = true;
    c->end = kept;
    kept = NULL;
    receivers = take_list(&c->receivers, &c->receivers_last);
    if (drop) on_cancel = c->on_cancel;
  }
  /* What a stream's producer sent before it ended is still delivered. */
  bool is_channel = c->head.kind == CW_HANDLE_CHANNEL;
  if (drop || (first && is_channel)) senders = take_list(&c->senders, &c->senders_last);
  void *context = c->on_cancel_context;
  size_t len = 0;
  size_t start = c->first;
  cw_value *dropped = c->ring;
  if (drop && ring != NULL) {
    len = c->len;
    c->len = 0;
    c->ring = ring;
    ring = dropped;
  }
  cwi_object_unlock(c);
  for (size_t i = 0; i < len; i++) cw_value_release(&dropped[(start + i) % c->cap]);
  cwi_free(ring, c->cap * sizeof(cw_value));
  cwi_free(kept, sizeof(cw_error));
  fail_all(receivers, &why);
  fail_all(senders, &why);
  if (on_cancel != NULL) on_cancel(context);
}

/* ---- the public functions of channels ---- */

cw_channel *cw_channel_new(size_t capacity, cw_error *err) {
  cwi_channel *c = cwi_channel_make(CW_HANDLE_CHANNEL, capacity, err);
  return c == NULL ? NULL : (cw_channel *)cwi_object_handle(c, CW_HANDLE_CHANNEL);
}

cw_future *cw_channel_send(cw_channel *channel, cw_value value) {
  cwi_channel *c = cwi_handle_get(channel, CW_HANDLE_CHANNEL);
  if (c == NULL) {
    cw_value_release(&value);
    return cw_failed(CW_E_STALE, "not a live channel");
  }
  cw_future *future = cwi_channel_send_to(c, value);
  cwi_object_unref(c);
  return future;
}

cw_status cw_channel_try_send(cw_channel *channel, cw_value value, cw_error *err) {
  cwi_channel *c = cwi_handle_get(channel, CW_HANDLE_CHANNEL);
  if (c == NULL) {
    cw_value_release(&value);
    return CWI_RAISE(err, CW_E_STALE, 0, "not a live channel");
  }
  cw_status status = cwi_channel_try_send_to(c, value, err);
  cwi_object_unref(c);
  return status;
}

cw_future *cw_channel_receive(cw_channel *channel) {
  cwi_channel *c = cwi_handle_get(channel, CW_HANDLE_CHANNEL);
  if (c == NULL) return cw_failed(CW_E_STALE, "not a live channel");
  cw_future *future = cwi_channel_receive_from(c);
  cwi_object_unref(c);
  return future;
}

size_t cw_channel_take(cw_channel *channel, cw_value *values, size_t len_max, cw_error *err) {
  cwi_error_clear(err);
  cwi_channel *c = cwi_handle_get(channel, CW_HANDLE_CHANNEL);
  if (c == NULL) {
    (void)CWI_RAISE(err, CW_E_STALE, 0, "not a live channel");
    return 0;
  }
  size_t len = cwi_channel_take_from(c, values, len_max, err);
  cwi_object_unref(c);
  return len;
}

cw_status cw_channel_close(cw_channel *channel) {
  cwi_channel *c = cwi_handle_get(channel, CW_HANDLE_CHANNEL);
  if (c == NULL) return CW_E_STALE;
  cwi_channel_shut(c, NULL, false);
  cwi_object_unref(c);
  return CW_OK;
}
