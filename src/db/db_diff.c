/* SPDX-License-Identifier: MIT */
/* JSON Patch (RFC 6902) with the further operation "change", a difference of two texts in the form
 *
 *   @@ -1,3 +1,3 @@
 *    ab
 *   -c
 *   +d
 *
 * Paths name fields; as in the engine whose answers are recorded, a number names an item of an
 * array for "add" (which inserts) and "-" its end, while "replace" and "remove" leave arrays
 * alone. */
#include "db/db_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/utf8.h"

/* ---- making ---- */

static cw_status set_text(cw_value *object, const char *key, const char *text, size_t size,
                          cw_error *err) {
  cw_value value;
  cw_status status = cw_value_string(text, size, &value, err);
  return status != CW_OK ? status : cw_value_object_set(object, key, strlen(key), value, err);
}

/* Appends one operation; `value` is taken where it is given. */
static cw_status push(cw_value *list, const char *op, const cwi_buf *path, const cw_value *value,
                      cw_error *err) {
  cw_value entry;
  cw_status status = cw_value_object(&entry, err);
  if (status == CW_OK) status = set_text(&entry, "op", op, strlen(op), err);
  if (status == CW_OK) status = set_text(&entry, "path", path->data, path->size, err);
  if (status == CW_OK && value != NULL) {
    status = cw_value_object_set(&entry, "value", 5, cwi_value_retain(*value), err);
  }
  if (status == CW_OK) return cw_value_array_push(list, entry, err);
  cwi_value_drop(entry);
  return status;
}

static size_t path_push(cwi_buf *path, const char *name, size_t size) {
  size_t mark = path->size;
  (void)cwi_buf_append_char(path, '/');
  for (size_t i = 0; i < size; i++) {
    if (name[i] == '~') {
      (void)cwi_buf_append_str(path, "~0");
    } else if (name[i] == '/') {
      (void)cwi_buf_append_str(path, "~1");
    } else {
      (void)cwi_buf_append_char(path, name[i]);
    }
  }
  return mark;
}

static void append_line(cwi_buf *out, char kind, const char *text, size_t size) {
  if (size == 0) return;
  (void)cwi_buf_append_char(out, kind);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '\n' || c == '%' || c == '\r') {
      (void)cwi_buf_append_format(out, "%%%02X", c);
    } else {
      (void)cwi_buf_append_char(out, (char)c);
    }
  }
  (void)cwi_buf_append_char(out, '\n');
}

#define CONTEXT 4

static cw_status diff_texts(cw_value a, cw_value b, const cwi_buf *path, cw_value *list,
                            cw_error *err) {
  cw_bytes x = cw_value_as_bytes(a);
  cw_bytes y = cw_value_as_bytes(b);
  const char *s = x.data;
  const char *t = y.data;
  size_t shorter = x.size < y.size ? x.size : y.size;
  size_t head = 0;
  size_t tail = 0;
  while (head < shorter && s[head] == t[head]) head++;
  head = cwi_utf8_floor(s, x.size, head);
  head = cwi_utf8_floor(t, y.size, head);
  while (tail < shorter - head && s[x.size - 1 - tail] == t[y.size - 1 - tail]) tail++;
  while (tail > 0 && ((unsigned char)s[x.size - tail] & 0xC0) == 0x80) tail--;
  size_t before = cwi_utf8_len(s, head);
  size_t kept = before > CONTEXT ? before - CONTEXT : 0;
  size_t from = cwi_utf8_offset(s, head, kept);
  size_t after = cwi_utf8_offset(s + x.size - tail, tail, CONTEXT);
  size_t common = before - kept + cwi_utf8_len(s + x.size - tail, after);
  cwi_buf text;
  cwi_buf_init(&text, 0);
  (void)cwi_buf_append_format(&text, "@@ -%zu,%zu +%zu,%zu @@\n", kept + 1,
                              common + cwi_utf8_len(s + head, x.size - tail - head), kept + 1,
                              common + cwi_utf8_len(t + head, y.size - tail - head));
  append_line(&text, ' ', s + from, head - from);
  append_line(&text, '-', s + head, x.size - tail - head);
  append_line(&text, '+', t + head, y.size - tail - head);
  append_line(&text, ' ', s + x.size - tail, after);
  cw_value value;
  cw_status status = text.failed ? CWI_RAISE_NOMEM(err, "a difference")
                                 : cw_value_string(text.data, text.size, &value, err);
  cwi_buf_deinit(&text);
  if (status != CW_OK) return status;
  status = push(list, "change", path, &value, err);
  cwi_value_drop(value);
  return status;
}

