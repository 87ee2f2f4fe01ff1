/* SPDX-License-Identifier: MIT */
/* Unicode properties and case, over utf8proc (the only place that includes it).
 *
 * utf8proc maps one character to one; the characters whose upper case is more than one
 * (SpecialCasing of the Unicode database, unconditional rows) stand in a table here, in order,
 * searched by halves. Lower case has one such character (U+0130) and one condition: a capital sigma
 * at the end of a word becomes a final sigma. */
#include "core/unicode.h"

#include <utf8proc.h>

#include "core/assert.h"
#include "core/utf8.h"

typedef struct expansion {
  uint32_t codepoint;
  uint32_t upper[3]; /* 0: no further one */
} expansion;

static const expansion EXPANSIONS[] = {
    {0x00DF, {0x0053, 0x0053, 0x0000}}, {0x0149, {0x02BC, 0x004E, 0x0000}},
    {0x01F0, {0x004A, 0x030C, 0x0000}}, {0x0390, {0x0399, 0x0308, 0x0301}},
    {0x03B0, {0x03A5, 0x0308, 0x0301}}, {0x0587, {0x0535, 0x0552, 0x0000}},
    {0x1E96, {0x0048, 0x0331, 0x0000}}, {0x1E97, {0x0054, 0x0308, 0x0000}},
    {0x1E98, {0x0057, 0x030A, 0x0000}}, {0x1E99, {0x0059, 0x030A, 0x0000}},
    {0x1E9A, {0x0041, 0x02BE, 0x0000}}, {0x1F50, {0x03A5, 0x0313, 0x0000}},
    {0x1F52, {0x03A5, 0x0313, 0x0300}}, {0x1F54, {0x03A5, 0x0313, 0x0301}},
    {0x1F56, {0x03A5, 0x0313, 0x0342}}, {0x1F80, {0x1F08, 0x0399, 0x0000}},
    {0x1F81, {0x1F09, 0x0399, 0x0000}}, {0x1F82, {0x1F0A, 0x0399, 0x0000}},
    {0x1F83, {0x1F0B, 0x0399, 0x0000}}, {0x1F84, {0x1F0C, 0x0399, 0x0000}},
    {0x1F85, {0x1F0D, 0x0399, 0x0000}}, {0x1F86, {0x1F0E, 0x0399, 0x0000}},
    {0x1F87, {0x1F0F, 0x0399, 0x0000}}, {0x1F88, {0x1F08, 0x0399, 0x0000}},
    {0x1F89, {0x1F09, 0x0399, 0x0000}}, {0x1F8A, {0x1F0A, 0x0399, 0x0000}},
    {0x1F8B, {0x1F0B, 0x0399, 0x0000}}, {0x1F8C, {0x1F0C, 0x0399, 0x0000}},
    {0x1F8D, {0x1F0D, 0x0399, 0x0000}}, {0x1F8E, {0x1F0E, 0x0399, 0x0000}},
    {0x1F8F, {0x1F0F, 0x0399, 0x0000}}, {0x1F90, {0x1F28, 0x0399, 0x0000}},
    {0x1F91, {0x1F29, 0x0399, 0x0000}}, {0x1F92, {0x1F2A, 0x0399, 0x0000}},
    {0x1F93, {0x1F2B, 0x0399, 0x0000}}, {0x1F94, {0x1F2C, 0x0399, 0x0000}},
    {0x1F95, {0x1F2D, 0x0399, 0x0000}}, {0x1F96, {0x1F2E, 0x0399, 0x0000}},
    {0x1F97, {0x1F2F, 0x0399, 0x0000}}, {0x1F98, {0x1F28, 0x0399, 0x0000}},
    {0x1F99, {0x1F29, 0x0399, 0x0000}}, {0x1F9A, {0x1F2A, 0x0399, 0x0000}},
    {0x1F9B, {0x1F2B, 0x0399, 0x0000}}, {0x1F9C, {0x1F2C, 0x0399, 0x0000}},
    {0x1F9D, {0x1F2D, 0x0399, 0x0000}}, {0x1F9E, {0x1F2E, 0x0399, 0x0000}},
    {0x1F9F, {0x1F2F, 0x0399, 0x0000}}, {0x1FA0, {0x1F68, 0x0399, 0x0000}},
    {0x1FA1, {0x1F69, 0x0399, 0x0000}}, {0x1FA2, {0x1F6A, 0x0399, 0x0000}},
    {0x1FA3, {0x1F6B, 0x0399, 0x0000}}, {0x1FA4, {0x1F6C, 0x0399, 0x0000}},
    {0x1FA5, {0x1F6D, 0x0399, 0x0000}}, {0x1FA6, {0x1F6E, 0x0399, 0x0000}},
    {0x1FA7, {0x1F6F, 0x0399, 0x0000}}, {0x1FA8, {0x1F68, 0x0399, 0x0000}},
    {0x1FA9, {0x1F69, 0x0399, 0x0000}}, {0x1FAA, {0x1F6A, 0x0399, 0x0000}},
    {0x1FAB, {0x1F6B, 0x0399, 0x0000}}, {0x1FAC, {0x1F6C, 0x0399, 0x0000}},
    {0x1FAD, {0x1F6D, 0x0399, 0x0000}}, {0x1FAE, {0x1F6E, 0x0399, 0x0000}},
    {0x1FAF, {0x1F6F, 0x0399, 0x0000}}, {0x1FB2, {0x1FBA, 0x0399, 0x0000}},
    {0x1FB3, {0x0391, 0x0399, 0x0000}}, {0x1FB4, {0x0386, 0x0399, 0x0000}},
    {0x1FB6, {0x0391, 0x0342, 0x0000}}, {0x1FB7, {0x0391, 0x0342, 0x0399}},
    {0x1FBC, {0x0391, 0x0399, 0x0000}}, {0x1FC2, {0x1FCA, 0x0399, 0x0000}},
    {0x1FC3, {0x0397, 0x0399, 0x0000}}, {0x1FC4, {0x0389, 0x0399, 0x0000}},
    {0x1FC6, {0x0397, 0x0342, 0x0000}}, {0x1FC7, {0x0397, 0x0342, 0x0399}},
    {0x1FCC, {0x0397, 0x0399, 0x0000}}, {0x1FD2, {0x0399, 0x0308, 0x0300}},
    {0x1FD3, {0x0399, 0x0308, 0x0301}}, {0x1FD6, {0x0399, 0x0342, 0x0000}},
    {0x1FD7, {0x0399, 0x0308, 0x0342}}, {0x1FE2, {0x03A5, 0x0308, 0x0300}},
    {0x1FE3, {0x03A5, 0x0308, 0x0301}}, {0x1FE4, {0x03A1, 0x0313, 0x0000}},
    {0x1FE6, {0x03A5, 0x0342, 0x0000}}, {0x1FE7, {0x03A5, 0x0308, 0x0342}},
    {0x1FF2, {0x1FFA, 0x0399, 0x0000}}, {0x1FF3, {0x03A9, 0x0399, 0x0000}},
    {0x1FF4, {0x038F, 0x0399, 0x0000}}, {0x1FF6, {0x03A9, 0x0342, 0x0000}},
    {0x1FF7, {0x03A9, 0x0342, 0x0399}}, {0x1FFC, {0x03A9, 0x0399, 0x0000}},
    {0xFB00, {0x0046, 0x0046, 0x0000}}, {0xFB01, {0x0046, 0x0049, 0x0000}},
    {0xFB02, {0x0046, 0x004C, 0x0000}}, {0xFB03, {0x0046, 0x0046, 0x0049}},
    {0xFB04, {0x0046, 0x0046, 0x004C}}, {0xFB05, {0x0053, 0x0054, 0x0000}},
    {0xFB06, {0x0053, 0x0054, 0x0000}}, {0xFB13, {0x0544, 0x0546, 0x0000}},
    {0xFB14, {0x0544, 0x0535, 0x0000}}, {0xFB15, {0x0544, 0x053B, 0x0000}},
    {0xFB16, {0x054E, 0x0546, 0x0000}}, {0xFB17, {0x0544, 0x053D, 0x0000}},
};

