/* SPDX-License-Identifier: MIT */
/* Calls: functions of the library and defined ones, closures, methods; and what the library asks of
 * the executor. */
#include <string.h>
#include <strings.h>

#include "db/db_exec.h"

/* ---- closures ---- */

typedef struct db_closure {
  cwi_box box;
  sql_program *program;
  const sql_expr *node;
  cw_value captured; /* OBJECT or NONE */
} db_closure;

static void closure_deinit(cwi_box *box) {
  db_closure *closure = (db_closure *)(void *)box;
  cwi_sql_program_release(closure->program);
  cw_value_release(&closure->captured);
}

static bool closure_text(const cwi_box *box, cwi_buf *out) {
  cwi_sql_print_expr(out, ((const db_closure *)(const void *)box)->node);
  return !out->failed;
}

static cw_status closure_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  (void)box;
  (void)copy;
  return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a closure cannot leave its thread");
}

static const cwi_db_closure_ops closure_ops = {
    .base = {.name = cwi_db_closure_name,
             .size = sizeof(db_closure),
             .deinit = closure_deinit,
             .clone = closure_clone},
    .text = closure_text,
};

static cw_status merge(db_ctx *c, const db_vars *vars, cw_value *into) {
  if (vars == NULL) return CW_OK;
  cw_status status = merge(c, vars->up, into);
  if (status != CW_OK || vars->values.kind != CW_VALUE_OBJECT) return status;
  if (into->kind == CW_VALUE_NONE) {
    *into = cwi_value_retain(vars->values);
    return CW_OK;
  }
  cw_value key, item;
  for (cwi_object_iter it = cwi_object_iter_start(vars->values);
       status == CW_OK && cwi_object_iter_next(&it, &key, &item);) {
    status = cwi_value_object_set_key(into, key, cwi_value_retain(item), &c->err);
  }
  return status;
}

