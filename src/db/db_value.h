/* SPDX-License-Identifier: MIT */
/* The values that only the database knows, as boxes over core/value.h, and what holds for every
 * value here: order, equality, truth, text.
 *
 * Constructors take the values they are given, also on failure (they are released then), and give
 * NONE in `out` on failure. Accessors borrow and expect a value of their kind (asserted). */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include "core/buf.h"
#include "core/value.h"
#include "db/db_decimal.h"

/* What a value is, with the boxes told apart. The numbers are the order across kinds (README point
 * 6 of the vectors), so that comparing kinds is comparing numbers; the three number kinds share a
 * rank, see cwi_db_kind_rank. Stored in files: a number never changes its meaning. */
typedef enum cwi_db_kind {
  CWI_DB_NONE = 0,
  CWI_DB_NULL = 1,
  CWI_DB_BOOL = 2,
  CWI_DB_INT = 3,
  CWI_DB_FLOAT = 4,
  CWI_DB_DECIMAL = 5,
  CWI_DB_STRING = 6,
  CWI_DB_DURATION = 7,
  CWI_DB_DATETIME = 8,
  CWI_DB_UUID = 9,
  CWI_DB_ARRAY = 10,
  CWI_DB_SET = 11,
  CWI_DB_OBJECT = 12,
  CWI_DB_GEOMETRY = 13,
  CWI_DB_BYTES = 14,
  CWI_DB_TABLE = 15,
  CWI_DB_RECORD = 16,
  CWI_DB_FILE = 17,
  CWI_DB_REGEX = 18,
  CWI_DB_RANGE = 19,
  CWI_DB_FUNCTION = 20,
} cwi_db_kind;

cwi_db_kind cwi_db_kind_of(cw_value value);
/* "int", "record", "function" ...; the word that errors and type::of use (geometry without
 * shape). */
const char *cwi_db_kind_name(cwi_db_kind kind);
CWI_INLINE bool cwi_db_is_number(cw_value v) {
  return v.kind == CW_VALUE_INT || v.kind == CW_VALUE_FLOAT || cwi_db_kind_of(v) == CWI_DB_DECIMAL;
}

/* ---- decimal ---- */

cw_status cwi_db_value_decimal(cwi_decimal decimal, cw_value *out, cw_error *err);
cwi_decimal cwi_db_decimal(cw_value value);

/* ---- record id: a table name and a key: int, string, uuid, array, object, or a range of
 * those ---- */

/* CW_E_TYPE where `key` can be no key. `table` is a STRING. */
cw_status cwi_db_value_record(cw_value table, cw_value key, cw_value *out, cw_error *err);
cw_status cwi_db_value_record_named(const char *table, size_t size, cw_value key, cw_value *out,
                                    cw_error *err);
cw_value cwi_db_record_table(cw_value record); /* a STRING */
cw_value cwi_db_record_key(cw_value record);
CWI_INLINE bool cwi_db_is_record_range(cw_value v) {
  return cwi_db_kind_of(v) == CWI_DB_RECORD && cwi_db_kind_of(cwi_db_record_key(v)) == CWI_DB_RANGE;
}

/* ---- range ---- */

typedef enum cwi_db_bound {
  CWI_DB_UNBOUNDED = 0,
  CWI_DB_INCLUDED = 1,
  CWI_DB_EXCLUDED = 2
} cwi_db_bound;

cw_status cwi_db_value_range(cwi_db_bound begin_bound, cw_value begin, cwi_db_bound end_bound,
                             cw_value end, cw_value *out, cw_error *err);
cwi_db_bound cwi_db_range_begin(cw_value range, cw_value *value);
cwi_db_bound cwi_db_range_end(cw_value range, cw_value *value);
bool cwi_db_range_contains(cw_value range, cw_value value);
/* The ints of a range of ints: [*first, *last), false where it is not one (unbounded ends count as
 * the ends of int64). */
