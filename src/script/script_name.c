/* SPDX-License-Identifier: MIT */
/* What names mean at run time: variables that eval declared, the caller's variables for eval and
 * f!(), closures and their cells, eval itself, modules; and the counting of sizes. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/clock.h"
#include "script/script_compile_internal.h"
#include "script/script_engine.h"
#include "script/script_run.h"

static bool same_text(cw_value a, cw_value b) {
  const cwi_string *x = cwi_value_string_ptr(a);
  const cwi_string *y = cwi_value_string_ptr(b);
  return x == y || (x->size == y->size && memcmp(x->text, y->text, x->size) == 0);
}

static bool nomem(run_t *run) {
  cwi_script_raise_nomem(run);
  return false;
}

/* ---- lists of named values ---- */

bool cwi_vm_named_set(run_t *run, cwi_script_named **list, uint32_t *len, uint32_t *cap,
                      cw_value name, cw_value value, bool is_const) {
  for (uint32_t i = 0; i < *len && list != &run->names; i++) {
    if (!same_text((*list)[i].name, name)) continue;
    cwi_vm_set(&(*list)[i].value, value);
    return true;
  }
  if (*len == *cap) {
    uint32_t grown = *cap == 0 ? 4 : *cap * 2;
    void *more = cwi_realloc(*list, *cap * sizeof(**list), grown * sizeof(**list));
    if (more == NULL) {
      cwi_value_drop(value);
      return nomem(run);
    }
    *list = more;
    *cap = grown;
  }
  (*list)[(*len)++] =
      (cwi_script_named){.name = cwi_value_retain(name), .value = value, .is_const = is_const};
  return true;
}

void cwi_vm_names_cut(run_t *run, uint32_t len) {
  while (run->name_len > len) {
    run->name_len--;
    cwi_value_drop(run->names[run->name_len].name);
    cwi_value_drop(run->names[run->name_len].value);
  }
}

void cwi_vm_imports_cut(run_t *run, uint32_t len) {
  while (run->import_len > len) {
    run->import_len--;
    cwi_value_drop(run->imports[run->import_len].name);
    cwi_vm_module_release(run->imports[run->import_len].module);
  }
}

/* ---- variables by name ---- */

/* The local variable of a frame that is in sight at its current instruction. */
static cw_value *frame_local(run_t *run, const cwi_script_frame *frame, cw_value name,
                             bool *is_const) {
  const cwi_script_proto *proto = frame->proto;
  uint32_t pc = (uint32_t)(frame->pc - proto->code) - 1;
  for (uint32_t i = proto->local_len; i > 0; i--) {
    const cwi_script_local *local = &proto->locals[i - 1];
    if (pc < local->start || pc >= local->end || !same_text(local->name, name)) continue;
    *is_const = local->is_const;
    return &run->stack[frame->base + local->reg];
  }
  return NULL;
}

static cw_value *find_name(run_t *run, cw_value name, bool *is_const) {
  *is_const = false;
  uint32_t at = run->frame_len;
  bool first = true;
  while (at > 0) {
    const cwi_script_frame *frame = &run->frames[at - 1];
    if (frame->kind == CWI_FRAME_NATIVE) {
      at--;
      continue;
    }
    for (uint32_t i = run->name_len; i > 0; i--) {
      if (run->names[i - 1].frame != at - 1 || !same_text(run->names[i - 1].name, name)) continue;
      *is_const = run->names[i - 1].is_const;
      return &run->names[i - 1].value;
    }
    cw_value *local = frame_local(run, frame, name, is_const);
    if (local != NULL) return local;
    first = false;
    if (!frame->sees_caller) break;
    at--;
  }
  (void)first;
  if (at <= 1 && run->scope != NULL) {
    cwi_script_scope *scope = run->scope;
    for (uint32_t i = scope->len; i > 0; i--) {
      if (!same_text(scope->vars[i - 1].name, name)) continue;
      *is_const = scope->vars[i - 1].is_const;
      return &scope->vars[i - 1].value;
    }
  }
  return NULL;
}

bool cwi_vm_has_name(run_t *run, cw_value name) {
  bool is_const = false;
  return find_name(run, name, &is_const) != NULL;
}

