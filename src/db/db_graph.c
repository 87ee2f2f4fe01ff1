/* SPDX-License-Identifier: MIT */
/* Graph steps and recursion.
 *
 * A record has one pointer an edge and a direction, in the space of its own table's edges; an edge
 * knows its two ends by its fields `in` and `out`. A step from a node gives edges, one from an edge
 * its ends. */
#include <string.h>

#include "db/db_exec.h"

#define RECURSE_MAX 256

typedef struct walk {
  db_ctx *c;
  const sql_graph *graph;
  cw_value *out; /* ARRAY */
} walk;

static cw_status subject_fits(db_ctx *c, const sql_graph *g, cw_value rid, bool *fits) {
  *fits = g->what.len == 0;
  sql_str table = db_str(cwi_db_record_table(rid));
  for (uint32_t i = 0; !*fits && i < g->what.len; i++) {
    const sql_subject *s = g->what.items[i];
    if (!cwi_exec_str_same(s->table, table)) continue;
    *fits = true;
    if (s->key != NULL) {
      cw_value key = cwi_value_none();
      cw_status status = cwi_exec_eval(c, s->key, &key);
      if (status != CW_OK) return status;
      *fits = cwi_db_kind_of(key) == CWI_DB_RANGE
                  ? cwi_db_range_contains(key, cwi_db_record_key(rid))
                  : cwi_db_equal(key, cwi_db_record_key(rid));
      cw_value_release(&key);
    }
  }
  return CW_OK;
}

static cw_status offer(walk *w, cw_value rid) {
  db_ctx *c = w->c;
  bool fits;
  cw_status status = subject_fits(c, w->graph, rid, &fits);
  if (status != CW_OK || !fits) return status;
  if (w->graph->where != NULL) {
    cw_value doc = cwi_value_none(), keep = cwi_value_none();
    status = cwi_exec_record_get(c, rid, &doc);
    if (status == CW_OK) status = cwi_exec_eval_with(c, w->graph->where, doc, rid, &keep);
    fits = status == CW_OK && cwi_db_truthy(keep);
    cw_value_release(&doc);
    cw_value_release(&keep);
  }
  if (status == CW_OK && fits) status = cw_value_array_push(w->out, cwi_value_retain(rid), &c->err);
  return status;
}

cw_status cwi_exec_edge_prefix(db_ctx *c, cw_value rid, char direction, cwi_buf *out) {
  sql_str name = db_str(cwi_db_record_table(rid));
  cwi_db_key_prefix(out, c->scope.db, 0, CWI_DB_KEYS_EDGE);
  cwi_db_key_text(out, name.text, name.size);
  cw_status status = cwi_db_key_record_key(out, cwi_db_record_key(rid), &c->err);
  cwi_buf_append_char(out, direction);
  return status == CW_OK && out->failed ? cwi_exec_nomem(c) : status;
}

/* The pointers of one record in one direction ('<' to edges that end here, '>' to edges that
 * start). */
static cw_status pointers(walk *w, cw_value rid, char direction) {
  db_ctx *c = w->c;
  cwi_buf begin, end;
  cwi_buf_init(&begin, CWI_DB_KEY_BYTES_MAX);
  cwi_buf_init(&end, CWI_DB_KEY_BYTES_MAX);
  cwi_db_cursor *cursor = NULL;
  cw_value list = cwi_value_none();
  cw_status status = cwi_exec_edge_prefix(c, rid, direction, &begin);
  if (status == CW_OK) status = cw_value_array(0, &list, &c->err);
  if (status == CW_OK) {
    cwi_buf_append(&end, begin.data, begin.size);
    cwi_db_key_successor(&end);
    if (begin.failed || end.failed) status = cwi_exec_nomem(c);
  }
  if (status == CW_OK) {
    status = cwi_db_cursor_open(c->txn, (cw_bytes){begin.data, begin.size},
                                (cw_bytes){end.data, end.size}, false, &cursor, &c->err);
  }
  while (status == CW_OK) {
    cw_bytes key, value;
    bool found;
    status = cwi_db_cursor_next(cursor, &key, &value, &found, &c->err);
    if (status != CW_OK || !found) break;
    cw_bytes rest = {.data = (const char *)key.data + begin.size, .size = key.size - begin.size};
    cwi_buf name;
    cwi_buf_init(&name, 0);
    cw_value edge_key = cwi_value_none(), edge = cwi_value_none();
    status = cwi_db_key_read_text(&rest, &name, &c->err);
    if (status == CW_OK) status = cwi_db_key_read_record_key(&rest, &edge_key, &c->err);
    if (status == CW_OK) {
      status = cwi_db_value_record_named(name.data, name.size, edge_key, &edge, &c->err);
    }
    cwi_buf_deinit(&name);
    if (status == CW_OK) status = cw_value_array_push(&list, edge, &c->err);
  }
  cwi_db_cursor_close(cursor);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(list); i++) {
    status = offer(w, cw_value_array_get(list, i));
  }
  cw_value_release(&list);
  cwi_buf_deinit(&begin);
  cwi_buf_deinit(&end);
  return status;
}

