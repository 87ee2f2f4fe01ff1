/* SPDX-License-Identifier: MIT */
/* Values as JSON: plain (what hosts see) and typed (nothing is lost; the encoding of the
 * vectors). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/db_value_internal.h"

typedef struct json_writer {
  cwi_buf *out;
  cwi_buf *rids; /* NULL: not wanted */
  cwi_buf path;  /* the JSON pointer of what is being written */
  bool typed;
  size_t depth;
} json_writer;

static void write_value(json_writer *w, cw_value value);

static void write_text(cwi_buf *out, const char *text, size_t size) {
  (void)cwi_buf_append_char(out, '"');
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    switch (c) {
    case '"': (void)cwi_buf_append_str(out, "\\\""); break;
    case '\\': (void)cwi_buf_append_str(out, "\\\\"); break;
    case '\n': (void)cwi_buf_append_str(out, "\\n"); break;
    case '\r': (void)cwi_buf_append_str(out, "\\r"); break;
    case '\t': (void)cwi_buf_append_str(out, "\\t"); break;
    default:
      if (c < 0x20) {
        (void)cwi_buf_append_format(out, "\\u%04x", c);
      } else {
        (void)cwi_buf_append_char(out, (char)c);
      }
      break;
    }
  }
  (void)cwi_buf_append_char(out, '"');
}

static void write_base64(cwi_buf *out, cw_value bytes) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  cw_bytes b = cw_value_as_bytes(bytes);
  const uint8_t *data = b.data;
  (void)cwi_buf_append_char(out, '"');
  for (size_t i = 0; i < b.size; i += 3) {
    size_t n = b.size - i < 3 ? b.size - i : 3;
    uint32_t bits = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                    (n > 2 ? (uint32_t)data[i + 2] : 0);
    (void)cwi_buf_append_char(out, letters[bits >> 18]);
    (void)cwi_buf_append_char(out, letters[bits >> 12 & 63]);
    (void)cwi_buf_append_char(out, n > 1 ? letters[bits >> 6 & 63] : '=');
    (void)cwi_buf_append_char(out, n > 2 ? letters[bits & 63] : '=');
  }
  (void)cwi_buf_append_char(out, '"');
}

static void write_float(json_writer *w, double value) {
  if (!isfinite(value)) {
    const char *name = isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf";
    if (w->typed) {
      (void)cwi_buf_append_format(w->out, "{\"$type\":\"float\",\"v\":\"%s\"}", name);
    } else if (isnan(value)) {
      (void)cwi_buf_append_str(w->out, "null");
    } else {
      (void)cwi_buf_append_str(w->out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    }
    return;
  }
  char text[40];
  int precision = 1;
  do {
    (void)snprintf(text, sizeof(text), "%.*g", precision, value);
  } while (strtod(text, NULL) != value && precision++ < 17);
  (void)cwi_buf_append_str(w->out, text);
  if (strpbrk(text, ".e") == NULL) (void)cwi_buf_append_str(w->out, ".0");
}

/* A string made by `append`, wrapped with its type where that is wanted. */
static void write_as_text(json_writer *w, const char *type, cw_value value,
                          bool (*append)(cwi_buf *, cw_value)) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  if (!append(&text, value)) w->out->failed = true;
  if (w->typed) (void)cwi_buf_append_format(w->out, "{\"$type\":\"%s\",\"v\":", type);
  write_text(w->out, text.data, text.size);
  if (w->typed) (void)cwi_buf_append_char(w->out, '}');
  cwi_buf_deinit(&text);
}

static size_t path_push(json_writer *w, const char *name, size_t size) {
  size_t mark = w->path.size;
  if (w->rids == NULL) return mark;
  (void)cwi_buf_append_char(&w->path, '/');
  for (size_t i = 0; i < size; i++) {
    if (name[i] == '~') {
      (void)cwi_buf_append_str(&w->path, "~0");
    } else if (name[i] == '/') {
      (void)cwi_buf_append_str(&w->path, "~1");
    } else {
      (void)cwi_buf_append_char(&w->path, name[i]);
    }
  }
  return mark;
}

static void write_items(json_writer *w, cw_value array) {
  (void)cwi_buf_append_char(w->out, '[');
  for (size_t i = 0; i < cw_value_len(array); i++) {
    if (i > 0) (void)cwi_buf_append_char(w->out, ',');
    char index[24];
    int size = snprintf(index, sizeof(index), "%zu", i);
    size_t mark = path_push(w, index, (size_t)size);
    write_value(w, cw_value_array_get(array, i));
    w->path.size = mark;
  }
  (void)cwi_buf_append_char(w->out, ']');
}

