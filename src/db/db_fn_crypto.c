/* SPDX-License-Identifier: MIT */
/* crypto:: functions. Password hashes are texts that carry their parameters: argon2's own form,
 * bcrypt's, and $scrypt$ln=..,r=..,p=..$salt$hash, $pbkdf2-sha256$i=..,l=..$salt$hash. */
#include <argon2.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "core/sign.h"
#include "db/db_blake3.h"
#include "db/db_fn_internal.h"
#include "db/db_fn_rand.h"

static cw_bytes data_of(cw_value v) { return cw_value_as_bytes(v); }

static cw_status hex(const uint8_t *bytes, size_t size, cw_value *out, cw_error *err) {
  char text[2 * CWI_DIGEST_BYTES_MAX + 1];
  if (size == 0) return CWI_RAISE_NOMEM(err, "a digest");
  cwi_hex(bytes, size, text);
  return cwi_fn_text(text, 2 * size, out, err);
}

#define DIGEST(name, which)                                                                        \
  FN(name) {                                                                                       \
    FN_UNUSED;                                                                                     \
    uint8_t bytes[CWI_DIGEST_BYTES_MAX];                                                           \
    return hex(bytes, cwi_digest_of((which), data_of(args[0]).data, data_of(args[0]).size, bytes), \
               out, err);                                                                          \
  }
DIGEST(crypto_md5, CWI_DIGEST_MD5)
DIGEST(crypto_sha1, CWI_DIGEST_SHA1)
DIGEST(crypto_sha256, CWI_DIGEST_SHA256)
DIGEST(crypto_sha512, CWI_DIGEST_SHA512)

FN(crypto_blake3) {
  FN_UNUSED;
  uint8_t bytes[32];
  cwi_blake3(data_of(args[0]).data, data_of(args[0]).size, bytes);
  return hex(bytes, sizeof(bytes), out, err);
}

FN(crypto_joaat) {
  FN_UNUSED;
  uint32_t hash = 0;
  for (size_t i = 0; i < cwi_fn_size(args[0]); i++) {
    hash += (unsigned char)cwi_fn_chars(args[0])[i];
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  hash += hash << 15;
  *out = cwi_value_int(hash);
  return CW_OK;
}

/* ---- passwords ---- */

static cw_status check_two(const cwi_db_fn_ctx *ctx, const cw_value *args, size_t len,
                           cw_error *err) {
  const char *name = ctx->fn->name;
  if (len == 0) return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' expects two arguments", name);
  for (size_t i = 0; i < 2; i++) {
    cw_value v = i < len ? args[i] : cwi_value_none();
    if (v.kind == CW_VALUE_STRING) continue;
    return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' expects a string %s, got: %s", name,
                     i == 0 ? "hash" : "password", cwi_db_kind_name(cwi_db_kind_of(v)));
  }
  return CW_OK;
}

static cw_status check_password(const cwi_db_fn_ctx *ctx, const cw_value *args, size_t len,
                                cw_error *err) {
  const char *name = ctx->fn->name;
  if (len == 0)
    return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' expects a password argument", name);
  if (args[0].kind == CW_VALUE_STRING) return CW_OK;
  return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' expects a string password, got: %s", name,
                   cwi_db_kind_name(cwi_db_kind_of(args[0])));
}

FN(argon2_compare) {
  cw_status status = check_two(ctx, args, len, err);
  if (status != CW_OK) return status;
  const char *hash = cwi_fn_chars(args[0]);
  int rc = ARGON2_VERIFY_MISMATCH;
  if (strncmp(hash, "$argon2id$", 10) == 0) {
    rc = argon2id_verify(hash, cwi_fn_chars(args[1]), cwi_fn_size(args[1]));
  } else if (strncmp(hash, "$argon2i$", 9) == 0) {
    rc = argon2i_verify(hash, cwi_fn_chars(args[1]), cwi_fn_size(args[1]));
  } else if (strncmp(hash, "$argon2d$", 9) == 0) {
    rc = argon2d_verify(hash, cwi_fn_chars(args[1]), cwi_fn_size(args[1]));
  }
  *out = cwi_value_bool(rc == ARGON2_OK);
  return CW_OK;
}

