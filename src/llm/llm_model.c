/* SPDX-License-Identifier: MIT */
/* Opening a model: its shape, then every tensor by name, checked against the shape. Nothing is
 * copied or converted; weights are used where they lie in the file. */
#include "llm/llm_model.h"

#include <stdio.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"

#define VOCAB_MAX (1U << 24)

typedef struct loader {
  cwi_llm_model *model;
  cw_error *err;
  char name[96];
} loader;

/* Finds a matrix of `rows` rows of `cols`; missing is fine where `optional`. Vectors are one row.
 */
static cw_status find(loader *in, const char *name, uint32_t cols, uint32_t rows, bool optional,
                      cwi_tensor *out) {
  const cwi_gguf_tensor *tensor = cwi_gguf_find_tensor(in->model->gguf, name);
  *out = (cwi_tensor){0};
  if (tensor == NULL && optional) return CW_OK;
  if (tensor == NULL) {
    return CWI_RAISE(in->err, CW_E_MODEL, 0, "the file has no tensor '%s'%s", name,
                     in->model->gguf->tensors_len == 0 ? ": it holds a vocabulary only" : "");
  }
  if (tensor->ne[0] != cols || tensor->ne[1] != rows || tensor->ne[2] != 1 || tensor->ne[3] != 1) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "tensor '%s' is %llu x %llu, not %u x %u", name,
                     (unsigned long long)tensor->ne[0], (unsigned long long)tensor->ne[1], cols,
                     rows);
  }
  if (rows == 1 && tensor->traits->type != CWI_TENSOR_F32) {
    return CWI_RAISE(in->err, CW_E_UNSUPPORTED, 0, "tensor '%s' is %s; vectors must be F32", name,
                     tensor->traits->name);
  }
  *out = (cwi_tensor){.data = tensor->data,
                      .type = tensor->traits->type,
                      .cols = cols,
                      .rows = rows,
                      .row_size = tensor->size / rows};
  return CW_OK;
}

static cw_status find_in_layer(loader *in, uint32_t layer, const char *name, uint32_t cols,
                               uint32_t rows, bool optional, cwi_tensor *out) {
  (void)snprintf(in->name, sizeof(in->name), "blk.%u.%s", layer, name);
  return find(in, in->name, cols, rows, optional, out);
}

/* A view of `rows` rows from row `first` on. */
static cwi_tensor slice(const cwi_tensor *tensor, uint32_t first, uint32_t rows) {
  CWI_ASSERT(first + rows <= tensor->rows);
  cwi_tensor view = *tensor;
  view.data += (size_t)first * tensor->row_size;
  view.rows = rows;
  return view;
}

static cw_status load_attention(loader *in, uint32_t i, cwi_llm_layer *layer) {
  cw_status status = CW_OK;
  const cwi_llm_shape *s = &in->model->shape;
  const uint32_t q = s->heads * s->dim_head;
  const uint32_t kv = s->heads_kv * s->dim_head;
  if (s->arch == CWI_LLM_PHI3) {
    cwi_tensor fused;
    CWI_TRY(find_in_layer(in, i, "attn_qkv.weight", s->dim, q + 2 * kv, false, &fused));
    layer->attn_q = slice(&fused, 0, q);
    layer->attn_k = slice(&fused, q, kv);
    layer->attn_v = slice(&fused, q + kv, kv);
  } else {
    CWI_TRY(find_in_layer(in, i, "attn_q.weight", s->dim, q, false, &layer->attn_q));
    CWI_TRY(find_in_layer(in, i, "attn_k.weight", s->dim, kv, false, &layer->attn_k));
    CWI_TRY(find_in_layer(in, i, "attn_v.weight", s->dim, kv, false, &layer->attn_v));
  }
  CWI_TRY(find_in_layer(in, i, "attn_q.bias", q, 1, true, &layer->bias_q));
  CWI_TRY(find_in_layer(in, i, "attn_k.bias", kv, 1, true, &layer->bias_k));
  CWI_TRY(find_in_layer(in, i, "attn_v.bias", kv, 1, true, &layer->bias_v));
  const bool head_norms = s->arch == CWI_LLM_QWEN3 || s->arch == CWI_LLM_GEMMA3;
  if (head_norms) {
    CWI_TRY(find_in_layer(in, i, "attn_q_norm.weight", s->dim_head, 1, false, &layer->norm_q));
    CWI_TRY(find_in_layer(in, i, "attn_k_norm.weight", s->dim_head, 1, false, &layer->norm_k));
  }
  CWI_TRY(find_in_layer(in, i, "attn_output.weight", q, s->dim, false, &layer->attn_out));
  CWI_TRY(find_in_layer(in, i, "attn_output.bias", s->dim, 1, true, &layer->bias_out));

out:
  return status;
}

