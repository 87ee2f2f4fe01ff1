/* SPDX-License-Identifier: MIT */
/* Errors of the language: raising, wrapping, their text, and the value that catch binds. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_run.h"

static const char *const names[] = {"",
#define ERROR_NAME(KIND, name) name,
                                    CWI_SCRIPT_ERROR_TABLE(ERROR_NAME)
#undef ERROR_NAME
                                        "OutOfMemory"};

const char *cwi_script_error_name(cwi_script_error_kind kind) { return names[kind]; }

void cwi_script_error_deinit(cwi_script_error *error) {
  cwi_script_error *inner = error->inner;
  cwi_value_drop(error->text);
  cwi_value_drop(error->more);
  cwi_value_drop(error->value);
  *error = (cwi_script_error){0};
  while (inner != NULL) {
    cwi_script_error *next = inner->inner;
    inner->inner = NULL;
    cwi_value_drop(inner->text);
    cwi_value_drop(inner->more);
    cwi_value_drop(inner->value);
    CWI_FREE(inner);
    inner = next;
  }
}

bool cwi_script_error_is_system(const cwi_script_error *error) {
  switch (error->kind) {
    case CWI_SCRIPT_E_SYSTEM:
    case CWI_SCRIPT_E_PARSING:
    case CWI_SCRIPT_E_CUSTOM_SYNTAX:
    case CWI_SCRIPT_E_TOO_MANY_OPERATIONS:
    case CWI_SCRIPT_E_TOO_MANY_VARIABLES:
    case CWI_SCRIPT_E_TOO_MANY_MODULES:
    case CWI_SCRIPT_E_STACK_OVERFLOW:
    case CWI_SCRIPT_E_DATA_TOO_LARGE:
    case CWI_SCRIPT_E_TERMINATED:
    case CWI_SCRIPT_E_NOMEM: return true;
    default: return false;
  }
}

bool cwi_script_error_is_catchable(const cwi_script_error *error) {
  return error->kind == CWI_SCRIPT_E_SYSTEM || !cwi_script_error_is_system(error);
}

/* ---- raising ---- */

static cwi_script_error *begin(cwi_script_run *run, cwi_script_error_kind kind) {
  cwi_script_error_deinit(&run->error);
  run->error.kind = (uint8_t)kind;
  return &run->error;
}

static cwi_script_result finish(cwi_script_run *run, cw_status status) {
  if (status != CW_OK) return cwi_script_raise_nomem(run);
  return CWI_SCRIPT_ERROR;
}

static cw_status set_text(cw_value *slot, const char *text) {
  return cwi_value_string_trusted(text, strlen(text), slot, NULL);
}

static cwi_script_result raise_va(cwi_script_run *run, cwi_script_error_kind kind,
                                  const char *format, va_list args) {
  char text[512];
  va_list again;
  va_copy(again, args);
  int size = vsnprintf(text, sizeof(text), format, args);
  cwi_script_error *error = begin(run, kind);
  cw_status status = CW_OK;
  if (size >= (int)sizeof(text)) {
    char *room = NULL;
    status = cwi_value_string_room((size_t)size, &error->text, &room, NULL);
    if (status == CW_OK) vsnprintf(room, (size_t)size + 1, format, again);
  } else {
    status = set_text(&error->text, text);
  }
  va_end(again);
  return finish(run, status);
}

cwi_script_result cwi_script_raise(cwi_script_run *run, cwi_script_error_kind kind,
                                   const char *format, ...) {
  va_list args;
  va_start(args, format);
  cwi_script_result result = raise_va(run, kind, format, args);
  va_end(args);
  return result;
}

bool cwi_vm_raise_at(run_t *run, cwi_script_pos pos, cwi_script_error_kind kind, const char *format,
                     ...) {
  va_list args;
  va_start(args, format);
  raise_va(run, kind, format, args);
  va_end(args);
  run->error.pos = pos;
  return false;
}

bool cwi_vm_fill(run_t *run, cwi_script_pos pos) {
  if (run->error.pos == 0 && !run->error.no_pos) run->error.pos = pos;
  return false;
}

cwi_script_result cwi_script_raise_value(cwi_script_run *run, cw_value value) {
  begin(run, CWI_SCRIPT_E_RUNTIME)->value = value;
  return CWI_SCRIPT_ERROR;
}

cwi_script_result cwi_script_raise_bounds(cwi_script_run *run, cwi_script_error_kind kind,
                                          int64_t index, size_t len) {
  cwi_script_error *error = begin(run, kind);
  error->n[0] = index;
  error->n[1] = (int64_t)len;
  return CWI_SCRIPT_ERROR;
}