FN(argon2_generate) {
  cw_status status = check_password(ctx, args, len, err);
  uint8_t salt[16];
  char text[160];
  if (status != CW_OK) return status;
  cwi_fn_random_bytes(salt, sizeof(salt));
  int rc = argon2id_hash_encoded(2, 19456, 1, cwi_fn_chars(args[0]), cwi_fn_size(args[0]), salt,
                                 sizeof(salt), 32, text, sizeof(text));
  if (rc != ARGON2_OK)
    return CWI_RAISE(err, CW_E_QUERY, rc, "argon2: %s", argon2_error_message(rc));
  return cwi_fn_text(text, strlen(text), out, err);
}

/* crypt's work area is large: it comes from the heap. */
static cw_status run_crypt(const char *password, const char *setting, char *text, size_t room,
                           bool *good, cw_error *err) {
  struct crypt_data *data = CWI_NEW(struct crypt_data);
  *good = false;
  if (data == NULL) return CWI_RAISE_NOMEM(err, "a password hash");
  const char *result = crypt_r(password, setting, data);
  if (result != NULL && result[0] != '*') {
    *good = true;
    (void)snprintf(text, room, "%s", result);
  }
  CWI_FREE(data);
  return CW_OK;
}

FN(bcrypt_compare) {
  char text[CRYPT_OUTPUT_SIZE];
  bool good = false;
  cw_status status = check_two(ctx, args, len, err);
  if (status != CW_OK) return status;
  const char *hash = cwi_fn_chars(args[0]);
  if (strncmp(hash, "$2", 2) == 0) {
    status = run_crypt(cwi_fn_chars(args[1]), hash, text, sizeof(text), &good, err);
  }
  good = good && strlen(text) == cwi_fn_size(args[0]) &&
         cwi_bytes_equal_secret(text, hash, strlen(text));
  *out = cwi_value_bool(good);
  return status;
}

