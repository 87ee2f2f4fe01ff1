/* SPDX-License-Identifier: MIT */
/* Case and properties of characters. Text given in is valid UTF-8. */
#ifndef CORE_UNICODE_H
#define CORE_UNICODE_H

#include "core/buf.h"

/* Simple case: one character to one; a character without stays as it is. */
uint32_t cwi_unicode_lower(uint32_t codepoint);
uint32_t cwi_unicode_upper(uint32_t codepoint);

/* Full case of text: a sharp s becomes SS, a capital sigma that ends a word a final one. False
 * where there is no memory. */
bool cwi_unicode_append_lower(cwi_buf *out, const char *text, size_t size);
bool cwi_unicode_append_upper(cwi_buf *out, const char *text, size_t size);

bool cwi_unicode_is_letter(uint32_t codepoint);  /* L* */
bool cwi_unicode_is_digit(uint32_t codepoint);   /* Nd */
bool cwi_unicode_is_numeric(uint32_t codepoint); /* N* */
bool cwi_unicode_is_space(uint32_t codepoint);   /* White_Space */
bool cwi_unicode_is_mark(uint32_t codepoint);    /* Mn, Me: what stands on the letter before */
/* False for what a reader cannot see: controls, format, private, unassigned, and spaces but U+0020.
 */
bool cwi_unicode_is_printable(uint32_t codepoint);

#endif
