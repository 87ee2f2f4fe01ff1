/* SPDX-License-Identifier: MIT */
/* What is needed of the Dart VM's C API, from its published ABI (dart_api_dl, major version 2). */
#ifndef CORE_PORT_DART_H
#define CORE_PORT_DART_H

#include <stdbool.h>
#include <stdint.h>

#define DART_API_MAJOR 2

typedef int64_t dart_port;

typedef void (*dart_finalizer)(void *isolate_data, void *peer);

typedef enum dart_type {
  DART_INT64 = 3,
  DART_ARRAY = 6,
  DART_EXTERNAL_TYPED_DATA = 8,
  DART_NATIVE_POINTER = 11
} dart_type;

#define DART_TYPED_DATA_UINT8 2

/* Dart_CObject. */
typedef struct dart_object {
  int32_t type;
  union {
    int64_t as_int64;
    struct {
      intptr_t length;
      struct dart_object **values;
    } as_array;
    struct {
      int32_t type;
      intptr_t length; /* in elements */
      uint8_t *data;
      void *peer;
      dart_finalizer callback;
    } as_external_typed_data;
    struct {
      intptr_t ptr;
      intptr_t size;
      dart_finalizer callback;
    } as_native_pointer;
    double as_double; /* for the alignment of the union */
  } value;
} dart_object;

/* DartApi, what NativeApi.initializeApiDLData points to. */
typedef struct dart_api_entry {
  const char *name;
  void (*function)(void);
} dart_api_entry;

typedef struct dart_api {
  const int major;
  const int minor;
  const dart_api_entry *functions; /* ends with a NULL name */
} dart_api;

#endif
