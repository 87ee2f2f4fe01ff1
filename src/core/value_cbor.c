/* SPDX-License-Identifier: MIT */
/* CBOR, RFC 8949. Both directions recurse down to CW_VALUE_DEPTH_MAX and are straight: no tree
 * between the bytes and the value.
 *
 * Reading never allocates more than the input justifies: an array's announced length is checked
 * against the bytes that are left, because every item takes at least one, and room is made at once
 * for ARRAY_ROOM_MAX items at most: arrays in arrays may each announce all that is left. */
#include "core/value_cbor.h"

#include <math.h>
#include <string.h>

#include "core/assert.h"
#include "core/error.h"
#include "core/value.h"

#define TAG_NONE 6
#define TAG_DATETIME 12
#define TAG_DURATION 14
#define TAG_UUID 37
#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22
#define SIMPLE_UNDEFINED 23
#define INDEFINITE 31
#define BREAK 0xFF
#define ARRAY_ROOM_MAX 64

/* ---- writing ---- */

static void put_big_endian(cwi_buf *buf, uint64_t value, int size) {
  uint8_t bytes[8];
  for (int i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
  (void)cwi_buf_append(buf, bytes, (size_t)size);
}

void cwi_cbor_head(cwi_buf *buf, int major, uint64_t argument) {
  int first = major << 5;
  if (argument < 24) {
    (void)cwi_buf_append_char(buf, (char)(first | (int)argument));
    return;
  }
  int power = argument <= UINT8_MAX    ? 0
              : argument <= UINT16_MAX ? 1
              : argument <= UINT32_MAX ? 2
                                       : 3;
  (void)cwi_buf_append_char(buf, (char)(first | (24 + power)));
  put_big_endian(buf, argument, 1 << power);
}

void cwi_cbor_int(cwi_buf *buf, int64_t value) {
  if (value >= 0) {
    cwi_cbor_head(buf, CWI_CBOR_UINT, (uint64_t)value);
  } else {
    cwi_cbor_head(buf, CWI_CBOR_NEGATIVE, (uint64_t)(-(value + 1)));
  }
}

/* A float that a half can hold exactly, subnormal halves included; false where it cannot. */
static bool to_half(float value, uint16_t *out) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t exponent = bits >> 23 & 0xFF;
  uint32_t fraction = bits & 0x7FFFFF;
  if (exponent == 0 && fraction == 0) {
    *out = (uint16_t)sign;
    return true;
  }
  if (exponent == 0xFF && fraction == 0) {
    *out = (uint16_t)(sign | 0x7C00);
    return true;
  }
  if (exponent >= 103 && exponent <= 112) { /* a multiple of 2^-24 below 2^-14 */
    uint32_t whole = fraction | 0x800000;
    uint32_t shift = 126 - exponent;
    *out = (uint16_t)(sign | whole >> shift);
    return (whole & ((1U << shift) - 1)) == 0;
  }
  if ((fraction & 0x1FFF) != 0 || exponent < 113 || exponent > 142) return false;
  *out = (uint16_t)(sign | (exponent - 112) << 10 | fraction >> 13);
  return true;
}

void cwi_cbor_float(cwi_buf *buf, double value) {
  float single = (float)value;
  uint16_t half = 0;
  if (isnan(value)) {
    (void)cwi_buf_append(buf, "\xF9\x7E\x00", 3);
  } else if (!(single < value) && !(single > value)) {
    uint32_t bits;
    memcpy(&bits, &single, sizeof(bits));
    bool is_half = to_half(single, &half);
    (void)cwi_buf_append_char(buf, (char)(is_half ? 0xF9 : 0xFA));
    put_big_endian(buf, is_half ? half : bits, is_half ? 2 : 4);
  } else {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    (void)cwi_buf_append_char(buf, (char)0xFB);
    put_big_endian(buf, bits, 8);
  }
}

void cwi_cbor_text(cwi_buf *buf, const char *text, size_t size) {
  cwi_cbor_head(buf, CWI_CBOR_TEXT, size);
  (void)cwi_buf_append(buf, text, size);
}

void cwi_cbor_null(cwi_buf *buf) { cwi_cbor_head(buf, CWI_CBOR_SIMPLE, SIMPLE_NULL); }

static void write_time(cwi_buf *buf, int tag, cw_value value) {
  cwi_cbor_head(buf, CWI_CBOR_TAG, (uint64_t)tag);
  cwi_cbor_head(buf, CWI_CBOR_ARRAY, 2);
  if (tag == TAG_DURATION) {
    cwi_cbor_head(buf, CWI_CBOR_UINT, value.bits);
  } else {
    cwi_cbor_int(buf, (int64_t)value.bits);
  }
  cwi_cbor_head(buf, CWI_CBOR_UINT, value.aux);
}

