/* SPDX-License-Identifier: MIT */
/* One program of the `rhai` vectors: an engine with its options, a run, what happened written down
 * as a value in the shape of the vectors. */
#include "conformance/rhai_run.h"

#include <math.h>

#include "core/alloc.h"
#include "core/error.h"
#include "script/script_engine.h"
#include "script/script_text.h"

typedef struct recorder {
  cw_value row;
  cw_value print; /* lines */
  cw_value debug; /* objects */
  cw_error *err;
  cw_status status;
} recorder;

/* Puts `text` at `key`. */
static cw_status put_text(cw_value *object, const char *key, const char *text, size_t size,
                          cw_error *err) {
  cw_value v;
  cw_status status = cw_value_string(text, size, &v, err);
  return status != CW_OK ? status : cw_value_object_set(object, key, strlen(key), v, err);
}

static cw_status put(cw_value *object, const char *key, cw_value v, cw_error *err) {
  return cw_value_object_set(object, key, strlen(key), v, err);
}

static cw_status put_buf(cw_value *object, const char *key, cwi_buf *text, cw_error *err) {
  cw_status status = text->failed ? CWI_RAISE_NOMEM(err, "a text")
                                  : put_text(object, key, text->data, text->size, err);
  cwi_buf_deinit(text);
  return status;
}

static cw_status put_pos(cw_value *object, cwi_script_pos pos, cw_error *err) {
  uint32_t line = cwi_script_pos_line(pos);
  if (line == 0) return CW_OK;
  cw_status status = put(object, "line", cw_value_int(line), err);
  if (status != CW_OK) return status;
  return put(object, "pos", cw_value_int(cwi_script_pos_column(pos)), err);
}

/* ---- options ---- */

static void read_number(cw_value options, const char *name, size_t *out) {
  cw_value v = conformance_get(options, name);
  if (v.kind == CW_VALUE_INT) *out = (size_t)cw_value_as_int(v);
}

static void read_number32(cw_value options, const char *name, uint32_t *out) {
  cw_value v = conformance_get(options, name);
  if (v.kind == CW_VALUE_INT) *out = (uint32_t)cw_value_as_int(v);
}

static bool is_off(cw_value options, const char *name) {
  cw_value v = conformance_get(options, name);
  return v.kind == CW_VALUE_BOOL && !cw_value_as_bool(v);
}

static bool is_on(cw_value options, const char *name) {
  return cw_value_as_bool(conformance_get(options, name));
}

static void set_options(cwi_script_engine *engine, cw_value options) {
  cwi_script_limits *limits = &engine->limits;
  cw_value operations = conformance_get(options, "max_operations");
  if (operations.kind == CW_VALUE_INT) {
    limits->operations_max = (uint64_t)cw_value_as_int(operations);
  }
  read_number32(options, "max_call_levels", &limits->call_levels_max);
  read_number(options, "max_string_size", &limits->string_size_max);
  read_number(options, "max_array_size", &limits->array_len_max);
  read_number(options, "max_map_size", &limits->map_len_max);
  read_number(options, "max_variables", &limits->variables_max);
  read_number(options, "max_functions", &limits->functions_max);
  read_number(options, "max_modules", &limits->modules_max);
  cw_value depths = conformance_get(options, "max_expr_depths");
  if (depths.kind == CW_VALUE_ARRAY) {
    limits->expr_depth_max = (uint32_t)cw_value_as_int(cw_value_array_get(depths, 0));
    limits->fn_expr_depth_max = (uint32_t)cw_value_as_int(cw_value_array_get(depths, 1));
  }
  cwi_script_parse_options *parse = &engine->parse;
  parse->strict_variables = is_on(options, "strict_variables");
  parse->no_shadowing = is_off(options, "allow_shadowing");
  parse->no_looping = is_off(options, "allow_looping");
  parse->no_if_expr = is_off(options, "allow_if_expression");
  parse->no_switch_expr = is_off(options, "allow_switch_expression");
  parse->no_loop_expr = is_off(options, "allow_loop_expressions");
  parse->no_anonymous_fn = is_off(options, "allow_anonymous_fn");
  parse->disabled = conformance_text(options, "disable_symbol");
  engine->fail_on_invalid_property = is_on(options, "fail_on_invalid_map_property");
}

/* ---- hooks ---- */

