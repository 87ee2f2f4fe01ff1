/* SPDX-License-Identifier: MIT */
/* Requests: one transfer each, with its retries, as a future or as a stream.
 *
 * A transfer is an operation at home on the runtime that drives it. As a stream, its first value is
 * the response's head; a chunk for which there is no credit is sent as a waiting send, and the
 * transfer pauses until that is accepted.
 *
 * Retried are requests that are safe to repeat (RFC 9110, section 9.2.2) after failures of the
 * transport and the statuses 502 to 504, before anything was handed on; the delay doubles, with
 * full jitter. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/future.h"
#include "core/utf8.h"
#include "core/value.h"
#include "io/http_internal.h"

typedef enum http_result { RESULT_RESPONSE, RESULT_BYTES, RESULT_TEXT, RESULT_STREAM } http_result;

typedef struct http_transfer {
  cwi_http_done_fn done; /* first: CURLOPT_PRIVATE points here */
  cwi_future *future;    /* the producer's reference */
  cwi_http_client *client;
  CURL *easy;
  struct curl_slist *headers_out;
  char *url;
  size_t url_size;
  char *body;
  size_t body_size;
  cw_http_options options; /* its pointers are not used after the start */
  http_result result;
  bool repeatable;
  uint32_t tries;
  cwi_timer retry;
  cw_value headers; /* of the response */
  cwi_buf content;
  cw_status refused; /* why a callback of ours ended the transfer; CW_OK: it did not */
  /* of a stream */
  cw_producer *producer;
  cw_future *self; /* the handle of `future`, which nobody else has */
  bool head_sent;
  cwi_waiter waiter; /* for a send without credit */
  cwi_future *sending;
  cw_future *sending_handle;
  cwi_job resume;
  char text[CURL_ERROR_SIZE];
} http_transfer;

static http_transfer **slot(cwi_future *f) { return (http_transfer **)(void *)f->op; }

static void free_transfer(http_transfer *t) {
  if (t->easy != NULL) curl_easy_cleanup(t->easy);
  curl_slist_free_all(t->headers_out);
  cwi_free(t->url, t->url_size);
  cwi_free(t->body, t->body_size);
  cw_value_release(&t->headers);
  cwi_buf_deinit(&t->content);
  CWI_FREE(t);
}

static void transfer_op_deinit(cwi_future *f) { free_transfer(*slot(f)); }

/* ---- the response ---- */

