/* SPDX-License-Identifier: MIT */
/* Operators off the fast path: checked integers, floats, mixed pairs; whatever else is looked up as
 * a native named as the operator. Also ranges, iteration, switch cases, literals with parts. */
#include <math.h>
#include <string.h>

#include "core/assert.h"
#include "core/utf8.h"
#include "script/script_run.h"

static bool raise_arith(run_t *run, const char *what, int64_t a, const char *op, int64_t b) {
  cwi_script_raise(run, CWI_SCRIPT_E_ARITHMETIC, "%s: %lld %s %lld", what, (long long)a, op,
                   (long long)b);
  run->error.no_pos = true;
  return false;
}

static bool int_power(run_t *run, int64_t a, int64_t b, int64_t *out) {
  if (b < 0) return raise_arith(run, "Integer raised to a negative power", a, "**", b);
  int64_t result = 1;
  int64_t factor = a;
  for (int64_t left = b; left > 0;) {
    if ((left & 1) && CWI_MUL_OVERFLOWS(result, factor, &result)) {
      return raise_arith(run, "Exponential overflow", a, "**", b);
    }
    left >>= 1;
    if (left > 0 && CWI_MUL_OVERFLOWS(factor, factor, &factor)) {
      return raise_arith(run, "Exponential overflow", a, "**", b);
    }
  }
  *out = result;
  return true;
}

static int64_t shift(int64_t a, int64_t by) {
  if (by >= 64) return 0;
  if (by >= 0) return (int64_t)((uint64_t)a << by);
  if (by <= -64) return a < 0 ? -1 : 0;
  return a >> -by;
}

static int64_t shift_right(int64_t a, int64_t by) {
  if (by >= 64) return a < 0 ? -1 : 0;
  if (by >= 0) return a >> by;
  return by <= -64 ? 0 : (int64_t)((uint64_t)a << -by);
}

/* 1: done, 0: no such operator on integers, -1: raised */
static int int_binary(run_t *run, cwi_script_token_kind op, int64_t a, int64_t b, int64_t *out) {
  switch (op) {
    case CWI_TOKEN_PLUS:
      if (!CWI_ADD_OVERFLOWS(a, b, out)) return 1;
      raise_arith(run, "Addition overflow", a, "+", b);
      return -1;
    case CWI_TOKEN_MINUS:
      if (!CWI_SUB_OVERFLOWS(a, b, out)) return 1;
      raise_arith(run, "Subtraction overflow", a, "-", b);
      return -1;
    case CWI_TOKEN_STAR:
      if (!CWI_MUL_OVERFLOWS(a, b, out)) return 1;
      raise_arith(run, "Multiplication overflow", a, "*", b);
      return -1;
    case CWI_TOKEN_SLASH:
      if (b == 0 || (a == INT64_MIN && b == -1)) {
        raise_arith(run, b == 0 ? "Division by zero" : "Division overflow", a, "/", b);
        return -1;
      }
      *out = a / b;
      return 1;
    case CWI_TOKEN_PERCENT:
      if (b == 0 || (a == INT64_MIN && b == -1)) {
        raise_arith(run, "Modulo division by zero or overflow", a, "%", b);
        return -1;
      }
      *out = a % b;
      return 1;
    case CWI_TOKEN_POWER: return int_power(run, a, b, out) ? 1 : -1;
    case CWI_TOKEN_SHL: *out = shift(a, b); return 1;
    case CWI_TOKEN_SHR: *out = shift_right(a, b); return 1;
    case CWI_TOKEN_AMP: *out = a & b; return 1;
    case CWI_TOKEN_PIPE: *out = a | b; return 1;
    case CWI_TOKEN_CARET: *out = a ^ b; return 1;
    default: return 0;
  }
}

static bool float_binary(cwi_script_token_kind op, double a, double b, double *out) {
  switch (op) {
    case CWI_TOKEN_PLUS: *out = a + b; return true;
    case CWI_TOKEN_MINUS: *out = a - b; return true;
    case CWI_TOKEN_STAR: *out = a * b; return true;
    case CWI_TOKEN_SLASH: *out = a / b; return true;
    case CWI_TOKEN_PERCENT: *out = fmod(a, b); return true;
    case CWI_TOKEN_POWER: *out = pow(a, b); return true;
    default: return false;
  }
}

