/* SPDX-License-Identifier: MIT */
/* Statements to code. A statement is given the register its value goes to, or none. */
#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_compile_internal.h"

static void set_unit(compiler *c, uint16_t dst) {
  if (dst != CWI_REG_NONE) cwi_compile_emit(c, CWI_OP_LOAD_UNIT, dst, 0, 0);
}

/* ---- blocks ---- */

/* Does a block bind names that only the run knows: imports, or what eval declares? */
static bool needs_mark(const compiler *c, const node *block) {
  if (c->def->has_eval) return true;
  for (const node *stmt = block->list; stmt != NULL; stmt = stmt->next) {
    if (stmt->kind == CWI_NODE_IMPORT) return true;
  }
  return false;
}

static void compile_list(compiler *c, node *block, uint16_t dst) {
  if (block->list == NULL) set_unit(c, dst);
  for (node *stmt = block->list; stmt != NULL; stmt = stmt->next) {
    cwi_compile_stmt(c, stmt, stmt->next == NULL ? dst : CWI_REG_NONE);
  }
}

void cwi_compile_block(compiler *c, node *block, uint16_t dst) {
  cwi_compile_count(c, block->pos);
  uint32_t vars = c->var_len;
  uint32_t base = c->next_reg;
  bool mark = needs_mark(c, block);
  uint16_t mark_reg = CWI_REG_NONE;
  if (mark) {
    mark_reg = cwi_compile_temp(c);
    cwi_compile_at_pos(c, block->pos);
    cwi_compile_emit(c, CWI_OP_SCOPE_MARK, mark_reg, 0, 0);
  }
  compile_list(c, block, dst);
  if (mark) cwi_compile_emit(c, CWI_OP_SCOPE_CUT, mark_reg, 0, 0);
  cwi_compile_end_vars(c, vars);
  c->next_reg = base;
}

/* The code behind the end: what puts borrowed parts back when an error passes. */
static void compile_cleanups(compiler *c) {
  for (uint32_t i = 0; i < c->cleanup_len; i++) {
    const cleanup *one = &c->cleanups[i];
    cwi_compile_guard(c, (cwi_script_guard){.start = one->start,
                                            .end = one->end,
                                            .target = c->code_len,
                                            .reg = CWI_REG_NONE,
                                            .cleanup = 1});
    for (uint32_t j = one->put_len; j > 0; j--) {
      const put *p = &c->puts[one->put_first + j - 1];
      c->place = p->place;
      uint32_t at =
          cwi_compile_emit(c, (cwi_script_op)p->insn.op, p->insn.a, p->insn.u.r.b, p->insn.u.r.c);
      if (at < c->code_len) c->code[at].flags = p->insn.flags;
    }
    cwi_compile_emit_d(c, CWI_OP_RETHROW, 0, (int32_t)one->start);
  }
}

void cwi_compile_body(compiler *c, node *body) {
  uint16_t result = cwi_compile_temp(c);
  if (body->kind == CWI_NODE_BLOCK) {
    compile_list(c, body, result);
  } else {
    cwi_compile_stmt(c, body, result);
  }
  cwi_compile_at_pos(c, body->pos);
  cwi_compile_emit(c, CWI_OP_RETURN, result, 0, 0);
  compile_cleanups(c);
}

/* ---- branches ---- */

static void compile_if(compiler *c, node *stmt, uint16_t dst) {
  jump_list past = {0};
  cwi_compile_condition(c, stmt->a, false, &past);
  cwi_compile_block(c, stmt->b, dst);
  if (stmt->c == NULL && dst == CWI_REG_NONE) {
    cwi_compile_patch_list(c, &past, c->code_len);
    return;
  }
  uint32_t end = cwi_compile_jump(c, CWI_OP_JUMP, 0);
  cwi_compile_patch_list(c, &past, c->code_len);
  if (stmt->c == NULL) {
    set_unit(c, dst);
  } else {
    cwi_compile_stmt(c, stmt->c, dst);
  }
  cwi_compile_patch(c, end);
}

