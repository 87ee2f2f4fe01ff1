/* SPDX-License-Identifier: MIT */
/* Blobs: bytes as numbers, spans, numbers and texts laid out in bytes.
 *
 * A number written into a byte keeps its low eight bits. Reading a number from fewer than eight
 * bytes takes the others as zero: behind the given ones for big endian, before them (that is,
 * above) for little endian. */
#include "core/buf.h"
#include "core/utf8.h"
#include "script/script_lib_internal.h"

#define NUMBER_BYTES 8

static cw_bytes bytes_of(const cwi_script_native *call, uint32_t index) {
  CWI_ASSERT(index < call->argc);
  return cw_value_as_bytes(call->args[index]);
}

static uint8_t low_byte(cw_value v) { return (uint8_t)((uint64_t)cw_value_as_int(v) & 0xFF); }

/* Puts new bytes in the place of args[0]: up to three pieces one behind the other. */
static cwi_script_result put_bytes(cwi_script_native *call, cw_bytes a, cw_bytes b, cw_bytes c) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cwi_buf_append(&buf, a.data, a.size);
  cwi_buf_append(&buf, b.data, b.size);
  cwi_buf_append(&buf, c.data, c.size);
  cw_value blob = cwi_value_none();
  cw_status status = buf.failed ? CW_E_NOMEM : cw_value_bytes(buf.data, buf.size, &blob, NULL);
  cwi_buf_deinit(&buf);
  if (status != CW_OK) return cwi_script_check(call, status);
  blob.aux = call->args[0].aux;
  cw_value_release(&call->args[0]);
  call->args[0] = blob;
  return CWI_SCRIPT_OK;
}

static cw_bytes part(cw_bytes whole, size_t start, size_t size) {
  CWI_ASSERT(start + size <= whole.size);
  return (cw_bytes){(const char *)whole.data + start, size};
}

static const cw_bytes NOTHING = {"", 0};

/* The bytes of args[0] for writing in place; NULL and raised where there is no memory. */
static uint8_t *writable(cwi_script_native *call) {
  if (cwi_value_make_unique(&call->args[0], NULL) != CW_OK) {
    cwi_script_raise_nomem(call->run);
    return NULL;
  }
  return cwi_value_bytes_ptr(call->args[0])->data;
}

/* ---- making ---- */

static cwi_script_result blob_new(cwi_script_native *call) {
  int64_t want = call->argc > 0 ? cw_value_as_int(call->args[0]) : 0;
  size_t size = want <= 0 ? 0 : (size_t)want;
  cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_ARRAY, size);
  if (result != CWI_SCRIPT_OK) return result;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_status status = CW_E_NOMEM;
  if (cwi_buf_reserve(&buf, size)) {
    if (size > 0) memset(buf.data, call->argc > 1 ? low_byte(call->args[1]) : 0, size);
    status = cw_value_bytes(buf.data, size, &call->result, NULL);
  }
  cwi_buf_deinit(&buf);
  return cwi_script_check(call, status);
}

static cwi_script_result blob_to_array(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  const uint8_t *data = bytes.data;
  cw_status status = cw_value_array(bytes.size, &call->result, NULL);
  for (size_t i = 0; i < bytes.size && status == CW_OK; i++) {
    status = cw_value_array_push(&call->result, cwi_value_int(data[i]), NULL);
  }
  return cwi_script_check(call, status);
}

static cwi_script_result blob_as_string(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  const char *text = bytes.data;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t at = 0; at < bytes.size;) {
    uint32_t codepoint;
    size_t step = cwi_utf8_decode(text + at, bytes.size - at, &codepoint);
    cwi_buf_append_codepoint(&buf, codepoint);
    at += step != 0 ? step : 1;
  }
  return cwi_script_return_buf(call, &buf, true);
}

/* ---- bytes ---- */

static cwi_script_result blob_len(cwi_script_native *call) {
  return cwi_script_return_int(call, (int64_t)bytes_of(call, 0).size);
}

static cwi_script_result blob_is_empty(cwi_script_native *call) {
  return cwi_script_return_bool(call, bytes_of(call, 0).size == 0);
}

static cwi_script_result blob_contains(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  bool found = bytes.size > 0 && memchr(bytes.data, low_byte(call->args[1]), bytes.size) != NULL;
  return cwi_script_return_bool(call, found);
}

static cwi_script_result blob_get(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  size_t index = 0;
  bool there = cwi_script_index_of(bytes.size, cw_value_as_int(call->args[1]), &index);
  return cwi_script_return_int(call, there ? ((const uint8_t *)bytes.data)[index] : 0);
}