static bool bool_binary(cwi_script_token_kind op, bool a, bool b, bool *out) {
  switch (op) {
    case CWI_TOKEN_AMP: *out = a && b; return true;
    case CWI_TOKEN_PIPE: *out = a || b; return true;
    case CWI_TOKEN_CARET: *out = a != b; return true;
    default: return false;
  }
}

static bool is_number(cw_value v) { return v.kind == CW_VALUE_INT || v.kind == CW_VALUE_FLOAT; }

static double number(cw_value v) {
  return v.kind == CW_VALUE_INT ? (double)cwi_value_as_int(v) : cwi_value_as_float(v);
}

/* s + t: in place where the result replaces an unshared s. */
static bool string_add(run_t *run, cw_value *dst, const cw_value *a, cw_value b) {
  const cwi_string *more = cwi_value_string_ptr(b);
  cw_status status = CW_OK;
  if (run->limits.string_size_max != 0 &&
      cwi_value_string_ptr(*a)->size + more->size > run->limits.string_size_max) {
    cwi_script_raise(run, CWI_SCRIPT_E_DATA_TOO_LARGE, "%s", "Length of string");
    return false;
  }
  if (dst == a) {
    cw_value held = cwi_value_retain(b); /* it may be the same string */
    status = cwi_value_string_append(dst, more->text, more->size, NULL);
    if (status == CW_OK) dst->aux = 0;
    cwi_value_drop(held);
  } else {
    const cwi_string *first = cwi_value_string_ptr(*a);
    cw_value out = cwi_value_none();
    char *room = NULL;
    status = cwi_value_string_room(first->size + more->size, &out, &room, NULL);
    if (status == CW_OK) {
      memcpy(room, first->text, first->size);
      memcpy(room + first->size, more->text, more->size);
      cwi_vm_set(dst, out);
    }
  }
  if (status == CW_OK) return true;
  cwi_script_raise_nomem(run);
  return false;
}

/* 1: done, 0: not ours, -1: raised */
static int builtin_binary(run_t *run, cwi_script_token_kind op, cw_value *dst, cw_value *a,
                          cw_value *b) {
  if (a->kind == CW_VALUE_INT && b->kind == CW_VALUE_INT) {
    int64_t out = 0;
    int done = int_binary(run, op, cwi_value_as_int(*a), cwi_value_as_int(*b), &out);
    if (done == 1) cwi_vm_set(dst, cwi_value_int(out));
    return done;
  }
  if (is_number(*a) && is_number(*b)) {
    double out = 0;
    if (!float_binary(op, number(*a), number(*b), &out)) return 0;
    cwi_vm_set(dst, cwi_value_float(out));
    return 1;
  }
  if (a->kind == CW_VALUE_BOOL && b->kind == CW_VALUE_BOOL) {
    bool out = false;
    if (!bool_binary(op, a->bits != 0, b->bits != 0, &out)) return 0;
    cwi_vm_set(dst, cwi_value_bool(out));
    return 1;
  }
  if (op == CWI_TOKEN_PLUS && a->kind == CW_VALUE_STRING && b->kind == CW_VALUE_STRING) {
    if (string_add(run, dst, a, *b)) return 1;
    run->error.no_pos = true;
    return -1;
  }
  return 0;
}

static const char *assign_name(cwi_script_token_kind op) {
  switch (op) {
    case CWI_TOKEN_PLUS: return "+=";
    case CWI_TOKEN_MINUS: return "-=";
    case CWI_TOKEN_STAR: return "*=";
    case CWI_TOKEN_SLASH: return "/=";
    case CWI_TOKEN_PERCENT: return "%=";
    case CWI_TOKEN_POWER: return "**=";
    case CWI_TOKEN_SHL: return "<<=";
    case CWI_TOKEN_SHR: return ">>=";
    case CWI_TOKEN_AMP: return "&=";
    case CWI_TOKEN_PIPE: return "|=";
    default: return "^=";
  }
}

/* Runs a native found by name; args are copied or, with `in_place`, the first is moved and
 * returned. */
static int native_binary(run_t *run, const char *name, bool in_place, cw_value *dst, cw_value *a,
                         cw_value *b) {
  cw_value args[2];
  args[0] = in_place ? *a : cwi_value_retain(*a);
  args[1] = cwi_value_retain(*b);
  if (in_place) a->kind = CW_VALUE_NONE;
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = cwi_vm_native_now(run, name, args, 2, &out, &found);
  if (in_place) {
    *a = args[0];
  } else {
    cwi_value_drop(args[0]);
  }
  cwi_value_drop(args[1]);
  if (!found) return 0;
  if (!ok) return -1;
  if (in_place) {
    cwi_value_drop(out);
  } else {
    cwi_vm_set(dst, out);
  }
  return 1;
}

