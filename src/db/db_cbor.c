/* SPDX-License-Identifier: MIT */
/* CBOR (RFC 8949) with the tags 6 NONE, 7 table, 8 record id, 9/37 uuid, 10 decimal, 0/12 datetime,
 * 13/14 duration, 49 to 51 range and bounds, 55 file, 56 set, 88 to 94 geometry. */
#include "db/db_cbor.h"

#include <math.h>

#include "core/error.h"
#include "db/db_value_internal.h"

enum {
  TAG_DATETIME_TEXT = 0,
  TAG_NONE = 6,
  TAG_TABLE = 7,
  TAG_RECORD = 8,
  TAG_UUID_TEXT = 9,
  TAG_DECIMAL = 10,
  TAG_DATETIME = 12,
  TAG_DURATION_TEXT = 13,
  TAG_DURATION = 14,
  TAG_UUID = 37,
  TAG_RANGE = 49,
  TAG_INCLUDED = 50,
  TAG_EXCLUDED = 51,
  TAG_FILE = 55,
  TAG_SET = 56,
  TAG_GEOMETRY = 88,
};

static void put_head(cwi_buf *out, unsigned major, uint64_t number) {
  unsigned first = major << 5;
  int size = number < 24 ? 0 : number < 256 ? 1 : number < 65536 ? 2 : number <= UINT32_MAX ? 4 : 8;
  unsigned low = size == 0   ? (unsigned)number
                 : size == 1 ? 24
                 : size == 2 ? 25
                 : size == 4 ? 26
                             : 27;
  (void)cwi_buf_append_char(out, (char)(first | low));
  for (int i = size - 1; i >= 0; i--)
    (void)cwi_buf_append_char(out, (char)(uint8_t)(number >> (8 * i)));
}

static void put_int(cwi_buf *out, int64_t value) {
  put_head(out, value < 0 ? 1 : 0, value < 0 ? ~(uint64_t)value : (uint64_t)value);
}

static void put_text(cwi_buf *out, cw_value string) {
  cw_bytes text = cw_value_as_bytes(string);
  put_head(out, 3, text.size);
  (void)cwi_buf_append(out, text.data, text.size);
}

static cw_status encode(cw_value value, cwi_buf *out, size_t depth, cw_error *err);

static cw_status encode_items(cw_value array, cwi_buf *out, size_t depth, cw_error *err) {
  cw_status status = CW_OK;
  put_head(out, 4, cw_value_len(array));
  for (size_t i = 0; status == CW_OK && i < cw_value_len(array); i++) {
    status = encode(cw_value_array_get(array, i), out, depth, err);
  }
  return status;
}

/* The coordinates of a shape: each part with its own tag, as the protocol nests them. */
static cw_status encode_shape(cwi_db_shape shape, cw_value parts, cwi_buf *out, size_t depth,
                              cw_error *err) {
  put_head(out, 6, (uint64_t)(TAG_GEOMETRY + (int)shape));
  if (shape == CWI_DB_POINT || shape == CWI_DB_COLLECTION)
    return encode_items(parts, out, depth, err);
  cwi_db_shape inner = shape == CWI_DB_LINE || shape == CWI_DB_MULTI_POINT       ? CWI_DB_POINT
                       : shape == CWI_DB_POLYGON || shape == CWI_DB_MULTI_LINE ? CWI_DB_LINE
                                                                               : CWI_DB_POLYGON;
  cw_status status = CW_OK;
  put_head(out, 4, cw_value_len(parts));
  for (size_t i = 0; status == CW_OK && i < cw_value_len(parts); i++) {
    status = encode_shape(inner, cw_value_array_get(parts, i), out, depth, err);
  }
  return status;
}

static cw_status encode_bound(cwi_db_bound bound, cw_value value, cwi_buf *out, size_t depth,
                              cw_error *err) {
  if (bound == CWI_DB_UNBOUNDED) {
    put_head(out, 7, 22);
    return CW_OK;
  }
  put_head(out, 6, bound == CWI_DB_INCLUDED ? TAG_INCLUDED : TAG_EXCLUDED);
  return encode(value, out, depth, err);
}

