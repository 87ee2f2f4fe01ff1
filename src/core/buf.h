/* SPDX-License-Identifier: MIT */
/* A growing run of bytes, with printing. A failed append marks the buffer as failed and later
 * appends do nothing, so that a long run of appends needs one check at its end. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/base.h"
#include "core/compiler.h"

typedef struct cwi_buf {
  char *data;
  size_t size;
  size_t cap;
  size_t size_max; /* 0: no maximum */
  bool failed;     /* an append did not fit or found no memory; the contents stay as they were */
} cwi_buf;

/* Makes an empty buffer that never holds more than `size_max` bytes (0: no maximum). */
void cwi_buf_init(cwi_buf *buf, size_t size_max);
void cwi_buf_deinit(cwi_buf *buf);

/* Makes room for `more` further bytes; false where there is none. */
bool cwi_buf_reserve(cwi_buf *buf, size_t more);

/* Appends; false (and `failed` set) where there is no room. */
bool cwi_buf_append(cwi_buf *buf, const void *data, size_t size);
bool cwi_buf_append_str(cwi_buf *buf, const char *text);
bool cwi_buf_append_format(cwi_buf *buf, const char *format, ...) CWI_PRINTF(2, 3);

/* Appends one Unicode scalar value as UTF-8. */
bool cwi_buf_append_codepoint(cwi_buf *buf, uint32_t codepoint);

CWI_INLINE bool cwi_buf_append_char(cwi_buf *buf, char c) {
  if (CWI_LIKELY(buf->size < buf->cap && !buf->failed)) {
    buf->data[buf->size++] = c;
    return true;
  }
  return cwi_buf_append(buf, &c, 1);
}

/* Forgets the contents, keeps the memory, clears `failed`. */
void cwi_buf_clear(cwi_buf *buf);

/* Returns the contents with a NUL behind them (not counted), or NULL where there is no memory.
 * Borrowed: valid until the next change. */
const char *cwi_buf_cstr(cwi_buf *buf);

/* Moves the contents out, shrunk to `*size` + 1 bytes with a NUL behind them; NULL where there is
 * no memory. The caller frees with cwi_free(data, *size + 1). The buffer is empty afterwards. */
char *cwi_buf_take(cwi_buf *buf, size_t *size);

#endif