bool cwi_vm_binary(run_t *run, cwi_script_token_kind op, uint8_t flags, cw_value *dst, cw_value *a,
                   cw_value *b) {
  bool assign = (flags & CWI_INSN_ASSIGN) != 0;
  if (assign) dst = a = cwi_vm_deref(a);
  b = cwi_vm_deref(b);
  if (assign && a->kind == CW_VALUE_NONE) {
    cwi_script_raise(run, CWI_SCRIPT_E_UNBOUND_THIS, "%s", "");
    return false;
  }
  const char *name = cwi_script_tokens[op].text;
  int done = 0;
  if (op == CWI_TOKEN_IN || op == CWI_TOKEN_NOT_IN) {
    name = "contains";
  } else {
    done = builtin_binary(run, op, dst, a, b);
  }
  if (done == 0 && assign) done = native_binary(run, assign_name(op), true, dst, a, b);
  if (done == 0) {
    done = native_binary(run, name, false, dst, a, b);
    if (done == 0) {
      cw_value args[2] = {*a, *b};
      cwi_script_raise_no_function(run, name, args, 2);
      return false;
    }
  }
  if (done < 0) {
    if (assign) run->error.no_pos = false;
    return false;
  }
  if (op == CWI_TOKEN_NOT_IN) dst->bits = !dst->bits;
  if (run->has_sizes && cwi_value_is_heap(*dst) && !(assign && dst->kind == CW_VALUE_ARRAY)) {
    return cwi_script_check_limits(run, *dst) == CWI_SCRIPT_OK;
  }
  return true;
}

bool cwi_vm_unary(run_t *run, cwi_script_op op, cw_value *dst, cw_value *a) {
  a = cwi_vm_deref(a);
  if (op == CWI_OP_NOT && a->kind == CW_VALUE_BOOL) {
    cwi_vm_set(dst, cwi_value_bool(a->bits == 0));
    return true;
  }
  if (op == CWI_OP_NEG && a->kind == CW_VALUE_INT && cwi_value_as_int(*a) != INT64_MIN) {
    cwi_vm_set(dst, cwi_value_int(-cwi_value_as_int(*a)));
    return true;
  }
  if (op == CWI_OP_NEG && a->kind == CW_VALUE_INT) {
    cwi_script_raise(run, CWI_SCRIPT_E_ARITHMETIC, "Negation overflow: -%lld",
                     (long long)cwi_value_as_int(*a));
    return false;
  }
  if (op == CWI_OP_NEG && a->kind == CW_VALUE_FLOAT) {
    cwi_vm_set(dst, cwi_value_float(-cwi_value_as_float(*a)));
    return true;
  }
  if (op == CWI_OP_PLUS && is_number(*a)) {
    cwi_vm_set(dst, *a);
    return true;
  }
  const char *name = op == CWI_OP_NEG ? "-" : op == CWI_OP_NOT ? "!" : "+";
  cw_value args[1] = {cwi_value_retain(*a)};
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = cwi_vm_native_now(run, name, args, 1, &out, &found);
  if (!found) cwi_script_raise_no_function(run, name, args, 1);
  cwi_value_drop(args[0]);
  if (found && ok) cwi_vm_set(dst, out);
  return found && ok;
}

/* ---- comparing ---- */

static int order_result(cwi_script_token_kind op, int order) {
  switch (op) {
    case CWI_TOKEN_LT: return order < 0;
    case CWI_TOKEN_LE: return order <= 0;
    case CWI_TOKEN_GT: return order > 0;
    case CWI_TOKEN_GE: return order >= 0;
    case CWI_TOKEN_EQ: return order == 0;
    default: return order != 0;
  }
}

/* Floats are equal within a relative epsilon. */
static bool float_equal(double a, double b) {
  if (!isfinite(a) || !isfinite(b)) return false;
  double larger = fmax(fabs(a), fabs(b));
  return fabs(a - b) <= larger * 2.220446049250313e-16 || a == b;
}

