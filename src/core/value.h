/* SPDX-License-Identifier: MIT */
/* The inside of values, for the engines: layouts, inline constructors, copy on write, boxes.
 *
 * Counts are plain integers: a heap value belongs to one thread. A count of CWI_REFS_IMMORTAL is
 * never changed: the constants of a compiled program, which threads share. */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include <string.h>

#include "causeway/value.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/compiler.h"

#define CWI_REFS_IMMORTAL UINT32_MAX

/* Every heap value begins with this. */
typedef struct cwi_ref {
  uint32_t refs;
  uint32_t flags; /* free for the kind's own use; zero when made */
} cwi_ref;

typedef struct cwi_string {
  cwi_ref ref;
  size_t size; /* bytes, without the NUL */
  size_t cap;  /* bytes that `text` has room for, without the NUL */
  char text[]; /* NUL behind the last byte */
} cwi_string;

typedef struct cwi_byte_string {
  cwi_ref ref;
  size_t size;
  size_t cap;
  uint8_t *data;
} cwi_byte_string;

typedef struct cwi_array {
  cwi_ref ref;
  size_t len;
  size_t cap;
  cw_value *items;
} cwi_array;

typedef struct cwi_object cwi_object; /* core/value_object.c: sorted entries, a B-tree when large */

typedef struct cwi_uuid {
  cwi_ref ref;
  uint8_t bytes[16];
} cwi_uuid;

/* A box: a heap value of a kind that a module defines. The payload follows the header. */
typedef struct cwi_box cwi_box;

typedef struct cwi_box_ops {
  const char *name;             /* as cw_value_type_name gives it */
  size_t size;                  /* of the whole object, cwi_box included */
  void (*deinit)(cwi_box *box); /* releases what the payload holds; NULL: nothing */
  /* Deep copy into `copy`, a fresh zeroed object of `size` bytes with its header set; NULL: the
   * payload is plain bytes. CW_E_UNSUPPORTED where it may not leave its thread. */
  cw_status (*clone)(const cwi_box *box, cwi_box *copy, cw_error *err);
  bool (*equal)(const cwi_box *a, const cwi_box *b); /* NULL: identity */
  bool (*to_json)(const cwi_box *box, cwi_buf *out); /* NULL: its name as a string */
  bool (*to_cbor)(const cwi_box *box, cwi_buf *out); /* NULL: null */
  /* Calls visit for each value inside, so that threads can be crossed without recursion; NULL: none
   */
  void (*visit)(cwi_box *box, void (*visit)(cw_value *value, void *context), void *context);
} cwi_box_ops;

struct cwi_box {
  cwi_ref ref;
  const cwi_box_ops *ops;
};

CWI_INLINE bool cwi_value_is_heap(cw_value v) { return v.kind >= CW_VALUE_STRING; }
CWI_INLINE cwi_ref *cwi_value_ref(cw_value v) { return (cwi_ref *)(uintptr_t)v.bits; }
CWI_INLINE cwi_string *cwi_value_string_ptr(cw_value v) { return (cwi_string *)(uintptr_t)v.bits; }
CWI_INLINE cwi_array *cwi_value_array_ptr(cw_value v) { return (cwi_array *)(uintptr_t)v.bits; }
CWI_INLINE cwi_object *cwi_value_object_ptr(cw_value v) { return (cwi_object *)(uintptr_t)v.bits; }
CWI_INLINE cwi_byte_string *cwi_value_bytes_ptr(cw_value v) {
  return (cwi_byte_string *)(uintptr_t)v.bits;
}
CWI_INLINE cwi_uuid *cwi_value_uuid_ptr(cw_value v) { return (cwi_uuid *)(uintptr_t)v.bits; }
CWI_INLINE cwi_box *cwi_value_box_ptr(cw_value v) { return (cwi_box *)(uintptr_t)v.bits; }

CWI_INLINE cw_value cwi_value_of_ref(uint32_t kind, const void *heap) {
  return (cw_value){.bits = (uint64_t)(uintptr_t)heap, .kind = kind};
}
CWI_INLINE cw_value cwi_value_none(void) { return (cw_value){.kind = CW_VALUE_NONE}; }
CWI_INLINE cw_value cwi_value_null(void) { return (cw_value){.kind = CW_VALUE_NULL}; }
CWI_INLINE cw_value cwi_value_bool(bool b) { return (cw_value){.bits = b, .kind = CW_VALUE_BOOL}; }
CWI_INLINE cw_value cwi_value_int(int64_t i) {
  return (cw_value){.bits = (uint64_t)i, .kind = CW_VALUE_INT};
}
CWI_INLINE cw_value cwi_value_float(double f) {
  cw_value v = {.kind = CW_VALUE_FLOAT};
  memcpy(&v.bits, &f, sizeof(f));
  return v;
}
CWI_INLINE int64_t cwi_value_as_int(cw_value v) { return (int64_t)v.bits; }
CWI_INLINE double cwi_value_as_float(cw_value v) {
  double f;
  memcpy(&f, &v.bits, sizeof(f));
  return f;
}

