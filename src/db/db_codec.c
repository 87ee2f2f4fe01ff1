/* SPDX-License-Identifier: MIT */
/* The stored form of values; docs/formats/value.md.
 *
 * A version byte, then one part. A part is a tag and its payload; numbers of bytes and items are
 * LEB128. Arrays, sets and objects carry the size of their body in front, so that a reader steps
 * over what it does not want: finding one field of a document touches the names and nothing
 * else. */
#include "db/db_codec.h"

#include <string.h>

#include "core/error.h"
#include "db/db_value_internal.h"

enum {
  PART_NONE = 0, PART_NULL, PART_FALSE, PART_TRUE, PART_INT, PART_FLOAT, PART_DECIMAL, PART_STRING,
  PART_DURATION, PART_DATETIME, PART_UUID, PART_ARRAY, PART_SET, PART_OBJECT, PART_GEOMETRY,
  PART_BYTES, PART_TABLE, PART_RECORD, PART_FILE, PART_REGEX, PART_RANGE,
};

static cw_status damaged(cw_error *err) {
  return CWI_RAISE(err, CW_E_CORRUPT, 0, "a stored value is damaged");
}

/* ---- writing ---- */

static void put_byte(cwi_buf *out, unsigned byte) { (void)cwi_buf_append_char(out, (char)byte); }

static void put_count(cwi_buf *out, uint64_t value) {
  while (value >= 0x80) {
    put_byte(out, (unsigned)(value & 0x7F) | 0x80);
    value >>= 7;
  }
  put_byte(out, (unsigned)value);
}

static void put_signed(cwi_buf *out, int64_t value) {
  put_count(out, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_fixed(cwi_buf *out, uint64_t value, size_t size) {
  uint8_t bytes[8];
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  (void)cwi_buf_append(out, bytes, size);
}

static void put_bytes(cwi_buf *out, cw_value value) {
  cw_bytes bytes = cw_value_as_bytes(value);
  put_count(out, bytes.size);
  (void)cwi_buf_append(out, bytes.data, bytes.size);
}

static cw_status encode_part(cw_value value, cwi_buf *out, size_t depth, cw_error *err);

/* Puts the size of what lies behind `start` in front of it. */
static void close_body(cwi_buf *out, size_t start) {
  if (out->failed) return;
  uint8_t prefix[10];
  size_t len = 0;
  uint64_t size = out->size - start;
  while (size >= 0x80) {
    prefix[len++] = (uint8_t)((size & 0x7F) | 0x80);
    size >>= 7;
  }
  prefix[len++] = (uint8_t)size;
  if (!cwi_buf_reserve(out, len)) {
    out->failed = true;
    return;
  }
  memmove(out->data + start + len, out->data + start, out->size - start);
  memcpy(out->data + start, prefix, len);
  out->size += len;
}

static cw_status encode_items(cw_value array, cwi_buf *out, size_t depth, cw_error *err) {
  size_t start = out->size;
  size_t len = cw_value_len(array);
  put_count(out, len);
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    status = encode_part(cw_value_array_get(array, i), out, depth, err);
  }
  close_body(out, start);
  return status;
}

static cw_status encode_object(cw_value object, cwi_buf *out, size_t depth, cw_error *err) {
  size_t start = out->size;
  put_count(out, cw_value_len(object));
  cwi_object_iter iter = cwi_object_iter_start(object);
  cw_value key;
  cw_value item;
  cw_status status = CW_OK;
  while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
    put_bytes(out, key);
    status = encode_part(item, out, depth, err);
  }
  close_body(out, start);
  return status;
}

static cw_status encode_range(cw_value range, cwi_buf *out, size_t depth, cw_error *err) {
  cw_value begin;
  cw_value end;
  cwi_db_bound begin_bound = cwi_db_range_begin(range, &begin);
  cwi_db_bound end_bound = cwi_db_range_end(range, &end);
  put_byte(out, (unsigned)begin_bound | (unsigned)end_bound << 2);
  cw_status status = encode_part(begin, out, depth, err);
  return status != CW_OK ? status : encode_part(end, out, depth, err);
}