static int compare_floats(cwi_script_token_kind op, double a, double b) {
  bool equal = float_equal(a, b);
  switch (op) {
    case CWI_TOKEN_EQ: return equal;
    case CWI_TOKEN_NE: return !equal;
    case CWI_TOKEN_LT: return !equal && a < b;
    case CWI_TOKEN_LE: return equal || a < b;
    case CWI_TOKEN_GT: return !equal && a > b;
    default: return equal || a > b;
  }
}

static int compare_strings(cw_value a, cw_value b) {
  const cwi_string *x = cwi_value_string_ptr(a);
  const cwi_string *y = cwi_value_string_ptr(b);
  size_t size = x->size < y->size ? x->size : y->size;
  int order = memcmp(x->text, y->text, size);
  if (order != 0) return order;
  return x->size < y->size ? -1 : x->size > y->size;
}

int cwi_vm_compare(run_t *run, cwi_script_token_kind op, cw_value *a, cw_value *b) {
  a = cwi_vm_deref(a);
  b = cwi_vm_deref(b);
  if (a->kind == CW_VALUE_INT && b->kind == CW_VALUE_INT) {
    int64_t x = cwi_value_as_int(*a);
    int64_t y = cwi_value_as_int(*b);
    return order_result(op, x < y ? -1 : x > y);
  }
  if (a->kind == CW_VALUE_STRING && b->kind == CW_VALUE_STRING) {
    return order_result(op, compare_strings(*a, *b));
  }
  if (a->kind == b->kind && (a->kind == CW_VALUE_BOOL || a->kind == CW_VALUE_CHAR)) {
    return order_result(op, a->bits < b->bits ? -1 : a->bits > b->bits);
  }
  cw_value out = cwi_value_null();
  int done = native_binary(run, cwi_script_tokens[op].text, false, &out, a, b);
  if (done < 0) return -1;
  if (done > 0) {
    bool truth = out.kind == CW_VALUE_BOOL && out.bits != 0;
    cwi_value_drop(out);
    return truth;
  }
  if (is_number(*a) && is_number(*b)) return compare_floats(op, number(*a), number(*b));
  bool unit_a = a->kind <= CW_VALUE_NULL;
  bool unit_b = b->kind <= CW_VALUE_NULL;
  cwi_script_type type = cwi_script_type_of(*a);
  if (unit_a && unit_b) return op == CWI_TOKEN_EQ || op == CWI_TOKEN_LE || op == CWI_TOKEN_GE;
  if (type != cwi_script_type_of(*b) && type != CWI_SCRIPT_OTHER &&
      !(type == CWI_SCRIPT_RANGE || type == CWI_SCRIPT_RANGE_INCLUSIVE)) {
    return op == CWI_TOKEN_NE; /* two types are never equal nor ordered */
  }
  cw_value args[2] = {*a, *b};
  cwi_script_raise_no_function(run, cwi_script_tokens[op].text, args, 2);
  return -1;
}

/* ---- ranges and iteration ---- */

bool cwi_vm_range(run_t *run, bool inclusive, cw_value *dst, cw_value *a, cw_value *b) {
  a = cwi_vm_deref(a);
  b = cwi_vm_deref(b);
  bool open = b->kind == CW_VALUE_NULL;
  if (a->kind == CW_VALUE_INT && (b->kind == CW_VALUE_INT || open)) {
    cw_value range = cwi_value_none();
    int64_t end = open ? INT64_MAX : cwi_value_as_int(*b);
    if (cwi_script_range_new(cwi_value_as_int(*a), end, inclusive, &range) != CW_OK) {
      cwi_script_raise_nomem(run);
      return false;
    }
    cwi_vm_set(dst, range);
    return true;
  }
  cw_value args[2] = {*a, *b};
  cwi_script_raise_no_function(run, inclusive ? "..=" : "..", args, 2);
  return false;
}

static void for_state(cw_value *base, int64_t start, int64_t end, bool inclusive) {
  uint64_t left = 0;
  if (start < end) left = (uint64_t)end - (uint64_t)start;
  if (inclusive && start <= end) left++;
  cwi_value_drop(base[0]);
  cwi_value_drop(base[1]);
  cwi_value_drop(base[2]);
  base[0] = cwi_value_int(start);
  base[1] = cwi_value_int((int64_t)left);
  base[2] = cwi_value_int(0);
}

