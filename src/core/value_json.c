/* SPDX-License-Identifier: MIT */
/* Reading JSON: one pass, straight into values. Strings without escapes are copied as one run; the
 * text is checked as UTF-8 once, before. */
#include "core/value_json.h"

#include <string.h>

#include "core/assert.h"
#include "core/error.h"
#include "core/number.h"
#include "core/utf8.h"
#include "core/value.h"

#define NUMBER_BYTES_MAX 1100 /* longer ones are cut: no double needs more than 767 digits */

typedef struct reader {
  const char *text;
  size_t size;
  size_t at;
  uint32_t depth_max;
  bool refuse_large_ints;
  cwi_buf joined; /* a string with escapes */
  cw_error *err;
} reader;

static cw_status fail_at(reader *r, cw_status code, size_t at, const char *what) {
  cw_error *err = r->err;
  int32_t line = 1;
  size_t start = 0;
  for (size_t i = 0; i < at; i++) {
    if (r->text[i] != '\n') continue;
    line++;
    start = i + 1;
  }
  int32_t column = (int32_t)cwi_utf8_len(r->text + start, at - start) + 1;
  cw_status status =
      cwi_raise(err, code, 0, "cw_value_from_json", "%s at line %d, column %d", what, line, column);
  if (err != NULL) err->line = line;
  if (err != NULL) err->column = column;
  return status;
}

static cw_status fail(reader *r, const char *what) { return fail_at(r, CW_E_PARSE, r->at, what); }

static void skip_space(reader *r) {
  while (r->at < r->size) {
    char c = r->text[r->at];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    r->at++;
  }
}

static char peek(const reader *r) { return r->at < r->size ? r->text[r->at] : '\0'; }

/* ---- strings ---- */

static bool hex4(const char *text, uint32_t *out) {
  *out = 0;
  for (int i = 0; i < 4; i++) {
    char c = text[i];
    uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
    if (digit == 16) return false;
    *out = *out << 4 | digit;
  }
  return true;
}

/* After "\u". */
static cw_status read_unicode(reader *r) {
  uint32_t high;
  uint32_t low;
  size_t start = r->at - 2;
  if (r->size - r->at < 4 || !hex4(r->text + r->at, &high))
    return fail(r, "four hex digits missing");
  r->at += 4;
  if (high >= 0xDC00 && high <= 0xDFFF) return fail_at(r, CW_E_ENCODING, start, "a lone surrogate");
  if (high >= 0xD800 && high <= 0xDBFF) {
    bool pair = r->size - r->at >= 6 && r->text[r->at] == '\\' && r->text[r->at + 1] == 'u' &&
                hex4(r->text + r->at + 2, &low) && low >= 0xDC00 && low <= 0xDFFF;
    if (!pair) return fail_at(r, CW_E_ENCODING, start, "a lone surrogate");
    r->at += 6;
    high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }
  (void)cwi_buf_append_codepoint(&r->joined, high);
  return CW_OK;
}

static cw_status read_escape(reader *r) {
  static const char FROM[] = "\"\\/bfnrt";
  static const char TO[] = "\"\\/\b\f\n\r\t";
  r->at++;
  char c = peek(r);
  const char *found = c == '\0' ? NULL : strchr(FROM, c);
  if (c == 'u') {
    r->at++;
    return read_unicode(r);
  }
  if (found == NULL) return fail(r, "an unknown escape");
  r->at++;
  (void)cwi_buf_append_char(&r->joined, TO[found - FROM]);
  return CW_OK;
}

/* Bytes that end a run: quote, backslash, control characters. */
static size_t run_length(const char *text, size_t size) {
  size_t i = 0;
  while (i + 8 <= size) {
    uint64_t word;
    memcpy(&word, text + i, 8);
    uint64_t quote = word ^ 0x2222222222222222U;
    uint64_t slash = word ^ 0x5C5C5C5C5C5C5C5CU;
    uint64_t hit = ((quote - 0x0101010101010101U) & ~quote) |
                   ((slash - 0x0101010101010101U) & ~slash) |
                   ((word - 0x2020202020202020U) & ~word);
    if ((hit & 0x8080808080808080U) != 0) break;
    i += 8;
  }
  while (i < size && text[i] != '"' && text[i] != '\\' && (unsigned char)text[i] >= 0x20) i++;
  return i;
}

