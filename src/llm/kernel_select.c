/* SPDX-License-Identifier: MIT */
/* Chooses the table of kernels for the CPU that runs us. */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "llm/kernel.h"

const cwi_kernel *cwi_kernel_select(void) {
  const char *wanted = getenv("CW_LLM_KERNEL");
  if (wanted != NULL && strcmp(wanted, "ref") == 0) return cwi_kernel_ref();
  if (wanted != NULL && strcmp(wanted, "avx2") == 0 && cwi_kernel_avx2() != NULL) {
    return cwi_kernel_avx2();
  }
  const cwi_kernel *kernel = cwi_kernel_avx512();
  if (kernel == NULL) kernel = cwi_kernel_avx2();
  return kernel != NULL ? kernel : cwi_kernel_ref();
}

cwi_kernel_rows_fn cwi_kernel_rows_of(const cwi_kernel *kernel, cwi_tensor_type type) {
  CWI_ASSERT((size_t)type < CWI_KERNEL_TYPES);
  return kernel->rows[type] != NULL ? kernel->rows[type] : cwi_kernel_ref()->rows[type];
}

int cwi_kernel_panel_offset(cwi_tensor_type type) {
  switch (type) {
    case CWI_TENSOR_Q4_0: return 8;
    case CWI_TENSOR_Q5_0: return 16;
    case CWI_TENSOR_Q6_K: return 32;
    case CWI_TENSOR_Q8_0: return 128;
    default: return 0;
  }
}