static cw_status load_layer(loader *in, uint32_t i, cwi_llm_layer *layer) {
  cw_status status = CW_OK;
  const cwi_llm_shape *s = &in->model->shape;
  const bool gemma = s->arch == CWI_LLM_GEMMA2 || s->arch == CWI_LLM_GEMMA3;
  CWI_TRY(find_in_layer(in, i, "attn_norm.weight", s->dim, 1, false, &layer->attn_norm));
  CWI_TRY(load_attention(in, i, layer));
  if (gemma) {
    CWI_TRY(find_in_layer(in, i, "post_attention_norm.weight", s->dim, 1, false,
                          &layer->attn_post_norm));
    CWI_TRY(find_in_layer(in, i, "post_ffw_norm.weight", s->dim, 1, false, &layer->ffn_post_norm));
  }
  CWI_TRY(find_in_layer(in, i, "ffn_norm.weight", s->dim, 1, false, &layer->ffn_norm));
  if (s->arch == CWI_LLM_PHI3) {
    cwi_tensor fused;
    CWI_TRY(find_in_layer(in, i, "ffn_up.weight", s->dim, 2 * s->dim_ff, false, &fused));
    layer->ffn_gate = slice(&fused, 0, s->dim_ff);
    layer->ffn_up = slice(&fused, s->dim_ff, s->dim_ff);
  } else {
    CWI_TRY(find_in_layer(in, i, "ffn_gate.weight", s->dim, s->dim_ff, false, &layer->ffn_gate));
    CWI_TRY(find_in_layer(in, i, "ffn_up.weight", s->dim, s->dim_ff, false, &layer->ffn_up));
  }
  CWI_TRY(find_in_layer(in, i, "ffn_down.weight", s->dim_ff, s->dim, false, &layer->ffn_down));

out:
  return status;
}

/* The vocabulary's size is the number of rows of the embedding. */
static cw_status load_embedding(loader *in) {
  cw_status status = CW_OK;
  cwi_llm_model *model = in->model;
  cwi_llm_shape *s = &model->shape;
  const cwi_gguf_tensor *tensor = cwi_gguf_find_tensor(model->gguf, "token_embd.weight");
  uint32_t rows = tensor != NULL && tensor->ne[1] <= VOCAB_MAX ? (uint32_t)tensor->ne[1] : 2;
  CWI_TRY(find(in, "token_embd.weight", s->dim, rows < 2 ? 2 : rows, false, &model->embedding));
  s->vocab = rows;
  CWI_TRY(find(in, "output.weight", s->dim, rows, true, &model->output));
  if (model->output.data == NULL) model->output = model->embedding;
  CWI_TRY(find(in, "output_norm.weight", s->dim, 1, false, &model->output_norm));
  const uint32_t half = s->rope_dims / 2;
  CWI_TRY(find(in, "rope_freqs.weight", half, 1, true, &model->rope_freqs));
  CWI_TRY(find(in, "rope_factors_long.weight", half, 1, true, &model->rope_long));
  CWI_TRY(find(in, "rope_factors_short.weight", half, 1, true, &model->rope_short));

out:
  return status;
}

/* Rows are multiplied in blocks of 32 activations. */
static cw_status check_blocks(const cwi_llm_shape *s, cw_error *err) {
  if (s->dim % 32 != 0 || s->dim_ff % 32 != 0 || s->heads * s->dim_head % 32 != 0) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "widths of %u, %u and %u; multiples of 32 are supported",
                     s->dim, s->dim_ff, s->heads * s->dim_head);
  }
  return CW_OK;
}

cw_status cwi_llm_model_new(cwi_gguf *gguf, cwi_llm_model **out, cw_error *err) {
  CWI_ASSERT(gguf != NULL);
  cw_status status = CW_OK;
  *out = NULL;
  cwi_llm_model *model = CWI_NEW(cwi_llm_model);
  if (model == NULL) {
    cwi_gguf_close(gguf);
    return CWI_RAISE_NOMEM(err, "a model");
  }
  model->gguf = gguf;
  loader in = {.model = model, .err = err};
  CWI_TRY(cwi_llm_arch_read(gguf, &model->shape, err));
  CWI_TRY(check_blocks(&model->shape, err));
  CWI_TRY(load_embedding(&in));
  model->layers = cwi_alloc_array(model->shape.layers, sizeof(*model->layers));
  if (model->layers == NULL) CWI_TRY(CWI_RAISE_NOMEM(err, "a model's layers"));
  for (uint32_t i = 0; i < model->shape.layers; i++) {
    CWI_TRY(load_layer(&in, i, &model->layers[i]));
  }
  for (size_t i = 0; i < gguf->tensors_len; i++) {
    const uint64_t *ne = gguf->tensors[i].ne;
    model->params += ne[0] * ne[1] * ne[2] * ne[3];
  }
  *out = model;
  model = NULL;

out:
  cwi_llm_model_free(model);
  return status;
}

cw_status cwi_llm_model_open(const char *path, cwi_gguf_access access, cwi_llm_model **out,
                             cw_error *err) {
  cwi_gguf *gguf = NULL;
  *out = NULL;
  cw_status status = cwi_gguf_open(path, access, &gguf, err);
  if (status != CW_OK) return status;
  return cwi_llm_model_new(gguf, out, err);
}

void cwi_llm_model_free(cwi_llm_model *model) {
  if (model == NULL) return;
  if (model->layers != NULL) {
    cwi_free(model->layers, model->shape.layers * sizeof(*model->layers));
  }
  cwi_gguf_close(model->gguf);
  CWI_FREE(model);
}
