/* SPDX-License-Identifier: MIT */
/* Calling: which function a name means for these arguments, natives, function pointers, callbacks.
 *
 * A native that returns at once is called where it stands. One that calls back becomes a frame: the
 * callback's frame lies above it, and when that returns, the native is called again (its next
 * step). A call site remembers the last native it found together with the types it found it for. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_engine.h"
#include "script/script_run.h"

/* ---- finding natives ---- */

static uint64_t type_key(const cw_value *args, uint32_t argc) {
  uint64_t key = 1;
  for (uint32_t i = 0; i < argc && i < 7; i++) {
    key = (key << 4) | (uint64_t)cwi_script_type_of(args[i]);
  }
  return key;
}

const cwi_script_row *cwi_vm_find_row(run_t *run, const char *name, const cw_value *args,
                                      uint32_t argc) {
  return cwi_engine_find_row(run->engine, name, args, argc, NULL);
}

/* The row for these arguments, by the site's memory or by search. */
static const cwi_script_row *site_row(run_t *run, cwi_script_site *site, const cw_value *args,
                                      uint32_t argc) {
  uint64_t key = type_key(args, argc);
  uint64_t cached = atomic_load_explicit(&site->cache, memory_order_relaxed);
  if (CWI_LIKELY(cached >> 32 == key)) {
    return cwi_engine_row(run->engine, (uint32_t)cached);
  }
  uint32_t index = 0;
  const cwi_script_row *row =
      cwi_engine_find_row(run->engine, cwi_vm_text(site->name), args, argc, &index);
  if (row != NULL && key < UINT32_MAX) {
    atomic_store_explicit(&site->cache, (key << 32) | index, memory_order_relaxed);
  }
  return row;
}

bool cwi_vm_native_now(run_t *run, const char *name, cw_value *args, uint32_t argc, cw_value *out,
                       bool *found) {
  const cwi_script_row *row = cwi_vm_find_row(run, name, args, argc);
  *found = row != NULL && (row->flags & CWI_SCRIPT_RESUMABLE) == 0;
  if (!*found) return false;
  cwi_script_native *call = &run->scratch;
  call->run = run;
  call->args = args;
  call->argc = argc;
  call->data = row->data;
  call->result = cwi_value_null();
  if (row->fn(call) == CWI_SCRIPT_OK) {
    *out = call->result;
    return true;
  }
  cwi_value_drop(call->result);
  return false;
}

/* ---- running natives ---- */

static bool limits_ok(run_t *run, const cwi_script_row *row, cw_value result, const cw_value *args,
                      uint32_t argc) {
  if (!run->has_sizes) return true;
  if (cwi_script_check_limits(run, result) != CWI_SCRIPT_OK) return false;
  if ((row->flags & CWI_SCRIPT_MUT) == 0 || argc == 0) return true;
  return cwi_script_check_limits(run, args[0]) == CWI_SCRIPT_OK;
}

static cwi_vm_call push_native(run_t *run, const cwi_script_row *row, uint32_t base, uint32_t first,
                               uint32_t argc, cwi_script_pos pos) {
  cwi_script_native *call = CWI_NEW(cwi_script_native);
  bool ok = call != NULL;
  if (ok && run->frame_len == run->frame_cap) {
    uint32_t cap = run->frame_cap * 2 + 2;
    void *frames = cwi_realloc(run->frames, run->frame_cap * sizeof(cwi_script_frame),
                               cap * sizeof(cwi_script_frame));
    ok = frames != NULL;
    if (ok) { /* nothing may fail from here on: the VM still holds the old frames */
      run->frames = frames;
      run->frame_cap = cap;
    }
  }
  if (!ok) {
    CWI_FREE(call);
    cwi_script_raise_nomem(run);
    return CWI_VM_ERROR;
  }
  call->run = run;
  call->argc = argc;
  call->data = row->data;
  call->result = cwi_value_null();
  call->callback.name = row->name;
  run->frames[run->frame_len++] = (cwi_script_frame){.base = base,
                                                     .first = first,
                                                     .home = CWI_HOME_NONE,
                                                     .kind = CWI_FRAME_NATIVE,
                                                     .call_pos = pos,
                                                     .native = call,
                                                     .row = row,
                                                     .name_base = run->name_len,
                                                     .import_base = run->import_len};
  return CWI_VM_ENTER;
}

cwi_vm_call cwi_vm_call_row(run_t *run, const cwi_script_row *row, uint32_t base, uint32_t first,
                            uint32_t argc, cwi_script_pos pos) {
  if (row->flags & CWI_SCRIPT_RESUMABLE) return push_native(run, row, base, first, argc, pos);
  cwi_script_native *call = &run->scratch;
  call->run = run;
  call->args = run->stack + first;
  call->argc = argc;
  call->data = row->data;
  call->result = cwi_value_null();
  cwi_script_result result = row->fn(call);
  cw_value value = call->result;
  if (CWI_UNLIKELY(result != CWI_SCRIPT_OK ||
                   !limits_ok(run, row, value, run->stack + first, argc))) {
    cwi_value_drop(value);
    cwi_vm_fill(run, pos);
    return CWI_VM_ERROR;
  }
  call->result = value; /* the caller stores it, once it has taken back what it lent */
  return CWI_VM_RETURNED;
}