bool cwi_db_range_ints(cw_value range, int64_t *first, int64_t *end);

/* ---- set: sorted by cwi_db_compare, no two equal ---- */

/* Takes an array and gives the set of its items. */
cw_status cwi_db_value_set(cw_value array, cw_value *out, cw_error *err);
cw_value cwi_db_set_items(cw_value set); /* the sorted ARRAY */
bool cwi_db_set_has(cw_value set, cw_value item);

/* ---- table, file, regex ---- */

cw_status cwi_db_value_table(const char *name, size_t size, cw_value *out, cw_error *err);
cw_value cwi_db_table_name(cw_value table); /* a STRING */
cw_status cwi_db_value_file(cw_value bucket, cw_value key, cw_value *out, cw_error *err);
cw_value cwi_db_file_bucket(cw_value file);
cw_value cwi_db_file_key(cw_value file);
/* Compiles; CW_E_PARSE with the reason where the pattern is wrong. */
cw_status cwi_db_value_regex(const char *pattern, size_t size, cw_value *out, cw_error *err);
cw_value cwi_db_regex_pattern(cw_value regex); /* a STRING, without the slashes */

/* ---- geometry: a shape over nested arrays of floats, as in GeoJSON ---- */

typedef enum cwi_db_shape {
  CWI_DB_POINT = 0,         /* [x, y] */
  CWI_DB_LINE = 1,          /* [point, ...] */
  CWI_DB_POLYGON = 2,       /* [ring, ...]: the first is the outside */
  CWI_DB_MULTI_POINT = 3,   /* [point, ...] */
  CWI_DB_MULTI_LINE = 4,    /* [line, ...] */
  CWI_DB_MULTI_POLYGON = 5, /* [polygon, ...] */
  CWI_DB_COLLECTION = 6,    /* [GEOMETRY, ...] */
} cwi_db_shape;

/* Takes nested arrays of numbers (ints and decimals become floats); CW_E_TYPE where they do not
 * fit. */
cw_status cwi_db_value_geometry(cwi_db_shape shape, cw_value coordinates, cw_value *out,
                                cw_error *err);
cw_status cwi_db_value_point(double x, double y, cw_value *out, cw_error *err);
cwi_db_shape cwi_db_geometry_shape(cw_value geometry);
cw_value cwi_db_geometry_coordinates(cw_value geometry);
const char *cwi_db_shape_name(cwi_db_shape shape);    /* "point", "line" ... */
const char *cwi_db_shape_geojson(cwi_db_shape shape); /* "Point", "LineString" ... */
/* Where `object` is a GeoJSON geometry (exactly its two keys, fitting coordinates), gives it in
 * *out, else NONE. `object` is borrowed. */
cw_status cwi_db_geometry_from_object(cw_value object, cw_value *out, cw_error *err);
/* The GeoJSON object of a geometry. */
cw_status cwi_db_geometry_to_object(cw_value geometry, cw_value *out, cw_error *err);

/* ---- closures: the evaluator makes these boxes, with this table as their `ops` ---- */

extern const char cwi_db_closure_name[]; /* ops.base.name points here, and nowhere else */
typedef struct cwi_db_closure_ops {
  cwi_box_ops base;
  bool (*text)(const cwi_box *box, cwi_buf *out);
} cwi_db_closure_ops;

/* ---- order, equality, truth ---- */

/* The total order: -1, 0, 1. 1, 1.0 and 1dec are equal; NaN is above inf. */
int cwi_db_compare(cw_value a, cw_value b);
CWI_INLINE int cwi_db_kind_rank(cwi_db_kind kind) {
  return kind == CWI_DB_FLOAT || kind == CWI_DB_DECIMAL ? (int)CWI_DB_INT : (int)kind;
}
/* The = operator: compare gives 0, or one side is a regex that matches the other, a string. NONE
 * and
 * NULL differ. */
bool cwi_db_equal(cw_value a, cw_value b);
bool cwi_db_truthy(cw_value value);

