/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629): check, decode, encode, step. Surrogates and overlong forms are invalid. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CWI_UTF8_BYTES_MAX 4
#define CWI_UTF8_REPLACEMENT 0xFFFDU

/* Returns the offset of the first byte that is not part of a valid character; `size` if none. */
size_t cwi_utf8_valid_prefix(const char *text, size_t size);

/* True where all of `text` is valid. */
bool cwi_utf8_is_valid(const char *text, size_t size);

/* Decodes one character at `text`; returns its bytes (1 to 4), or 0 where it is invalid or `size`
 * is too short, with *codepoint set to the replacement character. */
size_t cwi_utf8_decode(const char *text, size_t size, uint32_t *codepoint);

/* Encodes a scalar value; returns its bytes. Surrogates and values past U+10FFFF become U+FFFD. */
size_t cwi_utf8_encode(uint32_t codepoint, char bytes[CWI_UTF8_BYTES_MAX]);

/* Returns the number of characters in valid UTF-8. */
size_t cwi_utf8_len(const char *text, size_t size);

/* Returns the byte offset of character `index` in valid UTF-8; `size` where it is past the end. */
size_t cwi_utf8_offset(const char *text, size_t size, size_t index);

/* Returns the largest character boundary that is at most `offset`. */
size_t cwi_utf8_floor(const char *text, size_t size, size_t offset);

#endif