/* What a native gave goes into the window, its arguments away. */
static void store_result(run_t *run, uint32_t base, uint32_t first, uint32_t argc) {
  cw_value result = run->scratch.result;
  cwi_vm_clear(run, first, first + argc);
  cwi_vm_set(&run->stack[base], result);
}

/* The native's callback is due: builds its window above the native's own and calls. */
static cwi_vm_call call_back(run_t *run, uint32_t index) {
  cwi_script_frame *frame = &run->frames[index];
  cwi_script_native *call = frame->native;
  uint32_t base = frame->first + call->argc + 1;
  cwi_script_pos pos = frame->call_pos;
  if (!cwi_vm_reserve(run, base + 16)) return CWI_VM_ERROR;
  cwi_vm_set(&run->stack[base], call->callback.this_value);
  call->callback.this_value = cwi_value_none();
  for (uint32_t i = 0; i < call->callback.argc; i++) {
    cwi_vm_set(&run->stack[base + 1 + i], call->callback.args[i]);
    call->callback.args[i] = cwi_value_none();
  }
  call->callback.failed = false;
  cwi_vm_call done = cwi_vm_call_fn(run, call->callback.fn, base, call->callback.argc, pos);
  if (done == CWI_VM_ENTER) {
    cwi_script_frame *top = &run->frames[run->frame_len - 1];
    top->is_callback = true;
    top->by_value = top->kind == CWI_FRAME_SCRIPT;
  } else if (done == CWI_VM_RETURNED) {
    cwi_vm_set(&call->callback.result, run->stack[base]);
    run->stack[base].kind = CW_VALUE_NONE;
  } else {
    cwi_vm_clear(run, base, base + 1 + call->callback.argc);
    if (run->error.kind == CWI_SCRIPT_E_FUNCTION_NOT_FOUND) {
      cwi_vm_fill(run, pos);
      cwi_script_raise_in_call(run, call->callback.name);
    }
    cwi_vm_fill(run, pos);
  }
  return done;
}

/* Ends the native on top with its result. */
static void finish_native(run_t *run) {
  cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  cw_value result = frame->native->result;
  frame->native->result = cwi_value_none();
  bool is_callback = frame->is_callback;
  uint32_t base = frame->base;
  cwi_vm_pop(run);
  if (is_callback) {
    cwi_vm_set(&run->frames[run->frame_len - 1].native->callback.result, result);
  } else {
    cwi_vm_set(&run->stack[base], result);
  }
}

bool cwi_vm_resume_native(run_t *run) {
  for (;;) {
    uint32_t index = run->frame_len - 1;
    cwi_script_frame *frame = &run->frames[index];
    if (frame->kind != CWI_FRAME_NATIVE) return true;
    cwi_script_native *call = frame->native;
    call->args = run->stack + frame->first;
    cwi_script_result result = frame->row->fn(call);
    if (result == CWI_SCRIPT_OK &&
        limits_ok(run, frame->row, call->result, call->args, call->argc)) {
      finish_native(run);
      continue;
    }
    if (result == CWI_SCRIPT_SUSPEND) {
      run->suspended = true;
      return false;
    }
    if (result == CWI_SCRIPT_CALLBACK) {
      cwi_vm_call done = call_back(run, index);
      if (done == CWI_VM_ENTER) {
        if (run->frames[run->frame_len - 1].kind != CWI_FRAME_NATIVE) return true;
        continue;
      }
      if (done == CWI_VM_RETURNED) continue;
      call = run->frames[index].native;
      if (call->callback.catch_errors && cwi_script_error_is_catchable(&run->error)) {
        cwi_script_error_deinit(&run->error);
        call->callback.failed = true;
        continue;
      }
    }
    cwi_vm_fill(run, run->frames[index].call_pos);
    cwi_vm_pop(run);
    return false;
  }
}

/* ---- function pointers ---- */

/* Puts bound arguments in front of the others, and captured cells behind. */
static bool bind_arguments(run_t *run, const cwi_script_fn *fn, uint32_t base, uint32_t *argc) {
  if (fn->curry.kind != CW_VALUE_ARRAY) return true;
  const cwi_array *curry = cwi_value_array_ptr(fn->curry);
  uint32_t bound = (uint32_t)curry->len - fn->captured;
  if (!cwi_vm_reserve(run, base + 1 + *argc + (uint32_t)curry->len)) return false;
  cw_value *args = run->stack + base + 1;
  if (bound > 0) {
    cwi_vm_clear(run, base + 1 + *argc, base + 1 + *argc + bound);
    memmove(args + bound, args, *argc * sizeof(cw_value));
    for (uint32_t i = 0; i < bound; i++) {
      args[i] = cwi_value_retain(curry->items[fn->captured + i]);
    }
    *argc += bound;
  }
  for (uint32_t i = 0; i < fn->captured; i++) {
    cw_value cell = curry->items[i];
    if (cwi_script_is_cell(cell) &&
        ((cwi_script_cell *)(void *)cwi_value_box_ptr(cell))->locks > 0) {
      cwi_script_raise(run, CWI_SCRIPT_E_DATA_RACE, "%s", "");
      cwi_script_raise_in_call(run, cwi_vm_text(fn->name));
      cwi_vm_clear(run, base, base + 1 + *argc + i);
      return false;
    }
    cwi_vm_set(&args[*argc + i], cwi_value_retain(cell));
  }
  return true;
}

