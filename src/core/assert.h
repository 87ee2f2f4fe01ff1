/* SPDX-License-Identifier: MIT */
/* CWI_ASSERT: broken internal invariants. Follows CW_ASSERTS, not NDEBUG; never used on bytes from
 * outside. When it is off, its operand still counts as used but is not evaluated. */
#ifndef CORE_ASSERT_H
#define CORE_ASSERT_H

#include "core/compiler.h"

/* Reports the broken invariant on standard error and aborts; only in builds with CW_ASSERTS. */
CWI_NORETURN CWI_COLD void cwi_assert_failed(const char *expression, const char *file, int line);

#if defined(CW_ASSERTS) && CW_ASSERTS
#define CWI_ASSERT(expression) \
  (CWI_LIKELY(expression) ? (void)0 : cwi_assert_failed(#expression, __FILE__, __LINE__))
#else
#define CWI_ASSERT(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#endif