static void compile_case_tests(compiler *c, const node *one, uint16_t item, uint16_t flag,
                               jump_list *hit) {
  for (const node *literal = one->list; literal != NULL; literal = literal->next) {
    bool range = literal->kind == CWI_NODE_BINARY;
    uint32_t value = cwi_compile_const(c, cwi_compile_literal(c, literal));
    cwi_compile_at_pos(c, literal->pos);
    cwi_compile_emit(c, range ? CWI_OP_CASE_RANGE : CWI_OP_CASE_EQ, flag, item, value);
    cwi_compile_jump_add(c, hit, cwi_compile_jump(c, CWI_OP_JUMP_IF, flag));
  }
}

static void compile_switch(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint16_t item = cwi_compile_temp(c);
  cwi_compile_expr(c, stmt->a, item);
  uint16_t flag = cwi_compile_temp(c);
  jump_list ends = {0};
  for (node *one = stmt->list; one != NULL; one = one->next) {
    jump_list hit = {0};
    jump_list miss = {0};
    if (one->list != NULL) {
      compile_case_tests(c, one, item, flag, &hit);
      cwi_compile_jump_add(c, &miss, cwi_compile_jump(c, CWI_OP_JUMP, 0));
    }
    cwi_compile_patch_list(c, &hit, c->code_len);
    if (one->b != NULL) cwi_compile_condition(c, one->b, false, &miss);
    uint32_t vars = c->var_len;
    cwi_compile_stmt(c, one->c, dst);
    cwi_compile_end_vars(c, vars);
    cwi_compile_jump_add(c, &ends, cwi_compile_jump(c, CWI_OP_JUMP, 0));
    cwi_compile_patch_list(c, &miss, c->code_len);
  }
  set_unit(c, dst);
  cwi_compile_patch_list(c, &ends, c->code_len);
  c->next_reg = base;
}

/* ---- loops ---- */

static void loop_enter(compiler *c, loop_state *loop, uint16_t dst) {
  *loop = (loop_state){.outer = c->loop, .dst = dst, .mark = CWI_REG_NONE};
  if (c->def->has_eval) {
    loop->mark = cwi_compile_temp(c);
    cwi_compile_emit(c, CWI_OP_SCOPE_MARK, loop->mark, 0, 0);
  }
  c->loop = loop;
}

/* The loop's code ends here; `next` is where `continue` goes. */
static void loop_leave(compiler *c, loop_state *loop, uint32_t next) {
  cwi_compile_patch_list(c, &loop->continues, next);
  set_unit(c, loop->dst);
  cwi_compile_patch_list(c, &loop->breaks, c->code_len);
  c->loop = loop->outer;
}

static void loop_back(compiler *c, uint32_t top) {
  uint32_t at = cwi_compile_jump(c, CWI_OP_LOOP, 0);
  cwi_compile_patch_to(c, at, top);
}

static void compile_while(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base = c->next_reg;
  loop_state loop;
  jump_list out = {0};
  jump_list back = {0};
  loop_enter(c, &loop, dst);
  if (stmt->a != NULL) cwi_compile_condition(c, stmt->a, false, &out);
  uint32_t top = c->code_len;
  c->label = top;
  cwi_compile_block(c, stmt->b, CWI_REG_NONE);
  uint32_t next = c->code_len;
  cwi_compile_at_pos(c, stmt->pos);
  if (stmt->a == NULL) {
    loop_back(c, top);
  } else {
    cwi_compile_emit(c, CWI_OP_LOOP, 0, 0, 0); /* the check of limits, falling through */
    cwi_compile_condition(c, stmt->a, true, &back);
    cwi_compile_patch_list(c, &back, top);
  }
  cwi_compile_patch_list(c, &out, c->code_len);
  loop_leave(c, &loop, next);
  c->next_reg = base;
}

