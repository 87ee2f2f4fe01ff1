/* SPDX-License-Identifier: MIT */
/* Expressions, types and idioms as text. What is printed parses back to the same tree. */
#include "db/sql_print.h"

#include "db/db_value.h"

static const char *const op_texts[] = {
    [SQL_OP_NONE] = "",
    [SQL_OP_NEG] = "-",
    [SQL_OP_POS] = "+",
    [SQL_OP_NOT] = "!",
    [SQL_OP_OR] = "OR",
    [SQL_OP_AND] = "AND",
    [SQL_OP_NULLISH] = "??",
    [SQL_OP_ELVIS] = "?:",
    [SQL_OP_EQ] = "=",
    [SQL_OP_EXACT] = "==",
    [SQL_OP_NE] = "!=",
    [SQL_OP_ALLEQ] = "*=",
    [SQL_OP_ANYEQ] = "?=",
    [SQL_OP_LT] = "<",
    [SQL_OP_LE] = "<=",
    [SQL_OP_GT] = ">",
    [SQL_OP_GE] = ">=",
    [SQL_OP_ADD] = "+",
    [SQL_OP_SUB] = "-",
    [SQL_OP_MUL] = "*",
    [SQL_OP_DIV] = "/",
    [SQL_OP_REM] = "%",
    [SQL_OP_POW] = "**",
    [SQL_OP_CONTAIN] = "CONTAINS",
    [SQL_OP_NOTCONTAIN] = "CONTAINSNOT",
    [SQL_OP_CONTAINALL] = "CONTAINSALL",
    [SQL_OP_CONTAINANY] = "CONTAINSANY",
    [SQL_OP_CONTAINNONE] = "CONTAINSNONE",
    [SQL_OP_INSIDE] = "INSIDE",
    [SQL_OP_NOTINSIDE] = "NOTINSIDE",
    [SQL_OP_ALLINSIDE] = "ALLINSIDE",
    [SQL_OP_ANYINSIDE] = "ANYINSIDE",
    [SQL_OP_NONEINSIDE] = "NONEINSIDE",
    [SQL_OP_OUTSIDE] = "OUTSIDE",
    [SQL_OP_INTERSECTS] = "INTERSECTS",
    [SQL_OP_MATCHES] = "@@",
    [SQL_OP_KNN] = "<||>",
};

const char *cwi_sql_op_text(sql_op op) { return op_texts[op]; }

static void ident(cwi_buf *out, sql_str name) { cwi_db_text_ident(out, name.text, name.size); }

static void list(cwi_buf *out, const sql_vec *items) {
  for (uint32_t i = 0; i < items->len; i++) {
    if (i > 0) cwi_buf_append_str(out, ", ");
    cwi_sql_print_expr(out, items->items[i]);
  }
}

/* ---- types ---- */

static const char *const type_names[] = {
    [SQL_T_ANY] = "any",         [SQL_T_NONE] = "none",         [SQL_T_NULL] = "null",
    [SQL_T_BOOL] = "bool",       [SQL_T_BYTES] = "bytes",       [SQL_T_DATETIME] = "datetime",
    [SQL_T_DECIMAL] = "decimal", [SQL_T_DURATION] = "duration", [SQL_T_FLOAT] = "float",
    [SQL_T_INT] = "int",         [SQL_T_NUMBER] = "number",     [SQL_T_OBJECT] = "object",
    [SQL_T_POINT] = "point",     [SQL_T_STRING] = "string",     [SQL_T_UUID] = "uuid",
    [SQL_T_REGEX] = "regex",     [SQL_T_RANGE] = "range",       [SQL_T_RECORD] = "record",
    [SQL_T_TABLE] = "table",     [SQL_T_GEOMETRY] = "geometry", [SQL_T_SET] = "set",
    [SQL_T_ARRAY] = "array",     [SQL_T_FUNCTION] = "function", [SQL_T_FILE] = "file",
};

