/* SPDX-License-Identifier: MIT */
/* Digests by name, keyed digests and keys from passwords, over libcrypto. */
#ifndef CORE_SIGN_H
#define CORE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cwi_digest {
  CWI_DIGEST_MD5,
  CWI_DIGEST_SHA1,
  CWI_DIGEST_SHA256,
  CWI_DIGEST_SHA512
} cwi_digest;

#define CWI_DIGEST_BYTES_MAX 64

/* Writes the digest of `data`; returns its bytes, 0 where libcrypto has no memory. */
size_t cwi_digest_of(cwi_digest which, const void *data, size_t size,
                     uint8_t out[CWI_DIGEST_BYTES_MAX]);

/* Fill `key` from a password; false where the parameters are impossible or memory is short. */
bool cwi_key_pbkdf2(const char *password, size_t password_size, const uint8_t *salt,
                    size_t salt_size, uint32_t rounds, uint8_t *key, size_t key_size);
bool cwi_key_scrypt(const char *password, size_t password_size, const uint8_t *salt,
                    size_t salt_size, uint64_t n, uint32_t r, uint32_t p, uint8_t *key,
                    size_t key_size);

/* True where the bytes are the same; takes as long whether they are or not. */
bool cwi_bytes_equal_secret(const void *a, const void *b, size_t size);

#endif
