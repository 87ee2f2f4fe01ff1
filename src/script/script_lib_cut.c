/* SPDX-License-Identifier: MIT */
/* Strings: pieces, padding, replacing, splitting.
 *
 * A range or a start and a length is clamped to what is there. Splitting by an empty text gives the
 * characters between two empty ends, replacing an empty text puts the new one around every
 * character, as the reference does. */
#include "core/unicode.h"
#include "core/utf8.h"
#include "script/script_lib_internal.h"

static cw_bytes text_of(cwi_script_native *call, uint32_t index) {
  CWI_ASSERT(index < call->argc);
  return cw_value_as_bytes(call->args[index]);
}

static cw_bytes piece_of(cwi_script_native *call, uint32_t index, char room[CWI_UTF8_BYTES_MAX]) {
  if (call->args[index].kind != CW_VALUE_CHAR) return text_of(call, index);
  return (cw_bytes){room, cwi_utf8_encode(cw_value_as_char(call->args[index]), room)};
}

/* The bytes of a span of characters. */
static cw_bytes bytes_of_span(cw_bytes text, cwi_script_span span) {
  const char *data = text.data;
  size_t start = cwi_utf8_offset(data, text.size, span.start);
  size_t size = cwi_utf8_offset(data + start, text.size - start, span.len);
  return (cw_bytes){data + start, size};
}

/* args[0] becomes these bytes of itself. */
static cwi_script_result keep_bytes(cwi_script_native *call, const char *data, size_t size) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = cwi_buf_append(&buf, data, size);
  return cwi_script_replace_text(call, &buf, ok);
}

static cwi_script_result string_sub_string(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  size_t len = cwi_utf8_len(text.data, text.size);
  cw_bytes part = bytes_of_span(text, cwi_script_span_args(len, call->args + 1, call->argc - 1));
  return cwi_script_return_text(call, part.data, part.size);
}

static cwi_script_result string_crop(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  size_t len = cwi_utf8_len(text.data, text.size);
  cw_bytes part = bytes_of_span(text, cwi_script_span_args(len, call->args + 1, call->argc - 1));
  return keep_bytes(call, part.data, part.size);
}

static cwi_script_result string_truncate(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  int64_t len = cw_value_as_int(call->args[1]);
  size_t size = len <= 0 ? 0 : cwi_utf8_offset(text.data, text.size, (size_t)len);
  return keep_bytes(call, text.data, size);
}

static cwi_script_result string_trim(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  const char *data = text.data;
  size_t start = 0;
  size_t end = text.size;
  uint32_t codepoint = 0;
  while (start < end) {
    size_t step = cwi_utf8_decode(data + start, end - start, &codepoint);
    if (!cwi_unicode_is_space(codepoint)) break;
    start += step;
  }
  while (end > start) {
    size_t last = cwi_utf8_floor(data, end, end - 1);
    cwi_utf8_decode(data + last, end - last, &codepoint);
    if (!cwi_unicode_is_space(codepoint)) break;
    end = last;
  }
  return keep_bytes(call, data + start, end - start);
}

/* The last character, or the last few as a string. */
static cwi_script_result string_pop(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  const char *data = text.data;
  size_t chars = cwi_utf8_len(data, text.size);
  if (call->argc == 1 && chars == 0) return CWI_SCRIPT_OK;
  int64_t want = call->argc == 1 ? 1 : cw_value_as_int(call->args[1]);
  size_t count = want <= 0 ? 0 : (uint64_t)want > chars ? chars : (size_t)want;
  size_t cut = cwi_utf8_offset(data, text.size, chars - count);
  if (call->argc == 1) {
    uint32_t codepoint = 0;
    cwi_utf8_decode(data + cut, text.size - cut, &codepoint);
    call->result = cw_value_char(codepoint);
  } else {
    cwi_script_result result = cwi_script_return_text(call, data + cut, text.size - cut);
    if (result != CWI_SCRIPT_OK) return result;
  }
  return keep_bytes(call, data, cut);
}

/* pad(len, character or text): whole pieces first, then as much of one as is missing. */
static cwi_script_result string_pad(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 2, room);
  int64_t want = cw_value_as_int(call->args[1]);
  size_t len = cwi_utf8_len(text.data, text.size);
  if (want <= 0 || (uint64_t)want <= len || piece.size == 0) return CWI_SCRIPT_OK;
  size_t goal = (size_t)want;
  cwi_script_result result = cwi_script_check_size(call->run, CW_VALUE_STRING, goal);
  if (result != CWI_SCRIPT_OK) return result;
  result = cwi_script_count_operations(call->run, (goal - len) / 64);
  if (result != CWI_SCRIPT_OK) return result;
  size_t step = cwi_utf8_len(piece.data, piece.size);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = cwi_buf_append(&buf, text.data, text.size);
  for (; ok && len + step <= goal; len += step) ok = cwi_buf_append(&buf, piece.data, piece.size);
  if (ok && len < goal) {
    ok = cwi_buf_append(&buf, piece.data, cwi_utf8_offset(piece.data, piece.size, goal - len));
  }
  return cwi_script_replace_text(call, &buf, ok);
}

