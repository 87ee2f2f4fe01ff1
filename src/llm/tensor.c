/* SPDX-License-Identifier: MIT */
/* The table of element types. A block is the smallest run of elements that can be read alone; rows
 * are whole blocks. */
#include "llm/tensor.h"

#include "core/compiler.h"

static const cwi_tensor_traits traits[] = {
    {CWI_TENSOR_F32, "F32", 1, 4},         {CWI_TENSOR_F16, "F16", 1, 2},
    {CWI_TENSOR_Q4_0, "Q4_0", 32, 18},     {CWI_TENSOR_Q4_1, "Q4_1", 32, 20},
    {CWI_TENSOR_Q5_0, "Q5_0", 32, 22},     {CWI_TENSOR_Q5_1, "Q5_1", 32, 24},
    {CWI_TENSOR_Q8_0, "Q8_0", 32, 34},     {CWI_TENSOR_Q2_K, "Q2_K", 256, 84},
    {CWI_TENSOR_Q3_K, "Q3_K", 256, 110},   {CWI_TENSOR_Q4_K, "Q4_K", 256, 144},
    {CWI_TENSOR_Q5_K, "Q5_K", 256, 176},   {CWI_TENSOR_Q6_K, "Q6_K", 256, 210},
    {CWI_TENSOR_IQ4_NL, "IQ4_NL", 32, 18}, {CWI_TENSOR_IQ4_XS, "IQ4_XS", 256, 136},
    {CWI_TENSOR_BF16, "BF16", 1, 2},
};

/* Types of the format that are known by name only, so that an error can say which one it met. */
static const struct {
  uint32_t type;
  const char *name;
} named[] = {
    {9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
    {21, "IQ3_S"}, {22, "IQ2_S"}, {24, "I8"},      {25, "I16"},    {26, "I32"},     {27, "I64"},
    {28, "F64"},   {29, "IQ1_M"}, {34, "TQ1_0"},   {35, "TQ2_0"},  {39, "MXFP4"},
};

const cwi_tensor_traits *cwi_tensor_traits_of(uint32_t type) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(traits); i++) {
    if ((uint32_t)traits[i].type == type) return &traits[i];
  }
  return NULL;
}

const char *cwi_tensor_type_name(uint32_t type) {
  const cwi_tensor_traits *known = cwi_tensor_traits_of(type);
  if (known != NULL) return known->name;
  for (size_t i = 0; i < CWI_ARRAY_LEN(named); i++) {
    if (named[i].type == type) return named[i].name;
  }
  return "unknown";
}
