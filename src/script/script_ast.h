/* SPDX-License-Identifier: MIT */
/* The tree of a script. Everything lies in the parser's arena; variables are resolved while
 * parsing, so that errors come in the order of the text. */
#ifndef SCRIPT_AST_H
#define SCRIPT_AST_H

#include "script/script_token.h"

typedef enum cwi_script_node_kind {
  CWI_NODE_NOOP,
  /* literals */
  CWI_NODE_UNIT,
  CWI_NODE_BOOL,
  CWI_NODE_INT,
  CWI_NODE_FLOAT,
  CWI_NODE_CHAR,
  CWI_NODE_STRING,
  /* expressions */
  CWI_NODE_INTERP, /* list of parts */
  CWI_NODE_ARRAY,  /* list of items */
  CWI_NODE_MAP,    /* list of FIELD */
  CWI_NODE_FIELD,  /* text: a */
  CWI_NODE_VAR,    /* sym, var or fn flag, path */
  CWI_NODE_THIS,
  CWI_NODE_CALL,     /* sym(list), path, CWI_NODE_BANG */
  CWI_NODE_METHOD,   /* a.sym(list), CWI_NODE_ELVIS */
  CWI_NODE_PROP,     /* a.sym, CWI_NODE_ELVIS */
  CWI_NODE_INDEX,    /* a[b], CWI_NODE_ELVIS */
  CWI_NODE_AND,      /* a && b */
  CWI_NODE_OR,       /* a || b */
  CWI_NODE_COALESCE, /* a ?? b */
  CWI_NODE_UNARY,    /* op a */
  CWI_NODE_BINARY,   /* a op b; `in` has them as written */
  CWI_NODE_CLOSURE,  /* fn */
  /* statements; some stand for values too */
  CWI_NODE_BLOCK,  /* list */
  CWI_NODE_IF,     /* if a b else c */
  CWI_NODE_SWITCH, /* switch a { list of CASE } */
  CWI_NODE_CASE,   /* list of literals if b => c; an empty list is `_` */
  CWI_NODE_WHILE,  /* while a b; loop where a is NULL */
  CWI_NODE_DO,     /* do b while a; CWI_NODE_NEGATED: until */
  CWI_NODE_FOR,    /* for var in a b; var2: the counter */
  CWI_NODE_LET,    /* let var = a; CWI_NODE_EXPORT */
  CWI_NODE_ASSIGN, /* a op= b; op is ASSIGN for the plain one */
  CWI_NODE_BREAK,  /* break a */
  CWI_NODE_CONTINUE,
  CWI_NODE_RETURN, /* return a */
  CWI_NODE_THROW,  /* throw a */
  CWI_NODE_TRY,    /* try a catch (var) b */
  CWI_NODE_IMPORT, /* import a as sym */
  CWI_NODE_EXPORT, /* export sym as sym2 */
} cwi_script_node_kind;

enum {
  CWI_NODE_ELVIS = 1,
  CWI_NODE_BANG = 2,
  CWI_NODE_NEGATED = 4,
  CWI_NODE_EXPORTED = 8,
  CWI_NODE_IS_FN = 16, /* a VAR that names a function seen before */
  CWI_NODE_PAREN = 32, /* stood in parentheses */
};

struct cwi_script_def;

/* A local variable. */
typedef struct cwi_script_var {
  cwi_script_sym *sym;
  struct cwi_script_def *owner;
  struct cwi_script_var *same; /* `let` of a name again in its block: the first one's place */
  cwi_script_pos pos;
  uint32_t reg; /* given by the compiler */
  bool is_const;
  bool captured; /* some closure shares it: it may hold a cell */
  bool used;
} cwi_script_var;

/* a::b:: in front of a name */
typedef struct cwi_script_path {
  cwi_script_sym *sym;
  cwi_script_pos pos;
  struct cwi_script_path *next;
} cwi_script_path;

typedef struct cwi_script_node {
  uint8_t kind;
  uint8_t op; /* cwi_script_token_kind */
  uint16_t flags;
  cwi_script_pos pos;
  cwi_script_pos pos2; /* of the name behind a dot; of an operator's `=` */
  uint32_t len;        /* of `list` */
  struct cwi_script_node *next;
  struct cwi_script_node *a, *b, *c, *list;
  cwi_script_sym *sym;
  union {
    int64_t i;
    double f;
    uint32_t c;
    struct {
      const char *text;
      size_t size;
    } s;
    cwi_script_var *var;
    struct cwi_script_def *def;
    cwi_script_sym *sym2;
  } u;
  cwi_script_var *var2;
  cwi_script_path *path;
} cwi_script_node;

/* A name that a closure takes from around it. */
typedef struct cwi_script_external {
  cwi_script_var *inner;  /* the closure's own parameter */
  cwi_script_node *outer; /* a VAR as seen from around the closure */
  struct cwi_script_external *next;
} cwi_script_external;

/* A function: the script itself, `fn`, or a closure. */
typedef struct cwi_script_def {
  cwi_script_sym *name;      /* NULL: the script, or a closure */
  cwi_script_sym *this_type; /* `fn type.name` */
  cwi_script_var **params;
  uint32_t param_len;
  cwi_script_external *externals; /* in order of first use */
  uint32_t external_len;
  cwi_script_node *body;
  cwi_script_pos pos;
  uint32_t index; /* among the functions of the program */
  bool is_private, is_closure, has_eval;
  struct cwi_script_def *next;
  struct cwi_script_def *same_name;
} cwi_script_def;

#endif