static cw_status encode_range(cw_value range, cwi_buf *out, size_t depth, cw_error *err) {
  cw_value begin;
  cw_value end;
  cwi_db_bound begin_bound = cwi_db_range_begin(range, &begin);
  cwi_db_bound end_bound = cwi_db_range_end(range, &end);
  put_head(out, 6, TAG_RANGE);
  put_head(out, 4, 2);
  cw_status status = encode_bound(begin_bound, begin, out, depth, err);
  return status != CW_OK ? status : encode_bound(end_bound, end, out, depth, err);
}

static cw_status encode_box(cw_value value, cwi_buf *out, size_t depth, cw_error *err) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_DECIMAL: {
    char text[CWI_DECIMAL_TEXT_BYTES_MAX + 1];
    size_t size = cwi_decimal_format(cwi_db_decimal(value), text);
    put_head(out, 6, TAG_DECIMAL);
    put_head(out, 3, size);
    (void)cwi_buf_append(out, text, size);
    return CW_OK;
  }
  case CWI_DB_SET:
    put_head(out, 6, TAG_SET);
    return encode_items(cwi_db_set_items(value), out, depth, err);
  case CWI_DB_TABLE:
    put_head(out, 6, TAG_TABLE);
    put_text(out, cwi_db_table_name(value));
    return CW_OK;
  case CWI_DB_RECORD:
    put_head(out, 6, TAG_RECORD);
    put_head(out, 4, 2);
    put_text(out, cwi_db_record_table(value));
    return encode(cwi_db_record_key(value), out, depth, err);
  case CWI_DB_FILE:
    put_head(out, 6, TAG_FILE);
    put_head(out, 4, 2);
    put_text(out, cwi_db_file_bucket(value));
    put_text(out, cwi_db_file_key(value));
    return CW_OK;
  case CWI_DB_RANGE: return encode_range(value, out, depth, err);
  case CWI_DB_GEOMETRY:
    return encode_shape(cwi_db_geometry_shape(value), cwi_db_geometry_coordinates(value), out,
                        depth, err);
  case CWI_DB_REGEX: put_text(out, cwi_db_regex_pattern(value)); return CW_OK;
  default: return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a function has no CBOR");
  }
}

static void put_float(cwi_buf *out, cw_value value) {
  (void)cwi_buf_append_char(out, (char)0xFB);
  for (int i = 7; i >= 0; i--)
    (void)cwi_buf_append_char(out, (char)(uint8_t)(value.bits >> (8 * i)));
}

static cw_status encode(cw_value value, cwi_buf *out, size_t depth, cw_error *err) {
  if (depth > CW_VALUE_DEPTH_MAX) return CWI_RAISE(err, CW_E_LIMIT, 0, "a value nests too deeply");
  switch (value.kind) {
  case CW_VALUE_NONE:
    put_head(out, 6, TAG_NONE);
    put_head(out, 7, 22);
    return CW_OK;
  case CW_VALUE_NULL: put_head(out, 7, 22); return CW_OK;
  case CW_VALUE_BOOL: put_head(out, 7, value.bits != 0 ? 21 : 20); return CW_OK;
  case CW_VALUE_INT:
  case CW_VALUE_CHAR: put_int(out, cwi_value_as_int(value)); return CW_OK;
  case CW_VALUE_FLOAT: put_float(out, value); return CW_OK;
  case CW_VALUE_DATETIME:
  case CW_VALUE_DURATION:
    put_head(out, 6, value.kind == CW_VALUE_DATETIME ? TAG_DATETIME : TAG_DURATION);
    put_head(out, 4, 2);
    put_int(out, cw_value_as_seconds(value));
    put_int(out, cw_value_as_nanos(value));
    return CW_OK;
  case CW_VALUE_STRING: put_text(out, value); return CW_OK;
  case CW_VALUE_BYTES:
    put_head(out, 2, cw_value_len(value));
    (void)cwi_buf_append(out, cw_value_as_bytes(value).data, cw_value_len(value));
    return CW_OK;
  case CW_VALUE_ARRAY: return encode_items(value, out, depth + 1, err);
  case CW_VALUE_OBJECT: {
    cwi_object_iter iter = cwi_object_iter_start(value);
    cw_value key;
    cw_value item;
    cw_status status = CW_OK;
    put_head(out, 5, cw_value_len(value));
    while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
      put_text(out, key);
      status = encode(item, out, depth + 1, err);
    }
    return status;
  }
  case CW_VALUE_UUID:
    put_head(out, 6, TAG_UUID);
    put_head(out, 2, 16);
    (void)cwi_buf_append(out, cw_value_as_bytes(value).data, 16);
    return CW_OK;
  default: return encode_box(value, out, depth + 1, err);
  }
}

