/* SPDX-License-Identifier: MIT */
/* Floats as text and back, the same in every locale. */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H

#include <stddef.h>

#define CWI_FLOAT_TEXT_BYTES 48

/* Writes the fewest digits that read back as `value` ("1.5", "1e+300", "-0.0"), always with '.' or
 * 'e'; finite values only. Returns the length. */
size_t cwi_float_print(double value, char text[CWI_FLOAT_TEXT_BYTES]);

/* Reads the float that begins at NUL-terminated `text`, correctly rounded; `*end` is where it
 * ends. */
double cwi_float_parse(const char *text, char **end);

#endif