static cwi_script_result blob_set(cwi_script_native *call) {
  size_t index = 0;
  if (!cwi_script_index_of(bytes_of(call, 0).size, cw_value_as_int(call->args[1]), &index)) {
    return CWI_SCRIPT_OK;
  }
  uint8_t *data = writable(call);
  if (data == NULL) return CWI_SCRIPT_ERROR;
  data[index] = low_byte(call->args[2]);
  return CWI_SCRIPT_OK;
}

/* Bytes, text or one byte at the end. */
static cwi_script_result blob_append(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes more = NOTHING;
  switch (call->args[1].kind) {
    case CW_VALUE_INT:
      room[0] = (char)low_byte(call->args[1]);
      more = (cw_bytes){room, 1};
      break;
    case CW_VALUE_CHAR:
      more = (cw_bytes){room, cwi_utf8_encode(cw_value_as_char(call->args[1]), room)};
      break;
    default: more = bytes_of(call, 1); break;
  }
  return put_bytes(call, bytes_of(call, 0), more, NOTHING);
}

/* blob + blob, blob + char: a new one. */
static cwi_script_result blob_add(cwi_script_native *call) {
  cwi_script_result result = blob_append(call);
  if (result == CWI_SCRIPT_OK) call->result = cwi_script_take(&call->args[0]);
  call->result.aux = 0;
  return result;
}

static cwi_script_result blob_insert(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  uint8_t byte = low_byte(call->args[2]);
  size_t at = cwi_script_span_of(bytes.size, cw_value_as_int(call->args[1]), 1).start;
  return put_bytes(call, part(bytes, 0, at), (cw_bytes){&byte, 1},
                   part(bytes, at, bytes.size - at));
}

static cwi_script_result remove_byte(cwi_script_native *call, size_t index) {
  cw_bytes bytes = bytes_of(call, 0);
  call->result = cwi_value_int(((const uint8_t *)bytes.data)[index]);
  return put_bytes(call, part(bytes, 0, index), part(bytes, index + 1, bytes.size - index - 1),
                   NOTHING);
}

static cwi_script_result blob_remove(cwi_script_native *call) {
  size_t index = 0;
  if (!cwi_script_index_of(bytes_of(call, 0).size, cw_value_as_int(call->args[1]), &index)) {
    return cwi_script_return_int(call, 0);
  }
  return remove_byte(call, index);
}

/* data 1: the first byte, else the last. */
static cwi_script_result blob_pop(cwi_script_native *call) {
  size_t size = bytes_of(call, 0).size;
  if (size == 0) return cwi_script_return_int(call, 0);
  return remove_byte(call, call->data == 1 ? 0 : size - 1);
}

static cwi_script_result blob_clear(cwi_script_native *call) {
  return put_bytes(call, NOTHING, NOTHING, NOTHING);
}

static cwi_script_result blob_pad(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  int64_t want = cw_value_as_int(call->args[1]);
  if (want <= 0 || (uint64_t)want <= bytes.size) return CWI_SCRIPT_OK;
  cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_ARRAY, (size_t)want);
  if (result != CWI_SCRIPT_OK) return result;
  size_t more = (size_t)want - bytes.size;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  if (!cwi_buf_reserve(&buf, more)) {
    cwi_buf_deinit(&buf);
    return cwi_script_raise_nomem(call->run);
  }
  memset(buf.data, low_byte(call->args[2]), more);
  result = put_bytes(call, bytes, (cw_bytes){buf.data, more}, NOTHING);
  cwi_buf_deinit(&buf);
  return result;
}

static cwi_script_result blob_truncate(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  int64_t want = cw_value_as_int(call->args[1]);
  size_t keep = want <= 0 ? 0 : (uint64_t)want > bytes.size ? bytes.size : (size_t)want;
  size_t start = call->data == 1 ? bytes.size - keep : 0; /* chop keeps the end */
  return put_bytes(call, part(bytes, start, keep), NOTHING, NOTHING);
}

static cwi_script_result blob_reverse(cwi_script_native *call) {
  size_t size = bytes_of(call, 0).size;
  uint8_t *data = writable(call);
  if (data == NULL) return size == 0 ? CWI_SCRIPT_OK : CWI_SCRIPT_ERROR;
  for (size_t i = 0; i < size / 2; i++) {
    uint8_t other = data[i];
    data[i] = data[size - 1 - i];
    data[size - 1 - i] = other;
  }
  return CWI_SCRIPT_OK;
}

/* ---- spans ---- */

static cwi_script_span span_of(const cwi_script_native *call, uint32_t behind) {
  return cwi_script_span_args(bytes_of(call, 0).size, call->args + 1, call->argc - 1 - behind);
}

