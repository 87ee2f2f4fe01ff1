/* SPDX-License-Identifier: MIT */
/* The KV cache. A head's rows lie together, position after position, so that attention walks memory
 * in order, and so that the kernels for weight rows serve for keys too. */
#include "llm/llm_kv_cache.h"

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"

static size_t row_size_of(const cwi_llm_shape *shape, cwi_tensor_type type) {
  const cwi_tensor_traits *traits = cwi_tensor_traits_of(type);
  return shape->dim_head / traits->block_len * traits->block_size;
}

/* Bytes of the keys, or of the values. */
static bool half_size(const cwi_llm_shape *shape, cwi_tensor_type type, uint32_t capacity,
                      size_t *out) {
  return cwi_size_mul(row_size_of(shape, type), capacity, out) &&
         cwi_size_mul(*out, (size_t)shape->layers * shape->heads_kv, out) && *out < SIZE_MAX / 2;
}

size_t cwi_llm_kv_size(const cwi_llm_shape *shape, cwi_tensor_type type, uint32_t capacity) {
  size_t half = 0;
  return half_size(shape, type, capacity, &half) ? 2 * half : SIZE_MAX;
}

cw_status cwi_llm_kv_new(const cwi_llm_shape *shape, cwi_tensor_type type, uint32_t capacity,
                         cwi_llm_kv **out, cw_error *err) {
  cw_status status = CW_OK;
  *out = NULL;
  if ((type != CWI_TENSOR_F16 && type != CWI_TENSOR_Q8_0) || capacity == 0) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a KV cache is F16 or Q8_0 and holds a position");
  }
  if (type == CWI_TENSOR_Q8_0 && shape->dim_head % 32 != 0) {
    return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a Q8_0 cache of heads of %u; use F16",
                     shape->dim_head);
  }
  size_t half = 0;
  if (!half_size(shape, type, capacity, &half)) return CWI_RAISE_NOMEM(err, "a KV cache");
  cwi_llm_kv *kv = CWI_NEW(cwi_llm_kv);
  if (kv == NULL) return CWI_RAISE_NOMEM(err, "a KV cache");
  *kv = (cwi_llm_kv){.type = type,
                     .layers = shape->layers,
                     .heads = shape->heads_kv,
                     .dim_head = shape->dim_head,
                     .capacity = capacity,
                     .row_size = row_size_of(shape, type)};
  kv->k = cwi_alloc(half);
  kv->v = cwi_alloc(half);
  if (kv->k == NULL || kv->v == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "a KV cache"));
  *out = kv;
  kv = NULL;

out:
  cwi_llm_kv_free(kv);
  return status;
}

void cwi_llm_kv_free(cwi_llm_kv *kv) {
  if (kv == NULL) return;
  size_t half = (size_t)kv->layers * kv->heads * kv->capacity * kv->row_size;
  if (kv->k != NULL) cwi_free(kv->k, half);
  if (kv->v != NULL) cwi_free(kv->v, half);
  CWI_FREE(kv);
}

static size_t head_offset(const cwi_llm_kv *kv, uint32_t layer, uint32_t head) {
  CWI_ASSERT(layer < kv->layers && head < kv->heads);
  return ((size_t)layer * kv->heads + head) * kv->capacity * kv->row_size;
}

uint8_t *cwi_llm_kv_keys(const cwi_llm_kv *kv, uint32_t layer, uint32_t head) {
  return kv->k + head_offset(kv, layer, head);
}

uint8_t *cwi_llm_kv_values(const cwi_llm_kv *kv, uint32_t layer, uint32_t head) {
  return kv->v + head_offset(kv, layer, head);
}

static void put_row(const cwi_llm_kv *kv, const cwi_kernel *kernel, const float *in, uint8_t *out) {
  if (kv->type == CWI_TENSOR_F16) {
    kernel->to_f16(in, (uint16_t *)(void *)out, kv->dim_head);
    return;
  }
  for (uint32_t at = 0; at < kv->dim_head; at += 32, out += 34) {
    int8_t q[32];
    int16_t sum16[2];
    float d = 0;
    float sum = 0;
    kernel->quantize(in + at, 32, q, &d, &sum, sum16);
    uint16_t half = cwi_quant_f32_to_f16(d);
    memcpy(out, &half, sizeof(half));
    memcpy(out + 2, q, sizeof(q));
  }
}

void cwi_llm_kv_put(cwi_llm_kv *kv, const cwi_kernel *kernel, uint32_t layer, uint32_t position,
                    const float *k, const float *v) {
  CWI_ASSERT(position < kv->capacity);
  const size_t offset = (size_t)position * kv->row_size;
  for (uint32_t head = 0; head < kv->heads; head++) {
    const size_t at = (size_t)head * kv->dim_head;
    put_row(kv, kernel, k + at, cwi_llm_kv_keys(kv, layer, head) + offset);
    put_row(kv, kernel, v + at, cwi_llm_kv_values(kv, layer, head) + offset);
  }
}
