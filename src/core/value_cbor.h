/* SPDX-License-Identifier: MIT */
/* Writing CBOR into a buffer, piece by piece, for those who put values into larger messages. A
 * failed buffer remembers; check it once at the end. */
#ifndef CORE_VALUE_CBOR_H
#define CORE_VALUE_CBOR_H

#include "causeway/cbor.h"
#include "core/buf.h"

/* Major types, RFC 8949, section 3.1. */
enum {
  CWI_CBOR_UINT = 0,
  CWI_CBOR_NEGATIVE = 1,
  CWI_CBOR_BYTES = 2,
  CWI_CBOR_TEXT = 3,
  CWI_CBOR_ARRAY = 4,
  CWI_CBOR_MAP = 5,
  CWI_CBOR_TAG = 6,
  CWI_CBOR_SIMPLE = 7
};

/* Writes the head of an item in its shortest form. */
void cwi_cbor_head(cwi_buf *buf, int major, uint64_t argument);
void cwi_cbor_int(cwi_buf *buf, int64_t value);
void cwi_cbor_float(cwi_buf *buf, double value);
void cwi_cbor_text(cwi_buf *buf, const char *text, size_t size);
void cwi_cbor_null(cwi_buf *buf);

/* Writes a whole value. Errors: CW_E_NOMEM, CW_E_LIMIT. */
cw_status cwi_cbor_value(cwi_buf *buf, cw_value value, cw_error *err);

#endif
