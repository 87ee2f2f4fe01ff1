/* SPDX-License-Identifier: MIT */
/* The inside of ports. A sink is how events reach the host; the port calls it when events wait. */
#ifndef CORE_PORT_H
#define CORE_PORT_H

#include "causeway/port.h"
#include "core/future.h"

typedef struct cwi_event_node {
  struct cwi_event_node *next;
  cw_event event;
  bool embedded; /* lies in its attachment, which goes with it */
} cwi_event_node;

typedef struct cwi_port cwi_port;

typedef struct cwi_port_sink {
  /* Events have begun to wait. Called without locks, with a reference held, on any thread. */
  void (*wake)(cwi_port *port);
  void (*deinit)(cwi_port *port); /* NULL: nothing */
} cwi_port_sink;

#define CWI_PORT_BUCKETS 64

struct cwi_port {
  cwi_object_head head;
  const cwi_port_sink *sink;          /* constant */
  struct cwi_attachment **buckets;    /* [lock] CWI_PORT_BUCKETS lists, by tag */
  cwi_event_node *first, **last;      /* [lock] events that wait, oldest first */
  bool closed;                        /* [lock] */
  bool busy;                          /* [lock] a delivery is under way or has been scheduled */
  uint32_t deliverer;                 /* [lock] the thread inside it; 0: none */
  _Atomic uint32_t deliveries;        /* counts ended ones: a futex for close */
  cwi_port *owner_next, **owner_link; /* [owners' mutex] */
  cwi_job job;                        /* of the callback sink */
  cwi_runtime *runtime;               /* of the callback sink: a reference to the reactor's */
  cw_events_fn callback;
  void *context;
  int fd; /* of the descriptor sink */
  int64_t dart_port;
};

/* Makes a port; NULL with `err` filled. */
cwi_port *cwi_port_make(const cwi_port_sink *sink, cw_owner *owner, cw_error *err);

/* Schedules a delivery: true where none is under way, events wait and the port is open. */
bool cwi_port_begin_delivery(cwi_port *port);

/* This thread is inside the delivery from now on. */
void cwi_port_enter_delivery(cwi_port *port);

/* True where the port has been closed meanwhile. */
bool cwi_port_is_closed(cwi_port *port);

/* Takes all events that wait; NULL where none does, and then the delivery has
 * ended. */
cwi_event_node *cwi_port_next_batch(cwi_port *port);

/* Frees nodes and what their events hold. */
void cwi_event_nodes_free(cwi_event_node *nodes);

/* Closes without waiting for a delivery in flight. */
void cwi_port_shut(cwi_port *port);

#endif