/* A function's bare name is a value too. */
static bool fn_by_name(run_t *run, cw_value name, cw_value *dst) {
  cw_value out = cwi_value_none();
  if (cwi_value_box(&cwi_script_fn_ops.core, &out, NULL) != CW_OK) return nomem(run);
  cwi_script_fn_ptr(out)->name = cwi_value_retain(name);
  cwi_vm_set(dst, out);
  return true;
}

static bool is_function(const cwi_script_program *program, cw_value name) {
  for (uint32_t i = 0; i < program->proto_len; i++) {
    const cwi_script_proto *proto = program->protos[i];
    if (proto->name.kind == CW_VALUE_STRING && !proto->is_closure && same_text(proto->name, name)) {
      return true;
    }
  }
  return false;
}

bool cwi_vm_get_name(run_t *run, cw_value name, cw_value *dst) {
  bool is_const = false;
  cw_value *slot = find_name(run, name, &is_const);
  if (slot != NULL) {
    cwi_vm_set(dst, cwi_value_retain(*cwi_vm_deref(slot)));
    return true;
  }
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  if (is_function(frame->proto->program, name)) return fn_by_name(run, name, dst);
  cwi_script_raise(run, CWI_SCRIPT_E_VARIABLE_NOT_FOUND, "%s", cwi_vm_text(name));
  return false;
}

bool cwi_vm_set_name(run_t *run, cw_value name, cw_value *value, bool quiet) {
  bool is_const = false;
  cw_value *slot = find_name(run, name, &is_const);
  if (slot != NULL && !is_const) {
    cwi_vm_set(cwi_vm_deref(slot), cwi_value_retain(*value));
    return true;
  }
  if (quiet) return true;
  cwi_script_raise(
      run, slot == NULL ? CWI_SCRIPT_E_VARIABLE_NOT_FOUND : CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT,
      "%s", cwi_vm_text(name));
  return false;
}

/* ---- cells and closures ---- */

bool cwi_vm_share(run_t *run, cw_value *slot, cw_value *cell) {
  if (!cwi_script_is_cell(*slot)) {
    cw_value made = cwi_value_none();
    if (cwi_value_box(&cwi_script_cell_ops.core, &made, NULL) != CW_OK) return nomem(run);
    ((cwi_script_cell *)(void *)cwi_value_box_ptr(made))->value = *slot;
    *slot = made;
  }
  *cell = cwi_value_retain(*slot);
  return true;
}

static bool capture(run_t *run, const cwi_script_frame *frame, const cwi_script_insn *extra,
                    cw_value *regs, cw_value *cell) {
  cw_value *slot = NULL;
  if (extra->a != CWI_REG_NONE) {
    slot = &regs[extra->a];
  } else {
    bool is_const = false;
    cw_value name = frame->proto->consts[extra->u.r.b];
    slot = find_name(run, name, &is_const);
    if (slot == NULL) {
      return cwi_vm_raise_at(run, cwi_script_place_of(frame->proto, extra).pos,
                             CWI_SCRIPT_E_VARIABLE_NOT_FOUND, "%s", cwi_vm_text(name));
    }
  }
  return cwi_vm_share(run, slot, cell);
}

bool cwi_vm_closure(run_t *run, const cwi_script_insn *insn, cw_value *regs) {
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  if (insn->op == CWI_OP_FN_NAME) {
    return fn_by_name(run, frame->proto->consts[insn->u.r.b], &regs[insn->a]);
  }
  const cwi_script_proto *proto = frame->proto->program->protos[insn->u.r.b];
  cw_value out = cwi_value_none();
  if (cwi_value_box(&cwi_script_fn_ops.core, &out, NULL) != CW_OK) return nomem(run);
  cwi_script_fn *fn = cwi_script_fn_ptr(out);
  fn->name = cwi_value_retain(proto->name);
  fn->proto = proto;
  fn->module = frame->module;
  if (fn->module != NULL) fn->module->refs++;
  bool ok = true;
  if (insn->u.r.c > 0) ok = cw_value_array(insn->u.r.c, &fn->curry, NULL) == CW_OK || nomem(run);
  for (uint32_t i = 0; i < insn->u.r.c && ok; i++) {
    cw_value cell = cwi_value_none();
    ok = capture(run, frame, insn + 1 + i, regs, &cell);
    if (ok && cw_value_array_push(&fn->curry, cell, NULL) != CW_OK) ok = nomem(run);
    fn->captured++;
  }
  if (!ok) {
    cwi_value_drop(out);
    return false;
  }
  cwi_vm_set(&regs[insn->a], out);
  return true;
}

