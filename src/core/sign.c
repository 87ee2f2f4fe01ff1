/* SPDX-License-Identifier: MIT */
/* Digests and keys from passwords, over libcrypto. */
#include "core/sign.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define SCRYPT_BYTES_MAX (UINT64_C(256) << 20)

size_t cwi_digest_of(cwi_digest which, const void *data, size_t size,
                     uint8_t out[CWI_DIGEST_BYTES_MAX]) {
  const EVP_MD *kind = NULL;
  unsigned written = 0;
  switch (which) {
  case CWI_DIGEST_MD5: kind = EVP_md5(); break;
  case CWI_DIGEST_SHA1: kind = EVP_sha1(); break;
  case CWI_DIGEST_SHA256: kind = EVP_sha256(); break;
  case CWI_DIGEST_SHA512: kind = EVP_sha512(); break;
  }
  return EVP_Digest(data, size, out, &written, kind, NULL) == 1 ? written : 0;
}

bool cwi_key_pbkdf2(const char *password, size_t password_size, const uint8_t *salt,
                    size_t salt_size, uint32_t rounds, uint8_t *key, size_t key_size) {
  if (password_size > INT_MAX || salt_size > INT_MAX || key_size > INT_MAX || rounds == 0 ||
      rounds > INT_MAX) {
    return false;
  }
  return PKCS5_PBKDF2_HMAC(password, (int)password_size, salt, (int)salt_size, (int)rounds,
                           EVP_sha256(), (int)key_size, key) == 1;
}

bool cwi_key_scrypt(const char *password, size_t password_size, const uint8_t *salt,
                    size_t salt_size, uint64_t n, uint32_t r, uint32_t p, uint8_t *key,
                    size_t key_size) {
  return EVP_PBE_scrypt(password, password_size, salt, salt_size, n, r, p, SCRYPT_BYTES_MAX, key,
                        key_size) == 1;
}

bool cwi_bytes_equal_secret(const void *a, const void *b, size_t size) {
  return CRYPTO_memcmp(a, b, size) == 0;
}
