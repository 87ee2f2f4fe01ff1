/* SPDX-License-Identifier: MIT */
/* The VM: the loop that runs bytecode.
 *
 * Registers lie in one stack of values a run; a frame is a window of it. A call's window becomes
 * the callee's first registers (`this`, parameters), and the result comes back in the window's
 * first one. Everything above the running frame's registers holds no reference: leaving a frame
 * drops what it has.
 *
 * No C frame stands between two script frames: natives that call back are frames themselves
 * (script_call.c), so a run may stop anywhere and go on later.
 *
 * The loop does the frequent cases of every instruction; the rest is in functions that return false
 * with an error raised. `frame->pc` is stored before anything that can fail or look at it. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "script/script_run.h"

#define FUEL 4096

bool cwi_vm_look(run_t *run) {
  run->fuel = FUEL;
  if (run->stop != NULL && atomic_load_explicit(run->stop, memory_order_relaxed)) {
    cwi_script_raise(run, CWI_SCRIPT_E_TERMINATED, "%s", "");
    return false;
  }
  return true;
}

static bool count(run_t *run) {
  run->operations++;
  if (run->limits.operations_max == 0 || run->operations <= run->limits.operations_max) return true;
  cwi_script_raise(run, CWI_SCRIPT_E_TOO_MANY_OPERATIONS, "%s", "");
  return false;
}

static bool set_this(run_t *run, const cwi_script_frame *frame, cw_value *this_slot,
                     const cw_value *value) {
  if (this_slot->kind == CW_VALUE_NONE) {
    cwi_script_raise(run, CWI_SCRIPT_E_UNBOUND_THIS, "%s", "");
    return false;
  }
  if (frame->this_const) {
    cwi_script_raise(run, CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT, "%s", "");
    return false;
  }
  if (value != NULL) cwi_vm_set(this_slot, cwi_value_retain(*value));
  return true;
}

static bool raise_bool(run_t *run, cw_value actual) {
  const char *name = cwi_script_type_name(actual);
  /* Here the reference does not give its ranges the names of the language. */
  cwi_script_type type = cwi_script_type_of(actual);
  if (type == CWI_SCRIPT_RANGE) name = "core::ops::range::Range<i64>";
  if (type == CWI_SCRIPT_RANGE_INCLUSIVE) name = "core::ops::range::RangeInclusive<i64>";
  cwi_script_raise_type(run, CWI_SCRIPT_E_MISMATCH_DATA_TYPE, name, "bool");
  return false;
}

static bool raise_kind(run_t *run, const cwi_script_frame *frame, const cwi_script_insn *insn) {
  const char *text = "";
  if (insn->a == CWI_SCRIPT_E_ASSIGNMENT_TO_CONSTANT) {
    text = cwi_vm_text(frame->proto->consts[insn->u.r.b]);
  }
  cwi_script_raise(run, (cwi_script_error_kind)insn->a, "%s", text);
  return false;
}

/* The error that a catch holds is a box in its register. */
typedef struct error_box {
  cwi_box box;
  cwi_script_error error;
} error_box;

static void error_box_deinit(cwi_box *box) {
  cwi_script_error_deinit(&((error_box *)(void *)box)->error);
}
static const cwi_box_ops error_ops = {
    .name = "error", .size = sizeof(error_box), .deinit = error_box_deinit};

static bool catch_error(run_t *run, cw_value *dst, cw_value held) {
  cw_value value = cwi_value_null();
  if (cwi_value_is_box_of(held, &error_ops)) {
    const error_box *box = (const error_box *)(const void *)cwi_value_box_ptr(held);
    if (cwi_script_error_value(&box->error, &value) != CW_OK) {
      cwi_script_raise_nomem(run);
      return false;
    }
  }
  cwi_vm_set(dst, value);
  return true;
}

/* ---- frames ---- */

void cwi_vm_clear(run_t *run, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) {
    cw_value *slot = &run->stack[i];
    if (cwi_value_is_heap(*slot)) {
      cw_value old = *slot;
      slot->kind = CW_VALUE_NONE;
      cwi_value_drop(old);
    }
  }
}

bool cwi_vm_reserve(run_t *run, uint32_t top) {
  if (top <= run->stack_cap) return true;
  uint32_t cap = run->stack_cap * 2 > top ? run->stack_cap * 2 : top + 8;
  cw_value *stack =
      cwi_realloc(run->stack, run->stack_cap * sizeof(cw_value), (size_t)cap * sizeof(cw_value));
  if (stack == NULL) {
    cwi_script_raise_nomem(run);
    return false;
  }
  memset(stack + run->stack_cap, 0, (size_t)(cap - run->stack_cap) * sizeof(cw_value));
  run->stack = stack;
  run->stack_cap = cap;
  return true;
}

static cwi_script_frame *new_frame(run_t *run) {
  if (run->frame_len == run->frame_cap) {
    uint32_t cap = run->frame_cap == 0 ? 3 : run->frame_cap * 2;
    cwi_script_frame *frames =
        cwi_realloc(run->frames, run->frame_cap * sizeof(*frames), cap * sizeof(*frames));
    if (frames == NULL) {
      cwi_script_raise_nomem(run);
      return NULL;
    }
    run->frames = frames;
    run->frame_cap = cap;
  }
  return &run->frames[run->frame_len];
}

