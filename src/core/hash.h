/* SPDX-License-Identifier: MIT */
/* Hashes, over libcrypto. A SHA-256 under way can be saved and gone on with, also in another
 * process of the same build: that is how a download resumes without reading what it has. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CWI_SHA256_BYTES 32
#define CWI_SHA256_HEX_BYTES 65 /* with the NUL */

typedef struct cwi_sha256 {
  uint64_t state[16]; /* libcrypto's SHA256_CTX lies here */
} cwi_sha256;

void cwi_sha256_init(cwi_sha256 *hash);
void cwi_sha256_update(cwi_sha256 *hash, const void *data, size_t size);
void cwi_sha256_final(cwi_sha256 *hash, uint8_t digest[CWI_SHA256_BYTES]);

/* Lower-case hex of `size` bytes and a NUL. */
void cwi_hex(const uint8_t *bytes, size_t size, char *text);

/* True where `text` is 64 hex digits; writes them in lower case and a NUL. */
bool cwi_sha256_parse(const char *text, char hex[CWI_SHA256_HEX_BYTES]);

#endif
