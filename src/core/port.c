/* SPDX-License-Identifier: MIT */
/* Ports: futures and streams in, batches of events out.
 *
 * An attachment joins one future or stream to the port. It is in the port's table until its last
 * event, which lies inside it, so that a settlement needs no memory. Two hold it: the table, and
 * the waiter that is linked to a future.
 *
 * A stream is pumped by one thread at a time (`pumping`): values are moved as far as there is
 * credit, and where nothing is there a waiter on the next value resumes the pump.
 *
 * Events go to a list; whoever makes it non-empty wakes the sink. Delivery is by one thread at a
 * time (`busy`): others leave their events to it, which is how a batch grows while the host is
 * slow. */
#include "core/port.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/thread.h"
#include "core/value.h"

#define PUMP_BATCH 64

typedef struct cwi_attachment {
  cwi_event_node last;                 /* its last event; first member */
  struct cwi_attachment *next, **link; /* [port's lock] in the table; link NULL: taken out */
  cwi_port *port;                      /* a reference */
  uint64_t tag;
  _Atomic uint32_t holders;
  cwi_waiter waiter;
  cwi_future *waits_for; /* [port's lock] what the waiter is linked to; a reference */
  cw_future *handle;     /* of that */
  cw_stream *stream;     /* NULL: a future is attached */
  uint32_t credit;       /* [port's lock] */
  bool pumping;          /* [port's lock] a pump runs, or its waiter is linked */
} attachment;

/* ---- attachments ---- */

static void drop_attachment(attachment *a) {
  if (atomic_fetch_sub_explicit(&a->holders, 1, memory_order_acq_rel) != 1) return;
  if (a->stream != NULL) (void)cw_release(a->stream);
  cwi_object_unref(a->port);
  CWI_FREE(a);
}

static attachment **bucket_of(cwi_port *port, uint64_t tag) {
  return &port->buckets[(tag ^ tag >> 6) % CWI_PORT_BUCKETS];
}

static attachment *find_locked(cwi_port *port, uint64_t tag) {
  attachment *a = *bucket_of(port, tag);
  while (a != NULL && a->tag != tag) a = a->next;
  return a;
}

static void link_locked(cwi_port *port, attachment *a) {
  attachment **bucket = bucket_of(port, a->tag);
  a->next = *bucket;
  if (a->next != NULL) a->next->link = &a->next;
  a->link = bucket;
  *bucket = a;
}

static bool unlink_locked(attachment *a) {
  if (a->link == NULL) return false;
  *a->link = a->next;
  if (a->next != NULL) a->next->link = a->link;
  a->link = NULL;
  return true;
}

/* ---- events ---- */

void cw_event_release(cw_event *event) {
  if (event == NULL) return;
  cw_value_release(&event->value);
  cwi_free(event->error, sizeof(cw_error));
  event->error = NULL;
}

static void free_node(cwi_event_node *node) {
  cw_event_release(&node->event);
  if (node->embedded) {
    drop_attachment((attachment *)(void *)node);
  } else {
    CWI_FREE(node);
  }
}

void cwi_event_nodes_free(cwi_event_node *nodes) {
  while (nodes != NULL) {
    cwi_event_node *next = nodes->next;
    free_node(nodes);
    nodes = next;
  }
}

static void fill_event(cw_event *event, cw_event_kind kind, uint64_t tag, cw_status status,
                       cw_value value, const cw_error *err) {
  *event = (cw_event){.struct_size = sizeof(cw_event),
                      .kind = (uint32_t)kind,
                      .tag = tag,
                      .status = status,
                      .value = value};
  if (status == CW_OK || err == NULL) return;
  event->error = cwi_alloc(sizeof(cw_error));
  if (event->error != NULL) *event->error = *err;
}

/* Queues a node and wakes the sink where the queue was empty; drops it where the port has
 * closed. */