/* ---- eval ---- */

static bool raise_parse(run_t *run, cwi_script_parse_error *error) {
  if (error->kind == CWI_PARSE_NOMEM) {
    nomem(run);
  } else {
    const char *text = cwi_buf_cstr(&error->message);
    cwi_vm_raise_at(run, error->pos, CWI_SCRIPT_E_PARSING, "%s", text == NULL ? "" : text);
    run->error.parse = (uint8_t)error->kind;
    run->error.lex = (uint8_t)error->lex;
    run->error.no_pos = error->pos == 0;
  }
  cwi_buf_deinit(&error->message);
  return false;
}

static bool keep_program(run_t *run, cwi_script_program *program) {
  if (run->program_len == run->program_cap) {
    uint32_t cap = run->program_cap == 0 ? 4 : run->program_cap * 2;
    void *more = cwi_realloc(run->programs, run->program_cap * sizeof(*run->programs),
                             cap * sizeof(*run->programs));
    if (more == NULL) {
      cwi_script_program_release(program);
      return nomem(run);
    }
    run->programs = more;
    run->program_cap = cap;
  }
  run->programs[run->program_len++] = program;
  return true;
}

bool cwi_vm_eval(run_t *run, uint32_t window, cwi_script_pos pos, cwi_script_pos arg_pos) {
  cw_value text = run->stack[window + 1];
  if (text.kind != CW_VALUE_STRING) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(text),
                          "string");
    return cwi_vm_fill(run, arg_pos);
  }
  const cwi_string *script = cwi_value_string_ptr(text);
  cwi_script_parse_options options = cwi_engine_parse_options(run->engine);
  options.strict_variables = false;
  cwi_script_parse_error error;
  cwi_script_program *program = NULL;
  cw_status status = cwi_engine_compile(run->engine, script->text, script->size, "", &options,
                                        &error, &program, NULL);
  bool ok = status == CW_OK;
  if (!ok && error.kind != CWI_PARSE_NONE) {
    raise_parse(run, &error);
  } else if (!ok) {
    nomem(run);
  }
  for (uint32_t i = 0; ok && i + 1 < program->proto_len; i++) {
    if (program->protos[i]->is_closure) continue;
    ok = cwi_vm_raise_at(run, 0, CWI_SCRIPT_E_PARSING,
                         "Function definitions must be at global level and cannot be inside a "
                         "block or another function");
    run->error.no_pos = true;
    run->error.parse = CWI_PARSE_WRONG_FN_DEFINITION;
    cwi_script_program_release(program);
  }
  ok = ok && keep_program(run, program);
  if (ok) {
    cwi_vm_clear(run, window + 1, window + 2);
    uint32_t level = run->level;
    ok = cwi_vm_push(run, program->main, window, pos);
    run->level = ok ? level + 1 : level;
  }
  if (!ok) {
    if (run->error.kind != CWI_SCRIPT_E_NOMEM) cwi_script_raise_in_call(run, "eval");
    run->error.pos = arg_pos;
    return false;
  }
  cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  frame->kind = CWI_FRAME_EVAL;
  frame->sees_caller = true;
  frame->call_pos = arg_pos;
  frame->module = run->frames[run->frame_len - 2].module;
  return true;
}

/* The top-level variables of an ending script go to whoever asked: eval's caller, or the scope. */
void cwi_vm_keep_locals(run_t *run, const cwi_script_frame *frame) {
  bool eval = frame->kind == CWI_FRAME_EVAL;
  if (!eval && (run->scope == NULL || frame->proto != run->program->main)) return;
  const cwi_script_proto *proto = frame->proto;
  if (!eval && !cwi_scope_keep(run->scope, run->program)) return;
  uint32_t pc = (uint32_t)(frame->pc - proto->code) - 1;
  uint32_t owner = run->frame_len - 1;
  while (eval && owner > 0 && run->frames[owner].kind == CWI_FRAME_EVAL) owner--;
  for (uint32_t i = 0; i < proto->local_len; i++) {
    const cwi_script_local *local = &proto->locals[i];
    if (pc < local->start || local->end != proto->code_len) continue;
    cw_value value = cwi_value_retain(run->stack[frame->base + local->reg]);
    if (value.kind == CW_VALUE_NONE) continue;
    if (eval) {
      if (cwi_vm_named_set(run, &run->names, &run->name_len, &run->name_cap, local->name, value,
                           local->is_const)) {
        run->names[run->name_len - 1].frame = owner;
      }
    } else {
      cwi_scope_define(run->scope, local->name, value, local->is_const);
    }
  }
}

