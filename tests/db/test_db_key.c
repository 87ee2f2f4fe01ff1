/* SPDX-License-Identifier: MIT */
/* Keys keep the order of values and read back; the codec gives back what it was given. */
#include <math.h>

#include "db/db_codec.h"
#include "db/db_key.h"
#include "support/test.h"

static uint64_t random_state = 88172645463325252U;

static unsigned random_below(unsigned limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state % limit);
}

static cw_value make_value(unsigned depth);

static cw_value make_string(void) {
  char text[6];
  size_t size = random_below(6);
  for (size_t i = 0; i < size; i++) text[i] = "ab\0\1\x7f"[random_below(5)];
  cw_value out;
  CHECK_OK(cw_value_string(text, size, &out, NULL));
  return out;
}

static cw_value make_array(unsigned depth) {
  cw_value out;
  CHECK_OK(cw_value_array(0, &out, NULL));
  for (unsigned n = random_below(4); n > 0; n--) {
    CHECK_OK(cw_value_array_push(&out, make_value(depth), NULL));
  }
  return out;
}

static cw_value make_object(unsigned depth) {
  cw_value out;
  CHECK_OK(cw_value_object(&out, NULL));
  for (unsigned n = random_below(4); n > 0; n--) {
    char key[2] = {(char)('a' + random_below(3)), (char)('a' + random_below(3))};
    CHECK_OK(cw_value_object_set(&out, key, 1 + random_below(2), make_value(depth), NULL));
  }
  return out;
}

static cw_value make_number(void) {
  static const double floats[] = {0.0,  0.1,      -0.1,      1.0, 1.5, -1.5, 1e300,
                                  1e-9, INFINITY, -INFINITY, NAN, 2.0, 123456789.125, -1e20};
  static const char *const decimals[] = {"0", "0.1", "-0.1", "1", "1.50", "2.00", "123456789.125",
                                         "-79228162514264337593543950335", "0.000000001"};
  static const int64_t ints[] = {0, 1, -1, 2, 10, 9, -10, INT64_MAX, INT64_MIN, 1 << 20, 100};
  cw_value out;
  switch (random_below(3)) {
  case 0: return cw_value_float(floats[random_below(sizeof(floats) / sizeof(floats[0]))]);
  case 1: {
    cwi_decimal d;
    const char *text = decimals[random_below(sizeof(decimals) / sizeof(decimals[0]))];
    CHECK(cwi_decimal_parse(text, strlen(text), &d));
    CHECK_OK(cwi_db_value_decimal(d, &out, NULL));
    return out;
  }
  default: return cw_value_int(ints[random_below(sizeof(ints) / sizeof(ints[0]))]);
  }
}

static cw_value make_value(unsigned depth) {
  cw_value out;
  switch (random_below(depth > 0 ? 16 : 9)) {
  case 0: return cw_value_none();
  case 1: return cw_value_null();
  case 2: return cw_value_bool(random_below(2) == 0);
  case 3: return make_string();
  case 4: return cw_value_datetime((int64_t)random_below(100) - 50, random_below(3));
  case 5: return cw_value_duration(random_below(5), random_below(3));
  case 6:
  case 7: return make_number();
  case 8: CHECK_OK(cw_value_bytes("a\0b", random_below(4), &out, NULL)); return out;
  case 9: return make_array(depth - 1);
  case 10: return make_object(depth - 1);
  case 11: CHECK_OK(cwi_db_value_set(make_array(depth - 1), &out, NULL)); return out;
  case 12:
    CHECK_OK(cwi_db_value_record(make_string(), make_array(depth - 1), &out, NULL));
    return out;
  case 13: CHECK_OK(cwi_db_value_point(random_below(3), random_below(3), &out, NULL)); return out;
  case 14: {
    cwi_db_bound begin = (cwi_db_bound)random_below(3);
    cwi_db_bound end = (cwi_db_bound)random_below(3);
    cw_value a = begin == CWI_DB_UNBOUNDED ? cw_value_none() : make_value(depth - 1);
    cw_value b = end == CWI_DB_UNBOUNDED ? cw_value_none() : make_value(depth - 1);
    CHECK_OK(cwi_db_value_range(begin, a, end, b, &out, NULL));
    return out;
  }
  default: CHECK_OK(cwi_db_value_table("t", 1, &out, NULL)); return out;
  }
}

static void fail_values(const char *what, cw_value a, cw_value b) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_db_text(&text, a);
  (void)cwi_buf_append_str(&text, " and ");
  (void)cwi_db_text(&text, b);
  fail_msg("%s: %s", what, cwi_buf_cstr(&text));
}

TEST(db_key, keeps_the_order_of_values) {
  for (size_t round = 0; round < cwt_rounds(20000); round++) {
    cw_value a = make_value(3);
    cw_value b = make_value(3);
    cwi_buf x;
    cwi_buf y;
    cwi_buf_init(&x, 0);
    cwi_buf_init(&y, 0);
    CHECK_OK(cwi_db_key_value(&x, a, NULL));
    CHECK_OK(cwi_db_key_value(&y, b, NULL));
    size_t shorter = x.size < y.size ? x.size : y.size;
    int order = memcmp(x.data, y.data, shorter);
    if (order == 0) order = (x.size > y.size) - (x.size < y.size);
    int wanted = cwi_db_compare(a, b);
    if ((order > 0) - (order < 0) != wanted) fail_values("order differs", a, b);
    if (cwi_db_compare(b, a) != -wanted) fail_values("order is not symmetric", a, b);
    cwi_buf_deinit(&x);
    cwi_buf_deinit(&y);
    cw_value_release(&a);
    cw_value_release(&b);
  }
}