static cw_status encode_box(cw_value value, cwi_buf *out, size_t depth, cw_error *err) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_DECIMAL: {
    cwi_decimal d = cwi_db_decimal(value);
    put_byte(out, PART_DECIMAL);
    put_byte(out, (unsigned)d.scale | (d.negative ? 0x80U : 0));
    put_fixed(out, d.lo, 8);
    put_fixed(out, d.hi, 4);
    return CW_OK;
  }
  case CWI_DB_SET:
    put_byte(out, PART_SET);
    return encode_items(cwi_db_set_items(value), out, depth, err);
  case CWI_DB_GEOMETRY:
    put_byte(out, PART_GEOMETRY);
    put_byte(out, (unsigned)cwi_db_geometry_shape(value));
    return encode_part(cwi_db_geometry_coordinates(value), out, depth, err);
  case CWI_DB_TABLE:
    put_byte(out, PART_TABLE);
    put_bytes(out, cwi_db_table_name(value));
    return CW_OK;
  case CWI_DB_RECORD:
    put_byte(out, PART_RECORD);
    put_bytes(out, cwi_db_record_table(value));
    return encode_part(cwi_db_record_key(value), out, depth, err);
  case CWI_DB_FILE:
    put_byte(out, PART_FILE);
    put_bytes(out, cwi_db_file_bucket(value));
    put_bytes(out, cwi_db_file_key(value));
    return CW_OK;
  case CWI_DB_REGEX:
    put_byte(out, PART_REGEX);
    put_bytes(out, cwi_db_regex_pattern(value));
    return CW_OK;
  case CWI_DB_RANGE: put_byte(out, PART_RANGE); return encode_range(value, out, depth, err);
  default:
    return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a value of type %s cannot be stored",
                     cw_value_type_name(value));
  }
}

static cw_status encode_part(cw_value value, cwi_buf *out, size_t depth, cw_error *err) {
  if (depth > CW_VALUE_DEPTH_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a value nests deeper than %d", CW_VALUE_DEPTH_MAX);
  }
  switch (value.kind) {
  case CW_VALUE_NONE: put_byte(out, PART_NONE); break;
  case CW_VALUE_NULL: put_byte(out, PART_NULL); break;
  case CW_VALUE_BOOL: put_byte(out, value.bits != 0 ? PART_TRUE : PART_FALSE); break;
  case CW_VALUE_INT:
  case CW_VALUE_CHAR:
    put_byte(out, PART_INT);
    put_signed(out, cwi_value_as_int(value));
    break;
  case CW_VALUE_FLOAT:
    put_byte(out, PART_FLOAT);
    put_fixed(out, value.bits, 8);
    break;
  case CW_VALUE_DATETIME:
    put_byte(out, PART_DATETIME);
    put_signed(out, cw_value_as_seconds(value));
    put_count(out, cw_value_as_nanos(value));
    break;
  case CW_VALUE_DURATION:
    put_byte(out, PART_DURATION);
    put_count(out, (uint64_t)cw_value_as_seconds(value));
    put_count(out, cw_value_as_nanos(value));
    break;
  case CW_VALUE_STRING:
    put_byte(out, PART_STRING);
    put_bytes(out, value);
    break;
  case CW_VALUE_BYTES:
    put_byte(out, PART_BYTES);
    put_bytes(out, value);
    break;
  case CW_VALUE_ARRAY: put_byte(out, PART_ARRAY); return encode_items(value, out, depth + 1, err);
  case CW_VALUE_OBJECT:
    put_byte(out, PART_OBJECT);
    return encode_object(value, out, depth + 1, err);
  case CW_VALUE_UUID:
    put_byte(out, PART_UUID);
    (void)cwi_buf_append(out, cw_value_as_bytes(value).data, 16);
    break;
  default: return encode_box(value, out, depth + 1, err);
  }
  return CW_OK;
}

cw_status cwi_db_codec_encode(cw_value value, cwi_buf *out, cw_error *err) {
  put_byte(out, CWI_DB_CODEC_VERSION);
  cw_status status = encode_part(value, out, 0, err);
  if (status == CW_OK && out->failed) status = CWI_RAISE_NOMEM(err, "a stored value");
  return status;
}

/* ---- reading ---- */

typedef struct part_reader {
  const uint8_t *at;
  const uint8_t *end;
} part_reader;

static bool get_byte(part_reader *r, unsigned *out) {
  if (r->at == r->end) return false;
  *out = *r->at++;
  return true;
}

static bool get_count(part_reader *r, uint64_t *out) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    unsigned byte;
    if (!get_byte(r, &byte)) return false;
    if (shift == 63 && byte > 1) return false;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) {
      *out = value;
      return true;
    }
  }
  return false;
}

static bool get_signed(part_reader *r, int64_t *out) {
  uint64_t raw;
  if (!get_count(r, &raw)) return false;
  *out = (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
  return true;
}

static bool get_fixed(part_reader *r, size_t size, uint64_t *out) {
  if ((size_t)(r->end - r->at) < size) return false;
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint64_t)r->at[i] << (8 * i);
  r->at += size;
  *out = value;
  return true;
}