static const cwi_script_proto *fn_proto(run_t *run, const cwi_script_fn *fn, uint32_t argc) {
  if (fn->proto != NULL) return fn->proto;
  const cwi_string *name = cwi_value_string_ptr(fn->name);
  const cwi_script_program *program = run->program;
  for (uint32_t n = run->frame_len; n > 0; n--) {
    if (run->frames[n - 1].kind == CWI_FRAME_NATIVE) continue;
    program = run->frames[n - 1].proto->program;
    break;
  }
  const cwi_script_proto *proto = cwi_script_program_find(program, name->text, name->size, argc);
  if (proto == NULL && program != run->program) {
    proto = cwi_script_program_find(run->program, name->text, name->size, argc);
  }
  return proto;
}

static cwi_vm_call no_function(run_t *run, const char *name, uint32_t first, uint32_t argc) {
  cwi_script_raise_no_function(run, name, run->stack + first, argc);
  cwi_vm_clear(run, first, first + argc);
  return CWI_VM_ERROR;
}

cwi_vm_call cwi_vm_call_fn(run_t *run, cw_value value, uint32_t base, uint32_t argc,
                           cwi_script_pos pos) {
  if (!cwi_value_is_box_of(value, &cwi_script_fn_ops.core)) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(value), "Fn");
    return CWI_VM_ERROR;
  }
  const cwi_script_fn *fn = cwi_script_fn_ptr(value);
  if (!bind_arguments(run, fn, base, &argc)) return CWI_VM_ERROR;
  const cwi_script_proto *proto = fn_proto(run, fn, argc);
  if (CWI_LIKELY(proto != NULL && proto->param_len == argc)) {
    cwi_script_module *module = fn->module;
    if (!cwi_vm_push(run, proto, base, pos)) return CWI_VM_ERROR;
    run->frames[run->frame_len - 1].module = module;
    return CWI_VM_ENTER;
  }
  bool bound = run->stack[base].kind != CW_VALUE_NONE;
  uint32_t first = bound ? base : base + 1;
  uint32_t count = argc + (bound ? 1 : 0);
  const char *name = cwi_vm_text(fn->name);
  const cwi_script_row *row =
      proto == NULL ? cwi_vm_find_row(run, name, run->stack + first, count) : NULL;
  if (row == NULL) {
    cwi_vm_clear(run, base + 1 + argc, base + 1 + argc + fn->captured);
    return no_function(run, name, first, count);
  }
  cwi_vm_call done = cwi_vm_call_row(run, row, base, first, count, pos);
  if (done == CWI_VM_RETURNED) store_result(run, base, first, count);
  return done;
}

int cwi_script_fn_arity(cwi_script_run *run, cw_value value) {
  const cwi_script_fn *fn = cwi_script_fn_ptr(value);
  int bound = fn->curry.kind == CW_VALUE_ARRAY
                  ? (int)(cwi_value_array_ptr(fn->curry)->len - fn->captured)
                  : 0;
  for (uint32_t argc = 0; argc <= 4; argc++) {
    const cwi_script_proto *proto = fn_proto(run, fn, argc + (uint32_t)bound);
    if (proto != NULL) return proto->param_len - bound;
  }
  return -1;
}

cwi_script_result cwi_script_callback_item(cwi_script_native *call, cw_value fn, cw_value *extra,
                                           cw_value item, int64_t index) {
  int arity = cwi_script_fn_arity(call->run, fn);
  uint32_t argc = 0;
  int front = extra == NULL ? 0 : 1;
  if (arity < 0) {
    const char *name = cwi_vm_text(cwi_script_fn_ptr(fn)->name);
    cw_value args[2] = {extra == NULL ? item : *extra, item};
    bool plain = cwi_vm_find_row(call->run, name, args, 1 + (uint32_t)front) != NULL;
    arity = front + (plain ? 1 : 2);
  }
  call->callback.fn = fn;
  if (extra != NULL) call->callback.args[argc++] = cwi_script_take(extra);
  if (arity <= front) {
    cwi_vm_set(&call->callback.this_value, item);
  } else {
    call->callback.args[argc++] = item;
    if (arity > front + 1) call->callback.args[argc++] = cwi_value_int(index);
  }
  call->callback.argc = argc;
  return CWI_SCRIPT_CALLBACK;
}

/* ---- calls by name ---- */

