/* SPDX-License-Identifier: MIT */
/* The keys and values of one sequence, for every layer and position. One thread at a time. */
#ifndef LLM_KV_CACHE_H
#define LLM_KV_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "llm/kernel.h"
#include "llm/llm_model.h"

typedef struct cwi_llm_kv {
  cwi_tensor_type type; /* F16 or Q8_0 */
  uint32_t layers;
  uint32_t heads;
  uint32_t dim_head;
  uint32_t capacity; /* positions */
  uint32_t len;      /* positions that are filled; kept by the owner */
  size_t row_size;   /* bytes of one head at one position */
  uint8_t *k;        /* [layer][head][capacity] rows */
  uint8_t *v;
} cwi_llm_kv;

/* Returns the bytes that a cache will take; SIZE_MAX where they cannot be counted. */
size_t cwi_llm_kv_size(const cwi_llm_shape *shape, cwi_tensor_type type, uint32_t capacity);

/* Makes an empty cache. Memory is touched, and so becomes resident, as positions are filled.
 * Errors: CW_E_INVALID the type, CW_E_NOMEM */
cw_status cwi_llm_kv_new(const cwi_llm_shape *shape, cwi_tensor_type type, uint32_t capacity,
                         cwi_llm_kv **out, cw_error *err);
void cwi_llm_kv_free(cwi_llm_kv *kv);

/* The rows of a head in a layer: position p lies p * row_size bytes on. */
uint8_t *cwi_llm_kv_keys(const cwi_llm_kv *kv, uint32_t layer, uint32_t head);
uint8_t *cwi_llm_kv_values(const cwi_llm_kv *kv, uint32_t layer, uint32_t head);

/* Stores the keys and values ([heads][dim_head] floats) of a layer at a position. */
void cwi_llm_kv_put(cwi_llm_kv *kv, const cwi_kernel *kernel, uint32_t layer, uint32_t position,
                    const float *k, const float *v);

#endif