static void push_node(cwi_port *port, cwi_event_node *node) {
  node->next = NULL;
  cwi_object_lock(port);
  bool closed = port->closed;
  bool first = port->first == NULL && !port->busy;
  if (!closed) {
    *port->last = node;
    port->last = &node->next;
  }
  cwi_object_unlock(port);
  if (closed) {
    free_node(node);
  } else if (first) {
    port->sink->wake(port);
  }
}

/* Sends the last event, which takes over the table's hold on the attachment. */
static void push_last(attachment *a, cw_event_kind kind, cw_status status, cw_value value,
                      const cw_error *err) {
  cwi_port *port = a->port;
  fill_event(&a->last.event, kind, a->tag, status, value, err);
  a->last.embedded = true;
  cwi_object_lock(port);
  bool mine = unlink_locked(a);
  cwi_object_unlock(port);
  if (mine) {
    cwi_object_ref(port);
    push_node(port, &a->last);
    cwi_object_unref(port);
  } else { /* the port has closed, and let go of it */
    cw_event_release(&a->last.event);
  }
}

/* ---- futures ---- */

static void end_wait(attachment *a) {
  cwi_object_lock(a->port);
  cwi_future *f = a->waits_for;
  a->waits_for = NULL;
  cwi_object_unlock(a->port);
  if (f != NULL) cwi_future_unref(f);
}

static void future_settled(attachment *a) {
  cw_value value;
  cw_error err;
  end_wait(a);
  cw_status status = cw_future_take(a->handle, &value, &err);
  push_last(a, CW_EVENT_FUTURE, status, value, &err);
}

static void future_on_notify(cwi_waiter *waiter) {
  attachment *a = CWI_CONTAINER_OF(waiter, attachment, waiter);
  future_settled(a);
  drop_attachment(a); /* the waiter's hold */
}

/* ---- streams ---- */

/* Sends one value; false where there is no memory for it. */
static bool push_item(attachment *a, cw_value value) {
  cwi_event_node *node = CWI_NEW(cwi_event_node);
  if (node == NULL) {
    cw_value_release(&value);
    return false;
  }
  fill_event(&node->event, CW_EVENT_STREAM_ITEM, a->tag, CW_OK, value, NULL);
  push_node(a->port, node);
  return true;
}

/* How many values may be moved now; with none the pump stops. */
static uint32_t claim_credit(attachment *a) {
  cwi_object_lock(a->port);
  uint32_t credit = a->link == NULL ? 0 : a->credit;
  if (credit > PUMP_BATCH) credit = PUMP_BATCH;
  if (credit == 0) a->pumping = false;
  a->credit -= credit;
  cwi_object_unlock(a->port);
  return credit;
}

static void return_credit(attachment *a, uint32_t credit) {
  cwi_object_lock(a->port);
  a->credit += credit;
  cwi_object_unlock(a->port);
}

static void end_stream(attachment *a, const cw_error *err) {
  push_last(a, CW_EVENT_STREAM_END, err->code, cwi_value_none(), err);
}

static void end_for_memory(attachment *a) {
  cw_error err;
  (void)CWI_RAISE_NOMEM(&err, "an event");
  (void)cw_stream_cancel(a->stream);
  end_stream(a, &err);
}

static void stream_on_notify(cwi_waiter *waiter);

/* Waits for the next value; true where it is there already (then it is in a->handle). */
static bool wait_for_next(attachment *a) {
  a->handle = cw_stream_next(a->stream);
  cwi_future *f = cwi_handle_get(a->handle, CW_HANDLE_FUTURE);
  if (f == NULL) return true;
  a->waiter.notify = stream_on_notify;
  atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
  cwi_object_lock(a->port);
  bool open = a->link != NULL;
  if (open) a->waits_for = f;
  cwi_object_unlock(a->port);
  if (open && cwi_future_wait(f, &a->waiter)) return false;
  if (open) {
    end_wait(a);
  } else {
    cwi_future_request_cancel(f, CW_E_CANCELLED);
    cwi_future_unref(f);
  }
  atomic_fetch_sub_explicit(&a->holders, 1, memory_order_relaxed);
  return true;
}