/* ---- text: false only where the buffer failed (no memory, or its maximum) ---- */

/* As SurrealQL source: strings quoted, 1.5f, 1.5dec, d'...', u'...', t:1. */
bool cwi_db_text(cwi_buf *out, cw_value value);
/* As <string> gives it: like cwi_db_text, but a string, decimal, datetime, uuid, bytes at top level
 * are bare. */
bool cwi_db_text_bare(cwi_buf *out, cw_value value);
/* The same as a new STRING. */
cw_status cwi_db_text_value(cw_value value, bool bare, cw_value *out, cw_error *err);
/* A name as an identifier, with backticks where it needs them. */
bool cwi_db_text_ident(cwi_buf *out, const char *name, size_t size);
/* A record id's key alone, as it stands behind the colon. */
bool cwi_db_text_record_key(cwi_buf *out, cw_value key);
/* A string as a quoted literal. */
bool cwi_db_text_string(cwi_buf *out, const char *text, size_t size);
bool cwi_db_text_float(cwi_buf *out, double value); /* 1, 0.5, NaN, Infinity: without the f */
bool cwi_db_text_datetime(cwi_buf *out, cw_value datetime);
bool cwi_db_text_duration(cwi_buf *out, cw_value duration);
bool cwi_db_text_uuid(cwi_buf *out, cw_value uuid);

/* ---- JSON ---- */

typedef enum cwi_db_json_style {
  CWI_DB_JSON_PLAIN, /* what hosts see: the rules of the C ABI that compat imitates */
  CWI_DB_JSON_TYPED, /* nothing is lost: { "$type": ... } as in the recorded vectors */
} cwi_db_json_style;

/* Appends the JSON of `value`. With `rids` (NULL: not wanted) the JSON pointers of the strings that
 * are record ids are appended there, each followed by a newline. */
bool cwi_db_json(cwi_buf *out, cw_value value, cwi_db_json_style style, cwi_buf *rids);

/* ---- reading text: false where the whole of it is not one ---- */

bool cwi_db_parse_datetime(const char *text, size_t size, cw_value *out);
bool cwi_db_parse_duration(const char *text, size_t size, cw_value *out);
bool cwi_db_parse_uuid(const char *text, size_t size, uint8_t bytes[16]);
bool cwi_db_parse_int(const char *text, size_t size, int64_t *out);
bool cwi_db_parse_float(const char *text, size_t size, double *out);

/* ---- kinds by cast and by coercion, for the simple kinds; compound ones are built on
 * these ---- */

/* `kind` NONE..FUNCTION, with CWI_DB_ANY_NUMBER for `number`. *ok is false where it cannot be done,
 * with *out NONE; a status only for lack of memory. Text to record is not done here. */
#define CWI_DB_ANY_NUMBER ((cwi_db_kind)64)
cw_status cwi_db_cast(cw_value value, cwi_db_kind kind, cw_value *out, bool *ok, cw_error *err);
/* The strict way of DEFINE FIELD and of function arguments: 1.0 to int, int to float, nothing
 * more. */
cw_status cwi_db_coerce(cw_value value, cwi_db_kind kind, cw_value *out, bool *ok, cw_error *err);

/* ---- arithmetic with the error texts of the language ("Cannot perform addition with '1' and
 * 'a'") ---- */

typedef enum cwi_db_op {
  CWI_DB_ADD, CWI_DB_SUB, CWI_DB_MUL, CWI_DB_DIV, CWI_DB_REM, CWI_DB_POW,
} cwi_db_op;
/* Borrows both sides. CW_E_QUERY with the text where the operation cannot be done. */
cw_status cwi_db_arith(cwi_db_op op, cw_value a, cw_value b, cw_value *out, cw_error *err);
cw_status cwi_db_negate(cw_value value, cw_value *out, cw_error *err);
/* A number as double, whatever its kind. */
double cwi_db_number_as_float(cw_value number);

#endif