static void on_print(bool debug, const char *text, size_t size, const char *source,
                     cwi_script_pos pos, void *context) {
  recorder *r = context;
  cw_value line = cwi_value_none();
  cw_error *err = r->err;
  (void)source;
  if (!debug) {
    r->status = cw_value_string(text, size, &line, err);
    if (r->status == CW_OK) r->status = cw_value_array_push(&r->print, line, err);
    return;
  }
  r->status = cw_value_object(&line, err);
  if (r->status == CW_OK) r->status = put_text(&line, "text", text, size, err);
  if (r->status == CW_OK) r->status = put_pos(&line, pos, err);
  if (r->status == CW_OK) r->status = cw_value_array_push(&r->debug, line, err);
}

static cw_status on_resolve(const char *path, char **text, size_t *size, void *context) {
  const recorder *r = context;
  cw_value module = conformance_get(conformance_get(r->row, "modules"), path);
  if (module.kind != CW_VALUE_STRING) return CW_E_NOT_FOUND;
  cw_bytes bytes = cw_value_as_bytes(module);
  *size = bytes.size;
  *text = cwi_strndup(bytes.data, bytes.size);
  return *text == NULL ? CW_E_NOMEM : CW_OK;
}

/* ---- values in the shape of JSON ---- */

static cw_status shape(cw_value v, cw_value *out, cw_error *err);

static cw_status shape_items(cw_value v, cw_value *out, cw_error *err) {
  cw_status status = cw_value_array(0, out, err);
  for (size_t i = 0; i < cw_value_len(v) && status == CW_OK; i++) {
    cw_value item;
    status = shape(cw_value_array_get(v, i), &item, err);
    if (status == CW_OK) status = cw_value_array_push(out, item, err);
  }
  return status;
}

static cw_status shape_entries(cw_value v, cw_value *out, cw_error *err) {
  cw_bytes key;
  cw_value item;
  cw_status status = cw_value_object(out, err);
  for (size_t i = 0; status == CW_OK && cw_value_object_at(v, i, &key, &item); i++) {
    cw_value shaped;
    status = shape(item, &shaped, err);
    if (status == CW_OK) status = cw_value_object_set(out, key.data, key.size, shaped, err);
  }
  return status;
}

static cw_status shape_bytes(cw_value v, cw_value *out, cw_error *err) {
  cw_bytes bytes = cw_value_as_bytes(v);
  cw_status status = cw_value_array(0, out, err);
  for (size_t i = 0; i < bytes.size && status == CW_OK; i++) {
    status = cw_value_array_push(out, cw_value_int(((const uint8_t *)bytes.data)[i]), err);
  }
  return status;
}

static cw_status shape_float(double f, cw_value *out, cw_error *err) {
  if (isnan(f)) return cw_value_string("NaN", 3, out, err);
  if (isinf(f)) return cw_value_string(f < 0 ? "-inf" : "inf", f < 0 ? 4 : 3, out, err);
  *out = cw_value_float(f);
  return CW_OK;
}

static cw_status shape_fn(cw_value v, cw_value *out, cw_error *err) {
  const cwi_script_fn *fn = cwi_script_fn_ptr(v);
  cw_value curry;
  cw_status status = cw_value_object(out, err);
  cw_bytes name = cw_value_as_bytes(fn->name);
  if (status == CW_OK) status = put_text(out, "fn", name.data, name.size, err);
  if (status == CW_OK) status = shape_items(fn->curry, &curry, err);
  return status != CW_OK ? status : put(out, "curry", curry, err);
}

static cw_status shape_box(cw_value v, cw_value *out, cw_error *err) {
  cwi_script_type type = cwi_script_type_of(v);
  if (cwi_script_is_cell(v)) {
    return shape(((const cwi_script_cell *)(const void *)cwi_value_box_ptr(v))->value, out, err);
  }
  if (type == CWI_SCRIPT_FN) return shape_fn(v, out, err);
  if (type != CWI_SCRIPT_RANGE && type != CWI_SCRIPT_RANGE_INCLUSIVE) {
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cwi_script_repr(&text, v);
    cw_status status = cwi_value_string_from_buf(&text, out, err);
    cwi_buf_deinit(&text);
    return status;
  }
  cw_status status = cw_value_array(2, out, err);
  const cwi_script_range *range = cwi_script_range_ptr(v);
  if (status == CW_OK) status = cw_value_array_push(out, cw_value_int(range->start), err);
  if (status == CW_OK) status = cw_value_array_push(out, cw_value_int(range->end), err);
  return status;
}