static void write_member(json_writer *w, const char *name, size_t size, cw_value item) {
  write_text(w->out, name, size);
  (void)cwi_buf_append_char(w->out, ':');
  size_t mark = path_push(w, name, size);
  write_value(w, item);
  w->path.size = mark;
}

static void write_object(json_writer *w, cw_value object) {
  (void)cwi_buf_append_char(w->out, '{');
  cwi_object_iter iter = cwi_object_iter_start(object);
  cw_value key;
  cw_value item;
  for (bool first = true; cwi_object_iter_next(&iter, &key, &item); first = false) {
    if (!first) (void)cwi_buf_append_char(w->out, ',');
    cw_bytes name = cw_value_as_bytes(key);
    write_member(w, name.data, name.size, item);
  }
  (void)cwi_buf_append_char(w->out, '}');
}

static void write_set(json_writer *w, cw_value set) {
  if (!w->typed) {
    write_items(w, cwi_db_set_items(set));
    return;
  }
  (void)cwi_buf_append_str(w->out, "{\"$type\":\"set\",\"v\":");
  size_t mark = path_push(w, "v", 1);
  write_items(w, cwi_db_set_items(set));
  w->path.size = mark;
  (void)cwi_buf_append_char(w->out, '}');
}

static void write_bound(json_writer *w, cwi_db_bound bound, cw_value value, const char *index) {
  if (bound == CWI_DB_UNBOUNDED) {
    (void)cwi_buf_append_str(w->out, "null");
    return;
  }
  const char *name = bound == CWI_DB_INCLUDED ? "incl" : "excl";
  size_t mark = path_push(w, index, 1);
  (void)cwi_buf_append_char(w->out, '{');
  write_member(w, name, 4, value);
  (void)cwi_buf_append_char(w->out, '}');
  w->path.size = mark;
}

static void write_range(json_writer *w, cw_value range) {
  cw_value begin;
  cw_value end;
  cwi_db_bound begin_bound = cwi_db_range_begin(range, &begin);
  cwi_db_bound end_bound = cwi_db_range_end(range, &end);
  if (!w->typed) {
    (void)cwi_buf_append_str(w->out, "{\"start\":");
    write_value(w, begin_bound == CWI_DB_UNBOUNDED ? cwi_value_null() : begin);
    (void)cwi_buf_append_str(w->out, ",\"end\":");
    write_value(w, end_bound == CWI_DB_UNBOUNDED ? cwi_value_null() : end);
    (void)cwi_buf_append_char(w->out, '}');
    return;
  }
  (void)cwi_buf_append_str(w->out, "{\"$type\":\"range\",\"v\":[");
  size_t mark = path_push(w, "v", 1);
  write_bound(w, begin_bound, begin, "0");
  (void)cwi_buf_append_char(w->out, ',');
  write_bound(w, end_bound, end, "1");
  w->path.size = mark;
  (void)cwi_buf_append_str(w->out, "]}");
}

static void write_geojson(json_writer *w, cw_value geometry) {
  cwi_db_shape shape = cwi_db_geometry_shape(geometry);
  cw_value coordinates = cwi_db_geometry_coordinates(geometry);
  (void)cwi_buf_append_format(w->out, "{\"type\":\"%s\",", cwi_db_shape_geojson(shape));
  if (shape != CWI_DB_COLLECTION) {
    (void)cwi_buf_append_str(w->out, "\"coordinates\":");
    write_items(w, coordinates);
  } else {
    (void)cwi_buf_append_str(w->out, "\"geometries\":[");
    for (size_t i = 0; i < cw_value_len(coordinates); i++) {
      if (i > 0) (void)cwi_buf_append_char(w->out, ',');
      write_geojson(w, cw_value_array_get(coordinates, i));
    }
    (void)cwi_buf_append_char(w->out, ']');
  }
  (void)cwi_buf_append_char(w->out, '}');
}

/* table:key without the escapes that SurrealQL text has. */
static bool append_plain_record(cwi_buf *out, cw_value record) {
  cw_bytes table = cw_value_as_bytes(cwi_db_record_table(record));
  cw_value key = cwi_db_record_key(record);
  (void)cwi_buf_append(out, table.data, table.size);
  (void)cwi_buf_append_char(out, ':');
  switch (cwi_db_kind_of(key)) {
  case CWI_DB_ARRAY:
  case CWI_DB_OBJECT: return cwi_db_json(out, key, CWI_DB_JSON_PLAIN, NULL);
  case CWI_DB_RANGE: return cwi_buf_append_str(out, "<range>");
  default: return cwi_db_text_bare(out, key);
  }
}