/* Takes what the wait brought; false where the stream has ended. */
static bool take_next(attachment *a) {
  cw_value value;
  cw_error err;
  cw_status status = cw_future_take(a->handle, &value, &err);
  if (status == CW_E_STATE) (void)cw_release(a->handle);
  if (status != CW_OK) {
    end_stream(a, &err);
    return false;
  }
  if (push_item(a, value)) return true;
  end_for_memory(a);
  return false;
}

static void pump(attachment *a) {
  cw_value values[PUMP_BATCH];
  cw_error err;
  for (uint32_t credit = claim_credit(a); credit > 0; credit = claim_credit(a)) {
    size_t len = cw_stream_take(a->stream, values, credit, &err);
    for (size_t i = 0; i < len; i++) {
      if (push_item(a, values[i])) continue;
      while (++i < len) cw_value_release(&values[i]);
      end_for_memory(a);
      return;
    }
    if (len > 0) {
      return_credit(a, credit - (uint32_t)len);
    } else if (err.code != CW_E_BUSY) {
      end_stream(a, &err);
      return;
    } else {
      return_credit(a, credit - 1); /* one is for the value waited for */
      if (!wait_for_next(a) || !take_next(a)) return;
    }
  }
}

static void stream_on_notify(cwi_waiter *waiter) {
  attachment *a = CWI_CONTAINER_OF(waiter, attachment, waiter);
  end_wait(a);
  if (take_next(a)) pump(a);
  drop_attachment(a); /* the waiter's hold */
}

/* ---- attaching ---- */

static attachment *make_attachment(cwi_port *port, uint64_t tag) {
  attachment *a = CWI_NEW(attachment);
  if (a == NULL) return NULL;
  cwi_object_ref(port);
  a->port = port;
  a->tag = tag;
  atomic_init(&a->holders, 1);
  return a;
}

/* Puts an attachment into the table, with a second hold for the caller. */
static cw_status enter(cwi_port *port, attachment *a, cw_error *err) {
  cw_status status = CW_OK;
  cwi_object_lock(port);
  if (port->closed) {
    status = CW_E_CLOSED;
  } else if (find_locked(port, a->tag) != NULL) {
    status = CW_E_EXISTS;
  } else {
    link_locked(port, a);
    atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
  }
  cwi_object_unlock(port);
  if (status == CW_OK) return CW_OK;
  return CWI_RAISE(err, status, 0,
                   status == CW_E_CLOSED ? "the port is closed" : "the tag is in use");
}

static cw_status attach_future(cwi_port *port, cw_future *future, uint64_t tag) {
  cwi_future *f = cwi_handle_get(future, CW_HANDLE_FUTURE);
  if (f == NULL) return cwi_future_raise_dead(future, NULL);
  attachment *a = make_attachment(port, tag);
  cw_status status = a == NULL ? CW_E_NOMEM : CW_OK;
  if (status == CW_OK) {
    a->handle = future;
    a->waits_for = f;
    a->waiter.notify = future_on_notify;
    status = enter(port, a, NULL);
  }
  if (status != CW_OK) {
    if (a != NULL) drop_attachment(a);
    cwi_future_unref(f);
    return status;
  }
  if (!cwi_future_wait(f, &a->waiter)) {
    future_settled(a);
    drop_attachment(a); /* the hold that the waiter would have had */
  }
  return CW_OK;
}

cw_status cw_port_attach(cw_port *port, cw_future *future, uint64_t tag) {
  cwi_port *p = cwi_handle_get(port, CW_HANDLE_PORT);
  cw_status status = p == NULL ? CW_E_STALE : attach_future(p, future, tag);
  if (status != CW_OK) (void)cw_release(future);
  if (p != NULL) cwi_object_unref(p);
  return status;
}