static cwi_vm_call special_fn(run_t *run, const cwi_script_site *site, uint32_t base) {
  cw_value name = run->stack[base + 1];
  if (name.kind != CW_VALUE_STRING) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(name),
                          "string");
    cwi_vm_fill(run, site->arg_pos);
    return CWI_VM_ERROR;
  }
  const cwi_string *s = cwi_value_string_ptr(name);
  bool identifier = cwi_script_is_identifier(s->text, s->size);
  bool reserved = s->size > 0 && cwi_script_reserved(s->text, s->size) != 0;
  for (int kind = CWI_TOKEN_UNIT; kind < CWI_TOKEN_COUNT && !reserved && s->size > 0; kind++) {
    reserved = strcmp(cwi_script_tokens[kind].text, s->text) == 0;
  }
  if (reserved) {
    cwi_vm_raise_at(run, site->arg_pos, CWI_SCRIPT_E_PARSING, "'%s' is a reserved %s", s->text,
                    identifier ? "keyword" : "symbol");
    run->error.parse = CWI_PARSE_RESERVED;
    return CWI_VM_ERROR;
  }
  if (!identifier) {
    cwi_vm_raise_at(run, site->arg_pos, CWI_SCRIPT_E_FUNCTION_NOT_FOUND, "%s", s->text);
    return CWI_VM_ERROR;
  }
  cw_value out = cwi_value_none();
  if (cwi_value_box(&cwi_script_fn_ops.core, &out, NULL) != CW_OK) {
    cwi_script_raise_nomem(run);
    return CWI_VM_ERROR;
  }
  cwi_script_fn_ptr(out)->name = name;
  run->stack[base + 1].kind = CW_VALUE_NONE;
  cwi_vm_set(&run->stack[base], out);
  return CWI_VM_RETURNED;
}

/* A copy of the Fn at `first` with the arguments behind it bound as well. */
static cwi_vm_call special_curry(run_t *run, uint32_t base, uint32_t first, uint32_t more) {
  cw_value out = cwi_value_none();
  cw_status status = cwi_value_box(&cwi_script_fn_ops.core, &out, NULL);
  if (status == CW_OK) {
    const cwi_script_fn *from = cwi_script_fn_ptr(run->stack[first]);
    cwi_script_fn *to = cwi_script_fn_ptr(out);
    to->name = cwi_value_retain(from->name);
    to->curry = cwi_value_retain(from->curry);
    to->captured = from->captured;
    to->proto = from->proto;
    to->module = from->module;
    if (to->module != NULL) to->module->refs++;
    if (to->curry.kind != CW_VALUE_ARRAY) status = cw_value_array(more, &to->curry, NULL);
    for (uint32_t i = 0; i < more && status == CW_OK; i++) {
      cw_value item = run->stack[first + 1 + i];
      run->stack[first + 1 + i].kind = CW_VALUE_NONE;
      status = cw_value_array_push(&to->curry, item, NULL);
    }
  }
  if (status != CW_OK) {
    cw_value_release(&out);
    cwi_script_raise_nomem(run);
    return CWI_VM_ERROR;
  }
  cwi_vm_clear(run, first, first + 1 + more);
  cwi_vm_set(&run->stack[base], out);
  return CWI_VM_RETURNED;
}

static bool print_value(run_t *run, bool debug, cw_value value, cwi_script_pos pos) {
  cwi_buf text = {0};
  bool ok = debug ? cwi_script_debug(&text, value) : cwi_script_display(&text, value);
  if (ok) cwi_engine_print(run, debug, text.data, text.size, pos);
  cwi_buf_deinit(&text);
  if (!ok) cwi_script_raise_nomem(run);
  return ok;
}

static cwi_vm_call string_result(run_t *run, uint32_t base, const char *text) {
  cw_value out = cwi_value_none();
  if (cwi_value_string_trusted(text, strlen(text), &out, NULL) != CW_OK) {
    cwi_script_raise_nomem(run);
    return CWI_VM_ERROR;
  }
  cwi_vm_set(&run->stack[base], out);
  return CWI_VM_RETURNED;
}

static cwi_vm_call bool_result(run_t *run, uint32_t base, bool value) {
  cwi_vm_set(&run->stack[base], cwi_value_bool(value));
  return CWI_VM_RETURNED;
}

static cwi_vm_call special_defined(run_t *run, const cwi_script_site *site, uint32_t base) {
  cw_value name = run->stack[base + 1];
  if (name.kind != CW_VALUE_STRING) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(name),
                          "string");
    cwi_vm_fill(run, site->arg_pos);
    return CWI_VM_ERROR;
  }
  if (site->special == CWI_SPECIAL_IS_DEF_VAR) {
    return bool_result(run, base, cwi_vm_has_name(run, name));
  }
  const cwi_string *s = cwi_value_string_ptr(name);
  cw_value argc = run->stack[base + 2];
  bool found = argc.kind == CW_VALUE_INT && cwi_value_as_int(argc) >= 0 &&
               cwi_script_program_find(run->program, s->text, s->size, (uint32_t)argc.bits) != NULL;
  return bool_result(run, base, found);
}

static cwi_vm_call special_exit(run_t *run, uint32_t base, uint32_t argc) {
  cw_value value = cwi_value_null();
  if (argc == 1) {
    value = run->stack[base + 1];
    run->stack[base + 1].kind = CW_VALUE_NONE;
  }
  cwi_vm_set(&run->result, value);
  run->exited = true;
  cwi_script_raise(run, CWI_SCRIPT_E_TERMINATED, "%s", "");
  return CWI_VM_ERROR;
}