static cw_status diff_at(cw_value a, cw_value b, cwi_buf *path, cw_value *list, size_t depth,
                         cw_error *err);

static cw_status diff_objects(cw_value a, cw_value b, cwi_buf *path, cw_value *list, size_t depth,
                              cw_error *err) {
  cw_status status = CW_OK;
  cw_value key;
  cw_value item;
  for (int pass = 0; pass < 2; pass++) {
    cwi_object_iter iter = cwi_object_iter_start(pass == 0 ? a : b);
    while (status == CW_OK && cwi_object_iter_next(&iter, &key, &item)) {
      cw_bytes name = cw_value_as_bytes(key);
      const cw_value *other = cwi_value_object_find(pass == 0 ? b : a, name.data, name.size);
      size_t mark = path_push(path, name.data, name.size);
      if (pass == 0) {
        if (other == NULL) status = push(list, "remove", path, NULL, err);
      } else if (other == NULL) {
        status = push(list, "add", path, &item, err);
      } else {
        status = diff_at(*other, item, path, list, depth + 1, err);
      }
      path->size = mark;
    }
  }
  return status;
}

static cw_status diff_arrays(cw_value a, cw_value b, cwi_buf *path, cw_value *list, size_t depth,
                             cw_error *err) {
  cw_status status = CW_OK;
  size_t a_len = cw_value_len(a);
  size_t b_len = cw_value_len(b);
  size_t most = a_len > b_len ? a_len : b_len;
  for (size_t n = 0; status == CW_OK && n < most; n++) {
    /* What is too much goes from the end, so that indexes stay right. */
    size_t i = n >= b_len ? a_len - 1 - (n - b_len) : n;
    char name[24];
    int size = snprintf(name, sizeof(name), "%zu", i);
    size_t mark = path_push(path, name, (size_t)size);
    if (i < a_len && i < b_len) {
      status =
          diff_at(cw_value_array_get(a, i), cw_value_array_get(b, i), path, list, depth + 1, err);
    } else if (i < b_len) {
      cw_value item = cw_value_array_get(b, i);
      status = push(list, "add", path, &item, err);
    } else {
      status = push(list, "remove", path, NULL, err);
    }
    path->size = mark;
  }
  return status;
}

static cw_status diff_at(cw_value a, cw_value b, cwi_buf *path, cw_value *list, size_t depth,
                         cw_error *err) {
  if (cw_value_equal(a, b) ||
      (cwi_db_kind_of(a) == cwi_db_kind_of(b) && cwi_db_compare(a, b) == 0)) {
    return CW_OK;
  }
  if (a.kind == CW_VALUE_OBJECT && b.kind == CW_VALUE_OBJECT && depth < CW_VALUE_DEPTH_MAX) {
    return diff_objects(a, b, path, list, depth, err);
  }
  if (a.kind == CW_VALUE_ARRAY && b.kind == CW_VALUE_ARRAY && depth < CW_VALUE_DEPTH_MAX) {
    return diff_arrays(a, b, path, list, depth, err);
  }
  if (a.kind == CW_VALUE_STRING && b.kind == CW_VALUE_STRING)
    return diff_texts(a, b, path, list, err);
  return push(list, "replace", path, &b, err);
}

cw_status cwi_db_diff(cw_value a, cw_value b, cw_value *out, cw_error *err) {
  cw_value list;
  cwi_buf path;
  cwi_buf_init(&path, 0);
  *out = cwi_value_none();
  cw_status status = cw_value_array(0, &list, err);
  if (status == CW_OK) status = diff_at(a, b, &path, &list, 0, err);
  if (status == CW_OK && path.failed) status = CWI_RAISE_NOMEM(err, "a difference");
  cwi_buf_deinit(&path);
  if (status != CW_OK) {
    cwi_value_drop(list);
    return status;
  }
  *out = list;
  return CW_OK;
}

/* ---- applying ---- */

#define STRUCTURE \
  "The JSON Patch contains invalid operations. Failed to parse JSON patch structure: "

typedef struct pointer {
  const char *at; /* at a slash, or at the end */
  const char *end;
} pointer;

/* Takes the next name off the pointer, unescaped. */
static bool next_name(pointer *p, cwi_buf *name) {
  cwi_buf_clear(name);
  if (p->at >= p->end) return false;
  for (p->at++; p->at < p->end && *p->at != '/'; p->at++) {
    char c = *p->at;
    if (c == '~' && p->at + 1 < p->end && (p->at[1] == '0' || p->at[1] == '1')) {
      c = *++p->at == '0' ? '~' : '/';
    }
    (void)cwi_buf_append_char(name, c);
  }
  return true;
}

