/* SPDX-License-Identifier: MIT */
/* Values: kinds, references, freeing, copying, comparing.
 *
 * Freeing is iterative: an object whose last reference has gone is put on a list a thread, threaded
 * through the eight bytes of its own header (the low bits of the link say the kind, as heap objects
 * are aligned to 16), and whoever frees at the outermost level works the list off. So a list of a
 * million lists in lists is freed in constant stack.
 *
 * Copying and comparing recurse, down to CW_VALUE_DEPTH_MAX, and refuse what is deeper. */
#include "core/value.h"

#include <math.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/utf8.h"
#include "core/value_internal.h"

cw_value cw_value_none(void) { return cwi_value_none(); }
cw_value cw_value_null(void) { return cwi_value_null(); }
cw_value cw_value_bool(bool value) { return cwi_value_bool(value); }
cw_value cw_value_int(int64_t value) { return cwi_value_int(value); }
cw_value cw_value_float(double value) { return cwi_value_float(value); }

cw_value cw_value_char(uint32_t codepoint) {
  bool scalar = codepoint <= 0x10FFFF && (codepoint < 0xD800 || codepoint > 0xDFFF);
  return (cw_value){.bits = scalar ? codepoint : CWI_UTF8_REPLACEMENT, .kind = CW_VALUE_CHAR};
}

#define NANOS_PER_SECOND 1000000000U

cw_value cw_value_datetime(int64_t seconds, uint32_t nanos) {
  int64_t carried = 0;
  if (CWI_ADD_OVERFLOWS(seconds, (int64_t)(nanos / NANOS_PER_SECOND), &carried))
    carried = INT64_MAX;
  return (cw_value){(uint64_t)carried, nanos % NANOS_PER_SECOND, CW_VALUE_DATETIME};
}

cw_value cw_value_duration(uint64_t seconds, uint32_t nanos) {
  uint64_t carried = 0;
  if (CWI_ADD_OVERFLOWS(seconds, (uint64_t)(nanos / NANOS_PER_SECOND), &carried)) {
    carried = UINT64_MAX;
  }
  return (cw_value){carried, nanos % NANOS_PER_SECOND, CW_VALUE_DURATION};
}

/* ---- references ---- */

cw_value cw_value_retain(cw_value value) { return cwi_value_retain(value); }

void cw_value_release(cw_value *value) {
  if (value == NULL) return;
  cw_value gone = *value;
  *value = cwi_value_none();
  cwi_value_drop(gone);
}

#define LINK_KIND_MASK ((uintptr_t)15)

static CWI_THREAD_LOCAL uintptr_t dying; /* the list: address | kind - CW_VALUE_STRING */
static CWI_THREAD_LOCAL bool burying;

static void enlist(cw_value v) {
  uintptr_t address = (uintptr_t)v.bits;
  CWI_ASSERT((address & LINK_KIND_MASK) == 0);
  memcpy((void *)address, &dying, sizeof(dying));
  dying = address | (uintptr_t)(v.kind - CW_VALUE_STRING);
}

static void free_object(cw_value v) {
  switch (v.kind) {
    case CW_VALUE_STRING: {
      cwi_string *s = cwi_value_string_ptr(v);
      cwi_free(s, sizeof(*s) + s->cap + 1);
      break;
    }
    case CW_VALUE_BYTES: {
      cwi_byte_string *b = cwi_value_bytes_ptr(v);
      cwi_free(b->data, b->cap);
      CWI_FREE(b);
      break;
    }
    case CW_VALUE_ARRAY: {
      cwi_array *a = cwi_value_array_ptr(v);
      for (size_t i = 0; i < a->len; i++) cwi_value_drop(a->items[i]);
      cwi_free(a->items, a->cap * sizeof(cw_value));
      CWI_FREE(a);
      break;
    }
    case CW_VALUE_OBJECT: cwi_object_free(cwi_value_object_ptr(v), cwi_value_drop); break;
    case CW_VALUE_UUID: CWI_FREE(cwi_value_uuid_ptr(v)); break;
    default: {
      cwi_box *box = cwi_value_box_ptr(v);
      if (box->ops->deinit != NULL) box->ops->deinit(box);
      cwi_free(box, box->ops->size);
    }
  }
}