/* ---- replacing ---- */

static bool replace_empty(cwi_buf *out, cw_bytes text, cw_bytes with) {
  const char *data = text.data;
  cwi_buf_append(out, with.data, with.size);
  for (size_t at = 0; at < text.size;) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(data + at, text.size - at, &codepoint);
    if (step == 0) step = 1;
    cwi_buf_append(out, data + at, step);
    cwi_buf_append(out, with.data, with.size);
    at += step;
  }
  return !out->failed;
}

static bool replace_all(cwi_buf *out, cw_bytes text, cw_bytes piece, cw_bytes with) {
  const char *from = text.data;
  const char *end = from + text.size;
  for (;;) {
    const char *at = memmem(from, (size_t)(end - from), piece.data, piece.size);
    if (at == NULL) return cwi_buf_append(out, from, (size_t)(end - from));
    cwi_buf_append(out, from, (size_t)(at - from));
    cwi_buf_append(out, with.data, with.size);
    if (out->failed) return false;
    from = at + piece.size;
  }
}

static cwi_script_result string_replace(cwi_script_native *call) {
  char room_piece[CWI_UTF8_BYTES_MAX];
  char room_with[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room_piece);
  cw_bytes with = piece_of(call, 2, room_with);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok =
      piece.size == 0 ? replace_empty(&buf, text, with) : replace_all(&buf, text, piece, with);
  return cwi_script_replace_text(call, &buf, ok);
}

/* ---- splitting ---- */

static cw_status push_text(cw_value *array, const char *data, size_t size) {
  cw_value part;
  cw_status status = cwi_value_string_trusted(data, size, &part, NULL);
  if (status != CW_OK) return status;
  return cw_value_array_push(array, part, NULL);
}

/* One string limit of pieces is the array limit: checked as they are made. */
static cwi_script_result check_pieces(cwi_script_native *call, cw_status status) {
  if (status != CW_OK) return cwi_script_check(call, status);
  return cwi_script_check_size(call->run, CW_VALUE_ARRAY, cw_value_len(call->result));
}

static cwi_script_result split_words(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  const char *data = text.data;
  cw_status status = cw_value_array(0, &call->result, NULL);
  size_t start = 0;
  for (size_t at = 0; at <= text.size && status == CW_OK;) {
    uint32_t codepoint = ' ';
    size_t step = at < text.size ? cwi_utf8_decode(data + at, text.size - at, &codepoint) : 1;
    if (cwi_unicode_is_space(codepoint)) {
      if (at > start) status = push_text(&call->result, data + start, at - start);
      start = at + step;
    }
    at += step != 0 ? step : 1;
  }
  return check_pieces(call, status);
}

static cwi_script_result split_at(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  const char *data = text.data;
  int64_t index = cw_value_as_int(call->args[1]);
  size_t chars = cwi_utf8_len(data, text.size);
  size_t cut = index == 0 ? 0 : cwi_script_span_of(chars, index, 1).start;
  size_t bytes = cwi_utf8_offset(data, text.size, cut);
  cw_status status = cw_value_array(2, &call->result, NULL);
  if (status == CW_OK) status = push_text(&call->result, data, bytes);
  if (status == CW_OK) status = push_text(&call->result, data + bytes, text.size - bytes);
  return cwi_script_check(call, status);
}

/* Splitting by nothing: an empty text, each character, an empty text; at most `max` pieces. */
static cw_status split_chars(cw_value *out, cw_bytes text, size_t max) {
  const char *data = text.data;
  if (max == 1) return push_text(out, data, text.size);
  cw_status status = push_text(out, "", 0);
  size_t at = 0;
  while (at < text.size && status == CW_OK && cw_value_len(*out) + 1 < max) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(data + at, text.size - at, &codepoint);
    if (step == 0) step = 1;
    status = push_text(out, data + at, step);
    at += step;
  }
  return status != CW_OK ? status : push_text(out, data + at, text.size - at);
}

static cw_status split_forward(cw_value *out, cw_bytes text, cw_bytes piece, size_t max) {
  const char *from = text.data;
  const char *end = from + text.size;
  cw_status status = CW_OK;
  while (status == CW_OK && cw_value_len(*out) + 1 < max) {
    const char *at = memmem(from, (size_t)(end - from), piece.data, piece.size);
    if (at == NULL) break;
    status = push_text(out, from, (size_t)(at - from));
    from = at + piece.size;
  }
  return status != CW_OK ? status : push_text(out, from, (size_t)(end - from));
}

/* The last occurrence of `piece`; NULL where there is none. */
static const char *find_last(const char *from, const char *end, cw_bytes piece) {
  if ((size_t)(end - from) < piece.size) return NULL;
  for (const char *at = end - piece.size;; at--) {
    if (memcmp(at, piece.data, piece.size) == 0) return at;
    if (at == from) return NULL;
  }
}

