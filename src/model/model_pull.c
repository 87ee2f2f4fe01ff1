/* SPDX-License-Identifier: MIT */
/* A download that survives anything: one task on the reactor, straight down the page.
 *
 *   prepare folder and names -> lock -> is it there already? -> open the part, sum what it has
 *   -> transfer (again, with growing delays and the next mirror, while that is of use)
 *   -> check the sum -> rename -> record the sum
 *
 * Invariant: NAME.part is always a prefix of what the server of its recorded entity tag serves;
 * `hash` is the sum of exactly the `offset` bytes that it has. What cannot be known to belong
 * together (no tag and no expected sum, another tag, a server that ignores Range) starts again at
 * 0.
 *
 * Bytes are written and summed on the pool, a batch at a time, while libcurl fills the stream's
 * window: the two overlap. Blocking steps take the pull itself as context: the task waits for
 * each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "causeway/http.h"
#include "causeway/model.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/offload.h"
#include "core/task.h"
#include "core/thread.h"
#include "core/value.h"
#include "io/file_sys.h"
#include "model/model_store.h"

#define UNKNOWN UINT64_MAX
#define BATCH 16
#define TAG_BYTES_MAX 256
#define MIRRORS_MAX 16
#define WINDOW_EVENTS 64

typedef struct model_pull {
  cw_model_options options; /* its pointers are the copies below */
  char *urls[MIRRORS_MAX + 1];
  size_t url_len;
  char *folder;
  char *name;
  char sha256[CWI_SHA256_HEX_BYTES]; /* expected; empty: not known */
  char path[PATH_MAX];
  char part[PATH_MAX];
  char tag_path[PATH_MAX];
  char lock_path[PATH_MAX];
  int lock;
  int fd;
  cwi_sha256 hash;
  uint64_t offset; /* bytes in the part */
  uint64_t total;
  char tag[TAG_BYTES_MAX];     /* the entity tag of the part's server; empty: none */
  char new_tag[TAG_BYTES_MAX]; /* that of the response under way */
  cw_value batch[BATCH];
  size_t batch_len;
  uint64_t shown; /* the largest number of bytes told */
  uint64_t shown_at_ns;
  uint64_t rate_bytes; /* where the rate is measured from */
  uint64_t rate_at_ns;
  double rate;
  cwi_model_file file;
  bool found;
  cw_producer *producer;
  cw_future *task;
} model_pull;

/* ---- events ---- */

static cw_status new_event(const char *kind, cw_value *out, cw_error *err) {
  cw_value text;
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) status = cw_value_string(kind, strlen(kind), &text, err);
  if (status == CW_OK) status = cw_value_object_set(out, "event", 5, text, err);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static void measure_rate(model_pull *p, uint64_t now) {
  uint64_t past = now - p->rate_at_ns;
  if (past < CWI_NS_PER_S / 2) return;
  double rate = (double)(p->offset - p->rate_bytes) * 1e9 / (double)past;
  p->rate = p->rate > 0 ? 0.7 * p->rate + 0.3 * rate : rate;
  p->rate_bytes = p->offset;
  p->rate_at_ns = now;
}

/* Tells how far it is, unless that was just told or nobody has asked for more. */
static void tell_progress(model_pull *p) {
  uint64_t now = cwi_clock_now();
  if (p->offset > p->shown) p->shown = p->offset;
  measure_rate(p, now);
  if (now - p->shown_at_ns < p->options.progress_ms * (uint64_t)CWI_NS_PER_MS) return;
  if (cw_producer_credit(p->producer) < 2) return; /* the last place is for the end */
  p->shown_at_ns = now;
  bool known = p->total != UNKNOWN;
  bool has_eta = known && p->rate > 0 && p->total >= p->offset;
  cw_value eta =
      has_eta ? cwi_value_float((double)(p->total - p->offset) / p->rate) : cwi_value_none();
  cw_value event;
  cw_status status = new_event("progress", &event, NULL);
  if (status != CW_OK) return;
  (void)cw_value_object_set(&event, "bytes", 5, cwi_value_int((int64_t)p->shown), NULL);
  if (known) (void)cw_value_object_set(&event, "total", 5, cwi_value_int((int64_t)p->total), NULL);
  (void)cw_value_object_set(&event, "rate", 4, cwi_value_float(p->rate), NULL);
  if (has_eta) (void)cw_value_object_set(&event, "eta", 3, eta, NULL);
  (void)cw_producer_try_send(p->producer, event, NULL);
}