bool cwi_vm_for_range(run_t *run, cw_value *base, bool inclusive) {
  if (base[0].kind != CW_VALUE_INT || base[1].kind != CW_VALUE_INT) {
    cw_value args[2] = {base[0], base[1]};
    cwi_script_raise_no_function(run, inclusive ? "..=" : "..", args, 2);
    return false;
  }
  for_state(base, cwi_value_as_int(base[0]), cwi_value_as_int(base[1]), inclusive);
  return true;
}

bool cwi_vm_iter_start(run_t *run, cw_value *base) {
  cwi_script_type type = cwi_script_type_of(*base);
  cwi_value_drop(base[1]);
  cwi_value_drop(base[2]);
  base[1] = cwi_value_int(0);
  base[2] = cwi_value_int(0);
  switch (type) {
    case CWI_SCRIPT_RANGE:
    case CWI_SCRIPT_RANGE_INCLUSIVE: {
      const cwi_script_range *range = cwi_script_range_ptr(*base);
      cw_value held = *base;
      base[0].kind = CW_VALUE_NONE;
      for_state(base, range->start, range->end, range->inclusive);
      cwi_value_drop(held);
      return true;
    }
    case CWI_SCRIPT_ITER:
      if (cwi_value_ref(*base)->refs > 1) { /* each loop has its own place in it */
        cw_value copy = cwi_value_none();
        if (cwi_value_box(&cwi_script_iter_ops.core, &copy, NULL) != CW_OK) {
          cwi_script_raise_nomem(run);
          return false;
        }
        cwi_script_iter *to = cwi_script_iter_ptr(copy);
        const cwi_script_iter *from = cwi_script_iter_ptr(*base);
        cwi_box box = to->box;
        *to = *from;
        to->box = box;
        cwi_value_retain(to->values[0]);
        cwi_value_retain(to->values[1]);
        cwi_vm_set(base, copy);
      }
      return true;
    case CWI_SCRIPT_ARRAY:
    case CWI_SCRIPT_STRING:
    case CWI_SCRIPT_BLOB: return true;
    default: cwi_script_raise(run, CWI_SCRIPT_E_FOR, "%s", ""); return false;
  }
}

int cwi_vm_iter_next(run_t *run, cw_value *base, cw_value *out) {
  uint64_t *at = &base[1].bits;
  switch (base->kind) {
    case CW_VALUE_ARRAY: {
      const cwi_array *array = cwi_value_array_ptr(*base);
      if (*at >= array->len) return 0;
      *out = cwi_value_retain(array->items[(*at)++]);
      return 1;
    }
    case CW_VALUE_STRING: {
      const cwi_string *string = cwi_value_string_ptr(*base);
      uint32_t code = 0;
      if (*at >= string->size) return 0;
      size_t used = cwi_utf8_decode(string->text + *at, string->size - *at, &code);
      *at += used == 0 ? 1 : used;
      *out = cw_value_char(code);
      return 1;
    }
    case CW_VALUE_BYTES: {
      const cwi_byte_string *bytes = cwi_value_bytes_ptr(*base);
      if (*at >= bytes->size) return 0;
      *out = cwi_value_int(bytes->data[(*at)++]);
      return 1;
    }
    case CW_VALUE_INT:
      if (*at == 0) return 0;
      (*at)--;
      *out = cwi_value_int((int64_t)base->bits++);
      return 1;
    default: {
      cwi_script_iter *iter = cwi_script_iter_ptr(*base);
      if (iter->next(iter, out)) return 1;
      return run->error.kind == CWI_SCRIPT_E_NONE ? 0 : -1;
    }
  }
}

/* ---- switch ---- */

bool cwi_vm_case_equal(cw_value a, cw_value b) {
  if (a.kind == CW_VALUE_NONE) a.kind = CW_VALUE_NULL;
  return cw_value_equal(a, b);
}

bool cwi_vm_case_range(cw_value item, cw_value value) {
  const cwi_script_range *range = cwi_script_range_ptr(value);
  if (item.kind == CW_VALUE_INT) {
    int64_t i = cwi_value_as_int(item);
    return i >= range->start && (range->inclusive ? i <= range->end : i < range->end);
  }
  if (item.kind == CW_VALUE_FLOAT) {
    double f = cwi_value_as_float(item);
    return f >= (double)range->start &&
           (range->inclusive ? f <= (double)range->end : f < (double)range->end);
  }
  return cwi_vm_case_equal(item, value);
}