static cw_status describe(const cwi_script_proto *proto, cw_value *out) {
  cw_value params = cwi_value_none();
  cw_status status = cw_value_object(out, NULL);
  if (status == CW_OK) status = cw_value_array(proto->param_len, &params, NULL);
  for (uint32_t i = 0; i < proto->param_len && status == CW_OK; i++) {
    status = cw_value_array_push(&params, proto->params[i], NULL);
  }
  cw_value access = cwi_value_none();
  if (status == CW_OK) {
    const char *text = proto->is_private ? "private" : "public";
    status = cwi_value_string_trusted(text, strlen(text), &access, NULL);
  }
  if (status != CW_OK) {
    cw_value_release(&params);
    return status;
  }
  status = cw_value_object_set(out, "access", 6, access, NULL);
  if (status != CW_OK) {
    cw_value_release(&params);
    return status;
  }
  status = cw_value_object_set(out, "params", 6, params, NULL);
  if (status == CW_OK) status = cw_value_object_set(out, "name", 4, proto->name, NULL);
  if (status != CW_OK) return status;
  return cw_value_object_set(out, "is_anonymous", 12, cwi_value_bool(proto->is_closure), NULL);
}

/* get_fn_metadata_list([name [, parameters]]) */
static cwi_vm_call special_metadata(run_t *run, cw_value site_name, uint32_t base, uint32_t argc) {
  (void)site_name;
  const cwi_script_program *program = run->program;
  cw_value list = cwi_value_none();
  cw_status status = cw_value_array(4, &list, NULL);
  for (uint32_t i = 0; i + 1 < program->proto_len && status == CW_OK; i++) {
    const cwi_script_proto *proto = program->protos[i];
    if (argc > 0 && !cw_value_equal(proto->name, run->stack[base + 1])) continue;
    if (argc > 1 && cw_value_as_int(run->stack[base + 2]) != proto->param_len) continue;
    cw_value item = cwi_value_none();
    status = describe(proto, &item);
    if (status != CW_OK) {
      cw_value_release(&item);
    } else {
      status = cw_value_array_push(&list, item, NULL);
    }
  }
  if (status != CW_OK) {
    cw_value_release(&list);
    cwi_script_raise_nomem(run);
    return CWI_VM_ERROR;
  }
  cwi_vm_set(&run->stack[base], list);
  return CWI_VM_RETURNED;
}

/* 0: not special with these arguments; else done */
static bool call_special(run_t *run, const cwi_script_insn *insn, cwi_script_site *site,
                         uint32_t base, uint32_t argc, cwi_script_pos pos, cwi_vm_call *done) {
  cw_value *args = run->stack + base + 1;
  const cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  switch (site->special) {
    case CWI_SPECIAL_PRINT:
    case CWI_SPECIAL_DEBUG:
      if (argc > 1) return false;
      *done = CWI_VM_RETURNED;
      if (argc == 0) cwi_engine_print(run, site->special == CWI_SPECIAL_DEBUG, "", 0, pos);
      if (argc == 1 && !print_value(run, site->special == CWI_SPECIAL_DEBUG, args[0], pos)) {
        *done = CWI_VM_ERROR;
      }
      cwi_vm_set(&run->stack[base], cwi_value_null());
      break;
    case CWI_SPECIAL_TYPE_OF:
      if (argc != 1) return false;
      *done = string_result(run, base, cwi_script_type_name(args[0]));
      break;
    case CWI_SPECIAL_IS_SHARED: {
      if (argc != 1) return false;
      uint16_t home = (insn + 1)->a;
      *done = bool_result(
          run, base, home != CWI_REG_NONE && cwi_script_is_cell(run->stack[frame->base + home]));
      break;
    }
    case CWI_SPECIAL_METADATA: *done = special_metadata(run, site->name, base, argc); break;
    case CWI_SPECIAL_IS_DEF_VAR:
      if (argc != 1) return false;
      *done = special_defined(run, site, base);
      break;
    case CWI_SPECIAL_IS_DEF_FN:
      if (argc != 2) return false;
      *done = special_defined(run, site, base);
      break;
    case CWI_SPECIAL_FN:
      if (argc != 1) return false;
      *done = special_fn(run, site, base);
      break;
    case CWI_SPECIAL_CURRY:
      if (argc < 1 || cwi_script_type_of(args[0]) != CWI_SCRIPT_FN) return false;
      *done = special_curry(run, base, base + 1, argc - 1);
      break;
    case CWI_SPECIAL_EXIT:
      if (argc > 1) return false;
      *done = special_exit(run, base, argc);
      break;
    case CWI_SPECIAL_EVAL:
      if (argc != 1) return false;
      *done = cwi_vm_eval(run, base, pos, site->arg_pos) ? CWI_VM_ENTER : CWI_VM_ERROR;
      return true;
    default: return false;
  }
  cwi_vm_clear(run, base + 1, base + 1 + argc);
  return true;
}

/* The variable that a native changes goes into the window, the copy there away. */
static bool borrow_first(run_t *run, const cwi_script_insn *insn, const cwi_script_row *row,
                         uint32_t home, uint32_t first) {
  if (insn->flags & CWI_INSN_CONST) {
    cwi_script_raise(run, CWI_SCRIPT_E_NON_PURE_METHOD, "%s", row->name);
    return false;
  }
  cw_value *slot = cwi_vm_deref(&run->stack[home]);
  cw_value value = *slot;
  slot->kind = CW_VALUE_NONE;
  cwi_vm_set(&run->stack[first], value);
  return true;
}

static void return_first(run_t *run, uint32_t home, uint32_t first) {
  cw_value *slot = cwi_vm_deref(&run->stack[home]);
  cw_value value = run->stack[first];
  run->stack[first].kind = CW_VALUE_NONE;
  cwi_vm_set(slot, value);
}

