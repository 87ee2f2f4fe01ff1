/* SPDX-License-Identifier: MIT */
/* The boxes of the database's own kinds: decimal, record id, range, set, table, file, regex,
 * geometry.
 *
 * Each box is plain data and at most two values, which `deinit` drops and `clone` copies deeply. A
 * regex is compiled when it is made, so that matching never fails for its syntax; a clone compiles
 * again, because a compiled one stays on its thread. */
#include "db/db_value.h"

#include "core/alloc.h"
#include "core/error.h"
#include "db/db_regex.h"
#include "db/db_value_internal.h"

/* One layout serves every kind that is made of values and a few small fields. */
typedef struct db_box {
  cwi_box box;
  uint8_t a_tag; /* range: bound of the begin; geometry: shape */
  uint8_t b_tag; /* range: bound of the end */
  cw_value a; /* record: table; range: begin; set: items; table: name; file: bucket; regex: pattern;
                    geometry: coordinates */
  cw_value b;    /* record: key; range: end; file: key */
} db_box;

typedef struct db_decimal_box {
  cwi_box box;
  cwi_decimal decimal;
} db_decimal_box;

typedef struct db_regex_box {
  db_box values;
  cwi_db_regex *regex;
} db_regex_box;

const char cwi_db_closure_name[] = "function";

static db_box *pair_of(cw_value value) { return (db_box *)(void *)cwi_value_box_ptr(value); }

static void pair_deinit(cwi_box *box) {
  db_box *pair = (db_box *)(void *)box;
  cwi_value_drop(pair->a);
  cwi_value_drop(pair->b);
}

static cw_status pair_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  const db_box *from = (const db_box *)(const void *)box;
  db_box *to = (db_box *)(void *)copy;
  to->a_tag = from->a_tag;
  to->b_tag = from->b_tag;
  cw_status status = cw_value_clone(from->a, &to->a, err);
  if (status == CW_OK) status = cw_value_clone(from->b, &to->b, err);
  return status;
}

static void pair_visit(cwi_box *box, void (*visit)(cw_value *value, void *context), void *context) {
  db_box *pair = (db_box *)(void *)box;
  visit(&pair->a, context);
  visit(&pair->b, context);
}

static bool pair_equal(const cwi_box *a, const cwi_box *b) {
  return cwi_db_compare(cwi_value_of_ref(CW_VALUE_BOX, a), cwi_value_of_ref(CW_VALUE_BOX, b)) == 0;
}

static bool box_to_json(const cwi_box *box, cwi_buf *out) {
  return cwi_db_json(out, cwi_value_of_ref(CW_VALUE_BOX, box), CWI_DB_JSON_PLAIN, NULL);
}

static void regex_deinit(cwi_box *box) {
  cwi_db_regex_free(((db_regex_box *)(void *)box)->regex);
  pair_deinit(box);
}

static cw_status regex_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  cw_status status = pair_clone(box, copy, err);
  if (status != CW_OK) return status;
  db_regex_box *to = (db_regex_box *)(void *)copy;
  cw_bytes pattern = cw_value_as_bytes(to->values.a);
  return cwi_db_regex_compile(pattern.data, pattern.size, &to->regex, err);
}

#define PAIR_OPS(text)                                                                           \
  {                                                                                              \
    .name = (text), .size = sizeof(db_box), .deinit = pair_deinit, .clone = pair_clone,          \
    .equal = pair_equal, .to_json = box_to_json, .visit = pair_visit                             \
  }

static const cwi_box_ops decimal_ops = {
    .name = "decimal", .size = sizeof(db_decimal_box), .equal = pair_equal, .to_json = box_to_json};
static const cwi_box_ops record_ops = PAIR_OPS("record");
static const cwi_box_ops range_ops = PAIR_OPS("range");
static const cwi_box_ops set_ops = PAIR_OPS("set");
static const cwi_box_ops table_ops = PAIR_OPS("table");
static const cwi_box_ops file_ops = PAIR_OPS("file");
static const cwi_box_ops geometry_ops = PAIR_OPS("geometry");
static const cwi_box_ops regex_ops = {.name = "regex",
                                      .size = sizeof(db_regex_box),
                                      .deinit = regex_deinit,
                                      .clone = regex_clone,
                                      .equal = pair_equal,
                                      .to_json = box_to_json,
                                      .visit = pair_visit};