static bool write_at(cwi_buf *buf, cw_value value, int depth);

static bool write_array(cwi_buf *buf, cw_value value, int depth) {
  const cwi_array *array = cwi_value_array_ptr(value);
  cwi_cbor_head(buf, CWI_CBOR_ARRAY, array->len);
  bool fits = true;
  for (size_t i = 0; i < array->len && fits; i++) fits = write_at(buf, array->items[i], depth);
  return fits;
}

static bool write_object(cwi_buf *buf, cw_value value, int depth) {
  cwi_cbor_head(buf, CWI_CBOR_MAP, cw_value_len(value));
  cwi_object_iter iter = cwi_object_iter_start(value);
  cw_value key;
  cw_value item;
  bool fits = true;
  while (fits && cwi_object_iter_next(&iter, &key, &item)) {
    cw_bytes name = cw_value_as_bytes(key);
    cwi_cbor_text(buf, name.data, name.size);
    fits = write_at(buf, item, depth);
  }
  return fits;
}

static void write_bytes(cwi_buf *buf, int major, cw_value value) {
  cw_bytes bytes = cw_value_as_bytes(value);
  cwi_cbor_head(buf, major, bytes.size);
  (void)cwi_buf_append(buf, bytes.data, bytes.size);
}

static void write_char(cwi_buf *buf, uint32_t codepoint) {
  cwi_buf one;
  cwi_buf_init(&one, 0);
  (void)cwi_buf_append_codepoint(&one, codepoint);
  cwi_cbor_text(buf, one.data, one.size);
  buf->failed |= one.failed;
  cwi_buf_deinit(&one);
}

/* False: too deep. Want of memory is the buffer's to remember. */
static bool write_at(cwi_buf *buf, cw_value value, int depth) {
  if (depth == CW_VALUE_DEPTH_MAX) return false;
  switch (value.kind) {
    case CW_VALUE_NONE:
      cwi_cbor_head(buf, CWI_CBOR_TAG, TAG_NONE);
      cwi_cbor_null(buf);
      break;
    case CW_VALUE_NULL: cwi_cbor_null(buf); break;
    case CW_VALUE_BOOL:
      cwi_cbor_head(buf, CWI_CBOR_SIMPLE, value.bits != 0 ? SIMPLE_TRUE : SIMPLE_FALSE);
      break;
    case CW_VALUE_INT: cwi_cbor_int(buf, (int64_t)value.bits); break;
    case CW_VALUE_FLOAT: cwi_cbor_float(buf, cwi_value_as_float(value)); break;
    case CW_VALUE_CHAR: write_char(buf, (uint32_t)value.bits); break;
    case CW_VALUE_DATETIME: write_time(buf, TAG_DATETIME, value); break;
    case CW_VALUE_DURATION: write_time(buf, TAG_DURATION, value); break;
    case CW_VALUE_STRING: write_bytes(buf, CWI_CBOR_TEXT, value); break;
    case CW_VALUE_BYTES: write_bytes(buf, CWI_CBOR_BYTES, value); break;
    case CW_VALUE_ARRAY: return write_array(buf, value, depth + 1);
    case CW_VALUE_OBJECT: return write_object(buf, value, depth + 1);
    case CW_VALUE_UUID:
      cwi_cbor_head(buf, CWI_CBOR_TAG, TAG_UUID);
      write_bytes(buf, CWI_CBOR_BYTES, value);
      break;
    default: {
      const cwi_box *box = cwi_value_box_ptr(value);
      if (box->ops->to_cbor == NULL || !box->ops->to_cbor(box, buf)) cwi_cbor_null(buf);
    }
  }
  return true;
}

cw_status cwi_cbor_value(cwi_buf *buf, cw_value value, cw_error *err) {
  if (!write_at(buf, value, 0)) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "the value nests deeper than %d", CW_VALUE_DEPTH_MAX);
  }
  return buf->failed ? CWI_RAISE_NOMEM(err, "CBOR") : CW_OK;
}

cw_status cw_value_to_cbor(cw_value value, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_status status = cwi_cbor_value(&buf, value, err);
  if (status == CW_OK) status = cw_value_bytes(buf.data, buf.size, out, err);
  cwi_buf_deinit(&buf);
  return status;
}

/* ---- reading ---- */

typedef struct reader {
  const uint8_t *data;
  size_t size;
  size_t at;
  cw_error *err;
} reader;

typedef struct head {
  int major;
  int info; /* the low five bits */
  uint64_t argument;
} head;