/* <~: the records of other tables whose fields refer to this one. */
static cw_status references(walk *w, cw_value rid) {
  db_ctx *c = w->c;
  cw_status status = CW_OK;
  for (uint32_t i = 0; status == CW_OK && i < w->graph->what.len; i++) {
    const sql_subject *s = w->graph->what.items[i];
    cw_value name = cwi_value_none();
    db_table *table = NULL;
    db_scan scan = {0};
    status = cwi_exec_string(c, s->table.text, s->table.size, &name);
    if (status == CW_OK) status = cwi_exec_table_get(c, name, false, &table);
    cw_value_release(&name);
    if (status != CW_OK || table == NULL) continue;
    status = cwi_exec_scan_open(c, table, cwi_value_none(), &scan);
    while (status == CW_OK) {
      cw_value other = cwi_value_none(), doc = cwi_value_none();
      bool found = false, refers = false;
      status = cwi_exec_scan_next(c, &scan, &other, &doc, &found);
      if (status != CW_OK || !found) break;
      for (size_t f = 0; status == CW_OK && !refers && f < table->fields.len; f++) {
        const sql_define *d = table->fields.items[f].define;
        if (!d->fd.reference) continue;
        cw_value value = cwi_value_none();
        status = cwi_exec_eval_with(c, d->fd.idiom, doc, other, &value);
        refers = status == CW_OK && cwi_db_equal(value, rid);
        for (size_t k = 0; !refers && value.kind == CW_VALUE_ARRAY && k < cw_value_len(value);
             k++) {
          refers = cwi_db_equal(cw_value_array_get(value, k), rid);
        }
        cw_value_release(&value);
      }
      if (status == CW_OK && refers)
        status = cw_value_array_push(w->out, cwi_value_retain(other), &c->err);
      cw_value_release(&other);
      cw_value_release(&doc);
    }
    cwi_exec_scan_close(&scan);
  }
  return status;
}

static cw_status from_record(walk *w, cw_value rid) {
  db_ctx *c = w->c;
  cw_value doc = cwi_value_none();
  cw_status status = cwi_exec_tick(c);
  if (status != CW_OK) return status;
  if (w->graph->dir == SQL_DIR_REF) return references(w, rid);
  bool in = w->graph->dir != SQL_DIR_OUT, out = w->graph->dir != SQL_DIR_IN;
  status = cwi_exec_record_get(c, rid, &doc);
  cw_value from = cwi_exec_obj_get(doc, "in"), to = cwi_exec_obj_get(doc, "out");
  if (status == CW_OK && cwi_exec_is_record(from) && cwi_exec_is_record(to)) {
    if (in) status = offer(w, from);
    if (status == CW_OK && out) status = offer(w, to);
  }
  cw_value_release(&doc);
  if (status == CW_OK) status = cwi_exec_scope_get(c, false);
  if (status != CW_OK || c->scope.db == 0) return status;
  if (in) status = pointers(w, rid, '<');
  if (status == CW_OK && out) status = pointers(w, rid, '>');
  return status;
}

