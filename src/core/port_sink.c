/* SPDX-License-Identifier: MIT */
/* Two sinks: a callback on the reactor's thread, and a descriptor that is readable while events
 * wait. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/port.h"

#define CALLBACK_BATCH 64

/* ---- callback ---- */

/* Gives a list of nodes to the callback in runs of CALLBACK_BATCH, and frees them. */
static void call_with(cwi_port *port, cwi_event_node *nodes) {
  while (nodes != NULL) {
    cw_event events[CALLBACK_BATCH];
    cwi_event_node *node = nodes;
    size_t len = 0;
    for (; node != NULL && len < CALLBACK_BATCH; node = node->next) events[len++] = node->event;
    if (!cwi_port_is_closed(port)) port->callback(events, len, port->context);
    for (size_t i = 0; i < len; i++) {
      cwi_event_node *next = nodes->next;
      nodes->event = events[i]; /* without what the callback took */
      nodes->next = NULL;
      cwi_event_nodes_free(nodes);
      nodes = next;
    }
  }
}

static void deliver_on_run(cwi_job *job) {
  cwi_port *port = CWI_CONTAINER_OF(job, cwi_port, job);
  cwi_event_node *batch;
  cwi_port_enter_delivery(port);
  while ((batch = cwi_port_next_batch(port)) != NULL) call_with(port, batch);
  cwi_object_unref(port);
}

static void callback_wake(cwi_port *port) {
  if (!cwi_port_begin_delivery(port)) return;
  cwi_object_ref(port);
  cwi_runtime_send(port->runtime, &port->job);
}

static void callback_deinit(cwi_port *port) {
  if (port->runtime != NULL) cwi_runtime_unref(port->runtime);
}

static const cwi_port_sink CALLBACK_SINK = {callback_wake, callback_deinit};

cw_port *cw_port_new_callback(cw_events_fn callback, void *context, cw_owner *owner,
                              cw_error *err) {
  if (callback == NULL) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "no callback");
    return NULL;
  }
  cwi_runtime *reactor = cwi_reactor_get(err);
  if (reactor == NULL) return NULL;
  cwi_port *port = cwi_port_make(&CALLBACK_SINK, owner, err);
  if (port == NULL) return NULL;
  cwi_runtime_ref(reactor);
  port->runtime = reactor;
  port->job.run = deliver_on_run;
  port->callback = callback;
  port->context = context;
  return (cw_port *)cwi_object_handle(port, CW_HANDLE_PORT);
}

/* ---- descriptor ---- */

static void fd_wake(cwi_port *port) {
  uint64_t one = 1;
  ssize_t written = write(port->fd, &one, sizeof(one));
  CWI_ASSERT(written == (ssize_t)sizeof(one) || errno == EAGAIN);
  (void)written;
}

static void fd_deinit(cwi_port *port) {
  if (port->fd >= 0) (void)close(port->fd);
}

static const cwi_port_sink FD_SINK = {fd_wake, fd_deinit};

cw_port *cw_port_new_fd(int32_t *fd, cw_owner *owner, cw_error *err) {
  if (fd == NULL) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "no place for the descriptor");
    return NULL;
  }
  *fd = -1;
  int made = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (made < 0) {
    (void)CWI_RAISE(err, cwi_status_from_errno(errno), errno, "no descriptor for a port");
    return NULL;
  }
  cwi_port *port = cwi_port_make(&FD_SINK, owner, err);
  if (port == NULL) {
    (void)close(made);
    return NULL;
  }
  port->fd = made;
  *fd = made;
  return (cw_port *)cwi_object_handle(port, CW_HANDLE_PORT);
}