void cwi_value_destroy(cw_value value) {
  bool plain = value.kind == CW_VALUE_STRING || value.kind == CW_VALUE_BYTES;
  if (plain) {
    free_object(value);
    return;
  }
  enlist(value);
  if (burying) return; /* further out on the stack somebody works the list off */
  burying = true;
  while (dying != 0) {
    uintptr_t link = dying;
    uintptr_t address = link & ~LINK_KIND_MASK;
    memcpy(&dying, (void *)address, sizeof(dying));
    uint32_t kind = (uint32_t)(link & LINK_KIND_MASK) + CW_VALUE_STRING;
    free_object(cwi_value_of_ref(kind, (void *)address));
  }
  burying = false;
}

/* ---- copy on write ---- */

static cw_status copy_bytes(const cwi_byte_string *b, cw_value *out, cw_error *err) {
  return cw_value_bytes(b->data, b->size, out, err);
}

static cw_status copy_box(const cwi_box *box, cw_value *out, cw_error *err) {
  cw_status status = cwi_value_box(box->ops, out, err);
  if (status != CW_OK) return status;
  cwi_box *copy = cwi_value_box_ptr(*out);
  if (box->ops->clone == NULL) {
    memcpy(copy + 1, box + 1, box->ops->size - sizeof(*box));
    return CW_OK;
  }
  status = box->ops->clone(box, copy, err);
  if (status != CW_OK) {
    cwi_free(copy, box->ops->size);
    *out = cwi_value_none();
  }
  return status;
}

static cw_status copy_top(cw_value v, cw_value *out, cw_error *err) {
  switch (v.kind) {
    case CW_VALUE_STRING: {
      const cwi_string *s = cwi_value_string_ptr(v);
      return cwi_value_string_trusted(s->text, s->size, out, err);
    }
    case CW_VALUE_BYTES: return copy_bytes(cwi_value_bytes_ptr(v), out, err);
    case CW_VALUE_ARRAY: return cwi_array_copy(cwi_value_array_ptr(v), out, err);
    case CW_VALUE_OBJECT: return cwi_object_copy(cwi_value_object_ptr(v), out, err);
    case CW_VALUE_UUID: return cw_value_uuid(cwi_value_uuid_ptr(v)->bytes, out, err);
    case CW_VALUE_BOX: return copy_box(cwi_value_box_ptr(v), out, err);
    default: *out = v; return CW_OK;
  }
}

cw_status cwi_value_make_unique(cw_value *value, cw_error *err) {
  if (!cwi_value_is_shared(*value)) return CW_OK;
  cw_value copy;
  cw_status status = copy_top(*value, &copy, err);
  if (status != CW_OK) return status;
  copy.aux = value->aux;
  cwi_value_drop(*value);
  *value = copy;
  return CW_OK;
}

/* ---- detaching: nothing inside is shared with anybody else ---- */

typedef struct detaching {
  cw_status status;
  cw_error *err;
  int depth;
} detaching;

static void detach_visit(cw_value *value, void *context) {
  detaching *d = context;
  if (d->status != CW_OK || !cwi_value_is_heap(*value)) return;
  cwi_ref *ref = cwi_value_ref(*value);
  if (ref->refs == CWI_REFS_IMMORTAL) return; /* threads may share it */
  if (d->depth == CW_VALUE_DEPTH_MAX) {
    d->status =
        CWI_RAISE(d->err, CW_E_LIMIT, 0, "a value nests deeper than %d", CW_VALUE_DEPTH_MAX);
    return;
  }
  if (ref->refs != 1) d->status = cwi_value_make_unique(value, d->err);
  if (d->status != CW_OK) return;
  d->depth++;
  if (value->kind == CW_VALUE_ARRAY) {
    cwi_array *a = cwi_value_array_ptr(*value);
    for (size_t i = 0; i < a->len; i++) detach_visit(&a->items[i], d);
  } else if (value->kind == CW_VALUE_OBJECT) {
    cwi_object_visit(cwi_value_object_ptr(*value), detach_visit, d);
  } else if (value->kind == CW_VALUE_BOX) {
    cwi_box *box = cwi_value_box_ptr(*value);
    if (box->ops->visit != NULL) box->ops->visit(box, detach_visit, d);
  }
  d->depth--;
}

cw_status cwi_value_detach(cw_value *value, cw_error *err) {
  detaching d = {.status = CW_OK, .err = err};
  detach_visit(value, &d);
  return d.status;
}