/* Borrows the value at a path; NONE where there is none. */
static cw_value lookup(cw_value value, const char *path, size_t size) {
  cw_value found = value;
  pointer p = {path, path + size};
  cwi_buf name;
  cwi_buf_init(&name, 0);
  while (next_name(&p, &name)) {
    int64_t index;
    if (found.kind == CW_VALUE_ARRAY && cwi_db_parse_int(name.data, name.size, &index) &&
        index >= 0) {
      found = cw_value_array_get(found, (size_t)index);
    } else {
      const cw_value *item =
          found.kind == CW_VALUE_OBJECT
              ? cwi_value_object_find(found, name.size > 0 ? name.data : "", name.size)
              : NULL;
      found = item == NULL ? cwi_value_none() : *item;
    }
  }
  cwi_buf_deinit(&name);
  return found;
}

typedef enum patch_kind { PATCH_ADD, PATCH_REMOVE, PATCH_REPLACE } patch_kind;

static cw_status add_to_array(cw_value *array, const cwi_buf *name, cw_value value, cw_error *err) {
  int64_t index;
  if (name->size == 1 && name->data[0] == '-') {
    return cw_value_array_push(array, cwi_value_retain(value), err);
  }
  if (!cwi_db_parse_int(name->data, name->size, &index) || index < 0 ||
      (uint64_t)index > cw_value_len(*array)) {
    return CW_OK;
  }
  return cwi_value_array_insert(array, (size_t)index, cwi_value_retain(value), err);
}

static cw_status change_at(cw_value *target, pointer p, patch_kind kind, cw_value value,
                           cw_error *err) {
  cwi_buf name;
  cw_value key = cwi_value_none();
  cw_status status = CW_OK;
  cwi_buf_init(&name, 0);
  if (!next_name(&p, &name)) {
    cw_value old = *target;
    *target = kind == PATCH_REMOVE ? cwi_value_none() : cwi_value_retain(value);
    cwi_value_drop(old);
    goto out;
  }
  bool last = p.at >= p.end;
  if (target->kind == CW_VALUE_ARRAY) {
    int64_t index;
    if (last && kind == PATCH_ADD) {
      status = add_to_array(target, &name, value, err);
    } else if (!last && cwi_db_parse_int(name.data, name.size, &index) && index >= 0 &&
               (uint64_t)index < cw_value_len(*target)) {
      CWI_TRY(cwi_value_make_unique(target, err));
      status = change_at(&cwi_value_array_ptr(*target)->items[index], p, kind, value, err);
    }
    goto out;
  }
  if (target->kind != CW_VALUE_OBJECT) {
    if (kind == PATCH_REMOVE || target->kind != CW_VALUE_NONE) goto out;
    CWI_TRY(cw_value_object(target, err));
  }
  if (last && kind == PATCH_REMOVE) {
    status = cw_value_object_remove(target, name.size > 0 ? name.data : "", name.size, err);
    goto out;
  }
  CWI_TRY(cw_value_string(name.data, name.size, &key, err));
  cw_value *slot = NULL;
  CWI_TRY(cwi_value_object_slot(target, key, kind != PATCH_REMOVE, &slot, err));
  if (slot == NULL) goto out;
  if (last && kind == PATCH_ADD && slot->kind == CW_VALUE_ARRAY) {
    status = cw_value_array_push(slot, cwi_value_retain(value), err);
    goto out;
  }
  status = change_at(slot, p, kind, value, err);

out:
  cwi_value_drop(key);
  cwi_buf_deinit(&name);
  return status;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Applies the hunks of a "change" to a text. */
static cw_status change_text(cw_value text, cw_value hunks, cw_value *out, cw_error *err) {
  cw_bytes source = cw_value_as_bytes(text);
  cw_bytes patch = cw_value_as_bytes(hunks);
  const char *s = source.data;
  const char *line = patch.data;
  const char *end = line + patch.size;
  size_t at = 0;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  while (line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (stop == NULL) stop = end;
    if (*line == '@') {
      const char *minus = memchr(line, '-', (size_t)(stop - line));
      size_t start = minus == NULL ? 1 : (size_t)strtoul(minus + 1, NULL, 10);
      size_t to = cwi_utf8_offset(s, source.size, start > 0 ? start - 1 : 0);
      if (to > at) (void)cwi_buf_append(&buf, s + at, to - at);
      if (to > at) at = to;
    } else {
      for (const char *c = line + 1; c < stop; c++) {
        bool escaped = *c == '%' && stop - c > 2 && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0;
        char byte = escaped ? (char)(hex_digit(c[1]) * 16 + hex_digit(c[2])) : *c;
        if (escaped) c += 2;
        if (*line != '-') (void)cwi_buf_append_char(&buf, byte);
        if (*line != '+' && at < source.size) at++;
      }
    }
    line = stop + 1;
  }
  if (at < source.size) (void)cwi_buf_append(&buf, s + at, source.size - at);
  cw_status status = CW_OK;
  if (buf.failed) {
    status = CWI_RAISE_NOMEM(err, "a change");
  } else if (!cwi_utf8_is_valid(buf.data, buf.size)) {
    status = CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "the change does not fit the text");
  } else {
    status = cw_value_string(buf.data, buf.size, out, err);
  }
  cwi_buf_deinit(&buf);
  return status;
}

