/* SPDX-License-Identifier: MIT */
/* The text of an answer as it comes: whole characters only, and nothing of a stop sequence.
 *
 * Tokens end anywhere, in the middle of a character too. What could still become a stop sequence,
 * or is not a whole character yet, is held back, and no byte more. One thread at a time. */
#ifndef LLM_STREAM_TEXT_H
#define LLM_STREAM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "causeway/error.h"
#include "core/buf.h"

typedef struct cwi_llm_stream_text {
  const cw_bytes *stops; /* borrowed; not empty, valid UTF-8 */
  size_t stops_len;
  cwi_buf held;
  size_t stop; /* which stop sequence was met; stops_len: none */
} cwi_llm_stream_text;

void cwi_llm_stream_text_init(cwi_llm_stream_text *text, const cw_bytes *stops, size_t len);
void cwi_llm_stream_text_deinit(cwi_llm_stream_text *text);

/* Takes the bytes of a token and appends what may be shown. Bytes that are no UTF-8 are shown as
 * U+FFFD. After a stop sequence nothing more is. Errors: CW_E_NOMEM */
cw_status cwi_llm_stream_text_push(cwi_llm_stream_text *text, const void *bytes, size_t size,
                                   cwi_buf *out, cw_error *err);

/* The answer has ended: appends what was held back. Errors: CW_E_NOMEM */
cw_status cwi_llm_stream_text_finish(cwi_llm_stream_text *text, cwi_buf *out, cw_error *err);

/* True once a stop sequence was met. */
bool cwi_llm_stream_text_is_stopped(const cwi_llm_stream_text *text);

#endif
