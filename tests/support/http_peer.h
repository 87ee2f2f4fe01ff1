/* SPDX-License-Identifier: MIT */
/* A small HTTP/1.1 server on loopback that misbehaves on request: a thread a connection, one
 * request a connection unless it says otherwise. What it answers is chosen by the path; see
 * http_peer.c. */
#ifndef TESTS_SUPPORT_HTTP_PEER_H
#define TESTS_SUPPORT_HTTP_PEER_H

#include <stddef.h>
#include <stdint.h>

typedef struct http_peer http_peer;

http_peer *http_peer_start(void);
void http_peer_stop(http_peer *peer);

/* "http://127.0.0.1:PORT" + path, in a static buffer of several turns. */
const char *http_peer_url(const http_peer *peer, const char *path);

/* The file that /file serves, with ranges: borrowed. `cut_every` bytes it drops the connection (0:
 * never); without `ranges` it ignores Range. */
void http_peer_serve(http_peer *peer, const uint8_t *data, size_t size, size_t cut_every,
                     int ranges);

/* Changes the entity tag of /file. */
void http_peer_set_etag(http_peer *peer, const char *etag);

/* How many requests have come. */
int http_peer_requests(const http_peer *peer);

#endif