static void tell_retry(model_pull *p, const cw_error *why) {
  cw_value event;
  cw_value text;
  if (cw_producer_credit(p->producer) < 2 || new_event("retry", &event, NULL) != CW_OK) return;
  if (cw_value_string(why->message, strlen(why->message), &text, NULL) == CW_OK) {
    (void)cw_value_object_set(&event, "message", 7, text, NULL);
  }
  (void)cw_producer_try_send(p->producer, event, NULL);
}

static cw_status tell_done(model_pull *p, bool cached, cw_error *err) {
  cw_value event;
  cw_value text;
  cw_status status = cwi_model_store_describe(&p->file, &event, err);
  if (status != CW_OK) return status;
  status = cw_value_string("done", 4, &text, err);
  if (status == CW_OK) status = cw_value_object_set(&event, "event", 5, text, err);
  if (status == CW_OK)
    status = cw_value_object_set(&event, "cached", 6, cwi_value_bool(cached), err);
  if (status == CW_OK) return cw_await(cw_producer_send(p->producer, event), NULL, err);
  cw_value_release(&event);
  return status;
}

/* ---- blocking steps, on the pool ---- */

static cw_status prepare_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  char folder[PATH_MAX];
  cw_status status = CW_OK;
  (void)out;
  CWI_TRY(cwi_model_store_folder(p->folder, folder, err));
  CWI_TRY(cwi_model_store_path(p->folder, p->name, "", p->path, err));
  CWI_TRY(cwi_model_store_path(p->folder, p->name, ".part", p->part, err));
  CWI_TRY(cwi_model_store_path(p->folder, p->name, ".part.tag", p->tag_path, err));
  CWI_TRY(cwi_model_store_path(p->folder, p->name, ".lock", p->lock_path, err));
  CWI_TRY(cwi_file_sys_make_folder(folder, err));
  CWI_TRY(cwi_file_sys_open(p->lock_path, O_RDWR | O_CREAT, &p->lock, err));
out:
  return status;
}

static cw_status find_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  (void)out;
  return cwi_model_store_find(p->path, p->sha256[0] == '\0' ? NULL : p->sha256, &p->file, &p->found,
                              err);
}

/* Forgets what the part has. */
static cw_status restart_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  (void)out;
  p->offset = 0;
  p->tag[0] = '\0';
  cwi_sha256_init(&p->hash);
  (void)unlink(p->tag_path);
  if (ftruncate(p->fd, 0) != 0 || lseek(p->fd, 0, SEEK_SET) != 0) {
    return cwi_file_sys_raise(err, "restart", p->part);
  }
  return CW_OK;
}

static void read_tag(model_pull *p) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  if (cwi_file_sys_read(p->tag_path, 0, TAG_BYTES_MAX - 1, &text, NULL) == CW_OK) {
    (void)snprintf(p->tag, sizeof(p->tag), "%.*s", (int)text.size, text.data);
  }
  cwi_buf_deinit(&text);
}

/* Opens the part and sums what it has. */
static cw_status open_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  char chunk[16 * 1024];
  cw_status status = cwi_file_sys_open(p->part, O_RDWR | O_CREAT, &p->fd, err);
  if (status != CW_OK) return status;
  cwi_sha256_init(&p->hash);
  read_tag(p);
  if (p->tag[0] == '\0' && p->sha256[0] == '\0') return restart_on_pool(p, out, err);
  for (;;) {
    if (cw_offload_is_cancelled()) return CWI_RAISE(err, CW_E_CANCELLED, 0, "cancelled");
    ssize_t got = read(p->fd, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cwi_file_sys_raise(err, "read", p->part);
    if (got == 0) return CW_OK;
    cwi_sha256_update(&p->hash, chunk, (size_t)got);
    p->offset += (uint64_t)got;
  }
}

