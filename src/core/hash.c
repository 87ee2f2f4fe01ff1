/* SPDX-License-Identifier: MIT */
/* SHA-256 by libcrypto's low-level functions: unlike EVP they keep all of their state in a plain
 * struct, which can be copied and stored. They use the CPU's SHA instructions where it has them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/hash.h"

#include <openssl/sha.h>
#include <string.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(cwi_sha256), "room for libcrypto's state");

static SHA256_CTX *context_of(cwi_sha256 *hash) { return (SHA256_CTX *)(void *)hash->state; }

void cwi_sha256_init(cwi_sha256 *hash) {
  memset(hash, 0, sizeof(*hash));
  (void)SHA256_Init(context_of(hash));
}

void cwi_sha256_update(cwi_sha256 *hash, const void *data, size_t size) {
  (void)SHA256_Update(context_of(hash), data, size);
}

void cwi_sha256_final(cwi_sha256 *hash, uint8_t digest[CWI_SHA256_BYTES]) {
  (void)SHA256_Final(digest, context_of(hash));
}

void cwi_hex(const uint8_t *bytes, size_t size, char *text) {
  static const char DIGITS[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    *text++ = DIGITS[bytes[i] >> 4];
    *text++ = DIGITS[bytes[i] & 15];
  }
  *text = '\0';
}

bool cwi_sha256_parse(const char *text, char hex[CWI_SHA256_HEX_BYTES]) {
  size_t len = strspn(text, "0123456789abcdefABCDEF");
  if (len != CWI_SHA256_HEX_BYTES - 1 || text[len] != '\0') return false;
  for (size_t i = 0; i <= len; i++) {
    hex[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
  }
  return true;
}
