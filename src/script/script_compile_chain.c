/* SPDX-License-Identifier: MIT */
/* Chains to code: a.b[i].c, calls, methods, and assignments to all of them.
 *
 * Reading goes link by link through a temporary. Changing must not copy what it changes, so every
 * container on the way is *taken* out of the one before (which leaves a hole), changed while nobody
 * else holds it, and *put* back: `a[i].list.push(x)` takes a[i], takes its list, pushes, puts the
 * list back, puts a[i] back. All indexes and arguments are computed before the first taking. If an
 * error passes while something is taken, code behind the function's end puts it back
 * (script_compile_stmt.c).
 *
 * A method on a plain variable needs none of this: the VM moves the variable into the call's window
 * and back. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_compile_internal.h"

#define LINKS_MAX 64

static bool is_link(const node *expr) {
  return expr->kind == CWI_NODE_PROP || expr->kind == CWI_NODE_INDEX;
}

/* The registers of a chain's root and of its computed indexes. */
typedef struct path {
  node *links[LINKS_MAX]; /* from the root outwards */
  uint16_t index[LINKS_MAX];
  bool index_temp[LINKS_MAX];
  uint32_t len;
  node *root;
  uint16_t home;
  uint8_t home_flags;
  uint32_t root_name; /* constant of its name; CWI_REG_NONE: none */
  bool store_name;    /* the root is found by name and must be stored again */
} path;

/* Fills in the links below `expr`; false where there are too many. */
static bool path_collect(node *expr, path *p) {
  p->len = 0;
  node *at = expr;
  for (; is_link(at); at = at->a) {
    if (p->len == LINKS_MAX) return false;
    p->links[p->len++] = at;
  }
  p->root = at;
  for (uint32_t i = 0; i < p->len / 2; i++) {
    node *swap = p->links[i];
    p->links[i] = p->links[p->len - 1 - i];
    p->links[p->len - 1 - i] = swap;
  }
  return true;
}

static void path_indexes(compiler *c, path *p) {
  for (uint32_t i = 0; i < p->len; i++) {
    if (p->links[i]->kind != CWI_NODE_INDEX) continue;
    node *index = p->links[i]->b;
    if (index->kind == CWI_NODE_VAR) { /* copied: later parts may change the variable */
      p->index[i] = cwi_compile_temp(c);
      p->index_temp[i] = true;
      cwi_compile_expr(c, index, p->index[i]);
    } else {
      p->index[i] = cwi_compile_any(c, index, &p->index_temp[i]);
    }
  }
}

/* Finds where the root lies; a root that is no variable is computed into a temporary. */
static void path_root(compiler *c, path *p) {
  node *root = p->root;
  p->home_flags = 0;
  p->root_name = CWI_REG_NONE;
  p->store_name = false;
  cwi_compile_at_pos(c, root->pos);
  if (root->kind == CWI_NODE_VAR && root->path == NULL && root->u.var != NULL) {
    const cwi_script_var *var = cwi_compile_var_of(root->u.var);
    p->home = (uint16_t)var->reg;
    if (var->captured) p->home_flags |= CWI_INSN_CELL;
    if (root->u.var->is_const) p->home_flags |= CWI_INSN_CONST;
    p->root_name = cwi_compile_name(c, root->sym);
    return;
  }
  if (root->kind == CWI_NODE_THIS) {
    p->home = 0;
    cwi_compile_emit(c, CWI_OP_GET_THIS, CWI_REG_NONE, 0, 0); /* only the check */
    return;
  }
  p->home = cwi_compile_temp(c);
  cwi_compile_expr(c, root, p->home);
  if (root->kind == CWI_NODE_VAR && root->path == NULL && (root->flags & CWI_NODE_IS_FN) == 0) {
    p->store_name = true;
    p->root_name = cwi_compile_name(c, root->sym);
  }
}

/* ---- taking and putting back ---- */

static void add_put(compiler *c, cwi_script_insn insn) {
  if (!cwi_compile_grow(c, &c->puts, &c->put_cap, c->put_len, sizeof(*c->puts))) return;
  c->puts[c->put_len++] = (put){insn, c->place};
}