/* A response has begun: is there room for it, and whose bytes are they? */
static cw_status accept_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  struct statvfs disk;
  (void)out;
  if (p->total != UNKNOWN && fstatvfs(p->fd, &disk) == 0) {
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t wanted = p->total - p->offset;
    if (room < wanted) {
      return cwi_raise(err, CW_E_NO_SPACE, ENOSPC, "model_pull",
                       "'%s' needs %llu more bytes, the disk has %llu", p->path,
                       (unsigned long long)wanted, (unsigned long long)room);
    }
  }
  if (strcmp(p->tag, p->new_tag) == 0) return CW_OK;
  (void)snprintf(p->tag, sizeof(p->tag), "%s", p->new_tag);
  if (p->tag[0] != '\0') return cwi_file_sys_replace(p->tag_path, p->tag, strlen(p->tag), err);
  (void)unlink(p->tag_path);
  return CW_OK;
}

static cw_status write_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  cw_status status = CW_OK;
  (void)out;
  for (size_t i = 0; i < p->batch_len; i++) {
    cw_bytes bytes = cw_value_as_bytes(p->batch[i]);
    if (status == CW_OK) status = cwi_file_sys_write(p->fd, p->part, bytes.data, bytes.size, err);
    if (status == CW_OK) {
      cwi_sha256_update(&p->hash, bytes.data, bytes.size);
      p->offset += bytes.size;
    }
    cw_value_release(&p->batch[i]);
  }
  p->batch_len = 0;
  /* A write that failed half-way left bytes that are not in the sum. */
  if (status != CW_OK && ftruncate(p->fd, (off_t)p->offset) != 0) p->tag[0] = '\0';
  return status;
}

static cw_status finish_on_pool(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  uint8_t digest[CWI_SHA256_BYTES];
  cw_status status = CW_OK;
  (void)out;
  cwi_sha256 hash = p->hash;
  cwi_sha256_final(&hash, digest);
  cwi_hex(digest, sizeof(digest), p->file.sha256);
  if (p->sha256[0] != '\0' && strcmp(p->sha256, p->file.sha256) != 0) {
    (void)unlink(p->part);
    (void)unlink(p->tag_path);
    return cwi_raise(err, CW_E_CHECKSUM, 0, "model_pull",
                     "'%s' has the sum %s, expected %s; it was deleted", p->name, p->file.sha256,
                     p->sha256);
  }
  if (fsync(p->fd) != 0) CWI_TRY(cwi_file_sys_raise(err, "sync", p->part));
  if (rename(p->part, p->path) != 0) CWI_TRY(cwi_file_sys_raise(err, "rename", p->path));
  CWI_TRY(cwi_file_sys_sync_folder(p->path, err));
  CWI_TRY(cwi_model_store_record(p->path, p->file.sha256, err));
  (void)unlink(p->tag_path);
  (void)snprintf(p->file.path, sizeof(p->file.path), "%s", p->path);
  p->file.size = p->offset;
out:
  return status;
}

static cw_status on_pool(cw_task_fn step, model_pull *p, cw_error *err) {
  return cw_await(cw_offload(step, p), NULL, err);
}

/* ---- the lock ---- */

/* Waiting for the lock cannot be interrupted, so it has a thread of its own (one of the pool's would be
 * missing to the pull that holds the lock) and what it needs: a pull that is cancelled leaves it, and it
 * gives the lock back when it gets it. */
typedef struct lock_wait {
  _Atomic int holders; /* the pull and the waiting thread */
  int fd;              /* its own open file */
  cw_completer *completer;
} lock_wait;

static void drop_lock_wait(lock_wait *w) {
  if (--w->holders > 0) return;
  (void)close(w->fd);
  CWI_FREE(w);
}

static void *lock_main(void *context) {
  lock_wait *w = context;
  int code;
  do {
    code = flock(w->fd, LOCK_EX);
  } while (code != 0 && errno == EINTR);
  if (code == 0) {
    (void)cw_complete(w->completer, cwi_value_none());
  } else {
    (void)cw_complete_error(w->completer, CW_E_IO, "the system refused the lock of the model");
  }
  drop_lock_wait(w);
  return NULL;
}

