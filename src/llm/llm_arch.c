/* SPDX-License-Identifier: MIT */
/* What each architecture is: a table of the ways in which they differ, and the reading of a shape
 * from a file's metadata. All of them are decoders of the same build (RMS norm, rotary attention
 * with grouped heads, gated feed-forward); the differences are a few numbers and optional weights.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/llm_model.h"

#define DIM_MAX (1U << 17)
#define LAYERS_MAX 1024U
#define HEADS_MAX 4096U
#define DIM_HEAD_MAX 1024U
#define CONTEXT_MAX (1U << 28)

static const struct {
  const char *name;
  cwi_llm_arch arch;
  bool rope_neox;
} archs[] = {
    {"llama", CWI_LLM_LLAMA, false},  {"mistral", CWI_LLM_LLAMA, false},
    {"qwen2", CWI_LLM_QWEN2, true},   {"qwen3", CWI_LLM_QWEN3, true},
    {"gemma2", CWI_LLM_GEMMA2, true}, {"gemma3", CWI_LLM_GEMMA3, true},
    {"phi3", CWI_LLM_PHI3, true},
};

/* A file, and the architecture's name that heads its keys. */
typedef struct source {
  const cwi_gguf *gguf;
  const char *arch;
  char key[128];
  cw_error *err;
} source;

static const char *key_of(source *in, const char *name) {
  (void)snprintf(in->key, sizeof(in->key), "%s.%s", in->arch, name);
  return in->key;
}

/* Reads a whole number within [min, max]; an array of equal numbers counts as one. Keeps *out where
 * the key is missing. */
static cw_status read_number(source *in, const char *name, uint32_t min, uint32_t max,
                             uint32_t *out) {
  const cwi_gguf_kv *kv = cwi_gguf_find(in->gguf, key_of(in, name));
  if (kv == NULL) return CW_OK;
  int64_t value = 0;
  int64_t other = 0;
  bool good = kv->element != CWI_GGUF_BOOL && cwi_gguf_at_i64(kv, 0, &value);
  for (uint64_t i = 1; good && i < kv->len; i++) {
    if (!cwi_gguf_at_i64(kv, i, &other) || other != value) {
      return CWI_RAISE(in->err, CW_E_MODEL, 0, "%s differs between layers, which is not supported",
                       in->key);
    }
  }
  if (!good || value < (int64_t)min || value > (int64_t)max) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "%s is %lld, not a number from %u to %u", in->key,
                     (long long)value, min, max);
  }
  *out = (uint32_t)value;
  return CW_OK;
}

static cw_status read_needed(source *in, const char *name, uint32_t max, uint32_t *out) {
  if (cwi_gguf_find(in->gguf, key_of(in, name)) == NULL) {
    return CWI_RAISE(in->err, CW_E_MODEL, 0, "the file has no %s", in->key);
  }
  return read_number(in, name, 1, max, out);
}

static cw_status read_float(source *in, const char *name, float min, float max, float *out) {
  float value = *out;
  if (!cwi_gguf_get_f32(in->gguf, key_of(in, name), &value)) return CW_OK;
  if (!(value >= min && value <= max)) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "%s is %g, not within %g to %g", in->key,
                     (double)value, (double)min, (double)max);
  }
  *out = value;
  return CW_OK;
}

static cw_status read_sizes(source *in, cwi_llm_shape *shape) {
  cw_status status = CW_OK;
  uint32_t experts = 0;
  CWI_TRY(read_needed(in, "embedding_length", DIM_MAX, &shape->dim));
  CWI_TRY(read_needed(in, "block_count", LAYERS_MAX, &shape->layers));
  CWI_TRY(read_needed(in, "feed_forward_length", 8 * DIM_MAX, &shape->dim_ff));
  CWI_TRY(read_needed(in, "attention.head_count", HEADS_MAX, &shape->heads));
  CWI_TRY(read_needed(in, "context_length", CONTEXT_MAX, &shape->context));
  CWI_TRY(read_number(in, "expert_count", 0, UINT32_MAX, &experts));
  if (experts > 0) {
    return CWI_RAISE(in->err, CW_E_MODEL, 0, "a mixture of %u experts, which is not supported",
                     experts);
  }
  shape->heads_kv = shape->heads;
  CWI_TRY(read_number(in, "attention.head_count_kv", 1, HEADS_MAX, &shape->heads_kv));
  shape->dim_head = shape->dim / shape->heads;
  uint32_t dim_value = 0;
  CWI_TRY(read_number(in, "attention.key_length", 2, DIM_HEAD_MAX, &shape->dim_head));
  dim_value = shape->dim_head;
  CWI_TRY(read_number(in, "attention.value_length", 2, DIM_HEAD_MAX, &dim_value));
  if (dim_value != shape->dim_head || shape->dim_head < 2 || shape->dim_head > DIM_HEAD_MAX ||
      shape->dim_head % 2 != 0 || shape->heads % shape->heads_kv != 0) {
    return CWI_RAISE(in->err, CW_E_MODEL, 0,
                     "%u heads of %u (keys) and %u (values) over %u are not supported",
                     shape->heads, shape->dim_head, dim_value, shape->heads_kv);
  }
  shape->eps = 1e-5F;
  CWI_TRY(read_float(in, "attention.layer_norm_rms_epsilon", 0, 1, &shape->eps));

out:
  return status;
}