static cw_status shape(cw_value v, cw_value *out, cw_error *err) {
  *out = cw_value_null();
  switch (v.kind) {
    case CW_VALUE_ARRAY: return shape_items(v, out, err);
    case CW_VALUE_OBJECT: return shape_entries(v, out, err);
    case CW_VALUE_BYTES: return shape_bytes(v, out, err);
    case CW_VALUE_FLOAT: return shape_float(cw_value_as_float(v), out, err);
    case CW_VALUE_BOX: return shape_box(v, out, err);
    case CW_VALUE_CHAR: {
      cwi_buf text;
      cwi_buf_init(&text, 0);
      cwi_buf_append_codepoint(&text, cw_value_as_char(v));
      cw_status status = cwi_value_string_from_buf(&text, out, err);
      cwi_buf_deinit(&text);
      return status;
    }
    case CW_VALUE_STRING: { /* constants do not outlive their program: copied */
      cw_bytes text = cw_value_as_bytes(v);
      return cw_value_string(text.data, text.size, out, err);
    }
    case CW_VALUE_NONE: return CW_OK;
    default: *out = v; return CW_OK;
  }
}

/* ---- what happened ---- */

static cw_status describe_value(cw_value v, cw_value *out, cw_error *err) {
  const char *type = cwi_script_type_name(v);
  cwi_buf display;
  cwi_buf repr;
  cw_value shaped;
  cwi_buf_init(&display, 0);
  cwi_buf_init(&repr, 0);
  cwi_script_interpolate(&display, v);
  cwi_script_repr(&repr, v);
  cw_status status = put(out, "ok", cw_value_bool(true), err);
  cw_status str = put_buf(out, "str", &display, err);
  cw_status debug = put_buf(out, "repr", &repr, err);
  if (status == CW_OK) status = str != CW_OK ? str : debug;
  if (status == CW_OK) status = put_text(out, "type", type, strlen(type), err);
  if (status == CW_OK) status = shape(v, &shaped, err);
  return status != CW_OK ? status : put(out, "value", shaped, err);
}

static cw_status put_kind(const cwi_script_error *error, cw_value *out, cw_error *err) {
  if (error->kind != CWI_SCRIPT_E_PARSING) {
    const char *name = cwi_script_error_name((cwi_script_error_kind)error->kind);
    return put_text(out, "kind", name, strlen(name), err);
  }
  const char *name = cwi_script_parse_error_name((cwi_script_parse_error_kind)error->parse);
  const char *lex = cwi_script_lex_error_name((cwi_script_lex_error)error->lex);
  cw_status status = put_text(out, "kind", name, strlen(name), err);
  if (status == CW_OK) status = put_text(out, "phase", "parse", 5, err);
  if (status != CW_OK || error->parse != CWI_PARSE_BAD_INPUT) return status;
  return put_text(out, "lex", lex, strlen(lex), err);
}

static cw_status put_name(cw_value *out, const char *key, cw_value name, cw_error *err) {
  cw_bytes text = cw_value_as_bytes(name);
  return text.size == 0 ? CW_OK : put_text(out, key, text.data, text.size, err);
}

static cw_status describe_runtime(const cwi_script_error *error, cw_value *out, cw_error *err) {
  const char *type = cwi_script_type_name(error->value);
  cw_value shaped;
  cw_status status = shape(error->value, &shaped, err);
  if (status == CW_OK) status = put(out, "value", shaped, err);
  return status != CW_OK ? status : put_text(out, "value_type", type, strlen(type), err);
}

static cw_status describe_error(const cwi_script_error *error, cw_value *out, cw_error *err) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_script_error_text(error, true, &text);
  cw_status status = put_buf(out, "message", &text, err);
  if (status == CW_OK) status = put_kind(error, out, err);
  if (status == CW_OK) status = put_pos(out, error->pos, err);
  if (status == CW_OK && error->kind == CWI_SCRIPT_E_RUNTIME) {
    status = describe_runtime(error, out, err);
  }
  if (status == CW_OK && error->kind == CWI_SCRIPT_E_IN_FUNCTION_CALL) {
    status = put_name(out, "fn", error->text, err);
    if (status == CW_OK) status = put_name(out, "source", error->more, err);
  }
  if (status == CW_OK && error->kind == CWI_SCRIPT_E_IN_MODULE) {
    status = put_name(out, "module", error->text, err);
  }
  if (status != CW_OK || error->inner == NULL) return status;
  cw_value inner;
  status = cw_value_object(&inner, err);
  if (status == CW_OK) status = describe_error(error->inner, &inner, err);
  return status != CW_OK ? status : put(out, "inner", inner, err);
}