bool cwi_vm_push(run_t *run, const cwi_script_proto *proto, uint32_t base, cwi_script_pos pos) {
  if (CWI_UNLIKELY(run->level >= run->limits.call_levels_max)) {
    cwi_script_raise(run, CWI_SCRIPT_E_STACK_OVERFLOW, "%s", "");
    run->error.pos = pos;
    return false;
  }
  if (CWI_UNLIKELY(base + proto->reg_len > run->stack_cap) &&
      !cwi_vm_reserve(run, base + proto->reg_len)) {
    return false;
  }
  cwi_script_frame *frame =
      run->frame_len < run->frame_cap ? &run->frames[run->frame_len] : new_frame(run);
  if (CWI_UNLIKELY(frame == NULL)) return false;
  *frame = (cwi_script_frame){.proto = proto,
                              .pc = proto->code,
                              .base = base,
                              .home = CWI_HOME_NONE,
                              .kind = CWI_FRAME_SCRIPT,
                              .call_pos = pos,
                              .name_base = run->name_len,
                              .import_base = run->import_len};
  run->frame_len++;
  run->level++;
  return true;
}

/* `this` goes back where it came from. */
static void this_back(run_t *run, cwi_script_frame *frame) {
  cw_value *home = &run->stack[frame->home];
  cw_value *own = &run->stack[frame->kind == CWI_FRAME_NATIVE ? frame->first : frame->base];
  if (frame->home_cell) {
    cwi_script_cell *cell = (cwi_script_cell *)(void *)cwi_value_box_ptr(*home);
    cell->locks--;
    home = &cell->value;
  }
  if (frame->lock_only) return;
  cw_value value = *own;
  own->kind = CW_VALUE_NONE;
  cwi_vm_set(home, value);
}

/* Ends the topmost frame, of whatever kind; its registers are dropped. */
void cwi_vm_pop(run_t *run) {
  cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  if (frame->kind == CWI_FRAME_NATIVE) {
    cwi_script_native *call = frame->native;
    if (frame->home != CWI_HOME_NONE) this_back(run, frame);
    for (size_t i = 0; i < CWI_ARRAY_LEN(call->locals); i++) cwi_value_drop(call->locals[i]);
    for (size_t i = 0; i < CWI_ARRAY_LEN(call->callback.args); i++) {
      cwi_value_drop(call->callback.args[i]);
    }
    cwi_value_drop(call->callback.this_value);
    cwi_value_drop(call->callback.result);
    cwi_value_drop(call->result);
    cwi_vm_clear(run, frame->base, frame->base + call->argc + 1);
    CWI_FREE(call);
    run->frame_len--;
    return;
  }
  if (frame->home != CWI_HOME_NONE) this_back(run, frame);
  cwi_vm_clear(run, frame->base, frame->base + frame->proto->reg_len);
  if (run->name_len > frame->name_base && frame->kind != CWI_FRAME_EVAL) {
    cwi_vm_names_cut(run, frame->name_base);
  }
  if (run->import_len > frame->import_base && run->frame_len > 1 && frame->kind != CWI_FRAME_EVAL) {
    cwi_vm_imports_cut(run, frame->import_base);
  }
  run->frame_len--;
  run->level--;
}

/* ---- errors on their way ---- */

static void wrap_error(run_t *run, const cwi_script_frame *frame) {
  cwi_script_error *error = &run->error;
  if (frame->kind == CWI_FRAME_EVAL && error->kind == CWI_SCRIPT_E_NOMEM) return;
  if (cwi_script_error_is_system(error) && error->kind != CWI_SCRIPT_E_PARSING) {
    error->pos = frame->call_pos;
    return;
  }
  if (frame->kind == CWI_FRAME_MODULE) {
    cwi_script_raise_in_call(run, cwi_vm_text(frame->proto->program->source));
    if (run->error.kind == CWI_SCRIPT_E_IN_FUNCTION_CALL) run->error.kind = CWI_SCRIPT_E_IN_MODULE;
    run->error.pos = frame->call_pos;
    return;
  }
  bool eval = frame->kind == CWI_FRAME_EVAL;
  cwi_script_raise_in_call(run, eval ? "eval" : cwi_vm_text(frame->proto->name));
  if (frame->module != NULL && run->error.kind == CWI_SCRIPT_E_IN_FUNCTION_CALL) {
    cwi_vm_set(&run->error.more, cwi_value_retain(frame->proto->program->source));
  }
  run->error.pos = frame->call_pos;
}

static const cwi_script_guard *find_guard(const cwi_script_frame *frame, bool catchable) {
  const cwi_script_proto *proto = frame->proto;
  uint32_t pc = (uint32_t)(frame->pc - proto->code) - 1;
  const cwi_script_guard *best = NULL;
  for (uint32_t i = 0; i < proto->guard_len; i++) {
    const cwi_script_guard *guard = &proto->guards[i];
    if (guard->is_catch || pc < guard->start || pc >= guard->end) continue;
    if (!guard->cleanup && !catchable) continue;
    if (best == NULL || guard->end - guard->start < best->end - best->start) best = guard;
  }
  return best;
}