static const struct {
  const cwi_box_ops *ops;
  cwi_db_kind kind;
} box_kinds[] = {
    {&record_ops, CWI_DB_RECORD}, {&decimal_ops, CWI_DB_DECIMAL},   {&range_ops, CWI_DB_RANGE},
    {&set_ops, CWI_DB_SET},       {&geometry_ops, CWI_DB_GEOMETRY}, {&table_ops, CWI_DB_TABLE},
    {&regex_ops, CWI_DB_REGEX},   {&file_ops, CWI_DB_FILE},
};

cwi_db_kind cwi_db_kind_of(cw_value value) {
  switch (value.kind) {
  case CW_VALUE_NONE: return CWI_DB_NONE;
  case CW_VALUE_NULL: return CWI_DB_NULL;
  case CW_VALUE_BOOL: return CWI_DB_BOOL;
  case CW_VALUE_INT: return CWI_DB_INT;
  case CW_VALUE_FLOAT: return CWI_DB_FLOAT;
  case CW_VALUE_CHAR: return CWI_DB_INT;
  case CW_VALUE_DATETIME: return CWI_DB_DATETIME;
  case CW_VALUE_DURATION: return CWI_DB_DURATION;
  case CW_VALUE_STRING: return CWI_DB_STRING;
  case CW_VALUE_BYTES: return CWI_DB_BYTES;
  case CW_VALUE_ARRAY: return CWI_DB_ARRAY;
  case CW_VALUE_OBJECT: return CWI_DB_OBJECT;
  case CW_VALUE_UUID: return CWI_DB_UUID;
  default: break;
  }
  const cwi_box_ops *ops = cwi_value_box_ptr(value)->ops;
  for (size_t i = 0; i < CWI_ARRAY_LEN(box_kinds); i++) {
    if (box_kinds[i].ops == ops) return box_kinds[i].kind;
  }
  return CWI_DB_FUNCTION;
}

const char *cwi_db_kind_name(cwi_db_kind kind) {
  static const char *const names[] = {
      "none",     "null",     "bool", "int",   "float",  "decimal",  "string",
      "duration", "datetime", "uuid", "array", "set",    "object",   "geometry",
      "bytes",    "table",    "record", "file", "regex", "range", "function"};
  if (kind == CWI_DB_ANY_NUMBER) return "number";
  CWI_ASSERT((size_t)kind < CWI_ARRAY_LEN(names));
  return names[kind];
}

/* ---- making ---- */

cw_status cwi_db_value_decimal(cwi_decimal decimal, cw_value *out, cw_error *err) {
  cw_status status = cwi_value_box(&decimal_ops, out, err);
  if (status == CW_OK) ((db_decimal_box *)(void *)cwi_value_box_ptr(*out))->decimal = decimal;
  return status;
}

cwi_decimal cwi_db_decimal(cw_value value) {
  CWI_ASSERT(cwi_value_is_box_of(value, &decimal_ops));
  return ((db_decimal_box *)(void *)cwi_value_box_ptr(value))->decimal;
}

/* Takes both values, also on failure. */
static cw_status make_pair(const cwi_box_ops *ops, cw_value a, cw_value b, cw_value *out,
                           cw_error *err) {
  cw_status status = cwi_value_box(ops, out, err);
  if (status != CW_OK) {
    cwi_value_drop(a);
    cwi_value_drop(b);
    return status;
  }
  db_box *pair = pair_of(*out);
  pair->a = a;
  pair->b = b;
  return CW_OK;
}

static bool is_record_key(cw_value key, bool in_range) {
  switch (cwi_db_kind_of(key)) {
  case CWI_DB_INT:
  case CWI_DB_STRING:
  case CWI_DB_UUID:
  case CWI_DB_ARRAY:
  case CWI_DB_OBJECT: return true;
  case CWI_DB_NONE: return in_range;
  case CWI_DB_RANGE: {
    cw_value begin;
    cw_value end;
    (void)cwi_db_range_begin(key, &begin);
    (void)cwi_db_range_end(key, &end);
    return !in_range && is_record_key(begin, true) && is_record_key(end, true);
  }
  default: return false;
  }
}

cw_status cwi_db_value_record(cw_value table, cw_value key, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (table.kind != CW_VALUE_STRING || !is_record_key(key, false)) {
    const char *kind = cwi_db_kind_name(cwi_db_kind_of(key));
    cwi_value_drop(table);
    cwi_value_drop(key);
    return CWI_RAISE(err, CW_E_TYPE, 0, "a record id cannot have a key of type %s", kind);
  }
  return make_pair(&record_ops, table, key, out, err);
}

