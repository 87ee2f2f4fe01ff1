/* SPDX-License-Identifier: MIT */
/* Statements that steer, and the dispatch over all of them. */
#include <string.h>
#include <time.h>

#include "db/db_exec.h"

static cw_status run_flow(db_ctx *c, db_flow flow, cw_value value) {
  c->flow = flow;
  cw_value_release(&c->flow_value);
  c->flow_value = value;
  return DB_FLOW;
}

static bool is_silent(const sql_expr *node) {
  return node->kind == SQL_LET || node->kind == SQL_FOR;
}

/* A block gives its last value; RETURN inside ends it. */
cw_status cwi_exec_block(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < node->u.list.len; i++) {
    const sql_expr *item = node->u.list.items[i];
    cw_value_release(out);
    status = cwi_exec_eval(c, item, out);
    if (status == CW_OK && is_silent(item)) cw_value_release(out);
  }
  return status;
}

static cw_status exec_let(db_ctx *c, const sql_let *s) {
  static const char *const guarded[] = {"auth", "session", "token", "access"};
  for (size_t i = 0; i < CWI_ARRAY_LEN(guarded); i++) {
    if (cwi_exec_name_is(s->name, guarded[i])) {
      return cwi_exec_fail(c, CW_E_QUERY, "'%s' is a protected variable and cannot be set",
                           guarded[i]);
    }
  }
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, s->value, &value);
  if (status == CW_OK && s->type != NULL) {
    cw_value coerced = cwi_value_none();
    cwi_buf prefix;
    cwi_buf_init(&prefix, 0);
    cwi_buf_append_format(&prefix,
                          "Tried to set `$%.*s`, but couldn't coerce value: ", (int)s->name.size,
                          s->name.text);
    status = cwi_exec_coerce(c, value, s->type, cwi_buf_cstr(&prefix), &coerced);
    cwi_buf_deinit(&prefix);
    cw_value_release(&value);
    value = coerced;
  }
  if (status != CW_OK) return status;
  db_vars *vars = c->vars != NULL ? c->vars : &c->session->vars;
  if (value.kind == CW_VALUE_NONE && vars->values.kind != CW_VALUE_OBJECT) return CW_OK;
  return cwi_exec_var_set(c, vars, s->name.text, s->name.size, value);
}

static cw_status exec_if(db_ctx *c, const sql_if *s, cw_value *out) {
  for (uint32_t i = 0; i < s->conds.len; i++) {
    cw_value cond = cwi_value_none();
    cw_status status = cwi_exec_eval(c, s->conds.items[i], &cond);
    bool yes = cwi_db_truthy(cond);
    cw_value_release(&cond);
    if (status != CW_OK) return status;
    if (yes) return cwi_exec_eval(c, s->bodies.items[i], out);
  }
  return s->other != NULL ? cwi_exec_eval(c, s->other, out) : CW_OK;
}

static cw_status loop_once(db_ctx *c, const sql_for *s, cw_value item, bool *stop) {
  db_vars vars = {.up = c->vars};
  cw_value ignored = cwi_value_none();
  cw_status status = cwi_exec_var_set(c, &vars, s->name.text, s->name.size, item);
  c->vars = &vars;
  if (status == CW_OK) status = cwi_exec_eval(c, s->body, &ignored);
  c->vars = vars.up;
  cw_value_release(&vars.values);
  cw_value_release(&ignored);
  if (status == DB_FLOW && c->flow != DB_FLOW_RETURN) {
    *stop = c->flow == DB_FLOW_BREAK;
    c->flow = DB_FLOW_NONE;
    status = CW_OK;
  }
  return status == CW_OK ? cwi_exec_tick(c) : status;
}