/* A `throw` without a value inside a catch throws the caught error again. */
static void rethrow(run_t *run, const cwi_script_frame *frame) {
  cwi_script_error *error = &run->error;
  if (error->kind != CWI_SCRIPT_E_RUNTIME || error->value.kind != CW_VALUE_NULL) return;
  const cwi_script_proto *proto = frame->proto;
  uint32_t pc = (uint32_t)(frame->pc - proto->code) - 1;
  for (uint32_t i = 0; i < proto->guard_len; i++) {
    const cwi_script_guard *guard = &proto->guards[i];
    if (!guard->is_catch || pc < guard->start || pc >= guard->end) continue;
    cw_value held = run->stack[frame->base + guard->reg];
    if (!cwi_value_is_box_of(held, &error_ops)) continue;
    error_box *box = (error_box *)(void *)cwi_value_box_ptr(held);
    cwi_script_pos pos = error->pos;
    cwi_script_error_deinit(error);
    *error = box->error;
    error->pos = pos;
    box->error = (cwi_script_error){0};
    return;
  }
}

static bool enter_guard(run_t *run, cwi_script_frame *frame, const cwi_script_guard *guard) {
  frame->pc = frame->proto->code + guard->target;
  if (guard->cleanup) return true; /* the error stays where it is, for RETHROW */
  cw_value held = cwi_value_none();
  if (cwi_value_box(&error_ops, &held, NULL) != CW_OK) {
    cwi_script_raise_nomem(run);
    return false;
  }
  ((error_box *)(void *)cwi_value_box_ptr(held))->error = run->error;
  run->error = (cwi_script_error){0};
  cwi_vm_set(&run->stack[frame->base + guard->reg], held);
  return true;
}

bool cwi_vm_unwind(run_t *run) {
  while (run->frame_len > 0) {
    cwi_script_frame *frame = &run->frames[run->frame_len - 1];
    if (frame->kind == CWI_FRAME_NATIVE) {
      cwi_script_native *call = frame->native;
      if (call->callback.catch_errors && cwi_script_error_is_catchable(&run->error) &&
          !run->exited) {
        cwi_script_error_deinit(&run->error);
        call->callback.failed = true;
        return true;
      }
      if (run->error.kind == CWI_SCRIPT_E_IN_FUNCTION_CALL && run->error.pos == 0) {
        run->error.pos = frame->call_pos;
      }
      cwi_vm_pop(run);
      continue;
    }
    rethrow(run, frame);
    bool catchable = cwi_script_error_is_catchable(&run->error) && !run->exited;
    const cwi_script_guard *guard = find_guard(frame, catchable);
    if (guard != NULL && enter_guard(run, frame, guard)) return true;
    bool outermost = run->frame_len == 1;
    if (!run->exited &&
        (!outermost || frame->kind != CWI_FRAME_SCRIPT || frame->proto != run->program->main)) {
      wrap_error(run, frame);
    }
    if (outermost) cwi_vm_keep_locals(run, frame);
    cwi_vm_pop(run);
  }
  return false;
}

/* What happens at RETURN besides the frame's end. `result` is owned. Returns whether to go on. */
static bool leave_frame(run_t *run, cw_value result) {
  cwi_script_frame *frame = &run->frames[run->frame_len - 1];
  uint32_t base = frame->base;
  bool callback = frame->is_callback;
  bool by_value = frame->by_value;
  if (frame->kind == CWI_FRAME_EVAL || run->frame_len == 1) cwi_vm_keep_locals(run, frame);
  if (frame->kind == CWI_FRAME_MODULE) cwi_vm_module_done(run, frame);
  cw_value this_value = cwi_value_none();
  if (by_value) {
    this_value = run->stack[base];
    run->stack[base].kind = CW_VALUE_NONE;
  }
  cwi_vm_pop(run);
  if (callback) {
    cwi_script_native *call = run->frames[run->frame_len - 1].native;
    cwi_vm_set(&call->callback.this_value, this_value);
    cwi_vm_set(&call->callback.result, result);
    return true;
  }
  if (run->frame_len == 0) {
    cwi_vm_set(&run->result, result);
    return false;
  }
  cwi_vm_set(&run->stack[base], result);
  return true;
}

/* ---- the loop ---- */

#define R(n) (regs[n])
#define A R(i->a)
#define B R(i->u.r.b)
#define C R(i->u.r.c)
#define IMM ((int64_t)(int16_t)i->u.r.c)
#define IMM_B ((int64_t)(int16_t)i->u.r.b)
#define SAVE() (frame->pc = pc)
#define BOTH(k) (B.kind == (k) && C.kind == (k))
#define SET_INT(value)                                                   \
  do {                                                                   \
    cw_value *slot_ = &A;                                                \
    int64_t number_ = (value);                                           \
    if (CWI_UNLIKELY(cwi_value_is_heap(*slot_))) cwi_value_drop(*slot_); \
    *slot_ = cwi_value_int(number_);                                     \
  } while (0)
