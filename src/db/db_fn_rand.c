/* SPDX-License-Identifier: MIT */
/* rand:: functions, and the randomness of the others. */
#include "db/db_fn_rand.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "db/db_fn_internal.h"

void cwi_fn_random_bytes(void *data, size_t size) {
  uint8_t *at = data;
  while (size > 0) {
    ssize_t got = getrandom(at, size > 256 ? 256 : size, 0);
    if (got <= 0) continue;
    at += got;
    size -= (size_t)got;
  }
}

uint64_t cwi_fn_random_below(uint64_t limit) {
  uint64_t number;
  uint64_t fair = limit == 0 ? 0 : UINT64_MAX - UINT64_MAX % limit;
  do {
    cwi_fn_random_bytes(&number, sizeof(number));
  } while (limit != 0 && number >= fair);
  return limit == 0 ? number : number % limit;
}

void cwi_db_now(int64_t *seconds, uint32_t *nanos) {
  struct timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  *seconds = now.tv_sec;
  *nanos = (uint32_t)now.tv_nsec;
}

static void stamp(uint8_t bytes[16], int64_t seconds, uint32_t nanos) {
  uint64_t millis = (uint64_t)seconds * 1000 + nanos / 1000000;
  for (int i = 0; i < 6; i++) bytes[i] = (uint8_t)(millis >> (40 - 8 * i));
}

void cwi_db_uuid_v7(uint8_t bytes[16]) {
  int64_t seconds;
  uint32_t nanos;
  cwi_fn_random_bytes(bytes, 16);
  cwi_db_now(&seconds, &nanos);
  stamp(bytes, seconds, nanos);
  bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0F));
  bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F));
}

void cwi_db_uuid_v4(uint8_t bytes[16]) {
  cwi_fn_random_bytes(bytes, 16);
  bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0F));
  bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F));
}

static void random_letters(char *text, size_t size) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  uint8_t bytes[64];
  for (size_t i = 0; i < size;) {
    cwi_fn_random_bytes(bytes, sizeof(bytes));
    for (size_t k = 0; k < sizeof(bytes) && i < size; k++) {
      if (bytes[k] < 252) text[i++] = letters[bytes[k] % 36];
    }
  }
}

void cwi_db_random_key(char text[CWI_DB_RANDOM_KEY_BYTES + 1]) {
  random_letters(text, CWI_DB_RANDOM_KEY_BYTES);
  text[CWI_DB_RANDOM_KEY_BYTES] = '\0';
}

static double unit(void) { return (double)(cwi_fn_random_below(0) >> 11) / 9007199254740992.0; }

FN(rand_float_unit) {
  FN_UNUSED;
  *out = cwi_value_float(unit());
  return CW_OK;
}

FN(rand_bool) {
  FN_UNUSED;
  *out = cwi_value_bool(cwi_fn_random_below(2) == 1);
  return CW_OK;
}

FN(rand_enum) {
  FN_UNUSED;
  if (len == 1 && args[0].kind == CW_VALUE_ARRAY) {
    size_t size = cw_value_len(args[0]);
    if (size > 0)
      *out = cwi_value_retain(cw_value_array_get(args[0], (size_t)cwi_fn_random_below(size)));
  } else if (len > 0) {
    *out = cwi_value_retain(args[cwi_fn_random_below(len)]);
  }
  return CW_OK;
}

FN(rand_float) {
  if (len == 1) return cwi_db_fn_fail(ctx, err, "Expected 0 or 2 arguments");
  double low = len == 0 ? 0.0 : cwi_value_as_float(args[0]);
  double high = len == 0 ? 1.0 : cwi_value_as_float(args[1]);
  *out = cwi_value_float(low + (high - low) * unit());
  return CW_OK;
}

static int64_t between(int64_t a, int64_t b) {
  int64_t low = a < b ? a : b;
  int64_t high = a < b ? b : a;
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  return (int64_t)((uint64_t)low + cwi_fn_random_below(span));
}

FN(rand_int) {
  if (len == 1) return cwi_db_fn_fail(ctx, err, "Expected 0 or 2 arguments");
  *out = cwi_value_int(len == 0 ? (int64_t)cwi_fn_random_below(0)
                                : between(cwi_value_as_int(args[0]), cwi_value_as_int(args[1])));
  return CW_OK;
}