static cw_status attach_stream(cwi_port *port, cw_stream *stream, uint64_t tag, uint32_t credit) {
  if (cw_handle_kind_of(stream) != CW_HANDLE_STREAM) return CW_E_STALE;
  attachment *a = make_attachment(port, tag);
  if (a == NULL) return CW_E_NOMEM;
  a->credit = credit;
  a->pumping = true;
  cw_status status = enter(port, a, NULL);
  if (status == CW_OK) {
    a->stream = stream; /* from now on released with the attachment */
    pump(a);
  }
  drop_attachment(a);
  return status;
}

cw_status cw_port_attach_stream(cw_port *port, cw_stream *stream, uint64_t tag, uint32_t credit) {
  cwi_port *p = cwi_handle_get(port, CW_HANDLE_PORT);
  cw_status status = p == NULL ? CW_E_STALE : attach_stream(p, stream, tag, credit);
  if (status != CW_OK) (void)cw_release(stream);
  if (p != NULL) cwi_object_unref(p);
  return status;
}

/* Finds an attachment and holds it; NULL with the status. */
static attachment *hold(cw_port *port, uint64_t tag, cw_status *status) {
  cwi_port *p = cwi_handle_lock(port, CW_HANDLE_PORT);
  *status = CW_E_STALE;
  if (p == NULL) return NULL;
  attachment *a = find_locked(p, tag);
  if (a != NULL) atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
  cwi_object_unlock(p);
  *status = a == NULL ? CW_E_NOT_FOUND : CW_OK;
  return a;
}

cw_status cw_port_credit(cw_port *port, uint64_t tag, uint32_t more) {
  cw_status status;
  attachment *a = hold(port, tag, &status);
  if (a == NULL) return status;
  cwi_object_lock(a->port);
  a->credit = more > UINT32_MAX - a->credit ? UINT32_MAX : a->credit + more;
  bool starts = a->stream != NULL && !a->pumping && a->link != NULL;
  if (starts) a->pumping = true;
  cwi_object_unlock(a->port);
  if (starts) pump(a);
  drop_attachment(a);
  return CW_OK;
}

cw_status cw_port_cancel(cw_port *port, uint64_t tag) {
  cw_status status;
  attachment *a = hold(port, tag, &status);
  if (a == NULL) return status;
  if (a->stream != NULL) {
    (void)cw_stream_cancel(a->stream);
    (void)cw_port_credit(port, tag, 1); /* so that the end comes */
  } else {
    (void)cw_future_cancel(a->handle);
  }
  drop_attachment(a);
  return CW_OK;
}

/* ---- delivery ---- */

bool cwi_port_begin_delivery(cwi_port *port) {
  cwi_object_lock(port);
  bool begins = !port->busy && !port->closed && port->first != NULL;
  if (begins) port->busy = true;
  cwi_object_unlock(port);
  return begins;
}

void cwi_port_enter_delivery(cwi_port *port) {
  cwi_object_lock(port);
  port->deliverer = cwi_thread_id();
  cwi_object_unlock(port);
}

bool cwi_port_is_closed(cwi_port *port) {
  cwi_object_lock(port);
  bool closed = port->closed;
  cwi_object_unlock(port);
  return closed;
}

cwi_event_node *cwi_port_next_batch(cwi_port *port) {
  cwi_object_lock(port);
  cwi_event_node *batch = port->closed ? NULL : port->first;
  if (batch != NULL) {
    port->first = NULL;
    port->last = &port->first;
  } else {
    port->busy = false;
    port->deliverer = 0;
  }
  cwi_object_unlock(port);
  if (batch == NULL) {
    atomic_fetch_add_explicit(&port->deliveries, 1, memory_order_release);
    cwi_futex_wake(&port->deliveries, INT32_MAX);
  }
  return batch;
}

