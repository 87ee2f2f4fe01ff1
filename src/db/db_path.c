/* SPDX-License-Identifier: MIT */
/* Writing into documents: paths, assignments, CONTENT, MERGE, PATCH, and what a statement
 * returns. */
#include <string.h>

#include "db/db_exec.h"

/* ---- paths ---- */

static cw_status set_in_list(db_ctx *c, cw_value *root, const sql_vec *parts, uint32_t from,
                             cw_value value) {
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(*root); i++) {
    cw_value item = cwi_value_retain(cw_value_array_get(*root, i));
    status = cwi_exec_path_set(c, &item, parts, from, cwi_value_retain(value));
    if (status == CW_OK)
      status = cw_value_array_set(root, i, item, &c->err);
    else
      cw_value_release(&item);
  }
  cw_value_release(&value);
  return status;
}

static cw_status set_key(db_ctx *c, cw_value *root, sql_str name, const sql_vec *parts,
                         uint32_t from, cw_value value) {
  if (from == parts->len && value.kind == CW_VALUE_NONE) {
    return cw_value_object_remove(root, name.text, name.size, &c->err);
  }
  cw_value inner = cwi_value_retain(cw_value_object_get(*root, name.text, name.size));
  cw_status status = cwi_exec_path_set(c, &inner, parts, from, value);
  if (status != CW_OK) {
    cw_value_release(&inner);
    return status;
  }
  if (inner.kind == CW_VALUE_NONE) return CW_OK;
  return cw_value_object_set(root, name.text, name.size, inner, &c->err);
}

cw_status cwi_exec_path_set(db_ctx *c, cw_value *root, const sql_vec *parts, uint32_t from,
                            cw_value value) {
  if (from == parts->len) {
    cw_value_release(root);
    *root = value;
    return CW_OK;
  }
  const sql_part *part = parts->items[from];
  cw_status status = CW_OK;
  bool index = part->kind == SQL_P_INDEX || part->kind == SQL_P_LAST;
  if (root->kind == CW_VALUE_NONE && (part->kind == SQL_P_FIELD || index) &&
      value.kind != CW_VALUE_NONE) {
    status = cw_value_object(root, &c->err);
  }
  if (status == CW_OK && part->kind == SQL_P_FIELD) {
    if (root->kind == CW_VALUE_OBJECT) return set_key(c, root, part->name, parts, from + 1, value);
    if (root->kind == CW_VALUE_ARRAY) return set_in_list(c, root, parts, from, value);
  } else if (status == CW_OK && part->kind == SQL_P_ALL) {
    if (root->kind == CW_VALUE_ARRAY) return set_in_list(c, root, parts, from + 1, value);
  } else if (status == CW_OK && index) {
    cw_value at = cwi_value_int((int64_t)cw_value_len(*root) - 1);
    if (part->kind == SQL_P_INDEX) status = cwi_exec_eval(c, part->expr, &at);
    if (status == CW_OK && root->kind == CW_VALUE_ARRAY && at.kind == CW_VALUE_INT) {
      int64_t i = cwi_value_as_int(at);
      if (i >= 0 && (uint64_t)i < cw_value_len(*root)) {
        cw_value item = cwi_value_retain(cw_value_array_get(*root, (size_t)i));
        status = cwi_exec_path_set(c, &item, parts, from + 1, value);
        if (status == CW_OK) return cw_value_array_set(root, (size_t)i, item, &c->err);
        cw_value_release(&item);
        return status;
      }
    } else if (status == CW_OK && root->kind == CW_VALUE_OBJECT) {
      cw_value key = cwi_value_none();
      status = cwi_db_text_value(at, true, &key, &c->err);
      cw_value_release(&at);
      if (status == CW_OK) {
        status = set_key(c, root, db_str(key), parts, from + 1, value);
        cw_value_release(&key);
        return status;
      }
    }
    cw_value_release(&at);
  }
  cw_value_release(&value);
  return status;
}