static void lock_home(run_t *run, cwi_script_frame *top, uint32_t home) {
  top->home = home;
  if (cwi_script_is_cell(run->stack[home])) {
    top->home_cell = true;
    ((cwi_script_cell *)(void *)cwi_value_box_ptr(run->stack[home]))->locks++;
  }
}

/* Calls a native whose arguments lie from `first`; `home` is the variable it may change. */
static cwi_vm_call call_native(run_t *run, const cwi_script_insn *insn, const cwi_script_row *row,
                               uint32_t base, uint32_t first, uint32_t argc, uint32_t home,
                               cwi_script_pos pos) {
  bool borrow = home != CWI_HOME_NONE && (row->flags & CWI_SCRIPT_MUT) != 0;
  if (borrow && !borrow_first(run, insn, row, home, first)) return CWI_VM_ERROR;
  cwi_vm_call done = cwi_vm_call_row(run, row, base, first, argc, pos);
  if (done == CWI_VM_ENTER) {
    if (borrow) lock_home(run, &run->frames[run->frame_len - 1], home);
    return done;
  }
  if (borrow) return_first(run, home, first);
  if (done == CWI_VM_RETURNED) store_result(run, base, first, argc);
  return done;
}

cwi_vm_call cwi_vm_call_name(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn) {
  cwi_script_site *site = &frame->proto->program->sites[insn->u.r.c];
  cwi_script_pos pos = cwi_script_place_of(frame->proto, insn).pos;
  uint32_t base = frame->base + insn->a;
  uint32_t argc = insn->u.r.b;
  uint32_t home = (insn + 1)->a == CWI_REG_NONE ? CWI_HOME_NONE : frame->base + (insn + 1)->a;
  cwi_vm_call done = CWI_VM_ERROR;
  cwi_vm_set(&run->stack[base], cwi_value_none());
  if (site->special == CWI_SPECIAL_CALL && argc >= 1) {
    cw_value fn = run->stack[base + 1];
    if (cwi_script_type_of(fn) != CWI_SCRIPT_FN) {
      cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(fn), "Fn");
      cwi_vm_fill(run, site->arg_pos);
      return CWI_VM_ERROR;
    }
    const cwi_script_fn *p = cwi_script_fn_ptr(fn);
    memmove(run->stack + base + 1, run->stack + base + 2, (argc - 1) * sizeof(cw_value));
    run->stack[base + argc].kind = CW_VALUE_NONE;
    const cwi_script_row *row = NULL;
    if (p->proto == NULL && p->curry.kind != CW_VALUE_ARRAY && fn_proto(run, p, argc - 1) == NULL) {
      row = cwi_vm_find_row(run, cwi_vm_text(p->name), run->stack + base + 1, argc - 1);
    }
    done = row != NULL ? call_native(run, insn, row, base, base + 1, argc - 1, home, pos)
                       : cwi_vm_call_fn(run, fn, base, argc - 1, pos);
    cwi_value_drop(fn);
    if (done == CWI_VM_ERROR) cwi_vm_fill(run, pos);
    return done;
  }
  if (site->special != CWI_SPECIAL_NONE && call_special(run, insn, site, base, argc, pos, &done)) {
    return done;
  }
  if (site->proto >= 0) { /* f!(...) */
    cwi_script_module *module = frame->module;
    if (!cwi_vm_push(run, frame->proto->program->protos[site->proto], base, pos)) {
      return CWI_VM_ERROR;
    }
    run->frames[run->frame_len - 1].module = module;
    run->frames[run->frame_len - 1].sees_caller = site->bang;
    return CWI_VM_ENTER;
  }
  const cwi_script_row *row = site_row(run, site, run->stack + base + 1, argc);
  if (row == NULL) return no_function(run, cwi_vm_text(site->name), base + 1, argc);
  return call_native(run, insn, row, base, base + 1, argc, home, pos);
}

/* ---- methods ---- */

static bool type_matches(cw_value want, cw_value value) {
  const char *name = cwi_vm_text(want);
  const char *type = cwi_script_type_name(value);
  if (strcmp(name, type) == 0) return true;
  if (strcmp(name, "int") == 0) return value.kind == CW_VALUE_INT;
  if (strcmp(name, "float") == 0) return value.kind == CW_VALUE_FLOAT;
  return false;
}

static const cwi_script_proto *typed_method(const cwi_script_program *program, cw_value name,
                                            uint32_t argc, cw_value target) {
  const cwi_string *want = cwi_value_string_ptr(name);
  for (uint32_t i = 0; i < program->proto_len; i++) {
    const cwi_script_proto *proto = program->protos[i];
    if (proto->this_type.kind != CW_VALUE_STRING || proto->param_len != argc) continue;
    const cwi_string *own = cwi_value_string_ptr(proto->name);
    if (own->size == want->size && memcmp(own->text, want->text, own->size) == 0 &&
        type_matches(proto->this_type, target)) {
      return proto;
    }
  }
  return NULL;
}

