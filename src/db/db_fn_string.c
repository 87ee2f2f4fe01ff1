/* SPDX-License-Identifier: MIT */
/* string:: functions that make or take apart text; db_fn_string_is.c asks, db_fn_string_more.c
 * compares. */
#include "core/alloc.h"
#include "core/utf8.h"
#include "db/db_fn_internal.h"
#include "db/db_unicode.h"

static const char *text_of(cw_value v) { return cwi_fn_chars(v); }
static size_t size_of(cw_value v) { return cwi_fn_size(v); }

/* Where `needle` begins in `text` at or behind `from`; SIZE_MAX where it does not. */
static size_t find_text(const char *text, size_t size, const char *needle, size_t needle_size,
                        size_t from) {
  if (needle_size > size) return SIZE_MAX;
  for (size_t i = from; i + needle_size <= size; i++) {
    if (memcmp(text + i, needle, needle_size) == 0) return i;
  }
  return SIZE_MAX;
}

FN(string_len) {
  FN_UNUSED;
  *out = cwi_value_int((int64_t)cwi_utf8_len(text_of(args[0]), size_of(args[0])));
  return CW_OK;
}

#define MAPPED(name, append)                                                   \
  FN(name) {                                                                   \
    FN_UNUSED;                                                                 \
    cwi_buf buf;                                                               \
    cwi_buf_init(&buf, 0);                                                     \
    (void)append(&buf, text_of(args[0]), size_of(args[0]));                    \
    return cwi_fn_finish(&buf, out, err);                                      \
  }
MAPPED(string_lowercase, cwi_db_unicode_append_lower)
MAPPED(string_uppercase, cwi_db_unicode_append_upper)
MAPPED(string_capitalize, cwi_db_unicode_append_words)

FN(string_contains) {
  FN_UNUSED;
  *out = cwi_value_bool(find_text(text_of(args[0]), size_of(args[0]), text_of(args[1]),
                                  size_of(args[1]), 0) != SIZE_MAX);
  return CW_OK;
}

FN(string_starts_with) {
  FN_UNUSED;
  size_t size = size_of(args[1]);
  *out = cwi_value_bool(size <= size_of(args[0]) &&
                        memcmp(text_of(args[0]), text_of(args[1]), size) == 0);
  return CW_OK;
}

FN(string_ends_with) {
  FN_UNUSED;
  size_t size = size_of(args[1]);
  *out =
      cwi_value_bool(size <= size_of(args[0]) && memcmp(text_of(args[0]) + size_of(args[0]) - size,
                                                        text_of(args[1]), size) == 0);
  return CW_OK;
}

FN(string_concat) {
  FN_UNUSED;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t i = 0; i < len; i++) (void)cwi_db_text_bare(&buf, args[i]);
  return cwi_fn_finish(&buf, out, err);
}

FN(string_join) {
  FN_UNUSED;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t i = 1; i < len; i++) {
    if (i > 1) (void)cwi_db_text_bare(&buf, args[0]);
    (void)cwi_db_text_bare(&buf, args[i]);
  }
  return cwi_fn_finish(&buf, out, err);
}

FN(string_matches) {
  (void)len;
  (void)ctx;
  bool matches = false;
  cw_status status = cwi_db_regex_match(cwi_db_regex_of(args[1]), text_of(args[0]),
                                        size_of(args[0]), &matches, err);
  *out = cwi_value_bool(matches);
  return status;
}

FN(string_repeat) {
  (void)len;
  int64_t count = cwi_value_as_int(args[1]);
  size_t size = size_of(args[0]);
  if (count < 0 || (size > 0 && (uint64_t)count > CWI_FN_OUTPUT_BYTES_MAX / size)) {
    return cwi_db_fn_fail(ctx, err, "Output must not exceed %d bytes.", CWI_FN_OUTPUT_BYTES_MAX);
  }
  char *text;
  size_t total = size * (size_t)count;
  cw_status status = cwi_value_string_room(total, out, &text, err);
  if (status != CW_OK) return status;
  for (size_t at = 0; at < total; at += size) memcpy(text + at, text_of(args[0]), size);
  return CW_OK;
}