#define SET_FLOAT(value)                                                 \
  do {                                                                   \
    cw_value *slot_ = &A;                                                \
    double number_ = (value);                                            \
    if (CWI_UNLIKELY(cwi_value_is_heap(*slot_))) cwi_value_drop(*slot_); \
    *slot_ = cwi_value_float(number_);                                   \
  } while (0)
#define SET_BOOL(value)                                                  \
  do {                                                                   \
    cw_value *slot_ = &A;                                                \
    bool truth_ = (value);                                               \
    if (CWI_UNLIKELY(cwi_value_is_heap(*slot_))) cwi_value_drop(*slot_); \
    *slot_ = cwi_value_bool(truth_);                                     \
  } while (0)
#define FREE_REG(n)                \
  do {                             \
    if (cwi_value_is_heap(R(n))) { \
      cw_value old_ = R(n);        \
      R(n).kind = CW_VALUE_NONE;   \
      cwi_value_drop(old_);        \
    }                              \
  } while (0)
#define FREE_TEMPS()                                                          \
  do {                                                                        \
    if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b); \
    if ((i->flags & CWI_INSN_FREE_C) && i->u.r.c != i->a) FREE_REG(i->u.r.c); \
  } while (0)
#define TRY(call)                         \
  do {                                    \
    SAVE();                               \
    if (CWI_UNLIKELY(!(call))) goto fail; \
  } while (0)
#define RELOAD()                                      \
  do {                                                \
    frame = &run->frames[run->frame_len - 1];         \
    if (frame->kind == CWI_FRAME_NATIVE) goto native; \
    regs = run->stack + frame->base;                  \
    pc = frame->pc;                                   \
  } while (0)
#define AFTER_CALL(result)                                                       \
  do {                                                                           \
    cwi_vm_call called_ = (result);                                              \
    if (CWI_UNLIKELY(called_ == CWI_VM_ERROR)) goto fail;                        \
    if (called_ == CWI_VM_ENTER) {                                               \
      if (CWI_UNLIKELY(--run->fuel == 0) && !cwi_vm_look(run)) goto fail_unwind; \
      RELOAD();                                                                  \
    } else {                                                                     \
      regs = run->stack + frame->base;                                           \
    }                                                                            \
  } while (0)
#define ARITH(OVERFLOWS, OP, TOKEN)                                                  \
  do {                                                                               \
    if (CWI_LIKELY(BOTH(CW_VALUE_INT))) {                                            \
      int64_t sum_;                                                                  \
      if (CWI_LIKELY(!OVERFLOWS(cwi_value_as_int(B), cwi_value_as_int(C), &sum_))) { \
        SET_INT(sum_);                                                               \
        NEXT();                                                                      \
      }                                                                              \
    } else if (BOTH(CW_VALUE_FLOAT)) {                                               \
      SET_FLOAT(cwi_value_as_float(B) OP cwi_value_as_float(C));                     \
      NEXT();                                                                        \
    }                                                                                \
    TRY(cwi_vm_binary(run, TOKEN, i->flags, &A, &B, &C));                            \
    FREE_TEMPS();                                                                    \
    NEXT();                                                                          \
  } while (0)
#define ARITH_IMM(OVERFLOWS, OP, TOKEN)                                       \
  do {                                                                        \
    if (CWI_LIKELY(B.kind == CW_VALUE_INT)) {                                 \
      int64_t sum_;                                                           \
      if (CWI_LIKELY(!OVERFLOWS(cwi_value_as_int(B), IMM, &sum_))) {          \
        SET_INT(sum_);                                                        \
        NEXT();                                                               \
      }                                                                       \
    }                                                                         \
    cw_value right_ = cwi_value_int(IMM);                                     \
    TRY(cwi_vm_binary(run, TOKEN, i->flags, &A, &B, &right_));                \
    if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b); \
    NEXT();                                                                   \
  } while (0)
#define COMPARE(OP, TOKEN)                                  \
  do {                                                      \
    if (CWI_LIKELY(BOTH(CW_VALUE_INT))) {                   \
      SET_BOOL(cwi_value_as_int(B) OP cwi_value_as_int(C)); \
      NEXT();                                               \
    }                                                       \
    SAVE();                                                 \
    int order_ = cwi_vm_compare(run, TOKEN, &B, &C);        \
    if (order_ < 0) goto fail;                              \
    FREE_TEMPS();                                           \
    SET_BOOL(order_ != 0);                                  \
    NEXT();                                                 \
  } while (0)