static cw_status start_lock_wait(model_pull *p, lock_wait *w, cw_error *err) {
  pthread_t thread;
  int code = cwi_thread_start(&thread, lock_main, w);
  if (code == 0) {
    (void)pthread_detach(thread);
    return CW_OK;
  }
  (void)cw_release(w->completer);
  drop_lock_wait(w); /* the thread's hold */
  return cwi_raise(err, CW_E_LIMIT, code, "model_pull", "no thread to wait for '%s'", p->lock_path);
}

static cw_status wait_for_lock(model_pull *p, cw_error *err) {
  lock_wait *w = CWI_NEW(lock_wait);
  if (w == NULL) return CWI_RAISE_NOMEM(err, "a lock");
  w->fd = open(p->lock_path, O_RDWR | O_CLOEXEC);
  if (w->fd < 0) {
    CWI_FREE(w);
    return cwi_file_sys_raise(err, "lock", p->lock_path);
  }
  w->holders = 2;
  cw_future *wait = cw_oneshot(&w->completer);
  cw_status status = start_lock_wait(p, w, err);
  if (status == CW_OK) {
    status = cw_await(wait, NULL, err);
  } else {
    (void)cw_release(wait);
  }
  if (status == CW_OK) { /* the lock belongs to w->fd's open file: it becomes ours */
    (void)close(p->lock);
    p->lock = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);
  }
  drop_lock_wait(w);
  return status;
}

static cw_status take_lock(model_pull *p, cw_error *err) {
  if (flock(p->lock, LOCK_EX | LOCK_NB) == 0) return CW_OK;
  if (errno != EWOULDBLOCK) return cwi_file_sys_raise(err, "lock", p->lock_path);
  return wait_for_lock(p, err);
}

/* ---- one transfer ---- */

static const char *header_of(cw_value head, const char *name) {
  cw_value headers = cw_value_object_get(head, "headers", 7);
  cw_value value = cw_value_object_get(headers, name, strlen(name));
  return value.kind == CW_VALUE_STRING ? cw_value_as_bytes(value).data : NULL;
}

static void read_head(model_pull *p, cw_value head, bool partial) {
  unsigned long long from = 0;
  unsigned long long length = 0;
  const char *text = header_of(head, "content-length");
  p->total = UNKNOWN;
  if (text != NULL && sscanf(text, "%llu", &length) == 1)
    p->total = p->offset + length; /* NOLINT */
  const char *range = header_of(head, "content-range");
  bool fits = !partial || (range != NULL && sscanf(range, "bytes %llu-", &from) == 1 && /* NOLINT */
                           from == p->offset);
  if (!fits) p->total = UNKNOWN;
  const char *tag = header_of(head, "etag");
  bool strong = tag != NULL && strncmp(tag, "W/", 2) != 0 && strlen(tag) < TAG_BYTES_MAX;
  (void)snprintf(p->new_tag, sizeof(p->new_tag), "%s", strong ? tag : "");
}

/* Decides by the response's head what its bytes are. */
static cw_status accept_head(model_pull *p, cw_value head, cw_error *err) {
  int64_t code = cw_value_as_int(cw_value_object_get(head, "status", 6));
  if (code == 416 && p->offset > 0) { /* the part is longer than what there is now */
    cw_status status = on_pool(restart_on_pool, p, err);
    if (status != CW_OK) return status;
    return cwi_raise(err, CW_E_TRUNCATED, 0, "model_pull", "the server's file has changed");
  }
  if (code != 200 && code != 206) {
    cw_status status = cwi_raise(err, CW_E_HTTP_STATUS, 0, "model_pull", "the server answered %lld",
                                 (long long)code);
    err->http_status = (int32_t)code;
    return status;
  }
  if (code == 200 && p->offset > 0) { /* no ranges, or another file: from the start */
    cw_status status = on_pool(restart_on_pool, p, err);
    if (status != CW_OK) return status;
  }
  read_head(p, head, code == 206);
  if (code == 206 && p->total == UNKNOWN) {
    return cwi_raise(err, CW_E_PROTOCOL, 0, "model_pull", "the server sent another range");
  }
  return on_pool(accept_on_pool, p, err);
}

