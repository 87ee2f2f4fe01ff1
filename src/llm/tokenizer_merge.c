/* SPDX-License-Identifier: MIT */
/* Merging, the heart of both tokenizers: of all neighbours that may merge, the best pair does, the
 * leftmost of equals, until none is left. A heap holds the candidates; one whose symbols have
 * changed since is recognised by its size and dropped, so the whole takes n log n steps. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/size.h"
#include "llm/tokenizer_internal.h"

#define NONE UINT32_MAX

/* Doubles an array that is full. */
static bool grow(void **array, size_t *cap, size_t len, size_t size) {
  if (len < *cap) return true;
  const size_t wanted = *cap < 64 ? 64 : *cap * 2;
  void *grown = cwi_realloc(*array, *cap * size, wanted * size);
  if (grown == NULL) return false;
  *array = grown;
  *cap = wanted;
  return true;
}

bool cwi_merger_push(cwi_merger *m, uint32_t start, uint32_t size, uint32_t id) {
  void *symbols = m->symbols;
  if (!grow(&symbols, &m->symbols_cap, m->symbols_len, sizeof(cwi_symbol))) return false;
  m->symbols = symbols;
  const uint32_t index = (uint32_t)m->symbols_len++;
  m->symbols[index] = (cwi_symbol){
      .prev = index == 0 ? NONE : index - 1, .next = NONE, .start = start, .size = size, .id = id};
  if (index > 0) m->symbols[index - 1].next = index;
  return true;
}

void cwi_merger_deinit(cwi_merger *m) {
  cwi_free(m->symbols, m->symbols_cap * sizeof(cwi_symbol));
  cwi_free(m->heap, m->heap_cap * sizeof(cwi_pair));
  *m = (cwi_merger){0};
}

static bool heap_push(cwi_merger *m, cwi_pair pair) {
  void *heap = m->heap;
  if (!grow(&heap, &m->heap_cap, m->heap_len, sizeof(cwi_pair))) return false;
  m->heap = heap;
  size_t i = m->heap_len++;
  while (i > 0 && m->heap[(i - 1) / 2].key > pair.key) {
    m->heap[i] = m->heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  m->heap[i] = pair;
  return true;
}

static cwi_pair heap_pop(cwi_merger *m) {
  CWI_ASSERT(m->heap_len > 0);
  const cwi_pair top = m->heap[0];
  const cwi_pair last = m->heap[--m->heap_len];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= m->heap_len) break;
    if (child + 1 < m->heap_len && m->heap[child + 1].key < m->heap[child].key) child++;
    if (last.key <= m->heap[child].key) break;
    m->heap[i] = m->heap[child];
    i = child;
  }
  if (m->heap_len > 0) m->heap[i] = last;
  return top;
}

/* Higher scores first: floats in reversed order as unsigned integers. */
static uint32_t score_priority(float score) {
  uint32_t bits = 0;
  memcpy(&bits, &score, sizeof(bits));
  const uint32_t ordered = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return ~ordered;
}

static bool find_merge(const cwi_tokenizer *t, uint32_t left, uint32_t right, uint32_t *rank,
                       uint32_t *merged) {
  if (left == NONE || right == NONE || t->merges == NULL) return false;
  const uint64_t hash = (((uint64_t)left << 32) | right) * 0x9E3779B97F4A7C15ULL;
  for (uint32_t i = (uint32_t)(hash >> 32) & t->merge_mask;; i = (i + 1) & t->merge_mask) {
    const cwi_merge *merge = &t->merges[i];
    if (merge->right == NONE) return false;
    if (merge->left == left && merge->right == right) {
      *rank = merge->rank;
      *merged = merge->merged;
      return true;
    }
  }
}

static bool try_pair(cwi_merger *m, uint32_t left, uint32_t right) {
  if (left == NONE || right == NONE) return true;
  const cwi_tokenizer *t = m->tokenizer;
  const cwi_symbol *a = &m->symbols[left];
  const cwi_symbol *b = &m->symbols[right];
  uint32_t priority = 0;
  uint32_t merged = 0;
  if (t->kind == CWI_TOKENIZER_SPM) {
    merged = cwi_tokenizer_lookup(t, m->text + a->start, (size_t)a->size + b->size);
    if (merged == NONE) return true;
    priority = score_priority(t->tokens[merged].score);
  } else if (!find_merge(t, a->id, b->id, &priority, &merged)) {
    return true;
  }
  return heap_push(m, (cwi_pair){.key = (uint64_t)priority << 32 | left,
                                 .right = right,
                                 .size = a->size + b->size,
                                 .merged = merged});
}

bool cwi_merger_run(cwi_merger *m) {
  m->heap_len = 0;
  for (uint32_t i = 1; i < m->symbols_len; i++) {
    if (!try_pair(m, i - 1, i)) return false;
  }
  while (m->heap_len > 0) {
    const cwi_pair pair = heap_pop(m);
    const uint32_t index = (uint32_t)pair.key;
    cwi_symbol *left = &m->symbols[index];
    cwi_symbol *right = &m->symbols[pair.right];
    if (left->size == 0 || right->size == 0 || left->size + right->size != pair.size) continue;
    left->size = pair.size;
    left->id = pair.merged;
    left->next = right->next;
    right->size = 0;
    if (left->next != NONE) m->symbols[left->next].prev = index;
    if (!try_pair(m, left->prev, index) || !try_pair(m, index, left->next)) return false;
  }
  return true;
}
