/* SPDX-License-Identifier: MIT */
/* Tree to program: the ground of the compiler. Emitting, jumps, constants, registers, functions.
 *
 * One pass over the tree. Constants are made once and marked immortal, so that loading one touches
 * no count and programs can be shared by threads. Every function is compiled with its own code,
 * constants and tables, which are then moved into the program's arena. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/size.h"
#include "script/script_compile_internal.h"

bool cwi_compile_grow(compiler *c, void *array, uint32_t *cap, uint32_t len, size_t size) {
  if (len < *cap) return true;
  void **pointer = array;
  uint32_t grown = *cap == 0 ? 16 : *cap * 2;
  void *more = cwi_realloc(*pointer, *cap * size, grown * size);
  if (more == NULL) {
    c->unit->failed = true;
    return false;
  }
  *pointer = more;
  *cap = grown;
  return true;
}

/* ---- code ---- */

/* Code and places have one capacity: both grow, or neither does. */
static bool grow_code(compiler *c) {
  uint32_t cap = c->code_cap == 0 ? 16 : c->code_cap * 2;
  cwi_script_insn *code = cwi_alloc(cap * sizeof(*code));
  cwi_script_place *places = cwi_alloc(cap * sizeof(*places));
  if (code == NULL || places == NULL) {
    cwi_free(code, cap * sizeof(*code));
    cwi_free(places, cap * sizeof(*places));
    c->unit->failed = true;
    return false;
  }
  if (c->code_len > 0) {
    memcpy(code, c->code, c->code_len * sizeof(*code));
    memcpy(places, c->places, c->code_len * sizeof(*places));
  }
  cwi_free(c->code, c->code_cap * sizeof(*code));
  cwi_free(c->places, c->code_cap * sizeof(*places));
  c->code = code;
  c->places = places;
  c->code_cap = cap;
  return true;
}

static uint32_t emit_insn(compiler *c, cwi_script_insn insn) {
  if (c->code_len == c->code_cap && !grow_code(c)) return 0;
  c->code[c->code_len] = insn;
  c->places[c->code_len] = c->place;
  return c->code_len++;
}

uint32_t cwi_compile_emit(compiler *c, cwi_script_op op, uint32_t a, uint32_t b, uint32_t cc) {
  if (b > 0xFFFF || cc > 0xFFFF || a > 0xFFFF) c->unit->too_big = true;
  return emit_insn(c, (cwi_script_insn){
                          .op = (uint8_t)op, .a = (uint16_t)a, .u.r = {(uint16_t)b, (uint16_t)cc}});
}

uint32_t cwi_compile_emit_d(compiler *c, cwi_script_op op, uint32_t a, int32_t d) {
  if (a > 0xFFFF) c->unit->too_big = true;
  return emit_insn(c, (cwi_script_insn){.op = (uint8_t)op, .a = (uint16_t)a, .u.d = d});
}

uint32_t cwi_compile_jump(compiler *c, cwi_script_op op, uint32_t a) {
  return cwi_compile_emit_d(c, op, a, 0);
}

void cwi_compile_patch_to(compiler *c, uint32_t at, uint32_t target) {
  if (at < c->code_len) c->code[at].u.d = (int32_t)target - (int32_t)at - 1;
  if (target > c->label) c->label = target;
}

void cwi_compile_patch(compiler *c, uint32_t at) { cwi_compile_patch_to(c, at, c->code_len); }

void cwi_compile_jump_add(compiler *c, jump_list *list, uint32_t at) {
  if (!cwi_compile_grow(c, &list->at, &list->cap, list->len, sizeof(*list->at))) return;
  list->at[list->len++] = at;
}

void cwi_compile_patch_list(compiler *c, jump_list *list, uint32_t target) {
  for (uint32_t i = 0; i < list->len; i++) cwi_compile_patch_to(c, list->at[i], target);
  cwi_free(list->at, list->cap * sizeof(*list->at));
  *list = (jump_list){0};
}

void cwi_compile_guard(compiler *c, cwi_script_guard guard) {
  if (!cwi_compile_grow(c, &c->guards, &c->guard_cap, c->guard_len, sizeof(*c->guards))) return;
  c->guards[c->guard_len++] = guard;
}

void cwi_compile_count(compiler *c, cwi_script_pos pos) {
  if (!c->unit->options->count_operations) return;
  cwi_compile_at_pos(c, pos);
  cwi_compile_emit(c, CWI_OP_COUNT, 1, 0, 0);
}

/* ---- registers and variables ---- */