cw_status cwi_exec_closure_new(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_status status = cwi_value_box(&closure_ops.base, out, &c->err);
  if (status != CW_OK) return status;
  db_closure *closure = (db_closure *)(void *)cwi_value_box_ptr(*out);
  closure->program = cwi_sql_program_retain(c->program);
  closure->node = node;
  status = merge(c, &c->session->vars, &closure->captured);
  if (status == CW_OK) status = merge(c, c->vars, &closure->captured);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status enter_call(db_ctx *c) {
  if (++c->calls <= DB_CALL_DEPTH_MAX) return cwi_exec_tick(c);
  c->calls--;
  return cwi_exec_fail(
      c, CW_E_QUERY,
      "Reached excessive computation depth due to functions, subqueries, or computed "
      "values");
}

/* Runs a body in variables of its own; RETURN ends it. */
static cw_status run_body(db_ctx *c, sql_program *program, const sql_expr *body, db_vars *vars,
                          bool keep_doc, cw_value *out) {
  cw_status status = enter_call(c);
  if (status != CW_OK) return status;
  db_vars *vars_before = c->vars;
  db_doc *doc_before = c->doc;
  db_group *group_before = c->group;
  sql_program *program_before = c->program;
  c->vars = vars;
  if (!keep_doc) c->doc = NULL;
  c->group = NULL;
  c->program = program;
  status = cwi_exec_eval(c, body, out);
  c->program = program_before;
  c->group = group_before;
  c->doc = doc_before;
  c->vars = vars_before;
  c->calls--;
  if (status == DB_FLOW && c->flow == DB_FLOW_RETURN) {
    c->flow = DB_FLOW_NONE;
    *out = c->flow_value;
    c->flow_value = cwi_value_none();
    status = CW_OK;
  } else if (status == DB_FLOW) {
    c->flow = DB_FLOW_NONE;
    status = cwi_exec_fail(
        c, CW_E_QUERY,
        "Invalid control flow statement, break or continue statement found outside of "
        "loop.");
  }
  return status;
}

static cw_status coerce_return(db_ctx *c, const sql_type *type, const char *name, cw_value *out) {
  if (type == NULL) return CW_OK;
  cwi_buf prefix;
  cwi_buf_init(&prefix, 0);
  cwi_buf_append_format(&prefix, "Couldn't coerce return value from function `%s`: ", name);
  cw_value coerced = cwi_value_none();
  cw_status status = cwi_exec_coerce(c, *out, type, cwi_buf_cstr(&prefix), &coerced);
  cwi_buf_deinit(&prefix);
  cw_value_release(out);
  *out = coerced;
  return status;
}

cw_status cwi_exec_closure_call(db_ctx *c, cw_value value, const cw_value *args, size_t len,
                                cw_value *out) {
  const db_closure *closure = (const db_closure *)(const void *)cwi_value_box_ptr(value);
  const sql_expr *node = closure->node;
  db_vars captured = {.values = closure->captured};
  db_vars vars = {.up = &captured};
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < node->u.closure.args.len; i++) {
    const sql_arg *arg = node->u.closure.args.items[i];
    cw_value given = i < len ? args[i] : cwi_value_none();
    cw_value item = cwi_value_none();
    if (arg->type == NULL) {
      item = cwi_value_retain(given);
    } else {
      status = cwi_exec_coerce(c, given, arg->type, "", &item);
      if (status == CW_E_QUERY) {
        cwi_buf text;
        cwi_buf_init(&text, 4096);
        cwi_sql_print_type(&text, arg->type);
        status =
            cwi_exec_fail(c, CW_E_QUERY,
                          "Incorrect arguments for function ANONYMOUS(). Expected a value of type "
                          "'%.*s' for argument $%.*s",
                          (int)text.size, text.data, (int)arg->name.size, arg->name.text);
        cwi_buf_deinit(&text);
      }
    }
    if (status == CW_OK) status = cwi_exec_var_set(c, &vars, arg->name.text, arg->name.size, item);
  }
  sql_program *program = cwi_sql_program_retain(closure->program);
  if (status == CW_OK) status = run_body(c, program, node->u.closure.body, &vars, true, out);
  if (status == CW_OK) status = coerce_return(c, node->u.closure.returns, "ANONYMOUS", out);
  cwi_sql_program_release(program);
  cw_value_release(&vars.values);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- defined functions ---- */

static bool optional_type(const sql_type *type) {
  if (type->kind == SQL_T_ANY || type->kind == SQL_T_NONE) return true;
  for (uint32_t i = 0; type->kind == SQL_T_EITHER && i < type->inner.len; i++) {
    if (((const sql_type *)type->inner.items[i])->kind == SQL_T_NONE) return true;
  }
  return false;
}

static cw_status bind_args(db_ctx *c, const sql_define *d, const cw_value *args, size_t len,
                           db_vars *vars) {
  size_t min = 0;
  for (uint32_t i = 0; i < d->args.len; i++) {
    if (!optional_type(((const sql_arg *)d->args.items[i])->type)) min = i + 1;
  }
  if (len < min || len > d->args.len) {
    char range[48];
    cwi_buf text;
    cwi_buf_init(&text, sizeof(range));
    if (min == d->args.len)
      cwi_buf_append_format(&text, "%zu", min);
    else
      cwi_buf_append_format(&text, "%zu to %u", min, d->args.len);
    cw_status status =
        cwi_exec_fail(c, CW_E_QUERY,
                      "Incorrect arguments for function fn::%.*s(). The function expects "
                      "%s argument%s.",
                      (int)d->name.size, d->name.text, cwi_buf_cstr(&text),
                      d->args.len == 1 && min == 1 ? "" : "s");
    cwi_buf_deinit(&text);
    return status;
  }
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < d->args.len; i++) {
    const sql_arg *arg = d->args.items[i];
    cwi_buf prefix;
    cwi_buf_init(&prefix, 0);
    cwi_buf_append_format(&prefix,
                          "Incorrect arguments for function fn::%.*s(). Failed to coerce argument "
                          "`$%.*s`: ",
                          (int)d->name.size, d->name.text, (int)arg->name.size, arg->name.text);
    cw_value item = cwi_value_none();
    status = cwi_exec_coerce(c, i < len ? args[i] : cwi_value_none(), arg->type,
                             cwi_buf_cstr(&prefix), &item);
    cwi_buf_deinit(&prefix);
    if (status == CW_OK) status = cwi_exec_var_set(c, vars, arg->name.text, arg->name.size, item);
  }
  return status;
}