static const cwi_script_proto *imported_method(run_t *run, cw_value name, uint32_t argc,
                                               cw_value target, cwi_script_module **module) {
  for (uint32_t i = run->import_len; i > 0; i--) {
    *module = run->imports[i - 1].module;
    const cwi_script_proto *proto = typed_method((*module)->program, name, argc, target);
    if (proto != NULL) return proto;
  }
  return NULL;
}

typedef struct method {
  cwi_script_site *site;
  const cwi_script_insn *insn;
  uint32_t base, argc, home;
  bool is_const, temp;
  cwi_script_pos pos;
} method;

/* Moves the target into the window, for a callee that has it as `this`. */
static void target_in(run_t *run, const method *m) {
  if (m->temp) return;
  cw_value *slot = cwi_vm_deref(&run->stack[m->home]);
  cw_value value = *slot;
  slot->kind = CW_VALUE_NONE;
  cwi_vm_set(&run->stack[m->base], value);
}

static void target_home(run_t *run, const method *m) {
  cwi_script_frame *top = &run->frames[run->frame_len - 1];
  top->this_const = m->is_const;
  if (!m->temp) lock_home(run, top, m->home);
}

static cwi_vm_call method_script(run_t *run, const method *m, const cwi_script_proto *proto,
                                 cwi_script_module *module) {
  target_in(run, m);
  if (!cwi_vm_push(run, proto, m->base, m->pos)) {
    if (!m->temp) return_first(run, m->home, m->base);
    return CWI_VM_ERROR;
  }
  run->frames[run->frame_len - 1].module = module;
  target_home(run, m);
  return CWI_VM_ENTER;
}

/* obj.f(...) where the map holds a Fn under that name */
static cwi_vm_call method_of_map(run_t *run, const method *m, cw_value fn) {
  cwi_value_retain(fn);
  cw_value *slot = m->temp ? NULL : &run->stack[m->home];
  cwi_script_cell *cell = NULL;
  if (slot != NULL && cwi_script_is_cell(*slot)) {
    cell = (cwi_script_cell *)(void *)cwi_value_box_ptr(*slot);
    cell->locks++;
  }
  target_in(run, m);
  cwi_vm_call done = cwi_vm_call_fn(run, fn, m->base, m->argc, m->pos);
  if (cell != NULL) cell->locks--;
  if (done == CWI_VM_ENTER) {
    target_home(run, m);
  } else if (!m->temp && run->stack[m->base].kind != CW_VALUE_NONE && done == CWI_VM_ERROR) {
    return_first(run, m->home, m->base);
  }
  cwi_value_drop(fn);
  return done;
}

static cwi_vm_call method_native(run_t *run, const method *m) {
  cw_value *args = run->stack + m->base;
  if (!m->temp) { /* a copy to choose by; taken for good only by what changes it */
    cwi_vm_set(args, cwi_value_retain(*cwi_vm_deref(&run->stack[m->home])));
  }
  const cwi_script_row *row = site_row(run, m->site, args, m->argc + 1);
  if (CWI_UNLIKELY(row == NULL)) {
    return no_function(run, cwi_vm_text(m->site->name), m->base, m->argc + 1);
  }
  if (m->is_const && (row->flags & CWI_SCRIPT_MUT)) {
    cwi_script_raise(run, CWI_SCRIPT_E_NON_PURE_METHOD, "%s", row->name);
    return CWI_VM_ERROR;
  }
  uint32_t home = m->temp ? CWI_HOME_NONE : m->home;
  return call_native(run, m->insn, row, m->base, m->base, m->argc + 1, home, m->pos);
}

static bool method_special(run_t *run, const method *m, cw_value target, cwi_vm_call *done) {
  switch (m->site->special) {
    case CWI_SPECIAL_TYPE_OF:
      if (m->argc != 0) return false;
      *done = string_result(run, m->base, cwi_script_type_name(target));
      return true;
    case CWI_SPECIAL_IS_SHARED:
      if (m->argc != 0) return false;
      *done = bool_result(run, m->base, !m->temp && cwi_script_is_cell(run->stack[m->home]));
      return true;
    case CWI_SPECIAL_CURRY:
      if (cwi_script_type_of(target) != CWI_SCRIPT_FN) return false;
      if (!m->temp) cwi_vm_set(&run->stack[m->base], cwi_value_retain(target));
      *done = special_curry(run, m->base, m->base, m->argc);
      return true;
    default: return false;
  }
}

static method method_of(const cwi_script_frame *frame, const cwi_script_insn *insn) {
  return (method){
      .site = &frame->proto->program->sites[insn->u.r.c],
      .insn = insn,
      .base = frame->base + insn->a,
      .argc = insn->u.r.b,
      .home = frame->base + (insn + 1)->a,
      .temp = (insn->flags & CWI_INSN_TEMP) != 0,
      .is_const = (insn->flags & CWI_INSN_CONST) != 0 || ((insn + 1)->a == 0 && frame->this_const),
      .pos = cwi_script_place_of(frame->proto, insn).pos};
}

