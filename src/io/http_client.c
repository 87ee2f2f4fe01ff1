/* SPDX-License-Identifier: MIT */
/* One libcurl multi handle a runtime: its sockets are polled by the runtime's loop, its one timer
 * is a timer of the runtime's wheel. Connections stay open in the handle's cache until the thread
 * ends.
 *
 * libcurl may ask to change a socket's polling, or the timer, inside any call into it, also while
 * one of its callbacks runs; both only note what is wanted of libuv and never call back into
 * libcurl. */
#include <pthread.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/error.h"
#include "io/http_internal.h"

struct cwi_http_client {
  cwi_runtime *runtime;
  CURLM *multi;
  cwi_timer timer;
  cwi_job check; /* looks for ended transfers, outside libcurl's own callbacks */
  bool checking;
};

typedef struct http_socket {
  uv_poll_t poll;
  cwi_http_client *client;
  curl_socket_t socket;
} http_socket;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_result;
static void start_library(void) { global_result = curl_global_init(CURL_GLOBAL_DEFAULT); }

/* ---- ended transfers ---- */

static void check_on_run(cwi_job *job) {
  cwi_http_client *client = CWI_CONTAINER_OF(job, cwi_http_client, check);
  client->checking = false;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result;
    cwi_http_done_fn *done = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&done);
    (*done)(easy, result);
  }
}

static void act(cwi_http_client *client, curl_socket_t socket, int events) {
  int running;
  (void)curl_multi_socket_action(client->multi, socket, events, &running);
  if (client->checking) return;
  client->checking = true;
  cwi_runtime_ready(client->runtime, &client->check);
}

/* ---- sockets and time ---- */

static void socket_on_ready(uv_poll_t *poll, int status, int events) {
  http_socket *s = CWI_CONTAINER_OF(poll, http_socket, poll);
  int flags = status < 0 ? CURL_CSELECT_ERR : 0;
  if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
  act(s->client, s->socket, flags);
}

static void socket_on_close(uv_handle_t *handle) {
  http_socket *s = CWI_CONTAINER_OF(handle, http_socket, poll);
  CWI_FREE(s);
}

static void drop_socket(cwi_http_client *client, http_socket *s) {
  (void)uv_poll_stop(&s->poll);
  uv_close((uv_handle_t *)&s->poll, socket_on_close);
  cwi_runtime_external(client->runtime, -1);
}

static http_socket *make_socket(cwi_http_client *client, curl_socket_t socket) {
  http_socket *s = CWI_NEW(http_socket);
  if (s == NULL) return NULL;
  s->client = client;
  s->socket = socket;
  if (uv_poll_init_socket(&client->runtime->loop, &s->poll, socket) != 0) {
    CWI_FREE(s);
    return NULL;
  }
  cwi_runtime_external(client->runtime, 1);
  (void)curl_multi_assign(client->multi, socket, s);
  return s;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *of_socket) {
  cwi_http_client *client = context;
  http_socket *s = of_socket;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (s != NULL) drop_socket(client, s);
    (void)curl_multi_assign(client->multi, socket, NULL);
    return 0;
  }
  if (s == NULL) s = make_socket(client, socket);
  if (s == NULL) return -1; /* libcurl fails the transfers */
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  return uv_poll_start(&s->poll, events, socket_on_ready) == 0 ? 0 : -1;
}

static void timer_on_fire(cwi_timer *timer) {
  act(CWI_CONTAINER_OF(timer, cwi_http_client, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *context) {
  cwi_http_client *client = context;
  cwi_runtime *rt = client->runtime;
  (void)multi;
  (void)cwi_timer_disarm(&rt->wheel, &client->timer);
  if (ms >= 0) {
    uint64_t tick = cwi_runtime_tick_after(rt, (uint64_t)ms * CWI_NS_PER_MS);
    cwi_timer_arm(&rt->wheel, &client->timer, tick);
  }
  return 0;
}

/* ---- life ---- */

static void end_client(cwi_runtime *runtime, void *data) {
  cwi_http_client *client = data;
  (void)curl_multi_cleanup(client->multi);
  (void)cwi_timer_disarm(&runtime->wheel, &client->timer);
  CWI_FREE(client);
}

cwi_http_client *cwi_http_client_of(cwi_runtime *runtime, cw_error *err) {
  cwi_runtime_local *local = &runtime->locals[CWI_RUNTIME_LOCAL_HTTP];
  if (local->data != NULL) return local->data;
  (void)pthread_once(&once, start_library);
  cwi_http_client *client = global_result != CURLE_OK ? NULL : CWI_NEW(cwi_http_client);
  CURLM *multi = client == NULL ? NULL : curl_multi_init();
  if (multi == NULL) {
    if (client != NULL) CWI_FREE(client);
    (void)CWI_RAISE_NOMEM(err, "an HTTP client");
    return NULL;
  }
  client->runtime = runtime;
  client->multi = multi;
  client->timer.fire = timer_on_fire;
  client->check.run = check_on_run;
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
  (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
  (void)curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 64L);
  local->data = client;
  local->end = end_client;
  return client;
}

cw_status cwi_http_client_add(cwi_http_client *client, CURL *easy, cw_error *err) {
  CURLMcode code = curl_multi_add_handle(client->multi, easy);
  if (code == CURLM_OK) return CW_OK;
  return CWI_RAISE(err, CW_E_INTERNAL, (int)code, "libcurl: %s", curl_multi_strerror(code));
}

void cwi_http_client_remove(cwi_http_client *client, CURL *easy) {
  (void)curl_multi_remove_handle(client->multi, easy);
}

void cwi_http_client_resume(cwi_http_client *client, CURL *easy) {
  (void)curl_easy_pause(easy, CURLPAUSE_CONT);
  act(client, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- errors ---- */

static cw_status status_of(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return CW_E_INVALID;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return CW_E_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return CW_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return CW_E_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return CW_E_TLS;
    case CURLE_PARTIAL_FILE: return CW_E_TRUNCATED;
    case CURLE_TOO_MANY_REDIRECTS: return CW_E_LIMIT;
    case CURLE_OUT_OF_MEMORY: return CW_E_NOMEM;
    default: return CW_E_PROTOCOL;
  }
}

cw_status cwi_http_raise(cw_error *err, CURLcode code, long os_code, const char *url,
                         const char *text) {
  cw_status status = status_of(code);
  if (status == CW_E_TIMEOUT && strstr(text, "too slow") != NULL) status = CW_E_STALLED;
  if (code == CURLE_UNSUPPORTED_PROTOCOL && strstr(text, "HTTP/0.9") != NULL) {
    status = CW_E_PROTOCOL; /* an answer that is no HTTP at all */
  }
  return cwi_raise(err, status, (int)os_code, "http", "%s: %s", url,
                   text[0] != '\0' ? text : curl_easy_strerror(code));
}