static cw_status malformed(const reader *r, const char *what) {
  return CWI_RAISE(r->err, CW_E_PARSE, 0, "not CBOR: %s at byte %zu", what, r->at);
}

static cw_status read_head(reader *r, head *h) {
  if (r->at == r->size) return malformed(r, "ends too early");
  uint8_t first = r->data[r->at++];
  *h = (head){.major = first >> 5, .info = first & 31, .argument = first & 31};
  if (h->info < 24) return CW_OK;
  if (h->info == INDEFINITE) {
    bool allowed = h->major >= CWI_CBOR_BYTES && h->major != CWI_CBOR_TAG;
    return allowed ? CW_OK : malformed(r, "an item of no length");
  }
  if (h->info > 27) return malformed(r, "a reserved head");
  size_t size = (size_t)1 << (h->info - 24);
  if (r->size - r->at < size) return malformed(r, "ends too early");
  h->argument = 0;
  for (size_t i = 0; i < size; i++) h->argument = h->argument << 8 | r->data[r->at++];
  return CW_OK;
}

static bool take_break(reader *r) {
  if (r->at == r->size || r->data[r->at] != BREAK) return false;
  r->at++;
  return true;
}

static cw_status read_at(reader *r, cw_value *out, int depth);

/* A string of either kind, in one piece or in chunks of the same kind. */
static cw_status read_string(reader *r, const head *h, cw_value *out) {
  cwi_buf joined;
  cwi_buf_init(&joined, 0);
  const char *data = (const char *)r->data + r->at;
  uint64_t size = h->argument;
  cw_status status = CW_OK;
  if (h->info == INDEFINITE) {
    while (status == CW_OK && !take_break(r)) {
      head chunk = {0};
      status = read_head(r, &chunk);
      if (status != CW_OK) break;
      bool same = chunk.major == h->major && chunk.info != INDEFINITE;
      if (!same || chunk.argument > r->size - r->at) {
        status = malformed(r, "a wrong chunk");
      } else {
        (void)cwi_buf_append(&joined, r->data + r->at, (size_t)chunk.argument);
        r->at += (size_t)chunk.argument;
      }
    }
    data = joined.data;
    size = joined.size;
  } else if (size > r->size - r->at) {
    status = malformed(r, "a string that ends too early");
  } else {
    r->at += (size_t)size;
  }
  if (status == CW_OK && joined.failed) status = CWI_RAISE_NOMEM(r->err, "a string");
  if (status == CW_OK && h->major == CWI_CBOR_TEXT) {
    status = cw_value_string(data, (size_t)size, out, r->err);
  } else if (status == CW_OK) {
    status = cw_value_bytes(data, (size_t)size, out, r->err);
  }
  cwi_buf_deinit(&joined);
  return status;
}

static cw_status read_array(reader *r, const head *h, cw_value *out, int depth) {
  bool open = h->info == INDEFINITE;
  if (!open && h->argument > r->size - r->at) return malformed(r, "an array that ends too early");
  size_t room = open ? 0 : h->argument < ARRAY_ROOM_MAX ? (size_t)h->argument : ARRAY_ROOM_MAX;
  cw_status status = cw_value_array(room, out, r->err);
  for (uint64_t i = 0; status == CW_OK && (open ? !take_break(r) : i < h->argument); i++) {
    cw_value item;
    status = read_at(r, &item, depth);
    if (status == CW_OK) status = cw_value_array_push(out, item, r->err);
  }
  return status;
}

static cw_status read_map(reader *r, const head *h, cw_value *out, int depth) {
  bool open = h->info == INDEFINITE;
  if (!open && h->argument > (r->size - r->at) / 2)
    return malformed(r, "a map that ends too early");
  cw_status status = cw_value_object(out, r->err);
  for (uint64_t i = 0; status == CW_OK && (open ? !take_break(r) : i < h->argument); i++) {
    cw_value key;
    cw_value item = cwi_value_none();
    status = read_at(r, &key, depth);
    if (status == CW_OK && key.kind != CW_VALUE_STRING) {
      status = CWI_RAISE(r->err, CW_E_TYPE, 0, "a key before byte %zu is not a text", r->at);
    }
    if (status == CW_OK) status = read_at(r, &item, depth);
    if (status == CW_OK) status = cwi_value_object_set_key(out, key, item, r->err);
    cw_value_release(&key);
  }
  return status;
}

