/* SPDX-License-Identifier: MIT */
/* Chooses the table of kernels for the CPU that runs us. */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "llm/kernel.h"

const cwi_kernel *cwi_kernel_select(void) {
  const char *wanted = getenv("CW_LLM_KERNEL");
  if (wanted != NULL && strcmp(wanted, "ref") == 0) return cwi_kernel_ref();
  const cwi_kernel *kernel = cwi_kernel_avx2();
  if (kernel == NULL) kernel = cwi_kernel_neon();
  return kernel != NULL ? kernel : cwi_kernel_ref();
}

cwi_kernel_rows_fn cwi_kernel_rows_of(const cwi_kernel *kernel, cwi_tensor_type type) {
  CWI_ASSERT((size_t)type < CWI_KERNEL_TYPES);
  return kernel->rows[type] != NULL ? kernel->rows[type] : cwi_kernel_ref()->rows[type];
}