static cw_status describe_parse_error(const cwi_script_parse_error *error, cw_value *out,
                                      cw_error *err) {
  cwi_script_error wrapped = {.kind = CWI_SCRIPT_E_PARSING,
                              .parse = (uint8_t)error->kind,
                              .lex = (uint8_t)error->lex,
                              .pos = error->pos};
  cw_status status = cwi_value_string_from_buf(&error->message, &wrapped.text, err);
  if (status == CW_OK) status = put(out, "ok", cw_value_bool(false), err);
  if (status == CW_OK) status = describe_error(&wrapped, out, err);
  cw_value_release(&wrapped.text);
  return status;
}

/* Puts the option `scope` into variables that are there before the script runs. */
static cw_status fill_scope(cw_value options, cwi_script_scope *scope, cw_error *err) {
  cw_value vars = conformance_get(options, "scope");
  cw_bytes key;
  cw_value item;
  for (size_t i = 0; cw_value_object_at(vars, i, &key, &item); i++) {
    cw_value name;
    cw_status status = cw_value_string(key.data, key.size, &name, err);
    if (status != CW_OK) return status;
    bool defined = cwi_scope_define(scope, name, cw_value_retain(item), false);
    cw_value_release(&name);
    if (!defined) return CWI_RAISE_NOMEM(err, "a scope");
  }
  return CW_OK;
}

static bool scope_has(const char *name, size_t size, void *context) {
  cw_value vars = conformance_get(*(const cw_value *)context, "scope");
  return cw_value_object_get(vars, name, size).kind != CW_VALUE_NONE;
}

static cw_status run_program(cwi_script_engine *engine, cwi_script_program *program,
                             cwi_script_scope *scope, cw_value *out, cw_error *err) {
  cwi_script_run *run = NULL;
  cw_status status = cwi_script_run_new(engine, program, &run, err);
  if (status != CW_OK) return status;
  run->scope = scope;
  cwi_script_state state = CWI_SCRIPT_FAILED;
  if (cwi_script_run_start(run, program->main, NULL, 0)) state = cwi_script_run_go(run);
  if (state == CWI_SCRIPT_DONE) {
    status = describe_value(run->result, out, err);
  } else {
    status = put(out, "ok", cw_value_bool(false), err);
    if (status == CW_OK) status = describe_error(&run->error, out, err);
  }
  cwi_script_run_free(run);
  return status;
}

static cw_status compile_and_run(cwi_script_engine *engine, cw_value row, cw_value *out,
                                 cw_error *err) {
  cw_bytes text = cw_value_as_bytes(conformance_get(row, "script"));
  const char *mode = conformance_text(row, "mode");
  cwi_script_parse_options options = cwi_engine_parse_options(engine);
  cwi_script_parse_error parse_error;
  cwi_script_program *program = NULL;
  cwi_script_scope scope = {0};
  cw_value row_options = conformance_get(row, "options");
  options.has_variable = scope_has;
  options.context = &row_options;
  options.expression_only = mode != NULL && strcmp(mode, "expression") == 0;
  cw_status status =
      cwi_engine_compile(engine, text.data, text.size, "", &options, &parse_error, &program, err);
  if (status == CW_OK) {
    status = fill_scope(row_options, &scope, err);
    if (status == CW_OK) status = run_program(engine, program, &scope, out, err);
  } else if (parse_error.kind != CWI_PARSE_NONE && parse_error.kind != CWI_PARSE_NOMEM) {
    status = describe_parse_error(&parse_error, out, err);
  }
  cwi_scope_clear(&scope);
  cwi_script_program_release(program);
  cwi_buf_deinit(&parse_error.message);
  return status;
}

cw_status rhai_run(cw_value row, cw_value *out, cw_error *err) {
  recorder r = {.row = row, .err = err};
  cwi_script_engine *engine = NULL;
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) status = cw_value_array(0, &r.print, err);
  if (status == CW_OK) status = cw_value_array(0, &r.debug, err);
  if (status == CW_OK) status = cwi_engine_new(&engine, err);
  if (status == CW_OK) {
    set_options(engine, conformance_get(row, "options"));
    engine->print = on_print;
    engine->print_context = &r;
    engine->resolve = on_resolve;
    engine->resolve_context = &r;
    status = compile_and_run(engine, row, out, err);
  }
  if (status == CW_OK) status = r.status;
  if (status == CW_OK) status = put(out, "print", cwi_script_take(&r.print), err);
  if (status == CW_OK) status = put(out, "debug", cwi_script_take(&r.debug), err);
  cw_value_release(&r.print);
  cw_value_release(&r.debug);
  cwi_engine_release(engine);
  return status;
}
