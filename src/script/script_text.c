/* SPDX-License-Identifier: MIT */
/* Values as text.
 *
 * There are four styles. DISPLAY is what print() and "" + x show: a string raw, () as nothing, a
 * float in decimal with at least one digit behind the point. DEBUG is what debug() shows and what
 * stands for an item inside a printed container: strings quoted, () as "()", floats scientific from
 * 1e16 on. INTERPOLATE is DISPLAY whose containers hold REPR items. REPR quotes characters too and
 * shows a function pointer with all it holds. JSON is DEBUG with other brackets, and null.
 *
 * Containers are walked with a stack of their own on the heap: however deep a value nests, the
 * machine stack stays as it is (scripts run on small ones).
 *
 * Shortest digits of a float: a double that has any decimal of at most 15 digits reads back from
 * its rounding to 15 digits, and stripping zeros gives the shortest; else 16 or 17 digits do. */
#include "script/script_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/size.h"
#include "core/unicode.h"
#include "core/utf8.h"

/* ---- floats ---- */

#define DIGITS_MAX 17

typedef struct digits {
  char text[DIGITS_MAX + 1];
  int len;
  int exponent; /* of the first digit: 1.5 has 0, 0.15 has -1 */
} digits;

/* The shortest digits that read back as `f`, which is finite and above zero. */
static void shortest_digits(double f, digits *out) {
  CWI_ASSERT(f > 0 && isfinite(f));
  char text[40];
  /* Numbers below the normal ones hold fewer digits. */
  for (int precision = f < DBL_MIN ? 1 : 15; precision <= DIGITS_MAX; precision++) {
    snprintf(text, sizeof(text), "%.*e", precision - 1, f);
    if (precision == DIGITS_MAX || strtod(text, NULL) == f) break;
  }
  /* The decimal point may be any text of the locale: only digits and the exponent count. */
  out->len = 0;
  const char *p = text;
  for (; *p != 'e'; p++) {
    if (*p >= '0' && *p <= '9' && out->len < DIGITS_MAX) out->text[out->len++] = *p;
  }
  out->exponent = (int)strtol(p + 1, NULL, 10);
  while (out->len > 1 && out->text[out->len - 1] == '0') out->len--;
  out->text[out->len] = 0;
}

static bool append_zeros(cwi_buf *out, int n) {
  for (int i = 0; i < n; i++) cwi_buf_append_char(out, '0');
  return !out->failed;
}

/* Without an exponent; with `.0` where there is no fraction and `point` asks for one. */
static bool append_decimal(cwi_buf *out, const digits *d, bool point) {
  int whole = d->exponent + 1; /* digits before the point */
  if (whole <= 0) {
    cwi_buf_append_str(out, "0.");
    append_zeros(out, -whole);
    return cwi_buf_append(out, d->text, (size_t)d->len);
  }
  if (whole >= d->len) {
    cwi_buf_append(out, d->text, (size_t)d->len);
    append_zeros(out, whole - d->len);
    return point ? cwi_buf_append_str(out, ".0") : !out->failed;
  }
  cwi_buf_append(out, d->text, (size_t)whole);
  cwi_buf_append_char(out, '.');
  return cwi_buf_append(out, d->text + whole, (size_t)(d->len - whole));
}

static bool append_scientific(cwi_buf *out, const digits *d) {
  cwi_buf_append_char(out, d->text[0]);
  if (d->len > 1) {
    cwi_buf_append_char(out, '.');
    cwi_buf_append(out, d->text + 1, (size_t)d->len - 1);
  }
  return cwi_buf_append_format(out, "e%d", d->exponent);
}

static bool append_special(cwi_buf *out, double f) {
  if (isnan(f)) return cwi_buf_append_str(out, "NaN");
  return cwi_buf_append_str(out, f < 0 ? "-inf" : "inf");
}

bool cwi_script_display_float(cwi_buf *out, double f) {
  /* The reference's bounds are 1e13 and 1e-13 rounded to single precision. */
  static const double large = 9999999827968.0;
  static const double small = 9.9999998245167e-14;
  if (!isfinite(f)) return append_special(out, f);
  if (f == 0) return cwi_buf_append_str(out, "0.0");
  double size = fabs(f);
  digits d;
  shortest_digits(size, &d);
  if (f < 0) cwi_buf_append_char(out, '-');
  if (size > large || size < small) return append_scientific(out, &d);
  return append_decimal(out, &d, true);
}

bool cwi_script_debug_float(cwi_buf *out, double f) {
  if (!isfinite(f)) return append_special(out, f);
  if (signbit(f)) cwi_buf_append_char(out, '-');
  if (f == 0) return cwi_buf_append_str(out, "0.0");
  double size = fabs(f);
  digits d;
  shortest_digits(size, &d);
  if (size >= 1e16 || size < 1e-4) return append_scientific(out, &d);
  return append_decimal(out, &d, true);
}

