/* SPDX-License-Identifier: MIT */
/* JSON Patch between values: making one, applying one. */
#ifndef DB_DIFF_H
#define DB_DIFF_H

#include "db/db_value.h"

/* The array of operations that turn `a` into `b`. */
cw_status cwi_db_diff(cw_value a, cw_value b, cw_value *out, cw_error *err);
/* `value` with the operations applied. CW_E_QUERY where they are not well-formed. */
cw_status cwi_db_patch(cw_value value, cw_value operations, cw_value *out, cw_error *err);

#endif
