/* SPDX-License-Identifier: MIT */
/* Links of chains: x[i] and x.name, read, written, taken out and put back.
 *
 * Arrays, maps, strings, blobs and the bits of integers are done here; properties and indexes of
 * everything else are natives named get$NAME, set$NAME, index$get$, index$set$. */
#include <string.h>

#include "core/assert.h"
#include "core/utf8.h"
#include "script/script_run.h"

static bool nomem(run_t *run) {
  cwi_script_raise_nomem(run);
  return false;
}

static bool raise_index_type(run_t *run, cw_value actual, const char *want, cwi_script_pos pos) {
  cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(actual), want);
  return cwi_vm_fill(run, pos);
}

static bool raise_bounds(run_t *run, cwi_script_error_kind kind, int64_t index, size_t len,
                         cwi_script_pos pos) {
  cwi_script_raise_bounds(run, kind, index, len);
  return cwi_vm_fill(run, pos);
}

/* A negative index counts from the end; false where there is no such item. */
static bool index_in(int64_t index, size_t len, size_t *at) {
  if (index < 0) index += (int64_t)len;
  *at = (size_t)index;
  return index >= 0 && (uint64_t)index < len;
}

/* ---- reading by index ---- */

static bool get_bits(run_t *run, cw_value *dst, int64_t bits, cw_value index,
                     cwi_script_place place) {
  if (index.kind == CW_VALUE_BOX && (cwi_script_type_of(index) == CWI_SCRIPT_RANGE ||
                                     cwi_script_type_of(index) == CWI_SCRIPT_RANGE_INCLUSIVE)) {
    cw_value args[2] = {cwi_value_int(bits), cwi_value_retain(index)};
    bool found = false;
    cw_value out = cwi_value_null();
    bool ok = cwi_vm_native_now(run, "get_bits", args, 2, &out, &found);
    cwi_value_drop(args[1]);
    if (!found || !ok) return found ? cwi_vm_fill(run, place.pos) : false;
    cwi_vm_set(dst, out);
    return true;
  }
  size_t at = 0;
  if (index.kind != CW_VALUE_INT) return raise_index_type(run, index, "i64", place.pos);
  if (!index_in(cwi_value_as_int(index), 64, &at)) {
    return raise_bounds(run, CWI_SCRIPT_E_BIT_FIELD_BOUNDS, cwi_value_as_int(index), 64, place.pos);
  }
  cwi_vm_set(dst, cwi_value_bool(((uint64_t)bits >> at) & 1));
  return true;
}

static bool is_range(cw_value v) { return cwi_value_is_box_of(v, &cwi_script_range_ops.core); }

static bool get_char(run_t *run, cw_value *dst, cw_value string, cw_value index,
                     cwi_script_place place) {
  const cwi_string *s = cwi_value_string_ptr(string);
  if (is_range(index)) {
    cw_value args[2] = {cwi_value_retain(string), cwi_value_retain(index)};
    bool found = false;
    cw_value out = cwi_value_null();
    bool ok = cwi_vm_native_now(run, "sub_string", args, 2, &out, &found);
    cwi_value_drop(args[0]);
    cwi_value_drop(args[1]);
    if (!found || !ok) return found ? cwi_vm_fill(run, place.pos) : false;
    cwi_vm_set(dst, out);
    return true;
  }
  if (index.kind != CW_VALUE_INT) return raise_index_type(run, index, "i64", place.pos);
  size_t len = cwi_utf8_len(s->text, s->size);
  size_t at = 0;
  if (!index_in(cwi_value_as_int(index), len, &at)) {
    return raise_bounds(run, CWI_SCRIPT_E_STRING_BOUNDS, cwi_value_as_int(index), len, place.pos);
  }
  uint32_t code = 0;
  size_t offset = cwi_utf8_offset(s->text, s->size, at);
  cwi_utf8_decode(s->text + offset, s->size - offset, &code);
  cwi_vm_set(dst, cw_value_char(code));
  return true;
}

static bool get_key(run_t *run, cw_value *dst, cw_value map, const char *key, size_t size,
                    cwi_script_pos pos) {
  const cw_value *item = cwi_value_object_find(map, key, size);
  if (item == NULL && run->fail_on_invalid_property) {
    return cwi_vm_raise_at(run, pos, CWI_SCRIPT_E_PROPERTY_NOT_FOUND, "%s", key);
  }
  cwi_vm_set(dst, item == NULL ? cwi_value_null() : cwi_value_retain(*item));
  return true;
}