FN(bcrypt_generate) {
  cw_status status = check_password(ctx, args, len, err);
  char salt[16];
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  char text[CRYPT_OUTPUT_SIZE];
  bool good;
  if (status != CW_OK) return status;
  cwi_fn_random_bytes(salt, sizeof(salt));
  if (crypt_gensalt_rn("$2b$", 12, salt, sizeof(salt), setting, sizeof(setting)) == NULL) {
    return CWI_RAISE(err, CW_E_QUERY, 0, "bcrypt is not available");
  }
  status = run_crypt(cwi_fn_chars(args[0]), setting, text, sizeof(text), &good, err);
  if (status != CW_OK) return status;
  if (!good) return CWI_RAISE(err, CW_E_QUERY, 0, "bcrypt is not available");
  return cwi_fn_text(text, strlen(text), out, err);
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(const uint8_t *data, size_t size, char *text) {
  size_t at = 0;
  for (size_t i = 0; i < size; i += 3) {
    uint32_t bits = (uint32_t)data[i] << 16 | (i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0) |
                    (i + 2 < size ? data[i + 2] : 0U);
    text[at++] = base64[bits >> 18];
    text[at++] = base64[bits >> 12 & 63];
    if (i + 1 < size) text[at++] = base64[bits >> 6 & 63];
    if (i + 2 < size) text[at++] = base64[bits & 63];
  }
  text[at] = '\0';
}

/* Reads base64 without padding up to '$' or the end; SIZE_MAX where it is none or too long. */
static size_t get_base64(const char **text, uint8_t *out, size_t room) {
  size_t size = 0;
  uint32_t bits = 0;
  int have = 0;
  for (; **text != '\0' && **text != '$'; (*text)++) {
    const char *place = strchr(base64, **text);
    if (place == NULL) return SIZE_MAX;
    bits = bits << 6 | (uint32_t)(place - base64);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    if (size == room) return SIZE_MAX;
    out[size++] = (uint8_t)(bits >> have);
  }
  return size;
}

typedef struct kdf {
  bool scrypt;
  unsigned a, b, c; /* scrypt: ln, r, p; pbkdf2: rounds, length, - */
  uint8_t salt[64];
  size_t salt_size;
  uint8_t key[64];
  size_t key_size;
} kdf;

static bool derive(const kdf *k, cw_value password, uint8_t *key) {
  const char *text = cwi_fn_chars(password);
  size_t size = cwi_fn_size(password);
  if (!k->scrypt) return cwi_key_pbkdf2(text, size, k->salt, k->salt_size, k->a, key, k->key_size);
  return k->a < 32 && cwi_key_scrypt(text, size, k->salt, k->salt_size, UINT64_C(1) << k->a, k->b,
                                     k->c, key, k->key_size);
}

static bool parse_kdf(const char *text, bool scrypt, kdf *k) {
  int used = 0;
  *k = (kdf){.scrypt = scrypt};
  if (scrypt) {
    (void)sscanf(text, "$scrypt$ln=%3u,r=%3u,p=%3u$%n", &k->a, &k->b, &k->c, &used);
  } else {
    (void)sscanf(text, "$pbkdf2-sha256$i=%8u,l=%3u$%n", &k->a, &k->b, &used);
  }
  if (used == 0) return false;
  text += used;
  k->salt_size = get_base64(&text, k->salt, sizeof(k->salt));
  if (k->salt_size == SIZE_MAX || *text++ != '$') return false;
  k->key_size = get_base64(&text, k->key, sizeof(k->key));
  return k->key_size != SIZE_MAX && k->key_size > 0 && *text == '\0';
}

static cw_status kdf_compare(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, bool scrypt,
                             cw_value *out, cw_error *err) {
  kdf k;
  uint8_t key[64];
  cw_status status = check_two(ctx, args, len, err);
  if (status != CW_OK) return status;
  *out = cwi_value_bool(parse_kdf(cwi_fn_chars(args[0]), scrypt, &k) && derive(&k, args[1], key) &&
                        cwi_bytes_equal_secret(key, k.key, k.key_size));
  return CW_OK;
}

static cw_status kdf_generate(cwi_db_fn_ctx *ctx, const cw_value *args, size_t len, bool scrypt,
                              cw_value *out, cw_error *err) {
  cw_status status = check_password(ctx, args, len, err);
  if (status != CW_OK) return status;
  kdf k = {
      .scrypt = scrypt, .a = scrypt ? 15 : 600000, .b = 8, .c = 1, .salt_size = 16, .key_size = 32};
  char salt[32];
  char key[64];
  char text[192];
  cwi_fn_random_bytes(k.salt, k.salt_size);
  if (!derive(&k, args[0], k.key)) return CWI_RAISE_NOMEM(err, "a password hash");
  put_base64(k.salt, k.salt_size, salt);
  put_base64(k.key, k.key_size, key);
  int size =
      scrypt
          ? snprintf(text, sizeof(text), "$scrypt$ln=%u,r=%u,p=%u$%s$%s", k.a, k.b, k.c, salt, key)
          : snprintf(text, sizeof(text), "$pbkdf2-sha256$i=%u,l=32$%s$%s", k.a, salt, key);
  return cwi_fn_text(text, (size_t)size, out, err);
}

FN(scrypt_compare) { return kdf_compare(ctx, args, len, true, out, err); }
FN(scrypt_generate) { return kdf_generate(ctx, args, len, true, out, err); }
FN(pbkdf2_compare) { return kdf_compare(ctx, args, len, false, out, err); }
FN(pbkdf2_generate) { return kdf_generate(ctx, args, len, false, out, err); }

#define P CWI_DB_FN_PURE
#define R CWI_DB_FN_RANDOM
static const cwi_db_fn rows[] = {
    {"crypto::argon2::compare", "?v*", argon2_compare, P, "Whether a password has this hash."},
    {"crypto::argon2::generate", "?v*", argon2_generate, R, "The hash of a password."},
    {"crypto::bcrypt::compare", "?v*", bcrypt_compare, P, "Whether a password has this hash."},
    {"crypto::bcrypt::generate", "?v*", bcrypt_generate, R, "The hash of a password."},
    {"crypto::blake3", "s", crypto_blake3, P, "The BLAKE3 hash, in hex."},
    {"crypto::joaat", "s", crypto_joaat, P, "Jenkins's one-at-a-time hash."},
    {"crypto::md5", "s", crypto_md5, P, "The MD5 hash, in hex."},
    {"crypto::pbkdf2::compare", "?v*", pbkdf2_compare, P, "Whether a password has this hash."},
    {"crypto::pbkdf2::generate", "?v*", pbkdf2_generate, R, "The hash of a password."},
    {"crypto::scrypt::compare", "?v*", scrypt_compare, P, "Whether a password has this hash."},
    {"crypto::scrypt::generate", "?v*", scrypt_generate, R, "The hash of a password."},
    {"crypto::sha1", "s", crypto_sha1, P, "The SHA-1 hash, in hex."},
    {"crypto::sha256", "s", crypto_sha256, P, "The SHA-256 hash, in hex."},
    {"crypto::sha512", "s", crypto_sha512, P, "The SHA-512 hash, in hex."},
};
FN_LIST(cwi_db_fns_crypto, "crypto::", rows);