/* The jump's distance is in the word behind; flags NEGATE: jump where it is false. */
#define COMPARE_JUMP(LEFT, RIGHT, RIGHT_OK, OP, TOKEN, RIGHT_VALUE)        \
  do {                                                                     \
    bool truth_;                                                           \
    if (CWI_LIKELY((LEFT).kind == CW_VALUE_INT && (RIGHT_OK))) {           \
      truth_ = cwi_value_as_int(LEFT) OP(RIGHT);                           \
    } else {                                                               \
      cw_value right_ = (RIGHT_VALUE);                                     \
      SAVE();                                                              \
      int order_ = cwi_vm_compare(run, TOKEN, &(LEFT), &right_);           \
      if (order_ < 0) goto fail;                                           \
      truth_ = order_ != 0;                                                \
      if (i->flags & CWI_INSN_FREE_B) FREE_REG(i->a);                      \
      if (i->flags & CWI_INSN_FREE_C) FREE_REG(i->u.r.b);                  \
    }                                                                      \
    pc += truth_ != ((i->flags & CWI_INSN_NEGATE) != 0) ? pc->u.d + 1 : 1; \
    NEXT();                                                                \
  } while (0)
#define JUMP_RR(OP, TOKEN) \
  COMPARE_JUMP(A, cwi_value_as_int(B), B.kind == CW_VALUE_INT, OP, TOKEN, B)
#define JUMP_RI(OP, TOKEN) COMPARE_JUMP(A, IMM_B, true, OP, TOKEN, cwi_value_int(IMM_B))

