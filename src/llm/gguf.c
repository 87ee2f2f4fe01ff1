/* SPDX-License-Identifier: MIT */
/* The GGUF loader.
 *
 * A file is "GGUF", u32 version, u64 tensors, u64 entries; then the entries (string key, u32 type,
 * value); then the tensors' infos (string name, u32 dims, u64 ne[dims], u32 type, u64 offset);
 * then, aligned, the tensors' data. Strings are a u64 size and bytes. All little-endian.
 *
 * A file comes from outside, so the whole header is walked once and every length, offset and
 * product is checked against what is left of the file before it is used. Two tables are allocated;
 * since an entry takes at least 13 bytes and an info at least 32, their counts are bounded by the
 * file's size before the allocation. Both tables get an index sorted by name, for lookups and to
 * refuse duplicates.
 *
 * A file that somebody truncates while it is mapped kills the process with SIGBUS: that is what
 * CWI_GGUF_READ is for. */
#include "llm/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/size.h"

#define GGUF_MAGIC 0x46554747U /* "GGUF", little-endian */
#define GGUF_KV_BYTES_MIN 13U
#define GGUF_INFO_BYTES_MIN 32U
#define GGUF_COUNT_MAX 0x7FFFFFFFU
#define GGUF_ALIGNMENT_MAX (1U << 20)
#define GGUF_KEY_BYTES_MAX 65535U

/* A place in the file; never past its end. */
typedef struct reader {
  const uint8_t *data;
  size_t size;
  size_t offset;
  cw_error *err;
} reader;

static const struct {
  const char *name;
  size_t size;
} types[] = {
    [CWI_GGUF_U8] = {"u8", 1},         [CWI_GGUF_I8] = {"i8", 1},
    [CWI_GGUF_U16] = {"u16", 2},       [CWI_GGUF_I16] = {"i16", 2},
    [CWI_GGUF_U32] = {"u32", 4},       [CWI_GGUF_I32] = {"i32", 4},
    [CWI_GGUF_F32] = {"f32", 4},       [CWI_GGUF_BOOL] = {"bool", 1},
    [CWI_GGUF_STRING] = {"string", 0}, [CWI_GGUF_ARRAY] = {"array", 0},
    [CWI_GGUF_U64] = {"u64", 8},       [CWI_GGUF_I64] = {"i64", 8},
    [CWI_GGUF_F64] = {"f64", 8},
};

size_t cwi_gguf_type_size(cwi_gguf_type type) {
  return (size_t)type < CWI_ARRAY_LEN(types) ? types[type].size : 0;
}

const char *cwi_gguf_type_name(cwi_gguf_type type) {
  return (size_t)type < CWI_ARRAY_LEN(types) ? types[type].name : "unknown";
}

static uint64_t load_le(const uint8_t *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

/* ---- reading ---- */

static cw_status take(reader *in, uint64_t size, const uint8_t **out) {
  if (size > in->size - in->offset) {
    return CWI_RAISE(in->err, CW_E_TRUNCATED, 0,
                     "the file ends too early: %llu bytes wanted at offset %zu of %zu",
                     (unsigned long long)size, in->offset, in->size);
  }
  *out = in->data + in->offset;
  in->offset += (size_t)size;
  return CW_OK;
}

static cw_status take_u32(reader *in, uint32_t *out) {
  const uint8_t *bytes = NULL;
  cw_status status = take(in, 4, &bytes);
  *out = status == CW_OK ? (uint32_t)load_le(bytes, 4) : 0;
  return status;
}

static cw_status take_u64(reader *in, uint64_t *out) {
  const uint8_t *bytes = NULL;
  cw_status status = take(in, 8, &bytes);
  *out = status == CW_OK ? load_le(bytes, 8) : 0;
  return status;
}

static cw_status take_string(reader *in, cw_bytes *out) {
  uint64_t size = 0;
  const uint8_t *bytes = NULL;
  cw_status status = take_u64(in, &size);
  if (status == CW_OK) status = take(in, size, &bytes);
  if (status == CW_OK) *out = (cw_bytes){bytes, (size_t)size};
  return status;
}

/* A key or a tensor's name: not empty, short, without NUL. */
static cw_status take_name(reader *in, const char *what, cw_bytes *out) {
  size_t at = in->offset;
  cw_status status = take_string(in, out);
  if (status != CW_OK) return status;
  if (out->size == 0 || out->size > GGUF_KEY_BYTES_MAX || memchr(out->data, 0, out->size) != NULL) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "the %s at offset %zu is not a name", what, at);
  }
  return CW_OK;
}