static bool get_span(part_reader *r, cw_bytes *out) {
  uint64_t size;
  if (!get_count(r, &size) || size > (uint64_t)(r->end - r->at)) return false;
  *out = (cw_bytes){r->at, (size_t)size};
  r->at += size;
  return true;
}

static cw_status decode_part(part_reader *r, cw_value *out, size_t depth, cw_error *err);

static cw_status get_string(part_reader *r, cw_value *out, cw_error *err) {
  cw_bytes span;
  if (!get_span(r, &span)) return damaged(err);
  cw_status status = cw_value_string(span.data, span.size, out, err);
  return status == CW_E_ENCODING ? damaged(err) : status;
}

/* Opens a body: `inside` reads it, `r` stands behind it. */
static bool open_body(part_reader *r, part_reader *inside, uint64_t *count) {
  cw_bytes span;
  if (!get_span(r, &span)) return false;
  inside->at = span.data;
  inside->end = inside->at + span.size;
  return get_count(inside, count) && *count <= span.size;
}

static cw_status decode_items(part_reader *r, cw_value *out, size_t depth, cw_error *err) {
  part_reader inside;
  uint64_t count;
  if (!open_body(r, &inside, &count)) return damaged(err);
  cw_value array;
  cw_status status = cw_value_array((size_t)count, &array, err);
  for (uint64_t i = 0; status == CW_OK && i < count; i++) {
    cw_value item;
    status = decode_part(&inside, &item, depth, err);
    if (status == CW_OK) status = cw_value_array_push(&array, item, err);
  }
  if (status == CW_OK && inside.at != inside.end) status = damaged(err);
  if (status != CW_OK) {
    cwi_value_drop(array);
    return status;
  }
  *out = array;
  return CW_OK;
}

static cw_status decode_object(part_reader *r, cw_value *out, size_t depth, cw_error *err) {
  part_reader inside;
  uint64_t count;
  if (!open_body(r, &inside, &count)) return damaged(err);
  cw_value object;
  cw_status status = cw_value_object(&object, err);
  for (uint64_t i = 0; status == CW_OK && i < count; i++) {
    cw_bytes key;
    cw_value item;
    if (!get_span(&inside, &key)) {
      status = damaged(err);
      break;
    }
    status = decode_part(&inside, &item, depth, err);
    if (status == CW_OK) status = cw_value_object_set(&object, key.data, key.size, item, err);
    if (status == CW_E_ENCODING) status = damaged(err);
  }
  if (status == CW_OK && inside.at != inside.end) status = damaged(err);
  if (status != CW_OK) {
    cwi_value_drop(object);
    return status;
  }
  *out = object;
  return CW_OK;
}

static cw_status decode_decimal(part_reader *r, cw_value *out, cw_error *err) {
  unsigned head;
  uint64_t lo;
  uint64_t hi;
  if (!get_byte(r, &head) || !get_fixed(r, 8, &lo) || !get_fixed(r, 4, &hi) ||
      (head & 0x7F) > CWI_DECIMAL_SCALE_MAX) {
    return damaged(err);
  }
  cwi_decimal d = {
      .lo = lo, .hi = (uint32_t)hi, .scale = head & 0x7F, .negative = (head & 0x80) != 0};
  return cwi_db_value_decimal(d, out, err);
}

static cw_status decode_pair(part_reader *r, unsigned tag, cw_value *out, size_t depth,
                             cw_error *err) {
  cw_status status = CW_OK;
  cw_value a = cwi_value_none();
  cw_value b = cwi_value_none();
  unsigned head = 0;
  if (tag == PART_RANGE || tag == PART_GEOMETRY) {
    if (!get_byte(r, &head)) return damaged(err);
    CWI_TRY(decode_part(r, &a, depth, err));
  } else {
    CWI_TRY(get_string(r, &a, err));
  }
  switch (tag) {
  case PART_GEOMETRY:
    if (head > CWI_DB_COLLECTION) {
      status = damaged(err);
      goto out;
    }
    status = cwi_db_value_geometry((cwi_db_shape)head, a, out, err);
    break;
  case PART_RECORD:
    CWI_TRY(decode_part(r, &b, depth, err));
    status = cwi_db_value_record(a, b, out, err);
    break;
  case PART_FILE:
    CWI_TRY(get_string(r, &b, err));
    status = cwi_db_value_file(a, b, out, err);
    break;
  default:
    CWI_TRY(decode_part(r, &b, depth, err));
    if ((head & 3) == 3 || head >> 2 > 2) {
      status = damaged(err);
      goto out;
    }
    status =
        cwi_db_value_range((cwi_db_bound)(head & 3), a, (cwi_db_bound)(head >> 2), b, out, err);
    break;
  }
  a = cwi_value_none();
  b = cwi_value_none();
  if (status == CW_E_TYPE) status = damaged(err);

out:
  cwi_value_drop(a);
  cwi_value_drop(b);
  return status;
}

