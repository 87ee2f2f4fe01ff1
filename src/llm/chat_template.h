/* SPDX-License-Identifier: MIT */
/* Chat templates: how a conversation becomes the text that a model was trained on. */
#ifndef LLM_CHAT_TEMPLATE_H
#define LLM_CHAT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "causeway/error.h"
#include "core/buf.h"

typedef struct cwi_chat_message {
  cw_bytes role; /* system, user, assistant, tool */
  cw_bytes text;
} cwi_chat_message;

typedef enum cwi_chat_format {
  CWI_CHAT_NONE, /* not known */
  CWI_CHAT_CHATML,
  CWI_CHAT_LLAMA2,
  CWI_CHAT_LLAMA3,
  CWI_CHAT_MISTRAL_V7,
  CWI_CHAT_PHI3,
  CWI_CHAT_ZEPHYR,
  CWI_CHAT_GEMMA,
  CWI_CHAT_DEEPSEEK,
  CWI_CHAT_VICUNA,
  CWI_CHAT_COMMAND_R,
} cwi_chat_format;

/* The format of that name ("chatml", "llama3", ...), or CWI_CHAT_NONE. */
cwi_chat_format cwi_chat_format_find(const char *name);

/* The format that a model's own Jinja template writes, told by the markup in it, or CWI_CHAT_NONE.
 */
cwi_chat_format cwi_chat_format_detect(const char *jinja, size_t size);

/* Appends the text of a conversation; with `answer` also what begins the assistant's turn. Errors:
 * CW_E_INVALID the format is not known; CW_E_NOMEM. */
cw_status cwi_chat_format_write(cwi_chat_format format, const cwi_chat_message *messages,
                                size_t len, bool answer, cwi_buf *out, cw_error *err);

#endif