static cw_status take_value(reader *in, cwi_gguf_kv *kv) {
  cw_status status = CW_OK;
  uint32_t type = 0;
  size_t at = in->offset;
  const uint8_t *bytes = NULL;

  CWI_TRY(take_u32(in, &type));
  kv->type = (cwi_gguf_type)type;
  kv->len = 1;
  if (type == CWI_GGUF_ARRAY) {
    CWI_TRY(take_u32(in, &type));
    CWI_TRY(take_u64(in, &kv->len));
  }
  if (type > CWI_GGUF_F64 || type == CWI_GGUF_ARRAY) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "'%.*s' at offset %zu has the unknown type %u",
                     (int)cwi_size_min(kv->key.size, 64), (const char *)kv->key.data, at, type);
  }
  kv->element = (cwi_gguf_type)type;
  size_t start = in->offset;
  if (type == CWI_GGUF_STRING) {
    cw_bytes ignored;
    if (kv->len > (in->size - in->offset) / 8) {
      return CWI_RAISE(in->err, CW_E_TRUNCATED, 0,
                       "the array at offset %zu is longer than the file", at);
    }
    for (uint64_t i = 0; i < kv->len; i++) CWI_TRY(take_string(in, &ignored));
  } else {
    uint64_t size = 0;
    if (CWI_MUL_OVERFLOWS(kv->len, (uint64_t)types[type].size, &size)) size = UINT64_MAX;
    CWI_TRY(take(in, size, &bytes));
  }
  kv->data = in->data + start;
  kv->size = in->offset - start;

out:
  return status;
}

static cw_status take_kvs(reader *in, cwi_gguf *gguf) {
  cw_status status = CW_OK;
  for (size_t i = 0; i < gguf->kvs_len; i++) {
    CWI_TRY(take_name(in, "key", &gguf->kvs[i].key));
    CWI_TRY(take_value(in, &gguf->kvs[i]));
  }

out:
  return status;
}

/* Fills ne, traits and size; the offset is checked when the start of the data is known. */
static cw_status take_info(reader *in, cwi_gguf_tensor *tensor, uint64_t *offset) {
  cw_status status = CW_OK;
  uint32_t type = 0;
  CWI_TRY(take_name(in, "tensor name", &tensor->name));
  const int name_size = (int)cwi_size_min(tensor->name.size, 64);
  const char *name = tensor->name.data;
  CWI_TRY(take_u32(in, &tensor->dims));
  if (tensor->dims == 0 || tensor->dims > CWI_TENSOR_DIMS_MAX) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0,
                     "tensor '%.*s' has %u dimensions, 1 to %d are possible", name_size, name,
                     tensor->dims, CWI_TENSOR_DIMS_MAX);
  }
  uint64_t rows = 1;
  bool fits = true;
  for (uint32_t i = 0; i < CWI_TENSOR_DIMS_MAX; i++) {
    tensor->ne[i] = 1;
    if (i < tensor->dims) CWI_TRY(take_u64(in, &tensor->ne[i]));
    fits = fits && tensor->ne[i] > 0 && tensor->ne[i] <= GGUF_COUNT_MAX;
    if (i > 0) fits = fits && !CWI_MUL_OVERFLOWS(rows, tensor->ne[i], &rows);
  }
  CWI_TRY(take_u32(in, &type));
  CWI_TRY(take_u64(in, offset));
  tensor->traits = cwi_tensor_traits_of(type);
  if (tensor->traits == NULL) {
    return CWI_RAISE(in->err, CW_E_UNSUPPORTED, 0, "tensor '%.*s' has the type %s (%u)", name_size,
                     name, cwi_tensor_type_name(type), type);
  }
  uint64_t size = 0;
  fits = fits && tensor->ne[0] % tensor->traits->block_len == 0;
  fits = fits && !CWI_MUL_OVERFLOWS(tensor->ne[0] / tensor->traits->block_len,
                                    (uint64_t)tensor->traits->block_size, &size);
  fits = fits && !CWI_MUL_OVERFLOWS(size, rows, &size) && size <= in->size;
  if (!fits) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "tensor '%.*s' has an impossible shape", name_size,
                     name);
  }
  tensor->size = (size_t)size;