size_t cw_port_take(cw_port *port, cw_event *events, size_t len_max) {
  cwi_port *p = cwi_handle_get(port, CW_HANDLE_PORT);
  if (p == NULL) return 0;
  size_t len = 0;
  uint64_t ignored;
  if (p->fd >= 0 && read(p->fd, &ignored, sizeof(ignored)) < 0)
    ignored = 0; /* not readable: no matter */
  cwi_event_node *taken = NULL;
  cwi_event_node **last = &taken;
  cwi_object_lock(p);
  while (len < len_max && p->first != NULL) {
    cwi_event_node *node = p->first;
    p->first = node->next;
    node->next = NULL;
    *last = node;
    last = &node->next;
    events[len++] = node->event;
    node->event = (cw_event){0};
  }
  if (p->first == NULL) p->last = &p->first;
  bool more = p->first != NULL;
  cwi_object_unlock(p);
  cwi_event_nodes_free(taken);
  if (more) p->sink->wake(p);
  cwi_object_unref(p);
  return len;
}

/* ---- closing ---- */

/* Lets go of one attachment that was taken out of the table. */
static void abandon(attachment *a) {
  cwi_object_lock(a->port);
  cwi_future *f = a->waits_for;
  if (f != NULL) cwi_future_ref(f);
  cwi_object_unlock(a->port);
  if (f != NULL) {
    if (cwi_future_unwait(f, &a->waiter)) {
      end_wait(a);
      (void)cw_release(a->handle); /* nobody waits: it is cancelled */
      drop_attachment(a);          /* the waiter's hold */
    }
    cwi_future_unref(f);
  }
  if (a->stream != NULL) (void)cw_stream_cancel(a->stream);
  drop_attachment(a); /* the table's hold */
}

void cwi_port_shut(cwi_port *port) {
  attachment *all = NULL;
  cwi_object_lock(port);
  bool first = !port->closed;
  port->closed = true;
  cwi_event_node *waiting = port->first;
  port->first = NULL;
  port->last = &port->first;
  for (size_t i = 0; i < CWI_PORT_BUCKETS; i++) {
    while (port->buckets[i] != NULL) {
      attachment *a = port->buckets[i];
      (void)unlink_locked(a);
      a->next = all;
      all = a;
    }
  }
  cwi_object_unlock(port);
  if (!first) return;
  cwi_event_nodes_free(waiting);
  while (all != NULL) {
    attachment *next = all->next;
    abandon(all);
    all = next;
  }
}

static void wait_for_delivery(cwi_port *port) {
  for (;;) {
    uint32_t seen = atomic_load_explicit(&port->deliveries, memory_order_acquire);
    cwi_object_lock(port);
    bool waits = port->deliverer != 0 && port->deliverer != cwi_thread_id();
    cwi_object_unlock(port);
    if (!waits) return;
    cwi_futex_wait(&port->deliveries, seen, 0);
  }
}

cw_status cw_port_close(cw_port *port) {
  cwi_port *p = cwi_handle_get(port, CW_HANDLE_PORT);
  if (p == NULL) return CW_E_STALE;
  cwi_port_shut(p);
  wait_for_delivery(p);
  cwi_object_unref(p);
  return CW_OK;
}

/* ---- owners, and the life of ports ---- */

typedef struct owner {
  cwi_object_head head;
  cwi_port *ports; /* [owners_mutex] */
} owner;

static pthread_mutex_t owners_mutex = PTHREAD_MUTEX_INITIALIZER;

static void leave_owner(cwi_port *port) {
  (void)pthread_mutex_lock(&owners_mutex);
  if (port->owner_link != NULL) {
    *port->owner_link = port->owner_next;
    if (port->owner_next != NULL) port->owner_next->owner_link = port->owner_link;
    port->owner_link = NULL;
  }
  (void)pthread_mutex_unlock(&owners_mutex);
}

static void port_closed(cwi_object_head *object, cw_handle_kind kind) {
  (void)kind;
  cwi_port *port = (cwi_port *)(void *)object;
  leave_owner(port);
  cwi_port_shut(port);
  cwi_object_unref(port);
}

