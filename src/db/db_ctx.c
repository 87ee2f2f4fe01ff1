/* SPDX-License-Identifier: MIT */
/* What all parts of the executor use: errors with texts of any length, the clock and the cancel
 * flag, variables, and small steps over values. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db/db_exec.h"

cw_status cwi_exec_fail(db_ctx *c, cw_status code, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  va_end(args);
  cwi_buf_clear(&c->text);
  if (size > 0 && cwi_buf_reserve(&c->text, (size_t)size + 1)) {
    vsnprintf(c->text.data, (size_t)size + 1, format, again);
    c->text.size = (size_t)size;
  }
  va_end(again);
  return CWI_RAISE(&c->err, code, 0, "%.*s", (int)c->text.size, c->text.data);
}

cw_status cwi_exec_fail_value(db_ctx *c, const char *before, cw_value value, const char *after) {
  cwi_buf text;
  cwi_buf_init(&text, 1 << 20);
  cwi_db_text(&text, value);
  cw_status status = cwi_exec_fail(c, CW_E_QUERY, "%s%.*s%s", before, (int)text.size,
                                   text.size > 0 ? text.data : "", after);
  cwi_buf_deinit(&text);
  return status;
}

cw_status cwi_exec_nomem(db_ctx *c) { return CWI_RAISE_NOMEM(&c->err, "a query"); }

cw_bytes cwi_exec_error_text(db_ctx *c) {
  size_t size = strlen(c->err.message);
  if (c->text.size >= size && size > 0 && memcmp(c->text.data, c->err.message, size) == 0) {
    return (cw_bytes){.data = c->text.data, .size = c->text.size};
  }
  return (cw_bytes){.data = c->err.message, .size = size};
}

cw_status cwi_exec_tick(db_ctx *c) {
  if (c->interrupt != NULL && atomic_load_explicit(c->interrupt, memory_order_relaxed) != 0) {
    return CWI_RAISE(&c->err, CW_E_CANCELLED, 0, "the query was cancelled");
  }
  if (++c->ticks % 64 != 0) return CW_OK;
  if (c->stop != NULL && c->stop()) {
    return CWI_RAISE(&c->err, CW_E_CANCELLED, 0, "the query was cancelled");
  }
  if (c->deadline_ns != 0) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec > c->deadline_ns) {
      return cwi_exec_fail(c, CW_E_TIMEOUT,
                           "The query was not executed because it exceeded the timeout");
    }
  }
  return CW_OK;
}

/* ---- variables ---- */

cw_status cwi_exec_var_set(db_ctx *c, db_vars *vars, const char *name, size_t size,
                           cw_value value) {
  if (vars->values.kind != CW_VALUE_OBJECT) {
    cw_status status = cw_value_object(&vars->values, &c->err);
    if (status != CW_OK) {
      cw_value_release(&value);
      return status;
    }
  }
  return cw_value_object_set(&vars->values, name, size, value, &c->err);
}

static cw_status stored_param(db_ctx *c, const char *name, size_t size, cw_value *out) {
  cw_status status = cwi_exec_scope_get(c, false);
  if (status != CW_OK || c->scope.db == 0) return status;
  cw_value entry = cwi_value_none();
  status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_PARAM, c->scope, name, size, &entry, &c->err);
  if (status == CW_OK && entry.kind == CW_VALUE_OBJECT) {
    *out = cwi_value_retain(cwi_exec_obj_get(entry, "value"));
  }
  cw_value_release(&entry);
  return status;
}

cw_status cwi_exec_var_get(db_ctx *c, const char *name, size_t size, cw_value *out) {
  *out = cwi_value_none();
  for (db_vars *vars = c->vars; vars != NULL; vars = vars->up) {
    if (vars->values.kind != CW_VALUE_OBJECT) continue;
    const cw_value *found = cwi_value_object_find(vars->values, name, size);
    if (found != NULL) {
      *out = cwi_value_retain(*found);
      return CW_OK;
    }
  }
  if (c->doc != NULL && size == 4 && memcmp(name, "this", 4) == 0) {
    *out = cwi_value_retain(c->doc->value);
    return CW_OK;
  }
  if (size == 6 && memcmp(name, "parent", 6) == 0) {
    if (c->doc != NULL && c->doc->up != NULL) *out = cwi_value_retain(c->doc->up->value);
    return CW_OK;
  }
  const cw_value *found = c->session->vars.values.kind == CW_VALUE_OBJECT
                              ? cwi_value_object_find(c->session->vars.values, name, size)
                              : NULL;
  if (found != NULL) {
    *out = cwi_value_retain(*found);
    return CW_OK;
  }
  return stored_param(c, name, size, out);
}

/* ---- values ---- */

cw_status cwi_exec_string(db_ctx *c, const char *text, size_t size, cw_value *out) {
  return cwi_value_string_trusted(text, size, out, &c->err);
}

bool cwi_exec_str_same(sql_str a, sql_str b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.text, b.text, a.size) == 0);
}

bool cwi_exec_name_is(sql_str a, const char *text) {
  return strlen(text) == a.size && memcmp(a.text, text, a.size) == 0;
}

cw_status cwi_exec_obj_set(db_ctx *c, cw_value *object, const char *key, cw_value item) {
  return cw_value_object_set(object, key, strlen(key), item, &c->err);
}

cw_value cwi_exec_obj_get(cw_value object, const char *key) {
  return cw_value_object_get(object, key, strlen(key));
}

bool cwi_exec_is_record(cw_value v) { return cwi_db_kind_of(v) == CWI_DB_RECORD; }
