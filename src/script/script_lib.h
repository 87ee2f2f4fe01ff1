/* SPDX-License-Identifier: MIT */
/* How the standard library talks to the VM: types, native functions, callbacks, errors, boxes.
 *
 * A native function is a row of a table: a name, the types of its parameters, a C function, flags.
 * The VM picks the row whose types fit the arguments (an exact type beats ANY) and remembers the
 * choice at the call site. Operators that the VM does not do itself (int, float, bool, char and
 * string with themselves; int with float) are rows named as the operator: "+", "==", "+=" ...; a
 * property is "get$NAME" and "set$NAME"; an index is "index$get$" and "index$set$"; `x in y` is
 * contains(y, x).
 *
 *   static cwi_script_result array_push(cwi_script_native *call) {
 *     cw_value item = cwi_script_take(&call->args[1]);
 *     return cwi_script_check(call, cw_value_array_push(&call->args[0], item, NULL));
 *   }
 *   { "push", 2, {CWI_SCRIPT_ARRAY, CWI_SCRIPT_ANY}, array_push, CWI_SCRIPT_MUT, 0 },
 *
 * Natives of the language itself, which the VM keeps: print, debug, type_of, is_shared, is_def_var,
 * is_def_fn, eval, Fn, call, curry, exit, sleep. */
#ifndef SCRIPT_LIB_H
#define SCRIPT_LIB_H

#include "core/buf.h"
#include "core/error.h"
#include "core/value.h"

/* The types of the language. Every value has exactly one. */
typedef enum cwi_script_type {
  CWI_SCRIPT_ANY = 0, /* only as the type of a parameter */
  CWI_SCRIPT_UNIT,    /* CW_VALUE_NULL, and NONE where one slips in */
  CWI_SCRIPT_BOOL,
  CWI_SCRIPT_INT,
  CWI_SCRIPT_FLOAT,
  CWI_SCRIPT_CHAR,
  CWI_SCRIPT_STRING,
  CWI_SCRIPT_BLOB,
  CWI_SCRIPT_ARRAY,
  CWI_SCRIPT_MAP,
  CWI_SCRIPT_FN,
  CWI_SCRIPT_RANGE,           /* a..b */
  CWI_SCRIPT_RANGE_INCLUSIVE, /* a..=b */
  CWI_SCRIPT_TIMESTAMP,
  CWI_SCRIPT_ITER,  /* what range(a, b, step), chars(), bits() ... give */
  CWI_SCRIPT_OTHER, /* boxes of hosts and other modules, datetimes, uuids */
} cwi_script_type;

/* ---- boxes ---- */

/* The operations of a box of this module: those of core, and its type. */
typedef struct cwi_script_box_ops {
  cwi_box_ops core;
  cwi_script_type type;
} cwi_script_box_ops;

extern const cwi_script_box_ops cwi_script_fn_ops;
extern const cwi_script_box_ops cwi_script_range_ops; /* both kinds of range: see `inclusive` */
extern const cwi_script_box_ops cwi_script_timestamp_ops;
extern const cwi_script_box_ops cwi_script_iter_ops;
extern const cwi_script_box_ops cwi_script_cell_ops;

typedef struct cwi_script_range {
  cwi_box box;
  int64_t start, end;
  bool inclusive;
} cwi_script_range;

typedef struct cwi_script_timestamp {
  cwi_box box;
  int64_t nanos; /* of the monotonic clock; timestamps may be moved before its zero */
} cwi_script_timestamp;

/* A function pointer: a name, and arguments bound in advance. */
typedef struct cwi_script_fn {
  cwi_box box;
  cw_value name;     /* STRING; "anon$..." for a closure */
  cw_value curry;    /* ARRAY of bound arguments, cells included; NONE: none */
  uint32_t captured; /* how many at the start of `curry` are cells of the closure's variables */
  const struct cwi_script_proto *proto; /* the script function where it is known; else by name */
  struct cwi_script_module *module; /* where `proto` lives, retained; NULL: the running script's */
} cwi_script_fn;

/* An iterator for `for`. `next` writes an owned value and returns true, or returns false at the end
 * or (with call->error raised) on failure. The numbers and values are the iterator's own. */
typedef struct cwi_script_iter {
  cwi_box box;
  bool (*next)(struct cwi_script_iter *iter, cw_value *out);
  const char *type_name; /* as type_of gives it */
  int64_t n[4];
  double f[4];
  cw_value values[2]; /* released with the iterator */
} cwi_script_iter;