cw_status cwi_db_value_record_named(const char *table, size_t size, cw_value key, cw_value *out,
                                    cw_error *err) {
  cw_value name;
  cw_status status = cw_value_string(table, size, &name, err);
  if (status != CW_OK) {
    cwi_value_drop(key);
    *out = cwi_value_none();
    return status;
  }
  return cwi_db_value_record(name, key, out, err);
}

cw_value cwi_db_record_table(cw_value record) {
  CWI_ASSERT(cwi_value_is_box_of(record, &record_ops));
  return pair_of(record)->a;
}

cw_value cwi_db_record_key(cw_value record) {
  CWI_ASSERT(cwi_value_is_box_of(record, &record_ops));
  return pair_of(record)->b;
}

cw_status cwi_db_value_range(cwi_db_bound begin_bound, cw_value begin, cwi_db_bound end_bound,
                             cw_value end, cw_value *out, cw_error *err) {
  cw_status status = make_pair(&range_ops, begin, end, out, err);
  if (status == CW_OK) {
    pair_of(*out)->a_tag = (uint8_t)begin_bound;
    pair_of(*out)->b_tag = (uint8_t)end_bound;
  }
  return status;
}

cwi_db_bound cwi_db_range_begin(cw_value range, cw_value *value) {
  CWI_ASSERT(cwi_value_is_box_of(range, &range_ops));
  *value = pair_of(range)->a;
  return (cwi_db_bound)pair_of(range)->a_tag;
}

cwi_db_bound cwi_db_range_end(cw_value range, cw_value *value) {
  CWI_ASSERT(cwi_value_is_box_of(range, &range_ops));
  *value = pair_of(range)->b;
  return (cwi_db_bound)pair_of(range)->b_tag;
}

bool cwi_db_range_contains(cw_value range, cw_value value) {
  cw_value begin;
  cw_value end;
  cwi_db_bound low = cwi_db_range_begin(range, &begin);
  cwi_db_bound high = cwi_db_range_end(range, &end);
  if (low != CWI_DB_UNBOUNDED) {
    int order = cwi_db_compare(value, begin);
    if (order < 0 || (order == 0 && low == CWI_DB_EXCLUDED)) return false;
  }
  if (high != CWI_DB_UNBOUNDED) {
    int order = cwi_db_compare(value, end);
    if (order > 0 || (order == 0 && high == CWI_DB_EXCLUDED)) return false;
  }
  return true;
}

bool cwi_db_range_ints(cw_value range, int64_t *first, int64_t *end_out) {
  cw_value begin;
  cw_value end;
  cwi_db_bound low = cwi_db_range_begin(range, &begin);
  cwi_db_bound high = cwi_db_range_end(range, &end);
  if (low != CWI_DB_UNBOUNDED && begin.kind != CW_VALUE_INT) return false;
  if (high != CWI_DB_UNBOUNDED && end.kind != CW_VALUE_INT) return false;
  int64_t from = low == CWI_DB_UNBOUNDED ? INT64_MIN : cwi_value_as_int(begin);
  int64_t to = high == CWI_DB_UNBOUNDED ? INT64_MAX : cwi_value_as_int(end);
  if (low == CWI_DB_EXCLUDED && from < INT64_MAX) from++;
  if (high == CWI_DB_INCLUDED && to < INT64_MAX) to++;
  *first = from;
  *end_out = to < from ? from : to;
  return true;
}

cw_status cwi_db_value_table(const char *name, size_t size, cw_value *out, cw_error *err) {
  cw_value text;
  cw_status status = cw_value_string(name, size, &text, err);
  if (status != CW_OK) {
    *out = cwi_value_none();
    return status;
  }
  return make_pair(&table_ops, text, cwi_value_none(), out, err);
}

cw_value cwi_db_table_name(cw_value table) {
  CWI_ASSERT(cwi_value_is_box_of(table, &table_ops));
  return pair_of(table)->a;
}

cw_status cwi_db_value_file(cw_value bucket, cw_value key, cw_value *out, cw_error *err) {
  CWI_ASSERT(bucket.kind == CW_VALUE_STRING && key.kind == CW_VALUE_STRING);
  return make_pair(&file_ops, bucket, key, out, err);
}

cw_value cwi_db_file_bucket(cw_value file) { return pair_of(file)->a; }
cw_value cwi_db_file_key(cw_value file) { return pair_of(file)->b; }

