/* SPDX-License-Identifier: MIT */
/* One run of a program: registers, frames, error. All of it lies on the heap, so that a run that
 * waits is nothing but this. A run belongs to one thread at a time. */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

#include "script/script_parser.h"
#include "script/script_program.h"

/* An error of the language. */
typedef struct cwi_script_error {
  uint8_t kind;  /* cwi_script_error_kind; NONE: no error */
  uint8_t parse; /* of PARSING: cwi_script_parse_error_kind */
  uint8_t lex;
  bool no_pos; /* the reference reports it without a place: none is filled in */
  cwi_script_pos pos;
  cw_status status; /* of ASYNC */
  int64_t n[2];     /* index and length */
  cw_value text;    /* STRING: name or message */
  cw_value more;    /* STRING: the wanted type; the source of a call */
  cw_value value;   /* of RUNTIME */
  struct cwi_script_error *inner;
} cwi_script_error;

void cwi_script_error_deinit(cwi_script_error *error);
/* The message without a place; with `place`, " (line L, position P)" behind every part that has
 * one. */
bool cwi_script_error_text(const cwi_script_error *error, bool place, cwi_buf *out);
const char *cwi_script_error_name(cwi_script_error_kind kind);
bool cwi_script_error_is_system(const cwi_script_error *error);
bool cwi_script_error_is_catchable(const cwi_script_error *error);
/* What `catch (e)` binds. */
cw_status cwi_script_error_value(const cwi_script_error *error, cw_value *out);

typedef enum cwi_script_frame_kind {
  CWI_FRAME_SCRIPT,
  CWI_FRAME_NATIVE, /* a resumable native, waiting for its callback */
  CWI_FRAME_EVAL,
  CWI_FRAME_MODULE,
} cwi_script_frame_kind;

#define CWI_HOME_NONE UINT32_MAX

typedef struct cwi_script_frame {
  const cwi_script_proto *proto;
  const cwi_script_insn *pc;
  uint32_t base; /* its first register in the stack */
  uint32_t home; /* where `this` goes back to; CWI_HOME_NONE: nowhere */
  uint8_t kind;
  bool home_cell; /* the home holds a cell, locked meanwhile */
  bool this_const;
  bool sees_caller; /* eval, f!(): names are looked for in the frame below too */
  bool is_callback; /* returns to the native below */
  bool by_value;    /* `this` of a callback goes back to the native */
  cwi_script_pos call_pos;
  uint32_t name_base, import_base;
  uint32_t first;            /* of NATIVE: its first argument in the stack */
  bool lock_only;            /* the home is a cell that is locked, nothing goes back */
  cwi_script_native *native; /* of NATIVE */
  const cwi_script_row *row;
  struct cwi_script_module *module; /* whose function this is; NULL: the script's own */
} cwi_script_frame;

/* A variable that only the run knows: declared by eval. */
typedef struct cwi_script_named {
  cw_value name;
  cw_value value; /* may be a cell */
  bool is_const;
  uint32_t frame; /* whose */
} cwi_script_named;

/* What `import` gives. */
typedef struct cwi_script_module {
  uint32_t refs;
  cwi_script_program *program;
  cw_value path;
  cwi_script_named *vars; /* exported */
  uint32_t var_len, var_cap;
  cwi_script_named *globals; /* its top-level constants */
  uint32_t global_len, global_cap;
  struct cwi_script_import *imports;
  uint32_t import_len, import_cap;
} cwi_script_module;

typedef struct cwi_script_import {
  cw_value name; /* NONE: imported without a name */
  cwi_script_module *module;
} cwi_script_import;

/* Variables and constants that live across runs. Belongs to one thread at a time. */
typedef struct cwi_script_scope {
  cwi_script_named *vars;
  uint32_t len, cap;
  cwi_script_program **programs; /* whose constants and functions the values may be */
  uint32_t program_len, program_cap;
} cwi_script_scope;

/* Sets a variable, or replaces one of this name; takes `value`, also on failure. */
bool cwi_scope_define(cwi_script_scope *scope, cw_value name, cw_value value, bool is_const);
/* Keeps a program alive as long as the scope. */
bool cwi_scope_keep(cwi_script_scope *scope, cwi_script_program *program);
void cwi_scope_clear(cwi_script_scope *scope);

