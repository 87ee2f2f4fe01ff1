/* SPDX-License-Identifier: MIT */
/* Letters: case, classes, folding; by utf8proc. Names with their folder: only db_unicode.c includes
 * it. */
#ifndef DB_UNICODE_H
#define DB_UNICODE_H

#include "core/buf.h"

/* Append `text` with every letter in the other case; `words`: the first of each word upper. */
bool cwi_db_unicode_append_lower(cwi_buf *out, const char *text, size_t size);
bool cwi_db_unicode_append_upper(cwi_buf *out, const char *text, size_t size);
bool cwi_db_unicode_append_words(cwi_buf *out, const char *text, size_t size);
/* Without marks, case folded: what sorting "lexically" and slugs compare. */
bool cwi_db_unicode_append_folded(cwi_buf *out, const char *text, size_t size);
/* marks off, case kept */
bool cwi_db_unicode_append_ascii(cwi_buf *out, const char *text, size_t size);
bool cwi_db_unicode_is_letter(uint32_t codepoint);
bool cwi_db_unicode_is_number(uint32_t codepoint);
bool cwi_db_unicode_is_space(uint32_t codepoint);
bool cwi_db_unicode_is_punctuation(uint32_t codepoint);
bool cwi_db_unicode_is_upper(uint32_t codepoint);

#endif
