/* SPDX-License-Identifier: MIT */
/* Rotary position embedding: the angles of a model, and the rotation. */
#ifndef LLM_ROPE_H
#define LLM_ROPE_H

#include <stddef.h>
#include <stdint.h>

#include "llm/llm_model.h"

/* Writes cosine and sine of every pair at `position`: out [rope_dims / 2][2]. */
void cwi_llm_rope_angles(const cwi_llm_model *model, uint32_t context, bool windowed,
                         uint32_t position, float *out);

/* Rotates `heads` heads ([head][dim_head]) in place. */
void cwi_llm_rope_rotate(const cwi_llm_shape *shape, const float *angles, uint32_t heads, float *x);

#endif
