/* SPDX-License-Identifier: MIT */
/* Values as CBOR with the tags of SurrealDB's remote protocol. */
#ifndef DB_CBOR_H
#define DB_CBOR_H

#include "core/buf.h"
#include "db/db_value.h"

/* Appends; CW_E_UNSUPPORTED for closures. */
cw_status cwi_db_cbor_encode(cw_value value, cwi_buf *out, cw_error *err);
/* Decodes all of `bytes`; CW_E_PARSE where they are no CBOR or a tag does not fit its content. A
 * record id given as a string is not read here: its tag is an error then. */
cw_status cwi_db_cbor_decode(cw_bytes bytes, cw_value *out, cw_error *err);

#endif