static void print_type(cwi_buf *out, const sql_type *t, const char *comma) {
  switch (t->kind) {
    case SQL_T_EITHER:
      for (uint32_t i = 0; i < t->inner.len; i++) {
        if (i > 0) cwi_buf_append_str(out, " | ");
        print_type(out, t->inner.items[i], comma);
      }
      break;
    case SQL_T_LITERAL: cwi_db_text(out, t->literal); break;
    case SQL_T_LIT_ARRAY:
      cwi_buf_append_char(out, '[');
      for (uint32_t i = 0; i < t->inner.len; i++) {
        if (i > 0) cwi_buf_append_str(out, ", ");
        print_type(out, t->inner.items[i], comma);
      }
      cwi_buf_append_char(out, ']');
      break;
    case SQL_T_LIT_OBJECT:
      cwi_buf_append_str(out, "{ ");
      for (uint32_t i = 0; i < t->inner.len; i++) {
        if (i > 0) cwi_buf_append_str(out, ", ");
        const sql_str *name = t->names.items[i];
        ident(out, *name);
        cwi_buf_append_str(out, ": ");
        print_type(out, t->inner.items[i], comma);
      }
      cwi_buf_append_str(out, " }");
      break;
    default:
      cwi_buf_append_str(out, type_names[t->kind]);
      if (t->names.len > 0) {
        cwi_buf_append_char(out, '<');
        for (uint32_t i = 0; i < t->names.len; i++) {
          if (i > 0) cwi_buf_append_str(out, " | ");
          ident(out, *(const sql_str *)t->names.items[i]);
        }
        cwi_buf_append_char(out, '>');
      } else if (t->inner.len > 0) {
        cwi_buf_append_char(out, '<');
        print_type(out, t->inner.items[0], comma);
        if (t->max >= 0) cwi_buf_append_format(out, "%s%lld", comma, (long long)t->max);
        cwi_buf_append_char(out, '>');
      }
      break;
  }
}

void cwi_sql_print_type(cwi_buf *out, const sql_type *type) { print_type(out, type, ", "); }
void cwi_sql_print_type_tight(cwi_buf *out, const sql_type *type) { print_type(out, type, ","); }

/* ---- idioms ---- */

static void print_subject(cwi_buf *out, const sql_subject *s) {
  ident(out, s->table);
  if (s->key != NULL) {
    cwi_buf_append_char(out, ':');
    sql_expr record = {.kind = SQL_RECORD, .u.record = {.table = s->table, .key = s->key}};
    cwi_buf text;
    cwi_buf_init(&text, 0);
    cwi_sql_print_expr(&text, &record);
    for (size_t i = 0; i < text.size; i++) {
      if (text.data[i] == ':') {
        cwi_buf_append(out, text.data + i + 1, text.size - i - 1);
        break;
      }
    }
    cwi_buf_deinit(&text);
  }
}

static void print_graph(cwi_buf *out, const sql_graph *g) {
  static const char *const arrows[] = {"->", "<-", "<->", "<~"};
  cwi_buf_append_str(out, arrows[g->dir]);
  if (g->select != NULL) {
    cwi_buf_append_char(out, '(');
    cwi_sql_print_expr(out, g->select);
    cwi_buf_append_char(out, ')');
    return;
  }
  bool plain = g->what.len <= 1 && g->where == NULL && g->alias == NULL;
  if (!plain) cwi_buf_append_char(out, '(');
  if (g->what.len == 0) cwi_buf_append_char(out, '?');
  for (uint32_t i = 0; i < g->what.len; i++) {
    if (i > 0) cwi_buf_append_str(out, ", ");
    print_subject(out, g->what.items[i]);
  }
  if (g->where != NULL) {
    cwi_buf_append_str(out, " WHERE ");
    cwi_sql_print_expr(out, g->where);
  }
  if (g->alias != NULL) {
    cwi_buf_append_str(out, " AS ");
    cwi_sql_print_expr(out, g->alias);
  }
  if (!plain) cwi_buf_append_char(out, ')');
}

static void print_recurse(cwi_buf *out, const sql_recurse *r) {
  cwi_buf_append_str(out, ".{");
  if (r->min >= 0) cwi_buf_append_format(out, "%lld", (long long)r->min);
  if (r->min != r->max || r->min < 0) cwi_buf_append_str(out, "..");
  if (r->max >= 0 && r->max != r->min) cwi_buf_append_format(out, "%lld", (long long)r->max);
  static const char *const walks[] = {"", "+collect", "+path", "+shortest="};
  cwi_buf_append_str(out, walks[r->walk]);
  if (r->target != NULL) cwi_sql_print_expr(out, r->target);
  if (r->inclusive) cwi_buf_append_str(out, "+inclusive");
  cwi_buf_append_char(out, '}');
  if (r->path.len > 0) {
    cwi_buf_append_char(out, '(');
    cwi_sql_print_parts(out, &r->path, false);
    cwi_buf_append_char(out, ')');
  }
}

