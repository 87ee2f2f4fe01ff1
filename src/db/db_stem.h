/* SPDX-License-Identifier: MIT */
/* Stems of words, by libstemmer. */
#ifndef DB_STEM_H
#define DB_STEM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* Appends the stem of `word` in `language` ("english"); the word itself where the language is not
 * known. False where there is no memory. */
bool cwi_db_stem(const char *language, const char *word, size_t size, cwi_buf *out);

#endif