static cw_status receive_body(model_pull *p, cw_stream *stream, cw_error *err) {
  for (;;) {
    cw_status status = cw_await(cw_stream_next(stream), &p->batch[0], err);
    if (status == CW_E_END) break;
    if (status != CW_OK) return status;
    p->batch_len = 1 + cw_stream_take(stream, p->batch + 1, BATCH - 1, NULL);
    status = on_pool(write_on_pool, p, err);
    if (status != CW_OK) return status;
    tell_progress(p);
  }
  if (p->total == UNKNOWN || p->offset == p->total) return CW_OK;
  return cwi_raise(err, CW_E_TRUNCATED, 0, "model_pull", "%llu of %llu bytes came",
                   (unsigned long long)p->offset, (unsigned long long)p->total);
}

static cw_status transfer(model_pull *p, const char *url, cw_error *err) {
  char range[64];
  cw_http_header headers[2] = {{"Range", range}, {"If-Range", p->tag}};
  cw_http_options options = CW_HTTP_OPTIONS_INIT;
  (void)snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)p->offset);
  if (p->offset > 0) {
    options.headers = headers;
    options.header_len = p->tag[0] != '\0' ? 2 : 1;
  }
  options.idle_timeout_ms = p->options.stall_timeout_ms;
  options.retries_max = 0; /* the pull's own retries know what has arrived */
  cw_stream *stream = cw_http_stream(url, &options, err);
  if (stream == NULL) return err->code;
  cw_value head;
  cw_status status = cw_await(cw_stream_next(stream), &head, err);
  if (status == CW_OK) status = accept_head(p, head, err);
  cw_value_release(&head);
  if (status == CW_OK) status = receive_body(p, stream, err);
  (void)cw_release(stream);
  return status;
}

/* ---- the whole ---- */

static bool is_worth_retrying(const cw_error *err) {
  switch (err->code) {
    case CW_E_RESOLVE:
    case CW_E_CONNECT:
    case CW_E_TIMEOUT:
    case CW_E_STALLED:
    case CW_E_TRUNCATED:
    case CW_E_PROTOCOL:
    case CW_E_CLOSED: return true;
    case CW_E_HTTP_STATUS:
      return err->http_status >= 500 || err->http_status == 408 || err->http_status == 429;
    default: return false;
  }
}

static cw_status transfer_until_whole(model_pull *p, cw_error *err) {
  uint32_t failures = 0;
  for (size_t turn = 0;; turn++) {
    uint64_t before = p->offset;
    cw_status status = transfer(p, p->urls[turn % p->url_len], err);
    if (status == CW_OK) return CW_OK;
    bool other_mirror = p->url_len > 1 && err->code == CW_E_HTTP_STATUS;
    if (cw_task_is_cancelled() || (!is_worth_retrying(err) && !other_mirror)) return status;
    failures = p->offset > before ? 1 : failures + 1;
    if (failures > p->options.retries_max) return status;
    tell_retry(p, err);
    uint32_t doublings = failures < 7 ? failures - 1 : 6;
    cw_error ignored;
    cw_status slept =
        cw_await(cw_sleep((uint64_t)p->options.retry_delay_ms << doublings), NULL, &ignored);
    if (slept != CW_OK) return status;
  }
}

static cw_status pull(model_pull *p, cw_error *err) {
  cw_status status = CW_OK;
  CWI_TRY(on_pool(prepare_on_pool, p, err));
  CWI_TRY(take_lock(p, err));
  CWI_TRY(on_pool(find_on_pool, p, err));
  if (p->found) {
    status = tell_done(p, true, err);
    goto out;
  }
  CWI_TRY(on_pool(open_on_pool, p, err));
  p->rate_at_ns = cwi_clock_now();
  p->rate_bytes = p->offset;
  CWI_TRY(transfer_until_whole(p, err));
  CWI_TRY(on_pool(finish_on_pool, p, err));
  status = tell_done(p, false, err);
out:
  return status;
}

static void free_text(char *text) {
  if (text != NULL) cwi_free(text, strlen(text) + 1);
}