cw_status cw_value_clone(cw_value value, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cw_value copy = cwi_value_retain(value);
  if (cwi_value_is_heap(copy) && cwi_value_ref(copy)->refs == CWI_REFS_IMMORTAL) {
    *out = copy;
    return CW_OK;
  }
  cw_status status = cwi_value_make_unique(&copy, err);
  if (status == CW_OK) status = cwi_value_detach(&copy, err);
  if (status == CW_OK) {
    *out = copy;
  } else {
    cwi_value_drop(copy);
  }
  return status;
}

/* ---- immortality ---- */

static void immortal_visit(cw_value *value, void *context) {
  (void)context;
  cwi_value_make_immortal(*value);
}

void cwi_value_make_immortal(cw_value value) {
  if (!cwi_value_is_heap(value) || cwi_value_ref(value)->refs == CWI_REFS_IMMORTAL) return;
  CWI_ASSERT(cwi_value_ref(value)->refs == 1);
  cwi_value_ref(value)->refs = CWI_REFS_IMMORTAL;
  if (value.kind == CW_VALUE_ARRAY) {
    cwi_array *a = cwi_value_array_ptr(value);
    for (size_t i = 0; i < a->len; i++) cwi_value_make_immortal(a->items[i]);
  } else if (value.kind == CW_VALUE_OBJECT) {
    cwi_object_visit(cwi_value_object_ptr(value), immortal_visit, NULL);
  } else if (value.kind == CW_VALUE_BOX) {
    cwi_box *box = cwi_value_box_ptr(value);
    if (box->ops->visit != NULL) box->ops->visit(box, immortal_visit, NULL);
  }
}

static void mortal_visit(cw_value *value, void *context);

static void make_mortal(cw_value value) {
  if (!cwi_value_is_heap(value) || cwi_value_ref(value)->refs != CWI_REFS_IMMORTAL) return;
  cwi_value_ref(value)->refs = 1;
  if (value.kind == CW_VALUE_ARRAY) {
    cwi_array *a = cwi_value_array_ptr(value);
    for (size_t i = 0; i < a->len; i++) make_mortal(a->items[i]);
  } else if (value.kind == CW_VALUE_OBJECT) {
    cwi_object_visit(cwi_value_object_ptr(value), mortal_visit, NULL);
  } else if (value.kind == CW_VALUE_BOX) {
    cwi_box *box = cwi_value_box_ptr(value);
    if (box->ops->visit != NULL) box->ops->visit(box, mortal_visit, NULL);
  }
}

static void mortal_visit(cw_value *value, void *context) {
  (void)context;
  make_mortal(*value);
}

void cwi_value_free_immortal(cw_value value) {
  make_mortal(value);
  cwi_value_drop(value);
}

/* ---- reading ---- */

cw_value_kind cw_value_kind_of(cw_value value) { return (cw_value_kind)value.kind; }

const char *cw_value_type_name(cw_value value) {
  static const char *const NAMES[] = {"none",  "null",     "bool",     "int",    "float",
                                      "char",  "datetime", "duration", "string", "bytes",
                                      "array", "object",   "uuid"};
  if (value.kind == CW_VALUE_BOX) return cwi_value_box_ptr(value)->ops->name;
  return value.kind < CWI_ARRAY_LEN(NAMES) ? NAMES[value.kind] : "unknown";
}

bool cw_value_as_bool(cw_value value) { return value.kind == CW_VALUE_BOOL && value.bits != 0; }

int64_t cw_value_as_int(cw_value value) {
  return value.kind == CW_VALUE_INT ? (int64_t)value.bits : 0;
}

double cw_value_as_float(cw_value value) {
  if (value.kind == CW_VALUE_INT) return (double)(int64_t)value.bits;
  return value.kind == CW_VALUE_FLOAT ? cwi_value_as_float(value) : 0.0;
}

uint32_t cw_value_as_char(cw_value value) {
  return value.kind == CW_VALUE_CHAR ? (uint32_t)value.bits : 0;
}

cw_bytes cw_value_as_bytes(cw_value value) {
  switch (value.kind) {
    case CW_VALUE_STRING: {
      const cwi_string *s = cwi_value_string_ptr(value);
      return (cw_bytes){s->text, s->size};
    }
    case CW_VALUE_BYTES: {
      const cwi_byte_string *b = cwi_value_bytes_ptr(value);
      return (cw_bytes){b->data, b->size};
    }
    case CW_VALUE_UUID: return (cw_bytes){cwi_value_uuid_ptr(value)->bytes, 16};
    default: return (cw_bytes){NULL, 0};
  }
}

