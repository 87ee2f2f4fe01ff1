/* SPDX-License-Identifier: MIT */
/* JSON in, for vectors: a reader that is independent of the library's own, which is under test.
 * "Infinity" and such do not occur. Nesting is that of the vectors: a few levels. */
#include <stdlib.h>

#include "conformance/conformance.h"
#include "core/error.h"

typedef struct reader {
  const char *at, *end;
  cwi_buf text;
  cw_error *err;
} reader;

static cw_status bad(reader *r, const char *what) {
  return CWI_RAISE(r->err, CW_E_PARSE, 0, "JSON: %s before '%.20s'", what, r->at);
}

static void skip_blanks(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' ||
                             *r->at == '\n')) r->at++;
}

static bool take_char(reader *r, char c) {
  skip_blanks(r);
  if (r->at >= r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static uint32_t read_hex4(reader *r) {
  uint32_t code = 0;
  for (int i = 0; i < 4 && r->at < r->end; i++, r->at++) {
    char digit[2] = {*r->at, 0};
    code = code * 16 + (uint32_t)strtoul(digit, NULL, 16);
  }
  return code;
}

static void read_escape(reader *r) {
  char c = *r->at++;
  switch (c) {
    case 'n': cwi_buf_append_char(&r->text, '\n'); return;
    case 't': cwi_buf_append_char(&r->text, '\t'); return;
    case 'r': cwi_buf_append_char(&r->text, '\r'); return;
    case 'b': cwi_buf_append_char(&r->text, '\b'); return;
    case 'f': cwi_buf_append_char(&r->text, '\f'); return;
    case 'u': break;
    default: cwi_buf_append_char(&r->text, c); return;
  }
  uint32_t code = read_hex4(r);
  if (code >= 0xD800 && code < 0xDC00 && r->end - r->at > 6 && r->at[0] == '\\') {
    r->at += 2;
    code = 0x10000 + ((code - 0xD800) << 10) + (read_hex4(r) - 0xDC00);
  }
  cwi_buf_append_codepoint(&r->text, code);
}

/* The string behind its opening quote, left in r->text. */
static cw_status read_text(reader *r) {
  cwi_buf_clear(&r->text);
  while (r->at < r->end && *r->at != '"') {
    if (*r->at == '\\' && r->at + 1 < r->end) {
      r->at++;
      read_escape(r);
    } else {
      cwi_buf_append_char(&r->text, *r->at++);
    }
  }
  if (r->at >= r->end) return bad(r, "open string");
  r->at++;
  return r->text.failed ? CWI_RAISE_NOMEM(r->err, "a string") : CW_OK;
}

static cw_status read_any(reader *r, cw_value *out);

static cw_status read_array(reader *r, cw_value *out) {
  cw_status status = cw_value_array(0, out, r->err);
  if (status != CW_OK || take_char(r, ']')) return status;
  do {
    cw_value item;
    status = read_any(r, &item);
    if (status == CW_OK) status = cw_value_array_push(out, item, r->err);
    if (status != CW_OK) return status;
  } while (take_char(r, ','));
  return take_char(r, ']') ? CW_OK : bad(r, "no ']'");
}

static cw_status read_object(reader *r, cw_value *out) {
  cw_status status = cw_value_object(out, r->err);
  if (status != CW_OK || take_char(r, '}')) return status;
  do {
    if (!take_char(r, '"')) return bad(r, "no key");
    cw_value key = cwi_value_none();
    cw_value item = cwi_value_none();
    status = read_text(r);
    if (status == CW_OK) status = cwi_value_string_from_buf(&r->text, &key, r->err);
    if (status == CW_OK && !take_char(r, ':')) status = bad(r, "no ':'");
    if (status == CW_OK) status = read_any(r, &item);
    if (status == CW_OK) status = cwi_value_object_set_key(out, key, item, r->err);
    cw_value_release(&key);
    if (status != CW_OK) return status;
  } while (take_char(r, ','));
  return take_char(r, '}') ? CW_OK : bad(r, "no '}'");
}

static cw_status read_number(reader *r, cw_value *out) {
  const char *start = r->at;
  bool is_float = false;
  while (r->at < r->end && strchr("+-.eE0123456789", *r->at) != NULL) {
    is_float = is_float || strchr(".eE", *r->at) != NULL;
    r->at++;
  }
  if (r->at == start) return bad(r, "no value");
  char digits[64];
  size_t size = (size_t)(r->at - start);
  if (size >= sizeof(digits)) return bad(r, "a long number");
  memcpy(digits, start, size);
  digits[size] = 0;
  *out = is_float ? cw_value_float(strtod(digits, NULL))
                  : cw_value_int((int64_t)strtoll(digits, NULL, 10));
  return CW_OK;
}

static bool take_word(reader *r, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return false;
  r->at += size;
  return true;
}

static cw_status read_any(reader *r, cw_value *out) {
  *out = cw_value_none();
  if (take_char(r, '{')) return read_object(r, out);
  if (take_char(r, '[')) return read_array(r, out);
  if (take_char(r, '"')) {
    cw_status status = read_text(r);
    return status != CW_OK ? status : cwi_value_string_from_buf(&r->text, out, r->err);
  }
  if (take_word(r, "null")) {
    *out = cw_value_null();
    return CW_OK;
  }
  if (take_word(r, "true") || take_word(r, "false")) {
    *out = cw_value_bool(r->at[-2] == 'u');
    return CW_OK;
  }
  return read_number(r, out);
}

cw_status conformance_read_json(const char *text, size_t size, cw_value *out, cw_error *err) {
  reader r = {.at = text, .end = text + size, .err = err};
  cwi_buf_init(&r.text, 0);
  cw_status status = read_any(&r, out);
  skip_blanks(&r);
  if (status == CW_OK && r.at != r.end) status = bad(&r, "text after the value");
  cwi_buf_deinit(&r.text);
  if (status != CW_OK) cw_value_release(out);
  return status;
}