static cwi_script_result copy_part(cwi_script_native *call, cw_bytes bytes) {
  return cwi_script_check(call, cw_value_bytes(bytes.data, bytes.size, &call->result, NULL));
}

static cwi_script_result blob_extract(cwi_script_native *call) {
  cwi_script_span span = span_of(call, 0);
  return copy_part(call, part(bytes_of(call, 0), span.start, span.len));
}

static cwi_script_result blob_drain(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  cwi_script_span span = span_of(call, 0);
  size_t after = span.start + span.len;
  cwi_script_result result = copy_part(call, part(bytes, span.start, span.len));
  if (result != CWI_SCRIPT_OK) return result;
  return put_bytes(call, part(bytes, 0, span.start), part(bytes, after, bytes.size - after),
                   NOTHING);
}

static cwi_script_result blob_retain(cwi_script_native *call) {
  cwi_script_result result = blob_drain(call);
  if (result != CWI_SCRIPT_OK) return result;
  cw_value kept = call->result;
  kept.aux = call->args[0].aux;
  call->result = call->args[0];
  call->result.aux = 0;
  call->args[0] = kept;
  return CWI_SCRIPT_OK;
}

static cwi_script_result blob_splice(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  cwi_script_span span = span_of(call, 1);
  size_t after = span.start + span.len;
  return put_bytes(call, part(bytes, 0, span.start), bytes_of(call, call->argc - 1),
                   part(bytes, after, bytes.size - after));
}

static cwi_script_result blob_split(cwi_script_native *call) {
  cw_bytes bytes = bytes_of(call, 0);
  size_t at = cwi_script_span_of(bytes.size, cw_value_as_int(call->args[1]), 1).start;
  cwi_script_result result = copy_part(call, part(bytes, at, bytes.size - at));
  if (result != CWI_SCRIPT_OK) return result;
  return put_bytes(call, part(bytes, 0, at), NOTHING, NOTHING);
}

/* ---- numbers and texts in bytes ---- */

enum { BIG = 1, FLOAT = 2 };

static cwi_script_result blob_parse(cwi_script_native *call) {
  cwi_script_span span = span_of(call, 0);
  const uint8_t *data = (const uint8_t *)bytes_of(call, 0).data + span.start;
  uint64_t bits = 0;
  for (size_t i = 0; i < span.len && i < NUMBER_BYTES; i++) {
    size_t place = (call->data & BIG) != 0 ? NUMBER_BYTES - 1 - i : i;
    bits |= (uint64_t)data[i] << (8 * place);
  }
  if ((call->data & FLOAT) == 0) return cwi_script_return_int(call, (int64_t)bits);
  double f;
  memcpy(&f, &bits, sizeof(f));
  return cwi_script_return_float(call, f);
}

static cwi_script_result blob_write_number(cwi_script_native *call) {
  cwi_script_span span = span_of(call, 1);
  if (span.len == 0) return CWI_SCRIPT_OK;
  cw_value number = call->args[call->argc - 1];
  uint64_t bits = number.bits; /* of an int and of a float alike */
  uint8_t *data = writable(call);
  if (data == NULL) return CWI_SCRIPT_ERROR;
  for (size_t i = 0; i < span.len && i < NUMBER_BYTES; i++) {
    size_t place = (call->data & BIG) != 0 ? NUMBER_BYTES - 1 - i : i;
    data[span.start + i] = (uint8_t)(bits >> (8 * place));
  }
  return CWI_SCRIPT_OK;
}

/* data 1: only the ASCII characters of the text. */
static cwi_script_result blob_write_text(cwi_script_native *call) {
  cwi_script_span span = span_of(call, 1);
  if (span.len == 0) return CWI_SCRIPT_OK;
  cw_bytes text = bytes_of(call, call->argc - 1);
  const uint8_t *from = text.data;
  uint8_t *data = writable(call);
  if (data == NULL) return CWI_SCRIPT_ERROR;
  size_t written = 0;
  for (size_t i = 0; i < text.size && written < span.len; i++) {
    if (call->data == 1 && from[i] >= 0x80) continue;
    data[span.start + written++] = from[i];
  }
  return CWI_SCRIPT_OK;
}

#define SPAN_ROWS(name, fn, flags, data)                         \
  {name, 2, {T_BLOB, T_RANGE}, fn, flags, data},                 \
      {name, 2, {T_BLOB, T_RANGE_INCLUSIVE}, fn, flags, data}, { \
    name, 3, {T_BLOB, T_INT, T_INT}, fn, flags, data             \
  }
