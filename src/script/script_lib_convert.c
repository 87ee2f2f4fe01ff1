/* SPDX-License-Identifier: MIT */
/* Values to text and text to numbers; tags; taking; function pointers.
 *
 * Numbers are read as the reference reads them: blanks around are allowed, an underscore or a
 * prefix is not, and the error names the text with the reason. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "script/script_lib_internal.h"

/* ---- to text ---- */

static cwi_script_result to_string(cwi_script_native *call) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = cwi_script_display(&buf, call->args[0]);
  return cwi_script_return_buf(call, &buf, ok);
}

static cwi_script_result to_debug(cwi_script_native *call) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  bool ok = cwi_script_debug(&buf, call->args[0]);
  return cwi_script_return_buf(call, &buf, ok);
}

/* The bits of an integer in base 2, 8 or 16: data is the bits of a digit. */
static cwi_script_result to_base(cwi_script_native *call) {
  uint64_t bits = (uint64_t)cw_value_as_int(call->args[0]);
  uint64_t mask = (UINT64_C(1) << call->data) - 1;
  char text[64];
  size_t at = sizeof(text);
  do {
    text[--at] = "0123456789abcdef"[bits & mask];
    bits >>= call->data;
  } while (bits != 0);
  return cwi_script_return_text(call, text + at, sizeof(text) - at);
}

/* ---- to numbers ---- */

static cw_bytes trimmed(cw_bytes text) {
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
  return (cw_bytes){data + start, end - start};
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

/* NULL where it is a number, else the reason why not. */
static const char *read_int(cw_bytes text, int64_t radix, int64_t *out) {
  const char *data = text.data;
  size_t at = 0;
  if (text.size == 0) return "cannot parse integer from empty string";
  bool negative = data[0] == '-';
  if (data[0] == '-' || data[0] == '+') at++;
  if (at == text.size) return "invalid digit found in string";
  int64_t value = 0;
  bool fits = true;
  for (; at < text.size; at++) {
    int digit = digit_of(data[at]);
    if (digit >= radix) return "invalid digit found in string";
    if (CWI_MUL_OVERFLOWS(value, radix, &value) ||
        CWI_ADD_OVERFLOWS(value, (int64_t)(negative ? -digit : digit), &value)) {
      fits = false;
      break;
    }
  }
  for (; at < text.size; at++) {
    if (digit_of(data[at]) >= radix) return "invalid digit found in string";
  }
  *out = value;
  if (fits) return NULL;
  return negative ? "number too small to fit in target type"
                  : "number too large to fit in target type";
}

static cwi_script_result no_number(cwi_script_native *call, const char *what, const char *reason) {
  cw_bytes text = cw_value_as_bytes(call->args[0]);
  return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Error parsing %s number '%.*s': %s",
                          what, (int)(text.size < 4096 ? text.size : 4096), (const char *)text.data,
                          reason);
}

static cwi_script_result parse_int(cwi_script_native *call) {
  int64_t radix = call->argc > 1 ? cw_value_as_int(call->args[1]) : 10;
  if (radix < 2 || radix > 36) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC, "Invalid radix: '%lld'",
                            (long long)radix);
  }
  int64_t value = 0;
  const char *reason = read_int(trimmed(cw_value_as_bytes(call->args[0])), radix, &value);
  if (reason != NULL) return no_number(call, "integer", reason);
  return cwi_script_return_int(call, value);
}

static bool same_word(const char *text, size_t size, const char *word) {
  if (strlen(word) != size) return false;
  for (size_t i = 0; i < size; i++) {
    if ((text[i] | 0x20) != word[i]) return false;
  }
  return true;
}

/* True where `text` is digits, maybe with a point and an exponent: what strtod may be given. */
static bool is_decimal(const char *text, size_t size) {
  size_t at = 0;
  size_t digits = 0;
  for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) digits++;
  if (at < size && text[at] == '.') {
    for (at++; at < size && text[at] >= '0' && text[at] <= '9'; at++) digits++;
  }
  if (digits == 0) return false;
  if (at < size && (text[at] | 0x20) == 'e') {
    at++;
    if (at < size && (text[at] == '+' || text[at] == '-')) at++;
    size_t exponent = at;
    while (at < size && text[at] >= '0' && text[at] <= '9') at++;
    if (at == exponent) return false;
  }
  return at == size;
}