static bool raise_no_index(run_t *run, cw_value base, cw_value index, const cw_value *value,
                           cwi_script_pos pos) {
  cwi_buf text = {0};
  cwi_buf_append_format(&text, "%s [%s]", cwi_script_type_name(base), cwi_script_type_name(index));
  if (value != NULL) cwi_buf_append_format(&text, " = %s", cwi_script_type_name(*value));
  const char *cstr = cwi_buf_cstr(&text);
  cwi_vm_raise_at(run, pos, CWI_SCRIPT_E_INDEXING_TYPE, "%s", cstr == NULL ? "" : cstr);
  cwi_buf_deinit(&text);
  return false;
}

bool cwi_vm_get_index(run_t *run, cw_value *dst, cw_value *base, cw_value *index,
                      cwi_script_place place) {
  base = cwi_vm_deref(base);
  index = cwi_vm_deref(index);
  size_t at = 0;
  switch (base->kind) {
    case CW_VALUE_ARRAY:
    case CW_VALUE_BYTES: {
      if (is_range(*index) && base->kind == CW_VALUE_BYTES) break;
      if (index->kind != CW_VALUE_INT) return raise_index_type(run, *index, "i64", place.pos);
      size_t len = cw_value_len(*base);
      if (!index_in(cwi_value_as_int(*index), len, &at)) {
        return raise_bounds(run, CWI_SCRIPT_E_ARRAY_BOUNDS, cwi_value_as_int(*index), len,
                            place.pos);
      }
      cwi_vm_set(dst, base->kind == CW_VALUE_ARRAY
                          ? cwi_value_retain(cwi_value_array_ptr(*base)->items[at])
                          : cwi_value_int(cwi_value_bytes_ptr(*base)->data[at]));
      return true;
    }
    case CW_VALUE_OBJECT: {
      if (index->kind != CW_VALUE_STRING) return raise_index_type(run, *index, "string", place.pos);
      const cwi_string *key = cwi_value_string_ptr(*index);
      return get_key(run, dst, *base, key->text, key->size, place.pos);
    }
    case CW_VALUE_STRING: return get_char(run, dst, *base, *index, place);
    case CW_VALUE_INT: return get_bits(run, dst, cwi_value_as_int(*base), *index, place);
    default: break;
  }
  cw_value args[2] = {cwi_value_retain(*base), cwi_value_retain(*index)};
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = cwi_vm_native_now(run, "index$get$", args, 2, &out, &found);
  if (!found) raise_no_index(run, *base, *index, NULL, place.pos2);
  cwi_value_drop(args[0]);
  cwi_value_drop(args[1]);
  if (found && ok) cwi_vm_set(dst, out);
  return found && (ok || cwi_vm_fill(run, place.pos));
}

/* ---- writing by index ---- */

static bool blame_constant(run_t *run, const cwi_script_insn *blame) {
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  const char *name = "";
  if (blame->u.d >= 0 && blame->u.d < (int32_t)frame->proto->const_len) {
    name = cwi_vm_text(frame->proto->consts[blame->u.d]);
  }
  return cwi_vm_raise_at(run, cwi_script_place_of(frame->proto, blame).pos,
                         CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT, "%s", name);
}

static bool set_char(run_t *run, cw_value *base, cw_value index, cw_value value,
                     cwi_script_place place, cwi_script_pos value_pos) {
  const cwi_string *s = cwi_value_string_ptr(*base);
  if (index.kind != CW_VALUE_INT) return raise_index_type(run, index, "i64", place.pos);
  size_t len = cwi_utf8_len(s->text, s->size);
  size_t at = 0;
  if (!index_in(cwi_value_as_int(index), len, &at)) {
    return raise_bounds(run, CWI_SCRIPT_E_STRING_BOUNDS, cwi_value_as_int(index), len, place.pos);
  }
  /* The reference writes at the number without its sign, though it reads from the end. */
  if (cwi_value_as_int(index) < 0 && (uint64_t)-cwi_value_as_int(index) < len) {
    at = (size_t)-cwi_value_as_int(index);
  }
  if (value.kind != CW_VALUE_CHAR) return raise_index_type(run, value, "char", value_pos);
  char bytes[CWI_UTF8_BYTES_MAX];
  size_t size = cwi_utf8_encode(cw_value_as_char(value), bytes);
  size_t start = cwi_utf8_offset(s->text, s->size, at);
  size_t end = cwi_utf8_offset(s->text, s->size, at + 1);
  cw_value out = cwi_value_none();
  char *room = NULL;
  if (cwi_value_string_room(start + size + (s->size - end), &out, &room, NULL) != CW_OK) {
    return nomem(run);
  }
  memcpy(room, s->text, start);
  memcpy(room + start, bytes, size);
  memcpy(room + start + size, s->text + end, s->size - end);
  cwi_vm_set(base, out);
  return true;
}