static cw_status call_defined(db_ctx *c, sql_str path, const cw_value *args, size_t len,
                              cw_value *out) {
  sql_str name = {.text = path.text + 4, .size = path.size - 4};
  cw_value entry = cwi_value_none();
  cw_status status = cwi_exec_scope_get(c, false);
  if (status == CW_OK && c->scope.db != 0) {
    status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_FUNCTION, c->scope, name.text, name.size, &entry,
                                &c->err);
  }
  if (status != CW_OK) return status;
  if (entry.kind != CW_VALUE_OBJECT) {
    if (c->in_fields) {
      return cwi_exec_fail(c, CW_E_QUERY, "The function '%.*s' does not exist", (int)path.size,
                           path.text);
    }
    return cwi_exec_fail(c, CW_E_QUERY,
                         "Function '%.*s' not found: The function '%.*s' does not exist",
                         (int)path.size, path.text, (int)path.size, path.text);
  }
  db_def def = {0};
  db_vars vars = {0};
  status = cwi_exec_def_parse(c, entry, &def);
  cw_value_release(&entry);
  if (status != CW_OK) return status;
  const sql_define *d = def.define;
  bool allowed = !d->perm_given || d->perm.kind == SQL_PERM_FULL;
  if (d->perm_given && d->perm.kind == SQL_PERM_WHERE) {
    cw_value yes = cwi_value_none();
    status = cwi_exec_eval(c, d->perm.where, &yes);
    allowed = status == CW_OK && cwi_db_truthy(yes);
    cw_value_release(&yes);
  }
  if (status == CW_OK && !allowed) {
    status = cwi_exec_fail(c, CW_E_QUERY, "You don't have permission to run the fn::%.*s function",
                           (int)path.size, path.text);
  }
  if (status == CW_OK) status = bind_args(c, d, args, len, &vars);
  if (status == CW_OK) status = run_body(c, def.program, d->body, &vars, false, out);
  if (status == CW_OK && d->returns != NULL) {
    char full[256];
    cwi_buf text;
    cwi_buf_init(&text, sizeof(full));
    cwi_buf_append(&text, path.text, path.size);
    status = coerce_return(c, d->returns, cwi_buf_cstr(&text), out);
    cwi_buf_deinit(&text);
  }
  cw_value_release(&vars.values);
  cwi_exec_def_deinit(&def);
  return status;
}

/* ---- functions of the library ---- */

cw_status cwi_exec_fn_run(db_ctx *c, const char *name, const cw_value *args, size_t len,
                          cw_value *out) {
  const cwi_db_fn *fn = cwi_db_fn_find(name, strlen(name));
  if (fn == NULL) return cwi_exec_fail(c, CW_E_QUERY, "Unknown function '%s'", name);
  return cwi_db_fn_invoke(&c->fn, fn, args, len, out, &c->err);
}

cw_status cwi_exec_call(db_ctx *c, const sql_expr *node, cw_value *out) {
  sql_str name = node->u.call.name;
  size_t len = node->u.call.args.len;
  cw_value args = cwi_value_none();
  cw_status status = cw_value_array(len, &args, &c->err);
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    cw_value item = cwi_value_none();
    status = cwi_exec_eval(c, node->u.call.args.items[i], &item);
    if (status == CW_OK) status = cw_value_array_push(&args, item, &c->err);
  }
  if (status == CW_OK) {
    const cw_value *items = cwi_value_array_ptr(args)->items;
    if (name.size > 4 && strncasecmp(name.text, "fn::", 4) == 0) {
      status = call_defined(c, name, items, len, out);
    } else if (name.size > 4 && strncasecmp(name.text, "ml::", 4) == 0) {
      status = cwi_exec_fail(
          c, CW_E_QUERY,
          "Problem with machine learning computation. Machine learning computation is "
          "not enabled.");
    } else {
      const cwi_db_fn *fn = cwi_db_fn_find(name.text, name.size);
      if (fn == NULL) {
        status =
            cwi_exec_fail(c, CW_E_QUERY, "Unknown function '%.*s' - not found in function registry",
                          (int)name.size, name.text);
      } else {
        status = cwi_db_fn_invoke(&c->fn, fn, items, len, out, &c->err);
      }
    }
  }
  cw_value_release(&args);
  return status;
}

/* ---- methods ---- */

/* "Incorrect arguments for function array::map(). ..." reads "... for method map(). ..." */
static cw_status rename_method(db_ctx *c, sql_str name) {
  static const char head[] = "Incorrect arguments for function ";
  cw_bytes text = cwi_exec_error_text(c);
  const char *data = text.data;
  size_t size = sizeof(head) - 1;
  if (text.size < size || memcmp(data, head, size) != 0) return CW_E_QUERY;
  const char *rest = memmem(data, text.size, "(). ", 4);
  if (rest == NULL) return CW_E_QUERY;
  cwi_buf copy;
  cwi_buf_init(&copy, 0);
  cwi_buf_append(&copy, rest, text.size - (size_t)(rest - data));
  cw_status status = cwi_exec_fail(c, CW_E_QUERY, "Incorrect arguments for method %.*s%.*s",
                                   (int)name.size, name.text, (int)copy.size, copy.data);
  cwi_buf_deinit(&copy);
  return status;
}

