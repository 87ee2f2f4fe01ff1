/* SPDX-License-Identifier: MIT */
/* Runs one program of the `rhai` vectors and writes down what happened, in the shape of the
 * vectors. */
#ifndef RHAI_RUN_H
#define RHAI_RUN_H

#include "conformance/conformance.h"

/* `row` has script, options, modules, mode; `out` becomes an object with ok, type, value, str,
 * repr, print, debug, or ok, kind, message, line, pos, inner ... Errors: CW_E_NOMEM. */
cw_status rhai_run(cw_value row, cw_value *out, cw_error *err);

#endif
