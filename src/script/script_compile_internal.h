/* SPDX-License-Identifier: MIT */
/* The inside of the compiler, shared by its files.
 *
 * Registers are a stack: variables take theirs where they are declared, temporaries above them, and
 * a call's window (slot of `this`, then the arguments) lies on top, where the callee's frame
 * begins. A failed allocation sets `failed`; emitting goes on harmlessly and the end reports it. */
#ifndef SCRIPT_COMPILE_INTERNAL_H
#define SCRIPT_COMPILE_INTERNAL_H

#include "script/script_parser.h"
#include "script/script_program.h"

typedef cwi_script_node node;

typedef struct jump_list {
  uint32_t *at;
  uint32_t len, cap;
} jump_list;

typedef struct loop_state {
  struct loop_state *outer;
  jump_list breaks, continues;
  uint16_t dst;  /* where the value of `break` goes; CWI_REG_NONE: nowhere */
  uint16_t mark; /* register of the scope mark of the loop's outside; CWI_REG_NONE: none */
} loop_state;

/* What must be put back when an error passes: the code stands behind the function's end. */
typedef struct cleanup {
  uint32_t start, end;
  uint32_t put_first, put_len; /* into `puts` */
} cleanup;

typedef struct put {
  cwi_script_insn insn;
  cwi_script_place place;
} put;

typedef struct active_var {
  cwi_script_var *var;
  uint32_t local; /* its row in `locals` */
} active_var;

typedef struct compiler {
  struct unit *unit;
  struct compiler *outer;
  cwi_script_def *def;
  cwi_script_insn *code;
  cwi_script_place *places;
  uint32_t code_len, code_cap;
  cw_value *consts;
  uint32_t const_len, const_cap;
  cwi_script_guard *guards;
  uint32_t guard_len, guard_cap;
  cwi_script_local *locals;
  uint32_t local_len, local_cap;
  active_var *vars;
  uint32_t var_len, var_cap;
  cleanup *cleanups;
  uint32_t cleanup_len, cleanup_cap;
  put *puts;
  uint32_t put_len, put_cap;
  uint32_t next_reg, max_reg;
  loop_state *loop;
  jump_list *elvis; /* jumps of the chain being compiled to its end with () */
  cwi_script_place place;
  uint32_t label; /* the last place a jump may come to: nothing is fused across it */
  uint16_t catch_reg;
  bool is_main;
} compiler;

/* All of one program. */
typedef struct unit {
  const cwi_script_tree *tree;
  const cwi_script_compile_options *options;
  cwi_script_program *program;
  cwi_script_site *sites;
  uint32_t site_len, site_cap;
  cw_value *name_consts; /* by symbol index: the STRING made for it */
  cwi_script_def **defs; /* by index */
  bool failed, too_big;
} unit;

/* script_compile.c */
bool cwi_compile_grow(compiler *c, void *array, uint32_t *cap, uint32_t len, size_t size);
uint32_t cwi_compile_emit(compiler *c, cwi_script_op op, uint32_t a, uint32_t b, uint32_t cc);
uint32_t cwi_compile_emit_d(compiler *c, cwi_script_op op, uint32_t a, int32_t d);
CWI_INLINE cwi_script_insn *cwi_compile_at(compiler *c, uint32_t index) { return &c->code[index]; }
uint32_t cwi_compile_jump(compiler *c, cwi_script_op op, uint32_t a);
void cwi_compile_patch(compiler *c, uint32_t at);
void cwi_compile_patch_to(compiler *c, uint32_t at, uint32_t target);
void cwi_compile_jump_add(compiler *c, jump_list *list, uint32_t at);
void cwi_compile_patch_list(compiler *c, jump_list *list, uint32_t target);
uint16_t cwi_compile_temp(compiler *c);
uint32_t cwi_compile_const(compiler *c, cw_value value);
uint32_t cwi_compile_name(compiler *c, cwi_script_sym *sym);
uint32_t cwi_compile_text(compiler *c, const char *text, size_t size);
cw_value cwi_compile_sym_value(unit *u, cwi_script_sym *sym);
bool cwi_compile_immortal(unit *u, cw_value value);
uint32_t cwi_compile_site(compiler *c, cwi_script_sym *sym, cwi_script_path *path);
CWI_INLINE void cwi_compile_at_pos(compiler *c, cwi_script_pos pos) {
  c->place = (cwi_script_place){pos, 0};
}
CWI_INLINE void cwi_compile_at_pos2(compiler *c, cwi_script_pos pos, cwi_script_pos pos2) {
  c->place = (cwi_script_place){pos, pos2};
}
uint16_t cwi_compile_declare(compiler *c, cwi_script_var *var);
void cwi_compile_end_vars(compiler *c, uint32_t var_len);
void cwi_compile_guard(compiler *c, cwi_script_guard guard);
cwi_script_def *cwi_compile_find_fn(const unit *u, const cwi_script_sym *name, uint32_t argc);
void cwi_compile_count(compiler *c, cwi_script_pos pos);
/* The value of a constant expression, made for good; NONE where there is no memory. */
cw_value cwi_compile_literal(compiler *c, const node *expr);

/* The value of a literal, arrays, maps and ranges of literals included. */
cw_status cwi_script_literal(const node *expr, cw_value *out);

/* script_compile_expr.c */
void cwi_compile_expr(compiler *c, node *expr, uint16_t dst);
/* Any register that holds the value: a variable's own, or a temporary on top (*temp). */
uint16_t cwi_compile_any(compiler *c, node *expr, bool *temp);
/* Jumps where the condition is `sense`; adds the jumps to `list`. */
void cwi_compile_condition(compiler *c, node *expr, bool sense, jump_list *list);
bool cwi_compile_is_var_reg(const compiler *c, uint16_t reg);
cwi_script_var *cwi_compile_var_of(cwi_script_var *var);
void cwi_compile_move_out(compiler *c, uint16_t dst, uint16_t src);
/* May evaluating it change a local variable? */
bool cwi_compile_may_write(const node *expr);
void cwi_compile_binary_op(compiler *c, cwi_script_token_kind op, uint16_t dst, uint16_t lhs,
                           uint16_t rhs, uint8_t flags);

/* script_compile_chain.c */
void cwi_compile_chain(compiler *c, node *expr, uint16_t dst);
void cwi_compile_call(compiler *c, node *expr, uint16_t dst);
void cwi_compile_assign(compiler *c, node *stmt);

/* script_compile_stmt.c */
void cwi_compile_stmt(compiler *c, node *stmt, uint16_t dst);
void cwi_compile_block(compiler *c, node *block, uint16_t dst);
void cwi_compile_body(compiler *c, node *body);

#endif
