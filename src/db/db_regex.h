/* SPDX-License-Identifier: MIT */
/* Regular expressions, by PCRE2. A compiled one is counted and may be kept in a regex value. */
#ifndef DB_REGEX_H
#define DB_REGEX_H

#include "core/buf.h"
#include "causeway/error.h"

typedef struct cwi_db_regex cwi_db_regex;

/* CW_E_PARSE with the reason, column set to the position. */
cw_status cwi_db_regex_compile(const char *pattern, size_t size, cwi_db_regex **out, cw_error *err);
void cwi_db_regex_free(cwi_db_regex *regex);
/* CW_E_LIMIT where matching takes too many steps. */
cw_status cwi_db_regex_match(const cwi_db_regex *regex, const char *text, size_t size,
                             bool *matches, cw_error *err);
/* Where the first match at or behind `from` lies; *matches false where there is none. */
cw_status cwi_db_regex_find(const cwi_db_regex *regex, const char *text, size_t size, size_t from,
                            size_t *begin, size_t *end, bool *matches, cw_error *err);
/* Appends `text` with every match replaced; $1, ${name} in `with` stand for groups. */
cw_status cwi_db_regex_replace(const cwi_db_regex *regex, const char *text, size_t size,
                               const char *with, size_t with_size, cwi_buf *out, cw_error *err);

#endif