static bool is_time(cw_value v) {
  return v.kind == CW_VALUE_DATETIME || v.kind == CW_VALUE_DURATION;
}
int64_t cw_value_as_seconds(cw_value value) { return is_time(value) ? (int64_t)value.bits : 0; }
uint32_t cw_value_as_nanos(cw_value value) { return is_time(value) ? value.aux : 0; }

size_t cw_value_len(cw_value value) {
  switch (value.kind) {
    case CW_VALUE_ARRAY: return cwi_value_array_ptr(value)->len;
    case CW_VALUE_OBJECT: return cwi_object_len(cwi_value_object_ptr(value));
    case CW_VALUE_STRING:
    case CW_VALUE_BYTES: return cw_value_as_bytes(value).size;
    default: return 0;
  }
}

/* ---- comparing ---- */

static bool equal_at(cw_value a, cw_value b, int depth);

static bool equal_arrays(cw_value a, cw_value b, int depth) {
  const cwi_array *x = cwi_value_array_ptr(a);
  const cwi_array *y = cwi_value_array_ptr(b);
  if (x->len != y->len) return false;
  for (size_t i = 0; i < x->len; i++) {
    if (!equal_at(x->items[i], y->items[i], depth)) return false;
  }
  return true;
}

static bool equal_objects(cw_value a, cw_value b, int depth) {
  if (cw_value_len(a) != cw_value_len(b)) return false;
  cwi_object_iter x = cwi_object_iter_start(a);
  cwi_object_iter y = cwi_object_iter_start(b);
  cw_value key_x, item_x, key_y, item_y;
  while (cwi_object_iter_next(&x, &key_x, &item_x) && cwi_object_iter_next(&y, &key_y, &item_y)) {
    if (!equal_at(key_x, key_y, depth) || !equal_at(item_x, item_y, depth)) return false;
  }
  return true;
}

static bool equal_boxes(const cwi_box *a, const cwi_box *b) {
  if (a->ops != b->ops) return false;
  return a == b || (a->ops->equal != NULL && a->ops->equal(a, b));
}

static bool equal_at(cw_value a, cw_value b, int depth) {
  if (a.kind != b.kind || depth == CW_VALUE_DEPTH_MAX) return false;
  switch (a.kind) {
    case CW_VALUE_FLOAT: {
      double x = cwi_value_as_float(a);
      double y = cwi_value_as_float(b);
      return !(x < y) && !(x > y) && isnan(x) == isnan(y);
    }
    case CW_VALUE_DATETIME:
    case CW_VALUE_DURATION: return a.bits == b.bits && a.aux == b.aux;
    case CW_VALUE_ARRAY: return a.bits == b.bits || equal_arrays(a, b, depth + 1);
    case CW_VALUE_OBJECT: return a.bits == b.bits || equal_objects(a, b, depth + 1);
    case CW_VALUE_STRING:
    case CW_VALUE_BYTES:
    case CW_VALUE_UUID: {
      cw_bytes x = cw_value_as_bytes(a);
      cw_bytes y = cw_value_as_bytes(b);
      return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
    }
    case CW_VALUE_BOX: return equal_boxes(cwi_value_box_ptr(a), cwi_value_box_ptr(b));
    case CW_VALUE_NONE:
    case CW_VALUE_NULL: return true;
    default: return a.bits == b.bits;
  }
}

bool cw_value_equal(cw_value a, cw_value b) { return equal_at(a, b, 0); }

/* ---- boxes and UUIDs ---- */

cw_status cwi_value_box(const cwi_box_ops *ops, cw_value *out, cw_error *err) {
  CWI_ASSERT(ops->size >= sizeof(cwi_box));
  *out = cwi_value_none();
  cwi_box *box = cwi_alloc_zero(ops->size);
  if (box == NULL) return CWI_RAISE_NOMEM(err, ops->name);
  box->ref.refs = 1;
  box->ops = ops;
  *out = cwi_value_of_ref(CW_VALUE_BOX, box);
  return CW_OK;
}

cw_status cw_value_uuid(const uint8_t bytes[16], cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cwi_uuid *uuid = CWI_NEW(cwi_uuid);
  if (uuid == NULL) return CWI_RAISE_NOMEM(err, "a UUID");
  uuid->ref.refs = 1;
  memcpy(uuid->bytes, bytes, sizeof(uuid->bytes));
  *out = cwi_value_of_ref(CW_VALUE_UUID, uuid);
  return CW_OK;
}
