/* SPDX-License-Identifier: MIT */
/* The sink that posts to a Dart port.
 *
 * A batch is one message, a list of the events as CBOR and the address of an envelope. Every
 * outcome of a message has an owner:
 *
 *   delivered       the bytes are the isolate's, whose collector frees them through their
 *                   finalizer; the host gives the envelope back with cw_envelope_free(), and with
 *                   it takes over the handles that the values name
 *   never handled   (the isolate ended, a hot restart) the VM runs both finalizers: bytes freed,
 *                   handles released
 *   refused         posting returned false: nothing was taken, so both are freed here; the host has
 *                   gone, and the port closes
 *
 * Posting is one of the few calls that the VM allows on any thread. */
#include "core/port_dart.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/port.h"
#include "core/value.h"
#include "core/value_cbor.h"
#include "core/value_handle.h"

typedef bool (*post_fn)(dart_port port, dart_object *message);

static _Atomic(post_fn) post_object;

cw_status cw_dart_init(void *data, cw_error *err) {
  const dart_api *api = data;
  if (api == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "no API data");
  if (api->major != DART_API_MAJOR) {
    return CWI_RAISE(err, CW_E_VERSION, 0, "the Dart VM has API version %d, this library speaks %d",
                     api->major, DART_API_MAJOR);
  }
  for (const dart_api_entry *entry = api->functions; entry->name != NULL; entry++) {
    if (strcmp(entry->name, "Dart_PostCObject") != 0 || entry->function == NULL) continue;
    atomic_store(&post_object, (post_fn)entry->function);
    return CW_OK;
  }
  return CWI_RAISE(err, CW_E_VERSION, 0, "the Dart VM does not offer Dart_PostCObject");
}

/* ---- what travels with a message ---- */

/* Handles that the values of a message name; released where nobody takes them over. */
typedef struct envelope {
  size_t len;
  size_t cap;
  cw_value values[];
} envelope;

static size_t envelope_size(size_t cap) { return sizeof(envelope) + cap * sizeof(cw_value); }

static void free_envelope(envelope *e, bool taken) {
  if (e == NULL) return;
  for (size_t i = 0; i < e->len; i++) {
    if (taken) (void)cwi_value_handle_take(&e->values[i]);
    cw_value_release(&e->values[i]);
  }
  cwi_free(e, envelope_size(e->cap));
}

void cw_envelope_free(void *pointer) { free_envelope(pointer, true); }

static void envelope_on_finalize(void *isolate_data, void *peer) {
  (void)isolate_data;
  free_envelope(peer, false);
}

typedef struct message_bytes {
  size_t size;
  char *data;
} message_bytes;

static void free_bytes(message_bytes *bytes) {
  cwi_free(bytes->data, bytes->size + 1);
  CWI_FREE(bytes);
}

static void bytes_on_finalize(void *isolate_data, void *peer) {
  (void)isolate_data;
  free_bytes(peer);
}

/* ---- encoding ---- */

static void put_text(cwi_buf *buf, const char *key, const char *text) {
  cwi_cbor_text(buf, key, strlen(key));
  cwi_cbor_text(buf, text, strlen(text));
}

static void put_number(cwi_buf *buf, const char *key, int64_t number) {
  cwi_cbor_text(buf, key, strlen(key));
  cwi_cbor_int(buf, number);
}

static void put_error(cwi_buf *buf, const cw_event *event) {
  const cw_error plain = {.code = event->status};
  const cw_error *err = event->error != NULL ? event->error : &plain;
  cwi_cbor_head(buf, CWI_CBOR_MAP, 7);
  put_number(buf, "column", err->column);
  put_number(buf, "http_status", err->http_status);
  put_number(buf, "line", err->line);
  put_text(buf, "message", err->message[0] != '\0' ? err->message : cw_status_text(err->code));
  put_text(buf, "operation", err->operation);
  put_number(buf, "os_code", err->os_code);
  put_number(buf, "outcome", err->outcome);
}

/* Writes one event; a value that cannot be written becomes the event's error. */
static void put_event(cwi_buf *buf, cw_event *event) {
  cwi_buf value;
  cwi_buf_init(&value, 0);
  cw_error err;
  if (event->status == CW_OK && cwi_cbor_value(&value, event->value, &err) != CW_OK) {
    event->status = err.code;
  }
  cwi_cbor_head(buf, CWI_CBOR_ARRAY, 4);
  cwi_cbor_head(buf, CWI_CBOR_UINT, event->tag);
  cwi_cbor_head(buf, CWI_CBOR_UINT, event->kind);
  cwi_cbor_int(buf, event->status);
  if (event->status == CW_OK) {
    (void)cwi_buf_append(buf, value.data, value.size);
  } else {
    put_error(buf, event);
  }
  cwi_buf_deinit(&value);
}