static cw_status decode_named(part_reader *r, unsigned tag, cw_value *out, cw_error *err) {
  cw_bytes span;
  if (!get_span(r, &span)) return damaged(err);
  cw_status status = tag == PART_TABLE ? cwi_db_value_table(span.data, span.size, out, err)
                                       : cwi_db_value_regex(span.data, span.size, out, err);
  return status == CW_E_ENCODING || status == CW_E_PARSE ? damaged(err) : status;
}

static cw_status decode_time(part_reader *r, bool datetime, cw_value *out, cw_error *err) {
  int64_t when = 0;
  uint64_t span = 0;
  uint64_t nanos;
  bool good = datetime ? get_signed(r, &when) : get_count(r, &span);
  if (!good || !get_count(r, &nanos) || nanos > 999999999) return damaged(err);
  *out = datetime ? cw_value_datetime(when, (uint32_t)nanos)
                  : cw_value_duration(span, (uint32_t)nanos);
  return CW_OK;
}

static cw_status decode_part(part_reader *r, cw_value *out, size_t depth, cw_error *err) {
  unsigned tag;
  *out = cwi_value_none();
  if (depth > CW_VALUE_DEPTH_MAX || !get_byte(r, &tag)) return damaged(err);
  switch (tag) {
  case PART_NONE: return CW_OK;
  case PART_NULL: *out = cwi_value_null(); return CW_OK;
  case PART_FALSE:
  case PART_TRUE: *out = cwi_value_bool(tag == PART_TRUE); return CW_OK;
  case PART_INT: {
    int64_t number;
    if (!get_signed(r, &number)) return damaged(err);
    *out = cwi_value_int(number);
    return CW_OK;
  }
  case PART_FLOAT: {
    uint64_t bits;
    if (!get_fixed(r, 8, &bits)) return damaged(err);
    *out = (cw_value){.bits = bits, .kind = CW_VALUE_FLOAT};
    return CW_OK;
  }
  case PART_DECIMAL: return decode_decimal(r, out, err);
  case PART_STRING: return get_string(r, out, err);
  case PART_BYTES: {
    cw_bytes span;
    return get_span(r, &span) ? cw_value_bytes(span.data, span.size, out, err) : damaged(err);
  }
  case PART_DURATION: return decode_time(r, false, out, err);
  case PART_DATETIME: return decode_time(r, true, out, err);
  case PART_UUID:
    if (r->end - r->at < 16) return damaged(err);
    r->at += 16;
    return cw_value_uuid(r->at - 16, out, err);
  case PART_ARRAY: return decode_items(r, out, depth + 1, err);
  case PART_SET: {
    cw_value items;
    cw_status status = decode_items(r, &items, depth + 1, err);
    return status != CW_OK ? status : cwi_db_value_set(items, out, err);
  }
  case PART_OBJECT: return decode_object(r, out, depth + 1, err);
  case PART_TABLE:
  case PART_REGEX: return decode_named(r, tag, out, err);
  case PART_GEOMETRY:
  case PART_RECORD:
  case PART_FILE:
  case PART_RANGE: return decode_pair(r, tag, out, depth + 1, err);
  default: return damaged(err);
  }
}

cw_status cwi_db_codec_decode_part(cw_bytes part, cw_value *out, cw_error *err) {
  part_reader r = {part.data, (const uint8_t *)part.data + part.size};
  cw_status status = decode_part(&r, out, 0, err);
  if (status == CW_OK && r.at != r.end) {
    cwi_value_drop(*out);
    *out = cwi_value_none();
    return damaged(err);
  }
  return status;
}

static cw_status check_version(cw_bytes *bytes, cw_error *err) {
  const uint8_t *data = bytes->data;
  if (bytes->size == 0) return damaged(err);
  if (data[0] != CWI_DB_CODEC_VERSION) {
    return CWI_RAISE(err, CW_E_VERSION, 0, "a stored value has format %u, known is %d", data[0],
                     CWI_DB_CODEC_VERSION);
  }
  *bytes = (cw_bytes){data + 1, bytes->size - 1};
  return CW_OK;
}

