/* SPDX-License-Identifier: MIT */
/* Strings and characters: lengths, searching, case, single characters.
 *
 * Positions count characters, not bytes; texts are UTF-8, so most functions walk to their place. An
 * index below zero counts from the end. */
#include "core/unicode.h"
#include "core/utf8.h"
#include "script/script_lib_internal.h"

static cw_bytes text_of(cwi_script_native *call, uint32_t index) {
  CWI_ASSERT(index < call->argc);
  return cw_value_as_bytes(call->args[index]);
}

static size_t chars_in(cw_bytes text) { return cwi_utf8_len(text.data, text.size); }

/* args[index] as text, whether it is a string or a character; `room` holds the latter. */
static cw_bytes piece_of(cwi_script_native *call, uint32_t index, char room[CWI_UTF8_BYTES_MAX]) {
  if (call->args[index].kind != CW_VALUE_CHAR) return text_of(call, index);
  return (cw_bytes){room, cwi_utf8_encode(cw_value_as_char(call->args[index]), room)};
}

static cwi_script_result string_len(cwi_script_native *call) {
  return cwi_script_return_int(call, (int64_t)chars_in(text_of(call, 0)));
}

static cwi_script_result string_bytes(cwi_script_native *call) {
  return cwi_script_return_int(call, (int64_t)text_of(call, 0).size);
}

static cwi_script_result string_is_empty(cwi_script_native *call) {
  return cwi_script_return_bool(call, text_of(call, 0).size == 0);
}

static cwi_script_result string_clear(cwi_script_native *call) {
  cwi_buf empty;
  cwi_buf_init(&empty, 0);
  return cwi_script_replace_text(call, &empty, true);
}

/* ---- searching ---- */

static cwi_script_result string_contains(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room);
  bool found = piece.size == 0 || memmem(text.data, text.size, piece.data, piece.size) != NULL;
  return cwi_script_return_bool(call, found);
}

static cwi_script_result string_starts_with(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room);
  bool starts = piece.size <= text.size && memcmp(text.data, piece.data, piece.size) == 0;
  return cwi_script_return_bool(call, starts);
}

static cwi_script_result string_ends_with(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room);
  bool ends = piece.size <= text.size &&
              memcmp((const char *)text.data + text.size - piece.size, piece.data, piece.size) == 0;
  return cwi_script_return_bool(call, ends);
}

/* The position of a piece, from a start on; -1 where it is not. */
static cwi_script_result string_index_of(cwi_script_native *call) {
  char room[CWI_UTF8_BYTES_MAX];
  cw_bytes text = text_of(call, 0);
  cw_bytes piece = piece_of(call, 1, room);
  const char *from = text.data;
  if (text.size == 0) return cwi_script_return_int(call, -1);
  if (call->argc > 2) {
    int64_t start = cw_value_as_int(call->args[2]);
    size_t len = chars_in(text);
    if (start > 0 && (uint64_t)start >= len) return cwi_script_return_int(call, -1);
    from += cwi_utf8_offset(text.data, text.size, cwi_script_span_of(len, start, 1).start);
  }
  size_t rest = text.size - (size_t)(from - (const char *)text.data);
  const char *at = piece.size == 0 ? from : memmem(from, rest, piece.data, piece.size);
  if (at == NULL) return cwi_script_return_int(call, -1);
  size_t before = cwi_utf8_len(text.data, (size_t)(at - (const char *)text.data));
  return cwi_script_return_int(call, (int64_t)before);
}

/* ---- case ---- */

/* data: 1 upper, 2 in place. */
enum { UPPER = 1, IN_PLACE = 2 };

static cwi_script_result string_case(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = (call->data & UPPER) != 0 ? cwi_unicode_append_upper(&buf, text.data, text.size)
                                      : cwi_unicode_append_lower(&buf, text.data, text.size);
  if ((call->data & IN_PLACE) != 0) return cwi_script_replace_text(call, &buf, ok);
  return cwi_script_return_buf(call, &buf, ok);
}

static cwi_script_result char_case(cwi_script_native *call) {
  uint32_t c = cw_value_as_char(call->args[0]);
  c = (call->data & UPPER) != 0 ? cwi_unicode_upper(c) : cwi_unicode_lower(c);
  cw_value result = cw_value_char(c);
  if ((call->data & IN_PLACE) == 0) return cwi_script_return(call, result);
  result.aux = call->args[0].aux;
  call->args[0] = result;
  return CWI_SCRIPT_OK;
}

/* ---- single characters ---- */

static cwi_script_result string_get(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  size_t index = 0;
  uint32_t codepoint = 0;
  if (!cwi_script_index_of(chars_in(text), cw_value_as_int(call->args[1]), &index)) {
    return CWI_SCRIPT_OK;
  }
  size_t at = cwi_utf8_offset(text.data, text.size, index);
  cwi_utf8_decode((const char *)text.data + at, text.size - at, &codepoint);
  return cwi_script_return(call, cw_value_char(codepoint));
}