cw_status cwi_exec_path_unset(db_ctx *c, cw_value *root, const sql_vec *parts, uint32_t from) {
  if (from >= parts->len) return CW_OK;
  const sql_part *part = parts->items[from];
  bool last = from + 1 == parts->len;
  cw_status status = CW_OK;
  if (part->kind == SQL_P_FIELD && root->kind == CW_VALUE_OBJECT) {
    if (last) return cw_value_object_remove(root, part->name.text, part->name.size, &c->err);
    cw_value inner = cwi_value_retain(cw_value_object_get(*root, part->name.text, part->name.size));
    if (inner.kind == CW_VALUE_NONE) return CW_OK;
    status = cwi_exec_path_unset(c, &inner, parts, from + 1);
    if (status == CW_OK) {
      return cw_value_object_set(root, part->name.text, part->name.size, inner, &c->err);
    }
    cw_value_release(&inner);
  } else if (root->kind == CW_VALUE_ARRAY && part->kind == SQL_P_INDEX) {
    cw_value at = cwi_value_none(), gone = cwi_value_none();
    status = cwi_exec_eval(c, part->expr, &at);
    if (status != CW_OK || at.kind != CW_VALUE_INT || cwi_value_as_int(at) < 0) {
      cw_value_release(&at);
      return status;
    }
    size_t i = (size_t)cwi_value_as_int(at);
    if (i >= cw_value_len(*root)) return CW_OK;
    if (last) {
      status = cwi_value_array_remove(root, i, &gone, &c->err);
      cw_value_release(&gone);
      return status;
    }
    cw_value item = cwi_value_retain(cw_value_array_get(*root, i));
    status = cwi_exec_path_unset(c, &item, parts, from + 1);
    if (status == CW_OK) return cw_value_array_set(root, i, item, &c->err);
    cw_value_release(&item);
  } else if (root->kind == CW_VALUE_ARRAY) {
    uint32_t next = part->kind == SQL_P_ALL ? from + 1 : from;
    for (size_t i = 0; status == CW_OK && i < cw_value_len(*root); i++) {
      cw_value item = cwi_value_retain(cw_value_array_get(*root, i));
      status = cwi_exec_path_unset(c, &item, parts, next);
      if (status == CW_OK)
        status = cw_value_array_set(root, i, item, &c->err);
      else
        cw_value_release(&item);
    }
  }
  return status;
}

/* ---- assignments ---- */

static cw_status list_add(db_ctx *c, cw_value now, cw_value value, bool unique, cw_value *out) {
  *out = cwi_value_retain(now);
  if (value.kind != CW_VALUE_ARRAY) {
    for (size_t i = 0; unique && i < cw_value_len(now); i++) {
      if (cwi_db_equal(cw_value_array_get(now, i), value)) return CW_OK;
    }
    return cw_value_array_push(out, cwi_value_retain(value), &c->err);
  }
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(value); i++) {
    cw_value item = cw_value_array_get(value, i), grown = cwi_value_none();
    bool have = false;
    for (size_t k = 0; unique && !have && k < cw_value_len(*out); k++) {
      have = cwi_db_equal(cw_value_array_get(*out, k), item);
    }
    (void)grown;
    if (!have) status = cw_value_array_push(out, cwi_value_retain(item), &c->err);
  }
  return status;
}

static cw_status list_remove(db_ctx *c, cw_value now, cw_value value, cw_value *out) {
  cw_status status = cw_value_array(0, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(now); i++) {
    cw_value item = cw_value_array_get(now, i);
    bool gone = value.kind != CW_VALUE_ARRAY && cwi_db_equal(item, value);
    for (size_t k = 0; value.kind == CW_VALUE_ARRAY && !gone && k < cw_value_len(value); k++) {
      gone = cwi_db_equal(item, cw_value_array_get(value, k));
    }
    if (!gone) status = cw_value_array_push(out, cwi_value_retain(item), &c->err);
  }
  return status;
}