/* ---- modules ---- */

void cwi_vm_module_release(cwi_script_module *module) {
  if (module == NULL || --module->refs > 0) return;
  for (uint32_t i = 0; i < module->var_len; i++) {
    cwi_value_drop(module->vars[i].name);
    cwi_value_drop(module->vars[i].value);
  }
  for (uint32_t i = 0; i < module->global_len; i++) {
    cwi_value_drop(module->globals[i].name);
    cwi_value_drop(module->globals[i].value);
  }
  for (uint32_t i = 0; i < module->import_len; i++) {
    cwi_value_drop(module->imports[i].name);
    cwi_vm_module_release(module->imports[i].module);
  }
  cwi_free(module->vars, module->var_cap * sizeof(*module->vars));
  cwi_free(module->globals, module->global_cap * sizeof(*module->globals));
  cwi_free(module->imports, module->import_cap * sizeof(*module->imports));
  cwi_value_drop(module->path);
  cwi_script_program_release(module->program);
  CWI_FREE(module);
}

static cwi_script_module *find_import(const cwi_script_import *imports, uint32_t len,
                                      cw_value name) {
  for (uint32_t i = len; i > 0; i--) {
    if (imports[i - 1].name.kind == CW_VALUE_STRING && same_text(imports[i - 1].name, name)) {
      return imports[i - 1].module;
    }
  }
  return NULL;
}

cwi_script_module *cwi_vm_find_module(run_t *run, const cw_value *path, uint32_t len) {
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  uint32_t own = frame->module != NULL ? frame->import_base : 0;
  const cwi_script_import *imports = run->imports == NULL ? NULL : run->imports + own;
  cwi_script_module *module = find_import(imports, run->import_len - own, path[0]);
  if (module == NULL && frame->module != NULL) {
    module = find_import(frame->module->imports, frame->module->import_len, path[0]);
  }
  for (uint32_t i = 1; i < len && module != NULL; i++) {
    module = find_import(module->imports, module->import_len, path[i]);
  }
  return module;
}

static bool import_bind(run_t *run, cw_value name, cwi_script_module *module) {
  if (run->import_len == run->import_cap) {
    uint32_t cap = run->import_cap == 0 ? 4 : run->import_cap * 2;
    void *more = cwi_realloc(run->imports, run->import_cap * sizeof(*run->imports),
                             cap * sizeof(*run->imports));
    if (more == NULL) return nomem(run);
    run->imports = more;
    run->import_cap = cap;
  }
  module->refs++;
  run->imports[run->import_len++] = (cwi_script_import){cwi_value_retain(name), module};
  return true;
}

static cwi_script_module *load_module(run_t *run, cw_value path, cwi_script_pos pos) {
  cwi_script_engine *engine = run->engine;
  char *text = NULL;
  size_t size = 0;
  cw_status status = engine->resolve == NULL ? CW_E_NOT_FOUND
                                             : engine->resolve(cwi_vm_text(path), &text, &size,
                                                               engine->resolve_context);
  if (status != CW_OK) {
    cwi_vm_raise_at(run, pos, CWI_SCRIPT_E_MODULE_NOT_FOUND, "%s", cwi_vm_text(path));
    return NULL;
  }
  cwi_script_parse_options options = cwi_engine_parse_options(engine);
  options.strict_variables = false;
  cwi_script_parse_error error;
  cwi_script_program *program = NULL;
  status =
      cwi_engine_compile(engine, text, size, cwi_vm_text(path), &options, &error, &program, NULL);
  cwi_free(text, size + 1);
  if (status != CW_OK) {
    if (error.kind == CWI_PARSE_NONE) {
      nomem(run);
    } else {
      raise_parse(run, &error);
      cwi_script_raise_in_call(run, cwi_vm_text(path));
      run->error.kind = CWI_SCRIPT_E_IN_MODULE;
      run->error.pos = pos;
    }
    return NULL;
  }
  /* Its constants may travel anywhere in this run. */
  if (!keep_program(run, cwi_script_program_retain(program))) {
    cwi_script_program_release(program);
    return NULL;
  }
  cwi_script_module *module = CWI_NEW(cwi_script_module);
  cwi_script_module **more = cwi_realloc(run->modules, run->module_cap * sizeof(*more),
                                         (run->module_cap + 1) * sizeof(*more));
  if (more != NULL) {
    run->modules = more;
    run->module_cap++;
  }
  if (module == NULL || more == NULL) {
    CWI_FREE(module);
    cwi_script_program_release(program);
    nomem(run);
    return NULL;
  }
  module->refs = 1;
  module->program = program;
  module->path = cwi_value_retain(path);
  run->modules[run->module_len++] = module;
  return module;
}