bool cwi_script_plain_float(cwi_buf *out, double f) {
  if (!isfinite(f)) return append_special(out, f);
  if (signbit(f)) cwi_buf_append_char(out, '-');
  if (f == 0) return cwi_buf_append_char(out, '0');
  digits d;
  shortest_digits(fabs(f), &d);
  return append_decimal(out, &d, false);
}

/* ---- strings and characters ---- */

static bool append_escaped(cwi_buf *out, uint32_t codepoint, uint32_t quote) {
  switch (codepoint) {
    case 0: return cwi_buf_append_str(out, "\\0");
    case '\t': return cwi_buf_append_str(out, "\\t");
    case '\r': return cwi_buf_append_str(out, "\\r");
    case '\n': return cwi_buf_append_str(out, "\\n");
    case '\\': return cwi_buf_append_str(out, "\\\\");
    default: break;
  }
  if (codepoint == quote) {
    cwi_buf_append_char(out, '\\');
    return cwi_buf_append_codepoint(out, codepoint);
  }
  if (!cwi_unicode_is_printable(codepoint) ||
      (codepoint >= 0x300 && cwi_unicode_is_mark(codepoint))) {
    return cwi_buf_append_format(out, "\\u{%x}", (unsigned)codepoint);
  }
  return cwi_buf_append_codepoint(out, codepoint);
}

bool cwi_script_quote(cwi_buf *out, const char *text, size_t size) {
  CWI_ASSERT(text != NULL || size == 0);
  cwi_buf_append_char(out, '"');
  for (size_t at = 0; at < size;) {
    size_t plain = at; /* a run of characters that stand for themselves */
    while (plain < size && text[plain] >= ' ' && text[plain] < 0x7F && text[plain] != '"' &&
           text[plain] != '\\') {
      plain++;
    }
    cwi_buf_append(out, text + at, plain - at);
    at = plain;
    if (at >= size) break;
    uint32_t codepoint = 0;
    size_t step = cwi_utf8_decode(text + at, size - at, &codepoint);
    append_escaped(out, codepoint, '"');
    at += step != 0 ? step : 1;
  }
  return cwi_buf_append_char(out, '"');
}

static bool quote_value(cwi_buf *out, cw_value string) {
  cw_bytes text = cw_value_as_bytes(string);
  return cwi_script_quote(out, text.data, text.size);
}

static bool append_blob(cwi_buf *out, cw_value blob) {
  static const char hex[] = "0123456789abcdef";
  cw_bytes bytes = cw_value_as_bytes(blob);
  const uint8_t *data = bytes.data;
  cwi_buf_append_char(out, '[');
  for (size_t i = 0; i < bytes.size; i++) {
    if (i > 0 && i % 8 == 0) cwi_buf_append_char(out, ' ');
    cwi_buf_append_char(out, hex[data[i] >> 4]);
    cwi_buf_append_char(out, hex[data[i] & 15]);
  }
  return cwi_buf_append_char(out, ']');
}

/* ---- any value ---- */

typedef enum style { DISPLAY, DEBUG, INTERPOLATE, REPR, JSON } style;

/* A container that is being shown. A function pointer's bound arguments are one of arrays. */
typedef struct frame {
  cw_value container;
  cwi_object_iter iter;
  size_t index;
  const char *close;
} frame;

typedef struct writer {
  cwi_buf *out;
  style items; /* how items of containers are shown */
  frame *frames;
  size_t len, cap;
} writer;

static bool writer_push(writer *w, cw_value container, const char *close) {
  if (w->len == w->cap) {
    size_t cap = cwi_size_grow(w->cap, w->len + 1);
    frame *grown = cwi_realloc(w->frames, w->cap * sizeof(frame), cap * sizeof(frame));
    if (grown == NULL) return false;
    w->frames = grown;
    w->cap = cap;
  }
  w->frames[w->len++] = (frame){.container = container, .close = close};
  if (container.kind == CW_VALUE_OBJECT) {
    w->frames[w->len - 1].iter = cwi_object_iter_start(container);
  }
  return true;
}

static bool append_fn(writer *w, cw_value v, style s) {
  const cwi_script_fn *fn = cwi_script_fn_ptr(v);
  cw_bytes name = cw_value_as_bytes(fn->name);
  if (s == JSON) return cwi_script_quote(w->out, name.data, name.size);
  if (s != REPR) {
    cwi_buf_append_str(w->out, "Fn(");
    cwi_buf_append(w->out, name.data, name.size);
    return cwi_buf_append_char(w->out, ')');
  }
  cwi_buf_append_str(w->out, fn->proto != NULL ? "Fn*+(" : "Fn(");
  cwi_script_quote(w->out, name.data, name.size);
  if (cw_value_len(fn->curry) == 0) return cwi_buf_append_char(w->out, ')');
  cwi_buf_append_str(w->out, ", [");
  return writer_push(w, fn->curry, "])");
}

