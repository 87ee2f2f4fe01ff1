/* SPDX-License-Identifier: MIT */
/* Raising and passing on errors. Every error starts in CWI_RAISE, so that one breakpoint on
 * cwi_raise catches all of them at their origin. */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include "causeway/error.h"
#include "core/compiler.h"

/* Fills `err` (NULL is allowed) and returns `code`. Keeps line, column and outcome at 0; set them
 * on `err` afterwards. */
cw_status cwi_raise(cw_error *err, cw_status code, int os_code, const char *operation,
                    const char *format, ...) CWI_PRINTF(5, 6);

/* Puts "context: " in front of the message of an error that is being passed on. */
void cwi_error_prefix(cw_error *err, const char *format, ...) CWI_PRINTF(2, 3);

/* Makes `err` empty: CW_OK and no text. NULL is allowed. */
void cwi_error_clear(cw_error *err);

/* Maps an errno value to a status code (ENOENT to CW_E_NOT_FOUND ...). */
cw_status cwi_status_from_errno(int os_code);

#define CWI_RAISE(err, code, os_code, ...) \
  cwi_raise((err), (code), (os_code), __func__, __VA_ARGS__)

/* Raises CW_E_NOMEM for `what`, static text. */
#define CWI_RAISE_NOMEM(err, what) CWI_RAISE((err), CW_E_NOMEM, 0, "out of memory for %s", (what))

/* Evaluates a cw_status expression into the local `status`; on failure goes to `out`. */
#define CWI_TRY(expression)                      \
  do {                                           \
    status = (expression);                       \
    if (CWI_UNLIKELY(status != CW_OK)) goto out; \
  } while (0)

#endif
