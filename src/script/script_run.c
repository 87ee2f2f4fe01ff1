/* SPDX-License-Identifier: MIT */
/* The life of a run, and of a scope. */
#include "script/script_run.h"

#include <string.h>

#include "causeway/future.h"
#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_engine.h"

#define STACK_START 16

cw_status cwi_script_run_new(cwi_script_engine *engine, cwi_script_program *program,
                             cwi_script_run **out, cw_error *err) {
  CWI_ASSERT(engine != NULL && program != NULL);
  *out = NULL;
  cwi_script_run *run = CWI_NEW(cwi_script_run);
  if (run == NULL) return CWI_RAISE_NOMEM(err, "a run");
  run->engine = engine;
  run->program = cwi_script_program_retain(program);
  run->limits = engine->limits;
  run->fail_on_invalid_property = engine->fail_on_invalid_property;
  run->has_sizes = run->limits.string_size_max != 0 || run->limits.array_len_max != 0 ||
                   run->limits.map_len_max != 0;
  run->fuel = 4096;
  run->main_module.refs = 1;
  *out = run;
  return CW_OK;
}

static void free_named(cwi_script_named *list, uint32_t len, uint32_t cap) {
  for (uint32_t i = 0; i < len; i++) {
    cwi_value_drop(list[i].name);
    cwi_value_drop(list[i].value);
  }
  cwi_free(list, cap * sizeof(*list));
}

void cwi_script_run_free(cwi_script_run *run) {
  if (run == NULL) return;
  while (run->frame_len > 0) cwi_vm_pop(run);
  cwi_vm_clear(run, 0, run->stack_cap);
  cwi_value_drop(run->result);
  cwi_value_drop(run->answer);
  if (run->pending != NULL) cw_release(run->pending);
  if (run->answer_text != NULL) cwi_free(run->answer_text, CW_ERROR_MESSAGE_BYTES_MAX);
  cwi_script_error_deinit(&run->error);
  cwi_vm_names_cut(run, 0);
  cwi_vm_imports_cut(run, 0);
  for (uint32_t i = 0; i < run->module_len; i++) cwi_vm_module_release(run->modules[i]);
  free_named(run->main_module.vars, run->main_module.var_len, run->main_module.var_cap);
  free_named(run->main_module.globals, run->main_module.global_len, run->main_module.global_cap);
  for (uint32_t i = 0; i < run->program_len; i++) cwi_script_program_release(run->programs[i]);
  cwi_free(run->programs, run->program_cap * sizeof(*run->programs));
  cwi_free(run->modules, run->module_cap * sizeof(*run->modules));
  cwi_free(run->names, run->name_cap * sizeof(*run->names));
  cwi_free(run->imports, run->import_cap * sizeof(*run->imports));
  cwi_free(run->frames, run->frame_cap * sizeof(*run->frames));
  cwi_free(run->stack, run->stack_cap * sizeof(*run->stack));
  cwi_script_program_release(run->program);
  CWI_FREE(run);
}

bool cwi_script_run_start(cwi_script_run *run, const cwi_script_proto *proto, cw_value *args,
                          uint32_t argc) {
  bool ok = cwi_vm_reserve(run, STACK_START > proto->reg_len ? STACK_START : proto->reg_len);
  for (uint32_t i = 0; i < argc; i++) {
    if (ok) {
      run->stack[1 + i] = args[i];
    } else {
      cwi_value_drop(args[i]);
    }
  }
  if (!ok || !cwi_vm_push(run, proto, 0, 0)) return false;
  if (proto == run->program->main) run->level--; /* the script itself is no call */
  return true;
}

/* ---- scopes ---- */

bool cwi_scope_define(cwi_script_scope *scope, cw_value name, cw_value value, bool is_const) {
  for (uint32_t i = 0; i < scope->len; i++) {
    cwi_script_named *var = &scope->vars[i];
    if (!cw_value_equal(var->name, name)) continue;
    cwi_vm_set(&var->value, value);
    var->is_const = is_const;
    return true;
  }
  if (scope->len == scope->cap) {
    uint32_t cap = scope->cap == 0 ? 8 : scope->cap * 2;
    void *more =
        cwi_realloc(scope->vars, scope->cap * sizeof(*scope->vars), cap * sizeof(*scope->vars));
    if (more == NULL) {
      cwi_value_drop(value);
      return false;
    }
    scope->vars = more;
    scope->cap = cap;
  }
  /* The name outlives the program that brought it. */
  cw_value copy = cwi_value_none();
  const cwi_string *text = cwi_value_string_ptr(name);
  if (cwi_value_string_trusted(text->text, text->size, &copy, NULL) != CW_OK) {
    cwi_value_drop(value);
    return false;
  }
  scope->vars[scope->len++] =
      (cwi_script_named){.name = copy, .value = value, .is_const = is_const};
  return true;
}

bool cwi_scope_keep(cwi_script_scope *scope, cwi_script_program *program) {
  for (uint32_t i = 0; i < scope->program_len; i++) {
    if (scope->programs[i] == program) return true;
  }
  if (scope->program_len == scope->program_cap) {
    uint32_t cap = scope->program_cap == 0 ? 4 : scope->program_cap * 2;
    void *more = cwi_realloc(scope->programs, scope->program_cap * sizeof(*scope->programs),
                             cap * sizeof(*scope->programs));
    if (more == NULL) return false;
    scope->programs = more;
    scope->program_cap = cap;
  }
  scope->programs[scope->program_len++] = cwi_script_program_retain(program);
  return true;
}

void cwi_scope_clear(cwi_script_scope *scope) {
  free_named(scope->vars, scope->len, scope->cap);
  for (uint32_t i = 0; i < scope->program_len; i++) cwi_script_program_release(scope->programs[i]);
  cwi_free(scope->programs, scope->program_cap * sizeof(*scope->programs));
  *scope = (cwi_script_scope){0};
}