/* ---- literals with parts ---- */

bool cwi_vm_interpolate(run_t *run, cw_value *dst, cw_value *parts, uint32_t len) {
  cwi_buf text = {0};
  cw_value out = cwi_value_none();
  bool ok = true;
  for (uint32_t i = 0; i < len; i++) {
    ok = ok && cwi_script_display(&text, parts[i]);
    cwi_value_drop(parts[i]);
    parts[i].kind = CW_VALUE_NONE;
  }
  ok = ok && cwi_value_string_from_buf(&text, &out, NULL) == CW_OK;
  cwi_buf_deinit(&text);
  if (!ok) {
    cwi_script_raise_nomem(run);
    return false;
  }
  cwi_vm_set(dst, out);
  return true;
}

bool cwi_vm_new_array(run_t *run, cw_value *dst, cw_value *items, uint32_t len) {
  cw_value array = cwi_value_none();
  cw_status status = cw_value_array(len, &array, NULL);
  for (uint32_t i = 0; i < len; i++) {
    cw_value item = items[i];
    items[i].kind = CW_VALUE_NONE;
    if (item.kind == CW_VALUE_NONE) item.kind = CW_VALUE_NULL;
    if (status == CW_OK) {
      status = cw_value_array_push(&array, item, NULL);
    } else {
      cwi_value_drop(item);
    }
  }
  if (status != CW_OK) {
    cw_value_release(&array);
    cwi_script_raise_nomem(run);
    return false;
  }
  cwi_vm_set(dst, array);
  return true;
}

bool cwi_vm_new_map(run_t *run, cw_value *dst, cw_value *items, const cw_value *keys,
                    uint32_t len) {
  cw_value map = cwi_value_none();
  cw_status status = cw_value_object(&map, NULL);
  for (uint32_t i = 0; i < len; i++) {
    cw_value item = items[i];
    items[i].kind = CW_VALUE_NONE;
    if (item.kind == CW_VALUE_NONE) item.kind = CW_VALUE_NULL;
    if (status == CW_OK) {
      status = cwi_value_object_set_key(&map, keys[i], item, NULL);
    } else {
      cwi_value_drop(item);
    }
  }
  if (status != CW_OK) {
    cw_value_release(&map);
    cwi_script_raise_nomem(run);
    return false;
  }
  cwi_vm_set(dst, map);
  return true;
}

/* The parts of a literal so far, counted with what they contain. */
bool cwi_vm_check_literal(run_t *run, cw_value *items, uint32_t len, uint32_t kind) {
  const cwi_script_limits *limits = &run->limits;
  if (kind == CW_VALUE_STRING) {
    cwi_buf text = {0};
    bool ok = true;
    for (uint32_t i = 0; i < len; i++) ok = ok && cwi_script_display(&text, items[i]);
    size_t size = text.size;
    cwi_buf_deinit(&text);
    if (!ok) cwi_script_raise_nomem(run);
    if (ok && limits->string_size_max != 0 && size > limits->string_size_max) {
      ok = cwi_vm_raise_at(run, 0, CWI_SCRIPT_E_DATA_TOO_LARGE, "Length of string");
    }
    return ok;
  }
  cw_value whole = cwi_value_none();
  cw_status status = cw_value_array(len, &whole, NULL);
  for (uint32_t i = 0; i < len && status == CW_OK; i++) {
    status = cw_value_array_push(&whole, cwi_value_retain(items[i]), NULL);
  }
  if (status != CW_OK) {
    cwi_script_raise_nomem(run);
  } else if (kind == CW_VALUE_OBJECT) {
    /* counted as a map: the values, and one for each key */
    cw_value map = cwi_value_none();
    status = cw_value_object(&map, NULL);
    char key[12] = {0};
    for (uint32_t i = 0; i < len && status == CW_OK; i++) {
      memcpy(key, &i, sizeof(i));
      for (size_t j = 0; j < 4; j++) key[j] = (char)('a' + ((i >> (4 * j)) & 15));
      status = cw_value_object_set(&map, key, 4, cwi_value_retain(items[i]), NULL);
    }
    cw_value_release(&whole);
    whole = map;
    if (status != CW_OK) cwi_script_raise_nomem(run);
  }
  bool ok = status == CW_OK && cwi_script_check_limits(run, whole) == CWI_SCRIPT_OK;
  cw_value_release(&whole);
  return ok;
}
