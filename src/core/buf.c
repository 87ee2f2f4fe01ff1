/* SPDX-License-Identifier: MIT */
/* A growing byte buffer. Capacity grows by half; the maximum is a hard one. */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/size.h"
#include "core/utf8.h"

void cwi_buf_init(cwi_buf *buf, size_t size_max) { *buf = (cwi_buf){.size_max = size_max}; }

void cwi_buf_deinit(cwi_buf *buf) {
  cwi_free(buf->data, buf->cap);
  cwi_buf_init(buf, buf->size_max);
}

bool cwi_buf_reserve(cwi_buf *buf, size_t more) {
  size_t need = 0;
  if (buf->failed) return false;
  if (!cwi_size_add(buf->size, more, &need)) goto fail;
  if (need <= buf->cap) return true;
  if (buf->size_max != 0 && need > buf->size_max) goto fail;
  size_t cap = cwi_size_grow(buf->cap, cwi_size_max(need, 32));
  if (buf->size_max != 0) cap = cwi_size_min(cap, buf->size_max);
  char *data = cwi_realloc(buf->data, buf->cap, cap);
  if (data == NULL) goto fail;
  buf->data = data;
  buf->cap = cap;
  return true;
fail:
  buf->failed = true;
  return false;
}

bool cwi_buf_append(cwi_buf *buf, const void *data, size_t size) {
  CWI_ASSERT(data != NULL || size == 0);
  if (!cwi_buf_reserve(buf, size)) return false;
  if (size != 0) memcpy(buf->data + buf->size, data, size);
  buf->size += size;
  return true;
}

bool cwi_buf_append_str(cwi_buf *buf, const char *text) {
  return cwi_buf_append(buf, text, strlen(text));
}

bool cwi_buf_append_format(cwi_buf *buf, const char *format, ...) {
  char small[128];
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int wanted = vsnprintf(small, sizeof(small), format, arguments);
  va_end(arguments);
  bool done = false;
  if (wanted >= 0 && (size_t)wanted < sizeof(small)) {
    done = cwi_buf_append(buf, small, (size_t)wanted);
  } else if (wanted >= 0 && cwi_buf_reserve(buf, (size_t)wanted + 1)) {
    (void)vsnprintf(buf->data + buf->size, (size_t)wanted + 1, format, again);
    buf->size += (size_t)wanted;
    done = true;
  }
  va_end(again);
  return done;
}

bool cwi_buf_append_codepoint(cwi_buf *buf, uint32_t codepoint) {
  char bytes[CWI_UTF8_BYTES_MAX];
  return cwi_buf_append(buf, bytes, cwi_utf8_encode(codepoint, bytes));
}

void cwi_buf_clear(cwi_buf *buf) {
  buf->size = 0;
  buf->failed = false;
}

const char *cwi_buf_cstr(cwi_buf *buf) {
  if (!cwi_buf_reserve(buf, 1)) return NULL;
  buf->data[buf->size] = '\0';
  return buf->data;
}

char *cwi_buf_take(cwi_buf *buf, size_t *size) {
  *size = 0;
  if (cwi_buf_cstr(buf) == NULL) return NULL;
  char *data = cwi_realloc(buf->data, buf->cap, buf->size + 1);
  if (data == NULL) return NULL;
  *size = buf->size;
  cwi_buf_init(buf, buf->size_max);
  return data;
}
