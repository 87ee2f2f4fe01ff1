/* SPDX-License-Identifier: MIT */
/* Error texts and the one place where errors are born. A message is formatted straight into the
 * caller's cw_error; a message that does not fit is cut at a character, never inside one. */
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/utf8.h"

void cwi_assert_failed(const char *expression, const char *file, int line) {
  (void)fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
  abort();
}

/* Ends `text` at the last whole character that fits in `room` bytes with its NUL. */
static void cut_at_character(char *text, size_t room, size_t wanted) {
  if (wanted < room) return;
  text[cwi_utf8_floor(text, room - 1, room - 1)] = '\0';
}

static void format_operation(char *operation, const char *name) {
  (void)snprintf(operation, CW_ERROR_OPERATION_BYTES_MAX, "%s", name);
}

cw_status cwi_raise(cw_error *err, cw_status code, int os_code, const char *operation,
                    const char *format, ...) {
  CWI_ASSERT(code < 0);
  if (err == NULL) return code;
  *err = (cw_error){.code = code, .os_code = os_code};
  format_operation(err->operation, operation);
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(err->message, sizeof(err->message), format, arguments);
  va_end(arguments);
  if (wanted > 0) cut_at_character(err->message, sizeof(err->message), (size_t)wanted);
  return code;
}

void cwi_error_prefix(cw_error *err, const char *format, ...) {
  if (err == NULL) return;
  char old[CW_ERROR_MESSAGE_BYTES_MAX];
  memcpy(old, err->message, sizeof(old));
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(err->message, sizeof(err->message), format, arguments);
  va_end(arguments);
  size_t used = strlen(err->message);
  int more = snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
  if (wanted >= 0 && more >= 0) {
    cut_at_character(err->message, sizeof(err->message), (size_t)wanted + (size_t)more);
  }
}

void cwi_error_clear(cw_error *err) {
  if (err == NULL) return;
  memset(err, 0,
         offsetof(cw_error, operation)); /* half a kilobyte of zeros would cost every call */
  err->operation[0] = '\0';
  err->message[0] = '\0';
}

cw_status cwi_status_from_errno(int os_code) {
  switch (os_code) {
    case 0: return CW_OK;
    case ENOENT: return CW_E_NOT_FOUND;
    case EEXIST: return CW_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return CW_E_DENIED;
    case ENOMEM: return CW_E_NOMEM;
    case ENOSPC:
    case EDQUOT: return CW_E_NO_SPACE;
    case EINVAL:
    case ENAMETOOLONG: return CW_E_INVALID;
    case EBUSY:
    case ETXTBSY: return CW_E_BUSY;
    case EMFILE:
    case ENFILE:
    case EFBIG: return CW_E_LIMIT;
    case ENOTSUP: return CW_E_UNSUPPORTED;
    case ETIMEDOUT: return CW_E_TIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH: return CW_E_CONNECT;
    case ECANCELED: return CW_E_CANCELLED;
    default: return CW_E_IO;
  }
}

typedef struct status_row {
  cw_status status;
  const char *name;
  const char *text;
  const char *remedy;
} status_row;

#define STATUS_ROW(NAME, number, text, remedy) {(number), "CW_E_" #NAME, text, remedy},
static const status_row STATUS_ROWS[] = {{CW_OK, "CW_OK", "success", ""},
                                         CW_STATUS_TABLE(STATUS_ROW)};
#undef STATUS_ROW

static const status_row UNKNOWN_ROW = {0, "CW_E_UNKNOWN", "unknown status", ""};

/* The table is dense from 0 downwards; the assertion in test_error holds it so. */
static const status_row *find_row(cw_status status) {
  int64_t index = -(int64_t)status;
  if (index < 0 || index >= (int64_t)CWI_ARRAY_LEN(STATUS_ROWS)) return &UNKNOWN_ROW;
  return &STATUS_ROWS[index];
}

const char *cw_status_name(cw_status status) { return find_row(status)->name; }
const char *cw_status_text(cw_status status) { return find_row(status)->text; }
const char *cw_status_remedy(cw_status status) { return find_row(status)->remedy; }
const char *cw_version(void) { return CW_VERSION_STRING; }