CWI_DISPATCH_BEGIN
CWI_HOT cwi_script_state cwi_script_run_go(cwi_script_run *run) {
#if CWI_COMPUTED_GOTO
  static const void *const labels[] = {
#define X(NAME, operands) &&op_##NAME,
#include "script/script_op.def"
#undef X
  };
#define NEXT()           \
  do {                   \
    i = pc++;            \
    goto *labels[i->op]; \
  } while (0)
#define OP(NAME) op_##NAME
#else
#define NEXT() goto dispatch
#define OP(NAME) case CWI_OP_##NAME
#endif
  cwi_script_frame *frame = NULL;
  cw_value *regs = NULL;
  const cwi_script_insn *pc = NULL;
  const cwi_script_insn *i = NULL;
  run->suspended = false;
  if (run->error.kind != CWI_SCRIPT_E_NONE) goto fail_unwind;
  if (run->frame_len == 0) return CWI_SCRIPT_DONE;
  RELOAD();
#if CWI_COMPUTED_GOTO
  NEXT();
#else
dispatch:
  i = pc++;
  switch (i->op) {
#endif
  OP(NOP) : OP(EXTRA) : NEXT();
  OP(MOVE) : cwi_vm_set(&A, cwi_value_retain(B));
  NEXT();
  OP(MOVE_OUT) : {
    cw_value moved = B;
    B.kind = CW_VALUE_NONE;
    cwi_vm_set(&A, moved);
  }
  NEXT();
  OP(LOAD_CONST) : cwi_vm_set(&A, frame->proto->consts[i->u.d]);
  NEXT();
  OP(LOAD_INT) : cwi_vm_set(&A, cwi_value_int(i->u.d));
  NEXT();
  OP(LOAD_BOOL) : cwi_vm_set(&A, cwi_value_bool(i->u.r.b != 0));
  NEXT();
  OP(LOAD_UNIT) : cwi_vm_set(&A, cwi_value_null());
  NEXT();
  OP(LOAD_NONE) : cwi_vm_set(&A, cwi_value_none());
  NEXT();
  OP(GET_CELL) : cwi_vm_set(&A, cwi_value_retain(*cwi_vm_deref(&B)));
  NEXT();
  OP(SET_CELL) : cwi_vm_set(cwi_vm_deref(&A), cwi_value_retain(B));
  NEXT();
  OP(GET_NAME) : TRY(cwi_vm_get_name(run, frame->proto->consts[i->u.r.b], &A));
  NEXT();
  OP(SET_NAME)
      : TRY(cwi_vm_set_name(run, frame->proto->consts[i->u.r.b], &A,
                            (i->flags & CWI_INSN_NEGATE) != 0));
  NEXT();
  OP(GET_THIS) : if (CWI_UNLIKELY(R(0).kind == CW_VALUE_NONE || (i->flags & CWI_INSN_NEGATE))) {
    TRY(set_this(run, frame, &R(0), NULL));
  }
  if (i->a != CWI_REG_NONE) cwi_vm_set(&A, cwi_value_retain(R(0)));
  NEXT();
  OP(SET_THIS) : TRY(set_this(run, frame, &R(0), &A));
  NEXT();
  OP(ADD) : ARITH(CWI_ADD_OVERFLOWS, +, CWI_TOKEN_PLUS);
  OP(SUB) : ARITH(CWI_SUB_OVERFLOWS, -, CWI_TOKEN_MINUS);
  OP(MUL) : ARITH(CWI_MUL_OVERFLOWS, *, CWI_TOKEN_STAR);
  OP(DIV) : if (BOTH(CW_VALUE_FLOAT)) {
    SET_FLOAT(cwi_value_as_float(B) / cwi_value_as_float(C));
    NEXT();
  }
  TRY(cwi_vm_binary(run, CWI_TOKEN_SLASH, i->flags, &A, &B, &C));
  FREE_TEMPS();
  NEXT();
  OP(MOD) : if (CWI_LIKELY(BOTH(CW_VALUE_INT) && cwi_value_as_int(C) > 0)) {
    SET_INT(cwi_value_as_int(B) % cwi_value_as_int(C));
    NEXT();
  }
  TRY(cwi_vm_binary(run, CWI_TOKEN_PERCENT, i->flags, &A, &B, &C));
  FREE_TEMPS();
  NEXT();
  OP(ADD_IMM) : ARITH_IMM(CWI_ADD_OVERFLOWS, +, CWI_TOKEN_PLUS);
  OP(SUB_IMM) : ARITH_IMM(CWI_SUB_OVERFLOWS, -, CWI_TOKEN_MINUS);
  OP(MUL_IMM) : ARITH_IMM(CWI_MUL_OVERFLOWS, *, CWI_TOKEN_STAR);
  OP(MOD_IMM) : if (CWI_LIKELY(B.kind == CW_VALUE_INT)) {
    SET_INT(cwi_value_as_int(B) % IMM);
    NEXT();
  }
  {
    cw_value right = cwi_value_int(IMM);
    TRY(cwi_vm_binary(run, CWI_TOKEN_PERCENT, i->flags, &A, &B, &right));
  }
  if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b);
  NEXT();
  OP(BINARY) : TRY(cwi_vm_binary(run, (cwi_script_token_kind)pc->u.d, i->flags, &A, &B, &C));
  FREE_TEMPS();
  pc++;
  NEXT();
  OP(LT) : COMPARE(<, CWI_TOKEN_LT);
  OP(LE) : COMPARE(<=, CWI_TOKEN_LE);
  OP(GT) : COMPARE(>, CWI_TOKEN_GT);
  OP(GE) : COMPARE(>=, CWI_TOKEN_GE);
  OP(EQ) : COMPARE(==, CWI_TOKEN_EQ);
  OP(NE) : COMPARE(!=, CWI_TOKEN_NE);
  OP(NEG) : OP(NOT) : OP(PLUS) : TRY(cwi_vm_unary(run, (cwi_script_op)i->op, &A, &B));
  if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b);
  NEXT();
  OP(JUMP) : pc += i->u.d;
  NEXT();
  OP(LOOP) : pc += i->u.d;
  if (CWI_UNLIKELY(--run->fuel == 0)) TRY(cwi_vm_look(run));
  NEXT();
  OP(JUMP_IF) : if (CWI_UNLIKELY(A.kind != CW_VALUE_BOOL)) TRY(raise_bool(run, A));
  if (A.bits != 0) pc += i->u.d;
  NEXT();
  OP(JUMP_IF_NOT) : if (CWI_UNLIKELY(A.kind != CW_VALUE_BOOL)) TRY(raise_bool(run, A));
  if (A.bits == 0) pc += i->u.d;
  NEXT();
  OP(JUMP_UNIT) : {
    uint32_t kind = cwi_vm_deref(&A)->kind;
    if (kind == CW_VALUE_NULL || kind == CW_VALUE_NONE) pc += i->u.d;
  }
  NEXT();
  OP(JUMP_NOT_UNIT) : if (A.kind != CW_VALUE_NULL && A.kind != CW_VALUE_NONE) pc += i->u.d;
  NEXT();
  OP(JUMP_LT) : JUMP_RR(<, CWI_TOKEN_LT);
  OP(JUMP_LE) : JUMP_RR(<=, CWI_TOKEN_LE);
  OP(JUMP_GT) : JUMP_RR(>, CWI_TOKEN_GT);
  OP(JUMP_GE) : JUMP_RR(>=, CWI_TOKEN_GE);
  OP(JUMP_EQ) : JUMP_RR(==, CWI_TOKEN_EQ);
  OP(JUMP_NE) : JUMP_RR(!=, CWI_TOKEN_NE);
  OP(JUMP_LT_IMM) : JUMP_RI(<, CWI_TOKEN_LT);
  OP(JUMP_LE_IMM) : JUMP_RI(<=, CWI_TOKEN_LE);
  OP(JUMP_GT_IMM) : JUMP_RI(>, CWI_TOKEN_GT);
  OP(JUMP_GE_IMM) : JUMP_RI(>=, CWI_TOKEN_GE);
  OP(JUMP_EQ_IMM) : JUMP_RI(==, CWI_TOKEN_EQ);
  OP(JUMP_NE_IMM) : JUMP_RI(!=, CWI_TOKEN_NE);
  OP(CHECK_BOOL) : if (CWI_UNLIKELY(A.kind != CW_VALUE_BOOL)) TRY(raise_bool(run, A));
  NEXT();
  OP(CALL_FN) : {
    SAVE();
    const cwi_script_proto *proto = frame->proto->program->protos[i->u.r.c];
    cwi_script_module *module = frame->module;
    if (CWI_UNLIKELY(cwi_value_is_heap(A))) FREE_REG(i->a);
    A.kind = CW_VALUE_NONE;
    cwi_script_pos pos = cwi_script_place_of(frame->proto, i).pos;
    if (CWI_UNLIKELY(--run->fuel == 0) && !cwi_vm_look(run)) goto fail;
    if (CWI_UNLIKELY(!cwi_vm_push(run, proto, frame->base + i->a, pos))) goto fail;
    frame = &run->frames[run->frame_len - 1];
    frame->module = module;
    regs = run->stack + frame->base;
    pc = frame->pc;
  }
  NEXT();
  OP(CALL) : pc++;
  SAVE();
  AFTER_CALL(cwi_vm_call_name(run, frame, i));
  NEXT();
  OP(CALL_METHOD) : pc++;
  SAVE();
  AFTER_CALL(cwi_vm_call_method(run, frame, i));
  NEXT();
  OP(CALL_POINTER) : pc++;
  SAVE();
  AFTER_CALL(cwi_vm_call_pointer(run, frame, i));
  NEXT();
  OP(CALL_MODULE) : pc++;
  SAVE();
  AFTER_CALL(cwi_vm_call_module(run, frame, i));
  NEXT();
  OP(RETURN) : {
    SAVE();
    cw_value result = *cwi_vm_deref(&A);
    if (&A != cwi_vm_deref(&A)) {
      cwi_value_retain(result);
    } else {
      A.kind = CW_VALUE_NONE;
    }
    if (result.kind == CW_VALUE_NONE) result.kind = CW_VALUE_NULL;
    if (!leave_frame(run, result)) return CWI_SCRIPT_DONE;
    RELOAD();
  }
  NEXT();
  OP(THROW) : SAVE();
  cwi_script_raise_value(run, cwi_value_retain(A));
  goto fail;
  OP(RETHROW) : pc = frame->proto->code + i->u.d; /* as if it had not been guarded */
  SAVE();
  goto fail_unwind;
  OP(CATCH) : TRY(catch_error(run, &A, B));
  NEXT();
  OP(NEW_ARRAY) : TRY(cwi_vm_new_array(run, &A, &B, i->u.r.c));
  NEXT();
  OP(NEW_MAP)
      : TRY(cwi_vm_new_map(run, &A, &B, &frame->proto->consts[i->u.r.c], (uint32_t)pc->u.d));
  pc++;
  NEXT();
  OP(INTERPOLATE) : TRY(cwi_vm_interpolate(run, &A, &B, i->u.r.c));
  NEXT();
  OP(CHECK_LITERAL) : TRY(cwi_vm_check_literal(run, &A, i->u.r.b, i->u.r.c));
  NEXT();
  OP(CLOSURE) : pc += i->u.r.c;
  TRY(cwi_vm_closure(run, i, regs));
  NEXT();
  OP(FN_NAME) : TRY(cwi_vm_closure(run, i, regs));
  NEXT();
  OP(GET_PROP)
      : TRY(cwi_vm_get_prop(run, &A, &B, &frame->proto->program->sites[i->u.r.c],
                            cwi_script_place_of(frame->proto, i)));
  if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b);
  NEXT();
  OP(SET_PROP)
      : TRY(cwi_vm_set_prop(run, &A, &frame->proto->program->sites[i->u.r.b], &C, i->flags,
                            cwi_script_place_of(frame->proto, i), pc));
  pc++;
  NEXT();
  OP(TAKE_PROP)
      : TRY(cwi_vm_take_prop(run, &A, &B, &frame->proto->program->sites[i->u.r.c],
                             cwi_script_place_of(frame->proto, i)));
  NEXT();
  OP(PUT_PROP) : cwi_vm_put_prop(run, &A, &frame->proto->program->sites[i->u.r.b], &C);
  NEXT();
  OP(GET_INDEX) : if (CWI_LIKELY(B.kind == CW_VALUE_ARRAY && C.kind == CW_VALUE_INT)) {
    const cwi_array *array = cwi_value_array_ptr(B);
    uint64_t index = C.bits;
    if (CWI_LIKELY(index < array->len)) {
      cw_value item = cwi_value_retain(array->items[index]);
      cwi_vm_set(&A, item);
      if ((i->flags & CWI_INSN_FREE_B) && i->u.r.b != i->a) FREE_REG(i->u.r.b);
      NEXT();
    }
  }
  TRY(cwi_vm_get_index(run, &A, &B, &C, cwi_script_place_of(frame->proto, i)));
  FREE_TEMPS();
  NEXT();
  OP(SET_INDEX)
      : if (CWI_LIKELY(A.kind == CW_VALUE_ARRAY && B.kind == CW_VALUE_INT && !run->has_sizes &&
                       (i->flags & CWI_INSN_CONST) == 0)) {
    cwi_array *array = cwi_value_array_ptr(A);
    uint64_t index = B.bits;
    if (CWI_LIKELY(index < array->len && array->ref.refs == 1)) {
      cwi_vm_set(&array->items[index], C);
      C.kind = CW_VALUE_NONE;
      pc++;
      NEXT();
    }
  }
  TRY(cwi_vm_set_index(run, &A, &B, &C, i->flags, cwi_script_place_of(frame->proto, i), pc));
  pc++;
  NEXT();
  OP(TAKE_INDEX) : TRY(cwi_vm_take_index(run, &A, &B, &C, cwi_script_place_of(frame->proto, i)));
  NEXT();
  OP(PUT_INDEX) : cwi_vm_put_index(run, &A, &B, &C);
  NEXT();
  OP(FOR_RANGE) : TRY(cwi_vm_for_range(run, &A, i->u.r.b != 0));
  NEXT();
  OP(FOR_NEXT) : {
    cw_value *state = &A; /* the next number, how many are left, which one it is */
    if (state[1].bits == 0) {
      pc++;
      NEXT();
    }
    if (CWI_UNLIKELY(--run->fuel == 0)) TRY(cwi_vm_look(run));
    state[1].bits--;
    if (CWI_LIKELY(!(i->flags & CWI_INSN_CELL))) {
      cwi_vm_set(&B, cwi_value_int((int64_t)state->bits));
      if (i->u.r.c != CWI_REG_NONE) cwi_vm_set(&C, cwi_value_int((int64_t)state[2].bits));
    } else {
      cwi_vm_set(cwi_vm_deref(&B), cwi_value_int((int64_t)state->bits));
      if (i->u.r.c != CWI_REG_NONE) {
        cwi_vm_set(cwi_vm_deref(&C), cwi_value_int((int64_t)state[2].bits));
      }
    }
    state->bits++;
    state[2].bits++;
    pc += pc->u.d + 1;
  }
  NEXT();
  OP(ITER_START) : TRY(cwi_vm_iter_start(run, &A));
  NEXT();
  OP(ITER_NEXT) : {
    cw_value item = cwi_value_none();
    SAVE();
    int more = cwi_vm_iter_next(run, &A, &item);
    if (more < 0) goto fail;
    if (more == 0) {
      pc++;
      NEXT();
    }
    if (CWI_UNLIKELY(--run->fuel == 0)) TRY(cwi_vm_look(run));
    cwi_vm_set(cwi_vm_deref(&B), item);
    if (i->u.r.c != CWI_REG_NONE) {
      cwi_vm_set(cwi_vm_deref(&C), cwi_value_int((int64_t)(&A)[2].bits));
    }
    (&A)[2].bits++;
    pc += pc->u.d + 1;
  }
  NEXT();
  OP(CASE_EQ) : SET_BOOL(cwi_vm_case_equal(B, frame->proto->consts[i->u.r.c]));
  NEXT();
  OP(CASE_RANGE) : SET_BOOL(cwi_vm_case_range(B, frame->proto->consts[i->u.r.c]));
  NEXT();
  OP(RANGE) : TRY(cwi_vm_range(run, (i->flags & CWI_INSN_NEGATE) != 0, &A, &B, &C));
  NEXT();
  OP(COUNT) : TRY(count(run));
  NEXT();
  OP(RAISE) : TRY(raise_kind(run, frame, i));
  NEXT();
  OP(IMPORT) : SAVE();
  AFTER_CALL(cwi_vm_import(run, frame, i));
  NEXT();
  OP(EXPORT) : {
    cwi_script_module *to = &run->main_module;
    for (uint32_t n = run->frame_len; n > 0; n--) {
      if (run->frames[n - 1].kind != CWI_FRAME_MODULE) continue;
      to = run->frames[n - 1].module;
      break;
    }
    TRY(cwi_vm_named_set(run, &to->vars, &to->var_len, &to->var_cap, frame->proto->consts[i->u.r.b],
                         cwi_value_retain(*cwi_vm_deref(&A)), false));
  }
  NEXT();
  OP(GLOBAL_DEF) : {
    cwi_script_module *to = frame->module != NULL ? frame->module : &run->main_module;
    TRY(cwi_vm_named_set(run, &to->globals, &to->global_len, &to->global_cap,
                         frame->proto->consts[i->u.r.b], cwi_value_retain(*cwi_vm_deref(&A)),
                         true));
  }
  NEXT();
  OP(GLOBAL_GET) : NEXT();
  OP(MODULE_GET)
      : TRY(cwi_vm_module_get(run, &frame->proto->program->sites[i->u.r.b], &A,
                              cwi_script_place_of(frame->proto, i)));
  NEXT();
  OP(SCOPE_MARK)
      : cwi_vm_set(&A, cwi_value_int((int64_t)(((uint64_t)run->name_len << 32) | run->import_len)));
  NEXT();
  OP(SCOPE_CUT) : cwi_vm_names_cut(run, (uint32_t)(A.bits >> 32));
  cwi_vm_imports_cut(run, (uint32_t)A.bits);
  NEXT();
#if !CWI_COMPUTED_GOTO
}
#endif
native : if (!cwi_vm_resume_native(run)) {
  if (run->suspended) return CWI_SCRIPT_SUSPENDED;
  goto fail_unwind;
}
if (run->frame_len == 0) return CWI_SCRIPT_DONE;
RELOAD();
NEXT();
fail : cwi_vm_fill(run, cwi_script_place_of(frame->proto, i).pos);
fail_unwind : if (!cwi_vm_unwind(run)) return run->exited ? CWI_SCRIPT_DONE : CWI_SCRIPT_FAILED;
RELOAD();
NEXT();
}
CWI_DISPATCH_END
