/* SPDX-License-Identifier: MIT */
/* Feeds arbitrary bytes to the GGUF loader and walks what it accepts. */
#include <stddef.h>
#include <stdint.h>

#include "llm/gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cwi_gguf *gguf = NULL;
  if (cwi_gguf_parse(data, size, &gguf, NULL) != CW_OK) return 0;
  volatile uint64_t sum = 0; /* keeps the reads */
  for (size_t i = 0; i < gguf->kvs_len; i++) {
    const cwi_gguf_kv *kv = &gguf->kvs[i];
    size_t offset = 0;
    cw_bytes text;
    int64_t integer = 0;
    while (cwi_gguf_next_string(kv, &offset, &text)) sum += text.size;
    for (uint64_t k = 0; k < kv->len && kv->element != CWI_GGUF_STRING; k++) {
      if (cwi_gguf_at_i64(kv, k, &integer)) sum += (uint64_t)integer;
    }
  }
  for (size_t i = 0; i < gguf->tensors_len; i++) {
    const cwi_gguf_tensor *tensor = &gguf->tensors[i];
    if (tensor->size > 0) sum += (uint64_t)tensor->data[0] + tensor->data[tensor->size - 1];
  }
  (void)sum;
  cwi_gguf_close(gguf);
  return 0;
}