static bool set_bit(run_t *run, cw_value *base, cw_value index, cw_value value,
                    cwi_script_place place, cwi_script_pos value_pos) {
  size_t at = 0;
  if (is_range(index)) {
    cw_value args[3] = {*base, cwi_value_retain(index), value};
    bool found = false;
    cw_value out = cwi_value_null();
    bool ok = cwi_vm_native_now(run, "set_bits", args, 3, &out, &found);
    cwi_value_drop(args[1]);
    *base = args[0];
    if (!found) return raise_index_type(run, value, "i64", value_pos);
    return ok || cwi_vm_fill(run, place.pos);
  }
  if (index.kind != CW_VALUE_INT) return raise_index_type(run, index, "i64", place.pos);
  if (!index_in(cwi_value_as_int(index), 64, &at)) {
    return raise_bounds(run, CWI_SCRIPT_E_BIT_FIELD_BOUNDS, cwi_value_as_int(index), 64, place.pos);
  }
  if (value.kind != CW_VALUE_BOOL) return raise_index_type(run, value, "bool", value_pos);
  uint64_t mask = (uint64_t)1 << at;
  *base = cwi_value_int((int64_t)(value.bits ? base->bits | mask : base->bits & ~mask));
  return true;
}

static bool set_item(run_t *run, cw_value *base, cw_value index, cw_value *value,
                     cwi_script_place place, cwi_script_pos value_pos) {
  size_t len = cw_value_len(*base);
  size_t at = 0;
  if (index.kind != CW_VALUE_INT) return raise_index_type(run, index, "i64", place.pos);
  if (!index_in(cwi_value_as_int(index), len, &at)) {
    return raise_bounds(run, CWI_SCRIPT_E_ARRAY_BOUNDS, cwi_value_as_int(index), len, place.pos);
  }
  if (base->kind == CW_VALUE_BYTES) {
    if (value->kind != CW_VALUE_INT) return raise_index_type(run, *value, "INT", value_pos);
    if (cwi_value_make_unique(base, NULL) != CW_OK) return nomem(run);
    cwi_value_bytes_ptr(*base)->data[at] = (uint8_t)value->bits;
    return true;
  }
  cw_value item = *value;
  value->kind = CW_VALUE_NONE;
  if (cw_value_array_set(base, at, item, NULL) != CW_OK) return nomem(run);
  return true;
}

static bool check_after(run_t *run, const cw_value *base, cwi_script_pos pos) {
  if (!run->has_sizes || cwi_script_check_limits(run, *base) == CWI_SCRIPT_OK) return true;
  return cwi_vm_fill(run, pos);
}

bool cwi_vm_set_index(run_t *run, cw_value *base, cw_value *index, cw_value *value, uint8_t flags,
                      cwi_script_place place, const cwi_script_insn *blame) {
  base = cwi_vm_deref(base);
  index = cwi_vm_deref(index);
  bool constant = (flags & CWI_INSN_CONST) != 0;
  cwi_script_pos value_pos = 0;
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  if (blame->u.d >= 0) value_pos = cwi_script_place_of(frame->proto, blame).pos2;
  switch (base->kind) {
    case CW_VALUE_OBJECT: {
      if (index->kind != CW_VALUE_STRING) return raise_index_type(run, *index, "string", place.pos);
      const cwi_string *key = cwi_value_string_ptr(*index);
      /* A key that is not there yet can be added even to a constant: so does the reference. */
      if (constant && cwi_value_object_find(*base, key->text, key->size) != NULL) {
        return blame_constant(run, blame);
      }
      cw_value item = *value;
      value->kind = CW_VALUE_NONE;
      if (cwi_value_object_set_key(base, *index, item, NULL) != CW_OK) return nomem(run);
      return check_after(run, base, value_pos);
    }
    case CW_VALUE_ARRAY:
    case CW_VALUE_BYTES:
      if (constant) return blame_constant(run, blame);
      return set_item(run, base, *index, value, place, value_pos) &&
             check_after(run, base, value_pos);
    case CW_VALUE_STRING:
      if (constant) return blame_constant(run, blame);
      return set_char(run, base, *index, *value, place, value_pos);
    case CW_VALUE_INT:
      if (constant) return blame_constant(run, blame);
      return set_bit(run, base, *index, *value, place, value_pos);
    default: break;
  }
  cw_value args[3] = {*base, cwi_value_retain(*index), cwi_value_retain(*value)};
  base->kind = CW_VALUE_NONE;
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = cwi_vm_native_now(run, "index$set$", args, 3, &out, &found);
  *base = args[0];
  if (!found) raise_no_index(run, *base, *index, value, place.pos2);
  cwi_value_drop(args[1]);
  cwi_value_drop(args[2]);
  cwi_value_drop(out);
  return found && (ok || cwi_vm_fill(run, place.pos));
}