static void port_deinit(cwi_object_head *object) {
  cwi_port *port = (cwi_port *)(void *)object;
  CWI_ASSERT(port->first == NULL);
  if (port->sink->deinit != NULL) port->sink->deinit(port);
  cwi_free(port->buckets, CWI_PORT_BUCKETS * sizeof(*port->buckets));
}

static void end_ports(owner *o) {
  for (;;) {
    (void)pthread_mutex_lock(&owners_mutex);
    cwi_port *port = o->ports;
    if (port != NULL) {
      o->ports = port->owner_next;
      if (o->ports != NULL) o->ports->owner_link = &o->ports;
      port->owner_link = NULL;
      cwi_object_ref(port); /* it cannot have gone: leaving comes before its end */
    }
    (void)pthread_mutex_unlock(&owners_mutex);
    if (port == NULL) return;
    (void)cwi_handle_kill(cwi_object_handle(port, CW_HANDLE_PORT), CW_HANDLE_PORT);
    cwi_object_unref(port);
  }
}

static void owner_closed(cwi_object_head *object, cw_handle_kind kind) {
  (void)kind;
  end_ports((owner *)(void *)object);
  cwi_object_unref(object);
}

static const cwi_pool_ops PORT_OPS = {"port", sizeof(cwi_port), port_closed, port_deinit};
static const cwi_pool_ops OWNER_OPS = {"owner", sizeof(owner), owner_closed, NULL};

cw_owner *cw_owner_new(cw_error *err) {
  cwi_pool_define(CW_HANDLE_OWNER, CW_HANDLE_NONE, &OWNER_OPS);
  owner *o = cwi_object_new(CW_HANDLE_OWNER, false);
  if (o != NULL) return (cw_owner *)cwi_object_handle(o, CW_HANDLE_OWNER);
  (void)CWI_RAISE_NOMEM(err, "an owner");
  return NULL;
}

cw_status cw_owner_end_epoch(cw_owner *handle) {
  owner *o = cwi_handle_get(handle, CW_HANDLE_OWNER);
  if (o == NULL) return CW_E_STALE;
  end_ports(o);
  cwi_object_unref(o);
  return CW_OK;
}

static cw_status join_owner(cwi_port *port, cw_owner *handle, cw_error *err) {
  if (handle == NULL) return CW_OK;
  owner *o = cwi_handle_get(handle, CW_HANDLE_OWNER);
  if (o == NULL) return CWI_RAISE(err, CW_E_STALE, 0, "not a live owner");
  (void)pthread_mutex_lock(&owners_mutex);
  port->owner_next = o->ports;
  if (port->owner_next != NULL) port->owner_next->owner_link = &port->owner_next;
  port->owner_link = &o->ports;
  o->ports = port;
  (void)pthread_mutex_unlock(&owners_mutex);
  cwi_object_unref(o);
  return CW_OK;
}

cwi_port *cwi_port_make(const cwi_port_sink *sink, cw_owner *owner_handle, cw_error *err) {
  cwi_error_clear(err);
  cwi_pool_define(CW_HANDLE_PORT, CW_HANDLE_NONE, &PORT_OPS);
  attachment **buckets = cwi_alloc_array(CWI_PORT_BUCKETS, sizeof(*buckets));
  cwi_port *port = buckets == NULL ? NULL : cwi_object_new(CW_HANDLE_PORT, false);
  if (port == NULL) {
    cwi_free(buckets, CWI_PORT_BUCKETS * sizeof(*buckets));
    (void)CWI_RAISE_NOMEM(err, "a port");
    return NULL;
  }
  port->sink = sink;
  port->buckets = buckets;
  port->last = &port->first;
  port->fd = -1;
  if (join_owner(port, owner_handle, err) == CW_OK) return port;
  (void)cw_release(cwi_object_handle(port, CW_HANDLE_PORT));
  return NULL;
}