static bool append_box(writer *w, cw_value v, style s) {
  switch (cwi_script_type_of(v)) {
    case CWI_SCRIPT_FN: return append_fn(w, v, s);
    case CWI_SCRIPT_RANGE:
    case CWI_SCRIPT_RANGE_INCLUSIVE: {
      const cwi_script_range *range = cwi_script_range_ptr(v);
      return cwi_buf_append_format(w->out, "%lld%s%lld", (long long)range->start,
                                   range->inclusive ? "..=" : "..", (long long)range->end);
    }
    case CWI_SCRIPT_TIMESTAMP: return cwi_buf_append_str(w->out, "<timestamp>");
    case CWI_SCRIPT_ITER: return cwi_buf_append_str(w->out, cwi_script_iter_ptr(v)->type_name);
    default: return cwi_buf_append_str(w->out, cwi_script_type_name(v));
  }
}

static bool append_unit(cwi_buf *out, style s) {
  if (s == DISPLAY || s == INTERPOLATE) return true;
  return cwi_buf_append_str(out, s == JSON ? "null" : "()");
}

static bool append_char_value(cwi_buf *out, uint32_t codepoint, style s) {
  if (s != REPR && s != JSON) return cwi_buf_append_codepoint(out, codepoint);
  cwi_buf_append_char(out, '\'');
  append_escaped(out, codepoint, '\'');
  return cwi_buf_append_char(out, '\'');
}

/* Shows one value; a container only opens and is pushed. */
static bool append_value(writer *w, cw_value v, style s) {
  cwi_buf *out = w->out;
  bool raw = s == DISPLAY || s == INTERPOLATE;
  if (cwi_script_is_cell(v)) {
    const cwi_script_cell *cell = (const cwi_script_cell *)(const void *)cwi_value_box_ptr(v);
    v = cell->value;
    if (cwi_script_is_cell(v)) return cwi_buf_append_str(out, "()");
  }
  switch (v.kind) {
    case CW_VALUE_NONE:
    case CW_VALUE_NULL: return append_unit(out, s);
    case CW_VALUE_BOOL: return cwi_buf_append_str(out, cw_value_as_bool(v) ? "true" : "false");
    case CW_VALUE_INT: return cwi_buf_append_format(out, "%lld", (long long)cwi_value_as_int(v));
    case CW_VALUE_FLOAT:
      return raw ? cwi_script_display_float(out, cwi_value_as_float(v))
                 : cwi_script_debug_float(out, cwi_value_as_float(v));
    case CW_VALUE_CHAR: return append_char_value(out, cw_value_as_char(v), s);
    case CW_VALUE_STRING: {
      cw_bytes text = cw_value_as_bytes(v);
      return raw ? cwi_buf_append(out, text.data, text.size) : quote_value(out, v);
    }
    case CW_VALUE_BYTES: return append_blob(out, v);
    case CW_VALUE_ARRAY: cwi_buf_append_char(out, '['); return writer_push(w, v, "]");
    case CW_VALUE_OBJECT:
      cwi_buf_append_str(out, s == JSON ? "{" : "#{");
      return writer_push(w, v, "}");
    case CW_VALUE_BOX: return append_box(w, v, s);
    default: return cwi_buf_append_str(out, cwi_script_type_name(v));
  }
}

/* Borrows the next item of a container, its key where it has keys; false at the end. */
static bool next_item(frame *top, cw_value *key, cw_value *item) {
  *key = cwi_value_none();
  if (top->container.kind == CW_VALUE_OBJECT) return cwi_object_iter_next(&top->iter, key, item);
  if (top->index >= cw_value_len(top->container)) return false;
  *item = cw_value_array_get(top->container, top->index);
  return true;
}

/* Shows the next item of the innermost container, or closes it. */
static bool writer_step(writer *w) {
  frame *top = &w->frames[w->len - 1];
  cw_value key;
  cw_value item;
  if (!next_item(top, &key, &item)) {
    w->len--;
    return cwi_buf_append_str(w->out, top->close);
  }
  if (top->index++ > 0) cwi_buf_append_str(w->out, w->items == JSON ? "," : ", ");
  if (key.kind == CW_VALUE_STRING) {
    quote_value(w->out, key);
    cwi_buf_append_str(w->out, w->items == JSON ? ":" : ": ");
  }
  return append_value(w, item, w->items); /* may move the frames */
}

static bool write_value(cwi_buf *out, cw_value v, style top, style items) {
  writer w = {.out = out, .items = items};
  bool ok = append_value(&w, v, top);
  while (ok && w.len > 0) ok = writer_step(&w);
  cwi_free(w.frames, w.cap * sizeof(frame));
  return ok && !out->failed;
}

bool cwi_script_display(cwi_buf *out, cw_value v) { return write_value(out, v, DISPLAY, DEBUG); }

bool cwi_script_debug(cwi_buf *out, cw_value v) { return write_value(out, v, DEBUG, DEBUG); }

bool cwi_script_interpolate(cwi_buf *out, cw_value v) {
  return write_value(out, v, INTERPOLATE, REPR);
}

bool cwi_script_repr(cwi_buf *out, cw_value v) { return write_value(out, v, REPR, REPR); }

bool cwi_script_json(cwi_buf *out, cw_value v) { return write_value(out, v, JSON, JSON); }