cwi_vm_call cwi_vm_import(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn) {
  cwi_script_place place = cwi_script_place_of(frame->proto, insn);
  uint32_t window = frame->base + insn->a;
  cw_value path = run->stack[window];
  cw_value name =
      insn->u.r.b == CWI_REG_NONE ? cwi_value_none() : frame->proto->consts[insn->u.r.b];
  if (path.kind != CW_VALUE_STRING) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(path),
                          "string");
    cwi_vm_fill(run, place.pos);
    return CWI_VM_ERROR;
  }
  if (run->limits.modules_max != SIZE_MAX && run->imported >= run->limits.modules_max) {
    cwi_vm_raise_at(run, place.pos2, CWI_SCRIPT_E_TOO_MANY_MODULES, "%s", "");
    return CWI_VM_ERROR;
  }
  run->imported++;
  for (uint32_t i = 0; i < run->module_len; i++) {
    if (!same_text(run->modules[i]->path, path)) continue;
    return import_bind(run, name, run->modules[i]) ? CWI_VM_RETURNED : CWI_VM_ERROR;
  }
  cwi_script_module *module = load_module(run, path, place.pos);
  if (module == NULL || !import_bind(run, name, module)) return CWI_VM_ERROR;
  cwi_vm_clear(run, window, window + 1);
  if (!cwi_vm_push(run, module->program->main, window, place.pos)) return CWI_VM_ERROR;
  cwi_script_frame *top = &run->frames[run->frame_len - 1];
  top->kind = CWI_FRAME_MODULE;
  top->module = module;
  return CWI_VM_ENTER;
}

/* A module's top level has run: what it imported is its own from now on. */
void cwi_vm_module_done(run_t *run, cwi_script_frame *frame) {
  uint32_t len = run->import_len - frame->import_base;
  if (len == 0) return;
  cwi_script_import *imports = cwi_alloc_array(len, sizeof(*imports));
  if (imports == NULL) return; /* they end with the frame */
  memcpy(imports, run->imports + frame->import_base, len * sizeof(*imports));
  run->import_len = frame->import_base;
  frame->module->imports = imports;
  frame->module->import_len = frame->module->import_cap = len;
}

static bool named_get(const cwi_script_named *list, uint32_t len, cw_value name, cw_value *dst) {
  for (uint32_t i = 0; i < len; i++) {
    if (!same_text(list[i].name, name)) continue;
    cwi_vm_set(dst, cwi_value_retain(list[i].value));
    return true;
  }
  return false;
}

bool cwi_vm_module_get(run_t *run, const cwi_script_site *site, cw_value *dst,
                       cwi_script_place place) {
  cwi_buf name = {0};
  for (uint32_t i = 0; i < site->path_len; i++) {
    if (i > 0) cwi_buf_append_str(&name, "::");
    cwi_buf_append_str(&name, cwi_vm_text(site->path[i]));
  }
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  const cwi_script_module *module = cwi_vm_find_module(run, site->path, site->path_len);
  bool global = site->path_len == 1 && strcmp(cwi_vm_text(site->path[0]), "global") == 0;
  bool ok = false;
  if (global && module == NULL) {
    module = frame->module != NULL ? frame->module : &run->main_module;
    ok = named_get(module->globals, module->global_len, site->name, dst);
  } else if (module != NULL) {
    ok = named_get(module->vars, module->var_len, site->name, dst);
  }
  if (!ok && module == NULL) {
    const char *text = cwi_buf_cstr(&name);
    cwi_vm_raise_at(run, place.pos, CWI_SCRIPT_E_MODULE_NOT_FOUND, "%s", text == NULL ? "" : text);
  } else if (!ok) {
    cwi_buf_append_format(&name, "::%s", cwi_vm_text(site->name));
    const char *text = cwi_buf_cstr(&name);
    cwi_vm_raise_at(run, place.pos, CWI_SCRIPT_E_VARIABLE_NOT_FOUND, "%s",
                    text == NULL ? "" : text);
  }
  cwi_buf_deinit(&name);
  return ok;
}