FN(rand_time) {
  if (len == 1) return cwi_db_fn_fail(ctx, err, "Expected 0 or 2 arguments");
  int64_t low = 0;
  int64_t high = INT64_C(4102444800);
  if (len == 2) {
    low =
        args[0].kind == CW_VALUE_DATETIME ? cw_value_as_seconds(args[0]) : cw_value_as_int(args[0]);
    high =
        args[1].kind == CW_VALUE_DATETIME ? cw_value_as_seconds(args[1]) : cw_value_as_int(args[1]);
  }
  *out = cw_value_datetime(between(low, high), 0);
  return CW_OK;
}

FN(rand_string) {
  int64_t low = len > 0 ? cwi_value_as_int(args[0]) : 32;
  int64_t high = len > 1 ? cwi_value_as_int(args[1]) : low;
  if (low < 0 || high < low || high > 65536) {
    return cwi_db_fn_fail(ctx, err,
                          "To generate a string of N characters in length, the argument must "
                          "be a positive number and no higher than 65536.");
  }
  char *text;
  cw_status status = cwi_value_string_room((size_t)between(low, high), out, &text, err);
  if (status == CW_OK) random_letters(text, cwi_fn_size(*out));
  return status;
}

FN(rand_uuid_v4) {
  FN_UNUSED;
  uint8_t bytes[16];
  cwi_db_uuid_v4(bytes);
  return cw_value_uuid(bytes, out, err);
}

FN(rand_uuid_v7) {
  FN_UNUSED;
  uint8_t bytes[16];
  cwi_db_uuid_v7(bytes);
  if (len > 0) stamp(bytes, cw_value_as_seconds(args[0]), cw_value_as_nanos(args[0]));
  return cw_value_uuid(bytes, out, err);
}

FN(rand_ulid) {
  FN_UNUSED;
  static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  uint8_t bytes[16];
  char text[26];
  int64_t seconds;
  uint32_t nanos;
  cwi_fn_random_bytes(bytes, sizeof(bytes));
  cwi_db_now(&seconds, &nanos);
  if (len > 0) {
    seconds = cw_value_as_seconds(args[0]);
    nanos = cw_value_as_nanos(args[0]);
  }
  stamp(bytes, seconds, nanos);
  cwi_u128 number = 0;
  for (int i = 0; i < 16; i++) number = number << 8 | bytes[i];
  for (int i = 25; i >= 0; i--) {
    text[i] = letters[(unsigned)(number & 31)];
    number >>= 5;
  }
  return cwi_fn_text(text, sizeof(text), out, err);
}

FN(rand_id) {
  int64_t size = len > 0 ? cwi_value_as_int(args[0]) : CWI_DB_RANDOM_KEY_BYTES;
  cw_value given = cwi_value_int(size);
  return rand_string(ctx, &given, 1, out, err);
}

#define R CWI_DB_FN_RANDOM
static const cwi_db_fn rows[] = {
    {"rand::bool", "", rand_bool, R, "True or false."},
    {"rand::enum", "?v*", rand_enum, R, "One of the arguments."},
    {"rand::float", "?ff", rand_float, R, "A float from 0 to 1, or between two."},
    {"rand::guid", "?i", rand_id, R, "Letters and digits, 20 or as many as asked for."},
    {"rand::id", "?i", rand_id, R, "Letters and digits, 20 or as many as asked for."},
    {"rand::int", "?ii", rand_int, R, "An int, or one between two."},
    {"rand::string", "?ii", rand_string, R, "Letters and digits."},
    {"rand::time", "?vv", rand_time, R, "A datetime, or one between two."},
    {"rand::ulid", "?t", rand_ulid, R, "A ULID, of now or of a time."},
    {"rand::uuid", "?t", rand_uuid_v7, R, "A version 7 UUID."},
    {"rand::uuid::v4", "", rand_uuid_v4, R, "A version 4 UUID."},
    {"rand::uuid::v7", "?t", rand_uuid_v7, R, "A version 7 UUID, of now or of a time."},
};
FN_LIST(cwi_db_fns_rand, "rand::", rows);

/* rand() has no path; db_fn_misc.c lists it. */
cwi_db_fn_call *const cwi_fn_rand_plain = rand_float_unit;
