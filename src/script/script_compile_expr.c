/* SPDX-License-Identifier: MIT */
/* Expressions to code: literals, variables, operators, conditions, closures.
 *
 * An operand that is a local variable is used where it lies. Since a block in the right operand may
 * change the left one's variable, such a left operand is copied first. Integers that fit 16 bits go
 * into the instruction; a comparison that only decides a jump becomes one instruction with it. */
#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_compile_internal.h"

void cwi_compile_move_out(compiler *c, uint16_t dst, uint16_t src) {
  if (dst != src) cwi_compile_emit(c, CWI_OP_MOVE_OUT, dst, src, 0);
}

bool cwi_compile_may_write(const node *expr) {
  switch (expr->kind) {
    case CWI_NODE_UNIT:
    case CWI_NODE_BOOL:
    case CWI_NODE_INT:
    case CWI_NODE_FLOAT:
    case CWI_NODE_CHAR:
    case CWI_NODE_STRING:
    case CWI_NODE_VAR:
    case CWI_NODE_THIS:
    case CWI_NODE_CLOSURE: return false;
    case CWI_NODE_UNARY:
    case CWI_NODE_PROP: return cwi_compile_may_write(expr->a);
    case CWI_NODE_BINARY:
    case CWI_NODE_AND:
    case CWI_NODE_OR:
    case CWI_NODE_COALESCE:
    case CWI_NODE_INDEX: return cwi_compile_may_write(expr->a) || cwi_compile_may_write(expr->b);
    default: return true;
  }
}

/* ---- variables ---- */

static bool is_plain_local(const node *expr) {
  return expr->kind == CWI_NODE_VAR && expr->path == NULL && expr->u.var != NULL &&
         !cwi_compile_var_of(expr->u.var)->captured;
}

static void compile_var(compiler *c, const node *expr, uint16_t dst) {
  cwi_compile_at_pos(c, expr->pos);
  if (expr->path != NULL) {
    uint32_t site = cwi_compile_site(c, expr->sym, expr->path);
    cwi_compile_at_pos2(c, expr->path->pos, expr->pos);
    cwi_compile_emit(c, CWI_OP_MODULE_GET, dst, site, 0);
  } else if (expr->u.var != NULL) {
    const cwi_script_var *var = cwi_compile_var_of(expr->u.var);
    cwi_compile_emit(c, var->captured ? CWI_OP_GET_CELL : CWI_OP_MOVE, dst, var->reg, 0);
  } else {
    bool fn = (expr->flags & CWI_NODE_IS_FN) != 0;
    uint32_t name = cwi_compile_name(c, expr->sym);
    cwi_compile_emit(c, fn ? CWI_OP_FN_NAME : CWI_OP_GET_NAME, dst, name, 0);
  }
}

uint16_t cwi_compile_any(compiler *c, node *expr, bool *temp) {
  if (is_plain_local(expr)) {
    *temp = false;
    return (uint16_t)cwi_compile_var_of(expr->u.var)->reg;
  }
  *temp = true;
  uint16_t reg = cwi_compile_temp(c);
  cwi_compile_expr(c, expr, reg);
  return reg;
}

/* ---- literals ---- */

static void compile_const(compiler *c, cw_value value, uint16_t dst) {
  cwi_compile_emit_d(c, CWI_OP_LOAD_CONST, dst, (int32_t)cwi_compile_const(c, value));
}

static void compile_int(compiler *c, int64_t value, uint16_t dst) {
  if (value >= INT32_MIN && value <= INT32_MAX) {
    cwi_compile_emit_d(c, CWI_OP_LOAD_INT, dst, (int32_t)value);
  } else {
    compile_const(c, cwi_value_int(value), dst);
  }
}

