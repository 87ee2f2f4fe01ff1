/* SPDX-License-Identifier: MIT */
#ifndef CORE_VALUE_INTERNAL_H
#define CORE_VALUE_INTERNAL_H

#include "core/value.h"

/* Frees the memory of an object without its entries' values, which `drop` gets. */
void cwi_object_free(cwi_object *object, void (*drop)(cw_value));

/* Calls `visit` with every key and item of an object that is not shared. */
void cwi_object_visit(cwi_object *object, void (*visit)(cw_value *, void *), void *context);

size_t cwi_object_len(const cwi_object *object);

/* A copy of the top level, its keys and items retained. */
cw_status cwi_object_copy(const cwi_object *object, cw_value *out, cw_error *err);
cw_status cwi_array_copy(const cwi_array *array, cw_value *out, cw_error *err);

#endif