out:
  return status;
}

static cw_status take_tensors(reader *in, cwi_gguf *gguf) {
  cw_status status = CW_OK;
  uint64_t offset = 0;
  size_t infos = in->offset;
  for (size_t i = 0; i < gguf->tensors_len; i++) {
    CWI_TRY(take_info(in, &gguf->tensors[i], &offset));
  }
  size_t mask = (size_t)gguf->alignment - 1;
  gguf->data_offset = (in->offset + mask) & ~mask;
  size_t room = gguf->data_offset <= in->size ? in->size - gguf->data_offset : 0;

  /* The second walk reads the offsets again: they only mean something now. */
  in->offset = infos;
  for (size_t i = 0; i < gguf->tensors_len; i++) {
    cwi_gguf_tensor *tensor = &gguf->tensors[i];
    CWI_TRY(take_info(in, tensor, &offset));
    if (offset % gguf->alignment != 0) {
      return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "tensor '%.*s' is not aligned",
                       (int)cwi_size_min(tensor->name.size, 64), (const char *)tensor->name.data);
    }
    if (offset > room || tensor->size > room - (size_t)offset) {
      return CWI_RAISE(in->err, CW_E_TRUNCATED, 0,
                       "tensor '%.*s' lies past the end of the file; download it again",
                       (int)cwi_size_min(tensor->name.size, 64), (const char *)tensor->name.data);
    }
    tensor->data = in->data + gguf->data_offset + offset;
  }

out:
  return status;
}

/* ---- the index ---- */

static int compare_names(cw_bytes a, cw_bytes b) {
  size_t size = cwi_size_min(a.size, b.size);
  int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static cw_bytes name_at(const cwi_gguf *gguf, bool tensors, uint32_t index) {
  return tensors ? gguf->tensors[index].name : gguf->kvs[index].key;
}

/* Heap sort: no recursion, no memory, no bad case for a hostile order. */
static void sift_down(const cwi_gguf *gguf, bool tensors, uint32_t *order, size_t root,
                      size_t len) {
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= len) return;
    if (child + 1 < len && compare_names(name_at(gguf, tensors, order[child]),
                                         name_at(gguf, tensors, order[child + 1])) < 0) {
      child++;
    }
    if (compare_names(name_at(gguf, tensors, order[root]), name_at(gguf, tensors, order[child])) >=
        0) {
      return;
    }
    uint32_t swap = order[root];
    order[root] = order[child];
    order[child] = swap;
    root = child;
  }
}

static cw_status sort_names(const cwi_gguf *gguf, bool tensors, uint32_t *order, size_t len,
                            cw_error *err) {
  for (size_t i = 0; i < len; i++) order[i] = (uint32_t)i;
  for (size_t i = len / 2; i > 0; i--) sift_down(gguf, tensors, order, i - 1, len);
  for (size_t end = len; end > 1; end--) {
    uint32_t swap = order[0];
    order[0] = order[end - 1];
    order[end - 1] = swap;
    sift_down(gguf, tensors, order, 0, end - 1);
  }
  for (size_t i = 1; i < len; i++) {
    cw_bytes name = name_at(gguf, tensors, order[i]);
    if (compare_names(name_at(gguf, tensors, order[i - 1]), name) == 0) {
      return CWI_RAISE(err, CW_E_CORRUPT, 0, "%s '%.*s' is there twice", tensors ? "tensor" : "key",
                       (int)cwi_size_min(name.size, 64), (const char *)name.data);
    }
  }
  return CW_OK;
}