static cw_status exec_for(db_ctx *c, const sql_for *s) {
  cw_value range = cwi_value_none();
  cw_status status = cwi_exec_eval(c, s->range, &range);
  bool stop = false;
  if (status != CW_OK) return status;
  int64_t first, end;
  if (range.kind == CW_VALUE_ARRAY) {
    for (size_t i = 0; status == CW_OK && !stop && i < cw_value_len(range); i++) {
      status = loop_once(c, s, cwi_value_retain(cw_value_array_get(range, i)), &stop);
    }
  } else if (cwi_db_kind_of(range) == CWI_DB_RANGE && cwi_db_range_ints(range, &first, &end)) {
    for (int64_t i = first; status == CW_OK && !stop && i < end; i++) {
      status = loop_once(c, s, cwi_value_int(i), &stop);
    }
  } else if (range.kind == CW_VALUE_STRING) {
    sql_str text = db_str(range);
    status = cwi_exec_fail(c, CW_E_QUERY, "Cannot execute statement using value: %.*s",
                           (int)text.size, text.text);
  } else {
    status = cwi_exec_fail_value(c, "Cannot execute statement using value: ", range, "");
  }
  cw_value_release(&range);
  return status;
}

static cw_status exec_throw(db_ctx *c, const sql_simple *s) {
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, s->expr, &value);
  if (status != CW_OK) return status;
  if (value.kind == CW_VALUE_STRING) {
    sql_str text = db_str(value);
    status = cwi_exec_fail(c, CW_E_QUERY, "An error occurred: %.*s", (int)text.size, text.text);
  } else {
    status = cwi_exec_fail_value(c, "An error occurred: ", value, "");
  }
  cw_value_release(&value);
  return status;
}

static cw_status exec_return(db_ctx *c, const sql_simple *s) {
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, s->expr, &value);
  if (status == DB_FLOW && c->flow == DB_FLOW_RETURN) {
    bool block = s->expr->kind == SQL_BLOCK;
    cw_value inner = c->flow_value;
    c->flow_value = cwi_value_none();
    c->flow = DB_FLOW_NONE;
    status = CW_OK;
    if (block) {
      value = inner;
    } else {
      status = cw_value_array(1, &value, &c->err);
      if (status == CW_OK)
        status = cw_value_array_push(&value, inner, &c->err);
      else
        cw_value_release(&inner);
    }
  }
  if (status == CW_OK && s->fetch.len > 0) status = cwi_exec_fetch(c, &value, &s->fetch);
  if (status == CW_OK) return run_flow(c, DB_FLOW_RETURN, value);
  cw_value_release(&value);
  return status;
}

static cw_status use_result(db_ctx *c, cw_value *out) {
  cw_status status = cw_value_object(out, &c->err);
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, out, "namespace", cwi_value_retain(c->session->ns));
  if (status == CW_OK)
    status = cwi_exec_obj_set(c, out, "database", cwi_value_retain(c->session->db));
  return status;
}

static cw_status exec_use(db_ctx *c, const sql_use *s, cw_value *out) {
  cw_value name = cwi_value_none();
  cw_status status = CW_OK;
  if (s->ns.size > 0) {
    status = cwi_exec_string(c, s->ns.text, s->ns.size, &name);
    if (status != CW_OK) return status;
    cw_value_release(&c->session->ns);
    c->session->ns = name;
  }
  if (s->db.size > 0) {
    status = cwi_exec_string(c, s->db.text, s->db.size, &name);
    if (status != CW_OK) return status;
    cw_value_release(&c->session->db);
    c->session->db = name;
  }
  c->scope = (cwi_db_scope){0};
  /* A database that is named with USE DB is made; a namespace alone is not. */
  if (s->db.size > 0 && cwi_db_txn_is_write(c->txn)) status = cwi_exec_scope_get(c, true);
  return status == CW_OK ? use_result(c, out) : status;
}

