/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Values to and from CBOR (RFC 8949), the form in which values cross to hosts.
 *
 * Written deterministically (section 4.2.1: shortest forms, keys in byte order of their text). NONE
 * is tag 6 of null; datetimes are tag 12 [seconds, nanoseconds], durations tag 14, UUIDs tag 37, as
 * SurrealDB's protocol has them; a character is a text of one character. Any well-formed input is
 * read, also of indefinite length; tags that are not known are dropped and their content kept.
 *
 * Thread rule: any thread; the value belongs to the caller's.
 */
#ifndef CAUSEWAY_CBOR_H
#define CAUSEWAY_CBOR_H

#include "causeway/value.h"

CW_BEGIN_DECLS

/**
 * Writes `value` as CBOR into a byte string.
 *
 * Ownership: the caller releases `*out`.
 * Errors:    CW_E_NOMEM; CW_E_LIMIT  nested deeper than CW_VALUE_DEPTH_MAX
 * Since:     0.1
 */
CW_API cw_status cw_value_to_cbor(cw_value value, cw_value *out, cw_error *err);

/**
 * Reads one CBOR item that fills all of `data`.
 *
 * Ownership: the caller releases `*out`; NONE on failure.
 * Errors:    CW_E_PARSE     not well-formed, cut short, or followed by more; the message has the
 * offset CW_E_ENCODING  a text is not valid UTF-8 CW_E_TYPE      a key of a map is not a text
 *            CW_E_RANGE     an integer does not fit 64 bits
 *            CW_E_LIMIT     nested deeper than CW_VALUE_DEPTH_MAX; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_value_from_cbor(const void *data, size_t size, cw_value *out, cw_error *err);

CW_END_DECLS

#endif