cw_status cwi_db_codec_decode(cw_bytes bytes, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cw_status status = check_version(&bytes, err);
  return status != CW_OK ? status : cwi_db_codec_decode_part(bytes, out, err);
}

/* ---- one field ---- */

/* Steps over a part; false where it is damaged. */
static bool skip_part(part_reader *r, size_t depth) {
  unsigned tag;
  uint64_t ignored;
  cw_bytes span;
  if (depth > CW_VALUE_DEPTH_MAX || !get_byte(r, &tag)) return false;
  switch (tag) {
  case PART_NONE:
  case PART_NULL:
  case PART_FALSE:
  case PART_TRUE: return true;
  case PART_INT: return get_count(r, &ignored);
  case PART_FLOAT: return get_fixed(r, 8, &ignored);
  case PART_DECIMAL: return get_fixed(r, 8, &ignored) && get_fixed(r, 5, &ignored);
  case PART_DURATION:
  case PART_DATETIME: return get_count(r, &ignored) && get_count(r, &ignored);
  case PART_UUID: return get_fixed(r, 8, &ignored) && get_fixed(r, 8, &ignored);
  case PART_STRING:
  case PART_BYTES:
  case PART_ARRAY:
  case PART_SET:
  case PART_OBJECT:
  case PART_TABLE:
  case PART_REGEX: return get_span(r, &span);
  case PART_GEOMETRY: return get_fixed(r, 1, &ignored) && skip_part(r, depth + 1);
  case PART_RECORD: return get_span(r, &span) && skip_part(r, depth + 1);
  case PART_FILE: return get_span(r, &span) && get_span(r, &span);
  case PART_RANGE:
    return get_fixed(r, 1, &ignored) && skip_part(r, depth + 1) && skip_part(r, depth + 1);
  default: return false;
  }
}

cw_status cwi_db_codec_field_part(cw_bytes part, const char *key, size_t key_size, cw_bytes *field,
                                  bool *found, cw_error *err) {
  part_reader r = {part.data, (const uint8_t *)part.data + part.size};
  part_reader inside;
  uint64_t count;
  unsigned tag;
  *found = false;
  *field = (cw_bytes){NULL, 0};
  if (!get_byte(&r, &tag)) return damaged(err);
  if (tag != PART_OBJECT) return CW_OK;
  if (!open_body(&r, &inside, &count)) return damaged(err);
  for (uint64_t i = 0; i < count; i++) {
    cw_bytes name;
    if (!get_span(&inside, &name)) return damaged(err);
    const uint8_t *start = inside.at;
    if (!skip_part(&inside, 0)) return damaged(err);
    size_t shorter = name.size < key_size ? name.size : key_size;
    int order = shorter > 0 ? memcmp(name.data, key, shorter) : 0;
    if (order == 0 && name.size == key_size) {
      *field = (cw_bytes){start, (size_t)(inside.at - start)};
      *found = true;
      return CW_OK;
    }
    if (order > 0 || (order == 0 && name.size > key_size)) return CW_OK;
  }
  return CW_OK;
}

cw_status cwi_db_codec_field(cw_bytes bytes, const char *key, size_t key_size, cw_bytes *field,
                             bool *found, cw_error *err) {
  *found = false;
  *field = (cw_bytes){NULL, 0};
  cw_status status = check_version(&bytes, err);
  return status != CW_OK ? status
                         : cwi_db_codec_field_part(bytes, key, key_size, field, found, err);
}

cwi_db_kind cwi_db_codec_part_kind(cw_bytes part) {
  static const cwi_db_kind kinds[] = {
      CWI_DB_NONE,   CWI_DB_NULL,     CWI_DB_BOOL,     CWI_DB_BOOL,  CWI_DB_INT,      CWI_DB_FLOAT,
      CWI_DB_DECIMAL, CWI_DB_STRING,  CWI_DB_DURATION, CWI_DB_DATETIME, CWI_DB_UUID,  CWI_DB_ARRAY,
      CWI_DB_SET,    CWI_DB_OBJECT,   CWI_DB_GEOMETRY, CWI_DB_BYTES, CWI_DB_TABLE,    CWI_DB_RECORD,
      CWI_DB_FILE,   CWI_DB_REGEX,    CWI_DB_RANGE};
  unsigned tag = part.size > 0 ? *(const uint8_t *)part.data : 0;
  return tag < CWI_ARRAY_LEN(kinds) ? kinds[tag] : CWI_DB_NONE;
}