static void free_pull(model_pull *p) {
  for (size_t i = 0; i <= MIRRORS_MAX; i++) free_text(p->urls[i]);
  for (size_t i = 0; i < BATCH; i++) cw_value_release(&p->batch[i]);
  free_text(p->folder);
  free_text(p->name);
  if (p->fd >= 0) (void)close(p->fd);
  if (p->lock >= 0) (void)close(p->lock); /* which unlocks it */
  CWI_FREE(p);
}

static cw_status pull_main(void *context, cw_value *out, cw_error *err) {
  model_pull *p = context;
  (void)out;
  cw_status status = pull(p, err);
  cw_producer *producer = p->producer;
  cw_future *self = p->task;
  free_pull(p); /* first: when the end is told, the lock is free */
  if (status == CW_OK) {
    (void)cw_producer_end(producer);
  } else {
    (void)cw_producer_fail(producer, status, err->message);
  }
  (void)cw_release(self);
  return status;
}

/* ---- the start ---- */

/* The last part of a URL's path. */
static char *name_from_url(const char *url) {
  const char *start = strstr(url, "://");
  start = start == NULL ? url : start + 3;
  size_t len = strcspn(start, "?#");
  const char *name = start + len;
  while (name > start && name[-1] != '/') name--;
  return cwi_strndup(name, (size_t)(start + len - name));
}

static char *copy_text(const char *text) {
  return text == NULL ? NULL : cwi_strndup(text, strlen(text));
}

static cw_status fill_pull(model_pull *p, const char *url, const cw_model_options *options,
                           cw_error *err) {
  p->options = *options;
  p->fd = -1;
  p->lock = -1;
  p->total = UNKNOWN;
  if (options->sha256 != NULL && !cwi_sha256_parse(options->sha256, p->sha256)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a SHA-256 has 64 hex digits, not '%s'",
                     options->sha256);
  }
  p->urls[p->url_len++] = copy_text(url);
  bool copied = p->urls[0] != NULL;
  for (uint32_t i = 0; i < options->mirror_len; i++) {
    p->urls[p->url_len] = copy_text(options->mirrors[i]);
    copied &= p->urls[p->url_len++] != NULL;
  }
  p->folder = copy_text(options->folder);
  p->name = options->name != NULL ? copy_text(options->name) : name_from_url(url);
  copied &= p->name != NULL && (options->folder == NULL || p->folder != NULL);
  if (!copied) return CWI_RAISE_NOMEM(err, "a download");
  if (cwi_model_store_name_is_valid(p->name)) return CW_OK;
  return CWI_RAISE(err, CW_E_INVALID, 0, "'%s' gives no usable file name; say one", url);
}

static cw_status check_arguments(const char *url, const cw_model_options *options, cw_error *err) {
  if (url == NULL || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "'%s' is no http or https URL", url == NULL ? "" : url);
  }
  if (options->struct_size != sizeof(*options) || options->mirror_len > MIRRORS_MAX) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size, or more than %d mirrors",
                     MIRRORS_MAX);
  }
  return CW_OK;
}

static void pull_on_cancel(void *context) { (void)cw_future_cancel(context); }

cw_stream *cw_model_pull(const char *url, const cw_model_options *options, cw_error *err) {
  const cw_model_options defaults = CW_MODEL_OPTIONS_INIT;
  cw_stream *stream = NULL;
  cwi_future *f = NULL;
  cwi_error_clear(err);
  if (options == NULL) options = &defaults;
  if (check_arguments(url, options, err) != CW_OK) return NULL;
  model_pull *p = CWI_NEW(model_pull);
  if (p == NULL) {
    (void)CWI_RAISE_NOMEM(err, "a download");
    return NULL;
  }
  cw_status status = fill_pull(p, url, options, err);
  cwi_runtime *reactor = status == CW_OK ? cwi_reactor_get(err) : NULL;
  if (reactor != NULL) stream = cw_stream_new(WINDOW_EVENTS, &p->producer, err);
  if (stream != NULL) f = cwi_task_spawn(reactor, pull_main, p, "model_pull", err);
  if (f == NULL) {
    (void)cw_release(p->producer);
    (void)cw_release(stream);
    free_pull(p);
    return NULL;
  }
  p->task = cwi_future_handle(f);
  (void)cw_producer_on_cancel(p->producer, pull_on_cancel, p->task);
  cwi_task_begin(f);
  return stream;
}