static cwi_script_result string_set(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  size_t index = 0;
  if (!cwi_script_index_of(chars_in(text), cw_value_as_int(call->args[1]), &index)) {
    return CWI_SCRIPT_OK;
  }
  const char *data = text.data;
  size_t at = cwi_utf8_offset(data, text.size, index);
  uint32_t old = 0;
  size_t step = cwi_utf8_decode(data + at, text.size - at, &old);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cwi_buf_append(&buf, data, at);
  cwi_buf_append_codepoint(&buf, cw_value_as_char(call->args[2]));
  bool ok = cwi_buf_append(&buf, data + at + step, text.size - at - step);
  return cwi_script_replace_text(call, &buf, ok);
}

static cwi_script_result string_to_chars(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  cw_status status = cw_value_array(chars_in(text), &call->result, NULL);
  for (size_t at = 0; at < text.size && status == CW_OK;) {
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode((const char *)text.data + at, text.size - at, &codepoint);
    status = cw_value_array_push(&call->result, cw_value_char(codepoint), NULL);
    at += step != 0 ? step : 1;
  }
  return cwi_script_check(call, status);
}

static cwi_script_result string_to_blob(cwi_script_native *call) {
  cw_bytes text = text_of(call, 0);
  return cwi_script_check(call, cw_value_bytes(text.data, text.size, &call->result, NULL));
}

static cwi_script_result larger(cwi_script_native *call) {
  int order = cwi_script_compare_same(call->args[0], call->args[1]);
  bool second = call->data > 0 ? order <= 0 : order > 0;
  return cwi_script_return(call, cwi_script_take(&call->args[second ? 1 : 0]));
}

static const cwi_script_row ROWS[] = {
    {"len", 1, {T_STRING}, string_len, 0, 0},
    {"get$len", 1, {T_STRING}, string_len, 0, 0},
    {"bytes", 1, {T_STRING}, string_bytes, 0, 0},
    {"get$bytes", 1, {T_STRING}, string_bytes, 0, 0},
    {"is_empty", 1, {T_STRING}, string_is_empty, 0, 0},
    {"get$is_empty", 1, {T_STRING}, string_is_empty, 0, 0},
    {"clear", 1, {T_STRING}, string_clear, MUT, 0},
    {"contains", 2, {T_STRING, T_STRING}, string_contains, 0, 0},
    {"contains", 2, {T_STRING, T_CHAR}, string_contains, 0, 0},
    {"starts_with", 2, {T_STRING, T_STRING}, string_starts_with, 0, 0},
    {"starts_with", 2, {T_STRING, T_CHAR}, string_starts_with, 0, 0},
    {"ends_with", 2, {T_STRING, T_STRING}, string_ends_with, 0, 0},
    {"ends_with", 2, {T_STRING, T_CHAR}, string_ends_with, 0, 0},
    {"index_of", 2, {T_STRING, T_STRING}, string_index_of, 0, 0},
    {"index_of", 2, {T_STRING, T_CHAR}, string_index_of, 0, 0},
    {"index_of", 3, {T_STRING, T_STRING, T_INT}, string_index_of, 0, 0},
    {"index_of", 3, {T_STRING, T_CHAR, T_INT}, string_index_of, 0, 0},
    {"to_upper", 1, {T_STRING}, string_case, 0, UPPER},
    {"to_lower", 1, {T_STRING}, string_case, 0, 0},
    {"make_upper", 1, {T_STRING}, string_case, MUT, UPPER | IN_PLACE},
    {"make_lower", 1, {T_STRING}, string_case, MUT, IN_PLACE},
    {"to_upper", 1, {T_CHAR}, char_case, 0, UPPER},
    {"to_lower", 1, {T_CHAR}, char_case, 0, 0},
    {"make_upper", 1, {T_CHAR}, char_case, MUT, UPPER | IN_PLACE},
    {"make_lower", 1, {T_CHAR}, char_case, MUT, IN_PLACE},
    {"get", 2, {T_STRING, T_INT}, string_get, 0, 0},
    {"set", 3, {T_STRING, T_INT, T_CHAR}, string_set, MUT, 0},
    {"to_chars", 1, {T_STRING}, string_to_chars, 0, 0},
    {"to_blob", 1, {T_STRING}, string_to_blob, 0, 0},
    {"max", 2, {T_STRING, T_STRING}, larger, 0, 1},
    {"min", 2, {T_STRING, T_STRING}, larger, 0, -1},
    {"max", 2, {T_CHAR, T_CHAR}, larger, 0, 1},
    {"min", 2, {T_CHAR, T_CHAR}, larger, 0, -1},
};

const cwi_script_rows cwi_script_rows_string = {ROWS, CWI_ARRAY_LEN(ROWS)};
