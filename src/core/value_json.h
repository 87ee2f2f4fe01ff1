/* SPDX-License-Identifier: MIT */
/* Writing JSON into a buffer, piece by piece, for those who put values into larger texts. */
#ifndef CORE_VALUE_JSON_H
#define CORE_VALUE_JSON_H

#include "causeway/json.h"
#include "core/buf.h"

/* Writes a text in quotes; `text` is valid UTF-8. */
void cwi_json_text(cwi_buf *buf, const char *text, size_t size);

/* Writes a whole value. */
cw_status cwi_json_value(cwi_buf *buf, cw_value value, const cw_json_options *options,
                         cw_error *err);

#endif