static void compile_do(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base = c->next_reg;
  loop_state loop;
  jump_list back = {0};
  loop_enter(c, &loop, dst);
  uint32_t top = c->code_len;
  c->label = top;
  cwi_compile_block(c, stmt->b, CWI_REG_NONE);
  uint32_t next = c->code_len;
  cwi_compile_at_pos(c, stmt->pos);
  cwi_compile_emit(c, CWI_OP_LOOP, 0, 0, 0);
  cwi_compile_condition(c, stmt->a, (stmt->flags & CWI_NODE_NEGATED) == 0, &back);
  cwi_compile_patch_list(c, &back, top);
  loop_leave(c, &loop, next);
  c->next_reg = base;
}

/* Gives the loop's variables their first place: a fresh cell or none, and unit. */
static void for_variables(compiler *c, const node *stmt, uint16_t *var, uint16_t *counter) {
  *counter = CWI_REG_NONE;
  if (stmt->var2 != NULL) {
    *counter = cwi_compile_declare(c, stmt->var2);
    cwi_compile_emit(c, CWI_OP_LOAD_UNIT, *counter, 0, 0);
  }
  *var = cwi_compile_declare(c, stmt->u.var);
  cwi_compile_emit(c, CWI_OP_LOAD_UNIT, *var, 0, 0);
}

static void compile_for(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base_reg = c->next_reg;
  uint32_t vars = c->var_len;
  const node *range = stmt->a;
  bool is_range = range->kind == CWI_NODE_BINARY && range->b->kind != CWI_NODE_UNIT &&
                  (range->op == CWI_TOKEN_RANGE || range->op == CWI_TOKEN_RANGE_INCL);
  uint16_t base = cwi_compile_temp(c);
  uint16_t end = cwi_compile_temp(c);
  uint16_t index = cwi_compile_temp(c);
  if (is_range) {
    cwi_compile_count(c, range->pos);
    cwi_compile_expr(c, range->a, base);
    cwi_compile_expr(c, range->b, end);
    cwi_compile_at_pos2(c, range->pos, range->a->pos);
    cwi_compile_emit(c, CWI_OP_FOR_RANGE, base, range->op == CWI_TOKEN_RANGE_INCL, 0);
  } else {
    cwi_compile_expr(c, stmt->a, base);
    cwi_compile_at_pos(c, stmt->a->pos);
    cwi_compile_emit(c, CWI_OP_ITER_START, base, 0, 0);
  }
  (void)index;
  uint16_t var = 0;
  uint16_t counter = 0;
  for_variables(c, stmt, &var, &counter);
  loop_state loop;
  loop_enter(c, &loop, dst);
  uint32_t entry = cwi_compile_jump(c, CWI_OP_JUMP, 0);
  uint32_t top = c->code_len;
  c->label = top;
  cwi_compile_block(c, stmt->b, CWI_REG_NONE);
  uint32_t next = c->code_len;
  cwi_compile_patch(c, entry);
  cwi_compile_at_pos(c, stmt->a->pos);
  uint32_t at =
      cwi_compile_emit(c, is_range ? CWI_OP_FOR_NEXT : CWI_OP_ITER_NEXT, base, var, counter);
  bool cell = cwi_compile_var_of(stmt->u.var)->captured ||
              (stmt->var2 != NULL && cwi_compile_var_of(stmt->var2)->captured);
  if (cell && at < c->code_len) c->code[at].flags |= CWI_INSN_CELL;
  cwi_compile_patch_to(c, cwi_compile_jump(c, CWI_OP_EXTRA, 0), top);
  /* The iterated value is not needed any longer. */
  if (!is_range) cwi_compile_emit(c, CWI_OP_LOAD_UNIT, base, 0, 0);
  loop_leave(c, &loop, next);
  cwi_compile_end_vars(c, vars);
  c->next_reg = base_reg;
}