static cw_status split_backward(cw_value *out, cw_bytes text, cw_bytes piece, size_t max) {
  const char *from = text.data;
  const char *end = from + text.size;
  cw_status status = CW_OK;
  while (status == CW_OK && cw_value_len(*out) + 1 < max) {
    const char *at = find_last(from, end, piece);
    if (at == NULL) break;
    status = push_text(out, at + piece.size, (size_t)(end - at) - piece.size);
    end = at;
  }
  return status != CW_OK ? status : push_text(out, from, (size_t)(end - from));
}

/* The characters of split_chars, last first. */
static cw_status split_chars_backward(cw_value *out, cw_bytes text, size_t max) {
  const char *data = text.data;
  if (max == 1) return push_text(out, data, text.size);
  cw_status status = push_text(out, "", 0);
  size_t end = text.size;
  while (end > 0 && status == CW_OK && cw_value_len(*out) + 1 < max) {
    size_t last = cwi_utf8_floor(data, end, end - 1);
    status = push_text(out, data + last, end - last);
    end = last;
  }
  return status != CW_OK ? status : push_text(out, data, end);
}

/* data 1: from the end. */
static cwi_script_result string_split(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room);
  size_t max = SIZE_MAX;
  if (call->argc > 2) {
    int64_t want = cw_value_as_int(call->args[2]);
    max = want < 1 ? 1 : (size_t)want;
  }
  cw_status status = cw_value_array(0, &call->result, NULL);
  if (status != CW_OK) return cwi_script_check(call, status);
  if (piece.size == 0) {
    status = call->data == 1 ? split_chars_backward(&call->result, text, max)
                             : split_chars(&call->result, text, max);
  } else {
    status = call->data == 1 ? split_backward(&call->result, text, piece, max)
                             : split_forward(&call->result, text, piece, max);
  }
  return check_pieces(call, status);
}

static const cwi_script_row ROWS[] = {
    {"sub_string", 2, {T_STRING, T_INT}, string_sub_string, 0, 0},
    {"sub_string", 2, {T_STRING, T_RANGE}, string_sub_string, 0, 0},
    {"sub_string", 2, {T_STRING, T_RANGE_INCLUSIVE}, string_sub_string, 0, 0},
    {"sub_string", 3, {T_STRING, T_INT, T_INT}, string_sub_string, 0, 0},
    {"crop", 2, {T_STRING, T_INT}, string_crop, MUT, 0},
    {"crop", 2, {T_STRING, T_RANGE}, string_crop, MUT, 0},
    {"crop", 2, {T_STRING, T_RANGE_INCLUSIVE}, string_crop, MUT, 0},
    {"crop", 3, {T_STRING, T_INT, T_INT}, string_crop, MUT, 0},
    {"truncate", 2, {T_STRING, T_INT}, string_truncate, MUT, 0},
    {"trim", 1, {T_STRING}, string_trim, MUT, 0},
    {"pop", 1, {T_STRING}, string_pop, MUT, 0},
    {"pop", 2, {T_STRING, T_INT}, string_pop, MUT, 0},
    {"pad", 3, {T_STRING, T_INT, T_CHAR}, string_pad, MUT, 0},
    {"pad", 3, {T_STRING, T_INT, T_STRING}, string_pad, MUT, 0},
    {"replace", 3, {T_STRING, T_STRING, T_STRING}, string_replace, MUT, 0},
    {"replace", 3, {T_STRING, T_STRING, T_CHAR}, string_replace, MUT, 0},
    {"replace", 3, {T_STRING, T_CHAR, T_STRING}, string_replace, MUT, 0},
    {"replace", 3, {T_STRING, T_CHAR, T_CHAR}, string_replace, MUT, 0},
    {"split", 1, {T_STRING}, split_words, 0, 0},
    {"split", 2, {T_STRING, T_INT}, split_at, 0, 0},
    {"split", 2, {T_STRING, T_STRING}, string_split, 0, 0},
    {"split", 2, {T_STRING, T_CHAR}, string_split, 0, 0},
    {"split", 3, {T_STRING, T_STRING, T_INT}, string_split, 0, 0},
    {"split", 3, {T_STRING, T_CHAR, T_INT}, string_split, 0, 0},
    {"split_rev", 2, {T_STRING, T_STRING}, string_split, 0, 1},
    {"split_rev", 2, {T_STRING, T_CHAR}, string_split, 0, 1},
    {"split_rev", 3, {T_STRING, T_STRING, T_INT}, string_split, 0, 1},
    {"split_rev", 3, {T_STRING, T_CHAR, T_INT}, string_split, 0, 1},
};

const cwi_script_rows cwi_script_rows_cut = {ROWS, CWI_ARRAY_LEN(ROWS)};
