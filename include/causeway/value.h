/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Values: what scripts compute, databases store and futures carry.
 *
 * A cw_value is 16 bytes: a kind and a payload. Numbers, booleans, characters, times and durations
 * lie inside; strings, bytes, arrays, objects, UUIDs and boxes are reference-counted heap objects
 * that are copied only when somebody writes to one that is shared (copy on write), so that a value
 * behaves like a number everywhere: a copy never sees later changes of the original.
 *
 *   cw_value list = cw_value_none();
 *   cw_value_array(0, &list, err);                       // a new, empty array
 *   cw_value_array_push(&list, cw_value_int(42), err);   // takes the item
 *   cw_value other = cw_value_retain(list);              // a second reference, no copy
 *   cw_value_release(&list); cw_value_release(&other);   // both give theirs back
 *
 * A zeroed cw_value is NONE. Objects iterate in byte order of their keys. NONE ("there is nothing")
 * and NULL ("there is a null") are two kinds.
 *
 * Thread rule: a heap value belongs to one thread at a time. What crosses threads (futures,
 * channels, workers, ports) is moved where this is the only reference and deep-copied where it is
 * not.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_VALUE_H
#define CAUSEWAY_VALUE_H

#include "causeway/error.h"

CW_BEGIN_DECLS

/** The kind of a cw_value. Kinds from CW_VALUE_STRING on live on the heap. */
typedef enum cw_value_kind {
  CW_VALUE_NONE = 0,
  CW_VALUE_NULL = 1,
  CW_VALUE_BOOL = 2,
  CW_VALUE_INT = 3,      /* int64_t */
  CW_VALUE_FLOAT = 4,    /* double */
  CW_VALUE_CHAR = 5,     /* a Unicode scalar value */
  CW_VALUE_DATETIME = 6, /* seconds since 1970-01-01T00:00:00Z and nanoseconds */
  CW_VALUE_DURATION = 7, /* seconds and nanoseconds, never negative */
  CW_VALUE_STRING = 8,   /* valid UTF-8; may contain NUL */
  CW_VALUE_BYTES = 9,
  CW_VALUE_ARRAY = 10,
  CW_VALUE_OBJECT = 11,
  CW_VALUE_UUID = 12,
  CW_VALUE_BOX = 13, /* a kind that a module registers: decimal, record id, function pointer ... */
} cw_value_kind;

/** A tagged value. Read it with the functions below; copy it with cw_value_retain(). */
typedef struct cw_value {
  uint64_t bits;
  uint32_t aux;
  uint32_t kind;
} cw_value;

/* ---- values without memory: these cannot fail ---- */

/** Each returns a value of the kind that its name says; none of these allocates. */
CW_API cw_value cw_value_none(void);
CW_API cw_value cw_value_null(void);
CW_API cw_value cw_value_bool(bool value);
CW_API cw_value cw_value_int(int64_t value);
CW_API cw_value cw_value_float(double value);
/** A character; a surrogate or a number past U+10FFFF becomes U+FFFD. */
CW_API cw_value cw_value_char(uint32_t codepoint);
/** `nanos` 0 to 999,999,999; a larger one carries into the seconds. */
CW_API cw_value cw_value_datetime(int64_t seconds, uint32_t nanos);
CW_API cw_value cw_value_duration(uint64_t seconds, uint32_t nanos);

/* ---- values with memory: `out` is NONE on failure ---- */

/**
 * Makes a string of `size` bytes at `text`, which are copied.
 *
 * Ownership: the caller releases `*out`.
 * Errors:    CW_E_ENCODING  not valid UTF-8; the message gives the offset
 *            CW_E_NOMEM
 */
CW_API cw_status cw_value_string(const char *text, size_t size, cw_value *out, cw_error *err);

/** Makes a byte string of `size` bytes at `data`, which are copied. Errors: CW_E_NOMEM */
CW_API cw_status cw_value_bytes(const void *data, size_t size, cw_value *out, cw_error *err);

/** Makes an empty array with room for `capacity` items. Errors: CW_E_NOMEM */
CW_API cw_status cw_value_array(size_t capacity, cw_value *out, cw_error *err);

/** Makes an empty object. Errors: CW_E_NOMEM */
CW_API cw_status cw_value_object(cw_value *out, cw_error *err);