static void replace_text(cwi_buf *buf, cw_value subject, cw_value what, cw_value with) {
  const char *text = text_of(subject);
  size_t size = size_of(subject);
  size_t at = 0;
  for (;;) {
    size_t found = SIZE_MAX;
    if (size_of(what) > 0) found = find_text(text, size, text_of(what), size_of(what), at);
    if (found == SIZE_MAX) break;
    (void)cwi_buf_append(buf, text + at, found - at);
    (void)cwi_buf_append(buf, text_of(with), size_of(with));
    at = found + size_of(what);
  }
  (void)cwi_buf_append(buf, text + at, size - at);
}

/* An empty pattern stands between all characters. */
static void replace_between(cwi_buf *buf, cw_value subject, cw_value with) {
  const char *text = text_of(subject);
  size_t size = size_of(subject);
  (void)cwi_buf_append(buf, text_of(with), size_of(with));
  for (size_t at = 0; at < size;) {
    uint32_t c;
    size_t step = cwi_utf8_decode(text + at, size - at, &c);
    (void)cwi_buf_append(buf, text + at, step);
    (void)cwi_buf_append(buf, text_of(with), size_of(with));
    at += step;
  }
}

FN(string_replace) {
  (void)len;
  (void)ctx;
  cwi_buf buf;
  cw_status status = CW_OK;
  cwi_buf_init(&buf, CWI_FN_OUTPUT_BYTES_MAX * 16);
  if (cwi_db_kind_of(args[1]) == CWI_DB_REGEX) {
    status = cwi_db_regex_replace(cwi_db_regex_of(args[1]), text_of(args[0]), size_of(args[0]),
                                  text_of(args[2]), size_of(args[2]), &buf, err);
  } else if (args[1].kind != CW_VALUE_STRING) {
    status =
        cwi_fn_fail_value(err,
                          "Incorrect arguments for function string::replace(). Argument 2 was the "
                          "wrong type. Expected `string` but found `",
                          args[1], "`");
  } else if (size_of(args[1]) == 0) {
    replace_between(&buf, args[0], args[2]);
  } else {
    replace_text(&buf, args[0], args[1], args[2]);
  }
  if (status == CW_OK) return cwi_fn_finish(&buf, out, err);
  cwi_buf_deinit(&buf);
  return status;
}

FN(string_reverse) {
  FN_UNUSED;
  size_t count;
  uint32_t *points = cwi_fn_codepoints(args[0], &count);
  if (points == NULL) return CWI_RAISE_NOMEM(err, "a string");
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t i = count; i-- > 0;) (void)cwi_buf_append_codepoint(&buf, points[i]);
  cwi_free(points, count * sizeof(uint32_t));
  return cwi_fn_finish(&buf, out, err);
}

FN(string_slice) {
  size_t begin;
  size_t end;
  const char *text = text_of(args[0]);
  size_t size = size_of(args[0]);
  cw_status status = cwi_fn_slice(ctx, args, len, cwi_utf8_len(text, size), &begin, &end, err);
  if (status != CW_OK) return status;
  size_t from = cwi_utf8_offset(text, size, begin);
  size_t to = cwi_utf8_offset(text, size, end);
  return cwi_fn_text(text + from, to - from, out, err);
}

FN(string_slug) {
  FN_UNUSED;
  cwi_buf plain;
  cwi_buf buf;
  cwi_buf_init(&plain, 0);
  cwi_buf_init(&buf, 0);
  (void)cwi_db_unicode_append_ascii(&plain, text_of(args[0]), size_of(args[0]));
  bool gap = false;
  for (size_t i = 0; i < plain.size; i++) {
    char c = plain.data[i];
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (keep && gap && buf.size > 0) (void)cwi_buf_append_char(&buf, '-');
    if (keep) (void)cwi_buf_append_char(&buf, c);
    gap = !keep;
  }
  bool failed = plain.failed;
  cwi_buf_deinit(&plain);
  if (failed) buf.failed = true;
  return cwi_fn_finish(&buf, out, err);
}