struct cwi_script_run {
  struct cwi_script_engine *engine;
  cwi_script_program *program;
  cw_value *stack;
  uint32_t stack_cap;
  cwi_script_frame *frames;
  uint32_t frame_len, frame_cap;
  uint32_t level; /* script functions that are running */
  uint32_t fuel;  /* backward jumps and calls until the next look at limits */
  uint64_t operations;
  cwi_script_limits limits;
  cwi_script_error error;
  cw_value result;
  bool exited; /* by exit(): the error is no error */
  bool fail_on_invalid_property;
  bool has_sizes;          /* some size is limited */
  _Atomic bool *stop;      /* set from outside: cancelled; may be NULL */
  cwi_script_scope *scope; /* variables that live across runs; may be NULL */
  cwi_script_named *names;
  uint32_t name_len, name_cap;
  cwi_script_import *imports;
  uint32_t import_len, import_cap;
  cwi_script_module main_module; /* the script's own exports and constants */
  cwi_script_module **modules;   /* loaded by this run */
  uint32_t module_len, module_cap;
  uint32_t imported;         /* how often */
  struct cw_future *pending; /* what the run waits for, while it is suspended */
  bool suspended;
  cw_status answer_status; /* what came of it */
  cw_value answer;
  char *answer_text;             /* CW_ERROR_MESSAGE_BYTES_MAX bytes; NULL: none */
  cwi_script_program **programs; /* of eval, kept until the end */
  uint32_t program_len, program_cap;
  cwi_script_native scratch; /* for natives that return at once */
};

typedef enum cwi_script_state {
  CWI_SCRIPT_DONE,
  CWI_SCRIPT_FAILED,
  CWI_SCRIPT_SUSPENDED,
} cwi_script_state;

cw_status cwi_script_run_new(struct cwi_script_engine *engine, cwi_script_program *program,
                             cwi_script_run **out, cw_error *err);
void cwi_script_run_free(cwi_script_run *run);
/* Runs until the end, an error, or an asynchronous call. */
cwi_script_state cwi_script_run_go(cwi_script_run *run);
/* Puts the program's main function, or `proto` with arguments (taken), on the stack. */
bool cwi_script_run_start(cwi_script_run *run, const cwi_script_proto *proto, cw_value *args,
                          uint32_t argc);

/* ---- for the files of the VM ---- */

typedef cwi_script_run run_t;

bool cwi_vm_reserve(run_t *run, uint32_t top);
/* Pushes a frame whose window, `this` first, begins at `base`; missing registers become unit. */
bool cwi_vm_push(run_t *run, const cwi_script_proto *proto, uint32_t base, cwi_script_pos pos);
/* Finds who handles the error; false: nobody in this run. */
bool cwi_vm_unwind(run_t *run);
void cwi_vm_pop(run_t *run);
/* Drops the registers from `from` to `to`. */
void cwi_vm_clear(run_t *run, uint32_t from, uint32_t to);
bool cwi_vm_look(run_t *run);          /* limits, time, cancellation; false: raised */
bool cwi_vm_resume_native(run_t *run); /* the topmost frame is a native: its next step */

/* Results of calling: a frame was pushed, the result lies in the window, or an error was raised. */
typedef enum cwi_vm_call { CWI_VM_ENTER, CWI_VM_RETURNED, CWI_VM_ERROR } cwi_vm_call;

cwi_vm_call cwi_vm_call_name(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn);
cwi_vm_call cwi_vm_call_method(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn);
cwi_vm_call cwi_vm_call_pointer(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn);
cwi_vm_call cwi_vm_call_module(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn);
/* Calls a Fn with the window at `base`: this, then argc arguments. */
cwi_vm_call cwi_vm_call_fn(run_t *run, cw_value fn, uint32_t base, uint32_t argc,
                           cwi_script_pos pos);
cwi_vm_call cwi_vm_call_row(run_t *run, const cwi_script_row *row, uint32_t base, uint32_t first,
                            uint32_t argc, cwi_script_pos pos);
const cwi_script_row *cwi_vm_find_row(run_t *run, const char *name, const cw_value *args,
                                      uint32_t argc);
/* Calls a native by name on values outside the stack, at once; false: raised, or (found false)
 * none. */
bool cwi_vm_native_now(run_t *run, const char *name, cw_value *args, uint32_t argc, cw_value *out,
                       bool *found);
cwi_vm_call cwi_vm_import(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn);
bool cwi_vm_eval(run_t *run, uint32_t window, cwi_script_pos pos, cwi_script_pos arg_pos);

/* operators; `a`, `b` are read, the result is written over *dst */
bool cwi_vm_binary(run_t *run, cwi_script_token_kind op, uint8_t flags, cw_value *dst, cw_value *a,
                   cw_value *b);