static long status_of(const http_transfer *t) {
  long status = 0;
  (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

static cw_status set_string(cw_value *object, const char *key, const char *text, size_t size,
                            cw_error *err) {
  cw_value value;
  cw_status status = cwi_utf8_is_valid(text, size)
                         ? cwi_value_string_trusted(text, size, &value, err)
                         : cw_value_bytes(text, size, &value, err);
  if (status != CW_OK) return status;
  return cw_value_object_set(object, key, strlen(key), value, err);
}

/* The response as an object, with the body moved in where there is one to give. */
static cw_status make_response(http_transfer *t, bool with_body, cw_value *out, cw_error *err) {
  char *url = NULL;
  (void)curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
  cw_value body = cwi_value_none();
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) {
    status = cw_value_object_set(out, "status", 6, cwi_value_int(status_of(t)), err);
  }
  if (status == CW_OK && url != NULL) status = set_string(out, "url", url, strlen(url), err);
  if (status == CW_OK && t->headers.kind == CW_VALUE_OBJECT) {
    status = cw_value_object_set(out, "headers", 7, cwi_value_retain(t->headers), err);
  }
  if (status == CW_OK && with_body) {
    status = cw_value_bytes(t->content.data, t->content.size, &body, err);
    if (status == CW_OK) status = cw_value_object_set(out, "body", 4, body, err);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status raise_status(const http_transfer *t, cw_error *err) {
  long code = status_of(t);
  size_t size = cwi_utf8_floor(t->content.data, t->content.size, 200);
  cw_status status = cwi_raise(err, CW_E_HTTP_STATUS, 0, "http", "%s: status %ld: %.*s", t->url,
                               code, (int)size, t->content.data != NULL ? t->content.data : "");
  err->http_status = (int32_t)code;
  return status;
}

static cw_status make_result(http_transfer *t, cw_value *out, cw_error *err) {
  if (t->result == RESULT_RESPONSE) return make_response(t, true, out, err);
  long code = status_of(t);
  if (code < 200 || code > 299) return raise_status(t, err);
  if (t->result == RESULT_BYTES) {
    return cw_value_bytes(t->content.data, t->content.size, out, err);
  }
  return cw_value_string(t->content.data, t->content.size, out, err);
}

static void finish(http_transfer *t, cw_status status, cw_value value, const cw_error *err);

/* ---- callbacks of libcurl ---- */

static void lower(char *to, const char *from, size_t size) {
  for (size_t i = 0; i < size; i++) to[i] = (char)tolower((unsigned char)from[i]);
}

#define HEADER_NAME_BYTES_MAX 256

/* Adds "name: value" to the headers; a repeated name is joined (RFC 9110, section 5.3). */
static cw_status add_header(http_transfer *t, const char *line, size_t size) {
  char name[HEADER_NAME_BYTES_MAX];
  const char *colon = memchr(line, ':', size);
  if (colon == NULL || colon == line || (size_t)(colon - line) > sizeof(name)) return CW_OK;
  size_t name_size = (size_t)(colon - line);
  lower(name, line, name_size);
  const char *value = colon + 1;
  const char *end = line + size;
  while (value < end && (*value == ' ' || *value == '\t')) value++;
  while (end > value && isspace((unsigned char)end[-1])) end--;
  cw_bytes old = cw_value_as_bytes(cw_value_object_get(t->headers, name, name_size));
  cwi_buf joined;
  cwi_buf_init(&joined, 0);
  if (old.size > 0) {
    (void)cwi_buf_append(&joined, old.data, old.size);
    (void)cwi_buf_append(&joined, ", ", 2);
  }
  (void)cwi_buf_append(&joined, value, (size_t)(end - value));
  (void)cwi_buf_append_char(&joined, '\0');
  cw_status status = joined.failed || !cwi_utf8_is_valid(name, name_size) ? CW_E_NOMEM : CW_OK;
  char key[HEADER_NAME_BYTES_MAX + 1];
  (void)snprintf(key, sizeof(key), "%.*s", (int)name_size, name);
  if (status == CW_OK) status = set_string(&t->headers, key, joined.data, joined.size - 1, NULL);
  cwi_buf_deinit(&joined);
  return status;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  http_transfer *t = context;
  size *= count;
  if (size > 5 && memcmp(data, "HTTP/", 5) == 0) { /* a new response: after a redirect, or 100 */
    cw_value_release(&t->headers);
    t->refused = cw_value_object(&t->headers, NULL);
  } else if (t->headers.kind == CW_VALUE_OBJECT) {
    t->refused = add_header(t, data, size);
  }
  return t->refused == CW_OK ? size : 0;
}

static void resume_on_run(cwi_job *job) {
  http_transfer *t = CWI_CONTAINER_OF(job, http_transfer, resume);
  cw_error err;
  cwi_future_unref(t->sending);
  t->sending = NULL;
  t->refused = cw_future_take(t->sending_handle, NULL, &err);
  if (cwi_future_is_cancel_requested(t->future)) { /* the cancel left it to us */
    finish(t, CW_E_CANCELLED, cwi_value_none(), &(cw_error){.code = CW_E_CANCELLED});
  } else {
    cwi_http_client_resume(t->client, t->easy);
  }
}

static void send_on_notify(cwi_waiter *waiter) {
  http_transfer *t = CWI_CONTAINER_OF(waiter, http_transfer, waiter);
  cwi_runtime_send(t->future->home, &t->resume);
}

/* Sends a value on the stream; where there is no credit it waits, and the transfer pauses. */
static cw_status send_value(http_transfer *t, cw_value value) {
  t->sending_handle = cw_producer_send(t->producer, value);
  t->sending = cwi_handle_get(t->sending_handle, CW_HANDLE_FUTURE);
  if (t->sending == NULL) return CW_E_NOMEM;
  t->waiter.notify = send_on_notify;
  t->resume.run = resume_on_run;
  if (cwi_future_wait(t->sending, &t->waiter)) return CW_OK;
  cwi_future_unref(t->sending);
  t->sending = NULL;
  return cw_future_take(t->sending_handle, NULL, NULL);
}

static cw_status send_head(http_transfer *t) {
  cw_value head;
  cw_status status = make_response(t, false, &head, NULL);
  t->head_sent = status == CW_OK;
  return status == CW_OK ? send_value(t, head) : status;
}

static size_t write_stream(http_transfer *t, const char *data, size_t size) {
  if (t->refused != CW_OK) return 0;
  if (t->sending != NULL) return CURL_WRITEFUNC_PAUSE;
  if (!t->head_sent) {
    t->refused = send_head(t);
    if (t->sending != NULL) return CURL_WRITEFUNC_PAUSE; /* these bytes come again */
  }
  cw_value chunk;
  if (t->refused == CW_OK) t->refused = cw_value_bytes(data, size, &chunk, NULL);
  if (t->refused == CW_OK) t->refused = send_value(t, chunk);
  return t->refused == CW_OK ? size : 0;
}

static size_t on_write(char *data, size_t size, size_t count, void *context) {
  http_transfer *t = context;
  size *= count;
  if (t->result == RESULT_STREAM) return write_stream(t, data, size);
  if (cwi_buf_append(&t->content, data, size)) return size;
  bool large =
      t->options.response_bytes_max != 0 && t->content.size + size > t->options.response_bytes_max;
  t->refused = large ? CW_E_LIMIT : CW_E_NOMEM;
  return 0;
}

/* ---- the end ---- */

/* Gives the result; the transfer goes with its future. */
static void finish(http_transfer *t, cw_status status, cw_value value, const cw_error *err) {
  cwi_future *f = t->future;
  cwi_http_client_remove(t->client, t->easy);
  (void)cwi_timer_disarm(&f->home->wheel, &t->retry);
  if (t->result != RESULT_STREAM) {
    (void)cwi_future_finish(f, status, value, err);
    return;
  }
  if (status == CW_OK) {
    (void)cw_producer_end(t->producer);
  } else {
    (void)cw_producer_fail(t->producer, status, err->message);
  }
  cw_future *self = t->self;
  (void)cwi_future_finish(f, status, value, err);
  (void)cw_release(self);
}

static cw_status raise_refusal(const http_transfer *t, cw_error *err) {
  if (t->refused == CW_E_LIMIT) {
    return cwi_raise(err, CW_E_LIMIT, 0, "http", "%s: the response is larger than %llu bytes",
                     t->url, (unsigned long long)t->options.response_bytes_max);
  }
  return cwi_raise(err, t->refused, 0, "http", "%s: %s", t->url, cw_status_text(t->refused));
}

static bool is_transient(const http_transfer *t, CURLcode result) {
  if (t->refused != CW_OK || t->head_sent || !t->repeatable) return false;
  if (t->tries >= t->options.retries_max) return false;
  switch (result) {
    case CURLE_OK: return status_of(t) >= 502 && status_of(t) <= 504;
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return true;
    default: return false;
  }
}

static void retry_on_fire(cwi_timer *timer) {
  http_transfer *t = CWI_CONTAINER_OF(timer, http_transfer, retry);
  cw_error err;
  cw_status status = cwi_http_client_add(t->client, t->easy, &err);
  if (status != CW_OK) finish(t, status, cwi_value_none(), &err);
}

static void retry_later(http_transfer *t) {
  cwi_runtime *rt = t->future->home;
  uint32_t doublings = t->tries < 10 ? t->tries : 10;
  uint64_t most = (uint64_t)t->options.retry_delay_ms * CWI_NS_PER_MS << doublings;
  uint64_t jitter = most == 0 ? 0 : cwi_clock_monotonic() * UINT64_C(0x9E3779B97F4A7C15) % most;
  t->tries++;
  t->text[0] = '\0';
  cwi_buf_clear(&t->content);
  cwi_http_client_remove(t->client, t->easy);
  t->retry.fire = retry_on_fire;
  cwi_timer_arm(&rt->wheel, &t->retry, cwi_runtime_tick_after(rt, most / 2 + jitter / 2));
}

static void transfer_done(CURL *easy, CURLcode result) {
  cwi_http_done_fn *first = NULL;
  (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&first);
  http_transfer *t = CWI_CONTAINER_OF(first, http_transfer, done);
  if (is_transient(t, result)) {
    retry_later(t);
    return;
  }
  cw_error err = {.code = CW_OK};
  cw_value value = cwi_value_none();
  cw_status status = CW_OK;
  if (t->refused != CW_OK) {
    status = raise_refusal(t, &err);
  } else if (result != CURLE_OK) {
    long os_code = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_code);
    status = cwi_http_raise(&err, result, os_code, t->url, t->text);
  } else if (t->result != RESULT_STREAM) {
    status = make_result(t, &value, &err);
  } else if (!t->head_sent) { /* a response without a body */
    status = send_head(t);
    if (status != CW_OK) (void)CWI_RAISE(&err, status, 0, "%s", cw_status_text(status));
  }
  finish(t, status, value, &err);
}

static void transfer_on_cancel(cwi_future *f) {
  http_transfer *t = *slot(f);
  cw_error err = {.code = CW_E_CANCELLED, .outcome = CW_OUTCOME_MAYBE};
  if (t->sending != NULL) {
    if (!cwi_future_unwait(t->sending, &t->waiter))
      return; /* its resume is on the way, and ends it */
    cwi_future_unref(t->sending);
    (void)cw_release(t->sending_handle);
    t->sending = NULL;
  }
  finish(t, CW_E_CANCELLED, cwi_value_none(), &err);
}

/* ---- the start ---- */

static bool add_headers_out(http_transfer *t, const cw_http_options *options) {
  for (uint32_t i = 0; i < options->header_len; i++) {
    cwi_buf line;
    cwi_buf_init(&line, 0);
    const cw_http_header *h = &options->headers[i];
    (void)cwi_buf_append_format(&line, "%s%s%s", h->name, h->value[0] != '\0' ? ": " : ";",
                                h->value);
    const char *text = cwi_buf_cstr(&line);
    struct curl_slist *more = text == NULL ? NULL : curl_slist_append(t->headers_out, text);
    cwi_buf_deinit(&line);
    if (more == NULL) return false;
    t->headers_out = more;
  }
  return true;
}

static bool is_repeatable(const char *method) {
  static const char *const SAFE[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  for (size_t i = 0; i < CWI_ARRAY_LEN(SAFE); i++) {
    if (strcmp(method, SAFE[i]) == 0) return true;
  }
  return false;
}

static void set_method(http_transfer *t, const cw_http_options *options) {
  CURL *easy = t->easy;
  const char *method = options->method;
  if (method == NULL) method = t->body_size > 0 ? "POST" : "GET";
  t->repeatable = is_repeatable(method);
  if (t->body_size > 0) {
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_size);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body);
  }
  if (strcmp(method, "HEAD") == 0) (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method); /* libcurl copies it */
}

static void set_limits(http_transfer *t, const cw_http_options *options) {
  CURL *easy = t->easy;
  (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
  (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
  if (options->idle_timeout_ms > 0) {
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                           (long)(options->idle_timeout_ms + 999) / 1000);
  }
  (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options->redirects_max > 0 ? 1L : 0L);
  (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)options->redirects_max);
  t->content.size_max = (size_t)options->response_bytes_max;
}

static void set_tls(CURL *easy, const cw_http_options *options) {
  (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
  (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
  if (options->ca_file != NULL) (void)curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
  if (options->client_cert_file != NULL) {
    (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, options->client_cert_file);
  }
  if (options->client_key_file != NULL) {
    (void)curl_easy_setopt(easy, CURLOPT_SSLKEY, options->client_key_file);
  }
}

static bool set_up(http_transfer *t, const char *url, const cw_http_options *options) {
  t->url_size = strlen(url) + 1;
  t->url = cwi_strndup(url, t->url_size - 1);
  if (options->body.size > 0) t->body = cwi_alloc(options->body.size);
  t->easy = curl_easy_init();
  if (t->url == NULL || t->easy == NULL || (options->body.size > 0 && t->body == NULL))
    return false;
  if (options->body.size > 0) memcpy(t->body, options->body.data, options->body.size);
  t->body_size = options->body.size;
  if (!add_headers_out(t, options)) return false;
  CURL *easy = t->easy;
  (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (t->result == RESULT_STREAM) (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
  (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  (void)curl_easy_setopt(easy, CURLOPT_URL, t->url);
  (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers_out);
  (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, t->result == RESULT_STREAM ? NULL : "");
  (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
  (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
  (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->text);
  (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, &t->done);
  set_method(t, options);
  set_limits(t, options);
  set_tls(easy, options);
  return true;
}

static http_transfer *make_transfer(const char *url, const cw_http_options *options,
                                    http_result result) {
  http_transfer *t = CWI_NEW(http_transfer);
  if (t == NULL) return NULL;
  t->done = transfer_done;
  t->result = result;
  t->options = *options;
  if (set_up(t, url, options)) return t;
  free_transfer(t);
  return NULL;
}

/* On the home runtime. */
static void begin(cwi_future *f) {
  http_transfer *t = *slot(f);
  cw_error err = {.code = CW_OK};
  t->client = cwi_http_client_of(f->home, &err);
  if (t->client == NULL) {
    cw_future *self = t->self;
    if (t->producer != NULL) (void)cw_producer_fail(t->producer, err.code, err.message);
    (void)cwi_future_finish(f, err.code, cwi_value_none(), &err);
    if (self != NULL) (void)cw_release(self);
    return;
  }
  if (cwi_future_is_cancel_requested(f)) {
    finish(t, CW_E_CANCELLED, cwi_value_none(), &(cw_error){.code = CW_E_CANCELLED});
    return;
  }
  cw_status status = cwi_http_client_add(t->client, t->easy, &err);
  if (status != CW_OK) finish(t, status, cwi_value_none(), &err);
}

static void begin_on_run(cwi_job *job) {
  cwi_future *f = CWI_CONTAINER_OF(job, cwi_future, job);
  cwi_future_arrive(f);
  if (f->state == CWI_FUTURE_PENDING) begin(f);
}

static void cancel_before_begin(cwi_future *f) {
  http_transfer *t = *slot(f);
  if (t->client != NULL) transfer_on_cancel(f); /* else begin sees the request */
}

static cw_status check_request(const char *url, const cw_http_options *options, cw_error *err) {
  if (url == NULL || url[0] == '\0') return CWI_RAISE(err, CW_E_INVALID, 0, "no URL");
  if (options->struct_size != sizeof(*options)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size");
  }
  if (options->body.data == NULL && options->body.size > 0) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a body of %zu bytes without bytes", options->body.size);
  }
  for (uint32_t i = 0; i < options->header_len; i++) {
    const cw_http_header *h = &options->headers[i];
    if (h->name == NULL || h->value == NULL || strpbrk(h->name, "\r\n: ") != NULL ||
        strpbrk(h->value, "\r\n") != NULL) {
      return CWI_RAISE(err, CW_E_INVALID, 0, "header %u is not usable", i);
    }
  }
  return CW_OK;
}

/* Makes the operation; NULL with `err` filled. */
static cwi_future *make_operation(const char *url, const cw_http_options *options,
                                  http_result result, cw_error *err) {
  const cw_http_options defaults = CW_HTTP_OPTIONS_INIT;
  if (options == NULL) options = &defaults;
  if (check_request(url, options, err) != CW_OK) return NULL;
  cwi_runtime *rt = result == RESULT_STREAM ? cwi_reactor_get(err) : cwi_runtime_for_operation(err);
  if (rt == NULL) return NULL;
  http_transfer *t = make_transfer(url, options, result);
  cwi_future *f = t == NULL ? NULL : cwi_future_new(rt, "http");
  if (f == NULL) {
    if (t != NULL) free_transfer(t);
    (void)CWI_RAISE_NOMEM(err, "an HTTP transfer");
    return NULL;
  }
  t->future = f;
  *slot(f) = t;
  f->cancel = cancel_before_begin;
  f->op_deinit = transfer_op_deinit;
  f->job.run = begin_on_run;
  return f;
}

static cw_future *start(const char *url, const cw_http_options *options, http_result result) {
  cw_error err = {.code = CW_OK};
  cwi_future *f = make_operation(url, options, result, &err);
  if (f == NULL) return err.code == CW_E_NOMEM ? cwi_future_nomem() : cwi_future_failed(&err);
  cw_future *handle = cwi_future_handle(f);
  cwi_runtime_send(f->home, &f->job);
  return handle;
}

cw_future *cw_http_request(const char *url, const cw_http_options *options) {
  return start(url, options, RESULT_RESPONSE);
}

cw_future *cw_http_get(const char *url, const cw_http_options *options) {
  return start(url, options, RESULT_BYTES);
}

cw_future *cw_http_get_text(const char *url, const cw_http_options *options) {
  return start(url, options, RESULT_TEXT);
}

static void stream_on_cancel(void *context) { (void)cw_future_cancel(context); }

#define STREAM_WINDOW 16

cw_stream *cw_http_stream(const char *url, const cw_http_options *options, cw_error *err) {
  cwi_error_clear(err);
  cw_producer *producer;
  cw_stream *stream = cw_stream_new(STREAM_WINDOW, &producer, err);
  if (stream == NULL) return NULL;
  cwi_future *f = make_operation(url, options, RESULT_STREAM, err);
  if (f == NULL) {
    (void)cw_release(producer);
    (void)cw_release(stream);
    return NULL;
  }
  http_transfer *t = *slot(f);
  t->producer = producer;
  t->self = cwi_future_handle(f);
  (void)cw_producer_on_cancel(producer, stream_on_cancel, t->self);
  cwi_runtime_send(f->home, &f->job);
  return stream;
}