cw_status cwi_db_value_regex(const char *pattern, size_t size, cw_value *out, cw_error *err) {
  cw_status status = CW_OK;
  cw_value text = cwi_value_none();
  cwi_db_regex *regex = NULL;
  *out = cwi_value_none();
  CWI_TRY(cwi_db_regex_compile(pattern, size, &regex, err));
  CWI_TRY(cw_value_string(pattern, size, &text, err));
  CWI_TRY(cwi_value_box(&regex_ops, out, err));
  db_regex_box *box = (db_regex_box *)(void *)cwi_value_box_ptr(*out);
  box->values.a = text;
  box->regex = regex;
  text = cwi_value_none();
  regex = NULL;

out:
  cwi_value_drop(text);
  cwi_db_regex_free(regex);
  return status;
}

cw_value cwi_db_regex_pattern(cw_value regex) { return pair_of(regex)->a; }

const cwi_db_regex *cwi_db_regex_of(cw_value regex) {
  CWI_ASSERT(cwi_value_is_box_of(regex, &regex_ops));
  return ((db_regex_box *)(void *)cwi_value_box_ptr(regex))->regex;
}

/* ---- sets ---- */

/* Sorts pointers-free: a merge sort over the items, which moves values and never fails half way. */
cw_status cwi_db_sort(cw_value *items, size_t len,
                      int (*compare)(cw_value a, cw_value b, void *context), void *context,
                      cw_error *err) {
  if (len < 2) return CW_OK;
  cw_value *spare = cwi_alloc_array(len, sizeof(cw_value));
  if (spare == NULL) return CWI_RAISE_NOMEM(err, "sorting");
  cw_value *from = items;
  cw_value *to = spare;
  for (size_t width = 1; width < len; width *= 2) {
    for (size_t start = 0; start < len; start += 2 * width) {
      size_t middle = start + width < len ? start + width : len;
      size_t end = start + 2 * width < len ? start + 2 * width : len;
      size_t left = start;
      size_t right = middle;
      for (size_t at = start; at < end; at++) {
        bool take_left =
            left < middle && (right >= end || compare(from[left], from[right], context) <= 0);
        to[at] = take_left ? from[left++] : from[right++];
      }
    }
    cw_value *swap = from;
    from = to;
    to = swap;
  }
  if (from != items) memcpy(items, from, len * sizeof(cw_value));
  cwi_free(spare, len * sizeof(cw_value));
  return CW_OK;
}

static int by_order(cw_value a, cw_value b, void *context) {
  (void)context;
  return cwi_db_compare(a, b);
}

cw_status cwi_db_value_set(cw_value array, cw_value *out, cw_error *err) {
  CWI_ASSERT(array.kind == CW_VALUE_ARRAY);
  *out = cwi_value_none();
  cw_status status = cwi_value_make_unique(&array, err);
  cwi_array *items = cwi_value_array_ptr(array);
  if (status == CW_OK) status = cwi_db_sort(items->items, items->len, by_order, NULL, err);
  if (status != CW_OK) {
    cwi_value_drop(array);
    return status;
  }
  size_t kept = 0;
  for (size_t i = 0; i < items->len; i++) {
    if (kept > 0 && cwi_db_compare(items->items[kept - 1], items->items[i]) == 0) {
      cwi_value_drop(items->items[i]);
    } else {
      items->items[kept++] = items->items[i];
    }
  }
  items->len = kept;
  return make_pair(&set_ops, array, cwi_value_none(), out, err);
}

cw_value cwi_db_set_items(cw_value set) {
  CWI_ASSERT(cwi_value_is_box_of(set, &set_ops));
  return pair_of(set)->a;
}

bool cwi_db_set_has(cw_value set, cw_value item) {
  const cwi_array *items = cwi_value_array_ptr(cwi_db_set_items(set));
  size_t low = 0;
  size_t high = items->len;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cwi_db_compare(items->items[middle], item);
    if (order == 0) return true;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

/* ---- geometry: see db_geometry.c for what is done with it ---- */

cw_status cwi_db_value_geometry_checked(cwi_db_shape shape, cw_value coordinates, cw_value *out,
                                        cw_error *err) {
  cw_status status = make_pair(&geometry_ops, coordinates, cwi_value_none(), out, err);
  if (status == CW_OK) pair_of(*out)->a_tag = (uint8_t)shape;
  return status;
}

cwi_db_shape cwi_db_geometry_shape(cw_value geometry) {
  CWI_ASSERT(cwi_value_is_box_of(geometry, &geometry_ops));
  return (cwi_db_shape)pair_of(geometry)->a_tag;
}

cw_value cwi_db_geometry_coordinates(cw_value geometry) {
  CWI_ASSERT(cwi_value_is_box_of(geometry, &geometry_ops));
  return pair_of(geometry)->a;
}