static void emit_flagged(compiler *c, cwi_script_op op, uint32_t a, uint32_t b, uint32_t cc,
                         uint8_t flags) {
  uint32_t at = cwi_compile_emit(c, op, a, b, cc);
  if (at < c->code_len) c->code[at].flags = flags;
}

/* State of the containers that are out of their places. */
typedef struct taken {
  uint32_t put_first, put_len;
  uint32_t start;
  uint16_t top; /* the register of the innermost one taken, or the root's */
  uint8_t top_flags;
} taken;

/* Takes the first `len` links one out of the other. */
static void path_take(compiler *c, path *p, uint32_t len, taken *t) {
  *t = (taken){.put_first = c->put_len, .top = p->home, .top_flags = p->home_flags};
  uint16_t regs[LINKS_MAX];
  for (uint32_t i = 0; i < len; i++) {
    regs[i] = cwi_compile_temp(c);
    cwi_compile_emit(c, CWI_OP_LOAD_NONE, regs[i], 0, 0);
  }
  t->start = c->code_len;
  for (uint32_t i = 0; i < len; i++) {
    const node *link = p->links[i];
    bool index = link->kind == CWI_NODE_INDEX;
    cwi_script_insn back = {.flags = t->top_flags, .a = t->top};
    if (index) {
      cwi_compile_at_pos2(c, link->b->pos, link->pos);
      emit_flagged(c, CWI_OP_TAKE_INDEX, regs[i], t->top, p->index[i], t->top_flags);
      back.op = CWI_OP_PUT_INDEX;
      back.u.r.b = p->index[i];
    } else {
      uint32_t site = cwi_compile_site(c, link->sym, NULL);
      cwi_compile_at_pos2(c, link->pos2, link->pos);
      emit_flagged(c, CWI_OP_TAKE_PROP, regs[i], t->top, site, t->top_flags);
      back.op = CWI_OP_PUT_PROP;
      back.u.r.b = (uint16_t)site;
    }
    back.u.r.c = regs[i];
    add_put(c, back);
    t->put_len++;
    t->top = regs[i];
    t->top_flags &= CWI_INSN_CONST;
  }
}

static void path_put_back(compiler *c, path *p, const taken *t) {
  if (t->put_len != 0) {
    if (cwi_compile_grow(c, &c->cleanups, &c->cleanup_cap, c->cleanup_len, sizeof(*c->cleanups))) {
      c->cleanups[c->cleanup_len++] = (cleanup){t->start, c->code_len, t->put_first, t->put_len};
    }
    for (uint32_t j = t->put_len; j > 0; j--) {
      const put *one = &c->puts[t->put_first + j - 1];
      c->place = one->place;
      emit_flagged(c, (cwi_script_op)one->insn.op, one->insn.a, one->insn.u.r.b, one->insn.u.r.c,
                   one->insn.flags);
    }
  }
  if (p->store_name) {
    emit_flagged(c, CWI_OP_SET_NAME, p->home, p->root_name, 0, CWI_INSN_NEGATE);
  }
}

/* ---- reading ---- */

static void chain_end(compiler *c, jump_list *elvis, jump_list *outer, uint16_t dst) {
  c->elvis = outer;
  if (elvis->len == 0) return;
  uint32_t past = cwi_compile_jump(c, CWI_OP_JUMP, 0);
  cwi_compile_patch_list(c, elvis, c->code_len);
  cwi_compile_emit(c, CWI_OP_LOAD_UNIT, dst, 0, 0);
  cwi_compile_patch(c, past);
}

static void link_inner(compiler *c, node *expr, uint16_t dst);

/* The value that a link hangs on, in any register; names, indexes and calls below it are links too.
 */
static uint16_t link_base(compiler *c, node *base, uint8_t *flags) {
  if (base->kind == CWI_NODE_VAR && base->path == NULL && base->u.var != NULL) {
    const cwi_script_var *var = cwi_compile_var_of(base->u.var);
    if (var->captured) *flags |= CWI_INSN_CELL;
    cwi_compile_count(c, base->pos);
    return (uint16_t)var->reg;
  }
  *flags |= CWI_INSN_FREE_B;
  uint16_t reg = cwi_compile_temp(c);
  if (is_link(base) || base->kind == CWI_NODE_METHOD) {
    link_inner(c, base, reg);
  } else {
    cwi_compile_expr(c, base, reg);
  }
  return reg;
}