static void compile_check_literal(compiler *c, const node *item, uint16_t first, uint32_t len,
                                  uint32_t kind) {
  const cwi_script_limits *limits = c->unit->options->limits;
  if (limits->string_size_max == 0 && limits->array_len_max == 0 && limits->map_len_max == 0)
    return;
  cwi_compile_at_pos(c, item->pos);
  cwi_compile_emit(c, CWI_OP_CHECK_LITERAL, first, len, kind);
}

static void compile_array(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint32_t len = 0;
  for (node *item = expr->list; item != NULL; item = item->next) {
    cwi_compile_expr(c, item, cwi_compile_temp(c));
    compile_check_literal(c, item, (uint16_t)base, ++len, CW_VALUE_ARRAY);
  }
  cwi_compile_at_pos(c, expr->pos);
  cwi_compile_emit(c, CWI_OP_NEW_ARRAY, dst, base, len);
  c->next_reg = base;
}

static void compile_map(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint32_t len = 0;
  for (node *item = expr->list; item != NULL; item = item->next) {
    cwi_compile_expr(c, item->a, cwi_compile_temp(c));
    compile_check_literal(c, item->a, (uint16_t)base, ++len, CW_VALUE_OBJECT);
  }
  uint32_t keys = c->const_len;
  for (const node *item = expr->list; item != NULL; item = item->next) {
    cwi_compile_text(c, item->u.s.text, item->u.s.size);
  }
  cwi_compile_at_pos(c, expr->pos);
  cwi_compile_emit(c, CWI_OP_NEW_MAP, dst, base, keys);
  cwi_compile_emit_d(c, CWI_OP_EXTRA, 0, (int32_t)len);
  c->next_reg = base;
}

static void compile_interp(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint32_t len = 0;
  for (node *item = expr->list; item != NULL; item = item->next) {
    cwi_compile_expr(c, item, cwi_compile_temp(c));
    compile_check_literal(c, item, (uint16_t)base, ++len, CW_VALUE_STRING);
  }
  cwi_compile_at_pos(c, expr->pos);
  cwi_compile_emit(c, CWI_OP_INTERPOLATE, dst, base, len);
  c->next_reg = base;
}

static void compile_closure(compiler *c, const node *expr, uint16_t dst) {
  cwi_script_def *def = expr->u.def;
  cwi_compile_at_pos(c, expr->pos);
  cwi_compile_emit(c, CWI_OP_CLOSURE, dst, def->index, def->external_len);
  for (const cwi_script_external *e = def->externals; e != NULL; e = e->next) {
    cwi_compile_at_pos(c, e->outer->pos);
    if (e->outer->u.var != NULL) {
      uint32_t reg = cwi_compile_var_of(e->outer->u.var)->reg;
      cwi_compile_emit(c, CWI_OP_EXTRA, reg, 0, 0);
    } else {
      cwi_compile_emit(c, CWI_OP_EXTRA, CWI_REG_NONE, cwi_compile_name(c, e->outer->sym), 0);
    }
  }
}

/* ---- operators ---- */

static cwi_script_op op_of(cwi_script_token_kind op) {
  switch (op) {
    case CWI_TOKEN_PLUS:
    case CWI_TOKEN_PLUS_ASSIGN: return CWI_OP_ADD;
    case CWI_TOKEN_MINUS:
    case CWI_TOKEN_MINUS_ASSIGN: return CWI_OP_SUB;
    case CWI_TOKEN_STAR:
    case CWI_TOKEN_STAR_ASSIGN: return CWI_OP_MUL;
    case CWI_TOKEN_SLASH:
    case CWI_TOKEN_SLASH_ASSIGN: return CWI_OP_DIV;
    case CWI_TOKEN_PERCENT:
    case CWI_TOKEN_PERCENT_ASSIGN: return CWI_OP_MOD;
    case CWI_TOKEN_LT: return CWI_OP_LT;
    case CWI_TOKEN_LE: return CWI_OP_LE;
    case CWI_TOKEN_GT: return CWI_OP_GT;
    case CWI_TOKEN_GE: return CWI_OP_GE;
    case CWI_TOKEN_EQ: return CWI_OP_EQ;
    case CWI_TOKEN_NE: return CWI_OP_NE;
    case CWI_TOKEN_RANGE:
    case CWI_TOKEN_RANGE_INCL: return CWI_OP_RANGE;
    default: return CWI_OP_BINARY;
  }
}

