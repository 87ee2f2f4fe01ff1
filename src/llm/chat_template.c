/* SPDX-License-Identifier: MIT */
/* The built-in chat templates. Most formats are a frame around each message and differ in its words
 * only: these are rows of a table. Formats that join messages (a system prompt inside the first
 * turn of the user, say) have a function. */
#include "llm/chat_template.h"

#include <string.h>

#include "core/compiler.h"
#include "core/error.h"

/* One frame: before the role, between role and text, after the text. Roles: how the format names
 * them; NULL is the role's own name. */
typedef struct frame {
  const char *open, *middle, *close;
  const char *user, *assistant, *system;
  const char *answer; /* begins the assistant's turn */
} frame;

static const char *const names[] = {"",       "chatml", "llama2",   "llama3", "mistral-v7", "phi3",
                                    "zephyr", "gemma",  "deepseek", "vicuna", "command-r"};

static const frame frames[] = {
    [CWI_CHAT_CHATML] = {"<|im_start|>", "\n", "<|im_end|>\n", NULL, NULL, NULL,
                         "<|im_start|>assistant\n"},
    [CWI_CHAT_LLAMA3] = {"<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", NULL, NULL,
                         NULL, "<|start_header_id|>assistant<|end_header_id|>\n\n"},
    [CWI_CHAT_PHI3] = {"<|", "|>\n", "<|end|>\n", NULL, NULL, NULL, "<|assistant|>\n"},
    [CWI_CHAT_ZEPHYR] = {"<|", "|>\n", "<|endoftext|>\n", NULL, NULL, NULL, "<|assistant|>\n"},
    [CWI_CHAT_COMMAND_R] = {"<|START_OF_TURN_TOKEN|>", "", "<|END_OF_TURN_TOKEN|>",
                            "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>",
                            "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"},
};

cwi_chat_format cwi_chat_format_find(const char *name) {
  for (size_t i = 1; i < CWI_ARRAY_LEN(names); i++) {
    if (strcmp(name, names[i]) == 0) return (cwi_chat_format)i;
  }
  return CWI_CHAT_NONE;
}

static bool contains(const char *text, size_t size, const char *part) {
  const size_t len = strlen(part);
  for (size_t i = 0; len <= size && i <= size - len; i++) {
    if (text[i] == part[0] && memcmp(text + i, part, len) == 0) return true;
  }
  return false;
}

cwi_chat_format cwi_chat_format_detect(const char *jinja, size_t size) {
  if (contains(jinja, size, "<|im_start|>")) return CWI_CHAT_CHATML;
  if (contains(jinja, size, "[SYSTEM_PROMPT]")) return CWI_CHAT_MISTRAL_V7;
  if (contains(jinja, size, "[INST]")) return CWI_CHAT_LLAMA2;
  if (contains(jinja, size, "<|start_header_id|>")) return CWI_CHAT_LLAMA3;
  if (contains(jinja, size, "<|assistant|>") && contains(jinja, size, "<|end|>")) {
    return CWI_CHAT_PHI3;
  }
  if (contains(jinja, size, "<|user|>") && contains(jinja, size, "<|endoftext|>")) {
    return CWI_CHAT_ZEPHYR;
  }
  if (contains(jinja, size, "<start_of_turn>")) return CWI_CHAT_GEMMA;
  if (contains(jinja, size, "### Instruction:")) return CWI_CHAT_DEEPSEEK;
  if (contains(jinja, size, "USER: ") && contains(jinja, size, "ASSISTANT: ")) {
    return CWI_CHAT_VICUNA;
  }
  if (contains(jinja, size, "<|START_OF_TURN_TOKEN|>")) return CWI_CHAT_COMMAND_R;
  return CWI_CHAT_NONE;
}

static bool is_role(const cwi_chat_message *m, const char *role) {
  return m->role.size == strlen(role) && memcmp(m->role.data, role, m->role.size) == 0;
}

static void text(cwi_buf *out, cw_bytes bytes) {
  (void)cwi_buf_append(out, bytes.data, bytes.size);
}
static void word(cwi_buf *out, const char *literal) { (void)cwi_buf_append_str(out, literal); }

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static cw_bytes trim(cw_bytes bytes) {
  const char *s = bytes.data;
  size_t size = bytes.size;
  while (size > 0 && is_blank(s[size - 1])) size--;
  while (size > 0 && is_blank(*s)) {
    s++;
    size--;
  }
  return (cw_bytes){s, size};
}