/* The new value of `target op= value`; what cannot be added leaves the field as it is. */
static cw_status assigned(db_ctx *c, sql_assign_op op, cw_value now, cw_value value,
                          cw_value *out) {
  bool none = now.kind == CW_VALUE_NONE || now.kind == CW_VALUE_NULL;
  *out = cwi_value_none();
  if (op == SQL_ASSIGN) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  if (now.kind == CW_VALUE_ARRAY) {
    if (op == SQL_ASSIGN_SUB) return list_remove(c, now, value, out);
    return list_add(c, now, value, op == SQL_ASSIGN_EXTEND, out);
  }
  if (op == SQL_ASSIGN_EXTEND && none) {
    cw_value empty = cwi_value_none();
    cw_status status = cw_value_array(0, &empty, &c->err);
    if (status == CW_OK) status = list_add(c, empty, value, true, out);
    cw_value_release(&empty);
    return status;
  }
  if (none && op == SQL_ASSIGN_ADD) {
    *out = cwi_value_retain(value);
    return CW_OK;
  }
  if (none && op == SQL_ASSIGN_SUB) return cwi_db_negate(value, out, &c->err);
  cwi_db_kind kind = cwi_db_kind_of(now);
  bool adds = cwi_db_is_number(now) || kind == CWI_DB_DURATION || kind == CWI_DB_DATETIME;
  cw_status status =
      adds ? cwi_db_arith(op == SQL_ASSIGN_SUB ? CWI_DB_SUB : CWI_DB_ADD, now, value, out, &c->err)
           : CW_E_QUERY;
  if (status == CW_E_QUERY) {
    *out = cwi_value_retain(now);
    status = CW_OK;
  }
  return status;
}

cw_status cwi_exec_apply_assigns(db_ctx *c, const sql_vec *assigns, cw_value before, cw_value rid,
                                 cw_value *doc) {
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < assigns->len; i++) {
    const sql_assign *assign = assigns->items[i];
    const sql_vec *parts = &assign->target->u.idiom.parts;
    cw_value value = cwi_value_none(), now = cwi_value_none(), result = cwi_value_none();
    status = cwi_exec_eval_with(c, assign->value, before, rid, &value);
    if (status == CW_OK && assign->op != SQL_ASSIGN)
      status = cwi_exec_eval_parts(c, *doc, parts, 0, &now);
    if (status == CW_OK) status = assigned(c, assign->op, now, value, &result);
    if (status == CW_OK) status = cwi_exec_path_set(c, doc, parts, 0, result);
    cw_value_release(&value);
    cw_value_release(&now);
  }
  return status;
}

static cw_status merge(db_ctx *c, cw_value *into, cw_value from) {
  cw_value key, item;
  cw_status status = CW_OK;
  for (cwi_object_iter it = cwi_object_iter_start(from);
       status == CW_OK && cwi_object_iter_next(&it, &key, &item);) {
    sql_str name = db_str(key);
    if (item.kind == CW_VALUE_NONE) {
      status = cw_value_object_remove(into, name.text, name.size, &c->err);
      continue;
    }
    cw_value inner = cwi_value_retain(cw_value_object_get(*into, name.text, name.size));
    if (item.kind == CW_VALUE_OBJECT && inner.kind == CW_VALUE_OBJECT) {
      status = merge(c, &inner, item);
    } else {
      cw_value_release(&inner);
      inner = cwi_value_retain(item);
    }
    if (status == CW_OK)
      status = cwi_value_object_set_key(into, key, inner, &c->err);
    else
      cw_value_release(&inner);
  }
  return status;
}

static cw_status content(db_ctx *c, cw_value value, const char *clause, bool replace,
                         cw_value *doc) {
  if (value.kind != CW_VALUE_OBJECT) {
    char after[40];
    cwi_buf text;
    cwi_buf_init(&text, sizeof(after));
    cwi_buf_append_format(&text, " in a %s clause", clause);
    cw_status status = cwi_exec_fail_value(c, "Cannot use ", value, cwi_buf_cstr(&text));
    cwi_buf_deinit(&text);
    return status;
  }
  if (!replace) return merge(c, doc, value);
  cw_value_release(doc);
  *doc = cwi_value_retain(value);
  return CW_OK;
}