static void print_part(cwi_buf *out, const sql_part *part, bool first) {
  switch ((sql_part_kind)part->kind) {
    case SQL_P_FIELD:
      if (!first) cwi_buf_append_char(out, '.');
      ident(out, part->name);
      break;
    case SQL_P_INDEX:
    case SQL_P_WHERE:
      cwi_buf_append_str(out, part->kind == SQL_P_WHERE ? "[WHERE " : "[");
      cwi_sql_print_expr(out, part->expr);
      cwi_buf_append_char(out, ']');
      break;
    case SQL_P_ALL: cwi_buf_append_str(out, first ? "*" : ".*"); break;
    case SQL_P_LAST: cwi_buf_append_str(out, "[$]"); break;
    case SQL_P_FLATTEN: cwi_buf_append_str(out, "…"); break;
    case SQL_P_OPTIONAL: cwi_buf_append_str(out, ".?"); break;
    case SQL_P_METHOD:
      cwi_buf_append_char(out, '.');
      ident(out, part->name);
      /* fallthrough */
    case SQL_P_CALL:
      cwi_buf_append_char(out, '(');
      list(out, &part->args);
      cwi_buf_append_char(out, ')');
      break;
    case SQL_P_GRAPH: print_graph(out, part->graph); break;
    case SQL_P_PICK:
      cwi_buf_append_str(out, ".{ ");
      for (uint32_t i = 0; i < part->args.len; i++) {
        const sql_pair *pick = part->args.items[i];
        if (i > 0) cwi_buf_append_str(out, ", ");
        ident(out, pick->key);
        cwi_buf_append_str(out, ": ");
        cwi_sql_print_expr(out, pick->value);
      }
      cwi_buf_append_str(out, " }");
      break;
    case SQL_P_RECURSE: print_recurse(out, part->recurse); break;
    case SQL_P_REPEAT: cwi_buf_append_str(out, ".@"); break;
  }
}

void cwi_sql_print_parts(cwi_buf *out, const sql_vec *parts, bool first) {
  for (uint32_t i = 0; i < parts->len; i++) print_part(out, parts->items[i], first && i == 0);
}

/* ---- expressions ---- */

static void print_key(cwi_buf *out, const sql_expr *key) {
  if (key == NULL) return;
  if (key->kind == SQL_LITERAL) {
    cwi_db_text_record_key(out, key->u.lit.value);
  } else if (key->kind == SQL_RANGE) {
    print_key(out, key->u.range.from);
    cwi_buf_append_str(out, key->u.range.from_excl ? ">.." : "..");
    if (key->u.range.to_incl) cwi_buf_append_char(out, '=');
    print_key(out, key->u.range.to);
  } else {
    cwi_sql_print_expr(out, key);
  }
}

static void print_pairs(cwi_buf *out, const sql_vec *pairs) {
  if (pairs->len == 0) {
    cwi_buf_append_str(out, "{  }");
    return;
  }
  cwi_buf_append_str(out, "{ ");
  for (uint32_t i = 0; i < pairs->len; i++) {
    const sql_pair *pair = pairs->items[i];
    if (i > 0) cwi_buf_append_str(out, ", ");
    ident(out, pair->key);
    cwi_buf_append_str(out, ": ");
    cwi_sql_print_expr(out, pair->value);
  }
  cwi_buf_append_str(out, " }");
}

static void print_closure(cwi_buf *out, const sql_expr *node) {
  cwi_buf_append_char(out, '|');
  for (uint32_t i = 0; i < node->u.closure.args.len; i++) {
    const sql_arg *arg = node->u.closure.args.items[i];
    if (i > 0) cwi_buf_append_str(out, ", ");
    cwi_buf_append_char(out, '$');
    cwi_buf_append(out, arg->name.text, arg->name.size);
    cwi_buf_append_str(out, ": ");
    if (arg->type != NULL)
      cwi_sql_print_type(out, arg->type);
    else
      cwi_buf_append_str(out, "any");
  }
  cwi_buf_append_str(out, "| ");
  if (node->u.closure.returns != NULL) {
    cwi_buf_append_str(out, "-> ");
    cwi_sql_print_type(out, node->u.closure.returns);
    cwi_buf_append_char(out, ' ');
  }
  cwi_sql_print_expr(out, node->u.closure.body);
}

static void print_block(cwi_buf *out, const sql_expr *node) {
  if (node->u.list.len == 0) {
    cwi_buf_append_str(out, "{;}");
    return;
  }
  cwi_buf_append_str(out, "{ ");
  for (uint32_t i = 0; i < node->u.list.len; i++) {
    if (i > 0) cwi_buf_append_str(out, "; ");
    cwi_sql_print_expr(out, node->u.list.items[i]);
  }
  cwi_buf_append_str(out, node->u.list.len > 1 ? "; }" : " }");
}

static void print_operand(cwi_buf *out, const sql_expr *node) {
  bool wrap = node->kind == SQL_RECORD;
  if (wrap) cwi_buf_append_char(out, '(');
  cwi_sql_print_expr(out, node);
  if (wrap) cwi_buf_append_char(out, ')');
}