/* The cell of a captured variable. Only in variables and in `curry`, never in an array, a map or an
 * argument that a native function sees. */
typedef struct cwi_script_cell {
  cwi_box box;
  cw_value value;
  uint32_t locks; /* > 0 while `value` is bound to `this` of a running call */
} cwi_script_cell;

CWI_INLINE cwi_script_fn *cwi_script_fn_ptr(cw_value v) {
  return (cwi_script_fn *)(void *)cwi_value_box_ptr(v);
}
CWI_INLINE cwi_script_range *cwi_script_range_ptr(cw_value v) {
  return (cwi_script_range *)(void *)cwi_value_box_ptr(v);
}
CWI_INLINE cwi_script_timestamp *cwi_script_timestamp_ptr(cw_value v) {
  return (cwi_script_timestamp *)(void *)cwi_value_box_ptr(v);
}
CWI_INLINE cwi_script_iter *cwi_script_iter_ptr(cw_value v) {
  return (cwi_script_iter *)(void *)cwi_value_box_ptr(v);
}
CWI_INLINE bool cwi_script_is_cell(cw_value v) {
  return cwi_value_is_box_of(v, &cwi_script_cell_ops.core);
}

cw_status cwi_script_range_new(int64_t start, int64_t end, bool inclusive, cw_value *out);
cw_status cwi_script_timestamp_new(int64_t nanos, cw_value *out);
/* A fresh iterator, numbers and values zero, to be filled in. */
cw_status cwi_script_iter_new(const char *type_name,
                              bool (*next)(cwi_script_iter *iter, cw_value *out), cw_value *out);

cwi_script_type cwi_script_type_of(cw_value v);
/* As type_of gives it: "i64", "string", "array", "range=", "Fn", "timestamp" ... */
const char *cwi_script_type_name(cw_value v);
/* The number that a script hangs on a value with `x.tag = 1`: it lies in `aux`. */
CWI_INLINE int32_t cwi_script_tag(cw_value v) { return (int32_t)v.aux; }

/* ---- text (script_text.c): false where there is no memory ---- */

/* As print() shows a value: a string raw, () empty, 1.0 as "1.0". */
bool cwi_script_display(cwi_buf *out, cw_value v);
/* As debug() shows it and as it stands inside containers: "quoted", 'c', (), Fn(name). */
bool cwi_script_debug(cwi_buf *out, cw_value v);
bool cwi_script_display_float(cwi_buf *out, double f);
bool cwi_script_debug_float(cwi_buf *out, double f);

/* Equality of the language in depth, as `==` on arrays and maps uses it on items. */
bool cwi_script_equal(cw_value a, cw_value b);

/* ---- errors ---- */

/* X(KIND, name) in the order of the reference. */
#define CWI_SCRIPT_ERROR_TABLE(X)                        \
  X(SYSTEM, "ErrorSystem")                               \
  X(PARSING, "ErrorParsing")                             \
  X(VARIABLE_EXISTS, "ErrorVariableExists")              \
  X(FORBIDDEN_VARIABLE, "ErrorForbiddenVariable")        \
  X(VARIABLE_NOT_FOUND, "ErrorVariableNotFound")         \
  X(PROPERTY_NOT_FOUND, "ErrorPropertyNotFound")         \
  X(INDEX_NOT_FOUND, "ErrorIndexNotFound")               \
  X(FUNCTION_NOT_FOUND, "ErrorFunctionNotFound")         \
  X(MODULE_NOT_FOUND, "ErrorModuleNotFound")             \
  X(IN_FUNCTION_CALL, "ErrorInFunctionCall")             \
  X(IN_MODULE, "ErrorInModule")                          \
  X(UNBOUND_THIS, "ErrorUnboundThis")                    \
  X(MISMATCH_DATA_TYPE, "ErrorMismatchDataType")         \
  X(MISMATCH_OUTPUT_TYPE, "ErrorMismatchOutputType")     \
  X(INDEXING_TYPE, "ErrorIndexingType")                  \
  X(ARRAY_BOUNDS, "ErrorArrayBounds")                    \
  X(STRING_BOUNDS, "ErrorStringBounds")                  \
  X(BIT_FIELD_BOUNDS, "ErrorBitFieldBounds")             \
  X(FOR, "ErrorFor")                                     \
  X(DATA_RACE, "ErrorDataRace")                          \
  X(NON_PURE_METHOD, "ErrorNonPureMethodCallOnConstant") \
  X(ASSIGNMENT_TO_CONSTANT, "ErrorAssignmentToConstant") \
  X(DOT_EXPR, "ErrorDotExpr")                            \
  X(ARITHMETIC, "ErrorArithmetic")                       \
  X(TOO_MANY_OPERATIONS, "ErrorTooManyOperations")       \
  X(TOO_MANY_VARIABLES, "ErrorTooManyVariables")         \
  X(TOO_MANY_MODULES, "ErrorTooManyModules")             \
  X(STACK_OVERFLOW, "ErrorStackOverflow")                \
  X(DATA_TOO_LARGE, "ErrorDataTooLarge")                 \
  X(TERMINATED, "ErrorTerminated")                       \
  X(CUSTOM_SYNTAX, "ErrorCustomSyntax")                  \
  X(RUNTIME, "ErrorRuntime")                             \
  X(ASYNC, "ErrorAsync") /* an asynchronous host function failed; `status` says how */