/* ---- taking and putting by index ---- */

bool cwi_vm_take_index(run_t *run, cw_value *dst, cw_value *base, cw_value *index,
                       cwi_script_place place) {
  base = cwi_vm_deref(base);
  index = cwi_vm_deref(index);
  size_t at = 0;
  if (base->kind == CW_VALUE_ARRAY && index->kind == CW_VALUE_INT &&
      index_in(cwi_value_as_int(*index), cwi_value_array_ptr(*base)->len, &at)) {
    if (cwi_value_make_unique(base, NULL) != CW_OK) return nomem(run);
    cw_value *slot = &cwi_value_array_ptr(*base)->items[at];
    cw_value taken = *slot;
    *slot = cwi_value_null();
    cwi_vm_set(dst, taken);
    return true;
  }
  if (base->kind == CW_VALUE_OBJECT && index->kind == CW_VALUE_STRING) {
    cw_value *slot = NULL;
    const cwi_string *key = cwi_value_string_ptr(*index);
    if (cwi_value_object_find(*base, key->text, key->size) != NULL) {
      if (cwi_value_object_slot(base, *index, false, &slot, NULL) != CW_OK) return nomem(run);
      cw_value taken = *slot;
      *slot = cwi_value_null();
      cwi_vm_set(dst, taken);
      return true;
    }
  }
  return cwi_vm_get_index(run, dst, base, index, place);
}

void cwi_vm_put_index(run_t *run, cw_value *base, cw_value *index, cw_value *value) {
  base = cwi_vm_deref(base);
  index = cwi_vm_deref(index);
  size_t at = 0;
  if (value->kind == CW_VALUE_NONE) return;
  cw_value item = *value;
  value->kind = CW_VALUE_NONE;
  if (base->kind == CW_VALUE_ARRAY && index->kind == CW_VALUE_INT &&
      index_in(cwi_value_as_int(*index), cwi_value_array_ptr(*base)->len, &at) &&
      cwi_value_ref(*base)->refs == 1) {
    cwi_vm_set(&cwi_value_array_ptr(*base)->items[at], item);
    return;
  }
  if (base->kind == CW_VALUE_OBJECT && index->kind == CW_VALUE_STRING) {
    const cwi_string *key = cwi_value_string_ptr(*index);
    bool there = cwi_value_object_find(*base, key->text, key->size) != NULL;
    if (there || item.kind != CW_VALUE_NULL) {
      cwi_value_object_set_key(base, *index, item, NULL);
      return;
    }
  }
  bool text = base->kind == CW_VALUE_STRING && item.kind == CW_VALUE_CHAR;
  bool bit = base->kind == CW_VALUE_INT && item.kind == CW_VALUE_BOOL;
  bool byte = base->kind == CW_VALUE_BYTES && item.kind == CW_VALUE_INT;
  if ((text || bit || byte) && run->error.kind == CWI_SCRIPT_E_NONE) {
    cwi_script_insn none = {.u.d = -1};
    if (!cwi_vm_set_index(run, base, index, &item, 0, (cwi_script_place){0, 0}, &none)) {
      cwi_script_error_deinit(&run->error);
    }
  }
  cwi_value_drop(item);
}

/* ---- properties ---- */

