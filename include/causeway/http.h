/* SPDX-License-Identifier: MIT */
/**
 * @file
 * HTTP, on libcurl, without a thread: transfers are driven by the loop of the runtime that starts
 * them.
 *
 *   cw_await(cw_http_get("https://example.org/data.json", NULL), &body, &err);   // non-2xx is an
 *   error
 *
 *   cw_http_options options = CW_HTTP_OPTIONS_INIT;
 *   options.method = "POST"; options.body = (cw_bytes){json, size};
 *   cw_await(cw_http_request(url, &options), &response, &err);                   // any status is a
 *   response cw_value_as_int(cw_value_object_get(response, "status", 6));
 *
 * A response is an object: status (int), headers (object, names in lower case; repeated ones joined
 * by ", "), body (bytes), url (after redirects). Connections are kept and used again, per runtime.
 * The proxy comes from the environment (http_proxy, https_proxy, no_proxy). TLS certificates are
 * verified.
 *
 * Ownership: the caller releases futures and streams; their values belong to who takes them.
 * Options and what they point to are copied.
 * Cancel: closes the transfer at once; the outcome is "maybe" once the request was sent.
 * Errors: CW_E_INVALID the URL or an option; CW_E_RESOLVE, CW_E_CONNECT, CW_E_TLS, CW_E_PROTOCOL,
 * CW_E_TRUNCATED the transfer failed; CW_E_TIMEOUT, CW_E_STALLED; CW_E_LIMIT the response is too
 * large or redirected too often; CW_E_HTTP_STATUS (not cw_http_request) the status is not 2xx:
 * `http_status` has it, the message the start of the body; CW_E_NOMEM.
 *
 * Thread rule: every function may be called from any thread; none blocks.
 */
#ifndef CAUSEWAY_HTTP_H
#define CAUSEWAY_HTTP_H

#include "causeway/stream.h"

CW_BEGIN_DECLS

/** One header of a request: NUL-terminated name and value. */
typedef struct cw_http_header {
  const char *name;
  const char *value;
} cw_http_header;

/** What a request is made of. Times are in milliseconds; 0 switches the limit off. */
typedef struct cw_http_options {
  uint32_t struct_size;
  uint32_t header_len;
  const cw_http_header *headers;
  const char *method; /* NULL: GET, or POST where there is a body */
  cw_bytes body;
  const char *ca_file;          /* PEM file of trusted authorities; NULL: the system's */
  const char *client_cert_file; /* PEM; NULL: none */
  const char *client_key_file;  /* PEM; NULL: in client_cert_file */
  uint32_t connect_timeout_ms;
  uint32_t idle_timeout_ms; /* no byte for this long: CW_E_STALLED */
  uint32_t timeout_ms;      /* for the whole transfer */
  uint32_t redirects_max;
  uint32_t
      retries_max; /* of requests that are safe to repeat: after transport errors and 502-504 */
  uint32_t retry_delay_ms;     /* before the first retry; doubles, with jitter */
  uint64_t response_bytes_max; /* of the body, after decompression */
  bool insecure;               /* do not verify certificates: for tests only */
} cw_http_options;

#define CW_HTTP_OPTIONS_INIT                                                                       \
  {                                                                                                \
    .struct_size = sizeof(cw_http_options), .connect_timeout_ms = 10000, .idle_timeout_ms = 30000, \
    .redirects_max = 10, .retries_max = 2, .retry_delay_ms = 200,                                  \
    .response_bytes_max = 256U * 1024 * 1024                                                       \
  }

/** Sends a request; the value is the response, whatever its status. `options` NULL: the
 * defaults. */
CW_API cw_future *cw_http_request(const char *url, const cw_http_options *options);

/** Gets a URL; the value is the body as bytes. */
CW_API cw_future *cw_http_get(const char *url, const cw_http_options *options);

/** Gets a URL; the value is the body as text, which must be valid UTF-8 (else CW_E_ENCODING). */
CW_API cw_future *cw_http_get_text(const char *url, const cw_http_options *options);

/**
 * Sends a request; the stream's first value is the response without a body, the others are the
 * chunks of the body as they come. The transfer pauses while the stream has no credit. A status
 * that is not 2xx is no error here. `err` may be NULL; NULL is returned where the stream cannot be
 * made.
 */
CW_API cw_stream *cw_http_stream(const char *url, const cw_http_options *options, cw_error *err);

CW_END_DECLS

#endif
