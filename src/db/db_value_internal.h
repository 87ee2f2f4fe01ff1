/* SPDX-License-Identifier: MIT */
/* What the files around db_value.c share. */
#ifndef DB_VALUE_INTERNAL_H
#define DB_VALUE_INTERNAL_H

#include "db/db_regex.h"
#include "db/db_value.h"

/* The compiled form of a regex value. */
const cwi_db_regex *cwi_db_regex_of(cw_value regex);
/* Takes coordinates that are known to fit the shape. */
cw_status cwi_db_value_geometry_checked(cwi_db_shape shape, cw_value coordinates, cw_value *out,
                                        cw_error *err);
/* A stable merge sort of values. */
cw_status cwi_db_sort(cw_value *items, size_t len,
                      int (*compare)(cw_value a, cw_value b, void *context), void *context,
                      cw_error *err);
/* The days since 1970-01-01 of a date, and back. Months 1 to 12. */
int64_t cwi_db_days_from_civil(int64_t year, unsigned month, unsigned day);
void cwi_db_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