static cw_status read_string(reader *r, cw_value *out) {
  r->at++;
  size_t run = run_length(r->text + r->at, r->size - r->at);
  if (r->at + run < r->size && r->text[r->at + run] == '"') { /* the usual: no escape */
    cw_status status = cwi_value_string_trusted(r->text + r->at, run, out, r->err);
    r->at += run + 1;
    return status;
  }
  cwi_buf_clear(&r->joined);
  for (;;) {
    run = run_length(r->text + r->at, r->size - r->at);
    (void)cwi_buf_append(&r->joined, r->text + r->at, run);
    r->at += run;
    if (r->at == r->size) return fail(r, "a string that does not end");
    if (r->text[r->at] == '"') break;
    if (r->text[r->at] != '\\') return fail(r, "a control character in a string");
    cw_status status = read_escape(r);
    if (status != CW_OK) return status;
  }
  r->at++;
  return cwi_value_string_from_buf(&r->joined, out, r->err);
}

/* ---- numbers ---- */

static size_t digits(reader *r) {
  size_t start = r->at;
  while (peek(r) >= '0' && peek(r) <= '9') r->at++;
  return r->at - start;
}

static bool to_int(const char *text, size_t size, int64_t *out) {
  bool negative = text[0] == '-';
  uint64_t value = 0;
  for (size_t i = negative ? 1 : 0; i < size; i++) {
    if (CWI_MUL_OVERFLOWS(value, (uint64_t)10, &value) ||
        CWI_ADD_OVERFLOWS(value, (uint64_t)(text[i] - '0'), &value)) {
      return false;
    }
  }
  if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return true;
}

static cw_status read_number(reader *r, cw_value *out) {
  size_t start = r->at;
  bool whole = true;
  int64_t number = 0;
  if (peek(r) == '-') r->at++;
  bool zero = peek(r) == '0';
  size_t len = digits(r);
  if (len == 0 || (zero && len > 1)) return fail(r, "not a number");
  if (peek(r) == '.') {
    whole = false;
    r->at++;
    if (digits(r) == 0) return fail(r, "digits missing after the point");
  }
  if (peek(r) == 'e' || peek(r) == 'E') {
    whole = false;
    r->at++;
    if (peek(r) == '+' || peek(r) == '-') r->at++;
    if (digits(r) == 0) return fail(r, "digits missing in the exponent");
  }
  if (whole && to_int(r->text + start, r->at - start, &number)) {
    *out = cwi_value_int(number);
    return CW_OK;
  }
  if (whole && r->refuse_large_ints) {
    return fail_at(r, CW_E_RANGE, start, "an integer of more than 64 bits");
  }
  char text[NUMBER_BYTES_MAX];
  size_t size = r->at - start;
  if (size >= sizeof(text)) return fail_at(r, CW_E_LIMIT, start, "a number of too many digits");
  memcpy(text, r->text + start, size);
  text[size] = '\0';
  *out = cwi_value_float(cwi_float_parse(text, NULL));
  return CW_OK;
}

/* ---- the rest ---- */

static cw_status read_at(reader *r, cw_value *out, uint32_t depth);

static cw_status read_array(reader *r, cw_value *out, uint32_t depth) {
  cw_status status = cw_value_array(0, out, r->err);
  r->at++;
  skip_space(r);
  if (status == CW_OK && peek(r) == ']') {
    r->at++;
    return CW_OK;
  }
  while (status == CW_OK) {
    cw_value item;
    status = read_at(r, &item, depth);
    if (status == CW_OK) status = cw_value_array_push(out, item, r->err);
    if (status != CW_OK) break;
    skip_space(r);
    if (peek(r) == ']') {
      r->at++;
      return CW_OK;
    }
    if (peek(r) != ',') return fail(r, "',' or ']' expected");
    r->at++;
  }
  return status;
}

