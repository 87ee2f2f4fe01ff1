/* SPDX-License-Identifier: MIT */
/* A compiled script: immutable, its constants immortal, so that any number of runs on any threads
 * share it. Only the call sites' caches change, each one atomic word. */
#ifndef SCRIPT_PROGRAM_H
#define SCRIPT_PROGRAM_H

#include <stdatomic.h>

#include "core/arena.h"
#include "script/script_lib.h"
#include "script/script_token.h"

typedef enum cwi_script_op {
#define X(NAME, operands) CWI_OP_##NAME,
#include "script/script_op.def"
#undef X
  CWI_OP_COUNT_OF
} cwi_script_op;

/* One instruction; EXTRA words behind some carry more. */
typedef struct cwi_script_insn {
  uint8_t op;
  uint8_t flags;
  uint16_t a;
  union {
    struct {
      uint16_t b, c;
    } r;
    int32_t d;
  } u;
} cwi_script_insn;

enum {
  CWI_INSN_FREE_B = 1, /* register b is a temporary that ends here */
  CWI_INSN_FREE_C = 2,
  CWI_INSN_ASSIGN = 4, /* arithmetic of `a op= c` */
  CWI_INSN_CONST = 8,  /* the target is a constant */
  CWI_INSN_CELL = 16,  /* the target's register may hold a cell */
  CWI_INSN_NEGATE = 32,
  CWI_INSN_TEMP = 64, /* the target of a method is a temporary in its window already */
};

#define CWI_REG_NONE 0xFFFFU

/* Where a pc lies in the text; the second place is an operator's or a bracket's. */
typedef struct cwi_script_place {
  cwi_script_pos pos, pos2;
} cwi_script_place;

/* Code from `start` to `end` is guarded: its errors go to `target`. */
typedef struct cwi_script_guard {
  uint32_t start, end, target;
  uint16_t reg;     /* where the error is kept */
  uint8_t cleanup;  /* runs `target` whatever the error, then RETHROW */
  uint8_t is_catch; /* the block of a catch: a `throw` without value in it throws `reg` again */
} cwi_script_guard;

/* A local variable, for eval, f!(), scopes and dumps: it has its register from `start` to `end`. */
typedef struct cwi_script_local {
  cw_value name;
  uint32_t start, end;
  uint16_t reg;
  bool is_const, is_cell, exported;
} cwi_script_local;

/* Names that the VM treats itself. */
typedef enum cwi_script_special {
  CWI_SPECIAL_NONE,
  CWI_SPECIAL_PRINT,
  CWI_SPECIAL_DEBUG,
  CWI_SPECIAL_TYPE_OF,
  CWI_SPECIAL_IS_SHARED,
  CWI_SPECIAL_IS_DEF_VAR,
  CWI_SPECIAL_IS_DEF_FN,
  CWI_SPECIAL_EVAL,
  CWI_SPECIAL_FN,
  CWI_SPECIAL_CALL,
  CWI_SPECIAL_CURRY,
  CWI_SPECIAL_EXIT,
  CWI_SPECIAL_METADATA, /* get_fn_metadata_list */
} cwi_script_special;

/* A place that names a function or property. */
typedef struct cwi_script_site {
  cw_value name;           /* STRING */
  cw_value getter, setter; /* of a property: "get$name", "set$name" */
  cw_value *path;          /* STRINGs: the modules' names in front */
  uint32_t path_len;
  uint8_t special;        /* cwi_script_special */
  bool has_typed;         /* some `fn type.name` of this program has this name */
  bool bang;              /* f!(...) */
  bool first_is_var;      /* the first argument is a variable */
  cwi_script_pos arg_pos; /* of the first argument */
  int32_t proto;          /* the untyped script function with that many arguments; -1: none */
  _Atomic uint64_t cache; /* types of the arguments and the number of the row; 0: empty */
  _Atomic uint64_t cache_set;
} cwi_script_site;

typedef struct cwi_script_proto {
  cwi_script_insn *code;
  cwi_script_place *places;
  uint32_t code_len;
  cw_value *consts;
  uint32_t const_len;
  cwi_script_guard *guards;
  uint32_t guard_len;
  cwi_script_local *locals;
  uint32_t local_len;
  uint16_t reg_len;
  uint16_t param_len; /* without captured ones, which follow them */
  uint16_t captured_len;
  bool is_private, is_closure, has_eval;
  cw_value name;      /* STRING */
  cw_value this_type; /* STRING, or NONE */
  cw_value *params;   /* param_len STRINGs */
  cwi_script_pos pos;
  struct cwi_script_program *program;
} cwi_script_proto;

typedef struct cwi_script_program {
  _Atomic uint32_t refs;
  struct cwi_script_engine *engine;
  cwi_arena arena;
  char *text;
  size_t text_size;
  cw_value source; /* STRING: the name of the file or module; empty */
  cwi_script_proto **protos;
  uint32_t proto_len;
  cwi_script_proto *main;
  cwi_script_site *sites;
  uint32_t site_len;
  cw_value *immortals; /* every constant made for this program */
  uint32_t immortal_len, immortal_cap;
} cwi_script_program;

/* What the compiler needs to know. */
typedef struct cwi_script_compile_options {
  const cwi_script_limits *limits;
  bool count_operations;
  bool is_eval;   /* top-level variables go to the scope of the caller */
  bool keep_vars; /* top-level variables are kept for the scope that lives across runs */
} cwi_script_compile_options;

struct cwi_script_tree;
/* Compiles a tree that was parsed from `text` (copied). The program has one reference.
 * Errors: CW_E_NOMEM; CW_E_LIMIT where a function needs more registers than there are. */
cw_status cwi_script_compile(const struct cwi_script_tree *tree, struct cwi_script_engine *engine,
                             const char *text, size_t size, const char *source,
                             const cwi_script_compile_options *options, cwi_script_program **out,
                             cw_error *err);
cwi_script_program *cwi_script_program_retain(cwi_script_program *program);
void cwi_script_program_release(cwi_script_program *program);
/* The function of this name with this many parameters, untyped; NULL: none. */
cwi_script_proto *cwi_script_program_find(const cwi_script_program *program, const char *name,
                                          size_t size, uint32_t argc);
/* Where pc lies. */
CWI_INLINE cwi_script_place cwi_script_place_of(const cwi_script_proto *proto,
                                                const cwi_script_insn *insn) {
  return proto->places[insn - proto->code];
}

#endif