void cwi_compile_binary_op(compiler *c, cwi_script_token_kind op, uint16_t dst, uint16_t lhs,
                           uint16_t rhs, uint8_t flags) {
  cwi_script_op code = op_of(op);
  uint32_t at = cwi_compile_emit(c, code, dst, lhs, rhs);
  if (op == CWI_TOKEN_RANGE_INCL) flags |= CWI_INSN_NEGATE;
  if (at < c->code_len) c->code[at].flags = flags;
  if (code == CWI_OP_BINARY) cwi_compile_emit_d(c, CWI_OP_EXTRA, 0, (int32_t)op);
}

static bool small_int(const node *expr, int64_t *value) {
  *value = expr->u.i;
  return expr->kind == CWI_NODE_INT && expr->u.i >= INT16_MIN && expr->u.i <= INT16_MAX;
}

/* a op 5: one instruction; false where there is none for it. */
static bool compile_immediate(compiler *c, const node *expr, uint16_t dst, uint16_t lhs,
                              bool temp) {
  int64_t value = 0;
  if (!small_int(expr->b, &value)) return false;
  cwi_script_op op = CWI_OP_NOP;
  switch (expr->op) {
    case CWI_TOKEN_PLUS: op = CWI_OP_ADD_IMM; break;
    case CWI_TOKEN_MINUS: op = CWI_OP_SUB_IMM; break;
    case CWI_TOKEN_STAR: op = CWI_OP_MUL_IMM; break;
    case CWI_TOKEN_PERCENT: op = value > 0 ? CWI_OP_MOD_IMM : CWI_OP_NOP; break;
    default: break;
  }
  if (op == CWI_OP_NOP) return false;
  cwi_compile_at_pos(c, expr->pos);
  uint32_t at = cwi_compile_emit(c, op, dst, lhs, (uint16_t)(int16_t)value);
  if (temp && at < c->code_len) c->code[at].flags |= CWI_INSN_FREE_B;
  return true;
}

static uint16_t compile_lhs(compiler *c, node *lhs, const node *rhs, bool *temp) {
  if (is_plain_local(lhs) && cwi_compile_may_write(rhs)) {
    *temp = true;
    uint16_t reg = cwi_compile_temp(c);
    cwi_compile_expr(c, lhs, reg);
    return reg;
  }
  return cwi_compile_any(c, lhs, temp);
}

static void compile_binary(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  bool temp_a = false;
  bool temp_b = false;
  node *first = expr->a;
  node *second = expr->b;
  bool in = expr->op == CWI_TOKEN_IN || expr->op == CWI_TOKEN_NOT_IN;
  if (in) { /* contains(b, a): in this order */
    first = expr->b;
    second = expr->a;
  }
  uint16_t lhs = compile_lhs(c, first, second, &temp_a);
  if (!in && compile_immediate(c, expr, dst, lhs, temp_a)) {
    c->next_reg = base;
    return;
  }
  uint16_t rhs = cwi_compile_any(c, second, &temp_b);
  uint8_t flags = (uint8_t)((temp_a ? CWI_INSN_FREE_B : 0) | (temp_b ? CWI_INSN_FREE_C : 0));
  cwi_compile_at_pos(c, expr->pos);
  cwi_compile_binary_op(c, (cwi_script_token_kind)expr->op, dst, lhs, rhs, flags);
  c->next_reg = base;
}