static cw_status read_entry(reader *r, cw_value *object, uint32_t depth) {
  cw_value key = cwi_value_none();
  cw_value item = cwi_value_none();
  skip_space(r);
  if (peek(r) != '"') return fail(r, "a key in quotes expected");
  cw_status status = read_string(r, &key);
  if (status != CW_OK) return status;
  skip_space(r);
  if (peek(r) != ':') {
    status = fail(r, "':' expected");
  } else {
    r->at++;
    status = read_at(r, &item, depth);
  }
  if (status == CW_OK) status = cwi_value_object_set_key(object, key, item, r->err);
  cw_value_release(&key);
  return status;
}

static cw_status read_object(reader *r, cw_value *out, uint32_t depth) {
  cw_status status = cw_value_object(out, r->err);
  r->at++;
  skip_space(r);
  if (status == CW_OK && peek(r) == '}') {
    r->at++;
    return CW_OK;
  }
  while (status == CW_OK) {
    status = read_entry(r, out, depth);
    if (status != CW_OK) break;
    skip_space(r);
    if (peek(r) == '}') {
      r->at++;
      return CW_OK;
    }
    if (peek(r) != ',') return fail(r, "',' or '}' expected");
    r->at++;
  }
  return status;
}

static cw_status read_word(reader *r, const char *word, cw_value value, cw_value *out) {
  size_t len = strlen(word);
  if (r->size - r->at < len || memcmp(r->text + r->at, word, len) != 0) {
    return fail(r, "not a JSON value");
  }
  r->at += len;
  *out = value;
  return CW_OK;
}

static cw_status read_at(reader *r, cw_value *out, uint32_t depth) {
  cw_status status;
  *out = cwi_value_none();
  skip_space(r);
  switch (peek(r)) {
    case '{':
    case '[':
      if (depth == r->depth_max) return fail_at(r, CW_E_LIMIT, r->at, "nested too deeply");
      status = peek(r) == '{' ? read_object(r, out, depth + 1) : read_array(r, out, depth + 1);
      if (status != CW_OK) cw_value_release(out);
      return status;
    case '"': return read_string(r, out);
    case 't': return read_word(r, "true", cwi_value_bool(true), out);
    case 'f': return read_word(r, "false", cwi_value_bool(false), out);
    case 'n': return read_word(r, "null", cwi_value_null(), out);
    default: break;
  }
  bool number = peek(r) == '-' || (peek(r) >= '0' && peek(r) <= '9');
  return number ? read_number(r, out) : fail(r, "not a JSON value");
}

cw_status cw_value_from_json(const char *text, size_t size, const cw_json_options *options,
                             cw_value *out, cw_error *err) {
  const cw_json_options defaults = CW_JSON_OPTIONS_INIT;
  *out = cwi_value_none();
  cwi_error_clear(err);
  if (options == NULL) options = &defaults;
  if (options->struct_size != sizeof(*options)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size");
  }
  reader r = {
      .text = text, .size = size, .err = err, .refuse_large_ints = options->refuse_large_ints};
  r.depth_max = options->depth_max < CW_VALUE_DEPTH_MAX ? options->depth_max : CW_VALUE_DEPTH_MAX;
  size_t valid = cwi_utf8_valid_prefix(text, size);
  if (valid != size) return fail_at(&r, CW_E_ENCODING, valid, "not valid UTF-8");
  cwi_buf_init(&r.joined, 0);
  cw_status status = read_at(&r, out, 0);
  if (status == CW_OK) {
    skip_space(&r);
    if (r.at != size) status = fail(&r, "more than one value");
  }
  if (status != CW_OK) cw_value_release(out);
  cwi_buf_deinit(&r.joined);
  return status;
}