static cw_status push_text(cw_value *list, const char *text, size_t size, cw_error *err) {
  cw_value part;
  cw_status status = cw_value_string(text, size, &part, err);
  return status != CW_OK ? status : cw_value_array_push(list, part, err);
}

FN(string_split) {
  FN_UNUSED;
  cw_value list;
  const char *text = text_of(args[0]);
  size_t size = size_of(args[0]);
  size_t at = 0;
  cw_status status = cw_value_array(0, &list, err);
  if (size_of(args[1]) == 0) {
    if (status == CW_OK) status = push_text(&list, "", 0, err);
    while (status == CW_OK && at < size) {
      uint32_t c;
      size_t step = cwi_utf8_decode(text + at, size - at, &c);
      status = push_text(&list, text + at, step, err);
      at += step;
    }
    if (status == CW_OK) status = push_text(&list, "", 0, err);
    return cwi_fn_give(status, list, out);
  }
  while (status == CW_OK) {
    size_t found = find_text(text, size, text_of(args[1]), size_of(args[1]), at);
    size_t end = found == SIZE_MAX ? size : found;
    status = push_text(&list, text + at, end - at, err);
    if (found == SIZE_MAX) break;
    at = found + size_of(args[1]);
  }
  return cwi_fn_give(status, list, out);
}

FN(string_words) {
  FN_UNUSED;
  cw_value list;
  const char *text = text_of(args[0]);
  size_t size = size_of(args[0]);
  size_t start = 0;
  cw_status status = cw_value_array(0, &list, err);
  for (size_t at = 0; status == CW_OK && at <= size;) {
    uint32_t c = ' ';
    size_t step = at < size ? cwi_utf8_decode(text + at, size - at, &c) : 1;
    if (cwi_db_unicode_is_space(c)) {
      if (at > start) status = push_text(&list, text + start, at - start, err);
      start = at + step;
    }
    at += step;
  }
  return cwi_fn_give(status, list, out);
}

FN(string_trim) {
  FN_UNUSED;
  const char *text = text_of(args[0]);
  size_t size = size_of(args[0]);
  size_t begin = SIZE_MAX;
  size_t end = 0;
  for (size_t at = 0; at < size;) {
    uint32_t c;
    size_t step = cwi_utf8_decode(text + at, size - at, &c);
    if (!cwi_db_unicode_is_space(c)) {
      if (begin == SIZE_MAX) begin = at;
      end = at + step;
    }
    at += step;
  }
  if (begin == SIZE_MAX) begin = 0;
  return cwi_fn_text(text + begin, end - begin, out, err);
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"string::capitalize", "s", string_capitalize, P, "The first letter of each word upper."},
    {"string::concat", "?v*", string_concat, P, "The texts of the arguments, joined."},
    {"string::contains", "ss", string_contains, P, "Whether a text is in it."},
    {"string::ends_with", "ss", string_ends_with, P, "Whether it ends with a text."},
    {"string::join", "v?v*", string_join, P,
     "The texts of the arguments with the first between them."},
    {"string::len", "s", string_len, P, "The number of characters."},
    {"string::lowercase", "s", string_lowercase, P, "In lower case."},
    {"string::matches", "sx", string_matches, P, "Whether a regular expression matches."},
    {"string::repeat", "si", string_repeat, P, "Many times."},
    {"string::replace", "svs", string_replace, P,
     "With a text or the matches of a regex replaced."},
    {"string::reverse", "s", string_reverse, P, "Backward."},
    {"string::slice", "s?vv", string_slice, P, "The characters from an index to before another."},
    {"string::slug", "s", string_slug, P, "As part of a URL."},
    {"string::split", "ss", string_split, P, "Cut at a separator."},
    {"string::starts_with", "ss", string_starts_with, P, "Whether it begins with a text."},
    {"string::trim", "s", string_trim, P, "Without white space at the ends."},
    {"string::uppercase", "s", string_uppercase, P, "In upper case."},
    {"string::words", "s", string_words, P, "Its words."},
};
FN_LIST(cwi_db_fns_string, "string::", rows);
