/* SPDX-License-Identifier: MIT */
/* The text of an answer: however tokens cut it, the same is shown. */
#include "core/utf8.h"
#include "llm/llm_stream_text.h"
#include "support/test.h"

static const cw_bytes stops[] = {{"</end>", 6}, {"\n\n", 2}, {"\xE2\x82\xAC!", 4}};

/* Shows `text` in pieces of `step` bytes. */
static cw_status show(const char *text, size_t step, cwi_buf *out) {
  cwi_llm_stream_text t;
  cw_status status = CW_OK;
  const size_t size = strlen(text);
  cwi_llm_stream_text_init(&t, stops, 3);
  for (size_t i = 0; status == CW_OK && i < size; i += step) {
    const size_t len = step < size - i ? step : size - i;
    status = cwi_llm_stream_text_push(&t, text + i, len, out, NULL);
    if (!cwi_utf8_is_valid(out->data == NULL ? "" : out->data, out->size)) {
      fail_msg("half a character after %zu bytes of '%s'", i, text);
    }
  }
  if (status == CW_OK) status = cwi_llm_stream_text_finish(&t, out, NULL);
  cwi_llm_stream_text_deinit(&t);
  return status;
}

TEST(llm_stream_text, the_same_is_shown_however_tokens_cut_it) {
  static const struct {
    const char *text, *shown;
  } rows[] = {
      {"Hello w\xC3\xB6rld \xF0\x9F\x8D\xB5", "Hello w\xC3\xB6rld \xF0\x9F\x8D\xB5"},
      {"one</end>two", "one"},
      {"a </en b", "a </en b"},
      {"a <</end>", "a <"},
      {"x\n\ny", "x"},
      {"5 \xE2\x82\xAC, 6 \xE2\x82\xAC!", "5 \xE2\x82\xAC, 6 "},
      {"ends </e", "ends </e"},
      {"bad \xFF byte", "bad \xEF\xBF\xBD byte"},
      {"cut \xC3", "cut \xEF\xBF\xBD"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for (size_t step = 1; step < 12; step++) {
      cwi_buf out;
      cwi_buf_init(&out, 0);
      CHECK_OK(show(rows[i].text, step, &out));
      if (out.size != strlen(rows[i].shown) ||
          (out.size > 0 && memcmp(out.data, rows[i].shown, out.size) != 0)) {
        fail_msg("'%s' by %zu gives '%.*s'", rows[i].text, step, (int)out.size, out.data);
      }
      cwi_buf_deinit(&out);
    }
  }
}

TEST(llm_stream_text, what_cannot_be_a_stop_sequence_is_shown_at_once) {
  cwi_llm_stream_text t;
  cwi_buf out;
  cwi_buf_init(&out, 0);
  cwi_llm_stream_text_init(&t, stops, 3);
  CHECK_OK(cwi_llm_stream_text_push(&t, "ab</", 4, &out, NULL));
  CHECK(out.size == 2);
  CHECK_OK(cwi_llm_stream_text_push(&t, "<", 1, &out, NULL));
  CHECK(out.size == 4);
  CHECK_OK(cwi_llm_stream_text_push(&t, "/end>tail", 9, &out, NULL));
  CHECK(out.size == 4 && cwi_llm_stream_text_is_stopped(&t) && t.stop == 0);
  CHECK_OK(cwi_llm_stream_text_push(&t, "more", 4, &out, NULL));
  CHECK_OK(cwi_llm_stream_text_finish(&t, &out, NULL));
  CHECK(out.size == 4);
  cwi_llm_stream_text_deinit(&t);
  cwi_buf_deinit(&out);
}

static cw_status show_once(void) {
  cwi_buf out;
  cwi_buf_init(&out, 0);
  const cw_status status = show("some text</end> that stops", 3, &out);
  cwi_buf_deinit(&out);
  return status;
}

TEST(llm_stream_text, survives_running_out_of_memory) { CHECK_SURVIVES_OOM(show_once(), (void)0); }