cwi_script_result cwi_script_raise_type(cwi_script_run *run, cwi_script_error_kind kind,
                                        const char *actual, const char *expected) {
  cwi_script_error *error = begin(run, kind);
  cw_status status = set_text(&error->text, actual);
  if (status == CW_OK) status = set_text(&error->more, expected);
  return finish(run, status);
}

cwi_script_result cwi_script_raise_no_function(cwi_script_run *run, const char *name,
                                               const cw_value *args, size_t argc) {
  cwi_buf text = {0};
  cwi_buf_append_str(&text, name);
  cwi_buf_append_str(&text, " (");
  for (size_t i = 0; i < argc; i++) {
    if (i > 0) cwi_buf_append_str(&text, ", ");
    bool string = args[i].kind == CW_VALUE_STRING;
    cwi_buf_append_str(&text,
                       string ? "&str | ImmutableString | String" : cwi_script_type_name(args[i]));
  }
  cwi_buf_append_str(&text, ")");
  cwi_script_error *error = begin(run, CWI_SCRIPT_E_FUNCTION_NOT_FOUND);
  cw_status status =
      text.failed ? CW_E_NOMEM : cwi_value_string_from_buf(&text, &error->text, NULL);
  cwi_buf_deinit(&text);
  return finish(run, status);
}

cwi_script_result cwi_script_raise_nomem(cwi_script_run *run) {
  begin(run, CWI_SCRIPT_E_NOMEM);
  return CWI_SCRIPT_ERROR;
}

cwi_script_result cwi_script_raise_in_call(cwi_script_run *run, const char *name) {
  cwi_script_error *inner = CWI_NEW(cwi_script_error);
  if (inner == NULL) return cwi_script_raise_nomem(run);
  *inner = run->error;
  run->error = (cwi_script_error){.kind = CWI_SCRIPT_E_IN_FUNCTION_CALL, .inner = inner};
  cw_status status = set_text(&run->error.text, name);
  if (status == CW_OK) status = set_text(&run->error.more, "");
  return finish(run, status);
}

cwi_script_result cwi_script_check(cwi_script_native *call, cw_status status) {
  if (status == CW_OK) return CWI_SCRIPT_OK;
  if (status == CW_E_NOMEM) return cwi_script_raise_nomem(call->run);
  return cwi_script_raise(call->run, CWI_SCRIPT_E_SYSTEM, "%s", cw_status_text(status));
}

/* ---- text ---- */

static void bounds_text(const cwi_script_error *e, cwi_buf *out) {
  const char *what = e->kind == CWI_SCRIPT_E_ARRAY_BOUNDS    ? "Array"
                     : e->kind == CWI_SCRIPT_E_STRING_BOUNDS ? "String"
                                                             : "Bit-field";
  const char *unit = e->kind == CWI_SCRIPT_E_ARRAY_BOUNDS    ? "element"
                     : e->kind == CWI_SCRIPT_E_STRING_BOUNDS ? "character"
                                                             : "bit";
  const char *where = e->kind == CWI_SCRIPT_E_ARRAY_BOUNDS    ? "array"
                      : e->kind == CWI_SCRIPT_E_STRING_BOUNDS ? "string"
                                                              : "bit-field";
  cwi_buf_append_format(out, "%s index %lld out of bounds: ", what, (long long)e->n[0]);
  if (e->n[1] == 0) {
    cwi_buf_append_format(out, "%s is empty", where);
  } else {
    cwi_buf_append_format(out, "only %lld %s%s in %s", (long long)e->n[1], unit,
                          e->n[1] == 1 ? "" : "s", where);
  }
}

static void call_text(const cwi_script_error *e, cwi_buf *out) {
  const char *name = cwi_vm_text(e->text);
  if (strncmp(name, "anon$", 5) == 0) {
    cwi_buf_append_str(out, "\nin closure call");
  } else {
    cwi_buf_append_format(out, "\nin call to function '%s'", name);
  }
  if (cwi_vm_text(e->more)[0] != '\0') {
    cwi_buf_append_format(out, " (from '%s')", cwi_vm_text(e->more));
  }
}

