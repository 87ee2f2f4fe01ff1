/* SPDX-License-Identifier: MIT */
/* Values that own a handle: what an operation that opens something gives. Dropping the value
 * releases the handle, so that the result of an operation nobody waited for is not lost. */
#ifndef CORE_VALUE_HANDLE_H
#define CORE_VALUE_HANDLE_H

#include "causeway/handle.h"
#include "core/value.h"

/* Makes a value that owns `handle`; on failure the handle was released. */
cw_status cwi_value_handle(void *handle, cw_value *out, cw_error *err);

bool cwi_value_is_handle(cw_value value);

/* Takes the handle out of the value, which owns it no more; NULL where it owns none. */
void *cwi_value_handle_take(cw_value *value);

#endif
