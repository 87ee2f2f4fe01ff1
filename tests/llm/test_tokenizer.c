/* SPDX-License-Identifier: MIT */
/* Tokenizers: what the recorded vectors do not say: memory that runs out, vocabularies that are
 * missing, long texts. */
#include <stdio.h>

#include "core/alloc.h"
#include "llm/tokenizer.h"
#include "support/test.h"

static const char *const vocabularies[] = {"vocab-spm.gguf", "vocab-bpe-gpt-2.gguf",
                                           "vocab-bpe-llama-bpe.gguf", "vocab-bpe-qwen2.gguf",
                                           "phi3-spm-f16.gguf"};

static cwi_gguf *open_file(const char *name) {
  char path[1024];
  cwi_gguf *gguf = NULL;
  (void)snprintf(path, sizeof(path), "%s/llm/models/%s", CW_VECTORS_DIR, name);
  CHECK_OK(cwi_gguf_open(path, CWI_GGUF_MAP, &gguf, NULL));
  return gguf;
}

static cw_status there_and_back(const cwi_tokenizer *t, const char *text, size_t size) {
  cwi_tokens tokens = {0};
  cwi_buf out;
  cwi_buf_init(&out, 0);
  cw_status status = cwi_tokenizer_encode(t, text, size, CWI_TOKENIZER_ADD, &tokens, NULL);
  if (status == CW_OK) {
    status = cwi_tokenizer_decode(t, tokens.ids, tokens.len, CWI_TOKENIZER_REMOVE, &out, NULL);
  }
  cwi_buf_deinit(&out);
  cwi_tokens_deinit(&tokens);
  return status;
}

TEST(tokenizer, survives_running_out_of_memory) {
  static const char text[] = "Hello <|im_end|> w\xC3\xB6rld 123 \xFF <s>";
  for (size_t i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++) {
    cwi_gguf *gguf = open_file(vocabularies[i]);
    cwi_tokenizer *t = NULL;
    CHECK_SURVIVES_OOM(cwi_tokenizer_new(gguf, &t, NULL), cwi_tokenizer_free(t));
    CHECK_OK(cwi_tokenizer_new(gguf, &t, NULL));
    CHECK_SURVIVES_OOM(there_and_back(t, text, sizeof(text)), (void)0);
    cwi_tokenizer_free(t);
    cwi_gguf_close(gguf);
  }
  CHECK(cw_allocated_bytes() == 0);
}

TEST(tokenizer, a_word_of_a_million_letters_takes_no_quadratic_time) {
  const size_t size = cwt_rounds(1000000);
  char *text = cwi_alloc(size);
  for (size_t i = 0; i < size; i++) text[i] = "abeot"[i % 5];
  for (size_t v = 0; v < 3; v++) {
    cwi_gguf *gguf = open_file(vocabularies[v]);
    cwi_tokenizer *t = NULL;
    cwi_tokens tokens = {0};
    CHECK_OK(cwi_tokenizer_new(gguf, &t, NULL));
    CHECK_OK(cwi_tokenizer_encode(t, text, size, 0, &tokens, NULL));
    CHECK(tokens.len > size / 20);
    cwi_tokens_deinit(&tokens);
    cwi_tokenizer_free(t);
    cwi_gguf_close(gguf);
  }
  cwi_free(text, size);
}

TEST(tokenizer, control_tokens_in_text_are_markup_only_where_asked) {
  cwi_gguf *gguf = open_file("vocab-bpe-qwen2.gguf");
  cwi_tokenizer *t = NULL;
  cwi_tokens tokens = {0};
  CHECK_OK(cwi_tokenizer_new(gguf, &t, NULL));
  const int32_t end = cwi_tokenizer_find(t, "<|im_end|>");
  CHECK(end >= 0 && cwi_tokenizer_is_end(t, end) && cwi_tokenizer_is_control(t, end));
  CHECK_OK(cwi_tokenizer_encode(t, "<|im_end|>", 10, 0, &tokens, NULL));
  CHECK(tokens.len > 1);
  tokens.len = 0;
  CHECK_OK(cwi_tokenizer_encode(t, "<|im_end|>", 10, CWI_TOKENIZER_PARSE, &tokens, NULL));
  CHECK(tokens.len == 1 && tokens.ids[0] == end);
  cwi_tokens_deinit(&tokens);
  cwi_tokenizer_free(t);
  cwi_gguf_close(gguf);
}

TEST(tokenizer, ids_out_of_range_give_nothing) {
  cwi_gguf *gguf = open_file("vocab-spm.gguf");
  cwi_tokenizer *t = NULL;
  cwi_buf out;
  cwi_buf_init(&out, 0);
  CHECK_OK(cwi_tokenizer_new(gguf, &t, NULL));
  const int32_t ids[] = {-1, INT32_MAX, (int32_t)cwi_tokenizer_len(t)};
  CHECK_OK(cwi_tokenizer_decode(t, ids, 3, CWI_TOKENIZER_UNPARSE, &out, NULL));
  CHECK(out.size == 0);
  CHECK(!cwi_tokenizer_is_end(t, -1) && !cwi_tokenizer_is_control(t, INT32_MAX));
  cwi_buf_deinit(&out);
  cwi_tokenizer_free(t);
  cwi_gguf_close(gguf);
}