static bool property_native(run_t *run, const char *prefix, const cwi_script_site *site,
                            cw_value *args, uint32_t argc, cw_value *out, bool *found) {
  cwi_buf name = {0};
  cwi_buf_append_str(&name, prefix);
  cwi_buf_append_str(&name, cwi_vm_text(site->name));
  const char *text = cwi_buf_cstr(&name);
  *found = true;
  bool ok = text == NULL ? nomem(run) : cwi_vm_native_now(run, text, args, argc, out, found);
  cwi_buf_deinit(&name);
  return ok;
}

bool cwi_vm_get_prop(run_t *run, cw_value *dst, cw_value *base, cwi_script_site *site,
                     cwi_script_place place) {
  base = cwi_vm_deref(base);
  const cwi_string *name = cwi_value_string_ptr(site->name);
  if (base->kind == CW_VALUE_OBJECT) {
    return get_key(run, dst, *base, name->text, name->size, place.pos);
  }
  cw_value args[1] = {cwi_value_retain(*base)};
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = property_native(run, "get$", site, args, 1, &out, &found);
  if (!found) {
    cwi_vm_raise_at(run, place.pos, CWI_SCRIPT_E_DOT_EXPR,
                    "Unknown property '%s' - a getter is not registered for type '%s'", name->text,
                    cwi_script_type_name(*base));
  }
  cwi_value_drop(args[0]);
  if (found && ok) cwi_vm_set(dst, out);
  return found && (ok || cwi_vm_fill(run, place.pos));
}

bool cwi_vm_set_prop(run_t *run, cw_value *base, cwi_script_site *site, cw_value *value,
                     uint8_t flags, cwi_script_place place, const cwi_script_insn *blame) {
  base = cwi_vm_deref(base);
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  cwi_script_pos value_pos = blame->u.d >= 0 ? cwi_script_place_of(frame->proto, blame).pos2 : 0;
  if (base->kind == CW_VALUE_OBJECT) {
    if (flags & CWI_INSN_CONST) return blame_constant(run, blame);
    cw_value item = *value;
    value->kind = CW_VALUE_NONE;
    if (cwi_value_object_set_key(base, site->name, item, NULL) != CW_OK) return nomem(run);
    return check_after(run, base, value_pos);
  }
  cw_value args[2] = {*base, cwi_value_retain(*value)};
  base->kind = CW_VALUE_NONE;
  cw_value out = cwi_value_null();
  bool found = false;
  bool ok = property_native(run, "set$", site, args, 2, &out, &found);
  *base = args[0];
  if (!found) {
    cwi_vm_raise_at(run, place.pos, CWI_SCRIPT_E_DOT_EXPR,
                    "No writable property '%s' - a setter is not registered for type '%s' to "
                    "handle '%s'",
                    cwi_vm_text(site->name), cwi_script_type_name(*base),
                    cwi_script_type_name(*value));
  }
  cwi_value_drop(args[1]);
  cwi_value_drop(out);
  return found && (ok || cwi_vm_fill(run, place.pos));
}

bool cwi_vm_take_prop(run_t *run, cw_value *dst, cw_value *base, cwi_script_site *site,
                      cwi_script_place place) {
  base = cwi_vm_deref(base);
  if (base->kind == CW_VALUE_OBJECT) {
    const cwi_string *name = cwi_value_string_ptr(site->name);
    if (cwi_value_object_find(*base, name->text, name->size) != NULL) {
      cw_value *slot = NULL;
      if (cwi_value_object_slot(base, site->name, false, &slot, NULL) != CW_OK) return nomem(run);
      cw_value taken = *slot;
      *slot = cwi_value_null();
      cwi_vm_set(dst, taken);
      return true;
    }
  }
  return cwi_vm_get_prop(run, dst, base, site, place);
}

void cwi_vm_put_prop(run_t *run, cw_value *base, cwi_script_site *site, cw_value *value) {
  base = cwi_vm_deref(base);
  if (value->kind == CW_VALUE_NONE) return;
  cw_value item = *value;
  value->kind = CW_VALUE_NONE;
  if (base->kind != CW_VALUE_OBJECT) {
    cwi_value_drop(item);
    return;
  }
  const cwi_string *name = cwi_value_string_ptr(site->name);
  bool there = cwi_value_object_find(*base, name->text, name->size) != NULL;
  if (!there && item.kind == CW_VALUE_NULL) return;
  if (cwi_value_object_set_key(base, site->name, item, NULL) != CW_OK &&
      run->error.kind == CWI_SCRIPT_E_NONE) {
    cwi_script_raise_nomem(run);
  }
}