bool cwi_vm_unary(run_t *run, cwi_script_op op, cw_value *dst, cw_value *a);
/* -1: raised */
int cwi_vm_compare(run_t *run, cwi_script_token_kind op, cw_value *a, cw_value *b);
bool cwi_vm_range(run_t *run, bool inclusive, cw_value *dst, cw_value *a, cw_value *b);
bool cwi_vm_for_range(run_t *run, cw_value *base, bool inclusive);
bool cwi_vm_iter_start(run_t *run, cw_value *base);
/* 1: `out` is the next item (owned); 0: the end; -1: raised */
int cwi_vm_iter_next(run_t *run, cw_value *base, cw_value *out);
bool cwi_vm_case_equal(cw_value a, cw_value b);
bool cwi_vm_case_range(cw_value item, cw_value range);
bool cwi_vm_interpolate(run_t *run, cw_value *dst, cw_value *parts, uint32_t len);
bool cwi_vm_new_map(run_t *run, cw_value *dst, cw_value *items, const cw_value *keys, uint32_t len);
bool cwi_vm_new_array(run_t *run, cw_value *dst, cw_value *items, uint32_t len);
bool cwi_vm_check_literal(run_t *run, cw_value *items, uint32_t len, uint32_t kind);

/* links of chains */
bool cwi_vm_get_index(run_t *run, cw_value *dst, cw_value *base, cw_value *index,
                      cwi_script_place place);
bool cwi_vm_set_index(run_t *run, cw_value *base, cw_value *index, cw_value *value, uint8_t flags,
                      cwi_script_place place, const cwi_script_insn *blame);
bool cwi_vm_take_index(run_t *run, cw_value *dst, cw_value *base, cw_value *index,
                       cwi_script_place place);
void cwi_vm_put_index(run_t *run, cw_value *base, cw_value *index, cw_value *value);
bool cwi_vm_get_prop(run_t *run, cw_value *dst, cw_value *base, cwi_script_site *site,
                     cwi_script_place place);
bool cwi_vm_set_prop(run_t *run, cw_value *base, cwi_script_site *site, cw_value *value,
                     uint8_t flags, cwi_script_place place, const cwi_script_insn *blame);
bool cwi_vm_take_prop(run_t *run, cw_value *dst, cw_value *base, cwi_script_site *site,
                      cwi_script_place place);
void cwi_vm_put_prop(run_t *run, cw_value *base, cwi_script_site *site, cw_value *value);

/* names and cells */
bool cwi_vm_get_name(run_t *run, cw_value name, cw_value *dst);
bool cwi_vm_set_name(run_t *run, cw_value name, cw_value *value, bool quiet);
bool cwi_vm_has_name(run_t *run, cw_value name);
bool cwi_vm_closure(run_t *run, const cwi_script_insn *insn, cw_value *regs);
bool cwi_vm_share(run_t *run, cw_value *slot, cw_value *cell);
bool cwi_vm_module_get(run_t *run, const cwi_script_site *site, cw_value *dst,
                       cwi_script_place place);
bool cwi_vm_global_get(run_t *run, const cw_value *name, cw_value *dst);
bool cwi_vm_named_set(run_t *run, cwi_script_named **list, uint32_t *len, uint32_t *cap,
                      cw_value name, cw_value value, bool is_const);
void cwi_vm_names_cut(run_t *run, uint32_t len);
void cwi_vm_imports_cut(run_t *run, uint32_t len);
void cwi_vm_keep_locals(run_t *run, const cwi_script_frame *frame);
cwi_script_module *cwi_vm_find_module(run_t *run, const cw_value *path, uint32_t len);
void cwi_vm_module_release(cwi_script_module *module);
void cwi_vm_module_done(run_t *run, cwi_script_frame *frame);

/* Raising at a place. */
bool cwi_vm_raise_at(run_t *run, cwi_script_pos pos, cwi_script_error_kind kind, const char *format,
                     ...) CWI_PRINTF(4, 5);
bool cwi_vm_fill(run_t *run, cwi_script_pos pos); /* returns false */

CWI_INLINE cw_value *cwi_vm_deref(cw_value *slot) {
  if (CWI_UNLIKELY(slot->kind == CW_VALUE_BOX) && cwi_script_is_cell(*slot)) {
    return &((cwi_script_cell *)(void *)cwi_value_box_ptr(*slot))->value;
  }
  return slot;
}

CWI_INLINE void cwi_vm_set(cw_value *slot, cw_value value) {
  cw_value old = *slot;
  *slot = value;
  cwi_value_drop(old);
}

CWI_INLINE const char *cwi_vm_text(cw_value string) {
  return string.kind == CW_VALUE_STRING ? cwi_value_string_ptr(string)->text : "";
}

#endif