static void compile_break(compiler *c, node *stmt, bool is_break) {
  loop_state *loop = c->loop;
  if (loop == NULL) return; /* the parser refuses it */
  if (is_break) {
    uint16_t dst = loop->dst;
    uint32_t base = c->next_reg;
    if (stmt->a != NULL)
      cwi_compile_expr(c, stmt->a, dst == CWI_REG_NONE ? cwi_compile_temp(c) : dst);
    c->next_reg = base;
    if (stmt->a == NULL) set_unit(c, dst);
  }
  if (loop->mark != CWI_REG_NONE) cwi_compile_emit(c, CWI_OP_SCOPE_CUT, loop->mark, 0, 0);
  uint32_t at = cwi_compile_jump(c, CWI_OP_JUMP, 0);
  cwi_compile_jump_add(c, is_break ? &loop->breaks : &loop->continues, at);
}

/* ---- declarations and the rest ---- */

static void compile_let(compiler *c, node *stmt, uint16_t dst) {
  cwi_script_var *var = stmt->u.var;
  const cwi_script_compile_options *options = c->unit->options;
  cwi_compile_at_pos(c, stmt->pos);
  size_t max = options->limits->variables_max;
  uint32_t live = 0;
  for (uint32_t i = 0; i < c->var_len; i++) live += c->vars[i].var->same == NULL;
  if (max != SIZE_MAX && live >= max) {
    cwi_compile_emit(c, CWI_OP_RAISE, CWI_SCRIPT_E_TOO_MANY_VARIABLES, 0, 0);
  }
  uint16_t reg = 0;
  if (cwi_compile_var_of(var) == var) {
    /* The value is computed where the variable will live: nothing lies there yet. */
    reg = cwi_compile_temp(c);
    if (stmt->a == NULL) {
      cwi_compile_emit(c, CWI_OP_LOAD_UNIT, reg, 0, 0);
    } else {
      cwi_compile_expr(c, stmt->a, reg);
    }
    c->next_reg = reg;
    cwi_compile_declare(c, var);
  } else {
    uint32_t base = c->next_reg;
    uint16_t temp = cwi_compile_temp(c);
    if (stmt->a == NULL) set_unit(c, temp);
    if (stmt->a != NULL) cwi_compile_expr(c, stmt->a, temp);
    c->next_reg = base;
    reg = cwi_compile_declare(c, var);
    cwi_compile_move_out(c, reg, temp);
  }
  cwi_compile_at_pos(c, stmt->pos);
  if (var->is_const && c->is_main && c->loop == NULL) {
    bool top = false;
    for (const node *n = c->def->body->list; n != NULL; n = n->next) top |= n == stmt;
    if (top) cwi_compile_emit(c, CWI_OP_GLOBAL_DEF, reg, cwi_compile_name(c, var->sym), 0);
  }
  if (stmt->flags & CWI_NODE_EXPORTED) {
    cwi_compile_emit(c, CWI_OP_EXPORT, reg, cwi_compile_name(c, var->sym), 0);
  }
  set_unit(c, dst);
}

static void compile_try(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base_reg = c->next_reg;
  uint32_t vars = c->var_len;
  uint16_t error = cwi_compile_temp(c);
  uint32_t start = c->code_len;
  cwi_compile_block(c, stmt->a, dst);
  uint32_t end = c->code_len;
  uint32_t past = cwi_compile_jump(c, CWI_OP_JUMP, 0);
  cwi_compile_guard(
      c, (cwi_script_guard){.start = start, .end = end, .target = c->code_len, .reg = error});
  uint32_t catch_start = c->code_len;
  c->label = catch_start;
  if (stmt->u.var != NULL) {
    uint16_t reg = cwi_compile_declare(c, stmt->u.var);
    cwi_compile_at_pos(c, stmt->u.var->pos);
    cwi_compile_emit(c, CWI_OP_CATCH, reg, error, 0);
  }
  cwi_compile_block(c, stmt->b, CWI_REG_NONE);
  cwi_compile_guard(
      c, (cwi_script_guard){
             .start = catch_start, .end = c->code_len, .target = 0, .reg = error, .is_catch = 1});
  cwi_compile_emit(c, CWI_OP_LOAD_UNIT, error, 0, 0);
  set_unit(c, dst);
  cwi_compile_patch(c, past);
  cwi_compile_end_vars(c, vars);
  c->next_reg = base_reg;
}