static void compile_unary(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  bool temp = false;
  uint16_t operand = cwi_compile_any(c, expr->a, &temp);
  cwi_script_op op = expr->op == CWI_TOKEN_MINUS  ? CWI_OP_NEG
                     : expr->op == CWI_TOKEN_BANG ? CWI_OP_NOT
                                                  : CWI_OP_PLUS;
  cwi_compile_at_pos(c, expr->pos);
  uint32_t at = cwi_compile_emit(c, op, dst, operand, 0);
  if (temp && at < c->code_len) c->code[at].flags |= CWI_INSN_FREE_B;
  c->next_reg = base;
}

/* &&, || and ??: the result may not pass through a variable that the right side still reads. */
static void compile_logic(compiler *c, node *expr, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint16_t out = cwi_compile_is_var_reg(c, dst) ? cwi_compile_temp(c) : dst;
  cwi_compile_expr(c, expr->a, out);
  cwi_compile_at_pos(c, expr->a->pos);
  cwi_script_op op = expr->kind == CWI_NODE_AND  ? CWI_OP_JUMP_IF_NOT
                     : expr->kind == CWI_NODE_OR ? CWI_OP_JUMP_IF
                                                 : CWI_OP_JUMP_NOT_UNIT;
  uint32_t skip = cwi_compile_jump(c, op, out);
  cwi_compile_expr(c, expr->b, out);
  if (expr->kind != CWI_NODE_COALESCE) {
    cwi_compile_at_pos(c, expr->b->pos);
    cwi_compile_emit(c, CWI_OP_CHECK_BOOL, out, 0, 0);
  }
  cwi_compile_patch(c, skip);
  cwi_compile_move_out(c, dst, out);
  c->next_reg = base;
}

/* ---- conditions ---- */

static cwi_script_op compare_jump(uint8_t op, bool sense) {
  switch (op) {
    case CWI_TOKEN_LT: return sense ? CWI_OP_JUMP_LT : CWI_OP_JUMP_LT;
    case CWI_TOKEN_LE: return CWI_OP_JUMP_LE;
    case CWI_TOKEN_GT: return CWI_OP_JUMP_GT;
    case CWI_TOKEN_GE: return CWI_OP_JUMP_GE;
    case CWI_TOKEN_EQ: return CWI_OP_JUMP_EQ;
    case CWI_TOKEN_NE: return CWI_OP_JUMP_NE;
    default: return CWI_OP_NOP;
  }
}

/* Compare and jump in one; flags say which outcome jumps, so that NaN needs no second thought. */
static void compile_compare(compiler *c, node *expr, bool sense, jump_list *list) {
  uint32_t base = c->next_reg;
  bool temp_a = false;
  bool temp_b = false;
  int64_t value = 0;
  cwi_script_op op = compare_jump(expr->op, sense);
  uint16_t lhs = compile_lhs(c, expr->a, expr->b, &temp_a);
  uint32_t at = 0;
  uint8_t flags = (uint8_t)((sense ? 0 : CWI_INSN_NEGATE) | (temp_a ? CWI_INSN_FREE_B : 0));
  if (small_int(expr->b, &value)) {
    cwi_compile_at_pos(c, expr->pos);
    op = (cwi_script_op)(op + (CWI_OP_JUMP_LT_IMM - CWI_OP_JUMP_LT));
    at = cwi_compile_emit(c, op, lhs, (uint16_t)(int16_t)value, 0);
  } else {
    uint16_t rhs = cwi_compile_any(c, expr->b, &temp_b);
    if (temp_b) flags |= CWI_INSN_FREE_C;
    cwi_compile_at_pos(c, expr->pos);
    at = cwi_compile_emit(c, op, lhs, rhs, 0);
  }
  if (at < c->code_len) c->code[at].flags = flags;
  cwi_compile_jump_add(c, list, cwi_compile_jump(c, CWI_OP_EXTRA, 0));
  c->next_reg = base;
}

