/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Values to and from JSON (RFC 8259), without a tree in between.
 *
 * Integers are exact to 64 bits; larger ones become floats, or are refused. Floats are written in
 * the fewest digits that read back as the same float, always with '.' or 'e'. Of a key that comes
 * twice the last counts. NaN and infinity, which JSON lacks, are written as null, or refused. NONE
 * is written as null, a datetime, duration, UUID or byte string as a text (RFC 3339, "1h2m",
 * hyphenated, base64).
 *
 * Ownership: the caller releases `*out`, which is NONE on failure.
 * Errors: CW_E_PARSE the text is not JSON: line and column are set; CW_E_ENCODING not valid UTF-8,
 * or a lone surrogate; CW_E_RANGE a number that options refuse; CW_E_LIMIT too deep or too large;
 * CW_E_NOMEM.
 *
 * Thread rule: any thread; the value belongs to the caller's.
 */
#ifndef CAUSEWAY_JSON_H
#define CAUSEWAY_JSON_H

#include "causeway/value.h"

CW_BEGIN_DECLS

typedef struct cw_json_options {
  uint32_t struct_size;
  uint32_t depth_max;     /* reading and writing; at most CW_VALUE_DEPTH_MAX */
  uint32_t indent;        /* writing: spaces a level; 0: all on one line */
  bool refuse_large_ints; /* reading: integers past 64 bits are CW_E_RANGE, not floats */
  bool refuse_non_finite; /* writing: NaN and infinity are CW_E_RANGE, not null */
} cw_json_options;

#define CW_JSON_OPTIONS_INIT \
  { .struct_size = sizeof(cw_json_options), .depth_max = CW_VALUE_DEPTH_MAX }

/** Reads one JSON text that fills all of `text`. `options` NULL: the defaults. Since: 0.1 */
CW_API cw_status cw_value_from_json(const char *text, size_t size, const cw_json_options *options,
                                    cw_value *out, cw_error *err);

/** Writes a value as JSON into a string. `options` NULL: the defaults. Since: 0.1 */
CW_API cw_status cw_value_to_json(cw_value value, const cw_json_options *options, cw_value *out,
                                  cw_error *err);

CW_END_DECLS

#endif
