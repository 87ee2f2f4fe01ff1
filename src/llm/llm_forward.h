/* SPDX-License-Identifier: MIT */
/* The forward pass: tokens in, logits or hidden states out. Rows of one pass may belong to
 * different sequences, each with a cache of its own, so that sequences share the pass over the
 * weights. */
#ifndef LLM_FORWARD_H
#define LLM_FORWARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "llm/llm_kv_cache.h"
#include "llm/llm_matmul.h"
#include "llm/llm_model.h"
#include "llm/llm_thread.h"

/* One token at one position of a sequence. Positions of a sequence are in order within a pass. */
typedef struct cwi_llm_row {
  int32_t token;
  uint32_t position;
  uint32_t last; /* the last position that it may attend to: `position` where causal */
  bool wants_logits;
  cwi_llm_kv *kv;
} cwi_llm_row;

typedef struct cwi_llm_forward cwi_llm_forward;

/* Makes what passes of up to `rows_max` rows need; `model` and `pool` must outlive it. `context` is
 * the context length in use, which chooses between the factors of long and short contexts. */
cw_status cwi_llm_forward_new(const cwi_llm_model *model, cwi_llm_pool *pool, size_t rows_max,
                              size_t logits_max, uint32_t context, cwi_llm_forward **out,
                              cw_error *err);
void cwi_llm_forward_free(cwi_llm_forward *self);

/* Returns the bytes that cwi_llm_forward_new() will take. */
size_t cwi_llm_forward_size(const cwi_llm_shape *shape, size_t rows_max, size_t logits_max,
                            size_t threads);

/* Runs one pass. Where `cancel` becomes true it stops within milliseconds.
 * Errors: CW_E_RANGE a token that is not in the vocabulary; CW_E_CANCELLED; CW_E_MODEL the logits
 * are not numbers (the weights are damaged). */
cw_status cwi_llm_forward_run(cwi_llm_forward *self, const cwi_llm_row *rows, size_t len,
                              const _Atomic bool *cancel, cw_error *err);

/* Has `poll` called every millisecond or so during passes, on the thread that runs them. */
void cwi_llm_forward_poll(cwi_llm_forward *self, void (*poll)(void *), void *context);

/* After a pass: the logits of the index-th row that wanted them ([vocab]), and the normalised last
 * hidden state of a row ([dim]). Valid until the next pass. */
const float *cwi_llm_forward_logits(const cwi_llm_forward *self, size_t index);
const float *cwi_llm_forward_hidden(const cwi_llm_forward *self, size_t row);

#endif