static void elvis_check(compiler *c, const node *link, uint16_t base, uint8_t flags) {
  if ((link->flags & CWI_NODE_ELVIS) == 0) return;
  uint32_t at = cwi_compile_jump(c, CWI_OP_JUMP_UNIT, base);
  if (at < c->code_len) c->code[at].flags = flags & CWI_INSN_CELL;
  cwi_compile_jump_add(c, c->elvis, at);
}

static void read_link(compiler *c, node *expr, uint16_t dst) {
  uint32_t mark = c->next_reg;
  uint8_t flags = 0;
  uint16_t base = link_base(c, expr->a, &flags);
  elvis_check(c, expr, base, flags);
  if (expr->kind == CWI_NODE_PROP) {
    uint32_t site = cwi_compile_site(c, expr->sym, NULL);
    cwi_compile_at_pos2(c, expr->pos2, expr->pos);
    emit_flagged(c, CWI_OP_GET_PROP, dst, base, site, flags);
  } else {
    bool temp = false;
    if (!(flags & CWI_INSN_FREE_B) && cwi_compile_may_write(expr->b)) {
      uint16_t copy = cwi_compile_temp(c); /* the index may change the variable */
      cwi_compile_emit(c, flags & CWI_INSN_CELL ? CWI_OP_GET_CELL : CWI_OP_MOVE, copy, base, 0);
      base = copy;
      flags = CWI_INSN_FREE_B;
    }
    uint16_t index = cwi_compile_any(c, expr->b, &temp);
    if (temp) flags |= CWI_INSN_FREE_C;
    cwi_compile_at_pos2(c, expr->b->pos, expr->pos);
    emit_flagged(c, CWI_OP_GET_INDEX, dst, base, index, flags);
  }
  c->next_reg = mark;
}

/* ---- methods ---- */

static void compile_args(compiler *c, const node *call) {
  for (node *arg = call->list; arg != NULL; arg = arg->next) {
    cwi_compile_expr(c, arg, cwi_compile_temp(c));
  }
}

static uint32_t method_site(compiler *c, const node *expr) {
  uint32_t site = cwi_compile_site(c, expr->sym, NULL);
  if (c->unit->site_len == 0) return site;
  cwi_script_site *s = &c->unit->sites[site];
  cwi_script_def *def = cwi_compile_find_fn(c->unit, expr->sym, expr->len);
  if (def != NULL) s->proto = (int32_t)def->index;
  if (expr->list != NULL) s->arg_pos = expr->list->pos;
  return site;
}

static void emit_method(compiler *c, const node *expr, uint16_t window, uint16_t home,
                        uint8_t flags) {
  uint32_t site = method_site(c, expr);
  const cwi_script_site *s = c->unit->site_len == 0 ? NULL : &c->unit->sites[site];
  bool pointer = s != NULL && s->special == CWI_SPECIAL_CALL;
  cwi_compile_at_pos2(c, expr->pos2, expr->pos);
  emit_flagged(c, pointer ? CWI_OP_CALL_POINTER : CWI_OP_CALL_METHOD, window, expr->len, site,
               flags);
  cwi_compile_emit(c, CWI_OP_EXTRA, home, 0, 0);
}

/* target.name(args), the target a chain whose parts the method may change */
static void method_on_path(compiler *c, node *expr, uint16_t dst) {
  path p;
  taken t;
  if (!path_collect(expr->a, &p)) {
    c->unit->too_big = true;
    return;
  }
  uint32_t mark = c->next_reg;
  path_root(c, &p);
  path_indexes(c, &p);
  uint16_t window = 0;
  uint32_t before = c->next_reg;
  /* Registers of taken parts come before the window; arguments are computed before the taking. */
  for (uint32_t i = 0; i < p.len; i++) cwi_compile_temp(c);
  window = cwi_compile_temp(c);
  compile_args(c, expr);
  uint32_t after = c->next_reg;
  c->next_reg = before;
  path_take(c, &p, p.len, &t);
  c->next_reg = after;
  emit_method(c, expr, window, t.top, t.top_flags);
  path_put_back(c, &p, &t);
  cwi_compile_move_out(c, dst, window);
  c->next_reg = mark;
}