static cw_status exec_sleep(db_ctx *c, const sql_simple *s) {
  cw_value value = cwi_value_none(), ignored = cwi_value_none();
  cw_status status = cwi_exec_eval(c, s->expr, &value);
  if (status == CW_OK) status = cwi_exec_fn_run(c, "sleep", &value, 1, &ignored);
  cw_value_release(&value);
  cw_value_release(&ignored);
  return status;
}

cw_status cwi_exec_statement(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_status status = cwi_exec_tick(c);
  if (status != CW_OK) return status;
  switch ((sql_node)node->kind) {
    case SQL_SELECT: return cwi_exec_select(c, node, out);
    case SQL_CREATE:
    case SQL_UPDATE:
    case SQL_UPSERT:
    case SQL_DELETE: return cwi_exec_write(c, node, out);
    case SQL_INSERT: return cwi_exec_insert(c, node, out);
    case SQL_RELATE: return cwi_exec_relate(c, node, out);
    case SQL_LET: return exec_let(c, node->u.stmt);
    case SQL_RETURN: return exec_return(c, node->u.stmt);
    case SQL_IF: return exec_if(c, node->u.stmt, out);
    case SQL_FOR: return exec_for(c, node->u.stmt);
    case SQL_THROW: return exec_throw(c, node->u.stmt);
    case SQL_BREAK: return run_flow(c, DB_FLOW_BREAK, cwi_value_none());
    case SQL_CONTINUE: return run_flow(c, DB_FLOW_CONTINUE, cwi_value_none());
    case SQL_SLEEP: return exec_sleep(c, node->u.stmt);
    case SQL_USE: return exec_use(c, node->u.stmt, out);
    case SQL_OPTION: return CW_OK;
    case SQL_INFO: return cwi_exec_info(c, node, out);
    case SQL_SHOW: return cw_value_array(0, out, &c->err);
    case SQL_DEFINE: return cwi_exec_define(c, node, out);
    case SQL_REMOVE: return cwi_exec_remove(c, node, out);
    case SQL_ALTER: return cwi_exec_alter(c, node, out);
    case SQL_REBUILD: return cwi_exec_rebuild(c, node, out);
    case SQL_EXPLAIN: {
      const sql_simple *s = node->u.stmt;
      if (s->expr->kind == SQL_SELECT) return cwi_exec_explain(c, s->expr->u.stmt, false, out);
      return cwi_exec_fail(c, CW_E_QUERY, "Only SELECT can be explained");
    }
    case SQL_LIVE: {
      const sql_select *s = node->u.stmt;
      const sql_expr *target = s->what.items[0];
      cw_value value = cwi_value_none();
      db_table *table;
      status = cwi_exec_eval(c, target, &value);
      if (status == CW_OK && cwi_db_kind_of(value) != CWI_DB_TABLE) {
        status = cwi_exec_fail_value(c, "Cannot execute LIVE statement using value: ", value, "");
      } else if (status == CW_OK) {
        status = cwi_exec_table_need(c, cwi_db_table_name(value), &table);
      }
      cw_value_release(&value);
      if (status == CW_OK) {
        status =
            cwi_exec_fail(c, CW_E_UNSUPPORTED, "LIVE SELECT is not supported by this connection");
      }
      return status;
    }
    case SQL_KILL: {
      const sql_simple *s = node->u.stmt;
      cw_value value = cwi_value_none();
      status = cwi_exec_eval(c, s->expr, &value);
      if (status == CW_OK)
        status = cwi_exec_fail_value(c, "Cannot execute KILL statement using id: ", value, "");
      cw_value_release(&value);
      return status;
    }
    case SQL_ACCESS: {
      const sql_info *s = node->u.stmt;
      sql_str db = db_str(c->session->db);
      return cwi_exec_fail(c, CW_E_QUERY,
                           "The access method '%.*s' does not exist in the database '%.*s'",
                           (int)s->name.size, s->name.text, (int)db.size, db.text);
    }
    default: return cwi_exec_fail(c, CW_E_QUERY, "Invalid statement");
  }
}