cw_status cwi_exec_method(db_ctx *c, cw_value value, const sql_part *part, cw_value *out) {
  size_t len = part->args.len;
  cw_value args = cwi_value_none();
  cw_status status = cw_value_array(len + 1, &args, &c->err);
  if (status == CW_OK) status = cw_value_array_push(&args, cwi_value_retain(value), &c->err);
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    cw_value item = cwi_value_none();
    status = cwi_exec_eval(c, part->args.items[i], &item);
    if (status == CW_OK) status = cw_value_array_push(&args, item, &c->err);
  }
  if (status != CW_OK) {
    cw_value_release(&args);
    return status;
  }
  const cw_value *items = cwi_value_array_ptr(args)->items;
  cw_value own = value.kind == CW_VALUE_OBJECT
                     ? cw_value_object_get(value, part->name.text, part->name.size)
                     : cwi_value_none();
  const cwi_db_fn *fn = NULL;
  if (own.kind == CW_VALUE_BOX && cwi_db_kind_of(own) == CWI_DB_FUNCTION) {
    status = cwi_exec_closure_call(c, own, items + 1, len, out);
  } else if (cwi_exec_name_is(part->name, "chain") && len == 1 &&
             cwi_db_kind_of(items[1]) == CWI_DB_FUNCTION) {
    status = cwi_exec_closure_call(c, items[1], items, 1, out);
  } else if ((fn = cwi_db_fn_method(value, part->name.text, part->name.size)) == NULL) {
    status = cwi_exec_fail(
        c, CW_E_QUERY,
        "There was a problem running the %.*s() function. no such method found for the "
        "%s type",
        (int)part->name.size, part->name.text, cwi_db_kind_name(cwi_db_kind_of(value)));
  } else if (strcmp(fn->name, "value::diff") == 0 || strcmp(fn->name, "value::patch") == 0) {
    status = cwi_exec_fail(c, CW_E_QUERY, "Function '%s' requires async execution", fn->name);
  } else {
    cwi_buf_clear(&c->text);
    status = cwi_db_fn_invoke(&c->fn, fn, items, len + 1, out, &c->err);
    if (status == CW_E_QUERY) status = rename_method(c, part->name);
  }
  cw_value_release(&args);
  return status;
}

/* ---- what the library asks of the executor ---- */

static cw_status host_call(void *context, cw_value closure, const cw_value *args, size_t len,
                           cw_value *out, cw_error *err) {
  (void)err;
  return cwi_exec_closure_call(context, closure, args, len, out);
}

static cw_status host_record_get(void *context, cw_value record, cw_value *out, cw_error *err) {
  db_ctx *c = context;
  (void)err;
  db_table *table;
  *out = cwi_value_none();
  cw_status status = cwi_exec_table_need(c, cwi_db_record_table(record), &table);
  return status == CW_OK ? cwi_exec_record_read(c, table, record, out) : status;
}

static cw_status host_is_edge(void *context, cw_value record, bool *is, cw_error *err) {
  db_ctx *c = context;
  (void)err;
  cw_value doc = cwi_value_none();
  cw_status status = cwi_exec_record_get(c, record, &doc);
  *is = cwi_exec_is_record(cwi_exec_obj_get(doc, "in")) &&
        cwi_exec_is_record(cwi_exec_obj_get(doc, "out"));
  cw_value_release(&doc);
  return status;
}

static cw_status host_table_exists(void *context, const char *name, size_t size, bool *exists,
                                   cw_error *err) {
  db_ctx *c = context;
  (void)err;
  cw_value text = cwi_value_none();
  db_table *table = NULL;
  cw_status status = cwi_exec_string(c, name, size, &text);
  if (status == CW_OK) status = cwi_exec_table_get(c, text, false, &table);
  *exists = table != NULL;
  cw_value_release(&text);
  return status;
}

static cw_status host_parse_record(void *context, const char *text, size_t size, cw_value *out,
                                   bool *ok, cw_error *err) {
  db_ctx *c = context;
  (void)err;
  sql_program *program = NULL;
  *out = cwi_value_none();
  *ok = false;
  cw_status status = cwi_sql_parse_record(text, size, &program);
  if (status == CW_E_NOMEM) return cwi_exec_nomem(c);
  if (status != CW_OK) return CW_OK;
  status = cwi_exec_eval(c, program->statements.items[0], out);
  *ok = status == CW_OK;
  cwi_sql_program_release(program);
  return status;
}

static cw_status host_session(void *context, cwi_db_session_part part, cw_value *out,
                              cw_error *err) {
  db_ctx *c = context;
  (void)err;
  *out = cwi_value_none();
  if (part == CWI_DB_SESSION_NS) *out = cwi_value_retain(c->session->ns);
  if (part == CWI_DB_SESSION_DB) *out = cwi_value_retain(c->session->db);
  return CW_OK;
}

static cw_status host_special(void *context, const cwi_db_fn *fn, const cw_value *args, size_t len,
                              cw_value *out, cw_error *err) {
  (void)err;
  return cwi_exec_special(context, fn, args, len, out);
}

static const cwi_db_fn_host host = {
    .call = host_call,
    .record_get = host_record_get,
    .record_is_edge = host_is_edge,
    .table_exists = host_table_exists,
    .parse_record = host_parse_record,
    .session = host_session,
    .special = host_special,
};

void cwi_exec_fn_host_init(db_ctx *c) { c->fn = (cwi_db_fn_ctx){.host = &host, .context = c}; }