static cw_status read_time(reader *r, uint64_t tag, cw_value parts, cw_value *out) {
  cw_value seconds = cw_value_array_get(parts, 0);
  cw_value nanos = cw_value_array_get(parts, 1);
  bool good = cw_value_len(parts) <= 2 && (seconds.kind == CW_VALUE_INT || seconds.kind == 0) &&
              (nanos.kind == CW_VALUE_INT || nanos.kind == 0) && cw_value_as_int(nanos) >= 0 &&
              cw_value_as_int(nanos) < 1000000000;
  if (tag == TAG_DURATION) good = good && cw_value_as_int(seconds) >= 0;
  if (!good) return malformed(r, "a wrong time");
  uint32_t fraction = (uint32_t)cw_value_as_int(nanos);
  *out = tag == TAG_DURATION ? cw_value_duration((uint64_t)cw_value_as_int(seconds), fraction)
                             : cw_value_datetime(cw_value_as_int(seconds), fraction);
  return CW_OK;
}

static cw_status read_tag(reader *r, uint64_t tag, cw_value *out, int depth) {
  cw_value content;
  cw_status status = read_at(r, &content, depth);
  if (status != CW_OK) return status;
  cw_bytes bytes = cw_value_as_bytes(content);
  if (tag == TAG_NONE && content.kind == CW_VALUE_NULL) {
    *out = cwi_value_none();
  } else if ((tag == TAG_DATETIME || tag == TAG_DURATION) && content.kind == CW_VALUE_ARRAY) {
    status = read_time(r, tag, content, out);
  } else if (tag == TAG_UUID && content.kind == CW_VALUE_BYTES && bytes.size == 16) {
    status = cw_value_uuid(bytes.data, out, r->err);
  } else {
    *out = content;
    return CW_OK;
  }
  cw_value_release(&content);
  return status;
}

static double from_half(uint64_t bits) {
  int exponent = (int)(bits >> 10 & 31);
  double fraction = (double)(bits & 1023);
  double value = exponent == 0    ? ldexp(fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? INFINITY : (double)NAN)
                                  : ldexp(fraction + 1024, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

static cw_status read_simple(reader *r, const head *h, cw_value *out) {
  if (h->info == 25) {
    *out = cwi_value_float(from_half(h->argument));
  } else if (h->info == 26) {
    uint32_t bits = (uint32_t)h->argument;
    float single;
    memcpy(&single, &bits, sizeof(single));
    *out = cwi_value_float((double)single);
  } else if (h->info == 27) {
    *out = (cw_value){.bits = h->argument, .kind = CW_VALUE_FLOAT};
  } else if (h->info == SIMPLE_FALSE || h->info == SIMPLE_TRUE) {
    *out = cwi_value_bool(h->info == SIMPLE_TRUE);
  } else if (h->info == SIMPLE_NULL || h->info == SIMPLE_UNDEFINED) {
    *out = h->info == SIMPLE_NULL ? cwi_value_null() : cwi_value_none();
  } else {
    return malformed(r, h->info == INDEFINITE ? "a break" : "an unknown simple value");
  }
  return CW_OK;
}

static cw_status read_int(reader *r, const head *h, cw_value *out) {
  if (h->argument > INT64_MAX) {
    return CWI_RAISE(r->err, CW_E_RANGE, 0, "the integer before byte %zu needs more than 64 bits",
                     r->at);
  }
  int64_t value = (int64_t)h->argument;
  *out = cwi_value_int(h->major == CWI_CBOR_UINT ? value : -1 - value);
  return CW_OK;
}

static cw_status read_at(reader *r, cw_value *out, int depth) {
  head h = {0};
  *out = cwi_value_none();
  if (depth == CW_VALUE_DEPTH_MAX) {
    return CWI_RAISE(r->err, CW_E_LIMIT, 0, "nested deeper than %d", CW_VALUE_DEPTH_MAX);
  }
  cw_status status = read_head(r, &h);
  if (status != CW_OK) return status;
  switch (h.major) {
    case CWI_CBOR_UINT:
    case CWI_CBOR_NEGATIVE: return read_int(r, &h, out);
    case CWI_CBOR_BYTES:
    case CWI_CBOR_TEXT: return read_string(r, &h, out);
    case CWI_CBOR_ARRAY: status = read_array(r, &h, out, depth + 1); break;
    case CWI_CBOR_MAP: status = read_map(r, &h, out, depth + 1); break;
    case CWI_CBOR_TAG: return read_tag(r, h.argument, out, depth + 1);
    default: return read_simple(r, &h, out);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cw_value_from_cbor(const void *data, size_t size, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cwi_error_clear(err);
  reader r = {.data = data, .size = size, .err = err};
  cw_status status = read_at(&r, out, 0);
  if (status == CW_OK && r.at != size) status = malformed(&r, "more than one item");
  if (status != CW_OK) cw_value_release(out);
  return status;
}