static void compile_return(compiler *c, node *stmt, cwi_script_op op) {
  uint32_t base = c->next_reg;
  uint16_t reg = cwi_compile_temp(c);
  if (stmt->a == NULL) {
    cwi_compile_emit(c, CWI_OP_LOAD_UNIT, reg, 0, 0);
  } else {
    cwi_compile_expr(c, stmt->a, reg);
  }
  cwi_compile_at_pos(c, stmt->pos);
  cwi_compile_emit(c, op, reg, 0, 0);
  c->next_reg = base;
}

static void compile_import(compiler *c, node *stmt, uint16_t dst) {
  uint32_t base = c->next_reg;
  uint16_t window = cwi_compile_temp(c);
  cwi_compile_expr(c, stmt->a, window);
  uint32_t name = stmt->sym == NULL ? CWI_REG_NONE : cwi_compile_name(c, stmt->sym);
  cwi_compile_at_pos2(c, stmt->a->pos, stmt->pos);
  cwi_compile_emit(c, CWI_OP_IMPORT, window, name, 0);
  c->next_reg = base;
  set_unit(c, dst);
}

static void compile_export(compiler *c, const node *stmt, uint16_t dst) {
  uint32_t name = cwi_compile_name(c, stmt->u.sym2 == NULL ? stmt->sym : stmt->u.sym2);
  cwi_compile_at_pos(c, stmt->pos2);
  if (stmt->var2 == NULL) {
    uint32_t base = c->next_reg;
    uint16_t reg = cwi_compile_temp(c);
    cwi_compile_emit(c, CWI_OP_GET_NAME, reg, cwi_compile_name(c, stmt->sym), 0);
    cwi_compile_emit(c, CWI_OP_EXPORT, reg, name, 0);
    c->next_reg = base;
  } else {
    cwi_compile_emit(c, CWI_OP_EXPORT, cwi_compile_var_of(stmt->var2)->reg, name, 0);
  }
  set_unit(c, dst);
}

void cwi_compile_stmt(compiler *c, node *stmt, uint16_t dst) {
  if (stmt->kind != CWI_NODE_BLOCK) cwi_compile_count(c, stmt->pos);
  cwi_compile_at_pos(c, stmt->pos);
  switch (stmt->kind) {
    case CWI_NODE_NOOP: set_unit(c, dst); break;
    case CWI_NODE_BLOCK: cwi_compile_block(c, stmt, dst); break;
    case CWI_NODE_IF: compile_if(c, stmt, dst); break;
    case CWI_NODE_SWITCH: compile_switch(c, stmt, dst); break;
    case CWI_NODE_WHILE: compile_while(c, stmt, dst); break;
    case CWI_NODE_DO: compile_do(c, stmt, dst); break;
    case CWI_NODE_FOR: compile_for(c, stmt, dst); break;
    case CWI_NODE_LET: compile_let(c, stmt, dst); break;
    case CWI_NODE_ASSIGN:
      cwi_compile_assign(c, stmt);
      set_unit(c, dst);
      break;
    case CWI_NODE_BREAK: compile_break(c, stmt, true); break;
    case CWI_NODE_CONTINUE: compile_break(c, stmt, false); break;
    case CWI_NODE_RETURN: compile_return(c, stmt, CWI_OP_RETURN); break;
    case CWI_NODE_THROW: compile_return(c, stmt, CWI_OP_THROW); break;
    case CWI_NODE_TRY: compile_try(c, stmt, dst); break;
    case CWI_NODE_IMPORT: compile_import(c, stmt, dst); break;
    case CWI_NODE_EXPORT: compile_export(c, stmt, dst); break;
    default: {
      uint32_t base = c->next_reg;
      if (dst == CWI_REG_NONE) dst = cwi_compile_temp(c);
      cwi_compile_expr(c, stmt, dst);
      c->next_reg = base;
      break;
    }
  }
}