TEST(db_key, record_keys_read_back) {
  for (size_t round = 0; round < cwt_rounds(10000); round++) {
    cw_value key = random_below(2) == 0 ? make_array(3) : make_object(3);
    if (random_below(3) == 0) {
      cw_value_release(&key);
      key = random_below(2) == 0 ? make_string() : cw_value_int((int64_t)random_below(1000) - 500);
    }
    cwi_buf bytes;
    cwi_buf_init(&bytes, 0);
    CHECK_OK(cwi_db_key_record_key(&bytes, key, NULL));
    cw_bytes rest = {bytes.data, bytes.size};
    cw_value back;
    CHECK_OK(cwi_db_key_read_record_key(&rest, &back, NULL));
    CHECK(rest.size == 0);
    cwi_buf before;
    cwi_buf after;
    cwi_buf_init(&before, 0);
    cwi_buf_init(&after, 0);
    CHECK(cwi_db_text(&before, key) && cwi_db_text(&after, back));
    if (strcmp(cwi_buf_cstr(&before), cwi_buf_cstr(&after)) != 0)
      fail_values("read back", key, back);
    cwi_buf_deinit(&before);
    cwi_buf_deinit(&after);
    cwi_buf_deinit(&bytes);
    cw_value_release(&key);
    cw_value_release(&back);
  }
}

TEST(db_codec, gives_back_what_it_was_given) {
  for (size_t round = 0; round < cwt_rounds(10000); round++) {
    cw_value value = make_value(4);
    cwi_buf bytes;
    cwi_buf_init(&bytes, 0);
    CHECK_OK(cwi_db_codec_encode(value, &bytes, NULL));
    cw_value back;
    CHECK_OK(cwi_db_codec_decode((cw_bytes){bytes.data, bytes.size}, &back, NULL));
    if (cwi_db_compare(value, back) != 0) fail_values("decoded", value, back);
    for (size_t cut = 0; cut < bytes.size; cut++) {
      cw_value broken;
      CHECK(cwi_db_codec_decode((cw_bytes){bytes.data, cut}, &broken, NULL) != CW_OK);
    }
    cwi_buf_deinit(&bytes);
    cw_value_release(&value);
    cw_value_release(&back);
  }
}

TEST(db_codec, finds_one_field) {
  for (size_t round = 0; round < cwt_rounds(3000); round++) {
    cw_value object = make_object(3);
    cwi_buf bytes;
    cwi_buf_init(&bytes, 0);
    CHECK_OK(cwi_db_codec_encode(object, &bytes, NULL));
    static const char *const names[] = {"a", "b", "ab", "cc", "zz", ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
      cw_bytes field;
      bool found;
      CHECK_OK(cwi_db_codec_field((cw_bytes){bytes.data, bytes.size}, names[i], strlen(names[i]),
                                  &field, &found, NULL));
      const cw_value *wanted = cwi_value_object_find(object, names[i], strlen(names[i]));
      CHECK(found == (wanted != NULL));
      if (!found) continue;
      cw_value got;
      CHECK_OK(cwi_db_codec_decode_part(field, &got, NULL));
      CHECK(cwi_db_compare(got, *wanted) == 0);
      CHECK(cwi_db_codec_part_kind(field) == cwi_db_kind_of(*wanted));
      cw_value_release(&got);
    }
    cwi_buf_deinit(&bytes);
    cw_value_release(&object);
  }
}

static cw_status encode_and_decode(cw_value value) {
  cwi_buf bytes;
  cwi_buf_init(&bytes, 0);
  cw_value back = cw_value_none();
  cw_status status = cwi_db_codec_encode(value, &bytes, NULL);
  if (status == CW_OK)
    status = cwi_db_codec_decode((cw_bytes){bytes.data, bytes.size}, &back, NULL);
  cw_value_release(&back);
  cwi_buf_deinit(&bytes);
  return status;
}

TEST(db_codec, survives_without_memory) {
  for (int i = 0; i < 20; i++) {
    cw_value value = make_object(3);
    CHECK_SURVIVES_OOM(encode_and_decode(value), (void)0);
    cw_value_release(&value);
  }
}

TEST(db_codec, damaged_bytes_are_refused_or_decoded) {
  for (size_t round = 0; round < cwt_rounds(20000); round++) {
    cw_value value = make_object(3);
    cwi_buf bytes;
    cwi_buf_init(&bytes, 0);
    bool key = random_below(2) == 0;
    if (key) {
      CHECK_OK(cwi_db_key_record_key(&bytes, value, NULL));
    } else {
      CHECK_OK(cwi_db_codec_encode(value, &bytes, NULL));
    }
    for (unsigned n = 1 + random_below(3); n > 0; n--) {
      bytes.data[random_below((unsigned)bytes.size)] = (char)random_below(256);
    }
    cw_bytes damaged = {bytes.data, bytes.size};
    cw_value back = cw_value_none();
    cw_status status = key ? cwi_db_key_read_record_key(&damaged, &back, NULL)
                           : cwi_db_codec_decode(damaged, &back, NULL);
    CHECK(status == CW_OK || status == CW_E_CORRUPT || status == CW_E_VERSION);
    cw_value_release(&back);
    cwi_buf_deinit(&bytes);
    cw_value_release(&value);
  }
}
