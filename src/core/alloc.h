/* SPDX-License-Identifier: MIT */
/* The one door to memory. Callers remember sizes: freeing tells the allocator how much. */
#ifndef CORE_ALLOC_H
#define CORE_ALLOC_H

#include <stddef.h>

#include "causeway/alloc.h"
#include "core/compiler.h"

/* Returns `size` bytes (at least 1), or NULL. */
void *cwi_alloc(size_t size);

/* The same, zeroed. */
void *cwi_alloc_zero(size_t size);

/* Returns `len` zeroed elements of `size` bytes, or NULL; the product is checked. */
void *cwi_alloc_array(size_t len, size_t size);

/* Resizes; on NULL the old memory is untouched. `pointer` may be NULL when `size_old` is 0. */
void *cwi_realloc(void *pointer, size_t size_old, size_t size_new);

/* Frees; NULL is allowed. `size` is the size last asked for. */
void cwi_free(void *pointer, size_t size);

/* Returns a NUL-terminated copy of `len` bytes (len + 1 to free), or NULL. */
char *cwi_strndup(const char *text, size_t len);

#define CWI_NEW(type) ((type *)cwi_alloc_zero(sizeof(type)))
#define CWI_FREE(pointer) cwi_free((pointer), sizeof(*(pointer)))

#endif