#define CAPITAL_SIGMA 0x03A3U
#define FINAL_SIGMA 0x03C2U
#define CAPITAL_I_DOT 0x0130U

static const expansion *find_expansion(uint32_t codepoint) {
  size_t low = 0;
  size_t high = CWI_ARRAY_LEN(EXPANSIONS);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (EXPANSIONS[middle].codepoint == codepoint) return &EXPANSIONS[middle];
    if (EXPANSIONS[middle].codepoint < codepoint) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

static uint32_t category(uint32_t codepoint) {
  return (uint32_t)utf8proc_category((utf8proc_int32_t)codepoint);
}

uint32_t cwi_unicode_lower(uint32_t codepoint) {
  if (codepoint < 0x80) return codepoint - 'A' < 26U ? codepoint + 32 : codepoint;
  return (uint32_t)utf8proc_tolower((utf8proc_int32_t)codepoint);
}

uint32_t cwi_unicode_upper(uint32_t codepoint) {
  if (codepoint < 0x80) return codepoint - 'a' < 26U ? codepoint - 32 : codepoint;
  if (find_expansion(codepoint) != NULL) {
    uint32_t title = (uint32_t)utf8proc_totitle((utf8proc_int32_t)codepoint);
    /* Greek letters with iota have a single capital; sharp s and the ligatures have none. */
    return codepoint >= 0x1F80 && codepoint <= 0x1FFC ? title : codepoint;
  }
  return (uint32_t)utf8proc_toupper((utf8proc_int32_t)codepoint);
}

bool cwi_unicode_is_letter(uint32_t codepoint) {
  uint32_t c = category(codepoint);
  return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool cwi_unicode_is_digit(uint32_t codepoint) {
  return category(codepoint) == UTF8PROC_CATEGORY_ND;
}

bool cwi_unicode_is_numeric(uint32_t codepoint) {
  uint32_t c = category(codepoint);
  return c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO;
}

bool cwi_unicode_is_space(uint32_t codepoint) {
  if (codepoint < 0x80) return codepoint == ' ' || (codepoint >= 9 && codepoint <= 13);
  return codepoint == 0x85 || codepoint == 0xA0 || codepoint == 0x1680 ||
         (codepoint >= 0x2000 && codepoint <= 0x200A) || codepoint == 0x2028 ||
         codepoint == 0x2029 || codepoint == 0x202F || codepoint == 0x205F || codepoint == 0x3000;
}

bool cwi_unicode_is_mark(uint32_t codepoint) {
  uint32_t c = category(codepoint);
  return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME;
}

bool cwi_unicode_is_printable(uint32_t codepoint) {
  if (codepoint < 0x80) return codepoint >= ' ' && codepoint < 0x7F;
  uint32_t c = category(codepoint);
  return c != UTF8PROC_CATEGORY_CN && (c < UTF8PROC_CATEGORY_ZS || c > UTF8PROC_CATEGORY_CO);
}

/* True where the character is cased, looking past those that are ignored (marks, format). */
static bool is_cased(uint32_t codepoint) {
  uint32_t c = category(codepoint);
  return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LT;
}

static bool is_case_ignored(uint32_t codepoint) {
  uint32_t c = category(codepoint);
  return codepoint == '\'' || codepoint == '.' || codepoint == ':' || codepoint == 0xB7 ||
         codepoint == 0x2019 || c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME ||
         c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_LM || c == UTF8PROC_CATEGORY_SK;
}

static bool cased_before(const char *text, size_t at) {
  while (at > 0) {
    size_t start = cwi_utf8_floor(text, at, at - 1);
    uint32_t codepoint = 0;
    if (cwi_utf8_decode(text + start, at - start, &codepoint) == 0) return false;
    if (!is_case_ignored(codepoint)) return is_cased(codepoint);
    at = start;
  }
  return false;
}

static bool cased_after(const char *text, size_t size, size_t at) {
  while (at < size) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(text + at, size - at, &codepoint);
    if (step == 0) return false;
    if (!is_case_ignored(codepoint)) return is_cased(codepoint);
    at += step;
  }
  return false;
}

bool cwi_unicode_append_lower(cwi_buf *out, const char *text, size_t size) {
  CWI_ASSERT(text != NULL || size == 0);
  for (size_t at = 0; at < size;) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(text + at, size - at, &codepoint);
    if (step == 0) step = 1;
    if (codepoint == CAPITAL_SIGMA && cased_before(text, at) &&
        !cased_after(text, size, at + step)) {
      cwi_buf_append_codepoint(out, FINAL_SIGMA);
    } else if (codepoint == CAPITAL_I_DOT) {
      cwi_buf_append(out, "i\xCC\x87", 3);
    } else {
      cwi_buf_append_codepoint(out, cwi_unicode_lower(codepoint));
    }
    at += step;
  }
  return !out->failed;
}

bool cwi_unicode_append_upper(cwi_buf *out, const char *text, size_t size) {
  CWI_ASSERT(text != NULL || size == 0);
  for (size_t at = 0; at < size;) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(text + at, size - at, &codepoint);
    if (step == 0) step = 1;
    const expansion *more = codepoint < 0x80 ? NULL : find_expansion(codepoint);
    if (more == NULL) {
      cwi_buf_append_codepoint(out, cwi_unicode_upper(codepoint));
    } else {
      for (size_t i = 0; i < 3 && more->upper[i] != 0; i++) {
        cwi_buf_append_codepoint(out, more->upper[i]);
      }
    }
    at += step;
  }
  return !out->failed;
}