static void write_frames(const frame *f, const cwi_chat_message *messages, size_t len, bool trims,
                         cwi_buf *out) {
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    const char *role = is_role(m, "user")        ? f->user
                       : is_role(m, "assistant") ? f->assistant
                       : is_role(m, "system")    ? f->system
                                                 : NULL;
    word(out, f->open);
    if (role != NULL) {
      word(out, role);
    } else {
      text(out, m->role);
    }
    word(out, f->middle);
    text(out, trims ? trim(m->text) : m->text);
    word(out, f->close);
  }
}

static void write_llama2(const cwi_chat_message *messages, size_t len, cwi_buf *out) {
  bool open = false; /* a turn of the user has begun */
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    if (is_role(m, "assistant")) {
      text(out, m->text);
      word(out, "</s>");
      continue;
    }
    if (!open) word(out, "[INST] ");
    text(out, m->text);
    open = is_role(m, "system");
    word(out, open ? "\n" : " [/INST]");
  }
}

static void write_mistral(const cwi_chat_message *messages, size_t len, cwi_buf *out) {
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    const bool system = is_role(m, "system");
    const bool assistant = is_role(m, "assistant");
    word(out, system ? "[SYSTEM_PROMPT] " : assistant ? " " : "[INST] ");
    text(out, m->text);
    word(out, system ? "[/SYSTEM_PROMPT]" : assistant ? "</s>" : "[/INST]");
  }
}

/* Gemma knows no system role: its text opens the next turn of the user. */
static void write_gemma(const cwi_chat_message *messages, size_t len, bool answer, cwi_buf *out) {
  size_t system = len; /* the first system message that is not written yet */
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    if (is_role(m, "system")) {
      if (system == len) system = i;
      continue;
    }
    const bool assistant = is_role(m, "assistant");
    word(out, "<start_of_turn>");
    if (assistant) {
      word(out, "model");
    } else {
      text(out, m->role);
    }
    word(out, "\n");
    for (; !assistant && system < i; system++) {
      if (is_role(&messages[system], "system")) {
        text(out, trim(messages[system].text));
        word(out, "\n\n");
      }
    }
    if (!assistant) system = len;
    text(out, trim(m->text));
    word(out, "<end_of_turn>\n");
  }
  if (answer) word(out, "<start_of_turn>model\n");
}

static void write_deepseek(const cwi_chat_message *messages, size_t len, bool answer,
                           cwi_buf *out) {
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    const bool system = is_role(m, "system");
    const bool assistant = is_role(m, "assistant");
    word(out, system ? "" : assistant ? "### Response:\n" : "### Instruction:\n");
    text(out, m->text);
    word(out, system ? "" : assistant ? "\n<|EOT|>\n" : "\n");
  }
  if (answer) word(out, "### Response:\n");
}

static void write_vicuna(const cwi_chat_message *messages, size_t len, bool answer, cwi_buf *out) {
  for (size_t i = 0; i < len; i++) {
    const cwi_chat_message *m = &messages[i];
    const bool system = is_role(m, "system");
    const bool assistant = is_role(m, "assistant");
    word(out, system ? "" : assistant ? "ASSISTANT: " : "USER: ");
    text(out, m->text);
    word(out, system ? "\n\n" : assistant ? "</s>\n" : "\n");
  }
  if (answer) word(out, "ASSISTANT:");
}

cw_status cwi_chat_format_write(cwi_chat_format format, const cwi_chat_message *messages,
                                size_t len, bool answer, cwi_buf *out, cw_error *err) {
  switch (format) {
    case CWI_CHAT_CHATML:
    case CWI_CHAT_PHI3:
    case CWI_CHAT_ZEPHYR:
    case CWI_CHAT_LLAMA3:
    case CWI_CHAT_COMMAND_R:
      write_frames(&frames[format], messages, len,
                   format == CWI_CHAT_LLAMA3 || format == CWI_CHAT_COMMAND_R, out);
      if (answer) word(out, frames[format].answer);
      break;
    case CWI_CHAT_LLAMA2: write_llama2(messages, len, out); break;
    case CWI_CHAT_MISTRAL_V7: write_mistral(messages, len, out); break;
    case CWI_CHAT_GEMMA: write_gemma(messages, len, answer, out); break;
    case CWI_CHAT_DEEPSEEK: write_deepseek(messages, len, answer, out); break;
    case CWI_CHAT_VICUNA: write_vicuna(messages, len, answer, out); break;
    case CWI_CHAT_NONE:
    default: return CWI_RAISE(err, CW_E_INVALID, 0, "this chat template is not known");
  }
  return out->failed ? CWI_RAISE_NOMEM(err, "a conversation") : CW_OK;
}