static cw_status from_value(walk *w, cw_value base) {
  cw_value items = cwi_db_kind_of(base) == CWI_DB_SET ? cwi_db_set_items(base) : base;
  if (cwi_exec_is_record(base)) return from_record(w, base);
  if (base.kind == CW_VALUE_OBJECT && cwi_exec_is_record(cwi_exec_obj_get(base, "id"))) {
    return from_record(w, cwi_exec_obj_get(base, "id"));
  }
  cw_status status = CW_OK;
  for (size_t i = 0; items.kind == CW_VALUE_ARRAY && status == CW_OK && i < cw_value_len(items);
       i++) {
    status = from_value(w, cw_value_array_get(items, i));
  }
  return status;
}

/* ->(SELECT ... FROM k ...): the edges are the rows of that SELECT. */
static cw_status graph_select(db_ctx *c, cw_value base, const sql_graph *graph, cw_value *out) {
  const sql_select *inner = graph->select->u.stmt;
  sql_graph step = {.dir = graph->dir};
  sql_subject subjects[8];
  void *items[8];
  for (uint32_t i = 0; i < inner->what.len && i < 8; i++) {
    const sql_expr *target = inner->what.items[i];
    if (target->kind != SQL_TABLE) continue;
    subjects[step.what.len] = (sql_subject){.table = target->u.name};
    items[step.what.len] = &subjects[step.what.len];
    step.what.len++;
  }
  step.what.items = items;
  cw_value edges = cwi_value_none();
  cw_status status = cwi_exec_eval_graph(c, base, &step, &edges);
  if (status != CW_OK) return status;
  sql_expr literal = {.kind = SQL_LITERAL, .u.lit.value = edges};
  void *what[1] = {&literal};
  sql_select select = *inner;
  select.what = (sql_vec){.items = what, .len = 1};
  sql_expr node = {.kind = SQL_SELECT, .u.stmt = &select};
  status = cwi_exec_select(c, &node, out);
  cw_value_release(&edges);
  return status;
}

