/* SPDX-License-Identifier: MIT */
/* A bump allocator over blocks that double from 4 KiB to 1 MiB. A request too large for a block
 * gets one of its own. Under AddressSanitizer every byte that is not handed out is poisoned. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/size.h"

#if CWI_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define BLOCK_BYTES_MIN ((size_t)4096)
#define BLOCK_BYTES_MAX ((size_t)1024 * 1024)

struct cwi_arena_block {
  cwi_arena_block *older;
  size_t size; /* with this header */
  alignas(max_align_t) char data[];
};

void cwi_arena_init(cwi_arena *arena, size_t size_max) {
  *arena = (cwi_arena){.size_max = size_max};
}

static void free_newest(cwi_arena *arena) {
  cwi_arena_block *block = arena->blocks;
  arena->blocks = block->older;
  arena->size -= block->size;
  ASAN_UNPOISON_MEMORY_REGION(block, block->size);
  cwi_free(block, block->size);
}

void cwi_arena_deinit(cwi_arena *arena) {
  while (arena->blocks != NULL) free_newest(arena);
  cwi_arena_init(arena, arena->size_max);
}

static size_t block_size(const cwi_arena *arena, size_t need) {
  size_t size = arena->blocks == NULL ? BLOCK_BYTES_MIN : arena->blocks->size * 2;
  if (size > BLOCK_BYTES_MAX) size = BLOCK_BYTES_MAX;
  return cwi_size_max(size, need);
}

static bool add_block(cwi_arena *arena, size_t size) {
  size_t need = 0;
  if (!cwi_size_add(size, sizeof(cwi_arena_block), &need)) return false;
  size_t bytes = block_size(arena, need);
  if (arena->size_max != 0 && bytes > arena->size_max - arena->size) bytes = need;
  if (arena->size_max != 0 && bytes > arena->size_max - arena->size) return false;
  cwi_arena_block *block = cwi_alloc(bytes);
  if (block == NULL) return false;
  block->older = arena->blocks;
  block->size = bytes;
  arena->blocks = block;
  arena->size += bytes;
  arena->next = block->data;
  arena->end = (char *)block + bytes;
  ASAN_POISON_MEMORY_REGION(arena->next, (size_t)(arena->end - arena->next));
  return true;
}

void *cwi_arena_alloc(cwi_arena *arena, size_t size) {
  CWI_ASSERT(arena != NULL);
  const size_t align = alignof(max_align_t);
  if (CWI_UNLIKELY(size > PTRDIFF_MAX - align)) return NULL;
  size = (size + align - 1) & ~(align - 1);
  if (size == 0) size = align;
  if (CWI_UNLIKELY(size > (size_t)(arena->end - arena->next)) && !add_block(arena, size))
    return NULL;
  void *pointer = arena->next;
  arena->next += size;
  ASAN_UNPOISON_MEMORY_REGION(pointer, size);
  return pointer;
}

void *cwi_arena_alloc_zero(cwi_arena *arena, size_t size) {
  void *pointer = cwi_arena_alloc(arena, size);
  if (pointer != NULL) memset(pointer, 0, size);
  return pointer;
}

void *cwi_arena_alloc_array(cwi_arena *arena, size_t len, size_t size) {
  size_t bytes = 0;
  return cwi_size_mul(len, size, &bytes) ? cwi_arena_alloc_zero(arena, bytes) : NULL;
}

char *cwi_arena_strndup(cwi_arena *arena, const char *text, size_t len) {
  if (len == SIZE_MAX) return NULL;
  char *copy = cwi_arena_alloc(arena, len + 1);
  if (copy == NULL) return NULL;
  if (len != 0) memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

cwi_arena_mark cwi_arena_mark_get(const cwi_arena *arena) {
  return (cwi_arena_mark){.block = arena->blocks, .next = arena->next};
}

void cwi_arena_rewind(cwi_arena *arena, cwi_arena_mark mark) {
  while (arena->blocks != mark.block) {
    CWI_ASSERT(arena->blocks != NULL);
    free_newest(arena);
  }
  arena->next = mark.next;
  arena->end = mark.block == NULL ? mark.next : (char *)mark.block + mark.block->size;
  if (mark.next != NULL) ASAN_POISON_MEMORY_REGION(mark.next, (size_t)(arena->end - mark.next));
}