static void write_record(json_writer *w, cw_value record) {
  if (w->rids != NULL) {
    (void)cwi_buf_append(w->rids, w->path.data, w->path.size);
    (void)cwi_buf_append_char(w->rids, '\n');
  }
  cwi_buf text;
  cwi_buf_init(&text, 0);
  bool done = w->typed ? cwi_db_text_bare(&text, record) : append_plain_record(&text, record);
  if (!done) w->out->failed = true;
  write_text(w->out, text.data, text.size);
  cwi_buf_deinit(&text);
}

static bool append_table_name(cwi_buf *out, cw_value table) {
  cw_bytes name = cw_value_as_bytes(cwi_db_table_name(table));
  return cwi_buf_append(out, name.data, name.size);
}

static void write_box(json_writer *w, cw_value value) {
  switch (cwi_db_kind_of(value)) {
  case CWI_DB_DECIMAL: write_as_text(w, "decimal", value, cwi_db_text_bare); break;
  case CWI_DB_RECORD: write_record(w, value); break;
  case CWI_DB_RANGE: write_range(w, value); break;
  case CWI_DB_SET: write_set(w, value); break;
  case CWI_DB_TABLE: write_as_text(w, "table", value, append_table_name); break;
  case CWI_DB_FILE: write_as_text(w, "file", value, cwi_db_text_bare); break;
  case CWI_DB_REGEX: write_as_text(w, "regex", value, cwi_db_text_bare); break;
  case CWI_DB_GEOMETRY:
    if (w->typed) (void)cwi_buf_append_str(w->out, "{\"$type\":\"geometry\",\"v\":");
    write_geojson(w, value);
    if (w->typed) (void)cwi_buf_append_char(w->out, '}');
    break;
  default: write_as_text(w, "function", value, cwi_db_text); break;
  }
}

static void write_value(json_writer *w, cw_value value) {
  if (++w->depth > CW_VALUE_DEPTH_MAX) {
    (void)cwi_buf_append_str(w->out, "null");
    w->depth--;
    return;
  }
  switch (value.kind) {
  case CW_VALUE_NONE:
    (void)cwi_buf_append_str(w->out, w->typed ? "{\"$type\":\"none\"}" : "null");
    break;
  case CW_VALUE_NULL: (void)cwi_buf_append_str(w->out, "null"); break;
  case CW_VALUE_BOOL: (void)cwi_buf_append_str(w->out, value.bits != 0 ? "true" : "false"); break;
  case CW_VALUE_INT:
  case CW_VALUE_CHAR: (void)cwi_buf_append_format(w->out, "%" PRId64, (int64_t)value.bits); break;
  case CW_VALUE_FLOAT: write_float(w, cwi_value_as_float(value)); break;
  case CW_VALUE_DATETIME: write_as_text(w, "datetime", value, cwi_db_text_datetime); break;
  case CW_VALUE_DURATION: write_as_text(w, "duration", value, cwi_db_text_duration); break;
  case CW_VALUE_STRING: {
    cw_bytes text = cw_value_as_bytes(value);
    write_text(w->out, text.data, text.size);
    break;
  }
  case CW_VALUE_BYTES:
    if (w->typed) (void)cwi_buf_append_str(w->out, "{\"$type\":\"bytes\",\"v\":");
    write_base64(w->out, value);
    if (w->typed) (void)cwi_buf_append_char(w->out, '}');
    break;
  case CW_VALUE_ARRAY: write_items(w, value); break;
  case CW_VALUE_OBJECT: write_object(w, value); break;
  case CW_VALUE_UUID: write_as_text(w, "uuid", value, cwi_db_text_uuid); break;
  default: write_box(w, value); break;
  }
  w->depth--;
}

bool cwi_db_json(cwi_buf *out, cw_value value, cwi_db_json_style style, cwi_buf *rids) {
  json_writer w = {.out = out, .rids = rids, .typed = style == CWI_DB_JSON_TYPED};
  cwi_buf_init(&w.path, 0);
  write_value(&w, value);
  bool failed = w.path.failed || (rids != NULL && rids->failed);
  cwi_buf_deinit(&w.path);
  return !out->failed && !failed;
}
