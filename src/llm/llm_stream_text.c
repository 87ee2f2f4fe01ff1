/* SPDX-License-Identifier: MIT */
/* Holding back is exact: the longest end of the text that begins a stop sequence, and the bytes of
 * a character that is cut short. Both are short, so plain comparisons do. */
#include "llm/llm_stream_text.h"

#include <string.h>

#include "core/assert.h"
#include "core/error.h"
#include "core/utf8.h"

void cwi_llm_stream_text_init(cwi_llm_stream_text *t, const cw_bytes *stops, size_t len) {
  *t = (cwi_llm_stream_text){.stops = stops, .stops_len = len, .stop = len};
  cwi_buf_init(&t->held, 0);
}

void cwi_llm_stream_text_deinit(cwi_llm_stream_text *t) { cwi_buf_deinit(&t->held); }

bool cwi_llm_stream_text_is_stopped(const cwi_llm_stream_text *t) { return t->stop < t->stops_len; }

/* Where the first stop sequence begins; the size of the text where there is none. */
static size_t find_stop(cwi_llm_stream_text *t) {
  size_t first = t->held.size;
  for (size_t s = 0; s < t->stops_len; s++) {
    const cw_bytes *stop = &t->stops[s];
    CWI_ASSERT(stop->size > 0);
    for (size_t i = 0; i < first && stop->size <= t->held.size - i; i++) {
      if (memcmp(t->held.data + i, stop->data, stop->size) != 0) continue;
      first = i;
      t->stop = s;
    }
  }
  return first;
}

/* How many of the last bytes begin a stop sequence. */
static size_t held_for_stops(const cwi_llm_stream_text *t) {
  size_t longest = 0;
  for (size_t s = 0; s < t->stops_len; s++) {
    const cw_bytes *stop = &t->stops[s];
    size_t len = stop->size - 1 < t->held.size ? stop->size - 1 : t->held.size;
    for (; len > longest; len--) {
      if (memcmp(t->held.data + t->held.size - len, stop->data, len) == 0) longest = len;
    }
  }
  return longest;
}

/* How many of the last bytes are the beginning of a character. */
static size_t held_for_character(const char *text, size_t size) {
  for (size_t back = 1; back <= 3 && back <= size; back++) {
    const uint8_t byte = (uint8_t)text[size - back];
    if ((byte & 0xC0) == 0x80) continue;
    const size_t len = byte >= 0xF0 && byte < 0xF5   ? 4
                       : byte >= 0xE0 && byte < 0xF0 ? 3
                       : byte >= 0xC2 && byte < 0xE0 ? 2
                                                     : 0;
    return len > back ? back : 0;
  }
  return 0;
}

/* Moves the first `size` bytes to `out`. */
static cw_status show(cwi_llm_stream_text *t, size_t size, cwi_buf *out, cw_error *err) {
  const size_t before = out->size;
  for (size_t i = 0; i < size;) {
    uint32_t codepoint = 0;
    const size_t len = cwi_utf8_decode(t->held.data + i, size - i, &codepoint);
    (void)cwi_buf_append_codepoint(out, codepoint);
    i += len == 0 ? 1 : len;
  }
  if (out->failed) {
    out->size = before;
    return CWI_RAISE_NOMEM(err, "the text of an answer");
  }
  memmove(t->held.data, t->held.data + size, t->held.size - size);
  t->held.size -= size;
  return CW_OK;
}

cw_status cwi_llm_stream_text_push(cwi_llm_stream_text *t, const void *bytes, size_t size,
                                   cwi_buf *out, cw_error *err) {
  if (cwi_llm_stream_text_is_stopped(t) || size == 0) return CW_OK;
  if (!cwi_buf_append(&t->held, bytes, size)) {
    return CWI_RAISE_NOMEM(err, "the text of an answer");
  }
  size_t ready = find_stop(t);
  if (!cwi_llm_stream_text_is_stopped(t)) {
    const size_t held = held_for_stops(t);
    ready = t->held.size - held;
    if (held == 0) ready -= held_for_character(t->held.data, ready);
  }
  const cw_status status = ready > 0 ? show(t, ready, out, err) : CW_OK;
  if (cwi_llm_stream_text_is_stopped(t)) cwi_buf_clear(&t->held);
  return status;
}

cw_status cwi_llm_stream_text_finish(cwi_llm_stream_text *t, cwi_buf *out, cw_error *err) {
  return t->held.size > 0 ? show(t, t->held.size, out, err) : CW_OK;
}