static bool has_elvis(const node *expr) {
  for (; is_link(expr); expr = expr->a) {
    if (expr->flags & CWI_NODE_ELVIS) return true;
  }
  return false;
}

static bool root_is_place(const node *expr) {
  while (is_link(expr)) expr = expr->a;
  return (expr->kind == CWI_NODE_VAR && expr->path == NULL &&
          (expr->flags & CWI_NODE_IS_FN) == 0) ||
         expr->kind == CWI_NODE_THIS;
}

static void read_method(compiler *c, node *expr, uint16_t dst) {
  node *target = expr->a;
  if (root_is_place(target) && !has_elvis(target) && (expr->flags & CWI_NODE_ELVIS) == 0) {
    method_on_path(c, expr, dst);
    return;
  }
  uint32_t mark = c->next_reg;
  uint16_t window = cwi_compile_temp(c);
  if (is_link(target) || target->kind == CWI_NODE_METHOD) {
    link_inner(c, target, window);
  } else {
    cwi_compile_expr(c, target, window);
  }
  elvis_check(c, expr, window, 0);
  compile_args(c, expr);
  emit_method(c, expr, window, CWI_REG_NONE, CWI_INSN_TEMP);
  cwi_compile_move_out(c, dst, window);
  c->next_reg = mark;
}

static void link_inner(compiler *c, node *expr, uint16_t dst) {
  cwi_compile_count(c, expr->pos);
  if (expr->kind == CWI_NODE_METHOD) {
    read_method(c, expr, dst);
  } else {
    read_link(c, expr, dst);
  }
}

void cwi_compile_chain(compiler *c, node *expr, uint16_t dst) {
  jump_list elvis = {0};
  jump_list *outer = c->elvis;
  c->elvis = &elvis;
  if (expr->kind == CWI_NODE_METHOD) {
    read_method(c, expr, dst);
  } else {
    read_link(c, expr, dst);
  }
  chain_end(c, &elvis, outer, dst);
}

/* ---- calls by name ---- */

/* The variable that the first argument is, for natives that change it; CWI_REG_NONE: none. */
static uint16_t first_home(const node *call, uint8_t *flags) {
  const node *first = call->list;
  bool indirect = strcmp(call->sym->text, "call") == 0; /* call(f, x): x may be changed */
  if (indirect && first != NULL) first = first->next;
  if (first == NULL || first->kind != CWI_NODE_VAR || first->path != NULL || first->u.var == NULL) {
    return CWI_REG_NONE;
  }
  const cwi_script_var *var = cwi_compile_var_of(first->u.var);
  if (var->captured) *flags |= CWI_INSN_CELL;
  if (first->u.var->is_const) *flags |= CWI_INSN_CONST;
  return (uint16_t)var->reg;
}

void cwi_compile_call(compiler *c, node *expr, uint16_t dst) {
  uint32_t mark = c->next_reg;
  /* Where the result is wanted on top, the window starts there. */
  bool on_top = dst + 1U == c->next_reg && !cwi_compile_is_var_reg(c, dst);
  uint16_t window = on_top ? dst : cwi_compile_temp(c);
  uint8_t flags = 0;
  uint16_t home = first_home(expr, &flags);
  compile_args(c, expr);
  cwi_script_def *def =
      expr->path == NULL ? cwi_compile_find_fn(c->unit, expr->sym, expr->len) : NULL;
  bool bang = (expr->flags & CWI_NODE_BANG) != 0;
  cwi_compile_at_pos(c, expr->pos);
  if (def != NULL && !bang && def->index <= 0xFFFF) {
    cwi_compile_emit(c, CWI_OP_CALL_FN, window, expr->len, def->index);
  } else {
    uint32_t site = cwi_compile_site(c, expr->sym, expr->path);
    if (c->unit->site_len != 0) {
      cwi_script_site *s = &c->unit->sites[site];
      s->bang = bang;
      if (def != NULL) s->proto = (int32_t)def->index;
      if (expr->list != NULL) s->arg_pos = expr->list->pos;
      s->first_is_var = home != CWI_REG_NONE;
    }
    if (expr->path != NULL) cwi_compile_at_pos2(c, expr->path->pos, expr->pos);
    emit_flagged(c, expr->path == NULL ? CWI_OP_CALL : CWI_OP_CALL_MODULE, window, expr->len, site,
                 flags);
    cwi_compile_emit(c, CWI_OP_EXTRA, home, 0, 0);
  }
  cwi_compile_move_out(c, dst, window);
  c->next_reg = on_top ? mark : mark;
}

