/* SPDX-License-Identifier: MIT */
/* A model: a GGUF file whose architecture is known and whose tensors have been checked. Immutable
 * after opening; shared by any number of sessions on any threads. */
#ifndef LLM_MODEL_H
#define LLM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "llm/gguf.h"
#include "llm/tensor.h"

typedef enum cwi_llm_arch {
  CWI_LLM_LLAMA, /* and mistral, which is written as llama */
  CWI_LLM_QWEN2,
  CWI_LLM_QWEN3,
  CWI_LLM_GEMMA2,
  CWI_LLM_GEMMA3,
  CWI_LLM_PHI3,
} cwi_llm_arch;

typedef enum cwi_llm_rope_scaling {
  CWI_LLM_ROPE_NONE,
  CWI_LLM_ROPE_LINEAR,
  CWI_LLM_ROPE_YARN,
  CWI_LLM_ROPE_LONG, /* phi3: factors for short and long contexts */
} cwi_llm_rope_scaling;

/* What the file says of the model's shape, within the limits checked at opening. */
typedef struct cwi_llm_shape {
  cwi_llm_arch arch;
  const char *arch_name; /* static */
  uint32_t vocab;
  uint32_t dim;    /* of an embedding */
  uint32_t dim_ff; /* of the feed-forward network */
  uint32_t layers;
  uint32_t heads;
  uint32_t heads_kv; /* heads is a multiple of it */
  uint32_t dim_head; /* of keys and values */
  uint32_t context;  /* trained length */
  float eps;         /* of RMS norms */
  float attention_scale;
  float attention_cap; /* 0: none; else cap * tanh(score / cap) */
  float logit_cap;     /* 0: none */
  float embedding_scale;
  uint32_t window;         /* positions a windowed layer sees; 0: no layer is windowed */
  uint32_t window_pattern; /* layer i sees everything where i % pattern == pattern - 1 */
  uint32_t rope_dims;
  bool rope_neox; /* rotates (i, i + n/2) rather than (2i, 2i + 1) */
  float rope_base;
  float rope_base_window; /* of windowed layers */
  cwi_llm_rope_scaling rope_scaling;
  float rope_factor;    /* >= 1: positions are divided by it */
  float rope_attention; /* multiplies sine and cosine; 0: as the scaling implies */
  float rope_beta_fast;
  float rope_beta_slow;
  uint32_t rope_context; /* original context of the scaling */
  bool gelu;             /* the gate's function: GELU, else SiLU */
} cwi_llm_shape;

/* A weight that a model may lack has data NULL. */
typedef struct cwi_llm_layer {
  cwi_tensor attn_norm;
  cwi_tensor attn_q; /* [heads * dim_head] rows; phi3's fused matrices are split into views */
  cwi_tensor attn_k;
  cwi_tensor attn_v;
  cwi_tensor bias_q;
  cwi_tensor bias_k;
  cwi_tensor bias_v;
  cwi_tensor norm_q; /* per head */
  cwi_tensor norm_k;
  cwi_tensor attn_out;
  cwi_tensor bias_out;
  cwi_tensor attn_post_norm;
  cwi_tensor ffn_norm;
  cwi_tensor ffn_gate;
  cwi_tensor ffn_up;
  cwi_tensor ffn_down;
  cwi_tensor ffn_post_norm;
} cwi_llm_layer;

typedef struct cwi_llm_model {
  cwi_gguf *gguf;
  cwi_llm_shape shape;
  cwi_tensor embedding; /* [vocab] rows */
  cwi_tensor output;    /* [vocab] rows; the embedding's where the model is tied */
  cwi_tensor output_norm;
  cwi_tensor rope_freqs; /* llama 3: divides frequencies */
  cwi_tensor rope_long;
  cwi_tensor rope_short;
  cwi_llm_layer *layers;
  uint64_t params;
} cwi_llm_model;

/* Opens `path`. Errors: those of cwi_gguf_open(), CW_E_MODEL what the model lacks or has that is
 * not known, CW_E_CORRUPT shapes that contradict each other. */
cw_status cwi_llm_model_open(const char *path, cwi_gguf_access access, cwi_llm_model **out,
                             cw_error *err);

/* The same for an open file, which it takes, also on failure. */
cw_status cwi_llm_model_new(cwi_gguf *gguf, cwi_llm_model **out, cw_error *err);

/* Closes the file too; NULL is allowed. */
void cwi_llm_model_free(cwi_llm_model *model);

/* Whether `layer` attends to a window only. */
bool cwi_llm_model_is_windowed(const cwi_llm_shape *shape, uint32_t layer);

/* Reads and checks the shape: of llm_arch.c. */
cw_status cwi_llm_arch_read(const cwi_gguf *gguf, cwi_llm_shape *shape, cw_error *err);

#endif
