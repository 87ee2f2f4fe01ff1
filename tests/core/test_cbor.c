/* SPDX-License-Identifier: MIT */
/* Proves CBOR against the examples of RFC 8949, appendix A, and against what is not well-formed. */
#include "causeway/cbor.h"

#include <math.h>

#include "core/value.h"
#include "support/test.h"

typedef struct cbor_row {
  const char *label;
  const char *bytes;
  size_t size;
  cw_value value;
  bool writes; /* writing `value` gives `bytes` again */
} cbor_row;

#define BYTES(text) text, sizeof(text) - 1
#define INT(n) \
  { .bits = (uint64_t)(INT64_C(n)), .kind = CW_VALUE_INT }

static const cbor_row ROWS[] = {
    {"0", BYTES("\x00"), INT(0), true},
    {"23", BYTES("\x17"), INT(23), true},
    {"24", BYTES("\x18\x18"), INT(24), true},
    {"1000", BYTES("\x19\x03\xe8"), INT(1000), true},
    {"1000000", BYTES("\x1a\x00\x0f\x42\x40"), INT(1000000), true},
    {"1e12", BYTES("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00"), INT(1000000000000), true},
    {"-1", BYTES("\x20"), INT(-1), true},
    {"-1000", BYTES("\x39\x03\xe7"), INT(-1000), true},
    {"int64 min",
     BYTES("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"),
     {.bits = (uint64_t)INT64_MIN, .kind = CW_VALUE_INT},
     true},
    {"false", BYTES("\xf4"), {.bits = 0, .kind = CW_VALUE_BOOL}, true},
    {"true", BYTES("\xf5"), {.bits = 1, .kind = CW_VALUE_BOOL}, true},
    {"null", BYTES("\xf6"), {.kind = CW_VALUE_NULL}, true},
    {"none", BYTES("\xc6\xf6"), {.kind = CW_VALUE_NONE}, true},
    {"undefined", BYTES("\xf7"), {.kind = CW_VALUE_NONE}, false},
    {"datetime", BYTES("\xcc\x82\x01\x02"), {.bits = 1, .aux = 2, .kind = CW_VALUE_DATETIME}, true},
    {"duration", BYTES("\xce\x82\x01\x02"), {.bits = 1, .aux = 2, .kind = CW_VALUE_DURATION}, true},
};

typedef struct float_row {
  const char *bytes;
  size_t size;
  double value;
} float_row;

static const float_row FLOATS[] = {
    {BYTES("\xf9\x00\x00"), 0.0},
    {BYTES("\xf9\x80\x00"), -0.0},
    {BYTES("\xf9\x3c\x00"), 1.0},
    {BYTES("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a"), 1.1},
    {BYTES("\xf9\x3e\x00"), 1.5},
    {BYTES("\xf9\x7b\xff"), 65504.0},
    {BYTES("\xfa\x47\xc3\x50\x00"), 100000.0},
    {BYTES("\xfa\x7f\x7f\xff\xff"), 3.4028234663852886e+38},
    {BYTES("\xfb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"), 1.0e+300},
    {BYTES("\xf9\x04\x00"), 0.00006103515625},
    {BYTES("\xf9\x03\xff"), 0x1.ff8p-15},
    {BYTES("\xf9\x83\x01"), -0x1.808p-15},
    {BYTES("\xf9\x00\x01"), 5.960464477539063e-8},
    {BYTES("\xfa\x33\x00\x00\x00"), 0x1p-25},
    {BYTES("\xfa\x33\xc0\x00\x00"), 0x1.8p-24},
    {BYTES("\xf9\xc4\x00"), -4.0},
    {BYTES("\xfb\xc0\x10\x66\x66\x66\x66\x66\x66"), -4.1},
    {BYTES("\xf9\x7c\x00"), INFINITY},
    {BYTES("\xf9\xfc\x00"), -INFINITY},
};

static void expect_bytes(const char *label, cw_value value, const char *bytes, size_t size) {
  cw_value written;
  CHECK_OK(cw_value_to_cbor(value, &written, NULL));
  cw_bytes got = cw_value_as_bytes(written);
  if (got.size != size || memcmp(got.data, bytes, size) != 0)
    fail_msg("%s is written wrong", label);
  cw_value_release(&written);
}

TEST(cbor, examples_of_the_rfc_go_both_ways) {
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
    cw_value value;
    CHECK_OK(cw_value_from_cbor(ROWS[i].bytes, ROWS[i].size, &value, NULL));
    if (!cw_value_equal(value, ROWS[i].value)) fail_msg("%s is read wrong", ROWS[i].label);
    if (ROWS[i].writes) expect_bytes(ROWS[i].label, value, ROWS[i].bytes, ROWS[i].size);
  }
}

TEST(cbor, floats_take_their_shortest_exact_form) {
  for (size_t i = 0; i < sizeof(FLOATS) / sizeof(FLOATS[0]); i++) {
    cw_value value;
    CHECK_OK(cw_value_from_cbor(FLOATS[i].bytes, FLOATS[i].size, &value, NULL));
    assert_int_equal(value.kind, CW_VALUE_FLOAT);
    CHECK(cw_value_equal(value, cw_value_float(FLOATS[i].value)));
    expect_bytes("a float", value, FLOATS[i].bytes, FLOATS[i].size);
  }
}

