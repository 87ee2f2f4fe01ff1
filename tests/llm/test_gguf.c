/* SPDX-License-Identifier: MIT */
/* Proves that the loader reads what the format says, and that hostile files give errors. */
#include "llm/gguf.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "support/test.h"

static void put_u32(cwi_buf *buf, uint32_t value) {
  (void)cwi_buf_append(buf, &value, sizeof(value));
}

static void put_u64(cwi_buf *buf, uint64_t value) {
  (void)cwi_buf_append(buf, &value, sizeof(value));
}

static void put_string(cwi_buf *buf, const char *text) {
  put_u64(buf, strlen(text));
  (void)cwi_buf_append_str(buf, text);
}

/* A small file that a table of hostile changes starts from. */
typedef struct recipe {
  uint32_t version;
  uint64_t tensors;
  uint64_t kvs;
  uint64_t string_size; /* of the value of "name"; 0: true one */
  uint64_t array_len;   /* of "list"; 0: true one */
  uint32_t array_type;
  uint32_t dims;
  uint64_t ne0;
  uint64_t ne1;
  uint32_t type;
  uint64_t offset;
  size_t cut; /* bytes removed at the end */
  const char *second_key;
  uint32_t alignment;
} recipe;

static void build(const recipe *r, cwi_buf *buf) {
  cwi_buf_init(buf, 0);
  (void)cwi_buf_append_str(buf, "GGUF");
  put_u32(buf, r->version);
  put_u64(buf, r->tensors);
  put_u64(buf, r->kvs);
  put_string(buf, "name");
  put_u32(buf, CWI_GGUF_STRING);
  put_u64(buf, r->string_size != 0 ? r->string_size : 3);
  (void)cwi_buf_append_str(buf, "abc");
  put_string(buf, r->second_key);
  put_u32(buf, CWI_GGUF_ARRAY);
  put_u32(buf, r->array_type);
  put_u64(buf, r->array_len != 0 ? r->array_len : 3);
  for (int i = -1; i < 2; i++) put_u32(buf, (uint32_t)i);
  put_string(buf, "general.alignment");
  put_u32(buf, CWI_GGUF_U32);
  put_u32(buf, r->alignment);
  put_string(buf, "words");
  put_u32(buf, CWI_GGUF_ARRAY);
  put_u32(buf, CWI_GGUF_STRING);
  put_u64(buf, 2);
  put_string(buf, "");
  put_string(buf, "two");
  put_string(buf, "weight");
  put_u32(buf, r->dims);
  put_u64(buf, r->ne0);
  if (r->dims >= 2) put_u64(buf, r->ne1);
  for (uint32_t i = 2; i < r->dims && i < 8; i++) put_u64(buf, 1);
  put_u32(buf, r->type);
  put_u64(buf, r->offset);
  while (buf->size % 32 != 0) (void)cwi_buf_append_char(buf, 0);
  for (int i = 0; i < 68; i++) (void)cwi_buf_append_char(buf, (char)i);
  CHECK(!buf->failed);
  buf->size -= r->cut;
}

static const recipe good = {
    .version = 3,
    .tensors = 1,
    .kvs = 4,
    .array_type = CWI_GGUF_I32,
    .dims = 2,
    .ne0 = 32,
    .ne1 = 2,
    .type = CWI_TENSOR_Q8_0,
    .second_key = "list",
    .alignment = 32,
};

TEST(gguf, reads_metadata_and_tensors) {
  cwi_buf buf;
  cwi_gguf *gguf = NULL;
  build(&good, &buf);
  CHECK_OK(cwi_gguf_parse(buf.data, buf.size, &gguf, NULL));
  cw_bytes text;
  CHECK(cwi_gguf_get_string(gguf, "name", &text));
  assert_memory_equal(text.data, "abc", 3);
  const cwi_gguf_kv *list = cwi_gguf_find(gguf, "list");
  int64_t value = 0;
  CHECK(list != NULL && list->len == 3 && cwi_gguf_at_i64(list, 0, &value));
  assert_int_equal(value, -1);
  CHECK(!cwi_gguf_at_i64(list, 3, &value));
  uint32_t small = 7;
  CHECK(!cwi_gguf_get_u32(gguf, "list", &small) && small == 7);
  CHECK(!cwi_gguf_get_u32(gguf, "name", &small) && small == 7);
  size_t offset = 0;
  const cwi_gguf_kv *words = cwi_gguf_find(gguf, "words");
  CHECK(cwi_gguf_next_string(words, &offset, &text) && text.size == 0);
  CHECK(cwi_gguf_next_string(words, &offset, &text) && text.size == 3);
  CHECK(!cwi_gguf_next_string(words, &offset, &text));
  const cwi_gguf_tensor *tensor = cwi_gguf_find_tensor(gguf, "weight");
  CHECK(tensor != NULL && tensor->size == 68 && tensor->ne[1] == 2 && tensor->ne[3] == 1);
  CHECK(tensor->traits->type == CWI_TENSOR_Q8_0 && tensor->data[67] == 67);
  CHECK(cwi_gguf_find_tensor(gguf, "bias") == NULL);
  cwi_gguf_close(gguf);
  cwi_buf_deinit(&buf);
  assert_int_equal(cw_allocated_bytes(), 0);
}

/* One change to the good file: the field at `field` becomes `value`. */
typedef struct change {
  const char *label;
  size_t field;
  size_t field_size;
  uint64_t value;
  cw_status expected;
} change;