cw_status cwi_exec_apply_data(db_ctx *c, const sql_data *data, cw_value rid, cw_value before,
                              cw_value *doc, cw_value *input) {
  cw_status status = CW_OK;
  cw_value value = cwi_value_none();
  if (doc->kind != CW_VALUE_OBJECT) {
    cw_value_release(doc);
    status = cw_value_object(doc, &c->err);
  }
  if (status == CW_OK && data->expr != NULL)
    status = cwi_exec_eval_with(c, data->expr, before, rid, &value);
  if (status != CW_OK) return status;
  switch (data->kind) {
    case SQL_DATA_NONE: break;
    case SQL_DATA_SET: status = cwi_exec_apply_assigns(c, &data->list, before, rid, doc); break;
    case SQL_DATA_UNSET:
      for (uint32_t i = 0; status == CW_OK && i < data->list.len; i++) {
        const sql_expr *idiom = data->list.items[i];
        status = cwi_exec_path_unset(c, doc, &idiom->u.idiom.parts, 0);
      }
      break;
    case SQL_DATA_CONTENT:
    case SQL_DATA_REPLACE:
      status = content(c, value, "CONTENT", true, doc);
      *input = cwi_value_retain(value);
      break;
    case SQL_DATA_MERGE: status = content(c, value, "MERGE", false, doc); break;
    case SQL_DATA_PATCH: {
      cw_value args[2] = {*doc, value}, patched = cwi_value_none();
      status = cwi_exec_fn_run(c, "value::patch", args, 2, &patched);
      if (status == CW_OK) {
        cw_value_release(doc);
        *doc = patched;
      }
      break;
    }
  }
  cw_value_release(&value);
  return status;
}

/* ---- results ---- */

static cw_status diff(db_ctx *c, cw_value before, cw_value after, cw_value *out) {
  if (before.kind != CW_VALUE_NONE && after.kind != CW_VALUE_NONE) {
    cw_value args[2] = {before, after};
    return cwi_exec_fn_run(c, "value::diff", args, 2, out);
  }
  cw_value op = cwi_value_none(), text = cwi_value_none();
  cw_status status = cw_value_array(1, out, &c->err);
  if (status == CW_OK) status = cw_value_object(&op, &c->err);
  if (status == CW_OK) status = cwi_exec_string(c, "replace", 7, &text);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &op, "op", text);
  if (status == CW_OK) status = cwi_exec_string(c, "", 0, &text);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &op, "path", text);
  if (status == CW_OK) status = cwi_exec_obj_set(c, &op, "value", cwi_value_retain(after));
  if (status == CW_OK)
    status = cw_value_array_push(out, op, &c->err);
  else
    cw_value_release(&op);
  return status;
}

static cw_status project(db_ctx *c, const sql_fields *fields, cw_value rid, cw_value before,
                         cw_value after, cw_value *out) {
  db_vars vars = {.up = c->vars};
  cw_status status = cwi_exec_var_set(c, &vars, "before", 6, cwi_value_retain(before));
  if (status == CW_OK) status = cwi_exec_var_set(c, &vars, "after", 5, cwi_value_retain(after));
  c->vars = &vars;
  if (status == CW_OK) status = cwi_exec_project(c, fields, after, rid, out);
  c->vars = vars.up;
  cw_value_release(&vars.values);
  return status;
}

cw_status cwi_exec_output(db_ctx *c, sql_output_kind kind, const sql_fields *fields, cw_value rid,
                          cw_value before, cw_value after, bool removed, cw_value *out,
                          bool *skip) {
  *out = cwi_value_none();
  *skip = false;
  if (kind == SQL_OUT_DEFAULT) kind = removed ? SQL_OUT_NONE : SQL_OUT_AFTER;
  switch (kind) {
    case SQL_OUT_NONE: *skip = true; return CW_OK;
    case SQL_OUT_NULL: *out = cwi_value_null(); return CW_OK;
    case SQL_OUT_DIFF: return diff(c, before, after, out);
    case SQL_OUT_BEFORE: *out = cwi_value_retain(before); return CW_OK;
    case SQL_OUT_FIELDS: return project(c, fields, rid, before, after, out);
    default: *out = cwi_value_retain(after); return CW_OK;
  }
}