cw_status cwi_db_cbor_encode(cw_value value, cwi_buf *out, cw_error *err) {
  cw_status status = encode(value, out, 0, err);
  if (status == CW_OK && out->failed) status = CWI_RAISE_NOMEM(err, "CBOR");
  return status;
}

/* ---- decoding ---- */

typedef struct cbor_reader {
  const uint8_t *at;
  const uint8_t *end;
} cbor_reader;

static cw_status bad(cw_error *err) { return CWI_RAISE(err, CW_E_PARSE, 0, "invalid cbor"); }

#define INDEFINITE UINT64_MAX

static bool get_head(cbor_reader *r, unsigned *major, unsigned *low, uint64_t *number) {
  if (r->at == r->end) return false;
  *major = *r->at >> 5;
  *low = *r->at++ & 31;
  *number = *low;
  if (*low == 31) {
    *number = INDEFINITE;
    return *major >= 2 && *major != 6;
  }
  if (*low > 27) return false;
  if (*low < 24) return true;
  size_t size = (size_t)1 << (*low - 24);
  if ((size_t)(r->end - r->at) < size) return false;
  *number = 0;
  for (size_t i = 0; i < size; i++) *number = *number << 8 | *r->at++;
  return true;
}

static cw_status decode(cbor_reader *r, cw_value *out, size_t depth, cw_error *err);

static bool at_break(cbor_reader *r) {
  if (r->at == r->end || *r->at != 0xFF) return false;
  r->at++;
  return true;
}

static cw_status decode_text(cbor_reader *r, unsigned major, uint64_t size, cw_value *out,
                             cw_error *err) {
  cwi_buf joined;
  cw_status status = CW_OK;
  cwi_buf_init(&joined, 0);
  bool chunks = size == INDEFINITE;
  while (status == CW_OK && (!chunks || !at_break(r))) {
    unsigned inner = major;
    unsigned low;
    if (chunks && (!get_head(r, &inner, &low, &size) || inner != major || size == INDEFINITE)) {
      status = bad(err);
    } else if (size > (uint64_t)(r->end - r->at)) {
      status = bad(err);
    } else {
      (void)cwi_buf_append(&joined, r->at, (size_t)size);
      r->at += size;
    }
    if (!chunks) break;
  }
  if (status == CW_OK && joined.failed) status = CWI_RAISE_NOMEM(err, "CBOR");
  if (status == CW_OK) {
    status = major == 2 ? cw_value_bytes(joined.data, joined.size, out, err)
                        : cw_value_string(joined.data, joined.size, out, err);
    if (status == CW_E_ENCODING) status = bad(err);
  }
  cwi_buf_deinit(&joined);
  return status;
}

static cw_status decode_list(cbor_reader *r, uint64_t count, cw_value *out, size_t depth,
                             cw_error *err) {
  cw_value array;
  cw_status status = cw_value_array(0, &array, err);
  for (uint64_t i = 0; status == CW_OK && i < count; i++) {
    if (count == INDEFINITE && at_break(r)) break;
    cw_value item;
    status = decode(r, &item, depth + 1, err);
    if (status == CW_OK) status = cw_value_array_push(&array, item, err);
  }
  if (status != CW_OK) cwi_value_drop(array);
  if (status == CW_OK) *out = array;
  return status;
}

static cw_status decode_map(cbor_reader *r, uint64_t count, cw_value *out, size_t depth,
                            cw_error *err) {
  cw_value object;
  cw_status status = cw_value_object(&object, err);
  for (uint64_t i = 0; status == CW_OK && i < count; i++) {
    if (count == INDEFINITE && at_break(r)) break;
    cw_value key;
    cw_value item = cwi_value_none();
    status = decode(r, &key, depth + 1, err);
    if (status == CW_OK && key.kind != CW_VALUE_STRING) status = bad(err);
    if (status == CW_OK) status = decode(r, &item, depth + 1, err);
    if (status == CW_OK) status = cwi_value_object_set_key(&object, key, item, err);
    cwi_value_drop(key);
  }
  if (status != CW_OK) cwi_value_drop(object);
  if (status == CW_OK) *out = object;
  return status;
}