static cwi_script_result parse_float(cwi_script_native *call) {
  cw_bytes text = trimmed(cw_value_as_bytes(call->args[0]));
  const char *data = text.data;
  size_t size = text.size;
  if (size == 0) {
    return no_number(call, "floating-point", "cannot parse float from empty string");
  }
  double sign = data[0] == '-' ? -1.0 : 1.0;
  if (data[0] == '-' || data[0] == '+') {
    data++;
    size--;
  }
  if (same_word(data, size, "inf") || same_word(data, size, "infinity")) {
    return cwi_script_return_float(call, sign * INFINITY);
  }
  if (same_word(data, size, "nan")) return cwi_script_return_float(call, NAN);
  if (!is_decimal(data, size)) return no_number(call, "floating-point", "invalid float literal");
  cwi_buf copy; /* strtod wants a NUL behind the digits */
  cwi_buf_init(&copy, 0);
  cwi_buf_append(&copy, data, size);
  const char *digits = cwi_buf_cstr(&copy);
  if (digits != NULL) call->result = cwi_value_float(sign * strtod(digits, NULL));
  cwi_buf_deinit(&copy);
  return digits != NULL ? CWI_SCRIPT_OK : cwi_script_raise_nomem(call->run);
}

/* ---- any value ---- */

static cwi_script_result tag(cwi_script_native *call) {
  return cwi_script_return_int(call, cwi_script_tag(call->args[0]));
}

static cwi_script_result set_tag(cwi_script_native *call) {
  int64_t number = cw_value_as_int(call->args[1]);
  if (number < INT32_MIN || number > INT32_MAX) {
    return cwi_script_raise(call->run, CWI_SCRIPT_E_ARITHMETIC,
                            "%lld is too %s to fit into a tag (must be between %d and %d)",
                            (long long)number, number < 0 ? "small" : "large", INT32_MIN,
                            INT32_MAX);
  }
  call->args[0].aux = (uint32_t)(int32_t)number;
  return CWI_SCRIPT_OK;
}

static cwi_script_result take(cwi_script_native *call) {
  return cwi_script_return(call, cwi_script_take(&call->args[0]));
}

/* ---- function pointers ---- */

static cwi_script_result fn_name(cwi_script_native *call) {
  return cwi_script_return(call, cw_value_retain(cwi_script_fn_ptr(call->args[0])->name));
}

static cwi_script_result fn_is_anonymous(cwi_script_native *call) {
  cw_bytes name = cw_value_as_bytes(cwi_script_fn_ptr(call->args[0])->name);
  static const char prefix[] = "anon$";
  bool anonymous =
      name.size >= sizeof(prefix) - 1 && memcmp(name.data, prefix, sizeof(prefix) - 1) == 0;
  return cwi_script_return_bool(call, anonymous);
}

static const cwi_script_row ROWS[] = {
    {"to_string", 1, {T_ANY}, to_string, 0, 0},
    {"to_debug", 1, {T_ANY}, to_debug, 0, 0},
    {"to_binary", 1, {T_INT}, to_base, 0, 1},
    {"to_octal", 1, {T_INT}, to_base, 0, 3},
    {"to_hex", 1, {T_INT}, to_base, 0, 4},
    {"parse_int", 1, {T_STRING}, parse_int, 0, 0},
    {"parse_int", 2, {T_STRING, T_INT}, parse_int, 0, 0},
    {"parse_float", 1, {T_STRING}, parse_float, 0, 0},
    {"tag", 1, {T_ANY}, tag, 0, 0},
    {"get$tag", 1, {T_ANY}, tag, 0, 0},
    {"set_tag", 2, {T_ANY, T_INT}, set_tag, MUT, 0},
    {"set$tag", 2, {T_ANY, T_INT}, set_tag, MUT, 0},
    {"take", 1, {T_ANY}, take, MUT, 0},
    {"name", 1, {T_FN}, fn_name, 0, 0},
    {"get$name", 1, {T_FN}, fn_name, 0, 0},
    {"is_anonymous", 1, {T_FN}, fn_is_anonymous, 0, 0},
    {"get$is_anonymous", 1, {T_FN}, fn_is_anonymous, 0, 0},
};

const cwi_script_rows cwi_script_rows_convert = {ROWS, CWI_ARRAY_LEN(ROWS)};
