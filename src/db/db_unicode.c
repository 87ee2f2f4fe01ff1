/* SPDX-License-Identifier: MIT */
/* Letters, by utf8proc. */
#include "db/db_unicode.h"

#include <utf8proc.h>

#include "core/utf8.h"

typedef utf8proc_int32_t (*mapping)(utf8proc_int32_t);

static bool append_mapped(cwi_buf *out, const char *text, size_t size, mapping map) {
  for (size_t at = 0; at < size;) {
    uint32_t c;
    size_t step = cwi_utf8_decode(text + at, size - at, &c);
    if (step == 0) step = 1;
    at += step;
    if (map == utf8proc_toupper && c == 0xDF) {
      (void)cwi_buf_append_str(out, "SS");
    } else {
      (void)cwi_buf_append_codepoint(out, (uint32_t)map((utf8proc_int32_t)c));
    }
  }
  return !out->failed;
}

bool cwi_db_unicode_append_lower(cwi_buf *out, const char *text, size_t size) {
  return append_mapped(out, text, size, utf8proc_tolower);
}

bool cwi_db_unicode_append_upper(cwi_buf *out, const char *text, size_t size) {
  return append_mapped(out, text, size, utf8proc_toupper);
}

bool cwi_db_unicode_append_words(cwi_buf *out, const char *text, size_t size) {
  bool start = true;
  for (size_t at = 0; at < size;) {
    uint32_t c;
    size_t step = cwi_utf8_decode(text + at, size - at, &c);
    at += step == 0 ? 1 : step;
    (void)cwi_buf_append_codepoint(
        out, start ? (uint32_t)utf8proc_toupper((utf8proc_int32_t)c) : c);
    start = cwi_db_unicode_is_space(c);
  }
  return !out->failed;
}

/* Decomposes and drops marks; with `fold` letters lose their case. */
static bool append_plain(cwi_buf *out, const char *text, size_t size, bool fold) {
  for (size_t at = 0; at < size;) {
    uint32_t c;
    utf8proc_int32_t parts[24];
    int boundary = 0;
    size_t step = cwi_utf8_decode(text + at, size - at, &c);
    at += step == 0 ? 1 : step;
    int options =
        UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | (fold ? UTF8PROC_CASEFOLD : 0);
    utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)c, parts, 24,
                                                     (utf8proc_option_t)options, &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < 24; i++) {
      (void)cwi_buf_append_codepoint(out, (uint32_t)parts[i]);
    }
  }
  return !out->failed;
}

bool cwi_db_unicode_append_folded(cwi_buf *out, const char *text, size_t size) {
  return append_plain(out, text, size, true);
}

bool cwi_db_unicode_append_ascii(cwi_buf *out, const char *text, size_t size) {
  return append_plain(out, text, size, false);
}

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

bool cwi_db_unicode_is_letter(uint32_t c) {
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool cwi_db_unicode_is_number(uint32_t c) {
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

bool cwi_db_unicode_is_space(uint32_t c) {
  utf8proc_category_t k = category(c);
  return (c >= 9 && c <= 13) || c == 0x85 ||
         (k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_ZP);
}

bool cwi_db_unicode_is_punctuation(uint32_t c) {
  utf8proc_category_t k = category(c);
  return (k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_SO);
}

bool cwi_db_unicode_is_upper(uint32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