/* ---- limits ---- */

const cwi_script_limits *cwi_script_run_limits(cwi_script_run *run) { return &run->limits; }

typedef struct sizes {
  size_t arrays, maps, strings;
} sizes;

static void add_sizes(cw_value v, sizes *s, int depth) {
  if (depth > 256) return;
  if (v.kind == CW_VALUE_STRING) {
    s->strings += cwi_value_string_ptr(v)->size;
  } else if (v.kind == CW_VALUE_BYTES) {
    s->arrays += cw_value_len(v);
  } else if (v.kind == CW_VALUE_ARRAY) {
    const cwi_array *array = cwi_value_array_ptr(v);
    s->arrays += array->len;
    for (size_t i = 0; i < array->len; i++) add_sizes(array->items[i], s, depth + 1);
  } else if (v.kind == CW_VALUE_OBJECT) {
    cw_value item;
    cwi_object_iter iter = cwi_object_iter_start(v);
    s->maps += cw_value_len(v);
    while (cwi_object_iter_next(&iter, NULL, &item)) add_sizes(item, s, depth + 1);
  }
}

cwi_script_result cwi_script_check_limits(cwi_script_run *run, cw_value v) {
  const cwi_script_limits *limits = &run->limits;
  if (!run->has_sizes || !cwi_value_is_heap(v)) return CWI_SCRIPT_OK;
  sizes s = {0, 0, 0};
  add_sizes(v, &s, 0);
  const char *what = NULL;
  if (limits->string_size_max != 0 && s.strings > limits->string_size_max)
    what = "Length of string";
  if (limits->map_len_max != 0 && s.maps > limits->map_len_max) what = "Size of object map";
  if (limits->array_len_max != 0 && s.arrays > limits->array_len_max) what = "Size of array/BLOB";
  return what == NULL ? CWI_SCRIPT_OK
                      : cwi_script_raise(run, CWI_SCRIPT_E_DATA_TOO_LARGE, "%s", what);
}

cwi_script_result cwi_script_check_size(cwi_script_run *run, cw_value_kind kind, size_t size) {
  const cwi_script_limits *limits = &run->limits;
  size_t max = kind == CW_VALUE_STRING   ? limits->string_size_max
               : kind == CW_VALUE_OBJECT ? limits->map_len_max
                                         : limits->array_len_max;
  if (max == 0 || size <= max) return CWI_SCRIPT_OK;
  return cwi_script_raise(run, CWI_SCRIPT_E_DATA_TOO_LARGE, "%s",
                          kind == CW_VALUE_STRING   ? "Length of string"
                          : kind == CW_VALUE_OBJECT ? "Size of object map"
                                                    : "Size of array/BLOB");
}

cwi_script_result cwi_script_count_operations(cwi_script_run *run, uint64_t n) {
  run->operations += n;
  if (run->limits.operations_max == 0 || run->operations <= run->limits.operations_max) {
    return CWI_SCRIPT_OK;
  }
  return cwi_script_raise(run, CWI_SCRIPT_E_TOO_MANY_OPERATIONS, "%s", "");
}

int64_t cwi_script_now(cwi_script_run *run) {
  (void)run;
  return (int64_t)cwi_clock_now();
}

/* ---- JSON, which the reference reads as an object literal ---- */

cwi_script_result cwi_script_parse_json(cwi_script_run *run, const char *text, size_t size,
                                        cw_value *out) {
  *out = cwi_value_null();
  cwi_script_parse_options options = cwi_engine_parse_options(run->engine);
  options.json = true;
  options.expression_only = true;
  cwi_script_tree tree;
  cwi_script_result result = CWI_SCRIPT_OK;
  if (!cwi_script_parse(text, size, &options, &tree)) {
    raise_parse(run, &tree.error);
    tree.error.message = (cwi_buf){0};
    result = CWI_SCRIPT_ERROR;
  } else if (cwi_script_literal(tree.main->body->list, out) != CW_OK) {
    result = cwi_script_raise_nomem(run);
  } else if (out->kind != CW_VALUE_OBJECT) {
    result = cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_OUTPUT_TYPE,
                                   cwi_script_type_name(*out), "map");
    cw_value_release(out);
  }
  cwi_script_tree_deinit(&tree);
  return result;
}