#define SET(field, value) offsetof(recipe, field), sizeof(((recipe *)0)->field), (value)

TEST(gguf, hostile_files_give_errors) {
  const change table[] = {
      {"untouched", SET(cut, 0), CW_OK},
      {"version 1", SET(version, 1), CW_E_VERSION},
      {"version 2", SET(version, 2), CW_OK},
      {"version 4", SET(version, 4), CW_E_VERSION},
      {"big-endian", SET(version, 0x03000000), CW_E_UNSUPPORTED},
      {"many tensors", SET(tensors, UINT64_MAX), CW_E_CORRUPT},
      {"many entries", SET(kvs, UINT64_MAX / 2), CW_E_CORRUPT},
      {"one entry too many", SET(kvs, 5), CW_E_TRUNCATED},
      {"one tensor too many", SET(tensors, 2), CW_E_TRUNCATED},
      {"long string", SET(string_size, 1U << 20), CW_E_TRUNCATED},
      {"huge string", SET(string_size, UINT64_MAX - 7), CW_E_TRUNCATED},
      {"huge array", SET(array_len, UINT64_MAX / 2), CW_E_TRUNCATED},
      {"array of nothing known", SET(array_type, 13), CW_E_CORRUPT},
      {"array of arrays", SET(array_type, CWI_GGUF_ARRAY), CW_E_CORRUPT},
      {"no dimension", SET(dims, 0), CW_E_CORRUPT},
      {"five dimensions", SET(dims, 5), CW_E_CORRUPT},
      {"half a block", SET(ne0, 16), CW_E_CORRUPT},
      {"empty row", SET(ne0, 0), CW_E_CORRUPT},
      {"overflowing shape", SET(ne0, 1ULL << 62), CW_E_CORRUPT},
      {"more rows than bytes", SET(ne1, 3), CW_E_TRUNCATED},
      {"unknown type", SET(type, 99), CW_E_UNSUPPORTED},
      {"named type", SET(type, 16), CW_E_UNSUPPORTED},
      {"unaligned data", SET(offset, 4), CW_E_CORRUPT},
      {"far data", SET(offset, 1ULL << 63), CW_E_TRUNCATED},
      {"last byte gone", SET(cut, 1), CW_E_TRUNCATED},
      {"data gone", SET(cut, 68), CW_E_TRUNCATED},
      {"alignment 3", SET(alignment, 3), CW_E_CORRUPT},
      {"alignment 0", SET(alignment, 0), CW_E_CORRUPT},
      {"same key twice", SET(second_key, (uintptr_t) "name"), CW_E_CORRUPT},
      {"empty key", SET(second_key, (uintptr_t) ""), CW_E_CORRUPT},
  };
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    cwi_buf buf;
    cwi_gguf *gguf = NULL;
    cw_error err;
    recipe changed = good;
    memcpy((char *)&changed + table[i].field, &table[i].value, table[i].field_size);
    build(&changed, &buf);
    cw_status status = cwi_gguf_parse(buf.data, buf.size, &gguf, &err);
    if (status != table[i].expected) {
      fail_msg("%s: %s (%s)", table[i].label, cw_status_name(status), err.message);
    }
    CHECK((status == CW_OK) == (gguf != NULL));
    cwi_gguf_close(gguf);
    cwi_buf_deinit(&buf);
  }
  assert_int_equal(cw_allocated_bytes(), 0);
}

TEST(gguf, every_cut_and_every_flipped_byte_is_survived) {
  cwi_buf buf;
  build(&good, &buf);
  for (size_t size = 0; size < buf.size; size++) {
    cwi_gguf *gguf = NULL;
    char *exact = malloc(size + 1);
    memcpy(exact, buf.data, size);
    CHECK(cwi_gguf_parse(exact, size, &gguf, NULL) != CW_OK);
    CHECK(gguf == NULL);
    free(exact);
  }
  for (size_t i = 0; i < buf.size; i++) {
    for (int bit = 0; bit < 8; bit++) {
      cwi_gguf *gguf = NULL;
      buf.data[i] = (char)(buf.data[i] ^ (1 << bit));
      (void)cwi_gguf_parse(buf.data, buf.size, &gguf, NULL);
      cwi_gguf_close(gguf);
      buf.data[i] = (char)(buf.data[i] ^ (1 << bit));
    }
  }
  cwi_buf_deinit(&buf);
}

TEST(gguf, missing_files_and_folders_give_errors) {
  cwi_gguf *gguf = NULL;
  CHECK_STATUS(cwi_gguf_open("/nonexistent/model.gguf", CWI_GGUF_MAP, &gguf, NULL), CW_E_NOT_FOUND);
  CHECK_STATUS(cwi_gguf_open("/", CWI_GGUF_MAP, &gguf, NULL), CW_E_INVALID);
  CHECK(gguf == NULL);
}

static cw_status parse_and_close(const cwi_buf *buf) {
  cwi_gguf *gguf = NULL;
  cw_status status = cwi_gguf_parse(buf->data, buf->size, &gguf, NULL);
  cwi_gguf_close(gguf);
  return status;
}

TEST(gguf, survives_every_failed_allocation) {
  cwi_buf buf;
  build(&good, &buf);
  CHECK_SURVIVES_OOM(parse_and_close(&buf), (void)0);
  cwi_buf_deinit(&buf);
}