static bool search(const cwi_gguf *gguf, bool tensors, const char *text, uint32_t *out) {
  const uint32_t *order = tensors ? gguf->tensor_order : gguf->kv_order;
  size_t low = 0;
  size_t high = tensors ? gguf->tensors_len : gguf->kvs_len;
  cw_bytes wanted = {text, strlen(text)};
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int sign = compare_names(name_at(gguf, tensors, order[middle]), wanted);
    if (sign == 0) {
      *out = order[middle];
      return true;
    }
    if (sign < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

/* ---- opening ---- */

static cw_status take_header(reader *in, cwi_gguf *gguf) {
  cw_status status = CW_OK;
  uint32_t magic = 0;
  uint64_t tensors = 0;
  uint64_t kvs = 0;
  if (in->size < 4 || load_le(in->data, 4) != GGUF_MAGIC) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0, "not a GGUF file: it does not begin with \"GGUF\"");
  }
  CWI_TRY(take_u32(in, &magic));
  CWI_TRY(take_u32(in, &gguf->version));
  if (gguf->version == 0x02000000U || gguf->version == 0x03000000U) {
    return CWI_RAISE(in->err, CW_E_UNSUPPORTED, 0,
                     "a big-endian GGUF file; convert it to little-endian");
  }
  if (gguf->version != 2 && gguf->version != 3) {
    return CWI_RAISE(in->err, CW_E_VERSION, 0, "GGUF version %u; 2 and 3 are supported",
                     gguf->version);
  }
  CWI_TRY(take_u64(in, &tensors));
  CWI_TRY(take_u64(in, &kvs));
  size_t left = in->size - in->offset;
  if (kvs > left / GGUF_KV_BYTES_MIN || tensors > left / GGUF_INFO_BYTES_MIN ||
      kvs > GGUF_COUNT_MAX || tensors > GGUF_COUNT_MAX) {
    return CWI_RAISE(in->err, CW_E_CORRUPT, 0,
                     "%llu entries and %llu tensors do not fit into %zu bytes",
                     (unsigned long long)kvs, (unsigned long long)tensors, in->size);
  }
  gguf->kvs_len = (size_t)kvs;
  gguf->tensors_len = (size_t)tensors;

out:
  return status;
}

static cw_status find_alignment(cwi_gguf *gguf, cw_error *err) {
  uint32_t alignment = 32;
  if (cwi_gguf_find(gguf, "general.alignment") != NULL &&
      (!cwi_gguf_get_u32(gguf, "general.alignment", &alignment) || alignment < 8 ||
       alignment > GGUF_ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0)) {
    return CWI_RAISE(err, CW_E_CORRUPT, 0, "general.alignment is not a power of two from 8 to %u",
                     GGUF_ALIGNMENT_MAX);
  }
  gguf->alignment = alignment;
  return CW_OK;
}

static cw_status load(cwi_gguf *gguf, cw_error *err) {
  cw_status status = CW_OK;
  reader in = {gguf->data, gguf->size, 0, err};
  CWI_TRY(take_header(&in, gguf));
  gguf->kvs = cwi_alloc_array(gguf->kvs_len + 1, sizeof(*gguf->kvs));
  gguf->kv_order = cwi_alloc_array(gguf->kvs_len + 1, sizeof(*gguf->kv_order));
  gguf->tensors = cwi_alloc_array(gguf->tensors_len + 1, sizeof(*gguf->tensors));
  gguf->tensor_order = cwi_alloc_array(gguf->tensors_len + 1, sizeof(*gguf->tensor_order));
  if (gguf->kvs == NULL || gguf->kv_order == NULL || gguf->tensors == NULL ||
      gguf->tensor_order == NULL) {
    return CWI_RAISE_NOMEM(err, "the tables of a GGUF file");
  }
  CWI_TRY(take_kvs(&in, gguf));
  CWI_TRY(sort_names(gguf, false, gguf->kv_order, gguf->kvs_len, err));
  CWI_TRY(find_alignment(gguf, err));
  CWI_TRY(take_tensors(&in, gguf));
  CWI_TRY(sort_names(gguf, true, gguf->tensor_order, gguf->tensors_len, err));

out:
  return status;
}

cw_status cwi_gguf_parse(const void *data, size_t size, cwi_gguf **out, cw_error *err) {
  CWI_ASSERT(data != NULL || size == 0);
  cw_status status = CW_OK;
  *out = NULL;
  cwi_gguf *gguf = CWI_NEW(cwi_gguf);
  if (gguf == NULL) return CWI_RAISE_NOMEM(err, "a GGUF file");
  gguf->data = data;
  gguf->size = size;
  CWI_TRY(load(gguf, err));
  *out = gguf;
  gguf = NULL;

out:
  cwi_gguf_close(gguf);
  return status;
}

