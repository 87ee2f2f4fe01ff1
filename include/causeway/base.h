/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What every Causeway header stands on: the export macro, versions, bytes.
 *
 * Thread rule: everything here is a plain value.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_BASE_H
#define CAUSEWAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CW_BEGIN_DECLS extern "C" {
#define CW_END_DECLS }
#else
#define CW_BEGIN_DECLS
#define CW_END_DECLS
#endif

#if defined(_WIN32)
#define CW_API __declspec(dllexport)
#elif defined(__GNUC__)
#define CW_API __attribute__((visibility("default")))
#else
#define CW_API
#endif

#define CW_VERSION_MAJOR 0
#define CW_VERSION_MINOR 1
#define CW_VERSION_PATCH 0

CW_BEGIN_DECLS

/** A span of bytes somebody else owns; `data` may be NULL when `size` is 0. */
typedef struct cw_bytes {
  const void *data;
  size_t size; /* in bytes */
} cw_bytes;

/**
 * Returns the version of the library that is loaded, as "MAJOR.MINOR.PATCH".
 *
 * Ownership: static text, never freed.
 * Threads:   any.
 * Since:     0.1
 */
CW_API const char *cw_version(void);

CW_END_DECLS

#endif