typedef enum cwi_script_error_kind {
  CWI_SCRIPT_E_NONE = 0,
#define CWI_SCRIPT_ERROR_ENUM(KIND, name) CWI_SCRIPT_E_##KIND,
  CWI_SCRIPT_ERROR_TABLE(CWI_SCRIPT_ERROR_ENUM)
#undef CWI_SCRIPT_ERROR_ENUM
      CWI_SCRIPT_E_NOMEM, /* no memory: not an error of the language; ends the run with CW_E_NOMEM
                           */
} cwi_script_error_kind;

/* ---- native functions ---- */

typedef struct cwi_script_run cwi_script_run; /* one run of a script: the VM */

typedef enum cwi_script_result {
  CWI_SCRIPT_OK = 0,  /* `result` is set (it starts as unit) */
  CWI_SCRIPT_ERROR,   /* an error has been raised */
  CWI_SCRIPT_SUSPEND, /* run->pending is a future: call this function again when it has settled */
  CWI_SCRIPT_CALLBACK /* call `callee`, then call this function again (CWI_SCRIPT_RESUMABLE only) */
} cwi_script_result;

/* What a native function is given. The C function is never left waiting: one that calls back into
 * the script asks for it by returning CWI_SCRIPT_CALLBACK and is called again with the answer, so
 * that a callback may suspend. `step` is 0 at first; what stands in `step`, `n` and `locals` is
 * kept between. */
typedef struct cwi_script_native {
  cwi_script_run *run;
  cw_value *args; /* argc of them, released by the VM; take one with cwi_script_take() */
  uint32_t argc;
  int32_t data;    /* from the row */
  cw_value result; /* unit at first; owned */

  /* CWI_SCRIPT_RESUMABLE only: */
  uint32_t step;
  int64_t n[8];
  cw_value locals[4]; /* owned, released at the end, NONE at first */
  struct {
    cw_value fn;         /* a Fn, borrowed from args or locals */
    cw_value this_value; /* owned; bound to `this`; NONE: unbound. Read back after the call */
    cw_value args[4];    /* owned; the VM takes them */
    uint32_t argc;
    cw_value result;  /* owned: what the callback gave; take it or leave it to the VM */
    const char *name; /* of the native, for errors in calling */
    /* The callback failed (only seen where `catch_errors` was set): its error is dropped */
    bool catch_errors, failed;
  } callback;
} cwi_script_native;

typedef cwi_script_result (*cwi_script_native_fn)(cwi_script_native *call);

enum {
  CWI_SCRIPT_MUT = 1,       /* changes args[0], which is a reference; refused on a constant */
  CWI_SCRIPT_RESUMABLE = 2, /* may return CWI_SCRIPT_CALLBACK */
};

#define CWI_SCRIPT_PARAMS_MAX 6

typedef struct cwi_script_row {
  const char *name;
  uint8_t argc;
  uint8_t params[CWI_SCRIPT_PARAMS_MAX]; /* cwi_script_type */
  cwi_script_native_fn fn;
  uint16_t flags;
  int32_t data;
} cwi_script_row;