#define SPAN_ROWS_WITH(name, type, fn, data)                         \
  {name, 3, {T_BLOB, T_RANGE, type}, fn, MUT, data},                 \
      {name, 3, {T_BLOB, T_RANGE_INCLUSIVE, type}, fn, MUT, data}, { \
    name, 4, {T_BLOB, T_INT, T_INT, type}, fn, MUT, data             \
  }

static const cwi_script_row ROWS[] = {
    {"blob", 0, {0}, blob_new, 0, 0},
    {"blob", 1, {T_INT}, blob_new, 0, 0},
    {"blob", 2, {T_INT, T_INT}, blob_new, 0, 0},
    {"to_array", 1, {T_BLOB}, blob_to_array, 0, 0},
    {"as_string", 1, {T_BLOB}, blob_as_string, 0, 0},
    {"len", 1, {T_BLOB}, blob_len, 0, 0},
    {"get$len", 1, {T_BLOB}, blob_len, 0, 0},
    {"is_empty", 1, {T_BLOB}, blob_is_empty, 0, 0},
    {"get$is_empty", 1, {T_BLOB}, blob_is_empty, 0, 0},
    {"contains", 2, {T_BLOB, T_INT}, blob_contains, 0, 0},
    {"get", 2, {T_BLOB, T_INT}, blob_get, 0, 0},
    {"set", 3, {T_BLOB, T_INT, T_INT}, blob_set, MUT, 0},
    {"append", 2, {T_BLOB, T_BLOB}, blob_append, MUT, 0},
    {"append", 2, {T_BLOB, T_STRING}, blob_append, MUT, 0},
    {"append", 2, {T_BLOB, T_CHAR}, blob_append, MUT, 0},
    {"append", 2, {T_BLOB, T_INT}, blob_append, MUT, 0},
    {"push", 2, {T_BLOB, T_INT}, blob_append, MUT, 0},
    {"+=", 2, {T_BLOB, T_BLOB}, blob_append, MUT, 0},
    {"+=", 2, {T_BLOB, T_STRING}, blob_append, MUT, 0},
    {"+=", 2, {T_BLOB, T_CHAR}, blob_append, MUT, 0},
    {"+=", 2, {T_BLOB, T_INT}, blob_append, MUT, 0},
    {"+", 2, {T_BLOB, T_BLOB}, blob_add, 0, 0},
    {"+", 2, {T_BLOB, T_CHAR}, blob_add, 0, 0},
    {"insert", 3, {T_BLOB, T_INT, T_INT}, blob_insert, MUT, 0},
    {"remove", 2, {T_BLOB, T_INT}, blob_remove, MUT, 0},
    {"pop", 1, {T_BLOB}, blob_pop, MUT, 0},
    {"shift", 1, {T_BLOB}, blob_pop, MUT, 1},
    {"clear", 1, {T_BLOB}, blob_clear, MUT, 0},
    {"pad", 3, {T_BLOB, T_INT, T_INT}, blob_pad, MUT, 0},
    {"truncate", 2, {T_BLOB, T_INT}, blob_truncate, MUT, 0},
    {"chop", 2, {T_BLOB, T_INT}, blob_truncate, MUT, 1},
    {"reverse", 1, {T_BLOB}, blob_reverse, MUT, 0},
    {"extract", 2, {T_BLOB, T_INT}, blob_extract, 0, 0},
    SPAN_ROWS("extract", blob_extract, 0, 0),
    SPAN_ROWS("drain", blob_drain, MUT, 0),
    SPAN_ROWS("retain", blob_retain, MUT, 0),
    SPAN_ROWS_WITH("splice", T_BLOB, blob_splice, 0),
    {"split", 2, {T_BLOB, T_INT}, blob_split, MUT, 0},
    SPAN_ROWS("parse_le_int", blob_parse, 0, 0),
    SPAN_ROWS("parse_be_int", blob_parse, 0, BIG),
    SPAN_ROWS("parse_le_float", blob_parse, 0, FLOAT),
    SPAN_ROWS("parse_be_float", blob_parse, 0, BIG | FLOAT),
    SPAN_ROWS_WITH("write_le", T_INT, blob_write_number, 0),
    SPAN_ROWS_WITH("write_le", T_FLOAT, blob_write_number, 0),
    SPAN_ROWS_WITH("write_be", T_INT, blob_write_number, BIG),
    SPAN_ROWS_WITH("write_be", T_FLOAT, blob_write_number, BIG),
    SPAN_ROWS_WITH("write_utf8", T_STRING, blob_write_text, 0),
    SPAN_ROWS_WITH("write_ascii", T_STRING, blob_write_text, 1),
};

const cwi_script_rows cwi_script_rows_blob = {ROWS, CWI_ARRAY_LEN(ROWS)};
