/* SPDX-License-Identifier: MIT */
/* Paths:
 *   /hello           200 "hello"                /echo            the method, a newline and the body
 *   /status/N        status N, body "status N"  /flaky/N         503 for the first N requests, then
 *   200
 *   /redirect        302 to /hello              /loop            302 to itself
 *   /headers         two X-A headers            /cut             says 1000 bytes, sends 10
 *   /never           reads, never answers       /garbage         no HTTP
 *   /chunks          chunked "one", "two"       /large           1 MiB of 'x'
 *   /file            what http_peer_serve gave, with Range and If-Range */
#include "support/http_peer.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

struct http_peer {
  int listener;
  int port;
  pthread_t thread;
  _Atomic int requests;
  _Atomic int flaky;
  pthread_mutex_t mutex;
  const uint8_t *data;
  size_t size;
  size_t cut_every;
  int ranges;
  char etag[64];
  int connections[CONNECTIONS_MAX]; /* [mutex] open ones, to be shut at the end */
  pthread_t threads[CONNECTIONS_MAX];
  _Atomic int connection_len;
};

typedef struct connection {
  http_peer *peer;
  int fd;
} connection;

static bool put(int fd, const void *data, size_t size) {
  const char *from = data;
  while (size > 0) {
    ssize_t sent = send(fd, from, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    from += sent;
    size -= (size_t)sent;
  }
  return true;
}

static void answer(int fd, const char *status, const char *headers, const void *body, size_t size) {
  char head[1024];
  int len = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
                     size, headers);
  if (put(fd, head, (size_t)len)) (void)put(fd, body, size);
}

static const char *header_of(const char *request, const char *name) {
  static _Thread_local char value[256];
  const char *line = request;
  size_t len = strlen(name);
  while ((line = strstr(line, "\r\n")) != NULL) {
    line += 2;
    if (strncasecmp(line, name, len) != 0 || line[len] != ':') continue;
    const char *start = line + len + 1;
    while (*start == ' ') start++;
    (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(start, "\r\n"), start);
    return value;
  }
  return NULL;
}

static void serve_file(http_peer *peer, int fd, const char *request) {
  char head[512];
  size_t from = 0;
  const char *range = header_of(request, "Range");
  if (peer->ranges && range != NULL) (void)sscanf(range, "bytes=%zu-", &from);
  const char *condition = header_of(request, "If-Range");
  if (condition != NULL && strcmp(condition, peer->etag) != 0) from = 0;
  if (from > peer->size) {
    answer(fd, "416 Range Not Satisfiable", "", "", 0);
    return;
  }
  int len = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%sETag: %s\r\n",
                     from > 0 ? "206 Partial Content" : "200 OK", peer->size - from,
                     peer->ranges ? "Accept-Ranges: bytes\r\n" : "", peer->etag);
  if (from > 0) {
    len += snprintf(head + len, sizeof(head) - (size_t)len, "Content-Range: bytes %zu-%zu/%zu\r\n",
                    from, peer->size - 1, peer->size);
  }
  len += snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
  size_t left = peer->size - from;
  if (peer->cut_every > 0 && left > peer->cut_every) left = peer->cut_every;
  if (put(fd, head, (size_t)len)) (void)put(fd, peer->data + from, left);
}