static cw_status apply(cw_value *target, cw_value operation, cw_error *err) {
  cw_value op = cw_value_object_get(operation, "op", 2);
  cw_value path = cw_value_object_get(operation, "path", 4);
  cw_value from = cw_value_object_get(operation, "from", 4);
  cw_value value = cw_value_object_get(operation, "value", 5);
  if (op.kind != CW_VALUE_STRING)
    return CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "Key 'op' missing");
  if (path.kind != CW_VALUE_STRING)
    return CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "Key 'path' missing");
  const char *name = cwi_value_string_ptr(op)->text;
  cw_bytes place = cw_value_as_bytes(path);
  const char *text = place.data;
  pointer p = {text, text + place.size};
  if (strcmp(name, "add") == 0) return change_at(target, p, PATCH_ADD, value, err);
  if (strcmp(name, "remove") == 0) return change_at(target, p, PATCH_REMOVE, value, err);
  if (strcmp(name, "replace") == 0) return change_at(target, p, PATCH_REPLACE, value, err);
  cw_value present = lookup(*target, text, place.size);
  if (strcmp(name, "change") == 0) {
    cw_value changed;
    if (present.kind != CW_VALUE_STRING || value.kind != CW_VALUE_STRING) return CW_OK;
    cw_status status = change_text(present, value, &changed, err);
    if (status != CW_OK) return status;
    status = change_at(target, p, PATCH_REPLACE, changed, err);
    cwi_value_drop(changed);
    return status;
  }
  if (strcmp(name, "test") == 0) {
    if (cwi_db_compare(present, value) == 0) return CW_OK;
    return CWI_RAISE(
        err, CW_E_QUERY, 0,
        "Given test operation failed for JSON Patch. Expected the value at '%s' to match", text);
  }
  bool move = strcmp(name, "move") == 0;
  if (!move && strcmp(name, "copy") != 0) {
    return CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "Invalid operation '%s'", name);
  }
  if (from.kind != CW_VALUE_STRING)
    return CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "Key 'from' missing");
  cw_bytes source = cw_value_as_bytes(from);
  const char *source_text = source.data;
  cw_value moved = cwi_value_retain(lookup(*target, source_text, source.size));
  cw_status status = CW_OK;
  if (move) {
    pointer q = {source_text, source_text + source.size};
    status = change_at(target, q, PATCH_REMOVE, value, err);
  }
  if (status == CW_OK) status = change_at(target, p, PATCH_ADD, moved, err);
  cwi_value_drop(moved);
  return status;
}

cw_status cwi_db_patch(cw_value value, cw_value operations, cw_value *out, cw_error *err) {
  cw_value result = cwi_value_retain(value);
  cw_status status = CW_OK;
  bool good = operations.kind == CW_VALUE_ARRAY;
  *out = cwi_value_none();
  for (size_t i = 0; good && i < cw_value_len(operations); i++) {
    good = cw_value_array_get(operations, i).kind == CW_VALUE_OBJECT;
  }
  if (!good) {
    status =
        CWI_RAISE(err, CW_E_QUERY, 0, STRUCTURE "Patch operations should be an array of objects");
  }
  for (size_t i = 0; status == CW_OK && i < cw_value_len(operations); i++) {
    status = apply(&result, cw_value_array_get(operations, i), err);
  }
  if (status != CW_OK) {
    cwi_value_drop(result);
    return status;
  }
  *out = result;
  return CW_OK;
}
