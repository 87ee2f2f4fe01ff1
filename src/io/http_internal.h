/* SPDX-License-Identifier: MIT */
/* libcurl's multi interface on a runtime's loop, and one transfer on it. */
#ifndef IO_HTTP_INTERNAL_H
#define IO_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "causeway/http.h"
#include "core/buf.h"
#include "core/future.h"
#include "core/runtime.h"

/* A runtime's connections and transfers. Owned by the runtime's thread. */
typedef struct cwi_http_client cwi_http_client;

/* This runtime's client, made on first use. */
cwi_http_client *cwi_http_client_of(cwi_runtime *runtime, cw_error *err);

/* Called when a transfer has ended, on the runtime's thread. */
typedef void (*cwi_http_done_fn)(CURL *easy, CURLcode result);

/* Starts and ends a transfer; its CURLOPT_PRIVATE points to the function to call. */
cw_status cwi_http_client_add(cwi_http_client *client, CURL *easy, cw_error *err);
void cwi_http_client_remove(cwi_http_client *client, CURL *easy);

/* Lets a paused transfer go on. */
void cwi_http_client_resume(cwi_http_client *client, CURL *easy);

/* Turns a failure of libcurl into an error. `text` is its error buffer. */
cw_status cwi_http_raise(cw_error *err, CURLcode code, long os_code, const char *url,
                         const char *text);

#endif
