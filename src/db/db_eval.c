/* SPDX-License-Identifier: MIT */
/* Expressions: from a node and the running context to a value.
 *
 * Names are fields of the current document; without one they are NONE. Parts of an idiom are
 * applied from left to right; a field of a list is that field of each of its items, and so is what
 * stands behind it. A record id is read when something is wanted of it. */
#include <string.h>

#include "db/db_exec.h"

static cw_status eval_list(db_ctx *c, const sql_vec *items, cw_value *out) {
  cw_status status = cw_value_array(items->len, out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < items->len; i++) {
    cw_value item = cwi_value_none();
    status = cwi_exec_eval(c, items->items[i], &item);
    if (status == CW_OK) status = cw_value_array_push(out, item, &c->err);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cwi_exec_geometry_or_object(db_ctx *c, cw_value *object) {
  cw_value geometry = cwi_value_none();
  cw_status status = cwi_db_geometry_from_object(*object, &geometry, &c->err);
  if (status == CW_OK && geometry.kind != CW_VALUE_NONE) {
    cw_value_release(object);
    *object = geometry;
  }
  return status;
}

static cw_status eval_object(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_status status = cw_value_object(out, &c->err);
  for (uint32_t i = 0; status == CW_OK && i < node->u.list.len; i++) {
    const sql_pair *pair = node->u.list.items[i];
    cw_value item = cwi_value_none();
    status = cwi_exec_eval(c, pair->value, &item);
    if (status == CW_OK) {
      status = cw_value_object_set(out, pair->key.text, pair->key.size, item, &c->err);
    }
  }
  if (status == CW_OK && cwi_exec_obj_get(*out, "type").kind == CW_VALUE_STRING) {
    status = cwi_exec_geometry_or_object(c, out);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_status cwi_exec_range_of(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value from = cwi_value_none(), to = cwi_value_none();
  cw_status status =
      node->u.range.from != NULL ? cwi_exec_eval(c, node->u.range.from, &from) : CW_OK;
  if (status == CW_OK && node->u.range.to != NULL) status = cwi_exec_eval(c, node->u.range.to, &to);
  if (status != CW_OK) {
    cw_value_release(&from);
    cw_value_release(&to);
    return status;
  }
  cwi_db_bound begin = node->u.range.from == NULL ? CWI_DB_UNBOUNDED
                       : node->u.range.from_excl  ? CWI_DB_EXCLUDED
                                                  : CWI_DB_INCLUDED;
  cwi_db_bound end = node->u.range.to == NULL ? CWI_DB_UNBOUNDED
                     : node->u.range.to_incl  ? CWI_DB_INCLUDED
                                              : CWI_DB_EXCLUDED;
  return cwi_db_value_range(begin, from, end, to, out, &c->err);
}

cw_status cwi_exec_record_of(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value key = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node->u.record.key, &key);
  if (status == CW_OK && cwi_db_kind_of(key) == CWI_DB_FLOAT) {
    cw_value text = cwi_value_none();
    status = cwi_db_text_value(key, true, &text, &c->err);
    cw_value_release(&key);
    key = text;
  }
  if (status != CW_OK) return status;
  return cwi_db_value_record_named(node->u.record.table.text, node->u.record.table.size, key, out,
                                   &c->err);
}

static cw_status eval_mock(db_ctx *c, const sql_expr *node, cw_value *out) {
  int64_t first = node->u.mock.range ? node->u.mock.from : 0;
  int64_t end = node->u.mock.range ? node->u.mock.to : node->u.mock.from;
  cw_status status = cw_value_array(0, out, &c->err);
  for (int64_t i = first; status == CW_OK && i < end; i++) {
    cw_value key = cwi_value_int(i), rid = cwi_value_none();
    if (!node->u.mock.range) status = cwi_exec_fn_run(c, "rand::id", NULL, 0, &key);
    if (status == CW_OK) {
      status = cwi_db_value_record_named(node->u.mock.table.text, node->u.mock.table.size, key,
                                         &rid, &c->err);
    }
    if (status == CW_OK) status = cw_value_array_push(out, rid, &c->err);
    if (status == CW_OK) status = cwi_exec_tick(c);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- operators ---- */

static cw_value items_of(cw_value v) {
  return cwi_db_kind_of(v) == CWI_DB_SET ? cwi_db_set_items(v) : v;
}

static bool contains(db_ctx *c, cw_value whole, cw_value part) {
  switch (cwi_db_kind_of(whole)) {
    case CWI_DB_ARRAY:
    case CWI_DB_SET: {
      cw_value items = items_of(whole);
      for (size_t i = 0; i < cw_value_len(items); i++) {
        if (cwi_db_equal(cw_value_array_get(items, i), part)) return true;
      }
      return false;
    }
    case CWI_DB_STRING: {
      if (part.kind != CW_VALUE_STRING) return false;
      cw_bytes a = cw_value_as_bytes(whole), b = cw_value_as_bytes(part);
      return b.size == 0 || memmem(a.data, a.size, b.data, b.size) != NULL;
    }
    case CWI_DB_OBJECT: {
      if (part.kind != CW_VALUE_STRING) return false;
      cw_bytes key = cw_value_as_bytes(part);
      return cwi_value_object_find(whole, key.data, key.size) != NULL;
    }
    case CWI_DB_RANGE: return cwi_db_range_contains(whole, part);
    case CWI_DB_GEOMETRY: {
      if (cwi_db_kind_of(part) != CWI_DB_GEOMETRY) return false;
      return cwi_exec_geometry_contains(whole, part);
    }
    default: break;
  }
  (void)c;
  return false;
}

/* Counts how many items of `parts` lie in `whole`; *len is how many there are, -1: no list. */
static int64_t contained(db_ctx *c, cw_value whole, cw_value parts, int64_t *len) {
  cw_value items = items_of(parts);
  cwi_db_kind kind = cwi_db_kind_of(whole);
  *len = -1;
  if (items.kind != CW_VALUE_ARRAY || (kind != CWI_DB_ARRAY && kind != CWI_DB_SET &&
                                       kind != CWI_DB_STRING && kind != CWI_DB_RANGE)) {
    return 0;
  }
  *len = (int64_t)cw_value_len(items);
  int64_t count = 0;
  for (int64_t i = 0; i < *len; i++) {
    if (contains(c, whole, cw_value_array_get(items, (size_t)i))) count++;
  }
  return count;
}

static bool each_equal(cw_value list, cw_value item, bool all) {
  cw_value items = items_of(list);
  if (items.kind != CW_VALUE_ARRAY) return cwi_db_equal(list, item);
  for (size_t i = 0; i < cw_value_len(items); i++) {
    if (cwi_db_equal(cw_value_array_get(items, i), item) != all) return !all;
  }
  return all;
}

static bool relation(db_ctx *c, sql_op op, cw_value a, cw_value b) {
  int64_t len, count;
  switch (op) {
    case SQL_OP_EQ: return cwi_db_equal(a, b);
    case SQL_OP_EXACT: return cwi_db_compare(a, b) == 0;
    case SQL_OP_NE: return !cwi_db_equal(a, b);
    case SQL_OP_ALLEQ: return each_equal(a, b, true);
    case SQL_OP_ANYEQ: return each_equal(a, b, false);
    case SQL_OP_LT: return cwi_db_compare(a, b) < 0;
    case SQL_OP_LE: return cwi_db_compare(a, b) <= 0;
    case SQL_OP_GT: return cwi_db_compare(a, b) > 0;
    case SQL_OP_GE: return cwi_db_compare(a, b) >= 0;
    case SQL_OP_CONTAIN: return contains(c, a, b);
    case SQL_OP_NOTCONTAIN: return !contains(c, a, b);
    case SQL_OP_INSIDE: return contains(c, b, a);
    case SQL_OP_NOTINSIDE: return !contains(c, b, a);
    case SQL_OP_CONTAINALL: count = contained(c, a, b, &len); return len >= 0 && count == len;
    case SQL_OP_CONTAINANY: count = contained(c, a, b, &len); return len >= 0 && count > 0;
    case SQL_OP_CONTAINNONE: count = contained(c, a, b, &len); return count == 0;
    case SQL_OP_ALLINSIDE: count = contained(c, b, a, &len); return len >= 0 && count == len;
    case SQL_OP_ANYINSIDE: count = contained(c, b, a, &len); return len >= 0 && count > 0;
    case SQL_OP_NONEINSIDE: count = contained(c, b, a, &len); return count == 0;
    case SQL_OP_OUTSIDE: return !cwi_exec_geometry_intersects(a, b);
    case SQL_OP_INTERSECTS: return cwi_exec_geometry_intersects(a, b);
    default: return false;
  }
}

cw_status cwi_exec_binary(db_ctx *c, sql_op op, cw_value a, cw_value b, cw_value *out) {
  static const cwi_db_op ops[] = {CWI_DB_ADD, CWI_DB_SUB, CWI_DB_MUL,
                                  CWI_DB_DIV, CWI_DB_REM, CWI_DB_POW};
  if (op >= SQL_OP_ADD && op <= SQL_OP_POW) {
    return cwi_db_arith(ops[op - SQL_OP_ADD], a, b, out, &c->err);
  }
  *out = cwi_value_bool(relation(c, op, a, b));
  return CW_OK;
}

static cw_status eval_binary(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value a = cwi_value_none(), b = cwi_value_none();
  sql_op op = (sql_op)node->op;
  if (op == SQL_OP_KNN) {
    *out = cwi_value_bool(true); /* the executor has chosen the rows */
    return CW_OK;
  }
  cw_status status = cwi_exec_eval(c, node->u.binary.left, &a);
  if (status != CW_OK) return status;
  bool done = (op == SQL_OP_AND && !cwi_db_truthy(a)) ||
              ((op == SQL_OP_OR || op == SQL_OP_ELVIS) && cwi_db_truthy(a)) ||
              (op == SQL_OP_NULLISH && a.kind != CW_VALUE_NONE && a.kind != CW_VALUE_NULL);
  if (done) {
    *out = a;
    return CW_OK;
  }
  status = cwi_exec_eval(c, node->u.binary.right, &b);
  if (status == CW_OK) {
    if (op == SQL_OP_AND || op == SQL_OP_OR || op == SQL_OP_ELVIS || op == SQL_OP_NULLISH) {
      *out = b;
      b = cwi_value_none();
    } else if (op == SQL_OP_MATCHES) {
      status = cwi_exec_matches_text(c, node, a, b, out);
    } else {
      status = cwi_exec_binary(c, op, a, b, out);
    }
  }
  cw_value_release(&a);
  cw_value_release(&b);
  return status;
}

static cw_status eval_unary(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value a = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node->u.binary.left, &a);
  if (status != CW_OK) return status;
  if (node->op == SQL_OP_NOT) {
    *out = cwi_value_bool(!cwi_db_truthy(a));
  } else if (node->op == SQL_OP_POS) {
    *out = a;
    return CW_OK;
  } else {
    status = cwi_db_negate(a, out, &c->err);
  }
  cw_value_release(&a);
  return status;
}

static cw_status eval_point(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value x = cwi_value_none(), y = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node->u.binary.left, &x);
  if (status == CW_OK) status = cwi_exec_eval(c, node->u.binary.right, &y);
  if (status == CW_OK && (!cwi_db_is_number(x) || !cwi_db_is_number(y))) {
    status = cwi_exec_fail(c, CW_E_QUERY, "A point takes two numbers");
  }
  if (status == CW_OK) {
    status = cwi_db_value_point(cwi_db_number_as_float(x), cwi_db_number_as_float(y), out, &c->err);
  }
  cw_value_release(&x);
  cw_value_release(&y);
  return status;
}

/* ---- idioms ---- */

cw_status cwi_exec_eval_with(db_ctx *c, const sql_expr *node, cw_value value, cw_value rid,
                             cw_value *out) {
  db_doc doc = {.up = c->doc, .value = value, .rid = rid};
  c->doc = &doc;
  cw_status status = cwi_exec_eval(c, node, out);
  c->doc = doc.up;
  return status;
}

static cw_status each_part(db_ctx *c, cw_value list, const sql_vec *parts, uint32_t from,
                           bool fetch, cw_value *out) {
  cw_value items = items_of(list);
  size_t len = cw_value_len(items);
  cw_status status = cw_value_array(len, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < len; i++) {
    cw_value item = cwi_value_none(), base = cwi_value_retain(cw_value_array_get(items, i));
    if (fetch && cwi_exec_is_record(base)) {
      cw_value record = cwi_value_none();
      status = cwi_exec_record_get(c, base, &record);
      cw_value_release(&base);
      base = record;
    }
    if (status == CW_OK) status = cwi_exec_eval_parts(c, base, parts, from, &item);
    if (status == CW_OK) status = cw_value_array_push(out, item, &c->err);
    cw_value_release(&base);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status slice(db_ctx *c, cw_value array, cw_value range, cw_value *out) {
  int64_t first, end;
  cw_status status = cw_value_array(0, out, &c->err);
  if (!cwi_db_range_ints(range, &first, &end)) return status;
  int64_t len = (int64_t)cw_value_len(array);
  if (first < 0) first = 0;
  if (end > len) end = len;
  for (int64_t i = first; status == CW_OK && i < end; i++) {
    status =
        cw_value_array_push(out, cwi_value_retain(cw_value_array_get(array, (size_t)i)), &c->err);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status part_index(db_ctx *c, cw_value base, const sql_part *part, cw_value *out) {
  cw_value index = cwi_value_none();
  cw_status status = cwi_exec_eval(c, part->expr, &index);
  if (status != CW_OK) return status;
  cw_value items = items_of(base);
  if (items.kind == CW_VALUE_ARRAY) {
    if (cwi_db_is_number(index)) {
      int64_t at = index.kind == CW_VALUE_INT ? cwi_value_as_int(index)
                                              : (int64_t)cwi_db_number_as_float(index);
      if (at >= 0) *out = cwi_value_retain(cw_value_array_get(items, (size_t)at));
    } else if (cwi_db_kind_of(index) == CWI_DB_RANGE) {
      status = slice(c, items, index, out);
    }
  } else if (base.kind == CW_VALUE_OBJECT) {
    cw_value key = cwi_value_none();
    status = cwi_db_text_value(index, true, &key, &c->err);
    if (status == CW_OK) {
      sql_str name = db_str(key);
      *out = cwi_value_retain(cw_value_object_get(base, name.text, name.size));
    }
    cw_value_release(&key);
  }
  cw_value_release(&index);
  return status;
}

static cw_status part_where(db_ctx *c, cw_value base, const sql_part *part, cw_value *out) {
  cw_value items = items_of(base);
  if (items.kind != CW_VALUE_ARRAY) {
    cw_value keep = cwi_value_none();
    cw_status one = cwi_exec_eval_with(c, part->expr, base, cwi_value_none(), &keep);
    if (one == CW_OK && cwi_db_truthy(keep)) *out = cwi_value_retain(base);
    cw_value_release(&keep);
    return one;
  }
  cw_status status = cw_value_array(0, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
    cw_value item = cw_value_array_get(items, i), keep = cwi_value_none();
    cw_value doc = cwi_value_retain(item);
    if (cwi_exec_is_record(item)) {
      cw_value_release(&doc);
      status = cwi_exec_record_get(c, item, &doc);
    }
    if (status == CW_OK) status = cwi_exec_eval_with(c, part->expr, doc, cwi_value_none(), &keep);
    if (status == CW_OK && cwi_db_truthy(keep)) {
      status = cw_value_array_push(out, cwi_value_retain(item), &c->err);
    }
    cw_value_release(&doc);
    cw_value_release(&keep);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status part_flatten(db_ctx *c, cw_value base, cw_value *out) {
  cw_value items = items_of(base);
  if (items.kind != CW_VALUE_ARRAY) {
    *out = cwi_value_retain(base);
    return CW_OK;
  }
  cw_status status = cw_value_array(0, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
    cw_value item = cw_value_array_get(items, i), inner = items_of(item);
    if (inner.kind != CW_VALUE_ARRAY) {
      status = cw_value_array_push(out, cwi_value_retain(item), &c->err);
      continue;
    }
    for (size_t k = 0; status == CW_OK && k < cw_value_len(inner); k++) {
      status = cw_value_array_push(out, cwi_value_retain(cw_value_array_get(inner, k)), &c->err);
    }
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status part_pick(db_ctx *c, cw_value base, const sql_part *part, cw_value *out) {
  cw_value items = items_of(base);
  if (items.kind == CW_VALUE_ARRAY) {
    cw_status status = cw_value_array(0, out, &c->err);
    for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
      cw_value item = cwi_value_none();
      status = part_pick(c, cw_value_array_get(items, i), part, &item);
      if (status == CW_OK) status = cw_value_array_push(out, item, &c->err);
    }
    if (status != CW_OK) cw_value_release(out);
    return status;
  }
  cw_value doc = cwi_value_retain(base), rid = cwi_value_none();
  cw_status status = CW_OK;
  if (cwi_exec_is_record(base)) {
    rid = base;
    cw_value_release(&doc);
    status = cwi_exec_record_get(c, base, &doc);
  }
  if (status == CW_OK && doc.kind == CW_VALUE_OBJECT) {
    status = cw_value_object(out, &c->err);
    for (uint32_t i = 0; status == CW_OK && i < part->args.len; i++) {
      const sql_pair *pick = part->args.items[i];
      cw_value item = cwi_value_none();
      status = cwi_exec_eval_with(c, pick->value, doc, rid, &item);
      if (status == CW_OK) {
        status = cw_value_object_set(out, pick->key.text, pick->key.size, item, &c->err);
      }
    }
    if (status != CW_OK) cw_value_release(out);
  }
  cw_value_release(&doc);
  return status;
}

static cw_status part_call(db_ctx *c, cw_value base, const sql_part *part, cw_value *out) {
  cw_value args = cwi_value_none();
  cw_status status = eval_list(c, &part->args, &args);
  if (status != CW_OK) return status;
  if (cwi_db_kind_of(base) != CWI_DB_FUNCTION) {
    status = cwi_exec_fail(
        c, CW_E_QUERY,
        "There was a problem running the ANONYMOUS() function. '%s' is not a function",
        cwi_db_kind_name(cwi_db_kind_of(base)));
  } else {
    status =
        cwi_exec_closure_call(c, base, cwi_value_array_ptr(args)->items, cw_value_len(args), out);
  }
  cw_value_release(&args);
  return status;
}

/* One part on one value; *rest is false where the parts behind it have been applied already. */
static cw_status one_part(db_ctx *c, cw_value base, const sql_vec *parts, uint32_t at,
                          cw_value *out, bool *rest) {
  const sql_part *part = parts->items[at];
  cw_value items = items_of(base);
  bool is_list = items.kind == CW_VALUE_ARRAY;
  switch ((sql_part_kind)part->kind) {
    case SQL_P_FIELD:
      if (base.kind == CW_VALUE_OBJECT) {
        *out = cwi_value_retain(cw_value_object_get(base, part->name.text, part->name.size));
      } else if (is_list) {
        *rest = false;
        return each_part(c, base, parts, at, false, out);
      } else if (cwi_exec_is_record(base)) {
        cw_value record = cwi_value_none();
        cw_status status = cwi_exec_record_get(c, base, &record);
        *out = cwi_value_retain(cw_value_object_get(record, part->name.text, part->name.size));
        cw_value_release(&record);
        return status;
      } else if (cwi_db_kind_of(base) == CWI_DB_GEOMETRY) {
        cw_value object = cwi_value_none();
        cw_status status = cwi_db_geometry_to_object(base, &object, &c->err);
        *out = cwi_value_retain(cw_value_object_get(object, part->name.text, part->name.size));
        cw_value_release(&object);
        return status;
      }
      return CW_OK;
    case SQL_P_INDEX:
      if (cwi_exec_is_record(base)) {
        cw_value record = cwi_value_none();
        cw_status status = cwi_exec_record_get(c, base, &record);
        if (status == CW_OK) status = part_index(c, record, part, out);
        cw_value_release(&record);
        return status;
      }
      return part_index(c, base, part, out);
    case SQL_P_ALL:
      if (is_list) {
        *rest = false;
        return each_part(c, base, parts, at + 1, true, out);
      }
      if (cwi_exec_is_record(base)) return cwi_exec_record_get(c, base, out);
      *out = cwi_value_retain(base);
      return CW_OK;
    case SQL_P_LAST:
      if (is_list && cw_value_len(items) > 0) {
        *out = cwi_value_retain(cw_value_array_get(items, cw_value_len(items) - 1));
      }
      return CW_OK;
    case SQL_P_FLATTEN: return part_flatten(c, base, out);
    case SQL_P_OPTIONAL:
      *out = cwi_value_retain(base);
      *rest = base.kind != CW_VALUE_NONE && base.kind != CW_VALUE_NULL;
      return CW_OK;
    case SQL_P_WHERE: return part_where(c, base, part, out);
    case SQL_P_METHOD: return cwi_exec_method(c, base, part, out);
    case SQL_P_CALL: return part_call(c, base, part, out);
    case SQL_P_GRAPH: return cwi_exec_eval_graph(c, base, part->graph, out);
    case SQL_P_PICK: return part_pick(c, base, part, out);
    case SQL_P_RECURSE:
      *rest = part->recurse->path.len > 0;
      return cwi_exec_eval_recurse(c, base, parts, at, out);
    case SQL_P_REPEAT: return cwi_exec_eval_repeat(c, base, out);
  }
  return CW_OK;
}

cw_status cwi_exec_eval_parts(db_ctx *c, cw_value base, const sql_vec *parts, uint32_t from,
                              cw_value *out) {
  cw_value value = cwi_value_retain(base);
  bool rest = true;
  cw_status status = CW_OK;
  for (uint32_t i = from; rest && status == CW_OK && i < parts->len; i++) {
    cw_value next = cwi_value_none();
    status = one_part(c, value, parts, i, &next, &rest);
    cw_value_release(&value);
    value = next;
  }
  if (status != CW_OK) cw_value_release(&value);
  *out = value;
  return status;
}

static cw_status eval_idiom(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value base = cwi_value_none();
  if (node->u.idiom.start != NULL) {
    cw_status status = cwi_exec_eval(c, node->u.idiom.start, &base);
    if (status != CW_OK) return status;
  } else {
    if (c->doc == NULL) {
      const sql_part *first = node->u.idiom.parts.items[0];
      if (first->kind != SQL_P_FIELD) return CW_OK;
    } else {
      const sql_part *first = node->u.idiom.parts.items[0];
      bool graph = first->kind == SQL_P_GRAPH || first->kind == SQL_P_RECURSE;
      base =
          cwi_value_retain(graph && cwi_exec_is_record(c->doc->rid) ? c->doc->rid : c->doc->value);
    }
  }
  cw_status status = cwi_exec_eval_parts(c, base, &node->u.idiom.parts, 0, out);
  cw_value_release(&base);
  return status;
}

/* ---- the whole ---- */

static cw_status eval_cast(db_ctx *c, const sql_expr *node, cw_value *out) {
  cw_value value = cwi_value_none();
  cw_status status = cwi_exec_eval(c, node->u.cast.expr, &value);
  if (status == CW_OK) status = cwi_exec_cast(c, value, node->u.cast.type, out);
  cw_value_release(&value);
  return status;
}

static cw_status eval_node(db_ctx *c, const sql_expr *node, cw_value *out) {
  switch ((sql_node)node->kind) {
    case SQL_LITERAL: *out = cwi_value_retain(node->u.lit.value); return CW_OK;
    case SQL_PARAM: return cwi_exec_var_get(c, node->u.name.text, node->u.name.size, out);
    case SQL_CONST: cwi_db_fn_constant(node->u.name.text, node->u.name.size, out); return CW_OK;
    case SQL_TABLE: return cwi_db_value_table(node->u.name.text, node->u.name.size, out, &c->err);
    case SQL_IDIOM: return eval_idiom(c, node, out);
    case SQL_ARRAY: return eval_list(c, &node->u.list, out);
    case SQL_SET: {
      cw_value items = cwi_value_none();
      cw_status status = eval_list(c, &node->u.list, &items);
      return status != CW_OK ? status : cwi_db_value_set(items, out, &c->err);
    }
    case SQL_OBJECT: return eval_object(c, node, out);
    case SQL_RECORD: return cwi_exec_record_of(c, node, out);
    case SQL_POINT: return eval_point(c, node, out);
    case SQL_UNARY: return eval_unary(c, node, out);
    case SQL_BINARY: return eval_binary(c, node, out);
    case SQL_CAST: return eval_cast(c, node, out);
    case SQL_CALL: return cwi_exec_call(c, node, out);
    case SQL_CLOSURE: return cwi_exec_closure_new(c, node, out);
    case SQL_BLOCK: return cwi_exec_block(c, node, out);
    case SQL_RANGE: return cwi_exec_range_of(c, node, out);
    case SQL_MOCK: return eval_mock(c, node, out);
    case SQL_PAREN: {
      cw_status status = cwi_exec_eval(c, node->u.binary.left, out);
      if (status == DB_FLOW && c->flow == DB_FLOW_RETURN &&
          node->u.binary.left->kind == SQL_RETURN) {
        c->flow = DB_FLOW_NONE;
        *out = c->flow_value;
        c->flow_value = cwi_value_none();
        status = CW_OK;
      }
      return status;
    }
    case SQL_SCRIPT:
      return cwi_exec_fail(
          c, CW_E_QUERY,
          "Problem with embedded script function. Embedded functions are not enabled.");
    default: return cwi_exec_statement(c, node, out);
  }
}

cw_status cwi_exec_eval(db_ctx *c, const sql_expr *node, cw_value *out) {
  *out = cwi_value_none();
  if (c->group != NULL) return cwi_exec_eval_group(c, node, out);
  if (++c->depth > DB_EVAL_DEPTH_MAX) {
    c->depth--;
    return cwi_exec_fail(
        c, CW_E_LIMIT,
        "Reached excessive computation depth due to functions, subqueries, or computed "
        "values");
  }
  cw_status status = eval_node(c, node, out);
  c->depth--;
  if (status != CW_OK) cw_value_release(out);
  return status;
}