static void own_text(const cwi_script_error *e, cwi_buf *out) {
  const char *text = cwi_vm_text(e->text);
  const char *more = cwi_vm_text(e->more);
  switch (e->kind) {
    case CWI_SCRIPT_E_PARSING: cwi_buf_append_format(out, "Syntax error: %s", text); break;
    case CWI_SCRIPT_E_VARIABLE_EXISTS:
      cwi_buf_append_format(out, "Variable already defined: %s", text);
      break;
    case CWI_SCRIPT_E_VARIABLE_NOT_FOUND:
      cwi_buf_append_format(out, "Variable not found: %s", text);
      break;
    case CWI_SCRIPT_E_PROPERTY_NOT_FOUND:
      cwi_buf_append_format(out, "Property not found: %s", text);
      break;
    case CWI_SCRIPT_E_INDEX_NOT_FOUND: cwi_buf_append_format(out, "Invalid index: %s", text); break;
    case CWI_SCRIPT_E_FUNCTION_NOT_FOUND:
      cwi_buf_append_format(out, "Function not found: %s", text);
      break;
    case CWI_SCRIPT_E_MODULE_NOT_FOUND:
      cwi_buf_append_format(out, "Module not found: %s", text);
      break;
    case CWI_SCRIPT_E_IN_FUNCTION_CALL: call_text(e, out); break;
    case CWI_SCRIPT_E_IN_MODULE: cwi_buf_append_format(out, "\nin module '%s'", text); break;
    case CWI_SCRIPT_E_UNBOUND_THIS: cwi_buf_append_str(out, "'this' not bound"); break;
    case CWI_SCRIPT_E_MISMATCH_DATA_TYPE:
    case CWI_SCRIPT_E_MISMATCH_OUTPUT_TYPE:
      cwi_buf_append_format(out, "%s type incorrect: %s (expecting %s)",
                            e->kind == CWI_SCRIPT_E_MISMATCH_DATA_TYPE ? "Data" : "Output", text,
                            more);
      break;
    case CWI_SCRIPT_E_INDEXING_TYPE:
      cwi_buf_append_format(out, "Indexer unavailable: %s", text);
      break;
    case CWI_SCRIPT_E_ARRAY_BOUNDS:
    case CWI_SCRIPT_E_STRING_BOUNDS:
    case CWI_SCRIPT_E_BIT_FIELD_BOUNDS: bounds_text(e, out); break;
    case CWI_SCRIPT_E_FOR: cwi_buf_append_str(out, "For loop expects iterable type"); break;
    case CWI_SCRIPT_E_DATA_RACE:
      cwi_buf_append_str(out, "Data race detected");
      if (text[0] != '\0') cwi_buf_append_format(out, " on variable '%s'", text);
      break;
    case CWI_SCRIPT_E_NON_PURE_METHOD:
      cwi_buf_append_format(out, "Non-pure method '%s' cannot be called on constant", text);
      break;
    case CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT:
      cwi_buf_append_format(out, "Cannot modify constant %s", text);
      break;
    case CWI_SCRIPT_E_TOO_MANY_OPERATIONS: cwi_buf_append_str(out, "Too many operations"); break;
    case CWI_SCRIPT_E_TOO_MANY_VARIABLES:
      cwi_buf_append_str(out, "Too many variables defined");
      break;
    case CWI_SCRIPT_E_TOO_MANY_MODULES: cwi_buf_append_str(out, "Too many modules imported"); break;
    case CWI_SCRIPT_E_STACK_OVERFLOW: cwi_buf_append_str(out, "Stack overflow"); break;
    case CWI_SCRIPT_E_DATA_TOO_LARGE: cwi_buf_append_format(out, "%s too large", text); break;
    case CWI_SCRIPT_E_TERMINATED: cwi_buf_append_str(out, "Script terminated"); break;
    case CWI_SCRIPT_E_RUNTIME:
      cwi_buf_append_str(out, "Runtime error");
      if (e->value.kind != CW_VALUE_NULL && e->value.kind != CW_VALUE_NONE) {
        cwi_buf_append_str(out, ": ");
        cwi_script_display(out, e->value);
      }
      break;
    case CWI_SCRIPT_E_NOMEM: cwi_buf_append_str(out, "out of memory"); break;
    default: cwi_buf_append_str(out, text); break;
  }
}

static void place_text(const cwi_script_error *e, cwi_buf *out) {
  if (e->pos == 0) return;
  cwi_buf_append_format(out, " (line %u, position %u)", cwi_script_pos_line(e->pos),
                        cwi_script_pos_column(e->pos));
}

bool cwi_script_error_text(const cwi_script_error *error, bool place, cwi_buf *out) {
  const cwi_script_error *chain[1024];
  size_t len = 0;
  for (const cwi_script_error *e = error; e != NULL && len < CWI_ARRAY_LEN(chain); e = e->inner) {
    chain[len++] = e;
  }
  for (size_t i = len; i > 0; i--) {
    own_text(chain[i - 1], out);
    /* The place of the outermost part is the caller's to ask for. */
    const cwi_script_error *e = chain[i - 1];
    const cwi_script_error *call = i > 1 ? chain[i - 2] : NULL;
    if (call != NULL && call->kind == CWI_SCRIPT_E_IN_FUNCTION_CALL &&
        cwi_vm_text(call->more)[0] != '\0') {
      cwi_buf_append_format(out, " @ '%s'", cwi_vm_text(call->more));
    }
    if (i > 1 || place) place_text(e, out);
  }
  return !out->failed;
}