uint16_t cwi_compile_temp(compiler *c) {
  uint32_t reg = c->next_reg++;
  if (c->next_reg > c->max_reg) c->max_reg = c->next_reg;
  if (reg >= 0xFFF0) {
    c->unit->too_big = true;
    c->next_reg = reg = 0x100;
  }
  return (uint16_t)reg;
}

cwi_script_var *cwi_compile_var_of(cwi_script_var *var) {
  while (var->same != NULL) var = var->same;
  return var;
}

uint16_t cwi_compile_declare(compiler *c, cwi_script_var *var) {
  cwi_script_var *home = cwi_compile_var_of(var);
  bool captured = false;
  for (cwi_script_var *v = var; v != NULL; v = v->same) captured |= v->captured;
  if (home == var) {
    var->reg = cwi_compile_temp(c);
  } else {
    var->reg = home->reg;
    home->captured = captured;
  }
  if (!cwi_compile_grow(c, &c->vars, &c->var_cap, c->var_len, sizeof(*c->vars)) ||
      !cwi_compile_grow(c, &c->locals, &c->local_cap, c->local_len, sizeof(*c->locals))) {
    return (uint16_t)var->reg;
  }
  c->vars[c->var_len++] = (active_var){var, c->local_len};
  c->locals[c->local_len++] = (cwi_script_local){.name = cwi_compile_sym_value(c->unit, var->sym),
                                                 .start = c->code_len,
                                                 .end = UINT32_MAX,
                                                 .reg = (uint16_t)var->reg,
                                                 .is_const = var->is_const};
  return (uint16_t)var->reg;
}

void cwi_compile_end_vars(compiler *c, uint32_t var_len) {
  for (uint32_t i = var_len; i < c->var_len; i++) {
    c->locals[c->vars[i].local].end = c->code_len;
  }
  if (c->var_len > var_len) c->var_len = var_len;
}

bool cwi_compile_is_var_reg(const compiler *c, uint16_t reg) {
  for (uint32_t i = c->var_len; i > 0; i--) {
    if (c->vars[i - 1].var->reg == reg) return true;
  }
  return false;
}

/* ---- constants ---- */

bool cwi_compile_immortal(unit *u, cw_value value) {
  cwi_script_program *program = u->program;
  if (!cwi_value_is_heap(value)) return true;
  if (program->immortal_len == program->immortal_cap) {
    uint32_t cap = program->immortal_cap == 0 ? 32 : program->immortal_cap * 2;
    cw_value *more = cwi_realloc(program->immortals, program->immortal_cap * sizeof(cw_value),
                                 cap * sizeof(cw_value));
    if (more == NULL) {
      u->failed = true;
      cw_value_release(&value);
      return false;
    }
    program->immortals = more;
    program->immortal_cap = cap;
  }
  cwi_value_make_immortal(value);
  program->immortals[program->immortal_len++] = value;
  return true;
}

cw_value cwi_compile_sym_value(unit *u, cwi_script_sym *sym) {
  cw_value *slot = &u->name_consts[sym->index];
  if (slot->kind == CW_VALUE_STRING) return *slot;
  cw_value value = cwi_value_none();
  if (cwi_value_string_trusted(sym->text, sym->size, &value, NULL) != CW_OK) {
    u->failed = true;
    return cwi_value_none();
  }
  if (!cwi_compile_immortal(u, value)) return cwi_value_none();
  *slot = value;
  return value;
}

uint32_t cwi_compile_const(compiler *c, cw_value value) {
  if (!cwi_compile_grow(c, &c->consts, &c->const_cap, c->const_len, sizeof(*c->consts))) return 0;
  c->consts[c->const_len] = value;
  return c->const_len++;
}

uint32_t cwi_compile_name(compiler *c, cwi_script_sym *sym) {
  return cwi_compile_const(c, cwi_compile_sym_value(c->unit, sym));
}

uint32_t cwi_compile_text(compiler *c, const char *text, size_t size) {
  cw_value value = cwi_value_none();
  if (cwi_value_string_trusted(text, size, &value, NULL) != CW_OK) {
    c->unit->failed = true;
  } else if (!cwi_compile_immortal(c->unit, value)) {
    value = cwi_value_none();
  }
  return cwi_compile_const(c, value);
}

static cw_status literal_items(const node *expr, cw_value *out);