/* {"a": 1, "b": [2, 3]}, definite and indefinite, and strings in chunks. */
TEST(cbor, containers_of_either_length_are_one_value) {
  cw_value definite;
  cw_value open;
  CHECK_OK(cw_value_from_cbor(BYTES("\xa2\x61\x61\x01\x61\x62\x82\x02\x03"), &definite, NULL));
  CHECK_OK(cw_value_from_cbor(BYTES("\xbf\x61\x61\x01\x61\x62\x9f\x02\x03\xff\xff"), &open, NULL));
  CHECK(cw_value_equal(definite, open));
  expect_bytes("a map", open, BYTES("\xa2\x61\x61\x01\x61\x62\x82\x02\x03"));
  cw_value_release(&definite);
  cw_value_release(&open);
  CHECK_OK(cw_value_from_cbor(BYTES("\x7f\x65strea\x64ming\xff"), &open, NULL));
  assert_string_equal(cw_value_as_bytes(open).data, "streaming");
  cw_value_release(&open);
}

typedef struct bad_row {
  const char *label;
  const char *bytes;
  size_t size;
  cw_status status;
} bad_row;

static const bad_row BAD[] = {
    {"empty", "", 0, CW_E_PARSE},
    {"cut head", BYTES("\x19\x03"), CW_E_PARSE},
    {"reserved", BYTES("\x1c"), CW_E_PARSE},
    {"two items", BYTES("\x00\x00"), CW_E_PARSE},
    {"cut text", BYTES("\x63\x61"), CW_E_PARSE},
    {"huge array", BYTES("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), CW_E_PARSE},
    {"huge text", BYTES("\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), CW_E_PARSE},
    {"lone break", BYTES("\xff"), CW_E_PARSE},
    {"open number", BYTES("\x1f"), CW_E_PARSE},
    {"chunk of another kind", BYTES("\x7f\x41\x61\xff"), CW_E_PARSE},
    {"bad UTF-8", BYTES("\x61\xff"), CW_E_ENCODING},
    {"number as key", BYTES("\xa1\x01\x01"), CW_E_TYPE},
    {"65 bits", BYTES("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), CW_E_RANGE},
    {"nanoseconds of a second", BYTES("\xcc\x82\x01\x1a\x3b\x9a\xca\x00"), CW_E_PARSE},
};

TEST(cbor, bad_input_has_its_own_error_and_gives_nothing) {
  for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
    cw_value value;
    cw_error err;
    cw_status status = cw_value_from_cbor(BAD[i].bytes, BAD[i].size, &value, &err);
    if (status != BAD[i].status) fail_msg("%s: %s", BAD[i].label, cw_status_name(status));
    assert_int_equal(value.kind, CW_VALUE_NONE);
    CHECK(err.message[0] != '\0');
  }
}

TEST(cbor, depth_is_limited_one_below_is_read) {
  char bytes[CW_VALUE_DEPTH_MAX + 1];
  cw_value value;
  memset(bytes, 0x81, sizeof(bytes));
  bytes[CW_VALUE_DEPTH_MAX - 1] = 0x01;
  CHECK_OK(cw_value_from_cbor(bytes, CW_VALUE_DEPTH_MAX, &value, NULL));
  cw_value_release(&value);
  bytes[CW_VALUE_DEPTH_MAX - 1] = (char)0x81;
  bytes[CW_VALUE_DEPTH_MAX] = 0x01;
  CHECK_STATUS(cw_value_from_cbor(bytes, sizeof(bytes), &value, NULL), CW_E_LIMIT);
}

static uint64_t most_bytes;

static void *count_most(void *pointer, size_t size_old, size_t size_new, void *context) {
  (void)context;
  (void)size_old;
  uint64_t bytes = cw_allocated_bytes() + size_new;
  if (bytes > most_bytes) most_bytes = bytes;
  if (size_new != 0) return realloc(pointer, size_new);
  free(pointer);
  return NULL;
}

/* Each of 500 arrays in arrays announced all the bytes that were left, and got room for them. */
TEST(cbor, arrays_in_arrays_get_no_room_that_the_input_does_not_fill) {
  enum { SIZE = 100000, HEADS = 500, HEAD = 5 };
  static uint8_t bytes[SIZE];
  const cw_allocator counting = {.struct_size = sizeof(counting), .resize = count_most};
  for (uint32_t i = 0; i < HEADS; i++) {
    uint32_t left = SIZE - (i + 1) * HEAD;
    uint8_t *head = bytes + (size_t)i * HEAD;
    head[0] = 0x9a;
    for (int k = 0; k < 4; k++) head[1 + k] = (uint8_t)(left >> (24 - 8 * k));
  }
  bytes[HEADS * HEAD] = 0xff;
  cw_value value;
  CHECK_OK(cw_allocator_set(&counting, NULL));
  uint64_t before = cw_allocated_bytes();
  most_bytes = before;
  cw_status status = cw_value_from_cbor(bytes, SIZE, &value, NULL);
  CHECK_OK(cw_allocator_set(NULL, NULL));
  CHECK(status == CW_E_PARSE);
  CHECK(most_bytes - before < 16 * SIZE);
}

static cw_status read_and_write(void) {
  cw_value value;
  cw_value bytes;
  cw_status status = cw_value_from_cbor(
      BYTES("\xbf\x61\x61\x7f\x61\x78\x61\x79\xff\x61\x62\x9f\x02\x43\x01\x02\x03\xff\xff"), &value,
      NULL);
  if (status == CW_OK) status = cw_value_to_cbor(value, &bytes, NULL);
  if (status == CW_OK) cw_value_release(&bytes);
  cw_value_release(&value);
  return status;
}

TEST(cbor, survives_every_failed_allocation) { CHECK_SURVIVES_OOM(read_and_write(), (void)0); }