static cw_status raise_system(cw_error *err, const char *verb, const char *path) {
  int code = errno;
  return CWI_RAISE(err, cwi_status_from_errno(code), code, "cannot %s '%.200s'", verb, path);
}

static cw_status read_whole(int fd, const char *path, cwi_gguf *gguf, cw_error *err) {
  uint8_t *memory = cwi_alloc(gguf->size);
  if (memory == NULL) return CWI_RAISE_NOMEM(err, "a model that is read into memory");
  gguf->memory = memory;
  gguf->data = memory;
  for (size_t done = 0; done < gguf->size;) {
    ssize_t got = read(fd, memory + done, cwi_size_min(gguf->size - done, (size_t)1 << 26));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return raise_system(err, "read", path);
    if (got == 0) {
      return CWI_RAISE(err, CW_E_TRUNCATED, 0, "'%.200s' became shorter while it was read", path);
    }
    done += (size_t)got;
  }
  return CW_OK;
}

static cw_status attach(int fd, const char *path, cwi_gguf_access access, cwi_gguf *gguf,
                        cw_error *err) {
  struct stat info;
  if (fstat(fd, &info) != 0) return raise_system(err, "read", path);
  if (!S_ISREG(info.st_mode)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "'%.200s' is not a regular file", path);
  }
  if (info.st_size < 24) {
    return CWI_RAISE(err, CW_E_TRUNCATED, 0, "'%.200s' is too short for a GGUF file", path);
  }
  gguf->size = (size_t)info.st_size;
  if (access == CWI_GGUF_READ) return read_whole(fd, path, gguf, err);
  void *mapping = mmap(NULL, gguf->size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) return raise_system(err, "map", path);
  gguf->mapping = mapping;
  gguf->data = mapping;
  if (access == CWI_GGUF_LOCK) gguf->locked = mlock(mapping, gguf->size) == 0;
  return CW_OK;
}

cw_status cwi_gguf_open(const char *path, cwi_gguf_access access, cwi_gguf **out, cw_error *err) {
  CWI_ASSERT(path != NULL);
  cw_status status = CW_OK;
  int fd = -1;
  *out = NULL;
  cwi_gguf *gguf = CWI_NEW(cwi_gguf);
  if (gguf == NULL) return CWI_RAISE_NOMEM(err, "a GGUF file");
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) CWI_TRY(raise_system(err, "open", path));
  CWI_TRY(attach(fd, path, access, gguf, err));
  CWI_TRY(load(gguf, err));
  *out = gguf;
  gguf = NULL;

out:
  if (fd >= 0) (void)close(fd);
  cwi_gguf_close(gguf);
  return status;
}

void cwi_gguf_close(cwi_gguf *gguf) {
  if (gguf == NULL) return;
  if (gguf->kvs != NULL) cwi_free(gguf->kvs, (gguf->kvs_len + 1) * sizeof(*gguf->kvs));
  if (gguf->kv_order != NULL) {
    cwi_free(gguf->kv_order, (gguf->kvs_len + 1) * sizeof(*gguf->kv_order));
  }
  if (gguf->tensors != NULL) {
    cwi_free(gguf->tensors, (gguf->tensors_len + 1) * sizeof(*gguf->tensors));
  }
  if (gguf->tensor_order != NULL) {
    cwi_free(gguf->tensor_order, (gguf->tensors_len + 1) * sizeof(*gguf->tensor_order));
  }
  if (gguf->mapping != NULL) (void)munmap(gguf->mapping, gguf->size);
  if (gguf->memory != NULL) cwi_free(gguf->memory, gguf->size);
  CWI_FREE(gguf);
}

/* ---- lookups ---- */

const cwi_gguf_kv *cwi_gguf_find(const cwi_gguf *gguf, const char *key) {
  uint32_t index = 0;
  return search(gguf, false, key, &index) ? &gguf->kvs[index] : NULL;
}