/** Makes a UUID from its 16 bytes in network order. Errors: CW_E_NOMEM */
CW_API cw_status cw_value_uuid(const uint8_t bytes[16], cw_value *out, cw_error *err);

/* ---- references ---- */

/** Returns a further reference to `value`; nothing is copied. */
CW_API cw_value cw_value_retain(cw_value value);

/** Gives a reference back and makes `*value` NONE; NULL is allowed. Deep values never recurse. */
CW_API void cw_value_release(cw_value *value);

/**
 * Makes a deep copy that shares nothing with `value`, so that it may go to another thread.
 *
 * Errors: CW_E_NOMEM; CW_E_UNSUPPORTED a box whose kind cannot cross threads
 */
CW_API cw_status cw_value_clone(cw_value value, cw_value *out, cw_error *err);

/* ---- reading: a value of another kind gives the zero of the type ---- */

/** Returns the kind of a value. */
CW_API cw_value_kind cw_value_kind_of(cw_value value);
/** The name of a kind: "int", "string" ...; a box gives the name its module registered.
 * Ownership: static text. */
CW_API const char *cw_value_type_name(cw_value value);
CW_API bool cw_value_as_bool(cw_value value);
CW_API int64_t cw_value_as_int(cw_value value);
/** An int is converted. */
CW_API double cw_value_as_float(cw_value value);
CW_API uint32_t cw_value_as_char(cw_value value);
/** The bytes of a string, byte string or UUID; borrowed: valid while the value is. A string's bytes
 *  are followed by a NUL that is not counted. */
CW_API cw_bytes cw_value_as_bytes(cw_value value);
/** The seconds and nanoseconds of a datetime or duration. */
CW_API int64_t cw_value_as_seconds(cw_value value);
CW_API uint32_t cw_value_as_nanos(cw_value value);
/** Items of an array, entries of an object, bytes of a string or byte string; else 0. */
CW_API size_t cw_value_len(cw_value value);

/**
 * Takes the handle out of a value that owns one: the result of a call that opens something.
 *
 * Ownership: `*value` is released; the caller releases the handle. NULL where the value owns none.
 * Threads:   any.
 * Since:     0.1
 */
CW_API void *cw_value_take_handle(cw_value *value);

/* ---- arrays and objects: writing copies first where the value is shared ---- */

/** The item at `index`, borrowed; NONE where there is none. */
CW_API cw_value cw_value_array_get(cw_value array, size_t index);
/** Appends `item`, which is taken, also on failure. Errors: CW_E_TYPE not an array; CW_E_NOMEM */
CW_API cw_status cw_value_array_push(cw_value *array, cw_value item, cw_error *err);
/** Replaces an item, taking the new one, also on failure. Errors: CW_E_RANGE, CW_E_TYPE, CW_E_NOMEM
 */
CW_API cw_status cw_value_array_set(cw_value *array, size_t index, cw_value item, cw_error *err);

/** The value at `key`, borrowed; NONE where there is none. */
CW_API cw_value cw_value_object_get(cw_value object, const char *key, size_t key_size);
/** Sets `key` to `item`, which is taken, also on failure. Errors: CW_E_ENCODING, CW_E_TYPE,
 * CW_E_NOMEM */
CW_API cw_status cw_value_object_set(cw_value *object, const char *key, size_t key_size,
                                     cw_value item, cw_error *err);
/** Removes `key`; CW_OK also where it was not there. Errors: CW_E_TYPE, CW_E_NOMEM */
CW_API cw_status cw_value_object_remove(cw_value *object, const char *key, size_t key_size,
                                        cw_error *err);
/** The key and value at position `index` in byte order of keys, borrowed; false past the end.
 *  Walking all entries in order takes linear time. */
CW_API bool cw_value_object_at(cw_value object, size_t index, cw_bytes *key, cw_value *item);

/* ---- comparing ---- */

/** True where both are of one kind and equal in depth; 1 and 1.0 are not equal, NaN equals NaN. */
CW_API bool cw_value_equal(cw_value a, cw_value b);

/** How deep a value may nest before it is refused with CW_E_LIMIT, unless options say otherwise. */
#define CW_VALUE_DEPTH_MAX 512

CW_END_DECLS

#endif