static cw_status read_scaling_kind(source *in, cwi_llm_shape *shape) {
  cw_bytes kind = {0};
  shape->rope_scaling = CWI_LLM_ROPE_NONE;
  if (!cwi_gguf_get_string(in->gguf, key_of(in, "rope.scaling.type"), &kind)) {
    if (shape->rope_factor != 1.0F) shape->rope_scaling = CWI_LLM_ROPE_LINEAR;
    return CW_OK;
  }
  static const struct {
    const char *name;
    cwi_llm_rope_scaling kind;
  } kinds[] = {{"none", CWI_LLM_ROPE_NONE},
               {"linear", CWI_LLM_ROPE_LINEAR},
               {"yarn", CWI_LLM_ROPE_YARN},
               {"longrope", CWI_LLM_ROPE_LONG}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(kinds); i++) {
    if (kind.size == strlen(kinds[i].name) && memcmp(kind.data, kinds[i].name, kind.size) == 0) {
      shape->rope_scaling = kinds[i].kind;
      return CW_OK;
    }
  }
  return CWI_RAISE(in->err, CW_E_MODEL, 0, "rope scaling '%.*s' is not known",
                   (int)cwi_size_min(kind.size, 32), (const char *)kind.data);
}

static cw_status read_rope(source *in, cwi_llm_shape *shape) {
  cw_status status = CW_OK;
  shape->rope_dims = shape->dim_head;
  CWI_TRY(read_number(in, "rope.dimension_count", 2, shape->dim_head, &shape->rope_dims));
  if (shape->rope_dims % 2 != 0) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "an odd rope.dimension_count, %u", shape->rope_dims);
  }
  shape->rope_base = shape->arch == CWI_LLM_GEMMA3 ? 1e6F : 1e4F;
  shape->rope_factor = 1;
  shape->rope_beta_fast = 32;
  shape->rope_beta_slow = 1;
  shape->rope_context = shape->context;
  CWI_TRY(read_float(in, "rope.freq_base", 1, 1e12F, &shape->rope_base));
  shape->rope_base_window = shape->arch == CWI_LLM_GEMMA3 ? 1e4F : shape->rope_base;
  CWI_TRY(read_float(in, "rope.freq_base_swa", 1, 1e12F, &shape->rope_base_window));
  CWI_TRY(read_float(in, "rope.scale_linear", 0, 1e6F, &shape->rope_factor));
  CWI_TRY(read_float(in, "rope.scaling.factor", 0, 1e6F, &shape->rope_factor));
  if (shape->rope_factor == 0) shape->rope_factor = 1;
  CWI_TRY(read_float(in, "rope.scaling.attn_factor", 0, 1e6F, &shape->rope_attention));
  CWI_TRY(read_float(in, "rope.scaling.yarn_beta_fast", 0, 1e6F, &shape->rope_beta_fast));
  CWI_TRY(read_float(in, "rope.scaling.yarn_beta_slow", 0, 1e6F, &shape->rope_beta_slow));
  CWI_TRY(read_number(in, "rope.scaling.original_context_length", 1, CONTEXT_MAX,
                      &shape->rope_context));
  CWI_TRY(read_scaling_kind(in, shape));

out:
  return status;
}

/* The numbers that the architecture's code fixes rather than the file. */
static cw_status read_specials(source *in, cwi_llm_shape *shape) {
  cw_status status = CW_OK;
  shape->embedding_scale = 1;
  shape->attention_scale = 1.0F / sqrtf((float)shape->dim_head);
  shape->window_pattern = 1;
  if (shape->arch != CWI_LLM_GEMMA2 && shape->arch != CWI_LLM_GEMMA3) return CW_OK;

  shape->embedding_scale = sqrtf((float)shape->dim);
  shape->gelu = true;
  if (shape->arch == CWI_LLM_GEMMA2) {
    shape->window = 4096;
    shape->window_pattern = 2;
    shape->attention_cap = 50;
    shape->logit_cap = 30;
    CWI_TRY(read_float(in, "attn_logit_softcapping", 0, 1e6F, &shape->attention_cap));
    CWI_TRY(read_float(in, "final_logit_softcapping", 0, 1e6F, &shape->logit_cap));
    /* The 27B model divides by the size of an embedding's share of a head. */
    if (shape->layers == 46) {
      shape->attention_scale = 1.0F / sqrtf((float)shape->dim / (float)shape->heads);
    }
  } else {
    shape->window_pattern = 6;
    if (shape->layers == 62) {
      shape->attention_scale = 1.0F / sqrtf((float)shape->dim / (float)shape->heads);
    }
  }
  CWI_TRY(read_number(in, "attention.sliding_window", 0, CONTEXT_MAX, &shape->window));

out:
  return status;
}

bool cwi_llm_model_is_windowed(const cwi_llm_shape *shape, uint32_t layer) {
  return shape->window > 0 && layer % shape->window_pattern != shape->window_pattern - 1;
}

cw_status cwi_llm_arch_read(const cwi_gguf *gguf, cwi_llm_shape *shape, cw_error *err) {
  cw_status status = CW_OK;
  cw_bytes name = {0};
  source in = {.gguf = gguf, .err = err};
  *shape = (cwi_llm_shape){0};
  if (!cwi_gguf_get_string(gguf, "general.architecture", &name)) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "the file does not name its architecture");
  }
  for (size_t i = 0; i < CWI_ARRAY_LEN(archs); i++) {
    if (name.size == strlen(archs[i].name) && memcmp(name.data, archs[i].name, name.size) == 0) {
      in.arch = archs[i].name;
      shape->arch = archs[i].arch;
      shape->arch_name = archs[i].name;
      shape->rope_neox = archs[i].rope_neox;
    }
  }
  if (in.arch == NULL) {
    return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "the architecture '%.*s' is not supported",
                     (int)cwi_size_min(name.size, 64), (const char *)name.data);
  }
  CWI_TRY(read_sizes(&in, shape));
  CWI_TRY(read_rope(&in, shape));
  CWI_TRY(read_specials(&in, shape));

out:
  return status;
}