cw_status cwi_exec_eval_graph(db_ctx *c, cw_value base, const sql_graph *graph, cw_value *out) {
  if (graph->select != NULL) return graph_select(c, base, graph, out);
  if (base.kind == CW_VALUE_NONE) return CW_OK;
  walk w = {.c = c, .graph = graph, .out = out};
  cw_status status = cw_value_array(0, out, &c->err);
  if (status == CW_OK) status = from_value(&w, base);
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* ---- recursion ---- */

static cw_status flatten_into(db_ctx *c, cw_value value, cw_value *out) {
  if (value.kind == CW_VALUE_NONE || value.kind == CW_VALUE_NULL) return CW_OK;
  if (value.kind != CW_VALUE_ARRAY)
    return cw_value_array_push(out, cwi_value_retain(value), &c->err);
  cw_status status = CW_OK;
  for (size_t i = 0; status == CW_OK && i < cw_value_len(value); i++) {
    status = flatten_into(c, cw_value_array_get(value, i), out);
  }
  return status;
}

static bool list_has(cw_value list, cw_value item) {
  for (size_t i = 0; i < cw_value_len(list); i++) {
    if (cwi_db_equal(cw_value_array_get(list, i), item)) return true;
  }
  return false;
}

/* One step from a list: the flat list of where it leads, each once. */
static cw_status step(db_ctx *c, cw_value from, const sql_vec *parts, uint32_t at, cw_value *out) {
  cw_value raw = cwi_value_none(), flat = cwi_value_none();
  cw_status status = cwi_exec_eval_parts(c, from, parts, at, &raw);
  if (status == CW_OK) status = cw_value_array(0, &flat, &c->err);
  if (status == CW_OK) status = flatten_into(c, raw, &flat);
  if (status == CW_OK) status = cw_value_array(0, out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(flat); i++) {
    cw_value item = cw_value_array_get(flat, i);
    if (!list_has(*out, item)) status = cw_value_array_push(out, cwi_value_retain(item), &c->err);
  }
  cw_value_release(&raw);
  cw_value_release(&flat);
  return status;
}

static cw_status walk_last(db_ctx *c, cw_value base, const sql_recurse *r, const sql_vec *parts,
                           uint32_t at, int64_t min, int64_t max, cw_value *out) {
  cw_value now = cwi_value_retain(base);
  cw_value all = cwi_value_none();
  int64_t depth = 0;
  cw_status status = cw_value_array(0, &all, &c->err);
  if (status == CW_OK && r->inclusive)
    status = cw_value_array_push(&all, cwi_value_retain(base), &c->err);
  for (; status == CW_OK && depth < max; depth++) {
    cw_value next = cwi_value_none();
    status = step(c, now, parts, at, &next);
    if (status != CW_OK || cw_value_len(next) == 0) {
      cw_value_release(&next);
      break;
    }
    if (r->walk == SQL_WALK_COLLECT) {
      cw_value fresh = cwi_value_none();
      status = cw_value_array(0, &fresh, &c->err);
      for (size_t i = 0; status == CW_OK && i < cw_value_len(next); i++) {
        cw_value item = cw_value_array_get(next, i);
        if (list_has(all, item)) continue;
        status = cw_value_array_push(&all, cwi_value_retain(item), &c->err);
        if (status == CW_OK) status = cw_value_array_push(&fresh, cwi_value_retain(item), &c->err);
      }
      cw_value_release(&next);
      next = fresh;
      if (cw_value_len(next) == 0) {
        cw_value_release(&next);
        break;
      }
    }
    cw_value_release(&now);
    now = next;
  }
  if (status == CW_OK && r->walk == SQL_WALK_COLLECT) {
    *out = all;
    all = cwi_value_none();
  } else if (status == CW_OK && depth >= min && depth > 0) {
    *out = now;
    now = cwi_value_none();
  } else if (status == CW_OK) {
    status = cw_value_array(0, out, &c->err);
  }
  cw_value_release(&now);
  cw_value_release(&all);
  return status;
}

/* Paths: a list of lists, each one longer every round; finished ones are those that lead
 * nowhere. */
static cw_status walk_paths(db_ctx *c, cw_value base, const sql_recurse *r, const sql_vec *parts,
                            uint32_t at, int64_t max, cw_value target, cw_value *out) {
  cw_value open = cwi_value_none(), done = cwi_value_none(), first = cwi_value_none();
  cw_value answer = cwi_value_none();
  cw_status status = cw_value_array(0, &open, &c->err);
  if (status == CW_OK) status = cw_value_array(0, &done, &c->err);
  if (status == CW_OK) status = cw_value_array(0, &first, &c->err);
  if (status == CW_OK) status = cw_value_array_push(&first, cwi_value_retain(base), &c->err);
  if (status == CW_OK) status = cw_value_array_push(&open, first, &c->err);
  bool found = false;
  for (int64_t depth = 0; status == CW_OK && !found && depth < max && cw_value_len(open) > 0;
       depth++) {
    cw_value longer = cwi_value_none();
    status = cw_value_array(0, &longer, &c->err);
    for (size_t i = 0; status == CW_OK && !found && i < cw_value_len(open); i++) {
      cw_value path = cw_value_array_get(open, i), next = cwi_value_none();
      status = step(c, cw_value_array_get(path, cw_value_len(path) - 1), parts, at, &next);
      if (status == CW_OK && cw_value_len(next) == 0) {
        status = cw_value_array_push(&done, cwi_value_retain(path), &c->err);
      }
      for (size_t k = 0; status == CW_OK && !found && k < cw_value_len(next); k++) {
        cw_value item = cw_value_array_get(next, k), grown = cwi_value_retain(path);
        if (list_has(path, item)) {
          cw_value_release(&grown);
          continue;
        }
        status = cw_value_array_push(&grown, cwi_value_retain(item), &c->err);
        if (status == CW_OK && r->walk == SQL_WALK_SHORTEST && cwi_db_equal(item, target)) {
          found = true;
          answer = grown;
        } else if (status == CW_OK) {
          status = cw_value_array_push(&longer, grown, &c->err);
        }
      }
      cw_value_release(&next);
    }
    cw_value_release(&open);
    open = longer;
  }
  for (size_t i = 0; status == CW_OK && i < cw_value_len(open); i++) {
    status = cw_value_array_push(&done, cwi_value_retain(cw_value_array_get(open, i)), &c->err);
  }
  if (status == CW_OK && !r->inclusive) { /* the start is no part of a path */
    cw_value gone = cwi_value_none();
    if (found) {
      status = cwi_value_array_remove(&answer, 0, &gone, &c->err);
      cw_value_release(&gone);
    }
    for (size_t i = 0; status == CW_OK && i < cw_value_len(done); i++) {
      cw_value path = cwi_value_retain(cw_value_array_get(done, i));
      status = cwi_value_array_remove(&path, 0, &gone, &c->err);
      cw_value_release(&gone);
      if (status == CW_OK) status = cw_value_array_set(&done, i, path, &c->err);
    }
  }
  if (r->walk == SQL_WALK_SHORTEST) {
    *out = answer;
    cw_value_release(&done);
  } else {
    *out = done;
    cw_value_release(&answer);
  }
  cw_value_release(&open);
  return status;
}

static bool has_repeat(const sql_vec *parts, uint32_t from);

static bool expr_has_repeat(const sql_expr *node) {
  return node != NULL && node->kind == SQL_IDIOM && has_repeat(&node->u.idiom.parts, 0);
}

static bool has_repeat(const sql_vec *parts, uint32_t from) {
  for (uint32_t i = from; i < parts->len; i++) {
    const sql_part *part = parts->items[i];
    if (part->kind == SQL_P_REPEAT) return true;
    for (uint32_t k = 0; part->kind == SQL_P_PICK && k < part->args.len; k++) {
      if (expr_has_repeat(((const sql_pair *)part->args.items[k])->value)) return true;
    }
  }
  return false;
}

static cw_status check_bound(db_ctx *c, int64_t bound) {
  if (bound == 0) {
    return cwi_exec_fail(c, CW_E_QUERY, "Found 0 for bound but expected at least 1.");
  }
  if (bound > RECURSE_MAX) {
    return cwi_exec_fail(c, CW_E_QUERY, "Found %lld for bound but expected %d at most.",
                         (long long)bound, RECURSE_MAX);
  }
  return CW_OK;
}

cw_status cwi_exec_eval_recurse(db_ctx *c, cw_value base, const sql_vec *parts, uint32_t at,
                                cw_value *out) {
  const sql_recurse *r = ((const sql_part *)parts->items[at])->recurse;
  cw_status status = check_bound(c, r->min);
  if (status == CW_OK) status = check_bound(c, r->max);
  if (status != CW_OK) return status;
  int64_t min = r->min < 0 ? 1 : r->min, max = r->max < 0 ? RECURSE_MAX : r->max;
  const sql_vec *path = r->path.len > 0 ? &r->path : parts;
  uint32_t from = r->path.len > 0 ? 0 : at + 1;
  if (has_repeat(path, from)) {
    db_recursion frame = {.up = c->recursion, .parts = path, .from = from, .depth = 1, .max = max};
    c->recursion = &frame;
    status = cwi_exec_eval_parts(c, base, path, from, out);
    c->recursion = frame.up;
    return status;
  }
  if (r->walk == SQL_WALK_PATH || r->walk == SQL_WALK_SHORTEST) {
    cw_value target = cwi_value_none();
    if (r->target != NULL) status = cwi_exec_eval(c, r->target, &target);
    if (status == CW_OK) status = walk_paths(c, base, r, path, from, max, target, out);
    cw_value_release(&target);
    return status;
  }
  return walk_last(c, base, r, path, from, min, max, out);
}

/* @: the whole recursion again on what has been reached. */
cw_status cwi_exec_eval_repeat(db_ctx *c, cw_value base, cw_value *out) {
  db_recursion *frame = c->recursion;
  if (frame == NULL) {
    return cwi_exec_fail(c, CW_E_QUERY,
                         "Tried to use a `@` repeat recurse symbol in a position where it is "
                         "not supported");
  }
  if (base.kind == CW_VALUE_ARRAY) {
    cw_status status = cw_value_array(cw_value_len(base), out, &c->err);
    for (size_t i = 0; status == CW_OK && i < cw_value_len(base); i++) {
      cw_value item = cwi_value_none();
      status = cwi_exec_eval_repeat(c, cw_value_array_get(base, i), &item);
      if (status == CW_OK) status = cw_value_array_push(out, item, &c->err);
    }
    return status;
  }
  if (frame->depth >= frame->max || !cwi_exec_is_record(base)) {
    *out = cwi_value_retain(base);
    return CW_OK;
  }
  db_recursion deeper = *frame;
  deeper.depth++;
  c->recursion = &deeper;
  cw_status status = cwi_exec_eval_parts(c, base, frame->parts, frame->from, out);
  c->recursion = frame;
  return status;
}
