/* SPDX-License-Identifier: MIT */
/* Strings and byte strings. A string's text lies behind its header with a NUL after it; appending
 * to one that nobody shares grows it in place by half, so that building a text is linear. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"
#include "core/utf8.h"
#include "core/value.h"

static size_t string_bytes(size_t cap) { return sizeof(cwi_string) + cap + 1; }

cw_status cwi_value_string_room(size_t size, cw_value *out, char **text, cw_error *err) {
  *out = cwi_value_none();
  *text = NULL;
  if (size > PTRDIFF_MAX - sizeof(cwi_string) - 1) return CWI_RAISE_NOMEM(err, "a string");
  cwi_string *s = cwi_alloc(string_bytes(size));
  if (s == NULL) return CWI_RAISE_NOMEM(err, "a string");
  s->ref = (cwi_ref){.refs = 1};
  s->size = size;
  s->cap = size;
  s->text[size] = '\0';
  *out = cwi_value_of_ref(CW_VALUE_STRING, s);
  *text = s->text;
  return CW_OK;
}

cw_status cwi_value_string_trusted(const char *text, size_t size, cw_value *out, cw_error *err) {
  CWI_ASSERT(text != NULL || size == 0);
  char *room;
  cw_status status = cwi_value_string_room(size, out, &room, err);
  if (status == CW_OK && size > 0) memcpy(room, text, size);
  return status;
}

cw_status cw_value_string(const char *text, size_t size, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (text == NULL && size > 0) return CWI_RAISE(err, CW_E_INVALID, 0, "no text");
  size_t valid = cwi_utf8_valid_prefix(text, size);
  if (valid != size) {
    return CWI_RAISE(err, CW_E_ENCODING, 0, "the text is not valid UTF-8 at byte %zu", valid);
  }
  return cwi_value_string_trusted(text, size, out, err);
}

cw_status cwi_value_string_from_buf(const cwi_buf *buf, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (buf->failed) return CWI_RAISE_NOMEM(err, "a text");
  return cwi_value_string_trusted(buf->data, buf->size, out, err);
}

/* Replaces a string by one with room for `need` bytes, moved where nobody shares it. */
static cw_status grow_string(cw_value *string, size_t need, cw_error *err) {
  cwi_string *s = cwi_value_string_ptr(*string);
  size_t cap = cwi_size_grow(s->cap, need);
  if (cap > PTRDIFF_MAX - sizeof(cwi_string) - 1) return CWI_RAISE_NOMEM(err, "a string");
  bool shared = s->ref.refs != 1;
  cwi_string *grown = shared ? cwi_alloc(string_bytes(cap))
                             : cwi_realloc(s, string_bytes(s->cap), string_bytes(cap));
  if (grown == NULL) return CWI_RAISE_NOMEM(err, "a string");
  if (shared) {
    memcpy(grown, s, string_bytes(s->size));
    grown->ref = (cwi_ref){.refs = 1};
    cwi_value_drop(*string);
  }
  grown->cap = cap;
  string->bits = (uint64_t)(uintptr_t)grown;
  return CW_OK;
}

cw_status cwi_value_string_append(cw_value *string, const char *text, size_t size, cw_error *err) {
  CWI_ASSERT(string->kind == CW_VALUE_STRING);
  cwi_string *s = cwi_value_string_ptr(*string);
  size_t need = 0;
  if (!cwi_size_add(s->size, size, &need)) return CWI_RAISE_NOMEM(err, "a string");
  bool inside = text >= s->text && text <= s->text + s->size; /* appending a part of itself */
  size_t offset = inside ? (size_t)(text - s->text) : 0;
  if (need > s->cap || s->ref.refs != 1) {
    cw_status status = grow_string(string, need, err);
    if (status != CW_OK) return status;
    s = cwi_value_string_ptr(*string);
    if (inside) text = s->text + offset;
  }
  if (size > 0) memmove(s->text + s->size, text, size);
  s->size = need;
  s->text[need] = '\0';
  return CW_OK;
}

cw_status cw_value_bytes(const void *data, size_t size, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (data == NULL && size > 0) return CWI_RAISE(err, CW_E_INVALID, 0, "no data");
  cwi_byte_string *b = CWI_NEW(cwi_byte_string);
  if (b == NULL) return CWI_RAISE_NOMEM(err, "bytes");
  if (size > 0) {
    b->data = cwi_alloc(size);
    if (b->data == NULL) {
      CWI_FREE(b);
      return CWI_RAISE_NOMEM(err, "bytes");
    }
    memcpy(b->data, data, size);
  }
  b->ref.refs = 1;
  b->size = size;
  b->cap = size;
  *out = cwi_value_of_ref(CW_VALUE_BYTES, b);
  return CW_OK;
}