static void respond(http_peer *peer, int fd, const char *request, const char *body,
                    size_t body_size) {
  char method[16] = "";
  char path[256] = "";
  char text[512];
  (void)sscanf(request, "%15s %255s", method, path);
  if (strcmp(path, "/hello") == 0) {
    answer(fd, "200 OK", "Content-Type: text/plain\r\n", "hello", 5);
  } else if (strcmp(path, "/echo") == 0) {
    int len = snprintf(text, sizeof(text), "%s\n%.*s", method, (int)body_size, body);
    answer(fd, "200 OK", "", text, (size_t)len);
  } else if (strncmp(path, "/status/", 8) == 0) {
    int len = snprintf(text, sizeof(text), "status %s", path + 8);
    char line[64];
    (void)snprintf(line, sizeof(line), "%.3s Status", path + 8);
    answer(fd, line, "", text, (size_t)len);
  } else if (strncmp(path, "/flaky/", 7) == 0) {
    if (peer->flaky++ < strtol(path + 7, NULL, 10)) {
      answer(fd, "503 Busy", "", "busy", 4);
    } else {
      answer(fd, "200 OK", "", "fine", 4);
    }
  } else if (strcmp(path, "/redirect") == 0) {
    answer(fd, "302 Found", "Location: /hello\r\n", "", 0);
  } else if (strcmp(path, "/loop") == 0) {
    answer(fd, "302 Found", "Location: /loop\r\n", "", 0);
  } else if (strcmp(path, "/headers") == 0) {
    answer(fd, "200 OK", "X-A: one\r\nX-A: two\r\n", "", 0);
  } else if (strcmp(path, "/cut") == 0) {
    (void)put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789", 51);
  } else if (strcmp(path, "/garbage") == 0) {
    (void)put(fd, "\x01\x02\x03 no HTTP\r\n\r\n", 15);
  } else if (strcmp(path, "/chunks") == 0) {
    (void)put(
        fd,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        68);
  } else if (strcmp(path, "/large") == 0) {
    char *large = malloc(1 << 20);
    memset(large, 'x', 1 << 20);
    answer(fd, "200 OK", "", large, 1 << 20);
    free(large);
  } else if (strcmp(path, "/file") == 0) {
    serve_file(peer, fd, request);
  } else if (strcmp(path, "/never") == 0) {
    char ignored;
    while (recv(fd, &ignored, 1, 0) > 0) {
    }
  } else {
    answer(fd, "404 Not Found", "", "no such page", 12);
  }
}

static void *connection_main(void *context) {
  connection *c = context;
  http_peer *peer = c->peer;
  char request[8192];
  size_t size = 0;
  char *end = NULL;
  while (size < sizeof(request) - 1) {
    ssize_t got = recv(c->fd, request + size, sizeof(request) - 1 - size, 0);
    if (got <= 0) break;
    size += (size_t)got;
    request[size] = '\0';
    end = strstr(request, "\r\n\r\n");
    if (end == NULL) continue;
    const char *length = header_of(request, "Content-Length");
    size_t wanted = length == NULL ? 0 : strtoul(length, NULL, 10);
    if (size - (size_t)(end + 4 - request) >= wanted) break;
  }
  if (end != NULL) {
    peer->requests++;
    respond(peer, c->fd, request, end + 4, size - (size_t)(end + 4 - request));
  }
  (void)shutdown(c->fd, SHUT_RDWR);
  free(c);
  return NULL;
}

static void *peer_main(void *context) {
  http_peer *peer = context;
  for (;;) {
    int fd = accept(peer->listener, NULL, NULL);
    if (fd < 0) return NULL;
    int index = peer->connection_len;
    connection *c = malloc(sizeof(*c));
    if (c == NULL || index == CONNECTIONS_MAX) abort();
    *c = (connection){peer, fd};
    peer->connections[index] = fd;
    if (pthread_create(&peer->threads[index], NULL, connection_main, c) != 0) abort();
    peer->connection_len = index + 1;
  }
}

http_peer *http_peer_start(void) {
  http_peer *peer = calloc(1, sizeof(*peer));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  peer->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(peer->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
      listen(peer->listener, 64) != 0 ||
      getsockname(peer->listener, (struct sockaddr *)&address, &len) != 0) {
    abort();
  }
  peer->port = ntohs(address.sin_port);
  (void)snprintf(peer->etag, sizeof(peer->etag), "\"one\"");
  if (pthread_create(&peer->thread, NULL, peer_main, peer) != 0) abort();
  return peer;
}

void http_peer_stop(http_peer *peer) {
  (void)shutdown(peer->listener, SHUT_RDWR);
  (void)pthread_join(peer->thread, NULL);
  (void)close(peer->listener);
  for (int i = 0; i < peer->connection_len; i++) {
    (void)shutdown(peer->connections[i], SHUT_RDWR);
    (void)pthread_join(peer->threads[i], NULL);
    (void)close(peer->connections[i]);
  }
  free(peer);
}

const char *http_peer_url(const http_peer *peer, const char *path) {
  static char urls[8][512];
  static int next;
  char *url = urls[next++ % 8];
  (void)snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d%s", peer->port, path);
  return url;
}

void http_peer_serve(http_peer *peer, const uint8_t *data, size_t size, size_t cut_every,
                     int ranges) {
  peer->data = data;
  peer->size = size;
  peer->cut_every = cut_every;
  peer->ranges = ranges;
}

void http_peer_set_etag(http_peer *peer, const char *etag) {
  (void)snprintf(peer->etag, sizeof(peer->etag), "%s", etag);
}

int http_peer_requests(const http_peer *peer) { return peer->requests; }