const cwi_gguf_tensor *cwi_gguf_find_tensor(const cwi_gguf *gguf, const char *name) {
  uint32_t index = 0;
  return search(gguf, true, name, &index) ? &gguf->tensors[index] : NULL;
}

bool cwi_gguf_at_i64(const cwi_gguf_kv *kv, uint64_t index, int64_t *out) {
  size_t size = cwi_gguf_type_size(kv->element);
  if (size == 0 || index >= kv->len) return false;
  uint64_t raw = load_le(kv->data + index * size, size);
  switch (kv->element) {
    case CWI_GGUF_U8:
    case CWI_GGUF_U16:
    case CWI_GGUF_U32:
    case CWI_GGUF_BOOL: *out = (int64_t)raw; return true;
    case CWI_GGUF_I8: *out = (int8_t)raw; return true;
    case CWI_GGUF_I16: *out = (int16_t)raw; return true;
    case CWI_GGUF_I32: *out = (int32_t)raw; return true;
    case CWI_GGUF_I64: *out = (int64_t)raw; return true;
    case CWI_GGUF_U64: *out = (int64_t)raw; return raw <= INT64_MAX;
    default: return false;
  }
}

bool cwi_gguf_at_f64(const cwi_gguf_kv *kv, uint64_t index, double *out) {
  if (index >= kv->len) return false;
  if (kv->element == CWI_GGUF_F32) {
    float value = 0;
    memcpy(&value, kv->data + index * 4, 4);
    *out = (double)value;
    return true;
  }
  if (kv->element == CWI_GGUF_F64) {
    memcpy(out, kv->data + index * 8, 8);
    return true;
  }
  int64_t integer = 0;
  if (!cwi_gguf_at_i64(kv, index, &integer)) return false;
  *out = (double)integer;
  return true;
}

static const cwi_gguf_kv *find_scalar(const cwi_gguf *gguf, const char *key) {
  const cwi_gguf_kv *kv = cwi_gguf_find(gguf, key);
  return kv != NULL && kv->type != CWI_GGUF_ARRAY ? kv : NULL;
}

bool cwi_gguf_get_i64(const cwi_gguf *gguf, const char *key, int64_t *out) {
  const cwi_gguf_kv *kv = find_scalar(gguf, key);
  int64_t value = 0;
  if (kv == NULL || kv->element == CWI_GGUF_BOOL || !cwi_gguf_at_i64(kv, 0, &value)) return false;
  *out = value;
  return true;
}

bool cwi_gguf_get_u32(const cwi_gguf *gguf, const char *key, uint32_t *out) {
  int64_t value = 0;
  if (!cwi_gguf_get_i64(gguf, key, &value) || value < 0 || value > UINT32_MAX) return false;
  *out = (uint32_t)value;
  return true;
}

bool cwi_gguf_get_f32(const cwi_gguf *gguf, const char *key, float *out) {
  const cwi_gguf_kv *kv = find_scalar(gguf, key);
  double value = 0;
  if (kv == NULL || kv->element == CWI_GGUF_BOOL || !cwi_gguf_at_f64(kv, 0, &value)) return false;
  *out = (float)value;
  return true;
}

bool cwi_gguf_get_bool(const cwi_gguf *gguf, const char *key, bool *out) {
  const cwi_gguf_kv *kv = find_scalar(gguf, key);
  if (kv == NULL || kv->element != CWI_GGUF_BOOL) return false;
  *out = kv->data[0] != 0;
  return true;
}

bool cwi_gguf_get_string(const cwi_gguf *gguf, const char *key, cw_bytes *out) {
  const cwi_gguf_kv *kv = find_scalar(gguf, key);
  size_t offset = 0;
  return kv != NULL && cwi_gguf_next_string(kv, &offset, out);
}

bool cwi_gguf_next_string(const cwi_gguf_kv *kv, size_t *offset, cw_bytes *out) {
  if (kv->element != CWI_GGUF_STRING || *offset >= kv->size) return false;
  size_t size = (size_t)load_le(kv->data + *offset, 8);
  CWI_ASSERT(size <= kv->size - *offset - 8);
  *out = (cw_bytes){kv->data + *offset + 8, size};
  *offset += 8 + size;
  return true;
}