cw_status cwi_script_literal(const node *expr, cw_value *out) {
  switch (expr->kind) {
    case CWI_NODE_BOOL: *out = cwi_value_bool(expr->u.i != 0); return CW_OK;
    case CWI_NODE_INT: *out = cwi_value_int(expr->u.i); return CW_OK;
    case CWI_NODE_FLOAT: *out = cwi_value_float(expr->u.f); return CW_OK;
    case CWI_NODE_CHAR: *out = cw_value_char(expr->u.c); return CW_OK;
    case CWI_NODE_STRING:
      return cwi_value_string_trusted(expr->u.s.text, expr->u.s.size, out, NULL);
    case CWI_NODE_ARRAY:
    case CWI_NODE_MAP: return literal_items(expr, out);
    case CWI_NODE_BINARY:
      return cwi_script_range_new(expr->a->u.i,
                                  expr->b->kind == CWI_NODE_INT ? expr->b->u.i : INT64_MAX,
                                  expr->op == CWI_TOKEN_RANGE_INCL, out);
    default: *out = cwi_value_null(); return CW_OK;
  }
}

static cw_status literal_items(const node *expr, cw_value *out) {
  bool map = expr->kind == CWI_NODE_MAP;
  cw_status status = map ? cw_value_object(out, NULL) : cw_value_array(expr->len, out, NULL);
  for (const node *item = expr->list; item != NULL && status == CW_OK; item = item->next) {
    cw_value value = cwi_value_none();
    status = cwi_script_literal(map ? item->a : item, &value);
    if (status != CW_OK) break;
    status = map ? cw_value_object_set(out, item->u.s.text, item->u.s.size, value, NULL)
                 : cw_value_array_push(out, value, NULL);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

cw_value cwi_compile_literal(compiler *c, const node *expr) {
  cw_value value = cwi_value_none();
  if (cwi_script_literal(expr, &value) != CW_OK) {
    c->unit->failed = true;
    return cwi_value_none();
  }
  return cwi_compile_immortal(c->unit, value) ? value : cwi_value_none();
}

/* ---- call sites ---- */

static uint8_t special_of(const char *name) {
  static const struct {
    const char *name;
    uint8_t special;
  } specials[] = {{"print", CWI_SPECIAL_PRINT},
                  {"debug", CWI_SPECIAL_DEBUG},
                  {"type_of", CWI_SPECIAL_TYPE_OF},
                  {"is_shared", CWI_SPECIAL_IS_SHARED},
                  {"is_def_var", CWI_SPECIAL_IS_DEF_VAR},
                  {"is_def_fn", CWI_SPECIAL_IS_DEF_FN},
                  {"eval", CWI_SPECIAL_EVAL},
                  {"Fn", CWI_SPECIAL_FN},
                  {"call", CWI_SPECIAL_CALL},
                  {"curry", CWI_SPECIAL_CURRY},
                  {"exit", CWI_SPECIAL_EXIT},
                  {"get_fn_metadata_list", CWI_SPECIAL_METADATA}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(specials); i++) {
    if (strcmp(specials[i].name, name) == 0) return specials[i].special;
  }
  return CWI_SPECIAL_NONE;
}

static void site_path(unit *u, cwi_script_site *site, cwi_script_path *path) {
  for (const cwi_script_path *part = path; part != NULL; part = part->next) site->path_len++;
  if (site->path_len == 0) return;
  site->path = cwi_arena_alloc_array(&u->program->arena, site->path_len, sizeof(cw_value));
  if (site->path == NULL) {
    u->failed = true;
    site->path_len = 0;
    return;
  }
  for (uint32_t i = 0; path != NULL; path = path->next) {
    site->path[i++] = cwi_compile_sym_value(u, path->sym);
  }
}

uint32_t cwi_compile_site(compiler *c, cwi_script_sym *sym, cwi_script_path *path) {
  unit *u = c->unit;
  if (u->site_len == u->site_cap) {
    uint32_t cap = u->site_cap == 0 ? 32 : u->site_cap * 2;
    cwi_script_site *more = cwi_realloc(u->sites, u->site_cap * sizeof(*more), cap * sizeof(*more));
    if (more == NULL) {
      u->failed = true;
      return 0;
    }
    u->sites = more;
    u->site_cap = cap;
  }
  if (u->site_len >= 0xFFFF) {
    u->too_big = true;
    return 0;
  }
  cwi_script_site *site = &u->sites[u->site_len];
  memset(site, 0, sizeof(*site));
  site->name = cwi_compile_sym_value(u, sym);
  site_path(u, site, path);
  site->proto = -1;
  site->special = special_of(sym->text);
  for (const cwi_script_def *def = sym->defs; def != NULL; def = def->same_name) {
    if (def->this_type != NULL) site->has_typed = true;
  }
  return u->site_len++;
}

cwi_script_def *cwi_compile_find_fn(const unit *u, const cwi_script_sym *name, uint32_t argc) {
  if (name->reserved != 0) return NULL;
  (void)u;
  for (cwi_script_def *def = name->defs; def != NULL; def = def->same_name) {
    if (def->param_len == argc && def->this_type == NULL) return def;
  }
  return NULL;
}

/* ---- functions ---- */

static void free_compiler(compiler *c) {
  cwi_free(c->code, c->code_cap * sizeof(*c->code));
  cwi_free(c->places, c->code_cap * sizeof(*c->places));
  cwi_free(c->consts, c->const_cap * sizeof(*c->consts));
  cwi_free(c->guards, c->guard_cap * sizeof(*c->guards));
  cwi_free(c->locals, c->local_cap * sizeof(*c->locals));
  cwi_free(c->vars, c->var_cap * sizeof(*c->vars));
  cwi_free(c->cleanups, c->cleanup_cap * sizeof(*c->cleanups));
  cwi_free(c->puts, c->put_cap * sizeof(*c->puts));
}

static void *keep(unit *u, const void *data, size_t len, size_t size) {
  if (len == 0) return NULL;
  void *copy = cwi_arena_alloc_array(&u->program->arena, len, size);
  if (copy == NULL) {
    u->failed = true;
    return NULL;
  }
  memcpy(copy, data, len * size);
  return copy;
}

static void finish_proto(compiler *c, cwi_script_proto *proto) {
  unit *u = c->unit;
  for (uint32_t i = 0; i < c->local_len; i++) {
    if (c->locals[i].end == UINT32_MAX) c->locals[i].end = c->code_len;
  }
  proto->code = keep(u, c->code, c->code_len, sizeof(*c->code));
  proto->places = keep(u, c->places, c->code_len, sizeof(*c->places));
  proto->consts = keep(u, c->consts, c->const_len, sizeof(*c->consts));
  proto->guards = keep(u, c->guards, c->guard_len, sizeof(*c->guards));
  proto->locals = keep(u, c->locals, c->local_len, sizeof(*c->locals));
  proto->code_len = c->code_len;
  proto->const_len = c->const_len;
  proto->guard_len = c->guard_len;
  proto->local_len = c->local_len;
  proto->reg_len = (uint16_t)(c->max_reg + 1);
}

/* "anon$" and sixteen digits that no other function of the program has. */
static cw_value closure_name(unit *u, const cwi_script_def *def) {
  cwi_buf text = {0};
  cw_value value = cwi_value_none();
  cwi_buf_append_format(&text, "anon$%016x", def->index + 1);
  if (text.failed || cwi_value_string_from_buf(&text, &value, NULL) != CW_OK) u->failed = true;
  cwi_buf_deinit(&text);
  return cwi_compile_immortal(u, value) ? value : cwi_value_none();
}

static void param_names(unit *u, const cwi_script_def *def, cwi_script_proto *proto) {
  if (def->param_len == 0) return;
  proto->params = cwi_arena_alloc_array(&u->program->arena, def->param_len, sizeof(cw_value));
  if (proto->params == NULL) {
    u->failed = true;
    return;
  }
  for (uint32_t i = 0; i < def->param_len; i++) {
    proto->params[i] = cwi_compile_sym_value(u, def->params[i]->sym);
  }
}

static void compile_def(unit *u, cwi_script_def *def, cwi_script_proto *proto) {
  compiler c = {
      .unit = u, .def = def, .next_reg = 1, .max_reg = 1, .is_main = def == u->tree->main};
  c.catch_reg = CWI_REG_NONE;
  proto->program = u->program;
  proto->param_len = (uint16_t)def->param_len;
  proto->captured_len = (uint16_t)def->external_len;
  proto->is_private = def->is_private;
  proto->is_closure = def->is_closure;
  proto->has_eval = def->has_eval;
  proto->pos = def->pos;
  if (def->name != NULL) {
    proto->name = cwi_compile_sym_value(u, def->name);
  } else if (def->is_closure) {
    proto->name = closure_name(u, def);
  }
  if (def->this_type != NULL) proto->this_type = cwi_compile_sym_value(u, def->this_type);
  param_names(u, def, proto);
  for (uint32_t i = 0; i < def->param_len; i++) cwi_compile_declare(&c, def->params[i]);
  for (cwi_script_external *e = def->externals; e != NULL; e = e->next) {
    cwi_compile_declare(&c, e->inner);
  }
  cwi_compile_body(&c, def->body);
  finish_proto(&c, proto);
  free_compiler(&c);
}

static cw_status build(unit *u) {
  cwi_script_program *program = u->program;
  const cwi_script_tree *tree = u->tree;
  program->proto_len = tree->def_len + 1;
  program->protos =
      cwi_arena_alloc_array(&program->arena, program->proto_len, sizeof(cwi_script_proto *));
  if (program->protos == NULL) return CW_E_NOMEM;
  for (uint32_t i = 0; i < program->proto_len; i++) {
    program->protos[i] = CWI_ARENA_NEW(&program->arena, cwi_script_proto);
    if (program->protos[i] == NULL) return CW_E_NOMEM;
  }
  for (cwi_script_def *def = tree->defs; def != NULL && !u->failed; def = def->next) {
    compile_def(u, def, program->protos[def->index]);
  }
  program->main = program->protos[tree->def_len];
  if (!u->failed) compile_def(u, tree->main, program->main);
  program->sites = u->failed ? NULL : keep(u, u->sites, u->site_len, sizeof(*u->sites));
  program->site_len = program->sites == NULL ? 0 : u->site_len;
  if (u->failed) return CW_E_NOMEM;
  return u->too_big ? CW_E_LIMIT : CW_OK;
}

cw_status cwi_script_compile(const cwi_script_tree *tree, struct cwi_script_engine *engine,
                             const char *text, size_t size, const char *source,
                             const cwi_script_compile_options *options, cwi_script_program **out,
                             cw_error *err) {
  *out = NULL;
  cwi_script_program *program = CWI_NEW(cwi_script_program);
  if (program == NULL) return CWI_RAISE_NOMEM(err, "a script");
  atomic_init(&program->refs, 1);
  program->engine = engine;
  unit u = {.tree = tree, .options = options, .program = program};
  u.name_consts = cwi_alloc_array((size_t)tree->syms.len + 1, sizeof(cw_value));
  cw_status status = u.name_consts == NULL ? CW_E_NOMEM : CW_OK;
  if (status == CW_OK) {
    program->text = cwi_arena_strndup(&program->arena, text, size);
    program->text_size = size;
    status = program->text == NULL
                 ? CW_E_NOMEM
                 : cwi_value_string_trusted(source, strlen(source), &program->source, NULL);
  }
  if (status == CW_OK && !cwi_compile_immortal(&u, program->source)) status = CW_E_NOMEM;
  if (status == CW_OK) status = build(&u);
  cwi_free(u.name_consts, ((size_t)tree->syms.len + 1) * sizeof(cw_value));
  cwi_free(u.sites, u.site_cap * sizeof(*u.sites));
  if (status != CW_OK) {
    cwi_script_program_release(program);
    if (status == CW_E_NOMEM) return CWI_RAISE_NOMEM(err, "a script");
    return CWI_RAISE(err, status, 0, "a function of the script is too large to compile");
  }
  *out = program;
  return CW_OK;
}

/* ---- programs ---- */

cwi_script_program *cwi_script_program_retain(cwi_script_program *program) {
  atomic_fetch_add_explicit(&program->refs, 1, memory_order_relaxed);
  return program;
}

void cwi_script_program_release(cwi_script_program *program) {
  if (program == NULL) return;
  if (atomic_fetch_sub_explicit(&program->refs, 1, memory_order_acq_rel) != 1) return;
  /* Later ones hold earlier ones (arrays their names): they go first. */
  for (uint32_t i = program->immortal_len; i > 0; i--) {
    cwi_value_free_immortal(program->immortals[i - 1]);
  }
  cwi_free(program->immortals, program->immortal_cap * sizeof(cw_value));
  cwi_arena_deinit(&program->arena);
  CWI_FREE(program);
}

cwi_script_proto *cwi_script_program_find(const cwi_script_program *program, const char *name,
                                          size_t size, uint32_t argc) {
  for (uint32_t i = 0; i < program->proto_len; i++) {
    cwi_script_proto *proto = program->protos[i];
    if (proto->param_len != argc || proto->name.kind != CW_VALUE_STRING) continue;
    if (proto->this_type.kind == CW_VALUE_STRING) continue;
    const cwi_string *own = cwi_value_string_ptr(proto->name);
    if (own->size == size && memcmp(own->text, name, size) == 0) return proto;
  }
  return NULL;
}