/* ---- assignment ---- */

static cwi_script_token_kind plain_op(uint8_t op) {
  static const uint8_t plain[] = {CWI_TOKEN_PLUS,  CWI_TOKEN_MINUS,   CWI_TOKEN_STAR,
                                  CWI_TOKEN_SLASH, CWI_TOKEN_PERCENT, CWI_TOKEN_POWER,
                                  CWI_TOKEN_SHL,   CWI_TOKEN_SHR,     CWI_TOKEN_AMP,
                                  CWI_TOKEN_PIPE,  CWI_TOKEN_CARET};
  return (cwi_script_token_kind)plain[op - CWI_TOKEN_PLUS_ASSIGN];
}

/* target op= rhs where `target` is a register */
static void emit_op_assign(compiler *c, const node *stmt, uint16_t target, uint16_t rhs,
                           uint8_t flags) {
  cwi_compile_at_pos(c, stmt->pos2);
  cwi_compile_binary_op(c, plain_op(stmt->op), target, target, rhs,
                        (uint8_t)(flags | CWI_INSN_ASSIGN));
}

static void assign_variable(compiler *c, node *stmt) {
  node *target = stmt->a;
  uint32_t mark = c->next_reg;
  bool temp = false;
  bool plain = stmt->op == CWI_TOKEN_ASSIGN;
  cwi_script_var *var = target->u.var == NULL ? NULL : cwi_compile_var_of(target->u.var);
  if (var != NULL && !var->captured) {
    uint16_t reg = (uint16_t)var->reg;
    if (plain) {
      cwi_compile_expr(c, stmt->b, reg);
    } else {
      uint16_t rhs = cwi_compile_any(c, stmt->b, &temp);
      emit_op_assign(c, stmt, reg, rhs, temp ? CWI_INSN_FREE_C : 0);
    }
  } else if (var != NULL) {
    uint16_t rhs = cwi_compile_any(c, stmt->b, &temp);
    cwi_compile_at_pos(c, stmt->pos);
    if (plain) {
      cwi_compile_emit(c, CWI_OP_SET_CELL, var->reg, rhs, 0);
    } else {
      emit_op_assign(c, stmt, (uint16_t)var->reg, rhs,
                     (uint8_t)((temp ? CWI_INSN_FREE_C : 0) | CWI_INSN_CELL));
    }
  } else {
    uint32_t name = cwi_compile_name(c, target->sym);
    uint16_t rhs = cwi_compile_any(c, stmt->b, &temp);
    uint16_t old = rhs;
    cwi_compile_at_pos(c, target->pos);
    if (target->path != NULL) {
      uint16_t ignored = cwi_compile_temp(c);
      cwi_compile_expr(c, target, ignored);
      cwi_compile_at_pos(c, target->pos);
      cwi_compile_emit(c, CWI_OP_RAISE, CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT, name, 0);
      c->next_reg = mark;
      return;
    }
    if (!plain) {
      old = cwi_compile_temp(c);
      cwi_compile_emit(c, CWI_OP_GET_NAME, old, name, 0);
      emit_op_assign(c, stmt, old, rhs, 0);
      cwi_compile_at_pos(c, target->pos);
    }
    cwi_compile_emit(c, CWI_OP_SET_NAME, old, name, 0);
  }
  c->next_reg = mark;
}

