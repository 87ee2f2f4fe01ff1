/* SPDX-License-Identifier: MIT */
/* UTF-8. Eight ASCII bytes at a time, then the table of well-formed sequences of Unicode 15,
 * section 3.9, table 3-7. */
#include "core/utf8.h"

#include <string.h>

#include "core/compiler.h"

#define ASCII_MASK 0x8080808080808080ULL

static bool is_continuation(unsigned char c) { return (c & 0xC0) == 0x80; }

size_t cwi_utf8_decode(const char *text, size_t size, uint32_t *codepoint) {
  const unsigned char *s = (const unsigned char *)text;
  *codepoint = CWI_UTF8_REPLACEMENT;
  if (size == 0) return 0;
  if (s[0] < 0x80) {
    *codepoint = s[0];
    return 1;
  }
  if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
  size_t len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
  if (size < len) return 0;
  unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
  unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
  if (s[1] < low || s[1] > high) return 0;
  uint32_t value = s[0] & (0xFFU >> (len + 1));
  for (size_t i = 1; i < len; i++) {
    if (!is_continuation(s[i])) return 0;
    value = (value << 6) | (s[i] & 0x3FU);
  }
  *codepoint = value;
  return len;
}

size_t cwi_utf8_valid_prefix(const char *text, size_t size) {
  size_t offset = 0;
  while (offset < size) {
    uint64_t word;
    if (size - offset >= sizeof(word)) {
      memcpy(&word, text + offset, sizeof(word));
      if ((word & ASCII_MASK) == 0) {
        offset += sizeof(word);
        continue;
      }
    }
    uint32_t codepoint;
    size_t len = cwi_utf8_decode(text + offset, size - offset, &codepoint);
    if (len == 0) return offset;
    offset += len;
  }
  return size;
}

bool cwi_utf8_is_valid(const char *text, size_t size) {
  return cwi_utf8_valid_prefix(text, size) == size;
}

size_t cwi_utf8_encode(uint32_t codepoint, char bytes[CWI_UTF8_BYTES_MAX]) {
  if (codepoint > 0x10FFFF || (codepoint >= 0xD800 && codepoint <= 0xDFFF)) {
    codepoint = CWI_UTF8_REPLACEMENT;
  }
  if (codepoint < 0x80) {
    bytes[0] = (char)codepoint;
    return 1;
  }
  size_t len = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
  for (size_t i = len - 1; i > 0; i--) {
    bytes[i] = (char)(0x80 | (codepoint & 0x3F));
    codepoint >>= 6;
  }
  bytes[0] = (char)((0xF00U >> len) | codepoint);
  return len;
}

size_t cwi_utf8_len(const char *text, size_t size) {
  size_t len = 0;
  for (size_t i = 0; i < size; i++) len += !is_continuation((unsigned char)text[i]);
  return len;
}

size_t cwi_utf8_offset(const char *text, size_t size, size_t index) {
  size_t offset = 0;
  while (offset < size) {
    if (!is_continuation((unsigned char)text[offset])) {
      if (index == 0) return offset;
      index--;
    }
    offset++;
  }
  return size;
}

size_t cwi_utf8_floor(const char *text, size_t size, size_t offset) {
  if (offset > size) offset = size;
  while (offset > 0 && offset < size && is_continuation((unsigned char)text[offset])) offset--;
  if (offset == size) {
    /* The text may have been cut in the middle of its last character. */
    size_t start = offset;
    while (start > 0 && offset - start < CWI_UTF8_BYTES_MAX &&
           is_continuation((unsigned char)text[start - 1])) {
      start--;
    }
    uint32_t codepoint;
    if (start > 0) start--;
    if (start < offset && (unsigned char)text[start] >= 0x80 &&
        cwi_utf8_decode(text + start, size - start, &codepoint) == 0) {
      return start;
    }
  }
  return offset;
}