static double half_to_double(uint64_t half) {
  int exponent = (int)(half >> 10 & 31);
  double mantissa = (double)(half & 1023);
  double value = exponent == 0    ? ldexp(mantissa, -24)
                 : exponent == 31 ? (mantissa == 0.0 ? INFINITY : NAN)
                                  : ldexp(mantissa + 1024.0, exponent - 25);
  return (half & 0x8000) != 0 ? -value : value;
}

static cw_status decode_simple(unsigned low, uint64_t number, cw_value *out, cw_error *err) {
  float single;
  uint32_t bits = (uint32_t)number;
  switch (low) {
  case 20:
  case 21: *out = cwi_value_bool(low == 21); return CW_OK;
  case 22: *out = cwi_value_null(); return CW_OK;
  case 23: *out = cwi_value_none(); return CW_OK;
  case 25: *out = cwi_value_float(half_to_double(number)); return CW_OK;
  case 26:
    memcpy(&single, &bits, sizeof(single));
    *out = cwi_value_float((double)single);
    return CW_OK;
  case 27: *out = (cw_value){.bits = number, .kind = CW_VALUE_FLOAT}; return CW_OK;
  default: return bad(err);
  }
}

static cw_status decode_range(cbor_reader *r, cw_value *out, size_t depth, cw_error *err) {
  unsigned major;
  unsigned low;
  uint64_t number;
  cw_value values[2] = {cwi_value_none(), cwi_value_none()};
  cwi_db_bound bounds[2] = {CWI_DB_UNBOUNDED, CWI_DB_UNBOUNDED};
  cw_status status = CW_OK;
  if (!get_head(r, &major, &low, &number) || major != 4 || number != 2) return bad(err);
  for (size_t i = 0; status == CW_OK && i < 2; i++) {
    if (!get_head(r, &major, &low, &number)) {
      status = bad(err);
    } else if (major == 6 && (number == TAG_INCLUDED || number == TAG_EXCLUDED)) {
      bounds[i] = number == TAG_INCLUDED ? CWI_DB_INCLUDED : CWI_DB_EXCLUDED;
      status = decode(r, &values[i], depth + 1, err);
    } else if (major != 7 || number != 22) {
      status = bad(err);
    }
  }
  if (status == CW_OK)
    return cwi_db_value_range(bounds[0], values[0], bounds[1], values[1], out, err);
  cwi_value_drop(values[0]);
  cwi_value_drop(values[1]);
  return status;
}

static cw_status time_of(uint64_t tag, cw_value part, cw_value *out, cw_error *err) {
  cw_value seconds = cw_value_array_get(part, 0);
  cw_value nanos = cw_value_array_get(part, 1);
  bool good = part.kind == CW_VALUE_ARRAY && cw_value_len(part) <= 2 &&
              (seconds.kind == CW_VALUE_INT || cw_value_len(part) == 0) &&
              (nanos.kind == CW_VALUE_INT || cw_value_len(part) < 2);
  int64_t n = cw_value_as_int(nanos);
  int64_t s = cw_value_as_int(seconds);
  if (!good || n < 0 || n > 999999999 || (tag == TAG_DURATION && s < 0)) return bad(err);
  *out = tag == TAG_DATETIME ? cw_value_datetime(s, (uint32_t)n)
                             : cw_value_duration((uint64_t)s, (uint32_t)n);
  return CW_OK;
}

