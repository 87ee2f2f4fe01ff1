/* SPDX-License-Identifier: MIT */
/* One program of the `rhai` vectors: options in, what happened out. */
#include "conformance/rhai_run.h"

#include "script/script_parser.h"

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

static size_t number_option(cw_value options, const char *name, size_t otherwise) {
  cw_value v = conformance_get(options, name);
  return v.kind == CW_VALUE_INT ? (size_t)cw_value_as_int(v) : otherwise;
}

static bool is_off(cw_value options, const char *name) {
  cw_value v = conformance_get(options, name);
  return v.kind == CW_VALUE_BOOL && !cw_value_as_bool(v);
}

static cwi_script_parse_options parse_options(cw_value row) {
  cw_value options = conformance_get(row, "options");
  cw_value depths = conformance_get(options, "max_expr_depths");
  const char *mode = conformance_text(row, "mode");
  cwi_script_parse_options o = {
      .functions_max = number_option(options, "max_functions", SIZE_MAX),
      .expr_depth_max = 64,
      .fn_expr_depth_max = 32,
      .string_size_max = number_option(options, "max_string_size", 0),
      .array_len_max = number_option(options, "max_array_size", 0),
      .map_len_max = number_option(options, "max_map_size", 0),
      .strict_variables = cw_value_as_bool(conformance_get(options, "strict_variables")),
      .no_shadowing = is_off(options, "allow_shadowing"),
      .no_looping = is_off(options, "allow_looping"),
      .no_if_expr = is_off(options, "allow_if_expression"),
      .no_switch_expr = is_off(options, "allow_switch_expression"),
      .no_loop_expr = is_off(options, "allow_loop_expressions"),
      .no_anonymous_fn = is_off(options, "allow_anonymous_fn"),
      .expression_only = mode != NULL && strcmp(mode, "expression") == 0,
      .disabled = conformance_text(options, "disable_symbol"),
  };
  if (depths.kind == CW_VALUE_ARRAY) {
    o.expr_depth_max = (uint32_t)cw_value_as_int(cw_value_array_get(depths, 0));
    o.fn_expr_depth_max = (uint32_t)cw_value_as_int(cw_value_array_get(depths, 1));
  }
  return o;
}

static cw_status describe_parse_error(const cwi_script_parse_error *error, cw_value *out,
                                      cw_error *err) {
  const char *kind = cwi_script_parse_error_name(error->kind);
  const char *lex = cwi_script_lex_error_name(error->lex);
  uint32_t line = cwi_script_pos_line(error->pos);
  uint32_t column = cwi_script_pos_column(error->pos);
  cw_value none;
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cwi_buf_append_str(&text, "Syntax error: ");
  cwi_buf_append(&text, error->message.data, error->message.size);
  if (line != 0) cwi_buf_append_format(&text, " (line %u, position %u)", line, column);
  cw_status status = text.failed ? CW_E_NOMEM : CW_OK;
  if (status == CW_OK) status = put_text(out, "message", text.data, text.size, err);
  cwi_buf_deinit(&text);
  if (status == CW_OK) status = put(out, "ok", cw_value_bool(false), err);
  if (status == CW_OK) status = put_text(out, "phase", "parse", 5, err);
  if (status == CW_OK) status = put_text(out, "kind", kind, strlen(kind), err);
  if (status == CW_OK && error->kind == CWI_PARSE_BAD_INPUT) {
    status = put_text(out, "lex", lex, strlen(lex), err);
  }
  if (status == CW_OK && line != 0) status = put(out, "line", cw_value_int(line), err);
  if (status == CW_OK && line != 0) status = put(out, "pos", cw_value_int(column), err);
  if (status == CW_OK) status = cw_value_array(0, &none, err);
  return status != CW_OK ? status : put(out, "print", none, err);
}

cw_status rhai_run(cw_value row, cw_value *out, cw_error *err) {
  cw_bytes text = cw_value_as_bytes(conformance_get(row, "script"));
  cwi_script_parse_options options = parse_options(row);
  cwi_script_tree tree;
  cw_status status = cw_value_object(out, err);
  if (status != CW_OK) return status;
  if (!cwi_script_parse(text.data, text.size, &options, &tree)) {
    status = describe_parse_error(&tree.error, out, err);
  }
  cwi_script_tree_deinit(&tree);
  return status;
}
