/* SPDX-License-Identifier: MIT */
/* GGUF files, versions 2 and 3: metadata and tensors, checked in full before anything is handed
 * out.
 *
 * Everything that is returned is borrowed from the open file and valid until it is closed. Nothing
 * is copied: keys, strings and tensors point into the mapping. After opening, a cwi_gguf is
 * immutable and may be read from any thread. */
#ifndef LLM_GGUF_H
#define LLM_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/base.h"
#include "causeway/error.h"
#include "llm/tensor.h"

/* Types of metadata values; the numbers are those of the file format. */
typedef enum cwi_gguf_type {
  CWI_GGUF_U8 = 0,
  CWI_GGUF_I8 = 1,
  CWI_GGUF_U16 = 2,
  CWI_GGUF_I16 = 3,
  CWI_GGUF_U32 = 4,
  CWI_GGUF_I32 = 5,
  CWI_GGUF_F32 = 6,
  CWI_GGUF_BOOL = 7,
  CWI_GGUF_STRING = 8,
  CWI_GGUF_ARRAY = 9,
  CWI_GGUF_U64 = 10,
  CWI_GGUF_I64 = 11,
  CWI_GGUF_F64 = 12,
} cwi_gguf_type;

/* One metadata entry. A scalar or string is an array of one: `len` is 1 and `element` its type. */
typedef struct cwi_gguf_kv {
  cw_bytes key;
  cwi_gguf_type type;    /* CWI_GGUF_ARRAY for arrays */
  cwi_gguf_type element; /* never CWI_GGUF_ARRAY: nested arrays are refused */
  uint64_t len;
  const uint8_t *data; /* unaligned, little-endian; strings are a u64 size and bytes each */
  size_t size;         /* bytes at `data` */
} cwi_gguf_kv;

/* One tensor; its data lies wholly within the file. */
typedef struct cwi_gguf_tensor {
  cw_bytes name;
  uint32_t dims;
  uint64_t ne[CWI_TENSOR_DIMS_MAX]; /* ne[0] is the length of a row; unused ones are 1 */
  const cwi_tensor_traits *traits;
  const uint8_t *data;
  size_t size;
} cwi_gguf_tensor;

typedef enum cwi_gguf_access {
  CWI_GGUF_MAP = 0,  /* memory-mapped, pages come in on use */
  CWI_GGUF_READ = 1, /* read into memory */
  CWI_GGUF_LOCK = 2, /* mapped and locked into memory; falls back to mapped where not allowed */
} cwi_gguf_access;

typedef struct cwi_gguf {
  const uint8_t *data;
  size_t size;
  uint32_t version;
  uint64_t alignment;
  size_t data_offset; /* where tensor data starts */
  cwi_gguf_kv *kvs;   /* in file order */
  size_t kvs_len;
  cwi_gguf_tensor *tensors; /* in file order */
  size_t tensors_len;
  uint32_t *kv_order;     /* [kvs_len] indices sorted by key */
  uint32_t *tensor_order; /* [tensors_len] indices sorted by name */
  void *mapping;          /* of mmap, or NULL */
  void *memory;           /* of cwi_alloc, or NULL: then `data` is borrowed */
  bool locked;
} cwi_gguf;

/* Opens and checks the file at `path`. Errors: CW_E_NOT_FOUND, CW_E_DENIED, CW_E_IO, CW_E_CORRUPT
 * (with the offset), CW_E_TRUNCATED, CW_E_VERSION, CW_E_UNSUPPORTED (a tensor type, named),
 * CW_E_NOMEM. */
cw_status cwi_gguf_open(const char *path, cwi_gguf_access access, cwi_gguf **out, cw_error *err);

/* The same for a file that lies in memory, which must outlive it. */
cw_status cwi_gguf_parse(const void *data, size_t size, cwi_gguf **out, cw_error *err);

/* Closes; NULL is allowed. */
void cwi_gguf_close(cwi_gguf *gguf);

/* Returns the entry or tensor of that name, or NULL. */
const cwi_gguf_kv *cwi_gguf_find(const cwi_gguf *gguf, const char *key);
const cwi_gguf_tensor *cwi_gguf_find_tensor(const cwi_gguf *gguf, const char *name);

/* Scalars: true and *out written where the key is there with a type that converts without loss
 * (any integer type whose value fits; integers and floats to f64); else false and *out kept. */
bool cwi_gguf_get_u32(const cwi_gguf *gguf, const char *key, uint32_t *out);
bool cwi_gguf_get_i64(const cwi_gguf *gguf, const char *key, int64_t *out);
bool cwi_gguf_get_f32(const cwi_gguf *gguf, const char *key, float *out);
bool cwi_gguf_get_bool(const cwi_gguf *gguf, const char *key, bool *out);
bool cwi_gguf_get_string(const cwi_gguf *gguf, const char *key, cw_bytes *out);

/* Element `index` of a numeric or bool array (or of a scalar): false past the end or another type.
 */
bool cwi_gguf_at_i64(const cwi_gguf_kv *kv, uint64_t index, int64_t *out);
bool cwi_gguf_at_f64(const cwi_gguf_kv *kv, uint64_t index, double *out);

/* Walks the strings of an array: start with *offset 0; false at the end. */
bool cwi_gguf_next_string(const cwi_gguf_kv *kv, size_t *offset, cw_bytes *out);

/* Bytes of one element of a fixed-size type; 0 for strings and arrays. */
size_t cwi_gguf_type_size(cwi_gguf_type type);
const char *cwi_gguf_type_name(cwi_gguf_type type);

#endif