cwi_vm_call cwi_vm_call_method(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn) {
  method m = method_of(frame, insn);
  cw_value target = m.temp ? run->stack[m.base] : *cwi_vm_deref(&run->stack[m.home]);
  cwi_script_module *module = frame->module;
  cwi_vm_call done = CWI_VM_ERROR;
  if (CWI_UNLIKELY(m.site->special != CWI_SPECIAL_NONE) && method_special(run, &m, target, &done)) {
    return done;
  }
  if (target.kind == CW_VALUE_OBJECT) {
    const cwi_string *name = cwi_value_string_ptr(m.site->name);
    const cw_value *fn = cwi_value_object_find(target, name->text, name->size);
    if (fn != NULL && cwi_script_type_of(*fn) == CWI_SCRIPT_FN) {
      return method_of_map(run, &m, *fn);
    }
  }
  const cwi_script_proto *proto = NULL;
  if (m.site->has_typed) proto = typed_method(frame->proto->program, m.site->name, m.argc, target);
  if (proto == NULL && m.site->proto >= 0) proto = frame->proto->program->protos[m.site->proto];
  if (proto == NULL && run->import_len > 0) {
    proto = imported_method(run, m.site->name, m.argc, target, &module);
    if (proto == NULL) module = frame->module;
  }
  if (proto != NULL) return method_script(run, &m, proto, module);
  return method_native(run, &m);
}

/* f.call(...), or x.call(f, ...) with x as `this` */
cwi_vm_call cwi_vm_call_pointer(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn) {
  method m = method_of(frame, insn);
  cw_value *slot = m.temp ? &run->stack[m.base] : &run->stack[m.home];
  cw_value target = *cwi_vm_deref(slot);
  cwi_vm_call done = CWI_VM_ERROR;
  if (CWI_LIKELY(cwi_value_is_box_of(target, &cwi_script_fn_ops.core))) {
    cwi_script_cell *cell = NULL;
    if (m.temp) {
      slot->kind = CW_VALUE_NONE;
    } else {
      cwi_value_retain(target);
      cwi_vm_set(&run->stack[m.base], cwi_value_none());
      if (cwi_script_is_cell(*slot)) {
        cell = (cwi_script_cell *)(void *)cwi_value_box_ptr(*slot);
        cell->locks++;
      }
    }
    done = cwi_vm_call_fn(run, target, m.base, m.argc, m.pos);
    if (cell != NULL && done == CWI_VM_ENTER &&
        run->frames[run->frame_len - 1].kind == CWI_FRAME_SCRIPT) {
      cwi_script_frame *top = &run->frames[run->frame_len - 1];
      top->home = m.home;
      top->home_cell = top->lock_only = true;
    } else if (cell != NULL) {
      cell->locks--;
    }
    cwi_value_drop(target);
    return done;
  }
  if (target.kind == CW_VALUE_OBJECT) {
    const cw_value *own = cwi_value_object_find(target, "call", 4);
    if (own != NULL && cwi_script_type_of(*own) == CWI_SCRIPT_FN) {
      return method_of_map(run, &m, *own);
    }
  }
  cw_value fn = m.argc > 0 ? run->stack[m.base + 1] : target;
  if (m.argc == 0 || cwi_script_type_of(fn) != CWI_SCRIPT_FN) {
    cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, cwi_script_type_name(fn), "Fn");
    cwi_vm_fill(run, m.argc == 0 ? m.pos : m.site->arg_pos);
    return CWI_VM_ERROR;
  }
  memmove(run->stack + m.base + 1, run->stack + m.base + 2, (m.argc - 1) * sizeof(cw_value));
  run->stack[m.base + m.argc].kind = CW_VALUE_NONE;
  m.argc--;
  done = method_of_map(run, &m, fn);
  cwi_value_drop(fn);
  return done;
}

cwi_vm_call cwi_vm_call_module(run_t *run, cwi_script_frame *frame, const cwi_script_insn *insn) {
  const cwi_script_site *site = &frame->proto->program->sites[insn->u.r.c];
  cwi_script_place place = cwi_script_place_of(frame->proto, insn);
  uint32_t base = frame->base + insn->a;
  uint32_t argc = insn->u.r.b;
  cwi_vm_set(&run->stack[base], cwi_value_none());
  cwi_script_module *module = cwi_vm_find_module(run, site->path, site->path_len);
  cwi_buf name = {0};
  for (uint32_t i = 0; i < site->path_len; i++) {
    if (i > 0) cwi_buf_append_str(&name, "::");
    cwi_buf_append_str(&name, cwi_vm_text(site->path[i]));
  }
  const cwi_string *own = cwi_value_string_ptr(site->name);
  const cwi_script_proto *proto = NULL;
  if (module == NULL) {
    const char *text = cwi_buf_cstr(&name);
    cwi_vm_raise_at(run, place.pos, CWI_SCRIPT_E_MODULE_NOT_FOUND, "%s", text == NULL ? "" : text);
  } else {
    proto = cwi_script_program_find(module->program, own->text, own->size, argc);
    if (proto == NULL || proto->is_private) {
      proto = NULL;
      cwi_buf_append_format(&name, "::%s", own->text);
      const char *text = cwi_buf_cstr(&name);
      cwi_script_raise_no_function(run, text == NULL ? "" : text, run->stack + base + 1, argc);
      run->error.pos = place.pos2;
    }
  }
  cwi_buf_deinit(&name);
  if (proto == NULL) return CWI_VM_ERROR;
  if (!cwi_vm_push(run, proto, base, place.pos2)) return CWI_VM_ERROR;
  run->frames[run->frame_len - 1].module = module;
  return CWI_VM_ENTER;
}
