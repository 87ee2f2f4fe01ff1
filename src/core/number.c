/* SPDX-License-Identifier: MIT */
/* Floats as text. A double holds every decimal of up to 15 digits: where one of them is the value,
 * printing 15 digits and dropping zeros gives the shortest; else 16 or 17 do. Subnormals hold
 * fewer, so for them every precision is tried. */
#include "core/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t plain; /* the "C" locale, whatever the program has set */
static void make_plain(void) { plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

double cwi_float_parse(const char *text, char **end) {
  (void)pthread_once(&once, make_plain);
  return plain == (locale_t)0 ? strtod(text, end) : strtod_l(text, end, plain);
}

/* Puts '.' where another locale has put its own sign. */
static void use_point(char *text) {
  size_t at = strspn(text, "-0123456789");
  if (text[at] == '\0' || text[at] == '.' || text[at] == 'e') return;
  size_t sign = strcspn(text + at, "0123456789");
  text[at] = '.';
  memmove(text + at + 1, text + at + sign, strlen(text + at + sign) + 1);
}

size_t cwi_float_print(double value, char text[CWI_FLOAT_TEXT_BYTES]) {
  int first = fabs(value) < DBL_MIN ? 1 : 15;
  for (int digits = first; digits <= 17; digits++) {
    (void)snprintf(text, CWI_FLOAT_TEXT_BYTES, "%.*g", digits, value);
    use_point(text);
    double back = cwi_float_parse(text, NULL);
    if (!(back < value) && !(back > value)) break;
  }
  size_t size = strlen(text);
  if (strpbrk(text, ".e") == NULL) {
    memcpy(text + size, ".0", 3);
    size += 2;
  }
  return size;
}