/* Frees a heap value whose last reference has gone. Iterative: depth costs no stack. */
void cwi_value_destroy(cw_value value);

CWI_INLINE cw_value cwi_value_retain(cw_value v) {
  if (cwi_value_is_heap(v)) {
    cwi_ref *ref = cwi_value_ref(v);
    if (CWI_LIKELY(ref->refs != CWI_REFS_IMMORTAL)) ref->refs++;
  }
  return v;
}

/* Gives a reference back; the variable is left as it is. */
CWI_INLINE void cwi_value_drop(cw_value v) {
  if (cwi_value_is_heap(v)) {
    cwi_ref *ref = cwi_value_ref(v);
    if (ref->refs != CWI_REFS_IMMORTAL && --ref->refs == 0) cwi_value_destroy(v);
  }
}

CWI_INLINE bool cwi_value_is_shared(cw_value v) {
  return cwi_value_is_heap(v) && cwi_value_ref(v)->refs != 1;
}

/* Makes `value`, where it is a heap value, the only reference to its top level (a shallow copy
 * where it is shared): call before writing into it. */
cw_status cwi_value_make_unique(cw_value *value, cw_error *err);

/* Makes `value` share nothing with any other value, copying the parts that are shared: call before
 * it goes to another thread. On failure `value` is unchanged. */
cw_status cwi_value_detach(cw_value *value, cw_error *err);

/* Marks a value and all inside it immortal: never counted, never freed by release; the memory stays
 * until cwi_value_free_immortal. Only for constants of programs. */
void cwi_value_make_immortal(cw_value value);
void cwi_value_free_immortal(cw_value value);

/* Strings. `size` bytes of text are valid UTF-8 already (asserted). */
cw_status cwi_value_string_trusted(const char *text, size_t size, cw_value *out, cw_error *err);
/* A string of `size` bytes with room, contents for the caller to fill at once. */
cw_status cwi_value_string_room(size_t size, cw_value *out, char **text, cw_error *err);
/* Appends in place where `string` is not shared; amortised constant time. */
cw_status cwi_value_string_append(cw_value *string, const char *text, size_t size, cw_error *err);
cw_status cwi_value_string_from_buf(const cwi_buf *buf, cw_value *out, cw_error *err);

/* Makes room for `more` further items in an array, made unique. */
cw_status cwi_value_array_reserve(cw_value *array, size_t more, cw_error *err);
/* Inserts before `index` (at most the length), taking `item` also on failure. */
cw_status cwi_value_array_insert(cw_value *array, size_t index, cw_value item, cw_error *err);
/* Moves the item at `index` out; the array is made unique; NONE past the end. */
cw_status cwi_value_array_remove(cw_value *array, size_t index, cw_value *out, cw_error *err);

/* Objects. Keys are STRING values, shared by reference count. */
cw_status cwi_value_object_set_key(cw_value *object, cw_value key, cw_value item, cw_error *err);
/* Borrows the item; NULL where there is none. Valid until the object changes. */
const cw_value *cwi_value_object_find(cw_value object, const char *key, size_t key_size);
/* Borrows the item for writing, made unique on the way; with `create` a missing key starts as NONE.
 * *slot is NULL where the key is missing. */
cw_status cwi_value_object_slot(cw_value *object, cw_value key, bool create, cw_value **slot,
                                cw_error *err);

/* Walks an object in byte order of keys; the object must not change meanwhile. */
typedef struct cwi_object_iter {
  const cwi_object *object;
  const void *leaf;
  size_t index;
} cwi_object_iter;
cwi_object_iter cwi_object_iter_start(cw_value object);
/* Borrows the next entry: false at the end. Either of `key`, `item` may be NULL. */
bool cwi_object_iter_next(cwi_object_iter *iter, cw_value *key, cw_value *item);

/* A new box, zeroed behind its header. */
cw_status cwi_value_box(const cwi_box_ops *ops, cw_value *out, cw_error *err);
CWI_INLINE bool cwi_value_is_box_of(cw_value v, const cwi_box_ops *ops) {
  return v.kind == CW_VALUE_BOX && cwi_value_box_ptr(v)->ops == ops;
}

#endif
