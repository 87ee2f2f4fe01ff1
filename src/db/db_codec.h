/* SPDX-License-Identifier: MIT */
/* Values as bytes: compact, versioned, readable one field at a time. docs/formats/value.md has the
 * format. Decoding checks everything: damaged bytes are CW_E_CORRUPT, never a crash. */
#ifndef DB_CODEC_H
#define DB_CODEC_H

#include "core/buf.h"
#include "db/db_value.h"

#define CWI_DB_CODEC_VERSION 1

/* Appends the encoding of `value`. CW_E_UNSUPPORTED for closures; CW_E_LIMIT where it nests too
 * deep. */
cw_status cwi_db_codec_encode(cw_value value, cwi_buf *out, cw_error *err);
/* Decodes all of `bytes`. */
cw_status cwi_db_codec_decode(cw_bytes bytes, cw_value *out, cw_error *err);

/* Finds the encoding of the field `key` in an encoded object without decoding the rest; *found
 * false where there is none or `bytes` is no object. `field` is a part of `bytes`, and may be
 * searched and decoded with the functions below. */
cw_status cwi_db_codec_field(cw_bytes bytes, const char *key, size_t key_size, cw_bytes *field,
                             bool *found, cw_error *err);
/* Like cwi_db_codec_decode and cwi_db_codec_field for a part that has no version byte. */
cw_status cwi_db_codec_decode_part(cw_bytes part, cw_value *out, cw_error *err);
cw_status cwi_db_codec_field_part(cw_bytes part, const char *key, size_t key_size, cw_bytes *field,
                                  bool *found, cw_error *err);
/* The kind of a part, without decoding it. */
cwi_db_kind cwi_db_codec_part_kind(cw_bytes part);

#endif