static bool is_handle(const cwi_event_node *node) {
  return node->event.status == CW_OK && cwi_value_is_handle(node->event.value);
}

/* Moves the handles of a batch into an envelope; *failed where there is no memory for it. */
static envelope *pack_handles(cwi_event_node *batch, bool *failed) {
  size_t len = 0;
  *failed = false;
  for (const cwi_event_node *n = batch; n != NULL; n = n->next) len += is_handle(n);
  if (len == 0) return NULL;
  envelope *e = cwi_alloc(envelope_size(len));
  *failed = e == NULL;
  if (e == NULL) return NULL;
  *e = (envelope){.cap = len};
  for (cwi_event_node *n = batch; n != NULL; n = n->next) {
    if (!is_handle(n)) continue;
    e->values[e->len++] = n->event.value;
    n->event.value = cwi_value_none();
  }
  return e;
}

static message_bytes *encode(cwi_event_node *batch) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  size_t len = 0;
  for (const cwi_event_node *n = batch; n != NULL; n = n->next) len++;
  cwi_cbor_head(&buf, CWI_CBOR_ARRAY, len);
  for (cwi_event_node *n = batch; n != NULL; n = n->next) put_event(&buf, &n->event);
  message_bytes *bytes = buf.failed ? NULL : CWI_NEW(message_bytes);
  if (bytes != NULL) bytes->data = cwi_buf_take(&buf, &bytes->size);
  if (bytes != NULL && bytes->data == NULL) {
    CWI_FREE(bytes);
    bytes = NULL;
  }
  cwi_buf_deinit(&buf);
  return bytes;
}

/* ---- posting ---- */

/* Posts one message; false where the port refused it, or there is no memory (the host is then out
 * of step with its operations, and better told by the end of its port). */
static bool post_batch(cwi_port *port, cwi_event_node *batch) {
  message_bytes *bytes = encode(batch);
  bool failed = bytes == NULL;
  envelope *e = failed ? NULL : pack_handles(batch, &failed);
  if (failed) {
    if (bytes != NULL) free_bytes(bytes);
    return false;
  }
  dart_object data = {.type = DART_EXTERNAL_TYPED_DATA};
  data.value.as_external_typed_data.type = DART_TYPED_DATA_UINT8;
  data.value.as_external_typed_data.length = (intptr_t)bytes->size;
  data.value.as_external_typed_data.data = (uint8_t *)bytes->data;
  data.value.as_external_typed_data.peer = bytes;
  data.value.as_external_typed_data.callback = bytes_on_finalize;
  dart_object pointer = {.type = DART_INT64};
  if (e != NULL) {
    pointer.type = DART_NATIVE_POINTER;
    pointer.value.as_native_pointer.ptr = (intptr_t)e;
    pointer.value.as_native_pointer.size = (intptr_t)envelope_size(e->cap);
    pointer.value.as_native_pointer.callback = envelope_on_finalize;
  }
  dart_object *parts[2] = {&data, &pointer};
  dart_object message = {.type = DART_ARRAY};
  message.value.as_array.length = 2;
  message.value.as_array.values = parts;
  if (atomic_load(&post_object)(port->dart_port, &message)) return true;
  free_bytes(bytes);
  free_envelope(e, false);
  return false;
}

static void dart_wake(cwi_port *port) {
  if (!cwi_port_begin_delivery(port)) return;
  cwi_port_enter_delivery(port);
  cwi_event_node *batch;
  while ((batch = cwi_port_next_batch(port)) != NULL) {
    bool posted = post_batch(port, batch);
    cwi_event_nodes_free(batch);
    if (!posted) cwi_port_shut(port);
  }
}

static const cwi_port_sink DART_SINK = {dart_wake, NULL};

cw_port *cw_port_new_dart(int64_t host_port, cw_owner *owner, cw_error *err) {
  if (atomic_load(&post_object) == NULL) {
    (void)CWI_RAISE(err, CW_E_STATE, 0, "cw_dart_init() comes first");
    return NULL;
  }
  if (host_port == 0) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "0 is no port");
    return NULL;
  }
  cwi_port *port = cwi_port_make(&DART_SINK, owner, err);
  if (port == NULL) return NULL;
  port->dart_port = host_port;
  return (cw_port *)cwi_object_handle(port, CW_HANDLE_PORT);
}
