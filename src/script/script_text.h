/* SPDX-License-Identifier: MIT */
/* The texts of a value beyond print() and debug(), and the digits of floats. */
#ifndef SCRIPT_TEXT_H
#define SCRIPT_TEXT_H

#include "script/script_lib.h"

/* As `${...}` and the value of a program show it: as print() does, but items of containers are
 * shown as cwi_script_repr shows them ('c' with quotes). */
bool cwi_script_interpolate(cwi_buf *out, cw_value v);

/* Every detail: 'c' quoted, function pointers with their bound arguments. For tools and tests. */
bool cwi_script_repr(cwi_buf *out, cw_value v);

/* The object as JSON-like text, as to_json() gives it. */
bool cwi_script_json(cwi_buf *out, cw_value v);

/* Text between double quotes, with escapes for what cannot be seen. */
bool cwi_script_quote(cwi_buf *out, const char *text, size_t size);

/* Decimal digits without an exponent, as many zeros as it takes: 1e20 is 100000000000000000000. */
bool cwi_script_plain_float(cwi_buf *out, double f);

#endif
