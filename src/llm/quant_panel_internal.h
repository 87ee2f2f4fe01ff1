/* SPDX-License-Identifier: MIT */
/* Blocks to panels in plain C: the twin of the packers of the fast kernels. See cwi_kernel_panel.
 */
#ifndef LLM_QUANT_PANEL_INTERNAL_H
#define LLM_QUANT_PANEL_INTERNAL_H

#include "llm/kernel.h"
#include "llm/quant_rows_internal.h"

/* Stores 32 bytes of row `r`. */
static inline void panel_store(cwi_kernel_panel *panel, size_t r, const uint8_t bytes[32]) {
  for (size_t g = 0; g < 8; g++) memcpy(&panel->bytes[g][r][0], bytes + 4 * g, 4);
}

static inline void panel_nibbles(const uint8_t *q, uint8_t bytes[32]) {
  for (size_t j = 0; j < 16; j++) {
    bytes[j] = q[j] & 15;
    bytes[j + 16] = q[j] >> 4;
  }
}

static inline void panel_row_q4_0(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b++, in += 18) {
    uint8_t bytes[32];
    panel_nibbles(in + 2, bytes);
    panel_store(&panels[b], r, bytes);
    panels[b].scale[r] = quant_f16(in);
    panels[b].shift[r] = 0;
  }
}

static inline void panel_row_q5_0(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b++, in += 22) {
    uint8_t bytes[32];
    const uint32_t high = quant_u32(in + 2);
    panel_nibbles(in + 6, bytes);
    for (size_t j = 0; j < 32; j++) bytes[j] = (uint8_t)(bytes[j] | ((high >> j) & 1) << 4);
    panel_store(&panels[b], r, bytes);
    panels[b].scale[r] = quant_f16(in);
    panels[b].shift[r] = 0;
  }
}

static inline void panel_row_q8_0(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b++, in += 34) {
    uint8_t bytes[32];
    for (size_t j = 0; j < 32; j++) bytes[j] = in[2 + j] ^ 128;
    panel_store(&panels[b], r, bytes);
    panels[b].scale[r] = quant_f16(in);
    panels[b].shift[r] = 0;
  }
}

static inline void panel_row_q4_k(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b += 8, in += 144) {
    const float d = quant_f16(in);
    const float dmin = quant_f16(in + 2);
    for (size_t c = 0; c < 8; c++) {
      const uint8_t *q = in + 16 + 32 * (c / 2);
      uint8_t scale = 0;
      uint8_t min = 0;
      uint8_t bytes[32];
      quant_scale_min_k4(in + 4, c, &scale, &min);
      if (c % 2 == 0) {
        for (size_t j = 0; j < 32; j++) bytes[j] = q[j] & 15;
      } else {
        for (size_t j = 0; j < 32; j++) bytes[j] = q[j] >> 4;
      }
      panel_store(&panels[b + c], r, bytes);
      panels[b + c].scale[r] = d * (float)scale;
      panels[b + c].shift[r] = dmin * (float)min;
    }
  }
}

static inline void panel_row_q5_k(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b += 8, in += 176) {
    const float d = quant_f16(in);
    const float dmin = quant_f16(in + 2);
    for (size_t c = 0; c < 8; c++) {
      const uint8_t *q = in + 48 + 32 * (c / 2);
      uint8_t scale = 0;
      uint8_t min = 0;
      uint8_t bytes[32];
      quant_scale_min_k4(in + 4, c, &scale, &min);
      for (size_t j = 0; j < 32; j++) {
        const uint8_t low = c % 2 == 0 ? q[j] & 15 : q[j] >> 4;
        bytes[j] = (uint8_t)(low | ((in[16 + j] >> c) & 1) << 4);
      }
      panel_store(&panels[b + c], r, bytes);
      panels[b + c].scale[r] = d * (float)scale;
      panels[b + c].shift[r] = dmin * (float)min;
    }
  }
}

/* Q6_K scales change every 16 columns: `shift` holds the scale of the second 16. */
static inline void panel_row_q6_k(const uint8_t *in, cwi_kernel_panel *panels, size_t blocks,
                                  size_t r) {
  for (size_t b = 0; b < blocks; b += 8, in += 210) {
    const float d = quant_f16(in + 208);
    for (size_t c = 0; c < 8; c++) {
      const uint8_t *low = in + 64 * (c / 4) + 32 * (c % 2);
      const uint8_t *high = in + 128 + 32 * (c / 4);
      const unsigned nibble = c % 4 < 2 ? 0 : 4;
      const unsigned shift = 2 * (unsigned)(c % 4);
      uint8_t bytes[32];
      for (size_t j = 0; j < 32; j++) {
        bytes[j] = (uint8_t)(((low[j] >> nibble) & 15) | ((high[j] >> shift) & 3) << 4);
      }
      panel_store(&panels[b + c], r, bytes);
      panels[b + c].scale[r] = d * (float)(int8_t)in[192 + 2 * c];
      panels[b + c].shift[r] = d * (float)(int8_t)in[192 + 2 * c + 1];
    }
  }
}

static inline void panel_row_any(cwi_tensor_type type, const uint8_t *in, cwi_kernel_panel *panels,
                                 size_t blocks, size_t r) {
  switch (type) {
    case CWI_TENSOR_Q4_0: panel_row_q4_0(in, panels, blocks, r); break;
    case CWI_TENSOR_Q5_0: panel_row_q5_0(in, panels, blocks, r); break;
    case CWI_TENSOR_Q8_0: panel_row_q8_0(in, panels, blocks, r); break;
    case CWI_TENSOR_Q4_K: panel_row_q4_k(in, panels, blocks, r); break;
    case CWI_TENSOR_Q5_K: panel_row_q5_k(in, panels, blocks, r); break;
    case CWI_TENSOR_Q6_K: panel_row_q6_k(in, panels, blocks, r); break;
    default: break;
  }
}

#endif