typedef struct cwi_script_rows {
  const cwi_script_row *rows;
  size_t len;
} cwi_script_rows;

/* The standard library: all tables of it (script_lib.c lists them). */
const cwi_script_rows *cwi_script_std(size_t *len);

/* Moves a value out, leaving unit. */
CWI_INLINE cw_value cwi_script_take(cw_value *v) {
  cw_value taken = *v;
  *v = cwi_value_null();
  return taken;
}

/* How many parameters a Fn's script function wants besides its curried ones; -1: known at the call
 * only (a native, or a name without a function). */
int cwi_script_fn_arity(cwi_script_run *run, cw_value fn);

/* Prepares `call->callback` for the way the library calls back with one item and its position: a
 * function of one parameter gets (item), of two (item, index), of none has `this` = item. With
 * `extra`, a value given first (an accumulator), these become (extra, item), (extra, item, index).
 * Takes `item` and `extra`; returns CWI_SCRIPT_CALLBACK. `extra` may be NULL. */
cwi_script_result cwi_script_callback_item(cwi_script_native *call, cw_value fn, cw_value *extra,
                                           cw_value item, int64_t index);

/* ---- raising: each returns CWI_SCRIPT_ERROR ---- */

/* Kinds with one text: ARITHMETIC, DOT_EXPR, DATA_TOO_LARGE ("Length of string"), SYSTEM,
 * VARIABLE_NOT_FOUND, ... The VM adds the position of the call. */
cwi_script_result cwi_script_raise(cwi_script_run *run, cwi_script_error_kind kind,
                                   const char *format, ...) CWI_PRINTF(3, 4);
/* ErrorRuntime with a value, which is taken. */
cwi_script_result cwi_script_raise_value(cwi_script_run *run, cw_value value);
/* ARRAY_BOUNDS, STRING_BOUNDS, BIT_FIELD_BOUNDS */
cwi_script_result cwi_script_raise_bounds(cwi_script_run *run, cwi_script_error_kind kind,
                                          int64_t index, size_t len);
/* MISMATCH_DATA_TYPE, MISMATCH_OUTPUT_TYPE, with names as type_of gives them */
cwi_script_result cwi_script_raise_type(cwi_script_run *run, cwi_script_error_kind kind,
                                        const char *actual, const char *expected);
/* "Function not found: name (types of args)" */
cwi_script_result cwi_script_raise_no_function(cwi_script_run *run, const char *name,
                                               const cw_value *args, size_t argc);
cwi_script_result cwi_script_raise_nomem(cwi_script_run *run);
/* Wraps the error just raised: "...\nin call to function 'name'". The inner one has no position. */
cwi_script_result cwi_script_raise_in_call(cwi_script_run *run, const char *name);
/* OK for CW_OK; a raised NOMEM, or SYSTEM with the status' text, for the rest. */
cwi_script_result cwi_script_check(cwi_script_native *call, cw_status status);

/* ---- limits: 0 is none ---- */

typedef struct cwi_script_limits {
  uint64_t operations_max;
  uint32_t call_levels_max;
  uint32_t expr_depth_max, fn_expr_depth_max;
  size_t string_size_max, array_len_max, map_len_max; /* nested content counts */
  size_t variables_max, functions_max, modules_max;
} cwi_script_limits;

const cwi_script_limits *cwi_script_run_limits(cwi_script_run *run);
/* Raises ErrorDataTooLarge where `v`, nested content included, passes a limit. The VM checks the
 * result and a changed args[0] of every native itself: natives that grow (pad, *=) check sizes
 * before they make them with cwi_script_check_size. */
cwi_script_result cwi_script_check_limits(cwi_script_run *run, cw_value v);
/* Raises where an array, string or map (kind) of `size` would pass its limit. */
cwi_script_result cwi_script_check_size(cwi_script_run *run, cw_value_kind kind, size_t size);

/* Counts `n` operations; raises ErrorTooManyOperations. For natives that loop long. */
cwi_script_result cwi_script_count_operations(cwi_script_run *run, uint64_t n);

/* Nanoseconds of the run's monotonic clock. */
int64_t cwi_script_now(cwi_script_run *run);

/* Parses JSON text as the language reads an object literal with null: parse_json() is built on it.
 * Errors are raised. */
cwi_script_result cwi_script_parse_json(cwi_script_run *run, const char *text, size_t size,
                                        cw_value *out);

#endif