/* Shapes inside shapes come as geometry values: takes their coordinates out. */
static cw_status geometry_of(cwi_db_shape shape, cw_value part, cw_value *out, cw_error *err) {
  cw_value plain;
  if (part.kind != CW_VALUE_ARRAY) return bad(err);
  cw_status status = cw_value_array(cw_value_len(part), &plain, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(part); i++) {
    cw_value item = cw_value_array_get(part, i);
    bool open = shape != CWI_DB_COLLECTION && cwi_db_kind_of(item) == CWI_DB_GEOMETRY;
    status = cw_value_array_push(
        &plain, cwi_value_retain(open ? cwi_db_geometry_coordinates(item) : item), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(plain);
    return status;
  }
  status = cwi_db_value_geometry(shape, plain, out, err);
  return status == CW_E_TYPE ? bad(err) : status;
}

static cw_status text_of(uint64_t tag, cw_value part, cw_value *out, cw_error *err) {
  static const struct {
    uint64_t tag;
    cwi_db_kind kind;
  } kinds[] = {{TAG_DATETIME_TEXT, CWI_DB_DATETIME},
               {TAG_TABLE, CWI_DB_TABLE},
               {TAG_UUID_TEXT, CWI_DB_UUID},
               {TAG_DECIMAL, CWI_DB_DECIMAL},
               {TAG_DURATION_TEXT, CWI_DB_DURATION}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds); i++) {
    if (kinds[i].tag != tag) continue;
    bool ok = false;
    if (part.kind != CW_VALUE_STRING) return bad(err);
    cw_status status = cwi_db_cast(part, kinds[i].kind, out, &ok, err);
    return status != CW_OK || ok ? status : bad(err);
  }
  return bad(err);
}

static cw_status tagged(uint64_t tag, cw_value part, cw_value *out, cw_error *err) {
  if (tag >= TAG_GEOMETRY && tag <= TAG_GEOMETRY + CWI_DB_COLLECTION) {
    return geometry_of((cwi_db_shape)(tag - TAG_GEOMETRY), part, out, err);
  }
  switch (tag) {
  case TAG_NONE: return CW_OK;
  case TAG_DATETIME:
  case TAG_DURATION: return time_of(tag, part, out, err);
  case TAG_UUID:
    if (part.kind != CW_VALUE_BYTES || cw_value_len(part) != 16) return bad(err);
    return cw_value_uuid(cw_value_as_bytes(part).data, out, err);
  case TAG_SET:
    return part.kind == CW_VALUE_ARRAY ? cwi_db_value_set(cwi_value_retain(part), out, err)
                                       : bad(err);
  case TAG_RECORD:
  case TAG_FILE: {
    cw_value first = cw_value_array_get(part, 0);
    cw_value second = cw_value_array_get(part, 1);
    if (cwi_db_kind_of(first) == CWI_DB_TABLE) first = cwi_db_table_name(first);
    if (part.kind != CW_VALUE_ARRAY || cw_value_len(part) != 2 || first.kind != CW_VALUE_STRING ||
        (tag == TAG_FILE && second.kind != CW_VALUE_STRING)) {
      return bad(err);
    }
    cw_status status =
        tag == TAG_FILE
            ? cwi_db_value_file(cwi_value_retain(first), cwi_value_retain(second), out, err)
            : cwi_db_value_record(cwi_value_retain(first), cwi_value_retain(second), out, err);
    return status == CW_E_TYPE ? bad(err) : status;
  }
  default: return text_of(tag, part, out, err);
  }
}

static cw_status decode(cbor_reader *r, cw_value *out, size_t depth, cw_error *err) {
  unsigned major;
  unsigned low;
  uint64_t number;
  *out = cwi_value_none();
  if (depth > CW_VALUE_DEPTH_MAX || !get_head(r, &major, &low, &number)) return bad(err);
  switch (major) {
  case 0:
  case 1:
    if (number > INT64_MAX) return bad(err);
    *out = cwi_value_int(major == 0 ? (int64_t)number : -1 - (int64_t)number);
    return CW_OK;
  case 2:
  case 3: return decode_text(r, major, number, out, err);
  case 4: return decode_list(r, number, out, depth, err);
  case 5: return decode_map(r, number, out, depth, err);
  case 6: {
    if (number == TAG_RANGE) return decode_range(r, out, depth, err);
    cw_value part;
    cw_status status = decode(r, &part, depth + 1, err);
    if (status == CW_OK) status = tagged(number, part, out, err);
    cwi_value_drop(part);
    return status;
  }
  default: return decode_simple(low, number, out, err);
  }
}

cw_status cwi_db_cbor_decode(cw_bytes bytes, cw_value *out, cw_error *err) {
  cbor_reader r = {bytes.data, (const uint8_t *)bytes.data + bytes.size};
  cw_status status = decode(&r, out, 0, err);
  if (status == CW_OK && r.at != r.end) {
    cwi_value_drop(*out);
    *out = cwi_value_none();
    return bad(err);
  }
  return status;
}
