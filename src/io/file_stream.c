/* SPDX-License-Identifier: MIT */
/* Reading a file as a stream: a task on the reactor that reads a chunk on the pool, sends it, and
 * waits where the stream has no credit. No pool thread is held while it waits.
 *
 * The task owns the reader. A consumer that goes cancels the task through its handle, which is
 * stale, and so harmless, once the task has ended. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "causeway/file.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/offload.h"
#include "core/task.h"
#include "core/value.h"
#include "io/file_sys.h"

#define CHUNK_BYTES_DEFAULT ((uint32_t)64 * 1024)
#define CHUNK_BYTES_MAX ((uint32_t)16 * 1024 * 1024)
#define WINDOW_CHUNKS 4

typedef struct file_reader {
  size_t size_all;
  cw_producer *producer;
  cw_future *task;
  uint32_t chunk_size;
  int fd;
  char path[];
} file_reader;

static cw_status open_on_pool(void *context, cw_value *out, cw_error *err) {
  file_reader *r = context;
  (void)out;
  return cwi_file_sys_open(r->path, O_RDONLY, &r->fd, err);
}

static cw_status read_on_pool(void *context, cw_value *out, cw_error *err) {
  file_reader *r = context;
  cw_status status = cw_value_bytes(NULL, 0, out, err);
  if (status != CW_OK) return status;
  cwi_byte_string *bytes = cwi_value_bytes_ptr(*out);
  bytes->data = cwi_alloc(r->chunk_size);
  if (bytes->data == NULL) {
    cw_value_release(out);
    return CWI_RAISE_NOMEM(err, "a chunk");
  }
  bytes->cap = r->chunk_size;
  ssize_t got;
  do {
    got = read(r->fd, bytes->data, r->chunk_size);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) {
    bytes->size = (size_t)got;
    return CW_OK;
  }
  cw_value_release(out);
  return cwi_file_sys_raise(err, "read", r->path);
}

/* Sends chunks until the end of the file (CW_OK) or a failure. */
static cw_status send_chunks(file_reader *r, cw_error *err) {
  cw_status status = cw_await(cw_offload(open_on_pool, r), NULL, err);
  while (status == CW_OK) {
    cw_value chunk;
    status = cw_await(cw_offload(read_on_pool, r), &chunk, err);
    if (status != CW_OK) break;
    if (cw_value_len(chunk) == 0) {
      cw_value_release(&chunk);
      break;
    }
    status = cw_await(cw_producer_send(r->producer, chunk), NULL, err);
  }
  return status;
}

static cw_status reader_main(void *context, cw_value *out, cw_error *err) {
  file_reader *r = context;
  (void)out;
  cw_status status = send_chunks(r, err);
  if (status == CW_OK) {
    (void)cw_producer_end(r->producer);
  } else {
    (void)cw_producer_fail(r->producer, status, err->message);
  }
  if (r->fd >= 0) (void)close(r->fd);
  cw_future *self = r->task;
  cwi_free(r, r->size_all);
  (void)cw_release(self); /* nobody waits for the task itself */
  return status;
}

static void reader_on_cancel(void *context) { (void)cw_future_cancel(context); }

static file_reader *make_reader(const char *path, const cw_file_options *options, cw_error *err) {
  if (path == NULL || path[0] == '\0') {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "no path");
    return NULL;
  }
  uint32_t chunk_size =
      options == NULL || options->chunk_size == 0 ? CHUNK_BYTES_DEFAULT : options->chunk_size;
  bool known = options == NULL || options->struct_size == sizeof(*options);
  if (!known || chunk_size > CHUNK_BYTES_MAX) {
    (void)CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size, or chunks above 16 MiB");
    return NULL;
  }
  size_t size_all = sizeof(file_reader) + strlen(path) + 1;
  file_reader *r = cwi_alloc_zero(size_all);
  if (r == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a reader");
    return NULL;
  }
  r->size_all = size_all;
  r->chunk_size = chunk_size;
  r->fd = -1;
  memcpy(r->path, path, strlen(path) + 1);
  return r;
}

cw_stream *cw_file_read_stream(const char *path, const cw_file_options *options, cw_error *err) {
  cwi_error_clear(err);
  file_reader *r = make_reader(path, options, err);
  if (r == NULL) return NULL;
  cwi_runtime *reactor = cwi_reactor_get(err);
  cw_stream *stream = reactor == NULL ? NULL : cw_stream_new(WINDOW_CHUNKS, &r->producer, err);
  cwi_future *f = NULL;
  if (stream != NULL) f = cwi_task_spawn(reactor, reader_main, r, "file_read_stream", err);
  if (f == NULL) {
    (void)cw_release(r->producer);
    (void)cw_release(stream);
    cwi_free(r, r->size_all);
    return NULL;
  }
  r->task = cwi_future_handle(f);
  (void)cw_producer_on_cancel(r->producer, reader_on_cancel, r->task);
  cwi_task_begin(f);
  return stream;
}
