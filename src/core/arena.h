/* SPDX-License-Identifier: MIT */
/* An arena: memory for work with a clear end (a parse, a query, an HTTP message). Nothing in it is
 * freed alone; all of it goes at once. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

#include "core/compiler.h"

typedef struct cwi_arena_block cwi_arena_block;

/* Owned by one thread at a time. Zero-initialised is empty and usable without a maximum. */
typedef struct cwi_arena {
  cwi_arena_block *blocks; /* newest first */
  char *next;
  char *end;
  size_t size;     /* bytes taken from the allocator */
  size_t size_max; /* 0: no maximum */
} cwi_arena;

/* A place to go back to with cwi_arena_rewind. */
typedef struct cwi_arena_mark {
  cwi_arena_block *block;
  char *next;
} cwi_arena_mark;

/* Makes an empty arena that never takes more than `size_max` bytes (0: no maximum). */
void cwi_arena_init(cwi_arena *arena, size_t size_max);

/* Frees everything; the arena is empty and usable again. */
void cwi_arena_deinit(cwi_arena *arena);

/* Returns `size` bytes aligned for any type, or NULL: no memory, or past the maximum. */
void *cwi_arena_alloc(cwi_arena *arena, size_t size);

/* The same, zeroed. */
void *cwi_arena_alloc_zero(cwi_arena *arena, size_t size);

/* Returns `len` zeroed elements of `size` bytes, or NULL; the product is checked. */
void *cwi_arena_alloc_array(cwi_arena *arena, size_t len, size_t size);

/* Returns a NUL-terminated copy of `len` bytes, or NULL. */
char *cwi_arena_strndup(cwi_arena *arena, const char *text, size_t len);

/* Remembers the current end; rewinding frees what was allocated since. */
cwi_arena_mark cwi_arena_mark_get(const cwi_arena *arena);
void cwi_arena_rewind(cwi_arena *arena, cwi_arena_mark mark);

#define CWI_ARENA_NEW(arena, type) ((type *)cwi_arena_alloc_zero((arena), sizeof(type)))

#endif
