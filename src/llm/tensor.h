/* SPDX-License-Identifier: MIT */
/* Element types of GGUF tensors: names, block sizes, and a view of a tensor in memory. */
#ifndef LLM_TENSOR_H
#define LLM_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of the file format. */
typedef enum cwi_tensor_type {
  CWI_TENSOR_F32 = 0,
  CWI_TENSOR_F16 = 1,
  CWI_TENSOR_Q4_0 = 2,
  CWI_TENSOR_Q4_1 = 3,
  CWI_TENSOR_Q5_0 = 6,
  CWI_TENSOR_Q5_1 = 7,
  CWI_TENSOR_Q8_0 = 8,
  CWI_TENSOR_Q2_K = 10,
  CWI_TENSOR_Q3_K = 11,
  CWI_TENSOR_Q4_K = 12,
  CWI_TENSOR_Q5_K = 13,
  CWI_TENSOR_Q6_K = 14,
  CWI_TENSOR_IQ4_NL = 20,
  CWI_TENSOR_IQ4_XS = 23,
  CWI_TENSOR_BF16 = 30,
} cwi_tensor_type;

#define CWI_TENSOR_DIMS_MAX 4
#define CWI_TENSOR_BLOCK_LEN_MAX 256

/* What is known of a type: `block_len` elements lie in `block_size` bytes. */
typedef struct cwi_tensor_traits {
  cwi_tensor_type type;
  const char *name;
  uint32_t block_len;
  uint32_t block_size;
} cwi_tensor_traits;

/* Returns the traits of a type number from a file, or NULL where it is not supported. */
const cwi_tensor_traits *cwi_tensor_traits_of(uint32_t type);

/* Returns the name of any type number of the format, "type 99" ones as "unknown". */
const char *cwi_tensor_type_name(uint32_t type);

/* A matrix of `rows` rows of `cols` elements, each row contiguous; a vector has one row. Borrowed.
 */
typedef struct cwi_tensor {
  const uint8_t *data;
  cwi_tensor_type type;
  uint32_t cols;
  uint32_t rows;
  size_t row_size; /* bytes from one row to the next */
} cwi_tensor;

#endif