static void print_binary(cwi_buf *out, const sql_expr *node) {
  print_operand(out, node->u.binary.left);
  const sql_knn *knn = node->u.binary.knn;
  if (knn != NULL) {
    cwi_buf_append_format(out, " <|%lld", (long long)knn->k);
    if (knn->ef >= 0) cwi_buf_append_format(out, ",%lld", (long long)knn->ef);
    if (knn->distance.size > 0) {
      cwi_buf_append_format(out, ",%.*s", (int)knn->distance.size, knn->distance.text);
      if (knn->order > 0) cwi_buf_append_format(out, " %g", knn->order);
    }
    cwi_buf_append_str(out, "|> ");
  } else if (node->op == SQL_OP_MATCHES && node->u.binary.ref >= 0) {
    cwi_buf_append_format(out, " @%lld@ ", (long long)node->u.binary.ref);
  } else {
    cwi_buf_append_format(out, " %s ", cwi_sql_op_text((sql_op)node->op));
  }
  print_operand(out, node->u.binary.right);
}

static void print_mock(cwi_buf *out, const sql_expr *node) {
  cwi_buf_append_char(out, '|');
  ident(out, node->u.mock.table);
  cwi_buf_append_format(out, ":%lld", (long long)node->u.mock.from);
  if (node->u.mock.range) cwi_buf_append_format(out, "..%lld", (long long)node->u.mock.to);
  cwi_buf_append_char(out, '|');
}

static void print_range(cwi_buf *out, const sql_expr *node) {
  if (node->u.range.from != NULL) cwi_sql_print_expr(out, node->u.range.from);
  cwi_buf_append_str(out, node->u.range.from_excl ? ">.." : "..");
  if (node->u.range.to_incl) cwi_buf_append_char(out, '=');
  if (node->u.range.to != NULL) cwi_sql_print_expr(out, node->u.range.to);
}

void cwi_sql_print_expr(cwi_buf *out, const sql_expr *node) {
  switch ((sql_node)node->kind) {
    case SQL_LITERAL: cwi_db_text(out, node->u.lit.value); break;
    case SQL_PARAM:
      cwi_buf_append_format(out, "$%.*s", (int)node->u.name.size, node->u.name.text);
      break;
    case SQL_CONST: cwi_buf_append(out, node->u.name.text, node->u.name.size); break;
    case SQL_TABLE: ident(out, node->u.name); break;
    case SQL_IDIOM:
      if (node->u.idiom.start != NULL) cwi_sql_print_expr(out, node->u.idiom.start);
      cwi_sql_print_parts(out, &node->u.idiom.parts, node->u.idiom.start == NULL);
      break;
    case SQL_ARRAY:
      cwi_buf_append_char(out, '[');
      list(out, &node->u.list);
      cwi_buf_append_char(out, ']');
      break;
    case SQL_SET:
      cwi_buf_append_char(out, '{');
      list(out, &node->u.list);
      if (node->u.list.len < 2) cwi_buf_append_char(out, ',');
      cwi_buf_append_char(out, '}');
      break;
    case SQL_OBJECT: print_pairs(out, &node->u.list); break;
    case SQL_RECORD:
      ident(out, node->u.record.table);
      cwi_buf_append_char(out, ':');
      print_key(out, node->u.record.key);
      break;
    case SQL_POINT:
      cwi_buf_append_char(out, '(');
      cwi_sql_print_expr(out, node->u.binary.left);
      cwi_buf_append_str(out, ", ");
      cwi_sql_print_expr(out, node->u.binary.right);
      cwi_buf_append_char(out, ')');
      break;
    case SQL_UNARY:
      cwi_buf_append_str(out, cwi_sql_op_text((sql_op)node->op));
      print_operand(out, node->u.binary.left);
      break;
    case SQL_BINARY: print_binary(out, node); break;
    case SQL_CAST:
      cwi_buf_append_char(out, '<');
      cwi_sql_print_type(out, node->u.cast.type);
      cwi_buf_append_str(out, "> ");
      cwi_sql_print_expr(out, node->u.cast.expr);
      break;
    case SQL_CALL:
      cwi_buf_append(out, node->u.call.name.text, node->u.call.name.size);
      cwi_buf_append_char(out, '(');
      list(out, &node->u.call.args);
      cwi_buf_append_char(out, ')');
      break;
    case SQL_CLOSURE: print_closure(out, node); break;
    case SQL_BLOCK: print_block(out, node); break;
    case SQL_RANGE: print_range(out, node); break;
    case SQL_MOCK: print_mock(out, node); break;
    case SQL_PAREN:
      cwi_buf_append_char(out, '(');
      cwi_sql_print_expr(out, node->u.binary.left);
      cwi_buf_append_char(out, ')');
      break;
    case SQL_SCRIPT: cwi_buf_append_str(out, "function() {}"); break;
    default: cwi_sql_print_statement(out, node); break;
  }
}