/* ---- the value of catch ---- */

static cw_status put_text(cw_value *map, const char *key, const char *text) {
  cw_value value = cwi_value_none();
  cw_status status = set_text(&value, text);
  if (status != CW_OK) return status;
  return cw_value_object_set(map, key, strlen(key), value, NULL);
}

static cw_status put_int(cw_value *map, const char *key, int64_t number) {
  return cw_value_object_set(map, key, strlen(key), cwi_value_int(number), NULL);
}

/* What each kind tells besides its message. */
static cw_status put_details(const cwi_script_error *e, cw_value *map) {
  const char *text = cwi_vm_text(e->text);
  cw_status status = CW_OK;
  switch (e->kind) {
    case CWI_SCRIPT_E_VARIABLE_EXISTS:
    case CWI_SCRIPT_E_FORBIDDEN_VARIABLE:
    case CWI_SCRIPT_E_VARIABLE_NOT_FOUND:
    case CWI_SCRIPT_E_DATA_RACE:
    case CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT: return put_text(map, "variable", text);
    case CWI_SCRIPT_E_PROPERTY_NOT_FOUND:
    case CWI_SCRIPT_E_DOT_EXPR: return put_text(map, "property", text);
    case CWI_SCRIPT_E_FUNCTION_NOT_FOUND:
    case CWI_SCRIPT_E_NON_PURE_METHOD: return put_text(map, "function", text);
    case CWI_SCRIPT_E_IN_FUNCTION_CALL:
      status = put_text(map, "function", text);
      return status == CW_OK ? put_text(map, "source", cwi_vm_text(e->more)) : status;
    case CWI_SCRIPT_E_MODULE_NOT_FOUND:
    case CWI_SCRIPT_E_IN_MODULE: return put_text(map, "module", text);
    case CWI_SCRIPT_E_MISMATCH_DATA_TYPE:
    case CWI_SCRIPT_E_MISMATCH_OUTPUT_TYPE:
      status = put_text(map, "actual", text);
      return status == CW_OK ? put_text(map, "requested", cwi_vm_text(e->more)) : status;
    case CWI_SCRIPT_E_ARRAY_BOUNDS:
    case CWI_SCRIPT_E_STRING_BOUNDS:
    case CWI_SCRIPT_E_BIT_FIELD_BOUNDS:
      status = put_int(map, "length", e->n[1]);
      return status == CW_OK ? put_int(map, "index", e->n[0]) : status;
    case CWI_SCRIPT_E_INDEX_NOT_FOUND: return put_text(map, "index", text);
    case CWI_SCRIPT_E_INDEXING_TYPE: return put_text(map, "type", text);
    case CWI_SCRIPT_E_ASYNC: return put_text(map, "code", cw_status_name(e->status));
    default: return CW_OK;
  }
}

cw_status cwi_script_error_value(const cwi_script_error *error, cw_value *out) {
  const cwi_script_error *e = error;
  while (e->kind == CWI_SCRIPT_E_IN_FUNCTION_CALL && e->inner != NULL) e = e->inner;
  if (e->kind == CWI_SCRIPT_E_RUNTIME) {
    *out = cwi_value_retain(e->value);
    return CW_OK;
  }
  cw_status status = cw_value_object(out, NULL);
  cwi_buf message = {0};
  if (status == CW_OK && !cwi_script_error_text(error, false, &message)) status = CW_E_NOMEM;
  if (status == CW_OK) {
    cw_value value = cwi_value_none();
    status = cwi_value_string_from_buf(&message, &value, NULL);
    if (status == CW_OK) status = cw_value_object_set(out, "message", 7, value, NULL);
  }
  if (status == CW_OK) {
    status = put_text(out, "error", cwi_script_error_name((cwi_script_error_kind)error->kind));
  }
  if (status == CW_OK && error->pos != 0) {
    status = put_int(out, "line", cwi_script_pos_line(error->pos));
    if (status == CW_OK) status = put_int(out, "position", cwi_script_pos_column(error->pos));
  }
  if (status == CW_OK) status = put_details(error, out);
  cwi_buf_deinit(&message);
  if (status != CW_OK) cw_value_release(out);
  return status;
}