/* a && b as a condition that jumps when it is false, a || b when it is true, and the two others. */
static void compile_both(compiler *c, node *expr, bool sense, jump_list *list) {
  bool direct = (expr->kind == CWI_NODE_AND) != sense;
  if (direct) {
    cwi_compile_condition(c, expr->a, sense, list);
    cwi_compile_condition(c, expr->b, sense, list);
    return;
  }
  jump_list past = {0};
  cwi_compile_condition(c, expr->a, !sense, &past);
  cwi_compile_condition(c, expr->b, sense, list);
  cwi_compile_patch_list(c, &past, c->code_len);
}

void cwi_compile_condition(compiler *c, node *expr, bool sense, jump_list *list) {
  if (expr->kind == CWI_NODE_BINARY && compare_jump(expr->op, sense) != CWI_OP_NOP) {
    compile_compare(c, expr, sense, list);
    return;
  }
  if (expr->kind == CWI_NODE_AND || expr->kind == CWI_NODE_OR) {
    cwi_compile_count(c, expr->pos);
    compile_both(c, expr, sense, list);
    return;
  }
  uint32_t base = c->next_reg;
  bool temp = false;
  uint16_t reg = cwi_compile_any(c, expr, &temp);
  cwi_compile_at_pos(c, expr->pos);
  cwi_script_op op = sense ? CWI_OP_JUMP_IF : CWI_OP_JUMP_IF_NOT;
  cwi_compile_jump_add(c, list, cwi_compile_jump(c, op, reg));
  c->next_reg = base;
}

/* ---- everything ---- */

void cwi_compile_expr(compiler *c, node *expr, uint16_t dst) {
  CWI_ASSERT(dst != CWI_REG_NONE);
  bool call = expr->kind == CWI_NODE_CALL || expr->kind == CWI_NODE_BINARY ||
              expr->kind == CWI_NODE_UNARY; /* these count by what is in them */
  if (expr->kind < CWI_NODE_BLOCK && !call) cwi_compile_count(c, expr->pos);
  cwi_compile_at_pos(c, expr->pos);
  switch (expr->kind) {
    case CWI_NODE_NOOP:
    case CWI_NODE_UNIT: cwi_compile_emit(c, CWI_OP_LOAD_UNIT, dst, 0, 0); break;
    case CWI_NODE_BOOL: cwi_compile_emit(c, CWI_OP_LOAD_BOOL, dst, expr->u.i != 0, 0); break;
    case CWI_NODE_INT: compile_int(c, expr->u.i, dst); break;
    case CWI_NODE_FLOAT: compile_const(c, cwi_value_float(expr->u.f), dst); break;
    case CWI_NODE_CHAR: compile_const(c, cw_value_char(expr->u.c), dst); break;
    case CWI_NODE_STRING:
      cwi_compile_emit_d(c, CWI_OP_LOAD_CONST, dst,
                         (int32_t)cwi_compile_text(c, expr->u.s.text, expr->u.s.size));
      break;
    case CWI_NODE_INTERP: compile_interp(c, expr, dst); break;
    case CWI_NODE_ARRAY: compile_array(c, expr, dst); break;
    case CWI_NODE_MAP: compile_map(c, expr, dst); break;
    case CWI_NODE_VAR: compile_var(c, expr, dst); break;
    case CWI_NODE_THIS: cwi_compile_emit(c, CWI_OP_GET_THIS, dst, 0, 0); break;
    case CWI_NODE_CALL: cwi_compile_call(c, expr, dst); break;
    case CWI_NODE_METHOD:
    case CWI_NODE_PROP:
    case CWI_NODE_INDEX: cwi_compile_chain(c, expr, dst); break;
    case CWI_NODE_AND:
    case CWI_NODE_OR:
    case CWI_NODE_COALESCE: compile_logic(c, expr, dst); break;
    case CWI_NODE_UNARY: compile_unary(c, expr, dst); break;
    case CWI_NODE_BINARY: compile_binary(c, expr, dst); break;
    case CWI_NODE_CLOSURE: compile_closure(c, expr, dst); break;
    default: cwi_compile_stmt(c, expr, dst); break;
  }
}