static void assign_this(compiler *c, node *stmt) {
  uint32_t mark = c->next_reg;
  bool temp = false;
  uint16_t rhs = cwi_compile_any(c, stmt->b, &temp);
  cwi_compile_at_pos(c, stmt->a->pos);
  if (stmt->op == CWI_TOKEN_ASSIGN) {
    cwi_compile_emit(c, CWI_OP_SET_THIS, rhs, 0, 0);
  } else {
    emit_flagged(c, CWI_OP_GET_THIS, CWI_REG_NONE, 0, 0, CWI_INSN_NEGATE);
    emit_op_assign(c, stmt, 0, rhs, temp ? CWI_INSN_FREE_C : 0);
  }
  c->next_reg = mark;
}

static void set_last(compiler *c, const node *stmt, const path *p, const taken *t, uint16_t rhs) {
  const node *last = p->links[p->len - 1];
  uint32_t index = p->len - 1;
  bool plain = stmt->op == CWI_TOKEN_ASSIGN;
  bool is_index = last->kind == CWI_NODE_INDEX;
  uint32_t site = is_index ? p->index[index] : cwi_compile_site(c, last->sym, NULL);
  cwi_script_place place = is_index ? (cwi_script_place){last->b->pos, last->pos}
                                    : (cwi_script_place){last->pos2, last->pos};
  c->place = place;
  cwi_script_op set = is_index ? CWI_OP_SET_INDEX : CWI_OP_SET_PROP;
  uint16_t value = rhs;
  if (!plain) {
    value = cwi_compile_temp(c);
    emit_flagged(c, is_index ? CWI_OP_TAKE_INDEX : CWI_OP_TAKE_PROP, value, t->top, site,
                 t->top_flags);
    cleanup guard = {c->code_len, 0, c->put_len, 1};
    add_put(c, (cwi_script_insn){.op = is_index ? CWI_OP_PUT_INDEX : CWI_OP_PUT_PROP,
                                 .flags = t->top_flags,
                                 .a = t->top,
                                 .u.r = {(uint16_t)site, value}});
    emit_op_assign(c, stmt, value, rhs, 0);
    guard.end = c->code_len;
    if (cwi_compile_grow(c, &c->cleanups, &c->cleanup_cap, c->cleanup_len, sizeof(*c->cleanups))) {
      c->cleanups[c->cleanup_len++] = guard;
    }
    c->place = place;
  }
  emit_flagged(c, set, t->top, site, value, t->top_flags);
  /* What to blame where the root is a constant. */
  cwi_compile_at_pos2(c, p->root->pos, stmt->pos2);
  cwi_compile_emit_d(c, CWI_OP_EXTRA, 0, (int32_t)p->root_name);
}

static void assign_chain(compiler *c, node *stmt) {
  path p;
  taken t;
  bool temp = false;
  uint32_t mark = c->next_reg;
  jump_list elvis = {0};
  if (!path_collect(stmt->a, &p)) {
    c->unit->too_big = true;
    return;
  }
  uint16_t rhs = cwi_compile_any(c, stmt->b, &temp);
  if (!temp) { /* the value may be part of what is taken apart */
    uint16_t copy = cwi_compile_temp(c);
    cwi_compile_emit(c, CWI_OP_MOVE, copy, rhs, 0);
    rhs = copy;
  }
  path_root(c, &p);
  if (p.root_name == CWI_REG_NONE) p.root_name = cwi_compile_text(c, "", 0);
  if (p.links[0]->flags & CWI_NODE_ELVIS) {
    uint32_t at = cwi_compile_jump(c, CWI_OP_JUMP_UNIT, p.home);
    if (at < c->code_len) c->code[at].flags = p.home_flags & CWI_INSN_CELL;
    cwi_compile_jump_add(c, &elvis, at);
  }
  path_indexes(c, &p);
  path_take(c, &p, p.len - 1, &t);
  set_last(c, stmt, &p, &t, rhs);
  path_put_back(c, &p, &t);
  cwi_compile_patch_list(c, &elvis, c->code_len);
  c->next_reg = mark;
}

void cwi_compile_assign(compiler *c, node *stmt) {
  switch (stmt->a->kind) {
    case CWI_NODE_VAR: assign_variable(c, stmt); break;
    case CWI_NODE_THIS: assign_this(c, stmt); break;
    default: assign_chain(c, stmt); break;
  }
}
